#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "registry/auth/auth.h"
#include "registry/auth/auth_internal.h"
#include "registry/base/address.h"
#include "registry/base/data_file.h"

#define LOGINS_MAX 64		/* passwords that wait ... */
#define LOGINS_SHARE 48		/* ... of one address */
#define LOGINS_WAITERS 8192	/* requests that wait, in all */

/* Contexts, so that threads do not wait for each other as a rule. */
#define SLOTS 16

#define THREADS_MAX 64
#define PEER_MAX 64

/*
 * HMAC-SHA-256 under a random key of this process, for several threads: what
 * credentials are remembered by.
 */

/*
 * Passwords that wait to be checked, and the threads that do it.  Requests
 * with the same credentials wait for one check.
 */

struct login {
	unsigned char key[MAC_BYTES];
	char name[PRINCIPAL_MAX];
	struct buf password;	/* secret */
	bool trusted;		/* to be checked whatever the address */
	bool known;		/* the check's answer: there is such a user */
};

struct logins_calls {
	/* Is this account refused there by now?  Called under the queue's lock. */
	bool (*refused)(void *cookie, const char *peer, const char *name);
	/* Check one: AUTH_OK, AUTH_WRONG, AUTH_BUSY (it cannot be done). */
	enum auth_result (*check)(void *cookie, struct login *l);
	/* Fill in the answer to one of the requests and call its done. */
	void (*answer)(void *cookie, struct auth_check *c, const struct login *l,
	    const char *peer, enum auth_result result);
	void *cookie;
};

struct macs {
	struct {
		pthread_mutex_t lock;
		struct mac *mac;
	} slots[SLOTS];
};

struct waiter {
	struct waiter *next;
	struct auth_check *check;
	char peer[PEER_MAX];
};

struct job {
	struct job *next;
	struct login login;
	struct waiter *waiters;
	unsigned char source[ADDRESS_KEY];	/* who asked first */
	bool taken;		/* a thread is at it */
};

struct logins {
	struct logins_calls calls;
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t more;
	struct job *jobs;	/* oldest first; one that is at work, too */
	size_t queued;		/* those not taken */
	size_t waiters;
	bool ending;

	pthread_t threads[THREADS_MAX];
	unsigned count;
};

enum from { FROM_CN, FROM_DN, FROM_SAN };

struct auth {
	char *issuer, *audience, *claim;
	struct jwt_rules rules;
	bool jwt;
	enum from principal_from;
	struct password nobody;		/* what an unknown user's password is compared with */
	struct digest *digest;
	struct credentials *credentials;
	struct macs *macs;
	struct verified *verified;
	struct throttle *addresses;	/* failures that are told */
	struct throttle *accounts;	/* ... and that lock one account out, at one address */
	struct throttle *denials;	/* by principal */
	struct rate *rate;
	struct logins *logins;
};

static unsigned
slot_of_thread(void)
{
	static atomic_uint threads;
	static _Thread_local unsigned mine;	/* 0: none yet */

	if (mine == 0)
		mine = 1 + atomic_fetch_add(&threads, 1) % SLOTS;
	return mine - 1;
}

static void
macs_free(struct macs *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		mac_free(m->slots[i].mac);
		pthread_mutex_destroy(&m->slots[i].lock);
	}
	free(m);
}

static struct macs *
macs_new(struct error *err)
{
	struct macs *m = error_alloc(sizeof(*m), err);
	struct key *key;
	size_t i;

	if (m == NULL)
		return NULL;
	for (i = 0; i < SLOTS; i++)
		pthread_mutex_init(&m->slots[i].lock, NULL);
	key = key_new_random(KEY_LENGTH_DEFAULT, err);
	for (i = 0; key != NULL && i < SLOTS; i++) {
		m->slots[i].mac = mac_new(key, "propseal registry credentials", err);
		if (m->slots[i].mac == NULL)
			break;
	}
	key_free(key);
	if (key == NULL || i < SLOTS) {
		macs_free(m);
		return NULL;
	}
	return m;
}

/* -1: OpenSSL failed. */
static int
macs_sum(struct macs *m, const void *bytes, size_t n, unsigned char out[MAC_BYTES])
{
	unsigned i = slot_of_thread();
	int rc;

	pthread_mutex_lock(&m->slots[i].lock);
	rc = mac_sum(m->slots[i].mac, "", 0, bytes, n, out, NULL);
	pthread_mutex_unlock(&m->slots[i].lock);
	return rc;
}

static void
logins_job_free(struct job *j)
{
	buf_release(&j->login.password);
	free(j);
}

/* Answer everybody; the job is out of the list. */
static void
logins_finish(struct logins *l, struct job *j, enum auth_result result)
{
	struct waiter *w, *next;

	for (w = j->waiters; w != NULL; w = next) {
		next = w->next;
		l->calls.answer(l->calls.cookie, w->check, &j->login, w->peer, result);
		free(w);
	}
	logins_job_free(j);
}

static void
take_out(struct logins *l, struct job *j)
{
	struct job **at = &l->jobs;
	const struct waiter *w;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	if (!j->taken)
		l->queued--;
	for (w = j->waiters; w != NULL; w = w->next)
		l->waiters--;
}

/* All who wait for it are refused meanwhile. */
static bool
logins_is_refused(const struct logins *l, const struct job *j)
{
	if (j->login.trusted)
		return false;
	for (const struct waiter *w = j->waiters; w != NULL; w = w->next)
		if (!l->calls.refused(l->calls.cookie, w->peer, j->login.name))
			return false;
	return true;
}

static struct job *
next_job(struct logins *l)
{
	struct job *j;

	for (j = l->jobs; j != NULL && j->taken; j = j->next)
		;
	return j;
}

static void *
logins_work(void *arg)
{
	struct logins *l = arg;
	enum auth_result result;
	struct job *j;

	pthread_mutex_lock(&l->lock);
	for (;;) {
		while (!l->ending && (j = next_job(l)) == NULL)
			pthread_cond_wait(&l->more, &l->lock);
		if (l->ending)
			break;
		if (logins_is_refused(l, j))
			result = AUTH_TOO_MANY;
		else {
			j->taken = true;
			l->queued--;
			pthread_mutex_unlock(&l->lock);
			result = l->calls.check(l->calls.cookie, &j->login);
			pthread_mutex_lock(&l->lock);
		}
		take_out(l, j);
		pthread_mutex_unlock(&l->lock);
		logins_finish(l, j, result);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* End the threads; what waits is answered with AUTH_BUSY. */
static void
logins_free(struct logins *l)
{
	struct job *j;

	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->ending = true;
	pthread_cond_broadcast(&l->more);
	pthread_mutex_unlock(&l->lock);
	for (unsigned i = 0; i < l->count; i++)
		pthread_join(l->threads[i], NULL);
	while ((j = l->jobs) != NULL) {
		l->jobs = j->next;
		logins_finish(l, j, AUTH_BUSY);
	}
	pthread_cond_destroy(&l->more);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static struct logins *
logins_new(unsigned threads, const struct logins_calls *calls, struct error *err)
{
	struct logins *l = error_alloc(sizeof(*l), err);
	sigset_t all, old;
	int code = 0;

	if (l == NULL)
		return NULL;
	l->calls = *calls;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->more, NULL);
	if (threads == 0)
		threads = 1;
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (l->count < threads && code == 0) {
		code = pthread_create(&l->threads[l->count], NULL, logins_work, l);
		if (code == 0)
			l->count++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (code != 0) {
		error_set(err, ERROR_IO, "cannot start a thread: %s", strerror(code));
		logins_free(l);
		return NULL;
	}
	return l;
}

/* A job with the same credentials, or a new one at the end of the queue. */
static struct job *
logins_join(struct logins *l, struct login *what, const char *peer)
{
	unsigned char source[ADDRESS_KEY] = { 0 };
	struct job **at;
	struct job *j;
	size_t same = 0;

	(void)address_key(peer, source);
	for (at = &l->jobs; *at != NULL; at = &(*at)->next) {
		if (memcmp((*at)->login.key, what->key, MAC_BYTES) == 0)
			return *at;
		same += memcmp((*at)->source, source, sizeof(source)) == 0;
	}
	/* Whoever guesses leaves places to others. */
	if (l->queued >= LOGINS_MAX || (same >= LOGINS_SHARE && !what->trusted) ||
	    (j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	j->login = *what;
	memcpy(j->source, source, sizeof(source));
	buf_init_secret(&j->login.password, what->password.max);
	buf_move(&j->login.password, &what->password);
	*at = j;
	l->queued++;
	pthread_cond_signal(&l->more);
	return j;
}

/* Have one checked: ${what} is copied, but its password taken.  false: the
 * queue is full. */
static bool
logins_add(struct logins *l, struct login *what, struct auth_check *c, const char *peer)
{
	struct waiter *w = calloc(1, sizeof(*w));
	struct job *j = NULL;

	if (w == NULL)
		return false;
	w->check = c;
	snprintf(w->peer, sizeof(w->peer), "%s", peer);
	pthread_mutex_lock(&l->lock);
	if (!l->ending && l->waiters < LOGINS_WAITERS)
		j = logins_join(l, what, peer);
	if (j != NULL) {
		w->next = j->waiters;
		j->waiters = w;
		l->waiters++;
	}
	pthread_mutex_unlock(&l->lock);
	if (j == NULL)
		free(w);
	return j != NULL;
}

_Static_assert(AUTH_NAME_MAX == PRINCIPAL_MAX, "a principal is copied as it is");
_Static_assert(AUTH_TOKEN_ID == TOKENS_ID + 1, "an id is, too");

/* --- answers --- */

static bool
auth_say(struct auth_check *c, const char *principal, enum auth_result result)
{
	size_t n = strlen(principal);

	memcpy(c->principal, principal, n + 1);
	c->result = result;
	return true;
}

/* ${account}: as it was given, "" where it is not known; ${name}: of an existing
 * user, for the audit log; else "". */
static bool
auth_fail(struct auth *a, struct auth_check *c, const char *peer, const char *account,
    const char *name)
{
	int64_t now = watch_now_ms();
	bool refused = throttle_refuses(a->accounts, peer, account, now, &c->retry_after), ignored;
	uint64_t none;

	throttle_failure(a->accounts, peer, account, now, &ignored, &none);
	throttle_failure(a->addresses, peer, NULL, now, &c->report_failure, &c->folded);
	return auth_say(c, name, refused ? AUTH_TOO_MANY : AUTH_WRONG);
}

/* Not looked at, as the account had too many failures from this address. */
static bool
auth_turn_away(struct auth *a, struct auth_check *c, const char *peer, const char *account)
{
	auth_fail(a, c, peer, account, "");
	if (c->retry_after == 0)
		c->retry_after = 1;
	c->result = AUTH_TOO_MANY;
	return true;
}

static bool
busy(struct auth_check *c)
{
	c->retry_after = 1;
	return auth_say(c, "", AUTH_BUSY);
}

/* --- passwords, on the threads of logins --- */

static bool
on_refused(void *cookie, const char *peer, const char *name)
{
	struct auth *a = cookie;
	unsigned after;

	return throttle_refuses(a->accounts, peer, name, watch_now_ms(), &after);
}

static enum auth_result
on_check(void *cookie, struct login *l)
{
	struct auth *a = cookie;
	struct verified_what what = { .expires = INT64_MAX };
	struct user user;
	int rc;

	l->known = credentials_user(a->credentials, l->name, &user);
	rc = password_check(l->known ? &user.password : &a->nobody, l->password.data,
	    l->password.len);
	if (rc < 0)
		return AUTH_BUSY;
	if (rc == 0 || !l->known || user.disabled) {
		verified_forget(a->verified, l->key);
		return AUTH_WRONG;
	}
	credentials_stamp(&user, what.stamp);
	memcpy(what.principal, user.name, sizeof(what.principal));
	/* The user may be gone, or have another password, meanwhile. */
	if (!credentials_user_is(a->credentials, l->name, what.stamp))
		return AUTH_WRONG;
	verified_put(a->verified, l->key, watch_now_ms(), &what);
	return AUTH_OK;
}

static void
auth_on_answer(void *cookie, struct auth_check *c, const struct login *l, const char *peer,
    enum auth_result result)
{
	struct auth *a = cookie;

	if (result == AUTH_OK)
		auth_say(c, l->name, AUTH_OK);
	else if (result == AUTH_BUSY)
		busy(c);
	else if (result == AUTH_TOO_MANY)
		auth_turn_away(a, c, peer, l->name);
	else
		auth_fail(a, c, peer, l->name, l->known ? l->name : "");
	c->done(c);
}

/* --- the check --- */

/* The name in the certificate, "" without one.  false: it is no name. */
static bool
certified(const struct auth *a, const struct auth_check *c, char out[PRINCIPAL_MAX])
{
	const char *text = a->principal_from == FROM_CN ? c->cert_cn :
	    a->principal_from == FROM_DN ? c->cert_dn : c->cert_san;

	out[0] = '\0';
	return text == NULL || principal_normalise(text, strlen(text), out);
}

/* Credentials may name nobody but whom the certificate names. */
static bool
agrees(const char *cert, const char *principal)
{
	return cert[0] == '\0' || strcmp(cert, principal) == 0;
}

static bool
queue_password(struct auth *a, struct auth_check *c, const struct authorization *h,
    const char *peer, const char *cert, struct login *l)
{
	unsigned after;

	if (!authorization_basic(h, l->name, &l->password) || !agrees(cert, l->name))
		return auth_fail(a, c, peer, "", "");
	/* Who knew it once does not guess: a neighbour's mistakes are not his. */
	l->trusted = verified_once(a->verified, l->key);
	if (!l->trusted && throttle_refuses(a->accounts, peer, l->name, watch_now_ms(), &after))
		return auth_turn_away(a, c, peer, l->name);
	return logins_add(a->logins, l, c, peer) ? false : busy(c);
}

static bool
check_password(struct auth *a, struct auth_check *c, const struct authorization *h,
    const char *peer, const char *cert)
{
	struct login l = { .known = false };
	struct verified_what what;
	bool decided;

	c->mechanism = "BASIC";
	if (macs_sum(a->macs, c->authorization, strlen(c->authorization), l.key) != 0)
		return busy(c);
	if (verified_get(a->verified, l.key, watch_now_ms(), &what) &&
	    credentials_user_is(a->credentials, what.principal, what.stamp))
		return agrees(cert, what.principal) ? auth_say(c, what.principal, AUTH_OK) :
		    auth_fail(a, c, peer, "", "");
	buf_init_secret(&l.password, PASSWORD_MAX);
	decided = queue_password(a, c, h, peer, cert, &l);
	buf_release(&l.password);
	return decided;
}

static bool
check_token(struct auth *a, struct auth_check *c, const struct authorization *h, const char *peer,
    const char *cert)
{
	char principal[PRINCIPAL_MAX];

	c->mechanism = "TOKEN";
	if (!credentials_token(a->credentials, a->digest, h->text, h->n, (int64_t)time(NULL),
	    principal) || !agrees(cert, principal))
		return auth_fail(a, c, peer, "", "");
	return auth_say(c, principal, AUTH_OK);
}

static bool
check_jwt(struct auth *a, struct auth_check *c, const struct authorization *h, const char *peer,
    const char *cert)
{
	unsigned char key[MAC_BYTES];
	struct verified_what what;
	int64_t now = (int64_t)time(NULL);

	c->mechanism = "JWT";
	if (!a->jwt)
		return auth_fail(a, c, peer, "", "");
	if (macs_sum(a->macs, c->authorization, strlen(c->authorization), key) != 0)
		return busy(c);
	if (!verified_get(a->verified, key, watch_now_ms(), &what) || now >= what.expires ||
	    !credentials_keys_are(a->credentials, what.stamp)) {
		/* A right one is let in whatever its neighbours send: it cannot be guessed,
		 * and a signature costs no more than a request does. */
		if (!credentials_jwt(a->credentials, h->text, h->n, &a->rules, now, &what))
			return auth_fail(a, c, peer, "", "");
		verified_put(a->verified, key, watch_now_ms(), &what);
	}
	return agrees(cert, what.principal) ? auth_say(c, what.principal, AUTH_OK) :
	    auth_fail(a, c, peer, "", "");
}

static bool
auth_decide(struct auth *a, struct auth_check *c, const char *peer)
{
	char cert[PRINCIPAL_MAX];
	struct authorization h;

	c->principal[0] = '\0';
	c->mechanism = "NONE";
	c->retry_after = 0;
	c->report_failure = false;
	c->folded = 0;
	credentials_refresh(a->credentials);
	authorization_parse(c->authorization, &h);
	if (c->authorization_count > 1 || !certified(a, c, cert))
		return auth_fail(a, c, peer, "", "");
	switch (h.scheme) {
	case AUTHORIZATION_BASIC:
		return check_password(a, c, &h, peer, cert);
	case AUTHORIZATION_BEARER:
		if (tokens_is_one(h.text, h.n))
			return check_token(a, c, &h, peer, cert);
		return check_jwt(a, c, &h, peer, cert);
	case AUTHORIZATION_OTHER:
		return auth_say(c, "", AUTH_NONE);
	default:
		break;
	}
	if (cert[0] == '\0')
		return auth_say(c, "", AUTH_NONE);
	c->mechanism = "MTLS";
	return auth_say(c, cert, AUTH_OK);
}

bool
auth_begin(struct auth *a, struct auth_check *c)
{
	const char *peer = c->peer != NULL ? c->peer : "";

	if (!auth_decide(a, c, peer))
		return false;
	if (c->result == AUTH_OK && credentials_disabled(a->credentials, c->principal))
		return auth_fail(a, c, peer, c->principal, "");
	return true;
}

void
auth_refuse(struct auth *a, struct auth_check *c, const char *peer)
{
	(void)auth_fail(a, c, peer, "", "");
}

bool
auth_is_disabled(struct auth *a, const char *principal)
{
	credentials_refresh(a->credentials);
	return credentials_disabled(a->credentials, principal);
}

bool
auth_token_describe(struct auth *a, const char *token, char id[AUTH_TOKEN_ID], int64_t *created,
    int64_t *expires)
{
	return credentials_token_describe(a->credentials, token, id, created, expires);
}

bool
auth_rate(struct auth *a, const char *principal, unsigned *retry_after)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return rate_take(a->rate, principal, (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000,
	    retry_after);
}

void
auth_folded(struct auth *a, bool all,
    void (*visit)(void *cookie, const char *peer, uint64_t folded), void *cookie)
{
	throttle_folded(a->addresses, watch_now_ms(), all, visit, cookie);
}

bool
auth_denied(struct auth *a, const char *principal, uint64_t *folded)
{
	bool report;

	throttle_failure(a->denials, principal, NULL, watch_now_ms(), &report, folded);
	return report;
}

void
auth_denied_folded(struct auth *a, bool all,
    void (*visit)(void *cookie, const char *principal, uint64_t folded), void *cookie)
{
	throttle_folded(a->denials, watch_now_ms(), all, visit, cookie);
}

/* --- life --- */

static int
set_rules(struct auth *a, const struct auth_options *o, struct error *err)
{
	const char *from = o->mtls_principal != NULL ? o->mtls_principal : "cn";

	if (strcasecmp(from, "cn") != 0 && strcasecmp(from, "dn") != 0 &&
	    strcasecmp(from, "san") != 0)
		return error_set(err, ERROR_USAGE, "the principal of a certificate is taken from "
		    "cn, dn or san");
	a->principal_from = strcasecmp(from, "cn") == 0 ? FROM_CN :
	    strcasecmp(from, "dn") == 0 ? FROM_DN : FROM_SAN;
	a->jwt = o->jwks_file != NULL;
	if (!a->jwt)
		return 0;
	if (o->jwt_issuer == NULL || o->jwt_audience == NULL) {
		error_set(err, ERROR_USAGE, "a JWKS file without an issuer and an audience");
		return error_hint(err, "set auth.jwt.issuer and auth.jwt.audience: without them "
		    "tokens made for other services would be let in");
	}
	a->issuer = strdup(o->jwt_issuer);
	a->audience = strdup(o->jwt_audience);
	a->claim = strdup(o->jwt_principal_claim != NULL ? o->jwt_principal_claim : "sub");
	if (a->issuer == NULL || a->audience == NULL || a->claim == NULL)
		return error_memory(err);
	a->rules = (struct jwt_rules){ a->issuer, a->audience, a->claim };
	return 0;
}

/* No password has this hash but by a miracle, and then there is no user. */
static int
make_nobody(struct password *p, struct error *err)
{
	*p = (struct password){
		.N = PASSWORD_N, .r = PASSWORD_R, .p = PASSWORD_P, .salt_len = PASSWORD_SALT
	};
	if (random_bytes(p->salt, p->salt_len, err) != 0)
		return -1;
	return random_bytes(p->hash, sizeof(p->hash), err);
}

struct auth *
auth_open(const struct auth_options *o, struct error *err)
{
	struct auth *a = error_alloc(sizeof(*a), err);
	struct logins_calls calls = { on_refused, on_check, auth_on_answer, a };

	if (a == NULL)
		return NULL;
	if (set_rules(a, o, err) != 0 || make_nobody(&a->nobody, err) != 0 ||
	    (a->digest = digest_new(err)) == NULL ||
	    (a->credentials = credentials_open(o->data, o->jwks_file, err)) == NULL ||
	    (a->macs = macs_new(err)) == NULL ||
	    (a->verified = verified_new(o->cache_ms, err)) == NULL ||
	    (a->addresses = throttle_new(0, THROTTLE_LINES, THROTTLE_WINDOW_MS, err)) == NULL ||
	    (a->accounts = throttle_new(o->failures_max, 0, THROTTLE_WINDOW_MS, err)) == NULL ||
	    (a->denials = throttle_new(0, DENIALS_LINES, DENIALS_WINDOW_MS, err)) == NULL ||
	    (a->rate = rate_new(o->rate_limit, o->rate_burst, err)) == NULL ||
	    (a->logins = logins_new(o->workers, &calls, err)) == NULL) {
		auth_close(a);
		return NULL;
	}
	return a;
}

void
auth_close(struct auth *a)
{
	if (a == NULL)
		return;
	logins_free(a->logins);
	rate_free(a->rate);
	throttle_free(a->denials);
	throttle_free(a->accounts);
	throttle_free(a->addresses);
	verified_free(a->verified);
	macs_free(a->macs);
	credentials_close(a->credentials);
	digest_free(a->digest);
	free(a->claim);
	free(a->audience);
	free(a->issuer);
	free(a);
}

int
auth_reload(struct auth *a, struct error *err)
{
	return credentials_reload(a->credentials, err);
}

int
auth_health(struct auth *a, struct error *err)
{
	return credentials_health(a->credentials, err);
}

#include "registry/auth/auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/error.h"
#include "base/secmem.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "registry/auth/authorization.h"
#include "registry/auth/credentials.h"
#include "registry/auth/jwt.h"
#include "registry/auth/logins.h"
#include "registry/auth/macs.h"
#include "registry/auth/rate.h"
#include "registry/auth/throttle.h"
#include "registry/auth/tokens.h"
#include "registry/auth/verified.h"
#include "registry/base/watch.h"

_Static_assert(AUTH_NAME_MAX == PRINCIPAL_MAX, "a principal is copied as it is");

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
	struct throttle *throttle;
	struct rate *rate;
	struct logins *logins;
};

/* --- answers --- */

static bool
say(struct auth_check *c, const char *principal, enum auth_result result)
{
	size_t n = strlen(principal);

	memcpy(c->principal, principal, n + 1);
	c->result = result;
	return true;
}

/* ${name}: of an existing user, for the audit log; else "". */
static bool
fail(struct auth *a, struct auth_check *c, const char *peer, const char *name)
{
	int64_t now = watch_now_ms();
	bool refused = throttle_refuses(a->throttle, peer, now, &c->retry_after);

	throttle_failure(a->throttle, peer, now, &c->report_failure, &c->folded);
	return say(c, name, refused ? AUTH_TOO_MANY : AUTH_WRONG);
}

/* Not looked at, as the address had too many failures. */
static bool
turn_away(struct auth *a, struct auth_check *c, const char *peer)
{
	fail(a, c, peer, "");
	if (c->retry_after == 0)
		c->retry_after = 1;
	c->result = AUTH_TOO_MANY;
	return true;
}

static bool
busy(struct auth_check *c)
{
	c->retry_after = 1;
	return say(c, "", AUTH_BUSY);
}

/* --- passwords, on the threads of logins --- */

static bool
on_refused(void *cookie, const char *peer)
{
	struct auth *a = cookie;
	unsigned after;

	return throttle_refuses(a->throttle, peer, watch_now_ms(), &after);
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
	if (rc == 0 || !l->known) {
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
on_answer(void *cookie, struct auth_check *c, const struct login *l, const char *peer,
    enum auth_result result)
{
	struct auth *a = cookie;

	if (result == AUTH_OK)
		say(c, l->name, AUTH_OK);
	else if (result == AUTH_BUSY)
		busy(c);
	else if (result == AUTH_TOO_MANY)
		turn_away(a, c, peer);
	else
		fail(a, c, peer, l->known ? l->name : "");
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
	if (!authorization_basic(h, l->name, &l->password) || !agrees(cert, l->name))
		return fail(a, c, peer, "");
	return logins_add(a->logins, l, c, peer) ? false : busy(c);
}

static bool
check_password(struct auth *a, struct auth_check *c, const struct authorization *h,
    const char *peer, const char *cert)
{
	struct login l = { .known = false };
	struct verified_what what;
	unsigned after;
	bool decided;

	c->mechanism = "BASIC";
	if (macs_sum(a->macs, c->authorization, strlen(c->authorization), l.key) != 0)
		return busy(c);
	if (verified_get(a->verified, l.key, watch_now_ms(), &what) &&
	    credentials_user_is(a->credentials, what.principal, what.stamp))
		return agrees(cert, what.principal) ? say(c, what.principal, AUTH_OK) :
		    fail(a, c, peer, "");
	/* Who knew it once does not guess: a neighbour's mistakes are not his. */
	l.trusted = verified_once(a->verified, l.key);
	if (!l.trusted && throttle_refuses(a->throttle, peer, watch_now_ms(), &after))
		return turn_away(a, c, peer);
	buf_init_secret(&l.password, PASSWORD_MAX);
	decided = queue_password(a, c, h, peer, cert, &l);
	buf_release(&l.password);
	return decided;
}

static bool
check_token(struct auth *a, struct auth_check *c, const struct authorization *h,
    const char *peer, const char *cert)
{
	char principal[PRINCIPAL_MAX];

	c->mechanism = "TOKEN";
	if (!credentials_token(a->credentials, a->digest, h->text, h->n, (int64_t)time(NULL),
	    principal) || !agrees(cert, principal))
		return fail(a, c, peer, "");
	return say(c, principal, AUTH_OK);
}

static bool
check_jwt(struct auth *a, struct auth_check *c, const struct authorization *h,
    const char *peer, const char *cert)
{
	unsigned char key[MAC_BYTES];
	struct verified_what what;
	int64_t now = (int64_t)time(NULL);
	unsigned after;

	c->mechanism = "JWT";
	if (!a->jwt)
		return fail(a, c, peer, "");
	if (macs_sum(a->macs, c->authorization, strlen(c->authorization), key) != 0)
		return busy(c);
	if (!verified_get(a->verified, key, watch_now_ms(), &what) || now >= what.expires ||
	    !credentials_keys_are(a->credentials, what.stamp)) {
		/* A signature costs more than a look-up: not for who only fails. */
		if (throttle_refuses(a->throttle, peer, watch_now_ms(), &after))
			return turn_away(a, c, peer);
		if (!credentials_jwt(a->credentials, h->text, h->n, &a->rules, now, &what))
			return fail(a, c, peer, "");
		verified_put(a->verified, key, watch_now_ms(), &what);
	}
	return agrees(cert, what.principal) ? say(c, what.principal, AUTH_OK) :
	    fail(a, c, peer, "");
}

bool
auth_begin(struct auth *a, struct auth_check *c)
{
	const char *peer = c->peer != NULL ? c->peer : "";
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
		return fail(a, c, peer, "");
	switch (h.scheme) {
	case AUTHORIZATION_BASIC:
		return check_password(a, c, &h, peer, cert);
	case AUTHORIZATION_BEARER:
		if (tokens_is_one(h.text, h.n))
			return check_token(a, c, &h, peer, cert);
		return check_jwt(a, c, &h, peer, cert);
	case AUTHORIZATION_OTHER:
		return say(c, "", AUTH_NONE);
	default:
		break;
	}
	if (cert[0] == '\0')
		return say(c, "", AUTH_NONE);
	c->mechanism = "MTLS";
	return say(c, cert, AUTH_OK);
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
auth_folded(struct auth *a, bool all, void (*visit)(void *cookie, const char *peer,
    uint64_t folded), void *cookie)
{
	throttle_folded(a->throttle, watch_now_ms(), all, visit, cookie);
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
	struct auth *a = calloc(1, sizeof(*a));
	struct logins_calls calls = { on_refused, on_check, on_answer, a };

	if (a == NULL) {
		error_memory(err);
		return NULL;
	}
	if (set_rules(a, o, err) != 0 || make_nobody(&a->nobody, err) != 0 ||
	    (a->digest = digest_new(err)) == NULL ||
	    (a->credentials = credentials_open(o->data, o->jwks_file, err)) == NULL ||
	    (a->macs = macs_new(err)) == NULL ||
	    (a->verified = verified_new(o->cache_ms, err)) == NULL ||
	    (a->throttle = throttle_new(o->failures_max, err)) == NULL ||
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
	throttle_free(a->throttle);
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

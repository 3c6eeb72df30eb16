#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "client/client.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/auth/auth.h"
#include "registry/base/address.h"
#include "registry/base/clock.h"
#include "registry/base/settings.h"
#include "registry/http/http.h"
#include "registry/store/store.h"

/* principal=NAME&mechanism=WORD&client=ADDRESS, percent-encoded. */
#define FORWARD_HEADER "X-Secret-Forwarded"
/* Of the answer: where the one who forwarded it has read the change. */
#define FORWARD_POSITION "X-Secret-Position"
#define IDENTITY_MAX 2048

#define THREADS 16
#define WAITING_MAX 128
#define LEADER_MS 2000		/* so long for one that leads and can be reached */
#define LOOK_MS 50
#define FOLD_MS 5000		/* and so long for its change to be read here */
#define FOLD_LOOK_MS 5
#define CLIENT_MS 60000		/* then certificates are read anew */
#define HEADERS_MAX 16

struct forwarder {
	const struct settings *settings;
	pthread_t threads[THREADS];
	unsigned count;
	atomic_bool stop;
	_Atomic uint64_t answered, failed;	/* changes */
	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t more;
	struct exchange *first, *last;
	unsigned waiting;
};

#define FORWARDED (ROUTE_CHANGE | ROUTE_ACCESS)

/* A change on its way, the exchange's work. */
struct forward {
	struct exchange *x;
	char leader[256];		/* whom it is sent to */
	struct buf target, identity;
	const char *headers[2 * HEADERS_MAX + 1];
	int64_t until_ms;
	uint64_t position;		/* in the topic, behind the change; 0: see its offset */
	struct client_answer answer;
	struct error err;
	int rc;
};

/* What one thread asks by. */
struct forward_client {
	struct client *client;
	char url[256];
	int64_t made_ms;
};

/* --- the threads --- */

static struct client *
node_client_new(const struct forwarder *f, const char *url, struct error *err)
{
	const struct settings *s = f->settings;
	bool own = s->node_certificate != NULL;
	struct client_options o = {
		.url = url,
		.ca = s->node_ca != NULL ? s->node_ca : s->tls_client_ca,
		.certificate = own ? s->node_certificate : s->tls_certificate,
		.key = s->node_key != NULL ? s->node_key : own ? NULL : s->tls_key,
		.timeout_ms = s->node_timeout_ms,
		.stop = &f->stop,
	};

	if (strncmp(url, "https://", 8) == 0)
		return client_new(&o, err);
	error_set(err, ERROR_REFUSED, "the node that leads has no https address: %s", url);
	return NULL;
}

static int
node_ask(const struct forwarder *f, struct forward_client *c, struct forward *w)
{
	struct exchange *x = w->x;
	const struct buf *body = http_body(x->r);

	if (c->client != NULL && (strcmp(c->url, w->leader) != 0 ||
	    clock_ms() - c->made_ms > CLIENT_MS)) {
		client_free(c->client);
		c->client = NULL;
	}
	w->answer = (struct client_answer){ .body = &x->body };
	if (c->client == NULL) {
		if ((c->client = node_client_new(f, w->leader, &w->err)) == NULL)
			return -1;
		memcpy(c->url, w->leader, sizeof(c->url));
		c->made_ms = clock_ms();
	}
	return client_request(c->client, http_method_name(x->r), buf_cstr(&w->target),
	    body != NULL && body->len > 0 ? body : NULL, w->headers, &w->answer, &w->err);
}

static struct exchange *
forward_next(struct forwarder *f)
{
	struct exchange *x;

	(void)pthread_mutex_lock(&f->lock);
	while ((x = f->first) == NULL && !atomic_load(&f->stop))
		(void)pthread_cond_wait(&f->more, &f->lock);
	if (x != NULL) {
		f->first = x->next;
		f->waiting--;
	}
	(void)pthread_mutex_unlock(&f->lock);
	return x;
}

static void forward_back(void *exchange);

static void *
forward_run(void *forwarder)
{
	struct forwarder *f = forwarder;
	struct forward_client c = { .client = NULL };
	struct exchange *x;
	struct forward *w;

	while ((x = forward_next(f)) != NULL) {
		w = x->work;
		w->rc = node_ask(f, &c, w);
		http_post(x->r, forward_back, x);
	}
	client_free(c.client);
	return NULL;
}

struct forwarder *
forward_new(const struct settings *s, struct error *err)
{
	struct forwarder *f = error_alloc(sizeof(*f), err);
	struct client *tried;
	sigset_t all, before;

	if (f == NULL)
		return NULL;
	f->settings = s;
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->more, NULL);
	if ((tried = node_client_new(f, s->base_url, err)) == NULL) {
		forward_free(f);
		return NULL;
	}
	client_free(tried);
	/* Signals are for the main thread. */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	while (f->count < THREADS &&
	    pthread_create(&f->threads[f->count], NULL, forward_run, f) == 0)
		f->count++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (f->count == THREADS)
		return f;
	forward_free(f);
	error_set(err, ERROR_IO, "a thread cannot be started");
	return NULL;
}

void
forward_free(struct forwarder *f)
{
	if (f == NULL)
		return;
	(void)pthread_mutex_lock(&f->lock);
	atomic_store(&f->stop, true);
	(void)pthread_cond_broadcast(&f->more);
	(void)pthread_mutex_unlock(&f->lock);
	for (unsigned i = 0; i < f->count; i++)
		(void)pthread_join(f->threads[i], NULL);
	(void)pthread_cond_destroy(&f->more);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

void
forward_count(const struct forwarder *f, uint64_t *answered, uint64_t *failed)
{
	*answered = f != NULL ? atomic_load(&f->answered) : 0;
	*failed = f != NULL ? atomic_load(&f->failed) : 0;
}

/* --- the node that forwards; all on the request's event thread --- */

static void
forward_release(void *work)
{
	struct forward *w = work;

	buf_release(&w->target);
	buf_release(&w->identity);
	free(w);
}

/* Forget that it was to be forwarded. */
static void
forward_end(struct exchange *x)
{
	forward_release(x->work);
	x->work = NULL;
	x->work_free = NULL;
}

/* Is it done once, however often it comes under one Idempotency-Key? */
static bool
is_idempotent(const struct exchange *x)
{
	return x->endpoint->run == create_version;
}

/* It was not forwarded, or nobody knows: that is on record here.  Who may not do it is
 * told that alone. */
static void
forward_fail(struct exchange *x, int status, const char *text)
{
	forward_end(x);
	buf_clear(&x->body);
	if (!exchange_authorize(x))
		return;
	atomic_fetch_add(&x->api->forwarder->failed, 1);
	x->granted = true;
	answer_fail(x, status, status == 504 ? 50402 : 50302, "%s", text);
}

static bool
is_folded(const struct exchange *x)
{
	const struct forward *w = x->work;
	struct store_log_state l;

	if (w->position == 0)
		return store_offset(request_store(x)) > x->offset;
	store_log_state(request_store(x), &l);
	return l.position >= (int64_t)w->position;
}

/* The change is read here by now, or that takes too long: it is done all the same. */
static void
forward_folded(void *exchange)
{
	struct exchange *x = exchange;
	struct forward *w = x->work;

	if (!is_folded(x)) {
		if (clock_ms() < w->until_ms && !http_gone(x->r) &&
		    !atomic_load(&x->api->draining)) {
			http_later(x->r, FOLD_LOOK_MS, forward_folded, x);
			return;
		}
		http_set_header(x->r, "Warning", "199 - \"this node has not read the change from "
		    "the topic yet\"");
	}
	answer_relay(x, w->answer.status);
}

/* The place of what was made, which is at this node, too. */
static void
forward_locate(struct exchange *x, const char *location)
{
	const struct forward *w = x->work;
	size_t n = strlen(w->leader);

	n -= n > 0 && w->leader[n - 1] == '/';
	if (strncmp(location, w->leader, n) == 0) {
		answer_base(x, &x->link);
		location += n;
	}
	buf_append_str(&x->link, location);
	x->link_name = "Location";
}

/* What the node that leads has answered is the answer. */
static void
forward_relay(struct exchange *x)
{
	struct forward *w = x->work;
	const struct client_answer *a = &w->answer;

	if (a->status == 401) {
		forward_fail(x, 503, "Nothing was written: the node that leads does not take this "
		    "one for a node; see node.names there, and this node's certificate");
		return;
	}
	atomic_fetch_add(&x->api->forwarder->answered, 1);
	if (a->retry_after[0] != '\0')
		http_set_header(x->r, "Retry-After", a->retry_after);
	if (a->codings[0] != '\0')
		http_set_header(x->r, "Accept-Encoding", a->codings);
	if (a->location[0] != '\0')
		forward_locate(x, a->location);
	w->until_ms = clock_ms() + FOLD_MS;
	(void)number_parse(a->offset, strlen(a->offset), INT64_MAX, &x->offset);
	(void)number_parse(a->position, strlen(a->position), INT64_MAX, &w->position);
	if (x->offset != 0 || w->position != 0)
		forward_folded(x);
	else
		answer_relay(x, a->status);
}

static void forward_look(void *exchange);

/* Back from the node that leads, or from where it was. */
static void
forward_back(void *exchange)
{
	struct exchange *x = exchange;
	struct forward *w = x->work;
	char text[800];

	if (w->rc == 0) {
		forward_relay(x);
		return;
	}
	buf_clear(&x->body);
	if (w->answer.sent) {
		forward_fail(x, 504, is_idempotent(x) ? "It is not known whether this was written: "
		    "the node that leads has not answered.  Repeat it with the same "
		    "Idempotency-Key" : "It is not known whether this was written: the node that "
		    "leads has not answered.  Look before you repeat it");
	} else if (clock_ms() < w->until_ms && !atomic_load(&x->api->draining)) {
		/* Another one may lead in a moment. */
		http_later(x->r, LOOK_MS, forward_look, x);
	} else {
		(void)snprintf(text, sizeof(text), "Nothing was written: the node that leads (%s) "
		    "cannot be reached: %.400s", w->leader, w->err.text);
		forward_fail(x, 503, text);
	}
}

static void
forward_send(struct exchange *x)
{
	struct forwarder *f = x->api->forwarder;
	bool taken;

	x->next = NULL;
	(void)pthread_mutex_lock(&f->lock);
	taken = f->waiting < WAITING_MAX;
	if (taken) {
		if (f->first == NULL)
			f->first = x;
		else
			f->last->next = x;
		f->last = x;
		f->waiting++;
		(void)pthread_cond_signal(&f->more);
	}
	(void)pthread_mutex_unlock(&f->lock);
	if (!taken)
		forward_fail(x, 503, "Nothing was written: too much waits to be forwarded; try "
		    "again");
}

/* Who leads? */
static void
forward_look(void *exchange)
{
	struct exchange *x = exchange;
	struct forward *w = x->work;
	struct store_log_state l;

	store_log_state(request_store(x), &l);
	if (l.role != LOG_FOLLOWER || l.stopped != NULL || l.wrong[0] != '\0') {
		/* This node, or it knows why it must not be done. */
		forward_end(x);
		exchange_admit(x);
	} else if (l.leader[0] != '\0' && strcmp(l.leader, request_settings(x)->base_url) != 0) {
		memcpy(w->leader, l.leader, sizeof(w->leader));
		forward_send(x);
	} else if (clock_ms() < w->until_ms && !atomic_load(&x->api->draining)) {
		http_later(x->r, LOOK_MS, forward_look, x);
	} else {
		forward_fail(x, 503, "Nothing was written: no node leads now");
	}
}

static void
identity_add(struct buf *out, const char *name, const char *value)
{
	if (out->len > 0)
		buf_append_char(out, '&');
	buf_append_str(out, name);
	buf_append_char(out, '=');
	text_append_percent(out, value, strlen(value));
}

/* What is told to the other node: the request, and who asks.  -1: it is more than a
 * request has. */
static int
forward_compose(struct forward *w)
{
	/* The last one only where the other node looks at it: what has it may be sent twice. */
	static const char *const passed[] = {
		"Content-Type", "Content-Encoding", "If-Match", "If-None-Match", "X-Secret-Offset",
		"Idempotency-Key",
	};
	size_t count = sizeof(passed) / sizeof(passed[0]) - !is_idempotent(w->x);
	const struct exchange *x = w->x;
	size_t n = 0;

	buf_init(&w->target, 2 * HTTP_TARGET_MAX);
	buf_append_str(&w->target, http_path(x->r));
	if (*http_query(x->r) != '\0')
		buf_printf(&w->target, "?%s", http_query(x->r));
	buf_init(&w->identity, IDENTITY_MAX);
	identity_add(&w->identity, "principal", x->check.principal);
	identity_add(&w->identity, "mechanism", x->check.mechanism);
	identity_add(&w->identity, "client", x->client);
	if (w->target.failed || w->identity.failed)
		return -1;
	w->headers[n++] = FORWARD_HEADER;
	w->headers[n++] = buf_cstr(&w->identity);
	w->headers[n++] = "X-Request-Id";
	w->headers[n++] = x->id;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < http_header_count(x->r, passed[i]); k++) {
			if (n >= 2 * HEADERS_MAX)
				return -1;
			w->headers[n++] = passed[i];
			w->headers[n++] = http_header_at(x->r, passed[i], k);
		}
	}
	return 0;
}

/* A node that does not read the topic may let somebody in who was shut out since: the
 * one that leads would believe it. */
static bool
knows_who_asks(const struct exchange *x, const struct store_log_state *l)
{
	return l->folded && l->silence_ms <= STORE_SILENCE_MS && request_withheld(x) == NULL;
}

bool
forward_begin(struct exchange *x)
{
	struct store_log_state l;
	struct forward *w;

	if (x->api->forwarder == NULL || (x->endpoint->flags & FORWARDED) == 0 ||
	    forward_is_one(x))
		return false;
	store_log_state(request_store(x), &l);
	if (l.role != LOG_FOLLOWER)
		return false;
	if ((w = exchange_work(x, sizeof(*w), forward_release)) == NULL)
		return true;
	w->x = x;
	w->until_ms = clock_ms() + LEADER_MS;
	if (!knows_who_asks(x, &l))
		forward_fail(x, 503, "Nothing was written: this node does not read the topic now, "
		    "so it does not know who may still log in");
	else if (forward_compose(w) == 0)
		forward_look(x);
	else
		answer_fail(x, 431, 0, "This has more headers than can be forwarded to the node "
		    "that leads");
	return true;
}

/* --- the node that leads --- */

void
forward_done(struct exchange *x)
{
	struct store_log_state l;
	char text[NUMBER_TEXT + 1];

	if (x->via == NULL || x->status >= 300 || (x->endpoint->flags & ROUTE_ACCESS) == 0)
		return;
	store_log_state(request_store(x), &l);
	text[number_text((uint64_t)l.position, text)] = '\0';
	http_set_header(x->r, FORWARD_POSITION, text);
}

bool
forward_is_one(const struct exchange *x)
{
	return http_header_count(x->r, FORWARD_HEADER) > 0;
}

/* Is ${name} one of the names, which commas or blanks separate? */
static bool
node_is_listed(const char *names, const char *name)
{
	size_t n = name != NULL ? strlen(name) : 0;

	while (n > 0 && *(names += strspn(names, ", \t")) != '\0') {
		size_t len = strcspn(names, ", \t");

		if (len == n && strncasecmp(names, name, n) == 0)
			return true;
		names += len;
	}
	return false;
}

/* A part of the identity, in ${size} bytes with its NUL.  false: it is not there, or is
 * no such text. */
static bool
identity_take(const char *header, const char *name, char *out, size_t size)
{
	struct buf text;
	bool good;

	buf_init(&text, IDENTITY_MAX);
	good = target_query(header, name, &text) == 1 && !text.failed && text.len > 0 &&
	    text.len < size;
	for (size_t i = 0; good && i < text.len; i++)
		good = text.data[i] >= ' ' && text.data[i] != 0x7f;
	if (good)
		memcpy(out, buf_cstr(&text), text.len + 1);
	buf_release(&text);
	return good;
}

bool
forward_accept(struct exchange *x)
{
	static const char *const mechanisms[] = { "BASIC", "TOKEN", "JWT", "MTLS" };
	const char *names = request_settings(x)->node_names;
	const char *header = http_header(x->r, FORWARD_HEADER);
	const char *cn = http_peer_cn(x->r), *san = http_peer_san(x->r);
	unsigned char key[ADDRESS_KEY];
	char mechanism[16], client[ADDRESS_TEXT];
	size_t i = 0;

	if (names == NULL || (!node_is_listed(names, cn) && !node_is_listed(names, san)) ||
	    x->endpoint == NULL || (x->endpoint->flags & FORWARDED) == 0 ||
	    http_header_count(x->r, FORWARD_HEADER) != 1 ||
	    http_header_count(x->r, "Authorization") != 0 ||
	    !identity_take(header, "principal", x->check.principal, AUTH_NAME_MAX) ||
	    !identity_take(header, "mechanism", mechanism, sizeof(mechanism)) ||
	    !identity_take(header, "client", client, sizeof(client)) ||
	    !address_key(client, key))
		return false;
	while (strcmp(mechanism, mechanisms[i]) != 0) {
		if (++i == sizeof(mechanisms) / sizeof(mechanisms[0]))
			return false;
	}
	x->check.mechanism = mechanisms[i];
	memcpy(x->forwarded, client, sizeof(client));
	x->client = x->forwarded;
	x->via = node_is_listed(names, cn) ? cn : san;
	return true;
}

#include "registry/api/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "registry/api/admit.h"
#include "registry/api/answer.h"
#include "registry/api/handlers.h"
#include "registry/api/internal.h"
#include "registry/api/reply.h"
#include "registry/api/tally.h"
#include "registry/base/clock.h"
#include "registry/http/http.h"
#include "registry/store/store.h"
#include "registry/base/settings.h"

#define POOL_MAX 256U

/* A larger buffer is given back to the system after the request. */
#define KEPT_BYTES ((size_t)64 << 10)

#define LINK_MAX ((size_t)64 << 10)

static struct exchange *
take(struct api_thread *t)
{
	struct exchange *x = t->pool;

	if (x != NULL) {
		t->pool = x->next;
		t->pooled--;
		memset(x, 0, offsetof(struct exchange, message));
		x->message[0] = '\0';
		json_out_init(&x->json, &x->body);
		return x;
	}
	x = calloc(1, sizeof(*x));
	if (x == NULL)
		return NULL;
	buf_init_secret(&x->body, EXCHANGE_BODY_MAX);
	json_out_init(&x->json, &x->body);
	buf_init(&x->link, LINK_MAX);
	return x;
}

static void
destroy(struct exchange *x)
{
	buf_release(&x->body);
	buf_release(&x->link);
	free(x);
}

static void
give_back(struct exchange *x)
{
	struct api_thread *t = x->thread;

	/* The last value that was opened does not wait there for the next one. */
	buf_clear(&t->value);
	if (x->work != NULL && x->work_free != NULL)
		x->work_free(x->work);
	if (t->pooled >= POOL_MAX) {
		destroy(x);
		return;
	}
	if (x->body.cap > KEPT_BYTES)
		buf_release(&x->body);
	buf_clear(&x->body);
	buf_clear(&x->link);
	x->next = t->pool;
	t->pool = x;
	t->pooled++;
}

void
exchange_pool_free(struct api_thread *t)
{
	while (t->pool != NULL) {
		struct exchange *x = t->pool;

		t->pool = x->next;
		destroy(x);
	}
	t->pooled = 0;
}

void *
exchange_work(struct exchange *x, size_t size, void (*release)(void *work))
{
	x->work = calloc(1, size);
	x->work_free = release;
	if (x->work == NULL)
		answer_fail(x, 503, 50302, "Out of memory; try again");
	return x->work;
}

/* A header that is a number, in quotes or not. */
static void
set_number(struct http_request *r, const char *name, uint64_t n, const char *quote)
{
	char text[24];
	char *p = text + sizeof(text);

	*--p = '\0';
	if (*quote != '\0')
		*--p = *quote;
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	if (*quote != '\0')
		*--p = *quote;
	http_set_header(r, name, p);
}

void
exchange_reply(struct exchange *x)
{
	struct http_request *r = x->r;

	reply_headers(r, x->id, x->body.len == 0 ? NULL :
	    x->content_type != NULL ? x->content_type : "application/json");
	if (x->etag != 0)
		set_number(r, "ETag", x->etag, "\"");
	if (x->link_name != NULL && !x->link.failed)
		http_set_header(r, x->link_name, buf_cstr(&x->link));
	if (x->offset != 0)
		set_number(r, "X-Secret-Offset", x->offset, "");
	tally_count(x->thread->tally, x->endpoint, x->status, clock_ns() - x->started_ns);
	http_reply(r, x->status, &x->body);
	give_back(x);
}

/* The thread's prefix and a number: random but for the order on one thread. */
static void
make_id(struct exchange *x)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = sizeof(x->thread->id_prefix) - 1;
	uint64_t number = ++x->thread->id_next;

	memcpy(x->id, x->thread->id_prefix, n);
	x->id[n++] = '-';
	for (int shift = 60; shift >= 0; shift -= 4) {
		if (number >> shift != 0 || shift == 0)
			x->id[n++] = digits[number >> shift & 15];
	}
	x->id[n] = '\0';
}

/* Take the caller's request id if it is one, else make one. */
static void
identify(struct exchange *x)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789._-";
	const char *given = http_header(x->r, "X-Request-Id");
	size_t n = given != NULL ? strnlen(given, EXCHANGE_ID_MAX + 1) : 0;

	if (n > 0 && n <= EXCHANGE_ID_MAX && strspn(given, allowed) == n)
		memcpy(x->id, given, n + 1);
	else
		make_id(x);
}

static bool
is_latest(const struct target_segment *version)
{
	return version->len == 6 && memcmp(version->text, "latest", 6) == 0;
}

/* Read the URL and look its route up; false: answered. */
static bool
locate(struct exchange *x)
{
	const char *raw = http_path(x->r);

	switch (target_parse(&x->target, raw, strlen(raw))) {
	case TARGET_OK:
		break;
	case TARGET_BAD:
		answer_fail(x, 400, 0, "The URL is not acceptable: percent-encode names once as "
		    "UTF-8, without '/', control characters, '.' or '..'");
		return false;
	case TARGET_EMPTY:
		answer_fail(x, 404, 40403, "There is nothing at this URL (an empty or surplus "
		    "segment); see /openapi.json");
		return false;
	case TARGET_LONG:
	default:
		answer_fail(x, 414, 0, "The URL is too long");
		return false;
	}
	route_find(&x->target, http_method(x->r), x->api->parts.settings->compat, &x->match);
	x->endpoint = x->match.endpoint;
	x->method = x->endpoint == NULL ? "Unknown" :
	    x->endpoint->run == reads_version && is_latest(&x->match.params[PARAM_VERSION]) ?
	    "GetSecretLatest" : x->endpoint->name;
	return true;
}

static void
decided(void *arg)
{
	struct exchange *x = arg;
	char seconds[16];
	bool wrong_is_403 = x->api->parts.settings->compat == REST_MREDJEM;

	switch (x->check.result) {
	case AUTH_OK:
		memcpy(x->user, "User:", 5);
		memcpy(x->user + 5, x->check.principal, sizeof(x->check.principal));
		admit_user(x);
		return;
	case AUTH_TOO_MANY:
		(void)snprintf(seconds, sizeof(seconds), "%u",
		    x->check.retry_after > 0 ? x->check.retry_after : 1);
		http_set_header(x->r, "Retry-After", seconds);
		answer_login_failed(x, 429, 0, "Too many failed logins; wait and try again");
		return;
	case AUTH_BUSY:
		answer_fail(x, 503, 50302, "Too many logins are being checked; try again");
		return;
	case AUTH_WRONG:
		if (wrong_is_403) {
			answer_login_failed(x, 403, 40301, "Unauthorized");
			return;
		}
		break;
	case AUTH_NONE:
	default:
		break;
	}
	http_set_header(x->r, "WWW-Authenticate", ADMIT_CHALLENGE);
	answer_login_failed(x, 401, 40101, "Unauthorized");
}

/* On a thread of auth. */
static void
checked(struct auth_check *c)
{
	struct exchange *x = c->cookie;

	http_post(x->r, decided, x);
}

static void
log_in(struct exchange *x)
{
	struct auth_check *c = &x->check;
	struct http_request *r = x->r;

	c->authorization = http_header(r, "Authorization");
	c->authorization_count = c->authorization != NULL ?
	    http_header_count(r, "Authorization") : 0;
	c->peer = http_peer(r);
	c->cert_cn = http_peer_cn(r);
	c->cert_dn = http_peer_dn(r);
	c->cert_san = http_peer_san(r);
	c->done = checked;
	c->cookie = x;
	if (auth_begin(x->api->parts.auth, c))
		decided(x);
}

void
exchange_start(struct api *a, struct http_request *r)
{
	struct api_thread *t = &a->threads[http_thread(r)];
	struct exchange *x = take(t);

	if (x == NULL) {
		reply_headers(r, NULL, NULL);
		http_reply(r, 503, NULL);
		return;
	}
	x->api = a;
	x->thread = t;
	x->r = r;
	x->started_ns = clock_ns();
	identify(x);
	if (!locate(x))
		return;
	if (admit_needs_login(x))
		log_in(x);
	else
		admit_anyone(x);
}

#define LAZY_MAX 64

static void
wake(void *arg)
{
	struct api_thread *t = arg;

	if (t->audit_lazy > 0)
		audit_wake(t->api->parts.audit);
	if (t->store_lazy > 0)
		store_wake(t->api->parts.store);
	t->audit_lazy = t->store_lazy = 0;
}

void
exchange_lazily(struct exchange *x, unsigned *lazy)
{
	if (++*lazy >= LAZY_MAX)
		wake(x->thread);
	else	/* when the exchange may be gone */
		(void)http_when_idle(x->r, wake, x->thread);
}

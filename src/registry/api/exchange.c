#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/secmem.h"
#include "registry/api/api.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/auth/auth.h"
#include "registry/base/address.h"
#include "registry/base/clock.h"
#include "registry/base/settings.h"
#include "registry/http/http.h"
#include "registry/store/names.h"
#include "registry/store/store.h"

#define ADMIT_CHALLENGE "Basic realm=\"Secret Registry\", charset=\"UTF-8\""

/* For a change that another node has told of. */
#define AWAIT_NS (5 * UINT64_C(1000000000))
#define AWAIT_LOOK_MS 10

#define POOL_MAX 256U

/* A larger buffer is given back to the system after the request. */
#define KEPT_BYTES ((size_t)64 << 10)
#define LINK_MAX ((size_t)64 << 10)
#define LAZY_MAX 64

static void
destroy(struct exchange *x)
{
	buf_release(&x->body);
	buf_release(&x->link);
	buf_release(&x->given);
	free(x);
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

/* Whether a request may go on to its endpoint: login, rights, route and
 * method, names, kind of body - in this order, so that nothing about what is
 * stored, or which routes there are, is told to who may not know. */

static bool
admit_needs_login(const struct exchange *x)
{
	if (x->endpoint != NULL && x->endpoint->run == metrics_show &&
	    request_settings(x)->allow_unlisted_metrics)
		return false;
	if (x->endpoint != NULL)
		return x->endpoint->scope != SCOPE_OPEN;
	return target_is(&x->target, 0, "secret") || target_is(&x->target, 0, "security");
}

/* No endpoint: 204 to OPTIONS, 404, or 405. */
static void
answer_unrouted(struct exchange *x)
{
	char allow[ROUTE_ALLOW_MAX];

	if (x->match.allowed == 0) {
		if (request_mredjem(x) && x->user[0] != '\0')
			answer_fail(x, 403, 40301, "Access denied. Resource being accessed is "
			    "unregistered");
		else
			answer_fail(x, 404, 40403, "There is nothing at this URL; see "
			    "/openapi.json");
		return;
	}
	route_allow(x->match.allowed, allow);
	http_set_header(x->r, "Allow", allow);
	if (http_method(x->r) == HTTP_OPTIONS)
		answer_send(x, 204);
	else
		answer_fail(x, 405, 0, "%s is not possible here; possible: %s",
		    http_method_name(x->r), allow);
}

/* For what needs no login: run the endpoint, or answer 404 or 405. */
static void
admit_anyone(struct exchange *x)
{
	x->granted = true;
	if (x->endpoint != NULL)
		x->endpoint->run(x);
	else
		answer_unrouted(x);
}

/* The segment that rights are asked for, also where the route is unknown. */
static const char *
admit_path_of(struct exchange *x, size_t *n)
{
	struct target_segment *s = &x->match.params[PARAM_PATH];

	if (s->text == NULL && x->target.count >= 3 && target_is(&x->target, 0, "secret") &&
	    (target_is(&x->target, 1, "paths") || target_is(&x->target, 1, "connectors")))
		*s = x->target.segments[2];
	*n = s->len;
	return s->text;
}

static void
admit_unrouted(struct exchange *x)
{
	size_t n;
	const char *path = admit_path_of(x, &n);

	x->op = SECRET_LIST;
	if (http_method(x->r) == HTTP_OPTIONS && x->match.allowed != 0)
		x->method = "Options";	/* tells nothing that /openapi.json does not */
	else if (path != NULL && !request_allows(x, SECRET_LIST, path, n)) {
		answer_deny(x, SECRET_LIST, path, n);
		return;
	}
	x->granted = true;
	answer_unrouted(x);
}

bool
exchange_authorize(struct exchange *x)
{
	const struct endpoint *e = x->endpoint;
	const char *path = NULL;
	size_t n = 0;

	x->op = e->op;
	if (e->flags & ROUTE_DESTROY && request_flag(x, "destroy")) {
		x->op = SECRET_DESTROY;
		x->method = "DestroyVersion";
	}
	if (e->scope == SCOPE_LOGIN)
		return true;
	if (e->scope == SCOPE_PATH)
		path = request_param(x, PARAM_PATH, &n);
	if (request_allows(x, x->op, path, n))
		return true;
	if (e->or_op != OPERATION_COUNT && request_allows(x, e->or_op, path, n)) {
		x->op = e->or_op;
		return true;
	}
	answer_deny(x, x->op, path, n);
	return false;
}

/* Are the names in the URL names?  Sets ${version}; false: answered. */
static bool
admit_check_names(struct exchange *x)
{
	size_t n;
	const char *text = request_param(x, PARAM_PATH, &n);
	bool latest;

	if (text != NULL && !name_path_valid(text, n)) {
		answer_fail(x, 422, 42203, "A path is 1 to %d bytes of UTF-8 without control "
		    "characters, / : } * and blanks at its ends", NAME_PATH_MAX);
		return false;
	}
	text = request_param(x, PARAM_KEY, &n);
	if (text != NULL && !name_key_valid(text, n)) {
		answer_fail(x, 422, 42203, "A key begins with a letter A-Z or a-z, followed by "
		    "up to %d of A-Z a-z 0-9 . _ -", NAME_KEY_MAX - 1);
		return false;
	}
	text = request_param(x, PARAM_VERSION, &n);
	if (text == NULL || name_version_parse(text, n, &x->version))
		return true;
	latest = n == 6 && memcmp(text, "latest", 6) == 0;
	if (latest && x->endpoint->flags & ROUTE_LATEST)
		return true;
	answer_fail(x, request_mredjem(x) ? 403 : 422, 42202, latest ?
	    "Name the version's number: \"latest\" may be another one when this is repeated" :
	    "A version is \"latest\" or a number from 1 to 2147483647 without sign or "
	    "leading zero");
	return false;
}

/* Is the body, if any, said to be JSON?  false: answered. */
static bool
check_type(struct exchange *x)
{
	const char *type = http_header(x->r, "Content-Type");
	size_t n = type != NULL ? strcspn(type, "; \t") : 0;
	const char *coding = http_header(x->r, "Content-Encoding");

	if (coding != NULL && strcasecmp(coding, "identity") != 0) {
		http_set_header(x->r, "Accept-Encoding", "identity");
		answer_fail(x, 415, 0, "Send the body as it is, without Content-Encoding");
		return false;
	}

	if (n == 0 || (n == 16 && strncasecmp(type, "application/json", n) == 0) ||
	    (n > 21 && strncasecmp(type, "application/vnd.", 16) == 0 &&
	    strncasecmp(type + n - 5, "+json", 5) == 0))
		return true;
	answer_fail(x, 415, 0, "Send the body as application/json");
	return false;
}

/* Are the query's switches on or off, those that the route has?  false: answered. */
static bool
admit_check_flags(struct exchange *x)
{
	static const char *const flags[] = { "metadata", "partial", "destroy", "deleted" };

	for (size_t i = 0; *http_query(x->r) != '\0' && i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strstr(x->endpoint->query, flags[i]) != NULL && request_flag_odd(x, flags[i])) {
			answer_fail(x, 422, 42201, "%s is true or false", flags[i]);
			return false;
		}
	}
	return true;
}

const char *
request_withheld(const struct exchange *x)
{
	return store_withheld(request_store(x), request_settings(x)->staleness_ms);
}

/* Look whether the change is there by now; until it is, or for AWAIT_NS. */
static void
await(void *arg)
{
	struct exchange *x = arg;

	if (store_offset(request_store(x)) > x->awaited || http_gone(x->r)) {
		x->endpoint->run(x);
	} else if (clock_ns() < x->await_until_ns && !atomic_load(&x->api->draining)) {
		http_later(x->r, AWAIT_LOOK_MS, await, x);
	} else {
		answer_fail(x, 503, 50302, "This node has not read the change of X-Secret-Offset "
		    "from the topic yet");
	}
}

/* Whoever names the change that an answer told, to whatever node, reads it or what came
 * after it. */
static void
admit_awaited(struct exchange *x)
{
	const char *text = http_header(x->r, "X-Secret-Offset"), *why;

	if ((x->endpoint->flags & ROUTE_QUIET) == 0 && (why = request_withheld(x)) != NULL) {
		answer_fail(x, 503, 50302, "Nothing can be told: %s", why);
		return;
	}
	if (text == NULL || !store_has_log(request_store(x))) {
		x->endpoint->run(x);
		return;
	}
	if (!number_parse(text, strlen(text), INT64_MAX, &x->awaited)) {
		answer_fail(x, 400, 0, "X-Secret-Offset is a number, as an answer told it");
		return;
	}
	x->await_until_ns = clock_ns() + AWAIT_NS;
	await(x);
}

void
exchange_admit(struct exchange *x)
{
	const struct endpoint *e = x->endpoint;

	if (!exchange_authorize(x))
		return;
	x->granted = true;
	if (!admit_check_flags(x) ||
	    (e->flags & ROUTE_NAMES && !admit_check_names(x)) ||
	    (e->flags & ROUTE_BODY && !check_type(x)))
		return;
	admit_awaited(x);
}

/* The caller is known. */
static void
admit_user(struct exchange *x)
{
	const struct endpoint *e = x->endpoint;
	unsigned wait;
	char seconds[16];

	if (!auth_rate(x->api->parts.auth, x->check.principal, &wait)) {
		(void)snprintf(seconds, sizeof(seconds), "%u", wait > 0 ? wait : 1);
		http_set_header(x->r, "Retry-After", seconds);
		answer_fail(x, 429, 0, "Too many requests; wait and try again");
		return;
	}
	x->recorded = e == NULL || (e->flags & ROUTE_QUIET) == 0;
	if (e == NULL)
		admit_unrouted(x);
	else if (!forward_begin(x))
		exchange_admit(x);
}

static struct exchange *
exchange_take(struct api_thread *t)
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
	buf_init(&x->given, EXCHANGE_BODY_MAX);
	return x;
}

static void
give_back(struct exchange *x)
{
	struct api_thread *t = x->thread;

	/* The last value that was opened does not wait there for the next one. */
	buf_clear(&t->value);
	if (x->work != NULL && x->work_free != NULL)
		x->work_free(x->work);
	free(x->more);
	x->more = NULL;
	if (t->pooled >= POOL_MAX) {
		destroy(x);
		return;
	}
	if (x->body.cap > KEPT_BYTES)
		buf_release(&x->body);
	buf_clear(&x->body);
	buf_clear(&x->link);
	if (x->given.cap > KEPT_BYTES)
		buf_release(&x->given);
	buf_clear(&x->given);
	x->next = t->pool;
	t->pool = x;
	t->pooled++;
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

/* A header that is a number, in quotes or not.  Not by printf: most answers have one. */
static void
set_number(struct http_request *r, const char *name, uint64_t n, bool quoted)
{
	char text[NUMBER_TEXT + 3] = "\"";
	size_t end = 1 + number_text(n, text + 1);

	if (quoted)
		text[end++] = '"';
	text[end] = '\0';
	http_set_header(r, name, text + !quoted);
}

void
exchange_reply(struct exchange *x)
{
	struct http_request *r = x->r;

	reply_headers(r, x->id, x->body.len == 0 ? NULL :
	    x->content_type != NULL ? x->content_type : "application/json");
	if (x->etag != 0)
		set_number(r, "ETag", x->etag, true);
	if (x->link_name != NULL && !x->link.failed)
		http_set_header(r, x->link_name, buf_cstr(&x->link));
	forward_done(x);
	if (x->offset != 0)
		set_number(r, "X-Secret-Offset", x->offset, false);
	counters_count(x->thread->counters, x->endpoint, x->status, clock_ns() - x->started_ns);
	http_reply(r, x->status, &x->body);
	give_back(x);
}

/* The thread's prefix and a number: random but for the order on one thread. */
static void
exchange_make_id(struct exchange *x)
{
	size_t prefix = strlen(x->thread->id_prefix);
	uint64_t n = ++x->thread->id_next;
	char digits[16];
	size_t i = sizeof(digits);

	do {
		digits[--i] = "0123456789abcdef"[n & 15];
	} while ((n >>= 4) != 0);
	memcpy(x->id, x->thread->id_prefix, prefix);
	x->id[prefix] = '-';
	memcpy(x->id + prefix + 1, digits + i, sizeof(digits) - i);
	x->id[prefix + 1 + sizeof(digits) - i] = '\0';
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
		exchange_make_id(x);
}

static bool
is_latest(const struct target_segment *version)
{
	return version->len == 6 && memcmp(version->text, "latest", 6) == 0;
}

/* Read the URL and look its route up; false: answered. */
static bool
exchange_locate(struct exchange *x)
{
	const char *raw = http_path(x->r);

	if (strcmp(raw, "*") == 0) {	/* OPTIONS alone, of the service as a whole */
		http_set_header(x->r, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
		x->granted = true;
		answer_send(x, 204);
		return false;
	}
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
	route_find(&x->target, http_method(x->r), x->api->parts.settings, &x->match);
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
		if (x->via == NULL || !auth_is_disabled(x->api->parts.auth, x->check.principal)) {
			admit_user(x);
			return;
		}
		/* The node that forwarded it may not have read that yet. */
		x->recorded = true;
		x->op = x->endpoint->op;
		answer_fail(x, 403, 40301, "This user is disabled");
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
exchange_log_in(struct exchange *x)
{
	struct auth_check *c = &x->check;
	struct http_request *r = x->r;
	const char *token;
	char bearer[128];
	bool now;

	if (forward_is_one(x)) {
		c->result = AUTH_OK;
		if (forward_accept(x)) {
			decided(x);
			return;
		}
		c->mechanism = http_peer_dn(r) != NULL ? "MTLS" : "NONE";
		auth_refuse(x->api->parts.auth, c, x->client);
		answer_login_failed(x, 401, 40101, "This is not forwarded by a node that may");
		return;
	}
	c->authorization = http_header(r, "Authorization");
	c->authorization_count = c->authorization != NULL ?
	    http_header_count(r, "Authorization") : 0;
	if (vault_is_one(x) && c->authorization == NULL &&
	    (token = http_header(r, "X-Vault-Token")) != NULL) {
		(void)snprintf(bearer, sizeof(bearer), "Bearer %s", token);
		c->authorization = bearer;
		c->authorization_count = strlen(token) < sizeof(bearer) - 8 ?
		    http_header_count(r, "X-Vault-Token") : 2;
	}
	c->peer = x->client;
	c->cert_cn = http_peer_cn(r);
	c->cert_dn = http_peer_dn(r);
	c->cert_san = http_peer_san(r);
	c->done = checked;
	c->cookie = x;
	now = auth_begin(x->api->parts.auth, c);
	if (c->authorization == bearer)
		secmem_wipe(bearer, sizeof(bearer));
	if (now)
		decided(x);
}

/* Who asks: what a trusted proxy says counts, and what it was told by others not. */
static void
exchange_find_client(struct exchange *x)
{
	const struct address_list *proxies = &x->api->parts.settings->proxies;
	size_t i;

	x->client = http_peer(x->r);
	if (proxies->count == 0 || !address_list_has(proxies, x->client))
		return;
	(void)snprintf(x->forwarded, sizeof(x->forwarded), "%s", x->client);
	for (i = http_header_count(x->r, "X-Forwarded-For"); i > 0; i--) {
		if (!address_forwarded(proxies, x->forwarded,
		    http_header_at(x->r, "X-Forwarded-For", i - 1)))
			break;
	}
	x->client = x->forwarded;
}

void
api_handle(struct http_request *r, void *cookie)
{
	struct api *a = cookie;
	struct api_thread *t = &a->threads[http_thread(r)];
	struct exchange *x = exchange_take(t);

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
	exchange_find_client(x);
	if (!exchange_locate(x))
		return;
	if (admit_needs_login(x))
		exchange_log_in(x);
	else
		admit_anyone(x);
}

static void
wake(void *arg)
{
	struct api_thread *t = arg;

	if (t->lazy > 0)
		store_wake(t->api->parts.store);
	t->lazy = 0;
}

void
exchange_lazily(struct exchange *x)
{
	if (++x->thread->lazy >= LAZY_MAX)
		wake(x->thread);
	else	/* when the exchange may be gone */
		(void)http_when_idle(x->r, wake, x->thread);
}

static const char *
message_of(int status)
{
	switch (status) {
	case 401:
		return "Unauthorized";
	case 408:
		return "The request took too long";
	case 413:
		return "The body is too large";
	case 414:
		return "The URL is too long";
	case 431:
		return "The headers are too large";
	case 503:
		return "Too many connections; try again";
	case 501:
		return "This transfer encoding is not known";
	case 505:
		return "HTTP/1.1 is spoken here";
	default:
		return "This is not an acceptable HTTP/1.1 request";
	}
}

void
api_refuse(int status, struct buf *body, void *cookie)
{
	const struct api *a = cookie;
	int code = status;

	if (a->parts.settings->subcodes)
		code = status == 401 ? 40101 : status == 413 ? 41301 : status == 503 ? 50302 : code;
	reply_error(body, code, message_of(status), strlen(message_of(status)));
}

static bool
is_scheme(const char *header, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncasecmp(header, scheme, n) == 0 && (header[n] == ' ' || header[n] == '\0');
}

int
api_expect(struct http_request *r, void *cookie)
{
	const char *authorization = http_header(r, "Authorization");

	(void)cookie;
	/* A body is only asked for where a login is at least tried; what takes a
	 * body always needs one. */
	if (authorization != NULL ?
	    is_scheme(authorization, "Basic") || is_scheme(authorization, "Bearer") :
	    http_peer_dn(r) != NULL)
		return 0;
	reply_headers(r, NULL, NULL);
	http_set_header(r, "WWW-Authenticate", ADMIT_CHALLENGE);
	return 401;
}

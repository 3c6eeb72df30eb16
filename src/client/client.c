#include <sys/socket.h>
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/secmem.h"
#include "client/client.h"
#include "client/url.h"
#include "crypto/base64.h"
#include "crypto/memory.h"
#include "file/file.h"

#define WAIT_MS 1000
#define MESSAGE_MAX 700

#define AUTHORIZATION_MAX (16U << 10)
#define TARGET_MAX (16U << 10)
#define TIMEOUT_MS 30000
#define STOP_LOOK_MS 200

struct client {
	struct url url;
	char name[600];			/* the URL, for errors */
	unsigned timeout_ms;
	struct event_base *base;
	SSL_CTX *tls;
	struct evhttp_connection *connection;	/* NULL: none is open */
	SSL *ssl;			/* the connection's, owned by it */
	bool used;			/* an answer came over the connection */
	bool late;			/* none came within the time */
	bool closed;
	const atomic_bool *stop;
	struct event *tick;		/* looks at it; NULL: there is none */
	struct buf authorization;	/* secret; empty: none */
};

/* One request under way. */
struct call {
	struct client *c;
	struct client_answer *out;
	struct error *err;
	bool done;
	int rc;
};

static void
wipe_free(void *p)
{
	if (p == NULL)
		return;
	secmem_wipe(p, malloc_usable_size(p));
	free(p);
}

static void *
wipe_realloc(void *p, size_t n)
{
	size_t old;
	void *fresh;

	if (p == NULL)
		return malloc(n);
	old = malloc_usable_size(p);
	if (n <= old && n > old / 2)
		return p;
	if ((fresh = malloc(n)) == NULL)
		return NULL;
	memcpy(fresh, p, old < n ? old : n);
	wipe_free(p);
	return fresh;
}

int
wipe_on_free(struct error *err)
{
	static bool done;

	if (done)
		return 0;
	if (openssl_memory_begin(true, err) != 0)
		return -1;
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		return error_set(err, ERROR_CRYPTO, "OpenSSL cannot be started");
	event_set_mem_functions(malloc, wipe_realloc, wipe_free);
	json_set_alloc_funcs(malloc, wipe_free);
	done = true;
	return 0;
}

static int
tls_no_file(struct error *err, const char *file, const char *what)
{
	error_set(err, ERROR_FORMAT, "%s", what);
	error_place(err, file, 0);
	return error_hint(err, "it must be a PEM file that can be read");
}

static int
set_up(SSL_CTX *c, const struct client_options *o, struct error *err)
{
	SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	if (o->ca != NULL) {
		if (SSL_CTX_load_verify_locations(c, o->ca, NULL) != 1)
			return tls_no_file(err, o->ca, "no certificates could be read from it");
	} else if (SSL_CTX_set_default_verify_paths(c) != 1) {
		return error_set(err, ERROR_CRYPTO, "the system's certificates cannot be read");
	}
	if (o->certificate == NULL)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(c, o->certificate) != 1)
		return tls_no_file(err, o->certificate, "no certificate could be read from it");
	if (SSL_CTX_use_PrivateKey_file(c, o->key != NULL ? o->key : o->certificate,
	    SSL_FILETYPE_PEM) != 1)
		return tls_no_file(err, o->key != NULL ? o->key : o->certificate,
		    "no private key that fits the certificate could be read from it");
	return 0;
}

/* OpenSSL's SSL_CTX for connections to a registry: TLS 1.2 and later, its
 * certificate verified, ours presented.  The caller frees it.  NULL:
 * ERROR_FORMAT (a file is no PEM), ERROR_CRYPTO. */
static struct ssl_ctx_st *
tls_context(const struct client_options *o, struct error *err)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (c == NULL) {
		error_set(err, ERROR_CRYPTO, "cannot set up TLS");
		return NULL;
	}
	if (set_up(c, o, err) == 0)
		return c;
	SSL_CTX_free(c);
	return NULL;
}

/* 0, or the errno. */
static int
reach_wait_for(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	socklen_t n = sizeof(int);
	int code = 0;

	if (poll(&ready, 1, WAIT_MS) != 1)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n) == 0 ? code : errno;
}

static int
try_address(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int code;

	if (fd == -1)
		return errno;
	code = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
	if (code == EINPROGRESS)
		code = reach_wait_for(fd);
	close(fd);
	return code;
}

/* The addresses of a host; what getaddrinfo answers. */
static int
reach_find(const char *host, uint16_t port, struct addrinfo **all)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char service[8];

	snprintf(service, sizeof(service), "%u", (unsigned)port);
	return getaddrinfo(host, service, &hints, all);
}

/**
 * reach_try(host, port, why, size):
 * Why a connection did not come about, which evhttp does not say: connect once
 * more, for at most a second.  -1 with the reason; 0: it can be reached now.
 */
static int
reach_try(const char *host, uint16_t port, char *why, size_t size)
{
	struct addrinfo *all, *a;
	int code = reach_find(host, port, &all);

	if (code != 0) {
		snprintf(why, size, "%s", gai_strerror(code));
		return -1;
	}
	code = EHOSTUNREACH;
	for (a = all; a != NULL && code != 0; a = a->ai_next)
		code = try_address(a);
	freeaddrinfo(all);
	if (code == 0)
		return 0;
	snprintf(why, size, "%s", strerror(code));
	return -1;
}

static enum error_code
code_of(int status)
{
	switch (status) {
	case 404:
		return ERROR_MISSING;
	case 409:
	case 412:
		return ERROR_STALE;
	case 413:
		return ERROR_LIMIT;
	case 429:
		return ERROR_IO;
	default:
		return status >= 500 ? ERROR_IO : ERROR_REFUSED;
	}
}

static const char *
hint_of(int status)
{
	switch (status) {
	case 301:
	case 302:
	case 307:
	case 308:
		return "redirections are not followed: give --url the address that answers itself";
	case 401:
		return "log in by --user and --password-file, --token-file, or --cert";
	case 403:
		return "somebody with the right to must grant it: propseal registry role grant";
	case 404:
		return "propseal registry list shows what is there";
	case 409:
	case 412:
		return "look at what is there now (propseal registry history), then try again";
	case 429:
		return "wait a minute";
	case 503:
		return "try again; /health/ready of the registry says what is wrong";
	case 504:
		return "it may have been done: look with propseal registry history";
	default:
		return NULL;
	}
}

int
client_error(const struct client_answer *a, struct error *err)
{
	json_t *root = json_loadb((const char *)a->body->data, a->body->len, 0, NULL);
	const char *message = json_string_value(json_object_get(root, "message"));
	const char *hint = hint_of(a->status);

	error_set(err, code_of(a->status), "the registry answered %d%s%.*s", a->status,
	    message != NULL ? ": " : "", MESSAGE_MAX, message != NULL ? message : "");
	if (hint != NULL)
		error_hint(err, "%s", hint);
	json_decref(root);
	return -1;
}

/* What a file holds, without one line end at its end. */
static int
login_read_file(const char *file, struct buf *out, struct error *err)
{
	if (file_read_stream(file, out, err) != 0)
		return -1;
	if (out->len > 0 && out->data[out->len - 1] == '\n')
		buf_truncate(out, out->len - 1);
	if (out->len > 0 && out->data[out->len - 1] == '\r')
		buf_truncate(out, out->len - 1);
	return 0;
}

/* Fit for a header: neither a blank nor a line end, which would begin another. */
static bool
is_visible(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		if (b->data[i] <= ' ' || b->data[i] >= 0x7f)
			return false;
	}
	return b->len > 0;
}

int
login_by_token(const char *file, struct buf *header, struct error *err)
{
	struct buf token;
	int rc;

	buf_init_secret(&token, LOGIN_TOKEN_MAX);
	rc = login_read_file(file, &token, err);
	if (rc == 0 && !is_visible(&token)) {
		rc = error_set(err, ERROR_FORMAT, "this is no token");
		error_place(err, file, 0);
		error_hint(err, "a token is a line of visible ASCII characters");
	}
	if (rc == 0) {
		buf_append_str(header, "Bearer ");
		buf_append(header, token.data, token.len);
		rc = buf_check(header, err);
	}
	buf_release(&token);
	return rc;
}

int
login_by_password(const char *user, const struct buf *password, struct buf *header,
    struct error *err)
{
	struct buf pair;
	int rc;

	if (strchr(user, ':') != NULL) {
		error_set(err, ERROR_USAGE, "a user's name has no colon");
		return error_hint(err, "check --user; the password goes into --password-file");
	}
	buf_init_secret(&pair, LOGIN_PASSWORD_MAX + 512);
	buf_append_str(&pair, user);
	buf_append_char(&pair, ':');
	buf_append(&pair, password->data, password->len);
	rc = buf_check(&pair, err);
	if (rc == 0) {
		buf_append_str(header, "Basic ");
		base64_encode(header, pair.data, pair.len);
		rc = buf_check(header, err);
	}
	buf_release(&pair);
	return rc;
}

int
login_by_password_file(const char *user, const char *file, struct buf *header, struct error *err)
{
	struct buf password;
	int rc;

	buf_init_secret(&password, LOGIN_PASSWORD_MAX);
	rc = login_read_file(file, &password, err);
	if (rc == 0)
		rc = login_by_password(user, &password, header, err);
	buf_release(&password);
	return rc;
}

static void
on_tick(evutil_socket_t fd, short what, void *cookie)
{
	(void)fd;
	(void)what;
	(void)cookie;
}

static bool
is_stopped(const struct client *c)
{
	return c->stop != NULL && atomic_load(c->stop);
}

/* Have the loop come by now and then. */
static int
watch_stop(struct client *c, struct error *err)
{
	static const struct timeval often = { .tv_usec = STOP_LOOK_MS * 1000 };

	if (c->stop == NULL)
		return 0;
	c->tick = event_new(c->base, -1, EV_PERSIST, on_tick, NULL);
	return c->tick != NULL && event_add(c->tick, &often) == 0 ? 0 : error_memory(err);
}

struct client *
client_new(const struct client_options *o, struct error *err)
{
	struct client *c = error_alloc(sizeof(*c), err);

	if (c == NULL)
		return NULL;
	buf_init_secret(&c->authorization, AUTHORIZATION_MAX);
	c->timeout_ms = o->timeout_ms != 0 ? o->timeout_ms : TIMEOUT_MS;
	if (url_parse(&c->url, o->url, err) != 0)
		goto fail;
	snprintf(c->name, sizeof(c->name), "%s://%s", c->url.tls ? "https" : "http",
	    c->url.authority);
	if (!c->url.tls && !c->url.loopback && !o->insecure_allowed) {
		error_set(err, ERROR_REFUSED, "secrets would go over the network in clear text");
		error_place(err, c->name, 0);
		error_hint(err, "use https://, or --insecure-http where nobody can listen");
		goto fail;
	}
	if ((c->base = event_base_new()) == NULL) {
		error_memory(err);
		goto fail;
	}
	c->stop = o->stop;
	if (watch_stop(c, err) != 0 || (c->url.tls && (c->tls = tls_context(o, err)) == NULL))
		goto fail;
	return c;
fail:
	client_free(c);
	return NULL;
}

static void
client_disconnect(struct client *c)
{
	if (c->connection != NULL) {
		evhttp_connection_set_closecb(c->connection, NULL, NULL);
		evhttp_connection_free(c->connection);
	}
	c->connection = NULL;
	c->ssl = NULL;
	c->used = false;
	c->closed = false;
}

void
client_free(struct client *c)
{
	if (c == NULL)
		return;
	client_disconnect(c);
	SSL_CTX_free(c->tls);
	if (c->tick != NULL)
		event_free(c->tick);
	if (c->base != NULL)
		event_base_free(c->base);
	buf_release(&c->authorization);
	free(c);
}

int
client_authorize(struct client *c, const struct buf *value, struct error *err)
{
	buf_clear(&c->authorization);
	if (value != NULL)
		buf_append(&c->authorization, value->data, value->len);
	return buf_check(&c->authorization, err);
}

static void
on_close(struct evhttp_connection *connection, void *cookie)
{
	(void)connection;
	((struct client *)cookie)->closed = true;
}

static int
connect_to(struct client *c, struct error *err)
{
	struct timeval limit = { .tv_sec = c->timeout_ms / 1000,
	    .tv_usec = (c->timeout_ms % 1000) * 1000 };
	struct bufferevent *bev = NULL;

	if (c->url.tls) {
		if ((c->ssl = SSL_new(c->tls)) == NULL)
			return error_memory(err);
		if (c->url.numeric)
			X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), c->url.host);
		else if (SSL_set_tlsext_host_name(c->ssl, c->url.host) != 1 ||
		    SSL_set1_host(c->ssl, c->url.host) != 1)
			return error_set(err, ERROR_CRYPTO, "cannot set up TLS");
		bev = bufferevent_openssl_socket_new(c->base, -1, c->ssl,
		    BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
		if (bev == NULL) {
			SSL_free(c->ssl);
			c->ssl = NULL;
			return error_memory(err);
		}
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	}
	c->connection = evhttp_connection_base_bufferevent_new(c->base, NULL, bev, c->url.host,
	    c->url.port);
	if (c->connection == NULL) {
		if (bev != NULL)
			bufferevent_free(bev);
		c->ssl = NULL;
		return error_memory(err);
	}
	evhttp_connection_set_timeout_tv(c->connection, &limit);
	evhttp_connection_set_max_body_size(c->connection, CLIENT_BODY_MAX);
	evhttp_connection_set_max_headers_size(c->connection, 64 << 10);
	evhttp_connection_set_closecb(c->connection, on_close, c);
	return 0;
}

static void
copy_header(struct evhttp_request *r, const char *name, char *out, size_t size)
{
	const char *value = evhttp_find_header(evhttp_request_get_input_headers(r), name);

	if (value != NULL && strlen(value) < size)
		memcpy(out, value, strlen(value) + 1);
}

/* The target of `<TARGET>; rel="next"`. */
static void
copy_next(struct evhttp_request *r, char *out, size_t size)
{
	const char *value = evhttp_find_header(evhttp_request_get_input_headers(r), "Link");
	const char *end;

	if (value == NULL || value[0] != '<' || strstr(value, "rel=\"next\"") == NULL ||
	    (end = strchr(value, '>')) == NULL || (size_t)(end - value) > size)
		return;
	memcpy(out, value + 1, (size_t)(end - value) - 1);
	out[end - value - 1] = '\0';
}

/* Was it the certificate that ended the connection? */
static bool
is_untrusted(struct call *call)
{
	const struct client *c = call->c;
	long verify = c->ssl != NULL ? SSL_get_verify_result(c->ssl) : X509_V_OK;

	if (verify == X509_V_OK)
		return false;
	error_set(call->err, ERROR_REFUSED, "its certificate is not to be trusted: %s",
	    X509_verify_cert_error_string(verify));
	error_hint(call->err, "--ca FILE names the certificates that sign the registry's");
	return true;
}

/* The connection never came about. */
static void
no_connection(struct call *call)
{
	const struct client *c = call->c;
	char why[128];

	call->out->sent = false;
	if (is_untrusted(call))
		return;
	error_set(call->err, ERROR_IO, "cannot connect: %s",
	    reach_try(c->url.host, c->url.port, why, sizeof(why)) != 0 ? why : c->url.tls ?
	    "what answers there does not talk TLS with us" : "the connection ended");
	error_hint(call->err, "is it running there, %s TLS?",
	    c->url.tls ? "with" : "without");
}

static void
client_on_answer(struct evhttp_request *r, void *cookie)
{
	struct call *call = cookie;
	struct client_answer *out = call->out;
	struct evbuffer *in;
	size_t n;

	if (call->done)
		return;
	call->done = true;
	if (r == NULL || (out->status = evhttp_request_get_response_code(r)) == 0) {
		if (call->rc == 0)
			no_connection(call);
		return;
	}
	in = evhttp_request_get_input_buffer(r);
	n = evbuffer_get_length(in);
	if (buf_reserve(out->body, n) == 0 && n > 0) {
		/* buf_append from the buffer's own chunks: no copy outside it. */
		struct evbuffer_iovec part;

		while (evbuffer_peek(in, -1, NULL, &part, 1) > 0 && part.iov_len > 0) {
			buf_append(out->body, part.iov_base, part.iov_len);
			evbuffer_drain(in, part.iov_len);
		}
	}
	copy_header(r, "Location", out->location, sizeof(out->location));
	copy_header(r, "X-Request-Id", out->request_id, sizeof(out->request_id));
	copy_header(r, "X-Secret-Offset", out->offset, sizeof(out->offset));
	copy_header(r, "X-Secret-Position", out->position, sizeof(out->position));
	copy_header(r, "Retry-After", out->retry_after, sizeof(out->retry_after));
	copy_header(r, "Accept-Encoding", out->codings, sizeof(out->codings));
	copy_next(r, out->next, sizeof(out->next));
	call->c->used = true;
	call->rc = buf_check(out->body, call->err);
}

static void
on_failure(enum evhttp_request_error why, void *cookie)
{
	struct call *call = cookie;
	struct addrinfo *all = NULL;
	int code;

	call->rc = -1;
	if (is_untrusted(call))
		return;
	call->c->late = why == EVREQ_HTTP_TIMEOUT;
	if (call->c->late)
		error_set(call->err, ERROR_IO, "no answer within %u s",
		    call->c->timeout_ms / 1000);
	else if (why == EVREQ_HTTP_DATA_TOO_LONG)
		error_set(call->err, ERROR_LIMIT, "the answer is too large");
	else if (!call->c->used &&
	    (code = reach_find(call->c->url.host, call->c->url.port, &all)) != 0)
		error_set(call->err, ERROR_IO, "cannot connect: %s", gai_strerror(code));
	else
		error_set(call->err, ERROR_IO, "the connection ended before the answer");
	if (all != NULL)
		freeaddrinfo(all);
}

static int
command_of(const char *method, enum evhttp_cmd_type *out)
{
	static const struct {
		const char *name;
		enum evhttp_cmd_type type;
	} commands[] = {
		{ "GET", EVHTTP_REQ_GET }, { "POST", EVHTTP_REQ_POST }, { "PUT", EVHTTP_REQ_PUT },
		{ "DELETE", EVHTTP_REQ_DELETE }, { "PATCH", EVHTTP_REQ_PATCH },
	};
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, method) == 0) {
			*out = commands[i].type;
			return 0;
		}
	}
	return -1;
}

/* Fill in what is sent. */
static void
client_compose(struct client *c, struct evhttp_request *r, const struct buf *body,
    const char *const *headers)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(r);
	char length[NUMBER_TEXT + 1];

	evhttp_add_header(out, "Host", c->url.authority);
	evhttp_add_header(out, "Accept", "application/json");
	if (c->authorization.len > 0)
		evhttp_add_header(out, "Authorization", buf_cstr(&c->authorization));
	for (; headers != NULL && headers[0] != NULL; headers += 2)
		evhttp_add_header(out, headers[0], headers[1]);
	if (body != NULL) {
		if (evhttp_find_header(out, "Content-Type") == NULL)
			evhttp_add_header(out, "Content-Type", "application/json");
		/* By evhttp only POST and PUT get it. */
		length[number_text(body->len, length)] = '\0';
		evhttp_add_header(out, "Content-Length", length);
		evbuffer_add(evhttp_request_get_output_buffer(r), body->data, body->len);
	}
}

static int
try_once(struct client *c, enum evhttp_cmd_type type, const char *target, const struct buf *body,
    const char *const *headers, struct client_answer *out, struct error *err)
{
	struct call call = { .c = c, .out = out, .err = err };
	struct evhttp_request *r;

	error_set(err, ERROR_IO, "cannot connect");
	/* Has the other side ended it since? */
	if (c->connection != NULL)
		(void)event_base_loop(c->base, EVLOOP_NONBLOCK);
	if (c->closed)
		client_disconnect(c);
	if (c->connection == NULL && connect_to(c, err) != 0)
		return -1;
	if ((r = evhttp_request_new(client_on_answer, &call)) == NULL)
		return error_memory(err);
	evhttp_request_set_error_cb(r, on_failure);
	client_compose(c, r, body, headers);
	out->sent = true;
	if (evhttp_make_request(c->connection, r, type, target) != 0) {
		out->sent = false;
		return error_set(err, ERROR_IO, "cannot send the request");
	}
	while (!call.done) {
		if (is_stopped(c)) {
			error_set(err, ERROR_IO, "given up, as this side ends");
			break;
		}
		if (event_base_loop(c->base, EVLOOP_ONCE) != 0)
			break;
	}
	if (c->closed || out->status == 0)
		client_disconnect(c);
	return out->status != 0 ? call.rc : -1;
}

/* May it be sent twice? */
static bool
is_repeatable(enum evhttp_cmd_type type, const char *const *headers)
{
	for (; headers != NULL && headers[0] != NULL; headers += 2) {
		if (strcmp(headers[0], "Idempotency-Key") == 0)
			return true;
	}
	return type == EVHTTP_REQ_GET;
}

/* try_once without the SIGPIPE of a connection that the other side closed. */
static int
try_quietly(struct client *c, enum evhttp_cmd_type type, const char *target, const struct buf *body,
    const char *const *headers, struct client_answer *out, struct error *err)
{
	static const struct timespec now = { 0 };
	sigset_t pipe_only, before, pending;
	int rc;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	rc = try_once(c, type, target, body, headers, out, err);
	if (!sigismember(&pending, SIGPIPE)) {
		while (sigtimedwait(&pipe_only, NULL, &now) == -1 && errno == EINTR)
			;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int
client_request(struct client *c, const char *method, const char *target, const struct buf *body,
    const char *const *headers, struct client_answer *out, struct error *err)
{
	enum evhttp_cmd_type type;
	struct error why;
	struct buf full;
	bool reused, sent = false;
	int rc = -1;

	buf_init(&full, TARGET_MAX);
	buf_printf(&full, "%s%s", c->url.base, target);
	if (buf_check(&full, &why) != 0 || command_of(method, &type) != 0) {
		error_set(&why, ERROR_USAGE, "this cannot be requested");
		goto done;
	}
	reused = c->used;
	c->late = false;
	do {
		*out = (struct client_answer){ .body = out->body };
		rc = try_quietly(c, type, buf_cstr(&full), body, headers, out, &why);
		sent |= out->sent;
		if (rc == 0 || !reused || c->late || out->status != 0 ||
		    !is_repeatable(type, headers))
			break;
		reused = false;
	} while (true);
done:
	out->sent = sent;
	if (rc != 0 && err != NULL) {
		*err = why;
		error_place(err, c->name, 0);
	}
	buf_release(&full);
	return rc;
}

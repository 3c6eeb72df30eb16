#ifndef REGISTRY_HTTP_HTTP_H
#define REGISTRY_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct http_request;
struct http_server;

/*
 * The server side of HTTP/1.1 behind a small interface.  Inside are libevent's
 * event loop, OpenSSL and a strict parser of its own (parse.c), as
 * evhttp 2.1 can neither keep back "100 Continue" nor say its errors but in
 * HTML, and takes twice the processor time.  There is a deadline for headers
 * and body together, caps on connections, slow clients are cut off, doubled
 * or bad Content-Length, Transfer-Encoding other than chunked, both at once, a
 * bad or absent Host are refused (all 400); the drain is graceful.
 */

enum http_method {
	HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE,
	HTTP_OPTIONS, HTTP_OTHER
};

#define HTTP_HEADERS_MAX (16U << 10)	/* bytes of request line and headers */
#define HTTP_TARGET_MAX (8U << 10)	/* bytes; longer is 414 */

struct http_options {
	const char *listen;		/* ADDR:PORT or [ADDR]:PORT, port 0: any */
	bool insecure_allowed;		/* plain HTTP on an address that is not loopback */
	unsigned threads;		/* 0: one a core */
	unsigned max_connections;	/* 0: as many as the limit of descriptors allows */
	unsigned max_per_address;	/* 0: as many as in all */
	unsigned max_half_open;		/* of one address, 0: as many as in all */
	unsigned request_timeout_ms;
	unsigned idle_timeout_ms;
	unsigned drain_timeout_ms;
	size_t body_max;		/* bytes; more is 413 before the body is read */
	const char *certificate;	/* PEM chain file, NULL: plain HTTP */
	const char *key;		/* PEM file */
	const char *client_ca;		/* PEM file, NULL: no client certificates */
	bool client_required;		/* the handshake fails without one */

	/*
	 * Called on an event thread once the whole request is there.  Must lead
	 * to exactly one http_reply, on this or any thread, at any later time.
	 */
	void (*handle)(struct http_request *r, void *cookie);

	/*
	 * Called on an event thread when a request cannot be read as HTTP (or is
	 * too large or slow): makes the body for ${status}.  NULL: empty body.
	 */
	void (*refuse)(int status, struct buf *body, void *cookie);

	/*
	 * May the body be asked for?  Called when "Expect: 100-continue" came,
	 * before any 100 is sent; 0: yes, else the final status to answer with.
	 * NULL: always yes.
	 */
	int (*expect)(struct http_request *r, void *cookie);
	void *cookie;
};

/*
 * Who gets a connection.  An address is one of IPv4, or 64 bits of IPv6.  A
 * connection is half-open while its client owes it something: the handshake,
 * the first request, or the rest of one that has begun.  Between requests, and
 * while an answer is made or sent, it is not, so that the many connections of a
 * load balancer are not either.
 *
 * - One more half-open connection of an address than max_half_open (at most
 *   half of max_connections) closes the oldest such of the same address, as
 *   does one more of any kind than max_per_address; is there none, the new
 *   one is refused.
 * - One more than max_connections closes the oldest half-open of all, then the
 *   longest idle of the same thread, if that has been so for a second; is there
 *   none, the new one is refused.
 *
 * Who is refused gets 503 with Retry-After on plain HTTP, if no more than 128
 * are being told so; on TLS, where a handshake would have to come first, the
 * connection is closed.  max_connections is lowered to what the process's
 * limit of descriptors allows, less a few that are left for files.
 */

/* How many event threads a server with http_options.threads ${asked} has: 64
 * at most, and for 0 one for each core that this process may run on. */
unsigned http_server_threads(unsigned asked);

/**
 * http_server_new(o, err):
 * Open the listening sockets (SO_REUSEPORT, one a thread) and start the event
 * threads.  ERROR_USAGE (bad address; plain and not loopback), ERROR_IO
 * (address in use), ERROR_FORMAT (certificate or key).  ${o} is copied, its
 * strings are not needed later.
 */
struct http_server *http_server_new(const struct http_options *o, struct error *err);

/* The bound address as ADDR:PORT, for logs and tests. */
const char *http_server_address(const struct http_server *s);

/* Read certificate, key and CA again for new connections; the old ones stay
 * in force on failure. */
int http_server_reload(struct http_server *s, const struct http_options *o,
    struct error *err);

/* Stop accepting, let requests under way end (drain_timeout_ms), close idle
 * connections, join the threads. */
void http_server_stop(struct http_server *s);
void http_server_free(struct http_server *s);

struct http_counts {
	uint64_t connections, open, refused, timed_out, bad;
	uint64_t shed;			/* closed to make room for others */
	uint64_t places;		/* connections that there may be at once */
};
void http_server_counts(const struct http_server *s, struct http_counts *out);

/* --- a request; everything stays valid until the reply --- */

enum http_method http_method(const struct http_request *r);
const char *http_method_name(const struct http_request *r);

/* The raw path as sent (still percent-encoded, before '?'), NUL-terminated;
 * an absolute-form target has lost scheme and host. */
const char *http_path(const struct http_request *r);

/* The raw query after '?', "" if none. */
const char *http_query(const struct http_request *r);

/* The first header of that name (any case), NULL: absent; and how many. */
const char *http_header(const struct http_request *r, const char *name);
size_t http_header_count(const struct http_request *r, const char *name);

/* The one of that name with the number ${which}, from 0; NULL: there are fewer. */
const char *http_header_at(const struct http_request *r, const char *name, size_t which);

/* The body, a secret buffer; the handler may move it away. */
struct buf *http_body(struct http_request *r);

/* The client's address as text without port. */
const char *http_peer(const struct http_request *r);
bool http_is_tls(const struct http_request *r);

/* Of a verified client certificate: subject common name, whole subject
 * (RFC 2253) and first DNS or URI subjectAltName; NULL: none. */
const char *http_peer_cn(const struct http_request *r);
const char *http_peer_dn(const struct http_request *r);
const char *http_peer_san(const struct http_request *r);

/* The number of the event thread (0..). */
unsigned http_thread(const struct http_request *r);

/* Has the client gone?  The reply must still be made; it is dropped. */
bool http_gone(const struct http_request *r);

/**
 * http_post(r, run, arg):
 * From any thread: have ${run}(arg) called soon on the request's event thread.
 * Posts from one thread keep their order; many posts cost one wake-up.
 */
void http_post(struct http_request *r, void (*run)(void *arg), void *arg);

/* Have ${run}(arg) called once the request's event thread has nothing else
 * to do at the moment.  On the event thread only; one such call can wait at a
 * time (false: one does already, this one was not taken). */
bool http_when_idle(struct http_request *r, void (*run)(void *arg), void *arg);

/* As http_post, after ${ms} milliseconds.  On the event thread only. */
void http_later(struct http_request *r, unsigned ms, void (*run)(void *arg), void *arg);

/* Close the connection after the reply.  On the event thread only. */
void http_close_after(struct http_request *r);

/* Add a response header before the reply, on the event thread.  Values with
 * control characters are dropped. */
void http_set_header(struct http_request *r, const char *name, const char *value);

/* The same with ${n} bytes of whole lines, each with its CRLF, which are not
 * looked at: for constant ones. */
void http_set_lines(struct http_request *r, const char *lines, size_t n);

/**
 * http_reply(r, status, body):
 * Send the answer and end the request: ${r} must not be used any more.
 * ${body} (may be NULL or empty) is emptied, and wiped once sent if secret; the
 * caller still releases it, as a small one keeps its memory for the next reply.
 * HEAD gets the length alone.  On the event thread only.
 */
void http_reply(struct http_request *r, int status, struct buf *body);

/*
 * The path of a URL, split on the raw bytes and then decoded once
 * (registry-contract: RFC 3986 section 2.4 order).
 */
#define TARGET_SEGMENTS_MAX 12
#define TARGET_BYTES_MAX (8U << 10)

struct target_segment {
	const char *text;	/* decoded, NUL-terminated, in target.bytes */
	size_t len;
};

struct target {
	struct target_segment segments[TARGET_SEGMENTS_MAX];
	size_t count;
	bool trailing_slash;
	char bytes[TARGET_BYTES_MAX + TARGET_SEGMENTS_MAX + 1];
};

enum target_result {
	TARGET_OK,
	TARGET_BAD,	/* 400: bad escape, decoded slash, NUL, control, bad UTF-8, . or .. */
	TARGET_EMPTY,	/* 404: an empty segment (//), or too many segments */
	TARGET_LONG	/* 414 */
};

/* Split and decode the raw path ${raw} of ${n} bytes, which begins with '/'. */
enum target_result target_parse(struct target *t, const char *raw, size_t n);

/* Is segment ${i} exactly ${text}? */
bool target_is(const struct target *t, size_t i, const char *text);

/**
 * target_query(raw, name, out):
 * The first value of ${name} in a raw query string, percent- and plus-decoded,
 * appended to ${out}.  1: found, 0: absent, -1: bad escape or invalid UTF-8.
 */
int target_query(const char *raw, const char *name, struct buf *out);

#endif /* !REGISTRY_HTTP_HTTP_H */

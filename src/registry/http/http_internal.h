#ifndef REGISTRY_HTTP_HTTP_INTERNAL_H
#define REGISTRY_HTTP_HTTP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/compat.h"
#include "base/map.h"
#include "registry/http/http.h"

struct http_connection;
struct http_source;
struct http_thread;

/* The small words of HTTP: RFC 9110 section 5.6 and RFC 3986 section 3.2. */

/* A token: one or more of the letters, digits and marks that names are made of. */
bool http_token_is_token(const char *s);

/* A field value: no control character but the tab. */
bool http_token_is_value(const char *s, size_t n);

/* Digits alone, less than 2^63.  -1: anything else. */
int http_token_number(const char *s, uint64_t *out);

/*
 * The head of a request (request line and headers) from raw bytes, by the
 * grammar of RFC 9112 without its leniences: lines end in CRLF, no folded
 * lines, no blank before a colon, one Host, at most one Content-Length of
 * digits alone, Transfer-Encoding is exactly "chunked", never both.  What two
 * programs in a row could read differently is refused.
 */
#define HTTP_FIELDS_MAX 100

struct http_field {
	const char *name;
	const char *value;
};

struct http_head {
	enum http_method method;
	const char *method_name;
	const char *path;
	const char *query;
	unsigned minor;		/* HTTP/1.minor */
	bool keep;		/* the connection may stay open */
	bool chunked;
	bool expect;		/* Expect: 100-continue */
	uint64_t length;	/* of the body, 0: none or chunked */
	size_t count;
	struct http_field fields[HTTP_FIELDS_MAX];
};

/* How far the search for the end has come; all 0 at the start of a request. */
struct http_head_scan {
	size_t line;		/* where the line under way begins */
	size_t seen;		/* bytes looked at */
};

/**
 * http_head_end(s, p, n, status):
 * The length of the head at ${p} with its empty line, 0: not there yet, or
 * ${*status} is what to refuse it with (400, 414, 431).  Call again with more
 * bytes behind the same ones.
 */
size_t http_head_end(struct http_head_scan *s, const char *p, size_t n, int *status);

/**
 * http_head_parse(h, text, n):
 * Read the head of ${n} bytes that http_head_end found.  ${text} is cut into
 * NUL-terminated strings that ${h} points to.  0, or the status to refuse it
 * with: 400, 414, 417, 431, 505.
 */
int http_head_parse(struct http_head *h, char *text, size_t n);

/* The first field of that name in any case, from ${*i} on, which is moved behind
 * it.  NULL: no more. */
const struct http_field *http_head_find(const struct http_head *h, const char *name, size_t *i);

/*
 * A request body in the chunked coding (RFC 9112, section 7.1), in pieces as
 * they come.  Extensions and trailers are checked for their form and dropped.
 */
#define HTTP_CHUNKED_LINE_MAX 256U	/* bytes of a size line with its extensions */
#define HTTP_CHUNKED_TRAILER_MAX 4096U	/* bytes of all trailers */

struct http_chunked {
	int state;
	unsigned digits;
	size_t line;		/* bytes of the size line, or of the trailers */
	uint64_t left;		/* bytes of the chunk under way */
};

void http_chunked_init(struct http_chunked *c);

/**
 * http_chunked_feed(c, p, n, body, max, status):
 * Decode up to the body's end and append to ${body}; returns how many of the
 * ${n} bytes were used.  ${*status}: 0 more to come, 200 the end, 400 bad
 * coding, 413 more than ${max} bytes, 503 no memory.
 */
size_t http_chunked_feed(struct http_chunked *c, const char *p, size_t n, struct buf *body,
    size_t max, int *status);

/* What a verified client certificate says; NULL: nothing. */
struct http_tls_peer {
	char *cn;
	char *dn;
	char *san;
};

/* TLS 1.2 and 1.3 from the files that the options name.  ERROR_FORMAT, ERROR_MEMORY. */
SSL_CTX *http_tls_new(const struct http_options *o, struct error *err);

/* After the handshake. */
void http_tls_peer_read(struct http_tls_peer *p, SSL *ssl);
void http_tls_peer_free(struct http_tls_peer *p);

/* What the parts of the HTTP server share; nobody else includes this. */

#define HTTP_READ_SIZE (32U << 10)	/* bytes taken from a socket at once */
#define HTTP_WRITE_SIZE (32U << 10)	/* a reply up to this is sent in one piece */
#define HTTP_REPLY_HEADERS_MAX (16U << 10)
#define HTTP_LINGER_MS 1000U		/* how long a refused client is still read */
#define HTTP_LINGER_MAX (1U << 20)	/* and how many bytes of it */
#define HTTP_GRACE_MS 1000U		/* who waits less long is not closed for want of places */
#define HTTP_TOLD_MAX 128U		/* turned away connections that are told so at once */
#define HTTP_ADDRESS_KEY 16U		/* bytes */

enum http_connection_state {
	HTTP_STATE_HANDSHAKE,
	HTTP_STATE_HEAD,	/* waiting for a request, or for the rest of its head */
	HTTP_STATE_BODY,
	HTTP_STATE_BUSY,	/* the handler has it */
	HTTP_STATE_WRITE,	/* the reply does not fit into the socket yet */
	HTTP_STATE_LINGER,	/* answered for good; reading until the client closes */
	HTTP_STATE_DEAD
};

/*
 * A connection is on exactly one list.  All on one list have the same limit,
 * so that the oldest is always the first and no timer of its own is needed.
 */
TAILQ_HEAD(http_connections, http_connection);
TAILQ_HEAD(http_half_open, http_connection);

/* Plain memory that grows; used only for heads and what comes behind them. */
struct http_bytes {
	char *data;
	size_t len;
	size_t cap;
};

struct http_request {
	struct http_connection *connection;
	struct http_head head;
	struct buf body;		/* secret */
	struct http_bytes headers;	/* of the reply, as lines */
};

struct http_connection {
	TAILQ_ENTRY(http_connection) entry;
	struct http_connections *list;
	uint64_t since;			/* when it came onto its list, in ms */
	struct http_thread *thread;
	int fd;
	SSL *ssl;			/* NULL: plain */
	struct event readable;
	struct event writable;
	enum http_connection_state state;
	unsigned entered;		/* calls under way that still use it */
	bool feeding;
	bool reading;			/* readable is pending */
	bool ended;			/* the client will send no more */
	bool gone;			/* the socket is closed, the handler does not know */
	bool last;			/* close after the reply */
	bool refused;			/* that reply was a refusal: linger */
	bool told;			/* it counts among those being turned away */

	struct http_source *source;	/* where it comes from; NULL: it has no place */
	bool half;			/* half-open, or was when it was shed */
	_Atomic bool shed;		/* it has to go, as its own or another thread decided */
	uint64_t half_since;		/* this and the entries: under the sources' lock */
	TAILQ_ENTRY(http_connection) half_of_all, half_of_source;

	struct http_head_scan scan;
	struct http_bytes in;		/* the head */
	struct http_bytes next;		/* what was read beyond this request */
	struct http_chunked chunked;
	uint64_t body_left;
	struct http_request request;

	struct buf out[2];		/* of the reply, what is not sent yet */
	size_t out_at;			/* bytes of the first non-empty one that are sent */
	size_t out_progress;		/* bytes sent since the limit was last moved */
	size_t lingered;
	struct http_tls_peer certificate;
	char peer[INET6_ADDRSTRLEN];
};

struct http_post {
	void (*run)(void *arg);
	void *arg;
};

struct http_posts {
	struct http_post *items;
	size_t count;
	size_t cap;
};

struct http_later {
	TAILQ_ENTRY(http_later) entry;
	struct http_thread *thread;
	struct event timer;
	struct http_post post;
};
TAILQ_HEAD(http_laters, http_later);

struct http_thread {
	struct http_server *server;
	unsigned number;
	pthread_t id;
	bool running;			/* id is to be joined */
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *calm;		/* runs when no other event is ready */
	struct http_post calm_post;	/* run NULL: none waits */
	struct event *wake;
	struct event *tick;
	int wake_fd;

	pthread_mutex_t lock;		/* for the four below */
	struct http_posts posts;
	bool woken;
	bool stop;

	/* The rest belongs to the thread itself. */
	struct http_posts run;		/* the posts being run */
	struct http_connections idle;	/* between requests */
	struct http_connections slow;	/* handshake, request or reply under way */
	struct http_connections linger;
	struct http_connections busy;
	struct http_laters laters;
	bool stopping;
	bool accept_paused;
	uint64_t stop_at;
	unsigned char *input;		/* HTTP_READ_SIZE, secret */
	unsigned char *output;		/* HTTP_WRITE_SIZE, secret */
	size_t input_cap;
	size_t output_cap;
	struct buf_pool *bodies;
	time_t date_second;
	char date[48];
};

/* Connections by where they come from; see http.h for what the limits mean. */
struct http_sources {
	pthread_mutex_t lock;
	unsigned char seed[SIPHASH_KEY];
	unsigned max_open, max_half;	/* of one source, 0: no limit */
	size_t mask;
	struct http_source **buckets;
	struct http_half_open half_open; /* all of them, the oldest first */
};

struct http_server {
	struct http_options options;	/* without its strings */
	char *address;
	unsigned thread_count;
	unsigned places;		/* for connections */
	struct http_thread *threads;
	struct http_sources sources;
	pthread_mutex_t tls_lock;
	SSL_CTX *tls;			/* NULL: plain */
	_Atomic uint64_t accepted, open, refused, shed, timed_out, bad;
	_Atomic unsigned told;
	_Atomic uint64_t refusals;	/* answered by reply.c alone */
	time_t started;
};

/* limits.c: addresses */
struct http_address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* Read ADDR:PORT or [ADDR]:PORT. */
int http_address_parse(struct http_address *a, const char *text, struct error *err);
bool http_address_is_loopback(const struct http_address *a);
char *http_address_text(const struct http_address *a);
/* The address alone, without port, into ${out} of INET6_ADDRSTRLEN bytes. */
void http_address_host(const struct sockaddr *sa, char *out);
/* A listening socket; the first fails where another server listens, the others
 * share its port.  A port 0 in ${a} is filled in. */
int http_address_listen(struct http_address *a, bool first, struct error *err);

/* connection.c: memory of heads */
int http_bytes_append(struct http_bytes *b, const void *p, size_t n, size_t max);
/* Empty and wipe; keeps a little memory. */
void http_bytes_clear(struct http_bytes *b);

/* server.c */
uint64_t http_thread_now(void);
void http_thread_post(struct http_thread *t, void (*run)(void *arg), void *arg);
/* End the loop if the thread is stopping and nothing is left. */
void http_thread_check_end(struct http_thread *t);

/* limits.c */
/* ${places}: the most connections that there will be.  Free it only if it is all
 * zeros or this was called, and no connection is left. */
int http_sources_init(struct http_sources *s, unsigned places, const struct http_options *o,
    struct error *err);
void http_sources_free(struct http_sources *s);
/* A place for a new connection, which is half-open; that of another perhaps.
 * false: there is none. */
bool http_source_enter(struct http_connection *c, const struct sockaddr *sa);
/* Part of a request is there: half-open, if it is not so already. */
void http_source_wait(struct http_connection *c);
/* Not half-open any more.  false: it was shed just before, and has to go. */
bool http_source_ready(struct http_connection *c);
/* Before its socket is closed. */
void http_source_leave(struct http_connection *c);

/* connection.c */
/* Not counted and not read from yet; NULL: no memory. */
struct http_connection *http_connection_new(struct http_thread *t, int fd,
    const struct sockaddr *sa);
/* Its place is taken, and its TLS made: begin to read. */
void http_connection_begin(struct http_connection *c);
/* Onto the end of that list, from now on. */
void http_connection_put(struct http_connection *c, struct http_connections *list);
/* The calls between these may close the connection, but not free it. */
void http_connection_enter(struct http_connection *c);
void http_connection_leave(struct http_connection *c);
void http_connection_close(struct http_connection *c);
/* The socket is of no use any more. */
void http_connection_lost(struct http_connection *c);
/* A reply is sent as a whole: on to the next request, or close. */
void http_connection_sent(struct http_connection *c);
/* The limit of its list is over. */
void http_connection_expire(struct http_connection *c);
void http_connection_free(struct http_connection *c);

#define HTTP_IO_AGAIN (-1)
#define HTTP_IO_END (-2)
#define HTTP_IO_ERROR (-3)
/* Bytes read or written (> 0), or one of the above. */
long http_io_write(struct http_connection *c, const void *p, size_t n);
/* Send what waits: 1 all is sent, 0 later, -1 failed. */
int http_io_flush(struct http_connection *c);

/* reply.c */
/* The request is over: forget everything of it. */
void http_reply_end(struct http_connection *c);
void http_reply_refuse(struct http_connection *c, int status);
/* What is neither sent nor needed any more. */
void http_reply_drop(struct http_connection *c);

#endif /* !REGISTRY_HTTP_HTTP_INTERNAL_H */

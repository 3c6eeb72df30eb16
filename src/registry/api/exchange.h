#ifndef REGISTRY_API_EXCHANGE_H
#define REGISTRY_API_EXCHANGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "registry/api/api.h"
#include "registry/api/body.h"
#include "registry/api/routes.h"
#include "registry/audit/audit.h"
#include "registry/auth/access.h"
#include "registry/auth/auth.h"
#include "registry/base/address.h"
#include "registry/http/http.h"
#include "registry/store/reader.h"

struct administrators_loss;
struct api_worker;
struct forwarder;
struct mac;
struct sealer;
struct version_view;
struct watch;

/*
 * Counts of requests by endpoint and status.  Each event thread has its own,
 * which any thread may read.
 */
struct counters;

struct counters *counters_new(struct error *err);
void counters_free(struct counters *t);

/* One request answered; ${e} NULL: no such route. */
void counters_count(struct counters *t, const struct endpoint *e, int status, uint64_t ns);

void counters_undecryptable(struct counters *t);
void counters_login_failed(struct counters *t);

/*
 * What each event thread has for itself, so that requests on different
 * threads share no lock and no OpenSSL context.
 */
struct api_thread {
	struct api *api;
	struct reader *reader;
	struct sealer *sealer;
	struct mac *caller;		/* Idempotency-Key: who, where, which */
	struct mac *content;		/* Idempotency-Key: the body's meaning */
	struct buf value;		/* secret: an opened value, within one call */
	struct buf_pool *values;	/* for those on their way to the store */
	unsigned lazy;			/* submitted, and not woken for yet */
	struct exchange *pool;		/* exchanges at rest */
	unsigned pooled;
	char id_prefix[17];		/* of the request ids made here */
	uint64_t id_next;
	struct counters *counters;
};

/* The requests that wait for changes. */
struct watch_list {
	pthread_mutex_t lock;
	struct watch *waiting;
	struct watch *answered;		/* whose timer is still to come */
};

int watch_list_init(struct watch_list *l);

/* After the server has ended. */
void watch_list_release(struct watch_list *l);

/* Let all of them go now.  From any thread. */
void watch_list_drain(struct watch_list *l);

/* The largest answer: a longer list of values must be asked for in pages. */
#define EXCHANGE_BODY_MAX ((size_t)64 << 20)

#define EXCHANGE_ID_MAX 64

/*
 * One request from its arrival to the answer.  Everything runs on the event
 * thread of the request; other threads (auth, audit, store, worker) hand it
 * back there with http_post.
 *
 * An endpoint's run() asks by request_... and ends in one call of answer_..., now or
 * in a continuation.
 */
struct exchange {
	struct api *api;
	struct api_thread *thread;
	struct http_request *r;
	struct exchange *next;		/* in the pool, or the worker's queue */
	uint64_t started_ns;

	struct route_match match;
	const struct endpoint *endpoint;	/* NULL: unknown route or method */
	const char *method;		/* as the audit calls it */
	enum operation op;		/* that was, or was to be, allowed */
	bool granted;
	struct access_reason why;
	uint32_t version;		/* 0: none in particular */

	struct auth_check check;
	char user[AUTH_NAME_MAX + 8];	/* "User:NAME"; "": not logged in */
	char id[EXCHANGE_ID_MAX + 1];	/* the request's */
	const char *client;		/* the address that asks, beyond trusted proxies */
	char forwarded[ADDRESS_TEXT];	/* ... where one said so */
	const char *via;		/* the node that forwarded it, NULL: none did */

	/* For the audit, beyond what is above. */
	bool recorded;			/* an intent and an outcome belong to it */
	bool intended;			/* the intent is on record */
	bool ended;			/* ... and the outcome too */
	bool unrecorded;		/* the audit log failed then: nothing may be told */
	bool about_cluster;		/* the decision was not about {path} */
	char value_hmac[AUDIT_HMAC_TEXT];	/* "": none */
	char idem_hmac[AUDIT_HMAC_TEXT];
	bool has_length, has_cas, has_count;
	size_t length;
	int64_t cas;
	uint64_t count;
	uint64_t offset;		/* of the last record written, for X-Secret-Offset */
	uint64_t awaited;		/* the same of a request: it sees at least that change */
	uint64_t await_until_ns;
	struct audit_wait wait;
	struct audit_wait *more;	/* of the lines before the outcome; NULL: none */
	atomic_size_t unsettled;	/* of all these, not durable yet and not failed */
	atomic_bool lost;		/* one of them failed */
	void (*then)(struct exchange *x);	/* once the intent is durable */

	/* The answer. */
	int status;
	struct json_out json;		/* writes ${body}: see answer_json */
	const char *content_type;	/* NULL: JSON */
	uint32_t etag;			/* 0: none */
	const char *link_name;		/* "Location" or "Link", with ${link} */
	const char *change;		/* what it is to do, for the audit, in work; NULL */

	void *work;			/* the endpoint's own ... */
	void (*work_free)(void *work);	/* ... released with the exchange */
	void (*worker_work)(struct exchange *x);	/* api_worker_run: on the worker's thread */
	void (*worker_done)(struct exchange *x);	/* and then here */

	/* An error's, or what the audit is told of a success; not cleared behind its NUL. */
	char message[1280];

	/* Kept from one request to the next. */
	struct buf body;		/* secret: the answer's */
	struct buf link;
	struct buf given;		/* KEY@VERSION of each value in a list, in words */
	struct target target;
};

/* Send ${status} and ${body}, give the exchange back: for answer.c alone. */
void exchange_reply(struct exchange *x);

/* Of a caller who is known: may this be done?  false: answered. */
bool exchange_authorize(struct exchange *x);

/* The same, and then all that comes before the endpoint, and the endpoint. */
void exchange_admit(struct exchange *x);

/* Room for the endpoint's own state, zeroed; NULL: the request was failed. */
void *exchange_work(struct exchange *x, size_t size, void (*release)(void *work));

/* Free what is at rest. */
void exchange_pool_free(struct api_thread *t);

/* Something was handed to the audit or the store: wake the writer when every
 * request that is there has been looked at, or many have. */
void exchange_lazily(struct exchange *x);

/* One thread for what would hold an event thread up: files that are written
 * and synced, an audit log that is read through, a backup. */

/* Have ${work}(x) done on the worker's thread, then ${done}(x) on the
 * request's.  Answered with 503 when too much is waiting. */
void api_worker_run(struct exchange *x, void (*work)(struct exchange *x),
    void (*done)(struct exchange *x));

/* What the api's parts share. */
struct api {
	struct api_parts parts;
	struct http_server *_Atomic server;	/* NULL until it is told */
	atomic_bool draining;
	struct api_worker *worker;
	struct forwarder *forwarder;	/* NULL: nothing is forwarded */
	struct watch_list watches;
	struct buf openapi;		/* the document, made once */
	unsigned thread_count;
	struct api_thread threads[];
};

/*
 * Of nodes that share a topic one leads; a change that comes to another (a route with
 * ROUTE_CHANGE or ROUTE_ACCESS) is forwarded to it as it is, over mutual TLS, with who asks
 * for it in a header of its own instead of the credentials, which stay here.  The node that
 * leads believes that header of nodes alone (node.names), authorizes, does and records the
 * change; the other one answers when it has read it from the topic itself.
 *
 * A change is forwarded once: who gets a forwarded one and does not lead refuses it.  Not
 * sent: it is tried anew for a moment, then 503; sent, and no answer: 504.
 */

/* Threads that ask the node that leads.  ERROR_FORMAT: a file of node.ssl.* is no good. */
struct forwarder *forward_new(const struct settings *s, struct error *err);

/* What waits yet is given up.  No more requests come. */
void forward_free(struct forwarder *f);

/* How many changes the node that leads has answered, and how many it has not.  ${f} may be
 * NULL.  From any thread. */
void forward_count(const struct forwarder *f, uint64_t *answered, uint64_t *failed);

/* Has another node to do this?  true: it will be answered. */
bool forward_begin(struct exchange *x);

/* Is it forwarded? */
bool forward_is_one(const struct exchange *x);

/* Of one that is about to be answered: tell who forwarded it when it has the change. */
void forward_done(struct exchange *x);

/* Who asks for a forwarded change, from the header.  false: it does not come from a node. */
bool forward_accept(struct exchange *x);

/* What an endpoint asks of its request. */

const struct settings *request_settings(const struct exchange *x);

/* Why the node may not tell what it has, as the topic is beyond it; NULL: it may. */
const char *request_withheld(const struct exchange *x);
struct store *request_store(const struct exchange *x);

/* The thread's reader, begun: reader_end follows before the request is answered.
 * NULL: it was failed. */
struct reader *request_reader(struct exchange *x);
bool request_mredjem(const struct exchange *x);

/* A parameter of the route: decoded, NUL-terminated. */
const char *request_param(const struct exchange *x, enum param p, size_t *n);

/* The caller's name without "User:". */
const char *request_principal(const struct exchange *x);

/* May the caller do this?  ${why} is filled when so. */
bool request_allows(struct exchange *x, enum operation op, const char *path, size_t n);

/* Is the query's ${name} "true" or "1"? */
bool request_flag(const struct exchange *x, const char *name);

/* Does the query have ${name} with another value than true, 1, false and 0? */
bool request_flag_odd(const struct exchange *x, const char *name);

/* The query's ${name}, appended to ${out}.  1: found; 0: not there; -1: bad
 * encoding, and the request has been failed. */
int request_query(struct exchange *x, const char *name, struct buf *out);

/* As a number from ${low} to ${high}; -1: failed with 422. */
int request_number(struct exchange *x, const char *name, uint64_t low, uint64_t high,
    uint64_t *value);

enum audit_phase;

/* administrators_remain with the service's data and ways of login; on the worker's
 * thread, which makes all such changes one after the other. */
int request_keeps_administrator(struct exchange *x, struct administrators_loss *loss,
    struct error *err);

/*
 * The ways a request ends.  What belongs on record is made durable first;
 * where that fails, nothing of the answer leaves but a 503.
 */

/* Begin the answer's body anew; what is written goes there. */
struct json_out *answer_json(struct exchange *x);

/* The name of a backup in the body; false: answered. */
#define BACKUP_NAME_MAX 100
bool admin_backup_name(struct exchange *x, char name[BACKUP_NAME_MAX + 1]);

/* Answer with ${status} and what is in ${x}->body. */
void answer_send(struct exchange *x, int status);

/* Answer with an error; ${subcode} 0: there is none.  Never with a value. */
void answer_fail(struct exchange *x, int status, int subcode, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with a message of any length. */
void answer_fail_long(struct exchange *x, int status, int subcode, const struct buf *message);

/* What precedes the paths here in an absolute URI, without a last slash. */
void answer_base(const struct exchange *x, struct buf *out);

/* What another node has answered and put on record, with ${x}->body. */
void answer_relay(struct exchange *x, int status);

/* The body could not be taken: 400 or 422 with what ${why} says. */
void answer_body(struct exchange *x, enum body_result result, const char *why);

/* 403; ${path} NULL: on the whole registry. */
void answer_deny(struct exchange *x, enum operation op, const char *path, size_t n);

/* 500, or 503 where trying again helps. */
void answer_error(struct exchange *x, const struct error *err);

/* Put the intent on record, then go on with ${then}; 503 if that fails. */
void answer_intend(struct exchange *x, void (*then)(struct exchange *x));

/* What the audit is told of a request, in either phase. */
void answer_describe(const struct exchange *x, enum audit_phase phase, struct audit_event *e);

/* A wrong login, of which the audit is told when auth says so. */
void answer_login_failed(struct exchange *x, int status, int subcode, const char *text);

/* Pieces of answers. */

/* RFC 3339 in UTC with milliseconds; null for 0. */
void reply_time(struct json_out *o, const char *key, int64_t ms);

/* {"error_code":...,"message":...} as the whole body. */
void reply_error(struct buf *out, int code, const void *message, size_t n);

/* The headers that every answer has; ${id} NULL: none is known; ${type} NULL:
 * there is no body. */
void reply_headers(struct http_request *r, const char *id, const char *type);

/* What goes on with a secret that is no longer live. */
const char *secret_json_state(const struct version_view *v);

/* A value of several goes into the answer: on record, it is named. */
void answer_gives(struct exchange *x, const struct secret_name *name, uint32_t version);

/* Open a value into the thread's scratch buffer, which stays valid until the
 * next call.  NULL: it cannot be opened (counted). */
const struct buf *secret_json_open(struct exchange *x, const struct secret_name *name,
    const struct version_view *v, struct error *err);

/**
 * secret_json_append(name, v, value, n, metadata, out):
 * A value {"path":,"key":,"version":,"secret":}; without "secret" if ${value} is NULL;
 * with who, when and until if ${metadata}.
 */
void secret_json_append(const struct secret_name *name, const struct version_view *v,
    const void *value, size_t n, bool metadata, struct json_out *out);

/* ?limit=1..1000&after=NAME of a listing. */
#define PAGE_LIMIT_MAX 1000

struct page {
	uint64_t limit;		/* UINT64_MAX: all */
	uint64_t count;		/* so far */
	struct buf after;	/* begin after this name; len 0: with the first */
};

/* -1: the request was failed.  page_release in any case. */
int page_read(struct exchange *x, struct page *p);
void page_release(struct page *p);

/* The name to begin after, "" for none; its length is ${p}->after.len. */
const char *page_after(const struct page *p);

/* One more would go beyond the limit. */
bool page_is_full(const struct page *p);

/**
 * page_link(x, p, last, n, ...):
 * Have the answer point to the next page, which begins after ${last}.  The
 * names in ${keep}, separated by blanks, are carried over from the query.
 */
void page_link(struct exchange *x, const struct page *p, const char *last, size_t n,
    const char *keep);

/* Add one more parameter to the link. */
void page_link_add(struct exchange *x, const char *name, const void *value, size_t n);

/* See to it that every change is on record together with what it changes: each
 * store_op that is submitted must be that of a change (change.h). */
void commit_hook_begin(struct api *a);

#endif /* !REGISTRY_API_EXCHANGE_H */

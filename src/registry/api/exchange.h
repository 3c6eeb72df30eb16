#ifndef REGISTRY_API_EXCHANGE_H
#define REGISTRY_API_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "registry/auth/access.h"
#include "registry/api/route.h"
#include "registry/audit/audit.h"
#include "registry/auth/auth.h"
#include "registry/http/target.h"

struct api;
struct api_thread;
struct http_request;

/* The largest answer: a longer list of values must be asked for in pages. */
#define EXCHANGE_BODY_MAX ((size_t)64 << 20)

#define EXCHANGE_ID_MAX 64

/*
 * One request from its arrival to the answer.  Everything runs on the event
 * thread of the request; other threads (auth, audit, store, helper) hand it
 * back there with http_post.
 *
 * An endpoint's run() asks with request.h and ends in one call of answer.h, now or
 * in a continuation.
 */
struct exchange {
	struct api *api;
	struct api_thread *thread;
	struct http_request *r;
	struct exchange *next;		/* in the pool, or the helper's queue */
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
	struct audit_wait wait;
	void (*then)(struct exchange *x);	/* once the intent is durable */

	/* The answer. */
	int status;
	struct json_out json;		/* writes ${body}: see answer_json */
	const char *content_type;	/* NULL: JSON */
	uint32_t etag;			/* 0: none */
	const char *link_name;		/* "Location" or "Link", with ${link} */

	void *work;			/* the endpoint's own ... */
	void (*work_free)(void *work);	/* ... released with the exchange */
	void (*helped)(struct exchange *x);	/* helper.h: on the helper's thread */
	void (*help_done)(struct exchange *x);	/* and then here */

	/* An error's, or what the audit is told of a success; not cleared behind its NUL. */
	char message[1280];

	/* Kept from one request to the next. */
	struct buf body;		/* secret: the answer's */
	struct buf link;
	struct target target;
};

/* Take a request in. */
void exchange_start(struct api *a, struct http_request *r);

/* Send ${status} and ${body}, give the exchange back: for answer.c alone. */
void exchange_reply(struct exchange *x);

/* Room for the endpoint's own state, zeroed; NULL: the request was failed. */
void *exchange_work(struct exchange *x, size_t size, void (*release)(void *work));

void exchange_pool_free(struct api_thread *t);

/* Something was handed to the audit or the store (the counter of ${lazy}):
 * wake them when every request that is there has been looked at, or many have. */
void exchange_lazily(struct exchange *x, unsigned *lazy);

#endif /* !REGISTRY_API_EXCHANGE_H */

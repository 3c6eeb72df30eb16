#ifndef REGISTRY_API_ANSWER_H
#define REGISTRY_API_ANSWER_H

#include <stddef.h>

#include "registry/auth/access.h"

enum audit_phase;
struct audit_event;
struct buf;
struct error;
struct exchange;
struct json_out;

/*
 * The ways a request ends.  What belongs on record is made durable first;
 * where that fails, nothing of the answer leaves but a 503.
 */

/* Begin the answer's body anew; what is written goes there. */
struct json_out *answer_json(struct exchange *x);

/* Answer with ${status} and what is in ${x}->body. */
void answer_send(struct exchange *x, int status);

/* Answer with an error; ${subcode} 0: there is none.  Never with a value. */
void answer_fail(struct exchange *x, int status, int subcode, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with a message of any length. */
void answer_fail_long(struct exchange *x, int status, int subcode, const struct buf *message);

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

#endif /* !REGISTRY_API_ANSWER_H */

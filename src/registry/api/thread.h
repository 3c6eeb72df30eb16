#ifndef REGISTRY_API_THREAD_H
#define REGISTRY_API_THREAD_H

#include <stdint.h>

#include "base/buf.h"

struct api;
struct buf_pool;
struct error;
struct exchange;
struct keyring;
struct mac;
struct sealer;
struct tally;

/*
 * What each event thread has for itself, so that requests on different
 * threads share no lock and no OpenSSL context.
 */
struct api_thread {
	struct api *api;
	struct sealer *sealer;
	struct mac *caller;		/* Idempotency-Key: who, where, which */
	struct mac *content;		/* Idempotency-Key: the body's meaning */
	struct buf value;		/* secret: an opened value, within one call */
	struct buf_pool *values;	/* for those on their way to the store */
	unsigned audit_lazy, store_lazy;	/* submitted, and not woken for yet */
	struct exchange *pool;		/* exchanges at rest */
	unsigned pooled;
	char id_prefix[17];		/* of the request ids made here */
	uint64_t id_next;
	struct tally *tally;
};

int thread_init(struct api_thread *t, struct api *a, struct keyring *k, struct error *err);
void thread_release(struct api_thread *t);

#endif /* !REGISTRY_API_THREAD_H */

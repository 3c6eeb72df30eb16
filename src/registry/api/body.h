#ifndef REGISTRY_API_BODY_H
#define REGISTRY_API_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct json_t;

/* The bodies of requests: JSON, read strictly. */
enum body_result {
	BODY_OK,
	BODY_SYNTAX,	/* 400: no JSON */
	BODY_SHAPE,	/* 422 (mredjem: 500): no object, or no "secret" in it */
	BODY_INVALID,	/* 422: a member that cannot be */
	BODY_LARGE	/* 413: the value */
};

#define BODY_TTL_MAX (INT64_C(10) * 365 * 24 * 3600)	/* seconds: ten years */
#define BODY_CUSTOM_MAX 64		/* metadata: entries, */
#define BODY_CUSTOM_NAME_MAX 128	/* bytes of a name, */
#define BODY_CUSTOM_VALUE_MAX 512	/* of a value */

struct body_limits {
	size_t secret_max;
	bool refuse_masks;
};

/* What `POST .../versions` brings. */
struct body_create {
	struct buf value;	/* secret */
	int64_t cas;		/* -1: none */
	int64_t ttl_ms;		/* 0: none */
	struct buf custom;	/* JSON object, its names sorted; empty: none */
};

void body_create_init(struct body_create *b);
void body_create_release(struct body_create *b);

/* ${why} (${size} bytes) gets a message for other results than BODY_OK; it
 * never holds anything of the body. */
enum body_result body_create_parse(const void *text, size_t n, const struct body_limits *l,
    struct body_create *out, char *why, size_t size);

/* What `PATCH .../metadata` brings. */
struct body_metadata {
	bool has_max_versions, has_cas_required;
	uint32_t max_versions;
	bool cas_required;
	int64_t cas;		/* -1: none */
	struct buf custom;	/* as above; "{}" empties it */
};

void body_metadata_init(struct body_metadata *b);
void body_metadata_release(struct body_metadata *b);
enum body_result body_metadata_parse(const void *text, size_t n, struct body_metadata *out,
    char *why, size_t size);

/* Any JSON object.  The caller frees ${*root} with json_decref. */
enum body_result body_object(const void *text, size_t n, struct json_t **root, char *why,
    size_t size);

/* Is the value what a form shows in a password's place: three or more '*', or
 * "[hidden]" (Kafka's)? */
bool body_is_mask(const void *value, size_t n);

#endif /* !REGISTRY_API_BODY_H */

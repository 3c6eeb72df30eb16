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
	int64_t created_ms;	/* 0: now */
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

/* If-Match and If-None-Match (RFC 9110, section 13.1). */

/* Does the header's list name the entity tag of ${version} ("*" names any)?
 * With ${weak} W/"n" counts as "n". */
bool condition_names(const char *header, uint32_t version, bool weak);

/* Is it "*" and nothing else? */
bool condition_is_any(const char *header);

/* Is it one strong tag?  ${version} gets its number, or 0 if it is none of ours. */
bool condition_is_one(const char *header, uint32_t *version);

/*
 * References in a config value, as Kafka's ConfigTransformer finds them:
 * ${provider:[path:]key}.  Provider and path hold no ':', nothing holds '}';
 * a "${" without ':' before the next '}' is none.
 */
struct reference {
	size_t begin, end;	/* in the text: "${" to behind "}" */
	const char *provider, *path, *key;	/* in the text, not terminated */
	size_t provider_len, path_len, key_len;
	bool has_path;
};

/* The next reference at ${from} or behind; false: there is none. */
bool reference_scan(const char *text, size_t n, size_t from, struct reference *out);

#endif /* !REGISTRY_API_BODY_H */

#ifndef REGISTRY_STORE_RECORD_INTERNAL_H
#define REGISTRY_STORE_RECORD_INTERNAL_H

#include <stddef.h>

#include "registry/store/record.h"

struct log_record;

#define RECORD_FORMAT 1			/* m of the values written here */
#define RECORD_ALGORITHM "HKDF-SHA256+AES-256-GCM"

/* Memory for what a record holds, used again by the next one. */
struct record_parser {
	char *text;			/* decoded strings */
	size_t text_cap, text_used;
	unsigned char *sealed;
	size_t sealed_cap;
	struct record_deleted *deleted;
	size_t deleted_cap;
	struct record_range *ranges;
	size_t range_cap;
	char *custom;			/* from malloc, NULL mostly */
};

/* What a value was read as. */
enum record_read {
	RECORD_READ,
	RECORD_NOT_READ,		/* not as expected: try another way */
	RECORD_NEWER,			/* well formed, of another format */
	RECORD_NO_MEMORY
};

/* record_value.c: values as record_encode writes them. */
enum record_read record_read_secret(struct record_parser *p, const struct log_record *r,
    struct record *out);
enum record_read record_read_meta(struct record_parser *p, const struct log_record *r,
    struct record *out);

/* record_loose.c: the same with members in any order, and more of them. */
enum record_read record_loose_secret(struct record_parser *p, const struct log_record *r,
    struct record *out);
enum record_read record_loose_meta(struct record_parser *p, const struct log_record *r,
    struct record *out);
enum record_read record_loose_leader(struct record_parser *p, const struct log_record *r,
    struct record *out);

/* Is the text an object?  What is ${member}'s string (in the parser's text;
 * NULL: none)?  RECORD_NOT_READ: not an object. */
enum record_read record_loose_object(struct record_parser *p, const void *text, size_t n,
    const char *member, const char **string);

/* A run of deleted versions, one more range: checked for order and limits. */
enum record_read record_add_deleted(struct record_parser *p, struct record *out,
    uint64_t from, uint64_t to, int64_t at_ms, const char *by);
enum record_read record_add_range(struct record_parser *p, struct record *out, uint64_t from,
    uint64_t to);

/* Put the three base64 parts and the kid together as keyring.h says. */
enum record_read record_set_sealed(struct record_parser *p, struct record *out, uint32_t kid,
    const char *const parts[3], const size_t lengths[3]);
bool record_set_idem(struct record *out, const char *text, size_t n);

#endif /* !REGISTRY_STORE_RECORD_INTERNAL_H */

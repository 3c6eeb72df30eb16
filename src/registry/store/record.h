#ifndef REGISTRY_STORE_RECORD_H
#define REGISTRY_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct log_record;
struct record_parser;

/*
 * Records as they stand in the log (registry-contract 6.6).  Keys are JSON
 * objects with a fixed order of members and no blanks; values are JSON.
 * A SECRET's key holds a random claim, so that two writers' records of one
 * version never replace each other; of several, the one with the lowest
 * offset counts.  META is written when versions are deleted, undeleted or
 * destroyed and when settings change; it carries the highest number ever
 * given, so numbers are never used again.
 */
enum record_type {
	RECORD_SECRET, RECORD_META, RECORD_KEYRING, RECORD_LEADER, RECORD_NOOP,
	RECORD_AUDIT,		/* lines of the audit log that came with a change */
	RECORD_UNKNOWN,		/* well formed, of a type or format not known here */
	RECORD_GARBAGE
};

struct record_deleted {
	uint32_t number;
	int64_t at_ms;
	const char *by;
};

struct record_range {
	uint32_t from, to;
};

/* At most so many deleted versions are held of a key, and destroyed ranges;
 * a META that says more is garbage. */
#define RECORD_DELETED_MAX (1U << 20)
#define RECORD_DESTROYED_MAX (1U << 16)

#define RECORD_SLOT_MAX 255U

/* Strings point into the record or into what record_parse allocated. */
struct record {
	enum record_type type;
	enum record_type key_type;	/* SECRET or META by the key, even if the value
					 * is UNKNOWN or GARBAGE; else as type */
	bool tombstone;
	const char *path, *key;
	size_t path_len, key_len;

	/* SECRET */
	uint32_t version;
	unsigned char claim[16];
	const unsigned char *sealed;	/* as keyring.h says */
	size_t sealed_len;
	int64_t created_ms, expires_ms;
	const char *created_by;
	uint64_t epoch;
	bool has_idem;
	unsigned char idem[64];

	/* META */
	uint32_t high;
	const struct record_deleted *deleted;
	size_t deleted_count;
	const struct record_range *destroyed;
	size_t destroyed_count;
	uint32_t max_versions;
	bool cas_required;
	const char *custom;
	int64_t updated_ms;
	const char *updated_by;
	uint32_t mcas;

	/* AUDIT */
	uint32_t slot;

	/* KEYRING, AUDIT: the value itself; LEADER: epoch and node */
	const char *text;
	size_t text_len;
	const char *node;
};

/* What parsing keeps between calls (scratch memory); one a thread. */
struct record_parser *record_parser_new(void);
void record_parser_free(struct record_parser *p);

/* Valid until the next call.  -1: no memory; else ${out}'s type tells. */
int record_parse(struct record_parser *p, const struct log_record *r, struct record *out);

/* Append the key's, and the value's, bytes.  A failure stays in the buffer. */
void record_encode_key(const struct record *r, struct buf *out);
void record_encode_value(const struct record *r, struct buf *out);

#endif /* !REGISTRY_STORE_RECORD_H */

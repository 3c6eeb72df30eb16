#ifndef REGISTRY_STORE_RECORD_INTERNAL_H
#define REGISTRY_STORE_RECORD_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/store/record.h"

/*
 * A scanner for JSON whose members stand in a known order without blanks: each
 * call takes what is expected, or fails, and then all later ones fail too.
 */
struct scan {
	const unsigned char *p, *end;
	char *text;		/* where decoded strings go: room for all that is left */
	bool failed;
};

/* Exactly these bytes. */
bool scan_literal(struct scan *s, const char *bytes, size_t n);
#define scan_is(s, literal) scan_literal((s), "" literal, sizeof(literal) - 1)

/* The same, but not finding them is no failure. */
bool scan_optional(struct scan *s, const char *bytes, size_t n);
#define scan_may(s, literal) scan_optional((s), "" literal, sizeof(literal) - 1)

/* 0..max without sign, leading zeros or a fraction; 0 on failure. */
uint64_t scan_number(struct scan *s, uint64_t max);
int64_t scan_time(struct scan *s);

/* A string with any escape, in UTF-8, without NUL; kept NUL-terminated. */
const char *scan_string(struct scan *s);

/* A string in which only " and \ are escaped (those must be); its bytes point
 * into the text unless there was an escape. */
const char *scan_name(struct scan *s, size_t *n);

/* A string's bytes as they are, up to the next ". */
const char *scan_raw(struct scan *s, size_t *n);

/* An object of strings, without blanks, the names in ascending order of their
 * bytes, so that none stands twice: its text as it stands, NUL-terminated. */
const char *scan_strings(struct scan *s);

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

#endif /* !REGISTRY_STORE_RECORD_INTERNAL_H */

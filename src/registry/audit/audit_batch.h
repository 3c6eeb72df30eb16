#ifndef REGISTRY_AUDIT_AUDIT_BATCH_H
#define REGISTRY_AUDIT_AUDIT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_wait;

#define AUDIT_BATCH_LINES 65536U	/* more are refused */
#define AUDIT_BATCH_BYTES ((size_t)64 << 20)

enum audit_line_kind {
	AUDIT_LINE_OTHER,
	AUDIT_LINE_BEGINS,	/* an intent of a change */
	AUDIT_LINE_ENDS		/* an outcome */
};

/* What stands before each line's bytes in a batch. */
struct audit_line {
	uint32_t len;
	enum audit_line_kind kind;
	uint64_t intent;	/* 0: none known */
};

/* What was submitted in one go. */
struct audit_entry {
	struct audit_wait *wait;	/* NULL: nobody waits (any more) */
	uint64_t deadline;		/* of the wait, CLOCK_MONOTONIC ms */
	uint64_t seq;			/* of the first line, once sealed */
	size_t at;			/* of the first line in the bytes */
	uint32_t lines;
	bool keep;		/* write it also when nobody waits any more */
	bool expired;		/* the wait was told that it failed */
};

/* Lines that wait to be written. */
struct audit_batch {
	char *bytes;
	size_t len, cap;
	struct audit_entry *entries;
	size_t count, entry_cap;
	size_t lines;
};

void audit_batch_init(struct audit_batch *b);
void audit_batch_release(struct audit_batch *b);

/* Empty it; memory of a burst is given back. */
void audit_batch_clear(struct audit_batch *b);

/* A new entry without lines (fields zero); NULL: no memory or full. */
struct audit_entry *audit_batch_entry(struct audit_batch *b);

/* Add a line to the last entry.  -1: no memory, or full; the last entry
 * must then be taken back. */
int audit_batch_line(struct audit_batch *b, const struct audit_line *head, const char *bytes);
void audit_batch_undo(struct audit_batch *b);

/* Step through an entry's lines: ${*at} starts as entry->at. */
const char *audit_batch_next(const struct audit_batch *b, size_t *at, struct audit_line *head);

/* What its first line is the outcome of. */
void audit_batch_set_intent(struct audit_batch *b, const struct audit_entry *e, uint64_t seq);

/* Copy an entry to the end of another batch, without its wait. */
int audit_batch_copy(struct audit_batch *to, const struct audit_batch *from,
    const struct audit_entry *e);

#endif /* !REGISTRY_AUDIT_AUDIT_BATCH_H */

#ifndef UI_NOTICES_H
#define UI_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define NOTICES_MAX 200

/*
 * What was told lately: the notices below the panes, and errors of dialogs.
 * Never a value: no such text has one.
 */
struct notices {
	struct notice {
		int64_t at;	/* milliseconds since 1970 */
		bool is_error;
		char *text;	/* NULL: there was no memory for it */
	} ring[NOTICES_MAX];
	size_t count;		/* since the start; the last ones are in the ring */
};

void notices_add(struct notices *n, bool is_error, const char *text);

/* The text of the last one is this now. */
void notices_amend(struct notices *n, const char *text);

void notices_release(struct notices *n);

/* Append those that are kept, the newest first, a line each; `!` before an error. */
void notices_append(const struct notices *n, struct buf *out);

#endif /* !UI_NOTICES_H */

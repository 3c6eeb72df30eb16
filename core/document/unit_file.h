#ifndef DOCUMENT_UNIT_FILE_H
#define DOCUMENT_UNIT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* The settings of a systemd unit file or drop-in, systemd.syntax(7). */
struct unit_file {
	const char *text;
	size_t n;
	size_t at;
	size_t line;		/* of ${at}, from 0 */
	bool in_service;	/* the section is [Service] */
	struct buf name;	/* of the setting */
	struct buf value;	/* secret; continued lines are joined by a blank */
	size_t start;		/* the line of the setting, from 1 */
};

/* Read from ${text}, which must outlive it. */
void unit_file_init(struct unit_file *u, const char *text, size_t n);
void unit_file_release(struct unit_file *u);

/* The next setting of [Service]; false at the end, or without memory. */
bool unit_file_next(struct unit_file *u);

/* Is this its name? */
bool unit_file_is(const struct unit_file *u, const char *name);

/**
 * unit_file_word(u, at, word):
 * The word of the value at offset ${*at}, without its quotes, into ${word}
 * (secret), and move on.  False: there is none.
 */
bool unit_file_word(const struct unit_file *u, size_t *at, struct buf *word);

#endif /* !DOCUMENT_UNIT_FILE_H */

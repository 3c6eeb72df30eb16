#ifndef UI_PREVIEW_H
#define UI_PREVIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/vec.h"

struct environment;
struct error;
struct estate_entry;
struct estate_file;
struct model;

/*
 * A whole file, line by line and masked, as it is on disk and as a service reads it, without the
 * screen.  No value is in it.  It is good until the model changes.
 */
struct preview {
	struct buf text;		/* as it is on disk */
	struct vec lines;		/* of struct preview_line */
	struct vec values;		/* of struct preview_value, by line */
	const struct estate_file *file;	/* NULL: a secrets file, */
	struct environment *environment;	/* of this environment; NULL: it is not known */
};

struct preview_line {
	size_t at, len;		/* in the text */
	size_t number;		/* in the file, where a secret may be of several lines */
	size_t first, count;	/* of its values */
	bool clear;		/* there is clear text, perhaps of no entry */
};

/* A secret: what a reference stands for, in clear text, sealed. */
struct preview_value {
	size_t line;		/* of ->lines */
	size_t from, to;	/* in its text; the same: it cannot be told where */
	char letter;		/* of its state */
	const struct estate_entry *entry;	/* NULL: of a secrets file, */
	size_t sealed;				/* the entry there */
};

void preview_init(struct preview *p);
void preview_release(struct preview *p);

/* Read a file in place of what is there: a secrets file with ${secrets}, of ${x} (NULL: it is
 * not known).  Errors: those of configuration_load; ERROR_MEMORY, ERROR_LIMIT. */
int preview_load(struct preview *p, const struct model *m, const char *path, bool secrets,
    struct environment *x, struct error *err);

const struct preview_line *preview_line(const struct preview *p, size_t i);
const struct preview_value *preview_value(const struct preview *p, size_t i);
const char *preview_text(const struct preview *p, const struct preview_line *l);

/* Where a service that reads the line would not start: of its values the one for which. */
const struct preview_value *preview_stops(const struct preview *p, const struct preview_line *l);

/* Append the line as a service reads it, ${bullets} for each value; returns how many bytes of
 * that stand before ${v} (NULL: nobody asks). */
size_t preview_append_read(const struct preview *p, const struct preview_line *l,
    const struct preview_value *v, const char *bullets, struct buf *out);

/* Append what there is to be said of a value, in a sentence that begins with its letter. */
void preview_say(const struct preview *p, const struct model *m, const struct preview_value *v,
    struct buf *out);

#endif /* !UI_PREVIEW_H */

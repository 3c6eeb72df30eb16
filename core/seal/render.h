#ifndef SEAL_RENDER_H
#define SEAL_RENDER_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct configuration;
struct error;
struct plan;
struct secrets_file;

/*
 * A configuration with its references resolved (secrets/reference.h).  The
 * plan's secrets file must be unlocked; remarks become notes of the plan, and
 * nothing is planned.
 */

enum render_reader {
	RENDER_PROGRAM,	/* it takes the file's place: all of ours must resolve */
	RENDER_PERSON	/* to be edited: what does not resolve stays, with a note */
};

/**
 * render_document(p, c, reader, out, err):
 * Append the whole file to ${out} (secret), every byte outside the resolved
 * values as it is.  For a program the provider that nothing refers to any
 * more is taken out again (provider.h); references to other providers stay,
 * with a note.  Errors as for render_value.
 */
int render_document(struct plan *p, const struct configuration *c,
    enum render_reader reader, struct buf *out, struct error *err);

/**
 * render_value(p, c, i, out, err):
 * Append the resolved value of entry ${i} to ${out} (secret).  ERROR_MISSING
 * (a dangling reference) at the configuration's line; ERROR_DAMAGED at the
 * secrets file's.
 */
int render_value(struct plan *p, const struct configuration *c, size_t i,
    struct buf *out, struct error *err);

enum render_form {
	RENDER_PROPERTIES,	/* key=value lines, escaped as .properties */
	RENDER_JSON,		/* one object of strings, on one line */
	RENDER_ENV		/* NAME='value' lines for a POSIX shell */
};

/**
 * render_entries(p, c, form, prefix, keys, lens, n, out, err):
 * Append resolved entries of ${c} to ${out} (secret): those of the given
 * keys, in that order, or with ${n} 0 all that a reader of the resolved file
 * (render_document) sees, in its order.  The plan's secrets file must be unlocked.
 *
 * Names of RENDER_ENV are made as Confluent's images read them: upper case,
 * `.` becomes `_`, `_` becomes `__`, `-` becomes `___` (env_to_props of
 * confluent-docker-utils; its documentation has the last two the other way
 * round); any other byte that is no letter or digit becomes `_`, which also
 * goes before a leading digit.  ${prefix} ("" for none), such as KAFKA_, goes
 * before each; then a key that the image would read back as another is noted.
 *
 * ERROR_MISSING: a key is not there, or a dangling reference.  ERROR_REFUSED:
 * a value that the form cannot hold, or two keys that get one name.
 */
int render_entries(struct plan *p, const struct configuration *c,
    enum render_form form, const char *prefix, const char *const keys[],
    const size_t lens[], size_t n, struct buf *out, struct error *err);

/**
 * render_opened(c, s, keys, key_lens, n, any_name, out, err):
 * Append `key = value` lines with the opened values of the given keys of
 * ${c} (${n} 0: of all our references) to ${out} (secret).  ${s} must be
 * unlocked.  A key that is plain is written as it is when asked for by name.
 * A key may have wildcards (document_expand).
 * References inside a longer value (JAAS) are opened too, each under the key
 * of its sealed entry.
 * ERROR_MISSING: key not there, dangling reference, or (unless ${any_name}) a
 * reference that names another base name than ${c}'s: the file was renamed.
 * ERROR_DAMAGED.
 */
int render_opened(const struct configuration *c, const struct secrets_file *s,
    const char *const keys[], const size_t key_lens[], size_t n,
    bool any_name, struct buf *out, struct error *err);

#endif /* !SEAL_RENDER_H */

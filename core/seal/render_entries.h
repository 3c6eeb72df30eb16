#ifndef PLAN_RENDER_ENTRIES_H
#define PLAN_RENDER_ENTRIES_H

#include <stddef.h>

struct buf;
struct configuration;
struct error;
struct plan;

enum render_form {
	RENDER_PROPERTIES,	/* key=value lines, escaped as .properties */
	RENDER_JSON,		/* one object of strings, on one line */
	RENDER_ENV		/* NAME='value' lines for a POSIX shell */
};

/**
 * render_entries(p, c, form, keys, lens, n, out, err):
 * Append resolved entries of ${c} to ${out} (secret): those of the given
 * keys, in that order, or with ${n} 0 all that a reader of the resolved file
 * (render_document) sees, in its order.  The plan's secrets file must be unlocked.
 *
 * Names of RENDER_ENV are made as for Confluent's images: upper case, `.`
 * becomes `_`, `-` becomes `__`, `_` becomes `___`; any other byte that is no
 * letter or digit becomes `_`, which also goes before a leading digit.
 * (https://docs.confluent.io/platform/7.3/installation/docker/config-reference.html)
 *
 * ERROR_MISSING: a key is not there, or a dangling reference.  ERROR_REFUSED:
 * a value that the form cannot hold, or two keys that get one name.
 */
int render_entries(struct plan *p, const struct configuration *c,
    enum render_form form, const char *const keys[], const size_t lens[],
    size_t n, struct buf *out, struct error *err);

#endif /* !PLAN_RENDER_ENTRIES_H */

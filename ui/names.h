#ifndef UI_NAMES_H
#define UI_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Names in little room: what tells one from its neighbours stays. */

/* A key as it is shown: a JAAS address without the package and the word
 * LoginModule, as `key > Module > option`; a very long one without its middle. */
void name_append_short(const char *key, size_t len, struct buf *out);

/* The names beside one in a list: append the one that is ${offset} rows further
 * to ${out}; false: there is none. */
struct name_neighbours {
	bool (*at)(const void *cookie, size_t row, int offset, struct buf *out);
	const void *cookie;
	size_t row;
};

/**
 * name_draw(y, x, w, style, name, beside):
 * Draw a name in at most ${w} columns.  A longer one is cut in the middle: of a
 * path its last part stays if that fits; the cut moves to where neighbours
 * (NULL: there are none) differ.  Returns the columns used.
 */
int name_draw(int y, int x, int w, unsigned int style, const struct buf *name,
    const struct name_neighbours *beside);

#endif /* !UI_NAMES_H */

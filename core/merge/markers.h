#ifndef MERGE_MARKERS_H
#define MERGE_MARKERS_H

#include <stddef.h>

struct buf;

/* The lines that git, and merge.h, put around the two sides of a conflict. */
#define MARKERS_OURS "<<<<<<< ours"
#define MARKERS_BETWEEN "======="
#define MARKERS_THEIRS ">>>>>>> theirs"

/* The line, from 1, of the first conflict marker in the text; 0: none.  A line
 * is one when it is seven `<` or `>`, with or without a blank and a label. */
size_t markers_line(const struct buf *text);

/* How many lines begin a conflict, and how many end one. */
void markers_count(const struct buf *text, size_t *begin, size_t *end);

#endif /* !MERGE_MARKERS_H */

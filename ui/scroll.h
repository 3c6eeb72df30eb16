#ifndef UI_SCROLL_H
#define UI_SCROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct about;
struct rect;

/* A text that may be longer than its place: where it is scrolled to. */
struct scroll {
	size_t first;	/* line that is shown */
	size_t lines;	/* of the text, and how many are shown, as of the last scroll_draw */
	size_t shown;
};

/* How many lines the text takes in ${width} columns. */
size_t scroll_lines(const char *text, size_t n, int width);

/* Draw what is shown of the text, its very first line in style ${first}; that there is more
 * shows in the column behind ${r}. */
void scroll_draw(struct scroll *s, const struct rect *r, unsigned int first, const char *text,
    size_t n);

/* Do what a movement key says; false when ${key} is none, or all is shown. */
bool scroll_key(struct scroll *s, uint32_t key);

/* Its keys, for the help; none where all is shown. */
void scroll_about(const struct scroll *s, struct about *out);

#endif /* !UI_SCROLL_H */

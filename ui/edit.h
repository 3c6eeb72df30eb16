#ifndef UI_EDIT_H
#define UI_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define LINE_EDIT_MAX 4096	/* bytes */

/* One line of text that is being typed: UTF-8, and never a secret. */
struct line_edit {
	char text[LINE_EDIT_MAX];	/* NUL-terminated */
	size_t len;
	size_t at;	/* the cursor, in bytes */
};

/* Start with ${text}, the cursor at its end. */
void line_edit_set(struct line_edit *l, const char *text);

/* Take a key; false when it is none that edits. */
bool line_edit_key(struct line_edit *l, uint32_t key);

/* Draw in ${w} columns and put the cursor there; a long text scrolls. */
void line_edit_draw(const struct line_edit *l, int y, int x, int w);

/* Typing a secret: into a secret buffer, at its end only, never drawn. */
void secret_edit_key(struct buf *b, uint32_t key);

/* How many characters there are: so many bullets. */
size_t secret_edit_length(const struct buf *b);

#endif /* !UI_EDIT_H */

#ifndef UI_LIST_H
#define UI_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A cursor in a list of which a part is on the screen. */
struct list {
	size_t count;
	size_t cursor;	/* < count, 0 when empty */
	size_t top;	/* the first row on the screen */
	size_t height;	/* rows on the screen, as of the last list_fit */
};

/* Take new sizes: cursor and top come to lie inside, the cursor is shown. */
void list_fit(struct list *l, size_t count, size_t height);

void list_go(struct list *l, size_t row);

/* Do what a movement key says; false when ${key} is none. */
bool list_key(struct list *l, uint32_t key);

#endif /* !UI_LIST_H */

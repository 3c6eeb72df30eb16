#include "ui/event.h"
#include "ui/list.h"

void
list_fit(struct list *l, size_t count, size_t height)
{
	l->count = count;
	l->height = height > 0 ? height : 1;
	if (l->cursor >= count)
		l->cursor = count > 0 ? count - 1 : 0;
	if (l->top > l->cursor)
		l->top = l->cursor;
	if (l->cursor - l->top >= l->height)
		l->top = l->cursor - l->height + 1;
	/* No empty rows at the end while there is something above. */
	if (count <= l->height)
		l->top = 0;
	else if (l->top > count - l->height)
		l->top = count - l->height;
}

void
list_go(struct list *l, size_t row)
{
	l->cursor = row;
	list_fit(l, l->count, l->height);
}

static void
list_move(struct list *l, bool down, size_t by)
{
	size_t last = l->count > 0 ? l->count - 1 : 0;

	if (down)
		list_go(l, last - l->cursor < by ? last : l->cursor + by);
	else
		list_go(l, l->cursor < by ? 0 : l->cursor - by);
}

bool
list_key(struct list *l, uint32_t key)
{
	size_t page = l->height > 1 ? l->height - 1 : 1;

	switch (key) {
	case INPUT_UP:
		list_move(l, false, 1);
		return true;
	case INPUT_DOWN:
		list_move(l, true, 1);
		return true;
	case INPUT_PAGE_UP:
		list_move(l, false, page);
		return true;
	case INPUT_PAGE_DOWN:
		list_move(l, true, page);
		return true;
	case INPUT_HOME:
		list_move(l, false, l->count);
		return true;
	case INPUT_END:
		list_move(l, true, l->count);
		return true;
	default:
		return false;
	}
}

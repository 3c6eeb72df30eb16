#include "ui/canvas.h"

#include <string.h>

#include "base/buf.h"
#include "ui/canvas.h"

#define NAME_MAX_BYTES 65536
#define LONG_NAME 4096	/* a longer name is cut in the middle */
#define NEAR 24		/* so far up and down names are looked at */

/* No screen has room for all of it. */
static void
name_append_ends(const char *key, size_t len, struct buf *out)
{
	size_t head = LONG_NAME / 2, from = len - LONG_NAME / 2;

	while (head > 0 && ((unsigned char)key[head] & 0xc0) == 0x80)
		head--;
	while (from < len && ((unsigned char)key[from] & 0xc0) == 0x80)
		from++;
	buf_append(out, key, head);
	buf_append_str(out, canvas_glyph(GLYPH_ELLIPSIS));
	buf_append(out, key + from, len - from);
}

void
name_append_short(const char *key, size_t len, struct buf *out)
{
	static const char word[] = "LoginModule";
	const char *option = memrchr(key, '/', len);
	const char *module = option != NULL ? memrchr(key, '/', (size_t)(option - key)) : NULL;
	const char *name, *end = module;

	if (len > LONG_NAME) {
		name_append_ends(key, len, out);
		return;
	}
	while (end != NULL && (size_t)(option - end) >= sizeof(word) - 1 &&
	    memcmp(end, word, sizeof(word) - 1) != 0)
		end++;
	if (end == NULL || (size_t)(option - end) < sizeof(word) - 1) {
		buf_append(out, key, len);
		return;
	}
	name = memrchr(module, '.', (size_t)(end - module));
	name = name != NULL ? name + 1 : module + 1;
	buf_append(out, key, (size_t)(module - key));
	buf_printf(out, " %s ", canvas_glyph(GLYPH_INTO));
	buf_append(out, name, (size_t)(end - name));
	/* The second module of a class has a number. */
	end += sizeof(word) - 1;
	buf_append(out, end, (size_t)(option - end));
	buf_printf(out, " %s ", canvas_glyph(GLYPH_INTO));
	option++;
	buf_append(out, option, len - (size_t)(option - key));
}

/* Would two different names look the same in ${w} columns, with ${tail} at the end? */
static bool
looks_alike(const struct buf *one, const struct buf *other, size_t w, size_t tail)
{
	size_t head = w - 1 - tail;

	return other->len > w && one->len > w && !buf_equal(one, other) &&
	    memcmp(one->data, other->data, head) == 0 &&
	    memcmp(one->data + one->len - tail, other->data + other->len - tail, tail) == 0;
}

/* Is there a neighbour that would look the same? */
static bool
has_twin(const struct buf *name, const struct name_neighbours *beside, size_t w, size_t tail)
{
	struct buf other;
	bool twin = false;
	int offset;

	buf_init(&other, NAME_MAX_BYTES);
	for (offset = -NEAR; !twin && offset <= NEAR; offset++) {
		buf_clear(&other);
		if (offset != 0 && beside->at(beside->cookie, beside->row, offset, &other))
			twin = looks_alike(name, &other, w, tail);
	}
	buf_release(&other);
	return twin;
}

/* How many columns of the end stay. */
static int
name_tail(const struct buf *name, const struct name_neighbours *beside, int w)
{
	const char *slash = memrchr(name->data, '/', name->len);
	size_t last = slash != NULL ? name->len - (size_t)(slash + 1 - (char *)name->data) : 0;
	int room = w - 1;
	int tails[] = { last > 0 ? columns_text(slash + 1, last) : room * 2 / 3, room * 2 / 3,
		room / 2, room / 3, room / 6, room * 5 / 6, 0 };
	size_t i;

	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (tails[i] <= room && (beside == NULL ||
		    !has_twin(name, beside, (size_t)w, (size_t)tails[i])))
			return tails[i];
	return room * 2 / 3;
}

int
name_draw(int y, int x, int w, unsigned int style, const struct buf *name,
    const struct name_neighbours *beside)
{
	const char *text = name->len > 0 ? (const char *)name->data : "";
	int tail = 0;

	if (w > 1 && columns_text(text, name->len) > w)
		tail = name_tail(name, beside, w);
	return canvas_middle(y, x, w, style, text, name->len, tail);
}

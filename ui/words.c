#include "ui/words.h"

#include <stdio.h>

#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/columns.h"
#include "ui/reveal.h"
#include "ui/style.h"
#include "ui/ui.h"

#define TEXT_MAX 16384
#define REVEAL_MS 10000

void
words_init(struct words *w)
{
	buf_init(&w->place, TEXT_MAX);
	buf_init(&w->name, TEXT_MAX);
	buf_init(&w->text, TEXT_MAX);
	w->style = STYLE_TEXT;
}

void
words_release(struct words *w)
{
	buf_release(&w->text);
	buf_release(&w->name);
	buf_release(&w->place);
}

/* The value on the screen, for a while: only its frame goes through curses. */
void
words_draw_reveal(struct app *a, const struct rect *r)
{
	int ms = a->options->reveal_ms > 0 ? a->options->reveal_ms : REVEAL_MS;
	int lines = reveal_lines(a->reveal, r->w - 2);
	struct rect where = { r->y, r->x + 1, r->h, r->w - 2 };
	char text[96];

	if (r->h > 2) {
		where.h = lines < r->h ? lines : r->h - 1;
		snprintf(text, sizeof(text), "%s: any key masks it, and so do %d seconds",
		    lines > where.h ? "only the beginning fits" : "shown in clear",
		    (ms + 999) / 1000);
		canvas_text(r->y + where.h, r->x + 1, r->w - 2, STYLE_NOTICE, text);
	}
	reveal_place(a->reveal, &where);
}

static void
draw_text(const struct rect *r, struct words *w)
{
	const char *text = buf_cstr(&w->text);
	size_t n = w->text.len;
	size_t next, len;
	int y = r->y;
	int room = r->w - 2;
	int used;

	/* A long place leaves half of the line to the name. */
	used = columns_text((const char *)w->name.data, w->name.len);
	if (used > 0)
		room -= 2 + (used < room / 2 ? used : room / 2);
	used = canvas_tail(y, r->x + 1, room, STYLE_HEAD, buf_cstr(&w->place));
	if (w->name.len > 0 && used < r->w - 6)
		canvas_bytes(y, r->x + used + 3, r->w - used - 4, STYLE_TEXT,
		    (const char *)w->name.data, w->name.len);
	for (y++; n > 0 && y < r->y + r->h; y++) {
		/* What does not fit on the last line ends in an ellipsis. */
		len = columns_wrap(text, n, r->w - 2, &next);
		if (y == r->y + r->h - 1)
			len = n;
		canvas_bytes(y, r->x + 1, r->w - 2, w->style, text, len);
		text += next;
		n -= next;
	}
}

void
words_draw(struct app *a, const struct rect *r, struct words *w)
{
	struct rect below;

	if (!reveal_shown(a->reveal)) {
		draw_text(r, w);
		return;
	}
	buf_clear(&w->text);
	draw_text(r, w);
	below = (struct rect){ r->y + 1, r->x, r->h - 1, r->w };
	words_draw_reveal(a, &below);
}

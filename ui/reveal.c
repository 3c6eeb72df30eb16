#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "base/text.h"
#include "ui/canvas.h"
#include "ui/reveal.h"
#include "ui/term.h"

#define GAUGE 10		/* columns */
#define LAST_SECONDS 3		/* look like a warning */
#define LONG_MS 120000
#define VALUE_MAX ((size_t)1 << 20)	/* no screen shows more */

struct reveal {
	struct buf value;	/* secret */
	struct buf text;	/* the same, visible */
	bool shown;
	bool placed;		/* in the frame that is being drawn */
	bool end;		/* placed is the end of it */
	struct rect where;
	uint64_t until;
	int ms;			/* how long it is shown in all */
};

struct reveal *
reveal_new(void)
{
	struct reveal *r = calloc(1, sizeof(*r));

	if (r != NULL) {
		buf_init_secret(&r->text, 8 * VALUE_MAX);
		buf_init_secret(&r->value, BUF_MAX_FILE);
	}
	return r;
}

void
reveal_free(struct reveal *r)
{
	if (r == NULL)
		return;
	buf_release(&r->text);
	buf_release(&r->value);
	free(r);
}

/* What the locale cannot show becomes \u{NNNN}. */
static void
append_for_locale(struct buf *out, const struct buf *visible)
{
	uint32_t cp;
	size_t i = 0;
	size_t len;

	while (i < visible->len) {
		len = text_utf8_decode(visible->data + i, visible->len - i, &cp);
		if (len == 0)
			break;
		if (columns_can_show(cp)) {
			buf_append(out, visible->data + i, len);
		} else {
			buf_append_str(out, "\\u{");
			hex_append_number(out, cp, cp > 0xffff ? 6 : 4);
			buf_append_char(out, '}');
		}
		i += len;
	}
}

int
reveal_show(struct reveal *r, const void *bytes, size_t n, int ms)
{
	struct buf visible;
	int rc;

	reveal_hide(r);
	if (!term_has_private_screen())
		return -1;
	buf_init_secret(&visible, 8 * VALUE_MAX);
	text_append_visible(&visible, bytes, n < VALUE_MAX ? n : VALUE_MAX);
	buf_clear(&r->text);
	append_for_locale(&r->text, &visible);
	buf_clear(&r->value);
	buf_append(&r->value, bytes, n);
	rc = visible.failed || r->text.failed || r->value.failed ? -1 : 0;
	buf_release(&visible);
	if (rc == -1) {
		buf_release(&r->text);
		buf_release(&r->value);
		return -1;
	}
	r->shown = true;
	r->placed = false;
	r->ms = ms;
	r->until = ms > 0 ? clock_ms() + (uint64_t)ms : 0;
	term_report_focus(true);
	return 0;
}

bool
reveal_longer(struct reveal *r)
{
	const int ms = REVEAL_LONGER * 1000;

	if (!r->shown)
		return false;
	if (r->until != 0 && r->ms <= INT_MAX - ms) {
		r->until += (uint64_t)ms;
		r->ms += ms;
	}
	return true;
}

bool
reveal_hide(struct reveal *r)
{
	if (!r->shown)
		return false;
	buf_release(&r->text);
	buf_release(&r->value);
	r->shown = false;
	if (r->placed)
		term_forget_lines(r->where.y, r->where.h);
	term_report_focus(false);
	return true;
}

bool
reveal_shown(const struct reveal *r)
{
	return r->shown;
}

const struct buf *
reveal_value(const struct reveal *r)
{
	return &r->value;
}

uint64_t
reveal_until(const struct reveal *r)
{
	return r->shown ? r->until : 0;
}

/* A line of the text: unlike columns_wrap nothing is left out. */
static size_t
reveal_next_line(const struct reveal *r, size_t from, int width)
{
	const char *text = (const char *)r->text.data;
	size_t n = columns_fit(text + from, r->text.len - from, width, NULL);

	/* Something wider than the line: give up, as nothing would ever fit. */
	return n > 0 ? n : r->text.len - from;
}

int
reveal_lines(const struct reveal *r, int width)
{
	size_t i = 0;
	int lines = 0;

	while (i < r->text.len) {
		i += reveal_next_line(r, i, width);
		lines++;
	}
	return lines;
}

void
reveal_place(struct reveal *r, const struct rect *where)
{
	r->where = *where;
	r->placed = true;
	r->end = false;
}

/* From where on it fits. */
static size_t
reveal_end_at(const struct reveal *r)
{
	const char *text = (const char *)r->text.data;

	return columns_text(text, r->text.len) <= r->where.w ? 0 :
	    columns_fit_tail(text, r->text.len, r->where.w);
}

int
reveal_place_end(struct reveal *r, const struct rect *where)
{
	size_t at;

	reveal_place(r, where);
	r->end = true;
	at = reveal_end_at(r);
	return columns_text((const char *)r->text.data + at, r->text.len - at);
}

int
reveal_draw_time(const struct reveal *r, int y, int x, int w)
{
	/* In minutes where seconds say too much. */
	const uint64_t unit = r->ms > LONG_MS ? 60000 : 1000;
	uint64_t now = clock_ms();
	size_t left, total;
	char text[32];
	int used;

	if (!r->shown || r->until == 0 || w < GAUGE || canvas_is_read_aloud())
		return 0;
	left = (size_t)((r->until > now ? r->until - now : 0) + unit - 1) / unit;
	total = (size_t)((uint64_t)r->ms + unit - 1) / unit;
	snprintf(text, sizeof(text), " %zu %s", left, unit == 1000 ? "s" : "min");
	used = canvas_right(y, x, w, unit == 1000 && left <= LAST_SECONDS ? STYLE_DANGLING :
	    STYLE_NOTICE, text);
	if (w < 2 * GAUGE)
		return used;
	canvas_gauge(y, x + w - used - GAUGE, GAUGE, left < total ? left : total, total);
	return used + GAUGE;
}

void
reveal_paint(struct reveal *r)
{
	const char *dots = canvas_glyph(GLYPH_ELLIPSIS);
	size_t i = 0;
	size_t n;
	int line, y, x;

	if (!r->shown || !r->placed)
		return;
	if (r->end)
		i = reveal_end_at(r);
	for (line = 0; line < r->where.h && i < r->text.len; line++) {
		n = reveal_next_line(r, i, r->where.w);
		if (line == r->where.h - 1 && i + n < r->text.len) {
			n = columns_fit((const char *)r->text.data + i, n, r->where.w - 1, NULL);
			term_write_at(r->where.y + line, r->where.x, r->text.data + i, n);
			term_write_at(r->where.y + line, r->where.x + r->where.w - 1, dots,
			    strlen(dots));
			break;
		}
		term_write_at(r->where.y + line, r->where.x, r->text.data + i, n);
		i += n;
	}
	canvas_cursor_get(&y, &x);
	term_move(y, x);
}

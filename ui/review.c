#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "plan/diff.h"
#include "plan/plan.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/loop.h"
#include "ui/review.h"
#include "ui/term.h"

#define DIFF_MAX ((size_t)64 << 20)
#define LINES_MAX 10000000
#define INDENT 4	/* of the rest of a long line */

/* A line on the screen: a part of a line of the text. */
struct piece {
	size_t from, len;
	unsigned int style;
	bool continued;
};

struct review {
	struct layer layer;
	const struct review_options *options;
	bool can_apply;
	struct buf text;
	struct vec pieces;
	int width;		/* that the pieces were made for */
	size_t top, height;
	enum review_answer answer;
};

static unsigned int
review_style_of(const char *line, size_t n)
{
	if (n >= 3 && (memcmp(line, "---", 3) == 0 || memcmp(line, "+++", 3) == 0))
		return STYLE_HEAD;
	if (n > 0 && line[0] == '+')
		return STYLE_ADDED;
	if (n > 0 && line[0] == '-')
		return STYLE_REMOVED;
	if (n > 0 && line[0] == '#')
		return STYLE_MARK;
	return STYLE_NOTE;
}

/* Where to break a line that is too long: between key and value, if the key
 * fits, else anywhere. */
static size_t
first_part(const char *text, size_t n, int width)
{
	const char *equals = memmem(text, n, " = ", 3);
	size_t fit = columns_fit(text, n, width, NULL);

	if (fit < n && equals != NULL && (size_t)(equals - text) + 2 <= fit)
		return (size_t)(equals - text) + 3;
	return fit;
}

/* Break one line to the width; what follows is indented. */
static void
break_line(struct review *v, size_t from, size_t n, int width)
{
	const char *text = (const char *)v->text.data + from;
	unsigned int style = review_style_of(text, n);
	struct piece *p;
	size_t i = 0;
	size_t len;

	do {
		p = vec_push(&v->pieces);
		if (p == NULL)
			return;
		len = i == 0 ? first_part(text, n, width) :
		    columns_fit(text + i, n - i, width - INDENT, NULL);
		if (len == 0)
			len = n - i;
		*p = (struct piece){ from + i, len, style, i > 0 };
		i += len;
	} while (i < n);
}

static void
break_text(struct review *v, int width)
{
	const char *text = (const char *)v->text.data;
	const char *end;
	size_t i = 0;
	size_t n;

	v->width = width;
	v->pieces.len = 0;
	while (i < v->text.len) {
		end = memchr(text + i, '\n', v->text.len - i);
		n = end != NULL ? (size_t)(end - text) - i : v->text.len - i;
		break_line(v, i, n, width);
		i += n + 1;
	}
}

static void
clamp(struct review *v)
{
	size_t last = v->pieces.len > v->height ? v->pieces.len - v->height : 0;

	if (v->top > last)
		v->top = last;
}

static int
review_draw_keys(const struct review *v, int y, int x, int w)
{
	const struct {
		const char *key, *label;
		bool on;
	} keys[] = {
		{ "w", "apply", v->can_apply },
		{ "m", "remote path", v->can_apply && v->options->remote != NULL },
		{ "Esc", "back", true },
		{ "Up Down PgUp PgDn", "scroll", v->pieces.len > v->height },
	};
	int from = x;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!keys[i].on ||
		    x + (int)(strlen(keys[i].key) + strlen(keys[i].label)) + 1 > from + w)
			continue;
		x += canvas_text(y, x, w, STYLE_KEY, keys[i].key) + 1;
		x += canvas_text(y, x, w, STYLE_NOTE, keys[i].label) + 2;
	}
	return x;
}

static void
review_draw(struct layer *layer, struct app *a)
{
	struct review *v = (struct review *)layer;
	struct rect all = { 0, 0, 0, 0 };
	const struct piece *p;
	char text[64];
	size_t i;
	int y = 1;
	int used;

	(void)a;
	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	canvas_fill(0, 0, all.w, STYLE_TITLE);
	canvas_text(0, 1, all.w - 2, STYLE_TITLE, v->options->title);
	if (v->options->remote != NULL && all.h >= 8) {
		used = canvas_text(y, 1, all.w - 2, STYLE_NOTE, "Path in references:");
		canvas_tail(y, used + 2, all.w - used - 3, STYLE_TEXT, v->options->remote);
		y++;
	}
	v->height = (size_t)(all.h - y - 1);
	if (v->width != all.w - 2)
		break_text(v, all.w - 2);
	clamp(v);
	for (i = v->top; i < v->pieces.len && i - v->top < v->height; i++) {
		p = vec_at(&v->pieces, i);
		canvas_bytes(y + (int)(i - v->top), p->continued ? 1 + INDENT : 1, all.w - 1,
		    p->style, (const char *)v->text.data + p->from, p->len);
	}
	used = review_draw_keys(v, all.h - 1, 1, all.w - 1);
	if (v->pieces.len > v->height && used < all.w - 10) {
		snprintf(text, sizeof(text), "%zu-%zu of %zu", v->top + 1,
		    v->top + v->height < v->pieces.len ? v->top + v->height : v->pieces.len,
		    v->pieces.len);
		canvas_right(all.h - 1, used, all.w - used - 1, STYLE_NOTE, text);
	}
	canvas_cursor(y, 0, true);
}

static bool
review_confirmed(struct app *a, const struct review_options *o)
{
	if (o->word != NULL)
		return ask_word(a, o->title, o->question, o->word);
	return ask_confirm(a, o->title, o->question, o->button);
}

static void
review_ask(struct review *v, struct app *a)
{
	if (!v->can_apply || !review_confirmed(a, v->options))
		return;
	v->answer = REVIEW_APPLY;
	v->layer.done = true;
}

static void
review_key(struct layer *layer, struct app *a, uint32_t k)
{
	struct review *v = (struct review *)layer;
	size_t page = v->height > 1 ? v->height - 1 : 1;

	switch (k) {
	case INPUT_UP:
	case 'k':
		v->top -= v->top > 0;
		break;
	case INPUT_DOWN:
	case 'j':
		v->top++;
		break;
	case INPUT_PAGE_UP:
		v->top -= v->top < page ? v->top : page;
		break;
	case INPUT_PAGE_DOWN:
	case ' ':
		v->top += page;
		break;
	case INPUT_HOME:
		v->top = 0;
		break;
	case INPUT_END:
		v->top = v->pieces.len;
		break;
	case INPUT_ESCAPE:
	case 'q':
		layer->done = true;
		break;
	case 'w':
		review_ask(v, a);
		break;
	case 'm':
		if (v->can_apply && v->options->remote != NULL) {
			v->answer = REVIEW_REMOTE;
			layer->done = true;
		}
		break;
	default:
		break;
	}
	clamp(v);
}

static void
review_init(struct review *v, const struct review_options *o)
{
	memset(v, 0, sizeof(*v));
	v->layer.draw = review_draw;
	v->layer.key = review_key;
	v->options = o;
	v->answer = REVIEW_BACK;
	buf_init(&v->text, DIFF_MAX);
	vec_init(&v->pieces, sizeof(struct piece), LINES_MAX);
}

static enum review_answer
review_finish(struct app *a, struct review *v)
{
	bool answered = loop_run(a, &v->layer);
	enum review_answer answer = answered ? v->answer : REVIEW_BACK;

	vec_release(&v->pieces);
	buf_release(&v->text);
	return answer;
}

enum review_answer
review_run(struct app *a, const struct change *c, const struct review_options *o)
{
	struct review v;
	struct error err;

	review_init(&v, o);
	if (diff_append(c->plan, &v.text, &err) == -1) {
		buf_release(&v.text);
		tell_error(a, "The diff cannot be made", &err);
		return REVIEW_BACK;
	}
	v.can_apply = !plan_is_empty(c->plan);
	if (o->ask_now && v.can_apply) {
		/* The question comes over the diff; no to it leaves the diff. */
		v.layer.below = a->top;
		a->top = &v.layer;
		if (review_confirmed(a, o))
			v.answer = REVIEW_APPLY;
		a->top = v.layer.below;
		if (v.answer == REVIEW_APPLY) {
			vec_release(&v.pieces);
			buf_release(&v.text);
			return REVIEW_APPLY;
		}
	}
	return review_finish(a, &v);
}

void
review_show(struct app *a, const char *title, const char *text)
{
	struct review_options o = { .title = title };
	struct review v;

	review_init(&v, &o);
	buf_append_str(&v.text, text);
	(void)review_finish(a, &v);
}

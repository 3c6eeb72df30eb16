#include <string.h>

#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/event.h"
#include "ui/lock_screen.h"
#include "ui/loop.h"
#include "ui/style.h"
#include "ui/view.h"

static void
draw_centred(int y, int cols, unsigned int style, const char *text)
{
	int len = (int)strlen(text);

	canvas_text(y, len < cols ? (cols - len) / 2 : 0, cols, style, text);
}

static void
draw(struct view *v, struct app *a)
{
	struct rect all = { 0, 0, 0, 0 };

	(void)v;
	(void)a;
	canvas_size(&all.h, &all.w);
	canvas_clear(&all);
	draw_centred(all.h / 2 - 1, all.w, STYLE_HEAD, "locked");
	draw_centred(all.h / 2, all.w, STYLE_TEXT, all.w < 50 ? "keys are wiped" :
	    "The keys are wiped from memory.");
	draw_centred(all.h / 2 + 1, all.w, STYLE_NOTE, all.w < 50 ? "Enter goes on" :
	    "Enter goes on; the next use of a key asks for it again.");
	canvas_cursor(all.h / 2 + 1, 0, true);
}

static void
key(struct view *v, struct app *a, uint32_t k)
{
	(void)a;
	if (k == INPUT_ENTER || k == INPUT_ESCAPE || k == ' ')
		v->done = true;
}

void
lock_screen_run(struct app *a)
{
	struct view v = { .draw = draw, .key = key };

	a->locked = true;
	loop_run(a, &v);
	a->locked = false;
}

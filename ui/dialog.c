#include <string.h>

#include "ui/app.h"
#include "ui/dialog.h"
#include "ui/dialog_draw.h"
#include "ui/event.h"
#include "ui/loop.h"
#include "ui/secret_edit.h"

static void
scroll(struct dialog *d, uint32_t key)
{
	size_t last = d->lines > d->shown ? d->lines - d->shown : 0;
	size_t page = d->shown > 1 ? d->shown - 1 : 1;

	if (key == INPUT_UP && d->scroll > 0)
		d->scroll--;
	else if (key == INPUT_DOWN && d->scroll < last)
		d->scroll++;
	else if (key == INPUT_PAGE_UP)
		d->scroll = d->scroll < page ? 0 : d->scroll - page;
	else if (key == INPUT_PAGE_DOWN)
		d->scroll = last - d->scroll < page ? last : d->scroll + page;
}

static void
finish(struct dialog *d, bool accepted)
{
	d->accepted = accepted;
	d->view.done = true;
}

static void
enter(struct dialog *d)
{
	switch (d->kind) {
	case DIALOG_CONFIRM:
		finish(d, d->focus_go);
		break;
	case DIALOG_WORD:
		if (strcmp(d->line.text, d->word) == 0)
			finish(d, true);
		else
			strncpy(d->complaint, "that is not the word", sizeof(d->complaint) - 1);
		break;
	default:
		finish(d, true);
		break;
	}
}

static void
key(struct view *v, struct app *a, uint32_t k)
{
	struct dialog *d = (struct dialog *)v;

	(void)a;
	d->complaint[0] = '\0';
	if (k == INPUT_ESCAPE) {
		finish(d, false);
	} else if (k == INPUT_ENTER) {
		enter(d);
	} else if (d->kind == DIALOG_SECRET) {
		secret_edit_key(&d->secret, k);
	} else if (d->kind == DIALOG_CONFIRM && (k == INPUT_TAB || k == INPUT_BACKTAB ||
	    k == INPUT_LEFT || k == INPUT_RIGHT)) {
		d->focus_go = !d->focus_go;
	} else if ((d->kind != DIALOG_TEXT && d->kind != DIALOG_WORD) ||
	    !line_edit_key(&d->line, k)) {
		scroll(d, k);
	}
}

static void
draw(struct view *v, struct app *a)
{
	(void)a;
	dialog_draw((struct dialog *)v);
}

void
dialog_init(struct dialog *d, enum dialog_kind kind, const char *title)
{
	memset(d, 0, sizeof(*d));
	d->view.draw = draw;
	d->view.key = key;
	d->view.secret = kind == DIALOG_SECRET;
	d->kind = kind;
	d->title = title;
	d->button = "OK";
	d->label = "";
	buf_init(&d->text, DIALOG_TEXT_MAX);
	buf_init_secret(&d->secret, DIALOG_SECRET_MAX);
}

void
dialog_release(struct dialog *d)
{
	buf_release(&d->text);
	buf_release(&d->secret);
}

bool
dialog_run(struct app *a, struct dialog *d)
{
	d->accepted = false;
	return loop_run(a, &d->view) && d->accepted;
}

void
dialog_show(struct app *a, struct dialog *d)
{
	d->view.below = a->top;
	a->top = &d->view;
	loop_draw(a);
	a->top = d->view.below;
}

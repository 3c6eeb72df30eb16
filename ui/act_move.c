#include "base/buf.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/browser.h"
#include "ui/event.h"
#include "ui/model.h"
#include "ui/selection.h"
#include "ui/tell.h"
#include "ui/tree.h"

#define PATH_MAX_BYTES 4096

static void
move(struct app *a, uint32_t key)
{
	struct browser *b = a->browser;

	list_key(b->right_active ? &b->right : &b->left, key);
	browser_moved(b, a);
}

void
act_down(struct app *a)
{
	move(a, INPUT_DOWN);
}

void
act_up(struct app *a)
{
	move(a, INPUT_UP);
}

void
act_page_down(struct app *a)
{
	move(a, INPUT_PAGE_DOWN);
}

void
act_page_up(struct app *a)
{
	move(a, INPUT_PAGE_UP);
}

void
act_first(struct app *a)
{
	move(a, INPUT_HOME);
}

void
act_last(struct app *a)
{
	move(a, INPUT_END);
}

void
act_other_pane(struct app *a)
{
	a->browser->right_active = !a->browser->right_active;
	a->browser->ranging = false;
}

/* Make the rows anew, the cursor where it was. */
static void
rebuild(struct app *a)
{
	struct error err;

	if (model_rebuild(a->model, &err) == -1)
		app_complain(a, "%s", err.text);
	browser_restore(a->browser, a);
}

/* Fold or unfold the file that the cursor is in. */
static void
fold(struct app *a, bool folded)
{
	struct selection s = selection_get(a);

	if (s.file == NULL || s.file->count == 0 || tree_folded(&a->model->tree, s.file->path) ==
	    folded)
		return;
	browser_remember(a->browser, a);
	if (tree_fold(&a->model->tree, s.file->path, folded) == -1)
		app_complain(a, "not enough memory");
	rebuild(a);
}

void
act_unfold(struct app *a)
{
	fold(a, false);
}

void
act_fold(struct app *a)
{
	fold(a, true);
}

static void
fold_all(struct app *a, bool folded)
{
	browser_remember(a->browser, a);
	tree_fold_all(&a->model->tree, folded);
	rebuild(a);
}

void
act_unfold_all(struct app *a)
{
	fold_all(a, false);
}

void
act_fold_all(struct app *a)
{
	fold_all(a, true);
}

static void
open_secrets(struct app *a, const char *path)
{
	struct error err;
	int rc;

	browser_remember(a->browser, a);
	rc = model_open_secrets(a->model, path, &err);
	rebuild(a);
	if (rc == -1)
		tell_error(a, "The secrets file cannot be used", &err);
	else if (a->model->secrets == NULL)
		app_complain(a, "there is no file %s yet", path);
	else
		app_notice(a, "%s is open on the right",
		    model_show_path(a->model, a->model->secrets_path));
}

void
act_open_secrets(struct app *a)
{
	struct buf path;

	buf_init(&path, PATH_MAX_BYTES);
	if (a->model->secrets_path != NULL)
		buf_append_str(&path, a->model->secrets_path);
	else
		(void)model_referred_path(a->model, &path);
	if (ask_text(a, "Open a secrets file", "The secrets file that is shown on the right, "
	    "and that sealed values go to.", "File:", &path) && path.len > 0)
		open_secrets(a, buf_cstr(&path));
	buf_release(&path);
}

/* From an entry to what it refers to, or back. */
static void
go_to_counterpart(struct app *a, const struct selection *s)
{
	const struct estate_entry *e;
	const struct estate_file *f;

	if (s->name == NULL) {
		app_complain(a, "this entry refers to no sealed entry");
		return;
	}
	if (s->kind == SELECTION_SEALED) {
		if (!selection_referrer(a, s->name, s->name_len, 0, &f, &e)) {
			app_complain(a, "no configuration file refers to this entry");
			return;
		}
		browser_remember(a->browser, a);
		(void)tree_fold(&a->model->tree, f->path, false);
		rebuild(a);
	} else if (s->entry->state == STATE_DANGLING || a->model->secrets == NULL) {
		app_complain(a, "the secrets file has no entry of this name");
		return;
	}
	browser_moved(a->browser, a);
	act_other_pane(a);
}

void
act_open(struct app *a)
{
	struct selection s = selection_get(a);

	if (s.kind == SELECTION_FILE && s.file->is_secrets_file)
		open_secrets(a, s.file->path);
	else if (s.kind == SELECTION_FILE)
		fold(a, !tree_folded(&a->model->tree, s.file->path));
	else if (s.kind != SELECTION_NOTHING)
		go_to_counterpart(a, &s);
}

static void
set_filter(struct app *a, enum tree_filter filter)
{
	browser_remember(a->browser, a);
	a->model->tree.filter = filter;
	a->browser->ranging = false;
	rebuild(a);
}

void
act_filter(struct app *a)
{
	enum tree_filter now = a->model->tree.filter;

	set_filter(a, now == TREE_PROBLEMS ? TREE_ALL : now + 1);
	app_notice(a, "showing %s", now == TREE_ALL ? "secrets and references" :
	    tree_filter_name(a->model->tree.filter));
}

void
act_cancel(struct app *a)
{
	if (a->browser->ranging)
		a->browser->ranging = false;
	else if (a->model->tree.filter != TREE_ALL)
		set_filter(a, TREE_ALL);
}

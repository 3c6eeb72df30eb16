#include <stdlib.h>
#include <string.h>

#include "ui/act.h"
#include "ui/act_registry.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/event.h"
#include "ui/model.h"
#include "ui/registry.h"
#include "ui/registry_rows.h"
#include "ui/tree.h"

void
act_other_view(struct app *a)
{
	struct registry *r = a->registry;

	a->in_registry = !a->in_registry;
	if (!a->in_registry)
		return;
	/* Files may have changed since the view was shown last. */
	registry_uses_restart(&r->uses);
	registry_names_forget_uses(&r->names);
	if (r->source != NULL && r->known == REGISTRY_UNKNOWN && registry_unavailable(r) != NULL)
		(void)act_registry_ready(a);
}

static void
move(struct app *a, uint32_t key)
{
	struct registry *r = a->registry;

	if (r->right_active) {
		list_key(&r->right, key);
	} else {
		list_key(&r->left, key);
		registry_rows_moved(r);
	}
}

void
act_registry_down(struct app *a)
{
	move(a, INPUT_DOWN);
}

void
act_registry_up(struct app *a)
{
	move(a, INPUT_UP);
}

void
act_registry_page_down(struct app *a)
{
	move(a, INPUT_PAGE_DOWN);
}

void
act_registry_page_up(struct app *a)
{
	move(a, INPUT_PAGE_UP);
}

void
act_registry_first(struct app *a)
{
	move(a, INPUT_HOME);
}

void
act_registry_last(struct app *a)
{
	move(a, INPUT_END);
}

void
act_registry_other_pane(struct app *a)
{
	a->registry->right_active = !a->registry->right_active;
}

/* Fold or unfold the path that the cursor is in. */
static void
fold(struct app *a, bool folded)
{
	struct registry *r = a->registry;
	struct registry_selection s = registry_selected(r);

	if (s.path == NULL || s.path->unfolded == !folded)
		return;
	s.path->unfolded = !folded;
	registry_rows_go(r, s.path->name, NULL);
}

void
act_registry_unfold(struct app *a)
{
	fold(a, false);
}

void
act_registry_fold(struct app *a)
{
	fold(a, true);
}

static void
fold_all(struct app *a, bool folded)
{
	struct registry *r = a->registry;
	size_t i;

	for (i = 0; i < r->names.paths.len; i++)
		registry_path_at(&r->names, i)->unfolded = !folded;
	registry_rows_build(r);
	registry_rows_moved(r);
}

void
act_registry_unfold_all(struct app *a)
{
	fold_all(a, false);
}

void
act_registry_fold_all(struct app *a)
{
	fold_all(a, true);
}

/* To the entry of a configuration file, in its view. */
static void
go_to_use(struct app *a, const struct registry_use *u)
{
	browser_remember(a->browser, a);
	(void)tree_fold(&a->model->tree, u->file, false);
	a->model->tree.filter = TREE_ALL;
	(void)model_rebuild(a->model, NULL);
	a->browser->right_active = false;
	a->browser->ranging = false;
	browser_go(a->browser, a, u->file, u->entry, u->entry_len);
	a->in_registry = false;
}

void
act_registry_open(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (s.use != NULL)
		go_to_use(a, s.use);
	else if (s.key == NULL && s.path != NULL)
		fold(a, s.path->unfolded);
	else if (!a->registry->right_active && s.key != NULL)
		a->registry->right_active = true;
}

void
act_registry_cancel(struct app *a)
{
	a->registry->marked = 0;
}

void
act_registry_refresh(struct app *a)
{
	registry_refresh(a->registry);
	if (a->registry->source != NULL && registry_unavailable(a->registry) != NULL)
		(void)act_registry_ready(a);
	else
		app_notice(a, "asking anew");
}

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "plan/plan.h"
#include "ui/app.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/model.h"
#include "ui/options.h"

#define LOCK_WAIT_MS 10000	/* the screen must not stand still for ever */

static void
waiting(void *cookie, const char *path)
{
	struct buf text;

	buf_init(&text, 8192);
	buf_printf(&text, "Another process is changing %s.", path);
	tell_progress(cookie, "Waiting", buf_cstr(&text), 0, 0);
	buf_release(&text);
}

void
change_prepare(struct app *a, struct change *c)
{
	static const struct change_callbacks callbacks = { .waiting = waiting };
	int wait = a->options->lock_timeout_ms;

	change_init(c, &callbacks, a);
	c->lock_timeout_ms = wait < 0 || wait > LOCK_WAIT_MS ? LOCK_WAIT_MS : wait;
}

int
change_begin(struct app *a, struct change *c, struct error *err)
{
	int rc;

	files_hold(a);
	rc = model_reload_secrets(a->model, err);
	files_restore(a);
	if (rc == -1)
		return -1;
	if (a->model->secrets == NULL) {
		error_set(err, ERROR_MISSING, "the secrets file is not there any more");
		return error_place(err, a->model->secrets_path, 0);
	}
	change_borrow(c, a->model->secrets);
	return change_plan(c, err);
}

/* Copies of the paths of configurations that the plan changes and of files
 * that it makes, as the plan is gone when they are needed. */
static char **
copy_paths(const struct change *c, size_t *n)
{
	size_t count = plan_file_count(c->plan);
	const struct plan_file *f;
	char **paths = calloc(count + 1, sizeof(*paths));
	size_t i;

	*n = 0;
	for (i = 0; paths != NULL && i < count; i++) {
		f = plan_file(c->plan, i);
		if (f->role == PLAN_SECRETS && f->id->exists)
			continue;
		paths[*n] = strdup(f->path);
		if (paths[*n] != NULL)
			++*n;
	}
	return paths;
}

static void
free_paths(char **paths, size_t n)
{
	while (n-- > 0)
		free(paths[n]);
	free(paths);
}

int
change_carry_out(struct app *a, struct change *c, struct error *err)
{
	size_t n = 0;
	char **paths = copy_paths(c, &n);
	struct error ignored;
	int rc;

	tell_progress(a, "Applying", "Writing, reading back, replacing.", 0, 0);
	rc = change_apply(c, err);
	change_close(c);
	/* Also after a failure: what is on disk may have changed before. */
	files_hold(a);
	if (model_refresh(a->model, paths, n, rc == 0 ? err : &ignored) == -1)
		rc = -1;
	files_restore(a);
	free_paths(paths, n);
	return rc;
}

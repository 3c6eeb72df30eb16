#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/lock.h"
#include "plan/apply.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/model.h"
#include "ui/ui.h"

#define CONFIGS_MAX 1000000
#define LOCK_WAIT_MS 10000	/* the screen must not stand still for ever */

void
change_init(struct change *c)
{
	memset(c, 0, sizeof(*c));
	vec_init(&c->configs, sizeof(struct configuration *), CONFIGS_MAX);
}

static struct configuration *
config_at(const struct change *c, size_t i)
{
	return *(struct configuration **)vec_at(&c->configs, i);
}

void
change_release(struct change *c)
{
	size_t i;

	plan_free(c->plan);
	for (i = 0; i < c->configs.len; i++)
		configuration_free(config_at(c, i));
	vec_release(&c->configs);
	secrets_file_free(c->made);
	change_init(c);
}

int
change_begin(struct app *a, struct change *c, struct error *err)
{
	browser_remember(a->browser, a);
	if (model_reload_secrets(a->model, err) == -1 || model_rebuild(a->model, err) == -1)
		return -1;
	browser_restore(a->browser, a);
	if (a->model->secrets == NULL) {
		error_set(err, ERROR_MISSING, "the secrets file is not there any more");
		return error_place(err, a->model->secrets_path, 0);
	}
	c->plan = plan_new(a->model->secrets, err);
	return c->plan == NULL ? -1 : 0;
}

struct configuration *
change_load(struct change *c, const char *path, struct error *err)
{
	struct configuration **slot;

	slot = vec_push(&c->configs);
	if (slot == NULL) {
		error_memory(err);
		return NULL;
	}
	*slot = configuration_load(path, err);
	if (*slot == NULL) {
		c->configs.len--;
		return NULL;
	}
	return *slot;
}

static void
waiting(void *cookie, const char *path)
{
	struct buf text;

	buf_init(&text, 8192);
	buf_printf(&text, "Another process is changing %s.", path);
	tell_progress(cookie, "Waiting", buf_cstr(&text), 0, 0);
	buf_release(&text);
}

static int
apply(struct app *a, struct change *c, struct error *err)
{
	int wait = a->options->lock_timeout_ms;
	struct lock *lock;
	int rc;

	if (wait < 0 || wait > LOCK_WAIT_MS)
		wait = LOCK_WAIT_MS;
	tell_progress(a, "Applying", "Writing, reading back, replacing.", 0, 0);
	lock = apply_lock(c->plan, wait, waiting, a, err);
	if (lock == NULL)
		return -1;
	rc = apply_plan(c->plan, err);
	lock_release(lock);
	return rc;
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
change_apply(struct app *a, struct change *c, struct error *err)
{
	size_t n = 0;
	char **paths = copy_paths(c, &n);
	struct error ignored;
	int rc;

	rc = apply(a, c, err);
	change_release(c);
	/* Also after a failure: what is on disk may have changed before. */
	browser_remember(a->browser, a);
	if (model_refresh(a->model, paths, n, rc == 0 ? err : &ignored) == -1)
		rc = -1;
	browser_restore(a->browser, a);
	free_paths(paths, n);
	return rc;
}

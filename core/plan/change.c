#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "document/document.h"
#include "file/file.h"
#include "file/lock.h"
#include "plan/change.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "secrets/secrets_file.h"

#define CONFIGS_MAX 1000000

void
change_init(struct change *c, const struct change_callbacks *callbacks, void *cookie)
{
	memset(c, 0, sizeof(*c));
	c->callbacks = callbacks;
	c->cookie = cookie;
	vec_init(&c->configs, sizeof(struct configuration *), CONFIGS_MAX);
}

static struct configuration **
config_slot(const struct change *c, size_t i)
{
	return vec_at(&c->configs, i);
}

static void
free_secrets(struct change *c)
{
	if (!c->borrowed)
		secrets_file_free(c->secrets);
	c->secrets = NULL;
	c->borrowed = false;
}

void
change_close(struct change *c)
{
	change_stop(c);
	for (size_t i = 0; i < c->configs.len; i++)
		configuration_free(*config_slot(c, i));
	vec_release(&c->configs);
	free_secrets(c);
	key_free(c->master);
	free(c->swept.folder);
	change_init(c, c->callbacks, c->cookie);
}

static void
add_hint(const struct change *c, enum change_file file, struct error *err)
{
	if (err != NULL && err->hint[0] == '\0' && c->callbacks->hint != NULL)
		c->callbacks->hint(c->cookie, file, err);
}

static int
load_secrets(struct change *c, const char *path, struct error *err)
{
	struct error why;
	struct secrets_file *s = secrets_file_load(path, &why);

	if (s == NULL && why.code == ERROR_MISSING) {
		if (c->may_create)
			s = secrets_file_new(path, &why);
		else
			add_hint(c, CHANGE_SECRETS, &why);
	}
	if (s == NULL) {
		if (err != NULL)
			*err = why;
		return -1;
	}
	secrets_file_set_policy(s, c->policy);
	free_secrets(c);
	c->secrets = s;
	return 0;
}

static struct configuration *
load_config(const struct change *c, const char *path, struct error *err)
{
	struct configuration *config = configuration_load(path, c->scope, err);

	if (config == NULL && err != NULL && err->code == ERROR_MISSING)
		add_hint(c, CHANGE_CONFIG, err);
	else if (config != NULL && c->base_name != NULL)
		config->base = c->base_name;
	return config;
}

/* A mistyped path must not make a secrets file of somebody's configuration. */
static int
check_secrets(const struct change *c, struct error *err)
{
	const struct document *d = secrets_file_document(c->secrets);

	if (document_count(d) == 0 || secrets_file_recognise(d) ||
	    secrets_file_sealed_count(c->secrets) > 0)
		return 0;
	error_set(err, ERROR_REFUSED, "this is no secrets file: it has entries, but neither "
	    "metadata nor a sealed one");
	error_place(err, secrets_file_path(c->secrets), 0);
	add_hint(c, CHANGE_SECRETS, err);
	return -1;
}

static int
check_config(const struct change *c, const struct configuration *config, struct error *err)
{
	if (c->secrets != NULL && file_id_same(&config->id, secrets_file_id(c->secrets))) {
		error_set(err, ERROR_REFUSED,
		    "the configuration file and the secrets file are the same file");
		return error_place(err, config->path, 0);
	}
	if (!secrets_file_recognise(config->doc))
		return 0;
	error_set(err, ERROR_REFUSED, "this is a secrets file, not a configuration file");
	error_place(err, config->path, 0);
	add_hint(c, CHANGE_CONFIG, err);
	return -1;
}

static int
check_files(const struct change *c, struct error *err)
{
	for (size_t i = 0; i < c->configs.len; i++)
		if (check_config(c, *config_slot(c, i), err) != 0)
			return -1;
	return c->secrets != NULL ? check_secrets(c, err) : 0;
}

int
change_files(struct change *c, const char *config, const char *secrets, bool may_create,
    struct error *err)
{
	c->may_create = may_create;
	if (secrets != NULL && !c->dry)
		lock_sweep(secrets);
	if (config != NULL && change_config(c, config, err) == NULL)
		return -1;
	if (secrets != NULL && load_secrets(c, secrets, err) != 0)
		return -1;
	return check_files(c, err);
}

void
change_borrow(struct change *c, struct secrets_file *s)
{
	free_secrets(c);
	c->secrets = s;
	c->borrowed = true;
}

struct configuration *
change_config(struct change *c, const char *path, struct error *err)
{
	struct configuration *config, **slot;

	if (!c->dry)
		lock_sweep_next(&c->swept, path);
	if ((config = load_config(c, path, err)) == NULL)
		return NULL;
	/* change_files looks at those that it loads before the secrets file. */
	if (c->secrets != NULL && check_config(c, config, err) != 0) {
		configuration_free(config);
		return NULL;
	}
	if ((slot = vec_push(&c->configs)) == NULL) {
		configuration_free(config);
		error_memory(err);
		return NULL;
	}
	document_settle(config->doc);
	*slot = config;
	if (c->config == NULL)
		c->config = config;
	return config;
}

int
change_key(struct change *c, struct error *err)
{
	key_free(c->master);
	c->master = c->callbacks->key(c->cookie, c->secrets, err);
	return c->master == NULL ? -1 : 0;
}

int
change_plan(struct change *c, struct error *err)
{
	c->plan = plan_new(c->secrets, err);
	return c->plan == NULL ? -1 : 0;
}

/* Is the file still what was loaded? */
static bool
is_fresh(const char *path, const struct file_id *loaded)
{
	struct file_id now;

	return file_identify(path, &now, NULL) == 0 && file_id_equal(&now, loaded);
}

/* Load again what is not as it was. */
static int
refresh(struct change *c, struct error *err)
{
	struct configuration **slot, *fresh;

	for (size_t i = 0; i < c->configs.len; i++) {
		slot = config_slot(c, i);
		if (is_fresh((*slot)->path, &(*slot)->id))
			continue;
		if ((fresh = load_config(c, (*slot)->path, err)) == NULL)
			return -1;
		configuration_free(*slot);
		*slot = fresh;
		if (i == 0)
			c->config = fresh;
	}
	if (c->secrets != NULL && !c->borrowed &&
	    !is_fresh(secrets_file_path(c->secrets), secrets_file_id(c->secrets)) &&
	    load_secrets(c, secrets_file_path(c->secrets), err) != 0)
		return -1;
	return check_files(c, err);
}

static int
lock_paths(struct change *c, const char *const paths[], size_t n, struct error *err)
{
	c->lock = lock_files(paths, n, c->lock_timeout_ms, c->callbacks->waiting, c->cookie, err);
	c->all_locked = true;
	return c->lock == NULL ? -1 : 0;
}

static int
lock_loaded(struct change *c, struct error *err)
{
	size_t n = c->configs.len;
	const char **paths = calloc(n + 1, sizeof(*paths));
	int rc;

	if (paths == NULL)
		return error_memory(err);
	paths[0] = c->secrets != NULL ? secrets_file_path(c->secrets) : NULL;
	for (size_t i = 0; i < n && n <= APPLY_BATCH; i++)
		paths[i + 1] = (*config_slot(c, i))->path;
	rc = lock_paths(c, paths, n <= APPLY_BATCH ? n + 1 : 1, err);
	c->all_locked = n <= APPLY_BATCH;
	free(paths);
	return rc;
}

int
change_start(struct change *c, struct error *err)
{
	for (size_t i = 0; i < c->configs.len && !c->dry; i++)
		if (!(*config_slot(c, i))->id.exists) {
			error_set(err, ERROR_USAGE, "standard input cannot be changed");
			return error_hint(err, "name a file, or see the change by --dry-run");
		}
	if (!c->dry && (lock_loaded(c, err) != 0 || refresh(c, err) != 0))
		return -1;
	return change_plan(c, err);
}

void
change_unlock(struct change *c)
{
	lock_release(c->lock);
	c->lock = NULL;
}

void
change_stop(struct change *c)
{
	change_unlock(c);
	apply_release(&c->applied);
	plan_free(c->plan);
	c->plan = NULL;
}

/* Would the output take the place of a file that is loaded? */
static int
check_output(const struct change *c, const char *path, struct error *err)
{
	const char *what = NULL;
	struct file_id id;

	if (file_check_output(path, err) != 0 || file_identify(path, &id, err) != 0)
		return -1;
	if (c->secrets != NULL && file_id_same(&id, secrets_file_id(c->secrets)))
		what = "secrets file";
	for (size_t i = 0; i < c->configs.len; i++)
		if (file_id_same(&id, &(*config_slot(c, i))->id))
			what = "configuration file";
	if (what == NULL)
		return 0;
	error_set(err, ERROR_REFUSED, "the output would overwrite the %s", what);
	error_place(err, path, 0);
	add_hint(c, CHANGE_OUTPUT, err);
	return -1;
}

int
change_outputs(struct change *c, const char *const paths[], struct buf texts[], size_t n,
    struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (check_output(c, paths[i], err) != 0)
			return -1;
	if ((!c->dry && lock_paths(c, paths, n, err) != 0) ||
	    (c->plan == NULL && change_plan(c, err) != 0))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (plan_add_output(c->plan, paths[i], NULL, &texts[i], err) != 0)
			return -1;
	return 0;
}

int
change_apply(struct change *c, struct error *err)
{
	apply_release(&c->applied);
	c->applied = (struct apply){ .lock_timeout_ms = c->lock_timeout_ms,
		.secrets_locked = c->lock != NULL, .files_locked = c->lock != NULL && c->all_locked,
		.waiting = c->callbacks->waiting, .writing = c->callbacks->writing,
		.progress = c->callbacks->progress, .cookie = c->cookie, .trail = c->trail,
		.environment = c->environment, .key = c->key };
	return apply_plan(c->plan, &c->applied, err);
}

static int
apply_noted(struct change *c, struct buf *notes, struct error *err)
{
	int rc = change_apply(c, err);

	if (notes != NULL)
		buf_append(notes, c->applied.notes.data, c->applied.notes.len);
	return rc;
}

int
change_write_file(const struct trail *t, int lock_timeout_ms, const char *path, bool is_new,
    const struct buf *content, struct buf *notes, struct error *err)
{
	static const struct change_callbacks none = { .waiting = NULL };
	struct file_id id;
	struct change c;
	struct buf copy;
	int rc;

	change_init(&c, &none, NULL);
	c.trail = t;
	c.lock_timeout_ms = lock_timeout_ms;
	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, content->data, content->len);
	if ((rc = buf_check(&copy, err)) == 0 &&
	    (rc = change_outputs(&c, &path, &copy, 1, err)) == 0 && is_new &&
	    (rc = file_identify(path, &id, err)) == 0 && id.exists) {
		error_set(err, ERROR_EXISTS, "the file is there already");
		error_place(err, path, 0);
		rc = error_hint(err, "give another name, or move that file away");
	}
	if (rc == 0)
		rc = apply_noted(&c, notes, err);
	buf_release(&copy);
	change_close(&c);
	return rc;
}

int
change_edit_file(const struct trail *t, int lock_timeout_ms, const char *path, const char *key,
    change_edit_fn *edit, void *cookie, struct buf *notes, struct error *err)
{
	static const struct change_callbacks none = { .waiting = NULL };
	struct file_id was = { .exists = false };
	struct buf content;
	struct change c;
	int rc;

	change_init(&c, &none, NULL);
	c.trail = t;
	c.key = key;
	c.lock_timeout_ms = lock_timeout_ms;
	buf_init(&content, BUF_MAX_FILE);
	rc = file_check_links(path, err) != 0 ? -1 : lock_paths(&c, &path, 1, err);
	if (rc == 0 && file_read(path, &content, &was, err) != 0 && err->code != ERROR_MISSING)
		rc = -1;
	if (rc == 0 && (rc = edit(cookie, &content, err)) == 0 &&
	    (rc = change_plan(&c, err)) == 0)
		rc = plan_add_output(c.plan, path, &was, &content, err);
	if (rc == 0)
		rc = apply_noted(&c, notes, err);
	buf_release(&content);
	change_close(&c);
	return rc;
}

#include "cli/change.h"

#include <stddef.h>
#include <sys/stat.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "crypto/key.h"
#include "document/document.h"
#include "cli/master.h"
#include "common/options.h"
#include "common/output.h"
#include "plan/apply.h"
#include "plan/configuration.h"
#include "plan/diff.h"
#include "file/lock.h"
#include "plan/plan.h"
#include "common/report.h"
#include "secrets/secrets_file.h"

#define DIFF_MAX BUF_MAX_FILE

static int
load_secrets(struct change *c, struct error *err)
{
	const char *path = c->o->text[FLAG_LOCAL_SECRETS_FILE];

	secrets_file_free(c->secrets);
	c->secrets = NULL;
	if (path == NULL)
		return 0;
	c->secrets = secrets_file_load(path, err);
	if (c->secrets == NULL && err->code == ERROR_MISSING) {
		if (c->may_create)
			c->secrets = secrets_file_new(path, err);
		else if (err->hint[0] == '\0')
			options_hint(c->o, FLAG_LOCAL_SECRETS_FILE, err);
	}
	return c->secrets == NULL ? -1 : 0;
}

/* The configuration file: a flag's value, or what the command is about. */
static const char *
config_path(const struct options *o)
{
	return o->text[FLAG_CONFIG_FILE] != NULL || o->arg_count == 0 ?
	    o->text[FLAG_CONFIG_FILE] : o->args[0];
}

static int
hint_config(const struct change *c, struct error *err)
{
	return error_hint(err, c->o->arg_count == 0 ? "check --config-file" :
	    "check the FILE that the command names");
}

/* A second file of one base name gets entries of its own by another one. */
static int
set_base_name(struct change *c, struct error *err)
{
	const char *name = c->o->text[FLAG_BASE_NAME];

	if (name == NULL)
		return 0;
	if (name[0] == '\0' || strpbrk(name, "/:}\r\n") != NULL) {
		error_set(err, ERROR_USAGE, "--base-name is empty, or has a `/`, `:`, `}` or line "
		    "end in it");
		return error_hint(err, "a name such as broker2-server.properties");
	}
	c->config->base = name;
	return 0;
}

static int
load_config(struct change *c, struct error *err)
{
	const char *path = config_path(c->o);

	if (path == NULL)
		return 0;
	configuration_free(c->config);
	c->config = configuration_load(path, err);
	if (c->config == NULL && err->code == ERROR_MISSING && err->hint[0] == '\0')
		hint_config(c, err);
	return c->config == NULL ? -1 : set_base_name(c, err);
}

static bool
same_file(const struct file_id *a, const struct file_id *b)
{
	return a->exists && b->exists && a->dev == b->dev && a->ino == b->ino;
}

/* A mistyped path must not make a secrets file of somebody's configuration. */
static int
check_secrets(const struct secrets_file *s, struct error *err)
{
	const struct document *d = secrets_file_document(s);

	if (document_count(d) == 0 || secrets_file_recognise(d) ||
	    secrets_file_sealed_count(s) > 0)
		return 0;
	error_set(err, ERROR_REFUSED, "this is no secrets file: it has entries, but neither "
	    "metadata nor a sealed one");
	error_place(err, secrets_file_path(s), 0);
	return error_hint(err, "check --local-secrets-file");
}

static int
check_files(const struct change *c, struct error *err)
{
	if (c->config == NULL)
		return check_secrets(c->secrets, err);
	if (c->secrets != NULL && same_file(&c->config->id, secrets_file_id(c->secrets))) {
		error_set(err, ERROR_REFUSED,
		    "the configuration file and the secrets file are the same file");
		return error_place(err, c->config->path, 0);
	}
	if (secrets_file_recognise(c->config->doc)) {
		error_set(err, ERROR_REFUSED, "this is a secrets file, not a configuration file");
		error_place(err, c->config->path, 0);
		return hint_config(c, err);
	}
	return c->secrets != NULL ? check_secrets(c->secrets, err) : 0;
}

int
change_open(struct change *c, const struct options *o, bool may_create, struct error *err)
{
	memset(c, 0, sizeof(*c));
	c->o = o;
	c->may_create = may_create;
	if (load_config(c, err) != 0 || load_secrets(c, err) != 0)
		return -1;
	return check_files(c, err);
}

int
change_key(struct change *c, struct error *err)
{
	c->master = master_find(c->o, c->secrets, err);
	return c->master == NULL ? -1 : 0;
}

void
change_waiting(void *cookie, const char *path)
{
	(void)cookie;
	report_note("waiting for another propseal that is changing %s", path);
}

/* Is the file still what was loaded? */
static bool
is_fresh(const char *path, const struct file_id *loaded)
{
	struct file_id now;

	return file_identify(path, &now, NULL) == 0 && file_id_equal(&now, loaded);
}

static int
lock(struct change *c, struct error *err)
{
	const char *config = config_path(c->o);
	const char *secrets = c->o->text[FLAG_LOCAL_SECRETS_FILE];
	const char *const paths[] = { config, secrets };

	c->lock = lock_files(paths, 2, options_lock_timeout(c->o), change_waiting, NULL, err);
	if (c->lock == NULL)
		return -1;
	if (config != NULL && !is_fresh(config, &c->config->id) && load_config(c, err) != 0)
		return -1;
	if (secrets != NULL && !is_fresh(secrets, secrets_file_id(c->secrets)) &&
	    load_secrets(c, err) != 0)
		return -1;
	return check_files(c, err);
}

int
change_start(struct change *c, struct error *err)
{
	if (!c->o->on[FLAG_DRY_RUN] && lock(c, err) != 0)
		return -1;
	c->plan = plan_new(c->secrets, err);
	return c->plan == NULL ? -1 : 0;
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
	plan_free(c->plan);
	c->plan = NULL;
}

static int
show(const struct plan *p, bool json, struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, DIFF_MAX);
	rc = json ? diff_append_json(p, &text, err) : diff_append(p, &text, err);
	if (rc == 0)
		rc = output_write(&text, err);
	buf_release(&text);
	return rc;
}

void
change_say_notes(const struct plan *p)
{
	const char *notes = plan_notes(p);
	size_t len;

	while (*notes != '\0') {
		len = strcspn(notes, "\n");
		if (len > 0)
			report_note("%.*s", (int)len, notes);
		notes += len + (notes[len] == '\n');
	}
}

int
change_finish(struct change *c, struct error *err)
{
	const struct options *o = c->o;
	bool json = options_format(o) == OUTPUT_JSON || options_key_format(o) == OUTPUT_JSON;

	/* The diff has the notes in it. */
	if (o->on[FLAG_DRY_RUN])
		return show(c->plan, json, err);
	change_say_notes(c->plan);
	if (plan_is_empty(c->plan)) {
		report_note("nothing to change");
		return 0;
	}
	return apply_plan(c->plan, err);
}

void
change_close(struct change *c)
{
	lock_release(c->lock);
	plan_free(c->plan);
	configuration_free(c->config);
	secrets_file_free(c->secrets);
	key_free(c->master);
	memset(c, 0, sizeof(*c));
}

int
change_status(struct change *c, int rc, const struct error *err)
{
	change_close(c);
	return rc == 0 ? 0 : report_error(err);
}

static int
check_output(const struct change *c, const char *path, struct error *err)
{
	struct file_id id;

	if (file_identify(path, &id, err) != 0)
		return -1;
	if (!same_file(&id, &c->config->id) && (c->secrets == NULL ||
	    !same_file(&id, secrets_file_id(c->secrets))))
		return 0;
	error_set(err, ERROR_REFUSED, "the output would overwrite the %s",
	    same_file(&id, &c->config->id) ? "configuration file" : "secrets file");
	error_place(err, path, 0);
	return error_hint(err, "give another --output-file");
}

static void
warn_readable(const char *path)
{
	struct file_id id;

	if (file_identify(path, &id, NULL) == 0 && id.exists && S_ISREG(id.mode) &&
	    (id.mode & 077) != 0)
		report_warning("chmod 600 it", "others can read %s, which keeps its mode %03o",
		    path, (unsigned int)(id.mode & 07777));
}

/*
 * Only the output is locked: opened files are as they were at one moment, and
 * reading must work in folders that cannot be written.
 */
int
change_write_output(struct change *c, const char *path, struct buf *text, struct error *err)
{
	const struct options *o = c->o;

	if (check_output(c, path, err) != 0)
		return -1;
	if (!o->on[FLAG_DRY_RUN]) {
		c->lock = lock_files(&path, 1, options_lock_timeout(o), change_waiting, NULL, err);
		if (c->lock == NULL)
			return -1;
	}
	if (c->plan == NULL && (c->plan = plan_new(c->secrets, err)) == NULL)
		return -1;
	if (plan_add_output(c->plan, path, text, err) != 0)
		return -1;
	warn_readable(path);
	return change_finish(c, err);
}

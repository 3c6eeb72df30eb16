#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "cli/change.h"
#include "cli/child.h"
#include "cli/commands.h"
#include "crypto/key.h"
#include "document/document.h"
#include "cli/environment.h"
#include "cli/exec_files.h"
#include "cli/master.h"
#include "common/options.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/render.h"
#include "cli/registry/resolver.h"
#include "common/report.h"
#include "secrets/resolve.h"
#include "secrets/secrets_file.h"

#define PATH_BYTES_MAX 65536
#define NAME_BYTES_MAX 4096

struct exec {
	const struct options *o;
	struct buf path;		/* of the secrets file, empty: none is needed */
	struct secrets_file *s;
	struct key *master;
	struct plan *plan;		/* what render.h works on; holds remarks */
	struct registry_resolver *registry;	/* NULL: none was named */
	struct exec_files files;
	struct environment env;
};

/* The secrets file that a reference names must be the one of all others. */
static int
take_path(struct exec *x, const struct reference *r, const char *where, struct error *err)
{
	if (x->o->text[FLAG_LOCAL_SECRETS_FILE] != NULL)
		return 0;
	if (x->path.len == 0 && r->path_len > 0) {
		buf_append(&x->path, r->path, r->path_len);
		return buf_check(&x->path, err);
	}
	if (r->path_len > 0 && r->path_len == x->path.len &&
	    memcmp(r->path, x->path.data, r->path_len) == 0)
		return 0;
	error_set(err, ERROR_USAGE, "the references name no secrets file, or more than one");
	error_place(err, where, 0);
	return error_hint(err, "give --local-secrets-file FILE");
}

/* Note the secrets file that references in a value name.  1: it has some. */
static int
look_at(struct exec *x, const char *value, size_t n, const char *where, struct error *err)
{
	struct reference r;
	size_t start, end = 0;
	int found = 0;

	while (resolve_next(value, n, end, &r, &start, &end)) {
		if (!reference_is_ours(&r))
			continue;
		found = 1;
		if (take_path(x, &r, where, err) != 0)
			return -1;
	}
	return found;
}

/* 1: something is to be resolved, in the environment or in a file. */
static int
look_everywhere(struct exec *x, struct error *err)
{
	const struct configuration *c;
	struct buf value;
	int found = 0, rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (char **v = environ; *v != NULL && rc != -1; v++) {
		rc = look_at(x, *v, strlen(*v), "the environment", err);
		found |= rc == 1;
	}
	for (size_t k = 0; k < x->files.count && rc != -1; k++) {
		c = x->files.files[k].c;
		for (size_t i = 0; i < document_count(c->doc) && rc != -1; i++) {
			buf_clear(&value);
			if (document_shadowed(c->doc, i))
				continue;
			if ((rc = document_value(c->doc, i, &value, err)) == 0)
				rc = look_at(x, (const char *)value.data, value.len, c->path, err);
			found |= rc == 1;
		}
	}
	buf_release(&value);
	return rc == -1 ? -1 : found;
}

/* Find the key only if there is something to open or to hand on. */
static int
open_secrets(struct exec *x, struct error *err)
{
	const char *given = x->o->text[FLAG_LOCAL_SECRETS_FILE];
	int found = look_everywhere(x, err);

	if (found == -1)
		return -1;
	if (given != NULL)
		buf_append_str(&x->path, given);
	if ((found == 1 || x->o->on[FLAG_KEEP_KEY]) && x->path.len > 0) {
		x->s = secrets_file_load(buf_cstr(&x->path), err);
		if (x->s == NULL) {
			if (err->code == ERROR_MISSING && given == NULL)
				error_hint(err, "the references name this file; give "
				    "--local-secrets-file if it is elsewhere on this host");
			return -1;
		}
		if ((x->master = master_find(x->o, x->s, err)) == NULL ||
		    secrets_file_unlock(x->s, x->master, err) != 0)
			return -1;
	}
	if ((x->plan = plan_new(x->s, err)) == NULL)
		return -1;
	plan_set_resolver(x->plan, registry_resolver(x->registry));
	return 0;
}

/* The name of a variable: the first ${len} bytes of a flag's value. */
static int
name_of(const char *text, size_t len, struct buf *name, const char *flag, struct error *err)
{
	bool good = len > 0 && len < NAME_BYTES_MAX && (text[0] < '0' || text[0] > '9');

	for (size_t i = 0; i < len && good; i++)
		good = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
		    (text[i] >= '0' && text[i] <= '9') || text[i] == '_';
	buf_clear(name);
	if (good) {
		buf_append(name, text, len);
		return buf_check(name, err);
	}
	error_set(err, ERROR_USAGE, "bad name of a variable for --%s", flag);
	return error_hint(err, "letters, digits and _, as in --env SSL_PASSWORD="
	    "ssl.key.password or --file CONFIG");
}

/* One variable of ours, for the command. */
static int
copy_variable(struct exec *x, const char *text, struct buf *name, struct buf *value,
    struct error *err)
{
	const char *equals = strchr(text, '=');
	struct error why;

	if (equals == NULL)
		return 0;
	buf_clear(name);
	buf_append(name, text, (size_t)(equals - text));
	buf_clear(value);
	if (buf_check(name, err) != 0)
		return -1;
	/* Without a secrets file there is no reference of ours. */
	if (x->s == NULL && x->registry == NULL)
		buf_append_str(value, equals + 1);
	else if (resolve_value(x->s, registry_resolver(x->registry), equals + 1,
	    strlen(equals + 1), value, NULL, &why) != 0) {
		if (why.code == ERROR_MISSING && x->s != NULL && why.file[0] != '\0' &&
		    strcmp(why.file, secrets_file_path(x->s)) == 0) {
			error_set(err, ERROR_MISSING, "%s: %s", why.text, why.key);
			error_place(err, "the environment", 0);
			error_key(err, buf_cstr(name), name->len);
			return error_hint(err, "correct the variable, or restore the entry in %s",
			    secrets_file_path(x->s));
		}
		*err = why;
		if (err->file[0] == '\0') {
			error_place(err, "the environment", 0);
			error_key(err, buf_cstr(name), name->len);
		}
		return -1;
	}
	return environment_set(&x->env, buf_cstr(name), value->data, value->len, err);
}

static int
copy_environment(struct exec *x, struct error *err)
{
	struct buf name, value;
	int rc = 0;

	buf_init(&name, 1U << 20);
	buf_init_secret(&value, BUF_MAX_FILE);
	for (char **v = environ; *v != NULL && rc == 0; v++)
		rc = copy_variable(x, *v, &name, &value, err);
	buf_release(&value);
	buf_release(&name);
	return rc;
}

/* A key that nobody needed here does not stay in our environment either. */
static void
wipe_variable(const char *name)
{
	char *value = getenv(name);

	if (value == NULL)
		return;
	secmem_wipe(value, strlen(value));
	unsetenv(name);
}

/* The key goes to nobody who was not to get it. */
static int
pass_key(struct exec *x, struct error *err)
{
	const char *variable = x->s != NULL ? secrets_file_metadata(x->s)->envvar :
	    SECRETS_ENVVAR_DEFAULT;
	struct buf text;
	int rc;

	if (!x->o->on[FLAG_KEEP_KEY]) {
		environment_unset(&x->env, variable);
		environment_unset(&x->env, SECRETS_ENVVAR_DEFAULT);
	}
	wipe_variable(variable);
	wipe_variable(SECRETS_ENVVAR_DEFAULT);
	if (!x->o->on[FLAG_KEEP_KEY])
		return 0;
	/* Nobody needed it here: it is in the copy as it was. */
	if (x->master == NULL)
		return 0;
	buf_init_secret(&text, 4096);
	key_append_base64(x->master, &text);
	rc = buf_check(&text, err);
	if (rc == 0)
		rc = environment_set(&x->env, variable, text.data, text.len, err);
	buf_release(&text);
	return rc;
}

/* --env NAME=KEY */
static int
set_value(struct exec *x, struct exec_file *file, const char *key, const char *name,
    struct error *err)
{
	const struct document *d = file->c->doc;
	size_t i = document_find(d, key, strlen(key));
	struct buf value;
	int rc;

	file->used = true;
	if (i == DOCUMENT_NONE) {
		error_set(err, ERROR_MISSING,
		    "this configuration key is not present in the file");
		error_place(err, file->c->path, 0);
		error_key(err, key, strlen(key));
		return error_hint(err, "`propseal file show %s` lists the keys", file->c->path);
	}
	buf_init_secret(&value, BUF_MAX_FILE);
	rc = render_value(x->plan, file->c, i, &value, err);
	if (rc == 0 && (rc = environment_set(&x->env, name, value.data, value.len, err)) != 0 &&
	    err->file[0] == '\0') {
		error_place(err, file->c->path, document_line(d, i));
		error_key(err, key, strlen(key));
	}
	buf_release(&value);
	return rc;
}

/* What --env and --file ask for. */
static int
set_variables(struct exec *x, struct error *err)
{
	const struct options *o = x->o;
	struct exec_file *file;
	const char *text, *path;
	struct buf name;
	size_t len;
	int rc = 0;

	buf_init(&name, 1U << 20);
	for (size_t k = 0; k < o->item_count && rc == 0; k++) {
		if (o->items[k].id != FLAG_ENV && o->items[k].id != FLAG_FILE)
			continue;
		text = o->items[k].value;
		len = strcspn(text, "=");
		rc = -1;
		if (name_of(text, len, &name, flag_get(o->items[k].id)->name, err) != 0)
			break;
		if ((o->items[k].id == FLAG_ENV) != (text[len] == '=')) {
			error_set(err, ERROR_USAGE, "bad value for --%s",
			    flag_get(o->items[k].id)->name);
			error_hint(err, "it takes %s", flag_get(o->items[k].id)->argument);
			break;
		}
		if ((file = exec_files_of(&x->files, o, k, err)) == NULL)
			break;
		if (o->items[k].id == FLAG_ENV)
			rc = set_value(x, file, text + len + 1, buf_cstr(&name), err);
		else if ((path = exec_files_copy(&x->files, file, x->plan, err)) != NULL)
			rc = environment_set(&x->env, buf_cstr(&name), path, strlen(path), err);
	}
	buf_release(&name);
	return rc;
}

/* The command runs: nothing of it is needed here any more. */
static void
forget(void *cookie)
{
	struct exec *x = cookie;

	environment_release(&x->env);
	plan_free(x->plan);
	secrets_file_free(x->s);
	key_free(x->master);
	registry_resolver_close(x->registry);
	x->registry = NULL;
	x->plan = NULL;
	x->s = NULL;
	x->master = NULL;
	for (size_t i = 0; i < x->files.count; i++) {
		configuration_free(x->files.files[i].c);
		x->files.files[i].c = NULL;
		if (x->files.files[i].fd != -1)
			close(x->files.files[i].fd);
		x->files.files[i].fd = -1;
	}
}

static int
run(struct exec *x, int *status, struct error *err)
{
	struct child c = { .trusted = true, .started = forget, .cookie = x };

	if (exec_files_load(&x->files, x->o, err) != 0 || open_secrets(x, err) != 0 ||
	    copy_environment(x, err) != 0 || pass_key(x, err) != 0 ||
	    set_variables(x, err) != 0 ||
	    exec_files_command(&x->files, x->o, x->plan, err) != 0 ||
	    exec_files_check_used(&x->files, err) != 0)
		return -1;
	change_say_notes(x->plan);
	c.argv = (const char *const *)x->files.argv;
	c.fds = x->files.fds;
	c.fd_count = x->files.fd_count;
	if ((c.envp = environment_finish(&x->env, err)) == NULL)
		return -1;
	return child_run(&c, status, NULL, err);
}

int
commands_exec(const struct options *o)
{
	struct exec x = { .o = o };
	struct error err;
	int status = 0, rc;

	buf_init(&x.path, PATH_BYTES_MAX);
	environment_init(&x.env);
	rc = registry_resolver_open(o, &x.registry, &err);
	if (rc == 0)
		rc = run(&x, &status, &err);
	forget(&x);
	exec_files_release(&x.files);
	buf_release(&x.path);
	return rc == 0 ? status : report_error(&err);
}

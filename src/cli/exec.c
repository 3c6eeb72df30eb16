#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/memory.h"
#include "cli/remote.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/process.h"
#include "common/report.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/properties.h"
#include "estate/environments.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/render.h"
#include "secrets/inspect.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

#define TEXT_MAX ((size_t)256 << 20)	/* far above what a kernel passes */
#define VARIABLES_MAX ((size_t)1 << 24)
#define GONE ((size_t)-1)	/* the place of one that was taken out */

/* An argument with paths in it; a kernel passes no longer one. */
#define ARGUMENT_MAX (4U << 20)

/* What variables are called in errors: a file of the current folder. */
#define VARIABLES "the environment"

#define EXEC_FAILED 125	/* as of env(1), timeout(1) */
#define NAME_BYTES_MAX 4096

/* The environment of a command, made from ours; in secret memory. */
struct variables {
	struct buf text;	/* NAME=VALUE, a NUL behind each */
	struct vec places;	/* of size_t: where each begins in text */
	char **envp;
};

/* A configuration file that `exec` was given, and the copy that it makes. */
struct exec_file {
	struct configuration *c;
	bool used;		/* by a variable or in the command */
	int fd;			/* of the copy in memory, -1: none */
	struct ramdir *folder;	/* or the copy with a name, NULL: none */
	char *path;		/* what the command opens, NULL: no copy is made yet */
};

struct exec_files {
	struct exec_file *files;
	size_t count;
	struct scan_resolver *ours;	/* of all of them */
	bool named;		/* --named */
	char **argv;		/* the command, NULL behind the last */
	size_t argc;
	int *fds;		/* what it inherits */
	size_t fd_count;
};

struct exec {
	const struct options *o;
	struct environments *environments;
	struct environment *one;	/* that all references mean; NULL: there is no one */
	bool several;
	struct scan_resolver ours;
	struct plan *plan;		/* what render.h works on; holds remarks */
	struct registry_resolver *registry;	/* NULL: none was named */
	struct exec_files files;
	struct variables env;
};

static void
variables_init(struct variables *e)
{
	buf_init_secret(&e->text, TEXT_MAX);
	vec_init(&e->places, sizeof(size_t), VARIABLES_MAX);
	e->envp = NULL;
}

static void
variables_release(struct variables *e)
{
	buf_release(&e->text);
	vec_release(&e->places);
	free(e->envp);
	e->envp = NULL;
}

static size_t *
place_at(const struct variables *e, size_t i)
{
	return vec_at(&e->places, i);
}

/* Take a variable out. */
static void
variables_unset(struct variables *e, const char *name)
{
	size_t n = strlen(name);
	const char *text;

	for (size_t i = 0; i < e->places.len; i++) {
		if (*place_at(e, i) == GONE)
			continue;
		text = (const char *)e->text.data + *place_at(e, i);
		if (strncmp(text, name, n) == 0 && text[n] == '=')
			*place_at(e, i) = GONE;
	}
}

/**
 * variables_set(e, name, value, n, err):
 * Set a variable, in the place of one of that name.  ERROR_REFUSED: the value
 * has a NUL.
 */
static int
variables_set(struct variables *e, const char *name, const void *value, size_t n,
    struct error *err)
{
	size_t *place;

	if (n > 0 && memchr(value, '\0', n) != NULL) {
		error_set(err, ERROR_REFUSED, "the value has a NUL, which no variable can hold");
		error_key(err, name, strlen(name));
		return error_hint(err, "give the command a file, with --config-file and {}");
	}
	variables_unset(e, name);
	if ((place = vec_push(&e->places)) == NULL)
		return error_memory(err);
	*place = e->text.len;
	buf_append_str(&e->text, name);
	buf_append_char(&e->text, '=');
	buf_append(&e->text, value, n);
	buf_append_char(&e->text, '\0');
	return buf_check(&e->text, err);
}

/**
 * variables_finish(e, err):
 * What execve takes; a forked child finds it as it is.  Valid until the
 * release; nothing may be set any more.
 */
static char *const *
variables_finish(struct variables *e, struct error *err)
{
	size_t n = 0;

	if (buf_check(&e->text, err) != 0)
		return NULL;
	e->envp = calloc(e->places.len + 1, sizeof(*e->envp));
	if (e->envp == NULL) {
		error_memory(err);
		return NULL;
	}
	for (size_t i = 0; i < e->places.len; i++)
		if (*place_at(e, i) != GONE)
			e->envp[n++] = (char *)e->text.data + *place_at(e, i);
	if (e->text.data != NULL && secmem_keep_on_fork(e->text.data, e->text.cap) != 0) {
		error_io(err, "", "cannot hand over the environment");
		return NULL;
	}
	return e->envp;
}

static int
exec_files_load(struct exec_files *f, const struct options *o, struct error *err)
{
	struct exec_file *file;

	memset(f, 0, sizeof(*f));
	f->named = o->on[FLAG_NAMED];
	f->files = calloc(o->item_count + 1, sizeof(*f->files));
	f->fds = calloc(o->item_count + 1, sizeof(*f->fds));
	if (f->files == NULL || f->fds == NULL)
		return error_memory(err);
	for (size_t k = 0; k < o->item_count; k++) {
		if (o->items[k].id != FLAG_CONFIG_FILES)
			continue;
		file = &f->files[f->count++];
		file->fd = -1;
		if ((file->c = configuration_load(o->items[k].value,
		    config_scope(o->config), err)) == NULL)
			return -1;
		if (secrets_file_recognise(file->c->doc)) {
			error_set(err, ERROR_REFUSED,
			    "this is a secrets file, not a configuration file");
			error_place(err, file->c->path, 0);
			return error_hint(err, "check --config-file");
		}
		if (f->named && (file->folder = ramdir_new(file->c->base, false, err)) == NULL)
			return -1;
	}
	return 0;
}

/* Load every --config-file.  Release also after a failure. */
static void
exec_files_release(struct exec_files *f)
{
	for (size_t i = 0; i < f->count; i++) {
		configuration_free(f->files[i].c);
		ramdir_wipe(f->files[i].folder);
		if (f->files[i].fd != -1)
			close(f->files[i].fd);
		free(f->files[i].path);
	}
	for (size_t i = 0; i < f->argc; i++)
		free(f->argv[i]);
	free(f->argv);
	free(f->fds);
	free(f->files);
	memset(f, 0, sizeof(*f));
}

/* The file that item ${k} of the options is about: the one before it, or the
 * only one.  NULL: ERROR_USAGE. */
static struct exec_file *
exec_files_of(const struct exec_files *f, const struct options *o, size_t k, struct error *err)
{
	size_t before = 0;

	for (size_t i = 0; i < k; i++)
		before += o->items[i].id == FLAG_CONFIG_FILES;
	if (before > 0)
		return &f->files[before - 1];
	if (f->count == 1)
		return &f->files[0];
	error_set(err, ERROR_USAGE, "--%s %s without a --config-file before it",
	    flag_get(o->items[k].id)->name, o->items[k].value);
	error_hint(err, "say first which file it is about: --config-file FILE --%s ...",
	    flag_get(o->items[k].id)->name);
	return NULL;
}

/* A copy in a private folder. */
static const char *
name_copy(struct exec_file *file, const struct buf *text, struct error *err)
{
	if (file->folder == NULL)
		file->folder = ramdir_new(file->c->base, false, err);
	if (file->folder == NULL || ramdir_write(file->folder, text, err) != 0)
		return NULL;
	if ((file->path = strdup(ramdir_path(file->folder))) == NULL)
		error_memory(err);
	return file->path;
}

/* A copy without a name, if there can be one. */
static const char *
pass_copy(struct exec_files *f, struct exec_file *file, const struct buf *text, struct error *err)
{
	struct error why;

	if ((file->fd = memfile_new(text, &why)) == -1) {
		report_note("%s; the command gets a file in a private folder", why.text);
		return name_copy(file, text, err);
	}
	f->fds[f->fd_count++] = file->fd;
	if (asprintf(&file->path, "/proc/self/fd/%d", file->fd) == -1) {
		file->path = NULL;
		error_memory(err);
	}
	return file->path;
}

/* The path of a resolved copy, made at the first call.  ${p}: see render.h. */
static const char *
exec_files_copy(struct exec_files *f, struct exec_file *file, struct plan *p, struct error *err)
{
	const char *path = NULL;
	struct buf text;

	file->used = true;
	if (file->path != NULL)
		return file->path;
	f->ours->config = file->c->path;
	buf_init_secret(&text, BUF_MAX_FILE);
	if (render_document(p, file->c, RENDER_PROGRAM, &text, err) == 0)
		path = f->named ? name_copy(file, &text, err) : pass_copy(f, file, &text, err);
	buf_release(&text);
	return path;
}

/* The length of {} or {N} at ${p}, and N (0: none given); 0: it is neither. */
static size_t
mark_at(const char *p, size_t *n)
{
	size_t len = 1;

	if (p[0] != '{')
		return 0;
	for (*n = 0; len < 8 && ascii_is_digit(p[len]); len++)
		*n = 10 * *n + (size_t)(p[len] - '0');
	return p[len] == '}' && (len == 1 || *n > 0) ? len + 1 : 0;
}

/* The file of mark N in an argument. */
static struct exec_file *
marked(const struct exec_files *f, size_t n, const char *arg, struct error *err)
{
	if (n == 0 && f->count == 1)
		return &f->files[0];
	if (n > 0 && n <= f->count)
		return &f->files[n - 1];
	error_set(err, ERROR_USAGE, n == 0 ? "which of the files is meant in the argument %s?" :
	    "no such file for the argument %s", arg);
	error_hint(err, "{1} is the first --config-file, {2} the second; {{}} is written for {}");
	return NULL;
}

/* Copy an argument with its marks replaced. */
static int
replace_marks(struct exec_files *f, const char *arg, struct plan *p, struct buf *out,
    struct error *err)
{
	struct exec_file *file;
	const char *path, *at = arg;
	size_t n, len;

	while (*at != '\0') {
		if (at[0] == '{' && (len = mark_at(at + 1, &n)) > 0 && at[1 + len] == '}') {
			buf_append(out, at + 1, len);
			at += len + 2;
		} else if ((len = mark_at(at, &n)) > 0) {
			if ((file = marked(f, n, arg, err)) == NULL ||
			    (path = exec_files_copy(f, file, p, err)) == NULL)
				return -1;
			buf_append_str(out, path);
			at += len;
		} else
			buf_append_char(out, *at++);
	}
	return buf_check(out, err);
}

/**
 * exec_files_command(f, o, p, err):
 * Make f->argv: the arguments with {} and {N} replaced by paths of copies, and
 * {{}} by {}.  Without --config-file nothing is replaced.
 */
static int
exec_files_command(struct exec_files *f, const struct options *o, struct plan *p, struct error *err)
{
	struct buf text;
	int rc = 0;

	if ((f->argv = calloc(o->arg_count + 1, sizeof(*f->argv))) == NULL)
		return error_memory(err);
	buf_init(&text, ARGUMENT_MAX);
	for (size_t i = 0; i < o->arg_count && rc == 0; i++) {
		buf_clear(&text);
		if (i == 0 || f->count == 0)
			buf_append_str(&text, o->args[i]);
		else
			rc = replace_marks(f, o->args[i], p, &text, err);
		if (rc == 0)
			rc = buf_check(&text, err);
		if (rc == 0 && (f->argv[f->argc] = strdup(buf_cstr(&text))) == NULL)
			rc = error_memory(err);
		f->argc += rc == 0;
	}
	buf_release(&text);
	return rc;
}

/* ERROR_USAGE when a file was given for nothing. */
static int
exec_files_check_used(const struct exec_files *f, struct error *err)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->files[i].used)
			continue;
		error_set(err, ERROR_USAGE, "the command gets nothing of this --config-file");
		error_place(err, f->files[i].c->path, 0);
		return error_hint(err, "write {} for its path in the command, or give --env "
		    "NAME=KEY or --env-path NAME");
	}
	return 0;
}

/* What would be a reference of ours in variable ${v}, if it were closed, stays as it is. */
static void
exec_say_unclosed(const char *v, const char *equals)
{
	struct buf name;

	if (!inspect_is_unclosed_ours(equals + 1, strlen(equals + 1)))
		return;
	buf_init(&name, NAME_BYTES_MAX);
	text_append_visible(&name, v, (size_t)(equals - v));
	report_warning("close it with `}`", "%s: \"%s\": a reference is not closed: the command "
	    "gets it as text", VARIABLES, buf_cstr(&name));
	buf_release(&name);
}

/* Our environment as a configuration file of the current folder: variables with
 * references of ours. */
static struct configuration *
exec_variables(struct error *err)
{
	struct configuration *c = error_alloc(sizeof(*c), err);
	struct buf text;
	const char *equals;

	if (c == NULL)
		return NULL;
	buf_init_secret(&text, BUF_MAX_FILE);
	for (char **v = environ; *v != NULL; v++) {
		equals = strchr(*v, '=');
		if (equals != NULL)
			exec_say_unclosed(*v, equals);
		if (equals == NULL || !resolve_finds_ours(equals, strlen(equals)))
			continue;
		properties_append_key(&text, *v, (size_t)(equals - *v));
		buf_append_char(&text, '=');
		properties_append_value(&text, equals + 1, strlen(equals + 1));
		buf_append_char(&text, '\n');
	}
	c->path = strdup(VARIABLES);
	if (c->path == NULL)
		error_memory(err);
	else if (buf_check(&text, err) == 0)
		c->doc = document_parse(&text, DOCUMENT_ENTRIES, VARIABLES, err);
	buf_release(&text);
	if (c->doc != NULL)
		return c;
	configuration_free(c);
	return NULL;
}

/* Open what one reference means.  The key is here until the command's environment
 * is made, which has none.  x->one: what all mean, as long as it is one. */
static int
look_at_reference(struct exec *x, const struct configuration *c, const struct reference *r,
    struct error *err)
{
	struct resolution to;

	if (environments_locate(x->environments, c->path, r, &to, err) != 0)
		return -1;
	if (to.environment == NULL || (x->one != NULL && x->one != to.environment))
		x->several = true;
	x->one = to.environment;
	return to.entry == DOCUMENT_NONE ? 0 :
	    scan_open(x->o, x->environments, to.environment, err);
}

/* All references of ${c}.  1: there are some. */
static int
look_at(struct exec *x, const struct configuration *c, struct error *err)
{
	struct reference r;
	struct buf value;
	size_t start, end;
	int found = 0, rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(c->doc) && rc == 0; i++) {
		buf_clear(&value);
		if (document_shadowed(c->doc, i) || !reference_may_be_in(c->doc, i))
			continue;
		rc = document_value(c->doc, i, &value, err);
		for (end = 0; rc == 0 && resolve_next((const char *)value.data, value.len, end,
		    &r, &start, &end);) {
			if (!reference_is_ours(&r))
				continue;
			found = 1;
			rc = look_at_reference(x, c, &r, err);
		}
	}
	buf_release(&value);
	return rc != 0 ? -1 : found;
}

/* Find the secrets files of all references, and the one whose key is to be handed on. */
static int
exec_open_secrets(struct exec *x, struct error *err)
{
	struct configuration **all = calloc(x->files.count + 1, sizeof(struct configuration *));
	int found = 0, rc = 0;

	if (all == NULL)
		return error_memory(err);
	for (size_t k = 0; k < x->files.count; k++)
		all[k + 1] = x->files.files[k].c;
	x->files.ours = &x->ours;
	if ((all[0] = exec_variables(err)) == NULL ||
	    (x->environments = scan_files(x->o, all, x->files.count + 1, err)) == NULL)
		rc = -1;
	x->one = rc == 0 ? environments_only(x->environments) : NULL;
	for (size_t k = 0; k <= x->files.count && rc != -1; k++) {
		rc = look_at(x, all[k], err);
		found |= rc == 1;
	}
	configuration_free(all[0]);
	free(all);
	if (rc == -1 || (x->plan = plan_new(NULL, err)) == NULL)
		return -1;
	scan_resolver_init(&x->ours, x->o, x->environments, VARIABLES,
	    registry_resolver(x->registry));
	plan_set_resolver(x->plan, &x->ours.face);
	x->one = x->several ? NULL : x->one;
	if (!x->o->on[FLAG_KEEP_KEY])
		return 0;
	if (x->one != NULL)
		return scan_open(x->o, x->environments, x->one, err);
	/* A variable is handed on as it is; another source would be left unread. */
	if (found == 0 && !x->o->given[FLAG_MASTER_KEY_FILE] &&
	    !x->o->given[FLAG_MASTER_KEY_COMMAND] && getenv("CREDENTIALS_DIRECTORY") == NULL)
		return 0;
	if (found == 0) {
		error_set(err, ERROR_USAGE,
		    "nothing says which secrets file the key to keep is of");
		return error_hint(err, "give --local-secrets-file FILE");
	}
	error_set(err, ERROR_USAGE, "the references mean several secrets files, or one that cannot "
	    "be told: there is no one key to keep");
	return error_hint(err, "leave --keep-key out, or give --local-secrets-file FILE");
}

/* The name of a variable: the first ${len} bytes of a flag's value. */
static int
name_of(const char *text, size_t len, struct buf *name, const char *flag, struct error *err)
{
	bool good = len > 0 && len < NAME_BYTES_MAX && (text[0] < '0' || text[0] > '9');

	for (size_t i = 0; i < len && good; i++)
		good = ascii_is_alnum(text[i]) || text[i] == '_';
	buf_clear(name);
	if (good) {
		buf_append(name, text, len);
		return buf_check(name, err);
	}
	error_set(err, ERROR_USAGE, "bad name of a variable for --%s", flag);
	return error_hint(err, "letters, digits and _, as in --env SSL_PASSWORD="
	    "ssl.key.password or --env-path CONFIG");
}

/* One variable of ours, for the command. */
static int
copy_variable(struct exec *x, const char *text, struct buf *name, struct buf *value,
    struct error *err)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL)
		return 0;
	buf_clear(name);
	buf_append(name, text, (size_t)(equals - text));
	buf_clear(value);
	if (buf_check(name, err) != 0)
		return -1;
	if (resolve_value(NULL, &x->ours.face, equals + 1, strlen(equals + 1), value, NULL,
	    err) != 0) {
		if (err->file[0] == '\0') {
			error_place(err, VARIABLES, 0);
			error_key(err, buf_cstr(name), name->len);
		}
		return -1;
	}
	return variables_set(&x->env, buf_cstr(name), value->data, value->len, err);
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

/* A variable of a key: not for the command, and a key that nobody needed here does not
 * stay in our environment either. */
static void
exec_drop_variable(struct exec *x, const char *name)
{
	char *value = getenv(name);

	if (!x->o->on[FLAG_KEEP_KEY])
		variables_unset(&x->env, name);
	if (value == NULL)
		return;
	secmem_wipe(value, strlen(value));
	unsetenv(name);
}

/* The key goes to nobody who was not to get it. */
static int
exec_pass_key(struct exec *x, struct error *err)
{
	const char *variable = SECRETS_ENVVAR_DEFAULT;
	const char *names = x->o->text[FLAG_MASTER_KEY_VARIABLE];
	char name[NAME_BYTES_MAX];
	struct buf text;
	size_t n;
	int rc;

	exec_drop_variable(x, SECRETS_ENVVAR_DEFAULT);
	/* Those that the user allows; what the secrets file names is anybody's variable. */
	for (; names != NULL && (names = config_value_next(names, &n)) != NULL; names += n) {
		if (n >= sizeof(name))
			continue;
		memcpy(name, names, n);
		name[n] = '\0';
		exec_drop_variable(x, name);
		if (x->one != NULL && x->one->secrets != NULL &&
		    strcmp(name, secrets_file_metadata(x->one->secrets)->envvar) == 0)
			variable = secrets_file_metadata(x->one->secrets)->envvar;
	}
	if (!x->o->on[FLAG_KEEP_KEY])
		return 0;
	/* Nobody needed it here: it is in the copy as it was. */
	if (x->one == NULL || x->one->master == NULL)
		return 0;
	buf_init_secret(&text, 4096);
	key_append_base64(x->one->master, &text);
	rc = buf_check(&text, err);
	if (rc == 0)
		rc = variables_set(&x->env, variable, text.data, text.len, err);
	buf_release(&text);
	return rc;
}

/* --env NAME=KEY */
static int
exec_set_value(struct exec *x, struct exec_file *file, const char *key, const char *name,
    struct error *err)
{
	const struct document *d = file->c->doc;
	size_t i = document_find(d, key, strlen(key));
	struct buf value;
	int rc;

	file->used = true;
	if (i == DOCUMENT_NONE)
		return configuration_fail_missing(file->c, key, strlen(key), err);
	buf_init_secret(&value, BUF_MAX_FILE);
	x->ours.config = file->c->path;
	rc = render_value(x->plan, file->c, i, &value, err);
	if (rc == 0 && (rc = variables_set(&x->env, name, value.data, value.len, err)) != 0 &&
	    err->file[0] == '\0') {
		error_place(err, file->c->path, document_line(d, i));
		error_key(err, key, strlen(key));
	}
	buf_release(&value);
	return rc;
}

/* What --env and --env-path ask for. */
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
			rc = exec_set_value(x, file, text + len + 1, buf_cstr(&name), err);
		else if ((path = exec_files_copy(&x->files, file, x->plan, err)) != NULL)
			rc = variables_set(&x->env, buf_cstr(&name), path, strlen(path), err);
	}
	buf_release(&name);
	return rc;
}

/* The command runs: nothing of it is needed here any more. */
static void
exec_forget(void *cookie)
{
	struct exec *x = cookie;

	variables_release(&x->env);
	plan_free(x->plan);
	environments_free(x->environments);
	registry_resolver_close(x->registry);
	x->registry = NULL;
	x->plan = NULL;
	x->environments = NULL;
	x->one = NULL;
	for (size_t i = 0; i < x->files.count; i++) {
		configuration_free(x->files.files[i].c);
		x->files.files[i].c = NULL;
		if (x->files.files[i].fd != -1)
			close(x->files.files[i].fd);
		x->files.files[i].fd = -1;
	}
}

static int
exec_run(struct exec *x, int *status, struct error *err)
{
	struct child c = { .trusted = true, .started = exec_forget, .cookie = x };

	if (exec_files_load(&x->files, x->o, err) != 0 || exec_open_secrets(x, err) != 0 ||
	    copy_environment(x, err) != 0 || exec_pass_key(x, err) != 0 ||
	    set_variables(x, err) != 0 || exec_files_command(&x->files, x->o, x->plan, err) != 0 ||
	    exec_files_check_used(&x->files, err) != 0)
		return -1;
	change_say_notes(x->plan);
	scan_say_doubts(x->environments);
	c.argv = (const char *const *)x->files.argv;
	c.fds = x->files.fds;
	c.fd_count = x->files.fd_count;
	if ((c.envp = variables_finish(&x->env, err)) == NULL)
		return -1;
	return child_run(&c, status, NULL, err);
}

int
commands_exec(const struct options *o)
{
	struct exec x = { .o = o };
	struct error err;
	int status = 0, rc;

	variables_init(&x.env);
	rc = registry_resolver_open(o, &x.registry, &err);
	if (rc == 0)
		rc = exec_run(&x, &status, &err);
	exec_forget(&x);
	exec_files_release(&x.files);
	if (rc == 0)
		return status;
	return err.code == ERROR_USAGE ? report_error(&err) :
	    report_error_as(&err, status != 0 ? status : EXEC_FAILED);
}

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/memory.h"
#include "cli/scan.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/process.h"
#include "common/report.h"
#include "document/document.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/render.h"
#include "seal/seal.h"
#include "secrets/secrets_file.h"

#define NAME_BYTES_MAX 256
#define PATH_BYTES_MAX 4096
#define PATIENCE_MS 5000	/* for an editor that was told to end */

struct edit {
	struct change c;
	const struct options *o;
	char *secrets;		/* the secrets file, and where its readers find it */
	char *remote;
	struct buf before;	/* the clear text that the editor was given */
	struct ramdir *copy;
	int signal;		/* one that is to end this process, once all is wiped */
	bool keep;		/* the edited text: it could not be used, but it is good */
};

static const char *
command_of_user(void)
{
	const char *command = getenv("VISUAL");

	if (command == NULL || command[0] == '\0')
		command = getenv("EDITOR");
	return command == NULL || command[0] == '\0' ? "vi" : command;
}

/* Where a program without a slash in its name is found. */
static bool
editor_find_program(const char *name, char *out, size_t size)
{
	const char *path = getenv("PATH");
	size_t len;

	for (; path != NULL && *path != '\0'; path += path[len] == ':' ? len + 1 : len) {
		len = strcspn(path, ":");
		if ((size_t)snprintf(out, size, "%.*s/%s", (int)len, path, name) < size &&
		    access(out, X_OK) == 0)
			return true;
	}
	return false;
}

static bool
is_vim_name(const char *name)
{
	/* vim, nvim, gvim, vim.tiny, vim.basic */
	return strncmp(name, "vim", 3) == 0 || strcmp(name, "nvim") == 0 ||
	    strcmp(name, "gvim") == 0;
}

/* Is it Vim, which on many systems goes by the name of vi? */
static bool
is_vim(const char *command)
{
	char name[NAME_BYTES_MAX], found[PATH_BYTES_MAX];
	size_t len = strcspn(command, " \t");
	char *real;
	bool vim;

	if (len == 0 || len >= sizeof(name))
		return false;
	memcpy(name, command, len);
	name[len] = '\0';
	if (is_vim_name(file_basename(name)))
		return true;
	if (strcmp(file_basename(name), "vi") != 0)
		return false;
	if (strchr(name, '/') != NULL)
		snprintf(found, sizeof(found), "%s", name);
	else if (!editor_find_program(name, found, sizeof(found)))
		return false;
	real = realpath(found, NULL);
	vim = real != NULL && is_vim_name(file_basename(real));
	free(real);
	return vim;
}

static int
failed(int status, struct error *err)
{
	if (status == 127)
		error_set(err, ERROR_MISSING, "the editor was not found: %s", command_of_user());
	else if (status > 128)
		error_set(err, ERROR_REFUSED, "the editor was ended by signal %d", status - 128);
	else
		error_set(err, ERROR_REFUSED, "the editor failed with status %d", status);
	return error_hint(err, "nothing was changed; $VISUAL or $EDITOR names the editor");
}

/* Words only, so that the shell can become the editor: signals reach it then. */
static bool
editor_is_plain(const char *command)
{
	return strpbrk(command, ";&|<>()$`=\n") == NULL;
}

/**
 * editor_run(path, signal, err):
 * Have the user edit a file: $VISUAL, else $EDITOR, else vi, which may be a
 * command with arguments.  Vim and its kin are told to keep no swap, backup,
 * undo and register files of it.  ${*signal}: one that should end this
 * process came meanwhile and was passed on, or 0.  ERROR_REFUSED: the editor
 * failed, so what it left is not to be used; ERROR_MISSING, ERROR_IO.
 */
static int
editor_run(const char *path, int *signal, struct error *err)
{
	const char *command = command_of_user();
	/* Four words of the shell's, five for vim, the path, and the end. */
	const char *argv[4 + 5 + 1 + 1] = { "sh", "-c", NULL, command, NULL };
	struct child c = { .argv = argv, .patience_ms = PATIENCE_MS };
	size_t n = 4;
	char *script;
	int rc, status;

	/* As a shell reads it: it may have arguments, and so may its path blanks. */
	if (asprintf(&script, "%s%s \"$@\"", editor_is_plain(command) ? "exec " : "",
	    command) == -1)
		return error_memory(err);
	argv[2] = script;
	if (is_vim(command)) {
		argv[n++] = "-n";
		argv[n++] = "-i";
		argv[n++] = "NONE";
		argv[n++] = "-c";
		argv[n++] = "silent! set noundofile nobackup nowritebackup";
	}
	argv[n++] = path;
	argv[n] = NULL;
	rc = child_run(&c, &status, signal, err);
	free(script);
	if (rc == 0 && *signal == 0 && status != 0)
		rc = failed(status, err);
	return rc;
}

/* Nobody at a terminal: the change must have been agreed to beforehand. */
static int
edit_check_usage(const struct options *o, struct error *err)
{
	if (o->on[FLAG_YES] || o->on[FLAG_DRY_RUN] || askpass_available())
		return 0;
	error_set(err, ERROR_USAGE, "no terminal to ask whether to apply the change");
	return error_hint(err, "give --yes, or --dry-run to see the change");
}

static int
edit_unlock(struct edit *e, struct error *err)
{
	if (secrets_file_metadata(e->c.secrets)->data_key == NULL)
		return 0;
	return secrets_file_unlock(e->c.secrets, e->c.master, err);
}

/* The clear text of the files as they are now; what does not open is said once. */
static int
read_clear(struct edit *e, struct buf *out, bool aloud, struct error *err)
{
	struct plan *p = plan_new(e->c.secrets, err);
	int rc;

	if (p == NULL)
		return -1;
	rc = render_document(p, e->c.config, RENDER_PERSON, out, err);
	if (rc == 0 && aloud)
		change_say_notes(p);
	plan_free(p);
	return rc;
}

static int
edit_begin(struct edit *e, struct error *err)
{
	if (edit_check_usage(e->o, err) != 0 ||
	    scan_destination(e->o, e->o->args[0], &e->secrets, &e->remote, err) != 0 ||
	    change_open_files(&e->c, e->o, e->secrets, true, err) != 0)
		return -1;
	e->copy = ramdir_new(file_basename(e->c.config->path), e->o->on[FLAG_INSECURE_TMP], err);
	if (e->copy == NULL || change_key(&e->c, err) != 0 || edit_unlock(e, err) != 0 ||
	    read_clear(e, &e->before, true, err) != 0)
		return -1;
	return ramdir_write(e->copy, &e->before, err);
}

/* What the editor left, as a document.  ${*same}: it is what it was. */
static struct document *
read_edited(struct edit *e, bool *same, struct error *err)
{
	struct document *d = NULL;
	struct buf text;

	*same = false;
	buf_init_secret(&text, BUF_MAX_FILE);
	if (ramdir_read(e->copy, &text, err) != 0)
		goto out;
	*same = buf_equal(&text, &e->before);
	/* More likely an accident, of a full disk say, than somebody's will. */
	if (text.len == 0 && e->before.len > 0) {
		error_set(err, ERROR_REFUSED, "the edited file is empty");
		error_place(err, e->c.config->path, 0);
		error_hint(err, "nothing was changed; `propseal file remove` removes sealed keys");
		goto out;
	}
	d = document_parse(&text, document_format(e->c.config->doc), e->c.config->path, err);
	if (d != NULL && (document_check_encoding(d, err) != 0 || document_problem(d, err) != 0)) {
		document_free(d);
		d = NULL;
	}
out:
	buf_release(&text);
	return d;
}

static int
edit_stale(struct edit *e, struct error *err)
{
	error_set(err, ERROR_STALE, "the file or its secrets changed while they were edited");
	return error_place(err, e->c.config->path, 0);
}

/* Lock and load again; the clear text must still be what was edited. */
static int
check_fresh(struct edit *e, struct error *err)
{
	struct buf now;
	int rc;

	buf_init_secret(&now, BUF_MAX_FILE);
	rc = change_start(&e->c, err);
	if (rc == 0)
		rc = edit_unlock(e, err);
	if (rc == 0)
		rc = read_clear(e, &now, false, err);
	if (rc == 0 && !buf_equal(&now, &e->before))
		rc = edit_stale(e, err);
	buf_release(&now);
	return rc;
}

static bool
asks(const struct edit *e)
{
	return !e->o->on[FLAG_YES] && !e->o->on[FLAG_DRY_RUN] && !plan_is_empty(e->c.plan);
}

/* Show the change and ask.  1: yes. */
static int
edit_ask(struct edit *e, struct error *err)
{
	struct buf text;
	bool yes;
	int rc;

	buf_init(&text, BUF_MAX_FILE);
	rc = diff_append(e->c.plan, &text, err);
	if (rc == 0)
		rc = confirm(&text, "Apply? [y/N] ", &yes, err);
	buf_release(&text);
	return rc != 0 ? -1 : yes;
}

/*
 * Lock, and plan on what is there then.  A failure that is not the text's
 * fault leaves the text where it is.
 */
static int
plan_edited(struct edit *e, const struct document *edited, struct error *err)
{
	struct seal_options so = sealing_options(e->o);

	so.remote = e->remote;
	e->keep = true;
	if (check_fresh(e, err) != 0)
		return -1;
	e->keep = false;
	if (rewrite_plan(e->c.plan, e->c.config, edited, e->c.master, &so, err) != 0)
		return -1;
	if (asks(e))
		change_note_settings(&e->c);
	return 0;
}

/* Plan, show, apply. */
static int
use(struct edit *e, const struct document *edited, struct error *err)
{
	bool asked;
	int rc;

	if (plan_edited(e, edited, err) != 0)
		return -1;
	if ((asked = asks(e))) {
		/* Nobody else waits while a person thinks. */
		change_unlock(&e->c);
		if ((rc = edit_ask(e, err)) != 1) {
			if (rc == 0)
				report_note("nothing was changed");
			return rc;
		}
		change_stop(&e->c);
		if (plan_edited(e, edited, err) != 0)
			return -1;
	}
	e->keep = true;
	/* Asked about, the plan's remarks were in what was shown. */
	if (!asked)
		rc = change_finish(&e->c, NULL, err);
	else if ((rc = change_apply_told(&e->c, err)) == 0)
		rc = change_tell(&e->c, NULL, err);
	e->keep = rc != 0;
	return rc;
}

/* Is it something that another edit could mend, and somebody there to do it? */
static bool
try_again(const struct edit *e, const struct error *why)
{
	struct error err;
	bool yes = false;

	if (e->keep || e->o->on[FLAG_YES] || !askpass_available() || e->signal != 0 ||
	    (why->code != ERROR_FORMAT && why->code != ERROR_REFUSED &&
	    why->code != ERROR_EXISTS && why->code != ERROR_LIMIT))
		return false;
	report_error(why);
	if (confirm(NULL, "Edit it again? [y/N] ", &yes, &err) != 0)
		return false;
	return yes;
}

/* One round: edit, read, use.  ${*mend}: the text is to blame. */
static int
round_of(struct edit *e, bool *mend, struct error *err)
{
	struct timespec start, end;
	struct document *edited;
	bool same;
	int rc;

	*mend = false;
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (editor_run(ramdir_path(e->copy), &e->signal, err) != 0 || e->signal != 0)
		return e->signal != 0 ? 0 : -1;
	*mend = true;
	clock_gettime(CLOCK_MONOTONIC, &end);
	if ((edited = read_edited(e, &same, err)) == NULL)
		return -1;
	if (same) {
		/* Nobody reads a file in a second: what is saved later would be lost. */
		report_note("nothing was changed%s", end.tv_sec - start.tv_sec > 1 ? "" :
		    "; an editor that returns at once has to be told to wait, as by "
		    "EDITOR=\"code --wait\"");
		rc = 0;
	} else
		rc = use(e, edited, err);
	document_free(edited);
	change_stop(&e->c);
	return rc;
}

static int
edit_run(struct edit *e, struct error *err)
{
	bool mend;

	if (edit_begin(e, err) != 0)
		return -1;
	while (round_of(e, &mend, err) != 0) {
		if (!mend || !try_again(e, err))
			return -1;
	}
	return 0;
}

/* The text is worth something, and safe where it is. */
static void
edit_keep(struct edit *e, struct error *err)
{
	const char *path = ramdir_path(e->copy);

	error_hint(err, "the edited text, in clear text, is kept in %s: edit again, take over what "
	    "is needed, and remove it", path);
	ramdir_keep(e->copy);
	e->copy = NULL;
}

int
commands_edit(const struct options *o)
{
	struct edit e = { .o = o };
	struct error err;
	int rc, status;

	buf_init_secret(&e.before, BUF_MAX_FILE);
	rc = edit_run(&e, &err);
	if (rc != 0 && e.keep && e.copy != NULL)
		edit_keep(&e, &err);
	ramdir_wipe(e.copy);
	buf_release(&e.before);
	status = change_status(&e.c, rc, &err);
	free(e.secrets);
	free(e.remote);
	if (e.signal != 0) {
		signal(e.signal, SIG_DFL);
		raise(e.signal);
	}
	return status;
}

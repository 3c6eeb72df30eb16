#include "cli/exec_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/memfile.h"
#include "common/options.h"
#include "plan/configuration.h"
#include "seal/render.h"
#include "cli/ramdir.h"
#include "common/report.h"
#include "secrets/secrets_file.h"

/* An argument with paths in it; a kernel passes no longer one. */
#define ARGUMENT_MAX (4U << 20)

int
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
		if ((file->c = configuration_load(o->items[k].value, err)) == NULL)
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

void
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

struct exec_file *
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
pass_copy(struct exec_files *f, struct exec_file *file, const struct buf *text,
    struct error *err)
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

const char *
exec_files_copy(struct exec_files *f, struct exec_file *file, struct plan *p, struct error *err)
{
	const char *path = NULL;
	struct buf text;

	file->used = true;
	if (file->path != NULL)
		return file->path;
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
	for (*n = 0; p[len] >= '0' && p[len] <= '9' && len < 8; len++)
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

int
exec_files_command(struct exec_files *f, const struct options *o, struct plan *p,
    struct error *err)
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

int
exec_files_check_used(const struct exec_files *f, struct error *err)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->files[i].used)
			continue;
		error_set(err, ERROR_USAGE, "the command gets nothing of this --config-file");
		error_place(err, f->files[i].c->path, 0);
		return error_hint(err, "write {} for its path in the command, or give --env "
		    "NAME=KEY or --file NAME");
	}
	return 0;
}

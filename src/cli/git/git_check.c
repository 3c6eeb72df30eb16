#include <sys/stat.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "base/vec.h"
#include "cli/git/clear_check.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "document/document.h"
#include "estate/scope.h"
#include "estate/walk.h"
#include "cli/findings.h"
#include "cli/git/git.h"
#include "common/options.h"
#include "common/report.h"

#define ARGUMENTS 9
#define FILES_MAX ((size_t)1 << 26)

/* --- what is staged --- */

/* One record of `git diff --raw -z`: ":100644 100644 <id> <id> M" NUL path NUL. */
struct record {
	const char *mode;	/* of the staged file */
	const char *id;
	size_t id_len;
	const char *path;
};

/* Without patterns in propseal.ini, every file that can be a configuration file. */
static bool
is_taken(const struct options *o, const char *path)
{
	const struct scope *scope = config_scope(o->config);
	enum document_format format;

	return scope != NULL ? scope_takes_file(scope, path) :
	    document_format_of(path, &format);
}

/* Take the record at ${*at} apart; false at the end. */
static bool
next_record(const struct buf *list, size_t *at, struct record *out)
{
	const char *p = (const char *)list->data + *at, *id;
	size_t n = list->len - *at, first, second;

	if (n == 0 || (first = strnlen(p, n)) == n ||
	    (second = strnlen(p + first + 1, n - first - 1)) == n - first - 1)
		return false;
	*at += first + second + 2;
	out->mode = memchr(p, ' ', first);
	id = out->mode != NULL ? strchr(out->mode + 1, ' ') : NULL;
	id = id != NULL ? strchr(id + 1, ' ') : NULL;
	if (id == NULL)
		return false;
	out->mode++;
	out->id = id + 1;
	out->id_len = strcspn(out->id, " ");
	out->path = p + first + 1;
	return true;
}

static int
check_blob(struct clear_check *c, struct git_objects *g, const struct record *r,
    struct error *err)
{
	struct buf content;
	struct error why;
	char id[128];
	int rc;

	/* Neither links nor other repositories. */
	if (strncmp(r->mode, "100", 3) != 0)
		return 0;
	snprintf(id, sizeof(id), "%.*s", (int)r->id_len, r->id);
	buf_init_secret(&content, BUF_MAX_FILE);
	if ((rc = git_objects_read(g, id, &content, &why)) == 0)
		rc = clear_check_content(c, r->path, &content, err);
	else {
		/* The next answer would be read out of step. */
		*err = why;
		error_place(err, r->path, 0);
	}
	buf_release(&content);
	return rc;
}

static int
list_staged(const struct options *o, struct buf *list, struct error *err)
{
	static const char *const fixed[ARGUMENTS] = { "diff", "--cached", "--raw", "-z",
		"--no-renames", "--no-abbrev", "--no-ext-diff", "--diff-filter=AMT", "--" };
	const char **argv = calloc(ARGUMENTS + o->arg_count + 1, sizeof(*argv));
	int rc;

	if (argv == NULL)
		return error_memory(err);
	memcpy(argv, fixed, sizeof(fixed));
	memcpy(argv + ARGUMENTS, o->args, o->arg_count * sizeof(*argv));
	rc = git_run(argv, list, NULL, err);
	free(argv);
	return rc;
}

static int
check_staged(struct clear_check *c, const struct options *o, struct error *err)
{
	struct git_objects g = GIT_OBJECTS_NONE;
	struct buf list, top;
	struct record r;
	size_t at = 0;
	int rc = 0;

	buf_init(&list, BUF_MAX_FILE);
	buf_init(&top, 65536);
	if (git_top(&top, err) != 0 || list_staged(o, &list, err) != 0)
		rc = -1;
	while (rc == 0 && next_record(&list, &at, &r)) {
		if (!is_taken(o, r.path))
			continue;
		if (g.pid == -1)
			rc = git_objects_open(&g, err);
		if (rc == 0)
			rc = check_blob(c, &g, &r, err);
	}
	git_objects_close(&g);
	buf_release(&top);
	buf_release(&list);
	return rc;
}

/* --- what is in the work tree --- */

static int
check_file(struct clear_check *c, const char *path, struct error *err)
{
	struct buf content;
	struct error why;
	int rc = 0;

	buf_init_secret(&content, BUF_MAX_FILE);
	if (file_read(path, &content, NULL, &why) != 0)
		clear_check_unreadable(c, &why);
	else
		rc = clear_check_content(c, path, &content, err);
	buf_release(&content);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
check_path(struct clear_check *c, const char *path, const struct scope *scope, struct error *err)
{
	struct vec files, folders;
	struct error why;
	struct stat st;
	char *folder;
	int rc = 0;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return check_file(c, path, err);
	vec_init(&files, sizeof(char *), FILES_MAX);
	vec_init(&folders, sizeof(char *), FILES_MAX);
	if (walk_push(&folders, path) != 0)
		rc = error_memory(err);
	while (rc == 0 && (folder = walk_pop(&folders)) != NULL) {
		if (walk_folder(folder, scope, &files, &folders, &why) != 0)
			clear_check_unreadable(c, &why);
		free(folder);
	}
	if (files.len > 0)
		qsort(files.items, files.len, sizeof(char *), by_name);
	for (size_t i = 0; rc == 0 && i < files.len; i++)
		rc = check_file(c, *(char **)vec_at(&files, i), err);
	walk_release(&files);
	walk_release(&folders);
	return rc;
}

static int
check_paths(struct clear_check *c, const struct options *o, struct error *err)
{
	const struct scope *scope = config_scope(o->config);
	int rc = 0;

	if (o->arg_count == 0)
		return check_path(c, ".", scope, err);
	for (size_t i = 0; rc == 0 && i < o->arg_count; i++)
		rc = check_path(c, o->args[i], scope, err);
	return rc;
}

int
commands_git_check(const struct options *o)
{
	struct findings f;
	struct clear_check c = { .findings = &f, .rules = config_rules(o->config) };
	char members[64], summary[128];
	struct error err;
	int rc, status;

	findings_init(&f, options_format(o) == OUTPUT_JSON, true);
	rc = o->on[FLAG_STAGED] ? check_staged(&c, o, &err) : check_paths(&c, o, &err);
	status = c.unreadable > 0 ? 1 : findings_status(&f);
	/* A commit in which all is well is not to be talked about. */
	if (rc == 0 && (!o->on[FLAG_STAGED] || f.json || f.list.len > 0)) {
		snprintf(members, sizeof(members), "\"files\":%zu,", c.files);
		snprintf(summary, sizeof(summary), "%zu %s, %zu %s", c.files,
		    c.files == 1 ? "file" : "files", f.counts[FINDING_PROBLEM],
		    f.counts[FINDING_PROBLEM] == 1 ? "finding" : "findings");
		rc = findings_write(&f, members, summary, status, &err);
	}
	findings_release(&f);
	return rc == 0 ? status : report_error(&err);
}

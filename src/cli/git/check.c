#include <sys/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "cli/findings.h"
#include "cli/git/git.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "document/document.h"
#include "document/scope.h"
#include "estate/walk.h"
#include "file/file.h"
#include "merge/merge.h"
#include "plan/configuration.h"
#include "secrets/mask.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

#define SEAL_IT "seal it with `propseal seal`, or `git commit --no-verify` " \
	"if it is no secret"

#define FILES_MAX ((size_t)1 << 26)

/* What `git check` looks for in one file, whether from git or from the disk. */
struct clear_check {
	struct findings *findings;
	const struct rules *rules;
	const struct scope *scope;	/* NULL: the built-in one */
	size_t files;		/* looked at */
	size_t passed_over;	/* of what is staged, by patterns or ignore of propseal.ini */
	size_t unreadable;
};

struct place {
	struct clear_check *c;
	const char *path;
	const struct document *d;
	size_t entry;
};

static void
clear_check_add(struct clear_check *c, enum finding_level level, const char *kind, const char *path,
    size_t line, const char *key, size_t len, const char *text, const char *hint)
{
	struct error what;

	error_set(&what, ERROR_NONE, "%s", text);
	error_place(&what, path, line);
	error_key(&what, key, len);
	error_hint(&what, "%s", hint);
	findings_add(c->findings, level, kind, &what);
}

/* One that cannot be read. */
static void
clear_check_unreadable(struct clear_check *c, const struct error *why)
{
	c->unreadable++;
	findings_add(c->findings, FINDING_PROBLEM, "unreadable", why);
}

static int
add_clear(void *cookie, const struct clear *found, struct error *err)
{
	const struct place *p = cookie;

	(void)err;
	clear_check_add(p->c, FINDING_PROBLEM, "clear-text", p->path, document_line(p->d, p->entry),
	    found->address, found->address_len, "a secret in clear text", SEAL_IT);
	return 0;
}

/* The next one, with what stands behind the last entry, ${read}, as unread. */
static bool
check_loose_next(struct clear_check *c, const struct buf *b, size_t read,
    struct loose_place *place, struct loose *l)
{
	const char *text = (const char *)b->data;

	if (!place->unread && loose_next(c->rules, text, read, place, l))
		return true;
	place->unread = read < b->len;
	return place->unread && loose_next(c->rules, text, b->len, place, l);
}

/*
 * Lines that no reader takes for an entry.  What is commented out is told, and
 * does not stop a commit; what stands behind a place where the file cannot be
 * read any more does.
 */
static void
check_loose(struct clear_check *c, const char *path, const struct document *d)
{
	const struct buf *b = document_bytes(d);
	size_t at = 0, start = 0, end, read = b->len;
	struct loose_place place = { .line = 1 };
	struct loose l;

	if (document_problem(d, NULL) != 0) {
		read = 0;
		if (document_count(d) > 0)
			document_span(d, document_count(d) - 1, &start, &read);
		/* Where an entry has no line of its own it may be a part of the last. */
		read = document_format(d)->lines ? read : start;
	} else if (!document_format(d)->comments) {
		return;
	}
	while (check_loose_next(c, b, read, &place, &l)) {
		for (; at < document_count(d); at++) {
			document_span(d, at, &start, &end);
			if (l.value < end)
				break;
		}
		if (at < document_count(d) && l.value >= start)
			continue;
		clear_check_add(c, l.commented ? FINDING_WARNING : FINDING_PROBLEM,
		    l.commented ? "commented-out" : "clear-text", path, l.line, l.key, l.key_len,
		    l.commented ? "a secret in clear text in a line that is commented out" :
		    "a secret in clear text", l.commented ?
		    "if it is or was in use, take it out and change it" : SEAL_IT);
	}
}

static int
clear_check_check_configuration(struct clear_check *c, const char *path, const struct document *d,
    struct error *err)
{
	struct place place = { c, path, d, 0 };
	struct buf value;
	const char *key;
	size_t len;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (; rc == 0 && place.entry < document_count(d); place.entry++) {
		key = document_key(d, place.entry, &len);
		buf_clear(&value);
		rc = document_value(d, place.entry, &value, err);
		if (rc == 0 && value.len > 0)
			rc = clear_each(c->rules, key, len, (const char *)value.data, value.len,
			    add_clear, &place, err);
	}
	buf_release(&value);
	check_loose(c, path, d);
	return rc != 0 ? rc : findings_inspect(c->findings, FINDING_WARNING, c->rules, d, NULL,
	    err);
}

/* Of a secrets file: is the entry what it should be?  NULL: yes. */
static const char *
wrong_with(const struct document *d, size_t i, const struct buf *value, const char **kind)
{
	struct sealed parts;
	struct error why;
	static const char *const texts[] = { "the sealed value is malformed",
		"a value in clear text in a secrets file", "the wrapped data key is malformed" };
	const char *key;
	size_t len;
	bool is_key;

	key = document_key(d, i, &len);
	is_key = strlen(SECRETS_DATA_KEY) == len && memcmp(key, SECRETS_DATA_KEY, len) == 0;
	*kind = "damaged";
	if (sealed_claims(value->data, value->len) || is_key)
		return sealed_parse(value->data, value->len, &parts, &why) == 0 ? NULL :
		    texts[is_key ? 2 : 0];
	if (metadata_is_key(d, i) || tag_names(key, len) || value->len == 0)
		return NULL;
	*kind = "clear-text";
	return texts[1];
}

static int
clear_check_check_secrets_file(struct clear_check *c, const char *path, const struct document *d,
    struct error *err)
{
	const char *key, *wrong, *kind;
	struct buf value;
	size_t len;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(d); i++) {
		buf_clear(&value);
		if ((rc = document_value(d, i, &value, err)) != 0)
			break;
		if ((wrong = wrong_with(d, i, &value, &kind)) == NULL)
			continue;
		key = document_key(d, i, &len);
		clear_check_add(c, FINDING_PROBLEM, kind, path, document_line(d, i), key, len,
		    wrong,
		    "restore the line from the last commit, or set the value anew with "
		    "`propseal file update`");
	}
	buf_release(&value);
	return rc;
}

/**
 * clear_check_content(c, path, content, err):
 * Look through the content (secret, moved) of the configuration file or
 * secrets file ${path}: secrets in clear text, conflict markers, sealed
 * values that are malformed.  What is no configuration file by its name is
 * passed over.  ERROR_MEMORY.
 */
static int
clear_check_content(struct clear_check *c, const char *path, struct buf *content, struct error *err)
{
	const struct document_format *format = scope_format(c->scope, path);
	struct document *d = NULL;
	struct error why;
	size_t line;
	int rc = 0;

	if (format == NULL)
		goto done;
	c->files++;
	if ((line = markers_line(content)) > 0) {
		findings_say(c->findings, FINDING_PROBLEM, "conflict", path, line,
		    "keep one of the two sides and remove the lines of markers",
		    "the markers of a merge conflict are in it");
		goto done;
	}
	d = document_parse(content, format, path, &why);
	if (d == NULL || document_check_encoding(d, &why) != 0 ||
	    (format->strict && document_problem(d, &why) != 0))
		clear_check_unreadable(c, &why);
	else if (document_problem(d, &why) != 0)
		/* Other programs' JSON may have comments, say. */
		findings_add(c->findings, FINDING_WARNING, "unreadable", &why);
	if (d == NULL)
		goto done;
	/* What stands before the problem is checked nevertheless. */
	rc = secrets_file_recognise(d) ? clear_check_check_secrets_file(c, path, d, err) :
	    clear_check_check_configuration(c, path, d, err);
done:
	document_free(d);
	buf_release(content);
	return rc;
}

/* --- what is staged --- */

/* Every file that can be a configuration file, but for those that propseal.ini
 * leaves out: who can write it must not do so without a word. */
static bool
is_taken(void *cookie, const char *path)
{
	struct clear_check *c = cookie;

	if (scope_format(c->scope, path) == NULL)
		return false;
	if (c->scope == NULL || scope_takes_file(c->scope, path))
		return true;
	c->passed_over++;
	return false;
}

static int
check_one(void *cookie, const char *path, struct buf *content, struct error *err)
{
	return clear_check_content(cookie, path, content, err);
}

/* --- what is in the work tree --- */

static int
git_check_check_file(struct clear_check *c, const char *path, struct error *err)
{
	struct file_id id;
	struct buf content;
	struct error why;
	int rc = 0;

	buf_init_secret(&content, BUF_MAX_FILE);
	if (configuration_read(path, &content, &id, &why) != 0)
		clear_check_unreadable(c, &why);
	else
		rc = clear_check_content(c, path, &content, err);
	buf_release(&content);
	return rc;
}

static int
git_check_by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
git_check_check_path(struct clear_check *c, const char *path, const struct scope *scope,
    struct error *err)
{
	struct vec files, folders;
	struct error why;
	struct stat st;
	char *folder;
	int rc = 0;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return git_check_check_file(c, path, err);
	vec_init(&files, sizeof(char *), FILES_MAX);
	vec_init(&folders, sizeof(char *), FILES_MAX);
	if (vec_push_string(&folders, path, strlen(path)) == NULL)
		rc = error_memory(err);
	while (rc == 0 && (folder = walk_pop(&folders)) != NULL) {
		if (walk_folder(folder, scope, &files, &folders, &why) != 0)
			clear_check_unreadable(c, &why);
		free(folder);
	}
	if (files.len > 0)
		qsort(files.items, files.len, sizeof(char *), git_check_by_name);
	for (size_t i = 0; rc == 0 && i < files.len; i++)
		rc = git_check_check_file(c, vec_string(&files, i), err);
	vec_release_strings(&files);
	vec_release_strings(&folders);
	return rc;
}

static int
git_check_check_paths(struct clear_check *c, const struct options *o, struct error *err)
{
	const struct scope *scope = config_scope(o->config);
	int rc = 0;

	if (o->arg_count == 0)
		return git_check_check_path(c, ".", scope, err);
	for (size_t i = 0; rc == 0 && i < o->arg_count; i++)
		rc = git_check_check_path(c, o->args[i], scope, err);
	return rc;
}

int
commands_git_check(const struct options *o)
{
	struct findings f;
	struct clear_check c = { .findings = &f, .rules = config_rules(o->config),
		.scope = config_scope(o->config) };
	char summary[128];
	struct error err;
	int rc, status;

	findings_init(&f, "propseal.check/1", options_format(o) == OUTPUT_JSON, FINDINGS_BY_KIND);
	rc = o->on[FLAG_STAGED] ? git_staged(o->args, o->arg_count, is_taken, check_one,
	    &c, &err) : git_check_check_paths(&c, o, &err);
	status = c.unreadable > 0 ? 1 : findings_status(&f);
	if (c.passed_over > 0)
		report_note("%zu staged %s not looked at: patterns or ignore in " OPTIONS_FILE_NAME
		    " leave %s out", c.passed_over, c.passed_over == 1 ? "file is" : "files are",
		    c.passed_over == 1 ? "it" : "them");
	/* A commit in which all is well is not to be talked about. */
	if (rc == 0 && (!o->on[FLAG_STAGED] || f.json || f.told > 0)) {
		snprintf(summary, sizeof(summary), "%zu %s, %zu %s", c.files,
		    c.files == 1 ? "file" : "files", f.counts[FINDING_PROBLEM],
		    f.counts[FINDING_PROBLEM] == 1 ? "finding" : "findings");
		rc = findings_write(&f, NULL, (const struct findings_count[]){
		    { "files", c.files }, { "problems", f.counts[FINDING_PROBLEM] },
		    { "warnings", f.counts[FINDING_WARNING] },
		    { "remarks", f.counts[FINDING_REMARK] } }, 4, summary, status, &err);
	}
	findings_release(&f);
	return rc == 0 ? status : report_error(&err);
}

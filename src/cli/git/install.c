#include <sys/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/git/git.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "file/file.h"
#include "file/lock.h"
#include "plan/plan.h"
#include "secrets/secrets_file.h"
#include "trail/trail.h"

/* Behind the pattern of each secrets file in .gitattributes. */
#define GIT_SETUP_ATTRIBUTES " diff=propseal merge=propseal"

#define GIT_SETUP_COMMENT \
	"# Secrets files: shown masked and merged by entry (propseal git install)"

/* The settings of git: name and value.  ${value} is appended to. */
#define GIT_SETUP_SETTINGS 3

/* The sections that hold them. */
#define GIT_SETUP_SECTIONS 2

#define GIT_CONFIG "git config"
#define PATH_MAX_BYTES 65536
#define TEXT_MAX BUF_MAX_FILE
#define HOOK_MARK "# propseal: no secret in clear text (propseal git install)"
#define MODE_ATTRIBUTES 0644
#define MODE_HOOK 0755
#define ANY_EXECUTE 0111
#define ANY_READ 0444
#define ALL_BITS 07777

/* What `git install` sets up and `git uninstall` takes away again, in one
 * repository or for all of a user's. */
struct git_setup {
	const struct options *o;
	bool global;
	struct buf top;		/* of the work tree */
	struct buf attributes;	/* the path of .gitattributes */
	struct buf hook;	/* the path of the pre-commit hook */
	struct buf program;	/* what we are called, for a shell: `propseal`, or a quoted path */

	struct buf text;	/* .gitattributes as it will be */
	struct file_id attributes_id;	/* as it was read */
	struct buf added;	/* the new lines in it, without the comment; empty: none */
	struct buf hook_text;	/* the new hook */
	struct file_id hook_id;	/* the old one */
	bool new_hook;		/* else it stays as it is */

	bool set[GIT_SETUP_SETTINGS];	/* it has another value, or none */

	size_t lines;		/* taken out of .gitattributes */
	bool had_hook;		/* ours */
	bool sections[GIT_SETUP_SECTIONS];	/* that are there */

	/* What is done, or would be. */
	const char *file;	/* of the last change, NULL: none yet */
	struct buf told;	/* for people */
	struct buf files;	/* their names */
	struct buf json;
	struct json_out rows;
};

enum git_hook { GIT_HOOK_NONE, GIT_HOOK_OURS, GIT_HOOK_CALLS_US, GIT_HOOK_FOREIGN };

/* Write files through core/plan: all or none.  ${content} is moved. */
struct git_file {
	const char *path;
	const struct file_id *was;	/* as it was read; with the mode of a new one */
	struct buf *content;
};

static void
git_setup_init(struct git_setup *g, const struct options *o)
{
	memset(g, 0, sizeof(*g));
	g->o = o;
	g->global = o->on[FLAG_GLOBAL];
	buf_init(&g->top, PATH_MAX_BYTES);
	buf_init(&g->attributes, PATH_MAX_BYTES);
	buf_init(&g->hook, PATH_MAX_BYTES);
	buf_init(&g->program, PATH_MAX_BYTES);
	buf_init(&g->text, TEXT_MAX);
	buf_init(&g->added, TEXT_MAX);
	buf_init(&g->hook_text, TEXT_MAX);
	buf_init(&g->told, TEXT_MAX);
	buf_init(&g->files, TEXT_MAX);
	buf_init(&g->json, TEXT_MAX);
	json_out_init(&g->rows, &g->json);
	json_out_array(&g->rows, NULL);
}

/* The end of a command. */
static int
git_setup_status(struct git_setup *g, int rc, const struct error *err)
{
	buf_release(&g->top);
	buf_release(&g->attributes);
	buf_release(&g->hook);
	buf_release(&g->program);
	buf_release(&g->text);
	buf_release(&g->added);
	buf_release(&g->hook_text);
	buf_release(&g->told);
	buf_release(&g->files);
	buf_release(&g->json);
	return rc == 0 ? 0 : report_error(err);
}

/* One change of ${file}, which stays: ${op} of ${key}; ${text} for people. */
static void
git_setup_say(struct git_setup *g, const char *file, const char *op, const char *key,
    const char *text)
{
	struct json_out *o = &g->rows;

	text_append_visible(&g->told, text, strlen(text));
	buf_append_char(&g->told, '\n');
	if (g->file == NULL || strcmp(g->file, file) != 0) {
		if (g->file != NULL) {
			json_out_end(o);
			json_out_end(o);
		}
		buf_append_str(&g->files, g->file != NULL ? ", " : "");
		text_append_visible(&g->files, file, strlen(file));
		g->file = file;
		json_out_object(o, NULL);
		json_out_text(o, g->o->on[FLAG_DRY_RUN] ? "path" : "file", file);
		json_out_array(o, g->o->on[FLAG_DRY_RUN] ? "changes" : "entries");
	}
	json_out_object(o, NULL);
	json_out_text(o, "op", op);
	json_out_text(o, "key", key);
	json_out_end(o);
}

/* Tell it all; ${nothing} is said when there is none. */
static int
git_setup_tell(struct git_setup *g, const char *nothing, struct error *err)
{
	bool dry = g->o->on[FLAG_DRY_RUN];
	struct json_out o;
	struct buf out;
	int rc;

	if (g->file != NULL && !dry)
		report_change("%s", buf_cstr(&g->files));
	if (g->file == NULL)
		buf_printf(&g->told, "%s\n", nothing);
	else {
		json_out_end(&g->rows);
		json_out_end(&g->rows);
	}
	if (options_format(g->o) != OUTPUT_JSON)
		return output_write(&g->told, err);
	json_out_end(&g->rows);
	buf_init(&out, 2 * TEXT_MAX);
	json_out_init(&o, &out);
	json_out_object(&o, NULL);
	json_out_text(&o, "schema", dry ? "propseal.plan/1" : "propseal.change/1");
	if (!dry)
		json_out_bool(&o, "changed", g->file != NULL);
	json_out_raw_n(&o, "files", g->json.data, g->json.len);
	json_out_array(&o, "notes");
	json_out_end(&o);
	json_out_end(&o);
	rc = output_write_json(&o, err);
	buf_release(&out);
	return rc;
}

/* Which of git's configurations is it? */
static const char *
git_setup_where(const struct git_setup *g)
{
	return g->global ? "--global" : "--local";
}

/* Is a program of our name in PATH this very one? */
static bool
is_in_path(const struct stat *self)
{
	const char *path = getenv("PATH");
	struct stat st;
	struct buf name;
	bool found = false;
	size_t len;

	buf_init(&name, PATH_MAX_BYTES);
	while (path != NULL && *path != '\0' && !found) {
		len = strcspn(path, ":");
		buf_clear(&name);
		buf_append(&name, path, len);
		buf_append_str(&name, "/propseal");
		if (stat(buf_cstr(&name), &st) == 0 && access(buf_cstr(&name), X_OK) == 0) {
			found = st.st_dev == self->st_dev && st.st_ino == self->st_ino;
			break;
		}
		path += len + (path[len] == ':');
	}
	buf_release(&name);
	return found;
}

static void
git_setup_find_program(struct git_setup *g)
{
	char path[4096];
	struct stat st;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0 || (size_t)n == sizeof(path) - 1 || stat("/proc/self/exe", &st) != 0 ||
	    is_in_path(&st)) {
		buf_append_str(&g->program, "propseal");
		return;
	}
	/* For a shell, which is what git gives the line to. */
	text_append_shell(&g->program, path, (size_t)n);
}

/* A repository may bring .gitattributes, or hooks of its own (core.hooksPath), as a link that
 * leads out of it.  Git follows that of a hook, which is fine where a file is there. */
static int
git_setup_refuse_link(const char *path, bool followed, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) != 0 || !S_ISLNK(st.st_mode) || (followed && access(path, F_OK) == 0))
		return 0;
	error_set(err, ERROR_REFUSED, followed ? "a symbolic link to no file" :
	    "a symbolic link, which git does not follow there");
	error_hint(err, "put a file in its place");
	return error_place(err, path, 0);
}

/* Fill in the program, and in a repository the paths.  core.hooksPath counts. */
static int
git_setup_find(struct git_setup *g, struct error *err)
{
	static const char *const hooks[] = { "rev-parse", "--git-path", "hooks", NULL };

	git_setup_find_program(g);
	if (!g->global) {
		if (git_top(&g->top, err) != 0 || git_line(hooks, &g->hook, NULL, err) != 0)
			return -1;
		buf_append_str(&g->hook, "/pre-commit");
		buf_append(&g->attributes, g->top.data, g->top.len);
		buf_append_str(&g->attributes, "/.gitattributes");
		(void)buf_cstr(&g->hook);
		(void)buf_cstr(&g->top);
		if (buf_check(&g->attributes, err) != 0 ||
		    git_setup_refuse_link(buf_cstr(&g->attributes), false, err) != 0)
			return -1;
		/* What was killed may have left. */
		lock_sweep(buf_cstr(&g->attributes));
		lock_sweep(buf_cstr(&g->hook));
	}
	return buf_check(&g->hook, err) == 0 && buf_check(&g->attributes, err) == 0 &&
	    buf_check(&g->program, err) == 0 ? 0 : -1;
}

static const char *
git_setup_setting(const struct git_setup *g, size_t i, struct buf *value)
{
	static const char *const names[GIT_SETUP_SETTINGS] = { "diff.propseal.textconv",
		"merge.propseal.name", "merge.propseal.driver" };

	if (i == 1) {
		buf_append_str(value, "merge secrets files by entry");
	} else {
		buf_append(value, g->program.data, g->program.len);
		buf_append_str(value, i == 0 ? " git textconv --" : " git merge -- %O %A %B %P");
	}
	return names[i];
}

static const char *
git_setup_section(size_t i)
{
	return i == 0 ? "diff.propseal" : "merge.propseal";
}

static void
git_setup_hook_line(const struct git_setup *g, struct buf *out)
{
	buf_append(out, g->program.data, g->program.len);
	buf_append_str(out, " git check --staged || exit 1");
}

/* Append the text of ours, and the line that a foreign one needs. */
static void
git_setup_hook_text(const struct git_setup *g, struct buf *out)
{
	buf_append_str(out, "#!/bin/sh\n" HOOK_MARK "\n");
	git_setup_hook_line(g, out);
	buf_append_char(out, '\n');
}

/* Append a file's content; none when it is not there, and ${mode} is then a new one's. */
static int
git_setup_read(const struct buf *path, mode_t mode, struct buf *out, struct file_id *id,
    struct error *err)
{
	struct error why;

	*id = (struct file_id){ .mode = mode };
	if (file_read((const char *)path->data, out, id, &why) == 0 || why.code == ERROR_MISSING)
		return 0;
	*err = why;
	return -1;
}

/* Three lines, of which the last may name the program in another way. */
static bool
git_setup_is_ours(const struct buf *text)
{
	static const char head[] = "#!/bin/sh\n" HOOK_MARK "\n";
	const unsigned char *rest = text->data + sizeof(head) - 1, *end;
	size_t n;

	if (text->len <= sizeof(head) - 1 || memcmp(text->data, head, sizeof(head) - 1) != 0)
		return false;
	n = text->len - (sizeof(head) - 1);
	end = memchr(rest, '\n', n);
	return end == rest + n - 1 && memmem(rest, n, " git check --staged", 19) != NULL;
}

/* What hook there is, of which ${text} (BUF_MAX_FILE) gets the content. */
static int
git_setup_hook(struct git_setup *g, enum git_hook *out, struct buf *text, struct error *err)
{
	if (git_setup_read(&g->hook, MODE_HOOK, text, &g->hook_id, err) != 0)
		return -1;
	if (!g->hook_id.exists)
		*out = GIT_HOOK_NONE;
	else if (git_setup_is_ours(text))
		*out = GIT_HOOK_OURS;
	else
		*out = memmem(text->data, text->len, " git check", 10) != NULL &&
		    memmem(text->data, text->len, "propseal", 8) != NULL ?
		    GIT_HOOK_CALLS_US : GIT_HOOK_FOREIGN;
	return 0;
}

/* Git passes over a hook that nobody may execute. */
static bool
git_setup_hook_runs(const struct git_setup *g)
{
	return (g->hook_id.mode & ANY_EXECUTE) != 0;
}

/* Whoever may read it. */
static int
git_setup_let_hook_run(struct git_setup *g, struct error *err)
{
	mode_t mode = g->hook_id.mode & ALL_BITS;

	return chmod(buf_cstr(&g->hook), mode | (mode & ANY_READ) >> 2) == 0 ? 0 :
	    error_io(err, buf_cstr(&g->hook), "cannot make it executable");
}

/* What is done to files without a plan. */
typedef int git_step_fn(struct git_setup *g, struct error *err);

/* Do a step that changes ${keys} of git's settings, or (NULL) removes the file ${path}, and write
 * it into the trail. */
static int
git_setup_step(struct git_setup *g, const char *path, const char *const keys[], size_t n,
    git_step_fn *step, struct error *err)
{
	const struct trail *trail = config_trail(g->o->config);
	struct trail_part part = { .role = keys != NULL ? "settings" : "removed", .keys = keys,
		.key_count = n };
	struct buf config, notes;
	uint64_t change;
	int rc = 0;

	buf_init(&config, PATH_MAX_BYTES);
	buf_init(&notes, TEXT_MAX);
	if (keys != NULL)
		rc = git_config_path(g->global, &config, err);
	part.path = keys != NULL ? buf_cstr(&config) : path;
	if (rc == 0 && (rc = trail_intend_parts(trail, &part, 1, &change, &notes, err)) == 0) {
		rc = step(g, err);
		part.done = rc == 0;
		part.why = rc == 0 ? NULL : err->text;
		trail_conclude_parts(trail, change, &part, 1, &notes);
	}
	change_say_lines(buf_cstr(&notes));
	buf_release(&notes);
	buf_release(&config);
	return rc;
}

static int
git_setup_write(const struct git_file *files, size_t n, const struct options *o,
    struct error *err)
{
	static const struct change_callbacks callbacks = { .waiting = change_waiting };
	struct change c;
	int rc;

	change_init(&c, &callbacks, NULL);
	c.lock_timeout_ms = options_lock_timeout(o);
	c.trail = config_trail(o->config);
	rc = change_plan(&c, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = plan_add_output(c.plan, files[i].path, files[i].was, files[i].content, err);
	if (rc == 0)
		rc = change_apply_told(&c, err);
	change_close(&c);
	return rc;
}

/* A path as a pattern of gitattributes(5), anchored at the top. */
static void
append_pattern(struct buf *out, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "._/+-,@%~=";
	bool quote = path[strspn(path, plain)] != '\0';

	buf_append_str(out, quote ? "\"/" : "/");
	for (; *path != '\0'; path++) {
		/* A backslash for the pattern, and in quotes one more for each. */
		if (strchr("*?[\\", *path) != NULL)
			buf_append_str(out, "\\\\");
		if (*path == '\\' || *path == '"')
			buf_append_char(out, '\\');
		if ((unsigned char)*path < ' ')
			buf_printf(out, "\\%03o", (unsigned int)(unsigned char)*path);
		else
			buf_append_char(out, *path);
	}
	buf_append_str(out, quote ? "\"" : "");
}

/* Is there such a line already? */
static bool
has_line(const struct buf *text, const struct buf *line)
{
	const unsigned char *p = text->data, *end;
	size_t n = text->len, len;

	while (n > 0) {
		end = memchr(p, '\n', n);
		len = end != NULL ? (size_t)(end - p) : n;
		if ((len == line->len || (len == line->len + 1 && p[len - 1] == '\r')) &&
		    memcmp(p, line->data, line->len) == 0)
			return true;
		p += len + (end != NULL);
		n -= len + (end != NULL);
	}
	return false;
}

/* Add the line of a pattern, once. */
static int
git_attributes_add_line(struct git_setup *g, const struct buf *pattern, struct error *err)
{
	struct buf line;
	int rc;

	buf_init(&line, 65536);
	buf_append(&line, pattern->data, pattern->len);
	buf_append_str(&line, GIT_SETUP_ATTRIBUTES);
	if ((rc = buf_check(&line, err)) == 0 && !has_line(&g->text, &line) &&
	    !has_line(&g->added, &line)) {
		buf_append(&g->added, line.data, line.len);
		buf_append_char(&g->added, '\n');
	}
	buf_release(&line);
	return rc;
}

static int
git_attributes_add_path(struct git_setup *g, const char *path, struct error *err)
{
	struct buf pattern;
	int rc;

	buf_init(&pattern, 65536);
	append_pattern(&pattern, path);
	rc = buf_check(&pattern, err);
	if (rc == 0)
		rc = git_attributes_add_line(g, &pattern, err);
	buf_release(&pattern);
	return rc;
}

static bool
git_attributes_is_secrets_file(const char *path)
{
	struct error why;
	struct secrets_file *s = secrets_file_load(path, &why);
	bool is = s != NULL && secrets_file_recognise(secrets_file_document(s));

	/* It may be one. */
	if (s == NULL && why.code == ERROR_IO)
		report_warning("if it is a secrets file, run this again when it can be read, or "
		    "name it (--local-secrets-file)", "%s: %s", path, why.text);
	secrets_file_free(s);
	return is;
}

/* Every secrets file of the work tree that git does not ignore. */
static int
git_attributes_add_found(struct git_setup *g, size_t *found, struct error *err)
{
	const char *top = buf_cstr(&g->top);
	const char *argv[] = { "-C", top, "ls-files", "-z", "--cached", "--others",
		"--exclude-standard", "--", "*.properties", NULL };
	struct buf list, path;
	const char *name;
	size_t at, len;
	int rc;

	buf_init(&list, TEXT_MAX);
	buf_init(&path, 65536);
	rc = git_run(argv, &list, NULL, err);
	for (at = 0; rc == 0 && at < list.len; at += len + 1) {
		name = (const char *)list.data + at;
		len = strnlen(name, list.len - at);
		buf_clear(&path);
		buf_printf(&path, "%s/%s", top, name);
		if (!git_attributes_is_secrets_file(buf_cstr(&path)))
			continue;
		++*found;
		rc = git_attributes_add_path(g, name, err);
	}
	buf_release(&path);
	buf_release(&list);
	return rc;
}

/* The secrets file that was named, by its place in the work tree. */
static int
add_named(struct git_setup *g, const char *path, size_t *found, struct error *err)
{
	char *real = realpath(path, NULL), *top = realpath(buf_cstr(&g->top), NULL);
	size_t n = top != NULL ? strlen(top) : 0;
	int rc = 0;

	if (real == NULL)
		rc = error_io(err, path, "cannot find");
	else if (top == NULL || strncmp(real, top, n) != 0 || real[n] != '/') {
		/* That of propseal.ini need not be meant. */
		if (g->o->from[FLAG_LOCAL_SECRETS_FILE].file != NULL)
			goto done;
		error_set(err, ERROR_USAGE, "the secrets file is not in this work tree");
		rc = error_place(err, path, 0);
	} else
		rc = git_attributes_add_path(g, real + n + 1, err);
	*found += rc == 0;
done:
	free(real);
	free(top);
	return rc;
}

static int
choose_files(struct git_setup *g, struct error *err)
{
	const char *named = g->o->text[FLAG_LOCAL_SECRETS_FILE];
	struct buf pattern;
	size_t found = g->o->arg_count;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < g->o->arg_count; i++) {
		buf_init(&pattern, 65536);
		buf_append_str(&pattern, g->o->args[i]);
		if (strpbrk(g->o->args[i], " \t\n\"") != NULL)
			rc = error_set(err, ERROR_USAGE, "a pattern has no blanks or quotes: %s",
			    g->o->args[i]);
		else
			rc = git_attributes_add_line(g, &pattern, err);
		buf_release(&pattern);
	}
	if (rc == 0 && named != NULL)
		rc = add_named(g, named, &found, err);
	if (rc == 0 && found == 0)
		rc = git_attributes_add_found(g, &found, err);
	if (rc == 0 && found == 0)
		report_note("there is no secrets file in this work tree yet: run this again when "
		    "there is one, or name it by a pattern as in .gitattributes");
	return rc;
}

/**
 * git_attributes_plan(g, err):
 * Find the secrets files: the patterns that are the arguments, the file of
 * --local-secrets-file, or every one in the work tree that git does not
 * ignore.  ERROR_USAGE: a bad pattern, or a file elsewhere; ERROR_IO.
 */
static int
git_attributes_plan(struct git_setup *g, struct error *err)
{
	struct buf comment;

	if (git_setup_read(&g->attributes, MODE_ATTRIBUTES, &g->text, &g->attributes_id,
	    err) != 0 ||
	    choose_files(g, err) != 0)
		return -1;
	if (g->added.len == 0)
		return 0;
	if (g->text.len > 0 && g->text.data[g->text.len - 1] != '\n')
		buf_append_char(&g->text, '\n');
	buf_init(&comment, 4096);
	buf_append_str(&comment, GIT_SETUP_COMMENT);
	if (!has_line(&g->text, &comment))
		buf_append_str(&g->text, GIT_SETUP_COMMENT "\n");
	buf_release(&comment);
	buf_append(&g->text, g->added.data, g->added.len);
	return buf_check(&g->text, err);
}

/* --- what is to be done --- */

static int
plan_hook(struct git_setup *g, struct error *err)
{
	enum git_hook hook = GIT_HOOK_NONE;
	struct buf line, old;
	int rc;

	if (g->o->on[FLAG_NO_HOOK])
		return 0;
	if (git_setup_refuse_link(buf_cstr(&g->hook), true, err) != 0)
		return -1;
	buf_init(&old, BUF_MAX_FILE);
	rc = git_setup_hook(g, &hook, &old, err);
	if (rc == 0 && hook == GIT_HOOK_CALLS_US && !git_setup_hook_runs(g))
		report_warning("`chmod +x` lets git run it", "%s: git passes it over, as it is not "
		    "executable", buf_cstr(&g->hook));
	else if (rc == 0 && hook == GIT_HOOK_FOREIGN) {
		buf_init(&line, 65536);
		git_setup_hook_line(g, &line);
		error_set(err, ERROR_EXISTS, "the repository has a pre-commit hook of its own");
		error_place(err, buf_cstr(&g->hook), 0);
		rc = error_hint(err, "add this line to it and run this command again, or give "
		    "--no-hook: %s", buf_cstr(&line));
		buf_release(&line);
	} else if (rc == 0 && hook != GIT_HOOK_CALLS_US) {
		git_setup_hook_text(g, &g->hook_text);
		rc = buf_check(&g->hook_text, err);
		/* Ours already, to the letter? */
		g->new_hook = !git_setup_hook_runs(g) || !buf_equal(&old, &g->hook_text);
	}
	buf_release(&old);
	return rc;
}

/* --- doing it --- */

/* Which settings have another value, or none? */
static int
plan_settings(struct git_setup *g, struct error *err)
{
	struct buf value, now;
	int rc = 0, status;

	for (size_t i = 0; rc == 0 && i < GIT_SETUP_SETTINGS; i++) {
		buf_init(&value, 65536);
		buf_init(&now, 65536);
		const char *name = git_setup_setting(g, i, &value);
		const char *argv[] = { "config", git_setup_where(g), "--get", name, NULL };

		rc = git_line(argv, &now, &status, err);
		g->set[i] = status != 0 || !buf_equal(&now, &value);
		buf_release(&now);
		buf_release(&value);
	}
	return rc;
}

static int
set_each(struct git_setup *g, struct error *err)
{
	struct buf value;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < GIT_SETUP_SETTINGS; i++) {
		if (!g->set[i])
			continue;
		buf_init(&value, 65536);
		const char *name = git_setup_setting(g, i, &value);
		const char *argv[] = { "config", git_setup_where(g), name,
			buf_cstr(&value), NULL };

		rc = git_run(argv, NULL, NULL, err);
		buf_release(&value);
	}
	return rc;
}

static int
set_settings(struct git_setup *g, struct error *err)
{
	const char *keys[GIT_SETUP_SETTINGS];
	struct buf value;
	size_t n = 0;

	buf_init(&value, TEXT_MAX);
	for (size_t i = 0; i < GIT_SETUP_SETTINGS; i++)
		if (g->set[i])
			keys[n++] = git_setup_setting(g, i, &value);
	buf_release(&value);
	return n == 0 ? 0 : git_setup_step(g, NULL, keys, n, set_each, err);
}

static int
git_install_make_folder(struct git_setup *g, struct error *err)
{
	char *path = strdup(buf_cstr(&g->hook));
	int rc = 0;

	if (path == NULL)
		return error_memory(err);
	*strrchr(path, '/') = '\0';
	if (access(path, F_OK) != 0 && (mkdir(path, MODE_HOOK) != 0 || chmod(path, MODE_HOOK) != 0))
		rc = error_io(err, path, "cannot make the folder");
	free(path);
	return rc;
}

static int
write_files(struct git_setup *g, struct error *err)
{
	struct git_file files[2];
	size_t n = 0;

	if (g->added.len > 0)
		files[n++] = (struct git_file){ buf_cstr(&g->attributes), &g->attributes_id,
			&g->text };
	if (g->new_hook) {
		if (git_install_make_folder(g, err) != 0)
			return -1;
		files[n++] = (struct git_file){ buf_cstr(&g->hook), &g->hook_id, &g->hook_text };
	}
	if (n > 0 && git_setup_write(files, n, g->o, err) != 0)
		return -1;
	/* An old one kept its mode. */
	return g->new_hook && !git_setup_hook_runs(g) ? git_setup_let_hook_run(g, err) : 0;
}

/* What is done, or would be: one line each. */
static void
git_install_say(struct git_setup *g)
{
	struct buf value, line;
	const char *p, *end, *name;

	buf_init(&line, TEXT_MAX);
	for (p = buf_cstr(&g->added); *p != '\0'; p = end + 1) {
		end = strchr(p, '\n');
		buf_clear(&line);
		buf_append_str(&line, ".gitattributes: ");
		buf_append(&line, p, (size_t)(end - p));
		git_setup_say(g, buf_cstr(&g->attributes), "insert",
		    buf_cstr(&line) + sizeof(".gitattributes: ") - 1, buf_cstr(&line));
	}
	for (size_t i = 0; i < GIT_SETUP_SETTINGS; i++) {
		if (!g->set[i])
			continue;
		buf_init(&value, 65536);
		buf_clear(&line);
		name = git_setup_setting(g, i, &value);
		buf_printf(&line, "git config %s: %s", name, buf_cstr(&value));
		git_setup_say(g, GIT_CONFIG, "set", name, buf_cstr(&line));
		buf_release(&value);
	}
	if (g->new_hook) {
		buf_clear(&line);
		buf_printf(&line, "%s: ", buf_cstr(&g->hook));
		git_setup_hook_line(g, &line);
		git_setup_say(g, buf_cstr(&g->hook), "set", "git check", buf_cstr(&line));
	}
	buf_release(&line);
}

static int
install(struct git_setup *g, struct error *err)
{
	if (git_setup_find(g, err) != 0)
		return -1;
	if (plan_settings(g, err) != 0 ||
	    (!g->global && (git_attributes_plan(g, err) != 0 || plan_hook(g, err) != 0)))
		return -1;
	if (!g->o->on[FLAG_DRY_RUN] && (set_settings(g, err) != 0 ||
	    (!g->global && write_files(g, err) != 0)))
		return -1;
	git_install_say(g);
	return git_setup_tell(g, "nothing to change: all is installed", err);
}

int
commands_git_install(const struct options *o)
{
	struct git_setup g;
	struct error err;

	git_setup_init(&g, o);
	return git_setup_status(&g, install(&g, &err), &err);
}

static bool
git_uninstall_is_ours(const unsigned char *line, size_t len)
{
	size_t n = strlen(GIT_SETUP_ATTRIBUTES);

	if (len > 0 && line[len - 1] == '\r')
		len--;
	return (len == strlen(GIT_SETUP_COMMENT) && memcmp(line, GIT_SETUP_COMMENT, len) == 0) ||
	    (len > n && line[0] != '#' && memcmp(line + len - n, GIT_SETUP_ATTRIBUTES, n) == 0);
}

static int
plan_attributes(struct git_setup *g, struct error *err)
{
	const unsigned char *p, *end;
	struct buf old;
	size_t n, len;
	int rc;

	buf_init(&old, TEXT_MAX);
	rc = git_setup_read(&g->attributes, MODE_ATTRIBUTES, &old, &g->attributes_id, err);
	p = old.data;
	for (n = rc == 0 ? old.len : 0; n > 0; n -= len, p += len) {
		end = memchr(p, '\n', n);
		len = end != NULL ? (size_t)(end - p) + 1 : n;
		if (git_uninstall_is_ours(p, len - (end != NULL)))
			g->lines++;
		else
			buf_append(&g->text, p, len);
	}
	buf_release(&old);
	return rc == 0 ? buf_check(&g->text, err) : -1;
}

static int
find_sections(struct git_setup *g, struct error *err)
{
	char pattern[64];
	int status;

	for (size_t i = 0; i < GIT_SETUP_SECTIONS; i++) {
		snprintf(pattern, sizeof(pattern), "^%s[.]", git_setup_section(i));
		const char *argv[] = { "config", git_setup_where(g), "--get-regexp", pattern,
			NULL };

		if (git_run(argv, NULL, &status, err) != 0)
			return -1;
		g->sections[i] = status == 0;
	}
	return 0;
}

static void
git_uninstall_say(struct git_setup *g)
{
	struct buf line;

	buf_init(&line, TEXT_MAX);
	if (g->lines > 0) {
		buf_printf(&line, ".gitattributes: %zu %s out", g->lines,
		    g->lines == 1 ? "line" : "lines");
		git_setup_say(g, buf_cstr(&g->attributes), "remove", &GIT_SETUP_ATTRIBUTES[1],
		    buf_cstr(&line));
	}
	for (size_t i = 0; i < GIT_SETUP_SECTIONS; i++) {
		if (!g->sections[i])
			continue;
		buf_clear(&line);
		buf_printf(&line, GIT_CONFIG ": section %s out", git_setup_section(i));
		git_setup_say(g, GIT_CONFIG, "remove", git_setup_section(i), buf_cstr(&line));
	}
	if (g->had_hook) {
		buf_clear(&line);
		buf_printf(&line, "%s: removed", buf_cstr(&g->hook));
		git_setup_say(g, buf_cstr(&g->hook), "remove", "git check", buf_cstr(&line));
	}
	buf_release(&line);
}

/* It must be what was read, of which all is ours. */
static int
remove_file(const char *path, const struct file_id *was, struct error *err)
{
	struct file_id id;

	if (file_identify(path, &id, err) != 0)
		return -1;
	if (!file_id_equal(&id, was)) {
		error_set(err, ERROR_STALE, "another program changed it meanwhile");
		error_place(err, path, 0);
		return error_hint(err, "it was not removed; run the command again");
	}
	return unlink(path) == 0 ? 0 : error_io(err, path, "cannot remove");
}

static int
remove_hook(struct git_setup *g, struct error *err)
{
	return remove_file(buf_cstr(&g->hook), &g->hook_id, err);
}

static int
remove_attributes(struct git_setup *g, struct error *err)
{
	return remove_file(buf_cstr(&g->attributes), &g->attributes_id, err);
}

static int
remove_sections(struct git_setup *g, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < GIT_SETUP_SECTIONS; i++) {
		const char *argv[] = { "config", git_setup_where(g), "--remove-section",
			git_setup_section(i), NULL };

		if (g->sections[i])
			rc = git_run(argv, NULL, NULL, err);
	}
	return rc;
}

static int
git_uninstall_apply(struct git_setup *g, struct error *err)
{
	const char *path = buf_cstr(&g->attributes), *keys[GIT_SETUP_SECTIONS];
	struct git_file file = { path, &g->attributes_id, &g->text };
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < GIT_SETUP_SECTIONS; i++)
		if (g->sections[i])
			keys[n++] = git_setup_section(i);
	if (g->had_hook)
		rc = git_setup_step(g, buf_cstr(&g->hook), NULL, 0, remove_hook, err);
	if (rc == 0 && g->lines > 0)
		rc = g->text.len == 0 ? git_setup_step(g, path, NULL, 0, remove_attributes, err) :
		    git_setup_write(&file, 1, g->o, err);
	return rc == 0 && n > 0 ? git_setup_step(g, NULL, keys, n, remove_sections, err) : rc;
}

static int
uninstall(struct git_setup *g, struct error *err)
{
	enum git_hook hook = GIT_HOOK_NONE;
	struct buf text;
	int rc;

	if (git_setup_find(g, err) != 0)
		return -1;
	buf_init(&text, BUF_MAX_FILE);
	rc = g->global ? 0 : plan_attributes(g, err) != 0 ? -1 :
	    git_setup_hook(g, &hook, &text, err);
	buf_release(&text);
	if (rc != 0)
		return -1;
	g->had_hook = hook == GIT_HOOK_OURS;
	if (find_sections(g, err) != 0)
		return -1;
	if (!g->o->on[FLAG_DRY_RUN] && git_uninstall_apply(g, err) != 0)
		return -1;
	if (hook == GIT_HOOK_CALLS_US)
		report_note("%s calls `propseal git check`: take that line out by hand",
		    buf_cstr(&g->hook));
	git_uninstall_say(g);
	return git_setup_tell(g, "nothing is installed", err);
}

int
commands_git_uninstall(const struct options *o)
{
	struct git_setup g;
	struct error err;

	git_setup_init(&g, o);
	return git_setup_status(&g, uninstall(&g, &err), &err);
}

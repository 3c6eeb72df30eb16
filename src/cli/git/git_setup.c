#include "cli/git/git_setup.h"

#include <sys/stat.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "file/file.h"
#include "cli/change.h"
#include "cli/git/git.h"
#include "plan/apply.h"
#include "file/lock.h"
#include "plan/plan.h"

#define PATH_MAX_BYTES 65536
#define FILES_MAX 4

#define HOOK_MARK "# propseal: no secret in clear text (propseal git install)"

void
git_setup_init(struct git_setup *g)
{
	buf_init(&g->top, PATH_MAX_BYTES);
	buf_init(&g->attributes, PATH_MAX_BYTES);
	buf_init(&g->hook, PATH_MAX_BYTES);
	buf_init(&g->program, PATH_MAX_BYTES);
}

void
git_setup_release(struct git_setup *g)
{
	buf_release(&g->top);
	buf_release(&g->attributes);
	buf_release(&g->hook);
	buf_release(&g->program);
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

/* For a shell, which is what git gives the line to. */
static void
append_quoted(struct buf *out, const char *text)
{
	buf_append_char(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buf_append_str(out, "'\\''");
		else
			buf_append_char(out, *text);
	}
	buf_append_char(out, '\'');
}

static void
find_program(struct git_setup *g)
{
	char path[4096];
	struct stat st;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0 || (size_t)n == sizeof(path) - 1 || stat("/proc/self/exe", &st) != 0 ||
	    is_in_path(&st)) {
		buf_append_str(&g->program, "propseal");
		return;
	}
	path[n] = '\0';
	append_quoted(&g->program, path);
}

int
git_setup_find(struct git_setup *g, bool repository, struct error *err)
{
	static const char *const hooks[] = { "rev-parse", "--git-path", "hooks", NULL };

	find_program(g);
	if (repository) {
		if (git_top(&g->top, err) != 0 || git_line(hooks, &g->hook, NULL, err) != 0)
			return -1;
		buf_append_str(&g->hook, "/pre-commit");
		buf_append(&g->attributes, g->top.data, g->top.len);
		buf_append_str(&g->attributes, "/.gitattributes");
		(void)buf_cstr(&g->hook);
		(void)buf_cstr(&g->attributes);
		(void)buf_cstr(&g->top);
	}
	return buf_check(&g->hook, err) == 0 && buf_check(&g->attributes, err) == 0 &&
	    buf_check(&g->program, err) == 0 ? 0 : -1;
}

const char *
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

const char *
git_setup_section(size_t i)
{
	return i == 0 ? "diff.propseal" : "merge.propseal";
}

void
git_setup_hook_line(const struct git_setup *g, struct buf *out)
{
	buf_append(out, g->program.data, g->program.len);
	buf_append_str(out, " git check --staged || exit 1");
}

void
git_setup_hook_text(const struct git_setup *g, struct buf *out)
{
	buf_append_str(out, "#!/bin/sh\n" HOOK_MARK "\n");
	git_setup_hook_line(g, out);
	buf_append_char(out, '\n');
}

int
git_setup_read(const struct buf *path, struct buf *out, bool *exists, struct error *err)
{
	struct error why;

	*exists = file_read((const char *)path->data, out, NULL, &why) == 0;
	if (*exists || why.code == ERROR_MISSING)
		return 0;
	*err = why;
	return -1;
}

/* Three lines, of which the last may name the program in another way. */
static bool
is_ours(const struct buf *text)
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

int
git_setup_hook(const struct git_setup *g, enum git_hook *out, struct error *err)
{
	struct buf text;
	bool exists;
	int rc;

	buf_init(&text, BUF_MAX_FILE);
	rc = git_setup_read(&g->hook, &text, &exists, err);
	if (rc != 0)
		;
	else if (!exists)
		*out = GIT_HOOK_NONE;
	else if (is_ours(&text))
		*out = GIT_HOOK_OURS;
	else
		*out = memmem(text.data, text.len, " git check", 10) != NULL &&
		    memmem(text.data, text.len, "propseal", 8) != NULL ?
		    GIT_HOOK_CALLS_US : GIT_HOOK_FOREIGN;
	buf_release(&text);
	return rc;
}

int
git_setup_write(const struct git_file *files, size_t n, int lock_timeout_ms, struct error *err)
{
	struct plan *p = plan_new(NULL, err);
	bool existed[FILES_MAX] = { false };
	struct lock *lock = NULL;
	struct file_id id;
	int rc = p == NULL ? -1 : 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = file_identify(files[i].path, &id, err);
		existed[i] = id.exists;
		if (rc == 0)
			rc = plan_add_output(p, files[i].path, files[i].content, err);
	}
	if (rc == 0 && (lock = apply_lock(p, lock_timeout_ms, change_waiting, NULL, err)) == NULL)
		rc = -1;
	if (rc == 0)
		rc = apply_plan(p, err);
	/* A new file is private until here; these are not secret. */
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!existed[i] && chmod(files[i].path, files[i].mode) != 0)
			rc = error_io(err, files[i].path, "cannot set its mode");
	lock_release(lock);
	plan_free(p);
	return rc;
}

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/git/git.h"
#include "cli/git/git_setup.h"
#include "common/options.h"
#include "common/output.h"
#include "common/report.h"

#define TEXT_MAX BUF_MAX_FILE

struct uninstall {
	const struct options *o;
	struct git_setup g;
	struct buf attributes;	/* what is left of .gitattributes */
	size_t lines;		/* taken out of it */
	bool hook;		/* ours is there */
	bool sections[GIT_SETUP_SECTIONS];
};

static bool
is_ours(const unsigned char *line, size_t len)
{
	size_t n = strlen(GIT_SETUP_ATTRIBUTES);

	if (len > 0 && line[len - 1] == '\r')
		len--;
	return (len == strlen(GIT_SETUP_COMMENT) && memcmp(line, GIT_SETUP_COMMENT, len) == 0) ||
	    (len > n && line[0] != '#' && memcmp(line + len - n, GIT_SETUP_ATTRIBUTES, n) == 0);
}

static int
plan_attributes(struct uninstall *u, struct error *err)
{
	const unsigned char *p, *end;
	struct buf old;
	bool exists;
	size_t n, len;
	int rc;

	buf_init(&old, TEXT_MAX);
	rc = git_setup_read(&u->g.attributes, &old, &exists, err);
	p = old.data;
	for (n = rc == 0 ? old.len : 0; n > 0; n -= len, p += len) {
		end = memchr(p, '\n', n);
		len = end != NULL ? (size_t)(end - p) + 1 : n;
		if (is_ours(p, len - (end != NULL)))
			u->lines++;
		else
			buf_append(&u->attributes, p, len);
	}
	buf_release(&old);
	return rc == 0 ? buf_check(&u->attributes, err) : -1;
}

static int
find_sections(struct uninstall *u, const char *where, struct error *err)
{
	char pattern[64];
	int status;

	for (size_t i = 0; i < GIT_SETUP_SECTIONS; i++) {
		snprintf(pattern, sizeof(pattern), "^%s[.]", git_setup_section(i));
		const char *argv[] = { "config", where, "--get-regexp", pattern, NULL };

		if (git_run(argv, NULL, &status, err) != 0)
			return -1;
		u->sections[i] = status == 0;
	}
	return 0;
}

static int
show(struct uninstall *u, struct error *err)
{
	struct buf out;
	int rc;

	buf_init(&out, TEXT_MAX);
	if (u->lines > 0)
		buf_printf(&out, ".gitattributes: %zu %s out\n", u->lines,
		    u->lines == 1 ? "line" : "lines");
	for (size_t i = 0; i < GIT_SETUP_SECTIONS; i++)
		if (u->sections[i])
			buf_printf(&out, "git config: section %s out\n", git_setup_section(i));
	if (u->hook)
		buf_printf(&out, "%s: removed\n", buf_cstr(&u->g.hook));
	if (out.len == 0)
		buf_append_str(&out, "nothing is installed\n");
	rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

static int
remove_file(const char *path, struct error *err)
{
	return unlink(path) == 0 ? 0 : error_io(err, path, "cannot remove");
}

static int
apply(struct uninstall *u, const char *where, struct error *err)
{
	const char *path = buf_cstr(&u->g.attributes);
	struct git_file file = { path, &u->attributes, 0 };
	int rc = 0;

	if (u->hook && remove_file(buf_cstr(&u->g.hook), err) != 0)
		return -1;
	if (u->lines > 0)
		rc = u->attributes.len == 0 ? remove_file(path, err) :
		    git_setup_write(&file, 1, options_lock_timeout(u->o), err);
	for (size_t i = 0; rc == 0 && i < GIT_SETUP_SECTIONS; i++) {
		const char *argv[] = { "config", where, "--remove-section", git_setup_section(i),
			NULL };

		if (u->sections[i])
			rc = git_run(argv, NULL, NULL, err);
	}
	return rc;
}

static int
uninstall(struct uninstall *u, struct error *err)
{
	bool global = u->o->on[FLAG_GLOBAL];
	const char *where = global ? "--global" : "--local";
	enum git_hook hook = GIT_HOOK_NONE;

	if (git_setup_find(&u->g, !global, err) != 0)
		return -1;
	if (!global && (plan_attributes(u, err) != 0 || git_setup_hook(&u->g, &hook, err) != 0))
		return -1;
	u->hook = hook == GIT_HOOK_OURS;
	if (find_sections(u, where, err) != 0)
		return -1;
	if (!u->o->on[FLAG_DRY_RUN] && apply(u, where, err) != 0)
		return -1;
	if (hook == GIT_HOOK_CALLS_US)
		report_note("%s calls `propseal git check`: take that line out by hand",
		    buf_cstr(&u->g.hook));
	return show(u, err);
}

int
commands_git_uninstall(const struct options *o)
{
	struct uninstall u = { .o = o };
	struct error err;
	int rc;

	git_setup_init(&u.g);
	buf_init(&u.attributes, TEXT_MAX);
	rc = uninstall(&u, &err);
	buf_release(&u.attributes);
	git_setup_release(&u.g);
	return rc == 0 ? 0 : report_error(&err);
}

#include "config_find.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"

void
config_find_user(struct buf *out)
{
	const char *dir = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	/* As the XDG base directory specification says, a relative one is none. */
	if (dir != NULL && dir[0] == '/')
		buf_append_str(out, dir);
	else if (home != NULL && home[0] == '/') {
		buf_append_str(out, home);
		buf_append_str(out, "/.config");
	} else
		return;
	buf_append_str(out, "/propseal/" CONFIG_FILE_NAME);
}

static bool
is_there(const char *folder, const char *name)
{
	struct stat st;
	struct buf path;
	bool there;

	buf_init(&path, CONFIG_PATH_MAX);
	buf_printf(&path, "%s/%s", folder, name);
	there = lstat(buf_cstr(&path), &st) == 0;
	buf_release(&path);
	return there;
}

static bool
is_home(const char *folder)
{
	const char *home = getenv("HOME");
	struct stat a, b;

	return home != NULL && stat(home, &a) == 0 && stat(folder, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

void
config_find_project(struct buf *out)
{
	char folder[PATH_MAX];
	bool here = true;
	char *slash;

	if (getcwd(folder, sizeof(folder)) == NULL || folder[0] != '/')
		return;
	for (;;) {
		if (is_there(folder, CONFIG_FILE_NAME)) {
			if (!here)
				buf_printf(out, "%s/", folder[1] == '\0' ? "" : folder);
			buf_append_str(out, CONFIG_FILE_NAME);
			return;
		}
		if (folder[1] == '\0' || is_there(folder, ".git") || is_home(folder))
			return;
		slash = strrchr(folder, '/');
		slash[slash == folder] = '\0';
		here = false;
	}
}

static int
refuse(const char *path, const char *why, const char *remedy, struct error *err)
{
	error_set(err, ERROR_REFUSED, "this file is not used: %s", why);
	error_place(err, path, 0);
	return error_hint(err, "read it, then `%s`; or set " CONFIG_VARIABLE " to nothing to go "
	    "without", remedy);
}

static bool
is_ours(uid_t uid)
{
	return uid == geteuid() || uid == 0;
}

int
config_find_trusted(const char *path, const struct file_id *id, struct error *err)
{
	struct stat st;

	if (!is_ours(id->uid))
		return refuse(path, "it belongs to somebody else", "chown", err);
	if (id->mode & (S_IWGRP | S_IWOTH))
		return refuse(path, "others may write to it", "chmod go-w", err);
	if (lstat(path, &st) == 0 && !is_ours(st.st_uid))
		return refuse(path, "it is a symbolic link of somebody else", "chown -h", err);
	return 0;
}

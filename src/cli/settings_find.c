#include <sys/stat.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/settings.h"
#include "common/args.h"
#include "file/file.h"
#include "trail/trail.h"

#define LINKS_MAX 40

void
config_find_user(struct buf *out)
{
	(void)file_in_home("XDG_CONFIG_HOME", "/.config", OPTIONS_FILE_NAME, out);
}

void
config_find_trail(struct buf *out)
{
	(void)file_in_home("XDG_STATE_HOME", "/.local/state", TRAIL_NAME, out);
}

static bool
config_find_is_there(const char *folder, const char *name)
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
config_find_above(const char *start, struct buf *out)
{
	char folder[PATH_MAX];
	char *slash;

	if (start[0] != '/' || strlen(start) >= sizeof(folder))
		return;
	memcpy(folder, start, strlen(start) + 1);
	for (;;) {
		if (config_find_is_there(folder, OPTIONS_FILE_NAME)) {
			buf_printf(out, "%s/" OPTIONS_FILE_NAME,
			    folder[1] == '\0' ? "" : folder);
			return;
		}
		if (folder[1] == '\0' || config_find_is_there(folder, ".git") || is_home(folder))
			return;
		slash = strrchr(folder, '/');
		slash[slash == folder] = '\0';
	}
}

void
config_find_project(struct buf *out)
{
	char folder[PATH_MAX];

	if (getcwd(folder, sizeof(folder)) == NULL)
		return;
	if (config_find_is_there(folder, OPTIONS_FILE_NAME))
		buf_append_str(out, OPTIONS_FILE_NAME);
	else
		config_find_above(folder, out);
}

char *
config_find_folder(const char *path)
{
	char *folder = path[0] != '\0' ? file_folder(path) : NULL;
	char *real = folder != NULL ? realpath(folder, NULL) : NULL;

	free(folder);
	return real;
}

static bool
is_same_place(const char *a, const char *b)
{
	char *x = config_find_folder(a), *y = config_find_folder(b);
	bool same = x != NULL && y != NULL && strcmp(x, y) == 0 &&
	    strcmp(file_basename(a), file_basename(b)) == 0;

	free(x);
	free(y);
	return same;
}

bool
config_find_is_own(const char *path)
{
	const char *variable = getenv(CONFIG_VARIABLE);
	struct buf user;
	bool own;

	buf_init(&user, CONFIG_PATH_MAX);
	config_find_user(&user);
	own = is_same_place(path, buf_cstr(&user)) ||
	    (variable != NULL && is_same_place(path, variable));
	buf_release(&user);
	return own;
}

int
config_find_work_tree(const char *path, char **real, struct error *err)
{
	char *target = realpath(path, NULL), *folder = config_find_folder(path);
	char *behind = target != NULL ? file_folder(target) : NULL;
	int rc = 0;

	*real = NULL;
	if (behind == NULL || folder == NULL) {
		rc = error_io(err, path, "cannot find its folder");
	} else if (file_in_work_tree(folder) || file_in_work_tree(behind)) {
		*real = folder;
		folder = NULL;
	}
	free(behind);
	free(folder);
	free(target);
	return rc;
}

/* Is ${real} below ${folder}, or the folder itself, and not in a .git? */
static bool
config_find_is_within(const char *folder, const char *real)
{
	size_t n = strlen(folder), len;

	if (strncmp(folder, real, n) != 0 || (n > 1 && real[n] != '\0' && real[n] != '/'))
		return false;
	for (real += n; *real != '\0'; real += len) {
		real += *real == '/';
		len = strcspn(real, "/");
		if (len == 4 && strncasecmp(real, ".git", 4) == 0)
			return false;
	}
	return true;
}

/* The path that the link ${path} leads to.  NULL: it is none.  The caller frees. */
static char *
linked(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	struct buf whole;
	char *result;

	if (n <= 0)
		return NULL;
	target[n] = '\0';
	buf_init(&whole, CONFIG_PATH_MAX);
	if (target[0] != '/' && strrchr(path, '/') != NULL)
		buf_append(&whole, path, (size_t)(strrchr(path, '/') + 1 - path));
	buf_append_str(&whole, target);
	result = strdup(buf_cstr(&whole));
	buf_release(&whole);
	return result;
}

/*
 * One step nearer to what is there: ${path} is the path of a link that leads
 * to nothing, or of what is not there, which is where its folder is.  NULL: it
 * cannot be told.
 */
static char *
config_find_step(const char *path, int *links)
{
	const char *name = file_basename(path);
	bool is_missing = errno == ENOENT || errno == ENOTDIR;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return (*links)++ < LINKS_MAX ? linked(path) : NULL;
	if (!is_missing || name[0] == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0 || strcasecmp(name, ".git") == 0)
		return NULL;
	return file_folder(path);
}

bool
config_find_below(const char *folder, const char *path)
{
	char *at = strdup(path), *real = NULL, *next;
	bool below;
	int links = 0;

	while (at != NULL && (real = realpath(at, NULL)) == NULL) {
		next = config_find_step(at, &links);
		free(at);
		at = next;
	}
	below = real != NULL && config_find_is_within(folder, real);
	free(real);
	free(at);
	return below;
}

static int
config_find_refuse(const char *path, const char *why, const char *remedy, struct error *err)
{
	error_set(err, ERROR_REFUSED, "this file is not used: %s", why);
	error_place(err, path, 0);
	return error_hint(err, "read it, then `%s`; or set " CONFIG_VARIABLE " to nothing to go "
	    "without", remedy);
}

static bool
config_find_is_ours(uid_t uid)
{
	return uid == geteuid() || uid == 0;
}

int
config_find_trusted(const char *path, const struct file_id *id, struct error *err)
{
	struct stat st;

	if (!config_find_is_ours(id->uid))
		return config_find_refuse(path, "it belongs to somebody else", "chown", err);
	if (file_writers(id->mode, id->uid, id->gid) != 0)
		return config_find_refuse(path, "others may write to it", "chmod go-w", err);
	if (lstat(path, &st) == 0 && !config_find_is_ours(st.st_uid))
		return config_find_refuse(path, "it is a symbolic link of somebody else",
		    "chown -h", err);
	return 0;
}

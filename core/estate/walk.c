#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "document/scope.h"
#include "estate/walk.h"
#include "file/lock.h"

#define PATH_BYTES_MAX 65536

char *
walk_pop(struct vec *v)
{
	return v->len == 0 ? NULL : vec_string(v, --v->len);
}

/* DT_DIR, DT_REG or something else; a symlink to a file counts as a file. */
static int
type_of(int dirfd_, const struct dirent *ent)
{
	struct stat st;

	if (ent->d_type == DT_DIR || ent->d_type == DT_REG)
		return ent->d_type;
	if (ent->d_type == DT_UNKNOWN &&
	    fstatat(dirfd_, ent->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return DT_DIR;
	if ((ent->d_type == DT_UNKNOWN || ent->d_type == DT_LNK) &&
	    fstatat(dirfd_, ent->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
		return DT_REG;
	return DT_UNKNOWN;
}

static int
take_entry(const char *folder, int fd, const struct dirent *ent, const struct scope *scope,
    struct vec *files, struct vec *folders, struct vec *leftovers)
{
	struct vec *to = NULL;
	struct buf path;
	int rc, type;

	if (ent->d_name[0] == '.') {
		if (leftovers == NULL)
			lock_sweep_name(fd, ent->d_name);
		else if (lock_is_leftover(fd, ent->d_name))
			to = leftovers;
	} else {
		/* Most names are neither: ask for the type only when it matters. */
		type = type_of(fd, ent);
		if (type == DT_DIR)
			to = folders;
		else if (type == DT_REG && scope_format(scope, ent->d_name) != NULL)
			to = files;
	}
	if (to == NULL)
		return 0;
	buf_init(&path, PATH_BYTES_MAX);
	if (strcmp(folder, ".") != 0) {
		buf_append_str(&path, folder);
		if (folder[strlen(folder) - 1] != '/')
			buf_append_char(&path, '/');
	}
	buf_append_str(&path, ent->d_name);
	rc = buf_check(&path, NULL);
	if (rc == 0 && (to == leftovers || (to == folders ?
	    scope_takes_folder(scope, buf_cstr(&path)) :
	    scope_takes_file(scope, buf_cstr(&path)))))
		rc = vec_push_string(to, buf_cstr(&path), path.len) != NULL ? 0 : -1;
	buf_release(&path);
	return rc;
}

int
walk_folder(const char *path, const struct scope *scope, struct vec *files, struct vec *folders,
    struct vec *leftovers, struct error *problem)
{
	struct dirent *ent;
	DIR *dir;
	int rc = 0;

	if ((dir = opendir(path)) == NULL)
		return error_io(problem, path, "cannot read the folder");
	for (;;) {
		errno = 0;
		if ((ent = readdir(dir)) == NULL) {
			if (errno != 0)
				rc = error_io(problem, path, "cannot read the folder");
			break;
		}
		if (take_entry(path, dirfd(dir), ent, scope, files, folders, leftovers) != 0) {
			rc = error_memory(problem);
			break;
		}
	}
	closedir(dir);
	return rc;
}

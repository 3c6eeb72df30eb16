#ifndef FILE_PATH_H
#define FILE_PATH_H

#include <sys/stat.h>

#include "file/file.h"

struct error;

/*
 * Where a file really is: its directory held open, and its name there.
 * Symlinks are followed once, here; everything after works on the directory,
 * so that no path is looked up a second time and found to lead elsewhere.
 */
struct path {
	int dir;		/* the directory */
	char *real;		/* the absolute path, no symlink in it */
	const char *name;	/* the last component of real */
};

/* At most this many symlinks stand between a path and its file. */
#define PATH_LINKS_MAX 40

/**
 * path_open(p, path, err):
 * Find ${path}, which need not exist, nor need the target of a symlink; its
 * directory must.  ERROR_IO; ERROR_REFUSED (it names no file: "", "/", "gone/").
 */
int path_open(struct path *p, const char *path, struct error *err);

/* Close and free; fine for one that is all zeroes with dir -1, and twice. */
void path_close(struct path *p);

/* A path that path_close accepts, before path_open. */
#define PATH_NONE { -1, NULL, NULL }

/**
 * path_sidecar(p, suffix):
 * The name of a file beside it: `.<name><suffix>`, where a name that is too
 * long for the file system is cut and told apart by a hash of the whole.
 * NULL: no memory.  The caller frees.
 */
char *path_sidecar(const struct path *p, const char *suffix);

/* What is there now (a symlink is not followed).  -1: errno; a missing file
 * is no error (exists is false). */
int path_identify(const struct path *p, struct file_id *id);

/* The same from what fstat said. */
void path_id(struct file_id *id, const struct stat *st);

/* Put the directory itself on disk; ${fd} is any file in it, for file systems
 * and permissions that do not let a directory be synced.  -1: errno. */
int path_sync(const struct path *p, int fd);

#endif /* !FILE_PATH_H */

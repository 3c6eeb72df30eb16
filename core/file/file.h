#ifndef FILE_FILE_H
#define FILE_FILE_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct buf;
struct error;
struct stat;

/* What tells whether a file is still the one that was read. */
struct file_id {
	bool exists;
	bool link;		/* file_read: the path names a symbolic link to it */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	struct timespec ctime;
	mode_t mode;		/* of one that is not there: for the new file, 0: 0600 */
	uid_t uid;
	gid_t gid;
	nlink_t nlink;
};

/*
 * What a new file is to hold (replace.h).  No copy of it is kept: it goes to the disk as ${write}
 * appends it, and as it comes back from there it is compared with what was written, and
 * ${look} sees it, a piece at a time, and at last ${end} (both may be NULL).  Each may refuse
 * by -1 and an error.
 */
struct file_content {
	int (*write)(void *cookie, struct buf *out, struct error *err);
	int (*look)(void *cookie, const unsigned char *bytes, size_t n, struct error *err);
	int (*end)(void *cookie, struct error *err);
	void *cookie;
};

#define FILE_USER_MAX 256

/* The name of a user in /etc/passwd, into FILE_USER_MAX bytes.  False: there is none.  Other
 * sources of names would bring libraries and connections into a program that holds keys: they
 * have the number. */
bool file_user_name(uid_t uid, char out[FILE_USER_MAX]);

/**
 * file_read(path, out, id, err):
 * Append the whole of the regular file ${path} (symlinks followed) to
 * ${out}, bounded by its max, and fill ${id} (may be NULL).  A file that
 * changes while it is read is read again, a few times.  On failure ${out}
 * has its old contents.  Errors: ERROR_MISSING (no such file), ERROR_IO,
 * ERROR_REFUSED (not a regular file), ERROR_LIMIT (larger than ${out}'s
 * maximum), ERROR_STALE (it never stopped changing), ERROR_MEMORY.
 */
int file_read(const char *path, struct buf *out, struct file_id *id,
    struct error *err);

/* Open such a file, for who reads it in parts: a descriptor, or -1 and file_read's errors. */
int file_open(const char *path, struct error *err);

/* As file_read, but any readable thing: a pipe, a terminal, /dev/fd/N. */
int file_read_stream(const char *path, struct buf *out, struct error *err);

/* Append all that comes from descriptor ${fd}; ${name} is for errors. */
int file_read_fd(int fd, const char *name, struct buf *out, struct error *err);

/**
 * file_check_output(path, err):
 * May opened values be written to ${path}?  ERROR_REFUSED: it is a regular
 * file of another user, who could read them there, or a symbolic link on the
 * way to it is another user's (root's are fine).
 */
int file_check_output(const char *path, struct error *err);

/* The links alone. */
int file_check_links(const char *path, struct error *err);

/* Fill ${id}; a missing file is no error (exists is false). */
int file_identify(const char *path, struct file_id *id, struct error *err);

/* The same from what fstat said. */
void file_id_set(struct file_id *id, const struct stat *st);

/* Are both there, and the same file, changed or not? */
bool file_id_same(const struct file_id *a, const struct file_id *b);

/* True when both name the same unchanged file, or both none. */
bool file_id_equal(const struct file_id *a, const struct file_id *b);

/**
 * file_shares_readers(id, other):
 * Can whoever the file ${id} is for read ${other}, too, as far as owners and
 * modes tell?  That is its owner, or of root's files its group, as a service
 * has no other way to one of mode 0640.
 */
bool file_shares_readers(const struct file_id *id, const struct file_id *other);

/* The bits of ${mode} by which others than its owner write to a file: a group of the owner's
 * own number has nobody else in it, but that of root. */
mode_t file_writers(mode_t mode, uid_t uid, gid_t gid);

/* Write all of it.  -1: errno (ENOSPC: nothing more goes in). */
int file_write(int fd, const void *bytes, size_t n);

/* The last component of ${path} (a pointer into it). */
const char *file_basename(const char *path);

/* The folder of a path as it is written: "." of a name alone, and no slash at
 * its end but the root's.  NULL: no memory.  The caller frees. */
char *file_folder(const char *path);

/* FOLDER/NAME, where the folder may be the root.  NULL: no memory.  The caller frees. */
char *file_join(const char *folder, const char *name);

/**
 * file_in_home(variable, usual, name, out):
 * Append the path of propseal's own file or folder ${name} in the folder that the
 * environment's ${variable} names, else in ${usual} below the home folder; one that is
 * relative is passed over, as the XDG base directory specification says.  False: there
 * is neither, and nothing is appended.
 */
bool file_in_home(const char *variable, const char *usual, const char *name, struct buf *out);

/* Put the names in a folder on disk.  Where the file system cannot, that is no error. */
int file_sync_folder(const char *path, struct error *err);

/* Have a folder that was just made be there after a power cut. */
int file_sync_made(const char *path, struct error *err);

/* Make a folder of propseal's own, and those above it: 0700 each.  ERROR_IO. */
int file_make_folders(const char *path, struct error *err);

/* Is the folder ${real} (absolute, without links) in a git work tree, or below
 * one?  What cannot be told is taken for one. */
bool file_in_work_tree(const char *real);

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

/* The suffixes of a file's new version while it is written (replace.h), and of
 * its lock (lock.h). */
#define PATH_TEMPORARY ".propseal-tmp"
#define PATH_LOCK ".propseal-lock"

/* What is there now (a symlink is not followed).  -1: errno; a missing file
 * is no error (exists is false). */
int path_identify(const struct path *p, struct file_id *id);

/* Put the directory itself on disk; ${fd} is any file in it, for file systems
 * and permissions that do not let a directory be synced.  -1: errno. */
int path_sync(const struct path *p, int fd);

#endif /* !FILE_FILE_H */

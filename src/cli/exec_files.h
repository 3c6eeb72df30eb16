#ifndef EXEC_FILES_H
#define EXEC_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct configuration;
struct error;
struct options;
struct plan;
struct ramdir;

/* A configuration file that `exec` was given, and the copy that it makes. */
struct exec_file {
	struct configuration *c;
	bool used;		/* by a variable or in the command */
	int fd;			/* of the copy in memory, -1: none */
	struct ramdir *folder;	/* or the copy with a name, NULL: none */
	char *path;		/* what the command opens, NULL: no copy is made yet */
};

struct exec_files {
	struct exec_file *files;
	size_t count;
	bool named;		/* --named */
	char **argv;		/* the command, NULL behind the last */
	size_t argc;
	int *fds;		/* what it inherits */
	size_t fd_count;
};

/* Load every --config-file.  Release also after a failure. */
int exec_files_load(struct exec_files *f, const struct options *o, struct error *err);
void exec_files_release(struct exec_files *f);

/* The file that item ${k} of the options is about: the one before it, or the
 * only one.  NULL: ERROR_USAGE. */
struct exec_file *exec_files_of(const struct exec_files *f, const struct options *o, size_t k,
    struct error *err);

/* The path of a resolved copy, made at the first call.  ${p}: see render.h. */
const char *exec_files_copy(struct exec_files *f, struct exec_file *file, struct plan *p,
    struct error *err);

/**
 * exec_files_command(f, o, p, err):
 * Make f->argv: the arguments with {} and {N} replaced by paths of copies, and
 * {{}} by {}.  Without --config-file nothing is replaced.
 */
int exec_files_command(struct exec_files *f, const struct options *o, struct plan *p,
    struct error *err);

/* ERROR_USAGE when a file was given for nothing. */
int exec_files_check_used(const struct exec_files *f, struct error *err);

#endif /* !EXEC_FILES_H */

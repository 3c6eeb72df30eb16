#ifndef REGISTRY_AUDIT_AUDIT_FILES_H
#define REGISTRY_AUDIT_AUDIT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* One file of an audit log. */
struct audit_file {
	char *path;
	int fd;			/* -1: opened when needed; the newest is open from the start */
	uint64_t first;		/* seq of its first line, 0: it has none */
	uint64_t named;		/* seq in its name when we rotated it, else 0 */
};

/* The files of one audit log, oldest first: FILE, and beside it FILE.* whose
 * first line is one of ours (moved away by us or by another program). */
struct audit_files {
	struct audit_file *files;
	size_t count;
};

/* ERROR_MISSING: there is none at all (not with ${none_is_fine}). */
int audit_files_list(const char *file, bool none_is_fine, struct audit_files *out,
    struct error *err);
void audit_files_release(struct audit_files *f);

/* The descriptor of one, opened for reading.  ERROR_MISSING: gone since. */
int audit_files_open(struct audit_file *f, struct error *err);

/* The seq at the end of our names FILE.20260131T120000Z-SEQ; 0: another name.
 * ${name} is what follows FILE. */
uint64_t audit_files_named(const char *name);

#endif /* !REGISTRY_AUDIT_AUDIT_FILES_H */

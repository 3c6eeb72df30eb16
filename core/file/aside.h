#ifndef PLAN_ASIDE_H
#define PLAN_ASIDE_H

#include <stdbool.h>

struct buf;
struct error;
struct place;

/*
 * A file being written beside another: without a name (O_TMPFILE) where the
 * system can do that, so that nothing is left behind whatever happens, else
 * as `.<name>.propseal-tmp`.
 */
struct aside {
	int fd;
	char *name;	/* in the directory of the place */
	bool named;	/* the name is there and it is ours */
};

#define ASIDE_NONE { -1, NULL, false }

/* ${path}, in all of these, is for errors only. */

/* Remove what an interrupted run left, then open a new one, mode 0600. */
int aside_open(struct aside *a, const struct place *p, const char *path,
    struct error *err);

/* Write all of ${content}, from the start. */
int aside_write(struct aside *a, const struct buf *content, const char *path,
    struct error *err);

/**
 * aside_check(a, content, back, path, err):
 * Sync, read back into ${back} (secret, empty) and compare with ${content}.
 */
int aside_check(struct aside *a, const struct buf *content, struct buf *back,
    const char *path, struct error *err);

/* Put it at the place's name, where a file is (replacing it).  ERROR_IO;
 * ERROR_STALE: somebody removed or swapped it under its own name. */
int aside_exchange(struct aside *a, const struct place *p, const char *path,
    struct error *err);

/* Put it at the place's name, where no file is: ERROR_STALE if one is. */
int aside_create(struct aside *a, const struct place *p, const char *path,
    struct error *err);

/* Remove it, unless it was put in place, and close.  Twice is fine. */
void aside_close(struct aside *a, const struct place *p);

#endif /* !PLAN_ASIDE_H */

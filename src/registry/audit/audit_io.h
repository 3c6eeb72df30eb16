#ifndef REGISTRY_AUDIT_AUDIT_IO_H
#define REGISTRY_AUDIT_AUDIT_IO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct error;

/* Writing to something that may take its time: others watch the clock. */
struct audit_io {
	int fd;
	const char *name;		/* for errors */
	size_t step;			/* most bytes at once, 0: any number */
	bool poll_first;		/* the descriptor blocks: ask before each step */
	const atomic_bool *stop;	/* set: give up */
};

/* Write all of it.  ${*done} counts bytes, also when it fails. */
int audit_io_write(const struct audit_io *io, const void *bytes, size_t n, size_t *done,
    struct error *err);

/* Wait until it can be written to.  -1: told to stop, or it is broken. */
int audit_io_wait(const struct audit_io *io, struct error *err);

#endif /* !REGISTRY_AUDIT_AUDIT_IO_H */

#ifndef REGISTRY_AUDIT_AUDIT_SINK_STDOUT_H
#define REGISTRY_AUDIT_AUDIT_SINK_STDOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct error;

/* Lines on a descriptor that others may share, such as standard output: it
 * stays blocking, and is asked before each write whether it takes something. */
struct audit_sink_stdout {
	int fd;
	const atomic_bool *stop;
	bool regular;
	bool torn;		/* the last line is not whole */
};

void audit_sink_stdout_init(struct audit_sink_stdout *s, int fd, const atomic_bool *stop);

/* -1: it is closed, or nobody reads from it any more. */
int audit_sink_stdout_ready(const struct audit_sink_stdout *s, struct error *err);
int audit_sink_stdout_write(struct audit_sink_stdout *s, const void *bytes, size_t n,
    struct error *err);

#endif /* !REGISTRY_AUDIT_AUDIT_SINK_STDOUT_H */

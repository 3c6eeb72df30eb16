#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/*
 * What the process sets up for itself, and gives back to the commands that
 * it runs.
 */

/* Call once, first: standard descriptors that were closed are taken, no core
 * files, as many open files as allowed, new files for the owner only, and
 * writing to a closed pipe is an error and no signal. */
void process_begin(void);

/* A command to run while this process waits for it. */
struct child {
	const char *const *argv;	/* the first is looked for in PATH */
	char *const *envp;		/* NULL: our environment */
	const int *fds;			/* descriptors that it inherits besides 0 to 2 */
	size_t fd_count;
	int out;			/* becomes its standard output; 0: ours */
	bool trusted;			/* gets our umask and core limit back (process.h) */
	int patience_ms;		/* after a signal that should end it; 0: wait for ever */
	void (*started)(void *cookie);	/* it runs, and needs nothing of ours; may be NULL */
	void *cookie;
};

/* The exit statuses that a shell has for a command that it cannot run. */
#define CHILD_NOT_RUN 126
#define CHILD_NOT_FOUND 127

/**
 * child_run(c, status, signal, err):
 * Run the command and wait for its end.  Signals that come to this process
 * are passed on, but for those that the terminal sends to both anyway; when
 * the terminal stops the command, this process stops with it.  ${*status} is
 * what a shell would call its exit status: 128 and the number of the signal
 * that killed it.  ${*signal} (may be NULL): the last of HUP, INT, QUIT and
 * TERM that was passed on, or 0.  If this process is killed the command gets
 * SIGTERM.  As the first process it takes away orphans that have ended, too.
 * ERROR_MISSING: there is no such command (${*status} is CHILD_NOT_FOUND);
 * ERROR_IO: it cannot be run (CHILD_NOT_RUN), or another failure (as it was).
 */

int child_run(const struct child *c, int *status, int *signal, struct error *err);

#endif /* !COMMON_PROCESS_H */

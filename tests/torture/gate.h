#ifndef GATE_H
#define GATE_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Running a program, or a function, whose system calls that touch files wait
 * until we let them go on or fail: seccomp's user notification, which needs
 * no rights and no knowledge of registers.
 */

/* A call that waits.  Numbers count from 1, behind the start of the program's
 * own work: it begins by hardening itself (PR_SET_DUMPABLE). */
struct gate_call {
	size_t number;
	int nr;				/* SYS_... */
	unsigned long long args[6];
	pid_t pid;
};

/* Returns 0: go on, or the errno that it fails with. */
typedef int gate_fn(void *cookie, const struct gate_call *c);

struct gate_run {
	char *const *argv;		/* what to run, or ... */
	int (*call)(const void *what);	/* ... to call in a child; its result is the status */
	const void *what;
	const char *folder;		/* to run it in */
	gate_fn *decide;		/* NULL: all go on */
	void *cookie;
	size_t calls;			/* out: how many there were */
};

/* Run it; its output is thrown away.  Its exit status, 128 + a signal's number. */
int gate_run(struct gate_run *r);

/* Does the call work on a file below ${folder} (a real path)? */
bool gate_is_below(const struct gate_call *c, const char *folder);

/* Does it change anything; and does it take room on the disk? */
bool gate_changes(const struct gate_call *c);
bool gate_takes_room(const struct gate_call *c);

/* Begin a suite: umask 022, and a scratch folder, in memory where there is room, which becomes
 * the current one; ${folder}: PATH_MAX bytes for its real path.  The trail of changes goes beside
 * it, to ${folder}.state: its calls are none of those below the folder.  False: this system does
 * not let us, which is told as a suite that is skipped.  Ends the program where there is no
 * folder. */
bool gate_begin(char *folder);
void gate_folder_remove(const char *folder);

#endif /* !GATE_H */

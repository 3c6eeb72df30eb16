#ifndef CLI_TUTOR_TUTOR_H
#define CLI_TUTOR_TUTOR_H

#include <limits.h>
#include <stddef.h>

struct error;

/*
 * The lessons of `propseal tutor`: each is played in a scratch folder with
 * files that are made for it.  Scripts are sh(1), run in that folder; $0 is
 * this program.  They see none of the learner's own keys.
 */

struct tutor_step {
	const char *what;	/* what to do, for people */
	const char *command;	/* the line that does it, as it is typed */
	const char *check;	/* a script: status 0 where it is done */
};

#define TUTOR_STEPS 5

struct tutor_lesson {
	const char *name;
	const char *title;
	const char *text;	/* what it is about */
	const char *setup;	/* a script that makes its files, after tutor_files */
	struct tutor_step steps[TUTOR_STEPS];	/* up to one without a text */
	const char *after;	/* what to take along */
};

#define TUTOR_LESSONS 8

extern const struct tutor_lesson tutor_lessons[TUTOR_LESSONS];

/* A script that makes the files of every lesson. */
extern const char tutor_files[];

/* This program, and the scratch folder, which need not be there. */
int tutor_place(char program[PATH_MAX], char folder[PATH_MAX], struct error *err);

/* Run a script in ${where}; $0 is ${program}, $2 ${folder}.  ${*status} is its exit status.
 * What it says is not shown, and it has no key of the learner's. */
int tutor_script(const char *program, const char *where, const char *folder, const char *script,
    int *status, struct error *err);

#endif /* !CLI_TUTOR_TUTOR_H */

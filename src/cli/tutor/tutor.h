#ifndef CLI_TUTOR_TUTOR_H
#define CLI_TUTOR_TUTOR_H

#include <stddef.h>

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

#endif /* !CLI_TUTOR_TUTOR_H */

#ifndef UI_LESSONS_H
#define UI_LESSONS_H

#include <stdbool.h>
#include <stddef.h>

struct app;
struct rect;

/*
 * The tutor on the screen: lessons with the real keys, beside the list, on files that are made
 * for each of them anew.  What the learner does ticks itself.
 */

#define LESSONS 8
#define LESSON_STEPS 5

/* What opens the secrets files of the lessons. */
#define LESSONS_PASSPHRASE "a passphrase for lessons only"

/* What the trail of a lesson calls the interface. */
#define LESSONS_COMMAND "ui"

/* What a lesson is played on; whoever runs the interface makes it. */
enum lesson_files {
	LESSON_CLEAR,	/* clear text, and a secrets file with its key */
	LESSON_SEALED,	/* all of it sealed, and one value changed since */
	LESSON_BROKEN,	/* sealed, and one entry does not open */
	LESSON_STOPPED	/* a second environment, and new data keys, killed between the two */
};

struct lessons {
	size_t lesson;			/* the one that is on */
	bool over[LESSONS];		/* which were played to their end */
	bool steps[LESSON_STEPS];	/* what is done of this one */
	size_t next;			/* to be begun when the interface ends; LESSONS: none is */
};

/* The files of a lesson, and its number by name or number; LESSONS: there is none. */
enum lesson_files lessons_files(size_t lesson);
size_t lessons_find(const char *name);

/* See what was done meanwhile. */
void lessons_look(struct app *a);

/* The lesson in the place of the detail; ${rule}: the line above it. */
void lessons_draw(struct app *a, const struct rect *rule, const struct rect *r);

/* What comes next in one line, for a screen without that place. */
void lessons_draw_line(struct app *a, const struct rect *r);

/* Ask for a lesson, and begin it: again, or the next one. */
void lessons_choose(struct app *a);

#endif /* !UI_LESSONS_H */

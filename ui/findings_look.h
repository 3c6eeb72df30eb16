#ifndef UI_FINDINGS_LOOK_H
#define UI_FINDINGS_LOOK_H

#include <stdbool.h>
#include <stddef.h>

struct app;
struct audit;
struct audit_finding;
struct error;
struct estate_entry;
struct estate_file;
struct findings_row;

/*
 * When the files are looked at for findings: once the scan is done, and again
 * when something has changed.  What an audit's outputs and its baseline are is
 * the program's that starts the interface (ui_options.findings).
 */
struct findings_source {
	void *cookie;
	const char *baseline;	/* its path; NULL: none was named */

	/* Mark what the baseline knows.  In any thread. */
	int (*know)(void *cookie, struct audit *a, struct error *err);

	/* Add a finding to the baseline, with the reason why. */
	int (*ignore)(void *cookie, const struct audit *a, const struct audit_finding *f,
	    const char *reason, struct error *err);

	/* Write a report to a new file of mode 0600: in the form that its name's ending says. */
	int (*write)(void *cookie, const struct audit *a, const char *path, struct error *err);
};

/* The endings that write takes. */
#define FINDINGS_ENDINGS ".sarif .json .jsonl .html .xml .txt"

/* Rows anew, for other marks or files. */
void findings_changed(struct app *a);

/* The view is shown: the same if they are others than when its rows were made. */
void findings_entered(struct app *a);

/* What a finding is about, if that can be sealed from here. */
bool findings_fix(const struct app *a, const struct findings_row *r,
    const struct estate_file **file, const struct estate_entry **entry);

/* Is it marked, to be sealed? */
bool findings_is_marked(const struct app *a, const struct findings_row *r);

bool findings_are_due(const struct app *a);
bool findings_tick(struct app *a);

/* How many files the look that goes on has looked at.  False: none does. */
bool findings_progress(const struct app *a, size_t *seen);

/* The user wants no more of it: what was found so far stays. */
void findings_cancel(struct app *a);

/* When all jobs have ended: free what the last look left. */
void findings_end(struct app *a);

#endif /* !UI_FINDINGS_LOOK_H */

#ifndef UI_FINDINGS_H
#define UI_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "audit/audit.h"
#include "base/buf.h"
#include "base/vec.h"
#include "ui/outline.h"

struct app;
struct audit;
struct audit_finding;
struct error;
struct estate;
struct estate_entry;
struct estate_file;
struct findings_look;
struct findings_row;
struct map;

/*
 * What an audit found, as rows for a list, without the screen: groups with
 * their findings in them, the worst first.
 */

enum findings_grouping {
	FINDINGS_BY_ENVIRONMENT,
	FINDINGS_BY_RULE,
	FINDINGS_BY_FILE,
	FINDINGS_GROUPINGS
};

/* What the list shows. */
enum findings_filter {
	FINDINGS_OPEN,		/* what counts: neither suppressed nor known */
	FINDINGS_ERRORS,	/* of these the errors */
	FINDINGS_FIXABLE,	/* of these what can be sealed here */
	FINDINGS_EVERYTHING,	/* also what is suppressed, or in the baseline */
	FINDINGS_FILTERS
};

enum findings_order {
	FINDINGS_WORST,		/* by level, then file and line */
	FINDINGS_IN_FILES,	/* by file and line */
	FINDINGS_BY_KEY,	/* by name */
	FINDINGS_NEWEST,	/* what was changed last */
	FINDINGS_ORDERS
};

enum findings_kind {
	FINDINGS_GROUP,		/* of an environment, a rule or a file */
	FINDINGS_NOWHERE,	/* of files that belong to no environment */
	FINDINGS_UNREAD		/* files that could not be looked at */
};

struct findings_row {
	const struct audit_finding *finding;	/* NULL: a file that was not read */
	const struct audit_unread *unread;
	bool fixable;
	char id[AUDIT_ID_TEXT];
};

struct findings_group {
	enum findings_kind kind;
	const char *name;	/* of the environment or the file, or the rule's id */
	enum audit_level level;	/* its worst */
	size_t first, count;	/* of the rows */
	size_t levels[AUDIT_LEVELS];	/* of what counts */
	size_t fixable;
};

struct findings {
	struct panes panes;		/* right: what is said of the one that is selected */
	struct audit *audit;		/* NULL: there was none yet */
	struct audit_counts counts;
	size_t fixable;			/* of what counts */
	enum findings_grouping grouping;
	enum findings_order order;
	struct vec groups;		/* of struct findings_group */
	struct vec rows;		/* of struct findings_row */
	struct vec names;		/* char *: the estate's files, as an audit names them */
	struct vec homes;		/* char *: the environments of those, of which an audit
					 * does not tell; "": none */
	struct vec changed;		/* int64_t: when they were changed, milliseconds */
	struct map *by_name;		/* their numbers in the estate; NULL: none */
	struct audit_options options;	/* of the audit */
	bool looked;			/* nothing is to be looked at again but what changes */
	unsigned long named;		/* of which state of the model the names are */
	unsigned long of;		/* which state of the model the audit looked at */
	bool is_whole;			/* all was looked at, and not only a part so far */
	struct findings_look *look;	/* that goes on beside the screen; NULL: none does */

	/* What is said of the selected one in the right pane, broken to lines. */
	struct buf text;
	struct vec lines;		/* of struct findings_line */
};

struct findings_line {
	size_t at, len;		/* in the text */
	int indent;
	bool is_head;
};

void findings_open(struct findings *f);
void findings_close(struct findings *f);

/* Show a finished audit (taken; NULL: none) from now on.  Then findings_arrange. */
void findings_take(struct findings *f, struct audit *a);

/* The estate's files are others now.  ERROR_MEMORY. */
int findings_name_files(struct findings *f, const struct estate *e, struct error *err);

/**
 * findings_find(f, e, finding, file, entry):
 * What the estate has of a finding: its file, and its entry (NULL: none, such as what
 * is said of a file as a whole; of an option of a login configuration the entry that it
 * is in).  False: the file is none of the estate's, such as a shell script.
 */
bool findings_find(const struct findings *f, const struct estate *e,
    const struct audit_finding *finding, const struct estate_file **file,
    const struct estate_entry **entry);

/* The environment that a finding's file refers to, or is the secrets file of; NULL: none. */
const char *findings_environment(const struct findings *f, const struct audit_finding *a);

/**
 * findings_arrange(f, can_fix, cookie, err):
 * Make groups and rows anew; the cursor stays on its finding, fold by fold.
 * ${can_fix} (NULL: nothing can be) says what can be sealed.  ERROR_MEMORY.
 */
int findings_arrange(struct findings *f, bool (*can_fix)(const void *cookie,
    const struct audit_finding *finding), const void *cookie, struct error *err);

/* Does it count: neither suppressed nor known? */
static inline bool
findings_counts(const struct audit_finding *f)
{
	return !f->suppressed && !f->known;
}

const struct findings_group *findings_group(const struct findings *f, size_t i);
const struct findings_row *findings_row(const struct findings *f, size_t i);

const char *findings_order_name(enum findings_order order);

/* What the cursor of the list is on; ${*row} is NULL on a group.  NULL: nothing. */
const struct findings_group *findings_selected(const struct findings *f,
    const struct findings_row **row);

/* The letter of a level, "E", "W" or "n". */
const char *findings_letter(enum audit_level l);

/* "5E 3W 1n" of a group, "" without any. */
void findings_print_levels(const size_t levels[AUDIT_LEVELS], char *out, size_t size);

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

	/* Add a finding to the baseline, with the reason why.  What is to be told besides goes to
	 * ${notes}, a line each. */
	int (*ignore)(void *cookie, const struct audit *a, const struct audit_finding *f,
	    const char *reason, struct buf *notes, struct error *err);

	/* Write a report to a new file of mode 0600: in the form that its name's ending says. */
	int (*write)(void *cookie, const struct audit *a, const char *path, struct buf *notes,
	    struct error *err);
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

#endif /* !UI_FINDINGS_H */

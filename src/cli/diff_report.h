#ifndef DIFF_REPORT_H
#define DIFF_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "secrets/compare.h"

struct document;
struct error;
struct rules;
struct secrets_file;

/* The output of `file diff`: a masked diff a file pair, or JSON. */
struct diff_report {
	bool json;
	const struct rules *rules;	/* which keys are secrets; may be NULL */
	const struct secrets_file *s;	/* may be NULL */
	const struct document *a;	/* the pair at hand */
	const struct document *b;
	bool begun;			/* the pair has something to show already */
	size_t shown;			/* entries of the pair */
	size_t pairs;
	size_t missing;			/* files that one side does not have */
	size_t counts[COMPARE_ONLY_B + 1];
	struct buf value;
	struct buf out;			/* secret */
};

void diff_report_init(struct diff_report *r, bool json);
void diff_report_release(struct diff_report *r);

void diff_report_begin(struct diff_report *r, const struct document *a,
    const struct document *b);
/* For compare_documents. */
int diff_report_add(void *report, const struct compare_entry *e, struct error *err);
void diff_report_end(struct diff_report *r);

/* A file that only one side has; the other path is NULL. */
void diff_report_missing(struct diff_report *r, const char *a, const char *b);

/* The summary.  ${folders}: the pairs were found below folders. */
void diff_report_finish(struct diff_report *r, bool folders);

/* Is there a difference, or what might be one? */
bool diff_report_differs(const struct diff_report *r);

#endif /* !DIFF_REPORT_H */

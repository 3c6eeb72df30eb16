#ifndef VERIFY_REPORT_H
#define VERIFY_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct error;

/* What `file verify` finds. */
enum verify_kind {
	VERIFY_DAMAGED,		/* a sealed entry that does not open */
	VERIFY_DAMAGED_USE,	/* a reference to one */
	VERIFY_CHANGED,		/* a sealed entry that no longer fits its tag */
	VERIFY_DANGLING,
	VERIFY_UNREADABLE,	/* a configuration file or folder */
	VERIFY_ORPHAN,		/* a remark */
	VERIFY_KINDS
};

/* The output of `file verify`: a line a finding and a summary, or JSON. */
struct verify_report {
	bool json;
	bool has_paths;
	const char *file;	/* the secrets file */
	size_t sealed;
	size_t tagged;
	size_t files;
	size_t references;
	size_t counts[VERIFY_KINDS];
	struct buf findings;
	struct buf out;		/* valid after verify_report_end */
};

void verify_report_init(struct verify_report *r, const char *file,
    bool has_paths, bool json);
void verify_report_release(struct verify_report *r);

/* A finding at the place that ${what} names. */
void verify_report_add(struct verify_report *r, enum verify_kind kind,
    const struct error *what);
void verify_report_end(struct verify_report *r);

/* The exit status: 4 damage, 1 something unreadable, 3 dangling or changed, 0. */
int verify_report_status(const struct verify_report *r);

#endif /* !VERIFY_REPORT_H */

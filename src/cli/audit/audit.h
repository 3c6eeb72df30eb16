#ifndef CLI_AUDIT_AUDIT_H
#define CLI_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "audit/audit.h"

struct buf;
struct error;
struct options;
struct trail;
struct vec;

/* What the outputs of `propseal audit` tell. */
struct audit_report {
	const struct audit *audit;
	struct audit_counts counts;
	const char *root;
	enum audit_level fail_on;
	int status;
	bool quiet;		/* a person is told nothing where nothing is found */
	const char *schema;	/* of the JSON */
	const struct buf *checks;	/* an array of JSON that goes before the findings, or
				 * NULL */
	bool whole;		/* it is kept as it grows, not written to standard output */
	struct error *err;	/* why it could not be written */
	bool failed;
};

/* Write what there is, if it is much: a report is longer than its findings. */
void audit_report_flush(struct audit_report *r, struct buf *out);

/* The numbers of an audit that is finished, and its exit status. */
void audit_report_init(struct audit_report *r, const struct audit *a, const char *root,
    enum audit_level fail_on);

/* Write it in the form of this name (NULL: for people) to standard output. */
int audit_report_write(struct audit_report *r, const char *form, struct error *err);

/* Append a whole report.  Nothing of them ever holds a value. */
void audit_report_human(struct audit_report *r, struct buf *out);
void audit_report_json(struct audit_report *r, struct buf *out);
void audit_report_jsonl(struct audit_report *r, struct buf *out);
void audit_report_sarif(struct audit_report *r, struct buf *out);
void audit_report_html(struct audit_report *r, struct buf *out);
void audit_report_junit(struct audit_report *r, struct buf *out);

/* How many findings count in the files of an environment. */
struct audit_environment_levels {
	const char *name;	/* NULL: of files that refer to none */
	size_t levels[AUDIT_LEVELS];
};

/* Those of all environments; with ${known}, also what a baseline knows.  ${out} is made. */
void audit_report_environments(const struct audit_report *r, bool known, struct vec *out);

/* Does the finding count for the exit status? */
static inline bool
audit_report_fails(const struct audit_report *r, const struct audit_finding *f)
{
	return !f->suppressed && !f->known && f->level >= r->fail_on;
}

/* How many findings a baseline knows. */
static inline size_t
audit_report_known(const struct audit_report *r)
{
	return audit_finding_count(r->audit) - r->counts.suppressed - r->counts.fresh;
}

/* Command lines and environments of Kafka's JVMs, below ${host} ("": this one).  ERROR_IO. */
int audit_processes(struct audit *a, const char *host, struct error *err);

/* What the Connect worker at --connect-url has of connectors.  Errors: those of
 * client_request; ERROR_IO: it answers something else. */
int audit_connect(struct audit *a, const struct options *o, struct error *err);

/*
 * A baseline: findings that are known, a line each, sorted by file, key and rule.
 */
struct audit_baseline;

/* Read ${path} and mark what it knows.  ${*unused}: what was looked for and is there no more.
 * ERROR_FORMAT with the line; ERROR_MISSING. */
int audit_baseline_apply(struct audit *a, const char *path, int64_t now, size_t *unused,
    struct error *err);

/* Write all findings that count, with the reasons and dates that ${path} has for them, besides
 * what it has of files and entries that could not be read; and that into the trail (NULL:
 * nowhere).  What is to be told besides goes to ${notes}, a line each. */
int audit_baseline_update(const struct audit *a, const char *path, const struct trail *trail,
    struct buf *notes, struct error *err);

/* Add one finding, with a reason; all else stays.  There need be no ${path} yet. */
int audit_baseline_ignore(const struct audit *a, const struct audit_finding *f, const char *path,
    const char *reason, const struct trail *trail, struct buf *notes, struct error *err);

#endif /* !CLI_AUDIT_AUDIT_H */

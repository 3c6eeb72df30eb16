#ifndef CLI_FINDINGS_H
#define CLI_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/json_out.h"

struct document;
struct error;
struct rules;
struct secrets_file;

/*
 * What `file verify` finds, and what `doctor` checks besides what an audit
 * finds: a line each and a summary for people, or the same as JSON.
 */
enum finding_level {
	FINDING_OK,		/* looked at, and well */
	FINDING_REMARK,
	FINDING_WARNING,
	FINDING_PROBLEM,	/* the exit status is 3 */
	FINDING_LEVELS
};

/* What there is to be said of each finding. */
enum findings_form {
	FINDINGS_CHECKS,	/* lines have the level; JSON level, check and hint */
	FINDINGS_PLAIN		/* lines and JSON have the kind; never what to do */
};

/* A number of the summary that JSON gives. */
struct findings_count {
	const char *name;
	size_t n;
};

struct findings {
	const char *schema;	/* of the JSON */
	bool json;
	enum findings_form form;
	size_t counts[FINDING_LEVELS];
	size_t told;		/* findings */
	struct buf list;
	struct json_out rows;	/* that writes it */
	char hint[1024];	/* of the last line, not to be repeated */
};

void findings_init(struct findings *f, const char *schema, bool json, enum findings_form form);
void findings_release(struct findings *f);

/* ${kind}: a stable word for machines.  ${what}: the text, the place (file,
 * line, key), and as its hint what to do.  Never a secret. */
void findings_add(struct findings *f, enum finding_level level, const char *kind,
    const struct error *what);

/**
 * findings_say(f, level, kind, file, line, hint, fmt, ...):
 * The same; ${file} NULL: nowhere, ${line} 0: none, ${hint} NULL: nothing to do.
 */
void findings_say(struct findings *f, enum finding_level level, const char *kind,
    const char *file, size_t line, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));

/**
 * findings_inspect(f, r, d, s, err):
 * Add what inspect_document (secrets/inspect.h) has to say: a part of a secret
 * that stands elsewhere and what the service does not read are problems, all
 * else is a remark.  ERROR_MEMORY.
 */
int findings_inspect(struct findings *f, const struct rules *r, const struct document *d,
    const struct secrets_file *s, struct error *err);

/* 3 with a problem, else 0. */
int findings_status(const struct findings *f);

/* What was added, for another report: an array of JSON, or lines.  Once, instead of
 * findings_write.  NULL: it is too much. */
const struct buf *findings_list(struct findings *f, struct error *err);

/**
 * findings_write(f, file, counts, n, summary, status, err):
 * Print all on standard output.  JSON begins with the schema, ${file} (NULL: no member)
 * and the ${n} ${counts}; ${summary} is the last line for people, without a
 * line end.  Once, as the last thing.
 */
int findings_write(struct findings *f, const char *file, const struct findings_count *counts,
    size_t n, const char *summary, int status, struct error *err);

#endif /* !CLI_FINDINGS_H */

#ifndef CLI_CHECKS_H
#define CLI_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "seal/provider.h"

struct configuration;
struct document;
struct error;
struct estate;
struct options;
struct rules;
struct secrets_file;

/*
 * What `file verify` finds, and what `doctor` checks besides what an audit
 * finds: a line each and a summary for people, or the same as JSON.
 */
enum check_level {
	CHECK_OK,		/* looked at, and well */
	CHECK_REMARK,
	CHECK_WARNING,
	CHECK_PROBLEM,	/* the exit status is 3 */
	CHECK_LEVELS
};

/* What there is to be said of each finding. */
enum checks_form {
	CHECKS_BY_LEVEL,	/* lines have the level; JSON level, check and hint */
	CHECKS_PLAIN		/* lines and JSON have the kind; never what to do */
};

/* A number of the summary that JSON gives. */
struct checks_count {
	const char *name;
	size_t n;
};

struct checks {
	const char *schema;	/* of the JSON */
	bool json;
	enum checks_form form;
	size_t counts[CHECK_LEVELS];
	size_t told;		/* findings */
	struct buf list;
	struct json_out rows;	/* that writes it */
	char hint[1024];	/* of the last line, not to be repeated */
};

void checks_init(struct checks *f, const char *schema, bool json, enum checks_form form);
void checks_release(struct checks *f);

/* ${kind}: a stable word for machines.  ${what}: the text, the place (file,
 * line, key), and as its hint what to do.  Never a secret. */
void checks_add(struct checks *f, enum check_level level, const char *kind,
    const struct error *what);

/**
 * checks_say(f, level, kind, file, line, hint, fmt, ...):
 * The same; ${file} NULL: nowhere, ${line} 0: none, ${hint} NULL: nothing to do.
 */
void checks_say(struct checks *f, enum check_level level, const char *kind,
    const char *file, size_t line, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));

/**
 * checks_inspect(f, r, d, s, err):
 * Add what inspect_document (secrets/inspect.h) has to say: a part of a secret
 * that stands elsewhere and what the service does not read are problems, all
 * else is a remark.  ERROR_MEMORY.
 */
int checks_inspect(struct checks *f, const struct rules *r, const struct document *d,
    const struct secrets_file *s, struct error *err);

/* 3 with a problem, else 0. */
int checks_status(const struct checks *f);

/* What was added, for another report: an array of JSON, or lines.  Once, instead of
 * checks_write.  NULL: it is too much. */
const struct buf *checks_list(struct checks *f, struct error *err);

/**
 * checks_write(f, file, counts, n, summary, status, err):
 * Print all on standard output.  JSON begins with the schema, ${file} (NULL: no member)
 * and the ${n} ${counts}; ${summary} is the last line for people, without a
 * line end.  Once, as the last thing.
 */
int checks_write(struct checks *f, const char *file, const struct checks_count *counts,
    size_t n, const char *summary, int status, struct error *err);

/* Whether what reads a configuration resolves its references at all: the
 * service itself, or of a connector the worker beside it, if it is in the estate. */
struct providers {
	const struct options *o;
	const struct estate *estate;
	struct workers workers;
	bool looked;		/* for them */
};

void providers_init(struct providers *p, const struct options *o, const struct estate *e);
void providers_release(struct providers *p);

/* Whose settings resolve the references of ${c}: its own, or of a connector the worker's;
 * ${*by} NULL: the worker is not in the estate.  ERROR_MEMORY. */
int providers_reader(struct providers *p, const struct configuration *c,
    const struct document **by, struct error *err);

/* Add a problem for each entry of ${c} with a reference whose provider is not
 * declared.  ERROR_MEMORY. */
int providers_check(struct providers *p, struct checks *f, const struct configuration *c,
    struct error *err);

#endif /* !CLI_CHECKS_H */

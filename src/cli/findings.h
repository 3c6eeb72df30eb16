#ifndef CLI_FINDINGS_H
#define CLI_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct error;

/* What `doctor` and `git check` have to say, for people or as JSON. */
enum finding_level {
	FINDING_OK,		/* looked at, and well */
	FINDING_REMARK,
	FINDING_WARNING,
	FINDING_PROBLEM,	/* the exit status is 3 */
	FINDING_LEVELS
};

struct findings {
	bool json;
	bool by_kind;		/* lines for people have the kind, not the level */
	size_t counts[FINDING_LEVELS];
	struct buf list;
	char hint[1024];	/* of the last line, not to be repeated */
};

void findings_init(struct findings *f, bool json, bool by_kind);
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

/* 3 with a problem, else 0. */
int findings_status(const struct findings *f);

/**
 * findings_write(f, members, summary, status, err):
 * Print all on standard output.  ${members}: the first members of the JSON
 * object, such as "\"files\":3,", or "".  ${summary}: the last line for
 * people, without a line end.
 */
int findings_write(struct findings *f, const char *members, const char *summary, int status,
    struct error *err);

#endif /* !CLI_FINDINGS_H */

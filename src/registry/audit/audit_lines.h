#ifndef REGISTRY_AUDIT_AUDIT_LINES_H
#define REGISTRY_AUDIT_AUDIT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_lines;
struct error;

/* Reading a file line by line. */

/* From descriptor ${fd} (not closed by this) at offset ${from}; ${name} is
 * for errors and must stay. */
struct audit_lines *audit_lines_new(int fd, const char *name, uint64_t from,
    struct error *err);
void audit_lines_free(struct audit_lines *l);

struct audit_lines_line {
	const char *text;	/* valid until the next call */
	size_t len;		/* without the line end */
	uint64_t offset;
	uint64_t number;	/* from 1, counted from where reading began */
	bool whole;		/* it has its line end */
};

/* 1: a line; 0: the end; -1: failed.  A line beyond AUDIT_LINE_MAX comes in
 * pieces of that size, all but the last of them not whole. */
int audit_lines_next(struct audit_lines *l, struct audit_lines_line *out, struct error *err);

#endif /* !REGISTRY_AUDIT_AUDIT_LINES_H */

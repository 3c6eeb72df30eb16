#ifndef REGISTRY_CLI_ADMIN_H
#define REGISTRY_CLI_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "common/flag.h"

struct error;
struct options;

/* What the commands that administer a data folder share. */

#define ADMIN_OUTPUT_MAX ((size_t)256 << 20)

/* ERROR_USAGE unless the flag was given. */
int admin_need(const struct options *o, enum flag_id id, struct error *err);

/**
 * admin_done(rc, err):
 * The exit status after a change.  A running registry looks at the files
 * every few milliseconds: when the command has ended, the change is in force.
 */
int admin_done(int rc, const struct error *err);

/*
 * A list on standard output: aligned columns, or with -o json an array of
 * objects.  Nothing is shown until admin_list_end.
 */
struct admin_list {
	bool json;
	const char *const *names;	/* of the columns */
	size_t columns;
	size_t rows;
	struct buf out;
};

#define ADMIN_COLUMNS_MAX 8

void admin_list_begin(struct admin_list *l, const struct options *o,
    const char *const *names, size_t columns);

/* One row of ${columns} texts; NULL: an empty cell, null in JSON. */
void admin_list_add(struct admin_list *l, const char *const *cells);

/* Print it if ${rc} is 0, release it; the exit status. */
int admin_list_end(struct admin_list *l, int rc, struct error *err);

#endif /* !REGISTRY_CLI_ADMIN_H */

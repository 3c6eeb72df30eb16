#ifndef COMMON_TABLE_H
#define COMMON_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct json_out;

/*
 * Rows that are described once: aligned columns for people, objects in JSON.
 * The cells of a row are given in the order of the columns, and then its end.
 */
enum table_where { TABLE_BOTH, TABLE_JSON, TABLE_PEOPLE };

struct table_column {
	const char *name;	/* of the member */
	const char *heading;	/* NULL: none; of all columns, or of none */
	enum table_where where;
	size_t width;		/* at least; the last one needs none */
	bool right;		/* at the right end of it */
};

struct table {
	const struct table_column *columns;
	size_t count;
	struct buf *out;
	struct json_out *json;	/* NULL: for people */
	size_t at;		/* the column of the next cell */
};

/* Begin; ${json} (NULL: for people) writes into ${out} and has an array open.
 * The columns must outlive the table.  Headings are written if there are any. */
void table_begin(struct table *t, const struct table_column *columns, size_t count,
    struct buf *out, struct json_out *json);

/* ${text} NULL: "-" for people, null in JSON. */
void table_text(struct table *t, const char *text);
void table_text_n(struct table *t, const void *text, size_t n);
void table_number(struct table *t, uint64_t n);

void table_bool(struct table *t, bool yes);
void table_row_end(struct table *t);

/* A cell that people see in other words than JSON has it: in JSON the name of
 * the member that the caller writes, else NULL. */
const char *table_cell(struct table *t, const void *shown, size_t n);

#endif /* !COMMON_TABLE_H */

#ifndef COMMON_REPORT_H
#define COMMON_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct json_out;

enum output_format { OUTPUT_HUMAN, OUTPUT_JSON, OUTPUT_YAML };

/*
 * What the program prints goes through write(2) from a buffer of ours: stdio
 * would keep copies of keys and values in memory that nobody wipes.
 */

/* Does an output path name what is written to as it is, and not replaced: "-"
 * (standard output), a descriptor (/dev/fd/N and its kin), a device, a FIFO? */
bool output_is_stream(const char *path);

/* Write all of ${b} there.  Fails when ${b} has failed. */
int output_write_stream(const char *path, const struct buf *b, struct error *err);

/* Write all of it to descriptor ${fd}; ${name} is for errors.  ERROR_IO. */
int output_write_fd(int fd, const char *name, const void *bytes, size_t n, struct error *err);

/* Write all of ${b} to standard output.  Fails when ${b} has failed. */
int output_write(const struct buf *b, struct error *err);

/* End the text of ${o}, and write it to standard output. */
int output_write_json(struct json_out *o, struct error *err);

/*
 * What the program says on standard error: text for people, or with -o json
 * one JSON object a line: {"error":{...}}, {"warning":{...}}, {"note":{...}}.
 */
void report_as_json(bool json);
bool report_is_json(void);

/* What else the flags of every command say: leave out notes and changes; tell
 * details; --color's word (NULL: auto). */
void report_set(bool quiet, bool verbose, const char *color);
bool report_has_color(void);

/* A note for those who asked for more of them. */
void report_detail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Write a diff to standard output, in colours if they are wanted. */
int output_write_diff(const struct buf *b, struct error *err);

/* The exit status of what looked for something wrong, and found it. */
#define STATUS_FINDINGS 3

/* Say an error; returns the exit status that belongs to it.  The one that
 * nobody reads standard output any more is not said. */
int report_error(const struct error *err);

/* The same for a program whose exit status is ${status}, which is returned. */
int report_error_as(const struct error *err, int status);

/* The last thing of a program: its exit status, or its end by SIGPIPE where
 * nobody reads standard output any more. */
int report_end(int status);

/* ${hint} may be NULL. */
void report_warning(const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void report_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* How a service stands, for people and their scripts: `propseal: ${fmt}`. */
void report_state(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* From here on what standard error has no room for is dropped, and how much that was is said
 * when there is room again: the end of a service does not wait for a reader. */
void report_drop(void);

/* Something was changed: {"changed":{...}} */
void report_change(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same of what a command of the registry did at ${where} to what is called ${name} (NULL:
 * to nothing in particular); with -o json, too, in the form of a change on standard output. */
int report_action(const char *where, const char *command, const char *word, const char *name,
    struct error *err);

/* A message of `confluent secret`, word for word, that scripts may look for;
 * none with -o json. */
void report_line(const char *text);

/*
 * How an error or a finding is told, for other reports: `FILE:LINE: ` (nothing
 * without a file), `"KEY": TEXT` with the line end, and the members file, line,
 * key and text of a JSON object (null where there is none).
 */
void report_append_place(struct buf *out, const struct error *what);
void report_append_text(struct buf *out, const struct error *what);
void report_json(struct json_out *o, const struct error *what);

/* A number, at the right end of ${width} columns; also into a secret buffer. */
void report_append_number(struct buf *out, size_t n, size_t width);

/* Blanks up to column ${width} of what stands in ${out} from ${start} on, in
 * characters, whatever their width on the screen. */
void report_pad(struct buf *out, size_t start, size_t width);

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

/*
 * How two files differ, entry by entry: a diff for people, with `--- A` and
 * `+++ B` above it, or the objects of an array in JSON.
 */
struct report_side {
	bool there;
	bool masked;		/* ${value} is what people see in its place; JSON has null */
	uint64_t line;
	const char *state;	/* in JSON */
	const void *value;
	size_t len;
};

struct report_difference {
	const char *key;
	size_t len;
	const char *result;	/* in JSON */
	const char *remark;	/* for people, behind the lines; "": none */
	bool secret;
	struct report_side a, b;
};

/* ${json} NULL: for people, as everywhere here.  A path that is NULL: there is no such file. */
void report_diff_begin(struct buf *out, struct json_out *json, const char *a, const char *b);
void report_diff_entry(struct buf *out, struct json_out *json, const struct report_difference *d);
void report_diff_end(struct json_out *json);

#endif /* !COMMON_REPORT_H */

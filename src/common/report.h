#ifndef COMMON_REPORT_H
#define COMMON_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct command;
struct error;
struct key;

enum output_format { OUTPUT_HUMAN, OUTPUT_JSON, OUTPUT_YAML };

/*
 * What the program prints goes through write(2) from a buffer of ours: stdio
 * would keep copies of keys and values in memory that nobody wipes.
 */

/* Does an output path mean standard output: "-", or a name for descriptor 1?
 * Such a name leads to a file that must not be replaced by a rename. */
bool output_is_stdout(const char *path);

/* Write all of it to descriptor ${fd}; ${name} is for errors.  ERROR_IO. */
int output_write_fd(int fd, const char *name, const void *bytes, size_t n,
    struct error *err);

/* Write all of ${b} to standard output.  Fails when ${b} has failed. */
int output_write(const struct buf *b, struct error *err);

/**
 * output_master_key(k, format, err):
 * Print a new master key on standard output as `confluent secret` does (a
 * table, JSON or YAML), and on standard error the advice to save it.  The
 * error's hint says that the passphrase gives the key again.
 */
int output_master_key(const struct key *k, enum output_format format,
    struct error *err);

/*
 * What the program says on standard error: text for people, or with -o json
 * one JSON object a line: {"error":{...}}, {"warning":{...}}, {"note":{...}}.
 */
void report_as_json(bool json);

/* Say an error; returns the exit status that belongs to it. */
int report_error(const struct error *err);

/* The same for a wrong command line, with the usage of ${c} (NULL: the
 * program's).  Returns 2. */
int report_usage(const struct command *c, const struct error *err);

/* ${hint} may be NULL. */
void report_warning(const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void report_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A message of `confluent secret`, word for word, that scripts may look for. */
void report_line(const char *text);

#endif /* !COMMON_REPORT_H */

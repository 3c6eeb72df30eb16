#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
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

#endif /* !OUTPUT_H */

#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

struct command;
struct error;

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

#endif /* !REPORT_H */

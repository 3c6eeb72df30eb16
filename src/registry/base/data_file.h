#ifndef REGISTRY_DATA_DATA_FILE_H
#define REGISTRY_DATA_DATA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "file/file.h"

struct error;
struct json_out;

/*
 * The JSON files of the data folder that people administer: users.json,
 * tokens.json, bindings.json, roles.json; and the JWKS file, which is read
 * alike.  A name that stands twice in an object is an error.
 */
#define DATA_FILE_MAX ((size_t)64 << 20)	/* bytes */
#define DATA_FILE_DATE 21	/* 2026-01-31T23:59:59Z and NUL */

/* "DIR/NAME", freed by the caller.  NULL: no memory. */
char *data_file_path(const char *data, const char *name, struct error *err);

/**
 * data_file_read(path, max, root, id, err):
 * Parse the object in ${path}; ${id} is that of what was read.  A missing
 * file gives NULL in ${*root} and is no error.  ERROR_FORMAT: not a JSON
 * object (with the line); ERROR_IO, ERROR_LIMIT, ERROR_REFUSED.
 */
int data_file_read(const char *path, size_t max, json_t **root, struct file_id *id,
    struct error *err);

/**
 * data_file_list(data, name, table, visit, cookie, err):
 * Call ${visit} for each member of the table of names in DATA/NAME, which
 * ${table} finds (NULL: there is no file, and so no table), until it fails.
 * Errors are at the file.
 */
typedef int data_file_table_fn(const json_t *root, json_t **table, struct error *err);
typedef int data_file_visit_fn(void *cookie, const char *name, const json_t *value,
    struct error *err);
int data_file_list(const char *data, const char *name, data_file_table_fn *table,
    data_file_visit_fn *visit, void *cookie, struct error *err);

/* json_object_set_new with ERROR_MEMORY. */
int data_file_set(json_t *o, const char *name, json_t *value, struct error *err);

/**
 * data_file_edit(data, name, change, cookie, err):
 * Change DATA/NAME as a whole, under its lock: ${change} gets its object (a
 * new one has "format": 1) and returns 1 (write it), 0 (nothing to write) or
 * -1.  Members that it does not touch stay.  The folder is made (0700) if
 * need be; a new file is 0600 and, when root makes it, belongs to the
 * folder's owner.
 */
typedef int data_file_change_fn(void *cookie, json_t *root, struct error *err);
int data_file_edit(const char *data, const char *name, data_file_change_fn *change,
    void *cookie, struct error *err);

/**
 * data_json_write(o, key, value, text, cookie):
 * Write what was parsed, its members in the order in which they stand there.
 * Each text in it goes through ${text}, which writes it with the key, and -1
 * from which ends the writing; NULL: it is written as it is.
 */
typedef int data_json_text_fn(void *cookie, struct json_out *o, const char *key,
    const char *text, size_t n);
int data_json_write(struct json_out *o, const char *key, const json_t *value,
    data_json_text_fn *text, void *cookie);

/* Counts the changes that this process has made to any of the files. */
unsigned data_file_edits(void);

/* The time ${seconds} after 1970 in UTC, RFC 3339. */
void data_file_date(int64_t seconds, char out[DATA_FILE_DATE]);

/* The reverse; false: not exactly of that form. */
bool data_file_parse_date(const char *text, int64_t *seconds);

/* "format" must be 1 (or absent).  ERROR_FORMAT. */
int data_file_check_format(const json_t *root, const char *path, struct error *err);

#endif /* !REGISTRY_DATA_DATA_FILE_H */

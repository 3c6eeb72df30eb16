#ifndef DOCUMENT_DOCUMENT_JSON_H
#define DOCUMENT_DOCUMENT_JSON_H

#include <stddef.h>

struct document;
struct error;
struct vec;

/* What only JSON documents have.  Paths are those of json_path.h. */

enum document_json_type {
	DOCUMENT_JSON_STRING,
	DOCUMENT_JSON_NUMBER,
	DOCUMENT_JSON_BOOLEAN,
	DOCUMENT_JSON_NULL,
	DOCUMENT_JSON_OBJECT,
	DOCUMENT_JSON_ARRAY
};

/* What the value of entry ${i} is.  Setting it makes it a string. */
enum document_json_type document_json_type(const struct document *d, size_t i);

/**
 * document_json_expand(d, path, n, entries, err):
 * Append to ${entries} (of size_t) the winning entries that a path with `*`,
 * `?` and `#` stands for, in the order of the file, objects and arrays too; a
 * plain path gives the one that document_find gives.  Unlike in gjson `#` is
 * every element, at the end of a path too.  ERROR_USAGE for what is
 * JSON_PART_REFUSED; ERROR_MEMORY.
 */
int document_json_expand(const struct document *d, const char *path, size_t n,
    struct vec *entries, struct error *err);

#endif /* !DOCUMENT_DOCUMENT_JSON_H */

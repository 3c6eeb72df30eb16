#ifndef SECRETS_MEMBER_H
#define SECRETS_MEMBER_H

#include <stdbool.h>
#include <stddef.h>

struct document;

/*
 * In JSON the key that tells of a secret need not be the last one of its path.
 * Members and elements are told apart by their paths alone.
 */

/* The last name of a path begins here: behind the last dot that is no part of a name. */
size_t member_last_name(const char *path, size_t len);

/* Is it a name such as `value` or `plaintext`, below the key of a secret? */
bool member_bears_value(const char *name, size_t len, const char *parent, size_t parent_len);

/**
 * member_name(d, i, name, len):
 * By what name entry ${i} is judged that its path does not tell:
 *     { "name": NAME, "value": "..." }, or the same with key, Key, ParameterKey ...
 *     { NAME: { "value": "..." } }
 *     [ "--NAME", "..." ], where NAME is the key of a secret
 * As it is written, which points into the document.  false: by none.
 */
bool member_name(const struct document *d, size_t i, const char **name, size_t *len);

#endif /* !SECRETS_MEMBER_H */

#ifndef DOCUMENT_JSON_PATH_H
#define DOCUMENT_JSON_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * Paths into JSON, in the syntax of gjson and sjson, which the reference uses
 * (https://github.com/tidwall/gjson/blob/master/SYNTAX.md, sjson's README):
 * the names of members and the numbers of elements, from 0, joined by `.`;
 * in a name a backslash takes the meaning from the character behind it.
 *
 * Special without a backslash are `.` `\` `*` `?` `|` anywhere, `#` `@` `!`
 * `{` `[` at the start of a part.  Written here with a backslash are those
 * and, because sjson wants it, every `#` and `@`, and a `:` at the start.
 * The whole document is "@this".  An empty path is the member with the empty
 * name.
 */

#define JSON_PATH_WHOLE "@this"

enum json_part_kind {
	JSON_PART_NAME,		/* a name or a number */
	JSON_PART_EACH,		/* `#`: every element of an array */
	JSON_PART_PATTERN,	/* `*` any run of characters, `?` any one */
	JSON_PART_REFUSED	/* a query, modifier, pipe or multipath, or a lone backslash */
};

/* One part of a path, as it is spelt there. */
struct json_part {
	const char *text;
	size_t len;
	enum json_part_kind kind;
};

/**
 * json_path_next(path, n, at, part):
 * The part at ${*at}, 0 for the first, and move on; false behind the last.
 */
bool json_path_next(const char *path, size_t n, size_t *at, struct json_part *part);

/* Names one value: the whole document, or every part is JSON_PART_NAME. */
bool json_path_is_plain(const char *path, size_t n);

/* Append ${name} as a part of a path. */
void json_path_escape(struct buf *out, const void *name, size_t n);

/* Append the name that a part stands for. */
void json_path_unescape(struct buf *out, const struct json_part *part);

/* Append a plain path in the one spelling that json_path_escape has. */
void json_path_canonical(struct buf *out, const char *path, size_t n);

/* Does a name or pattern fit the name of another part?  (Not for `#`.) */
bool json_path_fits(const struct json_part *pattern, const struct json_part *name);

#endif /* !DOCUMENT_JSON_PATH_H */

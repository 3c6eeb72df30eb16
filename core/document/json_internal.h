#ifndef DOCUMENT_JSON_INTERNAL_H
#define DOCUMENT_JSON_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"

struct buf;
struct document;
struct document_entry;
struct document_place;
struct document_render;
struct document_splice;
struct edits;
struct error;
struct map;

/*
 * The characters of JSON (RFC 8259), and what its files share: json_read.c
 * finds the entries and undoes escapes, json_write.c makes them, in the style
 * of what stands around and for parts of values; json_edit.c refuses and
 * makes changes.
 *
 * Of a JSON entry, key..key_end is the member's name between its quotes and
 * value..value_end the whole value, with its quotes; start is where the name
 * (of an element: the value) begins and end is value_end.  The decoded key is
 * the path.  Objects and arrays stand behind the listed entries, again in the
 * order of the file; the first is the whole document if that is one.
 */

/* Objects and arrays in one another; in a path, its parts. */
#define JSON_MAX_DEPTH 512

/*
 * All paths of a document together: so many bytes, and so many times its
 * size.  Long names around many values make paths much larger than the file.
 */
#define JSON_MAX_PATHS ((size_t)64 << 20)
#define JSON_MAX_PATHS_RATIO 16

static inline bool
json_is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline bool
json_is_line_end(unsigned char c)
{
	return c == '\n' || c == '\r';
}

/* The first byte from ${at} on that is not blank, n: none. */
static inline size_t
json_after_blanks(const unsigned char *p, size_t n, size_t at)
{
	while (at < n && json_is_blank(p[at]))
		at++;
	return at;
}

/* Where the blanks before ${at} begin. */
static inline size_t
json_before_blanks(const unsigned char *p, size_t at)
{
	while (at > 0 && json_is_blank(p[at - 1]))
		at--;
	return at;
}

enum json_token {
	JSON_TOKEN,		/* a whole one */
	JSON_TOKEN_OPEN,	/* a string without its closing quote */
	JSON_TOKEN_CONTROL,	/* a string with a control character */
	JSON_TOKEN_ESCAPE,	/* a string with an escape that there is not */
	JSON_TOKEN_UNIT,	/* a string with a malformed \uXXXX */
	JSON_TOKEN_NUMBER,	/* a malformed number */
	JSON_TOKEN_WORD		/* neither true nor false nor null */
};

/**
 * json_decode_span(d, x, from, to):
 * The bytes of a value that are read: what stands between the quotes, or all
 * of what is no string, or nothing of a null.  True for a string.
 */
bool json_decode_span(const struct document *d, const struct document_entry *x, size_t *from,
    size_t *to);

/**
 * json_write_string(out, bytes, n):
 * Append as a string, with its quotes, that reads back as the same bytes:
 * escaped are quote, backslash and control characters; other characters and
 * undecodable bytes stand as they are; the three-byte form of a surrogate
 * becomes the escape that it was read from.
 */
void json_write_string(struct buf *out, const void *bytes, size_t n);

enum json_type {
	JSON_STRING,
	JSON_NUMBER,
	JSON_BOOLEAN,
	JSON_NULL,
	JSON_OBJECT,
	JSON_ARRAY
};

/* What the value of entry ${i} is.  Setting it makes it a string. */
enum json_type json_type(const struct document *d, size_t i);

/* document_ops */
int json_expand(const struct document *d, const char *path, size_t n, struct vec *entries,
    struct error *err);
int json_parse(struct document *d, struct error *err);
void json_decode_value(const struct document *d, const struct document_entry *x,
    struct buf *out);
bool json_decode_is(const struct document *d, const struct document_entry *x,
    const void *value, size_t n);
void json_decode_seek(const struct document *d, const struct document_entry *x,
    struct document_place *at, size_t decoded);
void json_splice_render(struct document_render *r, const struct document_entry *x,
    const struct document_splice *splices, size_t n);

/*
 * What the files that change JSON share: where a new member belongs, the
 * members that are new with the objects made for them, and what goes where
 * (json_edit.c); how it is written there (json_write.c).
 */

/* Where a path leads that is not there: the object that exists, and the rest. */
struct json_place {
	size_t object;		/* its number */
	size_t rest;		/* offset of the first missing part in the path */
};

/* Bytes of the document, or of a text that the program brings. */
struct json_text {
	const char *p;
	size_t n;
};

/* How the members of one object are written, as seen in those that it has. */
struct json_style {
	struct json_text first;	/* between the brace and the first member */
	struct json_text joint;	/* from the end of a member to the next, its comma too */
	struct json_text colon;	/* between name and value */
	struct json_text gap;	/* between a comma and what follows on the same line */
	struct json_text line;	/* the line end and the indent before a member */
	struct json_text outer;	/* and those before the object's own line */
	struct json_text unit;	/* what a level is indented by */
	bool lines;		/* members stand on lines of their own */
	bool empty;		/* there are none: line, first and joint are not known */
};

/* How names and values are parted in a document; for json_style_look. */
struct json_text json_style_colon(const struct document *d);

/* Look at object ${i} of a document whose json_style_colon is ${colon}. */
void json_style_look(struct json_style *s, const struct document *d, size_t i,
    struct json_text colon);

/*
 * What stands before a member: the first one or another, at ${depth} new
 * objects inside of the object.  And what stands before the brace that closes
 * one of those, or (depth 0) the object, which was empty.
 */
void json_style_append_first(const struct json_style *s, size_t depth, struct buf *out);
void json_style_append_next(const struct json_style *s, size_t depth, struct buf *out);
void json_style_append_close(const struct json_style *s, size_t depth, struct buf *out);

/*
 * New members: a tree, since several may need the same new object.  Numbers
 * of members are one more than their place, 0 is none.
 */
struct json_fresh_member {
	size_t name;		/* its part of the path, in keys */
	size_t name_len;
	size_t edit;		/* the edit that gives the value; else it is an object */
	bool is_object;
	size_t parent;
	size_t first, last;	/* of an object: its members */
	size_t next;
	size_t object;		/* no parent: the number of the object that it goes into */
	size_t after;		/* and the entry that it goes behind, or DOCUMENT_NONE */
};

struct json_fresh {
	const struct edits *edits;
	struct buf keys;	/* paths of all insertions, in the canonical spelling */
	struct vec members;	/* struct json_fresh_member */
	struct map *known;	/* by path */
};

#endif /* !DOCUMENT_JSON_INTERNAL_H */

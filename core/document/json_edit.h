#ifndef DOCUMENT_JSON_EDIT_H
#define DOCUMENT_JSON_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/vec.h"

struct document;
struct edits;
struct error;
struct map;

/*
 * What the files that change JSON share: where a new member belongs
 * (json_place.c), how it is written there (json_style.c), the members that
 * are new with the objects made for them (json_fresh.c), and what goes where
 * (json_edit.c).
 */

/* Where a path leads that is not there: the object that exists, and the rest. */
struct json_place {
	size_t object;		/* its number */
	size_t rest;		/* offset of the first missing part in the path */
};

/**
 * json_place_find(d, path, n, place, err):
 * For a path in its canonical spelling.  ERROR_EXISTS, ERROR_REFUSED.
 */
int json_place_find(const struct document *d, const char *path, size_t n,
    struct json_place *place, struct error *err);

/* Does entry ${i} stand in the object (or array) ${box} itself? */
bool json_place_is_child(const struct document *d, size_t box, size_t i);

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

/* Take in all insertions of ${e}.  -1: ERROR_EXISTS, ERROR_REFUSED, ERROR_MEMORY. */
int json_fresh_init(struct json_fresh *f, const struct edits *e, struct error *err);
void json_fresh_release(struct json_fresh *f);

/* Append a member that has no parent, with all that is in it. */
void json_fresh_append(const struct json_fresh *f, size_t member, const struct json_style *s,
    struct buf *out);

#endif /* !DOCUMENT_JSON_EDIT_H */

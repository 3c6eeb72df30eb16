#ifndef DOCUMENT_JSON_SYNTAX_H
#define DOCUMENT_JSON_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct document;
struct document_entry;
struct document_place;
struct document_render;
struct document_splice;
struct edit;
struct edits;
struct error;

/*
 * The characters of JSON (RFC 8259), and what its files share: json_token.c
 * passes over one token, json_parse.c finds the entries, json_decode.c undoes
 * escapes, json_write.c makes them; json_place.c refuses changes, json_edit.c
 * makes them, with json_style.c for how, json_fresh.c for what is new and
 * json_splice.c for parts of values.
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
 * json_token_string(p, n, at) and so on:
 * Pass over the string, number or word that begins at ${*at}; when it is
 * not a whole one, to the place of the fault.
 */
enum json_token json_token_string(const unsigned char *p, size_t n, size_t *at);
enum json_token json_token_number(const unsigned char *p, size_t n, size_t *at);
enum json_token json_token_word(const unsigned char *p, size_t n, size_t *at);

/* Append what the well-formed text between a string's quotes stands for. */
void json_decode(const unsigned char *p, size_t n, struct buf *out);

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

/* The same without quotes.  ${*high}: what is written so far ends with the
 * escape of the first half of a surrogate pair, which a second would join. */
void json_write_text(struct buf *out, const void *bytes, size_t n, bool *high);

/* document_ops */
int json_parse(struct document *d, struct error *err);
void json_decode_value(const struct document *d, const struct document_entry *x,
    struct buf *out);
bool json_decode_is(const struct document *d, const struct document_entry *x,
    const void *value, size_t n);
void json_decode_seek(const struct document *d, const struct document_entry *x,
    struct document_place *at, size_t decoded);
void json_splice_render(struct document_render *r, const struct document_entry *x,
    const struct document_splice *splices, size_t n);
int json_check(const struct edits *e, const struct edit *c, struct error *err);
int json_edit_render(const struct edits *e, struct buf *out, struct error *err);

#endif /* !DOCUMENT_JSON_SYNTAX_H */

#ifndef DOCUMENT_PROPERTIES_H
#define DOCUMENT_PROPERTIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct document;
struct document_entry;
struct document_place;
struct error;

/*
 * The characters of the .properties format, and what its files share:
 * properties_read.c finds the entries and undoes escapes, properties_write.c
 * makes them and splices.
 */

static inline bool
properties_is_line_end(unsigned char c)
{
	return c == '\n' || c == '\r';
}

static inline bool
properties_is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static inline bool
properties_is_separator(unsigned char c)
{
	return c == '=' || c == ':';
}

/* Behind the line end that stands at ${at}: CR LF is one. */
static inline size_t
properties_after_line_end(const unsigned char *p, size_t n, size_t at)
{
	return at + (p[at] == '\r' && at + 1 < n && p[at + 1] == '\n' ? 2 : 1);
}

static inline size_t
properties_after_blanks(const unsigned char *p, size_t n, size_t at)
{
	while (at < n && properties_is_blank(p[at]))
		at++;
	return at;
}

/* document_ops */
int properties_parse(struct document *d, struct error *err);
void properties_decode_seek(const struct document *d, const struct document_entry *x,
    struct document_place *at, size_t decoded);
void properties_decode_value(const struct document *d, const struct document_entry *x,
    struct buf *out);
bool properties_decode_is(const struct document *d, const struct document_entry *x,
    const void *value, size_t n);

/**
 * properties_decode(p, n, out):
 * Append the reading of ${n} raw bytes of one key or value, in which the
 * parser found every escape well-formed: continuations are joined, escapes
 * undone, a backslash at the very end (that of the file) is dropped.
 */
void properties_decode(const unsigned char *p, size_t n, struct buf *out);

/* Behind the continuations at ${at}: backslashes before line ends, and the blanks that follow. */
size_t properties_decode_gap(const unsigned char *p, size_t n, size_t at);

/**
 * properties_append_key(out, key, n) / properties_append_value(out, value, n):
 * Append as java.util.Properties text that reads back as the same bytes:
 * escaped are backslash, control characters, `=`, `:`, `#`, `!` and blanks
 * (in a value only where they matter: leading blanks); a valid non-ASCII
 * character becomes \uXXXX, so that it reads the same as UTF-8 and as
 * ISO-8859-1, and one above the BMP a pair, but in a key itself, as
 * confluent secret reads no pairs; an undecodable byte is written as it is; the
 * three-byte form of a surrogate becomes the escape that it was read from.
 */
void properties_append_key(struct buf *out, const char *key, size_t n);
void properties_append_value(struct buf *out, const void *value, size_t n);

#endif /* !DOCUMENT_PROPERTIES_H */

#ifndef DOCUMENT_PROPERTIES_H
#define DOCUMENT_PROPERTIES_H

#include <stddef.h>

struct buf;

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

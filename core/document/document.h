#ifndef DOCUMENT_DOCUMENT_H
#define DOCUMENT_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct error;
struct vec;

/*
 * A lossless model of a configuration file: its bytes, and the entries that
 * a reader of the format finds in them, each with the span it stands on.
 * Editing is splicing: an edit replaces the bytes of a span, so every byte
 * outside the touched spans stays as it was.  Any bytes parse; what the
 * format's reader would reject is kept as a problem (document_problem).
 *
 * The bytes stay in secret memory.  Keys are not secret.  Keys and values
 * are UTF-8; bytes of the file that do not decode are kept as they are, a
 * lone surrogate from a \uD800 escape is kept in its three-byte form.
 */
struct document;

/*
 * What is special to a format, so that nobody needs to ask which one a
 * document has.  A new one is a row of the table in document.c.
 */
struct document_format {
	const char *name;	/* for machines */
	const char *ending;	/* of the names of its files */
	const char *providers;	/* the key of Kafka's list of config providers */
	const char *dot;	/* how a dot in the name of an entry is spelt in its key */
	char escape;		/* keys are paths, in which it takes the meaning from the next
				   character; names of sealed entries leave it out.  0: a key
				   has one spelling */
	bool comments;		/* there are lines of comments */
	bool lines;		/* an entry has lines of its own, so that it can be merged */
	bool last_wins;		/* of several entries of a key, for every reader */
	bool latin1;		/* Kafka takes its bytes for ISO 8859-1 */
	bool strict;		/* what its reader refuses no other program takes either */
	const char *null;	/* how no value is written; NULL: it cannot be */
	const struct document_ops *ops;
};

extern const struct document_format document_properties;	/* java.util.Properties, JDK 17 */
extern const struct document_format document_json;		/* RFC 8259 */

/* The format of secrets files, and of texts that are lines of KEY=VALUE. */
#define DOCUMENT_ENTRIES (&document_properties)

/* All formats, the last NULL; and their endings in a sentence. */
extern const struct document_format *const document_formats[];
#define DOCUMENT_ENDINGS ".properties or .json"

#define DOCUMENT_NONE ((size_t)-1)

/* The format that the ending of a file's name says, exactly; NULL: none. */
const struct document_format *document_format_of(const char *path);

/* The format of a text that has no name, by how it begins. */
const struct document_format *document_format_of_text(const void *text, size_t n);

/* The same for a name with more behind the ending, such as that of a copy. */
const struct document_format *document_format_within(const char *name);

/**
 * document_parse(content, format, file, err):
 * Take ${content} (a secret buffer, at most BUF_MAX_FILE; left empty) and
 * find its entries, in time linear in its size.  ${file} is copied: it is the
 * name in errors.  NULL: ERROR_MEMORY, ERROR_LIMIT.
 */
struct document *document_parse(struct buf *content,
    const struct document_format *format, const char *file, struct error *err);

void document_free(struct document *d);

/* It stays for long, among many others: let it take no more memory than it needs. */
void document_settle(struct document *d);

const struct document_format *document_format(const struct document *d);
const char *document_file(const struct document *d);

/* The bytes as parsed.  (The edits are not in them: see edits.h.) */
const struct buf *document_bytes(const struct document *d);

/* Does one of ${bytes} (a string) stand anywhere in them?  What needs one that no line has is
 * not looked for in each. */
bool document_has_any(const struct document *d, const char *bytes);

/**
 * document_problem(d, err):
 * 0 when a reader of the format accepts the file; else -1 with ERROR_FORMAT,
 * the line, and what is wrong (such as a malformed \uXXXX).  Entries before
 * the problem are valid.
 */
int document_problem(const struct document *d, struct error *err);

/* The same without the column, for reports that others read: behind a secret on its line it tells
 * how long that is. */
int document_problem_line(const struct document *d, struct error *err);

/* Refuse UTF-16, and bytes of NUL, whatever the format's reader would make of them:
 * ERROR_FORMAT. */
int document_check_encoding(const struct document *d, struct error *err);

/*
 * Entries in file order; a key that stands twice is two entries.  Of JSON
 * these are the strings, numbers, true, false and null, and the key is the
 * path to them (json_path.h).
 */
size_t document_count(const struct document *d);

/**
 * document_is_container(d, i):
 * An object or array of JSON.  They are not listed, but document_find gives
 * numbers for them, from document_count on, that every function here and
 * those of edits.h take; the value is the text from brace to brace.
 */
bool document_is_container(const struct document *d, size_t i);

/* The key, decoded; valid as long as the document.  Not NUL-terminated. */
const char *document_key(const struct document *d, size_t i, size_t *len);

/* The line, from 1, on which the entry starts. */
size_t document_line(const struct document *d, size_t i);

/* The bytes that belong to the entry: its lines, line ends included.  From
 * ${*start} up to ${*end}, offsets into document_bytes. */
void document_span(const struct document *d, size_t i, size_t *start,
    size_t *end);

/* Is it a key and nothing else, not even a separator? */
bool document_is_bare(const struct document *d, size_t i);

/* Does the entry say that there is no value? */
bool document_is_null(const struct document *d, size_t i);

/* A later entry of the same key hides this one (java.util.Properties, Jackson: last wins). */
bool document_shadowed(const struct document *d, size_t i);

/* The winning entry of a key, or DOCUMENT_NONE.  A path of JSON may be spelt in any way. */
size_t document_find(const struct document *d, const char *key, size_t len);

/* The next entry of the same key before entry ${i}, or DOCUMENT_NONE. */
size_t document_previous(const struct document *d, size_t i);

/* Append the decoded value to ${out}, which must be secret unless the caller
 * knows that the value is not.  ERROR_MEMORY, ERROR_LIMIT. */
int document_value(const struct document *d, size_t i, struct buf *out,
    struct error *err);

/* True when the decoded value is exactly ${n} bytes at ${value}; no copy is
 * made when the value has no escapes.  Not constant-time. */
bool document_value_is(const struct document *d, size_t i, const char *value,
    size_t n);

/**
 * document_raw_value(d, i, len):
 * The value's bytes as they stand in the file, undecoded (escapes,
 * continuations, the quotes of JSON).  NULL never; len 0 for none.
 */
const unsigned char *document_raw_value(const struct document *d, size_t i,
    size_t *len);

/**
 * document_append_value(format, out, bytes, n):
 * Append as a value as the format writes it, for showing: bytes that do not
 * decode may be replaced.
 */
void document_append_value(const struct document_format *format, struct buf *out,
    const void *bytes, size_t n);

/**
 * document_expand(d, key, n, entries, err):
 * Append to ${entries} (of size_t) the winning entries that a key stands for:
 * the one that document_find gives.  A path of JSON may have `*`, `?` and `#`:
 * then all that fit, in the order of the file, objects and arrays too; unlike
 * in gjson `#` is every element, at the end of a path too.  ERROR_USAGE for
 * what is JSON_PART_REFUSED; ERROR_MEMORY.
 */
int document_expand(const struct document *d, const char *key, size_t n,
    struct vec *entries, struct error *err);

#endif /* !DOCUMENT_DOCUMENT_H */

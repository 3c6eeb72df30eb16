#ifndef SECRETS_MASK_H
#define SECRETS_MASK_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct document;
struct error;
struct key;
struct rules;
struct secrets_file;
struct vec;

/* Stands for a value that is not shown, whatever its length. */
#define MASK_TEXT "********"

/* A secret in clear text in the value of a configuration entry. */
struct clear {
	const char *address;	/* the key; of an option of JAAS the one of jaas.h */
	size_t address_len;
	size_t from, to;	/* in the decoded value */
	const char *text;	/* the bytes there */
};

/* Anything but 0 ends the search and is what clear_each returns. */
typedef int clear_fn(void *cookie, const struct clear *c, struct error *err);

/**
 * clear_each(r, d, i, value, n, each, cookie, err):
 * Call ${each} for every secret in the (decoded) value of entry ${i}: all of it
 * when it is one (rules_secret, by another member's name where its own key tells
 * nothing: member.h), or the secret options of JAAS, in their order.  JAAS that
 * cannot be taken apart is one secret as a whole.  ERROR_MEMORY, or what ${each}
 * returned.
 */
int clear_each(const struct rules *r, const struct document *d, size_t i, const char *value,
    size_t n, clear_fn *each, void *cookie, struct error *err);

/* What there is in the value of one entry. */
struct clear_count {
	size_t clear;		/* secrets in clear text: what clear_each calls for */
	bool sensitive;		/* these, or its key or an option of JAAS is one of a secret */
	bool jaas;		/* its key is one of JAAS */
};

/**
 * clear_in_entry(r, d, i, value, out, err):
 * Look at entry ${i} of a configuration.  ${value}: a secret buffer to work
 * in, the caller's for many entries; it is empty afterwards.  ERROR_MEMORY,
 * ERROR_LIMIT.
 */
int clear_in_entry(const struct rules *r, const struct document *d, size_t i, struct buf *value,
    struct clear_count *out, struct error *err);

/*
 * Secrets in lines that no reader of the format takes for an entry: an entry
 * that was commented out, or what stands behind a place where the file cannot
 * be read any more.  A line counts when it is, behind blanks and comment
 * characters, a key without blanks (in quotes or not), `=` or `:`, and a value
 * that is a secret in clear text (rules_secret).  Where the text is unread, such
 * a key counts wherever in a line it stands, so there may be several, and all up
 * to the end of the line in which the value seems to end is taken for it.
 */
struct loose {
	size_t line;		/* from 1 */
	bool commented;		/* there were comment characters */
	const char *key;
	size_t key_len;
	size_t value;		/* where it stands in the text */
	size_t value_len;
};

/* Where to go on; begin with a line of 1. */
struct loose_place {
	size_t at;
	size_t line;
	bool unread;		/* no reader of the format gets on here */
	size_t line_at;		/* where the line begins */
	size_t hidden;		/* the end of the last value */
};

/* The next one that the rules call a secret.  ${out} points into ${text}. */
bool loose_next(const struct rules *r, const char *text, size_t n,
    struct loose_place *place, struct loose *out);

/*
 * The text of a file with every secret replaced by a mark, made for `git
 * diff`: all else is byte for byte as it was.  (Who prints it makes it visible.)
 *     <sealed: text 0123456789>     a sealed value: says when its ciphertext is another
 *     <sealed: value 0123456789>    the same with the key: when its value is
 *     <clear text>                  a secret in clear text
 *     <clear text: value 01234...>  the same with a key
 *     <wrapped key: text 01234...>  the data key
 *     <tag>, <tag: good>            an entry's tag; with the key whether it fits
 * A mark by value is a keyed sum over the entry's name and the value, so it
 * gives nothing away and survives sealing anew, and a new data key.
 */

/* Behind byte ->at of such a text ->lines line ends of the document are missing, which stood in a
 * secret. */
struct mask_fold {
	size_t at;
	size_t lines;
};

/**
 * mask_append(d, s, master, rules, out, folds, err):
 * ${d} is a configuration, or the document of the secrets file ${s} (NULL: it
 * is none, or its metadata cannot be read); ${s} may be locked.  ${master}
 * may be NULL.  Lines that look like an entry but are not read as one are
 * masked as well.  ${out} may be ordinary: no secret goes into it.  ${folds}: of
 * struct mask_fold, NULL: they are not asked for.
 * ERROR_MEMORY, ERROR_LIMIT, ERROR_CRYPTO.
 */
int mask_append(const struct document *d, const struct secrets_file *s,
    const struct key *master, const struct rules *rules, struct buf *out,
    struct vec *folds, struct error *err);

#endif /* !SECRETS_MASK_H */

#ifndef SECRETS_VEIL_H
#define SECRETS_VEIL_H

struct buf;
struct document;
struct error;
struct key;
struct rules;
struct secrets_file;

/*
 * The text of a file with every secret replaced by a mark, made for `git
 * diff`: all else is byte for byte as it was.
 *     <sealed: text 0123456789>     a sealed value: says when its ciphertext is another
 *     <sealed: value 0123456789>    the same with the key: when its value is
 *     <clear text>                  a secret in clear text
 *     <clear text: value 01234...>  the same with a key
 *     <wrapped key: text 01234...>  the data key
 *     <tag>, <tag: good>            an entry's tag; with the key whether it fits
 * A mark by value is a keyed sum over the entry's name and the value, so it
 * gives nothing away and survives sealing anew, and a new data key.
 */

/**
 * veil_append(d, s, master, rules, out, err):
 * ${d} is a configuration, or the document of the secrets file ${s} (NULL: it
 * is none, or its metadata cannot be read); ${s} may be locked.  ${master}
 * may be NULL.  Lines that look like an entry but are not read as one are
 * veiled as well (loose.h).  ${out} may be ordinary: no secret goes into it.
 * ERROR_MEMORY, ERROR_LIMIT, ERROR_CRYPTO.
 */
int veil_append(const struct document *d, const struct secrets_file *s,
    const struct key *master, const struct rules *rules, struct buf *out,
    struct error *err);

#endif /* !SECRETS_VEIL_H */

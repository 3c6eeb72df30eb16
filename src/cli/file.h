#ifndef CLI_FILE_H
#define CLI_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "seal/seal.h"

struct change;
struct document;
struct error;
struct key;
struct options;

/* Finish a change that brings the master key ${k} (change_finish), and print that. */
int file_finish_with_key(struct change *c, const struct key *k, struct error *err);

/* The keys of --config KEYS.  Pointers are for core's functions on keys. */
struct key_list {
	struct buf text;
	const char **keys;
	size_t *lens;
	size_t count;
};

/**
 * key_list_read(o, trim, out, err):
 * Split the keys at commas, and at line ends when they come from @FILE or -.
 * ${trim}: without the blanks around each (as `confluent secret` does for
 * encrypt and decrypt, and not for remove).  No flag or a blank one: no keys.
 * ERROR_MISSING for an empty key between commas, ERROR_USAGE for a file or
 * standard input without any.  Release ${out} always.
 */
int key_list_read(const struct options *o, bool trim, struct key_list *out, struct error *err);
void key_list_release(struct key_list *l);

/* Read the text of `add` and `update` --config, from @FILE, - or the flag, into ${text}
 * (secret; release it always).  ERROR_USAGE: a backslash at the end. */
int config_text_read(const struct options *o, struct buf *text, struct error *err);

/**
 * config_text_parse(o, read, config, empty, aloud, err):
 * The keys and values of a text that was read, as a .properties document
 * (caller frees).  In a literal text the two characters \n are a line end only
 * where an entry follows; else they stay what they are, or the text is refused
 * when nobody can tell.  ${config} is the configuration, whose keys are known.
 * ${aloud}: warn of what may be meant otherwise.  ERROR_USAGE: nothing in it
 * (with the text ${empty}), no key before the separator, a key twice.  No error
 * holds a value.
 */
struct document *config_text_parse(const struct options *o, const struct buf *read,
    const struct document *config, const char *empty, bool aloud, struct error *err);

/* What encrypt, add and update have in common. */
struct seal_options sealing_options(const struct options *o);

#endif /* !CLI_FILE_H */

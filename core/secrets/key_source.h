#ifndef SECRETS_KEY_SOURCE_H
#define SECRETS_KEY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct error;
struct key;
struct secrets_file;

/* The systemd credential that may hold the master key. */
#define KEY_SOURCE_CREDENTIAL "propseal.master-key"

/* Where master keys are looked for: what was asked for, or else the variable
 * SECRETS_ENVVAR_DEFAULT, those of ${variables}, and the credential.  The variable
 * that a secrets file names is none of them unless it is named here: who can
 * write the file must not choose the key. */
struct key_source {
	const char *file;	/* a path, `-` (standard input) or `fd:N`; NULL: none */
	/* Append what the user's command prints; NULL: none. */
	int (*command)(void *cookie, struct buf *out, struct error *err);
	void *cookie;
	const char *variables;	/* names with blanks or commas between; NULL: none */
	bool all;		/* the rest also where something was asked for */
};

/* The master keys that were found, in the order of their sources. */
struct key_ring;

/**
 * key_ring_read(from, err):
 * Read every source that is there; none is no error.  The bytes of a variable
 * that held a key are wiped and it is unset, so that children do not inherit
 * it, and a second ring must not need it.  NULL: a source that is there has no
 * key (ERROR_KEY), or cannot be read (ERROR_MISSING, ERROR_IO, ERROR_LIMIT,
 * or what the command says).
 */
struct key_ring *key_ring_read(const struct key_source *from, struct error *err);
void key_ring_free(struct key_ring *r);

/* A ring without keys, and one more (copied) in it, if it has not got it.  ERROR_LIMIT: there
 * are 32 already. */
struct key_ring *key_ring_new(struct error *err);
int key_ring_take(struct key_ring *r, const struct key *k, const char *where, struct error *err);

size_t key_ring_count(const struct key_ring *r);
const struct key *key_ring_key(const struct key_ring *r, size_t i);

/* What its source is called, such as "the environment variable NAME". */
const char *key_ring_where(const struct key_ring *r, size_t i);

/**
 * key_ring_for(r, s, where):
 * The first key that opens the data key of ${s}, else (also for NULL) the
 * first one, which then says why it does not.  NULL: the ring is empty.
 * ${*where} (may be NULL) is its source.  Owned by the ring.
 */
const struct key *key_ring_for(const struct key_ring *r, const struct secrets_file *s,
    const char **where);

/* Say that no key was found for ${s} (may be NULL), and where one may come
 * from: ERROR_MISSING. */
int key_ring_missing(const struct secrets_file *s, struct error *err);

/*
 * How well a passphrase, from which a master key is derived, stands up to
 * guessing: whoever has the secrets file can try as many as he likes.
 */
enum passphrase_strength {
	PASSPHRASE_WEAK,	/* not without being asked about it */
	PASSPHRASE_FAIR,
	PASSPHRASE_GOOD
};

/* Each of these counts as one character: a word that comes first to everybody, what repeats
 * the character before or its neighbour in the alphabet, what repeats the beginning.
 * ${why} (may be NULL) gets what is wrong with a weak one, without a part of it. */
enum passphrase_strength passphrase_weigh(const void *text, size_t n, const char **why);

/* Append a generated one to ${out} (secret): six groups of four letters and digits,
 * about 118 bits, none that looks like another.  ERROR_CRYPTO, ERROR_MEMORY. */
int passphrase_generate(struct buf *out, struct error *err);

#endif /* !SECRETS_KEY_SOURCE_H */

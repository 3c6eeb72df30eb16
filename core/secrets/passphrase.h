#ifndef SECRETS_PASSPHRASE_H
#define SECRETS_PASSPHRASE_H

#include <stddef.h>

struct buf;
struct error;

/*
 * How well a passphrase, from which a master key is derived, stands up to
 * guessing: whoever has the secrets file can try as many as he likes.
 */
enum passphrase_strength {
	PASSPHRASE_WEAK,	/* not without being asked about it */
	PASSPHRASE_FAIR,
	PASSPHRASE_GOOD
};

#define PASSPHRASE_FLOOR 12	/* characters that are not easily guessed */
#define PASSPHRASE_PLENTY 18	/* of them make a good one */

/* Each of these counts as one character: a word that comes first to everybody, what repeats
 * the character before or its neighbour in the alphabet, what repeats the beginning.
 * ${why} (may be NULL) gets what is wrong with a weak one, without a part of it. */
enum passphrase_strength passphrase_weigh(const void *text, size_t n, const char **why);

/* Append a generated one to ${out} (secret): six groups of four letters and digits,
 * about 118 bits, none that looks like another.  ERROR_CRYPTO, ERROR_MEMORY. */
int passphrase_generate(struct buf *out, struct error *err);

#endif /* !SECRETS_PASSPHRASE_H */

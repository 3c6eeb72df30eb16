#ifndef SEAL_KEYING_H
#define SEAL_KEYING_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct key;
struct plan;
struct secrets_file;

/* Planning the metadata of a secrets file (for plan and rotation). */

/**
 * keying_new_data_key(p, master, iterations, length, err):
 * Plan a first data key of ${length} bytes with all its metadata, and seal
 * under it from now on.
 */
int keying_new_data_key(struct plan *p, const struct key *master,
    size_t iterations, size_t length, struct error *err);

/* Plan a new master key from a passphrase, and a new data key, whatever there was: what
 * is sealed already does not open any more.  The key goes to ${*master} (caller frees). */
int keying_new_master(struct plan *p, const void *passphrase, size_t n, struct key **master,
    struct error *err);

/* Called now and then with how far a long step is; may be NULL. */
typedef void rotate_progress_fn(void *cookie, size_t done, size_t total);

/**
 * rotate_generate(p, passphrase, n, master, err):
 * Plan a first master key for the plan's secrets file: salt, iterations
 * (220 000), length and, at once, a wrapped data key.  The key goes to
 * ${*master} (caller frees).  ERROR_EXISTS: the file has a data key already;
 * ERROR_REFUSED: it has sealed entries or a salt.
 */
int rotate_generate(struct plan *p, const void *passphrase, size_t n,
    struct key **master, struct error *err);

/**
 * rotate_data_key(p, master, progress, cookie, err):
 * Plan a new data key: every sealed entry is opened and sealed again (CBC
 * becomes GCM), the data key wrapped under ${master}.  ERROR_KEY,
 * ERROR_MISSING (the file has no data key), ERROR_DAMAGED (an entry does not
 * open), ERROR_REFUSED (the plan changes the secrets file already): nothing
 * is planned then.
 */
int rotate_data_key(struct plan *p, const struct key *master,
    rotate_progress_fn *progress, void *cookie, struct error *err);

#define ROTATE_SALT 45	/* bytes of a salt's text, with its NUL */

/* A fresh random salt for a master key. */
int rotate_new_salt(char out[ROTATE_SALT], struct error *err);

/* What is said about a master key that a passphrase gives. */
struct rotate_master {
	const struct key *key;
	const char *salt;
	uint32_t iterations;
	size_t length;
};

/**
 * rotate_derive_master(s, master, passphrase, n, salt, to, err):
 * A new master key for the secrets file, whose key is ${master}, from a passphrase and a new
 * ${salt}: at least 220 000 iterations and 32 bytes.  NULL: ERROR_REFUSED, the passphrase
 * gives the old key under the old salt.  The caller frees; ${to} points to it and to ${salt}.
 */
struct key *rotate_derive_master(const struct secrets_file *s, const struct key *master,
    const void *passphrase, size_t n, char salt[ROTATE_SALT], struct rotate_master *to,
    struct error *err);

/**
 * rotate_master_key_to(p, master, to, err):
 * Plan a new master key: its salt and numbers, and the data key wrapped under it.  Sealed
 * entries stay as they are, those in CBC get a tag; a note counts those that do not open.
 * May follow rotate_data_key in one plan.
 */
int rotate_master_key_to(struct plan *p, const struct key *master,
    const struct rotate_master *to, struct error *err);

#endif /* !SEAL_KEYING_H */

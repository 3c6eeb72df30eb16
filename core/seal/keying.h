#ifndef PLAN_KEYING_H
#define PLAN_KEYING_H

#include <stddef.h>

struct error;
struct key;
struct plan;

/* Planning the metadata of a secrets file (for plan and rotation). */

/**
 * keying_set(p, key, value, err):
 * Plan metadata ${key} (SECRETS_...) to be ${value}: in its line, or on a new
 * line at the reference's place among the metadata that is there.
 */
int keying_set(struct plan *p, const char *key, const char *value,
    struct error *err);
int keying_set_number(struct plan *p, const char *key, size_t value,
    struct error *err);

/* keying_set to a fresh random salt (base64 of 32 bytes). */
int keying_set_salt(struct plan *p, const char *key, struct error *err);

/* A fresh random salt as text in ${out}: 44 characters and a NUL. */
int keying_new_salt(char out[45], struct error *err);

/* keying_set SECRETS_CREATED_AT to now, in the form the reference writes. */
int keying_set_created(struct plan *p, struct error *err);

/* Plan ${data_key} wrapped under ${master}, and have apply prove it. */
int keying_set_wrapped(struct plan *p, const struct key *master,
    const struct key *data_key, struct error *err);

/**
 * keying_new_data_key(p, master, iterations, length, err):
 * Plan a first data key of ${length} bytes with all its metadata, and seal
 * under it from now on.
 */
int keying_new_data_key(struct plan *p, const struct key *master,
    size_t iterations, size_t length, struct error *err);

#endif /* !PLAN_KEYING_H */

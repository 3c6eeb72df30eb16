#ifndef SECRETS_RULES_H
#define SECRETS_RULES_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct jaas;

/* The rule of `file encrypt` without --config: "password" anywhere, any case. */
bool sensitive_by_default_rule(const char *key, size_t len);

/**
 * sensitive_key(key, len):
 * Is the key's value a secret?  The default rule, plus Kafka and Confluent
 * keys that hold secrets without that word.  Used for masking and marking.
 */
bool sensitive_key(const char *key, size_t len);

/*
 * Which keys hold secrets: the built-in rules (sensitive_key), with what the
 * user adds to them and takes out.  A pattern with wildcards (text.h) is held
 * against the whole key, any other is an ending of it; both in any ASCII
 * case, and without the backslashes of a path to a JSON value.  Wherever rules
 * are taken, NULL stands for the built-in ones alone.
 */
struct rules;

struct rules *rules_new(struct error *err);
void rules_free(struct rules *r);

/* Keys that are secrets in addition.  ERROR_MEMORY. */
int rules_add_secret(struct rules *r, const char *pattern, struct error *err);

/* Keys that are none, whatever the other rules say.  ERROR_MEMORY. */
int rules_add_public(struct rules *r, const char *pattern, struct error *err);

/* Is the key's value a secret?  For masking and marking. */
bool rules_sensitive(const struct rules *r, const char *key, size_t len);

/* Does `file encrypt` without --config take the key?  "password" in it, or
 * added by the user, and not taken out. */
bool rules_by_default(const struct rules *r, const char *key, size_t len);

/* Is option ${i} of the JAAS value of ${key} a secret?  By the option's name
 * (jaas.h); the user's patterns see it as <key>/<LoginModule>/<option>. */
bool rules_option(const struct rules *r, const struct jaas *j, size_t i,
    const char *key, size_t len);

/* Has the user added any? */
bool rules_has_secret(const struct rules *r);

#endif /* !SECRETS_RULES_H */

#ifndef SECRETS_RULES_H
#define SECRETS_RULES_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct jaas;

/*
 * What is a secret: by its key, by the built-in list (keys.h) with what the
 * user adds to it and takes out, and by the value itself (value.h).  A
 * pattern with wildcards (text.h) is held against the whole key, any other is
 * an ending of it; both in any ASCII case, and without the backslashes of a
 * path to a JSON value.  Wherever rules are taken, NULL stands for the
 * built-in ones alone.
 */
struct rules;

struct rules *rules_new(struct error *err);
void rules_free(struct rules *r);

/* Keys that are secrets in addition.  ERROR_MEMORY. */
int rules_add_secret(struct rules *r, const char *pattern, struct error *err);

/* Keys that are none, whatever the other rules say.  ERROR_MEMORY. */
int rules_add_public(struct rules *r, const char *pattern, struct error *err);

/* Is the key one of a secret? */
bool rules_sensitive(const struct rules *r, const char *key, size_t len);

/* The same into ${*sensitive}; false: the key says nothing of its values, not even that
 * some may be (KEY_HEADERS, KEY_PAIR). */
bool rules_tell(const struct rules *r, const char *key, size_t len, bool *sensitive);

/* Did the user say that the key is no secret? */
bool rules_public(const struct rules *r, const char *key, size_t len);

/* Does `file encrypt` without --config take the key?  "password" in it, as in
 * confluent secret, or added by the user, and not taken out; and the public
 * keys of Kafka that begin with the word (password.encoder.iterations) not. */
bool rules_by_default(const struct rules *r, const char *key, size_t len);

enum secret {
	SECRET_NONE,
	SECRET_ELSEWHERE,	/* the key of a secret: with nothing, or any program's reference */
	SECRET_PLACEHOLDER,	/* the key of a secret: with what is yet to be filled in */
	SECRET_CLEAR		/* a secret in clear text */
};

/* What the (decoded) value of the key is.  It may be of any length. */
enum secret rules_secret(const struct rules *r, const char *key, size_t len, const char *value,
    size_t n);

/* Is option ${i} of the JAAS value of ${key} a secret?  By the option's name
 * (jaas.h); the user's patterns see it as <key>/<LoginModule>/<option>. */
bool rules_option(const struct rules *r, const struct jaas *j, size_t i,
    const char *key, size_t len);

/* What the option's value is: never SECRET_NONE if rules_option; and as under any other key,
 * a URL with a password in it, say, is a secret whatever the option's name.  ${value}: the JAAS. */
enum secret rules_option_secret(const struct rules *r, const struct jaas *j, size_t i,
    const char *key, size_t len, const char *value);

/* Has the user added any? */
bool rules_has_secret(const struct rules *r);

#endif /* !SECRETS_RULES_H */

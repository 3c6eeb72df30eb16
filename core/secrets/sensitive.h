#ifndef SECRETS_SENSITIVE_H
#define SECRETS_SENSITIVE_H

#include <stdbool.h>
#include <stddef.h>

/* The rule of `file encrypt` without --config: "password" anywhere, any case. */
bool sensitive_by_default_rule(const char *key, size_t len);

/**
 * sensitive_key(key, len):
 * Is the key's value a secret?  The default rule, plus Kafka and Confluent
 * keys that hold secrets without that word.  Used for masking and marking.
 */
bool sensitive_key(const char *key, size_t len);

#endif /* !SECRETS_SENSITIVE_H */

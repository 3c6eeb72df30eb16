#ifndef SECRETS_REFERENCE_H
#define SECRETS_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct error;

/*
 * A configuration value that stands for another one:
 * ${provider:path:name} or ${provider:name} (Kafka, KIP-297), the whole value
 * and nothing else.  Ours is ${securepass:<remote path>:<basename>/<key>}.
 */
struct reference {
	const char *provider;
	size_t provider_len;
	const char *path;	/* NULL when there is none */
	size_t path_len;
	const char *name;
	size_t name_len;
};

#define REFERENCE_PROVIDER "securepass"
#define REFERENCE_PROVIDER_CLASS \
    "io.confluent.kafka.security.config.provider.SecurePassConfigProvider"

/* Take a value apart (pointers into it).  False: it is no reference. */
bool reference_parse(const char *value, size_t n, struct reference *out);

/* Is it one of ours (the securepass provider)? */
bool reference_is_ours(const struct reference *r);

/**
 * reference_append(out, remote, name, name_len, err):
 * Append ${securepass:<remote>:<name>}.  ERROR_REFUSED when Kafka could not
 * take it apart again: a `}` in either part, a `:` in the path, a line end.
 */
int reference_append(struct buf *out, const char *remote, const char *name,
    size_t name_len, struct error *err);

#endif /* !SECRETS_REFERENCE_H */

#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>

struct error;

/* Fill ${n} bytes from OpenSSL's private generator.  ERROR_CRYPTO. */
int random_bytes(void *out, size_t n, struct error *err);

#endif /* !CRYPTO_RANDOM_H */

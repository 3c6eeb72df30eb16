#ifndef CRYPTO_EQUAL_H
#define CRYPTO_EQUAL_H

#include <stdbool.h>
#include <stddef.h>

/* Compare in a time that depends on the lengths only. */
bool secret_equal(const void *a, size_t alen, const void *b, size_t blen);

#endif /* !CRYPTO_EQUAL_H */

#ifndef NEAR_H
#define NEAR_H

#include <stdbool.h>
#include <stddef.h>

/* Could ${typed} (${n} bytes) be meant for ${word}?  A beginning of it, or a
 * few letters wrong. */
bool near_word(const char *typed, size_t n, const char *word);

#endif /* !NEAR_H */

#ifndef NEAR_H
#define NEAR_H

#include <stdbool.h>
#include <stddef.h>

/* Could ${typed} (${n} bytes) be meant for ${word}?  A beginning of it, or a
 * few letters wrong. */
bool near_word(const char *typed, size_t n, const char *word);

/* How far apart they are; a larger number than for any near word if they are
 * not near. */
size_t near_distance(const char *typed, size_t n, const char *word);

#define NEAR_NOT 1000

#endif /* !NEAR_H */

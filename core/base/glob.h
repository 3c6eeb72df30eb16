#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Shell patterns over byte strings: `*` any run, `?` one character (UTF-8; a
 * byte that does not decode counts as one), `[a-z]`, `[!a-z]` one of a set of
 * ASCII characters, `\x` the character x itself.  A `[` without its `]` is
 * an ordinary character.  Time is at most the product of both lengths.
 */
#define GLOB_NOCASE 1U	/* ASCII letters match in either case */
#define GLOB_PATH 2U	/* `*`, `?` and sets do not match a `/` */

/* Does the pattern match all of the ${n} bytes? */
bool glob_match(const char *pattern, const void *text, size_t n, unsigned int flags);

/* Has it any of the special characters? */
bool glob_is_pattern(const char *pattern);

#endif /* !BASE_GLOB_H */

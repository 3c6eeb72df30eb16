#ifndef COMMON_ROLES_H
#define COMMON_ROLES_H

#include <stdbool.h>
#include <stddef.h>

struct error;

#define ROLES_TEXT_MAX ((size_t)4 << 20)

/**
 * roles_print(text, n, only, json, err):
 * Print what roles allow, out of a document as roles.json is one: a line for each, or the
 * document with ${json}.  ${only} (NULL: all): that role.  ERROR_MISSING: it is not in it;
 * ERROR_FORMAT: it is no such document.
 */
int roles_print(const void *text, size_t n, const char *only, bool json, struct error *err);

#endif /* !COMMON_ROLES_H */

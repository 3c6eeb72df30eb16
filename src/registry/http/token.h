#ifndef REGISTRY_HTTP_TOKEN_H
#define REGISTRY_HTTP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The small words of HTTP: RFC 9110 section 5.6 and RFC 3986 section 3.2. */

/* A token: one or more of the letters, digits and marks that names are made of. */
bool http_token_is_token(const char *s);

/* A field value: no control character but the tab. */
bool http_token_is_value(const char *s, size_t n);

/* HOST or HOST:PORT: a name, an IPv4 or a bracketed IPv6 address; not empty, no
 * user, no percent-escape. */
bool http_token_is_host(const char *s);

/* Digits alone, less than 2^63.  -1: anything else. */
int http_token_number(const char *s, uint64_t *out);

/* Is ${word} (any case) an element of the comma-separated list ${s}? */
bool http_token_in_list(const char *s, const char *word);

#endif /* !REGISTRY_HTTP_TOKEN_H */

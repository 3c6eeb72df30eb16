#ifndef REGISTRY_STORE_NAMES_H
#define REGISTRY_STORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What names may be (registry-contract 3.1). */
#define NAME_PATH_MAX 249
#define NAME_KEY_MAX 255
#define NAME_VERSION_MAX 2147483647U

/* A secret's names. */
struct secret_name {
	const char *path, *key;
	size_t path_len, key_len;
};

/* 1-249 bytes of UTF-8 without control characters, / : } * and blanks at the
 * ends; not . or .. */
bool name_path_valid(const char *s, size_t n);

/* [A-Za-z][A-Za-z0-9._-]{0,254} */
bool name_key_valid(const char *s, size_t n);

/* A decimal number without sign or leading zero, 1..NAME_VERSION_MAX. */
bool name_version_parse(const char *s, size_t n, uint32_t *version);

#endif /* !REGISTRY_STORE_NAMES_H */

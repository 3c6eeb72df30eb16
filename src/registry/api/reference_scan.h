#ifndef REGISTRY_API_REFERENCE_SCAN_H
#define REGISTRY_API_REFERENCE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * References in a config value, as Kafka's ConfigTransformer finds them:
 * ${provider:[path:]key}.  Provider and path hold no ':', nothing holds '}';
 * a "${" without ':' before the next '}' is none.
 */
struct reference {
	size_t begin, end;	/* in the text: "${" to behind "}" */
	const char *provider, *path, *key;	/* in the text, not terminated */
	size_t provider_len, path_len, key_len;
	bool has_path;
};

/* The next reference at ${from} or behind; false: there is none. */
bool reference_scan(const char *text, size_t n, size_t from, struct reference *out);

#endif /* !REGISTRY_API_REFERENCE_SCAN_H */

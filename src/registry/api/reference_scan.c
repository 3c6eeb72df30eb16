#include "registry/api/reference_scan.h"

#include <string.h>

/* Split what stands between the braces; false: it has no ':'. */
static bool
split(const char *inside, const char *end, struct reference *out)
{
	const char *colon = memchr(inside, ':', (size_t)(end - inside));
	const char *second;

	if (colon == NULL)
		return false;
	out->provider = inside;
	out->provider_len = (size_t)(colon - inside);
	second = memchr(colon + 1, ':', (size_t)(end - colon - 1));
	out->has_path = second != NULL;
	out->path = colon + 1;
	out->path_len = second != NULL ? (size_t)(second - colon - 1) : 0;
	out->key = (second != NULL ? second : colon) + 1;
	out->key_len = (size_t)(end - out->key);
	return true;
}

bool
reference_scan(const char *text, size_t n, size_t from, struct reference *out)
{
	const char *limit = text + n;
	const char *p = text + from;
	const char *end = NULL;

	while (p < limit && (p = memmem(p, (size_t)(limit - p), "${", 2)) != NULL) {
		/* The next '}' is looked for once, however many "${" are before it. */
		if (end == NULL || end < p + 2)
			end = memchr(p + 2, '}', (size_t)(limit - p - 2));
		if (end == NULL)
			return false;
		if (split(p + 2, end, out)) {
			out->begin = (size_t)(p - text);
			out->end = (size_t)(end + 1 - text);
			return true;
		}
		/* No ':' up to there: then there is none behind a later "${" either. */
		p = end + 1;
	}
	return false;
}

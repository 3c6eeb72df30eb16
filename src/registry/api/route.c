#include "registry/api/route.h"

#include <stdio.h>
#include <string.h>

static const char *const method_names[] = {
	[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
	[HTTP_OTHER] = "OTHER",
};

const char *
route_method_name(enum http_method method)
{
	return method_names[method];
}

static const struct {
	const char *text;
	enum param param;
} params[] = {
	{ "{path}", PARAM_PATH }, { "{name}", PARAM_PATH }, { "{key}", PARAM_KEY },
	{ "{version}", PARAM_VERSION }, { "{principal}", PARAM_PRINCIPAL },
	{ "{role}", PARAM_ROLE },
};

/* The parameter that a pattern's segment stands for. */
static enum param
param_of(const char *text, size_t n)
{
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		if (strlen(params[i].text) == n && memcmp(params[i].text, text, n) == 0)
			return params[i].param;
	}
	return PARAM_COUNT;
}

/* Does the target fit the pattern?  Both have the same number of segments. */
static bool
fits(const char *pattern, const struct target *t, struct target_segment *found)
{
	const char *p = pattern;

	for (size_t i = 0; i < t->count; i++) {
		const struct target_segment *s = &t->segments[i];
		const char *end = strchrnul(++p, '/');
		size_t n = (size_t)(end - p);

		if (*p != '{') {
			if (n != s->len || memcmp(p, s->text, n) != 0) {
				memset(found, 0, PARAM_COUNT * sizeof(*found));
				return false;
			}
		} else {
			enum param which = param_of(p, n);

			if (which != PARAM_COUNT)
				found[which] = *s;
		}
		p = end;
	}
	return true;
}

void
route_find(const struct target *t, enum http_method method, enum rest_compat compat,
    struct route_match *out)
{
	const char *pattern = NULL;
	size_t count = route_count();

	memset(out, 0, sizeof(*out));
	if (method == HTTP_HEAD)
		method = HTTP_GET;
	for (size_t i = 0; i < count; i++) {
		const struct endpoint *e = route_at(i);

		/* The methods of one pattern stand together in the table. */
		if (pattern != NULL && strcmp(pattern, e->pattern) != 0)
			return;
		if (pattern == NULL) {
			if (e->segments != t->count ||
			    ((e->flags & ROUTE_MREDJEM) != 0 && compat != REST_MREDJEM) ||
			    !fits(e->pattern, t, out->params))
				continue;
			pattern = e->pattern;
		}
		out->allowed |= 1U << e->method;
		if (e->method == method)
			out->endpoint = e;
	}
}

void
route_allow(unsigned allowed, char out[ROUTE_ALLOW_MAX])
{
	size_t n = 0;

	if (allowed & 1U << HTTP_GET)
		allowed |= 1U << HTTP_HEAD;
	allowed |= 1U << HTTP_OPTIONS;
	out[0] = '\0';
	for (int m = HTTP_GET; m <= HTTP_OPTIONS; m++) {
		if (allowed & 1U << m)
			n += (size_t)snprintf(out + n, ROUTE_ALLOW_MAX - n, "%s%s",
			    n > 0 ? ", " : "", method_names[m]);
	}
}

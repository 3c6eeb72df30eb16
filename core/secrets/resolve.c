#include "secrets/resolve.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "secrets/secrets_file.h"

bool
resolve_next(const char *value, size_t n, size_t from, struct reference *out, size_t *start,
    size_t *end)
{
	const char *p, *brace, *colon, *stop = value + n;

	while (from < n && (p = memmem(value + from, n - from, "${", 2)) != NULL) {
		if ((brace = memchr(p, '}', (size_t)(stop - p))) == NULL)
			return false;
		colon = memchr(p, ':', (size_t)(brace - p));
		/* Without a colon before the brace, no later ${ before it has one. */
		from = (size_t)(brace - value) + 1;
		if (colon == NULL)
			continue;
		memset(out, 0, sizeof(*out));
		out->provider = p + 2;
		out->provider_len = (size_t)(colon - out->provider);
		out->name = colon + 1;
		colon = memchr(out->name, ':', (size_t)(brace - out->name));
		if (colon != NULL) {
			out->path = out->name;
			out->path_len = (size_t)(colon - out->path);
			out->name = colon + 1;
		}
		out->name_len = (size_t)(brace - out->name);
		*start = (size_t)(p - value);
		*end = (size_t)(brace - value) + 1;
		return true;
	}
	return false;
}

size_t
resolve_entry(const struct secrets_file *s, const struct reference *r)
{
	size_t i = secrets_file_find(s, r->name, r->name_len);
	struct buf bare;

	if (i != DOCUMENT_NONE || memchr(r->name, '\\', r->name_len) == NULL)
		return i;
	buf_init(&bare, r->name_len + 1);
	for (size_t k = 0; k < r->name_len; k++)
		if (r->name[k] != '\\')
			buf_append_char(&bare, r->name[k]);
	if (buf_check(&bare, NULL) == 0)
		i = secrets_file_find(s, (const char *)bare.data, bare.len);
	buf_release(&bare);
	return i;
}

static int
dangling(const struct secrets_file *s, const struct reference *r, struct error *err)
{
	error_set(err, ERROR_MISSING, "dangling reference: the secrets file has no such entry");
	error_place(err, secrets_file_path(s), 0);
	error_key(err, r->name, r->name_len);
	return error_hint(err, "restore the entry from a backup, or set the value anew with "
	    "`propseal file update`");
}

bool
resolve_is_for(const struct resolver *more, const struct reference *r)
{
	return more != NULL && strlen(more->provider) == r->provider_len &&
	    memcmp(more->provider, r->provider, r->provider_len) == 0;
}

static int
no_secrets_file(const struct reference *r, struct error *err)
{
	error_set(err, ERROR_MISSING, "a reference needs a secrets file, and none was given");
	error_key(err, r->name, r->name_len);
	return error_hint(err, "give --local-secrets-file FILE");
}

int
resolve_value(const struct secrets_file *s, const struct resolver *more, const char *value,
    size_t n, struct buf *out, size_t *others, struct error *err)
{
	struct reference r;
	size_t done = 0, start, end, entry;

	if (others != NULL)
		*others = 0;
	while (resolve_next(value, n, done, &r, &start, &end)) {
		buf_append(out, value + done, start - done);
		done = end;
		if (resolve_is_for(more, &r)) {
			if (more->value(more->cookie, &r, out, err) != 0)
				return -1;
			continue;
		}
		if (!reference_is_ours(&r)) {
			buf_append(out, value + start, end - start);
			if (others != NULL)
				++*others;
			continue;
		}
		if (s == NULL)
			return no_secrets_file(&r, err);
		if ((entry = resolve_entry(s, &r)) == DOCUMENT_NONE)
			return dangling(s, &r, err);
		if (secrets_file_open(s, entry, out, err) != 0)
			return -1;
	}
	if (n > done)
		buf_append(out, value + done, n - done);
	return buf_check(out, err);
}

#include "secrets/reference.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"

bool
reference_parse(const char *value, size_t n, struct reference *out)
{
	const char *p, *end, *colon;

	/* The length first: an empty buffer's value is no pointer to count from. */
	if (n < 4 || memcmp(value, "${", 2) != 0 || value[n - 1] != '}' ||
	    memchr(value, '\n', n) != NULL)
		return false;
	p = value + 2;
	end = value + n - 1;
	if ((colon = memchr(p, ':', (size_t)(end - p))) == NULL)
		return false;
	memset(out, 0, sizeof(*out));
	out->provider = p;
	out->provider_len = (size_t)(colon - p);
	p = colon + 1;
	if ((colon = memchr(p, ':', (size_t)(end - p))) != NULL) {
		out->path = p;
		out->path_len = (size_t)(colon - p);
		p = colon + 1;
	}
	out->name = p;
	out->name_len = (size_t)(end - p);
	return true;
}

bool
reference_is_ours(const struct reference *r)
{
	return r->provider_len == sizeof(REFERENCE_PROVIDER) - 1 &&
	    memcmp(r->provider, REFERENCE_PROVIDER, r->provider_len) == 0;
}

int
reference_append(struct buf *out, const char *remote, const char *name, size_t name_len,
    struct error *err)
{
	if (strpbrk(remote, ":}\r\n") != NULL) {
		error_set(err, ERROR_REFUSED,
		    "the remote path of the secrets file has a `:`, a `}` or a line end");
		return error_hint(err, "Kafka could not resolve such a reference: "
		    "choose another path for --remote-secrets-file");
	}
	if (memchr(name, '}', name_len) != NULL || memchr(name, '\n', name_len) != NULL ||
	    memchr(name, '\r', name_len) != NULL) {
		error_set(err, ERROR_REFUSED, "the key has a `}` or a line end in it");
		error_key(err, name, name_len);
		return error_hint(err, "Kafka could not resolve a reference to it: rename the key");
	}
	buf_append_str(out, "${" REFERENCE_PROVIDER ":");
	buf_append_str(out, remote);
	buf_append_char(out, ':');
	buf_append(out, name, name_len);
	buf_append_char(out, '}');
	return buf_check(out, err);
}

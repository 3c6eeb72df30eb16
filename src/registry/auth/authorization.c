#include "registry/auth/authorization.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "crypto/base64.h"

void
authorization_parse(const char *header, struct authorization *out)
{
	size_t word;

	*out = (struct authorization){ AUTHORIZATION_NONE, "", 0 };
	if (header == NULL)
		return;
	header += strspn(header, " \t");
	if (*header == '\0')
		return;
	word = strcspn(header, " \t");
	out->text = header + word + strspn(header + word, " \t");
	out->n = strlen(out->text);
	while (out->n > 0 && strchr(" \t", out->text[out->n - 1]) != NULL)
		out->n--;
	if (word == 5 && strncasecmp(header, "Basic", word) == 0)
		out->scheme = AUTHORIZATION_BASIC;
	else if (word == 6 && strncasecmp(header, "Bearer", word) == 0)
		out->scheme = AUTHORIZATION_BEARER;
	else
		out->scheme = AUTHORIZATION_OTHER;
}

bool
authorization_basic(const struct authorization *a, char name[PRINCIPAL_MAX],
    struct buf *password)
{
	const unsigned char *colon;
	size_t n;
	struct buf both;
	bool good = false;

	buf_init_secret(&both, a->n + 4);
	if (a->n == 0 || base64_decode(&both, a->text, a->n) != 0 || both.len == 0)
		goto out;
	colon = memchr(both.data, ':', both.len);
	if (colon == NULL)
		goto out;
	n = (size_t)(colon - both.data);
	if (!principal_normalise((const char *)both.data, n, name))
		goto out;
	buf_append(password, colon + 1, both.len - n - 1);
	good = !password->failed;
out:
	buf_release(&both);
	return good;
}

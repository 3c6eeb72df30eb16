#include <string.h>

#include "base/text.h"
#include "document/document.h"
#include "secrets/keys.h"
#include "secrets/member.h"

/* How many entries before and behind a `value` its name is looked for. */
#define PAIR_REACH 8

size_t
member_last_name(const char *path, size_t len)
{
	size_t at = len;

	while (at > 0 && !(path[at - 1] == '.' && (at < 2 || path[at - 2] != '\\')))
		at--;
	return at;
}

bool
member_bears_value(const char *name, size_t len, const char *parent, size_t parent_len)
{
	static const char *const names[] = { "value", "plaintext", "plainText", "plain",
		"cleartext", "clearText", "literal", "inline", "default" };
	enum key_class class;

	if (!text_is_one_of(name, len, names, sizeof(names) / sizeof(names[0])))
		return false;
	class = key_class(parent, parent_len);
	return class == KEY_SECRET || class == KEY_MATERIAL;
}

/* Of { NAME: { "value": ... } }, or of an element of such a list. */
static bool
member_name_around(const char *path, size_t len, const char **name, size_t *name_len)
{
	size_t at = member_last_name(path, len), around;

	while (at > 1 && at < len && ascii_is_digit(path[at])) {
		len = at - 1;
		at = member_last_name(path, len);
	}
	if (at < 2)
		return false;
	around = member_last_name(path, at - 1);
	*name = path + around;
	*name_len = at - 1 - around;
	return member_bears_value(path + at, len - at, *name, *name_len);
}

/* Is the last name of the path, which begins at ${at}, ${word} behind the same ${stem} letters? */
static bool
member_is_beside(const char *path, size_t len, size_t at, size_t stem, const char *word)
{
	const size_t n = strlen(word);

	return len == at + stem + n && text_contains_nocase(path + at + stem, n, word);
}

/* The value of the pair at ${path}, whose last name begins at ${at}: the name beside it. */
static bool
member_name_of_pair(const struct document *d, size_t i, const char *path, size_t len, size_t at,
    const char **name, size_t *name_len)
{
	static const char word[] = "value";
	const size_t n = sizeof(word) - 1, stem = len - at - n;
	size_t k = i > PAIR_REACH ? i - PAIR_REACH : 0, other_len, raw_len;
	const char *other, *raw;

	if (len - at < n || !text_contains_nocase(path + len - n, n, word))
		return false;
	for (; k < document_count(d) && k <= i + PAIR_REACH; k++) {
		other = document_key(d, k, &other_len);
		if (other_len < at + stem || memcmp(other, path, at + stem) != 0 ||
		    (!member_is_beside(other, other_len, at, stem, "name") &&
		    !member_is_beside(other, other_len, at, stem, "key")))
			continue;
		raw = (const char *)document_raw_value(d, k, &raw_len);
		*name = raw + 1;
		*name_len = raw_len - 2;
		return raw_len > 2 && raw[0] == '"';
	}
	return false;
}

/* The element of a list behind one that is `--NAME` and nothing else. */
static bool
member_name_of_option(const struct document *d, size_t i, const char *path, size_t at,
    const char **name, size_t *name_len)
{
	size_t n, before_at;
	const char *p;

	if (i == 0 || !ascii_is_digit(path[at]))
		return false;
	p = document_key(d, i - 1, &n);
	before_at = member_last_name(p, n);
	if (before_at != at || memcmp(p, path, at) != 0 || n == at || !ascii_is_digit(p[at]))
		return false;
	p = (const char *)document_raw_value(d, i - 1, &n);
	if (n < 6 || memcmp(p, "\"--", 3) != 0)
		return false;
	*name = p + 3;
	*name_len = n - 4;
	return key_class(*name, *name_len) == KEY_SECRET;
}

bool
member_name(const struct document *d, size_t i, const char **name, size_t *len)
{
	const char *path, *found;
	size_t n, at, found_len;

	/* Only there keys are paths. */
	if (document_format(d)->escape == '\0')
		return false;
	path = document_key(d, i, &n);
	at = member_last_name(path, n);
	if (!member_name_around(path, n, &found, &found_len) &&
	    !member_name_of_pair(d, i, path, n, at, &found, &found_len) &&
	    (at == n || !member_name_of_option(d, i, path, at, &found, &found_len)))
		return false;
	*name = found;
	*len = found_len;
	return true;
}

#include "registry/api/condition.h"

#include <string.h>

#include "registry/store/names.h"

static const char blanks[] = " \t";

/* The next tag of the list at ${p}: its text and length, and whether it is
 * weak.  Where the list goes on, or NULL at its end or where it is malformed. */
static const char *
next_tag(const char *p, const char **tag, size_t *n, bool *weak)
{
	const char *end;

	p += strspn(p, " \t,");
	*weak = strncmp(p, "W/", 2) == 0;
	if (*weak)
		p += 2;
	if (*p != '"')
		return NULL;
	end = strchr(++p, '"');
	if (end == NULL)
		return NULL;
	*tag = p;
	*n = (size_t)(end - p);
	return end + 1;
}

bool
condition_is_any(const char *header)
{
	header += strspn(header, blanks);
	return *header == '*' && header[1 + strspn(header + 1, blanks)] == '\0';
}

bool
condition_names(const char *header, uint32_t version, bool weak)
{
	const char *p = header, *tag = NULL;
	size_t n = 0;
	bool is_weak = false;

	if (condition_is_any(header))
		return true;
	while ((p = next_tag(p, &tag, &n, &is_weak)) != NULL) {
		uint32_t number;

		if ((weak || !is_weak) && name_version_parse(tag, n, &number) && number == version)
			return true;
	}
	return false;
}

bool
condition_is_one(const char *header, uint32_t *version)
{
	const char *tag = NULL, *rest;
	size_t n = 0;
	bool weak = false;

	rest = next_tag(header, &tag, &n, &weak);
	if (rest == NULL || weak || rest[strspn(rest, blanks)] != '\0')
		return false;
	if (!name_version_parse(tag, n, version))
		*version = 0;
	return true;
}

#include "plan/configuration.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "secrets/reference.h"

struct configuration *
configuration_load(const char *path, struct error *err)
{
	enum document_format format;
	struct configuration *c;
	struct buf content;

	buf_init_secret(&content, BUF_MAX_FILE);
	if ((c = calloc(1, sizeof(*c))) == NULL || (c->path = strdup(path)) == NULL) {
		error_memory(err);
		goto fail;
	}
	c->base = file_basename(c->path);
	if (!document_format_of(path, &format)) {
		error_set(err, ERROR_REFUSED, "unsupported file format");
		error_place(err, path, 0);
		error_hint(err, "the name of a configuration file ends in .properties or .json");
		goto fail;
	}
	if (file_read(path, &content, &c->id, err) != 0)
		goto fail;
	if ((c->doc = document_parse(&content, format, path, err)) == NULL)
		goto fail;
	if (document_problem(c->doc, err) != 0)
		goto fail;
	buf_release(&content);
	return c;
fail:
	buf_release(&content);
	configuration_free(c);
	return NULL;
}

void
configuration_free(struct configuration *c)
{
	if (c == NULL)
		return;
	vec_release(&c->borrowers);
	document_free(c->doc);
	free(c->path);
	free(c);
}

/* The entry name in our reference at entry ${i}; false: it is none of ours. */
static bool
name_at(const struct configuration *c, size_t i, struct buf *value, struct reference *r)
{
	const unsigned char *raw;
	size_t n;

	raw = document_raw_value(c->doc, i, &n);
	if (n == 0 || (raw[0] != '$' && raw[0] != '\\') || document_shadowed(c->doc, i))
		return false;
	buf_clear(value);
	return document_value(c->doc, i, value, NULL) == 0 &&
	    reference_parse((const char *)value->data, value->len, r) && reference_is_ours(r);
}

/* Is the name <base name>/<another key than entry i's>? */
static bool
is_borrowed(const struct configuration *c, size_t i, const struct reference *r)
{
	size_t base = strlen(c->base), len;
	const char *key;

	key = document_key(c->doc, i, &len);
	if (r->name_len <= base || memcmp(r->name, c->base, base) != 0 || r->name[base] != '/')
		return false;
	return r->name_len != base + 1 + len || memcmp(r->name + base + 1, key, len) != 0;
}

/* Once a configuration, as there are next to none and removing asks for each key. */
static int
look(struct configuration *c, struct buf *value, struct error *err)
{
	struct reference r;
	size_t *slot;

	vec_init(&c->borrowers, sizeof(size_t), SIZE_MAX);
	for (size_t i = 0; i < document_count(c->doc); i++) {
		if (!name_at(c, i, value, &r) || !is_borrowed(c, i, &r))
			continue;
		if ((slot = vec_push(&c->borrowers)) == NULL) {
			vec_release(&c->borrowers);
			return error_memory(err);
		}
		*slot = i;
	}
	c->looked = true;
	return 0;
}

int
configuration_borrower(struct configuration *c, const char *name, size_t len, size_t *entry,
    struct error *err)
{
	struct reference r;
	struct buf value;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	*entry = DOCUMENT_NONE;
	if (!c->looked)
		rc = look(c, &value, err);
	for (size_t k = 0; rc == 0 && k < c->borrowers.len && *entry == DOCUMENT_NONE; k++) {
		size_t i = *(size_t *)vec_at(&c->borrowers, k);

		if (name_at(c, i, &value, &r) && r.name_len == len &&
		    memcmp(r.name, name, len) == 0)
			*entry = i;
	}
	buf_release(&value);
	return rc;
}

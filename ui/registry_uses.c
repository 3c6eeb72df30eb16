#include "ui/registry_uses.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "document/document.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "secrets/resolve.h"
#include "ui/registry_names.h"

#define PROVIDER "secret"	/* what a Connect worker calls the registry's provider */
#define NAME "name"		/* of a connector, in its configuration */
#define USES_MAX 1000000

void
registry_uses_init(struct registry_uses *u)
{
	memset(u, 0, sizeof(*u));
	vec_init(&u->list, sizeof(struct registry_use), USES_MAX);
}

void
registry_uses_restart(struct registry_uses *u)
{
	struct registry_use *use;
	size_t i;

	for (i = 0; i < u->list.len; i++) {
		use = vec_at(&u->list, i);
		free(use->path);
		free(use->key);
		free(use->file);
		free(use->entry);
	}
	u->list.len = 0;
	u->next = 0;
	u->done = false;
}

void
registry_uses_release(struct registry_uses *u)
{
	registry_uses_restart(u);
	vec_release(&u->list);
}

/* A copy of bytes that no NUL ends, which may lie at the end of their memory. */
static char *
copy(const char *bytes, size_t n)
{
	char *text = malloc(n + 1);

	if (text == NULL)
		return NULL;
	memcpy(text, bytes, n);
	text[n] = '\0';
	return text;
}

/* One that is not there yet, or NULL. */
static struct registry_use *
add(struct registry_uses *u, const struct reference *r, const struct document *d, size_t i)
{
	struct registry_use *use = vec_push(&u->list);
	const char *key;
	size_t len;

	if (use == NULL)
		return NULL;
	key = document_key(d, i, &len);
	use->path = copy(r->path, r->path_len);
	use->key = copy(r->name, r->name_len);
	use->file = strdup(document_file(d));
	use->line = document_line(d, i);
	use->entry = copy(key, len);
	use->entry_len = len;
	/* registry_uses_restart frees what there is. */
	return use->path == NULL || use->key == NULL || use->file == NULL ||
	    use->entry == NULL ? NULL : use;
}

static int
count(struct registry_names *names, const struct registry_use *use)
{
	struct registry_path *p = registry_path_get(names, use->path);
	struct registry_key *k = p != NULL ? registry_key_get(p, use->key) : NULL;

	if (k == NULL)
		return -1;
	p->uses++;
	k->uses++;
	return 0;
}

/* Is the connector of this file, if it is one, called like the path? */
static bool
is_misplaced(const struct document *d, const struct registry_use *use)
{
	size_t i = document_find(d, NAME, strlen(NAME));

	return i != DOCUMENT_NONE && !document_value_is(d, i, use->path, strlen(use->path));
}

/* The references in one value. */
static int
read_value(struct registry_uses *u, const struct document *d, size_t i,
    const struct buf *value, struct registry_names *names)
{
	const char *text = (const char *)value->data;
	struct registry_use *use;
	struct reference r;
	size_t from = 0;
	size_t start, end;

	while (resolve_next(text, value->len, from, &r, &start, &end)) {
		from = end;
		if (r.provider_len != strlen(PROVIDER) || r.path == NULL || r.path_len == 0 ||
		    memcmp(r.provider, PROVIDER, r.provider_len) != 0)
			continue;
		use = add(u, &r, d, i);
		if (use == NULL || count(names, use) == -1)
			return -1;
		use->misplaced = is_misplaced(d, use);
	}
	return 0;
}

static int
read_document(struct registry_uses *u, const struct document *d, struct registry_names *names)
{
	const struct buf *bytes = document_bytes(d);
	const unsigned char *raw;
	struct buf value;
	size_t i, len;
	int rc = 0;

	if (memmem(bytes->data, bytes->len, PROVIDER, strlen(PROVIDER)) == NULL)
		return 0;
	buf_init_secret(&value, BUF_MAX_FILE);
	for (i = 0; rc == 0 && i < document_count(d); i++) {
		raw = document_raw_value(d, i, &len);
		if (document_shadowed(d, i) || memmem(raw, len, PROVIDER, strlen(PROVIDER)) == NULL)
			continue;
		buf_clear(&value);
		if (document_value(d, i, &value, NULL) == 0)
			rc = read_value(u, d, i, &value, names);
	}
	buf_release(&value);
	return rc;
}

int
registry_uses_step(struct registry_uses *u, const struct estate *e,
    struct registry_names *names, struct error *err)
{
	const struct estate_file *f;
	struct configuration *c;
	int rc = 0;

	if (u->next >= estate_count(e)) {
		u->done = true;
		return 0;
	}
	f = estate_file(e, u->next++);
	if (f->is_secrets_file || f->problem != NULL ||
	    (c = configuration_load(f->path, NULL)) == NULL)
		return 0;
	rc = read_document(u, c->doc, names);
	configuration_free(c);
	return rc == 0 ? 0 : error_memory(err);
}

static bool
is_of(const struct registry_use *use, const char *path, const char *key)
{
	return strcmp(use->path, path) == 0 && (key == NULL || strcmp(use->key, key) == 0);
}

size_t
registry_uses_count(const struct registry_uses *u, const char *path, const char *key)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < u->list.len; i++)
		n += is_of(vec_at(&u->list, i), path, key);
	return n;
}

const struct registry_use *
registry_uses_find(const struct registry_uses *u, const char *path, const char *key,
    size_t nth)
{
	size_t i;

	for (i = 0; i < u->list.len; i++)
		if (is_of(vec_at(&u->list, i), path, key) && nth-- == 0)
			return vec_at(&u->list, i);
	return NULL;
}

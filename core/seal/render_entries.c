#include "seal/render_entries.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "document/document.h"
#include "document/properties.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/render.h"

/* All names of one file; each is at most three times as long as its key. */
#define NAMES_MAX ((size_t)UINT32_MAX)

/* One run of render_entries. */
struct rendering {
	struct plan *p;
	const struct configuration *c;
	const struct document *d;	/* its own, or that of the resolved text */
	enum render_form form;
	struct buf *out;
	struct buf value;	/* of the entry at hand */
	struct buf names;	/* ENV: of all so far */
	struct map *owners;	/* ENV: the entry of each name */
	size_t count;
};

static int
fail(const struct rendering *r, size_t i, const char *text, const char *hint, struct error *err)
{
	const char *key;
	size_t len;

	key = document_key(r->d, i, &len);
	error_set(err, ERROR_REFUSED, "%s", text);
	error_place(err, r->c->path, document_line(r->d, i));
	error_key(err, key, len);
	return error_hint(err, "%s", hint);
}

static void
append_name(struct buf *out, const char *key, size_t len)
{
	if (len == 0 || (key[0] >= '0' && key[0] <= '9'))
		buf_append_char(out, '_');
	for (size_t k = 0; k < len; k++) {
		char c = key[k];

		if (c >= 'a' && c <= 'z')
			buf_append_char(out, (char)(c - 'a' + 'A'));
		else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
			buf_append_char(out, c);
		else
			buf_append_str(out, c == '-' ? "__" : c == '_' ? "___" : "_");
	}
}

/*
 * Make the name of entry ${i} and claim it.  The map keeps pointers, so room
 * for all names and for a key that is asked for twice is there from the start.
 */
static int
claim_name(struct rendering *r, size_t i, size_t *start, struct error *err)
{
	const char *key;
	size_t len, owner;
	struct error first;

	key = document_key(r->d, i, &len);
	*start = r->names.len;
	append_name(&r->names, key, len);
	if (buf_check(&r->names, err) != 0)
		return -1;
	len = r->names.len - *start;
	if (!map_get(r->owners, r->names.data + *start, len, &owner))
		return map_put(r->owners, r->names.data + *start, len, i) == 0 ? 0 :
		    error_memory(err);
	if (owner == i)
		return fail(r, i, "this key is asked for twice", "name it once", err);
	key = document_key(r->d, owner, &len);
	error_key(&first, key, len);
	fail(r, i, "two keys get the same name", "", err);
	return error_hint(err, "%s gets it too: choose keys with --config, or use --format json",
	    first.key);
}

static size_t
names_size(const struct document *d)
{
	size_t total = 0, len;

	for (size_t i = 0; i < document_count(d); i++) {
		(void)document_key(d, i, &len);
		total += 3 * len + 1;
	}
	return total;
}

/* For a POSIX shell all is literal between single quotes, but for those. */
static int
append_env(struct rendering *r, size_t i, struct error *err)
{
	const char *p = (const char *)r->value.data, *quote;
	size_t n = r->value.len, start, len;

	if (n > 0 && memchr(p, '\0', n) != NULL)
		return fail(r, i, "the value has a NUL, which no variable can hold",
		    "use --format json", err);
	if (claim_name(r, i, &start, err) != 0)
		return -1;
	buf_append(r->out, r->names.data + start, r->names.len - start);
	buf_append_str(r->out, "='");
	while (n > 0 && (quote = memchr(p, '\'', n)) != NULL) {
		len = (size_t)(quote - p);
		buf_append(r->out, p, len);
		buf_append_str(r->out, "'\\''");
		p += len + 1;
		n -= len + 1;
	}
	buf_append(r->out, p, n);
	buf_append_str(r->out, "'\n");
	return 0;
}

/* Half a surrogate pair, from a lone \uD800 escape, is one again in JSON. */
static bool
fits_json(const unsigned char *p, size_t n)
{
	uint32_t cp;
	size_t len;

	for (; n > 0; p += len, n -= len) {
		len = text_utf8_decode(p, n, &cp);
		if (len == 0 && n >= 3 && p[0] == 0xed && p[1] >= 0xa0 && p[1] <= 0xbf &&
		    p[2] >= 0x80 && p[2] <= 0xbf)
			len = 3;
		if (len == 0)
			return false;
	}
	return true;
}

static int
append_json(struct rendering *r, size_t i, struct error *err)
{
	const char *key;
	size_t len;

	key = document_key(r->d, i, &len);
	/* Another byte in a password is another password. */
	if (!fits_json(r->value.data, r->value.len))
		return fail(r, i, "the value is no UTF-8, and JSON holds nothing else",
		    "use --format properties", err);
	buf_append_str(r->out, r->count == 0 ? "{" : ",");
	text_append_json(r->out, key, len);
	buf_append_char(r->out, ':');
	text_append_json(r->out, r->value.data, r->value.len);
	return 0;
}

static int
append_entry(struct rendering *r, size_t i, struct error *err)
{
	const char *key;
	size_t len;
	int rc = 0;

	buf_clear(&r->value);
	if (r->d != r->c->doc ? document_value(r->d, i, &r->value, err) != 0 :
	    render_value(r->p, r->c, i, &r->value, err) != 0)
		return -1;
	switch (r->form) {
	case RENDER_PROPERTIES:
		key = document_key(r->d, i, &len);
		properties_append_key(r->out, key, len);
		buf_append_char(r->out, '=');
		properties_append_value(r->out, r->value.data, r->value.len);
		buf_append_char(r->out, '\n');
		break;
	case RENDER_JSON:
		rc = append_json(r, i, err);
		break;
	case RENDER_ENV:
		rc = append_env(r, i, err);
		break;
	}
	r->count++;
	return rc;
}

static int
not_there(const struct configuration *c, const char *key, size_t len, struct error *err)
{
	error_set(err, ERROR_MISSING, "this configuration key is not present in the file");
	error_place(err, c->path, 0);
	error_key(err, key, len);
	return error_hint(err, "`propseal file show %s` lists the keys", c->path);
}

/* All entries are those of the resolved file, in which no provider is left over. */
static struct document *
resolve_all(struct plan *p, const struct configuration *c, struct error *err)
{
	struct document *d = NULL;
	struct buf text;

	buf_init_secret(&text, BUF_MAX_FILE);
	if (render_document(p, c, RENDER_PROGRAM, &text, err) == 0)
		d = document_parse(&text, document_format(c->doc), c->path, err);
	buf_release(&text);
	return d;
}

int
render_entries(struct plan *p, const struct configuration *c, enum render_form form,
    const char *const keys[], const size_t lens[], size_t n, struct buf *out, struct error *err)
{
	struct rendering r = { .p = p, .c = c, .d = c->doc, .form = form, .out = out };
	struct document *resolved = NULL;
	int rc = 0;
	size_t i;

	if (n == 0 && (r.d = resolved = resolve_all(p, c, err)) == NULL)
		return -1;
	buf_init_secret(&r.value, BUF_MAX_FILE);
	buf_init(&r.names, NAMES_MAX);
	if ((r.owners = map_new()) == NULL ||
	    (form == RENDER_ENV && buf_reserve(&r.names, 2 * names_size(r.d) + 1) != 0))
		rc = error_memory(err);
	for (size_t k = 0; k < n && rc == 0; k++) {
		i = document_find(c->doc, keys[k], lens[k]);
		if (i == DOCUMENT_NONE)
			rc = not_there(c, keys[k], lens[k], err);
		else if (document_is_container(r.d, i))
			rc = fail(&r, i, "this is an object or array and not one value",
			    "name what is in it", err);
		else
			rc = append_entry(&r, i, err);
	}
	for (i = 0; n == 0 && i < document_count(r.d) && rc == 0; i++)
		if (!document_shadowed(r.d, i))
			rc = append_entry(&r, i, err);
	if (rc == 0 && form == RENDER_JSON)
		buf_append_str(out, r.count == 0 ? "{}\n" : "}\n");
	map_free(r.owners);
	buf_release(&r.names);
	buf_release(&r.value);
	document_free(resolved);
	return rc != 0 ? -1 : buf_check(out, err);
}

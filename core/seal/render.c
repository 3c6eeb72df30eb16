#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/edits.h"
#include "document/jaas.h"
#include "document/properties.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/provider.h"
#include "seal/render.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

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
	const char *prefix;	/* ENV */
	struct buf names;	/* ENV: of all so far */
	struct map *owners;	/* ENV: the entry of each name */
	size_t count;
};

/* One run of render_opened; the buffers are used again for every entry. */
struct unsealer {
	const struct configuration *c;
	const struct secrets_file *s;
	bool any_name;
	struct buf value;	/* as it stands in the configuration */
	struct buf plain;	/* opened */
	struct buf *out;
};

static void
note_entry(struct plan *p, const struct configuration *c, size_t i, const char *what)
{
	const char *key;
	size_t len;

	key = document_key(c->doc, i, &len);
	plan_note_key(p, c->path, document_line(c->doc, i), key, len, what);
}

/* A dangling reference, or one that a resolver refuses, is a fault of the line
 * that has it. */
static int
at_line(const struct plan *p, const struct configuration *c, size_t i, struct error *err)
{
	struct error why;
	const char *key;
	size_t len;

	if (err == NULL)
		return -1;
	key = document_key(c->doc, i, &len);
	if (err->code != ERROR_MISSING || plan_secrets(p) == NULL || err->file[0] == '\0') {
		if (err->file[0] != '\0')
			return -1;
		error_place(err, c->path, document_line(c->doc, i));
		return error_key(err, key, len);
	}
	why = *err;
	error_set(err, ERROR_MISSING, "%s", why.text);
	error_place(err, c->path, document_line(c->doc, i));
	error_key(err, key, len);
	return error_hint(err, "restore the entry %s in %s from a backup, or set the value anew "
	    "with `propseal file update`", why.key, secrets_file_path(plan_secrets(p)));
}

/*
 * render_value, with the number of references to other providers.  The value
 * as it stands goes to ${raw}, which is emptied first.
 */
static int
render_resolve(struct plan *p, const struct configuration *c, size_t i, struct buf *raw,
    struct buf *out, size_t *others, struct error *err)
{
	struct error why;

	*others = 0;
	buf_clear(raw);
	if (document_value(c->doc, i, raw, err) != 0)
		return -1;
	if (resolve_value(plan_secrets(p), plan_resolver(p), (const char *)raw->data, raw->len,
	    out, others, &why) == 0)
		return 0;
	at_line(p, c, i, &why);
	if (err != NULL)
		*err = why;
	return -1;
}

int
render_value(struct plan *p, const struct configuration *c, size_t i, struct buf *out,
    struct error *err)
{
	struct buf raw;
	size_t others;
	int rc;

	if (!reference_may_be_in(c->doc, i))
		return document_value(c->doc, i, out, err);
	buf_init_secret(&raw, BUF_MAX_FILE);
	rc = render_resolve(p, c, i, &raw, out, &others, err);
	buf_release(&raw);
	if (rc == 0 && others > 0)
		note_entry(p, c, i, "refers to another provider, which only the service can "
		    "ask: that reference stays");
	return rc;
}

/* Put what each of our references stands for in its place, and touch no more. */
static int
render_splice(const struct plan *p, const struct buf *raw, struct edits *e, size_t i,
    struct error *err)
{
	const struct secrets_file *s = plan_secrets(p);
	const struct resolver *more = plan_resolver(p), *its;
	const char *value = (const char *)raw->data;
	struct reference r;
	struct buf plain;
	size_t start, end = 0;
	int rc = 0;

	buf_init_secret(&plain, BUF_MAX_FILE);
	while (rc == 0 && resolve_next(value, raw->len, end, &r, &start, &end)) {
		buf_clear(&plain);
		if ((its = resolver_for(more, &r)) != NULL)
			rc = its->value(its->cookie, &r, &plain, err);
		else if (reference_is_ours(&r))
			rc = secrets_file_open(s, resolve_entry(s, &r), &plain, err);
		else
			continue;
		if (rc == 0)
			rc = edits_splice(e, i, start, end, plain.data, plain.len, NULL, err);
	}
	buf_release(&plain);
	return rc;
}

/* Make the edits that give entry ${i}, which is ${raw}, the resolved ${value}. */
static int
set_resolved(const struct plan *p, size_t i, struct edits *e, const struct buf *raw,
    const struct buf *value, struct error *err)
{
	struct reference r;

	if (reference_parse((const char *)raw->data, raw->len, &r) &&
	    memchr(raw->data, '}', raw->len - 1) == NULL)
		return edits_set(e, i, value->data, value->len, err);
	return render_splice(p, raw, e, i, err);
}

/* Resolve entry ${i} as an edit.  1: it was, 0: it stays as it is. */
static int
resolve_entry_in(struct plan *p, const struct configuration *c, size_t i, enum render_reader reader,
    struct edits *e, struct buf *raw, struct buf *value, struct error *err)
{
	struct error why;
	bool shadowed = document_shadowed(c->doc, i);
	size_t others;
	char text[sizeof(why.text) + 80];

	buf_clear(value);
	if (render_resolve(p, c, i, raw, value, &others, &why) != 0) {
		if (why.code != ERROR_MISSING && why.code != ERROR_DAMAGED)
			goto fail;
		/* Nobody reads a line that a later one of its key hides. */
		if (shadowed)
			return 0;
		if (reader == RENDER_PROGRAM)
			goto fail;
		snprintf(text, sizeof(text), "stays a reference: %s", why.text);
		note_entry(p, c, i, text);
		return 0;
	}
	if (others > 0 && !shadowed && reader == RENDER_PROGRAM)
		note_entry(p, c, i, "refers to another provider, which only the service can "
		    "ask: that reference stays");
	if (document_value_is(c->doc, i, (const char *)value->data, value->len))
		return 0;
	return set_resolved(p, i, e, raw, value, err) == 0 ? 1 : -1;
fail:
	if (err != NULL)
		*err = why;
	return -1;
}

int
render_document(struct plan *p, const struct configuration *c, enum render_reader reader,
    struct buf *out, struct error *err)
{
	struct edits *e = edits_new(c->doc, true, err);
	bool resolved = false;
	struct buf raw, value;
	int rc = 0;

	if (e == NULL)
		return -1;
	buf_init_secret(&raw, BUF_MAX_FILE);
	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(c->doc) && rc >= 0; i++) {
		if (!reference_may_be_in(c->doc, i))
			continue;
		rc = resolve_entry_in(p, c, i, reader, e, &raw, &value, err);
		resolved = resolved || rc == 1;
	}
	if (rc >= 0 && resolved && reader == RENDER_PROGRAM)
		rc = provider_remove_from(e, err);
	if (rc >= 0)
		rc = edits_render(e, out, err);
	if (rc == 0 && !resolved && reader == RENDER_PROGRAM)
		plan_note(p, "%s: nothing to resolve: no value refers to a sealed entry", c->path);
	buf_release(&value);
	buf_release(&raw);
	edits_free(e);
	return rc < 0 ? -1 : 0;
}

/* True: an image reads the same key back. */
static bool
render_entries_append_name(struct buf *out, const char *prefix, const char *key, size_t len)
{
	bool same = true, joint = true;	/* nothing but a letter or digit goes before */

	buf_append_str(out, prefix);
	if (prefix[0] == '\0' && (len == 0 || ascii_is_digit(key[0])))
		buf_append_char(out, '_');
	for (size_t k = 0; k < len; k++) {
		char c = key[k];

		if (ascii_is_lower(c) || ascii_is_digit(c)) {
			buf_append_char(out, c >= 'a' ? (char)(c - 'a' + 'A') : c);
			joint = false;
			continue;
		}
		if (ascii_is_upper(c))
			buf_append_char(out, c);
		else
			buf_append_str(out, c == '_' ? "__" : c == '-' ? "___" : "_");
		/* Two in a row run together, and there are no other characters. */
		same = same && !joint && (c == '.' || c == '_' || c == '-');
		joint = true;
	}
	return same && !joint;
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
	if (!render_entries_append_name(&r->names, r->prefix, key, len) && r->prefix[0] != '\0')
		plan_note_key(r->p, r->c->path, document_line(r->d, i), key, len,
		    "is read back as another key: the images know lower case, digits and "
		    "single . _ - only");
	if (buf_check(&r->names, err) != 0)
		return -1;
	len = r->names.len - *start;
	if (!map_get(r->owners, r->names.data + *start, len, &owner))
		return map_put(r->owners, r->names.data + *start, len, i) == 0 ? 0 :
		    error_memory(err);
	if (owner == i)
		return configuration_refuse(r->c->path, r->d, i, "this key is asked for twice",
		    "name it once", err);
	key = document_key(r->d, owner, &len);
	error_key(&first, key, len);
	configuration_refuse(r->c->path, r->d, i, "two keys get the same name", "", err);
	return error_hint(err, "%s gets it too: choose keys with --config, or use --format json",
	    first.key);
}

static size_t
names_size(const struct document *d, const char *prefix)
{
	size_t total = 0, len;

	for (size_t i = 0; i < document_count(d); i++) {
		(void)document_key(d, i, &len);
		total += 3 * len + 1 + strlen(prefix);
	}
	return total;
}

/* For a POSIX shell all is literal between single quotes, but for those. */
static int
append_env(struct rendering *r, size_t i, struct error *err)
{
	const char *p = (const char *)r->value.data;
	size_t n = r->value.len, start;

	if (n > 0 && memchr(p, '\0', n) != NULL)
		return configuration_refuse(r->c->path, r->d, i,
		    "the value has a NUL, which no variable can hold",
		    "use --format json", err);
	if (claim_name(r, i, &start, err) != 0)
		return -1;
	buf_append(r->out, r->names.data + start, r->names.len - start);
	buf_append_char(r->out, '=');
	text_append_shell(r->out, p, n);
	buf_append_char(r->out, '\n');
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
render_entries_append_json(struct rendering *r, size_t i, struct error *err)
{
	const char *key;
	size_t len;

	key = document_key(r->d, i, &len);
	/* Another byte in a password is another password. */
	if (!fits_json(r->value.data, r->value.len))
		return configuration_refuse(r->c->path, r->d, i,
		    "the value is no UTF-8, and JSON holds nothing else",
		    "use --format properties", err);
	buf_append_str(r->out, r->count == 0 ? "{" : ",");
	text_append_json(r->out, key, len);
	buf_append_char(r->out, ':');
	text_append_json(r->out, r->value.data, r->value.len);
	return 0;
}

static int
render_entries_append_entry(struct rendering *r, size_t i, struct error *err)
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
		rc = render_entries_append_json(r, i, err);
		break;
	case RENDER_ENV:
		rc = append_env(r, i, err);
		break;
	}
	r->count++;
	return rc;
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
    const char *prefix, const char *const keys[], const size_t lens[], size_t n, struct buf *out,
    struct error *err)
{
	struct rendering r = { .p = p, .c = c, .d = c->doc, .form = form, .prefix = prefix,
		.out = out };
	struct document *resolved = NULL;
	int rc = 0;
	size_t i;

	if (n == 0 && (r.d = resolved = resolve_all(p, c, err)) == NULL)
		return -1;
	buf_init_secret(&r.value, BUF_MAX_FILE);
	buf_init(&r.names, NAMES_MAX);
	if ((r.owners = map_new()) == NULL ||
	    (form == RENDER_ENV && buf_reserve(&r.names, 2 * names_size(r.d, prefix) + 1) != 0))
		rc = error_memory(err);
	for (size_t k = 0; k < n && rc == 0; k++) {
		i = document_find(c->doc, keys[k], lens[k]);
		if (i == DOCUMENT_NONE)
			rc = configuration_fail_missing(c, keys[k], lens[k], err);
		else if (document_is_container(r.d, i))
			rc = configuration_refuse(r.c->path, r.d, i,
			    "this is an object or array and not one value",
			    "name what is in it", err);
		else
			rc = render_entries_append_entry(&r, i, err);
	}
	for (i = 0; n == 0 && i < document_count(r.d) && rc == 0; i++)
		if (!document_shadowed(r.d, i))
			rc = render_entries_append_entry(&r, i, err);
	if (rc == 0 && form == RENDER_JSON)
		buf_append_str(out, r.count == 0 ? "{}\n" : "}\n");
	map_free(r.owners);
	buf_release(&r.names);
	buf_release(&r.value);
	document_free(resolved);
	return rc != 0 ? -1 : buf_check(out, err);
}

static void
append_opened(struct buf *out, const char *key, size_t len, const struct buf *value)
{
	properties_append_key(out, key, len);
	buf_append_str(out, " = ");
	properties_append_value(out, value->data, value->len);
	buf_append_char(out, '\n');
}

/* Open what reference ${r} of entry ${i} stands for into u->plain. */
static int
open_reference(struct unsealer *u, size_t i, const struct reference *r, struct error *err)
{
	const struct configuration *c = u->c;
	size_t entry, base = strlen(c->base), len;
	const char *key;

	key = document_key(c->doc, i, &len);
	if (!u->any_name && (r->name_len <= base || memcmp(r->name, c->base, base) != 0 ||
	    r->name[base] != '/')) {
		configuration_fail(c, i, key, len, ERROR_MISSING,
		    "the reference names a sealed entry of "
		    "another configuration file", err);
		return error_hint(err, "was the file renamed or copied? --any-name opens it all "
		    "the same");
	}
	entry = resolve_entry(u->s, r);
	if (entry == DOCUMENT_NONE) {
		configuration_fail(c, i, key, len, ERROR_MISSING,
		    "dangling reference: the secrets file has no "
		    "such entry", err);
		return error_hint(err, "restore the entry in %s from a backup, or set the value "
		    "anew with `propseal file update`", secrets_file_path(u->s));
	}
	return secrets_file_open(u->s, entry, &u->plain, err);
}

/*
 * Append what references inside the value of entry ${i} stand for, such as in
 * a JAAS value: each under the key of its sealed entry.  How many in ${*count}.
 */
static int
append_embedded(struct unsealer *u, size_t i, size_t *count, struct error *err)
{
	size_t at = 0, start;
	struct reference r;
	const char *slash;

	*count = 0;
	while (resolve_next((const char *)u->value.data, u->value.len, at, &r, &start, &at)) {
		if (!reference_is_ours(&r) || (slash = memchr(r.name, '/', r.name_len)) == NULL)
			continue;
		buf_clear(&u->plain);
		if (open_reference(u, i, &r, err) != 0)
			return -1;
		append_opened(u->out, slash + 1, (size_t)(r.name +
		    r.name_len - slash - 1),
		    &u->plain);
		++*count;
	}
	return 0;
}

/* Append entry ${i}; ${asked}: by name, so a plain value is written too. */
static int
append_opened_entry(struct unsealer *u, size_t i, bool asked, struct error *err)
{
	struct reference r;
	const char *key;
	size_t len, count;

	key = document_key(u->c->doc, i, &len);
	buf_clear(&u->value);
	buf_clear(&u->plain);
	if (document_value(u->c->doc, i, &u->value, err) != 0)
		return -1;
	if (!reference_parse((const char *)u->value.data, u->value.len, &r)) {
		if (append_embedded(u, i, &count, err) != 0)
			return -1;
		if (asked && count == 0)
			append_opened(u->out, key, len, &u->value);
	} else if (reference_is_ours(&r)) {
		if (open_reference(u, i, &r, err) != 0)
			return -1;
		append_opened(u->out, key, len, &u->plain);
	} else if (asked) {
		configuration_fail(u->c, i, key, len, ERROR_MISSING,
		    "the value is a reference to another provider", err);
		return error_hint(err, "only that provider can resolve it");
	}
	return buf_check(u->out, err);
}

/* Append option t->option of a JAAS value. */
static int
append_option(struct unsealer *u, const struct target *t, const char *key, size_t len,
    struct error *err)
{
	struct jaas_option x = jaas_option(t->jaas, t->option);
	struct reference r;

	buf_clear(&u->plain);
	if (!reference_parse((const char *)t->value.data + x.inner_from,
	    x.inner_to - x.inner_from, &r)) {
		buf_append(&u->plain, t->value.data + x.from, x.to - x.from);
	} else if (reference_is_ours(&r)) {
		if (open_reference(u, t->entry, &r, err) != 0)
			return -1;
	} else {
		configuration_fail(u->c, t->entry, key, len, ERROR_MISSING,
		    "the value is a reference to another provider", err);
		return error_hint(err, "only that provider can resolve it");
	}
	append_opened(u->out, key, len, &u->plain);
	return buf_check(u->out, err);
}

/* A key with wildcards: every entry that it names. */
static int
append_opened_each(struct unsealer *u, const char *key, size_t len, struct error *err)
{
	struct vec entries;
	int rc;

	vec_init(&entries, sizeof(size_t), SIZE_MAX / sizeof(size_t));
	rc = document_expand(u->c->doc, key, len, &entries, err);
	if (rc == 0 && entries.len == 0)
		rc = configuration_fail_missing(u->c, key, len, err);
	for (size_t k = 0; rc == 0 && k < entries.len; k++)
		rc = append_opened_entry(u, *(size_t *)vec_at(&entries, k), true, err);
	vec_release(&entries);
	return rc;
}

/* What was asked for by name: an entry, or an option of one. */
static int
append_opened_key(struct unsealer *u, const char *key, size_t len, struct error *err)
{
	struct target t;
	int rc;

	target_init(&t);
	rc = target_find(u->c->doc, key, len, &t, err);
	if (rc == 0 && t.kind == TARGET_ENTRY) {
		rc = append_opened_entry(u, t.entry, true, err);
	} else if (rc == 0 && t.kind == TARGET_OPTION) {
		rc = append_option(u, &t, key, len, err);
	} else if (rc == 0) {
		rc = append_opened_each(u, key, len, err);
	}
	target_release(&t);
	return rc;
}

int
render_opened(const struct configuration *c, const struct secrets_file *s, const char *const keys[],
    const size_t key_lens[], size_t n, bool any_name, struct buf *out, struct error *err)
{
	struct unsealer u = { .c = c, .s = s, .any_name = any_name, .out = out };
	int rc = 0;

	buf_init_secret(&u.value, BUF_MAX_FILE);
	buf_init_secret(&u.plain, BUF_MAX_FILE);
	for (size_t k = 0; k < n && rc == 0; k++)
		rc = append_opened_key(&u, keys[k], key_lens[k], err);
	for (size_t i = 0; n == 0 && i < document_count(c->doc) && rc == 0; i++)
		if (!document_shadowed(c->doc, i))
			rc = append_opened_entry(&u, i, false, err);
	buf_release(&u.plain);
	buf_release(&u.value);
	return rc;
}

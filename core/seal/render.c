#include "seal/render.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/provider.h"
#include "secrets/resolve.h"
#include "secrets/secrets_file.h"

/* A note's key is cut after this many bytes. */
#define NOTE_KEY_MAX 200

static void
note_entry(struct plan *p, const struct configuration *c, size_t i, const char *what)
{
	struct buf shown;
	const char *key;
	size_t len;

	key = document_key(c->doc, i, &len);
	buf_init(&shown, 8 * NOTE_KEY_MAX);
	text_append_visible(&shown, key, len > NOTE_KEY_MAX ? NOTE_KEY_MAX : len);
	plan_note(p, "%s:%zu: %s %s", c->path, document_line(c->doc, i), buf_cstr(&shown), what);
	buf_release(&shown);
}

/* Could the value hold a reference?  Most hold no dollar, however it is written. */
static bool
may_refer(const struct document *d, size_t i)
{
	const unsigned char *raw;
	size_t n;

	raw = document_raw_value(d, i, &n);
	return n > 0 && (memchr(raw, '$', n) != NULL || memchr(raw, '\\', n) != NULL);
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
resolve(struct plan *p, const struct configuration *c, size_t i, struct buf *raw,
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

	if (!may_refer(c->doc, i))
		return document_value(c->doc, i, out, err);
	buf_init_secret(&raw, BUF_MAX_FILE);
	rc = resolve(p, c, i, &raw, out, &others, err);
	buf_release(&raw);
	if (rc == 0 && others > 0)
		note_entry(p, c, i, "refers to another provider, which only the service can "
		    "ask: that reference stays");
	return rc;
}

/* Put what each of our references stands for in its place, and touch no more. */
static int
splice(const struct plan *p, const struct buf *raw, struct edits *e, size_t i, struct error *err)
{
	const struct secrets_file *s = plan_secrets(p);
	const struct resolver *more = plan_resolver(p);
	const char *value = (const char *)raw->data;
	struct reference r;
	struct buf plain;
	size_t start, end = 0;
	int rc = 0;

	buf_init_secret(&plain, BUF_MAX_FILE);
	while (rc == 0 && resolve_next(value, raw->len, end, &r, &start, &end)) {
		buf_clear(&plain);
		if (resolve_is_for(more, &r))
			rc = more->value(more->cookie, &r, &plain, err);
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
	return splice(p, raw, e, i, err);
}

/* Resolve entry ${i} as an edit.  1: it was, 0: it stays as it is. */
static int
resolve_entry_in(struct plan *p, const struct configuration *c, size_t i,
    enum render_reader reader, struct edits *e, struct buf *raw, struct buf *value,
    struct error *err)
{
	struct error why;
	bool shadowed = document_shadowed(c->doc, i);
	size_t others;
	char text[sizeof(why.text) + 80];

	buf_clear(value);
	if (resolve(p, c, i, raw, value, &others, &why) != 0) {
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
		if (!may_refer(c->doc, i))
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

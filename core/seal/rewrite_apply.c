#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/rewrite_state.h"
#include "seal/rewrite_value.h"
#include "seal/seal.h"
#include "plan/sealed_entry.h"
#include "secrets/resolve.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"

/* A note's key is cut after this many bytes. */
#define NOTE_KEY_MAX 200

int
rewrite_fail_at(const struct rewriting *r, size_t i, struct error *err)
{
	const char *key;
	size_t len;

	if (err == NULL || err->file[0] != '\0')
		return -1;
	key = document_key(r->edited, i, &len);
	error_place(err, r->c->path, document_line(r->edited, i));
	return error_key(err, key, len);
}

static const struct rewrite_part *
part_at(const struct rewriting *r, size_t k)
{
	return vec_at(&r->parts, k);
}

/* Mark what entry ${i} will overwrite.  1: something new was marked. */
static int
mark(struct rewriting *r, size_t i, struct error *err)
{
	enum rewrite_verdict verdict;
	const char *key;
	size_t len, t;
	bool was_sealed;
	int new = 0;

	if (rewrite_decide(r, i, &verdict, &was_sealed, err) != 0)
		return -1;
	if (verdict == REWRITE_AS_EDITED)
		return 0;
	for (size_t k = 0; verdict == REWRITE_RESTORE && k < r->parts.len; k++) {
		t = part_at(r, k)->entry;
		if (!part_at(r, k)->changed || t == DOCUMENT_NONE)
			continue;
		if ((r->flags[t] & REWRITE_CHANGED) == 0)
			new = 1;
		r->flags[t] |= REWRITE_CHANGED;
	}
	if (verdict == REWRITE_RESTORE)
		return new;
	key = document_key(r->edited, i, &len);
	if (rewrite_own_name(r, key, len, err) != 0)
		return -1;
	t = rewrite_find_own(r);
	if (t == DOCUMENT_NONE || (r->flags[t] & REWRITE_CHANGED) != 0 ||
	    rewrite_holds(r, t, r->value.data, r->value.len))
		return new;
	r->flags[t] |= REWRITE_CHANGED;
	return 1;
}

int
rewrite_mark_changed(struct rewriting *r, struct error *err)
{
	bool again = true;
	int rc;

	/* Where every key has its own entry, none has to wait for another. */
	while (r->shared && again) {
		again = false;
		for (size_t i = 0; i < document_count(r->edited); i++) {
			if (document_shadowed(r->edited, i))
				continue;
			if ((rc = mark(r, i, err)) == -1)
				return -1;
			again |= rc == 1;
		}
	}
	return 0;
}

/* Put the references of an entry that has more than them in their places. */
static int
splice(struct rewriting *r, size_t i, struct error *err)
{
	const struct rewrite_part *part;
	struct reference ref;
	struct buf text;
	int rc = 0;

	buf_init(&text, BUF_MAX_FILE);
	for (size_t k = 0; k < r->parts.len && rc == 0; k++) {
		part = part_at(r, k);
		if (part->changed && reference_parse((const char *)r->value.data + part->start,
		    part->end - part->start, &ref))
			continue;
		buf_clear(&text);
		rewrite_append_reference(r, part, &text);
		if ((rc = buf_check(&text, err)) == 0)
			rc = edits_splice(r->e, i, part->start, part->end, text.data, text.len,
			    NULL, err);
	}
	buf_release(&text);
	return rc;
}

/* Give the entry and the lines that it hides the value r->text. */
static int
put(struct rewriting *r, size_t i, bool restored, struct error *err)
{
	const char *text = (const char *)r->text.data;

	if (restored && !rewrite_is_whole(r)) {
		if (splice(r, i, err) != 0)
			return -1;
		i = document_previous(r->edited, i);
	}
	for (; i != DOCUMENT_NONE; i = document_previous(r->edited, i)) {
		if (document_value_is(r->edited, i, text, r->text.len))
			continue;
		if (edits_set(r->e, i, text, r->text.len, err) != 0)
			return -1;
	}
	return 0;
}

/* What the new text refers to is not removed. */
static void
mark_used(struct rewriting *r)
{
	struct reference ref;
	size_t start, end = 0, t;

	while (resolve_next((const char *)r->text.data, r->text.len, end, &ref, &start, &end)) {
		if (!reference_is_ours(&ref))
			continue;
		if ((t = resolve_entry(r->s, &ref)) != DOCUMENT_NONE)
			r->flags[t] |= REWRITE_USED;
	}
}

static void
note(struct rewriting *r, const struct document *d, size_t i, size_t line, const char *what)
{
	struct buf shown;
	const char *key;
	size_t len;

	key = document_key(d, i, &len);
	buf_init(&shown, 8 * NOTE_KEY_MAX);
	text_append_visible(&shown, key, len > NOTE_KEY_MAX ? NOTE_KEY_MAX : len);
	if (line > 0)
		plan_note(r->p, "%s:%zu: %s %s", r->c->path, line, buf_cstr(&shown), what);
	else
		plan_note(r->p, "%s: %s %s", secrets_file_path(r->s), buf_cstr(&shown), what);
	buf_release(&shown);
}

/* A secret that a person wrote in clear text where clear text was. */
static void
note_clear(struct rewriting *r, size_t i)
{
	const char *key;
	size_t len, old;

	key = document_key(r->edited, i, &len);
	old = document_find(r->c->doc, key, len);
	if (old == DOCUMENT_NONE || rewrite_refers(&r->value) ||
	    !rules_by_default(r->o->rules, key, len) || document_value_is(r->c->doc, old,
	    (const char *)r->value.data, r->value.len))
		return;
	note(r, r->edited, i, document_line(r->edited, i), "stays in clear text, as it was; "
	    "`propseal file encrypt` seals it");
}

int
rewrite_apply(struct rewriting *r, size_t i, struct error *err)
{
	enum rewrite_verdict verdict;
	bool was_sealed;
	int rc = 0;

	if (rewrite_decide(r, i, &verdict, &was_sealed, err) != 0)
		return -1;
	buf_clear(&r->text);
	switch (verdict) {
	case REWRITE_AS_EDITED:
		buf_append(&r->text, r->value.data, r->value.len);
		rc = buf_check(&r->text, err);
		note_clear(r, i);
		break;
	case REWRITE_RESTORE:
		rc = rewrite_restore(r, i, err);
		break;
	case REWRITE_SEAL:
		if (was_sealed && r->parts.len > 1)
			note(r, r->edited, i, document_line(r->edited, i), "is sealed as a whole");
		rc = rewrite_seal(r, i, was_sealed, err);
		break;
	}
	if (rc != 0)
		return rewrite_fail_at(r, i, err);
	mark_used(r);
	if (verdict == REWRITE_AS_EDITED && !was_sealed)
		return 0;
	return put(r, i, verdict == REWRITE_RESTORE, err);
}

int
rewrite_remove_unused(struct rewriting *r, struct error *err)
{
	const struct document *d = secrets_file_document(r->s);
	const char *name;
	size_t base = strlen(r->c->base), count, len;

	for (size_t t = 0; t < document_count(d); t++) {
		if ((r->flags[t] & (REWRITE_OLD | REWRITE_USED)) != REWRITE_OLD)
			continue;
		name = document_key(d, t, &len);
		if (len <= base || memcmp(name, r->c->base, base) != 0 || name[base] != '/') {
			note(r, d, t, 0, "is an entry of another name, which stays");
			continue;
		}
		if (sealed_entry_remove(r->p, name, len, &count, err) != 0)
			return -1;
		plan_set_order(r->p, true);
	}
	return 0;
}

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/provider.h"
#include "seal/rewrite_internal.h"
#include "seal/seal.h"
#include "secrets/inspect.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"

#define PARTS_MAX ((size_t)1 << 24)

/*
 * Some changes of JSON cannot be said as edits (edits.h), such as an element
 * of an array that is gone.  They are made all the same, by the whole text.
 */
static int
unless_refused(int rc, bool *complete, struct error *why, struct error *err)
{
	if (rc == 0)
		return 0;
	if (why->code != ERROR_REFUSED && why->code != ERROR_EXISTS && why->code != ERROR_USAGE) {
		if (err != NULL)
			*err = *why;
		return -1;
	}
	*complete = false;
	return 0;
}

static int
show_new(struct edits *e, const struct document *old, const struct document *new, size_t i,
    struct buf *value, bool *complete, struct error *err)
{
	struct error why;
	const char *key;
	size_t len, j;
	int rc;

	key = document_key(new, i, &len);
	j = document_find(old, key, len);
	buf_clear(value);
	if (document_value(new, i, value, err) != 0)
		return -1;
	if (j == DOCUMENT_NONE)
		rc = edits_insert(e, DOCUMENT_NONE, key, len, value->data, value->len, &why);
	else if (!document_value_is(old, j, (const char *)value->data, value->len))
		rc = edits_set(e, j, value->data, value->len, &why);
	else
		return 0;
	return unless_refused(rc, complete, &why, err);
}

static int
show_gone(struct edits *e, const struct document *old, const struct document *new, size_t j,
    bool *complete, struct error *err)
{
	struct error why;
	const char *key;
	size_t len, i;

	key = document_key(old, j, &len);
	i = document_find(new, key, len);
	if (i != DOCUMENT_NONE && !document_is_container(new, i))
		return 0;
	for (; j != DOCUMENT_NONE; j = document_previous(old, j))
		if (unless_refused(edits_remove(e, j, &why), complete, &why, err) != 0)
			return -1;
	return 0;
}

/* Do the edits make exactly the new text? */
static int
compare_shown(const struct edits *e, const struct document *new, bool *complete, struct error *err)
{
	struct error why;
	struct buf text;
	int rc;

	buf_init_secret(&text, BUF_MAX_FILE);
	rc = unless_refused(edits_render(e, &text, &why), complete, &why, err);
	if (rc == 0 && !buf_equal(&text, document_bytes(new)))
		*complete = false;
	buf_release(&text);
	return rc;
}

/**
 * rewrite_shown(old, new, complete, err):
 * Edits of ${old} that give the entries of ${new}, for a diff.  ${*complete}
 * is false when more than entries changes: comments, order, spacing.
 */
static struct edits *
rewrite_shown(const struct document *old, const struct document *new, bool *complete,
    struct error *err)
{
	struct edits *e = edits_new(old, true, err);
	struct buf value;
	int rc = e == NULL ? -1 : 0;

	*complete = true;
	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(new) && rc == 0; i++)
		if (!document_shadowed(new, i))
			rc = show_new(e, old, new, i, &value, complete, err);
	for (size_t j = 0; j < document_count(old) && rc == 0; j++)
		if (!document_shadowed(old, j))
			rc = show_gone(e, old, new, j, complete, err);
	if (rc == 0)
		rc = compare_shown(e, new, complete, err);
	buf_release(&value);
	if (rc == 0)
		return e;
	edits_free(e);
	return NULL;
}

/*
 * A person who takes a line out by making it a comment would leave its value
 * in the file for all to read.  So what stands behind comment signs is read
 * as entries once, and a value that was sealed is refused.
 */

/* The comment on the line at ${p}: what stands behind its signs.  False: it is none. */
static bool
comment_of(const unsigned char *p, size_t n, size_t *start)
{
	size_t i = 0;

	while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\f'))
		i++;
	if (i == n || (p[i] != '#' && p[i] != '!'))
		return false;
	while (i < n && (p[i] == '#' || p[i] == '!' || p[i] == ' ' || p[i] == '\t'))
		i++;
	*start = i;
	return true;
}

/* Comments of the bytes from ${at} up to ${end}, which belong to no entry. */
static int
collect_comments(const struct rewriting *r, size_t at, size_t end, size_t *line, struct buf *text,
    struct vec *lines, struct error *err)
{
	const struct buf *bytes = document_bytes(r->edited);
	size_t stop, start, *slot;

	for (; at < end; at = stop + 1, ++*line) {
		for (stop = at; stop < end && bytes->data[stop] != '\n' &&
		    bytes->data[stop] != '\r'; stop++)
			;
		if (comment_of(bytes->data + at, stop - at, &start)) {
			if ((slot = vec_push(lines)) == NULL)
				return error_memory(err);
			*slot = *line;
			buf_append(text, bytes->data + at + start, stop - at - start);
			buf_append_char(text, '\n');
		}
		if (stop + 1 < end && bytes->data[stop] == '\r' && bytes->data[stop + 1] == '\n')
			stop++;
	}
	return buf_check(text, err);
}

/* All comments of the edited file, a line each, and where they stand. */
static int
read_comments(const struct rewriting *r, struct buf *text, struct vec *lines, struct error *err)
{
	const struct document *d = r->edited;
	size_t at = 0, line = 1, start, end;

	for (size_t i = 0; i < document_count(d); i++) {
		document_span(d, i, &start, &end);
		if (collect_comments(r, at, start, &line, text, lines, err) != 0)
			return -1;
		for (at = start; at < end; at++)
			line += document_bytes(d)->data[at] == '\n' ||
			    (document_bytes(d)->data[at] == '\r' && (at + 1 == end ||
			    document_bytes(d)->data[at + 1] != '\n'));
		at = end;
	}
	return collect_comments(r, at, document_bytes(d)->len, &line, text, lines, err);
}

static int
refuse_comment(const struct rewriting *r, size_t from, size_t line, struct error *err)
{
	const char *key;
	size_t len;

	key = document_key(r->c->doc, from, &len);
	error_set(err, ERROR_REFUSED, "this comment holds a value that was sealed until now");
	error_place(err, r->c->path, line);
	error_key(err, key, len);
	return error_hint(err, "take the value out of the comment: comments are written in clear "
	    "text");
}

/* Refuse comments that have a value that was sealed. */
static int
rewrite_check_comments(struct rewriting *r, struct error *err)
{
	struct document *d = NULL;
	struct buf text, value;
	const struct buf *before = document_bytes(r->c->doc);
	struct vec lines;
	size_t from, line;
	int rc = 0;

	if (!document_format(r->edited)->comments || r->digest_count == 0)
		return 0;
	buf_init_secret(&text, BUF_MAX_FILE);
	buf_init_secret(&value, BUF_MAX_FILE);
	vec_init(&lines, sizeof(size_t), BUF_MAX_FILE);
	if (read_comments(r, &text, &lines, err) != 0 || (d = document_parse(&text,
	    document_format(r->edited), r->c->path, err)) == NULL)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		buf_clear(&value);
		if ((rc = document_value(d, i, &value, err)) != 0 ||
		    (rc = rewrite_find_known(r, value.data, value.len, &from, err)) != 0 ||
		    from == DOCUMENT_NONE)
			continue;
		/* One that was in the file before gives nothing new away. */
		if (memmem(before->data, before->len, value.data, value.len) != NULL)
			continue;
		line = document_line(d, i);
		rc = refuse_comment(r, from,
		    line <= lines.len ? *(size_t *)vec_at(&lines, line - 1) : 0, err);
	}
	document_free(d);
	vec_release(&lines);
	buf_release(&value);
	buf_release(&text);
	return rc;
}

static const struct rewrite_part *
rewrite_part_at(const struct rewriting *r, size_t k)
{
	return vec_at(&r->parts, k);
}

/* Is the old value one reference and nothing else? */
static bool
rewrite_is_whole(const struct rewriting *r)
{
	const struct rewrite_part *part;

	if (r->parts.len != 1)
		return false;
	part = rewrite_part_at(r, 0);
	return !part->fresh && part->ref_start == 0 && part->ref_end == r->raw.len;
}

static size_t
rewrite_find_own(const struct rewriting *r)
{
	return secrets_file_find(r->s, (const char *)r->name.data, r->name.len);
}

/* Plan the sealed entry ${name}, which is ${t} or new. */
static int
store(struct rewriting *r, size_t t, const char *name, size_t len, const void *value, size_t n,
    struct error *err)
{
	r->sealed = true;
	if (t != DOCUMENT_NONE && secrets_file_holds(r->s, t, value, n))
		return 0;
	if (t != DOCUMENT_NONE && (r->flags[t] & REWRITE_OLD) == 0 && !r->o->replace)
		return seal_name_is_taken(r->s, t, err);
	if (plan_cipher(r->p) == NULL && seal_prepare(r->p, r->master, err) != 0)
		return -1;
	if (plan_seal(r->p, t, name, len, r->o->cipher, value, n, err) != 0)
		return -1;
	plan_set_order(r->p, false);
	return 0;
}

/* In JSON two keys may be spelt so that their sealed entries have one name. */
static int
claim_rewritten(struct rewriting *r, size_t i, const char *name, size_t len, struct error *err)
{
	const char *key;
	size_t n;
	int first;

	if (document_format(r->edited)->escape == '\0')
		return 0;
	key = document_key(r->edited, i, &n);
	if (rewrite_own(r, key, n, name, len) == 0)
		return 0;
	first = plan_first(r->p, "rewritten", "", name, len, err);
	if (first != 0)
		return first == 1 ? 0 : -1;
	error_set(err, ERROR_EXISTS, "another key of this file has the same name in the secrets "
	    "file");
	return error_hint(err, "rename one of the two");
}

/*
 * The name of the sealed entry of a part: as the secrets file has it, since a
 * reference may spell it otherwise, or as it will be.
 */
static const char *
part_name(const struct rewriting *r, const struct rewrite_part *part, size_t *len)
{
	struct reference ref;
	const char *text;
	size_t n;

	if (part->entry != DOCUMENT_NONE)
		return document_key(secrets_file_document(r->s), part->entry, len);
	text = rewrite_reference(r, part, &n);
	(void)reference_parse(text, n, &ref);
	*len = ref.name_len;
	return ref.name;
}

/* Append the reference of a part, as it must stand in the text. */
static void
rewrite_append_reference(const struct rewriting *r, const struct rewrite_part *part,
    struct buf *out)
{
	const char *text;
	size_t len;

	text = rewrite_reference(r, part, &len);
	buf_append(out, text, len);
	if (part->tight)
		buf_append_char(out, ' ');
}

/* Seal what a part became. */
static int
seal_part(struct rewriting *r, size_t i, const struct rewrite_part *part, struct error *err)
{
	const char *name;
	size_t len;

	if (seal_check_value(r->c->path, r->edited, i, &r->value, err) != 0)
		return -1;
	name = part_name(r, part, &len);
	return claim_rewritten(r, i, name, len, err) != 0 ? -1 : store(r, part->entry, name, len,
	    r->value.data + part->start, part->end - part->start, err);
}

static int
rewrite_restore(struct rewriting *r, size_t i, struct error *err)
{
	const struct rewrite_part *part;
	struct reference ref;
	const char *now;
	size_t done = 0, n;

	for (size_t k = 0; k < r->parts.len; k++) {
		part = rewrite_part_at(r, k);
		now = (const char *)r->value.data + part->start;
		n = part->end - part->start;
		buf_append(&r->text, r->value.data + done, part->start - done);
		done = part->end;
		if (part->changed && reference_parse(now, n, &ref)) {
			buf_append(&r->text, now, n);
			continue;
		}
		if (part->changed && seal_part(r, i, part, err) != 0)
			return -1;
		rewrite_append_reference(r, part, &r->text);
	}
	if (r->value.len > done)
		buf_append(&r->text, r->value.data + done, r->value.len - done);
	return buf_check(&r->text, err);
}

/* Make r->text what entry ${i} will hold, and plan what is to be sealed: the
 * edited value with its references again, or one reference to all of it. */
static int
rewrite_seal(struct rewriting *r, size_t i, bool was_sealed, struct error *err)
{
	const char *key;
	size_t len, t;

	key = document_key(r->edited, i, &len);
	if (len == 0) {
		error_set(err, ERROR_REFUSED, "a value without a key cannot be sealed");
		return error_hint(err, "write key=value");
	}
	if (seal_check_value(r->c->path, r->edited, i, &r->value, err) != 0 ||
	    rewrite_own_name(r, key, len, err) != 0 ||
	    claim_rewritten(r, i, (const char *)r->name.data, r->name.len, err) != 0)
		return -1;
	t = rewrite_find_own(r);
	/* The old reference stays as it is spelt when it is to this very entry. */
	if (was_sealed && rewrite_is_whole(r) && t != DOCUMENT_NONE &&
	    rewrite_part_at(r, 0)->entry == t)
		buf_append(&r->text, r->raw.data, r->raw.len);
	else if (reference_append(&r->text, r->o->remote, (const char *)r->name.data,
	    r->name.len, err) != 0)
		return -1;
	else
		r->referred = true;
	if (t != DOCUMENT_NONE)
		r->flags[t] |= REWRITE_USED;
	return store(r, t, (const char *)r->name.data, r->name.len, r->value.data, r->value.len,
	    err);
}

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
		t = rewrite_part_at(r, k)->entry;
		if (!rewrite_part_at(r, k)->changed || t == DOCUMENT_NONE)
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
	    secrets_file_holds(r->s, t, r->value.data, r->value.len))
		return new;
	r->flags[t] |= REWRITE_CHANGED;
	return 1;
}

/* Find the sealed entries that get another value, so that keys that borrow
 * them are sealed by themselves. */
static int
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
splice_references(struct rewriting *r, size_t i, struct error *err)
{
	const struct rewrite_part *part;
	struct reference ref;
	struct buf text;
	int rc = 0;

	buf_init(&text, BUF_MAX_FILE);
	for (size_t k = 0; k < r->parts.len && rc == 0; k++) {
		part = rewrite_part_at(r, k);
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
put_rewritten(struct rewriting *r, size_t i, bool restored, struct error *err)
{
	const char *text = (const char *)r->text.data;

	if (restored && !rewrite_is_whole(r)) {
		if (splice_references(r, i, err) != 0)
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
rewrite_note(struct rewriting *r, const struct document *d, size_t i, size_t line, const char *what)
{
	const char *key;
	size_t len;

	key = document_key(d, i, &len);
	plan_note_key(r->p, line > 0 ? r->c->path : secrets_file_path(r->s), line, key, len, what);
}

/* A secret, or what may become one, that a person wrote and that stays as it was written. */
static int
note_clear(struct rewriting *r, size_t i, struct error *err)
{
	struct clear_count found;
	const char *key, *why;
	size_t len, old;

	key = document_key(r->edited, i, &len);
	old = document_find(r->c->doc, key, len);
	if (resolve_finds_ours(r->value.data, r->value.len) || (old != DOCUMENT_NONE &&
	    document_value_is(r->c->doc, old, (const char *)r->value.data, r->value.len)))
		return 0;
	if (clear_in_entry(r->o->rules, r->edited, i, &r->plain, &found, err) != 0)
		return -1;
	why = rules_by_default(r->o->rules, key, len) ?
	    inspect_why_left(r->edited, i, r->value.data, r->value.len) : NULL;
	if (why == NULL && found.clear > 0)
		why = old != DOCUMENT_NONE && rules_by_default(r->o->rules, key, len) ?
		    "stays in clear text, as it was; `propseal file encrypt` seals it" :
		    "stays in clear text, and may be a secret: `propseal file encrypt --config` "
		    "seals it";
	if (why != NULL)
		rewrite_note(r, r->edited, i, document_line(r->edited, i), why);
	return 0;
}

/* Plan what becomes of winning entry ${i}. */
static int
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
		if ((rc = buf_check(&r->text, err)) == 0)
			rc = note_clear(r, i, err);
		break;
	case REWRITE_RESTORE:
		rc = rewrite_restore(r, i, err);
		break;
	case REWRITE_SEAL:
		if (was_sealed && r->parts.len > 1)
			rewrite_note(r, r->edited, i, document_line(r->edited, i),
			    "is sealed as a whole");
		rc = rewrite_seal(r, i, was_sealed, err);
		break;
	}
	if (rc != 0)
		return rewrite_fail_at(r, i, err);
	mark_used(r);
	if (verdict == REWRITE_AS_EDITED && !was_sealed)
		return 0;
	return put_rewritten(r, i, verdict == REWRITE_RESTORE, err);
}

/* Plan the removal of sealed entries that nothing refers to any more. */
static int
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
			rewrite_note(r, d, t, 0, "is an entry of another name, which stays");
			continue;
		}
		if (plan_remove_sealed(r->p, name, len, &count, err) != 0)
			return -1;
		plan_set_order(r->p, true);
	}
	return 0;
}

static int
rewrite_begin(struct rewriting *r, struct error *err)
{
	buf_init_secret(&r->value, BUF_MAX_FILE);
	buf_init_secret(&r->raw, BUF_MAX_FILE);
	buf_init_secret(&r->plain, BUF_MAX_FILE);
	buf_init_secret(&r->text, BUF_MAX_FILE);
	buf_init(&r->name, BUF_MAX_FILE);
	buf_init(&r->fresh, BUF_MAX_FILE);
	vec_init(&r->parts, sizeof(struct rewrite_part), PARTS_MAX);
	if (random_bytes(r->digest_key, sizeof(r->digest_key), err) != 0)
		return -1;
	r->flags = calloc(document_count(secrets_file_document(r->s)) + 1, 1);
	r->digests = calloc(document_count(r->c->doc) + 1, sizeof(*r->digests));
	r->known = map_new();
	if (r->flags == NULL || r->digests == NULL || r->known == NULL)
		return error_memory(err);
	/* What is put back may be a part of a value, so these are secret. */
	r->e = edits_new(r->edited, true, err);
	return r->e == NULL ? -1 : 0;
}

static void
rewrite_end(struct rewriting *r)
{
	edits_free(r->e);
	map_free(r->known);
	free(r->digests);
	free(r->flags);
	vec_release(&r->parts);
	buf_release(&r->fresh);
	buf_release(&r->name);
	buf_release(&r->text);
	buf_release(&r->plain);
	buf_release(&r->raw);
	buf_release(&r->value);
}

/* Plan the new text, moved from ${text}. */
static int
plan_text(struct rewriting *r, struct buf *text, struct error *err)
{
	struct document *new = NULL;
	struct edits *shown = NULL;
	struct buf copy;
	bool complete;
	int rc = -1;

	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, text->data, text->len);
	if (buf_check(&copy, err) != 0 || (new = document_parse(&copy,
	    document_format(r->c->doc), r->c->path, err)) == NULL ||
	    document_problem(new, err) != 0 ||
	    (shown = rewrite_shown(r->c->doc, new, &complete, err)) == NULL)
		goto done;
	if (!complete)
		plan_note(r->p, "%s: more than these entries changes: comments, their order, or "
		    "how they are written", r->c->path);
	rc = plan_rewrite_config(r->p, r->c, shown, text, err);
	if (rc == 0)
		shown = NULL;
done:
	edits_free(shown);
	document_free(new);
	buf_release(&copy);
	return rc;
}

/* A value that was cut while it was edited: the rest of it would stay in clear text. */
static int
rewrite_check_cut(const struct rewriting *r, struct error *err)
{
	struct remark cut, old;
	const char *key;
	size_t len, was;
	int rc;

	for (size_t i = 0; i < document_count(r->edited); i++) {
		if (!inspect_is_cut(r->o->rules, r->edited, i, &cut))
			continue;
		key = document_key(r->edited, i, &len);
		was = document_find(r->c->doc, key, len);
		if (was != DOCUMENT_NONE && inspect_is_cut(r->o->rules, r->c->doc, was, &old))
			continue;
		rc = configuration_refuse(r->c->path, r->edited, i, cut.text, cut.hint, err);
		error_place(err, r->c->path, cut.line);
		return rc;
	}
	return 0;
}

static int
rewrite_run(struct rewriting *r, struct error *err)
{
	struct buf text;
	int rc = 0;

	if (rewrite_scan_old(r, err) != 0 || rewrite_check_comments(r, err) != 0 ||
	    rewrite_check_cut(r, err) != 0 || rewrite_mark_changed(r, err) != 0)
		return -1;
	for (size_t i = 0; i < document_count(r->edited) && rc == 0; i++)
		if (!document_shadowed(r->edited, i))
			rc = rewrite_apply(r, i, err);
	if (rc != 0 || rewrite_remove_unused(r, err) != 0 ||
	    (r->sealed && provider_add_to(r->e, r->o->provider_class, err) != 0) ||
	    (r->sealed && r->referred && plan_put_remote(r->p, r->o->remote, err) != 0))
		return -1;
	buf_init_secret(&text, BUF_MAX_FILE);
	rc = edits_render(r->e, &text, err);
	if (rc == 0 && !buf_equal(&text, document_bytes(r->c->doc)))
		rc = plan_text(r, &text, err);
	buf_release(&text);
	return rc;
}

int
rewrite_plan(struct plan *p, struct configuration *c, const struct document *edited,
    const struct key *master, const struct seal_options *o, struct error *err)
{
	struct rewriting r = { .p = p, .s = plan_secrets(p), .c = c, .edited = edited,
		.master = master, .o = o };
	int rc = rewrite_begin(&r, err);

	if (rc == 0)
		rc = rewrite_run(&r, err);
	rewrite_end(&r);
	return rc;
}

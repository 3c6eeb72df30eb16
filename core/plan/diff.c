#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/text.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/apply.h"
#include "plan/plan.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/sealed.h"

#define PUBLIC_MAX 512	/* bytes of a public value that are shown */
#define NAMES_MAX 4	/* files that are told by name */

/*
 * What one change takes away and what it brings, for both forms of a diff: a
 * whole value, or for a splice the piece of it.  Of a JAAS option that comes
 * or goes as a whole (its text is `name=value`) that is the option's value.
 */
struct diff_part {
	const char *old;	/* NULL: nothing goes */
	size_t old_len;
	const char *new;	/* NULL: nothing comes */
	size_t new_len;
};

/* The old value that was asked for last; a thousand splices of it decode it once. */
struct diff_old {
	struct buf value;	/* secret */
	const struct edits *edits;
	size_t entry;
};

/* One file's changes, on their way to ${out}. */
struct diff {
	struct buf *out;
	enum plan_role role;
	const struct edits *edits;
	struct diff_old *old;
};

static int
by_rank(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The changes of ${e} in the order of the file's lines, new lines last: an array of edits_count
 * numbers, each with its line above it, for the caller to free.  NULL: no memory. */
static uint64_t *
diff_order(const struct edits *e)
{
	size_t n = edits_count(e), line;
	uint64_t *order = calloc(n + 1, sizeof(*order));
	bool sorted = true;

	for (size_t i = 0; order != NULL && i < n; i++) {
		line = edits_at(e, i).line;
		order[i] = (uint64_t)(line > 0 ? line : UINT32_MAX) << 32 | i;
		sorted = sorted && (i == 0 || order[i - 1] < order[i]);
	}
	if (!sorted)
		qsort(order, n, sizeof(*order), by_rank);
	return order;
}

static void
diff_part_init(struct diff_old *o)
{
	buf_init_secret(&o->value, BUF_MAX_FILE);
	o->edits = NULL;
	o->entry = DOCUMENT_NONE;
}

static void
diff_part_release(struct diff_old *o)
{
	buf_release(&o->value);
}

/* The value that the change is made to; empty when there is no memory for it. */
static const char *
old_value(struct diff_old *o, const struct edits *edits, const struct edit *e, size_t *len)
{
	if (o->edits != edits || o->entry != e->entry) {
		buf_clear(&o->value);
		if (document_value(edits_document(edits), e->entry, &o->value, NULL) != 0)
			buf_clear(&o->value);
		o->edits = edits;
		o->entry = e->entry;
	}
	*len = o->value.len;
	return o->value.len > 0 ? (const char *)o->value.data : "";
}

/* From ` name=value ` to the value. */
static void
leave_value(const char **text, size_t *len)
{
	const char *equals = memchr(*text, '=', *len);

	if (equals == NULL)
		return;
	*len -= (size_t)(equals + 1 - *text);
	*text = equals + 1;
	while (*len > 0 && (unsigned char)(*text)[0] <= ' ') {
		++*text;
		--*len;
	}
	while (*len > 0 && (unsigned char)(*text)[*len - 1] <= ' ')
		--*len;
}

/* Pointers are valid until the next call with ${o}, and the next change of ${edits}. */
static struct diff_part
diff_part_of(struct diff_old *o, const struct edits *edits, const struct edit *e)
{
	struct diff_part part = { .old = NULL, .new = NULL };

	if (e->kind != EDIT_INSERT)
		part.old = old_value(o, edits, e, &part.old_len);
	if (e->kind != EDIT_REMOVE) {
		part.new = e->value;
		part.new_len = e->value_len;
	}
	if (e->kind != EDIT_SPLICE)
		return part;
	if (e->from < e->to && e->to <= part.old_len) {
		part.old += e->from;
		part.old_len = e->to - e->from;
	} else {
		part.old = NULL;
	}
	if (part.new_len == 0)
		part.new = NULL;
	if (e->label != NULL && part.old == NULL && part.new != NULL)
		leave_value(&part.new, &part.new_len);
	if (e->label != NULL && part.new == NULL && part.old != NULL)
		leave_value(&part.old, &part.old_len);
	return part;
}

/*
 * May the value of this key be shown?  What propseal itself writes into this
 * kind of file, and no more: other settings of a provider, such as its token,
 * are secrets.
 */
static bool
diff_is_public(enum plan_role role, const char *key, size_t len, const char *value, size_t n)
{
	static const char *const metadata[] = { SECRETS_MASTER_SALT, SECRETS_CREATED_AT,
		SECRETS_ENVVAR, SECRETS_LENGTH, SECRETS_ITERATIONS, SECRETS_SALT };
	static const char *const settings[] = {
		"config.providers", "config.providers." REFERENCE_PROVIDER ".class"
	};
	struct reference r;

	/* A brace in the middle ends the reference for Kafka: the rest is text. */
	if (reference_parse(value, n, &r) && memchr(value, '}', n - 1) == NULL)
		return true;
	return role == PLAN_SECRETS ?
	    text_is_one_of(key, len, metadata, sizeof(metadata) / sizeof(metadata[0])) ||
	    metadata_is_remote(key, len) :
	    text_is_one_of(key, len, settings, sizeof(settings) / sizeof(settings[0]));
}

/* Append what may be seen of a value. */
static void
diff_append_value(const struct diff *d, const char *key, size_t len, const char *value, size_t n)
{
	struct buf *out = d->out;
	struct sealed s;

	if (sealed_claims(value, n) && sealed_parse(value, n, &s, NULL) == 0) {
		buf_append_str(out, s.cipher == SEALED_GCM ? "ENC[AES/GCM/NoPadding,data:" :
		    "ENC[AES/CBC/PKCS5Padding,data:");
		text_append_visible(out, s.data, s.data_len < 8 ? s.data_len : 8);
		buf_append_str(out, "...]");
	} else if (diff_is_public(d->role, key, len, value, n)) {
		text_append_visible(out, value, n < PUBLIC_MAX ? n : PUBLIC_MAX);
		buf_append_str(out, n < PUBLIC_MAX ? "" : "...");
	} else {
		buf_append_str(out, n == 0 ? "" : MASK_TEXT);
	}
}

/* `-key = value`, or the name of a part of the value, which begins with the
 * key: `-key/LoginModule/option = value`. */
static void
diff_append_line(const struct diff *d, char sign, const struct edit *e, const char *value, size_t n)
{
	bool part = e->kind == EDIT_SPLICE && e->label != NULL;
	struct buf *out = d->out;

	buf_append_char(out, sign);
	if (part)
		text_append_visible(out, e->label, e->label_len);
	else
		text_append_visible(out, e->key, e->key_len);
	if (e->kind == EDIT_SPLICE && !part)
		buf_printf(out, "[%zu-%zu]", e->from, e->to);
	buf_append_str(out, " = ");
	diff_append_value(d, e->key, e->key_len, value, n);
	buf_append_char(out, '\n');
}

static void
diff_append_change(const struct diff *d, const struct edit *e)
{
	const struct diff_part part = diff_part_of(d->old, d->edits, e);
	struct buf *out = d->out;

	buf_append_str(out, e->line > 0 ? "@@ line " : "@@ new");
	if (e->line > 0)
		number_append(out, e->line);
	buf_append_str(out, " @@\n");
	if (part.old != NULL)
		diff_append_line(d, '-', e, part.old, part.old_len);
	if (part.new != NULL)
		diff_append_line(d, '+', e, part.new, part.new_len);
}

static void
append_changes(const struct diff *d)
{
	uint64_t *order = diff_order(d->edits);
	size_t tags = 0;

	if (order == NULL)
		buf_fail(d->out, ERROR_MEMORY);
	for (size_t k = 0; order != NULL && k < edits_count(d->edits); k++) {
		struct edit e = edits_at(d->edits, (uint32_t)order[k]);

		if (tag_names(e.key, e.key_len))
			tags++;
		else
			diff_append_change(d, &e);
	}
	/* One beside every sealed entry that changes: to count them is enough. */
	if (tags > 0)
		buf_printf(d->out, "@@ and %zu integrity tag%s @@\n", tags, tags > 1 ? "s" : "");
	free(order);
}

int
diff_append(const struct plan *p, struct buf *out, struct error *err)
{
	struct diff_old old;
	const char *note = plan_notes(p);

	diff_part_init(&old);
	for (const struct plan_file *f = NULL; (f = plan_next(p, f)) != NULL;) {
		const struct diff d = { out, f->role, f->edits, &old };

		buf_append_str(out, "--- ");
		if (f->id->exists)
			text_append_visible(out, f->path, strlen(f->path));
		else
			buf_append_str(out, "(new file)");
		buf_append_str(out, "\n+++ ");
		text_append_visible(out, f->path, strlen(f->path));
		buf_append_char(out, '\n');
		if (f->role == PLAN_OUTPUT)
			buf_printf(out, "@@ the whole file: %zu bytes @@\n", f->content->len);
		if (f->edits != NULL)
			append_changes(&d);
	}
	for (; *note != '\0'; note += strcspn(note, "\n") + 1) {
		buf_append_str(out, "# ");
		buf_append(out, note, strcspn(note, "\n") + 1);
	}
	diff_part_release(&old);
	return buf_check(out, err);
}

static const char *
kind_of_value(const char *value, size_t n)
{
	struct reference r;

	if (sealed_claims(value, n))
		return "ciphertext";
	if (reference_parse(value, n, &r))
		return reference_is_ours(&r) ? "reference" : "other-reference";
	return "text";
}

static void
append_json_change(struct json_out *o, const struct edits *edits, const struct edit *e,
    struct diff_old *old)
{
	const struct diff_part part = diff_part_of(old, edits, e);

	json_out_object(o, NULL);
	json_out_text(o, "op", part.old == NULL ? "insert" : part.new == NULL ? "remove" : "set");
	json_out_text_n(o, "key", e->key, e->key_len);
	if (e->kind == EDIT_SPLICE && e->label != NULL) {
		json_out_text_n(o, "part", e->label, e->label_len);
	} else if (e->kind == EDIT_SPLICE) {
		json_out_array(o, "span");
		json_out_uint(o, NULL, e->from);
		json_out_uint(o, NULL, e->to);
		json_out_end(o);
	}
	if (e->line > 0)
		json_out_uint(o, "line", e->line);
	if (part.old != NULL)
		json_out_text(o, "from", kind_of_value(part.old, part.old_len));
	if (part.new != NULL)
		json_out_text(o, "to", kind_of_value(part.new, part.new_len));
	json_out_end(o);
}

/* What is written beside an entry, and is none that anybody asked for. */
static bool
is_kept_beside(struct edit e)
{
	return tag_names(e.key, e.key_len) || metadata_is_remote(e.key, e.key_len);
}

static void
append_json_file(struct json_out *o, const struct plan_file *f, const struct apply_result *r,
    struct diff_old *old)
{
	static const char *const roles[] = { "secrets", "configuration", "output" };
	bool applied = r != NULL, all = r == NULL || r->done;
	uint64_t *order = NULL;
	size_t tags = 0;

	json_out_object(o, NULL);
	json_out_text(o, applied ? "file" : "path", f->path);
	json_out_text(o, "role", roles[f->role]);
	json_out_bool(o, "new", !f->id->exists);
	json_out_array(o, applied ? "entries" : "changes");
	if (all && f->edits != NULL && (order = diff_order(f->edits)) == NULL)
		buf_fail(o->out, ERROR_MEMORY);
	for (size_t k = 0; order != NULL && k < edits_count(f->edits); k++) {
		struct edit e = edits_at(f->edits, (uint32_t)order[k]);

		if (tag_names(e.key, e.key_len))
			tags++;
		else if (!applied || !metadata_is_remote(e.key, e.key_len))
			append_json_change(o, f->edits, &e, old);
	}
	free(order);
	json_out_end(o);
	if (tags > 0)
		json_out_uint(o, "tags", tags);
	if (!all) {
		json_out_object(o, "error");
		json_out_text(o, "code", r->why == NULL ? NULL : error_code_name(r->why->code));
		json_out_text(o, "text", r->why == NULL ? "not come to" : r->why->text);
		json_out_end(o);
	}
	json_out_end(o);
}

static void
append_json_lines(struct json_out *o, const char *lines)
{
	for (size_t n; *lines != '\0'; lines += n + (lines[n] == '\n')) {
		n = strcspn(lines, "\n");
		json_out_text_n(o, NULL, lines, n);
	}
}

void
diff_write_json(const struct plan *const p[], struct apply *const a[], size_t n,
    struct json_out *o)
{
	const struct apply *done;
	struct diff_old old;
	bool changed = false;

	diff_part_init(&old);
	json_out_text(o, "schema", a != NULL ? "propseal.change/1" : "propseal.plan/1");
	for (size_t k = 0; a != NULL && k < n; k++)
		changed = changed || apply_done(a[k]) > 0;
	if (a != NULL)
		json_out_bool(o, "changed", changed);
	json_out_array(o, "files");
	for (size_t k = 0; k < n; k++) {
		done = a != NULL ? a[k] : NULL;
		for (const struct plan_file *f = NULL; done == NULL &&
		    (f = plan_next(p[k], f)) != NULL;)
			append_json_file(o, f, NULL, &old);
		for (size_t i = 0; done != NULL && i < done->count; i++)
			append_json_file(o, done->results[i].file, &done->results[i], &old);
	}
	json_out_end(o);
	json_out_array(o, "notes");
	for (size_t k = 0; k < n; k++) {
		append_json_lines(o, plan_notes(p[k]));
		if (a != NULL && a[k]->notes.len > 0)
			append_json_lines(o, buf_cstr(&a[k]->notes));
	}
	json_out_end(o);
	diff_part_release(&old);
}

void
diff_append_files(const struct apply *a, struct buf *out)
{
	size_t count = apply_done(a), told = 0, n;
	const struct plan_file *f;

	for (size_t i = 0; i < a->count; i++) {
		f = a->results[i].file;
		if (!a->results[i].done)
			continue;
		if (told == NAMES_MAX && count > NAMES_MAX + 1) {
			buf_printf(out, " and %zu more files", count - told);
			return;
		}
		buf_append_str(out, told++ > 0 ? ", " : "");
		buf_append_str(out, f->id->exists ? "" : "new ");
		text_append_visible(out, f->path, strlen(f->path));
		n = 0;
		for (size_t k = 0; f->edits != NULL && k < edits_count(f->edits); k++)
			n += !is_kept_beside(edits_at(f->edits, k));
		if (n > 0)
			buf_printf(out, " (%zu %s)", n, n == 1 ? "entry" : "entries");
	}
}

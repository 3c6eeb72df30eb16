#include "plan/diff.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/diff_order.h"
#include "plan/diff_part.h"
#include "plan/plan.h"
#include "secrets/reference.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "secrets/tag.h"

#define MASK "********"
#define PUBLIC_MAX 512	/* bytes of a public value that are shown */

/* One file's changes, on their way to ${out}. */
struct diff {
	struct buf *out;
	enum plan_role role;
	const struct edits *edits;
	struct diff_old *old;
};

static bool
is_one_of(const char *const names[], size_t n, const char *key, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i]) == len && memcmp(names[i], key, len) == 0)
			return true;
	return false;
}

/*
 * May the value of this key be shown?  What propseal itself writes into this
 * kind of file, and no more: other settings of a provider, such as its token,
 * are secrets.
 */
static bool
is_public(enum plan_role role, const char *key, size_t len, const char *value, size_t n)
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
	    is_one_of(metadata, sizeof(metadata) / sizeof(metadata[0]), key, len) :
	    is_one_of(settings, sizeof(settings) / sizeof(settings[0]), key, len);
}

/* Append what may be seen of a value. */
static void
append_value(const struct diff *d, const char *key, size_t len, const char *value, size_t n)
{
	struct buf *out = d->out;
	struct sealed s;

	if (sealed_claims(value, n) && sealed_parse(value, n, &s, NULL) == 0) {
		buf_append_str(out, s.cipher == SEALED_GCM ? "ENC[AES/GCM/NoPadding,data:" :
		    "ENC[AES/CBC/PKCS5Padding,data:");
		text_append_visible(out, s.data, s.data_len < 8 ? s.data_len : 8);
		buf_append_str(out, "...]");
	} else if (is_public(d->role, key, len, value, n)) {
		text_append_visible(out, value, n < PUBLIC_MAX ? n : PUBLIC_MAX);
		buf_append_str(out, n < PUBLIC_MAX ? "" : "...");
	} else {
		buf_append_str(out, n == 0 ? "" : MASK);
	}
}

/* `-key = value`, or the key of a part of the value: `-key/label = value`. */
static void
append_line(const struct diff *d, char sign, const struct edit *e, const char *value, size_t n)
{
	struct buf *out = d->out;

	buf_append_char(out, sign);
	text_append_visible(out, e->key, e->key_len);
	if (e->kind == EDIT_SPLICE && e->label != NULL) {
		buf_append_char(out, '/');
		text_append_visible(out, e->label, e->label_len);
	} else if (e->kind == EDIT_SPLICE) {
		buf_printf(out, "[%zu-%zu]", e->from, e->to);
	}
	buf_append_str(out, " = ");
	append_value(d, e->key, e->key_len, value, n);
	buf_append_char(out, '\n');
}

static void
append_change(const struct diff *d, const struct edit *e)
{
	const struct diff_part part = diff_part_of(d->old, d->edits, e);
	struct buf *out = d->out;

	if (e->line > 0)
		buf_printf(out, "@@ line %zu @@\n", e->line);
	else
		buf_append_str(out, "@@ new @@\n");
	if (part.old != NULL)
		append_line(d, '-', e, part.old, part.old_len);
	if (part.new != NULL)
		append_line(d, '+', e, part.new, part.new_len);
}

static void
append_changes(const struct diff *d)
{
	size_t *order = diff_order(d->edits), tags = 0;

	if (order == NULL)
		buf_fail(d->out, ERROR_MEMORY);
	for (size_t k = 0; order != NULL && k < edits_count(d->edits); k++) {
		struct edit e = edits_at(d->edits, order[k]);

		if (tag_names(e.key, e.key_len))
			tags++;
		else
			append_change(d, &e);
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
	for (size_t i = 0; i < plan_file_count(p); i++) {
		const struct plan_file *f = plan_file(p, i);
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

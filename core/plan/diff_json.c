#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/diff.h"
#include "plan/diff_order.h"
#include "plan/diff_part.h"
#include "plan/plan.h"
#include "secrets/reference.h"
#include "secrets/sealed.h"
#include "secrets/tag.h"

static const char *
kind_of(const char *value, size_t n)
{
	struct reference r;

	if (sealed_claims(value, n))
		return "ciphertext";
	if (reference_parse(value, n, &r))
		return reference_is_ours(&r) ? "reference" : "other-reference";
	return "text";
}

static void
append_change(struct buf *out, const struct edits *edits, const struct edit *e,
    struct diff_old *old)
{
	const struct diff_part part = diff_part_of(old, edits, e);
	const char *op = part.old == NULL ? "insert" : part.new == NULL ? "remove" : "set";

	buf_printf(out, "{\"op\":\"%s\",\"key\":", op);
	text_append_json(out, e->key, e->key_len);
	if (e->kind == EDIT_SPLICE && e->label != NULL) {
		buf_append_str(out, ",\"part\":");
		text_append_json(out, e->label, e->label_len);
	} else if (e->kind == EDIT_SPLICE) {
		buf_printf(out, ",\"span\":[%zu,%zu]", e->from, e->to);
	}
	if (e->line > 0)
		buf_printf(out, ",\"line\":%zu", e->line);
	if (part.old != NULL)
		buf_printf(out, ",\"from\":\"%s\"", kind_of(part.old, part.old_len));
	if (part.new != NULL)
		buf_printf(out, ",\"to\":\"%s\"", kind_of(part.new, part.new_len));
	buf_append_char(out, '}');
}

static void
append_file(struct buf *out, const struct plan_file *f, struct diff_old *old)
{
	static const char *const roles[] = { "secrets", "configuration", "output" };
	size_t *order = NULL, shown = 0, tags = 0;

	buf_append_str(out, "{\"path\":");
	text_append_json(out, f->path, strlen(f->path));
	buf_printf(out, ",\"role\":\"%s\",\"new\":%s,\"changes\":[", roles[f->role],
	    f->id->exists ? "false" : "true");
	if (f->edits != NULL && (order = diff_order(f->edits)) == NULL)
		buf_fail(out, ERROR_MEMORY);
	for (size_t k = 0; order != NULL && k < edits_count(f->edits); k++) {
		struct edit e = edits_at(f->edits, order[k]);

		if (tag_names(e.key, e.key_len)) {
			tags++;
			continue;
		}
		if (shown++ > 0)
			buf_append_char(out, ',');
		append_change(out, f->edits, &e, old);
	}
	free(order);
	buf_append_char(out, ']');
	if (tags > 0)
		buf_printf(out, ",\"tags\":%zu", tags);
	buf_append_char(out, '}');
}

int
diff_append_json(const struct plan *p, struct buf *out, struct error *err)
{
	const char *note = plan_notes(p);
	struct diff_old old;

	diff_part_init(&old);
	buf_append_str(out, "{\"files\":[");
	for (size_t i = 0; i < plan_file_count(p); i++) {
		if (i > 0)
			buf_append_char(out, ',');
		append_file(out, plan_file(p, i), &old);
	}
	buf_append_str(out, "],\"notes\":[");
	for (const char *n = note; *n != '\0'; n += strcspn(n, "\n") + 1) {
		if (n != note)
			buf_append_char(out, ',');
		text_append_json(out, n, strcspn(n, "\n"));
	}
	buf_append_str(out, "]}\n");
	diff_part_release(&old);
	return buf_check(out, err);
}

#include "plan/diff_part.h"

#include <string.h>

#include "document/document.h"
#include "document/edits.h"

void
diff_part_init(struct diff_old *o)
{
	buf_init_secret(&o->value, BUF_MAX_FILE);
	o->edits = NULL;
	o->entry = DOCUMENT_NONE;
}

void
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

struct diff_part
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

#include <string.h>

#include "base/error.h"
#include "document/document.h"
#include "document/edits.h"
#include "seal/rewrite_state.h"

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
compare(const struct edits *e, const struct document *new, bool *complete, struct error *err)
{
	const struct buf *bytes = document_bytes(new);
	struct error why;
	struct buf text;
	int rc;

	buf_init_secret(&text, BUF_MAX_FILE);
	rc = unless_refused(edits_render(e, &text, &why), complete, &why, err);
	if (rc == 0 && (text.len != bytes->len ||
	    (text.len > 0 && memcmp(text.data, bytes->data, text.len) != 0)))
		*complete = false;
	buf_release(&text);
	return rc;
}

struct edits *
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
		rc = compare(e, new, complete, err);
	buf_release(&value);
	if (rc == 0)
		return e;
	edits_free(e);
	return NULL;
}

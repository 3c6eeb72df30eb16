#ifndef SUPPORT_EDITS_SUPPORT_H
#define SUPPORT_EDITS_SUPPORT_H

/* What the tests of edits of documents share. */

#include "document/edits.h"
#include "document_support.h"

/* At the end of a document. */
#define END DOCUMENT_NONE

UNIT_HELPER struct edits *
new_edits(const struct document *d)
{
	struct error err = { 0 };
	struct edits *e = edits_new(d, false, &err);

	assert_non_null(e);
	return e;
}

/* The document with the edits in it, to be released. */
UNIT_HELPER struct buf
render(const struct edits *e)
{
	struct error err = { 0 };
	struct buf out;

	buf_init_secret(&out, BUF_MAX_FILE);
	if (edits_render(e, &out, &err) == -1)
		fail_msg("does not render: %s", err.text);
	return out;
}

UNIT_HELPER void
assert_renders(const struct edits *e, const char *want)
{
	struct buf out = render(e);
	char a[2048], b[2048];

	if (out.len != strlen(want) || memcmp(out.data, want, out.len) != 0)
		fail_msg("%s instead of %s", shown(out.data, out.len, a, sizeof(a)),
		    shown(want, strlen(want), b, sizeof(b)));
	buf_release(&out);
}

UNIT_HELPER void
splice(struct edits *e, size_t i, size_t from, size_t to, const char *text)
{
	struct error err = { 0 };

	if (edits_splice(e, i, from, to, text, strlen(text), NULL, &err) == -1)
		fail_msg("refused: %s", err.text);
}

#endif /* !SUPPORT_EDITS_SUPPORT_H */

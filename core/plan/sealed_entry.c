#include "plan/sealed_entry.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/plan.h"
#include "secrets/secrets_file.h"
#include "secrets/tag.h"

/* Plan the tag of the entry, which stands (or will stand) at ${entry}. */
static int
put_tag(struct plan *p, size_t entry, const char *name, size_t len, const void *text, size_t n,
    struct error *err)
{
	struct edits *e = plan_secrets_edits(p, err);
	size_t at = tag_find(edits_document(e), name, len);
	char tag[TAG_TEXT + 1];
	struct buf key;
	int rc;

	if (tagger_text(plan_tagger(p), name, len, text, n, tag, err) != 0)
		return -1;
	if (at != DOCUMENT_NONE)
		return edits_set(e, at, tag, TAG_TEXT, err);
	buf_init(&key, BUF_MAX_FILE);
	buf_append_str(&key, TAG_PREFIX);
	buf_append(&key, name, len);
	rc = buf_check(&key, err);
	if (rc == 0)
		rc = edits_insert(e, entry, (const char *)key.data, key.len, tag, TAG_TEXT, err);
	buf_release(&key);
	return rc;
}

int
sealed_entry_put(struct plan *p, const char *name, size_t len, const void *text, size_t n,
    struct error *err)
{
	size_t i = secrets_file_find(plan_secrets(p), name, len);
	struct edits *e = plan_secrets_edits(p, err);
	int rc;

	if (e == NULL)
		return -1;
	rc = i != DOCUMENT_NONE ? edits_set(e, i, text, n, err) :
	    edits_insert(e, DOCUMENT_NONE, name, len, text, n, err);
	return rc != 0 ? -1 : put_tag(p, i, name, len, text, n, err);
}

static int
remove_lines(struct plan *p, size_t i, size_t *count, struct error *err)
{
	struct edits *e = plan_secrets_edits(p, err);

	if (e == NULL)
		return -1;
	for (*count = 0; i != DOCUMENT_NONE; ++*count) {
		if (edits_remove(e, i, err) != 0)
			return -1;
		i = document_previous(edits_document(e), i);
	}
	return 0;
}

int
sealed_entry_remove(struct plan *p, const char *name, size_t len, size_t *count,
    struct error *err)
{
	struct secrets_file *s = plan_secrets(p);
	size_t tags;

	if (remove_lines(p, secrets_file_find(s, name, len), count, err) != 0)
		return -1;
	return remove_lines(p, tag_find(secrets_file_document(s), name, len), &tags, err);
}

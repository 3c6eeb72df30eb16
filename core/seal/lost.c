#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "plan/plan.h"
#include "seal/keying.h"
#include "seal/lost.h"
#include "seal/seal.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/* Seal the new value of entry ${i}, from ${values}, or remove it. */
static int
lost_replace(struct plan *p, size_t i, const struct document *values, struct buf *text,
    struct error *err)
{
	const struct secrets_file *s = plan_secrets(p);
	const struct document *d = secrets_file_document(s);
	struct buf *plain = plan_scratch(p);
	size_t len, v, count;
	const char *name = document_key(d, i, &len);

	v = document_find(values, name, len);
	if (v != DOCUMENT_NONE && document_value(values, v, plain, err) != 0)
		return -1;
	if (v == DOCUMENT_NONE || plain->len == 0) {
		plan_note_key(p, secrets_file_path(s), document_line(d, i), name, len,
		    "has no new value, and goes");
		return plan_remove_sealed(p, name, len, &count, err);
	}
	if (seal_check_value(document_file(values), values, v, plain, err) != 0)
		return -1;
	buf_clear(text);
	if (sealed_seal(plan_cipher(p), SEALED_GCM, plain->data, plain->len, text, err) != 0)
		return -1;
	return plan_put_sealed(p, name, len, text->data, text->len, err);
}

int
rotate_lost(struct plan *p, const void *passphrase, size_t n, const struct document *values,
    struct key **master, struct error *err)
{
	const struct document *d = secrets_file_document(plan_secrets(p));
	struct buf text;
	int rc = keying_new_master(p, passphrase, n, master, err);

	buf_init(&text, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++)
		if (secrets_file_is_sealed(plan_secrets(p), i))
			rc = lost_replace(p, i, values, &text, err);
	buf_release(&text);
	return rc;
}

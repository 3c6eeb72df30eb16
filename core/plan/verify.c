#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/apply.h"
#include "plan/plan.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/* So much of a file of lines is looked at at a time; more where one entry is larger. */
#define VERIFY_PIECE ((size_t)128 << 10)

struct verification {
	const struct plan *p;
	const struct plan_file *file;
	const struct document_format *format;
	struct buf text;	/* what has come, and is not looked at yet */
	size_t enough;		/* ... until it is so long */
	size_t lines;		/* before it */
	bool *right;		/* by change: the last entry of its key is as it has to be */
	struct buf plain;

	/* SECRETS */
	const char *data_key;	/* the text of the data key's line; NULL: it has none */
	size_t data_key_len;
	bool data_key_right;
	struct cipher *own;	/* of the data key, under the expected master key */
};

static int
unexpected(const char *key, size_t len, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "it is not what was planned");
	return error_key(err, key, len);
}

/* Whatever was found wrong with the file is damage, and not the user's doing. */
static int
as_damage(const struct plan_file *file, struct error *err)
{
	struct error why;

	if (err == NULL || err->code == ERROR_MEMORY || err->code == ERROR_LIMIT ||
	    err->code == ERROR_CRYPTO)
		return -1;
	why = *err;
	error_set(err, ERROR_DAMAGED, "read back from disk, the new file is damaged: %s", why.text);
	error_place(err, file->path, why.line);
	error_key(err, why.key, strlen(why.key));
	return error_hint(err, "nothing was changed; is the disk or the memory faulty?");
}

/* The data key that the new file is to have: under an expected master key it has to open. */
static int
find_data_key(struct verification *v, struct error *err)
{
	struct edits *edits = v->file->edits;
	const struct key *master = plan_expected_master(v->p);
	struct key *key;
	struct edit e;
	size_t change;

	if (edits_find(edits, SECRETS_DATA_KEY, strlen(SECRETS_DATA_KEY), &change, err) != 0)
		return -1;
	if (change != DOCUMENT_NONE) {
		e = edits_at(edits, change);
		v->data_key = e.value;
		v->data_key_len = e.value_len;
	} else if ((v->data_key = secrets_file_metadata(plan_secrets(v->p))->data_key) != NULL) {
		v->data_key_len = strlen(v->data_key);
	}
	v->data_key_right = v->data_key == NULL;
	if (master == NULL)
		return 0;
	if (v->data_key == NULL)
		return unexpected(SECRETS_DATA_KEY, strlen(SECRETS_DATA_KEY), err);
	if ((key = wrap_open(master, v->data_key, v->data_key_len, err)) == NULL)
		return -1;
	v->own = cipher_new(key, err);
	key_free(key);
	return v->own == NULL ? -1 : 0;
}

struct verification *
verification_new(const struct plan *p, const struct plan_file *file, struct error *err)
{
	struct verification *v = error_alloc(sizeof(*v), err);

	if (v == NULL)
		return NULL;
	v->p = p;
	v->file = file;
	v->format = document_format(edits_document(file->edits));
	v->enough = VERIFY_PIECE;
	buf_init_secret(&v->text, BUF_MAX_FILE);
	buf_init_secret(&v->plain, BUF_MAX_FILE);
	v->right = calloc(edits_count(file->edits) + 1, sizeof(*v->right));
	if (v->right == NULL)
		error_memory(err);
	else if (file->role != PLAN_SECRETS || find_data_key(v, err) == 0)
		return v;
	verification_free(v);
	as_damage(file, err);
	return NULL;
}

void
verification_free(struct verification *v)
{
	if (v == NULL)
		return;
	cipher_free(v->own);
	buf_release(&v->plain);
	buf_release(&v->text);
	free(v->right);
	free(v);
}

static int
open_sealed(struct verification *v, const void *text, size_t n, struct error *err)
{
	struct cipher *c = v->own != NULL ? v->own : plan_cipher(v->p);

	buf_clear(&v->plain);
	return c == NULL ? error_set(err, ERROR_DAMAGED, "it is not what was planned") :
	    sealed_open(c, text, n, &v->plain, err);
}

/* Did the entry of this name fail to open before?  Then the plan is not to blame. */
static bool
was_damaged(struct verification *v, size_t i)
{
	const struct secrets_file *old = plan_secrets(v->p);

	buf_clear(&v->plain);
	return secrets_file_cipher(old) != NULL && secrets_file_open(old, i, &v->plain, NULL) != 0;
}

/* A sealed entry that the plan left alone has to open under a new key, too. */
static int
check_left(struct verification *v, const struct document *d, size_t i, const char *key,
    size_t len, struct error *err)
{
	const struct document *old = secrets_file_document(plan_secrets(v->p));
	size_t before = document_find(old, key, len);
	struct buf text, other;
	bool counts;
	int rc;

	if (v->own == NULL || !metadata_is_sealed(d, i))
		return 0;
	buf_init_secret(&text, BUF_MAX_FILE);
	buf_init_secret(&other, BUF_MAX_FILE);
	rc = document_value(d, i, &text, err);
	if (rc == 0 && before != DOCUMENT_NONE)
		rc = document_value(old, before, &other, err);
	/* A line that a later one of its key hides need not. */
	counts = before == DOCUMENT_NONE || document_previous(old, before) == DOCUMENT_NONE ||
	    buf_equal(&text, &other);
	if (rc == 0 && counts && open_sealed(v, text.data, text.len, err) != 0 &&
	    (before == DOCUMENT_NONE || !was_damaged(v, before)))
		rc = error_key(err, key, len);
	buf_release(&other);
	buf_release(&text);
	return rc;
}

/* Entry ${i} of a piece has the value that edit ${e} gave it. */
static int
check_value(struct verification *v, const struct document *d, size_t i, const struct edit *e,
    bool *right, struct error *err)
{
	bool secrets = v->file->role == PLAN_SECRETS;

	if (e->kind == EDIT_SPLICE) {
		buf_clear(&v->plain);
		if (edits_value(v->file->edits, e->entry, &v->plain, err) != 0)
			return -1;
		*right = document_value_is(d, i, (const char *)v->plain.data, v->plain.len);
		return 0;
	}
	*right = document_value_is(d, i, e->value, e->value_len);
	if (!*right || !secrets || metadata_is_key(d, i) || !sealed_claims(e->value, e->value_len))
		return 0;
	return open_sealed(v, e->value, e->value_len, err) == 0 ? 0 :
	    error_key(err, e->key, e->key_len);
}

static int
check_entry(struct verification *v, const struct document *d, size_t i, struct error *err)
{
	bool secrets = v->file->role == PLAN_SECRETS;
	size_t len, change;
	const char *key = document_key(d, i, &len);
	struct edit e;

	/* A tag is checked by whoever opens its entry, and at every opening. */
	if (secrets && tag_names(key, len))
		return 0;
	if (secrets && len == strlen(SECRETS_DATA_KEY) && memcmp(key, SECRETS_DATA_KEY, len) == 0)
		v->data_key_right = v->data_key != NULL &&
		    document_value_is(d, i, v->data_key, v->data_key_len);
	if (edits_find(v->file->edits, key, len, &change, err) != 0)
		return -1;
	if (change == DOCUMENT_NONE)
		return secrets ? check_left(v, d, i, key, len, err) : 0;
	e = edits_at(v->file->edits, change);
	return e.kind == EDIT_REMOVE ? unexpected(key, len, err) :
	    check_value(v, d, i, &e, &v->right[change], err);
}

/* Look at what has come, but for the last entry, which may go on; ${all}: nothing more comes. */
static int
look_at_lines(struct verification *v, bool all, struct error *err)
{
	size_t count, start = 0, end, size = v->text.len;
	struct document *d;
	const struct buf *bytes;
	int rc = 0;

	if ((d = document_parse(&v->text, v->format, v->file->path, err)) == NULL)
		return -1;
	count = document_count(d);
	if (all && (rc = document_problem(d, err)) != 0 && err != NULL)
		err->line += v->lines;
	if (!all && count > 0)
		count--;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = check_entry(v, d, i, err);
	if (!all && rc == 0 && count > 0) {
		document_span(d, count, &start, &end);
		v->lines += document_line(d, count) - 1;
	}
	bytes = document_bytes(d);
	if (!all && rc == 0) {
		buf_append(&v->text, bytes->data + start, size - start);
		rc = buf_check(&v->text, err);
	}
	v->enough = 2 * (size - start) > VERIFY_PIECE ? 2 * (size - start) : VERIFY_PIECE;
	document_free(d);
	return rc;
}

int
verification_look(struct verification *v, const unsigned char *bytes, size_t n,
    struct error *err)
{
	int rc;

	buf_append(&v->text, bytes, n);
	rc = buf_check(&v->text, err);
	if (rc == 0 && v->format->lines && v->text.len >= v->enough)
		rc = look_at_lines(v, false, err);
	return rc == 0 ? 0 : as_damage(v->file, err);
}

/* Every change was met. */
static int
check_changes(struct verification *v, struct error *err)
{
	struct edits *edits = v->file->edits;
	bool secrets = v->file->role == PLAN_SECRETS;
	size_t last;

	for (size_t i = 0; i < edits_count(edits); i++) {
		struct edit e, other;

		if (v->right[i])
			continue;
		e = edits_at(edits, i);
		/* One that is shadowed has no one place. */
		if (e.kind == EDIT_REMOVE || (secrets && tag_names(e.key, e.key_len)) ||
		    (e.kind != EDIT_INSERT && document_shadowed(edits_document(edits), e.entry)))
			continue;
		if (edits_find(edits, e.key, e.key_len, &last, err) != 0)
			return -1;
		if (last == DOCUMENT_NONE || !v->right[last])
			return unexpected(e.key, e.key_len, err);
		other = edits_at(edits, last);
		if (e.kind != EDIT_SPLICE && (e.value_len != other.value_len ||
		    memcmp(e.value, other.value, e.value_len) != 0))
			return unexpected(e.key, e.key_len, err);
	}
	return v->data_key_right || !secrets ? 0 :
	    unexpected(SECRETS_DATA_KEY, strlen(SECRETS_DATA_KEY), err);
}

/* A file that is looked at as a whole: the last entry of each key that was changed. */
static int
look_at_whole(struct verification *v, struct error *err)
{
	struct document *d = document_parse(&v->text, v->format, v->file->path, err);
	int rc = d == NULL ? -1 : document_problem(d, err);
	bool right;

	for (size_t i = 0; i < edits_count(v->file->edits) && rc == 0; i++) {
		struct edit e = edits_at(v->file->edits, i);
		size_t entry = document_find(d, e.key, e.key_len);

		if (e.kind == EDIT_SPLICE &&
		    document_shadowed(edits_document(v->file->edits), e.entry))
			continue;
		right = entry == DOCUMENT_NONE;
		if (e.kind != EDIT_REMOVE && entry != DOCUMENT_NONE)
			rc = check_value(v, d, entry, &e, &right, err);
		else if (e.kind != EDIT_REMOVE)
			right = false;
		if (rc == 0 && !right)
			rc = unexpected(e.key, e.key_len, err);
	}
	document_free(d);
	return rc;
}

int
verification_end(struct verification *v, struct error *err)
{
	int rc = !v->format->lines ? look_at_whole(v, err) : look_at_lines(v, true, err);

	if (rc == 0 && v->format->lines)
		rc = check_changes(v, err);
	return rc == 0 ? 0 : as_damage(v->file, err);
}

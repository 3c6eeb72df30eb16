#include "seal/seal.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/secmem.h"
#include "crypto/mac.h"
#include "document/document.h"
#include "document/edits.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "secrets/reference.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "trail/trail.h"

struct undoing {
	struct plan *plan;
	struct configuration *const *configs;
	size_t config_count;
	struct digest *digest;
	size_t count;
};

/* Is a value what it was, what the change made of it, or another? */
enum stand { STAND_WAS, STAND_NOW, STAND_OTHER };

static int
entry_stand(const struct undoing *u, const struct kept_entry *x, const struct document *d,
    size_t i, enum stand *out, struct error *err)
{
	unsigned char sum[DIGEST_SHA256];
	char text[KEPT_HASH + 1];
	struct buf value;
	int rc = 0;

	*out = STAND_OTHER;
	if (i == DOCUMENT_NONE) {
		*out = x->was == NULL ? STAND_WAS : x->now == NULL ? STAND_NOW : STAND_OTHER;
		return 0;
	}
	if (x->was != NULL && document_value_is(d, i, x->was, strlen(x->was))) {
		*out = STAND_WAS;
		return 0;
	}
	if (x->now == NULL)
		return 0;
	buf_init_secret(&value, BUF_MAX_FILE);
	rc = document_value(d, i, &value, err);
	if (rc == 0 && digest_sha256(u->digest, value.data, value.len, sum) != 0)
		rc = error_set(err, ERROR_CRYPTO, "no hash can be made");
	buf_release(&value);
	if (rc == 0) {
		hex_text(sum, sizeof(sum), text);
		if (memcmp(text, x->now, KEPT_HASH) == 0)
			*out = STAND_NOW;
	}
	return rc;
}

static int
refuse_changed(const char *path, const struct document *d, size_t i, const struct kept_entry *x,
    struct error *err)
{
	error_set(err, ERROR_STALE, i == DOCUMENT_NONE ? "it was removed since: nothing is undone" :
	    x->now == NULL ? "it was added again since: nothing is undone" :
	    "it was changed again since: nothing is undone");
	error_place(err, path, i == DOCUMENT_NONE ? 0 : document_line(d, i));
	error_key(err, x->key, strlen(x->key));
	return error_hint(err, "undo what came after it first, the newest first: `propseal log "
	    "show --file FILE --key KEY` lists it");
}

/* Where a new line goes: behind the entry that it stood behind, if that is there. */
static size_t
entry_place(const struct document *d, const struct kept_entry *x)
{
	return x->after != NULL ? document_find(d, x->after, strlen(x->after)) : DOCUMENT_NONE;
}

/* --- a sealed entry --- */

/* Does what is kept open, under the data key of the file as it is, and was it sealed for this
 * entry? */
static int
sealed_check(const struct undoing *u, const struct kept_entry *x, struct error *err)
{
	struct secrets_file *s = plan_secrets(u->plan);
	char tag[TAG_TEXT + 1];
	struct sealed parts;
	struct error why;
	size_t n = strlen(x->was);
	int rc = 0;

	if (sealed_parse(x->was, n, &parts, &why) != 0) {
		error_set(err, ERROR_DAMAGED, "what is kept of it is no sealed value");
		rc = -1;
	} else if (x->tag != NULL && tagger_text(secrets_file_tagger(s), x->key, strlen(x->key),
	    x->was, n, tag, err) != 0) {
		return -1;
	} else if (x->tag != NULL && (strlen(x->tag) != TAG_TEXT ||
	    !secret_equal(tag, TAG_TEXT, x->tag, TAG_TEXT))) {
		error_set(err, ERROR_KEY, "the value before was sealed under another data key, or "
		    "was not sealed for this entry: nothing is undone");
		rc = error_hint(err, "where the data key was rotated since, a backup of before and "
		    "the old master key have the value");
	} else if (x->tag == NULL && parts.cipher == SEALED_CBC) {
		error_set(err, ERROR_REFUSED, "the value before is in the old AES-CBC form and had "
		    "no tag: nothing proves it, and nothing is undone");
		rc = error_hint(err, "set the value with `propseal file update`");
	} else if (sealed_open(secrets_file_cipher(s), x->was, n, plan_scratch(u->plan),
	    &why) != 0) {
		error_set(err, ERROR_KEY, "the value before does not open with the data key of the "
		    "file: nothing is undone");
		rc = error_hint(err, "where the data key was rotated since, a backup of before and "
		    "the old master key have the value");
	}
	if (rc != 0) {
		error_place(err, secrets_file_path(s), 0);
		error_key(err, x->key, strlen(x->key));
	}
	return rc;
}

/* The tag of before; where there was none, nothing proves the value, and none is made. */
static int
sealed_put_tag(struct undoing *u, const struct kept_entry *x, size_t i, size_t place,
    struct error *err)
{
	struct edits *e = plan_secrets_edits(u->plan, err);
	const struct document *d = secrets_file_document(plan_secrets(u->plan));
	struct buf key;
	size_t tag;
	int rc;

	if (e == NULL || tag_find(d, x->key, strlen(x->key), i, &tag, err) != 0)
		return -1;
	if (x->tag == NULL)
		return tag == DOCUMENT_NONE ? 0 : edits_remove(e, tag, err);
	if (tag != DOCUMENT_NONE)
		return edits_set(e, tag, x->tag, strlen(x->tag), err);
	buf_init(&key, BUF_MAX_FILE);
	buf_append_str(&key, TAG_PREFIX);
	buf_append_str(&key, x->key);
	rc = buf_check(&key, err);
	if (rc == 0)
		rc = edits_insert(e, i != DOCUMENT_NONE ? i : place, (const char *)key.data,
		    key.len, x->tag, strlen(x->tag), err);
	buf_release(&key);
	return rc;
}

static int
refuse_used(const char *path, size_t line, const struct kept_entry *x, struct error *err)
{
	error_set(err, ERROR_REFUSED, "the entry on this line refers to what the change sealed: "
	    "nothing is undone");
	error_place(err, path, line);
	error_key(err, x->key, strlen(x->key));
	return error_hint(err, "it would find nothing any more: remove that entry first");
}

/* Remove what the change has sealed, if nothing else came to refer to it. */
static int
sealed_remove(struct undoing *u, const struct kept_entry *x, struct error *err)
{
	const size_t n = strlen(x->key);
	size_t user, line, count;
	const char *path;
	int rc;

	for (size_t i = 0; i < u->config_count; i++) {
		struct configuration *c = u->configs[i];

		if (configuration_borrower(c, x->key, n, &user, err) != 0)
			return -1;
		if (user != DOCUMENT_NONE)
			return refuse_used(c->path, document_line(c->doc, user), x, err);
	}
	if ((rc = plan_user(u->plan, NULL, x->key, n, &path, &line, err)) != 0)
		return rc == -1 ? -1 : refuse_used(path, line, x, err);
	plan_set_order(u->plan, true);
	return plan_remove_sealed(u->plan, x->key, n, &count, err);
}

static int
sealed_undo(struct undoing *u, const struct kept_entry *x, struct error *err)
{
	struct secrets_file *s = plan_secrets(u->plan);
	const struct document *d = secrets_file_document(s);
	struct edits *e = plan_secrets_edits(u->plan, err);
	size_t i = secrets_file_find(s, x->key, strlen(x->key)), place;
	enum stand stand;

	if (e == NULL || entry_stand(u, x, d, i, &stand, err) != 0)
		return -1;
	if (stand == STAND_WAS)
		return 0;
	if (stand == STAND_OTHER)
		return refuse_changed(secrets_file_path(s), d, i, x, err);
	u->count++;
	if (x->was == NULL)
		return sealed_remove(u, x, err);
	place = entry_place(d, x);
	if (sealed_check(u, x, err) != 0 || (i != DOCUMENT_NONE ?
	    edits_set(e, i, x->was, strlen(x->was), err) :
	    edits_insert(e, place, x->key, strlen(x->key), x->was, strlen(x->was), err)) != 0)
		return -1;
	return sealed_put_tag(u, x, i, place, err);
}

/* --- an entry of a configuration --- */

static int
reference_undo(struct undoing *u, struct configuration *c, const struct kept_entry *x,
    struct error *err)
{
	struct edits *e = plan_config_edits(u->plan, c, err);
	size_t i = document_find(c->doc, x->key, strlen(x->key));
	struct reference r;
	enum stand stand;

	if (e == NULL || entry_stand(u, x, c->doc, i, &stand, err) != 0)
		return -1;
	if (stand == STAND_WAS)
		return 0;
	if (stand == STAND_OTHER)
		return refuse_changed(c->path, c->doc, i, x, err);
	u->count++;
	if (x->was == NULL) {
		plan_set_order(u->plan, true);
		for (size_t before; i != DOCUMENT_NONE; i = before) {
			before = document_previous(c->doc, i);
			if (edits_remove(e, i, err) != 0)
				return -1;
		}
		return 0;
	}
	if (!reference_parse(x->was, strlen(x->was), &r) || !reference_is_ours(&r)) {
		error_set(err, ERROR_DAMAGED, "what is kept of it is no reference");
		error_place(err, c->path, 0);
		return error_key(err, x->key, strlen(x->key));
	}
	return i != DOCUMENT_NONE ? edits_set(e, i, x->was, strlen(x->was), err) :
	    edits_insert(e, entry_place(c->doc, x), x->key, strlen(x->key), x->was,
	    strlen(x->was), err);
}

int
undo_plan(struct plan *p, struct configuration *const configs[], const struct kept *k,
    size_t *count, struct error *err)
{
	struct undoing u = { .plan = p, .configs = configs };
	size_t at = 0;
	int rc = 0;

	if (k->why != NULL)
		return error_set(err, ERROR_REFUSED, "it cannot be undone: %s", k->why);
	if (plan_secrets(p) != NULL && secrets_file_cipher(plan_secrets(p)) == NULL)
		return error_set(err, ERROR_KEY, "the secrets file is locked");
	if ((u.digest = digest_new(err)) == NULL)
		return -1;
	for (size_t i = 0; i < k->files.len; i++)
		u.config_count += !((const struct kept_file *)vec_at(&k->files, i))->is_secrets;
	for (size_t i = 0; rc == 0 && i < k->files.len; i++) {
		const struct kept_file *f = vec_at(&k->files, i);
		struct configuration *c = f->is_secrets ? NULL : configs[at++];

		for (size_t n = 0; rc == 0 && n < f->entries.len; n++)
			rc = f->is_secrets ? sealed_undo(&u, vec_at(&f->entries, n), err) :
			    reference_undo(&u, c, vec_at(&f->entries, n), err);
	}
	digest_free(u.digest);
	*count = u.count;
	return rc;
}

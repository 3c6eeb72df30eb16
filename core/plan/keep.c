#include "plan/apply.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "crypto/mac.h"
#include "document/document.h"
#include "document/edits.h"
#include "file/file.h"
#include "plan/plan.h"
#include "secrets/reference.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "trail/trail.h"

#define PROVIDERS "config.providers"

static const char keys_changed[] = "it made or changed keys: a rotation has a way back of its own "
    "until it is finished (`propseal rotation rollback`)";
static const char whole_file[] = "it wrote a whole file";
static const char clear_text[] = "there was clear text before it, and clear text is never kept: "
    "`propseal file decrypt` opens what is sealed now";
static const char part_of_value[] = "it changed a part of a value, such as an option of JAAS, and "
    "what stands around that may be clear text, which is never kept: `propseal file add` and "
    "`remove` change the part again";
static const char too_large[] = "it changed more than is kept of one change";

struct keeping {
	const struct plan *plan;
	struct json_out o;
	struct digest *digest;
	const char *why;	/* why the plan cannot be undone; NULL: it can */
};

static bool
key_begins(const struct edit *e, const char *head)
{
	return e->key_len >= strlen(head) && memcmp(e->key, head, strlen(head)) == 0;
}

/* What is written beside an entry, and stays when that is taken back. */
static bool
is_beside(const struct edit *e, bool is_secrets)
{
	return is_secrets ? tag_names(e->key, e->key_len) ||
	    metadata_is_remote(e->key, e->key_len) : key_begins(e, PROVIDERS);
}

/* May the value be kept: is it sealed, or a reference and nothing else? */
static bool
may_keep(const struct keeping *k, const struct document *d, size_t i, bool is_secrets)
{
	struct reference r;
	struct buf value;
	bool ours;

	if (is_secrets)
		return secrets_file_is_sealed(plan_secrets(k->plan), i);
	buf_init_secret(&value, BUF_MAX_FILE);
	ours = document_value(d, i, &value, NULL) == 0 &&
	    reference_parse((const char *)value.data, value.len, &r) && reference_is_ours(&r);
	buf_release(&value);
	return ours;
}

static bool
may_become(const struct edit *e, bool is_secrets)
{
	static const char sealed[] = "ENC[";
	struct reference r;

	return is_secrets ? e->value_len >= sizeof(sealed) - 1 &&
	    memcmp(e->value, sealed, sizeof(sealed) - 1) == 0 :
	    reference_parse(e->value, e->value_len, &r) && reference_is_ours(&r);
}

/* Was there a reference, or nothing, where a part of a value was changed? */
static bool
splice_was_sealed(const struct edit *e, const struct document *d)
{
	size_t start, end = 0;
	struct reference r;
	struct buf value;
	bool ours = e->from == e->to;

	buf_init_secret(&value, BUF_MAX_FILE);
	if (!ours && document_value(d, e->entry, &value, NULL) == 0)
		while (!ours && resolve_next((const char *)value.data + e->from, e->to - e->from,
		    end, &r, &start, &end))
			ours = reference_is_ours(&r);
	buf_release(&value);
	return ours;
}

/* Why an edit cannot be taken back; NULL: it can. */
static const char *
edit_why(const struct keeping *k, const struct edit *e, const struct document *d, bool is_secrets)
{
	if (is_secrets && key_begins(e, "_metadata."))
		return keys_changed;
	if (e->kind == EDIT_SPLICE)
		return splice_was_sealed(e, d) ? part_of_value : clear_text;
	if ((e->kind != EDIT_INSERT && !document_shadowed(d, e->entry) &&
	    !may_keep(k, d, e->entry, is_secrets)) ||
	    (e->kind != EDIT_REMOVE && !may_become(e, is_secrets)))
		return clear_text;
	return NULL;
}

static const char *
file_why(const struct keeping *k, const struct plan_file *f)
{
	const char *why = NULL;

	if (f->role == PLAN_OUTPUT || f->content != NULL)
		return whole_file;
	for (size_t i = 0; why == NULL && i < edits_count(f->edits); i++) {
		struct edit e = edits_at(f->edits, i);

		if (!is_beside(&e, f->role == PLAN_SECRETS))
			why = edit_why(k, &e, edits_document(f->edits), f->role == PLAN_SECRETS);
	}
	return why;
}

/* --- what is kept of one file --- */

static int
put_value(struct keeping *k, const char *name, const struct document *d, size_t i,
    struct error *err)
{
	struct buf value;
	int rc;

	buf_init_secret(&value, BUF_MAX_FILE);
	if ((rc = document_value(d, i, &value, err)) == 0)
		json_out_text_n(&k->o, name, value.data, value.len);
	buf_release(&value);
	return rc;
}

static int
put_hash(struct keeping *k, const struct edit *e, struct error *err)
{
	unsigned char sum[DIGEST_SHA256];
	char text[KEPT_HASH + 1];

	if (digest_sha256(k->digest, e->value, e->value_len, sum) != 0)
		return error_set(err, ERROR_CRYPTO, "no hash can be made");
	hex_text(sum, sizeof(sum), text);
	json_out_text_n(&k->o, "now", text, KEPT_HASH);
	return 0;
}

/* ${removed}: which entries of the document will be gone. */
static int
put_entry(struct keeping *k, const struct edit *e, const struct document *d, const bool *removed,
    bool is_secrets, struct error *err)
{
	size_t at = e->entry, tag = DOCUMENT_NONE, len;
	const char *key;
	int rc = 0;

	json_out_object(&k->o, NULL);
	json_out_text_n(&k->o, "key", e->key, e->key_len);
	if (e->kind != EDIT_INSERT)
		rc = put_value(k, "was", d, at, err);
	if (rc == 0 && e->kind != EDIT_REMOVE)
		rc = put_hash(k, e, err);
	if (rc == 0 && is_secrets && e->kind != EDIT_INSERT)
		rc = tag_find(d, e->key, e->key_len, at, &tag, err);
	if (rc == 0 && tag != DOCUMENT_NONE)
		rc = put_value(k, "tag", d, tag, err);
	if (rc == 0 && e->kind == EDIT_REMOVE) {
		while (at > 0 && removed[at - 1])
			at--;
		if (at > 0) {
			key = document_key(d, at - 1, &len);
			json_out_text_n(&k->o, "after", key, len);
		}
	}
	json_out_end(&k->o);
	return rc;
}

static int
put_file(struct keeping *k, const struct plan_file *f, struct error *err)
{
	const struct document *d = edits_document(f->edits);
	bool is_secrets = f->role == PLAN_SECRETS;
	bool *removed = calloc(document_count(d) + 1, sizeof(*removed));
	struct path where = PATH_NONE;
	int rc = removed == NULL ? error_memory(err) : 0;

	for (size_t i = 0; rc == 0 && i < edits_count(f->edits); i++) {
		struct edit e = edits_at(f->edits, i);

		if (e.kind == EDIT_REMOVE)
			removed[e.entry] = true;
	}
	json_out_object(&k->o, NULL);
	json_out_text(&k->o, "file", path_open(&where, f->path, NULL) == 0 ? where.real : f->path);
	path_close(&where);
	json_out_bool(&k->o, "secrets", is_secrets);
	json_out_array(&k->o, "entries");
	for (size_t i = 0; rc == 0 && i < edits_count(f->edits); i++) {
		struct edit e = edits_at(f->edits, i);

		if (!is_beside(&e, is_secrets) &&
		    (e.kind == EDIT_INSERT || !document_shadowed(d, e.entry)))
			rc = put_entry(k, &e, d, removed, is_secrets, err);
	}
	json_out_end(&k->o);
	json_out_end(&k->o);
	free(removed);
	return rc;
}

/* --- all of them --- */

static int
keep_text(struct keeping *k, struct buf *out, struct error *err)
{
	const struct plan_file *f = NULL;
	int rc = 0;

	json_out_init(&k->o, out);
	json_out_object(&k->o, NULL);
	json_out_text(&k->o, "schema", KEPT_SCHEMA);
	if (k->why != NULL)
		json_out_text(&k->o, "why", k->why);
	json_out_array(&k->o, "files");
	while (rc == 0 && k->why == NULL && (f = plan_next(k->plan, f)) != NULL)
		rc = put_file(k, f, err);
	json_out_end(&k->o);
	json_out_end(&k->o);
	return rc == 0 ? json_out_check(&k->o, err) : -1;
}

int
keep_change(const struct plan *p, const struct trail *t, uint64_t change, struct error *err)
{
	struct keeping k = { .plan = p, .digest = digest_new(err) };
	const struct plan_file *f = NULL;
	struct error why;
	struct buf text;
	int rc = 0;

	if (k.digest == NULL)
		return -1;
	while (k.why == NULL && (f = plan_next(p, f)) != NULL)
		k.why = file_why(&k, f);
	buf_init(&text, KEPT_MAX_ONE);
	if (t->keep_days > 0 && keep_text(&k, &text, &why) != 0) {
		if (why.code == ERROR_LIMIT) {
			buf_clear(&text);
			k.why = too_large;
			rc = keep_text(&k, &text, err);
		} else {
			*err = why;
			rc = -1;
		}
	}
	if (rc == 0)
		rc = kept_write(t, change, &text, err);
	buf_release(&text);
	digest_free(k.digest);
	return rc;
}

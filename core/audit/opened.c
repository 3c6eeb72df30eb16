#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "document/jaas.h"
#include "estate/environments.h"
#include "secrets/key_source.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/*
 * What is told of a secrets file by opening its entries, and of how old they
 * are.  An opened value is summed and wiped before the next one.
 */

#define CLEAR_MAX ((size_t)1 << 26)

/* A secret in clear text. */
struct opened_clear {
	uint64_t value;
	size_t finding;
};

/* The file at hand. */
struct opened {
	struct audit_source s;		/* what findings are of */
	const struct secrets_file *secrets;
	const struct vec *clear;
	bool told;			/* that something in it must not be opened */
};

static int
opened_by_value(const void *x, const void *y)
{
	const struct opened_clear *a = x, *b = y;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return a->finding < b->finding ? -1 : a->finding > b->finding;
}

int
audit_opened_clear(const struct audit *a, struct vec *out, struct error *err)
{
	struct opened_clear *slot;

	vec_init(out, sizeof(struct opened_clear), CLEAR_MAX);
	for (size_t i = 0; i < a->findings.len; i++) {
		const struct audit_finding *f = audit_finding(a, i);

		if (f->value == 0 || f->suppressed)
			continue;
		if ((slot = vec_push(out)) == NULL)
			return error_memory(err);
		*slot = (struct opened_clear){ f->value, i };
	}
	if (out->len > 0)
		qsort(out->items, out->len, sizeof(struct opened_clear), opened_by_value);
	return 0;
}

/* Where entry ${i} stands. */
static struct audit_finding
opened_region(const struct opened *o, size_t i)
{
	const size_t line = document_line(secrets_file_document(o->secrets), i);

	return (struct audit_finding){ .line = line, .end_line = line, .column = 1,
		.end_column = 1 };
}

static int
opened_add(struct opened *o, enum audit_rule rule, size_t i, struct error *err)
{
	const struct audit_finding region = opened_region(o, i);
	const char *key;
	size_t len;

	if (o->s.file == AUDIT_NONE)
		return 0;
	key = document_key(secrets_file_document(o->secrets), i, &len);
	return audit_add(&o->s, rule, key, len, &region, err) != NULL ? 0 : -1;
}

/* Keep where entry ${i} is: its place in a->sealed, AUDIT_NONE: no memory. */
static size_t
opened_place(struct opened *o, size_t i, struct error *err)
{
	const struct document *d = secrets_file_document(o->secrets);
	struct audit_place *p = vec_push(&o->s.a->sealed);
	const char *key;

	if (p == NULL) {
		error_memory(err);
		return AUDIT_NONE;
	}
	key = document_key(d, i, &p->key_len);
	p->key = text_copy(key, p->key_len);
	p->file = strdup(o->s.file != AUDIT_NONE ? audit_file(o->s.a, o->s.file) :
	    secrets_file_path(o->secrets));
	p->line = document_line(d, i);
	p->why = "where it is sealed";
	if (p->key == NULL || p->file == NULL) {
		error_memory(err);
		return AUDIT_NONE;
	}
	return o->s.a->sealed.len - 1;
}

/* Does the value of entry ${i}, or a part of it, stand anywhere in clear text? */
static int
opened_compare(struct opened *o, size_t i, const void *value, size_t n, struct error *err)
{
	struct audit *a = o->s.a;
	const struct opened_clear *all = o->clear->items;
	size_t low = 0, high = o->clear->len, place = AUDIT_NONE;
	uint64_t sum;

	if (n > 0 && a->o->log_count > 0 &&
	    ((place = opened_place(o, i, err)) == AUDIT_NONE ||
	    audit_logs_keep(a, value, n, place, err) != 0))
		return -1;
	if (high == 0 || n == 0)
		return 0;
	sum = audit_sum(a, value, n);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all[middle].value < sum)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < o->clear->len && all[low].value == sum; low++) {
		const struct audit_finding f = *audit_finding(a, all[low].finding);
		struct audit_source s = { .a = a, .file = f.file, .form = f.form };
		struct audit_finding *added;

		/* Sealed in two places it is told once. */
		if (f.sealed != AUDIT_NONE)
			continue;
		if (place == AUDIT_NONE && (place = opened_place(o, i, err)) == AUDIT_NONE)
			return -1;
		audit_finding(a, all[low].finding)->sealed = place;
		added = audit_add(&s, AUDIT_SEALED_AND_CLEAR, f.key, f.key_len, &f, err);
		if (added == NULL)
			return -1;
		added->sealed = place;
	}
	return 0;
}

/* The passwords of JAAS, which is sealed as a whole. */
static int
opened_compare_options(struct opened *o, size_t i, const struct buf *value, struct error *err)
{
	const char *text = (const char *)value->data;
	struct jaas_option x;
	struct error why;
	struct jaas *j;
	int rc = 0;

	if ((o->clear->len == 0 && o->s.a->o->log_count == 0) ||
	    memmem(text, value->len, "LoginModule ", 12) == NULL)
		return 0;
	if ((j = jaas_parse(text, value->len, &why)) == NULL)
		return why.code == ERROR_MEMORY ? error_memory(err) : 0;
	for (size_t k = 0; rc == 0 && k < jaas_count(j); k++) {
		x = jaas_option(j, k);
		if (jaas_option_is_secret(x.name, x.name_len))
			rc = opened_compare(o, i, text + x.inner_from, x.inner_to - x.inner_from,
			    err);
	}
	jaas_free(j);
	return rc;
}

/* Is it told already that the entry has not even the form of one? */
static bool
opened_is_malformed(const struct document *d, size_t i)
{
	struct sealed parts;
	struct buf text;
	bool malformed;

	buf_init_secret(&text, BUF_MAX_FILE);
	malformed = document_value(d, i, &text, NULL) != 0 ||
	    sealed_parse(text.data, text.len, &parts, NULL) != 0;
	buf_release(&text);
	return malformed;
}

/* What an entry that did not open, for ${why}, is told as. */
static int
opened_refused(struct opened *o, size_t i, const struct error *why, struct error *err)
{
	switch (why->code) {
	case ERROR_DAMAGED:
		return opened_is_malformed(secrets_file_document(o->secrets), i) ? 0 :
		    opened_add(o, AUDIT_DAMAGED, i, err);
	case ERROR_KEY:
	case ERROR_REFUSED:
		/* Of entries in CBC nothing is said one by one (secrets/secrets_file.h). */
		if (o->told)
			return 0;
		o->told = true;
		return audit_keep_unread(&o->s.a->locked, o->s.file != AUDIT_NONE ?
		    audit_file(o->s.a, o->s.file) : secrets_file_path(o->secrets), why->text, err);
	default:
		*err = *why;
		return -1;
	}
}

static int
opened_entry(struct opened *o, size_t i, struct error *err)
{
	enum tag_state state;
	struct error why;
	struct buf value;
	int rc;

	if (secrets_file_tag(o->secrets, i, &state, NULL, err) != 0)
		return -1;
	if (state == TAG_EXCHANGED)
		return opened_add(o, AUDIT_EXCHANGED, i, err);
	if (state == TAG_STALE && opened_add(o, AUDIT_STALE, i, err) != 0)
		return -1;
	buf_init_secret(&value, BUF_MAX_FILE);
	if (secrets_file_open(o->secrets, i, &value, &why) != 0)
		rc = opened_refused(o, i, &why, err);
	else if ((rc = opened_compare(o, i, value.data, value.len, err)) == 0)
		rc = opened_compare_options(o, i, &value, err);
	buf_release(&value);
	return rc;
}

/* The data key is as old as it says; the entries are as old as the file at least. */
static int
opened_ages(struct opened *o, struct error *err)
{
	static const char created[] = SECRETS_CREATED_AT;
	const struct document *d = secrets_file_document(o->secrets);
	const struct file_id *id = secrets_file_id(o->secrets);
	const int64_t changed = id->exists ? 1000 * (int64_t)id->mtime.tv_sec : 0;
	const size_t at = document_find(d, created, sizeof(created) - 1);
	struct audit_finding region;
	const char *key;
	size_t len;
	int rc = 0;

	if (o->s.file == AUDIT_NONE)
		return 0;
	if (at != DOCUMENT_NONE) {
		region = opened_region(o, at);
		rc = audit_judge_age(&o->s, created, sizeof(created) - 1, &region,
		    metadata_created(secrets_file_metadata(o->secrets)),
		    "`propseal file rotate --data-key` makes a new "
		    "data key, and seals all entries anew", err);
	}
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		if (!secrets_file_is_sealed(o->secrets, i))
			continue;
		key = document_key(d, i, &len);
		region = opened_region(o, i);
		rc = audit_judge_age(&o->s, key, len, &region, changed, NULL, err);
	}
	return rc;
}

int
audit_opened(struct audit *a, struct environment *x, size_t file, const struct vec *clear,
    struct error *err)
{
	struct opened o = { .s = { .a = a, .file = file, .form = FORM_PROPERTIES },
		.secrets = x->secrets, .clear = clear };
	const struct document *d = secrets_file_document(x->secrets);
	int rc = a->o->max_age > 0 ? opened_ages(&o, err) : 0;

	if (rc != 0 || secrets_file_sealed_count(x->secrets) == 0)
		return rc;
	if (secrets_file_cipher(x->secrets) == NULL)
		return audit_keep_unread(&a->locked, file != AUDIT_NONE ? audit_file(a, file) :
		    x->path, a->o->keys != NULL && key_ring_count(a->o->keys) > 0 ?
		    "locked: no key that was given opens it" : "locked: there is no key", err);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++)
		if (secrets_file_is_sealed(x->secrets, i))
			rc = opened_entry(&o, i, err);
	return rc;
}

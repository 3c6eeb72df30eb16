#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "document/document.h"
#include "secrets/inspect.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/*
 * .properties and JSON, the forms that Kafka reads: secrets files, and what a
 * configuration says other than whoever wrote it meant.
 */

#define WEAK_ITERATIONS 100000

/* --- secrets files --- */

/* Of one entry: what is wrong.  AUDIT_RULES: nothing. */
static enum audit_rule
source_of_sealed(const struct document *d, size_t i, const struct buf *value, size_t tags,
    const char *key, size_t len)
{
	struct sealed parts;
	struct buf tag;
	enum audit_rule rule = AUDIT_RULES;

	if (strlen(SECRETS_DATA_KEY) == len && memcmp(key, SECRETS_DATA_KEY, len) == 0 &&
	    !sealed_claims(value->data, value->len))
		return AUDIT_DAMAGED;
	if (!sealed_claims(value->data, value->len))
		return metadata_is_key(d, i) || tag_names(key, len) || value->len == 0 ?
		    AUDIT_RULES : AUDIT_UNSEALED;
	if (sealed_parse(value->data, value->len, &parts, NULL) != 0)
		return AUDIT_DAMAGED;
	if (parts.cipher == SEALED_CBC)
		return AUDIT_LEGACY_CIPHER;
	if (tags == 0 || metadata_is_key(d, i))
		return AUDIT_RULES;
	buf_init(&tag, BUF_MAX_FILE);
	buf_append_str(&tag, TAG_PREFIX);
	buf_append(&tag, key, len);
	if (!tag.failed && document_find(d, (const char *)tag.data, tag.len) == DOCUMENT_NONE)
		rule = AUDIT_UNTAGGED;
	buf_release(&tag);
	return rule;
}

static int
source_secrets_entries(struct audit_source *s, const struct document *d, struct error *err)
{
	static const char iterations[] = "_metadata.symmetric_key.0.iterations";
	const char *base = (const char *)document_bytes(d)->data, *raw, *key;
	size_t len, n, tags = 0;
	struct audit_finding region;
	enum audit_rule rule;
	struct buf value;
	int rc = 0;

	for (size_t i = 0; i < document_count(d); i++) {
		key = document_key(d, i, &len);
		tags += tag_names(key, len);
	}
	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		key = document_key(d, i, &len);
		raw = (const char *)document_raw_value(d, i, &n);
		buf_clear(&value);
		if ((rc = document_value(d, i, &value, err)) != 0)
			break;
		rule = source_of_sealed(d, i, &value, tags, key, len);
		if (len == sizeof(iterations) - 1 && memcmp(key, iterations, len) == 0 &&
		    strtoul(buf_cstr(&value), NULL, 10) < WEAK_ITERATIONS)
			rule = AUDIT_WEAK_KDF;
		if (rule == AUDIT_RULES)
			continue;
		audit_source_region(s, (size_t)(raw - base), (size_t)(raw - base) + n, &region);
		if (audit_add(s, rule, key, len, &region, err) == NULL)
			rc = -1;
	}
	buf_release(&value);
	return rc;
}

static int
source_secrets_file(struct audit_source *s, const struct document *d, struct error *err)
{
	/* What refers to it refers to the file that it is a copy of. */
	if (s->backup)
		return s->conflict ? 0 : source_secrets_entries(s, d, err);
	if (vec_push_string(&s->a->folders, s->name, audit_folder_length(s->name)) == NULL)
		return error_memory(err);
	if (audit_note_secrets(s, err) != 0)
		return -1;
	/* Which of its entries are there is not settled yet. */
	return s->conflict ? 0 : source_secrets_entries(s, d, err);
}

/* --- what is not as it was meant --- */

/* AUDIT_RULES: it is nothing of an audit. */
static enum audit_rule
source_rule(const struct audit_source *s, const char *kind)
{
	static const struct {
		const char *kind;
		enum audit_rule rule;
	} rules[] = {
		{ "cut-value", AUDIT_CUT }, { "jaas", AUDIT_JAAS },
		{ "provider-parameter", AUDIT_PROVIDER },
		{ "unclosed-reference", AUDIT_MALFORMED_REFERENCE },
		{ INSPECT_BYTE_ORDER_MARK, AUDIT_RULES },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].kind, kind) == 0)
			return rules[i].rule;
	return s->backup ? AUDIT_BACKUP : AUDIT_CLEAR_TEXT;
}

static bool
source_is_before(const struct audit_finding *f, size_t line, size_t column)
{
	return f->line < line || (f->line == line && f->column < column);
}

/* Is it told already of what stands at the region?  From ${*at}, where to go on, up to ${end}
 * findings are in the order of their places. */
static bool
source_is_told(const struct audit_source *s, enum audit_rule rule,
    const struct audit_finding *region, size_t *at, size_t end)
{
	const struct audit_finding *f;

	for (; *at < end; ++*at)
		if (!source_is_before(audit_finding(s->a, *at), region->line, region->column))
			break;
	for (size_t i = *at; i < end; i++) {
		f = audit_finding(s->a, i);
		if (!source_is_before(f, region->end_line, region->end_column))
			break;
		if (f->rule == rule || (rule == AUDIT_CLEAR_TEXT && f->level == AUDIT_ERROR))
			return true;
	}
	return false;
}

/* ${at}: the first finding of what its entries hold. */
static int
source_inspect(struct audit_source *s, const struct document *d, size_t at, struct error *err)
{
	const char *base = (const char *)document_bytes(d)->data, *raw, *key;
	const size_t end = s->a->findings.len;
	struct audit_finding region, *f;
	const struct remark *x;
	enum audit_rule rule;
	struct vec remarks;
	size_t len, n;
	int rc;

	vec_init(&remarks, sizeof(struct remark), SIZE_MAX / sizeof(struct remark));
	rc = inspect_document(s->a->o->rules, d, NULL, &remarks, err);
	for (size_t i = 0; rc == 0 && i < remarks.len; i++) {
		x = vec_at(&remarks, i);
		if (x->level == REMARK_PART || x->entry == DOCUMENT_NONE)
			continue;
		key = document_key(d, x->entry, &len);
		raw = (const char *)document_raw_value(d, x->entry, &n);
		audit_source_region(s, (size_t)(raw - base), (size_t)(raw - base) + n, &region);
		rule = source_rule(s, x->kind);
		if (rule == AUDIT_RULES || source_is_told(s, rule, &region, &at, end))
			continue;
		f = audit_add(s, rule, key, x->hides_key ? 0 : len, &region, err);
		if (f == NULL)
			rc = -1;
		else if (rule == AUDIT_PROVIDER) {
			f->message = "a reference in a parameter of a config provider";
			f->hint = "write its value there in clear text, in a file that only the "
			    "service reads: no provider resolves those of the providers";
		} else if (strcmp(x->kind, INSPECT_JAAS_COMMENT) == 0) {
			f->message = "a password in a comment of a JAAS value";
			f->hint = x->hint;
		}
	}
	vec_release(&remarks);
	return rc;
}

/* What `propseal seal` passes over is not to be told with it.  Findings from ${first} on are of
 * entries of ${d}, or of parts of their values. */
static int
source_unsealable(struct audit_source *s, const struct document *d, size_t first,
    struct error *err)
{
	const struct buf *bytes = document_bytes(d);
	const char *text = (const char *)bytes->data;
	size_t at = 0, i;
	struct clear_count found;
	struct audit_finding *f;
	struct buf value;
	int rc = 0;

	while (at < bytes->len && strchr(" \t\r\n", text[at]) != NULL)
		at++;
	buf_init_secret(&value, BUF_MAX_FILE);
	for (; rc == 0 && s->depth == 0 && s->origin == AUDIT_FROM_FILE &&
	    first < s->a->findings.len; first++) {
		f = audit_finding(s->a, first);
		if ((f->rule != AUDIT_CLEAR_TEXT && f->rule != AUDIT_PRIVATE_KEY) ||
		    f->hint != NULL)
			continue;
		if (document_format(d) == &document_json && at < bytes->len && text[at] == '[') {
			f->hint = "a list has no place for a provider, so nothing in it is sealed: "
			    "take it out where the file is made (of a container: secretKeyRef, a "
			    "mounted secret, or `propseal exec`)";
			continue;
		}
		i = document_find(d, f->key, f->key_len);
		if (i == DOCUMENT_NONE)
			continue;
		found = (struct clear_count){ 0 };
		rc = clear_in_entry(s->a->o->rules, d, i, &value, &found, err);
		if (rc != 0 || found.clear > 0)
			continue;
		if (document_format(d)->lines && f->line < document_line(d, i))
			f->hint = "take the line out: a later one of its key counts, and no reader "
			    "uses it";
		else
			f->hint = "its key does not tell it to `propseal seal`: name it (`propseal "
			    "file encrypt --config KEY`), and start the program with what "
			    "`propseal render` makes of the file";
	}
	buf_release(&value);
	return rc;
}

int
audit_source_document(struct audit_source *s, enum form form, const struct form_reader *r,
    bool *sealed, struct error *err)
{
	const size_t first = s->a->findings.len;
	struct document *d;
	struct buf content;
	int rc = -1;

	*sealed = false;
	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append(&content, s->text, s->n);
	d = buf_check(&content, err) == 0 ? document_parse(&content, form == FORM_JSON ?
	    &document_json : &document_properties, s->name, err) : NULL;
	if (d != NULL && form == FORM_PROPERTIES && s->depth == 0 &&
	    memmem(s->text, s->n, "_metadata", 9) != NULL && secrets_file_recognise(d)) {
		*sealed = s->is_secrets = true;
		rc = source_secrets_file(s, d, err);
	} else if (d != NULL) {
		s->unresolved = s->unresolved || (memmem(s->text, s->n, REFERENCE_PROVIDER,
		    sizeof(REFERENCE_PROVIDER) - 1) != NULL && inspect_foreign(d) != NULL);
		if ((rc = form_read_document(d, r, err)) == 0 &&
		    (rc = source_unsealable(s, d, first, err)) == 0 &&
		    (rc = source_inspect(s, d, first, err)) == 0 &&
		    (rc = audit_providers(s, d, err)) == 0)
			rc = document_problem_line(d, err);
	}
	document_free(d);
	buf_release(&content);
	return rc;
}

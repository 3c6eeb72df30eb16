#include "seal/seal_option.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "document/edits.h"
#include "document/jaas.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "seal/seal_put.h"
#include "plan/target.h"
#include "secrets/reference.h"

/* Plan the reference in option ${i} of a JAAS value, and in those it hides. */
static int
splice(struct edits *e, const struct target *t, size_t i, const char *label,
    const struct buf *ref, struct error *err)
{
	struct jaas_option x;
	struct buf text;
	int rc = 0;

	buf_init(&text, BUF_MAX_FILE);
	for (; i != JAAS_NONE && rc == 0; i = x.previous) {
		x = jaas_option(t->jaas, i);
		buf_clear(&text);
		buf_append(&text, ref->data, ref->len);
		if (x.tight)
			buf_append_char(&text, ' ');
		rc = buf_check(&text, err);
		if (rc == 0)
			rc = edits_splice(e, t->entry, x.from, x.to, text.data, text.len, label,
			    err);
	}
	buf_release(&text);
	return rc;
}

/*
 * An earlier line of the same key, which no reader uses, has the option too:
 * its clear text must not stay either.
 */
static int
splice_hidden(struct plan *p, struct configuration *c, struct edits *e, size_t entry,
    const struct sealing *x, const char *label, const struct buf *ref, struct error *err)
{
	struct target t;
	size_t len, i;
	int rc;

	target_init(&t);
	(void)document_key(c->doc, entry, &len);
	rc = target_jaas(c->doc, entry, &t, err);
	if (rc == 1) {
		i = jaas_find(t.jaas, x->key + len + 1, x->len - len - 1);
		rc = i == JAAS_NONE ? 0 : splice(e, &t, i, label, ref, err);
	}
	if (rc == 0)
		plan_note(p, "%s:%zu: an earlier line of the same key, which no reader uses, is "
		    "sealed too as far as it has the same options", c->path,
		    document_line(c->doc, entry));
	target_release(&t);
	return rc;
}

/* sealing.refer for an option: cookie is the target. */
static int
refer(struct plan *p, struct configuration *c, const struct sealing *x, const struct buf *ref,
    struct error *err)
{
	const struct target *t = x->cookie;
	struct edits *e = plan_config_edits(p, c, err);
	struct buf text, label;
	size_t at, entry;
	int rc = -1;

	if (e == NULL)
		return -1;
	buf_init(&text, BUF_MAX_FILE);
	buf_init(&label, BUF_MAX_FILE);
	buf_append(&label, x->key, x->len);
	if (buf_check(&label, err) != 0)
		goto done;
	if (t->kind == TARGET_NEW_OPTION) {
		if (jaas_insertion(t->jaas, t->module, t->name, t->name_len, ref->data, ref->len,
		    &at, &text, err) == 0)
			rc = edits_splice(e, t->entry, at, at, text.data, text.len,
			    buf_cstr(&label), err);
		goto done;
	}
	rc = splice(e, t, t->option, buf_cstr(&label), ref, err);
	for (entry = document_previous(c->doc, t->entry); entry != DOCUMENT_NONE && rc == 0;
	    entry = document_previous(c->doc, entry))
		rc = splice_hidden(p, c, e, entry, x, buf_cstr(&label), ref, err);
done:
	buf_release(&label);
	buf_release(&text);
	return rc;
}

/* Append the address <key>/<LoginModule>/<option> of what ${t} names. */
static int
address(const struct configuration *c, const struct target *t, struct buf *out,
    struct error *err)
{
	const char *key;
	size_t len;

	key = document_key(c->doc, t->entry, &len);
	if (t->kind == TARGET_OPTION)
		jaas_address_append(t->jaas, t->option, key, len, out);
	else
		buf_append(out, t->key, t->key_len);
	return buf_check(out, err);
}

static int
put(struct plan *p, struct configuration *c, const struct target *t, const struct buf *key,
    const void *plain, size_t n, bool replace, const struct seal_options *o, struct error *err)
{
	struct sealing x = {
		.key = (const char *)key->data, .len = key->len, .plain = plain, .n = n,
		.replace = replace || o->replace, .refer = refer, .cookie = t,
	};
	int rc = seal_put(p, c, &x, o, err);

	if (rc == -1 && err != NULL && err->file[0] == '\0') {
		error_place(err, c->path, document_line(c->doc, t->entry));
		error_key(err, x.key, x.len);
	}
	return rc;
}

/* The reference that the option's value is, quoted or not. */
static bool
is_reference(const struct target *t, struct reference *r)
{
	struct jaas_option x = jaas_option(t->jaas, t->option);

	return x.inner_to > x.inner_from &&
	    reference_parse((const char *)t->value.data + x.inner_from, x.inner_to - x.inner_from,
	    r);
}

int
seal_option(struct plan *p, struct configuration *c, const struct target *t,
    const struct seal_options *o, struct error *err)
{
	struct jaas_option x = jaas_option(t->jaas, t->option);
	struct reference r;
	struct buf key;
	int rc;

	buf_init(&key, BUF_MAX_FILE);
	rc = address(c, t, &key, err);
	if (rc == 0 && is_reference(t, &r)) {
		seal_note_reference(p, c, t->entry, (const char *)key.data, key.len, &r);
		rc = reference_is_ours(&r) ? 0 : 2;
	} else if (rc == 0) {
		rc = put(p, c, t, &key, t->value.data + x.from, x.to - x.from, false, o, err);
		rc = rc == -1 ? -1 : 1;
	}
	buf_release(&key);
	return rc;
}

/* A word that Kafka's tokenizer takes as one, with nothing to quote in it. */
static bool
is_word(const unsigned char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool letter = (s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'z';
		bool other = (s[i] >= '0' && s[i] <= '9') || s[i] == '_' || s[i] == '.' ||
		    s[i] == '-';

		if (!letter && (i == 0 || !other))
			return false;
	}
	return n > 0;
}

/* Append the value as JAAS text: as it is when it is a word or quoted already. */
static void
append_quoted(struct buf *out, const unsigned char *s, size_t n)
{
	bool quoted = n >= 2 && s[0] == '"' && s[n - 1] == '"';

	for (size_t i = 1; quoted && i + 1 < n; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '"')
			quoted = false;
		quoted = quoted && i + 1 < n;
	}
	if (quoted || is_word(s, n)) {
		buf_append(out, s, n);
		return;
	}
	buf_append_char(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"' || s[i] == '\\')
			buf_append_char(out, '\\');
		if (s[i] == '\n')
			buf_append_str(out, "\\n");
		else if (s[i] == '\r')
			buf_append_str(out, "\\r");
		else
			buf_append(out, &s[i], 1);
	}
	buf_append_char(out, '"');
}

int
seal_option_value(struct plan *p, struct configuration *c, const struct target *t,
    const void *value, size_t n, const struct seal_options *o, struct error *err)
{
	struct buf key, quoted;
	struct reference r;
	bool owns;
	int rc;

	buf_init(&key, BUF_MAX_FILE);
	buf_init_secret(&quoted, BUF_MAX_FILE);
	append_quoted(&quoted, value, n);
	rc = address(c, t, &key, err);
	owns = rc == 0 && t->kind == TARGET_OPTION && is_reference(t, &r) &&
	    reference_is_ours(&r) &&
	    configuration_owns(c, (const char *)key.data, key.len, r.name, r.name_len);
	if (rc == 0 && (rc = buf_check(&quoted, err)) == 0)
		rc = put(p, c, t, &key, quoted.data, quoted.len, owns, o, err);
	buf_release(&quoted);
	buf_release(&key);
	return rc;
}

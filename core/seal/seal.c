#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "document/jaas.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/keying.h"
#include "seal/provider.h"
#include "seal/seal.h"
#include "secrets/inspect.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"

/* A note's key is cut after this many bytes. */
#define NOTE_KEY_MAX 200

/* Planning one sealed value, wherever its reference goes (for seal*.c). */
struct sealing {
	const char *key;	/* names the sealed entry: <base name>/<key> */
	size_t len;
	size_t entry;		/* of the configuration, DOCUMENT_NONE: a new one */
	const void *plain;
	size_t n;
	bool replace;		/* a sealed entry of another value */

	/* Plan ${ref} in the place of the clear text. */
	int (*refer)(struct plan *p, struct configuration *c, const struct sealing *x,
	    const struct buf *ref, struct error *err);
	const void *cookie;	/* for refer */
};

static const char parameter_text[] = "a parameter of a config provider cannot be sealed: Kafka "
    "resolves no references in them";
static const char parameter_hint[] = "the provider would get the reference as it stands: leave "
    "the value in a file that only the service can read";

/* Half of a surrogate pair cannot be written as UTF-8. */
static bool
has_half_surrogate(const struct document *d, size_t i, const struct buf *value)
{
	const unsigned char *raw, *p = value->data;
	size_t len;

	raw = document_raw_value(d, i, &len);
	if (memmem(raw, len, "\\u", 2) == NULL)
		return false;
	for (size_t k = 0; k + 1 < value->len; k++)
		if (p[k] == 0xED && p[k + 1] >= 0xA0)
			return true;
	return false;
}

int
seal_check_value(const char *path, const struct document *d, size_t i, const struct buf *value,
    struct error *err)
{
	size_t k = i;

	if (has_half_surrogate(d, i, value))
		return configuration_refuse(path, d, i,
		    "the value has half a surrogate pair, which cannot be sealed",
		    "correct the \\uD800-\\uDFFF escape in the value", err);
	if (!text_is_utf8(value->data, value->len))
		return configuration_refuse(path, d, i, "the value has bytes that are no UTF-8: "
		    "what opens it would read another value", "write the characters as UTF-8, or "
		    "as \\uXXXX, such as \\u00E4", err);
	/* Where readers do not agree on which entry of a key counts, all of them have
	 * to say the same. */
	while (!document_format(d)->last_wins &&
	    (k = document_previous(d, k)) != DOCUMENT_NONE)
		if (!document_value_is(d, k, (const char *)value->data, value->len))
			return configuration_refuse(path, d, i,
			    "this member stands more than once, with different values",
			    "readers do not agree on which one counts: remove the wrong ones", err);
	return 0;
}

static bool
seal_is_ascii(const unsigned char *p, size_t n)
{
	while (n > 0 && p[n - 1] < 0x80)
		n--;
	return n == 0;
}

static void
seal_note(struct plan *p, const struct configuration *c, size_t i, const char *what)
{
	size_t len;
	const char *key = document_key(c->doc, i, &len);

	plan_note_key(p, c->path, document_line(c->doc, i), key, len, what);
}

/* What is sealed although it may be none, or is read otherwise from now on.  ${named}: nobody
 * has looked yet whether it is a placeholder. */
static void
seal_note_value(struct plan *p, const struct configuration *c, size_t i, const void *value,
    size_t n, bool named)
{
	const char *placeholder = !named ? NULL : document_is_null(c->doc, i) ? "null" :
	    inspect_placeholder(value, n);
	char text[128];
	size_t len;
	const unsigned char *raw = document_raw_value(c->doc, i, &len);

	if (placeholder == NULL && inspect_is_variable(value, n))
		placeholder = "a variable of a shell";
	if (placeholder != NULL) {
		snprintf(text, sizeof(text), "looks like %s, and is sealed as it stands",
		    placeholder);
		seal_note(p, c, i, text);
	}
	if (document_format(c->doc)->latin1 && !seal_is_ascii(raw, len) && !seal_is_ascii(value, n))
		seal_note(p, c, i, "has characters beyond ASCII: Kafka read them as ISO 8859-1 "
		    "until now, and reads the sealed value as UTF-8; if the file is right as it "
		    "is, write them as \\uXXXX");
}

/* Refuse an entry in which a reference would not be resolved, or of which only
 * the beginning would be sealed.  ${text}: what of its value would be. */
static int
seal_check_entry(const struct configuration *c, size_t i, const unsigned char *text, size_t n,
    const struct seal_options *o, struct error *err)
{
	struct remark cut;
	int rc = 0;

	if (o->found && inspect_is_unclosed_reference(text, n))
		return configuration_refuse(c->path, c->doc, i, "a reference is not closed: Kafka "
		    "takes it as text", "close it with `}`; if it is text, `propseal file encrypt "
		    "--config KEY` seals it", err);
	if (inspect_is_provider_parameter(c->doc, i))
		return configuration_refuse(c->path, c->doc, i, parameter_text, parameter_hint,
		    err);
	if (inspect_is_cut(o->rules, c->doc, i, &cut)) {
		rc = configuration_refuse(c->path, c->doc, i, cut.text, cut.hint, err);
		error_place(err, c->path, cut.line);
	}
	return rc;
}

/* Sealing inside JAAS values (for seal.c). */

/* Note that a reference was left as it is, unless it is in order. */
static void
seal_note_reference(struct plan *p, const struct configuration *c, size_t entry, const char *key,
    size_t len, const struct reference *r)
{
	if (reference_is_ours(r) && resolve_entry(plan_secrets(p), r) != DOCUMENT_NONE)
		return;
	plan_note_key(p, c->path, document_line(c->doc, entry), key, len, reference_is_ours(r) ?
	    "is a dangling reference (the secrets file has no such entry) and was left as it is" :
	    "is a reference to another provider and was left as it is");
}

int
seal_name_is_taken(const struct secrets_file *s, size_t i, struct error *err)
{
	const struct document *d = secrets_file_document(s);
	const char *name;
	size_t len;

	name = document_key(d, i, &len);
	error_set(err, ERROR_EXISTS, "the secrets file has this entry already, with another value");
	error_place(err, secrets_file_path(s), document_line(d, i));
	error_key(err, name, len);
	return error_hint(err, "a configuration file of the same base name may own it: use "
	    "another secrets file, or --base-name for this one; if it is this file's own old "
	    "value, give --replace (replace=yes in propseal.ini)");
}

/* 1: the sealed entry ${i} is to be written, 0: it holds the value, -1: ERROR_EXISTS, or
 * ERROR_REFUSED when it may not be opened to tell. */
static int
must_be_sealed(const struct plan *p, size_t i, const struct sealing *x, struct error *err)
{
	const struct secrets_file *s = plan_secrets(p);
	struct error why;
	struct buf opened;
	bool refused;

	if (secrets_file_holds(s, i, x->plain, x->n))
		return 0;
	if (x->replace)
		return 1;
	buf_init_secret(&opened, BUF_MAX_FILE);
	refused = secrets_file_open(s, i, &opened, &why) != 0 && why.code == ERROR_REFUSED;
	buf_release(&opened);
	if (!refused)
		return seal_name_is_taken(s, i, err);
	if (err != NULL)
		*err = why;
	return -1;
}

/*
 * An interrupted run left it, or another configuration of the same base name
 * has the same secret: then both will change together.
 */
static void
note_shared(struct plan *p, const struct buf *name)
{
	struct buf shown;

	buf_init(&shown, BUF_MAX_FILE);
	text_append_visible(&shown, name->data, name->len > NOTE_KEY_MAX ? NOTE_KEY_MAX :
	    name->len);
	plan_note(p, "the secrets file has %s with this value already, and it is used; if another "
	    "file of the same base name refers to it, both share it from now on",
	    buf_cstr(&shown));
	buf_release(&shown);
}

/* Tell who else gets the new value of a sealed entry that is there. */
static int
note_users(struct plan *p, const struct configuration *c, const struct buf *name,
    struct error *err)
{
	const char *path;
	size_t line;
	int rc = plan_user(p, c, (const char *)name->data, name->len, &path, &line, err);

	if (rc == 1)
		plan_note(p, "%s:%zu: refers to the same sealed entry, and gets the new value "
		    "too: --base-name gives this file an entry of its own", path, line);
	return rc == -1 ? -1 : 0;
}

/* 0 when the plan has sealed this very key before, 1 when it is new to it. */
static int
remember_key(struct plan *p, const struct configuration *c, const struct sealing *x,
    struct error *err)
{
	/* Elsewhere a name has one spelling, so it says the same as the key. */
	if (document_format(c->doc)->escape == '\0')
		return 0;
	return plan_first(p, "sealed", c->path, x->key, x->len, err);
}

/* The name is in the plan: for this key (1), or for one that is spelt like it? */
static int
taken_in_plan(struct plan *p, const struct configuration *c, const struct sealing *x,
    struct error *err)
{
	int new_key = remember_key(p, c, x, err);

	if (new_key != 1)
		return new_key == 0 ? 1 : -1;
	error_set(err, ERROR_EXISTS, "another key of this file has the same name in the secrets "
	    "file");
	error_place(err, c->path, 0);
	error_key(err, x->key, x->len);
	return error_hint(err, "seal one of the two, and rename the other");
}

/* 1: the plan has nothing of this name yet, which entry ${i} has or none.  ${stays}: that does. */
static int
claim_name(struct plan *p, size_t i, const struct buf *name, bool stays, struct error *err)
{
	const char *text = (const char *)name->data;
	int writes = plan_writes_sealed(p, text, name->len, err);

	/* What is written is remembered by that. */
	if (writes != 0)
		return writes == 1 ? 0 : -1;
	if (i == DOCUMENT_NONE)
		return 1;
	return stays ? plan_first(p, "entry", "", text, name->len, err) :
	    plan_asked(p, "entry", "", text, name->len, err);
}

/**
 * seal_put(p, c, x, o, err):
 * Plan the sealed entry, the reference and the provider.  What may be refused
 * comes first, so that a refusal plans nothing.  1: the plan seals this key
 * already.  -1: as seal_entry.
 */
static int
seal_put(struct plan *p, struct configuration *c, const struct sealing *x,
    const struct seal_options *o, struct error *err)
{
	struct buf *name = plan_buffer(p, PLAN_NAME), *ref = plan_buffer(p, PLAN_REFERENCE);
	struct edits *e = NULL;
	int needed, first;
	size_t edited, i;

	if (configuration_entry_name(c, x->key, x->len, name, err) != 0 ||
	    reference_append(ref, o->remote, (const char *)name->data, name->len, err) != 0 ||
	    (e = plan_config_edits(p, c, err)) == NULL)
		return -1;
	i = secrets_file_find(plan_secrets(p), (const char *)name->data, name->len);
	if ((needed = i == DOCUMENT_NONE ? 1 : must_be_sealed(p, i, x, err)) == -1)
		return -1;
	if ((first = claim_name(p, i, name, needed == 0, err)) != 1)
		return first == 0 ? taken_in_plan(p, c, x, err) : -1;
	if (remember_key(p, c, x, err) == -1)
		return -1;
	plan_set_order(p, false);
	if (needed == 0 && !x->replace)
		note_shared(p, name);
	if (needed != 0 && ((i != DOCUMENT_NONE && note_users(p, c, name, err) != 0) ||
	    plan_put_remote(p, o->remote, err) != 0 ||
	    plan_seal(p, i, (const char *)name->data, name->len, o->cipher, x->plain, x->n,
	    err) != 0))
		return -1;
	edited = edits_count(e);
	if (x->refer(p, c, x, ref, err) != 0 || (needed == 0 && edits_count(e) > edited &&
	    plan_put_remote(p, o->remote, err) != 0))
		return -1;
	return provider_add(p, c, o->provider_class, err);
}

/* Plan the reference in option ${i} of a JAAS value, and in those it hides, unless it is there. */
static int
splice_option(struct edits *e, const struct target *t, size_t i, const char *label,
    const struct buf *ref, struct error *err)
{
	struct jaas_option x;
	struct buf text;
	int rc = 0;

	buf_init(&text, BUF_MAX_FILE);
	for (; i != JAAS_NONE && rc == 0; i = x.previous) {
		x = jaas_option(t->jaas, i);
		if (x.inner_to - x.inner_from == ref->len &&
		    memcmp(t->value.data + x.inner_from, ref->data, ref->len) == 0)
			continue;
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
		rc = i == JAAS_NONE ? 0 : splice_option(e, &t, i, label, ref, err);
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
refer_option(struct plan *p, struct configuration *c, const struct sealing *x,
    const struct buf *ref, struct error *err)
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
	rc = splice_option(e, t, t->option, buf_cstr(&label), ref, err);
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
address(const struct configuration *c, const struct target *t, struct buf *out, struct error *err)
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

/*
 * Kafka reads from an earlier `${` up to the next `}`: behind one that is not
 * closed no reference is found.
 */
static int
seal_check_before(const struct configuration *c, const struct target *t, size_t at,
    struct error *err)
{
	const unsigned char *p = t->value.data;

	while (at > 1 && p[at - 1] != '}' && (p[at - 2] != '$' || p[at - 1] != '{'))
		at--;
	if (at < 2 || p[at - 1] == '}')
		return 0;
	return configuration_refuse(c->path, c->doc, t->entry, "a `${` before the option is not "
	    "closed: Kafka would take the reference for a part of it", "close it with `}`, or "
	    "write it without `{`", err);
}

static int
put_option(struct plan *p, struct configuration *c, const struct target *t, const struct buf *key,
    const void *plain, size_t n, bool replace, const struct seal_options *o, struct error *err)
{
	struct sealing x = {
		.key = (const char *)key->data, .len = key->len, .plain = plain, .n = n,
		.replace = replace || o->replace, .refer = refer_option, .cookie = t,
	};
	size_t at = t->kind == TARGET_OPTION ? jaas_option(t->jaas, t->option).from :
	    t->value.len;
	int rc = seal_check_before(c, t, at, err) == 0 ? seal_put(p, c, &x, o, err) : -1;

	if (rc == -1 && err != NULL && err->file[0] == '\0') {
		error_place(err, c->path, document_line(c->doc, t->entry));
		error_key(err, x.key, x.len);
	}
	return rc;
}

/* The reference that the option's value is, quoted or not. */
static bool
seal_option_reference(const struct target *t, struct reference *r)
{
	struct jaas_option x = jaas_option(t->jaas, t->option);

	return x.inner_to > x.inner_from &&
	    reference_parse((const char *)t->value.data + x.inner_from, x.inner_to - x.inner_from,
	    r);
}

/**
 * seal_option(p, c, t, o, err):
 * Plan to seal option t->option of t->entry: its value, quotes and all, in
 * every line of the key that has it.  A reference is left alone with a note.
 * 1: planned, 0: it is our reference, 2: another provider's, -1 as seal_entry.
 */
static int
seal_option(struct plan *p, struct configuration *c, const struct target *t,
    const struct seal_options *o, struct error *err)
{
	struct jaas_option x = jaas_option(t->jaas, t->option);
	struct reference r;
	struct buf key;
	int rc;

	buf_init(&key, BUF_MAX_FILE);
	rc = address(c, t, &key, err);
	if (rc == 0 && seal_option_reference(t, &r)) {
		seal_note_reference(p, c, t->entry, (const char *)key.data, key.len, &r);
		rc = reference_is_ours(&r) ? 0 : 2;
	} else if (rc == 0 && (seal_check_entry(c, t->entry, t->value.data + x.inner_from,
	    x.inner_to - x.inner_from, o, err) != 0 ||
	    seal_check_value(c->path, c->doc, t->entry, &t->value, err) != 0)) {
		rc = -1;
	} else if (rc == 0) {
		rc = put_option(p, c, t, &key, t->value.data + x.from, x.to - x.from, false,
		    o, err);
		if (rc == 0)
			seal_note_value(p, c, t->entry, t->value.data + x.inner_from,
			    x.inner_to - x.inner_from, true);
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
		bool other = ascii_is_digit(s[i]) || s[i] == '_' || s[i] == '.' || s[i] == '-';

		if (!letter && (i == 0 || !other))
			return false;
	}
	return n > 0;
}

/* Append the value as JAAS text: as it is when it is a word or quoted already. */
static void
append_jaas_quoted(struct buf *out, const unsigned char *s, size_t n)
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

/**
 * seal_option_value(p, c, t, value, n, o, err):
 * The same with a given value, which is quoted if it is not one word; the
 * option is made when ${t} is TARGET_NEW_OPTION.
 */
static int
seal_option_value(struct plan *p, struct configuration *c, const struct target *t,
    const void *value, size_t n, const struct seal_options *o, struct error *err)
{
	struct buf key, quoted;
	struct reference r;
	bool owns;
	int rc;

	buf_init(&key, BUF_MAX_FILE);
	buf_init_secret(&quoted, BUF_MAX_FILE);
	append_jaas_quoted(&quoted, value, n);
	rc = address(c, t, &key, err);
	owns = rc == 0 && t->kind == TARGET_OPTION && seal_option_reference(t, &r) &&
	    reference_is_ours(&r) &&
	    configuration_owns(c, (const char *)key.data, key.len, r.name, r.name_len);
	if (rc == 0 && (rc = buf_check(&quoted, err)) == 0)
		rc = put_option(p, c, t, &key, quoted.data, quoted.len, owns, o, err);
	buf_release(&quoted);
	buf_release(&key);
	return rc;
}

int
seal_prepare(struct plan *p, const struct key *master, struct error *err)
{
	struct secrets_file *s = plan_secrets(p);
	const struct secrets_metadata *m = secrets_file_metadata(s);

	if (m->data_key != NULL)
		return secrets_file_unlock(s, master, err);
	if (secrets_file_sealed_count(s) > 0) {
		error_set(err, ERROR_DAMAGED, "there are sealed entries but no data key: the "
		    "line %s is lost", SECRETS_DATA_KEY);
		error_place(err, secrets_file_path(s), 0);
		return error_hint(err, "restore the line from a backup; a new data key would "
		    "make the sealed entries unreadable for good");
	}
	if (m->salt == NULL) {
		plan_note(p, "%s has no master key salt, so no passphrase belongs to it: keep the "
		    "master key itself", secrets_file_path(s));
		return keying_new_data_key(p, master, KEY_ITERATIONS_DEFAULT,
		    key_length(master), err);
	}
	/* The salt is the reference's: the key was derived with these numbers. */
	return keying_new_data_key(p, master, m->iterations, m->length, err);
}

/* sealing.refer for a whole entry: every line of the key, or a new one. */
static int
seal_refer(struct plan *p, struct configuration *c, const struct sealing *x, const struct buf *ref,
    struct error *err)
{
	struct edits *e = plan_config_edits(p, c, err);
	size_t i = x->entry;

	if (e == NULL)
		return -1;
	if (i == DOCUMENT_NONE)
		return edits_insert(e, DOCUMENT_NONE, x->key, x->len, ref->data, ref->len, err);
	for (; i != DOCUMENT_NONE; i = document_previous(c->doc, i)) {
		if (document_value_is(c->doc, i, (const char *)ref->data, ref->len))
			continue;
		if (document_shadowed(c->doc, i))
			plan_note(p, "%s:%zu: an earlier line of the same key, which no reader "
			    "uses, gets the reference too", c->path, document_line(c->doc, i));
		if (edits_set(e, i, ref->data, ref->len, err) != 0)
			return -1;
	}
	return 0;
}

/* The winning entry ${i}, which has ${value}.  ${named}: as for seal_note_value. */
static int
seal_found(struct plan *p, struct configuration *c, size_t i, const struct buf *value,
    const struct seal_options *o, bool named, struct error *err)
{
	struct sealing x = { .entry = i, .plain = value->data, .n = value->len,
		.replace = o->replace, .refer = seal_refer };
	struct reference r;
	int rc;

	x.key = document_key(c->doc, i, &x.len);
	if (reference_parse((const char *)value->data, value->len, &r)) {
		seal_note_reference(p, c, i, x.key, x.len, &r);
		return 0;
	}
	if (seal_check_entry(c, i, value->data, value->len, o, err) != 0 ||
	    seal_check_value(c->path, c->doc, i, value, err) != 0)
		return -1;
	if (resolve_finds_ours(value->data, value->len))
		return configuration_refuse(c->path, c->doc, i,
		    "the value has references in it, which would not be resolved once it is sealed",
		    "seal the parts of the value that are still clear", err);
	if ((rc = seal_put(p, c, &x, o, err)) == 0)
		seal_note_value(p, c, i, value->data, value->len, named);
	if (rc == -1 && err != NULL && err->file[0] == '\0') {
		error_place(err, c->path, document_line(c->doc, i));
		error_key(err, x.key, x.len);
	}
	return rc == -1 ? -1 : 0;
}

int
seal_entry(struct plan *p, struct configuration *c, size_t i, const struct seal_options *o,
    struct error *err)
{
	struct buf *value = plan_scratch(p);
	const char *key;
	size_t len;

	key = document_key(c->doc, i, &len);
	i = document_find(c->doc, key, len);
	return document_value(c->doc, i, value, err) != 0 ? -1 :
	    seal_found(p, c, i, value, o, true, err);
}

/* Is the value one that is not sealed unless it is named?  Then it is told. */
static bool
seal_leaves(struct plan *p, const struct configuration *c, size_t i, const void *value, size_t n)
{
	const char *why = inspect_why_left(c->doc, i, value, n);

	if (why != NULL)
		seal_note(p, c, i, why);
	return why != NULL;
}

/* Note, once, that nothing resolves references in the file, if it is such a one. */
static int
seal_note_foreign(struct plan *p, const struct configuration *c, struct error *err)
{
	const char *of = inspect_foreign(c->doc);
	int rc;

	if (of == NULL || (rc = plan_first(p, "foreign", c->path, "", 0, err)) == 0)
		return 0;
	if (rc == 1)
		plan_note(p, "%s looks like a file of %s, which resolves no references: give it "
		    "the values with `propseal render` or `propseal exec`", c->path, of);
	return rc == 1 ? 0 : -1;
}

/* Note what there is to say of the whole file before a value of it is sealed: of ${all} its
 * secrets (refuse a file in which a part of one would stay), or, once, of one that was named. */
static int
seal_inspect(struct plan *p, const struct configuration *c, bool all, const struct seal_options *o,
    struct error *err)
{
	const struct remark *r;
	struct vec remarks;
	int rc;

	if (!all && (rc = plan_first(p, "inspected", c->path, "", 0, err)) != 1)
		return rc;
	vec_init(&remarks, sizeof(struct remark), SIZE_MAX / sizeof(struct remark));
	rc = inspect_document(o->rules, c->doc, NULL, &remarks, err);
	/* A key was named, so something will be sealed. */
	if (rc == 0 && !all)
		rc = seal_note_foreign(p, c, err);
	for (size_t k = 0; rc == 0 && k < remarks.len; k++) {
		r = vec_at(&remarks, k);
		if (r->entry == DOCUMENT_NONE) {
			rc = seal_note_foreign(p, c, err);
		} else if (r->level == REMARK_CUT && all) {
			rc = configuration_refuse(c->path, c->doc, r->entry, r->text, r->hint, err);
			error_place(err, c->path, r->line);
		} else if (r->level != REMARK_PART) {
			plan_note(p, "%s:%zu: %s: %s", c->path, r->line, r->text, r->hint);
		}
	}
	vec_release(&remarks);
	return rc;
}

/*
 * The options of a JAAS value that are secrets; ${*n} counts those sealed,
 * ${*others} the references to other providers.
 * 1: it is JAAS, 0: treat it as any other entry.
 */
static int
seal_default_jaas(struct plan *p, struct configuration *c, size_t i, const struct seal_options *o,
    size_t *n, size_t *others, struct error *err)
{
	struct jaas_option x;
	struct target t;
	const char *key;
	size_t len;
	int rc, sealed;

	key = document_key(c->doc, i, &len);
	target_init(&t);
	rc = target_jaas(c->doc, i, &t, err);
	for (size_t k = 0; rc == 1 && k < jaas_count(t.jaas); k++) {
		x = jaas_option(t.jaas, k);
		if (x.shadowed || !rules_option(o->rules, t.jaas, k, key, len) ||
		    seal_leaves(p, c, i, t.value.data + x.inner_from, x.inner_to - x.inner_from))
			continue;
		t.kind = TARGET_OPTION;
		t.option = k;
		sealed = seal_option(p, c, &t, o, err);
		if (sealed == -1)
			rc = -1;
		*n += sealed == 1;
		*others += sealed == 2;
	}
	target_release(&t);
	return rc;
}

/* Where JAAS must stand and none was found, a secret may stay in clear text. */
static void
note_unread(struct plan *p, const struct configuration *c, size_t i, const char *key, size_t len)
{
	static const char ending[] = "sasl.jaas.config";
	size_t n = sizeof(ending) - 1;
	struct buf value;
	struct reference r;

	if (len < n || memcmp(key + len - n, ending, n) != 0)
		return;
	buf_init_secret(&value, BUF_MAX_FILE);
	if (document_value(c->doc, i, &value, NULL) == 0 && value.len > 0 &&
	    !reference_parse((const char *)value.data, value.len, &r))
		plan_note(p, "%s:%zu: %.*s is no JAAS configuration and was left as it is",
		    c->path, document_line(c->doc, i), (int)len, key);
	buf_release(&value);
}

int
seal_default(struct plan *p, struct configuration *c, const struct seal_options *o, size_t *count,
    struct error *err)
{
	size_t n = 0, others = 0, len;
	struct buf *value;
	const char *key;
	int rc;

	if (seal_inspect(p, c, true, o, err) != 0)
		return -1;
	for (size_t i = 0; i < document_count(c->doc); i++) {
		key = document_key(c->doc, i, &len);
		if (document_shadowed(c->doc, i))
			continue;
		rc = jaas_key(key, len) ? seal_default_jaas(p, c, i, o, &n, &others, err) : 0;
		if (rc == -1)
			return -1;
		if (rc == 1 || !rules_by_default(o->rules, key, len)) {
			if (rc == 0)
				note_unread(p, c, i, key, len);
			continue;
		}
		value = plan_scratch(p);
		if (document_value(c->doc, i, value, err) != 0)
			return -1;
		if (seal_leaves(p, c, i, value->data, value->len))
			continue;
		if (seal_found(p, c, i, value, o, false, err) != 0)
			return -1;
		n++;
	}
	if (n > 0 && seal_note_foreign(p, c, err) != 0)
		return -1;
	if (count != NULL)
		*count = n;
	if (n > 0 || others == 0)
		return 0;
	error_set(err, ERROR_REFUSED, "every secret here is a reference to another provider, "
	    "inside a JAAS value: there is nothing to seal");
	error_place(err, c->path, 0);
	return error_hint(err, "name what to seal with --config");
}

/* A key with wildcards: every value that it names. */
static int
seal_each(struct plan *p, struct configuration *c, const char *path, size_t len,
    const struct seal_options *o, struct error *err)
{
	struct vec entries;
	size_t i;
	int rc;

	vec_init(&entries, sizeof(size_t), SIZE_MAX / sizeof(size_t));
	rc = document_expand(c->doc, path, len, &entries, err);
	if (rc == 0 && entries.len == 0)
		rc = configuration_fail_missing(c, path, len, err);
	for (size_t k = 0; rc == 0 && k < entries.len; k++) {
		i = *(size_t *)vec_at(&entries, k);
		if (document_is_null(c->doc, i))
			seal_leaves(p, c, i, "", 0);
		else
			rc = seal_entry(p, c, i, o, err);
	}
	vec_release(&entries);
	return rc;
}

int
seal_key(struct plan *p, struct configuration *c, const char *key, size_t len,
    const struct seal_options *o, struct error *err)
{
	struct target t;
	int rc;

	target_init(&t);
	if ((rc = seal_inspect(p, c, false, o, err)) == 0)
		rc = target_find(c->doc, key, len, &t, err);
	if (rc == 0 && t.kind == TARGET_ENTRY)
		rc = seal_entry(p, c, t.entry, o, err);
	else if (rc == 0 && t.kind == TARGET_OPTION)
		rc = seal_option(p, c, &t, o, err) == -1 ? -1 : 0;
	else if (rc == 0)
		rc = seal_each(p, c, key, len, o, err);
	target_release(&t);
	return rc;
}

/* Does the configuration's entry refer to the sealed entry of its own name? */
static int
owns_entry(const struct configuration *c, size_t i, const char *key, size_t len, bool *owns,
    struct error *err)
{
	struct reference r;
	struct buf value;
	int rc;

	buf_init_secret(&value, BUF_MAX_FILE);
	rc = document_value(c->doc, i, &value, err);
	*owns = rc == 0 && reference_parse((const char *)value.data, value.len, &r) &&
	    reference_is_ours(&r) && configuration_owns(c, key, len, r.name, r.name_len);
	buf_release(&value);
	return rc;
}

/* Seal a given value for an entry that is there or not. */
static int
seal_entry_value(struct plan *p, struct configuration *c, const struct target *t,
    const struct seal_options *o, struct sealing *x, struct error *err)
{
	bool owns = false;

	if (t->kind == TARGET_ENTRY && owns_entry(c, t->entry, x->key, x->len, &owns, err) != 0)
		return -1;
	if (t->kind == TARGET_ENTRY)
		x->entry = t->entry;
	x->replace = owns || o->replace;
	return seal_put(p, c, x, o, err);
}

int
seal_value(struct plan *p, struct configuration *c, const char *key, size_t klen, const void *value,
    size_t n, bool must_exist, const struct seal_options *o, struct error *err)
{
	struct sealing x = { .key = key, .len = klen, .entry = DOCUMENT_NONE, .plain = value,
		.n = n, .refer = seal_refer };
	struct reference r;
	struct target t;
	int rc;

	target_init(&t);
	if (target_find(c->doc, key, klen, &t, err) != 0)
		return -1;
	if (must_exist && t.kind != TARGET_ENTRY && t.kind != TARGET_OPTION) {
		configuration_fail_missing(c, key, klen, err);
		rc = error_hint(err, "`propseal file add` makes a new one");
	} else if (klen == 0) {
		error_set(err, ERROR_REFUSED, "the key is empty");
		rc = error_hint(err, "write key=value");
	} else if (inspect_names_provider_parameter(document_format(c->doc), key, klen)) {
		error_set(err, ERROR_REFUSED, "%s", parameter_text);
		error_place(err, c->path, 0);
		error_key(err, key, klen);
		rc = error_hint(err, "%s", parameter_hint);
	} else if (!text_is_utf8(value, n)) {
		error_set(err, ERROR_REFUSED, "the value has bytes that are no UTF-8");
		error_key(err, key, klen);
		rc = error_hint(err, "what opens it reads UTF-8: convert the value");
	} else if (reference_parse(value, n, &r)) {
		error_set(err, ERROR_REFUSED, "the value is a reference already");
		error_key(err, key, klen);
		rc = error_hint(err, "a reference is no secret: write it into %s itself", c->path);
	} else if (t.kind == TARGET_OPTION || t.kind == TARGET_NEW_OPTION) {
		rc = seal_option_value(p, c, &t, value, n, o, err);
	} else {
		rc = seal_entry_value(p, c, &t, o, &x, err);
	}
	target_release(&t);
	if (rc == 0 && (inspect_placeholder(value, n) != NULL || inspect_is_variable(value, n)))
		plan_note_key(p, c->path, 0, key, klen, "looks like a placeholder, and is sealed "
		    "as it stands");
	if (rc != 1)
		return rc;
	error_set(err, ERROR_REFUSED, "this key is sealed in the same step already");
	error_place(err, c->path, 0);
	error_key(err, key, klen);
	return error_hint(err, "apply that first, or give one value only");
}

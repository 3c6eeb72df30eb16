#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "base/vec.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "document/document.h"
#include "document/jaas.h"
#include "secrets/inspect.h"
#include "secrets/keys.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "secrets/value.h"

#define PURPOSE "propseal diff v1"
#define DIGITS 10

struct masking {
	const struct document *d;
	const struct secrets_file *s;
	const struct rules *rules;
	bool is_secrets_file;
	struct mac *texts;	/* of ciphertext, under a key that everybody knows */
	struct mac *values;	/* of values, under the master key; NULL: none */
	struct buf value;	/* of the entry, decoded; secret */
	struct buf masked;	/* the same with marks, and how much of it is done */
	size_t masked_to;
	struct vec remarks;	/* of struct remark: what no key tells, */
	size_t remark;		/* and the next of them */
	struct buf *out;
	size_t done;		/* bytes of the document that are dealt with */
};

static int
option(const struct rules *r, const struct jaas *j, size_t i, const char *key, size_t len,
    const char *value, clear_fn *each, void *cookie, struct error *err)
{
	struct jaas_option o = jaas_option(j, i);
	struct clear c = { .from = o.inner_from, .to = o.inner_to,
		.text = value + o.inner_from };
	struct buf address;
	int rc;

	if (rules_option_secret(r, j, i, key, len, value) != SECRET_CLEAR)
		return 0;
	buf_init(&address, BUF_MAX_FILE);
	jaas_address_append(j, i, key, len, &address);
	c.address = buf_cstr(&address);
	c.address_len = address.len;
	rc = buf_check(&address, err);
	if (rc == 0)
		rc = each(cookie, &c, err);
	buf_release(&address);
	return rc;
}

/* The value as JAAS, NULL: it is none.  -1: ERROR_MEMORY. */
static int
clear_jaas(const char *key, size_t len, const char *value, size_t n, struct jaas **j,
    struct error *err)
{
	struct error why;

	*j = NULL;
	if (n == 0 || !jaas_key(key, len) || (*j = jaas_parse(value, n, &why)) != NULL ||
	    why.code != ERROR_MEMORY)
		return 0;
	return error_memory(err);
}

int
clear_each(const struct rules *r, const char *key, size_t len, const char *value, size_t n,
    clear_fn *each, void *cookie, struct error *err)
{
	const struct clear whole = { key, len, 0, n, value };
	struct jaas *j;
	int rc = 0;

	if (clear_jaas(key, len, value, n, &j, err) != 0)
		return -1;
	if (j == NULL)
		return rules_secret(r, key, len, value, n) == SECRET_CLEAR ?
		    each(cookie, &whole, err) : 0;
	for (size_t i = 0; rc == 0 && i < jaas_count(j); i++)
		rc = option(r, j, i, key, len, value, each, cookie, err);
	jaas_free(j);
	return rc;
}

static int
count_one(void *cookie, const struct clear *c, struct error *err)
{
	(void)c;
	(void)err;
	++*(size_t *)cookie;
	return 0;
}

/* Is any option of the value one of a secret, whatever stands there? */
static int
clear_has_option(const struct rules *r, const char *key, size_t len, const struct buf *value,
    bool *found, struct error *err)
{
	struct jaas *j;

	if (clear_jaas(key, len, (const char *)value->data, value->len, &j, err) != 0)
		return -1;
	*found = j == NULL ? rules_sensitive(r, key, len) : false;
	for (size_t i = 0; j != NULL && !*found && i < jaas_count(j); i++)
		*found = rules_option(r, j, i, key, len);
	jaas_free(j);
	return 0;
}

int
clear_in_entry(const struct rules *r, const struct document *d, size_t i, struct clear_count *out,
    struct error *err)
{
	const unsigned char *raw;
	const char *key;
	struct buf value;
	size_t len, n;
	int rc;

	key = document_key(d, i, &len);
	raw = document_raw_value(d, i, &n);
	*out = (struct clear_count){ 0, rules_sensitive(r, key, len) };
	if (!out->sensitive && !jaas_key(key, len) && key_class(key, len) != KEY_HEADERS &&
	    !value_may_be_secret(raw, n))
		return 0;
	buf_init_secret(&value, BUF_MAX_FILE);
	rc = document_value(d, i, &value, err);
	if (rc == 0 && jaas_key(key, len))
		rc = clear_has_option(r, key, len, &value, &out->sensitive, err);
	if (rc == 0)
		rc = clear_each(r, key, len, (const char *)value.data, value.len, count_one,
		    &out->clear, err);
	out->sensitive |= out->clear > 0;
	buf_release(&value);
	return rc;
}

int
clear_in_document(const struct rules *r, const struct document *d, size_t *count, struct error *err)
{
	struct clear_count one;

	*count = 0;
	for (size_t i = 0; i < document_count(d); i++) {
		if (clear_in_entry(r, d, i, &one, err) != 0)
			return -1;
		*count += one.clear;
	}
	return 0;
}

static bool
loose_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static size_t
skip(const char *p, size_t at, size_t n, const char *set)
{
	while (at < n && p[at] != '\0' && strchr(set, p[at]) != NULL)
		at++;
	return at;
}

/* Is it one, without what may stand around a value in JSON? */
static bool
loose_is_secret(const struct rules *r, const char *key, size_t len, const char *value, size_t n)
{
	while (n > 0 && (value[n - 1] == ',' || loose_is_blank(value[n - 1])))
		n--;
	return !(n == 1 && (value[0] == '{' || value[0] == '[')) &&
	    rules_secret(r, key, len, value, n) == SECRET_CLEAR;
}

/* Take a line apart; false: it is not of that form. */
static bool
loose_take_apart(const struct rules *r, const char *p, size_t n, struct loose *out)
{
	size_t at = skip(p, 0, n, " \t\f"), start, end;

	out->commented = at < n && (p[at] == '#' || p[at] == '!');
	at = skip(p, at, n, " \t\f#!");
	at += at < n && p[at] == '"';
	start = at;
	while (at < n && !loose_is_blank(p[at]) && p[at] != '=' && p[at] != ':' && p[at] != '"')
		at++;
	end = at;
	at += at < n && p[at] == '"';
	at = skip(p, at, n, " \t\f");
	if (end == start || at == n || (p[at] != '=' && p[at] != ':'))
		return false;
	at = skip(p, at + 1, n, " \t\f");
	while (n > at && loose_is_blank(p[n - 1]))
		n--;
	out->key = p + start;
	out->key_len = end - start;
	out->value = at;
	out->value_len = n - at;
	return loose_is_secret(r, out->key, out->key_len, p + at, n - at);
}

bool
loose_next(const struct rules *r, const char *text, size_t n, struct loose_place *place,
    struct loose *out)
{
	size_t start, end;
	bool found;

	while (place->at < n) {
		start = end = place->at;
		while (end < n && text[end] != '\n' && text[end] != '\r')
			end++;
		found = loose_take_apart(r, text + start, end - start, out);
		out->value += start;
		out->line = place->line++;
		place->at = end + 1;
		if (place->at < n && text[end] == '\r' && text[place->at] == '\n')
			place->at++;
		if (found)
			return true;
	}
	return false;
}

static int
append_mark(struct masking *v, struct mac *m, const char *what, const char *key, size_t len,
    const void *value, size_t n, struct error *err)
{
	unsigned char sum[MAC_BYTES];

	if (mac_sum(m, key, len, value, n, sum, err) != 0)
		return -1;
	buf_printf(&v->masked, "<%s: %s ", what, m == v->values ? "value" : "text");
	hex_append(&v->masked, sum, DIGITS / 2);
	buf_append_char(&v->masked, '>');
	return 0;
}

/* A sealed value: by what it opens as, or else by its text, which is in v->value. */
static int
append_sealed(struct masking *v, size_t i, const char *key, size_t len, struct error *err)
{
	struct buf plain;
	int rc;

	buf_init_secret(&plain, BUF_MAX_FILE);
	if (v->values != NULL && v->s != NULL && secrets_file_cipher(v->s) != NULL &&
	    secrets_file_open(v->s, i, &plain, NULL) == 0)
		rc = append_mark(v, v->values, "sealed", key, len, plain.data, plain.len, err);
	else
		rc = append_mark(v, v->texts, "sealed", key, len, v->value.data, v->value.len,
		    err);
	buf_release(&plain);
	return rc;
}

static int
append_clear(struct masking *v, const char *key, size_t len, const void *value, size_t n,
    struct error *err)
{
	if (v->values != NULL)
		return append_mark(v, v->values, "clear text", key, len, value, n, err);
	buf_append_str(&v->masked, "<clear text>");
	return 0;
}

static void
append_tag(struct masking *v, const char *key, size_t len)
{
	size_t prefix = strlen(TAG_PREFIX), i = DOCUMENT_NONE;
	enum tag_state state = TAG_NONE;

	if (v->s != NULL && secrets_file_tagger(v->s) != NULL)
		i = secrets_file_find(v->s, key + prefix, len - prefix);
	if (i == DOCUMENT_NONE || secrets_file_tag(v->s, i, &state, NULL, NULL) != 0 ||
	    state == TAG_NONE)
		buf_append_str(&v->masked, "<tag>");
	else
		buf_printf(&v->masked, "<tag: %s>", tag_state_name(state));
}

static int
append_clear_part(void *cookie, const struct clear *c, struct error *err)
{
	struct masking *v = cookie;

	buf_append(&v->masked, v->value.data + v->masked_to, c->from - v->masked_to);
	v->masked_to = c->to;
	return append_clear(v, c->address, c->address_len, c->text, c->to - c->from, err);
}

/* A configuration's value into v->masked, if there is a secret in it. */
static int
mask_configured(struct masking *v, const char *key, size_t len, struct error *err)
{
	v->masked_to = 0;
	if (clear_each(v->rules, key, len, (const char *)v->value.data, v->value.len,
	    append_clear_part, v, err) != 0)
		return -1;
	if (v->masked.len > 0)
		buf_append(&v->masked, v->value.data + v->masked_to,
		    v->value.len - v->masked_to);
	return 0;
}

/* The value of entry ${i}, which is in v->value, with its marks into v->masked;
 * that stays empty when all of it may be seen. */
static int
mask_value(struct masking *v, size_t i, const char *key, size_t len, struct error *err)
{
	bool is_sealed = sealed_claims(v->value.data, v->value.len);

	buf_clear(&v->masked);
	if (v->value.len == 0)
		return 0;
	if (v->is_secrets_file && tag_names(key, len)) {
		append_tag(v, key, len);
		return 0;
	}
	if (metadata_is_key(v->d, i))
		return !is_sealed ? 0 : append_mark(v, v->texts, "wrapped key", key, len,
		    v->value.data, v->value.len, err);
	if (is_sealed)
		return append_sealed(v, i, key, len, err);
	if (v->is_secrets_file)
		return append_clear(v, key, len, v->value.data, v->value.len, err);
	return mask_configured(v, key, len, err);
}

/* Copy what stands before ${end}: nobody reads it, but somebody might see it. */
static int
append_between(struct masking *v, size_t end, struct error *err)
{
	struct loose_place place = { 0, 1 };
	const char *text;
	struct loose l;
	size_t done = 0;
	int rc = 0;

	if (end <= v->done)
		return 0;
	text = (const char *)document_bytes(v->d)->data + v->done;
	while (rc == 0 && loose_next(v->rules, text, end - v->done, &place, &l)) {
		buf_append(v->out, text + done, l.value - done);
		done = l.value + l.value_len;
		buf_clear(&v->masked);
		rc = append_clear(v, l.key, l.key_len, text + l.value, l.value_len, err);
		buf_append(v->out, v->masked.data, v->masked.len);
	}
	buf_append(v->out, text + done, end - v->done - done);
	v->done = end;
	return rc;
}

/* As the format writes it: a mark has nothing to escape, what is around it may. */
static void
append_masked(struct masking *v)
{
	document_append_value(document_format(v->d), v->out, v->masked.data, v->masked.len);
}

/* What a remark hides: the whole line, key and all, or the value. */
static int
mask_append_hidden(struct masking *v, const struct remark *hidden, struct error *err)
{
	const unsigned char *bytes = document_bytes(v->d)->data, *raw;
	size_t start, end, n;

	document_span(v->d, hidden->entry, &start, &end);
	raw = document_raw_value(v->d, hidden->entry, &n);
	if (!hidden->hides_key) {
		start = (size_t)(raw - bytes);
		end = start + n;
	}
	if (append_between(v, start, err) != 0)
		return -1;
	while (end > start && (bytes[end - 1] == '\n' || bytes[end - 1] == '\r'))
		end--;
	buf_append_str(v->out, end > start ? "<clear text>" : "");
	v->done = end;
	return 0;
}

static int
mask_append_entry(struct masking *v, size_t i, struct error *err)
{
	const struct remark *hidden = inspect_hidden(&v->remarks, &v->remark, i);
	const unsigned char *bytes = document_bytes(v->d)->data, *raw;
	size_t n, len, start, end, at;
	const char *key;

	if (hidden != NULL)
		return mask_append_hidden(v, hidden, err);
	raw = document_raw_value(v->d, i, &n);
	if (n == 0)
		return 0;
	at = (size_t)(raw - bytes);
	key = document_key(v->d, i, &len);
	document_span(v->d, i, &start, &end);
	buf_clear(&v->value);
	if (append_between(v, start, err) != 0 || document_value(v->d, i, &v->value, err) != 0 ||
	    mask_value(v, i, key, len, err) != 0 || buf_check(&v->masked, err) != 0)
		return -1;
	buf_append(v->out, bytes + v->done, at - v->done);
	if (v->masked.len > 0)
		append_masked(v);
	else
		buf_append(v->out, raw, n);
	v->done = at + n;
	return 0;
}

static bool
mask_is_secrets_file(const struct document *d, const struct secrets_file *s)
{
	return s != NULL ? secrets_file_recognise(d) || secrets_file_sealed_count(s) > 0 :
	    secrets_file_recognise(d);
}

static int
make_macs(struct masking *v, const struct key *master, struct error *err)
{
	static const unsigned char known[KEY_LENGTH_DEFAULT];
	struct key *k = key_from_bytes(known, sizeof(known), err);

	if (k != NULL)
		v->texts = mac_new(k, PURPOSE, err);
	key_free(k);
	if (v->texts == NULL)
		return -1;
	if (master != NULL && (v->values = mac_new(master, PURPOSE, err)) == NULL)
		return -1;
	return 0;
}

int
mask_append(const struct document *d, const struct secrets_file *s, const struct key *master,
    const struct rules *rules, struct buf *out, struct error *err)
{
	struct masking v = { .d = d, .s = s, .rules = rules, .out = out };
	int rc;

	v.is_secrets_file = mask_is_secrets_file(d, s);
	buf_init_secret(&v.value, BUF_MAX_FILE);
	buf_init(&v.masked, BUF_MAX_FILE);
	vec_init(&v.remarks, sizeof(struct remark), SIZE_MAX / sizeof(struct remark));
	rc = make_macs(&v, master, err);
	if (rc == 0 && !v.is_secrets_file)
		rc = inspect_document(rules, d, NULL, &v.remarks, err);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++)
		rc = mask_append_entry(&v, i, err);
	if (rc == 0)
		rc = append_between(&v, document_bytes(d)->len, err);
	if (rc == 0)
		rc = buf_check(out, err);
	mac_free(v.values);
	mac_free(v.texts);
	vec_release(&v.remarks);
	buf_release(&v.masked);
	buf_release(&v.value);
	return rc;
}

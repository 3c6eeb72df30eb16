#include "secrets/veil.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "document/document.h"
#include "document/properties.h"
#include "secrets/clear.h"
#include "secrets/loose.h"
#include "secrets/metadata.h"
#include "secrets/rules.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "secrets/tag.h"

#define PURPOSE "propseal diff v1"
#define DIGITS 10

struct veil {
	const struct document *d;
	const struct secrets_file *s;
	const struct rules *rules;
	bool is_secrets_file;
	struct mac *texts;	/* of ciphertext, under a key that everybody knows */
	struct mac *values;	/* of values, under the master key; NULL: none */
	struct buf value;	/* of the entry, decoded; secret */
	struct buf veiled;	/* the same with marks, and how much of it is done */
	size_t veiled_to;
	struct buf *out;
	size_t done;		/* bytes of the document that are dealt with */
};

static int
append_mark(struct veil *v, struct mac *m, const char *what, const char *key, size_t len,
    const void *value, size_t n, struct error *err)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char sum[MAC_BYTES];
	int i;

	if (mac_sum(m, key, len, value, n, sum, err) != 0)
		return -1;
	buf_printf(&v->veiled, "<%s: %s ", what, m == v->values ? "value" : "text");
	for (i = 0; i < DIGITS; i++)
		buf_append_char(&v->veiled, hex[sum[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf]);
	buf_append_char(&v->veiled, '>');
	return 0;
}

/* A sealed value: by what it opens as, or else by its text, which is in v->value. */
static int
append_sealed(struct veil *v, size_t i, const char *key, size_t len, struct error *err)
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
append_clear(struct veil *v, const char *key, size_t len, const void *value, size_t n,
    struct error *err)
{
	if (v->values != NULL)
		return append_mark(v, v->values, "clear text", key, len, value, n, err);
	buf_append_str(&v->veiled, "<clear text>");
	return 0;
}

static void
append_tag(struct veil *v, const char *key, size_t len)
{
	size_t prefix = strlen(TAG_PREFIX), i;
	enum tag_state state = TAG_NONE;

	if (v->s != NULL && secrets_file_tagger(v->s) != NULL) {
		i = secrets_file_find(v->s, key + prefix, len - prefix);
		if (i != DOCUMENT_NONE)
			state = tag_check(secrets_file_tagger(v->s), v->d, i, NULL);
	}
	if (state == TAG_NONE)
		buf_append_str(&v->veiled, "<tag>");
	else
		buf_printf(&v->veiled, "<tag: %s>", tag_state_name(state));
}

static int
append_clear_part(void *cookie, const struct clear *c, struct error *err)
{
	struct veil *v = cookie;

	buf_append(&v->veiled, v->value.data + v->veiled_to, c->from - v->veiled_to);
	v->veiled_to = c->to;
	return append_clear(v, c->address, c->address_len, c->text, c->to - c->from, err);
}

/* A configuration's value into v->veiled, if there is a secret in it. */
static int
veil_configured(struct veil *v, const char *key, size_t len, struct error *err)
{
	v->veiled_to = 0;
	if (clear_each(v->rules, key, len, (const char *)v->value.data, v->value.len,
	    append_clear_part, v, err) != 0)
		return -1;
	if (v->veiled.len > 0)
		buf_append(&v->veiled, v->value.data + v->veiled_to,
		    v->value.len - v->veiled_to);
	return 0;
}

/* The value of entry ${i}, which is in v->value, with its marks into v->veiled;
 * that stays empty when all of it may be seen. */
static int
veil_value(struct veil *v, size_t i, const char *key, size_t len, struct error *err)
{
	bool is_sealed = sealed_claims(v->value.data, v->value.len);

	buf_clear(&v->veiled);
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
	return veil_configured(v, key, len, err);
}

/* Copy what stands before ${end}: nobody reads it, but somebody might see it. */
static int
append_between(struct veil *v, size_t end, struct error *err)
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
		buf_clear(&v->veiled);
		rc = append_clear(v, l.key, l.key_len, text + l.value, l.value_len, err);
		buf_append(v->out, v->veiled.data, v->veiled.len);
	}
	buf_append(v->out, text + done, end - v->done - done);
	v->done = end;
	return rc;
}

/* As the format writes it: a mark has nothing to escape, what is around it may. */
static void
append_veiled(struct veil *v)
{
	if (document_format(v->d) == DOCUMENT_JSON)
		text_append_json(v->out, v->veiled.data, v->veiled.len);
	else
		properties_append_value(v->out, v->veiled.data, v->veiled.len);
}

static int
append_entry(struct veil *v, size_t i, struct error *err)
{
	const unsigned char *bytes = document_bytes(v->d)->data, *raw;
	size_t n, len, start, end, at;
	const char *key;

	raw = document_raw_value(v->d, i, &n);
	if (n == 0)
		return 0;
	at = (size_t)(raw - bytes);
	key = document_key(v->d, i, &len);
	document_span(v->d, i, &start, &end);
	buf_clear(&v->value);
	if (append_between(v, start, err) != 0 || document_value(v->d, i, &v->value, err) != 0 ||
	    veil_value(v, i, key, len, err) != 0 || buf_check(&v->veiled, err) != 0)
		return -1;
	buf_append(v->out, bytes + v->done, at - v->done);
	if (v->veiled.len > 0)
		append_veiled(v);
	else
		buf_append(v->out, raw, n);
	v->done = at + n;
	return 0;
}

static bool
is_secrets_file(const struct document *d, const struct secrets_file *s)
{
	return s != NULL ? secrets_file_recognise(d) || secrets_file_sealed_count(s) > 0 :
	    secrets_file_recognise(d);
}

static int
make_macs(struct veil *v, const struct key *master, struct error *err)
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
veil_append(const struct document *d, const struct secrets_file *s, const struct key *master,
    const struct rules *rules, struct buf *out, struct error *err)
{
	struct veil v = { .d = d, .s = s, .rules = rules, .out = out };
	int rc;

	v.is_secrets_file = is_secrets_file(d, s);
	buf_init_secret(&v.value, BUF_MAX_FILE);
	buf_init(&v.veiled, BUF_MAX_FILE);
	rc = make_macs(&v, master, err);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++)
		rc = append_entry(&v, i, err);
	if (rc == 0)
		rc = append_between(&v, document_bytes(d)->len, err);
	if (rc == 0)
		rc = buf_check(out, err);
	mac_free(v.values);
	mac_free(v.texts);
	buf_release(&v.veiled);
	buf_release(&v.value);
	return rc;
}

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/vec.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "document/document.h"
#include "document/jaas.h"
#include "secrets/inspect.h"
#include "secrets/member.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "secrets/value.h"

#define PURPOSE "propseal diff v1"
#define DIGITS 10

/* In text that nobody could read, a longer value is judged by its beginning. */
#define LOOSE_VALUE_MAX ((size_t)1024)

/* And a longer key is taken as it stands, with its escapes. */
#define LOOSE_NAME_MAX 1024

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
	struct vec *folds;	/* the caller's; NULL: not asked for */
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

static int
clear_parse(const char *value, size_t n, struct jaas **j, struct error *err)
{
	struct error why;

	*j = jaas_parse(value, n, &why);
	return *j != NULL || why.code != ERROR_MEMORY ? 0 : error_memory(err);
}

/* The value as JAAS, NULL: it is none.  -1: ERROR_MEMORY. */
static int
clear_jaas(const char *key, size_t len, const char *value, size_t n, struct jaas **j,
    struct error *err)
{
	*j = NULL;
	return n == 0 || !jaas_key(key, len) ? 0 : clear_parse(value, n, j, err);
}

/* Does another member tell of what entry ${i} is, and its own key nothing?  Then the value is
 * judged by that name, and is no JAAS. */
static bool
clear_by_member(const struct rules *r, const struct document *d, size_t i, const char **name,
    size_t *len)
{
	const char *key, *found;
	size_t n, found_len;
	bool sensitive;

	key = document_key(d, i, &n);
	if (!member_name(d, i, &found, &found_len) || jaas_key(found, found_len) ||
	    rules_public(r, key, n) || rules_tell(r, key, n, &sensitive))
		return false;
	*name = found;
	*len = found_len;
	return true;
}

int
clear_each(const struct rules *r, const struct document *d, size_t i, const char *value, size_t n,
    clear_fn *each, void *cookie, struct error *err)
{
	struct clear whole = { .to = n, .text = value };
	const char *key, *name;
	size_t len, name_len;
	struct jaas *j;
	int rc = 0;

	whole.address = key = document_key(d, i, &len);
	whole.address_len = len;
	if (clear_by_member(r, d, i, &name, &name_len))
		return rules_secret(r, name, name_len, value, n) == SECRET_CLEAR ?
		    each(cookie, &whole, err) : 0;
	if (clear_jaas(key, len, value, n, &j, err) != 0)
		return -1;
	if (j == NULL)
		return rules_secret(r, key, len, value, n) == SECRET_CLEAR ?
		    each(cookie, &whole, err) : 0;
	for (size_t k = 0; rc == 0 && k < jaas_count(j); k++)
		rc = option(r, j, k, key, len, value, each, cookie, err);
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
clear_in_entry(const struct rules *r, const struct document *d, size_t i, struct buf *value,
    struct clear_count *out, struct error *err)
{
	const unsigned char *raw;
	const char *key;
	size_t len, n;
	int rc;

	key = document_key(d, i, &len);
	raw = document_raw_value(d, i, &n);
	buf_clear(value);
	out->clear = 0;
	out->jaas = jaas_key(key, len);
	if (!out->jaas)
		clear_by_member(r, d, i, &key, &len);
	if (!rules_tell(r, key, len, &out->sensitive) && !out->jaas && !value_may_be_secret(raw, n))
		return 0;
	rc = document_value(d, i, value, err);
	if (rc == 0 && !out->jaas)
		out->clear = rules_secret(r, key, len, (const char *)value->data, value->len) ==
		    SECRET_CLEAR;
	else if (rc == 0 &&
	    (rc = clear_has_option(r, key, len, value, &out->sensitive, err)) == 0)
		rc = clear_each(r, d, i, (const char *)value->data, value->len, count_one,
		    &out->clear, err);
	out->sensitive |= out->clear > 0;
	buf_clear(value);
	return rc;
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

static bool
loose_ends_line(char c)
{
	return c == '\n' || c == '\r';
}

static bool
loose_is_quote(char c)
{
	return c == '"' || c == '\'';
}

static size_t
loose_line_end(const char *p, size_t at, size_t n)
{
	while (at < n && !loose_ends_line(p[at]))
		at++;
	return at;
}

/* Step over ${*at}, and over a line end as a whole. */
static void
loose_step(const char *p, size_t n, struct loose_place *place)
{
	bool ends = loose_ends_line(p[place->at]);

	place->at += p[place->at] == '\r' && place->at + 1 < n && p[place->at + 1] == '\n';
	place->at++;
	if (ends) {
		place->line++;
		place->line_at = place->at;
	}
}

/* Where the line ends, with those that continue it. */
static size_t
loose_lines_end(const char *p, size_t at, size_t n)
{
	size_t end, slashes;

	for (;; at = end + 1) {
		end = loose_line_end(p, at, n);
		for (slashes = 0; end - slashes > at && p[end - slashes - 1] == '\\';)
			slashes++;
		if (slashes % 2 == 0 || end == n)
			return end;
		end += end + 1 < n && p[end] == '\r' && p[end + 1] == '\n';
	}
}

/* Behind the quote that closes the string at ${at}: nothing stands behind that but
 * what goes on.  ${n}: there is none, or it is the last. */
static size_t
loose_string_end(const char *p, size_t at, size_t n)
{
	char quote = p[at];
	size_t next;

	while (++at < n) {
		if (p[at] == '\\') {
			at++;
		} else if (p[at] == quote) {
			next = skip(p, at + 1, n, " \t\f");
			if (next == n || strchr(",;}]\\\r\n", p[next]) != NULL)
				return at + 1;
		}
	}
	return n;
}

/* The key before the separator at ${at}, and where its value begins.  Without
 * quotes it is none behind another word, as in prose. */
static bool
loose_key_before(const char *p, size_t at, size_t n, struct loose *out)
{
	size_t end = at, from, before;
	bool quoted;

	while (end > 0 && (loose_is_blank(p[end - 1]) || loose_ends_line(p[end - 1])))
		end--;
	quoted = end > 0 && loose_is_quote(p[end - 1]);
	end -= quoted;
	for (from = end; from > 0 && (quoted ? p[from - 1] != p[end] : (unsigned char)p[from - 1] >
	    ' ' && strchr("{}[](),;=:\"'", p[from - 1]) == NULL); from--)
		;
	for (before = from; before > 0 && loose_is_blank(p[before - 1]); before--)
		;
	if (!quoted && before > 0 && before < from && !loose_ends_line(p[before - 1]) &&
	    strchr("{[(,;\"'#!/", p[before - 1]) == NULL)
		return false;
	out->value = skip(p, at + 1, n, quoted ? " \t\f\r\n" : " \t\f");
	while (!quoted && from < end && (p[from] == '#' || p[from] == '!'))
		from++;
	/* The quotes of JSON that is a string have escapes. */
	end -= quoted && end > from && p[end - 1] == '\\';
	out->key = p + from;
	out->key_len = end - from;
	return end > from;
}

/* A key of at most LOOSE_NAME_MAX bytes without its escapes.  Returns its length. */
static size_t
loose_unescape(const struct loose *l, char name[static LOOSE_NAME_MAX])
{
	size_t n = 0;
	int code;

	for (size_t i = 0; i < l->key_len; i++) {
		i += l->key[i] == '\\' && i + 1 < l->key_len;
		name[n] = l->key[i];
		if (i > 0 && l->key[i - 1] == '\\' && l->key[i] == 'u' && l->key_len - i > 4 &&
		    (code = hex_four((const unsigned char *)l->key + i + 1)) >= 0) {
			name[n] = code < 0x80 ? (char)code : '?';
			i += 4;
		}
		n++;
	}
	return n;
}

/* Is what stands at l->value a secret?  Fills l->value_len. */
static bool
loose_is_unread_secret(const struct rules *r, const char *p, size_t n, struct loose_place *place,
    struct loose *l)
{
	size_t at = l->value, limit = n - at > LOOSE_VALUE_MAX ? at + LOOSE_VALUE_MAX : n, to;
	char name[LOOSE_NAME_MAX];
	bool plain = l->key_len > sizeof(name) || memchr(l->key, '\\', l->key_len) == NULL;
	size_t len = plain ? l->key_len : loose_unescape(l, name);
	bool quoted = at < n && loose_is_quote(p[at]);

	/* What an object has in it has keys of its own. */
	if (at < n && p[at] == '{' && !rules_sensitive(r, plain ? l->key : name, len))
		return false;
	if (quoted)
		to = loose_string_end(p, at, limit);
	else if (strchr("\"'\\", l->key[l->key_len]) != NULL)
		for (to = at; to < limit && (to == at || strchr(",}]\r\n", p[to]) == NULL); to++)
			;
	else
		to = loose_lines_end(p, at, limit);
	at += quoted;
	if (!loose_is_secret(r, plain ? l->key : name, len, p + at, to - at -
	    (quoted && to > at && p[to - 1] == p[l->value])))
		return false;
	if (quoted && to == limit && place->hidden <= limit)
		to = loose_string_end(p, l->value, n);
	if (to > place->hidden)
		place->hidden = loose_lines_end(p, to, n);
	l->value_len = place->hidden - l->value;
	return true;
}

/*
 * In what nobody could read any key in a line counts, and more is taken for
 * its value than may be it: where that ends is what cannot be told.
 */
static bool
loose_next_unread(const struct rules *r, const char *p, size_t n, struct loose_place *place,
    struct loose *out)
{
	size_t first;
	bool found = false;

	for (; !found && place->at < n; loose_step(p, n, place)) {
		if ((p[place->at] != '=' && p[place->at] != ':') ||
		    !loose_key_before(p, place->at, n, out))
			continue;
		first = skip(p, place->line_at, n, " \t\f");
		out->commented = p[first] == '#' || p[first] == '!';
		out->line = place->line;
		found = loose_is_unread_secret(r, p, n, place, out);
	}
	return found;
}

bool
loose_next(const struct rules *r, const char *text, size_t n, struct loose_place *place,
    struct loose *out)
{
	size_t start, end;
	bool found = false;

	if (place->unread)
		return loose_next_unread(r, text, n, place, out);
	while (!found && place->at < n) {
		start = place->at;
		end = loose_line_end(text, start, n);
		found = loose_take_apart(r, text + start, end - start, out);
		out->value += start;
		out->line = place->line;
		place->at = end;
		if (end < n)
			loose_step(text, n, place);
	}
	return found;
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
mask_configured(struct masking *v, size_t i, struct error *err)
{
	v->masked_to = 0;
	if (clear_each(v->rules, v->d, i, (const char *)v->value.data, v->value.len,
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
	return mask_configured(v, i, err);
}

/* These bytes of the document are not in the output, where it ends now. */
static int
mask_fold(struct masking *v, const void *bytes, size_t n, struct error *err)
{
	const unsigned char *p = bytes;
	struct mask_fold *f;
	size_t lines = 0;

	for (size_t i = 0; v->folds != NULL && i < n; i++)
		lines += p[i] == '\n' || (p[i] == '\r' && (i + 1 == n || p[i + 1] != '\n'));
	if (lines == 0)
		return 0;
	if ((f = vec_push(v->folds)) == NULL)
		return error_memory(err);
	*f = (struct mask_fold){ v->out->len, lines };
	return 0;
}

/* Copy what stands before ${end}: nobody reads it, but somebody might see it.
 * ${unread}: nobody can. */
static int
append_between(struct masking *v, size_t end, bool unread, struct error *err)
{
	struct loose_place place = { .line = 1, .unread = unread };
	const char *text;
	struct loose l;
	size_t done = 0, to;
	int rc = 0;

	if (end <= v->done)
		return 0;
	text = (const char *)document_bytes(v->d)->data + v->done;
	while (rc == 0 && loose_next(v->rules, text, end - v->done, &place, &l)) {
		to = l.value + l.value_len;
		if (l.value >= done) {
			buf_append(v->out, text + done, l.value - done);
			buf_clear(&v->masked);
			rc = append_clear(v, l.key, l.key_len, text + l.value, l.value_len, err);
			buf_append(v->out, v->masked.data, v->masked.len);
			done = l.value;
		}
		if (rc == 0 && to > done)
			rc = mask_fold(v, text + done, to - done, err);
		done = to > done ? to : done;
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
	if (append_between(v, start, false, err) != 0)
		return -1;
	while (end > start && (bytes[end - 1] == '\n' || bytes[end - 1] == '\r'))
		end--;
	buf_append_str(v->out, end > start ? "<clear text>" : "");
	v->done = end;
	return mask_fold(v, bytes + start, end - start, err);
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
	if (append_between(v, start, false, err) != 0 ||
	    document_value(v->d, i, &v->value, err) != 0 || mask_value(v, i, key, len, err) != 0 ||
	    buf_check(&v->masked, err) != 0)
		return -1;
	buf_append(v->out, bytes + v->done, at - v->done);
	v->done = at + n;
	if (v->masked.len == 0) {
		buf_append(v->out, raw, n);
		return 0;
	}
	append_masked(v);
	return mask_fold(v, raw, n, err);
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
    const struct rules *rules, struct buf *out, struct vec *folds, struct error *err)
{
	struct masking v = { .d = d, .s = s, .rules = rules, .out = out, .folds = folds };
	size_t read;
	bool unread;
	int rc;

	v.is_secrets_file = mask_is_secrets_file(d, s);
	buf_init_secret(&v.value, BUF_MAX_FILE);
	buf_init(&v.masked, BUF_MAX_FILE);
	vec_init(&v.remarks, sizeof(struct remark), SIZE_MAX / sizeof(struct remark));
	/* Where an entry has no line of its own, what cannot be read may be a part of the last. */
	unread = document_problem(d, NULL) != 0;
	read = document_count(d);
	read -= unread && read > 0 && !document_format(d)->lines;
	rc = make_macs(&v, master, err);
	if (rc == 0 && !v.is_secrets_file)
		rc = inspect_document(rules, d, NULL, &v.remarks, err);
	for (size_t i = 0; rc == 0 && i < read; i++)
		rc = mask_append_entry(&v, i, err);
	if (rc == 0)
		rc = append_between(&v, document_bytes(d)->len, unread, err);
	if (rc == 0)
		rc = buf_check(out, err);
	mac_free(v.values);
	mac_free(v.texts);
	vec_release(&v.remarks);
	buf_release(&v.masked);
	buf_release(&v.value);
	return rc;
}

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/number.h"
#include "crypto/base64.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/names.h"
#include "registry/store/record_internal.h"

/* Characters of base64 that ${n} bytes make. */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)
#define TEXT_SPARE 64		/* NULs beyond what a record's bytes make room for */

static struct scan
record_value_start(const struct record_parser *p, const struct log_record *r)
{
	const unsigned char *bytes = r->value;

	return (struct scan){ bytes, bytes + r->value_len, p->text + p->text_used, false };
}

static enum record_read
record_value_finish(struct record_parser *p, struct scan *s)
{
	if (!scan_is(s, "}") || s->p != s->end)
		return RECORD_NOT_READ;
	p->text_used = (size_t)(s->text - p->text);
	return RECORD_READ;
}

/* Have room for one more of ${size} bytes. */
static void *
record_value_grow(void *items, size_t count, size_t *cap, size_t size)
{
	size_t more = *cap > 0 ? 2 * *cap : 16;
	void *new;

	if (count < *cap)
		return items;
	new = realloc(items, more * size);
	if (new != NULL)
		*cap = more;
	return new;
}

static enum record_read
record_add_deleted(struct record_parser *p, struct record *out, uint64_t from, uint64_t to,
    int64_t at_ms, const char *by)
{
	struct record_deleted *deleted;
	size_t n = out->deleted_count;
	uint64_t i;

	if (from == 0 || from > to || to > NAME_VERSION_MAX || by == NULL || at_ms < 0 ||
	    to - from >= RECORD_DELETED_MAX - n || (n > 0 && p->deleted[n - 1].number >= from))
		return RECORD_NOT_READ;
	for (i = from; i <= to; i++) {
		deleted = record_value_grow(p->deleted, n, &p->deleted_cap, sizeof(*deleted));
		if (deleted == NULL)
			return RECORD_NO_MEMORY;
		p->deleted = deleted;
		deleted[n++] = (struct record_deleted){ (uint32_t)i, at_ms, by };
	}
	out->deleted = p->deleted;
	out->deleted_count = n;
	return RECORD_READ;
}

/* A run of deleted versions, one more range: checked for order and limits. */
static enum record_read
record_add_range(struct record_parser *p, struct record *out, uint64_t from, uint64_t to)
{
	struct record_range *ranges;
	size_t n = out->destroyed_count;

	if (from == 0 || from > to || to > NAME_VERSION_MAX || n == RECORD_DESTROYED_MAX ||
	    (n > 0 && p->ranges[n - 1].to >= from))
		return RECORD_NOT_READ;
	ranges = record_value_grow(p->ranges, n, &p->range_cap, sizeof(*ranges));
	if (ranges == NULL)
		return RECORD_NO_MEMORY;
	p->ranges = ranges;
	ranges[n] = (struct record_range){ (uint32_t)from, (uint32_t)to };
	out->destroyed = ranges;
	out->destroyed_count = n + 1;
	return RECORD_READ;
}

static enum record_read
record_set_sealed(struct record_parser *p, struct record *out, uint32_t kid,
    const char *const parts[3], const size_t lengths[3])
{
	size_t need = SEALED_TEXT + lengths[2] / 4 * 3 + 3;
	unsigned char *sealed;
	size_t n;

	if (kid == 0 || lengths[0] != BASE64_LEN(SEALED_IV - SEALED_SALT) ||
	    lengths[1] != BASE64_LEN(SEALED_TEXT - SEALED_IV))
		return RECORD_NOT_READ;
	if (need > p->sealed_cap) {
		sealed = realloc(p->sealed, 2 * need);
		if (sealed == NULL)
			return RECORD_NO_MEMORY;
		p->sealed = sealed;
		p->sealed_cap = 2 * need;
	}
	sealed = p->sealed;
	sealed[0] = (unsigned char)(kid >> 24);
	sealed[1] = (unsigned char)(kid >> 16);
	sealed[2] = (unsigned char)(kid >> 8);
	sealed[3] = (unsigned char)kid;
	/* Each writes whole groups of three bytes: the next one covers the rest. */
	if (base64_read(parts[0], lengths[0], sealed + SEALED_SALT) != SEALED_IV - SEALED_SALT ||
	    base64_read(parts[1], lengths[1], sealed + SEALED_IV) != SEALED_TEXT - SEALED_IV)
		return RECORD_NOT_READ;
	n = base64_read(parts[2], lengths[2], sealed + SEALED_TEXT);
	if (n == SIZE_MAX || n < SEALED_MIN - SEALED_TEXT)
		return RECORD_NOT_READ;
	out->sealed = sealed;
	out->sealed_len = SEALED_TEXT + n;
	return RECORD_READ;
}

/* Put the three base64 parts and the kid together as keyring.h says. */
static bool
record_set_idem(struct record *out, const char *text, size_t n)
{
	unsigned char bytes[BASE64_LEN(sizeof(out->idem)) / 4 * 3];

	if (n != BASE64_LEN(sizeof(out->idem)) ||
	    base64_read(text, n, bytes) != sizeof(out->idem))
		return false;
	memcpy(out->idem, bytes, sizeof(out->idem));
	out->has_idem = true;
	return true;
}

static enum record_read
record_read_secret(struct record_parser *p, const struct log_record *r, struct record *out)
{
	struct scan s = record_value_start(p, r);
	const char *parts[3], *idem = NULL;
	size_t lengths[3] = { 0 }, idem_len = 0;
	enum record_read read;
	uint32_t kid;

	scan_is(&s, "{" JSON_NAME("m") "1," JSON_NAME("kid"));
	kid = (uint32_t)scan_number(&s, UINT32_MAX);
	scan_is(&s, "," JSON_NAME("alg") "\"" RECORD_ALGORITHM "\"," JSON_NAME("salt"));
	parts[0] = scan_raw(&s, &lengths[0]);
	scan_is(&s, "," JSON_NAME("iv"));
	parts[1] = scan_raw(&s, &lengths[1]);
	scan_is(&s, "," JSON_NAME("ct"));
	parts[2] = scan_raw(&s, &lengths[2]);
	scan_is(&s, "," JSON_NAME("createdAt"));
	out->created_ms = scan_time(&s);
	scan_is(&s, "," JSON_NAME("createdBy"));
	out->created_by = scan_string(&s);
	scan_is(&s, "," JSON_NAME("expiresAt"));
	out->expires_ms = scan_time(&s);
	scan_is(&s, "," JSON_NAME("epoch"));
	out->epoch = scan_number(&s, INT64_MAX);
	if (scan_may(&s, "," JSON_NAME("idem")))
		idem = scan_raw(&s, &idem_len);
	read = record_value_finish(p, &s);
	if (read == RECORD_READ)
		read = record_set_sealed(p, out, kid, parts, lengths);
	if (read == RECORD_READ && idem != NULL && !record_set_idem(out, idem, idem_len))
		read = RECORD_NOT_READ;
	return read;
}

static enum record_read
read_deleted(struct record_parser *p, struct scan *s, struct record *out)
{
	enum record_read read = RECORD_READ;
	uint64_t from, to;
	int64_t at;
	const char *by;

	if (scan_may(s, "]"))
		return RECORD_READ;
	do {
		scan_is(s, "{" JSON_NAME("n"));
		from = to = scan_number(s, NAME_VERSION_MAX);
		if (scan_may(s, "," JSON_NAME("to")))
			to = scan_number(s, NAME_VERSION_MAX);
		scan_is(s, "," JSON_NAME("at"));
		at = scan_time(s);
		scan_is(s, "," JSON_NAME("by"));
		by = scan_string(s);
		if (!scan_is(s, "}"))
			return RECORD_NOT_READ;
		read = record_add_deleted(p, out, from, to, at, by);
	} while (read == RECORD_READ && scan_may(s, ","));
	scan_is(s, "]");
	return read;
}

static enum record_read
read_destroyed(struct record_parser *p, struct scan *s, struct record *out)
{
	enum record_read read = RECORD_READ;
	uint64_t from, to;

	if (scan_may(s, "]"))
		return RECORD_READ;
	do {
		scan_is(s, "[");
		from = scan_number(s, NAME_VERSION_MAX);
		scan_is(s, ",");
		to = scan_number(s, NAME_VERSION_MAX);
		if (!scan_is(s, "]"))
			return RECORD_NOT_READ;
		read = record_add_range(p, out, from, to);
	} while (read == RECORD_READ && scan_may(s, ","));
	scan_is(s, "]");
	return read;
}

/* Values as record_encode writes them. */
static enum record_read
record_read_meta(struct record_parser *p, const struct log_record *r, struct record *out)
{
	struct scan s = record_value_start(p, r);
	enum record_read read;

	out->deleted_count = out->destroyed_count = 0;
	scan_is(&s, "{" JSON_NAME("m") "1," JSON_NAME("high"));
	out->high = (uint32_t)scan_number(&s, NAME_VERSION_MAX);
	if (!scan_is(&s, "," JSON_NAME("deleted") "["))
		return RECORD_NOT_READ;
	read = read_deleted(p, &s, out);
	if (read != RECORD_READ || !scan_is(&s, "," JSON_NAME("destroyed") "["))
		return read != RECORD_READ ? read : RECORD_NOT_READ;
	read = read_destroyed(p, &s, out);
	if (read != RECORD_READ)
		return read;
	scan_is(&s, "," JSON_NAME("maxVersions"));
	out->max_versions = (uint32_t)scan_number(&s, NAME_VERSION_MAX);
	out->cas_required = scan_may(&s, "," JSON_NAME("casRequired") "true");
	if (!out->cas_required)
		scan_is(&s, "," JSON_NAME("casRequired") "false");
	scan_is(&s, "," JSON_NAME("custom"));
	out->custom = scan_strings(&s);
	scan_is(&s, "," JSON_NAME("updatedAt"));
	out->updated_ms = scan_time(&s);
	scan_is(&s, "," JSON_NAME("updatedBy"));
	out->updated_by = scan_string(&s);
	scan_is(&s, "," JSON_NAME("mcas"));
	out->mcas = (uint32_t)scan_number(&s, UINT32_MAX);
	return record_value_finish(p, &s);
}

/* A string member copied to the parser's text; NULL: none, or one with NUL. */
static const char *
string_of(struct record_parser *p, const json_t *j)
{
	size_t n = json_string_length(j);
	char *text = p->text + p->text_used;

	if (!json_is_string(j) || memchr(json_string_value(j), '\0', n) != NULL ||
	    n + 1 > p->text_cap - p->text_used)
		return NULL;
	memcpy(text, json_string_value(j), n + 1);
	p->text_used += n + 1;
	return text;
}

/* A whole number 0..max; ${*ok} is cleared unless it is one. */
static uint64_t
record_loose_number_of(const json_t *j, uint64_t max, bool *ok)
{
	json_int_t v = json_integer_value(j);

	if (json_is_integer(j) && v >= 0 && (uint64_t)v <= max)
		return (uint64_t)v;
	*ok = false;
	return 0;
}

static uint64_t
number_in(const json_t *object, const char *name, uint64_t max, bool *ok)
{
	return record_loose_number_of(json_object_get(object, name), max, ok);
}

/* The value as an object of this format; NULL: ${*read} says what it is. */
static json_t *
record_loose_load(const struct log_record *r, enum record_read *read)
{
	json_t *j = json_loadb(r->value, r->value_len, JSON_REJECT_DUPLICATES, NULL);
	bool ok = true;
	uint64_t m;

	*read = RECORD_NOT_READ;
	if (!json_is_object(j)) {
		json_decref(j);
		return NULL;
	}
	m = number_in(j, "m", UINT32_MAX, &ok);
	if (ok && m == RECORD_FORMAT)
		return j;
	if (ok && m > RECORD_FORMAT)
		*read = RECORD_NEWER;
	json_decref(j);
	return NULL;
}

/* Is the text an object?  What is ${member}'s string (in the parser's text;
 * NULL: none)?  RECORD_NOT_READ: not an object. */
static enum record_read
record_loose_object(struct record_parser *p, const void *text, size_t n, const char *member,
    const char **string)
{
	json_t *j = json_loadb(text, n, 0, NULL);
	bool is_object = json_is_object(j);

	*string = is_object ? string_of(p, json_object_get(j, member)) : NULL;
	json_decref(j);
	return is_object ? RECORD_READ : RECORD_NOT_READ;
}

static enum record_read
record_loose_secret(struct record_parser *p, const struct log_record *r, struct record *out)
{
	static const char *const names[3] = { "salt", "iv", "ct" };
	const char *parts[3];
	size_t lengths[3], i;
	enum record_read read;
	json_t *j = record_loose_load(r, &read);
	const json_t *m;
	bool ok = true;
	uint32_t kid;

	if (j == NULL)
		return read;
	for (i = 0; i < 3; i++) {
		m = json_object_get(j, names[i]);
		parts[i] = json_string_value(m);
		lengths[i] = json_string_length(m);
		ok = ok && parts[i] != NULL;
	}
	kid = (uint32_t)number_in(j, "kid", UINT32_MAX, &ok);
	out->created_ms = (int64_t)number_in(j, "createdAt", INT64_MAX, &ok);
	out->expires_ms = (int64_t)number_in(j, "expiresAt", INT64_MAX, &ok);
	out->epoch = number_in(j, "epoch", INT64_MAX, &ok);
	out->created_by = string_of(p, json_object_get(j, "createdBy"));
	m = json_object_get(j, "alg");
	if (!json_is_string(m) || out->created_by == NULL || !ok)
		read = RECORD_NOT_READ;
	else if (strcmp(json_string_value(m), RECORD_ALGORITHM) != 0)
		read = RECORD_NEWER;
	else
		read = record_set_sealed(p, out, kid, parts, lengths);
	m = json_object_get(j, "idem");
	if (read == RECORD_READ && m != NULL && (!json_is_string(m) ||
	    !record_set_idem(out, json_string_value(m), json_string_length(m))))
		read = RECORD_NOT_READ;
	json_decref(j);
	return read;
}

static enum record_read
deleted_of(struct record_parser *p, const json_t *list, struct record *out)
{
	enum record_read read = json_is_array(list) ? RECORD_READ : RECORD_NOT_READ;
	const json_t *j;
	uint64_t from, to;
	int64_t at;
	bool ok = true;
	size_t i;

	for (i = 0; read == RECORD_READ && i < json_array_size(list); i++) {
		j = json_array_get(list, i);
		from = to = number_in(j, "n", NAME_VERSION_MAX, &ok);
		if (json_object_get(j, "to") != NULL)
			to = number_in(j, "to", NAME_VERSION_MAX, &ok);
		at = (int64_t)number_in(j, "at", INT64_MAX, &ok);
		if (!ok)
			return RECORD_NOT_READ;
		read = record_add_deleted(p, out, from, to, at,
		    string_of(p, json_object_get(j, "by")));
	}
	return read;
}

static enum record_read
destroyed_of(struct record_parser *p, const json_t *list, struct record *out)
{
	enum record_read read = json_is_array(list) ? RECORD_READ : RECORD_NOT_READ;
	const json_t *j;
	uint64_t from, to;
	bool ok = true;
	size_t i;

	for (i = 0; read == RECORD_READ && i < json_array_size(list); i++) {
		j = json_array_get(list, i);
		from = record_loose_number_of(json_array_get(j, 0), NAME_VERSION_MAX, &ok);
		to = record_loose_number_of(json_array_get(j, 1), NAME_VERSION_MAX, &ok);
		if (!ok)
			return RECORD_NOT_READ;
		read = record_add_range(p, out, from, to);
	}
	return read;
}

static enum record_read
record_loose_meta(struct record_parser *p, const struct log_record *r, struct record *out)
{
	enum record_read read;
	json_t *j = record_loose_load(r, &read);
	const json_t *custom, *cas;
	bool ok = true;

	if (j == NULL)
		return read;
	out->deleted_count = out->destroyed_count = 0;
	out->high = (uint32_t)number_in(j, "high", NAME_VERSION_MAX, &ok);
	out->max_versions = (uint32_t)number_in(j, "maxVersions", NAME_VERSION_MAX, &ok);
	out->updated_ms = (int64_t)number_in(j, "updatedAt", INT64_MAX, &ok);
	out->mcas = (uint32_t)number_in(j, "mcas", UINT32_MAX, &ok);
	out->updated_by = string_of(p, json_object_get(j, "updatedBy"));
	cas = json_object_get(j, "casRequired");
	out->cas_required = json_is_true(cas);
	custom = json_object_get(j, "custom");
	read = RECORD_NOT_READ;
	if (ok && out->updated_by != NULL && json_is_boolean(cas) && json_is_object(custom))
		read = deleted_of(p, json_object_get(j, "deleted"), out);
	if (read == RECORD_READ)
		read = destroyed_of(p, json_object_get(j, "destroyed"), out);
	if (read == RECORD_READ) {
		out->custom = p->custom = json_dumps(custom, JSON_COMPACT);
		if (p->custom == NULL)
			read = RECORD_NO_MEMORY;
	}
	json_decref(j);
	return read;
}

/* The same with members in any order, and more of them. */
static enum record_read
record_loose_leader(struct record_parser *p, const struct log_record *r, struct record *out)
{
	json_t *j = json_loadb(r->value, r->value_len, JSON_REJECT_DUPLICATES, NULL);
	bool ok = json_is_object(j);

	out->epoch = number_in(j, "epoch", INT64_MAX, &ok);
	out->node = string_of(p, json_object_get(j, "node"));
	json_decref(j);
	return ok && out->node != NULL ? RECORD_READ : RECORD_NOT_READ;
}

struct record_parser *
record_parser_new(void)
{
	return calloc(1, sizeof(struct record_parser));
}

void
record_parser_free(struct record_parser *p)
{
	if (p == NULL)
		return;
	free(p->text);
	free(p->sealed);
	free(p->deleted);
	free(p->ranges);
	free(p->custom);
	free(p);
}

/* Room for all strings of a record: decoded ones are never longer. */
static int
record_parse_start(struct record_parser *p, const struct log_record *r)
{
	size_t need = r->key_len + r->value_len + TEXT_SPARE;
	char *text;

	free(p->custom);
	p->custom = NULL;
	p->text_used = 0;
	if (need <= p->text_cap)
		return 0;
	if (need < 2 * p->text_cap)
		need = 2 * p->text_cap;
	text = realloc(p->text, need);
	if (text == NULL)
		return -1;
	p->text = text;
	p->text_cap = need;
	return 0;
}

/* Of a key in exactly the form that record_encode_key gives it: another
 * spelling is another key to the log, so it must not be taken for this one. */
static bool
parse_key(struct scan *s, struct record *out)
{
	const char *claim;
	size_t n = 0;

	if (scan_may(s, "{" JSON_NAME("t") "\"SECRET\"," JSON_NAME("path"))) {
		out->type = RECORD_SECRET;
	} else if (scan_may(s, "{" JSON_NAME("t") "\"META\"," JSON_NAME("path"))) {
		out->type = RECORD_META;
	} else if (scan_may(s, "{" JSON_NAME("t") "\"KEYRING\"}")) {
		out->type = RECORD_KEYRING;
		return s->p == s->end;
	} else if (scan_may(s, "{" JSON_NAME("t") "\"LEADER\"}")) {
		out->type = RECORD_LEADER;
		return s->p == s->end;
	} else if (scan_may(s, "{" JSON_NAME("t") "\"AUDIT\"," JSON_NAME("slot"))) {
		out->type = RECORD_AUDIT;
		out->slot = (uint32_t)scan_number(s, RECORD_SLOT_MAX);
		return scan_is(s, "}") && s->p == s->end;
	} else {
		return false;
	}
	out->path = scan_name(s, &out->path_len);
	scan_is(s, "," JSON_NAME("key"));
	out->key = scan_name(s, &out->key_len);
	if (out->type == RECORD_SECRET) {
		scan_is(s, "," JSON_NAME("version"));
		out->version = (uint32_t)scan_number(s, NAME_VERSION_MAX);
		scan_is(s, "," JSON_NAME("claim"));
		claim = scan_raw(s, &n);
		if (s->failed || out->version == 0 || n != 2 * sizeof(out->claim) ||
		    !hex_parse_lower(claim, sizeof(out->claim), out->claim))
			return false;
	}
	return scan_is(s, "}") && s->p == s->end;
}

/* A key that is none of ours: is it at least what a later release may write? */
static int
classify(struct record_parser *p, const struct log_record *r, struct record *out)
{
	const char *t = NULL;

	switch (record_loose_object(p, r->key, r->key_len, "t", &t)) {
	case RECORD_NO_MEMORY:
		return -1;
	case RECORD_READ:
		out->type = t == NULL ? RECORD_GARBAGE :
		    strcmp(t, "NOOP") == 0 ? RECORD_NOOP : RECORD_UNKNOWN;
		break;
	default:
		out->type = RECORD_GARBAGE;
	}
	out->key_type = out->type;
	return 0;
}

static enum record_read
parse_keyring(struct record_parser *p, const struct log_record *r, struct record *out)
{
	const char *none;

	out->text = r->value;
	out->text_len = r->value_len;
	return record_loose_object(p, r->value, r->value_len, "", &none);
}

static enum record_read
parse_value(struct record_parser *p, const struct log_record *r, struct record *out)
{
	size_t used = p->text_used;
	enum record_read read;

	switch (out->type) {
	case RECORD_SECRET:
		read = record_read_secret(p, r, out);
		p->text_used = read == RECORD_NOT_READ ? used : p->text_used;
		return read == RECORD_NOT_READ ? record_loose_secret(p, r, out) : read;
	case RECORD_META:
		read = record_read_meta(p, r, out);
		p->text_used = read == RECORD_NOT_READ ? used : p->text_used;
		return read == RECORD_NOT_READ ? record_loose_meta(p, r, out) : read;
	case RECORD_KEYRING:
		return parse_keyring(p, r, out);
	case RECORD_LEADER:
		return record_loose_leader(p, r, out);
	case RECORD_AUDIT:
		out->text = r->value;
		out->text_len = r->value_len;
		return RECORD_READ;
	default:
		return RECORD_READ;
	}
}

int
record_parse(struct record_parser *p, const struct log_record *r, struct record *out)
{
	struct scan s;

	memset(out, 0, sizeof(*out));
	out->tombstone = r->value == NULL;
	if (record_parse_start(p, r) == -1)
		return -1;
	s = (struct scan){ r->key, (const unsigned char *)r->key + r->key_len, p->text, false };
	if (!parse_key(&s, out)) {
		memset(out, 0, sizeof(*out));
		out->tombstone = r->value == NULL;
		return classify(p, r, out);
	}
	p->text_used = (size_t)(s.text - p->text);
	out->key_type = out->type;
	if (out->path != NULL && (!name_path_valid(out->path, out->path_len) ||
	    !name_key_valid(out->key, out->key_len))) {
		out->type = out->key_type = RECORD_GARBAGE;
		return 0;
	}
	if (out->tombstone)
		return 0;
	switch (parse_value(p, r, out)) {
	case RECORD_READ:
		break;
	case RECORD_NEWER:
		out->type = RECORD_UNKNOWN;
		break;
	case RECORD_NOT_READ:
		out->type = RECORD_GARBAGE;
		break;
	case RECORD_NO_MEMORY:
		return -1;
	}
	return 0;
}

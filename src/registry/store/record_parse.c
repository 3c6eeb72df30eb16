#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "registry/log/log.h"
#include "registry/store/names.h"
#include "registry/store/record_internal.h"
#include "registry/store/scan.h"

#define TEXT_SPARE 64		/* NULs beyond what a record's bytes make room for */

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

static int
hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
parse_claim(const char *text, size_t n, unsigned char claim[16])
{
	size_t i;

	if (n != 32)
		return false;
	for (i = 0; i < 16; i++) {
		int high = hex_digit((unsigned char)text[2 * i]);
		int low = hex_digit((unsigned char)text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		claim[i] = (unsigned char)(high << 4 | low);
	}
	return true;
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
		if (s->failed || out->version == 0 || !parse_claim(claim, n, out->claim))
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

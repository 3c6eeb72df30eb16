#include <string.h>

#include "base/error.h"
#include "base/json_out.h"
#include "base/secmem.h"
#include "registry/audit/audit_chain.h"
#include "registry/audit/audit_text.h"

#define HEX (2 * MAC_BYTES)

static const char seq_mark[] = "," JSON_NAME("seq");
static const char prev_mark[] = "," JSON_NAME("prevhash") "\"";
static const char hash_mark[] = "," JSON_NAME("hash") "\"";
static const char intent_mark[] = "," JSON_NAME("intentseq");

#define MARK(mark) (sizeof(mark) - 1)

int
audit_chain_seal(struct audit_chain *c, struct mac *m, const char *id, const char *body,
    size_t n, uint64_t intent, struct audit_text *out, struct error *err)
{
	const char *line = out->at;
	unsigned char hash[MAC_BYTES];

	if ((size_t)(out->end - out->at) < n + AUDIT_CHAIN_EXTRA)
		return error_set(err, ERROR_LIMIT, "no room for a line");
	AUDIT_TEXT_PUT(out, "{" JSON_NAME("specversion") "\"1.0\"," JSON_NAME("id") "\"");
	audit_text_put(out, id, AUDIT_CHAIN_ID);
	AUDIT_TEXT_PUT(out, "-");
	audit_text_number(out, c->seq + 1);
	AUDIT_TEXT_PUT(out, "\"");
	audit_text_put(out, body, n);
	if (intent != 0) {
		audit_text_put(out, intent_mark, MARK(intent_mark));
		audit_text_number(out, intent);
	}
	audit_text_put(out, seq_mark, MARK(seq_mark));
	audit_text_number(out, c->seq + 1);
	audit_text_put(out, prev_mark, MARK(prev_mark));
	audit_text_hex(out, c->hash, MAC_BYTES);
	AUDIT_TEXT_PUT(out, "\"");
	if (mac_sum(m, c->hash, MAC_BYTES, line, (size_t)(out->at - line), hash, err) != 0)
		return -1;
	audit_text_put(out, hash_mark, MARK(hash_mark));
	audit_text_hex(out, hash, MAC_BYTES);
	AUDIT_TEXT_PUT(out, "\"}\n");
	memcpy(c->hash, hash, MAC_BYTES);
	c->seq++;
	return 0;
}

static int
audit_chain_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
audit_chain_unhex(const char *text, unsigned char out[MAC_BYTES])
{
	int high, low;
	size_t i;

	for (i = 0; i < MAC_BYTES; i++) {
		high = audit_chain_digit(text[2 * i]);
		low = audit_chain_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* Step back over ${what}, which must end at ${*at}. */
static bool
audit_chain_back(const char *line, size_t *at, const char *what, size_t n)
{
	if (*at < n || memcmp(line + *at - n, what, n) != 0)
		return false;
	*at -= n;
	return true;
}

static bool
back_hex(const char *line, size_t *at, unsigned char out[MAC_BYTES])
{
	if (*at < HEX || !audit_chain_unhex(line + *at - HEX, out))
		return false;
	*at -= HEX;
	return true;
}

static bool
back_number(const char *line, size_t *at, uint64_t *out)
{
	uint64_t scale = 1;
	size_t digits = 0;

	*out = 0;
	while (*at > 0 && line[*at - 1] >= '0' && line[*at - 1] <= '9' && digits < 19) {
		*out += (uint64_t)(line[*at - 1] - '0') * scale;
		scale *= 10;
		digits++;
		--*at;
	}
	return digits > 0;
}

bool
audit_chain_tail(const char *line, size_t n, struct audit_tail *out)
{
	size_t at = n, body;

	if (!audit_chain_back(line, &at, "\"}", 2) || !back_hex(line, &at, out->hash) ||
	    !audit_chain_back(line, &at, hash_mark, MARK(hash_mark)))
		return false;
	out->summed = at;
	if (!audit_chain_back(line, &at, "\"", 1) || !back_hex(line, &at, out->prev) ||
	    !audit_chain_back(line, &at, prev_mark, MARK(prev_mark)) || !back_number(line, &at,
	    &out->seq) ||
	    !audit_chain_back(line, &at, seq_mark, MARK(seq_mark)))
		return false;
	body = at;
	if (!back_number(line, &at, &out->intent) ||
	    !audit_chain_back(line, &at, intent_mark, MARK(intent_mark))) {
		out->intent = 0;
		at = body;
	}
	return at > 1 && line[0] == '{' && line[at - 1] == '}' && out->seq > 0;
}

bool
audit_chain_fits(struct mac *m, const char *line, const struct audit_tail *t)
{
	unsigned char hash[MAC_BYTES];

	return mac_sum(m, t->prev, MAC_BYTES, line, t->summed, hash, NULL) == 0 &&
	    secret_equal(hash, MAC_BYTES, t->hash, MAC_BYTES);
}

bool
audit_chain_follow(struct audit_chain *c, const struct audit_tail *t)
{
	if (t->seq != c->seq + 1 || memcmp(t->prev, c->hash, MAC_BYTES) != 0)
		return false;
	c->seq = t->seq;
	memcpy(c->hash, t->hash, MAC_BYTES);
	return true;
}

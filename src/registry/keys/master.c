#include "registry/keys/master.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/base64.h"
#include "base/equal.h"

#define RAW 32
#define RAW_BASE64 44		/* characters */
#define RAW_HEX 64
#define TEXT_MAX 4096

struct master {
	bool passphrase;
	struct buf bytes;	/* secret */
};

/* Known to everybody: cp-ansible's default and the keys of public demos. */
static const char *const public_texts[] = {
	"39ff95832750c0090d84ddf5344583832efe91ef",
	"password1234",
	"my_master_key",
};

static bool
is_public(const char *text, size_t n)
{
	for (size_t i = 0; i < sizeof(public_texts) / sizeof(*public_texts); i++)
		if (n == strlen(public_texts[i]) && strncasecmp(text, public_texts[i], n) == 0)
			return true;
	return false;
}

/* All ones when first <= c <= last, else 0; for numbers below 2^31. */
static uint32_t
in_range(uint32_t c, uint32_t first, uint32_t last)
{
	return (((c - first) | (last - c)) >> 31) - 1;
}

/* The four bits of a digit, above 15 when it is none; no branch on a key. */
static uint32_t
hex_bits(unsigned char ch)
{
	uint32_t c = ch;
	uint32_t digit = in_range(c, '0', '9');
	uint32_t lower = in_range(c, 'a', 'f');
	uint32_t upper = in_range(c, 'A', 'F');

	return (digit & (c - '0')) | (lower & (c - 'a' + 10)) | (upper & (c - 'A' + 10)) |
	    (16 & ~(digit | lower | upper));
}

static bool
hex_decode(struct buf *out, const char *text)
{
	uint32_t wrong = 0;
	uint32_t high;
	uint32_t low;

	for (size_t i = 0; i < RAW_HEX; i += 2) {
		high = hex_bits((unsigned char)text[i]);
		low = hex_bits((unsigned char)text[i + 1]);
		wrong |= high | low;
		buf_append_char(out, (char)(unsigned char)((high << 4 | low) & 0xff));
	}
	return (wrong & 16) == 0;
}

/* 32 bytes as text?  A failure stays in ${out}. */
static bool
raw_decode(struct buf *out, const char *text, size_t n)
{
	if (n == RAW_HEX && hex_decode(out, text))
		return true;
	buf_truncate(out, 0);
	if (n == RAW_BASE64 && base64_decode(out, text, n) == 0 && out->len == RAW)
		return true;
	buf_truncate(out, 0);
	return false;
}

static int
check_text(const char *text, size_t n, bool dev_mode, struct error *err)
{
	if (n == 0)
		error_set(err, ERROR_KEY, "the master secret is empty");
	else if (dev_mode)
		return 0;
	else if (is_public(text, n))
		error_set(err, ERROR_KEY,
		    "this master secret is public: it stands in deployment scripts or demos");
	else if (n < MASTER_TEXT_MIN)
		error_set(err, ERROR_KEY, "the master secret is shorter than %d bytes",
		    MASTER_TEXT_MIN);
	else
		return 0;
	return error_hint(err, "32 random bytes in base64 are best: `openssl rand -base64 32`");
}

struct master *
master_from_text(const struct buf *text, bool dev_mode, struct error *err)
{
	const char *p = text->len > 0 ? (const char *)text->data : "";
	size_t n = text->len;
	struct master *m;

	if (n > 0 && p[n - 1] == '\n')
		n--;
	if (n > 0 && n < text->len && p[n - 1] == '\r')
		n--;
	if (check_text(p, n, dev_mode, err) == -1)
		return NULL;
	m = calloc(1, sizeof(*m));
	if (m == NULL) {
		error_memory(err);
		return NULL;
	}
	buf_init_secret(&m->bytes, TEXT_MAX);
	if (!raw_decode(&m->bytes, p, n)) {
		m->passphrase = true;
		buf_append(&m->bytes, p, n);
	}
	if (buf_check(&m->bytes, err) == -1) {
		master_free(m);
		return NULL;
	}
	return m;
}

void
master_free(struct master *m)
{
	if (m == NULL)
		return;
	buf_release(&m->bytes);
	free(m);
}

bool
master_equal(const struct master *a, const struct master *b)
{
	return a->passphrase == b->passphrase &&
	    secret_equal(a->bytes.data, a->bytes.len, b->bytes.data, b->bytes.len);
}

const struct buf *
master_bytes(const struct master *m, bool *passphrase)
{
	*passphrase = m->passphrase;
	return &m->bytes;
}

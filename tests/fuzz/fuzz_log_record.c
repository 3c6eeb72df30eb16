/*
 * A record of the Kafka log, as anybody who may write the topic can make it: the key
 * up to the first newline, behind it the value, which may be a keyring's.  None of
 * them opens, and a name that was read is written and read again the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "fuzz_support.h"
#include "registry/keys/keyring.h"
#include "registry/store/record.h"

static void
check_name(const uint8_t *key, size_t n)
{
	struct record_name name, again;
	struct buf text;

	if (!record_name_read(key, n, &name))
		return;
	need(name.path_len <= NAME_PATH_MAX && name.key_len <= NAME_KEY_MAX);
	need(name.path[name.path_len] == '\0' && name.key[name.key_len] == '\0');
	buf_init(&text, 1 << 16);
	record_name_write(&name, &text);
	need(buf_check(&text, NULL) == 0 && record_name_read(text.data, text.len, &again));
	need(memcmp(&name, &again, sizeof(name)) == 0);
	buf_release(&text);
}

/* Numbers and bytes in turn: never beyond the end. */
static void
check_body(const uint8_t *value, size_t n)
{
	struct record_body b = { value, n, false };
	const uint8_t *bytes;
	size_t len;

	while (b.left > 0 && !b.bad) {
		(void)record_get(&b);
		bytes = record_get_bytes(&b, &len);
		need(b.bad ? len == 0 : bytes >= value && bytes + len == b.at);
		need(b.at + b.left == value + n);
	}
}

static struct record_seal *
sealer(void)
{
	unsigned char bytes[32] = { 1 };
	struct key *k = key_from_bytes(bytes, sizeof(bytes), NULL);
	struct record_seal *r = record_seal_new(k, NULL);

	need(r != NULL);
	key_free(k);
	return r;
}

static struct master *
master(void)
{
	struct master *m;
	struct buf text;

	buf_init_secret(&text, 100);
	for (int i = 0; i < 64; i++)
		buf_append_char(&text, i % 2 == 0 ? 'a' : "0123456789abcdef"[i / 2 % 16]);
	m = master_from_text(&text, false, NULL);
	need(m != NULL);
	buf_release(&text);
	return m;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct record_seal *seal;
	static struct master *m;
	const uint8_t *end = n > 0 ? memchr(data, '\n', n) : NULL, *value;
	size_t key = end != NULL ? (size_t)(end - data) : n, len, text_len;
	struct error err = { .code = ERROR_NONE };
	uint64_t revision;
	const char *text;
	struct buf body;
	bool old;

	if (seal == NULL) {
		seal = sealer();
		m = master();
	}
	value = end != NULL ? end + 1 : data + n;
	len = (size_t)(data + n - value);
	check_name(data, key);
	check_body(value, len);
	buf_init_secret(&body, 1 << 16);
	need(record_open(seal, data, key, value, len, &revision, &body, &err) == -1);
	need(body.len == 0);
	need(record_open_keyring(seal, data, key, value, len, &revision, &err) == -1);
	buf_release(&body);
	if ((text = record_keyring_text(value, len, &text_len)) != NULL) {
		need(text >= (const char *)value && text + text_len == (const char *)value + len);
		need(keyring_open(text, text_len, m, NULL, 0, &old, &err) == NULL);
	}
	return 0;
}

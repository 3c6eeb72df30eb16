/*
 * Secrets files, and sealed values by themselves.  What does not open leaves
 * nothing behind, and no bit of a sealed value can be turned without being
 * noticed.
 */
#include "crypto/aead.h"
#include "crypto/key.h"
#include "fuzz_support.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

static struct key *master;
static struct cipher *cipher;

static void
check_file(const struct input *in)
{
	struct secrets_file *s;
	struct buf content, plain;
	struct error err;
	enum secrets_probe probe;
	enum tag_state state;
	size_t before;
	bool open;

	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append(&content, in->p, in->n);
	s = secrets_file_parse("secrets.properties", &content, &err);
	buf_release(&content);
	if (s == NULL)
		return;
	buf_init_secret(&plain, BUF_MAX_FILE);
	open = secrets_file_unlock(s, master, &err) == 0;
	need(open == (secrets_file_cipher(s) != NULL));
	for (size_t i = 0; i < document_count(secrets_file_document(s)); i++) {
		if (!secrets_file_is_sealed(s, i))
			continue;
		before = plain.len;
		if (secrets_file_open_tagged(s, i, &plain, &state, &err) != 0)
			need(plain.len == before);
		else
			need(open && state != TAG_EXCHANGED);
		probe = secrets_file_probe(s, i);
		need(open || probe == SECRETS_LOCKED || probe == SECRETS_DAMAGED);
	}
	secrets_file_lock(s);
	buf_release(&plain);
	secrets_file_free(s);
}

static void
check_text(const struct input *in)
{
	char *text = copy_of(in->p, in->n);
	struct sealed parts;
	struct buf plain;

	buf_init_secret(&plain, BUF_MAX_FILE);
	if (sealed_parse(text, in->n, &parts, NULL) == 0) {
		need(sealed_claims(text, in->n));
		need(parts.data >= text && parts.data + parts.data_len <= text + in->n);
		need(parts.iv >= text && parts.iv + parts.iv_len <= text + in->n);
	}
	if (sealed_open(cipher, text, in->n, &plain, NULL) != 0)
		need(plain.len == 0);
	buf_release(&plain);
	free(text);
}

/* Sealed and opened it is the same; with another bit it does not open, or is still the same,
 * as the last character of base64 may be written in several ways. */
static void
check_round_trip(struct input *in)
{
	unsigned where = take_byte(in), bit = take_byte(in) % 8;
	struct buf text, plain;

	buf_init(&text, BUF_MAX_FILE);
	buf_init_secret(&plain, BUF_MAX_FILE);
	need(sealed_seal(cipher, SEALED_GCM, in->p, in->n, &text, NULL) == 0);
	need(sealed_open(cipher, text.data, text.len, &plain, NULL) == 0);
	need(is_same(plain.data, plain.len, in->p, in->n));
	text.data[where % text.len] ^= (unsigned char)(1u << bit);
	buf_clear(&plain);
	if (sealed_open(cipher, text.data, text.len, &plain, NULL) == 0)
		need(is_same(plain.data, plain.len, in->p, in->n));
	else
		need(plain.len == 0);
	buf_release(&plain);
	buf_release(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "jfdk0pc9sScNpBYsm22JgX3H0Kbe0Z7AjPyfPS6kfp8=";
	struct input in = { data, size };

	if (master == NULL) {
		need((master = key_from_base64(text, sizeof(text) - 1, NULL)) != NULL);
		need((cipher = cipher_new(master, NULL)) != NULL);
	}
	switch (take_byte(&in) % 4) {
	case 0:
		check_text(&in);
		break;
	case 1:
		check_round_trip(&in);
		break;
	default:
		check_file(&in);
		break;
	}
	return 0;
}

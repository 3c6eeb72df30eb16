#include <sys/resource.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "secrets/sealed.h"
#include "estate_fixture.h"
#include "files.h"

static struct cipher *
cipher_of(const char *base64)
{
	struct key *k = fixture_key(base64);
	struct cipher *c = cipher_new(k, NULL);

	key_free(k);
	assert_non_null(c);
	return c;
}

/* Open ${text}; it must work, or fail with ERROR_DAMAGED and leave nothing. */
static bool
opens(struct cipher *c, const char *text, size_t n, struct buf *out)
{
	struct error err = { 0 };
	size_t before = out->len;

	if (sealed_open(c, text, n, out, &err) == 0)
		return true;
	assert_int_equal(err.code, ERROR_DAMAGED);
	assert_int_equal(out->len, before);
	return false;
}

static void
test_entries_of_the_reference_open(void **state)
{
	struct secrets_file *modern = fixture_unlocked(MODERN, MODERN_MASTER);
	struct secrets_file *legacy = fixture_unlocked(LEGACY, LEGACY_MASTER);
	struct secrets_file *mixed = fixture_unlocked(MIXED, MIXED_MASTER);
	struct secrets_file *silent = fixture_unlocked(SILENT, SILENT_MASTER);

	(void)state;
	assert_opens_to(modern, "server.properties/ssl.keystore.password", MODERN_KEYSTORE);
	assert_opens_to(modern, "server.properties/ssl.key.password", "");
	assert_opens_to(modern, "server.properties/listener.sasl.password", MODERN_SASL);
	assert_opens_to(modern, "client.properties/basic.auth.password", MODERN_CLIENT);
	assert_opens_to(legacy, "server.properties/ssl.keystore.password", LEGACY_KEYSTORE);
	assert_opens_to(legacy, "server.properties/ssl.key.password", "");
	assert_opens_to(legacy, "server.properties/block.password", LEGACY_BLOCK);
	assert_opens_to(mixed, "server.properties/a.password", "first-S3cret!");
	assert_opens_to(mixed, "server.properties/b.password", "second-S3cret!");
	assert_opens_to(mixed, "server.properties/c.password", "third-S3cret!");
	assert_opens_to(silent, "server.properties/a.password", "silent-S3cret!");
	secrets_file_free(modern);
	secrets_file_free(legacy);
	secrets_file_free(mixed);
	secrets_file_free(silent);
}

/* The wrapped data key is not its bytes but its base64 text. */
static void
test_wrapped_data_key_is_its_base64_text(void **state)
{
	static const struct {
		const char *file;
		const char *master;
		const char *data_key;
	} cases[] = {
		{ MODERN, MODERN_MASTER, MODERN_DATA_KEY },
		{ LEGACY, LEGACY_MASTER, LEGACY_DATA_KEY },
		{ MIXED, MIXED_MASTER, MIXED_DATA_KEY }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct secrets_file *s = fixture_secrets(cases[i].file);
		const char *wrapped = secrets_file_metadata(s)->data_key;
		struct cipher *c = cipher_of(cases[i].master);
		struct key *master = fixture_key(cases[i].master);
		struct key *want = fixture_key(cases[i].data_key);
		struct key *k = wrap_open(master, wrapped, strlen(wrapped), NULL);
		struct buf text;

		buf_init_secret(&text, 100);
		assert_true(opens(c, wrapped, strlen(wrapped), &text));
		assert_holds(&text, cases[i].data_key);
		assert_non_null(k);
		assert_true(key_equal(k, want));
		buf_release(&text);
		key_free(k);
		key_free(want);
		key_free(master);
		cipher_free(c);
		secrets_file_free(s);
	}
}

static void
test_wrap_writes_what_the_reference_reads(void **state)
{
	struct key *master = fixture_key(MODERN_MASTER);
	struct key *other = fixture_key(MIXED_MASTER);
	struct key *data_key = fixture_key(LEGACY_DATA_KEY);
	struct cipher *c = cipher_of(MODERN_MASTER);
	struct error err = { 0 };
	struct buf text, plain;
	struct key *back;

	(void)state;
	buf_init(&text, 4096);
	buf_init_secret(&plain, 4096);
	assert_int_equal(wrap_seal(master, data_key, &text, NULL), 0);
	assert_memory_equal(text.data, "ENC[AES/GCM/NoPadding,data:", 27);
	assert_true(opens(c, (const char *)text.data, text.len, &plain));
	assert_holds(&plain, LEGACY_DATA_KEY);
	back = wrap_open(master, (const char *)text.data, text.len, NULL);
	assert_non_null(back);
	assert_true(key_equal(back, data_key));
	assert_null(wrap_open(other, (const char *)text.data, text.len, &err));
	assert_int_equal(err.code, ERROR_KEY);
	assert_null(wrap_open(master, "garbage", 7, &err));
	assert_int_equal(err.code, ERROR_KEY);
	buf_release(&text);
	buf_release(&plain);
	key_free(back);
	key_free(data_key);
	key_free(other);
	key_free(master);
	cipher_free(c);
}

/* What opens, but holds no key, is no data key. */
static void
test_wrapped_text_that_is_no_key_is_refused(void **state)
{
	static const char *const texts[] = { "", "not base64!", "c2hvcnQ=" };
	struct key *master = fixture_key(MODERN_MASTER);
	struct cipher *c = cipher_of(MODERN_MASTER);
	struct error err;
	struct buf sealed;
	size_t i;

	(void)state;
	buf_init(&sealed, 4096);
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		memset(&err, 0, sizeof(err));
		buf_clear(&sealed);
		assert_int_equal(sealed_seal(c, SEALED_GCM, texts[i], strlen(texts[i]), &sealed,
		    NULL), 0);
		assert_null(wrap_open(master, (const char *)sealed.data, sealed.len, &err));
		assert_int_equal(err.code, ERROR_KEY);
	}
	buf_release(&sealed);
	cipher_free(c);
	key_free(master);
}

static void
test_sealing_round_trip(void **state)
{
	static const char *const keys[] = { MODERN_DATA_KEY, LEGACY_DATA_KEY,
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX" };
	static const enum sealed_cipher kinds[] = { SEALED_GCM, SEALED_CBC };
	char plain[50];
	struct buf text, back;
	size_t k, kind, n;

	(void)state;
	buf_init(&text, 4096);
	buf_init_secret(&back, 4096);
	memset(plain, 'x', sizeof(plain));
	for (k = 0; k < 3; k++) {
		struct cipher *c = cipher_of(keys[k]);

		for (kind = 0; kind < 2; kind++) {
			for (n = 0; n < sizeof(plain); n++) {
				buf_clear(&text);
				buf_clear(&back);
				assert_int_equal(sealed_seal(c, kinds[kind], plain, n, &text,
				    NULL), 0);
				assert_true(opens(c, (const char *)text.data, text.len, &back));
				assert_int_equal(back.len, n);
				assert_true(n == 0 || memcmp(back.data, plain, n) == 0);
			}
		}
		cipher_free(c);
	}
	buf_release(&text);
	buf_release(&back);
}

static void
test_text_form(void **state)
{
	struct cipher *c = cipher_of(MODERN_DATA_KEY);
	struct sealed s;
	struct buf text;

	(void)state;
	buf_init(&text, 4096);
	assert_int_equal(sealed_seal(c, SEALED_GCM, "abc", 3, &text, NULL), 0);
	assert_int_equal(sealed_parse(text.data, text.len, &s, NULL), 0);
	assert_int_equal(s.cipher, SEALED_GCM);
	assert_int_equal(s.iv_len, 16);		/* 12 bytes */
	assert_int_equal(s.data_len, 28);	/* 3 and the tag of 16 */
	assert_memory_equal(text.data + text.len - 10, ",type:str]", 10);
	buf_clear(&text);
	assert_int_equal(sealed_seal(c, SEALED_CBC, "abc", 3, &text, NULL), 0);
	assert_int_equal(sealed_parse(text.data, text.len, &s, NULL), 0);
	assert_int_equal(s.cipher, SEALED_CBC);
	assert_int_equal(s.iv_len, 24);		/* 16 bytes */
	assert_int_equal(s.data_len, 24);	/* one block */
	buf_release(&text);
	cipher_free(c);
}

static void
test_two_sealings_of_one_value_differ(void **state)
{
	struct cipher *c = cipher_of(MODERN_DATA_KEY);
	struct buf a, b;

	(void)state;
	buf_init(&a, 4096);
	buf_init(&b, 4096);
	assert_int_equal(sealed_seal(c, SEALED_GCM, "abc", 3, &a, NULL), 0);
	assert_int_equal(sealed_seal(c, SEALED_GCM, "abc", 3, &b, NULL), 0);
	assert_int_equal(a.len, b.len);
	assert_memory_not_equal(a.data, b.data, a.len);
	buf_release(&a);
	buf_release(&b);
	cipher_free(c);
}

#define DATA "w0Z88lG4w5IPXijbLRBVlzd1IbFa70Ap1ZI3o/9au7k="
#define IV "osR9PNOlpmnD7Rls"
#define CBC_DATA "QWrN+XUAdvKjAYawf3B4AQ=="
#define CBC_IV "qRNuazp7FMLyKlKZCTC1AQ=="

/* As an empty buffer has it. */
static void
test_no_text_at_all_is_damage(void **state)
{
	struct sealed parts;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(sealed_parse(NULL, 0, &parts, &err), -1);
	assert_int_equal(err.code, ERROR_DAMAGED);
}

static void
test_malformed_texts_are_damage(void **state)
{
	static const char *const texts[] = {
		"", "E", "ENC[", "ENC[]", "plain", "enc[AES/GCM/NoPadding,data:" DATA ",iv:" IV
		",type:str]",
		/* the parts */
		"ENC[AES/GCM/NoPadding,data:" DATA ",iv:" IV ",type:str",
		"ENC[AES/GCM/NoPadding,data:" DATA ",iv:" IV ",type:str]]",
		"ENC[AES/GCM/NoPadding,data:" DATA ",iv:" IV ",type:int]",
		"ENC[AES/GCM/NoPadding,data:" DATA ",iv:" IV "]",
		"ENC[AES/GCM/NoPadding,data:" DATA ",type:str]",
		"ENC[AES/GCM/NoPadding,iv:" IV ",data:" DATA ",type:str]",
		"ENC[AES/GCM/NoPadding,iv:" IV ",type:str]",
		" ENC[AES/GCM/NoPadding,data:" DATA ",iv:" IV ",type:str]",
		/* the cipher */
		"ENC[AES/ECB/PKCS5Padding,data:" DATA ",iv:" IV ",type:str]",
		"ENC[AES/GCM/NoPaddin,data:" DATA ",iv:" IV ",type:str]",
		"ENC[AES/GCM/NoPaddingX,data:" DATA ",iv:" IV ",type:str]",
		"ENC[,data:" DATA ",iv:" IV ",type:str]",
		/* the initialisation vector: truncated, empty, too long, not base64 */
		"ENC[AES/GCM/NoPadding,data:" DATA ",iv:osR9PNOlpmnD,type:str]",
		"ENC[AES/GCM/NoPadding,data:" DATA ",iv:,type:str]",
		"ENC[AES/GCM/NoPadding,data:" DATA ",iv:" CBC_IV ",type:str]",
		"ENC[AES/GCM/NoPadding,data:" DATA ",iv:osR9PNOlpmnD7R!s,type:str]",
		"ENC[AES/GCM/NoPadding,data:" DATA ",iv:osR9PNOlpmnD7Rl,type:str]",
		/* the data */
		"ENC[AES/GCM/NoPadding,data:,iv:" IV ",type:str]",
		"ENC[AES/GCM/NoPadding,data:w0Z88lG4w5IPXijbLRBVlw==,iv:" IV ",type:str]",
		"ENC[AES/GCM/NoPadding,data:w0Z88lG4w5IP,iv:" IV ",type:str]",
		"ENC[AES/GCM/NoPadding,data:w0Z88lG4w5IPXijbLRBVlzd1IbFa70Ap1ZI3o/9au7k,iv:" IV
		",type:str]",
		"ENC[AES/GCM/NoPadding,data:" DATA "=,iv:" IV ",type:str]",
		"ENC[AES/GCM/NoPadding,data:w0Z8 8lG4w5IPXijbLRBVlzd1IbFa70Ap1ZI3o/9au7k=,iv:" IV
		",type:str]",
		/* CBC: empty, no whole number of blocks, another IV */
		"ENC[AES/CBC/PKCS5Padding,data:,iv:" CBC_IV ",type:str]",
		"ENC[AES/CBC/PKCS5Padding,data:QWrN+XUAdvKjAYawf3B4,iv:" CBC_IV ",type:str]",
		"ENC[AES/CBC/PKCS5Padding,data:" DATA "," "iv:" IV ",type:str]",
		"ENC[AES/CBC/PKCS5Padding,data:" CBC_DATA ",iv:,type:str]",
		"ENC[AES/CBC/PKCS5Padding,data:" CBC_DATA ",type:str]",
		/* GCM data in the name of CBC */
		"ENC[AES/CBC/PKCS5Padding,data:" DATA ",iv:" CBC_IV ",type:str]"
	};
	static const char good[] = "ENC[AES/GCM/NoPadding,data:" DATA ",iv:" IV ",type:str]";
	struct cipher *c = cipher_of(MODERN_DATA_KEY);
	struct buf out;
	size_t i;

	(void)state;
	buf_init_secret(&out, 4096);
	buf_append_str(&out, "before");
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (opens(c, texts[i], strlen(texts[i]), &out))
			fail_msg("opens: %s", texts[i]);
	}
	assert_true(opens(c, good, strlen(good), &out));
	assert_holds(&out, "before" MODERN_KEYSTORE);
	buf_release(&out);
	cipher_free(c);
}

static void
test_every_truncation_is_damage(void **state)
{
	static const char good[] = "ENC[AES/GCM/NoPadding,data:" DATA ",iv:" IV ",type:str]";
	static const char cbc[] = "ENC[AES/CBC/PKCS5Padding,data:" CBC_DATA ",iv:" CBC_IV
	    ",type:str]";
	struct cipher *c = cipher_of(MODERN_DATA_KEY);
	struct cipher *old = cipher_of(LEGACY_DATA_KEY);
	struct buf out;
	size_t n;

	(void)state;
	buf_init_secret(&out, 4096);
	for (n = 0; n < strlen(good); n++)
		assert_false(opens(c, good, n, &out));
	for (n = 0; n < strlen(cbc); n++)
		assert_false(opens(old, cbc, n, &out));
	assert_true(opens(old, cbc, strlen(cbc), &out));
	assert_holds(&out, LEGACY_KEYSTORE);
	buf_release(&out);
	cipher_free(old);
	cipher_free(c);
}

/* With GCM no other character makes another value of it. */
static void
test_a_changed_character_never_opens_to_something_else(void **state)
{
	static const char good[] = "ENC[AES/GCM/NoPadding,data:" DATA ",iv:" IV ",type:str]";
	static const char other[] = "Aa0+/=,:][ \\";
	struct cipher *c = cipher_of(MODERN_DATA_KEY);
	char text[sizeof(good)];
	struct buf out;
	size_t i, k;

	(void)state;
	buf_init_secret(&out, 4096);
	for (i = 0; i < strlen(good); i++) {
		for (k = 0; k < strlen(other); k++) {
			memcpy(text, good, sizeof(good));
			text[i] = other[k];
			buf_clear(&out);
			if (opens(c, text, strlen(text), &out))
				assert_holds(&out, MODERN_KEYSTORE);
		}
	}
	buf_release(&out);
	cipher_free(c);
}

static void
test_another_key_does_not_open(void **state)
{
	static const char good[] = "ENC[AES/GCM/NoPadding,data:" DATA ",iv:" IV ",type:str]";
	struct cipher *c = cipher_of(MIXED_DATA_KEY);
	struct buf out;

	(void)state;
	buf_init_secret(&out, 4096);
	assert_false(opens(c, good, strlen(good), &out));
	buf_release(&out);
	cipher_free(c);
}

static void
test_plaintext_goes_to_secret_memory_only(void **state)
{
	static const char good[] = "ENC[AES/GCM/NoPadding,data:" DATA ",iv:" IV ",type:str]";
	struct cipher *c = cipher_of(MODERN_DATA_KEY);
	struct error err = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(sealed_open(c, good, strlen(good), &out, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_int_equal(out.len, 0);
	buf_release(&out);
	cipher_free(c);
}

static void
test_claims(void **state)
{
	(void)state;
	assert_true(sealed_claims("ENC[", 4));
	assert_true(sealed_claims("ENC[x", 5));
	assert_false(sealed_claims("ENC[", 3));
	assert_false(sealed_claims("enc[", 4));
	assert_false(sealed_claims("", 0));
}

/* Bytes of address space in use. */
static size_t
address_space(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	CHECK(f != NULL && fscanf(f, "%zu", &pages) == 1);
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

#define SPACES 200

struct tight {
	const char *wrapped;
	size_t pages;	/* so many more may be mapped */
};

/* 0: it opened, 1: there was no memory, 2: it says something else. */
static void
open_tightly(void *arg)
{
	const struct tight *t = arg;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), cap;
	/* Made here: a forked process finds the keys of the other empty. */
	struct key *master = fixture_key(MODERN_MASTER), *k;
	struct rlimit limit;
	struct error err = { .code = ERROR_NONE };

	/* Those that are kept from before are no shortage. */
	for (int i = 0; i < 16; i++)
		CHECK(secmem_map(1, &cap) != NULL);
	limit.rlim_cur = limit.rlim_max = address_space() + t->pages * page;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	k = wrap_open(master, t->wrapped, strlen(t->wrapped), &err);
	_exit(k != NULL ? 0 : err.code == ERROR_MEMORY ? 1 : 2);
}

static void
test_no_memory_is_no_wrong_key(void **state)
{
	struct key *master = fixture_key(MODERN_MASTER), *data = key_new_random(32, NULL);
	struct tight t = { .pages = 0 };
	size_t refused = 0;
	struct buf text;
	int status = -1;

	(void)state;
	assert_non_null(data);
	buf_init(&text, 4096);
	assert_int_equal(wrap_seal(master, data, &text, NULL), 0);
	t.wrapped = buf_cstr(&text);
	for (t.pages = 0; t.pages < SPACES; t.pages++) {
		status = unit_in_child(open_tightly, &t);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 0)
			break;
		assert_int_equal(WEXITSTATUS(status), 1);
		refused++;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(refused > 3);
	buf_release(&text);
	key_free(data);
	key_free(master);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_of_the_reference_open),
		cmocka_unit_test(test_wrapped_data_key_is_its_base64_text),
		cmocka_unit_test(test_wrap_writes_what_the_reference_reads),
		cmocka_unit_test(test_wrapped_text_that_is_no_key_is_refused),
		cmocka_unit_test(test_sealing_round_trip),
		cmocka_unit_test(test_text_form),
		cmocka_unit_test(test_two_sealings_of_one_value_differ),
		cmocka_unit_test(test_no_text_at_all_is_damage),
		cmocka_unit_test(test_malformed_texts_are_damage),
		cmocka_unit_test(test_every_truncation_is_damage),
		cmocka_unit_test(test_a_changed_character_never_opens_to_something_else),
		cmocka_unit_test(test_another_key_does_not_open),
		cmocka_unit_test(test_plaintext_goes_to_secret_memory_only),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_no_memory_is_no_wrong_key)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

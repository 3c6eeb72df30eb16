#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "crypto/mac.h"
#include "unit.h"

static void
assert_key(const struct key *k, const char *hex)
{
	unsigned char want[32];
	size_t n = unit_hex(hex, want, sizeof(want));

	assert_non_null(k);
	assert_int_equal(key_length(k), n);
	assert_memory_equal(key_bytes(k), want, n);
}

/*
 * The set that RFC 6070 has for SHA-1, published for SHA-512 at
 * https://stackoverflow.com/questions/15593184 and, as it is ours to keep,
 * the same from Python's hashlib.pbkdf2_hmac("sha512", ...).
 */
static void
test_pbkdf2_hmac_sha512_known_answers(void **state)
{
	static const struct {
		const char *pass;
		size_t pass_len;
		const char *salt;
		size_t salt_len;
		uint32_t iterations;
		const char *hex;
	} cases[] = {
		{ "password", 8, "salt", 4, 1,
		  "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252" },
		{ "password", 8, "salt", 4, 2,
		  "e1d9c16aa681708a45f5c7c4e215ceb66e011a2e9f0040713f18aefdb866d53c" },
		{ "password", 8, "salt", 4, 4096,
		  "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5" },
		{ "passwordPASSWORDpassword", 24, "saltSALTsaltSALTsaltSALTsaltSALTsalt", 36, 4096,
		  "8c0511f4c6e597c6ac6315d8f0362e225f3c501495ba23b868c005174dc4ee71" },
		{ "pass\0word", 9, "sa\0lt", 5, 4096,
		  "9d9e9c4cd21fe4be24d5b8244c759665f39d98fc12a9ca759bb021db3cfadf34" },
		{ "pass phrase", 11, "Ux1O0mBqXCQHxAWRuW9oGc4VDNdQnVDPR4LrKvgGZ8k=", 44, 10000,
		  "209e1346dc612a2d88ee1ac491275a453ada8d0bee0b872dd69047136dae8ab2" }
	};
	char hex[65];
	size_t i, length;
	struct key *k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		/* A shorter key is the head of the longer one. */
		for (length = 16; length <= 32; length += 8) {
			k = key_derive(cases[i].pass, cases[i].pass_len, cases[i].salt,
			    cases[i].salt_len, cases[i].iterations, length, NULL);
			snprintf(hex, sizeof(hex), "%.*s", (int)(2 * length), cases[i].hex);
			assert_key(k, hex);
			key_free(k);
		}
	}
}

static void
test_derive_takes_empty_inputs(void **state)
{
	struct key *a = key_derive(NULL, 0, NULL, 0, 1, 32, NULL);
	struct key *b = key_derive("", 0, "", 0, 1, 32, NULL);
	struct key *c = key_derive("x", 1, "", 0, 1, 32, NULL);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	assert_true(key_equal(a, b));
	assert_false(key_equal(a, c));
	key_free(a);
	key_free(b);
	key_free(c);
}

static void
refuse_derive(uint32_t iterations, size_t length, enum error_code want)
{
	struct error err;

	assert_null(key_derive("p", 1, "s", 1, iterations, length, &err));
	assert_int_equal(err.code, want);
}

static void
test_derive_has_bounds(void **state)
{
	(void)state;
	refuse_derive(0, 32, ERROR_LIMIT);
	refuse_derive(KEY_ITERATIONS_MAX + 1, 32, ERROR_LIMIT);
	refuse_derive(UINT32_MAX, 32, ERROR_LIMIT);
	refuse_derive(1, 0, ERROR_KEY);
	refuse_derive(1, 15, ERROR_KEY);
	refuse_derive(1, 64, ERROR_KEY);
	refuse_derive(1, SIZE_MAX, ERROR_KEY);
}

static void
test_only_aes_lengths_are_keys(void **state)
{
	unsigned char bytes[64] = { 1 };
	struct error err;
	struct key *k;
	size_t n;

	(void)state;
	for (n = 0; n <= sizeof(bytes); n++) {
		k = key_from_bytes(bytes, n, &err);
		assert_int_equal(k != NULL, n == 16 || n == 24 || n == 32);
		if (k == NULL)
			assert_int_equal(err.code, ERROR_KEY);
		else
			assert_memory_equal(key_bytes(k), bytes, n);
		key_free(k);
		k = key_new_random(n, &err);
		assert_int_equal(k != NULL, n == 16 || n == 24 || n == 32);
		key_free(k);
	}
}

static void
test_base64_both_ways(void **state)
{
	static const char text[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
	static const char hex[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	struct key *k = key_from_base64(text, sizeof(text) - 1, NULL);
	struct buf out;

	(void)state;
	assert_key(k, hex);
	buf_init_secret(&out, 44);
	key_append_base64(k, &out);
	assert_string_equal(buf_cstr(&out), text);
	buf_release(&out);
	/* A key does not go where it would stay in memory. */
	buf_init(&out, 100);
	key_append_base64(k, &out);
	assert_int_equal(out.len, 0);
	assert_true(out.failed);
	buf_release(&out);
	key_free(k);
	k = key_from_base64("AAECAwQFBgcICQoLDA0ODw==\n", 25, NULL);
	assert_key(k, "000102030405060708090a0b0c0d0e0f");
	key_free(k);
}

static void
test_what_is_not_a_base64_key(void **state)
{
	static const char *const cases[] = {
		"", "AAEC", "not base64 at all", "AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0O",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
	};
	char big[10000];
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		err.code = ERROR_NONE;
		assert_null(key_from_base64(cases[i], strlen(cases[i]), &err));
		assert_int_equal(err.code, ERROR_KEY);
		if (cases[i][0] != '\0')
			assert_null(strstr(err.text, cases[i]));
	}
	memset(big, 'A', sizeof(big));
	assert_null(key_from_base64(big, sizeof(big), &err));
	assert_int_equal(err.code, ERROR_KEY);
}

static void
test_random_keys_differ(void **state)
{
	struct key *a = key_new_random(32, NULL);
	struct key *b = key_new_random(32, NULL);
	struct key *copy, *head;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	copy = key_from_bytes(key_bytes(a), 32, NULL);
	head = key_from_bytes(key_bytes(a), 16, NULL);
	assert_false(key_equal(a, b));
	assert_true(key_equal(a, copy));
	assert_false(key_equal(a, head));
	key_free(a);
	key_free(b);
	key_free(copy);
	key_free(head);
	key_free(NULL);
}

/* hmac.new(bytes(range(N)), b"propseal key id", "sha256") in Python. */
static void
test_fingerprints(void **state)
{
	unsigned char bytes[32];
	char text[9];
	struct key *k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	k = key_from_bytes(bytes, 32, NULL);
	assert_int_equal(mac_fingerprint(k, text, NULL), 0);
	assert_string_equal(text, "8537191b");
	key_free(k);
	k = key_from_bytes(bytes, 16, NULL);
	assert_int_equal(mac_fingerprint(k, text, NULL), 0);
	assert_string_equal(text, "818127fb");
	key_free(k);
}

static void
look_at_wiped_key(void *arg)
{
	struct key *k = arg;

	if (key_length(k) != 0 || !unit_all_zero(key_bytes(k), 32) || key_equal(k, k))
		_exit(1);
}

static void
test_a_forked_child_has_no_key(void **state)
{
	struct key *k = key_new_random(32, NULL);
	int status;

	(void)state;
	assert_non_null(k);
	status = unit_in_child(look_at_wiped_key, k);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(key_length(k), 32);
	key_free(k);
}

static void
test_secret_equal(void **state)
{
	(void)state;
	assert_true(secret_equal("abc", 3, "abc", 3));
	assert_true(secret_equal(NULL, 0, "x", 0));
	assert_false(secret_equal("abc", 3, "abd", 3));
	assert_false(secret_equal("abc", 3, "xbc", 3));
	assert_false(secret_equal("abc", 3, "abcd", 4));
	assert_true(secret_equal("a\0b", 3, "a\0b", 3));
	assert_false(secret_equal("a\0b", 3, "a\0c", 3));
}

static void
test_random_bytes_fill_exactly(void **state)
{
	unsigned char a[1002], b[1000];

	(void)state;
	memset(a, 0, sizeof(a));
	assert_int_equal(random_bytes(a + 1, 1000, NULL), 0);
	assert_int_equal(random_bytes(b, 1000, NULL), 0);
	assert_int_equal(a[0] + a[1001], 0);
	assert_false(unit_all_zero(a + 1 + 968, 32));
	assert_memory_not_equal(a + 1, b, 1000);
	assert_int_equal(random_bytes(a, 0, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pbkdf2_hmac_sha512_known_answers),
		cmocka_unit_test(test_derive_takes_empty_inputs),
		cmocka_unit_test(test_derive_has_bounds),
		cmocka_unit_test(test_only_aes_lengths_are_keys),
		cmocka_unit_test(test_base64_both_ways),
		cmocka_unit_test(test_what_is_not_a_base64_key),
		cmocka_unit_test(test_random_keys_differ),
		cmocka_unit_test(test_fingerprints),
		cmocka_unit_test(test_a_forked_child_has_no_key),
		cmocka_unit_test(test_secret_equal),
		cmocka_unit_test(test_random_bytes_fill_exactly)
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}

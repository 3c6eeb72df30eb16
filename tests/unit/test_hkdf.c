#include "base/error.h"
#include "canary.h"
#include "crypto/mac.h"
#include "unit.h"

/* RFC 5869, appendix A.1 to A.3 (those with SHA-256). */
static const struct {
	const char *secret, *salt, *info, *want;
} vectors[] = {
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
	  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
	  "34007208d5b887185865" },
	{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	  "404142434445464748494a4b4c4d4e4f",
	  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
	  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
	  "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
	  "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
	  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
	  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
	  "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
	  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
	  "9d201395faa4b61a96c8" },
};

/* One object for all of them, twice: no call leaves anything for the next. */
static void
test_known_answers(void **state)
{
	unsigned char secret[80], salt[80], info[80], want[82], out[82];
	struct hkdf *h = hkdf_new(NULL);

	(void)state;
	assert_non_null(h);
	for (size_t i = 0; i < 6; i++) {
		size_t v = i % 3;
		struct hkdf_input in = {
			secret, unit_hex(vectors[v].secret, secret, sizeof(secret)),
			salt, unit_hex(vectors[v].salt, salt, sizeof(salt)),
			info, unit_hex(vectors[v].info, info, sizeof(info)),
		};
		size_t n = unit_hex(vectors[v].want, want, sizeof(want));

		assert_int_equal(hkdf_derive(h, &in, out, n, NULL), 0);
		assert_memory_equal(out, want, n);
	}
	hkdf_free(h);
}

static void
test_each_input_counts(void **state)
{
	struct hkdf_input in = { "secret", 6, "salt", 4, "info", 4 };
	unsigned char first[32], out[32];
	struct hkdf *h = hkdf_new(NULL);

	(void)state;
	assert_int_equal(hkdf_derive(h, &in, first, 32, NULL), 0);
	in.secret_len = 5;
	assert_int_equal(hkdf_derive(h, &in, out, 32, NULL), 0);
	assert_memory_not_equal(out, first, 32);
	in.secret_len = 6;
	in.salt_len = 3;
	assert_int_equal(hkdf_derive(h, &in, out, 32, NULL), 0);
	assert_memory_not_equal(out, first, 32);
	in.salt_len = 4;
	in.info_len = 0;
	assert_int_equal(hkdf_derive(h, &in, out, 32, NULL), 0);
	assert_memory_not_equal(out, first, 32);
	in.info_len = 4;
	assert_int_equal(hkdf_derive(h, &in, out, 32, NULL), 0);
	assert_memory_equal(out, first, 32);
	hkdf_free(h);
}

static void
test_bounds_of_the_output(void **state)
{
	static unsigned char out[HKDF_OUT_MAX + 1];
	struct hkdf_input in = { "secret", 6, NULL, 0, NULL, 0 };
	struct hkdf *h = hkdf_new(NULL);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(hkdf_derive(h, &in, out, HKDF_OUT_MAX, NULL), 0);
	assert_int_equal(hkdf_derive(h, &in, out, HKDF_OUT_MAX + 1, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(hkdf_derive(h, &in, out, 0, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	hkdf_free(h);
	hkdf_free(NULL);
}

/* The object is kept, the key that it gave is not: neither as bytes nor as the words of SHA-256. */
static void
test_no_key_stays(void **state)
{
	struct hkdf_input in = { "secret", 6, "salt", 4, "info", 4 };
	unsigned char out[32], bytes[32], words[32];
	struct hkdf *h = hkdf_new(NULL);

	(void)state;
	assert_int_equal(hkdf_derive(h, &in, out, sizeof(out), NULL), 0);
	for (size_t i = 0; i < sizeof(out); i++) {
		bytes[i] = out[i] ^ 0x5a;
		words[i] = out[i ^ 3] ^ 0x5a;
	}
	assert_int_not_equal(heap_holds_masked(bytes, sizeof(bytes)), 1);
	assert_int_not_equal(heap_holds_masked(words, sizeof(words)), 1);
	hkdf_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_each_input_counts),
		cmocka_unit_test(test_bounds_of_the_output),
		cmocka_unit_test(test_no_key_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

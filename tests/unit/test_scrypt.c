#include "base/error.h"
#include "crypto/key.h"
#include "unit.h"

/* RFC 7914, section 12; its last one needs 1 GiB, which is out of bounds here. */
static const struct {
	const char *pass, *salt;
	uint64_t n;
	uint32_t r, p;
	const char *want;
} vectors[] = {
	{ "", "", 16, 1, 1,
	  "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
	  "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906" },
	{ "password", "NaCl", 1024, 8, 16,
	  "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
	  "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640" },
	{ "pleaseletmein", "SodiumChloride", 16384, 8, 1,
	  "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
	  "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887" },
};

static void
test_known_answers(void **state)
{
	unsigned char want[64], out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		assert_int_equal(unit_hex(vectors[i].want, want, sizeof(want)), 64);
		assert_int_equal(scrypt_derive(vectors[i].pass, strlen(vectors[i].pass),
		    vectors[i].salt, strlen(vectors[i].salt), vectors[i].n, vectors[i].r,
		    vectors[i].p, out, sizeof(out), NULL), 0);
		assert_memory_equal(out, want, sizeof(want));
	}
}

/* A shorter key is the start of a longer one (PBKDF2's output at the end). */
static void
test_shorter_output_and_null_inputs(void **state)
{
	unsigned char want[64], out[7];

	(void)state;
	unit_hex(vectors[0].want, want, sizeof(want));
	assert_int_equal(scrypt_derive(NULL, 0, NULL, 0, 16, 1, 1, out, sizeof(out), NULL), 0);
	assert_memory_equal(out, want, sizeof(out));
}

static void
assert_out_of_bounds(uint64_t n, uint32_t r, uint32_t p, size_t len)
{
	unsigned char out[SCRYPT_OUT_MAX + 1];
	struct error err = { 0 };

	assert_int_equal(scrypt_derive("x", 1, "y", 1, n, r, p, out, len, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
}

static void
test_bounds(void **state)
{
	(void)state;
	assert_out_of_bounds(0, 8, 1, 32);
	assert_out_of_bounds(1, 8, 1, 32);
	assert_out_of_bounds(3, 8, 1, 32);
	assert_out_of_bounds(1000, 8, 1, 32);
	assert_out_of_bounds((uint64_t)1 << 63, 8, 1, 32);
	assert_out_of_bounds(2 * (uint64_t)SCRYPT_N_MAX, 1, 1, 32);
	assert_out_of_bounds(16, 0, 1, 32);
	assert_out_of_bounds(16, SCRYPT_R_MAX + 1, 1, 32);
	assert_out_of_bounds(16, 1, 0, 32);
	assert_out_of_bounds(16, 1, SCRYPT_P_MAX + 1, 32);
	/* Each within its own bound, but 1 GiB together. */
	assert_out_of_bounds(SCRYPT_N_MAX, 8, 1, 32);
	assert_out_of_bounds(16, 1, 1, 0);
	assert_out_of_bounds(16, 1, 1, SCRYPT_OUT_MAX + 1);
}

/* The largest memory that is allowed is also enough for OpenSSL's own count. */
static void
test_the_most_memory_is_allowed(void **state)
{
	unsigned char out[SCRYPT_OUT_MAX];

	(void)state;
	assert_int_equal(scrypt_derive("x", 1, "y", 1, 1 << 16, SCRYPT_R_MAX, 1, out,
	    sizeof(out), NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_shorter_output_and_null_inputs),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_the_most_memory_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

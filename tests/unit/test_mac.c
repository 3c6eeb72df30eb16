#include "crypto/key.h"
#include "crypto/mac.h"
#include "unit.h"

/* The key 00 01 .. 1f for a purpose. */
static struct mac *
new_mac(const char *purpose)
{
	unsigned char bytes[32];
	struct key *k;
	struct mac *m;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	k = key_from_bytes(bytes, sizeof(bytes), NULL);
	assert_non_null(k);
	m = mac_new(k, purpose, NULL);
	assert_non_null(m);
	key_free(k);
	return m;
}

static void
expect(struct mac *m, const char *name, const char *data, size_t n, const char *want)
{
	unsigned char bytes[MAC_BYTES], out[MAC_BYTES];

	assert_int_equal(unit_hex(want, bytes, sizeof(bytes)), MAC_BYTES);
	assert_int_equal(mac_sum(m, name, strlen(name), data, n, out, NULL), 0);
	assert_memory_equal(out, bytes, MAC_BYTES);
}

/* Computed with Python's hmac: HMAC(HMAC(key, purpose), length | name | data). */
static void
test_known_answers_in_any_order(void **state)
{
	struct mac *m = new_mac("one purpose");
	char large[1000];

	(void)state;
	memset(large, 'x', sizeof(large));
	for (int round = 0; round < 2; round++) {
		expect(m, "", "", 0,
		    "25b78e74809bad3965678c8ac29f8743109138cad998d0a7df138e9ea9d7dcdb");
		expect(m, "name", "data", 4,
		    "e4a19930dcd8518075b7eb2d22f1499ed7712456844adadc543ed79896ec2577");
		expect(m, "n", large, sizeof(large),
		    "e9dbf09910d7642f88c16822a0e0a4ebb7a14c1b8398ecd681126a49e381a350");
	}
	mac_free(m);
}

static void
test_the_border_between_both_strings_counts(void **state)
{
	struct mac *m = new_mac("one purpose");

	(void)state;
	expect(m, "named", "ata", 3,
	    "e1769139ad94be4195b149349be4a2064c945fecfaa0386bfcd174a4e7b5738a");
	mac_free(m);
}

static void
test_each_purpose_has_a_key_of_its_own(void **state)
{
	struct mac *m = new_mac("another");

	(void)state;
	expect(m, "name", "data", 4,
	    "376ce6a098f7021d2de139e7ac563313a16e56aee01c907d0a6740450dff56ba");
	mac_free(m);
	mac_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers_in_any_order),
		cmocka_unit_test(test_the_border_between_both_strings_counts),
		cmocka_unit_test(test_each_purpose_has_a_key_of_its_own),
	};

	return cmocka_run_group_tests_name("mac", tests, NULL, NULL);
}

#include <string.h>

#include "base/error.h"
#include "registry/base/address.h"
#include "unit.h"

static bool
same_key(const char *a, const char *b)
{
	unsigned char one[ADDRESS_KEY], two[ADDRESS_KEY];

	assert_true(address_key(a, one));
	assert_true(address_key(b, two));
	return memcmp(one, two, sizeof(one)) == 0;
}

static void
test_what_counts_as_one_address(void **state)
{
	unsigned char key[ADDRESS_KEY];

	(void)state;
	assert_true(same_key("192.0.2.1", "::ffff:192.0.2.1"));
	assert_false(same_key("192.0.2.1", "192.0.2.2"));
	assert_true(same_key("2001:db8::1", "2001:db8::ffff:2"));
	assert_false(same_key("2001:db8::1", "2001:db8:0:1::1"));
	assert_false(address_key("", key));
	assert_false(address_key("host", key));
	assert_false(address_key("192.0.2.1:80", key));
}

static void
test_networks(void **state)
{
	static const char *const bad[] = { "host", "10.0.0.0/", "10.0.0.0/33", "::/129", "1.2.3",
	    "10.0.0.0/8/8", "10.0.0.1x", "/8", "10.0.0.0/-1" };
	struct address_list l;
	struct error err;

	(void)state;
	assert_int_equal(address_list_parse(&l, " 10.1.2.0/23, 192.0.2.7\t2001:db8::/33,", &err), 0);
	assert_int_equal(l.count, 3);
	assert_true(address_list_has(&l, "10.1.2.0"));
	assert_true(address_list_has(&l, "10.1.3.255"));
	assert_true(address_list_has(&l, "::ffff:10.1.3.255"));
	assert_false(address_list_has(&l, "10.1.4.0"));
	assert_true(address_list_has(&l, "192.0.2.7"));
	assert_false(address_list_has(&l, "192.0.2.6"));
	assert_true(address_list_has(&l, "2001:db8:7fff::1"));
	assert_false(address_list_has(&l, "2001:db8:8000::1"));
	assert_false(address_list_has(&l, "unix"));
	assert_int_equal(address_list_parse(&l, "0.0.0.0/0", &err), 0);
	assert_true(address_list_has(&l, "203.0.113.9"));
	assert_false(address_list_has(&l, "2001:db8::1"));
	assert_int_equal(address_list_parse(&l, "", &err), 0);
	assert_false(address_list_has(&l, "10.1.2.0"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(address_list_parse(&l, bad[i], &err), -1);
		assert_int_equal(err.code, ERROR_FORMAT);
	}
}

/* Whom the header names, with 10.0.0.0/8 and ::1 trusted; "!" in front: it ended at
 * what is no address. */
static void
expect(const char *peer, const char *header, const char *want)
{
	char client[ADDRESS_TEXT];
	struct address_list l;
	bool ended = want[0] == '!';

	assert_int_equal(address_list_parse(&l, "10.0.0.0/8,::1", NULL), 0);
	snprintf(client, sizeof(client), "%s", peer);
	assert_int_equal(address_forwarded(&l, client, header), !ended);
	assert_string_equal(client, want + ended);
}

static void
test_whom_a_proxy_asks_for(void **state)
{
	(void)state;
	expect("10.0.0.1", "192.0.2.1", "192.0.2.1");
	expect("10.0.0.1", "198.51.100.1, 192.0.2.1", "192.0.2.1");
	expect("10.0.0.1", "198.51.100.1,192.0.2.1\t, 10.0.0.9 ", "192.0.2.1");
	expect("10.0.0.1", "192.0.2.1:4711", "192.0.2.1");
	expect("10.0.0.1", "[2001:db8::5]:4711", "2001:db8::5");
	expect("10.0.0.1", "[::1]:80, 10.0.0.3", "::1");
	expect("::1", "2001:db8::5", "2001:db8::5");
	expect("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2");
	expect("192.0.2.9", "192.0.2.1", "192.0.2.9");
	expect("10.0.0.1", "", "10.0.0.1");
	expect("10.0.0.1", "192.0.2.1, unknown", "!10.0.0.1");
	expect("10.0.0.1", "192.0.2.1,", "!10.0.0.1");
	expect("10.0.0.1", "192.0.2.1, , 10.0.0.2", "!10.0.0.2");
	expect("10.0.0.1", "[", "!10.0.0.1");
	expect("10.0.0.1", "]:[", "!10.0.0.1");
	expect("10.0.0.1", "192.0.2.1, 1111111111111111111111111111111111111111111111111111",
	    "!10.0.0.1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_counts_as_one_address),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_whom_a_proxy_asks_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

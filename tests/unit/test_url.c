#include "unit.h"

#include <string.h>

#include "base/error.h"
#include "client/url.h"

static void
expect(const char *text, bool tls, const char *host, uint16_t port, const char *authority,
    const char *base)
{
	struct error err;
	struct url u;

	if (url_parse(&u, text, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(u.tls, tls);
	assert_string_equal(u.host, host);
	assert_int_equal(u.port, port);
	assert_string_equal(u.authority, authority);
	assert_string_equal(u.base, base);
}

static void
test_the_parts_of_a_url(void **state)
{
	(void)state;
	expect("https://registry.example:8443", true, "registry.example", 8443,
	    "registry.example:8443", "");
	expect("http://h", false, "h", 80, "h", "");
	expect("https://h/", true, "h", 443, "h", "");
	expect("https://h/connect/registry", true, "h", 443, "h", "/connect/registry");
	expect("https://h:1/a//", true, "h", 1, "h:1", "/a");
	expect("http://[::1]:8082", false, "::1", 8082, "[::1]:8082", "");
	expect("https://[2001:db8::1]/x", true, "2001:db8::1", 443, "[2001:db8::1]", "/x");
	expect("HTTPS://h:65535", true, "h", 65535, "h:65535", "");
}

static void
test_what_is_no_url_of_a_registry(void **state)
{
	static const char *const bad[] = {
		"", "h", "h:8082", "//h", "ftp://h", "http:/h", "http://", "https:///x",
		"http://:80", "http://h:", "http://h:x", "http://h:0", "http://h:65536",
		"http://h:123456", "http://h:-1", "http://h: 80", "http://h 1", "http://h\n",
		"http://h\t", "http://\xc3\xbc", "http://h?x=1", "http://h/#x", "http://[::1",
		"http://[::1]x", "http://[]", "http://[h]:80", "http://[127.0.0.1]x:1",
	};
	struct error err;
	struct url u;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (url_parse(&u, bad[i], &err) != -1)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(err.code, ERROR_USAGE);
		assert_true(err.hint[0] != '\0');
	}
}

static void
test_a_login_in_a_url_is_refused_and_not_repeated(void **state)
{
	static const char *const bad[] = {
		"http://alice:CANARY@h", "https://CANARY@h:1/x", "http://CANARY@",
	};
	struct error err;
	struct url u;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(url_parse(&u, bad[i], &err), -1);
		assert_int_equal(err.code, ERROR_USAGE);
		assert_null(strstr(err.text, "CANARY"));
		assert_null(strstr(err.hint, "CANARY"));
	}
}

static void
test_what_is_this_host(void **state)
{
	static const struct {
		const char *text;
		bool loopback, numeric;
	} cases[] = {
		{ "http://localhost", true, false }, { "http://127.0.0.1:1", true, true },
		{ "http://127.255.0.9", true, true }, { "http://[::1]", true, true },
		{ "http://128.0.0.1", false, true }, { "http://10.0.0.1", false, true },
		{ "http://127.evil.example", false, false }, { "http://127.0.0.1.", false, false },
		{ "http://localhost.example", false, false }, { "http://[::2]", false, true },
		{ "http://0.0.0.0", false, true }, { "http://h", false, false },
	};
	struct url u;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(url_parse(&u, cases[i].text, NULL), 0);
		if (u.loopback != cases[i].loopback || u.numeric != cases[i].numeric)
			fail_msg("%s", cases[i].text);
	}
}

/* "http://", ${host} times h, ${base} times /. */
static int
parse_long(size_t host, size_t base)
{
	char text[2048] = "http://";
	struct url u;

	memset(text + 7, 'h', host);
	memset(text + 7 + host, 'b', base);
	if (base > 0)
		text[7 + host] = '/';
	return url_parse(&u, text, NULL);
}

static void
test_lengths(void **state)
{
	(void)state;
	assert_int_equal(parse_long(255, 0), 0);
	assert_int_equal(parse_long(256, 0), -1);
	assert_int_equal(parse_long(1500, 0), -1);
	assert_int_equal(parse_long(1, 511), 0);
	assert_int_equal(parse_long(1, 512), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_parts_of_a_url),
		cmocka_unit_test(test_what_is_no_url_of_a_registry),
		cmocka_unit_test(test_a_login_in_a_url_is_refused_and_not_repeated),
		cmocka_unit_test(test_what_is_this_host),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

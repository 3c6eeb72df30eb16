#include "unit.h"

#include "base/buf.h"
#include "base/text.h"
#include "registry/http/http.h"

static struct target t;

static enum target_result
parse(const char *raw)
{
	return target_parse(&t, raw, strlen(raw));
}

/* Check the segments; the list ends with NULL. */
#define assert_segments(raw, slash, ...) \
	check_segments(raw, slash, (const char *const[]){ __VA_ARGS__, NULL })

static void
check_segments(const char *raw, bool slash, const char *const *expected)
{
	size_t i;

	assert_int_equal(parse(raw), TARGET_OK);
	for (i = 0; expected[i] != NULL; i++) {
		assert_true(i < t.count);
		assert_string_equal(t.segments[i].text, expected[i]);
		assert_int_equal(t.segments[i].len, strlen(expected[i]));
		assert_true(target_is(&t, i, expected[i]));
	}
	assert_int_equal(t.count, i);
	assert_int_equal(t.trailing_slash, slash);
}

static void
test_splits_into_segments(void **state)
{
	(void)state;
	assert_segments("/secret/paths", false, "secret", "paths");
	assert_segments("/secret/paths/", true, "secret", "paths");
	assert_segments("/a", false, "a");
	assert_segments("/secret/paths/c/keys/k/versions/latest", false, "secret", "paths", "c",
	    "keys", "k", "versions", "latest");
	assert_segments("/dev.users.postgres.jdbc-sink_connector~1", false,
	    "dev.users.postgres.jdbc-sink_connector~1");
	assert_segments("/a:b/a}b/*/a+b/a=b", false, "a:b", "a}b", "*", "a+b", "a=b");
	assert_segments("/...", false, "...");
	assert_segments("/.a/a./..a", false, ".a", "a.", "..a");
}

static void
test_the_root_has_no_segment(void **state)
{
	(void)state;
	assert_int_equal(parse("/"), TARGET_OK);
	assert_int_equal(t.count, 0);
	assert_false(t.trailing_slash);
}

static void
test_decodes_once(void **state)
{
	(void)state;
	assert_segments("/my%20conn", false, "my conn");
	assert_segments("/%2561", false, "%61");
	assert_segments("/%252f", false, "%2f");
	assert_segments("/%25%32%46", false, "%2F");
	assert_segments("/%61%2D%7e%5F", false, "a-~_");
	assert_segments("/%c3%A9/%F0%9F%98%80", false, "\xc3\xa9", "\xf0\x9f\x98\x80");
	assert_segments("/\xc3\xa9", false, "\xc3\xa9");
	assert_segments("/%25", false, "%");
}

static void
test_unicode_forms_stay_apart(void **state)
{
	struct target other;

	(void)state;
	assert_int_equal(parse("/%C3%A9"), TARGET_OK);
	assert_int_equal(target_parse(&other, "/e%CC%81", 8), TARGET_OK);
	assert_string_not_equal(t.segments[0].text, other.segments[0].text);
}

static void
test_an_encoded_slash_is_refused(void **state)
{
	static const char *const bad[] = {
		"/a%2Fb", "/a%2fb", "/%2f", "/a/%2F/b", "/conn-a%2fkeys%2fpassword", "/a%2f"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i]), TARGET_BAD);
}

static void
test_bad_escapes_are_refused(void **state)
{
	static const char *const bad[] = {
		"/%", "/%4", "/a%", "/a%/b", "/%zz", "/%1g", "/%g1", "/%+1", "/% 1", "/%%41",
		"/%4/1", "/%-1", "/%0x"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i]), TARGET_BAD);
}

static void
test_control_characters_are_refused(void **state)
{
	char raw[8];
	int c;

	(void)state;
	for (c = 0; c < 0x20; c++) {
		(void)snprintf(raw, sizeof(raw), "/a%%%02x", (unsigned)c);
		assert_int_equal(parse(raw), TARGET_BAD);
	}
	assert_int_equal(parse("/%7f"), TARGET_BAD);
	assert_int_equal(parse("/%c2%80"), TARGET_BAD);
	assert_int_equal(parse("/%c2%9f"), TARGET_BAD);
	assert_int_equal(parse("/%c2%a0"), TARGET_OK);
	assert_int_equal(parse("/a\nb"), TARGET_BAD);
	assert_int_equal(target_parse(&t, "/a\0b", 4), TARGET_BAD);
}

static void
test_bad_utf8_is_refused(void **state)
{
	static const char *const bad[] = {
		"/%ff", "/%80", "/%c3", "/%c3/%a9", "/%c0%af", "/%c0%80", "/%e0%80%af",
		"/%ed%a0%80",
		"/%f4%90%80%80", "/%f8%88%80%80%80", "/a%e2%82", "/\xff", "/\xc3(", "/%c3(",
		"/%fe%ff", "/%c1%bf", "/%f0%80%80%af"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i]), TARGET_BAD);
}

static void
test_dot_segments_are_refused_in_any_writing(void **state)
{
	static const char *const bad[] = {
		"/.", "/..", "/a/../b", "/a/./b", "/a/..", "/%2e", "/%2E%2e", "/.%2e/x", "/%2e./x",
		"/a/%2e%2e/b", "/./", "/../"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i]), TARGET_BAD);
	/* Doubly encoded they are an odd name, but a name. */
	assert_segments("/%252e%252e", false, "%2e%2e");
}

static void
test_empty_segments_are_not_found(void **state)
{
	static const char *const empty[] = {
		"//", "//a", "/a//b", "/a//", "///", "/secret/paths//keys"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		assert_int_equal(parse(empty[i]), TARGET_EMPTY);
	/* What is wrong in itself is said first. */
	assert_int_equal(parse("/a//%zz"), TARGET_BAD);
	assert_int_equal(parse("//.."), TARGET_BAD);
}

static void
test_too_many_segments_are_not_found(void **state)
{
	(void)state;
	assert_int_equal(parse("/1/2/3/4/5/6/7/8/9/10/11/12"), TARGET_OK);
	assert_int_equal(t.count, TARGET_SEGMENTS_MAX);
	assert_int_equal(parse("/1/2/3/4/5/6/7/8/9/10/11/12/"), TARGET_OK);
	assert_int_equal(parse("/1/2/3/4/5/6/7/8/9/10/11/12/13"), TARGET_EMPTY);
	assert_int_equal(parse("/1/2/3/4/5/6/7/8/9/10/11/12/13/%2f"), TARGET_BAD);
}

static void
test_the_longest_path(void **state)
{
	static char raw[TARGET_BYTES_MAX + 2];

	(void)state;
	memset(raw, 'a', sizeof(raw));
	raw[0] = '/';
	assert_int_equal(target_parse(&t, raw, TARGET_BYTES_MAX), TARGET_OK);
	assert_int_equal(t.segments[0].len, TARGET_BYTES_MAX - 1);
	assert_int_equal(t.segments[0].text[TARGET_BYTES_MAX - 1], '\0');
	assert_int_equal(target_parse(&t, raw, TARGET_BYTES_MAX + 1), TARGET_LONG);
	raw[TARGET_BYTES_MAX / 2] = '/';
	assert_int_equal(target_parse(&t, raw, TARGET_BYTES_MAX), TARGET_OK);
	assert_int_equal(t.count, 2);
	memset(raw, '/', sizeof(raw));
	assert_int_equal(target_parse(&t, raw, TARGET_BYTES_MAX), TARGET_EMPTY);
}

static void
test_what_is_no_path(void **state)
{
	(void)state;
	assert_int_equal(parse(""), TARGET_BAD);
	assert_int_equal(parse("a"), TARGET_BAD);
	assert_int_equal(parse("*"), TARGET_BAD);
	assert_int_equal(parse("http://host/a"), TARGET_BAD);
	assert_int_equal(parse("%2fa"), TARGET_BAD);
}

static void
test_segments_compare_by_bytes(void **state)
{
	(void)state;
	assert_int_equal(parse("/secret/paths"), TARGET_OK);
	assert_true(target_is(&t, 0, "secret"));
	assert_false(target_is(&t, 0, "SECRET"));
	assert_false(target_is(&t, 0, "secre"));
	assert_false(target_is(&t, 0, "secrets"));
	assert_false(target_is(&t, 2, "secret"));
	assert_false(target_is(&t, 2, ""));
}

/* --- query --- */

static void
check_query(const char *raw, const char *name, int result, const char *value)
{
	struct buf out;

	buf_init(&out, 4096);
	buf_append_str(&out, "before:");
	assert_int_equal(target_query(raw, name, &out), result);
	assert_int_equal(strncmp(buf_cstr(&out), "before:", 7), 0);
	assert_string_equal(buf_cstr(&out) + 7, value);
	buf_release(&out);
}

static void
test_finds_the_first_value(void **state)
{
	(void)state;
	check_query("limit=5&after=x", "limit", 1, "5");
	check_query("limit=5&after=x", "after", 1, "x");
	check_query("a=1&a=2", "a", 1, "1");
	check_query("a", "a", 1, "");
	check_query("a=", "a", 1, "");
	check_query("a&b=2", "b", 1, "2");
	check_query("a=b=c", "a", 1, "b=c");
	check_query("&&a=1&", "a", 1, "1");
}

static void
test_absent_names(void **state)
{
	(void)state;
	check_query("", "a", 0, "");
	check_query("limit=5", "lim", 0, "");
	check_query("limit=5", "limits", 0, "");
	check_query("LIMIT=5", "limit", 0, "");
	check_query("x=limit=5", "limit", 0, "");
	check_query("=5", "a", 0, "");
	check_query("&&&", "a", 0, "");
}

static void
test_query_values_are_decoded_once(void **state)
{
	(void)state;
	check_query("a=x+y%20z", "a", 1, "x y z");
	check_query("a=%2B%26%3D%25", "a", 1, "+&=%");
	check_query("a=%2561", "a", 1, "%61");
	check_query("a=%C3%A9", "a", 1, "\xc3\xa9");
	check_query("pre%66ix=1", "prefix", 1, "1");
	check_query("a=%2F..%2F", "a", 1, "/../");
}

static void
test_bad_query_values_are_refused(void **state)
{
	(void)state;
	check_query("a=%", "a", -1, "");
	check_query("a=x%4", "a", -1, "");
	check_query("a=%zz", "a", -1, "");
	check_query("a=%4&b=1", "a", -1, "");
	check_query("a=ok%ff", "a", -1, "");
	check_query("a=%c3", "a", -1, "");
	check_query("a=%ed%a0%80", "a", -1, "");
	/* Those of others do not matter. */
	check_query("b=%zz&a=1", "a", 1, "1");
	check_query("%zz=2&a=1", "a", 1, "1");
}

/* --- encoding --- */

static void
check_encoded(const char *text, size_t n, const char *expected)
{
	struct buf out;

	buf_init(&out, 4096);
	text_append_percent(&out, text, n);
	assert_string_equal(buf_cstr(&out), expected);
	buf_release(&out);
}

static void
test_encodes_all_but_the_unreserved(void **state)
{
	(void)state;
	check_encoded("aZ09-._~", 8, "aZ09-._~");
	check_encoded("a b/c%d?e#f", 11, "a%20b%2Fc%25d%3Fe%23f");
	check_encoded("\xc3\xa9", 2, "%C3%A9");
	check_encoded("\0\n\x7f", 3, "%00%0A%7F");
	check_encoded("", 0, "");
}

static void
test_every_name_comes_back(void **state)
{
	static const char *const names[] = {
		"conn-a", "my conn", "%61", "100%", "a+b", "\xc3\xa9\xf0\x9f\x98\x80",
		"a:b}c*", "&=?#"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf out;

		buf_init(&out, 4096);
		buf_append_char(&out, '/');
		text_append_percent(&out, names[i], strlen(names[i]));
		assert_int_equal(target_parse(&t, (const char *)out.data, out.len), TARGET_OK);
		assert_int_equal(t.count, 1);
		assert_string_equal(t.segments[0].text, names[i]);
		buf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits_into_segments),
		cmocka_unit_test(test_the_root_has_no_segment),
		cmocka_unit_test(test_decodes_once),
		cmocka_unit_test(test_unicode_forms_stay_apart),
		cmocka_unit_test(test_an_encoded_slash_is_refused),
		cmocka_unit_test(test_bad_escapes_are_refused),
		cmocka_unit_test(test_control_characters_are_refused),
		cmocka_unit_test(test_bad_utf8_is_refused),
		cmocka_unit_test(test_dot_segments_are_refused_in_any_writing),
		cmocka_unit_test(test_empty_segments_are_not_found),
		cmocka_unit_test(test_too_many_segments_are_not_found),
		cmocka_unit_test(test_the_longest_path),
		cmocka_unit_test(test_what_is_no_path),
		cmocka_unit_test(test_segments_compare_by_bytes),
		cmocka_unit_test(test_finds_the_first_value),
		cmocka_unit_test(test_absent_names),
		cmocka_unit_test(test_query_values_are_decoded_once),
		cmocka_unit_test(test_bad_query_values_are_refused),
		cmocka_unit_test(test_encodes_all_but_the_unreserved),
		cmocka_unit_test(test_every_name_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

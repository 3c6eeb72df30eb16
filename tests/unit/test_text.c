#include "base/buf.h"
#include "base/text.h"
#include "unit.h"

#define FFFD "\xef\xbf\xbd"

static void
test_every_code_point_goes_round(void **state)
{
	unsigned char bytes[4];
	uint32_t cp, back;
	size_t n, want;

	(void)state;
	for (cp = 0; cp <= 0x10ffff; cp++) {
		n = text_utf8_encode(cp, bytes);
		want = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
		if (n != want)
			fail_msg("U+%04x has %zu bytes", cp, n);
		want = cp >= 0xd800 && cp <= 0xdfff ? 0 : n;
		if (text_utf8_decode(bytes, n, &back) != want || (want > 0 && back != cp))
			fail_msg("U+%04x does not come back", cp);
		if (n > 1 && text_utf8_decode(bytes, n - 1, &back) != 0)
			fail_msg("U+%04x is taken although cut", cp);
	}
	assert_int_equal(text_utf8_encode(0xd83d, bytes), 3);
	assert_memory_equal(bytes, "\xed\xa0\xbd", 3);
}

/*
 * How many U+FFFD java.io.InputStreamReader (UTF_8, OpenJDK 17.0.15) gives for
 * the bytes; the same at the end of the file and with "A" after them.
 */
static const struct { const char *hex; int replaced; } malformed[] = {
	{ "ff", 1 }, { "80", 1 }, { "c0", 1 }, { "c080", 2 }, { "c1bf", 2 }, { "c3", 1 },
	{ "c3c3", 2 }, { "e0", 1 }, { "e080", 2 }, { "e08080", 3 }, { "e09f80", 3 },
	{ "e09f", 2 }, { "e0a0", 1 }, { "e1", 1 }, { "e180", 1 }, { "e0c0", 2 },
	{ "e1c0", 2 }, { "e180c0", 2 }, { "ed", 1 }, { "ed9f", 1 }, { "eda0", 1 },
	{ "eda080", 1 }, { "edb080", 1 }, { "edbf", 1 }, { "edbfbf", 1 },
	{ "eda080edb080", 2 }, { "ef", 1 }, { "efbf", 1 }, { "f0", 1 }, { "f080", 2 },
	{ "f08080", 3 }, { "f0808080", 4 }, { "f08f8080", 4 }, { "f090", 1 },
	{ "f09080", 1 }, { "f1", 1 }, { "f180", 1 }, { "f18080", 1 }, { "f1c080", 3 },
	{ "f480c080", 3 }, { "f4", 1 }, { "f48f", 1 }, { "f490", 2 }, { "f4c0", 2 },
	{ "f4908080", 4 }, { "f5", 1 }, { "f580", 2 }, { "f5808080", 4 },
	{ "f7bfbfbf", 4 }, { "f8", 1 }, { "f888808080", 5 }, { "fc", 1 },
	{ "fc8480808080", 6 }, { "fe", 1 }
};

static int
count_replaced(const unsigned char *p, size_t n)
{
	uint32_t cp;
	size_t len;
	int count = 0;

	while (n > 0) {
		len = text_utf8_decode(p, n, &cp);
		if (len == 0) {
			len = text_invalid_length(p, n);
			assert_in_range(len, 1, n);
			count++;
		} else
			assert_int_equal(cp, 'A');
		p += len;
		n -= len;
	}
	return count;
}

static void
test_malformed_bytes_are_replaced_as_java_does(void **state)
{
	unsigned char bytes[16];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
		n = unit_hex(malformed[i].hex, bytes, sizeof(bytes));
		if (count_replaced(bytes, n) != malformed[i].replaced)
			fail_msg("%s at the end", malformed[i].hex);
		bytes[n] = 'A';
		if (count_replaced(bytes, n + 1) != malformed[i].replaced)
			fail_msg("%s before text", malformed[i].hex);
	}
}

typedef void append_function(struct buf *out, const void *bytes, size_t n);

static void
expect(append_function *append, const char *in, size_t n, const char *want)
{
	struct buf out;

	buf_init(&out, 10000);
	append(&out, in, n);
	assert_string_equal(buf_cstr(&out), want);
	buf_release(&out);
}

static void
test_visible_text(void **state)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "", "" }, { "plain \\ \"text\"", "plain \\ \"text\"" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x91",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x91" },
		{ "a\nb\tc\rd\x1b[0m\x7f", "a\\nb\\tc\\x0dd\\x1b[0m\\x7f" },
		{ "\xc2\x80\xc2\x9b\xc2\xa0", "\\u{0080}\\u{009b}\xc2\xa0" },
		{ "x\xe2\x80\xae\xe2\x81\xa6y", "x\\u{202e}\\u{2066}y" },
		{ "\xe2\x80\x8b\xe2\x80\xa8\xef\xbb\xbf", "\\u{200b}\\u{2028}\\u{feff}" },
		{ "\xf3\xa0\x81\x81", "\\u{e0041}" },
		{ "\xff\xc3(\xe2\x82", "\\xff\\xc3(\\xe2\\x82" },
		{ "\xc0\x9b", "\\xc0\\x9b" },
		{ "\xed\xa0\x80", "\\u{d800}" }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect(text_append_visible, cases[i].in, strlen(cases[i].in), cases[i].want);
	expect(text_append_visible, "a\0b", 3, "a\\x00b");
}

static void
test_json_strings(void **state)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "", "\"\"" }, { "abc /'", "\"abc /'\"" }, { "\"\\", "\"\\\"\\\\\"" },
		{ "\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"" },
		{ "\xc3\xbc\xe2\x80\xa8\xf0\x9f\x94\x91",
		  "\"\xc3\xbc\\u2028\xf0\x9f\x94\x91\"" },
		{ "\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81", "\"\\u009b\\u202e\\udb40\\udc41\"" },
		{ "a\xff\xfe" "b", "\"a" FFFD FFFD "b\"" },
		{ "\xe2\x82", "\"" FFFD "\"" },
		{ "x\xed\xa0\x80y\xed\xbf\xbf", "\"x\\ud800y\\udfff\"" },
		{ "\xed\xa0", "\"" FFFD "\"" }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect(text_append_json, cases[i].in, strlen(cases[i].in), cases[i].want);
	expect(text_append_json, NULL, 0, "\"\"");
	expect(text_append_visible, NULL, 0, "");
	expect(text_append_json, "a\0b", 3, "\"a\\u0000b\"");
}

static void
test_contains_nocase(void **state)
{
	(void)state;
	assert_true(text_contains_nocase("SSL.Keystore.PassWord", 21, "password"));
	assert_true(text_contains_nocase("papassword", 10, "password"));
	assert_true(text_contains_nocase("x", 1, ""));
	assert_true(text_contains_nocase(NULL, 0, ""));
	assert_false(text_contains_nocase(NULL, 0, "a"));
	assert_false(text_contains_nocase("passwor", 7, "password"));
	assert_false(text_contains_nocase("password", 7, "password"));
	/* '@' and '[' stand around the capitals, '`' and '{' around the others. */
	assert_false(text_contains_nocase("@[", 2, "`{"));
	assert_false(text_contains_nocase("p\xe1ssword", 8, "password"));
}

/* Against the other way to look, with all that is near it in ASCII. */
static void
test_a_word_is_found_where_it_stands_last(void **state)
{
	static const struct text_word jaas = { .word = "jaas", .len = 4, .rare = 'j' };
	static const char letters[] = "jJaAsS.A!*";
	const size_t base = sizeof(letters) - 1, n = 7;
	char text[7];

	(void)state;
	assert_int_equal(text_find_word("jaas.JAAS", 9, &jaas), 5);
	assert_int_equal(text_find_word("jaa", 3, &jaas), 3);
	assert_int_equal(text_find_word("", 0, &jaas), 0);
	for (size_t i = 0; i < 10000000; i += 7) {
		for (size_t k = 0, rest = i; k < n; k++, rest /= base)
			text[k] = letters[rest % base];
		assert_int_equal(text_find_word(text, n, &jaas) < n,
		    text_contains_nocase(text, n, "jaas"));
	}
}

static void
test_blank_is_white_space_as_go_sees_it(void **state)
{
	unsigned char bytes[4];
	uint32_t cp;
	size_t n;
	int blank = 0;

	(void)state;
	assert_true(text_is_blank(NULL, 0));
	for (cp = 0; cp <= 0x10ffff; cp++) {
		n = text_utf8_encode(cp, bytes);
		blank += text_is_blank(bytes, n);
	}
	/* unicode.White_Space: 25 code points. */
	assert_int_equal(blank, 25);
	assert_true(text_is_blank(" \t\v\f\r\n\xc2\x85\xc2\xa0\xe1\x9a\x80", 13));
	assert_true(text_is_blank("\xe2\x80\x80\xe2\x80\x8a\xe2\x80\xa8\xe2\x80\xa9", 12));
	assert_true(text_is_blank("\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80", 9));
	assert_false(text_is_blank("  x ", 4));
	assert_false(text_is_blank("\x85", 1));
	assert_false(text_is_blank("\xe2\x80\x8b", 3));
	assert_false(text_is_blank("\0", 1));
}

/* Every byte at every place of texts that are shorter and longer than what is
 * looked at at once. */
static void
test_plain_text_ends_at_the_first_other_byte(void **state)
{
	unsigned char text[26];
	size_t n, at, want;
	unsigned c;

	(void)state;
	memset(text, '~', sizeof(text));
	for (n = 0; n <= sizeof(text); n++) {
		assert_int_equal(text_plain_length(text, n), n);
		for (at = 0; at < n; at++) {
			for (c = 0; c < 256; c++) {
				text[at] = (unsigned char)c;
				want = c >= ' ' && c <= '~' && c != '"' && c != '\\' ? n : at;
				assert_int_equal(text_plain_length(text, n), want);
			}
			text[at] = ' ';
		}
		memset(text, '~', sizeof(text));
	}
	assert_int_equal(text_plain_length("ab\377\"cdefgh", 10), 2);
	assert_int_equal(text_plain_length("abc\"\377defgh", 10), 3);
}

static void
test_a_path_is_one_word_of_a_command(void **state)
{
	static const char *const words[][2] = {
		{ "conf/server.properties", "conf/server.properties" },
		{ "my server.properties", "'my server.properties'" },
		{ "it's", "'it'\\''s'" }, { "$HOME", "'$HOME'" }, { "~x", "'~x'" },
		{ "-x.properties", "./-x.properties" }, { "-a b", "./'-a b'" },
		{ "-", "-" }, { "", "''" }, { "caf\303\251", "'caf\303\251'" },
	};
	char out[TEXT_WORD_MAX], quotes[TEXT_WORD_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_string_equal(text_word(words[i][0], out), words[i][1]);
	/* What has no room stays as it is. */
	memset(quotes, '\'', sizeof(quotes) - 1);
	quotes[sizeof(quotes) - 1] = '\0';
	assert_ptr_equal(text_word(quotes, out), quotes);
	quotes[200] = '\0';
	assert_ptr_equal(text_word(quotes, out), out);
	assert_int_equal(strlen(out), 4 * 200 + 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_point_goes_round),
		cmocka_unit_test(test_malformed_bytes_are_replaced_as_java_does),
		cmocka_unit_test(test_visible_text),
		cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_contains_nocase),
		cmocka_unit_test(test_a_word_is_found_where_it_stands_last),
		cmocka_unit_test(test_blank_is_white_space_as_go_sees_it),
		cmocka_unit_test(test_plain_text_ends_at_the_first_other_byte),
		cmocka_unit_test(test_a_path_is_one_word_of_a_command),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}

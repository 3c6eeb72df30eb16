#include "base/buf.h"
#include "base/number.h"
#include "unit.h"

static void
expect(uint64_t n, const char *want)
{
	char text[NUMBER_TEXT];
	size_t len = number_text(n, text);

	assert_int_equal(len, strlen(want));
	assert_memory_equal(text, want, len);
}

static void
test_numbers_as_text(void **state)
{
	struct buf out;

	(void)state;
	expect(0, "0");
	expect(9, "9");
	expect(10, "10");
	expect(UINT64_MAX, "18446744073709551615");
	buf_init(&out, 4096);
	number_append_signed(&out, INT64_MIN);
	buf_append_char(&out, ' ');
	number_append_signed(&out, 7);
	buf_append_char(&out, ' ');
	number_append(&out, 100);
	assert_string_equal(buf_cstr(&out), "-9223372036854775808 7 100");
	buf_release(&out);
}

static bool
parses(const char *text, uint64_t max, uint64_t want)
{
	uint64_t n = 77;
	bool good = number_parse(text, strlen(text), max, &n);

	assert_int_equal(n, good ? want : 77);
	return good;
}

static void
test_numbers_from_text(void **state)
{
	(void)state;
	assert_true(parses("0", 0, 0));
	assert_true(parses("007", 7, 7));
	assert_true(parses("18446744073709551615", UINT64_MAX, UINT64_MAX));
	assert_false(parses("18446744073709551616", UINT64_MAX, 0));
	assert_false(parses("99999999999999999999999", UINT64_MAX, 0));
	assert_true(parses("100", 100, 100));
	assert_false(parses("101", 100, 0));
	assert_false(parses("", 9, 0));
	assert_false(parses("1 ", 9, 0));
	assert_false(parses("-1", 9, 0));
	assert_false(parses("+1", 9, 0));
	assert_false(parses("1a", 99, 0));
}

static void
test_hex(void **state)
{
	static const unsigned char bytes[] = { 0x00, 0x7f, 0x80, 0xff, 0xa5 };
	unsigned char back[sizeof(bytes)];
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	hex_append(&out, bytes, sizeof(bytes));
	hex_append(&out, NULL, 0);
	assert_string_equal(buf_cstr(&out), "007f80ffa5");
	assert_true(hex_parse("007f80ffa5", 5, back));
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_true(hex_parse("007F80FfA5", 5, back));
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_false(hex_parse("007f80ffg5", 5, back));
	assert_true(hex_parse_lower("007f80ffa5", 5, back));
	assert_false(hex_parse_lower("007f80ffA5", 5, back));
	assert_int_equal(hex_four((const unsigned char *)"D83d"), 0xd83d);
	assert_int_equal(hex_four((const unsigned char *)"D8 d"), -1);
	buf_clear(&out);
	hex_append_number(&out, 0x2019, 4);
	hex_append_number(&out, 0x1f, 2);
	hex_append_number(&out, 0x123, 2);
	assert_string_equal(buf_cstr(&out), "20191f23");
	buf_release(&out);
}

static void
test_each_character_as_a_digit(void **state)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		at = c == 0 ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
		assert_int_equal(hex_digit((unsigned char)c), at == NULL ? -1 : at - digits);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_as_text),
		cmocka_unit_test(test_numbers_from_text),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_each_character_as_a_digit),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}

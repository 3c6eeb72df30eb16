#include "base/buf.h"
#include "crypto/base64.h"
#include "unit.h"

static void
assert_pair(const void *bytes, size_t n, const char *text)
{
	struct buf out;

	buf_init(&out, 1000);
	base64url_encode(&out, bytes, n);
	assert_string_equal(buf_cstr(&out), text);
	buf_clear(&out);
	buf_append_str(&out, "old");
	assert_int_equal(base64url_decode(&out, text, strlen(text)), 0);
	assert_int_equal(out.len, 3 + n);
	assert_memory_equal(out.data, "old", 3);
	if (n > 0)
		assert_memory_equal(out.data + 3, bytes, n);
	buf_release(&out);
}

/* RFC 4648 section 10 and RFC 7515 appendix C, without padding. */
static void
test_known_answers(void **state)
{
	static const unsigned char jose[] = { 3, 236, 255, 224, 193 };

	(void)state;
	assert_pair("", 0, "");
	assert_pair("f", 1, "Zg");
	assert_pair("fo", 2, "Zm8");
	assert_pair("foo", 3, "Zm9v");
	assert_pair("foob", 4, "Zm9vYg");
	assert_pair("fooba", 5, "Zm9vYmE");
	assert_pair("foobar", 6, "Zm9vYmFy");
	assert_pair(jose, sizeof(jose), "A-z_4ME");
}

static void
test_every_character_stands_for_its_bits(void **state)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char text[5] = "AAAA";
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	for (int c = 0; c < 256; c++) {
		const char *at = c != 0 ? strchr(alphabet, c) : NULL;

		text[3] = (char)(unsigned char)c;
		buf_clear(&out);
		assert_int_equal(base64url_decode(&out, text, 4), at != NULL ? 0 : -1);
		assert_int_equal(out.len, at != NULL ? 3 : 0);
		if (at != NULL)
			assert_int_equal(out.data[2], at - alphabet);
	}
	buf_release(&out);
}

static void
test_every_length_goes_round(void **state)
{
	unsigned char bytes[70];
	struct buf text, out;

	(void)state;
	buf_init(&text, 1000);
	buf_init_secret(&out, 1000);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)(i * 37 + n);
		buf_clear(&text);
		buf_clear(&out);
		base64url_encode(&text, bytes, n);
		assert_int_equal(base64url_decode(&out, (const char *)text.data, text.len), 0);
		assert_int_equal(out.len, n);
		if (n > 0)
			assert_memory_equal(out.data, bytes, n);
	}
	buf_release(&text);
	buf_release(&out);
}

static void
test_anything_else_is_refused(void **state)
{
	/* Padding, line ends, the other alphabet, lengths, bits at the end. */
	static const char *const texts[] = { "Zg==", "Zm8=", "=", "Zm9v\n", "Zm9\n", " Zm9v",
		"Zm9v ", "A+z_", "A/z_", "A", "Zm9vY", "Zh", "Zv", "Zm9", "Zm-", "Zm9vYh", "....",
		"Zm9v.Zm9" };
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	buf_append_str(&out, "old");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (base64url_decode(&out, texts[i], strlen(texts[i])) != -1)
			fail_msg("%s", texts[i]);
		assert_int_equal(out.len, 3);
		assert_false(out.failed);
	}
	buf_release(&out);
}

static void
test_the_buffers_maximum_holds(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 3);
	assert_int_equal(base64url_decode(&out, "Zm9vYg", 6), -1);
	assert_true(out.failed);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_every_character_stands_for_its_bits),
		cmocka_unit_test(test_every_length_goes_round),
		cmocka_unit_test(test_anything_else_is_refused),
		cmocka_unit_test(test_the_buffers_maximum_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

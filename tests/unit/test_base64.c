#include "base/buf.h"
#include "crypto/base64.h"
#include "unit.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 4648, section 10. */
static const struct { const char *plain, *text; } rfc4648[] = {
	{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }
};

/* Decoding ${text} gives ${want}, or fails (NULL) and leaves the buffer. */
static void
expect(const char *text, const char *want)
{
	struct buf out;
	int result;

	buf_init_secret(&out, 100);
	buf_append_str(&out, "<");
	result = base64_decode(&out, text, strlen(text));
	if ((result == 0) != (want != NULL))
		fail_msg("\"%s\" is %s", text, result == 0 ? "taken" : "refused");
	if (strcmp(buf_cstr(&out) + 1, want != NULL ? want : "") != 0 || out.data[0] != '<')
		fail_msg("\"%s\" becomes \"%s\"", text, buf_cstr(&out));
	assert_false(out.failed);
	buf_release(&out);
}

static void
test_rfc_4648_both_ways(void **state)
{
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rfc4648) / sizeof(*rfc4648); i++) {
		char written[9] = "";

		base64_write(rfc4648[i].plain, strlen(rfc4648[i].plain), written);
		assert_string_equal(written, rfc4648[i].text);
		expect(rfc4648[i].text, rfc4648[i].plain);
		buf_init_secret(&out, 100);
		base64_encode(&out, rfc4648[i].plain, strlen(rfc4648[i].plain));
		assert_string_equal(buf_cstr(&out), rfc4648[i].text);
		buf_release(&out);
	}
}

static void
test_each_character_means_its_place(void **state)
{
	struct buf out, text;
	unsigned char bytes[48];
	size_t i;

	(void)state;
	for (i = 0; i < 16; i++) {
		size_t a = 4 * i;

		bytes[3 * i] = (unsigned char)(a << 2 | (a + 1) >> 4);
		bytes[3 * i + 1] = (unsigned char)((a + 1) << 4 | (a + 2) >> 2);
		bytes[3 * i + 2] = (unsigned char)((a + 2) << 6 | (a + 3));
	}
	buf_init(&text, 64);
	base64_encode(&text, bytes, sizeof(bytes));
	assert_string_equal(buf_cstr(&text), alphabet);
	buf_init(&out, 48);
	assert_int_equal(base64_decode(&out, alphabet, 64), 0);
	assert_int_equal(out.len, 48);
	assert_memory_equal(out.data, bytes, 48);
	buf_release(&text);
	buf_release(&out);
}

static void
test_every_other_byte_is_refused_everywhere(void **state)
{
	struct buf out;
	char text[8];
	size_t at;
	int c, taken;

	(void)state;
	buf_init(&out, 100);
	for (at = 0; at < 8; at++) {
		for (c = taken = 0; c < 256; c++) {
			bool good = c != 0 && strchr(alphabet, c) != NULL;

			memcpy(text, "Zm9vYmFy", 8);
			text[at] = (char)c;
			buf_clear(&out);
			/* Padding, only at the very end, and newlines have tests below. */
			if (c == '\r' || c == '\n' || (c == '=' && at == 7))
				continue;
			if ((base64_decode(&out, text, 8) == 0) != good)
				fail_msg("byte %d at %zu", c, at);
			taken += good;
		}
		assert_int_equal(taken, 64);
	}
	buf_release(&out);
}

/* The same as decoding, for each byte at each place, but for line ends, which it refuses. */
static void
test_reading_takes_what_decoding_takes(void **state)
{
	static const char *const texts[] = { "Zm9vYmFy", "Zm9vYmE=", "Zm9vYg==", "Zg==", "", "Zm9",
		"====", "A===", "Zg=v", "Zm9vZg==Zm9v" };
	unsigned char read[16];
	struct buf out;
	char text[16];
	size_t n, made;

	(void)state;
	buf_init(&out, 100);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		n = strlen(texts[i]);
		for (size_t at = 0; at < n + 1; at++) {
			for (int c = 0; c < 256; c++) {
				memcpy(text, texts[i], n);
				text[at] = (char)c;
				if (at < n && (c == '\r' || c == '\n'))
					continue;
				buf_clear(&out);
				made = base64_read(text, n, read);
				if ((base64_decode(&out, text, n) == 0) != (made != SIZE_MAX))
					fail_msg("%s: byte %d at %zu", texts[i], c, at);
				if (made == SIZE_MAX)
					continue;
				assert_int_equal(made, out.len);
				assert_memory_equal(read, made > 0 ? out.data : read, made);
			}
		}
	}
	assert_true(base64_read("Zm9v\nZm8", 8, read) == SIZE_MAX);
	buf_release(&out);
}

/* What encoding/base64's StdEncoding of Go 1.26 takes and refuses. */
static void
test_padding_and_newlines_as_go(void **state)
{
	(void)state;
	expect("Zg", NULL);
	expect("Zg=", NULL);
	expect("Zm8", NULL);
	expect("Zm9vY", NULL);
	expect("Z===", NULL);
	expect("=", NULL);
	expect("====", NULL);
	expect("Zg===", NULL);
	expect("Zm8==", NULL);
	expect("Zm9v=", NULL);
	expect("Zg==Zg==", NULL);
	expect("Zg=g", NULL);
	expect("Zg==\nZ", NULL);
	expect("Zm9v Zm9v", NULL);
	expect("Zm9v\t", NULL);
	expect("\n", "");
	expect("\r\n\r\n", "");
	expect("\nZ\rm\n9\r\nv\nYg\n=\r\n=\n", "foob");
	expect("Zm9v\nYmFy\n", "foobar");
	/* Bits that the padding leaves over do not matter. */
	expect("Zh==", "f");
	expect("Zm9=", "fo");
}

static void
test_all_lengths_go_round(void **state)
{
	struct buf text, out;
	unsigned char bytes[2000];
	uint32_t x = 1;
	size_t n, i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(x >> 24);
	}
	buf_init(&text, 3000);
	buf_init_secret(&out, 2000);
	assert_int_equal(base64_decode(&out, NULL, 0), 0);
	for (n = 0; n <= sizeof(bytes); n += n < 100 ? 1 : 97) {
		buf_clear(&text);
		buf_clear(&out);
		base64_encode(&text, bytes, n);
		assert_int_equal(text.len, (n + 2) / 3 * 4);
		assert_int_equal(base64_decode(&out, (const char *)text.data, text.len), 0);
		assert_int_equal(out.len, n);
		if (n > 0)
			assert_memory_equal(out.data, bytes, n);
	}
	buf_release(&text);
	buf_release(&out);
}

static void
test_a_full_buffer_fails(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 5);
	assert_int_equal(base64_decode(&out, "Zm9vYmE=", 8), 0);
	buf_clear(&out);
	assert_int_equal(base64_decode(&out, "Zm9vYmFy", 8), -1);
	assert_true(out.failed);
	buf_clear(&out);
	base64_encode(&out, "abcd", 4);
	assert_true(out.failed);
	buf_clear(&out);
	base64_encode(&out, "", SIZE_MAX);
	assert_true(out.failed);
	buf_release(&out);
}

static void
test_a_refused_secret_is_wiped(void **state)
{
	struct buf out;
	char text[2001];

	(void)state;
	memset(text, 'Z', sizeof(text));
	buf_init_secret(&out, 4000);
	assert_int_equal(base64_decode(&out, text, sizeof(text)), -1);
	assert_int_equal(out.len, 0);
	assert_true(out.cap > 0);
	assert_true(unit_all_zero(out.data, out.cap));
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_4648_both_ways),
		cmocka_unit_test(test_each_character_means_its_place),
		cmocka_unit_test(test_every_other_byte_is_refused_everywhere),
		cmocka_unit_test(test_reading_takes_what_decoding_takes),
		cmocka_unit_test(test_padding_and_newlines_as_go),
		cmocka_unit_test(test_all_lengths_go_round),
		cmocka_unit_test(test_a_full_buffer_fails),
		cmocka_unit_test(test_a_refused_secret_is_wiped)
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}

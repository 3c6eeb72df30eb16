/* secrets/mask: what `git diff` may see of a file. */

#include "document_support.h"
#include "secrets/mask.h"

static void
mask(const void *bytes, size_t n, struct buf *out)
{
	struct document *d = parse(bytes, n);

	buf_init(out, BUF_MAX_FILE);
	assert_int_equal(mask_append(d, NULL, NULL, NULL, out, NULL), 0);
	document_free(d);
}

static void
assert_masked(const char *text, const char *expected)
{
	struct buf out;

	mask(text, strlen(text), &out);
	assert_string_equal(buf_cstr(&out), expected);
	buf_release(&out);
}

static void
test_only_values_of_secrets_are_replaced(void **state)
{
	(void)state;
	assert_masked("", "");
	assert_masked("a=1\r\n b.password : x\\\r\n  y\r\nc=2", "a=1\r\n b.password : <clear text>\r\nc=2");
	assert_masked("b.password=\nb.password=${x:y}\n", "b.password=\nb.password=${x:y}\n");
	/* A line that is hidden by a later one is seen all the same. */
	assert_masked("b.password=x\nb.password=y\n",
	    "b.password=<clear text>\nb.password=<clear text>\n");
	assert_masked("pass\\u0077ord=x\n", "pass\\u0077ord=<clear text>\n");
}

static void
test_what_is_not_read_is_looked_at_by_line(void **state)
{
	(void)state;
	assert_masked("# b.password = x y \n#b.password\n! b.password:\t x\n#b.password=\n",
	    "# b.password = <clear text> \n#b.password\n! b.password:\t <clear text>\n"
	    "#b.password=\n");
	/* Behind a malformed escape. */
	assert_masked("a=1\nb=\\u1\nb.password=x\r\n\"c.password\": \"x\",\nd=1\n",
	    "a=1\nb=\\u1\nb.password=<clear text>\r\n\"c.password\": <clear text>\nd=1\n");
	/* Prose is none. */
	assert_masked("# the password: one to remember\n", "# the password: one to remember\n");
}

static void
test_lines_are_counted(void **state)
{
	static const char text[] = "a=1\r\n#a.password=x\r\r\n\n a.password:y";
	struct loose_place place = { 0, 1 };
	struct loose l;

	(void)state;
	assert_true(loose_next(NULL, text, sizeof(text) - 1, &place, &l));
	assert_int_equal(l.line, 2);
	assert_true(l.commented);
	assert_int_equal(l.value_len, 1);
	assert_int_equal(text[l.value], 'x');
	assert_true(loose_next(NULL, text, sizeof(text) - 1, &place, &l));
	assert_int_equal(l.line, 5);
	assert_false(l.commented);
	assert_int_equal(text[l.value], 'y');
	assert_false(loose_next(NULL, text, sizeof(text) - 1, &place, &l));
}

static void
test_files_without_secrets_come_byte_for_byte(void **state)
{
	unsigned char bytes[64];
	uint64_t rnd = 4711;
	struct buf out;
	size_t n;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		n = random_document(&rnd, bytes, sizeof(bytes));
		mask(bytes, n, &out);
		assert_int_equal(out.len, n);
		if (n > 0)
			assert_memory_equal(out.data, bytes, n);
		buf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_values_of_secrets_are_replaced),
		cmocka_unit_test(test_what_is_not_read_is_looked_at_by_line),
		cmocka_unit_test(test_lines_are_counted),
		cmocka_unit_test(test_files_without_secrets_come_byte_for_byte)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

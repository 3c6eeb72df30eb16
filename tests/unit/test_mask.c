/* secrets/mask: what `git diff` may see of a file. */

#include "base/vec.h"
#include "document_support.h"
#include "secrets/mask.h"

static void
mask(const void *bytes, size_t n, struct buf *out)
{
	struct document *d = parse(bytes, n);

	buf_init(out, BUF_MAX_FILE);
	assert_int_equal(mask_append(d, NULL, NULL, NULL, out, NULL, NULL), 0);
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

/* ${text} is no JSON; what may be a secret in it is 5eCret. */
static void
assert_hidden(const char *text, const char *shown)
{
	struct document *d = parse_as(&document_json, text, strlen(text));
	struct buf out;

	buf_init(&out, BUF_MAX_FILE);
	assert_int_equal(document_problem(d, NULL), -1);
	assert_int_equal(mask_append(d, NULL, NULL, NULL, &out, NULL, NULL), 0);
	if (strstr(buf_cstr(&out), "5eCret") != NULL ||
	    strncmp(buf_cstr(&out), shown, strlen(shown)) != 0)
		fail_msg("%s", buf_cstr(&out));
	assert_non_null(strstr(buf_cstr(&out), "<clear text>"));
	buf_release(&out);
	document_free(d);
}

static void
test_broken_json_shows_no_secret(void **state)
{
	(void)state;
	/* Bad escapes and control characters, before the secret and in it. */
	assert_hidden("{\"a\": \"\\q\", \"b.password\": \"5eCret\", \"c\": 1}",
	    "{\"a\": \"\\q\", \"b.password\": <clear text>");
	assert_hidden("{\"a\": \"\t\", \"n\": {\"b.password\":\"5eCret\"}}\n", "{\"a\": \"\t\"");
	assert_hidden("{\"a\": 1, \"b.password\": \"5eCret\\q5eCret\"}", "{\"a\": 1, ");
	assert_hidden("{\"b.password\": \"x\n5eCret\n5eCret\",\n\"c\": 1}", "{\"b.password\": ");
	assert_hidden("{\"a\": \"C:\\\", \"b.password\": \"5eCret\"}", "{\"a\": ");
	/* Quotes too many and too few, none, single ones. */
	assert_hidden("{\"a\": \"x\"y\", \"b.password\": \"5eCret\"}", "{\"a\": \"x\"y\"");
	assert_hidden("{\"b.password\": \"x\"5eCret\"}", "{\"b.password\": ");
	assert_hidden("{\"b.password\": \"\"5eCret\"}", "{\"b.password\": ");
	assert_hidden("{\"a\": \"x, \"b.password\": \"5eCret\"}", "{\"a\": ");
	assert_hidden("{\"b.password\": \"5eCret, \"c\": 1}", "{\"b.password\": ");
	assert_hidden("{a: 1, password: '5eCret'}", "{a: 1, password: ");
	assert_hidden("{'a': 1, 'b.password' : '5eCret'}", "{'a': 1, ");
	/* Over lines, in lists, with escapes in the key, in JSON that is a string. */
	assert_hidden("{\"a\": 1,,\n\"b.password\"\n:\n\"5eCret\"}", "{\"a\": 1,,\n");
	assert_hidden("{\"a\": 1,, \"b.password\": [\"5eCret\"]}", "{\"a\": 1,, ");
	assert_hidden("{\"a\": 1,, \"pass\\u0077ord\": \"5eCret\"}", "{\"a\": 1,, ");
	assert_hidden("{\"a\": 1,, \"b\": \"{\\\"c.password\\\":\\\"5eCret\\\"}\"}", "{\"a\": 1,, ");
	/* By what the value is. */
	assert_hidden("{\"a\": 1,, \"url\": \"http://u:5eCret@h/\"}", "{\"a\": 1,, \"url\": ");
	assert_hidden("{\"key\": \"-----BEGIN PRIVATE KEY-----\n5eCret\n"
	    "-----END PRIVATE KEY-----\"}", "{\"key\": ");
	assert_hidden("{\"a\": 1,, \"sasl.jaas.config\": \"M required password=\\\"5eCret\\\";\"}",
	    "{\"a\": 1,, ");
	assert_hidden("// c\n{\"b.password\": \"5eCret\"} // {\"b.password\": \"5eCret\"}", "// c\n{");
}

static void
test_broken_properties_hide_lines_that_go_on(void **state)
{
	(void)state;
	assert_masked("a=1\nb.password=x\\u1\\\n  y\\\r\n z\nc=2\n",
	    "a=1\nb.password=<clear text>\nc=2\n");
	assert_masked("sasl.jaas.config=M required \\\n username=\"u\\u1\" \\\n password=\"x\";\n"
	    "c=2\n", "sasl.jaas.config=<clear text>\nc=2\n");
}

/* Where line ends were in a secret, the text says. */
static void
test_line_ends_of_secrets_are_told(void **state)
{
	static const char text[] = "a.password=x\\\r\n y\\\n z\nb=1\\\n 2\nc.password=x\n"
	    "d=\\u1\ne.password=x\\\r y\nf=1\n";
	struct document *d = parse(text, sizeof(text) - 1);
	const struct mask_fold *one;
	struct vec folds;
	struct buf out;

	(void)state;
	buf_init(&out, BUF_MAX_FILE);
	vec_init(&folds, sizeof(struct mask_fold), 10);
	assert_int_equal(mask_append(d, NULL, NULL, NULL, &out, &folds, NULL), 0);
	assert_string_equal(buf_cstr(&out), "a.password=<clear text>\nb=1\\\n 2\n"
	    "c.password=<clear text>\nd=\\u1\ne.password=<clear text>\nf=1\n");
	assert_int_equal(folds.len, 2);
	one = vec_at(&folds, 0);
	assert_int_equal(one->lines, 2);
	assert_int_equal(one->at, sizeof("a.password=<clear text>") - 1);
	one = vec_at(&folds, 1);
	assert_int_equal(one->lines, 1);
	assert_string_equal(buf_cstr(&out) + one->at, "\nf=1\n");
	vec_release(&folds);
	buf_release(&out);
	document_free(d);
}

static void
test_keys_of_an_unread_line_come_one_by_one(void **state)
{
	static const char text[] = "{\"a.password\": \"x\", \"b.password\": \"y\"}\n#c.password=z";
	struct loose_place place = { .line = 1, .unread = true };
	struct loose l;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(loose_next(NULL, text, sizeof(text) - 1, &place, &l));
		assert_int_equal(l.line, 1 + i / 2);
		assert_int_equal(l.commented, i == 2);
		assert_int_equal(l.key_len, 10);
		assert_memory_equal(l.key, &"a.password\0b.password\0c.password"[11 * i], 10);
	}
	assert_false(loose_next(NULL, text, sizeof(text) - 1, &place, &l));
}

static void
test_lines_are_counted(void **state)
{
	static const char text[] = "a=1\r\n#a.password=x\r\r\n\n a.password:y";
	struct loose_place place = { .line = 1 };
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
		cmocka_unit_test(test_broken_json_shows_no_secret),
		cmocka_unit_test(test_broken_properties_hide_lines_that_go_on),
		cmocka_unit_test(test_line_ends_of_secrets_are_told),
		cmocka_unit_test(test_keys_of_an_unread_line_come_one_by_one),
		cmocka_unit_test(test_lines_are_counted),
		cmocka_unit_test(test_files_without_secrets_come_byte_for_byte)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

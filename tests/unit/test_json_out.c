#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "unit.h"

static struct buf text;
static struct json_out out;

static int
begin(void **state)
{
	(void)state;
	buf_init(&text, 65536);
	json_out_init(&out, &text);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	buf_release(&text);
	return 0;
}

static void
expect(const char *want)
{
	struct error err;

	if (json_out_check(&out, &err) != 0)
		fail_msg("%s", err.text);
	assert_string_equal(buf_cstr(&text), want);
}

static void
test_compact(void **state)
{
	(void)state;
	json_out_object(&out, NULL);
	json_out_text(&out, "a", "b");
	json_out_array(&out, "list");
	json_out_int(&out, NULL, -1);
	json_out_uint(&out, NULL, 2);
	json_out_object(&out, NULL);
	json_out_end(&out);
	json_out_end(&out);
	json_out_bool(&out, "yes", true);
	json_out_bool(&out, "no", false);
	json_out_null(&out, "nothing");
	json_out_text(&out, "none", NULL);
	json_out_raw(&out, "raw", "[1, 2]");
	json_out_raw_n(&out, "cut", "7.5e1 and more", 5);
	json_out_textf(&out, "line", "%s:%d", "file", 12);
	json_out_end(&out);
	expect("{\"a\":\"b\",\"list\":[-1,2,{}],\"yes\":true,\"no\":false,\"nothing\":null,"
	    "\"none\":null,\"raw\":[1, 2],\"cut\":7.5e1,\"line\":\"file:12\"}");
}

static void
test_numbers_at_their_ends(void **state)
{
	(void)state;
	json_out_array(&out, NULL);
	json_out_int(&out, NULL, INT64_MIN);
	json_out_int(&out, NULL, INT64_MAX);
	json_out_int(&out, NULL, 0);
	json_out_uint(&out, NULL, UINT64_MAX);
	json_out_end(&out);
	expect("[-9223372036854775808,9223372036854775807,0,18446744073709551615]");
}

static void
test_texts_and_names_are_escaped(void **state)
{
	(void)state;
	json_out_object(&out, NULL);
	json_out_text(&out, "q\"", "\\ / \b\f\n\r\t\x01\x7f \xc2\x80 \xe2\x80\xae \xff");
	json_out_text_n(&out, "n\nme", "\0\xed\xa0\x80", 4);
	json_out_text_n(&out, "empty", NULL, 0);
	json_out_end(&out);
	expect("{\"q\\\"\":\"\\\\ / \\b\\f\\n\\r\\t\\u0001\\u007f \\u0080 \\u202e "
	    "\xef\xbf\xbd\",\"n\\nme\":\"\\u0000\\ud800\",\"empty\":\"\"}");
}

static void
test_what_does_not_show_is_escaped_if_asked(void **state)
{
	(void)state;
	json_out_hide(&out);
	json_out_array(&out, NULL);
	json_out_text_n(&out, NULL, "a\0b", 3);
	json_out_text(&out, NULL, "\"\\\n\t\x7f\xc2\x80\xe2\x80\xae\xef\xbb\xbf");
	json_out_text(&out, NULL, "\xff \xc3\xa9 \xed\xa0\x80");
	json_out_end(&out);
	expect("[\"a\\ufffdb\",\"\\\"\\\\\\n\\u0009\\u007f\\u0080\\u202e\\ufeff\","
	    "\"\\ufffd \xc3\xa9 \\ufffd\"]");
}

static void
test_pretty(void **state)
{
	(void)state;
	json_out_pretty(&out);
	json_out_object(&out, NULL);
	json_out_int(&out, "format", 1);
	json_out_object(&out, "roles");
	json_out_object(&out, "Reader");
	json_out_list(&out, "scope");
	json_out_text(&out, NULL, "cluster");
	json_out_text(&out, NULL, "path");
	json_out_end(&out);
	json_out_array(&out, "of");
	json_out_int(&out, NULL, 1);
	json_out_int(&out, NULL, 2);
	json_out_end(&out);
	json_out_array(&out, "none");
	json_out_end(&out);
	json_out_end(&out);
	json_out_end(&out);
	json_out_end(&out);
	assert_int_equal(json_out_finish(&out, NULL), 0);
	expect("{\n  \"format\": 1,\n  \"roles\": {\n    \"Reader\": {\n"
	    "      \"scope\": [\"cluster\", \"path\"],\n"
	    "      \"of\": [\n        1,\n        2\n      ],\n"
	    "      \"none\": []\n    }\n  }\n}\n");
}

static void
test_rows_and_breaks(void **state)
{
	(void)state;
	json_out_object(&out, NULL);
	json_out_rows(&out, "none");
	json_out_end(&out);
	json_out_break(&out);
	json_out_rows(&out, "findings");
	for (int i = 0; i < 2; i++) {
		json_out_object(&out, NULL);
		json_out_int(&out, "n", i);
		json_out_null(&out, "x");
		json_out_end(&out);
	}
	json_out_end(&out);
	json_out_int(&out, "exit", 0);
	json_out_end(&out);
	expect("{\"none\":[],\n\"findings\":[\n{\"n\":0,\"x\":null},\n{\"n\":1,\"x\":null}\n],"
	    "\"exit\":0}");
}

static void
test_one_text_a_line_and_a_buffer_that_is_sent(void **state)
{
	(void)state;
	json_out_object(&out, NULL);
	json_out_end(&out);
	assert_int_equal(json_out_finish(&out, NULL), 0);
	json_out_array(&out, NULL);
	json_out_int(&out, NULL, 1);
	assert_string_equal(buf_cstr(&text), "{}\n[1");
	buf_clear(&text);
	json_out_int(&out, NULL, 2);
	json_out_end(&out);
	assert_int_equal(json_out_finish(&out, NULL), 0);
	expect(",2]\n");
}

static void
test_a_secret_stays_in_its_memory(void **state)
{
	(void)state;
	buf_release(&text);
	buf_init_secret(&text, 4096);
	json_out_object(&out, NULL);
	json_out_text(&out, "secret", "s\"3cret");
	json_out_uint(&out, "version", 7);
	json_out_end(&out);
	expect("{\"secret\":\"s\\\"3cret\",\"version\":7}");
}

static void
expect_fault(enum error_code code)
{
	struct error err;

	json_out_text(&out, "after", "it");
	json_out_end(&out);
	assert_int_equal(json_out_check(&out, &err), -1);
	assert_int_equal(err.code, code);
	buf_clear(&text);
	json_out_init(&out, &text);
}

static void
test_faults_of_a_caller_stick(void **state)
{
	struct error err;
	unsigned int i;

	(void)state;
	json_out_end(&out);			/* nothing is open */
	expect_fault(ERROR_USAGE);
	json_out_text(&out, "name", "outermost");
	expect_fault(ERROR_USAGE);
	json_out_array(&out, NULL);
	json_out_int(&out, "name", 1);
	expect_fault(ERROR_USAGE);
	json_out_object(&out, NULL);
	json_out_int(&out, NULL, 1);		/* no name */
	expect_fault(ERROR_USAGE);
	for (i = 0; i < JSON_OUT_DEPTH; i++)
		json_out_array(&out, NULL);
	assert_false(text.failed);
	json_out_array(&out, NULL);
	expect_fault(ERROR_USAGE);
	json_out_object(&out, NULL);		/* never ended */
	assert_int_equal(json_out_check(&out, &err), -1);
	assert_int_equal(err.code, ERROR_USAGE);
}

static void
test_a_full_buffer_is_told(void **state)
{
	(void)state;
	buf_release(&text);
	buf_init(&text, 10);
	json_out_object(&out, NULL);
	json_out_text(&out, "a", "more than ten");
	expect_fault(ERROR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_compact, begin, end),
		cmocka_unit_test_setup_teardown(test_numbers_at_their_ends, begin, end),
		cmocka_unit_test_setup_teardown(test_texts_and_names_are_escaped, begin, end),
		cmocka_unit_test_setup_teardown(test_what_does_not_show_is_escaped_if_asked, begin,
		    end),
		cmocka_unit_test_setup_teardown(test_pretty, begin, end),
		cmocka_unit_test_setup_teardown(test_rows_and_breaks, begin, end),
		cmocka_unit_test_setup_teardown(test_one_text_a_line_and_a_buffer_that_is_sent,
		    begin, end),
		cmocka_unit_test_setup_teardown(test_a_secret_stays_in_its_memory, begin, end),
		cmocka_unit_test_setup_teardown(test_faults_of_a_caller_stick, begin, end),
		cmocka_unit_test_setup_teardown(test_a_full_buffer_is_told, begin, end),
	};

	return cmocka_run_group_tests_name("json_out", tests, NULL, NULL);
}

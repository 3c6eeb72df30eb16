/* References in config values: api/reference_scan. */
#include "registry/api/body.h"
#include "unit.h"

/* All references of a text as "provider|path|key;", with "-" for no path. */
static const char *
scan(const char *text)
{
	static char out[1024];
	struct reference r;
	size_t at = 0, n = 0;

	out[0] = '\0';
	for (; reference_scan(text, strlen(text), at, &r); at = r.end) {
		assert_true(r.begin >= at && r.end > r.begin && r.end <= strlen(text));
		assert_memory_equal(text + r.begin, "${", 2);
		assert_int_equal(text[r.end - 1], '}');
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%.*s|%.*s|%.*s;",
		    (int)r.provider_len, r.provider, r.has_path ? (int)r.path_len : 1,
		    r.has_path ? r.path : "-", (int)r.key_len, r.key);
	}
	return out;
}

static void
finds_what_connect_finds(void **state)
{
	(void)state;
	assert_string_equal(scan("${secret:conn:key}"), "secret|conn|key;");
	assert_string_equal(scan("a${secret:conn:key}b${file:/x:y}c"),
	    "secret|conn|key;file|/x|y;");
	assert_string_equal(scan("${secret:key}"), "secret|-|key;");
	assert_string_equal(scan("${secret::key}"), "secret||key;");
	assert_string_equal(scan("${secret:a:b:c}"), "secret|a|b:c;");
	assert_string_equal(scan("${secret:a\nb:c d}"), "secret|a\nb|c d;");
	assert_string_equal(scan("${:}"), "|-|;");
}

static void
leaves_what_is_no_reference(void **state)
{
	(void)state;
	assert_string_equal(scan(""), "");
	assert_string_equal(scan("${secret:conn:key"), "");
	assert_string_equal(scan("${secret}"), "");
	assert_string_equal(scan("$secret:a:b}"), "");
	assert_string_equal(scan("${a} ${b} ${secret:c:d}"), "secret|c|d;");
	assert_string_equal(scan("}${secret:c:d}"), "secret|c|d;");
}

/* The first "${" before a '}' begins it, as with Kafka's regular expression. */
static void
begins_at_the_first_brace(void **state)
{
	(void)state;
	assert_string_equal(scan("${x${secret:a:b}"), "x${secret|a|b;");
	assert_string_equal(scan("$${secret:a:b}}"), "secret|a|b;");
}

static void
takes_a_text_in_one_go(void **state)
{
	size_t n = 4000000;
	char *text = malloc(n);
	struct reference r;

	(void)state;
	assert_non_null(text);
	/* Millions of beginnings and one end: not quadratic, or this never ends. */
	for (size_t i = 0; i < n; i += 2)
		memcpy(text + i, "${", 2);
	assert_false(reference_scan(text, n, 0, &r));
	text[n - 1] = '}';
	assert_false(reference_scan(text, n, 0, &r));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_connect_finds),
		cmocka_unit_test(leaves_what_is_no_reference),
		cmocka_unit_test(begins_at_the_first_brace),
		cmocka_unit_test(takes_a_text_in_one_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

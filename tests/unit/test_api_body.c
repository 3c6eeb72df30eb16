/* Bodies of requests: api/body. */
#include <jansson.h>

#include "registry/api/body.h"
#include "unit.h"

static const struct body_limits limits = { .secret_max = 16, .refuse_masks = true };

static char why[256];

static enum body_result
create(const char *text, struct body_create *out)
{
	why[0] = '\0';
	body_create_init(out);
	return body_create_parse(text, strlen(text), &limits, out, why, sizeof(why));
}

static void
expect(enum body_result result, const char *text)
{
	struct body_create b;

	if (create(text, &b) != result)
		fail_msg("%s: %s", text, why);
	if (result == BODY_OK)
		assert_string_equal(why, "");
	else
		assert_string_not_equal(why, "");
	body_create_release(&b);
}

static void
tells_bad_json_from_bad_members(void **state)
{
	static const char *const syntax[] = {
		"{\"secret\":", "{\"secret\":\"a\"} x", "{\"secret\":\"\\ud800\"}",
		"{\"secret\":\"\xff\"}", "{secret:1}", "nul", "{\"\\u0000\":1,\"secret\":\"a\"}",
	};
	static const char *const shape[] = {
		"", "  \n", "{}", "[]", "[\"secret\"]", "5", "\"secret\"", "null",
		"{\"secret\":null}", "{\"secret\":5}", "{\"secret\":[\"a\"]}", "{\"Secret\":\"a\"}",
	};
	static const char *const invalid[] = {
		"{\"secret\":\"a\",\"secret\":\"b\"}",
		"{\"secret\":\"a\",\"cas\":-1}", "{\"secret\":\"a\",\"cas\":\"1\"}",
		"{\"secret\":\"a\",\"cas\":1.5}", "{\"secret\":\"a\",\"cas\":1.0}",
		"{\"secret\":\"a\",\"cas\":null}", "{\"secret\":\"a\",\"cas\":true}",
		"{\"secret\":\"a\",\"cas\":2147483648}",
		"{\"secret\":\"a\",\"cas\":99999999999999999999}",
		"{\"secret\":\"a\",\"ttl\":0}", "{\"secret\":\"a\",\"ttl\":-5}",
		"{\"secret\":\"a\",\"ttl\":315360001}", "{\"secret\":\"a\",\"ttl\":\"5\"}",
		"{\"secret\":\"a\",\"metadata\":[]}", "{\"secret\":\"a\",\"metadata\":{\"n\":5}}",
		"{\"secret\":\"a\",\"metadata\":{\"\":\"v\"}}",
		"{\"secret\":\"***\"}", "{\"secret\":\"********\"}", "{\"secret\":\"[hidden]\"}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(syntax) / sizeof(syntax[0]); i++)
		expect(BODY_SYNTAX, syntax[i]);
	for (i = 0; i < sizeof(shape) / sizeof(shape[0]); i++)
		expect(BODY_SHAPE, shape[i]);
	for (i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		expect(BODY_INVALID, invalid[i]);
}

static void
takes_values_byte_for_byte(void **state)
{
	static const char text[] = "{\"x\":1,\"secret\":\"\\u0000\\n\\\"\\u00e9\\ud83d\\ude00\"}";
	static const char value[] = "\0\n\"\xc3\xa9\xf0\x9f\x98\x80";
	struct body_create b;

	(void)state;
	assert_int_equal(create(text, &b), BODY_OK);
	assert_int_equal(b.value.len, sizeof(value) - 1);
	assert_memory_equal(b.value.data, value, sizeof(value) - 1);
	assert_true(b.value.secret);
	assert_int_equal(b.cas, -1);
	assert_int_equal(b.ttl_ms, 0);
	assert_int_equal(b.custom.len, 0);
	body_create_release(&b);
	expect(BODY_OK, "{\"secret\":\"\"}");
	expect(BODY_OK, "{\"secret\":\"**\"}");
	expect(BODY_OK, "{\"secret\":\"***a\"}");
}

static void
counts_the_bytes_of_the_decoded_value(void **state)
{
	(void)state;
	expect(BODY_OK, "{\"secret\":\"0123456789abcdef\"}");
	expect(BODY_LARGE, "{\"secret\":\"0123456789abcdefg\"}");
	expect(BODY_OK, "{\"secret\":\"\\u0041\\u0041\\u0041\\u0041\"}");
	expect(BODY_LARGE, "{\"secret\":\"\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9"
	    "\\u00e9\\u00e9\"}");
}

static void
takes_the_other_members(void **state)
{
	struct body_create b;

	(void)state;
	assert_int_equal(create("{\"secret\":\"a\",\"cas\":0,\"ttl\":315360000,"
	    "\"metadata\":{\"z\":\"1\",\"a\":\"2\"}}", &b), BODY_OK);
	assert_int_equal(b.cas, 0);
	assert_true(b.ttl_ms == INT64_C(315360000000));
	assert_string_equal(buf_cstr(&b.custom), "{\"a\":\"2\",\"z\":\"1\"}");
	body_create_release(&b);
}

/* Metadata of ${count} entries, names of ${name} and values of ${value} bytes. */
static enum body_result
custom(size_t count, size_t name, size_t value)
{
	struct body_create b;
	enum body_result result;
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_append_str(&text, "{\"secret\":\"a\",\"metadata\":{");
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%s\"%0*zu\":\"%0*d\"", i > 0 ? "," : "", (int)name, i, (int)value,
		    1);
	buf_append_str(&text, "}}");
	result = create(buf_cstr(&text), &b);
	body_create_release(&b);
	buf_release(&text);
	return result;
}

static void
bounds_metadata(void **state)
{
	(void)state;
	assert_int_equal(custom(64, 128, 512), BODY_OK);
	assert_int_equal(custom(65, 2, 1), BODY_INVALID);
	assert_int_equal(custom(1, 129, 1), BODY_INVALID);
	assert_int_equal(custom(1, 1, 513), BODY_INVALID);
}

static void
survives_deep_nesting(void **state)
{
	struct body_create b;
	char *text = malloc(20001);

	(void)state;
	assert_non_null(text);
	memset(text, '[', 20000);
	text[20000] = '\0';
	assert_int_equal(create(text, &b), BODY_SYNTAX);
	body_create_release(&b);
	free(text);
}

static void
no_message_shows_the_body(void **state)
{
	static const char *const texts[] = {
		"{\"secret\":\"Mark3r\"", "Mark3r", "{\"secret\":\"Mark3r\" Mark3r}",
		"{\"secret\":[\"Mark3r\"]}", "{\"Mark3r\":1,\"Mark3r\":2}",
		"{\"secret\":\"a\",\"metadata\":{\"Mark3r\":5}}",
		"{\"secret\":\"Mark3rMark3rMark3rMark3r\"}",
	};
	struct body_create b;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_not_equal(create(texts[i], &b), BODY_OK);
		assert_null(strstr(why, "Mark3r"));
		body_create_release(&b);
	}
}

static enum body_result
metadata(const char *text, struct body_metadata *out)
{
	body_metadata_init(out);
	return body_metadata_parse(text, strlen(text), out, why, sizeof(why));
}

static void
reads_changes_of_metadata(void **state)
{
	static const char *const invalid[] = {
		"{}", "{\"cas\":1}", "{\"max_versions\":-1}", "{\"max_versions\":\"3\"}",
		"{\"max_versions\":1.5}", "{\"cas_required\":1}", "{\"cas_required\":null}",
		"{\"metadata\":\"a\"}", "{\"max_versions\":3,\"cas\":-1}",
	};
	struct body_metadata b;

	(void)state;
	assert_int_equal(metadata("{\"max_versions\":3,\"cas_required\":true,\"cas\":2,"
	    "\"metadata\":{}}", &b), BODY_OK);
	assert_true(b.has_max_versions && b.max_versions == 3);
	assert_true(b.has_cas_required && b.cas_required);
	assert_int_equal(b.cas, 2);
	assert_string_equal(buf_cstr(&b.custom), "{}");
	body_metadata_release(&b);
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		assert_int_equal(metadata(invalid[i], &b), BODY_INVALID);
		body_metadata_release(&b);
	}
	assert_int_equal(metadata("[]", &b), BODY_SHAPE);
	body_metadata_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_bad_json_from_bad_members),
		cmocka_unit_test(takes_values_byte_for_byte),
		cmocka_unit_test(counts_the_bytes_of_the_decoded_value),
		cmocka_unit_test(takes_the_other_members),
		cmocka_unit_test(bounds_metadata),
		cmocka_unit_test(survives_deep_nesting),
		cmocka_unit_test(no_message_shows_the_body),
		cmocka_unit_test(reads_changes_of_metadata),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

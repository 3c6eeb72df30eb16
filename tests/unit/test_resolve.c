#include "secrets/reference.h"
#include "estate_fixture.h"

/* What is found in a value: `provider|path|name` each, `-` for no path. */
static void
assert_finds(const char *value, const char *found)
{
	struct reference r;
	size_t start, end = 0, n = strlen(value);
	struct buf out;

	buf_init(&out, 4096);
	while (resolve_next(value, n, end, &r, &start, &end)) {
		buf_append_char(&out, '[');
		buf_append(&out, r.provider, r.provider_len);
		buf_append_char(&out, '|');
		if (r.path == NULL)
			buf_append_char(&out, '-');
		else
			buf_append(&out, r.path, r.path_len);
		buf_append_char(&out, '|');
		buf_append(&out, r.name, r.name_len);
		buf_append_char(&out, ']');
		assert_true(end <= n && start + 4 <= end);
		assert_memory_equal(value + start, "${", 2);
		assert_int_equal(value[end - 1], '}');
	}
	assert_string_equal(buf_cstr(&out), found);
	buf_release(&out);
}

/* As java.util.regex finds them with the pattern of ConfigTransformer. */
static void
test_references_are_found_where_kafka_finds_them(void **state)
{
	(void)state;
	assert_finds("", "");
	assert_finds("$", "");
	assert_finds("${", "");
	assert_finds("${a}", "");
	assert_finds("${a:b", "");
	assert_finds("${a:b}", "[a|-|b]");
	assert_finds("${a:b:c}", "[a|b|c]");
	assert_finds("${a:b:c:d}", "[a|b|c:d]");
	assert_finds("${:}", "[|-|]");
	assert_finds("${::}", "[||]");
	assert_finds("x${a:b}y${c:d:e}z", "[a|-|b][c|d|e]");
	assert_finds("${a}${b:c}", "[b|-|c]");
	assert_finds("${a ${b:c}", "[a ${b|-|c]");
	assert_finds("$${a:b}}", "[a|-|b]");
	assert_finds("${a:b}${c", "[a|-|b]");
	assert_finds("${a\n:b}", "[a\n|-|b]");
	assert_finds("${{a:b}", "[{a|-|b]");
	assert_finds("{a:b}", "");
	assert_finds("$ {a:b}", "");
}

static int
resolve(const struct secrets_file *s, const char *value, struct buf *out, size_t *others,
    struct error *err)
{
	buf_init_secret(out, 4096);
	return resolve_value(s, NULL, value, strlen(value), out, others, err);
}

static void
assert_resolves(const struct secrets_file *s, const char *value, const char *to, size_t others)
{
	struct error err;
	struct buf out;
	size_t count = 99;

	if (resolve(s, value, &out, &count, &err) != 0)
		fail_msg("%s", err.text);
	assert_holds(&out, to);
	assert_int_equal(count, others);
	buf_release(&out);
}

#define KEYSTORE OURS("server.properties/ssl.keystore.password")

/* As an empty buffer has it. */
static void
test_no_value_has_no_reference(void **state)
{
	struct reference r;
	size_t start, end = 0;

	(void)state;
	assert_false(resolve_next(NULL, 0, 0, &r, &start, &end));
	assert_false(resolve_finds_ours(NULL, 0));
}

static void
test_ours_are_replaced_and_others_stay(void **state)
{
	struct secrets_file *s = fixture_unlocked(MODERN, MODERN_MASTER);

	(void)state;
	assert_resolves(s, "", "", 0);
	assert_resolves(s, "plain", "plain", 0);
	assert_resolves(s, KEYSTORE, MODERN_KEYSTORE, 0);
	assert_resolves(s, "u=\"" KEYSTORE "\" p=" KEYSTORE ";", "u=\"" MODERN_KEYSTORE "\" p="
	    MODERN_KEYSTORE ";", 0);
	assert_resolves(s, "${vault:a:b} " KEYSTORE "${env:X}", "${vault:a:b} " MODERN_KEYSTORE
	    "${env:X}", 2);
	/* The path is where the service has the file: it is not looked at. */
	assert_resolves(s, "${securepass:/elsewhere:client.properties/basic.auth.password}",
	    MODERN_CLIENT, 0);
	assert_resolves(s, "${securepass:client.properties/basic.auth.password}", MODERN_CLIENT,
	    0);
	secrets_file_free(s);
}

static void
test_what_a_reference_stands_for_is_not_searched_again(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "x=1\n");
	assert_int_equal(world_seal_value(&w, "x.password", "a " KEYSTORE, false), 0);
	world_apply(&w);
	assert_int_equal(secrets_file_unlock(w.s, w.master, NULL), 0);
	assert_resolves(w.s, "[" OURS("server.properties/x.password") "]", "[a " KEYSTORE "]", 0);
	world_close(&w);
}

static void
test_names_with_backslashes_are_found_without(void **state)
{
	struct secrets_file *s = fixture_unlocked(MODERN, MODERN_MASTER);

	(void)state;
	assert_resolves(s, OURS("server.properties/ssl\\.keystore\\.password"), MODERN_KEYSTORE,
	    0);
	secrets_file_free(s);
}

static void
test_dangling_and_damaged_are_told_apart(void **state)
{
	struct secrets_file *s = fixture_unlocked(MODERN "server.properties/bad = ENC[x]\n",
	    MODERN_MASTER);
	struct error err;
	struct buf out;

	(void)state;
	assert_int_equal(resolve(s, KEYSTORE OURS("server.properties/nope"), &out, NULL, &err),
	    -1);
	assert_int_equal(err.code, ERROR_MISSING);
	assert_string_equal(err.key, "server.properties/nope");
	buf_release(&out);
	assert_int_equal(resolve(s, OURS("server.properties/bad"), &out, NULL, &err), -1);
	assert_int_equal(err.code, ERROR_DAMAGED);
	assert_string_equal(err.file, "secrets.properties");
	buf_release(&out);
	secrets_file_lock(s);
	assert_int_equal(resolve(s, KEYSTORE, &out, NULL, &err), -1);
	assert_int_equal(err.code, ERROR_KEY);
	buf_release(&out);
	secrets_file_free(s);
}

/* Long values without an end to their references cost one look. */
static void
test_unclosed_references_are_passed_over_at_once(void **state)
{
	struct secrets_file *s = fixture_unlocked(MODERN, MODERN_MASTER);
	struct buf value, out;

	(void)state;
	buf_init(&value, 4 << 20);
	buf_init_secret(&out, 8 << 20);
	for (size_t i = 0; i < 500000; i++)
		buf_append_str(&value, "${");
	assert_int_equal(resolve_value(s, NULL, (const char *)value.data, value.len, &out, NULL, NULL),
	    0);
	assert_int_equal(out.len, value.len);
	for (size_t i = 0; i < 100000; i++)
		buf_append_str(&value, "}${");
	buf_clear(&out);
	assert_int_equal(resolve_value(s, NULL, (const char *)value.data, value.len, &out, NULL, NULL),
	    0);
	assert_int_equal(out.len, value.len);
	buf_release(&out);
	buf_release(&value);
	secrets_file_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references_are_found_where_kafka_finds_them),
		cmocka_unit_test(test_no_value_has_no_reference),
		cmocka_unit_test(test_ours_are_replaced_and_others_stay),
		cmocka_unit_test(test_what_a_reference_stands_for_is_not_searched_again),
		cmocka_unit_test(test_names_with_backslashes_are_found_without),
		cmocka_unit_test(test_dangling_and_damaged_are_told_apart),
		cmocka_unit_test(test_unclosed_references_are_passed_over_at_once)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

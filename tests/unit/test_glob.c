/* Patterns: base/glob, and the two that use them: secrets/rules, estate/scope. */
#include "base/text.h"
#include "document/document.h"
#include "document/scope.h"
#include "document/jaas.h"
#include "secrets/rules.h"
#include "unit.h"

static bool
match(const char *pattern, const char *text, unsigned int flags)
{
	return glob_match(pattern, text, strlen(text), flags);
}

static void
matches_what_a_shell_matches(void **state)
{
	static const struct {
		const char *pattern, *text;
		unsigned int flags;
	} yes[] = {
		{ "", "", 0 }, { "*", "", 0 }, { "*", "anything", 0 }, { "a*", "a", 0 },
		{ "*.json", "x.json", 0 }, { "a?c", "abc", 0 }, { "?", "\xc3\xa9", 0 },
		{ "?", "\xff", 0 }, { "[abc]", "b", 0 }, { "[a-f]x", "dx", 0 }, { "[!a-f]", "g", 0 },
		{ "[]]", "]", 0 }, { "[a-]", "-", 0 }, { "[", "[", 0 }, { "a[b", "a[b", 0 },
		{ "\\*", "*", 0 }, { "a\\", "a\\", 0 }, { "*a*b*", "xxaxxbxx", 0 },
		{ "*abab", "ababab", 0 }, { "ABC", "abc", GLOB_NOCASE },
		{ "[A-C]*", "b", GLOB_NOCASE }, { "a*c", "a/b/c", 0 },
		{ "*/c", "b/c", GLOB_PATH }, { "[!a]", "/", 0 },
	};
	static const struct {
		const char *pattern, *text;
		unsigned int flags;
	} no[] = {
		{ "", "a", 0 }, { "a", "", 0 }, { "?", "", 0 }, { "a?c", "ac", 0 },
		{ "*.json", "x.jso", 0 }, { "[abc]", "d", 0 }, { "[!a-f]", "b", 0 },
		{ "\\*", "a", 0 }, { "ABC", "abc", 0 }, { "a*c", "a/b/c", GLOB_PATH },
		{ "?", "/", GLOB_PATH }, { "[!a]", "/", GLOB_PATH }, { "*abab", "ababa", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!match(yes[i].pattern, yes[i].text, yes[i].flags))
			fail_msg("%s does not match %s", yes[i].pattern, yes[i].text);
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (match(no[i].pattern, no[i].text, no[i].flags))
			fail_msg("%s matches %s", no[i].pattern, no[i].text);
}

static void
looks_at_no_byte_behind_the_text(void **state)
{
	char *text = malloc(3);

	(void)state;
	/* The sanitizers and valgrind tell. */
	memcpy(text, "ab\xc3", 3);
	assert_false(glob_match("abcd", text, 3, 0));
	assert_true(glob_match("ab?", text, 3, 0));
	assert_true(glob_match("*", text, 3, 0));
	assert_false(glob_match("*x", text, 3, 0));
	free(text);
}

static void
a_nul_is_a_character_like_others(void **state)
{
	(void)state;
	assert_true(glob_match("a*b", "a\0b", 3, 0));
	assert_true(glob_match("a?b", "a\0b", 3, 0));
	assert_false(glob_match("a", "a\0b", 3, 0));
}

static void
many_stars_are_not_exponential(void **state)
{
	char text[2000];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text, sizeof(text), 0));
}

static bool
secret(const struct rules *r, const char *key)
{
	return rules_sensitive(r, key, strlen(key));
}

static bool
taken(const struct rules *r, const char *key)
{
	return rules_by_default(r, key, strlen(key));
}

static void
no_rules_are_the_built_in_ones(void **state)
{
	struct rules *r = rules_new(NULL);
	const struct rules *both[] = { NULL, r };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_true(secret(both[i], "ssl.key.password"));
		assert_true(secret(both[i], "sasl.jaas.config"));
		assert_false(secret(both[i], "listeners"));
		assert_true(taken(both[i], "ssl.key.PassWord"));
		assert_false(taken(both[i], "sasl.jaas.config"));
		assert_false(rules_has_secret(both[i]));
	}
	rules_free(r);
	rules_free(NULL);
}

static void
rules_add_and_take_out(void **state)
{
	struct rules *r = rules_new(NULL);

	(void)state;
	assert_int_equal(rules_add_secret(r, "webhook.url", NULL), 0);
	assert_int_equal(rules_add_secret(r, "vendor.*.pin", NULL), 0);
	assert_int_equal(rules_add_public(r, "password.policy", NULL), 0);
	assert_int_equal(rules_add_public(r, "test.*", NULL), 0);
	assert_true(rules_has_secret(r));
	/* An ending, in any case; a pattern is held against the whole key. */
	assert_true(secret(r, "webhook.url"));
	assert_true(secret(r, "alert.WebHook.URL"));
	assert_false(secret(r, "webhook.url.timeout"));
	assert_true(secret(r, "vendor.a.b.PIN"));
	assert_false(secret(r, "my.vendor.a.pin"));
	assert_true(taken(r, "vendor.a.pin"));
	/* What is public is so whatever else says. */
	assert_false(secret(r, "new.password.policy"));
	assert_false(taken(r, "new.password.policy"));
	assert_false(secret(r, "test.ssl.key.password"));
	assert_true(secret(r, "ssl.key.password"));
	rules_free(r);
}

static void
backslashes_of_a_json_path_count_for_nothing(void **state)
{
	struct rules *r = rules_new(NULL);

	(void)state;
	assert_int_equal(rules_add_secret(r, "webhook.url", NULL), 0);
	assert_int_equal(rules_add_public(r, "config.*.hint", NULL), 0);
	assert_true(secret(r, "config.alert\\.webhook\\.url"));
	assert_false(secret(r, "config.alert\\.password\\.hint"));
	assert_true(secret(r, "config.alert\\.password"));
	rules_free(r);
}

static void
options_of_jaas_are_keys_like_others(void **state)
{
	static const char value[] = "a.Login required user=\"u\" pin=\"1\" password=\"p\";";
	struct jaas *j = jaas_parse(value, strlen(value), NULL);
	struct rules *r = rules_new(NULL);
	size_t i;

	(void)state;
	assert_non_null(j);
	assert_int_equal(jaas_count(j), 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(rules_option(NULL, j, i, "k.jaas", 6), i == 2);
		assert_int_equal(rules_option(r, j, i, "k.jaas", 6), i == 2);
	}
	assert_int_equal(rules_add_secret(r, "/pin", NULL), 0);
	assert_int_equal(rules_add_public(r, "k.jaas/a.*/password", NULL), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(rules_option(r, j, i, "k.jaas", 6), i == 1);
	rules_free(r);
	jaas_free(j);
}

static void
scope_takes_names_and_ends_of_paths(void **state)
{
	struct scope *s = scope_new(NULL);

	(void)state;
	assert_true(scope_takes_file(NULL, "a/b.properties"));
	assert_true(scope_takes_file(NULL, "a/b.json"));
	assert_false(scope_takes_file(NULL, "a/b.txt"));
	assert_true(scope_takes_file(s, "a/b.properties"));
	assert_int_equal(scope_add_pattern(s, "server*", NULL), 0);
	assert_int_equal(scope_add_pattern(s, "connect/*.properties", NULL), 0);
	assert_int_equal(scope_add_ignored(s, "server-old.properties", NULL), 0);
	assert_int_equal(scope_add_ignored(s, "target/", NULL), 0);
	assert_true(scope_takes_file(s, "server.properties"));
	assert_true(scope_takes_file(s, "/etc/kafka/server.properties"));
	assert_false(scope_takes_file(s, "/etc/kafka/client.properties"));
	assert_false(scope_takes_file(s, "/etc/kafka/server-old.properties"));
	assert_false(scope_takes_file(s, "server.txt"));
	assert_true(scope_takes_file(s, "/etc/connect/x.properties"));
	assert_true(scope_takes_file(s, "connect/x.properties"));
	assert_false(scope_takes_file(s, "connect/deep/x.properties"));
	assert_false(scope_takes_file(s, "disconnect/x.properties"));
	assert_false(scope_takes_folder(s, "a/target"));
	assert_true(scope_takes_folder(s, "a/targets"));
	assert_true(scope_takes_folder(NULL, "a/target"));
	assert_ptr_equal(scope_format(s, "a.properties"), &document_properties);
	assert_null(scope_format(s, "client.config"));
	assert_int_equal(scope_add_pattern(s, "conf/*.config=properties", NULL), 0);
	assert_int_equal(scope_add_pattern(s, "a=b", NULL), 0);
	assert_int_equal(scope_add_pattern(s, "*.tpl=json", NULL), 0);
	assert_ptr_equal(scope_format(s, "/x/conf/client.config"), &document_properties);
	assert_null(scope_format(s, "client.config"));
	assert_true(scope_takes_file(s, "conf/client.config"));
	assert_ptr_equal(scope_format(s, "a.properties.tpl"), &document_json);
	assert_null(scope_format(s, "a"));
	assert_false(scope_takes_file(s, "a=b"));
	scope_set_format(s, &document_json);
	assert_ptr_equal(scope_format(s, "client.config"), &document_json);
	scope_free(s);
	scope_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_what_a_shell_matches),
		cmocka_unit_test(looks_at_no_byte_behind_the_text),
		cmocka_unit_test(a_nul_is_a_character_like_others),
		cmocka_unit_test(many_stars_are_not_exponential),
		cmocka_unit_test(no_rules_are_the_built_in_ones),
		cmocka_unit_test(rules_add_and_take_out),
		cmocka_unit_test(backslashes_of_a_json_path_count_for_nothing),
		cmocka_unit_test(options_of_jaas_are_keys_like_others),
		cmocka_unit_test(scope_takes_names_and_ends_of_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

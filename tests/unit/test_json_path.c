#include "document/json_path.h"
#include "document_support.h"

static void
assert_parts(const char *path, const char *want, enum json_part_kind last)
{
	struct json_part part = { 0 };
	char got[200] = "";
	size_t at = 0;
	size_t n = 0;

	while (json_path_next(path, strlen(path), &at, &part)) {
		n += (size_t)snprintf(got + n, sizeof(got) - n, "<%.*s>", (int)part.len, part.text);
	}
	assert_string_equal(got, want);
	assert_int_equal(part.kind, last);
}

/* As an empty buffer has it: one part, without a name. */
static void
test_no_path_is_one_empty_part(void **state)
{
	struct json_part part;
	size_t at = 0;

	(void)state;
	assert_true(json_path_next(NULL, 0, &at, &part));
	assert_int_equal(part.len, 0);
	assert_false(json_path_next(NULL, 0, &at, &part));
}

static void
test_a_path_is_cut_at_its_dots(void **state)
{
	(void)state;
	assert_parts("a", "<a>", JSON_PART_NAME);
	assert_parts("a.b.0", "<a><b><0>", JSON_PART_NAME);
	assert_parts("a\\.b.c\\\\.d", "<a\\.b><c\\\\><d>", JSON_PART_NAME);
	assert_parts("", "<>", JSON_PART_NAME);
	assert_parts(".", "<><>", JSON_PART_NAME);
	assert_parts("a.", "<a><>", JSON_PART_NAME);
	assert_parts("a.#", "<a><#>", JSON_PART_EACH);
	assert_parts("a.\\#", "<a><\\#>", JSON_PART_NAME);
	assert_parts("a.#b", "<a><#b>", JSON_PART_NAME);
	assert_parts("a.b*", "<a><b*>", JSON_PART_PATTERN);
	assert_parts("a.?", "<a><?>", JSON_PART_PATTERN);
	assert_parts("a.\\*\\?", "<a><\\*\\?>", JSON_PART_NAME);
	assert_parts("a.b@c!d{e[f:", "<a><b@c!d{e[f:>", JSON_PART_NAME);
	assert_parts("a.:1", "<a><:1>", JSON_PART_NAME);
	assert_parts("@a", "<@a>", JSON_PART_REFUSED);
	assert_parts("a.!b", "<a><!b>", JSON_PART_REFUSED);
	assert_parts("{a", "<{a>", JSON_PART_REFUSED);
	assert_parts("[a", "<[a>", JSON_PART_REFUSED);
	assert_parts("#(a", "<#(a>", JSON_PART_REFUSED);
	assert_parts("#[a", "<#[a>", JSON_PART_REFUSED);
	assert_parts("a|b*", "<a|b*>", JSON_PART_REFUSED);
	assert_parts("a\\|b", "<a\\|b>", JSON_PART_NAME);
	assert_parts("a\\", "<a\\>", JSON_PART_REFUSED);
}

static void
test_plain_paths_name_one_value(void **state)
{
	static const char *const plain[] = { "", "a", "a.0.b", "@this", "\\@this", "a.b\\*" };
	static const char *const other[] = { "a.#", "a.*.b", "@this.a", "a.@this", "a|b", "a.b\\" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		assert_true(json_path_is_plain(plain[i], strlen(plain[i])));
	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		assert_false(json_path_is_plain(other[i], strlen(other[i])));
}

static void
test_names_come_back_from_their_escapes(void **state)
{
	static const char alphabet[] = "ab.\\*?|#@!{[:\"\n\xc3\xa9\xff";
	struct json_part part;
	struct buf path, name, again;
	uint64_t seed = 11;
	char text[12];
	size_t i, k, n, at;

	(void)state;
	buf_init(&path, 1000);
	buf_init(&name, 1000);
	buf_init(&again, 1000);
	for (i = 0; i < 20000; i++) {
		n = random_below(&seed, sizeof(text));
		for (k = 0; k < n; k++)
			text[k] = alphabet[random_below(&seed, sizeof(alphabet))];
		buf_clear(&path);
		buf_clear(&name);
		buf_clear(&again);
		json_path_escape(&path, text, n);
		at = 0;
		assert_true(json_path_next(buf_cstr(&path), path.len, &at, &part));
		assert_int_equal(part.kind, JSON_PART_NAME);
		assert_int_equal(part.len, path.len);
		json_path_unescape(&name, &part);
		assert_int_equal(name.len, n);
		assert_memory_equal(buf_cstr(&name), text, n);
		json_path_canonical(&again, buf_cstr(&path), path.len);
		assert_int_equal(again.len, path.len);
		assert_memory_equal(buf_cstr(&again), path.data, path.len);
		assert_true(json_path_fits(&part, &part));
	}
	buf_release(&again);
	buf_release(&name);
	buf_release(&path);
}

static void
assert_canonical(const char *path, const char *want)
{
	struct buf out;

	buf_init(&out, 1000);
	json_path_canonical(&out, path, strlen(path));
	assert_string_equal(buf_cstr(&out), want);
	buf_release(&out);
}

static void
test_there_is_one_canonical_spelling(void **state)
{
	(void)state;
	assert_canonical("a.b", "a.b");
	assert_canonical("\\a.\\b", "a.b");
	assert_canonical("a@b.c#", "a\\@b.c\\#");
	assert_canonical("a\\:.\\:", "a:.\\:");
	assert_canonical(":a", "\\:a");
	assert_canonical("a\\.b\\\\", "a\\.b\\\\");
	assert_canonical("a\\!\\{", "a!{");
	assert_canonical("", "");
	assert_canonical("..", "..");
	assert_canonical("@this", "@this");
	assert_canonical("\\@this", "\\@this");
}

static bool
equal(const char *a, const char *b)
{
	struct buf x, y;
	bool same;

	buf_init(&x, 4096);
	buf_init(&y, 4096);
	json_path_canonical(&x, a, strlen(a));
	json_path_canonical(&y, b, strlen(b));
	same = strcmp(buf_cstr(&x), buf_cstr(&y)) == 0;
	buf_release(&x);
	buf_release(&y);
	return same;
}

static void
test_paths_are_compared_by_meaning(void **state)
{
	(void)state;
	assert_true(equal("a.b", "a.b"));
	assert_true(equal("\\a.b", "a.\\b"));
	assert_true(equal("a@b", "a\\@b"));
	assert_true(equal("", ""));
	assert_true(equal("@this", "@this"));
	assert_false(equal("@this", "\\@this"));
	assert_false(equal("a.b", "a\\.b"));
	assert_false(equal("a", "a."));
	assert_false(equal("a.b", "a.b.c"));
	assert_false(equal("a", "b"));
	assert_false(equal("a", ""));
	assert_false(equal("", "."));
}

static bool
fits(const char *pattern, const char *name)
{
	const struct json_part a = { .text = pattern, .len = strlen(pattern) };
	const struct json_part b = { .text = name, .len = strlen(name) };

	return json_path_fits(&a, &b);
}

static void
test_patterns_fit_names(void **state)
{
	static const char *const yes[][2] = {
		{ "", "" }, { "*", "" }, { "*", "abc" }, { "a*c", "ac" }, { "a*c", "abcbc" },
		{ "*a*b*", "xxaxxbxx" }, { "***", "a" }, { "?", "a" }, { "?", "\xf0\x9f\x98\x80" },
		{ "a?c", "a\\.c" }, { "a*", "a\\*" }, { "a\\*", "a\\*" }, { "*password", "db\\.password" },
		{ "*ab", "aaab" }, { "?*", "x" }, { "\\a", "a" }
	};
	static const char *const no[][2] = {
		{ "", "a" }, { "a", "" }, { "?", "" }, { "??", "\xc3\xa9" }, { "a*c", "abcd" },
		{ "a\\*", "ab" }, { "\\?", "a" }, { "*a", "ab" }, { "a*b*c", "acb" }, { "?*", "" }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!fits(yes[i][0], yes[i][1]))
			fail_msg("%s does not fit %s", yes[i][0], yes[i][1]);
	}
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (fits(no[i][0], no[i][1]))
			fail_msg("%s fits %s", no[i][0], no[i][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_path_is_one_empty_part),
		cmocka_unit_test(test_a_path_is_cut_at_its_dots),
		cmocka_unit_test(test_plain_paths_name_one_value),
		cmocka_unit_test(test_names_come_back_from_their_escapes),
		cmocka_unit_test(test_there_is_one_canonical_spelling),
		cmocka_unit_test(test_paths_are_compared_by_meaning),
		cmocka_unit_test(test_patterns_fit_names)
	};

	return cmocka_run_group_tests_name("json-path", tests, NULL, NULL);
}

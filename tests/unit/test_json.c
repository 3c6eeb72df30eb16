#include "base/vec.h"
#include "document/document.h"
#include "document/json_internal.h"
#include "json_support.h"

static void
test_values_are_listed_by_path_in_the_order_of_the_file(void **state)
{
	struct document *d = parse_json_text("{\"name\": \"c\", \"config\": {\"connection.password\": "
	    "\"p\", \"n\": 1.50}, \"users\": [{\"pw\": true}, {\"pw\": null}, [], {}, \"x\"], "
	    "\"\": {\"\": false}}");

	(void)state;
	assert_int_equal(document_problem(d, NULL), 0);
	assert_int_equal(document_count(d), 7);
	assert_entry(d, 0, "name", "c");
	assert_entry(d, 1, "config.connection\\.password", "p");
	assert_entry(d, 2, "config.n", "1.50");
	assert_entry(d, 3, "users.0.pw", "true");
	assert_entry(d, 4, "users.1.pw", "");
	assert_entry(d, 5, "users.4", "x");
	assert_entry(d, 6, ".", "false");
	document_free(d);
}

static void
test_names_are_escaped_in_paths(void **state)
{
	static const struct { const char *name, *key; } cases[] = {
		{ "a b-c_d/e:f", "a b-c_d/e:f" }, { "a.b", "a\\.b" }, { "a*b?c|d", "a\\*b\\?c\\|d" },
		{ "\\\\", "\\\\" }, { "a\\u002eb", "a\\.b" }, { "user@host#1", "user\\@host\\#1" },
		{ "@this", "\\@this" }, { "#", "\\#" }, { "!a!", "\\!a!" }, { "{a{", "\\{a{" },
		{ "[a[", "\\[a[" }, { ":1:", "\\:1:" }, { "\\\"\\n", "\"\n" },
		{ "\\ud83d\\ude00\\u00e9", "\xf0\x9f\x98\x80\xc3\xa9" }, { "\\ude00", "\xed\xb8\x80" },
		{ "\xff", "\xff" }
	};
	struct document *d;
	char text[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{\"%s\":1,\"x\":{\"%s\":2}}", cases[i].name,
		    cases[i].name);
		d = parse_json_text(text);
		assert_entry(d, 0, cases[i].key, "1");
		assert_int_equal(find_path(d, cases[i].key), 0);
		snprintf(text, sizeof(text), "x.%s", cases[i].key);
		assert_entry(d, 1, text, "2");
		assert_int_equal(find_path(d, text), 1);
		document_free(d);
	}
}

static void
test_values_read_as_text(void **state)
{
	static const struct { const char *json, *value; } cases[] = {
		{ "\"\"", "" }, { "\"a b\"", "a b" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
		{ "\"x\\u00e9\\n\\\"q\\\\ \\ud83d\\ude00\"", "x\xc3\xa9\n\"q\\ \xf0\x9f\x98\x80" },
		{ "\"\\uD83D\"", "\xed\xa0\xbd" }, { "\"\\uDe00\\uD83d\"", "\xed\xb8\x80\xed\xa0\xbd" },
		{ "\"\\uD83D\\u0041\"", "\xed\xa0\xbd" "A" }, { "\"\\ud83d\\n\"", "\xed\xa0\xbd\n" },
		{ "\"\x7f\xff\xc3\"", "\x7f\xff\xc3" }, { "12345678901234567890", "12345678901234567890" },
		{ "-0", "-0" }, { "1.50", "1.50" }, { "1E+05", "1E+05" }, { "0.0e-1", "0.0e-1" },
		{ "true", "true" }, { "false", "false" }, { "null", "" }
	};
	struct document *d;
	char text[100];
	const unsigned char *raw;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), " [ %s ] ", cases[i].json);
		d = parse_json_text(text);
		assert_int_equal(document_problem(d, NULL), 0);
		assert_int_equal(document_count(d), 1);
		assert_entry(d, 0, "0", cases[i].value);
		raw = document_raw_value(d, 0, &n);
		assert_int_equal(n, strlen(cases[i].json));
		assert_memory_equal(raw, cases[i].json, n);
		assert_false(document_value_is(d, 0, "other", 5));
		document_free(d);
		d = parse_json_text(cases[i].json);
		assert_entry(d, 0, "@this", cases[i].value);
		document_free(d);
	}
}

static void
test_nul_is_a_character(void **state)
{
	struct document *d = parse_json_text("{\"a\\u0000\":\"b\\u0000c\"}");

	(void)state;
	assert_true(key_is(d, 0, "a\0", 2));
	assert_true(value_is(d, 0, "b\0c", 3));
	assert_int_equal(document_find(d, "a\0", 2), 0);
	assert_int_equal(document_find(d, "a", 1), DOCUMENT_NONE);
	document_free(d);
}

static void
test_lines_are_counted(void **state)
{
	static const size_t lines[] = { 2, 3, 4, 6, 7 };
	struct document *d = parse_json_text("\n{\"a\"\n:1,\"b\":2,\r\n\"c\":\"\\n\",\r\r\"d\":[3,\n4]}");
	struct document *crlf = parse_json_text("{\r\n\r\n\"a\":1}");
	size_t i;

	(void)state;
	/* "b" stands on the third line, where the value of "a" is. */
	assert_int_equal(document_count(d), 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(document_line(d, i), lines[i]);
	assert_int_equal(document_line(d, find_path(d, "d")), 6);
	assert_int_equal(document_line(crlf, 0), 3);
	document_free(crlf);
	document_free(d);
}

static void
test_the_last_of_a_path_wins(void **state)
{
	struct document *d = parse_json_text("{\"a\":1,\"b\":{\"c\":2,\"c\":3},\"a\":4,\"b\":{\"c\":5,"
	    "\"d\":6}}");

	(void)state;
	assert_int_equal(document_count(d), 6);
	assert_int_equal(find_path(d, "a"), 3);
	assert_int_equal(find_path(d, "b.c"), 4);
	assert_true(document_shadowed(d, 0));
	assert_true(document_shadowed(d, 1));
	assert_true(document_shadowed(d, 2));
	assert_false(document_shadowed(d, 3));
	assert_false(document_shadowed(d, 4));
	assert_int_equal(document_previous(d, 4), 2);
	assert_int_equal(document_previous(d, 2), 1);
	assert_int_equal(document_previous(d, 1), DOCUMENT_NONE);
	assert_int_equal(document_previous(d, 3), 0);
	assert_true(document_shadowed(d, document_previous(d, find_path(d, "b"))));
	document_free(d);
}

static void
test_objects_and_values_of_one_path_hide_each_other(void **state)
{
	struct document *d = parse_json_text("{\"a\":1,\"a\":{\"b\":2},\"c\":[3],\"c\":4}");
	size_t a = find_path(d, "a");

	(void)state;
	assert_true(document_is_container(d, a));
	assert_true(document_shadowed(d, 0));
	assert_int_equal(document_previous(d, a), 0);
	assert_int_equal(find_path(d, "c"), 3);
	assert_true(document_is_container(d, document_previous(d, 3)));
	assert_true(document_shadowed(d, document_previous(d, 3)));
	document_free(d);
}

static void
test_objects_and_arrays_are_found_but_not_listed(void **state)
{
	static const char text[] = "\xef\xbb\xbf{\"o\": {\"k\":[1, 2]}, \"e\": {} }\n";
	static const struct { const char *path, *value; enum json_type type; } cases[] = {
		{ "o", "{\"k\":[1, 2]}", JSON_OBJECT },
		{ "o.k", "[1, 2]", JSON_ARRAY }, { "e", "{}", JSON_OBJECT },
		{ "@this", "{\"o\": {\"k\":[1, 2]}, \"e\": {} }", JSON_OBJECT }
	};
	struct document *d = parse_json_text(text);
	size_t i, x;

	(void)state;
	assert_int_equal(document_count(d), 2);
	assert_false(document_is_container(d, 1));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		x = find_path(d, cases[i].path);
		assert_true(x != DOCUMENT_NONE && document_is_container(d, x));
		assert_true(key_is(d, x, cases[i].path, strlen(cases[i].path)));
		assert_true(value_is(d, x, cases[i].value, strlen(cases[i].value)));
		assert_int_equal(json_type(d, x), cases[i].type);
		assert_int_equal(document_line(d, x), 1);
	}
	document_free(d);
}

static void
test_types(void **state)
{
	static const enum json_type types[] = {
		JSON_STRING, JSON_NUMBER, JSON_NUMBER,
		JSON_BOOLEAN, JSON_BOOLEAN, JSON_NULL
	};
	struct document *d = parse_json_text("[\"1\",1,-1,true,false,null]");
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++)
		assert_int_equal(json_type(d, i), types[i]);
	document_free(d);
}

static void
test_a_path_is_found_in_any_spelling(void **state)
{
	static const char *const none[] = {
		"a", "a.b", "a.b\\", "A.b\\.c", "a.b\\.c.d", "a.", ".a", "a|b\\.c", "a.*", "a.b?c", "#",
		"l.#", "l.2", "l.01", "@this.a", "", "*", "l.#(x=1)"
	};
	struct document *d = parse_json_text("{\"q\":{\"b.c\":1,\"u@h\":2},\"l\":[3,4]}");
	size_t i;

	(void)state;
	assert_int_equal(find_path(d, "q.b\\.c"), 0);
	assert_int_equal(find_path(d, "\\q.\\b\\.\\c"), 0);
	assert_int_equal(find_path(d, "q.u@h"), 1);
	assert_int_equal(find_path(d, "q.u\\@h"), 1);
	assert_int_equal(find_path(d, "l.\\1"), 3);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_true(find_path(d, none[i]) == DOCUMENT_NONE);
	document_free(d);
}

static void
test_problems_have_a_place(void **state)
{
	/* Column 0: it would tell the length of a value before it, whose name is told. */
	static const struct { const char *json; size_t line, column; const char *text; } cases[] = {
		{ "", 1, 1, "there is no JSON value" },
		{ " \n ", 2, 2, "there is no JSON value" },
		{ "{\"a\":\"keystore-S3cret!\"", 1, 0, "the file ends inside an object" },
		{ "[1,\n[2", 2, 0, "the file ends inside an array" },
		{ "{", 1, 2, "the file ends inside an object" },
		{ "{\"a\"", 1, 5, "the file ends" }, { "{\"a\":", 1, 6, "the file ends" },
		{ "{\"a\":1,", 1, 0, "the file ends" }, { "[1,", 1, 0, "the file ends" },
		{ "{\n\"\xc3\xa9\xc3\xa9\" 1}", 2, 6, "no colon" },
		{ "{a:1}", 1, 2, "a member must begin" }, { "{'a':1}", 1, 2, "a member must begin" },
		{ "{\"a\":1,}", 1, 0, "a member must begin" }, { "{,}", 1, 2, "a member must begin" },
		{ "{1:1}", 1, 2, "a member must begin" }, { "[1,]", 1, 0, "a value is missing" },
		{ "[,1]", 1, 2, "a value is missing" }, { "{\"a\":}", 1, 6, "a value is missing" },
		{ "[1 2]", 1, 0, "neither comma nor ]" }, { "{\"a\":1]", 1, 0, "neither comma nor }" },
		{ "[1}", 1, 0, "neither comma nor ]" }, { "{\"a\":1 // x\n}", 1, 0, "neither comma" },
		{ "{} x", 1, 4, "something follows" }, { "{}\n{}", 2, 1, "something follows" },
		{ "{}}", 1, 3, "something follows" }, { "1 2", 1, 0, "something follows" },
		{ "tru", 1, 1, "this is no JSON value" }, { "True", 1, 1, "this is no JSON value" },
		{ "NaN", 1, 1, "this is no JSON value" }, { "[Infinity]", 1, 2, "this is no JSON value" },
		{ "truex", 1, 0, "something follows" }, { "/**/1", 1, 1, "this is no JSON value" },
		{ "'a'", 1, 1, "this is no JSON value" }, { "\x0b" "1", 1, 1, "this is no JSON value" },
		{ "\xc2\xa0" "1", 1, 1, "this is no JSON value" },
		{ "01", 1, 1, "malformed number" }, { "-", 1, 1, "malformed number" },
		{ "1.", 1, 1, "malformed number" }, { "1.e1", 1, 1, "malformed number" },
		{ ".5", 1, 1, "this is no JSON value" }, { "1e", 1, 1, "malformed number" },
		{ "1e+", 1, 1, "malformed number" }, { "+1", 1, 1, "this is no JSON value" },
		{ "-a", 1, 1, "malformed number" }, { "-Infinity", 1, 1, "malformed number" },
		{ "0x1", 1, 0, "something follows" },
		{ "\"a", 1, 1, "string without its closing quote" },
		{ "[\"a\\\"]", 1, 2, "string without its closing quote" },
		{ "\"\\", 1, 1, "string without" }, { "\"\\u00", 1, 1, "string without" },
		{ "\"a\nb\"", 1, 1, "control character" }, { "[\n\"\xc3\xa9\tb\"]", 2, 1, "control" },
		{ "\"\\x41\"", 1, 1, "unknown escape" }, { "\"\\'\"", 1, 1, "unknown escape" },
		{ "\"\\U0041\"", 1, 1, "unknown escape" }, { "\"\\u12g4\"", 1, 1, "malformed \\uXXXX" },
		{ "{\"\\u12\":1}", 1, 3, "malformed \\uXXXX" }, { "{\"a\n\":1}", 1, 4, "control" },
		{ "\xef\xbb\xbf", 1, 1, "there is no JSON value" },
		{ "\xef\xbb\xbf\xef\xbb\xbf{}", 1, 1, "this is no JSON value" },
		{ "\xff\xfe{", 1, 1, "this is UTF-16" }
	};
	struct document *d;
	char want[100], *at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = { 0 };

		d = parse_json_text(cases[i].json);
		if (document_problem(d, &err) == 0)
			fail_msg("%s is taken", cases[i].json);
		assert_int_equal(err.code, ERROR_FORMAT);
		assert_string_equal(err.file, "a.json");
		assert_string_not_equal(err.hint, "");
		snprintf(want, sizeof(want), "at column %zu", cases[i].column);
		at = strstr(err.text, " at column");
		if (err.line != cases[i].line || strstr(err.text, cases[i].text) != err.text ||
		    (cases[i].column == 0 ? at != NULL || document_count(d) == 0 :
		    at == NULL || strcmp(at + 1, want) != 0 || err.key[0] != '\0'))
			fail_msg("%s: line %zu: %s", cases[i].json, err.line, err.text);
		document_free(d);
	}
}

static void
test_a_problem_behind_a_value_has_its_name(void **state)
{
	struct document *d = parse_json_text("{\"o\":{\"db.password\":\"secret\" \"x\":1}}");
	struct error err = { 0 };

	(void)state;
	assert_int_equal(document_problem(d, &err), -1);
	assert_string_equal(err.key, "o.db\\.password");
	assert_string_equal(err.text, "neither comma nor } behind a member");
	document_free(d);
}

static void
test_entries_before_a_problem_are_kept(void **state)
{
	struct document *d = parse_json_text("{\"a\":1,\"o\":{\"b\":[2,{}]},\"p\":{\"c\":3,\"d\":x");

	(void)state;
	assert_int_equal(document_problem(d, NULL), -1);
	assert_int_equal(document_count(d), 3);
	assert_entry(d, 2, "p.c", "3");
	assert_true(document_is_container(d, find_path(d, "o.b.1")));
	assert_true(document_is_container(d, find_path(d, "o")));
	/* Cut short. */
	assert_true(find_path(d, "p") == DOCUMENT_NONE);
	assert_true(find_path(d, "@this") == DOCUMENT_NONE);
	document_free(d);
}

/* ${depth} arrays or objects in one another around ${inner}. */
static struct document *
parse_nested(size_t depth, const char *open, const char *inner, const char *close)
{
	struct document *d;
	struct buf b;
	size_t i;

	buf_init(&b, BUF_MAX_FILE);
	for (i = 0; i < depth; i++)
		buf_append_str(&b, open);
	buf_append_str(&b, inner);
	for (i = 0; i < depth; i++)
		buf_append_str(&b, close);
	d = parse_json(b.data, b.len);
	buf_release(&b);
	return d;
}

static void
test_nesting_has_a_limit(void **state)
{
	static const struct { const char *open, *inner, *close; } kinds[] = {
		{ "[", "1", "]" }, { "{\"a\":", "1", "}" }, { "[", "", "]" }
	};
	struct error err = { 0 };
	struct document *d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		d = parse_nested(512, kinds[i].open, kinds[i].inner, kinds[i].close);
		assert_int_equal(document_problem(d, NULL), 0);
		assert_int_equal(document_count(d), strlen(kinds[i].inner));
		document_free(d);
		d = parse_nested(513, kinds[i].open, kinds[i].inner, kinds[i].close);
		assert_int_equal(document_problem(d, &err), -1);
		assert_non_null(strstr(err.text, "nested deeper than 512 levels at column "));
		document_free(d);
		d = parse_nested(100000, kinds[i].open, kinds[i].inner, kinds[i].close);
		assert_int_equal(document_problem(d, NULL), -1);
		assert_int_equal(document_count(d), 0);
		document_free(d);
	}
}

static void
test_many_members(void **state)
{
	struct document *d;
	char name[32];
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, BUF_MAX_FILE);
	for (i = 0; i < 100000; i++)
		buf_printf(&b, "%c\n  \"key.%zu\": \"value %zu\"", i == 0 ? '{' : ',', i, i);
	buf_append_str(&b, "\n}\n");
	d = parse_json(b.data, b.len);
	buf_release(&b);
	assert_int_equal(document_problem(d, NULL), 0);
	assert_int_equal(document_count(d), 100000);
	for (i = 0; i < 100000; i += 999) {
		snprintf(name, sizeof(name), "key\\.%zu", i);
		assert_int_equal(find_path(d, name), i);
		assert_int_equal(document_line(d, i), i + 2);
	}
	document_free(d);
}

static void
test_paths_far_larger_than_the_file_are_refused(void **state)
{
	struct error err = { 0 };
	struct buf b;
	size_t i;

	(void)state;
	/* 1 MB of name around 100 values takes 100 MB, but 16 MB and 64 MiB are allowed. */
	buf_init_secret(&b, BUF_MAX_FILE);
	buf_append_str(&b, "{\"");
	for (i = 0; i < 100000; i++)
		buf_append_str(&b, "0123456789");
	buf_append_str(&b, "\":[1");
	for (i = 0; i < 99; i++)
		buf_append_str(&b, ",1");
	buf_append_str(&b, "]}");
	assert_null(document_parse(&b, &document_json, "a.json", &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_string_equal(err.file, "a.json");
	assert_string_not_equal(err.hint, "");
}

static void
assert_expands(const struct document *d, const char *path, const char *want)
{
	struct error err = { 0 };
	struct vec entries;
	struct buf keys;
	const char *key;
	size_t i, n;

	buf_init(&keys, 1000);
	vec_init(&entries, sizeof(size_t), 1000);
	if (document_expand(d, path, strlen(path), &entries, &err) == -1)
		fail_msg("%s: %s", path, err.text);
	for (i = 0; i < entries.len; i++) {
		key = document_key(d, *(size_t *)vec_at(&entries, i), &n);
		buf_append_str(&keys, i == 0 ? "" : ",");
		buf_append(&keys, key, n);
	}
	assert_string_equal(buf_cstr(&keys), want);
	vec_release(&entries);
	buf_release(&keys);
}

static void
test_a_pattern_stands_for_every_match(void **state)
{
	struct document *d = parse_json_text("{\"users\":[{\"pw\":1},{\"pw\":[2,3]},{\"q\":4}],"
	    "\"o\":{\"0\":{\"pw\":5},\"a.pw\":6,\"a*\":7},\"pw\":8,\"pw\":9,\"b\\u00e9\":10}");

	(void)state;
	assert_expands(d, "users.#.pw", "users.0.pw,users.1.pw");
	assert_expands(d, "users.#", "users.0,users.1,users.2");
	assert_expands(d, "users.#.pw.#", "users.1.pw.0,users.1.pw.1");
	assert_expands(d, "users.*.*", "users.0.pw,users.1.pw,users.2.q");
	assert_expands(d, "o.#.pw", "");
	assert_expands(d, "o.*.pw", "o.0.pw");
	assert_expands(d, "o.*", "o.0,o.a\\.pw,o.a\\*");
	assert_expands(d, "o.*p?", "o.a\\.pw");
	assert_expands(d, "o.a\\*?*", "");
	assert_expands(d, "o.?\\*", "o.a\\*");
	assert_expands(d, "?w", "pw");
	assert_expands(d, "b?", "b\xc3\xa9");
	assert_expands(d, "b??", "");
	assert_expands(d, "#", "");
	assert_expands(d, "users.1.pw", "users.1.pw");
	assert_expands(d, "none", "");
	assert_expands(d, "@this", "@this");
	document_free(d);
	d = parse_json_text("[[1],{\"0\":2}]");
	assert_expands(d, "#.#", "0.0");
	assert_expands(d, "*", "0,1");
	document_free(d);
	d = parse_json_text("\"x\"");
	assert_expands(d, "*", "");
	assert_expands(d, "#", "");
	document_free(d);
}

static void
test_queries_are_refused(void **state)
{
	static const char *const paths[] = {
		"users.#(pw==1)", "users.#(pw==1)#.pw", "users.#[pw==1]", "a|b", "@reverse", "a.@ugly",
		"{a,b}", "[a,b]", "!\"x\"", "a*\\"
	};
	struct document *d = parse_json_text("{}");
	struct vec entries;
	size_t i;

	(void)state;
	vec_init(&entries, sizeof(size_t), 10);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct error err = { 0 };

		assert_int_equal(document_expand(d, paths[i], strlen(paths[i]), &entries, &err),
		    -1);
		assert_int_equal(err.code, ERROR_USAGE);
		assert_string_equal(err.key, paths[i]);
		assert_string_not_equal(err.hint, "");
	}
	assert_int_equal(entries.len, 0);
	document_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_listed_by_path_in_the_order_of_the_file),
		cmocka_unit_test(test_names_are_escaped_in_paths),
		cmocka_unit_test(test_values_read_as_text),
		cmocka_unit_test(test_nul_is_a_character),
		cmocka_unit_test(test_lines_are_counted),
		cmocka_unit_test(test_the_last_of_a_path_wins),
		cmocka_unit_test(test_objects_and_values_of_one_path_hide_each_other),
		cmocka_unit_test(test_objects_and_arrays_are_found_but_not_listed),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_a_path_is_found_in_any_spelling),
		cmocka_unit_test(test_problems_have_a_place),
		cmocka_unit_test(test_a_problem_behind_a_value_has_its_name),
		cmocka_unit_test(test_entries_before_a_problem_are_kept),
		cmocka_unit_test(test_nesting_has_a_limit),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_paths_far_larger_than_the_file_are_refused),
		cmocka_unit_test(test_a_pattern_stands_for_every_match),
		cmocka_unit_test(test_queries_are_refused)
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

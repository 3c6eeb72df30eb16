#include "json_support.h"

/* What is asked for, and what comes of it. */
struct one {
	const char *before;
	const char *path;
	const char *value;	/* NULL: remove */
	const char *after;
};

/* Set, insert or remove, whatever fits. */
static void
make(struct edits *e, const char *path, const char *value)
{
	const struct document *d = edits_document(e);
	size_t i = find_path(d, path);
	struct error err = { 0 };
	int result;

	if (value == NULL)
		result = edits_remove(e, i, &err);
	else if (i != DOCUMENT_NONE)
		result = edits_set(e, i, value, strlen(value), &err);
	else
		result = edits_insert(e, DOCUMENT_NONE, path, strlen(path), value,
		    strlen(value), &err);
	if (result == -1)
		fail_msg("%s is refused: %s", path, err.text);
}

static void
check_each(const struct one *cases, size_t n)
{
	struct document *d;
	struct edits *e;
	size_t i;

	for (i = 0; i < n; i++) {
		d = parse_json_text(cases[i].before);
		e = edits_new(d, false, NULL);
		make(e, cases[i].path, cases[i].value);
		assert_renders(e, cases[i].after);
		edits_free(e);
		document_free(d);
	}
}

#define CHECK_EACH(cases) check_each(cases, sizeof(cases) / sizeof((cases)[0]))

static void
test_set_replaces_the_value_and_nothing_else(void **state)
{
	static const struct one cases[] = {
		{ "{\"a\":\"b\"}", "a", "x", "{\"a\":\"x\"}" },
		{ "\xef\xbb\xbf {\r\n \"a\" :\t\"b\" ,\"z\":1.50}\r\n\n", "a", "x",
		    "\xef\xbb\xbf {\r\n \"a\" :\t\"x\" ,\"z\":1.50}\r\n\n" },
		{ "{\"z\": 1, \"a\": 12, \"m\": \"\\u0041\"}", "a", "x",
		    "{\"z\": 1, \"a\": \"x\", \"m\": \"\\u0041\"}" },
		{ "{\"a\":true}", "a", "", "{\"a\":\"\"}" },
		{ "{\"a\":null}", "a", "x", "{\"a\":\"x\"}" },
		{ "{\"a\":{\"b\":[1, 2]}}", "a.b.1", "x", "{\"a\":{\"b\":[1, \"x\"]}}" },
		{ "{\"a\":{\"b\":[1, 2]}}", "a", "x", "{\"a\":\"x\"}" },
		{ "{\"a\":{\"b\":[1, 2]}}", "a.b", "x", "{\"a\":{\"b\":\"x\"}}" },
		{ "{\"a\":1,\"a\":2}", "a", "x", "{\"a\":1,\"a\":\"x\"}" },
		{ "\"a\"\n", "@this", "x", "\"x\"\n" },
		{ "{\"a\":1}", "@this", "x", "\"x\"" },
		{ "{\"a\":1}", "a", "\"\\/\b\f\n\r\t\x01\x7f\xc3\xa9",
		    "{\"a\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f\xc3\xa9\"}" },
		{ "{\"a\":1}", "a", "\xed\xa0\xbd\xff", "{\"a\":\"\\ud83d\xff\"}" },
		{ "{\"a\":1}", "a", "\xed\xa0\xbd\xed\xb8\x80", "{\"a\":\"\xed\xa0\xbd\\ude00\"}" }
	};

	(void)state;
	CHECK_EACH(cases);
}

static void
test_insert_keeps_the_style_of_the_object(void **state)
{
	static const struct one cases[] = {
		{ "{\"a\":1}", "k", "v", "{\"a\":1,\"k\":\"v\"}" },
		{ "{\"a\": 1}", "k", "v", "{\"a\": 1, \"k\": \"v\"}" },
		{ "{ \"a\": 1 }", "k", "v", "{ \"a\": 1, \"k\": \"v\" }" },
		{ "{ \"a\":1 }", "k", "v", "{ \"a\":1, \"k\":\"v\" }" },
		{ "{\"a\" : 1,\"b\" : 2}", "k", "v", "{\"a\" : 1,\"b\" : 2,\"k\" : \"v\"}" },
		{ "{\n  \"a\": 1\n}\n", "k", "v", "{\n  \"a\": 1,\n  \"k\": \"v\"\n}\n" },
		{ "{\r\n\t\"a\":1\r\n}", "k", "v", "{\r\n\t\"a\":1,\r\n\t\"k\":\"v\"\r\n}" },
		{ "{\n\"a\": 1\n}", "k", "v", "{\n\"a\": 1,\n\"k\": \"v\"\n}" },
		{ "{ \"a\": 1,\n  \"b\": 2 }", "k", "v",
		    "{ \"a\": 1,\n  \"b\": 2,\n  \"k\": \"v\" }" },
		{ "{ \"a\": 1\n, \"b\": 2\n}", "k", "v", "{ \"a\": 1\n, \"b\": 2\n, \"k\": \"v\"\n}" },
		{ "{\n  \"a\": {\n    \"b\": 1\n  },\n  \"c\": 2\n}", "a.k", "v",
		    "{\n  \"a\": {\n    \"b\": 1,\n    \"k\": \"v\"\n  },\n  \"c\": 2\n}" },
		{ "{\n  \"a\": {\"b\": 1}\n}", "a.k", "v", "{\n  \"a\": {\"b\": 1, \"k\": \"v\"}\n}" },
		{ "{\"a\":\n  1}", "k", "v", "{\"a\":\n  1, \"k\": \"v\"}" },
		{ "[{\"a\":1},\n{\"b\":1}]", "1.k", "v", "[{\"a\":1},\n{\"b\":1,\"k\":\"v\"}]" },
		{ "{\"a\":1,\"a\":{\"b\":1}}", "a.k", "v", "{\"a\":1,\"a\":{\"b\":1,\"k\":\"v\"}}" },
		{ "{\"a\":1}", "x\\.y\\\"\\\n", "v", "{\"a\":1,\"x.y\\\"\\n\":\"v\"}" }
	};

	(void)state;
	CHECK_EACH(cases);
}

static void
test_insert_fills_an_empty_object(void **state)
{
	static const struct one cases[] = {
		{ "{}", "k", "v", "{\n  \"k\": \"v\"\n}" },
		{ "{}\r\n", "k", "v", "{\r\n  \"k\": \"v\"\r\n}\r\n" },
		{ " { } ", "k", "v", " {\n  \"k\": \"v\"\n} " },
		{ "{\n}\n", "k", "v", "{\n  \"k\": \"v\"\n}\n" },
		{ "{\"a\":{}}", "a.k", "v", "{\"a\":{\"k\":\"v\"}}" },
		{ "{\"a\": { }}", "a.k", "v", "{\"a\": {\"k\": \"v\"}}" },
		{ "{\n\t\"a\" : {}\n}", "a.k", "v", "{\n\t\"a\" : {\n\t\t\"k\" : \"v\"\n\t}\n}" },
		{ "{\n  \"a\": {\n  },\n  \"b\": 1\n}", "a.k", "v",
		    "{\n  \"a\": {\n    \"k\": \"v\"\n  },\n  \"b\": 1\n}" },
		{ "[\n    {}\n]", "0.k", "v", "[\n    {\n        \"k\": \"v\"\n    }\n]" }
	};

	(void)state;
	CHECK_EACH(cases);
}

static void
test_insert_makes_the_objects_on_the_way(void **state)
{
	static const struct one cases[] = {
		{ "{\"a\":1}", "x.y.z", "v", "{\"a\":1,\"x\":{\"y\":{\"z\":\"v\"}}}" },
		{ "{\n  \"a\": 1\n}", "x.y.z", "v", "{\n  \"a\": 1,\n  \"x\": {\n    \"y\": {\n"
		    "      \"z\": \"v\"\n    }\n  }\n}" },
		{ "{}", "x.y", "v", "{\n  \"x\": {\n    \"y\": \"v\"\n  }\n}" },
		{ "{\"a\":{\"b\":{}}}", "a.b.c.d", "v", "{\"a\":{\"b\":{\"c\":{\"d\":\"v\"}}}}" },
		{ "{\"a\":{\"b\":1},\"a\":{}}", "a.b.c", "v",
		    "{\"a\":{\"b\":1},\"a\":{\"b\":{\"c\":\"v\"}}}" },
		{ "{\"0\":1}", "1", "v", "{\"0\":1,\"1\":\"v\"}" }
	};

	(void)state;
	CHECK_EACH(cases);
}

static void
test_several_inserts_share_new_objects(void **state)
{
	static const struct { const char *before, *after; } cases[] = {
		{ "{}", "{\n  \"a\": {\n    \"x\": \"1\",\n    \"y\": {\n      \"z\": \"2\"\n    },\n"
		    "    \"w\": \"4\"\n  },\n  \"b\": \"3\"\n}" },
		{ "{\"q\": {}}", "{\"q\": {}, \"a\": {\"x\": \"1\", \"y\": {\"z\": \"2\"}, \"w\": \"4\"}, "
		    "\"b\": \"3\"}" }
	};
	struct document *d;
	struct edits *e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		d = parse_json_text(cases[i].before);
		e = edits_new(d, false, NULL);
		make(e, "a.x", "1");
		make(e, "a.y.z", "2");
		make(e, "b", "3");
		make(e, "a.w", "4");
		assert_renders(e, cases[i].after);
		edits_free(e);
		document_free(d);
	}
}

static void
test_insert_behind_a_sibling(void **state)
{
	static const char text[] = "{\"a\": 1, \"b\": {\"c\": 2}, \"d\": 3}";
	struct document *d = parse_json_text(text);
	struct edits *e = edits_new(d, false, NULL);
	size_t b = find_path(d, "b");

	(void)state;
	assert_int_equal(edits_insert(e, 0, "k", 1, "v", 1, NULL), 0);
	assert_int_equal(edits_insert(e, b, "l", 1, "w", 1, NULL), 0);
	assert_int_equal(edits_insert(e, 0, "m", 1, "x", 1, NULL), 0);
	/* No sibling: at the end of the object. */
	assert_int_equal(edits_insert(e, 0, "b.n", 3, "y", 1, NULL), 0);
	assert_renders(e, "{\"a\": 1, \"k\": \"v\", \"m\": \"x\", \"b\": {\"c\": 2, \"n\": \"y\"}, "
	    "\"l\": \"w\", \"d\": 3}");
	assert_int_equal(edits_remove(e, 0, NULL), 0);
	assert_renders(e, "{\"b\": {\"c\": 2, \"n\": \"y\"}, \"l\": \"w\", \"d\": 3, \"k\": \"v\", "
	    "\"m\": \"x\"}");
	edits_free(e);
	document_free(d);
}

static void
test_remove_drops_the_member_and_one_comma(void **state)
{
	static const struct one cases[] = {
		{ "{\"a\":1,\"b\":2,\"c\":3}", "a", NULL, "{\"b\":2,\"c\":3}" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "b", NULL, "{\"a\":1,\"c\":3}" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "c", NULL, "{\"a\":1,\"b\":2}" },
		{ "{\"a\": 1, \"b\": 2, \"c\": 3}", "a", NULL, "{\"b\": 2, \"c\": 3}" },
		{ "{\"a\": 1, \"b\": 2, \"c\": 3}", "b", NULL, "{\"a\": 1, \"c\": 3}" },
		{ "{\"a\": 1, \"b\": 2, \"c\": 3}", "c", NULL, "{\"a\": 1, \"b\": 2}" },
		{ "{\"a\":1}", "a", NULL, "{}" },
		{ "{ \"a\" : 1 }", "a", NULL, "{ }" },
		{ "{\n  \"a\": 1\n}\n", "a", NULL, "{\n}\n" },
		{ "{\r\n  \"a\": 1,\r\n\r\n  \"b\": {},\r\n  \"c\": 3\r\n}\r\n", "a", NULL,
		    "{\r\n  \"b\": {},\r\n  \"c\": 3\r\n}\r\n" },
		{ "{\r\n  \"a\": 1,\r\n\r\n  \"b\": {},\r\n  \"c\": 3\r\n}\r\n", "b", NULL,
		    "{\r\n  \"a\": 1,\r\n  \"c\": 3\r\n}\r\n" },
		{ "{\n  \"a\": 1,\n\n  \"b\": [\n  1\n],\n  \"c\": 3\n}\n", "c", NULL,
		    "{\n  \"a\": 1,\n\n  \"b\": [\n  1\n]\n}\n" },
		{ "{ \"a\": 1\n, \"b\": 2\n, \"c\": 3\n}", "b", NULL, "{ \"a\": 1\n, \"c\": 3\n}" },
		{ "{ \"a\": 1\n, \"b\": 2\n, \"c\": 3\n}", "c", NULL, "{ \"a\": 1\n, \"b\": 2\n}" },
		{ "{\"a\" :1 , \"b\" :2 , \"c\" :3 }", "b", NULL, "{\"a\" :1 , \"c\" :3 }" },
		{ "{\"a\":{\"pw\":\"x\",\"q\":2}}", "a.pw", NULL, "{\"a\":{\"q\":2}}" },
		{ "[{\"a\":1}]", "0.a", NULL, "[{}]" },
		{ "{\"a\":1,\"a\":2}", "a", NULL, "{\"a\":1}" }
	};

	(void)state;
	CHECK_EACH(cases);
}

static void
test_removes_side_by_side(void **state)
{
	static const struct { const char *paths[4], *after; } cases[] = {
		{ { "a", "b" }, "{\n  \"c\": 3,\n  \"d\": 4\n}" },
		{ { "c", "b" }, "{\n  \"a\": 1,\n  \"d\": 4\n}" },
		{ { "d", "c" }, "{\n  \"a\": 1,\n  \"b\": 2\n}" },
		{ { "a", "c" }, "{\n  \"b\": 2,\n  \"d\": 4\n}" },
		{ { "b", "d" }, "{\n  \"a\": 1,\n  \"c\": 3\n}" },
		{ { "d", "a" }, "{\n  \"b\": 2,\n  \"c\": 3\n}" },
		{ { "a", "b", "d" }, "{\n  \"c\": 3\n}" },
		{ { "b", "c", "d" }, "{\n  \"a\": 1\n}" },
		{ { "a", "b", "c", "d" }, "{\n}" }
	};
	static const char text[] = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3,\n  \"d\": 4\n}";
	struct document *d = parse_json_text(text);
	struct edits *e;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		e = edits_new(d, false, NULL);
		for (k = 0; k < 4 && cases[i].paths[k] != NULL; k++)
			make(e, cases[i].paths[k], NULL);
		assert_renders(e, cases[i].after);
		edits_free(e);
	}
	document_free(d);
}

static void
test_insert_and_remove_in_one_object(void **state)
{
	static const struct { const char *remove[3], *after; } cases[] = {
		{ { "a" }, "{\n  \"b\": 2,\n  \"k\": \"v\",\n  \"l\": \"w\"\n}" },
		{ { "b" }, "{\n  \"a\": 1,\n  \"k\": \"v\",\n  \"l\": \"w\"\n}" },
		{ { "a", "b" }, "{\n  \"k\": \"v\",\n  \"l\": \"w\"\n}" }
	};
	struct document *d = parse_json_text("{\n  \"a\": 1,\n  \"b\": 2\n}");
	struct edits *e;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		e = edits_new(d, false, NULL);
		make(e, "k", "v");
		make(e, "l", "w");
		for (k = 0; cases[i].remove[k] != NULL; k++)
			make(e, cases[i].remove[k], NULL);
		assert_renders(e, cases[i].after);
		edits_free(e);
	}
	document_free(d);
}

static void
assert_refused(const struct error *err, enum error_code code)
{
	assert_int_equal(err->code, code);
	assert_string_equal(err->file, "a.json");
	assert_string_not_equal(err->text, "");
	assert_string_not_equal(err->hint, "");
	assert_string_not_equal(err->key, "");
}

static void
test_insert_refuses(void **state)
{
	static const struct { const char *before, *path; enum error_code code; } cases[] = {
		{ "{\"a\":1}", "a", ERROR_EXISTS },
		{ "{\"a.b\":1}", "a\\.b", ERROR_EXISTS },
		{ "{\"a\":{}}", "\\a", ERROR_EXISTS },
		{ "{\"a\":1}", "@this", ERROR_EXISTS },
		{ "{\"a\":1}", "a.b", ERROR_REFUSED },
		{ "{\"a\":null}", "a.b", ERROR_REFUSED },
		{ "{\"a\":[1]}", "a.1", ERROR_REFUSED },
		{ "{\"a\":[1]}", "a.b", ERROR_REFUSED },
		{ "{\"a\":[1]}", "b.0.c", ERROR_REFUSED },
		{ "{\"a\":[1]}", "b.0", ERROR_REFUSED },
		{ "\"a\"", "b", ERROR_REFUSED },
		{ "[]", "b", ERROR_REFUSED },
		{ "{\"a\":[{}]}", "a.#.b", ERROR_USAGE },
		{ "{}", "a*", ERROR_USAGE },
		{ "{}", "a?.b", ERROR_USAGE },
		{ "{}", "a|b", ERROR_USAGE },
		{ "{}", "@a", ERROR_USAGE },
		{ "{}", "a.!b", ERROR_USAGE },
		{ "{}", "a.b\\", ERROR_USAGE }
	};
	struct document *d;
	struct edits *e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = { 0 };

		d = parse_json_text(cases[i].before);
		e = edits_new(d, false, NULL);
		if (edits_insert(e, DOCUMENT_NONE, cases[i].path, strlen(cases[i].path), "v", 1,
		    &err) == 0)
			fail_msg("%s is taken", cases[i].path);
		assert_refused(&err, cases[i].code);
		assert_int_equal(edits_count(e), 0);
		edits_free(e);
		document_free(d);
	}
}

static void
test_insert_refuses_a_path_deeper_than_the_reader(void **state)
{
	struct document *d = parse_json_text("{}");
	struct edits *e = edits_new(d, false, NULL);
	struct error err = { 0 };
	char path[2 * 513];
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(path); i++)
		path[i] = i % 2 == 0 ? 'a' : '.';
	assert_int_equal(edits_insert(e, DOCUMENT_NONE, path, 2 * 513 - 1, "v", 1, &err), -1);
	assert_refused(&err, ERROR_LIMIT);
	assert_int_equal(edits_insert(e, DOCUMENT_NONE, path, 2 * 512 - 1, "v", 1, NULL), 0);
	buf_init_secret(&out, BUF_MAX_FILE);
	assert_int_equal(edits_render(e, &out, NULL), 0);
	edits_free(e);
	document_free(d);
	d = parse_json(out.data, out.len);
	assert_int_equal(document_problem(d, NULL), 0);
	assert_entry(d, 0, (path[2 * 512 - 1] = '\0', path), "v");
	document_free(d);
	buf_release(&out);
}

static void
test_remove_refuses_what_has_no_name(void **state)
{
	static const struct { const char *before, *path; } cases[] = {
		{ "[1,2]", "0" }, { "[1,2]", "1" }, { "{\"a\":[{}]}", "a.0" }, { "{}", "@this" },
		{ "\"a\"", "@this" }
	};
	struct document *d;
	struct edits *e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = { 0 };

		d = parse_json_text(cases[i].before);
		e = edits_new(d, false, NULL);
		assert_int_equal(edits_remove(e, find_path(d, cases[i].path), &err), -1);
		assert_refused(&err, ERROR_REFUSED);
		assert_int_equal(err.line, 1);
		edits_free(e);
		document_free(d);
	}
}

static void
test_only_values_change_in_a_file_with_a_problem(void **state)
{
	struct document *d = parse_json_text("{\"a\":1,\"b\":2,,}");
	struct edits *e = edits_new(d, false, NULL);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(edits_remove(e, 0, &err), -1);
	assert_int_equal(err.code, ERROR_FORMAT);
	assert_int_equal(edits_insert(e, 0, "k", 1, "v", 1, &err), -1);
	assert_int_equal(edits_insert(e, DOCUMENT_NONE, "k", 1, "v", 1, &err), -1);
	assert_int_equal(edits_set(e, 1, "x", 1, NULL), 0);
	assert_renders(e, "{\"a\":1,\"b\":\"x\",,}");
	edits_free(e);
	document_free(d);
}

static void
assert_conflict(struct edits *e, enum error_code code, const char *key)
{
	struct error err = { 0 };
	struct buf out;

	buf_init_secret(&out, BUF_MAX_FILE);
	assert_int_equal(edits_render(e, &out, &err), -1);
	assert_refused(&err, code);
	assert_string_equal(err.key, key);
	buf_release(&out);
	edits_free(e);
}

static void
test_changes_inside_of_changes_are_refused(void **state)
{
	struct document *d = parse_json_text("{\"a\":{\"b\":{\"c\":1},\"d\":2},\"e\":3}");
	struct edits *e;

	(void)state;
	e = edits_new(d, false, NULL);
	make(e, "a.b.c", "x");
	make(e, "a", "y");
	assert_conflict(e, ERROR_REFUSED, "a.b.c");
	e = edits_new(d, false, NULL);
	make(e, "a.b", NULL);
	make(e, "a", "y");
	assert_conflict(e, ERROR_REFUSED, "a.b");
	e = edits_new(d, false, NULL);
	make(e, "a", NULL);
	make(e, "a.b.c", "x");
	assert_conflict(e, ERROR_REFUSED, "a.b.c");
	e = edits_new(d, false, NULL);
	make(e, "a", NULL);
	make(e, "a.d", NULL);
	assert_conflict(e, ERROR_REFUSED, "a.d");
	e = edits_new(d, false, NULL);
	make(e, "a", NULL);
	make(e, "a.k.l", "x");
	assert_conflict(e, ERROR_REFUSED, "a.k.l");
	e = edits_new(d, false, NULL);
	make(e, "a", "y");
	make(e, "a.b.k", "x");
	assert_conflict(e, ERROR_REFUSED, "a.b.k");
	document_free(d);
}

static void
test_a_path_is_added_once(void **state)
{
	static const char *const pairs[][2] = {
		{ "k", "\\k" }, { "k.l", "k" }, { "k", "k.l" }, { "k.l", "k.l" }
	};
	struct document *d = parse_json_text("{}");
	struct edits *e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		e = edits_new(d, false, NULL);
		make(e, pairs[i][0], "x");
		make(e, pairs[i][1], "y");
		assert_conflict(e, ERROR_EXISTS, i == 0 ? "k" : pairs[i][1]);
	}
	document_free(d);
}

static void
test_no_edits_render_the_same_bytes(void **state)
{
	static const char text[] = "\xef\xbb\xbf{ \"a\" : 1e5 ,\r\n\t\"a\":\"\\u0041\" , }\0 x";
	struct document *d = parse_json(text, sizeof(text));
	struct edits *e = edits_new(d, false, NULL);
	struct buf out;

	(void)state;
	buf_init_secret(&out, BUF_MAX_FILE);
	assert_int_equal(edits_render(e, &out, NULL), 0);
	assert_int_equal(out.len, sizeof(text));
	assert_memory_equal(out.data, text, sizeof(text));
	buf_release(&out);
	edits_free(e);
	document_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_replaces_the_value_and_nothing_else),
		cmocka_unit_test(test_insert_keeps_the_style_of_the_object),
		cmocka_unit_test(test_insert_fills_an_empty_object),
		cmocka_unit_test(test_insert_makes_the_objects_on_the_way),
		cmocka_unit_test(test_several_inserts_share_new_objects),
		cmocka_unit_test(test_insert_behind_a_sibling),
		cmocka_unit_test(test_remove_drops_the_member_and_one_comma),
		cmocka_unit_test(test_removes_side_by_side),
		cmocka_unit_test(test_insert_and_remove_in_one_object),
		cmocka_unit_test(test_insert_refuses),
		cmocka_unit_test(test_insert_refuses_a_path_deeper_than_the_reader),
		cmocka_unit_test(test_remove_refuses_what_has_no_name),
		cmocka_unit_test(test_only_values_change_in_a_file_with_a_problem),
		cmocka_unit_test(test_changes_inside_of_changes_are_refused),
		cmocka_unit_test(test_a_path_is_added_once),
		cmocka_unit_test(test_no_edits_render_the_same_bytes)
	};

	return cmocka_run_group_tests_name("json-edits", tests, NULL, NULL);
}

/* Splices of JSON values, by hand and at random. */
#include "json_support.h"

#define VALUES 20000
#define MAX_TEXT 6

static void
test_a_splice_changes_a_part_of_a_value(void **state)
{
	static const struct {
		const char *before;
		size_t from, to;
		const char *text, *after;
	} cases[] = {
		{ "{ \"a\" : \"x\\u0041\\ny\" }", 1, 2, "B", "{ \"a\" : \"xB\\ny\" }" },
		{ "[\"x\\u0041\\ny\"]", 3, 4, "\"\n", "[\"x\\u0041\\n\\\"\\n\"]" },
		{ "[\"x\\u0041\\ny\"]", 0, 0, "<", "[\"<x\\u0041\\ny\"]" },
		{ "[\"x\\u0041\\ny\"]", 4, 4, ">", "[\"x\\u0041\\ny>\"]" },
		{ "[\"x\\u0041\\ny\"]", 0, 4, "", "[\"\"]" },
		{ "[\"\"]", 0, 0, "x", "[\"x\"]" },
		{ "[\"abc\\/def\"]", 1, 6, "-", "[\"a-f\"]" },
		/* What is no string becomes one. */
		{ "[1.50,2]", 1, 2, ",", "[\"1,50\",2]" },
		{ "[true]", 4, 4, "!", "[\"true!\"]" },
		{ "[null]", 0, 0, "x", "[\"x\"]" },
		/* Two halves that come together do not become a pair. */
		{ "[\"\\ud83dx\\ude00\"]", 3, 4, "", "[\"\\ud83d\xed\xb8\x80\"]" },
		{ "[\"\\ud83dx\"]", 3, 3, "\xed\xb8\x80", "[\"\\ud83d\xed\xb8\x80x\"]" },
		{ "[\"x\\ude00\"]", 0, 1, "\xed\xa0\xbd", "[\"\\ud83d\xed\xb8\x80\"]" },
		{ "[\"\\\\ud83dx\\ude00\"]", 6, 7, "", "[\"\\\\ud83d\\ude00\"]" }
	};
	struct document *d;
	struct edits *e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		d = parse_json_text(cases[i].before);
		e = edits_new(d, false, NULL);
		splice(e, 0, cases[i].from, cases[i].to, cases[i].text);
		assert_renders(e, cases[i].after);
		edits_free(e);
		document_free(d);
	}
}

static void
test_splices_go_with_other_changes(void **state)
{
	struct document *d = parse_json_text("{\"a\": \"one two\", \"o\": {\"b\": \"x y\"}, \"c\": 1}");
	size_t box = find_path(d, "o");
	struct edits *e = edits_new(d, false, NULL);
	struct buf value;

	(void)state;
	splice(e, 0, 4, 7, "2");
	splice(e, 0, 0, 3, "1");
	splice(e, 1, 1, 2, "-");
	assert_int_equal(edits_set(e, 2, "z", 1, NULL), 0);
	assert_int_equal(edits_insert(e, DOCUMENT_NONE, "o.k", 3, "v", 1, NULL), 0);
	assert_renders(e, "{\"a\": \"1 2\", \"o\": {\"b\": \"x-y\", \"k\": \"v\"}, \"c\": \"z\"}");
	buf_init_secret(&value, 100);
	assert_int_equal(edits_value(e, 0, &value, NULL), 0);
	assert_string_equal(buf_cstr(&value), "1 2");
	buf_release(&value);
	assert_int_equal(edits_set(e, box, "z", 1, NULL), 0);
	buf_init_secret(&value, 100);
	assert_int_equal(edits_render(e, &value, NULL), -1);
	buf_release(&value);
	edits_free(e);
	document_free(d);
}

static void
test_cuts_that_cannot_be_made_are_refused(void **state)
{
	struct document *d = parse_json_text("[\"\\u00e9\\ud83d\\ude00x\",12,null]");
	struct edits *e = edits_new(d, false, NULL);
	static const struct { size_t entry, from, to; enum error_code code; } cases[] = {
		{ 0, 0, 1, ERROR_REFUSED }, { 0, 1, 2, ERROR_REFUSED }, { 0, 2, 5, ERROR_REFUSED },
		{ 0, 0, 8, ERROR_USAGE }, { 1, 0, 3, ERROR_USAGE }, { 2, 0, 1, ERROR_USAGE }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = { 0 };

		assert_int_equal(edits_splice(e, cases[i].entry, cases[i].from, cases[i].to, "", 0,
		    NULL, &err), -1);
		assert_int_equal(err.code, cases[i].code);
	}
	splice(e, 0, 2, 6, "-");
	assert_renders(e, "[\"\\u00e9-x\",12,null]");
	edits_free(e);
	document_free(d);
}

static size_t
random_value(uint64_t *seed, char *out)
{
	static const char *const pieces[] = {
		"a", "bc", "\\n", "\\\\", "\\\"", "\\/", "\\u0041", "\\u00e9", "\\ud83d", "\\ude00",
		"\\ud83d\\ude00", "u", "d83d", "\xc3\xa9", "\xed\xa0\xbd", "\xed\xb8\x80", "\x80"
	};
	size_t times = random_below(seed, 8);
	size_t n = 2;

	memcpy(out, "[\"", 2);
	while (times-- > 0) {
		const char *piece = pieces[random_below(seed, 17)];

		memcpy(out + n, piece, strlen(piece));
		n += strlen(piece);
	}
	memcpy(out + n, "\"]", 2);
	return n + 2;
}

/* Cuts from left to right, and what the value has to become. */
static size_t
random_splices(struct edits *e, const struct buf *old, struct buf *want, uint64_t *seed)
{
	static const char *const texts[] = {
		"", "x", "\"\\\n", "\xed\xa0\xbd", "\xed\xb8\x80", "\xed\xa0\xbd\xed\xb8\x80", "u0041"
	};
	size_t done = 0;
	size_t made = 0;
	size_t from, to;
	const char *text;

	while (made < 4 && random_below(seed, 4) > 0) {
		from = done + random_below(seed, (uint32_t)(old->len - done) + 1);
		to = from + random_below(seed, (uint32_t)(old->len - from) + 1);
		text = texts[random_below(seed, 7)];
		if (edits_splice(e, 0, from, to, text, strlen(text), NULL, NULL) == -1)
			continue;
		buf_append(want, old->data + done, from - done);
		buf_append_str(want, text);
		done = to;
		made++;
		/* One more at the same place would have an order of its own. */
		if (done == old->len)
			break;
		buf_append(want, old->data + done, 1);
		done++;
	}
	buf_append(want, old->data + done, old->len - done);
	return made;
}

static void
test_random_splices_read_as_wished(void **state)
{
	char text[200], a[1024], b[1024];
	struct document *old, *new;
	struct buf value, want, out;
	uint64_t seed = 9;
	struct edits *e;
	size_t i, n, made = 0;

	(void)state;
	buf_init(&want, 1000);
	buf_init(&out, 1000);
	for (i = 0; i < VALUES; i++) {
		n = random_value(&seed, text);
		old = parse_json(text, n);
		value = value_of(old, 0);
		e = edits_new(old, false, NULL);
		buf_clear(&want);
		buf_clear(&out);
		if (value.len > 0)
			made += random_splices(e, &value, &want, &seed);
		assert_int_equal(edits_render(e, &out, NULL), 0);
		new = parse_json(out.data, out.len);
		if (document_problem(new, NULL) == -1 || document_count(new) != 1 ||
		    !value_is(new, 0, want.data, want.len))
			fail_msg("value %zu: %s became %s", i, shown(text, n, a, sizeof(a)),
			    shown(out.data, out.len, b, sizeof(b)));
		document_free(new);
		edits_free(e);
		buf_release(&value);
		document_free(old);
	}
	buf_release(&out);
	buf_release(&want);
	assert_true(made > VALUES / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_splice_changes_a_part_of_a_value),
		cmocka_unit_test(test_splices_go_with_other_changes),
		cmocka_unit_test(test_cuts_that_cannot_be_made_are_refused),
		cmocka_unit_test(test_random_splices_read_as_wished)
	};

	return cmocka_run_group_tests_name("json-splice", tests, NULL, NULL);
}

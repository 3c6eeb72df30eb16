#include "document/properties.h"
#include "document_support.h"

#define MAX_LINE 4096
#define MAX_COLUMNS 32

struct column {
	unsigned char bytes[MAX_LINE];
	size_t n;
};

static void
unescape(const char *s, const char *end, struct column *c)
{
	c->n = 0;
	while (s < end) {
		if (*s != '\\') {
			c->bytes[c->n++] = (unsigned char)*s++;
		} else if (s[1] == 'x') {
			unit_hex((char[]){ s[2], s[3], '\0' }, c->bytes + c->n++, 1);
			s += 4;
		} else {
			c->bytes[c->n++] = (unsigned char)(s[1] == 'n' ? '\n' : s[1] == 'r' ? '\r' :
			    s[1] == 't' ? '\t' : s[1]);
			s += 2;
		}
	}
}

static size_t
split(const char *line, struct column *columns)
{
	size_t n = 0;
	const char *end;

	for (;;) {
		end = line + strcspn(line, "\t\n");
		assert_true(n < MAX_COLUMNS && (size_t)(end - line) < MAX_LINE);
		unescape(line, end, &columns[n++]);
		if (*end != '\t')
			return n;
		line = end + 1;
	}
}

static void
check_case(size_t line, const struct column *columns, size_t n)
{
	struct document *d = parse(columns[0].bytes, columns[0].n);
	size_t i;

	if ((document_problem(d, NULL) == 0) != (columns[1].bytes[0] == 'o'))
		fail_msg("case in line %zu: accepted or not", line);
	if (2 + 2 * document_count(d) != n)
		fail_msg("case in line %zu: %zu entries", line, document_count(d));
	for (i = 0; i < document_count(d); i++) {
		const struct column *key = columns + 2 + 2 * i;

		if (!key_is(d, i, key->bytes, key->n))
			fail_msg("case in line %zu: key %zu", line, i);
		if (!value_is(d, i, key[1].bytes, key[1].n))
			fail_msg("case in line %zu: value %zu", line, i);
	}
	document_free(d);
}

static void
test_reads_what_java_reads(void **state)
{
	static struct column columns[MAX_COLUMNS];
	char path[4096];
	char line[MAX_LINE];
	size_t cases = 0;
	size_t number = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%.*sproperties_cases.tsv",
	    (int)(strrchr(__FILE__, '/') + 1 - __FILE__), __FILE__);
	f = fopen(path, "r");
	if (f == NULL)
		fail_msg("%s is not there: run from the top of the tree", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		number++;
		if (line[0] == '#')
			continue;
		check_case(number, columns, split(line, columns));
		cases++;
	}
	fclose(f);
	assert_true(cases >= 500);
}

static void
test_format_goes_by_the_end_of_the_name(void **state)
{

	(void)state;
	assert_ptr_equal(document_format_of("/etc/kafka/server.properties"), &document_properties);
	assert_ptr_equal(document_format_of("a.properties.json"), &document_json);
	assert_null(document_format_of("a.PROPERTIES"));
	assert_null(document_format_of("a.properties.bak"));
	assert_null(document_format_of("properties"));
	assert_null(document_format_of(""));
}

static void
test_lines_are_counted_with_any_line_end(void **state)
{
	static const size_t lines[] = { 1, 4, 5, 8, 10 };
	struct document *d = parse(BYTES("a\n\n#c\r\nb\rc\\\n \\\r\nc\nd\r\r\n\\\ne"));
	size_t i;

	(void)state;
	assert_int_equal(document_count(d), 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(document_line(d, i), lines[i]);
	document_free(d);
}

static void
test_a_malformed_escape_is_placed_and_ends_the_reading(void **state)
{
	struct document *d = parse(BYTES("a=1\n#\\u\nb=x\\\n  y\\\n  \\u00g0\\\n  z\nc=3\n"));
	struct error err = { 0 };

	(void)state;
	assert_int_equal(document_problem(d, &err), -1);
	assert_int_equal(err.code, ERROR_FORMAT);
	assert_int_equal(err.line, 5);
	assert_string_equal(err.file, "a.properties");
	assert_string_equal(err.text, "malformed \\uXXXX escape");
	assert_string_not_equal(err.hint, "");
	assert_int_equal(document_count(d), 1);
	assert_entry(d, 0, "a", "1");
	assert_int_equal(document_problem(d, NULL), -1);
	document_free(d);
}

static void
test_the_last_of_a_key_wins(void **state)
{
	struct document *d = parse(BYTES("k=1\nj=x\n\\u006b=2\n=e\nk 3\n\\==y\n"));

	(void)state;
	assert_int_equal(document_find(d, BYTES("k")), 4);
	assert_int_equal(document_find(d, BYTES("j")), 1);
	assert_int_equal(document_find(d, BYTES("")), 3);
	assert_int_equal(document_find(d, BYTES("=")), 5);
	assert_int_equal(document_find(d, BYTES("kk")), DOCUMENT_NONE);
	assert_int_equal(document_previous(d, 4), 2);
	assert_int_equal(document_previous(d, 2), 0);
	assert_int_equal(document_previous(d, 0), DOCUMENT_NONE);
	assert_int_equal(document_previous(d, 1), DOCUMENT_NONE);
	assert_true(document_shadowed(d, 0));
	assert_true(document_shadowed(d, 2));
	assert_false(document_shadowed(d, 4));
	assert_false(document_shadowed(d, 1));
	document_free(d);
}

/* Tables of keys are small or large; in each, every third key comes again. */
static void
test_keys_are_found_in_tables_of_every_size(void **state)
{
	struct document *d;
	struct buf text;
	char key[64];
	size_t n;

	(void)state;
	for (size_t count = 1; count < 300; count += count < 20 ? 1 : 13) {
		buf_init(&text, BUF_MAX_FILE);
		for (size_t i = 0; i < count; i++)
			buf_printf(&text, "listener.%zu.long.name.password=%zu\n", i, i);
		for (size_t i = 0; i < count; i += 3)
			buf_printf(&text, "listener.%zu.long.name.password=again\n", i);
		d = document_parse(&text, &document_properties, "a.properties", NULL);
		assert_non_null(d);
		for (size_t i = 0; i < count; i++) {
			n = (size_t)snprintf(key, sizeof(key), "listener.%zu.long.name.password", i);
			assert_int_equal(document_shadowed(d, i), i % 3 == 0);
			assert_int_equal(document_find(d, key, n), i % 3 == 0 ? count + i / 3 : i);
			assert_int_equal(document_find(d, key, n - 1), DOCUMENT_NONE);
		}
		for (size_t i = count; i < document_count(d); i++) {
			assert_false(document_shadowed(d, i));
			assert_int_equal(document_previous(d, i), (i - count) * 3);
		}
		document_free(d);
	}
}

static void
test_the_raw_value_is_what_stands_in_the_file(void **state)
{
	static const struct { const char *file; const char *raw; } cases[] = {
		{ "a=b", "b" }, { "a", "" }, { "a  ", "" }, { "a = b \n", "b " },
		{ "a=\\u0041\\\n  b\n", "\\u0041\\\n  b" }, { "a=\\\n  b\n", "\\\n  b" },
		{ "a \\\n = b", "b" }, { "a=b\\", "b\\" }, { "a=b\\\n", "b\\" },
		{ "a\\\n", "\\" }, { "a=b\\\n  \n", "b\\\n  " }, { "a\\\nb\\\n:c\r\n", "c" }
	};
	const unsigned char *raw;
	struct document *d;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		d = parse(cases[i].file, strlen(cases[i].file));
		assert_int_equal(document_count(d), 1);
		raw = document_raw_value(d, 0, &len);
		assert_non_null(raw);
		if (len != strlen(cases[i].raw) || memcmp(raw, cases[i].raw, len) != 0)
			fail_msg("raw value of case %zu", i);
		document_free(d);
	}
}

static void
test_a_value_is_compared_to_its_end(void **state)
{
	struct document *d = parse(BYTES("a=b\\u0041c\\\n  d\ne=plain\nf=\ng=x\\\n"));

	(void)state;
	assert_true(document_value_is(d, 0, BYTES("bAcd")));
	assert_false(document_value_is(d, 0, BYTES("bAc")));
	assert_false(document_value_is(d, 0, BYTES("bAcde")));
	assert_false(document_value_is(d, 0, BYTES("bBcd")));
	assert_false(document_value_is(d, 0, BYTES("")));
	assert_true(document_value_is(d, 1, BYTES("plain")));
	assert_false(document_value_is(d, 1, BYTES("plai")));
	assert_false(document_value_is(d, 1, BYTES("plaiN")));
	assert_true(document_value_is(d, 2, NULL, 0));
	assert_false(document_value_is(d, 2, BYTES("x")));
	assert_true(document_value_is(d, 3, BYTES("x")));
	document_free(d);
}

static void
test_a_value_too_long_for_its_buffer_is_an_error(void **state)
{
	struct document *d = parse(BYTES("a=0123456789\nb=\\u0041\\u0042\n"));
	struct error err = { 0 };
	struct buf small;

	(void)state;
	buf_init_secret(&small, 9);
	assert_int_equal(document_value(d, 0, &small, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	/* The raw value is longer than the buffer, the decoded one is not. */
	buf_clear(&small);
	assert_int_equal(document_value(d, 1, &small, &err), 0);
	assert_int_equal(small.len, 2);
	buf_release(&small);
	document_free(d);
}

static void
test_nothing_is_a_document(void **state)
{
	struct document *d = parse("", 0);

	(void)state;
	assert_int_equal(document_count(d), 0);
	assert_int_equal(document_problem(d, NULL), 0);
	assert_int_equal(document_bytes(d)->len, 0);
	assert_int_equal(document_find(d, BYTES("")), DOCUMENT_NONE);
	assert_string_equal(document_file(d), "a.properties");
	assert_ptr_equal(document_format(d), &document_properties);
	document_free(d);
	document_free(NULL);
}

/* ${unit} ${times} times over, between ${head} and ${tail}. */
static struct document *
parse_long(const char *head, const char *unit, size_t times, const char *tail)
{
	struct error err = { 0 };
	struct document *d;
	struct buf content;

	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append_str(&content, head);
	assert_int_equal(buf_reserve(&content, times * strlen(unit) + strlen(tail)), 0);
	while (times-- > 0)
		buf_append_str(&content, unit);
	buf_append_str(&content, tail);
	d = document_parse(&content, &document_properties, "long.properties", &err);
	assert_non_null(d);
	return d;
}

static void
assert_long(struct document *d, size_t count, size_t i, size_t len)
{
	struct buf value;

	assert_int_equal(document_count(d), count);
	value = value_of(d, i);
	assert_int_equal(value.len, len);
	buf_release(&value);
	document_free(d);
}

/* A quadratic step would take hours here. */
static void
test_long_files_and_values(void **state)
{
	size_t n = 1000000;

	(void)state;
	assert_long(parse_long("a=", "0123456789", n, "\nb=1\n"), 2, 0, 10 * n);
	assert_long(parse_long("a=", "x\\\n  ", n, "y\nb=1\n"), 2, 0, n + 1);
	assert_long(parse_long("a=", "x\\\r", n, "y\rb=1\r"), 2, 0, n + 1);
	assert_long(parse_long("a=", "\\\\", n, "\nb=1\n"), 2, 0, n);
	assert_long(parse_long("a=", "\\ud83d\\\n", n, "y\nb=1\n"), 2, 0, 3 * n + 1);
	assert_long(parse_long("", "k=v\r", n, "a=12"), n + 1, n, 2);
	assert_long(parse_long("", "k=v\n", n, "a=12"), n + 1, n, 2);
	assert_long(parse_long("", "\\k=\\v\r\n", n, "a=12"), n + 1, n, 2);
	assert_long(parse_long("", "#\\\n", n, "a=12"), 1, 0, 2);
	assert_long(parse_long("", "\\\n", n, "a=12"), 1, 0, 2);
	assert_long(parse_long("", " \r", n, "a=12"), 1, 0, 2);
	assert_long(parse_long("", "k\\\n", n, "=12"), 1, 0, 2);
	assert_long(parse_long("a", " \\\n", n, "=12"), 1, 0, 2);
}

static void
test_keys_and_values_are_written_as_they_must_be(void **state)
{
	static const struct { const char *text; const char *key; const char *value; } cases[] = {
		{ "", "", "" }, { "a.b-c_1", "a.b-c_1", "a.b-c_1" },
		{ "a b", "a\\ b", "a b" }, { "  a ", "\\ \\ a\\ ", "\\ \\ a " },
		{ " ", "\\ ", "\\ " }, { "a=b:c", "a\\=b\\:c", "a=b:c" },
		{ "#a!b", "\\#a\\!b", "#a!b" }, { "C:\\new", "C\\:\\\\new", "C:\\\\new" },
		{ "\t\n\f\r", "\\t\\n\\f\\r", "\\t\\n\\f\\r" }, { "a\tb", "a\\tb", "a\\tb" },
		{ "\x01\x1b\x7f", "\\u0001\\u001B\\u007F", "\\u0001\\u001B\\u007F" },
		{ "\xc3\xa9", "\\u00E9", "\\u00E9" }, { "\xe2\x82\xac", "\\u20AC", "\\u20AC" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\\uD83D\\uDE00" },
		{ "\xc2\x85", "\\u0085", "\\u0085" }, { "\xff\xc3", "\xff\xc3", "\xff\xc3" },
		{ "\xed\xa0\xbd", "\\uD83D", "\\uD83D" }, { "\xed\xb8\x80", "\\uDE00", "\\uDE00" },
		{ "\xed\xa0\xbd\xed\xb8\x80", "\xed\xa0\xbd\\uDE00", "\xed\xa0\xbd\\uDE00" },
		{ "${securepass:/s:b/k}", "${securepass\\:/s\\:b/k}", "${securepass:/s:b/k}" }
	};
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 1024);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		properties_append_key(&out, cases[i].text, strlen(cases[i].text));
		assert_string_equal(buf_cstr(&out), cases[i].key);
		buf_clear(&out);
		properties_append_value(&out, cases[i].text, strlen(cases[i].text));
		assert_string_equal(buf_cstr(&out), cases[i].value);
	}
	buf_clear(&out);
	properties_append_value(&out, BYTES("a\0b"));
	assert_string_equal(buf_cstr(&out), "a\\u0000b");
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_java_reads),
		cmocka_unit_test(test_format_goes_by_the_end_of_the_name),
		cmocka_unit_test(test_lines_are_counted_with_any_line_end),
		cmocka_unit_test(test_a_malformed_escape_is_placed_and_ends_the_reading),
		cmocka_unit_test(test_the_last_of_a_key_wins),
		cmocka_unit_test(test_keys_are_found_in_tables_of_every_size),
		cmocka_unit_test(test_the_raw_value_is_what_stands_in_the_file),
		cmocka_unit_test(test_a_value_is_compared_to_its_end),
		cmocka_unit_test(test_a_value_too_long_for_its_buffer_is_an_error),
		cmocka_unit_test(test_nothing_is_a_document),
		cmocka_unit_test(test_long_files_and_values),
		cmocka_unit_test(test_keys_and_values_are_written_as_they_must_be)
	};

	return cmocka_run_group_tests_name("properties", tests, NULL, NULL);
}

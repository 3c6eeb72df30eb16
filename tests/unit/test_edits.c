#include "document/document_internal.h"
#include "document/scope.h"
#include "edits_support.h"

static void
make(struct edits *e, enum edit_kind kind, size_t entry, const char *key, const char *value)
{
	struct error err = { 0 };
	int result = -1;

	switch (kind) {
	case EDIT_SET:
		result = edits_set(e, entry, value, strlen(value), &err);
		break;
	case EDIT_INSERT:
		result = edits_insert(e, entry, key, strlen(key), value, strlen(value), &err);
		break;
	case EDIT_REMOVE:
		result = edits_remove(e, entry, &err);
		break;
	case EDIT_SPLICE:
		break;
	}
	if (result == -1)
		fail_msg("refused: %s", err.text);
}

struct one {
	const char *before;
	size_t entry;
	const char *value;
	const char *after;
};

static void
check_each(const struct one *cases, size_t n, enum edit_kind kind)
{
	struct document *d;
	struct edits *e;
	size_t i;

	for (i = 0; i < n; i++) {
		d = parse(cases[i].before, strlen(cases[i].before));
		e = new_edits(d);
		make(e, kind, cases[i].entry, "k", cases[i].value);
		assert_renders(e, cases[i].after);
		edits_free(e);
		document_free(d);
	}
}

#define CHECK_EACH(cases, kind) check_each(cases, sizeof(cases) / sizeof((cases)[0]), kind)

static void
test_set_replaces_the_value_and_nothing_else(void **state)
{
	static const struct one cases[] = {
		{ "#c\n a = b \r\nc=d", 0, "x", "#c\n a = x\r\nc=d" },
		{ "a=b", 0, "x", "a=x" },
		{ "a=b\\\n  c\\\n  d\ne=f\n", 0, "x", "a=x\ne=f\n" },
		{ "a=\\\n  b\n", 0, "x", "a=x\n" },
		{ "a \\\n = b\n", 0, "x", "a \\\n = x\n" },
		{ "a=b\\\n  \ne=f\n", 0, "x", "a=x\ne=f\n" },
		{ "a=b\\\n\ne=f\n", 0, "x", "a=x\ne=f\n" },
		{ "a=b\\", 0, "x", "a=x" },
		{ "a=b\\\n", 0, "x", "a=x\n" },
		{ "a=b\\\r\n", 0, "x", "a=x\r\n" },
		{ "k=1\nk=2\nk=3\n", 1, "x", "k=1\nk=x\nk=3\n" },
		{ "a=b\n", 0, "", "a=\n" },
		{ "a = b\n", 0, "", "a = \n" },
		{ "a=\\\n  b\n", 0, "", "a=\n" },
		{ "a=\n", 0, "x", "a=x\n" },
		{ "a=b\n", 0, "C:\\new\n", "a=C:\\\\new\\n\n" },
		{ "a=b\n", 0, " =:#!", "a=\\ =:#!\n" },
	};

	(void)state;
	CHECK_EACH(cases, EDIT_SET);
}

static void
test_set_copes_with_a_missing_separator(void **state)
{
	static const struct one cases[] = {
		{ "a\n", 0, "x", "a=x\n" },
		{ "a", 0, "x", "a=x" },
		{ "b: c\na\n", 1, "x", "b: c\na: x\n" },
		{ "a\n", 0, "", "a=\n" },
		{ "a\\\n", 0, "x", "a=x\n" },
		{ "a\\\n  \nb", 0, "x", "a=x\nb" },
		{ "a \n", 0, "x", "a x\n" },
		{ "a\t b\n", 0, "x", "a\t x\n" },
		{ "a b\n", 0, "=x", "a \\=x\n" },
		{ "a b\n", 0, ":x", "a \\:x\n" },
		{ "a b\n", 0, " =x", "a \\ =x\n" },
		{ "a b\n", 0, "", "a \n" },
		{ "a= b\n", 0, "=x", "a= =x\n" },
		{ "\\", 0, "x", "=x" },
		{ "\\\n", 0, "x", "=x\n" },
		{ "\\\n\\\n", 0, "", "\\\n=\n" },
	};

	(void)state;
	CHECK_EACH(cases, EDIT_SET);
}

static void
test_insert_at_the_end_starts_a_line_of_its_own(void **state)
{
	static const struct one cases[] = {
		{ "", END, "v", "k = v\n" },
		{ "#c", END, "v", "#c\nk = v\n" },
		{ "#c\\", END, "v", "#c\\\nk = v\n" },
		{ "#c\\\n", END, "v", "#c\\\nk = v\n" },
		{ "  ", END, "v", "  \nk = v\n" },
		{ "a=b", END, "v", "a=b\nk=v\n" },
		{ "a=b\n", END, "v", "a=b\nk=v\n" },
		{ "a=b\r\nc=d", END, "v", "a=b\r\nc=d\r\nk=v\r\n" },
		{ "a=b\rc=d\n", END, "v", "a=b\rc=d\nk=v\r" },
		{ "a=b\n\nc=d\r\n", END, "v", "a=b\n\nc=d\r\nk=v\n" },
		{ "a=b\\", END, "v", "a=b\\\n\nk=v\n" },
		{ "a=b\\\\", END, "v", "a=b\\\\\nk=v\n" },
		{ "a=b\\\n", END, "v", "a=b\\\n\nk=v\n" },
		{ "a=b\\\r\n", END, "v", "a=b\\\r\n\r\nk=v\r\n" },
		{ "#\na=b\\\r", END, "v", "#\na=b\\\r\n\nk=v\n" },
		{ "a=b\\\n  ", END, "v", "a=b\\\n  \nk=v\n" },
		{ "a\\", END, "v", "a\\\n\nk=v\n" },
		{ "\\", END, "v", "\\\n=\nk=v\n" },
		{ "\\\n", END, "v", "\\\n=\nk=v\n" },
		{ "\\\r", END, "v", "\\\r=\rk=v\r" },
		{ "\\\r\n", END, "v", "\\\r\nk = v\r\n" },
		{ "a = b\n#\\", 0, "v", "a = b\nk = v\n#\\" },
		{ "a=b\\", 0, "v", "a=b\\\n\nk=v\n" },
		{ "a=b\\\n\n\nc=d\n", 0, "v", "a=b\\\n\nk=v\n\nc=d\n" },
	};

	(void)state;
	CHECK_EACH(cases, EDIT_INSERT);
}

static void
test_insert_takes_the_first_usual_separator(void **state)
{
	static const struct one cases[] = {
		{ "a b\nc =d\ne\n", 0, "v", "a b\nk=v\nc =d\ne\n" },
		{ "a b\nc : d\ne: f\ng=h\n", 3, "", "a b\nc : d\ne: f\ng=h\nk: \n" },
		{ "a:b\nc=d\n", 0, "v", "a:b\nk:v\nc=d\n" },
		{ "a = b\nc=d\n", 1, "v", "a = b\nc=d\nk = v\n" },
		{ "a=\nc : d\n", 1, "v", "a=\nc : d\nk=v\n" },
	};

	(void)state;
	CHECK_EACH(cases, EDIT_INSERT);
}

static void
test_remove_takes_the_logical_line(void **state)
{
	static const struct one cases[] = {
		{ "a=1\nb=2\nc=3\n", 1, NULL, "a=1\nc=3\n" },
		{ "#c\n  a=1\\\n  x\r\n\nb=2", 0, NULL, "#c\n\nb=2" },
		{ "a=1\nb=2", 1, NULL, "a=1\n" },
		{ "a=1\nb=2\\", 1, NULL, "a=1\n" },
		{ "a=1\nb=2\\\n", 1, NULL, "a=1\n" },
		{ "a=1\\\n  \nb=2", 0, NULL, "b=2" },
		{ "a=1", 0, NULL, "" },
		{ "k=1\nk=2\n", 0, NULL, "k=2\n" },
		/* What is left of these would be an entry with an empty key. */
		{ "a=1\n\\\nb=2\n", 1, NULL, "a=1\n" },
		{ "a=1\n\\\n \\\nb=2", 1, NULL, "a=1\n" },
		{ "a=1\n\\\n\nb=2\n", 1, NULL, "a=1\n\\\n\n" },
		{ "a=1\n\\\n", 1, NULL, "a=1\n" },
	};

	(void)state;
	CHECK_EACH(cases, EDIT_REMOVE);
}

static void
test_edits_of_one_document_go_together(void **state)
{
	struct document *d = parse(BYTES("a=1\nb=2\nc=3"));
	struct edits *e = new_edits(d);

	(void)state;
	make(e, EDIT_INSERT, END, "y", "1");
	make(e, EDIT_INSERT, 2, "z", "2");
	make(e, EDIT_REMOVE, 1, NULL, NULL);
	make(e, EDIT_INSERT, 0, "p", "3");
	make(e, EDIT_INSERT, 0, "q", "4");
	make(e, EDIT_INSERT, 1, "r", "5");
	make(e, EDIT_SET, 0, NULL, "one");
	assert_renders(e, "a=one\np=3\nq=4\nr=5\nc=3\ny=1\nz=2\n");
	edits_free(e);
	document_free(d);
}

static void
test_a_last_entry_that_changes_needs_no_blank_line(void **state)
{
	struct document *d = parse(BYTES("a=1\nb=2\\"));
	struct edits *e = new_edits(d);

	(void)state;
	make(e, EDIT_INSERT, END, "k", "v");
	make(e, EDIT_SET, 1, NULL, "x");
	assert_renders(e, "a=1\nb=x\nk=v\n");
	make(e, EDIT_REMOVE, 1, NULL, NULL);
	assert_renders(e, "a=1\nk=v\n");
	edits_free(e);
	document_free(d);
}

static void
test_a_later_change_replaces_the_earlier(void **state)
{
	struct document *d = parse(BYTES("a=1\nb=2\n"));
	struct edits *e = new_edits(d);

	(void)state;
	make(e, EDIT_SET, 0, NULL, "x");
	make(e, EDIT_REMOVE, 1, NULL, NULL);
	make(e, EDIT_SET, 0, NULL, "a longer one");
	assert_int_equal(edits_count(e), 2);
	assert_renders(e, "a=a longer one\n");
	make(e, EDIT_SET, 1, NULL, "y");
	make(e, EDIT_REMOVE, 0, NULL, NULL);
	assert_int_equal(edits_count(e), 2);
	assert_renders(e, "b=y\n");
	edits_free(e);
	document_free(d);
}

static void
test_changes_can_be_shown(void **state)
{
	struct document *d = parse(BYTES("a=1\n\\u0062=2\n"));
	struct edits *e = new_edits(d);
	struct edit x;

	(void)state;
	assert_int_equal(edits_count(e), 0);
	make(e, EDIT_INSERT, END, "k", "v");
	make(e, EDIT_SET, 1, NULL, "x\n");
	make(e, EDIT_REMOVE, 0, NULL, NULL);
	make(e, EDIT_INSERT, 1, "", "");
	assert_int_equal(edits_count(e), 4);
	x = edits_at(e, 0);
	assert_true(x.kind == EDIT_INSERT && x.entry == DOCUMENT_NONE && x.line == 0);
	assert_true(x.key_len == 1 && x.key[0] == 'k' && x.value_len == 1 && x.value[0] == 'v');
	x = edits_at(e, 1);
	assert_true(x.kind == EDIT_SET && x.entry == 1 && x.line == 2);
	assert_true(x.key_len == 1 && x.key[0] == 'b');
	assert_true(x.value_len == 2 && memcmp(x.value, "x\n", 2) == 0);
	x = edits_at(e, 2);
	assert_true(x.kind == EDIT_REMOVE && x.entry == 0 && x.line == 1);
	assert_true(x.key_len == 1 && x.key[0] == 'a' && x.value_len == 0);
	x = edits_at(e, 3);
	assert_true(x.kind == EDIT_INSERT && x.entry == 1 && x.line == 2);
	assert_true(x.key_len == 0 && x.value_len == 0);
	edits_free(e);
	edits_free(NULL);
	document_free(d);
}

static void
test_entries_that_are_not_there_are_refused(void **state)
{
	struct document *d = parse(BYTES("a=1\n"));
	struct edits *e = new_edits(d);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(edits_set(e, 1, "x", 1, &err), -1);
	assert_int_equal(err.code, ERROR_USAGE);
	assert_int_equal(edits_remove(e, DOCUMENT_NONE, &err), -1);
	assert_int_equal(err.code, ERROR_USAGE);
	assert_int_equal(edits_insert(e, 1, "k", 1, "v", 1, &err), -1);
	assert_int_equal(err.code, ERROR_USAGE);
	assert_int_equal(edits_set(e, 0, "x", BUF_MAX_FILE + 1, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(edits_count(e), 0);
	assert_renders(e, "a=1\n");
	edits_free(e);
	document_free(d);
}

static void
test_nothing_goes_behind_a_problem(void **state)
{
	struct document *d = parse(BYTES("a=1\nb=\\u00\nc=3"));
	struct edits *e = new_edits(d);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(edits_insert(e, DOCUMENT_NONE, "k", 1, "v", 1, &err), -1);
	assert_int_equal(err.code, ERROR_FORMAT);
	assert_int_equal(err.line, 2);
	make(e, EDIT_SET, 0, NULL, "x");
	make(e, EDIT_INSERT, 0, "k", "v");
	assert_renders(e, "a=x\nk=v\nb=\\u00\nc=3");
	edits_free(e);
	document_free(d);
}

static void
test_secret_values_stay_in_secret_memory(void **state)
{
	struct document *d = parse(BYTES("a=1\n"));
	struct error err = { 0 };
	struct edits *e = edits_new(d, true, &err);
	struct buf out;

	(void)state;
	assert_non_null(e);
	make(e, EDIT_SET, 0, NULL, "geheim");
	make(e, EDIT_INSERT, END, "k", "v");
	assert_renders(e, "a=geheim\nk=v\n");
	/* Too small a buffer is an error and no half document. */
	buf_init_secret(&out, 5);
	assert_int_equal(edits_render(e, &out, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	buf_release(&out);
	edits_free(e);
	document_free(d);
}

/* A step that is quadratic in the number of edits would take minutes. */
static void
test_many_edits(void **state)
{
	size_t n = 100000;
	struct error err = { 0 };
	struct document *d;
	struct edits *e;
	struct buf text, out;
	size_t i;

	(void)state;
	buf_init(&text, BUF_MAX_FILE);
	for (i = 0; i < n; i++)
		buf_printf(&text, "key.%zu=old\n", i);
	d = parse(text.data, text.len);
	e = new_edits(d);
	for (i = n; i-- > 0; )
		assert_int_equal(edits_set(e, i, "new", 3, &err), 0);
	for (i = 0; i < n; i++)
		assert_int_equal(edits_insert(e, i / 2, "k", 1, "v", 1, &err), 0);
	assert_int_equal(edits_count(e), 2 * n);
	out = render(e);
	assert_int_equal(out.len, text.len + 4 * n);
	assert_int_equal(strncmp((const char *)out.data, "key.0=new\nk=v\nk=v\nkey.1=new\n", 28),
	    0);
	buf_release(&out);
	edits_free(e);
	document_free(d);
	buf_release(&text);
}

/* A format that only knows how to read. */
static void
test_a_format_that_is_only_read_refuses_every_change(void **state)
{
	static const char text[] = "a=b\n";
	struct document_ops ops = properties_ops;
	struct document_format format = document_properties;
	struct error err = { 0 };
	struct document *d;
	struct edits *e;
	struct buf content, out;

	(void)state;
	ops.render_begin = NULL;
	ops.render_change = NULL;
	ops.render_splices = NULL;
	ops.write_value = NULL;
	ops.seek = NULL;
	format.ops = &ops;
	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append_str(&content, text);
	d = document_parse(&content, &format, "x.env", &err);
	assert_non_null(d);
	e = new_edits(d);
	assert_int_equal(edits_set(e, 0, "c", 1, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_string_equal(err.file, "x.env");
	assert_int_equal(edits_insert(e, DOCUMENT_NONE, "k", 1, "v", 1, &err), -1);
	assert_int_equal(edits_remove(e, 0, &err), -1);
	assert_renders(e, text);
	buf_init(&out, 64);
	document_append_value(&format, &out, "x\\y", 4);
	assert_string_equal(buf_cstr(&out), "x\\y");
	buf_release(&out);
	edits_free(e);
	document_free(d);
}

/* What is said and searched beside the table of formats names all of them. */
static void
test_every_format_is_named_where_endings_are(void **state)
{
	(void)state;
	for (size_t i = 0; document_formats[i] != NULL; i++) {
		assert_non_null(strstr(DOCUMENT_ENDINGS, document_formats[i]->ending));
		assert_non_null(strstr(SCOPE_BUILT_IN, document_formats[i]->ending));
	}
}

/* The value that a key gets, "-" where it goes, NULL: nothing changes it. */
static const char *
found(struct edits *e, const char *key)
{
	static char value[64];
	size_t i;
	struct edit x;

	assert_int_equal(edits_find(e, key, strlen(key), &i, NULL), 0);
	if (i == DOCUMENT_NONE)
		return NULL;
	x = edits_at(e, i);
	snprintf(value, sizeof(value), "%.*s", x.kind == EDIT_REMOVE ? 1 : (int)x.value_len,
	    x.kind == EDIT_REMOVE ? "-" : x.value);
	return value;
}

static void
test_changes_are_found_by_key(void **state)
{
	static const char text[] = "a=1\nb=2\na=3\nc=4\n";
	struct document *d = parse(text, sizeof(text) - 1);
	struct edits *e = new_edits(d);
	char key[16];

	(void)state;
	assert_null(found(e, "a"));
	make(e, EDIT_SET, 0, NULL, "hidden");
	assert_null(found(e, "a"));
	make(e, EDIT_SET, 2, NULL, "counts");
	make(e, EDIT_REMOVE, 1, NULL, NULL);
	assert_string_equal(found(e, "a"), "counts");
	assert_string_equal(found(e, "b"), "-");
	assert_null(found(e, "c"));
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_null(found(e, key));
		make(e, EDIT_INSERT, i % 2 == 0 ? END : 3, key, key);
		assert_string_equal(found(e, key), key);
	}
	make(e, EDIT_INSERT, END, "k7", "last");
	assert_string_equal(found(e, "k7"), "last");
	assert_string_equal(found(e, "k0"), "k0");
	edits_clear(e);
	assert_null(found(e, "k7"));
	assert_null(found(e, "a"));
	assert_renders(e, text);
	make(e, EDIT_INSERT, END, "k7", "new");
	assert_string_equal(found(e, "k7"), "new");
	edits_free(e);
	document_free(d);
}

static void
test_two_insertions_of_one_name(void **state)
{
	static const char text[] = "a=1\n";
	struct document *d = parse(text, sizeof(text) - 1);
	struct edits *e = new_edits(d);

	(void)state;
	assert_int_equal(edits_insert_two(e, "f/k", 3, "v", 1, "tag/", "sum", 3, NULL), 0);
	assert_int_equal(edits_insert_two(e, "f/l", 3, "", 0, "tag/", "x", 1, NULL), 0);
	assert_int_equal(edits_count(e), 4);
	assert_renders(e, "a=1\nf/k=v\ntag/f/k=sum\nf/l=\ntag/f/l=x\n");
	assert_string_equal(found(e, "f/k"), "v");
	assert_string_equal(found(e, "f/l"), "");
	assert_null(found(e, "tag/f/k"));
	edits_free(e);
	document_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_replaces_the_value_and_nothing_else),
		cmocka_unit_test(test_set_copes_with_a_missing_separator),
		cmocka_unit_test(test_insert_at_the_end_starts_a_line_of_its_own),
		cmocka_unit_test(test_insert_takes_the_first_usual_separator),
		cmocka_unit_test(test_remove_takes_the_logical_line),
		cmocka_unit_test(test_edits_of_one_document_go_together),
		cmocka_unit_test(test_a_last_entry_that_changes_needs_no_blank_line),
		cmocka_unit_test(test_a_later_change_replaces_the_earlier),
		cmocka_unit_test(test_changes_can_be_shown),
		cmocka_unit_test(test_changes_are_found_by_key),
		cmocka_unit_test(test_two_insertions_of_one_name),
		cmocka_unit_test(test_entries_that_are_not_there_are_refused),
		cmocka_unit_test(test_nothing_goes_behind_a_problem),
		cmocka_unit_test(test_secret_values_stay_in_secret_memory),
		cmocka_unit_test(test_many_edits),
		cmocka_unit_test(test_a_format_that_is_only_read_refuses_every_change),
		cmocka_unit_test(test_every_format_is_named_where_endings_are)
	};

	return cmocka_run_group_tests_name("edits", tests, NULL, NULL);
}

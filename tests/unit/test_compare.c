#include "secrets/inspect.h"
#include "estate_fixture.h"

#define KEYSTORE OURS("server.properties/ssl.keystore.password")

static int
describe(void *cookie, const struct compare_entry *e, struct error *err)
{
	struct buf *out = cookie;

	(void)err;
	buf_append(out, e->key, e->len);
	buf_printf(out, " %s %d %d\n", compare_name(e->result), (int)e->a, (int)e->b);
	return 0;
}

/* Compare two texts; the result as lines `key result a b`. */
static void
assert_compares(const struct secrets_file *s, const char *a, const char *b, const char *want)
{
	struct document *x = fixture_document(a, strlen(a)), *y = fixture_document(b, strlen(b));
	struct error err;
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(compare_documents(x, y, &(struct compare_sides){ .s = s }, describe, &out, &err), 0);
	assert_string_equal(buf_cstr(&out), want);
	buf_release(&out);
	document_free(y);
	document_free(x);
}

static void
test_entries_are_compared_as_they_are_read(void **state)
{
	(void)state;
	assert_compares(NULL, "", "", "");
	assert_compares(NULL, "a=1\nb : 2\nc=3\n", "# x\nb=2\na=\\u0031\nc=4\nd=5\n",
	    "a same 0 1\nb same 1 0\nc different 2 2\nd only-b -1 3\n");
	assert_compares(NULL, "a=1\nz=1\n", "a=1", "a same 0 0\nz only-a 1 -1\n");
	assert_compares(NULL, "a=1\na=2\n", "a=2\na=3\na=2\n", "a same 1 2\n");
}

static void
test_references_are_resolved_when_they_can_be(void **state)
{
	struct secrets_file *s = fixture_secrets(MODERN);
	struct key *k = fixture_key(MODERN_MASTER);
	static const char sealed[] = "x=" KEYSTORE "\n", clear[] = "x=" MODERN_KEYSTORE "\n";

	(void)state;
	assert_compares(NULL, sealed, sealed, "x same 0 0\n");
	assert_compares(NULL, sealed, clear, "x unknown 0 0\n");
	assert_compares(s, sealed, clear, "x unknown 0 0\n");
	assert_int_equal(secrets_file_unlock(s, k, NULL), 0);
	assert_compares(s, sealed, clear, "x equal 0 0\n");
	assert_compares(s, clear, sealed, "x equal 0 0\n");
	assert_compares(s, sealed, "x=other\n", "x different 0 0\n");
	assert_compares(s, sealed, "x=" OURS("client.properties/basic.auth.password"),
	    "x different 0 0\n");
	assert_compares(s, sealed, "x=" OURS("nope"), "x unknown 0 0\n");
	assert_compares(s, "x=[" KEYSTORE "]\n", "x=[" MODERN_KEYSTORE "]\n", "x equal 0 0\n");
	/* Those of other providers are text like any other. */
	assert_compares(s, "x=${vault:a:b}\n", "x=y\n", "x different 0 0\n");
	key_free(k);
	secrets_file_free(s);
}

static int
end_here(void *cookie, const struct compare_entry *e, struct error *err)
{
	(void)e;
	++*(int *)cookie;
	return error_set(err, ERROR_REFUSED, "enough");
}

static void
test_the_caller_can_end_it(void **state)
{
	struct document *d = fixture_document("a=1\nb=2\n", 8);
	struct error err;
	int calls = 0;

	(void)state;
	assert_int_equal(compare_documents(d, d, &(struct compare_sides){ .s = NULL }, end_here, &calls, &err), -1);
	assert_int_equal(calls, 1);
	assert_string_equal(err.text, "enough");
	document_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_are_compared_as_they_are_read),
		cmocka_unit_test(test_references_are_resolved_when_they_can_be),
		cmocka_unit_test(test_the_caller_can_end_it)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

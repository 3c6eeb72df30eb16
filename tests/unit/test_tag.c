#include "seal/keying.h"
#include "seal/seal.h"
#include "secrets/sealed.h"
#include "estate_fixture.h"

#define CONFIG "a.password=alpha-S3cret\nb.password=beta-S3cret\n"
#define A "server.properties/a.password"
#define B "server.properties/b.password"

/* A secrets file with two tagged entries, as text. */
static void
two_entries(struct world *w, struct buf *text)
{
	world_prepare(w, MODERN, MODERN_MASTER, CONFIG);
	assert_int_equal(seal_default(w->p, w->c, &fixture_options, NULL, &w->err), 0);
	fixture_render(w->p, PLAN_SECRETS, text);
}

/* The value of ${key} in ${text}: where it is, and its length. */
static char *
value_of(struct buf *text, const char *key, size_t *len)
{
	char line[256];
	char *p;

	snprintf(line, sizeof(line), "\n%s = ", key);
	p = strstr((char *)(uintptr_t)buf_cstr(text), line);
	assert_non_null(p);
	p += strlen(line);
	*len = strcspn(p, "\n");
	return p;
}

/* Exchange the values of two keys, which may differ in length. */
static void
swap(struct buf *text, const char *first, const char *second)
{
	char one[512], two[512];
	size_t n, m;
	struct buf out;
	char *p = value_of(text, first, &n), *q = value_of(text, second, &m);

	if (p > q) {
		swap(text, second, first);
		return;
	}
	snprintf(one, sizeof(one), "%.*s", (int)n, p);
	snprintf(two, sizeof(two), "%.*s", (int)m, q);
	buf_init_secret(&out, BUF_MAX_FILE);
	buf_append(&out, text->data, (size_t)(p - (char *)text->data));
	buf_append_str(&out, two);
	buf_append(&out, p + n, (size_t)(q - (p + n)));
	buf_append_str(&out, one);
	buf_append_str(&out, q + m);
	buf_release(text);
	*text = out;
}

static struct secrets_file *
unlocked(struct buf *text)
{
	struct key *master = fixture_key(MODERN_MASTER);
	struct secrets_file *s = secrets_file_parse("secrets.properties", text, NULL);

	assert_non_null(s);
	assert_int_equal(secrets_file_unlock(s, master, NULL), 0);
	key_free(master);
	return s;
}

static enum tag_state
state(const struct secrets_file *s, const char *name, size_t *owner)
{
	size_t i = secrets_file_find(s, name, strlen(name));
	enum tag_state state;

	assert_int_not_equal(i, DOCUMENT_NONE);
	assert_int_equal(secrets_file_tag(s, i, &state, owner, NULL), 0);
	return state;
}

/* Does entry ${i} have this key? */
static void
assert_is_entry(const struct secrets_file *s, size_t i, const char *key)
{
	const char *is;
	size_t len;

	assert_int_not_equal(i, DOCUMENT_NONE);
	is = document_key(secrets_file_document(s), i, &len);
	assert_int_equal(len, strlen(key));
	assert_memory_equal(is, key, len);
}

static void
assert_refused(const struct secrets_file *s, const char *name)
{
	struct buf plain;
	struct error err;

	buf_init_secret(&plain, BUF_MAX_FILE);
	assert_int_equal(secrets_file_open(s, secrets_file_find(s, name, strlen(name)), &plain,
	    &err), -1);
	assert_int_equal(err.code, ERROR_DAMAGED);
	assert_string_equal(err.key, name);
	assert_non_null(strstr(err.text, "another entry"));
	assert_int_equal(plain.len, 0);
	buf_release(&plain);
}

static void
test_what_is_sealed_has_a_good_tag(void **unused)
{
	struct secrets_file *s;
	struct world w;
	struct buf text;

	(void)unused;
	two_entries(&w, &text);
	s = unlocked(&text);
	assert_int_equal(state(s, A, NULL), TAG_GOOD);
	assert_int_equal(state(s, B, NULL), TAG_GOOD);
	/* What another program sealed has none, and opens. */
	assert_int_equal(state(s, "server.properties/ssl.keystore.password", NULL), TAG_NONE);
	secrets_file_free(s);
	buf_release(&text);
	world_close(&w);
}

static void
check_swapped(bool with_values, bool with_tags)
{
	struct secrets_file *s;
	struct world w;
	struct buf text;
	size_t owner;

	two_entries(&w, &text);
	if (with_values)
		swap(&text, A, B);
	if (with_tags)
		swap(&text, TAG_PREFIX A, TAG_PREFIX B);
	s = unlocked(&text);
	assert_int_equal(state(s, A, &owner), TAG_EXCHANGED);
	assert_is_entry(s, owner, B);
	assert_refused(s, A);
	assert_refused(s, B);
	secrets_file_free(s);
	buf_release(&text);
	world_close(&w);
}

static void
test_swapped_values_do_not_open(void **unused)
{
	(void)unused;
	check_swapped(true, false);
	check_swapped(true, true);
	check_swapped(false, true);
}

static void
test_a_value_of_another_program_opens_and_is_told(void **unused)
{
	struct secrets_file *s, *other;
	struct world w, again;
	struct buf text, resealed, plain;
	size_t n, m;
	char *p, *q;

	(void)unused;
	/* The same value sealed twice: two ciphertexts of one length. */
	two_entries(&w, &text);
	two_entries(&again, &resealed);
	p = value_of(&text, A, &n);
	q = value_of(&resealed, A, &m);
	assert_int_equal(n, m);
	assert_memory_not_equal(p, q, n);
	memcpy(p, q, n);
	s = unlocked(&text);
	other = unlocked(&resealed);
	assert_int_equal(state(s, A, NULL), TAG_STALE);
	buf_init_secret(&plain, BUF_MAX_FILE);
	assert_int_equal(secrets_file_open(s, secrets_file_find(s, A, strlen(A)), &plain, NULL), 0);
	buf_release(&plain);
	secrets_file_free(other);
	secrets_file_free(s);
	buf_release(&resealed);
	buf_release(&text);
	world_close(&again);
	world_close(&w);
}

static void
test_tags_do_not_depend_on_the_order_of_lines(void **unused)
{
	struct secrets_file *s;
	struct world w;
	struct buf text, turned;
	const char *p, *end;

	(void)unused;
	two_entries(&w, &text);
	/* The last line first, and so on. */
	buf_init_secret(&turned, BUF_MAX_FILE);
	(void)buf_cstr(&text);
	for (end = (const char *)text.data + text.len; end > (const char *)text.data; end = p) {
		for (p = end - 1; p > (const char *)text.data && p[-1] != '\n'; p--)
			continue;
		buf_append(&turned, p, (size_t)(end - p));
	}
	s = unlocked(&turned);
	assert_int_equal(state(s, A, NULL), TAG_GOOD);
	assert_int_equal(state(s, B, NULL), TAG_GOOD);
	secrets_file_free(s);
	buf_release(&turned);
	buf_release(&text);
	world_close(&w);
}

static void
test_rotation_tags_everything(void **unused)
{
	struct secrets_file *s;
	struct world w;

	(void)unused;
	world_open(&w, MODERN, MODERN_MASTER, NULL);
	assert_int_equal(rotate_data_key(w.p, w.master, NULL, NULL, &w.err), 0);
	s = world_planned(&w, w.master);
	assert_int_equal(state(s, "server.properties/ssl.keystore.password", NULL), TAG_GOOD);
	secrets_file_free(s);
	world_close(&w);
}

static void
test_removing_an_entry_removes_its_tag(void **unused)
{
	struct secrets_file *s;
	struct world w;
	size_t tag;

	(void)unused;
	world_prepare(&w, MODERN, MODERN_MASTER, CONFIG);
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, NULL, &w.err), 0);
	world_apply(&w);
	assert_int_equal(seal_remove(w.p, w.c, "a.password", 10, false, &w.err), 0);
	s = world_planned(&w, w.master);
	assert_int_equal(tag_find(secrets_file_document(s), A, strlen(A), DOCUMENT_NONE, &tag,
	    NULL), 0);
	assert_int_equal(tag, DOCUMENT_NONE);
	assert_int_equal(state(s, B, NULL), TAG_GOOD);
	secrets_file_free(s);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_sealed_has_a_good_tag),
		cmocka_unit_test(test_swapped_values_do_not_open),
		cmocka_unit_test(test_a_value_of_another_program_opens_and_is_told),
		cmocka_unit_test(test_tags_do_not_depend_on_the_order_of_lines),
		cmocka_unit_test(test_rotation_tags_everything),
		cmocka_unit_test(test_removing_an_entry_removes_its_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "seal/seal.h"
#include "seal/render.h"
#include "estate_fixture.h"

#define KEYSTORE "ssl.keystore.password"
#define KEYSTORE_LINE KEYSTORE "=" OURS("server.properties/" KEYSTORE) "\n"

static int
remove_key(struct world *w, const char *key, bool orphan)
{
	return seal_remove(w->p, w->c, key, strlen(key), orphan, &w->err);
}

static void
assert_not_removed(struct world *w, const char *key, bool orphan, enum error_code code)
{
	assert_int_equal(remove_key(w, key, orphan), -1);
	assert_int_equal(w->err.code, code);
	assert_string_equal(w->err.file, "etc/server.properties");
	assert_string_equal(w->err.key, key);
	assert_true(plan_is_empty(w->p));
}

/* Is there a sealed entry of this name in the secrets file as planned? */
static bool
planned_has(const struct world *w, const char *name)
{
	struct secrets_file *s;
	struct buf out;
	bool has;

	if (fixture_file(w->p, PLAN_SECRETS) == NULL)
		return secrets_file_find(w->s, name, strlen(name)) != DOCUMENT_NONE;
	fixture_render(w->p, PLAN_SECRETS, &out);
	s = secrets_file_parse("secrets.properties", &out, NULL);
	assert_non_null(s);
	has = secrets_file_find(s, name, strlen(name)) != DOCUMENT_NONE;
	secrets_file_free(s);
	return has;
}

/* --- removing --- */

static void
test_remove_takes_both_lines_and_no_other(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "# one\na = 1\nserver.properties/x = ENC[y]\n# two\n", NULL,
	    "a=1\r\n# c\r\nx=" OURS("server.properties/x") "\r\nb=2");
	assert_int_equal(remove_key(&w, "x", false), 0);
	assert_rendered(w.p, PLAN_SECRETS, "# one\na = 1\n# two\n");
	assert_rendered(w.p, PLAN_CONFIG, "a=1\r\n# c\r\nb=2");
	assert_string_equal(plan_notes(w.p), "");
	/* The reference goes before what it stands for. */
	assert_int_equal(fixture_file_at(w.p, 0)->role, PLAN_CONFIG);
	assert_int_equal(fixture_file_at(w.p, 1)->role, PLAN_SECRETS);
	world_close(&w);
}

static void
test_remove_takes_every_line_of_the_key(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "server.properties/x = ENC[1]\nserver.properties/x = ENC[2]\n", NULL,
	    "x=old\nx=" OURS("server.properties/x") "\ny=1\nx=" OURS("server.properties/x")
	    "\n");
	assert_int_equal(remove_key(&w, "x", false), 0);
	assert_rendered(w.p, PLAN_SECRETS, "");
	assert_rendered(w.p, PLAN_CONFIG, "y=1\n");
	world_close(&w);
}

static void
test_remove_needs_no_key_and_can_be_repeated(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, MODERN, NULL, KEYSTORE_LINE);
	assert_int_equal(remove_key(&w, KEYSTORE, false), 0);
	assert_int_equal(remove_key(&w, KEYSTORE, false), 0);
	assert_rendered(w.p, PLAN_CONFIG, "");
	world_apply(&w);
	assert_not_removed(&w, KEYSTORE, false, ERROR_MISSING);
	world_close(&w);
}

static void
test_what_is_not_sealed_is_not_removed(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, MODERN, NULL, "plain=hunter2\nother=${vault:a:b}\nempty=\n"
	    "hidden=" OURS("server.properties/" KEYSTORE) "\nhidden=hunter2\n");
	assert_not_removed(&w, "plain", false, ERROR_MISSING);
	assert_int_equal(w.err.line, 1);
	assert_null(strstr(w.err.text, "hunter2"));
	assert_not_removed(&w, "other", false, ERROR_MISSING);
	assert_not_removed(&w, "empty", true, ERROR_MISSING);
	assert_not_removed(&w, "hidden", true, ERROR_MISSING);
	world_close(&w);
}

static void
test_remove_of_a_missing_key(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, MODERN, NULL, "a=1\n");
	assert_not_removed(&w, "gone", false, ERROR_MISSING);
	assert_null(strstr(w.err.hint, "--orphan"));
	assert_not_removed(&w, "gone", true, ERROR_MISSING);
	/* A sealed entry is left: the hint says what takes it away. */
	assert_not_removed(&w, KEYSTORE, false, ERROR_MISSING);
	assert_non_null(strstr(w.err.hint, "--orphan"));
	world_close(&w);
}

static void
test_an_orphan_is_removed_when_asked(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "server.properties/x = ENC[1]\n# c\nserver.properties/x = ENC[2]\n", NULL,
	    "a=1\n");
	assert_int_equal(remove_key(&w, "x", true), 0);
	assert_int_equal(plan_file_count(w.p), 1);
	assert_rendered(w.p, PLAN_SECRETS, "# c\n");
	world_close(&w);
}

/* It has no line of its own, but another key's value is in it. */
static void
test_an_entry_that_another_key_refers_to_is_no_orphan(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, MODERN, NULL, "a=1\nb.password=" OURS("server.properties/" KEYSTORE) "\n");
	assert_int_equal(remove_key(&w, KEYSTORE, true), -1);
	assert_int_equal(w.err.code, ERROR_REFUSED);
	assert_int_equal(w.err.line, 2);
	assert_true(plan_is_empty(w.p));
	world_close(&w);
	/* Escapes do not hide it. */
	world_open(&w, MODERN, NULL,
	    "b=\\u0024{securepass:x:server.properties/ssl.keystore\\.password}\n");
	assert_int_equal(remove_key(&w, KEYSTORE, true), -1);
	assert_int_equal(w.err.code, ERROR_REFUSED);
	world_close(&w);
	/* A line that is not read does not count. */
	world_open(&w, MODERN, NULL, "b=" OURS("server.properties/" KEYSTORE) "\nb=1\n");
	assert_int_equal(remove_key(&w, KEYSTORE, true), 0);
	world_close(&w);
}

static void
test_an_entry_that_another_key_shares_stays(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, MODERN, NULL, KEYSTORE_LINE
	    "b.password=" OURS("server.properties/" KEYSTORE) "\n");
	assert_int_equal(remove_key(&w, KEYSTORE, false), 0);
	assert_rendered(w.p, PLAN_CONFIG,
	    "b.password=" OURS("server.properties/" KEYSTORE) "\n");
	assert_true(planned_has(&w, "server.properties/" KEYSTORE));
	assert_non_null(strstr(plan_notes(w.p), ":2:"));
	world_close(&w);
}

static void
test_an_entry_of_another_name_stays(void **state)
{
	static const char *const names[] = { "client.properties/basic.auth.password",
		"server.properties/ssl.key.password", "server.properties",
		"xserver.properties/k", "server.properties/k2" };
	struct buf config;
	struct world w;
	size_t i;

	(void)state;
	buf_init(&config, 4096);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		buf_clear(&config);
		buf_printf(&config, "k=${securepass:" REMOTE ":%s}\n", names[i]);
		world_open(&w, MODERN, NULL, buf_cstr(&config));
		assert_int_equal(remove_key(&w, "k", false), 0);
		assert_int_equal(plan_file_count(w.p), 1);
		assert_rendered(w.p, PLAN_CONFIG, "");
		assert_non_null(strstr(plan_notes(w.p), "another name"));
		world_close(&w);
	}
	buf_release(&config);
}

static void
test_a_dangling_reference_is_removed_alone(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, MODERN, NULL, "gone=" OURS("server.properties/gone") "\n");
	assert_int_equal(remove_key(&w, "gone", false), 0);
	assert_int_equal(plan_file_count(w.p), 1);
	assert_rendered(w.p, PLAN_CONFIG, "");
	assert_non_null(strstr(plan_notes(w.p), "dangling"));
	world_close(&w);
}

/* Metadata has no configuration entry, whatever a reference says. */
static void
test_metadata_is_never_removed(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, MODERN, NULL, "k=" OURS(SECRETS_DATA_KEY) "\n");
	assert_int_equal(remove_key(&w, "k", false), 0);
	assert_null(fixture_file(w.p, PLAN_SECRETS));
	world_close(&w);
}

/* --- opening to text --- */

static int
to_text(const char *config, const char *const keys[], size_t n, bool any_name, struct buf *out,
    struct error *err)
{
	struct secrets_file *s = fixture_unlocked(MODERN, MODERN_MASTER);
	struct configuration *c = fixture_config("etc/server.properties", config);
	size_t lens[8] = { 0 };
	size_t i;
	int rc;

	assert_true(n <= 8);
	for (i = 0; i < n; i++)
		lens[i] = strlen(keys[i]);
	buf_init_secret(out, BUF_MAX_FILE);
	rc = render_opened(c, s, keys, lens, n, any_name, out, err);
	configuration_free(c);
	secrets_file_free(s);
	return rc;
}

#define ALL \
	"# c\n" \
	"plain=1\n" \
	"listener.sasl.password=" OURS("server.properties/listener.sasl.password") "\n" \
	"v=${vault:a:b}\n" \
	"ssl.key.password=" OURS("server.properties/ssl.key.password") "\n" \
	KEYSTORE_LINE

static void
test_all_references_in_the_order_of_the_file(void **state)
{
	struct error err;
	struct buf out;

	(void)state;
	assert_int_equal(to_text(ALL, NULL, 0, false, &out, &err), 0);
	assert_string_equal(buf_cstr(&out),
	    "listener.sasl.password = p\\u00E4ss\\\\w\\u00F6rd = x\n"
	    "ssl.key.password = \n"
	    KEYSTORE " = " MODERN_KEYSTORE "\n");
	buf_release(&out);
}

static void
test_named_keys_in_the_order_of_the_names(void **state)
{
	static const char *const keys[] = { KEYSTORE, "plain", "ssl.key.password" };
	struct error err;
	struct buf out;

	(void)state;
	assert_int_equal(to_text(ALL, keys, 3, false, &out, &err), 0);
	assert_string_equal(buf_cstr(&out),
	    KEYSTORE " = " MODERN_KEYSTORE "\nplain = 1\nssl.key.password = \n");
	buf_release(&out);
}

static void
test_the_line_that_is_read_is_opened(void **state)
{
	struct error err;
	struct buf out;

	(void)state;
	assert_int_equal(to_text("a=" OURS("server.properties/gone") "\na=plain\n"
	    "b=plain\nb=" OURS("server.properties/" KEYSTORE) "\n", NULL, 0, false, &out, &err),
	    0);
	assert_string_equal(buf_cstr(&out), "b = " MODERN_KEYSTORE "\n");
	buf_release(&out);
}

static void
test_nothing_to_open(void **state)
{
	struct error err;
	struct buf out;

	(void)state;
	assert_int_equal(to_text("a=1\nv=${vault:a:b}\n", NULL, 0, false, &out, &err), 0);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

static void
assert_not_opened(const char *config, const char *key, enum error_code code, size_t line)
{
	struct error err = { 0 };
	struct buf out;

	assert_int_equal(to_text(config, &key, key == NULL ? 0 : 1, false, &out, &err), -1);
	assert_int_equal(err.code, code);
	assert_string_not_equal(err.file, "");
	assert_int_equal(err.line, line);
	assert_string_not_equal(err.key, "");
	assert_string_not_equal(err.hint, "");
	buf_release(&out);
}

static void
test_what_cannot_be_opened_is_named(void **state)
{
	(void)state;
	assert_not_opened("a=1\n", "gone", ERROR_MISSING, 0);
	assert_not_opened("a=1\nv=${vault:a:b}\n", "v", ERROR_MISSING, 2);
	assert_not_opened("a=1\nb=" OURS("server.properties/gone") "\n", NULL, ERROR_MISSING, 2);
	assert_not_opened("b=" OURS("client.properties/basic.auth.password") "\n", NULL,
	    ERROR_MISSING, 1);
	assert_not_opened("b=" OURS("server.properties") "\n", NULL, ERROR_MISSING, 1);
	assert_not_opened("b=" OURS(SECRETS_DATA_KEY) "\n", NULL, ERROR_MISSING, 1);
}

static void
test_any_name_opens_what_a_renamed_file_refers_to(void **state)
{
	struct error err;
	struct buf out;

	(void)state;
	assert_int_equal(to_text("b=" OURS("client.properties/basic.auth.password") "\n", NULL, 0,
	    true, &out, &err), 0);
	assert_string_equal(buf_cstr(&out), "b = " MODERN_CLIENT "\n");
	buf_release(&out);
	/* But not what is no sealed entry at all. */
	assert_int_equal(to_text("b=" OURS(SECRETS_DATA_KEY) "\n", NULL, 0, true, &out, &err), -1);
	assert_int_equal(err.code, ERROR_MISSING);
	buf_release(&out);
}

static void
test_damage_is_reported_where_it_is(void **state)
{
	struct secrets_file *s = fixture_unlocked(MODERN
	    "server.properties/x = ENC[AES/GCM/NoPadding,data:AAAA,type:str]\n"
	    "server.properties/y = hunter2\n", MODERN_MASTER);
	struct configuration *c = fixture_config("etc/server.properties",
	    "x=" OURS("server.properties/x") "\ny=" OURS("server.properties/y") "\n");
	static const char *const y[] = { "y" };
	const size_t one = 1;
	struct error err;
	struct buf out;

	(void)state;
	buf_init_secret(&out, 1000);
	assert_int_equal(render_opened(c, s, NULL, NULL, 0, false, &out, &err), -1);
	assert_int_equal(err.code, ERROR_DAMAGED);
	assert_string_equal(err.file, "secrets.properties");
	assert_int_equal(err.line, 12);
	assert_string_equal(err.key, "server.properties/x");
	assert_int_equal(render_opened(c, s, y, &one, 1, false, &out, &err), -1);
	assert_int_equal(err.code, ERROR_DAMAGED);
	assert_int_equal(err.line, 13);
	assert_null(strstr(err.text, "hunter2"));
	secrets_file_lock(s);
	assert_int_equal(render_opened(c, s, NULL, NULL, 0, false, &out, &err), -1);
	assert_int_equal(err.code, ERROR_KEY);
	buf_release(&out);
	configuration_free(c);
	secrets_file_free(s);
}

/* Whatever the bytes: sealed, opened to text and read again they are the same. */
static void
test_text_reads_back_as_the_same_bytes(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} values[] = {
		{ "", 0 }, { " leading", 8 }, { "trailing ", 9 }, { "\\", 1 }, { "a\\", 2 },
		{ "\\u0041", 6 }, { "\n", 1 }, { "a\r\nb\tc\f", 7 }, { "=:#!", 4 },
		{ "a\0b", 3 }, { "\303\251\360\237\230\200", 6 },
		{ "\177\001", 2 }, { "\t\t", 2 }, { "'\"$%{}", 6 }
	};
	static const char *const keys[] = { "k", "with blank", "a=b", "a:b", "#x", "!x",
		"back\\slash", "t\tab", "\303\251", "\351" };
	struct document *d;
	struct world w;
	struct buf out;
	char key[40];
	size_t i, k;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "");
	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		snprintf(key, sizeof(key), "%zu%s", i, keys[i % 10]);
		assert_int_equal(seal_value(w.p, w.c, key, strlen(key), values[i].bytes,
		    values[i].n, false, &fixture_options, &w.err), 0);
	}
	world_apply(&w);
	assert_int_equal(secrets_file_unlock(w.s, w.master, NULL), 0);
	buf_init_secret(&out, BUF_MAX_FILE);
	assert_int_equal(render_opened(w.c, w.s, NULL, NULL, 0, false, &out, &w.err), 0);
	d = fixture_document((const char *)out.data, out.len);
	assert_int_equal(document_count(d), i);
	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		snprintf(key, sizeof(key), "%zu%s", i, keys[i % 10]);
		k = document_find(d, key, strlen(key));
		if (k != i || !document_value_is(d, k, values[i].bytes, values[i].n))
			fail_msg("value %zu", i);
	}
	document_free(d);
	buf_release(&out);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remove_takes_both_lines_and_no_other),
		cmocka_unit_test(test_remove_takes_every_line_of_the_key),
		cmocka_unit_test(test_remove_needs_no_key_and_can_be_repeated),
		cmocka_unit_test(test_what_is_not_sealed_is_not_removed),
		cmocka_unit_test(test_remove_of_a_missing_key),
		cmocka_unit_test(test_an_orphan_is_removed_when_asked),
		cmocka_unit_test(test_an_entry_that_another_key_refers_to_is_no_orphan),
		cmocka_unit_test(test_an_entry_that_another_key_shares_stays),
		cmocka_unit_test(test_an_entry_of_another_name_stays),
		cmocka_unit_test(test_a_dangling_reference_is_removed_alone),
		cmocka_unit_test(test_metadata_is_never_removed),
		cmocka_unit_test(test_all_references_in_the_order_of_the_file),
		cmocka_unit_test(test_named_keys_in_the_order_of_the_names),
		cmocka_unit_test(test_the_line_that_is_read_is_opened),
		cmocka_unit_test(test_nothing_to_open),
		cmocka_unit_test(test_what_cannot_be_opened_is_named),
		cmocka_unit_test(test_any_name_opens_what_a_renamed_file_refers_to),
		cmocka_unit_test(test_damage_is_reported_where_it_is),
		cmocka_unit_test(test_text_reads_back_as_the_same_bytes)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

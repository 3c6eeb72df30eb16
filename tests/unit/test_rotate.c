#include "crypto/base64.h"
#include "rotation/rotation.h"
#include "seal/keying.h"
#include "secrets/sealed.h"
#include "estate_fixture.h"

/*
 * A derivation of 220 000 iterations takes some 90 ms, so the tests share
 * what they can.
 */

static struct key *
rotate_master(struct world *w, const char *passphrase)
{
	struct key *k = NULL;

	if (rotation_one(w->p, ROTATION_MASTER_KEY, w->master, passphrase, strlen(passphrase),
	    &k, &w->err) != 0)
		fail_msg("%s", w->err.text);
	assert_non_null(k);
	return k;
}

static int
rotate_data(struct world *w)
{
	return rotate_data_key(w->p, w->master, NULL, NULL, &w->err);
}

static bool
passphrase_gives(const struct secrets_file *s, const char *passphrase, const struct key *master)
{
	struct key *k = NULL;
	int rc = secrets_file_check_passphrase(s, passphrase, strlen(passphrase), master, &k,
	    NULL);

	key_free(k);
	return rc == 0;
}

/* The raw text of a line of the secrets file. */
static void
raw_of(const struct secrets_file *s, const char *name, char *out, size_t size)
{
	const struct document *d = secrets_file_document(s);
	size_t i = document_find(d, name, strlen(name)), n;
	const unsigned char *raw;

	assert_int_not_equal(i, DOCUMENT_NONE);
	raw = document_raw_value(d, i, &n);
	assert_true(n < size);
	memcpy(out, raw, n);
	out[n] = '\0';
}

static void
assert_same_line(const struct secrets_file *a, const struct secrets_file *b, const char *name,
    bool same)
{
	char x[512], y[512];

	raw_of(a, name, x, sizeof(x));
	raw_of(b, name, y, sizeof(y));
	if ((strcmp(x, y) == 0) != same)
		fail_msg("%s: %s", name, same ? "changed" : "unchanged");
}

/* --- a first master key --- */

static void
test_generate_writes_salt_and_data_key_at_once(void **state)
{
	static const char *const order[] = { SECRETS_MASTER_SALT, SECRETS_CREATED_AT,
		SECRETS_ENVVAR, SECRETS_LENGTH, SECRETS_ITERATIONS, SECRETS_SALT,
		SECRETS_DATA_KEY };
	const struct secrets_metadata *m;
	struct secrets_file *s;
	struct key *master = NULL, *again = NULL;
	struct buf salt;
	struct world w;
	const char *key;
	size_t i, len;

	(void)state;
	world_open(&w, "# ours\nnote = x\n", NULL, NULL);
	assert_int_equal(rotate_generate(w.p, "hunter2", 7, &master, &w.err), 0);
	assert_int_equal(key_length(master), 32);
	s = world_planned(&w, master);
	assert_int_equal(document_count(secrets_file_document(s)), 8);
	assert_memory_equal(document_bytes(secrets_file_document(s))->data,
	    "# ours\nnote = x\n" SECRETS_MASTER_SALT " = ", 46);
	for (i = 0; i < 7; i++) {
		key = document_key(secrets_file_document(s), i + 1, &len);
		assert_int_equal(len, strlen(order[i]));
		assert_memory_equal(key, order[i], len);
	}
	m = secrets_file_metadata(s);
	assert_int_equal(m->iterations, 220000);
	assert_int_equal(m->length, 32);
	assert_string_equal(m->envvar, SECRETS_ENVVAR_DEFAULT);
	/* As Go prints a time: 2026-11-21 22:53:24.6 +0000 UTC. */
	assert_int_equal(m->created_at[4], '-');
	assert_int_equal(m->created_at[19], '.');
	assert_string_equal(m->created_at + strlen(m->created_at) - 10, " +0000 UTC");
	/* The salt that is used is the text. */
	assert_int_equal(strlen(m->salt), 44);
	buf_init(&salt, 100);
	assert_int_equal(base64_decode(&salt, m->salt, 44), 0);
	assert_int_equal(salt.len, 32);
	buf_release(&salt);
	again = key_derive("hunter2", 7, m->salt, 44, 220000, 32, NULL);
	assert_true(key_equal(master, again));
	/* A second generation would make the first key void. */
	plan_free(w.p);
	w.p = plan_new(s, NULL);
	key_free(again);
	again = NULL;
	assert_int_equal(rotate_generate(w.p, "other", 5, &again, &w.err), -1);
	assert_int_equal(w.err.code, ERROR_EXISTS);
	assert_null(again);
	assert_true(plan_is_empty(w.p));
	world_close(&w);
	secrets_file_free(s);
	key_free(master);
}

static void
test_generate_refuses_a_file_that_is_in_use(void **state)
{
	static const struct {
		const char *text;
		enum error_code code;
	} cases[] = {
		{ MODERN, ERROR_EXISTS },
		{ SECRETS_DATA_KEY " =\n", ERROR_EXISTS },
		{ SECRETS_MASTER_SALT " = abc\n", ERROR_REFUSED },
		{ "server.properties/x = ENC[y]\n", ERROR_REFUSED }
	};
	struct key *k = NULL;
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		world_open(&w, cases[i].text, NULL, NULL);
		assert_int_equal(rotate_generate(w.p, "hunter2", 7, &k, &w.err), -1);
		assert_int_equal(w.err.code, cases[i].code);
		assert_string_equal(w.err.file, "secrets.properties");
		assert_null(k);
		assert_true(plan_is_empty(w.p));
		world_close(&w);
	}
}

/* --- the data key --- */

static void
test_data_key_opens_everything_and_upgrades_cbc(void **state)
{
	static const char *const names[] = { "server.properties/a.password",
		"server.properties/b.password", "server.properties/c.password" };
	static const char *const plain[] = { "first-S3cret!", "second-S3cret!", "third-S3cret!" };
	static const char *const kept[] = { SECRETS_MASTER_SALT, SECRETS_ENVVAR, SECRETS_LENGTH,
		SECRETS_ITERATIONS, "note" };
	static const char *const changed[] = { SECRETS_CREATED_AT, SECRETS_SALT,
		SECRETS_DATA_KEY };
	struct secrets_file *s;
	struct world w;
	char text[512];
	size_t i;

	(void)state;
	world_open(&w, MIXED, MIXED_MASTER, NULL);
	assert_int_equal(rotate_data(&w), 0);
	s = world_planned(&w, w.master);
	for (i = 0; i < 3; i++) {
		assert_opens_to(s, names[i], plain[i]);
		assert_same_line(w.s, s, names[i], false);
		raw_of(s, names[i], text, sizeof(text));
		assert_memory_equal(text, "ENC[AES/GCM/NoPadding,", 22);
	}
	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		assert_same_line(w.s, s, kept[i], true);
	for (i = 0; i < sizeof(changed) / sizeof(*changed); i++)
		assert_same_line(w.s, s, changed[i], false);
	secrets_file_free(s);
	world_close(&w);
}

static void
test_data_key_keeps_comments_and_places(void **state)
{
	static const char *const lines[] = { "_metadata.master_key.0.salt = abHLUiz",
		"_metadata.symmetric_key.0.created_at = ", "_metadata.symmetric_key.0.envvar = C",
		"_metadata.symmetric_key.0.length = 32", "_metadata.symmetric_key.0.iterations",
		"_metadata.symmetric_key.0.salt = ", "_metadata.symmetric_key.0.enc = ENC[AES",
		"# kept by hand", "server.properties/a.password = ENC[AES/GCM/",
		TAG_PREFIX "server.properties/a.password = ",
		"note = a plain line", "", "server.properties/b.password = ENC[",
		TAG_PREFIX "server.properties/b.password = ",
		"! end of it", "server.properties/c.password = ENC[",
		TAG_PREFIX "server.properties/c.password = " };
	struct world w;
	struct buf out;
	const char *p;
	size_t i;

	(void)state;
	world_open(&w, MIXED, MIXED_MASTER, NULL);
	assert_int_equal(rotate_data(&w), 0);
	fixture_render(w.p, PLAN_SECRETS, &out);
	p = buf_cstr(&out);
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (strncmp(p, lines[i], strlen(lines[i])) != 0)
			fail_msg("line %zu is no longer %s", i + 1, lines[i]);
		p = strchr(p, '\n') + 1;
	}
	assert_string_equal(p, "");
	buf_release(&out);
	world_close(&w);
}

static void
test_old_data_key_opens_nothing_any_more(void **state)
{
	struct key *old = fixture_key(MIXED_DATA_KEY);
	struct cipher *c = cipher_new(old, NULL);
	struct secrets_file *s;
	struct world w;
	struct buf out;
	char text[512];

	(void)state;
	world_open(&w, MIXED, MIXED_MASTER, NULL);
	assert_int_equal(rotate_data(&w), 0);
	s = world_planned(&w, w.master);
	raw_of(s, "server.properties/b.password", text, sizeof(text));
	buf_init_secret(&out, 100);
	assert_int_equal(sealed_open(c, text, strlen(text), &out, NULL), -1);
	buf_release(&out);
	secrets_file_free(s);
	cipher_free(c);
	key_free(old);
	world_close(&w);
}

static void
test_data_key_has_the_length_of_the_file(void **state)
{
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_open(&w, LEGACY, LEGACY_MASTER, NULL);
	assert_int_equal(rotate_data(&w), 0);
	assert_int_equal(key_length(plan_data_key(w.p)), 16);
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/ssl.keystore.password", LEGACY_KEYSTORE);
	assert_opens_to(s, "server.properties/ssl.key.password", "");
	assert_opens_to(s, "server.properties/block.password", LEGACY_BLOCK);
	assert_metadata(s, SECRETS_LENGTH, "16");
	assert_metadata(s, SECRETS_ITERATIONS, "1000");
	secrets_file_free(s);
	world_close(&w);
}

/* The reference seals the empty text in its place, for good. */
static void
test_a_damaged_entry_stops_the_rotation_before_it_begins(void **state)
{
	static const char *const damaged[] = {
		"ENC[AES/GCM/NoPadding,data:w0Z88lG4w5IPXijbLRBVlzd1IbFa70Ap1ZI3o/9au7k=,type:str]",
		"ENC[AES/GCM/NoPadding,data:w0Z88lG4w5IPXijbLRBVlzd1IbFa70Ap1ZI3o/9au7k=,iv:AAAA,"
		"type:str]",
		"ENC[AES/CBC/PKCS5Padding,data:QWrN+XUAdvKjAYawf3B4,iv:qRNuazp7FMLyKlKZCTC1AQ==,"
		"type:str]",
		"ENC[", "ENC[AES/ROT13,data:AAAA,iv:AAAA,type:str]"
	};
	struct buf text;
	struct world w;
	size_t i;

	(void)state;
	buf_init(&text, 8192);
	for (i = 0; i < sizeof(damaged) / sizeof(*damaged); i++) {
		buf_clear(&text);
		buf_printf(&text, MIXED "x.properties/bad = %s\n", damaged[i]);
		world_open(&w, buf_cstr(&text), MIXED_MASTER, NULL);
		assert_int_equal(rotate_data(&w), -1);
		assert_int_equal(w.err.code, ERROR_DAMAGED);
		assert_int_equal(w.err.line, 15);
		assert_string_equal(w.err.key, "x.properties/bad");
		assert_true(plan_is_empty(w.p));
		assert_null(plan_data_key(w.p));
		world_close(&w);
	}
	buf_release(&text);
}

static void
test_data_key_needs_the_master_key(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, MIXED, MODERN_MASTER, NULL);
	assert_int_equal(rotate_data(&w), -1);
	assert_int_equal(w.err.code, ERROR_KEY);
	assert_true(plan_is_empty(w.p));
	world_close(&w);
	world_open(&w, "server.properties/x = ENC[y]\n", MODERN_MASTER, NULL);
	assert_int_equal(rotate_data(&w), -1);
	assert_int_equal(w.err.code, ERROR_MISSING);
	assert_true(plan_is_empty(w.p));
	world_close(&w);
}

struct progress {
	size_t calls;
	size_t done;
	size_t total;
};

static void
note_progress(void *cookie, size_t done, size_t total)
{
	struct progress *p = cookie;

	assert_true(done >= p->done || p->calls == 0);
	p->calls++;
	p->done = done;
	p->total = total;
}

static void
test_progress_goes_up_to_the_end(void **state)
{
	struct progress p = { 0 };
	struct world w;

	(void)state;
	world_open(&w, MIXED, MIXED_MASTER, NULL);
	assert_int_equal(rotate_data_key(w.p, w.master, note_progress, &p, &w.err), 0);
	assert_true(p.calls >= 2);
	assert_int_equal(p.done, p.total);
	assert_int_equal(p.total, document_count(secrets_file_document(w.s)));
	world_close(&w);
}

/* A value that the plan has sealed would be sealed under a key that is gone. */
static void
test_data_key_does_not_follow_other_changes_in_one_plan(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, PROVIDERS
	    "ssl.keystore.password=" OURS("server.properties/ssl.keystore.password") "\n");
	assert_int_equal(world_seal_value(&w, "ssl.keystore.password", "new", true), 0);
	assert_int_equal(rotate_data(&w), -1);
	assert_int_equal(w.err.code, ERROR_REFUSED);
	assert_int_equal(edits_count(fixture_file(w.p, PLAN_SECRETS)->edits), 3);
	world_close(&w);
}

/* --- the master key --- */

static void
test_master_key_from_a_weak_file(void **state)
{
	static const char *const kept[] = { SECRETS_ENVVAR, SECRETS_SALT,
		"server.properties/ssl.keystore.password", "server.properties/ssl.key.password",
		"server.properties/block.password" };
	struct secrets_file *s;
	struct key *k;
	struct world w;
	size_t i;

	(void)state;
	world_open(&w, LEGACY, LEGACY_MASTER, NULL);
	k = rotate_master(&w, "new passphrase");
	assert_int_equal(key_length(k), 32);
	s = world_planned(&w, k);
	assert_metadata(s, SECRETS_ITERATIONS, "220000");
	assert_metadata(s, SECRETS_LENGTH, "32");
	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		assert_same_line(w.s, s, kept[i], true);
	assert_same_line(w.s, s, SECRETS_MASTER_SALT, false);
	assert_same_line(w.s, s, SECRETS_CREATED_AT, false);
	assert_same_line(w.s, s, SECRETS_DATA_KEY, false);
	assert_opens_to(s, "server.properties/ssl.keystore.password", LEGACY_KEYSTORE);
	/* The passphrase gives the key again; the old key opens nothing. */
	assert_true(passphrase_gives(s, "new passphrase", k));
	assert_int_equal(secrets_file_unlock(s, w.master, &w.err), -1);
	assert_int_equal(w.err.code, ERROR_KEY);
	/* A data key after it would be wrapped under the old master key. */
	assert_int_equal(rotate_data(&w), -1);
	assert_int_equal(w.err.code, ERROR_REFUSED);
	secrets_file_free(world_planned(&w, k));
	key_free(k);
	secrets_file_free(s);
	world_close(&w);
}

static void
test_the_same_passphrase_is_refused(void **state)
{
	struct key *k = NULL;
	struct world w;

	(void)state;
	world_open(&w, MIXED, MIXED_MASTER, NULL);
	assert_int_equal(rotation_one(w.p, ROTATION_MASTER_KEY, w.master, MIXED_PASSPHRASE,
	    strlen(MIXED_PASSPHRASE), &k, &w.err), -1);
	assert_int_equal(w.err.code, ERROR_REFUSED);
	assert_null(strstr(w.err.text, MIXED_PASSPHRASE));
	assert_null(k);
	assert_true(plan_is_empty(w.p));
	world_close(&w);
}

static void
test_master_key_needs_the_old_one(void **state)
{
	struct key *k = NULL;
	struct world w;

	(void)state;
	world_open(&w, MIXED, MODERN_MASTER, NULL);
	assert_int_equal(rotation_one(w.p, ROTATION_MASTER_KEY, w.master, "new", 3, &k, &w.err),
	    -1);
	assert_int_equal(w.err.code, ERROR_KEY);
	assert_null(k);
	assert_true(plan_is_empty(w.p));
	world_close(&w);
}

/* Also where the file has no salt, no date and no numbers yet. */
static void
test_metadata_that_is_missing_gets_its_place(void **state)
{
	static const char *const order[] = { SECRETS_ENVVAR, SECRETS_LENGTH, SECRETS_ITERATIONS,
		SECRETS_SALT, SECRETS_DATA_KEY };
	static const char text[] = SILENT;
	const char *bare = strchr(strchr(text, '\n') + 1, '\n') + 1;
	struct secrets_file *s;
	struct key *k;
	struct world w;
	const struct document *d;
	size_t i, at, before = 0;

	(void)state;
	world_open(&w, bare, SILENT_MASTER, NULL);
	assert_null(secrets_file_metadata(w.s)->salt);
	assert_int_equal(rotate_data(&w), 0);
	k = rotate_master(&w, "new passphrase");
	s = world_planned(&w, k);
	d = secrets_file_document(s);
	/* Each once, though both rotations set the date. */
	assert_int_equal(document_count(d), 9);
	for (i = 0; i < 5; i++) {
		at = document_find(d, order[i], strlen(order[i]));
		assert_int_not_equal(at, DOCUMENT_NONE);
		assert_true(i == 0 || at == before + 1);
		before = at;
	}
	assert_non_null(secrets_file_metadata(s)->created_at);
	assert_int_equal(strlen(secrets_file_metadata(s)->salt), 44);
	assert_metadata(s, SECRETS_ITERATIONS, "220000");
	assert_opens_to(s, "server.properties/a.password", "silent-S3cret!");
	key_free(k);
	secrets_file_free(s);
	world_close(&w);
}

static void
test_both_keys_in_one_plan(void **state)
{
	struct key *k, *old = fixture_key(MIXED_DATA_KEY);
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_open(&w, MIXED, MIXED_MASTER, NULL);
	assert_int_equal(rotate_data(&w), 0);
	k = rotate_master(&w, "new passphrase");
	assert_false(key_equal(plan_data_key(w.p), old));
	s = world_planned(&w, k);
	assert_opens_to(s, "server.properties/a.password", "first-S3cret!");
	assert_opens_to(s, "server.properties/c.password", "third-S3cret!");
	assert_same_line(w.s, s, "server.properties/c.password", false);
	assert_int_equal(secrets_file_unlock(s, w.master, NULL), -1);
	assert_int_equal(document_count(secrets_file_document(s)), 14);
	/* And apply would take it. */
	world_apply(&w);
	key_free(old);
	key_free(k);
	secrets_file_free(s);
	world_close(&w);
}

/* A new passphrase must not wait for the repair of one entry. */
static void
test_master_key_leaves_a_damaged_entry_alone(void **state)
{
	struct buf text;
	struct key *k;
	struct world w;
	char *p;

	(void)state;
	buf_init(&text, BUF_MAX_FILE);
	buf_append_str(&text, MODERN);
	p = strstr((char *)(uintptr_t)buf_cstr(&text), "ssl.keystore.password = ENC");
	assert_non_null(p);
	p = strstr(p, "data:") + 5;
	*p = *p == 'A' ? 'B' : 'A';
	world_open(&w, buf_cstr(&text), MODERN_MASTER, NULL);
	k = rotate_master(&w, "new passphrase");
	assert_non_null(strstr(plan_notes(w.p), "1 sealed entries do not open"));
	world_apply(&w);
	assert_int_equal(secrets_file_unlock(w.s, k, NULL), 0);
	key_free(k);
	buf_release(&text);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generate_writes_salt_and_data_key_at_once),
		cmocka_unit_test(test_generate_refuses_a_file_that_is_in_use),
		cmocka_unit_test(test_data_key_opens_everything_and_upgrades_cbc),
		cmocka_unit_test(test_data_key_keeps_comments_and_places),
		cmocka_unit_test(test_old_data_key_opens_nothing_any_more),
		cmocka_unit_test(test_data_key_has_the_length_of_the_file),
		cmocka_unit_test(test_a_damaged_entry_stops_the_rotation_before_it_begins),
		cmocka_unit_test(test_data_key_needs_the_master_key),
		cmocka_unit_test(test_progress_goes_up_to_the_end),
		cmocka_unit_test(test_data_key_does_not_follow_other_changes_in_one_plan),
		cmocka_unit_test(test_master_key_from_a_weak_file),
		cmocka_unit_test(test_the_same_passphrase_is_refused),
		cmocka_unit_test(test_master_key_needs_the_old_one),
		cmocka_unit_test(test_metadata_that_is_missing_gets_its_place),
		cmocka_unit_test(test_both_keys_in_one_plan),
		cmocka_unit_test(test_master_key_leaves_a_damaged_entry_alone)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

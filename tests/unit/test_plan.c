#include "plan/plan.h"
#include "seal/keying.h"
#include "seal/render.h"
#include "seal/seal.h"
#include "secrets/reference.h"
#include "canary.h"
#include "estate_fixture.h"
#include "files.h"

/* --- files and their order --- */

static void
assert_roles(const struct plan *p, enum plan_role first, enum plan_role second)
{
	assert_int_equal(plan_file_count(p), 2);
	assert_int_equal(fixture_file_at(p, 0)->role, first);
	assert_int_equal(fixture_file_at(p, 1)->role, second);
	assert_null(fixture_file_at(p, 2));
}

static void
test_what_adds_ciphertext_goes_first(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "password=x\n");
	/* Whichever was asked for first. */
	assert_non_null(plan_config_edits(w.p, w.c, NULL));
	assert_int_equal(world_seal_key(&w, "password"), 0);
	assert_roles(w.p, PLAN_SECRETS, PLAN_CONFIG);
	world_close(&w);
}

static void
test_what_removes_ciphertext_goes_last(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "server.properties/x = ENC[y]\n", NULL,
	    "x=" OURS("server.properties/x") "\n");
	assert_int_equal(seal_remove(w.p, w.c, "x", 1, false, &w.err), 0);
	assert_roles(w.p, PLAN_CONFIG, PLAN_SECRETS);
	world_close(&w);
}

/*
 * Cut short after the configuration, the value that is being sealed would be
 * nowhere; cut short after the secrets file, only what was to go is gone.
 */
static void
test_sealing_and_removing_in_one_plan_adds_first(void **state)
{
	static const char config[] = "ssl.keystore.password="
	    OURS("server.properties/ssl.keystore.password") "\npassword=x\n";
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, config);
	assert_int_equal(world_seal_key(&w, "password"), 0);
	assert_int_equal(seal_remove(w.p, w.c, "ssl.keystore.password", 21, false, &w.err), 0);
	assert_roles(w.p, PLAN_SECRETS, PLAN_CONFIG);
	world_close(&w);
	world_prepare(&w, MODERN, MODERN_MASTER, config);
	assert_int_equal(seal_remove(w.p, w.c, "ssl.keystore.password", 21, false, &w.err), 0);
	assert_int_equal(world_seal_key(&w, "password"), 0);
	assert_roles(w.p, PLAN_SECRETS, PLAN_CONFIG);
	world_close(&w);
}

static void
test_a_file_without_changes_is_no_file_of_the_plan(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, MODERN, NULL, "a=1\n");
	assert_true(plan_is_empty(w.p));
	assert_non_null(plan_secrets_edits(w.p, NULL));
	assert_non_null(plan_config_edits(w.p, w.c, NULL));
	assert_ptr_equal(plan_config_edits(w.p, w.c, NULL), plan_config_edits(w.p, w.c, NULL));
	assert_true(plan_is_empty(w.p));
	assert_null(fixture_file_at(w.p, 0));
	world_close(&w);
}

static void
test_the_same_base_name_twice_is_refused(void **state)
{
	struct configuration *twin = fixture_config("old/server.properties", "a=1\n");
	struct configuration *other = fixture_config("etc/xserver.properties", "a=1\n");
	struct world w;

	(void)state;
	world_open(&w, MODERN, NULL, "a=1\n");
	assert_non_null(plan_config_edits(w.p, w.c, &w.err));
	assert_non_null(plan_config_edits(w.p, other, &w.err));
	assert_null(plan_config_edits(w.p, twin, &w.err));
	assert_int_equal(w.err.code, ERROR_REFUSED);
	world_close(&w);
	configuration_free(twin);
	configuration_free(other);
}

static void
test_many_configurations_in_one_plan(void **state)
{
	enum { MANY = 2000 };
	struct configuration *c[MANY];
	const struct plan_file *f;
	struct world w;
	char path[40];
	size_t i;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, NULL);
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "etc/c%zu.properties", i);
		c[i] = fixture_config(path, "password=x\n");
		assert_int_equal(seal_default(w.p, c[i], &fixture_options, NULL, &w.err), 0);
	}
	assert_int_equal(plan_file_count(w.p), MANY + 1);
	f = plan_next(w.p, NULL);
	assert_int_equal(f->role, PLAN_SECRETS);
	for (i = 0; i < MANY; i++) {
		f = plan_next(w.p, f);
		assert_string_equal(f->path, c[i]->path);
		assert_int_equal(edits_count(f->edits), 3);
	}
	assert_null(plan_next(w.p, f));
	world_close(&w);
	for (i = 0; i < MANY; i++)
		configuration_free(c[i]);
}

/* --- what a plan keeps --- */

static void
test_notes_are_lines(void **state)
{
	struct world w;
	char text[2000];

	(void)state;
	world_open(&w, NULL, NULL, NULL);
	assert_string_equal(plan_notes(w.p), "");
	plan_note(w.p, "%s:%d: one", "a\nb\033[m", 7);
	plan_note(w.p, "two \303\244");
	assert_string_equal(plan_notes(w.p), "a\\nb\\x1b[m:7: one\ntwo \303\244\n");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	plan_note(w.p, "%s", text);
	assert_true(strlen(plan_notes(w.p)) < 1100);
	world_close(&w);
}

static void
test_first_time_and_after(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL, NULL, NULL);
	assert_int_equal(plan_first(w.p, "kind", "file", "a\0b", 3, NULL), 1);
	assert_int_equal(plan_first(w.p, "kind", "file", "a\0b", 3, NULL), 0);
	assert_int_equal(plan_first(w.p, "kind", "file", "a\0c", 3, NULL), 1);
	assert_int_equal(plan_first(w.p, "kind", "file", "a", 1, NULL), 1);
	assert_int_equal(plan_first(w.p, "kind", "file", "", 0, NULL), 1);
	/* However many there are. */
	for (int round = 1; round >= 0; round--)
		for (size_t i = 0; i < 5000; i++)
			assert_int_equal(plan_first(w.p, "many", "", (const char *)&i, sizeof(i),
			    NULL), round);
	assert_int_equal(plan_first(w.p, "kind", "file", "", 0, NULL), 0);
	assert_int_equal(plan_first(w.p, "kind", "other", "", 0, NULL), 1);
	assert_int_equal(plan_first(w.p, "other", "file", "", 0, NULL), 1);
	world_close(&w);
}

static void
test_scratch_is_secret_and_empty(void **state)
{
	struct world w;
	struct buf *b;

	(void)state;
	world_open(&w, NULL, NULL, NULL);
	b = plan_scratch(w.p);
	assert_true(b->secret);
	buf_append_str(b, "hunter2");
	assert_ptr_equal(plan_scratch(w.p), b);
	assert_int_equal(b->len, 0);
	assert_true(unit_all_zero(b->data, 7));
	world_close(&w);
}

static void
test_keys_are_copied(void **state)
{
	struct key *k = fixture_key(MODERN_DATA_KEY);
	struct key *same = fixture_key(MODERN_DATA_KEY);
	struct world w;

	(void)state;
	world_open(&w, MODERN, MODERN_MASTER, NULL);
	assert_null(plan_data_key(w.p));
	assert_null(plan_expected_master(w.p));
	assert_null(plan_cipher(w.p));
	assert_int_equal(secrets_file_unlock(w.s, w.master, NULL), 0);
	assert_ptr_equal(plan_cipher(w.p), secrets_file_cipher(w.s));
	assert_int_equal(plan_use_key(w.p, k, NULL), 0);
	assert_int_equal(plan_expect_master(w.p, k, NULL), 0);
	assert_int_equal(plan_use_key(w.p, k, NULL), 0);
	assert_int_equal(plan_expect_master(w.p, k, NULL), 0);
	key_free(k);
	assert_true(key_equal(plan_data_key(w.p), same));
	assert_true(key_equal(plan_expected_master(w.p), same));
	assert_non_null(plan_cipher(w.p));
	assert_ptr_not_equal(plan_cipher(w.p), secrets_file_cipher(w.s));
	key_free(same);
	world_close(&w);
}

static void
test_output_file(void **state)
{
	struct buf content;
	struct world w;
	char *path = calloc(1, 10000);

	(void)state;
	assert_non_null(path);
	files_put("old.txt", "x", 0600);
	world_open(&w, NULL, NULL, NULL);
	fixture_text(&content, "hunter2", 7);
	assert_int_equal(plan_add_output(w.p, "new.txt", NULL, &content, &w.err), 0);
	assert_int_equal(content.len, 0);
	fixture_text(&content, "", 0);
	assert_int_equal(plan_add_output(w.p, "old.txt", NULL, &content, &w.err), 0);
	assert_int_equal(plan_file_count(w.p), 2);
	assert_string_equal(fixture_file_at(w.p, 0)->path, "new.txt");
	assert_false(fixture_file_at(w.p, 0)->id->exists);
	assert_true(fixture_file_at(w.p, 0)->content->secret);
	assert_holds(fixture_file_at(w.p, 0)->content, "hunter2");
	assert_true(fixture_file_at(w.p, 1)->id->exists);
	assert_int_equal(fixture_verify(w.p, fixture_file_at(w.p, 0), fixture_file_at(w.p, 0)->content, NULL), 0);
	/* One that cannot be examined does not join the plan. */
	memset(path, 'a', 9999);
	assert_int_equal(plan_add_output(w.p, path, NULL, &content, &w.err), -1);
	assert_int_equal(w.err.code, ERROR_IO);
	assert_int_equal(plan_file_count(w.p), 2);
	buf_release(&content);
	free(path);
	world_close(&w);
}

/* --- reading back --- */

/* Replace the first ${what} in the text by ${by}. */
static void
change(struct buf *text, const char *what, const char *by)
{
	const char *at = strstr(buf_cstr(text), what);
	struct buf out;
	size_t before;

	assert_non_null(at);
	before = (size_t)(at - (const char *)text->data);
	buf_init_secret(&out, BUF_MAX_FILE);
	buf_append(&out, text->data, before);
	buf_append_str(&out, by);
	buf_append(&out, at + strlen(what), text->len - before - strlen(what));
	buf_move(text, &out);
}

static void
drop_line(struct buf *text, const char *starts)
{
	char line[1024];
	const char *at = strstr(buf_cstr(text), starts);

	assert_non_null(at);
	snprintf(line, sizeof(line), "%.*s", (int)(strcspn(at, "\n") + 1), at);
	change(text, line, "");
}

/* Does reading back take ${content}?  If not it is damage, with a place. */
static bool
verifies(struct world *w, enum plan_role role, const struct buf *content)
{
	memset(&w->err, 0, sizeof(w->err));
	if (fixture_verify(w->p, fixture_file(w->p, role), content, &w->err) == 0)
		return true;
	assert_int_equal(w->err.code, ERROR_DAMAGED);
	assert_string_equal(w->err.file, fixture_file(w->p, role)->path);
	assert_string_not_equal(w->err.text, "");
	/* Nor may a caller that does not want to know be stumbled over. */
	assert_int_equal(fixture_verify(w->p, fixture_file(w->p, role), content, NULL), -1);
	return false;
}

static void
test_verify_garbage(void **state)
{
	static const char *const garbage[] = { "", "\n", "x", "\\u12\n", "a = \\uzzzz\n",
		"_metadata.symmetric_key.0.iterations = -1\n", "\377\376\375" };
	struct buf content;
	struct world w;
	size_t i;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "password=hunter2\n");
	assert_int_equal(world_seal_key(&w, "password"), 0);
	for (i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		fixture_text(&content, garbage[i], strlen(garbage[i]));
		assert_false(verifies(&w, PLAN_SECRETS, &content));
		assert_false(verifies(&w, PLAN_CONFIG, &content));
		buf_release(&content);
	}
	world_close(&w);
}

static void
test_verify_what_was_sealed(void **state)
{
	static const struct {
		const char *what;
		const char *by;
	} tampered[] = {
		{ "server.properties/password = ENC[", "server.properties/passwort = ENC[" },
		{ "server.properties/password = ENC[AES/GCM/NoPadding,data:",
		  "server.properties/password = ENC[AES/GCM/NoPadding,data:AAAA" },
		{ "server.properties/password = ENC[AES/GCM/NoPadding,",
		  "server.properties/password = ENC[AES/CBC/PKCS5Padding," },
		{ "server.properties/password = ENC[", "server.properties/password = [" },
		/* The key that will be needed. */
		{ "0.enc = ENC[AES/GCM/NoPadding,data:Lf4", "0.enc = ENC[AES/GCM/NoPadding,data:Lf5" },
		{ "0.enc = ENC", "0.inc = ENC" }
	};
	struct buf content;
	struct world w;
	size_t i;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "password=hunter2\n");
	assert_int_equal(world_seal_key(&w, "password"), 0);
	fixture_render(w.p, PLAN_SECRETS, &content);
	assert_true(verifies(&w, PLAN_SECRETS, &content));
	for (i = 0; i < sizeof(tampered) / sizeof(*tampered); i++) {
		buf_release(&content);
		fixture_render(w.p, PLAN_SECRETS, &content);
		change(&content, tampered[i].what, tampered[i].by);
		if (verifies(&w, PLAN_SECRETS, &content))
			fail_msg("taken: %s", tampered[i].by);
	}
	buf_release(&content);
	fixture_render(w.p, PLAN_SECRETS, &content);
	drop_line(&content, "server.properties/password = ");
	assert_false(verifies(&w, PLAN_SECRETS, &content));
	buf_release(&content);
	/* A later line would hide it. */
	fixture_render(w.p, PLAN_SECRETS, &content);
	buf_append_str(&content, "server.properties/password = x\n");
	assert_false(verifies(&w, PLAN_SECRETS, &content));
	buf_release(&content);
	world_close(&w);
}

/* Lines of every kind, far more than are looked at at a time. */
static void
append_many_lines(struct buf *text, size_t entries)
{
	static const char *const kinds[] = { "key.%zu=value\n", "key.%zu : one \\\r\n   two\r\n",
		"# a comment that goes on \\\nkey.%zu=\\u00e4\n", "\\\nkey.%zu\tx\n",
		"\n\n! k\nkey.%zu=a\\\n\\\n\n", "key.%zu\n" };

	for (size_t i = 0; i < entries; i++) {
		buf_printf(text, kinds[i % 6], i);
		/* An entry, and then a comment, that is larger than a piece. */
		for (size_t k = 0; k < 30000 && (i == 500 || i == 900); k++)
			buf_append_str(text, i == 500 ? "\\\n continued" : "#comment\n");
		if (i == 500)
			buf_append_char(text, '\n');
	}
}

static void
plan_many_changes(struct world *w, size_t entries)
{
	struct edits *e = plan_config_edits(w->p, w->c, NULL);
	char key[32];
	size_t at;

	assert_non_null(e);
	for (size_t i = 0; i < entries; i++) {
		snprintf(key, sizeof(key), "key.%zu", i);
		at = document_find(w->c->doc, key, strlen(key));
		assert_int_not_equal(at, DOCUMENT_NONE);
		if (i % 7 == 1)
			assert_int_equal(edits_set(e, at, "changed", 7, NULL), 0);
		else if (i % 7 == 3)
			assert_int_equal(edits_remove(e, at, NULL), 0);
		snprintf(key, sizeof(key), "new.%zu", i);
		if (i % 7 == 5)
			assert_int_equal(edits_insert(e, at, key, strlen(key), "", 0, NULL), 0);
	}
}

static void
test_verify_a_large_file(void **state)
{
	enum { ENTRIES = 10000 };
	static const struct {
		const char *what;
		const char *by;
	} tampered[] = {
		{ "\nkey.8=changed\n", "\nkey.8=hanged\n" },
		{ "\nkey.9997 :", "\nkey.9996 :" },
		{ "\nnew.9987=", "\nold.9987=" },
		{ "\nkey.5000", "\nkey.8=\nkey.5000" },
		{ "\nkey.5000", "\nkey.3=back again\nkey.5000" }
	};
	struct buf text, content;
	struct world w;

	(void)state;
	buf_init(&text, BUF_MAX_FILE);
	append_many_lines(&text, ENTRIES);
	world_open(&w, NULL, NULL, buf_cstr(&text));
	plan_many_changes(&w, ENTRIES);
	fixture_render(w.p, PLAN_CONFIG, &content);
	assert_true(verifies(&w, PLAN_CONFIG, &content));
	for (size_t i = 0; i < sizeof(tampered) / sizeof(*tampered); i++) {
		buf_release(&content);
		fixture_render(w.p, PLAN_CONFIG, &content);
		change(&content, tampered[i].what, tampered[i].by);
		if (verifies(&w, PLAN_CONFIG, &content))
			fail_msg("taken: %s", tampered[i].by);
	}
	buf_release(&content);
	/* The place is told as if it had been read at once. */
	fixture_render(w.p, PLAN_CONFIG, &content);
	change(&content, "\nkey.9998", "\nkey.9998\\u12");
	assert_false(verifies(&w, PLAN_CONFIG, &content));
	buf_truncate(&content, (size_t)(strstr(buf_cstr(&content), "\nkey.9998") -
	    (const char *)content.data) + 1);
	for (size_t i = 0; i < content.len; i++)
		w.err.line -= content.data[i] == '\n' ||
		    (content.data[i] == '\r' && content.data[i + 1] != '\n');
	assert_int_equal(w.err.line, 1);
	buf_release(&content);
	buf_release(&text);
	world_close(&w);
}

/* That the key in memory opens it does not help if the file wraps another. */
static void
test_verify_wrong_data_key(void **state)
{
	struct key *master = fixture_key(MODERN_MASTER);
	struct key *other = fixture_key(MIXED_DATA_KEY);
	struct buf content;
	struct world w;

	(void)state;
	world_open(&w, "", MODERN_MASTER, "password=hunter2\n");
	assert_int_equal(seal_prepare(w.p, w.master, &w.err), 0);
	assert_int_equal(plan_use_key(w.p, other, &w.err), 0);
	assert_int_equal(world_seal_key(&w, "password"), 0);
	fixture_render(w.p, PLAN_SECRETS, &content);
	assert_false(verifies(&w, PLAN_SECRETS, &content));
	buf_release(&content);
	world_close(&w);
	/* Nor if the master key is another one than was expected. */
	world_open(&w, MIXED, MIXED_MASTER, NULL);
	assert_int_equal(rotate_data_key(w.p, w.master, NULL, NULL, &w.err), 0);
	fixture_render(w.p, PLAN_SECRETS, &content);
	assert_true(verifies(&w, PLAN_SECRETS, &content));
	assert_int_equal(plan_expect_master(w.p, master, NULL), 0);
	assert_false(verifies(&w, PLAN_SECRETS, &content));
	buf_release(&content);
	world_close(&w);
	key_free(other);
	key_free(master);
}

/* With a new data key every entry is opened, not only those that were written. */
static void
test_verify_every_entry_after_a_rotation(void **state)
{
	struct buf content, old;
	struct world w;

	(void)state;
	world_open(&w, MIXED, MIXED_MASTER, NULL);
	assert_int_equal(rotate_data_key(w.p, w.master, NULL, NULL, &w.err), 0);
	fixture_render(w.p, PLAN_SECRETS, &content);
	buf_append_str(&content, "server.properties/late = ENC[AES/GCM/NoPadding,data:"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAA,iv:AAAAAAAAAAAAAAAA,type:str]\n");
	assert_false(verifies(&w, PLAN_SECRETS, &content));
	buf_release(&content);
	fixture_render(w.p, PLAN_SECRETS, &content);
	drop_line(&content, "server.properties/b.password");
	assert_false(verifies(&w, PLAN_SECRETS, &content));
	buf_release(&content);
	/* The file as it was before. */
	fixture_text(&old, MIXED, strlen(MIXED));
	assert_false(verifies(&w, PLAN_SECRETS, &old));
	buf_release(&old);
	world_close(&w);
}

static void
test_verify_what_was_removed(void **state)
{
	struct buf content;
	struct world w;

	(void)state;
	world_open(&w, MODERN, NULL, "ssl.keystore.password="
	    OURS("server.properties/ssl.keystore.password") "\nb=1\n");
	assert_int_equal(seal_remove(w.p, w.c, "ssl.keystore.password", 21, false, &w.err), 0);
	fixture_render(w.p, PLAN_SECRETS, &content);
	assert_true(verifies(&w, PLAN_SECRETS, &content));
	buf_append_str(&content, "server.properties/ssl.keystore.password = ENC[x]\n");
	assert_false(verifies(&w, PLAN_SECRETS, &content));
	buf_release(&content);
	fixture_render(w.p, PLAN_CONFIG, &content);
	assert_true(verifies(&w, PLAN_CONFIG, &content));
	buf_append_str(&content, "ssl.keystore.password=x\n");
	assert_false(verifies(&w, PLAN_CONFIG, &content));
	buf_release(&content);
	world_close(&w);
}

static void
test_verify_the_configuration(void **state)
{
	static const struct {
		const char *what;
		const char *by;
	} tampered[] = {
		{ "server.properties/password}", "server.properties/passwort}" },
		{ "password=${", "password=$ {" },
		{ "password=", "passwort=" },
		{ "config.providers=securepass", "config.providers=" },
		{ "SecurePassConfigProvider", "SecurePassConfigProvide" }
	};
	struct buf content;
	struct world w;
	size_t i;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "password=hunter2\npassword=hunter2\n");
	assert_int_equal(world_seal_key(&w, "password"), 0);
	fixture_render(w.p, PLAN_CONFIG, &content);
	assert_true(verifies(&w, PLAN_CONFIG, &content));
	buf_release(&content);
	for (i = 0; i < sizeof(tampered) / sizeof(*tampered); i++) {
		fixture_render(w.p, PLAN_CONFIG, &content);
		/* The line that is read is the second. */
		if (i < 3)
			drop_line(&content, "password=");
		change(&content, tampered[i].what, tampered[i].by);
		if (verifies(&w, PLAN_CONFIG, &content))
			fail_msg("taken: %s", tampered[i].by);
		buf_release(&content);
	}
	world_close(&w);
}

/* --- no plaintext in ordinary memory --- */

static void
append_line(struct buf *b, const char *start, const char *end)
{
	buf_append_str(b, start);
	/* Behind what malloc writes into a block that is given back. */
	buf_append_str(b, "0123456789012345678901234567890123456789");
	append_canary(b);
	buf_append_str(b, end);
}

static void
handle_canary(void)
{
	struct buf secrets, config, value, out;
	struct error err = { 0 };
	struct world w;
	size_t i;

	world_open(&w, NULL, MODERN_MASTER, "\n");
	plan_free(w.p);
	document_free(w.c->doc);
	fixture_text(&secrets, MODERN, strlen(MODERN));
	append_line(&secrets, "server.properties/plain = ", "\n");
	append_line(&secrets, "server.properties/escaped = \\\\", "\n");
	append_line(&secrets, "other = \\u0045NC[", "\n");
	buf_init_secret(&config, BUF_MAX_FILE);
	append_line(&config, "a.password=", "\n");
	append_line(&config, "b.password=\\\\", "\n");
	append_line(&config, "c.password=", "\\ud800\n");
	append_line(&config, "d.password=old-", "\n");
	append_line(&config, "config.providers.x.password=", "\n");
	buf_append_str(&config, "r1=" OURS("server.properties/plain") "\n"
	    "r2=" OURS("server.properties/escaped") "\n");
	buf_init_secret(&value, 100);
	append_canary(&value);
	w.s = secrets_file_parse("secrets.properties", &secrets, NULL);
	w.c->doc = document_parse(&config, &document_properties, "server.properties", NULL);
	assert_non_null(w.s);
	assert_non_null(w.c->doc);
	w.p = plan_new(w.s, NULL);
	(void)secrets_file_sealed_count(w.s);
	assert_int_equal(heap_holds_canary(), 0);
	for (i = 0; i < document_count(w.c->doc); i++)
		(void)state_of(w.c->doc, i, w.s, NULL);
	assert_int_equal(heap_holds_canary(), 0);
	assert_int_equal(seal_prepare(w.p, w.master, NULL), 0);
	for (i = 0; i < document_count(w.c->doc); i++)
		(void)state_of(w.c->doc, i, w.s, NULL);
	assert_int_equal(heap_holds_canary(), 0);
	for (i = 0; i < document_count(w.c->doc); i++) {
		err.code = ERROR_NONE;
		(void)seal_entry(w.p, w.c, i, &fixture_options, &err);
		assert_false(holds_canary((const unsigned char *)&err, sizeof(err)));
	}
	(void)seal_value(w.p, w.c, "new", 3, value.data, value.len, false, &fixture_options, &err);
	(void)seal_value(w.p, w.c, "plain", 5, value.data, value.len, false, &fixture_options,
	    &err);
	assert_int_equal(err.code, ERROR_EXISTS);
	assert_false(holds_canary((const unsigned char *)&err, sizeof(err)));
	buf_init(&out, BUF_MAX_FILE);
	assert_int_equal(diff_append(w.p, &out, NULL), 0);
	assert_int_equal(plan_json(w.p, &out, NULL), 0);
	assert_int_equal(heap_holds_canary(), 0);
	buf_release(&out);
	world_apply(&w);
	assert_int_equal(secrets_file_unlock(w.s, w.master, NULL), 0);
	buf_init_secret(&out, BUF_MAX_FILE);
	(void)render_opened(w.c, w.s, NULL, NULL, 0, true, &out, &err);
	assert_true(holds_canary(out.data, out.len));
	assert_false(holds_canary((const unsigned char *)&err, sizeof(err)));
	buf_release(&out);
	(void)rotate_data_key(w.p, w.master, NULL, NULL, &err);
	assert_false(holds_canary((const unsigned char *)&err, sizeof(err)));
	buf_release(&value);
	world_close(&w);
}

static void
test_no_plaintext_on_the_heap(void **state)
{
	char *probe;

	(void)state;
	/* That the look finds what is there. */
	probe = calloc(1, 100);
	assert_non_null(probe);
	if (heap_holds_canary() == -1) {
		free(probe);
		skip();
	}
	{
		struct buf b;

		buf_init(&b, 100);
		append_canary(&b);
		assert_int_equal(heap_holds_canary(), 1);
		memset(b.data, 0, b.len);
		buf_release(&b);
	}
	free(probe);
	assert_int_equal(heap_holds_canary(), 0);
	handle_canary();
	assert_int_equal(heap_holds_canary(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_adds_ciphertext_goes_first),
		cmocka_unit_test(test_what_removes_ciphertext_goes_last),
		cmocka_unit_test(test_sealing_and_removing_in_one_plan_adds_first),
		cmocka_unit_test(test_a_file_without_changes_is_no_file_of_the_plan),
		cmocka_unit_test(test_the_same_base_name_twice_is_refused),
		cmocka_unit_test(test_many_configurations_in_one_plan),
		cmocka_unit_test(test_notes_are_lines),
		cmocka_unit_test(test_first_time_and_after),
		cmocka_unit_test(test_scratch_is_secret_and_empty),
		cmocka_unit_test(test_keys_are_copied),
		cmocka_unit_test_setup_teardown(test_output_file, files_setup, files_teardown),
		cmocka_unit_test(test_verify_garbage),
		cmocka_unit_test(test_verify_what_was_sealed),
		cmocka_unit_test(test_verify_a_large_file),
		cmocka_unit_test(test_verify_wrong_data_key),
		cmocka_unit_test(test_verify_every_entry_after_a_rotation),
		cmocka_unit_test(test_verify_what_was_removed),
		cmocka_unit_test(test_verify_the_configuration),
		cmocka_unit_test(test_no_plaintext_on_the_heap)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

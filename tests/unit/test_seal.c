#include "plan/plan.h"
#include "seal/seal.h"
#include "secrets/sealed.h"
#include "estate_fixture.h"

#define SALT_ONLY SECRETS_MASTER_SALT " = FRx1o+O8unSlwoYjVbvncYZ8nWve9gqbFOvIion5DLA=\n" \
	SECRETS_CREATED_AT " = 2021-06-07 08:09:10.1 +0000 UTC m=+0.01\n"

/* What every seal leaves in the secrets file: where it lies for its readers. */
#define NOTED SECRETS_REMOTE "0 = " REMOTE "\n"

static void
assert_order(const struct secrets_file *s, const char *const keys[], size_t n)
{
	const struct document *d = secrets_file_document(s);
	const char *key;
	size_t i, len;

	assert_int_equal(document_count(d), n);
	for (i = 0; i < n; i++) {
		key = document_key(d, i, &len);
		assert_int_equal(len, strlen(keys[i]));
		assert_memory_equal(key, keys[i], len);
	}
}

static void
assert_failed(const struct world *w, int result, enum error_code code)
{
	assert_int_equal(result, -1);
	assert_int_equal(w->err.code, code);
	/* A refusal leaves nothing behind that might be applied after all. */
	assert_true(plan_is_empty(w->p));
}

/* --- the noted paths --- */

static void
assert_noted(const struct secrets_file *s, const char *const want[], size_t n)
{
	assert_int_equal(secrets_file_remote_count(s), n);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(secrets_file_remote(s, i), want[i]);
		assert_true(secrets_file_notes(s, want[i], strlen(want[i])));
	}
	assert_false(secrets_file_notes(s, REMOTE "x", strlen(REMOTE "x")));
	assert_false(secrets_file_notes(s, REMOTE, strlen(REMOTE) - 1));
}

static void
test_every_path_is_noted_once(void **state)
{
	static const char *const want[] = { "/srv/noted", REMOTE, "/other" };
	const struct seal_options other = { .remote = "/other" };
	const struct seal_options noted = { .remote = "/srv/noted" };
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN SECRETS_REMOTE "1 = /srv/noted\n", MODERN_MASTER,
	    "a=1\nb=2\nc=3\nd=4\n");
	assert_int_equal(world_seal_key(&w, "a"), 0);
	assert_int_equal(seal_key(w.p, w.c, "b", 1, &other, &w.err), 0);
	assert_int_equal(world_seal_key(&w, "c"), 0);
	assert_int_equal(seal_key(w.p, w.c, "d", 1, &noted, &w.err), 0);
	s = world_planned(&w, w.master);
	assert_noted(s, want, 3);
	assert_metadata(s, SECRETS_REMOTE "0", REMOTE);
	assert_metadata(s, SECRETS_REMOTE "2", "/other");
	/* It is no sealed entry, and nothing that a reference could name. */
	assert_int_equal(secrets_file_sealed_count(s), 4 + 4);
	assert_int_equal(secrets_file_find(s, SECRETS_REMOTE "0", strlen(SECRETS_REMOTE "0")),
	    DOCUMENT_NONE);
	secrets_file_free(s);
	world_close(&w);
}

/* A key that looks like one, and is an entry of a file of that name. */
static void
test_what_is_no_noted_path(void **state)
{
	struct secrets_file *s = fixture_secrets(SECRETS_REMOTE "x = /a\n" SECRETS_REMOTE " = /b\n"
	    SECRETS_REMOTE "1x = /c\n" SECRETS_REMOTE "1234567890 = /d\n"
	    SECRETS_REMOTE "7 =\n" SECRETS_REMOTE "3 = /old\n" SECRETS_REMOTE "3 = /new\n");
	static const char *const want[] = { "/new" };

	(void)state;
	assert_noted(s, want, 1);
	secrets_file_free(s);
}

/* --- the first data key --- */

static const char *const metadata_order[] = { SECRETS_MASTER_SALT, SECRETS_CREATED_AT,
	SECRETS_ENVVAR, SECRETS_LENGTH, SECRETS_ITERATIONS, SECRETS_SALT, SECRETS_DATA_KEY,
	SECRETS_REMOTE "0", "server.properties/password", TAG_PREFIX "server.properties/password" };

static void
test_first_data_key_in_a_file_of_the_reference(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, SALT_ONLY, MODERN_MASTER, "password=hunter2\n");
	assert_int_equal(world_seal_key(&w, "password"), 0);
	assert_string_equal(plan_notes(w.p), "");
	world_apply(&w);
	assert_order(w.s, metadata_order, 10);
	/* The numbers that the master key was derived with. */
	assert_metadata(w.s, SECRETS_LENGTH, "32");
	assert_metadata(w.s, SECRETS_ITERATIONS, "10000");
	assert_metadata(w.s, SECRETS_ENVVAR, SECRETS_ENVVAR_DEFAULT);
	assert_int_equal(secrets_file_unlock(w.s, w.master, NULL), 0);
	assert_opens_to(w.s, "server.properties/password", "hunter2");
	world_close(&w);
}

static void
test_first_data_key_keeps_iterations_and_length_of_the_file(void **state)
{
	struct secrets_file *s;
	struct world w;
	struct sealed parts;
	const char *wrapped;

	(void)state;
	world_prepare(&w, SALT_ONLY SECRETS_LENGTH "=16\n" SECRETS_ITERATIONS "=1000\n",
	    LEGACY_MASTER, "password=hunter2\n");
	assert_int_equal(key_length(plan_data_key(w.p)), 16);
	assert_int_equal(world_seal_key(&w, "password"), 0);
	s = world_planned(&w, w.master);
	assert_metadata(s, SECRETS_LENGTH, "16");
	assert_metadata(s, SECRETS_ITERATIONS, "1000");
	/* 24 characters of base64 and a tag, in base64. */
	wrapped = secrets_file_metadata(s)->data_key;
	assert_int_equal(sealed_parse(wrapped, strlen(wrapped), &parts, NULL), 0);
	assert_int_equal(parts.data_len, (24 + 16 + 2) / 3 * 4);
	assert_opens_to(s, "server.properties/password", "hunter2");
	secrets_file_free(s);
	world_close(&w);
}

static void
test_first_data_key_without_a_salt(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, "", MODERN_MASTER, "password=hunter2\n");
	assert_non_null(strstr(plan_notes(w.p), "no master key salt"));
	assert_int_equal(world_seal_key(&w, "password"), 0);
	world_apply(&w);
	assert_order(w.s, metadata_order + 1, 9);
	assert_metadata(w.s, SECRETS_ITERATIONS, "220000");
	assert_int_equal(secrets_file_unlock(w.s, w.master, NULL), 0);
	assert_opens_to(w.s, "server.properties/password", "hunter2");
	world_close(&w);
}

static void
test_lost_data_key_is_no_reason_for_a_new_one(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, SALT_ONLY "a/k = ENC[AES/GCM/NoPadding,data:AAAA,iv:AAAA,type:str]\n",
	    MODERN_MASTER, "password=hunter2\n");
	assert_failed(&w, seal_prepare(w.p, w.master, &w.err), ERROR_DAMAGED);
	assert_non_null(strstr(w.err.text, SECRETS_DATA_KEY));
	world_close(&w);
}

static void
test_wrong_master_key(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, MODERN, MIXED_MASTER, "password=hunter2\n");
	assert_failed(&w, seal_prepare(w.p, w.master, &w.err), ERROR_KEY);
	world_close(&w);
}

/* --- sealing what is in the file --- */

static void
test_default_rule_seals_and_touches_nothing_else(void **state)
{
	static const char config[] =
	    "# brokers\r\n"
	    "broker.id = 1\r\n"
	    "ssl.key.password:  hunter2  \r\n"
	    "log.dirs=C:\\\\data\\\\new\r\n"
	    "\r\n"
	    "PassWord.old=a\\u0062c\\\r\n"
	    "    def\r\n"
	    "sasl.mechanism=PLAIN\r\n"
	    "! end";
	static const char want[] =
	    "# brokers\r\n"
	    "broker.id = 1\r\n"
	    "ssl.key.password:  " OURS("server.properties/ssl.key.password") "\r\n"
	    "log.dirs=C:\\\\data\\\\new\r\n"
	    "\r\n"
	    "PassWord.old=" OURS("server.properties/PassWord.old") "\r\n"
	    "sasl.mechanism=PLAIN\r\n"
	    "! end\r\n"
	    "config.providers = securepass\r\n"
	    "config.providers.securepass.class = "
	    "io.confluent.kafka.security.config.provider.SecurePassConfigProvider\r\n";
	struct secrets_file *s;
	struct world w;
	size_t count = 99;

	(void)state;
	world_prepare(&w, MIXED, MIXED_MASTER, config);
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, &count, &w.err), 0);
	assert_int_equal(count, 2);
	assert_rendered(w.p, PLAN_CONFIG, want);
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/ssl.key.password", "hunter2  ");
	assert_opens_to(s, "server.properties/PassWord.old", "abcdef");
	/* What was there stays. */
	assert_opens_to(s, "server.properties/a.password", "first-S3cret!");
	secrets_file_free(s);
	world_close(&w);
}

static void
test_secrets_file_is_only_added_to(void **state)
{
	struct world w;
	struct buf out;

	(void)state;
	world_prepare(&w, MIXED, MIXED_MASTER, "x.password=hunter2\n");
	assert_int_equal(world_seal_key(&w, "x.password"), 0);
	fixture_render(w.p, PLAN_SECRETS, &out);
	assert_true(out.len > strlen(MIXED));
	assert_memory_equal(out.data, MIXED, strlen(MIXED));
	assert_memory_equal(out.data + strlen(MIXED),
	    NOTED "server.properties/x.password = ENC[AES/GCM/NoPadding,data:",
	    strlen(NOTED) + 58);
	buf_release(&out);
	world_close(&w);
}

static void
test_a_second_run_changes_nothing(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "a.password=one\nb.password=two\nc=three\n");
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, NULL, &w.err), 0);
	assert_int_equal(plan_file_count(w.p), 2);
	world_apply(&w);
	assert_int_equal(seal_prepare(w.p, w.master, &w.err), 0);
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, NULL, &w.err), 0);
	assert_true(plan_is_empty(w.p));
	assert_string_equal(plan_notes(w.p), "");
	world_close(&w);
}

/* What an interruption between the two files leaves: the second run finishes. */
static void
test_a_sealed_entry_of_the_same_value_is_used_as_it_is(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER,
	    "ssl.keystore.password=" MODERN_KEYSTORE "\nssl.key.password=\n");
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, NULL, &w.err), 0);
	assert_rendered(w.p, PLAN_SECRETS, MODERN NOTED);
	assert_rendered(w.p, PLAN_CONFIG,
	    "ssl.keystore.password=" OURS("server.properties/ssl.keystore.password") "\n"
	    "ssl.key.password=" OURS("server.properties/ssl.key.password") "\n"
	    "config.providers=securepass\n"
	    "config.providers.securepass.class="
	    "io.confluent.kafka.security.config.provider.SecurePassConfigProvider\n");
	world_close(&w);
}

static void
test_a_sealed_entry_of_another_value_is_not_overwritten(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "ssl.keystore.password=hunter2\n");
	assert_failed(&w, world_seal_key(&w, "ssl.keystore.password"), ERROR_EXISTS);
	assert_string_equal(w.err.file, "secrets.properties");
	assert_int_equal(w.err.line, 8);
	assert_string_equal(w.err.key, "server.properties/ssl.keystore.password");
	assert_null(strstr(w.err.text, "hunter2"));
	assert_null(strstr(w.err.hint, "hunter2"));
	world_close(&w);
}

static void
test_replace_overwrites_when_asked_even_after_a_refusal(void **state)
{
	struct seal_options o = fixture_options;
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "ssl.keystore.password=other\n");
	assert_failed(&w, world_seal_key(&w, "ssl.keystore.password"), ERROR_EXISTS);
	o.replace = true;
	assert_int_equal(seal_key(w.p, w.c, "ssl.keystore.password", 21, &o, &w.err), 0);
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/ssl.keystore.password", "other");
	assert_int_equal(secrets_file_sealed_count(s), 4);
	secrets_file_free(s);
	world_close(&w);
}

/* A line of this name that is not sealed is somebody's, too. */
static void
test_a_plain_line_of_that_name_is_not_overwritten(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN "server.properties/password = hunter2\n", MODERN_MASTER,
	    "password=hunter2\n");
	assert_failed(&w, world_seal_key(&w, "password"), ERROR_EXISTS);
	world_close(&w);
}

static void
test_two_configurations_of_one_base_name_in_one_plan(void **state)
{
	struct configuration *other = fixture_config("old/server.properties",
	    "password=hunter2\nb.password=x\n");
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "password=hunter2\n");
	assert_int_equal(world_seal_key(&w, "password"), 0);
	/* The same key and value: to say nothing would leave it in clear text. */
	assert_int_equal(seal_key(w.p, other, "password", 8, &fixture_options, &w.err), -1);
	assert_int_equal(w.err.code, ERROR_REFUSED);
	assert_non_null(strstr(w.err.text, "etc/server.properties"));
	assert_string_equal(w.err.file, "old/server.properties");
	assert_int_equal(seal_key(w.p, other, "b.password", 10, &fixture_options, &w.err), -1);
	assert_int_equal(w.err.code, ERROR_REFUSED);
	assert_int_equal(plan_file_count(w.p), 2);
	world_close(&w);
	configuration_free(other);
}

static void
test_two_configurations_of_one_base_name_in_two_plans(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "a.password=one\nb.password=two\n");
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, NULL, &w.err), 0);
	world_apply(&w);
	configuration_free(w.c);
	w.c = fixture_config("old/server.properties", "a.password=one\nb.password=2\n");
	assert_int_equal(seal_prepare(w.p, w.master, &w.err), 0);
	/* The same value may share the entry, another may not take it over. */
	assert_failed(&w, world_seal_key(&w, "b.password"), ERROR_EXISTS);
	assert_int_equal(world_seal_key(&w, "a.password"), 0);
	assert_int_equal(plan_file_count(w.p), 1);
	assert_int_equal(fixture_file_at(w.p, 0)->role, PLAN_CONFIG);
	world_close(&w);
}

static void
test_configurations_of_other_names_share_a_plan(void **state)
{
	struct configuration *other = fixture_config("etc/client.properties", "password=two\n");
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "password=one\n");
	assert_int_equal(world_seal_key(&w, "password"), 0);
	assert_int_equal(seal_key(w.p, other, "password", 8, &fixture_options, &w.err), 0);
	assert_int_equal(plan_file_count(w.p), 3);
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/password", "one");
	assert_opens_to(s, "client.properties/password", "two");
	secrets_file_free(s);
	world_close(&w);
	configuration_free(other);
}

static void
test_every_line_of_a_key_gets_the_reference(void **state)
{
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER,
	    PROVIDERS "password=first\nx=1\npassword=second\n");
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, NULL, &w.err), 0);
	assert_rendered(w.p, PLAN_CONFIG, PROVIDERS
	    "password=" OURS("server.properties/password") "\n"
	    "x=1\n"
	    "password=" OURS("server.properties/password") "\n");
	assert_non_null(strstr(plan_notes(w.p), "server.properties:3:"));
	assert_null(strstr(plan_notes(w.p), "first"));
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/password", "second");
	secrets_file_free(s);
	world_close(&w);
}

static void
test_sealing_a_hidden_line_seals_what_is_read(void **state)
{
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "password=first\npassword=second\n");
	assert_int_equal(seal_entry(w.p, w.c, 0, &fixture_options, &w.err), 0);
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/password", "second");
	secrets_file_free(s);
	world_close(&w);
}

static void
test_references_are_left_alone(void **state)
{
	static const char config[] =
	    "a.password=" OURS("server.properties/ssl.keystore.password") "\n"
	    "b.password=" OURS("server.properties/gone") "\n"
	    "c.password=${vault:kafka:c}\n"
	    "d.\\u001b[2Jpassword=${env:D}\n";
	struct world w;
	size_t count = 0;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, config);
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, &count, &w.err), 0);
	assert_int_equal(count, 4);
	assert_true(plan_is_empty(w.p));
	assert_null(strstr(plan_notes(w.p), "a.password"));
	assert_non_null(strstr(plan_notes(w.p), ":2: b.password is a dangling reference"));
	assert_non_null(strstr(plan_notes(w.p), ":3: c.password is a reference to another"));
	/* No text can drive the terminal. */
	assert_null(strchr(plan_notes(w.p), '\033'));
	world_close(&w);
}

static void
test_values_of_every_kind_come_back(void **state)
{
	static const char long_value[] = "0123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789012345678901234567890123456789";
	static const struct {
		const char *raw;
		const char *plain;
	} cases[] = {
		{ "", "" }, { "x", "x" }, { "two words", "two words" }, { "\\ x ", " x " },
		{ "C:\\\\new\\\\", "C:\\new\\" }, { "a\\tb\\nc\\rd\\f", "a\tb\nc\rd\f" },
		{ "\\u00e9", "\303\251" }, { "\\ud83d\\ude00", "\360\237\230\200" },
		{ "\303\251", "\303\251" }, { "a=b:c#d!e", "a=b:c#d!e" },
		{ "$x", "$x" }, { "x${x}", "x${x}" }, { "x${a:b}", "x${a:b}" },
		{ "ENC[x", "ENC[x" }, { "a\\\n  b", "ab" }, { long_value, long_value }
	};
	struct buf config, name;
	struct secrets_file *s;
	struct world w;
	size_t i;

	(void)state;
	buf_init(&config, 100000);
	buf_init(&name, 100);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		buf_printf(&config, "%zu.password=%s\n", i, cases[i].raw);
	world_prepare(&w, MODERN, MODERN_MASTER, buf_cstr(&config));
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, NULL, &w.err), 0);
	s = world_planned(&w, w.master);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_clear(&name);
		buf_printf(&name, "server.properties/%zu.password", i);
		assert_opens_to(s, buf_cstr(&name), cases[i].plain);
	}
	buf_release(&name);
	buf_release(&config);
	secrets_file_free(s);
	world_close(&w);
}

static void
test_a_nul_in_a_value_comes_back(void **state)
{
	struct secrets_file *s;
	struct world w;
	struct buf out;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "password=a\\u0000b\n");
	assert_int_equal(world_seal_key(&w, "password"), 0);
	s = world_planned(&w, w.master);
	buf_init_secret(&out, 100);
	assert_int_equal(secrets_file_open(s, secrets_file_find(s, "server.properties/password",
	    26), &out, NULL), 0);
	assert_int_equal(out.len, 3);
	assert_memory_equal(out.data, "a\0b", 3);
	buf_release(&out);
	secrets_file_free(s);
	world_close(&w);
}

static void
test_half_a_surrogate_pair_is_refused(void **state)
{
	static const char *const values[] = { "\\ud800", "x\\udc00y", "\\ude00\\ud83d",
		"\\ud83d\\ud83d\\ude00" };
	struct buf config;
	struct world w;
	size_t i;

	(void)state;
	buf_init(&config, 1000);
	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		buf_clear(&config);
		buf_printf(&config, "\npassword=%s\n", values[i]);
		world_prepare(&w, MODERN, MODERN_MASTER, buf_cstr(&config));
		assert_failed(&w, world_seal_key(&w, "password"), ERROR_REFUSED);
		assert_string_equal(w.err.file, "etc/server.properties");
		assert_int_equal(w.err.line, 2);
		assert_string_equal(w.err.key, "password");
		world_close(&w);
	}
	buf_release(&config);
}

static void
test_what_kafka_could_not_resolve_is_refused(void **state)
{
	struct seal_options colon = { .remote = "C:/secrets.properties" };
	struct seal_options brace = { .remote = "/etc/{s}" };
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "pass}word=hunter2\npassword=x\n");
	assert_failed(&w, world_seal_key(&w, "pass}word"), ERROR_REFUSED);
	assert_int_equal(w.err.line, 1);
	assert_failed(&w, seal_key(w.p, w.c, "password", 8, &colon, &w.err), ERROR_REFUSED);
	assert_failed(&w, seal_key(w.p, w.c, "password", 8, &brace, &w.err), ERROR_REFUSED);
	assert_failed(&w, world_seal_value(&w, "new}", "x", false), ERROR_REFUSED);
	/* The refusals do not stand in the way of what can be done. */
	assert_int_equal(world_seal_key(&w, "password"), 0);
	assert_int_equal(plan_file_count(w.p), 2);
	world_close(&w);
}

static void
test_a_key_that_is_not_there(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "password=x\n");
	assert_failed(&w, world_seal_key(&w, "passwords"), ERROR_MISSING);
	assert_string_equal(w.err.key, "passwords");
	assert_failed(&w, world_seal_key(&w, ""), ERROR_MISSING);
	world_close(&w);
}

static void
test_cbc_for_old_brokers(void **state)
{
	struct seal_options o = { .remote = REMOTE, .cipher = SEALED_CBC };
	struct secrets_file *s;
	struct world w;
	struct buf out;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "password=hunter2\n");
	assert_int_equal(seal_key(w.p, w.c, "password", 8, &o, &w.err), 0);
	fixture_render(w.p, PLAN_SECRETS, &out);
	assert_non_null(strstr(buf_cstr(&out),
	    "server.properties/password = ENC[AES/CBC/PKCS5Padding,data:"));
	buf_release(&out);
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/password", "hunter2");
	secrets_file_free(s);
	world_close(&w);
}

static void
test_a_key_named_twice_is_sealed_once(void **state)
{
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "password=hunter2\n");
	assert_int_equal(world_seal_key(&w, "password"), 0);
	assert_int_equal(world_seal_key(&w, "password"), 0);
	s = world_planned(&w, w.master);
	assert_int_equal(document_count(secrets_file_document(s)), 7 + 4 + 3);
	secrets_file_free(s);
	world_close(&w);
}

/* --- sealing a value that is given --- */

static void
test_add_makes_a_new_entry(void **state)
{
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, PROVIDERS);
	assert_int_equal(world_seal_value(&w, "new key", "hunter2", false), 0);
	assert_rendered(w.p, PLAN_CONFIG, PROVIDERS
	    "new\\ key = ${securepass:" REMOTE ":server.properties/new key}\n");
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/new key", "hunter2");
	secrets_file_free(s);
	world_close(&w);
}

static void
test_add_takes_the_place_of_a_plain_entry(void **state)
{
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, PROVIDERS "k : old\nz=1\n");
	assert_int_equal(world_seal_value(&w, "k", "hunter2", false), 0);
	assert_rendered(w.p, PLAN_CONFIG, PROVIDERS "k : " OURS("server.properties/k") "\nz=1\n");
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/k", "hunter2");
	secrets_file_free(s);
	world_close(&w);
}

static void
test_add_does_not_take_over_an_orphan_of_another_value(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, PROVIDERS);
	assert_failed(&w, world_seal_value(&w, "ssl.keystore.password", "x", false),
	    ERROR_EXISTS);
	assert_int_equal(world_seal_value(&w, "ssl.keystore.password", MODERN_KEYSTORE, false),
	    0);
	assert_rendered(w.p, PLAN_SECRETS, MODERN NOTED);
	world_close(&w);
}

static void
test_update_replaces_what_the_file_owns(void **state)
{
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, PROVIDERS
	    "ssl.keystore.password=" OURS("server.properties/ssl.keystore.password") "\n");
	assert_int_equal(world_seal_value(&w, "ssl.keystore.password", "new-S3cret!", true), 0);
	assert_int_equal(plan_file_count(w.p), 1);
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/ssl.keystore.password", "new-S3cret!");
	assert_int_equal(secrets_file_sealed_count(s), 4);
	secrets_file_free(s);
	world_close(&w);
}

static void
test_update_to_the_same_value_changes_nothing(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, PROVIDERS
	    "ssl.keystore.password=" OURS("server.properties/ssl.keystore.password") "\n");
	assert_int_equal(world_seal_value(&w, "ssl.keystore.password", MODERN_KEYSTORE, true), 0);
	assert_true(plan_is_empty(w.p));
	world_close(&w);
}

static void
test_update_heals_what_is_dangling_or_damaged(void **state)
{
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN "server.properties/b = ENC[x\n", MODERN_MASTER, PROVIDERS
	    "a=" OURS("server.properties/a") "\nb=" OURS("server.properties/b") "\n");
	assert_int_equal(world_seal_value(&w, "a", "one", true), 0);
	assert_int_equal(world_seal_value(&w, "b", "two", true), 0);
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/a", "one");
	assert_opens_to(s, "server.properties/b", "two");
	secrets_file_free(s);
	world_close(&w);
}

/* A reference to the entry of another key does not make that entry ours. */
static void
test_update_does_not_touch_an_entry_of_another_name(void **state)
{
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, PROVIDERS
	    "k=" OURS("server.properties/ssl.keystore.password") "\n");
	assert_int_equal(world_seal_value(&w, "k", "x", true), 0);
	assert_rendered(w.p, PLAN_CONFIG, PROVIDERS "k=" OURS("server.properties/k") "\n");
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/ssl.keystore.password", MODERN_KEYSTORE);
	assert_opens_to(s, "server.properties/k", "x");
	secrets_file_free(s);
	world_close(&w);
}

static void
test_values_and_keys_that_are_refused(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "k=1\n");
	assert_failed(&w, world_seal_value(&w, "gone", "x", true), ERROR_MISSING);
	assert_failed(&w, world_seal_value(&w, "", "x", false), ERROR_REFUSED);
	assert_failed(&w, world_seal_value(&w, "k", OURS("server.properties/k"), false),
	    ERROR_REFUSED);
	assert_failed(&w, world_seal_value(&w, "k", "${env:X}", true), ERROR_REFUSED);
	/* The empty value, as a document gives it. */
	assert_int_equal(seal_value(w.p, w.c, "k", 1, NULL, 0, false, &fixture_options, &w.err),
	    0);
	world_close(&w);
}

/* The later of two values must not be dropped without a word. */
static void
test_two_values_for_one_key_in_one_plan(void **state)
{
	struct secrets_file *s;
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "k=1\n");
	assert_int_equal(world_seal_value(&w, "k", "one", false), 0);
	assert_int_equal(world_seal_value(&w, "k", "two", false), -1);
	assert_int_equal(w.err.code, ERROR_REFUSED);
	assert_string_equal(w.err.key, "k");
	s = world_planned(&w, w.master);
	assert_opens_to(s, "server.properties/k", "one");
	secrets_file_free(s);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_path_is_noted_once),
		cmocka_unit_test(test_what_is_no_noted_path),
		cmocka_unit_test(test_first_data_key_in_a_file_of_the_reference),
		cmocka_unit_test(test_first_data_key_keeps_iterations_and_length_of_the_file),
		cmocka_unit_test(test_first_data_key_without_a_salt),
		cmocka_unit_test(test_lost_data_key_is_no_reason_for_a_new_one),
		cmocka_unit_test(test_wrong_master_key),
		cmocka_unit_test(test_default_rule_seals_and_touches_nothing_else),
		cmocka_unit_test(test_secrets_file_is_only_added_to),
		cmocka_unit_test(test_a_second_run_changes_nothing),
		cmocka_unit_test(test_a_sealed_entry_of_the_same_value_is_used_as_it_is),
		cmocka_unit_test(test_a_sealed_entry_of_another_value_is_not_overwritten),
		cmocka_unit_test(test_replace_overwrites_when_asked_even_after_a_refusal),
		cmocka_unit_test(test_a_plain_line_of_that_name_is_not_overwritten),
		cmocka_unit_test(test_two_configurations_of_one_base_name_in_one_plan),
		cmocka_unit_test(test_two_configurations_of_one_base_name_in_two_plans),
		cmocka_unit_test(test_configurations_of_other_names_share_a_plan),
		cmocka_unit_test(test_every_line_of_a_key_gets_the_reference),
		cmocka_unit_test(test_sealing_a_hidden_line_seals_what_is_read),
		cmocka_unit_test(test_references_are_left_alone),
		cmocka_unit_test(test_values_of_every_kind_come_back),
		cmocka_unit_test(test_a_nul_in_a_value_comes_back),
		cmocka_unit_test(test_half_a_surrogate_pair_is_refused),
		cmocka_unit_test(test_what_kafka_could_not_resolve_is_refused),
		cmocka_unit_test(test_a_key_that_is_not_there),
		cmocka_unit_test(test_cbc_for_old_brokers),
		cmocka_unit_test(test_a_key_named_twice_is_sealed_once),
		cmocka_unit_test(test_add_makes_a_new_entry),
		cmocka_unit_test(test_add_takes_the_place_of_a_plain_entry),
		cmocka_unit_test(test_add_does_not_take_over_an_orphan_of_another_value),
		cmocka_unit_test(test_update_replaces_what_the_file_owns),
		cmocka_unit_test(test_update_to_the_same_value_changes_nothing),
		cmocka_unit_test(test_update_heals_what_is_dangling_or_damaged),
		cmocka_unit_test(test_update_does_not_touch_an_entry_of_another_name),
		cmocka_unit_test(test_values_and_keys_that_are_refused),
		cmocka_unit_test(test_two_values_for_one_key_in_one_plan)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

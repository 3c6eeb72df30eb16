#include "plan/apply.h"
#include "plan/plan.h"
#include "seal/keying.h"
#include "seal/seal.h"
#include "estate_fixture.h"

#define CANARY "c4n4ry-S3cret"
#define MASK "********"

static void
text_of(const struct plan *p, struct buf *out)
{
	buf_init(out, BUF_MAX_FILE);
	assert_int_equal(diff_append(p, out, NULL), 0);
}

static void
json_of(const struct plan *p, struct buf *out)
{
	buf_init(out, BUF_MAX_FILE);
	assert_int_equal(plan_json(p, out, NULL), 0);
}

static void
assert_diff(const struct plan *p, const char *want)
{
	struct buf out;

	text_of(p, &out);
	assert_string_equal(buf_cstr(&out), want);
	buf_release(&out);
}

static void
assert_json(const struct plan *p, const char *want)
{
	struct buf out;

	json_of(p, &out);
	assert_string_equal(buf_cstr(&out), want);
	buf_release(&out);
}

/* Neither form shows ${text}. */
static void
assert_hidden(const struct plan *p, const char *text)
{
	struct buf out;

	text_of(p, &out);
	if (strstr(buf_cstr(&out), text) != NULL)
		fail_msg("shown: %s", buf_cstr(&out));
	buf_release(&out);
	json_of(p, &out);
	if (strstr(buf_cstr(&out), text) != NULL)
		fail_msg("shown: %s", buf_cstr(&out));
	buf_release(&out);
}

#define PROVIDERS_ADDED \
	"@@ new @@\n+config.providers = securepass\n" \
	"@@ new @@\n+config.providers.securepass.class = " \
	"io.confluent.kafka.security.config.provider.SecurePassConfigProvider\n"

/* The eight characters of base64 that are shown of new ciphertext. */
static void
cut_random(struct buf *out)
{
	char *p = (char *)(uintptr_t)buf_cstr(out);

	while ((p = strstr(p, "data:")) != NULL) {
		p += 5;
		memset(p, '.', 8);
	}
}

static void
test_sealing_as_text(void **state)
{
	struct world w;
	struct buf out;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER,
	    "a=1\nb.password=" CANARY "\nc.password=\nb.password=" CANARY "2\n");
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, NULL, &w.err), 0);
	text_of(w.p, &out);
	cut_random(&out);
	assert_string_equal(buf_cstr(&out),
	    "--- (new file)\n+++ secrets.properties\n"
	    "@@ new @@\n+_propseal.remote.0 = " REMOTE "\n"
	    "@@ new @@\n+server.properties/c.password = "
	    "ENC[AES/GCM/NoPadding,data:...........]\n"
	    "@@ new @@\n+server.properties/b.password = "
	    "ENC[AES/GCM/NoPadding,data:...........]\n"
	    "@@ and 2 integrity tags @@\n"
	    "--- etc/server.properties\n+++ etc/server.properties\n"
	    "@@ line 2 @@\n-b.password = " MASK "\n"
	    "+b.password = " OURS("server.properties/b.password") "\n"
	    "@@ line 3 @@\n-c.password = \n"
	    "+c.password = " OURS("server.properties/c.password") "\n"
	    "@@ line 4 @@\n-b.password = " MASK "\n"
	    "+b.password = " OURS("server.properties/b.password") "\n"
	    PROVIDERS_ADDED
	    "# etc/server.properties:2: an earlier line of the same key, which no reader uses, "
	    "gets the reference too\n");
	buf_release(&out);
	world_close(&w);
}

static void
test_sealing_as_json(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, "b.password=" CANARY "\n" PROVIDERS);
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, NULL, &w.err), 0);
	plan_note(w.p, "one \"note\"");
	plan_note(w.p, "two");
	assert_json(w.p,
	    "{\"schema\":\"propseal.plan/1\",\"files\":[{\"path\":\"secrets.properties\",\"role\":\"secrets\",\"new\":true,"
	    "\"changes\":[{\"op\":\"insert\",\"key\":\"_propseal.remote.0\",\"to\":\"text\"},"
	    "{\"op\":\"insert\",\"key\":\"server.properties/b.password\","
	    "\"to\":\"ciphertext\"}],\"tags\":1},"
	    "{\"path\":\"etc/server.properties\",\"role\":\"configuration\",\"new\":false,"
	    "\"changes\":[{\"op\":\"set\",\"key\":\"b.password\",\"line\":1,\"from\":\"text\","
	    "\"to\":\"reference\"}]}],\"notes\":[\"one \\\"note\\\"\",\"two\"]}\n");
	world_close(&w);
}

/* What was applied is told by file: one failed, and the other is done. */
static void
test_a_change_tells_what_is_done_and_what_is_not(void **state)
{
	struct apply_result results[2] = { { .done = true } };
	struct apply applied = { .results = results, .count = 2 };
	struct json_out o;
	struct error why;
	struct buf out;
	struct world w;

	(void)state;
	buf_init(&applied.notes, 4096);
	buf_init(&out, BUF_MAX_FILE);
	world_prepare(&w, MODERN, MODERN_MASTER, "b.password=" CANARY "\n" PROVIDERS);
	assert_int_equal(seal_default(w.p, w.c, &fixture_options, NULL, &w.err), 0);
	buf_append_str(&applied.notes, "an orphan stays");
	error_set(&why, ERROR_STALE, "it changed");
	results[0].file = plan_next(w.p, NULL);
	results[1].file = plan_next(w.p, results[0].file);
	results[1].why = &why;
	json_out_init(&o, &out);
	json_out_object(&o, NULL);
	diff_write_json((const struct plan *const[]){ w.p }, (struct apply *const[]){ &applied }, 1,
	    &o);
	json_out_end(&o);
	assert_int_equal(json_out_finish(&o, NULL), 0);
	assert_string_equal(buf_cstr(&out),
	    "{\"schema\":\"propseal.change/1\",\"changed\":true,\"files\":["
	    "{\"file\":\"secrets.properties\",\"role\":\"secrets\",\"new\":true,"
	    "\"entries\":[{\"op\":\"insert\",\"key\":\"server.properties/b.password\","
	    "\"to\":\"ciphertext\"}],\"tags\":1},"
	    "{\"file\":\"etc/server.properties\",\"role\":\"configuration\",\"new\":false,"
	    "\"entries\":[],\"error\":{\"code\":\"stale\",\"text\":\"it changed\"}}],"
	    "\"notes\":[\"an orphan stays\"]}\n");
	buf_clear(&out);
	diff_append_files(&applied, &out);
	assert_string_equal(buf_cstr(&out), "new secrets.properties (1 entry)");
	buf_release(&out);
	buf_release(&applied.notes);
	world_close(&w);
}

static void
test_removing(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "server.properties/x = ENC[AES/CBC/PKCS5Padding,data:ABCDEFGHIJKL,"
	    "iv:MNOP,type:str]\n", NULL, "x=" OURS("server.properties/x") "\n");
	assert_int_equal(seal_remove(w.p, w.c, "x", 1, false, &w.err), 0);
	assert_diff(w.p,
	    "--- etc/server.properties\n+++ etc/server.properties\n"
	    "@@ line 1 @@\n-x = " OURS("server.properties/x") "\n"
	    "--- (new file)\n+++ secrets.properties\n"
	    "@@ line 1 @@\n-server.properties/x = ENC[AES/CBC/PKCS5Padding,data:ABCDEFGH...]\n");
	assert_json(w.p,
	    "{\"schema\":\"propseal.plan/1\",\"files\":[{\"path\":\"etc/server.properties\",\"role\":\"configuration\","
	    "\"new\":false,\"changes\":[{\"op\":\"remove\",\"key\":\"x\",\"line\":1,"
	    "\"from\":\"reference\"}]},"
	    "{\"path\":\"secrets.properties\",\"role\":\"secrets\",\"new\":true,"
	    "\"changes\":[{\"op\":\"remove\",\"key\":\"server.properties/x\",\"line\":1,"
	    "\"from\":\"ciphertext\"}]}],\"notes\":[]}\n");
	world_close(&w);
}

static void
test_changes_come_in_the_order_of_the_lines(void **state)
{
	struct world w;
	struct buf out;
	const char *p;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, PROVIDERS "a=1\nb=2\nc=3\n");
	assert_int_equal(world_seal_value(&w, "new", "x", false), 0);
	assert_int_equal(world_seal_key(&w, "c"), 0);
	assert_int_equal(world_seal_key(&w, "a"), 0);
	assert_int_equal(world_seal_value(&w, "newer", "x", false), 0);
	text_of(w.p, &out);
	p = strstr(buf_cstr(&out), "--- etc/");
	assert_non_null(p);
	assert_string_equal(p,
	    "--- etc/server.properties\n+++ etc/server.properties\n"
	    "@@ line 3 @@\n-a = " MASK "\n+a = " OURS("server.properties/a") "\n"
	    "@@ line 5 @@\n-c = " MASK "\n+c = " OURS("server.properties/c") "\n"
	    "@@ new @@\n+new = " OURS("server.properties/new") "\n"
	    "@@ new @@\n+newer = " OURS("server.properties/newer") "\n");
	buf_release(&out);
	world_close(&w);
}

static void
test_metadata_is_public_but_for_the_data_key(void **state)
{
	struct world w;
	struct buf out;

	(void)state;
	world_open(&w, MIXED, MIXED_MASTER, NULL);
	assert_int_equal(rotate_data_key(w.p, w.master, NULL, NULL, &w.err), 0);
	text_of(w.p, &out);
	assert_non_null(strstr(buf_cstr(&out), "\n-_metadata.symmetric_key.0.salt = "
	    "bwUb+eIWVivGEDEDJpspkWtBGXxUyQ369xAmWZJ+BDk=\n"));
	assert_non_null(strstr(buf_cstr(&out), "\n-_metadata.symmetric_key.0.created_at = 2021-06-"
	    "07 08:09:10"));
	assert_non_null(strstr(buf_cstr(&out),
	    "\n-_metadata.symmetric_key.0.enc = ENC[AES/GCM/NoPadding,data:sjBWrJv0...]\n"));
	assert_null(strstr(buf_cstr(&out), "sjBWrJv0z"));
	buf_release(&out);
	assert_hidden(w.p, MIXED_MASTER);
	assert_hidden(w.p, MIXED_DATA_KEY);
	assert_hidden(w.p, "S3cret");
	world_close(&w);
}

/* Whatever key it stands under and whatever it looks like. */
static void
test_no_old_value_is_ever_shown(void **state)
{
	static const char *const keys[] = { "password", "_metadata.password",
		"_metadata.master_key.0.salt", SECRETS_DATA_KEY,
		"config.providers.vault.token", "config.providersX", "config.providers.",
		"config.providers.securepass.class.x", "config.providers.securepass.x" };
	static const char *const values[] = { CANARY, "x" CANARY, CANARY "\\n" CANARY,
		"${a:b}" CANARY "}", "${a:b}-" CANARY "-${c:d}", "${a:" CANARY "}x",
		"ENC[" CANARY, "ENC[AES/GCM/NoPadding,data:" CANARY,
		"{securepass:a:" CANARY "}", "\\ ${securepass:a:" CANARY "}" };
	struct buf config;
	struct world w;
	size_t i, k;

	(void)state;
	buf_init(&config, 4096);
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		for (k = 0; k < sizeof(values) / sizeof(*values); k++) {
			buf_clear(&config);
			buf_printf(&config, "%s = %s\n", keys[i], values[k]);
			world_prepare(&w, MODERN, MODERN_MASTER, buf_cstr(&config));
			/* In place of the old value comes another one. */
			if (world_seal_value(&w, keys[i], "new " CANARY, false) != 0)
				fail_msg("%s", w.err.text);
			assert_hidden(w.p, CANARY);
			world_close(&w);
		}
	}
	buf_release(&config);
}

static void
test_lines_of_others_in_the_secrets_file_are_masked(void **state)
{
	struct seal_options o = { .remote = REMOTE, .replace = true };
	struct world w;
	struct buf out;

	(void)state;
	world_prepare(&w, MODERN "server.properties/password = " CANARY "\n"
	    "_metadata.properties/password = " CANARY "\n", MODERN_MASTER, "password=x\n");
	assert_int_equal(seal_key(w.p, w.c, "password", 8, &o, &w.err), 0);
	text_of(w.p, &out);
	assert_non_null(strstr(buf_cstr(&out), "-server.properties/password = " MASK "\n"));
	buf_release(&out);
	assert_hidden(w.p, CANARY);
	configuration_free(w.c);
	plan_free(w.p);
	w.c = fixture_config("_metadata.properties", "password=x\n");
	w.p = plan_new(w.s, NULL);
	assert_int_equal(seal_prepare(w.p, w.master, &w.err), 0);
	assert_int_equal(seal_key(w.p, w.c, "password", 8, &o, &w.err), 0);
	assert_hidden(w.p, CANARY);
	world_close(&w);
}

static void
test_nothing_drives_the_terminal(void **state)
{
	struct configuration *c = fixture_config("a\033[2J\n/server.properties",
	    "k\\u001b[1m\\u009bpassword=x\nk.password=${env:\\u001b[2J}\n");
	struct world w;
	struct buf out;

	(void)state;
	world_prepare(&w, MODERN, MODERN_MASTER, NULL);
	assert_int_equal(seal_default(w.p, c, &fixture_options, NULL, &w.err), 0);
	text_of(w.p, &out);
	assert_null(memchr(out.data, '\033', out.len));
	assert_null(strstr(buf_cstr(&out), "\302\233"));
	assert_non_null(strstr(buf_cstr(&out), "--- a\\x1b[2J\\n/server.properties\n"));
	assert_non_null(strstr(buf_cstr(&out), "\n# a\\x1b[2J\\n/server.properties:2: "));
	buf_release(&out);
	world_close(&w);
	configuration_free(c);
}

static void
test_a_new_file_is_called_one(void **state)
{
	struct buf content;
	struct world w;

	(void)state;
	world_open(&w, "", NULL, NULL);
	fixture_text(&content, CANARY, strlen(CANARY));
	assert_int_equal(plan_add_output(w.p, "/nonexistent/out.properties", NULL, &content, &w.err), 0);
	assert_diff(w.p, "--- (new file)\n+++ /nonexistent/out.properties\n"
	    "@@ the whole file: 13 bytes @@\n");
	assert_json(w.p, "{\"schema\":\"propseal.plan/1\",\"files\":[{\"path\":\"/nonexistent/out.properties\","
	    "\"role\":\"output\",\"new\":true,\"changes\":[]}],\"notes\":[]}\n");
	world_close(&w);
}

static void
test_an_empty_plan(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "", NULL, "a=1\n");
	assert_non_null(plan_config_edits(w.p, w.c, NULL));
	assert_non_null(plan_secrets_edits(w.p, NULL));
	assert_diff(w.p, "");
	assert_json(w.p, "{\"schema\":\"propseal.plan/1\",\"files\":[],\"notes\":[]}\n");
	world_close(&w);
}

static void
test_long_public_values_are_cut(void **state)
{
	struct buf config, out;
	struct world w;
	size_t i;

	(void)state;
	buf_init(&config, 10000);
	buf_append_str(&config, "config.providers=");
	for (i = 0; i < 600; i++)
		buf_append_str(&config, "p,");
	buf_append_str(&config, "q\npassword=x\n");
	world_prepare(&w, MODERN, MODERN_MASTER, buf_cstr(&config));
	assert_int_equal(world_seal_key(&w, "password"), 0);
	text_of(w.p, &out);
	assert_true(out.len < 2500);
	assert_non_null(strstr(buf_cstr(&out), "p,p,...\n"));
	buf_release(&out);
	buf_release(&config);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sealing_as_text),
		cmocka_unit_test(test_sealing_as_json),
		cmocka_unit_test(test_a_change_tells_what_is_done_and_what_is_not),
		cmocka_unit_test(test_removing),
		cmocka_unit_test(test_changes_come_in_the_order_of_the_lines),
		cmocka_unit_test(test_metadata_is_public_but_for_the_data_key),
		cmocka_unit_test(test_no_old_value_is_ever_shown),
		cmocka_unit_test(test_lines_of_others_in_the_secrets_file_are_masked),
		cmocka_unit_test(test_nothing_drives_the_terminal),
		cmocka_unit_test(test_a_new_file_is_called_one),
		cmocka_unit_test(test_an_empty_plan),
		cmocka_unit_test(test_long_public_values_are_cut)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

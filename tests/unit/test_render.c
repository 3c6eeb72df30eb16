#include "seal/render.h"
#include "secrets/sealed.h"
#include "estate_fixture.h"

#define CLASS "config.providers.securepass.class=" \
	"io.confluent.kafka.security.config.provider.SecurePassConfigProvider\n"
#define KEYSTORE OURS("server.properties/ssl.keystore.password")
#define CLIENT OURS("client.properties/basic.auth.password")
#define PLAIN OURS("server.properties/ssl.key.password")	/* the empty value */

static void
open_world(struct world *w, const char *config)
{
	world_open(w, MODERN, MODERN_MASTER, config);
	assert_int_equal(secrets_file_unlock(w->s, w->master, NULL), 0);
}

static void
assert_document(const char *config, enum render_reader reader, const char *text,
    const char *note)
{
	struct world w;
	struct buf out;

	open_world(&w, config);
	buf_init_secret(&out, 65536);
	if (render_document(w.p, w.c, reader, &out, &w.err) != 0)
		fail_msg("%s", w.err.text);
	assert_string_equal(buf_cstr(&out), text);
	if (note == NULL)
		assert_string_equal(plan_notes(w.p), "");
	else
		assert_non_null(strstr(plan_notes(w.p), note));
	assert_true(plan_is_empty(w.p));
	buf_release(&out);
	world_close(&w);
}

/* --- the whole file --- */

static void
test_only_the_resolved_values_change(void **state)
{
	(void)state;
	assert_document("# c\r\n\ta : 1\r\nssl.keystore.password\t=  " KEYSTORE "\r\n! d\r\nz",
	    RENDER_PROGRAM, "# c\r\n\ta : 1\r\nssl.keystore.password\t=  " MODERN_KEYSTORE
	    "\r\n! d\r\nz", NULL);
	assert_document("x=\\\n  \\${securepass:\\\n  r:client.properties/basic.auth.password}\ny\n",
	    RENDER_PROGRAM, "x=" MODERN_CLIENT "\ny\n", NULL);
}

static void
test_values_are_escaped_as_the_format_wants_it(void **state)
{
	(void)state;
	assert_document("p=" OURS("server.properties/listener.sasl.password") "\n",
	    RENDER_PROGRAM, "p=p\\u00E4ss\\\\w\\u00F6rd = x\n", NULL);
	assert_document("p=" PLAIN "\n", RENDER_PROGRAM, "p=\n", NULL);
}

static void
test_references_inside_a_value_leave_the_rest_as_it_is(void **state)
{
	(void)state;
	assert_document("sasl.jaas.config=a.LoginModule required \\\n    u=\"\\u0061\" \\\n    p=\""
	    KEYSTORE "\" \\\n    q=\"" CLIENT "\";\n", RENDER_PROGRAM,
	    "sasl.jaas.config=a.LoginModule required \\\n    u=\"\\u0061\" \\\n    p=\""
	    MODERN_KEYSTORE "\" \\\n    q=\"" MODERN_CLIENT "\";\n", NULL);
}

static void
test_lines_that_nobody_reads_are_resolved_if_they_can_be(void **state)
{
	(void)state;
	assert_document("x=" OURS("nope") "\nx=" CLIENT "\nx=" KEYSTORE "\n", RENDER_PROGRAM,
	    "x=" OURS("nope") "\nx=" MODERN_CLIENT "\nx=" MODERN_KEYSTORE "\n", NULL);
}

static void
test_a_program_needs_the_provider_no_more(void **state)
{
	(void)state;
	assert_document("x=" CLIENT "\nconfig.providers=securepass\n" CLASS, RENDER_PROGRAM,
	    "x=" MODERN_CLIENT "\n", NULL);
	assert_document("x=" CLIENT "\nconfig.providers=securepass\n" CLASS, RENDER_PERSON,
	    "x=" MODERN_CLIENT "\nconfig.providers=securepass\n" CLASS, NULL);
	assert_document("config.providers=vault,securepass\n" CLASS "x=" CLIENT "\ny=${vault:a:b}",
	    RENDER_PROGRAM, "config.providers=vault\nx=" MODERN_CLIENT "\ny=${vault:a:b}",
	    "server.properties:4: y refers to another provider");
}

static void
test_a_file_without_references_is_left_alone(void **state)
{
	(void)state;
	assert_document("a=b\nconfig.providers=securepass\n" CLASS, RENDER_PROGRAM,
	    "a=b\nconfig.providers=securepass\n" CLASS, "nothing to resolve");
	assert_document("", RENDER_PROGRAM, "", "nothing to resolve");
	assert_document("a=b\n", RENDER_PERSON, "a=b\n", NULL);
}

static void
assert_fails(const char *config, enum error_code code, const char *file, size_t line)
{
	struct world w;
	struct buf out;

	world_open(&w, MODERN "server.properties/bad = ENC[x]\n", MODERN_MASTER, config);
	assert_int_equal(secrets_file_unlock(w.s, w.master, NULL), 0);
	buf_init_secret(&out, 65536);
	assert_int_equal(render_document(w.p, w.c, RENDER_PROGRAM, &out, &w.err), -1);
	assert_int_equal(w.err.code, code);
	assert_string_equal(w.err.file, file);
	assert_int_equal(w.err.line, line);
	assert_true(w.err.hint[0] != '\0');
	buf_release(&out);
	/* A person gets it to mend it. */
	buf_init_secret(&out, 65536);
	assert_int_equal(render_document(w.p, w.c, RENDER_PERSON, &out, &w.err), 0);
	assert_string_equal(buf_cstr(&out), config);
	assert_non_null(strstr(plan_notes(w.p), "stays a reference"));
	buf_release(&out);
	world_close(&w);
}

static void
test_what_does_not_resolve_is_an_error_with_a_place(void **state)
{
	(void)state;
	assert_fails("a=b\nx.password=" OURS("server.properties/nope") "\n", ERROR_MISSING,
	    "etc/server.properties", 2);
	assert_fails("a=b\nx.password=" OURS("server.properties/bad") "\n", ERROR_DAMAGED,
	    "secrets.properties", 12);
}

/* --- entries --- */

static int
entries(struct world *w, enum render_form form, const char *key, struct buf *out)
{
	const char *const keys[] = { key };
	const size_t lens[] = { key == NULL ? 0 : strlen(key) };

	buf_init_secret(out, 65536);
	return render_entries(w->p, w->c, form, "", keys, lens, key != NULL, out, &w->err);
}

static void
assert_entries(const char *config, enum render_form form, const char *key, const char *text)
{
	struct world w;
	struct buf out;

	open_world(&w, config);
	if (entries(&w, form, key, &out) != 0)
		fail_msg("%s", w.err.text);
	assert_string_equal(buf_cstr(&out), text);
	buf_release(&out);
	world_close(&w);
}

static void
assert_no_entries(const char *config, enum render_form form, const char *key,
    enum error_code code)
{
	struct world w;
	struct buf out;

	open_world(&w, config);
	assert_int_equal(entries(&w, form, key, &out), -1);
	assert_int_equal(w.err.code, code);
	assert_string_equal(w.err.file, "etc/server.properties");
	assert_true(w.err.hint[0] != '\0');
	buf_release(&out);
	world_close(&w);
}

static void
test_chosen_keys_are_lines_of_their_own(void **state)
{
	static const char config[] = "a\\ b : 1\nx=old\nx=" CLIENT "\n";

	(void)state;
	assert_entries(config, RENDER_PROPERTIES, "a b", "a\\ b=1\n");
	assert_entries(config, RENDER_PROPERTIES, "x", "x=" MODERN_CLIENT "\n");
	assert_entries(config, RENDER_PROPERTIES, NULL, "a\\ b=1\nx=" MODERN_CLIENT "\n");
	assert_no_entries(config, RENDER_PROPERTIES, "nope", ERROR_MISSING);
}

static void
test_json_is_one_flat_object(void **state)
{
	(void)state;
	assert_entries("", RENDER_JSON, NULL, "{}\n");
	assert_entries("a.b=x\"y\\\\\nx=" CLIENT "\na.b=2\n", RENDER_JSON, NULL,
	    "{\"x\":\"" MODERN_CLIENT "\",\"a.b\":\"2\"}\n");
	assert_entries("a=\\ud800\n", RENDER_JSON, NULL, "{\"a\":\"\\ud800\"}\n");
	assert_no_entries("a=\303\n", RENDER_JSON, NULL, ERROR_REFUSED);
}

static void
test_names_of_variables_are_made_as_for_the_images(void **state)
{
	(void)state;
	assert_entries("ssl.key.password=1\nmy-key_a=2\n0.x=3\na/b=4\nUPPER=5\n", RENDER_ENV, NULL,
	    "SSL_KEY_PASSWORD='1'\nMY___KEY__A='2'\n_0_X='3'\nA_B='4'\nUPPER='5'\n");
}

static void
test_values_of_variables_are_safe_in_a_shell(void **state)
{
	(void)state;
	assert_entries("a='b' $(c) `d` \\\\ \"e\"\\n!\n", RENDER_ENV, NULL,
	    "A=''\\''b'\\'' $(c) `d` \\ \"e\"\n!'\n");
	assert_no_entries("a=x\\u0000y\n", RENDER_ENV, NULL, ERROR_REFUSED);
}

static void
test_two_keys_of_one_name_are_refused(void **state)
{
	const char *const twice[] = { "a.b", "a.b" };
	const size_t lens[] = { 3, 3 };
	struct world w;
	struct buf out;

	(void)state;
	assert_no_entries("a.b=1\nA_B=1\na/b=2\n", RENDER_ENV, NULL, ERROR_REFUSED);
	assert_no_entries("a..b=1\na_b=2\n", RENDER_ENV, NULL, ERROR_REFUSED);
	assert_entries("a..b=1\na_b=2\n", RENDER_ENV, "a_b", "A__B='2'\n");
	open_world(&w, "a.b=1\n");
	buf_init_secret(&out, 4096);
	assert_int_equal(render_entries(w.p, w.c, RENDER_ENV, "", twice, lens, 2, &out, &w.err), -1);
	assert_int_equal(w.err.code, ERROR_REFUSED);
	assert_string_equal(w.err.text, "this key is asked for twice");
	buf_release(&out);
	world_close(&w);
}

/* --- there and back --- */

static void
test_sealed_and_rendered_it_is_the_same_file(void **state)
{
	static const char *const configs[] = {
		"a.password=x\n",
		"# c\n\na.password : x y\\u00e9\r\nb=1\r\nc.password=",
		"config.providers=vault\nconfig.providers.vault.class=a.B\na.password=1\n",
		"a.password=1\nconfig.providers=vault, file\n",
		"config.providers=vault,\na.password=1\n",
		"config.providers=\na.password=1\n",
	};
	struct world w;
	struct document *before, *after;
	struct buf out, value;
	const char *key;
	size_t len, i, k, n;

	(void)state;
	for (k = 0; k < sizeof(configs) / sizeof(*configs); k++) {
		world_prepare(&w, MODERN, MODERN_MASTER, configs[k]);
		assert_int_equal(seal_default(w.p, w.c, &fixture_options, NULL, &w.err), 0);
		world_apply(&w);
		assert_int_equal(secrets_file_unlock(w.s, w.master, NULL), 0);
		buf_init_secret(&out, 65536);
		buf_init_secret(&value, 65536);
		assert_int_equal(render_document(w.p, w.c, RENDER_PROGRAM, &out, &w.err), 0);
		before = fixture_document(configs[k], strlen(configs[k]));
		after = fixture_document((const char *)out.data, out.len);
		for (i = 0, n = 0; i < document_count(after); i++) {
			key = document_key(after, i, &len);
			buf_clear(&value);
			assert_int_equal(document_value(after, i, &value, NULL), 0);
			assert_true(document_value_is(before, document_find(before, key, len),
			    (const char *)value.data, value.len));
			n++;
		}
		assert_int_equal(n, document_count(before));
		document_free(after);
		document_free(before);
		buf_release(&value);
		buf_release(&out);
		world_close(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_resolved_values_change),
		cmocka_unit_test(test_values_are_escaped_as_the_format_wants_it),
		cmocka_unit_test(test_references_inside_a_value_leave_the_rest_as_it_is),
		cmocka_unit_test(test_lines_that_nobody_reads_are_resolved_if_they_can_be),
		cmocka_unit_test(test_a_program_needs_the_provider_no_more),
		cmocka_unit_test(test_a_file_without_references_is_left_alone),
		cmocka_unit_test(test_what_does_not_resolve_is_an_error_with_a_place),
		cmocka_unit_test(test_chosen_keys_are_lines_of_their_own),
		cmocka_unit_test(test_json_is_one_flat_object),
		cmocka_unit_test(test_names_of_variables_are_made_as_for_the_images),
		cmocka_unit_test(test_values_of_variables_are_safe_in_a_shell),
		cmocka_unit_test(test_two_keys_of_one_name_are_refused),
		cmocka_unit_test(test_sealed_and_rendered_it_is_the_same_file)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "secrets/reference.h"
#include "estate_fixture.h"

#define KEYSTORE "server.properties/ssl.keystore.password"

static void
test_names_for_machines(void **state)
{
	(void)state;
	assert_string_equal(state_name(STATE_PLAIN), "plain");
	assert_string_equal(state_name(STATE_SEALED), "sealed");
	assert_string_equal(state_name(STATE_DANGLING), "dangling");
	assert_string_equal(state_name(STATE_OTHER), "other-provider");
	assert_string_equal(state_name(STATE_DAMAGED), "damaged");
}

struct expected {
	const char *value;	/* as the file has it */
	enum entry_state state;
	const char *name;	/* appended */
};

/* The state of the one entry, against a secrets file. */
static void
assert_state(const struct expected *want, const struct secrets_file *s)
{
	struct document *d;
	struct buf text, name;

	buf_init(&text, 4096);
	buf_init(&name, 4096);
	buf_printf(&text, "k = %s\n", want->value);
	d = fixture_document(buf_cstr(&text), text.len);
	if (state_of(d, 0, s, &name) != want->state)
		fail_msg("state of %s", want->value);
	assert_holds(&name, want->name);
	assert_int_equal(state_of(d, 0, s, NULL), want->state);
	document_free(d);
	buf_release(&name);
	buf_release(&text);
}

static const struct expected told[] = {
	{ "hunter2", STATE_PLAIN, "" },
	{ "", STATE_PLAIN, "" },
	{ "$", STATE_PLAIN, "" },
	{ "\\\\", STATE_PLAIN, "" },
	/* Kafka resolves references anywhere in a value. */
	{ "\\ " OURS(KEYSTORE), STATE_SEALED, KEYSTORE },
	{ OURS(KEYSTORE) "x", STATE_SEALED, KEYSTORE },
	{ "user ${file:/x:y} " OURS(KEYSTORE) " ${securepass:x:server.properties/gone}",
	    STATE_DANGLING, KEYSTORE },
	{ "user ${file:/x:y}", STATE_PLAIN, "" },
	{ OURS(KEYSTORE), STATE_SEALED, KEYSTORE },
	{ "\\u0024{securepass:x:" KEYSTORE "}", STATE_SEALED, KEYSTORE },
	{ "${secure\\\n    pass:x:" KEYSTORE "}", STATE_SEALED, KEYSTORE },
	{ "\\\n  ${securepass:x:" KEYSTORE "}", STATE_SEALED, KEYSTORE },
	{ "${securepass:x:server.properties/gone}", STATE_DANGLING, "server.properties/gone" },
	{ "${securepass:x:" SECRETS_DATA_KEY "}", STATE_DANGLING, SECRETS_DATA_KEY },
	{ "${vault:x:y}", STATE_OTHER, "" },
	{ "${env:PASSWORD}", STATE_OTHER, "" },
	/* no sealed values, so they cannot be opened: told without a key */
	{ "${securepass:x:a/plain}", STATE_DAMAGED, "a/plain" },
	{ "${securepass:x:a/escaped}", STATE_DAMAGED, "a/escaped" },
	{ "${securepass:x:a/cipher}", STATE_DAMAGED, "a/cipher" }
};

#define ODD MODERN "a/plain = text\na/escaped = te\\\\xt\n" \
	"a/cipher = ENC[AES/ROT13,data:AAAA,iv:AAAA,type:str]\n" \
	"a/tag = ENC[AES/GCM/NoPadding,data:w0Z88lG4w5IPXijbLRBVlzd1IbFa70Ap1ZI3o/9au7l=," \
	"iv:osR9PNOlpmnD7Rlt,type:str]\n" \
	"a/join = ENC[AES/GCM/NoPadding,\\\n  data:w0Z88lG4w5IPXijbLRBVlzd1IbFa70Ap1ZI3o/9au7k=," \
	"iv:osR9PNOlpmnD7Rls,type:str]\n"

static void
test_states_while_locked(void **state)
{
	const struct expected tag = { "${securepass:x:a/tag}", STATE_SEALED, "a/tag" };
	const struct expected join = { "${securepass:x:a/join}", STATE_SEALED, "a/join" };
	struct secrets_file *s = fixture_secrets(ODD);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(told) / sizeof(*told); i++)
		assert_state(&told[i], s);
	/* That it does not open cannot be told yet. */
	assert_state(&tag, s);
	assert_state(&join, s);
	secrets_file_free(s);
}

static void
test_states_while_unlocked(void **state)
{
	const struct expected tag = { "${securepass:x:a/tag}", STATE_DAMAGED, "a/tag" };
	const struct expected join = { "${securepass:x:a/join}", STATE_SEALED, "a/join" };
	struct secrets_file *s = fixture_unlocked(ODD, MODERN_MASTER);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(told) / sizeof(*told); i++)
		assert_state(&told[i], s);
	assert_state(&tag, s);
	assert_state(&join, s);
	secrets_file_free(s);
}

static void
test_without_a_secrets_file_references_count_as_sealed(void **state)
{
	static const struct expected cases[] = {
		{ OURS("x/y"), STATE_SEALED, "x/y" },
		{ "${vault:x:y}", STATE_OTHER, "" },
		{ "text", STATE_PLAIN, "" }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_state(&cases[i], NULL);
}

static void
test_state_of_a_decoded_value(void **state)
{
	struct secrets_file *s = fixture_secrets(MODERN);

	(void)state;
	assert_int_equal(state_value(NULL, 0, s, NULL), STATE_PLAIN);
	assert_int_equal(state_value(OURS(KEYSTORE), strlen(OURS(KEYSTORE)), s, NULL),
	    STATE_SEALED);
	assert_int_equal(state_of_name(KEYSTORE, strlen(KEYSTORE), s), STATE_SEALED);
	assert_int_equal(state_of_name(KEYSTORE, strlen(KEYSTORE) - 1, s), STATE_DANGLING);
	assert_int_equal(state_of_name("", 0, s), STATE_DANGLING);
	secrets_file_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_for_machines),
		cmocka_unit_test(test_states_while_locked),
		cmocka_unit_test(test_states_while_unlocked),
		cmocka_unit_test(test_without_a_secrets_file_references_count_as_sealed),
		cmocka_unit_test(test_state_of_a_decoded_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

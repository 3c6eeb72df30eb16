/* How well a passphrase stands up to guessing, and generated ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "secrets/key_source.h"

static const struct {
	const char *text;
	enum passphrase_strength want;
} cases[] = {
	{ "", PASSPHRASE_WEAK },
	{ "p", PASSPHRASE_WEAK },
	{ "gT4!xm9Lq#z", PASSPHRASE_WEAK },		/* eleven */
	{ "gT4!xm9Lq#zB", PASSPHRASE_FAIR },		/* twelve */
	{ "gT4!xm9Lq#zBv7Ry2m", PASSPHRASE_GOOD },
	{ "\303\244\303\266gT4!xm9Lq\303\274", PASSPHRASE_FAIR },	/* characters, not bytes */
	{ "\303\244\303\266gT4!xm9L", PASSPHRASE_WEAK },
	{ "aaaaaaaaaaaaaaaaaaaaaaaa", PASSPHRASE_WEAK },
	{ "abcdefghijklmnopqrstuvwxyz", PASSPHRASE_WEAK },
	{ "987654321098765432109876", PASSPHRASE_WEAK },
	{ "gT4!gT4!gT4!gT4!gT4!", PASSPHRASE_WEAK },
	{ "KafkaPassword2024", PASSPHRASE_WEAK },
	{ "confluent-kafka-secret", PASSPHRASE_WEAK },
	{ "changeitchangeitchangeit", PASSPHRASE_WEAK },
	{ "kite orbit velvet", PASSPHRASE_FAIR },
	{ "kite orbit velvet marsh", PASSPHRASE_GOOD },
	{ "\377\376\375", PASSPHRASE_WEAK },
};

static void
passphrases_are_weighed(void **state)
{
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why = NULL;
		if (passphrase_weigh(cases[i].text, strlen(cases[i].text), &why) != cases[i].want)
			fail_msg("\"%s\" is weighed wrongly", cases[i].text);
		assert_non_null(why);
	}
	(void)passphrase_weigh("short", 5, &why);
	assert_non_null(strstr(why, "12"));
	(void)passphrase_weigh("kafkakafkakafka", 15, &why);
	assert_non_null(strstr(why, "known words"));
}

static void
generated_ones_are_good_and_never_the_same(void **state)
{
	struct buf one, two;
	struct error err;
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		buf_init_secret(&one, 256);
		buf_init_secret(&two, 256);
		assert_int_equal(passphrase_generate(&one, &err), 0);
		assert_int_equal(passphrase_generate(&two, &err), 0);
		assert_int_equal(one.len, 29);
		assert_int_equal(strspn(buf_cstr(&one), "abcdefghjkmnpqrstuvwxyz23456789-"), 29);
		assert_int_equal(one.data[4], '-');
		assert_string_not_equal(buf_cstr(&one), buf_cstr(&two));
		assert_int_not_equal(passphrase_weigh(one.data, one.len, NULL), PASSPHRASE_WEAK);
		buf_release(&two);
		buf_release(&one);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passphrases_are_weighed),
		cmocka_unit_test(generated_ones_are_good_and_never_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

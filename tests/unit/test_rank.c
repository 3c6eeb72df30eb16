/* How well texts fit what is typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui/filter.h"

static void
texts_are_ranked(void **state)
{
	static const struct {
		const char *text, *typed;
		enum rank rank;
	} cases[] = {
		{ "ssl.key.password", "SSL.key.password", RANK_EXACT },
		{ "ssl.key.password", "key", RANK_WORD },
		{ "ssl.key.password", "Pass", RANK_WORD },
		{ "ssl.keystore.password", "store", RANK_PART },
		{ "ssl.keystore.password", "kste", RANK_LETTERS },
		{ "kafka/kstreams-eu.properties", "kste", RANK_LETTERS },
		/* Letters start at a word. */
		{ "ssl.keystore.password", "ywd", RANK_COUNT },
		{ "ssl.keystore.password", "pk", RANK_COUNT },
		{ "ssl.key", "ssl.keys", RANK_COUNT },
		/* The word counts where it stands a second time. */
		{ "mykey key", "key", RANK_WORD },
		/* Of several words the worst. */
		{ "ssl.keystore.password", "pass key", RANK_WORD },
		{ "ssl.keystore.password", "pass store", RANK_PART },
		{ "ssl.keystore.password", "pass zzz", RANK_COUNT },
		{ "key", " key ", RANK_EXACT },
		{ "key", "key key", RANK_WORD },
		{ "anything", "", RANK_PART },
		{ "", "", RANK_PART },
		{ "", "a", RANK_COUNT },
		/* Other letters are letters: no word starts behind them. */
		{ "\303\274key", "key", RANK_PART },
		{ "\303\234ber", "\303\234b", RANK_WORD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (rank_of(cases[i].text, strlen(cases[i].text), cases[i].typed) != cases[i].rank)
			fail_msg("%s in %s", cases[i].typed, cases[i].text);
	/* No more than its bytes are looked at. */
	assert_int_equal(rank_of("ssl.key", 3, "key"), RANK_COUNT);
}

/* A name of a file of another's: looked at from each of its words on to its end, it would take
 * hours. */
static void
a_long_text_of_short_words_is_looked_at_once(void **state)
{
	const size_t n = (size_t)1 << 23;
	char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		text[i] = i % 2 == 0 ? 'a' : '.';
	assert_int_equal(rank_of(text, n, "az"), RANK_COUNT);
	text[n - 1] = 'z';
	assert_int_equal(rank_of(text, n, "aaz"), RANK_LETTERS);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_ranked),
		cmocka_unit_test(a_long_text_of_short_words_is_looked_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "plan/provider.h"
#include "estate_fixture.h"

#define CLASS "config.providers.securepass.class=" \
	"io.confluent.kafka.security.config.provider.SecurePassConfigProvider\n"

/* What provider_add makes of a configuration. */
static void
assert_becomes(const char *before, const char *after)
{
	struct world w;

	world_open(&w, NULL, NULL, before);
	assert_int_equal(provider_add(w.p, w.c, &w.err), 0);
	if (strcmp(before, after) == 0)
		assert_true(plan_is_empty(w.p));
	else
		assert_rendered(w.p, PLAN_CONFIG, after);
	world_close(&w);
}

static void
test_both_entries_are_appended_list_first(void **state)
{
	(void)state;
	assert_becomes("a=b\n", "a=b\nconfig.providers=securepass\n" CLASS);
	assert_becomes("", PROVIDERS);
	assert_becomes("# c", "# c\nconfig.providers = securepass\n"
	    "config.providers.securepass.class = "
	    "io.confluent.kafka.security.config.provider.SecurePassConfigProvider\n");
}

static void
test_what_is_there_stays(void **state)
{
	(void)state;
	assert_becomes(PROVIDERS, PROVIDERS);
	assert_becomes(CLASS "x=y\nconfig.providers:securepass\n",
	    CLASS "x=y\nconfig.providers:securepass\n");
	assert_becomes("config.providers=vault,securepass\n" CLASS,
	    "config.providers=vault,securepass\n" CLASS);
	assert_becomes("config.providers=securepass,vault\n" CLASS,
	    "config.providers=securepass,vault\n" CLASS);
	assert_becomes("config.providers=vault , securepass , env\n" CLASS,
	    "config.providers=vault , securepass , env\n" CLASS);
	assert_becomes("config.providers=vault,\\\n   securepass\n" CLASS,
	    "config.providers=vault,\\\n   securepass\n" CLASS);
}

static void
test_list_is_compared_item_by_item(void **state)
{
	static const char *const lists[] = { "vault", "mysecurepass2", "securepass2",
		"mysecurepass", "SecurePass", "vault,mysecurepass2", "secure pass", "vault,env" };
	struct buf before, after;
	size_t i;

	(void)state;
	buf_init(&before, 4096);
	buf_init(&after, 4096);
	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		buf_clear(&before);
		buf_clear(&after);
		buf_printf(&before, "config.providers=%s\n" CLASS, lists[i]);
		buf_printf(&after, "config.providers=%s,securepass\n" CLASS, lists[i]);
		assert_becomes(buf_cstr(&before), buf_cstr(&after));
	}
	buf_release(&before);
	buf_release(&after);
}

static void
test_an_empty_list(void **state)
{
	(void)state;
	assert_becomes("config.providers=\n" CLASS, "config.providers=securepass\n" CLASS);
	assert_becomes("config.providers\n" CLASS, "config.providers=securepass\n" CLASS);
	assert_becomes("config.providers= \\t \n" CLASS, "config.providers= securepass\n" CLASS);
}

static void
test_the_class_is_always_ours(void **state)
{
	(void)state;
	assert_becomes("config.providers=securepass\nconfig.providers.securepass.class=x.Y\n",
	    "config.providers=securepass\n" CLASS);
	assert_becomes("config.providers=securepass\n", "config.providers=securepass\n" CLASS);
}

static void
test_the_line_that_is_read_counts(void **state)
{
	(void)state;
	assert_becomes("config.providers=securepass\nconfig.providers=vault\n" CLASS,
	    "config.providers=securepass\nconfig.providers=vault,securepass\n" CLASS);
	assert_becomes("config.providers=vault\nconfig.providers=securepass\n" CLASS,
	    "config.providers=vault\nconfig.providers=securepass\n" CLASS);
}

static void
test_once_a_plan_and_configuration(void **state)
{
	struct configuration *other = fixture_config("etc/client.properties", "a=b\n");
	struct world w;

	(void)state;
	world_open(&w, NULL, NULL, "a=b\n");
	assert_int_equal(provider_add(w.p, w.c, &w.err), 0);
	assert_int_equal(provider_add(w.p, w.c, &w.err), 0);
	assert_int_equal(provider_add(w.p, other, &w.err), 0);
	assert_int_equal(plan_file_count(w.p), 2);
	assert_int_equal(edits_count(plan_file(w.p, 0)->edits), 2);
	assert_int_equal(edits_count(plan_file(w.p, 1)->edits), 2);
	world_close(&w);
	configuration_free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_entries_are_appended_list_first),
		cmocka_unit_test(test_what_is_there_stays),
		cmocka_unit_test(test_list_is_compared_item_by_item),
		cmocka_unit_test(test_an_empty_list),
		cmocka_unit_test(test_the_class_is_always_ours),
		cmocka_unit_test(test_the_line_that_is_read_counts),
		cmocka_unit_test(test_once_a_plan_and_configuration)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "seal/provider.h"
#include "estate_fixture.h"

#define CLASS "config.providers.securepass.class=" \
	"io.confluent.kafka.security.config.provider.SecurePassConfigProvider\n"

/* What provider_add makes of a configuration. */
static void
assert_becomes(const char *before, const char *after)
{
	struct world w;

	world_open(&w, NULL, NULL, before);
	assert_int_equal(provider_add(w.p, w.c, NULL, &w.err), 0);
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
test_a_class_is_added_and_another_one_stays(void **state)
{
	(void)state;
	assert_becomes("config.providers=securepass\nconfig.providers.securepass.class=x.Y\n",
	    "config.providers=securepass\nconfig.providers.securepass.class=x.Y\n");
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
	assert_int_equal(provider_add(w.p, w.c, NULL, &w.err), 0);
	assert_int_equal(provider_add(w.p, w.c, NULL, &w.err), 0);
	assert_int_equal(provider_add(w.p, other, NULL, &w.err), 0);
	assert_int_equal(plan_file_count(w.p), 2);
	assert_int_equal(edits_count(fixture_file_at(w.p, 0)->edits), 2);
	assert_int_equal(edits_count(fixture_file_at(w.p, 1)->edits), 2);
	world_close(&w);
	configuration_free(other);
}

/* --- taken out again --- */

static void
assert_taken_out(const char *before, const char *after)
{
	struct document *d = fixture_document(before, strlen(before));
	struct edits *e = edits_new(d, false, NULL);
	struct buf out;

	buf_init_secret(&out, 4096);
	assert_int_equal(provider_remove_from(e, NULL), 0);
	assert_int_equal(edits_render(e, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), after);
	buf_release(&out);
	edits_free(e);
	document_free(d);
}

static void
test_what_was_made_goes_and_no_more(void **state)
{
	(void)state;
	assert_taken_out("a=b\nconfig.providers=securepass\n" CLASS, "a=b\n");
	assert_taken_out(CLASS "config.providers=securepass\na=b\n", "a=b\n");
	assert_taken_out("config.providers=vault,securepass\n" CLASS "a=b\n",
	    "config.providers=vault\na=b\n");
	assert_taken_out("config.providers=vault , securepass , env\n" CLASS,
	    "config.providers=vault , env\n");
	assert_taken_out("config.providers = securepass, vault\n" CLASS,
	    "config.providers = vault\n");
	assert_taken_out("config.providers=vault,,securepass\n" CLASS, "config.providers=vault,\n");
	assert_taken_out("config.providers=mysecurepass,securepass2\n" CLASS,
	    "config.providers=mysecurepass,securepass2\n");
	assert_taken_out(CLASS, "");
	assert_taken_out("a=b\n", "a=b\n");
}

static void
test_a_list_that_was_there_stays(void **state)
{
	(void)state;
	assert_taken_out("config.providers=securepass\na=b\n" CLASS, "config.providers=\na=b\n");
	assert_taken_out("config.providers=x\nconfig.providers=securepass\n" CLASS,
	    "config.providers=x\nconfig.providers=\n");
}

static void
test_a_provider_of_somebody_else_stays(void **state)
{
	static const char *const texts[] = {
		"config.providers=securepass\n",
		"config.providers=securepass\nconfig.providers.securepass.class=x.Y\n",
		"config.providers=securepass\n" CLASS "config.providers.securepass.param.a=1\n"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_taken_out(texts[i], texts[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_entries_are_appended_list_first),
		cmocka_unit_test(test_what_is_there_stays),
		cmocka_unit_test(test_list_is_compared_item_by_item),
		cmocka_unit_test(test_an_empty_list),
		cmocka_unit_test(test_a_class_is_added_and_another_one_stays),
		cmocka_unit_test(test_the_line_that_is_read_counts),
		cmocka_unit_test(test_once_a_plan_and_configuration),
		cmocka_unit_test(test_what_was_made_goes_and_no_more),
		cmocka_unit_test(test_a_list_that_was_there_stays),
		cmocka_unit_test(test_a_provider_of_somebody_else_stays)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

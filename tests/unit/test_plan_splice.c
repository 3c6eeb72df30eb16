/* Plans that change parts of values: how they are shown, and read back. */
#include "plan/plan.h"
#include "estate_fixture.h"

#define MASK "********"

#define CONFIG \
	"a=1\n" \
	"sasl.jaas.config=M required username=\"u\" \\\n" \
	"  password=\"c4n4ry one\" \\\n" \
	"  user_x=\"c4n4ry two\" ;\n"
/* Places in the decoded value. */
#define END_OF_USERNAME 23
#define PASSWORD 33
#define PASSWORD_END 45
#define USER_X 46
#define USER_X_END 65

static void
splice(struct world *w, size_t from, size_t to, const char *text, const char *label)
{
	struct edits *e = plan_config_edits(w->p, w->c, &w->err);

	assert_non_null(e);
	if (edits_splice(e, 1, from, to, text, strlen(text), label, &w->err) != 0)
		fail_msg("%s", w->err.text);
}

/* One of each: replace, insert, remove. */
static void
open_spliced(struct world *w)
{
	world_open(w, MODERN, MODERN_MASTER, CONFIG);
	splice(w, PASSWORD, PASSWORD_END, OURS("p"), "sasl.jaas.config/M/password");
	splice(w, END_OF_USERNAME, END_OF_USERNAME, " secret=" OURS("s"), "sasl.jaas.config/M/secret");
	splice(w, USER_X, USER_X_END, "", "sasl.jaas.config/M/user_x");
}

static void
test_parts_are_shown_by_their_labels(void **state)
{
	struct world w;
	struct buf out;

	(void)state;
	open_spliced(&w);
	buf_init(&out, BUF_MAX_FILE);
	assert_int_equal(diff_append(w.p, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out),
	    "--- etc/server.properties\n+++ etc/server.properties\n"
	    "@@ line 2 @@\n-sasl.jaas.config/M/password = " MASK "\n"
	    "+sasl.jaas.config/M/password = " OURS("p") "\n"
	    "@@ line 2 @@\n+sasl.jaas.config/M/secret = " OURS("s") "\n"
	    "@@ line 2 @@\n-sasl.jaas.config/M/user_x = " MASK "\n");
	buf_clear(&out);
	assert_int_equal(plan_json(w.p, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out),
	    "{\"schema\":\"propseal.plan/1\",\"files\":[{\"path\":\"etc/server.properties\",\"role\":\"configuration\","
	    "\"new\":false,\"changes\":["
	    "{\"op\":\"set\",\"key\":\"sasl.jaas.config\",\"part\":\"sasl.jaas.config/M/password\",\"line\":2,"
	    "\"from\":\"text\",\"to\":\"reference\"},"
	    "{\"op\":\"insert\",\"key\":\"sasl.jaas.config\",\"part\":\"sasl.jaas.config/M/secret\",\"line\":2,"
	    "\"to\":\"reference\"},"
	    "{\"op\":\"remove\",\"key\":\"sasl.jaas.config\",\"part\":\"sasl.jaas.config/M/user_x\",\"line\":2,"
	    "\"from\":\"text\"}]}],\"notes\":[]}\n");
	buf_release(&out);
	world_close(&w);
}

static void
test_parts_without_labels_are_shown_by_their_place(void **state)
{
	struct world w;
	struct buf out;

	(void)state;
	world_open(&w, MODERN, MODERN_MASTER, CONFIG);
	splice(&w, PASSWORD, PASSWORD_END, "S3cret", NULL);
	buf_init(&out, BUF_MAX_FILE);
	assert_int_equal(diff_append(w.p, &out, NULL), 0);
	assert_non_null(strstr(buf_cstr(&out), "@@ line 2 @@\n"
	    "-sasl.jaas.config[33-45] = " MASK "\n+sasl.jaas.config[33-45] = " MASK "\n"));
	buf_clear(&out);
	assert_int_equal(plan_json(w.p, &out, NULL), 0);
	assert_non_null(strstr(buf_cstr(&out), "\"key\":\"sasl.jaas.config\",\"span\":[33,45],"
	    "\"line\":2,\"from\":\"text\",\"to\":\"text\"}"));
	buf_release(&out);
	world_close(&w);
}

/* A reference that goes is public, and what stands beside it is not. */
static void
test_only_a_reference_is_shown_of_a_value(void **state)
{
	static const char config[] = "a=1\nk=M required p=" OURS("x") " q=" OURS("x") "c4n4ry;\n";
	const char *value = strchr(config, 'M');
	size_t p = (size_t)(strstr(value, "p=") - value);
	size_t q = (size_t)(strstr(value, "q=") - value);
	struct world w;
	struct buf out;

	(void)state;
	world_open(&w, MODERN, MODERN_MASTER, config);
	splice(&w, p, q, "", "k/M/p");
	splice(&w, q, strlen(value) - 2, "", "k/M/q");
	buf_init(&out, BUF_MAX_FILE);
	assert_int_equal(diff_append(w.p, &out, NULL), 0);
	assert_non_null(strstr(buf_cstr(&out), "\n-k/M/p = " OURS("x") "\n@@ line 2 @@\n"
	    "-k/M/q = " MASK "\n"));
	buf_release(&out);
	world_close(&w);
}

static void
test_each_value_is_shown_as_its_own(void **state)
{
	struct edits *e;
	struct world w;
	struct buf out;

	(void)state;
	world_open(&w, MODERN, MODERN_MASTER, "j=x\nk=" OURS("k") "\n");
	e = plan_config_edits(w.p, w.c, &w.err);
	assert_non_null(e);
	assert_int_equal(edits_splice(e, 0, 0, 1, "y", 1, "j/a", NULL), 0);
	assert_int_equal(edits_splice(e, 1, 0, strlen(OURS("k")), "z", 1, "k/b", NULL), 0);
	buf_init(&out, BUF_MAX_FILE);
	assert_int_equal(diff_append(w.p, &out, NULL), 0);
	assert_non_null(strstr(buf_cstr(&out), "-j/a = " MASK "\n"));
	assert_non_null(strstr(buf_cstr(&out), "-k/b = " OURS("k") "\n"));
	buf_release(&out);
	world_close(&w);
}

static void
change(struct buf *b, const char *what, const char *by)
{
	unsigned char *at = (unsigned char *)strstr((char *)(uintptr_t)buf_cstr(b), what);

	assert_non_null(at);
	assert_int_equal(strlen(what), strlen(by));
	memcpy(at, by, strlen(by));
}

static bool
verifies(struct world *w, const struct buf *content)
{
	memset(&w->err, 0, sizeof(w->err));
	return fixture_verify(w->p, fixture_file(w->p, PLAN_CONFIG), content, &w->err) == 0;
}

static void
test_reading_back_knows_every_byte_of_the_value(void **state)
{
	static const struct {
		const char *what, *by;
	} tampered[] = {
		{ "username", "usernane" }, { OURS("p"), OURS("q") }, { " ;", ";;" },
		{ "sasl.jaas", "sasl.jabs" }
	};
	struct buf content;
	struct world w;
	size_t i;

	(void)state;
	open_spliced(&w);
	fixture_render(w.p, PLAN_CONFIG, &content);
	assert_string_equal(buf_cstr(&content),
	    "a=1\nsasl.jaas.config=M required username=\"u\" secret=" OURS("s") " \\\n"
	    "  password=" OURS("p") " \\\n  \\ ;\n");
	assert_true(verifies(&w, &content));
	buf_release(&content);
	for (i = 0; i < sizeof(tampered) / sizeof(*tampered); i++) {
		fixture_render(w.p, PLAN_CONFIG, &content);
		change(&content, tampered[i].what, tampered[i].by);
		if (verifies(&w, &content))
			fail_msg("taken: %s", tampered[i].by);
		assert_int_equal(w.err.code, ERROR_DAMAGED);
		assert_string_equal(w.err.key, "sasl.jaas.config");
		buf_release(&content);
	}
	world_close(&w);
}

/* The earlier line of a key is changed, too, and no one reads it. */
static void
test_a_shadowed_value_may_be_spliced(void **state)
{
	struct buf content;
	struct edits *e;
	struct world w;

	(void)state;
	world_open(&w, MODERN, MODERN_MASTER, "k=one\nk=two\n");
	e = plan_config_edits(w.p, w.c, &w.err);
	assert_non_null(e);
	assert_int_equal(edits_splice(e, 0, 0, 1, "O", 1, NULL, NULL), 0);
	assert_int_equal(edits_splice(e, 1, 0, 1, "T", 1, NULL, NULL), 0);
	fixture_render(w.p, PLAN_CONFIG, &content);
	assert_string_equal(buf_cstr(&content), "k=One\nk=Two\n");
	assert_true(verifies(&w, &content));
	change(&content, "Two", "two");
	assert_false(verifies(&w, &content));
	buf_release(&content);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_are_shown_by_their_labels),
		cmocka_unit_test(test_parts_without_labels_are_shown_by_their_place),
		cmocka_unit_test(test_only_a_reference_is_shown_of_a_value),
		cmocka_unit_test(test_each_value_is_shown_as_its_own),
		cmocka_unit_test(test_reading_back_knows_every_byte_of_the_value),
		cmocka_unit_test(test_a_shadowed_value_may_be_spliced)
	};

	return cmocka_run_group_tests_name("plan-splice", tests, NULL, NULL);
}

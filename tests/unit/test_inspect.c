#include <string.h>

#include "base/vec.h"
#include "document_support.h"
#include "secrets/inspect.h"
#include "secrets/rules.h"

#define LOGIN "a.b.PlainLoginModule required"

/* What is told of a text: "<level><kind>@<line>" a remark, and `v`, `k` for what is hidden of
 * each entry, one after the other.  Who asks for cuts only has the same keys hidden. */
static void
assert_told(const char *text, bool json, const char *want)
{
	static const char levels[] = "pnwc";
	struct document *d = parse_as(json ? &document_json : &document_properties, text,
	    strlen(text));
	struct buf got;
	struct vec remarks, cuts;
	size_t at = 0, at_cut = 0;
	const struct remark *r, *cut;

	buf_init(&got, 4096);
	vec_init(&cuts, sizeof(struct remark), 1000);
	vec_init(&remarks, sizeof(struct remark), 1000);
	assert_int_equal(inspect_document(NULL, d, NULL, &remarks, NULL), 0);
	for (size_t i = 0; i < remarks.len; i++) {
		r = vec_at(&remarks, i);
		if (r->level == REMARK_PART)
			continue;
		assert_non_null(r->text);
		assert_non_null(r->hint);
		buf_printf(&got, "%c:%s@%zu ", levels[r->level], r->kind, r->line);
	}
	assert_int_equal(inspect_cuts(NULL, d, &cuts, NULL), 0);
	for (size_t i = 0; i < document_count(d); i++) {
		r = inspect_hidden(&remarks, &at, i);
		cut = inspect_hidden(&cuts, &at_cut, i);
		assert_true((r != NULL && r->hides_key) == (cut != NULL && cut->hides_key));
		buf_append_str(&got, r == NULL ? "-" : r->hides_key ? "k" : "v");
	}
	assert_string_equal(buf_cstr(&got), want);
	vec_release(&cuts);
	vec_release(&remarks);
	buf_release(&got);
	document_free(d);
}

static void
test_cut_values(void **state)
{
	(void)state;
	assert_told("a=1\nb=-----BEGIN X-----\nAAAA==\n-----END X-----\nc=1\n", false,
	    "c:cut-value@2 -vkk-");
	assert_told("b=-----BEGIN X-----AAAA\nc=1\n", false, "--");
	assert_told("b=-----BEGIN X-----\\n\\\nAAAA\\n\\\n-----END X-----\n", false, "-");
	assert_told("{\"b\":\"-----BEGIN X-----\"}", true, "-");
	assert_told("p.jaas=" LOGIN " \\ \n  a=\"b\"\\\n  c=\"d\";\nx=1\n", false,
	    "c:cut-value@1 vv-");
	assert_told("p.jaas=" LOGIN " password=\"se\\ \ncret\";\n", false, "c:cut-value@1 vk");
	assert_told("p.jaas=" LOGIN " \\\n a=\"b\"\n c=\"d\";\n", false, "c:cut-value@2 vv");
	assert_told("p.jaas=\n  " LOGIN " a=\"b\";\n", false, "c:cut-value@1 vv");
	assert_told("my.password=\n secret\n", false, "c:cut-value@1 vk");
	assert_told("my.password=\n\n secret\n", false, "--");
	assert_told("my.password=\n# why\n secret\n", false, "--");
	assert_told("my.password=x\n secret\n", false, "--");
	assert_told("my.password=x\\\\ \n secret\n", false, "--");
	assert_told("my.name=\n secret\n", false, "--");
	assert_told("p.jaas=${a:b:c}\n  x=\"y\";\n", false, "--");
	assert_told("a.jaas.enabled=true\n  x=y\n", false, "--");
}

static void
test_values_that_are_odd(void **state)
{
	(void)state;
	assert_told("a=x password = 'y'\n", false, "c:odd-value@1 v");
	assert_told("a=x api.secret=\"y\"\n", false, "c:odd-value@1 v");
	assert_told("{\"a\":\"x token=\\\"y\\\"\"}", true, "c:odd-value@1 v");
	assert_told("a=x username=\"y\" password=\"\"\n", false, "-");
	assert_told("a=x password=\"${b:c}\"\n", false, "-");
	assert_told("a=x password=y\n", false, "-");
	assert_told("my.password=x password=\"y\"\n", false, "-");
	assert_told("a=\"password\"=\n", false, "-");
}

static void
test_references(void **state)
{
	(void)state;
	assert_told("a=${x:y ${securepass:/s:f/k}\n", false, "w:unclosed-reference@1 -");
	assert_told("a=${x:y} ${securepass:/s:f/k}\n", false, "-");
	assert_told("a=${x:y\n", false, "n:unclosed-reference@1 -");
	assert_told("a.password=${x:y\n", false, "c:unclosed-reference@1 -");
	assert_told("a.password=a${x\n", false, "-");
	assert_told("config.providers.v.param.x=${a:b:c}\n", false, "w:provider-parameter@1 -");
	assert_told("config.providers.v.parameter.x=${a:b:c}\n", false, "-");
	assert_told("{\"config\\\\.providers\\\\.v\":1,\"config.providers.v.param.x\":\"${a:b:c}\"}",
	    true, "w:provider-parameter@1 --");
	assert_told("log4j.x=${securepass:/s:f/k}\n", false, "w:unresolvable-here@0 -");
	assert_told("log4j.x=${other:/s:f/k}\n", false, "-");
}

static void
test_a_byte_order_mark(void **state)
{
	(void)state;
	assert_told("\xef\xbb\xbf" "a=1\nb=2\n", false, "n:byte-order-mark@1 --");
	assert_told("\xef\xbb\xbf# why\n\nb=2\n", false, "n:byte-order-mark@1 --");
	assert_told("\xef\xbb\xbf", false, "n:byte-order-mark@1 -");
	assert_told("a=1\n\xef\xbb\xbf" "b=2\n", false, "--");
	assert_told("\xef\xbb\xbf{\"a\":\"1\"}", true, "-");
}

static void
test_jaas_as_kafka_reads_it(void **state)
{
	static const char *const refused[] = { "a=b@c;", "a=1;", "a=-b;", "a=.b;", "a=b/c;",
		"a=b#c;", "a=b+;", "a=b", "a@b=c;" };
	static const char *const taken[] = { "a=b;", "a=b-c.d_e$1;", "a=\"@\";", "a=${x:@};",
		"a=\303\244;", ";", "'a@b'=c;" };
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		snprintf(text, sizeof(text), "p.jaas=" LOGIN " %s\n", refused[i]);
		assert_told(text, false, "n:jaas@1 -");
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		snprintf(text, sizeof(text), "p.jaas=" LOGIN " %s\n", taken[i]);
		assert_told(text, false, "-");
	}
	assert_told("p.jaas=" LOGIN " a=b a=c;\n", false, "n:jaas@1 -");
}

static void
test_placeholders(void **state)
{
	static const char *const yes[] = { "*", "****", " ** ", "xxx", "XXXX", "\342\200\242",
		"{{ x }}", "ENC(x)", "$ANSIBLE_VAULT;1.1;AES256", "<x>", "<your key>",
		"YOUR_KEY", "your-password", "Your password", "${DB_PASSWORD}", "${A}-${B}",
		"$${DB_PASSWORD}", "$(cat /run/pw)", "$__file{/run/pw}", "%{pw}",
		"@@pw@@", "***REDACTED***", "*** hidden ***" };
	static const char *const no[] = { "", " ", "x", "xx", "xxxy", "{{", "}}{{", "ENC(x",
		"$ANSIBLE", "$DB_PASSWORD", "${file:/x:y}", "${A}${env:B}", "${", "${}x", "a${b}c",
		"$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", "<>",
		"<x", "yours", "changeit", "Xx" };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		if (inspect_placeholder(yes[i], strlen(yes[i])) == NULL)
			fail_msg("no placeholder: %s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (inspect_placeholder(no[i], strlen(no[i])) != NULL)
			fail_msg("a placeholder: %s", no[i]);
}

static void
test_files_of_others(void **state)
{
	static const struct {
		const char *text;
		const char *of;
	} cases[] = {
		{ "clientPort=1\nserver.1=a:1:2\n", "ZooKeeper" }, { "server.1=x\n", NULL },
		{ "dataDir=/x\nsecureClientPort=1\n", "ZooKeeper" }, { "clientPort=1\n", NULL },
		{ "log4j.rootLogger=INFO\n", "log4j" }, { "log4jx=1\n", NULL },
		{ "appender.a.type=Console\n", "log4j" },
		{ "sasl.username=a\nsasl.password=b\n", "librdkafka" },
		{ "sasl.username=a\nsasl.password=b\nsasl.jaas.config=c\n", NULL },
	};
	struct document *d;
	const char *of;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		d = parse(cases[i].text, strlen(cases[i].text));
		of = inspect_foreign(d);
		if (cases[i].of == NULL ? of != NULL : of == NULL || strcmp(of, cases[i].of) != 0)
			fail_msg("%s", cases[i].text);
		document_free(d);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_values),
		cmocka_unit_test(test_values_that_are_odd),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_a_byte_order_mark),
		cmocka_unit_test(test_jaas_as_kafka_reads_it),
		cmocka_unit_test(test_placeholders),
		cmocka_unit_test(test_files_of_others),
	};

	return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}

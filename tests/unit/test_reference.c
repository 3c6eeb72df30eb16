#include "base/buf.h"
#include "base/error.h"
#include "secrets/reference.h"
#include "unit.h"

static void
assert_part(const char *part, size_t len, const char *want)
{
	if (want == NULL) {
		assert_null(part);
		return;
	}
	assert_int_equal(len, strlen(want));
	assert_memory_equal(part, want, len);
}

static void
test_parse_takes_a_value_apart(void **state)
{
	static const struct {
		const char *value;
		const char *provider;
		const char *path;
		const char *name;
	} cases[] = {
		{ "${securepass:/etc/s.properties:server.properties/a}", "securepass",
		  "/etc/s.properties", "server.properties/a" },
		{ "${securepass:s:server.properties/a:b}", "securepass", "s",
		  "server.properties/a:b" },
		{ "${env:PASSWORD}", "env", NULL, "PASSWORD" },
		{ "${vault:secret/kafka:password}", "vault", "secret/kafka", "password" },
		{ "${file::x}", "file", "", "x" },
		{ "${:}", "", NULL, "" },
		{ "${::}", "", "", "" },
		{ "${a:b c\td}", "a", NULL, "b c\td" }
	};
	struct reference r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(reference_parse(cases[i].value, strlen(cases[i].value), &r));
		assert_part(r.provider, r.provider_len, cases[i].provider);
		assert_part(r.path, r.path_len, cases[i].path);
		assert_part(r.name, r.name_len, cases[i].name);
	}
}

static void
test_parse_refuses_what_is_no_reference(void **state)
{
	static const char *const values[] = {
		"", "$", "${", "${}", "${a}", "$a:b}", "{a:b}", "${a:b", "x${a:b}", "${a:b}x",
		"${a:b} ", " ${a:b}", "${a:\n}", "${a:b}\n", "hunter2", "$${a:b}"
	};
	struct reference r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		if (reference_parse(values[i], strlen(values[i]), &r))
			fail_msg("taken for a reference: %s", values[i]);
	}
	/* As an empty buffer has it. */
	assert_false(reference_parse(NULL, 0, &r));
}

static void
test_ours_is_the_securepass_provider_alone(void **state)
{
	static const char *const others[] = { "${securepas:a:b}", "${securepass2:a:b}",
		"${mysecurepass:a:b}", "${SecurePass:a:b}", "${:a:b}" };
	struct reference r;
	size_t i;

	(void)state;
	assert_true(reference_parse("${securepass:a:b}", 17, &r));
	assert_true(reference_is_ours(&r));
	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_true(reference_parse(others[i], strlen(others[i]), &r));
		assert_false(reference_is_ours(&r));
	}
}

static void
test_append_writes_what_parse_reads(void **state)
{
	static const char *const names[] = { "server.properties/ssl.key.password",
		"server.properties/with:colon", "server.properties/with blank", "a{b$c/d",
		"server.properties/\303\244" };
	struct reference r;
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 4096);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		buf_clear(&out);
		assert_int_equal(reference_append(&out, "/etc/s.properties", names[i],
		    strlen(names[i]), NULL), 0);
		assert_true(reference_parse((const char *)out.data, out.len, &r));
		assert_true(reference_is_ours(&r));
		assert_part(r.path, r.path_len, "/etc/s.properties");
		assert_part(r.name, r.name_len, names[i]);
	}
	buf_clear(&out);
	assert_int_equal(reference_append(&out, "r", "b/k", 3, NULL), 0);
	assert_string_equal(buf_cstr(&out), "${securepass:r:b/k}");
	buf_release(&out);
}

static void
test_append_refuses_what_kafka_could_not_take_apart(void **state)
{
	static const struct {
		const char *remote;
		const char *name;
	} cases[] = {
		{ "C:/s.properties", "server.properties/a" },
		{ "/etc/{s}.properties", "server.properties/a" },
		{ "/etc/s\n", "server.properties/a" },
		{ "/etc/s\r", "server.properties/a" },
		{ "/etc/s", "server.properties/a}b" },
		{ "/etc/s", "server.properties/a\nb" },
		{ "/etc/s", "server.properties/a\rb" }
	};
	struct error err;
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 4096);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		memset(&err, 0, sizeof(err));
		assert_int_equal(reference_append(&out, cases[i].remote, cases[i].name,
		    strlen(cases[i].name), &err), -1);
		assert_int_equal(err.code, ERROR_REFUSED);
		assert_string_not_equal(err.hint, "");
		assert_int_equal(out.len, 0);
	}
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_takes_a_value_apart),
		cmocka_unit_test(test_parse_refuses_what_is_no_reference),
		cmocka_unit_test(test_ours_is_the_securepass_provider_alone),
		cmocka_unit_test(test_append_writes_what_parse_reads),
		cmocka_unit_test(test_append_refuses_what_kafka_could_not_take_apart)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

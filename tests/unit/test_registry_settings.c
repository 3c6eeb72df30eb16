/* The registry's settings: the file, and what is wrong with it. */
#include "files.h"

#include "base/error.h"
#include "registry/base/settings.h"

#define PREFIX "config.providers.secret.param."

static struct settings *
fresh(void)
{
	struct settings *s = settings_new();

	assert_non_null(s);
	return s;
}

/* Read a file of this text. */
static struct settings *
good(const char *text)
{
	struct settings *s = fresh();
	struct error err = { .code = ERROR_NONE };

	files_put("conf", text, 0600);
	if (settings_read(s, "conf", &err) != 0)
		fail_msg("%s:%zu: %s: %s", err.file, err.line, err.key, err.text);
	assert_int_equal(unlink("conf"), 0);
	return s;
}

/* It is refused, at that line (of that key, if any), with a way out. */
static struct error
bad(const char *text, size_t line, const char *key)
{
	struct settings *s = fresh();
	struct error err = { .code = ERROR_NONE };

	files_put("conf", text, 0600);
	assert_int_equal(settings_read(s, "conf", &err), -1);
	assert_string_equal(err.file, "conf");
	assert_int_equal(err.line, line);
	assert_string_equal(err.key, key);
	assert_string_not_equal(err.hint, "");
	assert_int_equal(unlink("conf"), 0);
	settings_free(s);
	return err;
}

static void
test_sections_and_comments(void **state)
{
	struct settings *s = good("listeners = 127.0.0.1:1\n; a comment\n# another\n"
	    "  [audit] \r\nfile = a\nkeep=2\n\n[http]\n\tthreads = 3\n");

	(void)state;
	assert_string_equal(s->listen, "127.0.0.1:1");
	assert_string_equal(s->audit_file, "a");
	assert_int_equal(s->audit_keep, 2);
	assert_int_equal(s->threads, 3);
	settings_free(s);
}

/* What goes on from a line is a value, even where it looks like a section. */
static void
test_continued_lines_are_values(void **state)
{
	struct settings *s = good("rest.base.url = a\\\n[audit]\nlisteners = b\\\n;c\n"
	    "audit.file = d\\\\\n[http]\nthreads=4\n");

	(void)state;
	assert_string_equal(s->base_url, "a[audit]");
	assert_string_equal(s->listen, "b;c");
	assert_string_equal(s->audit_file, "d\\");
	assert_int_equal(s->threads, 4);
	settings_free(s);
}

static void
test_same_name_in_two_sections(void **state)
{
	struct settings *s = good("[audit]\nfile=a\n[auth]\njwt.jwks.file=b\n"
	    "[master.encryption.key]\nfile=c\n");

	(void)state;
	assert_string_equal(s->audit_file, "a");
	assert_string_equal(s->jwks_file, "b");
	assert_string_equal(s->master_key_file, "c");
	settings_free(s);
}

static void
test_broken_sections(void **state)
{
	(void)state;
	bad("\n[audit\nfile=a\n", 2, "");
	bad("[audit] file=a\n", 1, "");
	bad("[]\nfile=a\n", 1, "");
	bad("\n\n [", 3, "");
}

static void
test_key_given_twice(void **state)
{
	struct error err;

	(void)state;
	err = bad("listeners=a\n#\nlisteners=a\n", 3, "listeners");
	assert_non_null(strstr(err.text, "line 1"));
	err = bad("\n[audit]\nkeep=1\n[http]\nthreads=2\n[audit]\nkeep=1\n", 7, "audit.keep");
	assert_non_null(strstr(err.text, "line 3"));
	err = bad("audit.keep=1\n[audit]\nkeep=2\n", 3, "audit.keep");
	assert_non_null(strstr(err.text, "line 1"));
	bad(PREFIX "audit.keep=1\n" PREFIX "audit.keep=1\n", 2, "audit.keep");
	bad("kafkastore.topic=a\nkafkastore.topic=a\n", 2, "kafkastore.topic");
	err = bad("master.encryption.old.key=CANARY\nmaster.encryption.old.key=CANARY\n", 2,
	    "master.encryption.old.key");
	assert_non_null(strstr(err.hint, "master.encryption.old.key.1"));
	assert_null(strstr(err.text, "CANARY"));
}

static void
test_with_and_without_prefix(void **state)
{
	struct settings *s = good("audit.keep=3\n" PREFIX "audit.keep = 3\n"
	    PREFIX "master.encryption.old.key=abc\nmaster.encryption.old.key=abc\n");
	struct error err;

	(void)state;
	assert_int_equal(s->audit_keep, 3);
	assert_int_equal(s->old_key_count, 1);
	settings_free(s);
	err = bad("audit.keep=3\n" PREFIX "audit.keep=4\n", 2, "audit.keep");
	assert_non_null(strstr(err.text, PREFIX "audit.keep"));
	assert_non_null(strstr(err.text, "line 1"));
	err = bad(PREFIX "master.encryption.key=CANARY-1\nmaster.encryption.key=CANARY-2\n", 2,
	    "master.encryption.key");
	assert_null(strstr(err.text, "CANARY"));
}

static void
test_file_of_a_worker(void **state)
{
	struct settings *s = good("bootstrap.servers=a\nbootstrap.servers=b\n"
	    "listeners=http://:8083\nlisteners=http://:8084\nssl.client.auth=none\n"
	    PREFIX "listeners=127.0.0.1:5\n" PREFIX "ssl.client.auth=required\n"
	    "config.providers=secret\n");

	(void)state;
	assert_string_equal(s->listen, "127.0.0.1:5");
	assert_true(s->tls_client_required);
	settings_free(s);
	/* Without a word for us, the worker's is ours. */
	s = good(PREFIX "audit.keep=1\nlisteners=127.0.0.1:6\n");
	assert_string_equal(s->listen, "127.0.0.1:6");
	settings_free(s);
	bad("bootstrap.servers=a\n" PREFIX "no.such=1\n", 2, "no.such");
	bad(PREFIX "audit.keep=1\nkafkastore.no.such=1\n", 2, "kafkastore.no.such");
}

static void
test_values_from_elsewhere(void **state)
{
	struct settings *s;
	struct error err;

	(void)state;
	files_put("value", "CANARY\n", 0600);
	assert_int_equal(setenv("PROPSEAL_TEST_VALUE", "of the environment", 1), 0);
	s = good("audit.file=${file:value}\nrest.base.url=${env:PROPSEAL_TEST_VALUE}\n");
	assert_string_equal(s->audit_file, "CANARY");
	assert_string_equal(s->base_url, "of the environment");
	settings_free(s);
	assert_int_equal(unsetenv("PROPSEAL_TEST_VALUE"), 0);
	assert_int_equal(unlink("value"), 0);
	err = bad("#\naudit.file=${file:value}\n", 2, "audit.file");
	assert_non_null(strstr(err.text, "file value"));
	assert_int_equal(err.code, ERROR_MISSING);
	assert_int_equal(mkdir("value", 0700), 0);
	err = bad("[audit]\nfile=${file:value}\n", 2, "audit.file");
	assert_non_null(strstr(err.text, "file value"));
	assert_int_equal(rmdir("value"), 0);
	err = bad("\nmaster.encryption.key=${env:PROPSEAL_TEST_VALUE}\n", 2,
	    "master.encryption.key");
	assert_non_null(strstr(err.text, "PROPSEAL_TEST_VALUE"));
}

static void
test_unknown_keys_and_bad_values(void **state)
{
	(void)state;
	bad("audit.fil=a\n", 1, "audit.fil");
	bad("[audit]\nfil=a\n", 2, "audit.fil");
	bad("kafkastore.topik=a\n", 1, "kafkastore.topik");
	bad("kafkastore=a\n", 1, "kafkastore");
	bad("dev.mode=yes\n", 1, "dev.mode");
}

/* What is given of a topic, without "kafkastore."; NULL: it is not. */
static const struct settings_kafka *
topic(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->kafka_count; i++) {
		if (strcmp(s->kafka[i].name, name) == 0)
			return &s->kafka[i];
	}
	return NULL;
}

static void
test_settings_of_a_store_in_kafka(void **state)
{
	struct settings *s = good("audit.keep=1\n");
	const struct settings_kafka *k;

	(void)state;
	assert_int_equal(s->log, STORE_LOG_LOCAL);
	assert_int_equal(s->kafka_count, 0);
	assert_string_equal(s->group_id, "secret-registry");
	settings_free(s);
	s = good("store.log=kafka\n" PREFIX "kafkastore.topic=a\n[kafkastore]\n"
	    "bootstrap.servers=a:1,b:1\nsasl.password=CANARY\nsecurity.protocol=SASL_SSL\n"
	    "[secret]\nregistry.group.id=g\n");
	assert_int_equal(s->log, STORE_LOG_KAFKA);
	assert_string_equal(s->group_id, "g");
	assert_int_equal(s->kafka_count, 4);
	k = topic(s, "bootstrap.servers");
	assert_non_null(k);
	assert_int_equal(k->line, 4);
	assert_int_equal(k->value.len, 7);
	assert_memory_equal(k->value.data, "a:1,b:1", 7);
	assert_true(topic(s, "sasl.password")->value.secret);
	assert_int_equal(topic(s, "topic")->line, 2);
	settings_free(s);
}

/* Both or neither of them: where the truth is, and the brokers. */
static void
test_settings_that_agree(void **state)
{
	struct settings *s = good("kafkastore.bootstrap.servers=\nkafkastore.topic=a\n");
	struct error err;

	(void)state;
	assert_int_equal(settings_check(s, &err), 0);
	settings_free(s);
	s = good("store.log=kafka\nkafkastore.bootstrap.servers=a:1\n");
	assert_int_equal(settings_check(s, &err), 0);
	settings_free(s);
	s = good("# it\nkafkastore.bootstrap.servers=a:1\n");
	assert_int_equal(settings_check(s, &err), -1);
	assert_string_equal(err.file, "conf");
	assert_int_equal(err.line, 2);
	assert_string_equal(err.key, "kafkastore.bootstrap.servers");
	assert_non_null(strstr(err.hint, "store.log=kafka"));
	settings_free(s);
	s = good("store.log=kafka\n");
	assert_int_equal(settings_check(s, &err), -1);
	assert_string_equal(err.key, "kafkastore.bootstrap.servers");
	settings_free(s);
	bad("store.log=topic\n", 1, "store.log");
}

static void
test_environment(void **state)
{
	static const char name[] = "CONNECT_CONFIG_PROVIDERS_SECRET_PARAM_KAFKASTORE_";
	char variable[128];
	struct settings *s = fresh();
	struct error err;

	(void)state;
	snprintf(variable, sizeof(variable), "%sSASL_PASSWORD", name);
	assert_int_equal(setenv(variable, "CANARY", 1), 0);
	assert_int_equal(settings_read_environment(s, &err), 0);
	assert_non_null(topic(s, "sasl.password"));
	assert_int_equal(topic(s, "sasl.password")->value.len, 6);
	assert_string_equal(getenv(variable), "");
	assert_int_equal(unsetenv(variable), 0);
	snprintf(variable, sizeof(variable), "%sTOPIK", name);
	assert_int_equal(setenv(variable, "a", 1), 0);
	assert_int_equal(settings_read_environment(s, &err), -1);
	assert_string_equal(err.key, "kafkastore.topik");
	assert_int_equal(unsetenv(variable), 0);
	settings_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections_and_comments),
		cmocka_unit_test(test_continued_lines_are_values),
		cmocka_unit_test(test_same_name_in_two_sections),
		cmocka_unit_test(test_broken_sections),
		cmocka_unit_test(test_key_given_twice),
		cmocka_unit_test(test_with_and_without_prefix),
		cmocka_unit_test(test_file_of_a_worker),
		cmocka_unit_test(test_values_from_elsewhere),
		cmocka_unit_test(test_unknown_keys_and_bad_values),
		cmocka_unit_test(test_settings_of_a_store_in_kafka),
		cmocka_unit_test(test_settings_that_agree),
		cmocka_unit_test(test_environment),
	};

	return cmocka_run_group_tests(tests, files_setup, files_teardown);
}

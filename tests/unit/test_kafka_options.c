/* What the settings of Java's client become for librdkafka. */
#include "files.h"

#include "base/error.h"
#include "registry/base/settings.h"
#include "registry/kafka/kafka.h"

#define SERVERS "kafkastore.bootstrap.servers=a:1\n"

static struct settings *
settings(const char *text)
{
	struct settings *s = settings_new();
	struct error err = { .code = ERROR_NONE };

	assert_non_null(s);
	files_put("conf", text, 0600);
	if (settings_read(s, "conf", &err) != 0)
		fail_msg("%s:%zu: %s", err.file, err.line, err.text);
	assert_int_equal(unlink("conf"), 0);
	return s;
}

static void
good(const char *text, struct kafka_options *o)
{
	struct settings *s = settings(text);
	struct error err = { .code = ERROR_NONE };

	if (kafka_options_read(o, s, &err) != 0)
		fail_msg("%s:%zu: %s: %s", err.file, err.line, err.key, err.text);
	settings_free(s);
}

/* It is refused at that line, with the key and a way out that says ${hint}. */
static void
bad(const char *text, size_t line, const char *key, const char *hint)
{
	struct settings *s = settings(text);
	struct error err = { .code = ERROR_NONE };
	struct kafka_options o;

	assert_int_equal(kafka_options_read(&o, s, &err), -1);
	assert_string_equal(err.file, "conf");
	assert_int_equal(err.line, line);
	assert_string_equal(err.key, key);
	if (strstr(err.hint, hint) == NULL)
		fail_msg("%s: the hint is: %s", key, err.hint);
	kafka_options_release(&o);
	settings_free(s);
}

/* librdkafka's setting; "": it is not set. */
static const char *
conf(struct kafka_options *o, const char *name)
{
	for (size_t i = 0; i < o->conf_count; i++) {
		if (strcmp(o->conf[i].name, name) == 0) {
			buf_append_char(&o->conf[i].value, '\0');
			assert_true(o->conf[i].value.secret);
			return (const char *)o->conf[i].value.data;
		}
	}
	return "";
}

static void
test_built_in(void **state)
{
	struct kafka_options o;

	(void)state;
	good(SERVERS, &o);
	assert_string_equal(o.servers, "a:1");
	assert_string_equal(o.topic, "_confluent-secrets");
	assert_string_equal(o.group, "secret-registry.propseal");
	assert_int_equal(o.replication, 3);
	assert_int_equal(o.timeout_ms, 15000);
	assert_int_equal(o.init_timeout_ms, 60000);
	assert_int_equal(o.conf_count, 0);
	kafka_options_release(&o);
}

static void
test_of_the_topic(void **state)
{
	struct kafka_options o;

	(void)state;
	good(SERVERS "kafkastore.topic=t.1_-\nkafkastore.topic.replication.factor=1\n"
	    "kafkastore.topic.skip.validation=true\nkafkastore.timeout.ms=500\n"
	    "kafkastore.init.timeout.ms=700\nkafkastore.acks=-1\nkafkastore.retries=7\n", &o);
	assert_string_equal(o.topic, "t.1_-");
	assert_int_equal(o.replication, 1);
	assert_true(o.skip_validation);
	assert_int_equal(o.timeout_ms, 500);
	assert_int_equal(o.init_timeout_ms, 700);
	assert_int_equal(o.conf_count, 0);
	kafka_options_release(&o);
	bad(SERVERS "kafkastore.topic=a/b\n", 2, "kafkastore.topic", "");
	bad(SERVERS "kafkastore.timeout.ms=soon\n", 2, "kafkastore.timeout.ms", "");
	bad(SERVERS "kafkastore.acks=1\n", 2, "kafkastore.acks", "take it out");
	bad(SERVERS "kafkastore.write.mode=optimistic\n", 2, "kafkastore.write.mode", "take it out");
}

static void
test_protocol_before_the_brokers(void **state)
{
	struct kafka_options o;

	(void)state;
	good("kafkastore.bootstrap.servers=SASL_SSL://a:1, SASL_SSL://b:2\n", &o);
	assert_string_equal(o.servers, "a:1,b:2");
	assert_string_equal(conf(&o, "security.protocol"), "SASL_SSL");
	kafka_options_release(&o);
	good("kafkastore.bootstrap.servers=SSL://a:1\nkafkastore.security.protocol=SASL_SSL\n", &o);
	assert_string_equal(conf(&o, "security.protocol"), "SASL_SSL");
	kafka_options_release(&o);
	bad("kafkastore.bootstrap.servers=SSL://a:1,PLAINTEXT://b:2\n", 1,
	    "kafkastore.bootstrap.servers", "");
}

static void
test_login(void **state)
{
	struct kafka_options o;

	(void)state;
	good(SERVERS "kafkastore.sasl.mechanism=SCRAM-SHA-512\nkafkastore.sasl.jaas.config="
	    "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"u\" "
	    "password=\"a\\\\\"b\" user_x=\"y\";\n", &o);
	assert_string_equal(conf(&o, "sasl.mechanisms"), "SCRAM-SHA-512");
	assert_string_equal(conf(&o, "sasl.username"), "u");
	assert_string_equal(conf(&o, "sasl.password"), "a\"b");
	assert_int_equal(o.conf_count, 3);
	kafka_options_release(&o);
	bad(SERVERS "kafkastore.sasl.jaas.config=nothing of the kind\n", 2,
	    "kafkastore.sasl.jaas.config", "");
	bad(SERVERS "\nkafkastore.sasl.mechanism=OAUTHBEARER\n", 3, "kafkastore.sasl.mechanism",
	    "PLAIN");
	bad(SERVERS "kafkastore.sasl.login.class=a.B\n", 2, "kafkastore.sasl.login.class", "Java");
}

static void
test_key_stores(void **state)
{
	struct kafka_options o;

	(void)state;
	good(SERVERS "kafkastore.ssl.keystore.location=k.pem\nkafkastore.ssl.keystore.type=PEM\n"
	    "kafkastore.ssl.truststore.location=ca.pem\nkafkastore.ssl.truststore.type=pem\n"
	    "kafkastore.ssl.key.password=p\n"
	    "kafkastore.ssl.endpoint.identification.algorithm=\n", &o);
	assert_string_equal(conf(&o, "ssl.certificate.location"), "k.pem");
	assert_string_equal(conf(&o, "ssl.key.location"), "k.pem");
	assert_string_equal(conf(&o, "ssl.ca.location"), "ca.pem");
	assert_string_equal(conf(&o, "ssl.key.password"), "p");
	assert_string_equal(conf(&o, "ssl.endpoint.identification.algorithm"), "none");
	kafka_options_release(&o);
	good(SERVERS "kafkastore.ssl.keystore.location=k.p12\nkafkastore.ssl.keystore.type=PKCS12\n"
	    "kafkastore.ssl.keystore.password=p\n", &o);
	assert_string_equal(conf(&o, "ssl.keystore.location"), "k.p12");
	assert_string_equal(conf(&o, "ssl.keystore.password"), "p");
	kafka_options_release(&o);
	good(SERVERS "kafkastore.ssl.keystore.certificate.chain=C\nkafkastore.ssl.keystore.key=K\n"
	    "kafkastore.ssl.truststore.certificates=T\n", &o);
	assert_string_equal(conf(&o, "ssl.certificate.pem"), "C");
	assert_string_equal(conf(&o, "ssl.key.pem"), "K");
	assert_string_equal(conf(&o, "ssl.ca.pem"), "T");
	kafka_options_release(&o);
	bad(SERVERS "kafkastore.ssl.keystore.location=k.jks\n", 2,
	    "kafkastore.ssl.keystore.location", "PKCS12");
	bad(SERVERS "kafkastore.ssl.truststore.location=t.jks\n", 2,
	    "kafkastore.ssl.truststore.location", "PEM");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_in),
		cmocka_unit_test(test_of_the_topic),
		cmocka_unit_test(test_protocol_before_the_brokers),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_key_stores),
	};

	return cmocka_run_group_tests(tests, files_setup, files_teardown);
}

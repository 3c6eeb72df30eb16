/* What is a secret: by the key, by the value, and by both. */
#include <stdio.h>

#include "secrets/keys.h"
#include "secrets/rules.h"
#include "secrets/value.h"
#include "unit.h"

struct key_case {
	const char *key;
	enum key_class class;
};

struct value_case {
	const char *value;
	enum value_kind kind;
};

struct secret_case {
	const char *key;
	const char *value;
	enum secret secret;
};

static void
keys_are_found_by_their_last_words(void **state)
{
	static const struct key_case cases[] = {
		{ "password", KEY_SECRET }, { "ssl.keystore.password", KEY_SECRET },
		{ "sasl.jaas.config", KEY_SECRET },
		{ "listener.name.sasl_ssl.plain.sasl.jaas.config", KEY_SECRET },
		{ "connection.pass", KEY_SECRET }, { "db.pwd", KEY_SECRET },
		{ "jdbc.passwd", KEY_SECRET }, { "Confluent.License", KEY_SECRET },
		{ "aws.secret.access.key", KEY_SECRET },
		{ "kinesis.credentials.provider.sts.aws.secret.key.id", KEY_SECRET },
		{ "splunk.hec.token", KEY_MATERIAL }, { "jira.api.token", KEY_MATERIAL },
		{ "azblob.account.key", KEY_MATERIAL }, { "azure.eventhubs.sas.key", KEY_MATERIAL },
		{ "gcs.credentials.json", KEY_MATERIAL }, { "snowflake.private.key", KEY_MATERIAL },
		{ "confluent.security.master.key", KEY_MATERIAL },
		{ "http.request.headers", KEY_HEADERS },
		{ "FLOWER_BASIC_AUTH", KEY_PAIR }, { "oauth", KEY_OTHER },
		/* However they are spelt. */
		{ "camel.kamelet.aws-s3-sink.secretKey", KEY_SECRET },
		{ "CONNECT_SSL_KEYSTORE_PASSWORD", KEY_SECRET },
		{ "iceberg.catalog.s3.secret-access-key", KEY_SECRET },
		{ "SchemaRegistry.BasicAuthUserInfo", KEY_SECRET },
		{ "config.aws\\.secret\\.access\\.key", KEY_SECRET },
		{ "users.0.password.1", KEY_SECRET }, { "api_key_2", KEY_MATERIAL },
		{ "TWITTER_ACCESSTOKEN", KEY_MATERIAL },
		{ "camel.sink.endpoint.authorizationToken", KEY_MATERIAL },
		/* "password" anywhere. */
		{ "passwordX", KEY_SECRET }, { "ssl.key.PASSWORD.old", KEY_SECRET },
		{ "ppassword", KEY_SECRET }, { "my.passpassword.x", KEY_SECRET },
		{ "password.file.password.x", KEY_SECRET },
		/* What is said about one, or elsewhere. */
		{ "password.encoder.iterations", KEY_PUBLIC },
		{ "password.encoder.cipher.algorithm", KEY_PUBLIC },
		{ "password.encoder.secret", KEY_SECRET },
		{ "listener.name.x.ssl.keystore.password.file", KEY_PUBLIC },
		{ "SSL_KEYSTORE_PASSWORD_FILE", KEY_PUBLIC }, { "sasl.passwordFile", KEY_PUBLIC },
		{ "oauth.password.grant.username", KEY_PUBLIC },
		{ "password.policy.class", KEY_PUBLIC }, { "my.passwordPolicy.regex", KEY_PUBLIC },
		{ "ldap.password.policy.min-length", KEY_PUBLIC },
		{ "confluent.password.policy", KEY_PUBLIC }, { "kafka.api.key", KEY_PUBLIC },
		{ "aws.access.key.id", KEY_PUBLIC }, { "ssl.keystore.credentials", KEY_PUBLIC },
		/* Words inside of others, and in the middle. */
		{ "", KEY_OTHER }, { "key", KEY_OTHER }, { "pass.word", KEY_OTHER },
		{ "asswordp", KEY_OTHER }, { "passwor", KEY_OTHER }, { "bypass", KEY_OTHER },
		{ "compass", KEY_OTHER }, { "secret.access.keyring", KEY_OTHER },
		{ "topic.secrets.name", KEY_OTHER }, { "ssl.keystore.location", KEY_OTHER },
		{ "basic.auth.credentials.source", KEY_OTHER }, { "sasl.mechanism", KEY_OTHER },
		{ "ssl.keystore.type", KEY_OTHER }, { "config.providers", KEY_OTHER },
		{ "confluent.metadata.server.token.key.path", KEY_OTHER },
		{ "key.converter", KEY_OTHER }, { "confluent.license.topic", KEY_OTHER },
		{ "delegation.token.expiry.time.ms", KEY_OTHER }, { "...", KEY_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (key_class(cases[i].key, strlen(cases[i].key)) != cases[i].class)
			fail_msg("%s", cases[i].key);
}

/* Each row of the list is in what was built of it. */
static void
every_row_of_the_list_is_built_in(void **state)
{
	static const char *const names[] = { "?", "secret", "material", "headers", "pair", "opaque",
		"public" };
	FILE *f = fopen("share/keys/kafka.keys", "r");
	char line[256], class[32], pattern[128], key[160];
	size_t rows = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '#' || sscanf(line, "%31s %127s", class, pattern) != 2)
			continue;
		snprintf(key, sizeof(key), "any%s%s", pattern[0] == '.' ? "" : ".", pattern);
		if (strcmp(names[key_class(key, strlen(key))], class) != 0)
			fail_msg("%s is no key of class %s", key, class);
		rows++;
	}
	fclose(f);
	assert_true(rows > 100);
}

static void
the_default_rule_is_that_of_the_reference(void **state)
{
	static const char *const yes[] = { "password", "ssl.keystore.password", "PassWord",
		"passwordX", "ssl.key.PASSWORD.old", "password.of.something", "sasl.passwordfile" };
	static const char *const no[] = { "", "passwd", "pass.word", "sasl.jaas.config",
		"aws.secret.access.key", "ssl.keystore.location", "asswordp",
		"password.encoder.iterations" };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		assert_true(rules_by_default(NULL, yes[i], strlen(yes[i])));
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		assert_false(rules_by_default(NULL, no[i], strlen(no[i])));
}

static void
values_tell_what_they_are(void **state)
{
	static const struct value_case cases[] = {
		{ "", VALUE_EMPTY }, { " \t\n", VALUE_EMPTY }, { "\"\"", VALUE_EMPTY },
		{ "changeit", VALUE_TEXT }, { "x", VALUE_TEXT }, { "$ecret", VALUE_TEXT },
		{ "$Pa55word", VALUE_TEXT }, { "pa${ss", VALUE_TEXT }, { "a<b>c", VALUE_TEXT },
		{ "yours-truly", VALUE_TEXT }, { "changeme", VALUE_TEXT }, { "nonesuch", VALUE_TEXT },
		{ "${a:b}secret${c:d}", VALUE_TEXT }, { "{{ x }} y", VALUE_TEXT },
		{ "#{a}b", VALUE_TEXT }, { "%{hiera(x", VALUE_TEXT },
		/* References, and what other programs have sealed. */
		{ "#{kafka.password}#", VALUE_REFERENCE }, { "%{hiera('a::pw')}", VALUE_REFERENCE },
		{ "%{lookup(\"a::pw\")}", VALUE_REFERENCE },
		{ "${securepass:/etc/s:f/k}", VALUE_REFERENCE }, { "${file:/a:b}", VALUE_REFERENCE },
		{ "${A}${B}", VALUE_REFERENCE }, { "${A}:${B}", VALUE_REFERENCE },
		{ "${A:${B}}", VALUE_REFERENCE }, { "$PASSWORD", VALUE_REFERENCE },
		{ "\"$DB_PASS\"", VALUE_REFERENCE }, { "$password", VALUE_REFERENCE },
		{ "$(cat /run/p)", VALUE_REFERENCE }, { "`pw`", VALUE_REFERENCE },
		{ "{{ vault_password }}", VALUE_REFERENCE }, { "%(password)s", VALUE_REFERENCE },
		{ "%DB_PASS%", VALUE_REFERENCE }, { "@db.password@", VALUE_REFERENCE },
		{ "$__file{/run/p}", VALUE_REFERENCE }, { "ENC(G6N718UuyPE5bHyWKyuLQ=)", VALUE_REFERENCE },
		{ "ENC[AES/GCM/NoPadding,data:x,iv:y,type:str]", VALUE_REFERENCE },
		{ "$ANSIBLE_VAULT;1.1;AES256", VALUE_REFERENCE }, { "{cipher}ab12", VALUE_REFERENCE },
		{ "arn:aws:secretsmanager:eu-1:1:secret:x", VALUE_REFERENCE },
		{ "awssm://db/pw", VALUE_REFERENCE }, { "%{db.pw}", VALUE_REFERENCE },
		{ "@{db_pw}", VALUE_REFERENCE }, { "$[db:pw]", VALUE_REFERENCE },
		{ "[[ db_pw ]]", VALUE_REFERENCE }, { "@@db-pw@@", VALUE_REFERENCE },
		{ "%%DB_PW%%", VALUE_REFERENCE }, { "%env(DB_PW)%", VALUE_REFERENCE },
		{ "%db_pw%", VALUE_TEXT }, { "@@a!b@@", VALUE_TEXT }, { "[[a;b]]", VALUE_TEXT },
		/* Placeholders. */
		{ "<password>", VALUE_PLACEHOLDER }, { "YOUR_API_SECRET", VALUE_PLACEHOLDER },
		{ "your-password", VALUE_PLACEHOLDER }, { "yourPassword", VALUE_PLACEHOLDER },
		{ "CHANGE_ME", VALUE_PLACEHOLDER }, { "xxxx", VALUE_PLACEHOLDER },
		{ "XXXX-XXXX", VALUE_PLACEHOLDER }, { "****", VALUE_PLACEHOLDER },
		{ "*", VALUE_PLACEHOLDER }, { "...", VALUE_PLACEHOLDER },
		{ "\342\200\242\342\200\242", VALUE_PLACEHOLDER }, { "[hidden]", VALUE_PLACEHOLDER },
		{ "***REDACTED***", VALUE_PLACEHOLDER }, { "(redacted)", VALUE_PLACEHOLDER },
		{ "*** hidden ***", VALUE_PLACEHOLDER }, { "(sensitive value)", VALUE_PLACEHOLDER },
		{ "*hidden1*", VALUE_TEXT }, { "hidden", VALUE_TEXT }, { "hidden!!", VALUE_TEXT },
		{ "[REDACTED]", VALUE_PLACEHOLDER }, { "TODO", VALUE_PLACEHOLDER },
		{ "null", VALUE_PLACEHOLDER }, { "REPLACE_WITH_TOKEN", VALUE_PLACEHOLDER },
		{ "eyJhbGciOi...", VALUE_PLACEHOLDER },
		/* Secrets under any key. */
		{ "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", VALUE_PRIVATE_KEY },
		{ "-----BEGIN RSA PRIVATE KEY-----\\nMIIEvQ", VALUE_PRIVATE_KEY },
		{ "{\"private_key\": \"abc\"}", VALUE_PRIVATE_KEY },
		{ "-----BEGIN CERTIFICATE-----\nMIIEvQ", VALUE_TEXT },
		{ "-----BEGIN PRIVATE KEY-----\n<key>", VALUE_TEXT },
		{ "{\"private_key\": \"<key>\"}", VALUE_TEXT },
		{ "https://u:pw@host/x", VALUE_CREDENTIALS },
		{ "mongodb+srv://u:p%40w@h1,h2/?tls=true", VALUE_CREDENTIALS },
		{ "a://b,http://u:p:w@h", VALUE_CREDENTIALS },
		{ "jdbc:postgresql://db/x?user=u&password=pw&ssl=true", VALUE_CREDENTIALS },
		{ "jdbc:sqlserver://h:1433;user=sa;password=pw", VALUE_CREDENTIALS },
		{ "jdbc:oracle:thin:scott/tiger@//h:1521/s", VALUE_CREDENTIALS },
		{ "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=abc=", VALUE_CREDENTIALS },
		{ "AccountKey=abc;EndpointSuffix=x", VALUE_CREDENTIALS },
		{ "-Xmx1g -Djavax.net.ssl.keyStorePassword=changeit", VALUE_CREDENTIALS },
		{ "--password=pw", VALUE_CREDENTIALS },
		{ "jdbc:oracle:oci:scott/tiger@h", VALUE_CREDENTIALS },
		{ "jdbc:oracle:thin:@//h:1521/s", VALUE_TEXT },
		{ "jdbc:teradata://h/USER=u,PASSWORD=pw,DATABASE=d", VALUE_CREDENTIALS },
		{ "jdbc:mysql://(host=h,port=1,user=u,password=pw)/d", VALUE_CREDENTIALS },
		{ "jdbc:mysql://address=(host=h)(user=u)(password=pw)/d", VALUE_CREDENTIALS },
		{ "jdbc:mysql://address=(host=h)(password=${env:P})/d", VALUE_TEXT },
		{ "user=u,password=pw", VALUE_CREDENTIALS }, { "password=pw", VALUE_CREDENTIALS },
		{ "ssl=true\nuser=u\napi.token=pw\n", VALUE_CREDENTIALS },
		{ "password=${file:/a:b},user=u", VALUE_TEXT }, { "password=", VALUE_TEXT },
		{ "cn=token,ou=x", VALUE_TEXT }, { "bXlwd2QxdG9rZW4x.token==", VALUE_TEXT },
		{ "a.token==b", VALUE_TEXT }, { "see x,password=y", VALUE_TEXT },
		{ "https://u@host", VALUE_TEXT }, { "SASL_SSL://h:9092,PLAIN://h:9093", VALUE_TEXT },
		{ "https://host/a:b@c", VALUE_TEXT }, { "https://<user>:<password>@h", VALUE_TEXT },
		{ "https://${env:U}:${env:P}@h", VALUE_TEXT }, { "https://u:@h", VALUE_TEXT },
		{ "jdbc:x://h?password=${file:/a:b}&x=y", VALUE_TEXT },
		{ "jdbc:x://h?password=<pw>", VALUE_TEXT }, { "jdbc:x://h?password=", VALUE_TEXT },
		{ "jdbc:x://h?passwordFile=/a&sslkey=/etc/k.pem", VALUE_TEXT },
		{ "select 1 where password='x'", VALUE_TEXT }, { "a=b;c=d", VALUE_TEXT },
		{ "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", VALUE_TOKEN },
		{ "Authorization: Basic dTpw", VALUE_TOKEN },
		{ "{\"a\":{\"apiKey\" : \"x1\"}}", VALUE_MEMBER },
		{ "{\"a\":\"{\\\"password\\\":\\\"pw\\\"}\"}", VALUE_MEMBER },
		{ "[{'password':'pw'}]", VALUE_MEMBER },
		{ "{\"password\":\"${file:/a:b}\"}", VALUE_TEXT },
		{ "{\"password\":\"\",\"token\":\"<x>\"}", VALUE_TEXT },
		{ "{\"password\":{\"type\":\"string\"}}", VALUE_TEXT },
		{ "{\"name\":\"password\",\"access.key\":\"/etc/x.pem\"}", VALUE_TEXT },
		{ "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", VALUE_PRIVATE_KEY },
		{ "MIIEowIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun", VALUE_PRIVATE_KEY },
		{ "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2", VALUE_PRIVATE_KEY },
		{ "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ", VALUE_TEXT },
		{ "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo", VALUE_TEXT },
		{ "data:text/plain;base64,LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUV2UUlCQURBTkJna3Fo"
		    "a2lHOXcwQkFRRUZBQVNDCg==", VALUE_PRIVATE_KEY },
		{ "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUV2UUlCQURBTkJna3FoaEtHOXcwQkFRRUZBQVND",
		    VALUE_TEXT },
		{ "eyJ0eXBlIjogInNlcnZpY2VfYWNjb3VudCIsICJwcml2YXRlX2tleSI6ICJhYmMiLCAieCI6ICJ5In0K",
		    VALUE_PRIVATE_KEY },
		{ "Authorization: Bearer <token>", VALUE_TEXT }, { "eyJust.text", VALUE_TEXT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t n = strlen(cases[i].value);
		enum value_kind k = value_kind(cases[i].value, n);

		if (k != cases[i].kind)
			fail_msg("%s: %d", cases[i].value, (int)k);
		/* What is looked at before decoding never says no to a secret. */
		if (value_kind_is_secret(k) && !value_may_be_secret(
		    (const unsigned char *)cases[i].value, n))
			fail_msg("%s would not be looked at", cases[i].value);
	}
}

static void
key_and_value_decide_together(void **state)
{
	static const struct secret_case cases[] = {
		{ "a.password", "pw", SECRET_CLEAR }, { "a.password", "true", SECRET_CLEAR },
		{ "a.password", "/etc/pw", SECRET_CLEAR }, { "a.password", "", SECRET_ELSEWHERE },
		{ "a.password", "${env:PW}", SECRET_ELSEWHERE },
		{ "a.password", "<pw>", SECRET_PLACEHOLDER },
		{ "a.password.file", "/etc/pw", SECRET_NONE }, { "a", "pw", SECRET_NONE },
		{ "bearer.token", "/var/run/secrets/token", SECRET_NONE },
		{ "bearer.token", "/Zm9v/YmFy+A==", SECRET_CLEAR }, { "x.token", "true", SECRET_NONE },
		{ "keyfile", "/etc/key.json", SECRET_NONE },
		{ "keyfile", "{\"private_key\":\"abc\"}", SECRET_CLEAR },
		{ "basic.auth.user.info", "u:pw", SECRET_CLEAR },
		{ "basic.auth.user.info", "$K:$S", SECRET_ELSEWHERE },
		{ "basic.auth.user.info", "u:<pw>", SECRET_PLACEHOLDER },
		{ "http.headers", "Accept: text/plain", SECRET_NONE },
		{ "http.headers", "Content-Type:a|Authorization:Basic dTpw", SECRET_CLEAR },
		{ "http.headers", "X-Api-Key: ${env:K}", SECRET_NONE },
		{ "BASIC_AUTH", "ops:clear", SECRET_CLEAR },
		{ "BASIC_AUTH", "b3BzOmNsZWFy", SECRET_CLEAR },
		{ "BASIC_AUTH", "ops:${PASSWORD}", SECRET_NONE },
		{ "BASIC_AUTH", "ops:$apr1$Hk3uWzYp$x9dPq0XkV1z", SECRET_NONE },
		{ "BASIC_AUTH", "ops:$$2y$$05$$abcdefgh", SECRET_NONE },
		{ "BASIC_AUTH", "gateway:8080", SECRET_NONE },
		{ "BASIC_AUTH", "https://id.example.com/", SECRET_NONE },
		{ "BASIC_AUTH", "enabled", SECRET_NONE },
		{ "NEO4J_AUTH", "neo4j/clear", SECRET_CLEAR },
		/* PagerDuty's, and RabbitMQ's. */
		{ "routing_key", "R0123456789abcdefghijklmnopqrstu", SECRET_CLEAR },
		{ "routing_key", "orders.created.v1", SECRET_NONE },
		{ "routing_key", "orders-of-the-whole-company-2026", SECRET_NONE },
		{ "spring.rabbitmq.routing-key", "ordersofthewholecompany", SECRET_NONE },
		/* Sums. */
		{ "PASSWORD_SHA256", "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
		    SECRET_NONE },
		{ "checksum/secret", "d41d8cd98f00b204e9800998ecf8427e", SECRET_NONE },
		{ "secretHash", "d41d8cd98f00b204e9800998ecf8427e", SECRET_NONE },
		{ "password.hash", "clear", SECRET_CLEAR },
		{ "shared.secret", "d41d8cd98f00b204e9800998ecf8427e", SECRET_CLEAR },
		{ "hashicorp.token", "d41d8cd98f00b204e9800998ecf8427e", SECRET_CLEAR },
		/* Who has the URL may post, or read. */
		{ "x", "https://chat.example.org/hooks/4jdk3hf8s7w6q5z4y3x2v1u0ab", SECRET_CLEAR },
		{ "x", "https://ci.example.org/hooks/deploy-to-production", SECRET_NONE },
		{ "x", "https://a.blob.core.windows.net/c?sv=2022-11-02&sig=abc%2Fdef", SECRET_CLEAR },
		{ "headers", "Authorization: GenieKey eb243592-faa2-4ba2", SECRET_CLEAR },
		{ "NEO4J_AUTH", "none", SECRET_NONE },
		{ "a.password", "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1", SECRET_ELSEWHERE },
		{ "a.password", "$6$short", SECRET_CLEAR },
		{ "WEBHOOK_URL", "https://n8n.example.com:5678/", SECRET_NONE },
		{ "WEBHOOK_URL", "https://n8n.example.com/webhook/clear", SECRET_CLEAR },
		{ "cache", "redis:6380,password=clear,ssl=True", SECRET_CLEAR },
		{ "cache", "redis:6380,password=${P},ssl=True", SECRET_NONE },
		{ "list", "a,password=word", SECRET_NONE },
		{ "DATA_SOURCE_NAME", "exp:clear@(db:3306)/", SECRET_CLEAR },
		{ "DATA_SOURCE_NAME", "exp:clear@tcp(db:3306)/x", SECRET_CLEAR },
		{ "DATA_SOURCE_NAME", "exp:${P}@tcp(db:3306)/x", SECRET_NONE },
		{ "url", "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=))", SECRET_NONE },
		{ "mail", "to:someone@example.com (him)", SECRET_NONE },
		{ "connection.url", "jdbc:x://h?user=u&password=pw", SECRET_CLEAR },
		{ "connection.url", "jdbc:x://h?user=u", SECRET_NONE },
		{ "kafka.api.key", "ABCDEF", SECRET_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (rules_secret(NULL, cases[i].key, strlen(cases[i].key), cases[i].value,
		    strlen(cases[i].value)) != cases[i].secret)
			fail_msg("%s=%s", cases[i].key, cases[i].value);
}

static void
what_the_user_says_comes_first(void **state)
{
	struct rules *r = rules_new(NULL);

	(void)state;
	assert_int_equal(rules_add_public(r, "connection.url", NULL), 0);
	assert_int_equal(rules_add_secret(r, "pin", NULL), 0);
	assert_int_equal(rules_secret(r, "connection.url", 14, "http://u:p@h", 12), SECRET_NONE);
	assert_int_equal(rules_secret(r, "a.pin", 5, "1", 1), SECRET_CLEAR);
	assert_int_equal(rules_secret(r, "a.pin", 5, "<pin>", 5), SECRET_PLACEHOLDER);
	rules_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_found_by_their_last_words),
		cmocka_unit_test(every_row_of_the_list_is_built_in),
		cmocka_unit_test(the_default_rule_is_that_of_the_reference),
		cmocka_unit_test(values_tell_what_they_are),
		cmocka_unit_test(key_and_value_decide_together),
		cmocka_unit_test(what_the_user_says_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * JAAS values.  What is read was compared with Kafka's own tokenizing (JDK
 * 17) over a million random values; the rows below keep what that showed.
 */
#include "document/edits.h"
#include "document/jaas.h"
#include "document_support.h"

static struct jaas *
read_value(const char *value, size_t n)
{
	struct error err = { 0 };
	struct jaas *j = jaas_parse(value, n, &err);

	if (j == NULL)
		fail_msg("%.*s: %s", (int)n, value, err.text);
	return j;
}

/* One line: `Class(option=value option=value) Class#2(...)`. */
static void
describe(const struct jaas *j, const char *value, struct buf *out)
{
	struct jaas_option o = { 0 };
	size_t m, i = 0;

	buf_init(out, BUF_MAX_FILE);
	for (m = 0; m < jaas_modules(j); m++) {
		buf_append_str(out, m > 0 ? "|" : "");
		for (; i < jaas_count(j); i++) {
			o = jaas_option(j, i);
			assert_true(o.module >= m);
			if (o.module != m)
				break;
			buf_append(out, o.class, o.class_len);
			buf_append_str(out, o.ordinal == 1 ? "/" : o.ordinal == 2 ? "#2/" : "#3/");
			buf_append(out, o.name, o.name_len);
			buf_append_char(out, '=');
			buf_append(out, value + o.from, o.to - o.from);
			buf_append_char(out, ' ');
		}
	}
	assert_int_equal(i, jaas_count(j));
}

struct reading {
	const char *value;
	const char *want;
};

static void
check_readings(const struct reading *cases, size_t n)
{
	struct jaas *j;
	struct buf got;
	size_t i;

	for (i = 0; i < n; i++) {
		j = read_value(cases[i].value, strlen(cases[i].value));
		describe(j, cases[i].value, &got);
		if (strcmp(buf_cstr(&got), cases[i].want) != 0)
			fail_msg("%s was read as %s", cases[i].value, buf_cstr(&got));
		buf_release(&got);
		jaas_free(j);
	}
}

#define CHECK_READINGS(cases) check_readings(cases, sizeof(cases) / sizeof((cases)[0]))

static void
test_what_kafka_accepts_is_read_as_kafka_reads_it(void **state)
{
	static const struct reading cases[] = {
		{ "a.M required;", "" },
		{ "M required a=b;", "M/a=b " },
		{ "M ReQuIsItE a=\"b\" c='d';", "M/a=\"b\" M/c='d' " },
		{ "M optional a = b c =d e= f ;", "M/a=b M/c=d M/e=f " },
		{ "\n M\n\nsufficient\r\n a\t=\r\n\"b\"\n;\n", "M/a=\"b\" " },
		{ "M required a=\"two words\";", "M/a=\"two words\" " },
		{ "M required a=\"x;y\" b=';';", "M/a=\"x;y\" M/b=';' " },
		{ "M required a=\"q\\\"q\" b='it\\'s' c=\"it's\";",
		    "M/a=\"q\\\"q\" M/b='it\\'s' M/c=\"it's\" " },
		{ "M required a=\"x\\\\\" b=\"y\";", "M/a=\"x\\\\\" M/b=\"y\" " },
		{ "M required a=\"x\\\ny\";", "M/a=\"x\\\ny\" " },
		{ "M required a=\"//x\" b=\"/*\";", "M/a=\"//x\" M/b=\"/*\" " },
		{ "M required a=\"\" b='';", "M/a=\"\" M/b='' " },
		{ "M required a=b\\;", "M/a=b\\ " },
		{ "M required a=\"1\"b=\"2\"c=3;", "M/a=\"1\" M/b=\"2\" M/c=3 " },
		{ "M required\"a\"=\"1\";", "M/a=\"1\" " },
		{ "\"M\" 'required' \"a b\"=c 'd/e'=f;", "M/a b=c M/d/e=f " },
		{ "M required a=b;N optional a=c;", "M/a=b |N/a=c " },
		{ "M required a=1; N required b=2; M required c=3; M optional;",
		    "M/a=1 |N/b=2 |M#2/c=3 |" },
		{ "M required a=1 a=2;", "M/a=1 M/a=2 " },
		{ "// c ;\nM /* ; */ required // a=\"\n a=b /* c=d */;// x", "M/a=b " },
		{ "M/**/required a/* = */=b;", "M/a=b " },
		{ "M required a=\"b\"// c\n;", "M/a=\"b\" " },
		{ "M required $a=}{ b=${x} c=a#b,c:d@e[f];", "M/$a=}{ M/b=${x} M/c=a#b,c:d@e[f] " },
		{ "M required a=\xc3\xa9\xff b=c\x7f;", "M/a=\xc3\xa9\xff M/b=c\x7f " }
	};

	(void)state;
	CHECK_READINGS(cases);
}

static void
test_more_than_kafka_accepts_is_read(void **state)
{
	static const struct reading cases[] = {
		{ "M required", "" },
		{ "M required a=b", "M/a=b " },
		{ "M required a=\"b\" \n", "M/a=\"b\" " },
		{ "M required a=b; N required c=d", "M/a=b |N/c=d " },
		{ "M required a=b /* c */", "M/a=b " },
		{ "M required username=u password=ab//cd;", "M/username=u M/password=ab//cd " },
		{ "M required a=b/c+d/ e=/etc/x;", "M/a=b/c+d/ M/e=/etc/x " },
		{ "M required a=b/*c*/;", "M/a=b/*c*/ " },
		{ "M required a=b/c\nd=e;", "M/a=b/c M/d=e " },
		{ "M required a=${securepass:/a b/c;d:e=\"f\"/g/h} b=c;",
		    "M/a=${securepass:/a b/c;d:e=\"f\"/g/h} M/b=c " },
		{ "M required a=${securepass:/p:q};", "M/a=${securepass:/p:q} " },
		{ "M required a=x${file:/p=q:r}y b=c;", "M/a=x${file:/p=q:r}y M/b=c " },
		{ "M required a=${securepass:/p:q} // c\n;", "M/a=${securepass:/p:q} " }
	};

	(void)state;
	CHECK_READINGS(cases);
}

static void
check_refusals(const char *const *values, size_t n, enum error_code code)
{
	struct error err;
	struct jaas *j;
	size_t i;

	for (i = 0; i < n; i++) {
		memset(&err, 0, sizeof(err));
		j = jaas_parse(values[i], strlen(values[i]), &err);
		if (j != NULL || err.code != code)
			fail_msg("%s: %s", values[i], j != NULL ? "read" : err.text);
		assert_non_null(strstr(err.text, " of the JAAS value: "));
		assert_true(err.hint[0] != '\0');
	}
}

#define CHECK_REFUSALS(values, code) \
	check_refusals(values, sizeof(values) / sizeof((values)[0]), code)

static void
test_what_is_no_jaas_is_told_apart(void **state)
{
	static const char *const values[] = {
		"", " ", "\n", "null", "keystore-S3cret!", "correct horse battery", "a;b", "=", ";",
		"\"quoted\"", "'", "// comment", "/etc/kafka/jaas.conf", "${file:/x/PlainLoginModule:y}",
		"${securepass:/s:server.properties/k/a.ScramLoginModule/password}",
		"password=x", "M requird a=b;", "{\"a\": 1}", "really not required"
	};

	(void)state;
	CHECK_REFUSALS(values, ERROR_FORMAT);
}

/* None of these may be sealed in part, nor be taken for a plain value. */
static void
test_what_can_be_read_in_two_ways_is_refused(void **state)
{
	static const char *const values[] = {
		/* a secret that would go on behind where the value ends */
		"M required password=two words;",
		"M required password=\"a\"b\";",
		"M required password=a\"b c\";",
		"M required password=it's;",
		"M required password=YWJj==;",
		"M required password=a=b;",
		"M required password=a;b;",
		"M required password=;",
		"M required password=",
		"M required password;",
		"M required password = = x;",
		"M required password=\"abc;",
		"M required password=\"abc\n;",
		"M required password=\"abc\r\ndef\";",
		"M required password='abc\";",
		"M required password=\"abc\\\";",
		"M required password={{ X }};",
		/* a comment, or not */
		"M required username=u // password=\"x\";",
		"M required username=u // password=\"x\"",
		"M required password=//x;",
		"M required password= // x\n y;",
		"M required password=/*x*/y;",
		"M required password=ab// cd;",
		"M required /* password=\"x\";",
		"M required a=b; /*",
		"M required / a=b;",
		"M / required a=b;",
		"M required a=b/c /*\nx=\"s\" y=*/\n;",
		"M required a=b/c x=\"\\\ny=\" z=w;",
		"M required a=/b\nc=d;",
		/* a reference, or not */
		"M required password=${securepass:/x;",
		"M required password=${securepass:/x\ny:z};",
		"M required password=${a:b c};",
		"M required password=${a:b; user_x=\"c}\";",
		"M required password=${a:b;c};",
		/* no modules, or names, to make an address of */
		"M required;;", "M required; N;", "M required; N=o;", "; M required;",
		"M#2 required a=b;", "\"M/N\" required a=b;",
		"M required \"\"=b;", "M required \"a\\\"\"=b;", "M required =b;",
		/* meant as JAAS, and broken */
		"a.PlainLoginModule requird password=\"x\";",
		"\"a.PlainLoginModule required username=\"u\" password=\"p\";\"",
		"required password=x;"
	};

	(void)state;
	CHECK_REFUSALS(values, ERROR_REFUSED);
}

static void
test_an_error_tells_the_place_and_nothing_of_the_value(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(jaas_parse(BYTES("M required \xc3\xa9=\"x\" secret1 secret2;"), &err));
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_non_null(strstr(err.text, "behind option 1 of the JAAS value: there should be a `=`"));
	assert_null(strstr(err.text, "column"));
	assert_null(strstr(err.text, "secret"));
	assert_null(strstr(err.hint, "secret"));
	assert_string_equal(err.key, "");
	assert_null(jaas_parse(BYTES("M required \xc3\xa9=\"x\" b=\"secret1"), &err));
	assert_non_null(strstr(err.text, "option 2 of the JAAS value: the quotes"));
	assert_null(jaas_parse(BYTES("M required a=/s b=secret c=/t\n// d\n;"), &err));
	assert_non_null(strstr(err.text, "option 3 of the JAAS value: a `/`"));
	assert_null(jaas_parse(BYTES("M required \xc3\xa9 secret1 secret2;"), &err));
	assert_non_null(strstr(err.text, "column 14 of the JAAS value: there should be a `=`"));
	assert_null(jaas_parse(NULL, 0, &err));
	assert_int_equal(err.code, ERROR_FORMAT);
	assert_null(jaas_parse(BYTES("M required a=b\0c;"), &err));
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_null(jaas_parse(BYTES("M required a"), NULL));
}

static void
test_an_option_has_its_spans(void **state)
{
	static const char value[] = "M required 'a b' = \"x y\" c=d;";
	struct jaas *j = read_value(value, strlen(value));
	struct jaas_option o = jaas_option(j, 0);

	(void)state;
	assert_int_equal(o.start, 11);
	assert_int_equal(o.from, 19);
	assert_int_equal(o.to, 24);
	assert_int_equal(o.inner_from, 20);
	assert_int_equal(o.inner_to, 23);
	assert_true(o.quoted);
	assert_false(o.tight);
	assert_int_equal(o.module, 0);
	assert_false(o.shadowed);
	assert_int_equal(o.previous, JAAS_NONE);
	o = jaas_option(j, 1);
	assert_int_equal(o.start, 25);
	assert_int_equal(o.from, 27);
	assert_int_equal(o.inner_from, 27);
	assert_int_equal(o.inner_to, o.to);
	assert_false(o.quoted);
	jaas_free(j);
}

static size_t
find(const struct jaas *j, const char *path)
{
	return jaas_find(j, path, strlen(path));
}

static void
test_an_option_is_found_by_its_address_only(void **state)
{
	static const char value[] = "a.M required x=0 y=1; N required x=2; a.M required x=3 x=4 'p/q'=5;"
	    " MM required x=6; M required x=7; a.M required z=8;";
	static const char *const none[] = {
		"", "/", "a.M", "a.M/", "/x", "x", "a.M/X", "a.M/x ", "a.M#1/x", "a.M#2", "a.M#02/x",
		"a.M#/x", "a.M#3/x", "a.M#4/z", "a.M#-2/x", "a.M#2#2/x", "a.M/y/", "A.M/x", "N#2/x",
		"a.M#99999999999999999999/x", "#2/x", "a/x", "a.M#2/p"
	};
	struct jaas *j = read_value(value, strlen(value));
	struct jaas_option o;
	size_t i;

	(void)state;
	assert_int_equal(find(j, "a.M/x"), 0);
	assert_int_equal(find(j, "a.M/y"), 1);
	assert_int_equal(find(j, "N/x"), 2);
	assert_int_equal(find(j, "a.M#2/x"), 4);
	assert_int_equal(find(j, "a.M#2/p/q"), 5);
	assert_int_equal(find(j, "MM/x"), 6);
	assert_int_equal(find(j, "M/x"), 7);
	assert_int_equal(find(j, "a.M#3/z"), 8);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (find(j, none[i]) != JAAS_NONE)
			fail_msg("%s was found", none[i]);
	}
	o = jaas_option(j, 4);
	assert_int_equal(o.previous, 3);
	assert_false(o.shadowed);
	assert_true(jaas_option(j, 3).shadowed);
	assert_int_equal(jaas_option(j, 3).previous, JAAS_NONE);
	assert_int_equal(jaas_find_module(j, BYTES("a.M#2/new")), 2);
	assert_int_equal(jaas_find_module(j, BYTES("a.M#2")), 2);
	assert_int_equal(jaas_find_module(j, BYTES("a.M#4/x")), JAAS_NONE);
	jaas_free(j);
}

static void
test_every_option_has_an_address_that_finds_it(void **state)
{
	static const char value[] = "a.M required x=0 'y z'=1; a.M required x=2; N required x=3;";
	static const char *const want[] = {
		"key/a.M/x", "key/a.M/y z", "key/a.M#2/x", "key/N/x"
	};
	struct jaas *j = read_value(value, strlen(value));
	struct buf address;
	size_t i;

	(void)state;
	buf_init_secret(&address, 1000);
	for (i = 0; i < 4; i++) {
		buf_clear(&address);
		jaas_address_append(j, i, BYTES("key"), &address);
		assert_string_equal(buf_cstr(&address), want[i]);
		assert_int_equal(find(j, want[i] + 4), i);
	}
	buf_release(&address);
	jaas_free(j);
}

struct insertion {
	const char *value;
	size_t module;
	const char *name;
	const char *after;
};

static void
test_a_new_option_comes_behind_the_last(void **state)
{
	static const struct insertion cases[] = {
		{ "M required a=\"b\";", 0, "p", "M required a=\"b\" p=X;" },
		{ "M required a=b ;", 0, "p", "M required a=b p=X ;" },
		{ "M required;", 0, "p", "M required p=X;" },
		{ "M required", 0, "p", "M required p=X" },
		{ "M required a=b", 0, "p", "M required a=b p=X" },
		{ "M required a=b // c\n;", 0, "p", "M required a=b p=X // c\n;" },
		{ "M required a=\"b\"/* c */;", 0, "p", "M required a=\"b\" p=X /* c */;" },
		{ "M required a=b; M optional c=d;", 0, "p", "M required a=b p=X; M optional c=d;" },
		{ "M required a=b; M optional c=d;", 1, "a", "M required a=b; M optional c=d a=X;" },
		{ "M required a=b;", 0, "p q", "M required a=b \"p q\"=X;" },
		{ "M required a=b;", 0, "p\"q", "M required a=b 'p\"q'=X;" },
		{ "M required a=b;", 0, "p/q", "M required a=b \"p/q\"=X;" }
	};
	struct jaas *j, *k;
	struct buf text, after;
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		j = read_value(cases[i].value, strlen(cases[i].value));
		buf_init(&text, 1000);
		buf_init(&after, 1000);
		assert_int_equal(jaas_insertion(j, cases[i].module, cases[i].name,
		    strlen(cases[i].name), BYTES("X"), &at, &text, NULL), 0);
		buf_append(&after, cases[i].value, at);
		buf_append(&after, text.data, text.len);
		buf_append_str(&after, cases[i].value + at);
		assert_string_equal(buf_cstr(&after), cases[i].after);
		k = read_value(buf_cstr(&after), after.len);
		assert_int_equal(jaas_count(k), jaas_count(j) + 1);
		jaas_free(k);
		buf_release(&after);
		buf_release(&text);
		jaas_free(j);
	}
}

static void
test_a_new_option_that_cannot_be_is_refused(void **state)
{
	static const char *const names[] = { "", "a \\ b", "a\nb", "a'\"b" };
	struct jaas *j = read_value(BYTES("M required a=b;"));
	struct error err = { 0 };
	struct buf text;
	size_t i, at;

	(void)state;
	buf_init(&text, 1000);
	assert_int_equal(jaas_insertion(j, 0, BYTES("a"), BYTES("X"), &at, &text, &err), -1);
	assert_int_equal(err.code, ERROR_EXISTS);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(jaas_insertion(j, 0, names[i], strlen(names[i]), BYTES("X"), &at,
		    &text, &err), -1);
		assert_int_equal(err.code, ERROR_REFUSED);
	}
	assert_int_equal(text.len, 0);
	buf_release(&text);
	jaas_free(j);
}

struct removal {
	const char *value;
	size_t option;
	const char *after;
};

static void
test_an_option_goes_with_the_blanks_behind_it(void **state)
{
	static const struct removal cases[] = {
		{ "M required a=b p=\"x y\";", 1, "M required a=b ;" },
		{ "M required p='x' a=b;", 0, "M required a=b;" },
		{ "M required p=x;", 0, "M required ;" },
		{ "M required p=x ;", 0, "M required  ;" },
		{ "M required p=x", 0, "M required " },
		{ "M required\n  a=b\n  p = x\n  c=d;", 1, "M required\n  a=b\n  c=d;" },
		{ "M required a=\"b\"'p'=\"x\"c=d;", 1, "M required a=\"b\"c=d;" },
		{ "M required p=\"x\"/*c*/ a=b;", 0, "M required /*c*/ a=b;" },
		{ "M required'p'=x a=b;", 0, "M required a=b;" },
		{ "M required'p'=x 'a'=b;", 0, "M required'a'=b;" },
		{ "M required p=x; N required p=y;", 1, "M required p=x; N required ;" }
	};
	struct jaas *j, *k;
	struct buf after;
	size_t i, from, to;
	bool blank;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		j = read_value(cases[i].value, strlen(cases[i].value));
		blank = jaas_removal(j, cases[i].option, &from, &to);
		buf_init(&after, 1000);
		buf_append(&after, cases[i].value, from);
		if (blank)
			buf_append_char(&after, ' ');
		buf_append_str(&after, cases[i].value + to);
		assert_string_equal(buf_cstr(&after), cases[i].after);
		k = read_value(buf_cstr(&after), after.len);
		assert_int_equal(jaas_count(k), jaas_count(j) - 1);
		jaas_free(k);
		buf_release(&after);
		jaas_free(j);
	}
}

static void
test_the_keys_that_can_hold_jaas(void **state)
{
	static const char *const yes[] = {
		"sasl.jaas.config", "listener.name.x.scram-sha-256.sasl.jaas.config",
		"producer.override.sasl.jaas.config", "log4j.appender.k.ClientJaasConf",
		"my.JAAS.password", "xjaas"
	};
	static const char *const no[] = { "", "j", "jaas", "jaas.config", "sasl.ja.as", "sasl.jaa" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(jaas_key(yes[i], strlen(yes[i])));
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(jaas_key(no[i], strlen(no[i])));
}

static void
test_the_options_that_are_secrets(void **state)
{
	static const char *const yes[] = {
		"password", "PASSWORD", "keyStorePassword", "passwordFile", "ssl.truststore.password",
		"user_alice", "user_a/b", "clientSecret", "client.secret", "oauth.client.secret",
		"sasl.oauthbearer.client.credentials.client.secret", "oauth.access.token",
		"oauth.refresh.token", "oauth.client.assertion", "accessToken", "token",
		"sasl.oauthbearer.assertion.private.key.passphrase",
		"sasl.oauthbearer.assertion.private.key.pem", "awsRoleSecretAccessKey",
		"awsRoleSessionToken", "apiKey", "api.key", "private_key", "bindCredential",
		"java.naming.security.credentials", "sharedAccessKey", "ssl.keystore.key", "secret",
		"keyStorePass", "key.pass", "bindPw", "db_pwd", "dbPass", "db_pass", "pass", "PW",
		"ldap-pw", "passcode", "sasKey"
	};
	static const char *const no[] = {
		"", "username", "user", "user_", "serviceName", "useKeyTab", "storeKey", "keyTab",
		"principal", "storePass", "useFirstPass", "tryFirstPass", "clearPass", "clientId", "scope", "tokenauth",
		"metadataServerUrls", "oauth.token.endpoint.uri", "oauth.client.id",
		"oauth.access.token.is.jwt", "oauth.client.assertion.location",
		"oauth.client.assertion.type", "oauth.client.secret.location",
		"sasl.oauthbearer.assertion.private.key.file", "ssl.truststore.location",
		"unsecuredLoginStringClaim_sub", "awsProfileName", "awsRoleAccessKeyId", "debug",
		"compass", "by.pw.type", "bypass"
	};
	char longest[600];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!jaas_option_is_secret(yes[i], strlen(yes[i])))
			fail_msg("%s is one", yes[i]);
	}
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (jaas_option_is_secret(no[i], strlen(no[i])))
			fail_msg("%s is none", no[i]);
	}
	memset(longest, 'x', sizeof(longest));
	assert_false(jaas_option_is_secret(longest, sizeof(longest)));
	memcpy(longest + sizeof(longest) - 12, "clientSecret", 12);
	assert_true(jaas_option_is_secret(longest, sizeof(longest)));
}

/* --- in a file --- */

/* Put @0, @1 and so on into the place of every secret, and back. */
static void
seal_all(struct edits *e, size_t entry, const struct buf *value)
{
	struct jaas *j = read_value((char *)value->data, value->len);
	struct jaas_option o;
	char text[64];
	size_t i;

	for (i = 0; i < jaas_count(j); i++) {
		o = jaas_option(j, i);
		if (!jaas_option_is_secret(o.name, o.name_len))
			continue;
		snprintf(text, sizeof(text), "${securepass:/s:%zu}", i);
		assert_int_equal(edits_splice(e, entry, o.from, o.to, text, strlen(text), NULL,
		    NULL), 0);
	}
	jaas_free(j);
}

struct file {
	const char *before;
	const char *after;
};

static void
test_sealing_changes_the_bytes_of_the_secrets_and_no_others(void **state)
{
	static const struct file cases[] = {
		{ "sasl.jaas.config=M required username=\"u\" password=\"p\";\nz=1\n",
		    "sasl.jaas.config=M required username=\"u\" password=${securepass:/s:1};\nz=1\n" },
		{ "k = M required \\\n  username=\"admin\" \\\n  password=\"p q\";\nz=1\n",
		    "k = M required \\\n  username=\"admin\" \\\n  password=${securepass:/s:1};\nz=1\n" },
		{ "k=M required \\\r\n  username=\"admin\" \\\r\n  password=\"p\\\r\n    q\";\r\nz=1\r\n",
		    "k=M required \\\r\n  username=\"admin\" \\\r\n  password=${securepass:/s:1};\r\n"
		    "z=1\r\n" },
		{ "k=M required password=\\\"a\\\\\\\"b\\\" keypassword=\"c\" ;",
		    "k=M required password=${securepass:/s:0} keypassword=${securepass:/s:1} ;" },
		{ "k=M required \\u0070assword=\"\\u00e9\"\\u003b",
		    "k=M required \\u0070assword=${securepass:/s:0}\\u003b" },
		{ "k=M required\\n password='a';\\n N required password=b;",
		    "k=M required\\n password=${securepass:/s:0};\\n N required "
		    "password=${securepass:/s:1};" },
		{ "k=M required password=ab//cd", "k=M required password=${securepass:/s:0}" }
	};
	struct document *d;
	struct edits *e;
	struct buf value, out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		d = parse(cases[i].before, strlen(cases[i].before));
		e = edits_new(d, false, NULL);
		value = value_of(d, 0);
		seal_all(e, 0, &value);
		buf_init_secret(&out, BUF_MAX_FILE);
		assert_int_equal(edits_render(e, &out, NULL), 0);
		assert_string_equal(buf_cstr(&out), cases[i].after);
		buf_release(&out);
		buf_release(&value);
		edits_free(e);
		document_free(d);
	}
}

/* --- at random --- */

/* Mostly what a value is made of, now and then a piece more or less. */
static void
random_value(uint64_t *seed, struct buf *out)
{
	static const char *const heads[] = {
		"M required ", "N optional ", "M\nrequired\n", "a.M /* c */ requisite ", "M REQUIRED "
	};
	static const char *const names[] = {
		"password=", "a = ", "user_x=\n", "\"b\"=", "clientSecret =", "'c d' ="
	};
	static const char *const values[] = {
		"\"x y\"", "'z'", "v", "v/w", "${file:/p:q}", "${securepass:/a b:c}", "\"q\\\"q\"",
		"\"\"", "/v", "\"\\\n\"", "\xc3\xa9{}$", "'//'"
	};
	static const char *const gaps[] = {
		" ", " ", " ", "\n", "\t", "", " // c\n", " /* d=\"e\" */ ", "/* c */", "; N required "
	};
	static const char *const odd[] = {
		" ", "\"", "'", "=", ";", "/", "//", "/*", "\\", "x", "$", "{", "}", "\n"
	};
	size_t n = random_below(seed, 5);

#define ANY(of) (of)[random_below(seed, sizeof(of) / sizeof((of)[0]))]
	buf_append_str(out, ANY(heads));
	while (n-- > 0) {
		buf_append_str(out, ANY(names));
		buf_append_str(out, ANY(values));
		buf_append_str(out, ANY(gaps));
		if (random_below(seed, 8) == 0)
			buf_append_str(out, ANY(odd));
	}
	if (random_below(seed, 8) != 0)
		buf_append_char(out, ';');
#undef ANY
}

/* The options' texts, and all between them, are the whole value. */
static void
check_spans(const struct jaas *j, const struct buf *value)
{
	struct jaas_option o;
	size_t i, from, to, last = 0;

	for (i = 0; i < jaas_count(j); i++) {
		o = jaas_option(j, i);
		jaas_removal(j, i, &from, &to);
		assert_true(last <= o.start && o.start < o.from && o.from < o.to);
		assert_true(o.to <= to && to <= value->len && from == o.start);
		assert_true(o.from <= o.inner_from && o.inner_to <= o.to);
		assert_int_equal(o.quoted, value->data[o.from] == '"' || value->data[o.from] == '\'');
		last = o.to;
	}
}

/* A reference in the place of every value: the same options, and no other text. */
static void
check_sealed(const struct jaas *j, const struct buf *value)
{
	static const char reference[] = "${securepass:/s:x/M/p}";
	struct jaas_option o, r;
	struct buf sealed;
	struct jaas *k;
	size_t i, at = 0;

	buf_init(&sealed, BUF_MAX_FILE);
	for (i = 0; i < jaas_count(j); i++) {
		o = jaas_option(j, i);
		buf_append(&sealed, value->data + at, o.from - at);
		buf_append_str(&sealed, reference);
		if (o.tight)
			buf_append_char(&sealed, ' ');
		at = o.to;
	}
	buf_append(&sealed, value->data + at, value->len - at);
	k = read_value((char *)sealed.data, sealed.len);
	assert_int_equal(jaas_count(k), jaas_count(j));
	assert_int_equal(jaas_modules(k), jaas_modules(j));
	for (i = 0; i < jaas_count(k); i++) {
		o = jaas_option(j, i);
		r = jaas_option(k, i);
		assert_int_equal(o.module, r.module);
		assert_int_equal(o.name_len, r.name_len);
		assert_memory_equal(o.name, r.name, o.name_len);
		assert_int_equal(r.to - r.from, sizeof(reference) - 1);
	}
	jaas_free(k);
	buf_release(&sealed);
}

static void
test_random_values_keep_their_shape_when_sealed(void **state)
{
	struct error err;
	struct buf value;
	uint64_t seed = 8;
	struct jaas *j;
	size_t i, options = 0, refused = 0;

	(void)state;
	for (i = 0; i < 50000; i++) {
		buf_init(&value, BUF_MAX_FILE);
		random_value(&seed, &value);
		memset(&err, 0, sizeof(err));
		j = jaas_parse(value.data, value.len, &err);
		if (j != NULL) {
			check_spans(j, &value);
			check_sealed(j, &value);
			options += jaas_count(j);
			jaas_free(j);
		} else {
			assert_true(err.code == ERROR_REFUSED || err.code == ERROR_FORMAT);
			refused++;
		}
		buf_release(&value);
	}
	assert_true(options > 20000);
	assert_true(refused > 10000);
}

static void
test_thousands_of_modules_and_options(void **state)
{
	struct buf value, address;
	struct jaas *j;
	size_t i;

	(void)state;
	buf_init(&value, BUF_MAX_FILE);
	buf_init(&address, BUF_MAX_FILE);
	for (i = 0; i < 4000; i++)
		buf_append_str(&value, "a.b.M required username=\"u\" password=\"p\";\n");
	j = read_value((char *)value.data, value.len);
	assert_int_equal(jaas_modules(j), 4000);
	for (i = 0; i < jaas_count(j); i++) {
		buf_clear(&address);
		jaas_address_append(j, i, BYTES("k"), &address);
		assert_int_equal(find(j, buf_cstr(&address) + 2), i);
	}
	jaas_free(j);
	buf_clear(&value);
	buf_append_str(&value, "M required");
	for (i = 0; i < 100000; i++)
		buf_append_str(&value, i % 2 == 0 ? " ${a:b=c" : " a=${b:");
	j = read_value((char *)value.data, value.len);
	assert_int_equal(jaas_count(j), 100000);
	jaas_free(j);
	buf_clear(&value);
	buf_append_str(&value, "M required");
	for (i = 0; i < 200000; i++)
		buf_append_str(&value, " a=b");
	j = read_value((char *)value.data, value.len);
	assert_int_equal(find(j, "M/a"), 199999);
	assert_int_equal(jaas_option(j, 199999).previous, 199998);
	jaas_free(j);
	buf_release(&address);
	buf_release(&value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_kafka_accepts_is_read_as_kafka_reads_it),
		cmocka_unit_test(test_more_than_kafka_accepts_is_read),
		cmocka_unit_test(test_what_is_no_jaas_is_told_apart),
		cmocka_unit_test(test_what_can_be_read_in_two_ways_is_refused),
		cmocka_unit_test(test_an_error_tells_the_place_and_nothing_of_the_value),
		cmocka_unit_test(test_an_option_has_its_spans),
		cmocka_unit_test(test_an_option_is_found_by_its_address_only),
		cmocka_unit_test(test_every_option_has_an_address_that_finds_it),
		cmocka_unit_test(test_a_new_option_comes_behind_the_last),
		cmocka_unit_test(test_a_new_option_that_cannot_be_is_refused),
		cmocka_unit_test(test_an_option_goes_with_the_blanks_behind_it),
		cmocka_unit_test(test_the_keys_that_can_hold_jaas),
		cmocka_unit_test(test_the_options_that_are_secrets),
		cmocka_unit_test(test_sealing_changes_the_bytes_of_the_secrets_and_no_others),
		cmocka_unit_test(test_random_values_keep_their_shape_when_sealed),
		cmocka_unit_test(test_thousands_of_modules_and_options)
	};

	return cmocka_run_group_tests_name("jaas", tests, NULL, NULL);
}

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "document/jaas.h"
#include "registry/base/settings.h"
#include "registry/kafka/kafka.h"

#define PREFIX "kafkastore."
#define TIMEOUT_MS 15000
#define INIT_TIMEOUT_MS 60000
#define MS_MAX 86400000

/* What becomes of a setting of Java's client. */
enum kind {
	SAME,		/* librdkafka's, perhaps by another name */
	OURS,		/* of the topic: see own */
	STORE,		/* of the key stores: see stores */
	JAAS,
	FIXED,		/* the log needs its own: only ${to} may be given */
	NOTHING,	/* tunes Java's client: librdkafka does without */
	REFUSED		/* ${to} is the way out */
};

struct mapping {
	const char *name;
	enum kind kind;
	const char *to;		/* librdkafka's name (NULL: the same), value, or way out */
};

#define CODE "it names a class of Java; take it out"
#define OAUTH "this library logs in by PLAIN, SCRAM, GSSAPI or a client certificate: use " \
	"one of these"

static const struct mapping mappings[] = {
	{ "bootstrap.servers", OURS, NULL },
	{ "topic", OURS, NULL },
	{ "topic.replication.factor", OURS, NULL },
	{ "topic.skip.validation", OURS, NULL },
	{ "timeout.ms", OURS, NULL },
	{ "init.timeout.ms", OURS, NULL },
	{ "adopt", FIXED, "false" },
	{ "write.mode", FIXED, "leader" },

	{ "acks", FIXED, "all" },
	{ "enable.idempotence", FIXED, "true" },
	{ "client.dns.lookup", NOTHING, NULL },
	{ "client.id", SAME, NULL },
	{ "client.rack", SAME, NULL },
	{ "connections.max.idle.ms", SAME, NULL },
	{ "delivery.timeout.ms", NOTHING, NULL },
	{ "fetch.max.bytes", NOTHING, NULL },
	{ "heartbeat.interval.ms", NOTHING, NULL },
	{ "interceptor.classes", REFUSED, CODE },
	{ "linger.ms", NOTHING, NULL },
	{ "max.partition.fetch.bytes", NOTHING, NULL },
	{ "max.poll.interval.ms", NOTHING, NULL },
	{ "max.request.size", NOTHING, NULL },
	{ "message.max.bytes", NOTHING, NULL },
	{ "metadata.max.age.ms", NOTHING, NULL },
	{ "receive.buffer.bytes", NOTHING, NULL },
	{ "reconnect.backoff.max.ms", SAME, NULL },
	{ "reconnect.backoff.ms", SAME, NULL },
	{ "request.timeout.ms", NOTHING, NULL },
	{ "retries", NOTHING, NULL },
	{ "retry.backoff.max.ms", NOTHING, NULL },
	{ "retry.backoff.ms", SAME, NULL },
	{ "security.protocol", SAME, NULL },
	{ "security.providers", REFUSED, CODE },
	{ "send.buffer.bytes", NOTHING, NULL },
	{ "session.timeout.ms", NOTHING, NULL },
	{ "socket.connection.setup.timeout.max.ms", NOTHING, NULL },
	{ "socket.connection.setup.timeout.ms", SAME, NULL },
	{ "socket.timeout.ms", NOTHING, NULL },

	{ "sasl.client.callback.handler.class", REFUSED, CODE },
	{ "sasl.jaas.config", JAAS, NULL },
	{ "sasl.kerberos.keytab", SAME, NULL },
	{ "sasl.kerberos.kinit.cmd", SAME, NULL },
	{ "sasl.kerberos.min.time.before.relogin", SAME, NULL },
	{ "sasl.kerberos.principal", SAME, NULL },
	{ "sasl.kerberos.service.name", SAME, NULL },
	{ "sasl.kerberos.ticket.renew.jitter", NOTHING, NULL },
	{ "sasl.kerberos.ticket.renew.window.factor", NOTHING, NULL },
	{ "sasl.login.callback.handler.class", REFUSED, CODE },
	{ "sasl.login.class", REFUSED, CODE },
	{ "sasl.login.connect.timeout.ms", NOTHING, NULL },
	{ "sasl.login.read.timeout.ms", NOTHING, NULL },
	{ "sasl.login.refresh.buffer.seconds", NOTHING, NULL },
	{ "sasl.login.refresh.min.period.seconds", NOTHING, NULL },
	{ "sasl.login.refresh.window.factor", NOTHING, NULL },
	{ "sasl.login.refresh.window.jitter", NOTHING, NULL },
	{ "sasl.login.retry.backoff.max.ms", NOTHING, NULL },
	{ "sasl.login.retry.backoff.ms", NOTHING, NULL },
	{ "sasl.mechanism", SAME, "sasl.mechanisms" },
	{ "sasl.mechanisms", SAME, NULL },
	{ "sasl.oauthbearer.clock.skew.seconds", REFUSED, OAUTH },
	{ "sasl.oauthbearer.expected.audience", REFUSED, OAUTH },
	{ "sasl.oauthbearer.expected.issuer", REFUSED, OAUTH },
	{ "sasl.oauthbearer.jwks.endpoint.url", REFUSED, OAUTH },
	{ "sasl.oauthbearer.scope.claim.name", REFUSED, OAUTH },
	{ "sasl.oauthbearer.sub.claim.name", REFUSED, OAUTH },
	{ "sasl.oauthbearer.token.endpoint.url", REFUSED, OAUTH },
	{ "sasl.password", SAME, NULL },
	{ "sasl.username", SAME, NULL },

	{ "ssl.ca.location", SAME, NULL },
	{ "ssl.ca.pem", SAME, NULL },
	{ "ssl.certificate.location", SAME, NULL },
	{ "ssl.certificate.pem", SAME, NULL },
	{ "ssl.cipher.suites", SAME, NULL },
	{ "ssl.crl.location", SAME, NULL },
	{ "ssl.curves.list", SAME, NULL },
	{ "ssl.enabled.protocols", NOTHING, NULL },
	{ "ssl.endpoint.identification.algorithm", SAME, NULL },
	{ "ssl.engine.factory.class", REFUSED, CODE },
	{ "ssl.key.location", SAME, NULL },
	{ "ssl.key.password", SAME, NULL },
	{ "ssl.key.pem", SAME, NULL },
	{ "ssl.keymanager.algorithm", NOTHING, NULL },
	{ "ssl.keystore.certificate.chain", SAME, "ssl.certificate.pem" },
	{ "ssl.keystore.key", SAME, "ssl.key.pem" },
	{ "ssl.keystore.location", STORE, NULL },
	{ "ssl.keystore.password", STORE, NULL },
	{ "ssl.keystore.type", STORE, NULL },
	{ "ssl.protocol", NOTHING, NULL },
	{ "ssl.provider", REFUSED, CODE },
	{ "ssl.secure.random.implementation", NOTHING, NULL },
	{ "ssl.sigalgs.list", SAME, NULL },
	{ "ssl.trustmanager.algorithm", NOTHING, NULL },
	{ "ssl.truststore.certificates", SAME, "ssl.ca.pem" },
	{ "ssl.truststore.location", STORE, NULL },
	{ "ssl.truststore.password", STORE, NULL },
	{ "ssl.truststore.type", STORE, NULL },
};

/* What is being read. */
struct reading {
	struct kafka_options *o;
	const struct settings *s;
};

/* Add place and key to the error.  Returns -1. */
static int
option_wrong(const struct reading *r, const struct settings_kafka *k, struct error *err)
{
	char key[512];

	(void)snprintf(key, sizeof(key), PREFIX "%s", k->name);
	if (k->line > 0)
		error_place(err, r->s->file, k->line);
	return error_key(err, key, strlen(key));
}

/* The value of one that is no secret. */
static int
option_text(const struct reading *r, const struct settings_kafka *k, char *out, size_t size,
    struct error *err)
{
	if (k->value.len >= size) {
		error_set(err, ERROR_LIMIT, "this is longer than %zu bytes", size - 1);
		return option_wrong(r, k, err);
	}
	memcpy(out, k->value.data, k->value.len);
	out[k->value.len] = '\0';
	return 0;
}

static int
option_add(struct kafka_options *o, const char *name, const void *value, size_t n,
    struct error *err)
{
	struct kafka_conf *c = &o->conf[o->conf_count];

	if (o->conf_count == KAFKA_CONF_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d settings of the client",
		    KAFKA_CONF_MAX);
	c->name = name;
	buf_init_secret(&c->value, SETTINGS_FILE_MAX);
	buf_append(&c->value, value, n);
	o->conf_count++;
	return buf_check(&c->value, err);
}

/* The value as it was given. */
static int
option_pass(struct kafka_options *o, const char *name, const struct settings_kafka *k,
    struct error *err)
{
	return option_add(o, name, k->value.data, k->value.len, err);
}

static int
option_number(const struct reading *r, const char *name, unsigned min, unsigned max,
    unsigned *out, struct error *err)
{
	const struct settings_kafka *k = settings_kafka_find(r->s, name);
	uint64_t n;
	char text[32];

	if (k == NULL)
		return 0;
	if (option_text(r, k, text, sizeof(text), err) != 0)
		return -1;
	if (!number_parse(text, strlen(text), max, &n) || n < min) {
		error_set(err, ERROR_FORMAT, "this is a number from %u to %u", min, max);
		return option_wrong(r, k, err);
	}
	*out = (unsigned)n;
	return 0;
}

/* The brokers' addresses.  Confluent writes PROTOCOL://HOST:PORT; the protocol is then
 * that of security.protocol. */
static int
read_servers(const struct reading *r, struct error *err)
{
	const struct settings_kafka *k = settings_kafka_find(r->s, "bootstrap.servers");
	char text[1024], protocol[32] = "", *save, *at, *mark;
	struct kafka_options *o = r->o;
	size_t used = 0;

	if (k == NULL)
		return error_set(err, ERROR_FORMAT, "store.log=kafka needs " PREFIX
		    "bootstrap.servers");
	if (option_text(r, k, text, sizeof(text), err) != 0)
		return -1;
	for (at = strtok_r(text, ", \t", &save); at != NULL; at = strtok_r(NULL, ", \t", &save)) {
		if ((mark = strstr(at, "://")) != NULL) {
			*mark = '\0';
			if (protocol[0] != '\0' && strcasecmp(protocol, at) != 0) {
				error_set(err, ERROR_FORMAT, "the brokers are named with several "
				    "protocols");
				return option_wrong(r, k, err);
			}
			(void)snprintf(protocol, sizeof(protocol), "%s", at);
			at = mark + 3;
		}
		used += (size_t)snprintf(o->servers + used, sizeof(o->servers) - used, "%s%s",
		    used > 0 ? "," : "", at);
	}
	if (used == 0) {
		error_set(err, ERROR_FORMAT, "this names no broker: it is a list of HOST:PORT");
		return option_wrong(r, k, err);
	}
	if (protocol[0] == '\0' || settings_kafka_find(r->s, "security.protocol") != NULL)
		return 0;
	return option_add(o, "security.protocol", protocol, strlen(protocol), err);
}

static int
read_own(const struct reading *r, struct error *err)
{
	const struct settings_kafka *k = settings_kafka_find(r->s, "topic");
	struct kafka_options *o = r->o;
	unsigned replication = 3;
	char text[16];

	o->timeout_ms = TIMEOUT_MS;
	o->init_timeout_ms = INIT_TIMEOUT_MS;
	(void)snprintf(o->topic, sizeof(o->topic), KAFKA_TOPIC_DEFAULT);
	(void)snprintf(o->group, sizeof(o->group), "%.200s.propseal", r->s->group_id);
	if (k != NULL && option_text(r, k, o->topic, sizeof(o->topic), err) != 0)
		return -1;
	if (strspn(o->topic, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
	    strlen(o->topic) || strcmp(o->topic, ".") == 0 || strcmp(o->topic, "..") == 0) {
		error_set(err, ERROR_FORMAT, "a topic's name is of A-Z a-z 0-9 . _ -");
		return option_wrong(r, k, err);
	}
	if ((k = settings_kafka_find(r->s, "topic.skip.validation")) != NULL) {
		if (option_text(r, k, text, sizeof(text), err) != 0)
			return -1;
		o->skip_validation = strcmp(text, "true") == 0;
		if (!o->skip_validation && strcmp(text, "false") != 0) {
			error_set(err, ERROR_FORMAT, "this is true or false");
			return option_wrong(r, k, err);
		}
	}
	if (read_servers(r, err) != 0 ||
	    option_number(r, "topic.replication.factor", 1, 100, &replication, err) != 0 ||
	    option_number(r, "timeout.ms", 100, 600000, &o->timeout_ms, err) != 0)
		return -1;
	o->replication = (int)replication;
	return option_number(r, "init.timeout.ms", 100, MS_MAX, &o->init_timeout_ms, err);
}

/* --- what stands in a key store or a trust store --- */

/* Java's default is JKS, which only Java reads. */
static int
store_type(const struct reading *r, const char *which, char out[16], struct error *err)
{
	const struct settings_kafka *k;
	char name[64];

	(void)snprintf(name, sizeof(name), "ssl.%sstore.type", which);
	(void)snprintf(out, 16, "JKS");
	k = settings_kafka_find(r->s, name);
	return k == NULL ? 0 : option_text(r, k, out, 16, err);
}

static int
refuse_store(const struct reading *r, const struct settings_kafka *k, bool trust,
    struct error *err)
{
	error_set(err, ERROR_FORMAT, "a %s of this type is read by Java alone",
	    trust ? "trust store" : "key store");
	error_hint(err, trust ? "give the certificates as PEM: " PREFIX "ssl.truststore.type=PEM "
	    "and " PREFIX "ssl.truststore.location=FILE.pem (keytool -list -rfc -keystore FILE)" :
	    "give it as PKCS#12 or PEM: " PREFIX "ssl.keystore.type=PKCS12 (keytool "
	    "-importkeystore -deststoretype PKCS12), or =PEM with " PREFIX
	    "ssl.keystore.location=FILE.pem");
	return option_wrong(r, k, err);
}

static int
read_stores(const struct reading *r, struct error *err)
{
	const struct settings_kafka *key = settings_kafka_find(r->s, "ssl.keystore.location");
	const struct settings_kafka *password = settings_kafka_find(r->s, "ssl.keystore.password");
	const struct settings_kafka *trust = settings_kafka_find(r->s, "ssl.truststore.location");
	struct kafka_options *o = r->o;
	char type[16];

	if (key != NULL) {
		if (store_type(r, "key", type, err) != 0)
			return -1;
		if (strcasecmp(type, "PKCS12") == 0) {
			if (option_pass(o, "ssl.keystore.location", key, err) != 0 ||
			    (password != NULL &&
			    option_pass(o, "ssl.keystore.password", password, err) != 0))
				return -1;
		} else if (strcasecmp(type, "PEM") == 0) {
			if (option_pass(o, "ssl.certificate.location", key, err) != 0 ||
			    option_pass(o, "ssl.key.location", key, err) != 0)
				return -1;
		} else {
			return refuse_store(r, key, false, err);
		}
	}
	if (trust == NULL)
		return 0;
	if (store_type(r, "trust", type, err) != 0)
		return -1;
	if (strcasecmp(type, "PEM") != 0)
		return refuse_store(r, trust, true, err);
	return option_pass(o, "ssl.ca.location", trust, err);
}

/* --- sasl.jaas.config --- */

/* An option's value without quotes and escapes, which are Java's. */
static int
jaas_take(const struct reading *r, const struct settings_kafka *k, const struct jaas_option *p,
    const char *name, struct error *err)
{
	struct buf value;
	int rc;

	buf_init_secret(&value, SETTINGS_FILE_MAX);
	for (size_t i = p->inner_from; i < p->inner_to; i++) {
		if (p->quoted && k->value.data[i] == '\\' && i + 1 < p->inner_to)
			i++;
		buf_append_char(&value, (char)k->value.data[i]);
	}
	if ((rc = buf_check(&value, err)) == 0)
		rc = option_add(r->o, name, value.data, value.len, err);
	buf_release(&value);
	return rc;
}

static bool
is_word(const char *s, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(s, word, n) == 0;
}

static int
read_jaas(const struct reading *r, const struct settings_kafka *k, struct error *err)
{
	static const char *const known[][2] = {
		{ "username", "sasl.username" }, { "password", "sasl.password" },
		{ "principal", "sasl.kerberos.principal" }, { "keyTab", "sasl.kerberos.keytab" },
	};
	struct jaas *j = jaas_parse(k->value.data, k->value.len, err);
	struct jaas_option p;
	int rc = -1;

	if (j == NULL)
		return option_wrong(r, k, err);
	if (jaas_modules(j) != 1) {
		error_set(err, ERROR_FORMAT, "there is more than one login module");
		error_hint(err, "leave the one that this registry is to log in with");
		goto done;
	}
	for (size_t i = 0; i < jaas_count(j); i++) {
		p = jaas_option(j, i);
		if (p.shadowed)
			continue;
		/* The others say how Java's module goes about it. */
		for (size_t o = 0; o < sizeof(known) / sizeof(known[0]); o++) {
			if (is_word(p.name, p.name_len, known[o][0]) &&
			    jaas_take(r, k, &p, known[o][1], err) != 0)
				goto done;
		}
	}
	rc = 0;
done:
	jaas_free(j);
	return rc == 0 ? 0 : option_wrong(r, k, err);
}

/* --- each as the table says --- */

/* librdkafka says "none" where Java has nothing. */
static int
add_same(const struct reading *r, const struct settings_kafka *k, const char *name,
    struct error *err)
{
	if (strcmp(name, "sasl.mechanisms") == 0 && is_word((const char *)k->value.data,
	    k->value.len, "OAUTHBEARER")) {
		error_set(err, ERROR_FORMAT, "OAUTHBEARER needs a token endpoint, which librdkafka "
		    "cannot ask here");
		error_hint(err, OAUTH);
		return option_wrong(r, k, err);
	}
	if (option_pass(r->o, name, k, err) != 0)
		return option_wrong(r, k, err);
	return 0;
}

static int
read_one(const struct reading *r, const struct settings_kafka *k, struct error *err)
{
	const struct mapping *m = NULL;

	for (size_t i = 0; i < sizeof(mappings) / sizeof(mappings[0]) && m == NULL; i++) {
		if (strcmp(mappings[i].name, k->name) == 0)
			m = &mappings[i];
	}
	if (m == NULL) {
		error_set(err, ERROR_FORMAT, "there is no such setting");
		return option_wrong(r, k, err);
	}
	if (strcmp(k->name, "ssl.endpoint.identification.algorithm") == 0 && k->value.len == 0)
		return option_add(r->o, m->name, "none", 4, err);
	if (k->value.len == 0)
		return 0;
	switch (m->kind) {
	case SAME:
		return add_same(r, k, m->to != NULL ? m->to : m->name, err);
	case JAAS:
		return read_jaas(r, k, err);
	case FIXED:
		if (is_word((const char *)k->value.data, k->value.len, m->to) ||
		    (strcmp(m->to, "all") == 0 && is_word((const char *)k->value.data,
		    k->value.len, "-1")))
			return 0;
		error_set(err, ERROR_FORMAT, "nothing but %s keeps what was answered", m->to);
		error_hint(err, "take it out");
		return option_wrong(r, k, err);
	case REFUSED:
		error_set(err, ERROR_FORMAT, "librdkafka has nothing for this");
		error_hint(err, "%s", m->to);
		return option_wrong(r, k, err);
	case OURS:
	case STORE:
	case NOTHING:
	default:
		return 0;
	}
}

int
kafka_options_read(struct kafka_options *o, const struct settings *s, struct error *err)
{
	struct reading r = { o, s };

	memset(o, 0, sizeof(*o));
	if (read_own(&r, err) != 0 || read_stores(&r, err) != 0)
		return -1;
	for (size_t i = 0; i < s->kafka_count; i++) {
		if (read_one(&r, &s->kafka[i], err) != 0)
			return -1;
	}
	return 0;
}

void
kafka_options_release(struct kafka_options *o)
{
	for (size_t i = 0; i < o->conf_count; i++)
		buf_release(&o->conf[i].value);
	o->conf_count = 0;
}

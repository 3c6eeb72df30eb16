#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/settings.h"
#include "base/text.h"
#include "base/vec.h"
#include "document/document.h"
#include "file/file.h"
#include "registry/base/settings.h"

#define SETTINGS_KAFKA_PREFIX "kafkastore."

#define SETTINGS_SECTIONS_MAX 64
#define SETTINGS_SECTION_NAME 64	/* bytes, the NUL included */

#define AT(member) .offset = offsetof(struct settings, member)
#define TEXT(key, member) { .name = key, .type = SETTING_TEXT, AT(member) }
#define SWITCH(key, member) { .name = key, .type = SETTING_SWITCH, AT(member) }
#define EITHER(key, member, two) \
	{ .name = key, .type = SETTING_SWITCH, AT(member), .choices = two }
#define NUMBER(key, member, low, high) \
	{ .name = key, .type = SETTING_NUMBER, AT(member), .min = low, .max = high }
#define CHOICE(key, member, list) \
	{ .name = key, .type = SETTING_CHOICE, AT(member), .choices = list }

#define DAY_MS 86400000U
#define SECRET_LIMIT (512U << 10)	/* as base64 it must fit a record of the log */

#define STRINGS_MAX 256
#define KEY_MAX 8192		/* bytes of a master key or passphrase */
#define DAYS(n) ((uint64_t)(n) * 86400 * 1000)

#define NAME_MAX_BYTES 512
#define GIVEN_MAX 1024
#define PREFIX "config.providers.secret.param."
#define VARIABLE "CONNECT_CONFIG_PROVIDERS_SECRET_PARAM_"

/* What only the service has. */
enum {
	SETTINGS_KEY = SETTING_OTHER,	/* a secret buffer */
	SETTINGS_OLD_KEY,	/* one more of the old keys */
	SETTINGS_KAFKA,		/* for the topic */
	SETTINGS_SINKS,		/* a list of file, stdout, syslog, as bits */
	SETTINGS_ADDRESSES	/* a list of addresses and networks */
};

/* The `[NAME]` lines of a settings file. */
struct settings_sections {
	size_t count;
	struct {
		size_t line;
		char name[SETTINGS_SECTION_NAME];
	} all[SETTINGS_SECTIONS_MAX];
};

struct owner {
	struct settings s;	/* first: the one is the other */
	char *strings[STRINGS_MAX];
	size_t count;
};

/* A setting that the file has given. */
struct given {
	char *name;		/* without Confluent's prefix */
	bool prefixed;
	size_t entry;
};

struct reading {
	struct settings *s;
	const char *file;
	struct settings_sections sections;
	bool worker;		/* a Connect worker's file: it has other keys too */
	struct vec given;
};

/* Behind the prefix. */
static const char *const names[] = {
	"bootstrap.servers",
	"topic",
	"topic.replication.factor",
	"topic.skip.validation",
	"adopt",
	"timeout.ms",
	"init.timeout.ms",
	"write.mode",

	/* a client's */
	"acks",
	"client.dns.lookup",
	"client.id",
	"client.rack",
	"connections.max.idle.ms",
	"delivery.timeout.ms",
	"enable.idempotence",
	"fetch.max.bytes",
	"heartbeat.interval.ms",
	"interceptor.classes",
	"linger.ms",
	"max.partition.fetch.bytes",
	"max.poll.interval.ms",
	"max.request.size",
	"message.max.bytes",
	"metadata.max.age.ms",
	"receive.buffer.bytes",
	"reconnect.backoff.max.ms",
	"reconnect.backoff.ms",
	"request.timeout.ms",
	"retries",
	"retry.backoff.max.ms",
	"retry.backoff.ms",
	"security.protocol",
	"security.providers",
	"send.buffer.bytes",
	"session.timeout.ms",
	"socket.connection.setup.timeout.max.ms",
	"socket.connection.setup.timeout.ms",
	"socket.timeout.ms",

	"sasl.client.callback.handler.class",
	"sasl.jaas.config",
	"sasl.kerberos.keytab",
	"sasl.kerberos.kinit.cmd",
	"sasl.kerberos.min.time.before.relogin",
	"sasl.kerberos.principal",
	"sasl.kerberos.service.name",
	"sasl.kerberos.ticket.renew.jitter",
	"sasl.kerberos.ticket.renew.window.factor",
	"sasl.login.callback.handler.class",
	"sasl.login.class",
	"sasl.login.connect.timeout.ms",
	"sasl.login.read.timeout.ms",
	"sasl.login.refresh.buffer.seconds",
	"sasl.login.refresh.min.period.seconds",
	"sasl.login.refresh.window.factor",
	"sasl.login.refresh.window.jitter",
	"sasl.login.retry.backoff.max.ms",
	"sasl.login.retry.backoff.ms",
	"sasl.mechanism",
	"sasl.mechanisms",
	"sasl.oauthbearer.clock.skew.seconds",
	"sasl.oauthbearer.expected.audience",
	"sasl.oauthbearer.expected.issuer",
	"sasl.oauthbearer.jwks.endpoint.url",
	"sasl.oauthbearer.scope.claim.name",
	"sasl.oauthbearer.sub.claim.name",
	"sasl.oauthbearer.token.endpoint.url",
	"sasl.password",
	"sasl.username",

	"ssl.ca.location",
	"ssl.ca.pem",
	"ssl.certificate.location",
	"ssl.certificate.pem",
	"ssl.cipher.suites",
	"ssl.crl.location",
	"ssl.curves.list",
	"ssl.enabled.protocols",
	"ssl.endpoint.identification.algorithm",
	"ssl.engine.factory.class",
	"ssl.key.location",
	"ssl.key.password",
	"ssl.key.pem",
	"ssl.keymanager.algorithm",
	"ssl.keystore.certificate.chain",
	"ssl.keystore.key",
	"ssl.keystore.location",
	"ssl.keystore.password",
	"ssl.keystore.type",
	"ssl.protocol",
	"ssl.provider",
	"ssl.secure.random.implementation",
	"ssl.sigalgs.list",
	"ssl.trustmanager.algorithm",
	"ssl.truststore.certificates",
	"ssl.truststore.location",
	"ssl.truststore.password",
	"ssl.truststore.type",
};

/* Does the name begin as those of a store in Kafka do? */
static bool
settings_kafka_is_one(const char *name)
{
	return strncmp(name, SETTINGS_KAFKA_PREFIX, strlen(SETTINGS_KAFKA_PREFIX)) == 0;
}

/**
 * settings_kafka_known(name):
 * Is it one of them?  Those of the registry itself (its topic, its timeouts),
 * and behind the same prefix those of a Kafka client: of Java's, which stand
 * in configurations of today, and of librdkafka.
 */
static bool
settings_kafka_known(const char *name)
{
	size_t i;

	if (!settings_kafka_is_one(name))
		return false;
	name += strlen(SETTINGS_KAFKA_PREFIX);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static const struct setting_field keys[] = {
	TEXT("listeners", listen),
	SWITCH("listen.insecure", listen_insecure),
	NUMBER("http.threads", threads, 0, 256),
	NUMBER("http.max.connections", max_connections, 1, 1000000),
	NUMBER("http.max.connections.per.address", max_per_address, 0, 1000000),
	NUMBER("http.max.half.open.per.address", max_half_open, 0, 1000000),
	NUMBER("http.request.timeout.ms", request_timeout_ms, 100, DAY_MS),
	NUMBER("http.idle.timeout.ms", idle_timeout_ms, 100, DAY_MS),
	NUMBER("http.drain.timeout.ms", drain_timeout_ms, 0, DAY_MS),
	NUMBER("watch.max.per.principal", waits_per_principal, 1, 1000000),
	NUMBER("watch.max.per.address", waits_per_address, 1, 1000000),
	{ .name = "trusted.proxies", .type = SETTINGS_ADDRESSES, AT(proxies) },
	TEXT("rest.base.url", base_url),
	TEXT("ssl.certificate", tls_certificate),
	TEXT("ssl.key", tls_key),
	TEXT("ssl.client.ca", tls_client_ca),
	EITHER("ssl.client.auth", tls_client_required, "requested|required"),

	CHOICE("rest.compat", compat, "confluent|mredjem"),
	EITHER("rest.error.code.style", subcodes, "connect|subcode"),
	SWITCH("rest.create.echo.secret", echo_secret),
	SWITCH("rest.list.unknown.404", list_unknown_404),
	EITHER("validate.missing", missing_reference_warns, "error|warn"),
	SWITCH("secret.refuse.masks", refuse_masks),
	{ .name = "secret.max.bytes", .type = SETTING_SIZE, AT(secret_max), .min = 1,
	    .max = SECRET_LIMIT },
	{ .name = "secret.undelete.window.seconds", .type = SETTING_LONG,
	    AT(undelete_window_ms), .max = 315360000, .scale = 1000 },
	SWITCH("metrics.public", allow_unlisted_metrics),
	{ .name = "quota.bytes", .type = SETTING_LONG, AT(quota), .max = INT64_MAX, .scale = 1 },
	{ .name = "quota.path.bytes", .type = SETTING_LONG, AT(path_quota), .max = INT64_MAX,
	    .scale = 1 },
	CHOICE("store.log", log, "local|kafka"),
	NUMBER("read.max.staleness.ms", staleness_ms, 0, DAY_MS),
	TEXT("secret.registry.group.id", group_id),
	TEXT("node.names", node_names),
	TEXT("node.ssl.certificate", node_certificate),
	TEXT("node.ssl.key", node_key),
	TEXT("node.ssl.ca", node_ca),
	NUMBER("node.forward.timeout.ms", node_timeout_ms, 100, DAY_MS),
	TEXT("vault.mount", vault_mount),
	TEXT("config.provider.name", provider),

	{ .name = "master.encryption.key", .type = SETTINGS_KEY, AT(master_key) },
	{ .name = "master.encryption.old.key", .type = SETTINGS_OLD_KEY },
	TEXT("master.encryption.key.file", master_key_file),
	TEXT("master.encryption.old.key.file", old_key_file),
	SWITCH("dev.mode", dev_mode),

	TEXT("auth.jwt.jwks.file", jwks_file),
	TEXT("auth.jwt.issuer", jwt_issuer),
	TEXT("auth.jwt.audience", jwt_audience),
	TEXT("auth.jwt.principal.claim", jwt_principal_claim),
	TEXT("auth.mtls.principal", mtls_principal),
	NUMBER("auth.cache.ms", auth_cache_ms, 0, DAY_MS),
	NUMBER("auth.failures.max", auth_failures_max, 1, 1000000),
	NUMBER("ratelimit.requests.per.second", rate_limit, 0, 1000000),
	NUMBER("ratelimit.burst", rate_burst, 0, 1000000),

	TEXT("audit.file", audit_file),
	SWITCH("audit.stdout", audit_stdout),
	SWITCH("audit.syslog", audit_syslog),
	{ .name = "audit.required", .type = SETTINGS_SINKS, AT(audit_required) },
	SWITCH("audit.compact", audit_compact),
	NUMBER("audit.deadline.ms", audit_deadline_ms, 10, DAY_MS),
	{ .name = "audit.rotate.bytes", .type = SETTING_LONG, AT(audit_rotate_bytes),
	    .max = UINT64_MAX, .scale = 1 },
	NUMBER("audit.keep", audit_keep, 0, 1000000),
	TEXT("audit.crn.authority", audit_authority),
	TEXT("audit.crn.kafka", audit_cluster),
	TEXT("audit.crn.connect", audit_connect),
	TEXT("audit.type.prefix", audit_type_prefix),
};

static const struct setting_field kafka = { .name = SETTINGS_KAFKA_PREFIX, .type = SETTINGS_KAFKA };

/* NULL: there is none of this name. */
static const struct setting_field *
settings_key_find(const char *name)
{
	static const char old[] = "master.encryption.old.key.";
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	if (settings_kafka_known(name))
		return &kafka;
	if (strncmp(name, old, strlen(old)) == 0 &&
	    name[strlen(old) + strspn(name + strlen(old), "0123456789")] == '\0')
		return settings_key_find("master.encryption.old.key");
	return NULL;
}

static bool
settings_sections_is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

/* Does the next line belong to this one, of ${n} bytes? */
static bool
is_continued(const unsigned char *p, size_t n)
{
	size_t backslashes = 0;

	if (n > 0 && p[n - 1] == '\r')
		n--;
	while (backslashes < n && p[n - 1 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2 == 1;
}

/* A line that begins with [, of ${n} bytes. */
static int
settings_sections_take(struct settings_sections *s, unsigned char *p, size_t n, size_t line,
    struct error *err)
{
	while (n > 0 && settings_sections_is_blank(p[n - 1]))
		n--;
	if (n < 3 || p[n - 1] != ']') {
		error_set(err, ERROR_FORMAT, "the line begins with [ but is no section");
		return error_hint(err, "a section is [NAME], on a line of its own");
	}
	if (s->count == SETTINGS_SECTIONS_MAX || n - 2 >= SETTINGS_SECTION_NAME)
		return error_set(err, ERROR_LIMIT, "too many sections, or too long a name");
	s->all[s->count].line = line;
	memcpy(s->all[s->count].name, p + 1, n - 2);
	s->all[s->count].name[n - 2] = '\0';
	s->count++;
	*p = '#';
	return 0;
}

/**
 * settings_sections_find(s, text, file, err):
 * Note the sections in ${text}, and make comments as java.util.Properties has
 * them of their lines and of those that begin with `;`: a '#' takes the place
 * of the first character.  Lines that go on from the one before are left
 * alone.  ERROR_FORMAT: a line begins with [ and is none; ERROR_LIMIT.
 */
static int
settings_sections_find(struct settings_sections *s, struct buf *text, const char *file,
    struct error *err)
{
	bool continued = false;
	size_t line = 1;
	size_t at = 0;
	size_t end;
	unsigned char *p;

	s->count = 0;
	for (; at < text->len; at = end + 1, line++) {
		p = memchr(text->data + at, '\n', text->len - at);
		end = p != NULL ? (size_t)(p - text->data) : text->len;
		/* What goes on from the line before is a value, whatever it is. */
		if (continued) {
			continued = is_continued(text->data + at, end - at);
			continue;
		}
		while (at < end && settings_sections_is_blank(text->data[at]))
			at++;
		if (at == end)
			continue;
		p = text->data + at;
		if (*p == ';')
			*p = '#';
		else if (*p == '[' && settings_sections_take(s, p, end - at, line, err) != 0)
			return error_place(err, file, line);
		continued = *p != '#' && *p != '!' && is_continued(p, end - at);
	}
	return 0;
}

/* The name of the section that ${line} is in; NULL: none. */
static const char *
settings_sections_at(const struct settings_sections *s, size_t line)
{
	const char *name = NULL;
	size_t i;

	for (i = 0; i < s->count && s->all[i].line < line; i++)
		name = s->all[i].name;
	return name;
}

struct settings *
settings_new(void)
{
	static const struct settings built_in = {
		.listen = "127.0.0.1:8082",
		.max_connections = 4096,
		.max_half_open = 1024,
		.waits_per_principal = 64,
		.waits_per_address = 512,
		.request_timeout_ms = 10000,
		.idle_timeout_ms = 60000,
		.drain_timeout_ms = 10000,
		.echo_secret = true,
		.refuse_masks = true,
		.secret_max = 262144,
		.undelete_window_ms = DAYS(7),
		.provider = "secret",
		.group_id = "secret-registry",
		.node_timeout_ms = 20000,
		.jwt_principal_claim = "sub",
		.mtls_principal = "cn",
		.auth_cache_ms = 5000,
		.auth_failures_max = 20,
		.audit_compact = true,
		.audit_deadline_ms = 5000,
		.audit_rotate_bytes = 100U << 20,
		.audit_keep = 50,
		.audit_authority = "",
		.audit_cluster = "embedded",
		.audit_connect = "secret-registry",
		.audit_type_prefix = "io.confluent.kafka.server",
	};
	struct owner *o = calloc(1, sizeof(*o));
	size_t i;

	if (o == NULL)
		return NULL;
	o->s = built_in;
	buf_init_secret(&o->s.master_key, KEY_MAX);
	for (i = 0; i < SETTINGS_OLD_KEYS_MAX; i++)
		buf_init_secret(&o->s.old_keys[i], KEY_MAX);
	for (i = 0; i < SETTINGS_KAFKA_MAX; i++)
		buf_init_secret(&o->s.kafka[i].value, SETTINGS_FILE_MAX);
	return &o->s;
}

void
settings_free(struct settings *s)
{
	struct owner *o = (struct owner *)s;
	size_t i;

	if (o == NULL)
		return;
	buf_release(&s->master_key);
	for (i = 0; i < SETTINGS_OLD_KEYS_MAX; i++)
		buf_release(&s->old_keys[i]);
	for (i = 0; i < s->kafka_count; i++)
		buf_release(&s->kafka[i].value);
	for (i = 0; i < o->count; i++)
		free(o->strings[i]);
	free(o);
}

static char *
settings_keep(struct settings *s, const void *value, size_t n, struct error *err)
{
	struct owner *o = (struct owner *)s;
	char *copy;

	if (n > 0 && memchr(value, '\0', n) != NULL) {
		error_set(err, ERROR_FORMAT, "there is a NUL byte in the value");
		return NULL;
	}
	if (o->count == STRINGS_MAX) {
		error_set(err, ERROR_LIMIT, "more than %d settings", STRINGS_MAX);
		return NULL;
	}
	if ((copy = calloc(1, n + 1)) == NULL) {
		error_memory(err);
		return NULL;
	}
	if (n > 0)
		memcpy(copy, value, n);
	o->strings[o->count++] = copy;
	return copy;
}

static int
settings_set_secret(struct buf *b, const void *value, size_t n, struct error *err)
{
	buf_clear(b);
	buf_append(b, value, n);
	return buf_check(b, err);
}

/* Where ${name} stands among the topic's; ${s}->kafka_count: nowhere. */
static size_t
settings_kafka_index(const struct settings *s, const char *name)
{
	size_t i = 0;

	while (i < s->kafka_count && strcmp(s->kafka[i].name, name) != 0)
		i++;
	return i;
}

const struct settings_kafka *
settings_kafka_find(const struct settings *s, const char *name)
{
	size_t i = settings_kafka_index(s, name);

	return i < s->kafka_count && s->kafka[i].value.len > 0 ? &s->kafka[i] : NULL;
}

/* One of the topic's or of its client's.  A later one of the same name, such as the
 * environment's, takes the place of the earlier. */
static int
settings_set_kafka(struct settings *s, const char *key, const void *value, size_t n,
    struct error *err)
{
	struct settings_kafka *k;
	size_t i;

	key += strlen(SETTINGS_KAFKA_PREFIX);
	i = settings_kafka_index(s, key);
	if (i == SETTINGS_KAFKA_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d settings of the topic",
		    SETTINGS_KAFKA_MAX);
	if (n > 0 && memchr(value, '\0', n) != NULL)
		return error_set(err, ERROR_FORMAT, "there is a NUL byte in the value");
	k = &s->kafka[i];
	k->line = 0;
	if (i == s->kafka_count) {
		if ((k->name = settings_keep(s, key, strlen(key), err)) == NULL)
			return -1;
		s->kafka_count++;
	}
	return settings_set_secret(&k->value, value, n, err);
}

/* A list such as file,stdout: the place of each in it is its bit. */
static int
set_sinks(unsigned *out, const char *text, struct error *err)
{
	int which;
	char word[16];
	size_t n;

	*out = 0;
	for (; *text != '\0'; text += n + strspn(text + n, ", ")) {
		n = strcspn(text, ", ");
		(void)snprintf(word, sizeof(word), "%.*s", (int)(n < sizeof(word) ? n :
		    sizeof(word) - 1), text);
		if ((which = setting_choice("file|stdout|syslog", word)) == -1)
			return error_set(err, ERROR_FORMAT, "it is a list of file, stdout and "
			    "syslog, separated by commas");
		*out |= 1U << which;
	}
	return 0;
}

/* Set one key, of ${n} bytes at ${value}, as a line of the file would. */
static int
settings_set(struct settings *s, const char *key, const void *value, size_t n, struct error *err)
{
	const struct setting_field *k = settings_key_find(key);
	const char *text;

	if (k == NULL) {
		error_set(err, ERROR_FORMAT, "there is no such setting");
		error_key(err, key, strlen(key));
		return error_hint(err, "propseal-registry(8) lists them");
	}
	if (k->type == SETTINGS_KAFKA)
		return settings_set_kafka(s, key, value, n, err);
	if (k->type == SETTINGS_KEY)
		return settings_set_secret((struct buf *)((char *)s + k->offset), value, n, err);
	if (k->type == SETTINGS_OLD_KEY) {
		if (s->old_key_count == SETTINGS_OLD_KEYS_MAX)
			return error_set(err, ERROR_LIMIT, "more than %d old keys",
			    SETTINGS_OLD_KEYS_MAX);
		return settings_set_secret(&s->old_keys[s->old_key_count++], value, n, err);
	}
	if ((text = settings_keep(s, value, n, err)) == NULL ||
	    (k->type == SETTINGS_SINKS ? set_sinks(&s->audit_required, text, err) :
	    k->type == SETTINGS_ADDRESSES ? address_list_parse(&s->proxies, text, err) :
	    setting_store(k, s, text, err)) != 0) {
		error_key(err, key, strlen(key));
		return -1;
	}
	return 0;
}

extern char **environ;

/* The full name of entry ${i}, without Confluent's prefix. */
static int
entry_name(const struct reading *r, const struct document *d, size_t i, char out[NAME_MAX_BYTES],
    bool *prefixed, struct error *err)
{
	const char *section = settings_sections_at(&r->sections, document_line(d, i));
	const char *key;
	size_t n;
	struct buf name;

	key = document_key(d, i, &n);
	buf_init(&name, NAME_MAX_BYTES - 1);
	if (section != NULL)
		buf_printf(&name, "%s.", section);
	buf_append(&name, key, n);
	if (buf_check(&name, err) != 0) {
		buf_release(&name);
		return -1;
	}
	key = buf_cstr(&name);
	*prefixed = strncmp(key, PREFIX, strlen(PREFIX)) == 0;
	if (*prefixed)
		key += strlen(PREFIX);
	memcpy(out, key, strlen(key) + 1);
	buf_release(&name);
	return 0;
}

/* The value was to come from the file ${name}. */
static int
settings_file_no_file(const char *name, const struct error *why, struct error *err)
{
	error_set(err, why->code, "the value cannot be taken from the file %.700s: %s", name,
	    why->text);
	return error_hint(err, "%s", why->hint[0] != '\0' ? why->hint :
	    "name a file that the service may read, or give the value itself");
}

/* ${file:PATH} or ${env:NAME} as a whole value stands for what is there. */
static int
substitute(struct buf *value, struct error *err)
{
	char name[4096];
	const char *text = buf_cstr(value);
	const char *found;
	bool is_file = strncmp(text, "${file:", 7) == 0;
	size_t skip = is_file ? 7 : 6;
	struct error why;

	if ((!is_file && strncmp(text, "${env:", 6) != 0) || value->len < skip + 2 ||
	    text[value->len - 1] != '}' || value->len >= sizeof(name))
		return 0;
	memcpy(name, text + skip, value->len - skip - 1);
	name[value->len - skip - 1] = '\0';
	buf_clear(value);
	if (is_file) {
		if (file_read(name, value, NULL, &why) != 0)
			return settings_file_no_file(name, &why, err);
		while (value->len > 0 &&
		    (value->data[value->len - 1] == '\n' || value->data[value->len - 1] == '\r'))
			buf_truncate(value, value->len - 1);
		return 0;
	}
	if ((found = getenv(name)) == NULL) {
		error_set(err, ERROR_MISSING, "the value cannot be taken from the environment: "
		    "it has no %.700s", name);
		return error_hint(err, "export the variable, or give the value itself");
	}
	buf_append_str(value, found);
	return buf_check(value, err);
}

/* Is this for a Connect worker alone, in whose file it stands? */
static bool
is_workers(const struct reading *r, const struct document *d, const char *name)
{
	/* Both of us have them: with the prefix they are meant for us. */
	static const char *const shared[] = { PREFIX "listeners", PREFIX "ssl.client.auth" };
	size_t i;

	if (!r->worker)
		return false;
	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		if (strcmp(name, shared[i] + strlen(PREFIX)) == 0)
			return document_find(d, shared[i], strlen(shared[i])) != DOCUMENT_NONE;
	}
	return settings_key_find(name) == NULL && !settings_kafka_is_one(name);
}

/* The value ${value} is given to what has one already. */
static int
given_again(const struct given *g, const struct document *d, bool prefixed, const struct buf *value,
    struct error *err)
{
	size_t line = document_line(d, g->entry);

	if (g->prefixed == prefixed) {
		error_set(err, ERROR_FORMAT, "this is set on line %zu already", line);
		return error_hint(err, strcmp(g->name, "master.encryption.old.key") == 0 ?
		    "take one of the lines out; further old keys are set as %s.1, %s.2" :
		    "take one of the lines out", g->name, g->name);
	}
	if (document_value_is(d, g->entry, value->len > 0 ? (const char *)value->data : "",
	    value->len))
		return 0;
	error_set(err, ERROR_FORMAT, "%s%s on line %zu and %s%s here are the same setting, but "
	    "have different values", g->prefixed ? PREFIX : "", g->name, line,
	    prefixed ? PREFIX : "", g->name);
	return error_hint(err, "take one of the lines out");
}

/* Note that it is given.  1: it is not to be set again; -1: it may not. */
static int
settings_file_note(struct reading *r, const struct document *d, size_t i, const char *name,
    bool prefixed, const struct buf *value, struct error *err)
{
	struct given *g;
	size_t k;

	for (k = 0; k < r->given.len; k++) {
		g = vec_at(&r->given, k);
		if (strcmp(g->name, name) == 0)
			return given_again(g, d, prefixed, value, err) == 0 ? 1 : -1;
	}
	if ((g = vec_push(&r->given)) == NULL || (g->name = strdup(name)) == NULL)
		return error_memory(err);
	g->prefixed = prefixed;
	g->entry = i;
	return 0;
}

static int
read_entry(struct reading *r, const struct document *d, size_t i, struct error *err)
{
	char name[NAME_MAX_BYTES] = "";
	struct buf value;
	bool prefixed;
	int rc;

	buf_init_secret(&value, SETTINGS_FILE_MAX);
	rc = entry_name(r, d, i, name, &prefixed, err);
	if (rc != 0 || (!prefixed && is_workers(r, d, name)))
		goto done;
	if ((rc = document_value(d, i, &value, err)) != 0 ||
	    (rc = settings_file_note(r, d, i, name, prefixed, &value, err)) != 0 ||
	    (rc = substitute(&value, err)) != 0)
		goto done;
	rc = settings_set(r->s, name, value.data, value.len, err);
	if (rc == 0 && settings_kafka_is_one(name))
		r->s->kafka[settings_kafka_index(r->s, name + strlen(SETTINGS_KAFKA_PREFIX))].line =
		    document_line(d, i);
done:
	if (rc == -1) {
		error_place(err, r->file, document_line(d, i));
		error_key(err, name, strlen(name));
	}
	buf_release(&value);
	return rc == -1 ? -1 : 0;
}

/* Has the file keys with Confluent's prefix? */
static bool
is_worker(const struct document *d)
{
	const char *key;
	size_t i, n;

	for (i = 0; i < document_count(d); i++) {
		key = document_key(d, i, &n);
		if (n > strlen(PREFIX) && memcmp(key, PREFIX, strlen(PREFIX)) == 0)
			return true;
	}
	return false;
}

int
settings_read(struct settings *s, const char *file, struct error *err)
{
	struct document *d = NULL;
	struct reading r = { .s = s, .file = file };
	struct given *g;
	struct buf text;
	size_t i;
	int rc = -1;

	s->file = file;
	vec_init(&r.given, sizeof(*g), GIVEN_MAX);
	buf_init_secret(&text, SETTINGS_FILE_MAX);
	if (file_read(file, &text, NULL, err) != 0 ||
	    settings_sections_find(&r.sections, &text, file, err) != 0 ||
	    (d = document_parse(&text, DOCUMENT_ENTRIES, file, err)) == NULL ||
	    document_problem(d, err) != 0)
		goto done;
	r.worker = is_worker(d);
	rc = 0;
	for (i = 0; i < document_count(d) && rc == 0; i++)
		rc = read_entry(&r, d, i, err);
done:
	for (i = 0; i < r.given.len; i++) {
		g = vec_at(&r.given, i);
		free(g->name);
	}
	vec_release(&r.given);
	document_free(d);
	buf_release(&text);
	return rc;
}

static int
node_refuse(const struct settings *s, const char *key, const char *needs, const char *hint,
    struct error *err)
{
	error_set(err, ERROR_FORMAT, "this does nothing without %s", needs);
	if (s->file != NULL)
		error_place(err, s->file, 0);
	error_key(err, key, strlen(key));
	return error_hint(err, "%s", hint);
}

/* What nodes that forward to each other need. */
static int
node_check(const struct settings *s, struct error *err)
{
	static const char node_names[] = "node.names";
	const char *rest = s->node_certificate != NULL ? "node.ssl.certificate" :
	    s->node_key != NULL ? "node.ssl.key" : s->node_ca != NULL ? "node.ssl.ca" : NULL;

	if (s->node_names == NULL)
		return rest == NULL ? 0 : node_refuse(s, rest, node_names, "name the nodes in "
		    "node.names as their certificates do, or take this out", err);
	if (s->log != STORE_LOG_KAFKA)
		return node_refuse(s, node_names, "store.log=kafka",
		    "only nodes that share a topic forward to each other: take this out", err);
	if (s->tls_certificate == NULL || s->tls_client_ca == NULL)
		return node_refuse(s, node_names, s->tls_certificate == NULL ? "ssl.certificate" :
		    "ssl.client.ca", "nodes know each other by their certificates: set "
		    "ssl.certificate, ssl.key and ssl.client.ca", err);
	if (s->base_url == NULL || strncmp(s->base_url, "https://", 8) != 0)
		return node_refuse(s, node_names, "a rest.base.url that begins with https://",
		    "rest.base.url is the address at which the other nodes reach this one", err);
	return 0;
}

int
settings_check(const struct settings *s, struct error *err)
{
	static const char servers[] = SETTINGS_KAFKA_PREFIX "bootstrap.servers";
	const struct settings_kafka *k = settings_kafka_find(s, "bootstrap.servers");

	if ((k != NULL) == (s->log == STORE_LOG_KAFKA))
		return node_check(s, err);
	if (k == NULL) {
		error_set(err, ERROR_FORMAT, "store.log=kafka needs the brokers' addresses");
		error_key(err, servers, strlen(servers));
		return error_hint(err, "set %s=HOST:PORT,...", servers);
	}
	error_set(err, ERROR_FORMAT, "brokers are named here, but store.log does not say that "
	    "secrets are to be kept in a topic");
	if (k->line > 0)
		error_place(err, s->file, k->line);
	error_key(err, servers, strlen(servers));
	return error_hint(err, "set store.log=kafka, or take the line out to use the store in "
	    "--data");
}

int
settings_read_environment(struct settings *s, struct error *err)
{
	char name[NAME_MAX_BYTES];
	const struct setting_field *k;
	char **e;
	char *value;
	size_t n, i;

	for (e = environ; e != NULL && *e != NULL; e++) {
		if (strncmp(*e, VARIABLE, strlen(VARIABLE)) != 0 ||
		    (value = strchr(*e, '=')) == NULL)
			continue;
		n = (size_t)(value - *e) - strlen(VARIABLE);
		value++;
		if (n >= sizeof(name))
			continue;
		for (i = 0; i < n; i++) {
			name[i] = (*e)[strlen(VARIABLE) + i];
			name[i] = name[i] == '_' ? '.' : ascii_lower(name[i]);
		}
		name[n] = '\0';
		if (settings_set(s, name, value, strlen(value), err) != 0)
			return error_hint(err, "the environment says it: %s...", VARIABLE);
		k = settings_key_find(name);
		if (k != NULL && (k->type == SETTINGS_KEY || k->type == SETTINGS_OLD_KEY ||
		    k->type == SETTINGS_KAFKA))
			secmem_wipe(value, strlen(value));
	}
	return 0;
}

#include "registry/base/settings_key.h"

#include <limits.h>
#include <string.h>

#include "registry/base/settings.h"
#include "registry/base/settings_kafka.h"

#define AT(member) .offset = offsetof(struct settings, member)
#define TEXT(key, member) { .name = key, .kind = SETTINGS_TEXT, AT(member) }
#define SWITCH(key, member) { .name = key, .kind = SETTINGS_SWITCH, AT(member) }
#define NUMBER(key, member, low, high) \
	{ .name = key, .kind = SETTINGS_NUMBER, AT(member), .min = low, .max = high }
#define CHOICE(key, member, list) \
	{ .name = key, .kind = SETTINGS_CHOICE, AT(member), .choices = list }

#define DAY_MS 86400000U
#define SECRET_LIMIT (512U << 10)	/* as base64 it must fit a record of the log */

static const struct settings_key keys[] = {
	TEXT("listeners", listen),
	SWITCH("listen.insecure", listen_insecure),
	NUMBER("http.threads", threads, 0, 256),
	NUMBER("http.max.connections", max_connections, 1, 1000000),
	NUMBER("http.max.connections.per.address", max_per_address, 0, 1000000),
	NUMBER("http.max.half.open.per.address", max_half_open, 0, 1000000),
	NUMBER("http.request.timeout.ms", request_timeout_ms, 100, DAY_MS),
	NUMBER("http.idle.timeout.ms", idle_timeout_ms, 100, DAY_MS),
	NUMBER("http.drain.timeout.ms", drain_timeout_ms, 0, DAY_MS),
	TEXT("rest.base.url", base_url),
	TEXT("ssl.certificate", tls_certificate),
	TEXT("ssl.key", tls_key),
	TEXT("ssl.client.ca", tls_client_ca),
	CHOICE("ssl.client.auth", tls_client_required, "requested|required"),

	CHOICE("rest.compat", compat, "confluent|mredjem"),
	CHOICE("rest.error.code.style", subcodes, "connect|subcode"),
	SWITCH("rest.create.echo.secret", echo_secret),
	SWITCH("rest.list.unknown.404", list_unknown_404),
	CHOICE("validate.missing", missing_reference_warns, "error|warn"),
	SWITCH("secret.refuse.masks", refuse_masks),
	{ .name = "secret.max.bytes", .kind = SETTINGS_SIZE, AT(secret_max), .min = 1,
	    .max = SECRET_LIMIT },
	{ .name = "secret.undelete.window.seconds", .kind = SETTINGS_LONG,
	    AT(undelete_window_ms), .max = 315360000, .scale = 1000 },
	SWITCH("metrics.public", allow_unlisted_metrics),
	TEXT("config.provider.name", provider),

	{ .name = "master.encryption.key", .kind = SETTINGS_KEY, AT(master_key) },
	{ .name = "master.encryption.old.key", .kind = SETTINGS_OLD_KEY },
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
	NUMBER("audit.deadline.ms", audit_deadline_ms, 10, DAY_MS),
	{ .name = "audit.rotate.bytes", .kind = SETTINGS_LONG, AT(audit_rotate_bytes),
	    .max = UINT64_MAX, .scale = 1 },
	NUMBER("audit.keep", audit_keep, 0, 1000000),
	TEXT("audit.crn.authority", audit_authority),
	TEXT("audit.crn.kafka", audit_cluster),
	TEXT("audit.crn.connect", audit_connect),
	TEXT("audit.type.prefix", audit_type_prefix),

	{ .name = "secret.registry.group.id", .kind = SETTINGS_KAFKA },
};

static const struct settings_key kafka = { .name = SETTINGS_KAFKA_PREFIX, .kind = SETTINGS_KAFKA };

const struct settings_key *
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

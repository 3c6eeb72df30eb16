#ifndef REGISTRY_BASE_SETTINGS_H
#define REGISTRY_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "registry/base/address.h"

enum rest_compat { REST_CONFLUENT, REST_MREDJEM };
enum store_log { STORE_LOG_LOCAL, STORE_LOG_KAFKA };

#define SETTINGS_OLD_KEYS_MAX 16
#define SETTINGS_KAFKA_MAX 64
#define SETTINGS_FILE_MAX (1U << 20)	/* bytes */

/* A kafkastore.* setting as it was given: src/registry/kafka knows what it means. */
struct settings_kafka {
	const char *name;		/* without that prefix */
	struct buf value;		/* secret, as it may be a password */
	size_t line;			/* in the file, 0: elsewhere */
};

/*
 * What `propseal registry serve` goes by: built-in values, then the file of
 * --config, then the flags.  A key may stand with Confluent's prefix
 * (config.providers.secret.param.KEY) or without.  All strings are owned by
 * the settings; NULL: not set.  Times are in milliseconds, sizes in bytes.
 */
struct settings {
	const char *data;		/* --data */
	const char *listen;		/* --listen, ADDR:PORT; listeners in the file */
	bool listen_insecure;		/* listen.insecure: plain HTTP beyond loopback */
	unsigned threads;		/* http.threads, 0: one a core */
	unsigned max_connections;	/* http.max.connections, 4096 */
	unsigned max_per_address;	/* http.max.connections.per.address, 0: no limit */
	unsigned max_half_open;		/* http.max.half.open.per.address, 1024; 0: no limit */
	unsigned request_timeout_ms;	/* http.request.timeout.ms, 10000: headers and body */
	unsigned idle_timeout_ms;	/* http.idle.timeout.ms, 60000 */
	unsigned drain_timeout_ms;	/* http.drain.timeout.ms, 10000 */
	unsigned waits_per_principal;	/* watch.max.per.principal, 64 */
	unsigned waits_per_address;	/* watch.max.per.address, 512 */
	struct address_list proxies;	/* trusted.proxies: whose X-Forwarded-For counts */
	const char *base_url;		/* rest.base.url, for Location */

	const char *tls_certificate;	/* ssl.certificate: PEM chain; NULL: plain */
	const char *tls_key;		/* ssl.key: PEM */
	const char *tls_client_ca;	/* ssl.client.ca: PEM; NULL: no client certificates */
	bool tls_client_required;	/* ssl.client.auth=required */

	enum rest_compat compat;	/* rest.compat */
	bool subcodes;			/* rest.error.code.style=subcode */
	bool echo_secret;		/* rest.create.echo.secret, true */
	bool list_unknown_404;		/* rest.list.unknown.404, false */
	bool missing_reference_warns;	/* validate.missing=warn, false: an error */
	bool refuse_masks;		/* secret.refuse.masks, true: a value such as **** */
	size_t secret_max;		/* secret.max.bytes, 262144 */
	uint64_t undelete_window_ms;	/* secret.undelete.window.seconds, 7 days */
	uint64_t quota;			/* quota.bytes of sealed values, 0: any number */
	uint64_t path_quota;		/* quota.path.bytes, the same of each path */
	bool allow_unlisted_metrics;	/* metrics.public, false: it needs a login */
	const char *vault_mount;	/* vault.mount; NULL: no face of Vault */
	const char *provider;		/* config.provider.name, "secret": ${secret:path:key} */

	const char *master_key_file;	/* --master-key-file */
	struct buf master_key;		/* master.encryption.key, secret; empty: not set */
	struct buf old_keys[SETTINGS_OLD_KEYS_MAX]; /* master.encryption.old.key[.N], secret */
	size_t old_key_count;
	const char *old_key_file;	/* master.encryption.old.key.file */
	bool dev_mode;			/* dev.mode: weak and public keys are only warned about */

	const char *jwks_file;		/* auth.jwt.jwks.file; NULL: no JWT */
	const char *jwt_issuer;		/* auth.jwt.issuer */
	const char *jwt_audience;	/* auth.jwt.audience */
	const char *jwt_principal_claim; /* auth.jwt.principal.claim, "sub" */
	const char *mtls_principal;	/* auth.mtls.principal: "cn" (default), "dn", "san" */
	unsigned auth_cache_ms;		/* auth.cache.ms, 5000 */
	unsigned auth_failures_max;	/* auth.failures.max, 20: of an account and address */
	unsigned rate_limit;		/* ratelimit.requests.per.second, 0: none; per principal */
	unsigned rate_burst;		/* ratelimit.burst */

	const char *audit_file;		/* audit.file, DATA/audit.log */
	bool audit_stdout;		/* audit.stdout */
	bool audit_syslog;		/* audit.syslog */
	unsigned audit_required;	/* audit.required: bits of file 1, stdout 2, syslog 4 */
	bool audit_compact;		/* audit.compact, true: one short line for each action */
	unsigned audit_deadline_ms;	/* audit.deadline.ms, 5000 */
	uint64_t audit_rotate_bytes;	/* audit.rotate.bytes, 104857600; 0: never */
	unsigned audit_keep;		/* audit.keep, 50: rotated files kept, 0: all */
	const char *audit_authority;	/* audit.crn.authority, "" */
	const char *audit_cluster;	/* audit.crn.kafka, "embedded" */
	const char *audit_connect;	/* audit.crn.connect, "secret-registry" */
	const char *audit_type_prefix;	/* audit.type.prefix, "io.confluent.kafka.server" */

	/* Nodes that share a topic: who forwards changes to the one that leads. */
	const char *node_names;		/* node.names, of certificates; NULL: nobody forwards */
	const char *node_certificate;	/* node.ssl.certificate; NULL: ssl.certificate */
	const char *node_key;		/* node.ssl.key; NULL: the same, or ssl.key */
	const char *node_ca;		/* node.ssl.ca; NULL: ssl.client.ca */
	unsigned node_timeout_ms;	/* node.forward.timeout.ms, 20000 */

	unsigned staleness_ms;		/* read.max.staleness.ms, 0: reads go on without brokers */
	enum store_log log;		/* store.log=local|kafka: where the truth is */
	struct settings_kafka kafka[SETTINGS_KAFKA_MAX];
	size_t kafka_count;
	const char *file;		/* that was read; NULL: none */
	const char *group_id;		/* secret.registry.group.id, "secret-registry" */
};

/* Everything built in. */
struct settings *settings_new(void);
void settings_free(struct settings *s);

/**
 * settings_read(s, file, err):
 * Take over what ${file} says, whose name must last as long as ${s}.  It is read
 * as java.util.Properties; besides,
 * a line `[NAME]` puts "NAME." before the keys after it, and `;` begins a
 * comment.  A value may be ${file:PATH} or ${env:NAME}, for what stands
 * there.  In a file with keys of Confluent's prefix (a Connect worker's) keys
 * without it that are not ours are passed over, and of `listeners` and
 * `ssl.client.auth`, which a worker has too, the one with the prefix counts.
 * ERROR_MISSING, ERROR_IO, ERROR_FORMAT (with line and key): unknown key, bad
 * value, a key that stands twice, or with and without the prefix and another
 * value.
 */
int settings_read(struct settings *s, const char *file, struct error *err);

/* The kafkastore.* setting of this name (without that prefix) that has a value, or NULL. */
const struct settings_kafka *settings_kafka_find(const struct settings *s, const char *name);

/**
 * settings_check(s, err):
 * Do they agree, now that all are known?  ERROR_FORMAT at the file that was read:
 * brokers are named, but nothing is to be kept there, or the other way round.
 */
int settings_check(const struct settings *s, struct error *err);

/* Take over CONNECT_CONFIG_PROVIDERS_SECRET_PARAM_* of the environment; the
 * bytes of keys are wiped there. */
int settings_read_environment(struct settings *s, struct error *err);

#endif /* !REGISTRY_BASE_SETTINGS_H */

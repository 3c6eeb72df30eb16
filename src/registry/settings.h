#ifndef REGISTRY_SETTINGS_H
#define REGISTRY_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum rest_compat { REST_CONFLUENT, REST_MREDJEM };

#define SETTINGS_LIST_MAX 16

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
	unsigned request_timeout_ms;	/* http.request.timeout.ms, 10000: headers and body */
	unsigned idle_timeout_ms;	/* http.idle.timeout.ms, 60000 */
	unsigned drain_timeout_ms;	/* http.drain.timeout.ms, 10000 */
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
	bool allow_unlisted_metrics;	/* metrics.public, false: /metrics needs AuditRead or loopback listener of its own */
	const char *metrics_listen;	/* metrics.listen, NULL: on the main listener with login */
	const char *provider;		/* config.provider.name, "secret": ${secret:path:key} */

	const char *master_key_file;	/* --master-key-file */
	const char *master_key;		/* master.encryption.key as found in the file: never logged */
	const char *old_keys[SETTINGS_LIST_MAX]; /* master.encryption.old.key[.N] */
	size_t old_key_count;
	const char *old_key_file;	/* master.encryption.old.key.file */
	bool dev_mode;			/* dev.mode: weak and public keys are only warned about */

	const char *jwks_file;		/* auth.jwt.jwks.file; NULL: no JWT */
	const char *jwt_issuer;		/* auth.jwt.issuer */
	const char *jwt_audience;	/* auth.jwt.audience */
	const char *jwt_principal_claim; /* auth.jwt.principal.claim, "sub" */
	const char *mtls_principal;	/* auth.mtls.principal: "cn" (default), "dn", "san" */
	unsigned auth_cache_ms;		/* auth.cache.ms, 5000 */
	unsigned auth_failures_max;	/* auth.failures.max, 20 an address and a minute; then 429 */
	unsigned rate_limit;		/* ratelimit.requests.per.second, 0: none; per principal */
	unsigned rate_burst;		/* ratelimit.burst */

	const char *audit_file;		/* audit.file, DATA/audit.log */
	bool audit_stdout;		/* audit.stdout */
	bool audit_syslog;		/* audit.syslog */
	unsigned audit_deadline_ms;	/* audit.deadline.ms, 5000 */
	uint64_t audit_rotate_bytes;	/* audit.rotate.bytes, 104857600; 0: never */
	unsigned audit_keep;		/* audit.keep, rotated files kept, 0: all */
	const char *audit_authority;	/* audit.crn.authority, "" */
	const char *audit_cluster;	/* audit.crn.kafka, "embedded" */
	const char *audit_connect;	/* audit.crn.connect, "secret-registry" */
	const char *audit_type_prefix;	/* audit.type.prefix, "io.confluent.kafka.server" */
};

/* Everything built in. */
struct settings *settings_new(void);
void settings_free(struct settings *s);

/**
 * settings_read(s, file, err):
 * Take over what ${file} says: `key = value` lines and [sections], whose name
 * and a dot go before the keys (inih); a file that ends in .properties is read
 * as Java does.  ${file:PATH} and ${env:NAME} in values are resolved.
 * ERROR_MISSING, ERROR_IO, ERROR_FORMAT (with line and key): unknown key, bad
 * value.  Unknown kafkastore.* keys pass.
 */
int settings_read(struct settings *s, const char *file, struct error *err);

/* Set one key as a line of the file would.  ERROR_FORMAT, ERROR_MISSING. */
int settings_set(struct settings *s, const char *key, const char *value,
    struct error *err);

#endif /* !REGISTRY_SETTINGS_H */

#ifndef REGISTRY_SERVICE_INTERNAL_H
#define REGISTRY_SERVICE_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "registry/base/settings.h"

struct access;
struct api;
struct audit;
struct auth;
struct http_server;
struct keyring;
struct master;
struct service_voice;
struct store;

#define SERVICE_PARTS 4		/* that service_look looks at */

struct service {
	const struct settings *settings;
	struct master *master;
	struct master *old[SETTINGS_OLD_KEYS_MAX + 1];
	size_t old_count;
	struct store *store;
	struct audit *audit;
	struct auth *auth;
	struct access *access;
	struct api *api;
	struct http_server *http;
	struct error told[SERVICE_PARTS];	/* what was last said; code NONE: it is well */
};

/* DATA/${name}; -1: too long. */
int service_path(const struct service *s, const char *name, char out[PATH_MAX],
    struct error *err);

/* service_master.c: find the master secret and the old ones. */
int service_masters(struct service *s, struct error *err);

/* Read the master secret's file again: it may be another now.  NULL: there is
 * no file to read, it is the same, or ${err} (its code is then not NONE). */
struct master *service_fresh_master(const struct service *s, struct error *err);

/* service_keyring.c: write DATA/keyring.json. */
int service_save_keyring(struct service *s, struct error *err);

/* service_tls.c: can what the ssl.* settings name be read, and do they agree? */
int service_tls_check(const struct settings *set, struct error *err);

/* Add the setting and a hint to an error at one of its files.  Returns -1. */
int service_tls_explain(const struct settings *set, struct error *err);

/* service_health.c: say what has changed about the parts that /health/ready
 * asks, since it was last said; ${again}: and what is still wrong. */
void service_look(struct service *s, const struct service_voice *v, bool again);

/* service_recover.c: give every write that the audit log began and did not
 * end an outcome, by what the store says. */
int service_recover(struct service *s, struct error *err);

#endif /* !REGISTRY_SERVICE_INTERNAL_H */

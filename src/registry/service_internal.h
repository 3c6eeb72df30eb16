#ifndef REGISTRY_SERVICE_INTERNAL_H
#define REGISTRY_SERVICE_INTERNAL_H

#include <limits.h>
#include <stddef.h>

#include "registry/settings.h"

struct access;
struct api;
struct audit;
struct auth;
struct error;
struct http_server;
struct keyring;
struct master;
struct store;

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

/* service_recover.c: give every write that the audit log began and did not
 * end an outcome, by what the store says. */
int service_recover(struct service *s, struct error *err);

#endif /* !REGISTRY_SERVICE_INTERNAL_H */

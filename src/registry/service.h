#ifndef REGISTRY_SERVICE_H
#define REGISTRY_SERVICE_H

struct error;
struct service;
struct settings;

/*
 * A running registry: its store, audit log, users, bindings and listeners, put
 * together.  In the data folder: registry.db (the store), keyring.json (a copy
 * of the wrapped keys, for `registry audit verify`), users.json, tokens.json,
 * bindings.json, roles.json, audit.log.
 */

/**
 * service_open(s, err):
 * Start everything; requests are answered from here on.  Signals that
 * service_run waits for must be blocked already, so that no thread gets them.
 * ${s} must outlive the service.  Errors are those of the parts.
 */
struct service *service_open(const struct settings *s, struct error *err);

/* ADDR:PORT */
const char *service_address(const struct service *s);

/* Reload on SIGHUP (problems are reported by ${tell}), until SIGTERM or
 * SIGINT comes, which it returns. */
int service_run(struct service *s, void (*tell)(const struct error *what));

/* Let requests under way end, then stop everything. */
void service_close(struct service *s);

/* The signals of service_run: block them before the first thread starts. */
void service_block_signals(void);

#endif /* !REGISTRY_SERVICE_H */

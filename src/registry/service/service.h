#ifndef REGISTRY_SERVICE_SERVICE_H
#define REGISTRY_SERVICE_SERVICE_H

#include <limits.h>
#include <stdbool.h>

struct database;
struct error;
struct master;
struct options;
struct service;
struct service_records;
struct settings;
struct store;

/* Where a running service says what an operator should know. */
struct service_callbacks {
	void (*tell)(const struct error *what);	/* a problem */
	void (*note)(const char *text);		/* anything else */
};

/*
 * A running registry: its store, audit log, users, bindings and listeners, put
 * together.  In the data folder: registry.db (the store), keyring.json (a copy
 * of the wrapped keys, for `registry audit verify`), users.json, tokens.json,
 * bindings.json, roles.json, audit.log.
 */

/**
 * service_open(s, v, err):
 * Start everything; requests are answered from here on.  What is taken over from
 * the first edition is told to ${v}.  Signals that
 * service_run waits for must be blocked already, so that no thread gets them.
 * ${s} must outlive the service.  Errors are those of the parts.
 */
struct service *service_open(const struct settings *s, const struct service_callbacks *v,
    struct error *err);

/* ADDR:PORT */
const char *service_address(const struct service *s);

/**
 * service_run(s, v):
 * Reload on SIGHUP, until SIGTERM or SIGINT comes, which it returns.  Says
 * problems of a reload, and once, within a second or two, when something that
 * makes /health/ready answer 503 begins, changes or ends.
 */
int service_run(struct service *s, const struct service_callbacks *v);

/* How long service_close takes at most, where no disk hangs. */
unsigned service_end_ms(const struct settings *s);

/* Let requests under way end, then stop everything.  false: the audit log's thread
 * hangs in the kernel, and may wake: end the process with _exit(). */
bool service_close(struct service *s);

/* The signals of service_run: block them before the first thread starts. */
void service_block_signals(void);

/* The commands (common/service_commands.h) but `serve`; the word after user, token, role
 * and audit is an action. */
int commands_registry_user(const struct options *o);
int commands_registry_token(const struct options *o);
int commands_registry_role(const struct options *o);
int commands_registry_audit(const struct options *o);
int commands_registry_restore(const struct options *o);
int commands_registry_copy(const struct options *o);

/* What of them is in --data: DATA/${name}, the audit log, the master key from where
 * serve takes it, or asked for. */
int audit_command_path(const struct options *o, const char *name, char out[PATH_MAX],
    struct error *err);
int audit_command_file(const struct options *o, char out[PATH_MAX], struct error *err);
struct master *audit_command_master(const struct options *o, struct error *err);

/* The actions of `registry audit`; --data was given. */
int audit_command_verify(const struct options *o, struct error *err);
int audit_command_search(const struct options *o, struct error *err);

/*
 * Users, tokens, bindings and roles of a node whose log is a topic: what the files of
 * the data folder say until the first node to lead, of those that have such files, has
 * taken them over; records of the topic from then on, on all nodes.
 */

/* ${data} and ${s} must last.  The reads and changes of data_file.h go through it from
 * here to records_end. */
struct service_records *records_begin(const char *data, struct store *s, struct error *err);
void records_end(struct service_records *r);

/* Look whether the files are due to be taken over again: at a SIGHUP. */
void records_due(struct service_records *r);

/* To be called each second.  1: the files were taken over; 0; -1: they could not be, and
 * this is not told again before it goes. */
int records_step(struct service_records *r, struct error *err);

/* Write what the database has into the files, and begin to go by them. */
int records_to_files(const char *data, struct database *d, struct error *err);

#endif /* !REGISTRY_SERVICE_SERVICE_H */

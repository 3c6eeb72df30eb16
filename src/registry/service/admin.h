#ifndef REGISTRY_SERVICE_ADMIN_H
#define REGISTRY_SERVICE_ADMIN_H

#include <limits.h>

struct error;
struct master;
struct options;

/* The commands (common/service_commands.h); the word after user, token, role and
 * audit is an action. */
int commands_registry_serve(const struct options *o);
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

#endif /* !REGISTRY_SERVICE_ADMIN_H */

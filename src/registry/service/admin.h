#ifndef REGISTRY_SERVICE_ADMIN_H
#define REGISTRY_SERVICE_ADMIN_H

struct error;
struct options;

/* The commands (common/service_commands.h); the word after user, token, role and
 * audit is an action. */
int commands_registry_serve(const struct options *o);
int commands_registry_user(const struct options *o);
int commands_registry_token(const struct options *o);
int commands_registry_role(const struct options *o);
int commands_registry_audit(const struct options *o);

/* The actions of `registry audit`; --data was given. */
int audit_command_verify(const struct options *o, struct error *err);
int audit_command_search(const struct options *o, struct error *err);

#endif /* !REGISTRY_SERVICE_ADMIN_H */

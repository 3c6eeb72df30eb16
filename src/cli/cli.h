#ifndef REGISTRY_CLI_CLI_H
#define REGISTRY_CLI_CLI_H

struct options;

/* What each command `propseal registry ...` does: the program's exit status. */
int commands_registry_serve(const struct options *o);

/* Administration of a data folder; the word after these is an action (action.h). */
int commands_registry_user(const struct options *o);
int commands_registry_user_add(const struct options *o);
int commands_registry_user_remove(const struct options *o);
int commands_registry_user_list(const struct options *o);
int commands_registry_token(const struct options *o);
int commands_registry_token_create(const struct options *o);
int commands_registry_token_revoke(const struct options *o);
int commands_registry_token_list(const struct options *o);
int commands_registry_role(const struct options *o);
int commands_registry_role_grant(const struct options *o);
int commands_registry_role_revoke(const struct options *o);
int commands_registry_role_list(const struct options *o);
int commands_registry_role_show(const struct options *o);
int commands_registry_audit(const struct options *o);
int commands_registry_audit_verify(const struct options *o);
int commands_registry_audit_search(const struct options *o);

/* The client side. */
int commands_registry_put(const struct options *o);
int commands_registry_get(const struct options *o);
int commands_registry_list(const struct options *o);
int commands_registry_delete(const struct options *o);
int commands_registry_undelete(const struct options *o);
int commands_registry_history(const struct options *o);
int commands_registry_rotate(const struct options *o);
int commands_registry_import(const struct options *o);
int commands_registry_export(const struct options *o);
int commands_registry_validate(const struct options *o);
int commands_registry_resolve(const struct options *o);

#endif /* !REGISTRY_CLI_CLI_H */

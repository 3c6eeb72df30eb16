#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

struct options;

/* What each command does, one file each: the program's exit status. */
int commands_interface(const struct options *o);
int commands_generate(const struct options *o);
int commands_encrypt(const struct options *o);
int commands_decrypt(const struct options *o);
int commands_add(const struct options *o);
int commands_update(const struct options *o);
int commands_remove(const struct options *o);
int commands_rotate(const struct options *o);
int commands_show(const struct options *o);
int commands_verify(const struct options *o);
int commands_file_diff(const struct options *o);
int commands_render(const struct options *o);
int commands_exec(const struct options *o);
int commands_edit(const struct options *o);
int commands_config_show(const struct options *o);
int commands_config_check(const struct options *o);
int commands_completion(const struct options *o);
int commands_complete(const struct options *o);
int commands_git_textconv(const struct options *o);
int commands_git_merge(const struct options *o);
int commands_git_install(const struct options *o);
int commands_git_uninstall(const struct options *o);
int commands_git_check(const struct options *o);
int commands_doctor(const struct options *o);

/* What each command `propseal registry ...` does: the program's exit status. */
int commands_registry_serve(const struct options *o);

/* Administration of a data folder; the word after these is an action (action.h). */
int commands_registry_user(const struct options *o);
int commands_registry_token(const struct options *o);
int commands_registry_role(const struct options *o);
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

#endif /* !CLI_COMMANDS_H */

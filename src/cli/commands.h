#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

struct command;
struct options;

/* Every command of the program, in the order of --help. */
size_t command_count(void);
const struct command *command_at(size_t i);

/* ${group} NULL: a command of one word.  NULL: no such command. */
const struct command *command_find(const char *group, const char *name);

/* Is it the first word of two? */
bool command_is_group(const char *word);

/* What each command does, one file each: the program's exit status. */
int commands_interface(const struct options *o);
int commands_tutor(const struct options *o);

/* The lesson of this name, or the first, and those that follow, in the interface. */
int commands_tutor_screen(const struct options *o, const char *name);
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
int commands_audit(const struct options *o);
int commands_seal(const struct options *o);
int commands_key_sheet(const struct options *o);
int commands_recover_plan(const struct options *o);
int commands_recover_apply(const struct options *o);
int commands_log_show(const struct options *o);
int commands_log_verify(const struct options *o);
int commands_log_undo(const struct options *o);
int commands_doctor(const struct options *o);
int commands_rotation_plan(const struct options *o);
int commands_rotation_apply(const struct options *o);
int commands_rotation_resume(const struct options *o);
int commands_rotation_status(const struct options *o);
int commands_rotation_verify(const struct options *o);
int commands_rotation_accept(const struct options *o);
int commands_rotation_rollback(const struct options *o);
int commands_rotation_finish(const struct options *o);
int commands_rotation_checklist(const struct options *o);

/* Of `propseal registry`, those that talk with one; propseal-registryd runs the others. */
int commands_registry_put(const struct options *o);
int commands_registry_get(const struct options *o);
int commands_registry_list(const struct options *o);
int commands_registry_delete(const struct options *o);
int commands_registry_undelete(const struct options *o);
int commands_registry_history(const struct options *o);
int commands_registry_rotate(const struct options *o);
int commands_registry_backup(const struct options *o);
int commands_registry_import(const struct options *o);
int commands_registry_export(const struct options *o);
int commands_registry_validate(const struct options *o);
int commands_registry_resolve(const struct options *o);

/* `registry user`, `token` and `role` with --url. */
int commands_registry_administer(const struct options *o);

#endif /* !CLI_COMMANDS_H */

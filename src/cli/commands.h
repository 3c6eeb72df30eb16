#ifndef COMMANDS_H
#define COMMANDS_H

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

#endif /* !COMMANDS_H */

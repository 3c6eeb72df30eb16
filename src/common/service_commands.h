#ifndef COMMON_SERVICE_COMMANDS_H
#define COMMON_SERVICE_COMMANDS_H

#include <stddef.h>

struct command;

/*
 * The commands of `propseal registry` that open the registry's folder.
 * propseal explains and completes them and checks their flags, and starts
 * propseal-registryd, which runs them.
 */
size_t service_command_count(void);
const struct command *service_command_at(size_t i);

#endif /* !COMMON_SERVICE_COMMANDS_H */

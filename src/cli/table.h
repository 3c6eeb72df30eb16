#ifndef REGISTRY_CLI_TABLE_H
#define REGISTRY_CLI_TABLE_H

#include <stddef.h>

struct command;

/* The commands `propseal registry ...`, a part of the table in command.c. */
size_t registry_command_count(void);
const struct command *registry_command_at(size_t i);

#endif /* !REGISTRY_CLI_TABLE_H */

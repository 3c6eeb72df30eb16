#ifndef REGISTRY_SERVICE_ADMIN_H
#define REGISTRY_SERVICE_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "common/args.h"

/* What the commands that administer a data folder share. */

#define ADMIN_OUTPUT_MAX ((size_t)256 << 20)

/* ERROR_USAGE unless the flag was given. */
int admin_need(const struct options *o, enum flag_id id, struct error *err);

/*
 * A list on standard output: aligned columns, or with -o json an array of
 * objects.  Nothing is shown until admin_list_end.
 */
struct admin_list {
	bool json;
	const char *const *names;	/* of the columns */
	size_t columns;
	size_t rows;
	struct buf out;
};

#define ADMIN_COLUMNS_MAX 8

/* The commands (common/service_commands.h); the word after user, token, role and
 * audit is an action. */
int commands_registry_serve(const struct options *o);
int commands_registry_user(const struct options *o);
int commands_registry_token(const struct options *o);
int commands_registry_role(const struct options *o);
int commands_registry_audit(const struct options *o);
int commands_registry_audit_verify(const struct options *o);
int commands_registry_audit_search(const struct options *o);

#endif /* !REGISTRY_SERVICE_ADMIN_H */

#ifndef COMMON_SERVICE_COMMANDS_H
#define COMMON_SERVICE_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "common/report.h"

struct command;
struct error;

/*
 * The commands of `propseal registry` that open the registry's folder.
 * propseal explains and completes them and checks their flags, and starts
 * propseal-registryd, which runs them.
 */
size_t service_command_count(void);
const struct command *service_command_at(size_t i);

/*
 * What `registry user`, `token` and `role` print, of a data folder and of a registry that
 * runs.
 */

enum admin_kind { ADMIN_USERS, ADMIN_TOKENS, ADMIN_BINDINGS };

/* A list on standard output.  Nothing is shown until admin_list_end. */
#define ADMIN_COLUMNS 5
struct admin_list {
	struct table_column columns[ADMIN_COLUMNS];
	struct table table;
	struct buf out;
	struct json_out writer;		/* of ${out} */
};

void admin_list_begin(struct admin_list *l, enum admin_kind kind, bool json);

/* One row of texts, as many as the kind has columns; NULL: an empty cell, null in JSON. */
void admin_list_add(struct admin_list *l, const char *const *cells);

/* Print it if ${rc} is 0, and release it. */
int admin_list_end(struct admin_list *l, int rc, struct error *err);

#define ROLES_TEXT_MAX ((size_t)4 << 20)

/**
 * roles_print(text, n, only, json, err):
 * Print what roles allow, out of a document as roles.json is one: a line for each, or the
 * document with ${json}.  ${only} (NULL: all): that role.  ERROR_MISSING: it is not in it;
 * ERROR_FORMAT: it is no such document.
 */
int roles_print(const void *text, size_t n, const char *only, bool json, struct error *err);

#endif /* !COMMON_SERVICE_COMMANDS_H */

#ifndef REGISTRY_AUTH_USERS_H
#define REGISTRY_AUTH_USERS_H

#include <stddef.h>

#include <jansson.h>

#include "registry/auth/password.h"
#include "registry/base/principal.h"

struct error;
struct file_id;

#define USERS_FILE "users.json"
#define USERS_MAX 100000

/* Who has a password: DATA/users.json as it is looked up. */
struct users;

struct user {
	char name[PRINCIPAL_MAX];
	struct password password;
};

/* None where there is no such file.  ERROR_FORMAT names the user. */
struct users *users_read(const char *path, struct file_id *id, struct error *err);
void users_free(struct users *u);

/* NULL: there is no such user. */
const struct user *users_find(const struct users *u, const char *name);

/* The table of names in the file; NULL: none (no error), or ERROR_FORMAT. */
int users_table(const json_t *root, json_t **table, struct error *err);

/* Read and check, or make, what stands for one user in the file. */
int users_from_json(const char *name, const json_t *o, struct password *out,
    struct error *err);
json_t *users_to_json(const struct password *p);

#endif /* !REGISTRY_AUTH_USERS_H */

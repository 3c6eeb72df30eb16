#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/vec.h"
#include "registry/auth/access.h"
#include "registry/auth/administrators.h"
#include "registry/auth/auth.h"
#include "registry/auth/roles.h"
#include "registry/base/data_file.h"

struct administrator {
	char name[AUTH_NAME_MAX];
	bool bound;		/* by a binding that stays */
	bool known;		/* there is a password or a token of this name */
	bool disabled;
	bool logs_in;		/* before */
	bool still;		/* and after */
};

struct administrators {
	const struct administrators_loss *loss;
	struct roles roles;
	int64_t now;
	struct vec items;	/* struct administrator */
	bool failed;		/* no memory */
};

static struct administrator *
administrator_find(const struct administrators *a, const char *name)
{
	struct administrator *one;

	for (size_t i = 0; i < a->items.len; i++) {
		one = vec_at(&a->items, i);
		if (strcmp(one->name, name) == 0)
			return one;
	}
	return NULL;
}

static struct administrator *
administrator_add(struct administrators *a, const char *name)
{
	struct administrator *one = vec_push(&a->items);

	if (one == NULL)
		a->failed = true;
	else
		memcpy(one->name, name, strlen(name) + 1);
	return one;
}

static bool
administrator_is_revoked(const struct administrators_loss *loss, const struct binding *b)
{
	for (size_t i = 0; i < loss->count; i++) {
		if (loss->bindings[i].pattern == NULL &&
		    strcmp(loss->bindings[i].role, b->role) == 0 &&
		    strcmp(loss->bindings[i].principal, b->principal) == 0)
			return true;
	}
	return false;
}

/* Is it a role that will no more do? */
static bool
administrator_is_changed(const struct administrators_loss *loss, const struct binding *b)
{
	const struct role *role = loss->role;

	return role != NULL && strcmp(role->name, b->role) == 0 && !roles_administers(role);
}

static void
administrator_bound(void *cookie, const struct binding *b)
{
	struct administrators *a = cookie;
	struct administrator *one;

	if (b->pattern != NULL || !roles_administers(roles_find(&a->roles, b->role)) ||
	    strlen(b->principal) >= AUTH_NAME_MAX)
		return;
	one = administrator_find(a, b->principal);
	if (one == NULL && (one = administrator_add(a, b->principal)) == NULL)
		return;
	one->bound = one->bound || (!administrator_is_revoked(a->loss, b) &&
	    !administrator_is_changed(a->loss, b));
}

static void
administrator_user(void *cookie, const char *name, const char *created, bool disabled)
{
	struct administrators *a = cookie;
	struct administrator *one = administrator_find(a, name);

	(void)created;
	if (one == NULL)
		return;
	one->known = one->logs_in = one->still = true;
	one->disabled = disabled;
}

static void
administrator_token(void *cookie, const char *id, const char *principal, const char *created,
    const char *expires)
{
	struct administrators *a = cookie;
	struct administrator *one = administrator_find(a, principal);
	int64_t end;

	(void)created;
	if (one == NULL || (expires != NULL && data_file_parse_date(expires, &end) &&
	    end <= a->now))
		return;
	one->logs_in = true;
	if (a->loss->token != NULL && strcmp(a->loss->token, id) == 0)
		return;
	one->known = one->still = true;
}

/* Was one lost, and none is left? */
static bool
administrators_are_lost(const struct administrators *a)
{
	size_t lost = 0, left = 0;

	for (size_t i = 0; i < a->items.len; i++) {
		const struct administrator *one = vec_at(&a->items, i);
		bool elsewhere = !one->known && a->loss->elsewhere;
		bool before = !one->disabled && (one->logs_in || elsewhere);
		bool after = before && one->bound && (one->still || elsewhere) &&
		    (a->loss->user == NULL || strcmp(a->loss->user, one->name) != 0);

		lost += before && !after;
		left += after;
	}
	return lost > 0 && left == 0;
}

int
administrators_remain(const char *data, const struct administrators_loss *loss, struct error *err)
{
	struct administrators a = { .loss = loss, .now = (int64_t)time(NULL) };
	struct file_id id;
	int rc = -1;

	vec_init(&a.items, sizeof(struct administrator), SIZE_MAX);
	if (roles_read(data, &a.roles, &id, err) != 0 ||
	    access_list(data, administrator_bound, &a, err) != 0)
		goto out;
	if (a.failed) {
		error_memory(err);
		goto out;
	}
	if (a.items.len > 0 && (auth_user_list(data, administrator_user, &a, err) != 0 ||
	    auth_token_list(data, administrator_token, &a, err) != 0))
		goto out;
	rc = 0;
	if (administrators_are_lost(&a)) {
		rc = error_set(err, ERROR_REFUSED, "nobody would be left who may hand out roles on "
		    "the whole registry");
		error_hint(err, "give another login such a role first, SystemAdmin for one, or use "
		    "`propseal registry role`, `user` and `token` where the service's data is");
	}
out:
	vec_release(&a.items);
	roles_release(&a.roles);
	return rc;
}

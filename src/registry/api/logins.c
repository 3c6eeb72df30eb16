#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "registry/api/body.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/auth/access.h"
#include "registry/auth/auth.h"
#include "registry/base/data_file.h"
#include "registry/base/settings.h"
#include "registry/http/http.h"

/*
 * Users, API tokens and roles over REST, as `registry user`, `token` and `role` change
 * them: /secret/admin/users, tokens and roles.  It takes AlterAccess on the whole
 * registry.  Whoever hands out rights but does not read values makes no login
 * of anybody else, neither a password nor a token: not of who may do something, and
 * not of who may do nothing yet either, for a role could be given to that one then; and
 * who reads makes none of who may do more.
 * A role is made by who may do all of it, and changed or taken away by who may do all that
 * it allowed: nobody takes from others what could not be given back.
 */

#define TTL_MAX_S (INT64_C(100) * 366 * 86400)

struct login_change {
	struct error err;
	int result;
	void (*work)(struct exchange *x);	/* on the worker's thread */
	int status;				/* of a success */
	char name[AUTH_NAME_MAX];		/* of a user, a token's principal or its id */
	struct buf password;			/* secret; empty: it stays */
	bool replace;				/* the user is there already */
	int disabled;				/* 1, 0, -1: as it is */
	int64_t ttl_s;
	char id[AUTH_TOKEN_ID];
	struct role role;
	json_t *definition;			/* NULL: the role goes */
	char change[AUTH_NAME_MAX + 64];	/* for the audit */
};

int
request_keeps_administrator(struct exchange *x, struct administrators_loss *loss,
    struct error *err)
{
	const struct settings *set = request_settings(x);

	loss->elsewhere = set->jwks_file != NULL || set->tls_client_ca != NULL;
	return administrators_remain(set->data, loss, err);
}

static void
login_free(void *work)
{
	struct login_change *c = work;

	buf_release(&c->password);
	json_decref(c->definition);
	free(c);
}

static struct login_change *
login_new(struct exchange *x, void (*work)(struct exchange *x), int status)
{
	struct login_change *c = exchange_work(x, sizeof(*c), login_free);

	if (c == NULL)
		return NULL;
	buf_init_secret(&c->password, TARGET_BYTES_MAX);
	c->work = work;
	c->status = status;
	c->disabled = -1;
	return c;
}

/* Take a name as it is compared, so without "User:"; false: answered. */
static bool
login_name(struct exchange *x, struct login_change *c, const char *name, size_t n)
{
	if (principal_normalise(name != NULL ? name : "", n, c->name))
		return true;
	answer_fail(x, 422, 42201, "A name has 1 to %d bytes of visible text, no blank at either "
	    "end", AUTH_NAME_MAX - 1);
	return false;
}

/* May the caller do all of these on the whole registry?  false: answered. */
static bool
login_allows(struct exchange *x, unsigned operations)
{
	for (unsigned op = 0; op < OPERATION_COUNT; op++) {
		if ((operations & OPERATION_BIT(op)) != 0 &&
		    !request_allows(x, (enum operation)op, NULL, 0)) {
			answer_deny(x, (enum operation)op, NULL, 0);
			return false;
		}
	}
	return true;
}

/* May the caller act as who is named: read, and on the whole registry all that the other
 * may do anywhere?  false: answered. */
static bool
login_may_become(struct exchange *x, const struct login_change *c)
{
	struct access *a = x->api->parts.access;
	unsigned operations = OPERATION_BIT(SECRET_READ);

	if (strcmp(c->name, request_principal(x)) == 0)
		return true;
	for (unsigned op = 0; op < OPERATION_COUNT; op++) {
		if (access_anywhere(a, c->name, (enum operation)op))
			operations |= OPERATION_BIT(op);
	}
	return login_allows(x, operations);
}

static void
login_done(struct exchange *x)
{
	struct login_change *c = x->work;

	if (c->result == 0)
		answer_send(x, c->status);
	else if (c->err.code == ERROR_USAGE || c->err.code == ERROR_LIMIT)
		answer_fail(x, 422, 42201, "%s", c->err.text);
	else if (c->err.code == ERROR_MISSING)
		answer_fail(x, 404, 0, "There is nothing of this name");
	else if (c->err.code == ERROR_EXISTS)
		answer_fail(x, 409, 0, "There is a user of this name already");
	else if (c->err.code == ERROR_REFUSED)
		answer_fail(x, 409, 0, "%s; %s", c->err.text, c->err.hint);
	else
		answer_error(x, &c->err);
}

static void
login_intended(struct exchange *x)
{
	const struct login_change *c = x->work;

	api_worker_run(x, c->work, login_done);
}

/* For the audit: ${what} of ${name} is to be changed. */
static void
login_describe(struct exchange *x, const char *what)
{
	struct login_change *c = x->work;

	(void)snprintf(c->change, sizeof(c->change), "%s %s", what, c->name);
	x->change = c->change;
}

/* Put it on record, and have it done. */
static void
login_run(struct exchange *x, const char *what)
{
	login_describe(x, what);
	answer_intend(x, login_intended);
}

/* The same of a login that may be somebody else's. */
static void
login_run_as(struct exchange *x, const char *what)
{
	login_describe(x, what);
	if (login_may_become(x, x->work))
		answer_intend(x, login_intended);
}

/* The body's object; NULL: answered. */
static json_t *
login_body(struct exchange *x)
{
	struct buf *body = http_body(x->r);
	json_t *root = NULL;
	char why[256];
	enum body_result result = body_object(body->data, body->len, &root, why, sizeof(why));

	buf_clear(body);
	if (result == BODY_OK)
		return root;
	json_decref(root);
	answer_body(x, result, why);
	return NULL;
}

/* --- users --- */

static void
users_visit(void *cookie, const char *name, const char *created, bool disabled)
{
	struct exchange *x = cookie;

	x->count++;
	json_out_object(&x->json, NULL);
	json_out_text(&x->json, "name", name);
	json_out_text(&x->json, "created", created);
	json_out_bool(&x->json, "disabled", disabled);
	json_out_end(&x->json);
}

static void
users_read(struct exchange *x)
{
	struct login_change *c = x->work;

	x->has_count = true;
	json_out_array(answer_json(x), NULL);
	c->result = auth_user_list(request_settings(x)->data, users_visit, x, &c->err);
	json_out_end(&x->json);
}

void
users_list(struct exchange *x)
{
	if (login_new(x, users_read, 200) != NULL)
		api_worker_run(x, users_read, login_done);
}

static void
users_work(struct exchange *x)
{
	struct login_change *c = x->work;
	const char *data = request_settings(x)->data;

	if (c->disabled == 1 && (c->result = request_keeps_administrator(x,
	    &(struct administrators_loss){ .user = c->name }, &c->err)) != 0)
		return;
	c->result = c->replace ? auth_user_change(data, c->name, c->password.len > 0 ?
	    c->password.data : NULL, c->password.len, c->disabled, &c->err) :
	    auth_user_add(data, c->name, c->password.data, c->password.len, false, &c->err);
}

static void
users_remove_work(struct exchange *x)
{
	struct login_change *c = x->work;

	c->result = request_keeps_administrator(x,
	    &(struct administrators_loss){ .user = c->name }, &c->err);
	if (c->result == 0)
		c->result = auth_user_remove(request_settings(x)->data, c->name, &c->err);
}

/* "password" and "disabled"; false: answered. */
static bool
users_take(struct exchange *x, struct login_change *c, const json_t *root)
{
	const json_t *password = json_object_get(root, "password");
	const json_t *disabled = json_object_get(root, "disabled");

	if ((password != NULL && json_string_length(password) == 0) ||
	    (disabled != NULL && !json_is_boolean(disabled)) ||
	    (password == NULL && (disabled == NULL || !c->replace)) ||
	    (json_is_true(disabled) && !c->replace)) {
		answer_fail(x, 422, 42201, c->replace ? "Give \"password\", a text, or "
		    "\"disabled\", true or false" : "A new user needs \"password\", a text, and "
		    "is not disabled yet");
		return false;
	}
	if (password != NULL)
		buf_append(&c->password, json_string_value(password),
		    json_string_length(password));
	if (disabled != NULL && c->replace)
		c->disabled = json_is_true(disabled);
	if (c->password.failed) {
		answer_fail(x, 422, 42201, "The password is too long");
		return false;
	}
	return true;
}

void
users_create(struct exchange *x)
{
	struct login_change *c = login_new(x, users_work, 201);
	json_t *root = c != NULL ? login_body(x) : NULL;
	const json_t *name = json_object_get(root, "name");

	if (root == NULL || !login_name(x, c, json_string_value(name), json_string_length(name))) {
		/* answered */
	} else if (strchr(c->name, '/') != NULL) {
		answer_fail(x, 422, 42203, "No user is made here whose name has a '/': no URL "
		    "could name it");
	} else if (users_take(x, c, root)) {
		json_out_object(answer_json(x), NULL);
		json_out_text(&x->json, "name", c->name);
		json_out_end(&x->json);
		login_run_as(x, "create user");
	}
	json_decref(root);
}

void
users_change(struct exchange *x)
{
	struct login_change *c = login_new(x, users_work, 204);
	size_t n;
	const char *name = request_param(x, PARAM_PRINCIPAL, &n);
	json_t *root = c != NULL ? login_body(x) : NULL;

	if (root == NULL)
		return;
	c->replace = true;
	if (login_name(x, c, name, n) && users_take(x, c, root))
		(c->password.len > 0 ? login_run_as : login_run)(x, c->disabled == 1 ?
		    "disable user" : c->disabled == 0 ? "enable user" :
		    "change the password of user");
	json_decref(root);
}

void
users_delete(struct exchange *x)
{
	struct login_change *c = login_new(x, users_remove_work, 204);
	size_t n;
	const char *name = request_param(x, PARAM_PRINCIPAL, &n);

	if (c != NULL && login_name(x, c, name, n))
		login_run(x, "delete user");
}

/* --- tokens --- */

static void
tokens_visit(void *cookie, const char *id, const char *principal, const char *created,
    const char *expires)
{
	struct exchange *x = cookie;

	x->count++;
	json_out_object(&x->json, NULL);
	json_out_text(&x->json, "id", id);
	json_out_text(&x->json, "principal", principal);
	json_out_text(&x->json, "created", created);
	json_out_text(&x->json, "expires", expires);
	json_out_end(&x->json);
}

static void
tokens_read(struct exchange *x)
{
	struct login_change *c = x->work;

	x->has_count = true;
	json_out_array(answer_json(x), NULL);
	c->result = auth_token_list(request_settings(x)->data, tokens_visit, x, &c->err);
	json_out_end(&x->json);
}

void
tokens_list(struct exchange *x)
{
	if (login_new(x, tokens_read, 200) != NULL)
		api_worker_run(x, tokens_read, login_done);
}

static void
tokens_work(struct exchange *x)
{
	struct login_change *c = x->work;
	struct buf token;

	buf_init_secret(&token, TARGET_BYTES_MAX);
	c->result = auth_token_create(request_settings(x)->data, c->name, c->ttl_s, c->id, &token,
	    &c->err);
	json_out_object(answer_json(x), NULL);
	json_out_text(&x->json, "id", c->id);
	json_out_text(&x->json, "principal", c->name);
	json_out_text_n(&x->json, "token", token.len > 0 ? (const char *)token.data : "",
	    token.len);
	json_out_end(&x->json);
	buf_release(&token);
}

void
tokens_create(struct exchange *x)
{
	struct login_change *c = login_new(x, tokens_work, 201);
	json_t *root = c != NULL ? login_body(x) : NULL;
	const json_t *name = json_object_get(root, "principal");
	const json_t *ttl = json_object_get(root, "ttl");

	if (root == NULL)
		return;
	c->ttl_s = json_integer_value(ttl);
	if (ttl != NULL && (!json_is_integer(ttl) || c->ttl_s < 1 || c->ttl_s > TTL_MAX_S))
		answer_fail(x, 422, 42201, "\"ttl\" must be a whole number of seconds, from 1 to "
		    "a hundred years");
	else if (login_name(x, c, json_string_value(name), json_string_length(name)))
		login_run_as(x, "create a token for");
	json_decref(root);
}

static void
tokens_revoke_work(struct exchange *x)
{
	struct login_change *c = x->work;

	c->result = request_keeps_administrator(x,
	    &(struct administrators_loss){ .token = c->name }, &c->err);
	if (c->result == 0)
		c->result = auth_token_revoke(request_settings(x)->data, c->name, &c->err);
}

void
tokens_revoke(struct exchange *x)
{
	struct login_change *c = login_new(x, tokens_revoke_work, 204);
	size_t n;
	const char *id = request_param(x, PARAM_ROLE, &n);

	/* A whole token has no place in a URL, nor in the audit log. */
	if (c != NULL && n != sizeof(c->id) - 1)
		answer_fail(x, 404, 0, "There is no token of this id");
	else if (c != NULL && login_name(x, c, id, n))
		login_run(x, "revoke token");
}

/* --- what roles allow --- */

static void
roles_read_all(struct exchange *x)
{
	struct login_change *c = x->work;

	c->result = access_roles(request_settings(x)->data, &x->body, &c->err);
}

void
roles_list(struct exchange *x)
{
	if (login_new(x, roles_read_all, 200) != NULL)
		api_worker_run(x, roles_read_all, login_done);
}

static void
roles_work(struct exchange *x)
{
	struct login_change *c = x->work;

	c->result = request_keeps_administrator(x,
	    &(struct administrators_loss){ .role = &c->role }, &c->err);
	if (c->result == 0)
		c->result = roles_change(request_settings(x)->data, c->role.name, c->definition,
		    &c->err);
}

/* For the audit: what it is to allow. */
static void
roles_describe(struct exchange *x)
{
	struct login_change *c = x->work;
	size_t n = (size_t)snprintf(c->change, sizeof(c->change), "define role %s on%s%s:",
	    c->role.name, c->role.cluster ? " everything" : "", c->role.path ? " paths" : "");

	for (unsigned op = 0; op < OPERATION_COUNT; op++) {
		if ((c->role.operations & OPERATION_BIT(op)) != 0)
			n += (size_t)snprintf(c->change + n, sizeof(c->change) - n, " %s",
			    operation_name((enum operation)op));
	}
	x->change = c->change;
}

/* May the caller do on the whole registry what the role allows, and is to allow?  false:
 * answered. */
static bool
roles_may(struct exchange *x, const struct role *role)
{
	return login_allows(x, role->operations |
	    access_role(x->api->parts.access, role->name));
}

void
roles_define(struct exchange *x)
{
	struct login_change *c = login_new(x, roles_work, 204);
	size_t n;
	const char *name = request_param(x, PARAM_ROLE, &n);
	struct error err;

	if (c == NULL || (c->definition = login_body(x)) == NULL)
		return;
	if (roles_role(name, c->definition, &c->role, &err) != 0) {
		answer_fail(x, 422, 42201, "%s", err.text);
		return;
	}
	roles_describe(x);
	if (roles_may(x, &c->role))
		answer_intend(x, login_intended);
}

void
roles_remove(struct exchange *x)
{
	struct login_change *c = login_new(x, roles_work, 204);
	size_t n;
	const char *name = request_param(x, PARAM_ROLE, &n);

	if (c == NULL)
		return;
	if (n >= sizeof(c->role.name)) {
		answer_fail(x, 404, 0, "There is nothing of this name");
		return;
	}
	memcpy(c->role.name, name, n + 1);
	memcpy(c->name, name, n + 1);
	login_describe(x, "remove role");
	if (roles_may(x, &c->role))
		answer_intend(x, login_intended);
}

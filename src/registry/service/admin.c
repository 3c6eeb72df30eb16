#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "common/service_commands.h"
#include "file/file.h"
#include "registry/auth/access.h"
#include "registry/auth/auth.h"
#include "registry/auth/auth_internal.h"
#include "registry/base/data_file.h"
#include "registry/service/service.h"

#define NAMES_MAX 512

#define CLOCK_STEP_MS 4		/* of the coarse clock that the registry goes by */
#define TOKEN_MAX 256
#define ROLE_TEXT_MAX 65536

enum action_kind {
	SHOWS,
	CHANGES,	/* the files: a running registry is waited for */
	MAKES,		/* likewise, and what it has made is told by itself */
	AUDITS		/* an error of the command line is told with the usage */
};

/* What the word after `registry user` (token, role, audit) stands for. */
struct action {
	const char *name;
	size_t min_args;	/* after the word itself */
	size_t max_args;
	enum action_kind kind;
	bool no_data;		/* --data may be missing */
	int (*run)(const struct options *o, struct error *err);	/* sees args without the word */
};

/* What there is under somebody's name. */
struct rest {
	char name[PRINCIPAL_MAX];
	size_t users, tokens, bindings;
};

struct listing {
	struct admin_list list;
	const char *principal;		/* only theirs; NULL: all */
	const json_t *roles;		/* the table in force */
	size_t unknown;			/* bindings of roles that are not in it */
};

/* ERROR_USAGE unless the flag was given. */
static int
need(const struct options *o, enum flag_id id, struct error *err)
{
	if (o->given[id])
		return 0;
	return error_set(err, ERROR_USAGE, "--%s is missing", flag_get(id)->name);
}

static int
action_unknown(const struct options *o, const struct action *actions)
{
	const struct action *a;
	struct error err;
	struct buf names;

	buf_init(&names, NAMES_MAX);
	for (a = actions; a->name != NULL; a++)
		buf_printf(&names, "%s%s", names.len > 0 ? "|" : "", a->name);
	error_set(&err, ERROR_USAGE, "unknown action of registry %s: %s", o->command->name,
	    o->args[0]);
	near_choice(o->args[0], buf_cstr(&names), &err);
	buf_release(&names);
	return usage_error(o->command, &err);
}

static int
action_run(const struct options *o, const struct action *actions)
{
	/* A running registry looks at the files every few milliseconds. */
	const struct timespec pause = { 0, 1000000L * (2 * WATCH_MS + CLOCK_STEP_MS) };
	const struct action *a;
	struct options rest = *o;
	struct error err;
	int rc = 0;

	for (a = actions; a->name != NULL && strcmp(a->name, o->args[0]) != 0; a++)
		;
	if (a->name == NULL)
		return action_unknown(o, actions);
	rest.args++;
	rest.arg_count--;
	if (rest.arg_count < a->min_args || rest.arg_count > a->max_args) {
		error_set(&err, ERROR_USAGE, "registry %s %s takes %s argument", o->command->name,
		    a->name, a->max_args == 0 ? "no further" : a->min_args == a->max_args ?
		    "one further" : "at most one further");
		return usage_error(o->command, &err);
	}
	if (!a->no_data)
		rc = need(o, FLAG_DATA, &err);
	if (rc != 0)
		error_hint(&err, "--data DIR, or --url URL of a registry that runs");
	if (rc == 0 && o->given[FLAG_DATA] && a->kind != AUDITS)
		rc = data_file_check_mark(o->text[FLAG_DATA], &err);
	if (rc == 0)
		rc = a->run(&rest, &err);
	if (rc == 0 && a->kind == CHANGES)
		rc = report_action(o->text[FLAG_DATA], o->command->name, a->name,
		    rest.arg_count > 0 ? rest.args[0] : NULL, &err);
	if (rc != 0)
		return a->kind == AUDITS && err.code == ERROR_USAGE ?
		    usage_error(o->command, &err) : report_error(&err);
	/* When the command has ended, the change is in force. */
	if (a->kind == CHANGES || a->kind == MAKES)
		nanosleep(&pause, NULL);
	return 0;
}

static int
user_add(const struct options *o, struct error *err)
{
	struct buf password;
	int rc;

	/* Room for a line end, and for askpass to say that it is too long. */
	buf_init_secret(&password, 4 * PASSWORD_MAX);
	rc = askpass_or_input("Password: ", &password, err);
	if (rc == 0)
		rc = auth_user_add(o->text[FLAG_DATA], o->args[0], password.data, password.len,
		    o->on[FLAG_REPLACE], err);
	if (rc == 0 && password.len < PASSWORD_SHORT)
		report_warning("`propseal registry user add --replace` sets a longer one",
		    "the password is shorter than %d bytes: it is soon guessed", PASSWORD_SHORT);
	buf_release(&password);
	return rc;
}

static void
count_token(void *cookie, const char *id, const char *principal, const char *created,
    const char *expires)
{
	struct rest *r = cookie;

	(void)id;
	(void)created;
	(void)expires;
	r->tokens += strcmp(principal, r->name) == 0;
}

static void
count_binding(void *cookie, const struct binding *b)
{
	struct rest *r = cookie;

	r->bindings += strcmp(b->principal, r->name) == 0;
}

static void
warn_of_rest(const char *data, const char *name)
{
	struct rest r = { .tokens = 0 };

	if (!principal_normalise(name, strlen(name), r.name) ||
	    access_list(data, count_binding, &r, NULL) != 0)
		return;
	if (r.bindings > 0)
		report_warning("`propseal registry role revoke ROLE` takes one away",
		    "the roles of %s stay granted, also to a later user of this name: there "
		    "are %zu", r.name, r.bindings);
}

static int
user_remove(const struct options *o, struct error *err)
{
	int rc = auth_user_remove(o->text[FLAG_DATA], o->args[0], err);

	if (rc == 0)
		warn_of_rest(o->text[FLAG_DATA], o->args[0]);
	return rc;
}

static int
user_disable(const struct options *o, struct error *err)
{
	return auth_user_change(o->text[FLAG_DATA], o->args[0], NULL, 0, 1, err);
}

static int
user_enable(const struct options *o, struct error *err)
{
	return auth_user_change(o->text[FLAG_DATA], o->args[0], NULL, 0, 0, err);
}

static void
add_user(void *cookie, const char *name, const char *created, bool disabled)
{
	const char *cells[] = { name, created, disabled ? "disabled" : "active" };

	admin_list_add(cookie, cells);
}

static int
user_list(const struct options *o, struct error *err)
{
	struct admin_list l;

	admin_list_begin(&l, ADMIN_USERS, options_format(o) == OUTPUT_JSON);
	return admin_list_end(&l, auth_user_list(o->text[FLAG_DATA], add_user, &l, err), err);
}

static int
print_token(const struct options *o, const char *id, const struct buf *token, struct error *err)
{
	struct json_out json;
	struct buf out;
	int rc;

	buf_init_secret(&out, 16 * TOKEN_MAX);
	if (options_format(o) == OUTPUT_JSON) {
		json_out_init(&json, &out);
		json_out_object(&json, NULL);
		json_out_text(&json, "id", id);
		json_out_text(&json, "principal", o->text[FLAG_PRINCIPAL]);
		json_out_text_n(&json, "token", token->data, token->len);
		json_out_end(&json);
	} else {
		buf_append(&out, token->data, token->len);
	}
	buf_append_char(&out, '\n');
	rc = output_write(&out, err);
	buf_release(&out);
	if (rc != 0)
		return error_hint(err, "the token %s was made but not shown: revoke it", id);
	if (options_format(o) != OUTPUT_JSON)
		report_note("this is the only time that token %s is shown", id);
	return 0;
}

static int
token_create(const struct options *o, struct error *err)
{
	struct buf token;
	char id[AUTH_TOKEN_ID];
	int rc = need(o, FLAG_PRINCIPAL, err);

	buf_init_secret(&token, TOKEN_MAX);
	if (rc == 0)
		rc = auth_token_create(o->text[FLAG_DATA], o->text[FLAG_PRINCIPAL],
		    o->given[FLAG_TTL] ? o->seconds[FLAG_TTL] : 0, id, &token, err);
	if (rc == 0)
		rc = print_token(o, id, &token, err);
	buf_release(&token);
	return rc;
}

static int
token_revoke(const struct options *o, struct error *err)
{
	return auth_token_revoke(o->text[FLAG_DATA], o->args[0], err);
}

static void
add_token(void *cookie, const char *id, const char *principal, const char *created,
    const char *expires)
{
	const char *cells[] = { id, principal, created, expires };

	admin_list_add(cookie, cells);
}

static int
token_list(const struct options *o, struct error *err)
{
	struct admin_list l;

	admin_list_begin(&l, ADMIN_TOKENS, options_format(o) == OUTPUT_JSON);
	return admin_list_end(&l, auth_token_list(o->text[FLAG_DATA], add_token, &l, err), err);
}

/* --- grant and revoke --- */

static int
read_binding(const struct options *o, struct binding *b, struct error *err)
{
	const char *path = o->text[FLAG_PATH_NAME];
	const char *prefix = o->text[FLAG_PREFIX];

	if (need(o, FLAG_PRINCIPAL, err) != 0)
		return -1;
	if (path != NULL && prefix != NULL)
		return error_set(err, ERROR_USAGE, "--path and --prefix exclude each other");
	*b = (struct binding){
		.role = o->args[0],
		.principal = o->text[FLAG_PRINCIPAL],
		.pattern = path != NULL ? path : prefix,
		.prefix = prefix != NULL,
	};
	return 0;
}

static void
count_user(void *cookie, const char *name, const char *created, bool disabled)
{
	struct rest *r = cookie;

	(void)created;
	(void)disabled;
	r->users += strcmp(name, r->name) == 0;
}

/* A name that is not known here is a JWT's, a certificate's, or a slip. */
static void
warn_of_nobody(const char *data, const char *name)
{
	struct rest r = { .tokens = 0 };

	if (principal_normalise(name, strlen(name), r.name) &&
	    auth_user_list(data, count_user, &r, NULL) == 0 &&
	    auth_token_list(data, count_token, &r, NULL) == 0 && r.users + r.tokens == 0)
		report_warning("`propseal registry user add` and `token create` make one",
		    "nobody here has the name %s: the role is for who comes with a JWT or a "
		    "certificate of that name", r.name);
}

static int
role_grant(const struct options *o, struct error *err)
{
	struct binding b;

	if (read_binding(o, &b, err) != 0 || access_grant(o->text[FLAG_DATA], &b, 1, err) != 0)
		return -1;
	warn_of_nobody(o->text[FLAG_DATA], b.principal);
	return 0;
}

static int
role_revoke(const struct options *o, struct error *err)
{
	struct binding b;

	return read_binding(o, &b, err) != 0 ? -1 : access_revoke(o->text[FLAG_DATA], &b, 1, err);
}

/* --- list --- */

static void
role_add_binding(void *cookie, const struct binding *b)
{
	struct listing *l = cookie;
	const char *cells[] = {
		b->principal, b->role,
		b->pattern == NULL ? "CLUSTER" : b->prefix ? "PREFIXED" : "LITERAL",
		b->pattern, b->by,
	};

	if (l->principal != NULL && strcmp(l->principal, b->principal) != 0)
		return;
	l->unknown += json_object_get(l->roles, b->role) == NULL;
	admin_list_add(&l->list, cells);
}

/* The roles in force; the caller decrefs. */
static json_t *
load_roles(const char *data, struct buf *text, struct error *err)
{
	json_t *root = NULL;

	if (access_roles(data, text, err) != 0 || buf_check(text, err) != 0)
		return NULL;
	root = json_loadb((const char *)text->data, text->len, 0, NULL);
	if (root == NULL)
		error_memory(err);
	return root;
}

static int
list_bindings(const struct options *o, struct listing *l, struct error *err)
{
	const char *name = o->text[FLAG_PRINCIPAL];
	char normal[PRINCIPAL_MAX];
	json_t *root;
	struct buf text;
	int rc = -1;

	if (name != NULL) {
		if (!principal_normalise(name, strlen(name), normal))
			return error_set(err, ERROR_USAGE, "not a name for a principal");
		l->principal = normal;
	}
	buf_init(&text, ROLES_TEXT_MAX);
	root = load_roles(o->text[FLAG_DATA], &text, err);
	if (root != NULL) {
		l->roles = json_object_get(root, "roles");
		rc = access_list(o->text[FLAG_DATA], role_add_binding, l, err);
	}
	json_decref(root);
	buf_release(&text);
	return rc;
}

static int
role_list(const struct options *o, struct error *err)
{
	struct listing l = { .principal = NULL };
	int rc;

	admin_list_begin(&l.list, ADMIN_BINDINGS, options_format(o) == OUTPUT_JSON);
	rc = admin_list_end(&l.list, list_bindings(o, &l, err), err);
	if (rc == 0 && l.unknown > 0)
		report_warning("`propseal registry role show --data DIR` lists the roles",
		    "some of these roles are not in roles.json and grant nothing: there are %zu",
		    l.unknown);
	return rc;
}

/* --- show --- */

static int
role_show(const struct options *o, struct error *err)
{
	struct buf text;
	int rc = 0;

	buf_init(&text, ROLES_TEXT_MAX);
	if (o->text[FLAG_DATA] == NULL)
		roles_append_builtin(&text);
	else
		rc = access_roles(o->text[FLAG_DATA], &text, err);
	if (rc == 0 && (rc = buf_check(&text, err)) == 0)
		rc = roles_print(text.data, text.len, o->arg_count > 0 ? o->args[0] : NULL,
		    options_format(o) == OUTPUT_JSON, err);
	buf_release(&text);
	return rc;
}

/* --- define and remove --- */

static int
role_define(const struct options *o, struct error *err)
{
	struct buf text;
	struct role role;
	json_t *root = NULL;
	int rc;

	buf_init(&text, ROLE_TEXT_MAX);
	rc = file_read_fd(STDIN_FILENO, "standard input", &text, err);
	if (rc == 0 && (root = json_loadb(text.len > 0 ? (const char *)text.data : "", text.len,
	    JSON_REJECT_DUPLICATES, NULL)) == NULL)
		rc = error_set(err, ERROR_FORMAT, "standard input is no JSON");
	if (rc == 0 && (rc = roles_role(o->args[0], root, &role, err)) == 0)
		rc = roles_change(o->text[FLAG_DATA], o->args[0], root, err);
	json_decref(root);
	buf_release(&text);
	return rc;
}

static int
role_remove(const struct options *o, struct error *err)
{
	return roles_change(o->text[FLAG_DATA], o->args[0], NULL, err);
}

int
commands_registry_user(const struct options *o)
{
	static const struct action actions[] = {
		{ "add", 1, 1, CHANGES, false, user_add },
		{ "remove", 1, 1, CHANGES, false, user_remove },
		{ "disable", 1, 1, CHANGES, false, user_disable },
		{ "enable", 1, 1, CHANGES, false, user_enable },
		{ "list", 0, 0, SHOWS, false, user_list },
		{ 0 }
	};

	return action_run(o, actions);
}

int
commands_registry_token(const struct options *o)
{
	static const struct action actions[] = {
		{ "create", 0, 0, MAKES, false, token_create },
		{ "revoke", 1, 1, CHANGES, false, token_revoke },
		{ "list", 0, 0, SHOWS, false, token_list },
		{ 0 }
	};

	return action_run(o, actions);
}

int
commands_registry_role(const struct options *o)
{
	static const struct action actions[] = {
		{ "grant", 1, 1, CHANGES, false, role_grant },
		{ "revoke", 1, 1, CHANGES, false, role_revoke },
		{ "list", 0, 0, SHOWS, false, role_list },
		{ "show", 0, 1, SHOWS, true, role_show },
		{ "define", 1, 1, CHANGES, false, role_define },
		{ "remove", 1, 1, CHANGES, false, role_remove },
		{ 0 }
	};

	return action_run(o, actions);
}

int
commands_registry_audit(const struct options *o)
{
	static const struct action actions[] = {
		{ "verify", 0, 0, AUDITS, false, audit_command_verify },
		{ "search", 0, 0, AUDITS, false, audit_command_search },
		{ 0 }
	};

	return action_run(o, actions);
}

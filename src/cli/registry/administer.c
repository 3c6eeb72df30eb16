#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "cli/commands.h"
#include "cli/remote.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "common/service_commands.h"
#include "file/file.h"

/*
 * `registry user`, `token` and `role` of a registry that runs, by --url: the same words
 * and the same output as with --data, which propseal-registryd does.
 */

#define PASSWORD_BYTES_MAX 4096	/* the service says how long one may be */
#define ROLE_TEXT_MAX 65536
#define TOKEN_OUT_MAX 8192

struct administer {
	const struct options *o;
	struct remote r;
	const char *name;		/* the word after the action, NULL: none */
};

/* One word after `registry user`, `token` or `role`. */
struct administer_action {
	const char *command, *word;
	enum { NAME_NONE, NAME_ONE, NAME_MAY } named;	/* another word follows */
	bool changes;			/* is told in a line */
	int (*run)(struct administer *a, struct error *err);
};

static int
administer_need(const struct administer *a, enum flag_id id, struct error *err)
{
	return a->o->given[id] ? 0 : error_set(err, ERROR_USAGE, "--%s is missing",
	    flag_get(id)->name);
}

/* --- lists --- */

/* The answer's list, of which ${row} adds each. */
struct administer_list {
	struct admin_list list;
	const char *principal;		/* only theirs; NULL: all */
	void (*row)(struct administer_list *l, const json_t *item);
};

static const char *
list_member(const json_t *item, const char *member)
{
	return json_string_value(json_object_get(item, member));
}

static int
list_visit(void *cookie, const json_t *item, struct error *err)
{
	struct administer_list *l = cookie;

	(void)err;
	l->row(l, item);
	return 0;
}

/* Get secret/admin/${what} and print its list. */
static int
administer_list(struct administer *a, const char *what, enum admin_kind kind,
    void (*row)(struct administer_list *l, const json_t *item), struct error *err)
{
	struct administer_list l = { .principal = a->o->text[FLAG_PRINCIPAL], .row = row };
	int rc;

	remote_target(&a->r, "secret", "admin", what, (const char *)NULL);
	admin_list_begin(&l.list, kind, options_format(a->o) == OUTPUT_JSON);
	if ((rc = remote_call(&a->r, "GET", NULL, err)) == 0)
		rc = remote_each(&a->r, NULL, "the answer is no list",
		    "is the URL that of a Secret Registry?", list_visit, &l, err);
	return admin_list_end(&l.list, rc, err);
}

/* --- users --- */

static void
target_of(struct administer *a, const char *what)
{
	remote_target(&a->r, "secret", "admin", what, a->name, (const char *)NULL);
}

static void
user_body(struct administer *a, const char *name, const struct buf *password)
{
	struct json_out o;

	buf_clear(&a->r.body);
	json_out_init(&o, &a->r.body);
	json_out_object(&o, NULL);
	if (name != NULL)
		json_out_text(&o, "name", name);
	json_out_text_n(&o, "password", password->data, password->len);
	json_out_end(&o);
}

static int
administer_user_add(struct administer *a, struct error *err)
{
	struct buf password;
	int rc;

	buf_init_secret(&password, PASSWORD_BYTES_MAX);
	rc = askpass_or_input("Password: ", &password, err);
	if (rc == 0 && password.len == 0)
		rc = error_set(err, ERROR_USAGE, "the password is empty");
	if (rc == 0 && (rc = remote_check_text(&password, err)) == 0) {
		if (a->o->on[FLAG_REPLACE]) {
			target_of(a, "users");
			user_body(a, NULL, &password);
			rc = remote_call(&a->r, "PATCH", NULL, err);
		}
		if (!a->o->on[FLAG_REPLACE] || (rc != 0 && a->r.got.status == 404)) {
			remote_target(&a->r, "secret", "admin", "users", (const char *)NULL);
			user_body(a, a->name, &password);
			rc = remote_call(&a->r, "POST", NULL, err);
		}
	}
	buf_release(&password);
	return rc;
}

static int
administer_user_remove(struct administer *a, struct error *err)
{
	target_of(a, "users");
	return remote_call(&a->r, "DELETE", NULL, err);
}

static int
user_set_disabled(struct administer *a, bool disabled, struct error *err)
{
	struct json_out o;

	target_of(a, "users");
	json_out_init(&o, &a->r.body);
	json_out_object(&o, NULL);
	json_out_bool(&o, "disabled", disabled);
	json_out_end(&o);
	return remote_call(&a->r, "PATCH", NULL, err);
}

static int
administer_user_disable(struct administer *a, struct error *err)
{
	return user_set_disabled(a, true, err);
}

static int
administer_user_enable(struct administer *a, struct error *err)
{
	return user_set_disabled(a, false, err);
}

static void
user_row(struct administer_list *l, const json_t *item)
{
	const char *cells[] = { list_member(item, "name"), list_member(item, "created"),
	    json_is_true(json_object_get(item, "disabled")) ? "disabled" : "active" };

	admin_list_add(&l->list, cells);
}

static int
administer_user_list(struct administer *a, struct error *err)
{
	return administer_list(a, "users", ADMIN_USERS, user_row, err);
}

/* --- tokens --- */

static int
token_print(struct administer *a, struct error *err)
{
	json_t *root = json_loadb((const char *)a->r.answer.data, a->r.answer.len, 0, NULL);
	const char *id = json_string_value(json_object_get(root, "id"));
	const char *token = json_string_value(json_object_get(root, "token"));
	struct buf out;
	int rc;

	buf_init_secret(&out, TOKEN_OUT_MAX);
	if (id == NULL || token == NULL) {
		rc = error_set(err, ERROR_FORMAT, "the answer is no token");
		error_hint(err, "is the URL that of a Secret Registry?");
	} else if (options_format(a->o) == OUTPUT_JSON) {
		rc = remote_print(&a->r, err);
	} else {
		buf_append_str(&out, token);
		buf_append_char(&out, '\n');
		rc = output_write(&out, err);
	}
	if (rc != 0 && id != NULL)
		error_hint(err, "the token %s was made but not shown: revoke it", id);
	else if (rc == 0 && options_format(a->o) != OUTPUT_JSON)
		report_note("this is the only time that token %s is shown", id);
	buf_release(&out);
	json_decref(root);
	return rc;
}

static int
administer_token_create(struct administer *a, struct error *err)
{
	struct json_out o;
	int rc = administer_need(a, FLAG_PRINCIPAL, err);

	if (rc != 0)
		return rc;
	target_of(a, "tokens");
	json_out_init(&o, &a->r.body);
	json_out_object(&o, NULL);
	json_out_text(&o, "principal", a->o->text[FLAG_PRINCIPAL]);
	if (a->o->given[FLAG_TTL])
		json_out_int(&o, "ttl", a->o->seconds[FLAG_TTL]);
	json_out_end(&o);
	rc = remote_call(&a->r, "POST", NULL, err);
	return rc == 0 ? token_print(a, err) : rc;
}

static int
administer_token_revoke(struct administer *a, struct error *err)
{
	/* A whole token must not get into a URL, nor into a message. */
	if (strlen(a->name) != 12) {
		error_set(err, ERROR_USAGE, "not the id of a token");
		return error_hint(err, "`propseal registry token list` lists their ids");
	}
	target_of(a, "tokens");
	return remote_call(&a->r, "DELETE", NULL, err);
}

static void
token_row(struct administer_list *l, const json_t *item)
{
	const char *cells[] = { list_member(item, "id"), list_member(item, "principal"),
	    list_member(item, "created"), list_member(item, "expires") };

	admin_list_add(&l->list, cells);
}

static int
administer_token_list(struct administer *a, struct error *err)
{
	return administer_list(a, "tokens", ADMIN_TOKENS, token_row, err);
}

/* --- roles --- */

static int
binding_check(struct administer *a, struct error *err)
{
	if (administer_need(a, FLAG_PRINCIPAL, err) != 0)
		return -1;
	if (a->o->text[FLAG_PATH_NAME] != NULL && a->o->text[FLAG_PREFIX] != NULL)
		return error_set(err, ERROR_USAGE, "--path and --prefix exclude each other");
	remote_target(&a->r, "secret", "admin", "role-bindings", (const char *)NULL);
	return 0;
}

static int
administer_role_grant(struct administer *a, struct error *err)
{
	struct json_out o;

	if (binding_check(a, err) != 0)
		return -1;
	json_out_init(&o, &a->r.body);
	json_out_object(&o, NULL);
	json_out_text(&o, "role", a->name);
	json_out_text(&o, "principal", a->o->text[FLAG_PRINCIPAL]);
	if (a->o->text[FLAG_PATH_NAME] != NULL)
		json_out_text(&o, "path", a->o->text[FLAG_PATH_NAME]);
	if (a->o->text[FLAG_PREFIX] != NULL)
		json_out_text(&o, "prefix", a->o->text[FLAG_PREFIX]);
	json_out_end(&o);
	return remote_call(&a->r, "PUT", NULL, err);
}

static int
administer_role_revoke(struct administer *a, struct error *err)
{
	if (binding_check(a, err) != 0)
		return -1;
	remote_query(&a->r, "role", a->name);
	remote_query(&a->r, "principal", a->o->text[FLAG_PRINCIPAL]);
	if (a->o->text[FLAG_PATH_NAME] != NULL)
		remote_query(&a->r, "path", a->o->text[FLAG_PATH_NAME]);
	if (a->o->text[FLAG_PREFIX] != NULL)
		remote_query(&a->r, "prefix", a->o->text[FLAG_PREFIX]);
	return remote_call(&a->r, "DELETE", NULL, err);
}

static void
role_row(struct administer_list *l, const json_t *item)
{
	const char *path = list_member(item, "path"), *prefix = list_member(item, "prefix");
	const char *cells[] = { list_member(item, "principal"), list_member(item, "role"),
	    path != NULL ? "LITERAL" : prefix != NULL ? "PREFIXED" : "CLUSTER",
	    prefix != NULL ? prefix : path, list_member(item, "by") };
	const char *only = l->principal;

	/* As it is kept: without one User: before it. */
	if (only != NULL && strncmp(only, "User:", 5) == 0)
		only += 5;
	if (only == NULL || (cells[0] != NULL && strcmp(only, cells[0]) == 0))
		admin_list_add(&l->list, cells);
}

static int
administer_role_list(struct administer *a, struct error *err)
{
	return administer_list(a, "role-bindings", ADMIN_BINDINGS, role_row, err);
}

static int
administer_role_show(struct administer *a, struct error *err)
{
	int rc;

	remote_target(&a->r, "secret", "admin", "roles", (const char *)NULL);
	if ((rc = remote_call(&a->r, "GET", NULL, err)) == 0)
		rc = roles_print(a->r.answer.data, a->r.answer.len, a->name,
		    options_format(a->o) == OUTPUT_JSON, err);
	return rc;
}

static int
administer_role_define(struct administer *a, struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, ROLE_TEXT_MAX);
	target_of(a, "roles");
	rc = file_read_fd(STDIN_FILENO, "standard input", &text, err);
	buf_append(&a->r.body, text.data, text.len);
	buf_release(&text);
	return rc == 0 ? remote_call(&a->r, "PUT", NULL, err) : rc;
}

static int
administer_role_remove(struct administer *a, struct error *err)
{
	target_of(a, "roles");
	return remote_call(&a->r, "DELETE", NULL, err);
}

/* --- the command --- */

static const struct administer_action actions[] = {
	{ "user", "add", NAME_ONE, true, administer_user_add },
	{ "user", "remove", NAME_ONE, true, administer_user_remove },
	{ "user", "disable", NAME_ONE, true, administer_user_disable },
	{ "user", "enable", NAME_ONE, true, administer_user_enable },
	{ "user", "list", NAME_NONE, false, administer_user_list },
	{ "token", "create", NAME_NONE, false, administer_token_create },
	{ "token", "revoke", NAME_ONE, true, administer_token_revoke },
	{ "token", "list", NAME_NONE, false, administer_token_list },
	{ "role", "grant", NAME_ONE, true, administer_role_grant },
	{ "role", "revoke", NAME_ONE, true, administer_role_revoke },
	{ "role", "list", NAME_NONE, false, administer_role_list },
	{ "role", "show", NAME_MAY, false, administer_role_show },
	{ "role", "define", NAME_ONE, true, administer_role_define },
	{ "role", "remove", NAME_ONE, true, administer_role_remove },
};

/* The ways out that remote_call tells are those for secrets. */
static void
administer_hint(const struct administer *a, const struct administer_action *action,
    struct error *err)
{
	const char *command = action->command;
	/* Of a role that is what it allows, not who has it. */
	const char *look = action->run == administer_role_define ||
	    action->run == administer_role_remove ? "show" : "list";
	int status = a->r.got.status;

	if (status == 409 && strcmp(command, "user") == 0 && strcmp(action->word, "add") == 0)
		error_hint(err, "--replace gives the user the new password");
	else if (status == 409)
		err->hint[0] = '\0';	/* the text has it */
	else if (status == 404)
		error_hint(err, "`propseal registry %s %s` shows what is there", command, look);
	else if (status == 504)
		error_hint(err, "it may have been done: look with `propseal registry %s %s`",
		    command, look);
}

int
commands_registry_administer(const struct options *o)
{
	struct administer a = { .o = o, .name = o->arg_count > 1 ? o->args[1] : NULL };
	const struct administer_action *action = NULL;
	struct error err;
	int rc;

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].command, o->command->name) == 0 &&
		    strcmp(actions[i].word, o->args[0]) == 0)
			action = &actions[i];
	}
	if (o->given[FLAG_DATA])
		error_set(&err, ERROR_USAGE, "--url and --data exclude each other");
	else if (action == NULL)
		error_set(&err, ERROR_USAGE, "registry %s %s is not asked of a registry by --url",
		    o->command->name, o->args[0]);
	else if (action->named != NAME_MAY &&
	    (action->named == NAME_ONE) != (a.name != NULL))
		error_set(&err, ERROR_USAGE, "registry %s %s takes %s argument", o->command->name,
		    action->word, action->named == NAME_ONE ? "one further" : "no further");
	else
		err.code = ERROR_NONE;
	if (err.code != ERROR_NONE)
		return usage_error(o->command, &err);
	rc = remote_open(&a.r, o, &err);
	if (rc == 0)
		rc = action->run(&a, &err);
	if (rc != 0)
		administer_hint(&a, action, &err);
	if (rc == 0 && action->changes)
		rc = report_action(o->text[FLAG_URL], action->command, action->word, a.name, &err);
	return remote_status(&a.r, rc, &err);
}

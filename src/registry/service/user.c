#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/askpass.h"
#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "common/options.h"
#include "registry/auth/access.h"
#include "registry/auth/auth.h"
#include "registry/auth/password.h"
#include "registry/service/admin.h"
#include "cli/cli.h"
#include "registry/base/principal.h"
#include "common/report.h"

/* From a terminal twice; else all that comes, without one line end at its end. */
static int
read_password(struct buf *out, struct error *err)
{
	if (isatty(STDIN_FILENO) && askpass_available())
		return askpass_twice("Password: ", out, err);
	if (file_read_fd(STDIN_FILENO, "standard input", out, err) != 0)
		return -1;
	if (out->len == 0 || out->data[out->len - 1] != '\n')
		return 0;
	buf_truncate(out, out->len - 1);
	if (out->len > 0 && out->data[out->len - 1] == '\r')
		buf_truncate(out, out->len - 1);
	return 0;
}

int
commands_registry_user_add(const struct options *o)
{
	struct buf password;
	struct error err;
	int rc;

	/* Room for a line end, and for askpass to say that it is too long. */
	buf_init_secret(&password, 4 * PASSWORD_MAX);
	rc = admin_need(o, FLAG_DATA, &err);
	if (rc == 0)
		rc = read_password(&password, &err);
	if (rc == 0)
		rc = auth_user_add(o->text[FLAG_DATA], o->args[0], password.data, password.len,
		    o->on[FLAG_REPLACE], &err);
	if (rc == 0 && password.len < PASSWORD_SHORT)
		report_warning("`propseal registry user add --replace` sets a longer one",
		    "the password is shorter than %d bytes: it is soon guessed", PASSWORD_SHORT);
	buf_release(&password);
	return admin_done(rc, &err);
}

/* What is left of somebody after the password is gone. */
struct rest {
	char name[PRINCIPAL_MAX];
	size_t tokens, bindings;
};

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
	    auth_token_list(data, count_token, &r, NULL) != 0 ||
	    access_list(data, count_binding, &r, NULL) != 0)
		return;
	if (r.tokens > 0)
		report_warning("`propseal registry token revoke ID` ends one",
		    "the API tokens of %s stay valid: there are %zu", r.name, r.tokens);
	if (r.bindings > 0)
		report_warning("`propseal registry role revoke ROLE` takes one away",
		    "the roles of %s stay granted, also to a later user of this name: there "
		    "are %zu", r.name, r.bindings);
}

int
commands_registry_user_remove(const struct options *o)
{
	struct error err;
	int rc = admin_need(o, FLAG_DATA, &err);

	if (rc == 0)
		rc = auth_user_remove(o->text[FLAG_DATA], o->args[0], &err);
	if (rc == 0)
		warn_of_rest(o->text[FLAG_DATA], o->args[0]);
	return admin_done(rc, &err);
}

static void
add_user(void *cookie, const char *name, const char *created)
{
	const char *cells[] = { name, created };

	admin_list_add(cookie, cells);
}

int
commands_registry_user_list(const struct options *o)
{
	static const char *const names[] = { "name", "created" };
	struct admin_list l;
	struct error err;
	int rc;

	admin_list_begin(&l, o, names, 2);
	rc = admin_need(o, FLAG_DATA, &err);
	if (rc == 0)
		rc = auth_user_list(o->text[FLAG_DATA], add_user, &l, &err);
	return admin_list_end(&l, rc, &err);
}

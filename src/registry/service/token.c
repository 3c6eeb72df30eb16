#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "common/options.h"
#include "common/output.h"
#include "registry/auth/auth.h"
#include "registry/service/admin.h"
#include "cli/cli.h"
#include "common/report.h"

#define TOKEN_MAX 256

static int
print(const struct options *o, const char *id, const struct buf *token, struct error *err)
{
	const char *principal = o->text[FLAG_PRINCIPAL];
	struct buf out;
	int rc;

	buf_init_secret(&out, 16 * TOKEN_MAX);
	if (options_format(o) == OUTPUT_JSON) {
		buf_append_str(&out, "{\"id\":\"");
		buf_append_str(&out, id);
		buf_append_str(&out, "\",\"principal\":");
		text_append_json(&out, principal, strlen(principal));
		buf_append_str(&out, ",\"token\":\"");
		buf_append(&out, token->data, token->len);
		buf_append_str(&out, "\"}\n");
	} else {
		buf_append(&out, token->data, token->len);
		buf_append_char(&out, '\n');
	}
	rc = output_write(&out, err);
	buf_release(&out);
	if (rc != 0)
		return error_hint(err, "the token %s was made but not shown: revoke it", id);
	if (options_format(o) != OUTPUT_JSON)
		report_note("this is the only time that token %s is shown", id);
	return 0;
}

int
commands_registry_token_create(const struct options *o)
{
	struct buf token;
	struct error err;
	char id[13];
	int rc = admin_need(o, FLAG_DATA, &err);

	buf_init_secret(&token, TOKEN_MAX);
	if (rc == 0)
		rc = admin_need(o, FLAG_PRINCIPAL, &err);
	if (rc == 0)
		rc = auth_token_create(o->text[FLAG_DATA], o->text[FLAG_PRINCIPAL],
		    o->given[FLAG_TTL] ? o->seconds[FLAG_TTL] : 0, id, &token, &err);
	if (rc == 0)
		rc = print(o, id, &token, &err);
	buf_release(&token);
	return admin_done(rc, &err);
}

int
commands_registry_token_revoke(const struct options *o)
{
	struct error err;
	int rc = admin_need(o, FLAG_DATA, &err);

	if (rc == 0)
		rc = auth_token_revoke(o->text[FLAG_DATA], o->args[0], &err);
	return admin_done(rc, &err);
}

static void
add_token(void *cookie, const char *id, const char *principal, const char *created,
    const char *expires)
{
	const char *cells[] = { id, principal, created, expires };

	admin_list_add(cookie, cells);
}

int
commands_registry_token_list(const struct options *o)
{
	static const char *const names[] = { "id", "principal", "created", "expires" };
	struct admin_list l;
	struct error err;
	int rc;

	admin_list_begin(&l, o, names, 4);
	rc = admin_need(o, FLAG_DATA, &err);
	if (rc == 0)
		rc = auth_token_list(o->text[FLAG_DATA], add_token, &l, &err);
	return admin_list_end(&l, rc, &err);
}

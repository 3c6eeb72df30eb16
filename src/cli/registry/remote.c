#include "cli/registry/remote.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "common/askpass.h"
#include "base/text.h"
#include "common/command.h"
#include "common/options.h"
#include "common/output.h"
#include "cli/registry/place.h"
#include "client/login.h"
#include "registry/http/target.h"
#include "client/wipe.h"
#include "common/report.h"

#define TARGET_MAX (16U << 10)
#define BODY_MAX (8U << 20)
#define QUESTION_MAX 4096

/* By a password that is asked for on the terminal. */
static int
ask_password(const char *user, struct buf *header, struct error *err)
{
	struct buf password, question;
	int rc;

	if (!askpass_available()) {
		error_set(err, ERROR_USAGE, "there is no password for %s", user);
		return error_hint(err, "--password-file FILE names a file that holds it");
	}
	buf_init_secret(&password, LOGIN_PASSWORD_MAX);
	buf_init(&question, QUESTION_MAX);
	buf_append_str(&question, "Password of ");
	text_append_visible(&question, user, strlen(user));
	buf_append_str(&question, ": ");
	rc = buf_check(&question, err);
	if (rc == 0)
		rc = askpass_line(buf_cstr(&question), &password, err);
	buf_release(&question);
	if (rc == 0)
		rc = login_by_password(user, &password, header, err);
	buf_release(&password);
	return rc;
}

static int
log_in(struct remote *r, const struct login *l, struct error *err)
{
	struct buf header;
	int rc;

	if (l->token_file == NULL && l->user == NULL)
		return 0;
	buf_init_secret(&header, LOGIN_HEADER_MAX);
	if (l->token_file != NULL)
		rc = login_by_token(l->token_file, &header, err);
	else if (l->password_file != NULL)
		rc = login_by_password_file(l->user, l->password_file, &header, err);
	else
		rc = ask_password(l->user, &header, err);
	if (rc == 0)
		rc = client_authorize(r->client, &header, err);
	buf_release(&header);
	return rc;
}

int
remote_open_at(struct remote *r, const struct client_options *c, const struct buf *header,
    struct error *err)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->target, TARGET_MAX);
	buf_init_secret(&r->body, BODY_MAX);
	buf_init_secret(&r->answer, CLIENT_BODY_MAX);
	r->got.body = &r->answer;
	if ((r->client = client_new(c, err)) == NULL)
		return -1;
	return header != NULL && header->len > 0 ? client_authorize(r->client, header, err) : 0;
}

static int
open_with(struct remote *r, const struct client_options *c, const struct login *l,
    struct error *err)
{
	return remote_open_at(r, c, NULL, err) == 0 ? log_in(r, l, err) : -1;
}

/* An empty name, of a variable that is not set, would stand for more than was
 * meant: `delete "$PATH" "$KEY"`. */
static int
check_names(const struct options *o, struct error *err)
{
	for (size_t i = 0; command_is_registry(o->command) && i < o->arg_count; i++) {
		if (o->args[i][0] == '\0') {
			error_set(err, ERROR_USAGE, "argument %zu is empty", i + 1);
			return error_hint(err, "the arguments are %s", o->command->arguments);
		}
	}
	return 0;
}

int
remote_open(struct remote *r, const struct options *o, struct error *err)
{
	struct place p;

	place_read(o, &p);
	memset(r, 0, sizeof(*r));
	if (check_names(o, err) != 0 || wipe_on_free(err) != 0)
		return -1;
	return open_with(r, &p.client, &p.login, err);
}

int
remote_open_source(struct remote *r, const struct options *o, const char *url,
    struct error *err)
{
	struct client_options c = {
		.url = url,
		.ca = o->text[FLAG_CA],
		.insecure_allowed = o->on[FLAG_INSECURE_HTTP],
	};
	struct login l = {
		.user = o->text[FLAG_FROM_USER],
		.password_file = o->text[FLAG_FROM_PASSWORD_FILE],
		.token_file = o->text[FLAG_FROM_TOKEN_FILE],
	};

	return open_with(r, &c, &l, err);
}

void
remote_close(struct remote *r)
{
	client_free(r->client);
	buf_release(&r->target);
	buf_release(&r->body);
	buf_release(&r->answer);
}

void
remote_target(struct remote *r, ...)
{
	const char *segment;
	va_list list;

	buf_clear(&r->target);
	va_start(list, r);
	while ((segment = va_arg(list, const char *)) != NULL) {
		buf_append_char(&r->target, '/');
		target_encode(&r->target, segment, strlen(segment));
	}
	va_end(list);
}

void
remote_query(struct remote *r, const char *name, const char *value)
{
	bool first = r->target.len == 0 || memchr(r->target.data, '?', r->target.len) == NULL;

	buf_printf(&r->target, "%c%s=", first ? '?' : '&', name);
	target_encode(&r->target, value, strlen(value));
}

int
remote_call(struct remote *r, const char *method, const char *const *headers,
    struct error *err)
{
	int rc;

	if (buf_check(&r->target, err) != 0 || buf_check(&r->body, err) != 0)
		return -1;
	buf_clear(&r->answer);
	rc = client_request(r->client, method, buf_cstr(&r->target),
	    r->body.len > 0 ? &r->body : NULL, headers, &r->got, err);
	buf_clear(&r->body);
	if (rc == 0 && r->got.status >= 300)
		rc = client_error(&r->got, err);
	return rc;
}

int
remote_print(struct remote *r, struct error *err)
{
	buf_append_char(&r->answer, '\n');
	return output_write(&r->answer, err);
}

int
remote_secret(const struct remote *r, struct buf *out, struct error *err)
{
	json_t *root = json_loadb((const char *)r->answer.data, r->answer.len, JSON_ALLOW_NUL,
	    NULL);
	const json_t *secret = json_object_get(root, "secret");
	int rc;

	if (json_is_string(secret)) {
		buf_append(out, json_string_value(secret), json_string_length(secret));
		rc = buf_check(out, err);
	} else {
		error_set(err, ERROR_FORMAT, "the registry's answer holds no secret");
		rc = error_hint(err, "is the URL that of a Secret Registry?");
	}
	json_decref(root);
	return rc;
}

int
remote_status(struct remote *r, int rc, const struct error *err)
{
	remote_close(r);
	return rc == 0 ? 0 : report_error(err);
}

int
remote_check_text(const struct buf *value, struct error *err)
{
	uint32_t cp;
	size_t at, n;

	for (at = 0; at < value->len; at += n) {
		n = text_utf8_decode(value->data + at, value->len - at, &cp);
		if (n != 0)
			continue;
		error_set(err, ERROR_FORMAT, "the value is not UTF-8 from byte %zu on", at + 1);
		return error_hint(err, "a registry keeps text: encode the bytes, in base64 for "
		    "example");
	}
	return 0;
}

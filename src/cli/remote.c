#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/json_out.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "client/client.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "secrets/reference.h"

#define URL_DEFAULT "http://127.0.0.1:8082"

#define TARGET_MAX (16U << 10)
#define BODY_MAX (8U << 20)
#define QUESTION_MAX 4096

#define KNOWN_MAX 65536
#define NAME_BYTES_MAX 600
#define VALUE_MAX (1U << 20)

/* What was asked for already. */
struct known {
	char *name;		/* PATH:KEY */
	struct buf value;	/* secret */
};

struct registry_resolver {
	const struct options *o;
	struct resolver as;
	struct remote remote;
	bool connected;
	bool resolves;			/* the login may not read values as such */
	struct vec known;	/* struct known * */
};

#define STRONG_FLAG 1001
#define STRONG_VARIABLE 1000

/* How strong what a flag says is: on the command line, by a variable of the environment,
 * or, below that, in a propseal.ini of some rank.  0: nothing does. */
static int
strength(const struct options *o, enum flag_id id)
{
	if (o->text[id] == NULL)
		return 0;
	return o->given[id] ? STRONG_FLAG : o->from[id].file == NULL ? STRONG_VARIABLE :
	    o->from[id].rank;
}

/* What the source that says ${of}, be it weaker than what counts, says of ${id}.  NULL: nothing. */
static const char *
said_beside(const struct options *o, enum flag_id of, enum flag_id id, enum setting_id setting)
{
	const int source = strength(o, of);
	const char *text = NULL;

	if (source == STRONG_FLAG)
		return o->given[id] ? o->text[id] : NULL;
	if (source == STRONG_VARIABLE)
		text = getenv(flag_get(id)->variable);
	for (size_t i = 0; source < STRONG_VARIABLE && i < CONFIG_PLACES; i++) {
		const struct config_place *p = config_place(o->config, i);

		if ((int)p->origin == source && p->file != NULL)
			text = p->file->values[setting].text;
	}
	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* Does ${of} stand in its source beside another thing than the ${id} that counts? */
static bool
is_beside_another(const struct options *o, enum flag_id of, enum flag_id id,
    enum setting_id setting)
{
	const char *beside = said_beside(o, of, id, setting);

	return beside != NULL && (o->text[id] == NULL || strcmp(beside, o->text[id]) != 0);
}

/* A login is for the registry that its source, or a weaker one, names. */
static const char *
login_text(const struct options *o, enum flag_id id)
{
	int here = strength(o, id);

	return here == 0 || (here < STRONG_VARIABLE && strength(o, FLAG_URL) > here) ||
	    is_beside_another(o, id, FLAG_URL, SETTING_REGISTRY_URL) ? NULL : o->text[id];
}

/* Who vouches for the registry that a source names does so for no other one; without one
 * beside it, for any. */
static const char *
ca_text(const struct options *o, const char *url)
{
	const char *beside = o->given[FLAG_CA] ? NULL :
	    said_beside(o, FLAG_CA, FLAG_URL, SETTING_REGISTRY_URL);

	return beside != NULL && (url == NULL || strcmp(beside, url) != 0) ? NULL :
	    o->text[FLAG_CA];
}

/* The parts of a login stay together: the strongest source decides whether by password or by
 * token, and a secret is not for another name than the one that stands beside it. */
static void
login_read(const struct options *o, struct login *l)
{
	const int token = strength(o, FLAG_TOKEN_FILE);

	*l = (struct login){
		.user = login_text(o, FLAG_USER),
		.password_file = login_text(o, FLAG_PASSWORD_FILE),
		.token_file = login_text(o, FLAG_TOKEN_FILE),
	};
	if (l->user != NULL && (strength(o, FLAG_USER) > token ||
	    (l->password_file != NULL && strength(o, FLAG_PASSWORD_FILE) > token)))
		l->token_file = NULL;
	if (is_beside_another(o, FLAG_PASSWORD_FILE, FLAG_USER, SETTING_REGISTRY_USER))
		l->password_file = NULL;
}

void
place_read(const struct options *o, struct place *p)
{
	memset(p, 0, sizeof(*p));
	p->named = o->text[FLAG_URL] != NULL;
	p->client = (struct client_options){
		.url = p->named ? o->text[FLAG_URL] : URL_DEFAULT,
		.ca = ca_text(o, p->named ? o->text[FLAG_URL] : NULL),
		.certificate = login_text(o, FLAG_CERT),
		.key = login_text(o, FLAG_CERT_KEY),
		.insecure_allowed = o->on[FLAG_INSECURE_HTTP],
	};
	/* The key may stand in the file of the certificate. */
	if (is_beside_another(o, FLAG_CERT_KEY, FLAG_CERT, SETTING_REGISTRY_CERT))
		p->client.key = NULL;
	login_read(o, &p->login);
}

/* By a password that is asked for on the terminal. */
static int
ask_password(const char *user, struct buf *header, struct error *err)
{
	struct buf password, question;
	int rc;

	if (!askpass_available()) {
		error_set(err, ERROR_USAGE, "there is no password for %s", user);
		return error_hint(err, "--password-file FILE names a file that holds it; one "
		    "that stands beside another user is not taken");
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
remote_log_in(struct remote *r, const struct login *l, struct error *err)
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
	return remote_open_at(r, c, NULL, err) == 0 ? remote_log_in(r, l, err) : -1;
}

/* An empty name, of a variable that is not set, would stand for more than was
 * meant: `delete "$PATH" "$KEY"`. */
static int
remote_check_names(const struct options *o, struct error *err)
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
	if (remote_check_names(o, err) != 0 || wipe_on_free(err) != 0)
		return -1;
	return open_with(r, &p.client, &p.login, err);
}

int
remote_open_source(struct remote *r, const struct options *o, const char *url, struct error *err)
{
	struct client_options c = {
		.url = url,
		.ca = ca_text(o, url),
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
		text_append_percent(&r->target, segment, strlen(segment));
	}
	va_end(list);
}

void
remote_name(struct remote *r, const char *path, const char *key, const char *version,
    const char *more)
{
	const char *const segments[][2] = {
		{ "paths", path }, { "keys", key }, { "versions", version },
	};
	size_t i;

	remote_target(r, "secret", "paths", (const char *)NULL);
	for (i = 0; i < 3 && segments[i][1] != NULL; i++) {
		if (i > 0)
			buf_printf(&r->target, "/%s", segments[i][0]);
		buf_append_char(&r->target, '/');
		text_append_percent(&r->target, segments[i][1], strlen(segments[i][1]));
	}
	if (more != NULL)
		buf_printf(&r->target, "/%s", more);
}

void
remote_query(struct remote *r, const char *name, const char *value)
{
	bool first = r->target.len == 0 || memchr(r->target.data, '?', r->target.len) == NULL;

	buf_printf(&r->target, "%c%s=", first ? '?' : '&', name);
	text_append_percent(&r->target, value, strlen(value));
}

void
remote_body(struct remote *r, const void *value, size_t n, long cas, int ttl_seconds)
{
	struct json_out o;

	buf_clear(&r->body);
	json_out_init(&o, &r->body);
	json_out_object(&o, NULL);
	json_out_text_n(&o, "secret", value, n);
	if (cas >= 0)
		json_out_int(&o, "cas", cas);
	if (ttl_seconds > 0)
		json_out_int(&o, "ttl", ttl_seconds);
	json_out_end(&o);
}

int
remote_call(struct remote *r, const char *method, const char *const *headers, struct error *err)
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
remote_ask(struct remote *r, const char *method, const char *path, const char *key,
    const char *version, const char *more, struct error *err)
{
	remote_name(r, path, key, version, more);
	return remote_call(r, method, NULL, err);
}

static json_t *
remote_json(const struct remote *r)
{
	return json_loadb((const char *)r->answer.data, r->answer.len, JSON_ALLOW_NUL, NULL);
}

int
remote_each(const struct remote *r, const char *member, const char *what, const char *hint,
    remote_visit *visit, void *cookie, struct error *err)
{
	json_t *root = remote_json(r);
	const json_t *list = member != NULL && !json_is_array(root) ?
	    json_object_get(root, member) : root;
	size_t i;
	int rc = 0;

	if (!json_is_array(list)) {
		error_set(err, ERROR_FORMAT, "%s", what);
		rc = error_hint(err, "%s", hint);
	}
	for (i = 0; rc == 0 && i < json_array_size(list); i++)
		rc = visit(cookie, json_array_get(list, i), err);
	json_decref(root);
	return rc;
}

int
remote_rotation(const struct remote *r, struct remote_rotation *out, struct error *err)
{
	json_t *root = remote_json(r);
	const char *failure = json_string_value(json_object_get(root, "failure"));
	json_int_t done = json_integer_value(json_object_get(root, "done"));
	json_int_t total = json_integer_value(json_object_get(root, "total"));
	int rc = 0;

	if (!json_is_boolean(json_object_get(root, "running")))
		rc = error_set(err, ERROR_FORMAT, "the answer tells no progress of a rotation");
	out->running = json_is_true(json_object_get(root, "running"));
	out->done = done > 0 ? (size_t)done : 0;
	out->total = total > 0 ? (size_t)total : 0;
	snprintf(out->failure, sizeof(out->failure), "%s", failure != NULL ? failure : "");
	json_decref(root);
	return rc;
}

int
remote_print(struct remote *r, struct error *err)
{
	buf_append_char(&r->answer, '\n');
	return output_write(&r->answer, err);
}

/* Append the text that the answer has as its member ${name}. */
static int
remote_member(const struct remote *r, const char *name, struct buf *out, struct error *err)
{
	json_t *root = remote_json(r);
	const json_t *text = json_object_get(root, name);
	int rc;

	if (json_is_string(text)) {
		buf_append(out, json_string_value(text), json_string_length(text));
		rc = buf_check(out, err);
	} else {
		error_set(err, ERROR_FORMAT, "the registry's answer holds no %s", name);
		rc = error_hint(err, "is the URL that of a Secret Registry?");
	}
	json_decref(root);
	return rc;
}

int
remote_secret(const struct remote *r, struct buf *out, struct error *err)
{
	return remote_member(r, "secret", out, err);
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
		error_set(err, ERROR_FORMAT, "the value is not UTF-8");
		return error_hint(err, "a registry keeps text: encode the bytes, in base64 for "
		    "example");
	}
	return 0;
}

/* Say in an answer's error which reference it is about. */
static int
name_reference(const char *path, const char *key, struct error *err)
{
	struct error why = *err;

	error_set(err, why.code, "${%s:%s:%s}: %s", REGISTRY_PROVIDER, path, key, why.text);
	return error_hint(err, "%s", why.hint);
}

/* The value as a connector's: for who may resolve references (ConnectWorker), and
 * may not read. */
static int
resolver_resolve(struct registry_resolver *r, const char *path, const char *key, struct buf *out,
    struct error *err)
{
	struct buf reference;
	struct json_out o;
	int rc;

	buf_init(&reference, NAME_BYTES_MAX);
	buf_printf(&reference, "${" REGISTRY_PROVIDER ":%s:%s}", path, key);
	buf_clear(&r->remote.body);
	json_out_init(&o, &r->remote.body);
	json_out_object(&o, NULL);
	json_out_text(&o, "name", path);
	json_out_text(&o, "value", buf_cstr(&reference));
	json_out_end(&o);
	remote_target(&r->remote, "secret", "connectors", path, "resolve", (const char *)NULL);
	rc = remote_call(&r->remote, "POST", NULL, err);
	if (rc == 0)
		rc = remote_member(&r->remote, "value", out, err);
	/* What is no reference there comes back as it is, and would be the password. */
	if (rc == 0 && buf_equal(out, &reference)) {
		rc = error_set(err, ERROR_REFUSED, "the registry does not resolve it");
		error_hint(err, "its config.provider.name is another than %s",
		    REGISTRY_PROVIDER);
	}
	buf_release(&reference);
	return rc;
}

static int
resolver_fetch(struct registry_resolver *r, const char *path, const char *key, struct buf *out,
    struct error *err)
{
	if (!r->connected) {
		if (remote_open(&r->remote, r->o, err) != 0) {
			remote_close(&r->remote);
			return -1;
		}
		r->connected = true;
	}
	if (!r->resolves) {
		if (remote_ask(&r->remote, "GET", path, key, "latest", NULL, err) == 0)
			return remote_secret(&r->remote, out, err);
		r->resolves = r->remote.got.status == 403;
	}
	if (r->resolves && resolver_resolve(r, path, key, out, err) == 0)
		return 0;
	return r->remote.got.status != 0 ? name_reference(path, key, err) : -1;
}

static struct known *
resolver_find(const struct registry_resolver *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->known.len; i++) {
		struct known *k = *(struct known **)vec_at(&r->known, i);

		if (strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

static struct known *
resolver_add(struct registry_resolver *r, const char *name, struct error *err)
{
	struct known *k = calloc(1, sizeof(*k));
	struct known **place;

	if (k == NULL || (k->name = strdup(name)) == NULL ||
	    (place = vec_push(&r->known)) == NULL) {
		if (k != NULL)
			free(k->name);
		free(k);
		error_memory(err);
		return NULL;
	}
	buf_init_secret(&k->value, VALUE_MAX);
	*place = k;
	return k;
}

static int
resolver_value(void *cookie, const struct reference *ref, struct buf *out, struct error *err)
{
	struct registry_resolver *r = cookie;
	char name[NAME_BYTES_MAX];
	struct known *k;

	if (ref->path_len == 0 || ref->path_len + ref->name_len + 2 > sizeof(name)) {
		error_set(err, ERROR_FORMAT, "a registry's reference is ${%s:PATH:KEY}",
		    REGISTRY_PROVIDER);
		error_key(err, ref->name, ref->name_len);
		return error_hint(err, "the path is the connector's name");
	}
	memcpy(name, ref->path, ref->path_len);
	name[ref->path_len] = ':';
	memcpy(name + ref->path_len + 1, ref->name, ref->name_len);
	name[ref->path_len + 1 + ref->name_len] = '\0';
	if ((k = resolver_find(r, name)) == NULL) {
		struct buf fresh;
		int rc;

		buf_init_secret(&fresh, VALUE_MAX);
		name[ref->path_len] = '\0';
		rc = resolver_fetch(r, name, name + ref->path_len + 1, &fresh, err);
		name[ref->path_len] = ':';
		if (rc == 0 && (k = resolver_add(r, name, err)) != NULL)
			buf_move(&k->value, &fresh);
		buf_release(&fresh);
		if (k == NULL)
			return -1;
	}
	buf_append(out, k->value.data, k->value.len);
	return buf_check(out, err);
}

int
registry_resolver_open(const struct options *o, struct registry_resolver **out, struct error *err)
{
	struct registry_resolver *r;

	*out = NULL;
	if (o->text[FLAG_URL] == NULL)
		return 0;
	if (wipe_on_free(err) != 0)
		return -1;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return error_memory(err);
	r->o = o;
	r->as = (struct resolver){ REGISTRY_PROVIDER, resolver_value, r, NULL };
	vec_init(&r->known, sizeof(struct known *), KNOWN_MAX);
	*out = r;
	return 0;
}

void
registry_resolver_close(struct registry_resolver *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->known.len; i++) {
		struct known *k = *(struct known **)vec_at(&r->known, i);

		buf_release(&k->value);
		free(k->name);
		free(k);
	}
	vec_release(&r->known);
	if (r->connected)
		remote_close(&r->remote);
	free(r);
}

const struct resolver *
registry_resolver(const struct registry_resolver *r)
{
	return r != NULL ? &r->as : NULL;
}

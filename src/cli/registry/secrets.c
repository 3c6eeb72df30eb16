#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json_out.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/remote.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "document/document.h"
#include "file/file.h"

#define VALUE_MAX (1U << 20)
#define LIST_OUT_MAX (256U << 20)
#define QUESTION_MAX 8192
#define POLL_NS 200000000L
#define NAME_BYTES_MAX 512

/* The value: of --file, else from standard input, else asked for.  One line
 * end at its end does not count. */
static int
put_read_value(const struct options *o, struct buf *out, struct error *err)
{
	const char *file = o->text[FLAG_FILE_NAME];

	if (file == NULL && isatty(STDIN_FILENO) && askpass_available())
		return askpass_twice("Value: ", out, err) != 0 ? -1 : remote_check_text(out, err);
	if (file != NULL && strcmp(file, "-") != 0) {
		if (file_read_stream(file, out, err) != 0)
			return -1;
	} else if (file_read_fd(STDIN_FILENO, "standard input", out, err) != 0) {
		return -1;
	}
	if (out->len > 0 && out->data[out->len - 1] == '\n') {
		buf_truncate(out, out->len - 1);
		if (out->len > 0 && out->data[out->len - 1] == '\r')
			buf_truncate(out, out->len - 1);
	}
	return remote_check_text(out, err);
}

/* --cas: a version, or -1 without it. */
static int
put_read_cas(const char *text, long *out, struct error *err)
{
	char *end;

	*out = -1;
	if (text == NULL)
		return 0;
	errno = 0;
	*out = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || *out > 2147483647L)
		return error_set(err, ERROR_USAGE, "--cas takes the number of a version, or 0");
	return 0;
}

/* The number at the end of the Location header; NULL: another kind of answer. */
static const char *
put_version_of(const struct client_answer *a)
{
	const char *slash = strrchr(a->location, '/');

	if (slash == NULL || slash[1] == '\0' || strspn(slash + 1, "0123456789") !=
	    strlen(slash + 1))
		return NULL;
	return slash + 1;
}

static int
put_print_version(const struct options *o, struct remote *r, struct error *err)
{
	struct json_out w;
	struct buf text;
	const char *version = put_version_of(&r->got);
	int rc;

	buf_init(&text, 8192);
	if (options_format(o) == OUTPUT_JSON) {
		json_out_init(&w, &text);
		json_out_object(&w, NULL);
		json_out_text(&w, "path", o->args[0]);
		json_out_text(&w, "key", o->args[1]);
		json_out_raw(&w, "version", version != NULL ? version : "null");
		json_out_end(&w);
		json_out_finish(&w, NULL);
	} else {
		text_append_visible(&text, o->args[0], strlen(o->args[0]));
		buf_append_char(&text, ' ');
		text_append_visible(&text, o->args[1], strlen(o->args[1]));
		buf_printf(&text, ": version %s\n", version != NULL ? version : "unknown");
	}
	rc = output_write(&text, err);
	buf_release(&text);
	return rc;
}

int
commands_registry_put(const struct options *o)
{
	struct remote r;
	struct buf value;
	struct error err;
	long cas;
	int rc;

	buf_init_secret(&value, VALUE_MAX);
	rc = remote_open(&r, o, &err);
	if (rc == 0)
		rc = put_read_value(o, &value, &err);
	if (rc == 0)
		rc = put_read_cas(o->text[FLAG_CAS], &cas, &err);
	if (rc == 0) {
		remote_body(&r, value.data, value.len, cas, o->seconds[FLAG_TTL]);
		rc = remote_ask(&r, "POST", o->args[0], o->args[1], NULL, "versions", &err);
	}
	buf_release(&value);
	if (rc == 0)
		rc = put_print_version(o, &r, &err);
	return remote_status(&r, rc, &err);
}

/* Only the value, and a line end for a person who looks at it. */
static int
print_value(const struct remote *r, struct buf *out, struct error *err)
{
	int rc = remote_secret(r, out, err);

	if (rc == 0 && isatty(STDOUT_FILENO))
		buf_append_char(out, '\n');
	return rc;
}

/*
 * The end of a command that shows an answer: as it is with -o json, else what
 * ${append} makes of it.
 */
static int
registry_show(const struct options *o, struct remote *r, int rc,
    int (*append)(const struct remote *r, struct buf *out, struct error *err), struct error *err)
{
	struct buf out;

	if (append == print_value)
		buf_init_secret(&out, CLIENT_BODY_MAX);
	else
		buf_init(&out, LIST_OUT_MAX);
	if (rc == 0 && options_format(o) == OUTPUT_JSON)
		rc = remote_print(r, err);
	else if (rc == 0 && (rc = append(r, &out, err)) == 0)
		rc = output_write(&out, err);
	buf_release(&out);
	return remote_status(r, rc, err);
}

int
commands_registry_get(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	if (rc == 0)
		rc = remote_ask(&r, "GET", o->args[0], o->args[1],
		    o->arg_count > 2 ? o->args[2] : "latest", NULL, &err);
	return registry_show(o, &r, rc, print_value, &err);
}

static int
list_add(void *out, const json_t *item, struct error *err)
{
	if (json_is_integer(item))
		number_append_signed(out, json_integer_value(item));
	else if (json_is_string(item))
		text_append_visible(out, json_string_value(item), json_string_length(item));
	buf_append_char(out, '\n');
	return buf_check(out, err);
}

/* A line for each element of an array of strings or numbers. */
static int
print_lines(const struct remote *r, struct buf *out, struct error *err)
{
	return remote_each(r, NULL, "the answer is no list",
	    "is the URL that of a Secret Registry?", list_add, out, err);
}

static int
list_check_usage(const struct options *o, struct error *err)
{
	if (o->text[FLAG_PREFIX] == NULL || o->arg_count == 0)
		return 0;
	error_set(err, ERROR_USAGE, "--prefix is for the list of paths");
	return error_hint(err, "leave out PATH or --prefix");
}

int
commands_registry_list(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = list_check_usage(o, &err);

	if (rc != 0)
		return usage_error(o->command, &err);
	rc = remote_open(&r, o, &err);
	remote_name(&r, o->arg_count > 0 ? o->args[0] : NULL, o->arg_count > 1 ? o->args[1] : NULL,
	    NULL, o->arg_count == 0 ? NULL : o->arg_count == 1 ? "keys" : "versions");
	if (o->text[FLAG_PREFIX] != NULL)
		remote_query(&r, "prefix", o->text[FLAG_PREFIX]);
	if (rc == 0)
		rc = remote_call(&r, "GET", NULL, &err);
	return registry_show(o, &r, rc, print_lines, &err);
}

static void
history_append_text(struct buf *out, const json_t *object, const char *name, const char *before)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value) || json_string_length(value) == 0)
		return;
	buf_append_str(out, before);
	text_append_visible(out, json_string_value(value), json_string_length(value));
}

/* VERSION  STATE  created TIME by WHO[, deleted TIME by WHO][, expires TIME] */
static int
history_add(void *cookie, const json_t *v, struct error *err)
{
	const char *state = json_string_value(json_object_get(v, "state"));
	struct buf *out = cookie;
	size_t start;

	report_append_number(out, (size_t)json_integer_value(json_object_get(v, "version")), 6);
	buf_append_str(out, "  ");
	start = out->len;
	buf_append_str(out, state != NULL ? state : "");
	report_pad(out, start, 9);
	history_append_text(out, v, "createdAt", "  created ");
	history_append_text(out, v, "createdBy", " by ");
	history_append_text(out, v, "deletedAt", ", deleted ");
	history_append_text(out, v, "deletedBy", " by ");
	history_append_text(out, v, "expiresAt", ", expires ");
	buf_append_char(out, '\n');
	return buf_check(out, err);
}

static int
print_history(const struct remote *r, struct buf *out, struct error *err)
{
	return remote_each(r, "versions", "the answer tells no versions",
	    "only propseal's own registry keeps a history", history_add, out, err);
}

int
commands_registry_history(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	if (rc == 0)
		rc = remote_ask(&r, "GET", o->args[0], o->args[1], NULL, "metadata", &err);
	return registry_show(o, &r, rc, print_history, &err);
}

static void
delete_append_name(struct buf *out, const char *name)
{
	text_append_visible(out, name, strlen(name));
}

static int
delete_confirmed(const struct options *o, struct error *err)
{
	static const char *const kinds[] = { "every key of ", "every version of ", "version " };
	struct buf question;
	bool yes = false;
	int rc;

	if (o->on[FLAG_YES])
		return 0;
	buf_init(&question, QUESTION_MAX);
	buf_printf(&question, "%s %s", o->on[FLAG_DESTROY] ? "Destroy for good" : "Delete",
	    kinds[o->arg_count - 1]);
	if (o->arg_count == 3) {
		delete_append_name(&question, o->args[2]);
		buf_append_str(&question, " of ");
	}
	delete_append_name(&question, o->args[0]);
	if (o->arg_count > 1) {
		buf_append_char(&question, ' ');
		delete_append_name(&question, o->args[1]);
	}
	buf_append_str(&question, "? [y/N] ");
	rc = buf_check(&question, err);
	if (rc == 0)
		rc = confirm(NULL, buf_cstr(&question), &yes, err);
	buf_release(&question);
	if (rc == 0 && !yes)
		rc = error_set(err, ERROR_REFUSED, "nothing was deleted");
	return rc;
}

static int
delete_check_usage(const struct options *o, struct error *err)
{
	if (o->on[FLAG_DESTROY] && o->arg_count < 3) {
		error_set(err, ERROR_USAGE, "--destroy takes one version at a time");
		return error_hint(err, "propseal registry delete PATH KEY VERSION --destroy");
	}
	if (!o->on[FLAG_YES] && !askpass_available()) {
		error_set(err, ERROR_USAGE, "there is no terminal to ask on");
		return error_hint(err, "--yes deletes without a question");
	}
	return 0;
}

int
commands_registry_delete(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = delete_check_usage(o, &err);

	if (rc != 0)
		return usage_error(o->command, &err);
	rc = remote_open(&r, o, &err);
	remote_name(&r, o->args[0], o->arg_count > 1 ? o->args[1] : NULL,
	    o->arg_count > 2 ? o->args[2] : NULL, NULL);
	if (o->on[FLAG_DESTROY])
		remote_query(&r, "destroy", "true");
	if (rc == 0)
		rc = delete_confirmed(o, &err);
	if (rc == 0)
		rc = remote_call(&r, "DELETE", NULL, &err);
	if (rc == 0)
		report_note(o->on[FLAG_DESTROY] ? "destroyed" :
		    "deleted; `registry undelete PATH KEY VERSION` takes it back for a while");
	return remote_status(&r, rc, &err);
}

int
commands_registry_undelete(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	if (rc == 0)
		rc = remote_ask(&r, "POST", o->args[0], o->args[1], o->args[2], "undelete", &err);
	if (rc == 0)
		report_note("version %s is there, not deleted", o->args[2]);
	return remote_status(&r, rc, &err);
}

/* Ask until it is over, with a line of progress for a person. */
static int
registry_rotate_follow(struct remote *r, struct error *err)
{
	struct timespec pause = { .tv_nsec = POLL_NS };
	bool person = isatty(STDERR_FILENO);
	struct remote_rotation p;

	for (;;) {
		remote_target(r, "secret", "admin", "rotation", (const char *)NULL);
		if (remote_call(r, "GET", NULL, err) != 0 || remote_rotation(r, &p, err) != 0)
			return -1;
		if (person)
			fprintf(stderr, "\r%zu of %zu records sealed again ", p.done, p.total);
		if (!p.running)
			break;
		nanosleep(&pause, NULL);
	}
	if (person)
		fputc('\n', stderr);
	if (p.failure[0] != '\0') {
		error_set(err, ERROR_IO, "the rotation stopped: %s", p.failure);
		return error_hint(err, "what was sealed again stays so; start it again when the "
		    "cause is gone");
	}
	return 0;
}

int
commands_registry_rotate(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	remote_target(&r, "secret", "admin", "rotation", (const char *)NULL);
	buf_append_str(&r.body, "{}");
	if (rc == 0)
		rc = remote_call(&r, "POST", NULL, &err);
	/* One that runs already does it too. */
	if (rc != 0 && r.got.status == 409) {
		report_note("a rotation is running already");
		rc = 0;
	}
	if (rc == 0)
		rc = registry_rotate_follow(&r, &err);
	if (rc == 0 && options_format(o) == OUTPUT_JSON)
		rc = remote_print(&r, &err);
	else if (rc == 0)
		report_note("every secret is sealed with a new data key");
	return remote_status(&r, rc, &err);
}

/* The name that the file says, "name" beside "config" or within it; NULL: none. */
static const char *
own_name(const json_t *root)
{
	const char *name = json_string_value(json_object_get(root, "name"));

	return name != NULL ? name :
	    json_string_value(json_object_get(json_object_get(root, "config"), "name"));
}

/* Put the connector's name in front of the members of a file that says none. */
static int
references_add_name(struct buf *file, const char *name, bool empty, struct error *err)
{
	const char *brace = memchr(file->data, '{', file->len);
	struct buf out;
	int rc;

	buf_init_secret(&out, file->max);
	buf_append_str(&out, "{" JSON_NAME("name"));
	text_append_json(&out, name, strlen(name));
	if (!empty)
		buf_append_char(&out, ',');
	brace++;
	buf_append(&out, brace, file->len - (size_t)(brace - (const char *)file->data));
	if ((rc = buf_check(&out, err)) == 0)
		buf_move(file, &out);
	buf_release(&out);
	return rc;
}

/* The connector's name: --connector, else the file's own.  What the file does
 * not say is put into it, as the registry wants both to be the same. */
static int
find_name(const struct options *o, struct buf *file, char *out, size_t size, struct error *err)
{
	const char *name = o->text[FLAG_CONNECTOR];
	json_error_t why;
	json_t *root = json_loadb((const char *)file->data, file->len, 0, &why);
	const char *own = own_name(root);
	int rc = 0;

	if (!json_is_object(root)) {
		rc = error_set(err, ERROR_FORMAT, "this is no JSON object");
		error_place(err, o->args[0], root == NULL && why.line > 0 ? (size_t)why.line : 0);
	} else if ((name == NULL && own == NULL) || strlen(name != NULL ? name : own) >= size) {
		rc = error_set(err, ERROR_FORMAT, "it says no name of a connector");
		error_place(err, o->args[0], 0);
		error_hint(err, "give --connector NAME");
	} else {
		if (name == NULL)
			name = own;
		memcpy(out, name, strlen(name) + 1);
		if (own == NULL)
			rc = references_add_name(file, name, json_object_size(root) == 0, err);
	}
	json_decref(root);
	return rc;
}

/* A connector in .properties, as the JSON object that the registry takes. */
static int
references_from_properties(const char *path, struct buf *body, struct error *err)
{
	struct document *d = document_parse(body, DOCUMENT_ENTRIES, path, err);
	struct buf value, name;
	struct json_out o;
	const char *key;
	size_t len;
	int rc = d == NULL || document_problem(d, err) != 0 ? -1 : 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	buf_init(&name, BUF_MAX_FILE);
	buf_clear(body);
	json_out_init(&o, body);
	json_out_object(&o, NULL);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		if (document_shadowed(d, i))
			continue;
		key = document_key(d, i, &len);
		buf_clear(&name);
		buf_append(&name, key, len);
		buf_clear(&value);
		rc = document_value(d, i, &value, err);
		if (rc == 0)
			json_out_text_n(&o, buf_cstr(&name),
			    value.len > 0 ? (char *)value.data : "", value.len);
	}
	json_out_end(&o);
	if (rc == 0)
		rc = json_out_finish(&o, err);
	buf_release(&name);
	buf_release(&value);
	document_free(d);
	return rc;
}

static int
references_read(const char *path, struct buf *body, struct error *err)
{
	bool input = strcmp(path, "-") == 0;
	const struct document_format *format = document_format_of(path);

	if ((input ? file_read_fd(STDIN_FILENO, "standard input", body, err) :
	    file_read_stream(path, body, err)) != 0)
		return -1;
	if (format == NULL)
		format = document_format_of_text(body->data, body->len);
	return format == DOCUMENT_ENTRIES ? references_from_properties(path, body, err) : 0;
}

/* Send the file to the registry's ${verb} for its connector. */
static int
references_ask(const struct options *o, struct remote *r, const char *verb, struct error *err)
{
	char name[NAME_BYTES_MAX];
	int rc;

	if (references_read(o->args[0], &r->body, err) != 0)
		return -1;
	rc = find_name(o, &r->body, name, sizeof(name), err);
	if (rc == 0) {
		remote_target(r, "secret", "connectors", name, verb, (const char *)NULL);
		rc = remote_call(r, "POST", NULL, err);
		if (rc != 0 && r->got.status == 400)
			error_place(err, o->args[0], 0);
	}
	return rc;
}

int
commands_registry_validate(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	if (rc == 0)
		rc = references_ask(o, &r, "validate", &err);
	if (rc == 0 && options_format(o) == OUTPUT_JSON)
		rc = remote_print(&r, &err);
	else if (rc == 0)
		report_note("every reference is good");
	/* What is wrong with the file is a finding. */
	if (rc != 0 && r.got.status == 400) {
		remote_close(&r);
		return report_error_as(&err, STATUS_FINDINGS);
	}
	return remote_status(&r, rc, &err);
}

int
commands_registry_resolve(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	if (rc == 0)
		rc = references_ask(o, &r, "resolve", &err);
	if (rc == 0)
		rc = remote_print(&r, &err);
	return remote_status(&r, rc, &err);
}

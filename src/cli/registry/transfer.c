#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json_out.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "file/file.h"
#include "cli/change.h"

#define LOCK_MS 10000

/* One version that was read; strings valid during the visit. */
struct secret_read {
	const char *path, *key;
	long long version;
	const char *value;
	size_t value_len;
	const char *created, *creator, *expires;	/* NULL: not known, or none */
	const json_t *custom;		/* the key's own metadata; NULL: not known, or none */
};

/* -1 to stop, with the error filled. */
typedef int secret_visit(void *cookie, const struct secret_read *s, struct error *err);

/* A walk over all that a registry holds. */
struct transfer_walk {
	struct remote *r;
	const char *path;	/* the one at hand ... */
	json_t *custom;		/* ... and its key's metadata; NULL: none */
	secret_visit *visit;
	void *cookie;
	size_t *denied;
};

struct import {
	struct remote *to;
	unsigned long count;
	bool undated;		/* the dates that it has may not be kept */
};

/* A text without NUL. */
static bool
secrets_of_is_name(const json_t *text)
{
	return json_is_string(text) && json_string_length(text) > 0 &&
	    strlen(json_string_value(text)) == json_string_length(text);
}

static int
visit_json(const json_t *item, const json_t *custom, secret_visit *visit, void *cookie,
    struct error *err)
{
	const json_t *path = json_object_get(item, "path");
	const json_t *key = json_object_get(item, "key");
	const json_t *secret = json_object_get(item, "secret");
	struct secret_read s = {
		.path = json_string_value(path),
		.key = json_string_value(key),
		.version = json_integer_value(json_object_get(item, "version")),
		.value = json_string_value(secret),
		.value_len = json_string_length(secret),
		.created = json_string_value(json_object_get(item, "createdAt")),
		.creator = json_string_value(json_object_get(item, "createdBy")),
		.expires = json_string_value(json_object_get(item, "expiresAt")),
		.custom = custom != NULL ? custom : json_object_get(item, "metadata"),
	};

	if (!secrets_of_is_name(path) || !secrets_of_is_name(key) || s.value == NULL ||
	    s.version < 1)
		return error_set(err, ERROR_FORMAT,
		    "a secret lacks its path, key, version or value");
	return visit(cookie, &s, err);
}

static int
transfer_each(struct transfer_walk *w, remote_visit *visit, struct error *err)
{
	return remote_each(w->r, NULL, "the answer is no list",
	    "is the URL that of a Secret Registry?", visit, w, err);
}

static int
visit_version(void *cookie, const json_t *item, struct error *err)
{
	struct transfer_walk *w = cookie;

	buf_clear(&w->r->answer);
	return visit_json(item, w->custom, w->visit, w->cookie, err);
}

/* What the owners noted beside a key, where the registry knows of such. */
static json_t *
transfer_custom(struct transfer_walk *w, const char *key)
{
	json_t *root, *custom = NULL;
	struct error ignored;

	if (remote_ask(w->r, "GET", w->path, key, NULL, "metadata", &ignored) != 0)
		return NULL;
	root = json_loadb((const char *)w->r->answer.data, w->r->answer.len, 0, NULL);
	if (json_object_size(json_object_get(root, "metadata")) > 0)
		custom = json_incref(json_object_get(root, "metadata"));
	json_decref(root);
	return custom;
}

static int
visit_key(void *cookie, const json_t *key, struct error *err)
{
	struct transfer_walk *w = cookie;
	struct remote *r = w->r;
	int rc;

	if (!json_is_string(key))
		return 0;
	w->custom = transfer_custom(w, json_string_value(key));
	remote_name(r, w->path, json_string_value(key), NULL, NULL);
	remote_query(r, "metadata", "true");
	if ((rc = remote_call(r, "GET", NULL, err)) == 0)
		rc = transfer_each(w, visit_version, err);
	json_decref(w->custom);
	w->custom = NULL;
	if (rc == 0)
		return 0;
	if (r->got.status == 403)
		++*w->denied;
	/* 404: it was deleted meanwhile. */
	return r->got.status == 403 || r->got.status == 404 ? 0 : -1;
}

static int
visit_path(void *cookie, const json_t *path, struct error *err)
{
	struct transfer_walk *w = cookie;

	w->path = json_string_value(path);
	if (w->path == NULL)
		return 0;
	return remote_ask(w->r, "GET", w->path, NULL, NULL, "keys", err) == 0 ?
	    transfer_each(w, visit_key, err) : -1;
}

/**
 * secrets_of_registry(r, visit, cookie, denied, err):
 * Visit every live version that the caller may read, of every path and key,
 * versions ascending: with calls of the oldest dialect alone (lists, then all
 * versions of a key).  ${*denied} counts the keys whose names may be seen, but
 * not their values.
 */
static int
secrets_of_registry(struct remote *r, secret_visit *visit, void *cookie, size_t *denied,
    struct error *err)
{
	struct transfer_walk w = { .r = r, .visit = visit, .cookie = cookie, .denied = denied };

	*denied = 0;
	return remote_ask(r, "GET", NULL, NULL, NULL, NULL, err) == 0 ?
	    transfer_each(&w, visit_path, err) : -1;
}

/* The same for the lines of an export's file. */
static int
secrets_of_file(const char *file, secret_visit *visit, void *cookie, struct error *err)
{
	struct buf text;
	const char *line, *end;
	json_t *item;
	size_t number = 0;
	size_t n;
	int rc;

	buf_init_secret(&text, BUF_MAX_FILE);
	rc = file_read_stream(file, &text, err);
	line = (const char *)text.data;
	end = line + text.len;
	for (; rc == 0 && line < end; line += n + 1) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		n = stop != NULL ? (size_t)(stop - line) : (size_t)(end - line);
		number++;
		if (n == 0)
			continue;
		item = json_loadb(line, n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
		if (item == NULL)
			rc = error_set(err, ERROR_FORMAT, "this line is no JSON object");
		else
			rc = visit_json(item, NULL, visit, cookie, err);
		if (rc != 0)
			error_place(err, file, number);
		json_decref(item);
	}
	buf_release(&text);
	return rc;
}

/* ,"metadata":{...} */
static void
add_custom(struct json_out *o, const json_t *custom)
{
	const char *name;
	json_t *value;

	if (json_object_size(custom) == 0)
		return;
	json_out_object(o, "metadata");
	json_object_foreach((json_t *)(uintptr_t)custom, name, value) {
		if (json_is_string(value))
			json_out_text_n(o, name, json_string_value(value),
			    json_string_length(value));
	}
	json_out_end(o);
}

/* A line of an export. */
static int
transfer_add_line(void *cookie, const struct secret_read *s, struct error *err)
{
	struct json_out o;

	json_out_init(&o, cookie);
	json_out_object(&o, NULL);
	json_out_text(&o, "path", s->path);
	json_out_text(&o, "key", s->key);
	json_out_int(&o, "version", s->version);
	json_out_text_n(&o, "secret", s->value, s->value_len);
	if (s->created != NULL)
		json_out_text(&o, "createdAt", s->created);
	if (s->creator != NULL)
		json_out_text(&o, "createdBy", s->creator);
	if (s->expires != NULL)
		json_out_text(&o, "expiresAt", s->expires);
	add_custom(&o, s->custom);
	json_out_end(&o);
	return json_out_finish(&o, err);
}

static void
warn_of_denied(size_t n)
{
	if (n > 0)
		report_warning("log in as somebody who may read them",
		    "%zu keys are left out: their values may not be read", n);
}

int
commands_registry_export(const struct options *o)
{
	const char *file = o->text[FLAG_OUTPUT_FILE];
	struct remote r;
	struct error err;
	struct buf out;
	size_t denied = 0;
	int rc = remote_open(&r, o, &err);

	buf_init_secret(&out, BUF_MAX_FILE);
	if (rc == 0)
		rc = secrets_of_registry(&r, transfer_add_line, &out, &denied, &err);
	if (rc == 0)
		rc = output_is_stream(file) ? output_write_stream(file, &out, &err) :
		    change_write_told(o, LOCK_MS, file, true, &out, &err);
	if (rc == 0)
		warn_of_denied(denied);
	if (rc == 0)
		report_warning("keep it like the secrets themselves, and remove it when it has "
		    "done its work", "the export holds every value in clear text");
	buf_release(&out);
	return remote_status(&r, rc, &err);
}

int
commands_registry_backup(const struct options *o)
{
	char name[TIME_TEXT + 16], today[TIME_TEXT];
	const char *file = o->arg_count > 0 ? o->args[0] : name;
	struct json_out out;
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	(void)time_text(time_now(), TIME_NAME, today);
	(void)snprintf(name, sizeof(name), "registry-%s.db", today);
	remote_target(&r, "secret", "admin", "backup", (const char *)NULL);
	json_out_init(&out, &r.body);
	json_out_object(&out, NULL);
	json_out_text(&out, "file", file);
	json_out_end(&out);
	if (rc == 0)
		rc = remote_call(&r, "POST", NULL, &err);
	if (rc == 0 && options_format(o) == OUTPUT_JSON)
		rc = remote_print(&r, &err);
	else if (rc == 0)
		report_note("the copy is backups/%s in the registry's data folder; its key and "
		    "its users, tokens and roles are not in it", file);
	return remote_status(&r, rc, &err);
}

/*
 * One version.  Its number there is a part of the Idempotency-Key, so that an
 * import that was interrupted can be run again and adds only what is missing.
 */
static int
put_dated(struct import *im, const struct secret_read *s, bool dated, struct error *err)
{
	char once[64];
	const char *headers[] = { "Idempotency-Key", once, NULL };
	int64_t from = time_now(), until;
	struct json_out o;

	snprintf(once, sizeof(once), "import-%lld", s->version);
	remote_name(im->to, s->path, s->key, NULL, "versions");
	buf_clear(&im->to->body);
	json_out_init(&o, &im->to->body);
	json_out_object(&o, NULL);
	json_out_text_n(&o, "secret", s->value, s->value_len);
	if (dated) {
		json_out_text(&o, "createdAt", s->created);
		if (!time_parse(s->created, TIME_MILLISECONDS, &from))
			return error_set(err, ERROR_FORMAT, "createdAt is no time");
	}
	if (s->expires != NULL) {
		if (!time_parse(s->expires, TIME_MILLISECONDS, &until))
			return error_set(err, ERROR_FORMAT, "expiresAt is no time");
		/* What is over by now is so in a second. */
		json_out_int(&o, "ttl", until - from < 1000 ? 1 : (until - from + 999) / 1000);
	}
	add_custom(&o, s->custom);
	json_out_end(&o);
	return remote_call(im->to, "POST", headers, err);
}

static int
put_one(void *cookie, const struct secret_read *s, struct error *err)
{
	struct import *im = cookie;
	bool dated = s->created != NULL && !im->undated;
	int rc;

	im->to->got.status = 0;
	rc = put_dated(im, s, dated, err);
	if (rc != 0 && dated && im->to->got.status == 403) {
		/* Who may write, but not say when it was. */
		rc = put_dated(im, s, false, err);
		im->undated = rc == 0;
	}
	if (rc != 0) {
		error_key(err, s->key, strlen(s->key));
		if (im->to->got.status == 422)
			error_hint(err, "%s: if another import brought another value as its "
			    "version %lld, put this one by hand", s->path, s->version);
		return -1;
	}
	im->count++;
	return 0;
}

int
commands_registry_import(const struct options *o)
{
	const char *from = o->text[FLAG_FROM];
	struct import im = { 0 };
	size_t denied = 0;
	struct remote to, source;
	struct error err;
	int rc = remote_open(&to, o, &err);

	im.to = &to;
	if (rc == 0 && strncmp(from, "http://", 7) != 0 && strncmp(from, "https://", 8) != 0) {
		rc = secrets_of_file(from, put_one, &im, &err);
	} else if (rc == 0) {
		rc = remote_open_source(&source, o, from, &err);
		if (rc == 0)
			rc = secrets_of_registry(&source, put_one, &im, &denied, &err);
		remote_close(&source);
		warn_of_denied(denied);
	}
	if (im.undated)
		report_warning("the role ResourceOwner or SystemAdmin keeps them",
		    "what was imported has the date of today: this login may not say when a "
		    "secret was created");
	if (im.count > 0 || rc == 0)
		report_note("%lu versions are imported, now or by an earlier run%s", im.count,
		    rc == 0 ? "" : "; run it again to go on");
	return remote_status(&to, rc, &err);
}

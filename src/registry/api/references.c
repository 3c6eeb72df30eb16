#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "registry/api/body.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/base/data_file.h"
#include "registry/http/http.h"
#include "registry/store/names.h"
#include "registry/store/reader.h"

#define REFERENCE_CHECK_ERRORS 50	/* that are listed, */
#define REFERENCE_CHECK_DEPTH 64	/* of objects and lists in each other */

#define PLACE_MAX 200		/* bytes of a place, */
#define REFERENCE_MAX 320	/* and of a reference, that are shown */
#define TEXT_MAX ((size_t)1 << 20)

/*
 * The rule for a connector's config: each ${secret:path:key} has the
 * connector's name as its path, and a secret that is there.
 */
struct reference_check {
	struct exchange *x;
	bool missing_is_wrong;
	const char *name;		/* the connector's */
	size_t name_len;
	const char *provider;
	struct reader *r;
	struct error err;		/* the database could not be read */
	bool failed;
	uint64_t references, wrong, missing;
	struct buf errors;		/* "place: reference: what"; ... */
	struct buf warnings;		/* the same as a JSON array that is not ended ... */
	struct json_out warning_list;	/* ... and what writes it */
	struct buf place;		/* a.b.c */
};

/*
 * POST /secret/connectors/{name}/validate and resolve.  All references that
 * are wrong are named, by their place in the config; values, of the config or
 * of secrets, never are.
 */
struct job {
	struct reference_check c;
	bool resolve;
	struct buf text;		/* secret: a value put together */
	uint32_t unreadable;		/* the version of a secret that cannot be opened */
	char unreadable_key[NAME_KEY_MAX + 1];
};

static void
reference_check_init(struct reference_check *c, struct exchange *x, bool missing_is_wrong)
{
	memset(c, 0, sizeof(*c));
	c->x = x;
	c->missing_is_wrong = missing_is_wrong;
	c->name = request_param(x, PARAM_PATH, &c->name_len);
	c->provider = request_settings(x)->provider;
	buf_init(&c->errors, TEXT_MAX);
	buf_init(&c->warnings, TEXT_MAX);
	json_out_init(&c->warning_list, &c->warnings);
	json_out_array(&c->warning_list, NULL);
	buf_init(&c->place, TEXT_MAX);
}

static void
reference_check_release(struct reference_check *c)
{
	buf_release(&c->errors);
	buf_release(&c->warnings);
	buf_release(&c->place);
}

/* Is the reference one to this registry? */
static bool
reference_check_is_ours(const struct reference_check *c, const struct reference *ref)
{
	return ref->provider_len == strlen(c->provider) &&
	    memcmp(ref->provider, c->provider, ref->provider_len) == 0;
}

/* Its live version.  false: there is none, or the reading has failed. */
static bool
reference_check_find(struct reference_check *c, const struct reference *ref, bool sealed,
    struct secret_name *name, struct version_view *v)
{
	int found;

	*name = (struct secret_name){ .path = c->name, .path_len = c->name_len,
	    .key = ref->key, .key_len = ref->key_len };
	found = reader_latest(c->r, name, sealed, v, &c->err);
	c->failed |= found == -1;
	return found == 1;
}

static void
append_cut(struct buf *out, const char *text, size_t n, size_t max)
{
	buf_append(out, text, n < max ? n : max);
	if (n > max)
		buf_append_str(out, "...");
}

static void
reference_check_tell(struct reference_check *c, struct buf *out, const char *text,
    const struct reference *ref, const char *what)
{
	append_cut(out, (const char *)c->place.data, c->place.len, PLACE_MAX);
	buf_append_str(out, ": ");
	append_cut(out, text + ref->begin, ref->end - ref->begin, REFERENCE_MAX);
	buf_append_str(out, ": ");
	buf_append_str(out, what);
}

static void
tell_wrong(struct reference_check *c, const char *text, const struct reference *ref,
    const char *what)
{
	if (c->wrong++ >= REFERENCE_CHECK_ERRORS)
		return;
	if (c->errors.len > 0)
		buf_append_str(&c->errors, "; ");
	reference_check_tell(c, &c->errors, text, ref, what);
}

static void
tell_missing(struct reference_check *c, const char *text, const struct reference *ref)
{
	static const char what[] = "no such secret is stored";
	struct buf line;

	if (c->missing_is_wrong) {
		tell_wrong(c, text, ref, what);
		return;
	}
	if (c->missing++ >= REFERENCE_CHECK_ERRORS)
		return;
	buf_init(&line, 4096);
	reference_check_tell(c, &line, text, ref, what);
	json_out_text_n(&c->warning_list, NULL, line.data, line.len);
	buf_release(&line);
}

static void
reference_check_check_text(struct reference_check *c, const char *text, size_t n)
{
	struct secret_name name;
	struct version_view v;
	struct reference ref;
	size_t at = 0;

	for (; reference_scan(text, n, at, &ref); at = ref.end) {
		if (!reference_check_is_ours(c, &ref))
			continue;
		c->references++;
		if (!ref.has_path || ref.path_len == 0)
			tell_wrong(c, text, &ref, "it names no path (${provider:path:key})");
		else if (ref.path_len != c->name_len ||
		    memcmp(ref.path, c->name, c->name_len) != 0)
			tell_wrong(c, text, &ref, "its path is not the connector's name");
		else if (!name_key_valid(ref.key, ref.key_len))
			tell_wrong(c, text, &ref, "its key is not valid");
		else if (!reference_check_find(c, &ref, false, &name, &v))
			tell_missing(c, text, &ref);
	}
}

/* Look at every string within; false: it is nested too deep. */
static bool
reference_check_check(struct reference_check *c, json_t *value, unsigned depth)
{
	size_t before = c->place.len, i;
	const char *name;
	json_t *member;
	bool fine = true;

	if (depth > REFERENCE_CHECK_DEPTH)
		return false;
	if (json_is_string(value))
		reference_check_check_text(c, json_string_value(value), json_string_length(value));
	json_object_foreach(value, name, member) {
		if (before > 0)
			buf_append_char(&c->place, '.');
		buf_append_str(&c->place, name);
		fine = fine && reference_check_check(c, member, depth + 1);
		buf_truncate(&c->place, before);
	}
	json_array_foreach(value, i, member) {
		buf_append_char(&c->place, '[');
		number_append(&c->place, i);
		buf_append_char(&c->place, ']');
		fine = fine && reference_check_check(c, member, depth + 1);
		buf_truncate(&c->place, before);
	}
	return fine;
}

/* Append the referred value to the text.  -1: it cannot be opened. */
static int
references_append_value(struct job *j, const struct reference *ref)
{
	struct secret_name name;
	const struct buf *value;
	struct version_view v;

	if (!reference_check_find(&j->c, ref, true, &name, &v))
		return -1;
	value = secret_json_open(j->c.x, &name, &v, NULL);
	if (value == NULL) {
		j->unreadable = v.number;
		memcpy(j->unreadable_key, ref->key, ref->key_len);
		return -1;
	}
	buf_append(&j->text, value->data, value->len);
	answer_gives(j->c.x, &name, v.number);
	return j->text.failed ? buf_fail(&j->c.x->body, j->text.why) : 0;
}

/* Write a text of the config with its references resolved.  -1: one cannot be. */
static int
emit_text(void *cookie, struct json_out *out, const char *key, const char *text, size_t n)
{
	struct job *j = cookie;
	struct reference ref;
	size_t at = 0, copied = 0;

	buf_clear(&j->text);
	for (; reference_scan(text, n, at, &ref); at = ref.end) {
		if (!reference_check_is_ours(&j->c, &ref))
			continue;
		buf_append(&j->text, text + copied, ref.begin - copied);
		copied = ref.end;
		if (references_append_value(j, &ref) == -1)
			return -1;
	}
	if (copied == 0) {
		json_out_text_n(out, key, text, n);
		return 0;
	}
	buf_append(&j->text, text + copied, n - copied);
	if (j->text.failed)
		return buf_fail(&j->c.x->body, j->text.why);
	json_out_text_n(out, key,
	    j->text.data != NULL ? j->text.data : (const void *)"", j->text.len);
	return 0;
}

static void
answer_wrong(struct job *j)
{
	struct buf message;

	buf_init(&message, (size_t)1 << 20);
	buf_append_str(&message, "The config's references are wrong: ");
	buf_append(&message, j->c.errors.data, j->c.errors.len);
	if (j->c.wrong > REFERENCE_CHECK_ERRORS) {
		buf_append_str(&message, "; and ");
		number_append(&message, j->c.wrong - REFERENCE_CHECK_ERRORS);
		buf_append_str(&message, " more");
	}
	answer_fail_long(j->c.x, 400, 0, &message);
	buf_release(&message);
}

static void
answer_valid(struct job *j)
{
	struct json_out *out = answer_json(j->c.x);

	json_out_object(out, NULL);
	json_out_bool(out, "valid", true);
	json_out_uint(out, "references", j->c.references);
	if (j->c.missing > 0) {
		json_out_end(&j->c.warning_list);
		json_out_raw_n(out, "warnings", j->c.warnings.data, j->c.warnings.len);
		if (j->c.warnings.failed)
			(void)buf_fail(&j->c.x->body, j->c.warnings.why);
	}
	json_out_end(out);
	answer_send(j->c.x, 200);
}

/* The config resolved, in the shape that it came in. */
static void
emit_answer(struct job *j, const json_t *root, const json_t *config)
{
	struct json_out *out = answer_json(j->c.x);
	const json_t *name = json_object_get(root, "name");

	if (config == root) {
		(void)data_json_write(out, NULL, config, emit_text, j);
		return;
	}
	json_out_object(out, NULL);
	if (json_is_string(name))
		json_out_text(out, "name", json_string_value(name));
	(void)data_json_write(out, "config", config, emit_text, j);
	json_out_end(out);
}

/* Check, and resolve if that is wanted and nothing is wrong. */
static void
references_work(struct job *j, const json_t *root, json_t *config)
{
	struct exchange *x = j->c.x;
	bool fine;

	if ((j->c.r = request_reader(x)) == NULL)
		return;
	fine = reference_check_check(&j->c, config, 0);
	if (fine && j->c.wrong == 0 && !j->c.failed && j->resolve)
		emit_answer(j, root, config);
	reader_end(j->c.r);
	x->has_count = true;
	x->count = j->c.references;
	if (j->c.failed)
		answer_error(x, &j->c.err);
	else if (!fine)
		answer_fail(x, 400, 0, "The config is nested too deep");
	else if (j->c.wrong > 0)
		answer_wrong(j);
	else if (j->unreadable != 0)
		answer_fail(x, 500, 50001, "Version %u of %.*s/%s cannot be opened: its record is "
		    "damaged or under a key that is not there", (unsigned)j->unreadable,
		    (int)j->c.name_len, j->c.name, j->unreadable_key);
	else if (j->resolve)
		answer_send(x, 200);
	else
		answer_valid(j);
}

static bool
references_is_name(const struct job *j, const json_t *name)
{
	return json_is_string(name) && json_string_length(name) == j->c.name_len &&
	    memcmp(json_string_value(name), j->c.name, j->c.name_len) == 0;
}

/* The connector's name must stand in the config (or beside it, as in Connect's
 * own requests), and be the URL's. */
static bool
references_check_name(struct job *j, const json_t *root, const json_t *config)
{
	const json_t *outer = json_object_get(root, "name");
	const json_t *inner = json_object_get(config, "name");

	if ((outer != NULL || inner != NULL) && (outer == NULL || references_is_name(j, outer)) &&
	    (inner == NULL || references_is_name(j, inner)))
		return true;
	answer_fail(j->c.x, 400, 0, "The config must have the connector's name as \"name\", "
	    "the same as in the URL");
	return false;
}

static void
references_take(struct exchange *x, bool resolve)
{
	struct buf *body = http_body(x->r);
	enum body_result result;
	json_t *root, *config;
	struct job job = { .resolve = resolve };
	char why[256];

	result = body_object(body->data, body->len, &root, why, sizeof(why));
	buf_clear(body);
	if (result != BODY_OK) {
		answer_body(x, result, why);
		return;
	}
	/* {"config":{...}}, as Connect takes it, or the map alone. */
	config = json_object_get(root, "config");
	if (!json_is_object(config))
		config = root;
	reference_check_init(&job.c, x, resolve || !request_settings(x)->missing_reference_warns);
	buf_init_secret(&job.text, EXCHANGE_BODY_MAX);
	if (references_check_name(&job, root, config))
		references_work(&job, root, config);
	buf_release(&job.text);
	reference_check_release(&job.c);
	json_decref(root);
}

void
references_validate(struct exchange *x)
{
	references_take(x, false);
}

void
references_resolve(struct exchange *x)
{
	references_take(x, true);
}

/* A list of the operations that the caller has on a path, NULL: on the whole registry. */
static void
append_operations(struct exchange *x, struct json_out *out, const char *key, const char *path,
    size_t n)
{
	json_out_array(out, key);
	for (unsigned op = 0; op < OPERATION_COUNT; op++)
		if (request_allows(x, (enum operation)op, path, n))
			json_out_text(out, NULL, operation_name((enum operation)op));
	json_out_end(out);
}

/* For a proxy, such as Connect's REST extension, that has only the caller's login. */
void
references_access(struct exchange *x)
{
	struct json_out *out = answer_json(x);
	size_t n;
	const char *path = request_param(x, PARAM_PATH, &n);

	json_out_object(out, NULL);
	json_out_text(out, "principal", request_principal(x));
	json_out_text_n(out, "path", path, n);
	append_operations(x, out, "operations", path, n);
	append_operations(x, out, "cluster", NULL, 0);
	json_out_end(out);
	answer_send(x, 200);
}

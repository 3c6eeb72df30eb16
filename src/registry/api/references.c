#include "registry/api/handlers.h"

#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "registry/api/answer.h"
#include "registry/api/body.h"
#include "registry/api/exchange.h"
#include "registry/api/reference_check.h"
#include "registry/api/reply.h"
#include "registry/api/request.h"
#include "registry/api/secret_json.h"
#include "registry/base/data_file.h"
#include "registry/http/http.h"
#include "registry/base/settings.h"
#include "registry/store/names.h"
#include "registry/store/state.h"

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

/* Append the referred value to the text.  -1: it cannot be opened. */
static int
append_value(struct job *j, const struct reference *ref)
{
	const struct state_key *key = reference_check_find(&j->c, ref);
	struct secret_name name = {
		.path = j->c.name, .path_len = j->c.name_len,
		.key = ref->key, .key_len = ref->key_len,
	};
	const struct buf *value;
	struct version_view v;

	if (key == NULL || !state_version_latest(key, j->c.now, &v))
		return -1;
	value = secret_json_open(j->c.x, &name, &v, NULL);
	if (value == NULL) {
		j->unreadable = v.number;
		memcpy(j->unreadable_key, ref->key, ref->key_len);
		return -1;
	}
	buf_append(&j->text, value->data, value->len);
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
		if (append_value(j, &ref) == -1)
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
		reply_number(&message, j->c.wrong - REFERENCE_CHECK_ERRORS);
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
work(struct job *j, const json_t *root, json_t *config)
{
	struct exchange *x = j->c.x;
	bool fine;

	state_lock(j->c.state);
	fine = reference_check_all(&j->c, config);
	if (fine && j->c.wrong == 0 && j->resolve)
		emit_answer(j, root, config);
	state_unlock(j->c.state);
	x->has_count = true;
	x->count = j->c.references;
	if (!fine)
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
is_name(const struct job *j, const json_t *name)
{
	return json_is_string(name) && json_string_length(name) == j->c.name_len &&
	    memcmp(json_string_value(name), j->c.name, j->c.name_len) == 0;
}

/* The connector's name must stand in the config (or beside it, as in Connect's
 * own requests), and be the URL's. */
static bool
check_name(struct job *j, const json_t *root, const json_t *config)
{
	const json_t *outer = json_object_get(root, "name");
	const json_t *inner = json_object_get(config, "name");

	if ((outer != NULL || inner != NULL) && (outer == NULL || is_name(j, outer)) &&
	    (inner == NULL || is_name(j, inner)))
		return true;
	answer_fail(j->c.x, 400, 0, "The config must have the connector's name as \"name\", "
	    "the same as in the URL");
	return false;
}

static void
take(struct exchange *x, bool resolve)
{
	struct buf *body = http_body(x->r);
	enum body_result result;
	json_t *root, *config;
	struct job job = { .resolve = resolve };
	char why[256];

	result = body_object(body->data, body->len, &root, why, sizeof(why));
	buf_clear(body);
	if (result != BODY_OK) {
		answer_fail(x, result == BODY_SYNTAX ? 400 : 422, result == BODY_SYNTAX ? 0 : 42201,
		    "%s", why);
		return;
	}
	/* {"config":{...}}, as Connect takes it, or the map alone. */
	config = json_object_get(root, "config");
	if (!json_is_object(config))
		config = root;
	reference_check_init(&job.c, x, resolve || !request_settings(x)->missing_reference_warns);
	buf_init_secret(&job.text, EXCHANGE_BODY_MAX);
	if (check_name(&job, root, config))
		work(&job, root, config);
	buf_release(&job.text);
	reference_check_release(&job.c);
	json_decref(root);
}

void
references_validate(struct exchange *x)
{
	take(x, false);
}

void
references_resolve(struct exchange *x)
{
	take(x, true);
}

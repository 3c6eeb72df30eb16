#include "interface_answer.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "ui/registry_source.h"

static json_t *
load(const struct buf *json, struct error *err)
{
	json_t *root = json_loadb((const char *)json->data, json->len, JSON_ALLOW_NUL, NULL);

	if (root == NULL)
		error_set(err, ERROR_FORMAT, "the answer is not JSON");
	return root;
}

static int
not_as_expected(struct error *err)
{
	error_set(err, ERROR_FORMAT, "the answer is not as a registry's should be");
	return error_hint(err, "is it a registry that is at this URL?");
}

/* A member's text, cut to fit; "" when there is none. */
static void
copy_text(const json_t *object, const char *name, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(object, name));

	snprintf(out, size, "%s", text != NULL ? text : "");
}

static unsigned int
number_of(const json_t *value)
{
	json_int_t n = json_integer_value(value);

	return n > 0 && n <= INT_MAX ? (unsigned int)n : 0;
}

static int
add_name(struct registry_answer *out, const char *name, struct error *err)
{
	char *copy = strdup(name);
	char **slot = copy != NULL ? vec_push(&out->names) : NULL;

	if (slot == NULL) {
		free(copy);
		return error_memory(err);
	}
	*slot = copy;
	return 0;
}

int
answer_add_names(const struct buf *json, struct registry_answer *out, struct error *err)
{
	json_t *root = load(json, err);
	json_t *name;
	size_t i;
	int rc = 0;

	if (root == NULL)
		return -1;
	if (!json_is_array(root))
		rc = not_as_expected(err);
	json_array_foreach(root, i, name) {
		if (rc != 0)
			break;
		if (out->names.len == REGISTRY_NAMES_MAX) {
			out->cut = true;
			break;
		}
		rc = json_is_string(name) ? add_name(out, json_string_value(name), err) :
		    not_as_expected(err);
	}
	json_decref(root);
	return rc;
}

static int
add_key(struct registry_answer *out, const json_t *key, struct error *err)
{
	const char *name = json_string_value(json_object_get(key, "key"));
	unsigned int *current;

	if (name == NULL)
		return not_as_expected(err);
	if (out->names.len == REGISTRY_NAMES_MAX) {
		out->cut = true;
		return 0;
	}
	if ((current = vec_push(&out->current)) == NULL)
		return error_memory(err);
	*current = number_of(json_object_get(key, "currentVersion"));
	return add_name(out, name, err);
}

int
answer_keys(const struct buf *json, struct registry_answer *out, struct error *err)
{
	json_t *root = load(json, err);
	json_t *keys = json_object_get(root, "keys");
	json_t *key;
	size_t i;
	int rc = 0;

	if (root == NULL)
		return -1;
	if (!json_is_array(keys))
		rc = not_as_expected(err);
	json_array_foreach(keys, i, key) {
		if (rc == 0)
			rc = add_key(out, key, err);
	}
	json_decref(root);
	return rc;
}

static enum registry_version_state
state_of(const json_t *v)
{
	const char *state = json_string_value(json_object_get(v, "state"));
	int s;

	for (s = REGISTRY_LIVE; state != NULL && s <= REGISTRY_DESTROYED; s++)
		if (strcmp(registry_state_name((enum registry_version_state)s), state) == 0)
			return (enum registry_version_state)s;
	return REGISTRY_LIVE;
}

static int
add_version(struct registry_answer *out, const json_t *v, struct error *err)
{
	struct registry_version *to = vec_push(&out->versions);

	if (to == NULL)
		return error_memory(err);
	to->number = number_of(json_is_object(v) ? json_object_get(v, "version") : v);
	if (to->number == 0)
		return not_as_expected(err);
	to->state = state_of(v);
	copy_text(v, "createdAt", to->created, sizeof(to->created));
	copy_text(v, "createdBy", to->created_by, sizeof(to->created_by));
	copy_text(v, "deletedAt", to->deleted, sizeof(to->deleted));
	copy_text(v, "deletedBy", to->deleted_by, sizeof(to->deleted_by));
	copy_text(v, "expiresAt", to->expires, sizeof(to->expires));
	return 0;
}

int
answer_history(const struct buf *json, struct registry_answer *out, struct error *err)
{
	json_t *root = load(json, err);
	json_t *versions = json_is_array(root) ? root : json_object_get(root, "versions");
	json_t *v;
	size_t i;
	int rc = 0;

	if (root == NULL)
		return -1;
	if (!json_is_array(versions))
		rc = not_as_expected(err);
	json_array_foreach(versions, i, v) {
		if (rc == 0)
			rc = add_version(out, v, err);
	}
	json_decref(root);
	return rc;
}

int
answer_value(const struct buf *json, struct registry_answer *out, struct error *err)
{
	json_t *root = load(json, err);
	json_t *value = json_object_get(root, "secret");
	int rc;

	if (root == NULL)
		return -1;
	if (!json_is_string(value)) {
		rc = not_as_expected(err);
	} else {
		buf_append(&out->value, json_string_value(value), json_string_length(value));
		rc = buf_check(&out->value, err);
	}
	json_decref(root);
	return rc;
}

int
answer_stored(const struct buf *json, struct registry_answer *out, struct error *err)
{
	json_t *root = load(json, err);

	if (root == NULL)
		return -1;
	out->version = number_of(json_object_get(root, "version"));
	json_decref(root);
	return 0;
}

int
answer_rotation(const struct buf *json, struct registry_answer *out, struct error *err)
{
	json_t *root = load(json, err);
	json_int_t done = json_integer_value(json_object_get(root, "done"));
	json_int_t total = json_integer_value(json_object_get(root, "total"));
	int rc = 0;

	if (root == NULL)
		return -1;
	if (!json_is_boolean(json_object_get(root, "running")))
		rc = not_as_expected(err);
	out->running = json_is_true(json_object_get(root, "running"));
	out->done = done > 0 ? (size_t)done : 0;
	out->total = total > 0 ? (size_t)total : 0;
	copy_text(root, "failure", out->failure, sizeof(out->failure));
	json_decref(root);
	return rc;
}

/* The last part of a name with this character before it. */
static const char *
last_part(const char *text, char before)
{
	const char *at = text != NULL ? strrchr(text, before) : NULL;

	return at != NULL ? at + 1 : text;
}

/* What stands behind the cluster in crn://.../secret-path=a/secret-key=b. */
static const char *
resource_of(const json_t *data)
{
	const char *name = json_string_value(json_object_get(data, "resourceName"));
	const char *path = name != NULL ? strstr(name, "/secret-path=") : NULL;

	return path != NULL ? path + 1 : "";
}

static int
add_event(struct registry_answer *out, const json_t *line, struct error *err)
{
	const json_t *data = json_object_get(line, "data");
	const json_t *granted = json_object_get(json_object_get(data, "authorizationInfo"),
	    "granted");
	const char *what = last_part(json_string_value(json_object_get(data, "methodName")), '.');
	struct registry_event *e = vec_push(&out->events);

	if (e == NULL)
		return error_memory(err);
	copy_text(line, "time", e->time, sizeof(e->time));
	copy_text(json_object_get(data, "authenticationInfo"), "principal", e->who,
	    sizeof(e->who));
	copy_text(json_object_get(data, "request"), "phase", e->phase, sizeof(e->phase));
	snprintf(e->what, sizeof(e->what), "%s", what != NULL ? what : "");
	snprintf(e->where, sizeof(e->where), "%s", resource_of(data));
	e->status = (int)number_of(json_object_get(json_object_get(data, "result"), "status"));
	e->denied = json_is_false(granted);
	return 0;
}

int
answer_audit(const struct buf *json, struct registry_answer *out, struct error *err)
{
	json_t *root = load(json, err);
	json_t *line;
	size_t i;
	int rc = 0;

	if (root == NULL)
		return -1;
	if (!json_is_array(root))
		rc = not_as_expected(err);
	json_array_foreach(root, i, line) {
		if (rc == 0 && out->events.len < REGISTRY_EVENTS_MAX)
			rc = add_event(out, line, err);
	}
	json_decref(root);
	return rc;
}

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "cli/interface.h"
#include "cli/remote.h"
#include "ui/registry.h"

#define PAGE "1000"	/* names that are asked for at a time */
#define EVENTS "200"	/* lines of the audit log */
#define NUMBER_MAX 16
#define UNEXPECTED "the answer is not as a registry's should be"
#define UNEXPECTED_HINT "is it a registry that is at this URL?"

/* A list of names (char *), up to their maximum; ${*cut}: there are more. */
struct name_list {
	struct vec *names;
	bool *cut;
};

/* What the registry's JSON says, for the interface.  ERROR_FORMAT, ERROR_MEMORY. */

static int
not_as_expected(struct error *err)
{
	error_set(err, ERROR_FORMAT, UNEXPECTED);
	return error_hint(err, UNEXPECTED_HINT);
}

/* Add each item of the answer's list to ${out}. */
static int
answer_each(const struct remote *r, const char *member, remote_visit *add, void *out,
    struct error *err)
{
	return remote_each(r, member, UNEXPECTED, UNEXPECTED_HINT, add, out, err);
}

/* A member's text, cut to fit; "" when there is none. */
static void
copy_text(const json_t *object, const char *name, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(object, name));

	snprintf(out, size, "%s", text != NULL ? text : "");
}

/* 2026-10-05T11:22:33.123Z, as a person reads it: 2026-10-05 11:22:33Z. */
static void
copy_time(const json_t *object, const char *name, char *out, size_t size)
{
	char *rest;

	copy_text(object, name, out, size);
	if (strlen(out) < 20 || out[10] != 'T')
		return;
	out[10] = ' ';
	rest = out + 19;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	memmove(out + 19, rest, strlen(rest) + 1);
}

static unsigned int
answer_number_of(const json_t *value)
{
	json_int_t n = json_integer_value(value);

	return n > 0 && n <= INT_MAX ? (unsigned int)n : 0;
}

static int
answer_add_name(struct vec *names, const char *name, struct error *err)
{
	char *copy = strdup(name);
	char **slot = copy != NULL ? vec_push(names) : NULL;

	if (slot == NULL) {
		free(copy);
		return error_memory(err);
	}
	*slot = copy;
	return 0;
}

static int
answer_take_name(void *cookie, const json_t *name, struct error *err)
{
	struct name_list *l = cookie;

	if (l->names->len == REGISTRY_NAMES_MAX) {
		*l->cut = true;
		return 0;
	}
	return json_is_string(name) ? answer_add_name(l->names, json_string_value(name), err) :
	    not_as_expected(err);
}

static enum registry_version_state
answer_state_of(const json_t *v)
{
	const char *state = json_string_value(json_object_get(v, "state"));
	int s;

	for (s = REGISTRY_LIVE; state != NULL && s <= REGISTRY_DESTROYED; s++)
		if (strcmp(registry_state_name((enum registry_version_state)s), state) == 0)
			return (enum registry_version_state)s;
	return REGISTRY_LIVE;
}

/* Of a key's versions, which are ascending, the current one, else the last. */
static void
answer_summarize(const json_t *key, struct registry_summary *out)
{
	const json_t *versions = json_object_get(key, "versions");
	const json_t *v = NULL;
	size_t i = json_array_size(versions);

	memset(out, 0, sizeof(*out));
	out->current = answer_number_of(json_object_get(key, "currentVersion"));
	while (i > 0 && out->current != 0 &&
	    answer_number_of(json_object_get(json_array_get(versions,
	    i - 1), "version")) != out->current)
		i--;
	if (i > 0)
		v = json_array_get(versions, i - 1);
	out->state = v != NULL ? answer_state_of(v) : REGISTRY_DESTROYED;
	copy_time(v, "createdAt", out->created, sizeof(out->created));
	copy_text(v, "createdBy", out->created_by, sizeof(out->created_by));
}

static int
answer_add_key(void *cookie, const json_t *key, struct error *err)
{
	struct registry_answer *out = cookie;
	const char *name = json_string_value(json_object_get(key, "key"));
	struct registry_summary *to;

	if (name == NULL)
		return not_as_expected(err);
	if (out->names.len == REGISTRY_NAMES_MAX) {
		out->cut = true;
		return 0;
	}
	if ((to = vec_push(&out->keys)) == NULL)
		return error_memory(err);
	answer_summarize(key, to);
	return answer_add_name(&out->names, name, err);
}

static int
answer_add_version(void *cookie, const json_t *v, struct error *err)
{
	struct registry_answer *out = cookie;
	struct registry_version *to = vec_push(&out->versions);

	if (to == NULL)
		return error_memory(err);
	to->number = answer_number_of(json_is_object(v) ? json_object_get(v, "version") : v);
	if (to->number == 0)
		return not_as_expected(err);
	to->state = answer_state_of(v);
	copy_time(v, "createdAt", to->created, sizeof(to->created));
	copy_text(v, "createdBy", to->created_by, sizeof(to->created_by));
	copy_time(v, "deletedAt", to->deleted, sizeof(to->deleted));
	copy_text(v, "deletedBy", to->deleted_by, sizeof(to->deleted_by));
	copy_time(v, "expiresAt", to->expires, sizeof(to->expires));
	return 0;
}

static int
answer_stored(const struct buf *json, struct registry_answer *out, struct error *err)
{
	json_t *root = json_loadb((const char *)json->data, json->len, JSON_ALLOW_NUL, NULL);

	if (root == NULL)
		return error_set(err, ERROR_FORMAT, "the answer is not JSON");
	out->version = answer_number_of(json_object_get(root, "version"));
	json_decref(root);
	return 0;
}

static int
answer_rotation(const struct remote *r, struct registry_answer *out, struct error *err)
{
	struct remote_rotation now;
	int rc = remote_rotation(r, &now, err);

	out->running = now.running;
	out->done = now.done;
	out->total = now.total;
	snprintf(out->failure, sizeof(out->failure), "%s", now.failure);
	return rc;
}

/* The last part of a name with this character before it. */
static const char *
last_part(const char *text, char before)
{
	const char *at = text != NULL ? strrchr(text, before) : NULL;

	return at != NULL ? at + 1 : text;
}

/* One part of crn://.../secret-path=a/secret-key=b/version=3, percent-decoded. */
static void
append_part(struct buf *out, const char *before, const char *name, const char *mark)
{
	const char *at = name != NULL ? strstr(name, mark) : NULL;
	int high, low;

	if (at == NULL)
		return;
	buf_append_str(out, before);
	for (at += strlen(mark); *at != '\0' && *at != '/'; at++) {
		if (*at != '%' || (high = hex_digit((unsigned char)at[1])) < 0 ||
		    (low = hex_digit((unsigned char)at[2])) < 0) {
			buf_append_char(out, *at);
			continue;
		}
		buf_append_char(out, (char)(high << 4 | low));
		at += 2;
	}
}

/* PATH / KEY, version N. */
static void
say_where(const json_t *data, struct registry_event *e)
{
	const char *name = json_string_value(json_object_get(data, "resourceName"));
	struct buf text;

	buf_init(&text, sizeof(e->where) - 1);
	append_part(&text, "", name, "/secret-path=");
	append_part(&text, " / ", name, "/secret-key=");
	append_part(&text, ", version ", name, "/version=");
	snprintf(e->where, sizeof(e->where), "%s", buf_cstr(&text));
	buf_release(&text);
}

/* An outcome says which line began it: that one tells nothing more. */
static void
drop_begun(struct registry_answer *out, const json_t *line)
{
	json_int_t number = json_integer_value(json_object_get(line, "intentseq"));
	struct registry_event *events = out->events.items;
	size_t i;

	for (i = out->events.len; number > 0 && i-- > 0;) {
		if (events[i].number != (unsigned long long)number)
			continue;
		memmove(events + i, events + i + 1, (out->events.len - 1 - i) * sizeof(*events));
		out->events.len--;
		return;
	}
}

static int
answer_add_event(void *cookie, const json_t *line, struct error *err)
{
	struct registry_answer *out = cookie;
	const json_t *data = json_object_get(line, "data");
	const json_t *granted = json_object_get(json_object_get(data, "authorizationInfo"),
	    "granted");
	const char *what = last_part(json_string_value(json_object_get(data, "methodName")), '.');
	struct registry_event *e;

	if (out->events.len >= REGISTRY_EVENTS_MAX)
		return 0;
	/* What was begun is left out when its outcome is there. */
	drop_begun(out, line);
	if ((e = vec_push(&out->events)) == NULL)
		return error_memory(err);
	e->number = (unsigned long long)json_integer_value(json_object_get(line, "seq"));
	copy_time(line, "time", e->time, sizeof(e->time));
	copy_text(json_object_get(data, "authenticationInfo"), "principal", e->who, sizeof(e->who));
	copy_text(json_object_get(data, "request"), "phase", e->phase, sizeof(e->phase));
	snprintf(e->what, sizeof(e->what), "%s", what != NULL ? what : "");
	say_where(data, e);
	e->status = (int)answer_number_of(json_object_get(json_object_get(data, "result"),
	    "status"));
	e->denied = json_is_false(granted);
	return 0;
}

static char *
job_copy(const char *text)
{
	return strdup(text != NULL ? text : "");
}

struct job *
job_new(unsigned long id, const struct registry_request *r, struct error *err)
{
	struct job *j = error_alloc(sizeof(*j), err);

	if (j == NULL)
		return NULL;
	j->id = id;
	j->kind = r->kind;
	j->version = r->version;
	j->cas = r->cas;
	j->delay_ms = r->delay_ms;
	j->path = job_copy(r->path);
	j->key = job_copy(r->key);
	buf_init_secret(&j->value, REGISTRY_VALUE_MAX);
	if (r->value != NULL)
		buf_append(&j->value, r->value->data, r->value->len);
	if (j->path == NULL || j->key == NULL)
		error_memory(err);
	else if (buf_check(&j->value, err) == 0)
		return j;
	job_free(j);
	return NULL;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	buf_release(&j->value);
	free(j->path);
	free(j->key);
	free(j);
}

bool
job_is_secret(const struct job *j)
{
	return j->kind == REGISTRY_VALUE || j->kind == REGISTRY_PUT;
}

static const char *
job_number(unsigned int n, char out[NUMBER_MAX])
{
	snprintf(out, NUMBER_MAX, "%u", n);
	return out;
}

/* A list of names, page after page. */
static int
list(struct remote *r, struct vec *names, bool *cut, struct error *err)
{
	struct name_list l = { names, cut };
	size_t before;

	for (;;) {
		before = names->len;
		if (remote_call(r, "GET", NULL, err) != 0 ||
		    answer_each(r, NULL, answer_take_name, &l, err) != 0)
			return -1;
		if (r->got.next[0] == '\0' || names->len == before)
			return 0;
		if (names->len == REGISTRY_NAMES_MAX) {
			*cut = true;
			return 0;
		}
		buf_clear(&r->target);
		buf_append_str(&r->target, r->got.next);
	}
}

/* Those of which all is deleted stand in a list of their own, where that is offered. */
static int
paths(struct remote *r, struct registry_answer *out, struct error *err)
{
	remote_name(r, NULL, NULL, NULL, NULL);
	remote_query(r, "limit", PAGE);
	if (list(r, &out->names, &out->cut, err) != 0)
		return -1;
	remote_name(r, NULL, NULL, NULL, NULL);
	remote_query(r, "limit", PAGE);
	remote_query(r, "deleted", "true");
	if (list(r, &out->deleted, &out->cut, err) != 0 && r->got.status == 0)
		return -1;
	return 0;
}

/* With what is known of the keys, where that is offered. */
static int
keys(const struct job *j, struct remote *r, struct registry_answer *out, struct error *err)
{
	if (remote_ask(r, "GET", j->path, NULL, NULL, "metadata", err) == 0)
		return answer_each(r, "keys", answer_add_key, out, err);
	if (r->got.status != 403 && r->got.status != 404 && r->got.status != 405)
		return -1;
	remote_name(r, j->path, NULL, NULL, "keys");
	remote_query(r, "limit", PAGE);
	return list(r, &out->names, &out->cut, err);
}

/* A key's metadata, or, as other registries have it, [1,2,4]. */
static int
history(const struct job *j, struct remote *r, struct registry_answer *out, struct error *err)
{
	if (remote_ask(r, "GET", j->path, j->key, NULL, "metadata", err) != 0 &&
	    ((r->got.status != 404 && r->got.status != 405) ||
	    remote_ask(r, "GET", j->path, j->key, NULL, "versions", err) != 0))
		return -1;
	return answer_each(r, "versions", answer_add_version, out, err);
}

static int
job_value(const struct job *j, struct remote *r, struct registry_answer *out, struct error *err)
{
	char n[NUMBER_MAX];

	if (remote_ask(r, "GET", j->path, j->key, job_number(j->version, n), NULL, err) != 0)
		return -1;
	return remote_secret(r, &out->value, err);
}

static int
job_put(const struct job *j, struct remote *r, struct registry_answer *out, struct error *err)
{
	if (remote_check_text(&j->value, err) != 0)
		return -1;
	remote_body(r, j->value.data, j->value.len, (long)j->cas, 0);
	if (remote_ask(r, "POST", j->path, j->key, NULL, "versions", err) != 0)
		return -1;
	return answer_stored(&r->answer, out, err);
}

static int
remove_it(const struct job *j, struct remote *r, struct error *err)
{
	char n[NUMBER_MAX];

	return remote_ask(r, "DELETE", j->path, j->key[0] != '\0' ? j->key : NULL,
	    j->version != 0 ? job_number(j->version, n) : NULL, NULL, err);
}

static int
undelete(const struct job *j, struct remote *r, struct error *err)
{
	char n[NUMBER_MAX];

	return remote_ask(r, "POST", j->path, j->key, job_number(j->version, n), "undelete", err);
}

static int
rotation(const struct job *j, struct remote *r, struct registry_answer *out, struct error *err)
{
	remote_target(r, "secret", "admin", "rotation", (const char *)NULL);
	if (j->kind == REGISTRY_ROTATE)
		buf_append_str(&r->body, "{}");
	if (remote_call(r, j->kind == REGISTRY_ROTATE ? "POST" : "GET", NULL, err) != 0)
		return -1;
	return answer_rotation(r, out, err);
}

static int
audit(struct remote *r, struct registry_answer *out, struct error *err)
{
	remote_target(r, "secret", "admin", "audit", (const char *)NULL);
	remote_query(r, "limit", EVENTS);
	if (remote_call(r, "GET", NULL, err) == 0)
		return answer_each(r, NULL, answer_add_event, out, err);
	if (r->got.status == 404 || r->got.status == 405) {
		error_set(err, ERROR_MISSING, "this registry offers no audit tail");
		return error_hint(err, "propseal registry audit search reads the log on its host");
	}
	return -1;
}

static int
run(const struct job *j, struct remote *r, struct registry_answer *out, struct error *err)
{
	switch (j->kind) {
	case REGISTRY_PATHS:
		return paths(r, out, err);
	case REGISTRY_KEYS:
		return keys(j, r, out, err);
	case REGISTRY_HISTORY:
		return history(j, r, out, err);
	case REGISTRY_VALUE:
		return job_value(j, r, out, err);
	case REGISTRY_PUT:
		return job_put(j, r, out, err);
	case REGISTRY_DELETE:
		return remove_it(j, r, err);
	case REGISTRY_UNDELETE:
		return undelete(j, r, err);
	case REGISTRY_AUDIT:
		return audit(r, out, err);
	case REGISTRY_ROTATE:
	case REGISTRY_ROTATION:
	default:
		return rotation(j, r, out, err);
	}
}

void
job_run(const struct job *j, struct remote *r, struct registry_answer *out)
{
	r->got.status = 0;
	buf_clear(&r->body);
	out->rc = run(j, r, out, &out->err);
	out->status = r->got.status;
	buf_release(&r->body);
	buf_release(&r->answer);
}

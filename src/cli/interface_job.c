#include "cli/interface_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/interface_answer.h"
#include "cli/registry/remote.h"

#define PAGE "1000"	/* names that are asked for at a time */
#define EVENTS "200"	/* lines of the audit log */
#define NUMBER_MAX 16

static char *
copy(const char *text)
{
	return strdup(text != NULL ? text : "");
}

struct job *
job_new(unsigned long id, const struct registry_request *r, struct error *err)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL) {
		error_memory(err);
		return NULL;
	}
	j->id = id;
	j->kind = r->kind;
	j->version = r->version;
	j->cas = r->cas;
	j->delay_ms = r->delay_ms;
	j->path = copy(r->path);
	j->key = copy(r->key);
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
number(unsigned int n, char out[NUMBER_MAX])
{
	snprintf(out, NUMBER_MAX, "%u", n);
	return out;
}

/* A list of names, page after page. */
static int
list(struct remote *r, struct vec *names, bool *cut, struct error *err)
{
	size_t before;

	for (;;) {
		before = names->len;
		if (remote_call(r, "GET", NULL, err) != 0 ||
		    answer_add_names(&r->answer, names, cut, err) != 0)
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
	remote_target(r, "secret", "paths", (const char *)NULL);
	remote_query(r, "limit", PAGE);
	if (list(r, &out->names, &out->cut, err) != 0)
		return -1;
	remote_target(r, "secret", "paths", (const char *)NULL);
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
	remote_target(r, "secret", "paths", j->path, "metadata", (const char *)NULL);
	if (remote_call(r, "GET", NULL, err) == 0)
		return answer_keys(&r->answer, out, err);
	if (r->got.status != 403 && r->got.status != 404 && r->got.status != 405)
		return -1;
	remote_target(r, "secret", "paths", j->path, "keys", (const char *)NULL);
	remote_query(r, "limit", PAGE);
	return list(r, &out->names, &out->cut, err);
}

static int
history(const struct job *j, struct remote *r, struct registry_answer *out, struct error *err)
{
	remote_target(r, "secret", "paths", j->path, "keys", j->key, "metadata",
	    (const char *)NULL);
	if (remote_call(r, "GET", NULL, err) != 0) {
		if (r->got.status != 404 && r->got.status != 405)
			return -1;
		remote_target(r, "secret", "paths", j->path, "keys", j->key, "versions",
		    (const char *)NULL);
		if (remote_call(r, "GET", NULL, err) != 0)
			return -1;
	}
	return answer_history(&r->answer, out, err);
}

static int
value(const struct job *j, struct remote *r, struct registry_answer *out, struct error *err)
{
	char n[NUMBER_MAX];

	remote_target(r, "secret", "paths", j->path, "keys", j->key, "versions",
	    number(j->version, n), (const char *)NULL);
	if (remote_call(r, "GET", NULL, err) != 0)
		return -1;
	return answer_value(&r->answer, out, err);
}

static int
put(const struct job *j, struct remote *r, struct registry_answer *out, struct error *err)
{
	char n[NUMBER_MAX];

	if (remote_check_text(&j->value, err) != 0)
		return -1;
	remote_target(r, "secret", "paths", j->path, "keys", j->key, "versions",
	    (const char *)NULL);
	buf_append_str(&r->body, "{\"secret\":");
	text_append_json(&r->body, j->value.data, j->value.len);
	buf_append_str(&r->body, ",\"cas\":");
	buf_append_str(&r->body, number(j->cas, n));
	buf_append_char(&r->body, '}');
	if (remote_call(r, "POST", NULL, err) != 0)
		return -1;
	return answer_stored(&r->answer, out, err);
}

static int
remove_it(const struct job *j, struct remote *r, struct error *err)
{
	char n[NUMBER_MAX];

	if (j->key[0] == '\0')
		remote_target(r, "secret", "paths", j->path, (const char *)NULL);
	else if (j->version == 0)
		remote_target(r, "secret", "paths", j->path, "keys", j->key, (const char *)NULL);
	else
		remote_target(r, "secret", "paths", j->path, "keys", j->key, "versions",
		    number(j->version, n), (const char *)NULL);
	return remote_call(r, "DELETE", NULL, err);
}

static int
undelete(const struct job *j, struct remote *r, struct error *err)
{
	char n[NUMBER_MAX];

	remote_target(r, "secret", "paths", j->path, "keys", j->key, "versions",
	    number(j->version, n), "undelete", (const char *)NULL);
	return remote_call(r, "POST", NULL, err);
}

static int
rotation(const struct job *j, struct remote *r, struct registry_answer *out,
    struct error *err)
{
	remote_target(r, "secret", "admin", "rotation", (const char *)NULL);
	if (j->kind == REGISTRY_ROTATE)
		buf_append_str(&r->body, "{}");
	if (remote_call(r, j->kind == REGISTRY_ROTATE ? "POST" : "GET", NULL, err) != 0)
		return -1;
	return answer_rotation(&r->answer, out, err);
}

static int
audit(struct remote *r, struct registry_answer *out, struct error *err)
{
	remote_target(r, "secret", "admin", "audit", (const char *)NULL);
	remote_query(r, "limit", EVENTS);
	if (remote_call(r, "GET", NULL, err) == 0)
		return answer_audit(&r->answer, out, err);
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
		return value(j, r, out, err);
	case REGISTRY_PUT:
		return put(j, r, out, err);
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

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/base/data_file.h"

/*
 * GET /openapi.json: written from the table that dispatches, with the schemas
 * and texts of share/registry/openapi.json.
 */

struct document {
	struct json_out o;
	const json_t *parts;
	const struct settings *set;
};

/* The bytes of that file, which the build makes a C file of. */
extern const unsigned char openapi_data[];
extern const size_t openapi_data_size;

/* ${group}'s member of that name, or what stands there for all others. */
static const json_t *
openapi_part(const struct document *d, const char *group, const char *name)
{
	const json_t *members = json_object_get(d->parts, group);
	const json_t *found = json_object_get(members, name);

	return found != NULL ? found : json_object_get(members, "other");
}

static void
openapi_put(struct document *d, const char *key, const json_t *value)
{
	(void)data_json_write(&d->o, key, value, NULL, NULL);
}

static void
openapi_add_parameter(struct document *d, const struct endpoint *e, const char *name, size_t n,
    const char *in)
{
	const json_t *parameters = json_object_get(d->parts, "parameters");
	const json_t *schema;
	char copy[32];

	(void)snprintf(copy, sizeof(copy), "%.*s", (int)n, name);
	schema = json_object_get(json_object_get(parameters, in),
	    strcmp(copy, "version") == 0 && (e->flags & ROUTE_LATEST) == 0 ? "number" : copy);
	json_out_object(&d->o, NULL);
	json_out_text(&d->o, "name", copy);
	json_out_text(&d->o, "in", in);
	json_out_bool(&d->o, "required", strcmp(in, "path") == 0);
	openapi_put(d, "schema", schema != NULL ? schema : json_object_get(parameters, "other"));
	json_out_end(&d->o);
}

static void
add_parameters(struct document *d, const struct endpoint *e)
{
	json_out_array(&d->o, "parameters");
	for (const char *p = strchr(e->pattern, '{'); p != NULL; p = strchr(p, '{')) {
		size_t n = strcspn(++p, "}");

		openapi_add_parameter(d, e, p, n, "path");
	}
	for (const char *p = e->query; *p != '\0';) {
		size_t n = strcspn(p, " ");

		openapi_add_parameter(d, e, p, n, "query");
		p += n + strspn(p + n, " ");
	}
	json_out_end(&d->o);
}

/* The status of a success differs between the dialects. */
static int
in_dialect(const struct document *d, const struct endpoint *e, int status)
{
	if (d->set->compat == REST_MREDJEM && status == 200) {
		if (e->run == create_version)
			return 201;
		if (e->run == deletes_version || e->run == deletes_key || e->run == deletes_path)
			return 204;
	}
	return status;
}

/* "content": a body of that type and schema. */
static void
add_content(struct document *d, const char *type, const json_t *schema)
{
	json_out_object(&d->o, "content");
	json_out_object(&d->o, type);
	openapi_put(d, "schema", schema);
	json_out_end(&d->o);
	json_out_end(&d->o);
}

static void
add_answer(struct document *d, const struct endpoint *e, int status)
{
	const json_t *meaning;
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", status);
	meaning = openapi_part(d, "statuses", number);
	json_out_object(&d->o, number);
	json_out_text(&d->o, "description", json_string_value(meaning));
	if (status >= 400)
		add_content(d, "application/json", openapi_part(d, "answers", "error"));
	else if (status != 204 && status != 304)
		add_content(d, e->run == metrics_show ? "text/plain" : "application/json",
		    openapi_part(d, "answers", e->name));
	json_out_end(&d->o);
}

static void
add_answers(struct document *d, const struct endpoint *e)
{
	static const int with_login[] = { 401, 403, 429, 503 };
	const char *p = e->answers;
	char *end;

	json_out_object(&d->o, "responses");
	for (;;) {
		long status = strtol(p, &end, 10);

		if (end == p)
			break;
		add_answer(d, e, in_dialect(d, e, (int)status));
		p = end;
	}
	if (e->scope != SCOPE_OPEN) {
		for (size_t i = 0; i < sizeof(with_login) / sizeof(with_login[0]); i++)
			add_answer(d, e, with_login[i]);
	}
	json_out_end(&d->o);
}

/* Its name, with a number from the second of that name on. */
static void
add_id(struct document *d, const struct endpoint *e)
{
	unsigned nth = 1;

	for (const struct endpoint *o = route_at(0); o < e; o++)
		nth += strcmp(o->name, e->name) == 0;
	if (nth > 1)
		json_out_textf(&d->o, "operationId", "%s%u", e->name, nth);
	else
		json_out_text(&d->o, "operationId", e->name);
}

static void
add_operation(struct document *d, const struct endpoint *e)
{
	char method[16];
	size_t i;

	(void)snprintf(method, sizeof(method), "%s", route_method_name(e->method));
	for (i = 0; method[i] != '\0'; i++)
		method[i] = (char)(method[i] | 0x20);
	json_out_object(&d->o, method);
	add_id(d, e);
	json_out_text(&d->o, "summary", e->summary);
	add_parameters(d, e);
	if (e->flags & ROUTE_BODY) {
		json_out_object(&d->o, "requestBody");
		json_out_bool(&d->o, "required", true);
		add_content(d, "application/json", openapi_part(d, "bodies", e->name));
		json_out_end(&d->o);
	}
	add_answers(d, e);
	if (e->scope == SCOPE_OPEN) {
		json_out_array(&d->o, "security");
		json_out_end(&d->o);
	}
	json_out_end(&d->o);
}

/* The methods of one pattern stand together in the table. */
static void
add_paths(struct document *d)
{
	const char *pattern = NULL;

	json_out_object(&d->o, "paths");
	for (size_t i = 0; i < route_count(); i++) {
		const struct endpoint *e = route_at(i);

		if (!route_is_there(e, d->set))
			continue;
		if (pattern == NULL || strcmp(pattern, e->pattern) != 0) {
			if (pattern != NULL)
				json_out_end(&d->o);
			pattern = e->pattern;
			json_out_object(&d->o, pattern);
		}
		add_operation(d, e);
	}
	json_out_end(&d->o);
	json_out_end(&d->o);
}

void
openapi_make(struct buf *out, const struct settings *set)
{
	struct document d = { .set = set };
	json_t *parts = json_loadb((const char *)openapi_data, openapi_data_size, 0, NULL);

	if (parts == NULL) {
		(void)buf_fail(out, ERROR_MEMORY);
		return;
	}
	d.parts = parts;
	json_out_init(&d.o, out);
	json_out_object(&d.o, NULL);
	json_out_text(&d.o, "openapi", "3.1.0");
	json_out_object(&d.o, "info");
	json_out_text(&d.o, "title", "propseal Secret Registry");
	json_out_text(&d.o, "version", PROPSEAL_VERSION);
	json_out_end(&d.o);
	add_paths(&d);
	openapi_put(&d, "security", json_object_get(parts, "security"));
	openapi_put(&d, "components", json_object_get(parts, "components"));
	json_out_end(&d.o);
	json_decref(parts);
}

void
openapi_show(struct exchange *x)
{
	const struct buf *text = &x->api->openapi;

	json_out_raw_n(answer_json(x), NULL, text->data, text->len);
	answer_send(x, 200);
}

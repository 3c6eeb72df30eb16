#include "registry/api/openapi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "registry/api/answer.h"
#include "registry/api/exchange.h"
#include "registry/api/handlers.h"
#include "registry/api/internal.h"
#include "registry/api/openapi_schemas.h"
#include "registry/api/reply.h"
#include "registry/api/route.h"

/* GET /openapi.json: written from the table that dispatches. */

static const struct {
	int status;
	const char *text;
} meanings[] = {
	{ 200, "Done" }, { 201, "Stored" }, { 202, "Begun" }, { 204, "Done; no body" },
	{ 304, "The caller has this version already" },
	{ 400, "The URL, a header or the body cannot be read" },
	{ 401, "No or wrong credentials" }, { 403, "The caller has no right to this" },
	{ 404, "There is nothing of that name" }, { 409, "It stands against what is there" },
	{ 410, "The offset is too old" }, { 412, "A condition does not hold" },
	{ 413, "The value is too large" }, { 415, "The body is not said to be JSON" },
	{ 422, "A name, a number or a member of the body is not acceptable" },
	{ 429, "Too many requests" }, { 500, "A record cannot be read, or a fault of the service" },
	{ 503, "Not able now; nothing was done" },
	{ 504, "It is not known whether it was written" },
};

static const char *
meaning_of(int status)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].status == status)
			return meanings[i].text;
	}
	return "See the error's message";
}

static void
add_parameter(struct buf *out, bool *first, const char *name, size_t n, bool in_path)
{
	char copy[32];

	(void)snprintf(copy, sizeof(copy), "%.*s", (int)n, name);
	buf_printf(out, "%s{\"name\":\"%s\",\"in\":\"%s\",\"required\":%s,\"schema\":%s}",
	    *first ? "" : ",", copy, in_path ? "path" : "query", in_path ? "true" : "false",
	    openapi_schema_of_parameter(copy, in_path));
	*first = false;
}

static void
add_parameters(struct buf *out, const struct endpoint *e)
{
	bool first = true;

	buf_append_str(out, ",\"parameters\":[");
	for (const char *p = strchr(e->pattern, '{'); p != NULL; p = strchr(p, '{')) {
		size_t n = strcspn(++p, "}");

		add_parameter(out, &first, p, n, true);
	}
	for (const char *p = e->query; *p != '\0';) {
		size_t n = strcspn(p, " ");

		add_parameter(out, &first, p, n, false);
		p += n + strspn(p + n, " ");
	}
	buf_append_char(out, ']');
}

/* The status of a success differs between the dialects. */
static int
in_dialect(const struct endpoint *e, int status, enum rest_compat compat)
{
	if (compat == REST_MREDJEM && status == 200) {
		if (e->run == create_version)
			return 201;
		if (e->run == deletes_version || e->run == deletes_key || e->run == deletes_path)
			return 204;
	}
	return status;
}

static void
add_answer(struct buf *out, bool *first, const struct endpoint *e, int status)
{
	buf_printf(out, "%s\"%d\":{\"description\":\"%s\"", *first ? "" : ",", status,
	    meaning_of(status));
	if (status >= 400)
		buf_append_str(out, ",\"content\":{\"application/json\":{\"schema\":"
		    "{\"$ref\":\"#/components/schemas/Error\"}}}");
	else if (status != 204 && status != 304)
		buf_printf(out, ",\"content\":{\"%s\":{\"schema\":%s}}",
		    e->run == metrics_show ? "text/plain" : "application/json",
		    openapi_schema_of_answer(e->name));
	buf_append_char(out, '}');
	*first = false;
}

static void
add_answers(struct buf *out, const struct endpoint *e, enum rest_compat compat)
{
	static const int with_login[] = { 401, 403, 429, 503 };
	bool first = true;
	const char *p = e->answers;
	char *end;

	buf_append_str(out, ",\"responses\":{");
	for (;;) {
		long status = strtol(p, &end, 10);

		if (end == p)
			break;
		add_answer(out, &first, e, in_dialect(e, (int)status, compat));
		p = end;
	}
	if (e->scope != SCOPE_OPEN) {
		for (size_t i = 0; i < sizeof(with_login) / sizeof(with_login[0]); i++)
			add_answer(out, &first, e, with_login[i]);
	}
	buf_append_char(out, '}');
}

/* Its name, with a number from the second of that name on. */
static void
add_id(struct buf *out, const struct endpoint *e)
{
	unsigned nth = 1;

	for (const struct endpoint *o = route_at(0); o < e; o++)
		nth += strcmp(o->name, e->name) == 0;
	buf_printf(out, "\"operationId\":\"%s", e->name);
	if (nth > 1)
		buf_printf(out, "%u", nth);
	buf_append_char(out, '"');
}

static void
add_operation(struct buf *out, const struct endpoint *e, enum rest_compat compat)
{
	char method[16];
	size_t i;

	(void)snprintf(method, sizeof(method), "%s", route_method_name(e->method));
	for (i = 0; method[i] != '\0'; i++)
		method[i] = (char)(method[i] | 0x20);
	buf_printf(out, "\"%s\":{", method);
	add_id(out, e);
	buf_append_str(out, ",\"summary\":");
	reply_text(out, e->summary);
	add_parameters(out, e);
	if (e->flags & ROUTE_BODY)
		buf_printf(out, ",\"requestBody\":{\"required\":true,\"content\":"
		    "{\"application/json\":{\"schema\":%s}}}", openapi_schema_of_body(e->name));
	add_answers(out, e, compat);
	if (e->scope == SCOPE_OPEN)
		buf_append_str(out, ",\"security\":[]");
	buf_append_char(out, '}');
}

void
openapi_make(struct buf *out, enum rest_compat compat)
{
	const char *pattern = "";
	bool any = false;

	buf_append_str(out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":"
	    "\"propseal Secret Registry\",\"version\":\"" PROPSEAL_VERSION "\"},\"paths\":{");
	for (size_t i = 0; i < route_count(); i++) {
		const struct endpoint *e = route_at(i);

		if ((e->flags & ROUTE_MREDJEM) != 0 && compat != REST_MREDJEM)
			continue;
		if (strcmp(pattern, e->pattern) != 0) {
			buf_append_str(out, any ? "}," : "");
			pattern = e->pattern;
			reply_text(out, pattern);
			buf_append_str(out, ":{");
		} else {
			buf_append_char(out, ',');
		}
		add_operation(out, e, compat);
		any = true;
	}
	buf_append_str(out, "}},\"security\":[{\"basic\":[]},{\"bearer\":[]},{\"certificate\":[]}],"
	    "\"components\":{\"securitySchemes\":{"
	    "\"basic\":{\"type\":\"http\",\"scheme\":\"basic\"},"
	    "\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
	    "\"certificate\":{\"type\":\"mutualTLS\"}},\"schemas\":");
	openapi_schemas_append(out);
	buf_append_str(out, "}}");
}

void
openapi_show(struct exchange *x)
{
	const struct buf *text = &x->api->openapi;

	buf_append(&x->body, text->data, text->len);
	answer_send(x, 200);
}

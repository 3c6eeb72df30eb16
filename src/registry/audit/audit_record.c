#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "registry/audit/audit_record.h"

#define METHOD_PREFIX "secret-registry."

static const char *
text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

/* A text, or the first of a list of texts. */
static const char *
first_text(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return json_string_value(json_is_array(v) ? json_array_get(v, 0) : v);
}

static int
audit_record_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The part of a CRN behind ${mark}, decoded. */
static bool
audit_record_part(const char *crn, const char *mark, char **out, size_t *len)
{
	const char *p = crn != NULL ? strstr(crn, mark) : NULL;
	char *to;

	if (p == NULL)
		return true;
	p += strlen(mark);
	if ((*out = to = malloc(strcspn(p, "/") + 1)) == NULL)
		return false;
	for (; *p != '\0' && *p != '/'; p++) {
		if (*p == '%' && audit_record_digit(p[1]) >= 0 && audit_record_digit(p[2]) >= 0) {
			*to++ = (char)(audit_record_digit(p[1]) << 4 | audit_record_digit(p[2]));
			p += 2;
		} else
			*to++ = *p;
	}
	*to = '\0';
	*len = (size_t)(to - *out);
	return true;
}

static void
read_request(const json_t *data, struct audit_record *r)
{
	const json_t *request = json_object_get(data, "request");
	const json_t *result = json_object_get(data, "result");
	const json_t *origin = json_object_get(data, "requestMetadata");
	const json_t *version = json_object_get(result, "version");

	r->phase = text(request, "phase");
	r->value_hmac = text(request, "value");
	r->idempotency_hmac = text(request, "idempotency");
	if (version == NULL)
		version = json_object_get(request, "version");
	r->version = json_integer_value(version);
	r->request_id = first_text(origin, "requestId");
	r->client = text(json_array_get(json_object_get(origin, "clientAddress"), 0), "ip");
	r->status = json_integer_value(json_object_get(result, "status"));
	r->message = text(result, "message");
}

bool
audit_record_read(const char *line, size_t n, struct audit_record *r)
{
	const json_t *data, *access;
	const char *crn;

	memset(r, 0, sizeof(*r));
	if ((r->root = json_loadb(line, n, 0, NULL)) == NULL)
		return false;
	data = json_object_get(r->root, "data");
	access = json_object_get(data, "authorizationInfo");
	r->time = text(r->root, "time");
	r->principal = text(json_object_get(data, "authenticationInfo"), "principal");
	r->method = text(data, "methodName");
	if (r->method == NULL || r->time == NULL)
		return false;
	if (strncmp(r->method, METHOD_PREFIX, strlen(METHOD_PREFIX)) == 0)
		r->method += strlen(METHOD_PREFIX);
	r->has_granted = json_is_boolean(json_object_get(access, "granted"));
	r->granted = json_is_true(json_object_get(access, "granted"));
	r->operation = text(access, "operation");
	read_request(data, r);
	crn = text(data, "resourceName");
	return audit_record_part(crn, "/secret-path=", &r->path, &r->path_len) &&
	    audit_record_part(crn, "/secret-key=", &r->key, &r->key_len);
}

void
audit_record_release(struct audit_record *r)
{
	json_decref(r->root);
	free(r->path);
	free(r->key);
	memset(r, 0, sizeof(*r));
}

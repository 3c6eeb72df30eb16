#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "registry/log/log.h"
#include "registry/store/names.h"
#include "registry/store/record_internal.h"

/* A string member copied to the parser's text; NULL: none, or one with NUL. */
static const char *
string_of(struct record_parser *p, const json_t *j)
{
	size_t n = json_string_length(j);
	char *text = p->text + p->text_used;

	if (!json_is_string(j) || memchr(json_string_value(j), '\0', n) != NULL ||
	    n + 1 > p->text_cap - p->text_used)
		return NULL;
	memcpy(text, json_string_value(j), n + 1);
	p->text_used += n + 1;
	return text;
}

/* A whole number 0..max; ${*ok} is cleared unless it is one. */
static uint64_t
record_loose_number_of(const json_t *j, uint64_t max, bool *ok)
{
	json_int_t v = json_integer_value(j);

	if (json_is_integer(j) && v >= 0 && (uint64_t)v <= max)
		return (uint64_t)v;
	*ok = false;
	return 0;
}

static uint64_t
number_in(const json_t *object, const char *name, uint64_t max, bool *ok)
{
	return record_loose_number_of(json_object_get(object, name), max, ok);
}

/* The value as an object of this format; NULL: ${*read} says what it is. */
static json_t *
record_loose_load(const struct log_record *r, enum record_read *read)
{
	json_t *j = json_loadb(r->value, r->value_len, JSON_REJECT_DUPLICATES, NULL);
	bool ok = true;
	uint64_t m;

	*read = RECORD_NOT_READ;
	if (!json_is_object(j)) {
		json_decref(j);
		return NULL;
	}
	m = number_in(j, "m", UINT32_MAX, &ok);
	if (ok && m == RECORD_FORMAT)
		return j;
	if (ok && m > RECORD_FORMAT)
		*read = RECORD_NEWER;
	json_decref(j);
	return NULL;
}

enum record_read
record_loose_object(struct record_parser *p, const void *text, size_t n, const char *member,
    const char **string)
{
	json_t *j = json_loadb(text, n, 0, NULL);
	bool is_object = json_is_object(j);

	*string = is_object ? string_of(p, json_object_get(j, member)) : NULL;
	json_decref(j);
	return is_object ? RECORD_READ : RECORD_NOT_READ;
}

enum record_read
record_loose_secret(struct record_parser *p, const struct log_record *r, struct record *out)
{
	static const char *const names[3] = { "salt", "iv", "ct" };
	const char *parts[3];
	size_t lengths[3], i;
	enum record_read read;
	json_t *j = record_loose_load(r, &read);
	const json_t *m;
	bool ok = true;
	uint32_t kid;

	if (j == NULL)
		return read;
	for (i = 0; i < 3; i++) {
		m = json_object_get(j, names[i]);
		parts[i] = json_string_value(m);
		lengths[i] = json_string_length(m);
		ok = ok && parts[i] != NULL;
	}
	kid = (uint32_t)number_in(j, "kid", UINT32_MAX, &ok);
	out->created_ms = (int64_t)number_in(j, "createdAt", INT64_MAX, &ok);
	out->expires_ms = (int64_t)number_in(j, "expiresAt", INT64_MAX, &ok);
	out->epoch = number_in(j, "epoch", INT64_MAX, &ok);
	out->created_by = string_of(p, json_object_get(j, "createdBy"));
	m = json_object_get(j, "alg");
	if (!json_is_string(m) || out->created_by == NULL || !ok)
		read = RECORD_NOT_READ;
	else if (strcmp(json_string_value(m), RECORD_ALGORITHM) != 0)
		read = RECORD_NEWER;
	else
		read = record_set_sealed(p, out, kid, parts, lengths);
	m = json_object_get(j, "idem");
	if (read == RECORD_READ && m != NULL && (!json_is_string(m) ||
	    !record_set_idem(out, json_string_value(m), json_string_length(m))))
		read = RECORD_NOT_READ;
	json_decref(j);
	return read;
}

static enum record_read
deleted_of(struct record_parser *p, const json_t *list, struct record *out)
{
	enum record_read read = json_is_array(list) ? RECORD_READ : RECORD_NOT_READ;
	const json_t *j;
	uint64_t from, to;
	int64_t at;
	bool ok = true;
	size_t i;

	for (i = 0; read == RECORD_READ && i < json_array_size(list); i++) {
		j = json_array_get(list, i);
		from = to = number_in(j, "n", NAME_VERSION_MAX, &ok);
		if (json_object_get(j, "to") != NULL)
			to = number_in(j, "to", NAME_VERSION_MAX, &ok);
		at = (int64_t)number_in(j, "at", INT64_MAX, &ok);
		if (!ok)
			return RECORD_NOT_READ;
		read = record_add_deleted(p, out, from, to, at,
		    string_of(p, json_object_get(j, "by")));
	}
	return read;
}

static enum record_read
destroyed_of(struct record_parser *p, const json_t *list, struct record *out)
{
	enum record_read read = json_is_array(list) ? RECORD_READ : RECORD_NOT_READ;
	const json_t *j;
	uint64_t from, to;
	bool ok = true;
	size_t i;

	for (i = 0; read == RECORD_READ && i < json_array_size(list); i++) {
		j = json_array_get(list, i);
		from = record_loose_number_of(json_array_get(j, 0), NAME_VERSION_MAX, &ok);
		to = record_loose_number_of(json_array_get(j, 1), NAME_VERSION_MAX, &ok);
		if (!ok)
			return RECORD_NOT_READ;
		read = record_add_range(p, out, from, to);
	}
	return read;
}

enum record_read
record_loose_meta(struct record_parser *p, const struct log_record *r, struct record *out)
{
	enum record_read read;
	json_t *j = record_loose_load(r, &read);
	const json_t *custom, *cas;
	bool ok = true;

	if (j == NULL)
		return read;
	out->deleted_count = out->destroyed_count = 0;
	out->high = (uint32_t)number_in(j, "high", NAME_VERSION_MAX, &ok);
	out->max_versions = (uint32_t)number_in(j, "maxVersions", NAME_VERSION_MAX, &ok);
	out->updated_ms = (int64_t)number_in(j, "updatedAt", INT64_MAX, &ok);
	out->mcas = (uint32_t)number_in(j, "mcas", UINT32_MAX, &ok);
	out->updated_by = string_of(p, json_object_get(j, "updatedBy"));
	cas = json_object_get(j, "casRequired");
	out->cas_required = json_is_true(cas);
	custom = json_object_get(j, "custom");
	read = RECORD_NOT_READ;
	if (ok && out->updated_by != NULL && json_is_boolean(cas) && json_is_object(custom))
		read = deleted_of(p, json_object_get(j, "deleted"), out);
	if (read == RECORD_READ)
		read = destroyed_of(p, json_object_get(j, "destroyed"), out);
	if (read == RECORD_READ) {
		out->custom = p->custom = json_dumps(custom, JSON_COMPACT);
		if (p->custom == NULL)
			read = RECORD_NO_MEMORY;
	}
	json_decref(j);
	return read;
}

enum record_read
record_loose_leader(struct record_parser *p, const struct log_record *r, struct record *out)
{
	json_t *j = json_loadb(r->value, r->value_len, JSON_REJECT_DUPLICATES, NULL);
	bool ok = json_is_object(j);

	out->epoch = number_in(j, "epoch", INT64_MAX, &ok);
	out->node = string_of(p, json_object_get(j, "node"));
	json_decref(j);
	return ok && out->node != NULL ? RECORD_READ : RECORD_NOT_READ;
}

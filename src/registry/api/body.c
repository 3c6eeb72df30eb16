#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/text.h"
#include "base/time.h"
#include "registry/api/body.h"
#include "registry/store/names.h"

/* Escaped, a byte of metadata takes at most six. */
#define CUSTOM_TEXT_MAX (BODY_CUSTOM_MAX * 6 * (BODY_CUSTOM_NAME_MAX + BODY_CUSTOM_VALUE_MAX + 2))

static enum body_result
body_refuse(enum body_result result, char *why, size_t size, const char *text)
{
	(void)snprintf(why, size, "%s", text);
	return result;
}

/* jansson's own message would quote the body. */
static enum body_result
parse_failure(const json_error_t *error, char *why, size_t size)
{
	if (json_error_code(error) == json_error_duplicate_key)
		return body_refuse(BODY_INVALID, why, size,
		    "A member of the body stands there twice");
	if (json_error_code(error) == json_error_numeric_overflow)
		return body_refuse(BODY_INVALID, why, size, "A number of the body is too large");
	(void)snprintf(why, size, "The body is not JSON in UTF-8 (line %d, column %d)",
	    error->line, error->column);
	return BODY_SYNTAX;
}

enum body_result
body_object(const void *text, size_t n, struct json_t **root, char *why, size_t size)
{
	json_error_t error;

	*root = NULL;
	if (n == 0 || text_is_blank(text, n))
		return body_refuse(BODY_SHAPE, why, size, "Send a JSON object as the body");
	*root = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
	    &error);
	if (*root == NULL)
		return parse_failure(&error, why, size);
	if (json_is_object(*root))
		return BODY_OK;
	json_decref(*root);
	*root = NULL;
	return body_refuse(BODY_SHAPE, why, size, "The body must be a JSON object");
}

bool
body_is_mask(const void *value, size_t n)
{
	const char *p = value;
	size_t i = 0;

	if (n == 8 && memcmp(p, "[hidden]", 8) == 0)
		return true;
	while (i < n && p[i] == '*')
		i++;
	return n >= 3 && i == n;
}

static enum body_result
read_secret(const json_t *root, const struct body_limits *l, struct buf *out, char *why,
    size_t size)
{
	const json_t *secret = json_object_get(root, "secret");
	size_t n;

	if (!json_is_string(secret))
		return body_refuse(BODY_SHAPE, why, size, "The body needs a member \"secret\", a "
		    "string");
	n = json_string_length(secret);
	if (n > l->secret_max) {
		(void)snprintf(why, size, "The value has %zu bytes, more than the limit of %zu "
		    "(secret.max.bytes)", n, l->secret_max);
		return BODY_LARGE;
	}
	if (l->refuse_masks && body_is_mask(json_string_value(secret), n))
		return body_refuse(BODY_INVALID, why, size,
		    "The value is a mask, not a secret: send "
		    "the secret itself (or set secret.refuse.masks=false)");
	buf_append(out, json_string_value(secret), n);
	if (out->failed)
		return body_refuse(BODY_LARGE, why, size, "The value is too large");
	return BODY_OK;
}

/* An optional whole number; absent leaves ${*value} alone. */
static bool
body_read_number(const json_t *root, const char *name, int64_t low, int64_t high, bool *found,
    int64_t *value)
{
	const json_t *member = json_object_get(root, name);

	*found = member != NULL;
	if (!*found)
		return true;
	if (!json_is_integer(member) || json_integer_value(member) < low ||
	    json_integer_value(member) > high)
		return false;
	*value = json_integer_value(member);
	return true;
}

static enum body_result
read_cas(const json_t *root, int64_t *cas, char *why, size_t size)
{
	bool found;

	if (body_read_number(root, "cas", 0, NAME_VERSION_MAX, &found, cas))
		return BODY_OK;
	return body_refuse(BODY_INVALID, why, size, "\"cas\" must be a whole number: the current "
	    "version, or 0 if there must be none");
}

static bool
custom_fits(const char *name, const json_t *value)
{
	return name[0] != '\0' && strlen(name) <= BODY_CUSTOM_NAME_MAX && json_is_string(value) &&
	    json_string_length(value) <= BODY_CUSTOM_VALUE_MAX;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Write them by their names' bytes: the same metadata is always the same text. */
static void
write_custom(const json_t *custom, struct buf *out)
{
	const char *names[BODY_CUSTOM_MAX];
	size_t count = 0;
	struct json_out o;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)custom, name, value)
		names[count++] = name;
	qsort(names, count, sizeof(names[0]), compare_names);
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	for (size_t i = 0; i < count; i++) {
		value = json_object_get(custom, names[i]);
		json_out_text_n(&o, names[i], json_string_value(value), json_string_length(value));
	}
	json_out_end(&o);
}

static enum body_result
read_custom(json_t *root, const char *member, struct buf *out, char *why, size_t size)
{
	json_t *custom = json_object_get(root, member);
	const char *name;
	json_t *value;

	if (custom == NULL)
		return BODY_OK;
	if (!json_is_object(custom) || json_object_size(custom) > BODY_CUSTOM_MAX)
		return body_refuse(BODY_INVALID, why, size,
		    "\"metadata\" must be an object of at most "
		    "64 names with strings");
	json_object_foreach(custom, name, value) {
		if (!custom_fits(name, value))
			return body_refuse(BODY_INVALID, why, size,
			    "In \"metadata\" a name has 1 to "
			    "128 bytes and a value is a string of at most 512");
	}
	write_custom(custom, out);
	if (out->failed)
		return body_refuse(BODY_INVALID, why, size, "\"metadata\" cannot be stored");
	return BODY_OK;
}

void
body_create_init(struct body_create *b)
{
	memset(b, 0, sizeof(*b));
	b->cas = -1;
	buf_init_secret(&b->value, SIZE_MAX);
	buf_init(&b->custom, CUSTOM_TEXT_MAX);
}

void
body_create_release(struct body_create *b)
{
	buf_release(&b->value);
	buf_release(&b->custom);
}

enum body_result
body_create_parse(const void *text, size_t n, const struct body_limits *l, struct body_create *out,
    char *why, size_t size)
{
	enum body_result result;
	const json_t *created;
	int64_t ttl = 0;
	bool found;
	json_t *root;

	result = body_object(text, n, &root, why, size);
	created = json_object_get(root, "createdAt");
	if (result == BODY_OK)
		result = read_secret(root, l, &out->value, why, size);
	if (result == BODY_OK)
		result = read_cas(root, &out->cas, why, size);
	if (result == BODY_OK && !body_read_number(root, "ttl", 1, BODY_TTL_MAX, &found, &ttl))
		result = body_refuse(BODY_INVALID, why, size, "\"ttl\" must be a whole number of "
		    "seconds, from 1 to ten years");
	if (result == BODY_OK && created != NULL && (!json_is_string(created) ||
	    !time_parse(json_string_value(created), TIME_MILLISECONDS, &out->created_ms) ||
	    out->created_ms <= 0))
		result = body_refuse(BODY_INVALID, why, size, "\"createdAt\" must be a time such "
		    "as 2026-01-31T12:00:00.000Z");
	if (result == BODY_OK)
		result = read_custom(root, "metadata", &out->custom, why, size);
	out->ttl_ms = ttl * 1000;
	json_decref(root);
	return result;
}

void
body_metadata_init(struct body_metadata *b)
{
	memset(b, 0, sizeof(*b));
	b->cas = -1;
	buf_init(&b->custom, CUSTOM_TEXT_MAX);
}

void
body_metadata_release(struct body_metadata *b)
{
	buf_release(&b->custom);
}

static enum body_result
read_metadata(json_t *root, struct body_metadata *out, char *why, size_t size)
{
	const json_t *required = json_object_get(root, "cas_required");
	int64_t max = 0;

	if (!body_read_number(root, "max_versions", 0, NAME_VERSION_MAX, &out->has_max_versions,
	    &max))
		return body_refuse(BODY_INVALID, why, size,
		    "\"max_versions\" must be a whole number; 0 "
		    "means no limit");
	out->max_versions = (uint32_t)max;
	if (required != NULL) {
		if (!json_is_boolean(required))
			return body_refuse(BODY_INVALID, why, size,
			    "\"cas_required\" must be true or "
			    "false");
		out->has_cas_required = true;
		out->cas_required = json_is_true(required);
	}
	return read_custom(root, "metadata", &out->custom, why, size);
}

enum body_result
body_metadata_parse(const void *text, size_t n, struct body_metadata *out, char *why, size_t size)
{
	enum body_result result;
	json_t *root;

	result = body_object(text, n, &root, why, size);
	if (result == BODY_OK)
		result = read_metadata(root, out, why, size);
	if (result == BODY_OK)
		result = read_cas(root, &out->cas, why, size);
	if (result == BODY_OK && !out->has_max_versions && !out->has_cas_required &&
	    out->custom.len == 0)
		result = body_refuse(BODY_INVALID, why, size,
		    "Nothing to change: give max_versions, "
		    "cas_required or metadata");
	json_decref(root);
	return result;
}

static const char blanks[] = " \t";

/* The next tag of the list at ${p}: its text and length, and whether it is
 * weak.  Where the list goes on, or NULL at its end or where it is malformed. */
static const char *
next_tag(const char *p, const char **tag, size_t *n, bool *weak)
{
	const char *end;

	p += strspn(p, " \t,");
	*weak = strncmp(p, "W/", 2) == 0;
	if (*weak)
		p += 2;
	if (*p != '"')
		return NULL;
	end = strchr(++p, '"');
	if (end == NULL)
		return NULL;
	*tag = p;
	*n = (size_t)(end - p);
	return end + 1;
}

bool
condition_is_any(const char *header)
{
	header += strspn(header, blanks);
	return *header == '*' && header[1 + strspn(header + 1, blanks)] == '\0';
}

bool
condition_names(const char *header, uint32_t version, bool weak)
{
	const char *p = header, *tag = NULL;
	size_t n = 0;
	bool is_weak = false;

	if (condition_is_any(header))
		return true;
	while ((p = next_tag(p, &tag, &n, &is_weak)) != NULL) {
		uint32_t number;

		if ((weak || !is_weak) && name_version_parse(tag, n, &number) && number == version)
			return true;
	}
	return false;
}

bool
condition_is_one(const char *header, uint32_t *version)
{
	const char *tag = NULL, *rest;
	size_t n = 0;
	bool weak = false;

	rest = next_tag(header, &tag, &n, &weak);
	if (rest == NULL || weak || rest[strspn(rest, blanks)] != '\0')
		return false;
	if (!name_version_parse(tag, n, version))
		*version = 0;
	return true;
}

/* Split what stands between the braces; false: it has no ':'. */
static bool
reference_scan_split(const char *inside, const char *end, struct reference *out)
{
	const char *colon = memchr(inside, ':', (size_t)(end - inside));
	const char *second;

	if (colon == NULL)
		return false;
	out->provider = inside;
	out->provider_len = (size_t)(colon - inside);
	second = memchr(colon + 1, ':', (size_t)(end - colon - 1));
	out->has_path = second != NULL;
	out->path = colon + 1;
	out->path_len = second != NULL ? (size_t)(second - colon - 1) : 0;
	out->key = (second != NULL ? second : colon) + 1;
	out->key_len = (size_t)(end - out->key);
	return true;
}

bool
reference_scan(const char *text, size_t n, size_t from, struct reference *out)
{
	const char *limit = text + n;
	const char *p = text + from;
	const char *end = NULL;

	while (p < limit && (p = memmem(p, (size_t)(limit - p), "${", 2)) != NULL) {
		/* The next '}' is looked for once, however many "${" are before it. */
		if (end == NULL || end < p + 2)
			end = memchr(p + 2, '}', (size_t)(limit - p - 2));
		if (end == NULL)
			return false;
		if (reference_scan_split(p + 2, end, out)) {
			out->begin = (size_t)(p - text);
			out->end = (size_t)(end + 1 - text);
			return true;
		}
		/* No ':' up to there: then there is none behind a later "${" either. */
		p = end + 1;
	}
	return false;
}

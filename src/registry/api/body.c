#include "registry/api/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/json_out.h"
#include "base/text.h"
#include "registry/store/names.h"

/* Escaped, a byte of metadata takes at most six. */
#define CUSTOM_TEXT_MAX (BODY_CUSTOM_MAX * 6 * (BODY_CUSTOM_NAME_MAX + BODY_CUSTOM_VALUE_MAX + 2))

static enum body_result
refuse(enum body_result result, char *why, size_t size, const char *text)
{
	(void)snprintf(why, size, "%s", text);
	return result;
}

/* jansson's own message would quote the body. */
static enum body_result
parse_failure(const json_error_t *error, char *why, size_t size)
{
	if (json_error_code(error) == json_error_duplicate_key)
		return refuse(BODY_INVALID, why, size, "A member of the body stands there twice");
	if (json_error_code(error) == json_error_numeric_overflow)
		return refuse(BODY_INVALID, why, size, "A number of the body is too large");
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
		return refuse(BODY_SHAPE, why, size, "Send a JSON object as the body");
	*root = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
	    &error);
	if (*root == NULL)
		return parse_failure(&error, why, size);
	if (json_is_object(*root))
		return BODY_OK;
	json_decref(*root);
	*root = NULL;
	return refuse(BODY_SHAPE, why, size, "The body must be a JSON object");
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
		return refuse(BODY_SHAPE, why, size, "The body needs a member \"secret\", a "
		    "string");
	n = json_string_length(secret);
	if (n > l->secret_max) {
		(void)snprintf(why, size, "The value has %zu bytes, more than the limit of %zu "
		    "(secret.max.bytes)", n, l->secret_max);
		return BODY_LARGE;
	}
	if (l->refuse_masks && body_is_mask(json_string_value(secret), n))
		return refuse(BODY_INVALID, why, size, "The value is a mask, not a secret: send "
		    "the secret itself (or set secret.refuse.masks=false)");
	buf_append(out, json_string_value(secret), n);
	if (out->failed)
		return refuse(BODY_LARGE, why, size, "The value is too large");
	return BODY_OK;
}

/* An optional whole number; absent leaves ${*value} alone. */
static bool
read_number(const json_t *root, const char *name, int64_t low, int64_t high, bool *found,
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

	if (read_number(root, "cas", 0, NAME_VERSION_MAX, &found, cas))
		return BODY_OK;
	return refuse(BODY_INVALID, why, size, "\"cas\" must be a whole number: the current "
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
		return refuse(BODY_INVALID, why, size, "\"metadata\" must be an object of at most "
		    "64 names with strings");
	json_object_foreach(custom, name, value) {
		if (!custom_fits(name, value))
			return refuse(BODY_INVALID, why, size, "In \"metadata\" a name has 1 to "
			    "128 bytes and a value is a string of at most 512");
	}
	write_custom(custom, out);
	if (out->failed)
		return refuse(BODY_INVALID, why, size, "\"metadata\" cannot be stored");
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
body_create_parse(const void *text, size_t n, const struct body_limits *l,
    struct body_create *out, char *why, size_t size)
{
	enum body_result result;
	int64_t ttl = 0;
	bool found;
	json_t *root;

	result = body_object(text, n, &root, why, size);
	if (result == BODY_OK)
		result = read_secret(root, l, &out->value, why, size);
	if (result == BODY_OK)
		result = read_cas(root, &out->cas, why, size);
	if (result == BODY_OK && !read_number(root, "ttl", 1, BODY_TTL_MAX, &found, &ttl))
		result = refuse(BODY_INVALID, why, size, "\"ttl\" must be a whole number of "
		    "seconds, from 1 to ten years");
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

	if (!read_number(root, "max_versions", 0, NAME_VERSION_MAX, &out->has_max_versions, &max))
		return refuse(BODY_INVALID, why, size, "\"max_versions\" must be a whole number; 0 "
		    "means no limit");
	out->max_versions = (uint32_t)max;
	if (required != NULL) {
		if (!json_is_boolean(required))
			return refuse(BODY_INVALID, why, size, "\"cas_required\" must be true or "
			    "false");
		out->has_cas_required = true;
		out->cas_required = json_is_true(required);
	}
	return read_custom(root, "metadata", &out->custom, why, size);
}

enum body_result
body_metadata_parse(const void *text, size_t n, struct body_metadata *out, char *why,
    size_t size)
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
		result = refuse(BODY_INVALID, why, size, "Nothing to change: give max_versions, "
		    "cas_required or metadata");
	json_decref(root);
	return result;
}

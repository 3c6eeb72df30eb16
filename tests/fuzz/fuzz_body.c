/* Any body of a create or of a change of metadata: no fault, and what is taken
 * keeps to the limits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/text.h"
#include "registry/api/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define SECRET_MAX 256

static void
require(bool truth)
{
	if (!truth)
		abort();
}

/* Metadata are handed on as the text of a JSON object of strings. */
static void
check_custom(struct buf *custom)
{
	json_t *root, *value;
	const char *name;

	if (custom->len == 0)
		return;
	root = json_loadb((const char *)custom->data, custom->len, JSON_ALLOW_NUL, NULL);
	require(json_is_object(root) && json_object_size(root) <= BODY_CUSTOM_MAX);
	json_object_foreach(root, name, value) {
		require(name[0] != '\0' && strlen(name) <= BODY_CUSTOM_NAME_MAX);
		require(json_string_length(value) <= BODY_CUSTOM_VALUE_MAX);
	}
	json_decref(root);
}

static void
check_create(const uint8_t *data, size_t n)
{
	static const struct body_limits limits = { .secret_max = SECRET_MAX, .refuse_masks = true };
	struct body_create b;
	char why[256] = "";
	struct buf again;
	json_t *value;

	body_create_init(&b);
	if (body_create_parse(data, n, &limits, &b, why, sizeof(why)) == BODY_OK) {
		require(!b.value.failed && b.value.len <= SECRET_MAX);
		require(!body_is_mask(b.value.data, b.value.len));
		require(b.cas >= -1 && b.ttl_ms >= 0 && b.ttl_ms <= BODY_TTL_MAX * 1000);
		check_custom(&b.custom);
		/* An answer with the value reads back as the value. */
		buf_init(&again, 16 * SECRET_MAX);
		text_append_json(&again, b.value.data, b.value.len);
		value = json_loadb((const char *)again.data, again.len,
		    JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		require(json_is_string(value) && json_string_length(value) == b.value.len);
		require(b.value.len == 0 ||
		    memcmp(json_string_value(value), b.value.data, b.value.len) == 0);
		json_decref(value);
		buf_release(&again);
	} else {
		require(why[0] != '\0');
	}
	body_create_release(&b);
}

static void
check_metadata(const uint8_t *data, size_t n)
{
	struct body_metadata b;
	char why[256] = "";

	body_metadata_init(&b);
	if (body_metadata_parse(data, n, &b, why, sizeof(why)) == BODY_OK)
		check_custom(&b.custom);
	else
		require(why[0] != '\0');
	body_metadata_release(&b);
}

static void
check_references(const char *text, size_t n)
{
	struct reference r;
	size_t at = 0;

	for (; reference_scan(text, n, at, &r); at = r.end) {
		require(r.begin >= at && r.end > r.begin + 3 && r.end <= n);
		require(memcmp(text + r.begin, "${", 2) == 0 && text[r.end - 1] == '}');
		require(r.key + r.key_len == text + r.end - 1);
		require(memchr(r.provider, ':', r.provider_len) == NULL);
		require(memchr(r.path, ':', r.path_len) == NULL);
		require(memchr(r.key, '}', r.key_len) == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	check_create(data, n);
	check_metadata(data, n);
	if (n > 0)
		check_references((const char *)data, n);
	return 0;
}

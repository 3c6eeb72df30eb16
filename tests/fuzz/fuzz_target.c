/* Any path and query: no fault, and what was decoded encodes to the same names. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "registry/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
check_path(const char *raw, size_t n)
{
	static struct target t, again;
	struct buf out;
	size_t i;

	if (target_parse(&t, raw, n) != TARGET_OK)
		return;
	require(t.count <= TARGET_SEGMENTS_MAX);
	buf_init(&out, 4 * TARGET_BYTES_MAX);
	for (i = 0; i < t.count; i++) {
		const char *text = t.segments[i].text;

		require(strlen(text) == t.segments[i].len && t.segments[i].len > 0);
		require(strchr(text, '/') == NULL);
		require(strcmp(text, ".") != 0 && strcmp(text, "..") != 0);
		buf_append_char(&out, '/');
		text_append_percent(&out, text, t.segments[i].len);
	}
	/* Three bytes for one may make it too long. */
	if (t.count > 0 && out.len <= TARGET_BYTES_MAX) {
		require(target_parse(&again, (const char *)out.data, out.len) == TARGET_OK);
		require(again.count == t.count && !again.trailing_slash);
		for (i = 0; i < t.count; i++)
			require(target_is(&again, i, t.segments[i].text));
	}
	buf_release(&out);
}

static void
check_query(const char *raw)
{
	struct buf out;
	int found;

	buf_init(&out, 4 * TARGET_BYTES_MAX);
	found = target_query(raw, "limit", &out);
	require(found == 1 || out.len == 0);
	(void)target_query(raw, "a", &out);
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);

	if (text == NULL)
		return 0;
	if (n > 0)
		memcpy(text, data, n);
	text[n] = '\0';
	check_path(text, n);
	check_query(text);
	free(text);
	return 0;
}

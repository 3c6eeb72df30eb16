#include "cli/key_list.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "file/file.h"
#include "base/text.h"
#include "common/options.h"

#define LIST_MAX (64U << 20)

/* The length of the blank at ${p}, 0 when there is none. */
static size_t
blank(const char *p, size_t n)
{
	uint32_t cp;
	size_t len = n == 0 ? 0 : text_utf8_decode((const unsigned char *)p, n, &cp);

	return len > 0 && text_is_blank(p, len) ? len : 0;
}

static void
trim_blanks(const char **p, size_t *n)
{
	size_t len, start;

	while ((len = blank(*p, *n)) > 0) {
		*p += len;
		*n -= len;
	}
	while (*n > 0) {
		start = *n - 1;
		while (start > 0 && ((unsigned char)(*p)[start] & 0xc0) == 0x80)
			start--;
		if (blank(*p + start, *n - start) != *n - start)
			break;
		*n = start;
	}
}

static int
read_text(const char *spec, struct buf *out, bool *lines, struct error *err)
{
	*lines = true;
	if (strcmp(spec, "-") == 0)
		return file_read_fd(STDIN_FILENO, "standard input", out, err);
	if (spec[0] == '@' && spec[1] != '\0')
		return file_read_stream(spec + 1, out, err);
	*lines = false;
	buf_append_str(out, spec);
	return buf_check(out, err);
}

static size_t
count_items(const struct buf *text, bool lines)
{
	size_t n = 1;
	size_t i;

	for (i = 0; i < text->len; i++)
		n += text->data[i] == ',' || (lines && text->data[i] == '\n');
	return n;
}

static int
split(struct key_list *l, bool lines, bool trim, struct error *err)
{
	const char *p = (const char *)l->text.data;
	const char *end = p + l->text.len;
	const char *item;
	size_t len;

	for (;;) {
		for (len = 0; p + len < end; len++) {
			if (p[len] == ',' || (lines && p[len] == '\n'))
				break;
		}
		item = p;
		p += len;
		if (lines && len > 0 && item[len - 1] == '\r')
			len--;
		if (trim)
			trim_blanks(&item, &len);
		if (len > 0) {
			l->keys[l->count] = item;
			l->lens[l->count++] = len;
		} else if (!lines) {
			error_set(err, ERROR_MISSING, "configuration key \"\" not present in the "
			    "configuration file");
			return error_hint(err, "there is a comma too many in --config");
		}
		if (p == end)
			return 0;
		p++;
	}
}

int
key_list_read(const struct options *o, bool trim, struct key_list *out, struct error *err)
{
	const char *spec = o->text[FLAG_CONFIG_KEYS];
	size_t n;
	bool lines;

	memset(out, 0, sizeof(*out));
	buf_init(&out->text, LIST_MAX);
	if (spec == NULL)
		return 0;
	if (read_text(spec, &out->text, &lines, err) != 0)
		return -1;
	if (text_is_blank(out->text.data, out->text.len))
		return 0;
	n = count_items(&out->text, lines);
	out->keys = calloc(n, sizeof(*out->keys));
	out->lens = calloc(n, sizeof(*out->lens));
	if (out->keys == NULL || out->lens == NULL)
		return error_memory(err);
	return split(out, lines, trim, err);
}

void
key_list_release(struct key_list *l)
{
	free(l->keys);
	free(l->lens);
	buf_release(&l->text);
	memset(l, 0, sizeof(*l));
}

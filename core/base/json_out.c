#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/text.h"

/* What is known of a container that is open. */
#define IS_ARRAY 0x01u
#define HAS_ITEMS 0x02u
#define IS_PRETTY 0x04u		/* an indented line for each item */
#define IS_ROWS 0x08u		/* a line for each item */
#define IS_LIST 0x10u		/* ", " between items */

#define REPLACEMENT "\\ufffd"
#define TEXT_MAX 1024

void
json_out_init(struct json_out *o, struct buf *out)
{
	memset(o, 0, sizeof(*o));
	o->out = out;
}

void
json_out_pretty(struct json_out *o)
{
	o->pretty = true;
}

void
json_out_hide(struct json_out *o)
{
	o->hides = true;
}

static void
json_out_append_line(struct json_out *o, unsigned int indent)
{
	buf_append_char(o->out, '\n');
	while (indent-- > 0)
		buf_append(o->out, "  ", 2);
}

/* One character that is not plain (text_plain_length); its length. */
static size_t
append_other(struct buf *out, const unsigned char *p, size_t n)
{
	uint32_t cp;
	size_t len = text_utf8_decode(p, n, &cp);

	if (len == 0 || cp == 0) {
		buf_append_str(out, REPLACEMENT);
		return len == 0 ? text_invalid_length(p, n) : len;
	}
	if (cp == '"')
		buf_append(out, "\\\"", 2);
	else if (cp == '\\')
		buf_append(out, "\\\\", 2);
	else if (cp == '\n')
		buf_append(out, "\\n", 2);
	else if (!text_is_treacherous(cp))
		buf_append(out, p, len);
	else if (cp > 0xffff)
		text_append_escape(out, cp);
	else
		text_append_unit(out, cp);
	return len;
}

static void
append_hiding(struct buf *out, const unsigned char *p, size_t n)
{
	size_t i = 0, run;

	buf_append_char(out, '"');
	while (i < n) {
		run = text_plain_length(p + i, n - i);
		buf_append(out, p + i, run);
		i += run;
		if (i < n)
			i += append_other(out, p + i, n - i);
	}
	buf_append_char(out, '"');
}

static void
json_out_append_text(struct json_out *o, const void *bytes, size_t n)
{
	if (o->hides)
		append_hiding(o->out, bytes, n);
	else
		text_append_json(o->out, bytes, n);
}

/* What stands between the item before and the next one. */
static void
begin_item(struct json_out *o)
{
	unsigned char *in = &o->open[o->depth - 1];
	bool first = (*in & HAS_ITEMS) == 0;

	*in |= HAS_ITEMS;
	if (!first)
		buf_append_char(o->out, ',');
	if ((*in & IS_PRETTY) != 0)
		json_out_append_line(o, o->depth);
	else if ((*in & IS_ROWS) != 0 || o->breaks)
		json_out_append_line(o, 0);
	else if ((*in & IS_LIST) != 0 && !first)
		buf_append_char(o->out, ' ');
	o->breaks = false;
}

static void
write_name(struct json_out *o, const void *key, size_t n)
{
	begin_item(o);
	json_out_append_text(o, key, n);
	buf_append(o->out, ": ", (o->open[o->depth - 1] & IS_PRETTY) != 0 ? 2 : 1);
}

/*
 * Most of what is written is an item of a compact container, with a name that
 * needs no escape: that goes at one go.  Returns where its value of ${more}
 * bytes is to be put (end_item is told where that ended), or NULL: it is
 * another case.
 */
static inline __attribute__((always_inline)) unsigned char *
begin_plain(struct json_out *o, const char *key, size_t len, size_t more)
{
	struct buf *b = o->out;
	unsigned char *in, *p;
	bool first;

	if (o->depth == 0 || o->breaks)
		return NULL;
	in = &o->open[o->depth - 1];
	if ((*in & ~HAS_ITEMS) != (key == NULL ? IS_ARRAY : 0))
		return NULL;
	if (key != NULL) {
		if (len == JSON_OUT_SEEK) {
			len = strlen(key);
			if (text_plain_length(key, len) != len)
				return NULL;
		}
		more += len + 3;
	}
	first = (*in & HAS_ITEMS) == 0;
	more += !first;
	if ((b->failed || more > b->max - b->len || more > b->cap - b->len) &&
	    buf_reserve(b, more) == -1)
		return NULL;
	*in |= HAS_ITEMS;
	p = b->data + b->len;
	if (!first)
		*p++ = ',';
	if (key != NULL) {
		*p++ = '"';
		memcpy(p, key, len);
		p += len;
		*p++ = '"';
		*p++ = ':';
	}
	return p;
}

static void
end_item(struct json_out *o, const unsigned char *end)
{
	o->out->len = (size_t)(end - o->out->data);
}

/* All that comes before a value.  Returns whether one may come here. */
static bool
begin_value(struct json_out *o, const char *key)
{
	bool member = o->depth > 0 && (o->open[o->depth - 1] & IS_ARRAY) == 0;

	if (o->out->failed)
		return false;
	if ((key != NULL) != member) {
		buf_fail(o->out, ERROR_USAGE);
		return false;
	}
	if (key != NULL)
		write_name(o, key, strlen(key));
	else if (o->depth > 0 && !member)
		begin_item(o);
	return true;
}

static void
json_out_begin(struct json_out *o, const char *key, size_t len, unsigned int kind)
{
	char bracket = (kind & IS_ARRAY) != 0 ? '[' : '{';
	unsigned char *p;

	if (o->depth == JSON_OUT_DEPTH)
		buf_fail(o->out, ERROR_USAGE);
	if ((p = begin_plain(o, key, len, 1)) != NULL) {
		*p = (unsigned char)bracket;
		end_item(o, p + 1);
	} else if (begin_value(o, key)) {
		buf_append_char(o->out, bracket);
	} else {
		return;
	}
	o->open[o->depth++] = (unsigned char)kind;
}

/* How a container is laid out that says nothing of it itself. */
static unsigned int
layout(const struct json_out *o)
{
	bool compact = o->depth > 0 && (o->open[o->depth - 1] & IS_PRETTY) == 0;

	return o->pretty && !compact ? IS_PRETTY : 0;
}

void
json_out_put_object(struct json_out *o, const char *key, size_t len)
{
	json_out_begin(o, key, len, layout(o));
}

void
json_out_put_array(struct json_out *o, const char *key, size_t len)
{
	json_out_begin(o, key, len, IS_ARRAY | layout(o));
}

void
json_out_rows(struct json_out *o, const char *key)
{
	json_out_begin(o, key, JSON_OUT_SEEK, IS_ARRAY | IS_ROWS);
}

void
json_out_list(struct json_out *o, const char *key)
{
	json_out_begin(o, key, JSON_OUT_SEEK, IS_ARRAY | IS_LIST);
}

void
json_out_end(struct json_out *o)
{
	unsigned int in;

	if (o->out->failed)
		return;
	if (o->depth == 0) {
		buf_fail(o->out, ERROR_USAGE);
		return;
	}
	in = o->open[--o->depth];
	if ((in & HAS_ITEMS) != 0 && (in & IS_PRETTY) != 0)
		json_out_append_line(o, o->depth);
	else if ((in & HAS_ITEMS) != 0 && (in & IS_ROWS) != 0)
		json_out_append_line(o, 0);
	if (buf_reserve(o->out, 1) == 0)
		o->out->data[o->out->len++] = (in & IS_ARRAY) != 0 ? ']' : '}';
}

void
json_out_break(struct json_out *o)
{
	o->breaks = true;
}

void
json_out_put_text(struct json_out *o, const char *key, size_t len, const void *bytes, size_t n)
{
	unsigned char *p;

	if (n > 0 && text_plain_length(bytes, n) == n &&
	    (p = begin_plain(o, key, len, n + 2)) != NULL) {
		*p = '"';
		memcpy(p + 1, bytes, n);
		p[n + 1] = '"';
		end_item(o, p + n + 2);
	} else if (begin_value(o, key)) {
		json_out_append_text(o, bytes, n);
	}
}

void
json_out_textf(struct json_out *o, const char *key, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_out_text(o, key, text);
}

void
json_out_put_number(struct json_out *o, const char *key, size_t len, bool negative, uint64_t n)
{
	char digits[NUMBER_TEXT + 1] = "-";

	json_out_put_raw(o, key, len, digits + !negative, number_text(n, digits + 1) + negative);
}

void
json_out_put_raw(struct json_out *o, const char *key, size_t len, const void *json, size_t n)
{
	unsigned char *p = begin_plain(o, key, len, n);

	if (p != NULL) {
		memcpy(p, json, n);
		end_item(o, p + n);
	} else if (begin_value(o, key)) {
		buf_append(o->out, json, n);
	}
}

int
json_out_check(const struct json_out *o, struct error *err)
{
	if (!o->out->failed && (o->depth > 0))
		return error_set(err, ERROR_USAGE, "JSON is not written to its end");
	return buf_check(o->out, err);
}

int
json_out_finish(struct json_out *o, struct error *err)
{
	buf_append_char(o->out, '\n');
	return json_out_check(o, err);
}

#include "cli/show_table.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "document/document.h"

#define KEY_WIDTH_MAX 48	/* longer keys push their values to the right */
#define STATE_WIDTH 14
#define MASK "********"

void
show_table_init(struct show_table *t, bool json)
{
	memset(t, 0, sizeof(*t));
	t->json = json;
	buf_init_secret(&t->out, 2 * BUF_MAX_FILE);
}

void
show_table_release(struct show_table *t)
{
	buf_release(&t->out);
}

static void
append_number(struct buf *out, size_t n, size_t width)
{
	char text[24];

	snprintf(text, sizeof(text), "%*zu", (int)width, n);
	buf_append_str(out, text);
}

/* Pad what was appended since ${start} to ${width} characters of UTF-8. */
static void
pad(struct buf *out, size_t start, size_t width)
{
	size_t n = 0;
	size_t i;

	for (i = start; i < out->len; i++)
		n += (out->data[i] & 0xc0) != 0x80;
	for (; n < width; n++)
		buf_append_char(out, ' ');
}

static void
measure(struct show_table *t, const struct document *d)
{
	size_t count = document_count(d);
	size_t i, len, lines;

	for (i = 0; i < count; i++) {
		document_key(d, i, &len);
		len = len > KEY_WIDTH_MAX ? KEY_WIDTH_MAX : len;
		t->key_width = len > t->key_width ? len : t->key_width;
	}
	lines = count > 0 ? document_line(d, count - 1) : 0;
	for (t->line_width = 4; lines > 9999; lines /= 10)
		t->line_width++;
}

void
show_table_begin(struct show_table *t, const struct document *d)
{
	const char *file = document_file(d);
	size_t start;

	if (t->json) {
		buf_append_str(&t->out, "{\"file\":");
		text_append_json(&t->out, file, strlen(file));
		buf_append_str(&t->out, ",\"format\":\"");
		buf_append_str(&t->out, document_format(d) == DOCUMENT_JSON ? "json" :
		    "properties");
		buf_append_str(&t->out, "\",\"entries\":[");
		return;
	}
	measure(t, d);
	start = t->out.len;
	buf_append_str(&t->out, "LINE");
	pad(&t->out, start, t->line_width + 2);
	buf_append_str(&t->out, "STATE");
	pad(&t->out, start, t->line_width + 2 + STATE_WIDTH + 2);
	start = t->out.len;
	buf_append_str(&t->out, "KEY");
	pad(&t->out, start, t->key_width + 2);
	buf_append_str(&t->out, "VALUE\n");
}

static void
add_json(struct show_table *t, const struct show_entry *e, const struct buf *value)
{
	struct buf *out = &t->out;

	buf_append_str(out, t->entries > 0 ? ",\n{\"key\":" : "\n{\"key\":");
	text_append_json(out, e->key, e->key_len);
	buf_append_str(out, ",\"value\":");
	if (e->masked)
		buf_append_str(out, "null");
	else
		text_append_json(out, value->data, value->len);
	buf_append_str(out, ",\"state\":\"");
	buf_append_str(out, state_name(e->state));
	buf_append_str(out, e->sensitive ? "\",\"sensitive\":true,\"line\":" :
	    "\",\"sensitive\":false,\"line\":");
	append_number(out, e->line, 0);
	buf_append_char(out, '}');
}

static void
add_line(struct show_table *t, const struct show_entry *e, const struct buf *value)
{
	struct buf *out = &t->out;
	size_t start;

	append_number(out, e->line, t->line_width);
	buf_append_str(out, "  ");
	start = out->len;
	buf_append_str(out, state_name(e->state));
	if (e->state == STATE_PLAIN && e->sensitive)
		buf_append_str(out, " !");
	pad(out, start, STATE_WIDTH + 2);
	start = out->len;
	text_append_visible(out, e->key, e->key_len);
	pad(out, start, t->key_width);
	buf_append_str(out, "  ");
	if (e->masked)
		buf_append_str(out, MASK);
	else
		text_append_visible(out, value->data, value->len);
	buf_append_char(out, '\n');
}

void
show_table_add(struct show_table *t, const struct show_entry *e, const struct buf *value)
{
	if (t->json)
		add_json(t, e, value);
	else
		add_line(t, e, value);
	t->entries++;
	t->counts[e->state]++;
	t->clear_secrets += e->state == STATE_PLAIN && e->sensitive;
}

void
show_table_end(struct show_table *t)
{
	struct buf *out = &t->out;
	size_t i;

	if (t->json) {
		buf_append_str(out, t->entries > 0 ? "\n]}\n" : "]}\n");
		return;
	}
	append_number(out, t->entries, 0);
	buf_append_str(out, t->entries == 1 ? " entry" : " entries");
	for (i = 0; i <= STATE_DAMAGED; i++) {
		if (t->counts[i] == 0)
			continue;
		buf_append_str(out, ", ");
		append_number(out, t->counts[i], 0);
		buf_append_char(out, ' ');
		buf_append_str(out, state_name((enum entry_state)i));
		if (i == STATE_PLAIN && t->clear_secrets > 0) {
			buf_append_str(out, " (");
			append_number(out, t->clear_secrets, 0);
			buf_append_str(out, t->clear_secrets == 1 ? " secret" : " secrets");
			buf_append_str(out, " in clear text !)");
		}
	}
	buf_append_char(out, '\n');
}

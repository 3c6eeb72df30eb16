#include <string.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/text.h"
#include "common/report.h"
#include "common/table.h"

#define GAP "  "

static void
table_pad(struct table *t, const struct table_column *c, size_t start)
{
	report_pad(t->out, start, c->width);
	buf_append_str(t->out, GAP);
}

/* The column of the next cell.  The first one begins a row. */
static const struct table_column *
table_next(struct table *t)
{
	if (t->at == 0 && t->json != NULL)
		json_out_object(t->json, NULL);
	return &t->columns[t->at++];
}

void
table_row_end(struct table *t)
{
	t->at = 0;
	if (t->json != NULL)
		json_out_end(t->json);
	else
		buf_append_char(t->out, '\n');
}

/* Is it the last of those that people see? */
static bool
is_last(const struct table *t)
{
	size_t i = t->at;

	while (i < t->count && t->columns[i].where == TABLE_JSON)
		i++;
	return i == t->count;
}

static void
table_show(struct table *t, const struct table_column *c, const void *text, size_t n)
{
	size_t start = t->out->len;

	if (c->where == TABLE_JSON)
		return;
	for (size_t used = n; c->right && used < c->width; used++)
		buf_append_char(t->out, ' ');
	text_append_visible(t->out, text, n);
	if (!is_last(t))
		table_pad(t, c, start);
}

void
table_begin(struct table *t, const struct table_column *columns, size_t count, struct buf *out,
    struct json_out *json)
{
	*t = (struct table){ .columns = columns, .count = count, .out = out, .json = json };
	if (json != NULL || columns[0].heading == NULL)
		return;
	while (t->at < count) {
		const struct table_column *c = &columns[t->at++];

		if (c->where != TABLE_JSON)
			table_show(t, &(struct table_column){ .width = c->width }, c->heading,
			    strlen(c->heading));
	}
	table_row_end(t);
}

const char *
table_cell(struct table *t, const void *shown, size_t n)
{
	const struct table_column *c = table_next(t);

	if (t->json != NULL)
		return c->where != TABLE_PEOPLE ? c->name : NULL;
	table_show(t, c, shown, n);
	return NULL;
}

void
table_text_n(struct table *t, const void *text, size_t n)
{
	const char *name = table_cell(t, text != NULL ? text : "-", text != NULL ? n : 1);

	if (name != NULL && text != NULL)
		json_out_text_n(t->json, name, text, n);
	else if (name != NULL)
		json_out_null(t->json, name);
}

void
table_text(struct table *t, const char *text)
{
	table_text_n(t, text, text != NULL ? strlen(text) : 0);
}

void
table_number(struct table *t, uint64_t n)
{
	char text[NUMBER_TEXT];
	size_t len = number_text(n, text);
	const char *name = table_cell(t, text, len);

	if (name != NULL)
		json_out_uint(t->json, name, n);
}

void
table_bool(struct table *t, bool yes)
{
	const char *name = table_cell(t, yes ? "yes" : "no", yes ? 3 : 2);

	if (name != NULL)
		json_out_bool(t->json, name, yes);
}

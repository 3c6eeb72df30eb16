#include "registry/service/admin.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"
#include "common/options.h"
#include "common/output.h"
#include "registry/base/watch.h"
#include "common/report.h"

#define WIDTH 20		/* of a column, if its text is not longer */
#define CLOCK_STEP_MS 4		/* of the coarse clock that the registry goes by */

int
admin_need(const struct options *o, enum flag_id id, struct error *err)
{
	if (o->given[id])
		return 0;
	return error_set(err, ERROR_USAGE, "--%s is missing", flag_get(id)->name);
}

int
admin_done(int rc, const struct error *err)
{
	struct timespec pause = { 0, 1000000L * (2 * WATCH_MS + CLOCK_STEP_MS) };

	if (rc != 0)
		return report_error(err);
	nanosleep(&pause, NULL);
	return 0;
}

void
admin_list_begin(struct admin_list *l, const struct options *o, const char *const *names,
    size_t columns)
{
	*l = (struct admin_list){
		.json = options_format(o) == OUTPUT_JSON, .names = names, .columns = columns
	};
	buf_init(&l->out, ADMIN_OUTPUT_MAX);
	if (l->json)
		buf_append_char(&l->out, '[');
}

/* Columns are counted in characters, whatever their width on the screen. */
static size_t
count_characters(const unsigned char *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += (p[i] & 0xc0) != 0x80;
	return count;
}

static void
add_text(struct buf *out, const char *text, bool last)
{
	size_t start = out->len;
	size_t width;

	text_append_visible(out, text, strlen(text));
	if (last || out->failed)
		return;
	width = count_characters(out->data + start, out->len - start);
	do {
		buf_append_char(out, ' ');
		width++;
	} while (width < WIDTH + 1);
}

static void
add_member(struct buf *out, const char *name, const char *text)
{
	text_append_json(out, name, strlen(name));
	buf_append_char(out, ':');
	if (text == NULL)
		buf_append_str(out, "null");
	else
		text_append_json(out, text, strlen(text));
}

void
admin_list_add(struct admin_list *l, const char *const *cells)
{
	size_t i;

	if (l->json)
		buf_append_str(&l->out, l->rows > 0 ? ",\n  {" : "\n  {");
	for (i = 0; i < l->columns; i++) {
		if (l->json) {
			buf_append_str(&l->out, i > 0 ? "," : "");
			add_member(&l->out, l->names[i], cells[i]);
		} else
			add_text(&l->out, cells[i] != NULL ? cells[i] : "-",
			    i + 1 == l->columns);
	}
	buf_append_str(&l->out, l->json ? "}" : "\n");
	l->rows++;
}

int
admin_list_end(struct admin_list *l, int rc, struct error *err)
{
	if (l->json)
		buf_append_str(&l->out, l->rows > 0 ? "\n]\n" : "]\n");
	if (rc == 0)
		rc = output_write(&l->out, err);
	buf_release(&l->out);
	return rc == 0 ? 0 : report_error(err);
}

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "common/args.h"
#include "common/report.h"

#define FLAG_COLUMN 36	/* where the texts of flags start */
#define COMMAND_COLUMN 24
#define WIDTH 96
#define LINE_MAX_BYTES 4096

static void
usage_append_name(const struct command *c, struct buf *out)
{
	if (c->group != NULL)
		buf_printf(out, "%s ", c->group);
	buf_append_str(out, c->name);
}

void
usage_line(const struct command *c, struct buf *out)
{
	const struct command_flag *f;

	if (c == NULL) {
		buf_append_str(out, "usage: propseal [ui] [PATH...] | COMMAND [flags]\n");
		return;
	}
	buf_append_str(out, "usage: propseal ");
	usage_append_name(c, out);
	for (f = c->flags; f->id != FLAG_COUNT; f++) {
		if (f->required)
			buf_printf(out, " --%s %s", flag_get(f->id)->name,
			    flag_get(f->id)->argument);
	}
	if (c->arguments != NULL)
		buf_printf(out, " %s", c->arguments);
	buf_append_str(out, " [flags]\n");
}

static void
usage_pad(struct buf *out, size_t from, size_t to)
{
	while (from++ < to)
		buf_append_char(out, ' ');
}

/* Append ${text} folded at blanks and line ends, from column ${column} on, and a
 * newline. */
static void
append_folded(struct buf *out, const char *text, size_t column)
{
	size_t at = column;
	size_t len;

	while (*text != '\0') {
		len = strcspn(text, " \n");
		if (at > column && at + 1 + len > WIDTH) {
			buf_append_char(out, '\n');
			usage_pad(out, 0, column);
			at = column;
		} else if (at > column) {
			buf_append_char(out, ' ');
			at++;
		}
		buf_append(out, text, len);
		at += len;
		text += len;
		text += strspn(text, " \n");
	}
	buf_append_char(out, '\n');
}

static void
usage_append_flag(const struct command_flag *f, struct buf *out)
{
	const struct flag *flag = flag_get(f->id);
	size_t start = out->len;
	size_t width;

	if (flag->letter != 0)
		buf_printf(out, "  -%c, --%s", flag->letter, flag->name);
	else
		buf_printf(out, "      --%s", flag->name);
	if (flag->argument != NULL)
		buf_printf(out, " %s", flag->argument);
	width = out->len - start;
	if (width + 2 > FLAG_COLUMN) {
		buf_append_char(out, '\n');
		width = 0;
	}
	usage_pad(out, width, FLAG_COLUMN);
	append_folded(out, f->help != NULL ? f->help : flag->help, FLAG_COLUMN);
}

void
usage_examples(const struct command *c, size_t max, struct buf *out)
{
	const char *p = c->examples;
	size_t n;

	for (; p != NULL && *p != '\0'; p += n + (p[n] == '\n')) {
		if (*p != ' ' && max-- == 0)
			return;
		n = strcspn(p, "\n");
		buf_append_str(out, *p == ' ' ? "      " : "  propseal ");
		buf_append(out, p, n);
		buf_append_char(out, '\n');
	}
}

void
usage_flags_of_all(struct buf *out)
{
	const struct command_flag *f;

	for (f = flags_of_all(); f->id != FLAG_COUNT; f++)
		usage_append_flag(f, out);
}

void
usage_command(const struct command *c, struct buf *out)
{
	const struct command_flag *f;

	buf_append_str(out, "propseal ");
	usage_append_name(c, out);
	buf_printf(out, ": %s\n\n", c->summary);
	usage_line(c, out);
	if (c->details != NULL) {
		buf_append_char(out, '\n');
		append_folded(out, c->details, 0);
	}
	if (c->examples != NULL)
		buf_append_str(out, "\nExamples:\n");
	usage_examples(c, SIZE_MAX, out);
	buf_append_str(out, "\nFlags:\n");
	for (f = c->flags; f->id != FLAG_COUNT; f++)
		usage_append_flag(f, out);
	buf_append_str(out, "\nAlso -q, -v, --color: propseal --help, as for sources of keys and "
	    "passphrases, and the exit status\n");
}

void
usage_row(const struct command *c, struct buf *out)
{
	size_t start = out->len;

	buf_append_str(out, "  ");
	usage_append_name(c, out);
	usage_pad(out, out->len - start, COMMAND_COLUMN);
	append_folded(out, c->summary, COMMAND_COLUMN);
}

int
usage_error(const struct command *c, const struct error *err)
{
	int status = report_error(err);
	struct buf line;

	if (report_is_json())
		return status;
	buf_init(&line, LINE_MAX_BYTES);
	usage_line(c, &line);
	output_write_fd(STDERR_FILENO, "standard error", line.data, line.len, NULL);
	buf_release(&line);
	return status;
}

#include "common/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "common/usage.h"
#include "common/output.h"

/* An error's texts, each byte of them made visible or escaped. */
#define MESSAGE_MAX (10 * sizeof(struct error))

static bool as_json;

void
report_as_json(bool json)
{
	as_json = json;
}

static void
say(struct buf *message)
{
	if (message->failed) {
		buf_clear(message);
		buf_append_str(message, "propseal: not enough memory for a message\n");
	}
	output_write_fd(STDERR_FILENO, "standard error", message->data, message->len, NULL);
	buf_release(message);
}

static void
append_visible(struct buf *out, const char *text)
{
	text_append_visible(out, text, strlen(text));
}

static void
append_member(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, ",\"%s\":", name);
	if (text[0] == '\0')
		buf_append_str(out, "null");
	else
		text_append_json(out, text, strlen(text));
}

static void
append_error_json(struct buf *out, const struct error *err)
{
	const char *code = error_code_name(err->code);

	buf_append_str(out, "{\"error\":{\"code\":");
	text_append_json(out, code, strlen(code));
	append_member(out, "file", err->file);
	if (err->line > 0)
		buf_printf(out, ",\"line\":%zu", err->line);
	else
		buf_append_str(out, ",\"line\":null");
	append_member(out, "key", err->key);
	append_member(out, "text", err->text);
	append_member(out, "hint", err->hint);
	buf_printf(out, ",\"exit\":%d}}\n", error_exit_status(err->code));
}

static void
append_error(struct buf *out, const struct error *err)
{
	buf_append_str(out, "propseal: ");
	if (err->file[0] != '\0') {
		append_visible(out, err->file);
		if (err->line > 0)
			buf_printf(out, ":%zu", err->line);
		buf_append_str(out, ": ");
	}
	if (err->key[0] != '\0') {
		buf_append_char(out, '"');
		append_visible(out, err->key);
		buf_append_str(out, "\": ");
	}
	append_visible(out, err->text);
	buf_append_char(out, '\n');
	if (err->hint[0] != '\0') {
		buf_append_str(out, "  hint: ");
		append_visible(out, err->hint);
		buf_append_char(out, '\n');
	}
}

int
report_error(const struct error *err)
{
	struct buf message;

	buf_init(&message, MESSAGE_MAX);
	if (as_json)
		append_error_json(&message, err);
	else
		append_error(&message, err);
	say(&message);
	return error_exit_status(err->code);
}

int
report_usage(const struct command *c, const struct error *err)
{
	struct buf message;

	buf_init(&message, 2 * MESSAGE_MAX);
	if (as_json)
		append_error_json(&message, err);
	else {
		append_error(&message, err);
		usage_line(c, &message);
	}
	say(&message);
	return error_exit_status(err->code);
}

static void __attribute__((format(printf, 3, 0)))
remark(const char *kind, const char *hint, const char *fmt, va_list ap)
{
	char text[2048];
	struct buf message;

	vsnprintf(text, sizeof(text), fmt, ap);
	buf_init(&message, MESSAGE_MAX);
	if (as_json) {
		buf_printf(&message, "{\"%s\":{\"text\":", kind);
		text_append_json(&message, text, strlen(text));
		append_member(&message, "hint", hint == NULL ? "" : hint);
		buf_append_str(&message, "}}\n");
	} else {
		buf_printf(&message, "propseal: %s: ", kind);
		append_visible(&message, text);
		buf_append_char(&message, '\n');
		if (hint != NULL)
			buf_printf(&message, "  hint: %s\n", hint);
	}
	say(&message);
}

void
report_warning(const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	remark("warning", hint, fmt, ap);
	va_end(ap);
}

void
report_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	remark("note", NULL, fmt, ap);
	va_end(ap);
}

void
report_line(const char *text)
{
	struct buf message;

	buf_init(&message, MESSAGE_MAX);
	buf_printf(&message, "%s\n", text);
	say(&message);
}

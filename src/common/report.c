#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "common/args.h"
#include "common/report.h"
#include "crypto/key.h"

/* A key of 32 bytes has 44 characters; the frame around it is short. */
#define KEY_TEXT_MAX 1024

/* An error's texts, each byte of them made visible or escaped. */
#define MESSAGE_MAX (10 * sizeof(struct error))

bool
output_is_stdout(const char *path)
{
	static const char *const names[] = { "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(path, names[i]) == 0)
			return true;
	return false;
}

int
output_write_fd(int fd, const char *name, const void *bytes, size_t n, struct error *err)
{
	const char *p = bytes;
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	ssize_t done;

	while (n > 0) {
		done = write(fd, p, n);
		if (done >= 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK)
			poll(&ready, 1, -1);
		else if (errno != EINTR)
			return error_io(err, name, "cannot write");
	}
	return 0;
}

int
output_write(const struct buf *b, struct error *err)
{
	if (buf_check(b, err) != 0)
		return -1;
	return output_write_fd(STDOUT_FILENO, "standard output", b->data, b->len, err);
}

/* The table of the reference: one row of two columns. */
static void
append_table(struct buf *out, const struct buf *key)
{
	size_t i;
	int row;

	for (row = 0; row < 3; row++) {
		if (row == 1) {
			buf_append_str(out, "| Master Key | ");
			buf_append(out, key->data, key->len);
			buf_append_str(out, " |\n");
			continue;
		}
		buf_append_str(out, "+------------+");
		for (i = 0; i < key->len + 2; i++)
			buf_append_char(out, '-');
		buf_append_str(out, "+\n");
	}
}

int
output_master_key(const struct key *k, enum output_format format, struct error *err)
{
	struct buf key, text;
	int rc = -1;

	buf_init_secret(&key, KEY_TEXT_MAX);
	buf_init_secret(&text, KEY_TEXT_MAX);
	key_append_base64(k, &key);
	if (buf_check(&key, err) != 0)
		goto out;
	switch (format) {
	case OUTPUT_HUMAN:
		append_table(&text, &key);
		break;
	case OUTPUT_JSON:
		buf_append_str(&text, "{\n  \"master_key\": \"");
		buf_append(&text, key.data, key.len);
		buf_append_str(&text, "\"\n}\n");
		break;
	case OUTPUT_YAML:
		buf_append_str(&text, "master_key: ");
		buf_append(&text, key.data, key.len);
		buf_append_char(&text, '\n');
		break;
	}
	rc = output_write(&text, err);
	if (rc == 0)
		report_line("Save the master key. It cannot be retrieved later.");
out:
	if (rc != 0)
		error_hint(err, "the secrets file is written and the new master key is in force: "
		    "the passphrase still gives it, so keep the passphrase; on a terminal "
		    "propseal asks for key or passphrase, and `file rotate --master-key` makes "
		    "and prints another key");
	buf_release(&key);
	buf_release(&text);
	return rc;
}

static bool as_json;

void
report_as_json(bool json)
{
	as_json = json;
}

static void
report_say(struct buf *message)
{
	if (message->failed) {
		buf_clear(message);
		buf_append_str(message, "propseal: not enough memory for a message\n");
	}
	output_write_fd(STDERR_FILENO, "standard error", message->data, message->len, NULL);
	buf_release(message);
}

static void
report_append_visible(struct buf *out, const char *text)
{
	text_append_visible(out, text, strlen(text));
}

static void
report_append_member(struct buf *out, const char *name, const char *text)
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
	report_append_member(out, "file", err->file);
	if (err->line > 0)
		buf_printf(out, ",\"line\":%zu", err->line);
	else
		buf_append_str(out, ",\"line\":null");
	report_append_member(out, "key", err->key);
	report_append_member(out, "text", err->text);
	report_append_member(out, "hint", err->hint);
	buf_printf(out, ",\"exit\":%d}}\n", error_exit_status(err->code));
}

static void
append_error(struct buf *out, const struct error *err)
{
	buf_append_str(out, "propseal: ");
	if (err->file[0] != '\0') {
		report_append_visible(out, err->file);
		if (err->line > 0)
			buf_printf(out, ":%zu", err->line);
		buf_append_str(out, ": ");
	}
	if (err->key[0] != '\0') {
		buf_append_char(out, '"');
		report_append_visible(out, err->key);
		buf_append_str(out, "\": ");
	}
	report_append_visible(out, err->text);
	buf_append_char(out, '\n');
	if (err->hint[0] != '\0') {
		buf_append_str(out, "  hint: ");
		report_append_visible(out, err->hint);
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
	report_say(&message);
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
	report_say(&message);
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
		report_append_member(&message, "hint", hint == NULL ? "" : hint);
		buf_append_str(&message, "}}\n");
	} else {
		buf_printf(&message, "propseal: %s: ", kind);
		report_append_visible(&message, text);
		buf_append_char(&message, '\n');
		if (hint != NULL)
			buf_printf(&message, "  hint: %s\n", hint);
	}
	report_say(&message);
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
	report_say(&message);
}

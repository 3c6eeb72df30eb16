#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/text.h"
#include "common/report.h"
#include "file/file.h"

/* An error's texts, each byte of them made visible or escaped. */
#define MESSAGE_MAX (10 * sizeof(struct error))
#define ACTION_MAX 65536
#define DROP_MS 100		/* that room is waited for, where messages may be dropped */

/* --- rows, for people or in JSON --- */

#define TABLE_GAP "  "

static void
table_pad(struct table *t, const struct table_column *c, size_t start)
{
	report_pad(t->out, start, c->width);
	buf_append_str(t->out, TABLE_GAP);
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
table_is_last(const struct table *t)
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
	if (!table_is_last(t))
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

/* --- what is said, and where it goes --- */

static bool as_json;
static bool is_quiet, is_verbose;
static bool has_color;
static bool is_deaf;	/* standard output is a pipe without a reader */
static bool may_drop;
static atomic_uint dropped;	/* messages, since the last that was not */

/* The descriptor that an output path names, or -1. */
static int
output_descriptor(const char *path)
{
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
	uint64_t fd;
	size_t n;

	if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		n = strlen(folders[i]);
		if (strncmp(path, folders[i], n) == 0 &&
		    number_parse(path + n, strlen(path + n), INT_MAX, &fd))
			return (int)fd;
	}
	return -1;
}

bool
output_is_stream(const char *path)
{
	struct stat st;

	return output_descriptor(path) != -1 ||
	    (stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)));
}

int
output_write_stream(const char *path, const struct buf *b, struct error *err)
{
	int fd = output_descriptor(path), rc;
	struct stat st;

	if (buf_check(b, err) != 0)
		return -1;
	if (fd != -1)
		return output_write_fd(fd, fd == STDOUT_FILENO ? "standard output" : path,
		    b->data, b->len, err);
	if (file_check_output(path, err) != 0)
		return -1;
	/* With O_CREAT the kernel refuses others' FIFOs in /tmp (fs.protected_fifos). */
	fd = open(path, O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, 0600);
	if (fd == -1)
		return error_io(err, path, "cannot open");
	/* Who may write to its folder may have put another thing there since it was looked at. */
	if (fstat(fd, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))) {
		rc = output_write_fd(fd, path, b->data, b->len, err);
	} else {
		error_set(err, ERROR_REFUSED, "it is no device or FIFO any more");
		error_hint(err, "look at who else writes to its folder");
		rc = error_place(err, path, 0);
	}
	if (close(fd) != 0 && rc == 0)
		rc = error_io(err, path, "cannot write");
	return rc;
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
		else if (errno != EINTR) {
			is_deaf |= errno == EPIPE && fd == STDOUT_FILENO;
			return error_io(err, name, "cannot write");
		}
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

int
output_write_json(struct json_out *o, struct error *err)
{
	return json_out_finish(o, err) != 0 ? -1 : output_write(o->out, err);
}

void
report_as_json(bool json)
{
	as_json = json;
}

bool
report_is_json(void)
{
	return as_json;
}

void
report_set(bool quiet, bool verbose, const char *color)
{
	const char *none = getenv("NO_COLOR");
	bool always = color != NULL && strcmp(color, "always") == 0;
	bool never = color != NULL && strcmp(color, "never") == 0;

	is_quiet = quiet;
	is_verbose = verbose && !quiet;
	has_color = always || (!never && (none == NULL || none[0] == '\0') &&
	    isatty(STDOUT_FILENO));
}

bool
report_has_color(void)
{
	return has_color;
}

/* The colour of a line of a diff, as of `git diff`; NULL: none. */
static const char *
color_of(const unsigned char *line, size_t n)
{
	bool heading = n > 3 && (memcmp(line, "--- ", 4) == 0 || memcmp(line, "+++ ", 4) == 0);

	if (n == 0 || heading)
		return n == 0 ? NULL : "\033[1m";
	return line[0] == '-' ? "\033[31m" : line[0] == '+' ? "\033[32m" :
	    line[0] == '@' ? "\033[36m" : NULL;
}

int
output_write_diff(const struct buf *b, struct error *err)
{
	const unsigned char *p = b->data, *end;
	const char *color;
	struct buf out;
	size_t left, n;
	int rc;

	if (!has_color || buf_check(b, NULL) != 0)
		return output_write(b, err);
	buf_init_secret(&out, 2 * BUF_MAX_FILE);
	for (left = b->len; left > 0; left -= n, p += n) {
		end = memchr(p, '\n', left);
		n = end != NULL ? (size_t)(end - p) + 1 : left;
		color = color_of(p, n - (end != NULL));
		if (color != NULL)
			buf_append_str(&out, color);
		buf_append(&out, p, n - (end != NULL));
		buf_append_str(&out, color != NULL ? "\033[m" : "");
		if (end != NULL)
			buf_append_char(&out, '\n');
	}
	rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

/* Is there no room for what one write may hold at least?  A moment is waited for it. */
static bool
report_is_full(void)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&ready, 1, DROP_MS) == 0;
}

/* Say it in pieces that there is room for, or not all of it. */
static void
report_say_or_drop(const struct buf *message)
{
	char before[96];
	unsigned n;

	if (report_is_full()) {
		dropped++;
		return;
	}
	if ((n = atomic_exchange(&dropped, 0)) > 0) {
		snprintf(before, sizeof(before), "propseal: note: %u messages are missing here: "
		    "nobody read them\n", n);
		output_write_fd(STDERR_FILENO, "standard error", before, strlen(before), NULL);
	}
	for (size_t at = 0; at < message->len && !report_is_full(); at += PIPE_BUF)
		output_write_fd(STDERR_FILENO, "standard error", message->data + at,
		    message->len - at < PIPE_BUF ? message->len - at : PIPE_BUF, NULL);
}

static void
report_say(struct buf *message)
{
	if (message->failed) {
		buf_clear(message);
		buf_append_str(message, "propseal: not enough memory for a message\n");
	}
	if (may_drop)
		report_say_or_drop(message);
	else
		output_write_fd(STDERR_FILENO, "standard error", message->data, message->len,
		    NULL);
	buf_release(message);
}

void
report_drop(void)
{
	may_drop = true;
}

static void
report_append_visible(struct buf *out, const char *text)
{
	text_append_visible(out, text, strlen(text));
}

/* Text that is not there is null. */
static const char *
report_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

void
report_json(struct json_out *o, const struct error *what)
{
	json_out_text(o, "file", report_or_null(what->file));
	if (what->line > 0)
		json_out_uint(o, "line", what->line);
	else
		json_out_null(o, "line");
	json_out_text(o, "key", report_or_null(what->key));
	json_out_text(o, "text", report_or_null(what->text));
}

static void
report_append_error_json(struct buf *out, const struct error *err, int status)
{
	struct json_out o;

	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_object(&o, "error");
	json_out_text(&o, "code", error_code_name(err->code));
	report_json(&o, err);
	json_out_text(&o, "hint", report_or_null(err->hint));
	json_out_int(&o, "exit", status);
	json_out_end(&o);
	json_out_end(&o);
	json_out_finish(&o, NULL);
}

void
report_append_place(struct buf *out, const struct error *what)
{
	if (what->file[0] == '\0')
		return;
	report_append_visible(out, what->file);
	if (what->line > 0)
		buf_printf(out, ":%zu", what->line);
	buf_append_str(out, ": ");
}

void
report_append_text(struct buf *out, const struct error *what)
{
	if (what->key[0] != '\0') {
		buf_append_char(out, '"');
		report_append_visible(out, what->key);
		buf_append_str(out, "\": ");
	}
	report_append_visible(out, what->text);
	buf_append_char(out, '\n');
}

static void
report_append_error(struct buf *out, const struct error *err)
{
	buf_append_str(out, "propseal: ");
	report_append_place(out, err);
	report_append_text(out, err);
	if (err->hint[0] != '\0') {
		buf_append_str(out, "  hint: ");
		report_append_visible(out, err->hint);
		buf_append_char(out, '\n');
	}
}

void
report_append_number(struct buf *out, size_t n, size_t width)
{
	char text[NUMBER_TEXT];
	size_t len = number_text(n, text);

	for (; width > len; width--)
		buf_append_char(out, ' ');
	buf_append(out, text, len);
}

void
report_pad(struct buf *out, size_t start, size_t width)
{
	size_t n = 0;
	size_t i;

	for (i = start; i < out->len; i++)
		n += (out->data[i] & 0xc0) != 0x80;
	for (; n < width; n++)
		buf_append_char(out, ' ');
}

int
report_error_as(const struct error *err, int status)
{
	struct buf message;

	/* `| head` has what it wanted.  With a hint there is more to it. */
	if (is_deaf && err->hint[0] == '\0')
		return status;
	buf_init(&message, MESSAGE_MAX);
	if (as_json)
		report_append_error_json(&message, err, status);
	else
		report_append_error(&message, err);
	report_say(&message);
	return status;
}

int
report_error(const struct error *err)
{
	return report_error_as(err, error_exit_status(err->code));
}

int
report_end(int status)
{
	if (is_deaf) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return status;
}

static void __attribute__((format(printf, 3, 0)))
remark(const char *kind, const char *hint, const char *fmt, va_list ap)
{
	char text[2048];
	struct json_out o;
	struct buf message;

	vsnprintf(text, sizeof(text), fmt, ap);
	buf_init(&message, MESSAGE_MAX);
	if (as_json) {
		json_out_init(&o, &message);
		json_out_object(&o, NULL);
		json_out_object(&o, kind);
		json_out_text(&o, "text", text);
		json_out_text(&o, "hint", hint != NULL ? report_or_null(hint) : NULL);
		json_out_end(&o);
		json_out_end(&o);
		json_out_finish(&o, NULL);
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

	if (is_quiet)
		return;
	va_start(ap, fmt);
	remark("note", NULL, fmt, ap);
	va_end(ap);
}

void
report_state(const char *fmt, ...)
{
	struct buf message;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init(&message, MESSAGE_MAX);
	buf_printf(&message, "propseal: %s\n", text);
	report_say(&message);
}

void
report_detail(const char *fmt, ...)
{
	va_list ap;

	if (!is_verbose)
		return;
	va_start(ap, fmt);
	remark("note", NULL, fmt, ap);
	va_end(ap);
}

void
report_change(const char *fmt, ...)
{
	va_list ap;

	if (is_quiet)
		return;
	va_start(ap, fmt);
	remark("changed", NULL, fmt, ap);
	va_end(ap);
}

int
report_action(const char *where, const char *command, const char *word, const char *name,
    struct error *err)
{
	struct json_out json;
	struct buf out;
	int rc;

	report_change("%s: %s %s%s%s", where, command, word, name != NULL ? " " : "",
	    name != NULL ? name : "");
	if (!as_json)
		return 0;
	buf_init(&out, ACTION_MAX);
	json_out_init(&json, &out);
	json_out_object(&json, NULL);
	json_out_text(&json, "schema", "propseal.change/1");
	json_out_bool(&json, "changed", true);
	json_out_array(&json, "files");
	json_out_object(&json, NULL);
	json_out_text(&json, "file", where);
	json_out_array(&json, "entries");
	json_out_object(&json, NULL);
	json_out_text(&json, "op", word);
	json_out_text(&json, "key", name);
	json_out_end(&json);
	json_out_end(&json);
	json_out_end(&json);
	json_out_end(&json);
	json_out_array(&json, "notes");
	json_out_end(&json);
	json_out_end(&json);
	rc = output_write_json(&json, err);
	buf_release(&out);
	return rc;
}

void
report_line(const char *text)
{
	struct buf message;

	if (as_json)
		return;
	buf_init(&message, MESSAGE_MAX);
	buf_printf(&message, "%s\n", text);
	report_say(&message);
}

/* --- how two files differ --- */

void
report_diff_begin(struct buf *out, struct json_out *json, const char *a, const char *b)
{
	const char *const paths[] = { a, b };

	if (json != NULL) {
		json_out_object(json, NULL);
		json_out_text(json, "a", a);
		json_out_text(json, "b", b);
		json_out_array(json, "entries");
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		const char *path = paths[i] != NULL ? paths[i] : "(no such file)";

		buf_append_str(out, i == 0 ? "--- " : "+++ ");
		text_append_visible(out, path, strlen(path));
		buf_append_char(out, '\n');
	}
}

static void
diff_side_json(struct json_out *o, const char *name, const struct report_side *s)
{
	if (!s->there) {
		json_out_null(o, name);
		return;
	}
	json_out_object(o, name);
	json_out_uint(o, "line", s->line);
	json_out_text(o, "state", s->state);
	if (s->masked)
		json_out_null(o, "value");
	else
		json_out_text_n(o, "value", s->value, s->len);
	json_out_end(o);
}

static void
diff_side_line(struct buf *out, char sign, const struct report_difference *d,
    const struct report_side *s)
{
	if (!s->there)
		return;
	buf_append_char(out, sign);
	text_append_visible(out, d->key, d->len);
	buf_append_str(out, " = ");
	text_append_visible(out, s->value, s->len);
	buf_append_char(out, '\n');
}

void
report_diff_entry(struct buf *out, struct json_out *json, const struct report_difference *d)
{
	if (json != NULL) {
		json_out_break(json);
		json_out_object(json, NULL);
		json_out_text_n(json, "key", d->key, d->len);
		json_out_text(json, "result", d->result);
		json_out_bool(json, "secret", d->secret);
		diff_side_json(json, "a", &d->a);
		diff_side_json(json, "b", &d->b);
		json_out_end(json);
		return;
	}
	buf_append_str(out, "@@ ");
	if (d->a.there) {
		buf_append_str(out, "-line ");
		number_append(out, d->a.line);
	}
	if (d->b.there) {
		buf_append_str(out, d->a.there ? " +line " : "+line ");
		number_append(out, d->b.line);
	}
	buf_append_str(out, d->remark);
	buf_append_str(out, " @@\n");
	diff_side_line(out, '-', d, &d->a);
	diff_side_line(out, '+', d, &d->b);
}

void
report_diff_end(struct json_out *json)
{
	if (json == NULL)
		return;
	json_out_end(json);
	json_out_end(json);
}

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/findings.h"
#include "common/report.h"

static const char *const levels[FINDING_LEVELS] = { "ok", "remark", "warning", "problem" };

void
findings_init(struct findings *f, bool json, bool by_kind)
{
	memset(f, 0, sizeof(*f));
	f->json = json;
	f->by_kind = by_kind;
	buf_init(&f->list, BUF_MAX_FILE);
}

void
findings_release(struct findings *f)
{
	buf_release(&f->list);
}

static void
findings_append_member(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, ",\"%s\":", name);
	if (text[0] == '\0')
		buf_append_str(out, "null");
	else
		text_append_json(out, text, strlen(text));
}

static void
findings_add_json(struct findings *f, enum finding_level level, const char *kind,
    const struct error *what)
{
	struct buf *out = &f->list;

	buf_printf(out, "%s\n{\"level\":\"%s\",\"kind\":\"%s\"", out->len > 0 ? "," : "",
	    levels[level], kind);
	findings_append_member(out, "file", what->file);
	if (what->line > 0)
		buf_printf(out, ",\"line\":%zu", what->line);
	else
		buf_append_str(out, ",\"line\":null");
	findings_append_member(out, "key", what->key);
	findings_append_member(out, "text", what->text);
	findings_append_member(out, "do", what->hint);
	buf_append_char(out, '}');
}

static void
findings_append_visible(struct buf *out, const char *text)
{
	text_append_visible(out, text, strlen(text));
}

static void
findings_add_line(struct findings *f, enum finding_level level, const char *kind,
    const struct error *what)
{
	struct buf *out = &f->list;

	if (what->file[0] != '\0') {
		findings_append_visible(out, what->file);
		if (what->line > 0)
			buf_printf(out, ":%zu", what->line);
		buf_append_str(out, ": ");
	}
	buf_printf(out, "%s: ", f->by_kind ? kind : levels[level]);
	if (what->key[0] != '\0') {
		buf_append_char(out, '"');
		findings_append_visible(out, what->key);
		buf_append_str(out, "\": ");
	}
	findings_append_visible(out, what->text);
	buf_append_char(out, '\n');
	/* Ten findings of a kind in a row are told once what to do. */
	if (what->hint[0] != '\0' && strcmp(what->hint, f->hint) != 0) {
		buf_append_str(out, "  hint: ");
		findings_append_visible(out, what->hint);
		buf_append_char(out, '\n');
	}
	memcpy(f->hint, what->hint, sizeof(f->hint));
}

void
findings_add(struct findings *f, enum finding_level level, const char *kind,
    const struct error *what)
{
	f->counts[level]++;
	if (f->json)
		findings_add_json(f, level, kind, what);
	else
		findings_add_line(f, level, kind, what);
}

void
findings_say(struct findings *f, enum finding_level level, const char *kind, const char *file,
    size_t line, const char *hint, const char *fmt, ...)
{
	struct error what;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_set(&what, ERROR_NONE, "%s", text);
	if (file != NULL)
		error_place(&what, file, line);
	if (hint != NULL)
		error_hint(&what, "%s", hint);
	findings_add(f, level, kind, &what);
}

int
findings_status(const struct findings *f)
{
	return f->counts[FINDING_PROBLEM] > 0 ? 3 : 0;
}

int
findings_write(struct findings *f, const char *members, const char *summary, int status,
    struct error *err)
{
	struct buf out;
	int rc;

	if (buf_check(&f->list, err) != 0)
		return -1;
	buf_init(&out, 2 * BUF_MAX_FILE);
	if (f->json) {
		buf_printf(&out, "{%s\"problems\":%zu,\"warnings\":%zu,\"remarks\":%zu,"
		    "\"findings\":[", members, f->counts[FINDING_PROBLEM],
		    f->counts[FINDING_WARNING], f->counts[FINDING_REMARK]);
		buf_append(&out, f->list.data, f->list.len);
		buf_printf(&out, "%s],\"exit\":%d}\n", f->list.len > 0 ? "\n" : "", status);
	} else {
		buf_append(&out, f->list.data, f->list.len);
		buf_printf(&out, "%s\n", summary);
	}
	rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

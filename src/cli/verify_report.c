#include "cli/verify_report.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

static const char *
kind_name(enum verify_kind kind)
{
	switch (kind) {
	case VERIFY_DAMAGED:
	case VERIFY_DAMAGED_USE:
		return "damaged";
	case VERIFY_CHANGED:
		return "changed";
	case VERIFY_DANGLING:
		return "dangling";
	case VERIFY_UNREADABLE:
		return "unreadable";
	case VERIFY_ORPHAN:
		return "orphan";
	case VERIFY_KINDS:
		break;
	}
	return "";
}

void
verify_report_init(struct verify_report *r, const char *file, bool has_paths, bool json)
{
	memset(r, 0, sizeof(*r));
	r->json = json;
	r->has_paths = has_paths;
	r->file = file;
	buf_init(&r->findings, BUF_MAX_FILE);
	buf_init(&r->out, 2 * BUF_MAX_FILE);
}

void
verify_report_release(struct verify_report *r)
{
	buf_release(&r->findings);
	buf_release(&r->out);
}

static void
add_json(struct buf *out, enum verify_kind kind, const struct error *what)
{
	buf_printf(out, "%s\n{\"kind\":\"%s\",\"file\":", out->len > 0 ? "," : "",
	    kind_name(kind));
	text_append_json(out, what->file, strlen(what->file));
	if (what->line > 0)
		buf_printf(out, ",\"line\":%zu,\"key\":", what->line);
	else
		buf_append_str(out, ",\"line\":null,\"key\":");
	if (what->key[0] != '\0')
		text_append_json(out, what->key, strlen(what->key));
	else
		buf_append_str(out, "null");
	buf_append_str(out, ",\"text\":");
	text_append_json(out, what->text, strlen(what->text));
	buf_append_char(out, '}');
}

static void
add_line(struct buf *out, enum verify_kind kind, const struct error *what)
{
	text_append_visible(out, what->file, strlen(what->file));
	if (what->line > 0)
		buf_printf(out, ":%zu", what->line);
	buf_printf(out, ": %s: ", kind_name(kind));
	if (what->key[0] != '\0') {
		buf_append_char(out, '"');
		text_append_visible(out, what->key, strlen(what->key));
		buf_append_str(out, "\": ");
	}
	text_append_visible(out, what->text, strlen(what->text));
	buf_append_char(out, '\n');
}

void
verify_report_add(struct verify_report *r, enum verify_kind kind, const struct error *what)
{
	r->counts[kind]++;
	if (r->json)
		add_json(&r->findings, kind, what);
	else
		add_line(&r->findings, kind, what);
}

static void
end_json(struct verify_report *r)
{
	struct buf *out = &r->out;

	buf_append_str(out, "{\"file\":");
	text_append_json(out, r->file, strlen(r->file));
	buf_printf(out, ",\"sealed\":%zu,\"open\":%zu,\"damaged\":%zu,\"tagged\":%zu,"
	    "\"changed\":%zu", r->sealed, r->sealed - r->counts[VERIFY_DAMAGED],
	    r->counts[VERIFY_DAMAGED], r->tagged, r->counts[VERIFY_CHANGED]);
	if (r->has_paths)
		buf_printf(out, ",\"files\":%zu,\"references\":%zu,\"dangling\":%zu,"
		    "\"unreadable\":%zu,\"orphans\":%zu", r->files, r->references,
		    r->counts[VERIFY_DANGLING], r->counts[VERIFY_UNREADABLE],
		    r->counts[VERIFY_ORPHAN]);
	buf_append_str(out, ",\"findings\":[");
	buf_append(out, r->findings.data, r->findings.len);
	buf_printf(out, "%s],\"exit\":%d}\n", r->findings.len > 0 ? "\n" : "",
	    verify_report_status(r));
}

static const char *
plural(size_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

static void
end_lines(struct verify_report *r)
{
	struct buf *out = &r->out;
	size_t open = r->sealed - r->counts[VERIFY_DAMAGED];

	buf_append(out, r->findings.data, r->findings.len);
	buf_printf(out, "%zu sealed %s", open, plural(open, "entry opens", "entries open"));
	if (r->counts[VERIFY_DAMAGED] > 0)
		buf_printf(out, ", %zu %s not", r->counts[VERIFY_DAMAGED],
		    plural(r->counts[VERIFY_DAMAGED], "does", "do"));
	if (r->counts[VERIFY_CHANGED] > 0)
		buf_printf(out, ", %zu changed by another program", r->counts[VERIFY_CHANGED]);
	if (r->tagged > 0 && r->tagged < r->sealed)
		buf_printf(out, ", %zu without an integrity tag", r->sealed - r->tagged);
	if (r->has_paths) {
		buf_printf(out, "; %zu %s in %zu %s, %zu dangling, %zu %s", r->references,
		    plural(r->references, "reference", "references"), r->files,
		    plural(r->files, "file", "files"), r->counts[VERIFY_DANGLING],
		    r->counts[VERIFY_ORPHAN],
		    plural(r->counts[VERIFY_ORPHAN], "orphan", "orphans"));
		if (r->counts[VERIFY_UNREADABLE] > 0)
			buf_printf(out, ", %zu unreadable", r->counts[VERIFY_UNREADABLE]);
	}
	buf_append_char(out, '\n');
}

void
verify_report_end(struct verify_report *r)
{
	if (r->findings.failed)
		r->out.failed = true;
	if (r->json)
		end_json(r);
	else
		end_lines(r);
}

int
verify_report_status(const struct verify_report *r)
{
	if (r->counts[VERIFY_DAMAGED] > 0 || r->counts[VERIFY_DAMAGED_USE] > 0)
		return 4;
	if (r->counts[VERIFY_UNREADABLE] > 0)
		return 1;
	return r->counts[VERIFY_DANGLING] > 0 || r->counts[VERIFY_CHANGED] > 0 ? 3 : 0;
}

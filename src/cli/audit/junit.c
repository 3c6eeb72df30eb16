#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "cli/audit/audit.h"

/* JUnit's XML, as CI systems read it: a suite a file, a failure a finding. */

/* As text of XML 1.0 and HTML, in which most control characters cannot stand at all. */
void
audit_markup(struct buf *out, const void *bytes, size_t n)
{
	struct buf visible;
	const char *p;

	buf_init(&visible, BUF_MAX_FILE);
	text_append_visible(&visible, bytes, n);
	for (p = buf_cstr(&visible); *p != '\0'; p++)
		switch (*p) {
		case '<':
			buf_append_str(out, "&lt;");
			break;
		case '>':
			buf_append_str(out, "&gt;");
			break;
		case '&':
			buf_append_str(out, "&amp;");
			break;
		case '"':
			buf_append_str(out, "&quot;");
			break;
		default:
			buf_append_char(out, *p);
		}
	buf_release(&visible);
}

static void
junit_string(struct buf *out, const char *text)
{
	audit_markup(out, text, strlen(text));
}

static void
junit_case(const struct audit_report *r, const struct audit_finding *f, struct buf *out)
{
	const struct audit_rule_text *t = audit_rule_text(f->rule);

	buf_append_str(out, "    <testcase classname=\"");
	junit_string(out, t->id);
	buf_append_str(out, "\" name=\"");
	audit_markup(out, f->key, f->key_len);
	buf_printf(out, ":%zu\" file=\"", f->line);
	junit_string(out, audit_file(r->audit, f->file));
	buf_printf(out, "\" line=\"%zu\"", f->line);
	if (!audit_report_fails(r, f)) {
		buf_append_str(out, "/>\n");
		return;
	}
	buf_printf(out, ">\n      <failure type=\"%s\" message=\"", audit_level_name(f->level));
	junit_string(out, audit_message(f));
	buf_append_str(out, "\">");
	junit_string(out, audit_hint(f));
	buf_append_str(out, "</failure>\n    </testcase>\n");
}

/* Files that could not be read, or not to their ends: these pass nothing.  NULL: no memory. */
static struct map *
junit_unread(const struct audit_report *r)
{
	struct map *m = map_new();

	for (size_t i = 0; m != NULL && i < audit_unread_count(r->audit); i++) {
		const char *name = audit_unread(r->audit, i)->file;

		if (map_put(m, name, strlen(name), i) != 0) {
			map_free(m);
			m = NULL;
		}
	}
	return m;
}

static bool
junit_passes(const struct audit_report *r, const struct map *unread, size_t file)
{
	const char *name = audit_file(r->audit, file);
	size_t ignored;

	return !map_get(unread, name, strlen(name), &ignored);
}

/* The findings of one file from ${*at} on, or the one case that it passed. */
static void
junit_suite(const struct audit_report *r, const struct map *unread, size_t file, size_t *at,
    struct buf *out)
{
	size_t failures = 0, end = *at;

	for (; end < audit_finding_count(r->audit) && audit_finding(r->audit, end)->file == file;
	    end++)
		failures += audit_report_fails(r, audit_finding(r->audit, end));
	if (end == *at && !junit_passes(r, unread, file))
		return;
	buf_append_str(out, "  <testsuite name=\"");
	junit_string(out, audit_file(r->audit, file));
	buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\">\n", end > *at ? end - *at : 1,
	    failures);
	if (end == *at) {
		buf_append_str(out, "    <testcase classname=\"clean\" name=\"");
		junit_string(out, audit_file(r->audit, file));
		buf_append_str(out, "\"/>\n");
	}
	for (; *at < end; ++*at)
		junit_case(r, audit_finding(r->audit, *at), out);
	buf_append_str(out, "  </testsuite>\n");
}

void
audit_report_junit(struct audit_report *r, struct buf *out)
{
	size_t count = audit_finding_count(r->audit), failures = 0, at = 0;
	size_t tests = audit_unread_count(r->audit);
	struct map *unread = junit_unread(r);

	if (unread == NULL) {
		r->failed = true;
		error_memory(r->err);
		return;
	}

	for (size_t i = 0; i < count; i++)
		failures += audit_report_fails(r, audit_finding(r->audit, i));
	for (size_t i = 0, k = 0; i < audit_file_count(r->audit); i++) {
		size_t first = k;

		while (k < count && audit_finding(r->audit, k)->file == i)
			k++;
		tests += k > first ? k - first : junit_passes(r, unread, i);
	}
	buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<testsuites name=\"propseal audit\" tests=\"%zu\" failures=\"%zu\" "
	    "errors=\"%zu\">\n", tests, failures, audit_unread_count(r->audit));
	for (size_t i = 0; i < audit_file_count(r->audit); i++) {
		junit_suite(r, unread, i, &at, out);
		audit_report_flush(r, out);
	}
	for (size_t i = 0; i < audit_unread_count(r->audit); i++) {
		const struct audit_unread *u = audit_unread(r->audit, i);

		buf_append_str(out, "  <testsuite name=\"");
		junit_string(out, u->file);
		buf_append_str(out, "\" tests=\"1\" failures=\"0\" errors=\"1\">\n"
		    "    <testcase classname=\"unread\" name=\"");
		junit_string(out, u->file);
		buf_append_str(out, "\"><error message=\"");
		junit_string(out, u->reason);
		buf_append_str(out, "\"/></testcase>\n  </testsuite>\n");
	}
	buf_append_str(out, "</testsuites>\n");
	map_free(unread);
}

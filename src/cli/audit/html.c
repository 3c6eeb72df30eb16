#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/audit/audit.h"

/* As text of XML 1.0 and HTML, in which most control characters cannot stand at all. */
static void
markup_text(struct buf *out, const void *bytes, size_t n)
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
markup_string(struct buf *out, const char *text)
{
	markup_text(out, text, strlen(text));
}

/*
 * One page that can be kept and printed: nothing is fetched, and without
 * scripts it shows all.  Levels have letters, not colours alone.
 */

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
	"<title>propseal audit</title>\n<style>\n"
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--line:#d0d7de;--soft:#f3f5f8;"
	"--error:#a4262c;--warning:#7a4b00;--note:#2a5db0}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#14181d;--fg:#e3e7ec;--line:#39424d;"
	"--soft:#1e242b;--error:#ff8f8f;--warning:#f0b45a;--note:#8fb8ff}}\n"
	"body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:76rem;padding:1.5rem;"
	"background:var(--bg);color:var(--fg)}\n"
	"h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:1.8rem 0 .5rem}\n"
	"table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
	"padding:.3rem .6rem;border-bottom:1px solid var(--line)}\n"
	"th{background:var(--soft)}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\n"
	"code{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}\n"
	"td:first-child:has(.level){white-space:nowrap}\n"
	".level{display:inline-block;min-width:1.3em;text-align:center;border:1px solid;"
	"border-radius:3px;font-weight:600}\n"
	".error{color:var(--error)}.warning{color:var(--warning)}.note{color:var(--note)}\n"
	".sums{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0;padding:0;list-style:none}\n"
	".sums li{border:1px solid var(--line);border-radius:6px;padding:.5rem .9rem;"
	"background:var(--soft)}.sums b{display:block;font-size:1.4rem}\n"
	"input{font:inherit;padding:.4rem .6rem;width:100%;box-sizing:border-box;"
	"border:1px solid var(--line);border-radius:6px;background:var(--bg);color:var(--fg)}\n"
	".off{opacity:.6}small{opacity:.8}\n"
	"@media print{input{display:none}body{max-width:none;padding:0}"
	"tr{break-inside:avoid}}\n"
	"td.id{white-space:nowrap}td.id code{font-size:11px}\n"
	"@media(max-width:60rem){th.id,td.id{display:none}}\n"
	"@media(max-width:40rem){body{padding:.8rem}thead{display:none}"
	"tr{display:block;padding:.4rem 0;border-bottom:1px solid var(--line)}"
	"td,td.n{display:block;border:0;padding:.1rem .3rem;text-align:left}"
	"tr[hidden]{display:none}td.n{display:inline-block}"
	"td.n::after{content:' ' attr(data-of);opacity:.8}}\n"
	"</style></head><body>\n<h1>propseal audit</h1>\n";

static const char tail[] =
	"<script>\nconst f=document.getElementById('filter');\n"
	"f.addEventListener('input',()=>{const w=f.value.toLowerCase().split(/\\s+/);\n"
	"for(const r of document.querySelectorAll('#findings tbody tr')){\n"
	"const t=r.textContent.toLowerCase();r.hidden=!w.every(x=>t.includes(x))}});\n"
	"</script>\n</body></html>\n";

static void
html_level(struct buf *out, enum audit_level level)
{
	static const char *const letters[] = { "n", "w", "E" };

	buf_printf(out, "<span class=\"level %s\" title=\"%s\">%s</span> %s",
	    audit_level_name(level), audit_level_name(level), letters[level],
	    audit_level_name(level));
}

static void
html_sum(struct buf *out, size_t n, const char *what)
{
	buf_printf(out, "<li><b>%zu</b>%s</li>\n", n, what);
}

static void
html_sums(const struct audit_report *r, struct buf *out)
{
	const struct audit_counts *c = &r->counts;

	buf_append_str(out, "<p>Below <code>");
	markup_string(out, r->root);
	buf_printf(out, "</code>, by propseal %s. %s</p>\n<ul class=\"sums\">\n", PROPSEAL_VERSION,
	    audit_unread_count(r->audit) == 0 ? "Everything could be looked at." :
	    "<strong>Not everything could be looked at: see the end.</strong>");
	html_sum(out, c->levels[AUDIT_ERROR], "errors");
	html_sum(out, c->levels[AUDIT_WARNING], "warnings");
	html_sum(out, c->levels[AUDIT_NOTE], "notes");
	if (audit_report_known(r) > 0)
		html_sum(out, c->fresh, "new since the baseline");
	html_sum(out, c->suppressed, "suppressed");
	html_sum(out, c->read, "files read");
	html_sum(out, c->seen - c->read, "files passed over");
	buf_append_str(out, "</ul>\n");
}

static void
html_by_rule(const struct audit_report *r, struct buf *out)
{
	size_t counts[AUDIT_RULES] = { 0 };

	for (size_t i = 0; i < audit_finding_count(r->audit); i++)
		counts[audit_finding(r->audit, i)->rule] += !audit_finding(r->audit, i)->suppressed;
	buf_append_str(out, "<h2>By rule</h2>\n<table><thead><tr><th>Level</th><th>Rule</th>"
	    "<th class=\"n\">Findings</th><th>Why, and what to do</th></tr></thead>"
	    "<tbody>\n");
	/* The worst first. */
	for (size_t k = 0; k < AUDIT_LEVELS * (size_t)AUDIT_RULES; k++) {
		const size_t i = k % AUDIT_RULES;
		const struct audit_rule_text *t = audit_rule_text((enum audit_rule)i);

		if (counts[i] == 0 || t->level != AUDIT_ERROR - k / AUDIT_RULES)
			continue;
		buf_append_str(out, "<tr><td>");
		html_level(out, t->level);
		buf_printf(out, "</td><td id=\"%s\"><code>%s</code><br><small>", t->id, t->id);
		markup_string(out, t->name);
		buf_printf(out, "</small></td><td class=\"n\" data-of=\"finding%s\">%zu</td><td>",
		    counts[i] == 1 ? "" : "s", counts[i]);
		markup_string(out, t->why);
		buf_append_str(out, " <em>");
		markup_string(out, t->hint);
		buf_append_str(out, "</em></td></tr>\n");
	}
	buf_append_str(out, "</tbody></table>\n");
}

static void
html_levels(struct buf *out, const size_t levels[AUDIT_LEVELS])
{
	buf_printf(out, "</code></td><td class=\"n\" data-of=\"errors\">%zu</td>"
	    "<td class=\"n\" data-of=\"warnings\">%zu</td>"
	    "<td class=\"n\" data-of=\"notes\">%zu</td></tr>\n", levels[AUDIT_ERROR],
	    levels[AUDIT_WARNING], levels[AUDIT_NOTE]);
}

static void
html_levels_head(struct buf *out, const char *of)
{
	buf_printf(out, "<h2>By %s</h2>\n<table><thead><tr><th>%c%s</th>"
	    "<th class=\"n\">Errors</th><th class=\"n\">Warnings</th><th class=\"n\">Notes</th>"
	    "</tr></thead><tbody>\n", of, of[0] - 'a' + 'A', of + 1);
}

void
audit_report_environments(const struct audit_report *r, bool known, struct vec *out)
{
	struct audit_environment_levels *e;
	struct map *seen = map_new();
	size_t at;

	vec_init(out, sizeof(*e), SIZE_MAX / sizeof(*e));
	for (size_t i = 0; seen != NULL && i < audit_finding_count(r->audit); i++) {
		const struct audit_finding *f = audit_finding(r->audit, i);
		const char *name = audit_environment(r->audit, f->file);
		const size_t len = name != NULL ? strlen(name) + 1 : 0;

		if (f->known && !known)
			continue;
		if (!map_get(seen, name != NULL ? name : "", len, &at)) {
			at = out->len;
			if ((e = vec_push(out)) == NULL ||
			    map_put(seen, name != NULL ? name : "", len, at) != 0)
				break;
			e->name = name;
		}
		e = vec_at(out, at);
		e->levels[f->level] += !f->suppressed;
	}
	map_free(seen);
}

static void
html_by_environment(const struct audit_report *r, struct buf *out)
{
	struct audit_environment_levels *e;
	struct vec all;

	audit_report_environments(r, true, &all);
	html_levels_head(out, "environment");
	for (size_t i = 0; i < all.len; i++) {
		e = vec_at(&all, i);
		buf_append_str(out, "<tr><td><code>");
		markup_string(out, e->name != NULL ? e->name : "(none)");
		html_levels(out, e->levels);
	}
	vec_release(&all);
	buf_append_str(out, "</tbody></table>\n");
}

static void
html_by_file(const struct audit_report *r, struct buf *out)
{
	size_t count = audit_finding_count(r->audit), end;

	html_levels_head(out, "file");
	for (size_t i = 0; i < count; i = end) {
		size_t levels[AUDIT_LEVELS] = { 0 };
		const size_t file = audit_finding(r->audit, i)->file;

		for (end = i; end < count && audit_finding(r->audit, end)->file == file; end++)
			levels[audit_finding(r->audit, end)->level] +=
			    !audit_finding(r->audit, end)->suppressed;
		buf_append_str(out, "<tr><td><code>");
		markup_string(out, audit_file(r->audit, file));
		html_levels(out, levels);
	}
	buf_append_str(out, "</tbody></table>\n");
}

static void
html_finding(const struct audit_report *r, const struct audit_finding *f, struct buf *out)
{
	char id[AUDIT_ID_TEXT];

	audit_id_text(f->id, id);
	buf_printf(out, "<tr%s><td>", f->suppressed || f->known ? " class=\"off\"" : "");
	html_level(out, f->level);
	if (f->suppressed)
		buf_append_str(out, "<br><small>suppressed</small>");
	else if (f->known)
		buf_append_str(out, "<br><small>known</small>");
	buf_append_str(out, "</td><td><code>");
	markup_string(out, audit_file(r->audit, f->file));
	buf_printf(out, ":%zu</code>", f->line);
	if (audit_environment(r->audit, f->file) != NULL) {
		buf_append_str(out, "<br><small>environment ");
		markup_string(out, audit_environment(r->audit, f->file));
		buf_append_str(out, "</small>");
	}
	buf_append_str(out, "</td><td><code>");
	markup_text(out, f->key, f->key_len);
	buf_printf(out, "</code></td><td><code>%s</code><br><small>",
	    audit_rule_text(f->rule)->id);
	markup_string(out, audit_message(f));
	buf_append_str(out, "</small></td><td>");
	markup_string(out, audit_hint(f));
	buf_printf(out, "</td><td class=\"id\"><code>%s</code></td></tr>\n", id);
}

static void
html_unread(const struct audit_report *r, const char *title, size_t n,
    const struct audit_unread *(*at)(const struct audit *, size_t), struct buf *out)
{
	if (n == 0)
		return;
	buf_printf(out, "<h2>%s</h2>\n<table><thead><tr><th>File</th><th>Why</th></tr></thead>"
	    "<tbody>\n", title);
	for (size_t i = 0; i < n; i++) {
		buf_append_str(out, "<tr><td><code>");
		markup_string(out, at(r->audit, i)->file);
		buf_append_str(out, "</code></td><td>");
		markup_string(out, at(r->audit, i)->reason);
		buf_append_str(out, "</td></tr>\n");
	}
	buf_append_str(out, "</tbody></table>\n");
}

void
audit_report_html(struct audit_report *r, struct buf *out)
{
	buf_append_str(out, head);
	html_sums(r, out);
	html_by_rule(r, out);
	html_by_environment(r, out);
	html_by_file(r, out);
	buf_append_str(out, "<h2>Findings</h2>\n<p><input id=\"filter\" type=\"search\" "
	    "placeholder=\"Filter by file, key, rule or level\" aria-label=\"Filter\"></p>\n"
	    "<table id=\"findings\"><thead><tr><th>Level</th><th>Place</th><th>Key</th>"
	    "<th>Rule</th><th>What to do</th><th class=\"id\">Id</th></tr></thead>"
	    "<tbody>\n");
	for (size_t i = 0; i < audit_finding_count(r->audit); i++) {
		html_finding(r, audit_finding(r->audit, i), out);
		audit_report_flush(r, out);
	}
	buf_append_str(out, "</tbody></table>\n");
	html_unread(r, "Not read", audit_unread_count(r->audit), audit_unread, out);
	html_unread(r, "Not checked with a key",
	    audit_locked_count(r->audit), audit_locked, out);
	buf_append_str(out, tail);
}

/* JUnit's XML, as CI systems read it: a suite a file, a failure a finding. */

static void
junit_case(const struct audit_report *r, const struct audit_finding *f, struct buf *out)
{
	const struct audit_rule_text *t = audit_rule_text(f->rule);

	buf_append_str(out, "    <testcase classname=\"");
	markup_string(out, t->id);
	buf_append_str(out, "\" name=\"");
	markup_text(out, f->key, f->key_len);
	buf_printf(out, ":%zu\" file=\"", f->line);
	markup_string(out, audit_file(r->audit, f->file));
	buf_printf(out, "\" line=\"%zu\"", f->line);
	if (!audit_report_fails(r, f)) {
		buf_append_str(out, "/>\n");
		return;
	}
	buf_printf(out, ">\n      <failure type=\"%s\" message=\"", audit_level_name(f->level));
	markup_string(out, audit_message(f));
	buf_append_str(out, "\">");
	markup_string(out, audit_hint(f));
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
	markup_string(out, audit_file(r->audit, file));
	buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\">\n", end > *at ? end - *at : 1,
	    failures);
	if (end == *at) {
		buf_append_str(out, "    <testcase classname=\"clean\" name=\"");
		markup_string(out, audit_file(r->audit, file));
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
		markup_string(out, u->file);
		buf_append_str(out, "\" tests=\"1\" failures=\"0\" errors=\"1\">\n"
		    "    <testcase classname=\"unread\" name=\"");
		markup_string(out, u->file);
		buf_append_str(out, "\"><error message=\"");
		markup_string(out, u->reason);
		buf_append_str(out, "\"/></testcase>\n  </testsuite>\n");
	}
	buf_append_str(out, "</testsuites>\n");
	map_free(unread);
}

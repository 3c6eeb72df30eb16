#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/audit/audit.h"
#include "common/report.h"

/* The table for people: findings by file, what to do by rule, sums. */

#define KEY_WIDTH_MAX 48

static bool
human_tells(const struct audit_finding *f)
{
	return !f->suppressed && !f->known;
}

static void
human_line(const struct audit_report *r, const struct audit_finding *f, size_t width,
    struct buf *out)
{
	static const char letters[] = { 'n', 'w', 'E' };
	static const char *const colors[] = { "\033[36m", "\033[33m", "\033[31m" };
	struct audit_place p;
	char place[32];
	size_t start, next;

	snprintf(place, sizeof(place), "%zu:%zu", f->line, f->column);
	buf_append_str(out, "  ");
	buf_append_str(out, report_has_color() ? colors[f->level] : "");
	buf_append_char(out, letters[f->level]);
	buf_append_str(out, report_has_color() ? "\033[m " : " ");
	start = out->len;
	buf_append_str(out, place);
	report_pad(out, start, 10);
	start = out->len;
	buf_append_str(out, audit_rule_text(f->rule)->id);
	report_pad(out, start, 26);
	start = out->len;
	text_append_visible(out, f->key, f->key_len);
	report_pad(out, start, width);
	next = 0;
	if ((f->rule == AUDIT_REUSED || f->rule == AUDIT_SEALED_AND_CLEAR) &&
	    audit_related(r->audit, f, &next, &p)) {
		buf_append_str(out, f->rule == AUDIT_REUSED ? "  also " : "  sealed in ");
		text_append_visible(out, p.file, strlen(p.file));
		buf_printf(out, ":%zu", p.line);
	}
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		buf_truncate(out, out->len - 1);
	buf_append_char(out, '\n');
}

/* Of one rule there are not more: those of forms, of origins, and of cases of its own. */
#define HINTS_MAX 32

/* What to do about each kind that was found, once. */
static void
human_hints(const struct audit_report *r, struct buf *out)
{
	const char *told[HINTS_MAX], *last = NULL, *hint;
	const struct audit_finding *f;
	size_t n, k;

	for (size_t rule = 0; rule < AUDIT_RULES; rule++) {
		n = 0;
		for (size_t i = 0; i < audit_finding_count(r->audit); i++) {
			f = audit_finding(r->audit, i);
			if (f->rule != rule || !human_tells(f))
				continue;
			hint = audit_hint(f);
			for (k = 0; k < n && told[k] != hint; k++)
				;
			if (k < n || n == HINTS_MAX)
				continue;
			told[n++] = hint;
			if (hint == last)
				continue;
			last = hint;
			buf_printf(out, "  %s: %s\n    hint: %s\n", audit_rule_text(f->rule)->id,
			    audit_message(f), hint);
		}
	}
}

static void
human_sum(struct buf *out, size_t n, const char *one, bool *first)
{
	if (n == 0)
		return;
	buf_printf(out, "%s%zu %s%s", *first ? "" : ", ", n, one, n == 1 ? "" : "s");
	*first = false;
}

static void
human_unread(const struct audit_report *r, const char *what, size_t n,
    const struct audit_unread *(*at)(const struct audit *, size_t), struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s: ", what);
		text_append_visible(out, at(r->audit, i)->file, strlen(at(r->audit, i)->file));
		buf_append_str(out, ": ");
		text_append_visible(out, at(r->audit, i)->reason,
		    strlen(at(r->audit, i)->reason));
		buf_append_char(out, '\n');
	}
}

static void
human_sums(const struct audit_report *r, struct buf *out)
{
	const struct audit_counts *c = &r->counts;
	size_t skipped = 0;
	bool first = true;

	for (size_t i = 0; i < AUDIT_SKIPS; i++)
		skipped += c->skipped[i];
	human_sum(out, c->failing[AUDIT_ERROR], "error", &first);
	human_sum(out, c->failing[AUDIT_WARNING], "warning", &first);
	human_sum(out, c->failing[AUDIT_NOTE], "note", &first);
	if (first)
		buf_append_str(out, "nothing found");
	buf_printf(out, " in %zu of %zu file%s", c->read, c->seen, c->seen == 1 ? "" : "s");
	if (c->suppressed > 0)
		buf_printf(out, "; %zu suppressed", c->suppressed);
	if (c->fresh + c->suppressed < audit_finding_count(r->audit))
		buf_printf(out, "; %zu known from the baseline",
		    audit_finding_count(r->audit) - c->fresh - c->suppressed);
	if (skipped > 0)
		buf_printf(out, "; %zu passed over", skipped);
	buf_append_char(out, '\n');
	human_unread(r, "not read", audit_unread_count(r->audit), audit_unread, out);
	human_unread(r, "not checked", audit_locked_count(r->audit), audit_locked, out);
}

void
audit_report_human(struct audit_report *r, struct buf *out)
{
	size_t count = audit_finding_count(r->audit), end, width;
	bool some = false;

	for (size_t i = 0; i < count; i = end) {
		const struct audit_finding *f = audit_finding(r->audit, i);
		bool named = false;

		width = 0;
		for (end = i; end < count && audit_finding(r->audit, end)->file == f->file; end++) {
			size_t n = audit_finding(r->audit, end)->key_len;

			n = n > KEY_WIDTH_MAX ? KEY_WIDTH_MAX : n;
			width = n > width ? n : width;
		}
		for (size_t k = i; k < end; k++) {
			if (!human_tells(audit_finding(r->audit, k)))
				continue;
			if (!named) {
				const char *file = audit_file(r->audit, f->file);

				text_append_visible(out, file, strlen(file));
				buf_append_char(out, '\n');
			}
			named = some = true;
			human_line(r, audit_finding(r->audit, k), width, out);
		}
		audit_report_flush(r, out);
	}
	if (some) {
		buf_append_char(out, '\n');
		human_hints(r, out);
		buf_append_char(out, '\n');
	}
	if (some || !r->quiet || audit_unread_count(r->audit) > 0)
		human_sums(r, out);
}

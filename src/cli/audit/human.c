#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/audit/audit.h"
#include "common/report.h"

/* The table for people: findings by file, what to do by rule, sums. */

#define KEY_WIDTH_MAX 48
#define NEXT_STEPS 3

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

/* "2 errors, 1 note"; false: nothing. */
static bool
human_levels(const size_t levels[AUDIT_LEVELS], struct buf *out)
{
	bool some = false;

	for (size_t l = AUDIT_LEVELS; l-- > 0;) {
		if (levels[l] == 0)
			continue;
		buf_printf(out, "%s%zu %s%s", some ? ", " : "", levels[l],
		    audit_level_name((enum audit_level)l), levels[l] == 1 ? "" : "s");
		some = true;
	}
	return some;
}

/* The sums of each environment, where there are some. */
static void
human_environments(const struct audit_report *r, struct buf *out)
{
	struct audit_environment_levels *e;
	struct vec all;

	audit_report_environments(r, false, &all);
	for (size_t i = 0; i < all.len; i++) {
		e = vec_at(&all, i);
		if (e->name == NULL)
			continue;
		buf_append_str(out, "environment ");
		text_append_visible(out, e->name, strlen(e->name));
		buf_append_str(out, ": ");
		if (!human_levels(e->levels, out))
			buf_append_str(out, "nothing");
		buf_append_char(out, '\n');
	}
	vec_release(&all);
}

/* What to do about one kind of findings. */
struct human_step {
	enum audit_rule rule;
	const char *message, *hint;
	size_t levels[AUDIT_LEVELS];
	size_t at;		/* of the first one that has it */
};

#define STEPS_MAX 1024

/* The worst first: of what has errors, that with the most of them; then warnings, then notes. */
static int
by_weight(const void *x, const void *y)
{
	const struct human_step *a = x, *b = y;

	for (size_t l = AUDIT_LEVELS; l-- > 0;)
		if (a->levels[l] != b->levels[l])
			return a->levels[l] > b->levels[l] ? -1 : 1;
	return a->at < b->at ? -1 : 1;
}

static struct human_step *
human_step(struct vec *steps, const struct audit_finding *f, size_t at)
{
	const char *hint = audit_hint(f);
	struct human_step *s;

	for (size_t i = 0; i < steps->len; i++) {
		s = vec_at(steps, i);
		if (s->rule == f->rule && s->hint == hint)
			return s;
	}
	if ((s = vec_push(steps)) != NULL)
		*s = (struct human_step){ .rule = f->rule, .message = audit_message(f),
			.hint = hint, .at = at };
	return s;
}

/* What to do about each kind that was found, once: three steps that come next, and the others. */
static void
human_steps(const struct audit_report *r, struct buf *out)
{
	const struct audit_finding *f;
	struct human_step *s;
	struct vec steps;

	vec_init(&steps, sizeof(struct human_step), STEPS_MAX);
	for (size_t i = 0; i < audit_finding_count(r->audit); i++) {
		f = audit_finding(r->audit, i);
		if (human_tells(f) && (s = human_step(&steps, f, i)) != NULL)
			s->levels[f->level]++;
	}
	if (steps.len > 0)
		qsort(steps.items, steps.len, sizeof(*s), by_weight);
	for (size_t i = 0; i < steps.len; i++) {
		s = vec_at(&steps, i);
		if (i == 0 || i == NEXT_STEPS)
			buf_append_str(out, i == 0 ? "\nnext:\n" : "\nand then:\n");
		buf_printf(out, "  %s: %s (", audit_rule_text(s->rule)->id, s->message);
		human_levels(s->levels, out);
		buf_printf(out, ")\n    hint: %s\n", s->hint);
	}
	vec_release(&steps);
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

	for (size_t i = 0; i < AUDIT_SKIPS; i++)
		skipped += c->skipped[i];
	if (!human_levels(c->failing, out))
		buf_append_str(out, "nothing found");
	buf_printf(out, "; %zu of %zu file%s read", c->read, c->seen, c->seen == 1 ? "" : "s");
	if (c->suppressed > 0)
		buf_printf(out, "; %zu suppressed", c->suppressed);
	if (audit_report_known(r) > 0)
		buf_printf(out, "; %zu known from the baseline", audit_report_known(r));
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
		size_t levels[AUDIT_LEVELS] = { 0 };
		bool named = false;

		width = 0;
		for (end = i; end < count && audit_finding(r->audit, end)->file == f->file; end++) {
			size_t n = audit_finding(r->audit, end)->key_len;

			levels[audit_finding(r->audit, end)->level] +=
			    human_tells(audit_finding(r->audit, end));
			n = n > KEY_WIDTH_MAX ? KEY_WIDTH_MAX : n;
			width = n > width ? n : width;
		}
		for (size_t k = i; k < end; k++) {
			if (!human_tells(audit_finding(r->audit, k)))
				continue;
			if (!named) {
				const char *file = audit_file(r->audit, f->file);

				text_append_visible(out, file, strlen(file));
				buf_append_str(out, ": ");
				human_levels(levels, out);
				buf_append_char(out, '\n');
			}
			named = some = true;
			human_line(r, audit_finding(r->audit, k), width, out);
		}
		audit_report_flush(r, out);
	}
	if (some) {
		human_steps(r, out);
		buf_append_char(out, '\n');
		human_environments(r, out);
	}
	if (some || !r->quiet || audit_unread_count(r->audit) > 0)
		human_sums(r, out);
}

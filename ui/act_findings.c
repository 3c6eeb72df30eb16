#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "estate/estate.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/findings.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/options.h"

#define PATH_MAX_BYTES 4096
#define REASON_MAX 1024
#define REPORT_NAME "propseal-audit.sarif"

/* What the keys do in the view of the findings. */

static const struct findings_row *
selected(const struct app *a)
{
	const struct findings_row *row;

	(void)findings_selected(a->findings, &row);
	return row;
}

/* --- the list --- */

void
act_findings_open(struct app *a)
{
	const struct findings_row *row = selected(a);
	const struct estate_file *file;
	const struct estate_entry *e;

	if (row == NULL) {
		act_turn_fold(a);
		return;
	}
	if (row->finding == NULL) {
		app_complain(a, "%s: %s", row->unread->file, row->unread->reason);
		return;
	}
	if (!findings_find(a->findings, a->model->estate, row->finding, &file, &e)) {
		app_complain(a, "%s:%zu is no file that is edited here: %s",
		    audit_file(a->findings->audit, row->finding->file), row->finding->line,
		    audit_hint(row->finding));
		return;
	}
	/* The place of a whole file is its own row; an entry may not be kept. */
	files_show(a, file->path, e != NULL ? e->key : row->finding->key,
	    e != NULL ? e->key_len : row->finding->key_len);
	app_show(a, VIEW_FILES);
}

static void
arrange(struct app *a)
{
	outline_hold(&a->findings->panes.left);
	findings_changed(a);
}

void
act_findings_group(struct app *a)
{
	struct findings *f = a->findings;

	f->grouping = (f->grouping + 1) % FINDINGS_GROUPINGS;
	arrange(a);
}

void
act_findings_sort(struct app *a)
{
	struct findings *f = a->findings;

	f->order = (f->order + 1) % FINDINGS_ORDERS;
	arrange(a);
	app_notice(a, "sorted %s", findings_order_name(f->order));
}

/* The findings are as they were: only the rows are others. */
static void
set_filter(struct app *a, unsigned int filter)
{
	struct outline *o = &a->findings->panes.left;

	outline_hold(o);
	o->filter = filter;
	view_build(a, o);
}

void
act_findings_filter(struct app *a)
{
	set_filter(a, (a->findings->panes.left.filter + 1) % FINDINGS_FILTERS);
}

void
act_findings_cancel(struct app *a)
{
	struct panes *p = &a->findings->panes;
	size_t seen;

	if (findings_progress(a, &seen))
		findings_cancel(a);
	else if (p->right_active)
		p->right_active = false;
	else if (act_forget_words(a))
		return;
	else if (p->left.filter != FINDINGS_OPEN)
		set_filter(a, FINDINGS_OPEN);
	else
		app_show(a, VIEW_FILES);
}

/* --- fixes --- */

/* Mark what a finding is about, or not; false when it cannot be sealed here. */
static bool
mark_row(struct app *a, const struct findings_row *row, bool on)
{
	const struct estate_file *file;
	const struct estate_entry *e;

	if (!findings_fix(a, row, &file, &e))
		return false;
	if (model_mark(a->model, file, e, on) == -1)
		app_complain(a, "not enough memory");
	return true;
}

/* All of a group that the filter shows: the first time all of it, the next time nothing. */
static void
mark_group(struct app *a, size_t group)
{
	const struct findings *f = a->findings;
	const struct findings_group *g = findings_group(f, group);
	size_t before = marks_count(a->model->marks), can = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < g->count; i++) {
			const struct findings_row *row = findings_row(f, g->first + i);

			if (outline_passes(&f->panes.left, group, i))
				can += mark_row(a, row, pass == 0);
		}
		if (pass == 0 && marks_count(a->model->marks) > before)
			break;
	}
	if (can == 0)
		app_complain(a, "nothing here can be sealed by propseal; each finding says what "
		    "to do");
}

void
act_findings_mark(struct app *a)
{
	const struct findings_row *row;
	const struct findings_group *g = findings_selected(a->findings, &row);

	if (g == NULL)
		return;
	if (row == NULL)
		mark_group(a, outline_at(&a->findings->panes.left)->group);
	else if (row->finding == NULL)
		app_complain(a, "no fix by propseal: %s", row->unread->reason);
	else if (!mark_row(a, row, !findings_is_marked(a, row)))
		app_complain(a, "no fix by propseal: %s", audit_hint(row->finding));
	else
		act_down(a);
}

void
act_findings_mark_all(struct app *a)
{
	const struct findings *f = a->findings;
	size_t before = marks_count(a->model->marks);

	for (size_t g = 0; g < f->groups.len; g++)
		for (size_t i = 0; i < findings_group(f, g)->count; i++)
			if (outline_passes(&f->panes.left, g, i))
				(void)mark_row(a, findings_row(f, findings_group(f, g)->first + i),
				    true);
	app_notice(a, "%zu marked more", marks_count(a->model->marks) - before);
}

const char *
act_findings_needs_fixable(const struct app *a)
{
	return a->findings->fixable == 0 ? "nothing here can be sealed by propseal" : NULL;
}

const char *
act_findings_needs_any(const struct app *a)
{
	return outline_at(&a->findings->panes.left) == NULL ? "there is no finding" : NULL;
}

/* --- ignoring, and reports --- */

const char *
act_findings_needs_one(const struct app *a)
{
	const struct findings_row *row = selected(a);

	if (row == NULL || row->finding == NULL)
		return "select a finding first";
	return findings_counts(row->finding) ? NULL : row->finding->known ?
	    "the baseline has it already" : "a line in the file says so already";
}

/* Without a baseline the interface writes nothing: it says which line does it. */
static void
tell_line(struct app *a, const struct findings_row *row)
{
	const struct audit_finding *f = row->finding;
	struct buf text;

	buf_init(&text, 4096);
	buf_printf(&text, "No baseline was named: start with --baseline FILE, and what is ignored "
	    "is kept there with its reason.\n\nOr write this line above line %zu of %s:\n\n"
	    "    # propseal:ignore %s REASON\n", f->line,
	    audit_file(a->findings->audit, f->file), audit_rule_text(f->rule)->id);
	tell_message(a, "Ignore a finding", buf_cstr(&text));
	buf_release(&text);
}

void
act_findings_ignore(struct app *a)
{
	const struct findings_source *source = a->options->findings;
	const struct findings_row *row = selected(a);
	const struct audit_finding *f = row->finding;
	struct buf reason, text, notes;
	struct error err;

	if (source == NULL || source->baseline == NULL) {
		tell_line(a, row);
		return;
	}
	buf_init(&reason, REASON_MAX);
	buf_init(&text, 4096);
	buf_init(&notes, BUF_MAX_FILE);
	buf_printf(&text, "%s in %s, line %zu, goes to the baseline %s and does not count any "
	    "more. Others will read why.", audit_rule_text(f->rule)->id,
	    audit_file(a->findings->audit, f->file), f->line, source->baseline);
	if (ask_text(a, "Ignore a finding", buf_cstr(&text), "Reason:", &reason)) {
		if (text_is_blank(reason.data, reason.len))
			app_complain(a, "nothing was ignored: it needs a reason");
		else if (source->ignore(source->cookie, a->findings->audit, f, buf_cstr(&reason),
		    &notes, &err) != 0 ||
		    source->know(source->cookie, a->findings->audit, &err) != 0)
			tell_error(a, "The baseline could not be written", &err);
		else
			app_notice(a, "ignored; %s has it", source->baseline);
		app_complain_lines(a, &notes);
		arrange(a);
	}
	buf_release(&notes);
	buf_release(&text);
	buf_release(&reason);
}

const char *
act_findings_needs_audit(const struct app *a)
{
	if (a->options->findings == NULL)
		return "this program writes no reports";
	return a->findings->is_whole ? NULL : "not all files were looked at yet";
}

/* Of each finding of the audit: is it shown? */
struct shown {
	const struct audit *audit;
	bool *is;
};

static bool
is_shown(const void *cookie, const struct audit_finding *f)
{
	const struct shown *s = cookie;

	return s->is[f - audit_finding(s->audit, 0)];
}

/* What the list shows, folded or not, as an audit of its own. */
static struct audit *
shown_part(const struct findings *f, struct error *err)
{
	struct shown s = { .audit = f->audit };
	struct audit *part;

	s.is = calloc(audit_finding_count(f->audit) + 1, sizeof(*s.is));
	if (s.is == NULL) {
		error_memory(err);
		return NULL;
	}
	for (size_t g = 0; g < f->groups.len; g++)
		for (size_t i = 0; i < findings_group(f, g)->count; i++) {
			const struct findings_row *r = findings_row(f,
			    findings_group(f, g)->first + i);

			if (r->finding != NULL)
				s.is[r->finding - audit_finding(f->audit, 0)] =
				    outline_passes(&f->panes.left, g, i);
		}
	part = audit_part(f->audit, is_shown, &s, err);
	free(s.is);
	return part;
}

void
act_findings_export(struct app *a)
{
	const struct findings_source *source = a->options->findings;
	struct audit *part = NULL;
	struct buf path, notes;
	struct error err;

	buf_init(&notes, BUF_MAX_FILE);
	buf_init(&path, PATH_MAX_BYTES);
	buf_append_str(&path, REPORT_NAME);
	if (ask_text(a, "Write a report", "The findings that are shown, without any value, to a "
	    "new file that only you can read. Its ending says the form: " FINDINGS_ENDINGS ".",
	    "File:", &path) && path.len > 0) {
		part = shown_part(a->findings, &err);
		if (part == NULL || source->write(source->cookie, part, buf_cstr(&path), &notes,
		    &err) != 0)
			tell_error(a, "The report could not be written", &err);
		else
			app_notice(a, "wrote %zu of %zu findings to %s", audit_finding_count(part),
			    audit_finding_count(a->findings->audit), buf_cstr(&path));
		app_complain_lines(a, &notes);
	}
	buf_release(&notes);
	audit_free(part);
	buf_release(&path);
}

/* --- commands that mend what propseal does not --- */

const char *
act_findings_needs_command(const struct app *a)
{
	const struct findings_row *row = selected(a);

	return row != NULL && row->finding != NULL && row->finding->command != NULL ? NULL :
	    "only of a file's mode there is a command to copy";
}

/* Is it as it looks?  What is pasted is typed: a ^C in a name ends the line that it is in, and
 * the rest of the name is the next command. */
static bool
is_plain_path(const struct buf *path)
{
	struct buf shown;
	bool same;

	buf_init(&shown, 8 * PATH_MAX_BYTES);
	text_append_visible(&shown, path->data, path->len);
	same = !shown.failed && buf_equal(&shown, path);
	buf_release(&shown);
	return same;
}

void
act_findings_copy(struct app *a)
{
	const struct findings *f = a->findings;
	const struct findings_row *row = selected(a);
	const struct estate_file *file;
	const struct estate_entry *e;
	struct buf command, path;
	struct error err;
	const char *root;
	size_t strip;

	buf_init(&command, PATH_MAX_BYTES * 5);
	buf_init(&path, PATH_MAX_BYTES);
	root = audit_root(f->options.roots, f->options.root_count, &strip);
	if (findings_find(f, a->model->estate, row->finding, &file, &e))
		buf_append_str(&path, file->path);
	else
		buf_printf(&path, "%s%s%s", strip > 0 ? root : "", strip > 0 ? "/" : "",
		    audit_file(f->audit, row->finding->file));
	buf_printf(&command, "%s ", row->finding->command);
	text_append_word(&command, buf_cstr(&path));
	if (!path.failed && !is_plain_path(&path))
		app_complain(a, "not copied: the name has characters that a terminal would take "
		    "for keys: %s", buf_cstr(&path));
	else if (buf_check(&path, &err) != 0 || buf_check(&command, &err) != 0 ||
	    clipboard_copy_plain(&a->clipboard, command.data, command.len, &err) == -1)
		app_complain(a, "not copied: %s", err.text);
	else
		app_notice(a, "copied: %s", buf_cstr(&command));
	buf_release(&path);
	buf_release(&command);
}

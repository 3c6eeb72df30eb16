#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/files.h"
#include "ui/findings.h"
#include "ui/frame.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/tree.h"
#include "ui/view.h"

/* The view of what an audit found: groups with their findings, and what is to be
 * said of the one that is selected. */

#define TWO_PANES 100	/* narrower, the list has the whole width */
#define WORDS 60	/* a narrower list has letters and names only */
#define NARROW 34	/* and one like that no place */
#define GAP 1
#define NAME_BYTES 65536
#define RELATED_MAX 8	/* a secret that stands in more places is told with these */

static unsigned int
level_style(enum audit_level l)
{
	return l == AUDIT_ERROR ? STYLE_CLEAR : l == AUDIT_WARNING ? STYLE_DANGLING : STYLE_OTHER;
}

static const char *
filter_name(unsigned int filter)
{
	static const char *const names[FINDINGS_FILTERS] = { "all that counts", "errors",
		"what can be sealed here", "everything" };

	return names[filter];
}

static const char *
grouping_name(const struct findings *f)
{
	static const char *const names[FINDINGS_GROUPINGS] = { "by environment", "by rule",
		"by file" };

	return names[f->grouping];
}

/* --- the list --- */

/* The environment of this name, in the list of the files; NULL: it is not there. */
static const struct tree_root *
root_named(const struct app *a, const char *name)
{
	const struct tree *t = &a->model->tree;

	for (size_t i = 0; i < t->roots.len; i++)
		if (tree_root(t, i)->environment != NULL &&
		    strcmp(tree_root(t, i)->name, name) == 0)
			return tree_root(t, i);
	return NULL;
}

static void
group_draw(struct app *a, const struct findings_group *g, bool folded, const struct rect *l,
    unsigned int extra)
{
	const struct findings *f = a->findings;
	const struct tree_root *root = g->kind == FINDINGS_GROUP &&
	    f->grouping == FINDINGS_BY_ENVIRONMENT ? root_named(a, g->name) : NULL;
	const size_t locked = root != NULL ? root->tally.unchecked : 0;
	char levels[64], note[96] = "";
	int x = l->x, end = l->x + l->w - 1;

	findings_print_levels(g->levels, levels, sizeof(levels));
	if (g->kind == FINDINGS_UNREAD)
		snprintf(levels, sizeof(levels), "%zu %s", g->count,
		    g->count == 1 ? "file" : "files");
	if (locked > 0)
		snprintf(note, sizeof(note), "not checked: %zu (locked)", locked);
	else if (g->fixable > 0)
		snprintf(note, sizeof(note), "fixable %zu", g->fixable);
	canvas_text(l->y, x, 1, STYLE_FILE | extra,
	    canvas_glyph(folded ? GLYPH_FOLDED : GLYPH_OPEN));
	x += 2;
	if (note[0] != '\0' && l->w >= WORDS)
		end -= canvas_right(l->y, x, end - x,
		    (locked > 0 ? STYLE_DANGLING : STYLE_NOTE) | extra, note) + 2;
	if (f->grouping == FINDINGS_BY_RULE && g->kind == FINDINGS_GROUP) {
		enum audit_level level = audit_rule_text(findings_row(f, g->first)->finding->rule)
		    ->level;

		x += 1 + canvas_text(l->y, x, 1, level_style(level) | extra,
		    findings_letter(level));
	}
	/* The name gives way, not the counts. */
	x += canvas_tail(l->y, x, end - x - (int)strlen(levels) - 2, STYLE_FILE | extra,
	    g->name) + 2;
	if (x < end)
		canvas_text(l->y, x, end - x, (g->levels[AUDIT_ERROR] > 0 ? STYLE_CLEAR :
		    STYLE_NOTE) | extra, levels);
}

/* What stands in the columns of a row: it depends on what the group says already. */
struct columns {
	const char *first;	/* the rule, or the environment */
	struct buf place;
	char line[24];		/* behind the place */
	struct buf key;
};

static void
columns_make(const struct findings *f, const struct findings_row *r, struct columns *c)
{
	const struct audit_finding *a = r->finding;
	const char *file = audit_file(f->audit, a->file);

	buf_init(&c->place, NAME_BYTES);
	buf_init(&c->key, NAME_BYTES);
	c->first = audit_rule_text(a->rule)->id;
	if (f->grouping == FINDINGS_BY_RULE) {
		c->first = findings_environment(f, a);
		c->first = c->first != NULL ? c->first : "no environment";
	}
	buf_append_str(&c->place, f->grouping == FINDINGS_BY_FILE ? "line" :
	    f->grouping == FINDINGS_BY_RULE ? file : file_basename(file));
	snprintf(c->line, sizeof(c->line), "%s%zu",
	    f->grouping == FINDINGS_BY_FILE ? " " : ":", a->line);
	name_append_short(a->key, a->key_len, &c->key);
	/* Of a file as a whole: in a few words what is wrong. */
	if (a->key_len == 0)
		buf_append_str(&c->key, audit_rule_text(a->rule)->name);
}

/* The place in ${w} columns: what is too long is cut in the middle, and never in the line. */
static void
columns_draw_place(const struct columns *c, int y, int x, int w, unsigned int style)
{
	int line = (int)strlen(c->line);

	if (w > line)
		x += name_draw(y, x, w - line, style, &c->place, NULL);
	canvas_text(y, x, line, style, c->line);
}

static void
columns_release(struct columns *c)
{
	buf_release(&c->key);
	buf_release(&c->place);
}

/* Why a finding that is shown does not count: "" it does. */
static const char *
row_note(const struct app *a, const struct findings_row *r)
{
	if (r->finding->suppressed)
		return "ignored";
	if (r->finding->known)
		return "known";
	return findings_is_marked(a, r) ? "*" : "";
}

static void
finding_draw(struct app *a, const struct findings_row *r, const struct rect *l,
    unsigned int extra)
{
	const struct findings *f = a->findings;
	const char *note = row_note(a, r);
	unsigned int style = findings_counts(r->finding) ? STYLE_TEXT : STYLE_NOTE;
	int x = l->x + (l->w < NARROW ? 1 : 4), end = l->x + l->w - 1;
	struct columns c;
	int w, first, place;

	columns_make(f, r, &c);
	if (note[0] != '\0')
		end -= canvas_right(l->y, x, end - x, (note[0] == '*' ? STYLE_MARK : STYLE_NOTE) |
		    extra, note) + GAP;
	x += canvas_text(l->y, x, 1, level_style(r->finding->level) | extra,
	    findings_letter(r->finding->level)) + GAP;
	w = end - x;
	if (l->w >= WORDS) {
		first = f->grouping == FINDINGS_BY_RULE ? w / 5 : w >= 66 ? 23 : 18;
		place = f->grouping == FINDINGS_BY_RULE ? w * 2 / 5 :
		    f->grouping == FINDINGS_BY_FILE ? 10 : (w - first) / 2;
		canvas_text(l->y, x, first, style | extra, c.first);
		x += first + GAP;
		columns_draw_place(&c, l->y, x, place, style | extra);
		x += place + GAP;
	} else if (l->w >= NARROW) {
		place = w * 2 / 5;
		columns_draw_place(&c, l->y, x, place, style | extra);
		x += place + GAP;
	}
	if (x < end)
		name_draw(l->y, x, end - x, style | extra, &c.key, NULL);
	columns_release(&c);
}

static void
unread_draw(const struct findings_row *r, const struct rect *l, unsigned int extra)
{
	int x = l->x + (l->w < NARROW ? 1 : 4), end = l->x + l->w - 1;
	int half = l->w >= NARROW ? (end - x) / 2 : end - x;

	canvas_text(l->y, x, 1, STYLE_DAMAGED | extra, "X");
	canvas_tail(l->y, x + 2, half - 2, STYLE_TEXT | extra, r->unread->file);
	if (l->w >= NARROW)
		canvas_text(l->y, x + half + 1, end - x - half - 1, STYLE_TEXT | extra,
		    r->unread->reason);
}

static void
findings_draw_row(struct app *a, size_t i, const struct rect *line, unsigned int extra)
{
	const struct findings *f = a->findings;
	const struct outline *o = &f->panes.left;
	const struct outline_row *at = outline_row(o, i);
	const struct findings_group *g = findings_group(f, at->group);
	const struct findings_row *r;

	if (at->item == OUTLINE_HEAD) {
		group_draw(a, g, outline_folded(o, at->group), line, extra);
		return;
	}
	r = findings_row(f, g->first + at->item);
	if (r->finding != NULL)
		finding_draw(a, r, line, extra);
	else
		unread_draw(r, line, extra);
}

static void
count_append(struct buf *out, size_t n, const char *one)
{
	buf_printf(out, "%s%zu %s%s", out->len > 0 ? "  " : "", n, one, n == 1 ? "" : "s");
}

static void
findings_draw_head(struct app *a, const struct rect *r, bool active)
{
	const struct findings *f = a->findings;
	const size_t *levels = f->counts.failing;
	struct buf text;
	int used;

	if (r->h == 0)
		return;
	buf_init(&text, 1024);
	if (f->audit == NULL) {
		buf_append_str(&text, "not looked yet");
	} else {
		count_append(&text, levels[AUDIT_ERROR], "error");
		count_append(&text, levels[AUDIT_WARNING], "warning");
		count_append(&text, levels[AUDIT_NOTE], "note");
	}
	used = 2 + canvas_text(r->y, r->x + 1, r->w - 2, active ? STYLE_HEAD : STYLE_NOTE,
	    buf_cstr(&text));
	if (f->panes.left.words.count > 0)
		used += frame_draw_chips(&f->panes.left, "", &(struct rect){ r->y, r->x + used, 1,
		    r->w - used });
	buf_clear(&text);
	if (f->panes.left.filter != FINDINGS_OPEN)
		buf_printf(&text, "%s %s ", filter_name(f->panes.left.filter),
		    canvas_glyph(GLYPH_DOT));
	buf_append_str(&text, grouping_name(f));
	if (f->order != FINDINGS_WORST)
		buf_printf(&text, ", %s", findings_order_name(f->order));
	if (f->audit != NULL && audit_unread_count(f->audit) > 0)
		buf_printf(&text, " %s %zu unread", canvas_glyph(GLYPH_DOT),
		    audit_unread_count(f->audit));
	canvas_right(r->y, r->x + used + 1, r->w - used - 2, STYLE_MARK, buf_cstr(&text));
	buf_release(&text);
}

/* "No findings" is only said of what was looked at. */
static void
findings_draw_empty(struct app *a, const struct rect *r)
{
	const struct findings *f = a->findings;
	struct rect room = { r->y, r->x + 1, r->h, r->w - 2 };
	size_t unchecked = a->model->tree.tally.unchecked;
	size_t seen;
	char text[320];
	int y;

	if (!f->is_whole) {
		canvas_wrapped(&room, r->y, STYLE_NOTE, !a->model->looked ? "looking for files" :
		    findings_progress(a, &seen) ? "looking" : "nothing so far");
		return;
	}
	if (f->panes.left.words.count > 0) {
		canvas_wrapped(&room, r->y, STYLE_NOTE,
		    "Nothing passes the filter words. Esc takes them away; marks stay.");
		return;
	}
	if (f->panes.left.filter != FINDINGS_OPEN) {
		snprintf(text, sizeof(text), "Nothing of this kind (%s). Esc shows all that "
		    "counts.", filter_name(f->panes.left.filter));
		canvas_wrapped(&room, r->y, STYLE_NOTE, text);
		return;
	}
	snprintf(text, sizeof(text), "No findings. %zu %s read, %zu %s opened.", f->counts.read,
	    f->counts.read == 1 ? "file" : "files", a->model->tree.tally.sealed - unchecked,
	    a->model->tree.tally.sealed - unchecked == 1 ? "value" : "values");
	y = canvas_wrapped(&room, r->y, STYLE_TEXT, text);
	if (unchecked > 0) {
		snprintf(text, sizeof(text), "%zu sealed %s not checked: locked. %s unlocks.",
		    unchecked, unchecked == 1 ? "value was" : "values were", KEY(ACTION_UNLOCK));
		y = canvas_wrapped(&room, y, STYLE_DANGLING, text);
	}
	if (f->counts.suppressed > 0 || f->counts.levels[AUDIT_ERROR] +
	    f->counts.levels[AUDIT_WARNING] + f->counts.levels[AUDIT_NOTE] > 0) {
		snprintf(text, sizeof(text), "Some are ignored or known: %s shows everything.",
		    KEY(ACTION_FILTER));
		canvas_wrapped(&room, y, STYLE_NOTE, text);
	}
}

static void
findings_draw_left(struct app *a)
{
	static const struct frame_rows rows = { .draw = findings_draw_row };
	struct panes *p = &a->findings->panes;

	findings_draw_head(a, &a->layout.left_head, !p->right_active);
	if (p->left.rows.len == 0)
		findings_draw_empty(a, &a->layout.left);
	frame_draw_rows(a, &p->left, &a->layout.left, !p->right_active, &rows);
}

/* --- what is said of one --- */

static void
say_fix(struct app *a, const struct findings_row *r, struct buf *out)
{
	const struct estate_file *file;
	const struct estate_entry *e;
	struct destination to;
	struct error err;

	if (!findings_fix(a, r, &file, &e)) {
		buf_append_str(out, audit_hint(r->finding));
		return;
	}
	if (findings_is_marked(a, r)) {
		buf_printf(out, "Marked to be sealed: %s applies, %s takes the mark away.",
		    KEY(ACTION_APPLY), KEY(ACTION_MARK));
	} else {
		buf_printf(out, "%s marks it to be sealed", KEY(ACTION_MARK));
		if (!a->model->scanning && estate_destination(a->model->estate, file, &to, &err) ==
		    0 && to.kind == DESTINATION_KNOWN)
			buf_printf(out, ", in %s", model_show_path(a->model, to.environment->path));
		buf_append_str(out, ".");
	}
	buf_append_str(out, " Then change it at its source: who read the file still knows it.");
}

/* A part of the text of the right pane, broken to lines of ${w} columns. */
static void
lines_add(struct findings *f, const char *text, bool is_head, int indent, int w)
{
	size_t from = f->text.len;
	struct findings_line *l;
	struct wrap lines;

	buf_append_str(&f->text, text);
	if (f->text.failed)
		return;
	wrap_init(&lines, (const char *)f->text.data + from, f->text.len - from, w - indent);
	do {
		if (!wrap_next(&lines))
			lines = (struct wrap){ .line = (const char *)f->text.data + from };
		if ((l = vec_push(&f->lines)) == NULL)
			return;
		l->at = (size_t)(lines.line - (const char *)f->text.data);
		l->len = lines.len;
		l->indent = indent + lines.indent;
		l->is_head = is_head;
	} while (lines.n > 0);
}

static void
lines_add_related(struct findings *f, const struct audit_finding *a, int w)
{
	struct audit_place other;
	size_t next = 0, count = 0;
	struct buf text;

	while (audit_related(f->audit, a, &next, &other)) {
		if (count++ == RELATED_MAX) {
			lines_add(f, "and more", false, 2, w);
			return;
		}
		if (count == 1) {
			lines_add(f, "", false, 0, w);
			lines_add(f, "Related", true, 0, w);
		}
		buf_init(&text, NAME_BYTES);
		buf_printf(&text, "%s:%zu  ", other.file, other.line);
		text_append_visible(&text, other.key, other.key_len);
		buf_printf(&text, ": %s", other.why);
		lines_add(f, buf_cstr(&text), false, 2, w);
		buf_release(&text);
	}
}

static void
lines_make_finding(struct app *a, const struct findings_row *r, int w)
{
	struct findings *f = a->findings;
	const struct audit_finding *x = r->finding;
	const struct audit_rule_text *rule = audit_rule_text(x->rule);
	struct buf text;

	buf_init(&text, NAME_BYTES);
	buf_printf(&text, "%s  %s", findings_letter(x->level), rule->name);
	lines_add(f, buf_cstr(&text), true, 0, w);
	buf_clear(&text);
	buf_printf(&text, "%s:%zu:%zu", audit_file(f->audit, x->file), x->line, x->column);
	lines_add(f, buf_cstr(&text), false, 0, w);
	buf_clear(&text);
	text_append_visible(&text, x->key, x->key_len);
	lines_add(f, buf_cstr(&text), false, 0, w);
	lines_add(f, "Why", true, 0, w);
	lines_add(f, rule->why, false, 2, w);
	lines_add(f, "Fix", true, 0, w);
	buf_clear(&text);
	say_fix(a, r, &text);
	lines_add(f, buf_cstr(&text), false, 2, w);
	lines_add_related(f, x, w);
	lines_add(f, "", false, 0, w);
	buf_clear(&text);
	buf_printf(&text, "Rule %s", rule->id);
	if (rule->cwe > 0)
		buf_printf(&text, ", CWE-%u", rule->cwe);
	lines_add(f, buf_cstr(&text), false, 0, w);
	buf_release(&text);
}

static void
lines_make_group(struct app *a, const struct findings_group *g, int w)
{
	struct findings *f = a->findings;
	char text[160];

	lines_add(f, g->name, true, 0, w);
	findings_print_levels(g->levels, text, sizeof(text));
	lines_add(f, text[0] != '\0' ? text : g->kind == FINDINGS_UNREAD ?
	    "These files could not be looked at: this audit is not complete." :
	    "Nothing here counts.", false, 0, w);
	if (f->grouping == FINDINGS_BY_RULE && g->kind == FINDINGS_GROUP)
		lines_add(f, audit_rule_text(findings_row(f, g->first)->finding->rule)->why,
		    false, 0, w);
	if (g->fixable == 0)
		return;
	snprintf(text, sizeof(text), "%zu can be sealed here: %s marks %s.", g->fixable,
	    KEY(ACTION_MARK), g->fixable == 1 ? "it" : "them");
	lines_add(f, text, false, 0, w);
}

/* All that there is to say, for a pane of ${w} columns. */
static void
lines_make(struct app *a, int w)
{
	struct findings *f = a->findings;
	const struct findings_row *r;
	const struct findings_group *g = findings_selected(f, &r);

	f->lines.len = 0;
	buf_clear(&f->text);
	if (g == NULL)
		return;
	if (r == NULL) {
		lines_make_group(a, g, w);
	} else if (r->finding != NULL) {
		lines_make_finding(a, r, w);
	} else {
		lines_add(f, "A file that was not read", true, 0, w);
		lines_add(f, r->unread->file, false, 0, w);
		lines_add(f, r->unread->reason, false, 0, w);
	}
}

static void
line_draw(struct app *a, size_t i, const struct rect *line, unsigned int extra)
{
	const struct findings *f = a->findings;
	const struct findings_line *l = vec_at(&f->lines, i);

	canvas_bytes(line->y, line->x + l->indent, line->w - l->indent,
	    (l->is_head ? STYLE_HEAD : STYLE_TEXT) | extra, (const char *)f->text.data + l->at,
	    l->len);
}

static void
findings_draw_right(struct app *a)
{
	static const struct frame_rows rows = { .draw = line_draw };
	struct panes *p = &a->findings->panes;
	const struct rect *r = &a->layout.right;
	const struct findings_row *row;
	const struct findings_group *g = findings_selected(a->findings, &row);

	if (a->layout.right_head.h > 0 && g != NULL)
		canvas_text(a->layout.right_head.y, a->layout.right_head.x + 1,
		    a->layout.right_head.w - 2, p->right_active ? STYLE_HEAD : STYLE_NOTE,
		    row == NULL ? "this group" : row->finding != NULL ?
		    audit_rule_text(row->finding->rule)->id : "not read");
	lines_make(a, r->w - 2);
	if (outline_build(&p->right) == -1)
		app_complain(a, "not enough memory");
	frame_draw_rows(a, &p->right, r, p->right_active, &rows);
}

/* For the third pane: the line, the file's age and owner, and the key of its environment. */
static void
findings_say_facts(struct app *a, struct words *w, const struct findings_row *r)
{
	const struct audit_finding *x = r->finding;
	const char *name = findings_environment(a->findings, x);
	const struct tree_root *root = name != NULL ? root_named(a, name) : NULL;
	const struct estate_file *file;
	const struct estate_entry *e;

	words_fact(w, "line", "%zu, column %zu", x->line, x->column);
	if (x->suppressed || x->known)
		words_fact(w, "counts", "no: %s", x->suppressed ? "ignored by a line in the file" :
		    "in the baseline");
	if (findings_find(a->findings, a->model->estate, x, &file, &e))
		files_say_status(a, w, file);
	if (root != NULL)
		files_say_keys(a, w, root->environment, false);
}

/* The detail below: where it is in the rule, then why and how. */
static void
findings_say(struct app *a, struct words *w)
{
	const struct findings *f = a->findings;
	const char *arrow = canvas_glyph(GLYPH_INTO);
	const struct findings_row *r;
	const struct findings_group *g = findings_selected(f, &r);
	const struct audit_rule_text *rule;
	const char *environment;

	if (g == NULL)
		return;
	if (r == NULL) {
		buf_append_str(&w->place, g->name);
		if (f->grouping == FINDINGS_BY_RULE && g->kind == FINDINGS_GROUP)
			buf_append_str(&w->text,
			    audit_rule_text(findings_row(f, g->first)->finding->rule)->why);
		else
			buf_printf(&w->text, "%zu %s, of which %zu can be sealed here.", g->count,
			    g->kind == FINDINGS_UNREAD ? g->count == 1 ? "file" : "files" :
			    g->count == 1 ? "finding" : "findings", g->fixable);
		return;
	}
	if (r->finding == NULL) {
		w->style = STYLE_ERROR;
		buf_append_str(&w->place, r->unread->file);
		buf_append_str(&w->text, r->unread->reason);
		return;
	}
	rule = audit_rule_text(r->finding->rule);
	environment = findings_environment(f, r->finding);
	buf_printf(&w->place, "%s %s %s ", findings_letter(r->finding->level), rule->id, arrow);
	if (environment != NULL)
		buf_printf(&w->place, "%s %s ", environment, arrow);
	buf_printf(&w->place, "%s:%zu", audit_file(f->audit, r->finding->file), r->finding->line);
	name_append_short(r->finding->key, r->finding->key_len, &w->name);
	findings_say_facts(a, w, r);
	/* Beside a third pane the second one says it. */
	if (a->layout.three_panes)
		return;
	buf_printf(&w->text, "Why: %s\nFix: ", rule->why);
	say_fix(a, r, &w->text);
	if (rule->cwe > 0)
		buf_printf(&w->text, " (CWE-%u)", rule->cwe);
}

/* --- title, counts, and what the view does by itself --- */

static void
findings_title(struct app *a, struct buf *where, struct buf *state)
{
	const struct findings *f = a->findings;
	size_t seen;

	if (findings_progress(a, &seen))
		buf_printf(state, "looking, %zu %s", seen, seen == 1 ? "file" : "files");
	else if (f->audit == NULL)
		buf_append_str(state, f->looked ? "not looked at" : "looking");
	buf_append_str(where, a->options->paths[0]);
	if (a->options->path_count > 1)
		buf_printf(where, " and %zu more", a->options->path_count - 1);
}

static size_t
findings_count(const struct app *a)
{
	return a->findings->counts.fresh;
}

static const char *
findings_count_note(const struct app *a)
{
	return a->findings->audit == NULL ? "?" : a->findings->is_whole ? "" : "+";
}

static void
findings_draw_counts(struct app *a, const struct rect *r, int w)
{
	const struct findings *f = a->findings;
	size_t unread = f->audit != NULL ? audit_unread_count(f->audit) : 0;
	size_t known = f->counts.levels[AUDIT_ERROR] + f->counts.levels[AUDIT_WARNING] +
	    f->counts.levels[AUDIT_NOTE] - f->counts.fresh;
	size_t seen;
	struct buf text;

	if (f->audit == NULL && !f->looked)
		return;
	buf_init(&text, 1024);
	if (!f->is_whole && findings_progress(a, &seen))
		buf_printf(&text, "What is found so far; %s stops.  ", KEY(ACTION_CANCEL));
	else if (!f->is_whole)
		buf_printf(&text, "Stopped: this audit is not complete. %s looks at all files.  ",
		    KEY(ACTION_RESCAN));
	if (f->audit != NULL)
		buf_printf(&text, "%zu %s read.  ", f->counts.read, f->counts.read == 1 ? "file" :
		    "files");
	if (unread > 0)
		buf_printf(&text, "%zu unread %s: this audit is not complete.  ", unread,
		    unread == 1 ? "file" : "files");
	if (a->options->findings != NULL && a->options->findings->baseline != NULL)
		buf_printf(&text, "%zu new, %zu in the baseline.  ", f->counts.fresh, known);
	if (f->counts.suppressed > 0)
		buf_printf(&text, "%zu ignored by a line in the file.  ", f->counts.suppressed);
	if (a->model->tree.tally.unchecked > 0)
		buf_printf(&text, "not checked: %zu (locked)", a->model->tree.tally.unchecked);
	canvas_text(r->y, r->x + 1, w, unread > 0 || !f->is_whole ? STYLE_DANGLING : STYLE_NOTE,
	    buf_cstr(&text));
	buf_release(&text);
}

static struct panes *
findings_panes(struct app *a)
{
	return &a->findings->panes;
}

static void
findings_moved(struct app *a, struct outline *o)
{
	if (o == &a->findings->panes.left)
		a->findings->panes.right.list.cursor = 0;
	outline_hold(o);
}

const struct view_ops view_findings = {
	.name = "findings",
	.shows = ACTION_VIEW_FINDINGS,
	.only_here = "this is for the findings",
	.two_panes_from = TWO_PANES,
	.third_pane = true,
	.left_leads = true,
	.panes = findings_panes,
	.moved = findings_moved,
	.changed = findings_changed,
	.entered = findings_entered,
	.is_due = findings_are_due,
	.tick = findings_tick,
	.count = findings_count,
	.count_note = findings_count_note,
	.title = findings_title,
	.draw_left = findings_draw_left,
	.draw_right = findings_draw_right,
	.draw_counts = findings_draw_counts,
	.say = findings_say,
};

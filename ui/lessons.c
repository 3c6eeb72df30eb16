#include "ui/lessons.h"

#include <stdio.h>
#include <string.h>

#include "estate/environments.h"
#include "estate/estate.h"
#include "rotation/rotation.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/findings.h"
#include "ui/history.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/reveal.h"
#include "ui/rotating.h"

#define KEYS_COLUMNS 26		/* of the keys of a step, where there is room */
#define WIDE 70

/* --- what is done --- */

static bool
on_keystore(const struct app *a)
{
	const struct selection s = selection_get(a);

	return s.kind == SELECTION_ENTRY && strcmp(s.entry->key, "ssl.keystore.password") == 0;
}

static bool
in_help(const struct app *a)
{
	return a->top->aside;
}

static bool
in_files(const struct app *a)
{
	return a->view == VIEW_FILES;
}

static bool
in_findings(const struct app *a)
{
	return a->view == VIEW_FINDINGS && a->findings->is_whole;
}

static bool
in_pending(const struct app *a)
{
	return a->view == VIEW_PENDING;
}

static bool
in_history(const struct app *a)
{
	return a->view == VIEW_HISTORY;
}

static bool
has_mark(const struct app *a)
{
	return marks_count(a->model->marks) > 0;
}

static bool
has_marks_of_all(const struct app *a)
{
	return marks_count(a->model->marks) >= 3;
}

static bool
has_sealed(const struct app *a)
{
	return a->model->tree.tally.sealed > 0;
}

static bool
has_no_clear(const struct app *a)
{
	return a->model->looked && a->model->tree.tally.files > 0 &&
	    a->model->tree.tally.clear == 0;
}

static bool
is_revealed(const struct app *a)
{
	return reveal_shown(a->reveal);
}

static bool
is_masked(const struct app *a)
{
	return !reveal_shown(a->reveal);
}

static bool
on_sealed(const struct app *a)
{
	return selection_get(a).kind == SELECTION_SEALED;
}

static bool
is_locked(const struct app *a)
{
	return a->model->looked && model_keys(a->model) == 0;
}

static bool
on_damaged(const struct app *a)
{
	const struct selection s = selection_get(a);

	return s.kind == SELECTION_ENTRY && s.entry->state == STATE_DAMAGED;
}

static bool
has_no_damaged(const struct app *a)
{
	return a->model->looked && a->model->tree.tally.sealed > 0 &&
	    a->model->tree.tally.damaged == 0;
}

/* Other changes of the lesson's were made on the command line. */
static bool
has_undone(const struct app *a)
{
	const struct vec *all = &a->history->log.changes;
	const struct trail_change *last = all->len > 0 ? vec_at(all, all->len - 1) : NULL;

	return last != NULL && last->command != NULL && strcmp(last->command, LESSONS_COMMAND) == 0;
}

static bool
in_rotation(const struct app *a)
{
	return a->view == VIEW_ROTATION;
}

static bool
has_session(const struct app *a)
{
	return a->rotating->session != NULL;
}

static bool
has_verified(const struct app *a)
{
	return has_session(a) && a->rotating->step >= ROTATING_HOSTS;
}

/* --- the lessons --- */

static const struct lesson {
	const char *name, *title, *text;
	enum lesson_files files;
	struct lesson_step {
		const char *what, *keys;
		bool (*done)(const struct app *a);
		bool overtakes;		/* it counts at once, and what comes before it, too */
	} steps[LESSON_STEPS];		/* up to one without a text */
	const char *after;		/* what to take along */
} lessons[LESSONS] = {
	{ "look", "look around", "On the left configuration files and what they hold, the worst "
	    "first; on the right the secrets file that they seal into.", LESSON_CLEAR, {
		{ "go to ssl.keystore.password", "j and k, or / and letters", on_keystore, false },
		{ "what do the letters mean?", "? (Esc closes it)", in_help, false },
		{ "see what is wrong here", "2", in_findings, false },
		{ "come back", "1", in_files, false } },
	    "The numbers are views. ? lists the keys of each, and : finds all there is." },
	{ "seal", "mark, look, seal", "A mark is a wish. Nothing is written until you have seen "
	    "the change and said yes.", LESSON_CLEAR, {
		{ "mark a secret in clear text", "Space on it", has_mark, false },
		{ "look at what would change", "p", in_pending, false },
		{ "see which lines", "P (Esc closes it)", app_asks, false },
		{ "apply it", "w, then Tab and Enter", has_sealed, true } },
	    "The value is in the secrets file now, encrypted; where it was there is a reference." },
	{ "reveal", "see a value for a moment", "A sealed value is opened with the master key, "
	    "shown for seconds, and not kept by the screen.", LESSON_SEALED, {
		{ "show the value of an entry with S", "r on it", is_revealed, false },
		{ "mask it", "any key but r", is_masked, false },
		{ "go to its sealed entry: who uses it?", "Enter", on_sealed, false },
		{ "wipe the keys from memory", "L, then Enter", is_locked, false } },
	    "U opens it again, with the key or the passphrase." },
	{ "audit", "what is wrong, and mend it", "The audit reads every file as Kafka does. What "
	    "it can mend it marks; the rest it explains.", LESSON_CLEAR, {
		{ "look", "2", in_findings, false },
		{ "mark all of the environment", "Space on its row", has_marks_of_all, false },
		{ "apply", "w, then Tab and Enter", has_no_clear, true },
		{ "see it in the history", "5", in_history, false } },
	    "Who read the files before still knows the values: change them at their source, too." },
	{ "broken", "find and replace a broken value", "Somebody edited the secrets file by hand. "
	    "One value does not open any more.", LESSON_BROKEN, {
		{ "go to it", "] (the next problem)", on_damaged, false },
		{ "see its sealed entry, in the other pane", "Enter", on_sealed, false },
		{ "seal a new value", "e, twice any text, w, Tab, Enter", has_no_damaged, true } },
	    "The reference is as it was: a restart of the service is all that is needed." },
	{ "undo", "take a change back", "A value was replaced this morning, and the old one is "
	    "wanted back. Sealed values are kept for 30 days.", LESSON_SEALED, {
		{ "see what was done", "5", in_history, false },
		{ "what would undo the last change?", "u", app_asks, false },
		{ "do it", "w, then Tab and Enter", has_undone, true } },
	    "It was the sealed text that was kept: no clear text lies anywhere." },
	{ "rotate", "new keys", "Somebody left who knew the master key. Rotation is a session: "
	    "planned, applied, verified, and taken back whole if need be.", LESSON_SEALED, {
		{ "begin", "M", in_rotation, false },
		{ "go on to the session: all is opened", "Enter; new passphrase twice", has_session,
		    true },
		{ "apply it; every value is compared", "w, then Tab and Enter", has_verified,
		    true },
		{ "see it in the history", "5", in_history, false } },
	    "Step hosts says what each host needs; the old keys are kept until finish." },
	{ "resume", "go on after a kill", "New data keys for two environments, and the machine "
	    "went down in the middle. No file is half done.", LESSON_STOPPED, {
		{ "what is done, and what is not?", "4", in_rotation, false },
		{ "go on; every value is compared", "w, then Enter", has_verified, true },
		{ "see it in the history", "5", in_history, false } },
	    "That was the last lesson. The rest is your own files, and --dry-run." },
};

enum lesson_files
lessons_files(size_t lesson)
{
	return lessons[lesson].files;
}

size_t
lessons_find(const char *name)
{
	size_t i = 0;

	while (i < LESSONS && strcmp(lessons[i].name, name) != 0 &&
	    (name[0] != (char)('1' + i) || name[1] != '\0'))
		i++;
	return i;
}

static size_t
lesson_steps(const struct lesson *l)
{
	size_t n = 0;

	while (n < LESSON_STEPS && l->steps[n].what != NULL)
		n++;
	return n;
}

/* The first that is not done. */
static size_t
lessons_at(const struct lessons *t)
{
	size_t n = lesson_steps(&lessons[t->lesson]), i = 0;

	while (i < n && t->steps[i])
		i++;
	return i;
}

void
lessons_look(struct app *a)
{
	struct lessons *t = a->options->lessons;
	const struct lesson *l = &lessons[t->lesson];
	size_t n = lesson_steps(l), at = lessons_at(t);

	/* States are not known before. */
	if (!a->model->looked || a->model->scanning)
		return;
	for (size_t i = n; i-- > at;)
		if ((i == at || l->steps[i].overtakes) && l->steps[i].done(a)) {
			while (at <= i)
				t->steps[at++] = true;
			break;
		}
	t->over[t->lesson] = t->over[t->lesson] || at == n;
}

/* --- how it looks --- */

void
lessons_draw(struct app *a, const struct rect *rule, const struct rect *r)
{
	const struct lessons *t = a->options->lessons;
	const struct lesson *l = &lessons[t->lesson];
	const size_t n = lesson_steps(l), at = lessons_at(t);
	const bool wide = r->w >= WIDE;
	const struct rect room = { r->y, r->x + 1, r->h, r->w - 2 };
	char text[160];
	int y = r->y;

	canvas_hline(rule->y, rule->x, rule->w);
	snprintf(text, sizeof(text), " lesson %zu of %d: %s ", t->lesson + 1, LESSONS, l->title);
	canvas_text(rule->y, rule->x + 3, rule->w - 4, STYLE_HEAD, text);
	/* On a low screen what is to be done goes before what is said. */
	if (r->h > (int)n + 3)
		y = canvas_wrapped(&room, y, STYLE_TEXT, l->text);
	for (size_t i = r->h > (int)n ? 0 : at < n ? at : n; i < n && y < r->y + r->h; i++, y++) {
		canvas_text(y, r->x + 3, 3, t->steps[i] ? STYLE_MARK : STYLE_NOTE,
		    t->steps[i] ? "[x]" : "[ ]");
		canvas_text(y, r->x + 7, r->w - 8 - (wide ? KEYS_COLUMNS + 8 : 0), i == at ?
		    STYLE_HEAD : STYLE_TEXT, l->steps[i].what);
		if (wide)
			canvas_text(y, r->x + r->w - KEYS_COLUMNS - 8, KEYS_COLUMNS + 7,
			    STYLE_KEY, l->steps[i].keys);
	}
	if (at == n && y < r->y + r->h)
		y = canvas_wrapped(&room, y, STYLE_TEXT, l->after);
	if (y == r->y + r->h)
		return;
	if (at < n)
		snprintf(text, sizeof(text), "%s %s. A wrong turn: Backspace begins again.",
		    at > 0 ? "Right so far. Now:" : "First:", l->steps[at].keys);
	else
		snprintf(text, sizeof(text), "%s", t->lesson + 1 < LESSONS ?
		    "Done. Backspace, then Enter: the next lesson." : "Done. q leaves.");
	canvas_text(y, r->x + 1, r->w - 2, STYLE_NOTICE, text);
}

void
lessons_draw_line(struct app *a, const struct rect *r)
{
	const struct lessons *t = a->options->lessons;
	const struct lesson *l = &lessons[t->lesson];
	const size_t n = lesson_steps(l), at = lessons_at(t);
	char text[96];

	if (at < n)
		snprintf(text, sizeof(text), "%zu/%zu %s", at + 1, n, l->steps[at].keys);
	else
		snprintf(text, sizeof(text), "Done: Backspace");
	canvas_fill(r->y, r->x, r->w, STYLE_TEXT);
	canvas_text(r->y, r->x + 1, r->w - 2, STYLE_NOTICE, text);
}

/* --- going on --- */

void
lessons_choose(struct app *a)
{
	struct lessons *t = a->options->lessons;
	struct choice choices[LESSONS];
	size_t chosen = t->lesson;
	char names[LESSONS][64];

	/* What was finished leads to the next one. */
	if (lessons_at(t) == lesson_steps(&lessons[t->lesson]) && chosen + 1 < LESSONS)
		chosen++;
	for (size_t i = 0; i < LESSONS; i++) {
		snprintf(names[i], sizeof(names[i]), "[%c] %zu %s", t->over[i] ? 'x' : ' ', i + 1,
		    lessons[i].name);
		choices[i] = (struct choice){ names[i], lessons[i].title };
	}
	if (!choice_try(a, "Lessons", "Each begins with files of its own; what you did in this one "
	    "is thrown away. Your own files are not touched.", choices, LESSONS, NULL, &chosen))
		return;
	t->next = chosen;
	a->quit = true;
}

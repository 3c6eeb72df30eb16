#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/job.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/seal_plan.h"

#define FILES_MAX 1000000
#define LIST_MAX ((size_t)16 << 20)
#define NAME_MAX_BYTES BUF_MAX_FILE
#define SEALING "Sealing what is pending, in memory."

/* One environment that something goes to. */
struct seal_part {
	struct environment *environment;
	bool proposed;
	struct change change;
};

/* One file that something comes from. */
struct seal_file {
	const struct estate_file *file;
	struct seal_part *part;
	char *remote;		/* the path in new references */
	bool left_out;
};

#define PATH_MAX_BYTES 4096
#define TITLE "Where to?"

void
goal_init(struct goal *g)
{
	memset(g, 0, sizeof(*g));
	buf_init(&g->remote, PATH_MAX_BYTES);
}

void
goal_release(struct goal *g)
{
	buf_release(&g->remote);
}

/* Ask for the path in references; it starts with what is there. */
static bool
goal_ask_remote(struct app *a, struct buf *remote)
{
	return ask_text(a, "Path in references", "Services look the secrets file up at this path, "
	    "on the machine where they run. It stands in every reference "
	    "${securepass:PATH:NAME}.", "Path:", remote) &&
	    !text_is_blank(remote->data, remote->len);
}

/* Where references go is known when all of them were seen. */
static size_t
goal_finish_scan(struct app *a)
{
	files_hold(a);
	if (model_finish(a->model) == -1)
		app_complain(a, "not enough memory");
	files_restore(a);
	return model_secrets_files(a->model);
}

bool
goal_ready(struct app *a)
{
	const struct environments *e = model_environments(a->model);

	if (!a->model->looked) {
		app_refuse(a, STILL_LOOKING);
		return false;
	}
	if (goal_finish_scan(a) > 0)
		return true;
	if (environments_count(e) > 0 && environments_at(e, 0)->problem != NULL) {
		tell_error(a, "The secrets file cannot be used", environments_at(e, 0)->problem);
		return false;
	}
	if (a->options->read_only) {
		app_refuse(a, KEYMAP_READ_ONLY);
		return false;
	}
	if (!ask_confirm(a, "No secrets file", "Sealed values go into a secrets file, and there "
	    "is none yet. Make one with its first master key now?", "Make one"))
		return false;
	return act_make_secrets_file(a) && goal_finish_scan(a) > 0;
}

/* Which of the environments?  The one that is there comes first.  NULL: none of them. */
static bool
goal_choose(struct app *a, const struct estate_file *f, size_t count, bool known, bool may_leave,
    struct environment **out)
{
	const struct environments *e = model_environments(a->model);
	struct environment **found = calloc(environments_count(e) + 1, sizeof(*found));
	struct choice *choices = calloc(environments_count(e) + 1, sizeof(*choices));
	struct environment *x;
	size_t i, chosen, n = 0;
	char more[48] = "";
	bool yes = false;
	struct buf text;

	buf_init(&text, 4 * PATH_MAX_BYTES);
	if (count > 1)
		snprintf(more, sizeof(more), " and of %zu files more", count - 1);
	buf_printf(&text, known ? "Into which secrets file do secrets of %s%s go?" :
	    "No reference and no propseal.ini says where secrets of %s%s go. Into which secrets "
	    "file?", model_show_path(a->model, f->path), more);
	if (found == NULL || choices == NULL)
		goto done;
	if (*out != NULL)
		found[n++] = *out;
	for (i = 0; i < environments_count(e); i++) {
		x = environments_at(e, i);
		if (x != *out && x->secrets != NULL)
			found[n++] = x;
	}
	for (i = 0; i < n; i++)
		choices[i] = (struct choice){ model_show_path(a->model, found[i]->path),
		    found[i] != *out ? "" : known ? "as it is" : "the nearest" };
	if (may_leave)
		choices[n++] = (struct choice){ "none of these",
		    "it is left out, and its marks are taken away" };
	yes = n > 0 && choice_run(a, TITLE, buf_cstr(&text), choices, n, &chosen);
	if (yes)
		*out = found[chosen];
done:
	buf_release(&text);
	free(choices);
	free(found);
	return yes;
}

/* The path under which references name the environment. */
static bool
goal_remote(struct app *a, struct goal *g)
{
	const struct ui_options *o = a->options;
	const char *known = environment_remote(g->environment);
	struct error err;

	if (o->remote_path != NULL)
		known = o->remote_path;
	buf_clear(&g->remote);
	if (known != NULL) {
		buf_append_str(&g->remote, known);
		return true;
	}
	if (model_absolute_path(g->environment->path, &g->remote, &err) == -1)
		buf_clear(&g->remote);
	return goal_ask_remote(a, &g->remote);
}

bool
goal_ask(struct app *a, const struct estate_file *f, size_t count, struct goal *g)
{
	struct environment *before = g->environment;
	const char *known;

	if ((g->environment == NULL || model_secrets_files(a->model) > 1) &&
	    !goal_choose(a, f, count, before != NULL, false, &g->environment))
		return false;
	known = environment_remote(g->environment);
	if (g->environment != before || g->remote.len == 0) {
		buf_clear(&g->remote);
		buf_append_str(&g->remote, known != NULL ? known : "");
	}
	return goal_ask_remote(a, &g->remote);
}

bool
goal_find(struct app *a, const struct estate_file *f, size_t count, struct goal *out)
{
	struct destination to;
	struct error err;

	if (estate_destination(a->model->estate, f, &to, &err) == -1) {
		tell_error(a, "It is not known where this goes", &err);
		return false;
	}
	out->environment = to.environment;
	out->proposed = to.kind != DESTINATION_KNOWN;
	if (to.kind == DESTINATION_KNOWN) {
		buf_clear(&out->remote);
		buf_append_str(&out->remote, a->options->remote_path != NULL ?
		    a->options->remote_path : to.remote);
		return true;
	}
	/* The only one, if it is near: the question before the change names it. */
	if (to.environment == NULL || model_secrets_files(a->model) > 1) {
		if (!goal_choose(a, f, count, false, count > 0, &out->environment))
			return false;
	}
	return out->environment == NULL || goal_remote(a, out);
}

void
seal_plan_init(struct seal_plan *p)
{
	memset(p, 0, sizeof(*p));
	vec_init(&p->files, sizeof(struct seal_file), FILES_MAX);
	vec_init(&p->parts, sizeof(struct seal_part *), FILES_MAX);
}

static struct seal_file *
seal_file_at(const struct seal_plan *p, size_t i)
{
	return vec_at(&p->files, i);
}

static struct seal_part *
seal_part_at(const struct seal_plan *p, size_t i)
{
	return *(struct seal_part **)vec_at(&p->parts, i);
}

void
seal_plan_release(struct seal_plan *p)
{
	size_t i;

	for (i = 0; i < p->files.len; i++)
		free(seal_file_at(p, i)->remote);
	for (i = 0; i < p->parts.len; i++) {
		change_close(&seal_part_at(p, i)->change);
		free(seal_part_at(p, i));
	}
	vec_release(&p->files);
	vec_release(&p->parts);
}

/* The part of an environment, made if it is new; NULL: no memory. */
static struct seal_part *
seal_part_of(struct seal_plan *p, const struct goal *g)
{
	struct seal_part *part, **slot;
	size_t i;

	for (i = 0; i < p->parts.len; i++)
		if (seal_part_at(p, i)->environment == g->environment)
			return seal_part_at(p, i);
	part = calloc(1, sizeof(*part));
	slot = part != NULL ? vec_push(&p->parts) : NULL;
	if (slot == NULL) {
		free(part);
		return NULL;
	}
	part->environment = g->environment;
	change_init(&part->change, NULL, NULL);
	*slot = part;
	return part;
}

int
seal_plan_add(struct seal_plan *p, const struct estate_file *f, struct goal *g)
{
	struct seal_part *part = seal_part_of(p, g);
	struct seal_file *file = part != NULL ? vec_push(&p->files) : NULL;

	if (file == NULL)
		return -1;
	*file = (struct seal_file){ .file = f, .part = part,
	    .remote = strdup(buf_cstr(&g->remote)) };
	part->proposed = part->proposed || g->proposed;
	return file->remote != NULL ? 0 : -1;
}

bool
seal_plan_unlock(struct app *a, const struct seal_plan *p)
{
	size_t i;

	for (i = 0; i < p->parts.len; i++)
		if (unlock_run(a, seal_part_at(p, i)->environment) == -1)
			return false;
	return true;
}

/* Is entry ${i} of the file to be sealed? */
static bool
seal_takes(const struct app *a, const struct seal_plan *p, const struct seal_file *f, size_t i)
{
	const struct estate_entry *e = &f->file->entries[i];

	return p->key == NULL && !f->left_out && model_is_pending(a->model, f->file, e);
}

/* --- what it is, for people --- */

size_t
seal_plan_values(const struct app *a, const struct seal_plan *p, size_t *files)
{
	const struct seal_file *f;
	size_t i, k, before, n = 0;

	*files = 0;
	for (i = 0; i < p->files.len; i++) {
		f = seal_file_at(p, i);
		before = n;
		for (k = 0; k < f->file->count; k++)
			n += seal_takes(a, p, f, k);
		*files += n > before;
	}
	return n;
}

static void
seal_print_file(const struct app *a, const struct seal_plan *p, const struct seal_file *f,
    struct buf *out)
{
	const struct estate_entry *e;
	size_t i;

	buf_printf(out, "  %s\n", model_show_path(a->model, f->file->path));
	if (p->key != NULL) {
		buf_append_str(out, "    ");
		text_append_visible(out, p->key, p->key_len);
		buf_append_char(out, '\n');
	}
	for (i = 0; i < f->file->count; i++) {
		e = &f->file->entries[i];
		if (!seal_takes(a, p, f, i))
			continue;
		buf_append_str(out, "    ");
		text_append_visible(out, e->key, e->key_len);
		buf_append_char(out, '\n');
	}
}

/* Does the file go to this part, and is it the first that names its path so? */
static bool
seal_is_first(const struct seal_plan *p, size_t i)
{
	const struct seal_file *f = seal_file_at(p, i), *before;
	size_t k;

	for (k = 0; k < i; k++) {
		before = seal_file_at(p, k);
		if (before->part == f->part && !before->left_out &&
		    strcmp(before->remote, f->remote) == 0)
			return false;
	}
	return !f->left_out;
}

void
seal_plan_print(const struct app *a, const struct seal_plan *p, struct buf *out)
{
	const struct seal_file *first, *f;
	size_t i, k;

	for (i = 0; i < p->files.len; i++) {
		if (!seal_is_first(p, i))
			continue;
		first = seal_file_at(p, i);
		buf_printf(out, "%sInto %s, read as %s%s:\n", out->len > 0 ? "\n" : "",
		    model_show_path(a->model, first->part->environment->path), first->remote,
		    first->part->proposed ? " (no reference said so yet)" : "");
		for (k = i; k < p->files.len; k++) {
			f = seal_file_at(p, k);
			if (f->part == first->part && !f->left_out &&
			    strcmp(f->remote, first->remote) == 0)
				seal_print_file(a, p, f, out);
		}
	}
}

/* --- planning --- */

/* The file whose sealed entry it is already; NULL: not known. */
static const struct estate_file *
seal_owner(const struct app *a, const struct seal_file *f, const char *key, size_t len)
{
	const struct estate_file *file = NULL;
	const struct estate_entry *e;
	struct buf name;
	size_t n = 0;

	buf_init(&name, NAME_MAX_BYTES);
	buf_printf(&name, "%s/", file_basename(f->file->path));
	buf_append(&name, key, len);
	do {
		if (!selection_referrer(a, f->part->environment, (const char *)name.data, name.len,
		    n++, &file, &e))
			file = NULL;
	} while (file == f->file);
	buf_release(&name);
	return file;
}

/* Another file of this base name goes to the same secrets file. */
static const struct estate_file *
seal_namesake(const struct seal_plan *p, const struct seal_file *f)
{
	const struct seal_file *other;
	size_t i;

	for (i = 0; i < p->files.len; i++) {
		other = seal_file_at(p, i);
		if (other != f && other->part == f->part && !other->left_out &&
		    strcmp(file_basename(other->file->path), file_basename(f->file->path)) == 0)
			return other->file;
	}
	return NULL;
}

/* An entry cannot be sealed beside another's: leave its file out?  Its marks go
 * away then. */
static bool
seal_leave_file_out(struct app *a, struct seal_file *f, const struct estate_file *other,
    const char *key, size_t len, const struct error *why)
{
	struct buf text;
	bool yes;
	size_t i;

	buf_init(&text, LIST_MAX);
	buf_printf(&text, "%s: ", model_show_path(a->model, f->file->path));
	text_append_visible(&text, key, len);
	buf_printf(&text, "\n\nThis cannot go into %s: %s.",
	    model_show_path(a->model, f->part->environment->path), why->text);
	/* A refusal names it. */
	if (why->code == ERROR_EXISTS)
		buf_printf(&text, " It belongs to %s, which has the same base name.",
		    model_show_path(a->model, other->path));
	buf_append_str(&text, "\n\nLeave the first file out of this, and go on with the others? "
	    "Its marks are taken away, and nothing in it changes.");
	yes = ask_confirm(a, "Two files, one name", buf_cstr(&text), "Leave it out");
	buf_release(&text);
	for (i = 0; yes && i < f->file->count; i++)
		(void)marks_set(a->model->marks, f->file->path, f->file->entries[i].key,
		    f->file->entries[i].key_len, false);
	f->left_out = f->left_out || yes;
	return yes;
}

/* A value cannot be sealed anywhere: leave it out?  Its mark goes away then. */
static bool
seal_leave_value_out(struct app *a, const struct seal_file *f, const char *key, size_t len,
    const struct error *why)
{
	struct buf text;
	bool yes;

	buf_init(&text, LIST_MAX);
	buf_append_str(&text, model_show_path(a->model, f->file->path));
	if (why->line > 0 && strcmp(why->file, f->file->path) == 0)
		buf_printf(&text, ":%zu", why->line);
	buf_append_str(&text, ": ");
	text_append_visible(&text, key, len);
	buf_printf(&text, "\n\nThis cannot be sealed: %s.%s%s", why->text,
	    why->hint[0] != '\0' ? "\n\n" : "", why->hint);
	buf_append_str(&text, "\n\nLeave this value out, and go on with the others? Its mark is "
	    "taken away, and it stays as it is.");
	yes = ask_confirm(a, "One value cannot be sealed", buf_cstr(&text), "Leave it out");
	buf_release(&text);
	if (yes)
		(void)marks_set(a->model->marks, f->file->path, key, len, false);
	return yes;
}

/* 1: its file or value was left out, so the plans are to be made anew. */
static int
seal_failed(struct app *a, const struct seal_plan *p, struct seal_file *f, const char *key,
    size_t len, struct error *err)
{
	const struct estate_file *owner = seal_owner(a, f, key, len),
	    *other = owner != NULL ? owner : seal_namesake(p, f);
	/* What is the value's own fault is told with its key, or at its file. */
	const bool value = other == NULL || (err->code == ERROR_REFUSED ? err->key[0] != '\0' :
	    strcmp(err->file, f->file->path) == 0);
	size_t files;

	if (err->code == ERROR_MISSING)
		error_hint(err, "the file has changed since it was read: %s reads it anew",
		    KEY(ACTION_RESCAN));
	if (other == NULL && err->code == ERROR_EXISTS &&
	    strcmp(err->file, f->file->path) != 0)
		error_hint(err, "an entry that nobody needs is removed by %s on it, beside the "
		    "files; %s in the pending set sends the file to another secrets file",
		    KEY(ACTION_REMOVE), KEY(ACTION_UPDATE));
	if (p->key != NULL || (err->code != ERROR_EXISTS && err->code != ERROR_REFUSED) ||
	    (value ? seal_plan_values(a, p, &files) : p->files.len) < 2)
		return -1;
	if (value ? seal_leave_value_out(a, f, key, len, err) :
	    seal_leave_file_out(a, f, other, key, len, err))
		return 1;
	/* It was told. */
	err->code = ERROR_NONE;
	return -1;
}

static struct seal_options
seal_options_of(const struct app *a, const struct seal_file *f)
{
	return (struct seal_options){ .remote = f->remote, .cipher = SEALED_GCM,
	    .rules = a->options->rules, .provider_class = a->options->provider_class };
}

/* Planning, in a job's thread, and where it failed. */
struct seal_planning {
	struct app *a;
	const struct seal_plan *p;
	struct seal_file *failed;	/* NULL: it did not fail at an entry */
	const char *key;		/* the entry */
	size_t key_len;
};

/* Plan what is marked in one file. */
static int
seal_marks_of(struct seal_planning *w, struct seal_file *f, struct error *err)
{
	const struct seal_options o = seal_options_of(w->a, f);
	struct configuration *config = NULL;
	const struct estate_entry *e;
	size_t i;

	for (i = 0; i < f->file->count; i++) {
		e = &f->file->entries[i];
		if (!seal_takes(w->a, w->p, f, i))
			continue;
		if (config == NULL)
			config = change_config(&f->part->change, f->file->path, err);
		if (config == NULL)
			return -1;
		if (seal_key(f->part->change.plan, config, e->key, e->key_len, &o, err) == 0)
			continue;
		w->failed = f;
		w->key = e->key;
		w->key_len = e->key_len;
		return -1;
	}
	return 0;
}

static int
seal_one(const struct app *a, const struct seal_plan *p, const struct seal_file *f,
    struct error *err)
{
	const struct seal_options o = seal_options_of(a, f);
	struct configuration *config = change_config(&f->part->change, f->file->path, err);

	if (config == NULL)
		return -1;
	if (!p->must_exist && document_find(config->doc, p->key, p->key_len) != DOCUMENT_NONE) {
		error_set(err, ERROR_EXISTS, "the file has an entry of this key already");
		error_place(err, f->file->path, 0);
		error_key(err, p->key, p->key_len);
		return error_hint(err, "select it and give it a new value instead");
	}
	return seal_value(f->part->change.plan, config, p->key, p->key_len, p->value->data,
	    p->value->len, p->must_exist, &o, err);
}

static int
seal_plan_files(struct job *j, void *cookie, struct error *err)
{
	struct seal_planning *w = cookie;
	const struct seal_plan *p = w->p;
	size_t i;
	int rc = 0;

	for (i = 0; i < p->files.len && rc == 0; i++) {
		if (job_cancelled(j)) {
			/* Whoever stopped it need not be told. */
			err->code = ERROR_NONE;
			return -1;
		}
		job_tell(j, i, p->files.len, SEALING);
		rc = p->key != NULL ? seal_one(w->a, p, seal_file_at(p, i), err) :
		    seal_marks_of(w, seal_file_at(p, i), err);
	}
	return rc;
}

/* Make the plans.  All environments are unlocked.  1: make them anew. */
static int
seal_plan_make(struct app *a, struct seal_plan *p, struct error *err)
{
	struct seal_planning w = { .a = a, .p = p };
	const struct job_wait wait = { "Planning", SEALING, "Esc stops; nothing is written yet.",
		seal_plan_files, &w };
	struct seal_part *part;
	size_t i;
	int rc;

	for (i = 0; i < p->parts.len; i++) {
		part = seal_part_at(p, i);
		change_close(&part->change);
		change_prepare(a, &part->change);
		if (change_begin(a, part->environment, &part->change, err) == -1 ||
		    seal_prepare(part->change.plan, part->environment->master, err) == -1)
			return -1;
	}
	rc = job_await(a, &wait, err);
	if (rc == -1 && w.failed != NULL)
		rc = seal_failed(a, p, w.failed, w.key, w.key_len, err);
	return rc;
}

/* --- review, and what follows --- */

/* Ask for another path in the references of all files. */
static void
seal_ask_remote(struct app *a, struct seal_plan *p)
{
	struct seal_file *f;
	struct buf remote;
	char *copy;
	size_t i;

	buf_init(&remote, NAME_MAX_BYTES);
	buf_append_str(&remote, seal_file_at(p, 0)->remote);
	if (goal_ask_remote(a, &remote)) {
		for (i = 0; i < p->files.len; i++) {
			f = seal_file_at(p, i);
			if ((copy = strdup(buf_cstr(&remote))) == NULL)
				continue;
			free(f->remote);
			f->remote = copy;
		}
	}
	buf_release(&remote);
}

/* One round of planning and review. */
static enum review_answer
seal_round(struct app *a, struct seal_plan *p, const struct seal_question *q, bool ask_now,
    struct change *const changes[])
{
	struct review_options o = { .title = q->title, .button = "Apply", .ask_now = ask_now };
	enum review_answer answer = REVIEW_BACK;
	struct error err;
	struct buf question;
	int rc;

	do
		rc = seal_plan_make(a, p, &err);
	while (rc == 1);
	if (rc == -1 && err.code != ERROR_NONE)
		tell_error(a, "This cannot be planned", &err);
	if (rc == -1)
		return REVIEW_BACK;
	buf_init(&question, LIST_MAX);
	seal_plan_print(a, p, &question);
	if (q->text != NULL)
		buf_printf(&question, "\n%s", q->text);
	o.question = buf_cstr(&question);
	if (p->parts.len == 1)
		o.remote = seal_file_at(p, 0)->remote;
	answer = review_run(a, changes, p->parts.len, &o);
	buf_release(&question);
	return answer;
}

bool
seal_plan_run(struct app *a, struct seal_plan *p, const struct seal_question *q)
{
	struct change **changes = calloc(p->parts.len + 1, sizeof(*changes));
	enum review_answer answer = REVIEW_BACK;
	bool ask_now = q->ask_now;
	bool done = false;
	size_t i;

	if (changes == NULL) {
		app_complain(a, "not enough memory");
		return false;
	}
	for (i = 0; i < p->parts.len; i++)
		changes[i] = &seal_part_at(p, i)->change;
	do {
		answer = seal_round(a, p, q, ask_now, changes);
		ask_now = false;
		if (answer == REVIEW_REMOTE)
			seal_ask_remote(a, p);
	} while (answer == REVIEW_REMOTE && !a->locking && !a->quit && a->end_signal == 0);
	if (answer == REVIEW_APPLY) {
		/* After it the files may be others, read anew. */
		p->values = seal_plan_values(a, p, &p->changed);
		done = change_carry_out(a, changes, p->parts.len, "Not applied");
	}
	free(changes);
	return done;
}

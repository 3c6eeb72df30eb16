#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "base/vec.h"
#include "crypto/key.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "plan/plan.h"
#include "seal/keying.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/field.h"
#include "ui/files.h"
#include "ui/job.h"
#include "ui/key_show.h"
#include "ui/model.h"
#include "ui/reveal.h"
#include "ui/seal_plan.h"
#include "ui/steps.h"
#include "ui/term.h"
#include "ui/where.h"

#define SMALL_ROWS 8		/* a body lower than this shows one field at a time */
#define LABEL_COLS 14

/* What is typed in the step "passphrase". */
enum { FOCUS_NEW, FOCUS_AGAIN, FOCUS_GENERATE, FOCUS_PASS_COUNT };

struct wizard {
	struct steps steps;
	struct where where;
	struct secret_field passphrase, again;
	size_t pass_focus;
	bool agreed;		/* it is good, or was agreed to; until it is changed */
	struct change change;	/* the new file, planned; while `planned` */
	bool planned;
	struct key *fresh;	/* its master key */
	struct key_show show;
	struct environment *made;	/* once it is on disk */
	char *clear_path, *clear_key;	/* the first value; NULL: there is none */
	size_t clear_len;
	bool sealed;
};

static struct wizard *
wizard_of(struct steps *s)
{
	return (struct wizard *)s;
}

/* Throw the planned file and its key away. */
static void
wizard_drop(struct wizard *w)
{
	change_close(&w->change);
	key_free(w->fresh);
	w->fresh = NULL;
	w->planned = false;
}

/* --- what this is --- */

static void
about_text(struct steps *s, struct app *a, struct buf *out)
{
	const struct tally *t = &a->model->tree.tally;

	(void)s;
	buf_append_str(out, "Secrets of configuration files are sealed: their values move, "
	    "encrypted, into a secrets file, and a reference to it stands in their place. The "
	    "services open them when they start, with one master key.\n\n");
	buf_printf(out, "%zu %s in clear text in %zu %s here.\n\n", t->clear,
	    t->clear == 1 ? "secret stands" : "secrets stand", t->files,
	    t->files == 1 ? "file" : "files");
	buf_append_str(out, "You say which files belong together and type a passphrase; the "
	    "master key is shown once. Only when you have saved it the secrets file is written. "
	    "No configuration file is touched before you have seen the change.");
	if (!term_has_private_screen())
		buf_append_str(out, "\n\nThis terminal has no second screen (smcup), so the "
		    "key is not drawn: it goes to a new file of mode 0600 that you choose.");
}

/* --- which files, and where the secrets file lies --- */

static void
environment_draw(struct steps *s, struct app *a, const struct rect *r)
{
	(void)a;
	where_draw(&wizard_of(s)->where, r);
}

static void
environment_entered(struct steps *s, struct app *a)
{
	where_suggest(&wizard_of(s)->where, a);
}

static bool
environment_key(struct steps *s, struct app *a, uint32_t k)
{
	return where_key(&wizard_of(s)->where, a, k);
}

static void
environment_paste(struct steps *s, struct app *a, const struct buf *text)
{
	where_paste(&wizard_of(s)->where, a, text, s->why, sizeof(s->why));
}

static bool
environment_next(struct steps *s, struct app *a)
{
	return where_check(&wizard_of(s)->where, a, s->why, sizeof(s->why));
}

static void
environment_about(const struct steps *s, struct about *out)
{
	where_about(&((const struct wizard *)s)->where, out);
}

/* --- the passphrase --- */

/* Whatever was derived from it is thrown away. */
static void
passphrase_entered(struct steps *s, struct app *a)
{
	struct wizard *w = wizard_of(s);

	w->pass_focus = FOCUS_NEW;
	if (!w->planned)
		return;
	key_show_release(a, &w->show);
	wizard_drop(w);
}

static void
passphrase_draw(struct steps *s, struct app *a, const struct rect *r)
{
	static const char *const labels[] = { "passphrase", "once more" };
	struct wizard *w = wizard_of(s);
	bool small = r->h < SMALL_ROWS;
	int x = r->x + (r->w >= 40 ? LABEL_COLS : 0);
	int room = r->x + r->w - x;
	int y = r->y;
	size_t i;

	if (!small)
		y = steps_text(r, y, "The master key is derived from a passphrase. Whoever knows "
		    "it can make the key again from the secrets file, so keep it as you keep the "
		    "key. It is typed twice, or once where ^R shows it.") + 1;
	for (i = FOCUS_NEW; i <= FOCUS_AGAIN; i++) {
		if (small && i != (w->pass_focus == FOCUS_AGAIN ? FOCUS_AGAIN : FOCUS_NEW))
			continue;
		if (x > r->x || small)
			canvas_text(small && x == r->x ? y++ : y, r->x, r->w, STYLE_NOTE,
			    labels[i]);
		/* What is shown is of the field with the focus. */
		if (i == w->pass_focus || !reveal_shown(a->reveal) ||
		    (i == FOCUS_NEW && w->pass_focus == FOCUS_GENERATE))
			secret_field_draw(a, i == FOCUS_NEW ? &w->passphrase : &w->again, y, x,
			    room < 50 ? room : 50, i == w->pass_focus);
		y++;
	}
	if (y < r->y + r->h)
		canvas_text(y + !small, x, room, w->pass_focus == FOCUS_GENERATE ?
		    STYLE_HEAD | STYLE_SELECTED : STYLE_NOTE,
		    w->pass_focus == FOCUS_GENERATE ? "[generate]" : " generate ");
	if (w->pass_focus == FOCUS_GENERATE)
		canvas_cursor(y + !small, x, true);
	(void)steps_text(r, y + 3, "Next the master key is shown, once. Nothing is written before "
	    "you have proved that it is saved.");
}

static struct secret_field *
passphrase_field(struct wizard *w)
{
	return w->pass_focus == FOCUS_NEW ? &w->passphrase :
	    w->pass_focus == FOCUS_AGAIN ? &w->again : NULL;
}

static bool
passphrase_key(struct steps *s, struct app *a, uint32_t k)
{
	struct wizard *w = wizard_of(s);
	struct secret_field *f = passphrase_field(w);

	if (k == INPUT_TAB || k == INPUT_BACKTAB) {
		reveal_hide(a->reveal);
		w->pass_focus = (w->pass_focus + (k == INPUT_TAB ? 1 : FOCUS_PASS_COUNT - 1)) %
		    FOCUS_PASS_COUNT;
		return true;
	}
	if (f == NULL) {
		if (k != INPUT_ENTER && k != ' ')
			return false;
		w->pass_focus = FOCUS_NEW;
		w->agreed = false;
		secret_field_generate(a, &w->passphrase, s->why, sizeof(s->why));
		return true;
	}
	if (k == INPUT_CTRL('r')) {
		secret_field_show(a, f, s->why, sizeof(s->why));
		return true;
	}
	w->agreed = w->agreed && f != &w->passphrase;
	return secret_field_key(a, f, k);
}

static void
passphrase_paste(struct steps *s, struct app *a, const struct buf *text)
{
	struct wizard *w = wizard_of(s);
	struct secret_field *f = passphrase_field(w);

	w->agreed = w->agreed && f != &w->passphrase;
	if (f != NULL)
		secret_field_paste(a, f, text, s->why, sizeof(s->why));
}

static const char *
passphrase_keys(const struct steps *s)
{
	(void)s;
	return term_has_private_screen() ? "Tab field  ^R show" : "Tab field";
}

static void
passphrase_about(const struct steps *s, struct about *out)
{
	/* A passphrase may be typed on while the button has the focus, as in a dialog. */
	out->types = true;
	about_key(out, INPUT_TAB, "next field");
	if (((const struct wizard *)s)->pass_focus != FOCUS_GENERATE)
		about_key(out, INPUT_CTRL('r'), "show what is typed, or mask it");
	else
		about_key(out, ' ', "generate a passphrase, and show it");
}

static bool
passphrase_secret(const struct steps *s)
{
	(void)s;
	return true;
}

/* The key is derived, and the file planned, in a job's thread. */
static int
wizard_make_key(struct job *j, void *cookie, struct error *err)
{
	struct wizard *w = cookie;

	(void)j;
	if (change_files(&w->change, NULL, w->where.path.text, true, err) == -1 ||
	    change_plan(&w->change, err) == -1)
		return -1;
	if (rotate_generate(w->change.plan, w->passphrase.text.data, w->passphrase.text.len,
	    &w->fresh, err) == -1)
		return -1;
	return plan_put_remote(w->change.plan, w->where.remote.text, err);
}

static bool
wizard_plan(struct wizard *w, struct app *a)
{
	const struct job_wait wait = { w->steps.title, "Deriving the master key.", NULL,
		wizard_make_key, w };
	struct error err;

	change_prepare(a, &w->change);
	if (job_await(a, &wait, &err) == -1) {
		wizard_drop(w);
		tell_error(a, "The secrets file cannot be made", &err);
		return false;
	}
	w->planned = true;
	key_show_init(&w->show, w->fresh);
	return true;
}

static bool
passphrase_next(struct steps *s, struct app *a)
{
	struct wizard *w = wizard_of(s);
	const char *complaint = NULL;

	reveal_hide(a->reveal);
	/* Tab leads past the first field, too. */
	if (w->pass_focus == FOCUS_NEW || !w->agreed) {
		w->agreed = ask_passphrase_good(a, s->title, &w->passphrase.text, &complaint);
		if (!w->agreed) {
			w->pass_focus = FOCUS_NEW;
			snprintf(s->why, sizeof(s->why), "%s", complaint);
			return false;
		}
	}
	if (w->pass_focus == FOCUS_NEW) {
		if (!w->passphrase.certain) {
			w->pass_focus = FOCUS_AGAIN;
			return false;
		}
	} else if (!secret_equal(w->passphrase.text.data, w->passphrase.text.len,
	    w->again.text.data, w->again.text.len)) {
		buf_clear(&w->again.text);
		w->pass_focus = FOCUS_NEW;
		snprintf(s->why, sizeof(s->why), "the two were not the same");
		return false;
	}
	return wizard_plan(w, a);
}

/* --- the key, and then the file --- */

static void
key_entered(struct steps *s, struct app *a)
{
	key_show_begin(a, &wizard_of(s)->show);
}

static void
key_draw(struct steps *s, struct app *a, const struct rect *r)
{
	key_show_draw(a, &wizard_of(s)->show, r);
}

/* It is saved: now the file is written, and there is no way back from here. */
static void
key_settle(struct steps *s, struct app *a)
{
	struct wizard *w = wizard_of(s);

	if (!w->show.saved)
		return;
	w->show.saved = false;
	steps_next(a, s);
}

static bool
key_key(struct steps *s, struct app *a, uint32_t k)
{
	bool taken = key_show_key(a, &wizard_of(s)->show, k);

	key_settle(s, a);
	return taken;
}

static void
key_paste(struct steps *s, struct app *a, const struct buf *text)
{
	key_show_paste(a, &wizard_of(s)->show, text);
	key_settle(s, a);
}

static const char *
key_keys(const struct steps *s)
{
	return key_show_keys(&((const struct wizard *)s)->show);
}

static void
key_about(const struct steps *s, struct about *out)
{
	key_show_about(&((const struct wizard *)s)->show, out);
}

static bool
key_secret(const struct steps *s)
{
	return ((const struct wizard *)s)->show.asking;
}

/* Give the environment its own name, and see that it has it. */
static void
wizard_name(struct wizard *w, struct app *a)
{
	struct error err;
	int rc = where_name(&w->where, a, &err);

	if (rc == 1 && (rc = model_rescan(a->model, &err)) == 0 && model_finish(a->model) == -1)
		app_complain(a, "the files could not be read again");
	if (rc == -1)
		tell_error(a, "The environment keeps the name of its folder", &err);
}

static bool
key_next(struct steps *s, struct app *a)
{
	struct wizard *w = wizard_of(s);
	struct change *change = &w->change;
	struct error err;
	size_t opened;
	int rc;

	key_show_release(a, &w->show);
	w->planned = false;
	if (!change_carry_out(a, &change, 1, "Not made")) {
		key_free(w->fresh);
		w->fresh = NULL;
		steps_back(a, s);
		return false;
	}
	files_hold(a);
	wizard_name(w, a);
	w->made = model_environment(a->model, w->where.path.text, &err);
	rc = w->made == NULL ? -1 : model_unlock(a->model, w->made, w->fresh, &opened, &err);
	key_free(w->fresh);
	w->fresh = NULL;
	files_restore(a);
	if (rc == -1)
		tell_error(a, "The new secrets file cannot be used", &err);
	else
		app_notice(a, "made %s, master key id %s",
		    model_show_path(a->model, w->where.path.text), w->made->fingerprint);
	s->floor = s->at + 1;
	s->note = "the secrets file is written";
	return true;
}

/* --- a first value --- */

static const struct estate_file *
wizard_file(const struct app *a, const char *path)
{
	size_t i;

	for (i = 0; i < estate_count(a->model->estate); i++)
		if (strcmp(estate_file(a->model->estate, i)->path, path) == 0)
			return estate_file(a->model->estate, i);
	return NULL;
}

static const struct estate_entry *
wizard_clear(const struct estate_file *f)
{
	size_t i;

	for (i = 0; f != NULL && i < f->count; i++)
		if (entry_is_clear(&f->entries[i]) && model_can_seal(&f->entries[i]))
			return &f->entries[i];
	return NULL;
}

/* The first one of the group. */
static const struct estate_entry *
wizard_first(struct wizard *w, const struct app *a, const struct estate_file **f)
{
	const struct vec *paths = where_files(&w->where);
	const struct estate_entry *e = NULL;
	size_t i;

	for (i = 0; paths != NULL && e == NULL && i < paths->len; i++) {
		*f = wizard_file(a, vec_string(paths, i));
		e = wizard_clear(*f);
	}
	return e;
}

static bool
wizard_seal(struct wizard *w, struct app *a, const struct estate_file *f,
    const struct estate_entry *e)
{
	const struct seal_question q = { .title = "Seal the first value", .ask_now = true };
	bool marked = marks_has(a->model->marks, f->path, e->key, e->key_len);
	struct seal_plan p;
	struct goal goal;
	bool done = false;

	seal_plan_init(&p);
	goal_init(&goal);
	goal.environment = w->made;
	buf_append_str(&goal.remote, w->where.remote.text);
	if (model_mark(a->model, f, e, true) == -1 || seal_plan_add(&p, f, &goal) == -1)
		app_complain(a, "not enough memory");
	else
		done = seal_plan_run(a, &p, &q);
	/* What was marked before stays so, if it was not sealed. */
	if (!marked)
		(void)marks_set(a->model->marks, w->clear_path, w->clear_key, w->clear_len,
		    false);
	goal_release(&goal);
	seal_plan_release(&p);
	return done;
}

static void
first_entered(struct steps *s, struct app *a)
{
	struct wizard *w = wizard_of(s);
	const struct estate_file *f = NULL;
	const struct estate_entry *e = w->made != NULL ? wizard_first(w, a, &f) : NULL;

	/* Once: who said no is not asked again. */
	if (e == NULL || w->clear_key != NULL)
		return;
	w->clear_path = strdup(f->path);
	w->clear_key = text_copy(e->key, e->key_len);
	w->clear_len = e->key_len;
	if (w->clear_path == NULL || w->clear_key == NULL)
		return;
	w->sealed = wizard_seal(w, a, f, e);
	if (w->sealed)
		steps_next(a, s);
}

static void
first_text(struct steps *s, struct app *a, struct buf *out)
{
	const struct wizard *w = wizard_of(s);

	if (w->clear_key == NULL) {
		buf_append_str(out, "No secret in clear text stands in these files. Later, i "
		    "adds a key with a sealed value to a file.");
	} else if (w->sealed) {
		buf_printf(out, "Sealed and read back: %s", w->clear_key);
	} else {
		buf_printf(out, "Not sealed: %s\nof %s\n\nNothing is lost by that. In the list, "
		    "Space marks what is to be sealed, and w seals it.", w->clear_key,
		    model_show_path(a->model, w->clear_path));
	}
}

/* --- what now --- */

static void
now_text(struct steps *s, struct app *a, struct buf *out)
{
	const struct wizard *w = wizard_of(s);

	(void)a;
	if (w->sealed)
		buf_printf(out, "Sealed, read back and opened: %s\n\n", w->clear_key);
	buf_printf(out, "Copy the secrets file to %s on each host, and give the services the "
	    "master key (KEY stands for a file with it):\n\n", w->where.remote.text);
	/* Lines to copy: none is wider than the smallest usual screen. */
	buf_append_str(out, "systemd    install -d -m 0700 /etc/credstore.encrypted\n"
	    "           systemd-creds encrypt --name=propseal.master-key KEY \\\n"
	    "           /etc/credstore.encrypted/propseal.master-key\n"
	    "           [Service]\n"
	    "           LoadCredentialEncrypted=propseal.master-key\n"
	    "Kubernetes kubectl create secret generic propseal-master-key \\\n"
	    "           --from-file=key=KEY\n"
	    "Ansible    propseal.kafka.secret_file, with master_key from your vault\n"
	    "shell      export CONFLUENT_SECURITY_MASTER_KEY=\"$(cat KEY)\"\n\n");
	buf_append_str(out, "Proof there: propseal file verify --local-secrets-file ");
	text_append_word(out, w->where.remote.text);
	buf_append_str(out, "\n2 shows what else is wrong in these files; `: tutor` teaches the "
	    "rest.");
}

/* --- all of it --- */

static const struct step steps[] = {
	{ .name = "what", .text = about_text },
	{ .name = "environment", .keys = "Tab field", .draw = environment_draw,
	    .entered = environment_entered, .key = environment_key, .paste = environment_paste,
	    .next = environment_next, .about = environment_about },
	{ .name = "passphrase", .keys_now = passphrase_keys, .draw = passphrase_draw,
	    .entered = passphrase_entered, .key = passphrase_key, .paste = passphrase_paste,
	    .next = passphrase_next, .about = passphrase_about, .secret = passphrase_secret },
	{ .name = "key", .keys_now = key_keys, .draw = key_draw,
	    .entered = key_entered, .key = key_key, .paste = key_paste, .next = key_next,
	    .about = key_about, .secret = key_secret },
	{ .name = "first secret", .text = first_text, .entered = first_entered },
	{ .name = "what now", .text = now_text },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void
wizard_release(struct wizard *w, struct app *a)
{
	if (w->planned) {
		key_show_release(a, &w->show);
		wizard_drop(w);
	}
	reveal_hide(a->reveal);
	where_release(&w->where);
	secret_field_release(&w->again);
	secret_field_release(&w->passphrase);
	free(w->clear_key);
	free(w->clear_path);
	free(w);
}

/* The steps from ${from} up to ${to}.  True: the file was made. */
static bool
wizard_go(struct app *a, size_t from, size_t to)
{
	struct wizard *w = calloc(1, sizeof(*w));
	bool made;

	if (w == NULL) {
		app_complain(a, "not enough memory");
		return false;
	}
	w->steps.title = "New secrets file";
	w->steps.note = "nothing is written yet";
	w->steps.all = steps + from;
	w->steps.count = to - from;
	secret_field_init(&w->passphrase);
	secret_field_init(&w->again);
	w->passphrase.weighed = true;
	if (where_init(&w->where, a) == -1)
		app_complain(a, "not enough memory");
	else
		(void)steps_run(a, &w->steps);
	made = w->made != NULL;
	wizard_release(w, a);
	return made;
}

void
wizard_run(struct app *a, bool explain)
{
	(void)wizard_go(a, explain ? 0 : 1, STEPS);
}

bool
wizard_make(struct app *a)
{
	return wizard_go(a, 1, 4);
}

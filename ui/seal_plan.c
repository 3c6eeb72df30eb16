#include "ui/seal_plan.h"

#include <string.h>

#include "base/error.h"
#include "document/document.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/change.h"
#include "ui/marks.h"
#include "ui/model.h"
#include "ui/review.h"
#include "ui/tell.h"

#define PATH_MAX_BYTES 4096

void
seal_plan_init(struct seal_plan *s)
{
	memset(s, 0, sizeof(*s));
	buf_init(&s->remote, PATH_MAX_BYTES);
}

void
seal_plan_release(struct seal_plan *s)
{
	buf_release(&s->remote);
}

/* Plan all marks of one file. */
static int
seal_marks_of(struct app *a, const struct estate_file *f, struct change *c,
    const struct seal_options *o, struct error *err)
{
	struct configuration *config = NULL;
	const struct estate_entry *e;
	size_t i;

	for (i = 0; i < f->count; i++) {
		e = &f->entries[i];
		if (e->shadowed || !marks_has(a->model->marks, f->path, e->key, e->key_len))
			continue;
		if (config == NULL && (config = change_load(c, f->path, err)) == NULL)
			return -1;
		if (seal_key(c->plan, config, e->key, e->key_len, o, err) == -1)
			return -1;
	}
	return 0;
}

static int
seal_marks(struct app *a, struct change *c, const struct seal_options *o, struct error *err)
{
	const struct estate *e = a->model->estate;
	size_t i;

	for (i = 0; i < estate_count(e); i++)
		if (seal_marks_of(a, estate_file(e, i), c, o, err) == -1)
			return -1;
	return 0;
}

static int
seal_one(const struct seal_plan *s, struct change *c, const struct seal_options *o,
    struct error *err)
{
	struct configuration *config = change_load(c, s->path, err);

	if (config == NULL)
		return -1;
	if (!s->must_exist && document_find(config->doc, s->key, s->key_len) != DOCUMENT_NONE) {
		error_set(err, ERROR_EXISTS, "the file has an entry of this key already");
		error_place(err, s->path, 0);
		error_key(err, s->key, s->key_len);
		return error_hint(err, "select it and give it a new value instead");
	}
	return seal_value(c->plan, config, s->key, s->key_len, s->value->data, s->value->len,
	    s->must_exist, o, err);
}

int
seal_plan_make(struct app *a, const struct seal_plan *s, struct change *c, struct error *err)
{
	struct buf remote = s->remote;	/* for its text only */
	struct seal_options o = { .remote = buf_cstr(&remote), .replace = false,
	    .cipher = SEALED_GCM };

	if (change_begin(a, c, err) == -1 || seal_prepare(c->plan, a->model->master, err) == -1)
		return -1;
	return s->path != NULL ? seal_one(s, c, &o, err) : seal_marks(a, c, &o, err);
}

static bool
ask_remote(struct app *a, struct seal_plan *s)
{
	if (!ask_text(a, "Path in references", "Services look the secrets file up at this path, "
	    "on the machine where they run. It stands in every reference "
	    "${securepass:PATH:NAME}.", "Path:", &s->remote))
		return false;
	if (model_set_remote(a->model, buf_cstr(&s->remote)) == -1)
		app_complain(a, "not enough memory");
	return true;
}

static bool
apply(struct app *a, struct change *c)
{
	struct error err;

	if (change_apply(a, c, &err) == 0)
		return true;
	tell_error(a, "Not applied", &err);
	return false;
}

bool
seal_plan_run(struct app *a, struct seal_plan *s, const char *title, const char *question,
    const char *button, bool ask_now)
{
	struct review_options o = { .title = title, .question = question, .button = button,
	    .ask_now = ask_now };
	enum review_answer answer;
	struct change c;
	struct error err;
	bool done = false;

	buf_clear(&s->remote);
	if (model_remote(a->model, &s->remote, &err) == -1) {
		tell_error(a, "No path for references", &err);
		return false;
	}
	do {
		change_init(&c);
		answer = REVIEW_BACK;
		o.remote = buf_cstr(&s->remote);
		if (seal_plan_make(a, s, &c, &err) == -1)
			tell_error(a, "This cannot be planned", &err);
		else
			answer = review_run(a, &c, &o);
		if (answer == REVIEW_APPLY)
			done = apply(a, &c);
		change_release(&c);
		o.ask_now = false;
	} while (answer == REVIEW_REMOTE && (ask_remote(a, s) || !a->locking) &&
	    !a->quit && a->end_signal == 0);
	return done;
}

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "estate/estate.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/browser.h"
#include "ui/dialog.h"
#include "ui/model.h"
#include "ui/seal_plan.h"
#include "ui/selection.h"
#include "ui/unlock.h"

#define KEY_MAX_BYTES 4096

/* Ask for the value and seal it: s->path and s->key say where. */
static bool
seal_typed(struct app *a, struct seal_plan *s, const char *title)
{
	struct buf text, value;
	bool done = false;

	buf_init(&text, 16384);
	buf_init_secret(&value, DIALOG_SECRET_MAX);
	buf_printf(&text, "File: %s\nKey: ", model_show_path(a->model, s->path));
	text_append_visible(&text, s->key, s->key_len);
	buf_append_str(&text, "\n\nWhat you type is not shown. A paste goes as it is, up to "
	    "the first line end.");
	if (ask_secret(a, title, buf_cstr(&text), "Value:", NULL, &value)) {
		s->value = &value;
		done = seal_plan_run(a, s, title, s->must_exist ?
		    "Seal this value? The old one is gone then." :
		    "Add this entry with its sealed value?", "Apply", false);
		s->value = NULL;
	}
	buf_release(&value);
	buf_release(&text);
	return done;
}

/* As they are needed longer than the estate's rows may stay the same. */
static bool
copy_place(struct seal_plan *s, const char *path, const char *key, size_t len)
{
	char *k = malloc(len + 1);
	char *p = strdup(path);

	if (k == NULL || p == NULL) {
		free(k);
		free(p);
		return false;
	}
	memcpy(k, key, len);
	k[len] = '\0';
	s->path = p;
	s->key = k;
	s->key_len = len;
	return true;
}

static void
free_place(struct seal_plan *s)
{
	free((char *)(uintptr_t)s->path);
	free((char *)(uintptr_t)s->key);
}

/* The entry that is meant: selected, or what refers to the sealed one. */
static bool
target(struct app *a, const struct estate_file **f, const struct estate_entry **e)
{
	struct selection s = selection_get(a);

	*f = s.file;
	*e = s.entry;
	return s.kind == SELECTION_ENTRY ||
	    (s.kind == SELECTION_SEALED && selection_referrer(a, s.name, s.name_len, 0, f, e));
}

static bool
ready(struct app *a)
{
	if (a->model->secrets == NULL && a->model->secrets_problem.code == ERROR_NONE) {
		app_complain(a, "there is no secrets file yet");
		return false;
	}
	return unlock_run(a) == 0;
}

void
act_update(struct app *a)
{
	const struct estate_entry *e;
	const struct estate_file *f;
	struct seal_plan s;

	if (!ready(a) || !target(a, &f, &e))
		return;
	seal_plan_init(&s);
	s.must_exist = true;
	if (copy_place(&s, f->path, e->key, e->key_len) &&
	    seal_typed(a, &s, "Seal a new value"))
		app_notice(a, "sealed a new value for %s", s.key);
	free_place(&s);
	seal_plan_release(&s);
}

static bool
ask_key_name(struct app *a, struct buf *key)
{
	return ask_text(a, "Add a sealed value", "The key of the new entry, as it will stand in "
	    "the configuration file.", "Key:", key) && !text_is_blank(key->data, key->len);
}

void
act_add(struct app *a)
{
	struct selection at = selection_get(a);
	struct seal_plan s;
	struct buf key;

	if (!ready(a))
		return;
	at = selection_get(a);
	if (at.file == NULL)
		return;
	buf_init(&key, KEY_MAX_BYTES);
	seal_plan_init(&s);
	if (ask_key_name(a, &key) && copy_place(&s, at.file->path, (const char *)key.data,
	    key.len) && seal_typed(a, &s, "Add a sealed value")) {
		browser_go(a->browser, a, s.path, s.key, s.key_len);
		app_notice(a, "added %s", s.key);
	}
	free_place(&s);
	seal_plan_release(&s);
	buf_release(&key);
}

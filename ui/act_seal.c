#include <stdio.h>

#include "base/buf.h"
#include "estate/estate.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/marks.h"
#include "ui/model.h"
#include "ui/review.h"
#include "ui/seal_plan.h"
#include "ui/unlock.h"

#define LIST_MAX ((size_t)16 << 20)

/* What is marked, by file: the list for people. */
static void
append_marks(struct app *a, struct buf *out, size_t *values, size_t *files)
{
	const struct estate *e = a->model->estate;
	const struct estate_entry *entry;
	const struct estate_file *f;
	size_t i, k;
	bool head;

	*values = *files = 0;

	for (i = 0; i < estate_count(e); i++) {
		f = estate_file(e, i);
		head = false;
		for (k = 0; k < f->count; k++) {
			entry = &f->entries[k];
			if (entry->shadowed || !marks_has(a->model->marks, f->path, entry->key,
			    entry->key_len))
				continue;
			if (!head) {
				buf_printf(out, "%s\n", model_show_path(a->model, f->path));
				++*files;
			}
			++*values;
			head = true;
			buf_append_str(out, "    ");
			buf_append(out, entry->key, entry->key_len);
			buf_append_char(out, '\n');
		}
	}
}

/* Without a key no ciphertext can be made, but the list can be shown. */
static void
show_list(struct app *a)
{
	size_t values, files;
	struct buf text;

	if (a->locking || a->end_signal != 0)
		return;
	buf_init(&text, LIST_MAX);
	buf_append_str(&text, "# Locked: the diff needs the key. These are marked:\n");
	append_marks(a, &text, &values, &files);
	review_show(a, "Marked for sealing", buf_cstr(&text));
	buf_release(&text);
}

/* There must be a secrets file to seal into. */
static bool
have_secrets_file(struct app *a)
{
	if (a->model->secrets == NULL && a->model->secrets_problem.code == ERROR_NONE &&
	    ask_confirm(a, "No secrets file", "Sealed values go into a secrets file, and there "
	    "is none yet. Make one with its first master key now?", "Make one"))
		act_generate(a);
	return a->model->secrets != NULL;
}

static void
seal_marked(struct app *a, bool ask_now)
{
	struct buf question;
	struct seal_plan s;
	size_t values, files;
	char title[96];

	if (!have_secrets_file(a) && a->model->secrets_problem.code == ERROR_NONE)
		return;
	if (unlock_run(a) == -1) {
		show_list(a);
		return;
	}
	buf_init(&question, LIST_MAX);
	buf_append_str(&question, "These values go into the secrets file, sealed, and "
	    "references take their place:\n\n");
	append_marks(a, &question, &values, &files);
	snprintf(title, sizeof(title), "Seal %zu %s in %zu %s", values,
	    values == 1 ? "value" : "values", files, files == 1 ? "file" : "files");
	seal_plan_init(&s);
	if (seal_plan_run(a, &s, title, buf_cstr(&question), "Apply", ask_now)) {
		marks_clear(a->model->marks);
		app_notice(a, "sealed %zu %s in %zu %s, and read back", values,
		    values == 1 ? "value" : "values", files, files == 1 ? "file" : "files");
	}
	seal_plan_release(&s);
	buf_release(&question);
}

void
act_review(struct app *a)
{
	seal_marked(a, false);
}

void
act_apply(struct app *a)
{
	seal_marked(a, true);
}

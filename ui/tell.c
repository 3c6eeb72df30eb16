#include "base/buf.h"
#include "base/error.h"
#include "ui/app.h"
#include "ui/dialog.h"
#include "ui/model.h"
#include "ui/tell.h"

void
tell_message(struct app *a, const char *title, const char *text)
{
	struct dialog d;

	dialog_init(&d, DIALOG_MESSAGE, title);
	buf_append_str(&d.text, text);
	(void)dialog_run(a, &d);
	dialog_release(&d);
}

void
tell_error(struct app *a, const char *title, const struct error *err)
{
	struct dialog d;

	dialog_init(&d, DIALOG_MESSAGE, title);
	d.is_error = true;
	buf_append_str(&d.text, err->text);
	if (err->file[0] != '\0') {
		buf_printf(&d.text, "\n\nFile: %s", model_show_path(a->model, err->file));
		if (err->line > 0)
			buf_printf(&d.text, ":%zu", err->line);
	}
	if (err->key[0] != '\0')
		buf_printf(&d.text, "%sKey: %s", err->file[0] != '\0' ? "\n" : "\n\n", err->key);
	if (err->hint[0] != '\0')
		buf_printf(&d.text, "\n\n%s", err->hint);
	(void)dialog_run(a, &d);
	dialog_release(&d);
}

void
tell_progress(struct app *a, const char *title, const char *text, size_t done, size_t total)
{
	struct dialog d;

	dialog_init(&d, DIALOG_PROGRESS, title);
	buf_append_str(&d.text, text);
	d.done = done;
	d.total = total;
	dialog_show(a, &d);
	dialog_release(&d);
}

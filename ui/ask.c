#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/equal.h"
#include "ui/ask.h"
#include "ui/dialog.h"

bool
ask_confirm(struct app *a, const char *title, const char *text, const char *button)
{
	struct dialog d;
	bool yes;

	dialog_init(&d, DIALOG_CONFIRM, title);
	buf_append_str(&d.text, text);
	d.button = button;
	yes = dialog_run(a, &d);
	dialog_release(&d);
	return yes;
}

bool
ask_word(struct app *a, const char *title, const char *text, const char *word)
{
	struct dialog d;
	char label[64];
	bool yes;

	dialog_init(&d, DIALOG_WORD, title);
	buf_printf(&d.text, "%s\n\nTo go on, type the word %s.", text, word);
	snprintf(label, sizeof(label), "Type %s:", word);
	d.label = label;
	d.word = word;
	yes = dialog_run(a, &d);
	dialog_release(&d);
	return yes;
}

bool
ask_text(struct app *a, const char *title, const char *text, const char *label,
    struct buf *out)
{
	struct dialog d;
	bool yes;

	dialog_init(&d, DIALOG_TEXT, title);
	buf_append_str(&d.text, text);
	d.label = label;
	line_edit_set(&d.line, buf_cstr(out));
	yes = dialog_run(a, &d);
	if (yes) {
		buf_clear(out);
		buf_append_str(out, d.line.text);
	}
	dialog_release(&d);
	return yes;
}

bool
ask_secret(struct app *a, const char *title, const char *text, const char *label,
    const char *complaint, struct buf *out)
{
	struct dialog d;
	bool yes;

	dialog_init(&d, DIALOG_SECRET, title);
	buf_append_str(&d.text, text);
	d.label = label;
	if (complaint != NULL)
		snprintf(d.complaint, sizeof(d.complaint), "%s", complaint);
	yes = dialog_run(a, &d) && !d.secret.failed;
	if (yes)
		buf_append(out, d.secret.data, d.secret.len);
	dialog_release(&d);
	return yes && !out->failed;
}

bool
ask_new_passphrase(struct app *a, const char *title, const char *text, struct buf *out)
{
	const char *complaint = NULL;
	struct buf again;
	bool yes = false;

	buf_init_secret(&again, DIALOG_SECRET_MAX);
	for (;;) {
		buf_clear(out);
		buf_clear(&again);
		if (!ask_secret(a, title, text, "New passphrase:", complaint, out))
			break;
		if (text_is_blank(out->data, out->len)) {
			complaint = "a blank passphrase protects nothing";
			continue;
		}
		if (!ask_secret(a, title, "Type the same passphrase once more.",
		    "Once more:", NULL, &again))
			break;
		if (secret_equal(out->data, out->len, again.data, again.len)) {
			yes = true;
			break;
		}
		complaint = "the two were not the same";
	}
	buf_release(&again);
	return yes;
}

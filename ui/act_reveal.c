#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "document/document.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "secrets/secrets_file.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/model.h"
#include "ui/reveal.h"
#include "ui/selection.h"
#include "ui/tell.h"
#include "ui/term.h"
#include "ui/ui.h"
#include "ui/unlock.h"

#define REVEAL_MS 10000

/* The clear text that stands in the configuration file. */
static int
read_plain(const struct estate_file *f, const struct estate_entry *e, struct buf *out,
    struct error *err)
{
	struct configuration *c = configuration_load(f->path, err);
	size_t i;
	int rc;

	if (c == NULL)
		return -1;
	i = document_find(c->doc, e->key, e->key_len);
	if (i == DOCUMENT_NONE) {
		rc = error_set(err, ERROR_MISSING, "the entry is not there any more");
		error_place(err, f->path, 0);
	} else {
		rc = document_value(c->doc, i, out, err);
	}
	configuration_free(c);
	return rc;
}

static int
open_sealed(struct app *a, const char *name, size_t len, struct buf *out, struct error *err)
{
	size_t i = secrets_file_find(a->model->secrets, name, len);

	if (i == DOCUMENT_NONE) {
		error_set(err, ERROR_MISSING, "the sealed entry is not there any more");
		return error_place(err, a->model->secrets_path, 0);
	}
	return secrets_file_open(a->model->secrets, i, out, err);
}

static int
read_value(struct app *a, struct buf *out, struct error *err)
{
	struct selection s = selection_get(a);

	if (s.kind == SELECTION_ENTRY && s.entry->state == STATE_PLAIN)
		return read_plain(s.file, s.entry, out, err);
	if (s.name == NULL)
		return error_set(err, ERROR_MISSING, "nothing is selected any more");
	return open_sealed(a, s.name, s.name_len, out, err);
}

void
act_reveal(struct app *a)
{
	struct selection s = selection_get(a);
	bool sealed = s.kind == SELECTION_SEALED || s.entry->state != STATE_PLAIN;
	int ms = a->options->reveal_ms > 0 ? a->options->reveal_ms : REVEAL_MS;
	struct error err;
	struct buf value;

	if (!term_has_private_screen()) {
		tell_message(a, "Not shown", "This terminal has no second screen (smcup), so a "
		    "value would stay in its scrollback. Use another terminal, or "
		    "`propseal file decrypt`.");
		return;
	}
	if (sealed && unlock_run(a) == -1)
		return;
	buf_init_secret(&value, BUF_MAX_FILE);
	if (read_value(a, &value, &err) == -1)
		tell_error(a, "The value cannot be shown", &err);
	else if (value.len == 0)
		app_notice(a, "the value is empty");
	else if (reveal_show(a->reveal, value.data, value.len, ms) == -1)
		app_complain(a, "the value cannot be shown");
	buf_release(&value);
}

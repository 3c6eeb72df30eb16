#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "ui/act_registry.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/dialog.h"
#include "ui/registry.h"
#include "ui/registry_rows.h"
#include "ui/registry_source.h"
#include "ui/registry_state.h"
#include "ui/reveal.h"
#include "ui/tell.h"
#include "ui/term.h"
#include "ui/ui.h"

#define REVEAL_MS 10000
#define NAME_MAX_BYTES 1024

/* Where a value goes; names are copies, as lists change while dialogs are open. */
struct place {
	struct buf path, key;
	unsigned int cas;	/* the version that must be the newest live one */
};

static void
place_init(struct place *p)
{
	buf_init(&p->path, NAME_MAX_BYTES);
	buf_init(&p->key, NAME_MAX_BYTES);
	p->cas = 0;
}

static void
place_release(struct place *p)
{
	buf_release(&p->path);
	buf_release(&p->key);
}

/* The version that is meant: the selected one, else the newest live one. */
static const struct registry_version *
version_of(const struct registry_selection *s)
{
	if (s->version != NULL)
		return s->version;
	return s->key != NULL ? registry_key_latest(s->key) : NULL;
}

void
act_registry_reveal(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);
	const struct registry_version *v = version_of(&s);
	int ms = a->options->reveal_ms > 0 ? a->options->reveal_ms : REVEAL_MS;
	struct registry_answer *answer;
	struct registry_request req;

	if (!term_has_private_screen()) {
		tell_message(a, "Not shown", "This terminal has no second screen (smcup), so a "
		    "value would stay in its scrollback. Use another terminal, or "
		    "`propseal registry get`.");
		return;
	}
	if (v == NULL)
		return;
	req = (struct registry_request){ .kind = REGISTRY_VALUE, .path = s.path->name,
	    .key = s.key->name, .version = v->number };
	answer = registry_ask_for(a, &req, "The value cannot be shown");
	if (answer == NULL)
		return;
	if (answer->value.len == 0)
		app_notice(a, "the value is empty");
	else if (reveal_show(a->reveal, answer->value.data, answer->value.len, ms) == -1)
		app_complain(a, "the value cannot be shown");
	registry_answer_free(answer);
}

/* It is stored: show it in the lists. */
static void
stored(struct app *a, struct place *p, unsigned int version)
{
	struct registry *r = a->registry;
	struct registry_path *rp = registry_path_get(&r->names, buf_cstr(&p->path));
	struct registry_key *k = rp != NULL ? registry_key_get(rp, buf_cstr(&p->key)) : NULL;

	if (k == NULL)
		return;
	if (!rp->exists) {
		rp->exists = true;
		rp->known = REGISTRY_KNOWN;
	}
	k->exists = true;
	k->counted = version != 0;
	k->summary.current = version;
	registry_forget(r, rp->name, k->name);
	registry_rows_go(r, rp->name, k->name);
	app_notice(a, "stored %s / %s as version %u", rp->name, k->name, version);
}

static void
send(struct app *a, struct place *p, const struct buf *value, const char *title)
{
	struct registry_request req = { .kind = REGISTRY_PUT, .path = buf_cstr(&p->path),
	    .key = buf_cstr(&p->key), .value = value, .cas = p->cas };
	struct registry_answer *answer = registry_ask_for(a, &req, title);

	if (answer != NULL)
		stored(a, p, answer->version);
	else
		registry_forget(a->registry, buf_cstr(&p->path), buf_cstr(&p->key));
	registry_answer_free(answer);
}

/* Ask for the value, and whether it is to be stored. */
static void
store_typed(struct app *a, struct place *p, const char *title)
{
	struct buf text, value;

	buf_init(&text, 16384);
	buf_init_secret(&value, DIALOG_SECRET_MAX);
	buf_append_str(&text, "Path: ");
	text_append_visible(&text, p->path.data, p->path.len);
	buf_append_str(&text, "\nKey: ");
	text_append_visible(&text, p->key.data, p->key.len);
	buf_append_str(&text, "\n\nWhat you type is not shown. A paste goes as it is, up to "
	    "the first line end.");
	if (ask_secret(a, title, buf_cstr(&text), "Value:", NULL, &value) &&
	    ask_confirm(a, title, p->cas == 0 ? "Store this value as the key's first live "
	    "version?" : "Store this value? Connectors that refer to the key get it when they "
	    "start next. The versions before stay.", "Store"))
		send(a, p, &value, "Not stored");
	buf_release(&value);
	buf_release(&text);
}

void
act_registry_update(struct app *a)
{
	struct registry_selection s;
	struct place p;

	if (!act_registry_ready(a))
		return;
	s = registry_selected(a->registry);
	if (s.key == NULL)
		return;
	if (s.key->exists && s.key->history == REGISTRY_UNKNOWN && !s.key->counted) {
		app_complain(a, "its versions are not known yet");
		return;
	}
	place_init(&p);
	buf_append_str(&p.path, s.path->name);
	buf_append_str(&p.key, s.key->name);
	p.cas = s.key->exists && s.key->counted ? s.key->summary.current : 0;
	store_typed(a, &p, p.cas == 0 ? "Store a first version" : "Store a new version");
	place_release(&p);
}

void
act_registry_add(struct app *a)
{
	struct registry_selection s;
	struct place p;

	if (!act_registry_ready(a))
		return;
	s = registry_selected(a->registry);
	place_init(&p);
	if (s.path != NULL)
		buf_append_str(&p.path, s.path->name);
	/* What a file refers to in vain is what is missing. */
	if (s.key != NULL && !s.key->exists)
		buf_append_str(&p.key, s.key->name);
	if (ask_text(a, "Create a secret", "The path is the name of the connector that refers to "
	    "it.", "Path:", &p.path) && p.path.len > 0 &&
	    ask_text(a, "Create a secret", "The key starts with a letter; letters, digits and "
	    ". _ - follow.", "Key:", &p.key) && p.key.len > 0)
		store_typed(a, &p, "Create a secret");
	place_release(&p);
}

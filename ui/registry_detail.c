#include <string.h>

#include "base/buf.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/keymap.h"
#include "ui/model.h"
#include "ui/registry.h"
#include "ui/registry_rows.h"
#include "ui/registry_source.h"
#include "ui/registry_state.h"
#include "ui/registry_view.h"
#include "ui/reveal.h"
#include "ui/style.h"
#include "ui/words.h"

/* The key of an action, for texts. */
#define KEY(id) keymap_key_of(id, (char [KEYMAP_NAME_MAX]){ 0 })

static void
say_path(struct words *w, const struct registry_path *p)
{
	if (p->known == REGISTRY_FAILED) {
		w->style = STYLE_ERROR;
		buf_append_str(&w->text, p->problem);
	} else if (!p->exists) {
		buf_printf(&w->text, "Configuration files refer to it, but the registry has no "
		    "such path, or you may not see it. %s stores a first secret.",
		    KEY(ACTION_ADD));
	} else if (registry_path_state(p) != REGISTRY_LIVE) {
		buf_printf(&w->text, "Nothing of it is live. %s on one of its keys brings back the "
		    "newest version that was deleted, %s creates a key.", KEY(ACTION_UNDELETE),
		    KEY(ACTION_ADD));
	} else {
		buf_printf(&w->text, "%s creates a key, %s deletes the path with all its keys.",
		    KEY(ACTION_ADD), KEY(ACTION_REMOVE));
	}
}

static void
say_key(struct words *w, const struct registry_path *p, const struct registry_key *k)
{
	const struct registry_version *v = registry_key_latest(k);

	if (!k->exists && p->known != REGISTRY_UNKNOWN) {
		buf_printf(&w->text, "Referred to as ${secret:%s:%s}, but the registry has no such "
		    "key. %s creates it.", p->name, k->name, KEY(ACTION_ADD));
		return;
	}
	if (registry_key_state(k) != REGISTRY_LIVE) {
		buf_printf(&w->text, "No version is live: what refers to it gets nothing. %s "
		    "stores a new one", KEY(ACTION_UPDATE));
		if (registry_key_lost(k) != NULL)
			buf_printf(&w->text, ", %s brings back version %u", KEY(ACTION_UNDELETE),
			    registry_key_lost(k)->number);
		buf_append_char(&w->text, '.');
		return;
	}
	buf_printf(&w->text, "Referred to as ${secret:%s:%s}. %s shows the newest value, %s stores "
	    "a new version", p->name, k->name, KEY(ACTION_REVEAL), KEY(ACTION_UPDATE));
	if (v != NULL && registry_key_live_before(k, v->number) != NULL)
		buf_printf(&w->text, ", %s compares the newest two", KEY(ACTION_COMPARE));
	buf_append_char(&w->text, '.');
}

static void
say_version(struct words *w, const struct registry_key *k, const struct registry_version *v)
{
	buf_printf(&w->text, "Version %u, %s.", v->number, registry_state_name(v->state));
	if (v->created[0] != '\0')
		buf_printf(&w->text, " Created %s by %s.", v->created, v->created_by);
	if (v->deleted[0] != '\0')
		buf_printf(&w->text, " Deleted %s by %s.", v->deleted, v->deleted_by);
	if (v->expires[0] != '\0')
		buf_printf(&w->text, " Expires %s.", v->expires);
	if (v->state == REGISTRY_LIVE && registry_key_live_before(k, v->number) != NULL)
		buf_printf(&w->text, " %s shows it, %s compares it with the one before, %s deletes "
		    "it.", KEY(ACTION_REVEAL), KEY(ACTION_COMPARE), KEY(ACTION_REMOVE));
	else if (v->state == REGISTRY_LIVE)
		buf_printf(&w->text, " %s shows it, %s deletes it.", KEY(ACTION_REVEAL),
		    KEY(ACTION_REMOVE));
	else if (v->state == REGISTRY_DELETED)
		buf_printf(&w->text, " %s brings it back.", KEY(ACTION_UNDELETE));
}

static void
say_use(struct words *w, const struct registry_use *u)
{
	buf_printf(&w->text, "Refers to ${secret:%s:%s}. ", u->path, u->key);
	if (u->misplaced)
		buf_append_str(&w->text, "It is misplaced: the connector of this file has another "
		    "name, so that a Connect worker refuses it. ");
	buf_printf(&w->text, "%s goes there.", KEY(ACTION_OPEN));
}

static void
say(struct app *a, struct words *w, const struct registry_selection *s)
{
	if (s->path == NULL)
		return;
	if (s->use != NULL) {
		buf_printf(&w->place, "%s:%zu", model_show_path(a->model, s->use->file),
		    s->use->line);
		buf_append(&w->name, s->use->entry, s->use->entry_len);
		say_use(w, s->use);
		return;
	}
	buf_append_str(&w->place, s->path->name);
	if (s->key != NULL)
		buf_append_str(&w->name, s->key->name);
	if (s->version != NULL)
		say_version(w, s->key, s->version);
	else if (s->key != NULL)
		say_key(w, s->path, s->key);
	else
		say_path(w, s->path);
}

/* A screen without a detail: the list gives its place. */
static void
draw_small_reveal(struct app *a, const struct registry_selection *s)
{
	struct rect r = a->registry->right_active ? a->layout.right : a->layout.left;

	canvas_clear(&r);
	if (s->key != NULL)
		canvas_tail(r.y, r.x + 1, r.w - 2, STYLE_HEAD, s->key->name);
	r.y++;
	r.h--;
	words_draw_reveal(a, &r);
}

void
registry_detail_draw(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);
	const struct rect *r = &a->layout.detail;
	struct words w;

	if (r->h == 0) {
		if (reveal_shown(a->reveal))
			draw_small_reveal(a, &s);
		return;
	}
	canvas_hline(a->layout.rule.y, a->layout.rule.x, a->layout.rule.w);
	words_init(&w);
	if (a->registry->known != REGISTRY_FAILED && a->registry->source != NULL)
		say(a, &w, &s);
	words_draw(a, r, &w);
	words_release(&w);
}

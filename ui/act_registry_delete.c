#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ui/act_registry.h"
#include "ui/app.h"
#include "ui/ask.h"
#include "ui/registry.h"
#include "ui/registry_rows.h"
#include "ui/registry_source.h"
#include "ui/registry_state.h"

#define NAME_MAX_BYTES 1024

/* What is deleted or brought back: copies, as lists change meanwhile. */
struct target {
	struct buf path, key;	/* key empty: the whole path */
	unsigned int version;	/* 0: all of them */
	bool last;		/* the version is the only live one */
	size_t uses;
};

static size_t
live_count(const struct registry_key *k)
{
	const struct registry_version *v;
	size_t n = 0;
	size_t i;

	for (i = 0; i < k->versions.len; i++) {
		v = vec_at(&k->versions, i);
		n += v->state == REGISTRY_LIVE;
	}
	return n;
}

static void
target_init(struct target *t, const struct registry_selection *s)
{
	memset(t, 0, sizeof(*t));
	buf_init(&t->path, NAME_MAX_BYTES);
	buf_init(&t->key, NAME_MAX_BYTES);
	buf_append_str(&t->path, s->path->name);
	t->uses = s->path->uses;
	if (s->key != NULL) {
		buf_append_str(&t->key, s->key->name);
		t->uses = s->key->uses;
	}
	if (s->version != NULL) {
		t->version = s->version->number;
		t->last = s->version->state == REGISTRY_LIVE && live_count(s->key) == 1;
	}
}

static void
target_release(struct target *t)
{
	buf_release(&t->path);
	buf_release(&t->key);
}

static void
append_name(struct target *t, struct buf *out)
{
	buf_append_str(out, buf_cstr(&t->path));
	if (t->key.len > 0)
		buf_printf(out, " / %s", buf_cstr(&t->key));
	if (t->version != 0)
		buf_printf(out, ", version %u", t->version);
}

static bool
confirmed(struct app *a, struct target *t)
{
	struct buf text;
	bool yes;

	buf_init(&text, 8192);
	append_name(t, &text);
	buf_append_str(&text, t->version != 0 ? ": this version cannot be read then." :
	    t->key.len > 0 ? ": no version can be read then." :
	    ": none of its keys can be read then.");
	buf_append_str(&text, " What is deleted can be brought back until the registry destroys "
	    "it.");
	if (t->uses > 0 && (t->version == 0 || t->last))
		buf_printf(&text, "\n\nBeware: %zu %s here %s to it, and will dangle.", t->uses,
		    t->uses == 1 ? "entry" : "entries", t->uses == 1 ? "refers" : "refer");
	yes = t->version != 0 && !t->last ?
	    ask_confirm(a, "Delete a version", buf_cstr(&text), "Delete") :
	    ask_word(a, t->version != 0 ? "Delete the last version" : t->key.len > 0 ?
	    "Delete a key" : "Delete a path", buf_cstr(&text), "delete");
	buf_release(&text);
	return yes;
}

/* The path's keys stay in the list, so that they can be brought back. */
static void
forget(struct app *a, struct target *t)
{
	struct registry_path *p = registry_path_find(&a->registry->names, buf_cstr(&t->path));
	size_t i;

	registry_forget(a->registry, buf_cstr(&t->path), t->key.len > 0 ? buf_cstr(&t->key) :
	    NULL);
	for (i = 0; t->key.len == 0 && p != NULL && i < p->keys.len; i++)
		registry_key_at(p, i)->history = REGISTRY_UNKNOWN;
}

static void
ask_registry(struct app *a, struct target *t, enum registry_kind kind, const char *title,
    const char *done)
{
	struct registry_request req = { .kind = kind, .path = buf_cstr(&t->path),
	    .key = t->key.len > 0 ? buf_cstr(&t->key) : NULL, .version = t->version };
	struct registry_answer *answer = registry_ask_for(a, &req, title);
	struct buf text;

	forget(a, t);
	if (answer == NULL)
		return;
	buf_init(&text, 4096);
	append_name(t, &text);
	app_notice(a, "%s %s", done, buf_cstr(&text));
	buf_release(&text);
	registry_answer_free(answer);
}

void
act_registry_delete(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);
	struct target t;

	if (s.path == NULL || !act_registry_ready(a))
		return;
	s = registry_selected(a->registry);
	if (s.path == NULL)
		return;
	target_init(&t, &s);
	if (confirmed(a, &t))
		ask_registry(a, &t, REGISTRY_DELETE, "Not deleted", "deleted");
	target_release(&t);
}

void
act_registry_undelete(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);
	struct target t;
	struct buf text;

	if (s.version == NULL && s.key != NULL)
		s.version = registry_key_lost(s.key);
	if (s.version == NULL)
		return;
	target_init(&t, &s);
	buf_init(&text, 4096);
	append_name(&t, &text);
	buf_append_str(&text, ": it can be read again then. If no later version is live, it is "
	    "what connectors get.");
	if (ask_confirm(a, "Bring a version back", buf_cstr(&text), "Bring back"))
		ask_registry(a, &t, REGISTRY_UNDELETE, "Not brought back", "brought back");
	buf_release(&text);
	target_release(&t);
}

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/secmem.h"
#include "base/text.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/dialog.h"
#include "ui/registry.h"

#define NAME_MAX_BYTES 1024
#define LINES_SHOWN 8	/* numbers of lines that differ */

/* What is stored, compared, deleted or brought back: copies, as lists change
 * while dialogs are open. */
struct target {
	struct buf path, key;	/* key empty: the whole path */
	unsigned int version;	/* 0: all of them; of a new one: what must be the newest live one */
	bool last;		/* the version is the only live one */
	size_t uses;		/* by configuration files */
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
	if (s->path != NULL) {
		buf_append_str(&t->path, s->path->name);
		t->uses = s->path->uses;
	}
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
target_append(struct target *t, struct buf *out)
{
	buf_append_str(out, buf_cstr(&t->path));
	if (t->key.len > 0)
		buf_printf(out, " / %s", buf_cstr(&t->key));
	if (t->version != 0)
		buf_printf(out, ", version %u", t->version);
}

/* --- reveal, store --- */

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
	enum show_where where = v != NULL ? act_show_where(a) : SHOW_NOWHERE;
	struct registry_answer *answer;
	struct registry_request req;

	if (where == SHOW_NOWHERE)
		return;
	req = (struct registry_request){ .kind = REGISTRY_VALUE, .path = s.path->name,
	    .key = s.key->name, .version = v->number };
	answer = registry_ask_for(a, &req, "The value cannot be shown");
	if (answer == NULL)
		return;
	act_show(a, &answer->value, where);
	registry_answer_free(answer);
}

/* It is stored: show it in the lists. */
static void
value_stored(struct app *a, struct target *t, unsigned int version)
{
	struct registry *r = a->registry;
	struct registry_path *rp = registry_path_get(&r->names, buf_cstr(&t->path));
	struct registry_key *k = rp != NULL ? registry_key_get(rp, buf_cstr(&t->key)) : NULL;

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
value_send(struct app *a, struct target *t, const struct buf *value, const char *title)
{
	struct registry_request req = { .kind = REGISTRY_PUT, .path = buf_cstr(&t->path),
	    .key = buf_cstr(&t->key), .value = value, .cas = t->version };
	struct registry_answer *answer = registry_ask_for(a, &req, title);

	if (answer != NULL)
		value_stored(a, t, answer->version);
	else
		registry_forget(a->registry, buf_cstr(&t->path), buf_cstr(&t->key));
	registry_answer_free(answer);
}

/* Ask for the value, and whether it is to be stored. */
static void
value_store_typed(struct app *a, struct target *t, const char *title)
{
	struct buf text, value;

	buf_init(&text, 16384);
	buf_init_secret(&value, SECRET_FIELD_MAX);
	buf_append_str(&text, "Path: ");
	text_append_visible(&text, t->path.data, t->path.len);
	buf_append_str(&text, "\nKey: ");
	text_append_visible(&text, t->key.data, t->key.len);
	buf_append_char(&text, '\n');
	if (ask_value(a, title, buf_cstr(&text), &value) &&
	    ask_confirm(a, title, t->version == 0 ? "Store this value as the key's first live "
	    "version?" : "Store this value? Connectors that refer to the key get it when they "
	    "start next. The versions before stay.", "Store"))
		value_send(a, t, &value, "Not stored");
	buf_release(&value);
	buf_release(&text);
}

void
act_registry_update(struct app *a)
{
	struct registry_selection s;
	struct target t;

	if (!act_registry_ready(a))
		return;
	s = registry_selected(a->registry);
	if (s.key == NULL)
		return;
	if (s.key->exists && s.key->history == REGISTRY_UNKNOWN && !s.key->counted) {
		app_refuse(a, "its versions are not known yet");
		return;
	}
	s.version = NULL;
	target_init(&t, &s);
	t.version = s.key->exists && s.key->counted ? s.key->summary.current : 0;
	value_store_typed(a, &t, t.version == 0 ? "Store a first version" : "Store a new version");
	target_release(&t);
}

void
act_registry_add(struct app *a)
{
	struct registry_selection s;
	struct target t;

	if (!act_registry_ready(a))
		return;
	s = registry_selected(a->registry);
	s.version = NULL;
	/* What a file refers to in vain is what is missing. */
	if (s.key != NULL && s.key->exists)
		s.key = NULL;
	target_init(&t, &s);
	if (ask_text(a, "Create a secret", "The path is the name of the connector that refers to "
	    "it.", "Path:", &t.path) && t.path.len > 0 &&
	    ask_text(a, "Create a secret", "The key starts with a letter; letters, digits and "
	    ". _ - follow.", "Key:", &t.key) && t.key.len > 0)
		value_store_typed(a, &t, "Create a secret");
	target_release(&t);
}

/* --- compare --- */

void
act_registry_mark(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (s.version == NULL)
		return;
	a->registry->marked = a->registry->marked == s.version->number ? 0 : s.version->number;
}

static const struct registry_version *
version_find(const struct registry_key *k, unsigned int number)
{
	const struct registry_version *v;
	size_t i;

	for (i = 0; i < k->versions.len; i++) {
		v = vec_at(&k->versions, i);
		if (v->number == number)
			return v;
	}
	return NULL;
}

/* Which two: the marked one or the one before, and the selected or newest one. */
static bool
compare_choose(struct app *a, const struct registry_selection *s, struct registry_version *old,
    struct registry_version *new)
{
	const struct registry_version *b = s->version != NULL ? s->version :
	    registry_key_latest(s->key);
	const struct registry_version *v = a->registry->marked != 0 ?
	    version_find(s->key, a->registry->marked) : b != NULL ?
	    registry_key_live_before(s->key, b->number) : NULL;

	if (b == NULL || v == NULL || v->number == b->number || v->state != REGISTRY_LIVE) {
		app_refuse(a, a->registry->marked != 0 ?
		    "select another live version than the marked one" :
		    "no live version before this one; mark another one first");
		return false;
	}
	*old = v->number < b->number ? *v : *b;
	*new = v->number < b->number ? *b : *v;
	return true;
}

static struct registry_answer *
compare_fetch(struct app *a, struct target *t, unsigned int version)
{
	struct registry_request req = { .kind = REGISTRY_VALUE, .path = buf_cstr(&t->path),
	    .key = buf_cstr(&t->key), .version = version };

	return registry_ask_for(a, &req, "They cannot be compared");
}

static size_t
line_length(const struct buf *b, size_t from)
{
	const unsigned char *end = memchr(b->data + from, '\n', b->len - from);

	return end != NULL ? (size_t)(end - b->data) - from : b->len - from;
}

/* Which lines differ, by number only. */
static void
compare_lines(struct buf *text, const struct buf *one, const struct buf *two)
{
	size_t i = 0, k = 0, line = 0, differ = 0;
	size_t n, m;

	while (i < one->len || k < two->len) {
		n = i < one->len ? line_length(one, i) : 0;
		m = k < two->len ? line_length(two, k) : 0;
		line++;
		if ((i < one->len) != (k < two->len) ||
		    !secret_equal(one->data + i, n, two->data + k, m)) {
			if (differ < LINES_SHOWN)
				buf_printf(text, "%s%zu", differ == 0 ? " Lines that differ: " :
				    ", ", line);
			differ++;
		}
		i += i < one->len ? n + 1 : 0;
		k += k < two->len ? m + 1 : 0;
	}
	if (differ > LINES_SHOWN)
		buf_printf(text, " and %zu more", differ - LINES_SHOWN);
	buf_append_str(text, ".");
}

/* Without blanks at both ends. */
static size_t
compare_trim(const struct buf *b, size_t *from)
{
	size_t end = b->len;

	for (*from = 0; *from < end && strchr(" \t\r\n", b->data[*from]) != NULL; ++*from)
		;
	while (end > *from && strchr(" \t\r\n", b->data[end - 1]) != NULL)
		end--;
	return end - *from;
}

static void
compare_values(struct buf *text, const struct buf *one, const struct buf *two)
{
	size_t i, k, n, m;

	if (secret_equal(one->data, one->len, two->data, two->len)) {
		buf_append_str(text, "The values are the same.");
		return;
	}
	n = compare_trim(one, &i);
	m = compare_trim(two, &k);
	if (one->len == 0 || two->len == 0)
		buf_append_str(text, "The values differ: one is empty.");
	else if (secret_equal(one->data + i, n, two->data + k, m))
		buf_append_str(text, "The values differ only in blanks or line ends around them.");
	else if (line_length(one, 0) < one->len || line_length(two, 0) < two->len) {
		buf_append_str(text, "The values differ.");
		compare_lines(text, one, two);
	} else {
		buf_append_str(text, "The values differ.");
	}
}

static void
compare_say_version(struct buf *text, char sign, const struct registry_version *v)
{
	buf_printf(text, "%c version %-4u ********", sign, v->number);
	if (v->created[0] != '\0')
		buf_printf(text, "  %s  %s", v->created, v->created_by);
	buf_append_char(text, '\n');
}

static void
compare(struct app *a, struct target *t, const struct registry_version *old,
    const struct registry_version *new)
{
	struct registry_answer *one, *two;
	struct buf text;

	one = compare_fetch(a, t, old->number);
	two = one != NULL ? compare_fetch(a, t, new->number) : NULL;
	if (two != NULL) {
		buf_init(&text, 16384);
		buf_printf(&text, "%s / %s\n\n", buf_cstr(&t->path),
		    buf_cstr(&t->key));
		compare_say_version(&text, '-', old);
		compare_say_version(&text, '+', new);
		buf_append_char(&text, '\n');
		compare_values(&text, &one->value, &two->value);
	}
	registry_answer_free(one);
	registry_answer_free(two);
	if (two != NULL) {
		tell_message(a, "Compare versions", buf_cstr(&text));
		buf_release(&text);
	}
}

void
act_registry_compare(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);
	struct registry_version old, new;
	struct target t;

	if (s.key == NULL || !compare_choose(a, &s, &old, &new))
		return;
	target_init(&t, &s);
	compare(a, &t, &old, &new);
	target_release(&t);
}

/* --- delete, undelete --- */

static bool
deletion_confirmed(struct app *a, struct target *t)
{
	struct buf text;
	bool yes;

	buf_init(&text, 8192);
	target_append(t, &text);
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
deletion_forget(struct app *a, struct target *t)
{
	struct registry_path *p = registry_path_find(&a->registry->names, buf_cstr(&t->path));
	size_t i;

	registry_forget(a->registry, buf_cstr(&t->path), t->key.len > 0 ? buf_cstr(&t->key) : NULL);
	for (i = 0; t->key.len == 0 && p != NULL && i < p->keys.len; i++)
		registry_key_at(p, i)->history = REGISTRY_UNKNOWN;
}

static void
target_ask(struct app *a, struct target *t, enum registry_kind kind, const char *title,
    const char *done)
{
	struct registry_request req = { .kind = kind, .path = buf_cstr(&t->path),
	    .key = t->key.len > 0 ? buf_cstr(&t->key) : NULL, .version = t->version };
	struct registry_answer *answer = registry_ask_for(a, &req, title);
	struct buf text;

	deletion_forget(a, t);
	if (answer == NULL)
		return;
	buf_init(&text, 4096);
	target_append(t, &text);
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
	if (deletion_confirmed(a, &t))
		target_ask(a, &t, REGISTRY_DELETE, "Not deleted", "deleted");
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
	target_append(&t, &text);
	buf_append_str(&text, ": it can be read again then. If no later version is live, it is "
	    "what connectors get.");
	if (ask_confirm(a, "Bring a version back", buf_cstr(&text), "Bring back"))
		target_ask(a, &t, REGISTRY_UNDELETE, "Not brought back", "brought back");
	buf_release(&text);
	target_release(&t);
}

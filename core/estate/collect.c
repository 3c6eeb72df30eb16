#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/jaas.h"
#include "estate/estate.h"
#include "estate/finder.h"
#include "plan/configuration.h"
#include "secrets/inspect.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/rules.h"

#define ENTRIES_MAX ((size_t)1 << 26)
#define KEPT_MAX 4096	/* entries for which memory is kept */
#define KEPT_BYTES ((size_t)1 << 19)	/* and of their texts */

/* Add an entry. */
static struct estate_entry *
collect_add(struct collection *x, const void *key, size_t len)
{
	struct estate_entry *e = vec_push(&x->entries);
	size_t *at = vec_push(&x->keys);

	if (e == NULL || at == NULL)
		return NULL;
	e->key_len = len;
	e->checked = true;
	*at = x->texts.len;
	buf_append(&x->texts, key, len);
	buf_append_char(&x->texts, '\0');
	return e;
}

/* Keep the path of the last of the uses, unless the one before has it, too; where it stands. */
static size_t
collect_remote(struct collection *x, const char *path, size_t len)
{
	const struct use *before = x->uses.len > 1 ? vec_at(&x->uses, x->uses.len - 2) : NULL;
	size_t at = x->remotes.len;

	if (before != NULL && before->remote_len == len && !x->remotes.failed &&
	    memcmp(x->remotes.data + before->remote_at, path, len) == 0)
		return before->remote_at;
	buf_append(&x->remotes, path, len);
	buf_append_char(&x->remotes, '\0');
	return at;
}

/* The references in the value of entry ${e}, and its state as far as that tells. */
static int
collect_uses(struct collection *x, size_t entry, const char *value, size_t n)
{
	struct estate_entry *e = vec_at(&x->entries, entry);
	size_t at = 0, start, end;
	struct reference r;
	struct use *u;

	for (; resolve_next(value, n, at, &r, &start, &end); at = end) {
		if (!reference_is_ours(&r)) {
			if (start == 0 && end == n)
				e->state = STATE_OTHER;
			continue;
		}
		if ((u = vec_push(&x->uses)) == NULL)
			return -1;
		u->entry = entry;
		u->remote_len = r.path != NULL ? r.path_len : 0;
		u->remote_at = collect_remote(x, r.path != NULL ? r.path : "", u->remote_len);
		u->name_at = x->texts.len;
		u->name_len = r.name_len;
		buf_append(&x->texts, r.name, r.name_len);
		buf_append_char(&x->texts, '\0');
		e->state = STATE_SEALED;
		e->checked = false;
	}
	return 0;
}

/* Add option ${k} of the JAAS value, if it is a secret or a reference. */
static int
add_option(struct collection *x, const struct document *d, const struct target *t, size_t k)
{
	struct jaas_option o = jaas_option(t->jaas, k);
	const char *key, *value = (const char *)t->value.data;
	size_t len, self = x->entries.len;
	struct estate_entry *e;
	enum secret secret;
	struct buf address;
	int rc = -1;

	key = document_key(d, t->entry, &len);
	secret = rules_option_secret(x->rules, t->jaas, k, key, len, value);
	if (o.shadowed || (secret == SECRET_NONE && memchr(value + o.inner_from, '$',
	    o.inner_to - o.inner_from) == NULL))
		return 0;
	buf_init(&address, BUF_MAX_FILE);
	jaas_address_append(t->jaas, k, key, len, &address);
	if (buf_check(&address, NULL) != 0 ||
	    collect_add(x, address.data, address.len) == NULL ||
	    collect_uses(x, self, value + o.inner_from, o.inner_to - o.inner_from) != 0)
		goto done;
	e = vec_at(&x->entries, self);
	rc = 0;
	if (secret == SECRET_NONE && e->state == STATE_PLAIN) {
		x->entries.len = x->keys.len = self;
		goto done;
	}
	e->line = document_line(d, t->entry);
	e->shadowed = document_shadowed(d, t->entry);
	e->sensitive = secret != SECRET_NONE;
	e->clear = secret == SECRET_CLEAR && e->state == STATE_PLAIN;
done:
	buf_release(&address);
	return rc;
}

/* The options of entry ${i}, if it holds JAAS; ${*parts}: some were added. */
static int
add_options(struct collection *x, const struct document *d, size_t i, bool *parts)
{
	size_t before = x->entries.len;
	struct target t;
	struct error why;
	int rc;

	target_init(&t);
	rc = target_jaas(d, i, &t, &why);
	/* What cannot be taken apart stands as a whole. */
	if (rc == -1 && why.code != ERROR_MEMORY)
		rc = 0;
	for (size_t k = 0; rc == 1 && k < jaas_count(t.jaas); k++)
		if (add_option(x, d, &t, k) != 0)
			rc = -1;
	*parts = rc == 1 && x->entries.len > before;
	target_release(&t);
	return rc == -1 ? -1 : 0;
}

/* Count the last one instead, if it is neither a secret nor a reference. */
static void
collect_leave_out(struct collection *x, size_t self)
{
	const struct estate_entry *e;

	if (!x->brief || x->entries.len != self + 1)
		return;
	e = vec_at(&x->entries, self);
	if (e->sensitive || e->clear || e->state != STATE_PLAIN)
		return;
	buf_truncate(&x->texts, *(size_t *)vec_at(&x->keys, self));
	x->entries.len = x->keys.len = self;
	x->others++;
}

/* ${hidden}: a remark hides the value, which is as a secret then; but what was cut off from one
 * is not to be sealed under a key that it does not have. */
static int
add_entry(struct collection *x, const struct document *d, size_t i, const struct remark *hidden)
{
	size_t len, self = x->entries.len;
	struct clear_count found = { 0 };
	struct estate_entry *e;
	bool parts = false;
	const char *key;

	key = document_key(d, i, &len);
	if (x->references)
		found.jaas = jaas_key(key, len);
	else if (clear_in_entry(x->rules, d, i, &x->value, &found, NULL) != 0)
		return -1;
	/* Most are nothing: no copy, and nobody asks what shadows them. */
	if (x->brief && hidden == NULL && !found.jaas && !found.sensitive && found.clear == 0 &&
	    !(x->may_refer && reference_may_be_in(d, i))) {
		x->others++;
		return 0;
	}
	if ((e = collect_add(x, key, len)) == NULL)
		return -1;
	e->line = document_line(d, i);
	e->shadowed = document_shadowed(d, i);
	if (found.jaas && add_options(x, d, i, &parts) != 0)
		return -1;
	e = vec_at(&x->entries, self);
	e->sensitive = !parts && (hidden != NULL || found.sensitive);
	e->clear = !parts && (hidden != NULL ? hidden->level != REMARK_PART : found.clear > 0);
	/* Its parts say all. */
	if (parts || !reference_may_be_in(d, i))
		return 0;
	buf_clear(&x->value);
	if (document_value(d, i, &x->value, NULL) != 0 || x->value.len == 0)
		return 0;
	return collect_uses(x, self, (const char *)x->value.data, x->value.len);
}

void
collection_init(struct collection *x)
{
	vec_init(&x->entries, sizeof(struct estate_entry), ENTRIES_MAX);
	vec_init(&x->keys, sizeof(size_t), ENTRIES_MAX);
	vec_init(&x->uses, sizeof(struct use), ENTRIES_MAX);
	vec_init(&x->remarks, sizeof(struct remark), ENTRIES_MAX);
	buf_init(&x->texts, BUF_MAX_FILE);
	buf_init(&x->remotes, BUF_MAX_FILE);
	buf_init_secret(&x->value, BUF_MAX_FILE);
}

void
collection_release(struct collection *x)
{
	buf_release(&x->value);
	buf_release(&x->texts);
	buf_release(&x->remotes);
	vec_release(&x->remarks);
	vec_release(&x->uses);
	vec_release(&x->keys);
	vec_release(&x->entries);
}

/* Begin the next file; what a large one took is given back. */
static void
collection_begin(struct collection *x)
{
	if (x->keys.cap > KEPT_MAX) {
		collection_release(x);
		collection_init(x);
	}
	x->entries.len = x->keys.len = x->uses.len = x->remarks.len = x->others = 0;
	buf_clear(&x->texts);
	buf_clear(&x->remotes);
}

/* A copy of the items, or of many they themselves; NULL: no memory, or there are none. */
static void *
collection_take(struct vec *v)
{
	void *items;

	if (v->len == 0)
		return NULL;
	if (v->cap > KEPT_MAX) {
		items = realloc(v->items, v->len * v->size);
		items = items != NULL ? items : v->items;
		vec_init(v, v->size, v->max);
		return items;
	}
	items = malloc(v->len * v->size);
	return items != NULL ? memcpy(items, v->items, v->len * v->size) : NULL;
}

/* The same of texts. */
static char *
collection_take_text(struct buf *b)
{
	char *copy;

	if (b->failed || b->len == 0 || b->cap > KEPT_BYTES)
		return buf_take(b);
	copy = malloc(b->len);
	return copy != NULL ? memcpy(copy, b->data, b->len) : NULL;
}

/* Copy, or take, what was collected, which is something. */
static int
collect_finish(struct collection *x, struct collected *out)
{
	const size_t count = x->entries.len, uses = x->uses.len;
	struct estate_entry *entries = collection_take(&x->entries), *e;
	struct use *u = collection_take(&x->uses);
	char *block = collection_take_text(&x->texts);
	char *remotes = collection_take_text(&x->remotes);

	if (entries == NULL || block == NULL ||
	    (uses > 0 && (u == NULL || remotes == NULL))) {
		free(remotes);
		free(block);
		free(u);
		free(entries);
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		entries[i].key = block + *(size_t *)vec_at(&x->keys, i);
	/* The last one written is the entry's first. */
	for (size_t i = uses; i-- > 0;) {
		u[i].name = block + u[i].name_at;
		u[i].remote = remotes + u[i].remote_at;
		e = &entries[u[i].entry];
		e->name = u[i].name;
		e->name_len = u[i].name_len;
	}
	out->entries = entries;
	out->count = count;
	out->uses = u;
	out->use_count = uses;
	out->remotes = remotes;
	return 0;
}

int
collect_entries(struct collection *x, const struct document *d, struct collected *out)
{
	const struct remark *hidden;
	size_t at = 0, self;
	int rc;

	memset(out, 0, sizeof(*out));
	collection_begin(x);
	x->may_refer = document_has_any(d, "$\\");
	rc = x->references ? inspect_cuts(x->rules, d, &x->remarks, NULL) :
	    inspect_document(x->rules, d, NULL, &x->remarks, NULL);
	for (size_t i = 0; i < document_count(d) && rc == 0; i++) {
		/* A key that is a part of a secret is nothing to list. */
		hidden = inspect_hidden(&x->remarks, &at, i);
		if (hidden != NULL && hidden->hides_key)
			continue;
		self = x->entries.len;
		rc = add_entry(x, d, i, hidden);
		if (rc == 0)
			collect_leave_out(x, self);
	}
	out->others = x->others;
	if (rc == 0 && x->entries.len > 0)
		rc = collect_finish(x, out);
	buf_clear(&x->value);
	return rc;
}

void
collected_release(struct collected *c)
{
	if (c->entries != NULL)
		free((void *)(uintptr_t)c->entries[0].key);
	free(c->entries);
	free(c->uses);
	free(c->remotes);
	memset(c, 0, sizeof(*c));
}

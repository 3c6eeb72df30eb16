#include "estate/collect.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/jaas.h"
#include "estate/estate.h"
#include "plan/target.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/state.h"

#define ENTRIES_MAX ((size_t)1 << 26)

/*
 * Keys and entry names of a file stand one after the other in one block,
 * which the entries' key pointers walk through; entries[0].key is its start.
 */
struct collection {
	struct vec entries;	/* of struct estate_entry, still without pointers */
	struct vec places;	/* of struct place */
	struct buf texts;
	struct buf scratch;
};

/* Where an entry's texts start in the block. */
struct place {
	size_t key;
	size_t name;	/* 0: none (the first text is a key) */
};

/* Add an entry; ${name}: what its reference names, empty for none. */
static struct estate_entry *
add(struct collection *x, const void *key, size_t len, enum entry_state state,
    const struct buf *name)
{
	struct estate_entry *e = vec_push(&x->entries);
	struct place *p = vec_push(&x->places);

	if (e == NULL || p == NULL)
		return NULL;
	e->key_len = len;
	e->state = state;
	p->key = x->texts.len;
	buf_append(&x->texts, key, len);
	buf_append_char(&x->texts, '\0');
	if (name->len > 0) {
		p->name = x->texts.len;
		e->name_len = name->len;
		buf_append(&x->texts, name->data, name->len);
		buf_append_char(&x->texts, '\0');
	}
	return e;
}

/* Add option ${k} of the JAAS value, if it is a secret or a reference. */
static int
add_option(struct collection *x, const struct document *d, const struct target *t, size_t k,
    const struct secrets_file *s, const struct rules *r)
{
	struct jaas_option o = jaas_option(t->jaas, k);
	struct estate_entry *e;
	enum entry_state state;
	struct buf address;
	const char *key;
	size_t len;
	bool secret;

	key = document_key(d, t->entry, &len);
	secret = rules_option(r, t->jaas, k, key, len);
	buf_clear(&x->scratch);
	state = state_value((const char *)t->value.data + o.inner_from,
	    o.inner_to - o.inner_from, s, &x->scratch);
	if (o.shadowed || (!secret && state == STATE_PLAIN))
		return 0;
	buf_init(&address, BUF_MAX_FILE);
	jaas_address_append(t->jaas, k, key, len, &address);
	e = buf_check(&address, NULL) == 0 ?
	    add(x, address.data, address.len, state, &x->scratch) : NULL;
	if (e != NULL) {
		e->line = document_line(d, t->entry);
		e->sensitive = secret;
	}
	buf_release(&address);
	return e != NULL ? 0 : -1;
}

/* The options of entry ${i}, if it holds JAAS; ${*parts}: some were added. */
static int
add_options(struct collection *x, const struct document *d, size_t i,
    const struct secrets_file *s, const struct rules *r, bool *parts)
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
		if (add_option(x, d, &t, k, s, r) != 0)
			rc = -1;
	*parts = rc == 1 && x->entries.len > before;
	target_release(&t);
	return rc == -1 ? -1 : 0;
}

static int
add_entry(struct collection *x, const struct document *d, size_t i,
    const struct secrets_file *s, const struct rules *r)
{
	size_t len, self = x->entries.len;
	struct estate_entry *e;
	enum entry_state state;
	bool parts = false;
	const char *key;

	key = document_key(d, i, &len);
	buf_clear(&x->scratch);
	state = state_of(d, i, s, &x->scratch);
	if ((e = add(x, key, len, state, &x->scratch)) == NULL)
		return -1;
	e->line = document_line(d, i);
	e->shadowed = document_shadowed(d, i);
	if (!e->shadowed && jaas_key(key, len) && add_options(x, d, i, s, r, &parts) != 0)
		return -1;
	e = vec_at(&x->entries, self);
	e->sensitive = !parts && rules_sensitive(r, key, len);
	if (parts) {
		/* Its parts say all; a reference is counted once. */
		e->state = STATE_PLAIN;
		e->name_len = 0;
		((struct place *)vec_at(&x->places, self))->name = 0;
	}
	return 0;
}

/* Hand the collection over to the file. */
static int
finish(struct estate_file *f, struct collection *x)
{
	struct estate_entry *entries = x->entries.items;
	const struct place *p;
	char *block;

	if (buf_check(&x->texts, NULL) != 0 || (block = malloc(x->texts.len)) == NULL)
		return -1;
	memcpy(block, x->texts.data, x->texts.len);
	for (size_t i = 0; i < x->entries.len; i++) {
		p = vec_at(&x->places, i);
		entries[i].key = block + p->key;
		entries[i].name = p->name > 0 ? block + p->name : NULL;
	}
	f->count = x->entries.len;
	/* Estates are large: give back what growing took too much. */
	f->entries = realloc(entries, f->count * sizeof(*entries));
	if (f->entries == NULL)
		f->entries = entries;
	x->entries.items = NULL;
	x->entries.len = x->entries.cap = 0;
	return 0;
}

int
collect_entries(struct estate_file *f, const struct document *d, const struct secrets_file *s,
    const struct rules *r)
{
	struct collection x;
	int rc = 0;

	vec_init(&x.entries, sizeof(struct estate_entry), ENTRIES_MAX);
	vec_init(&x.places, sizeof(struct place), ENTRIES_MAX);
	buf_init(&x.texts, BUF_MAX_FILE);
	buf_init(&x.scratch, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(d) && rc == 0; i++)
		rc = add_entry(&x, d, i, s, r);
	if (rc == 0 && x.entries.len > 0)
		rc = finish(f, &x);
	buf_release(&x.scratch);
	buf_release(&x.texts);
	vec_release(&x.places);
	vec_release(&x.entries);
	return rc;
}

void
collect_forget(struct estate_file *f)
{
	if (f->entries != NULL)
		free((void *)(uintptr_t)f->entries[0].key);
	free((void *)(uintptr_t)f->entries);
	f->entries = NULL;
	f->count = 0;
}

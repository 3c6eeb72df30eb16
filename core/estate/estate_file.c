#include "estate/estate_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "secrets/secrets_file.h"
#include "secrets/sensitive.h"
#include "secrets/state.h"

/*
 * Keys and entry names of a file stand one after the other in one block,
 * which the entries' key pointers walk through; entries[0].key is its start.
 */

struct estate_file *
estate_file_new(const char *path)
{
	struct estate_file *f = calloc(1, sizeof(*f));

	if (f != NULL && (f->path = strdup(path)) == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

static void
forget(struct estate_file *f)
{
	free(f->problem);
	f->problem = NULL;
	if (f->entries != NULL)
		free((void *)(uintptr_t)f->entries[0].key);
	free((void *)(uintptr_t)f->entries);
	f->entries = NULL;
	f->count = 0;
}

void
estate_file_free(struct estate_file *f)
{
	if (f == NULL)
		return;
	forget(f);
	free((void *)(uintptr_t)f->path);
	free(f);
}

/* Where entry ${i}'s texts start in the block, and whether it has a name. */
struct place {
	size_t key;
	size_t name;	/* 0: none (the first text is a key) */
};

/* Collect the texts in ${texts} and the rest of the entries in ${entries}. */
static int
collect(const struct document *d, const struct secrets_file *s, struct estate_entry *entries,
    struct place *places, struct buf *texts)
{
	struct estate_entry *e;
	struct buf name;
	const char *key;

	buf_init(&name, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(d); i++) {
		e = &entries[i];
		key = document_key(d, i, &e->key_len);
		e->line = document_line(d, i);
		e->sensitive = sensitive_key(key, e->key_len);
		e->shadowed = document_shadowed(d, i);
		buf_clear(&name);
		e->state = state_of(d, i, s, &name);
		places[i].key = texts->len;
		buf_append(texts, key, e->key_len);
		buf_append_char(texts, '\0');
		if (e->state != STATE_PLAIN && e->state != STATE_OTHER) {
			places[i].name = texts->len;
			e->name_len = name.len;
			buf_append(texts, name.data, name.len);
			buf_append_char(texts, '\0');
		}
	}
	buf_release(&name);
	return buf_check(texts, NULL);
}

static int
fill(struct estate_file *f, const struct document *d, const struct secrets_file *s)
{
	size_t n = document_count(d);
	struct estate_entry *entries = calloc(n, sizeof(*entries));
	struct place *places = calloc(n, sizeof(*places));
	struct buf texts;
	char *block = NULL;
	int rc = -1;

	buf_init(&texts, BUF_MAX_FILE);
	if (entries == NULL || places == NULL || collect(d, s, entries, places, &texts) != 0 ||
	    (block = malloc(texts.len)) == NULL)
		goto done;
	memcpy(block, texts.data, texts.len);
	for (size_t i = 0; i < n; i++) {
		entries[i].key = block + places[i].key;
		entries[i].name = places[i].name > 0 ? block + places[i].name : NULL;
	}
	f->entries = entries;
	f->count = n;
	entries = NULL;
	rc = 0;
done:
	buf_release(&texts);
	free(places);
	free(entries);
	return rc;
}

int
estate_file_fail(struct estate_file *f, const struct error *problem, struct error *err)
{
	if ((f->problem = malloc(sizeof(*f->problem))) == NULL)
		return error_memory(err);
	*f->problem = *problem;
	return 0;
}

int
estate_file_load(struct estate_file *f, const struct secrets_file *s, struct error *err)
{
	struct configuration *c;
	struct error problem;
	int rc = 0;

	forget(f);
	f->is_secrets_file = false;
	if ((c = configuration_load(f->path, &problem)) == NULL)
		return problem.code == ERROR_MEMORY ? error_memory(err) :
		    estate_file_fail(f, &problem, err);
	if (secrets_file_recognise(c->doc))
		f->is_secrets_file = true;
	else if (document_count(c->doc) > 0 && fill(f, c->doc, s) != 0)
		rc = error_memory(err);
	configuration_free(c);
	return rc;
}

void
estate_file_restate(struct estate_file *f, const struct secrets_file *s)
{
	struct estate_entry *e;

	for (size_t i = 0; i < f->count; i++) {
		e = (struct estate_entry *)(uintptr_t)&f->entries[i];
		if (e->name != NULL)
			e->state = state_of_name(e->name, e->name_len, s);
	}
}

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/map.h"
#include "registry/log/log.h"
#include "registry/store/state_internal.h"

struct state *
state_new(void)
{
	struct state *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	/* A stream of readers must not keep the writer waiting for ever. */
	(void)compat_rwlock_init(&s->lock);
	s->paths.name_at = offsetof(struct state_path, name);
	s->parser = record_parser_new();
	s->principal_index = map_new();
	if (s->parser == NULL || s->principal_index == NULL ||
	    getentropy(s->seed, sizeof(s->seed)) == -1) {
		state_free(s);
		return NULL;
	}
	return s;
}

void
state_free(struct state *s)
{
	size_t i;

	if (s == NULL)
		return;
	state_paths_release(s);
	free(s->table);
	for (i = 0; i < s->principal_count; i++)
		free(s->principals[i]);
	free(s->principals);
	map_free(s->principal_index);
	free(s->keyring);
	state_forget_carried(s);
	free(s->changes);
	free(s->due);
	record_parser_free(s->parser);
	(void)pthread_rwlock_destroy(&s->lock);
	free(s);
}

void
state_lock(struct state *s)
{
	(void)pthread_rwlock_rdlock(&s->lock);
}

void
state_lock_exclusive(struct state *s)
{
	(void)pthread_rwlock_wrlock(&s->lock);
}

void
state_unlock(struct state *s)
{
	(void)pthread_rwlock_unlock(&s->lock);
}

uint64_t
state_offset(const struct state *s)
{
	return s->offset;
}

void
state_count(const struct state *s, struct state_counts *out)
{
	*out = s->counts;
}

const char *
state_keyring(const struct state *s, size_t *n)
{
	*n = s->keyring_len;
	return s->keyring;
}

void
state_started(struct state *s, uint64_t end)
{
	if (end > s->offset)
		s->offset = end;
	s->change_first = s->change_count = 0;
	s->changes_from = s->offset;
}

uint64_t
state_sealed_under(const struct state *s, uint32_t kid)
{
	size_t i;

	for (i = 0; i < s->kid_count; i++) {
		if (s->kids[i].kid == kid)
			return s->kids[i].count;
	}
	return 0;
}

uint64_t
state_sealed_elsewhere(const struct state *s, uint32_t kid)
{
	uint64_t n = s->kid_others;
	size_t i;

	for (i = 0; i < s->kid_count; i++)
		n += s->kids[i].kid != kid ? s->kids[i].count : 0;
	return n;
}

static int
fold_keyring(struct state *s, const struct record *r)
{
	char *text = malloc(r->text_len + 1);

	if (text == NULL)
		return -1;
	memcpy(text, r->text, r->text_len);
	text[r->text_len] = '\0';
	free(s->keyring);
	s->keyring = text;
	s->keyring_len = r->text_len;
	return 0;
}

const char *
state_carried(const struct state *s, unsigned slot, size_t *n)
{
	*n = s->carried[slot].n;
	return s->carried[slot].text;
}

void
state_forget_carried(struct state *s)
{
	size_t i;

	for (i = 0; i <= RECORD_SLOT_MAX; i++) {
		free(s->carried[i].text);
		s->carried[i].text = NULL;
	}
	s->carried_forgotten = true;
}

static int
fold_audit(struct state *s, const struct record *r)
{
	char *text;

	if (s->carried_forgotten)
		return 0;
	text = malloc(r->text_len + 1);
	if (text == NULL)
		return -1;
	memcpy(text, r->text, r->text_len);
	free(s->carried[r->slot].text);
	s->carried[r->slot].text = text;
	s->carried[r->slot].n = r->text_len;
	return 0;
}

static int
state_fold(struct state *s, uint64_t offset, const struct record *r)
{
	if (r->type == RECORD_GARBAGE)
		s->counts.quarantined++;
	else if (r->type == RECORD_UNKNOWN)
		s->counts.unknown++;
	if (r->key_type == RECORD_SECRET || r->key_type == RECORD_META ||
	    r->key_type == RECORD_KEYRING)
		s->has_records = true;
	switch (r->key_type) {
	case RECORD_SECRET:
		return state_fold_secret(s, offset, r);
	case RECORD_META:
		return state_fold_meta(s, offset, r);
	case RECORD_KEYRING:
		if (r->type == RECORD_KEYRING && !r->tombstone)
			return fold_keyring(s, r);
		return 0;
	case RECORD_AUDIT:
		return r->tombstone ? 0 : fold_audit(s, r);
	default:
		return 0;
	}
}

int
state_apply(struct state *s, uint64_t offset, const struct log_record *r, struct error *err)
{
	struct record record;

	if (record_parse(s->parser, r, &record) == -1 || state_fold(s, offset, &record) == -1)
		return error_memory(err);
	if (offset >= s->offset)
		s->offset = offset + 1;
	return 0;
}

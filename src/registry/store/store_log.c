#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/store_internal.h"

/* The store's way to its log: append and fold, and what to do when that fails. */

static int
store_log_apply(struct store *s, const struct log_record *records, size_t n, uint64_t first,
    struct error *err)
{
	int result = 0;
	size_t i;

	state_lock_exclusive(s->state);
	for (i = 0; i < n && result == 0; i++)
		result = state_apply(s->state, first + i, &records[i], err);
	state_unlock(s->state);
	if (result == 0)
		return 0;
	/* It is written, but not all of it is seen: read it again later. */
	s->behind = true;
	atomic_store(&s->unready, "no memory for what was written");
	return error_set(err, ERROR_STALE, "no memory for what was written");
}

int
store_append(struct store *s, const struct log_record *records, size_t n, uint64_t *first,
    struct error *err)
{
	struct error why = { 0 };
	int result;

	/* Whoever decided this did not know of what may be there by now. */
	if (s->unsettled)
		return error_set(err, ERROR_IO, "the outcome of an earlier append is not known");
	if (log_append(s->log, records, n, first, &why) == 0) {
		result = store_log_apply(s, records, n, *first, err);
	} else if (why.code == ERROR_STALE) {
		result = store_look_for(s, records, n, first, err);
	} else {
		if (why.code == ERROR_BUSY) {
			s->fenced = true;
			atomic_store(&s->unready, "another process has claimed the log");
		} else if (why.code == ERROR_IO) {
			atomic_store(&s->unready, "the log cannot be written");
		}
		if (err != NULL)
			*err = why;
		return -1;
	}
	if (!s->behind && !s->fenced && !s->unsettled)
		atomic_store(&s->unready, NULL);
	store_wake_waiters(s);
	return result;
}

int
store_save_keyring(struct store *s, struct error *err)
{
	struct record r = { .type = RECORD_KEYRING };
	struct log_record record;
	struct buf key, text;
	uint64_t first;
	int result = -1;

	buf_init(&key, LOG_KEY_MAX);
	buf_init(&text, LOG_VALUE_MAX);
	record_encode_key(&r, &key);
	if (keyring_encode(s->ring, &text, err) == 0 && buf_check(&key, err) == 0 &&
	    buf_check(&text, err) == 0) {
		record = (struct log_record){ key.data, key.len, text.data, text.len };
		result = store_append(s, &record, 1, &first, err);
	}
	s->ring_dirty = result != 0;
	buf_release(&key);
	buf_release(&text);
	return result;
}

/* Tombstones for some losers; the heads of the state's list change as they go. */
static int
remove_losers(struct store *s, struct error *err)
{
	struct log_record records[STORE_STEP_RECORDS];
	size_t at[STORE_STEP_RECORDS + 1], n = 0, i;
	const struct state_more *m;
	struct buf keys;
	uint64_t first;
	int result;

	buf_init(&keys, BUF_MAX_FILE);
	for (m = s->state->losers; m != NULL && n < STORE_STEP_RECORDS; m = m->next_loser) {
		const struct state_key *k = m->key;

		for (i = 0; i < m->loser_count && n < STORE_STEP_RECORDS; i++) {
			struct record r = { .type = RECORD_SECRET, .path = k->path->name,
			    .path_len = k->path->name_len, .key = k->name,
			    .key_len = k->name_len, .version = m->losers[i]->number };

			memcpy(r.claim, m->losers[i]->claim, sizeof(r.claim));
			at[n++] = keys.len;
			record_encode_key(&r, &keys);
		}
	}
	at[n] = keys.len;
	result = buf_check(&keys, err);
	for (i = 0; result == 0 && i < n; i++)
		records[i] = (struct log_record){ keys.data + at[i], at[i + 1] - at[i], NULL, 0 };
	if (result == 0)
		result = store_append(s, records, n, &first, err);
	buf_release(&keys);
	return result;
}

/* Has somebody else written, past our claim?  What follows must know of it. */
static int
store_log_look_at_end(struct store *s, struct error *err)
{
	uint64_t end;

	if (log_end(s->log, &end, err) == -1) {
		atomic_store(&s->unready, "the log cannot be read");
		return -1;
	}
	if (end > state_offset(s->state) && end != s->seen_end) {
		s->behind = true;
		s->seen_end = end;
	}
	return 0;
}

int
store_prepare(struct store *s, struct error *err)
{
	if (s->fenced) {
		error_set(err, ERROR_BUSY, "another process has claimed the log");
		return error_hint(err, "restart this one when the other has stopped");
	}
	if (s->unsettled && store_claim(s, err) == -1)
		return -1;
	if (store_log_look_at_end(s, err) == -1 || store_catch_up(s, err) == -1)
		return -1;
	if (s->ring_dirty && store_save_keyring(s, err) == -1)
		return -1;
	/* In an offset before everything that may seal or destroy a winner: or
	 * a loser would win in what is left after compaction. */
	while (s->state->losers != NULL) {
		if (remove_losers(s, err) == -1)
			return -1;
	}
	return 0;
}

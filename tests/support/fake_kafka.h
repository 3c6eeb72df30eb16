#ifndef SUPPORT_FAKE_KAFKA_H
#define SUPPORT_FAKE_KAFKA_H

/*
 * A topic in memory in the place of librdkafka (registry/kafka/kafka.h), for any
 * number of nodes in this process: whoever may write it can put what it likes there.
 * A transaction takes an offset more than it has records, as its marker does.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "registry/kafka/kafka.h"
#include "unit.h"

#define FAKE_MAX 4096
#define FAKE_NODES 4

struct fake_entry {
	void *key, *value;		/* key NULL: a marker, or compacted away */
	size_t key_len, value_len;
};

struct kafka {
	void (*readable)(void *cookie);
	void *cookie;
	int64_t at, told;		/* the next to be read; the end that was told */
};

static struct {
	pthread_mutex_t mutex;
	struct fake_entry log[FAKE_MAX];
	int64_t end;
	struct kafka *nodes[FAKE_NODES];
	struct kafka *leased, *claimed;
	int refuse;			/* so many transactions are aborted, */
	struct fake_entry aborted[64];	/* ... and stand in the segments like this */
	size_t aborted_count;
} fake = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static struct fake_entry
fake_copy(const void *key, size_t key_len, const void *value, size_t value_len)
{
	struct fake_entry e = { malloc(key_len + 1), value != NULL ? malloc(value_len + 1) : NULL,
	    key_len, value_len };

	memcpy(e.key, key, key_len);
	((char *)e.key)[key_len] = '\0';	/* keys are texts, and may be taken for such */
	if (value != NULL)
		memcpy(e.value, value, value_len);
	return e;
}

static void
fake_entry_free(struct fake_entry *e)
{
	free(e->key);
	free(e->value);
	*e = (struct fake_entry){ 0 };
}

/* Which is the topic's from then on. */
static void
fake_put(struct fake_entry e)
{
	assert_true(fake.end < FAKE_MAX);
	fake.log[fake.end++] = e;
}

static void
fake_wake(void)
{
	for (int i = 0; i < FAKE_NODES; i++) {
		if (fake.nodes[i] != NULL)
			fake.nodes[i]->readable(fake.nodes[i]->cookie);
	}
}

/* As one who may write the topic: ${value} NULL is a tombstone. */
UNIT_HELPER void
fake_produce(const struct fake_entry *e)
{
	(void)pthread_mutex_lock(&fake.mutex);
	fake_put(fake_copy(e->key, e->key_len, e->value, e->value_len));
	(void)pthread_mutex_unlock(&fake.mutex);
	fake_wake();
}

/* Of each key only the last record stays. */
UNIT_HELPER void
fake_compact(void)
{
	struct fake_entry *e, *later;

	(void)pthread_mutex_lock(&fake.mutex);
	for (int64_t i = 0; i < fake.end; i++) {
		e = &fake.log[i];
		for (int64_t j = i + 1; j < fake.end && e->key != NULL; j++) {
			later = &fake.log[j];
			if (later->key != NULL && later->key_len == e->key_len &&
			    memcmp(later->key, e->key, e->key_len) == 0)
				fake_entry_free(e);
		}
	}
	(void)pthread_mutex_unlock(&fake.mutex);
}

/* A copy of the last record whose key has ${part} in it. */
UNIT_HELPER struct fake_entry
fake_last(const char *part)
{
	struct fake_entry found = { 0 }, *e;

	(void)pthread_mutex_lock(&fake.mutex);
	for (int64_t i = fake.end - 1; i >= 0 && found.key == NULL; i--) {
		e = &fake.log[i];
		if (e->key != NULL && memmem(e->key, e->key_len, part, strlen(part)) != NULL)
			found = fake_copy(e->key, e->key_len, e->value, e->value_len);
	}
	(void)pthread_mutex_unlock(&fake.mutex);
	assert_non_null(found.key);
	return found;
}

/* A new topic. */
UNIT_HELPER void
fake_clear(void)
{
	for (int64_t i = 0; i < fake.end; i++)
		fake_entry_free(&fake.log[i]);
	for (size_t i = 0; i < fake.aborted_count; i++)
		fake_entry_free(&fake.aborted[i]);
	fake.end = 0;
	fake.aborted_count = 0;
	fake.refuse = 0;
}

/* --- kafka.h --- */

struct kafka *
kafka_open(const struct kafka_options *o, void (*readable)(void *cookie), void *cookie,
    struct error *err)
{
	struct kafka *k = calloc(1, sizeof(*k));
	int i = 0;

	(void)o;
	(void)err;
	assert_non_null(k);
	k->readable = readable;
	k->cookie = cookie;
	k->told = -1;
	(void)pthread_mutex_lock(&fake.mutex);
	while (fake.nodes[i] != NULL)
		assert_true(++i < FAKE_NODES);
	fake.nodes[i] = k;
	(void)pthread_mutex_unlock(&fake.mutex);
	return k;
}

void
kafka_close(struct kafka *k)
{
	if (k == NULL)
		return;
	(void)pthread_mutex_lock(&fake.mutex);
	for (int i = 0; i < FAKE_NODES; i++) {
		if (fake.nodes[i] == k)
			fake.nodes[i] = NULL;
	}
	if (fake.leased == k)
		fake.leased = NULL;
	if (fake.claimed == k)
		fake.claimed = NULL;
	(void)pthread_mutex_unlock(&fake.mutex);
	free(k);
}

int
kafka_check(struct kafka *k, bool create, unsigned timeout_ms, struct error *err)
{
	(void)k;
	(void)create;
	(void)timeout_ms;
	(void)err;
	return 0;
}

int
kafka_ends(struct kafka *k, unsigned timeout_ms, int64_t *first, int64_t *end, struct error *err)
{
	(void)k;
	(void)timeout_ms;
	(void)err;
	(void)pthread_mutex_lock(&fake.mutex);
	*first = 0;
	*end = fake.end;
	(void)pthread_mutex_unlock(&fake.mutex);
	return 0;
}

int64_t
kafka_end_known(struct kafka *k)
{
	int64_t first, end;

	(void)kafka_ends(k, 0, &first, &end, NULL);
	return end;
}

int64_t
kafka_identity(struct kafka *k, unsigned timeout_ms)
{
	(void)k;
	(void)timeout_ms;
	return 1;
}

int
kafka_watch(struct kafka *k, struct error *err)
{
	(void)k;
	(void)err;
	return 0;
}

int
kafka_watched(struct kafka *k, int64_t read, struct error *err)
{
	(void)k;
	(void)read;
	(void)err;
	return 0;
}

int64_t
kafka_silence(struct kafka *k)
{
	(void)k;
	return 0;
}

const char *
kafka_denied(struct kafka *k)
{
	(void)k;
	return NULL;
}

void
kafka_complaint(struct kafka *k, char *out, size_t size)
{
	(void)k;
	if (size > 0)
		out[0] = '\0';
}

int
kafka_seek(struct kafka *k, int64_t offset, struct error *err)
{
	(void)err;
	(void)pthread_mutex_lock(&fake.mutex);
	k->at = offset;
	k->told = -1;
	(void)pthread_mutex_unlock(&fake.mutex);
	return 0;
}

enum kafka_read
kafka_read(struct kafka *k, unsigned timeout_ms, struct kafka_message *out, struct error *err)
{
	enum kafka_read what = KAFKA_NOTHING;
	const struct fake_entry *e;

	(void)timeout_ms;
	(void)err;
	(void)pthread_mutex_lock(&fake.mutex);
	while (k->at < fake.end && fake.log[k->at].key == NULL)
		k->at++;
	if (k->at > fake.end) {
		what = KAFKA_GAP;
	} else if (k->at < fake.end) {
		e = &fake.log[k->at];
		*out = (struct kafka_message){ k->at++, e->key, e->value, e->key_len,
		    e->value_len };
		what = KAFKA_MESSAGE;
	} else if (k->told != fake.end) {
		*out = (struct kafka_message){ .offset = k->told = fake.end };
		what = KAFKA_END;
	}
	(void)pthread_mutex_unlock(&fake.mutex);
	return what;
}

int
kafka_lease(struct kafka *k, struct error *err)
{
	(void)err;
	(void)pthread_mutex_lock(&fake.mutex);
	if (fake.leased == NULL)
		fake.leased = k;
	(void)pthread_mutex_unlock(&fake.mutex);
	return 0;
}

bool
kafka_is_ours(struct kafka *k)
{
	bool ours;

	(void)pthread_mutex_lock(&fake.mutex);
	ours = fake.leased == k;
	(void)pthread_mutex_unlock(&fake.mutex);
	return ours;
}

void
kafka_resign(struct kafka *k)
{
	(void)k;
}

int
kafka_claim(struct kafka *k, unsigned timeout_ms, struct error *err)
{
	(void)timeout_ms;
	(void)err;
	(void)pthread_mutex_lock(&fake.mutex);
	fake.claimed = k;
	(void)pthread_mutex_unlock(&fake.mutex);
	return 0;
}

void
kafka_unclaim(struct kafka *k)
{
	(void)pthread_mutex_lock(&fake.mutex);
	if (fake.claimed == k)
		fake.claimed = NULL;
	(void)pthread_mutex_unlock(&fake.mutex);
}

enum kafka_outcome
kafka_append(struct kafka *k, const struct kafka_record *records, size_t n, unsigned timeout_ms,
    struct error *err)
{
	enum kafka_outcome outcome = KAFKA_DONE;
	struct fake_entry e;

	(void)timeout_ms;
	(void)pthread_mutex_lock(&fake.mutex);
	if (fake.claimed != k) {
		outcome = KAFKA_FENCED;
	} else if (fake.refuse > 0) {
		fake.refuse--;
		outcome = KAFKA_REFUSED;
	}
	for (size_t i = 0; i < n && outcome != KAFKA_FENCED; i++) {
		e = fake_copy(records[i].key, records[i].key_len, records[i].value,
		    records[i].value_len);
		if (outcome == KAFKA_DONE)
			fake_put(e);
		else if (fake.aborted_count < 64)
			fake.aborted[fake.aborted_count++] = e;
		else
			fake_entry_free(&e);
	}
	fake.end += outcome == KAFKA_FENCED ? 0 : outcome == KAFKA_DONE ? 1 : (int64_t)n + 1;
	(void)pthread_mutex_unlock(&fake.mutex);
	if (outcome == KAFKA_DONE)
		fake_wake();
	else
		error_set(err, ERROR_IO, "the topic did not take it");
	return outcome;
}

#endif /* !SUPPORT_FAKE_KAFKA_H */

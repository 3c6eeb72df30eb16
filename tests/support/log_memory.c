#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/vec.h"
#include "registry/log/log.h"
#include "log_memory.h"

struct error;
struct log_record;

struct stored {
	uint64_t offset;
	unsigned char *bytes;	/* key, then value */
	size_t key_len;
	size_t value_len;
	bool tombstone;
};

/* All but the views: under the mutex. */
struct log_memory {
	pthread_mutex_t mutex;
	struct vec records;	/* struct stored, by offset */
	struct vec faults;
	struct vec late;	/* batches that are held back */
	unsigned late_one_in;
	size_t landed;
	size_t failing_claims;
	uint64_t next;
	uint64_t epoch;		/* of the last claim */
	uint64_t random;
};

uint64_t log_memory_draw(struct log_memory *m);

/* All of it, or nothing; then a gap such as the end of a transaction leaves. */
int log_memory_write(struct log_memory *m, const struct log_record *batch, size_t n,
    struct error *err);

void log_memory_late_init(struct log_memory *m);
void log_memory_late_release(struct log_memory *m);

/* Hold a batch back. */
int log_memory_late_add(struct log_memory *m, const struct log_record *batch, size_t n,
    struct error *err);

/* Write those of which the time has come. */
void log_memory_late_arrive(struct log_memory *m);

/* Forget the rest: the fence is up. */
void log_memory_late_drop(struct log_memory *m);

/* The simulator's compaction. */

/* By key, then by offset. */
static int
compare(const void *a, const void *b)
{
	const struct stored *x = *(struct stored *const *)a;
	const struct stored *y = *(struct stored *const *)b;
	size_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
	int order = memcmp(x->bytes, y->bytes, n);

	if (order != 0)
		return order;
	if (x->key_len != y->key_len)
		return x->key_len < y->key_len ? -1 : 1;
	return x->offset < y->offset ? -1 : 1;
}

static bool
same_key(const struct stored *a, const struct stored *b)
{
	return a->key_len == b->key_len && memcmp(a->bytes, b->bytes, a->key_len) == 0;
}

static void
drop(struct stored *s)
{
	free(s->bytes);
	s->bytes = NULL;
}

static void
compact(struct log_memory *m, struct stored **order, bool all)
{
	struct stored *records = m->records.items;
	size_t n = m->records.len;
	size_t i, left = 0;

	for (i = 0; i < n; i++)
		order[i] = &records[i];
	qsort(order, n, sizeof(*order), compare);
	for (i = 0; i < n; i++) {
		/* The one after it is still there to be compared with. */
		bool replaced = i + 1 < n && same_key(order[i], order[i + 1]);

		if (all ? replaced || order[i]->tombstone : replaced && log_memory_draw(m) % 2 == 0)
			drop(order[i]);
	}
	for (i = 0; i < n; i++) {
		if (records[i].bytes != NULL)
			records[left++] = records[i];
	}
	m->records.len = left;
}

void
log_memory_compact(struct log_memory *m, bool all)
{
	struct stored **order;

	pthread_mutex_lock(&m->mutex);
	order = m->records.len > 0 ? calloc(m->records.len, sizeof(struct stored *)) : NULL;
	if (order != NULL)
		compact(m, order, all);
	free(order);
	pthread_mutex_unlock(&m->mutex);
}

/* Batches that the simulator holds back, to land behind later ones. */

#define LATE_MAX 1024

struct late {
	struct log_record *records;
	size_t n;
	unsigned char *bytes;	/* of all keys and values */
};

static void
release(struct late *l)
{
	free(l->records);
	free(l->bytes);
}

void
log_memory_late_init(struct log_memory *m)
{
	vec_init(&m->late, sizeof(struct late), LATE_MAX);
}

void
log_memory_late_drop(struct log_memory *m)
{
	size_t i;

	for (i = 0; i < m->late.len; i++)
		release(vec_at(&m->late, i));
	m->late.len = 0;
}

void
log_memory_late_release(struct log_memory *m)
{
	log_memory_late_drop(m);
	vec_release(&m->late);
}

static const void *
copy(unsigned char **at, const void *bytes, size_t n)
{
	unsigned char *to = *at;

	if (n > 0)
		memcpy(to, bytes, n);
	*at += n;
	return to;
}

int
log_memory_late_add(struct log_memory *m, const struct log_record *batch, size_t n,
    struct error *err)
{
	struct late l = { .records = calloc(n, sizeof(*l.records)), .n = n };
	struct late *kept;
	unsigned char *at;
	size_t room = 1, i;

	for (i = 0; i < n; i++)
		room += batch[i].key_len + batch[i].value_len;
	l.bytes = at = malloc(room);
	kept = l.records != NULL && l.bytes != NULL ? vec_push(&m->late) : NULL;
	if (kept == NULL) {
		release(&l);
		return error_memory(err);
	}
	for (i = 0; i < n; i++) {
		l.records[i] = batch[i];
		l.records[i].key = copy(&at, batch[i].key, batch[i].key_len);
		if (batch[i].value != NULL)
			l.records[i].value = copy(&at, batch[i].value, batch[i].value_len);
	}
	*kept = l;
	return 0;
}

/* Write one, whole, and once. */
static void
land(struct log_memory *m, size_t i)
{
	struct late *all = m->late.items;

	if (log_memory_write(m, all[i].records, all[i].n, NULL) == 0)
		m->landed++;
	release(&all[i]);
	all[i] = all[--m->late.len];
}

void
log_memory_late_arrive(struct log_memory *m)
{
	size_t i;

	/* Those that came last first: their order may change, too. */
	for (i = m->late.len; m->late_one_in > 0 && i > 0; i--) {
		if (log_memory_draw(m) % m->late_one_in == 0)
			land(m, i - 1);
	}
}

void
log_memory_late(struct log_memory *m, unsigned one_in)
{
	pthread_mutex_lock(&m->mutex);
	m->late_one_in = one_in;
	pthread_mutex_unlock(&m->mutex);
}

void
log_memory_land(struct log_memory *m)
{
	pthread_mutex_lock(&m->mutex);
	while (m->late.len > 0)
		land(m, m->late.len - 1);
	pthread_mutex_unlock(&m->mutex);
}

size_t
log_memory_landed(struct log_memory *m)
{
	size_t n;

	pthread_mutex_lock(&m->mutex);
	n = m->landed;
	pthread_mutex_unlock(&m->mutex);
	return n;
}

#define RECORDS_MAX ((size_t)1 << 26)
#define FAULTS_MAX 1024
#define GAP_MAX 2	/* offsets that a transaction's end may use up */

struct fault {
	size_t after;		/* appends that come before it */
	enum log_memory_fault what;
};

struct view {
	struct log_memory *topic;
	uint64_t epoch;		/* 0: never claimed */
};

/* splitmix64, https://prng.di.unimi.it/splitmix64.c */
uint64_t
log_memory_draw(struct log_memory *m)
{
	uint64_t z = m->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

struct log_memory *
log_memory_new(uint64_t seed)
{
	struct log_memory *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	pthread_mutex_init(&m->mutex, NULL);
	vec_init(&m->records, sizeof(struct stored), RECORDS_MAX);
	vec_init(&m->faults, sizeof(struct fault), FAULTS_MAX);
	log_memory_late_init(m);
	m->random = seed;
	return m;
}

/* Forget the records from the ${from}th on. */
static void
cut(struct log_memory *m, size_t from)
{
	size_t i;

	for (i = from; i < m->records.len; i++)
		free(((struct stored *)vec_at(&m->records, i))->bytes);
	m->records.len = from;
}

void
log_memory_free(struct log_memory *m)
{
	if (m == NULL)
		return;
	cut(m, 0);
	vec_release(&m->records);
	vec_release(&m->faults);
	log_memory_late_release(m);
	pthread_mutex_destroy(&m->mutex);
	free(m);
}

static int
keep(struct log_memory *m, uint64_t offset, const struct log_record *r)
{
	unsigned char *bytes = malloc(r->key_len + r->value_len + 1);
	struct stored *s = bytes != NULL ? vec_push(&m->records) : NULL;

	if (s == NULL) {
		free(bytes);
		return -1;
	}
	if (r->key_len > 0)
		memcpy(bytes, r->key, r->key_len);
	if (r->value_len > 0)
		memcpy(bytes + r->key_len, r->value, r->value_len);
	s->offset = offset;
	s->bytes = bytes;
	s->key_len = r->key_len;
	s->value_len = r->value_len;
	s->tombstone = r->value == NULL;
	return 0;
}

int
log_memory_write(struct log_memory *m, const struct log_record *batch, size_t n,
    struct error *err)
{
	size_t before = m->records.len;
	size_t i;

	for (i = 0; i < n; i++) {
		if (keep(m, m->next + i, &batch[i]) == -1) {
			cut(m, before);
			return error_memory(err);
		}
	}
	m->next += n + log_memory_draw(m) % (GAP_MAX + 1);
	return 0;
}

/* The fault that this append meets.  false: none. */
static bool
take_fault(struct log_memory *m, enum log_memory_fault *what)
{
	struct fault *faults = m->faults.items;
	bool met = false;
	size_t i, left = 0;

	for (i = 0; i < m->faults.len; i++) {
		if (faults[i].after == 0 && !met) {
			*what = faults[i].what;
			met = true;
			continue;
		}
		if (faults[i].after > 0)
			faults[i].after--;
		faults[left++] = faults[i];
	}
	m->faults.len = left;
	return met;
}

static int
append(struct view *v, const struct log_record *batch, size_t n,
    uint64_t *first, struct error *err)
{
	struct log_memory *m = v->topic;
	enum log_memory_fault fault;
	uint64_t at;

	if (v->epoch != m->epoch)
		return error_set(err, ERROR_BUSY, "another writer has claimed the log");
	log_memory_late_arrive(m);
	at = m->next;
	if (!take_fault(m, &fault)) {
		if (log_memory_write(m, batch, n, err) == -1)
			return -1;
		*first = at;
		return 0;
	}
	if (fault == LOG_MEMORY_FAIL)
		return error_set(err, ERROR_IO, "the log does not take it");
	if (fault == LOG_MEMORY_LOSE_ANSWER && log_memory_write(m, batch, n, err) == -1)
		return -1;
	if (fault == LOG_MEMORY_DELAY && log_memory_late_add(m, batch, n, err) == -1)
		return -1;
	return error_set(err, ERROR_STALE, "the log has not answered");
}

static int
view_append(void *self, const struct log_record *batch, size_t n,
    uint64_t *first, struct error *err)
{
	struct view *v = self;
	int result;

	pthread_mutex_lock(&v->topic->mutex);
	result = append(v, batch, n, first, err);
	log_memory_late_arrive(v->topic);
	pthread_mutex_unlock(&v->topic->mutex);
	return result;
}

/* The place of the first record at ${from} or after. */
static size_t
find(const struct log_memory *m, uint64_t from)
{
	size_t low = 0, high = m->records.len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct stored *s = vec_at(&m->records, middle);

		if (s->offset < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
view_read(void *self, uint64_t from, log_visit *visit, void *cookie,
    struct error *err)
{
	struct log_memory *m = ((struct view *)self)->topic;
	int result = 0;
	size_t i;

	pthread_mutex_lock(&m->mutex);
	log_memory_late_arrive(m);
	for (i = find(m, from); i < m->records.len && result == 0; i++) {
		const struct stored *s = vec_at(&m->records, i);
		struct log_record r = {
			.key = s->bytes, .key_len = s->key_len,
			.value = s->tombstone ? NULL : s->bytes + s->key_len,
			.value_len = s->value_len,
		};

		if (visit(cookie, s->offset, &r, err) != 0)
			result = -1;
	}
	pthread_mutex_unlock(&m->mutex);
	return result;
}

static int
view_end(void *self, uint64_t *end, struct error *err)
{
	struct log_memory *m = ((struct view *)self)->topic;

	(void)err;
	pthread_mutex_lock(&m->mutex);
	log_memory_late_arrive(m);
	*end = m->next;
	pthread_mutex_unlock(&m->mutex);
	return 0;
}

static int
view_claim(void *self, const char *node, uint64_t *epoch, struct error *err)
{
	struct view *v = self;
	struct log_memory *m = v->topic;
	int result = 0;

	(void)node;
	pthread_mutex_lock(&m->mutex);
	/* Before the fence is up, but not after. */
	log_memory_late_arrive(m);
	if (m->failing_claims > 0) {
		m->failing_claims--;
		result = error_set(err, ERROR_IO, "the log cannot be claimed");
	} else {
		log_memory_late_drop(m);
		*epoch = v->epoch = ++m->epoch;
	}
	pthread_mutex_unlock(&m->mutex);
	return result;
}

static const struct log_ops ops = {
	.append = view_append,
	.read = view_read,
	.end = view_end,
	.claim = view_claim,
	.backup = NULL,
	.free = free,
};

struct log *
log_memory_view(struct log_memory *m)
{
	struct log *l = calloc(1, sizeof(*l));
	struct view *v = calloc(1, sizeof(*v));

	if (l == NULL || v == NULL) {
		free(l);
		free(v);
		return NULL;
	}
	v->topic = m;
	l->ops = &ops;
	l->self = v;
	return l;
}

void
log_memory_fault_at(struct log_memory *m, size_t n, enum log_memory_fault f)
{
	struct fault *fault;

	pthread_mutex_lock(&m->mutex);
	fault = vec_push(&m->faults);
	if (fault != NULL) {
		fault->after = n;
		fault->what = f;
	}
	pthread_mutex_unlock(&m->mutex);
}

void
log_memory_fail_claims(struct log_memory *m, size_t n)
{
	pthread_mutex_lock(&m->mutex);
	m->failing_claims = n;
	pthread_mutex_unlock(&m->mutex);
}

uint64_t
log_memory_inject(struct log_memory *m, const void *key, size_t key_len,
    const void *value, size_t value_len)
{
	struct log_record r = { key, key_len, value, value_len };
	uint64_t at;

	pthread_mutex_lock(&m->mutex);
	at = m->next;
	if (log_memory_write(m, &r, 1, NULL) == -1)
		at = UINT64_MAX;
	pthread_mutex_unlock(&m->mutex);
	return at;
}

/* The simulator's compaction. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/log_memory.h"
#include "tests/support/log_memory_internal.h"

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

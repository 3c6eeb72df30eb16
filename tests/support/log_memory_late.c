/* Batches that the simulator holds back, to land behind later ones. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/log/log.h"
#include "tests/support/log_memory.h"
#include "tests/support/log_memory_internal.h"

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

#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "registry/audit/audit_macs.h"

#define KEPT 32

struct audit_macs {
	const struct key *key;
	const char *purpose;
	pthread_mutex_t lock;
	size_t count;
	struct mac *free[KEPT];
};

struct audit_macs *
audit_macs_new(const struct key *k, const char *purpose, struct error *err)
{
	struct audit_macs *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		error_memory(err);
		return NULL;
	}
	m->key = k;
	m->purpose = purpose;
	pthread_mutex_init(&m->lock, NULL);
	if ((m->free[0] = mac_new(k, purpose, err)) == NULL) {
		audit_macs_free(m);
		return NULL;
	}
	m->count = 1;
	return m;
}

void
audit_macs_free(struct audit_macs *m)
{
	if (m == NULL)
		return;
	while (m->count > 0)
		mac_free(m->free[--m->count]);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

struct mac *
audit_macs_take(struct audit_macs *m)
{
	struct mac *one = NULL;

	pthread_mutex_lock(&m->lock);
	if (m->count > 0)
		one = m->free[--m->count];
	pthread_mutex_unlock(&m->lock);
	return one != NULL ? one : mac_new(m->key, m->purpose, NULL);
}

void
audit_macs_give(struct audit_macs *m, struct mac *one)
{
	pthread_mutex_lock(&m->lock);
	if (m->count < KEPT) {
		m->free[m->count++] = one;
		one = NULL;
	}
	pthread_mutex_unlock(&m->lock);
	mac_free(one);
}

#include "registry/api/tally.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "registry/api/route.h"

const int tally_statuses[] = {
	200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 422, 429,
	500, 503, 504, 0,
};
#define STATUSES (sizeof(tally_statuses) / sizeof(tally_statuses[0]))

const uint64_t tally_bounds[] = {
	100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 25000000, 50000000,
	100000000, 250000000, 500000000, 1000000000, 5000000000,
};
#define BOUNDS (sizeof(tally_bounds) / sizeof(tally_bounds[0]))

typedef _Atomic uint64_t count;

struct row {
	count requests[STATUSES];
	count ns;
};

struct tally {
	count buckets[BOUNDS + 1];
	count undecryptable;
	count logins_failed;
	struct row rows[];	/* route_count() + 1 */
};

size_t
tally_status_count(void)
{
	return STATUSES;
}

size_t
tally_bound_count(void)
{
	return BOUNDS;
}

struct tally *
tally_new(struct error *err)
{
	struct tally *t = calloc(1, sizeof(*t) + (route_count() + 1) * sizeof(t->rows[0]));

	if (t == NULL)
		error_memory(err);
	return t;
}

void
tally_free(struct tally *t)
{
	free(t);
}

/* Only the owner adds, so a load and a store do: no locked instruction. */
static void
add(count *c, uint64_t n)
{
	uint64_t now = atomic_load_explicit(c, memory_order_relaxed);

	atomic_store_explicit(c, now + n, memory_order_relaxed);
}

static uint64_t
get(const count *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

void
tally_count(struct tally *t, const struct endpoint *e, int status, uint64_t ns)
{
	size_t row = e != NULL ? (size_t)(e - route_at(0)) : route_count();
	size_t i = 0;

	while (i < STATUSES - 1 && tally_statuses[i] != status)
		i++;
	add(&t->rows[row].requests[i], 1);
	add(&t->rows[row].ns, ns);
	for (i = 0; i < BOUNDS && ns > tally_bounds[i]; i++)
		continue;
	add(&t->buckets[i], 1);
}

void
tally_undecryptable(struct tally *t)
{
	add(&t->undecryptable, 1);
}

void
tally_login_failed(struct tally *t)
{
	add(&t->logins_failed, 1);
}

uint64_t
tally_requests(const struct tally *t, size_t i, size_t j)
{
	return get(&t->rows[i].requests[j]);
}

uint64_t
tally_ns(const struct tally *t, size_t i)
{
	return get(&t->rows[i].ns);
}

uint64_t
tally_bucket(const struct tally *t, size_t i)
{
	return get(&t->buckets[i]);
}

uint64_t
tally_undecryptables(const struct tally *t)
{
	return get(&t->undecryptable);
}

uint64_t
tally_logins_failed(const struct tally *t)
{
	return get(&t->logins_failed);
}

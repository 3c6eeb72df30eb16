#include "plan/diff_order.h"

#include <stdint.h>
#include <stdlib.h>

#include "document/edits.h"

/* What a change is sorted by. */
struct rank {
	size_t line;	/* SIZE_MAX for a new line */
	size_t change;	/* keeps the order of equals */
};

static int
by_rank(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->change < y->change ? -1 : x->change > y->change;
}

size_t *
diff_order(const struct edits *e)
{
	size_t n = edits_count(e), line;
	size_t *order = calloc(n + 1, sizeof(*order));
	struct rank *ranks = calloc(n + 1, sizeof(*ranks));

	if (order == NULL || ranks == NULL) {
		free(ranks);
		free(order);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		line = edits_at(e, i).line;
		ranks[i] = (struct rank){ .line = line > 0 ? line : SIZE_MAX, .change = i };
	}
	qsort(ranks, n, sizeof(*ranks), by_rank);
	for (size_t i = 0; i < n; i++)
		order[i] = ranks[i].change;
	free(ranks);
	return order;
}

#include "registry/auth/bindings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "registry/auth/binding_json.h"
#include "registry/auth/operation.h"
#include "registry/auth/roles.h"
#include "registry/base/data_file.h"

/* One binding; the strings are in bindings.text. */
struct grant {
	const char *principal;
	const char *path;	/* NULL: the cluster */
	const struct role *role;
	unsigned operations;
	uint32_t len;
	enum binding_pattern pattern;
};

/* Whose grants stand from first up to end. */
struct holder {
	size_t first, literals, prefixes, end;
	unsigned cluster, anywhere;
};

struct bindings {
	struct grant *grants;
	size_t count;
	struct holder *holders;
	size_t holder_count;
	struct map *by_principal;
	char *text;
};

static int
compare_bytes(const char *a, size_t n, const char *b, size_t m)
{
	int d = memcmp(a, b, n < m ? n : m);

	return d != 0 ? d : (n > m) - (n < m);
}

static int
compare(const void *x, const void *y)
{
	const struct grant *a = x, *b = y;
	int d = strcmp(a->principal, b->principal);

	if (d == 0)
		d = (a->pattern > b->pattern) - (a->pattern < b->pattern);
	if (d == 0 && a->pattern != BINDING_CLUSTER)
		d = compare_bytes(a->path, a->len, b->path, b->len);
	return d;
}

/* What the role gives at such a place. */
static unsigned
operations_of(const struct role *r, enum binding_pattern pattern)
{
	if (r == NULL || (pattern == BINDING_CLUSTER ? !r->cluster : !r->path))
		return 0;
	return r->operations;
}

static const char *
keep(char **at, const char *text, size_t n)
{
	char *copy = *at;

	memcpy(copy, text, n);
	copy[n] = '\0';
	*at += n + 1;
	return copy;
}

/* Copy out of the JSON what look-ups need. */
static int
take(struct bindings *b, const json_t *list, const struct roles *roles, struct error *err)
{
	struct binding_json one;
	const json_t *item;
	size_t room = 1;
	size_t i;
	char *at;

	json_array_foreach(list, i, item) {
		if (binding_json_read(item, i, &one, err) != 0)
			return -1;
		room += strlen(one.principal) + one.path_len + 2;
	}
	b->grants = calloc(json_array_size(list) + 1, sizeof(*b->grants));
	b->text = at = malloc(room);
	if (b->grants == NULL || b->text == NULL)
		return error_memory(err);
	json_array_foreach(list, i, item) {
		struct grant *g = &b->grants[b->count];

		if (binding_json_read(item, i, &one, err) != 0)
			return -1;
		g->role = roles_find(roles, one.role);
		g->pattern = one.pattern;
		g->operations = operations_of(g->role, g->pattern);
		if (g->operations == 0)
			continue;
		g->principal = keep(&at, one.principal, strlen(one.principal));
		if (one.path != NULL)
			g->path = keep(&at, one.path, one.path_len);
		g->len = (uint32_t)one.path_len;
		b->count++;
	}
	return 0;
}

static int
index_holders(struct bindings *b, struct error *err)
{
	struct holder *h = NULL;
	size_t i;

	qsort(b->grants, b->count, sizeof(*b->grants), compare);
	b->by_principal = map_new();
	b->holders = calloc(b->count + 1, sizeof(*b->holders));
	if (b->by_principal == NULL || b->holders == NULL)
		return error_memory(err);
	for (i = 0; i < b->count; i++) {
		const struct grant *g = &b->grants[i];

		if (i == 0 || strcmp(g->principal, g[-1].principal) != 0) {
			if (map_put(b->by_principal, g->principal, strlen(g->principal),
			    b->holder_count) != 0)
				return error_memory(err);
			h = &b->holders[b->holder_count++];
			h->first = h->literals = h->prefixes = i;
		}
		h->end = i + 1;
		if (g->pattern == BINDING_CLUSTER)
			h->literals = i + 1;
		if (g->pattern != BINDING_PREFIXED)
			h->prefixes = i + 1;
		if (g->pattern == BINDING_CLUSTER)
			h->cluster |= g->operations;
		h->anywhere |= g->operations;
	}
	return 0;
}

struct bindings *
bindings_read(const char *data, const struct roles *roles, struct file_id *id,
    struct error *err)
{
	char *path = data_file_path(data, BINDINGS_FILE, err);
	struct bindings *b = NULL;
	json_t *root = NULL;
	const json_t *list;
	json_t *none = NULL;

	if (path == NULL || data_file_read(path, DATA_FILE_MAX, &root, id, err) != 0)
		goto fail;
	b = calloc(1, sizeof(*b));
	if (b == NULL) {
		error_memory(err);
		goto fail;
	}
	if (root != NULL && data_file_check_format(root, path, err) != 0)
		goto fail;
	list = root != NULL ? binding_json_list(root, err) : (none = json_array());
	if (list == NULL || take(b, list, roles, err) != 0 || index_holders(b, err) != 0) {
		error_place(err, path, 0);
		goto fail;
	}
	goto out;
fail:
	bindings_free(b);
	b = NULL;
out:
	json_decref(none);
	json_decref(root);
	free(path);
	return b;
}

void
bindings_free(struct bindings *b)
{
	if (b == NULL)
		return;
	map_free(b->by_principal);
	free(b->holders);
	free(b->grants);
	free(b->text);
	free(b);
}

static const struct holder *
find(const struct bindings *b, const char *principal)
{
	size_t i;

	if (!map_get(b->by_principal, principal, strlen(principal), &i))
		return NULL;
	return &b->holders[i];
}

unsigned
bindings_anywhere(const struct bindings *b, const char *principal)
{
	const struct holder *h = find(b, principal);

	return h != NULL ? h->anywhere : 0;
}

static bool
granted(const struct grant *g, struct access_reason *why)
{
	static const char *const words[] = {
		[BINDING_CLUSTER] = "CLUSTER",
		[BINDING_LITERAL] = "LITERAL",
		[BINDING_PREFIXED] = "PREFIXED",
	};

	if (why != NULL) {
		memcpy(why->role, g->role->name, sizeof(why->role));
		why->pattern = words[g->pattern];
	}
	return true;
}

/* The first grant of a path that is not before ${path}. */
static size_t
lower_bound(const struct bindings *b, const struct holder *h, const char *path, size_t n)
{
	size_t low = h->literals, high = h->prefixes;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct grant *g = &b->grants[mid];

		if (compare_bytes(g->path, g->len, path, n) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
is_prefix(const struct grant *g, const char *path, size_t n)
{
	return g->len <= n && memcmp(g->path, path, g->len) == 0;
}

bool
bindings_allow(const struct bindings *b, const char *principal, enum operation op,
    const char *path, size_t n, struct access_reason *why)
{
	const struct holder *h = find(b, principal);
	unsigned bit = OPERATION_BIT(op);
	size_t i;

	if (h == NULL || (h->anywhere & bit) == 0)
		return false;
	if ((h->cluster & bit) != 0) {
		for (i = h->first; (b->grants[i].operations & bit) == 0; i++)
			;
		return granted(&b->grants[i], why);
	}
	if (path == NULL)
		return false;
	for (i = lower_bound(b, h, path, n); i < h->prefixes; i++) {
		const struct grant *g = &b->grants[i];

		if (g->len != n || memcmp(g->path, path, n) != 0)
			break;
		if ((g->operations & bit) != 0)
			return granted(g, why);
	}
	for (i = h->prefixes; i < h->end; i++) {
		const struct grant *g = &b->grants[i];

		if ((g->operations & bit) != 0 && is_prefix(g, path, n))
			return granted(g, why);
	}
	return false;
}

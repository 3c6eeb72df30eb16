#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/map.h"
#include "registry/log/log.h"
#include "registry/store/state_internal.h"

#define WIDTH 64		/* items of a leaf, children of a branch */
#define HEIGHT_MAX 12		/* 2^32 items need 7 */
#define FIRST_SLOTS 64

struct leaf {
	uint16_t n, cap;
	void *item[];
};

/* min[i] is the smallest item below child[i]; that of the first is not kept. */
struct branch {
	uint16_t n;
	void *child[WIDTH];
	void *min[WIDTH];
};

uint64_t
state_cost(size_t n)
{
	uint64_t chunk = ((uint64_t)n + 8 + 15) & ~UINT64_C(15);

	return chunk < 32 ? 32 : chunk;
}

static int
state_index_compare(const struct state_index *x, const void *item, const char *name, size_t n)
{
	size_t len = *(const uint16_t *)item;
	int order = memcmp((const char *)item + x->name_at, name, len < n ? len : n);

	if (order != 0)
		return order;
	return len < n ? -1 : len > n;
}

/* How many of the items are less than the name, or (${equal}) equal to it. */
static size_t
state_index_rank(const struct state_index *x, void *const *items, size_t count, const char *name,
    size_t n, bool equal)
{
	size_t low = 0, high = count, middle;
	int order;

	while (low < high) {
		middle = (low + high) / 2;
		order = state_index_compare(x, items[middle], name, n);
		if (order < 0 || (equal && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The child of a branch below which the name belongs. */
static size_t
child_of(const struct state_index *x, const struct branch *b, const char *name, size_t n)
{
	return state_index_rank(x, b->min + 1, b->n - 1U, name, n, true);
}

/* The leaf's items for a name; ${*next} is the item after that leaf. */
static void *const *
descend(const struct state_index *x, const char *name, size_t n, size_t *count, void **next)
{
	const void *node = x->root;
	unsigned height;
	size_t i;

	*next = NULL;
	if (x->count <= 1) {
		*count = x->count;
		return &x->root;
	}
	for (height = x->height; height > 0; height--) {
		const struct branch *b = node;

		i = child_of(x, b, name, n);
		if (i + 1 < b->n)
			*next = b->min[i + 1];
		node = b->child[i];
	}
	*count = ((const struct leaf *)node)->n;
	return ((const struct leaf *)node)->item;
}

void *
state_index_find(const struct state_index *x, const char *name, size_t n)
{
	void *next;
	size_t count, i;
	void *const *items = descend(x, name, n, &count, &next);

	i = state_index_rank(x, items, count, name, n, false);
	return i < count && state_index_compare(x, items[i], name, n) == 0 ? items[i] : NULL;
}

void *
state_index_after(const struct state_index *x, const char *name, size_t n)
{
	void *next;
	size_t count, i;
	void *const *items = descend(x, name, n, &count, &next);

	i = state_index_rank(x, items, count, name, n, true);
	return i < count ? items[i] : next;
}

static size_t
leaf_size(size_t cap)
{
	return sizeof(struct leaf) + cap * sizeof(void *);
}

static bool
is_full(const void *node, unsigned height)
{
	return (height > 0 ? ((const struct branch *)node)->n : ((const struct leaf *)node)->n) ==
	    WIDTH;
}

/* Where to cut a full node: names that come in order leave full ones behind. */
static size_t
state_index_cut(const struct state_index *x, const void *last, const char *name, size_t n)
{
	return state_index_compare(x, last, name, n) < 0 ? WIDTH - 1 : WIDTH / 2;
}

/* Cut child ${i}, which is full, in two; the branch has room for another. */
static int
state_index_split(struct state_index *x, struct branch *b, size_t i, unsigned height,
    const char *name, size_t n, uint64_t *bytes)
{
	void *right, *min;
	size_t at;

	if (height == 0) {
		struct leaf *from = b->child[i];
		struct leaf *to = malloc(leaf_size(WIDTH));

		if (to == NULL)
			return -1;
		at = state_index_cut(x, from->item[WIDTH - 1], name, n);
		to->cap = WIDTH;
		to->n = (uint16_t)(WIDTH - at);
		memcpy(to->item, from->item + at, to->n * sizeof(void *));
		from->n = (uint16_t)at;
		min = to->item[0];
		right = to;
		*bytes += state_cost(leaf_size(WIDTH));
	} else {
		struct branch *from = b->child[i];
		struct branch *to = malloc(sizeof(*to));

		if (to == NULL)
			return -1;
		at = state_index_cut(x, from->min[WIDTH - 1], name, n);
		to->n = (uint16_t)(WIDTH - at);
		memcpy(to->child, from->child + at, to->n * sizeof(void *));
		memcpy(to->min, from->min + at, to->n * sizeof(void *));
		from->n = (uint16_t)at;
		min = to->min[0];
		right = to;
		*bytes += state_cost(sizeof(*to));
	}
	memmove(b->child + i + 2, b->child + i + 1, (b->n - i - 1) * sizeof(void *));
	memmove(b->min + i + 2, b->min + i + 1, (b->n - i - 1) * sizeof(void *));
	b->child[i + 1] = right;
	b->min[i + 1] = min;
	b->n++;
	return 0;
}

/* A new root above the old one, which is full. */
static int
grow_up(struct state_index *x, uint64_t *bytes)
{
	struct branch *b = x->height < HEIGHT_MAX ? malloc(sizeof(*b)) : NULL;

	if (b == NULL)
		return -1;
	b->n = 1;
	b->child[0] = x->root;
	b->min[0] = NULL;
	x->root = b;
	x->height++;
	*bytes += state_cost(sizeof(*b));
	return 0;
}

/* Room for one more in the leaf, which is not at its widest. */
static struct leaf *
state_index_widen(void **slot, uint64_t *bytes)
{
	struct leaf *l = *slot;
	size_t cap = l->cap;

	if (l->n < cap)
		return l;
	l = realloc(l, leaf_size(2 * cap));
	if (l == NULL)
		return NULL;
	l->cap = (uint16_t)(2 * cap);
	*slot = l;
	*bytes += state_cost(leaf_size(2 * cap)) - state_cost(leaf_size(cap));
	return l;
}

/* The first two items. */
static int
first_leaf(struct state_index *x, void *item, const char *name, size_t n, uint64_t *bytes)
{
	struct leaf *l = malloc(leaf_size(2));
	bool before;

	if (l == NULL)
		return -1;
	before = state_index_compare(x, x->root, name, n) > 0;
	l->n = l->cap = 2;
	l->item[before ? 0 : 1] = item;
	l->item[before ? 1 : 0] = x->root;
	x->root = l;
	x->count = 2;
	*bytes += state_cost(leaf_size(2));
	return 0;
}

/* Adds an item whose name is not there yet; ${*bytes} grows by the memory
 * taken.  -1: no memory, and nothing was changed. */
static int
state_index_add(struct state_index *x, void *item, uint64_t *bytes)
{
	const char *name = (const char *)item + x->name_at;
	size_t n = *(const uint16_t *)item;
	void **slot = &x->root;
	unsigned height;
	struct leaf *l;
	size_t i;

	if (x->count == UINT32_MAX)
		return -1;
	if (x->count == 0) {
		x->root = item;
		x->count = 1;
		return 0;
	}
	if (x->count == 1)
		return first_leaf(x, item, name, n, bytes);
	/* Full nodes are cut on the way down, so that each cut is complete. */
	if (is_full(x->root, x->height) && grow_up(x, bytes) == -1)
		return -1;
	for (height = x->height; height > 0; height--) {
		struct branch *b = *slot;

		i = child_of(x, b, name, n);
		if (is_full(b->child[i], height - 1)) {
			if (state_index_split(x, b, i, height - 1, name, n, bytes) == -1)
				return -1;
			i = child_of(x, b, name, n);
		}
		slot = &b->child[i];
	}
	l = state_index_widen(slot, bytes);
	if (l == NULL)
		return -1;
	i = state_index_rank(x, l->item, l->n, name, n, false);
	memmove(l->item + i + 1, l->item + i, (l->n - i) * sizeof(void *));
	l->item[i] = item;
	l->n++;
	x->count++;
	return 0;
}

static void
release(void *node, unsigned height, void (*each)(void *item))
{
	size_t i;

	if (height > 0) {
		struct branch *b = node;

		for (i = 0; i < b->n; i++)
			release(b->child[i], height - 1, each);
	} else {
		struct leaf *l = node;

		for (i = 0; i < l->n; i++)
			each(l->item[i]);
	}
	free(node);
}

/* Free the tree; ${each} gets every item.  Its cost is a call an item. */
static void
state_index_release(struct state_index *x, void (*each)(void *item))
{
	if (x->count == 1)
		each(x->root);
	else if (x->count > 1)
		release(x->root, x->height, each);
	x->root = NULL;
	x->count = 0;
	x->height = 0;
}

/* Paths and keys: made when first seen, and kept, since numbers are never
 * used again. */

static uint32_t
hash(const struct state *s, const char *name, size_t n)
{
	return (uint32_t)siphash_13(s->seed, name, n);
}

/* The slot that holds the name, or the free one where it belongs. */
static struct state_path **
slot_of(const struct state *s, uint32_t h, const char *name, size_t n)
{
	size_t i = h & (s->table_size - 1);
	const struct state_path *p;

	while ((p = s->table[i]) != NULL) {
		if (p->hash == h && p->name_len == n && memcmp(p->name, name, n) == 0)
			break;
		i = (i + 1) & (s->table_size - 1);
	}
	return &s->table[i];
}

static int
state_paths_grow(struct state *s)
{
	size_t size = s->table_size > 0 ? 2 * s->table_size : FIRST_SLOTS;
	struct state_path **old = s->table;
	size_t i, j, old_size = s->table_size;

	s->table = calloc(size, sizeof(*s->table));
	if (s->table == NULL) {
		s->table = old;
		return -1;
	}
	s->table_size = size;
	s->counts.bytes += (size - old_size) * sizeof(*s->table);
	for (i = 0; i < old_size; i++) {
		if (old[i] == NULL)
			continue;
		for (j = old[i]->hash & (size - 1); s->table[j] != NULL; )
			j = (j + 1) & (size - 1);
		s->table[j] = old[i];
	}
	free(old);
	return 0;
}

struct state_path *
state_path_any(const struct state *s, const char *name, size_t n)
{
	return s->table_size > 0 ? *slot_of(s, hash(s, name, n), name, n) : NULL;
}

struct state_path *
state_path_put(struct state *s, const char *name, size_t n)
{
	struct state_path *p = state_path_any(s, name, n);
	size_t size = offsetof(struct state_path, name) + n + 1;

	if (p != NULL)
		return p;
	if (s->paths.count >= s->table_size / 4 * 3 && state_paths_grow(s) == -1)
		return NULL;
	p = calloc(1, size);
	if (p == NULL)
		return NULL;
	p->name_len = (uint16_t)n;
	memcpy(p->name, name, n);
	p->hash = hash(s, name, n);
	p->keys.name_at = offsetof(struct state_key, name);
	if (state_index_add(&s->paths, p, &s->counts.bytes) == -1) {
		free(p);
		return NULL;
	}
	*slot_of(s, p->hash, name, n) = p;
	s->counts.bytes += state_cost(size);
	return p;
}

struct state_key *
state_key_put(struct state *s, struct state_path *p, const char *name, size_t n)
{
	struct state_key *k = state_index_find(&p->keys, name, n);
	size_t size = offsetof(struct state_key, name) + n + 1;

	if (k != NULL)
		return k;
	k = calloc(1, size);
	if (k == NULL)
		return NULL;
	k->name_len = (uint16_t)n;
	k->path = p;
	memcpy(k->name, name, n);
	if (state_index_add(&p->keys, k, &s->counts.bytes) == -1) {
		free(k);
		return NULL;
	}
	s->counts.bytes += state_cost(size);
	return k;
}

struct state_more *
state_more_put(struct state *s, struct state_key *k)
{
	if (k->more != NULL)
		return k->more;
	k->more = calloc(1, sizeof(*k->more));
	if (k->more == NULL)
		return NULL;
	k->more->key = k;
	s->counts.bytes += state_cost(sizeof(*k->more));
	return k->more;
}

void
state_raise_high(struct state *s, struct state_key *k, uint32_t high)
{
	(void)s;
	if (high <= k->high)
		return;
	if (k->high == 0)
		k->path->seen++;
	k->high = high;
}

static void
free_key(void *item)
{
	struct state_key *k = item;
	struct state_more *m = k->more;
	size_t i;

	if (k->count > 1) {
		for (i = 0; i < k->count; i++)
			free(k->versions.many[i]);
		free(k->versions.many);
	} else {
		free(k->versions.one);
	}
	if (m != NULL) {
		for (i = 0; i < m->loser_count; i++)
			free(m->losers[i]);
		free(m->losers);
		free(m->custom);
		free(m->deleted);
		free(m->destroyed);
		free(m);
	}
	free(k);
}

static void
free_path(void *item)
{
	struct state_path *p = item;

	state_index_release(&p->keys, free_key);
	free(p);
}

static void
state_paths_release(struct state *s)
{
	state_index_release(&s->paths, free_path);
}

const char *
state_principal_put(struct state *s, const char *name)
{
	size_t n = s->principal_count;
	size_t len = strlen(name);
	char **more, *copy;
	size_t found;

	if (map_get(s->principal_index, name, len, &found))
		return s->principals[found];
	if ((n & (n - 1)) == 0) {
		more = realloc(s->principals, (n > 0 ? 2 * n : 1) * sizeof(*more));
		if (more == NULL)
			return NULL;
		s->principals = more;
	}
	copy = strdup(name);
	if (copy == NULL || map_put(s->principal_index, copy, len, n) == -1) {
		free(copy);
		return NULL;
	}
	s->principals[s->principal_count++] = copy;
	s->counts.bytes += state_cost(len + 1) + 64;
	return copy;
}

/* What changed lately, for those who watch. */

static struct state_change *
state_changes_at(const struct state *s, size_t i)
{
	return &s->changes[(s->change_first + i) % s->change_cap];
}

/* More room while there may be; the ring begins at its start again. */
static int
state_changes_grow(struct state *s)
{
	size_t cap = s->change_cap > 0 ? 2 * s->change_cap : 64;
	struct state_change *c;
	size_t i;

	c = malloc(cap * sizeof(*c));
	if (c == NULL)
		return -1;
	for (i = 0; i < s->change_count; i++)
		c[i] = *state_changes_at(s, i);
	free(s->changes);
	s->counts.bytes += (cap - s->change_cap) * sizeof(*c);
	s->changes = c;
	s->change_cap = cap;
	s->change_first = 0;
	return 0;
}

int
state_change_add(struct state *s, uint64_t offset, const struct state_key *k, uint32_t version,
    enum state_what what)
{
	if (s->change_count == s->change_cap) {
		if (s->change_cap < STATE_CHANGES_MAX) {
			if (state_changes_grow(s) == -1)
				return -1;
		} else {
			s->changes_from = state_changes_at(s, 0)->offset + 1;
			s->change_first = (s->change_first + 1) % s->change_cap;
			s->change_count--;
		}
	}
	*state_changes_at(s, s->change_count++) = (struct state_change){ offset, k, version, what };
	return 0;
}

/* The first remembered change at or after an offset. */
static size_t
first_from(const struct state *s, uint64_t since)
{
	size_t low = 0, high = s->change_count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (state_changes_at(s, middle)->offset < since)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t
state_changes(const struct state *s, uint64_t since, size_t max,
    void (*visit)(void *cookie, const struct change_view *c), void *cookie)
{
	static const char *const names[] = {
		[STATE_CREATED] = "created", [STATE_DELETED] = "deleted",
		[STATE_UNDELETED] = "undeleted", [STATE_DESTROYED] = "destroyed",
		[STATE_METADATA] = "metadata"
	};
	size_t first, last, i;

	if (since < s->changes_from)
		return 0;
	first = first_from(s, since);
	last = s->change_count;
	if (last - first > max) {
		/* Changes of one record stand together, or could not be gone on from. */
		for (last = first + max; last > first &&
		    state_changes_at(s, last)->offset == state_changes_at(s,
		    last - 1)->offset; last--)
			;
		for (; last == first || (last < s->change_count &&
		    state_changes_at(s, last)->offset == state_changes_at(s,
		    last - 1)->offset); last++)
			;
	}
	for (i = first; i < last; i++) {
		const struct state_change *c = state_changes_at(s, i);
		struct change_view view = {
			.offset = c->offset, .path = c->key->path->name, .key = c->key->name,
			.path_len = c->key->path->name_len, .key_len = c->key->name_len,
			.version = c->version, .what = names[c->what]
		};

		visit(cookie, &view);
	}
	if (last < s->change_count)
		return state_changes_at(s, last)->offset;
	return since > s->offset ? since : s->offset;
}

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

/*
 * Histories by chance, in batches, with restarts and rotations in between: what
 * can be read is at any time what a model of a few lines says.
 */
#include "store_support.h"

#define KEYS 6
#define NUMBERS 400
#define STEPS 500
#define HISTORIES 6

enum kind { NEVER, LIVE, DELETED, GONE };

struct key {
	const char *path, *name;
	uint32_t high, most;
	enum kind kind[NUMBERS];
	int64_t at[NUMBERS];		/* when it was deleted */
	int value[NUMBERS];
};

static struct key keys[KEYS];

/* 0..n-1, by https://prng.di.unimi.it/splitmix64.c */
static uint64_t
roll(uint64_t *seed, uint64_t n)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % n;
}

static void
begin(void)
{
	static const char *const names[KEYS][2] = { { "p", "a" }, { "p", "b" }, { "p", "c" },
	    { "q", "a" }, { "q", "z" }, { "r-1", "a" } };

	memset(keys, 0, sizeof(keys));
	for (int i = 0; i < KEYS; i++) {
		keys[i].path = names[i][0];
		keys[i].name = names[i][1];
	}
	store_clock = 1000000;
}

/* What is due is gone: by the model as in the store, after each step. */
static void
model_sweep(void)
{
	for (int i = 0; i < KEYS; i++) {
		for (uint32_t n = 1; n <= keys[i].high; n++) {
			if (keys[i].kind[n] == DELETED &&
			    store_clock - keys[i].at[n] >= STORE_WINDOW)
				keys[i].kind[n] = GONE;
		}
	}
}

static void
model_prune(struct key *k)
{
	uint32_t held = 0, n;

	for (n = 1; n <= k->high; n++)
		held += k->kind[n] == LIVE || k->kind[n] == DELETED;
	for (n = 1; k->most > 0 && held > k->most; n++) {
		if (k->kind[n] == LIVE || k->kind[n] == DELETED) {
			k->kind[n] = GONE;
			held--;
		}
	}
}

static uint32_t
model_delete(struct key *k, uint32_t number)
{
	uint32_t deleted = 0;

	for (uint32_t n = 1; n <= k->high; n++) {
		if (k->kind[n] != LIVE || (number != 0 && n != number))
			continue;
		k->kind[n] = DELETED;
		k->at[n] = store_clock;
		deleted++;
	}
	return deleted;
}

/* What the model makes of an op; the result that the store must tell. */
static enum store_result
model(const struct store_op *op, struct key *k, int value)
{
	uint32_t n = op->version, deleted = 0;

	switch (op->action) {
	case STORE_CREATE:
		k->high++;
		k->kind[k->high] = LIVE;
		k->value[k->high] = value;
		model_prune(k);
		return STORE_DONE;
	case STORE_DELETE_VERSION:
		return model_delete(k, n) > 0 ? STORE_DONE : STORE_ABSENT;
	case STORE_DELETE_KEY:
		return model_delete(k, 0) > 0 ? STORE_DONE : STORE_ABSENT;
	case STORE_DELETE_PATH:
		for (int i = 0; i < KEYS; i++) {
			if (strcmp(keys[i].path, k->path) == 0)
				deleted += model_delete(&keys[i], 0);
		}
		return deleted > 0 ? STORE_DONE : STORE_ABSENT;
	case STORE_UNDELETE:
		if (n > k->high)
			return STORE_ABSENT;
		if (k->kind[n] == GONE)
			return STORE_DESTROYED;
		k->kind[n] = LIVE;
		return STORE_DONE;
	case STORE_DESTROY:
		if (n > k->high || k->kind[n] == GONE)
			return STORE_ABSENT;
		k->kind[n] = GONE;
		return STORE_DONE;
	default:
		k->most = op->max_versions;
		return STORE_DONE;
	}
}

static void
check_key(struct reader *r, const struct key *k)
{
	struct secret_name name = store_name(k->path, k->name);
	struct key_settings settings;
	struct version_view v;
	uint32_t latest = 0, after = 0;

	for (uint32_t n = 1; n <= k->high; n++) {
		int found = reader_version(r, &name, n, false, &v, NULL);

		assert_int_equal(found, k->kind[n] == LIVE || k->kind[n] == DELETED);
		if (found == 0)
			continue;
		assert_int_equal(v.status, k->kind[n] == LIVE ? VERSION_LIVE : VERSION_DELETED);
		latest = k->kind[n] == LIVE ? n : latest;
		assert_int_equal(reader_next(r, &name, after, false, &v, NULL), 1);
		assert_int_equal(v.number, n);
		after = n;
	}
	assert_int_equal(reader_next(r, &name, after, false, &v, NULL), 0);
	assert_int_equal(reader_latest(r, &name, false, &v, NULL), latest > 0);
	if (latest > 0)
		assert_int_equal(v.number, latest);
	assert_int_equal(reader_settings(r, &name, &settings, NULL), k->high > 0 || k->most > 0);
	assert_int_equal(settings.high, k->high);
	assert_int_equal(settings.max_versions, k->most);
}

static bool
count_path(void *cookie, const struct path_view *p)
{
	unsigned *live = cookie;
	bool is = false;

	for (int i = 0; i < KEYS; i++) {
		for (uint32_t n = 1; n <= keys[i].high; n++)
			is |= strlen(keys[i].path) == p->len &&
			    memcmp(keys[i].path, p->name, p->len) == 0 && keys[i].kind[n] == LIVE;
	}
	assert_int_equal(p->live, is);
	*live += p->live;
	return true;
}

static void
check(struct store *s)
{
	struct reader *r = store_reader(s);
	struct store_counts counts;
	unsigned live = 0;

	for (int i = 0; i < KEYS; i++)
		check_key(r, &keys[i]);
	assert_int_equal(reader_paths(r, "", 0, false, count_path, &live, NULL), 0);
	assert_int_equal(reader_count(r, &counts, NULL), 0);
	assert_int_equal(counts.paths, live);
	store_read(r);
	/* A value of each key. */
	for (int i = 0; i < KEYS; i++) {
		char text[64], expected[16];
		uint32_t n = keys[i].high;

		if (n == 0 || keys[i].kind[n] != LIVE)
			continue;
		snprintf(expected, sizeof(expected), "%d", keys[i].value[n]);
		assert_true(store_value(s, keys[i].path, keys[i].name, n, text));
		assert_string_equal(text, expected);
	}
}

/* Some ops at once. */
static void
batch(struct store *s, uint64_t *seed)
{
	enum store_result expected[8];
	struct store_op ops[8];
	int done = 0, n = 1 + (int)roll(seed, 8);

	for (int i = 0; i < n; i++) {
		struct key *k = &keys[roll(seed, KEYS)];
		uint64_t which = roll(seed, 20);
		int value = (int)roll(seed, 1000000);
		char text[16];

		store_op_init(&ops[i], which < 10 ? STORE_CREATE : which < 13 ?
		    STORE_DELETE_VERSION : which < 14 ? STORE_DELETE_KEY : which < 15 ?
		    STORE_DELETE_PATH : which < 17 ? STORE_UNDELETE : which < 19 ?
		    STORE_DESTROY : STORE_META);
		store_op_name(&ops[i], k->path, k->name);
		ops[i].version = 1 + (uint32_t)roll(seed, k->high + 2);
		ops[i].set_max_versions = true;
		ops[i].max_versions = roll(seed, 3) == 0 ? 0 : 3 + (uint32_t)roll(seed, 9);
		if (k->high + 1 >= NUMBERS && ops[i].action == STORE_CREATE)
			ops[i].action = STORE_DELETE_KEY;
		snprintf(text, sizeof(text), "%d", value);
		buf_append_str(&ops[i].value, text);
		ops[i].done = store_count_done;
		ops[i].cookie = &done;
		expected[i] = model(&ops[i], k, value);
		store_submit(s, &ops[i]);
	}
	store_step(s);
	assert_int_equal(done, n);
	for (int i = 0; i < n; i++) {
		if (ops[i].result != expected[i])
			fail_msg("action %d: %d instead of %d: %s", ops[i].action, ops[i].result,
			    expected[i], ops[i].err.text);
		store_op_release(&ops[i]);
	}
}

static void
test_random_histories(void **state)
{
	struct master *m = store_master('a');

	(void)state;
	for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
		uint64_t chance = seed * 7919;
		struct store *s;

		begin();
		s = store_on(m);
		for (int i = 0; i < STEPS; i++) {
			batch(s, &chance);
			store_clock += (int64_t)roll(&chance, STORE_WINDOW / 20);
			store_step(s);
			model_sweep();
			if (i % 10 == 0)
				check(s);
			if (roll(&chance, 60) == 0) {
				assert_int_equal(store_rotate(s, NULL, NULL), 0);
				store_step(s);
			}
			if (roll(&chance, 60) == 0) {
				store_end(s);
				s = store_on(m);
			}
		}
		check(s);
		store_end(s);
		assert_int_equal(unlink(STORE_FILE), 0);
	}
	master_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random_histories, files_setup,
		    files_teardown),
	};

	return cmocka_run_group_tests_name("store random", tests, NULL, NULL);
}

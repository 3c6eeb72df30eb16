/* The fold: what a log's records make of the registry's state. */
#include "record_support.h"
#include "registry/store/state.h"
#include "registry/store/state_internal.h"

static uint64_t next_offset;

static int
fresh(void **state)
{
	next_offset = 10;
	*state = state_new();
	return *state == NULL;
}

static int
done(void **state)
{
	state_free(*state);
	return 0;
}

/* Fold at the next offset, which is returned. */
static uint64_t
put(struct state *s, const struct record *r)
{
	struct buf bytes;
	struct log_record l = record_encoded(r, &bytes);

	assert_int_equal(state_apply(s, next_offset, &l, NULL), 0);
	buf_release(&bytes);
	return next_offset++;
}

static uint64_t
put_secret(struct state *s, const char *path, const char *key, uint32_t version,
    unsigned char claim)
{
	struct record r = record_secret(path, key, version, claim);

	return put(s, &r);
}

static void
put_tombstone(struct state *s, const char *path, const char *key, uint32_t version,
    unsigned char claim)
{
	struct record r = record_secret(path, key, version, claim);

	r.tombstone = true;
	put(s, &r);
}

static void
put_raw(struct state *s, const char *key, const char *value)
{
	struct log_record l = { key, strlen(key), value, value != NULL ? strlen(value) : 0 };

	assert_int_equal(state_apply(s, next_offset++, &l, NULL), 0);
}

static const struct state_key *
key_of(const struct state *s, const char *path, const char *key)
{
	const struct state_path *p = state_path_find(s, path, strlen(path));

	return p != NULL ? state_key_find(p, key, strlen(key)) : NULL;
}

static unsigned char
claim_of(const struct state *s, const char *path, const char *key, uint32_t number)
{
	struct version_view v;

	assert_true(state_version_find(key_of(s, path, key), number, 0, &v));
	return v.claim[0];
}

static void
test_versions_are_seen_in_order(void **state)
{
	struct state *s = *state;
	struct state_counts c;
	struct version_view v;
	const struct state_key *k;
	size_t n;

	assert_null(state_path_find(s, "p", 1));
	assert_null(state_path_after(s, "", 0));
	put_secret(s, "p", "k", 2, 1);
	put_secret(s, "p", "k", 1, 2);
	assert_int_equal(put_secret(s, "p", "k", 3, 3), 12);
	assert_int_equal(state_offset(s), 13);
	k = key_of(s, "p", "k");
	assert_string_equal(state_key_name(k, &n), "k");
	assert_int_equal(state_version_count(k), 3);
	state_version_at(k, 0, 0, &v);
	assert_int_equal(v.number, 1);
	assert_int_equal(v.status, VERSION_LIVE);
	assert_string_equal(v.created_by, "User:anna");
	assert_int_equal(v.created_ms, 1001);
	assert_int_equal(v.offset, 11);
	assert_int_equal(v.sealed_len, SEALED_MIN);
	assert_null(v.idem);
	assert_true(state_version_latest(k, 0, &v));
	assert_int_equal(v.number, 3);
	assert_false(state_version_find(k, 4, 0, &v));
	state_count(s, &c);
	assert_int_equal(c.paths, 1);
	assert_int_equal(c.keys, 1);
	assert_int_equal(c.versions, 3);
	assert_true(c.bytes > 0);
}

static void
test_paths_and_keys_come_in_the_order_of_bytes(void **state)
{
	static const char *const names[] = { "z", "B", "a", "ab", "\xc3\xa9", "a b", "A" };
	static const char *const sorted[] = { "A", "B", "a", "a b", "ab", "z", "\xc3\xa9" };
	struct state *s = *state;
	const struct state_path *p = NULL;
	const char *name = "";
	size_t i, n = 0;

	for (i = 0; i < 7; i++)
		put_secret(s, names[i], "k", 1, 1);
	for (i = 0; i < 7; i++) {
		p = state_path_after(s, name, n);
		assert_non_null(p);
		name = state_path_name(p, &n);
		assert_string_equal(name, sorted[i]);
	}
	assert_null(state_path_after(s, name, n));
	assert_string_equal(state_path_name(state_path_after(s, "aa", 2), &n), "ab");
}

/* Many names in one container, put in several orders. */
static void
test_many_names_stay_sorted_and_found(void **state)
{
	enum { COUNT = 20000 };
	struct state *s = *state;
	const struct state_path *p, *q;
	const struct state_key *k = NULL;
	char name[32], before[32] = "";
	size_t i, n = 0, len;
	int order;

	for (order = 0; order < 3; order++) {
		char path[2] = { (char)('a' + order), '\0' };

		for (i = 0; i < COUNT; i++) {
			size_t x = order == 0 ? i : order == 1 ? COUNT - 1 - i :
			    i * 7919 % COUNT;

			snprintf(name, sizeof(name), "k%05zu", x);
			put_secret(s, path, name, 1, 1);
			put_secret(s, name, "k", 1, 1);
		}
		p = state_path_find(s, path, 1);
		for (i = 0; i < COUNT; i++) {
			snprintf(name, sizeof(name), "k%05zu", i);
			assert_non_null(state_key_find(p, name, strlen(name)));
			assert_non_null(state_path_find(s, name, strlen(name)));
			k = state_key_after(p, before, strlen(before));
			assert_string_equal(state_key_name(k, &len), name);
			memcpy(before, name, sizeof(before));
		}
		assert_null(state_key_after(p, before, strlen(before)));
		assert_null(state_key_find(p, "k", 1));
		assert_null(state_key_find(p, "k200000", 7));
		before[0] = '\0';
	}
	for (q = state_path_after(s, "", 0); q != NULL; n++) {
		const char *last = state_path_name(q, &len);

		q = state_path_after(s, last, len);
	}
	assert_int_equal(n, COUNT + 3);
}

static void
test_the_lowest_offset_wins_a_number(void **state)
{
	struct state *s = *state;
	struct state_counts c;

	put_secret(s, "p", "k", 1, 0xaa);
	put_secret(s, "p", "k", 1, 0xbb);
	put_secret(s, "p", "k", 1, 0xcc);
	assert_int_equal(claim_of(s, "p", "k", 1), 0xaa);
	state_count(s, &c);
	assert_int_equal(c.versions, 1);
	/* The loser's removal changes nothing, the winner's lets the next one win. */
	put_tombstone(s, "p", "k", 1, 0xbb);
	assert_int_equal(claim_of(s, "p", "k", 1), 0xaa);
	put_tombstone(s, "p", "k", 1, 0xaa);
	assert_int_equal(claim_of(s, "p", "k", 1), 0xcc);
	put_tombstone(s, "p", "k", 1, 0xcc);
	assert_int_equal(state_version_count(key_of(s, "p", "k")), 0);
	assert_null(s->losers);
}

/* The trap: sealed again, the winner stands behind a loser.  The fold must say
 * what it would say if compaction had dropped the first record. */
static void
test_a_winner_sealed_again_behind_a_loser_loses(void **state)
{
	struct state *s = *state;

	put_secret(s, "p", "k", 1, 0xaa);
	put_secret(s, "p", "k", 1, 0xbb);
	put_secret(s, "p", "k", 1, 0xaa);
	assert_int_equal(claim_of(s, "p", "k", 1), 0xbb);
	put_secret(s, "p", "k", 1, 0xbb);
	assert_int_equal(claim_of(s, "p", "k", 1), 0xaa);
}

static void
test_sealed_again_keeps_everything_else(void **state)
{
	struct state *s = *state;
	struct record r = record_secret("p", "k", 1, 0xaa);
	unsigned char other[SEALED_MIN + 64] = { 0, 0, 0, 2 };
	struct version_view v;

	r.has_idem = true;
	memset(r.idem, 7, 64);
	r.expires_ms = 5000;
	put(s, &r);
	assert_int_equal(state_sealed_under(s, 1), 1);
	r.sealed = other;
	r.sealed_len = sizeof(other);
	put(s, &r);
	assert_true(state_version_find(key_of(s, "p", "k"), 1, 4999, &v));
	assert_int_equal(v.status, VERSION_LIVE);
	assert_int_equal(v.offset, 11);
	assert_int_equal(v.expires_ms, 5000);
	assert_int_equal(v.sealed_len, sizeof(other));
	assert_memory_equal(v.idem, r.idem, 64);
	assert_int_equal(state_sealed_under(s, 1), 0);
	assert_int_equal(state_sealed_elsewhere(s, 1), 1);
	assert_true(state_version_by_idem(key_of(s, "p", "k"), r.idem, &v));
	assert_true(state_version_find(key_of(s, "p", "k"), 1, 5000, &v));
	assert_int_equal(v.status, VERSION_EXPIRED);
	assert_false(state_key_live(key_of(s, "p", "k"), 5000));
	assert_false(state_path_live(state_path_find(s, "p", 1), 5000));
	assert_true(state_path_live(state_path_find(s, "p", 1), 4999));
}

static void
test_metadata_say_what_is_deleted_and_destroyed(void **state)
{
	static const struct record_deleted deleted[] = { { 2, 77, "User:d" } };
	static const struct record_range destroyed[] = { { 1, 1 } };
	struct state *s = *state;
	struct record m = record_meta("p", "k", 5);
	struct state_counts c;
	struct version_view v;
	struct key_meta meta;
	uint32_t from, to;

	put_secret(s, "p", "k", 1, 1);
	put_secret(s, "p", "k", 2, 2);
	put_secret(s, "p", "k", 3, 3);
	m.deleted = deleted;
	m.deleted_count = 1;
	m.destroyed = destroyed;
	m.destroyed_count = 1;
	m.max_versions = 4;
	m.custom = "{\"a\":\"b\"}";
	m.mcas = 2;
	put(s, &m);
	assert_false(state_version_find(key_of(s, "p", "k"), 1, 0, &v));
	assert_true(state_version_find(key_of(s, "p", "k"), 2, 0, &v));
	assert_int_equal(v.status, VERSION_DELETED);
	assert_int_equal(v.deleted_ms, 77);
	assert_string_equal(v.deleted_by, "User:d");
	state_count(s, &c);
	assert_int_equal(c.versions, 1);
	assert_int_equal(c.deleted, 1);
	state_key_meta(key_of(s, "p", "k"), &meta);
	assert_int_equal(meta.high, 5);
	assert_int_equal(meta.max_versions, 4);
	assert_string_equal(meta.custom, "{\"a\":\"b\"}");
	assert_int_equal(meta.mcas, 2);
	assert_int_equal(meta.destroyed_count, 1);
	state_key_destroyed(key_of(s, "p", "k"), 0, &from, &to);
	assert_int_equal(from, 1);
	assert_int_equal(to, 1);
	/* A late loser of the destroyed number does not bring it back. */
	put_tombstone(s, "p", "k", 1, 1);
	put_secret(s, "p", "k", 1, 9);
	assert_false(state_version_find(key_of(s, "p", "k"), 1, 0, &v));
	assert_non_null(s->losers);
	put_tombstone(s, "p", "k", 1, 9);
	assert_null(s->losers);
	/* Undeleted. */
	m.deleted_count = 0;
	put(s, &m);
	assert_true(state_version_find(key_of(s, "p", "k"), 2, 0, &v));
	assert_int_equal(v.status, VERSION_LIVE);
}

/* SQLite's log moves replaced records to its end. */
static void
test_metadata_before_their_secrets_mean_the_same(void **state)
{
	static const struct record_deleted deleted[] = { { 1, 77, "User:d" } };
	static const struct record_range destroyed[] = { { 2, 2 } };
	struct state *s = *state;
	struct record m = record_meta("p", "k", 3);
	struct version_view v;

	m.deleted = deleted;
	m.deleted_count = 1;
	m.destroyed = destroyed;
	m.destroyed_count = 1;
	put(s, &m);
	put_secret(s, "p", "k", 1, 1);
	put_secret(s, "p", "k", 2, 1);
	put_secret(s, "p", "k", 3, 1);
	assert_true(state_version_find(key_of(s, "p", "k"), 1, 0, &v));
	assert_int_equal(v.status, VERSION_DELETED);
	assert_false(state_version_find(key_of(s, "p", "k"), 2, 0, &v));
	assert_true(state_version_find(key_of(s, "p", "k"), 3, 0, &v));
}

static void
test_numbers_of_what_cannot_be_read_are_taken(void **state)
{
	struct state *s = *state;
	struct state_counts c;
	struct key_meta meta;

	put_raw(s, "garbage", "x");
	put_raw(s, "{\"t\":\"LATER\"}", "{}");
	put_raw(s, "{\"t\":\"SECRET\",\"path\":\"p\",\"key\":\"k\",\"version\":7,"
	    "\"claim\":\"00000000000000000000000000000000\"}", "broken");
	put_raw(s, "{\"t\":\"META\",\"path\":\"p\",\"key\":\"k\"}", "{\"m\":9}");
	state_count(s, &c);
	assert_int_equal(c.quarantined, 2);
	assert_int_equal(c.unknown, 2);
	assert_int_equal(c.versions, 0);
	assert_int_equal(c.paths, 0);
	state_key_meta(key_of(s, "p", "k"), &meta);
	assert_int_equal(meta.high, 7);
	assert_int_equal(state_version_count(key_of(s, "p", "k")), 0);
	assert_int_equal(state_offset(s), 14);
}

static void
test_the_last_keyring_counts(void **state)
{
	struct state *s = *state;
	size_t n;

	assert_null(state_keyring(s, &n));
	put_raw(s, "{\"t\":\"KEYRING\"}", "{\"active\":1}");
	put_raw(s, "{\"t\":\"KEYRING\"}", "{\"active\":22}");
	put_raw(s, "{\"t\":\"KEYRING\"}", "garbage");
	assert_string_equal(state_keyring(s, &n), "{\"active\":22}");
	assert_int_equal(n, 13);
}

/* --- changes --- */

struct seen {
	char text[1024];
};

static void
note(void *cookie, const struct change_view *c)
{
	struct seen *x = cookie;
	size_t n = strlen(x->text);

	snprintf(x->text + n, sizeof(x->text) - n, "%llu %s/%s %u %s;",
	    (unsigned long long)c->offset, c->path, c->key, c->version, c->what);
}

static void
test_changes_are_told_from_an_offset_on(void **state)
{
	static const struct record_deleted deleted[] = { { 1, 5, "u" }, { 2, 5, "u" } };
	struct state *s = *state;
	struct record m = record_meta("p", "k", 2);
	struct seen x = { "" };

	put_secret(s, "p", "k", 1, 1);
	put_secret(s, "p", "k", 2, 2);
	put_secret(s, "p", "k", 2, 2);	/* sealed again: no change */
	m.deleted = deleted;
	m.deleted_count = 2;
	put(s, &m);
	m.mcas = 1;
	m.max_versions = 3;
	put(s, &m);
	assert_int_equal(state_changes(s, 11, 100, note, &x), 15);
	assert_string_equal(x.text, "11 p/k 2 created;13 p/k 1 deleted;13 p/k 2 deleted;"
	    "14 p/k 0 metadata;");
	x.text[0] = '\0';
	assert_int_equal(state_changes(s, 15, 100, note, &x), 15);
	assert_string_equal(x.text, "");
	/* The changes of one record are not torn. */
	assert_int_equal(state_changes(s, 11, 2, note, &x), 13);
	assert_string_equal(x.text, "11 p/k 2 created;");
	x.text[0] = '\0';
	assert_int_equal(state_changes(s, 13, 1, note, &x), 14);
	assert_string_equal(x.text, "13 p/k 1 deleted;13 p/k 2 deleted;");
	/* What was folded at the start is not remembered. */
	state_started(s, 20);
	assert_int_equal(state_changes(s, 19, 100, note, &x), 0);
	assert_int_equal(state_changes(s, 20, 100, note, &x), 20);
	assert_int_equal(state_changes(s, 25, 100, note, &x), 25);
}

static void
count_only(void *cookie, const struct change_view *c)
{
	(void)c;
	++*(size_t *)cookie;
}

static void
test_only_so_many_changes_are_remembered(void **state)
{
	struct state *s = *state;
	uint32_t i;
	size_t n = 0;

	for (i = 1; i <= STATE_CHANGES_MAX + 10; i++)
		put_secret(s, "p", "k", i, 1);
	assert_int_equal(state_changes(s, 19, 10, count_only, &n), 0);
	assert_int_equal(state_changes(s, 20, SIZE_MAX, count_only, &n), state_offset(s));
	assert_int_equal(n, STATE_CHANGES_MAX);
}

static void
test_what_is_due_first_comes_first(void **state)
{
	static const struct record_deleted deleted[] = { { 1, 40, "u" } };
	struct state *s = *state;
	struct record r, m = record_meta("c", "k", 1);
	const char *const names[] = { "a", "b", "c", "d" };
	static const int64_t expires[] = { 300, 100, 0, 200 };
	size_t i;

	for (i = 0; i < 4; i++) {
		r = record_secret(names[i], "k", 1, 1);
		r.expires_ms = expires[i];
		put(s, &r);
	}
	m.deleted = deleted;
	m.deleted_count = 1;
	put(s, &m);
	put(s, &m);
	assert_null(state_due_take(s, 39));
	assert_string_equal(state_due_take(s, 1000)->path->name, "c");
	assert_string_equal(state_due_take(s, 1000)->path->name, "b");
	assert_null(state_due_take(s, 199));
	assert_string_equal(state_due_take(s, 1000)->path->name, "d");
	assert_int_equal(state_due_again(s, s->due[0].key), 0);
	assert_string_equal(state_due_take(s, 1000)->path->name, "a");
	assert_null(state_due_take(s, INT64_MAX));
}

/* Counts of bytes go back to where they were. */
static void
test_memory_is_given_back(void **state)
{
	struct state *s = *state;
	struct state_counts before, after;
	uint32_t i;

	put_secret(s, "p", "k", 1, 1);
	put_tombstone(s, "p", "k", 1, 1);
	for (i = 2; i < STATE_CHANGES_MAX; i++)
		put_secret(s, "p", "k", i, 1);
	for (i = 2; i < STATE_CHANGES_MAX; i++)
		put_tombstone(s, "p", "k", i, 1);
	state_count(s, &before);
	for (i = 2; i < 5000; i++)
		put_secret(s, "p", "k", i, 1);
	for (i = 2; i < 5000; i++)
		put_tombstone(s, "p", "k", i, 1);
	state_count(s, &after);
	assert_int_equal(before.bytes, after.bytes);
	assert_int_equal(after.versions + after.keys + after.paths, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_versions_are_seen_in_order, fresh, done),
		cmocka_unit_test_setup_teardown(test_paths_and_keys_come_in_the_order_of_bytes,
		    fresh, done),
		cmocka_unit_test_setup_teardown(test_many_names_stay_sorted_and_found, fresh, done),
		cmocka_unit_test_setup_teardown(test_the_lowest_offset_wins_a_number, fresh, done),
		cmocka_unit_test_setup_teardown(test_a_winner_sealed_again_behind_a_loser_loses,
		    fresh, done),
		cmocka_unit_test_setup_teardown(test_sealed_again_keeps_everything_else, fresh,
		    done),
		cmocka_unit_test_setup_teardown(test_metadata_say_what_is_deleted_and_destroyed,
		    fresh, done),
		cmocka_unit_test_setup_teardown(test_metadata_before_their_secrets_mean_the_same,
		    fresh, done),
		cmocka_unit_test_setup_teardown(test_numbers_of_what_cannot_be_read_are_taken,
		    fresh, done),
		cmocka_unit_test_setup_teardown(test_the_last_keyring_counts, fresh, done),
		cmocka_unit_test_setup_teardown(test_changes_are_told_from_an_offset_on, fresh,
		    done),
		cmocka_unit_test_setup_teardown(test_only_so_many_changes_are_remembered, fresh,
		    done),
		cmocka_unit_test_setup_teardown(test_what_is_due_first_comes_first, fresh, done),
		cmocka_unit_test_setup_teardown(test_memory_is_given_back, fresh, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the store decides, action by action, and what it makes of foreign records. */
#include <pthread.h>

#include "registry/log/log_sqlite.h"
#include "store_fixture.h"

static void
test_versions_count_up_and_values_come_back(void **state)
{
	struct fixture *f = *state;
	char v[256];

	assert_int_equal(store_create(f->s, "conn-a", "password", "s1"), 1);
	assert_int_equal(store_create(f->s, "conn-a", "password", "s2"), 2);
	assert_int_equal(store_create(f->s, "conn-a", "password", "s2"), 3);
	assert_int_equal(store_create(f->s, "conn-a", "other", ""), 1);
	assert_true(store_value(f->s, "conn-a", "password", 0, v));
	assert_string_equal(v, "s2");
	assert_true(store_value(f->s, "conn-a", "password", 1, v));
	assert_string_equal(v, "s1");
	assert_true(store_value(f->s, "conn-a", "other", 0, v));
	assert_string_equal(v, "");
	restart(f);
	assert_true(store_value(f->s, "conn-a", "password", 1, v));
	assert_string_equal(v, "s1");
	assert_string_equal(store_live(f->s, "conn-a", "password", v), "1 2 3");
}

static void
test_a_deleted_version_is_gone_and_its_number_not_used_again(void **state)
{
	struct fixture *f = *state;
	char v[256];
	int i;

	for (i = 0; i < 3; i++)
		store_create(f->s, "p", "k", "x");
	assert_int_equal(store_act(f->s, STORE_DELETE_VERSION, "p", "k", 1), STORE_DONE);
	assert_string_equal(store_live(f->s, "p", "k", v), "2 3");
	assert_int_equal(store_act(f->s, STORE_DELETE_VERSION, "p", "k", 1), STORE_ABSENT);
	assert_int_equal(store_act(f->s, STORE_DELETE_VERSION, "p", "k", 9), STORE_ABSENT);
	assert_int_equal(store_act(f->s, STORE_DELETE_VERSION, "q", "k", 1), STORE_ABSENT);
	assert_int_equal(store_act(f->s, STORE_DELETE_VERSION, "p", "k", 3), STORE_DONE);
	assert_string_equal(store_live(f->s, "p", "k", v), "2");
	assert_int_equal(store_create(f->s, "p", "k", "y"), 4);
	assert_int_equal(store_act(f->s, STORE_DELETE_KEY, "p", "k", 0), STORE_DONE);
	assert_int_equal(store_act(f->s, STORE_DELETE_KEY, "p", "k", 0), STORE_ABSENT);
	assert_false(state_key_live(store_key(f->s, "p", "k"), store_clock));
	restart(f);
	assert_int_equal(store_create(f->s, "p", "k", "z"), 5);
	assert_string_equal(store_live(f->s, "p", "k", v), "5");
}

static void
test_deleting_a_path_tells_all_it_deleted(void **state)
{
	struct fixture *f = *state;
	struct store_op op;
	char v[256];

	store_create(f->s, "p", "b", "x");
	store_create(f->s, "p", "a", "x");
	store_create(f->s, "p", "a", "x");
	store_create(f->s, "p", "c", "x");
	store_create(f->s, "p2", "a", "x");
	store_act(f->s, STORE_DELETE_KEY, "p", "c", 0);
	store_op_init(&op, STORE_DELETE_PATH);
	store_op_name(&op, "p", "");
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	assert_int_equal(op.touched_count, 3);
	assert_memory_equal(op.touched[0].key, "a", 1);
	assert_int_equal(op.touched[0].key_len, 1);
	assert_int_equal(op.touched[0].version, 1);
	assert_int_equal(op.touched[1].version, 2);
	assert_memory_equal(op.touched[2].key, "b", 1);
	assert_int_equal(op.offset + 1, state_offset(store_state(f->s)));
	store_op_release(&op);
	assert_false(state_path_live(state_path_find(store_state(f->s), "p", 1), store_clock));
	assert_string_equal(store_live(f->s, "p2", "a", v), "1");
	assert_int_equal(store_act(f->s, STORE_DELETE_PATH, "p", "", 0), STORE_ABSENT);
	assert_int_equal(store_act(f->s, STORE_DELETE_PATH, "none", "", 0), STORE_ABSENT);
}

static void
test_check_and_set_goes_by_the_live_version(void **state)
{
	struct fixture *f = *state;
	static const struct { int64_t cas; enum store_result result; uint32_t current; } steps[] = {
		{ 0, STORE_DONE, 0 }, { 0, STORE_CAS_MISMATCH, 1 }, { 1, STORE_DONE, 1 },
		{ 1, STORE_CAS_MISMATCH, 2 }, { 7, STORE_CAS_MISMATCH, 2 }
	};
	struct store_op op;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		store_op_create(&op, "p", "k", "x");
		op.cas = steps[i].cas;
		assert_int_equal(store_do(f->s, &op), steps[i].result);
		assert_int_equal(op.current, steps[i].current);
		store_op_release(&op);
	}
	store_act(f->s, STORE_DELETE_KEY, "p", "k", 0);
	store_op_create(&op, "p", "k", "x");
	op.cas = 0;
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	assert_int_equal(op.version, 3);
	store_op_release(&op);
}

static void
test_preconditions_of_the_request(void **state)
{
	struct fixture *f = *state;
	struct store_op op;

	store_create(f->s, "p", "k", "x");
	store_op_create(&op, "p", "k", "y");
	op.if_none_match = true;
	assert_int_equal(store_do(f->s, &op), STORE_PRECONDITION);
	op.if_none_match = false;
	op.if_match = 2;
	assert_int_equal(store_do(f->s, &op), STORE_PRECONDITION);
	assert_int_equal(op.current, 1);
	op.if_match = 1;
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	assert_int_equal(op.version, 2);
	store_op_release(&op);
	store_op_init(&op, STORE_DELETE_KEY);
	store_op_name(&op, "p", "k");
	op.if_match = 1;
	assert_int_equal(store_do(f->s, &op), STORE_PRECONDITION);
	op.if_match = 2;
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	assert_int_equal(op.touched_count, 2);
	store_op_release(&op);
}

static void
test_an_idempotency_key_gives_the_first_answer_again(void **state)
{
	struct fixture *f = *state;
	uint32_t v = 0;

	assert_int_equal(create_with_idem(f->s, 1, 1, &v), STORE_DONE);
	assert_int_equal(v, 1);
	store_create(f->s, "p", "k", "y");
	assert_int_equal(create_with_idem(f->s, 1, 1, &v), STORE_REPEATED);
	assert_int_equal(v, 1);
	assert_int_equal(create_with_idem(f->s, 1, 2, &v), STORE_IDEM_MISMATCH);
	restart(f);
	v = 9;
	assert_int_equal(create_with_idem(f->s, 1, 1, &v), STORE_REPEATED);
	assert_int_equal(v, 1);
	store_act(f->s, STORE_DELETE_VERSION, "p", "k", 1);
	assert_int_equal(create_with_idem(f->s, 1, 1, &v), STORE_REPEATED);
	assert_int_equal(v, 1);
	v = 0;
	assert_int_equal(create_with_idem(f->s, 2, 1, &v), STORE_DONE);
	assert_int_equal(v, 3);
}

static void
test_undelete_within_the_window_and_destroy_for_good(void **state)
{
	struct fixture *f = *state;
	char v[256];
	struct version_view view;

	store_create(f->s, "p", "k", "one");
	store_create(f->s, "p", "k", "two");
	store_create(f->s, "p", "k", "three");
	assert_int_equal(store_act(f->s, STORE_UNDELETE, "p", "k", 1), STORE_DONE);
	assert_int_equal(store_act(f->s, STORE_UNDELETE, "p", "k", 4), STORE_ABSENT);
	store_act(f->s, STORE_DELETE_VERSION, "p", "k", 1);
	assert_false(store_value(f->s, "p", "k", 1, v));
	assert_int_equal(store_act(f->s, STORE_UNDELETE, "p", "k", 1), STORE_DONE);
	assert_true(store_value(f->s, "p", "k", 1, v));
	assert_string_equal(v, "one");
	assert_int_equal(store_act(f->s, STORE_DESTROY, "p", "k", 2), STORE_DONE);
	assert_int_equal(store_act(f->s, STORE_DESTROY, "p", "k", 2), STORE_ABSENT);
	assert_int_equal(store_act(f->s, STORE_UNDELETE, "p", "k", 2), STORE_DESTROYED);
	assert_int_equal(store_act(f->s, STORE_DESTROY, "p", "k", 9), STORE_ABSENT);
	/* Deleted longer ago than the window: as if destroyed, then destroyed. */
	store_act(f->s, STORE_DELETE_VERSION, "p", "k", 3);
	store_clock += STORE_WINDOW - 1;
	store_step(f->s);
	assert_true(state_version_find(store_key(f->s, "p", "k"), 3, store_clock, &view));
	store_clock++;
	assert_int_equal(store_act(f->s, STORE_UNDELETE, "p", "k", 3), STORE_DESTROYED);
	assert_false(state_version_find(store_key(f->s, "p", "k"), 3, store_clock, &view));
	log_memory_compact(f->topic, true);
	restart(f);
	assert_string_equal(store_live(f->s, "p", "k", v), "1");
	assert_int_equal(store_create(f->s, "p", "k", "four"), 4);
}

static void
test_expired_versions_are_absent_at_once_and_destroyed_later(void **state)
{
	struct fixture *f = *state;
	struct version_view view;
	struct store_op op;
	char v[256];

	store_op_create(&op, "p", "k", "x");
	op.ttl_ms = 1000;
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	assert_int_equal(op.expires_ms, op.created_ms + 1000);
	store_op_release(&op);
	assert_true(store_value(f->s, "p", "k", 0, v));
	store_clock += 1000;
	assert_false(store_value(f->s, "p", "k", 0, v));
	assert_int_equal(store_act(f->s, STORE_DELETE_VERSION, "p", "k", 1), STORE_ABSENT);
	assert_int_equal(store_act(f->s, STORE_UNDELETE, "p", "k", 1), STORE_ABSENT);
	assert_true(state_version_find(store_key(f->s, "p", "k"), 1, store_clock, &view));
	restart(f);
	store_clock += STORE_WINDOW;
	store_step(f->s);
	assert_false(state_version_find(store_key(f->s, "p", "k"), 1, store_clock, &view));
	/* A ttl beyond all time is for ever. */
	store_op_create(&op, "p", "k", "x");
	op.ttl_ms = INT64_MAX;
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	assert_int_equal(op.version, 2);
	assert_true(op.expires_ms == INT64_MAX);
	store_op_release(&op);
}

static enum store_result
set_meta(struct store *s, int64_t cas, uint32_t max, bool required, const char *custom)
{
	enum store_result result;
	struct store_op op;

	store_op_init(&op, STORE_META);
	store_op_name(&op, "p", "k");
	op.cas = cas;
	op.set_max_versions = op.set_cas_required = true;
	op.max_versions = max;
	op.cas_required = required;
	buf_append_str(&op.custom, custom);
	result = store_do(s, &op);
	store_op_release(&op);
	return result;
}

static void
test_settings_of_a_key(void **state)
{
	struct fixture *f = *state;
	struct key_meta meta;
	struct store_op op;
	char v[256];
	int i;

	for (i = 0; i < 2; i++)
		store_create(f->s, "p", "k", "x");
	assert_int_equal(set_meta(f->s, 0, 3, false, "{\"a\":\"b\"}"), STORE_DONE);
	assert_int_equal(set_meta(f->s, 0, 4, true, ""), STORE_CAS_MISMATCH);
	for (i = 0; i < 3; i++)
		store_create(f->s, "p", "k", "x");
	assert_string_equal(store_live(f->s, "p", "k", v), "3 4 5");
	assert_int_equal(set_meta(f->s, 1, 3, true, ""), STORE_DONE);
	assert_int_equal(store_create(f->s, "p", "k", "x"), 0);
	store_op_create(&op, "p", "k", "y");
	assert_int_equal(store_do(f->s, &op), STORE_CAS_MISSING);
	op.cas = 5;
	buf_append_str(&op.custom, "{\"c\":\"d\"}");
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	store_op_release(&op);
	assert_int_equal(set_meta(f->s, -1, 3, true, "[]"), STORE_FAILED);
	log_memory_compact(f->topic, true);
	restart(f);
	state_key_meta(store_key(f->s, "p", "k"), &meta);
	assert_int_equal(meta.high, 6);
	assert_int_equal(meta.max_versions, 3);
	assert_true(meta.cas_required);
	assert_string_equal(meta.custom, "{\"c\":\"d\"}");
	assert_int_equal(meta.mcas, 3);
	assert_string_equal(meta.updated_by, "User:t");
	assert_int_equal(meta.destroyed_count, 1);
	assert_string_equal(store_live(f->s, "p", "k", v), "4 5 6");
}

/* All of it in one batch: each sees what the ones before will have done. */
static void
test_one_batch_decides_in_order(void **state)
{
	struct fixture *f = *state;
	struct store_op op[8];
	int done = 0, i;
	char v[256];

	for (i = 0; i < 4; i++) {
		store_op_create(&op[i], "p", "k", "x");
		op[i].cas = i < 3 ? i : 0;
	}
	store_op_init(&op[4], STORE_DELETE_VERSION);
	op[4].version = 2;
	store_op_init(&op[5], STORE_DESTROY);
	op[5].version = 1;
	store_op_init(&op[6], STORE_DELETE_VERSION);
	op[6].version = 2;
	store_op_init(&op[7], STORE_UNDELETE);
	op[7].version = 2;
	for (i = 0; i < 8; i++) {
		store_op_name(&op[i], "p", "k");
		op[i].done = store_count_done;
		op[i].cookie = &done;
		store_submit(f->s, &op[i]);
	}
	store_step(f->s);
	assert_int_equal(done, 8);
	for (i = 0; i < 3; i++) {
		assert_int_equal(op[i].result, STORE_DONE);
		assert_int_equal(op[i].version, i + 1);
	}
	assert_int_equal(op[3].result, STORE_CAS_MISMATCH);
	assert_int_equal(op[3].current, 3);
	assert_int_equal(op[4].result, STORE_DONE);
	assert_int_equal(op[5].result, STORE_DONE);
	assert_int_equal(op[6].result, STORE_ABSENT);
	assert_int_equal(op[7].result, STORE_DONE);
	assert_true(op[1].offset > op[0].offset && op[2].offset > op[1].offset);
	for (i = 0; i < 8; i++)
		store_op_release(&op[i]);
	assert_string_equal(store_live(f->s, "p", "k", v), "2 3");
	restart(f);
	assert_string_equal(store_live(f->s, "p", "k", v), "2 3");
	assert_int_equal(store_create(f->s, "p", "k", "y"), 4);
}

/* --- foreign records --- */

static void
test_garbage_at_the_end_does_not_matter(void **state)
{
	struct fixture *f = *state;
	struct state_counts c;

	store_create(f->s, "p", "k", "x");
	log_memory_inject(f->topic, "garbage", 7, "\xff", 1);
	log_memory_inject(f->topic, "{\"t\":\"LATER\"}", 13, "{}", 2);
	restart(f);
	state_count(store_state(f->s), &c);
	assert_int_equal(c.quarantined, 1);
	assert_int_equal(c.unknown, 1);
	assert_int_equal(store_create(f->s, "p", "k", "y"), 2);
}

static void
test_garbage_as_the_only_record_is_an_empty_registry(void **state)
{
	struct fixture *f = *state;
	struct log_memory *topic = log_memory_new(2);
	struct store *s;

	log_memory_inject(topic, "garbage", 7, "x", 1);
	s = store_on(topic, f->master);
	assert_int_equal(store_create(s, "p", "k", "y"), 1);
	store_close(s);
	log_memory_free(topic);
}

static void
test_secrets_without_a_keyring_are_not_given_another(void **state)
{
	static const char key[] = "{\"t\":\"SECRET\",\"path\":\"p\",\"key\":\"k\",\"version\":1,"
	    "\"claim\":\"00000000000000000000000000000000\"}";
	struct fixture *f = *state;
	struct log_memory *topic = log_memory_new(2);
	struct error err = { 0 };

	log_memory_inject(topic, key, sizeof(key) - 1, "{}", 2);
	assert_null(store_try(topic, f->master, NULL, false, &err));
	assert_int_equal(err.code, ERROR_DAMAGED);
	log_memory_free(topic);
}

static void
test_newer_metadata_are_never_written_over(void **state)
{
	static const char key[] = "{\"t\":\"META\",\"path\":\"p\",\"key\":\"k\"}";
	struct fixture *f = *state;
	struct store_op op;

	store_create(f->s, "p", "k", "x");
	store_create(f->s, "p", "l", "x");
	log_memory_inject(f->topic, key, sizeof(key) - 1, "{\"m\":2}", 7);
	restart(f);
	store_op_create(&op, "p", "k", "y");
	assert_int_equal(store_do(f->s, &op), STORE_FAILED);
	assert_int_equal(op.err.code, ERROR_REFUSED);
	store_op_release(&op);
	/* All of the path, or nothing. */
	assert_int_equal(store_act(f->s, STORE_DELETE_PATH, "p", "", 0), STORE_FAILED);
	assert_true(state_key_live(store_key(f->s, "p", "l"), store_clock));
	assert_true(state_key_live(store_key(f->s, "p", "k"), store_clock));
}

static void
test_the_last_number_is_not_passed(void **state)
{
	static const char key[] = "{\"t\":\"META\",\"path\":\"p\",\"key\":\"k\"}";
	static const char value[] = "{\"m\":1,\"high\":2147483646,\"deleted\":[],\"destroyed\":[],"
	    "\"maxVersions\":0,\"casRequired\":false,\"custom\":{},\"updatedAt\":0,"
	    "\"updatedBy\":\"\",\"mcas\":0}";
	struct fixture *f = *state;
	struct store_op op;

	log_memory_inject(f->topic, key, sizeof(key) - 1, value, sizeof(value) - 1);
	restart(f);
	assert_int_equal(store_create(f->s, "p", "k", "x"), 2147483647);
	store_op_create(&op, "p", "k", "y");
	assert_int_equal(store_do(f->s, &op), STORE_EXHAUSTED);
	store_op_release(&op);
}

static void
test_a_wrong_key_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct master *wrong = store_master('b');
	struct error err = { 0 };
	uint64_t end;

	store_create(f->s, "p", "k", "x");
	end = state_offset(store_state(f->s));
	assert_null(store_try(f->topic, wrong, NULL, false, &err));
	assert_int_equal(err.code, ERROR_KEY);
	/* Not even the claim. */
	assert_int_equal(store_create(f->s, "p", "k", "y"), 2);
	assert_true(state_offset(store_state(f->s)) <= end + 4);
	master_free(wrong);
}

static void
test_a_clock_set_back_keeps_times_in_order(void **state)
{
	struct fixture *f = *state;
	struct version_view a, b;

	store_create(f->s, "p", "k", "x");
	store_clock -= 3600 * 1000;
	store_create(f->s, "p", "k", "y");
	restart(f);
	assert_int_equal(store_create(f->s, "p", "k", "z"), 3);
	assert_true(state_version_find(store_key(f->s, "p", "k"), 1, 0, &a));
	assert_true(state_version_find(store_key(f->s, "p", "k"), 3, 0, &b));
	assert_true(b.created_ms >= a.created_ms);
}

static void
test_deleting_very_many_versions_is_one_record(void **state)
{
	struct fixture *f = *state;
	struct store_op op;
	int i;

	for (i = 0; i < 20000; i++) {
		store_op_create(&op, "p", "k", "x");
		assert_int_equal(store_do(f->s, &op), STORE_DONE);
		store_op_release(&op);
	}
	store_op_init(&op, STORE_DELETE_KEY);
	store_op_name(&op, "p", "k");
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	assert_int_equal(op.touched_count, 20000);
	store_op_release(&op);
	restart(f);
	assert_false(state_key_live(store_key(f->s, "p", "k"), store_clock));
	assert_int_equal(store_create(f->s, "p", "k", "x"), 20001);
}

/* --- the embedded log, which moves what is replaced to its end --- */

static struct store *
open_sqlite(const char *path, const struct master *m)
{
	struct error err = { 0 };
	struct store_options o = { .log = log_sqlite_open(path, &err), .master = m,
	    .node = "test", .undelete_window_ms = STORE_WINDOW, .now = store_clock_now,
	    .no_thread = true };
	struct store *s = o.log != NULL ? store_open(&o, &err) : NULL;

	if (s == NULL)
		fail_msg("%s", err.text);
	return s;
}

static void
test_the_embedded_log_keeps_it_all(void **state)
{
	struct fixture *f = *state;
	char *folder = unit_folder(), path[4200], v[256];
	struct store *s;
	int i;

	snprintf(path, sizeof(path), "%s/log", folder);
	s = open_sqlite(path, f->master);
	for (i = 0; i < 4; i++)
		store_create(s, "p", "k", i % 2 == 0 ? "even" : "odd");
	assert_int_equal(store_act(s, STORE_DELETE_VERSION, "p", "k", 1), STORE_DONE);
	assert_int_equal(store_act(s, STORE_DESTROY, "p", "k", 4), STORE_DONE);
	store_close(s);
	for (i = 0; i < 3; i++) {
		s = open_sqlite(path, f->master);
		assert_int_equal(store_rotate(s, NULL, NULL), 0);
		store_step(s);
		assert_string_equal(store_live(s, "p", "k", v), "2 3");
		assert_true(store_value(s, "p", "k", 2, v));
		assert_string_equal(v, "odd");
		store_close(s);
	}
	s = open_sqlite(path, f->master);
	assert_int_equal(store_act(s, STORE_UNDELETE, "p", "k", 1), STORE_DONE);
	assert_int_equal(store_create(s, "p", "k", "new"), 5);
	assert_string_equal(store_live(s, "p", "k", v), "1 2 3 5");
	store_close(s);
	assert_int_equal(unlink(path), 0);
	unit_remove_folder(folder);
}

/* --- waiters --- */

static void
woken(struct store_waiter *w)
{
	++*(int *)w->cookie;
}

static void
test_waiters_are_woken_once_when_something_changed(void **state)
{
	struct fixture *f = *state;
	int first = 0, second = 0, third = 0;
	uint64_t now = state_offset(store_state(f->s));
	struct store_waiter a = { .since = now, .woken = woken, .cookie = &first };
	struct store_waiter b = { .since = now - 1, .woken = woken, .cookie = &second };
	struct store_waiter c = { .since = now, .woken = woken, .cookie = &third };

	store_wait(f->s, &a);
	store_wait(f->s, &b);
	store_wait(f->s, &c);
	store_step(f->s);
	assert_int_equal(first, 0);
	assert_int_equal(second, 1);
	assert_true(store_unwait(f->s, &c));
	assert_false(store_unwait(f->s, &b));
	store_create(f->s, "p", "k", "x");
	store_create(f->s, "p", "k", "x");
	assert_int_equal(first, 1);
	assert_int_equal(second, 1);
	assert_int_equal(third, 0);
}

/* --- with the thread --- */

#define RACERS 4
#define RACES 50

struct racer {
	struct store *s;
	pthread_t thread;
	unsigned won, done;
	uint32_t versions[RACES];
};

struct answer {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool done;
};

static void
tell(struct store_op *op)
{
	struct answer *a = op->cookie;

	pthread_mutex_lock(&a->mutex);
	a->done = true;
	pthread_cond_signal(&a->cond);
	pthread_mutex_unlock(&a->mutex);
}

static void
submit_and_wait(struct store *s, struct store_op *op)
{
	struct answer a = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };

	op->done = tell;
	op->cookie = &a;
	store_submit(s, op);
	pthread_mutex_lock(&a.mutex);
	while (!a.done)
		pthread_cond_wait(&a.cond, &a.mutex);
	pthread_mutex_unlock(&a.mutex);
}

static void *
race(void *arg)
{
	struct racer *r = arg;
	struct store_op op;
	char value[64];
	unsigned i;

	for (i = 0; i < RACES; i++) {
		store_op_create(&op, "p", "shared", "x");
		submit_and_wait(r->s, &op);
		if (op.result == STORE_DONE) {
			r->versions[r->done++] = op.version;
			/* What was acknowledged is seen at once. */
			if (!store_value(r->s, "p", "shared", op.version, value))
				r->done = 0;
		}
		store_op_release(&op);
		store_op_create(&op, "p", "once", "x");
		op.cas = 0;
		submit_and_wait(r->s, &op);
		r->won += op.result == STORE_DONE;
		store_op_release(&op);
	}
	return NULL;
}

static void
test_several_threads_get_numbers_of_their_own(void **state)
{
	struct racer racers[RACERS];
	bool seen[RACERS * RACES + 1] = { false };
	struct log_memory *topic = log_memory_new(3);
	struct master *m = store_master('a');
	struct store *s = store_try(topic, m, NULL, true, NULL);
	struct rotation_state rotation;
	unsigned won = 0, i, j;

	(void)state;
	assert_non_null(s);
	for (i = 0; i < RACERS; i++) {
		memset(&racers[i], 0, sizeof(racers[i]));
		racers[i].s = s;
		pthread_create(&racers[i].thread, NULL, race, &racers[i]);
	}
	/* Reads and writes go on while everything is sealed again. */
	assert_int_equal(store_rotate(s, NULL, NULL), 0);
	for (i = 0; i < RACERS; i++) {
		pthread_join(racers[i].thread, NULL);
		won += racers[i].won;
		assert_int_equal(racers[i].done, RACES);
		for (j = 0; j < RACES; j++) {
			assert_in_range(racers[i].versions[j], 1, RACERS * RACES);
			assert_false(seen[racers[i].versions[j]]);
			seen[racers[i].versions[j]] = true;
		}
	}
	assert_int_equal(won, 1);
	for (i = 0; i < 600; i++) {
		store_rotation(s, &rotation);
		if (!rotation.running)
			break;
		usleep(20000);
	}
	assert_false(rotation.running);
	assert_string_equal(rotation.failure, "");
	assert_int_equal(rotation.to_kid, 2);
	store_close(s);
	s = store_on(topic, m);
	assert_int_equal(state_version_count(store_key(s, "p", "shared")), RACERS * RACES);
	store_close(s);
	master_free(m);
	log_memory_free(topic);
}

/* Nobody writes to a registry that is not ready: it must find out by itself. */
static void
test_a_log_that_works_again_is_noticed_without_a_write(void **state)
{
	struct log_memory *topic = log_memory_new(3);
	struct master *m = store_master('a');
	struct store *s = store_try(topic, m, NULL, true, NULL);
	struct store_op op;
	int i;

	(void)state;
	assert_non_null(s);
	log_memory_fault_at(topic, 0, LOG_MEMORY_FAIL);
	log_memory_fault_at(topic, 1, LOG_MEMORY_FAIL);
	store_op_create(&op, "p", "k", "x");
	submit_and_wait(s, &op);
	assert_int_equal(op.result, STORE_FAILED);
	store_op_release(&op);
	for (i = 0; i < 1000 && store_unready(s) != NULL; i++)
		usleep(20000);
	assert_null(store_unready(s));
	store_close(s);
	master_free(m);
	log_memory_free(topic);
}

/* What was submitted before the end is done. */
static void
test_closing_finishes_what_was_submitted(void **state)
{
	struct log_memory *topic = log_memory_new(3);
	struct master *m = store_master('a');
	struct store *s = store_try(topic, m, NULL, true, NULL);
	struct store_op op[300];
	int done = 0, i;

	(void)state;
	assert_non_null(s);
	for (i = 0; i < 300; i++) {
		store_op_create(&op[i], "p", "k", "x");
		op[i].done = store_count_done;
		op[i].cookie = &done;
		store_submit(s, &op[i]);
	}
	store_close(s);
	assert_int_equal(done, 300);
	for (i = 0; i < 300; i++) {
		assert_int_equal(op[i].result, STORE_DONE);
		assert_int_equal(op[i].version, i + 1);
		store_op_release(&op[i]);
	}
	master_free(m);
	log_memory_free(topic);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_versions_count_up_and_values_come_back),
		CASE(test_a_deleted_version_is_gone_and_its_number_not_used_again),
		CASE(test_deleting_a_path_tells_all_it_deleted),
		CASE(test_check_and_set_goes_by_the_live_version),
		CASE(test_preconditions_of_the_request),
		CASE(test_an_idempotency_key_gives_the_first_answer_again),
		CASE(test_undelete_within_the_window_and_destroy_for_good),
		CASE(test_expired_versions_are_absent_at_once_and_destroyed_later),
		CASE(test_settings_of_a_key),
		CASE(test_one_batch_decides_in_order),
		CASE(test_garbage_at_the_end_does_not_matter),
		CASE(test_garbage_as_the_only_record_is_an_empty_registry),
		CASE(test_secrets_without_a_keyring_are_not_given_another),
		CASE(test_newer_metadata_are_never_written_over),
		CASE(test_the_last_number_is_not_passed),
		CASE(test_a_wrong_key_changes_nothing),
		CASE(test_a_clock_set_back_keeps_times_in_order),
		CASE(test_deleting_very_many_versions_is_one_record),
		CASE(test_the_embedded_log_keeps_it_all),
		CASE(test_waiters_are_woken_once_when_something_changed),
		cmocka_unit_test(test_several_threads_get_numbers_of_their_own),
		cmocka_unit_test(test_a_log_that_works_again_is_noticed_without_a_write),
		cmocka_unit_test(test_closing_finishes_what_was_submitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

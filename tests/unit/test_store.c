/* What the store decides, action by action. */
#include <pthread.h>

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
	assert_string_equal(store_live(f->s, "p", "k", v), "");
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
	assert_memory_equal(op.names.data + op.touched[0].key_at, "a", 1);
	assert_int_equal(op.touched[0].key_len, 1);
	assert_int_equal(op.touched[0].version, 1);
	assert_int_equal(op.touched[1].version, 2);
	assert_int_equal(op.touched[1].key_at, op.touched[0].key_at);
	assert_memory_equal(op.names.data + op.touched[2].key_at, "b", 1);
	assert_int_equal(op.offset + 1, store_next_offset(f->s));
	store_op_release(&op);
	assert_false(store_path_live(f->s, "p"));
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
	assert_true(store_there(f->s, "p", "k", 3, &view));
	store_clock++;
	assert_int_equal(store_act(f->s, STORE_UNDELETE, "p", "k", 3), STORE_DESTROYED);
	assert_false(store_there(f->s, "p", "k", 3, &view));
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
	assert_true(store_there(f->s, "p", "k", 1, &view));
	restart(f);
	store_clock += STORE_WINDOW;
	store_step(f->s);
	assert_false(store_there(f->s, "p", "k", 1, &view));
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
	struct secret_name name = store_name("p", "k");
	struct key_settings meta;
	struct reader *r;
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
	restart(f);
	r = store_reader(f->s);
	assert_int_equal(reader_settings(r, &name, &meta, NULL), 1);
	assert_int_equal(meta.high, 6);
	assert_int_equal(meta.max_versions, 3);
	assert_true(meta.cas_required);
	assert_string_equal(meta.custom, "{\"c\":\"d\"}");
	assert_int_equal(meta.mcas, 3);
	assert_string_equal(meta.updated_by, "User:t");
	store_read(r);
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

/* --- the file as another hand left it --- */

static void
test_secrets_without_a_keyring_are_not_given_another(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };

	store_create(f->s, "p", "k", "x");
	store_end(f->s);
	store_sql("DELETE FROM keyring");
	f->s = NULL;
	assert_null(store_try(f->master, NULL, false, &err));
	assert_int_equal(err.code, ERROR_DAMAGED);
}

static void
test_the_last_number_is_not_passed(void **state)
{
	struct fixture *f = *state;
	struct store_op op;

	store_end(f->s);
	store_sql("INSERT INTO setting VALUES('p','k',2147483646,0,0,'{}',0,0,'')");
	f->s = store_on(f->master);
	assert_int_equal(store_create(f->s, "p", "k", "x"), 2147483647);
	store_op_create(&op, "p", "k", "y");
	assert_int_equal(store_do(f->s, &op), STORE_EXHAUSTED);
	store_op_release(&op);
}

static void
test_so_many_bytes_and_no_more(void **state)
{
	struct fixture *f = *state;
	struct store_options o = { .db = store_database(f->s), .master = f->master,
	    .undelete_window_ms = STORE_WINDOW, .now = store_clock_now, .no_thread = true,
	    .quota = 700, .path_quota = 400 };
	struct store_op op;
	int i, made[2] = { 0, 0 };

	/* A short value takes 80 bytes. */
	store_close(f->s);
	f->s = store_open(&o, NULL);
	assert_non_null(f->s);
	for (i = 0; i < 20; i++)
		made[i / 10] += store_create(f->s, i < 10 ? "p" : "q", "k", "x") != 0;
	assert_int_equal(made[0], 5);
	assert_int_equal(made[1], 3);
	store_op_create(&op, "p", "k", "x");
	assert_int_equal(store_do(f->s, &op), STORE_QUOTA);
	assert_int_equal(op.current, 1);
	store_op_name(&op, "r", "k");
	assert_int_equal(store_do(f->s, &op), STORE_QUOTA);
	assert_int_equal(op.current, 0);
	assert_int_equal(store_act(f->s, STORE_DESTROY, "p", "k", 1), STORE_DONE);
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	store_op_release(&op);
}

/* What belongs to a topic does not go on as a registry of its own. */
static void
test_a_copy_of_a_topic_is_no_store_alone(void **state)
{
	struct fixture *f = *state;
	struct database *db = store_database(f->s);
	struct store_options o = { .db = db, .master = f->master, .now = store_clock_now,
	    .no_thread = true };
	struct error err;

	store_close(f->s);
	assert_int_equal(database_begin(db, &err), 0);
	assert_int_equal(database_set_meta(database_writer(db), "log.identity", 7, "db", &err), 0);
	assert_int_equal(database_commit(db, &err), 0);
	assert_null(store_open(&o, &err));
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_non_null(strstr(err.hint, "copy local"));
	assert_int_equal(database_begin(db, &err), 0);
	assert_int_equal(database_exec(database_writer(db), "DELETE FROM meta WHERE "
	    "name='log.identity'", "db", &err), 0);
	assert_int_equal(database_commit(db, &err), 0);
	f->s = store_open(&o, &err);
	assert_non_null(f->s);
}

static void
test_what_has_expired_stays_so_wherever_the_clock_goes(void **state)
{
	struct fixture *f = *state;
	struct store_op op;
	char v[256];

	store_op_create(&op, "p", "k", "x");
	op.ttl_ms = 1000;
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	store_op_release(&op);
	store_clock += 1000;
	store_step(f->s);
	store_clock -= 1000;
	assert_false(store_value(f->s, "p", "k", 0, v));
	restart(f);
	assert_false(store_value(f->s, "p", "k", 1, v));
	assert_int_equal(store_act(f->s, STORE_UNDELETE, "p", "k", 1), STORE_ABSENT);
}

static void
test_only_so_many_changes_are_remembered(void **state)
{
	struct fixture *f = *state;
	struct store_op ops[256];
	struct reader *r;
	struct error err;
	uint64_t next = 0, seen = 0;
	int done = 0;

	for (int i = 0; i < STORE_CHANGES_MAX / 256 + 8; i++) {
		for (int j = 0; j < 256; j++) {
			store_op_init(&ops[j], STORE_META);
			store_op_name(&ops[j], "p", "k");
			ops[j].set_max_versions = true;
			ops[j].done = store_count_done;
			ops[j].cookie = &done;
			store_submit(f->s, &ops[j]);
		}
		store_step(f->s);
		for (int j = 0; j < 256; j++)
			store_op_release(&ops[j]);
	}
	r = store_reader(f->s);
	assert_int_equal(reader_changes(r, 1, 10, NULL, NULL, &next, &err), 0);
	assert_int_equal(reader_offset(r, &next, NULL), 0);
	seen = next - STORE_CHANGES_MAX;
	store_read(r);
	assert_true(done > STORE_CHANGES_MAX && seen > 1);
}

static void
test_a_wrong_key_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct master *wrong = store_master('b');
	struct error err = { 0 };
	uint64_t next;

	store_create(f->s, "p", "k", "x");
	next = store_next_offset(f->s);
	store_end(f->s);
	assert_null(store_try(wrong, NULL, false, &err));
	assert_int_equal(err.code, ERROR_KEY);
	f->s = store_on(f->master);
	assert_int_equal(store_next_offset(f->s), next);
	assert_int_equal(store_create(f->s, "p", "k", "y"), 2);
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
	assert_true(store_there(f->s, "p", "k", 1, &a));
	assert_true(store_there(f->s, "p", "k", 3, &b));
	assert_true(b.created_ms >= a.created_ms);
}

static void
test_very_many_versions_are_deleted_at_once(void **state)
{
	struct fixture *f = *state;
	struct store_op op;
	int i;

	for (i = 0; i < 3000; i++) {
		store_op_create(&op, "p", "k", "x");
		assert_int_equal(store_do(f->s, &op), STORE_DONE);
		store_op_release(&op);
	}
	store_op_init(&op, STORE_DELETE_KEY);
	store_op_name(&op, "p", "k");
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	assert_int_equal(op.touched_count, 3000);
	store_op_release(&op);
	restart(f);
	assert_false(store_path_live(f->s, "p"));
	assert_int_equal(store_create(f->s, "p", "k", "x"), 3001);
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
	uint64_t now = store_next_offset(f->s);
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
	struct fixture *f = *state;
	struct store *s;
	struct rotation_state rotation;
	unsigned won = 0, i, j;
	char v[64];

	store_end(f->s);
	s = f->s = store_try(f->master, NULL, true, NULL);
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
	restart(f);
	for (i = 1; i <= RACERS * RACES; i++)
		assert_true(store_value(f->s, "p", "shared", i, v));
	assert_false(store_value(f->s, "p", "shared", i, v));
}

/* What was submitted before the end is done. */
static void
test_closing_finishes_what_was_submitted(void **state)
{
	struct fixture *f = *state;
	struct store_op op[300];
	struct store *s;
	int done = 0, i;

	store_end(f->s);
	s = store_try(f->master, NULL, true, NULL);
	f->s = NULL;
	assert_non_null(s);
	for (i = 0; i < 300; i++) {
		store_op_create(&op[i], "p", "k", "x");
		op[i].done = store_count_done;
		op[i].cookie = &done;
		store_submit(s, &op[i]);
	}
	store_end(s);
	assert_int_equal(done, 300);
	for (i = 0; i < 300; i++) {
		assert_int_equal(op[i].result, STORE_DONE);
		assert_int_equal(op[i].version, i + 1);
		store_op_release(&op[i]);
	}
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
		CASE(test_secrets_without_a_keyring_are_not_given_another),
		CASE(test_the_last_number_is_not_passed),
		CASE(test_so_many_bytes_and_no_more),
		CASE(test_a_copy_of_a_topic_is_no_store_alone),
		CASE(test_what_has_expired_stays_so_wherever_the_clock_goes),
		CASE(test_only_so_many_changes_are_remembered),
		CASE(test_a_wrong_key_changes_nothing),
		CASE(test_a_clock_set_back_keeps_times_in_order),
		CASE(test_very_many_versions_are_deleted_at_once),
		CASE(test_waiters_are_woken_once_when_something_changed),
		CASE(test_several_threads_get_numbers_of_their_own),
		CASE(test_closing_finishes_what_was_submitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rotation: every value, version and date stays, wherever it is interrupted. */
#include "record_support.h"
#include "store_support.h"

#define SECRETS 1100	/* more than two steps of a rotation */

/* Two of each hundred deleted, some expiring; the same in every run. */
static void
fill(struct store *s)
{
	struct store_op op;
	char path[16], value[32];
	int i;

	for (i = 0; i < SECRETS; i++) {
		snprintf(path, sizeof(path), "p%d", i % 7);
		snprintf(value, sizeof(value), "value %d", i);
		store_op_create(&op, path, i % 3 == 0 ? "k" : "l", value);
		op.ttl_ms = i % 50 == 0 ? 1000000 : 0;
		op.has_idem = i % 20 == 0;
		memset(op.idem, i, sizeof(op.idem));
		assert_int_equal(store_do(s, &op), STORE_DONE);
		store_op_release(&op);
		store_clock++;
	}
	assert_int_equal(store_act(s, STORE_DELETE_VERSION, "p1", "k", 3), STORE_DONE);
	assert_int_equal(store_act(s, STORE_DELETE_VERSION, "p2", "l", 2), STORE_DONE);
	assert_int_equal(store_act(s, STORE_DESTROY, "p3", "l", 5), STORE_DONE);
}

/* Everything that must stay as it is, as text. */
static void
dump(struct store *s, struct buf *out)
{
	struct sealer *sealer = sealer_new(store_keyring(s), NULL);
	struct sealed_name name = { 0 };
	const struct state_path *p;
	const struct state_key *k;
	struct version_view v;
	struct key_meta meta;
	struct buf plain;
	size_t i;

	assert_non_null(sealer);
	buf_init(out, 16 << 20);
	buf_init_secret(&plain, 1 << 20);
	name.path = name.key = "";
	while ((p = state_path_after(store_state(s), name.path, name.path_len)) != NULL) {
		name.path = state_path_name(p, &name.path_len);
		name.key = "";
		name.key_len = 0;
		while ((k = state_key_after(p, name.key, name.key_len)) != NULL) {
			name.key = state_key_name(k, &name.key_len);
			state_key_meta(k, &meta);
			buf_printf(out, "%s/%s %u\n", name.path, name.key, meta.high);
			for (i = 0; i < state_version_count(k); i++) {
				state_version_at(k, i, store_clock, &v);
				name.version = v.number;
				name.created_ms = v.created_ms;
				name.expires_ms = v.expires_ms;
				buf_clear(&plain);
				assert_int_equal(sealer_open(sealer, &name, v.sealed,
				    v.sealed_len, &plain, NULL), 0);
				buf_printf(out, " %u %d %lld %lld %lld %s %s %d %02x%02x %s\n",
				    v.number, v.status, (long long)v.created_ms,
				    (long long)v.expires_ms, (long long)v.deleted_ms,
				    v.created_by, v.deleted_by, v.idem != NULL ? v.idem[63] : -1,
				    v.claim[0], v.claim[15], buf_cstr(&plain));
			}
		}
	}
	assert_int_equal(buf_check(out, NULL), 0);
	buf_release(&plain);
	sealer_free(sealer);
}

static void
assert_same(struct store *s, const struct buf *before)
{
	struct buf now;

	dump(s, &now);
	assert_int_equal(now.len, before->len);
	assert_memory_equal(now.data, before->data, before->len);
	buf_release(&now);
}

/* All under one data key, and that another than before. */
static void
assert_rotated(struct store *s, uint32_t kid)
{
	const struct state_path *p;
	const struct state_key *k;
	struct rotation_state r;
	struct version_view v;
	const char *path = "", *key;
	size_t path_len = 0, key_len, i;
	uint32_t kids[8];

	store_rotation(s, &r);
	assert_false(r.running);
	assert_string_equal(r.failure, "");
	assert_int_equal(keyring_kids(store_keyring(s), kids, 8), 1);
	assert_int_equal(kids[0], kid);
	while ((p = state_path_after(store_state(s), path, path_len)) != NULL) {
		path = state_path_name(p, &path_len);
		key = "";
		key_len = 0;
		while ((k = state_key_after(p, key, key_len)) != NULL) {
			key = state_key_name(k, &key_len);
			for (i = 0; i < state_version_count(k); i++) {
				state_version_at(k, i, 0, &v);
				assert_int_equal(sealed_kid(v.sealed, v.sealed_len), kid);
			}
		}
	}
}

struct steps {
	char text[256];
};

static void
note(void *cookie, const char *step, const struct rotation_state *r)
{
	struct steps *x = cookie;
	size_t n = strlen(x->text);

	snprintf(x->text + n, sizeof(x->text) - n, "%s %u-%u;", step, r->from_kid, r->to_kid);
}

static void
test_an_online_rotation_keeps_everything(void **state)
{
	struct log_memory *topic = log_memory_new(5);
	struct master *m = store_master('a'), *fresh = store_master('b');
	struct store *s = store_on(topic, m);
	struct error err = { 0 };
	struct rotation_state r;
	struct steps x = { "" };
	struct buf before;
	char v[64];

	(void)state;
	fill(s);
	dump(s, &before);
	store_on_rotation(s, note, &x);
	assert_int_equal(store_rotate(s, fresh, &err), 0);
	assert_int_equal(store_rotate(s, NULL, &err), -1);
	assert_int_equal(err.code, ERROR_BUSY);
	store_rotation(s, &r);
	assert_true(r.running);
	assert_int_equal(r.total, SECRETS - 1);
	store_step(s);
	store_rotation(s, &r);
	assert_int_equal(r.done, SECRETS - 1);
	assert_rotated(s, 2);
	assert_same(s, &before);
	assert_string_equal(x.text, "started 1-2;finished 1-2;");
	/* Once more, under the same master secret. */
	assert_int_equal(store_rotate(s, NULL, NULL), 0);
	store_step(s);
	assert_rotated(s, 3);
	assert_same(s, &before);
	store_close(s);
	log_memory_compact(topic, true);
	assert_null(store_try(topic, m, NULL, false, &err));
	assert_int_equal(err.code, ERROR_KEY);
	s = store_on(topic, fresh);
	assert_same(s, &before);
	assert_true(store_create(s, "p1", "k", "new") > 0);
	assert_true(store_value(s, "p1", "k", 0, v));
	assert_string_equal(v, "new");
	store_close(s);
	buf_release(&before);
	master_free(m);
	master_free(fresh);
	log_memory_free(topic);
}

/* Stop at the ${at}th append of a rotation, in one of the ways there are, and
 * start again.  false: the rotation has fewer appends. */
static bool
kill_at(size_t at, enum log_memory_fault fault, bool restart_with_old)
{
	struct log_memory *topic = log_memory_new(at);
	struct master *m = store_master('a'), *fresh = store_master('b');
	struct store *s = store_on(topic, m);
	struct rotation_state r;
	struct buf before;
	bool interrupted;

	fill(s);
	dump(s, &before);
	log_memory_fault_at(topic, at, fault);
	if (restart_with_old) {
		store_close(s);
		/* The keyring's own append may be what fails: then nothing starts. */
		s = store_try(topic, fresh, m, false, NULL);
	} else {
		assert_int_equal(store_rotate(s, fresh, NULL), 0);
	}
	/* As killed: what failed is not tried again. */
	if (s != NULL)
		store_rotation(s, &r);
	if (s != NULL && r.failure[0] == '\0')
		store_step(s);
	if (s != NULL)
		store_rotation(s, &r);
	interrupted = s == NULL || r.running || fault == LOG_MEMORY_LOSE_ANSWER;
	if (s != NULL && !r.running)
		assert_rotated(s, 2);
	store_close(s);
	log_memory_compact(topic, at % 2 == 0);
	/* Past the end the fault is still there, and meets the next append. */
	s = store_try(topic, fresh, m, false, NULL);
	if (s == NULL)
		s = store_try(topic, fresh, m, false, NULL);
	assert_non_null(s);
	store_step(s);
	store_step(s);
	assert_rotated(s, 2);
	assert_same(s, &before);
	store_close(s);
	assert_null(store_try(topic, m, NULL, false, NULL));
	s = store_on(topic, fresh);
	assert_same(s, &before);
	store_close(s);
	buf_release(&before);
	master_free(m);
	master_free(fresh);
	log_memory_free(topic);
	return interrupted;
}

/* The first record, two full steps and a rest, the last one. */
#define APPENDS 5

static void
test_a_rotation_goes_on_after_any_failed_append(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < APPENDS; i++)
		assert_true(kill_at(i, LOG_MEMORY_FAIL, false));
	assert_false(kill_at(APPENDS, LOG_MEMORY_FAIL, false));
}

static void
test_a_rotation_goes_on_after_any_lost_batch(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < APPENDS; i++)
		assert_true(kill_at(i, LOG_MEMORY_LOSE_BATCH, false));
}

static void
test_a_rotation_goes_on_after_any_lost_answer(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < APPENDS; i++)
		assert_true(kill_at(i, LOG_MEMORY_LOSE_ANSWER, false));
}

static void
test_a_restart_with_the_former_key_seals_everything_again(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < APPENDS; i++)
		assert_true(kill_at(i, LOG_MEMORY_FAIL, true));
	assert_false(kill_at(APPENDS, LOG_MEMORY_FAIL, true));
}

/* The new data key's record failed, and was written before anything under it. */
static void
test_nothing_is_sealed_under_a_key_that_is_not_in_the_log(void **state)
{
	struct log_memory *topic = log_memory_new(5);
	struct master *m = store_master('a');
	struct store *s = store_on(topic, m);
	struct buf before;

	(void)state;
	fill(s);
	dump(s, &before);
	log_memory_fault_at(topic, 0, LOG_MEMORY_FAIL);
	log_memory_fault_at(topic, 3, LOG_MEMORY_FAIL);
	assert_int_equal(store_rotate(s, NULL, NULL), 0);
	store_step(s);
	store_close(s);
	s = store_on(topic, m);
	assert_same(s, &before);
	store_step(s);
	assert_rotated(s, 2);
	store_close(s);
	buf_release(&before);
	master_free(m);
	log_memory_free(topic);
}

/* Another writer's record of version 1 of ${path}/k, which does not open. */
static void
inject(struct log_memory *topic, const char *path)
{
	struct record r = record_secret(path, "k", 1, 0);
	struct buf bytes;
	struct log_record l = record_encoded(&r, &bytes);

	(void)log_memory_inject(topic, l.key, l.key_len, l.value, l.value_len);
	buf_release(&bytes);
}

/* Losers stand in the log when the rotation begins: they must go first. */
static void
test_losers_do_not_win_by_a_rotation(void **state)
{
	struct log_memory *topic = log_memory_new(5);
	struct master *m = store_master('a');
	struct store *s = store_on(topic, m);
	struct buf before;
	size_t i;

	(void)state;
	fill(s);
	dump(s, &before);
	for (i = 0; i < 3; i++) {
		inject(topic, "p1");
		assert_int_equal(store_rotate(s, NULL, NULL), 0);
		store_step(s);
		assert_rotated(s, (uint32_t)i + 2);
		assert_same(s, &before);
		store_close(s);
		log_memory_compact(topic, i == 1);
		s = store_on(topic, m);
		assert_same(s, &before);
	}
	store_close(s);
	buf_release(&before);
	master_free(m);
	log_memory_free(topic);
}

/* A record that does not open stays, and keeps its data key. */
static void
test_what_cannot_be_opened_is_kept_with_its_key(void **state)
{
	struct log_memory *topic = log_memory_new(5);
	struct master *m = store_master('a');
	struct store *s = store_on(topic, m);
	struct steps x = { "" };
	struct rotation_state r;
	struct version_view v;
	uint32_t kids[4];
	char value[64];

	(void)state;
	store_create(s, "p", "k", "x");
	inject(topic, "q");
	store_on_rotation(s, note, &x);
	assert_int_equal(store_rotate(s, NULL, NULL), 0);
	store_step(s);
	store_rotation(s, &r);
	assert_false(r.running);
	assert_true(strlen(r.failure) > 0);
	assert_string_equal(x.text, "started 1-2;failed 1-2;");
	assert_int_equal(keyring_kids(store_keyring(s), kids, 4), 2);
	assert_true(store_value(s, "p", "k", 0, value));
	assert_true(state_version_find(store_key(s, "q", "k"), 1, 0, &v));
	assert_int_equal(sealed_kid(v.sealed, v.sealed_len), 1);
	/* Destroyed by whom it belongs to, the next start can finish. */
	assert_int_equal(store_act(s, STORE_DESTROY, "q", "k", 1), STORE_DONE);
	store_close(s);
	s = store_on(topic, m);
	x.text[0] = '\0';
	store_on_rotation(s, note, &x);
	store_step(s);
	assert_string_equal(x.text, "resumed 1-2;finished 1-2;");
	assert_rotated(s, 2);
	store_close(s);
	master_free(m);
	log_memory_free(topic);
}

/* New versions are made all the while, under the new data key. */
static void
test_writes_go_on_during_a_rotation(void **state)
{
	struct log_memory *topic = log_memory_new(5);
	struct master *m = store_master('a');
	struct store *s = store_on(topic, m);
	struct version_view v;
	struct buf before;
	char text[64];

	(void)state;
	fill(s);
	dump(s, &before);
	buf_release(&before);
	log_memory_fault_at(topic, 2, LOG_MEMORY_FAIL);
	assert_int_equal(store_rotate(s, NULL, NULL), 0);
	store_step(s);
	/* Half way: both data keys are in use. */
	assert_int_equal(store_create(s, "zz", "k", "during"), 1);
	assert_true(state_version_find(store_key(s, "zz", "k"), 1, 0, &v));
	assert_int_equal(sealed_kid(v.sealed, v.sealed_len), 2);
	assert_true(store_value(s, "p0", "k", 1, text));
	assert_true(store_value(s, "p6", "k", 1, text));
	store_step(s);
	assert_rotated(s, 2);
	assert_true(store_value(s, "zz", "k", 1, text));
	assert_string_equal(text, "during");
	store_close(s);
	master_free(m);
	log_memory_free(topic);
}

static int
reset_clock(void **state)
{
	(void)state;
	store_clock = 1000000;
	return 0;
}

#define CASE(name) cmocka_unit_test_setup(name, reset_clock)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_an_online_rotation_keeps_everything),
		CASE(test_a_rotation_goes_on_after_any_failed_append),
		CASE(test_a_rotation_goes_on_after_any_lost_batch),
		CASE(test_a_rotation_goes_on_after_any_lost_answer),
		CASE(test_a_restart_with_the_former_key_seals_everything_again),
		CASE(test_nothing_is_sealed_under_a_key_that_is_not_in_the_log),
		CASE(test_losers_do_not_win_by_a_rotation),
		CASE(test_what_cannot_be_opened_is_kept_with_its_key),
		CASE(test_writes_go_on_during_a_rotation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the store does when its log fails. */
#include "store_fixture.h"

static void
test_a_failed_append_changes_nothing_and_recovers(void **state)
{
	struct fixture *f = *state;
	struct store_op op;
	char v[256];

	store_create(f->s, "p", "k", "x");
	log_memory_fault_at(f->topic, 0, LOG_MEMORY_FAIL);
	store_op_create(&op, "p", "k", "y");
	assert_int_equal(store_do(f->s, &op), STORE_FAILED);
	assert_int_equal(op.err.code, ERROR_IO);
	store_op_release(&op);
	assert_non_null(store_unready(f->s));
	assert_string_equal(store_live(f->s, "p", "k", v), "1");
	assert_int_equal(store_create(f->s, "p", "k", "y"), 2);
	assert_null(store_unready(f->s));
}

static void
test_a_lost_answer_is_found_in_the_log(void **state)
{
	struct fixture *f = *state;
	char v[256];

	store_create(f->s, "p", "k", "x");
	log_memory_fault_at(f->topic, 0, LOG_MEMORY_LOSE_ANSWER);
	assert_int_equal(store_create(f->s, "p", "k", "y"), 2);
	assert_true(store_value(f->s, "p", "k", 2, v));
	assert_string_equal(v, "y");
	log_memory_fault_at(f->topic, 0, LOG_MEMORY_LOSE_ANSWER);
	assert_int_equal(store_act(f->s, STORE_DELETE_KEY, "p", "k", 0), STORE_DONE);
	assert_string_equal(store_live(f->s, "p", "k", v), "");
	assert_null(store_unready(f->s));
}

static void
test_a_lost_batch_is_unknown_and_can_be_repeated(void **state)
{
	struct fixture *f = *state;
	uint32_t v = 0;

	log_memory_fault_at(f->topic, 0, LOG_MEMORY_LOSE_BATCH);
	assert_int_equal(create_with_idem(f->s, 1, 1, &v), STORE_UNKNOWN);
	v = 0;
	assert_int_equal(create_with_idem(f->s, 1, 1, &v), STORE_DONE);
	assert_int_equal(v, 1);
	v = 0;
	assert_int_equal(create_with_idem(f->s, 1, 1, &v), STORE_REPEATED);
}

/* Ask for metadata, and let the log keep it back. */
static void
delay_metadata(struct fixture *f)
{
	struct store_op op;

	log_memory_fault_at(f->topic, 0, LOG_MEMORY_DELAY);
	store_op_init(&op, STORE_META);
	store_op_name(&op, "p", "k");
	op.cas = -1;
	op.set_max_versions = true;
	op.max_versions = 9;
	assert_int_equal(store_do(f->s, &op), STORE_UNKNOWN);
	store_op_release(&op);
}

static void
test_what_lands_late_does_not_bring_numbers_back(void **state)
{
	struct fixture *f = *state;
	char v[256];

	store_create(f->s, "p", "k", "x");
	delay_metadata(f);
	assert_int_equal(store_create(f->s, "p", "k", "y"), 2);
	assert_int_equal(store_act(f->s, STORE_DESTROY, "p", "k", 2), STORE_DONE);
	log_memory_land(f->topic);
	log_memory_compact(f->topic, true);
	restart(f);
	assert_string_equal(store_live(f->s, "p", "k", v), "1");
	assert_int_equal(store_create(f->s, "p", "k", "z"), 3);
}

static void
test_what_lands_late_does_not_bring_back_what_was_deleted(void **state)
{
	struct fixture *f = *state;
	char v[256];

	store_create(f->s, "p", "k", "x");
	delay_metadata(f);
	assert_int_equal(store_act(f->s, STORE_DELETE_KEY, "p", "k", 0), STORE_DONE);
	log_memory_land(f->topic);
	restart(f);
	assert_string_equal(store_live(f->s, "p", "k", v), "");
}

static void
test_a_keyring_that_lands_late_takes_no_key_away(void **state)
{
	struct fixture *f = *state;
	char v[256];

	store_create(f->s, "p", "k", "x");
	log_memory_fault_at(f->topic, 0, LOG_MEMORY_DELAY);
	assert_int_equal(store_rotate(f->s, NULL, NULL), 0);
	store_step(f->s);
	assert_int_equal(store_rotate(f->s, NULL, NULL), 0);
	store_step(f->s);
	assert_int_equal(store_create(f->s, "p", "k", "y"), 2);
	log_memory_land(f->topic);
	restart(f);
	assert_true(store_value(f->s, "p", "k", 1, v));
	assert_string_equal(v, "x");
	assert_true(store_value(f->s, "p", "k", 2, v));
}

/* The log answers neither to the append nor to a claim for some time. */
static void
test_nothing_is_written_before_the_outcome_is_settled(void **state)
{
	struct fixture *f = *state;
	struct key_meta m;
	char v[256];

	store_create(f->s, "p", "k", "x");
	log_memory_fail_claims(f->topic, 2);
	delay_metadata(f);
	assert_non_null(store_unready(f->s));
	assert_int_equal(store_act(f->s, STORE_DELETE_KEY, "p", "k", 0), STORE_FAILED);
	assert_string_equal(store_live(f->s, "p", "k", v), "1");
	/* It lands, after all. */
	log_memory_land(f->topic);
	assert_int_equal(store_act(f->s, STORE_DELETE_KEY, "p", "k", 0), STORE_DONE);
	assert_null(store_unready(f->s));
	restart(f);
	assert_string_equal(store_live(f->s, "p", "k", v), "");
	assert_int_equal(store_create(f->s, "p", "k", "y"), 2);
	state_key_meta(store_key(f->s, "p", "k"), &m);
	assert_int_equal(m.max_versions, 9);
}

/* The keyring is the other's: what this one knows of it must not be stored. */
static void
test_who_claims_again_and_finds_another_keyring_gives_up(void **state)
{
	struct fixture *f = *state;
	struct store *other;
	char v[256];

	store_create(f->s, "p", "k", "x");
	log_memory_fail_claims(f->topic, 1);
	delay_metadata(f);
	other = store_on(f->topic, f->master);
	assert_int_equal(store_rotate(other, NULL, NULL), 0);
	store_step(other);
	store_close(other);
	assert_int_equal(store_create(f->s, "p", "k", "y"), 0);
	assert_non_null(store_unready(f->s));
	assert_int_equal(store_create(f->s, "p", "k", "y"), 0);
	restart(f);
	assert_int_equal(store_create(f->s, "p", "k", "y"), 2);
	assert_true(store_value(f->s, "p", "k", 1, v));
}

static void
test_a_newer_claim_fences_the_store(void **state)
{
	struct fixture *f = *state;
	struct store *other = store_on(f->topic, f->master);
	char v[256];

	assert_int_equal(store_create(other, "p", "k", "x"), 1);
	assert_int_equal(store_create(f->s, "p", "k", "y"), 0);
	assert_non_null(store_unready(f->s));
	assert_int_equal(store_create(f->s, "p", "k", "y"), 0);
	assert_int_equal(store_create(other, "p", "k", "z"), 2);
	store_close(f->s);
	f->s = other;
	assert_string_equal(store_live(f->s, "p", "k", v), "1 2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_failed_append_changes_nothing_and_recovers),
		CASE(test_a_lost_answer_is_found_in_the_log),
		CASE(test_a_lost_batch_is_unknown_and_can_be_repeated),
		CASE(test_what_lands_late_does_not_bring_numbers_back),
		CASE(test_what_lands_late_does_not_bring_back_what_was_deleted),
		CASE(test_a_keyring_that_lands_late_takes_no_key_away),
		CASE(test_nothing_is_written_before_the_outcome_is_settled),
		CASE(test_who_claims_again_and_finds_another_keyring_gives_up),
		CASE(test_a_newer_claim_fences_the_store),
	};

	return cmocka_run_group_tests_name("store_failing_log", tests, NULL, NULL);
}

/* Who has what is changed put on record, in the same transaction. */
#include "store_support.h"

struct hooked {
	size_t writes, afters, written;
	size_t ops;			/* of the last batch */
	uint64_t offsets[8];
	size_t waiting;
	int refuse;
	struct store *s;
};

static size_t
hook_waiting(void *cookie)
{
	return ((struct hooked *)cookie)->waiting;
}

static int
hook_write(void *cookie, struct store_op *const *ops, size_t n, struct error *err)
{
	struct hooked *w = cookie;

	w->writes++;
	w->ops = n;
	w->waiting = 0;
	for (size_t i = 0; i < n && i < 8; i++) {
		assert_int_equal(ops[i]->result, STORE_DONE);
		w->offsets[i] = ops[i]->offset;
	}
	/* What it writes is in the transaction. */
	assert_int_equal(database_set_meta(database_writer(store_database(w->s)), "hooked",
	    (int64_t)w->writes, STORE_FILE, NULL), 0);
	return w->refuse ? error_set(err, ERROR_IO, "not to be known") : 0;
}

static void
hook_after(void *cookie, struct store_op *const *ops, size_t n, bool written)
{
	struct hooked *w = cookie;

	assert_int_equal(n, w->ops);
	w->afters++;
	w->written += written;
	for (size_t i = 0; i < n && written; i++)
		ops[i]->done(ops[i]);
}

struct fixture {
	struct master *master;
	struct store *s;
	struct hooked w;
	void *folder;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct store_commit_hook w = { .waiting = hook_waiting, .write = hook_write,
	    .after = hook_after, .cookie = &f->w };

	store_clock = 1000000;
	assert_int_equal(files_setup(&f->folder), 0);
	f->master = store_master('a');
	f->s = f->w.s = store_on(f->master);
	store_set_commit_hook(f->s, &w);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	int result;

	store_end(f->s);
	master_free(f->master);
	result = files_teardown(&f->folder);
	free(f);
	return result;
}

static int64_t
noted(struct store *s)
{
	int64_t n;

	assert_int_equal(database_meta(database_writer(store_database(s)), "hooked", 0, &n,
	    STORE_FILE, NULL), 0);
	return n;
}

static void
test_changes_are_told_with_their_offsets(void **state)
{
	struct fixture *f = *state;
	struct store_op ops[3];
	int done = 0;

	for (size_t i = 0; i < 3; i++) {
		store_op_create(&ops[i], "p", i == 1 ? "other" : "k", "x");
		ops[i].cas = i == 2 ? 5 : -1;	/* does not hold */
		ops[i].done = store_count_done;
		ops[i].cookie = &done;
		store_submit(f->s, &ops[i]);
	}
	store_step(f->s);
	assert_int_equal(done, 3);
	assert_int_equal(ops[2].result, STORE_CAS_MISMATCH);
	assert_int_equal(f->w.written, 1);
	assert_int_equal(f->w.ops, 2);
	assert_int_equal(f->w.offsets[0], ops[0].offset);
	assert_int_equal(f->w.offsets[1], ops[1].offset);
	assert_int_equal(ops[1].offset, ops[0].offset + 1);
	for (size_t i = 0; i < 3; i++)
		store_op_release(&ops[i]);
	/* What changes nothing is no change. */
	assert_int_equal(store_act(f->s, STORE_DELETE_KEY, "q", "k", 0), STORE_ABSENT);
	assert_int_equal(f->w.ops, 0);
	assert_int_equal(store_act(f->s, STORE_DELETE_KEY, "p", "k", 0), STORE_DONE);
	assert_int_equal(f->w.ops, 1);
	assert_int_equal(noted(f->s), f->w.writes);
}

static void
test_what_must_not_be_known_is_not_done(void **state)
{
	struct fixture *f = *state;
	struct store_op op;
	char v[256];

	f->w.refuse = 1;
	store_op_create(&op, "p", "k", "x");
	assert_int_equal(store_do(f->s, &op), STORE_FAILED);
	assert_string_equal(op.err.text, "not to be known");
	assert_int_equal(op.offset, 0);
	store_op_release(&op);
	assert_int_equal(f->w.afters, 1);
	assert_int_equal(f->w.written, 0);
	assert_string_equal(store_live(f->s, "p", "k", v), "");
	assert_int_equal(noted(f->s), 0);
	f->w.refuse = 0;
	assert_int_equal(store_create(f->s, "p", "k", "y"), 1);
	assert_null(store_unready(f->s));
}

static void
test_what_waits_alone_is_committed_too(void **state)
{
	struct fixture *f = *state;

	f->w.waiting = 3;
	store_step(f->s);
	assert_int_equal(f->w.waiting, 0);
	assert_int_equal(f->w.written, 1);
	assert_int_equal(f->w.ops, 0);
	assert_int_equal(noted(f->s), 1);
}

static void
test_a_sweep_is_nobodys_action(void **state)
{
	struct fixture *f = *state;
	struct version_view v;
	struct store_op op;

	store_op_create(&op, "p", "k", "x");
	op.ttl_ms = 1000;
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	store_op_release(&op);
	store_clock += 1000 + 2 * STORE_WINDOW;
	store_step(f->s);
	assert_int_equal(f->w.ops, 0);
	assert_false(store_there(f->s, "p", "k", 1, &v));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_changes_are_told_with_their_offsets),
		CASE(test_what_must_not_be_known_is_not_done),
		CASE(test_what_waits_alone_is_committed_too),
		CASE(test_a_sweep_is_nobodys_action),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who has to know of every change, and what the log keeps for it. */
#include "registry/log/log_sqlite.h"
#include "files.h"
#include "store_support.h"

struct hooked {
	size_t before, after, written;
	size_t ops;			/* of the last batch */
	uint64_t offsets[8];
	unsigned slot;
	char text[64];			/* to be kept; "": nothing */
	int refuse;
};

static int
before(void *cookie, struct store_op *const *ops, size_t n, struct store_carry *parts,
    size_t *count, struct error *err)
{
	struct hooked *w = cookie;

	w->before++;
	w->ops = n;
	for (size_t i = 0; i < n && i < 8; i++) {
		assert_int_equal(ops[i]->result, STORE_DONE);
		w->offsets[i] = ops[i]->offset;
	}
	*count = w->text[0] != '\0' ? 1 : 0;
	parts[0] = (struct store_carry){ w->text, strlen(w->text), w->slot };
	return w->refuse ? error_set(err, ERROR_IO, "not to be known") : 0;
}

static void
after(void *cookie, struct store_op *const *ops, size_t n, bool written)
{
	struct hooked *w = cookie;

	(void)ops;
	assert_int_equal(n, w->ops);
	w->after++;
	w->written += written;
}

struct fixture {
	struct log_memory *topic;
	struct master *master;
	struct store *s;
	struct hooked w;
	void *folder;
};

static void
watch(struct fixture *f)
{
	struct store_commit_hook w = { .before = before, .after = after, .cookie = &f->w };

	store_set_commit_hook(f->s, &w);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	store_clock = 1000000;
	f->topic = log_memory_new(1);
	f->master = store_master('a');
	f->s = store_on(f->topic, f->master);
	watch(f);
	*state = f;
	return files_setup(&f->folder);
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	int result;

	store_close(f->s);
	master_free(f->master);
	log_memory_free(f->topic);
	result = files_teardown(&f->folder);
	free(f);
	return result;
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
	assert_int_equal(f->w.before, 1);
	assert_int_equal(f->w.written, 1);
	assert_int_equal(f->w.ops, 2);
	assert_int_equal(f->w.offsets[0], ops[0].offset);
	assert_int_equal(f->w.offsets[1], ops[1].offset);
	assert_int_equal(ops[1].offset, ops[0].offset + 1);
	for (size_t i = 0; i < 3; i++)
		store_op_release(&ops[i]);
	/* What changes nothing is told to nobody. */
	assert_int_equal(store_act(f->s, STORE_DELETE_KEY, "q", "k", 0), STORE_ABSENT);
	assert_int_equal(f->w.before, 1);
	assert_int_equal(store_act(f->s, STORE_DELETE_KEY, "p", "k", 0), STORE_DONE);
	assert_int_equal(f->w.before, 2);
}

static void
test_what_must_not_be_known_is_not_done(void **state)
{
	struct fixture *f = *state;
	struct store_op op;

	f->w.refuse = 1;
	store_op_create(&op, "p", "k", "x");
	assert_int_equal(store_do(f->s, &op), STORE_FAILED);
	assert_string_equal(op.err.text, "not to be known");
	assert_int_equal(op.offset, 0);
	store_op_release(&op);
	assert_int_equal(f->w.after, 0);
	assert_null(store_key(f->s, "p", "k"));
	f->w.refuse = 0;
	assert_int_equal(store_create(f->s, "p", "k", "y"), 1);
}

static void
test_a_sweep_is_told_to_nobody(void **state)
{
	struct fixture *f = *state;
	struct store_op op;
	size_t told;

	store_op_create(&op, "p", "k", "x");
	op.ttl_ms = 1000;
	assert_int_equal(store_do(f->s, &op), STORE_DONE);
	store_op_release(&op);
	told = f->w.before;
	f->w.refuse = 1;
	store_clock += 1000 + 2 * STORE_WINDOW;
	store_step(f->s);
	assert_int_equal(f->w.before, told);
	assert_int_equal(state_version_count(store_key(f->s, "p", "k")), 0);
}

static void
test_a_failed_append_is_told(void **state)
{
	struct fixture *f = *state;

	log_memory_fault_at(f->topic, 0, LOG_MEMORY_FAIL);
	assert_int_equal(store_create(f->s, "p", "k", "x"), 0);
	assert_int_equal(f->w.after, 1);
	assert_int_equal(f->w.written, 0);
	log_memory_fault_at(f->topic, 0, LOG_MEMORY_LOSE_ANSWER);
	assert_int_equal(store_create(f->s, "p", "k", "x"), 1);
	assert_int_equal(f->w.written, 1);
}

static void
assert_carried(struct store *s, unsigned slot, const char *text)
{
	size_t n;
	const char *kept = store_carried(s, slot, &n);

	if (text == NULL) {
		assert_null(kept);
		return;
	}
	assert_non_null(kept);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(kept, text, n);
}

/* Each slot keeps its last text, as far as the change came about. */
static void
keep_some(struct fixture *f)
{
	static const struct { unsigned slot; const char *text; } texts[] = {
		{ 0, "first" }, { 31, "last\n" }, { 0, "{not: json" }, { 7, "x" }, { 7, "" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		f->w.slot = texts[i].slot;
		snprintf(f->w.text, sizeof(f->w.text), "%s", texts[i].text);
		assert_int_not_equal(store_create(f->s, "p", "k", "v"), 0);
	}
}

static void
check_kept(struct store *s)
{
	assert_carried(s, 0, "{not: json");
	assert_carried(s, 31, "last\n");
	assert_carried(s, 7, "x");
	assert_carried(s, 1, NULL);
	store_forget_carried(s);
	assert_carried(s, 0, NULL);
}

static void
test_what_is_carried_is_there_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct state_counts counts;

	keep_some(f);
	f->w.slot = 0;
	snprintf(f->w.text, sizeof(f->w.text), "not kept");
	log_memory_fault_at(f->topic, 0, LOG_MEMORY_FAIL);
	assert_int_equal(store_create(f->s, "p", "k", "v"), 0);
	store_close(f->s);
	log_memory_compact(f->topic, true);
	f->s = store_on(f->topic, f->master);
	check_kept(f->s);
	/* They are no garbage, and later ones are passed over. */
	state_count(store_state(f->s), &counts);
	assert_int_equal(counts.quarantined + counts.unknown, 0);
	watch(f);
	f->w.slot = 3;
	assert_int_not_equal(store_create(f->s, "p", "k", "v"), 0);
	assert_carried(f->s, 3, NULL);
}

static void
test_the_embedded_log_carries_too(void **state)
{
	struct fixture *f = *state;
	struct store_options o = { .master = f->master, .node = "test", .no_thread = true };

	store_close(f->s);
	o.log = log_sqlite_open("registry.db", NULL);
	assert_non_null(f->s = store_open(&o, NULL));
	watch(f);
	keep_some(f);
	store_close(f->s);
	o.log = log_sqlite_open("registry.db", NULL);
	assert_non_null(f->s = store_open(&o, NULL));
	check_kept(f->s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_changes_are_told_with_their_offsets),
		CASE(test_what_must_not_be_known_is_not_done),
		CASE(test_a_sweep_is_told_to_nobody),
		CASE(test_a_failed_append_is_told),
		CASE(test_what_is_carried_is_there_after_a_restart),
		CASE(test_the_embedded_log_carries_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A store whose truth is a topic, and somebody who may write that topic, too. */
#include "fake_kafka.h"
#include "registry/base/clock.h"
#include "store_support.h"

#define WAIT_MS 60000		/* for what is to come about, on a slow machine */
#define TURN_MS 5

static struct kafka_options options = { .topic = "secrets", .timeout_ms = 30000,
    .init_timeout_ms = 30000 };

struct fixture {
	void *folder;
	struct master *master;
	struct store *s;
};

static _Atomic unsigned commits;

static int
count_commit(void *nothing)
{
	(void)nothing;
	commits++;
	return 0;
}

static struct store_options
node_options(struct fixture *f, const char *file)
{
	struct store_options o = { .master = f->master, .kafka = &options, .url = "http://node" };
	struct error err = { 0 };

	if ((o.db = database_open(file, &err)) == NULL)
		fail_msg("%s", err.text);
	(void)sqlite3_commit_hook(database_writer(o.db), count_commit, NULL);
	return o;
}

/* NULL: it has stopped, and does not lead. */
static struct store *
node_try(struct fixture *f, const char *file)
{
	struct store_options o = node_options(f, file);
	struct error err = { 0 };
	struct store_log_state state;
	struct store *s = store_open(&o, &err);
	int left;

	if (s == NULL)
		fail_msg("%s", err.text);
	for (left = WAIT_MS; left > 0; left -= TURN_MS) {
		store_log_state(s, &state);
		if (state.stopped != NULL) {
			store_end(s);
			return NULL;
		}
		if (state.role == LOG_LEADER)
			return s;
		clock_pause(TURN_MS);
	}
	fail_msg("it does not lead");
	return NULL;
}

static struct store *
node_open(struct fixture *f, const char *file)
{
	struct store *s = node_try(f, file);

	if (s == NULL)
		fail_msg("it has stopped");
	return s;
}

static void
node_close(struct fixture *f)
{
	store_end(f->s);
	f->s = NULL;
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(files_setup(&f->folder), 0);
	f->master = store_master('a');
	*state = f;
	f->s = node_open(f, STORE_FILE);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	int result;

	store_end(f->s);
	master_free(f->master);
	fake_clear();
	result = files_teardown(&f->folder);
	free(f);
	return result;
}

static void
tell(struct store_op *op)
{
	atomic_store((atomic_bool *)op->cookie, true);
}

static enum store_result
run(struct store *s, struct store_op *op)
{
	atomic_bool done = false;

	op->done = tell;
	op->cookie = &done;
	store_submit(s, op);
	for (int left = WAIT_MS; !atomic_load(&done); left -= TURN_MS) {
		assert_true(left > 0);
		clock_pause(TURN_MS);
	}
	return op->result;
}

/* The new version's number; 0: it is refused. */
static uint32_t
create(struct store *s, const char *key, const char *value)
{
	struct store_op op;
	uint32_t version;

	store_op_create(&op, "p", key, value);
	version = run(s, &op) == STORE_DONE ? op.version : 0;
	store_op_release(&op);
	return version;
}

static void
destroy(struct store *s, const char *key, uint32_t version)
{
	struct store_op op;

	store_op_init(&op, STORE_DESTROY);
	store_op_name(&op, "p", key);
	op.version = version;
	assert_int_equal(run(s, &op), STORE_DONE);
	store_op_release(&op);
}

static void
has_value(struct store *s, const char *key, uint32_t version, const char *value)
{
	char v[64];

	assert_true(store_value(s, "p", key, version, v));
	assert_string_equal(v, value);
}

/* Change one record of kind 1 (and have them in force): what came of it. */
static int
access_change(struct store *s, const char *name, const char *was, const char *value)
{
	struct error err = { .code = ERROR_NONE };
	struct store_op op;
	int rc;

	store_op_init(&op, STORE_ACCESS);
	store_access_add(&op, ACCESS_TAKEN, "taken", NULL, "true", true);
	store_access_add(&op, 1, name, was, value, false);
	rc = store_access_run(s, &op, &err);
	store_op_release(&op);
	return rc == 0 ? 0 : (int)err.code;
}

static int
access_note(void *cookie, const char *name, const char *value, size_t n, struct error *err)
{
	struct buf *out = cookie;

	(void)err;
	buf_printf(out, "%s=%.*s ", name, (int)n, value);
	return 0;
}

/* All of kind 1. */
static void
has_access(struct store *s, const char *all)
{
	struct error err = { .code = ERROR_NONE };
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(store_access_read(store_database(s), 1, false, access_note, &out, &err),
	    0);
	assert_string_equal(buf_cstr(&out), all);
	buf_release(&out);
}

/* Until the last record under the key of ${e} is another one. */
static void
wait_healed(const struct fake_entry *e)
{
	struct fake_entry last;
	char *key = strndup(e->key, e->key_len);
	bool same = true;

	for (int left = WAIT_MS / 4; same; left -= TURN_MS) {
		if (left <= 0)
			fail_msg("nothing is written over %s", key);
		last = fake_last(key);
		same = last.value_len == e->value_len &&
		    memcmp(last.value, e->value, e->value_len) == 0;
		fake_entry_free(&last);
		clock_pause(TURN_MS);
	}
	free(key);
}

/* What a fresh folder makes of a topic that was compacted. */
static void
restart_fresh(struct fixture *f)
{
	node_close(f);
	fake_compact();
	f->s = node_open(f, "fresh.db");
}

static void
copy(struct fixture *f, enum store_copy where)
{
	struct store_options o = node_options(f, STORE_FILE);
	struct store_copied done;
	struct error err = { 0 };

	o.copy = where;
	o.no_thread = true;
	if (store_copy(&o, &done, &err) != 0)
		fail_msg("%s", err.text);
	database_close(o.db);
}

static void
test_values_come_back_from_the_topic(void **state)
{
	struct fixture *f = *state;
	char v[256];

	assert_int_equal(create(f->s, "k", "one"), 1);
	assert_int_equal(create(f->s, "k", "two"), 2);
	assert_int_equal(create(f->s, "k", "three"), 3);
	destroy(f->s, "k", 2);
	has_value(f->s, "k", 3, "three");
	restart_fresh(f);
	assert_string_equal(store_live(f->s, "p", "k", v), "1 3");
	has_value(f->s, "k", 1, "one");
	assert_int_equal(create(f->s, "k", "four"), 4);
}

/* Each commit waits for the disk. */
static void
test_a_fresh_node_commits_many_batches_at_once(void **state)
{
	struct fixture *f = *state;
	struct fake_entry old, head;

	assert_int_equal(create(f->s, "k", "one"), 1);
	old = fake_last("SECRET");
	head = fake_last("HEAD");
	destroy(f->s, "k", 1);
	/* Of the batch before the last, which is in the same transaction. */
	fake_produce(&old);
	fake_produce(&head);
	for (uint32_t i = 1; i <= 100; i++)
		assert_int_equal(create(f->s, "many", "x"), i);
	fake_entry_free(&old);
	fake_entry_free(&head);
	node_close(f);
	commits = 0;
	f->s = node_open(f, "fresh.db");
	has_value(f->s, "many", 100, "x");
	assert_false(store_there(f->s, "p", "k", 1, &(struct version_view){ 0 }));
	assert_true(commits < 50);
	/* It goes on behind what is in its tables. */
	node_close(f);
	f->s = node_open(f, "fresh.db");
	has_value(f->s, "many", 100, "x");
	assert_int_equal(create(f->s, "many", "y"), 101);
}

/* A transaction that was aborted stands in the brokers' files: sealed by us. */
static void
test_a_refused_write_sent_again_replaces_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(create(f->s, "k", "one"), 1);
	fake.refuse = 1;
	assert_int_equal(create(f->s, "k", "refused"), 0);
	assert_true(fake.aborted_count > 0);
	assert_int_equal(create(f->s, "k", "two"), 2);
	for (size_t i = 0; i < fake.aborted_count; i++)
		fake_produce(&fake.aborted[i]);
	assert_int_equal(create(f->s, "other", "x"), 1);
	has_value(f->s, "k", 2, "two");
}

/* And at once, so that it is not there itself for long. */
static void
test_a_refused_write_is_soon_too_old_to_be_sent_again(void **state)
{
	struct fixture *f = *state;
	struct fake_entry head;

	assert_int_equal(create(f->s, "k", "one"), 1);
	head = fake_last("HEAD");
	fake.refuse = 1;
	assert_int_equal(create(f->s, "k", "refused"), 0);
	wait_healed(&head);
	for (size_t i = 0; i < fake.aborted_count; i++)
		fake_produce(&fake.aborted[i]);
	assert_int_equal(create(f->s, "k", "two"), 2);
	has_value(f->s, "k", 2, "two");
	fake_entry_free(&head);
}

/* The same of a leader that ended. */
static void
test_a_refused_write_of_another_leader_replaces_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(create(f->s, "k", "one"), 1);
	fake.refuse = 1;
	assert_int_equal(create(f->s, "k", "refused"), 0);
	node_close(f);
	f->s = node_open(f, STORE_FILE);
	for (size_t i = 0; i < fake.aborted_count; i++)
		fake_produce(&fake.aborted[i]);
	assert_int_equal(create(f->s, "k", "two"), 2);
	has_value(f->s, "k", 2, "two");
}

static void
test_a_batch_read_twice_is_read_once(void **state)
{
	struct fixture *f = *state;
	struct store_log_state before, after;
	struct fake_entry secret, head;

	assert_int_equal(create(f->s, "k", "one"), 1);
	secret = fake_last("SECRET");
	head = fake_last("HEAD");
	store_log_state(f->s, &before);
	fake_produce(&secret);
	fake_produce(&head);
	assert_int_equal(create(f->s, "k", "two"), 2);
	/* What is shown may be a turn behind what is read. */
	for (int left = WAIT_MS / 4; left > 0; left -= TURN_MS) {
		store_log_state(f->s, &after);
		if (after.foreign >= before.foreign + 2)
			break;
		clock_pause(TURN_MS);
	}
	assert_true(after.foreign >= before.foreign + 2);
	fake_entry_free(&secret);
	fake_entry_free(&head);
}

static void
test_garbage_is_written_over_though_that_fails_once(void **state)
{
	struct fixture *f = *state;
	struct fake_entry secret, garbage;

	assert_int_equal(create(f->s, "k", "one"), 1);
	secret = fake_last("SECRET");
	garbage = fake_copy(secret.key, secret.key_len, "garbage", 7);
	fake.refuse = 1;
	fake_produce(&garbage);
	wait_healed(&garbage);
	restart_fresh(f);
	has_value(f->s, "k", 1, "one");
	fake_entry_free(&secret);
	fake_entry_free(&garbage);
}

/* Compaction would leave the old record in the place of the mark. */
static void
test_a_destroyed_version_sent_again_stays_destroyed(void **state)
{
	struct fixture *f = *state;
	struct fake_entry old;
	char v[256];

	assert_int_equal(create(f->s, "k", "one"), 1);
	old = fake_last("SECRET");
	destroy(f->s, "k", 1);
	fake_produce(&old);
	wait_healed(&old);
	restart_fresh(f);
	assert_string_equal(store_live(f->s, "p", "k", v), "");
	assert_int_equal(create(f->s, "k", "two"), 2);
	fake_entry_free(&old);
}

static void
test_a_new_topic_takes_nothing_of_the_one_before(void **state)
{
	struct fixture *f = *state;
	struct fake_entry old;
	char v[256];

	for (int i = 0; i < 20; i++)
		assert_int_equal(create(f->s, "filler", "x"), i + 1);
	assert_int_equal(create(f->s, "k", "one"), 1);
	old = fake_last("SECRET");
	destroy(f->s, "k", 1);
	node_close(f);
	copy(f, STORE_COPY_TO_LOCAL);
	fake_clear();
	copy(f, STORE_COPY_TO_TOPIC);
	f->s = node_open(f, STORE_FILE);
	fake_produce(&old);
	assert_int_equal(create(f->s, "other", "x"), 1);
	assert_string_equal(store_live(f->s, "p", "k", v), "");
	fake_entry_free(&old);
}

/* Its topic is gone: what it has of it begins another. */
static void
test_a_nodes_copy_goes_into_a_new_topic(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++)
		assert_int_equal(create(f->s, "k", "x"), i + 1);
	assert_int_equal(create(f->s, "k", "last"), 21);
	node_close(f);
	fake_clear();
	copy(f, STORE_COPY_TO_TOPIC);
	f->s = node_open(f, STORE_FILE);
	has_value(f->s, "k", 21, "last");
	assert_int_equal(create(f->s, "k", "next"), 22);
	restart_fresh(f);
	has_value(f->s, "k", 22, "next");
	has_value(f->s, "k", 1, "x");
}

/* A node that has something of the topic before is not to go on in the middle. */
static void
test_a_node_of_the_topic_before_stops(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		assert_int_equal(create(f->s, "k", "x"), i + 1);
	node_close(f);
	f->s = node_open(f, "other.db");
	node_close(f);
	fake_clear();
	copy(f, STORE_COPY_TO_TOPIC);
	f->s = node_open(f, STORE_FILE);
	for (int i = 10; i < 60; i++)
		assert_int_equal(create(f->s, "k", "y"), i + 1);
	node_close(f);
	assert_null(f->s = node_try(f, "other.db"));
	f->s = node_open(f, STORE_FILE);
	has_value(f->s, "k", 60, "y");
}

static void
test_users_and_roles_come_back_from_the_topic(void **state)
{
	struct fixture *f = *state;
	uint64_t stamp;

	assert_int_equal(store_access_stamp(f->s), 0);
	assert_int_equal(access_change(f->s, "alice", NULL, "{\"a\":1}"), 0);
	assert_int_equal(access_change(f->s, "bob", NULL, "{\"b\":1}"), 0);
	stamp = store_access_stamp(f->s);
	assert_true(stamp > 0);
	assert_int_equal(access_change(f->s, "alice", "{\"a\":1}", "{\"a\":2}"), 0);
	assert_int_equal(access_change(f->s, "carol", NULL, "{}"), 0);
	assert_int_equal(access_change(f->s, "bob", "{\"b\":1}", NULL), 0);
	assert_true(store_access_stamp(f->s) > stamp);
	has_access(f->s, "alice={\"a\":2} carol={} ");
	node_close(f);
	f->s = node_open(f, STORE_FILE);
	assert_true(store_access_stamp(f->s) > 0);
	has_access(f->s, "alice={\"a\":2} carol={} ");
	restart_fresh(f);
	assert_true(store_access_stamp(f->s) > 0);
	has_access(f->s, "alice={\"a\":2} carol={} ");
}

/* All of an action, or nothing: two who have read the same do not undo one another. */
static void
test_who_knows_an_older_record_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_op op;
	struct error err = { .code = ERROR_NONE };

	assert_int_equal(access_change(f->s, "alice", NULL, "1"), 0);
	assert_int_equal(access_change(f->s, "alice", NULL, "2"), ERROR_STALE);
	assert_int_equal(access_change(f->s, "alice", "0", "2"), ERROR_STALE);
	assert_int_equal(access_change(f->s, "nobody", "0", NULL), ERROR_STALE);
	store_op_init(&op, STORE_ACCESS);
	store_access_add(&op, 1, "bob", NULL, "1", false);
	store_access_add(&op, 1, "alice", "0", "2", false);
	assert_int_equal(store_access_run(f->s, &op, &err), -1);
	assert_int_equal(err.code, ERROR_STALE);
	store_op_release(&op);
	has_access(f->s, "alice=1 ");
	assert_int_equal(access_change(f->s, "alice", "1", "2"), 0);
	fake.refuse = 1;
	assert_int_equal(access_change(f->s, "alice", "2", "3"), ERROR_IO);
	has_access(f->s, "alice=2 ");
}

/* Who was removed, and who was given another password. */
static void
test_old_records_of_users_sent_again_bring_nobody_back(void **state)
{
	struct fixture *f = *state;
	struct fake_entry bob, alice, garbage;

	assert_int_equal(access_change(f->s, "bob", NULL, "\"old\""), 0);
	bob = fake_last("bob");
	assert_int_equal(access_change(f->s, "alice", NULL, "\"old\""), 0);
	alice = fake_last("alice");
	assert_int_equal(access_change(f->s, "alice", "\"old\"", "\"new\""), 0);
	assert_int_equal(access_change(f->s, "bob", "\"old\"", NULL), 0);
	fake_produce(&bob);
	wait_healed(&bob);
	fake_produce(&alice);
	wait_healed(&alice);
	garbage = fake_copy(alice.key, alice.key_len, "garbage", 7);
	fake_produce(&garbage);
	wait_healed(&garbage);
	has_access(f->s, "alice=\"new\" ");
	restart_fresh(f);
	has_access(f->s, "alice=\"new\" ");
	fake_entry_free(&bob);
	fake_entry_free(&alice);
	fake_entry_free(&garbage);
}

static void
test_a_copy_carries_users_and_roles(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(create(f->s, "k", "one"), 1);
	assert_int_equal(access_change(f->s, "alice", NULL, "1"), 0);
	assert_int_equal(access_change(f->s, "bob", NULL, "1"), 0);
	assert_int_equal(access_change(f->s, "bob", "1", NULL), 0);
	node_close(f);
	fake_clear();
	copy(f, STORE_COPY_TO_TOPIC);
	restart_fresh(f);
	has_access(f->s, "alice=1 ");
	assert_true(store_access_stamp(f->s) > 0);
}

struct told {
	struct fake_entry before;
	_Atomic int started;		/* how often that was told, */
	_Atomic int early;		/* and with the keyring of before in the topic */
};

static void
told_step(void *cookie, const char *step, const struct rotation_state *r)
{
	struct told *t = cookie;
	struct fake_entry last = fake_last("KEYRING");

	(void)r;
	if (strcmp(step, "started") == 0) {
		if (last.value_len == t->before.value_len &&
		    memcmp(last.value, t->before.value, last.value_len) == 0)
			atomic_fetch_add(&t->early, 1);
		atomic_fetch_add(&t->started, 1);
	}
	fake_entry_free(&last);
}

/* Who is killed once it is told begins with the keys that the topic has. */
static void
test_a_rotation_is_told_once_its_keys_are_in_the_topic(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };
	struct told t = { 0 };

	assert_int_equal(create(f->s, "k", "one"), 1);
	t.before = fake_last("KEYRING");
	store_on_rotation(f->s, told_step, &t);
	fake.refuse = 1;
	assert_int_equal(store_rotate(f->s, NULL, &err), 0);
	for (int left = WAIT_MS / 4; atomic_load(&t.started) == 0; left -= TURN_MS) {
		assert_true(left > 0);
		clock_pause(TURN_MS);
	}
	assert_int_equal(atomic_load(&t.early), 0);
	node_close(f);
	fake_entry_free(&t.before);
	f->s = node_open(f, STORE_FILE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_values_come_back_from_the_topic),
		CASE(test_a_fresh_node_commits_many_batches_at_once),
		CASE(test_a_refused_write_sent_again_replaces_nothing),
		CASE(test_a_refused_write_is_soon_too_old_to_be_sent_again),
		CASE(test_a_refused_write_of_another_leader_replaces_nothing),
		CASE(test_a_batch_read_twice_is_read_once),
		CASE(test_garbage_is_written_over_though_that_fails_once),
		CASE(test_a_destroyed_version_sent_again_stays_destroyed),
		CASE(test_a_new_topic_takes_nothing_of_the_one_before),
		CASE(test_a_nodes_copy_goes_into_a_new_topic),
		CASE(test_a_node_of_the_topic_before_stops),
		CASE(test_users_and_roles_come_back_from_the_topic),
		CASE(test_who_knows_an_older_record_changes_nothing),
		CASE(test_old_records_of_users_sent_again_bring_nobody_back),
		CASE(test_a_copy_carries_users_and_roles),
		CASE(test_a_rotation_is_told_once_its_keys_are_in_the_topic),
	};

	return cmocka_run_group_tests_name("store log", tests, NULL, NULL);
}

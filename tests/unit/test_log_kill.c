/*
 * A writer that is killed at any moment: what it reported as appended is
 * there, whole, and nothing else but the whole batch that it was at.
 */
#include <time.h>
#include "log_sqlite_kind.h"

#define ROUNDS 50
#define STARTS 40
#define KEPT 6		/* a batch deletes the one that came so many before it */
#define RECORDS_MAX 40

struct report {
	uint64_t number;	/* the batch's, from 1 */
	uint64_t first;		/* its offset */
};

static size_t
batch_size(uint64_t number)
{
	return (size_t)(number * 7 % RECORDS_MAX) + 1;
}

static size_t
value_size(uint64_t number, size_t i)
{
	return (size_t)(number * 131 + i * 977) % 3000 + 16;
}

static void
fill_value(unsigned char *value, uint64_t number, size_t i)
{
	memset(value, (int)(number + i) & 0xff, value_size(number, i));
	memcpy(value, &number, sizeof(number));
}

struct key {
	char what;		/* 'b' a batch's record, 'h' the head */
	unsigned char i;
	uint64_t number;
};

static struct log_record
of_key(struct key *k, char what, uint64_t number, size_t i)
{
	memset(k, 0, sizeof(*k));
	k->what = what;
	k->number = number;
	k->i = (unsigned char)i;
	return (struct log_record){ .key = k, .key_len = sizeof(*k) };
}

static int
append_batch(struct log *l, uint64_t number, uint64_t *first)
{
	static unsigned char values[RECORDS_MAX][3100];
	static struct key keys[2 * RECORDS_MAX + 1];
	struct log_record batch[2 * RECORDS_MAX + 1];
	size_t i, n = 0;

	for (i = 0; i < batch_size(number); i++, n++) {
		batch[n] = of_key(&keys[n], 'b', number, i);
		fill_value(values[i], number, i);
		batch[n].value = values[i];
		batch[n].value_len = value_size(number, i);
	}
	batch[n] = of_key(&keys[n], 'h', 0, 0);
	batch[n].value = &number;
	batch[n++].value_len = sizeof(number);
	for (i = 0; number > KEPT && i < batch_size(number - KEPT); i++, n++)
		batch[n] = of_key(&keys[n], 'b', number - KEPT, i);
	return log_append(l, batch, n, first, NULL);
}

/* All that is there. */
struct found {
	uint64_t head;
	uint64_t oldest, newest;	/* batches */
	size_t records[KEPT + 2];	/* of batch number % (KEPT + 2) */
	bool wrong;
};

static int
find(void *cookie, uint64_t offset, const struct log_record *r, struct error *err)
{
	struct found *f = cookie;
	unsigned char value[3100];
	struct key k;

	(void)offset;
	(void)err;
	if (r->key_len != sizeof(k) || r->value == NULL) {
		f->wrong = true;
		return 0;
	}
	memcpy(&k, r->key, sizeof(k));
	if (k.what == 'h') {
		memcpy(&f->head, r->value, sizeof(f->head));
		return 0;
	}
	fill_value(value, k.number, k.i);
	if (r->value_len != value_size(k.number, k.i) ||
	    memcmp(r->value, value, r->value_len) != 0)
		f->wrong = true;
	if (f->oldest == 0 || k.number < f->oldest)
		f->oldest = k.number;
	if (k.number > f->newest)
		f->newest = k.number;
	f->records[k.number % (KEPT + 2)]++;
	return 0;
}

/* The last batch that is there, having found all of the log as it must be. */
static uint64_t
check(struct log *l)
{
	struct found f = { .head = 0 };
	uint64_t number;

	assert_int_equal(log_read(l, 0, find, &f, NULL), 0);
	assert_false(f.wrong);
	assert_int_equal(f.newest, f.head);
	if (f.head == 0)
		return 0;
	assert_int_equal(f.oldest, f.head > KEPT ? f.head - KEPT + 1 : 1);
	for (number = f.oldest; number <= f.newest; number++)
		assert_int_equal(f.records[number % (KEPT + 2)], batch_size(number));
	return f.head;
}

/* The child: append and report until the end. */
static void
write_on(int to, uint64_t number)
{
	struct log *l = log_sqlite_open("log.db", NULL);
	struct report r;

	CHECK(l != NULL);
	for (;; number++) {
		CHECK(append_batch(l, number, &r.first) == 0);
		r.number = number;
		CHECK(write(to, &r, sizeof(r)) == sizeof(r));
	}
}

static void
pause_us(long us)
{
	struct timespec t = { 0, us * 1000 };

	nanosleep(&t, NULL);
}

/* Kill a writer after about that time; its last report, number 0 if none. */
static struct report
kill_writer(uint64_t number, long us, bool once_started)
{
	struct report r, last = { 0, 0 };
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		close(ends[0]);
		write_on(ends[1], number);
		_exit(1);
	}
	close(ends[1]);
	if (once_started)
		assert_int_equal(read(ends[0], &last, sizeof(last)), sizeof(last));
	pause_us(us);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (read(ends[0], &r, sizeof(r)) == sizeof(r)) {
		assert_true(last.number == 0 ||
		    (r.number == last.number + 1 && r.first > last.first));
		last = r;
	}
	close(ends[0]);
	return last;
}

static int
say(void *cookie, int n, char **values, char **names)
{
	(void)n;
	(void)names;
	*(bool *)cookie = strcmp(values[0], "ok") == 0;
	return 0;
}

static void
test_what_was_acknowledged_outlives_any_kill(void **state)
{
	uint64_t number = 1, end = 0, seed = 4711;
	struct report last;
	bool sound = false;
	sqlite3 *db;
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		struct log *l;
		uint64_t head;

		last = kill_writer(number, (long)roll(&seed, 12000), i % 5 != 0);
		l = kind_start();
		head = check(l);
		/* The one it was at may be there, or not. */
		if (last.number != 0) {
			assert_true(head == last.number || head == last.number + 1);
			assert_true(last.first >= end);
			assert_true(end_of(l) > last.first + batch_size(last.number));
		} else {
			assert_true(head == number - 1 || head == number);
		}
		assert_true(end_of(l) >= end);
		end = end_of(l);
		number = head + 1;
		log_free(l);
	}
	/* Those that were seen to start have appended one at least. */
	assert_true(number > ROUNDS / 5 * 4);
	assert_int_equal(sqlite3_open("log.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA integrity_check", say, &sound, NULL), SQLITE_OK);
	assert_true(sound);
	sqlite3_close(db);
}

static void
test_a_kill_at_the_start_leaves_what_can_be_opened(void **state)
{
	uint64_t seed = 99;
	int i;

	(void)state;
	for (i = 0; i < STARTS; i++) {
		struct report last = kill_writer(1, (long)roll(&seed, 6000), false);
		struct log *l = kind_start();

		assert_true(check(l) >= last.number);
		log_free(l);
		assert_int_equal(unlink("log.db"), 0);
		assert_int_equal(files_count("."), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_what_was_acknowledged_outlives_any_kill),
		LOG_TEST(test_a_kill_at_the_start_leaves_what_can_be_opened),
	};

	return cmocka_run_group_tests_name("log kill", tests, NULL, NULL);
}

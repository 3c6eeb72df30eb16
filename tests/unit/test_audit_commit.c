#include "failing_disk.h"

#define SHORT_MS 1000

/* --- whoever commits: what it keeps in each slot --- */

static struct audit_carry slots[AUDIT_CARRY_SLOTS];

static void
keep(const struct audit_carry *parts, size_t count)
{
	struct audit_carry *s;

	for (size_t i = 0; i < count; i++) {
		assert_true(parts[i].slot < AUDIT_CARRY_SLOTS);
		assert_true(parts[i].n > 0 && parts[i].n <= AUDIT_CARRY_MAX);
		assert_int_equal(parts[i].lines[parts[i].n - 1], '\n');
		s = &slots[parts[i].slot];
		free((void *)(uintptr_t)s->lines);
		s->lines = strndup(parts[i].lines, parts[i].n);
		s->n = parts[i].n;
		assert_non_null(s->lines);
	}
}

static void
forget(void)
{
	for (size_t i = 0; i < AUDIT_CARRY_SLOTS; i++)
		free((void *)(uintptr_t)slots[i].lines);
	memset(slots, 0, sizeof(slots));
}

static int
setup(void **state)
{
	disk_clear();
	return audit_setup(state);
}

static int
teardown(void **state)
{
	forget();
	return audit_teardown(state);
}

static struct audit_options
with_slots(void)
{
	static struct audit_carry there[AUDIT_CARRY_SLOTS];
	struct audit_options o = audit_defaults();

	o.carried = there;
	for (size_t i = 0; i < AUDIT_CARRY_SLOTS; i++)
		if (slots[i].lines != NULL)
			there[o.carried_count++] = slots[i];
	return o;
}

/* A commit of some changes; its versions go on from ${version}. */
static struct audit_commit *
make(struct audit *a, size_t changes, uint32_t version)
{
	struct audit_event intent = audit_change_event(AUDIT_INTENT);
	struct audit_event outcome = audit_change_event(AUDIT_OUTCOME);
	struct audit_commit *c = audit_commit_new(a, NULL);

	assert_non_null(c);
	for (size_t i = 0; i < changes; i++) {
		outcome.version = version + (uint32_t)i;
		assert_int_equal(audit_commit_add(c, &intent, &outcome, NULL), 0);
	}
	return c;
}

/* The same, begun; what it carries is not kept. */
static struct audit_commit *
begin(struct audit *a, size_t changes, uint32_t version)
{
	struct audit_carry parts[AUDIT_CARRY_PARTS];
	struct audit_commit *c = make(a, changes, version);
	size_t count;

	assert_int_equal(audit_commit_begin(c, parts, &count, NULL), 0);
	return c;
}

static void
commit(struct audit *a, size_t changes, uint32_t version)
{
	struct audit_carry parts[AUDIT_CARRY_PARTS];
	struct audit_commit *c = make(a, changes, version);
	struct error err = { 0 };
	size_t count;

	if (audit_commit_begin(c, parts, &count, &err) != 0)
		fail_msg("%s", err.text);
	keep(parts, count);
	assert_int_equal(audit_commit_end(c, true), 0);
	audit_commit_free(c);
}

static int
refused(struct audit *a)
{
	struct audit_carry parts[AUDIT_CARRY_PARTS];
	struct audit_commit *c = make(a, 1, 1);
	struct error err = { 0 };
	size_t count;
	int rc = audit_commit_begin(c, parts, &count, &err);

	if (rc == 0)
		assert_int_equal(audit_commit_end(c, false), 0);
	else
		assert_int_not_equal(err.code, ERROR_NONE);
	audit_commit_free(c);
	return rc;
}

/* The power fails: FILE is what was durable, and ${more} bytes. */
static void
fail_power(struct audit *a, off_t durable, off_t more)
{
	char *text, *late;
	size_t n;
	int fd;

	text = audit_text_of(FILE_NAME, &n);
	audit_close(a);
	late = strndup(text, (size_t)(durable + more));
	assert_non_null(late);
	fd = open(FILE_NAME, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(syscall(SYS_write, fd, late, durable + more), durable + more);
	close(fd);
	(void)unlink(FILE_NAME ".anchor");
	free(late);
	free(text);
}

struct seen {
	size_t count;
	uint64_t seq[64];
	uint32_t done[64];
	int status[64];
};

static void
see(void *cookie, const struct audit_unfinished *u)
{
	struct seen *s = cookie;

	assert_true(s->count < 64);
	s->seq[s->count] = u->seq;
	s->status[s->count] = u->status;
	s->done[s->count++] = u->done;
}

/* --- */

static void
test_lines_stand_in_turn_and_are_not_synced(void **state)
{
	struct audit *a = audit_start(NULL);
	struct audit_commit *c = make(a, 3, 7);
	struct audit_carry parts[AUDIT_CARRY_PARTS];
	unsigned syncs;
	size_t count;
	char *text;

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	syncs = disk.syncs;
	assert_int_equal(audit_commit_begin(c, parts, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_int_equal(audit_count_with(FILE_NAME, "CreateSecretVersion"), 3);
	assert_int_equal(audit_commit_intent(c, 0), 4);
	assert_int_equal(audit_commit_intent(c, 2), 6);
	keep(parts, count);
	assert_int_equal(audit_commit_end(c, true), 0);
	audit_commit_free(c);
	assert_int_equal(disk.syncs, syncs);
	/* What was carried is what stands there. */
	text = audit_text_of(FILE_NAME, NULL);
	assert_non_null(strstr(text, slots[0].lines));
	free(text);
	assert_int_equal(audit_count_with(FILE_NAME, "\"intentseq\":4,\"seq\":7"), 1);
	assert_int_equal(audit_count_with(FILE_NAME, "\"intentseq\":6,\"seq\":9"), 1);
	assert_int_equal(audit_count_with(FILE_NAME, "\"version\":9"), 1);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_close(a);
	assert_int_equal(disk.durable, files_stat(FILE_NAME).st_size);
	audit_assert_whole(12);
}

static void
test_what_was_not_done_has_no_outcome(void **state)
{
	struct audit_event outcome = audit_change_event(AUDIT_OUTCOME);
	struct audit *a = audit_start(NULL);
	struct audit_carry parts[AUDIT_CARRY_PARTS];
	struct audit_commit *c = make(a, 1, 1);
	struct seen seen = { 0 };
	size_t count;

	(void)state;
	assert_int_equal(audit_unfinished(a, see, &seen, NULL), 0);
	assert_int_equal(audit_commit_begin(c, parts, &count, NULL), 0);
	assert_int_equal(audit_commit_end(c, false), 0);
	assert_int_equal(disk.durable, files_stat(FILE_NAME).st_size);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"outcome\""), 0);
	outcome.intent = audit_commit_intent(c, 0);
	outcome.status = 503;
	assert_int_equal(audit_say(a, &outcome, 1), outcome.intent + 1);
	audit_commit_free(c);
	audit_close(a);
	audit_assert_whole(0);
}

static void
test_a_power_failure_takes_no_line(void **state)
{
	(void)state;
	/* With lines lost, with all there, with some there, with one torn. */
	for (int i = 0; i < 40; i++) {
		struct audit_options o = with_slots();
		struct seen seen = { 0 };
		off_t durable, all;
		char *before, *after;
		struct audit *a;
		uint64_t lines;

		disk.durable = 0;
		a = audit_start(&o);
		assert_int_equal(audit_unfinished(a, see, &seen, NULL), 0);
		assert_int_equal(seen.count, 0);
		for (uint32_t n = 0; n < (uint32_t)i + 1; n++)
			commit(a, 1 + n % 3, 100 + 10 * n);
		durable = disk.durable;
		all = files_stat(FILE_NAME).st_size;
		before = audit_text_of(FILE_NAME, NULL);
		lines = audit_count_lines(FILE_NAME);
		fail_power(a, durable, (all - durable) * (i % 4) / 3);

		o = with_slots();
		a = audit_start(&o);
		assert_int_equal(audit_unfinished(a, see, &seen, NULL), 0);
		/* All but the outcomes of the last one are as they were. */
		after = audit_text_of(FILE_NAME, NULL);
		lines -= seen.count;
		for (char *p = before; lines > 0; lines--)
			p = strchr(p, '\n') + 1, durable = p - before;
		assert_memory_equal(before, after, (size_t)durable);
		/* What these told is known. */
		if (i % 4 != 3)
			assert_int_equal(seen.count, 1 + i % 3);
		for (size_t k = 0; k < seen.count; k++) {
			assert_int_equal(seen.status[k], 200);
			assert_int_equal(seen.done[k] / 10, 10 + i);
		}
		free(before);
		free(after);
		audit_close(a);
		audit_assert_whole(0);
		assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"torn\""), 0);
		assert_int_equal(unlink(FILE_NAME), 0);
		(void)unlink(FILE_NAME ".anchor");
		forget();
	}
}

static void
test_what_was_carried_long_ago_is_passed_over(void **state)
{
	struct audit *a = audit_start(NULL);
	struct audit_options o;

	(void)state;
	for (uint32_t n = 0; n < 100; n++)
		commit(a, 2, n);
	assert_true(disk.syncs >= 3 && disk.syncs < 20);
	audit_close(a);
	o = with_slots();
	a = audit_start(&o);
	audit_close(a);
	audit_assert_whole(2 * 2 + 400);
	/* Nor is it put into another log. */
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_int_equal(unlink(FILE_NAME ".anchor"), 0);
	a = audit_start(&o);
	audit_close(a);
	audit_assert_whole(2);
}

static void
test_lines_of_many_changes_are_carried_in_parts(void **state)
{
	struct audit *a = audit_start(NULL);
	struct audit_options o;
	off_t durable;

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	durable = disk.durable;
	commit(a, 1000, 1);
	assert_non_null(slots[2].lines);
	fail_power(a, durable, 0);
	o = with_slots();
	a = audit_start(&o);
	audit_close(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"intent\""), 1001);
	forget();
	/* Too many for the slots: the intents are synced, the outcomes carried. */
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_int_equal(unlink(FILE_NAME ".anchor"), 0);
	a = audit_start(NULL);
	commit(a, 4000, 1);
	fail_power(a, disk.durable, 0);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"intent\""), 4000);
	audit_assert_whole(0);
}

static void
test_what_cannot_be_written_is_refused(void **state)
{
	struct audit *a = audit_start(NULL);

	(void)state;
	commit(a, 1, 1);
	disk_set(&disk.write_error, ENOSPC);
	assert_int_equal(refused(a), -1);
	assert_non_null(audit_unready(a));
	assert_int_equal(refused(a), -1);
	disk_set(&disk.write_error, 0);
	audit_await(a, true);
	commit(a, 1, 2);
	audit_close(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"intent\""), 2);
	audit_assert_whole(0);
}

static void
test_outcomes_that_cannot_be_written_come_later(void **state)
{
	struct audit *a = audit_start(NULL);
	struct audit_commit *c = begin(a, 2, 5);

	(void)state;
	disk_set(&disk.write_error, ENOSPC);
	assert_int_equal(audit_commit_end(c, true), -1);
	audit_commit_free(c);
	disk_set(&disk.write_error, 0);
	audit_await(a, true);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"outcome\""), 2);
	assert_int_equal(audit_count_with(FILE_NAME, "\"version\":6"), 1);
	audit_close(a);
	audit_assert_whole(0);
}

static void
test_a_part_of_an_outcome_that_stays_is_told_of(void **state)
{
	struct audit *a = audit_start(NULL);
	struct audit_commit *c = begin(a, 2, 5);

	(void)state;
	disk.some = 100;
	disk_set(&disk.cut_error, EIO);
	disk_set(&disk.write_error, ENOSPC);
	assert_int_equal(audit_commit_end(c, true), -1);
	audit_commit_free(c);
	disk_set(&disk.cut_error, 0);
	disk_set(&disk.write_error, 0);
	audit_await(a, true);
	audit_close(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"torn\",\"count\":101"), 1);
	audit_assert_whole(0);
}

/* The kernel tells of a failure once, and may have dropped what it had. */
static void
test_what_a_failed_sync_may_have_lost_is_written_again(void **state)
{
	struct audit *a = audit_start(NULL);
	char *text, *again;
	size_t n;

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	for (uint32_t i = 0; i < AUDIT_CARRY_SLOTS; i++)
		commit(a, 1, i);
	assert_int_not_equal(audit_say_read(a), 0);
	text = audit_text_of(FILE_NAME, &n);
	disk_set(&disk.sync_error, EIO);
	assert_int_equal(refused(a), -1);
	/* It is gone. */
	assert_int_equal(truncate(FILE_NAME, disk.durable), 0);
	disk_set(&disk.sync_error, 0);
	audit_await(a, true);
	again = audit_text_of(FILE_NAME, NULL);
	assert_memory_equal(text, again, n);
	free(text);
	free(again);
	audit_close(a);
	audit_assert_whole(0);
}

static void
test_a_sync_that_works_after_one_that_failed_is_not_believed(void **state)
{
	struct audit *a = audit_start(NULL);
	char *text, *again;
	size_t n;

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	for (uint32_t i = 0; i < AUDIT_CARRY_SLOTS; i++)
		commit(a, 1, i);
	text = audit_text_of(FILE_NAME, &n);
	disk.once = disk.lossy = true;
	disk_set(&disk.sync_error, EIO);
	assert_int_equal(refused(a), -1);
	audit_await(a, true);
	assert_int_not_equal(audit_say_read(a), 0);
	again = audit_text_of(FILE_NAME, NULL);
	assert_memory_equal(text, again, n);
	free(text);
	free(again);
	audit_close(a);
	audit_assert_whole(0);
}

/* They stand there: whoever writes the file again keeps them. */
static void
test_lines_that_could_not_be_cut_off_are_written_again_too(void **state)
{
	struct audit *a;

	(void)state;
	/* No journal: FILE itself is synced. */
	assert_int_equal(mkdir(".audit.log.journal", 0700), 0);
	a = audit_start(NULL);
	assert_int_not_equal(audit_say_read(a), 0);
	for (uint32_t i = 0; i < 3; i++)
		commit(a, 1, i);
	disk.once = true;
	disk_set(&disk.cut_error, EROFS);
	disk_set(&disk.sync_error, EIO);
	assert_int_equal(audit_say_read(a), 0);
	audit_await(a, true);
	assert_int_not_equal(audit_say_read(a), 0);
	audit_close(a);
	audit_assert_whole(0);
	assert_int_equal(rmdir(".audit.log.journal"), 0);
}

static void
test_reads_survive_a_power_failure_too(void **state)
{
	struct audit *a = audit_start(NULL);
	struct audit_options o;
	char *text, *again;
	size_t n, all;

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	for (uint32_t i = 0; i < 200; i++) {
		assert_int_not_equal(audit_say_read(a), 0);
		if (i % 7 == 3)
			commit(a, 2, i);
	}
	assert_int_not_equal(audit_say_read(a), 0);
	text = audit_text_of(FILE_NAME, &n);
	fail_power(a, disk.durable, 0);
	assert_true((size_t)files_stat(FILE_NAME).st_size < n);
	o = with_slots();
	a = audit_start(&o);
	audit_close(a);
	audit_assert_whole(0);
	again = audit_text_of(FILE_NAME, &all);
	assert_true(all > n);
	assert_memory_equal(again, text, n);
	free(again);
	free(text);
}

/* Everything that FILE holds now is there after the power failed. */
static void
assert_all_survives(struct audit *a)
{
	struct audit_options o;
	char *text, *again;
	size_t n, all;

	text = audit_text_of(FILE_NAME, &n);
	fail_power(a, disk.durable, 0);
	o = with_slots();
	a = audit_start(&o);
	audit_close(a);
	again = audit_text_of(FILE_NAME, &all);
	assert_true(all > n);
	assert_memory_equal(again, text, n);
	free(again);
	free(text);
}

/* Lines of a process that was killed may stand in FILE and not be durable. */
static void
test_a_power_failure_soon_after_a_kill_takes_no_line(void **state)
{
	struct audit *a = audit_start(NULL);
	struct audit_options o;
	off_t durable, all;

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	commit(a, 2, 1);
	assert_int_not_equal(audit_say_read(a), 0);
	durable = disk.durable;
	all = files_stat(FILE_NAME).st_size;
	assert_true(durable < all);
	fail_power(a, all, 0);
	disk.durable = durable;
	o = with_slots();
	a = audit_start(&o);
	assert_int_not_equal(audit_say_read(a), 0);
	commit(a, 1, 3);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_all_survives(a);
	audit_assert_whole(0);
}

static void
test_outcomes_that_came_late_do_not_stand_in_the_way(void **state)
{
	struct audit *a = audit_start(NULL);
	struct audit_carry parts[AUDIT_CARRY_PARTS];
	struct audit_commit *c = make(a, 2, 5);
	size_t count;

	(void)state;
	assert_int_equal(audit_commit_begin(c, parts, &count, NULL), 0);
	keep(parts, count);
	disk_set(&disk.write_error, ENOSPC);
	assert_int_equal(audit_commit_end(c, true), -1);
	audit_commit_free(c);
	disk_set(&disk.write_error, 0);
	audit_await(a, true);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_all_survives(a);
	audit_assert_whole(0);
}

/* Its store said that it failed, and has it after all. */
static void
test_a_commit_that_turns_up_does_not_stand_in_the_way(void **state)
{
	struct audit_event outcome = audit_change_event(AUDIT_OUTCOME);
	struct audit *a = audit_start(NULL);
	struct audit_carry parts[AUDIT_CARRY_PARTS];
	struct audit_commit *c = make(a, 1, 5);
	size_t count;

	(void)state;
	assert_int_equal(audit_commit_begin(c, parts, &count, NULL), 0);
	keep(parts, count);
	assert_int_equal(audit_commit_end(c, false), 0);
	outcome.intent = audit_commit_intent(c, 0);
	audit_commit_free(c);
	outcome.status = 504;
	assert_int_not_equal(audit_say(a, &outcome, 1), 0);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_all_survives(a);
	audit_assert_whole(0);
}

static void
test_the_first_lines_of_a_new_file_are_durable_in_it(void **state)
{
	struct audit *a = audit_start(NULL);

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_equal(mkdir("elsewhere", 0700), 0);
	assert_int_equal(rename(FILE_NAME, "elsewhere/" FILE_NAME), 0);
	disk.durable = 0;
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_all_survives(a);
	assert_int_equal(unlink("elsewhere/" FILE_NAME), 0);
	assert_int_equal(rmdir("elsewhere"), 0);
}

/* Of what was not synced the pages ${lost} are zeros, to ${end} (0: to the end). */
static void
lose_pages(off_t durable, unsigned lost, size_t end)
{
	size_t n, from = (size_t)durable, to, i;
	char *text = audit_text_of(FILE_NAME, &n);
	int fd = open(FILE_NAME, O_WRONLY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	for (i = 0; from < n; i++, from = to) {
		to = (from / 4096 + 1) * 4096;
		to = to < n ? to : n;
		if ((lost >> i % 32 & 1) != 0)
			memset(text + from, 0, to - from);
	}
	assert_int_equal(pwrite(fd, text, n, 0), n);
	assert_int_equal(syscall(SYS_ftruncate, fd, end > 0 ? end : n), 0);
	close(fd);
	free(text);
}

static void
test_pages_that_a_power_failure_took_are_put_back(void **state)
{
	static const unsigned lost[] = { 1, 2, 4, 6, 0x15, 0x7fffffff, ~0U, 0xfffffff8 };

	(void)state;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		struct audit_options o;
		struct audit *a = audit_start(NULL);
		off_t durable;
		char *text, *again;
		size_t n;

		assert_int_not_equal(audit_say_read(a), 0);
		durable = disk.durable;
		for (uint32_t k = 0; k < 12; k++) {
			assert_int_not_equal(audit_say_read(a), 0);
			if (k % 2 == 1)
				commit(a, 2, k);
		}
		assert_int_not_equal(audit_say_read(a), 0);
		assert_int_equal(disk.durable, durable);
		text = audit_text_of(FILE_NAME, &n);
		fail_power(a, (off_t)n, 0);
		lose_pages(durable, lost[i], 0);
		o = with_slots();
		a = audit_start(&o);
		assert_int_not_equal(audit_say_read(a), 0);
		audit_close(a);
		audit_assert_whole(0);
		again = audit_text_of(FILE_NAME, NULL);
		assert_memory_equal(again, text, n);
		assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"torn\""), 1);
		free(again);
		free(text);
		assert_int_equal(unlink(FILE_NAME), 0);
		(void)unlink(FILE_NAME ".anchor");
		forget();
	}
}

/* Nothing is put in the place of what was durable. */
static void
test_what_another_hand_took_out_stays_out(void **state)
{
	struct audit_options o;
	struct audit *a = audit_start(NULL);

	(void)state;
	for (uint32_t k = 0; k < 12; k++)
		assert_int_not_equal(audit_say_read(a), 0);
	audit_close(a);
	lose_pages(0, 2, 0);
	o = with_slots();
	a = audit_start(&o);
	audit_close(a);
	assert_int_equal(audit_verify(FILE_NAME, audit_key, &(uint64_t){ 0 }, NULL), -1);
}

static void
test_a_journal_that_is_removed_is_made_again(void **state)
{
	struct audit *a = audit_start(NULL);

	(void)state;
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_equal(unlink(".audit.log.journal"), 0);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_equal(disk.durable, files_stat(FILE_NAME).st_size);
	assert_int_not_equal(audit_say_read(a), 0);
	/* Once more, so soon, and the file is synced instead. */
	assert_int_equal(rename(".audit.log.journal", "journal.moved"), 0);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_int_equal(disk.durable, files_stat(FILE_NAME).st_size);
	assert_int_not_equal(audit_say_read(a), 0);
	assert_all_survives(a);
	audit_assert_whole(0);
}

static void
test_a_commit_is_given_up_at_the_deadline(void **state)
{
	struct audit_options o = audit_defaults();
	struct audit *a;

	(void)state;
	o.deadline_ms = SHORT_MS;
	a = audit_start(&o);
	/* All slots are used: the next one needs a sync. */
	for (uint32_t n = 0; n < AUDIT_CARRY_SLOTS; n++)
		commit(a, 1, n + 1);
	disk_hang(true);
	assert_int_equal(refused(a), -1);
	disk_await_hanging();
	assert_non_null(audit_unready(a));
	disk_hang(false);
	audit_await(a, true);
	commit(a, 1, 100);
	audit_close(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"abandoned\""), 1);
	audit_assert_whole(0);
}

static void
test_rotation_and_another_hand_lose_nothing(void **state)
{
	struct audit_options o = audit_defaults();
	struct audit *a;

	(void)state;
	o.rotate_bytes = 20000;
	a = audit_start(&o);
	for (uint32_t n = 0; n < 100; n++) {
		commit(a, 1, n);
		if (n == 50)
			assert_int_equal(rename(FILE_NAME, FILE_NAME ".moved"), 0);
	}
	audit_close(a);
	audit_assert_whole(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines_stand_in_turn_and_are_not_synced),
		TEST(test_what_was_not_done_has_no_outcome),
		TEST(test_a_power_failure_takes_no_line),
		TEST(test_what_was_carried_long_ago_is_passed_over),
		TEST(test_lines_of_many_changes_are_carried_in_parts),
		TEST(test_what_cannot_be_written_is_refused),
		TEST(test_outcomes_that_cannot_be_written_come_later),
		TEST(test_a_part_of_an_outcome_that_stays_is_told_of),
		TEST(test_what_a_failed_sync_may_have_lost_is_written_again),
		TEST(test_a_sync_that_works_after_one_that_failed_is_not_believed),
		TEST(test_lines_that_could_not_be_cut_off_are_written_again_too),
		TEST(test_reads_survive_a_power_failure_too),
		TEST(test_a_power_failure_soon_after_a_kill_takes_no_line),
		TEST(test_outcomes_that_came_late_do_not_stand_in_the_way),
		TEST(test_a_commit_that_turns_up_does_not_stand_in_the_way),
		TEST(test_the_first_lines_of_a_new_file_are_durable_in_it),
		TEST(test_pages_that_a_power_failure_took_are_put_back),
		TEST(test_what_another_hand_took_out_stays_out),
		TEST(test_a_journal_that_is_removed_is_made_again),
		TEST(test_a_commit_is_given_up_at_the_deadline),
		TEST(test_rotation_and_another_hand_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

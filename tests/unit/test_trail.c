#include <sys/wait.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "files.h"
#include "trail/trail.h"

#define WRITERS 8
#define ROUNDS 40

static const struct trail here = { .path = "trail.jsonl", .command = "test" };

/* A file and two keys, the name from ${cookie}. */
static void
fill(const void *cookie, struct json_out *o)
{
	json_out_text(o, "environment", "prod");
	json_out_array(o, "files");
	json_out_object(o, NULL);
	json_out_textf(o, "file", "/etc/kafka/%s", (const char *)cookie);
	json_out_text(o, "role", "configuration");
	json_out_bool(o, "new", false);
	json_out_array(o, "keys");
	json_out_text(o, NULL, "ssl.key.password");
	json_out_text(o, NULL, "x\x1b\"\\\n,\"hash\":\"");
	json_out_end(o);
	json_out_uint(o, "more", 7);
	json_out_end(o);
	json_out_end(o);
}

static void
fill_end(const void *cookie, struct json_out *o)
{
	json_out_text(o, "outcome", cookie == NULL ? "done" : "failed");
	json_out_array(o, "files");
	json_out_object(o, NULL);
	json_out_bool(o, "done", cookie == NULL);
	json_out_text(o, "error", cookie);
	json_out_end(o);
	json_out_end(o);
}

static uint64_t
begin(const struct trail *t, const char *name)
{
	struct error err;
	uint64_t n = 0;

	if (trail_begin(t, fill, name, &n, &err) != 0)
		fail_msg("%s: %s", err.file, err.text);
	return n;
}

static void
end(const struct trail *t, uint64_t n, const char *why)
{
	assert_int_equal(trail_end(t, n, fill_end, why, NULL), 0);
}

static size_t
findings(const char *path)
{
	struct trail_check c;
	size_t n;

	assert_int_equal(trail_verify(path, &c, NULL), 0);
	n = c.findings.len;
	trail_check_release(&c);
	return n;
}

static void
test_reads_what_was_written(void **state)
{
	const struct trail_filter all = { 0 };
	const struct trail_change *c;
	const struct trail_file *f;
	struct trail_log log;
	uint64_t n;

	(void)state;
	n = begin(&here, "a.properties");
	assert_int_equal(n, 1);
	end(&here, n, NULL);
	n = begin(&here, "b.properties");
	assert_int_equal(n, 3);
	end(&here, n, "the disk is gone");
	assert_int_equal(trail_read("trail.jsonl", &all, &log, NULL), 0);
	assert_int_equal(log.changes.len, 2);
	assert_int_equal(log.lines, 4);
	assert_int_equal(log.unread, 0);
	c = vec_at(&log.changes, 0);
	assert_int_equal(c->outcome, TRAIL_DONE);
	assert_string_equal(c->command, "test");
	assert_string_equal(c->environment, "prod");
	assert_int_equal(c->uid, geteuid());
	assert_int_equal(c->pid, getpid());
	assert_true(c->ms > 0 && c->end_ms >= c->ms);
	c = vec_at(&log.changes, 1);
	assert_int_equal(c->outcome, TRAIL_FAILED);
	assert_int_equal(c->files.len, 1);
	f = vec_at(&c->files, 0);
	assert_string_equal(f->path, "/etc/kafka/b.properties");
	assert_string_equal(f->role, "configuration");
	assert_string_equal(f->error, "the disk is gone");
	assert_false(f->done);
	assert_int_equal(f->more, 7);
	assert_int_equal(f->keys.len, 2);
	assert_string_equal(vec_string(&f->keys, 1), "x\x1b\"\\\n,\"hash\":\"");
	trail_log_release(&log);
	assert_int_equal(findings("trail.jsonl"), 0);
}

static size_t
count(const struct trail_filter *f)
{
	struct trail_log log;
	size_t n;

	assert_int_equal(trail_read("trail.jsonl", f, &log, NULL), 0);
	n = log.changes.len;
	trail_log_release(&log);
	return n;
}

static void
test_filters(void **state)
{
	(void)state;
	end(&here, begin(&here, "a.properties"), NULL);
	end(&here, begin(&here, "sub/b.properties"), NULL);
	assert_int_equal(count(&(struct trail_filter){ .file = "a.properties" }), 1);
	assert_int_equal(count(&(struct trail_filter){ .file = "/etc/kafka/sub/b.properties" }), 1);
	assert_int_equal(count(&(struct trail_filter){ .file = "/etc/kafka/sub" }), 1);
	assert_int_equal(count(&(struct trail_filter){ .file = "/etc/kafka" }), 2);
	assert_int_equal(count(&(struct trail_filter){ .file = "/etc/kaf" }), 0);
	assert_int_equal(count(&(struct trail_filter){ .file = "properties" }), 0);
	assert_int_equal(count(&(struct trail_filter){ .key = "ssl.key.password" }), 2);
	assert_int_equal(count(&(struct trail_filter){ .key = "key.password" }), 0);
	assert_int_equal(count(&(struct trail_filter){ .until_ms = 1 }), 0);
	assert_int_equal(count(&(struct trail_filter){ .since_ms = INT64_MAX }), 0);
}

/* Every one-byte change of any line is found. */
static void
test_finds_each_changed_byte(void **state)
{
	struct trail_check c;
	size_t len, missed = 0;
	char *text;
	FILE *f;

	(void)state;
	end(&here, begin(&here, "a.properties"), NULL);
	end(&here, begin(&here, "b.properties"), NULL);
	f = fopen("trail.jsonl", "re");
	assert_non_null(f);
	text = calloc(1, 65536);
	len = fread(text, 1, 65535, f);
	fclose(f);
	for (size_t i = 0; i < len; i++) {
		text[i] ^= 1;
		f = fopen("changed", "we");
		assert_non_null(f);
		assert_int_equal(fwrite(text, 1, len, f), len);
		fclose(f);
		text[i] ^= 1;
		assert_int_equal(trail_verify("changed", &c, NULL), 0);
		missed += c.findings.len == 0;
		trail_check_release(&c);
	}
	assert_int_equal(missed, 0);
	free(text);
}

/* Wherever a writer is stopped, the next one goes on, and the rest is found. */
static void
test_goes_on_behind_a_cut_at_any_byte(void **state)
{
	struct trail_check c;
	struct stat st;
	off_t whole;

	(void)state;
	end(&here, begin(&here, "a.properties"), NULL);
	assert_int_equal(stat("trail.jsonl", &st), 0);
	whole = st.st_size;
	end(&here, begin(&here, "b.properties"), NULL);
	assert_int_equal(stat("trail.jsonl", &st), 0);
	for (off_t at = st.st_size; at >= whole; at--) {
		assert_int_equal(truncate("trail.jsonl", at), 0);
		end(&here, begin(&here, "c.properties"), NULL);
		assert_int_equal(trail_verify("trail.jsonl", &c, NULL), 0);
		for (size_t i = 0; i < c.findings.len; i++) {
			const struct trail_finding *f = vec_at(&c.findings, i);

			/* Cut behind a brace it may be anything. */
			assert_true(f->fault == TRAIL_CUT || f->fault == TRAIL_OPEN ||
			    (f->fault == TRAIL_CHANGED && f->n == 0));
		}
		trail_check_release(&c);
	}
}

static void
write_many(const struct trail *t)
{
	char name[32];
	uint64_t n;

	for (int i = 0; i < ROUNDS; i++) {
		snprintf(name, sizeof(name), "%d.properties", i);
		CHECK(trail_begin(t, fill, name, &n, NULL) == 0);
		CHECK(trail_end(t, n, fill_end, NULL, NULL) == 0);
	}
	_exit(0);
}

/* Many processes write, and the file is moved away under them again and again. */
static void
test_many_writers_and_small_files(void **state)
{
	const struct trail small = { .path = "trail.jsonl", .command = "test", .rotate_at = 5000 };
	struct trail_check c;
	struct vec rotated;
	int status;

	(void)state;
	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_many(&small);
	for (int i = 0; i < WRITERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(trail_verify("trail.jsonl", &c, NULL), 0);
	for (size_t i = 0; i < c.findings.len; i++)
		print_message("%s\n", ((struct trail_finding *)vec_at(&c.findings, i))->text);
	assert_int_equal(c.findings.len, 0);
	assert_int_equal(c.lines, 2 * WRITERS * ROUNDS);
	assert_int_equal(c.last, 2 * WRITERS * ROUNDS);
	trail_check_release(&c);
	assert_int_equal(trail_rotated("trail.jsonl", &rotated, NULL), 0);
	assert_true(rotated.len > 10);
	vec_release_strings(&rotated);
	assert_int_equal(count(&(struct trail_filter){ 0 }), WRITERS * ROUNDS);
}

static void
test_refuses_what_is_no_trail(void **state)
{
	struct error err;
	uint64_t n;

	(void)state;
	assert_int_equal(mkfifo("trail.jsonl", 0600), 0);
	assert_int_equal(trail_begin(&here, fill, "a", &n, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_int_equal(unlink("trail.jsonl"), 0);
	assert_int_equal(symlink("elsewhere", "trail.jsonl"), 0);
	assert_int_equal(trail_begin(&here, fill, "a", &n, &err), -1);
	assert_int_equal(access("elsewhere", F_OK), -1);
	assert_int_equal(unlink("trail.jsonl"), 0);
	assert_int_equal(mkdir("trail.jsonl", 0700), 0);
	assert_int_equal(trail_begin(&here, fill, "a", &n, &err), -1);
}

/* A file of something else is not taken for one, and is not lost. */
static void
test_goes_on_behind_other_text(void **state)
{
	(void)state;
	files_put_bytes("trail.jsonl", "one\ntwo", 7, 0600);
	end(&here, begin(&here, "a.properties"), NULL);
	assert_int_equal(findings("trail.jsonl"), 2);
	assert_int_equal(count(&(struct trail_filter){ 0 }), 1);
}

int
main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, files_setup, files_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_reads_what_was_written),
		IN_FOLDER(test_filters),
		IN_FOLDER(test_finds_each_changed_byte),
		IN_FOLDER(test_goes_on_behind_a_cut_at_any_byte),
		IN_FOLDER(test_many_writers_and_small_files),
		IN_FOLDER(test_refuses_what_is_no_trail),
		IN_FOLDER(test_goes_on_behind_other_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

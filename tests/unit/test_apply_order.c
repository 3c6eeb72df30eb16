/*
 * Plans with a secrets file and configurations, on disk: whatever fails, and
 * whoever meddles, every secret is in clear text where it was or sealed and
 * referred to.
 */
#include <sys/stat.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "document/document.h"
#include "plan/apply.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"
#include "estate_fixture.h"
#include "faults.h"
#include "files.h"

#define KEPT_PASSWORD "a.password = first secret\n"
#define TEXT "x = 1\n" KEPT_PASSWORD "b.password = second secret\n"
#define CONFIGS 3

static const char *const names[CONFIGS] = { "c0.properties", "c1.properties", "c2.properties" };

static int
setup(void **state)
{
	faults_clear();
	return files_setup(state);
}

/* What is on disk, loaded, and a plan for it. */
struct estate_on_disk {
	struct secrets_file *s;
	struct configuration *c[CONFIGS];
	size_t n;
	struct key *master;
	struct plan *p;
	struct apply a;
	struct error err;
};

static void
on_disk_open(struct estate_on_disk *d, size_t n)
{
	memset(d, 0, sizeof(*d));
	d->n = n;
	d->master = fixture_key(MODERN_MASTER);
	assert_non_null(d->s = secrets_file_load("secrets.properties", NULL));
	for (size_t i = 0; i < n; i++)
		assert_non_null(d->c[i] = configuration_load(names[i], NULL, NULL));
	assert_non_null(d->p = plan_new(d->s, NULL));
}

static void
on_disk_make(struct estate_on_disk *d, size_t n)
{
	files_put("secrets.properties", MODERN, 0600);
	for (size_t i = 0; i < n; i++)
		files_put(names[i], TEXT, 0644);
	on_disk_open(d, n);
}

static void
on_disk_close(struct estate_on_disk *d)
{
	apply_release(&d->a);
	plan_free(d->p);
	for (size_t i = 0; i < d->n; i++)
		configuration_free(d->c[i]);
	secrets_file_free(d->s);
	key_free(d->master);
}

static void
on_disk_remove(void)
{
	static const char *const suffixes[] = { "lock", "tmp" };
	char name[80];

	for (size_t i = 0; i <= CONFIGS; i++) {
		const char *file = i < CONFIGS ? names[i] : "secrets.properties";

		(void)unlink(file);
		for (size_t k = 0; k < 2; k++) {
			snprintf(name, sizeof(name), ".%s.propseal-%s", file, suffixes[k]);
			(void)unlink(name);
		}
	}
	assert_int_equal(files_count("."), 0);
}

static void
plan_sealing(struct estate_on_disk *d)
{
	assert_int_equal(seal_prepare(d->p, d->master, NULL), 0);
	for (size_t i = 0; i < d->n; i++)
		assert_int_equal(seal_default(d->p, d->c[i], &fixture_options, NULL, NULL), 0);
}

static void
plan_removing(struct estate_on_disk *d)
{
	for (size_t i = 0; i < d->n; i++)
		assert_int_equal(seal_remove(d->p, d->c[i], "a.password", 10, false, NULL), 0);
}

/* As who edits the file by hand: one secret goes, another one comes. */
static void
plan_rewriting(struct estate_on_disk *d)
{
	static const char edited[] = "x = 1\nb.password = second secret\nnew.password = third\n";

	assert_int_equal(secrets_file_unlock(d->s, d->master, NULL), 0);
	for (size_t i = 0; i < d->n; i++) {
		struct document *text = fixture_document(edited, strlen(edited));

		assert_int_equal(rewrite_plan(d->p, d->c[i], text, d->master, &fixture_options,
		    &d->err), 0);
		document_free(text);
	}
}

static int
apply_to_disk(struct estate_on_disk *d)
{
	return apply_plan(d->p, &d->a, &d->err);
}

enum where { IN_CLEAR, SEALED, GONE, LOST };

/* Where is the value that ${key} of file ${i} had? */
static enum where
where_is(size_t i, const char *key, const char *value)
{
	struct configuration *c = configuration_load(names[i], NULL, NULL);
	struct secrets_file *s = secrets_file_load("secrets.properties", NULL);
	struct key *master = fixture_key(MODERN_MASTER);
	enum where where = LOST;
	struct reference r;
	struct buf text, plain;
	size_t entry;

	buf_init_secret(&text, BUF_MAX_FILE);
	buf_init_secret(&plain, BUF_MAX_FILE);
	assert_true(c != NULL && s != NULL && secrets_file_unlock(s, master, NULL) == 0);
	entry = document_find(c->doc, key, strlen(key));
	if (entry == DOCUMENT_NONE) {
		where = GONE;
	} else {
		assert_int_equal(document_value(c->doc, entry, &text, NULL), 0);
		if (text.len == strlen(value) && memcmp(text.data, value, text.len) == 0)
			where = IN_CLEAR;
		else if (reference_parse((const char *)text.data, text.len, &r) &&
		    resolve_entry(s, &r) != DOCUMENT_NONE &&
		    secrets_file_open(s, resolve_entry(s, &r), &plain, NULL) == 0 &&
		    plain.len == strlen(value) && memcmp(plain.data, value, plain.len) == 0)
			where = SEALED;
	}
	buf_release(&plain);
	buf_release(&text);
	key_free(master);
	secrets_file_free(s);
	configuration_free(c);
	return where;
}

static const struct apply_result *
result_of(const struct estate_on_disk *d, const char *path)
{
	for (size_t i = 0; i < d->a.count; i++)
		if (strcmp(d->a.results[i].file->path, path) == 0)
			return &d->a.results[i];
	fail_msg("no result of %s", path);
	return NULL;
}

static bool
has_entry(const char *name)
{
	struct secrets_file *s = secrets_file_load("secrets.properties", NULL);
	bool has;

	assert_non_null(s);
	has = secrets_file_find(s, name, strlen(name)) != DOCUMENT_NONE;
	secrets_file_free(s);
	return has;
}

/* --- one that fails, and the rest --- */

static void
test_one_that_fails_leaves_orphans_and_the_rest_is_sealed(void **state)
{
	struct estate_on_disk d;

	(void)state;
	on_disk_make(&d, 3);
	plan_sealing(&d);
	assert_int_equal(unlink(names[1]), 0);
	files_put(names[1], TEXT "theirs = 1\n", 0644);
	assert_int_equal(apply_to_disk(&d), -1);
	assert_string_equal(d.err.text, "1 of 4 files is not changed: c1.properties");
	assert_int_equal(where_is(0, "a.password", "first secret"), SEALED);
	assert_int_equal(where_is(1, "a.password", "first secret"), IN_CLEAR);
	assert_int_equal(where_is(2, "a.password", "first secret"), SEALED);
	assert_true(has_entry("c1.properties/a.password"));
	assert_non_null(strstr(buf_cstr(&d.a.notes), "secrets.properties: what was sealed for "
	    "files that are not changed stays in it"));
	assert_true(result_of(&d, "secrets.properties")->done);
	on_disk_close(&d);
	/* Run again, it is finished with what is there. */
	on_disk_open(&d, 3);
	plan_sealing(&d);
	assert_int_equal(apply_to_disk(&d), 0);
	assert_int_equal(where_is(1, "a.password", "first secret"), SEALED);
	on_disk_close(&d);
	on_disk_remove();
}

static void
test_when_all_fail_the_secrets_file_is_as_it_was(void **state)
{
	struct estate_on_disk d;
	struct stat before, after;

	(void)state;
	on_disk_make(&d, 2);
	plan_sealing(&d);
	before = files_stat("secrets.properties");
	/* Seen before anything is put in place. */
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(unlink(names[i]), 0);
		files_put(names[i], TEXT "theirs = 1\n", 0644);
	}
	assert_int_equal(apply_to_disk(&d), -1);
	after = files_stat("secrets.properties");
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(d.a.notes.len, 0);
	on_disk_close(&d);
	on_disk_remove();
	/* And after that: every other rename but the first fails, and undo's does not. */
	on_disk_make(&d, 1);
	plan_sealing(&d);
	before = files_stat("secrets.properties");
	faults_set(FAULT_RENAMEAT, 2, 1, EIO);
	assert_int_equal(apply_to_disk(&d), -1);
	assert_string_equal(d.err.file, names[0]);
	after = files_stat("secrets.properties");
	assert_int_equal(before.st_ino, after.st_ino);
	assert_true(files_have(names[0], TEXT));
	on_disk_close(&d);
	on_disk_remove();
}

static void
test_what_may_need_a_sealed_entry_keeps_it(void **state)
{
	struct estate_on_disk d;

	(void)state;
	/* The configuration's folder is not synced, nor is it when it is put back. */
	on_disk_make(&d, 1);
	plan_sealing(&d);
	faults_set(FAULT_FSYNC, 4, 2, EIO);
	assert_int_equal(apply_to_disk(&d), -1);
	assert_non_null(strstr(result_of(&d, names[0])->why->text, "may not be on disk"));
	assert_true(has_entry("c0.properties/a.password"));
	assert_int_equal(where_is(0, "a.password", "first secret"), IN_CLEAR);
	on_disk_close(&d);
	on_disk_remove();
}

static void
test_removing_waits_for_every_configuration(void **state)
{
	struct estate_on_disk d;

	(void)state;
	on_disk_make(&d, 3);
	plan_sealing(&d);
	assert_int_equal(apply_to_disk(&d), 0);
	on_disk_close(&d);
	on_disk_open(&d, 3);
	plan_removing(&d);
	faults_set(FAULT_RENAMEAT, 2, 1, EIO);
	assert_int_equal(apply_to_disk(&d), -1);
	assert_string_equal(d.err.text,
	    "2 of 4 files are not changed: secrets.properties, c1.properties");
	assert_int_equal(where_is(0, "a.password", ""), GONE);
	assert_int_equal(where_is(1, "a.password", "first secret"), SEALED);
	assert_int_equal(where_is(2, "a.password", ""), GONE);
	assert_true(has_entry("c0.properties/a.password"));
	assert_non_null(strstr(result_of(&d, "secrets.properties")->why->hint, "orphans"));
	on_disk_close(&d);
	on_disk_remove();
}

static void
test_what_is_removed_and_added_at_once_goes_in_three_steps(void **state)
{
	struct estate_on_disk d;

	(void)state;
	on_disk_make(&d, 1);
	plan_sealing(&d);
	assert_int_equal(apply_to_disk(&d), 0);
	on_disk_close(&d);
	/* The configuration cannot be changed: nothing that it refers to is gone. */
	on_disk_open(&d, 1);
	plan_rewriting(&d);
	assert_int_equal(plan_order(d.p), PLAN_BOTH);
	faults_set(FAULT_RENAMEAT, 2, 9, EIO);
	assert_int_equal(apply_to_disk(&d), -1);
	faults_clear();
	assert_int_equal(where_is(0, "a.password", "first secret"), SEALED);
	on_disk_close(&d);
	on_disk_open(&d, 1);
	plan_rewriting(&d);
	assert_int_equal(apply_to_disk(&d), 0);
	assert_int_equal(where_is(0, "a.password", ""), GONE);
	assert_int_equal(where_is(0, "new.password", "third"), SEALED);
	assert_false(has_entry("c0.properties/a.password"));
	assert_true(has_entry("c0.properties/b.password"));
	on_disk_close(&d);
	on_disk_remove();
}

/* --- everything that can fail --- */

struct sweep {
	const char *what;
	void (*plan)(struct estate_on_disk *d);
	bool sealed;		/* it starts with what is sealed */
	bool may_go;		/* a.password may be gone afterwards */
};

/* Nothing is lost, and what is said to be done is done. */
static void
assert_nothing_lost(const struct estate_on_disk *d, const struct sweep *s)
{
	for (size_t i = 0; i < d->n; i++) {
		enum where a = where_is(i, "a.password", "first secret");
		enum where b = where_is(i, "b.password", "second secret");

		if (a == LOST || (a == GONE && !s->may_go) || b == LOST || b == GONE)
			fail_msg("%s: lost in %s: %s", s->what, names[i], d->err.text);
		if (result_of(d, names[i])->done)
			assert_int_equal(a, s->may_go ? GONE : SEALED);
	}
}

/* ${first}: the kind of call that fails, ${second}: that fails from then on. */
static size_t
sweep_pair(const struct sweep *s, size_t n, enum fault_call call, int times)
{
	size_t count = 0;

	for (int at = 1, left = 0; left < times; at++, count++) {
		struct estate_on_disk d;
		int result;

		faults_clear();
		on_disk_make(&d, n);
		if (s->sealed) {
			plan_sealing(&d);
			assert_int_equal(apply_to_disk(&d), 0);
			on_disk_close(&d);
			on_disk_open(&d, n);
		}
		s->plan(&d);
		faults_set(call, at, times, EIO);
		result = apply_to_disk(&d);
		left = faults.times;
		faults_clear();
		assert_nothing_lost(&d, s);
		if (result == 0)
			assert_true(d.a.notes.len > 0 || !d.a.several);
		on_disk_close(&d);
		on_disk_remove();
	}
	return count;
}

static void
test_whatever_fails_nothing_is_lost(void **state)
{
	static const struct sweep sweeps[] = {
		{ "sealing", plan_sealing, false, false },
		{ "removing", plan_removing, true, true },
		{ "rewriting", plan_rewriting, true, true }
	};
	static const enum fault_call calls[] = {
		FAULT_WRITE, FAULT_FSYNC, FAULT_LINKAT, FAULT_RENAMEAT, FAULT_FSTAT,
		FAULT_FSTATAT, FAULT_UNLINKAT
	};
	size_t count = 0;

	(void)state;
	for (size_t s = 0; s < sizeof(sweeps) / sizeof(sweeps[0]); s++)
		for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++)
			for (int times = 1; times < 4; times++)
				count += sweep_pair(&sweeps[s], 1 + c % 2, calls[c], times);
	print_message("%zu failures, nothing lost\n", count);
	assert_true(count > 400);
}

/* --- another program in the middle --- */

static void
touch_all(void)
{
	for (size_t i = 0; i < CONFIGS; i++) {
		int fd = open(names[i], O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);

		/* What is leased just now cannot be opened so. */
		if (fd == -1)
			continue;
		assert_int_equal(write(fd, "# hi\n", 5), 5);
		close(fd);
	}
}

static void
rewrite_all(void)
{
	for (size_t i = 0; i < CONFIGS; i++) {
		(void)unlink("theirs");
		files_put("theirs", TEXT "# theirs\n", 0644);
		assert_int_equal(rename("theirs", names[i]), 0);
	}
}

static void
test_another_program_in_the_middle_loses_nothing(void **state)
{
	static const enum fault_call calls[] = { FAULT_FSYNC, FAULT_LINKAT, FAULT_RENAMEAT,
		FAULT_FSTATAT };
	void (*const meddlers[])(void) = { touch_all, rewrite_all };

	(void)state;
	for (size_t k = 0; k < 2 * sizeof(calls) / sizeof(calls[0]); k++) {
		for (int nth = 1, left = 0; left <= 0; nth++) {
			struct estate_on_disk d;

			faults_clear();
			on_disk_make(&d, 3);
			plan_sealing(&d);
			faults_meddle(calls[k / 2], nth, meddlers[k % 2]);
			(void)apply_to_disk(&d);
			left = faults.nth;
			faults_clear();
			for (size_t i = 0; i < d.n; i++) {
				enum where a = where_is(i, "a.password", "first secret");

				assert_true(a == SEALED || a == IN_CLEAR);
			}
			on_disk_close(&d);
			on_disk_remove();
		}
	}
}

int
main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, files_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_one_that_fails_leaves_orphans_and_the_rest_is_sealed),
		IN_FOLDER(test_when_all_fail_the_secrets_file_is_as_it_was),
		IN_FOLDER(test_what_may_need_a_sealed_entry_keeps_it),
		IN_FOLDER(test_removing_waits_for_every_configuration),
		IN_FOLDER(test_what_is_removed_and_added_at_once_goes_in_three_steps),
		IN_FOLDER(test_whatever_fails_nothing_is_lost),
		IN_FOLDER(test_another_program_in_the_middle_loses_nothing)
	};

	return cmocka_run_group_tests_name("order of apply", tests, NULL, NULL);
}

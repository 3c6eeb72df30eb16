/* Recovering where the master key is lost: new values under a new one. */
#include <dirent.h>
#include <sys/stat.h>

#include "golden.h"
#include "memory.h"
#include "steps.h"

#define NEW_PASSPHRASE "a new passphrase of nobody 4711"
#define TYPED "typed-instead-Wq55"
#define CLEAR "in-a-backup-Vn32"
#define CLEAR_LINE "\025"	/* control-U */

static const char secrets[] = "estate/secrets.properties";

static void
begin(struct vt *v)
{
	vt_key(v, ":");
	type_line(v, ">recover");
	see(v, "[what is lost]");
}

/* The new key stands alone in a row; its length says when it is whole. */
static void
read_key(struct vt *v, char key[64])
{
	char row[512], *at;

	for (int i = 0; i < vt_rows(v); i++) {
		vt_row(v, i, row, sizeof(row));
		at = row + strspn(row, " ");
		at[strcspn(at, " ")] = '\0';
		if (strlen(at) == 44 && at[43] == '=') {
			snprintf(key, 64, "%s", at);
			return;
		}
	}
	vt_fail(v, "the new key", "is not shown");
}

/* From the new values over the step of the new key: a passphrase, and the key's end as proof. */
static void
make_key(struct vt *v, char key[64])
{
	char last[8];

	vt_key(v, KEY_ENTER);
	type_value(v, NEW_PASSPHRASE);
	see(v, "New master key");
	read_key(v, key);
	vt_key(v, KEY_ENTER);
	snprintf(last, sizeof(last), "%.4s", key + 40);
	vt_key(v, last);
	see(v, "[look]");
}

static size_t
kept_files(struct fixture *f)
{
	char path[512];
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/estate", f->dir);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, "secrets.properties.lost-", 24) == 0;
	closedir(d);
	return n;
}

static void
what_is_lost_is_said_and_leaving_changes_nothing(void **state)
{
	struct vt *v = fixture_open(*state);

	begin(v);
	see(v, "used by estate/broker.properties:6");
	golden_assert_sizes(v, "recover");
	vt_key(v, KEY_F1);
	vt_type(v, "leave propseal");
	vt_key(v, KEY_ENTER);
	see(v, "What was begun here is given up.");
	vt_key(v, KEY_ESC);
	vt_key(v, "q");
	see(v, "What was begun here is given up.");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ENTER);
	see(v, "0 of 4 given");
	vt_key(v, KEY_ENTER);
	see(v, "no new value is given yet");
	golden_assert_sizes(v, "recover-values");
	vt_key(v, KEY_ESC);
	see(v, "[what is lost]");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
	fixture_assert_unchanged(*state);
}

static void
a_value_typed_and_one_taken_are_sealed_under_a_new_key(void **state)
{
	struct fixture *f = *state;
	struct vt *v;
	char key[64], all[8192];
	char *value;

	fixture_write(f, "estate/old.properties", "ssl.key.password=" CLEAR "\n");
	fixture_keep(f);
	v = fixture_open(f);
	begin(v);
	see(v, "the key is in clear text in");
	vt_key(v, KEY_ENTER);
	vt_key(v, " ");
	see(v, "taken");
	vt_key(v, "j");
	vt_key(v, "e");
	see(v, "New value");
	type_value(v, TYPED);
	see(v, "2 of 4 given; 1 that is in use is open");
	vt_key(v, KEY_ENTER);
	see(v, "1 in use has no new value");
	see(v, "damaged.password");
	make_key(v, key);
	see(v, "4 of 6");
	see(v, "+++ estate/secrets.properties");
	vt_assert_lacks(v, TYPED);
	vt_assert_lacks(v, CLEAR);
	fixture_assert_unchanged(f);
	/* Back to the key, and over the same way again; then another changes the file, and what was
	 * planned of it does not hold any more. */
	vt_key(v, KEY_ESC);
	see(v, "[new key]");
	make_key(v, key);
	vt_key(v, KEY_ENTER);
	see(v, "[apply]");
	see(v, "secrets.properties.lost-");
	fixture_assert_unchanged(f);
	value = fixture_read(f, secrets);
	snprintf(all, sizeof(all), "# another was here\n%s", value);
	free(value);
	fixture_write(f, secrets, all);
	vt_key(v, KEY_ENTER);
	see(v, "Type recover:");
	type_line(v, "recover");
	see(v, "Not recovered");
	vt_key(v, KEY_ENTER);
	see(v, "[new key]");
	fixture_assert_in_file(f, secrets, "another was here");
	/* What was made for nothing is gone again. */
	assert_int_equal(kept_files(f), 0);
	make_key(v, key);
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_ENTER);
	see(v, "Type recover:");
	type_line(v, "recover");
	see(v, "[what now]");
	see(v, "2 of 4 values are sealed");
	vt_key(v, KEY_ENTER);
	see(v, "unlocked");
	if (memory_can_read(vt_pid(v))) {
		memory_assert_clean(vt_pid(v), "new passphrase", NEW_PASSPHRASE);
		memory_assert_clean(vt_pid(v), "new value", TYPED);
	}
	fixture_quit(v);
	assert_false(vt_sent(v, TYPED));
	vt_free(v);
	assert_int_equal(kept_files(f), 1);
	fixture_assert_not_in_file(f, secrets, "orphan.password");
	value = fixture_decrypt(f, "estate/broker.properties", secrets, "ssl.key.password", key);
	assert_non_null(value);
	assert_string_equal(value, CLEAR);
	free(value);
}

/* Fill in a line of the template. */
static void
fill_in(struct fixture *f, const char *path, const char *name, const char *value)
{
	char *text = fixture_read(f, path), *at, all[8192];

	assert_non_null(text);
	at = strstr(text, name);
	assert_non_null(at);
	at += strlen(name);
	snprintf(all, sizeof(all), "%.*s%s%s", (int)(at - text), text, value, at);
	free(text);
	fixture_write(f, path, all);
}

static void
a_template_is_written_filled_in_and_taken_back(void **state)
{
	static const char template[] = "new-values.properties";
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);
	char path[512], key[64], *value;
	struct stat st;

	begin(v);
	vt_key(v, KEY_ENTER);
	see(v, "E template");
	vt_key(v, "E");
	see(v, "File: new-values.properties");
	/* Over nothing that is there, but for what has the names. */
	vt_key(v, CLEAR_LINE);
	type_line(v, "estate/broker.properties");
	see(v, "the secrets file has no such sealed entry");
	vt_key(v, KEY_ENTER);
	vt_key(v, CLEAR_LINE);
	type_line(v, template);
	see(v, "The file is written");
	vt_key(v, KEY_ENTER);
	snprintf(path, sizeof(path), "%s/%s", f->dir, template);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	fixture_assert_in_file(f, template, "\nbroker.properties/ssl.key.password=\n");
	fixture_assert_in_file(f, template, "\n#old.properties/orphan.password=\n");
	vt_key(v, "E");
	vt_key(v, KEY_ENTER);
	see(v, "no value is filled in there yet");
	fill_in(f, template, "\nbroker.properties/ssl.key.password=", TYPED);
	/* Who left takes it back as well. */
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	begin(v);
	vt_key(v, KEY_ENTER);
	see(v, "0 of 4 given");
	vt_key(v, "E");
	type_line(v, "");
	see(v, "1 of 4 given; 2 that are in use are open");
	vt_assert_lacks(v, TYPED);
	vt_key(v, KEY_ENTER);
	make_key(v, key);
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_ENTER);
	see(v, "Type recover:");
	type_line(v, "recover");
	see(v, "Remove the template that you filled in");
	vt_key(v, KEY_ENTER);
	see(v, "unlocked");
	fixture_leave(v);
	value = fixture_decrypt(f, "estate/broker.properties", secrets, "ssl.key.password", key);
	assert_non_null(value);
	assert_string_equal(value, TYPED);
	free(value);
}

/* Another recovery gave the file a key, which somebody has. */
static void
what_another_recovered_meanwhile_stays(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);
	char *text, *at;

	begin(v);
	vt_key(v, KEY_ENTER);
	vt_key(v, "e");
	see(v, "New value");
	type_value(v, TYPED);
	see(v, "1 of 4 given");
	text = fixture_read(f, secrets);
	at = strstr(text, "_metadata.symmetric_key.0.enc");
	assert_non_null(at);
	at = strstr(at, "data:");
	assert_non_null(at);
	at[5] = at[5] == 'A' ? 'B' : 'A';
	fixture_write(f, secrets, text);
	fixture_keep(f);
	free(text);
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_ENTER);
	type_value(v, NEW_PASSPHRASE);
	see(v, "it got another data key while this was open");
	vt_key(v, KEY_ENTER);
	see(v, "[new key]");
	for (int i = 0; i < 3; i++)
		vt_key(v, KEY_ESC);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* A key at hand: then nothing is lost. */
static void
with_the_key_there_is_nothing_to_recover(void **state)
{
	struct vt *v = fixture_open_unlocked(*state);

	vt_key(v, ":");
	type_line(v, ">recover");
	vt_assert_has(v, "it is unlocked already");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
	fixture_assert_unchanged(*state);
}

static void
who_fails_three_times_is_told_of_it(void **state)
{
	struct vt *v = fixture_open(*state);

	vt_key(v, "U");
	for (int i = 0; i < 3; i++) {
		type_line(v, "wrong");
		see(v, "that does not open it");
	}
	see(v, "Esc, then : recover");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(what_is_lost_is_said_and_leaving_changes_nothing),
		FIXTURE_TERMS(what_is_lost_is_said_and_leaving_changes_nothing),
		FIXTURE_TEST(a_value_typed_and_one_taken_are_sealed_under_a_new_key),
		FIXTURE_TEST(a_template_is_written_filled_in_and_taken_back),
		FIXTURE_TEST(what_another_recovered_meanwhile_stays),
		FIXTURE_TEST(with_the_key_there_is_nothing_to_recover),
		FIXTURE_TEST(who_fails_three_times_is_told_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

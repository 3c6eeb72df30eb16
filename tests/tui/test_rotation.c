/* The view of rotations: its steps, what they cost in keys, and what is on disk after them. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "golden.h"
#include "memory.h"
#include "steps.h"

#define NEW_PASSPHRASE "fresh-canary-Wm3 velvet"
#define ENVIRONMENTS 5
#define REFERENCE "${securepass:/etc/kafka/secrets.properties:broker.properties/ssl.key.password}"

static const char *const names[ENVIRONMENTS] = { "connect-eu", "dev", "prod-eu", "prod-us",
	"stage" };

static char *
path_of(int e, const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), "five/%s/%s", names[e], file);
	return path;
}

/* Without the damaged entry, which no rotation takes. */
static char *
mended(struct fixture *f)
{
	char *text = fixture_read(f, "estate/secrets.properties");
	char *damaged = strstr(text, "worker.properties/damaged");
	char *end = strchr(damaged, '\n');

	memmove(damaged, end + 1, strlen(end + 1) + 1);
	return text;
}

/* Five environments with one passphrase, each with a value of the fixture. */
static void
make_five(struct fixture *f)
{
	char *secrets = mended(f), folder[256];

	snprintf(folder, sizeof(folder), "%s/five", f->dir);
	assert_int_equal(mkdir(folder, 0755), 0);
	for (int e = 0; e < ENVIRONMENTS; e++) {
		snprintf(folder, sizeof(folder), "%s/five/%s", f->dir, names[e]);
		assert_int_equal(mkdir(folder, 0755), 0);
		fixture_write(f, path_of(e, "secrets.properties"), secrets);
		fixture_write(f, path_of(e, "broker.properties"), "ssl.key.password="
		    REFERENCE "\n");
	}
	free(secrets);
	fixture_keep(f);
}

static struct vt *
open_five(struct fixture *f, int rows, int cols)
{
	struct fixture_start s = { .rows = rows, .cols = cols, .args = { "five" } };

	return fixture_run(f, &s);
}

/* Keys that are pressed; texts of passphrases apart, their Enter counts. */
static int pressed;

static void
press(struct vt *v, const char *key)
{
	pressed++;
	vt_key(v, key);
}

static void
type_passphrase(struct vt *v, const char *text)
{
	vt_type(v, text);
	press(v, KEY_ENTER);
}

/* The salt of the master key, which is one for all files with a common one. */
static void
salt_of(struct fixture *f, int e, char out[128])
{
	char *text = fixture_read(f, path_of(e, "secrets.properties"));
	char *at = strstr(text, "_metadata.master_key.0.salt = ");

	assert_non_null(at);
	snprintf(out, 128, "%.*s", (int)strcspn(at, "\n"), at);
	free(text);
}

/* The folder of the one session. */
static void
session_path(struct fixture *f, const char *file, char out[512])
{
	char home[256];
	struct dirent *e;
	DIR *d;

	snprintf(home, sizeof(home), "%s/propseal/rotations", f->state);
	d = opendir(home);
	assert_non_null(d);
	out[0] = '\0';
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] == '2')
			snprintf(out, 512, "%.200s/%.100s/%s", home, e->d_name, file);
	closedir(d);
	assert_true(out[0] != '\0');
}

/* How many lines of the journal say so. */
static int
journal_lines(struct fixture *f, const char *word)
{
	char path[512], line[4096];
	FILE *in;
	int n = 0;

	session_path(f, "journal", path);
	in = fopen(path, "r");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in) != NULL)
		n += strstr(line, word) != NULL;
	fclose(in);
	return n;
}

static void
assert_values(struct fixture *f, const char *key)
{
	for (int e = 0; e < ENVIRONMENTS; e++) {
		char file[128], *value;

		snprintf(file, sizeof(file), "%s", path_of(e, "broker.properties"));
		value = fixture_decrypt(f, file, path_of(e, "secrets.properties"),
		    "ssl.key.password", key);
		assert_non_null(value);
		assert_string_equal(value, FIXTURE_BROKER_SECRET);
		free(value);
	}
}

/* From what was ticked and opened to the plan that is made. */
static void
plan_new_keys(struct vt *v)
{
	see(v, "every entry opens");
	press(v, KEY_ENTER);
	type_passphrase(v, NEW_PASSPHRASE);
	type_passphrase(v, NEW_PASSPHRASE);
	see(v, "planned, and nothing is changed yet");
}

/* From the list of files to the plan that is made, of all environments. */
static void
plan_all(struct vt *v)
{
	press(v, "M");
	press(v, "A");
	press(v, KEY_ENTER);
	vt_assert_has(v, "Unlock");
	type_passphrase(v, FIXTURE_PASSPHRASE);
	plan_new_keys(v);
}

static struct vt *
plan_five(struct fixture *f)
{
	struct vt *v;

	make_five(f);
	v = open_five(f, 24, 80);
	plan_all(v);
	return v;
}

static void
apply_all(struct vt *v)
{
	press(v, "w");
	vt_assert_has(v, "Rotate now");
	press(v, KEY_TAB);
	press(v, KEY_ENTER);
	see(v, "all values the same");
}

/* The key that the screen shows, on Enter. */
static char *
shown_key(struct vt *v)
{
	char line[256];

	vt_key(v, KEY_ENTER);
	see(v, "Save this key now");
	vt_row(v, 2, line, sizeof(line));
	line[strspn(line, " ") + 44] = '\0';	/* behind it, the time that is left */
	return strdup(line + strspn(line, " "));
}

/* It is shown, and its end is typed. */
static char *
prove_new_key(struct vt *v)
{
	char *key = shown_key(v);

	vt_key(v, KEY_ENTER);
	vt_type(v, key + 40);
	return key;
}

static void
five_with_a_common_key_take_ten_keys(void **state)
{
	struct fixture *f = *state;
	char first[128], other[128], path[512], *key;
	struct vt *v;

	make_five(f);
	salt_of(f, 0, first);
	pressed = 0;
	v = open_five(f, 24, 80);
	plan_all(v);
	/* A plan writes its session, and nothing else. */
	fixture_assert_unchanged(f);
	apply_all(v);
	assert_true(pressed <= 10);
	vt_assert_has(v, "verified: opens 15 of 15, all values the same; 5 of 5 references");
	salt_of(f, 0, other);
	assert_string_not_equal(first, other);
	for (int e = 1; e < ENVIRONMENTS; e++) {
		salt_of(f, e, first);
		assert_string_equal(first, other);
	}
	/* The end is closed until the key is known to be saved. */
	vt_key(v, "w");
	vt_assert_has(v, "finish is closed");
	key = shown_key(v);
	vt_key(v, KEY_ENTER);
	vt_type(v, "!!!!");
	vt_assert_has(v, "not its last 4");
	vt_assert_lacks(v, key);
	vt_type(v, key + 40);
	see(v, "saved");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "it was shown, and is saved");
	/* Who is restarted, and in which order. */
	vt_type(v, "jjjj");
	see(v, "In this order: Connect (connect-eu/broker.properties).");
	vt_type(v, "kkkk");
	/* A tick is kept in the session. */
	vt_type(v, "jj");
	vt_key(v, " ");
	see(v, "1 of 4");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_key(v, "4");
	see(v, "1 of 4");
	vt_key(v, "w");
	type_line(v, "finis");
	vt_assert_has(v, "that is not the word");
	assert_int_equal(journal_lines(f, " finish"), 0);
	vt_key(v, "h");
	vt_key(v, KEY_ENTER);
	see(v, "finished: originals");
	session_path(f, "originals", path);
	assert_int_equal(access(path, F_OK), -1);
	if (memory_can_read(vt_pid(v))) {
		memory_assert_clean(vt_pid(v), "new master key", key);
		memory_assert_clean(vt_pid(v), "new passphrase", NEW_PASSPHRASE);
	}
	fixture_quit(v);
	assert_null(strstr(vt_scrollback(v), key));
	vt_free(v);
	assert_values(f, key);
	free(key);
}

/* Two secrets files whose paths are the same for longer than a kilobyte. */
static void
ticks_of_long_paths_are_apart(void **state)
{
	static const char *const last[] = { "one", "two" };
	struct fixture *f = *state;
	char *secrets = mended(f), path[2048];
	struct vt *v;
	FILE *out;
	int n = snprintf(path, sizeof(path), "%s/five", f->dir);

	assert_int_equal(mkdir(path, 0755), 0);
	for (int i = 0; i < 6; i++) {
		n += snprintf(path + n, sizeof(path) - (size_t)n, "/%0200d", i);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	for (int i = 0; i < 2; i++) {
		snprintf(path + n, sizeof(path) - (size_t)n, "/%s", last[i]);
		assert_int_equal(mkdir(path, 0755), 0);
		snprintf(path + n, sizeof(path) - (size_t)n, "/%s/secrets.properties", last[i]);
		out = fopen(path, "w");
		assert_non_null(out);
		assert_true(fputs(secrets, out) >= 0);
		assert_int_equal(fclose(out), 0);
	}
	free(secrets);
	v = open_five(f, 30, 80);
	press(v, "K");
	press(v, "A");
	press(v, KEY_ENTER);
	vt_assert_has(v, "Unlock");
	type_passphrase(v, FIXTURE_PASSPHRASE);
	see(v, "every entry opens");
	press(v, KEY_ENTER);
	see(v, "planned, and nothing is changed yet");
	apply_all(v);
	vt_assert_has(v, "[hosts]");
	vt_assert_lacks(v, "1 of 3");
	vt_key(v, " ");
	see(v, "1 of 3");
	vt_assert_has(v, "0 of 3");
	vt_assert_has(v, "hosts: 5 steps are open");
	fixture_quit(v);
	vt_free(v);
}

static void
each_its_own_key_and_one_left_out(void **state)
{
	struct fixture *f = *state;
	char one[128], two[128], out[128], *key;
	struct vt *v;

	make_five(f);
	salt_of(f, 4, out);
	v = open_five(f, 24, 80);
	vt_key(v, "M");
	/* The cursor is on the first environment, the one of the row; one more, and no common. */
	vt_key(v, "j");
	vt_key(v, " ");
	vt_assert_has(v, "Master key of 2 environments");
	vt_key(v, "k");
	vt_type(v, "kkk");
	vt_key(v, " ");
	vt_assert_has(v, "[ ] one common new key");
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_PASSPHRASE);
	plan_new_keys(v);
	vt_assert_has(v, "out");
	apply_all(v);
	salt_of(f, 0, one);
	salt_of(f, 1, two);
	assert_string_not_equal(one, two);
	salt_of(f, 4, one);
	assert_string_equal(one, out);
	vt_assert_has(v, "0 of 2");
	key = prove_new_key(v);
	see(v, "1 of 2");
	vt_key(v, "w");
	vt_assert_has(v, "finish is closed");
	free(key);
	fixture_leave(v);
}

/* Plan by the command line. */
static void
plan_by_command(struct fixture *f, const char *path)
{
	char line[8192];

	snprintf(line, sizeof(line), "cd %s && printf '%%s' '%s' >../old.$$ && printf '%%s' '%s' "
	    ">../new.$$ && XDG_STATE_HOME=%s %s rotation plan %s --master-key "
	    "--common-master-key --passphrase @../old.$$ --passphrase-new @../new.$$ >/dev/null "
	    "2>&1; rc=$?; rm -f ../old.$$ ../new.$$; exit $rc", f->dir, FIXTURE_PASSPHRASE,
	    NEW_PASSPHRASE, f->state, f->program, path);
	assert_int_equal(system(line), 0);
}

/* Rotate by the command line, and kill that between two files. */
static void
kill_apply(struct fixture *f)
{
	const struct timespec wait = { .tv_nsec = 20000000 };
	pid_t pid;

	plan_by_command(f, "five");
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		int in[2], null = open("/dev/null", O_RDWR);

		if (chdir(f->dir) != 0 || pipe(in) != 0 || null == -1)
			_exit(126);
		(void)!write(in[1], NEW_PASSPHRASE, strlen(NEW_PASSPHRASE));
		close(in[1]);
		dup2(in[0], 0);
		dup2(null, 1);
		dup2(null, 2);
		execl(f->program, f->program, "rotation", "apply", "--passphrase-new", "-",
		    "--rate", "0.005", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 6000 && journal_lines(f, " applied ") == 0; i++)
		nanosleep(&wait, NULL);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(journal_lines(f, " applied "), 1);
}

/* A value that is changed between apply and proof is told, and can be taken as meant. */
static void
what_was_changed_on_purpose_is_accepted(void **state)
{
	struct fixture *f = *state;
	char *value;
	struct vt *v = plan_five(f);

	apply_all(v);
	vt_key(v, "1");
	type_line(v, "/ssl.key.pass");
	vt_key(v, "e");
	type_value(v, "meant-canary");
	apply(v);
	see(v, "sealed a new value");
	vt_key(v, "4");
	vt_key(v, KEY_ESC);
	see(v, "[verify]");
	vt_key(v, "w");
	see(v, "Not all values are the same");
	vt_assert_has(v, "changed on purpose? a on the row");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_HOME);
	vt_key(v, "a");
	vt_assert_has(v, "this is for the row of a file");
	vt_key(v, "j");
	vt_key(v, "a");
	see(v, "Accept the values");
	vt_assert_has(v, "connect-eu/secrets.properties");
	/* The key that asks does not confirm. */
	vt_key(v, "a");
	confirm(v);
	see(v, "accepted: 1 value is another");
	vt_key(v, "w");
	see(v, "verified: opens 15 of 15, all values the same; 5 of 5 references");
	fixture_quit(v);
	assert_false(vt_sent(v, "meant-canary"));
	vt_free(v);
	value = fixture_read(f, path_of(0, "secrets.properties"));
	assert_null(strstr(value, "meant-canary"));
	free(value);
}

/* A file fails for its last entry: that is one line, and one entry. */
static void
what_does_not_open_any_more_is_told_once(void **state)
{
	struct fixture *f = *state;
	struct vt *v = plan_five(f);
	char *text, *data, row[512];
	int n = 0;

	apply_all(v);
	vt_key(v, KEY_ESC);
	see(v, "[verify]");
	text = fixture_read(f, path_of(0, "secrets.properties"));
	data = strstr(strstr(text, "broker.properties/ssl.key.password"), "data:") + 5;
	memcpy(data, "AAAA", 4);
	fixture_write(f, path_of(0, "secrets.properties"), text);
	free(text);
	vt_key(v, "w");
	see(v, "It is not proved");
	for (int i = 0; i < vt_rows(v); i++) {
		vt_row(v, i, row, sizeof(row));
		n += strstr(row, "# restore this line") != NULL;
	}
	assert_int_equal(n, 1);
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

/* Hold the lock of a secrets file, as another propseal does.  The descriptor to close. */
static int
hold_lock(struct fixture *f, int e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->dir, path_of(e, ".secrets.properties"
	    ".propseal-lock"));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	return fd;
}

static void
rows_change_as_files_finish(void **state)
{
	struct fixture *f = *state;
	const struct fixture_start start = { .rows = 24, .cols = 80,
		.args = { "five", "--lock-timeout", "300" } };
	struct vt *v;
	int fd;

	make_five(f);
	v = fixture_run(f, &start);
	plan_all(v);
	fd = hold_lock(f, 2);
	vt_key(v, "w");
	vt_assert_has(v, "Rotate now");
	vt_key(v, KEY_TAB);
	vt_send(v, KEY_ENTER);
	/* It waits for the third, and says what became of the others. */
	see(v, "writing  prod-eu");
	see(v, "done     connect-eu");
	see(v, "done     dev");
	see(v, "waiting  prod-us");
	see(v, "waiting  stage");
	see(v, "Esc stops between files");
	vt_send(v, KEY_ESC);
	see(v, "Stopping.");
	assert_int_equal(close(fd), 0);
	/* The file that it was at is finished, and no other is begun. */
	see(v, "Not all is rotated");
	vt_key(v, KEY_ENTER);
	vt_wait_text(v, "Not all is rotated", false);
	see(v, "[apply]");
	assert_int_equal(journal_lines(f, " applied"), 3);
	vt_key(v, "w");
	see(v, "Go on with the rotation");
	vt_send(v, KEY_ENTER);
	see(v, "all values the same");
	assert_int_equal(journal_lines(f, " applied"), 5);
	fixture_quit(v);
	vt_free(v);
}

static void
after_a_kill_three_keys_go_on(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	make_five(f);
	kill_apply(f);
	pressed = 0;
	v = open_five(f, 24, 80);
	see(v, "stopped, 1 of 5 files: 4");
	press(v, "4");
	see(v, "1 of 5");
	press(v, "w");
	vt_assert_has(v, "Go on with the rotation");
	golden_assert_sizes(v, "rotation-resume-question");
	press(v, KEY_ENTER);
	assert_true(pressed <= 3);
	/* Which key it takes is found out before any file. */
	type_line(v, FIXTURE_PASSPHRASE);
	see(v, "that is not it");
	assert_int_equal(journal_lines(f, " applied "), 1);
	type_line(v, NEW_PASSPHRASE);
	see(v, "verified: opens 15 of 15, all values the same");
	/* No file twice. */
	assert_int_equal(journal_lines(f, " applied "), ENVIRONMENTS);
	assert_int_equal(journal_lines(f, " intend "), ENVIRONMENTS);
	fixture_leave(v);
}

/* Of several sessions each can be chosen. */
static void
other_sessions_are_listed(void **state)
{
	struct fixture *f = *state;
	char first[128], other[128];
	struct vt *v;

	make_five(f);
	plan_by_command(f, "five/dev");
	plan_by_command(f, "five/stage");
	v = open_five(f, 24, 80);
	see(v, "is planned, 0 of 1 files, and 1 more: 4");
	vt_key(v, "4");
	see(v, "other sessions");
	vt_key(v, KEY_END);
	see(v, "five/dev.");
	vt_key(v, " ");
	vt_assert_has(v, "there is nothing to tick on this line");
	vt_key(v, KEY_ENTER);
	see(v, "this is the rotation 2");
	vt_key(v, "w");
	see(v, "five/dev");
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_ENTER);
	type_line(v, NEW_PASSPHRASE);
	see(v, "verified: opens 3 of 3");
	salt_of(f, 0, first);
	salt_of(f, 1, other);
	assert_string_not_equal(first, other);
	salt_of(f, 4, other);
	assert_string_equal(first, other);
	/* What is done gives way to what is left. */
	vt_key(v, "Z");
	type_line(v, "rollback");
	see(v, "taken back");
	vt_assert_has(v, "0 of 1");
	vt_assert_lacks(v, "other sessions");
	salt_of(f, 1, other);
	assert_string_equal(first, other);
	fixture_leave(v);
}

static void
taken_back_the_files_are_as_they_were(void **state)
{
	struct fixture *f = *state;
	struct vt *v = plan_five(f);

	apply_all(v);
	vt_key(v, "Z");
	type_line(v, "back");
	vt_assert_has(v, "that is not the word");
	vt_key(v, KEY_ESC);
	vt_key(v, "Z");
	type_line(v, "rollback");
	see(v, "taken back: all files have their old keys");
	vt_assert_has(v, "[plan]");
	assert_values(f, FIXTURE_MASTER_KEY);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
locking_wipes_the_new_passphrase_and_it_goes_on(void **state)
{
	struct fixture *f = *state;
	struct vt *v = plan_five(f);

	vt_key(v, "L");
	vt_assert_has(v, "Locked.");
	vt_key(v, KEY_ENTER);
	if (memory_can_read(vt_pid(v)))
		memory_assert_clean(vt_pid(v), "new passphrase", NEW_PASSPHRASE);
	vt_key(v, "w");
	confirm(v);
	vt_assert_has(v, "New passphrase or key:");
	/* Not known, nothing is changed. */
	vt_key(v, KEY_ESC);
	fixture_assert_unchanged(f);
	vt_key(v, "w");
	confirm(v);
	type_line(v, NEW_PASSPHRASE);
	see(v, "verified: opens 15 of 15, all values the same");
	fixture_leave(v);
}

static void
what_does_not_open_stops_the_plan(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open_unlocked(f);

	vt_key(v, "M");
	vt_key(v, KEY_ENTER);
	see(v, "X 1 does not open");
	vt_assert_has(v, "secrets.properties");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "cannot be rotated");
	vt_key(v, "k");
	vt_key(v, "k");
	vt_assert_has(v, "worker.properties/damaged.password");
	vt_key(v, " ");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "no environment is left");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* What the list has no line for, as it cannot be opened, is none of the rotation. */
static void
what_cannot_be_ticked_is_left_out(void **state)
{
	static const char *const broken[] = {
		"_metadata.symmetric_key.0.length = 32\n_metadata.master_key.0.iterations = x\n",
		"_metadata.master_key.0.salt = c2FsdA==\nbroker.properties/a.password = "
		    "ENC[AES/GCM/NoPadding,data:AAAAAAAAAAAAAAAAAAAAAAAA,iv:AAAAAAAAAAAAAAAA,"
		    "type:str]\n",
	};
	struct fixture *f = *state;
	struct vt *v;

	make_five(f);
	for (int i = 0; i < 2; i++)
		fixture_write(f, path_of(3 + i, "secrets.properties"), broken[i]);
	v = open_five(f, 24, 80);
	vt_key(v, "4");
	vt_key(v, "A");
	vt_assert_has(v, "of 3 environments");
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_PASSPHRASE);
	plan_new_keys(v);
	apply_all(v);
	fixture_leave(v);
	for (int i = 0; i < 2; i++) {
		char *text = fixture_read(f, path_of(3 + i, "secrets.properties"));

		assert_string_equal(text, broken[i]);
		free(text);
	}
}

/* A session may be of other files than those that are open: each question says of which. */
static void
questions_name_the_place_of_the_session(void **state)
{
	static const char *const keys[] = { "w", "Z" };
	struct fixture *f = *state;
	struct vt *v = plan_five(f);
	char place[512];

	fixture_leave(v);
	v = fixture_open(f);
	vt_key(v, "4");
	snprintf(place, sizeof(place), "%s/five", f->dir);
	for (size_t i = 0; i < 2; i++) {
		vt_key(v, keys[i]);
		see(v, place);
		vt_key(v, KEY_ESC);
	}
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
data_key_rotation_seals_everything_again(void **state)
{
	struct fixture *f = *state;
	char *text = mended(f);
	struct vt *v;

	fixture_write(f, "estate/secrets.properties", text);
	free(text);
	v = fixture_open_unlocked(f);
	vt_key(v, "K");
	vt_assert_has(v, "Data key of 1 environment");
	vt_key(v, KEY_ENTER);
	see(v, "every entry opens");
	vt_key(v, KEY_ENTER);
	see(v, "planned, and nothing is changed yet");
	vt_key(v, "P");
	see(v, "broker.properties/ssl.key.password");
	assert_false(vt_sent(v, FIXTURE_BROKER_SECRET));
	vt_key(v, KEY_ESC);
	/* There is no way past what is to be done. */
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "first apply, by w");
	vt_assert_has(v, "[apply]");
	apply_all(v);
	/* No master key is new, so there is none to be shown, or to be given to a host. */
	vt_assert_lacks(v, "new master key");
	vt_assert_has(v, "hosts: 3 steps are open");
	/* Its change is not shown as that of the next one. */
	vt_key(v, "w");
	type_line(v, "finish");
	see(v, "finished: originals");
	vt_key(v, "P");
	see(v, "the change is shown once it is planned");
	fixture_leave(v);
	fixture_assert_not_in_file(f, "estate/secrets.properties", "KKiwzvaLcMu7ngba");
	fixture_assert_not_in_file(f, "estate/secrets.properties", "zj3HcxsoieWQaS5");
	fixture_assert_value(f, "estate/broker.properties", "ssl.key.password",
	    FIXTURE_BROKER_SECRET);
}

static void
different_passphrases_are_asked_again(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	make_five(f);
	v = open_five(f, 24, 80);
	vt_key(v, "M");
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_PASSPHRASE);
	see(v, "every entry opens");
	vt_key(v, KEY_ENTER);
	type_line(v, "kite orbit velvet");
	type_line(v, "velvet orbit kite");
	vt_assert_has(v, "the two were not the same");
	vt_key(v, KEY_ESC);
	/* Given up: nothing was made. */
	vt_assert_has(v, "[keys]");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* Up to the question that takes all back. */
static struct vt *
screens_begin(struct fixture *f)
{
	struct vt *v;

	make_five(f);
	v = open_five(f, 24, 80);
	vt_key(v, "4");
	golden_assert_sizes(v, "rotation-none");
	vt_key(v, "1");
	vt_key(v, "M");
	golden_assert_sizes(v, "rotation-plan");
	vt_key(v, "A");
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_PASSPHRASE);
	see(v, "every entry opens");
	golden_assert_sizes(v, "rotation-keys");
	vt_resize(v, 50, 200);
	vt_assert_has(v, "this step");
	vt_assert_has(v, "opens 3 of 3");
	vt_resize(v, 24, 80);
	plan_new_keys(v);
	golden_assert_sizes(v, "rotation-apply");
	vt_key(v, "w");
	see(v, "Rotate now");
	golden_assert_sizes(v, "rotation-apply-question");
	vt_key(v, KEY_ESC);
	apply_all(v);
	golden_assert_sizes(v, "rotation-hosts");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[verify]");
	golden_assert_sizes(v, "rotation-verify");
	vt_key(v, "Z");
	see(v, "Type rollback");
	golden_assert_sizes(v, "rotation-back-question");
	vt_key(v, KEY_ESC);
	return v;
}

/* On to the new key. */
static struct vt *
screens_key(struct fixture *f)
{
	struct vt *v = screens_begin(f);

	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_HOME);
	vt_key(v, "j");
	vt_key(v, KEY_ENTER);
	see(v, "Save this key now");
	return v;
}

/* The questions on the way: a weak passphrase, and values that were changed meanwhile. */
static void
screens_of_questions(void **state)
{
	struct vt *v;

	make_five(*state);
	v = open_five(*state, 24, 80);
	vt_key(v, "M");
	vt_key(v, "A");
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_PASSPHRASE);
	see(v, "every entry opens");
	vt_key(v, KEY_ENTER);
	type_line(v, "short");
	see(v, "Type weak");
	golden_assert_sizes(v, "rotation-weak");
	type_line(v, "weak");
	type_line(v, "short");
	see(v, "planned, and nothing is changed yet");
	apply_all(v);
	vt_key(v, KEY_ESC);
	see(v, "[verify]");
	vt_key(v, KEY_HOME);
	vt_key(v, "j");
	vt_key(v, "a");
	see(v, "Accept the values");
	golden_assert_sizes(v, "rotation-accept");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
}

/* Without a second screen it is not drawn, and goes to a file. */
static void
screens_without_a_key(void **state)
{
	struct fixture *f = *state;
	char path[256];
	struct vt *v;

	if (f->term == NULL)
		f->term = "linux";
	v = screens_key(f);
	golden_assert_sizes(v, "rotation-key-unseen");
	vt_key(v, KEY_ENTER);
	golden_assert_sizes(v, "rotation-key-proof-unseen");
	vt_key(v, KEY_ESC);
	vt_key(v, "o");
	vt_key(v, "\025");
	snprintf(path, sizeof(path), "%s/new-key", f->dir);
	type_line(v, path);
	see(v, "mode 0600");
	vt_key(v, KEY_ESC);
	fixture_leave(v);
	assert_int_equal(unlink(path), 0);
}

/* A new key is drawn where there is a second screen. */
static void
screens_to_the_end(void **state)
{
	struct vt *v = screens_key(*state);

	/* The gauge of its time goes on: masked. */
	vt_resize(v, 24, 81);
	vt_resize(v, 24, 80);
	golden_assert_sizes(v, "rotation-key");
	vt_key(v, "r");
	vt_key(v, KEY_ENTER);
	golden_assert_sizes(v, "rotation-key-proof");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	free(prove_new_key(v));
	vt_type(v, "jj");
	vt_key(v, KEY_ENTER);
	see(v, "[finish]");
	golden_assert_sizes(v, "rotation-finish");
	vt_key(v, "w");
	see(v, "Type finish");
	golden_assert_sizes(v, "rotation-finish-question");
	type_line(v, "finish");
	see(v, "finished: originals");
	golden_assert_sizes(v, "rotation-finished");
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(five_with_a_common_key_take_ten_keys),
		FIXTURE_TEST(ticks_of_long_paths_are_apart),
		FIXTURE_TEST(each_its_own_key_and_one_left_out),
		FIXTURE_TEST(what_was_changed_on_purpose_is_accepted),
		FIXTURE_TEST(what_does_not_open_any_more_is_told_once),
		FIXTURE_TEST(rows_change_as_files_finish),
		FIXTURE_TEST(after_a_kill_three_keys_go_on),
		FIXTURE_TEST(other_sessions_are_listed),
		FIXTURE_TEST(taken_back_the_files_are_as_they_were),
		FIXTURE_TEST(locking_wipes_the_new_passphrase_and_it_goes_on),
		FIXTURE_TEST(what_does_not_open_stops_the_plan),
		FIXTURE_TEST(what_cannot_be_ticked_is_left_out),
		FIXTURE_TEST(questions_name_the_place_of_the_session),
		FIXTURE_TEST(data_key_rotation_seals_everything_again),
		FIXTURE_TEST(different_passphrases_are_asked_again),
		FIXTURE_TEST(screens_to_the_end),
		FIXTURE_TERM(screens_to_the_end, "screen"),
		FIXTURE_TERM(screens_to_the_end, "tmux"),
		FIXTURE_TEST(screens_of_questions),
		FIXTURE_TERMS(screens_of_questions),
		FIXTURE_TEST(screens_without_a_key),
		FIXTURE_TERM(screens_without_a_key, "vt100"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

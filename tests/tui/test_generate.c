/* The first secrets file of an estate, and its first value. */
#include <sys/inotify.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "golden.h"
#include "memory.h"
#include "steps.h"

static const char secrets[] = "fresh/secrets.properties";
static const char client[] = "fresh/client.properties";

#define REMOTE "/etc/kafka/secrets.properties"

static struct vt *
open_fresh(struct fixture *f, int rows, int cols)
{
	struct fixture_start s = { .rows = rows, .cols = cols, .args = { "fresh",
		"--remote-secrets-file", REMOTE } };

	return fixture_run(f, &s);
}

/* The key stands in the first rows of the step; its length says when it is whole. */
static char *
key_shown(struct vt *v, int row)
{
	char line[256];
	char key[64] = "";

	for (; strlen(key) < 44 && row < vt_rows(v); row++) {
		vt_row(v, row, line, sizeof(line));
		line[strcspn(line + strspn(line, " "), " ") + strspn(line, " ")] = '\0';
		strncat(key, line + strspn(line, " "), sizeof(key) - strlen(key) - 1);
	}
	assert_int_equal(strlen(key), 44);
	return strdup(key);
}

/* From the list of files to the step "environment". */
static void
begin(struct vt *v)
{
	vt_key(v, "G");
	vt_key(v, KEY_ENTER);
}

/* Type another text into a field. */
static void
retype(struct vt *v, const char *text)
{
	char key[4];

	vt_key(v, "\025");
	/* A character is one key, of any number of bytes. */
	for (size_t i = 0, n; text[i] != '\0'; i += n) {
		for (n = 1; ((unsigned char)text[i + n] & 0xc0) == 0x80; n++)
			;
		snprintf(key, sizeof(key), "%.*s", (int)n, text + i);
		vt_key(v, key);
	}
}

/* From the screen with the key back out of the wizard. */
static void
leave_from_the_key(struct vt *v)
{
	for (int step = 0; step < 4; step++)
		vt_key(v, KEY_ESC);
	vt_assert_has(v, "no secrets file");
}

/* From the step "passphrase" out of the wizard and the program. */
static void
give_up(struct fixture *f, struct vt *v)
{
	for (int step = 0; step < 3; step++)
		vt_key(v, KEY_ESC);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
refuse_the_first_value(struct vt *v)
{
	see(v, "Seal the first value");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "Not sealed: ssl.key.password");
}

/* From the step "environment" to the screen with the key. */
static char *
go_to_the_key(struct vt *v)
{
	vt_assert_has(v, secrets);
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	see(v, "Save this key now");
	return key_shown(v, 3);
}

/* The same where no key is drawn: it is in the file that it was written to. */
static char *
go_to_the_key_unseen(struct fixture *f, struct vt *v)
{
	char path[256], *key;

	vt_assert_has(v, secrets);
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	see(v, "not drawn here");
	vt_type(v, "o\025");
	snprintf(path, sizeof(path), "%s/unseen", f->dir);
	type_line(v, path);
	see(v, "mode 0600");
	key = fixture_read(f, "unseen");
	assert_non_null(key);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(strlen(key), 45);
	key[44] = '\0';
	return key;
}

/* It is masked, and its last four characters are typed. */
static void
prove(struct vt *v, const char *key)
{
	vt_key(v, KEY_ENTER);
	vt_assert_lacks(v, key);
	vt_type(v, key + 40);
}

static void
assert_private(struct fixture *f, const char *name)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
assert_opens(struct fixture *f, const char *key)
{
	char *value = fixture_decrypt(f, client, secrets, "ssl.key.password", key);

	assert_non_null(value);
	assert_string_equal(value, FIXTURE_CLIENT_SECRET);
	free(value);
	fixture_assert_not_in_file(f, client, FIXTURE_CLIENT_SECRET);
	fixture_assert_in_file(f, client, "${securepass:" REMOTE ":client.properties/"
	    "ssl.key.password}");
}

static void
from_nothing_to_a_sealed_value(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .folder = "fresh" };
	struct vt *v;
	char *key, *value;
	int i;

	/* Nothing is named, and nothing was ever sealed: it opens by itself. */
	v = fixture_run(f, &s);
	see(v, "nothing is written yet");
	golden_assert(v, "wizard-80x24");
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_ENTER);
	vt_type(v, FIXTURE_NEW_PASSPHRASE);
	vt_key(v, KEY_ENTER);
	vt_type(v, FIXTURE_NEW_PASSPHRASE);
	vt_key(v, KEY_ENTER);
	see(v, "Save this key now");
	key = key_shown(v, 3);
	fixture_assert_unchanged(f);
	vt_key(v, KEY_ENTER);
	for (i = 40; i < 44; i++) {
		fixture_assert_unchanged(f);
		vt_type(v, (char [2]){ key[i], '\0' });
	}
	see(v, "Seal the first value");
	assert_private(f, secrets);
	fixture_assert_in_file(f, client, FIXTURE_CLIENT_SECRET);
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_ENTER);
	see(v, "Sealed, read back and opened: ssl.key.password");
	vt_assert_has(v, "propseal.master-key");
	vt_assert_has(v, "kubectl create secret");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "1S");
	if (memory_can_read(vt_pid(v))) {
		memory_assert_clean(vt_pid(v), "master key", key);
		memory_assert_clean(vt_pid(v), "passphrase", FIXTURE_NEW_PASSPHRASE);
	}
	fixture_quit(v);
	assert_null(strstr(vt_scrollback(v), key));
	vt_free(v);
	fixture_assert_in_file(f, secrets, "iterations = 220000");
	value = fixture_decrypt(f, client, secrets, "ssl.key.password", key);
	assert_string_equal(value, FIXTURE_CLIENT_SECRET);
	free(value);
	free(key);
	/* The next time it does not come by itself. */
	v = fixture_run(f, &s);
	vt_settle(v);
	vt_assert_lacks(v, "nothing is written yet");
	fixture_leave(v);
}

static void
back_keeps_what_was_typed_and_throws_the_key_away(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_fresh(f, 24, 80);
	char *first, *second;

	vt_key(v, "G");
	vt_assert_has(v, "[what]");
	vt_key(v, KEY_ENTER);
	golden_assert(v, "wizard-environment-80x24");
	vt_key(v, KEY_TAB);
	retype(v, "/opt/other.properties");
	vt_key(v, KEY_ENTER);
	vt_type(v, "short");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "type the word weak");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "another one, then");
	vt_key(v, "\025");
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	type_line(v, "not the same one");
	vt_assert_has(v, "the two were not the same");
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	see(v, "Save this key now");
	first = key_shown(v, 3);
	/* A wrong end is told, and Esc shows the key again. */
	vt_key(v, KEY_ENTER);
	vt_type(v, "nope");
	vt_assert_has(v, "these are not its last 4 characters");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, first);
	vt_resize(v, 20, 70);
	vt_assert_lacks(v, first);
	vt_assert_has(v, "masked");
	vt_key(v, "r");
	vt_assert_has(v, first);
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "[passphrase]");
	vt_assert_lacks(v, first);
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "/opt/other.properties");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "what");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "/opt/other.properties");
	vt_key(v, KEY_ENTER);
	/* The passphrase is there still, and another salt makes another key. */
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_ENTER);
	see(v, "Save this key now");
	second = key_shown(v, 3);
	assert_string_not_equal(first, second);
	leave_from_the_key(v);
	vt_assert_lacks(v, "nothing is written yet");
	fixture_leave(v);
	fixture_assert_unchanged(f);
	free(first);
	free(second);
}

/* Neither a blank nor a weak passphrase gets past the question when Tab leads to the
 * second field. */
static void
tab_leads_past_no_question(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_fresh(f, 24, 80);

	begin(v);
	vt_assert_has(v, secrets);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "[passphrase]");
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "a blank passphrase protects nothing");
	vt_type(v, "short");
	vt_key(v, KEY_TAB);
	vt_type(v, "short");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "type the word weak");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "another one, then");
	/* Nor is what was agreed to changed behind it. */
	retype(v, FIXTURE_NEW_PASSPHRASE);
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_TAB);
	retype(v, "short");
	vt_key(v, KEY_TAB);
	retype(v, "short");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "type the word weak");
	vt_key(v, KEY_ESC);
	/* A good one is not asked for twice. */
	retype(v, FIXTURE_NEW_PASSPHRASE);
	vt_key(v, KEY_TAB);
	vt_key(v, "\025");
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	see(v, "Save this key now");
	leave_from_the_key(v);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* From the secrets file to the field of the name. */
static void
name_it(struct vt *v, const char *name)
{
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_TAB);
	vt_assert_has(v, "It is called as its folder");
	retype(v, name);
}

static void
remove_file(struct fixture *f, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(unlink(path), 0);
}

/* A name of its own stands in a propseal.ini, behind what is there, and is there at once. */
static void
environment_gets_a_name_of_its_own(void **state)
{
	static const char before[] = "# of this host\n[ui]\nreveal-seconds = 7";
	static const char after[] = "\n\n[environment prod-eu]\n"
	    "secrets-file = secrets.properties\nremote-path = " REMOTE "\n";
	struct fixture *f = *state;
	struct vt *v;
	char *key, *ini;

	for (int there = 0; there < 2; there++) {
		fixture_write(f, client, "bootstrap.servers=localhost:9092\n"
		    "ssl.key.password=" FIXTURE_CLIENT_SECRET "\n");
		if (there > 0) {
			remove_file(f, secrets);
			fixture_write(f, "fresh/propseal.ini", before);
		}
		v = open_fresh(f, 24, 80);
		begin(v);
		name_it(v, "prod-eu");
		vt_assert_has(v, "This name goes into the nearest propseal.ini");
		if (there == 0)
			golden_assert_sizes(v, "wizard-name");
		key = go_to_the_key(v);
		assert_false(there == 0 && fixture_is_in_file(f, "fresh/propseal.ini", "prod"));
		prove(v, key);
		see(v, "Seal the first value");
		confirm(v);
		see(v, "what now");
		vt_key(v, KEY_ENTER);
		vt_assert_has(v, "prod-eu");
		vt_assert_has(v, "unlocked");
		fixture_leave(v);
		assert_opens(f, key);
		free(key);
		fixture_assert_in_file(f, f->trail, "fresh/propseal.ini\",\"role\":\"output\",");
		fixture_assert_in_file(f, f->trail, "\"keys\":[\"environment prod-eu\"]");
		ini = fixture_read(f, "fresh/propseal.ini");
		assert_non_null(ini);
		if (there > 0)
			assert_memory_equal(ini, before, sizeof(before) - 1);
		assert_string_equal(ini + (there > 0 ? sizeof(before) - 1 : 0),
		    after + (there > 0 ? 0 : 2));
		free(ini);
		/* The next start reads it. */
		v = open_fresh(f, 24, 80);
		vt_settle(v);
		vt_assert_has(v, "prod-eu");
		fixture_leave(v);
	}
}

/* Wait until the program opens the file ${name} in the folder that is watched. */
static void
await_open(int watch, const char *name)
{
	union {
		struct inotify_event first;
		char bytes[4096];
	} all;
	const struct inotify_event *e;
	ssize_t n;

	do {
		n = read(watch, all.bytes, sizeof(all.bytes));
		assert_true(n > 0);
		for (const char *p = all.bytes; p < all.bytes + n; p += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)(const void *)p;
			if (e->len > 0 && strcmp(e->name, name) == 0)
				return;
		}
	} while (true);
}

/* Another program holds the lock, and writes the file before it lets go. */
static void
a_name_stands_behind_what_came_meanwhile(void **state)
{
	static const char lock_name[] = ".propseal.ini.propseal-lock";
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct fixture *f = *state;
	int held, watch = inotify_init1(IN_CLOEXEC);
	char path[512], *key;
	struct vt *v;

	fixture_write(f, "fresh/propseal.ini", "# early\n");
	snprintf(path, sizeof(path), "%s/fresh/%s", f->dir, lock_name);
	held = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(held >= 0 && watch >= 0);
	assert_int_equal(fcntl(held, F_OFD_SETLK, &lock), 0);
	v = open_fresh(f, 24, 80);
	begin(v);
	name_it(v, "prod-eu");
	key = go_to_the_key(v);
	*strrchr(path, '/') = '\0';
	assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
	vt_key(v, KEY_ENTER);
	vt_send(v, key + 40);
	await_open(watch, lock_name);
	fixture_write(f, "fresh/propseal.ini", "# early\n[ui]\nreveal-seconds = 7\n");
	close(held);
	close(watch);
	vt_wait_text(v, "Seal the first value", true);
	vt_hang_up(v);
	(void)vt_wait_exit(v);
	vt_free(v);
	free(key);
	fixture_assert_in_file(f, "fresh/propseal.ini", "reveal-seconds = 7\n\n[environment ");
}

/* What a pattern would read in another way: its files are those of the folder all the same. */
static void
environment_takes_the_files_of_an_odd_folder(void **state)
{
	struct fixture *f = *state;
	struct vt *v;
	char path[512], *key, *other;

	remove_file(f, client);
	snprintf(path, sizeof(path), "%s/fresh/a,b [1]", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	fixture_write(f, "fresh/a,b [1]/x.properties", "ssl.key.password=" FIXTURE_CLIENT_SECRET
	    "\n");
	/* Beside other environments it is the folder's. */
	other = fixture_read(f, "estate/secrets.properties");
	assert_non_null(other);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/fresh/%c", f->dir, 'b' + (int)i);
		assert_int_equal(mkdir(path, 0755), 0);
		snprintf(path, sizeof(path), "fresh/%c/secrets.properties", 'b' + (int)i);
		fixture_write(f, path, other);
	}
	free(other);
	v = open_fresh(f, 24, 80);
	type_line(v, "/x.prop");
	vt_key(v, "G");
	name_it(v, "odd");
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	see(v, "Save this key now");
	key = key_shown(v, 3);
	prove(v, key);
	free(key);
	see(v, "Seal the first value");
	confirm(v);
	see(v, "what now");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	fixture_assert_in_file(f, "fresh/propseal.ini", "files = a?b??1?/\n");
	v = open_fresh(f, 24, 80);
	vt_settle(v);
	vt_assert_has(v, "odd");
	vt_assert_lacks(v, "unknown");
	vt_assert_has(v, "1 sealed");
	fixture_leave(v);
}

static void
name_that_cannot_be_written_is_refused_before(void **state)
{
	static const char ini[] = "[environment taken]\nsecrets-file = other.properties\n"
	    "files = other/\n";
	char name[301] = "";
	const char *const odd[] = { name, "a\xc2\x85" "b", "pro\xe2\x80\xae" "d", "b # c" };
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "fresh/propseal.ini", ini);
	fixture_keep(f);
	v = open_fresh(f, 24, 80);
	begin(v);
	name_it(v, "a]b");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "this name cannot stand in propseal.ini");
	retype(v, "taken");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "there is an environment of this name");
	/* What would make the file one that nobody can read, or that reads as another name. */
	memset(name, 'n', sizeof(name) - 1);
	for (size_t i = 0; i < 4; i++) {
		retype(v, odd[i]);
		vt_key(v, KEY_ENTER);
		vt_assert_has(v, i == 0 ? "name or path is too long for propseal.ini" :
		    "this name cannot stand in propseal.ini");
	}
	/* That of its folder is none that is written. */
	retype(v, ".");
	vt_assert_has(v, "It is called as its folder");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "[passphrase]");
	give_up(f, v);
}

/* Who types on while the button has the focus opens nothing that would show the rest. */
static void
passphrase_goes_nowhere_while_the_button_has_the_focus(void **state)
{
	struct vt *v = open_fresh(*state, 24, 80);

	begin(v);
	vt_assert_has(v, secrets);
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_TAB);
	vt_type(v, "a:kite-canary?");
	vt_assert_has(v, "[passphrase]");
	assert_false(vt_sent(v, "kite"));
	give_up(*state, v);
}

/* What is marked waits meanwhile, and goes to where the wizard said. */
static void
sealing_without_a_secrets_file_makes_one(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_fresh(f, 24, 80);
	char *key;

	vt_settle(v);
	golden_assert(v, "fresh-80x24");
	vt_type(v, "apP");
	vt_assert_has(v, "No secrets file");
	confirm(v);
	key = go_to_the_key(v);
	prove(v, key);
	see(v, "Seal 1 value in 1 file");
	apply(v);
	vt_assert_has(v, "sealed 1 value in 1 file");
	fixture_leave(v);
	assert_opens(f, key);
	fixture_assert_in_file(f, secrets, "_propseal.remote.0 = " REMOTE);
	free(key);
}

static void
first_value_can_be_left_for_later(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_fresh(f, 24, 80);
	char *key;

	begin(v);
	key = go_to_the_key(v);
	prove(v, key);
	refuse_the_first_value(v);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "Copy the secrets file to " REMOTE);
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_assert_lacks(v, "marked");
	vt_assert_has(v, "open");
	fixture_leave(v);
	assert_private(f, secrets);
	fixture_assert_in_file(f, client, FIXTURE_CLIENT_SECRET);
	free(key);
}

/* Who says no to the first value keeps the marks that were there before. */
static void
marks_of_before_outlast_a_no(void **state)
{
	struct fixture *f = *state;
	struct vt *v;
	char *key;

	fixture_write(f, client, "ssl.key.password=" FIXTURE_CLIENT_SECRET "\n"
	    "sasl.password=another-clear-Kx52\n");
	v = open_fresh(f, 24, 80);
	vt_key(v, "A");
	see(v, "2 marked");
	begin(v);
	key = go_to_the_key(v);
	prove(v, key);
	refuse_the_first_value(v);
	vt_key(v, KEY_ESC);
	see(v, "2 marked");
	vt_key(v, "u");
	fixture_leave(v);
	free(key);
}

/* The first digits of the SHA-256 of 16 characters. */
static void
check_letters(const char *part, char sum[4])
{
	char command[128];
	FILE *p;

	memset(sum, 0, 4);
	snprintf(command, sizeof(command), "printf %%s '%.16s' | sha256sum", part);
	p = popen(command, "r");
	assert_non_null(p);
	assert_int_equal(fread(sum, 1, 3, p), 3);
	while (fgetc(p) != EOF)
		;
	assert_int_equal(pclose(p), 0);
}

/* Each line has 16 characters of the key, and the first digits of their SHA-256 as a check. */
static void
key_is_shown_as_lines_to_write_down(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_fresh(f, 24, 80);
	char *key;
	size_t i;

	begin(v);
	key = go_to_the_key(v);
	vt_key(v, "v");
	vt_assert_lacks(v, key);
	for (i = 0; i < 3; i++) {
		const char *k = key + 16 * i;
		char sum[4], line[64];

		check_letters(k, sum);
		snprintf(line, sizeof(line), "%zu  %.4s %.4s %.4s %4.4s  %s", i + 1, k, k + 4,
		    k + 8, i < 2 ? k + 12 : "", sum);
		vt_assert_has(v, line);
	}
	/* It goes back and forth, and nothing of it stays. */
	vt_key(v, "v");
	vt_assert_has(v, key);
	vt_key(v, "v");
	vt_assert_lacks(v, key);
	vt_key(v, "r");
	vt_assert_has(v, key);
	vt_key(v, "v");
	vt_resize(v, 24, 24);
	vt_key(v, "v");
	vt_assert_lacks(v, "make it larger");
	vt_resize(v, 24, 80);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "last 4 characters:");
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_key(v, KEY_ESC);
	vt_settle(v);
	if (memory_can_read(vt_pid(v))) {
		char line[32];

		memory_assert_clean(vt_pid(v), "master key", key);
		snprintf(line, sizeof(line), "%.4s %.4s %.4s", key, key + 4, key + 8);
		memory_assert_clean(vt_pid(v), "a line of the key", line);
	}
	vt_free(v);
	free(key);
}

static void
key_is_pasted_whole_as_a_proof(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_fresh(f, 24, 80);
	char *key;
	char text[128];

	begin(v);
	key = go_to_the_key(v);
	vt_key(v, "y");
	vt_assert_has(v, "copied: cleared in 45 s");
	vt_key(v, KEY_ENTER);
	snprintf(text, sizeof(text), "\033[200~%.20s\033[201~", key);
	vt_key(v, text);
	vt_assert_has(v, "these are not its last 4 characters");
	fixture_assert_unchanged(f);
	snprintf(text, sizeof(text), "\033[200~%s\r\033[201~", key);
	vt_key(v, text);
	see(v, "Seal the first value");
	confirm(v);
	see(v, "Sealed, read back");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	assert_opens(f, key);
	free(key);
}

/* On a terminal without a second screen the key goes to a file, and is never drawn. */
static void
key_goes_to_a_file_where_it_cannot_be_drawn(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .term = "vt100", .args = { "fresh", "--remote-secrets-file",
		REMOTE } };
	struct vt *v = fixture_run(f, &s);
	char *key;

	vt_key(v, "G");
	vt_assert_has(v, "This terminal has no second screen");
	vt_key(v, KEY_ENTER);
	vt_key(v, KEY_ENTER);
	/* One that nobody would ever see is not made. */
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "nobody would know it: type one");
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	see(v, "not drawn here: o writes it to a file");
	/* What cannot be done is not offered. */
	vt_assert_has(v, "Enter next  Esc back  o to a file  F1 help");
	vt_assert_lacks(v, "copies it");
	vt_key(v, "v");
	vt_assert_has(v, "not here: this terminal has no second screen");
	vt_key(v, "y");
	vt_assert_has(v, "not copied");
	assert_false(vt_sent(v, "\033]52;"));
	vt_key(v, "o");
	vt_key(v, "\025");
	type_line(v, "the-key");
	vt_assert_has(v, "written to the-key, mode 0600");
	assert_private(f, "the-key");
	key = fixture_read(f, "the-key");
	assert_int_equal(strlen(key), 45);
	key[44] = '\0';
	prove(v, key);
	see(v, "Seal the first value");
	confirm(v);
	see(v, "Sealed, read back");
	vt_key(v, KEY_ENTER);
	fixture_quit(v);
	assert_false(vt_sent(v, key));
	vt_free(v);
	assert_opens(f, key);
	free(key);
}

/* In two rows each where they are narrow, and one after the other where they are few. */
static void
lines_of_the_key_fit_the_smallest_screen(void **state)
{
	static const int rows[] = { 5, 24 };
	struct fixture *f = *state;

	for (size_t n = 0; n < 2; n++) {
		struct vt *v = open_fresh(f, rows[n], 20);
		char *key;

		begin(v);
		vt_key(v, KEY_ENTER);
		type_line(v, FIXTURE_NEW_PASSPHRASE);
		type_line(v, FIXTURE_NEW_PASSPHRASE);
		vt_wait_text(v, "passphrase", false);
		key = key_shown(v, n == 0 ? 1 : 3);
		for (size_t i = 0; i < 3; i++) {
			const char *k = key + 16 * i;
			char sum[4], line[64];

			if (n == 0 || i == 0)
				vt_key(v, "v");
			check_letters(k, sum);
			snprintf(line, sizeof(line), "%zu %.4s %.4s", i + 1, k, k + 4);
			vt_assert_has(v, line);
			snprintf(line, sizeof(line), "  %.4s %4.4s  %s", k + 8,
			    i < 2 ? k + 12 : "", sum);
			vt_assert_has(v, line);
			if (n == 0)
				vt_assert_has(v, i == 0 ? "1 of 3: v goes on" : i == 1 ?
				    "2 of 3: v goes on" : "3 of 3: v goes on");
		}
		vt_key(v, "v");
		vt_assert_lacks(v, "1 ");
		vt_key(v, "v");
		vt_assert_has(v, "1 ");
		for (int step = 0; step < 4; step++)
			vt_key(v, KEY_ESC);
		fixture_leave(v);
		free(key);
	}
	fixture_assert_unchanged(f);
}

static void
works_on_the_smallest_screen(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_fresh(f, 5, 20);
	char *key;

	begin(v);
	golden_assert(v, "wizard-20x5");
	vt_key(v, KEY_TAB);
	vt_assert_has(v, "remote path");
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	vt_wait_text(v, "passphrase", false);
	key = key_shown(v, 1);
	prove(v, key);
	see(v, "[Cancel]");
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_ENTER);
	see(v, "Sealed");
	/* What does not fit is scrolled to. */
	vt_assert_lacks(v, "teaches");
	for (int page = 0; page < 40 && !vt_has(v, "the rest."); page++)
		vt_key(v, "\033[6~");
	vt_assert_has(v, "the rest.");
	vt_key(v, KEY_DOWN);
	vt_assert_has(v, "the rest.");
	vt_key(v, KEY_UP);
	vt_assert_lacks(v, "the rest.");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	assert_opens(f, key);
	free(key);
}

/* From the smallest to more than any screen has, and one that is too small for anything. */
static void
resize_through(struct vt *v, const char *part)
{
	static const int sizes[][2] = { { 5, 20 }, { 1, 1 }, { 8, 40 }, { 10, 50 }, { 40, 120 },
		{ 100, 300 }, { 24, 80 } };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		vt_resize(v, sizes[i][0], sizes[i][1]);
		if (sizes[i][0] > 1)
			vt_assert_has(v, sizes[i][1] >= 40 ? part : "New secrets file");
		else
			vt_assert_lacks(v, part);
	}
}

static void
every_step_is_there_at_every_size(void **state)
{
	static const char *const terms[] = { "xterm-256color", "linux", "vt100", "screen",
		"tmux-256color" };
	struct fixture *f = *state;
	struct fixture_start s = { .args = { "fresh", "--remote-secrets-file", REMOTE } };
	struct vt *v;
	size_t i;

	for (i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		s.term = terms[i];
		v = fixture_run(f, &s);
		vt_settle(v);
		vt_key(v, "G");
		resize_through(v, "Secrets of");
		vt_key(v, KEY_ENTER);
		resize_through(v, "secrets file");
		vt_key(v, KEY_ENTER);
		vt_type(v, FIXTURE_NEW_PASSPHRASE);
		resize_through(v, "passphrase");
		vt_key(v, KEY_ENTER);
		vt_type(v, FIXTURE_NEW_PASSPHRASE);
		resize_through(v, "once more");
		vt_key(v, KEY_ENTER);
		see(v, "Save this key now");
		/* Each of them masks it. */
		resize_through(v, "Save this key now");
		vt_assert_has(v, i == 1 || i == 2 ? "not drawn here" : "masked");
		vt_key(v, KEY_ENTER);
		resize_through(v, "ast 4");
		for (int back = 0; back < 5; back++)
			vt_key(v, KEY_ESC);
		vt_assert_lacks(v, "New secrets file");
		fixture_leave(v);
	}
	fixture_assert_unchanged(f);
}

/* The steps behind the key, which is written by then: how they look. */
static void
screens(void **state)
{
	static const char *const terms[] = { "xterm-256color", "xterm", "screen", "tmux",
		"linux", "vt100" };
	static const char *const names[] = { "wizard-first", "wizard-refused", "wizard-now" };
	struct fixture *f = *state;
	char name[64];

	for (size_t t = 0; t < 6; t++) {
		struct fixture_start s = { .term = terms[t], .args = { "fresh",
			"--remote-secrets-file", REMOTE } };
		struct vt *v = fixture_run(f, &s);
		char path[512], *key;

		begin(v);
		key = t < 4 ? go_to_the_key(v) : go_to_the_key_unseen(f, v);
		prove(v, key);
		free(key);
		see(v, "Seal the first value");
		for (size_t n = 0; n < 3; n++) {
			snprintf(name, sizeof(name), "%s-80x24", names[n]);
			if (t == 0)
				golden_assert_sizes(v, names[n]);
			else
				golden_assert_text(v, name);
			if (n == 0)
				refuse_the_first_value(v);
			else if (n == 1)
				vt_key(v, KEY_ENTER);
		}
		vt_key(v, KEY_ESC);
		vt_key(v, KEY_ESC);
		fixture_leave(v);
		snprintf(path, sizeof(path), "%s/%s", f->dir, secrets);
		assert_int_equal(unlink(path), 0);
	}
}

static void
existing_secrets_file_is_not_made_again(void **state)
{
	struct fixture *f = *state;
	struct vt *v = fixture_open(f);

	vt_key(v, "G");
	vt_assert_has(v, "the secrets file has its master key");
	fixture_leave(v);
	v = open_fresh(f, 24, 80);
	begin(v);
	vt_key(v, "\025");
	type_line(v, "no-such-folder/secrets.properties");
	vt_assert_has(v, "[environment]");
	vt_key(v, "\025");
	type_line(v, "estate/secrets.properties");
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	see(v, "cannot be made");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "[passphrase]");
	give_up(f, v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(from_nothing_to_a_sealed_value),
		FIXTURE_TEST(back_keeps_what_was_typed_and_throws_the_key_away),
		FIXTURE_TEST(tab_leads_past_no_question),
		FIXTURE_TEST(environment_gets_a_name_of_its_own),
		FIXTURE_TEST(a_name_stands_behind_what_came_meanwhile),
		FIXTURE_TEST(environment_takes_the_files_of_an_odd_folder),
		FIXTURE_TEST(name_that_cannot_be_written_is_refused_before),
		FIXTURE_TEST(passphrase_goes_nowhere_while_the_button_has_the_focus),
		FIXTURE_TEST(sealing_without_a_secrets_file_makes_one),
		FIXTURE_TEST(first_value_can_be_left_for_later),
		FIXTURE_TEST(marks_of_before_outlast_a_no),
		FIXTURE_TEST(key_is_shown_as_lines_to_write_down),
		FIXTURE_TEST(key_is_pasted_whole_as_a_proof),
		FIXTURE_TEST(key_goes_to_a_file_where_it_cannot_be_drawn),
		FIXTURE_TEST(lines_of_the_key_fit_the_smallest_screen),
		FIXTURE_TEST(works_on_the_smallest_screen),
		FIXTURE_TEST(every_step_is_there_at_every_size),
		FIXTURE_TEST(existing_secrets_file_is_not_made_again),
		FIXTURE_TEST(screens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

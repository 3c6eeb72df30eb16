/* Five folders, each with its own secrets file, key and remote path, and the
 * same configuration and key names: what is done in one is done there only. */
#include "golden.h"
#include "steps.h"

#define COUNT 5
#define SASL_NAME "a.properties/sasl.password"

static char keys[COUNT][64];

static const char *
path_of(int i, const char *name)
{
	static char path[4][64];
	static size_t next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "five/c%d/%s", i, name);
	return p;
}

/* Run the program's own commands in the fixture's folder. */
static void
shell(struct fixture *f, const char *fmt, int i)
{
	char command[1024], line[8192];

	snprintf(command, sizeof(command), fmt, i, i, i, i, i);
	snprintf(line, sizeof(line), "cd %s && P=%s && { %s; } </dev/null >out 2>&1", f->dir,
	    f->program, command);
	if (system(line) != 0)
		fail_msg("%s", line);
}

static void
read_key(struct fixture *f, int i)
{
	char name[16];
	char *text;

	snprintf(name, sizeof(name), "key%d", i);
	text = fixture_read(f, name);
	assert_non_null(text);
	snprintf(keys[i - 1], sizeof(keys[0]), "%.44s", text);
	free(text);
}

static int
five_setup(void **state)
{
	struct fixture *f;
	int i;

	assert_int_equal(fixture_setup(state), 0);
	f = *state;
	for (i = 1; i <= COUNT; i++) {
		shell(f, "mkdir -p five/c%d && cd five/c%d && printf 'ssl.key.password=value-%d-a\n"
		    "sasl.password=value-%d-b\nssl.truststore.password=clear-%d\n' >a.properties",
		    i);
		shell(f, "$P master-key generate --local-secrets-file five/c%d/secrets.properties "
		    "--passphrase @key | grep -oE '[A-Za-z0-9+/]{43}=' | head -n 1 >key%d", i);
		read_key(f, i);
		shell(f, "$P file encrypt --config-file five/c%d/a.properties --local-secrets-file "
		    "five/c%d/secrets.properties --remote-secrets-file /etc/c%d/secrets.properties "
		    "--config ssl.key.password,sasl.password --master-key-file key%d", i);
	}
	shell(f, "rm -f out && chmod 600 five/c%d/*", 1);
	fixture_keep(f);
	return 0;
}

#define FIVE_TERM(name, type) \
	{ #name " on " type, name, five_setup, fixture_teardown, (void *)type }
#define FIVE_TERMS(name) \
	FIVE_TERM(name, "screen"), FIVE_TERM(name, "tmux"), FIVE_TERM(name, "linux"), \
	FIVE_TERM(name, "vt100")
#define FIVE_TEST(name) cmocka_unit_test_setup_teardown(name, five_setup, fixture_teardown)

static struct vt *
open_five(struct fixture *f)
{
	struct fixture_start s = { .args = { "five" } };
	struct vt *v = fixture_run(f, &s);

	vt_settle(v);
	return v;
}

/* Put the cursor on a key in folder ${i}. */
static void
go_to(struct vt *v, int i, const char *key, const char *place)
{
	char name[32];

	vt_type(v, "-");
	snprintf(name, sizeof(name), "/c%d", i);
	vt_key(v, KEY_HOME);
	type_line(v, name);
	vt_key(v, "j");
	vt_key(v, KEY_RIGHT);
	vt_key(v, "/");
	type_line(v, key);
	snprintf(name, sizeof(name), " c%d" INTO "a", i);
	vt_assert_has(v, name);
	vt_assert_has(v, place);
}

static void
unlock(struct vt *v, int i)
{
	vt_key(v, "U");
	type_line(v, keys[i - 1]);
	vt_assert_has(v, "unlocked: keys of");
}

/* The value in folder ${i}, by its own secrets file and key. */
static void
assert_value(struct fixture *f, int i, const char *key, const char *value)
{
	char *got = fixture_decrypt(f, path_of(i, "a.properties"), path_of(i, "secrets.properties"),
	    key, keys[i - 1]);

	if (got == NULL || strcmp(got, value) != 0)
		fail_msg("c%d %s is %s, not %s", i, key, got != NULL ? got : "gone", value);
	free(got);
}

/* The files of all folders but ${i} are as they were. */
static void
assert_others_unchanged(struct fixture *f, char *before[2 * COUNT], int i)
{
	char *now;
	int k;

	for (k = 0; k < 2 * COUNT; k++) {
		now = fixture_read(f, path_of(k / 2 + 1, k % 2 ? "a.properties" :
		    "secrets.properties"));
		if (k / 2 + 1 != i)
			assert_string_equal(now, before[k]);
		free(now);
	}
}

static void
keep(struct fixture *f, char *before[2 * COUNT])
{
	int k;

	for (k = 0; k < 2 * COUNT; k++)
		before[k] = fixture_read(f, path_of(k / 2 + 1, k % 2 ? "a.properties" :
		    "secrets.properties"));
}

static void
drop(char *before[2 * COUNT])
{
	int k;

	for (k = 0; k < 2 * COUNT; k++)
		free(before[k]);
}

static void
environments_are_the_roots_of_the_list(void **state)
{
	struct vt *v = open_five(*state);

	vt_assert_has(v, "5 files, 5 environments");
	vt_assert_has(v, "keys 0/5");
	vt_key(v, "+");
	golden_assert(v, "five-80x24");
	vt_resize(v, 40, 120);
	golden_assert(v, "five-120x40");
	vt_resize(v, 5, 20);
	golden_assert(v, "five-20x5");
	fixture_leave(v);
}

static void
right_pane_follows_the_cursor(void **state)
{
	struct vt *v = open_five(*state);
	char text[64];
	int i;

	for (i = 1; i <= COUNT; i++) {
		go_to(v, i, "ssl.key", "ssl.key.password");
		snprintf(text, sizeof(text), "c%d/secrets.properties      locked", i);
		vt_assert_has(v, text);
		snprintf(text, sizeof(text), "=S a.properties/ssl.key.password");
		vt_assert_has(v, text);
	}
	fixture_leave(v);
}

static void
reveal_shows_the_environments_own_value(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_five(f);
	char value[32];
	int i;

	for (i = COUNT; i >= 1; i--) {
		go_to(v, i, "ssl.key", "ssl.key.password");
		vt_key(v, "r");
		type_line(v, keys[i - 1]);
		snprintf(value, sizeof(value), "value-%d-a", i);
		vt_assert_has(v, value);
		vt_key(v, KEY_ESC);
		vt_assert_lacks(v, "value-");
		vt_key(v, KEY_TAB);
		vt_key(v, "r");
		vt_assert_has(v, value);
		vt_key(v, KEY_ESC);
		vt_key(v, KEY_TAB);
	}
	vt_assert_has(v, "keys 5/5");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

/* The five share the passphrase; their salts make five keys of it. */
static void
entered_passphrase_is_tried_on_all(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_five(f);

	vt_assert_has(v, "10 not checked");
	vt_assert_has(v, "X?");
	vt_key(v, "U");
	type_line(v, FIXTURE_MASTER_KEY);
	vt_assert_has(v, "unlocked: keys of 5 of 5");
	vt_key(v, "j");
	vt_assert_lacks(v, "not checked");
	vt_assert_lacks(v, "X?");
	/* On the lock screen, too. */
	vt_key(v, "L");
	vt_assert_has(v, "No key is kept.");
	type_line(v, "wrong");
	see(v, "does not open any of 5");
	vt_settle(v);
	type_line(v, FIXTURE_MASTER_KEY);
	see(v, "unlocked: keys of 5 of 5");
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

static void
new_value_lands_in_its_own(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_five(f);
	char *before[2 * COUNT];

	keep(f, before);
	unlock(v, 3);
	unlock(v, 1);
	go_to(v, 3, "ssl.key", "ssl.key.password");
	vt_key(v, "e");
	vt_assert_has(v, "Into c3/secrets.properties");
	type_value(v, "brand-new");
	vt_key(v, "w");
	vt_assert_has(v, "c3/secrets.properties");
	vt_assert_has(v, "/etc/c3/secrets.properties");
	confirm(v);
	vt_assert_has(v, "sealed a new value for ssl.key.password");
	fixture_leave(v);
	assert_value(f, 3, "ssl.key.password", "brand-new");
	assert_value(f, 1, "ssl.key.password", "value-1-a");
	fixture_assert_in_file(f, path_of(3, "a.properties"), "ssl.key.password=${securepass:"
	    "/etc/c3/secrets.properties:a.properties/ssl.key.password}");
	assert_others_unchanged(f, before, 3);
	drop(before);
}

static void
marked_value_is_sealed_in_its_own(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_five(f);
	char *before[2 * COUNT];

	keep(f, before);
	unlock(v, 1);
	go_to(v, 4, "truststore", "ssl.truststore.password");
	vt_assert_has(v, "Goes to c4/secrets.properties, read as");
	vt_assert_has(v, "/etc/c4/secrets.properties.");
	vt_key(v, " ");
	vt_key(v, "w");
	type_line(v, keys[3]);
	vt_assert_has(v, "Into c4/secrets.properties, read as");
	confirm(v);
	vt_assert_has(v, "sealed 1 value in 1 file");
	fixture_leave(v);
	assert_value(f, 4, "ssl.truststore.password", "clear-4");
	assert_others_unchanged(f, before, 4);
	drop(before);
}

static void
marks_of_all_are_sealed_each_in_its_own(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_five(f);
	char text[32];
	int i;

	vt_key(v, "U");
	type_line(v, FIXTURE_MASTER_KEY);
	vt_assert_has(v, "keys of 5 of 5");
	vt_key(v, "A");
	vt_assert_has(v, "5 marked");
	vt_key(v, "w");
	vt_assert_has(v, "Into c1/secrets.properties, read as");
	vt_assert_has(v, "Into c3/secrets.properties, read as");
	confirm(v);
	vt_assert_has(v, "sealed 5 values in 5 files");
	fixture_leave(v);
	for (i = 1; i <= COUNT; i++) {
		snprintf(text, sizeof(text), "clear-%d", i);
		assert_value(f, i, "ssl.truststore.password", text);
		fixture_assert_not_in_file(f, path_of(i, "a.properties"), text);
	}
}

/* What is done in the others is not denied because of one that fails. */
static void
one_that_fails_is_told_beside_those_that_are_done(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_five(f);
	char text[32];
	int i;

	vt_key(v, "U");
	type_line(v, FIXTURE_MASTER_KEY);
	vt_assert_has(v, "keys of 5 of 5");
	vt_type(v, "Aw");
	fixture_write(f, path_of(2, "a.properties"), "ssl.truststore.password=other-2\n");
	confirm(v);
	vt_assert_has(v, "Only a part was applied");
	vt_assert_has(v, "- failed  c2/a.properties: the file changed");
	vt_assert_has(v, "+ done    c1/a.properties");
	vt_assert_has(v, "+ done    c5/a.properties");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "3 pending 1");
	vt_assert_has(v, "1 marked");
	vt_key(v, "m");
	vt_assert_has(v, "!");
	vt_assert_has(v, "Only a part was applied: ");
	vt_key(v, KEY_ESC);
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_in_file(f, path_of(2, "a.properties"), "other-2");
	for (i = 1; i <= COUNT; i++) {
		snprintf(text, sizeof(text), "clear-%d", i);
		if (i != 2)
			assert_value(f, i, "ssl.truststore.password", text);
	}
}

static void
removal_takes_its_own(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_five(f);
	char *before[2 * COUNT];

	keep(f, before);
	go_to(v, 2, "ssl.key", "ssl.key.password");
	vt_key(v, "X");
	vt_key(v, "w");
	vt_assert_has(v, "of c2/secrets.properties");
	type_line(v, "remove");
	vt_assert_has(v, "removed a.properties/ssl.key.password");
	fixture_leave(v);
	fixture_assert_not_in_file(f, path_of(2, "a.properties"), "ssl.key.password");
	fixture_assert_not_in_file(f, path_of(2, "secrets.properties"), "a.properties/ssl.key");
	fixture_assert_in_file(f, path_of(2, "secrets.properties"), SASL_NAME);
	assert_others_unchanged(f, before, 2);
	drop(before);
}

/* A file alone is shown, and another one beside it uses a sealed entry, which looks unused. */
static void
orphan_that_a_file_beside_uses_stays(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .args = { "five/c2/b.properties" } };
	struct vt *v;

	shell(f, "printf 'x.password=v\n' >five/c%d/b.properties; chmod 600 five/c%d/b.properties; "
	    "$P file encrypt --config-file five/c%d/b.properties --local-secrets-file "
	    "five/c%d/secrets.properties --remote-secrets-file /etc/c2/secrets.properties "
	    "--master-key-file key%d", 2);
	v = fixture_run(f, &s);
	vt_settle(v);
	vt_key(v, "\t");
	vt_type(v, "/");
	type_line(v, "ssl.key");
	vt_assert_has(v, "An orphan");
	vt_key(v, "X");
	vt_assert_has(v, "This cannot be removed");
	vt_assert_has(v, "is no orphan");
	vt_assert_has(v, "five/c2/a.properties:1");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	fixture_assert_in_file(f, path_of(2, "secrets.properties"), "a.properties/ssl.key");
}

/* One that nothing uses goes with its tag, and the secrets file is still shown behind it. */
static void
orphan_goes_with_its_tag(void **state)
{
	struct fixture *f = *state;
	struct fixture_start s = { .args = { "five/c2" } };
	struct vt *v;

	shell(f, "sed -i /ssl.key/d five/c%d/a.properties", 2);
	v = fixture_run(f, &s);
	vt_settle(v);
	vt_key(v, "\t");
	vt_type(v, "/");
	type_line(v, "ssl.key");
	vt_key(v, "X");
	vt_key(v, "w");
	type_line(v, "remove");
	vt_assert_has(v, "removed a.properties/ssl.key.password");
	vt_settle(v);
	vt_key(v, "R");
	vt_settle(v);
	vt_assert_lacks(v, "no secrets file");
	vt_assert_has(v, "a.properties/sasl.password");
	fixture_leave(v);
	fixture_assert_not_in_file(f, path_of(2, "secrets.properties"), "ssl.key");
}

static void
rotation_is_of_the_selected_one(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_five(f);
	char *before[2 * COUNT];

	keep(f, before);
	go_to(v, 5, "ssl.key", "ssl.key.password");
	vt_key(v, "K");
	vt_assert_has(v, "Data key of 1 environment");
	vt_assert_has(v, "c5/secrets.properties");
	vt_key(v, KEY_ENTER);
	type_line(v, keys[4]);
	see(v, "every entry opens");
	vt_key(v, KEY_ENTER);
	see(v, "planned, and nothing is changed yet");
	apply(v);
	see(v, "all values the same");
	fixture_leave(v);
	assert_value(f, 5, "ssl.key.password", "value-5-a");
	fixture_assert_not_in_file(f, path_of(5, "secrets.properties"), strstr(before[8], "enc = "));
	assert_others_unchanged(f, before, 5);
	drop(before);
}

/* The head of an environment has the path that its secrets file notes, whatever the first reference
 * says; that of other files says why they have none. */
static void
heads_say_the_noted_path_and_why_there_is_none(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	shell(f, "echo 'a.password=${securepass:/mnt/old/secrets.properties:a.properties/"
	    "sasl.password}' >five/c1/0.properties && mkdir five/lab five/own && "
	    "printf 'a.password=${securepass:/etc/c1/secrets.properties:a.properties/sasl.password}"
	    "\nb.password=${securepass:/etc/c2/secrets.properties:a.properties/sasl.password}\n' "
	    ">five/lab/x.properties && echo 'a.password=${securepass:/etc/none.properties:x/a}' "
	    ">five/own/x.properties", 1);
	v = open_five(f);
	unlock(v, 1);
	vt_assert_has(v, "c1  /etc/c1");
	vt_assert_has(v, "lab  several secrets files");
	vt_assert_has(v, "own  unknown secrets file");
	fixture_leave(v);
}

/* A folder without a secrets file: nothing says where its secrets go. */
static void
unknown_destination_is_asked(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	shell(f, "mkdir -p five/lab && echo ssl.key.password=lab-clear >five/lab/x.properties", 1);
	shell(f, "rm -f out", 1);
	fixture_keep(f);
	v = open_five(f);
	vt_key(v, "U");
	type_line(v, FIXTURE_MASTER_KEY);
	vt_assert_has(v, "lab  no secrets file");
	vt_type(v, "-");
	type_line(v, "/x.prop");
	vt_key(v, "a");
	vt_key(v, "w");
	vt_assert_has(v, "Where to?");
	vt_assert_has(v, "lab/x.properties");
	golden_assert_sizes(v, "destination");
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "1 marked");
	fixture_assert_unchanged(f);
	/* Left out: its marks go. */
	vt_key(v, "w");
	for (int i = 0; i < 9; i++)
		vt_key(v, "j");
	vt_key(v, KEY_ENTER);
	vt_assert_lacks(v, "marked  ");
	fixture_assert_unchanged(f);
	vt_key(v, "a");
	vt_key(v, "w");
	vt_key(v, "j");
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, "Into c2/secrets.properties, read as /etc/c2/secrets.properties");
	vt_assert_has(v, "reference said so yet");
	confirm(v);
	vt_assert_has(v, "sealed 1 value in 1 file");
	fixture_leave(v);
	fixture_assert_in_file(f, "five/lab/x.properties", "${securepass:/etc/c2/secrets.properties:"
	    "x.properties/ssl.key.password}");
	fixture_assert_in_file(f, path_of(2, "secrets.properties"), "x.properties/ssl.key.password");
}

static void
section_of_propseal_ini_says_where(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	shell(f, "mkdir -p five/lab && echo ssl.key.password=lab-clear >five/lab/x.properties && "
	    "printf '[environment lab]\nsecrets-file = c2/secrets.properties\n"
	    "remote-path = /etc/lab/secrets.properties\nfiles = lab/*\n' >five/propseal.ini", 1);
	v = open_five(f);
	vt_key(v, "U");
	type_line(v, FIXTURE_MASTER_KEY);
	vt_type(v, "-");
	type_line(v, "/x.prop");
	vt_key(v, "a");
	vt_key(v, "w");
	vt_assert_has(v, "Into c2/secrets.properties, read as");
	vt_assert_has(v, "/etc/lab/secrets.properties");
	confirm(v);
	vt_assert_has(v, "sealed 1 value in 1 file");
	fixture_leave(v);
	fixture_assert_in_file(f, "five/lab/x.properties", "${securepass:/etc/lab/secrets.properties:"
	    "x.properties/ssl.key.password}");
}

/* A second file of the same base name for one secrets file. */
static void
collision_names_both_files_and_leaves_one_out(void **state)
{
	struct fixture *f = *state;
	struct vt *v;
	char *before;

	shell(f, "mkdir -p five/c1/more && sed 's/value/other/' five/c1/a.properties "
	    ">five/c1/more/a.properties && printf 'sasl.password=another-clear\\n"
	    "r.password=${securepass:/etc/c1/secrets.properties:a.properties/ssl.key.password}\\n' "
	    ">five/c1/more/a.properties && printf 'db.password=third-clear\\n"
	    "r.password=${securepass:/etc/c1/secrets.properties:a.properties/ssl.key.password}\\n' "
	    ">five/c1/more/b.properties", 1);
	before = fixture_read(f, "five/c1/more/a.properties");
	v = open_five(f);
	unlock(v, 1);
	vt_key(v, KEY_HOME);
	vt_key(v, " ");
	vt_assert_has(v, "3 marked");
	vt_key(v, "w");
	vt_assert_has(v, "Two files, one name");
	vt_assert_has(v, "c1/a.properties");
	vt_assert_has(v, "c1/more/a.properties");
	vt_assert_has(v, "[Cancel]");
	confirm(v);
	vt_assert_has(v, "Into c1/secrets.properties");
	confirm(v);
	vt_assert_has(v, "sealed 2 values in 2 files");
	fixture_leave(v);
	fixture_assert_in_file(f, "five/c1/more/a.properties", before);
	free(before);
	assert_value(f, 1, "sasl.password", "value-1-b");
	assert_value(f, 1, "ssl.truststore.password", "clear-1");
	fixture_assert_not_in_file(f, "five/c1/more/b.properties", "third-clear");
}

/* A file's own old entry is no collision of two files: the value is left out, not the file. */
static void
value_whose_entry_nobody_uses_is_left_out_alone(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	shell(f, "sed -i 's/^sasl.password *=.*/sasl.password=changed-clear/' five/c1/a.properties", 1);
	v = open_five(f);
	unlock(v, 1);
	vt_key(v, KEY_HOME);
	vt_key(v, " ");
	vt_assert_has(v, "2 marked");
	vt_key(v, "w");
	vt_assert_has(v, "One value cannot be sealed");
	vt_assert_has(v, "c1/a.properties: sasl.password");
	vt_assert_has(v, "with another value");
	confirm(v);
	vt_assert_has(v, "Into c1/secrets.properties");
	confirm(v);
	vt_assert_has(v, "sealed 1 value in 1 file");
	fixture_leave(v);
	fixture_assert_in_file(f, path_of(1, "a.properties"), "changed-clear");
	assert_value(f, 1, "ssl.truststore.password", "clear-1");
}

/* What would overwrite another's entry is seen before it is asked for; the same value is not. */
static void
collision_is_a_row_of_the_pending_set(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	shell(f, "mkdir -p five/c1/more && printf 'sasl.password=another-clear\\n"
	    "ssl.key.password=value-1-a\\n"
	    "r.password=${securepass:/etc/c1/secrets.properties:a.properties/ssl.key.password}\\n' "
	    ">five/c1/more/a.properties", 1);
	v = open_five(f);
	type_line(v, "/more");
	vt_key(v, "a");
	vt_key(v, "p");
	vt_assert_has(v, "2 edits in 1 file");
	vt_assert_lacks(v, "collides");
	unlock(v, 1);
	see(v, "1 edit in 1 file, 1 collides");
	vt_assert_has(v, "X 1 collides: left out");
	vt_key(v, KEY_HOME);
	vt_type(v, "jj");
	vt_assert_has(v, "[x] X sasl.password");
	vt_assert_has(v, "Collides with c1/a.properties");
	golden_assert_sizes(v, "pending-collides");
	vt_key(v, "w");
	see(v, "1 more collides, is left out and stays");
	confirm(v);
	see(v, "sealed 1 value in 1 file");
	vt_assert_has(v, "0 edits in 0 files, 1 collides");
	vt_key(v, "w");
	vt_assert_has(v, "nothing to apply: what is on collides");
	/* As one of two of a name, which gives way when the other one is off. */
	vt_key(v, "1");
	vt_key(v, KEY_HOME);
	type_line(v, "/ssl.truststore.password");
	vt_assert_has(v, "c1" INTO "a.properties");
	vt_key(v, " ");
	vt_key(v, "p");
	vt_assert_has(v, "1 edit in 1 file, 1 collides");
	type_line(v, "/sasl.password");
	vt_assert_has(v, "Collides with c1/a.properties, which has the same base name");
	type_line(v, "/ssl.truststore");
	vt_key(v, " ");
	see(v, "0 edits in 0 files, 1 off, 1 collides");
	type_line(v, "/sasl.password");
	vt_assert_has(v, "Collides with c1/a.properties: it uses the entry of this name");
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_in_file(f, "five/c1/more/a.properties", "another-clear");
	fixture_assert_not_in_file(f, "five/c1/more/a.properties", "value-1-a");
	assert_value(f, 1, "sasl.password", "value-1-b");
}

/* Two JSON files of one name in the first environment: one is sealed, the other's value pending. */
static struct vt *
open_colliding(struct fixture *f, const char *name)
{
	char fmt[512];
	struct vt *v;

	snprintf(fmt, sizeof(fmt), "cd five/c%%d && mkdir more && echo '{\"a.password\":\"one\"}' "
	    ">%s && echo '{\"a.password\":\"other\"}' >more/%s && $P file encrypt --config-file "
	    "%s --local-secrets-file secrets.properties --remote-secrets-file "
	    "/etc/c1/secrets.properties --master-key-file ../../key1", name, name, name);
	shell(f, fmt, 1);
	v = open_five(f);
	type_line(v, "/more");
	vt_key(v, "a");
	vt_key(v, "p");
	vt_assert_has(v, "1 edit in 1 file");
	unlock(v, 1);
	see(v, "0 edits in 0 files, 1 collides");
	return v;
}

/* The name of its entry has no backslash, as the path to its value has. */
static void
collision_of_a_json_key_is_seen_too(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_colliding(f, "j.json");

	vt_assert_has(v, "X 1 collides: left out");
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_in_file(f, "five/c1/more/j.json", "other");
}

/* By the format that the file has here, and not by an ending that says none. */
static void
collision_is_seen_whatever_the_ending(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "propseal.ini", "[files]\npatterns = *.properties *.tpl=json\n");
	v = open_colliding(f, "j.tpl");
	vt_key(v, KEY_HOME);
	vt_type(v, "jj");
	vt_assert_has(v, "Collides with c1/j.tpl");
	vt_key(v, "u");
	fixture_leave(v);
	fixture_assert_in_file(f, "five/c1/more/j.tpl", "other");
}

static void
damaged_value_is_so_in_its_own_only(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	/* The same entry of another folder: sealed under another key. */
	shell(f, "grep -v '^" SASL_NAME "' five/c%d/secrets.properties >new && "
	    "grep '^" SASL_NAME "' five/c2/secrets.properties >>new && "
	    "cat new >five/c%d/secrets.properties && rm new", 4);
	v = open_five(f);
	unlock(v, 4);
	unlock(v, 2);
	vt_assert_has(v, "1! 1X 1S");
	go_to(v, 4, "sasl", "sasl.password");
	vt_assert_has(v, "X sasl.password");
	vt_assert_has(v, "=X " SASL_NAME);
	go_to(v, 2, "sasl", "sasl.password");
	vt_assert_has(v, "S sasl.password");
	vt_assert_has(v, "=S " SASL_NAME);
	vt_key(v, "r");
	vt_assert_has(v, "value-2-b");
	fixture_leave(v);
}

/* Each is opened by the secrets file that it names, whatever stands beside it, and the way back
 * from a sealed entry is to what names it. */
static void
references_of_one_file_are_each_to_its_own(void **state)
{
	struct fixture *f = *state;
	struct vt *v;

	fixture_write(f, "five/mixed.properties",
	    "first.password=${securepass:/etc/c1/secrets.properties:" SASL_NAME "}\n"
	    "third.password=${securepass:/etc/c3/secrets.properties:" SASL_NAME "}\n");
	v = open_five(f);
	unlock(v, 1);
	unlock(v, 3);
	type_line(v, "/third.pass");
	vt_key(v, "r");
	vt_assert_has(v, "value-3-b");
	vt_key(v, KEY_ESC);
	type_line(v, "/first.pass");
	vt_key(v, "r");
	vt_assert_has(v, "value-1-b");
	vt_key(v, KEY_ESC);
	go_to(v, 3, "ssl.key.password", "ssl.key.password");
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_ENTER);
	vt_assert_has(v, " c3" INTO "a.properties:1");
	fixture_leave(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIVE_TEST(environments_are_the_roots_of_the_list),
		FIVE_TERMS(environments_are_the_roots_of_the_list),
		FIVE_TEST(right_pane_follows_the_cursor),
		FIVE_TEST(references_of_one_file_are_each_to_its_own),
		FIVE_TEST(reveal_shows_the_environments_own_value),
		FIVE_TEST(entered_passphrase_is_tried_on_all),
		FIVE_TEST(new_value_lands_in_its_own),
		FIVE_TEST(marked_value_is_sealed_in_its_own),
		FIVE_TEST(marks_of_all_are_sealed_each_in_its_own),
		FIVE_TEST(one_that_fails_is_told_beside_those_that_are_done),
		FIVE_TEST(removal_takes_its_own),
		FIVE_TEST(orphan_that_a_file_beside_uses_stays),
		FIVE_TEST(orphan_goes_with_its_tag),
		FIVE_TEST(rotation_is_of_the_selected_one),
		FIVE_TEST(heads_say_the_noted_path_and_why_there_is_none),
		FIVE_TEST(unknown_destination_is_asked),
		FIVE_TERMS(unknown_destination_is_asked),
		FIVE_TEST(section_of_propseal_ini_says_where),
		FIVE_TEST(collision_names_both_files_and_leaves_one_out),
		FIVE_TEST(value_whose_entry_nobody_uses_is_left_out_alone),
		FIVE_TEST(collision_is_a_row_of_the_pending_set),
		FIVE_TEST(collision_of_a_json_key_is_seen_too),
		FIVE_TEST(collision_is_seen_whatever_the_ending),
		FIVE_TEST(damaged_value_is_so_in_its_own_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

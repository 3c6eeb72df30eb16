/* The first secrets file of an estate. */
#include <sys/stat.h>

#include "golden.h"
#include "steps.h"

static const char secrets[] = "fresh/secrets.properties";

static struct vt *
open_fresh(struct fixture *f, int rows, int cols)
{
	struct fixture_start s = { .rows = rows, .cols = cols, .args = { "fresh" } };

	return fixture_run(f, &s);
}

/* From the question for the file name to the screen with the key. */
static char *
generate_up_to_the_key(struct vt *v)
{
	char line[256];

	vt_assert_has(v, "fresh/secrets.properties");
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	vt_assert_has(v, "(new file)");
	apply(v);
	vt_row(v, 2, line, sizeof(line));
	assert_int_equal(strlen(line + strspn(line, " ")), 44);
	return strdup(line + strspn(line, " "));
}

static void
prove(struct vt *v, const char *key)
{
	vt_key(v, KEY_ENTER);
	type_line(v, key + 38);
}

static void
from_nothing_to_a_sealed_value(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_fresh(f, 24, 80);
	char *key, *value;
	char path[512];
	struct stat st;

	vt_settle(v);
	golden_assert(v, "fresh-80x24");
	/* Sealing without a secrets file offers to make one. */
	vt_type(v, "apP");
	vt_assert_has(v, "No secrets file");
	confirm(v);
	key = generate_up_to_the_key(v);
	fixture_assert_unchanged(f);
	prove(v, key);
	/* And then goes on: nothing says yet where services will read it. */
	vt_assert_has(v, "Path in references");
	vt_key(v, "\025");
	type_line(v, "/etc/kafka/secrets.properties");
	vt_assert_has(v, "Seal 1 value in 1 file");
	apply(v);
	vt_assert_has(v, "sealed 1 value in 1 file");
	vt_key(v, "1");
	vt_assert_has(v, "1S");
	fixture_leave(v);
	snprintf(path, sizeof(path), "%s/%s", f->dir, secrets);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	fixture_assert_in_file(f, secrets, "iterations = 220000");
	fixture_assert_not_in_file(f, "fresh/client.properties", FIXTURE_CLIENT_SECRET);
	fixture_assert_in_file(f, "fresh/client.properties",
	    "${securepass:/etc/kafka/secrets.properties:client.properties/ssl.key.password}");
	value = fixture_decrypt(f, "fresh/client.properties", secrets, "ssl.key.password", key);
	assert_string_equal(value, FIXTURE_CLIENT_SECRET);
	free(value);
	free(key);
}

static void
giving_up_makes_no_file(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_fresh(f, 24, 80);
	char *key;

	vt_key(v, "G");
	vt_key(v, KEY_ESC);
	vt_key(v, "G");
	key = generate_up_to_the_key(v);
	vt_key(v, KEY_ESC);
	vt_assert_has(v, "There is no secrets file here.");
	fixture_leave(v);
	fixture_assert_unchanged(f);
	free(key);
}

static void
works_on_the_smallest_screen(void **state)
{
	struct fixture *f = *state;
	struct vt *v = open_fresh(f, 5, 20);
	char line[64];
	char key[64] = "";
	int row;

	vt_key(v, "G");
	vt_key(v, KEY_ENTER);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	apply(v);
	for (row = 1; row < 4; row++) {
		vt_row(v, row, line, sizeof(line));
		strncat(key, line + strspn(line, " "), sizeof(key) - strlen(key) - 1);
	}
	assert_int_equal(strlen(key), 44);
	prove(v, key);
	fixture_leave(v);
	fixture_assert_in_file(f, secrets, "_metadata.symmetric_key.0.enc");
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
	vt_key(v, "G");
	vt_key(v, "\025");
	type_line(v, "estate/secrets.properties");
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	type_line(v, FIXTURE_NEW_PASSPHRASE);
	vt_assert_has(v, "cannot be made");
	vt_key(v, KEY_ENTER);
	fixture_leave(v);
	fixture_assert_unchanged(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(from_nothing_to_a_sealed_value),
		FIXTURE_TEST(giving_up_makes_no_file),
		FIXTURE_TEST(works_on_the_smallest_screen),
		FIXTURE_TEST(existing_secrets_file_is_not_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

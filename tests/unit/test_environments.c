#include <time.h>
#include <unistd.h>

#include "estate_files.h"

/*
 * Which secrets file a reference means: a test for each sentence of what
 * environments.h says.  All secrets files have the same entries and the same
 * key, so that only the path of a reference tells one from another.
 */

static const char *const here[] = { "." };

static struct estate *
scanned_paths(const char *const paths[], size_t n, const struct environment_source *s)
{
	struct estate *e = estate_new(paths, n, NULL);

	assert_non_null(e);
	environments_set_source(estate_environments(e), s);
	finish(e);
	return e;
}

static struct estate *
scanned(void)
{
	return scanned_paths(here, 1, NULL);
}

/* What the one function says of a reference in ${config}. */
static struct resolution
resolved(const struct estate *e, const char *config, const char *text)
{
	struct resolution x;
	struct reference r;

	assert_true(reference_parse(text, strlen(text), &r));
	assert_int_equal(environments_resolve(estate_environments(e), config, &r, &x, NULL), 0);
	return x;
}

static struct destination
destination(const struct estate *e, const char *path)
{
	struct destination to;

	assert_int_equal(estate_destination(e, file_of(e, path), &to, NULL), 0);
	return to;
}

static void
assert_unknown(const struct estate *e, const char *config, enum environment_doubt doubt,
    const char *one, const char *other)
{
	const struct estate_entry *entry = &file_of(e, config)->entries[0];
	const struct reference r = { .provider = "securepass", .provider_len = 10,
		.path = entry->remote, .path_len = entry->remote_len, .name = entry->name,
		.name_len = entry->name_len };
	struct resolution x;
	struct error why;

	assert_entry(e, config, STATE_UNKNOWN, NULL);
	assert_false(entry->checked);
	assert_int_equal(environments_resolve(estate_environments(e), config, &r, &x, NULL), 0);
	assert_int_equal(x.doubt, doubt);
	resolution_explain(&x, &r, &why);
	assert_true(why.hint[0] != '\0');
	if (one != NULL && strstr(why.text, one) == NULL)
		fail_msg("%s is not named: %s", one, why.text);
	if (other != NULL && strstr(why.text, other) == NULL)
		fail_msg("%s is not named: %s", other, why.text);
}

/* --- by path and entry --- */

static void
test_the_path_decides_and_not_the_name(void **state)
{
	struct estate *e;

	(void)state;
	put("a/secrets.properties", NOTES("/srv/a"));
	put("b/secrets.properties", NOTES("/srv/b"));
	put("a/x.properties", AT("/srv/b", ENTRY));
	put("b/x.properties", AT("/srv/a", ENTRY));
	e = scanned();
	assert_entry(e, "a/x.properties", STATE_SEALED, "b/secrets.properties");
	assert_entry(e, "b/x.properties", STATE_SEALED, "a/secrets.properties");
	estate_free(e);
}

static void
test_those_that_note_the_path_come_before_those_of_its_base_name(void **state)
{
	struct estate *e;

	(void)state;
	put("far/other.properties", NOTES("/srv/secrets.properties"));
	put("near/secrets.properties", MODERN);
	put("near/x.properties", AT("/srv/secrets.properties", ENTRY));
	put("near/y.properties", AT("/etc/secrets.properties", ENTRY));
	e = scanned();
	assert_entry(e, "near/x.properties", STATE_SEALED, "far/other.properties");
	assert_entry(e, "near/y.properties", STATE_SEALED, "near/secrets.properties");
	estate_free(e);
}

static void
test_of_several_the_nearest(void **state)
{
	struct estate *e;

	(void)state;
	put("secrets.properties", NOTES("/srv/s"));
	put("eu/secrets.properties", NOTES("/srv/s"));
	put("eu/prod/secrets.properties", NOTES("/srv/s"));
	put("x.properties", AT("/srv/s", ENTRY));
	put("eu/x.properties", AT("/srv/s", ENTRY));
	put("eu/prod/a/b/x.properties", AT("/srv/s", ENTRY));
	put("eu/production/x.properties", AT("/srv/s", ENTRY));
	e = scanned();
	/* At the root all three are equally near. */
	assert_unknown(e, "x.properties", DOUBT_TIE, "eu/secrets.properties",
	    "eu/prod/secrets.properties");
	assert_unknown(e, "eu/x.properties", DOUBT_TIE, "eu/", NULL);
	assert_entry(e, "eu/prod/a/b/x.properties", STATE_SEALED, "eu/prod/secrets.properties");
	/* Names are compared whole. */
	assert_unknown(e, "eu/production/x.properties", DOUBT_TIE, "eu/secrets.properties",
	    "eu/prod/secrets.properties");
	estate_free(e);
}

static void
test_two_checkouts_of_one_estate(void **state)
{
	struct estate *e;

	(void)state;
	put("one/prod/secrets.properties", NOTES("/etc/kafka/secrets.properties"));
	put("one/prod/x.properties", AT("/etc/kafka/secrets.properties", ENTRY));
	put("two/prod/secrets.properties", NOTES("/etc/kafka/secrets.properties"));
	put("two/prod/x.properties", AT("/etc/kafka/secrets.properties", ENTRY));
	put("x.properties", AT("/etc/kafka/secrets.properties", ENTRY));
	e = scanned();
	assert_entry(e, "one/prod/x.properties", STATE_SEALED, "one/prod/secrets.properties");
	assert_entry(e, "two/prod/x.properties", STATE_SEALED, "two/prod/secrets.properties");
	assert_unknown(e, "x.properties", DOUBT_TIE, "one/prod/secrets.properties",
	    "two/prod/secrets.properties");
	estate_free(e);
}

static void
test_each_of_a_tie_is_named(void **state)
{
	char name[] = "0/secrets.properties";
	struct estate *e;

	(void)state;
	put("x.properties", AT("/srv/s", ENTRY));
	for (; name[0] < '7'; name[0]++)
		put(name, NOTES("/srv/s"));
	e = scanned();
	for (name[0] = '0'; name[0] < '6'; name[0]++)
		assert_unknown(e, "x.properties", DOUBT_TIE, name, " and 1 more");
	estate_free(e);
}

static void
test_absent_is_dangling_and_never_looked_for_farther(void **state)
{
	struct estate *e;

	(void)state;
	put("secrets.properties", NOTES("/srv/s") GONE " = ENC[AES/GCM/NoPadding,"
	    "data:YiVrlWGS5llndtDVgZ8EuA==,iv:Rulr7kW/zIvBtnPK,type:str]\n");
	put("near/secrets.properties", NOTES("/srv/s"));
	put("near/x.properties", AT("/srv/s", GONE));
	e = scanned();
	assert_entry(e, "near/x.properties", STATE_DANGLING, "near/secrets.properties");
	assert_true(file_of(e, "near/x.properties")->entries[0].checked);
	estate_free(e);
}

static void
test_one_secrets_file_without_notes_takes_the_one_path_that_fits(void **state)
{
	struct estate *e;

	(void)state;
	put("keys.properties", MODERN);
	put("a.properties", AT("/srv/s", ENTRY));
	put("b.properties", AT("/srv/gone", GONE));
	e = scanned();
	assert_entry(e, "a.properties", STATE_SEALED, "keys.properties");
	assert_unknown(e, "b.properties", DOUBT_NO_FILE, "/srv/gone", NULL);
	estate_free(e);
	/* Not all of its references fit. */
	put("c.properties", AT("/srv/s", GONE));
	e = scanned();
	assert_unknown(e, "a.properties", DOUBT_NO_FILE, "/srv/s", NULL);
	estate_free(e);
	assert_int_equal(unlink("c.properties"), 0);
	/* Two such paths: neither. */
	put("c.properties", AT("/srv/t", ENTRY));
	e = scanned();
	assert_unknown(e, "a.properties", DOUBT_NO_FILE, "/srv/s", NULL);
	assert_unknown(e, "c.properties", DOUBT_NO_FILE, "/srv/t", NULL);
	estate_free(e);
	assert_int_equal(unlink("c.properties"), 0);
	/* It is not the only one, or notes a path. */
	put("more/keys.properties", MODERN);
	e = scanned();
	assert_unknown(e, "a.properties", DOUBT_NO_FILE, "/srv/s", NULL);
	estate_free(e);
	assert_int_equal(unlink("more/keys.properties"), 0);
	assert_int_equal(unlink("keys.properties"), 0);
	put("keys.properties", NOTES("/srv/noted"));
	e = scanned();
	assert_unknown(e, "a.properties", DOUBT_NO_FILE, "/srv/s", NULL);
	estate_free(e);
}

/* --- absolute paths --- */

/* ${text} with the path of the current folder for each %. */
static void
put_here(const char *path, const char *text)
{
	char folder[PATH_MAX];
	struct buf out;

	assert_non_null(getcwd(folder, sizeof(folder)));
	buf_init(&out, 65536);
	for (; *text != '\0'; text++) {
		if (*text == '%')
			buf_append_str(&out, folder);
		else
			buf_append_char(&out, *text);
	}
	put(path, buf_cstr(&out));
	buf_release(&out);
}

static void
test_without_a_candidate_the_absolute_path_itself(void **state)
{
	static const char *const inner[] = { "conf" };
	struct estate *e;

	(void)state;
	put("srv/s.properties", MODERN);
	put_here("conf/x.properties", AT("%/srv/s.properties", ENTRY));
	put_here("conf/y.properties", AT("%/srv/t.properties", ENTRY));
	put_here("conf/z.properties", AT("%/srv", ENTRY));
	put("conf/rel.properties", AT("srv/s.properties", ENTRY));
	e = scanned_paths(inner, 1, NULL);
	assert_int_equal(file_of(e, "conf/x.properties")->entries[0].state, STATE_SEALED);
	assert_false(file_of(e, "conf/x.properties")->entries[0].environment->found);
	assert_unknown(e, "conf/y.properties", DOUBT_NO_FILE, "srv/t.properties", NULL);
	assert_unknown(e, "conf/z.properties", DOUBT_NO_FILE, NULL, NULL);
	assert_unknown(e, "conf/rel.properties", DOUBT_NO_FILE, NULL, NULL);
	estate_free(e);
	/* What a repository says must not lead to this host's secrets. */
	assert_int_equal(mkdir(".git", 0755), 0);
	e = scanned_paths(inner, 1, NULL);
	assert_unknown(e, "conf/x.properties", DOUBT_NO_FILE, "srv/s.properties", NULL);
	estate_free(e);
}

static void
test_an_absolute_path_and_another_candidate(void **state)
{
	struct estate *e;

	(void)state;
	put_here("srv/s.properties", NOTES("%/srv/s.properties"));
	put_here("checkout/s.properties", NOTES("%/srv/s.properties"));
	put_here("checkout/x.properties", AT("%/srv/s.properties", ENTRY));
	put_here("srv/x.properties", AT("%/srv/s.properties", ENTRY));
	e = scanned();
	assert_unknown(e, "checkout/x.properties", DOUBT_ELSEWHERE, "srv/s.properties",
	    "checkout/s.properties");
	/* The same file by device and inode is no other one. */
	assert_entry(e, "srv/x.properties", STATE_SEALED, "srv/s.properties");
	estate_free(e);
	assert_int_equal(mkdir("checkout/.git", 0755), 0);
	e = scanned();
	assert_entry(e, "checkout/x.properties", STATE_SEALED, "checkout/s.properties");
	estate_free(e);
}

/* --- sections --- */

struct told {
	struct environment_section sections[3];
	size_t count;
	char folder[PATH_MAX];
	bool refused;
};

static int
told_sections(void *cookie, const char *folder, const struct environment_section **out,
    size_t *count, const char **ini_folder, struct error *err)
{
	const struct told *t = cookie;
	size_t n = strlen(t->folder);

	*count = 0;
	*out = NULL;
	*ini_folder = t->folder;
	if (t->refused) {
		error_set(err, ERROR_REFUSED, "others may write to it");
		return error_place(err, "/x/propseal.ini", 0);
	}
	if (strncmp(folder, t->folder, n) == 0) {
		*out = t->sections;
		*count = t->count;
	}
	return 0;
}

static void
test_a_section_wins(void **state)
{
	struct told t = { .count = 2, .sections = {
		{ .name = "production", .secrets_file = "vault/prod.properties",
		    .remote_path = "/srv/s", .files = "apps/*" },
		{ .name = "tests", .secrets_file = "vault/test.properties",
		    .remote_path = "/srv/t", .files = NULL } } };
	const struct environment_source s = { .sections = told_sections, .cookie = &t };
	struct estate *e;

	(void)state;
	assert_non_null(getcwd(t.folder, sizeof(t.folder)));
	put("vault/prod.properties", MODERN);
	put("vault/test.properties", MODERN);
	put("apps/secrets.properties", NOTES("/srv/s"));
	put("apps/a/x.properties", AT("/srv/s", ENTRY));
	put("apps/a/y.properties", AT("/srv/t", GONE));
	put("tools/x.properties", AT("/srv/s", ENTRY));
	put("tools/y.properties", AT("/srv/t", ENTRY));
	e = scanned_paths(here, 1, &s);
	assert_entry(e, "apps/a/x.properties", STATE_SEALED, "vault/prod.properties");
	assert_string_equal(file_of(e, "apps/a/x.properties")->entries[0].environment->name,
	    "production");
	assert_entry(e, "apps/a/y.properties", STATE_DANGLING, "vault/test.properties");
	/* A section takes its own files and its own path only. */
	assert_entry(e, "tools/x.properties", STATE_SEALED, "apps/secrets.properties");
	assert_entry(e, "tools/y.properties", STATE_SEALED, "vault/test.properties");
	estate_free(e);
}

static void
test_sections_that_disagree_or_lead_nowhere(void **state)
{
	struct told t = { .count = 3, .sections = {
		{ .name = "one", .secrets_file = "one.properties" },
		{ .name = "two", .secrets_file = "two.properties", .files = "x.*" },
		{ .name = "three", .secrets_file = "three.properties", .files = "x.*" } } };
	const struct environment_source s = { .sections = told_sections, .cookie = &t };
	struct estate *e;

	(void)state;
	assert_non_null(getcwd(t.folder, sizeof(t.folder)));
	put("one.properties", MODERN);
	put("two.properties", MODERN);
	put("three.properties", MODERN);
	put("x.properties", AT("/srv/s", ENTRY));
	put("y.properties", AT("/srv/s", ENTRY));
	e = scanned_paths(here, 1, &s);
	assert_unknown(e, "x.properties", DOUBT_SECTIONS, "one.properties, two.properties",
	    "and three.properties");
	assert_string_equal(destination(e, "x.properties").one, "one.properties, two.properties");
	assert_string_equal(destination(e, "x.properties").other, "three.properties");
	assert_entry(e, "y.properties", STATE_SEALED, "one.properties");
	estate_free(e);
	t.count = 1;
	t.sections[0].secrets_file = "none.properties";
	e = scanned_paths(here, 1, &s);
	assert_unknown(e, "y.properties", DOUBT_UNREADABLE, "none.properties", NULL);
	estate_free(e);
	t.refused = true;
	e = scanned_paths(here, 1, &s);
	assert_unknown(e, "y.properties", DOUBT_INI, "/x/propseal.ini", NULL);
	estate_free(e);
}

/* --- one that is named --- */

static void
test_one_that_a_flag_names_is_the_only_one(void **state)
{
	struct estate *e;

	(void)state;
	put("a/secrets.properties", NOTES("/srv/a"));
	put("b/secrets.properties", NOTES("/srv/b"));
	put("a/x.properties", AT("/srv/a", ENTRY));
	put("a/y.properties", AT("/srv/b", GONE));
	put("a/z.properties", AT("/elsewhere/secrets.properties", ENTRY));
	e = estate_new(here, 1, NULL);
	assert_non_null(e);
	assert_non_null(environments_name(estate_environments(e), "b/secrets.properties", true,
	    NULL));
	finish(e);
	assert_unknown(e, "a/x.properties", DOUBT_NOT_NAMED, "/srv/a", "b/secrets.properties");
	assert_entry(e, "a/y.properties", STATE_DANGLING, "b/secrets.properties");
	assert_entry(e, "a/z.properties", STATE_SEALED, "b/secrets.properties");
	estate_free(e);
}

static void
test_one_that_is_named_elsewhere_is_one_of_several(void **state)
{
	static const char *const inner[] = { "estate" };
	struct estate *e;

	(void)state;
	put("keys.properties", NOTES("/srv/keys"));
	put("estate/secrets.properties", NOTES("/srv/near"));
	put("estate/x.properties", AT("/srv/keys", ENTRY));
	put("estate/y.properties", AT("/srv/near", ENTRY));
	e = estate_new(inner, 1, NULL);
	assert_non_null(e);
	assert_non_null(environments_name(estate_environments(e), "keys.properties", false,
	    NULL));
	finish(e);
	assert_entry(e, "estate/x.properties", STATE_SEALED, "keys.properties");
	assert_entry(e, "estate/y.properties", STATE_SEALED, "estate/secrets.properties");
	estate_free(e);
}

/* A file that is named itself: the secrets files in its folder and above. */
static void
test_beside_a_file_that_is_named(void **state)
{
	static const char *const files[] = { "prod/conf/x.properties", "prod/conf/y.properties" };
	struct estate *e;

	(void)state;
	put("secrets.properties", NOTES("/srv/root"));
	put("prod/secrets.properties", NOTES("/srv/s"));
	put("prod/conf/x.properties", AT("/srv/s", ENTRY));
	put("prod/conf/y.properties", AT("/srv/root", ENTRY));
	put("test/secrets.properties", NOTES("/srv/s"));
	e = scanned_paths(files, 2, NULL);
	assert_int_equal(estate_count(e), 2);
	assert_int_equal(environments_count(estate_environments(e)), 2);
	assert_int_equal(file_of(e, files[0])->entries[0].state, STATE_SEALED);
	assert_string_equal(file_of(e, files[0])->entries[0].remote, "/srv/s");
	assert_int_equal(file_of(e, files[1])->entries[0].state, STATE_SEALED);
	estate_free(e);
	/* Not above where a project begins. */
	assert_int_equal(mkdir("prod/.git", 0755), 0);
	e = scanned_paths(files, 2, NULL);
	assert_int_equal(environments_count(estate_environments(e)), 1);
	assert_unknown(e, files[1], DOUBT_NO_FILE, "/srv/root", NULL);
	estate_free(e);
}

/* --- what counts, and names --- */

static void
test_a_file_counts_once(void **state)
{
	struct estate *e;

	(void)state;
	put("shared/secrets.properties", NOTES("/srv/s"));
	put("a/x.properties", AT("/srv/s", ENTRY));
	put("b/x.properties", AT("/srv/s", ENTRY));
	assert_int_equal(symlink("../shared/secrets.properties", "a/secrets.properties"), 0);
	assert_int_equal(link("shared/secrets.properties", "b/secrets.properties"), 0);
	assert_int_equal(symlink("x.properties", "b/link.properties"), 0);
	e = scanned();
	assert_int_equal(environments_count(estate_environments(e)), 1);
	/* It is as near as its nearest path, so it is no tie either. */
	assert_int_equal(file_of(e, "a/x.properties")->entries[0].state, STATE_SEALED);
	assert_int_equal(environment_references(environments_at(estate_environments(e), 0), ENTRY,
	    strlen(ENTRY)), 2);
	estate_free(e);
}

static void
test_what_an_unknown_reference_names_is_perhaps_used(void **state)
{
	const char *path = NULL;
	struct environment *x;
	struct estate *e;
	size_t line = 0;

	(void)state;
	put("one/secrets.properties", NOTES("/srv/s"));
	put("two/secrets.properties", NOTES("/srv/s"));
	put("app/x.properties", "listeners=x\n" AT("/srv/s", ENTRY));
	e = scanned();
	for (size_t i = 0; i < 2; i++) {
		x = environments_at(estate_environments(e), i);
		assert_int_equal(environment_references(x, ENTRY, strlen(ENTRY)), 0);
		assert_int_equal(environment_use(x, ENTRY, strlen(ENTRY), &path, &line),
		    USE_PERHAPS);
		assert_string_equal(path, "app/x.properties");
		assert_int_equal(line, 2);
		assert_int_equal(environment_use(x, GONE, strlen(GONE), NULL, NULL), USE_NONE);
	}
	/* Once it is known of which it is, it is no doubt of the other. */
	put("one/app/x.properties", AT("/srv/s", ENTRY));
	assert_int_equal(unlink("app/x.properties"), 0);
	estate_free(e);
	e = scanned();
	x = environments_at(estate_environments(e), 0);
	assert_int_equal(environment_use(x, ENTRY, strlen(ENTRY), NULL, NULL), USE_KNOWN);
	x = environments_at(estate_environments(e), 1);
	assert_int_equal(environment_use(x, ENTRY, strlen(ENTRY), NULL, NULL), USE_NONE);
	estate_free(e);
}

/* How often an entry is referred to is known until all is counted anew, also where its
 * secrets file has become another one meanwhile. */
static void
test_counts_outlive_the_entries(void **state)
{
	struct environment *x;
	struct estate *e;

	(void)state;
	put("secrets.properties", NOTES("/srv/s"));
	put("a.properties", AT("/srv/s", ENTRY));
	put("b.properties", AT("/srv/s", ENTRY) "g=${securepass:/srv/s:" GONE "}\n");
	e = scanned();
	x = environments_at(estate_environments(e), 0);
	assert_int_equal(environment_references(x, ENTRY, strlen(ENTRY)), 2);
	assert_int_equal(environment_references(x, GONE, strlen(GONE)), 1);
	assert_int_equal(unlink("secrets.properties"), 0);
	put("secrets.properties", "more=1\nof = them\n" NOTES("/srv/s"));
	assert_int_equal(environment_reload(x, NULL), 1);
	assert_int_equal(environment_references(x, ENTRY, strlen(ENTRY)), 2);
	assert_int_equal(unlink("secrets.properties"), 0);
	put("secrets.properties", "# nothing\n");
	assert_int_equal(environment_reload(x, NULL), 1);
	assert_int_equal(environment_references(x, ENTRY, strlen(ENTRY)), 2);
	assert_int_equal(environment_references(x, GONE, strlen(GONE)), 1);
	estate_free(e);
}

static void
test_folders_of_kubernetes_are_not_walked(void **state)
{
	struct estate *e;

	(void)state;
	put("mount/..2026_11_29/secrets.properties", NOTES("/srv/s"));
	put("mount/..2026_11_29/x.properties", AT("/srv/s", ENTRY));
	assert_int_equal(symlink("..2026_11_29", "mount/..data"), 0);
	assert_int_equal(symlink("..data/secrets.properties", "mount/secrets.properties"), 0);
	assert_int_equal(symlink("..data/x.properties", "mount/x.properties"), 0);
	e = scanned();
	assert_int_equal(estate_count(e), 2);
	assert_entry(e, "mount/x.properties", STATE_SEALED, "mount/secrets.properties");
	estate_free(e);
}

static void
assert_names(struct estate *e, const char *const want[], size_t n)
{
	assert_int_equal(environments_count(estate_environments(e)), n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(environments_at(estate_environments(e), i)->name, want[i]);
	estate_free(e);
}

static void
test_names(void **state)
{
	static const char *const want[] = { "a/b", ".", "two/one.properties",
		"two/two.properties" };
	static const char *const below[] = { "." }, *const slash[] = { "a/" };
	static const char *const roots[] = { "a", "two" };
	static const char *const several[] = { "a/b", "two/one.properties", "two/two.properties" };
	static const char *const inner[] = { "b" };

	(void)state;
	put("secrets.properties", MODERN);
	put("a/b/secrets.properties", MODERN);
	put("two/one.properties", MODERN);
	put("two/two.properties", MODERN);
	assert_names(scanned_paths(below, 1, NULL), want, 4);
	assert_names(scanned_paths(slash, 1, NULL), inner, 1);
	assert_names(scanned_paths(roots, 2, NULL), several, 3);
	put("second.properties", MODERN);
	assert_names(scanned_paths(below, 1, NULL), (const char *const[]){ "a/b",
	    "./second.properties", "./secrets.properties", "two/one.properties",
	    "two/two.properties" }, 5);
}

/* --- keys --- */

#define OTHER_MASTER "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void
test_keys_are_held_for_each_file(void **state)
{
	struct key *modern = fixture_key(MODERN_MASTER), *mixed = fixture_key(MIXED_MASTER);
	struct key *other = fixture_key(OTHER_MASTER);
	struct environments *all;
	struct estate *e, *fresh;
	struct error err;
	size_t opened;

	(void)state;
	put("b/secrets.properties", MIXED);
	put("a/x.properties", AT("/srv/a", ENTRY));
	put("a/y.properties", AT("/srv/a", "server.properties/bad"));
	put("a/secrets.properties", NOTES("/srv/a") "server.properties/bad = ENC[AES/GCM/NoPadding,"
	    "data:YiVrlWGS5llndtDVgZ8EuA==,iv:Rulr7kW/zIvBtnPL,type:str]\n");
	e = scanned();
	all = estate_environments(e);
	/* Not checked while locked: that is no word about it. */
	assert_entry(e, "a/y.properties", STATE_SEALED, "a/secrets.properties");
	assert_false(file_of(e, "a/x.properties")->entries[0].checked);
	assert_int_equal(environments_unlock(all, other, &opened, NULL), 0);
	assert_int_equal(opened, 0);
	assert_int_equal(environment_unlock(environments_at(all, 0), mixed, &err), -1);
	assert_int_equal(err.code, ERROR_KEY);
	assert_null(environments_at(all, 0)->master);
	assert_int_equal(environments_unlock(all, modern, &opened, NULL), 0);
	assert_int_equal(opened, 1);
	assert_int_equal(environments_unlock(all, mixed, &opened, NULL), 0);
	assert_int_equal(opened, 1);
	assert_true(key_equal(environments_at(all, 0)->master, modern));
	assert_int_equal(strlen(environments_at(all, 0)->fingerprint), 8);
	estate_restate(e, NULL);
	finish(e);
	assert_true(file_of(e, "a/x.properties")->entries[0].checked);
	assert_entry(e, "a/y.properties", STATE_DAMAGED, "a/secrets.properties");
	/* A scan anew takes them along. */
	fresh = scanned();
	assert_int_equal(environments_take_keys(estate_environments(fresh), all, NULL), 0);
	assert_true(key_equal(environments_at(estate_environments(fresh), 1)->master, mixed));
	estate_free(fresh);
	environment_lock(environments_at(all, 0));
	estate_restate(e, environments_at(all, 0));
	finish(e);
	assert_false(file_of(e, "a/y.properties")->entries[0].checked);
	estate_free(e);
	key_free(modern);
	key_free(mixed);
	key_free(other);
}

static void
test_a_secrets_file_that_changes(void **state)
{
	struct key *modern = fixture_key(MODERN_MASTER);
	struct environment *x;
	struct estate *e;

	(void)state;
	put("secrets.properties", NOTES("/srv/a"));
	put("x.properties", AT("/srv/a", ENTRY));
	e = scanned();
	x = environments_at(estate_environments(e), 0);
	assert_int_equal(environment_unlock(x, modern, NULL), 0);
	assert_int_equal(environment_reload(x, NULL), 0);
	/* Replaced, as everything that writes files well does. */
	put("new.properties", NOTES("/srv/b"));
	assert_int_equal(rename("new.properties", "secrets.properties"), 0);
	assert_int_equal(estate_refresh(e, "secrets.properties", NULL), 0);
	finish(e);
	assert_int_equal(environments_count(estate_environments(e)), 1);
	assert_non_null(x->master);
	assert_non_null(secrets_file_cipher(x->secrets));
	assert_unknown(e, "x.properties", DOUBT_NO_FILE, "/srv/a", NULL);
	/* A key that does not fit any more is gone. */
	put("new.properties", MIXED "_propseal.remote.0 = /srv/a\n");
	assert_int_equal(rename("new.properties", "secrets.properties"), 0);
	assert_int_equal(estate_refresh(e, "secrets.properties", NULL), 0);
	finish(e);
	assert_null(x->master);
	assert_entry(e, "x.properties", STATE_DANGLING, "secrets.properties");
	/* One that is gone is not replaced by a farther one. */
	assert_int_equal(unlink("secrets.properties"), 0);
	assert_int_equal(environment_reload(x, NULL), 1);
	assert_int_equal(x->problem->code, ERROR_MISSING);
	estate_free(e);
	key_free(modern);
}

static void
test_one_that_cannot_be_read_is_not_passed_over(void **state)
{
	struct estate *e;

	(void)state;
	put("secrets.properties", NOTES("/srv/secrets.properties"));
	put("near/secrets.properties", MODERN SECRETS_LENGTH " = 17\n");
	put("near/x.properties", AT("/etc/secrets.properties", ENTRY));
	e = scanned();
	assert_unknown(e, "near/x.properties", DOUBT_UNREADABLE, "near/secrets.properties", NULL);
	assert_int_equal(environments_at(estate_environments(e), 0)->problem->code,
	    ERROR_DAMAGED);
	estate_free(e);
}

/* --- several references, and other providers --- */

static void
test_references_of_several_environments_in_one_value(void **state)
{
	const struct estate_file *f;
	struct resolution x;
	struct estate *e;

	(void)state;
	put("a/secrets.properties", NOTES("/srv/a"));
	put("b/secrets.properties", NOTES("/srv/b"));
	put("x.properties", "k=${securepass:/srv/a:" ENTRY "}-${securepass:/srv/b:" GONE "}\n"
	    "l=${securepass:/srv/b:" ENTRY "}\nm=${vault:/srv/a:" ENTRY "}\n"
	    "n=${securepass:" ENTRY "}\nl=hidden\n");
	e = scanned();
	f = file_of(e, "x.properties");
	assert_int_equal(f->entries[0].state, STATE_DANGLING);
	assert_string_equal(f->entries[0].environment->path, "b/secrets.properties");
	assert_string_equal(f->entries[0].name, ENTRY);
	assert_int_equal(f->entries[2].state, STATE_OTHER);
	assert_int_equal(f->entries[3].state, STATE_UNKNOWN);
	assert_null(f->environment);
	/* Each counts in its own; a line that nobody reads does not. */
	assert_int_equal(environment_references(environments_at(estate_environments(e), 0), ENTRY,
	    strlen(ENTRY)), 1);
	assert_int_equal(environment_references(environments_at(estate_environments(e), 1), ENTRY,
	    strlen(ENTRY)), 0);
	assert_int_equal(environment_references(environments_at(estate_environments(e), 1), GONE,
	    strlen(GONE)), 1);
	x = resolved(e, "x.properties", "${vault:/srv/a:" ENTRY "}");
	assert_int_equal(x.state, STATE_OTHER);
	assert_null(x.environment);
	x = resolved(e, "x.properties", "${securepass:/srv/a:" ENTRY "}");
	assert_int_equal(x.state, STATE_SEALED);
	assert_true(x.entry == secrets_file_find(x.environment->secrets, ENTRY, strlen(ENTRY)));
	estate_free(e);
}

/* --- many --- */

/* Seconds of the processor to scan one file with so many references, each of a path of its own. */
static double
seconds_for(size_t n)
{
	struct estate *e;
	struct buf text;
	clock_t begun;
	double took;

	buf_init(&text, BUF_MAX_FILE);
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "k%zu=${securepass:/srv/%zu:" ENTRY "}\n", i, i);
	put("x.properties", buf_cstr(&text));
	buf_release(&text);
	begun = clock();
	e = scanned();
	took = (double)(clock() - begun) / CLOCKS_PER_SEC;
	assert_int_equal(file_of(e, "x.properties")->count, n);
	estate_free(e);
	assert_int_equal(unlink("x.properties"), 0);
	return took;
}

static void
test_paths_of_one_file_are_asked_about_in_linear_time(void **state)
{
	double few, many;

	(void)state;
	put("secrets.properties", MODERN);
	few = seconds_for(2500);
	many = seconds_for(40000);
	/* Sixteen times as many: before there was an index it was some two hundred times. */
	if (many > 64 * few + 0.1)
		fail_msg("%.3f s for 2500, %.3f s for 40000", few, many);
}

/* --- where to seal --- */

static void
assert_destination(const struct estate *e, const char *path, enum destination_kind kind,
    const char *secrets, const char *remote)
{
	const struct destination to = destination(e, path);

	if (to.kind != kind)
		fail_msg("%s: destination is of kind %d", path, (int)to.kind);
	if (secrets == NULL)
		assert_null(to.environment);
	else
		assert_string_equal(to.environment->path, secrets);
	if (remote == NULL)
		assert_null(to.remote);
	else
		assert_string_equal(to.remote, remote);
}

static void
test_where_to_seal(void **state)
{
	struct estate *e;

	(void)state;
	put("a/secrets.properties", NOTES("/srv/a"));
	put("b/secrets.properties", NOTES("/srv/b") "_propseal.remote.1 = /srv/b2\n");
	put("c/secrets.properties", MODERN);
	/* The environment that the references use, and their path. */
	put("a/b.properties", AT("/srv/b", ENTRY));
	put("a/a.properties", AT("/srv/a", ENTRY) "l=${securepass:/srv/a:" GONE "}\n");
	put("a/both.properties", AT("/srv/a", ENTRY) "l=${securepass:/srv/b:" ENTRY "}\n");
	put("a/odd.properties", AT("/srv/a", ENTRY) "l=${securepass:/srv/none:" ENTRY "}\n");
	/* Without references the nearest. */
	put("a/deep/none.properties", "k=1\n");
	put("b/none.properties", "k=1\n");
	put("c/none.properties", "k=1\n");
	put("none.properties", "k=1\n");
	e = scanned();
	assert_destination(e, "a/a.properties", DESTINATION_KNOWN, "a/secrets.properties",
	    "/srv/a");
	assert_destination(e, "a/b.properties", DESTINATION_KNOWN, "b/secrets.properties",
	    "/srv/b");
	assert_destination(e, "a/both.properties", DESTINATION_ASK, NULL, NULL);
	assert_string_equal(destination(e, "a/both.properties").one, "a/secrets.properties");
	assert_string_equal(destination(e, "a/both.properties").other, "b/secrets.properties");
	assert_destination(e, "a/odd.properties", DESTINATION_ASK, NULL, NULL);
	assert_null(destination(e, "a/odd.properties").other);
	assert_destination(e, "a/deep/none.properties", DESTINATION_KNOWN, "a/secrets.properties",
	    "/srv/a");
	/* It notes two paths, and its environment uses one. */
	assert_destination(e, "b/none.properties", DESTINATION_PROPOSED, "b/secrets.properties",
	    "/srv/b");
	/* No path is known. */
	assert_destination(e, "c/none.properties", DESTINATION_ASK, "c/secrets.properties", NULL);
	assert_destination(e, "none.properties", DESTINATION_ASK, NULL, NULL);
	assert_non_null(destination(e, "none.properties").other);
	estate_free(e);
}

/* Each once, in the order of the references; of many the first, and how many more. */
static void
test_each_of_several_destinations_is_named(void **state)
{
	struct estate *e;
	struct buf three, nine, secrets;
	char name[] = "e0/secrets.properties";

	(void)state;
	buf_init(&three, 65536);
	buf_init(&nine, 65536);
	buf_init(&secrets, 65536);
	for (int i = 0; i < 18; i++) {
		buf_printf(&nine, "k%d=${securepass:/srv/%d:" ENTRY "}\n", i, i % 9);
		if (i % 9 < 3)
			buf_printf(&three, "k%d=${securepass:/srv/%d:" ENTRY "}\n", i, i % 9);
		if (i >= 9)
			continue;
		buf_clear(&secrets);
		buf_printf(&secrets, "%s_propseal.remote.0 = /srv/%d\n", MODERN, i);
		name[1] = (char)('0' + i);
		put(name, buf_cstr(&secrets));
	}
	put("three.properties", buf_cstr(&three));
	put("nine.properties", buf_cstr(&nine));
	e = scanned();
	assert_destination(e, "three.properties", DESTINATION_ASK, NULL, NULL);
	assert_string_equal(destination(e, "three.properties").one,
	    "e0/secrets.properties, e1/secrets.properties");
	assert_string_equal(destination(e, "three.properties").other, "e2/secrets.properties");
	assert_string_equal(destination(e, "nine.properties").one,
	    "e0/secrets.properties, e1/secrets.properties, e2/secrets.properties, "
	    "e3/secrets.properties, e4/secrets.properties, e5/secrets.properties");
	assert_string_equal(destination(e, "nine.properties").other, "3 more");
	estate_free(e);
	buf_release(&secrets);
	buf_release(&nine);
	buf_release(&three);
}

/* Nobody's references are there, or only those of another folder. */
static void
test_a_destination_that_nothing_names_is_only_proposed(void **state)
{
	struct estate *e;

	(void)state;
	put("prod-eu/secrets.properties", NOTES("/srv/eu"));
	put("prod-us/clients/admin.properties", "k=1\n");
	e = scanned();
	assert_destination(e, "prod-us/clients/admin.properties", DESTINATION_PROPOSED,
	    "prod-eu/secrets.properties", "/srv/eu");
	estate_free(e);
	put("prod-eu/x.properties", AT("/srv/eu", ENTRY));
	put("prod-eu/y.properties", "k=1\n");
	e = scanned();
	assert_destination(e, "prod-us/clients/admin.properties", DESTINATION_PROPOSED,
	    "prod-eu/secrets.properties", "/srv/eu");
	assert_destination(e, "prod-eu/y.properties", DESTINATION_KNOWN,
	    "prod-eu/secrets.properties", "/srv/eu");
	assert_string_equal(file_of(e, "prod-eu/x.properties")->environment->name, "prod-eu");
	estate_free(e);
}

static void
test_sections_and_flags_name_the_destination(void **state)
{
	struct told t = { .count = 2, .sections = {
		{ .name = "one", .secrets_file = "one.properties", .remote_path = "/srv/one",
		    .files = "a/" },
		{ .name = "two", .secrets_file = "two.properties", .files = "b" } } };
	const struct environment_source s = { .sections = told_sections, .cookie = &t };
	struct estate *e;

	(void)state;
	assert_non_null(getcwd(t.folder, sizeof(t.folder)));
	put("one.properties", NOTES("/srv/noted"));
	put("two.properties", NOTES("/srv/two"));
	put("a/x.properties", "k=1\n");
	put("b/x.properties", "k=1\n");
	e = scanned_paths(here, 1, &s);
	assert_destination(e, "a/x.properties", DESTINATION_KNOWN, "one.properties", "/srv/one");
	assert_destination(e, "b/x.properties", DESTINATION_KNOWN, "two.properties", "/srv/two");
	estate_free(e);
	e = estate_new(here, 1, NULL);
	assert_non_null(environments_name(estate_environments(e), "two.properties", true, NULL));
	finish(e);
	assert_destination(e, "a/x.properties", DESTINATION_KNOWN, "two.properties", "/srv/two");
	estate_free(e);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, files_setup, files_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_the_path_decides_and_not_the_name),
		IN_FOLDER(test_those_that_note_the_path_come_before_those_of_its_base_name),
		IN_FOLDER(test_of_several_the_nearest),
		IN_FOLDER(test_two_checkouts_of_one_estate),
		IN_FOLDER(test_each_of_a_tie_is_named),
		IN_FOLDER(test_absent_is_dangling_and_never_looked_for_farther),
		IN_FOLDER(test_one_secrets_file_without_notes_takes_the_one_path_that_fits),
		IN_FOLDER(test_without_a_candidate_the_absolute_path_itself),
		IN_FOLDER(test_an_absolute_path_and_another_candidate),
		IN_FOLDER(test_a_section_wins),
		IN_FOLDER(test_sections_that_disagree_or_lead_nowhere),
		IN_FOLDER(test_one_that_a_flag_names_is_the_only_one),
		IN_FOLDER(test_one_that_is_named_elsewhere_is_one_of_several),
		IN_FOLDER(test_beside_a_file_that_is_named),
		IN_FOLDER(test_a_file_counts_once),
		IN_FOLDER(test_what_an_unknown_reference_names_is_perhaps_used),
		IN_FOLDER(test_counts_outlive_the_entries),
		IN_FOLDER(test_folders_of_kubernetes_are_not_walked),
		IN_FOLDER(test_names),
		IN_FOLDER(test_keys_are_held_for_each_file),
		IN_FOLDER(test_a_secrets_file_that_changes),
		IN_FOLDER(test_one_that_cannot_be_read_is_not_passed_over),
		IN_FOLDER(test_references_of_several_environments_in_one_value),
		IN_FOLDER(test_paths_of_one_file_are_asked_about_in_linear_time),
		IN_FOLDER(test_where_to_seal),
		IN_FOLDER(test_each_of_several_destinations_is_named),
		IN_FOLDER(test_a_destination_that_nothing_names_is_only_proposed),
		IN_FOLDER(test_sections_and_flags_name_the_destination)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <pthread.h>

#include "estate/environments.h"
#include "estate/estate.h"
#include "estate_fixture.h"
#include "files.h"

#define KEYSTORE "server.properties/ssl.keystore.password"
#define LEGACY_METADATA SECRETS_ITERATIONS " = 1000\n"
#define NOTED MODERN "_propseal.remote.0 = r\n_propseal.remote.1 = other\n"

#define SECRETS ".keys/secrets.properties"

static void
put_secrets(const char *text)
{
	(void)mkdir(".keys", 0700);
	(void)unlink(SECRETS);
	files_put(SECRETS, text, 0600);
}

/* ${secrets}: what is in the one secrets file, which is named; NULL: there is none. */
static struct estate *
scanned(const char *const paths[], size_t n, const char *secrets)
{
	struct estate *e = estate_new(paths, n, NULL);
	int rc;

	assert_non_null(e);
	if (secrets != NULL) {
		put_secrets(secrets);
		assert_non_null(environments_name(estate_environments(e), SECRETS, true, NULL));
	}
	while ((rc = estate_step(e, 1000, NULL)) == 1)
		;
	assert_int_equal(rc, 0);
	return e;
}

static struct estate *
scanned_folder(const char *secrets)
{
	static const char *const here[] = { "." };

	return scanned(here, 1, secrets);
}

/* References to an entry of the one secrets file. */
static size_t
references(const struct estate *e, const char *name, size_t len)
{
	return environment_references(environments_at(estate_environments(e), 0), name, len);
}

static void
finish(struct estate *e)
{
	while (estate_step(e, 1000, NULL) == 1)
		;
}

static const struct estate_file *
file_of(const struct estate *e, const char *path)
{
	size_t i;

	for (i = 0; i < estate_count(e); i++) {
		if (strcmp(estate_file(e, i)->path, path) == 0)
			return estate_file(e, i);
	}
	return NULL;
}

static void
assert_paths(const struct estate *e, const char *const paths[], size_t n)
{
	size_t i;

	for (i = 0; i < estate_count(e) && i < n; i++)
		assert_string_equal(estate_file(e, i)->path, paths[i]);
	assert_int_equal(estate_count(e), n);
}

static void
assert_sorted(const struct estate *e)
{
	size_t i;

	for (i = 1; i < estate_count(e); i++)
		assert_true(strcmp(estate_file(e, i - 1)->path, estate_file(e, i)->path) < 0);
}

static void
folder(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

static void
overwrite(const char *path, const char *text)
{
	assert_int_equal(unlink(path), 0);
	files_put(path, text, 0600);
}

/* --- what is found --- */

static void
test_folders_are_searched_and_files_sorted(void **state)
{
	static const char *const want[] = { "a.json", "a/a.properties",
		"a/b/c/deep.properties", "b.properties", "z.properties" };
	struct estate *e;

	(void)state;
	folder("a");
	folder("a/b");
	folder("a/b/c");
	folder("empty");
	files_put("z.properties", "k=1\n", 0600);
	files_put("a/b/c/deep.properties", "k=1\n", 0600);
	files_put("a/a.properties", "k=1\n", 0600);
	files_put("b.properties", "k=1\n", 0600);
	files_put("notes.txt", "k=1\n", 0600);
	files_put("a.json", "{}", 0600);
	files_put("a.PROPERTIES", "k=1\n", 0600);
	files_put("a.properties.bak", "k=1\n", 0600);
	e = scanned_folder(NULL);
	assert_paths(e, want, 5);
	estate_free(e);
}

static void
test_hidden_files_and_folders_are_passed_over(void **state)
{
	static const char *const want[] = { "seen.properties" };
	static const char *const named[] = { ".hidden", ".hidden.properties" };
	static const char *const found[] = { ".hidden.properties", ".hidden/x.properties" };
	struct estate *e;

	(void)state;
	folder(".hidden");
	files_put(".hidden/x.properties", "k=1\n", 0600);
	files_put(".hidden.properties", "k=1\n", 0600);
	files_put(".properties", "k=1\n", 0600);
	files_put("seen.properties", "k=1\n", 0600);
	e = scanned_folder(NULL);
	assert_paths(e, want, 1);
	estate_free(e);
	/* Those that are named are meant. */
	e = scanned(named, 2, NULL);
	assert_paths(e, found, 2);
	estate_free(e);
}

static void
test_symlinked_folders_are_not_followed_files_are(void **state)
{
	static const char *const want[] = { "elsewhere.properties", "real/x.properties" };
	static const char *const named[] = { "linked" };
	struct estate *e;

	(void)state;
	folder("real");
	files_put("real/x.properties", "k=1\n", 0600);
	assert_int_equal(symlink("real", "linked"), 0);
	assert_int_equal(symlink("..", "real/up"), 0);
	assert_int_equal(symlink("real/x.properties", "link.properties"), 0);
	assert_int_equal(symlink("real", "folder.properties"), 0);
	folder(".hidden");
	files_put(".hidden/x.properties", "k=1\n", 0600);
	assert_int_equal(symlink(".hidden/x.properties", "elsewhere.properties"), 0);
	e = scanned_folder(NULL);
	/* A file counts once, and not under the name of a link to it. */
	assert_paths(e, want, 2);
	assert_int_equal(file_of(e, "elsewhere.properties")->count, 1);
	assert_true(file_of(e, "elsewhere.properties")->is_link);
	assert_false(file_of(e, "real/x.properties")->is_link);
	estate_free(e);
	/* One that is named is meant. */
	e = scanned(named, 1, NULL);
	assert_int_equal(estate_count(e), 1);
	assert_string_equal(estate_file(e, 0)->path, "linked/x.properties");
	estate_free(e);
}

static void
test_what_is_no_file_is_no_entry(void **state)
{
	struct estate *e;

	(void)state;
	assert_int_equal(mkfifo("fifo.properties", 0600), 0);
	folder("folder.properties");
	files_put("folder.properties/x.properties", "k=1\n", 0600);
	e = scanned_folder(NULL);
	assert_int_equal(estate_count(e), 1);
	assert_string_equal(estate_file(e, 0)->path, "folder.properties/x.properties");
	estate_free(e);
}

static void
test_a_path_named_twice_is_one_file(void **state)
{
	static const char *const named[] = { "a.properties", "d", "d/b.properties", "d/",
		"a.properties" };
	static const char *const want[] = { "a.properties", "d/b.properties" };
	struct estate *e;

	(void)state;
	folder("d");
	files_put("a.properties", "password=${securepass:r:a.properties/password}\n", 0600);
	files_put("d/b.properties", "k=1\n", 0600);
	e = scanned(named, 5, NOTED);
	assert_paths(e, want, 2);
	/* And its references are counted once. */
	assert_int_equal(references(e, "a.properties/password", 21), 1);
	estate_free(e);
}

static void
test_what_cannot_be_read_is_an_entry_with_a_problem(void **state)
{
	static const char *const named[] = { "gone.properties", "a.txt", "bad.properties",
		"fifo.properties", "gone" };
	static const enum error_code codes[] = { ERROR_MISSING, ERROR_REFUSED, ERROR_FORMAT,
		ERROR_REFUSED };
	const struct estate_file *f;
	struct estate *e;
	size_t i;

	(void)state;
	files_put("a.txt", "k=1\n", 0600);
	files_put("bad.properties", "a=1\nk=\\u12\n", 0600);
	assert_int_equal(mkfifo("fifo.properties", 0600), 0);
	e = scanned(named, 5, NULL);
	assert_int_equal(estate_count(e), 5);
	for (i = 0; i < 4; i++) {
		f = file_of(e, named[i]);
		assert_non_null(f);
		assert_non_null(f->problem);
		assert_int_equal(f->problem->code, codes[i]);
		assert_string_equal(f->problem->file, named[i]);
		assert_int_equal(f->count, 0);
	}
	assert_int_equal(file_of(e, "bad.properties")->problem->line, 2);
	estate_free(e);
}

static void
unreadable(void *arg)
{
	static const char *const here[] = { "." };
	const struct estate_file *f;
	struct estate *e;

	(void)arg;
	files_become_nobody();
	e = estate_new(here, 1, NULL);
	CHECK(e != NULL);
	finish(e);
	CHECK(estate_count(e) == 3);
	f = file_of(e, "closed");
	CHECK(f != NULL && f->problem != NULL && f->problem->code == ERROR_IO);
	CHECK(strcmp(f->problem->file, "closed") == 0);
	f = file_of(e, "closed.properties");
	CHECK(f != NULL && f->problem != NULL && f->problem->code == ERROR_IO);
	f = file_of(e, "open.properties");
	CHECK(f != NULL && f->problem == NULL && f->count == 1);
	estate_free(e);
}

static void
test_unreadable_folders_and_files_are_problems(void **state)
{
	(void)state;
	folder("closed");
	files_put("closed/x.properties", "k=1\n", 0600);
	assert_int_equal(chmod("closed", 0700), 0);
	files_put("closed.properties", "k=1\n", 0600);
	files_put("open.properties", "k=1\n", 0644);
	assert_int_equal(chmod(".", 0755), 0);
	files_in_child(unreadable, NULL);
}

static void
test_a_secrets_file_is_recognised(void **state)
{
	struct estate *e;

	(void)state;
	files_put("secrets.properties", MODERN, 0600);
	files_put("_metadata.properties", "password=1\n", 0600);
	e = scanned_folder(NULL);
	assert_true(file_of(e, "secrets.properties")->is_secrets_file);
	assert_int_equal(file_of(e, "secrets.properties")->count, 0);
	assert_false(file_of(e, "_metadata.properties")->is_secrets_file);
	assert_int_equal(file_of(e, "_metadata.properties")->count, 1);
	estate_free(e);
}

/* --- entries --- */

static void
assert_entry(const struct estate_entry *x, const char *key, size_t len, size_t line,
    enum entry_state st, const char *name)
{
	assert_int_equal(x->key_len, len);
	assert_memory_equal(x->key, key, len + 1);
	assert_int_equal(x->line, line);
	assert_int_equal(x->state, st);
	if (name == NULL)
		assert_null(x->name);
	else
		assert_string_equal(x->name, name);
}

#define CONFIG \
	"# c\n" \
	"a=1\n" \
	"ssl.keystore.password=" OURS(KEYSTORE) "\n" \
	"b.password=" OURS("server.properties/gone") "\n" \
	"\n" \
	"c.password=hunter2\n" \
	"d=${vault:a:b}\n" \
	"a=2\n" \
	"e\\ \\u00e9=\\\n   3\n" \
	"nul\\u0000key=4\n" \
	"=5\n"

static void
test_entries_of_a_file(void **state)
{
	const struct estate_entry *x;
	const struct estate_file *f;
	struct estate *e;

	(void)state;
	files_put("server.properties", CONFIG, 0600);
	files_put("empty.properties", "", 0600);
	files_put("comment.properties", "# only\n", 0600);
	e = scanned_folder(MODERN);
	assert_int_equal(file_of(e, "empty.properties")->count, 0);
	assert_null(file_of(e, "empty.properties")->problem);
	assert_int_equal(file_of(e, "comment.properties")->count, 0);
	f = file_of(e, "server.properties");
	assert_int_equal(f->count, 9);
	x = f->entries;
	assert_entry(&x[0], "a", 1, 2, STATE_PLAIN, NULL);
	assert_entry(&x[1], "ssl.keystore.password", 21, 3, STATE_SEALED, KEYSTORE);
	assert_entry(&x[2], "b.password", 10, 4, STATE_DANGLING, "server.properties/gone");
	assert_entry(&x[3], "c.password", 10, 6, STATE_PLAIN, NULL);
	assert_entry(&x[4], "d", 1, 7, STATE_OTHER, NULL);
	assert_entry(&x[5], "a", 1, 8, STATE_PLAIN, NULL);
	assert_entry(&x[6], "e \303\251", 4, 9, STATE_PLAIN, NULL);
	assert_entry(&x[7], "nul\0key", 7, 11, STATE_PLAIN, NULL);
	assert_entry(&x[8], "", 0, 12, STATE_PLAIN, NULL);
	assert_true(x[0].shadowed);
	assert_false(x[5].shadowed);
	assert_true(x[1].sensitive && x[2].sensitive && x[3].sensitive);
	assert_false(x[0].sensitive || x[4].sensitive);
	estate_free(e);
}

/* What was cut from a secret is no key to be listed, and what holds one is marked. */
static void
test_what_is_of_no_interest_can_be_counted_only(void **state)
{
	static const char *const here[] = { "." };
	const struct estate_file *f;
	struct estate *e;

	(void)state;
	files_put("server.properties", CONFIG, 0600);
	files_put("plain.properties", "broker.id=1\nx=2\n", 0600);
	files_put("jaas.properties", "k=1\nsasl.jaas.config=org.apache.kafka.common.security.plain."
	    "PlainLoginModule required username=\"u\" password=\"p-long-secret\";\nlast=2\n", 0600);
	e = estate_new(here, 1, NULL);
	assert_non_null(e);
	put_secrets(MODERN);
	assert_non_null(environments_name(estate_environments(e), SECRETS, true, NULL));
	estate_set_brief(e, true);
	finish(e);
	f = file_of(e, "plain.properties");
	assert_int_equal(f->count, 0);
	assert_int_equal(f->others, 2);
	assert_null(f->problem);
	f = file_of(e, "server.properties");
	assert_int_equal(f->count, 4);
	assert_int_equal(f->others, 5);
	assert_entry(&f->entries[0], "ssl.keystore.password", 21, 3, STATE_SEALED, KEYSTORE);
	assert_entry(&f->entries[1], "b.password", 10, 4, STATE_DANGLING, "server.properties/gone");
	assert_entry(&f->entries[2], "c.password", 10, 6, STATE_PLAIN, NULL);
	assert_entry(&f->entries[3], "d", 1, 7, STATE_OTHER, NULL);
	/* What has a secret in it stands with its parts. */
	f = file_of(e, "jaas.properties");
	assert_int_equal(f->others, 2);
	assert_string_equal(f->entries[0].key, "sasl.jaas.config");
	assert_true(f->count > 1 && f->entries[f->count - 1].clear);
	estate_free(e);
}

static void
test_parts_of_a_cut_secret_are_not_listed(void **state)
{
	static const char *const want[] = { "a", "ssl.keystore.key", "x.jaas", "username", "z" };
	const struct estate_file *f;
	struct estate *e;

	(void)state;
	files_put("a.properties", "a=1\nssl.keystore.key=-----BEGIN PRIVATE KEY-----\n"
	    "MIISECRETBODY==\n-----END PRIVATE KEY-----\nx.jaas=a.LoginModule required \\ \n"
	    "  username=\"u\" password=\"p\";\nz=1\n", 0600);
	e = scanned_folder(NULL);
	f = estate_file(e, 0);
	assert_int_equal(f->count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(f->entries[i].key, want[i]);
		assert_int_equal(f->entries[i].sensitive, i > 0 && i < 4);
		/* What was cut off is not sealed under a key of its own. */
		assert_int_equal(f->entries[i].clear, i == 1 || i == 2);
	}
	estate_free(e);
}

static void
test_states_follow_the_secrets_file(void **state)
{
	const struct estate_entry *x;
	struct environment *one;
	struct estate *e;

	(void)state;
	files_put("server.properties", CONFIG, 0600);
	e = scanned_folder(MODERN "server.properties/gone = ENC[x\n");
	one = environments_at(estate_environments(e), 0);
	x = file_of(e, "server.properties")->entries;
	assert_int_equal(x[1].state, STATE_SEALED);
	assert_int_equal(x[2].state, STATE_DAMAGED);
	put_secrets(LEGACY_METADATA);
	assert_int_equal(environment_reload(one, NULL), 1);
	estate_restate(e, one);
	assert_int_equal(estate_step(e, 0, NULL), 1);
	finish(e);
	assert_int_equal(x[0].state, STATE_PLAIN);
	assert_int_equal(x[1].state, STATE_DANGLING);
	assert_int_equal(x[2].state, STATE_DANGLING);
	assert_int_equal(x[4].state, STATE_OTHER);
	/* One that cannot be read tells nothing. */
	assert_int_equal(unlink(SECRETS), 0);
	assert_int_equal(environment_reload(one, NULL), 1);
	estate_restate(e, NULL);
	finish(e);
	assert_int_equal(x[2].state, STATE_UNKNOWN);
	estate_free(e);
}

/* A NUL in a key is in the entry's name, too. */
static void
test_a_nul_in_a_name_is_not_its_end(void **state)
{
	const struct estate_entry *x;
	struct estate *e;

	(void)state;
	files_put("server.properties", "a\\u0000b=${securepass:r:server.properties/a\\u0000b}\n"
	    "c=${securepass:r:server.properties/a\\u0000c}\n", 0600);
	e = scanned_folder(NOTED
	    "server.properties/a\\u0000b = ENC[AES/GCM/NoPadding,data:AAAA,iv:AAAA,type:str]\n");
	x = file_of(e, "server.properties")->entries;
	assert_int_equal(x[0].name_len, 21);
	assert_memory_equal(x[0].name, "server.properties/a\0b", 22);
	assert_int_equal(x[0].state, STATE_SEALED);
	assert_int_equal(x[1].state, STATE_DANGLING);
	assert_int_equal(references(e, "server.properties/a\0b", 21), 1);
	assert_int_equal(references(e, "server.properties/a", 19), 0);
	estate_free(e);
}

static void
test_references_are_counted(void **state)
{
	struct estate *e;

	(void)state;
	files_put("a.properties", "x=${securepass:r:n/one}\ny=${securepass:r:n/one}\n"
	    "z=${vault:r:n/one}\nw=n/one\n", 0600);
	files_put("b.properties", "x=${securepass:other:n/one}\n"
	    "h=${securepass:r:n/hidden}\nh=1\n", 0600);
	e = scanned_folder(NOTED);
	assert_int_equal(references(e, "n/one", 5), 3);
	assert_int_equal(references(e, "n/on", 4), 0);
	/* A line that nobody reads does not count. */
	assert_int_equal(references(e, "n/hidden", 8), 0);
	overwrite("a.properties", "x=${securepass:r:n/one}\nn=${securepass:r:n/new}\n");
	assert_int_equal(estate_refresh(e, "a.properties", NULL), 0);
	finish(e);
	assert_int_equal(references(e, "n/one", 5), 2);
	assert_int_equal(references(e, "n/new", 5), 1);
	/* A step with nothing to do does not upset it. */
	assert_int_equal(estate_step(e, 0, NULL), 0);
	assert_int_equal(references(e, "n/one", 5), 2);
	estate_free(e);
}

/* --- step by step --- */

static void
test_the_scan_runs_in_steps(void **state)
{
	static const char *const here[] = { "." };
	struct estate *e;
	size_t seen = 0, steps = 0;
	char path[40];
	size_t i;

	(void)state;
	folder("d");
	for (i = 0; i < 50; i++) {
		snprintf(path, sizeof(path), "%s%zu.properties", i % 2 == 0 ? "d/" : "", i);
		files_put(path, "k=1\n", 0600);
	}
	e = estate_new(here, 1, NULL);
	assert_non_null(e);
	assert_int_equal(estate_count(e), 0);
	while (estate_step(e, 0, NULL) == 1) {
		/* What is found so far can be looked at. */
		assert_true(estate_count(e) >= seen);
		seen = estate_count(e);
		for (i = 0; i < seen; i++)
			assert_int_equal(estate_file(e, i)->count, 1);
		steps++;
	}
	assert_true(steps >= 50);
	assert_int_equal(estate_count(e), 50);
	assert_sorted(e);
	assert_int_equal(estate_step(e, 0, NULL), 0);
	estate_free(e);
}

/* --- with another thread --- */

/* A thread that finds what it is let find. */
struct looking {
	struct finder *finder;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t asked;	/* how often it asked whether it may go on */
	size_t may;	/* so many of these it may */
	bool ends;	/* else it must wait; or end */
};

static bool
looking_goes_on(void *cookie)
{
	struct looking *l = cookie;
	bool may;

	pthread_mutex_lock(&l->lock);
	l->asked++;
	pthread_cond_signal(&l->changed);
	while (l->asked > l->may && !l->ends)
		pthread_cond_wait(&l->changed, &l->lock);
	may = l->asked <= l->may;
	pthread_mutex_unlock(&l->lock);
	return may;
}

static void *
looking_run(void *cookie)
{
	struct looking *l = cookie;

	finder_run(l->finder, looking_goes_on, l);
	finder_release(l->finder);
	return NULL;
}

/* Let it find ${more}, and wait until it has; or end. */
static void
looking_let(struct looking *l, size_t more, bool end)
{
	pthread_mutex_lock(&l->lock);
	l->may += more;
	l->ends = end;
	pthread_cond_signal(&l->changed);
	while (l->asked <= l->may && !end)
		pthread_cond_wait(&l->changed, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

static void
looking_start(struct looking *l, struct estate *e)
{
	memset(l, 0, sizeof(*l));
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, NULL);
	l->finder = estate_lend(e);
	assert_non_null(l->finder);
	assert_null(estate_lend(e));
	assert_int_equal(pthread_create(&l->thread, NULL, looking_run, l), 0);
	looking_let(l, 0, false);
}

static void
looking_end(struct looking *l)
{
	assert_int_equal(pthread_join(l->thread, NULL), 0);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
}

/* Ten files in a folder, and a secrets file that they refer to. */
static struct estate *
estate_of_ten(void)
{
	static const char *const here[] = { "." };
	struct estate *e;
	char path[40];

	for (size_t i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "%zu.properties", i);
		files_put(path, "k=" OURS("server.properties/gone") "\n", 0600);
	}
	put_secrets(MODERN);
	e = estate_new(here, 1, NULL);
	assert_non_null(e);
	assert_non_null(environments_name(estate_environments(e), SECRETS, true, NULL));
	return e;
}

static void
test_another_thread_finds_the_files(void **state)
{
	struct estate *e;
	struct looking l;

	(void)state;
	e = estate_of_ten();
	looking_start(&l, e);
	assert_true(estate_is_lent(e));
	assert_true(estate_waits(e));
	assert_int_equal(estate_step(e, 1000, NULL), 1);
	assert_int_equal(estate_count(e), 0);
	/* The folder, and three files. */
	looking_let(&l, 4, false);
	assert_false(estate_waits(e));
	assert_int_equal(estate_step(e, 1000, NULL), 1);
	assert_true(estate_waits(e));
	assert_int_equal(estate_count(e), 3);
	assert_int_equal(estate_folder_count(e), 1);
	assert_int_equal(estate_file(e, 2)->entries[0].state, STATE_SEALED);
	assert_false(estate_file(e, 2)->entries[0].checked);
	/* What was read again meanwhile is not told by what was read before. */
	looking_let(&l, 100, true);
	looking_end(&l);
	assert_false(estate_is_lent(e));
	overwrite("0.properties", "x=1\n");
	overwrite("9.properties", "x=1\n");
	assert_int_equal(estate_refresh(e, "0.properties", NULL), 0);
	assert_int_equal(estate_refresh(e, "9.properties", NULL), 0);
	finish(e);
	assert_null(estate_lend(e));
	assert_int_equal(estate_count(e), 10);
	assert_sorted(e);
	assert_string_equal(file_of(e, "0.properties")->entries[0].key, "x");
	assert_string_equal(file_of(e, "9.properties")->entries[0].key, "x");
	for (size_t i = 1; i < 9; i++)
		assert_int_equal(estate_file(e, i)->entries[0].state, STATE_DANGLING);
	assert_int_equal(references(e, "server.properties/gone", 22), 8);
	estate_free(e);
}

static void
test_what_another_thread_leaves_is_found_all_the_same(void **state)
{
	struct estate *e;
	struct looking l;

	(void)state;
	e = estate_of_ten();
	looking_start(&l, e);
	looking_let(&l, 5, true);
	looking_end(&l);
	finish(e);
	assert_int_equal(estate_count(e), 10);
	estate_free(e);
}

static void
test_another_thread_may_outlive_the_estate(void **state)
{
	struct estate *e;
	struct looking l;

	(void)state;
	e = estate_of_ten();
	looking_start(&l, e);
	looking_let(&l, 3, false);
	estate_free(e);
	/* Nobody takes what it finds: it ends by itself. */
	looking_let(&l, 100, true);
	looking_end(&l);
	assert_int_equal(l.asked, 4);
}

static void
test_secrets_may_change_while_it_runs(void **state)
{
	static const char *const here[] = { "." };
	struct estate *e;
	char path[40];

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "%zu.properties", i);
		files_put(path, "k=" OURS("server.properties/gone") "\n", 0600);
	}
	put_secrets(MODERN "server.properties/gone = ENC[x\n");
	e = estate_new(here, 1, NULL);
	assert_non_null(e);
	assert_non_null(environments_name(estate_environments(e), SECRETS, true, NULL));
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(estate_step(e, 0, NULL), 1);
	put_secrets(MODERN);
	assert_int_equal(environment_reload(environments_at(estate_environments(e), 0), NULL), 1);
	estate_restate(e, NULL);
	finish(e);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(estate_file(e, i)->entries[0].state, STATE_DANGLING);
	estate_free(e);
}

static void
test_nothing_to_scan(void **state)
{
	struct estate *e = scanned(NULL, 0, NULL);

	(void)state;
	assert_int_equal(estate_count(e), 0);
	assert_int_equal(environments_count(estate_environments(e)), 0);
	estate_free(e);
	estate_free(NULL);
}

/* --- reading again --- */

static void
test_a_changed_file_is_read_again(void **state)
{
	const struct estate_file *f;
	struct estate *e;

	(void)state;
	files_put("a.properties", "k=1\n", 0600);
	e = scanned_folder(NULL);
	overwrite("a.properties", "k=1\nl=" OURS("a.properties/l") "\n");
	assert_int_equal(estate_refresh(e, "a.properties", NULL), 0);
	f = file_of(e, "a.properties");
	assert_int_equal(f->count, 2);
	assert_int_equal(f->entries[1].state, STATE_SEALED);
	/* Through damage and back. */
	overwrite("a.properties", "k=\\u\n");
	assert_int_equal(estate_refresh(e, "a.properties", NULL), 0);
	assert_int_equal(f->problem->code, ERROR_FORMAT);
	assert_int_equal(f->count, 0);
	overwrite("a.properties", MODERN);
	assert_int_equal(estate_refresh(e, "a.properties", NULL), 0);
	assert_null(f->problem);
	assert_true(f->is_secrets_file);
	overwrite("a.properties", "k=1\n");
	assert_int_equal(estate_refresh(e, "a.properties", NULL), 0);
	assert_false(f->is_secrets_file);
	assert_int_equal(f->count, 1);
	finish(e);
	assert_int_equal(f->entries[0].state, STATE_PLAIN);
	estate_free(e);
}

static void
test_a_new_file_joins_at_its_place(void **state)
{
	static const char *const want[] = { "a.properties", "b.properties", "c.properties" };
	struct estate *e;

	(void)state;
	files_put("a.properties", "k=1\n", 0600);
	files_put("c.properties", "k=1\n", 0600);
	e = scanned_folder(MODERN);
	files_put("b.properties", "k=" OURS(KEYSTORE) "\n", 0600);
	assert_int_equal(estate_refresh(e, "b.properties", NULL), 0);
	assert_paths(e, want, 3);
	assert_int_equal(estate_file(e, 1)->entries[0].state, STATE_SEALED);
	finish(e);
	assert_paths(e, want, 3);
	estate_free(e);
}

static void
test_a_new_file_in_the_middle_of_a_scan(void **state)
{
	static const char *const named[] = { "a.properties", "b.properties" };
	struct estate *e;

	(void)state;
	files_put("a.properties", "k=1\n", 0600);
	files_put("b.properties", "k=1\n", 0600);
	e = estate_new(named, 2, NULL);
	assert_non_null(e);
	assert_int_equal(estate_step(e, 0, NULL), 1);
	/* One that the scan would come to by itself. */
	assert_int_equal(estate_refresh(e, "b.properties", NULL), 0);
	finish(e);
	assert_paths(e, named, 2);
	estate_free(e);
}

static void
test_a_deleted_file_becomes_a_problem(void **state)
{
	const struct estate_file *f;
	struct estate *e;

	(void)state;
	files_put("a.properties", "k=" OURS("n") "\n", 0600);
	e = scanned_folder(MODERN);
	assert_int_equal(references(e, "n", 1), 1);
	assert_int_equal(unlink("a.properties"), 0);
	assert_int_equal(estate_refresh(e, "a.properties", NULL), 0);
	finish(e);
	f = file_of(e, "a.properties");
	assert_int_equal(f->problem->code, ERROR_MISSING);
	assert_int_equal(f->count, 0);
	assert_int_equal(references(e, "n", 1), 0);
	estate_free(e);
}

/* --- size --- */

/* Resident memory in bytes; 0 where it cannot be told. */
static size_t
resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size = 0, pages = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu %lu", &size, &pages) != 2)
		pages = 0;
	(void)fclose(f);
	return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void
test_ten_thousand_files_in_little_memory(void **state)
{
	enum { FOLDERS = 100, EACH = 100 };
	size_t before, after;
	struct estate *e;
	char path[80];
	int i, k;

	(void)state;
	for (i = 0; i < FOLDERS; i++) {
		snprintf(path, sizeof(path), "folder%d", i);
		folder(path);
		for (k = 0; k < EACH; k++) {
			snprintf(path, sizeof(path), "folder%d/connector-%d.properties", i, k);
			files_put(path, "name=sink\ntasks.max=4\nconnection.url=jdbc:db2://x\n"
			    "connection.password=hunter2\n"
			    "ssl.keystore.password=" OURS(KEYSTORE) "\n", 0600);
		}
	}
	before = resident();
	e = scanned_folder(MODERN);
	after = resident();
	assert_int_equal(estate_count(e), FOLDERS * EACH);
	assert_sorted(e);
	assert_int_equal(references(e, KEYSTORE, strlen(KEYSTORE)), FOLDERS * EACH);
	if (after > before && after - before > (size_t)60 << 20)
		fail_msg("grew by %zu KiB", (after - before) >> 10);
	estate_free(e);
}

#define DISK(test) cmocka_unit_test_setup_teardown(test, files_setup, files_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DISK(test_folders_are_searched_and_files_sorted),
		DISK(test_hidden_files_and_folders_are_passed_over),
		DISK(test_symlinked_folders_are_not_followed_files_are),
		DISK(test_what_is_no_file_is_no_entry),
		DISK(test_a_path_named_twice_is_one_file),
		DISK(test_what_cannot_be_read_is_an_entry_with_a_problem),
		DISK(test_unreadable_folders_and_files_are_problems),
		DISK(test_a_secrets_file_is_recognised),
		DISK(test_entries_of_a_file),
		DISK(test_what_is_of_no_interest_can_be_counted_only),
		DISK(test_parts_of_a_cut_secret_are_not_listed),
		DISK(test_states_follow_the_secrets_file),
		DISK(test_a_nul_in_a_name_is_not_its_end),
		DISK(test_references_are_counted),
		DISK(test_the_scan_runs_in_steps),
		DISK(test_another_thread_finds_the_files),
		DISK(test_what_another_thread_leaves_is_found_all_the_same),
		DISK(test_another_thread_may_outlive_the_estate),
		DISK(test_secrets_may_change_while_it_runs),
		DISK(test_nothing_to_scan),
		DISK(test_a_changed_file_is_read_again),
		DISK(test_a_new_file_joins_at_its_place),
		DISK(test_a_new_file_in_the_middle_of_a_scan),
		DISK(test_a_deleted_file_becomes_a_problem),
		DISK(test_ten_thousand_files_in_little_memory)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* An audit by several threads: it finds what one thread finds, in the same order. */
#include <sys/resource.h>
#include <limits.h>

#include "files.h"

#include "audit/audit.h"
#include "base/error.h"

#define FOLDERS 12
#define FILES 30	/* in each */

#define SEALED \
	"_metadata.master_key.0.salt = c2FsdA==\n" \
	"_metadata.symmetric_key.0.iterations = 1000\n" \
	"server3.properties/db.password = clear-in-a-secrets-file\n"

/* Of every kind that the threads hand over: findings, lines that suppress some, references, secrets
 * files, files that units name, references to files, workers, what cannot be read. */
static void
put_file(const char *folder, int i)
{
	char path[128], text[PATH_MAX + 512];

	switch (i % 10) {
	case 0:
		snprintf(path, sizeof(path), "%s/server%d.properties", folder, i);
		snprintf(text, sizeof(text), "a.password=%s-secret-of-%d\nb.password=changeit\n",
		    folder, i);
		break;
	case 1:
		snprintf(path, sizeof(path), "%s/values%d.yaml", folder, i);
		snprintf(text, sizeof(text), "# propseal:ignore clear-text-secret known\n"
		    "password: the-same-everywhere\napi_secret: other-secret-%d\n", i);
		break;
	case 2:
		snprintf(path, sizeof(path), "%s/broken%d.json", folder, i);
		snprintf(text, sizeof(text), "{\"password\": \"cut-off-secret");
		break;
	case 3:
		snprintf(path, sizeof(path), "%s/server%d.properties", folder, i);
		snprintf(text, sizeof(text), "# propseal:ignore base-name-collision\n"
		    "x=${securepass:/etc/%s.properties:server%d.properties/db.password}\n", folder,
		    i);
		break;
	case 4:
		snprintf(path, sizeof(path), "%s/secrets%d.properties", folder, i);
		snprintf(text, sizeof(text), SEALED);
		break;
	case 5:
		snprintf(path, sizeof(path), "%s/k%d.service", folder, i);
		snprintf(text, sizeof(text), "[Service]\nEnvironmentFile=%s/named-by-unit\n"
		    "Environment=DB_PASSWORD=secret-of-unit-%d\n", getenv("PWD"), i);
		break;
	case 6:
		snprintf(path, sizeof(path), "%s/connect-distributed%d.properties", folder, i);
		snprintf(text, sizeof(text), "group.id=c\nkey.converter=x.Y\n"
		    "offset.storage.topic=o\nconfig.storage.topic=c\nstatus.storage.topic=s\n");
		break;
	case 7:
		snprintf(path, sizeof(path), "%s/connector%d.json", folder, i);
		snprintf(text, sizeof(text), "{\"connector.class\": \"x.Y\", \"u\": "
		    "\"${file:%s/values.properties:lacking}\", \"p\": \"${vault:a:b}\"}",
		    getenv("PWD"));
		break;
	case 8:
		snprintf(path, sizeof(path), "%s/wide%d.properties", folder, i);
		files_put_bytes(path, "\xff\xfe" "a\0", 4, 0600);
		return;
	default:
		snprintf(path, sizeof(path), "%s/program%d.class", folder, i);
		snprintf(text, sizeof(text), "nothing\n");
	}
	files_put(path, text, i % 20 == 0 ? 0644 : 0600);
}

static void
put_all(void)
{
	char folder[32], here[PATH_MAX];

	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(setenv("PWD", here, 1), 0);
	files_put("named-by-unit", "NAMED_PASSWORD=named-by-a-unit\n", 0600);
	files_put("values.properties", "there=1\n", 0600);
	for (int i = 0; i < FOLDERS; i++) {
		snprintf(folder, sizeof(folder), "folder%d", i);
		assert_int_equal(mkdir(folder, 0700), 0);
		assert_int_equal(chmod(folder, i % 3 == 1 ? 0777 : 0700), 0);
		for (int k = 0; k < FILES; k++)
			put_file(folder, k);
	}
	assert_int_equal(mkfifo("folder2/pipe.properties", 0600), 0);
	assert_int_equal(symlink("server0.properties", "folder2/link.properties"), 0);
	assert_int_equal(symlink("../folder3", "folder4/loop"), 0);
}

static struct audit *
look(const struct audit_options *o, const char *const paths[], size_t n)
{
	struct error err;
	struct audit *a = audit_new(o, &err);

	assert_non_null(a);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(audit_path(a, paths[i], 0, &err), 0);
	assert_int_equal(audit_finish(a, &err), 0);
	return a;
}

static void
same_finding(const struct audit *a, const struct audit_finding *x, const struct audit *b,
    const struct audit_finding *y)
{
	struct audit_place p, q;
	size_t next = 0, other = 0;

	assert_string_equal(audit_file(a, x->file), audit_file(b, y->file));
	assert_string_equal(x->key, y->key);
	assert_string_equal(audit_message(x), audit_message(y));
	assert_true(x->id == y->id && x->rule == y->rule && x->level == y->level &&
	    x->form == y->form && x->line == y->line && x->column == y->column &&
	    x->end_line == y->end_line && x->end_column == y->end_column &&
	    x->suppressed == y->suppressed && x->related == y->related);
	while (audit_related(a, x, &next, &p)) {
		assert_true(audit_related(b, y, &other, &q));
		assert_string_equal(p.file, q.file);
	}
}

static void
same(const struct audit *a, const struct audit *b)
{
	const struct audit_counts x = audit_counts(a), y = audit_counts(b);

	assert_memory_equal(&x, &y, sizeof(x));
	assert_int_equal(audit_finding_count(a), audit_finding_count(b));
	for (size_t i = 0; i < audit_finding_count(a); i++)
		same_finding(a, audit_finding(a, i), b, audit_finding(b, i));
	assert_int_equal(audit_file_count(a), audit_file_count(b));
	for (size_t i = 0; i < audit_file_count(a); i++)
		assert_string_equal(audit_file(a, i), audit_file(b, i));
	assert_int_equal(audit_unread_count(a), audit_unread_count(b));
	for (size_t i = 0; i < audit_unread_count(a); i++) {
		assert_string_equal(audit_unread(a, i)->file, audit_unread(b, i)->file);
		assert_string_equal(audit_unread(a, i)->reason, audit_unread(b, i)->reason);
	}
}

static bool
has(const struct audit *a, enum audit_rule rule)
{
	for (size_t i = 0; i < audit_finding_count(a); i++)
		if (audit_finding(a, i)->rule == rule)
			return true;
	return false;
}

static void
test_threads_find_what_one_finds(void **state)
{
	static const char *const here[] = { "." };
	static const enum audit_rule rules[] = { AUDIT_CLEAR_TEXT, AUDIT_DEFAULT, AUDIT_REUSED,
		AUDIT_UNSEALED, AUDIT_WEAK_KDF, AUDIT_OPEN_MODE, AUDIT_PROVIDER, AUDIT_DANGLING,
		AUDIT_MISSING_FILE };
	struct audit_options o = { .threads = 1 };
	struct audit *one, *several;
	size_t unread = 0;

	(void)state;
	put_all();
	one = look(&o, here, 1);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		assert_true(has(one, rules[i]));
	for (size_t i = 0; i < audit_finding_count(one); i++)
		unread += strcmp(audit_finding(one, i)->key, "NAMED_PASSWORD") == 0;
	assert_int_equal(unread, 1);
	assert_true(audit_unread_count(one) > FOLDERS && audit_counts(one).suppressed > FOLDERS &&
	    audit_counts(one).skipped[AUDIT_SKIP_SPECIAL] == 1);
	for (size_t n = 2; n < 20; n += 5) {
		o.threads = n;
		several = look(&o, here, 1);
		same(one, several);
		audit_free(several);
	}
	o.keep_files = true;
	several = look(&o, here, 1);
	assert_true(audit_file_count(several) > audit_file_count(one));
	audit_free(several);
	audit_free(one);
}

static void
test_a_file_that_an_earlier_path_led_to_is_told_once(void **state)
{
	static const char *const paths[] = { "folder5", ".", "folder5/../folder6", "other" };
	struct audit_options o = { .threads = 1, .once = true, .keep_files = true };
	struct audit *one, *several;

	(void)state;
	put_all();
	assert_int_equal(symlink("folder7", "other"), 0);
	one = look(&o, paths, 4);
	o.threads = 6;
	several = look(&o, paths, 4);
	same(one, several);
	audit_free(several);
	audit_free(one);
}

static int
stops(void *limit, const struct audit *a, struct error *err)
{
	return audit_seen(a) < *(size_t *)limit ? 0 : error_set(err, ERROR_REFUSED, "stopped");
}

static void
test_what_is_stopped_has_the_first_files(void **state)
{
	static const char *const here[] = { "." };
	struct audit_options o = { .threads = 1 };
	struct audit *whole, *a, *part;
	size_t limit = 100;
	struct error err;

	(void)state;
	put_all();
	whole = look(&o, here, 1);
	o.goes_on = stops;
	o.cookie = &limit;
	o.threads = 7;
	assert_non_null(a = audit_new(&o, &err));
	assert_int_equal(audit_path(a, ".", 0, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_int_equal(audit_seen(a), limit);
	assert_non_null(part = audit_part(a, NULL, NULL, &err));
	audit_free(a);
	assert_true(audit_file_count(part) > 0);
	for (size_t i = 0; i < audit_file_count(part); i++)
		assert_string_equal(audit_file(part, i), audit_file(whole, i));
	audit_free(part);
	audit_free(whole);
}

static void
test_threads_are_fewer_where_few_files_can_be_open(void **state)
{
	static const char *const here[] = { "." };
	struct audit_options o = { .threads = 1 };
	struct audit *one, *several;
	struct rlimit before, few;
	int next;

	(void)state;
	put_all();
	one = look(&o, here, 1);
	o.threads = 16;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true((next = dup(0)) > 0);
	close(next);
	few = before;
	few.rlim_cur = (rlim_t)next + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	several = look(&o, here, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	same(one, several);
	audit_free(several);
	audit_free(one);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_threads_find_what_one_finds),
		TEST(test_a_file_that_an_earlier_path_led_to_is_told_once),
		TEST(test_what_is_stopped_has_the_first_files),
		TEST(test_threads_are_fewer_where_few_files_can_be_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

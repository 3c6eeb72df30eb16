/* What an audit found, as the rows of the view of the findings. */
#include "files.h"

#include "base/error.h"
#include "estate/estate.h"
#include "ui/findings.h"

#define BROKER \
	"broker.id=1\n" \
	"ssl.keystore.password=a-long-keystore-secret-1\n" \
	"ssl.key.password=a-long-key-secret-22\n"
#define WORKER \
	"# propseal:ignore clear-text-secret it is a test's\n" \
	"database.password=a-long-database-secret-3\n" \
	"ssl.truststore.password=changeit\n"

static struct audit_options options;

static struct audit *
look(void)
{
	struct error err;
	struct audit *a = audit_new(&options, &err);

	assert_non_null(a);
	assert_int_equal(audit_path(a, ".", 0, &err), 0);
	assert_int_equal(audit_finish(a, &err), 0);
	return a;
}

static bool
is_in_broker(const void *findings, const struct audit_finding *a)
{
	return strcmp(audit_file(((const struct findings *)findings)->audit, a->file),
	    "a/broker.properties") == 0;
}

static void
arrange(struct findings *f)
{
	struct error err;

	assert_int_equal(findings_arrange(f, is_in_broker, f, &err), 0);
}

static void
start(struct findings *f)
{
	assert_int_equal(mkdir("a", 0700), 0);
	assert_int_equal(mkdir("b", 0700), 0);
	files_put("a/broker.properties", BROKER, 0600);
	files_put("b/worker.properties", WORKER, 0600);
	files_put_bytes("b/wide.properties", "\xff\xfe" "a\0", 4, 0600);
	findings_open(f);
	findings_take(f, look());
	f->panes.left.list.height = 20;
	arrange(f);
}

static size_t
find_group(const struct findings *f, const char *name)
{
	size_t i = 0;

	while (i < f->groups.len && strcmp(findings_group(f, i)->name, name) != 0)
		i++;
	return i;
}

static void
test_groups_stand_the_worst_first_and_count_what_counts(void **state)
{
	const struct findings_group *g;
	struct findings f;
	char text[64];

	(void)state;
	start(&f);
	f.grouping = FINDINGS_BY_FILE;
	arrange(&f);
	assert_int_equal(f.groups.len, 3);
	g = findings_group(&f, 0);
	assert_string_equal(g->name, "a/broker.properties");
	assert_int_equal(g->levels[AUDIT_ERROR], 2);
	assert_int_equal(g->fixable, 2);
	assert_int_equal(g->level, AUDIT_ERROR);
	/* The ignored one is a row, and no count. */
	g = findings_group(&f, 1);
	assert_string_equal(g->name, "b/worker.properties");
	assert_int_equal(g->levels[AUDIT_ERROR], 1);
	assert_int_equal(g->fixable, 0);
	findings_print_levels(g->levels, text, sizeof(text));
	assert_string_equal(text, "1E 1W");
	assert_int_equal(f.counts.suppressed, 1);
	assert_int_equal(g->count, 3);
	g = findings_group(&f, 2);
	assert_int_equal(g->kind, FINDINGS_UNREAD);
	assert_int_equal(g->count, 1);
	assert_string_equal(findings_row(&f, g->first)->unread->file, "b/wide.properties");
	assert_int_equal(f.fixable, 2);
	findings_close(&f);
}

static void
test_within_a_group_the_worst_come_first_or_the_files_order_holds(void **state)
{
	const struct findings_group *g;
	struct findings f;

	(void)state;
	start(&f);
	f.grouping = FINDINGS_BY_FILE;
	for (int order = 0; order < FINDINGS_ORDERS; order++) {
		f.order = (enum findings_order)order;
		arrange(&f);
		g = findings_group(&f, 1);
		for (size_t i = 1; i < g->count; i++) {
			const struct audit_finding *a = findings_row(&f, g->first + i - 1)->finding;
			const struct audit_finding *b = findings_row(&f, g->first + i)->finding;

			if (f.order == FINDINGS_WORST)
				assert_true(a->level > b->level ||
				    (a->level == b->level && a->line <= b->line));
			else
				assert_true(a->line <= b->line);
		}
	}
	findings_close(&f);
}

static void
test_every_grouping_has_every_finding_once(void **state)
{
	struct findings f;

	(void)state;
	start(&f);
	for (int by = 0; by < FINDINGS_GROUPINGS; by++) {
		size_t rows = 0, all = audit_finding_count(f.audit);

		f.grouping = (enum findings_grouping)by;
		arrange(&f);
		for (size_t i = 0; i < f.groups.len; i++) {
			const struct findings_group *g = findings_group(&f, i);

			assert_int_equal(g->first, rows);
			rows += g->count;
		}
		assert_int_equal(rows, f.rows.len);
		assert_int_equal(rows, all + audit_unread_count(f.audit));
		for (size_t i = 0; i < all; i++)
			for (size_t k = i + 1; k < all; k++)
				assert_ptr_not_equal(findings_row(&f, i)->finding,
				    findings_row(&f, k)->finding);
	}
	/* Of no environment, both files are in one group. */
	f.grouping = FINDINGS_BY_ENVIRONMENT;
	arrange(&f);
	assert_int_equal(f.groups.len, 2);
	assert_int_equal(findings_group(&f, 0)->kind, FINDINGS_NOWHERE);
	findings_close(&f);
}

static void
test_filters_leave_out_what_does_not_count(void **state)
{
	size_t shown[FINDINGS_FILTERS];
	struct findings f;

	(void)state;
	start(&f);
	for (unsigned int filter = 0; filter < FINDINGS_FILTERS; filter++) {
		shown[filter] = 0;
		f.panes.left.filter = filter;
		for (size_t g = 0; g < f.groups.len; g++)
			for (size_t i = 0; i < findings_group(&f, g)->count; i++)
				shown[filter] += outline_passes(&f.panes.left, g, i);
	}
	/* The file that was not read is told but where only fixes are. */
	assert_int_equal(shown[FINDINGS_EVERYTHING], f.rows.len);
	assert_int_equal(shown[FINDINGS_OPEN], f.rows.len - 1);
	assert_int_equal(shown[FINDINGS_ERRORS], 3 + 1);
	assert_int_equal(shown[FINDINGS_FIXABLE], 2);
	findings_close(&f);
}

static void
test_known_findings_do_not_count(void **state)
{
	struct findings f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < audit_finding_count(f.audit); i++)
		audit_finding(f.audit, i)->known = true;
	f.grouping = FINDINGS_BY_FILE;
	arrange(&f);
	assert_int_equal(findings_group(&f, 0)->levels[AUDIT_ERROR], 0);
	assert_int_equal(f.fixable, 0);
	assert_int_equal(f.counts.fresh, 0);
	findings_close(&f);
}

/* Put the cursor on the finding of a key. */
static void
go_to(struct findings *f, const char *key)
{
	assert_true(outline_search(&f->panes.left, key, 0, false));
	outline_hold(&f->panes.left);
}

static const char *
key_selected(const struct findings *f)
{
	const struct findings_row *row;

	assert_non_null(findings_selected(f, &row));
	return row != NULL && row->finding != NULL ? row->finding->key : "";
}

static void
test_the_cursor_stays_on_its_finding(void **state)
{
	struct findings f;

	(void)state;
	start(&f);
	go_to(&f, "ssl.key.password");
	for (int by = FINDINGS_GROUPINGS; by-- > 0;) {
		f.grouping = (enum findings_grouping)by;
		arrange(&f);
		assert_string_equal(key_selected(&f), "ssl.key.password");
	}
	/* Lines move, and another audit is made. */
	assert_int_equal(unlink("a/broker.properties"), 0);
	files_put("a/broker.properties", "# one\n# two\n" BROKER, 0600);
	findings_take(&f, look());
	arrange(&f);
	assert_string_equal(key_selected(&f), "ssl.key.password");
	/* It is gone: the cursor is on what stands there now. */
	assert_int_equal(unlink("a/broker.properties"), 0);
	files_put("a/broker.properties", "broker.id=1\n", 0600);
	findings_take(&f, look());
	arrange(&f);
	assert_string_not_equal(key_selected(&f), "ssl.key.password");
	assert_true(f.panes.left.list.cursor < f.panes.left.rows.len);
	findings_close(&f);
}

static void
test_folds_are_kept_by_name(void **state)
{
	struct findings f;
	size_t rows;

	(void)state;
	start(&f);
	f.grouping = FINDINGS_BY_FILE;
	arrange(&f);
	rows = f.panes.left.rows.len;
	assert_int_equal(outline_fold(&f.panes.left, find_group(&f, "b/worker.properties"), true),
	    0);
	findings_take(&f, look());
	arrange(&f);
	assert_true(outline_folded(&f.panes.left, find_group(&f, "b/worker.properties")));
	assert_false(outline_folded(&f.panes.left, find_group(&f, "a/broker.properties")));
	assert_true(f.panes.left.rows.len < rows);
	findings_close(&f);
}

static void
test_without_an_audit_there_is_nothing(void **state)
{
	const struct findings_row *row;
	struct findings f;

	(void)state;
	findings_open(&f);
	arrange(&f);
	assert_int_equal(f.groups.len, 0);
	assert_null(findings_selected(&f, &row));
	findings_close(&f);
}

static struct estate *
look_for_files(void)
{
	static const char *const here[] = { "." };
	struct error err;
	struct estate *e = estate_new(here, 1, &err);

	assert_non_null(e);
	while (estate_step(e, 1000, &err) == 1)
		;
	return e;
}

/* A finding is of its file, and not of the one that stands in its place in another estate. */
static void
test_a_finding_is_found_by_its_files_name(void **state)
{
	const struct audit_finding *finding = NULL;
	const struct estate_file *file;
	const struct estate_entry *entry;
	struct estate *before, *after;
	struct findings f;
	struct error err;

	(void)state;
	start(&f);
	before = look_for_files();
	assert_int_equal(findings_name_files(&f, before, &err), 0);
	for (size_t i = 0; finding == NULL; i++)
		if (is_in_broker(&f, audit_finding(f.audit, i)) &&
		    audit_finding(f.audit, i)->key_len > 0)
			finding = audit_finding(f.audit, i);
	assert_true(findings_find(&f, before, finding, &file, &entry));
	assert_non_null(strstr(file->path, "a/broker.properties"));
	assert_non_null(entry);
	/* The same keys in a file that comes before it. */
	files_put("a/another.properties", BROKER, 0600);
	after = look_for_files();
	if (findings_find(&f, after, finding, &file, &entry))
		assert_non_null(strstr(file->path, "a/broker.properties"));
	assert_int_equal(findings_name_files(&f, after, &err), 0);
	assert_true(findings_find(&f, after, finding, &file, &entry));
	assert_non_null(strstr(file->path, "a/broker.properties"));
	findings_close(&f);
	estate_free(before);
	estate_free(after);
}

/* One secret in three files: each finding of it leads to the next place. */
static bool
keeps_reused(const void *middle, const struct audit_finding *f)
{
	return f->file != *(const size_t *)middle;
}

static void
test_a_part_has_what_is_kept_of_an_audit(void **state)
{
	static const char shared[] = "x.password=one-and-the-same-secret-77\n";
	struct audit_place other;
	struct audit *whole, *part;
	size_t middle, next = 0;
	struct error err;

	(void)state;
	files_put("a.properties", shared, 0600);
	files_put("b.properties", shared, 0600);
	files_put("c.properties", shared, 0600);
	files_put_bytes("wide.properties", "\xff\xfe" "a\0", 4, 0600);
	whole = look();
	middle = audit_finding(whole, audit_finding(whole, 0)->related)->file;
	assert_string_equal(audit_file(whole, middle), "b.properties");

	part = audit_part(whole, NULL, NULL, &err);
	assert_non_null(part);
	assert_int_equal(audit_finding_count(part), audit_finding_count(whole));
	assert_int_equal(audit_counts(part).fresh, audit_counts(whole).fresh);
	assert_int_equal(audit_unread_count(part), 1);
	audit_free(part);

	part = audit_part(whole, keeps_reused, &middle, &err);
	assert_non_null(part);
	assert_in_range(audit_finding_count(part), 2, audit_finding_count(whole) - 1);
	for (size_t i = 0; i < audit_finding_count(part); i++)
		assert_string_not_equal(audit_file(part, audit_finding(part, i)->file),
		    "b.properties");
	/* From the first to the third, which is the next one that is left. */
	assert_true(audit_related(part, audit_finding(part, 0), &next, &other));
	assert_string_equal(other.file, "c.properties");
	assert_int_equal(audit_counts(part).read, audit_counts(whole).read);
	audit_free(part);
	audit_free(whole);
}

static int
stops_behind_two(void *seen, const struct audit *a, struct error *err)
{
	*(size_t *)seen = audit_seen(a);
	return audit_seen(a) < 2 ? 0 : error_set(err, ERROR_REFUSED, "stopped");
}

static void
test_an_audit_that_is_stopped_has_what_it_came_to(void **state)
{
	struct audit_options o = { .goes_on = stops_behind_two };
	struct audit *a, *part;
	struct error err;
	size_t seen = 0;

	(void)state;
	o.cookie = &seen;
	files_put("a.properties", "a.password=a-long-secret-of-a-1\n", 0600);
	files_put("b.properties", "b.password=a-long-secret-of-b-2\n", 0600);
	files_put("c.properties", "c.password=a-long-secret-of-c-3\n", 0600);
	a = audit_new(&o, &err);
	assert_non_null(a);
	assert_int_equal(audit_path(a, ".", 0, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_int_equal(seen, 2);
	part = audit_part(a, NULL, NULL, &err);
	audit_free(a);
	assert_non_null(part);
	assert_int_equal(audit_finding_count(part), 2);
	assert_string_equal(audit_file(part, audit_finding(part, 1)->file), "b.properties");
	assert_null(audit_environment(part, 0));
	audit_free(part);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_groups_stand_the_worst_first_and_count_what_counts),
		TEST(test_within_a_group_the_worst_come_first_or_the_files_order_holds),
		TEST(test_every_grouping_has_every_finding_once),
		TEST(test_filters_leave_out_what_does_not_count),
		TEST(test_known_findings_do_not_count),
		TEST(test_the_cursor_stays_on_its_finding),
		TEST(test_folds_are_kept_by_name),
		TEST(test_without_an_audit_there_is_nothing),
		TEST(test_a_finding_is_found_by_its_files_name),
		TEST(test_a_part_has_what_is_kept_of_an_audit),
		TEST(test_an_audit_that_is_stopped_has_what_it_came_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

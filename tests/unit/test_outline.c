/* The outline that all main views show: rows, cursor, folding, searching. */
#include "ui/outline.h"
#include "unit.h"

#define ITEMS 4

/* Three groups with lines of text in them; an empty name ends the items. */
struct shelf {
	const char *group;
	const char *items[ITEMS];
	bool hidden;
};

struct shelves {
	struct shelf all[3];
	size_t count;
};

static const struct shelves filled = { .count = 3, .all = {
	{ "one", { "alpha", "beta", "alpha" }, false },
	{ "two", { "gamma" }, false },
	{ "three", { "Delta", "epsilon" }, false },
} };

static const struct shelf *
shelf(const void *cookie, size_t group)
{
	return &((const struct shelves *)cookie)->all[group];
}

static size_t
groups(const void *cookie)
{
	return ((const struct shelves *)cookie)->count;
}

static size_t
items(const void *cookie, size_t group)
{
	size_t n = 0;

	while (n < ITEMS && shelf(cookie, group)->items[n] != NULL)
		n++;
	return n;
}

static struct outline_id
id(const void *cookie, size_t group, size_t item)
{
	const struct shelf *s = shelf(cookie, group);
	const char *text = item == OUTLINE_HEAD ? s->group : s->items[item];

	return (struct outline_id){ text, strlen(text), item == OUTLINE_HEAD ? 0 : 10 * (item + 1) };
}

/* The filter is the letter that an item must have; groups may be hidden. */
static bool
passes(const void *cookie, unsigned int filter, size_t group, size_t item)
{
	const struct shelf *s = shelf(cookie, group);

	if (item == OUTLINE_HEAD)
		return !s->hidden;
	return filter == 0 || strchr(s->items[item], (int)filter) != NULL;
}

static struct outline_id
text_of(const void *cookie, const struct outline_row *r)
{
	return id(cookie, r->group, r->item);
}

/* In order 1 by name, in order 2 the other way round. */
static int
by_name(const void *cookie, unsigned int order, const struct outline_row *one,
    const struct outline_row *other)
{
	int c = strcmp(text_of(cookie, one).bytes, text_of(cookie, other).bytes);

	return order == 1 ? c : -c;
}

/* An item is its own key; the group's name is the file. */
static void
facts(const void *cookie, size_t group, size_t item, struct filter_facts *out)
{
	out->file = shelf(cookie, group)->group;
	if (item == OUTLINE_HEAD)
		return;
	out->key = shelf(cookie, group)->items[item];
	out->key_len = strlen(out->key);
	out->state = out->key[0];
}

static const struct outline_ops ops = { .groups = groups, .items = items, .id = id,
	.passes = passes };

static const char *const orders[] = { "as they come", "by name", "backwards", NULL };

static const struct outline_ops wordy = { .groups = groups, .items = items, .id = id,
	.passes = passes, .facts = facts, .states = "ae", .compare = by_name, .orders = orders };

static void
build(struct outline *o)
{
	assert_int_equal(outline_build(o), 0);
	(void)outline_restore(o);
}

static void
open_all(struct outline *o, const struct shelves *s)
{
	outline_init(o, &ops, s);
	outline_fold_all(o, false);
	o->list.height = 20;
	build(o);
}

/* The names of the rows, with the cursor's in brackets. */
static void
assert_rows(const struct outline *o, const char *expected)
{
	char text[256] = "";
	size_t used = 0;
	size_t i;

	for (i = 0; i < o->rows.len; i++) {
		const struct outline_row *r = outline_row(o, i);

		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    i == o->list.cursor ? "%s[%s]" : "%s%s", i > 0 ? " " : "",
		    id(o->cookie, r->group, r->item).bytes);
	}
	assert_string_equal(text, expected);
}

static void
test_folded_groups_have_no_items(void **state)
{
	struct outline o;

	(void)state;
	outline_init(&o, &ops, &filled);
	o.list.height = 20;
	build(&o);
	assert_rows(&o, "[one] two three");
	assert_int_equal(outline_fold(&o, 1, false), 0);
	build(&o);
	assert_rows(&o, "[one] two gamma three");
	assert_true(outline_folded(&o, 0));
	assert_false(outline_folded(&o, 1));
	outline_fold_all(&o, false);
	build(&o);
	assert_rows(&o, "[one] alpha beta alpha two gamma three Delta epsilon");
	outline_fold_all(&o, true);
	build(&o);
	assert_true(outline_folded(&o, 1));
	assert_rows(&o, "[one] two three");
	outline_release(&o);
}

/* The first group is the root of the others. */
static size_t
first_is_root(const void *cookie, size_t group)
{
	(void)cookie;
	(void)group;
	return 0;
}

static void
test_groups_stand_below_a_root(void **state)
{
	static const struct shelves shelves = { .count = 3, .all = {
		{ "root", { NULL }, false },
		{ "two", { "gamma" }, false },
		{ "three", { "Delta", "epsilon" }, false },
	} };
	struct outline_ops rooted = ops;
	struct outline o;

	(void)state;
	rooted.root = first_is_root;
	outline_init(&o, &rooted, &shelves);
	o.list.height = 20;
	build(&o);
	assert_rows(&o, "[root] two three");
	assert_int_equal(outline_fold(&o, 1, false), 0);
	build(&o);
	assert_rows(&o, "[root] two gamma three");
	/* With the root all below it goes, and the cursor to the root. */
	list_go(&o.list, 2);
	outline_hold(&o);
	assert_int_equal(outline_fold(&o, 0, true), 0);
	build(&o);
	assert_rows(&o, "[root]");
	assert_int_equal(outline_find(&o, 1, 0), 0);
	/* A search finds what a folded root hides, in a folded group too. */
	assert_true(outline_search(&o, "epsil", 0, false));
	assert_rows(&o, "root two gamma three Delta [epsilon]");
	outline_fold_all(&o, true);
	build(&o);
	assert_rows(&o, "root [two] three");
	outline_release(&o);
}

static void
test_the_cursor_stays_on_what_it_is_on(void **state)
{
	struct shelves s = filled;
	struct outline o;

	(void)state;
	open_all(&o, &s);
	list_go(&o.list, 3);
	outline_hold(&o);
	/* The second of one name, at its place, though groups come before it. */
	s.all[0] = filled.all[1];
	s.all[1] = filled.all[0];
	build(&o);
	assert_rows(&o, "two gamma one alpha beta [alpha] three Delta epsilon");
	/* Folded away it is its group, and itself again afterwards. */
	assert_int_equal(outline_fold(&o, 1, true), 0);
	build(&o);
	assert_rows(&o, "two gamma [one] three Delta epsilon");
	assert_int_equal(outline_fold(&o, 1, false), 0);
	build(&o);
	assert_rows(&o, "two gamma one alpha beta [alpha] three Delta epsilon");
	/* Gone: what stands there now, else its group, else the row number. */
	s.all[1].items[2] = "zeta";
	s.all[1].items[0] = "eta";
	build(&o);
	assert_rows(&o, "two gamma one eta beta [zeta] three Delta epsilon");
	s.all[1].items[0] = NULL;
	build(&o);
	assert_rows(&o, "two gamma [one] three Delta epsilon");
	s.all[1].hidden = true;
	assert_int_equal(outline_build(&o), 0);
	assert_false(outline_restore(&o));
	assert_rows(&o, "two gamma [three] Delta epsilon");
	outline_release(&o);
}

static void
test_what_is_held_may_come_later(void **state)
{
	struct outline_id group = { "three", 5, 0 }, item = { "epsilon", 7, 0 };
	struct shelves s = filled;
	struct outline o;

	(void)state;
	open_all(&o, &s);
	s.count = 0;
	build(&o);
	assert_null(outline_at(&o));
	outline_hold_id(&o, &group, &item);
	outline_hold(&o);
	s.count = 1;
	build(&o);
	assert_rows(&o, "[one] alpha beta alpha");
	s.count = 3;
	build(&o);
	assert_rows(&o, "one alpha beta alpha two gamma three Delta [epsilon]");
	outline_release(&o);
}

static void
test_a_filter_leaves_out_items_and_ends_a_range(void **state)
{
	struct outline o;

	(void)state;
	open_all(&o, &filled);
	o.ranging = true;
	o.range_from = 1;
	list_go(&o.list, 3);
	assert_false(outline_in_range(&o, 0));
	assert_true(outline_in_range(&o, 1));
	assert_true(outline_in_range(&o, 3));
	assert_false(outline_in_range(&o, 4));
	o.filter = 'l';
	build(&o);
	assert_rows(&o, "one alpha alpha [two] three Delta epsilon");
	assert_false(o.ranging);
	assert_false(outline_in_range(&o, 1));
	/* Not shown: its group. */
	assert_int_equal(outline_find(&o, 0, 2), 2);
	assert_int_equal(outline_find(&o, 0, 1), 0);
	outline_release(&o);
}

static void
test_groups_can_be_sorted(void **state)
{
	struct outline o;

	(void)state;
	outline_init(&o, &wordy, &filled);
	outline_fold_all(&o, false);
	o.list.height = 20;
	build(&o);
	assert_rows(&o, "[one] alpha beta alpha two gamma three Delta epsilon");
	o.order = 1;
	build(&o);
	assert_rows(&o, "[one] alpha alpha beta three Delta epsilon two gamma");
	list_go(&o.list, outline_find(&o, 1, 0));
	outline_hold(&o);
	outline_fold_all(&o, true);
	build(&o);
	assert_rows(&o, "one three [two]");
	o.order = 2;
	build(&o);
	assert_rows(&o, "[two] three one");
	outline_release(&o);
}

static void
test_a_flat_list_has_items_alone(void **state)
{
	struct outline o;

	(void)state;
	outline_init(&o, &wordy, &filled);
	o.list.height = 20;
	o.flat = true;
	build(&o);
	assert_rows(&o, "[alpha] beta alpha gamma Delta epsilon");
	list_go(&o.list, 3);
	outline_hold(&o);
	o.order = 1;
	build(&o);
	assert_rows(&o, "Delta alpha alpha beta epsilon [gamma]");
	/* A group is where its first item is. */
	assert_int_equal(outline_find(&o, 2, OUTLINE_HEAD), 0);
	/* And back, to what the cursor was on. */
	o.flat = false;
	o.order = 0;
	outline_fold_all(&o, false);
	build(&o);
	assert_rows(&o, "one alpha beta alpha two [gamma] three Delta epsilon");
	outline_release(&o);
}

static void
test_filter_words_say_what_is_shown(void **state)
{
	static const struct {
		const char *words, *rows;
	} cases[] = {
		{ "ALPHA", "one alpha alpha" },
		{ "-alpha", "one beta two gamma three Delta epsilon" },
		{ "file:t -gam", "three Delta epsilon" },
		{ "a", "one alpha alpha" },
		{ "a e", "one alpha alpha three epsilon" },
		{ "-a -e", "one beta two gamma three Delta" },
		{ "a lph three", "" },
		{ "env:x", "" },
		{ "-env:x -rule:y", "one alpha beta alpha two gamma three Delta epsilon" },
		{ "  two  ", "two gamma" },
		{ "z", "" },
		{ "-", "" },
		{ "", "one alpha beta alpha two gamma three Delta epsilon" },
	};
	char many[3 * FILTER_WORDS_MAX + 1];
	struct outline o;

	(void)state;
	outline_init(&o, &wordy, &filled);
	o.list.height = 20;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(filter_set(&o.words, cases[i].words, "ae"));
		outline_fold_all(&o, false);
		build(&o);
		o.list.cursor = (size_t)-1;
		assert_rows(&o, cases[i].rows);
	}
	/* Folded or not. */
	outline_fold_all(&o, true);
	assert_true(filter_set(&o.words, "beta", "ae"));
	build(&o);
	assert_rows(&o, "[one]");
	assert_true(outline_passes(&o, 0, 1));
	assert_false(outline_passes(&o, 0, 0));
	/* What is too much changes nothing. */
	many[0] = '\0';
	for (size_t i = 0; i <= FILTER_WORDS_MAX; i++)
		memcpy(many + 2 * i, "x ", 3);
	assert_false(filter_set(&o.words, many, "ae"));
	assert_string_equal(o.words.text, "beta");
	outline_release(&o);
}

static void
test_matches_are_counted_folded_or_not(void **state)
{
	struct outline o;
	size_t at;

	(void)state;
	open_all(&o, &filled);
	list_go(&o.list, 3);
	assert_int_equal(outline_count(&o, "alpha", &at), 2);
	assert_int_equal(at, 2);
	assert_int_equal(outline_count(&o, "delta", &at), 1);
	assert_int_equal(at, 0);
	assert_int_equal(outline_count(&o, "none", &at), 0);
	/* "one", and what it hides. */
	outline_fold_all(&o, true);
	build(&o);
	list_go(&o.list, 2);
	assert_int_equal(outline_count(&o, "e", &at), 5);
	assert_int_equal(at, 3);
	o.filter = 'p';
	build(&o);
	assert_int_equal(outline_count(&o, "alpha", &at), 2);
	assert_int_equal(outline_count(&o, "beta", &at), 0);
	outline_release(&o);
}

static void
test_search_goes_round_and_unfolds(void **state)
{
	struct outline o;

	(void)state;
	open_all(&o, &filled);
	assert_true(outline_search(&o, "alpha", 0, false));
	assert_int_equal(o.list.cursor, 1);
	assert_true(outline_search(&o, "alpha", 2, false));
	assert_int_equal(o.list.cursor, 3);
	assert_true(outline_search(&o, "alpha", 4, false));
	assert_int_equal(o.list.cursor, 1);
	assert_true(outline_search(&o, "alpha", 0, true));
	assert_int_equal(o.list.cursor, 3);
	assert_false(outline_search(&o, "omega", 0, false));
	assert_false(outline_search(&o, "", 0, false));
	outline_fold_all(&o, true);
	build(&o);
	assert_false(outline_search(&o, "delta", 0, true));
	assert_true(outline_search(&o, "delta", 0, false));
	assert_rows(&o, "one two three [Delta] epsilon");
	outline_release(&o);
}

static void
test_marks_are_kept_by_name(void **state)
{
	struct marks *m = marks_new();

	(void)state;
	assert_non_null(m);
	assert_false(marks_has(m, "one", "a", 1));
	assert_int_equal(marks_set(m, "one", "a", 1, true), 0);
	assert_int_equal(marks_set(m, "one", "a", 1, true), 0);
	assert_int_equal(marks_set(m, "one", "b", 1, false), 0);
	assert_int_equal(marks_count(m), 1);
	assert_true(marks_has(m, "one", "a", 1));
	assert_false(marks_has(m, "one", "b", 1));
	assert_false(marks_has(m, "on", "ea", 2));
	marks_clear(m);
	assert_int_equal(marks_count(m), 0);
	assert_false(marks_has(m, "one", "a", 1));
	marks_free(m);
	marks_free(NULL);
}

/* In any order, and again: what is asked for next is mostly near, and need not be. */
static void
test_marks_are_found_in_any_order(void **state)
{
	static const char *const groups[] = { "a", "ab", "b", "" };
	const size_t count = 40;
	struct marks *m = marks_new();
	bool on[160] = { false };
	size_t at = 0, marked = 0, random = 1;
	char item[8];

	(void)state;
	assert_non_null(m);
	for (size_t i = 0; i < 20000; i++) {
		random = random * 1103515245 + 12345;
		at = i % 3 == 0 ? (random >> 16) % (4 * count) : (at + i % 3 - 1) % (4 * count);
		snprintf(item, sizeof(item), "%zu", at % count);
		assert_int_equal(marks_has(m, groups[at / count], item, strlen(item)), on[at]);
		if (i % 5 == 0)
			continue;
		marked += on[at] ? (size_t)-1 : 1;
		on[at] = !on[at];
		assert_int_equal(marks_set(m, groups[at / count], item, strlen(item), on[at]), 0);
		assert_int_equal(marks_count(m), marked);
	}
	marks_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folded_groups_have_no_items),
		cmocka_unit_test(test_groups_stand_below_a_root),
		cmocka_unit_test(test_the_cursor_stays_on_what_it_is_on),
		cmocka_unit_test(test_what_is_held_may_come_later),
		cmocka_unit_test(test_a_filter_leaves_out_items_and_ends_a_range),
		cmocka_unit_test(test_groups_can_be_sorted),
		cmocka_unit_test(test_a_flat_list_has_items_alone),
		cmocka_unit_test(test_filter_words_say_what_is_shown),
		cmocka_unit_test(test_matches_are_counted_folded_or_not),
		cmocka_unit_test(test_search_goes_round_and_unfolds),
		cmocka_unit_test(test_marks_are_kept_by_name),
		cmocka_unit_test(test_marks_are_found_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* core/merge: entries of three versions become one file, or a conflict. */

#include "document_support.h"
#include "merge/merge.h"

struct merged {
	struct buf text;	/* NUL behind it */
	struct merge_result r;
};

static struct merged
merge_bytes(const char *base, size_t base_n, const char *ours, size_t ours_n,
    const char *theirs, size_t theirs_n)
{
	struct document *d[MERGE_SIDES] = { parse(base, base_n), parse(ours, ours_n),
		parse(theirs, theirs_n) };
	struct merge_input in = { .doc = { d[0], d[1], d[2] } };
	struct error err = { 0 };
	struct merged m;

	buf_init_secret(&m.text, BUF_MAX_FILE);
	if (merge_documents(&in, &m.text, &m.r, &err) != 0)
		fail_msg("no merge: %s", err.text);
	for (size_t i = 0; i < MERGE_SIDES; i++)
		document_free(d[i]);
	return m;
}

static struct merged
merge(const char *base, const char *ours, const char *theirs)
{
	return merge_bytes(base, strlen(base), ours, strlen(ours), theirs, strlen(theirs));
}

static void
merged_release(struct merged *m)
{
	buf_release(&m->text);
	merge_result_release(&m->r);
}

static void
assert_merge(const char *base, const char *ours, const char *theirs, const char *expected)
{
	struct merged m = merge(base, ours, theirs);

	assert_string_equal(buf_cstr(&m.text), expected);
	assert_int_equal(m.r.conflicts, 0);
	assert_false(m.r.whole);
	assert_int_equal(m.r.names.len, 0);
	merged_release(&m);
}

static void
assert_conflict(const char *base, const char *ours, const char *theirs, const char *expected,
    size_t conflicts, const char *names)
{
	struct merged m = merge(base, ours, theirs);

	assert_string_equal(buf_cstr(&m.text), expected);
	assert_int_equal(m.r.conflicts, conflicts);
	assert_false(m.r.whole);
	assert_string_equal(buf_cstr(&m.r.names), names);
	merged_release(&m);
}

static void
assert_whole(const char *base, const char *ours, const char *theirs)
{
	struct merged m = merge(base, ours, theirs);
	char expected[4096];

	snprintf(expected, sizeof(expected), "<<<<<<< ours\n%s%s=======\n%s%s>>>>>>> theirs\n",
	    ours, ours[strlen(ours) - 1] == '\n' ? "" : "\n", theirs,
	    theirs[strlen(theirs) - 1] == '\n' ? "" : "\n");
	assert_string_equal(buf_cstr(&m.text), expected);
	assert_int_equal(m.r.conflicts, 1);
	assert_true(m.r.whole);
	assert_int_equal(m.r.names.len, 0);
	merged_release(&m);
}

static void
test_changes_of_one_side_are_taken(void **state)
{
	(void)state;
	assert_merge("a=1\nb=2\nc=3\n", "a=1\nb=9\nc=3\n", "a=8\nb=2\nc=3\n",
	    "a=8\nb=9\nc=3\n");
	assert_merge("a=1\nb=2\n", "a=1\n", "a=1\nb=2\nc=3\n", "a=1\nc=3\n");
	assert_merge("a=1\nb=2\nc=3\n", "b=2\nc=3\n", "a=1\nb=2\n", "b=2\n");
	assert_merge("", "a=1\n", "", "a=1\n");
	assert_merge("a=1\n", "a=1\n", "", "");
}

static void
test_equal_is_equal(void **state)
{
	(void)state;
	assert_merge("a=1\n", "a=2\nx=5\n", "a=2\nx=5\nb=1\n", "a=2\nx=5\nb=1\n");
	assert_merge("a=1\nb=1\n", "b=1\nn=1\n", "b=1\nm=1\n", "b=1\nn=1\nm=1\n");
	/* Another spelling is no other value; the one that is new stays. */
	assert_merge("a=x y\nb=1\n", "a = x\\u0020y\nb=1\n", "a=x y\nb=2\n",
	    "a = x\\u0020y\nb=2\n");
	assert_merge("a=x y\nb=1\n", "a=x y\nb=2\n", "a = x\\u0020y\nb=1\n",
	    "a = x\\u0020y\nb=2\n");
}

static void
test_an_untouched_side_changes_no_byte(void **state)
{
	static const char odd[] = "# c\r\n\r\n  a : 1\\\r\n   2\r\na=3\rno line end \\";

	(void)state;
	assert_merge(odd, odd, "b=1", "b=1");
	assert_merge(odd, "b=1", odd, "b=1");
	assert_merge("b=1", odd, odd, odd);
}

static void
test_both_changed_is_a_conflict_of_that_entry(void **state)
{
	(void)state;
	assert_conflict("# one\na=1\nb=2\nc=3\n", "# one\na=1\nb=8\nc=3\n",
	    "# one\na=1\nb=9\nc=4\n",
	    "# one\na=1\n<<<<<<< ours\nb=8\n=======\nb=9\n>>>>>>> theirs\nc=4\n", 1, "b\n");
	/* Added on both. */
	assert_conflict("a=1\n", "a=1\nn=1\n", "a=1\nn=2\n",
	    "a=1\n<<<<<<< ours\nn=1\n=======\nn=2\n>>>>>>> theirs\n", 1, "n\n");
	/* Removed and changed. */
	assert_conflict("a=1\nb=2\n", "a=1\n", "a=1\nb=3\n",
	    "a=1\n<<<<<<< ours\n=======\nb=3\n>>>>>>> theirs\n", 1, "b\n");
	assert_conflict("a=1\nb=2\n", "a=1\nb=3\n", "a=1\n",
	    "a=1\n<<<<<<< ours\nb=3\n=======\n>>>>>>> theirs\n", 1, "b\n");
}

static void
test_a_tag_goes_with_its_entry(void **state)
{
	(void)state;
	assert_merge("a=1\n_propseal.tag/a=t1\n", "a=2\n_propseal.tag/a=t2\n",
	    "a=1\n_propseal.tag/a=t1\nb=1\n", "a=2\n_propseal.tag/a=t2\nb=1\n");
	/* The side that changed the value brings its tag, or that it has none. */
	assert_merge("a=1\n", "a=1\n_propseal.tag/a=t1\n", "a=2\n", "a=2\n");
	assert_merge("a=1\n", "a=1\n_propseal.tag/a=t1\n", "a=2\n_propseal.tag/a=t2\n",
	    "a=2\n_propseal.tag/a=t2\n");
	assert_merge("a=1\nb=1\n", "a=1\nb=1\n_propseal.tag/a=t1\n", "a=1\nb=2\n",
	    "a=1\nb=2\n_propseal.tag/a=t1\n");
	assert_conflict("a=1\n_propseal.tag/a=t1\nb=1\n", "a=2\n_propseal.tag/a=t2\nb=1\n",
	    "a=3\nb=1\n_propseal.tag/a=t3\n",
	    "<<<<<<< ours\na=2\n_propseal.tag/a=t2\n=======\na=3\n_propseal.tag/a=t3\n"
	    ">>>>>>> theirs\nb=1\n", 1, "a\n");
	/* Removing takes both. */
	assert_merge("a=1\n_propseal.tag/a=t1\nb=1\n", "b=1\n",
	    "a=1\n_propseal.tag/a=t1\nb=2\n", "b=2\n");
}

static void
test_new_entries_stay_where_they_were_put(void **state)
{
	(void)state;
	assert_merge("a=1\nz=1\n", "a=1\nm=1\nz=1\n", "a=1\nn=1\nz=1\n",
	    "a=1\nm=1\nn=1\nz=1\n");
	assert_merge("a=1\n", "a=1\nb=1\n", "first=1\na=1\n", "first=1\na=1\nb=1\n");
	/* The order of ours where the two differ. */
	assert_merge("a=1\nb=1\nc=1\n", "c=1\nb=1\na=1\n", "a=1\nb=1\nc=2\n",
	    "c=2\nb=1\na=1\n");
}

static void
test_comments_go_with_the_entry_behind_them(void **state)
{
	(void)state;
	assert_merge("# a\na=1\n\n# b\nb=1\n", "# a\na=1\n\n# b\nb=1\n\n# n\nn=1\n",
	    "# a is new\na=1\n", "# a is new\na=1\n\n# n\nn=1\n");
	/* The entry goes, a comment that somebody wrote meanwhile does not. */
	assert_merge("a=1\nb=1\n", "a=1\n", "a=1\n# why\nb=1\n", "a=1\n# why\n");
	/* Removed by one, the comment in front stays where that one left it. */
	assert_merge("# head\na=1\nb=1\n", "# head\nb=1\n", "# head\na=1\nb=2\n",
	    "# head\nb=2\n");
	/* Both put an entry between a comment and what it stood in front of. */
	assert_merge("a=1\n# end\n", "a=1\n# end\nm=1\n", "a=1\n# end\nn=1\n",
	    "a=1\n# end\nm=1\nn=1\n");
	assert_merge("# c\na=1\n", "# c\nm=1\na=1\n", "# c\nn=1\na=1\n",
	    "# c\nm=1\nn=1\na=1\n");
}

static void
test_a_comment_that_both_changed_is_a_conflict(void **state)
{
	(void)state;
	assert_conflict("# c\na=1\nb=1\n", "# ours\na=1\nb=1\n", "# theirs\na=1\nb=1\n",
	    "<<<<<<< ours\n# ours\na=1\n=======\n# theirs\na=1\n>>>>>>> theirs\nb=1\n", 1,
	    "a\n");
	assert_conflict("a=1\n", "a=1\n# ours\n", "a=1\n# theirs\n",
	    "a=1\n<<<<<<< ours\n# ours\n=======\n# theirs\n>>>>>>> theirs\n", 1,
	    "the lines behind the last entry\n");
	/* Only the value is in conflict: the comment stands in front of it. */
	assert_conflict("# c\na=1\n", "# ours\na=2\n", "# c\na=3\n",
	    "# ours\n<<<<<<< ours\na=2\n=======\na=3\n>>>>>>> theirs\n", 1, "a\n");
}

static void
test_line_ends_are_kept_and_made_to_match(void **state)
{
	(void)state;
	assert_merge("a=1\r\nb=1\r\n", "a=1\r\nb=2\r\n", "a=3\r\nb=1\r\n", "a=3\r\nb=2\r\n");
	/* No line end at the end of either. */
	assert_merge("a=1\nb=1", "a=1\nb=1\nm=1", "a=1\nb=1\nn=1", "a=1\nb=1\nm=1\nn=1");
	assert_conflict("a=1\r\n", "a=2\r\n", "a=3\r\n",
	    "<<<<<<< ours\r\na=2\r\n=======\r\na=3\r\n>>>>>>> theirs\r\n", 1, "a\n");
	assert_conflict("a=1", "a=2", "a=3",
	    "<<<<<<< ours\na=2\n=======\na=3\n>>>>>>> theirs\n", 1, "a\n");
}

static void
test_lines_that_nobody_reads_go_with_the_next_entry(void **state)
{
	(void)state;
	/* The first a is hidden by the second. */
	assert_merge("a=0\na=1\nb=1\n", "a=0\na=1\nb=2\n", "a=0\na=5\nb=1\n",
	    "a=0\na=5\nb=2\n");
	assert_merge("a=0\na=1\nb=1\n", "a=0\na=1\nb=2\n", "b=1\n", "b=2\n");
}

static void
test_what_cannot_be_merged_by_entry_is_one_conflict(void **state)
{
	(void)state;
	/* A malformed escape: a reader would refuse the file. */
	assert_whole("a=1\n", "a=\\u12\n", "a=2\n");
	assert_whole("a=1\n", "a=2\n", "a=\\u12");
	/* Ours hid a second a, theirs removed a: the hidden one would come to light. */
	assert_whole("a=1\nb=1\n", "a=0\na=1\nb=1\n", "b=1\n");
	/* A last line that would be joined with what is put behind it. */
	assert_whole("a=1\nb=1\n", "a=1\nb=1\nm=1\\", "a=1\nb=1\nn=1\n");
	/* Conflicts of an earlier merge that were never solved. */
	assert_whole("a=1\n", "<<<<<<< x\na=1\n=======\na=2\n>>>>>>> y\n", "a=1\nb=1\n");
}

static void
test_key_metadata_is_taken_from_one_side(void **state)
{
	static const char base[] = "_metadata.master_key.0.salt=s\n"
	    "_metadata.symmetric_key.0.envvar=E\n_metadata.symmetric_key.0.enc=k\na=1\n";
	static const char ours[] = "_metadata.master_key.0.salt=s2\n"
	    "_metadata.symmetric_key.0.envvar=E\n_metadata.symmetric_key.0.enc=k2\na=1\n";
	static const char theirs[] = "_metadata.master_key.0.salt=s\n"
	    "_metadata.symmetric_key.0.envvar=F\n_metadata.symmetric_key.0.enc=k3\na=1\nb=1\n";
	static const char *const expected[MERGE_SIDES] = {
		/* Nobody knows: every line that differs, though the salt changed on one
		 * side only. */
		[MERGE_BASE] = "<<<<<<< ours\n_metadata.master_key.0.salt=s2\n=======\n"
		    "_metadata.master_key.0.salt=s\n>>>>>>> theirs\n"
		    "_metadata.symmetric_key.0.envvar=F\n"
		    "<<<<<<< ours\n_metadata.symmetric_key.0.enc=k2\n=======\n"
		    "_metadata.symmetric_key.0.enc=k3\n>>>>>>> theirs\na=1\nb=1\n",
		[MERGE_OURS] = "_metadata.master_key.0.salt=s2\n"
		    "_metadata.symmetric_key.0.envvar=F\n_metadata.symmetric_key.0.enc=k2\n"
		    "a=1\nb=1\n",
		[MERGE_THEIRS] = "_metadata.master_key.0.salt=s\n"
		    "_metadata.symmetric_key.0.envvar=F\n_metadata.symmetric_key.0.enc=k3\n"
		    "a=1\nb=1\n"
	};

	(void)state;
	for (int keys = MERGE_BASE; keys < MERGE_SIDES; keys++) {
		struct document *d[] = { parse(BYTES(base)), parse(BYTES(ours)),
			parse(BYTES(theirs)) };
		struct merge_input in = { .doc = { d[0], d[1], d[2] },
			.keys = (enum merge_side)keys };
		struct merge_result r;
		struct buf text;

		buf_init_secret(&text, BUF_MAX_FILE);
		assert_int_equal(merge_documents(&in, &text, &r, NULL), 0);
		assert_string_equal(buf_cstr(&text), expected[keys]);
		assert_int_equal(r.conflicts, keys == MERGE_BASE ? 2 : 0);
		merge_result_release(&r);
		buf_release(&text);
		for (size_t i = 0; i < MERGE_SIDES; i++)
			document_free(d[i]);
	}
}

static void
test_sealed_entries_of_a_locked_side_are_not_taken(void **state)
{
	struct document *d[] = { parse(BYTES("a=ENC[1]\nb=1\n")),
		parse(BYTES("a=ENC[1]\nb=2\nm=ENC[2]\nclear=1\n")),
		parse(BYTES("a=ENC[9]\nb=1\nn=ENC[3]\n")) };
	struct merge_input in = { .doc = { d[0], d[1], d[2] }, .keys = MERGE_THEIRS,
		.locked = { false, true, false } };
	struct merge_result r;
	struct buf text;

	(void)state;
	buf_init_secret(&text, BUF_MAX_FILE);
	assert_int_equal(merge_documents(&in, &text, &r, NULL), 0);
	assert_string_equal(buf_cstr(&text), "a=ENC[9]\nb=2\n<<<<<<< ours\nm=ENC[2]\n=======\n"
	    ">>>>>>> theirs\nclear=1\nn=ENC[3]\n");
	assert_int_equal(r.conflicts, 1);
	merge_result_release(&r);
	buf_release(&text);
	for (size_t i = 0; i < MERGE_SIDES; i++)
		document_free(d[i]);
}

static void
test_markers_are_found(void **state)
{
	static const struct { const char *text; size_t line, begin, end; } cases[] = {
		{ "", 0, 0, 0 }, { "a=1\n", 0, 0, 0 }, { "a\n<<<<<<< HEAD\n", 2, 1, 0 },
		{ "<<<<<<<", 1, 1, 0 }, { "<<<<<<<<\n", 0, 0, 0 }, { " <<<<<<< x\n", 0, 0, 0 },
		{ "<<<<<< x\n", 0, 0, 0 }, { "<<<<<<<x\n", 0, 0, 0 },
		{ "a\r\rb\r\n>>>>>>> x", 2, 0, 1 }, { "=======\n", 0, 0, 0 },
		{ "<<<<<<< a\nb\n>>>>>>> c\n<<<<<<< d\n", 1, 2, 1 }
	};
	size_t begin, end;
	struct buf text;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&text, 4096);
		buf_append_str(&text, cases[i].text);
		assert_int_equal(markers_line(&text), cases[i].line);
		markers_count(&text, &begin, &end);
		assert_int_equal(begin, cases[i].begin);
		assert_int_equal(end, cases[i].end);
		buf_release(&text);
	}
}

static void
test_one_merge_of_many_entries_is_linear(void **state)
{
	enum { COUNT = 100000 };
	struct buf text[MERGE_SIDES];
	struct merged m;

	(void)state;
	for (int side = 0; side < MERGE_SIDES; side++) {
		buf_init(&text[side], BUF_MAX_FILE);
		for (size_t i = 0; i < COUNT; i++) {
			buf_printf(&text[side], "# %zu\nkey%zu=%s\n", i, i,
			    side == MERGE_OURS && i % 3 == 0 ? "x" : "y");
			if (side != MERGE_BASE && i < COUNT / 2)
				buf_printf(&text[side], "new%d-%zu=1\n", side, i);
		}
		/* All at one place. */
		for (size_t i = 0; side != MERGE_BASE && i < COUNT / 2; i++)
			buf_printf(&text[side], "end%d-%zu=1\n", side, i);
	}
	m = merge_bytes((char *)text[0].data, text[0].len, (char *)text[1].data, text[1].len,
	    (char *)text[2].data, text[2].len);
	assert_int_equal(m.r.conflicts, 0);
	assert_false(m.r.whole);
	merged_release(&m);
	for (int side = 0; side < MERGE_SIDES; side++)
		buf_release(&text[side]);
}

/* --- against a model that knows nothing of files --- */

enum { KEYS = 6, VALUES = 3, GONE = -1, NOTES = 400, MOST = 4096 };

struct version {
	int value[KEYS];	/* GONE, or a number */
	int order[KEYS];
	int notes[KEYS + 1];	/* the comment before it, and at the end; 0: none */
};

static void
version_write(const struct version *v, char *out)
{
	size_t at = 0;

	out[0] = '\0';
	for (int i = 0; i <= KEYS; i++) {
		int k = i < KEYS ? v->order[i] : KEYS;

		if (k < KEYS && v->value[k] == GONE)
			continue;
		if (v->notes[k] != 0)
			at += (size_t)snprintf(out + at, MOST - at, "# note %d;\n", v->notes[k]);
		if (k < KEYS)
			at += (size_t)snprintf(out + at, MOST - at, "k%d=%d\n", k, v->value[k]);
	}
}

static void
version_change(struct version *v, uint64_t *rnd, int *note)
{
	int k = (int)random_below(rnd, KEYS), a, b;

	switch (random_below(rnd, 6)) {
	case 0:
	case 1:
	case 2:
		v->value[k] = (int)random_below(rnd, VALUES);
		break;
	case 3:
		v->value[k] = GONE;
		break;
	case 4:
		a = (int)random_below(rnd, KEYS + 1);
		v->notes[a] = random_below(rnd, 3) == 0 ? 0 : ++*note;
		break;
	default:
		/* Two that change places. */
		b = (int)random_below(rnd, KEYS);
		a = v->order[k];
		v->order[k] = v->order[b];
		v->order[b] = a;
	}
}

/* GONE, a value, or -2: a conflict. */
static int
model(int base, int ours, int theirs)
{
	if (ours == theirs || base == theirs)
		return ours;
	return base == ours ? theirs : -2;
}

/* The text with every conflict solved in favour of one side. */
static void
solve(const char *text, bool ours, char *out)
{
	const char *end;
	int part = 0;	/* 1: in ours, 2: in theirs */
	size_t at = 0;

	for (; *text != '\0'; text = end) {
		end = strchr(text, '\n') + 1;
		if (strncmp(text, MARKERS_OURS "\n", 13) == 0)
			part = 1;
		else if (part == 1 && strncmp(text, MARKERS_BETWEEN "\n", 8) == 0)
			part = 2;
		else if (strncmp(text, MARKERS_THEIRS "\n", 15) == 0)
			part = 0;
		else if (part == 0 || (part == 1) == ours)
			at += (size_t)snprintf(out + at, MOST - at, "%.*s", (int)(end - text),
			    text);
	}
	out[at] = '\0';
	assert_int_equal(part, 0);
}

static int
read_value(const struct document *d, int k)
{
	char key[16], value[16];
	size_t i;

	snprintf(key, sizeof(key), "k%d", k);
	if ((i = document_find(d, key, strlen(key))) == DOCUMENT_NONE)
		return GONE;
	for (int v = 0; v < VALUES; v++) {
		snprintf(value, sizeof(value), "%d", v);
		if (document_value_is(d, i, value, strlen(value)))
			return v;
	}
	fail_msg("a value out of nowhere");
	return GONE;
}

static bool
has_note(const char *text, int note)
{
	char line[32];

	snprintf(line, sizeof(line), "# note %d;\n", note);
	return strstr(text, line) != NULL;
}

static void
check_against_model(const struct version v[MERGE_SIDES], const char *const text[MERGE_SIDES])
{
	struct merged m = merge(text[0], text[1], text[2]);
	const char *names, *whole = buf_cstr(&m.text);
	char solved[MOST], line[16];
	struct document *d;
	bool conflict;
	int expected;

	assert_false(m.r.whole);
	names = buf_cstr(&m.r.names);
	for (int ours = 0; ours < 2; ours++) {
		solve(whole, ours == 1, solved);
		d = parse(solved, strlen(solved));
		for (int k = 0; k < KEYS; k++) {
			snprintf(line, sizeof(line), "k%d\n", k);
			conflict = strstr(names, line) != NULL;
			expected = model(v[0].value[k], v[1].value[k], v[2].value[k]);
			/* Comments make more conflicts, never fewer. */
			if (expected == -2 && !conflict)
				fail_msg("k%d: no conflict\n%s", k, whole);
			if (conflict)
				expected = v[ours == 1 ? MERGE_OURS : MERGE_THEIRS].value[k];
			if (read_value(d, k) != expected)
				fail_msg("k%d\nbase:\n%s\nours:\n%s\ntheirs:\n%s\nmerged:\n%s", k,
				    text[0], text[1], text[2], whole);
		}
		document_free(d);
	}
	for (int n = 1; n < NOTES; n++) {
		bool in_ours = has_note(text[1], n), in_theirs = has_note(text[2], n);

		/* Of both, or new on one side. */
		if ((in_ours && in_theirs) ||
		    ((in_ours || in_theirs) && !has_note(text[0], n))) {
			if (!has_note(whole, n))
				fail_msg("note %d\nbase:\n%s\nours:\n%s\ntheirs:\n%s\nmerged:\n%s",
				    n, text[0], text[1], text[2], whole);
		}
	}
	merged_release(&m);
}

static void
test_random_merges_agree_with_a_model(void **state)
{
	static char text[MERGE_SIDES][MOST];
	const char *const texts[] = { text[0], text[1], text[2] };
	uint64_t rnd = 20240607;
	struct version v[MERGE_SIDES];

	(void)state;
	for (int round = 0; round < 4000; round++) {
		int note = 0;

		for (int k = 0; k < KEYS; k++) {
			v[0].value[k] = (int)random_below(&rnd, VALUES + 1) - 1;
			v[0].order[k] = k;
			v[0].notes[k] = random_below(&rnd, 3) == 0 ? ++note : 0;
		}
		v[0].notes[KEYS] = random_below(&rnd, 3) == 0 ? ++note : 0;
		for (int side = MERGE_OURS; side < MERGE_SIDES; side++) {
			v[side] = v[0];
			for (uint32_t n = random_below(&rnd, 8); n > 0; n--)
				version_change(&v[side], &rnd, &note);
		}
		assert_true(note < NOTES);
		for (int side = 0; side < MERGE_SIDES; side++)
			version_write(&v[side], text[side]);
		check_against_model(v, texts);
	}
}

/* Any bytes: it ends, and what it gives is sound or marked. */
static void
test_random_bytes_never_make_a_silent_mess(void **state)
{
	unsigned char bytes[MERGE_SIDES][64];
	size_t n[MERGE_SIDES], begin, end;
	uint64_t rnd = 77;

	(void)state;
	for (int round = 0; round < 6000; round++) {
		struct merged m;

		n[0] = random_document(&rnd, bytes[0], sizeof(bytes[0]));
		for (size_t side = 1; side < MERGE_SIDES; side++) {
			if (random_below(&rnd, 2) == 0) {
				n[side] = random_document(&rnd, bytes[side], sizeof(bytes[0]));
				continue;
			}
			/* A few bytes more at the end, so that there is something in common. */
			memcpy(bytes[side], bytes[0], n[0]);
			n[side] = n[0] + random_document(&rnd, bytes[side] + n[0],
			    sizeof(bytes[0]) - n[0]);
		}
		m = merge_bytes((char *)bytes[0], n[0], (char *)bytes[1], n[1], (char *)bytes[2],
		    n[2]);
		markers_count(&m.text, &begin, &end);
		assert_int_equal(begin, m.r.conflicts);
		assert_int_equal(end, m.r.conflicts);
		merged_release(&m);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_of_one_side_are_taken),
		cmocka_unit_test(test_equal_is_equal),
		cmocka_unit_test(test_an_untouched_side_changes_no_byte),
		cmocka_unit_test(test_both_changed_is_a_conflict_of_that_entry),
		cmocka_unit_test(test_a_tag_goes_with_its_entry),
		cmocka_unit_test(test_new_entries_stay_where_they_were_put),
		cmocka_unit_test(test_comments_go_with_the_entry_behind_them),
		cmocka_unit_test(test_a_comment_that_both_changed_is_a_conflict),
		cmocka_unit_test(test_line_ends_are_kept_and_made_to_match),
		cmocka_unit_test(test_lines_that_nobody_reads_go_with_the_next_entry),
		cmocka_unit_test(test_what_cannot_be_merged_by_entry_is_one_conflict),
		cmocka_unit_test(test_key_metadata_is_taken_from_one_side),
		cmocka_unit_test(test_sealed_entries_of_a_locked_side_are_not_taken),
		cmocka_unit_test(test_markers_are_found),
		cmocka_unit_test(test_one_merge_of_many_entries_is_linear),
		cmocka_unit_test(test_random_merges_agree_with_a_model),
		cmocka_unit_test(test_random_bytes_never_make_a_silent_mess)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

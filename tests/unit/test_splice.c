/*
 * Splices of values.  By hand where the outcome is to be seen, and at random:
 * what is rendered must read as the old value with the texts in it, and every
 * byte that stands for none of the replaced ones must still be there.
 */
#include "document/properties.h"
#include "canary.h"
#include "edits_support.h"

#define DOCUMENTS 15000
#define MAX_SIZE 60
#define MAX_TEXT 8
#define MAX_SPLICES 6

static enum error_code
refusal(struct edits *e, size_t i, size_t from, size_t to)
{
	struct error err = { 0 };

	assert_int_equal(edits_splice(e, i, from, to, BYTES("x"), NULL, &err), -1);
	return err.code;
}

struct one {
	const char *before;
	size_t from, to;
	const char *text;
	const char *after;
};

static void
check_each(const struct one *cases, size_t n)
{
	struct document *d;
	struct edits *e;
	size_t i;

	for (i = 0; i < n; i++) {
		d = parse(cases[i].before, strlen(cases[i].before));
		e = new_edits(d);
		splice(e, 0, cases[i].from, cases[i].to, cases[i].text);
		assert_renders(e, cases[i].after);
		edits_free(e);
		document_free(d);
	}
}

#define CHECK_EACH(cases) check_each(cases, sizeof(cases) / sizeof((cases)[0]))

static void
test_only_the_bytes_of_the_cut_change(void **state)
{
	static const struct one cases[] = {
		{ "a = b c d  \r\n#x\n", 2, 3, "X", "a = b X d  \r\n#x\n" },
		{ "a=\\u0062\\u0063\\u0064\n", 1, 2, "X", "a=\\u0062X\\u0064\n" },
		{ "a=\\b\\c\\d\n", 1, 2, "X", "a=\\bX\\d\n" },
		{ "a=bcd", 0, 3, "X", "a=X" },
		{ "a=bcd", 3, 3, "X", "a=bcdX" },
		{ "a=bcd", 0, 0, "X", "a=Xbcd" },
		{ "a=bcd", 0, 3, "", "a=" },
		{ "a=b\\\n  c\\\r\n\td\n", 1, 2, "X", "a=b\\\n  X\\\r\n\td\n" },
		{ "a=b\\\n  cd\n", 0, 2, "X", "a=Xd\n" },
		{ "a=b\\\n  cd\n", 1, 1, "X", "a=bX\\\n  cd\n" },
		{ "a=b\\", 0, 1, "X", "a=X\\" },
		{ "a=b\\\n", 1, 1, "X", "a=bX\\\n" },
		{ "a=b\\\n  \nc=d\n", 0, 1, "X", "a=X\\\n  \nc=d\n" },
		{ "a=\\\n  b\n", 0, 1, "X", "a=\\\n  X\n" },
		{ "a=\\\n  b\n", 0, 0, "X", "a=X\\\n  b\n" }
	};

	(void)state;
	CHECK_EACH(cases);
}

static void
test_the_text_is_escaped_where_it_needs_to_be(void **state)
{
	static const struct one cases[] = {
		{ "a=bcd", 1, 2, " x\\ \n=#\t", "a=b x\\\\ \\n=#\\td" },
		{ "a=bcd", 0, 1, " x", "a=\\ xcd" },
		{ "a=b\\\n  cd", 1, 2, " x", "a=b\\\n  \\ xd" },
		{ "a=b\\\n  cd", 1, 1, " x", "a=b x\\\n  cd" },
		{ "a=b\\\n  cd", 2, 2, " x", "a=b\\\n  c xd" },
		{ "a bc", 0, 1, "=x", "a \\=xc" },
		{ "a \\\n bc", 0, 1, ":x", "a \\\n \\:xc" },
		{ "a=bc", 0, 1, "=x", "a==xc" },
		{ "a bc", 1, 1, "=x", "a b=xc" },
		{ "a=b", 0, 1, "\xc3\xa9", "a=\\u00E9" }
	};

	(void)state;
	CHECK_EACH(cases);
}

static void
test_what_follows_a_removal_stays_what_it_was(void **state)
{
	static const struct one cases[] = {
		{ "a=b c", 0, 1, "", "a=\\ c" },
		{ "a=b\tc", 0, 1, "", "a=\\\tc" },
		{ "a=bn", 0, 1, "", "a=n" },
		{ "a b=c", 0, 1, "", "a \\=c" },
		{ "a b:c", 0, 1, "", "a \\:c" },
		{ "a=b=c", 0, 1, "", "a==c" },
		{ "a=b\\\n  c d", 1, 2, "", "a=b\\\n  \\ d" },
		{ "a=b \\\n  c\\\n  d", 2, 3, "", "a=b \\\n  d" },
		{ "a=b \\\n  c\\\n\n", 2, 3, "", "a=b \\\n  \n" },
		{ "a=b\\\n  c", 0, 1, "", "a=c" },
		{ "a=bc\\\n  d\n", 1, 2, "", "a=b\\\n  d\n" },
		{ "a=b c", 1, 2, "", "a=bc" },
		{ "a=\\\rb\nc=d\n", 0, 1, "", "a=\\\r \nc=d\n" },
		{ "a=b\\\rc\n", 1, 2, "", "a=b\\\r \n" },
		{ "a=b\\\nc\nd=e\n", 1, 2, "", "a=b\\\n\nd=e\n" }
	};

	(void)state;
	CHECK_EACH(cases);
}

static void
test_a_key_without_a_separator_gets_one(void **state)
{
	static const struct one cases[] = {
		{ "b: c\na", 0, 1, "X", "b: X\na" },
		{ "a", 0, 0, "X", "a=X" },
		{ "a\n", 0, 0, " X", "a=\\ X\n" },
		{ "a\\\n  \nb=c\n", 0, 0, "X", "a=X\nb=c\n" },
		{ "\\\n", 0, 0, "X", "=X\n" },
		{ "a", 0, 0, "", "a" }
	};

	(void)state;
	CHECK_EACH(cases);
}

static void
test_several_splices_come_in_any_order(void **state)
{
	struct document *d = parse(BYTES("a = one two\\\n   three \\u0034\nb=c\n"));
	struct edits *e = new_edits(d);

	(void)state;
	splice(e, 0, 13, 14, "FOUR");
	splice(e, 0, 0, 3, "1");
	splice(e, 0, 7, 12, "3");
	splice(e, 1, 0, 1, "d");
	splice(e, 0, 4, 7, "2");
	splice(e, 0, 3, 3, "!");
	splice(e, 0, 3, 3, "?");
	assert_int_equal(edits_count(e), 7);
	assert_renders(e, "a = 1!? 2\\\n   3 FOUR\nb=d\n");
	edits_free(e);
	document_free(d);
}

static void
test_splices_go_with_changes_of_other_entries(void **state)
{
	struct document *d = parse(BYTES("a=1\nb=2\nc=345\nd=6"));
	struct edits *e = new_edits(d);

	(void)state;
	assert_int_equal(edits_set(e, 0, BYTES("x"), NULL), 0);
	splice(e, 2, 1, 2, "");
	assert_int_equal(edits_insert(e, 2, BYTES("k"), BYTES("v"), NULL), 0);
	assert_int_equal(edits_insert(e, DOCUMENT_NONE, BYTES("l"), BYTES("w"), NULL), 0);
	assert_int_equal(edits_remove(e, 1, NULL), 0);
	splice(e, 3, 1, 1, "7");
	assert_renders(e, "a=x\nc=35\nk=v\nd=67\nl=w\n");
	edits_free(e);
	document_free(d);
}

static void
test_what_is_inserted_behind_a_value_that_joins_lines_is_still_read(void **state)
{
	struct document *d = parse(BYTES("a=b\\\n"));
	struct edits *e = new_edits(d);

	(void)state;
	splice(e, 0, 0, 1, "x");
	assert_int_equal(edits_insert(e, DOCUMENT_NONE, BYTES("k"), BYTES("v"), NULL), 0);
	assert_renders(e, "a=x\\\n\nk=v\n");
	edits_free(e);
	document_free(d);
}

static void
test_the_same_cut_again_replaces_the_text(void **state)
{
	struct document *d = parse(BYTES("a=bcd\n"));
	struct edits *e = new_edits(d);

	(void)state;
	splice(e, 0, 1, 2, "x");
	splice(e, 0, 2, 3, "y");
	splice(e, 0, 1, 2, "z");
	assert_int_equal(edits_count(e), 2);
	assert_renders(e, "a=bzy\n");
	edits_free(e);
	document_free(d);
}

static void
test_cuts_that_overlap_are_refused(void **state)
{
	struct document *d = parse(BYTES("a=0123456789\n"));
	struct edits *e = new_edits(d);

	(void)state;
	splice(e, 0, 3, 6, "x");
	splice(e, 0, 8, 8, "y");
	assert_int_equal(refusal(e, 0, 2, 4), ERROR_REFUSED);
	assert_int_equal(refusal(e, 0, 5, 6), ERROR_REFUSED);
	assert_int_equal(refusal(e, 0, 3, 5), ERROR_REFUSED);
	assert_int_equal(refusal(e, 0, 4, 4), ERROR_REFUSED);
	assert_int_equal(refusal(e, 0, 2, 7), ERROR_REFUSED);
	assert_int_equal(refusal(e, 0, 7, 9), ERROR_REFUSED);
	assert_int_equal(edits_count(e), 2);
	assert_renders(e, "a=012x67y89\n");
	edits_free(e);
	document_free(d);
}

static void
test_cuts_into_an_escape_are_refused(void **state)
{
	struct document *d = parse(BYTES("a=x\\u00e9y\\ud83d\\ude00z\nb=\\u00e9"));
	struct edits *e = new_edits(d);

	(void)state;
	assert_int_equal(refusal(e, 0, 2, 3), ERROR_REFUSED);
	assert_int_equal(refusal(e, 0, 1, 2), ERROR_REFUSED);
	assert_int_equal(refusal(e, 0, 5, 5), ERROR_REFUSED);
	assert_int_equal(refusal(e, 0, 0, 6), ERROR_REFUSED);
	assert_int_equal(refusal(e, 1, 0, 1), ERROR_REFUSED);
	assert_int_equal(edits_count(e), 0);
	splice(e, 0, 1, 3, "-");
	splice(e, 0, 4, 8, "+");
	assert_renders(e, "a=x-y+z\nb=\\u00e9");
	edits_free(e);
	document_free(d);
}

static void
test_cuts_that_make_no_sense_are_refused(void **state)
{
	struct document *d = parse(BYTES("a=bc\\\n"));
	struct edits *e = new_edits(d);

	(void)state;
	assert_int_equal(refusal(e, 0, 2, 3), ERROR_USAGE);
	assert_int_equal(refusal(e, 0, 3, 3), ERROR_USAGE);
	assert_int_equal(refusal(e, 0, 2, 1), ERROR_USAGE);
	assert_int_equal(refusal(e, 0, 0, (size_t)-1), ERROR_USAGE);
	assert_int_equal(refusal(e, 1, 0, 0), ERROR_USAGE);
	splice(e, 0, 2, 2, "d");
	assert_renders(e, "a=bcd\\\n");
	edits_free(e);
	document_free(d);
}

static void
test_a_whole_change_and_a_splice_exclude_each_other(void **state)
{
	struct document *d = parse(BYTES("a=bc\nd=ef\ng=hi\n"));
	struct edits *e = new_edits(d);
	struct error err = { 0 };

	(void)state;
	splice(e, 0, 1, 2, "x");
	assert_int_equal(edits_set(e, 0, BYTES("y"), &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_int_equal(err.line, 1);
	assert_int_equal(edits_remove(e, 0, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_int_equal(edits_set(e, 1, BYTES("y"), NULL), 0);
	assert_int_equal(refusal(e, 1, 0, 1), ERROR_REFUSED);
	assert_int_equal(edits_remove(e, 2, NULL), 0);
	assert_int_equal(refusal(e, 2, 0, 1), ERROR_REFUSED);
	assert_renders(e, "a=bx\nd=y\n");
	edits_free(e);
	document_free(d);
}

static void
test_a_splice_is_shown_without_the_rest_of_the_value(void **state)
{
	struct document *d = parse(BYTES("#\nkey = old SECRET\n"));
	struct edits *e = new_edits(d);
	struct edit x;

	(void)state;
	assert_int_equal(edits_splice(e, 0, 4, 10, BYTES("ref"), "M/password", NULL), 0);
	splice(e, 0, 0, 3, "");
	x = edits_at(e, 0);
	assert_int_equal(x.kind, EDIT_SPLICE);
	assert_int_equal(x.entry, 0);
	assert_int_equal(x.line, 2);
	assert_int_equal(x.key_len, 3);
	assert_memory_equal(x.key, "key", 3);
	assert_int_equal(x.from, 4);
	assert_int_equal(x.to, 10);
	assert_int_equal(x.value_len, 3);
	assert_memory_equal(x.value, "ref", 3);
	assert_int_equal(x.label_len, 10);
	assert_memory_equal(x.label, "M/password", 10);
	x = edits_at(e, 1);
	assert_null(x.label);
	assert_int_equal(x.label_len, 0);
	assert_int_equal(x.value_len, 0);
	edits_free(e);
	document_free(d);
}

static void
test_a_value_is_told_as_it_will_be(void **state)
{
	struct document *d = parse(BYTES("a=o\\u006ee two\nb=1\nc=2\nd=3\ne=\n"));
	struct edits *e = new_edits(d);
	struct error err = { 0 };
	struct buf v;
	size_t i;
	static const char *const want[] = { "1 two!", "x", "", "3", "y" };

	(void)state;
	splice(e, 0, 7, 7, "!");
	splice(e, 0, 0, 3, "1");
	assert_int_equal(edits_set(e, 1, BYTES("x"), NULL), 0);
	assert_int_equal(edits_remove(e, 2, NULL), 0);
	splice(e, 4, 0, 0, "y");
	for (i = 0; i < 5; i++) {
		buf_init_secret(&v, BUF_MAX_FILE);
		if (i == 2) {
			assert_int_equal(edits_value(e, i, &v, &err), -1);
			assert_int_equal(err.code, ERROR_MISSING);
		} else {
			assert_int_equal(edits_value(e, i, &v, &err), 0);
			assert_int_equal(v.len, strlen(want[i]));
			assert_memory_equal(v.data, want[i], v.len);
		}
		buf_release(&v);
	}
	edits_free(e);
	document_free(d);
}

/* --- at random --- */

static bool
is_hex(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Behind the continuations at ${at}. */
static size_t
gap(const unsigned char *p, size_t n, size_t at)
{
	while (at + 1 < n && p[at] == '\\' && (p[at + 1] == '\n' || p[at + 1] == '\r')) {
		at += p[at + 1] == '\r' && at + 2 < n && p[at + 2] == '\n' ? 3 : 2;
		while (at < n && (p[at] == ' ' || p[at] == '\t' || p[at] == '\f'))
			at++;
	}
	return at;
}

/* Behind the byte or the escape at ${at}; the value of a \uXXXX. */
static size_t
unit(const unsigned char *p, size_t n, size_t at, unsigned *value)
{
	size_t digits;

	*value = 0;
	if (p[at] != '\\')
		return at + 1;
	if (at + 1 == n)
		return n;
	if (p[at + 1] != 'u')
		return at + 2;
	at += 2;
	for (digits = 0; digits < 4; digits++) {
		at = gap(p, n, at);
		assert_true(at < n && is_hex(p[at]));
		*value = *value << 4 | (p[at] <= '9' ? p[at] & 0xfU : (p[at] & 0xfU) + 9);
		at++;
	}
	return at;
}

/* The same of a character, which a pair of escapes can be. */
static size_t
character(const unsigned char *p, size_t n, size_t at)
{
	unsigned high, low;
	size_t next;

	at = unit(p, n, at, &high);
	next = gap(p, n, at);
	if (high >= 0xd800 && high < 0xdc00 && next + 1 < n && p[next] == '\\' &&
	    p[next + 1] == 'u') {
		next = unit(p, n, next, &low);
		if (low >= 0xdc00 && low < 0xe000)
			return next;
	}
	return at;
}

/*
 * The raw offset of a place: read from the start again and again, one more
 * character each time, until the reading has ${decoded} bytes.
 */
static bool
raw_of(const unsigned char *p, size_t n, size_t decoded, size_t *raw)
{
	struct buf v;
	size_t at = 0;

	buf_init(&v, BUF_MAX_FILE);
	*raw = 0;
	while (v.len < decoded) {
		at = gap(p, n, at);
		if (at == n)
			break;
		at = character(p, n, at);
		buf_clear(&v);
		properties_decode(p, at, &v);
		*raw = at;
	}
	at = v.len;
	buf_release(&v);
	return at == decoded;
}

struct text {
	char p[MAX_TEXT];
	size_t n;
};

struct wish {
	size_t from, to;
	struct text text;
	bool used;
};

static struct text
random_text(uint64_t *seed)
{
	static const char alphabet[] = "ab=: \t\f\r\n\\#!u0\xc3\xa9\x80";
	struct text t = { .n = random_below(seed, 3) == 0 ? 0 : random_below(seed, MAX_TEXT) };
	size_t i;

	for (i = 0; i < t.n; i++)
		t.p[i] = alphabet[random_below(seed, sizeof(alphabet))];
	return t;
}

/* Non-overlapping, in a random order, into ${old}; how many. */
static size_t
random_splices(struct edits *e, size_t entry, const struct buf *old, struct wish *w,
    uint64_t *seed)
{
	size_t at = 0;
	size_t n = 0;
	size_t i, k;

	while (n < MAX_SPLICES && at <= old->len && random_below(seed, 8) != 0) {
		w[n].from = at + random_below(seed, (uint32_t)(old->len - at) / 2 + 1);
		w[n].to = w[n].from + random_below(seed, 4);
		if (w[n].to > old->len)
			break;
		w[n].text = random_text(seed);
		w[n].used = false;
		at = w[n].to;
		n++;
	}
	for (k = 0, i = n > 0 ? random_below(seed, (uint32_t)n) : 0; k < n; k++, i = (i + 1) % n) {
		/* Two inserts at one place would come in the order of the calls. */
		if (i > 0 && w[i - 1].to == w[i].from && w[i].from == w[i].to)
			continue;
		w[i].used = edits_splice(e, entry, w[i].from, w[i].to, w[i].text.p,
		    w[i].text.n, NULL, NULL) == 0;
	}
	return n;
}

static struct buf
spliced(const struct buf *old, const struct wish *w, size_t n)
{
	struct buf out;
	size_t at = 0;
	size_t i;

	buf_init(&out, BUF_MAX_FILE);
	for (i = 0; i < n; i++) {
		if (!w[i].used)
			continue;
		buf_append(&out, at < old->len ? (void *)(old->data + at) : "", w[i].from - at);
		buf_append(&out, w[i].text.p, w[i].text.n);
		at = w[i].to;
	}
	buf_append(&out, at < old->len ? (void *)(old->data + at) : "", old->len - at);
	return out;
}

/* Two halves of a pair that have come side by side are one character, as in Java. */
static void
join_pairs(struct buf *b)
{
	unsigned char *p = b->data;
	uint32_t cp;
	size_t i, n;

	for (i = n = 0; i < b->len; n++) {
		if (i + 6 <= b->len && p[i] == 0xed && (p[i + 1] & 0xf0) == 0xa0 &&
		    p[i + 3] == 0xed && (p[i + 4] & 0xf0) == 0xb0 &&
		    (p[i + 2] & 0xc0) == 0x80 && (p[i + 5] & 0xc0) == 0x80) {
			cp = 0x10000 + ((uint32_t)(p[i + 1] & 0xf) << 16 |
			    (uint32_t)(p[i + 2] & 0x3f) << 10 |
			    (uint32_t)(p[i + 4] & 0xf) << 6 | (p[i + 5] & 0x3f));
			p[n++] = (unsigned char)(0xf0 | cp >> 18);
			p[n++] = (unsigned char)(0x80 | (cp >> 12 & 0x3f));
			p[n++] = (unsigned char)(0x80 | (cp >> 6 & 0x3f));
			p[n] = (unsigned char)(0x80 | (cp & 0x3f));
			i += 6;
		} else {
			p[n] = p[i++];
		}
	}
	b->len = n;
}

static bool
has_value(const struct document *d, size_t i, struct buf *want)
{
	struct buf own = value_of(d, i);
	bool same;

	join_pairs(&own);
	join_pairs(want);
	same = own.len == want->len && (own.len == 0 || memcmp(own.data, want->data, own.len) == 0);
	buf_release(&own);
	return same;
}

/* The same document with another value of entry ${k}. */
static bool
is_as_wished(const struct document *old, const struct document *new, size_t k,
    struct buf *want)
{
	const char *key;
	struct buf v;
	size_t i, n;
	bool same;

	if (document_count(old) != document_count(new) ||
	    document_problem(old, NULL) != document_problem(new, NULL))
		return false;
	for (i = 0; i < document_count(old); i++) {
		key = document_key(old, i, &n);
		if (!key_is(new, i, key, n))
			return false;
		v = value_of(old, i);
		same = i == k ? has_value(new, i, want) : value_is(new, i, v.data, v.len);
		buf_release(&v);
		if (!same)
			return false;
	}
	return true;
}

static void
test_random_splices_read_as_wished(void **state)
{
	char before[8 * MAX_SIZE], after[32 * MAX_SIZE];
	unsigned char p[MAX_SIZE];
	struct wish w[MAX_SPLICES];
	uint64_t seed = 6;
	struct document *old, *new;
	struct edits *e;
	struct buf out, value, want, told;
	size_t i, k, n, m, made = 0, refused = 0;

	(void)state;
	for (i = 0; i < DOCUMENTS; i++) {
		n = random_document(&seed, p, sizeof(p));
		old = parse(p, n);
		if (document_count(old) > 0) {
			k = random_below(&seed, (uint32_t)document_count(old));
			value = value_of(old, k);
			e = new_edits(old);
			m = random_splices(e, k, &value, w, &seed);
			want = spliced(&value, w, m);
			out = render(e);
			new = parse(out.data, out.len);
			buf_init_secret(&told, BUF_MAX_FILE);
			assert_int_equal(edits_value(e, k, &told, NULL), 0);
			assert_int_equal(told.len, want.len);
			if (want.len > 0)
				assert_memory_equal(told.data, want.data, want.len);
			if (!is_as_wished(old, new, k, &want))
				fail_msg("document %zu: %s became %s", i,
				    shown(p, n, before, sizeof(before)),
				    shown(out.data, out.len, after, sizeof(after)));
			made += edits_count(e);
			refused += m - edits_count(e);
			buf_release(&told);
			buf_release(&want);
			buf_release(&value);
			document_free(new);
			buf_release(&out);
			edits_free(e);
		}
		document_free(old);
	}
	assert_true(made > DOCUMENTS / 2);
	assert_true(refused > 100);
}

/* What the cut [from, to) may touch of the document's bytes. */
static bool
span_of(const struct document *d, size_t k, size_t from, size_t to, size_t *start,
    size_t *end)
{
	const unsigned char *raw;
	size_t n;

	raw = document_raw_value(d, k, &n);
	if (!raw_of(raw, n, from, start) || !raw_of(raw, n, to, end))
		return false;
	if (to > from)
		*start = gap(raw, n, *start);
	*start += (size_t)(raw - document_bytes(d)->data);
	*end += (size_t)(raw - document_bytes(d)->data);
	return true;
}

/* Nothing but what stands for the cut is touched, and refused is what none stands for. */
static void
test_a_random_splice_leaves_every_other_byte(void **state)
{
	unsigned char p[MAX_SIZE];
	uint64_t seed = 7;
	struct document *d;
	struct edits *e;
	struct text text;
	struct buf out, value;
	size_t i, k, n, from, to, start, end, tried = 0;
	bool can, kept;

	(void)state;
	for (i = 0; i < DOCUMENTS; i++) {
		n = random_document(&seed, p, sizeof(p));
		d = parse(p, n);
		if (document_count(d) > 0) {
			k = random_below(&seed, (uint32_t)document_count(d));
			value = value_of(d, k);
			from = random_below(&seed, (uint32_t)value.len + 1);
			to = from + random_below(&seed, (uint32_t)(value.len - from) + 1);
			text = random_text(&seed);
			can = span_of(d, k, from, to, &start, &end);
			e = new_edits(d);
			assert_int_equal(edits_splice(e, k, from, to, text.p, text.n, NULL, NULL),
			    can ? 0 : -1);
			out = render(e);
			if (can && value.len > 0) {
				kept = out.len >= start + n - end &&
				    memcmp(out.data, p, start) == 0 &&
				    memcmp(out.data + out.len - (n - end), p + end, n - end) == 0;
				/* A line of which nothing is left goes, too. */
				if (!kept && text.n == 0 && to > from) {
					end = gap(p, n, end);
					kept = out.len >= start + n - end &&
					    memcmp(out.data, p, start) == 0 &&
					    memcmp(out.data + out.len - (n - end), p + end,
					    n - end) == 0;
				}
				assert_true(kept);
				tried++;
			}
			buf_release(&out);
			edits_free(e);
			buf_release(&value);
		}
		document_free(d);
	}
	assert_true(tried > DOCUMENTS / 4);
}

static void
test_thousands_of_splices_of_a_large_value(void **state)
{
	struct document *d;
	struct edits *e;
	struct buf file, out, want;
	size_t i;

	(void)state;
	buf_init(&file, BUF_MAX_FILE);
	buf_init(&want, BUF_MAX_FILE);
	buf_append_str(&file, "k=");
	for (i = 0; i < 20000; i++) {
		buf_append_str(&file, "ab\\u00e9 c\\\n  d=\"secret of 40 bytes, of which ..\" ");
		buf_append_str(&want, "ab\xc3\xa9 cd=X ");
	}
	d = parse(file.data, file.len);
	e = new_edits(d);
	/* Backwards, and every other one later, so that places come in the middle. */
	for (i = 20000; i-- > 0;)
		if (i % 2 == 0)
			splice(e, 0, i * 42 + 8, i * 42 + 41, "X");
	for (i = 0; i < 20000; i++)
		if (i % 2 == 1)
			splice(e, 0, i * 42 + 8, i * 42 + 41, "X");
	out = render(e);
	document_free(d);
	d = parse(out.data, out.len);
	assert_true(value_is(d, 0, want.data, want.len));
	buf_release(&out);
	edits_free(e);
	document_free(d);
	buf_release(&want);
	buf_release(&file);
}

/* --- the rest of the value stays in secret memory --- */

static void
test_the_rest_of_the_value_does_not_get_onto_the_heap(void **state)
{
	struct buf content, out;
	struct document *d;
	struct edits *e;
	size_t i;

	(void)state;
	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append_str(&content, "k=M required password=\"x\" user_b=\\u0022 \\\n  ");
	append_canary(&content);
	buf_append_str(&content, " x ");
	append_canary(&content);
	buf_append_str(&content, "\\u0022;\n");
	d = document_parse(&content, &document_properties, "a.properties", NULL);
	assert_non_null(d);
	e = new_edits(d);
	splice(e, 0, 20, 23, "${securepass:/s:k/M/password}");
	assert_int_equal(edits_splice(e, 0, 48, 49, BYTES("y"), "label", NULL), 0);
	(void)edits_splice(e, 0, 47, 49, BYTES("y"), NULL, NULL);
	for (i = 0; i < 2; i++) {
		buf_init_secret(&out, BUF_MAX_FILE);
		if (i == 0)
			assert_int_equal(edits_render(e, &out, NULL), 0);
		else
			assert_int_equal(edits_value(e, 0, &out, NULL), 0);
		assert_true(holds_canary(out.data, out.len));
		buf_release(&out);
	}
	assert_true(heap_holds_canary() <= 0);
	edits_free(e);
	document_free(d);
	assert_true(heap_holds_canary() <= 0);
}

static void
test_more_splices_than_the_limit_are_refused(void **state)
{
	struct document *d;
	struct edits *e;
	struct error err = { 0 };
	struct buf file;
	size_t i;
	int rc = 0;

	(void)state;
	buf_init(&file, BUF_MAX_FILE);
	buf_append_str(&file, "k=");
	for (i = 0; i < 140000; i++)
		buf_append_char(&file, 'a');
	d = parse(file.data, file.len);
	e = new_edits(d);
	for (i = 0; i < 70000 && rc == 0; i++)
		rc = edits_splice(e, 0, 2 * i, 2 * i + 1, BYTES("b"), NULL, &err);
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(edits_count(e), 65536);
	edits_free(e);
	document_free(d);
	buf_release(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_bytes_of_the_cut_change),
		cmocka_unit_test(test_the_text_is_escaped_where_it_needs_to_be),
		cmocka_unit_test(test_what_follows_a_removal_stays_what_it_was),
		cmocka_unit_test(test_a_key_without_a_separator_gets_one),
		cmocka_unit_test(test_several_splices_come_in_any_order),
		cmocka_unit_test(test_splices_go_with_changes_of_other_entries),
		cmocka_unit_test(test_what_is_inserted_behind_a_value_that_joins_lines_is_still_read),
		cmocka_unit_test(test_the_same_cut_again_replaces_the_text),
		cmocka_unit_test(test_cuts_that_overlap_are_refused),
		cmocka_unit_test(test_cuts_into_an_escape_are_refused),
		cmocka_unit_test(test_cuts_that_make_no_sense_are_refused),
		cmocka_unit_test(test_a_whole_change_and_a_splice_exclude_each_other),
		cmocka_unit_test(test_a_splice_is_shown_without_the_rest_of_the_value),
		cmocka_unit_test(test_a_value_is_told_as_it_will_be),
		cmocka_unit_test(test_random_splices_read_as_wished),
		cmocka_unit_test(test_a_random_splice_leaves_every_other_byte),
		cmocka_unit_test(test_thousands_of_splices_of_a_large_value),
		cmocka_unit_test(test_the_rest_of_the_value_does_not_get_onto_the_heap),
		cmocka_unit_test(test_more_splices_than_the_limit_are_refused)
	};

	return cmocka_run_group_tests_name("splice", tests, NULL, NULL);
}

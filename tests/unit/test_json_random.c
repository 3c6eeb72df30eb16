/*
 * Random JSON: any bytes come back; random edits of random documents read as
 * the old entries with the edits applied, and leave every other byte.
 */
#include "json_support.h"

#define DOCUMENTS 20000
#define MAX_SIZE 100
#define MAX_DEPTH 4
#define MAX_TEXT 8
#define MAX_EDITS 6

struct text {
	char p[MAX_TEXT];
	size_t n;
};

static struct text
random_text(uint64_t *seed)
{
	static const char alphabet[] = "ab.\"\\/\b\n\x01\x7f#*\xc3\xa9\x80\xed\xa0\xbd\xb8";
	struct text t = { .n = random_below(seed, MAX_TEXT) };
	size_t i;

	for (i = 0; i < t.n; i++)
		t.p[i] = alphabet[random_below(seed, sizeof(alphabet))];
	return t;
}

static const char *
one_of(uint64_t *seed, const char *const texts[], size_t n)
{
	return texts[random_below(seed, (uint32_t)n)];
}

static void
append_blanks(struct buf *b, uint64_t *seed)
{
	static const char *const blanks[] = { "", "", "", " ", "\n  ", "\r\n\t" };

	buf_append_str(b, one_of(seed, blanks, 6));
}

static void
append_value(struct buf *b, uint64_t *seed, size_t depth)
{
	static const char *const scalars[] = {
		"\"\"", "\"x\"", "\"\\u0041\\n\"", "\"\xc3\xa9\x80\"", "\"\\ud83d\"", "0", "-1.50", "true",
		"null"
	};
	static const char *const names[] = {
		"\"a\"", "\"b\"", "\"c\"", "\"a.b\"", "\"\"", "\"\\u0061\"", "\"*\"", "\"0\"", "\"#\""
	};
	size_t kind = random_below(seed, depth < MAX_DEPTH ? 5 : 2);
	bool array = kind == 2;
	size_t times;

	if (kind < 2) {
		buf_append_str(b, one_of(seed, scalars, 9));
		return;
	}
	buf_append_char(b, array ? '[' : '{');
	for (times = random_below(seed, 4); times > 0; times--) {
		append_blanks(b, seed);
		if (!array) {
			buf_append_str(b, one_of(seed, names, 9));
			append_blanks(b, seed);
			buf_append_char(b, ':');
			append_blanks(b, seed);
		}
		append_value(b, seed, depth + 1);
		append_blanks(b, seed);
		if (times > 1)
			buf_append_char(b, ',');
	}
	append_blanks(b, seed);
	buf_append_char(b, array ? ']' : '}');
}

static struct document *
random_document_of(uint64_t *seed, struct buf *b)
{
	struct document *d;

	buf_clear(b);
	append_blanks(b, seed);
	append_value(b, seed, 0);
	append_blanks(b, seed);
	d = parse_json(b->data, b->len);
	assert_int_equal(document_problem(d, NULL), 0);
	return d;
}

static void
test_any_bytes_come_back(void **state)
{
	unsigned char p[MAX_SIZE];
	uint64_t seed = 6;
	struct document *d;
	struct edits *e;
	struct buf out;
	size_t i, n;

	(void)state;
	buf_init(&out, BUF_MAX_FILE);
	for (i = 0; i < DOCUMENTS; i++) {
		n = random_json(&seed, p, sizeof(p));
		d = parse_json(p, n);
		e = edits_new(d, false, NULL);
		buf_clear(&out);
		assert_int_equal(edits_render(e, &out, NULL), 0);
		assert_int_equal(out.len, n);
		if (n > 0)
			assert_memory_equal(out.data, p, n);
		edits_free(e);
		document_free(d);
	}
	buf_release(&out);
}

/* The number of an entry of any kind, more often than not one that is listed. */
static size_t
random_entry(const struct document *d, uint64_t *seed)
{
	static const char *const paths[] = { "a", "b", "a.a", "c", "0", "a\\.b", "b.b", "0.a", "" };
	size_t i = DOCUMENT_NONE;

	if (random_below(seed, 4) == 0) {
		const char *path = one_of(seed, paths, 9);

		i = document_find(d, path, strlen(path));
	}
	if (i == DOCUMENT_NONE && document_count(d) > 0)
		i = random_below(seed, (uint32_t)document_count(d));
	return i;
}

/* One edit as it was asked for. */
struct wish {
	enum edit_kind kind;
	size_t entry;
	const char *path;	/* INSERT */
	struct text value;
};

static size_t
wish_edits(const struct document *d, struct edits *e, struct wish *w, uint64_t *seed)
{
	static const char *const paths[] = {
		"k", "a.k", "b.k", "c.k.l", "m.n", "m.o.p", "k.l", "0.k", "a.a.k", "a\\.b.k", "\\#k", ".k"
	};
	size_t times = 1 + random_below(seed, MAX_EDITS);
	size_t n = 0;
	size_t i, k, after;

	while (times-- > 0) {
		struct wish *x = &w[n];

		x->kind = (enum edit_kind)random_below(seed, 3);
		x->value = random_text(seed);
		x->entry = i = random_entry(d, seed);
		x->path = one_of(seed, paths, 12);
		after = random_below(seed, 2) == 0 ? DOCUMENT_NONE : i;
		if (x->kind == EDIT_INSERT) {
			if (edits_insert(e, after, x->path, strlen(x->path), x->value.p, x->value.n,
			    NULL) == 0)
				n++;
			continue;
		}
		if (i == DOCUMENT_NONE || (x->kind == EDIT_REMOVE ? edits_remove(e, i, NULL) :
		    edits_set(e, i, x->value.p, x->value.n, NULL)) == -1)
			continue;
		/* A later one replaces the earlier. */
		for (k = 0; k < n && (w[k].kind == EDIT_INSERT || w[k].entry != i); k++)
			;
		w[k] = *x;
		n = k == n ? n + 1 : n;
	}
	return n;
}

/* The entry is set or removed, or stands in an object or array that is. */
static bool
is_touched(const struct document *d, size_t i, const struct wish *w, size_t n)
{
	const unsigned char *raw, *outer;
	size_t k, len, outer_len;

	raw = document_raw_value(d, i, &len);
	for (k = 0; k < n; k++) {
		if (w[k].kind == EDIT_INSERT)
			continue;
		outer = document_raw_value(d, w[k].entry, &outer_len);
		if (raw >= outer && raw + len <= outer + outer_len)
			return true;
	}
	return false;
}

/* Entries of the new document that are accounted for. */
struct account {
	const struct document *new;
	bool seen[10 * MAX_SIZE];
};

/* Find an entry of this key and value, not before ${from}; behind it, or 0. */
static size_t
account_for(struct account *a, size_t from, const char *key, size_t n, const void *value,
    size_t len)
{
	size_t i;

	assert_true(document_count(a->new) <= sizeof(a->seen));
	for (i = from; i < document_count(a->new); i++) {
		if (!a->seen[i] && key_is(a->new, i, key, n) && value_is(a->new, i, value, len)) {
			a->seen[i] = true;
			return i + 1;
		}
	}
	return 0;
}

/* What was untouched is there in its order, what was wished for somewhere, no more. */
static bool
reads_as_wished(const struct document *old, const struct document *new, const struct wish *w,
    size_t n)
{
	struct account a = { .new = new };
	struct buf value;
	const char *key;
	size_t at = 0;
	size_t i, len, next;

	for (i = 0; i < document_count(old); i++) {
		if (is_touched(old, i, w, n))
			continue;
		key = document_key(old, i, &len);
		value = value_of(old, i);
		next = account_for(&a, at, key, len, value.data, value.len);
		buf_release(&value);
		if (next == 0)
			return false;
		at = next;
	}
	for (i = 0; i < n; i++) {
		if (w[i].kind == EDIT_REMOVE)
			continue;
		key = w[i].path;
		len = strlen(key);
		if (w[i].kind == EDIT_SET)
			key = document_key(old, w[i].entry, &len);
		if (account_for(&a, 0, key, len, w[i].value.p, w[i].value.n) == 0)
			return false;
	}
	for (i = 0; i < document_count(new) && a.seen[i]; i++)
		;
	return i == document_count(new);
}

static void
test_random_edits_read_as_wished(void **state)
{
	struct wish w[MAX_EDITS];
	char before[8 * MAX_SIZE], after[16 * MAX_SIZE];
	struct document *old, *new;
	struct edits *e;
	struct buf b, out;
	uint64_t seed = 7;
	size_t i, n, made = 0;

	(void)state;
	buf_init(&b, BUF_MAX_FILE);
	buf_init(&out, BUF_MAX_FILE);
	for (i = 0; i < DOCUMENTS; i++) {
		old = random_document_of(&seed, &b);
		e = edits_new(old, false, NULL);
		n = wish_edits(old, e, w, &seed);
		buf_clear(&out);
		if (edits_render(e, &out, NULL) == 0) {
			made += n;
			new = parse_json(out.data, out.len);
			if (document_problem(new, NULL) == -1 || !reads_as_wished(old, new, w, n))
				fail_msg("document %zu: %s became %s", i,
				    shown(b.data, b.len, before, sizeof(before)),
				    shown(out.data, out.len, after, sizeof(after)));
			document_free(new);
		}
		edits_free(e);
		document_free(old);
	}
	buf_release(&out);
	buf_release(&b);
	assert_true(made > DOCUMENTS);
}

static bool
are_blanks(const unsigned char *p, size_t n)
{
	while (n > 0 && memchr(" \t\r\n", p[n - 1], 4) != NULL)
		n--;
	return n == 0;
}

/* One edit changes one run of bytes: all before it and behind it stay. */
static void
test_an_edit_leaves_every_other_byte(void **state)
{
	struct wish w[MAX_EDITS];
	const unsigned char *raw;
	struct document *d;
	struct edits *e;
	struct buf b, out;
	uint64_t seed = 8;
	size_t i, n, len, head, tail, tried = 0;

	(void)state;
	buf_init(&b, BUF_MAX_FILE);
	buf_init(&out, BUF_MAX_FILE);
	for (i = 0; i < 2 * DOCUMENTS; i++) {
		d = random_document_of(&seed, &b);
		e = edits_new(d, false, NULL);
		n = wish_edits(d, e, w, &seed);
		buf_clear(&out);
		if (n == 1 && edits_count(e) == 1) {
			assert_int_equal(edits_render(e, &out, NULL), 0);
			for (head = 0; head < b.len && head < out.len &&
			    out.data[head] == b.data[head]; head++)
				;
			for (tail = 0; tail < b.len - head && tail < out.len - head &&
			    out.data[out.len - tail - 1] == b.data[b.len - tail - 1]; tail++)
				;
			if (w[0].kind == EDIT_REMOVE) {
				assert_int_equal(head + tail, out.len);
			} else if (w[0].kind == EDIT_INSERT) {
				assert_true(are_blanks(b.data + head, b.len - head - tail));
			} else {
				raw = document_raw_value(d, w[0].entry, &len);
				assert_true(head >= (size_t)(raw - document_bytes(d)->data));
				tail = b.len - (size_t)(raw - document_bytes(d)->data) - len;
				assert_memory_equal(out.data + out.len - tail, raw + len, tail);
			}
			tried++;
		}
		edits_free(e);
		document_free(d);
	}
	buf_release(&out);
	buf_release(&b);
	assert_true(tried > DOCUMENTS / 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_bytes_come_back),
		cmocka_unit_test(test_random_edits_read_as_wished),
		cmocka_unit_test(test_an_edit_leaves_every_other_byte)
	};

	return cmocka_run_group_tests_name("json-random", tests, NULL, NULL);
}

/*
 * Random edits of random documents: what is rendered must read as the old
 * entries with the edits applied, and every byte that belongs to no edit must
 * still be there, in order.
 */
#include "document/edits.h"
#include "document_support.h"

#define DOCUMENTS 20000
#define MAX_SIZE 100
#define MAX_TEXT 12
#define MAX_EXPECTED 256

struct text {
	char p[MAX_TEXT];
	size_t n;
};

struct insertion {
	size_t after;
	struct text key;
	struct text value;
};

/* The edits, as they were asked for. */
struct wish {
	enum { KEEP, SET, REMOVE } entry[MAX_SIZE + 1];
	struct text value[MAX_SIZE + 1];
	struct insertion inserted[4];
	size_t insertions;
};

static struct text
random_text(uint64_t *seed)
{
	static const char alphabet[] = "ab=: \t\f\r\n\\#!u0\xc3\xa9\x80\xed\xa0\xbd\xb8";
	struct text t = { .n = random_below(seed, MAX_TEXT) };
	size_t i;

	for (i = 0; i < t.n; i++)
		t.p[i] = alphabet[random_below(seed, sizeof(alphabet))];
	return t;
}

static void
change_entries(const struct document *d, struct edits *e, struct wish *w, uint64_t *seed)
{
	size_t count = document_count(d);
	size_t times = count == 0 ? 0 : random_below(seed, 2 * (uint32_t)count + 1);
	size_t i;

	memset(w->entry, 0, sizeof(w->entry));
	while (times-- > 0) {
		i = random_below(seed, (uint32_t)count);
		if (random_below(seed, 2) == 0) {
			w->entry[i] = REMOVE;
			assert_int_equal(edits_remove(e, i, NULL), 0);
		} else {
			w->entry[i] = SET;
			w->value[i] = random_text(seed);
			assert_int_equal(
			    edits_set(e, i, w->value[i].p, w->value[i].n, NULL), 0);
		}
	}
}

static void
insert_entries(const struct document *d, struct edits *e, struct wish *w, uint64_t *seed)
{
	uint32_t count = (uint32_t)document_count(d);
	struct insertion *x;
	size_t times = random_below(seed, 5);

	w->insertions = 0;
	while (times-- > 0) {
		x = &w->inserted[w->insertions];
		x->after = count == 0 || random_below(seed, 3) == 0 ? DOCUMENT_NONE :
		    random_below(seed, 2) == 0 ? count - 1 : random_below(seed, count);
		x->key = random_text(seed);
		x->value = random_text(seed);
		if (edits_insert(e, x->after, x->key.p, x->key.n, x->value.p, x->value.n,
		    NULL) == 0)
			w->insertions++;
		else
			assert_int_equal(document_problem(d, NULL), -1);
	}
}

/* Is the next entry of the new document this one? */
static bool
is_next(const struct document *new, size_t *at, const struct text *key, const struct text *value)
{
	if (*at >= document_count(new) || !key_is(new, *at, key->p, key->n) ||
	    !value_is(new, *at, value->p, value->n))
		return false;
	(*at)++;
	return true;
}

static bool
is_next_old(const struct document *new, size_t *at, const struct document *old, size_t i,
    const struct wish *w)
{
	struct buf value;
	const char *key;
	size_t n;
	bool same;

	if (w->entry[i] == REMOVE)
		return true;
	key = document_key(old, i, &n);
	if (*at >= document_count(new) || !key_is(new, *at, key, n))
		return false;
	if (w->entry[i] == SET)
		return value_is(new, (*at)++, w->value[i].p, w->value[i].n);
	value = value_of(old, i);
	same = value_is(new, (*at)++, value.data, value.len);
	buf_release(&value);
	return same;
}

/* Those behind entry ${after}; at the end of the file, both ways to say so. */
static bool
are_next_inserted(const struct document *new, size_t *at, size_t after, bool end,
    const struct wish *w)
{
	size_t k;

	for (k = 0; k < w->insertions; k++) {
		if ((w->inserted[k].after == after ||
		    (end && w->inserted[k].after == DOCUMENT_NONE)) &&
		    !is_next(new, at, &w->inserted[k].key, &w->inserted[k].value))
			return false;
	}
	return true;
}

/* Nothing but line ends follows the last entry, which ends where the file does. */
static bool
ends_with_entry(const struct document *d)
{
	const struct buf *bytes = document_bytes(d);
	size_t count = document_count(d);
	const unsigned char *raw;
	size_t n, at;

	if (count == 0 || document_problem(d, NULL) == -1)
		return false;
	raw = document_raw_value(d, count - 1, &n);
	at = (size_t)(raw - bytes->data) + n;
	if (at < bytes->len && bytes->data[at] == '\r')
		at += at + 1 < bytes->len && bytes->data[at + 1] == '\n' ? 2 : 1;
	else if (at < bytes->len)
		at++;
	return at == bytes->len;
}

static bool
reads_as_wished(const struct document *old, const struct document *new, const struct wish *w)
{
	bool one_end = ends_with_entry(old);
	size_t count = document_count(old);
	size_t at = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if (!is_next_old(new, &at, old, i, w) ||
		    !are_next_inserted(new, &at, i, one_end && i + 1 == count, w))
			return false;
	}
	if (!one_end && !are_next_inserted(new, &at, DOCUMENT_NONE, false, w))
		return false;
	return at == document_count(new) &&
	    document_problem(old, NULL) == document_problem(new, NULL);
}

static void
test_random_edits_read_as_wished(void **state)
{
	static struct wish w;
	char before[8 * MAX_SIZE], after[16 * MAX_SIZE];
	unsigned char p[MAX_SIZE];
	uint64_t seed = 3;
	struct document *old, *new;
	struct edits *e;
	struct buf out;
	size_t i, n, edits = 0;

	(void)state;
	buf_init(&out, BUF_MAX_FILE);
	for (i = 0; i < DOCUMENTS; i++) {
		n = random_document(&seed, p, sizeof(p));
		old = parse(p, n);
		e = edits_new(old, false, NULL);
		change_entries(old, e, &w, &seed);
		insert_entries(old, e, &w, &seed);
		buf_clear(&out);
		assert_int_equal(edits_render(e, &out, NULL), 0);
		new = parse(out.data, out.len);
		if (!reads_as_wished(old, new, &w))
			fail_msg("document %zu: %s became %s", i,
			    shown(p, n, before, sizeof(before)),
			    shown(out.data, out.len, after, sizeof(after)));
		edits += edits_count(e);
		document_free(new);
		edits_free(e);
		document_free(old);
	}
	buf_release(&out);
	assert_true(edits > DOCUMENTS);
}

/* The bytes before and behind the raw value are those of the old document. */
static void
test_a_set_leaves_every_other_byte(void **state)
{
	unsigned char p[MAX_SIZE];
	uint64_t seed = 4;
	const unsigned char *raw;
	struct document *d;
	struct edits *e;
	struct text value;
	struct buf out;
	size_t i, k, n, len, head, tail, tried = 0;

	(void)state;
	buf_init(&out, BUF_MAX_FILE);
	for (i = 0; i < DOCUMENTS; i++) {
		n = random_document(&seed, p, sizeof(p));
		d = parse(p, n);
		if (document_count(d) > 0) {
			k = random_below(&seed, (uint32_t)document_count(d));
			value = random_text(&seed);
			raw = document_raw_value(d, k, &len);
			head = (size_t)(raw - document_bytes(d)->data);
			tail = n - head - len;
			e = edits_new(d, false, NULL);
			assert_int_equal(edits_set(e, k, value.p, value.n, NULL), 0);
			buf_clear(&out);
			assert_int_equal(edits_render(e, &out, NULL), 0);
			assert_true(out.len >= head + tail);
			assert_memory_equal(out.data, p, head);
			assert_memory_equal(out.data + out.len - tail, p + n - tail, tail);
			edits_free(e);
			tried++;
		}
		document_free(d);
	}
	buf_release(&out);
	assert_true(tried > DOCUMENTS / 2);
}

/* Insertions add, removals take a run away. */
static void
test_inserts_and_removals_leave_every_other_byte(void **state)
{
	unsigned char p[MAX_SIZE];
	uint64_t seed = 5;
	struct document *d;
	struct edits *e;
	struct buf out;
	size_t i, k, n, head, tail;

	(void)state;
	buf_init(&out, BUF_MAX_FILE);
	for (i = 0; i < DOCUMENTS; i++) {
		n = random_document(&seed, p, sizeof(p));
		d = parse(p, n);
		e = edits_new(d, false, NULL);
		k = document_count(d) == 0 ? 0 : random_below(&seed, (uint32_t)document_count(d));
		if (i % 2 == 0 && document_count(d) > 0)
			assert_int_equal(edits_remove(e, k, NULL), 0);
		else if (document_problem(d, NULL) == 0)
			assert_int_equal(edits_insert(e, document_count(d) == 0 ? DOCUMENT_NONE :
			    k, BYTES("k"), BYTES("v"), NULL), 0);
		buf_clear(&out);
		assert_int_equal(edits_render(e, &out, NULL), 0);
		for (head = 0; head < n && head < out.len && out.data[head] == p[head]; head++)
			;
		for (tail = 0; tail < n && tail < out.len && out.data[out.len - tail - 1] ==
		    p[n - tail - 1]; tail++)
			;
		assert_true(head + tail >= (out.len < n ? out.len : n));
		edits_free(e);
		document_free(d);
	}
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_edits_read_as_wished),
		cmocka_unit_test(test_a_set_leaves_every_other_byte),
		cmocka_unit_test(test_inserts_and_removals_leave_every_other_byte)
	};

	return cmocka_run_group_tests_name("edits-random", tests, NULL, NULL);
}

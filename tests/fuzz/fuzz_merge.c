/*
 * Three secrets files, with a byte of 255 between them, as base, ours and
 * theirs.  What a merge without conflicts gives has every change of either
 * side, and nothing that is of neither.
 */
#include "fuzz_support.h"
#include "merge/merge.h"
#include "secrets/sealed.h"

static bool
has_as(const struct document *d, const struct document *of, size_t i)
{
	size_t n, found;
	const char *key = document_key(of, i, &n);

	found = document_find(d, key, n);
	return found != DOCUMENT_NONE && same_value(of, i, d, found);
}

static bool
is_bytes_of(const struct document *d, const struct buf *b)
{
	return is_same(b->data, b->len, document_bytes(d)->data, document_bytes(d)->len);
}

static bool
has_key(const struct document *d, const struct document *of, size_t i)
{
	size_t n;
	const char *key = document_key(of, i, &n);

	return document_find(d, key, n) != DOCUMENT_NONE;
}

/* What ${side} changed is in ${merged}, and so is what neither side touched. */
static void
check_side(const struct document *base, const struct document *side, const struct document *other,
    const struct document *merged)
{
	for (size_t i = 0; i < document_count(side); i++) {
		if (document_shadowed(side, i) || tag_is_key(side, i))
			continue;
		if (!has_as(base, side, i))
			need(has_as(merged, side, i));
		else if (has_key(other, side, i))
			need(has_key(merged, side, i));
	}
}

static void
check_merge(struct document *base, struct document *ours, struct document *theirs,
    const struct document *want)
{
	struct merge_input in = { .doc = { base, ours, theirs }, .keys = MERGE_BASE };
	struct merge_result r = { 0 };
	struct document *merged;
	struct error err;
	struct buf out;

	buf_init_secret(&out, BUF_MAX_FILE);
	if (merge_documents(&in, &out, &r, &err) != 0) {
		need(err.code == ERROR_LIMIT);
	} else if (r.conflicts == 0 &&
	    (merged = fuzz_parse(out.data, out.len, DOCUMENT_ENTRIES)) != NULL) {
		/* A side that alone changed is taken whole, whatever is wrong with it. */
		need(document_problem(merged, NULL) == 0 || is_bytes_of(ours, &out) ||
		    is_bytes_of(theirs, &out));
		for (size_t i = 0; i < document_count(merged); i++)
			need(document_shadowed(merged, i) || has_as(ours, merged, i) ||
			    has_as(theirs, merged, i));
		check_side(base, ours, theirs, merged);
		check_side(base, theirs, ours, merged);
		for (size_t i = 0; want != NULL && i < document_count(want); i++)
			need(document_shadowed(want, i) || has_as(merged, want, i));
		document_free(merged);
	} else {
		need(markers_line(&out) > 0);
	}
	merge_result_release(&r);
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document *d[3] = { NULL };
	struct input in = { data, size }, part;
	const uint8_t *end;

	for (int i = 0; i < 3; i++) {
		end = in.n > 0 ? memchr(in.p, 0xff, in.n) : NULL;
		part = take_bytes(&in, end != NULL ? (size_t)(end - in.p) : in.n);
		take_byte(&in);
		need((d[i] = fuzz_parse(part.p, part.n, DOCUMENT_ENTRIES)) != NULL);
	}
	check_merge(d[0], d[1], d[2], NULL);
	if (document_problem(d[0], NULL) == 0 && document_problem(d[1], NULL) == 0) {
		check_merge(d[0], d[1], d[0], d[1]);
		check_merge(d[0], d[0], d[1], d[1]);
		check_merge(d[0], d[1], d[1], d[1]);
	}
	for (int i = 0; i < 3; i++)
		document_free(d[i]);
	return 0;
}

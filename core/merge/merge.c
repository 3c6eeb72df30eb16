#include "merge/merge.h"

#include <string.h>

#include "base/error.h"
#include "document/document.h"
#include "merge/decide.h"
#include "merge/markers.h"
#include "merge/units.h"
#include "merge/weave.h"

#define NAMES_MAX (1U << 20)

static void
result_init(struct merge_result *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->names, NAMES_MAX);
}

void
merge_result_release(struct merge_result *r)
{
	buf_release(&r->names);
}

static void
append_side(struct buf *out, const struct buf *side)
{
	buf_append(out, side->data, side->len);
	if (side->len > 0 && side->data[side->len - 1] != '\n')
		buf_append_char(out, '\n');
}

static int
whole(const struct buf *ours, const struct buf *theirs, struct buf *out,
    struct merge_result *r, struct error *err)
{
	buf_clear(&r->names);
	r->whole = true;
	r->conflicts = 1;
	buf_append_str(out, MARKERS_OURS "\n");
	append_side(out, ours);
	buf_append_str(out, MARKERS_BETWEEN "\n");
	append_side(out, theirs);
	buf_append_str(out, MARKERS_THEIRS "\n");
	return buf_check(out, err);
}

int
merge_whole(const struct buf *ours, const struct buf *theirs, struct buf *out,
    struct merge_result *r, struct error *err)
{
	result_init(r);
	return whole(ours, theirs, out, r, err);
}

/* Is the entry of ${slot} in the merged document what was decided? */
static bool
fits(const struct units *u, const struct unit *x, int slot, const struct document *merged)
{
	size_t i = x->entry[x->take][slot], j, len;
	const struct document *d = u->doc[x->take];
	const char *key;
	struct buf value;
	bool same;

	if (i == DOCUMENT_NONE)
		return true;
	key = document_key(d, i, &len);
	if ((j = document_find(merged, key, len)) == DOCUMENT_NONE)
		return false;
	buf_init_secret(&value, BUF_MAX_FILE);
	same = document_value(d, i, &value, NULL) == 0 && document_value_is(merged, j,
	    value.len > 0 ? (const char *)value.data : "", value.len);
	buf_release(&value);
	return same;
}

/* Has the merged document what was decided on and nothing else? */
static bool
check_entries(const struct units *u, const struct document *merged)
{
	size_t expected = 0, found = 0, i;

	for (i = 0; i < u->list.len; i++) {
		const struct unit *x = units_at(u, i);

		for (int slot = 0; slot < UNIT_SLOTS; slot++) {
			if (!fits(u, x, slot, merged))
				return false;
			expected += x->entry[x->take][slot] != DOCUMENT_NONE;
		}
	}
	for (i = 0; i < document_count(merged); i++)
		found += !document_shadowed(merged, i);
	return found == expected;
}

/* A line that runs on into the next one, say, can make something else of it. */
static bool
check_text(const struct units *u, const struct buf *text, const struct merge_result *r)
{
	struct document *merged;
	size_t begin, end;
	struct buf copy;
	bool good;

	markers_count(text, &begin, &end);
	if (begin != r->conflicts || end != r->conflicts)
		return false;
	if (r->conflicts > 0)
		return true;
	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, text->data, text->len);
	merged = document_parse(&copy, DOCUMENT_PROPERTIES, "", NULL);
	good = merged != NULL && document_problem(merged, NULL) == 0 && check_entries(u, merged);
	document_free(merged);
	buf_release(&copy);
	return good;
}

static bool
is_readable(const struct merge_input *in)
{
	for (size_t side = 0; side < MERGE_SIDES; side++) {
		if (document_format(in->doc[side]) != DOCUMENT_PROPERTIES ||
		    document_problem(in->doc[side], NULL) != 0)
			return false;
	}
	return true;
}

static int
by_entry(const struct merge_input *in, struct buf *out, struct merge_result *r, bool *good,
    struct error *err)
{
	struct units u;
	int rc = -1;

	if (units_collect(&u, in->doc, err) == 0 && decide_units(&u, in, err) == 0 &&
	    (rc = weave_write(&u, out, r, err)) == 0)
		*good = check_text(&u, out, r);
	units_release(&u);
	return rc;
}

static bool
same_bytes(const struct merge_input *in, enum merge_side a, enum merge_side b)
{
	const struct buf *x = document_bytes(in->doc[a]), *y = document_bytes(in->doc[b]);

	return x->len == y->len && (x->len == 0 || memcmp(x->data, y->data, x->len) == 0);
}

int
merge_documents(const struct merge_input *in, struct buf *out, struct merge_result *r,
    struct error *err)
{
	const struct buf *ours = document_bytes(in->doc[MERGE_OURS]);
	const struct buf *theirs = document_bytes(in->doc[MERGE_THEIRS]);
	bool good = false;
	struct buf text;
	int rc = 0;

	result_init(r);
	buf_init_secret(&text, out->max);
	if (same_bytes(in, MERGE_OURS, MERGE_THEIRS) || same_bytes(in, MERGE_BASE, MERGE_THEIRS)) {
		buf_append(out, ours->data, ours->len);
		rc = buf_check(out, err);
	} else if (same_bytes(in, MERGE_BASE, MERGE_OURS)) {
		buf_append(out, theirs->data, theirs->len);
		rc = buf_check(out, err);
	} else if (is_readable(in) && (rc = by_entry(in, &text, r, &good, err)) == 0 && good) {
		buf_append(out, text.data, text.len);
		rc = buf_check(out, err);
	} else if (rc == 0)
		rc = whole(ours, theirs, out, r, err);
	buf_release(&text);
	return rc;
}

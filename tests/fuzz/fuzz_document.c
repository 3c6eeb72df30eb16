/*
 * Configuration files of both formats, and one edit of them.  The first bytes
 * say the format, the edit and where; then comes its text, then the file.
 * What an edit does not touch is as it was, byte for byte and entry for entry.
 */
#include "document/edits.h"
#include "fuzz_support.h"

struct editing {
	const struct document *d;
	struct edits *e;
	size_t entry;
	struct input text;
};

static void
check_entries(const struct document *d)
{
	size_t count = document_count(d), start, end, last = 0, len, found;
	bool ordered = document_format(d)->lines;
	struct buf value;
	const char *key;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; i < count; i++) {
		document_span(d, i, &start, &end);
		need(start <= end && end <= document_bytes(d)->len);
		need(!ordered || start >= last);
		last = end;
		buf_clear(&value);
		need(document_value(d, i, &value, NULL) == 0);
		need(document_value_is(d, i, buf_cstr(&value), value.len));
		key = document_key(d, i, &len);
		found = document_find(d, key, len);
		need(found != DOCUMENT_NONE && (document_shadowed(d, i) || found == i));
		need(document_previous(d, i) == DOCUMENT_NONE ||
		    same_key(d, i, d, document_previous(d, i)));
	}
	buf_release(&value);
}

/* All entries but those named are as they were; ${less} are gone before the others. */
static void
check_others(const struct document *d, const struct document *new, size_t entry, bool gone)
{
	size_t k = 0;

	need(document_count(new) == document_count(d) - gone);
	for (size_t i = 0; i < document_count(d); i++) {
		if (i == entry && gone)
			continue;
		need(same_key(d, i, new, k));
		need(i == entry || same_value(d, i, new, k));
		k++;
	}
}

/* The new file, parsed; NULL: the edit is refused. */
static struct document *
rendered(const struct editing *x, struct buf *out)
{
	struct document *new;
	struct error err;

	if (edits_render(x->e, out, &err) != 0) {
		need(err.code == ERROR_REFUSED || err.code == ERROR_EXISTS ||
		    err.code == ERROR_LIMIT);
		return NULL;
	}
	new = fuzz_parse(out->data, out->len, document_format(x->d));
	need(new == NULL || document_problem(new, NULL) == 0);
	return new;
}

static bool
was_refused(int rc, const struct error *err)
{
	need(rc == 0 || err->code == ERROR_REFUSED || err->code == ERROR_USAGE ||
	    err->code == ERROR_EXISTS || err->code == ERROR_LIMIT);
	return rc != 0;
}

static void
check_set(const struct editing *x, struct buf *out)
{
	const struct buf *old = document_bytes(x->d);
	struct document *new;
	struct error err;
	size_t start, end;

	if (was_refused(edits_set(x->e, x->entry, x->text.p, x->text.n, &err), &err) ||
	    (new = rendered(x, out)) == NULL)
		return;
	check_others(x->d, new, x->entry, false);
	need(document_value_is(new, x->entry, (const char *)x->text.p, x->text.n));
	document_span(x->d, x->entry, &start, &end);
	need(out->len >= start && is_same(out->data, start, old->data, start));
	document_free(new);
}

static void
check_remove(const struct editing *x, struct buf *out)
{
	struct document *new;
	struct error err;

	if (was_refused(edits_remove(x->e, x->entry, &err), &err) ||
	    (new = rendered(x, out)) == NULL)
		return;
	check_others(x->d, new, x->entry, true);
	document_free(new);
}

static void
check_splice(const struct editing *x, struct buf *out)
{
	struct buf value, want;
	struct document *new;
	struct error err;
	size_t from, to;

	buf_init_secret(&value, BUF_MAX_FILE);
	buf_init_secret(&want, BUF_MAX_FILE);
	need(document_value(x->d, x->entry, &value, NULL) == 0);
	from = x->text.n > 0 ? x->text.p[0] % (value.len + 1) : 0;
	to = x->text.n > 1 ? from + x->text.p[1] % (value.len - from + 1) : value.len;
	if (!was_refused(edits_splice(x->e, x->entry, from, to, x->text.p, x->text.n, NULL, &err),
	    &err) && (new = rendered(x, out)) != NULL) {
		buf_append(&want, value.data, from);
		buf_append(&want, x->text.p, x->text.n);
		if (value.len > to)
			buf_append(&want, value.data + to, value.len - to);
		need(document_value_is(new, x->entry, buf_cstr(&want), want.len));
		check_others(x->d, new, x->entry, false);
		document_free(new);
	}
	buf_release(&want);
	buf_release(&value);
}

static void
check_insert(const struct editing *x, bool at_end, struct buf *out)
{
	const char *key = (const char *)x->text.p, *value;
	size_t len = x->text.n / 2, n = x->text.n - len, at, skipped = 0;
	struct document *new;
	struct error err;
	bool found = false;

	value = key + len;
	if (was_refused(edits_insert(x->e, at_end ? DOCUMENT_NONE : x->entry, key, len, value, n,
	    &err), &err) || (new = rendered(x, out)) == NULL)
		return;
	need(document_count(new) == document_count(x->d) + 1);
	for (at = document_find(new, key, len); at != DOCUMENT_NONE;
	    at = document_previous(new, at))
		found = found || document_value_is(new, at, value, n);
	need(found);
	/* The others come in their order, with the new one somewhere between. */
	for (size_t i = 0; i < document_count(x->d); i++) {
		if (!same_key(x->d, i, new, i + skipped) ||
		    !same_value(x->d, i, new, i + skipped))
			skipped++;
		need(skipped < 2 && same_key(x->d, i, new, i + skipped) &&
		    same_value(x->d, i, new, i + skipped));
	}
	document_free(new);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned what = take_byte(&in), which = take_byte(&in), length = take_byte(&in);
	struct editing x = { .text = take_bytes(&in, length % 32) };
	struct document *d = fuzz_parse(in.p, in.n, what & 1 ? &document_json :
	    &document_properties);
	struct buf out;

	if (d == NULL)
		return 0;
	buf_init_secret(&out, BUF_MAX_FILE);
	need((x.e = edits_new(d, true, NULL)) != NULL);
	need(is_same(document_bytes(d)->data, document_bytes(d)->len, in.p, in.n));
	need(edits_render(x.e, &out, NULL) == 0 && is_same(out.data, out.len, in.p, in.n));
	buf_clear(&out);
	check_entries(d);
	x.d = d;
	if (document_problem(d, NULL) == 0 && document_count(d) > 0) {
		x.entry = which % document_count(d);
		switch (what >> 1 & 3) {
		case 0:
			check_set(&x, &out);
			break;
		case 1:
			check_remove(&x, &out);
			break;
		case 2:
			check_splice(&x, &out);
			break;
		default:
			check_insert(&x, (what & 8) != 0, &out);
			break;
		}
	}
	buf_release(&out);
	edits_free(x.e);
	document_free(d);
	return 0;
}

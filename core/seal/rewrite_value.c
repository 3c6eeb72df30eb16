#include "seal/rewrite_value.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "secrets/resolve.h"
#include "secrets/secrets_file.h"

/* How far the text before a part is looked at: a JAAS option's name, say. */
#define ANCHOR_MAX 64

static struct rewrite_part *
part_at(const struct vec *parts, size_t k)
{
	return vec_at(parts, k);
}

/* Drop elements; the memory stays for the next value. */
static void
empty(struct vec *parts)
{
	parts->len = 0;
}

/* Open one reference.  1: done, 0: it does not open. */
static int
open_part(const struct secrets_file *s, struct rewrite_part *part, struct buf *plain,
    struct error *err)
{
	struct error why;

	part->plain_start = plain->len;
	if (part->entry == DOCUMENT_NONE)
		return 0;
	if (secrets_file_open(s, part->entry, plain, &why) == 0) {
		part->plain_end = plain->len;
		return 1;
	}
	/* Locked: there is no data key, and so nothing that it could open. */
	if (why.code == ERROR_DAMAGED || why.code == ERROR_KEY)
		return 0;
	if (err != NULL)
		*err = why;
	return -1;
}

int
rewrite_value_load(const struct secrets_file *s, const struct document *d, size_t i,
    struct buf *raw, struct buf *plain, struct vec *parts, struct error *err)
{
	struct rewrite_part part, *slot;
	size_t done = 0;
	int rc = 1, opened;

	buf_clear(raw);
	buf_clear(plain);
	empty(parts);
	if (document_value(d, i, raw, err) != 0)
		return -1;
	memset(&part, 0, sizeof(part));
	while (resolve_next((const char *)raw->data, raw->len, part.ref_end, &part.ref,
	    &part.ref_start, &part.ref_end)) {
		if (!reference_is_ours(&part.ref))
			continue;
		part.entry = resolve_entry(s, &part.ref);
		buf_append(plain, raw->data + done, part.ref_start - done);
		done = part.ref_end;
		if ((opened = open_part(s, &part, plain, err)) == -1)
			return -1;
		if (opened == 0)
			rc = 0;
		if ((slot = vec_push(parts)) == NULL)
			return error_memory(err);
		*slot = part;
	}
	if (raw->len > done)
		buf_append(plain, raw->data + done, raw->len - done);
	if (buf_check(plain, err) != 0)
		return -1;
	if (rc == 0)
		buf_clear(plain);
	return rc;
}

static bool
equal(const struct buf *a, size_t start, size_t end, const struct buf *b, size_t from, size_t to)
{
	return end - start == to - from &&
	    (end == start || memcmp(a->data + start, b->data + from, end - start) == 0);
}

/*
 * Does more stand in a changed part than a new value, such as another option?
 * ${stop} is the byte behind it.
 */
static bool
is_more(const struct buf *edited, size_t start, size_t end, unsigned char stop)
{
	const unsigned char *p = edited->data;
	unsigned char quote = start < end ? p[start] : 0;

	if (quote != '"' && quote != '\'') {
		for (; start < end && p[start] != stop && p[start] != ' ' && p[start] != '\t' &&
		    p[start] != '\n'; start++)
			start += p[start] == '\\';
		return start < end;
	}
	for (start++; start < end && p[start] != quote; start++)
		start += p[start] == '\\';
	return start + 1 != end;
}

/* The text around the parts is as it was: what stands between is what they became. */
static bool
locate_between(const struct buf *plain, const struct buf *edited, const struct vec *parts)
{
	size_t n = parts->len, first, last, at, text, len;
	const unsigned char *found;

	first = part_at(parts, 0)->plain_start;
	last = plain->len - part_at(parts, n - 1)->plain_end;
	if (edited->len < first + last || !equal(plain, 0, first, edited, 0, first) ||
	    !equal(plain, plain->len - last, plain->len, edited, edited->len - last, edited->len))
		return false;
	at = first;
	for (size_t k = 0; k < n; k++) {
		struct rewrite_part *part = part_at(parts, k);

		part->start = at;
		part->end = edited->len - last;
		if (k + 1 < n) {
			text = part->plain_end;
			len = part_at(parts, k + 1)->plain_start - text;
			found = len == 0 ? edited->data + at : memmem(edited->data + at,
			    edited->len - last - at, plain->data + text, len);
			if (found == NULL)
				return false;
			part->end = (size_t)(found - edited->data);
			at = part->end + len;
		}
		part->changed = !equal(plain, part->plain_start, part->plain_end, edited,
		    part->start, part->end);
		/* More was added than a new value, an option say. */
		if (part->changed && part->plain_end < plain->len &&
		    is_more(edited, part->start, part->end, plain->data[part->plain_end]))
			return false;
	}
	return true;
}

/* Where the text begins that is looked at before a part: behind a blank. */
static size_t
anchor(const struct buf *plain, size_t from, size_t start)
{
	size_t at = start;

	while (at > from && start - at < ANCHOR_MAX && plain->data[at - 1] != ' ' &&
	    plain->data[at - 1] != '\t' && plain->data[at - 1] != '\n')
		at--;
	return at;
}

/*
 * The parts are as they were, in their order, each between the text next to
 * it; the rest may have changed.
 */
static bool
locate_parts(const struct buf *plain, const struct buf *edited, const struct vec *parts)
{
	size_t n = parts->len, at = 0, before, from = 0, len;
	const unsigned char *found;

	for (size_t k = 0; k < n; k++) {
		struct rewrite_part *part = part_at(parts, k);

		before = anchor(plain, from, part->plain_start);
		len = part->plain_end - before;
		if (part->plain_end < plain->len)
			len++;
		if (before == part->plain_start || at > edited->len)
			return false;
		found = memmem(edited->data + at, edited->len - at, plain->data + before, len);
		if (found == NULL)
			return false;
		part->start = (size_t)(found - edited->data) + part->plain_start - before;
		part->end = part->start + part->plain_end - part->plain_start;
		/* Without a byte behind it, it must end the value. */
		if (part->plain_end == plain->len && part->end != edited->len)
			return false;
		part->changed = false;
		at = part->end;
		from = part->plain_end;
	}
	return true;
}

bool
rewrite_value_locate(const struct buf *plain, const struct buf *edited, struct vec *parts)
{
	return parts->len > 0 &&
	    (locate_parts(plain, edited, parts) || locate_between(plain, edited, parts));
}

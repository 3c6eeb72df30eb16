#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/names.h"
#include "registry/store/record_internal.h"
#include "registry/store/scan.h"

/* Characters of base64 that ${n} bytes make. */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)

static struct scan
record_value_start(const struct record_parser *p, const struct log_record *r)
{
	const unsigned char *bytes = r->value;

	return (struct scan){ bytes, bytes + r->value_len, p->text + p->text_used, false };
}

static enum record_read
record_value_finish(struct record_parser *p, struct scan *s)
{
	if (!scan_is(s, "}") || s->p != s->end)
		return RECORD_NOT_READ;
	p->text_used = (size_t)(s->text - p->text);
	return RECORD_READ;
}

/* Have room for one more of ${size} bytes. */
static void *
record_value_grow(void *items, size_t count, size_t *cap, size_t size)
{
	size_t more = *cap > 0 ? 2 * *cap : 16;
	void *new;

	if (count < *cap)
		return items;
	new = realloc(items, more * size);
	if (new != NULL)
		*cap = more;
	return new;
}

enum record_read
record_add_deleted(struct record_parser *p, struct record *out, uint64_t from, uint64_t to,
    int64_t at_ms, const char *by)
{
	struct record_deleted *deleted;
	size_t n = out->deleted_count;
	uint64_t i;

	if (from == 0 || from > to || to > NAME_VERSION_MAX || by == NULL || at_ms < 0 ||
	    to - from >= RECORD_DELETED_MAX - n || (n > 0 && p->deleted[n - 1].number >= from))
		return RECORD_NOT_READ;
	for (i = from; i <= to; i++) {
		deleted = record_value_grow(p->deleted, n, &p->deleted_cap, sizeof(*deleted));
		if (deleted == NULL)
			return RECORD_NO_MEMORY;
		p->deleted = deleted;
		deleted[n++] = (struct record_deleted){ (uint32_t)i, at_ms, by };
	}
	out->deleted = p->deleted;
	out->deleted_count = n;
	return RECORD_READ;
}

enum record_read
record_add_range(struct record_parser *p, struct record *out, uint64_t from, uint64_t to)
{
	struct record_range *ranges;
	size_t n = out->destroyed_count;

	if (from == 0 || from > to || to > NAME_VERSION_MAX || n == RECORD_DESTROYED_MAX ||
	    (n > 0 && p->ranges[n - 1].to >= from))
		return RECORD_NOT_READ;
	ranges = record_value_grow(p->ranges, n, &p->range_cap, sizeof(*ranges));
	if (ranges == NULL)
		return RECORD_NO_MEMORY;
	p->ranges = ranges;
	ranges[n] = (struct record_range){ (uint32_t)from, (uint32_t)to };
	out->destroyed = ranges;
	out->destroyed_count = n + 1;
	return RECORD_READ;
}

enum record_read
record_set_sealed(struct record_parser *p, struct record *out, uint32_t kid,
    const char *const parts[3], const size_t lengths[3])
{
	size_t need = SEALED_TEXT + lengths[2] / 4 * 3 + 3;
	unsigned char *sealed;
	size_t n;

	if (kid == 0 || lengths[0] != BASE64_LEN(SEALED_IV - SEALED_SALT) ||
	    lengths[1] != BASE64_LEN(SEALED_TEXT - SEALED_IV))
		return RECORD_NOT_READ;
	if (need > p->sealed_cap) {
		sealed = realloc(p->sealed, 2 * need);
		if (sealed == NULL)
			return RECORD_NO_MEMORY;
		p->sealed = sealed;
		p->sealed_cap = 2 * need;
	}
	sealed = p->sealed;
	sealed[0] = (unsigned char)(kid >> 24);
	sealed[1] = (unsigned char)(kid >> 16);
	sealed[2] = (unsigned char)(kid >> 8);
	sealed[3] = (unsigned char)kid;
	/* Each writes whole groups of three bytes: the next one covers the rest. */
	if (scan_base64(parts[0], lengths[0], sealed + SEALED_SALT) != SEALED_IV - SEALED_SALT ||
	    scan_base64(parts[1], lengths[1], sealed + SEALED_IV) != SEALED_TEXT - SEALED_IV)
		return RECORD_NOT_READ;
	n = scan_base64(parts[2], lengths[2], sealed + SEALED_TEXT);
	if (n == SIZE_MAX || n < SEALED_MIN - SEALED_TEXT)
		return RECORD_NOT_READ;
	out->sealed = sealed;
	out->sealed_len = SEALED_TEXT + n;
	return RECORD_READ;
}

bool
record_set_idem(struct record *out, const char *text, size_t n)
{
	unsigned char bytes[BASE64_LEN(sizeof(out->idem)) / 4 * 3];

	if (n != BASE64_LEN(sizeof(out->idem)) ||
	    scan_base64(text, n, bytes) != sizeof(out->idem))
		return false;
	memcpy(out->idem, bytes, sizeof(out->idem));
	out->has_idem = true;
	return true;
}

enum record_read
record_read_secret(struct record_parser *p, const struct log_record *r, struct record *out)
{
	struct scan s = record_value_start(p, r);
	const char *parts[3], *idem = NULL;
	size_t lengths[3] = { 0 }, idem_len = 0;
	enum record_read read;
	uint32_t kid;

	scan_is(&s, "{" JSON_NAME("m") "1," JSON_NAME("kid"));
	kid = (uint32_t)scan_number(&s, UINT32_MAX);
	scan_is(&s, "," JSON_NAME("alg") "\"" RECORD_ALGORITHM "\"," JSON_NAME("salt"));
	parts[0] = scan_raw(&s, &lengths[0]);
	scan_is(&s, "," JSON_NAME("iv"));
	parts[1] = scan_raw(&s, &lengths[1]);
	scan_is(&s, "," JSON_NAME("ct"));
	parts[2] = scan_raw(&s, &lengths[2]);
	scan_is(&s, "," JSON_NAME("createdAt"));
	out->created_ms = scan_time(&s);
	scan_is(&s, "," JSON_NAME("createdBy"));
	out->created_by = scan_string(&s);
	scan_is(&s, "," JSON_NAME("expiresAt"));
	out->expires_ms = scan_time(&s);
	scan_is(&s, "," JSON_NAME("epoch"));
	out->epoch = scan_number(&s, INT64_MAX);
	if (scan_may(&s, "," JSON_NAME("idem")))
		idem = scan_raw(&s, &idem_len);
	read = record_value_finish(p, &s);
	if (read == RECORD_READ)
		read = record_set_sealed(p, out, kid, parts, lengths);
	if (read == RECORD_READ && idem != NULL && !record_set_idem(out, idem, idem_len))
		read = RECORD_NOT_READ;
	return read;
}

static enum record_read
read_deleted(struct record_parser *p, struct scan *s, struct record *out)
{
	enum record_read read = RECORD_READ;
	uint64_t from, to;
	int64_t at;
	const char *by;

	if (scan_may(s, "]"))
		return RECORD_READ;
	do {
		scan_is(s, "{" JSON_NAME("n"));
		from = to = scan_number(s, NAME_VERSION_MAX);
		if (scan_may(s, "," JSON_NAME("to")))
			to = scan_number(s, NAME_VERSION_MAX);
		scan_is(s, "," JSON_NAME("at"));
		at = scan_time(s);
		scan_is(s, "," JSON_NAME("by"));
		by = scan_string(s);
		if (!scan_is(s, "}"))
			return RECORD_NOT_READ;
		read = record_add_deleted(p, out, from, to, at, by);
	} while (read == RECORD_READ && scan_may(s, ","));
	scan_is(s, "]");
	return read;
}

static enum record_read
read_destroyed(struct record_parser *p, struct scan *s, struct record *out)
{
	enum record_read read = RECORD_READ;
	uint64_t from, to;

	if (scan_may(s, "]"))
		return RECORD_READ;
	do {
		scan_is(s, "[");
		from = scan_number(s, NAME_VERSION_MAX);
		scan_is(s, ",");
		to = scan_number(s, NAME_VERSION_MAX);
		if (!scan_is(s, "]"))
			return RECORD_NOT_READ;
		read = record_add_range(p, out, from, to);
	} while (read == RECORD_READ && scan_may(s, ","));
	scan_is(s, "]");
	return read;
}

enum record_read
record_read_meta(struct record_parser *p, const struct log_record *r, struct record *out)
{
	struct scan s = record_value_start(p, r);
	enum record_read read;

	out->deleted_count = out->destroyed_count = 0;
	scan_is(&s, "{" JSON_NAME("m") "1," JSON_NAME("high"));
	out->high = (uint32_t)scan_number(&s, NAME_VERSION_MAX);
	if (!scan_is(&s, "," JSON_NAME("deleted") "["))
		return RECORD_NOT_READ;
	read = read_deleted(p, &s, out);
	if (read != RECORD_READ || !scan_is(&s, "," JSON_NAME("destroyed") "["))
		return read != RECORD_READ ? read : RECORD_NOT_READ;
	read = read_destroyed(p, &s, out);
	if (read != RECORD_READ)
		return read;
	scan_is(&s, "," JSON_NAME("maxVersions"));
	out->max_versions = (uint32_t)scan_number(&s, NAME_VERSION_MAX);
	out->cas_required = scan_may(&s, "," JSON_NAME("casRequired") "true");
	if (!out->cas_required)
		scan_is(&s, "," JSON_NAME("casRequired") "false");
	scan_is(&s, "," JSON_NAME("custom"));
	out->custom = scan_strings(&s);
	scan_is(&s, "," JSON_NAME("updatedAt"));
	out->updated_ms = scan_time(&s);
	scan_is(&s, "," JSON_NAME("updatedBy"));
	out->updated_by = scan_string(&s);
	scan_is(&s, "," JSON_NAME("mcas"));
	out->mcas = (uint32_t)scan_number(&s, UINT32_MAX);
	return record_value_finish(p, &s);
}

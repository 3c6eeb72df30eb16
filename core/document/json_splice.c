#include <string.h>

#include "document/document_internal.h"
#include "document/json_syntax.h"

/* The splicing of one value, on its way. */
struct splicing {
	struct document_render *r;
	bool string;		/* else its text becomes that of one */
	bool high;		/* a second half of a surrogate pair would be joined */
};

/* The escape of half a surrogate pair at ${p}: its unit, 0 for anything else. */
static uint32_t
half_at(const unsigned char *p, size_t n)
{
	uint32_t unit = 0;
	int i;

	if (n < 6 || memcmp(p, "\\u", 2) != 0)
		return 0;
	for (i = 2; i < 6; i++)
		unit = unit << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return unit >= 0xd800 && unit <= 0xdfff ? unit : 0;
}

/* Do the bytes end with the escape of a first half?  They begin outside of escapes. */
static bool
ends_with_high(const unsigned char *p, size_t n)
{
	size_t run;

	if (n < 6 || p[n - 6] != '\\' || p[n - 5] != 'u')
		return false;
	for (run = 1; run < n - 5 && p[n - 6 - run] == '\\'; run++)
		;
	return run % 2 == 1 && half_at(p + n - 6, 6) != 0 && half_at(p + n - 6, 6) <= 0xdbff;
}

/* Copy bytes of the value, so that they read as they did. */
static void
copy_upto(struct splicing *s, size_t offset)
{
	struct document_render *r = s->r;
	const unsigned char *p = r->d->bytes.data + r->done;
	size_t n = offset - r->done;
	unsigned char bytes[3];
	uint32_t unit;

	if (n == 0)
		return;
	if (!s->string) {
		json_write_text(r->out, p, n, &s->high);
		document_render_skip(r, offset);
		return;
	}
	unit = s->high ? half_at(p, n) : 0;
	if (unit >= 0xdc00) {
		bytes[0] = 0xed;
		bytes[1] = (unsigned char)(0x80 | (unit >> 6 & 0x3f));
		bytes[2] = (unsigned char)(0x80 | (unit & 0x3f));
		buf_append(r->out, bytes, sizeof(bytes));
		document_render_skip(r, r->done + 6);
	}
	s->high = ends_with_high(p, n);
	document_render_upto(r, offset);
}

void
json_splice_render(struct document_render *r, const struct document_entry *x,
    const struct document_splice *splices, size_t n)
{
	struct splicing s = { .r = r };
	size_t from, to, i;

	s.string = json_decode_span(r->d, x, &from, &to);
	document_render_upto(r, x->value);
	buf_append_char(r->out, '"');
	document_render_skip(r, from);
	for (i = 0; i < n; i++) {
		copy_upto(&s, splices[i].from);
		document_render_skip(r, splices[i].to);
		json_write_text(r->out, splices[i].text, splices[i].n, &s.high);
	}
	copy_upto(&s, to);
	buf_append_char(r->out, '"');
	document_render_skip(r, x->value_end);
}

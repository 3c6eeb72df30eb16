#ifndef SUPPORT_FUZZ_SUPPORT_H
#define SUPPORT_FUZZ_SUPPORT_H

/* What the fuzz targets of core share. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"

#define FUZZ_HELPER static inline __attribute__((unused))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be so; the fuzzer keeps the input otherwise. */
FUZZ_HELPER void
need(bool good)
{
	if (!good)
		abort();
}

/* The input, from which things are taken one after the other. */
struct input {
	const uint8_t *p;
	size_t n;
};

FUZZ_HELPER unsigned
take_byte(struct input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

FUZZ_HELPER struct input
take_bytes(struct input *in, size_t n)
{
	struct input part = { in->p, n < in->n ? n : in->n };

	in->p += part.n;
	in->n -= part.n;
	return part;
}

/* A copy that ends where the bytes end, so that reading on is seen.  The caller frees. */
FUZZ_HELPER char *
copy_of(const void *bytes, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);

	need(copy != NULL);
	if (n > 0)
		memcpy(copy, bytes, n);
	return copy;
}

FUZZ_HELPER bool
is_same(const void *a, size_t an, const void *b, size_t bn)
{
	return an == bn && (an == 0 || memcmp(a, b, an) == 0);
}

/* NULL only where a maximum is met. */
FUZZ_HELPER struct document *
fuzz_parse(const void *bytes, size_t n, const struct document_format *format)
{
	struct document *d;
	struct buf content;
	struct error err;

	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append(&content, bytes, n);
	d = document_parse(&content, format, "file", &err);
	need(content.len == 0);
	need(d != NULL || err.code == ERROR_LIMIT);
	return d;
}

FUZZ_HELPER bool
same_key(const struct document *a, size_t i, const struct document *b, size_t k)
{
	size_t n, m;
	const char *x = document_key(a, i, &n), *y = document_key(b, k, &m);

	return is_same(x, n, y, m);
}

FUZZ_HELPER bool
same_value(const struct document *a, size_t i, const struct document *b, size_t k)
{
	struct buf value;
	bool same;

	buf_init_secret(&value, BUF_MAX_FILE);
	need(document_value(a, i, &value, NULL) == 0);
	same = document_value_is(b, k, buf_cstr(&value), value.len);
	buf_release(&value);
	return same;
}

#endif /* !SUPPORT_FUZZ_SUPPORT_H */

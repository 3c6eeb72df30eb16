#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"

#define FIRST_CAP 64
#define LARGE_SECRET ((size_t)1 << 20)

struct buf_pool {
	size_t count;
	struct {
		unsigned char *data;
		size_t cap;
	} rest[BUF_POOL_COUNT];
};

static void
init(struct buf *b, size_t max, bool secret)
{
	memset(b, 0, sizeof(*b));
	/* One byte more must be thinkable: the NUL of buf_cstr. */
	b->max = max < SIZE_MAX ? max : SIZE_MAX - 1;
	b->secret = secret;
	b->why = ERROR_NONE;
}

void
buf_init(struct buf *b, size_t max)
{
	init(b, max, false);
}

void
buf_init_secret(struct buf *b, size_t max)
{
	init(b, max, true);
}

void
buf_init_drain(struct buf *b, size_t max, buf_drain_fn *drain, void *cookie)
{
	init(b, max, true);
	b->drain = drain;
	b->cookie = cookie;
}

int
buf_fail(struct buf *b, int why)
{
	if (!b->failed) {
		b->failed = true;
		b->why = why;
	}
	return -1;
}

static int
buf_resize(struct buf *b, size_t cap)
{
	unsigned char *data;

	if (!b->secret) {
		data = realloc(b->data, cap);
		if (data == NULL)
			return buf_fail(b, ERROR_MEMORY);
	} else {
		data = secmem_grow(b->data, b->len, &b->cap, cap);
		if (data == NULL)
			return buf_fail(b, ERROR_MEMORY);
		cap = b->cap;
	}
	b->data = data;
	b->cap = cap;
	return 0;
}

/* Have at least ${need} bytes: at least twice as many as now, within ${limit}.  Of a large secret a
 * quarter more: it is in memory with all that it has room for, and is not copied. */
static int
buf_grow(struct buf *b, size_t need, size_t limit)
{
	size_t cap = b->cap > 0 ? b->cap : b->secret ? 1 : FIRST_CAP;

	cap = cap > limit / 2 ? limit : b->secret && cap >= LARGE_SECRET ? cap + cap / 4 : 2 * cap;
	return buf_resize(b, cap > need ? cap : need);
}

int
buf_reserve(struct buf *b, size_t extra)
{
	if (b->failed)
		return -1;
	if (extra > b->max - b->drained - b->len)
		return buf_fail(b, ERROR_LIMIT);
	if (b->data != NULL && b->cap - b->len >= extra)
		return 0;
	return buf_grow(b, b->len + extra, b->max + 1);
}

/* Hand on bytes that come next. */
static int
drain_bytes(struct buf *b, const unsigned char *bytes, size_t n)
{
	int why = n > 0 ? b->drain(b->cookie, bytes, n) : 0;

	b->drained += n;
	return why != 0 ? buf_fail(b, why) : 0;
}

/* Have room for ${n} more, or hand on what of ${*bytes} there is none for. */
static void
drain_for(struct buf *b, const unsigned char **bytes, size_t *n)
{
	if (b->failed || *n > b->max - b->drained - b->len || b->cap - b->len >= *n)
		return;
	if (b->cap < BUF_DRAIN && buf_grow(b, *n < BUF_DRAIN - b->len ? b->len + *n : BUF_DRAIN,
	    BUF_DRAIN) == -1)
		return;
	if (b->cap - b->len >= *n)
		return;
	if (b->len > 1) {
		if (drain_bytes(b, b->data, b->len - 1) == -1)
			return;
		b->data[0] = b->data[b->len - 1];
		b->len = 1;
	}
	if (b->cap - b->len >= *n)
		return;
	if (drain_bytes(b, b->data, b->len) == -1)
		return;
	b->len = 0;
	if (drain_bytes(b, *bytes, *n - 1) == -1)
		return;
	*bytes += *n - 1;
	*n = 1;
}

void
buf_drain(struct buf *b)
{
	if (!b->failed && drain_bytes(b, b->data, b->len) == 0)
		b->len = 0;
}

void
buf_append(struct buf *b, const void *bytes, size_t n)
{
	const unsigned char *from = bytes;

	if (n > 0 && b->drain != NULL)
		drain_for(b, &from, &n);
	if (n == 0 || buf_reserve(b, n) == -1)
		return;
	memcpy(b->data + b->len, from, n);
	b->len += n;
}

void
buf_append_str(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void
buf_append_char(struct buf *b, char c)
{
	buf_append(b, &c, 1);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	/* printf may keep what it formats in memory of its own. */
	if (b->secret) {
		buf_fail(b, ERROR_REFUSED);
		return;
	}
	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		buf_fail(b, ERROR_MEMORY);
		return;
	}
	if (buf_reserve(b, (size_t)n) == -1)
		return;
	/* vsnprintf writes a NUL, for which the maximum leaves room. */
	if (b->cap - b->len <= (size_t)n && buf_grow(b, b->len + (size_t)n + 1, b->max + 1) == -1)
		return;
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

const char *
buf_cstr(struct buf *b)
{
	if (b->failed)
		return "";
	if (b->cap == b->len && buf_grow(b, b->len + 1, b->max + 1) == -1)
		return "";
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

void
buf_truncate(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	if (b->secret)
		secmem_wipe(b->data + len, b->len - len);
	b->len = len;
}

void
buf_clear(struct buf *b)
{
	buf_truncate(b, 0);
	b->failed = false;
	b->why = ERROR_NONE;
}

void *
buf_take(struct buf *b)
{
	void *exact, *data = b->data;

	if (b->secret || b->failed || b->len == 0)
		return NULL;
	if ((exact = realloc(data, b->len)) != NULL)
		data = exact;
	init(b, b->max, false);
	return data;
}

void
buf_settle(struct buf *b)
{
	unsigned char *data;
	size_t cap;

	if (!b->secret || b->len == 0 || b->len > SECMEM_SMALL || b->cap <= SECMEM_SMALL ||
	    (data = secmem_map_small(b->len, &cap)) == NULL)
		return;
	memcpy(data, b->data, b->len);
	secmem_unmap(b->data, b->cap);
	b->data = data;
	b->cap = cap;
}

void
buf_release(struct buf *b)
{
	if (b->secret)
		secmem_unmap(b->data, b->cap);
	else
		free(b->data);
	init(b, b->max, b->secret);
}

void
buf_move(struct buf *dst, struct buf *src)
{
	if (dst == src)
		return;
	buf_release(dst);
	*dst = *src;
	init(src, src->max, src->secret);
}

bool
buf_equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int
buf_check(const struct buf *b, struct error *err)
{
	if (!b->failed)
		return 0;
	switch (b->why) {
	case ERROR_LIMIT:
		return error_set(err, ERROR_LIMIT, "larger than %zu bytes", b->max);
	case ERROR_REFUSED:
		return error_set(err, ERROR_REFUSED, "a secret must not leave its memory");
	case ERROR_USAGE:
		return error_set(err, ERROR_USAGE, "JSON is put together wrongly");
	default:
		return error_memory(err);
	}
}

struct buf_pool *
buf_pool_new(struct error *err)
{
	struct buf_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		error_memory(err);
	return p;
}

void
buf_pool_free(struct buf_pool *p)
{
	if (p == NULL)
		return;
	while (p->count-- > 0)
		secmem_unmap(p->rest[p->count].data, p->rest[p->count].cap);
	free(p);
}

void
buf_pool_take(struct buf_pool *p, struct buf *b)
{
	if (!b->secret || b->data != NULL || p->count == 0)
		return;
	/* The last one is most likely still in the processor's cache. */
	p->count--;
	b->data = p->rest[p->count].data;
	b->cap = p->rest[p->count].cap;
}

void
buf_pool_give(struct buf_pool *p, struct buf *b)
{
	buf_clear(b);
	if (b->secret && b->data != NULL && b->cap <= BUF_POOL_BYTES &&
	    p->count < BUF_POOL_COUNT) {
		p->rest[p->count].data = b->data;
		p->rest[p->count].cap = b->cap;
		p->count++;
		b->data = NULL;
		b->cap = 0;
	}
	buf_release(b);
}

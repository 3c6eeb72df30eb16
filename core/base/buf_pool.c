#include "base/buf_pool.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"

struct buf_pool {
	size_t count;
	struct {
		unsigned char *data;
		size_t cap;
	} rest[BUF_POOL_COUNT];
};

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

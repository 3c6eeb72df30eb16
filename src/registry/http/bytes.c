#include <stdlib.h>
#include <string.h>

#include "base/secmem.h"
#include "registry/http/internal.h"

#define FIRST_CAP 1024U
#define KEPT_CAP 4096U

int
http_bytes_append(struct http_bytes *b, const void *p, size_t n, size_t max)
{
	size_t cap = b->cap > 0 ? b->cap : FIRST_CAP;
	char *data;

	if (n == 0)
		return 0;
	if (n > max || b->len > max - n)
		return -1;
	if (b->cap - b->len < n) {
		while (cap - b->len < n)
			cap *= 2;
		/* Not realloc, which would leave a copy behind. */
		data = malloc(cap);
		if (data == NULL)
			return -1;
		if (b->len > 0) {
			memcpy(data, b->data, b->len);
			secmem_wipe(b->data, b->len);
		}
		free(b->data);
		b->data = data;
		b->cap = cap;
	}
	memcpy(b->data + b->len, p, n);
	b->len += n;
	return 0;
}

void
http_bytes_clear(struct http_bytes *b)
{
	secmem_wipe(b->data, b->len);
	b->len = 0;
	if (b->cap > KEPT_CAP)
		http_bytes_free(b);
}

void
http_bytes_free(struct http_bytes *b)
{
	secmem_wipe(b->data, b->len);
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
}

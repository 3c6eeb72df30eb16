#include "registry/api/page.h"

#include <string.h>

#include "registry/api/request.h"
#include "registry/api/exchange.h"
#include "registry/api/reply.h"
#include "registry/http/http.h"
#include "registry/http/target.h"

static const char link_end[] = ">; rel=\"next\"";

int
page_read(struct exchange *x, struct page *p)
{
	int found;

	memset(p, 0, sizeof(*p));
	buf_init(&p->after, TARGET_BYTES_MAX);
	found = request_number(x, "limit", 1, PAGE_LIMIT_MAX, &p->limit);
	if (found == 0)
		p->limit = UINT64_MAX;
	if (found == -1 || request_query(x, "after", &p->after) == -1)
		return -1;
	return 0;
}

void
page_release(struct page *p)
{
	buf_release(&p->after);
}

const char *
page_after(const struct page *p)
{
	return p->after.len > 0 ? (const char *)p->after.data : "";
}

bool
page_is_full(const struct page *p)
{
	return p->count >= p->limit;
}

static void
add_parameter(struct buf *out, const char *name, size_t name_len, const void *value, size_t n)
{
	buf_append_char(out, '&');
	buf_append(out, name, name_len);
	buf_append_char(out, '=');
	target_encode(out, value, n);
}

void
page_link(struct exchange *x, const struct page *p, const char *last, size_t n,
    const char *keep)
{
	struct buf *out = &x->link;
	struct buf value;

	buf_clear(out);
	buf_append_char(out, '<');
	buf_append_str(out, http_path(x->r));
	buf_append_str(out, "?limit=");
	reply_number(out, p->limit);
	buf_init(&value, TARGET_BYTES_MAX);
	while (*keep != '\0') {
		size_t len = strcspn(keep, " ");
		char name[32] = "";

		memcpy(name, keep, len < sizeof(name) ? len : sizeof(name) - 1);
		buf_clear(&value);
		if (target_query(http_query(x->r), name, &value) == 1)
			add_parameter(out, name, len, value.data, value.len);
		keep += len + strspn(keep + len, " ");
	}
	buf_release(&value);
	add_parameter(out, "after", 5, last, n);
	buf_append_str(out, link_end);
	x->link_name = "Link";
}

void
page_link_add(struct exchange *x, const char *name, const void *value, size_t n)
{
	buf_truncate(&x->link, x->link.len - strlen(link_end));
	add_parameter(&x->link, name, strlen(name), value, n);
	buf_append_str(&x->link, link_end);
}

#ifndef REGISTRY_API_PAGE_H
#define REGISTRY_API_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct exchange;

/* ?limit=1..1000&after=NAME of a listing. */
#define PAGE_LIMIT_MAX 1000

struct page {
	uint64_t limit;		/* UINT64_MAX: all */
	uint64_t count;		/* so far */
	struct buf after;	/* begin after this name; len 0: with the first */
};

/* -1: the request was failed.  page_release in any case. */
int page_read(struct exchange *x, struct page *p);
void page_release(struct page *p);

/* The name to begin after, "" for none; its length is ${p}->after.len. */
const char *page_after(const struct page *p);

/* One more would go beyond the limit. */
bool page_is_full(const struct page *p);

/**
 * page_link(x, p, last, n, ...):
 * Have the answer point to the next page, which begins after ${last}.  The
 * names in ${keep}, separated by blanks, are carried over from the query.
 */
void page_link(struct exchange *x, const struct page *p, const char *last, size_t n,
    const char *keep);

/* Add one more parameter to the link. */
void page_link_add(struct exchange *x, const char *name, const void *value, size_t n);

#endif /* !REGISTRY_API_PAGE_H */

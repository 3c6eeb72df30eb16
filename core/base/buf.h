#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct buf_pool;
struct error;

/* Takes bytes of a buffer away: 0, or why not (enum error_code). */
typedef int buf_drain_fn(void *cookie, const unsigned char *bytes, size_t n);

/*
 * A growable run of bytes with a stated maximum.  A secret buffer lives in
 * its own guarded pages (secmem.h), is wiped before they go back, and is the
 * only place where plaintext, passphrases and keys may be.
 *
 * Failure is sticky: once an append fails (no memory, over the maximum) the
 * buffer ignores further appends, and buf_check() reports it.  So a run of
 * appends needs one check at its end.  Fields may be read; write through the
 * functions below.
 */
struct buf {
	unsigned char *data;	/* NULL while cap is 0 */
	size_t len;
	size_t cap;
	size_t max;
	bool secret;
	bool failed;
	int why;		/* the enum error_code of the first failure */
	buf_drain_fn *drain;	/* NULL, or where its bytes go when it is full: */
	void *cookie;
	size_t drained;		/* so many have gone there, and count towards the maximum */
};

/* The largest file that is read: 1 GiB less one page, so that offsets fit 32 bits. */
#define BUF_MAX_FILE ((size_t)(1U << 30) - 4096)

/* Start an empty buffer.  Nothing is allocated, so buf_release() is optional. */
void buf_init(struct buf *b, size_t max);
void buf_init_secret(struct buf *b, size_t max);

/**
 * buf_init_drain(b, max, drain, cookie):
 * A secret buffer for a run of bytes that nobody needs as a whole: while it is appended
 * to, all but its last byte goes to ${drain} whenever BUF_DRAIN bytes are full.  At the
 * end buf_drain hands on the rest.
 */
void buf_init_drain(struct buf *b, size_t max, buf_drain_fn *drain, void *cookie);
void buf_drain(struct buf *b);
#define BUF_DRAIN ((size_t)64 << 10)

/* Make room for ${extra} more bytes beyond len.  -1: failed (sticky). */
int buf_reserve(struct buf *b, size_t extra);

void buf_append(struct buf *b, const void *bytes, size_t n);
void buf_append_str(struct buf *b, const char *s);
void buf_append_char(struct buf *b, char c);

/* For public text only: a secret buffer refuses (fails). */
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * buf_cstr(b):
 * The contents as a C string: appends a NUL that does not count in len.
 * Returns "" when the buffer failed.  Valid until the next append.
 */
const char *buf_cstr(struct buf *b);

/* Cut to ${len} bytes (wiping the rest of a secret one); keeps the memory. */
void buf_truncate(struct buf *b, size_t len);

/* The bytes of one that is not secret, for the caller to free; it is empty then.  NULL: there
 * are none, or it has failed. */
void *buf_take(struct buf *b);

/* Empty and forget a sticky failure; keeps the memory, wiped if secret. */
void buf_clear(struct buf *b);

/* What stays as it is for long, among many others: if it is small, let go of what it does
 * not need of its page. */
void buf_settle(struct buf *b);

/* Wipe if secret, free, and leave an empty buffer of the same kind. */
void buf_release(struct buf *b);

/* Move ${src} into ${dst} (released first); ${src} is left empty. */
void buf_move(struct buf *dst, struct buf *src);

/* Fail on purpose (sticky), for an append that cannot be done: ${why} is
 * ERROR_MEMORY, ERROR_LIMIT, ERROR_REFUSED for a secret that was to go into a
 * buffer that is not secret or through printf, or ERROR_USAGE for JSON that a
 * caller nests wrongly (json_out.h).  Returns -1. */
int buf_fail(struct buf *b, int why);

/* Do both hold the same bytes?  (Not for comparing with a secret guess: secmem.h.) */
bool buf_equal(const struct buf *a, const struct buf *b);

/* 0, or -1 with the reason when an append failed (see buf_fail). */
int buf_check(const struct buf *b, struct error *err);

/*
 * Secret buffers at rest.  Pages of a secret buffer take half a dozen system
 * calls to get and to give back, so whoever needs a buffer for each request
 * keeps those of the last ones, wiped.  For one thread alone.
 */
#define BUF_POOL_COUNT 256		/* buffers at rest at most */
#define BUF_POOL_BYTES ((size_t)16 << 10)	/* a larger one is not kept */

struct buf_pool *buf_pool_new(struct error *err);
void buf_pool_free(struct buf_pool *p);

/* Give ${b}, a secret buffer, the pages of one at rest; ${b} stays as it is if
 * it has some or none rests here. */
void buf_pool_take(struct buf_pool *p, struct buf *b);

/* Empty ${b} and keep its wiped pages, or release them; ${b} may be used again. */
void buf_pool_give(struct buf_pool *p, struct buf *b);

#endif /* !BASE_BUF_H */

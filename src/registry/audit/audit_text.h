#ifndef REGISTRY_AUDIT_AUDIT_TEXT_H
#define REGISTRY_AUDIT_AUDIT_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Text that is put together in a buffer of fixed size, as fast as can be: this
 * is done for every request.  What does not fit is dropped, so the buffer must
 * be large enough for the longest that can come.
 */
struct audit_text {
	char *at;
	char *end;
};

static inline void
audit_text_put(struct audit_text *t, const void *bytes, size_t n)
{
	if ((size_t)(t->end - t->at) < n)
		return;
	memcpy(t->at, bytes, n);
	t->at += n;
}

/* A literal. */
#define AUDIT_TEXT_PUT(t, literal) audit_text_put((t), "" literal, sizeof(literal) - 1)

void audit_text_number(struct audit_text *t, uint64_t n);
void audit_text_signed(struct audit_text *t, int64_t n);

/* Lower-case hexadecimal. */
void audit_text_hex(struct audit_text *t, const unsigned char *bytes, size_t n);

/* ${n}, or less so as to be at most ${max} and not to cut inside a character. */
size_t audit_text_cut(const char *s, size_t n, size_t max);

/* Percent-encoded but for RFC 3986's unreserved characters; 3 bytes for one. */
void audit_text_percent(struct audit_text *t, const char *s, size_t n, size_t max);

/* The time now as 2026-01-31T12:00:00.123Z: 24 bytes. */
void audit_text_now(struct audit_text *t);
#define AUDIT_TEXT_TIME 24

#endif /* !REGISTRY_AUDIT_AUDIT_TEXT_H */

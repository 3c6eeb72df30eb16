#include <stdlib.h>
#include <string.h>

#include "registry/audit/audit_batch.h"

#define KEEP_BYTES ((size_t)4 << 20)

void
audit_batch_init(struct audit_batch *b)
{
	memset(b, 0, sizeof(*b));
}

void
audit_batch_release(struct audit_batch *b)
{
	free(b->bytes);
	free(b->entries);
	audit_batch_init(b);
}

void
audit_batch_clear(struct audit_batch *b)
{
	if (b->cap > KEEP_BYTES) {
		audit_batch_release(b);
		return;
	}
	b->len = 0;
	b->count = 0;
	b->lines = 0;
}

struct audit_entry *
audit_batch_entry(struct audit_batch *b)
{
	struct audit_entry *more;
	size_t cap;

	if (b->lines >= AUDIT_BATCH_LINES || b->count >= AUDIT_BATCH_LINES)
		return NULL;
	if (b->count == b->entry_cap) {
		cap = b->entry_cap == 0 ? 64 : 2 * b->entry_cap;
		if ((more = realloc(b->entries, cap * sizeof(*more))) == NULL)
			return NULL;
		b->entries = more;
		b->entry_cap = cap;
	}
	more = &b->entries[b->count++];
	memset(more, 0, sizeof(*more));
	more->at = b->len;
	return more;
}

static int
audit_batch_reserve(struct audit_batch *b, size_t n)
{
	size_t cap = b->cap == 0 ? 64U << 10 : b->cap;
	char *more;

	if (n > AUDIT_BATCH_BYTES || b->len > AUDIT_BATCH_BYTES - n)
		return -1;
	while (cap < b->len + n)
		cap *= 2;
	if (cap == b->cap)
		return 0;
	if ((more = realloc(b->bytes, cap)) == NULL)
		return -1;
	b->bytes = more;
	b->cap = cap;
	return 0;
}

static size_t
audit_batch_padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

int
audit_batch_line(struct audit_batch *b, const struct audit_line *head, const char *bytes)
{
	if (audit_batch_reserve(b, sizeof(*head) + audit_batch_padded(head->len)) != 0)
		return -1;
	memcpy(b->bytes + b->len, head, sizeof(*head));
	memcpy(b->bytes + b->len + sizeof(*head), bytes, head->len);
	b->len += sizeof(*head) + audit_batch_padded(head->len);
	b->entries[b->count - 1].lines++;
	b->lines++;
	return 0;
}

void
audit_batch_undo(struct audit_batch *b)
{
	struct audit_entry *e = &b->entries[--b->count];

	b->len = e->at;
	b->lines -= e->lines;
}

const char *
audit_batch_next(const struct audit_batch *b, size_t *at, struct audit_line *head)
{
	const char *bytes = b->bytes + *at + sizeof(*head);

	memcpy(head, b->bytes + *at, sizeof(*head));
	*at += sizeof(*head) + audit_batch_padded(head->len);
	return bytes;
}

void
audit_batch_set_intent(struct audit_batch *b, const struct audit_entry *e, uint64_t seq)
{
	struct audit_line head;

	memcpy(&head, b->bytes + e->at, sizeof(head));
	head.intent = seq;
	memcpy(b->bytes + e->at, &head, sizeof(head));
}

int
audit_batch_copy(struct audit_batch *to, const struct audit_batch *from,
    const struct audit_entry *e)
{
	struct audit_entry *copy = audit_batch_entry(to);
	struct audit_line head;
	const char *bytes;
	size_t at = e->at;
	uint32_t i;

	if (copy == NULL)
		return -1;
	copy->keep = e->keep;
	copy->expired = e->expired;
	for (i = 0; i < e->lines; i++) {
		bytes = audit_batch_next(from, &at, &head);
		if (audit_batch_line(to, &head, bytes) != 0) {
			audit_batch_undo(to);
			return -1;
		}
	}
	return 0;
}

#ifndef REGISTRY_AUDIT_AUDIT_OPEN_SET_H
#define REGISTRY_AUDIT_AUDIT_OPEN_SET_H

#include <stddef.h>
#include <stdint.h>

/* Intents (their seq) that have no outcome yet, ascending. */
struct audit_open_set {
	uint64_t *seqs;
	size_t count, cap;
	uint64_t forgotten;	/* the smallest that there was no room for, 0: none */
};

void audit_open_set_release(struct audit_open_set *s);

/* Larger than all that are there goes fast. */
void audit_open_set_add(struct audit_open_set *s, uint64_t seq);
void audit_open_set_remove(struct audit_open_set *s, uint64_t seq);

/* The smallest, 0: there is none. */
uint64_t audit_open_set_first(const struct audit_open_set *s);

#endif /* !REGISTRY_AUDIT_AUDIT_OPEN_SET_H */

#ifndef REGISTRY_STORE_STATE_INDEX_H
#define REGISTRY_STORE_STATE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Named things in the order of their names' bytes: a B+ tree that only grows.
 * An item begins with its name's length (uint16_t); the name's bytes stand at
 * ${name_at} in it.  One item takes no memory but its pointer here.
 */
struct state_index {
	void *root;
	uint32_t count;
	uint16_t name_at;
	uint8_t height;
};

void *state_index_find(const struct state_index *x, const char *name, size_t n);

/* The first item with a greater name. */
void *state_index_after(const struct state_index *x, const char *name, size_t n);

/* Adds an item whose name is not there yet; ${*bytes} grows by the memory
 * taken.  -1: no memory, and nothing was changed. */
int state_index_add(struct state_index *x, void *item, uint64_t *bytes);

/* Free the tree; ${each} gets every item.  Its cost is a call an item. */
void state_index_release(struct state_index *x, void (*each)(void *item));

/* What malloc takes for ${n} bytes, about. */
uint64_t state_cost(size_t n);

#endif /* !REGISTRY_STORE_STATE_INDEX_H */

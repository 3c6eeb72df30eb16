#ifndef UI_BINDINGS_H
#define UI_BINDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "ui/keymap.h"

struct buf;
struct error;

/* Which keys run which action: the table's (keymap.c), or as the user set them. */
struct bindings {
	uint32_t keys[ACTION_COUNT][ACTION_KEYS];	/* 0: none */
};

/* As in the table. */
void bindings_init(struct bindings *b);

/* The action of a name such as "mark-file", or ACTION_COUNT. */
enum action_id bindings_action(const char *name);

/**
 * bindings_set(b, id, text, err):
 * Give the action the keys of ${text}, names with blanks between, in place
 * of those it has; "none" takes all away.  ERROR_FORMAT, without a place: no
 * such key, too many, one that the terminal or a multiplexer keeps to itself,
 * one that is too easily hit for an action that destroys something, or none
 * for an action that must always be in reach.
 */
int bindings_set(struct bindings *b, enum action_id id, const char *text,
    struct error *err);

/* Is one key bound to two actions?  Tells the first such key. */
bool bindings_conflict(const struct bindings *b, enum action_id *one,
    enum action_id *two, uint32_t *key);

/* Append the names of an action's keys, with blanks between, or "none". */
void bindings_append(const struct bindings *b, enum action_id id,
    struct buf *out);

#endif /* !UI_BINDINGS_H */

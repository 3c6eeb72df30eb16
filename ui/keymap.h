#ifndef UI_KEYMAP_H
#define UI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/filter.h"
#include "ui/view.h"

struct app;
struct bindings;
struct buf;
struct error;

#define KEY_NAME_MAX 16

/* Two keys: the second is waited for after `g`, where that has no action of its own. */
#define KEY_GO ((uint32_t)'g')
#define KEY_AFTER_GO(c) (0x1000000 | (uint32_t)(c))

/* A key's name for people, such as "Space", "^L", "w"; of two keys "gs". */
const char *key_name_of(uint32_t key, char name[KEY_NAME_MAX]);

/*
 * The one table of what the main views can do: keys, footer and help all come
 * from it.  The same key does what is alike in all views.
 * Never bound: ^Z ^C ^D ^S ^Q ^A ^B (the terminal's, a multiplexer's).  What
 * destroys or changes keys has an upper-case key.
 */
enum action_id {
	ACTION_DOWN, ACTION_UP, ACTION_PAGE_DOWN, ACTION_PAGE_UP, ACTION_FIRST,
	ACTION_LAST, ACTION_HEAD, ACTION_SECRETS_FILE, ACTION_USER, ACTION_OTHER_PANE,
	ACTION_OPEN, ACTION_UNFOLD, ACTION_FOLD,
	ACTION_UNFOLD_ALL, ACTION_FOLD_ALL, ACTION_SEARCH, ACTION_NEXT,
	ACTION_PREVIOUS, ACTION_NEXT_PROBLEM, ACTION_PREVIOUS_PROBLEM,
	ACTION_FILTER, ACTION_WORDS, ACTION_SORT, ACTION_CANCEL,
	ACTION_MARK, ACTION_RANGE, ACTION_MARK_FILE, ACTION_MARK_ALL,
	ACTION_UNMARK, ACTION_REVIEW, ACTION_DIFF, ACTION_APPLY,
	ACTION_REVEAL, ACTION_COPY, ACTION_ADD, ACTION_UPDATE, ACTION_REMOVE,
	ACTION_UNLOCK, ACTION_LOCK, ACTION_ROTATE_DATA, ACTION_ROTATE_MASTER, ACTION_TAKE_BACK,
	ACTION_GENERATE, ACTION_RECOVER, ACTION_OPEN_SECRETS,
	ACTION_VIEW, ACTION_COMPARE, ACTION_UNDELETE, ACTION_AUDIT,
	ACTION_GROUP, ACTION_IGNORE, ACTION_EXPORT,
	ACTION_VIEW_FILES, ACTION_VIEW_FINDINGS, ACTION_VIEW_PENDING, ACTION_VIEW_ROTATION,
	ACTION_VIEW_HISTORY, ACTION_VIEW_REGISTRY,
	ACTION_HELP, ACTION_PALETTE, ACTION_TUTOR, ACTION_RESCAN, ACTION_NOTICES, ACTION_THEME,
	ACTION_MOUSE, ACTION_REDRAW, ACTION_QUIT,
	ACTION_COUNT
};

#define ACTION_KEYS 3
#define KEYMAP_READ_ONLY "this run only looks: start without --read-only to change anything"
#define EVERYWHERE VIEW_COUNT

/* What an action is in one of the views. */
struct keymap_face {
	int rank;		/* place in the footer, 0: not there */
	const char *label;	/* in the footer; NULL: its name */
	const char *help;	/* NULL: the action's */
	bool changes;		/* files, a registry, a session, lessons: not with --read-only */
	const char *(*unavailable)(const struct app *a);	/* NULL: always works */
	void (*run)(struct app *a);	/* NULL: it is not in this view */
};

struct action {
	const char *group;	/* heading in the help */
	const char *name;	/* for people and settings */
	uint32_t keys[ACTION_KEYS];	/* unless bound otherwise; 0: none */
	const char *help;
	bool dangerous;
	/* The views in which it lives; the last one is for those that have no face of their own. */
	struct keymap_face faces[VIEW_COUNT + 1];
};

const struct action *keymap_action(enum action_id id);

/* May it be done while a question is open, too? */
bool keymap_is_beside(enum action_id id);

/* What is told of an action in the view that is shown. */
int keymap_rank(const struct app *a, enum action_id id);
const char *keymap_label(const struct app *a, enum action_id id);
const char *keymap_help(const struct app *a, enum action_id id);

/* How well it fits what was typed: one of its keys is all of it, its name, what it does, or its
 * group. */
enum rank keymap_match(const struct app *a, enum action_id id, const char *typed);

/* Use the user's keys from now on (not owned, not changed; NULL: the table's). */
void keymap_bind(const struct bindings *b);

/* The action of a key, or ACTION_COUNT. */
enum action_id keymap_find(uint32_t key);

/* Does the key only begin two? */
bool keymap_waits(uint32_t key);

/* The second of the two keys of an action; 0: it has none. */
uint32_t keymap_after_go(enum action_id id);

/* Why it cannot be done now, or NULL. */
const char *keymap_unavailable(const struct app *a, enum action_id id);

/* Run it; when it cannot be, say why. */
void keymap_run(struct app *a, enum action_id id);

#define KEYMAP_NAME_MAX 16

/* The name of an action's first key. */
const char *keymap_key_of(enum action_id id, char name[KEYMAP_NAME_MAX]);

/* The same, for texts. */
#define KEY(id) keymap_key_of(id, (char [KEYMAP_NAME_MAX]){ 0 })

/* All keys of an action, with blanks between. */
void keymap_keys_of(enum action_id id, char *out, size_t size);

/* Which keys run which action: the table's (keymap.c), or as the user set them. */
struct bindings {
	uint32_t keys[ACTION_COUNT][ACTION_KEYS];	/* 0: none */
};

/* As in the table. */
void bindings_init(struct bindings *b);

/**
 * bindings_set(b, id, text, err):
 * Give the action the keys of ${text}, names with blanks between, in place
 * of those it has; "none" takes all away.  ERROR_FORMAT, without a place: no
 * such key, too many, one that the terminal or a multiplexer keeps to itself,
 * one that is too easily hit for an action that destroys something, or none
 * for an action that must always be in reach.  Actions that are newer than
 * most settings lose their own key where it is given to another one.
 */
int bindings_set(struct bindings *b, enum action_id id, const char *text, struct error *err);

/* Is one key bound to two actions?  Tells the first such key. */
bool bindings_conflict(const struct bindings *b, enum action_id *one,
    enum action_id *two, uint32_t *key);

/* Append the names of an action's keys, with blanks between, or "none". */
void bindings_append(const struct bindings *b, enum action_id id, struct buf *out);

#endif /* !UI_KEYMAP_H */

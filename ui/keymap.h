#ifndef UI_KEYMAP_H
#define UI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct bindings;

/*
 * The one table of what the browser can do: keys, footer and help all come
 * from it.  The view of the registry has the same keys for what is alike.
 * Never bound: ^Z ^C ^D ^S ^Q ^A ^B (the terminal's, a multiplexer's).  What
 * destroys or changes keys has an upper-case key.
 */
enum action_id {
	ACTION_DOWN, ACTION_UP, ACTION_PAGE_DOWN, ACTION_PAGE_UP, ACTION_FIRST,
	ACTION_LAST, ACTION_OTHER_PANE, ACTION_OPEN, ACTION_UNFOLD, ACTION_FOLD,
	ACTION_UNFOLD_ALL, ACTION_FOLD_ALL, ACTION_SEARCH, ACTION_NEXT,
	ACTION_PREVIOUS, ACTION_FILTER, ACTION_CANCEL,
	ACTION_MARK, ACTION_RANGE, ACTION_MARK_FILE, ACTION_MARK_ALL,
	ACTION_UNMARK, ACTION_REVIEW, ACTION_APPLY,
	ACTION_REVEAL, ACTION_ADD, ACTION_UPDATE, ACTION_REMOVE,
	ACTION_UNLOCK, ACTION_LOCK, ACTION_ROTATE_DATA, ACTION_ROTATE_MASTER,
	ACTION_GENERATE, ACTION_OPEN_SECRETS,
	ACTION_VIEW, ACTION_COMPARE, ACTION_UNDELETE, ACTION_AUDIT,
	ACTION_HELP, ACTION_RESCAN, ACTION_REDRAW, ACTION_QUIT,
	ACTION_COUNT
};

#define ACTION_KEYS 3

struct action {
	const char *group;	/* heading in the help */
	const char *name;	/* for people and settings */
	uint32_t keys[ACTION_KEYS];	/* unless bound otherwise; 0: none */
	int rank;		/* place in the footer, 0: not there */
	const char *label;	/* in the footer */
	const char *help;
	const char *(*unavailable)(const struct app *a);	/* NULL: always works */
	void (*run)(struct app *a);	/* NULL: only in the view of the registry */
	bool dangerous;
};

const struct action *keymap_action(enum action_id id);

/* What an action is in the view of the registry, where that differs. */
struct keymap_face {
	int rank;
	const char *label;
	const char *help;
	const char *(*unavailable)(const struct app *a);
	void (*run)(struct app *a);	/* NULL: it is not there */
};

/* keymap_registry.c */
const struct keymap_face *keymap_registry_face(enum action_id id);

/* What is told of an action in the view that is shown. */
int keymap_rank(const struct app *a, enum action_id id);
const char *keymap_label(const struct app *a, enum action_id id);
const char *keymap_help(const struct app *a, enum action_id id);

/* Use the user's keys from now on (not owned, not changed; NULL: the table's). */
void keymap_bind(const struct bindings *b);

/* The action of a key, or ACTION_COUNT. */
enum action_id keymap_find(uint32_t key);

/* Why it cannot be done now, or NULL. */
const char *keymap_unavailable(const struct app *a, enum action_id id);

/* Run it; when it cannot be, say why. */
void keymap_run(struct app *a, enum action_id id);

/* Is any key bound to it? */
bool keymap_has_key(enum action_id id);

#define KEYMAP_NAME_MAX 16

/* The name of an action's first key. */
const char *keymap_key_of(enum action_id id, char name[KEYMAP_NAME_MAX]);

/* All keys of an action, with blanks between. */
void keymap_keys_of(enum action_id id, char *out, size_t size);

#endif /* !UI_KEYMAP_H */

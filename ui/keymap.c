#include <stdio.h>
#include <string.h>

#include "ui/act.h"
#include "ui/act_registry.h"
#include "ui/app.h"
#include "ui/bindings.h"
#include "ui/event.h"
#include "ui/key_name.h"
#include "ui/keymap.h"
#include "ui/registry.h"
#include "ui/selection.h"

#define MOVE "Moving"
#define MARK "Sealing"
#define VALUE "Values"
#define KEYS "Keys"
#define REGISTRY "Registry"
#define PROGRAM "Program"

static const struct action actions[ACTION_COUNT] = {
	[ACTION_DOWN] = { MOVE, "down", { 'j', INPUT_DOWN }, 0, NULL,
	    "next line", NULL, act_down, false },
	[ACTION_UP] = { MOVE, "up", { 'k', INPUT_UP }, 0, NULL,
	    "previous line", NULL, act_up, false },
	[ACTION_PAGE_DOWN] = { MOVE, "page-down", { INPUT_PAGE_DOWN }, 0, NULL,
	    "next page", NULL, act_page_down, false },
	[ACTION_PAGE_UP] = { MOVE, "page-up", { INPUT_PAGE_UP }, 0, NULL,
	    "previous page", NULL, act_page_up, false },
	[ACTION_FIRST] = { MOVE, "first", { INPUT_HOME }, 0, NULL,
	    "first line", NULL, act_first, false },
	[ACTION_LAST] = { MOVE, "last", { INPUT_END }, 0, NULL,
	    "last line", NULL, act_last, false },
	[ACTION_OTHER_PANE] = { MOVE, "other-pane", { INPUT_TAB, INPUT_BACKTAB }, 7, "pane",
	    "to the other pane", NULL, act_other_pane, false },
	[ACTION_OPEN] = { MOVE, "open", { INPUT_ENTER }, 0, NULL,
	    "fold or unfold a file; open a secrets file; from an entry to its counterpart",
	    NULL, act_open, false },
	[ACTION_UNFOLD] = { MOVE, "unfold", { INPUT_RIGHT, 'l' }, 0, NULL,
	    "show the entries of the file", NULL, act_unfold, false },
	[ACTION_FOLD] = { MOVE, "fold", { INPUT_LEFT, 'h' }, 0, NULL,
	    "hide the entries of the file", NULL, act_fold, false },
	[ACTION_UNFOLD_ALL] = { MOVE, "unfold-all", { '+' }, 0, NULL,
	    "show the entries of every file", NULL, act_unfold_all, false },
	[ACTION_FOLD_ALL] = { MOVE, "fold-all", { '-' }, 0, NULL,
	    "show files only", NULL, act_fold_all, false },
	[ACTION_SEARCH] = { MOVE, "search", { '/' }, 14, "search",
	    "search for a part of a key or file name", NULL, act_search, false },
	[ACTION_NEXT] = { MOVE, "next-match", { 'n' }, 0, NULL,
	    "next match", act_needs_search, act_next, false },
	[ACTION_PREVIOUS] = { MOVE, "previous-match", { 'N' }, 0, NULL,
	    "previous match", act_needs_search, act_previous, false },
	[ACTION_FILTER] = { MOVE, "filter", { 'f' }, 15, "filter",
	    "show everything, secrets and references, clear text, or problems",
	    NULL, act_filter, false },
	[ACTION_CANCEL] = { MOVE, "cancel", { INPUT_ESCAPE }, 0, NULL,
	    "end a range; show everything again", NULL, act_cancel, false },

	[ACTION_MARK] = { MARK, "mark", { ' ' }, 1, "mark",
	    "mark a value for sealing, or take the mark away; on a file: its clear-text secrets",
	    act_needs_markable, act_mark, false },
	[ACTION_RANGE] = { MARK, "range", { 'v' }, 0, NULL,
	    "begin a range here; mark ends it", act_needs_left, act_range, false },
	[ACTION_MARK_FILE] = { MARK, "mark-file", { 'a' }, 8, "mark file",
	    "mark all clear-text secrets of this file", act_needs_file_clear,
	    act_mark_file, false },
	[ACTION_MARK_ALL] = { MARK, "mark-all", { 'A' }, 9, "mark all",
	    "mark all clear-text secrets of all files", act_needs_clear, act_mark_all, false },
	[ACTION_UNMARK] = { MARK, "unmark-all", { 'u' }, 10, "unmark",
	    "take all marks away", act_needs_marks, act_unmark, false },
	[ACTION_REVIEW] = { MARK, "review", { 'p', 'd' }, 2, "review",
	    "review what the marks would change, as a masked diff", act_needs_marks,
	    act_review, false },
	[ACTION_APPLY] = { MARK, "apply", { 'w' }, 3, "apply",
	    "seal what is marked (asks first)", act_needs_marks, act_apply, false },

	[ACTION_REVEAL] = { VALUE, "reveal", { 'r' }, 4, "reveal",
	    "show the value for a few seconds", selection_needs_value, act_reveal, false },
	[ACTION_UPDATE] = { VALUE, "update", { 'e' }, 11, "new value",
	    "seal a new value for this entry", selection_needs_name, act_update, false },
	[ACTION_ADD] = { VALUE, "add", { 'i' }, 13, "add",
	    "add a key with a sealed value to this file", selection_needs_file,
	    act_add, false },
	[ACTION_REMOVE] = { VALUE, "remove", { 'X' }, 12, "remove",
	    "remove a sealed entry and the reference to it (asks for a word)",
	    selection_needs_sealed, act_remove, true },

	[ACTION_UNLOCK] = { KEYS, "unlock", { 'U' }, 16, "unlock",
	    "open the secrets file with the master key or the passphrase",
	    act_needs_locked, act_unlock, false },
	[ACTION_LOCK] = { KEYS, "lock", { 'L' }, 17, "lock",
	    "wipe the keys from memory now", act_needs_unlocked, act_lock, false },
	[ACTION_ROTATE_DATA] = { KEYS, "rotate-data-key", { 'K' }, 0, NULL,
	    "make a new data key and seal every entry again", act_needs_data_key,
	    act_rotate_data, true },
	[ACTION_ROTATE_MASTER] = { KEYS, "rotate-master-key", { 'M' }, 0, NULL,
	    "make a new master key from a new passphrase", act_needs_data_key,
	    act_rotate_master, true },
	[ACTION_GENERATE] = { KEYS, "generate-master-key", { 'G' }, 5, "new secrets file",
	    "make a secrets file with its first master key", act_needs_no_data_key,
	    act_generate, true },
	[ACTION_OPEN_SECRETS] = { KEYS, "open-secrets-file", { 'o' }, 0, NULL,
	    "open another secrets file on the right", NULL, act_open_secrets, false },

	[ACTION_VIEW] = { REGISTRY, "other-view", { 's' }, 18, "registry",
	    "switch between the configuration files and the Secret Registry", NULL,
	    act_other_view, false },
	[ACTION_COMPARE] = { REGISTRY, "compare", { 'c' }, 0, NULL,
	    "compare two versions without showing them", NULL, NULL, false },
	[ACTION_UNDELETE] = { REGISTRY, "undelete", { 'z' }, 0, NULL,
	    "bring a deleted version back", NULL, NULL, false },
	[ACTION_AUDIT] = { REGISTRY, "audit", { 't' }, 0, NULL,
	    "follow the end of the audit log", NULL, NULL, false },

	[ACTION_HELP] = { PROGRAM, "help", { '?', ':' }, 19, "help",
	    "this help: type to search, Enter runs the selected line", NULL, act_help, false },
	[ACTION_RESCAN] = { PROGRAM, "rescan", { 'R' }, 0, NULL,
	    "read all files anew", NULL, act_rescan, false },
	[ACTION_REDRAW] = { PROGRAM, "redraw", { INPUT_CTRL('l') }, 0, NULL,
	    "draw the screen anew", NULL, act_redraw, false },
	[ACTION_QUIT] = { PROGRAM, "quit", { 'q' }, 20, "quit",
	    "leave (asks when something is marked)", NULL, act_quit, false },
};

/* The user's keys; NULL: those of the table. */
static const struct bindings *bound;

void
keymap_bind(const struct bindings *b)
{
	bound = b;
}

static const uint32_t *
keys_of(enum action_id id)
{
	return bound != NULL ? bound->keys[id] : actions[id].keys;
}

const struct action *
keymap_action(enum action_id id)
{
	return &actions[id];
}

enum action_id
keymap_find(uint32_t key)
{
	int id, i;

	for (id = 0; id < ACTION_COUNT && key != 0; id++)
		for (i = 0; i < ACTION_KEYS; i++)
			if (keys_of((enum action_id)id)[i] == key)
				return (enum action_id)id;
	return ACTION_COUNT;
}

/* Of an action of the view that is shown. */
static const struct keymap_face *
face_of(const struct app *a, enum action_id id, struct keymap_face *own)
{
	const struct action *action = &actions[id];

	if (a->in_registry)
		return keymap_registry_face(id);
	*own = (struct keymap_face){ action->rank, action->label, action->help,
	    action->unavailable, action->run };
	/* Who has a registry wants to see the way there. */
	if (id == ACTION_VIEW && a->registry->source != NULL)
		own->rank = 6;
	return own;
}

const char *
keymap_unavailable(const struct app *a, enum action_id id)
{
	struct keymap_face own;
	const struct keymap_face *face = face_of(a, id, &own);

	if (face->run == NULL)
		return a->in_registry ? "this is for the configuration files" :
		    "this is for the registry";
	return face->unavailable != NULL ? face->unavailable(a) : NULL;
}

int
keymap_rank(const struct app *a, enum action_id id)
{
	struct keymap_face own;

	return keymap_has_key(id) ? face_of(a, id, &own)->rank : 0;
}

const char *
keymap_label(const struct app *a, enum action_id id)
{
	struct keymap_face own;
	const char *label = face_of(a, id, &own)->label;

	return label != NULL ? label : actions[id].name;
}

const char *
keymap_help(const struct app *a, enum action_id id)
{
	struct keymap_face own;
	const char *help = face_of(a, id, &own)->help;

	return help != NULL ? help : actions[id].help;
}

void
keymap_run(struct app *a, enum action_id id)
{
	const char *why = keymap_unavailable(a, id);
	struct keymap_face own;
	char name[KEYMAP_NAME_MAX];

	if (why == NULL)
		face_of(a, id, &own)->run(a);
	else
		app_complain(a, "%s (%s): %s", keymap_key_of(id, name), actions[id].name, why);
}

bool
keymap_has_key(enum action_id id)
{
	return keys_of(id)[0] != 0;
}

const char *
keymap_key_of(enum action_id id, char name[KEYMAP_NAME_MAX])
{
	return keymap_has_key(id) ? key_name_of(keys_of(id)[0], name) : "(no key)";
}

void
keymap_keys_of(enum action_id id, char *out, size_t size)
{
	char name[KEYMAP_NAME_MAX];
	size_t used = 0;
	int i;

	out[0] = '\0';
	for (i = 0; i < ACTION_KEYS && keys_of(id)[i] != 0 && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? " " : "",
		    key_name_of(keys_of(id)[i], name));
}

#include "ui/act.h"
#include "ui/act_registry.h"
#include "ui/keymap.h"

/* What the keys are in the view of the registry. */
static const struct keymap_face faces[ACTION_COUNT] = {
	[ACTION_DOWN] = { .run = act_registry_down },
	[ACTION_UP] = { .run = act_registry_up },
	[ACTION_PAGE_DOWN] = { .run = act_registry_page_down },
	[ACTION_PAGE_UP] = { .run = act_registry_page_up },
	[ACTION_FIRST] = { .run = act_registry_first },
	[ACTION_LAST] = { .run = act_registry_last },
	[ACTION_OTHER_PANE] = { .rank = 1, .label = "pane", .run = act_registry_other_pane },
	[ACTION_OPEN] = { .run = act_registry_open,
	    .help = "fold or unfold a path; from a reference to its file" },
	[ACTION_UNFOLD] = { .run = act_registry_unfold, .help = "show the keys of the path" },
	[ACTION_FOLD] = { .run = act_registry_fold, .help = "hide the keys of the path" },
	[ACTION_UNFOLD_ALL] = { .run = act_registry_unfold_all,
	    .help = "show the keys of every path" },
	[ACTION_FOLD_ALL] = { .run = act_registry_fold_all, .help = "show paths only" },
	[ACTION_SEARCH] = { .rank = 10, .label = "search", .run = act_search,
	    .help = "search for a part of a path or key" },
	[ACTION_NEXT] = { .unavailable = act_needs_search, .run = act_next },
	[ACTION_PREVIOUS] = { .unavailable = act_needs_search, .run = act_previous },
	[ACTION_CANCEL] = { .run = act_registry_cancel,
	    .help = "take the mark of a version away" },

	[ACTION_MARK] = { .rank = 9, .label = "mark", .run = act_registry_mark,
	    .unavailable = act_registry_needs_version,
	    .help = "mark a version, to compare another one with it" },

	[ACTION_REVEAL] = { .rank = 2, .label = "reveal", .run = act_registry_reveal,
	    .unavailable = act_registry_needs_live,
	    .help = "show the value of a version, or the newest one, for a few seconds" },
	[ACTION_UPDATE] = { .rank = 3, .label = "new version", .run = act_registry_update,
	    .unavailable = act_registry_needs_key, .help = "store the next version of this key" },
	[ACTION_ADD] = { .rank = 4, .label = "create", .run = act_registry_add,
	    .unavailable = act_registry_needs_one, .help = "create a key with its first version" },
	[ACTION_REMOVE] = { .rank = 8, .label = "delete", .run = act_registry_delete,
	    .unavailable = act_registry_needs_name,
	    .help = "delete a version; a key or a path with all its versions (asks for a word)" },

	[ACTION_UNLOCK] = { .rank = 12, .label = "log in", .run = act_registry_log_in,
	    .unavailable = act_registry_needs_one,
	    .help = "log in to the registry with a password" },
	[ACTION_LOCK] = { .rank = 13, .label = "lock", .unavailable = act_registry_needs_login,
	    .run = act_lock, .help = "wipe keys and passwords from memory now" },
	[ACTION_ROTATE_DATA] = { .run = act_registry_rotate,
	    .unavailable = act_registry_needs_one,
	    .help = "have the registry seal every secret again with a new data key" },

	[ACTION_VIEW] = { .rank = 7, .label = "files", .run = act_other_view },
	[ACTION_COMPARE] = { .rank = 5, .label = "compare", .run = act_registry_compare,
	    .unavailable = act_registry_needs_two,
	    .help = "compare with the marked version, or the one before, without showing them" },
	[ACTION_UNDELETE] = { .rank = 6, .label = "undelete", .run = act_registry_undelete,
	    .unavailable = act_registry_needs_deleted },
	[ACTION_AUDIT] = { .rank = 11, .label = "audit", .run = act_registry_audit,
	    .unavailable = act_registry_needs_one },

	[ACTION_HELP] = { .rank = 14, .label = "help", .run = act_help },
	[ACTION_RESCAN] = { .run = act_registry_refresh,
	    .help = "ask the registry, and read the references, anew" },
	[ACTION_REDRAW] = { .run = act_redraw },
	[ACTION_QUIT] = { .rank = 15, .label = "quit", .run = act_quit },
};

const struct keymap_face *
keymap_registry_face(enum action_id id)
{
	return &faces[id];
}

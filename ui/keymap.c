#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/browser.h"
#include "ui/keymap.h"
#include "ui/registry.h"
#include "ui/term.h"

static const struct {
	uint32_t key;
	const char *name;
} names[] = {
	{ ' ', "Space" }, { INPUT_UP, "Up" }, { INPUT_DOWN, "Down" },
	{ INPUT_LEFT, "Left" }, { INPUT_RIGHT, "Right" }, { INPUT_PAGE_UP, "PgUp" },
	{ INPUT_PAGE_DOWN, "PgDn" }, { INPUT_HOME, "Home" }, { INPUT_END, "End" },
	{ INPUT_ENTER, "Enter" }, { INPUT_ESCAPE, "Esc" }, { INPUT_TAB, "Tab" },
	{ INPUT_BACKTAB, "S-Tab" }, { INPUT_DELETE, "Del" }, { INPUT_BACKSPACE, "Backspace" },
};

const char *
key_name_of(uint32_t key, char name[KEY_NAME_MAX])
{
	unsigned char utf8[4];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].key == key)
			return names[i].name;
	if (key < ' ')
		snprintf(name, KEY_NAME_MAX, "^%c", (char)(key + '@'));
	else
		snprintf(name, KEY_NAME_MAX, "%.*s", (int)text_utf8_encode(key, utf8), utf8);
	return name;
}

/* The key of a name (${n} bytes; words and ^x in any case), 0 for none. */
static uint32_t
key_name_parse(const char *name, size_t n)
{
	uint32_t key;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == n && strncasecmp(names[i].name, name, n) == 0)
			return names[i].key;
	if (n == 2 && name[0] == '^' && ((name[1] >= '@' && name[1] <= '_') ||
	    (name[1] >= 'a' && name[1] <= 'z')))
		return INPUT_CTRL(name[1]);
	if (n == 0 || text_utf8_decode((const unsigned char *)name, n, &key) != n)
		return 0;
	return key < ' ' || (key >= 0x7f && key < 0xa0) ? 0 : key;
}

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

/* keymap_registry.c */
static const struct keymap_face *
keymap_registry_face(enum action_id id)
{
	return &faces[id];
}

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

static bool keymap_has_key(enum action_id id);

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

/* Is any key bound to it? */
static bool
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

#define BLANKS " \t"

void
bindings_init(struct bindings *b)
{
	int id;

	for (id = 0; id < ACTION_COUNT; id++)
		memcpy(b->keys[id], keymap_action((enum action_id)id)->keys, sizeof(b->keys[id]));
}

enum action_id
bindings_action(const char *name)
{
	int id;

	for (id = 0; id < ACTION_COUNT; id++) {
		if (strcmp(keymap_action((enum action_id)id)->name, name) == 0)
			break;
	}
	return (enum action_id)id;
}

static int
bindings_refuse(struct error *err, const char *text, size_t len, const char *why, const char *hint)
{
	error_set(err, ERROR_FORMAT, "the key %.*s cannot be used: %s",
	    (int)(len > 40 ? 40 : len), text, why);
	return error_hint(err, "%s", hint);
}

/* Can the key be bound to this action? */
static int
bindings_check(const struct action *a, uint32_t key, const char *text, size_t len,
    struct error *err)
{
	static const char taken[] = { INPUT_CTRL('z'), INPUT_CTRL('c'), INPUT_CTRL('d'),
		INPUT_CTRL('s'), INPUT_CTRL('q'), INPUT_CTRL('a'), INPUT_CTRL('b') };
	static const char other[] = { INPUT_CTRL('i'), INPUT_CTRL('j'), INPUT_CTRL('m'),
		INPUT_CTRL('h'), INPUT_CTRL('[') };

	if (key == 0)
		return bindings_refuse(err, text, len, "there is no key of this name",
		    "a character, ^x for Ctrl and a letter, or one of Space Enter Esc Tab S-Tab "
		    "Up Down Left Right PgUp PgDn Home End Del Backspace");
	if (key < ' ' && memchr(taken, (int)key, sizeof(taken)) != NULL)
		return bindings_refuse(err, text, len, "the terminal or a multiplexer may take it",
		    "^Z ^C ^D ^S ^Q ^A and ^B are never bound");
	if (key < ' ' && memchr(other, (int)key, sizeof(other)) != NULL)
		return bindings_refuse(err, text, len, "the terminal sends it for another key",
		    "name that key: Tab, Enter, Backspace or Esc");
	if (a->dangerous && (key < 'A' || key > 'Z'))
		return bindings_refuse(err, text, len,
		    "the action destroys or changes keys or values",
		    "give it an upper-case letter, which is not hit by accident");
	return 0;
}

static int
set_none(struct bindings *b, enum action_id id, struct error *err)
{
	if (id == ACTION_HELP || id == ACTION_QUIT) {
		error_set(err, ERROR_FORMAT, "the action needs a key");
		return error_hint(err, "without one there is no way to the help or out");
	}
	memset(b->keys[id], 0, sizeof(b->keys[id]));
	return 0;
}

int
bindings_set(struct bindings *b, enum action_id id, const char *text, struct error *err)
{
	const struct action *a = keymap_action(id);
	uint32_t keys[ACTION_KEYS] = { 0 };
	size_t count = 0;
	size_t len;

	if (strcmp(text, "none") == 0)
		return set_none(b, id, err);
	for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS)) {
		len = strcspn(text, BLANKS);
		if (count == ACTION_KEYS) {
			error_set(err, ERROR_FORMAT, "too many keys");
			return error_hint(err, "an action has at most %d", ACTION_KEYS);
		}
		keys[count] = key_name_parse(text, len);
		if (bindings_check(a, keys[count], text, len, err) != 0)
			return -1;
		count++;
		text += len;
	}
	memcpy(b->keys[id], keys, sizeof(keys));
	return 0;
}

bool
bindings_conflict(const struct bindings *b, enum action_id *one, enum action_id *two,
    uint32_t *key)
{
	const uint32_t *keys = &b->keys[0][0];
	size_t n = (size_t)ACTION_COUNT * ACTION_KEYS;
	size_t i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < i; j++) {
			if (keys[i] == 0 || keys[i] != keys[j] ||
			    i / ACTION_KEYS == j / ACTION_KEYS)
				continue;
			*one = (enum action_id)(j / ACTION_KEYS);
			*two = (enum action_id)(i / ACTION_KEYS);
			*key = keys[i];
			return true;
		}
	}
	return false;
}

void
bindings_append(const struct bindings *b, enum action_id id, struct buf *out)
{
	char name[KEY_NAME_MAX];
	int i;

	if (b->keys[id][0] == 0)
		buf_append_str(out, "none");
	for (i = 0; i < ACTION_KEYS && b->keys[id][i] != 0; i++)
		buf_printf(out, "%s%s", i > 0 ? " " : "", key_name_of(b->keys[id][i], name));
}

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/files.h"
#include "ui/keymap.h"
#include "ui/options.h"
#include "ui/registry.h"
#include "ui/reveal.h"
#include "ui/term.h"
#include "ui/view.h"

#define MOVE "Moving"
#define MARK "Sealing"
#define VALUE "Values"
#define KEYS "Keys"
#define FINDINGS "Findings"
#define REGISTRY "Registry"
#define PROGRAM "Program"

#define BLANKS " \t"	/* between the names of keys */

static const struct {
	uint32_t key;
	const char *name;
} names[] = {
	{ ' ', "Space" }, { INPUT_UP, "Up" }, { INPUT_DOWN, "Down" },
	{ INPUT_LEFT, "Left" }, { INPUT_RIGHT, "Right" }, { INPUT_PAGE_UP, "PgUp" },
	{ INPUT_PAGE_DOWN, "PgDn" }, { INPUT_HOME, "Home" }, { INPUT_END, "End" },
	{ INPUT_ENTER, "Enter" }, { INPUT_ESCAPE, "Esc" }, { INPUT_TAB, "Tab" },
	{ INPUT_BACKTAB, "S-Tab" }, { INPUT_DELETE, "Del" }, { INPUT_BACKSPACE, "Backspace" },
	{ INPUT_F1, "F1" },
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
	else if (key >= KEY_AFTER_GO(0))
		snprintf(name, KEY_NAME_MAX, "%c%c", (char)KEY_GO, (char)key);
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
	    ascii_is_lower(name[1])))
		return INPUT_CTRL(name[1]);
	if (n == 2 && name[0] == KEY_GO && name[1] > ' ' && name[1] < 0x7f)
		return KEY_AFTER_GO(name[1]);
	if (n == 0 || text_utf8_decode((const unsigned char *)name, n, &key) != n)
		return 0;
	return key < ' ' || (key >= 0x7f && key < 0xa0) ? 0 : key;
}

static const struct action actions[ACTION_COUNT] = {
	[ACTION_DOWN] = { MOVE, "down", { 'j', INPUT_DOWN }, "next line", false,
	    .faces[EVERYWHERE] = { .run = act_down } },
	[ACTION_UP] = { MOVE, "up", { 'k', INPUT_UP }, "previous line", false,
	    .faces[EVERYWHERE] = { .run = act_up } },
	[ACTION_PAGE_DOWN] = { MOVE, "page-down", { INPUT_PAGE_DOWN, '>' }, "next page", false,
	    .faces[EVERYWHERE] = { .run = act_page_down } },
	[ACTION_PAGE_UP] = { MOVE, "page-up", { INPUT_PAGE_UP, '<' }, "previous page", false,
	    .faces[EVERYWHERE] = { .run = act_page_up } },
	[ACTION_FIRST] = { MOVE, "first", { INPUT_HOME, KEY_AFTER_GO('g') }, "first line", false,
	    .faces[EVERYWHERE] = { .run = act_first } },
	[ACTION_LAST] = { MOVE, "last", { INPUT_END, KEY_AFTER_GO('e') }, "last line", false,
	    .faces[EVERYWHERE] = { .run = act_last } },
	[ACTION_HEAD] = { MOVE, "head", { KEY_AFTER_GO('f') },
	    "to the line of the group that the line is in", false, {
	    [VIEW_FILES] = { .help = "to the line of the file that the entry is in",
		.run = act_head } },
	    .faces[EVERYWHERE] = { .run = act_head } },
	[ACTION_SECRETS_FILE] = { MOVE, "secrets-file", { KEY_AFTER_GO('s') },
	    "to the secrets file", false, {
	    [VIEW_FILES] = { .unavailable = act_needs_secrets_file, .run = act_secrets_file } } },
	[ACTION_USER] = { MOVE, "user", { KEY_AFTER_GO('u') },
	    "to the next entry that uses the same sealed one", false, {
	    [VIEW_FILES] = { .unavailable = selection_needs_sealed, .run = act_user } } },
	[ACTION_OTHER_PANE] = { MOVE, "other-pane", { INPUT_TAB, INPUT_BACKTAB },
	    "to the other pane", false, {
	    [VIEW_FILES] = { .rank = 7, .label = "pane", .run = act_other_pane },
	    [VIEW_FINDINGS] = { .rank = 10, .label = "pane", .run = act_other_pane },
	    [VIEW_REGISTRY] = { .rank = 1, .label = "pane", .run = act_other_pane } },
	    .faces[EVERYWHERE] = { .run = act_other_pane } },
	[ACTION_OPEN] = { MOVE, "open", { INPUT_ENTER },
	    "fold or unfold an environment or a file; from an entry to its counterpart", false, {
	    [VIEW_FILES] = { .run = act_open },
	    [VIEW_HISTORY] = { .rank = 1, .label = "go to the file", .help = "to the file that was "
		"changed; fold or unfold a day", .unavailable = act_history_needs_row,
		.run = act_history_open },
	    [VIEW_FINDINGS] = { .rank = 2, .label = "go there", .help = "to the entry that a "
		"finding is about; fold or unfold a group", .unavailable = act_findings_needs_any,
		.run = act_findings_open },
	    [VIEW_PENDING] = { .help = "fold or unfold; from an edit to its entry among the files",
		.run = act_pending_open },
	    [VIEW_ROTATION] = { .rank = 1, .label = "next step", .help = "the next step of the "
		"rotation; on a new key: show it once", .changes = true, .run = act_rotation_next },
	    [VIEW_REGISTRY] = { .help = "fold or unfold a path; from a reference to its file",
		.run = act_registry_open } } },
	[ACTION_UNFOLD] = { MOVE, "unfold", { INPUT_RIGHT, 'l' },
	    "show the entries of the file", false, {
	    [VIEW_FINDINGS] = { .help = "show the findings of the group", .run = act_unfold },
	    [VIEW_REGISTRY] = { .help = "show the keys of the path", .run = act_unfold } },
	    .faces[EVERYWHERE] = { .run = act_unfold } },
	[ACTION_FOLD] = { MOVE, "fold", { INPUT_LEFT, 'h' },
	    "hide the entries of the file", false, {
	    [VIEW_FINDINGS] = { .help = "hide the findings of the group", .run = act_fold },
	    [VIEW_REGISTRY] = { .help = "hide the keys of the path", .run = act_fold } },
	    .faces[EVERYWHERE] = { .run = act_fold } },
	[ACTION_UNFOLD_ALL] = { MOVE, "unfold-all", { '+' },
	    "show the entries of every file", false, {
	    [VIEW_FINDINGS] = { .help = "show the findings of every group",
		.run = act_unfold_all },
	    [VIEW_REGISTRY] = { .help = "show the keys of every path", .run = act_unfold_all } },
	    .faces[EVERYWHERE] = { .run = act_unfold_all } },
	[ACTION_FOLD_ALL] = { MOVE, "fold-all", { '-' }, "show files only", false, {
	    [VIEW_FINDINGS] = { .help = "show groups only", .run = act_fold_all },
	    [VIEW_REGISTRY] = { .help = "show paths only", .run = act_fold_all } },
	    .faces[EVERYWHERE] = { .run = act_fold_all } },
	[ACTION_SEARCH] = { MOVE, "search", { '/' },
	    "search for a part of a key or file name", false, {
	    [VIEW_FILES] = { .rank = 14, .label = "search", .run = act_search },
	    [VIEW_FINDINGS] = { .rank = 11, .label = "search",
		.help = "search for a part of a key, a file or a group", .run = act_search },
	    [VIEW_REGISTRY] = { .rank = 10, .label = "search",
		.help = "search for a part of a path or key", .run = act_search } },
	    .faces[EVERYWHERE] = { .run = act_search } },
	[ACTION_NEXT] = { MOVE, "next-match", { 'n' }, "next match", false,
	    .faces[EVERYWHERE] = { .unavailable = act_needs_search, .run = act_next } },
	[ACTION_PREVIOUS] = { MOVE, "previous-match", { 'N' }, "previous match", false,
	    .faces[EVERYWHERE] = { .unavailable = act_needs_search, .run = act_previous } },
	[ACTION_NEXT_PROBLEM] = { MOVE, "next-problem", { ']', '.' },
	    "next problem: clear text, or what is dangling, unknown, damaged or unreadable",
	    false, {
	    [VIEW_FILES] = { .run = act_next_problem },
	    [VIEW_FINDINGS] = { .help = "next finding", .run = act_next_problem } } },
	[ACTION_PREVIOUS_PROBLEM] = { MOVE, "previous-problem", { '[', ',' },
	    "previous problem", false, {
	    [VIEW_FILES] = { .run = act_previous_problem },
	    [VIEW_FINDINGS] = { .help = "previous finding", .run = act_previous_problem } } },
	[ACTION_FILTER] = { MOVE, "filter", { 'f' },
	    "show secrets and references, clear text, problems, or everything", false, {
	    [VIEW_FILES] = { .rank = 15, .label = "filter", .run = act_filter },
	    [VIEW_FINDINGS] = { .rank = 6, .label = "filter", .help = "show all that counts, "
		"errors, what can be sealed here, or everything", .run = act_findings_filter } } },
	[ACTION_WORDS] = { MOVE, "filter-words", { 'F' },
	    "show what has words only: states, parts of a name, env: file: rule:, - for not",
	    false, {
	    [VIEW_FILES] = { .rank = 20, .label = "words", .run = act_words },
	    [VIEW_FINDINGS] = { .rank = 14, .label = "words", .run = act_words } } },
	[ACTION_SORT] = { MOVE, "sort", { 'o' },
	    "sort as in the files, by what is worst, by name, or by age", false, {
	    [VIEW_FILES] = { .rank = 19, .label = "sort", .run = act_sort },
	    [VIEW_FINDINGS] = { .rank = 13, .label = "sort", .run = act_findings_sort } } },
	[ACTION_CANCEL] = { MOVE, "cancel", { INPUT_ESCAPE },
	    "end a range; take filter words away; show secrets and references again", false, {
	    [VIEW_FILES] = { .run = act_cancel },
	    [VIEW_HISTORY] = { .help = "back to the files", .run = act_history_back },
	    [VIEW_FINDINGS] = { .help = "stop looking; take filter words away; show all that "
		"counts again; back to the files",
		.run = act_findings_cancel },
	    [VIEW_PENDING] = { .rank = 8, .label = "back", .help = "back to where one was",
		.run = act_pending_back },
	    [VIEW_ROTATION] = { .rank = 9, .label = "back", .help = "one step back; to the files",
		.run = act_rotation_back },
	    [VIEW_REGISTRY] = { .help = "take the mark of a version away",
		.run = act_registry_cancel } } },

	[ACTION_MARK] = { MARK, "mark", { ' ' },
	    "mark a value for sealing, or not; on a file or environment: its clear-text secrets",
	    false, {
	    [VIEW_FILES] = { .rank = 1, .label = "mark", .unavailable = act_needs_markable,
		.run = act_mark },
	    [VIEW_FINDINGS] = { .rank = 1, .label = "fix", .help = "mark what a finding is about "
		"to be sealed, or not; else say what to do; on a group: all that can be sealed",
		.unavailable = act_findings_needs_any, .run = act_findings_mark },
	    [VIEW_PENDING] = { .rank = 1, .label = "on/off",
		.help = "switch an edit off or on; it stays in the list",
		.unavailable = act_pending_needs_row, .run = act_pending_turn },
	    [VIEW_ROTATION] = { .rank = 3, .label = "tick", .help = "take an environment in or "
		"out; tick a step off", .unavailable = act_rotation_needs_tick,
		.changes = true, .run = act_rotation_tick },
	    [VIEW_REGISTRY] = { .rank = 9, .label = "mark",
		.help = "mark a version, to compare another one with it",
		.unavailable = act_registry_needs_version, .run = act_registry_mark } } },
	[ACTION_RANGE] = { MARK, "range", { 'v' }, "begin a range here; mark ends it", false, {
	    [VIEW_FILES] = { .unavailable = act_needs_left, .run = act_range } } },
	[ACTION_MARK_FILE] = { MARK, "mark-file", { 'a' },
	    "mark the clear text shown of this file or environment", false, {
	    [VIEW_FILES] = { .rank = 8, .label = "mark file", .unavailable = act_needs_file_clear,
		.run = act_mark_file },
	    [VIEW_ROTATION] = { .rank = 9, .label = "accept", .help = "take the values that a file "
		"holds now as meant, which were changed since it was rotated",
		.unavailable = act_rotation_needs_applied,
		.changes = true, .run = act_rotation_accept } } },
	[ACTION_MARK_ALL] = { MARK, "mark-all", { 'A' },
	    "mark all clear-text secrets that the filter shows", false, {
	    [VIEW_FILES] = { .rank = 9, .label = "mark all", .unavailable = act_needs_clear,
		.run = act_mark_all },
	    [VIEW_FINDINGS] = { .rank = 9, .label = "mark all",
		.help = "mark all that is shown and can be sealed",
		.unavailable = act_findings_needs_fixable, .run = act_findings_mark_all },
	    [VIEW_ROTATION] = { .rank = 4, .label = "all", .help = "take all environments in, or "
		"out", .unavailable = act_rotation_needs_plan,
		.changes = true, .run = act_rotation_all } } },
	[ACTION_UNMARK] = { MARK, "unmark-all", { 'u' }, "take all marks away", false, {
	    [VIEW_FILES] = { .rank = 10, .label = "unmark", .unavailable = act_needs_marks,
		.run = act_unmark },
	    [VIEW_FINDINGS] = { .unavailable = act_needs_marks, .run = act_unmark },
	    [VIEW_PENDING] = { .rank = 5, .label = "undo all", .unavailable = act_needs_marks,
		.run = act_pending_clear },
	    [VIEW_HISTORY] = { .rank = 3, .label = "undo",
		.help = "put back what the change replaced, after a look at it",
		.unavailable = act_history_needs_change,
		.changes = true, .run = act_history_undo } } },
	[ACTION_REVIEW] = { MARK, "review", { 'p', 'd' },
	    "the pending set: what is marked, and where it goes", false, {
	    [VIEW_FILES] = { .rank = 2, .label = "pending", .run = act_view_pending },
	    [VIEW_FINDINGS] = { .rank = 7, .label = "pending", .run = act_view_pending } },
	    .faces[EVERYWHERE] = { .run = act_view_pending } },
	[ACTION_DIFF] = { MARK, "diff", { 'P' }, "the whole change, as a masked diff", false, {
	    [VIEW_FILES] = { .label = "whole file", .help = "the whole file, masked, beside what a "
		"service reads", .unavailable = act_needs_readable, .run = act_whole },
	    [VIEW_PENDING] = { .rank = 4, .label = "whole diff", .unavailable = act_needs_pending,
		.run = act_diff },
	    [VIEW_ROTATION] = { .rank = 5, .label = "whole diff",
		.unavailable = act_rotation_needs_diff, .run = act_rotation_diff } } },
	[ACTION_APPLY] = { MARK, "apply", { 'w' }, "seal what is pending (asks first)", false, {
	    [VIEW_FILES] = { .rank = 3, .label = "apply", .unavailable = act_needs_pending,
		.changes = true, .run = act_apply },
	    [VIEW_FINDINGS] = { .rank = 3, .label = "apply", .unavailable = act_needs_pending,
		.changes = true, .run = act_apply },
	    [VIEW_PENDING] = { .rank = 2, .label = "apply", .unavailable = act_needs_pending,
		.changes = true, .run = act_apply },
	    [VIEW_ROTATION] = { .rank = 2, .label = "carry out", .help = "carry the step out: "
		"apply or resume, verify, finish (asks first)",
		.unavailable = act_rotation_needs_session,
		.changes = true, .run = act_rotation_apply } } },

	[ACTION_REVEAL] = { VALUE, "reveal", { 'r' },
	    "show the value for a few seconds; again: longer", false, {
	    [VIEW_FILES] = { .rank = 4, .label = "reveal", .unavailable = selection_needs_value,
		.run = act_reveal },
	    [VIEW_REGISTRY] = { .rank = 2, .label = "reveal",
		.help = "show the value of a version, or the newest one, for a few seconds",
		.unavailable = act_registry_needs_live, .run = act_registry_reveal } } },
	[ACTION_COPY] = { VALUE, "copy", { 'y' },
	    "copy the value to the clipboard, by way of the terminal, for a while", false, {
	    [VIEW_FILES] = { .unavailable = selection_needs_value, .run = act_copy },
	    [VIEW_FINDINGS] = { .help = "copy the command that mends a file's mode",
		.unavailable = act_findings_needs_command, .run = act_findings_copy },
	    [VIEW_REGISTRY] = { .help = "copy the value that is shown, for a while",
		.unavailable = act_needs_shown, .run = act_copy } } },
	[ACTION_UPDATE] = { VALUE, "update", { 'e' }, "seal a new value for this entry", false, {
	    [VIEW_FILES] = { .rank = 11, .label = "new value", .unavailable = selection_needs_name,
		.changes = true, .run = act_update },
	    [VIEW_PENDING] = { .rank = 3, .label = "destination",
		.help = "where it goes: the secrets file, and its path in references",
		.unavailable = act_pending_needs_row,
		.changes = true, .run = act_pending_destination },
	    [VIEW_REGISTRY] = { .rank = 3, .label = "new version",
		.help = "store the next version of this key", .unavailable = act_registry_needs_key,
		.changes = true, .run = act_registry_update } } },
	[ACTION_ADD] = { VALUE, "add", { 'i' },
	    "add a key with a sealed value to this file", false, {
	    [VIEW_FILES] = { .rank = 13, .label = "add", .unavailable = selection_needs_file,
		.changes = true, .run = act_add },
	    [VIEW_REGISTRY] = { .rank = 4, .label = "create",
		.help = "create a key with its first version",
		.unavailable = act_registry_needs_one,
		.changes = true, .run = act_registry_add } } },
	[ACTION_REMOVE] = { VALUE, "remove", { 'X' },
	    "remove a sealed entry and the reference to it (asks for a word)", true, {
	    [VIEW_FILES] = { .rank = 12, .label = "remove", .unavailable = selection_needs_sealed,
		.changes = true, .run = act_remove },
	    [VIEW_REGISTRY] = { .rank = 8, .label = "delete",
		.help = "delete a version; a key or a path with all its versions (asks for a word)",
		.unavailable = act_registry_needs_name,
		.changes = true, .run = act_registry_delete } } },

	[ACTION_UNLOCK] = { KEYS, "unlock", { 'U' },
	    "open secrets files with a master key or a passphrase, tried on all", false, {
	    [VIEW_FILES] = { .rank = 16, .label = "unlock", .unavailable = act_needs_locked,
		.run = act_unlock },
	    [VIEW_FINDINGS] = { .rank = 12, .label = "unlock", .unavailable = act_needs_locked,
		.run = act_unlock },
	    [VIEW_PENDING] = { .rank = 8, .label = "unlock", .unavailable = act_needs_locked,
		.run = act_unlock },
	    [VIEW_ROTATION] = { .rank = 7, .label = "unlock", .unavailable = act_needs_locked,
		.run = act_unlock },
	    [VIEW_REGISTRY] = { .rank = 12, .label = "log in",
		.help = "log in to the registry with a password",
		.unavailable = act_registry_needs_one, .run = act_registry_log_in } } },
	[ACTION_LOCK] = { KEYS, "lock", { 'L' }, "wipe the keys from memory now", false, {
	    [VIEW_FILES] = { .rank = 17, .label = "lock", .unavailable = act_needs_unlocked,
		.run = act_lock },
	    [VIEW_FINDINGS] = { .unavailable = act_needs_unlocked, .run = act_lock },
	    [VIEW_ROTATION] = { .unavailable = act_needs_unlocked, .run = act_lock },
	    [VIEW_REGISTRY] = { .rank = 13, .label = "lock",
		.help = "wipe keys and passwords from memory now",
		.unavailable = act_registry_needs_login, .run = act_lock } } },
	[ACTION_ROTATE_DATA] = { KEYS, "rotate-data-key", { 'K' },
	    "make a new data key and seal every entry again", true, {
	    [VIEW_FILES] = { .unavailable = act_needs_data_key,
		.changes = true, .run = act_rotate_data },
	    [VIEW_REGISTRY] = {
		.help = "have the registry seal every secret again with a new data key",
		.unavailable = act_registry_needs_one,
		.changes = true, .run = act_registry_rotate } } },
	[ACTION_ROTATE_MASTER] = { KEYS, "rotate-master-key", { 'M' },
	    "make a new master key from a new passphrase", true, {
	    [VIEW_FILES] = { .unavailable = act_needs_data_key,
		.changes = true, .run = act_rotate_master } } },
	[ACTION_TAKE_BACK] = { KEYS, "take-back", { 'Z' },
	    "take a whole rotation back: all files get their old keys (asks for a word)", true, {
	    [VIEW_ROTATION] = { .rank = 6, .label = "take back",
		.unavailable = act_rotation_needs_session,
		.changes = true, .run = act_rotation_take_back } } },
	[ACTION_GENERATE] = { KEYS, "generate-master-key", { 'G' },
	    "make a secrets file with its first master key", true, {
	    [VIEW_FILES] = { .rank = 5, .label = "new secrets file",
		.unavailable = act_needs_no_data_key, .changes = true, .run = act_generate } } },
	[ACTION_RECOVER] = { KEYS, "recover", { 0 },
	    "seal new values under a new master key, where key and passphrase are lost", true, {
	    [VIEW_FILES] = { .unavailable = act_needs_locked,
		.changes = true, .run = act_recover } } },
	[ACTION_OPEN_SECRETS] = { KEYS, "open-secrets-file", { 'O' },
	    "add a secrets file that lies elsewhere", false, {
	    [VIEW_FILES] = { .run = act_open_secrets } } },

	[ACTION_VIEW] = { REGISTRY, "other-view", { 's' },
	    "to the Secret Registry, and back to where one was", false, {
	    [VIEW_FILES] = { .rank = 18, .label = "registry", .run = act_other_view },
	    [VIEW_REGISTRY] = { .rank = 7, .label = "back", .run = act_other_view } },
	    .faces[EVERYWHERE] = { .run = act_other_view } },
	[ACTION_COMPARE] = { REGISTRY, "compare", { 'c' },
	    "compare two versions without showing them", false, {
	    [VIEW_REGISTRY] = { .rank = 5, .label = "compare",
		.help = "compare with the marked version, or the one before, without showing them",
		.unavailable = act_registry_needs_two, .run = act_registry_compare } } },
	[ACTION_UNDELETE] = { REGISTRY, "undelete", { 'z' },
	    "bring a deleted version back", false, {
	    [VIEW_REGISTRY] = { .rank = 6, .label = "undelete",
		.unavailable = act_registry_needs_deleted,
		.changes = true, .run = act_registry_undelete } } },
	[ACTION_AUDIT] = { REGISTRY, "audit", { 't' }, "follow the end of the audit log", false, {
	    [VIEW_HISTORY] = { .rank = 2, .label = "check chain",
		.help = "check that no line of the trail was changed, removed or moved",
		.unavailable = act_history_needs_trail, .run = act_history_check },
	    [VIEW_REGISTRY] = { .rank = 11, .label = "audit", .unavailable = act_registry_needs_one,
		.run = act_registry_audit } } },

	[ACTION_GROUP] = { FINDINGS, "group", { 'B' },
	    "group by environment, rule or file", false, {
	    [VIEW_FILES] = { .help = "all entries in one list, or below their files",
		.run = act_flat },
	    [VIEW_FINDINGS] = { .rank = 4, .label = "group", .run = act_findings_group } } },
	[ACTION_IGNORE] = { FINDINGS, "ignore", { 'I' },
	    "ignore a finding, with a reason, in the baseline", false, {
	    [VIEW_FINDINGS] = { .rank = 8, .label = "ignore",
		.unavailable = act_findings_needs_one,
		.changes = true, .run = act_findings_ignore } } },
	[ACTION_EXPORT] = { FINDINGS, "export", { 'E' },
	    "write the findings that are shown to a file, as SARIF, JSON or HTML", false, {
	    [VIEW_FINDINGS] = { .rank = 5, .label = "export",
		.unavailable = act_findings_needs_audit,
		.changes = true, .run = act_findings_export } } },

	[ACTION_VIEW_FILES] = { PROGRAM, "view-files", { '1' }, "the configuration files", false,
	    .faces[EVERYWHERE] = { .run = act_view_files } },
	[ACTION_VIEW_FINDINGS] = { PROGRAM, "view-findings", { '2' }, "what is wrong in the files",
	    false, .faces[EVERYWHERE] = { .run = act_view_findings } },
	[ACTION_VIEW_PENDING] = { PROGRAM, "view-pending", { '3' }, "the pending set", false,
	    .faces[EVERYWHERE] = { .run = act_view_pending } },
	[ACTION_VIEW_ROTATION] = { PROGRAM, "view-rotation", { '4' }, "new keys: the rotation",
	    false, .faces[EVERYWHERE] = { .run = act_view_rotation } },
	[ACTION_VIEW_HISTORY] = { PROGRAM, "view-history", { '5' }, "what was changed, and by whom",
	    false, .faces[EVERYWHERE] = { .run = act_view_history } },
	[ACTION_VIEW_REGISTRY] = { PROGRAM, "view-registry", { '6' }, "the Secret Registry", false,
	    .faces[EVERYWHERE] = { .run = act_view_registry } },
	[ACTION_HELP] = { PROGRAM, "help", { '?', INPUT_F1 },
	    "this help: type to search, Enter runs the selected line", false,
	    .faces[EVERYWHERE] = { .rank = 100, .label = "help", .run = act_help } },
	[ACTION_PALETTE] = { PROGRAM, "palette", { ':' }, "all that can be done, set and gone to: "
	    "type to search, Enter does it", false,
	    .faces[EVERYWHERE] = { .rank = 99, .label = "do", .run = act_palette } },
	[ACTION_TUTOR] = { PROGRAM, "tutor", { 0 },
	    "lessons on a scratch copy, then back to here", false,
	    .faces[EVERYWHERE] = { .unavailable = act_needs_tutor, .changes = true,
		.run = act_tutor } },
	[ACTION_RESCAN] = { PROGRAM, "rescan", { 'R' }, "read all files anew", false, {
	    [VIEW_FILES] = { .run = act_rescan },
	    [VIEW_FINDINGS] = { .help = "look at all files anew", .run = act_rescan },
	    [VIEW_HISTORY] = { .help = "read the trail anew", .run = act_history_read },
	    [VIEW_PENDING] = { .run = act_rescan },
	    [VIEW_ROTATION] = { .help = "read the session anew", .run = act_rotation_read },
	    [VIEW_REGISTRY] = { .help = "ask the registry, and read the references, anew",
		.run = act_registry_refresh } } },
	[ACTION_NOTICES] = { PROGRAM, "notices", { 'm' }, "what was told so far, the newest first",
	    false, .faces[EVERYWHERE] = { .run = act_notices } },
	[ACTION_THEME] = { PROGRAM, "theme", { 0 },
	    "colours of the screen, tried one by one", false,
	    .faces[EVERYWHERE] = { .run = act_theme } },
	[ACTION_MOUSE] = { PROGRAM, "mouse", { 0 },
	    "use the mouse, or leave it to the terminal", false,
	    .faces[EVERYWHERE] = { .run = act_mouse } },
	[ACTION_REDRAW] = { PROGRAM, "redraw", { INPUT_CTRL('l') }, "draw the screen anew", false,
	    .faces[EVERYWHERE] = { .run = act_redraw } },
	[ACTION_QUIT] = { PROGRAM, "quit", { 'q' },
	    "leave (asks when something is marked)", false,
	    .faces[EVERYWHERE] = { .rank = 101, .label = "quit", .run = act_quit } },
};

bool
keymap_is_beside(enum action_id id)
{
	return id == ACTION_LOCK || id == ACTION_NOTICES || id == ACTION_THEME ||
	    id == ACTION_MOUSE || id == ACTION_REDRAW || id == ACTION_QUIT;
}

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

bool
keymap_waits(uint32_t key)
{
	return key == KEY_GO && keymap_find(key) == ACTION_COUNT;
}

uint32_t
keymap_after_go(enum action_id id)
{
	for (int i = 0; i < ACTION_KEYS; i++)
		if (keys_of(id)[i] >= KEY_AFTER_GO(0))
			return keys_of(id)[i] - KEY_AFTER_GO(0);
	return 0;
}

/* Of an action in the view that is shown. */
static const struct keymap_face *
face_of(const struct app *a, enum action_id id)
{
	const struct keymap_face *face = &actions[id].faces[a->view];

	return face->run != NULL ? face : &actions[id].faces[EVERYWHERE];
}

/* Of one that is only in other views: that it is there. */
static const char *
keymap_elsewhere(enum action_id id)
{
	int v = 0;

	while (actions[id].faces[v].run == NULL)
		v++;
	return views[v]->only_here;
}

const char *
keymap_unavailable(const struct app *a, enum action_id id)
{
	const struct keymap_face *face = face_of(a, id);

	if (!keymap_is_beside(id) && app_asks(a))
		return "a question is open: Esc leaves it";
	if (face->run == NULL)
		return keymap_elsewhere(id);
	if (face->changes && a->options->read_only)
		return KEYMAP_READ_ONLY;
	return face->unavailable != NULL ? face->unavailable(a) : NULL;
}

static bool
keymap_has_key(enum action_id id)
{
	return keys_of(id)[0] != 0;
}

int
keymap_rank(const struct app *a, enum action_id id)
{
	if (!keymap_has_key(id) || (face_of(a, id)->changes && a->options->read_only))
		return 0;
	/* It is there without marks too, but who has none needs no telling. */
	if (id == ACTION_REVIEW && act_needs_marks(a) != NULL)
		return 0;
	/* Who has a registry wants to see the way there. */
	if (id == ACTION_VIEW && a->view == VIEW_FILES && a->registry->source != NULL)
		return 6;
	return face_of(a, id)->rank;
}

const char *
keymap_label(const struct app *a, enum action_id id)
{
	const char *label = id == ACTION_REVEAL && reveal_shown(a->reveal) ? "longer" :
	    face_of(a, id)->label;

	return label != NULL ? label : actions[id].name;
}

const char *
keymap_help(const struct app *a, enum action_id id)
{
	const char *help = face_of(a, id)->help;

	return help != NULL ? help : actions[id].help;
}

enum rank
keymap_match(const struct app *a, enum action_id id, const char *typed)
{
	const char *texts[] = { actions[id].name, actions[id].group, keymap_help(a, id) };
	enum rank best = RANK_COUNT, r;
	char name[KEY_NAME_MAX];

	for (int i = 0; i < ACTION_KEYS && keys_of(id)[i] != 0; i++)
		if (strcmp(key_name_of(keys_of(id)[i], name), typed) == 0)
			return RANK_EXACT;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		r = rank_of(texts[i], strlen(texts[i]), typed);
		/* Letters here and there are something in a name alone; only that says it best. */
		if (i > 0 && r != RANK_COUNT)
			r = r < RANK_LETTERS ? RANK_PART : RANK_COUNT;
		if (r < best)
			best = r;
	}
	return best == RANK_EXACT ? RANK_WORD : best;
}

void
keymap_run(struct app *a, enum action_id id)
{
	const struct keymap_face *face = face_of(a, id);
	const char *why = keymap_unavailable(a, id);
	char name[KEYMAP_NAME_MAX];

	if (why == NULL) {
		face->run(a);
		return;
	}
	/* Where the key is for something else than its name says, as the footer calls that. */
	app_refuse(a, "%s (%s): %s", keymap_key_of(id, name), face->help != NULL &&
	    face->label != NULL ? face->label : actions[id].name, why);
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

void
bindings_init(struct bindings *b)
{
	int id;

	for (id = 0; id < ACTION_COUNT; id++)
		memcpy(b->keys[id], keymap_action((enum action_id)id)->keys, sizeof(b->keys[id]));
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
		    "Up Down Left Right PgUp PgDn Home End Del Backspace F1");
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

/* Who gives `g` to an action has no two keys that begin with it. */
static void
bindings_drop_go(uint32_t keys[ACTION_KEYS])
{
	size_t n = 0;

	for (size_t i = 0; i < ACTION_KEYS; i++)
		if (keys[i] < KEY_AFTER_GO(0))
			keys[n++] = keys[i];
	while (n < ACTION_KEYS)
		keys[n++] = 0;
}

/* Actions that came when people had keys of their own already: they leave a key to an action
 * that was given it, unless they were given it themselves. */
static void
bindings_yield(struct bindings *b, enum action_id to, uint32_t key)
{
	static const enum action_id later[] = { ACTION_DIFF, ACTION_WORDS, ACTION_SORT,
		ACTION_OPEN_SECRETS, ACTION_GROUP, ACTION_IGNORE, ACTION_EXPORT, ACTION_COPY,
		ACTION_VIEW_FILES, ACTION_VIEW_FINDINGS, ACTION_VIEW_PENDING,
		ACTION_VIEW_ROTATION, ACTION_TAKE_BACK, ACTION_VIEW_HISTORY,
		ACTION_VIEW_REGISTRY, ACTION_NOTICES, ACTION_PALETTE };
	const struct action *a;
	size_t i;

	for (i = 0; i < ACTION_COUNT && key == KEY_GO; i++)
		bindings_drop_go(b->keys[i]);
	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		a = keymap_action(later[i]);
		if (later[i] != to && a->keys[0] == key && b->keys[later[i]][0] == key)
			memset(b->keys[later[i]], 0, sizeof(b->keys[later[i]]));
	}
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
	while (count > 0)
		bindings_yield(b, id, keys[--count]);
	return 0;
}

/* The first of two keys cannot be one of its own, too. */
static bool
bindings_clash(uint32_t one, uint32_t other)
{
	return one == other || (one == KEY_GO && other >= KEY_AFTER_GO(0)) ||
	    (other == KEY_GO && one >= KEY_AFTER_GO(0));
}

bool
bindings_conflict(const struct bindings *b, enum action_id *one, enum action_id *two, uint32_t *key)
{
	const uint32_t *keys = &b->keys[0][0];
	size_t n = (size_t)ACTION_COUNT * ACTION_KEYS;
	size_t i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < i; j++) {
			if (keys[i] == 0 || !bindings_clash(keys[i], keys[j]) ||
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

#include "ui/bindings.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "ui/event.h"
#include "ui/key_name.h"

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
refuse(struct error *err, const char *text, size_t len, const char *why, const char *hint)
{
	error_set(err, ERROR_FORMAT, "the key %.*s cannot be used: %s",
	    (int)(len > 40 ? 40 : len), text, why);
	return error_hint(err, "%s", hint);
}

/* Can the key be bound to this action? */
static int
check(const struct action *a, uint32_t key, const char *text, size_t len, struct error *err)
{
	static const char taken[] = { INPUT_CTRL('z'), INPUT_CTRL('c'), INPUT_CTRL('d'),
		INPUT_CTRL('s'), INPUT_CTRL('q'), INPUT_CTRL('a'), INPUT_CTRL('b') };
	static const char other[] = { INPUT_CTRL('i'), INPUT_CTRL('j'), INPUT_CTRL('m'),
		INPUT_CTRL('h'), INPUT_CTRL('[') };

	if (key == 0)
		return refuse(err, text, len, "there is no key of this name",
		    "a character, ^x for Ctrl and a letter, or one of Space Enter Esc Tab S-Tab "
		    "Up Down Left Right PgUp PgDn Home End Del Backspace");
	if (key < ' ' && memchr(taken, (int)key, sizeof(taken)) != NULL)
		return refuse(err, text, len, "the terminal or a multiplexer may take it",
		    "^Z ^C ^D ^S ^Q ^A and ^B are never bound");
	if (key < ' ' && memchr(other, (int)key, sizeof(other)) != NULL)
		return refuse(err, text, len, "the terminal sends it for another key",
		    "name that key: Tab, Enter, Backspace or Esc");
	if (a->dangerous && (key < 'A' || key > 'Z'))
		return refuse(err, text, len, "the action destroys or changes keys or values",
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
		if (check(a, keys[count], text, len, err) != 0)
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

#ifndef SETTING_H
#define SETTING_H

#include <stdbool.h>

#include "common/flag.h"
#include "ui/keymap.h"

/*
 * Every setting that propseal.ini knows.  After the fixed ones comes one
 * `key.<action>` for each action of the interface.
 */
enum setting_id {
	SETTING_SECRETS_FILE,
	SETTING_REMOTE_PATH,
	SETTING_PATTERNS,
	SETTING_IGNORE,
	SETTING_SECRET_KEYS,
	SETTING_PUBLIC_KEYS,
	SETTING_THEME,
	SETTING_REVEAL,
	SETTING_LOCK,
	SETTING_LOCK_TIMEOUT,
	SETTING_FIRST_KEY,
	SETTING_COUNT = SETTING_FIRST_KEY + (int)ACTION_COUNT
};

enum setting_kind {
	SETTING_IS_PATH,	/* relative to the folder of the file that sets it */
	SETTING_IS_REMOTE,	/* a path on another host */
	SETTING_IS_PATTERNS,	/* of file names; a list */
	SETTING_IS_IGNORED,	/* of file and folder names; a list */
	SETTING_IS_KEYS,	/* patterns of configuration keys; a list */
	SETTING_IS_CHOICE,
	SETTING_IS_SECONDS,	/* within the bounds of its flag */
	SETTING_IS_BINDING	/* keys of an action */
};

struct setting {
	const char *section;
	const char *name;
	enum setting_kind kind;
	enum flag_id flag;	/* that says the same, FLAG_COUNT: none */
	const char *choices;	/* CHOICE: "a|b|c" */
	const char *built_in;	/* NULL: none */
};

#define SETTING_NAME_MAX 48

/* A fixed setting, by ${id} below SETTING_FIRST_KEY. */
const struct setting *setting_get(enum setting_id id);

enum setting_kind setting_kind(enum setting_id id);
const char *setting_section(enum setting_id id);

/* Its name within the section; one of a key is made in ${name}. */
const char *setting_name(enum setting_id id, char name[SETTING_NAME_MAX]);

/* Does the value have several parts? */
bool setting_is_list(enum setting_id id);

/* The action of a `key.` setting. */
enum action_id setting_action(enum setting_id id);

/* SETTING_COUNT: there is none. */
enum setting_id setting_find(const char *section, const char *name);

/* What ${section} or ${name} in it may have been meant for, or NULL.  A name
 * may be made in ${near}. */
const char *setting_near_section(const char *section);
const char *setting_near_name(const char *section, const char *name,
    char near[SETTING_NAME_MAX]);

/* The section that has a setting of this name, or NULL. */
const char *setting_section_with(const char *name);

/* Is there a section of this name? */
bool setting_has_section(const char *section);

#endif /* !SETTING_H */

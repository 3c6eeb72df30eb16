#include "cli/setting.h"

#include <stdio.h>
#include <string.h>

#include "estate/scope.h"
#include "common/near.h"

#define KEY_PREFIX "key."

static const struct setting settings[SETTING_FIRST_KEY] = {
	[SETTING_SECRETS_FILE] = { "files", "secrets-file", SETTING_IS_PATH,
	    FLAG_LOCAL_SECRETS_FILE, NULL, NULL },
	[SETTING_REMOTE_PATH] = { "files", "remote-path", SETTING_IS_REMOTE,
	    FLAG_REMOTE_SECRETS_FILE, NULL, NULL },
	[SETTING_PATTERNS] = { "files", "patterns", SETTING_IS_PATTERNS,
	    FLAG_COUNT, NULL, SCOPE_BUILT_IN },
	[SETTING_IGNORE] = { "files", "ignore", SETTING_IS_IGNORED, FLAG_COUNT, NULL, NULL },
	[SETTING_SECRET_KEYS] = { "rules", "secret-keys", SETTING_IS_KEYS,
	    FLAG_COUNT, NULL, NULL },
	[SETTING_PUBLIC_KEYS] = { "rules", "public-keys", SETTING_IS_KEYS,
	    FLAG_COUNT, NULL, NULL },
	[SETTING_THEME] = { "ui", "theme", SETTING_IS_CHOICE, FLAG_COUNT,
	    "default|monochrome|light", "default" },
	[SETTING_REVEAL] = { "ui", "reveal-seconds", SETTING_IS_SECONDS,
	    FLAG_REVEAL_TIME, NULL, "10" },
	[SETTING_LOCK] = { "ui", "lock-seconds", SETTING_IS_SECONDS,
	    FLAG_LOCK_TIME, NULL, "300" },
	[SETTING_LOCK_TIMEOUT] = { "locks", "timeout-seconds", SETTING_IS_SECONDS,
	    FLAG_LOCK_TIMEOUT, NULL, "60" },
};

const struct setting *
setting_get(enum setting_id id)
{
	return &settings[id];
}

enum setting_kind
setting_kind(enum setting_id id)
{
	return id < SETTING_FIRST_KEY ? settings[id].kind : SETTING_IS_BINDING;
}

const char *
setting_section(enum setting_id id)
{
	return id < SETTING_FIRST_KEY ? settings[id].section : "ui";
}

enum action_id
setting_action(enum setting_id id)
{
	return (enum action_id)(id - SETTING_FIRST_KEY);
}

const char *
setting_name(enum setting_id id, char name[SETTING_NAME_MAX])
{
	if (id < SETTING_FIRST_KEY)
		return settings[id].name;
	snprintf(name, SETTING_NAME_MAX, KEY_PREFIX "%s",
	    keymap_action(setting_action(id))->name);
	return name;
}

bool
setting_is_list(enum setting_id id)
{
	enum setting_kind kind = setting_kind(id);

	return kind == SETTING_IS_PATTERNS || kind == SETTING_IS_IGNORED ||
	    kind == SETTING_IS_KEYS;
}

enum setting_id
setting_find(const char *section, const char *name)
{
	char own[SETTING_NAME_MAX];
	int id;

	for (id = 0; id < SETTING_COUNT; id++) {
		if (strcmp(setting_section((enum setting_id)id), section) == 0 &&
		    strcmp(setting_name((enum setting_id)id, own), name) == 0)
			break;
	}
	return (enum setting_id)id;
}

bool
setting_has_section(const char *section)
{
	int id;

	for (id = 0; id < SETTING_FIRST_KEY; id++) {
		if (strcmp(settings[id].section, section) == 0)
			return true;
	}
	return false;
}

const char *
setting_near_section(const char *section)
{
	int id;

	for (id = 0; id < SETTING_FIRST_KEY; id++) {
		if (near_word(section, strlen(section), settings[id].section))
			return settings[id].section;
	}
	return NULL;
}

const char *
setting_near_name(const char *section, const char *name, char near[SETTING_NAME_MAX])
{
	size_t best = NEAR_NOT, d;
	int id, found = SETTING_COUNT;

	for (id = 0; id < SETTING_COUNT; id++) {
		if (strcmp(setting_section((enum setting_id)id), section) != 0)
			continue;
		d = near_distance(name, strlen(name), setting_name((enum setting_id)id, near));
		if (d < best) {
			best = d;
			found = id;
		}
	}
	return found == SETTING_COUNT ? NULL : setting_name((enum setting_id)found, near);
}

const char *
setting_section_with(const char *name)
{
	char own[SETTING_NAME_MAX];
	int id;

	for (id = 0; id < SETTING_COUNT; id++) {
		if (strcmp(setting_name((enum setting_id)id, own), name) == 0)
			return setting_section((enum setting_id)id);
	}
	return NULL;
}

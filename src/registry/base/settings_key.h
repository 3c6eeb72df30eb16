#ifndef REGISTRY_SETTINGS_KEY_H
#define REGISTRY_SETTINGS_KEY_H

#include <stddef.h>
#include <stdint.h>

enum settings_kind {
	SETTINGS_TEXT,		/* const char * */
	SETTINGS_SWITCH,	/* bool: true, false */
	SETTINGS_NUMBER,	/* unsigned, min..max */
	SETTINGS_SIZE,		/* size_t */
	SETTINGS_LONG,		/* uint64_t, times ${scale} */
	SETTINGS_CHOICE,	/* bool or enum: the place in "a|b" */
	SETTINGS_KEY,		/* a secret buffer */
	SETTINGS_OLD_KEY,	/* one more of the old keys */
	SETTINGS_KAFKA		/* for the topic, not used by the embedded store */
};

/* One key of the settings: its name and where its value goes. */
struct settings_key {
	const char *name;
	enum settings_kind kind;
	size_t offset;		/* in struct settings */
	uint64_t min, max;
	uint64_t scale;
	const char *choices;
};

/* NULL: there is none of this name. */
const struct settings_key *settings_key_find(const char *name);

#endif /* !REGISTRY_SETTINGS_KEY_H */

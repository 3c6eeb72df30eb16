#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * What a setting may be, for both programs: a program has one table of them,
 * with the place in its own struct that each value goes to.  Where the text
 * comes from (propseal.ini, the service's file, the environment, a flag) is
 * the program's business.
 */
enum setting_type {
	SETTING_TEXT,		/* const char *: as it stands, NULL if empty */
	SETTING_SWITCH,		/* bool: "false|true", or the two of ${choices} */
	SETTING_NUMBER,		/* unsigned, min..max */
	SETTING_SIZE,		/* size_t, min..max */
	SETTING_LONG,		/* uint64_t: min..max, times ${scale} */
	SETTING_CHOICE,		/* unsigned, or an enum: the place in ${choices}, "a|b|c" */
	SETTING_OTHER		/* the program's own, and above */
};

struct setting_field {
	const char *name;
	unsigned type;		/* enum setting_type, or from SETTING_OTHER on the program's */
	size_t offset;		/* in the program's struct */
	uint64_t min, max;
	uint64_t scale;
	const char *choices;
};

/* The place of ${text} in "a|b|c", -1: it is none of them. */
int setting_choice(const char *choices, const char *text);

/**
 * setting_store(f, into, text, err):
 * Check ${text} and put its value into the struct; of a text the pointer is
 * kept.  ERROR_FORMAT, with what it may be.
 */
int setting_store(const struct setting_field *f, void *into, const char *text, struct error *err);

#endif /* !BASE_SETTINGS_H */

#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/settings.h"

int
setting_choice(const char *choices, const char *text)
{
	size_t n = strlen(text), len;
	int place = 0;

	for (;; place++) {
		len = strcspn(choices, "|");
		if (len == n && memcmp(choices, text, n) == 0)
			return place;
		if (choices[len] == '\0')
			return -1;
		choices += len + 1;
	}
}

/* Digits alone, within the bounds. */
static bool
setting_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t n;

	if (!number_parse(text, strlen(text), max, &n) || n < min)
		return false;
	*out = n;
	return true;
}

/* One of the words; -1: failed. */
static int
store_choice(const struct setting_field *f, const char *choices, const char *text,
    struct error *err)
{
	int place = setting_choice(choices, text);

	if (place != -1)
		return place;
	error_set(err, ERROR_FORMAT, "%s has a value that it cannot have", f->name);
	return error_hint(err, "one of %s", choices);
}

int
setting_store(const struct setting_field *f, void *into, const char *text, struct error *err)
{
	void *at = (char *)into + f->offset;
	uint64_t n = 0;
	int place;

	switch (f->type) {
	case SETTING_SWITCH:
		if ((place = store_choice(f, f->choices != NULL ? f->choices :
		    "false|true", text, err)) == -1)
			return -1;
		*(bool *)at = place == 1;
		return 0;
	case SETTING_CHOICE:
		if ((place = store_choice(f, f->choices, text, err)) == -1)
			return -1;
		*(unsigned *)at = (unsigned)place;
		return 0;
	case SETTING_NUMBER:
	case SETTING_SIZE:
	case SETTING_LONG:
		if (!setting_number(text, f->min, f->max, &n))
			return error_set(err, ERROR_FORMAT,
			    "%s is not a whole number from %llu to %llu", f->name,
			    (unsigned long long)f->min, (unsigned long long)f->max);
		if (f->type == SETTING_NUMBER)
			*(unsigned *)at = (unsigned)n;
		else if (f->type == SETTING_SIZE)
			*(size_t *)at = (size_t)n;
		else
			*(uint64_t *)at = n * f->scale;
		return 0;
	default:
		*(const char **)at = text[0] != '\0' ? text : NULL;
		return 0;
	}
}

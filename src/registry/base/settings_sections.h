#ifndef REGISTRY_SETTINGS_SECTIONS_H
#define REGISTRY_SETTINGS_SECTIONS_H

#include <stddef.h>

struct buf;
struct error;

#define SETTINGS_SECTIONS_MAX 64
#define SETTINGS_SECTION_NAME 64	/* bytes, the NUL included */

/* The `[NAME]` lines of a settings file. */
struct settings_sections {
	size_t count;
	struct {
		size_t line;
		char name[SETTINGS_SECTION_NAME];
	} all[SETTINGS_SECTIONS_MAX];
};

/**
 * settings_sections_find(s, text, file, err):
 * Note the sections in ${text}, and make comments as java.util.Properties has
 * them of their lines and of those that begin with `;`: a '#' takes the place
 * of the first character.  Lines that go on from the one before are left
 * alone.  ERROR_FORMAT: a line begins with [ and is none; ERROR_LIMIT.
 */
int settings_sections_find(struct settings_sections *s, struct buf *text, const char *file,
    struct error *err);

/* The name of the section that ${line} is in; NULL: none. */
const char *settings_sections_at(const struct settings_sections *s, size_t line);

#endif /* !REGISTRY_SETTINGS_SECTIONS_H */

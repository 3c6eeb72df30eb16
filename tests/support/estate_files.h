#ifndef SUPPORT_ESTATE_FILES_H
#define SUPPORT_ESTATE_FILES_H

/*
 * Estates on the disk: folders with secrets files and what refers to them.  All secrets files
 * have the same entries and the same key.
 */

#include <limits.h>

#include "estate/environments.h"
#include "estate/estate.h"
#include "estate_fixture.h"
#include "files.h"

#define ENTRY "server.properties/ssl.keystore.password"
#define GONE "server.properties/gone"
#define AT(path, name) "k=${securepass:" path ":" name "}\n"
#define NOTES(path) MODERN "_propseal.remote.0 = " path "\n"

static inline void
put(const char *path, const char *text)
{
	char folder[PATH_MAX];

	for (const char *p = strchr(path, '/'); p != NULL; p = strchr(p + 1, '/')) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(p - path), path);
		(void)mkdir(folder, 0755);
	}
	files_put(path, text, 0600);
}

static inline void
finish(struct estate *e)
{
	int rc;

	while ((rc = estate_step(e, 1000, NULL)) == 1)
		;
	assert_int_equal(rc, 0);
}

static inline const struct estate_file *
file_of(const struct estate *e, const char *path)
{
	for (size_t i = 0; i < estate_count(e); i++)
		if (strcmp(estate_file(e, i)->path, path) == 0)
			return estate_file(e, i);
	fail_msg("no %s", path);
	return NULL;
}

/* The first entry of ${path} is in this state, in the environment of ${secrets}. */
static inline void
assert_entry(const struct estate *e, const char *path, enum entry_state state,
    const char *secrets)
{
	const struct estate_entry *x = &file_of(e, path)->entries[0];

	if (x->state != state)
		fail_msg("%s is %s, not %s", path, state_name(x->state), state_name(state));
	if (secrets == NULL)
		assert_null(x->environment);
	else if (x->environment == NULL)
		fail_msg("%s has no environment", path);
	else
		assert_string_equal(x->environment->path, secrets);
}

#endif /* !SUPPORT_ESTATE_FILES_H */

#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/scope.h"
#include "estate/environments_internal.h"
#include "estate/finder.h"
#include "plan/configuration.h"
#include "secrets/secrets_file.h"

/*
 * The secrets files around a configuration file that was named itself.  Those in
 * its folder and above are found by going up.  Where one is found above, a nearer
 * one can lie below the folder that was come from, and is looked for there: with
 * the whole tree given it would be that one, and what is resolved must not depend
 * on what is named.
 */

#define FILES_MAX 1000000
#define PATH_BYTES_MAX 65536

/* What is known of a folder, in ->looked by its real path. */
enum { LOOKED_OWN = 1, LOOKED_ASIDE = 2, LOOKED_BELOW = 4, LOOKED_FOUND = 8 };

struct looking {
	struct environments *e;
	const struct scope *scope;
	struct vec *leftovers;
};

/* The last folder above ${real} in which secrets files of a file that was named
 * itself are looked for: that of the current folder, of a propseal.ini or a
 * .git; without one it is its own. */
static size_t
length_of_top(const char *real)
{
	char *here = getcwd(NULL, 0);
	size_t n = strlen(real), top = n;
	struct buf path;
	struct stat st;
	bool found = false;

	buf_init(&path, PATH_BYTES_MAX);
	while (!found && n > 1) {
		buf_clear(&path);
		buf_append(&path, real, n);
		found = here != NULL && strcmp(buf_cstr(&path), here) == 0;
		buf_append_str(&path, "/.git");
		found = found || lstat(buf_cstr(&path), &st) == 0;
		buf_truncate(&path, n);
		buf_append_str(&path, "/propseal.ini");
		found = found || lstat(buf_cstr(&path), &st) == 0;
		if (found)
			top = n;
		while (n > 0 && real[n - 1] != '/')
			n--;
		n -= n > 0;
	}
	if (!found && here != NULL && strcmp(here, "/") == 0)
		top = 1;
	buf_release(&path);
	free(here);
	return top;
}

/* What is known of the folder ${real}; NULL: no memory. */
static size_t *
looked(const struct looking *l, const char *real)
{
	const char *kept = environments_intern(l->e, real, strlen(real));

	if (l->e->looked == NULL)
		l->e->looked = map_new();
	return kept != NULL && l->e->looked != NULL ? map_value(l->e->looked, kept,
	    strlen(kept)) : NULL;
}

/* Is it a secrets file?  Then it is one of those that may be meant. */
static int
look_at(const struct looking *l, const char *path, bool aside, bool *found, struct error *err)
{
	struct configuration *c = scope_format(l->scope, path) == DOCUMENT_ENTRIES ?
	    configuration_load(path, l->scope, NULL) : NULL;
	const size_t before = l->e->all.len;
	struct environment *x;
	int rc = 0;

	if (c != NULL && secrets_file_recognise(c->doc)) {
		*found = true;
		if ((x = environments_add(l->e, path, c, err)) == NULL)
			rc = -1;
		else if (l->e->all.len > before)
			x->aside = aside;
	}
	configuration_free(c);
	return rc;
}

/* Take the secrets files of one folder, or of those below it, as they are not asked for,
 * silently.  ${real}: where it really is. */
static int
look_in(const struct looking *l, const char *folder, const char *real, size_t how,
    struct error *err)
{
	const bool below = how == LOOKED_BELOW;
	size_t *known = looked(l, real);
	struct vec files, folders;
	struct error why = { .code = ERROR_NONE };
	bool found = false, first = true;
	char *path, *next = NULL;
	int rc = 0;

	if (known == NULL)
		return error_memory(err);
	if ((*known & (how == LOOKED_ASIDE ? LOOKED_OWN | how : how)) != 0)
		return 0;
	vec_init(&files, sizeof(char *), FILES_MAX);
	vec_init(&folders, sizeof(char *), FILES_MAX);
	do {
		if (walk_folder(next != NULL ? next : folder, l->scope, &files, &folders,
		    l->leftovers, &why) != 0 && why.code == ERROR_MEMORY)
			rc = error_memory(err);
		while (rc == 0 && (path = walk_pop(&files)) != NULL) {
			/* Those of the folder itself are known. */
			if (!below || !first)
				rc = look_at(l, path, how != LOOKED_OWN, &found, err);
			free(path);
		}
		first = false;
		free(next);
	} while (rc == 0 && below && (next = walk_pop(&folders)) != NULL);
	vec_release_strings(&files);
	vec_release_strings(&folders);
	if (rc == 0 && (known = looked(l, real)) == NULL)
		rc = error_memory(err);
	if (rc == 0)
		*known |= how | (found && !below ? LOOKED_FOUND : 0);
	return rc;
}

/* Go up from ${real}, which is changed, whose folder is written ${folder}. */
static int
look_up(const struct looking *l, const char *folder, char *real, struct error *err)
{
	size_t n = strlen(real), top = length_of_top(real);
	char *below = strdup(real);
	const size_t *known;
	int rc = below == NULL ? error_memory(err) :
	    look_in(l, folder, real, LOOKED_OWN, err);

	while (rc == 0 && n > top) {
		memcpy(below, real, n + 1);
		while (n > 0 && real[n - 1] != '/')
			n--;
		n -= n > 1;
		real[n] = '\0';
		if ((rc = look_in(l, real, real, LOOKED_ASIDE, err)) != 0)
			break;
		if ((known = looked(l, real)) == NULL)
			rc = error_memory(err);
		else if ((*known & LOOKED_FOUND) != 0)
			rc = look_in(l, below, below, LOOKED_BELOW, err);
	}
	free(below);
	return rc;
}

int
environments_look_beside(struct environments *e, const char *path, const struct scope *scope,
    struct vec *leftovers, struct error *err)
{
	const struct looking l = { e, scope, leftovers };
	char *folder = file_folder(path);
	char *real = folder != NULL ? realpath(folder, NULL) : NULL;
	int rc = 0;

	if (environments_only(e) == NULL && folder != NULL && real != NULL)
		rc = look_up(&l, folder, real, err);
	free(real);
	free(folder);
	return rc;
}

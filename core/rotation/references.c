#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "rotation/rotation_internal.h"

/* The references of configurations to what was rotated. */

int
rotation_unlock(struct estate *e, const char *path, const struct key *k, struct error *err)
{
	struct environment *x;

	if (environments_of_file(estate_environments(e), path, &x, err) != 0)
		return -1;
	return x != NULL && x->secrets != NULL ? environment_unlock(x, k, err) : 0;
}

/* The environments of the session's files, by the paths of their secrets files. */
static int
references_own(const struct estate *e, const struct rotation *r, struct map *own,
    struct error *err)
{
	struct environment *x;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < rotation_count(r); i++) {
		const struct rotation_file *f = rotation_file(r, i);
		char *path;

		if (f->state == ROTATION_FILE_SKIPPED)
			continue;
		path = rotation_path(r, f->file);
		rc = path == NULL ? error_memory(err) :
		    environments_of_file(estate_environments(e), path, &x, err);
		if (rc == 0 && x != NULL && map_put(own, x->path, strlen(x->path), i) != 0)
			rc = error_memory(err);
		free(path);
	}
	return rc;
}

int
rotation_references(const struct estate *e, const struct rotation *r,
    int (*broken)(void *cookie, const struct estate_file *f, const struct estate_entry *x,
    struct error *err), void *cookie, struct rotation_references *out, struct error *err)
{
	struct map *own = map_new();
	size_t ignored;
	int rc = own == NULL ? error_memory(err) : 0;

	*out = (struct rotation_references){ 0, 0, 0 };
	if (rc == 0 && r != NULL)
		rc = references_own(e, r, own, err);
	for (size_t i = 0; rc == 0 && i < estate_count(e); i++) {
		const struct estate_file *f = estate_file(e, i);

		for (size_t k = 0; rc == 0 && k < f->count; k++) {
			const struct estate_entry *x = &f->entries[k];
			const struct environment *to = x->environment;

			if (x->shadowed || x->name == NULL || to == NULL || to->master == NULL ||
			    (r != NULL && !map_get(own, to->path, strlen(to->path), &ignored)))
				continue;
			out->total++;
			if (x->state == STATE_SEALED && x->checked)
				out->opened++;
			else if (x->state == STATE_DANGLING)
				out->dangling++;
			else
				rc = broken(cookie, f, x, err);
		}
	}
	map_free(own);
	return rc;
}

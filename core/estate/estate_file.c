#include "estate/estate_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/document.h"
#include "estate/collect.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "secrets/secrets_file.h"
#include "secrets/state.h"

struct estate_file *
estate_file_new(const char *path)
{
	struct estate_file *f = calloc(1, sizeof(*f));

	if (f != NULL && (f->path = strdup(path)) == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

static void
forget(struct estate_file *f)
{
	free(f->problem);
	f->problem = NULL;
	collect_forget(f);
}

void
estate_file_free(struct estate_file *f)
{
	if (f == NULL)
		return;
	forget(f);
	free((void *)(uintptr_t)f->path);
	free(f);
}

int
estate_file_fail(struct estate_file *f, const struct error *problem, struct error *err)
{
	if ((f->problem = malloc(sizeof(*f->problem))) == NULL)
		return error_memory(err);
	*f->problem = *problem;
	return 0;
}

int
estate_file_load(struct estate_file *f, const struct secrets_file *s, const struct rules *r,
    struct error *err)
{
	struct configuration *c;
	struct error problem;
	int rc = 0;

	forget(f);
	f->is_secrets_file = false;
	if ((c = configuration_load(f->path, &problem)) == NULL)
		return problem.code == ERROR_MEMORY ? error_memory(err) :
		    estate_file_fail(f, &problem, err);
	if (secrets_file_recognise(c->doc))
		f->is_secrets_file = true;
	else if (collect_entries(f, c->doc, s, r) != 0)
		rc = error_memory(err);
	configuration_free(c);
	return rc;
}

void
estate_file_restate(struct estate_file *f, const struct secrets_file *s)
{
	struct estate_entry *e;

	for (size_t i = 0; i < f->count; i++) {
		e = (struct estate_entry *)(uintptr_t)&f->entries[i];
		if (e->name != NULL)
			e->state = state_of_name(e->name, e->name_len, s);
	}
}

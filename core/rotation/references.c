#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "rotation/rotation.h"
#include "rotation/rotation_internal.h"

/* The references of configurations to what was rotated. */

int
rotation_unlock(struct estate *e, const char *path, const struct key *k, struct error *err)
{
	struct environment *x;

	if (environments_of_file(estate_environments(e), path, &x, err) != 0)
		return -1;
	return x != NULL && x->problem == NULL ? environment_unlock(x, k, err) : 0;
}

static int
by_address(const void *a, const void *b)
{
	const uintptr_t x = (uintptr_t)*(void *const *)a, y = (uintptr_t)*(void *const *)b;

	return x == y ? 0 : x < y ? -1 : 1;
}

/* The environments of the session's files, by their addresses. */
static int
references_own(const struct estate *e, const struct rotation *r, struct vec *own,
    struct error *err)
{
	struct environment *x, **slot;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < rotation_count(r); i++) {
		const struct rotation_file *f = rotation_file(r, i);
		char *path;

		if (f->state == ROTATION_FILE_SKIPPED)
			continue;
		path = rotation_path(r, f->file);
		rc = path == NULL ? error_memory(err) :
		    environments_of_file(estate_environments(e), path, &x, err);
		free(path);
		if (rc != 0 || x == NULL)
			continue;
		if ((slot = vec_push(own)) == NULL)
			rc = error_memory(err);
		else
			*slot = x;
	}
	if (own->len > 0)
		qsort(own->items, own->len, own->size, by_address);
	return rc;
}

int
rotation_references(const struct estate *e, const struct rotation *r,
    int (*broken)(void *cookie, const struct estate_file *f, const struct estate_entry *x,
    struct error *err), void *cookie, struct rotation_references *out, struct error *err)
{
	struct vec own;
	int rc;

	*out = (struct rotation_references){ 0, 0, 0 };
	vec_init(&own, sizeof(struct environment *), 1U << 24);
	rc = r != NULL ? references_own(e, r, &own, err) : 0;
	for (size_t i = 0; rc == 0 && i < estate_count(e); i++) {
		const struct estate_file *f = estate_file(e, i);

		for (size_t k = 0; rc == 0 && k < f->count; k++) {
			const struct estate_entry *x = &f->entries[k];
			const struct environment *to = x->environment;

			if (x->shadowed || x->name == NULL || to == NULL || to->master == NULL ||
			    (r != NULL && (own.len == 0 || bsearch(&to, own.items, own.len,
			    own.size, by_address) == NULL)))
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
	vec_release(&own);
	return rc;
}

static const char *const service_names[SERVICES] = { "controllers", "brokers", "Schema Registry",
	"Connect", "ksqlDB", "REST Proxy", "Control Center", "others" };

/* By what they are told: a word in the path of a configuration file. */
static const struct {
	const char *word;
	enum rotation_service service;
} service_words[] = {
	{ "controller", SERVICE_CONTROLLER }, { "schema-registry", SERVICE_REGISTRY },
	{ "schemaregistry", SERVICE_REGISTRY }, { "schema_registry", SERVICE_REGISTRY },
	{ "control-center", SERVICE_CENTER }, { "control_center", SERVICE_CENTER },
	{ "controlcenter", SERVICE_CENTER }, { "connect", SERVICE_CONNECT },
	{ "ksql", SERVICE_KSQL }, { "kafka-rest", SERVICE_REST }, { "rest-proxy", SERVICE_REST },
	{ "kafka_rest", SERVICE_REST }, { "server.properties", SERVICE_BROKER },
	{ "broker", SERVICE_BROKER }, { "kraft", SERVICE_BROKER },
};

bool
rotation_service_reads(const struct estate_file *f, const struct environment *x)
{
	if (f->is_secrets_file || f->problem != NULL)
		return false;
	if (f->environment != NULL)
		return x == NULL || f->environment == x;
	for (size_t i = 0; i < f->count; i++)
		if (!f->entries[i].shadowed && f->entries[i].environment != NULL &&
		    (x == NULL || f->entries[i].environment == x))
			return true;
	return false;
}

const char *
rotation_service_name(enum rotation_service s)
{
	return service_names[s];
}

/* Is it a controller alone?  Its properties say so, whatever its name is. */
static bool
is_controller(const char *path)
{
	struct configuration *c = configuration_load(path, NULL, NULL);
	size_t i = c != NULL ? document_find(c->doc, "process.roles", 13) : DOCUMENT_NONE;
	bool is = i != DOCUMENT_NONE && document_value_is(c->doc, i, "controller", 10);

	configuration_free(c);
	return is;
}

enum rotation_service
rotation_service_of(const char *path)
{
	for (size_t i = 0; i < sizeof(service_words) / sizeof(service_words[0]); i++)
		if (text_contains_nocase(path, strlen(path), service_words[i].word))
			return service_words[i].service == SERVICE_BROKER && is_controller(path) ?
			    SERVICE_CONTROLLER : service_words[i].service;
	return is_controller(path) ? SERVICE_CONTROLLER : SERVICE_OTHER;
}

#include "rotation/service.h"

#include <string.h>

#include "base/text.h"
#include "document/document.h"
#include "estate/estate.h"
#include "plan/configuration.h"

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

#include "cli/registry/place.h"

#include <stdlib.h>
#include <string.h>

#include "common/options.h"

#define URL_DEFAULT "http://127.0.0.1:8082"

static const char *
flag_or_variable(const struct options *o, enum flag_id id, const char *variable)
{
	const char *value = o->text[id];

	if (value == NULL && (value = getenv(variable)) != NULL && value[0] == '\0')
		value = NULL;
	return value;
}

void
place_read(const struct options *o, struct place *p)
{
	const char *url = flag_or_variable(o, FLAG_URL, "PROPSEAL_REGISTRY_URL");

	memset(p, 0, sizeof(*p));
	p->named = url != NULL;
	p->client = (struct client_options){
		.url = url != NULL ? url : URL_DEFAULT,
		.ca = flag_or_variable(o, FLAG_CA, "PROPSEAL_REGISTRY_CA"),
		.certificate = flag_or_variable(o, FLAG_CERT, "PROPSEAL_REGISTRY_CERT"),
		.key = flag_or_variable(o, FLAG_CERT_KEY, "PROPSEAL_REGISTRY_CERT_KEY"),
		.insecure_allowed = o->on[FLAG_INSECURE_HTTP],
	};
	p->login = (struct login){
		.user = flag_or_variable(o, FLAG_USER, "PROPSEAL_REGISTRY_USER"),
		.password_file = flag_or_variable(o, FLAG_PASSWORD_FILE,
		    "PROPSEAL_REGISTRY_PASSWORD_FILE"),
		.token_file = flag_or_variable(o, FLAG_TOKEN_FILE, "PROPSEAL_REGISTRY_TOKEN_FILE"),
	};
	/* A user on the command line goes before a token of the environment. */
	if (o->text[FLAG_USER] != NULL && o->text[FLAG_TOKEN_FILE] == NULL)
		p->login.token_file = NULL;
}

#ifndef REGISTRY_CLI_PLACE_H
#define REGISTRY_CLI_PLACE_H

#include <stdbool.h>

#include "client/client.h"
#include "client/login.h"

struct options;

/* Which registry, and who we are there.  Strings are borrowed. */
struct place {
	bool named;	/* by a flag or the environment; else the URL is the default one */
	struct client_options client;
	struct login login;
};

/* As --url, --ca, --cert, --user, --token-file ... say, or the variables
 * $PROPSEAL_REGISTRY_URL, _CA, _CERT, _CERT_KEY, _USER, _PASSWORD_FILE, _TOKEN_FILE. */
void place_read(const struct options *o, struct place *p);

#endif /* !REGISTRY_CLI_PLACE_H */

#ifndef CLIENT_URL_H
#define CLIENT_URL_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/* A registry's address, taken apart. */
struct url {
	bool tls;
	bool loopback;		/* localhost, 127.x.x.x or ::1 */
	bool numeric;		/* the host is an address */
	char host[256];		/* without brackets */
	uint16_t port;
	char authority[300];	/* HOST[:PORT] as the Host header has it */
	char base[512];		/* path in front of every target, without / at its end */
};

/* http[s]://HOST[:PORT][/BASE].  ERROR_USAGE: anything else; a user name or
 * password in it is refused, and not repeated. */
int url_parse(struct url *u, const char *text, struct error *err);

#endif /* !CLIENT_URL_H */

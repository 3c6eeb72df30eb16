#ifndef REGISTRY_CLIENT_CLIENT_H
#define REGISTRY_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct error;

/*
 * The client side: one request at a time over a connection that is kept.
 * http:// beyond loopback is refused unless forced, https:// is verified
 * against the system's CAs or ${ca}, host name included.
 */
struct client;

struct client_options {
	const char *url;		/* http[s]://HOST[:PORT][/BASE] */
	const char *ca;			/* PEM file, NULL: the system's */
	const char *certificate, *key;	/* PEM files, NULL: none */
	bool insecure_allowed;
	unsigned timeout_ms;		/* of one request */
};

/* ERROR_USAGE (bad URL), ERROR_REFUSED (clear text), ERROR_IO, ERROR_FORMAT. */
struct client *client_new(const struct client_options *o, struct error *err);
void client_free(struct client *c);

/* The Authorization header's value from now on ("Basic ...", "Bearer ..."),
 * copied into secret memory; NULL: none. */
int client_authorize(struct client *c, const struct buf *value, struct error *err);

#define CLIENT_BODY_MAX (64U << 20)

struct client_answer {
	int status;
	struct buf *body;		/* secret, the caller's, appended to */
	char location[1024];
	char next[2048];		/* the target of Link rel="next", "": none */
	char request_id[65];
};

/**
 * client_request(c, method, target, body, headers, out, err):
 * ${target} is an encoded path with query, below the base; ${body} (may be
 * NULL) is JSON; ${headers} NULL or pairs of names and values, ended by NULL.
 * 0: an answer came, whatever its status.  ERROR_IO: none came; ERROR_REFUSED:
 * its certificate is not to be trusted.  A GET, or what has an Idempotency-Key,
 * is tried once more after a kept connection had died.
 */
int client_request(struct client *c, const char *method, const char *target,
    const struct buf *body, const char *const *headers, struct client_answer *out,
    struct error *err);

/* Turn an answer of status >= 300 into an error: the server's message, and a
 * hint for 401, 403, 404, 409, 429, 503. */
int client_error(const struct client_answer *a, struct error *err);

#endif /* !REGISTRY_CLIENT_CLIENT_H */

#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct client;
struct error;

/*
 * The client side: one request at a time over a connection that is kept.
 * http:// beyond loopback is refused unless forced, https:// is verified
 * against the system's CAs or ${ca}, host name included.
 */

struct client_options {
	const char *url;		/* http[s]://HOST[:PORT][/BASE] */
	const char *ca;			/* PEM file, NULL: the system's */
	const char *certificate, *key;	/* PEM files, NULL: none */
	bool insecure_allowed;
	unsigned timeout_ms;		/* of one request */
	const atomic_bool *stop;	/* a request is given up once it is true; NULL: none is */
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
	char offset[24], position[24];	/* X-Secret-Offset, X-Secret-Position, "": none */
	char retry_after[16];		/* Retry-After */
	char codings[64];		/* Accept-Encoding: what a body may have */
	bool sent;			/* where none came: the registry may have got the request */
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

/* Who we are, as it is told to one registry.  Strings are borrowed. */
struct login {
	const char *user;		/* NULL: nobody logs in by password */
	const char *password_file;	/* NULL: asked for */
	const char *token_file;		/* NULL: none; comes before a password */
};

#define LOGIN_PASSWORD_MAX 4096	/* bytes */
#define LOGIN_TOKEN_MAX (8U << 10)
#define LOGIN_HEADER_MAX (2 * LOGIN_TOKEN_MAX)

/*
 * Each appends the value of an Authorization header to ${header}, which is
 * secret and has room for LOGIN_HEADER_MAX bytes.
 */
int login_by_token(const char *file, struct buf *header, struct error *err);
int login_by_password(const char *user, const struct buf *password, struct buf *header,
    struct error *err);
int login_by_password_file(const char *user, const char *file, struct buf *header,
    struct error *err);

/**
 * wipe_on_free(err):
 * From now on what OpenSSL, libevent and jansson free is wiped first, as
 * requests and answers with secrets pass through their memory.  Call it before
 * any of them has allocated (ERROR_REFUSED: too late for OpenSSL), with one
 * thread running.
 * OpenSSL is not torn down at exit any more either: a thread that hangs in the
 * kernel (see audit_close) may come back while the process ends.
 */
int wipe_on_free(struct error *err);

#endif /* !CLIENT_CLIENT_H */

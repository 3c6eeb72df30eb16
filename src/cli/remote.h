#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "client/client.h"

struct error;
struct options;
struct registry_resolver;
struct resolver;

/* Which registry, and who we are there.  Strings are borrowed. */
struct place {
	bool named;	/* by a flag, the environment or propseal.ini; else the default one */
	struct client_options client;
	struct login login;
};

/* As --url, --ca, --cert, --user, --token-file ... say, or the variables of these flags
 * ($PROPSEAL_REGISTRY_URL ...), or [registry] of propseal.ini.  The parts of a login stay
 * together: one is for the URL that its source names, not for a stronger one's, and a
 * password file (a key) is not for another user (certificate) than the one beside it. */
void place_read(const struct options *o, struct place *p);

/*
 * A command's talk with a registry: the connection that the flags and the
 * environment name, a target that is put together from names, one answer.
 */
struct remote {
	struct client *client;
	struct buf target;		/* what is asked for next */
	struct buf body;		/* secret */
	struct buf answer;		/* secret */
	struct client_answer got;
};

/**
 * remote_open(r, o, err):
 * Connect as place_read says.  A password without a file is asked for on the
 * terminal.  Close also after a failure.
 */
int remote_open(struct remote *r, const struct options *o, struct error *err);

/* The same with the registry at ${url} and what the --from-... flags say. */
int remote_open_source(struct remote *r, const struct options *o, const char *url,
    struct error *err);

/* The same with the options and the Authorization header (secret; empty: none)
 * as they are given. */
int remote_open_at(struct remote *r, const struct client_options *c,
    const struct buf *header, struct error *err);
void remote_close(struct remote *r);

/* Begin a target, of segments that are percent-encoded: a list ended by NULL. */
void remote_target(struct remote *r, ...);

/* Begin /secret/paths[/PATH[/keys/KEY[/versions/VERSION]]][/MORE]; NULL: without it. */
void remote_name(struct remote *r, const char *path, const char *key, const char *version,
    const char *more);

/* Put `?NAME=VALUE` or `&NAME=VALUE` behind it. */
void remote_query(struct remote *r, const char *name, const char *value);

/* Make the body of a new version: its value, the version that ${cas} wants to
 * be the latest (below 0: any), and how long it lives (0: for ever). */
void remote_body(struct remote *r, const void *value, size_t n, long cas, int ttl_seconds);

/**
 * remote_call(r, method, headers, err):
 * Ask, with what is in ${r->body} (if anything) as the body, which is emptied.
 * -1: no answer, or one of 300 and above (client_error).
 */
int remote_call(struct remote *r, const char *method, const char *const *headers,
    struct error *err);

/* remote_name and remote_call in one. */
int remote_ask(struct remote *r, const char *method, const char *path, const char *key,
    const char *version, const char *more, struct error *err);

/* -1 to stop, with the error filled. */
struct json_t;
typedef int remote_visit(void *cookie, const struct json_t *item, struct error *err);

/**
 * remote_each(r, member, what, hint, visit, cookie, err):
 * Visit each item of the list that the answer is, or that is its ${member}; the
 * visitor may ask for something else.  ERROR_FORMAT with ${what} and ${hint}:
 * there is no such list.
 */
int remote_each(const struct remote *r, const char *member, const char *what, const char *hint,
    remote_visit *visit, void *cookie, struct error *err);

/* How far the making of a new data key is. */
struct remote_rotation {
	bool running;
	size_t done, total;
	char failure[256];
};

int remote_rotation(const struct remote *r, struct remote_rotation *out, struct error *err);

/* Print the whole answer as it is, and a line end. */
int remote_print(struct remote *r, struct error *err);

/* Append the value of an answer that is one secret to ${out} (secret).
 * ERROR_FORMAT: it is none. */
int remote_secret(const struct remote *r, struct buf *out, struct error *err);

/* The end of a command: close, and report the error if ${rc} is not 0. */
int remote_status(struct remote *r, int rc, const struct error *err);

/* ERROR_FORMAT unless the bytes are UTF-8, which JSON needs. */
int remote_check_text(const struct buf *value, struct error *err);

/* The provider's name in references to a registry: ${secret:PATH:KEY}. */
#define REGISTRY_PROVIDER "secret"

/**
 * registry_resolver_open(o, out, err):
 * For commands that resolve references: when --url or $PROPSEAL_REGISTRY_URL
 * names a registry, ${*out} can ask it, else it is NULL.  Call it before the
 * first key is derived.  It connects when the first reference is met, and
 * asks once for each.
 */
int registry_resolver_open(const struct options *o, struct registry_resolver **out,
    struct error *err);
void registry_resolver_close(struct registry_resolver *r);

/* NULL for NULL. */
const struct resolver *registry_resolver(const struct registry_resolver *r);

#endif /* !CLI_REMOTE_H */

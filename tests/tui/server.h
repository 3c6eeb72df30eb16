#ifndef TESTS_TUI_SERVER_H
#define TESTS_TUI_SERVER_H

#include <stddef.h>
#include <sys/types.h>

struct fixture;
struct vt;

/*
 * A Secret Registry for the tests of its view: the program's own service on a
 * data folder of the fixture, with one user, a few secrets, and configurations
 * of connectors that refer to them:
 *
 *     conn-a  password (2 versions), user       connectors/conn-a.json
 *     conn-b  certificate (2 versions), same (2 versions)
 *     other   k                                 connectors/other.properties
 */
struct server {
	struct fixture *f;
	pid_t pid;
	int listener;	/* of a fake one, else -1 */
	char url[64];
};

#define SERVER_USER "alice"
#define SERVER_PASSWORD "wonderful-Pw1-canary"
#define SERVER_OLD_VALUE "first-canary-Aq17"
#define SERVER_NEW_VALUE "second-canary-Bz48"

/* Start one, with what it stores. */
void server_start(struct server *s, struct fixture *f);
void server_stop(struct server *s);

/* End it, and start it again at the same address. */
void server_kill(struct server *s);
void server_restart(struct server *s);

/* Something else that listens: it answers every request that contains
 * ${asked} with ${body} (NULL: never answers), any other with 404. */
struct reply {
	const char *asked;
	int status;
	const char *body;
};
void server_fake(struct server *s, struct fixture *f, const struct reply *replies, size_t n);

/* From now on it answers so. */
void server_fake_on(struct server *s, const struct reply *replies, size_t n);

/* The interface with that registry, the password from a file. */
struct vt *server_open(struct server *s, int rows, int cols);

/* The same, and the password is to be typed. */
struct vt *server_open_without_password(struct server *s);

/* What the registry has as a version now (free it), NULL: nothing. */
char *server_get(struct server *s, const char *path, const char *key, const char *version);

/* Store a value as somebody else would. */
void server_put(struct server *s, const char *path, const char *key, const char *value);

#endif /* !TESTS_TUI_SERVER_H */

#ifndef TESTS_TUI_FIXTURE_H
#define TESTS_TUI_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

struct vt;

/*
 * A small estate in a scratch folder, with fixed keys and secrets:
 *
 *     estate/broker.properties            two secrets in clear text, one sealed
 *     estate/connect/worker.properties    one of each state
 *     estate/secrets.properties           four sealed entries, one an orphan
 *     fresh/client.properties             no secrets file there
 *     key                                 the master key
 */
struct fixture {
	char dir[128];
	char state[136];	/* a folder beside it, for what the program keeps */
	char trail[192];	/* the trail in that, below ->dir */
	char program[4096];
	char *kept;		/* all files, as of fixture_keep */
	const char *term;	/* the type of its terminals; NULL: xterm-256color */
	bool keeps_marks;	/* of a run that was not left, for the next one */
};

/* Sealed values; while masked they must be nowhere. */
#define FIXTURE_BROKER_SECRET "broker-canary-7fQ2"
#define FIXTURE_WORKER_SECRET "worker-canary-x91L"
#define FIXTURE_ORPHAN_SECRET "orphan-canary-55aa"

/* Values in clear text in the configuration files. */
#define FIXTURE_KEYSTORE_SECRET "keystore-clear-Zp81"
#define FIXTURE_TRUSTSTORE_SECRET "truststore-clear-Qm44"
#define FIXTURE_DB_SECRET "worker-clear-Rk27"
#define FIXTURE_WIDE_SECRET "wide-clear-Ty90"
#define FIXTURE_CLIENT_SECRET "client-clear-Jd63"

#define FIXTURE_PASSPHRASE "correct horse"
#define FIXTURE_NEW_PASSPHRASE "kite orbit velvet"	/* not a weak one */
#define FIXTURE_MASTER_KEY "fB/Ly+/YbM9+BHtKBx33t4SuIqXQTscr99/8UjHUNA0="

/* Group set-up and tear-down for cmocka: a fixture a test. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* What differs between the starts of the program. */
struct fixture_start {
	int rows, cols;		/* 0: 24 by 80 */
	const char *command;	/* NULL: "ui" */
	const char *args[8];	/* NULL first: "estate", if that is the command */
	const char *folder;	/* below the scratch folder, where it runs with these args alone;
				 * NULL: there */
	const char *env[8];	/* more of the environment */
	const char *term;	/* NULL: xterm-256color */
	const char *lang;	/* NULL: C.UTF-8 */
	bool job;
};

struct vt *fixture_run(struct fixture *f, const struct fixture_start *s);

/* The usual one: 80x24, the folder estate. */
struct vt *fixture_open(struct fixture *f);

/* The same with the master key at hand. */
struct vt *fixture_open_unlocked(struct fixture *f);

/* The whole of a file as a string (free it); NULL: it is not there. */
char *fixture_read(struct fixture *f, const char *path);
void fixture_write(struct fixture *f, const char *path, const char *text);

bool fixture_is_in_file(struct fixture *f, const char *path, const char *text);
void fixture_assert_in_file(struct fixture *f, const char *path, const char *text);
void fixture_assert_not_in_file(struct fixture *f, const char *path, const char *text);

/* Remember all files as they are now; set-up did it with the first ones. */
void fixture_keep(struct fixture *f);

/* They are as they were remembered. */
void fixture_assert_unchanged(struct fixture *f);

/* The value of a key, opened by the program's own `file decrypt` with a
 * master key (free it); NULL: that failed. */
char *fixture_decrypt(struct fixture *f, const char *file, const char *secrets,
    const char *key, const char *master);

/* That value is ${value}, by the estate's secrets file and FIXTURE_MASTER_KEY. */
void fixture_assert_value(struct fixture *f, const char *file, const char *key,
    const char *value);

/* Ends the program with `q`; its exit status must be 0. */
void fixture_quit(struct vt *v);

/* The same, and frees the terminal. */
void fixture_leave(struct vt *v);

/* Leaves it as it is, by the way that a closed terminal goes; its exit status must be 129. */
void fixture_hang_up(struct vt *v);

#endif /* !TESTS_TUI_FIXTURE_H */

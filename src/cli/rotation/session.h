#ifndef CLI_ROTATION_SESSION_H
#define CLI_ROTATION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/vec.h"
#include "rotation/rotation.h"

struct environment;
struct error;
struct estate;
struct key;
struct options;

/* What the commands of `propseal rotation` share. */

/* Where keys come from: flags, --keys, the file of new keys, the terminal. */
struct finder {
	const struct options *o;
	struct vec rings;		/* of struct key_ring * */
	struct vec lines;		/* of --keys */
	struct buf passphrase;		/* --passphrase, empty: not given */
	struct buf passphrase_new;	/* --passphrase-new, or what was typed */
	struct buf made;		/* the file of new keys: lines, secret */
	bool made_there;		/* it exists */
	bool asked;			/* for the new passphrase */
	struct key *last;		/* a new key that fitted: it may be everybody's */
};

/* The callbacks' cookie. */
struct rotation_cookie {
	const struct options *o;
	struct finder *finder;
	double rate;			/* files a second, 0: any */
	bool signals;			/* a signal stops it */
	bool shows;			/* progress, on a terminal */
	FILE *diff;			/* of a plan, masked; NULL: it is not shown */
	bool diff_lost;			/* not all of it could be written there */
	struct estate *estate;		/* NULL: references are not looked at */
	struct vec paths;		/* its */
};

/* Read what the flags name.  ${new}: for what needs new keys. */
int finder_open(struct finder *f, const struct options *o, bool new, struct error *err);
void finder_close(struct finder *f);

/* rotation_callbacks' key; ${cookie} of it is a struct finder *. */
struct key *finder_key(struct finder *f, const struct rotation_want *w, struct error *err);

/* Put the new keys of a session where --new-master-key-file says, or show them
 * on the terminal, before they are in force. */
int finder_keep(struct finder *f, struct rotation *r, const struct rotation_callbacks *cb,
    void *cookie, struct error *err);

/* The folder of --session, or the newest; the caller frees. */
char *rotation_find_session(const struct options *o, struct error *err);

/* Say what there is to say of a session on standard output. */
int rotation_tell(const struct options *o, const struct rotation *r, struct error *err);

/* `rotation verify --host`: the exit status. */
int rotation_host(const struct options *o);

/* The references below the planned paths of a session, looked at while its files are verified:
 * find them (scan_lean; ${whole}, of char *, are its paths, and must outlive it), open each
 * environment as its key is found (rotation_unlock), then follow them (rotation_references; those
 * that are broken are told), and say what that gave.  ${services}: what refers to nothing, too. */
struct estate *rotation_scan(const struct options *o, const struct rotation *r, struct vec *whole,
    bool services, struct error *err);

int rotation_follow(struct estate *e, const struct rotation *r, struct rotation_references *out,
    struct error *err);
void rotation_say_references(const struct rotation_references *n, struct buf *out);

#endif /* !CLI_ROTATION_SESSION_H */

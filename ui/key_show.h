#ifndef UI_KEY_SHOW_H
#define UI_KEY_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/field.h"

struct about;
struct app;
struct buf;
struct error;
struct key;
struct rect;

/*
 * A new master key, shown once, and the proof that it was saved: with the key masked, its
 * last characters are typed, or all of it is pasted.  Where a terminal has no second screen
 * it is not drawn, and goes to a file.  Until key_show_run returns true, or `saved` is set,
 * nothing may be written that needs it.
 */
struct key_show {
	struct buf text;		/* base64, secret */
	struct secret_field last;	/* what is typed of it */
	bool lines;			/* it is shown as lines to write down */
	size_t next_line;		/* the one behind those */
	int rows, cols;			/* the room that it has, as of the last frame */
	bool asking;			/* masked, and the proof is asked for */
	bool saved;			/* it was given */
	char why[160];			/* what is to be said; until the next key */
};

/* ${k} is copied, into secret memory. */
void key_show_init(struct key_show *s, const struct key *k);
void key_show_release(struct app *a, struct key_show *s);

/* Show it for a while, with nothing asked yet. */
void key_show_begin(struct app *a, struct key_show *s);

void key_show_draw(struct app *a, struct key_show *s, const struct rect *r);

/* False: it is none of its keys.  Esc is one of them while the proof is asked for. */
bool key_show_key(struct app *a, struct key_show *s, uint32_t key);
void key_show_paste(struct app *a, struct key_show *s, const struct buf *text);

/* Its keys, for a footer ("": there are none) and for the help. */
const char *key_show_keys(const struct key_show *s);
void key_show_about(const struct key_show *s, struct about *out);

/* All of that on a screen of its own, with what it is called.  False: given up. */
bool key_show_run(struct app *a, const struct key *k, const char *title);

/**
 * secret_file_write(a, title, text, name, value):
 * Ask for a path, which begins as ${name} in the user's runtime folder (in memory only) or
 * here, and write ${value} to a new file of mode 0600 there.  Not into a git work tree, nor
 * over what is there: that is told, and asked again.  False: given up.
 */
bool secret_file_write(struct app *a, const char *title, const char *text, const char *name,
    const struct buf *value);

/* Its two halves: the path that it begins with, and writing there without asking. */
void secret_file_suggest(struct buf *path, const char *name);
int secret_file_create(struct app *a, const char *path, const struct buf *value,
    struct error *err);

#endif /* !UI_KEY_SHOW_H */

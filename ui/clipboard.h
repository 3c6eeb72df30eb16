#ifndef UI_CLIPBOARD_H
#define UI_CLIPBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/mac.h"

struct buf;
struct error;

/*
 * A secret in the clipboard for a while, by way of the terminal (OSC 52 of xterm's
 * control sequences).  When its time is over it is cleared, unless the terminal tells,
 * being asked, that something else is there now.  What is kept is a keyed digest.
 */
struct clipboard {
	enum { CLIPBOARD_NONE, CLIPBOARD_HELD, CLIPBOARD_ASKED } state;
	uint64_t until;			/* when to go on, on clock_ms's clock */
	struct mac *mac;
	unsigned char digest[MAC_BYTES];
	bool silent;			/* the terminal did not answer: do not ask again */
};

#define CLIPBOARD_MAX ((size_t)48 * 1024)	/* bytes; terminals take no longer sequence */

/* Put ${n} bytes there for ${ms} milliseconds.  ERROR_LIMIT; ERROR_REFUSED: the terminal
 * would show them (no second screen); ERROR_CRYPTO. */
int clipboard_copy(struct clipboard *c, const void *bytes, size_t n, int ms, struct error *err);

/* Put a text there that is no secret: it stays.  The same errors. */
int clipboard_copy_plain(struct clipboard *c, const void *bytes, size_t n, struct error *err);

/* When clipboard_tick is due; 0: never. */
uint64_t clipboard_until(const struct clipboard *c);

/* Ask the terminal, or clear.  True: it was cleared. */
bool clipboard_tick(struct clipboard *c, uint64_t now);

/* What the terminal says is there, in base64.  True: it was cleared. */
bool clipboard_answer(struct clipboard *c, const struct buf *text);

/* Clear it now, if there may be something of it. */
void clipboard_end(struct clipboard *c);

#endif /* !UI_CLIPBOARD_H */

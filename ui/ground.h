#ifndef UI_GROUND_H
#define UI_GROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "ui/theme.h"

struct buf;

/*
 * Is the terminal's ground dark or light?  For the theme "auto": COLORFGBG says it at first,
 * else dark; then the terminal is asked for the colour (OSC 11, as xterm has it).  Nothing
 * waits for the answer.  One that comes when the user has begun is not followed: the screen
 * would change under the hand.
 */
struct ground {
	bool asked;	/* and not answered yet */
	uint64_t until;	/* how long an answer may be on its way, for ground_end */
};

/* By what COLORFGBG says ("15;0": the ground is the last one), NULL or anything else: dark. */
enum theme ground_theme_of(const char *colorfgbg);

/* Ask the terminal, once. */
void ground_ask(struct ground *g);

/**
 * ground_answer(g, text, theme):
 * What the terminal tells ("rgb:ffff/ffff/dddd", with one to four digits).  False: it was not
 * asked, or this is no colour.
 */
bool ground_answer(struct ground *g, const struct buf *text, enum theme *theme);

/* The program ends: an answer that is on its way must not come to the next one. */
void ground_end(struct ground *g);

#endif /* !UI_GROUND_H */

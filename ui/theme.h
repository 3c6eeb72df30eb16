#ifndef UI_THEME_H
#define UI_THEME_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct error;

/* What a piece of the screen means; the theme says how that looks. */
enum style {
	STYLE_TEXT,
	STYLE_TITLE,
	STYLE_HEAD,	/* the heading of a pane */
	STYLE_FILE,
	STYLE_CLEAR,	/* a secret in clear text */
	STYLE_SEALED,
	STYLE_DANGLING,
	STYLE_OTHER,
	STYLE_DAMAGED,
	STYLE_MARK,
	STYLE_KEY,	/* a key of the keyboard */
	STYLE_NOTE,	/* side remarks */
	STYLE_NOTICE,	/* what just happened */
	STYLE_ERROR,
	STYLE_FRAME,
	STYLE_ADDED,
	STYLE_REMOVED,
	STYLE_FIELD,	/* where something is typed */
	STYLE_COUNT
};

/*
 * The looks of the styles: the terminal's own 16 colours, and of 256 where it has them, as
 * each of these keeps 4.5:1 on the ground that the theme is for.  No meaning is carried by
 * colour alone: each state has a letter too.
 */
enum theme {
	THEME_DEFAULT,
	THEME_DARK,
	THEME_LIGHT,
	THEME_HIGH_CONTRAST,
	THEME_DEUTERANOPIA,	/* red and green look alike; protanopia too */
	THEME_DEUTERANOPIA_LIGHT,
	THEME_TRITANOPIA,	/* blue and yellow do */
	THEME_TRITANOPIA_LIGHT,
	THEME_MONOCHROME,
	THEME_COUNT
};

/* "auto" is dark or light, as the terminal is. */
#define THEME_AUTO "auto"
#define THEME_NAMES THEME_AUTO "|default|dark|light|high-contrast|deuteranopia|" \
	"deuteranopia-light|tritanopia|tritanopia-light|monochrome"

const char *theme_name(enum theme t);

/* What it is for, in some words. */
const char *theme_note(enum theme t);

/* THEME_COUNT: there is none of this name. */
enum theme theme_find(const char *name);

#define LOOK_BOLD 1U
#define LOOK_DIM 2U
#define LOOK_UNDERLINE 4U
#define LOOK_REVERSE 8U

struct look {
	bool given;		/* of the user's: it counts instead of the theme's */
	signed char colour;	/* of 16; -1: the terminal's own foreground */
	short rich;		/* of 256; 0: as ${colour} */
	unsigned char attributes;
};

const struct look *theme_look(enum theme t, enum style s);

/* The ground of the cursor's row, of 256 colours; 0: it is reverse. */
int theme_selected(enum theme t);

/* A look in words: a colour, "default" or "bright-" and a colour, and bold, dim, underline,
 * reverse; with blanks between.  ERROR_FORMAT. */
int look_parse(const char *text, struct look *out, struct error *err);

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

#endif /* !UI_THEME_H */

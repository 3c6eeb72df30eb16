#include <stdbool.h>
#include <stdlib.h>

#include <curses.h>

#include "ui/style.h"
#include "ui/theme.h"

struct look {
	short colour;		/* -1: the terminal's own foreground */
	attr_t with_colour;
	attr_t without;
};

static const struct look looks[STYLE_COUNT] = {
	[STYLE_TEXT] = { -1, 0, 0 },
	[STYLE_TITLE] = { -1, A_REVERSE, A_REVERSE },
	[STYLE_HEAD] = { -1, A_BOLD, A_BOLD },
	[STYLE_FILE] = { COLOR_BLUE, A_BOLD, A_BOLD },
	[STYLE_CLEAR] = { COLOR_RED, A_BOLD, A_BOLD },
	[STYLE_SEALED] = { COLOR_GREEN, 0, 0 },
	[STYLE_DANGLING] = { COLOR_MAGENTA, A_BOLD, A_BOLD },
	[STYLE_OTHER] = { COLOR_CYAN, 0, 0 },
	[STYLE_DAMAGED] = { COLOR_RED, A_REVERSE, A_REVERSE },
	[STYLE_MARK] = { COLOR_YELLOW, A_BOLD, A_BOLD },
	[STYLE_KEY] = { COLOR_CYAN, A_BOLD, A_BOLD },
	[STYLE_NOTE] = { -1, 0, 0 },
	[STYLE_NOTICE] = { COLOR_GREEN, A_BOLD, A_BOLD },
	[STYLE_ERROR] = { COLOR_RED, A_BOLD, A_BOLD },
	[STYLE_FRAME] = { -1, 0, 0 },
	[STYLE_ADDED] = { COLOR_GREEN, 0, 0 },
	[STYLE_REMOVED] = { COLOR_RED, 0, 0 },
	[STYLE_FIELD] = { -1, A_UNDERLINE, A_UNDERLINE },
};

static bool colour;
static enum theme chosen;

/* Yellow and cyan can hardly be read on white. */
static short
on_light(short c)
{
	if (chosen != THEME_LIGHT)
		return c;
	return c == COLOR_YELLOW ? COLOR_MAGENTA : c == COLOR_CYAN ? COLOR_BLUE : c;
}

void
theme_choose(enum theme t)
{
	chosen = t;
}

void
theme_open(void)
{
	const char *no_colour = getenv("NO_COLOR");
	short i;

	colour = chosen != THEME_MONOCHROME && has_colors() &&
	    (no_colour == NULL || no_colour[0] == '\0') &&
	    start_color() == OK;
	if (!colour)
		return;
	use_default_colors();
	for (i = 0; i < 8; i++)
		init_pair((short)(i + 1), i, -1);
}

unsigned long
theme_attributes(unsigned int style)
{
	const struct look *l = &looks[style & STYLE_MASK];
	attr_t attrs = colour ? l->with_colour : l->without;

	if (colour && l->colour >= 0)
		attrs |= (attr_t)COLOR_PAIR(on_light(l->colour) + 1);
	if (style & STYLE_SELECTED)
		attrs |= A_REVERSE;
	if (style & STYLE_LINKED)
		attrs |= A_BOLD | A_UNDERLINE;
	return attrs;
}

#include "ui/theme.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "ui/term.h"

#define ASK "\033]11;?\033\\"
#define ANSWER_MS 100	/* how long a terminal that tells takes */

enum theme
ground_theme_of(const char *colorfgbg)
{
	const char *last = colorfgbg != NULL ? strrchr(colorfgbg, ';') : NULL;
	char *end;
	long n;

	if (last == NULL || last[1] < '0' || last[1] > '9')
		return THEME_DARK;
	n = strtol(last + 1, &end, 10);
	/* Of the 16 colours: white, and the bright ones but grey. */
	return *end == '\0' && (n == 7 || (n > 8 && n < 16)) ? THEME_LIGHT : THEME_DARK;
}

void
ground_ask(struct ground *g)
{
	if (g->until != 0 || !term_ask(ASK, sizeof(ASK) - 1))
		return;
	g->asked = true;
	g->until = clock_ms() + ANSWER_MS;
}

/* One part of a colour, 0 to 1000, with what stands behind it.  -1: it is none. */
static int
ground_part(const unsigned char **p, const unsigned char *end, char stop)
{
	int value = 0, most = 0, digits = 0;

	for (; *p < end && hex_digit(**p) >= 0 && digits < 4; (*p)++, digits++) {
		value = 16 * value + hex_digit(**p);
		most = 16 * most + 15;
	}
	if (digits == 0 || (stop != '\0' ? *p == end || **p != stop : *p != end))
		return -1;
	*p += stop != '\0';
	return value * 1000 / most;
}

bool
ground_answer(struct ground *g, const struct buf *text, enum theme *theme)
{
	static const char start[] = "rgb:";
	const unsigned char *p = text->data, *end = p + text->len;
	int red, green, blue;
	bool asked = g->asked;

	g->asked = false;
	if (!asked || text->failed || text->len < sizeof(start) - 1 ||
	    memcmp(p, start, sizeof(start) - 1) != 0)
		return false;
	p += sizeof(start) - 1;
	if ((red = ground_part(&p, end, '/')) == -1 || (green = ground_part(&p, end, '/')) == -1 ||
	    (blue = ground_part(&p, end, '\0')) == -1)
		return false;
	/* ITU-R BT.601: how light it looks. */
	*theme = 299 * red + 587 * green + 114 * blue > 500 * 1000 ? THEME_LIGHT : THEME_DARK;
	return true;
}

void
ground_end(struct ground *g)
{
	struct event e;
	uint64_t now;

	while (g->asked && (now = clock_ms()) < g->until) {
		term_wait(&e, (int)(g->until - now), false);
		if (e.kind == EVENT_GROUND || e.kind == EVENT_HANGUP || e.kind == EVENT_SIGNAL)
			g->asked = false;
	}
	g->asked = false;
}

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "ui/theme.h"

#define BLANKS " \t"

enum { BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE, OWN = -1 };

#define B LOOK_BOLD
#define D LOOK_DIM
#define U LOOK_UNDERLINE
#define R LOOK_REVERSE

#define LOOK(c, of_256, a) { .colour = c, .rich = of_256, .attributes = a }

/* What is alike in all themes but the first and that of high contrast. */
#define COMMON \
	[STYLE_TEXT] = LOOK(OWN, 0, 0), [STYLE_TITLE] = LOOK(OWN, 0, R), \
	[STYLE_HEAD] = LOOK(OWN, 0, B), [STYLE_FILE] = LOOK(OWN, 0, B), \
	[STYLE_FIELD] = LOOK(OWN, 0, U)

#define DIM(of_256) [STYLE_NOTE] = LOOK(OWN, of_256, D), [STYLE_FRAME] = LOOK(OWN, of_256, D)
#define NOT_DIM [STYLE_NOTE] = LOOK(OWN, 0, 0), [STYLE_FRAME] = LOOK(OWN, 0, 0)
#define ACCENT(c, a) [STYLE_KEY] = LOOK(c, 0, a), [STYLE_MARK] = LOOK(c, 0, a)
#define BAD(c, of_256) [STYLE_CLEAR] = LOOK(c, of_256, B), [STYLE_ERROR] = LOOK(c, of_256, B), \
	[STYLE_REMOVED] = LOOK(c, of_256, 0), [STYLE_DAMAGED] = LOOK(c, 0, R)
#define GOOD(c, of_256) [STYLE_SEALED] = LOOK(c, of_256, 0), \
	[STYLE_ADDED] = LOOK(c, of_256, 0), [STYLE_NOTICE] = LOOK(c, of_256, B)
#define WARN(c, of_256, a) [STYLE_DANGLING] = LOOK(c, of_256, a)
#define OTHER(c, of_256) [STYLE_OTHER] = LOOK(c, of_256, 0)

static const struct look looks[THEME_COUNT][STYLE_COUNT] = {
	[THEME_DEFAULT] = {
		[STYLE_TEXT] = LOOK(OWN, 0, 0), [STYLE_TITLE] = LOOK(OWN, 0, R),
		[STYLE_HEAD] = LOOK(OWN, 0, B), [STYLE_FILE] = LOOK(BLUE, 0, B),
		[STYLE_FIELD] = LOOK(OWN, 0, U), [STYLE_KEY] = LOOK(CYAN, 0, B),
		[STYLE_MARK] = LOOK(YELLOW, 0, B), NOT_DIM, BAD(RED, 0), WARN(MAGENTA, 0, B),
		GOOD(GREEN, 0), OTHER(CYAN, 0),
	},
	[THEME_DARK] = { COMMON, DIM(247), ACCENT(CYAN, B), BAD(RED, 203), WARN(YELLOW, 179, 0),
		GOOD(GREEN, 0), OTHER(BLUE, 110) },
	[THEME_LIGHT] = { COMMON, DIM(241), ACCENT(BLUE, B), BAD(RED, 160), WARN(MAGENTA, 94, 0),
		GOOD(GREEN, 22), OTHER(CYAN, 24) },
	[THEME_HIGH_CONTRAST] = {
		[STYLE_TEXT] = LOOK(OWN, 0, B), [STYLE_TITLE] = LOOK(OWN, 0, R | B),
		[STYLE_HEAD] = LOOK(OWN, 0, B | U), [STYLE_FILE] = LOOK(OWN, 0, B | U),
		[STYLE_CLEAR] = LOOK(OWN, 0, B | R), [STYLE_SEALED] = LOOK(OWN, 0, 0),
		[STYLE_DANGLING] = LOOK(OWN, 0, B | U), [STYLE_OTHER] = LOOK(OWN, 0, 0),
		[STYLE_DAMAGED] = LOOK(OWN, 0, B | R), [STYLE_MARK] = LOOK(OWN, 0, R),
		[STYLE_KEY] = LOOK(OWN, 0, B | U), [STYLE_NOTE] = LOOK(OWN, 0, 0),
		[STYLE_NOTICE] = LOOK(OWN, 0, B), [STYLE_ERROR] = LOOK(OWN, 0, B | R),
		[STYLE_FRAME] = LOOK(OWN, 0, 0), [STYLE_ADDED] = LOOK(OWN, 0, B),
		[STYLE_REMOVED] = LOOK(OWN, 0, B), [STYLE_FIELD] = LOOK(OWN, 0, B | U),
	},
	[THEME_DEUTERANOPIA] = { COMMON, DIM(247), ACCENT(OWN, B | U), BAD(YELLOW, 214),
		WARN(CYAN, 176, 0), GOOD(OWN, 75), OTHER(OWN, 0) },
	[THEME_DEUTERANOPIA_LIGHT] = { COMMON, DIM(241), ACCENT(OWN, B | U), BAD(MAGENTA, 94),
		WARN(OWN, 90, B), GOOD(OWN, 25), OTHER(OWN, 0) },
	[THEME_TRITANOPIA] = { COMMON, DIM(247), ACCENT(MAGENTA, B), BAD(RED, 203),
		WARN(OWN, 0, B), GOOD(CYAN, 80), OTHER(OWN, 0) },
	[THEME_TRITANOPIA_LIGHT] = { COMMON, DIM(241), ACCENT(MAGENTA, B), BAD(RED, 160),
		WARN(OWN, 0, B), GOOD(CYAN, 23), OTHER(OWN, 0) },
	[THEME_MONOCHROME] = { COMMON, NOT_DIM, ACCENT(OWN, B), BAD(OWN, 0), WARN(OWN, 0, B),
		GOOD(OWN, 0), OTHER(OWN, 0) },
};

static const struct {
	const char *name;
	short selected;
	const char *note;
} themes[THEME_COUNT] = {
	[THEME_DEFAULT] = { "default", 0, "the terminal's 16 colours" },
	[THEME_DARK] = { "dark", 235, "256 colours on black" },
	[THEME_LIGHT] = { "light", 255, "256 colours on white" },
	[THEME_HIGH_CONTRAST] = { "high-contrast", 0, "no colour, and nothing dim" },
	[THEME_DEUTERANOPIA] = { "deuteranopia", 235, "red and green look alike, on black" },
	[THEME_DEUTERANOPIA_LIGHT] = { "deuteranopia-light", 255, "the same on white" },
	[THEME_TRITANOPIA] = { "tritanopia", 235, "blue and yellow look alike, on black" },
	[THEME_TRITANOPIA_LIGHT] = { "tritanopia-light", 255, "the same on white" },
	[THEME_MONOCHROME] = { "monochrome", 0, "bold and reverse alone" },
};

const char *
theme_name(enum theme t)
{
	return themes[t].name;
}

const char *
theme_note(enum theme t)
{
	return themes[t].note;
}

enum theme
theme_find(const char *name)
{
	int t = 0;

	while (t < THEME_COUNT && strcmp(themes[t].name, name) != 0)
		t++;
	return (enum theme)t;
}

const struct look *
theme_look(enum theme t, enum style s)
{
	return &looks[t][s];
}

int
theme_selected(enum theme t)
{
	return themes[t].selected;
}

/* One word of a look.  False: there is no such one. */
static bool
look_word(const char *word, size_t n, struct look *out)
{
	static const char *const colours[] = { "black", "red", "green", "yellow", "blue",
		"magenta", "cyan", "white" };
	static const char *const attributes[] = { "bold", "dim", "underline", "reverse" };
	static const char bright[] = "bright-", own[] = "default";
	size_t skip = sizeof(bright) - 1;
	signed char i;

	if (n == sizeof(own) - 1 && memcmp(word, own, n) == 0) {
		out->colour = OWN;
		return true;
	}
	for (i = 0; i < (signed char)(sizeof(attributes) / sizeof(attributes[0])); i++)
		if (strlen(attributes[i]) == n && memcmp(word, attributes[i], n) == 0) {
			out->attributes |= (unsigned char)(1U << i);
			return true;
		}
	if (n <= skip || memcmp(word, bright, skip) != 0)
		skip = 0;
	word += skip;
	n -= skip;
	for (i = BLACK; i <= WHITE; i++)
		if (strlen(colours[i]) == n && memcmp(word, colours[i], n) == 0) {
			out->colour = (signed char)(skip > 0 ? i + 8 : i);
			return true;
		}
	return false;
}

int
look_parse(const char *text, struct look *out, struct error *err)
{
	const char *word = text + strspn(text, BLANKS);
	size_t n;

	*out = (struct look){ .given = true, .colour = OWN };
	for (; *word != '\0'; word += n + strspn(word + n, BLANKS)) {
		n = strcspn(word, BLANKS);
		if (look_word(word, n, out))
			continue;
		error_set(err, ERROR_FORMAT, "there is no look %.*s", (int)(n < 40 ? n : 40), word);
		return error_hint(err, "a colour (black, red, green, yellow, blue, magenta, cyan, "
		    "white, with bright- before it, or default) and bold, dim, underline, reverse");
	}
	return 0;
}

/* That what the themes say can be read, and how users say it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "ui/theme.h"

#define LEAST 4.5	/* WCAG 2.1, 1.4.3 */

/* xterm's 256 colours: a cube of 6 from 16 on, 24 greys from 232 on. */
static void
rgb(int colour, double out[3])
{
	static const int levels[] = { 0, 95, 135, 175, 215, 255 };
	int i;

	assert_true(colour >= 16 && colour < 256);
	for (i = 2; i >= 0; i--)
		out[i] = 8 + 10 * (colour - 232);
	if (colour >= 232)
		return;
	out[0] = levels[(colour - 16) / 36];
	out[1] = levels[(colour - 16) / 6 % 6];
	out[2] = levels[(colour - 16) % 6];
}

static double
luminance(const double c[3])
{
	static const double weights[] = { 0.2126, 0.7152, 0.0722 };
	double sum = 0;
	int i;

	for (i = 0; i < 3; i++) {
		double v = c[i] / 255;

		sum += weights[i] * (v <= 0.03928 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
	}
	return sum;
}

static double
contrast(const double a[3], const double b[3])
{
	double one = luminance(a), two = luminance(b);

	return (fmax(one, two) + 0.05) / (fmin(one, two) + 0.05);
}

static void
every_colour_of_256_can_be_read(void **state)
{
	static const double black[] = { 0, 0, 0 }, white[] = { 255, 255, 255 };
	double colour[3], selected[3];
	const struct look *l;
	const double *ground;
	int t, s, seen = 0;

	(void)state;
	for (t = 0; t < THEME_COUNT; t++) {
		for (s = 0; s < STYLE_COUNT; s++) {
			l = theme_look((enum theme)t, (enum style)s);
			if (l->rich == 0)
				continue;
			assert_true(theme_selected((enum theme)t) != 0);
			rgb(l->rich, colour);
			rgb(theme_selected((enum theme)t), selected);
			ground = luminance(selected) > 0.5 ? white : black;
			if (contrast(colour, ground) < LEAST || contrast(colour, selected) < LEAST)
				fail_msg("theme %s, style %d: %.2f and %.2f", theme_name((enum theme)t),
				    s, contrast(colour, ground), contrast(colour, selected));
			seen++;
		}
	}
	assert_true(seen > 40);
}

/* Without colours the letters of the states are still told apart from what surrounds them. */
static void
what_is_bad_never_looks_like_text(void **state)
{
	static const enum style bad[] = { STYLE_CLEAR, STYLE_DAMAGED, STYLE_ERROR, STYLE_KEY,
		STYLE_MARK };
	const struct look *l, *text;
	size_t i;
	int t;

	(void)state;
	for (t = 0; t < THEME_COUNT; t++) {
		text = theme_look((enum theme)t, STYLE_TEXT);
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			l = theme_look((enum theme)t, bad[i]);
			assert_true(l->attributes != text->attributes);
		}
	}
}

static void
monochrome_and_high_contrast_have_no_colour(void **state)
{
	int s;

	(void)state;
	for (s = 0; s < STYLE_COUNT; s++) {
		assert_int_equal(theme_look(THEME_MONOCHROME, (enum style)s)->colour, -1);
		assert_int_equal(theme_look(THEME_MONOCHROME, (enum style)s)->rich, 0);
		assert_int_equal(theme_look(THEME_HIGH_CONTRAST, (enum style)s)->colour, -1);
	}
}

static void
names_are_those_of_the_list(void **state)
{
	const char *names = &THEME_NAMES[sizeof(THEME_AUTO "|") - 1];
	size_t n;
	int t;

	(void)state;
	assert_memory_equal(THEME_NAMES, THEME_AUTO "|", sizeof(THEME_AUTO "|") - 1);
	for (t = 0; t < THEME_COUNT; t++) {
		assert_int_equal(theme_find(theme_name((enum theme)t)), t);
		n = strcspn(names, "|");
		assert_int_equal(strlen(theme_name((enum theme)t)), n);
		assert_memory_equal(names, theme_name((enum theme)t), n);
		names += n + (names[n] == '|');
	}
	assert_string_equal(names, "");
	assert_int_equal(theme_find("none"), THEME_COUNT);
	assert_int_equal(theme_find(""), THEME_COUNT);
}

static void
looks_of_users_are_read(void **state)
{
	struct error err;
	struct look l;

	(void)state;
	assert_int_equal(look_parse("bright-red bold", &l, &err), 0);
	assert_true(l.given && l.colour == 9 && l.attributes == LOOK_BOLD);
	assert_int_equal(look_parse("  underline\treverse  cyan ", &l, &err), 0);
	assert_true(l.colour == 6 && l.attributes == (LOOK_UNDERLINE | LOOK_REVERSE));
	assert_int_equal(look_parse("default dim", &l, &err), 0);
	assert_true(l.colour == -1 && l.attributes == LOOK_DIM);
	assert_int_equal(look_parse("bright-", &l, &err), -1);
	assert_int_equal(look_parse("red pinkish", &l, &err), -1);
	assert_int_equal(err.code, ERROR_FORMAT);
	assert_non_null(strstr(err.text, "pinkish"));
	assert_non_null(strstr(err.hint, "magenta"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_colour_of_256_can_be_read),
		cmocka_unit_test(what_is_bad_never_looks_like_text),
		cmocka_unit_test(monochrome_and_high_contrast_have_no_colour),
		cmocka_unit_test(names_are_those_of_the_list),
		cmocka_unit_test(looks_of_users_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

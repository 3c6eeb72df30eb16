#ifndef TESTS_TUI_STEPS_H
#define TESTS_TUI_STEPS_H

/* What every test of the interface needs, and the steps that they share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "keys.h"
#include "vt.h"

/* Stands between an environment, a file and a key. */
#define INTO " \342\200\272 "

/* A case on a fixture of its own. */
#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* The same on the other types of terminals, where only the text of its screens counts. */
#define FIXTURE_TERM(name, type) \
	{ #name " on " type, name, fixture_setup, fixture_teardown, (void *)type }
#define FIXTURE_TERMS(name) \
	FIXTURE_TERM(name, "screen"), FIXTURE_TERM(name, "tmux"), FIXTURE_TERM(name, "linux"), \
	FIXTURE_TERM(name, "vt100")

/* An answer may come, and be drawn, at any time: so wait for what is expected. */
static inline void
see(struct vt *v, const char *text)
{
	vt_wait_text(v, text, true);
}

/* Type into a field or after a key, and Enter. */
static inline void
type_line(struct vt *v, const char *text)
{
	vt_type(v, text);
	vt_key(v, KEY_ENTER);
}

/* One of the keys that lead somewhere, as a table has them: '<' TEXT is typed, with Enter at its
 * end, '=' TEXT is waited for; else it is a key, or several characters. */
static inline void
follow(struct vt *v, const char *key)
{
	if (key[0] == '<')
		type_line(v, key + 1);
	else if (key[0] == '=')
		see(v, key + 1);
	else if (key[0] == '\033' || key[1] == '\0')
		vt_key(v, key);
	else
		vt_type(v, key);
}

/* Type a value that is to be sealed: twice, as it is not seen. */
static inline void
type_value(struct vt *v, const char *text)
{
	type_line(v, text);
	vt_assert_has(v, "Once more:");
	type_line(v, text);
}

/* Go on from a question whose focus is on Cancel, once it is asked: what is typed while it
 * is being prepared is dropped. */
static inline void
confirm(struct vt *v)
{
	see(v, "Cancel");
	vt_key(v, KEY_TAB);
	vt_key(v, KEY_ENTER);
}

/* From a review to the change that it shows. */
static inline void
apply(struct vt *v)
{
	vt_key(v, "w");
	confirm(v);
}

#endif /* !TESTS_TUI_STEPS_H */

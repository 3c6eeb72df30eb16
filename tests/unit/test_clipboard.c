/* What the terminal says is in the clipboard, and when it is cleared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "ui/clipboard.h"
#include "ui/term.h"

#define VALUE "hunter2"
#define VALUE_BASE64 "aHVudGVyMg=="
#define OTHER_BASE64 "b3RoZXI="

#define CLEARED "\033]52;c;IA==\a\033]52;c;\a"

/* A terminal that takes all, and a clock that stands. */
static char sent[256];

void
term_tell(const void *bytes, size_t n)
{
	assert_true(strlen(sent) + n < sizeof(sent));
	strncat(sent, bytes, n);
}

bool
term_has_private_screen(void)
{
	return true;
}

uint64_t
clock_ms(void)
{
	return 100;
}

static void
hold(struct clipboard *c)
{
	struct error err;

	sent[0] = '\0';
	assert_int_equal(clipboard_copy(c, VALUE, strlen(VALUE), 900, &err), 0);
	assert_string_equal(sent, "\033]52;c;" VALUE_BASE64 "\a");
	sent[0] = '\0';
}

static bool
answer(struct clipboard *c, const char *text)
{
	struct buf b;
	bool cleared;

	buf_init_secret(&b, 1024);
	buf_append_str(&b, text);
	cleared = clipboard_answer(c, &b);
	buf_release(&b);
	return cleared;
}

static void
terminal_is_asked_and_what_is_still_ours_is_cleared(void **state)
{
	struct clipboard c = { .state = CLIPBOARD_NONE };

	(void)state;
	hold(&c);
	assert_int_equal(clipboard_until(&c), 1000);
	assert_false(clipboard_tick(&c, 999));
	/* Not before it was asked. */
	assert_false(answer(&c, VALUE_BASE64));
	assert_false(clipboard_tick(&c, 1000));
	assert_int_equal(c.state, CLIPBOARD_ASKED);
	assert_true(clipboard_until(&c) > 1000);
	assert_string_equal(sent, "\033]52;c;?\a");
	sent[0] = '\0';
	assert_true(answer(&c, VALUE_BASE64));
	assert_string_equal(sent, CLEARED);
	assert_int_equal(clipboard_until(&c), 0);
	assert_null(c.mac);
	assert_false(c.silent);
}

static void
what_others_put_there_stays(void **state)
{
	struct clipboard c = { .state = CLIPBOARD_NONE };

	(void)state;
	hold(&c);
	assert_false(clipboard_tick(&c, 1000));
	sent[0] = '\0';
	assert_false(answer(&c, OTHER_BASE64));
	assert_int_equal(clipboard_until(&c), 0);
	assert_null(c.mac);
	/* Nothing is there to be cleared any more. */
	assert_false(clipboard_tick(&c, 5000));
	clipboard_end(&c);
	assert_string_equal(sent, "");
}

static void
answer_that_cannot_be_read_counts_as_ours(void **state)
{
	struct clipboard c = { .state = CLIPBOARD_NONE };

	(void)state;
	hold(&c);
	assert_false(clipboard_tick(&c, 1000));
	assert_true(answer(&c, "!?"));
}

static void
terminal_that_does_not_answer_is_asked_once(void **state)
{
	struct clipboard c = { .state = CLIPBOARD_NONE };

	(void)state;
	hold(&c);
	assert_false(clipboard_tick(&c, 1000));
	assert_false(clipboard_tick(&c, 1050));
	assert_true(clipboard_tick(&c, 1100));
	hold(&c);
	assert_true(clipboard_tick(&c, 1000));
	assert_string_equal(sent, CLEARED);
}

static void
value_that_no_terminal_takes_is_refused(void **state)
{
	static unsigned char value[CLIPBOARD_MAX + 1];
	struct clipboard c = { .state = CLIPBOARD_NONE };
	struct error err;

	(void)state;
	sent[0] = '\0';
	assert_int_equal(clipboard_copy(&c, value, sizeof(value), 900, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_string_equal(sent, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminal_is_asked_and_what_is_still_ours_is_cleared),
		cmocka_unit_test(what_others_put_there_stays),
		cmocka_unit_test(answer_that_cannot_be_read_counts_as_ours),
		cmocka_unit_test(terminal_that_does_not_answer_is_asked_once),
		cmocka_unit_test(value_that_no_terminal_takes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

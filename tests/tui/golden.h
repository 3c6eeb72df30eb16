#ifndef TESTS_TUI_GOLDEN_H
#define TESTS_TUI_GOLDEN_H

#include <stdbool.h>

struct vt;

/**
 * golden_assert(v, name):
 * Compare text, attributes and cursor of the whole screen with the file
 * tests/tui/golden/NAME.txt; with UPDATE_GOLDEN in the environment write it
 * instead.  Random ciphertext (`data:` and 8 characters) is masked.
 */
void golden_assert(struct vt *v, const char *name);

/* The same, with dates, times, new keys and their ids masked, too. */
void golden_assert_masked(struct vt *v, const char *name);

/* So a screen of 80x24, and what it is at 120x40 and 20x5, as NAME-80x24 and so on; each
 * becomes so in time. */
void golden_assert_sizes(struct vt *v, const char *name);

/* The same, where what is asked beside the screen may still come: it becomes so in time. */
void golden_await(struct vt *v, const char *name);

/* Only the text of a screen that golden_assert_masked compares, as on another terminal. */
void golden_assert_text(struct vt *v, const char *name);

/* From now on that is so of all screens. */
void golden_only_text(bool on);

/* The same, in time: as when a program goes on that was stopped. */
void golden_await_text(struct vt *v, const char *name);

#endif /* !TESTS_TUI_GOLDEN_H */

#ifndef TESTS_TUI_VT_H
#define TESTS_TUI_VT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <vterm.h>

/*
 * A program under test on a pseudo-terminal, with libvterm as its screen.
 * Everything fails the running cmocka test instead of returning an error.
 *
 * The program tells by a sequence (PROPSEAL_TUI_SYNC) how many events it has
 * handled and drawn, so no test ever sleeps.
 */
struct vt;

struct vt_options {
	int rows, cols;
	const char *dir;	/* where the program runs; NULL: here */
	char *const *argv;
	char *const *env;	/* all of its environment */
	bool job;		/* under a small shell, so that ^Z can stop it */
};

struct vt *vt_spawn(const struct vt_options *o);
void vt_free(struct vt *v);

/* Those that a test which failed has left: its program ends, and nothing is leaked that would
 * hide why it failed. */
void vt_free_all(void);

/* Type one key (any number of bytes) and wait until its frame is drawn. */
void vt_key(struct vt *v, const char *bytes);

/* Type each byte of a string as a key of its own. */
void vt_type(struct vt *v, const char *s);

/* Send bytes and wait for nothing. */
void vt_send(struct vt *v, const char *bytes);

/* Type one key while the terminal takes nothing: the program stands in writing its frame, after
 * all that it does before, until it is let go.  Only who may read its memory can wait for that. */
void vt_key_held(struct vt *v, const char *bytes);
void vt_let_go(struct vt *v);

/* Change the size as a window manager does, and wait for the new frame. */
void vt_resize(struct vt *v, int rows, int cols);

/* Wait until all that was typed is drawn and the program waits. */
void vt_settle(struct vt *v);

/* Wait until the text is (or is not) on the screen. */
void vt_wait_text(struct vt *v, const char *text, bool want);

/* Give it time for what it must not do; a test that is sound never fails by it. */
void vt_linger(struct vt *v, int ms);

/* Wait for the end of the program; its wait status. */
int vt_wait_exit(struct vt *v);

/* With options.job: wait until it stops, and continue it. */
void vt_wait_stopped(struct vt *v);
void vt_continue(struct vt *v);

/* Close the terminal's side of the line, as a dying terminal does. */
void vt_hang_up(struct vt *v);

pid_t vt_pid(const struct vt *v);
int vt_rows(const struct vt *v);
int vt_cols(const struct vt *v);

/* A row as UTF-8, without blanks at its end. */
void vt_row(struct vt *v, int row, char *buf, size_t size);
VTermScreenCell vt_cell(struct vt *v, int row, int col);

/* Is the text on the screen, within one row?  vt_find tells where. */
bool vt_has(struct vt *v, const char *text);
bool vt_find(struct vt *v, const char *text, int *row, int *col);

void vt_assert_has(struct vt *v, const char *text);
void vt_assert_lacks(struct vt *v, const char *text);

void vt_cursor(const struct vt *v, int *row, int *col);
bool vt_cursor_visible(const struct vt *v);
bool vt_altscreen(const struct vt *v);

/* Are the terminal's modes as a shell has them? */
bool vt_cooked(const struct vt *v);

/* Was the text among the bytes that were sent since the start, or since
 * vt_forget_raw? */
bool vt_sent(const struct vt *v, const char *text);
void vt_forget_raw(struct vt *v);
size_t vt_sent_size(const struct vt *v);

/* What scrolled off the main screen. */
const char *vt_scrollback(const struct vt *v);

/* Print the screen on standard error and fail. */
void vt_fail(struct vt *v, const char *why, const char *what);

#endif /* !TESTS_TUI_VT_H */

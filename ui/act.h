#ifndef UI_ACT_H
#define UI_ACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct buf;
struct environment;
struct error;
struct registry_answer;
struct registry_request;
struct selection;

/* Before the first scan is done nothing is said to be missing. */
#define STILL_LOOKING "the files are still being looked for"

/*
 * What the keys do; which key does what, and in which view, is said in
 * keymap.c alone.  Each function runs to its end, dialogs included.  A
 * function act_needs_... tells why an action cannot be done now, or NULL.
 */

/* act_move.c: in the lists of any view */
void act_down(struct app *a);
void act_up(struct app *a);
void act_page_down(struct app *a);
void act_page_up(struct app *a);
void act_first(struct app *a);
void act_last(struct app *a);
void act_head(struct app *a);
void act_go(struct app *a);	/* after `g`: what the next key goes to */
void act_other_pane(struct app *a);
void act_other_view(struct app *a);
void act_view_files(struct app *a);
void act_view_findings(struct app *a);
void act_view_pending(struct app *a);
void act_view_registry(struct app *a);
void act_unfold(struct app *a);
void act_fold(struct app *a);
void act_turn_fold(struct app *a);	/* fold what is unfolded, and the other way round */
void act_unfold_all(struct app *a);
void act_fold_all(struct app *a);
void act_search(struct app *a);
void act_next(struct app *a);
void act_previous(struct app *a);
void act_next_problem(struct app *a);
void act_previous_problem(struct app *a);
const char *act_needs_search(const struct app *a);

/* act_mark.c: what the left list shows */
void act_words(struct app *a);
void act_sort(struct app *a);
void act_flat(struct app *a);

/* Take the filter words away.  False: there are none. */
bool act_forget_words(struct app *a);

/* act_program.c */
void act_help(struct app *a);
void act_palette(struct app *a);

/* A key over an open question: F1, or those of help and palette where they are no text and none
 * of its own.  False: it is none of these. */
bool act_beside(struct app *a, uint32_t key);
void act_redraw(struct app *a);
void act_theme(struct app *a);
void act_mouse(struct app *a);
void act_notices(struct app *a);
void act_tutor(struct app *a);
const char *act_needs_tutor(const struct app *a);
void act_quit(struct app *a);

/* Ask whether to leave, if marks or a dialog would be lost.  True: leave. */
bool act_leave(struct app *a);

/* view_files.c */
void act_open(struct app *a);
void act_secrets_file(struct app *a);
void act_user(struct app *a);
const char *act_needs_secrets_file(const struct app *a);
void act_open_secrets(struct app *a);
void act_filter(struct app *a);
void act_cancel(struct app *a);
void act_rescan(struct app *a);

/* act_seal.c: the whole file */
void act_whole(struct app *a);
const char *act_needs_readable(const struct app *a);

/* act_mark.c */
void act_mark(struct app *a);
void act_range(struct app *a);
void act_mark_file(struct app *a);
void act_mark_all(struct app *a);
void act_unmark(struct app *a);
const char *act_needs_markable(const struct app *a);
const char *act_needs_left(const struct app *a);
const char *act_needs_file_clear(const struct app *a);
const char *act_needs_clear(const struct app *a);
const char *act_needs_marks(const struct app *a);
const char *act_needs_pending(const struct app *a);

/* view_pending.c */
void act_pending_turn(struct app *a);
void act_pending_clear(struct app *a);
void act_pending_back(struct app *a);
void act_pending_open(struct app *a);
void act_pending_destination(struct app *a);
const char *act_pending_needs_row(const struct app *a);

/* act_seal.c */
void act_diff(struct app *a);
void act_apply(struct app *a);

/* act_value.c: single values */
void act_update(struct app *a);
void act_add(struct app *a);
void act_remove(struct app *a);
void act_reveal(struct app *a);
void act_copy(struct app *a);
const char *act_needs_shown(const struct app *a);

/* The value of ${s}, whose environment is unlocked.  False: the user was told why not. */
bool act_value_read(struct app *a, const struct selection *s, struct buf *out);
void act_copy_value(struct app *a, const struct buf *value);

/* Where a value can be shown so that nothing of it stays. */
enum show_where {
	SHOW_NOWHERE,	/* the user gave up */
	SHOW_SCREEN,
	SHOW_FILE	/* this terminal cannot, so that it goes to a file */
};

/* Before anything is asked for: where?  A terminal that cannot is told about. */
enum show_where act_show_where(struct app *a);

/* The value that stands in clear text in a configuration file, appended to ${out} (secret).
 * ERROR_MISSING: the entry is gone; and those of configuration_load. */
int value_read_clear(const struct app *a, const char *path, const char *key, size_t len,
    struct buf *out, struct error *err);

/* Show a value for a while, or write it. */
void act_show(struct app *a, const struct buf *value, enum show_where where);

/* act_key.c: keys of the secrets file */
void act_unlock(struct app *a);
void act_lock(struct app *a);
void act_generate(struct app *a);
void act_recover(struct app *a);

/* Make a secrets file, as something that is to be sealed waits for it.  False: given up. */
bool act_make_secrets_file(struct app *a);

const char *act_needs_locked(const struct app *a);
const char *act_needs_unlocked(const struct app *a);
const char *act_needs_data_key(const struct app *a);
const char *act_needs_no_data_key(const struct app *a);

/**
 * unlock_run(a, x):
 * See that there is the master key of ${x}: from the option, the environment
 * or the credential, else by asking for the key or the passphrase, which is
 * tried on all others too.  0: there is.  -1: there is not, and the user knows
 * why.
 */
int unlock_run(struct app *a, struct environment *x);

/* Try what was typed on the lock screen (secret) on all that is locked.  Errors: ERROR_KEY: it
 * opens none of that. */
int unlock_typed(struct app *a, struct buf *typed, struct error *err);

/* lock.c: why the screen is locked, until a key is typed there or the user goes on without. */
void lock_screen_run(struct app *a);

/* act_findings.c */
void act_findings_open(struct app *a);
void act_findings_group(struct app *a);
void act_findings_sort(struct app *a);
void act_findings_filter(struct app *a);
void act_findings_cancel(struct app *a);
void act_findings_mark(struct app *a);
void act_findings_mark_all(struct app *a);
void act_findings_ignore(struct app *a);
void act_findings_export(struct app *a);
void act_findings_copy(struct app *a);
const char *act_findings_needs_command(const struct app *a);
const char *act_findings_needs_any(const struct app *a);
const char *act_findings_needs_one(const struct app *a);
const char *act_findings_needs_fixable(const struct app *a);
const char *act_findings_needs_audit(const struct app *a);

/* act_rotation.c */
void act_view_rotation(struct app *a);
void act_rotate_data(struct app *a);
void act_rotate_master(struct app *a);
void act_rotation_next(struct app *a);
void act_rotation_back(struct app *a);
void act_rotation_tick(struct app *a);
void act_rotation_all(struct app *a);
void act_rotation_diff(struct app *a);
void act_rotation_apply(struct app *a);
void act_rotation_take_back(struct app *a);
void act_rotation_accept(struct app *a);
const char *act_rotation_needs_applied(const struct app *a);
void act_rotation_read(struct app *a);
const char *act_rotation_needs_session(const struct app *a);
const char *act_rotation_needs_plan(const struct app *a);
const char *act_rotation_needs_tick(const struct app *a);
const char *act_rotation_needs_diff(const struct app *a);

/* view_history.c */
void act_view_history(struct app *a);
void act_history_open(struct app *a);
const char *act_history_needs_row(const struct app *a);
void act_history_back(struct app *a);
void act_history_read(struct app *a);
void act_history_check(struct app *a);
const char *act_history_needs_trail(const struct app *a);

/* act_history.c */
void act_history_undo(struct app *a);
const char *act_history_needs_change(const struct app *a);

/* view_registry.c */
void act_registry_open(struct app *a);
void act_registry_cancel(struct app *a);
void act_registry_refresh(struct app *a);

/* act_registry.c */
void act_registry_log_in(struct app *a);
void act_registry_rotate(struct app *a);
void act_registry_audit(struct app *a);
const char *act_registry_needs_one(const struct app *a);
const char *act_registry_needs_login(const struct app *a);
const char *act_registry_needs_key(const struct app *a);
const char *act_registry_needs_name(const struct app *a);
const char *act_registry_needs_live(const struct app *a);
const char *act_registry_needs_version(const struct app *a);
const char *act_registry_needs_two(const struct app *a);
const char *act_registry_needs_deleted(const struct app *a);

/* Ask for the password if one is needed.  False: there is none. */
bool act_registry_ready(struct app *a);

/**
 * registry_ask_for(a, req, title):
 * Ask, and wait for the answer while the interface goes on: it can be resized,
 * locked and left, and Esc ends the waiting.  A failure is told in a dialog
 * with this title.  NULL: it failed, or no answer is awaited any more; what is
 * to be said of it was said.  The caller frees the answer.
 */
struct registry_answer *registry_ask_for(struct app *a, const struct registry_request *req,
    const char *title);

/* act_registry_value.c */
void act_registry_reveal(struct app *a);
void act_registry_add(struct app *a);
void act_registry_update(struct app *a);
void act_registry_mark(struct app *a);
void act_registry_compare(struct app *a);
void act_registry_delete(struct app *a);
void act_registry_undelete(struct app *a);

/*
 * The way of a new secrets file: where it lies and who reads it, a passphrase, the master
 * key with the proof that it is saved, and only then the file; then a first value, and what
 * a service needs.
 */

/* All of it; ${explain}: from what it is about on. */
void wizard_run(struct app *a, bool explain);

/* Up to the file alone, as there is something to be sealed that waits.  False: given up. */
bool wizard_make(struct app *a);

/*
 * recover.c: the way out where the master key of ${x} is lost, and its passphrase: what that
 * takes along, new values for it, and a new master key under which they are sealed, in one change.
 */
void recover_run(struct app *a, const struct environment *x);

#endif /* !UI_ACT_H */

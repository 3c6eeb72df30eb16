#ifndef UI_ACT_H
#define UI_ACT_H

struct app;

/*
 * What the keys do; which key does what is said in keymap.c alone.  Each
 * function runs to its end, dialogs included.
 */

/* act_move.c */
void act_down(struct app *a);
void act_up(struct app *a);
void act_page_down(struct app *a);
void act_page_up(struct app *a);
void act_first(struct app *a);
void act_last(struct app *a);
void act_other_pane(struct app *a);
void act_open(struct app *a);
void act_unfold(struct app *a);
void act_fold(struct app *a);
void act_unfold_all(struct app *a);
void act_fold_all(struct app *a);
void act_filter(struct app *a);
void act_open_secrets(struct app *a);
void act_cancel(struct app *a);

/* act_search.c */
void act_search(struct app *a);
void act_next(struct app *a);
void act_previous(struct app *a);
const char *act_needs_search(const struct app *a);

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

/* act_seal.c */
void act_review(struct app *a);
void act_apply(struct app *a);

/* act_value.c */
void act_update(struct app *a);
void act_add(struct app *a);

/* act_remove.c */
void act_remove(struct app *a);

/* act_reveal.c */
void act_reveal(struct app *a);

/* act_key.c */
void act_unlock(struct app *a);
void act_lock(struct app *a);
const char *act_needs_locked(const struct app *a);
const char *act_needs_unlocked(const struct app *a);

/* act_rotate.c */
void act_rotate_data(struct app *a);
void act_rotate_master(struct app *a);
const char *act_needs_data_key(const struct app *a);

/* act_generate.c */
void act_generate(struct app *a);
const char *act_needs_no_data_key(const struct app *a);

/* act_program.c */
void act_help(struct app *a);
void act_rescan(struct app *a);
void act_redraw(struct app *a);
void act_quit(struct app *a);

#endif /* !UI_ACT_H */

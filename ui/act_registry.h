#ifndef UI_ACT_REGISTRY_H
#define UI_ACT_REGISTRY_H

#include <stdbool.h>

struct app;

/*
 * What the keys do in the view of the registry (keymap_registry.c), and what
 * leads there.
 */

/* act_registry_move.c */
void act_other_view(struct app *a);
void act_registry_down(struct app *a);
void act_registry_up(struct app *a);
void act_registry_page_down(struct app *a);
void act_registry_page_up(struct app *a);
void act_registry_first(struct app *a);
void act_registry_last(struct app *a);
void act_registry_other_pane(struct app *a);
void act_registry_open(struct app *a);
void act_registry_unfold(struct app *a);
void act_registry_fold(struct app *a);
void act_registry_unfold_all(struct app *a);
void act_registry_fold_all(struct app *a);
void act_registry_cancel(struct app *a);
void act_registry_refresh(struct app *a);

/* act_registry_value.c */
void act_registry_reveal(struct app *a);
void act_registry_add(struct app *a);
void act_registry_update(struct app *a);

/* act_registry_compare.c */
void act_registry_mark(struct app *a);
void act_registry_compare(struct app *a);

/* act_registry_delete.c */
void act_registry_delete(struct app *a);
void act_registry_undelete(struct app *a);

/* act_registry_key.c */
void act_registry_log_in(struct app *a);
void act_registry_rotate(struct app *a);

/* Ask for the password if one is needed.  False: there is none. */
bool act_registry_ready(struct app *a);

/* act_registry_audit.c */
void act_registry_audit(struct app *a);

/* registry_needs.c: why it cannot be done now, or NULL. */
const char *act_registry_needs_one(const struct app *a);
const char *act_registry_needs_login(const struct app *a);
const char *act_registry_needs_key(const struct app *a);
const char *act_registry_needs_name(const struct app *a);
const char *act_registry_needs_live(const struct app *a);
const char *act_registry_needs_version(const struct app *a);
const char *act_registry_needs_two(const struct app *a);
const char *act_registry_needs_deleted(const struct app *a);

#endif /* !UI_ACT_REGISTRY_H */

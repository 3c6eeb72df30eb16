#ifndef UI_VIEW_FILES_H
#define UI_VIEW_FILES_H

struct app;

/* The left pane: configuration files and their entries. */
void pane_files_draw(struct app *a);

/* The right pane: the secrets file's metadata and sealed entries. */
void pane_secrets_draw(struct app *a);

/* Below the panes: what the selected thing is, and what can be done. */
void detail_draw(struct app *a);

#endif /* !UI_VIEW_FILES_H */

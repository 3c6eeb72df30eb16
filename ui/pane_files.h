#ifndef UI_PANE_FILES_H
#define UI_PANE_FILES_H

struct app;

/* The left pane: configuration files and their entries. */
void pane_files_draw(struct app *a);

#endif /* !UI_PANE_FILES_H */

#ifndef UI_STATUS_H
#define UI_STATUS_H

struct app;

/* The title line, the status line, and the footer with its keys. */
void status_draw_title(struct app *a);
void status_draw(struct app *a);

#endif /* !UI_STATUS_H */

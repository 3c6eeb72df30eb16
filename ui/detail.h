#ifndef UI_DETAIL_H
#define UI_DETAIL_H

struct app;

/* Below the panes: what the selected thing is, and what can be done. */
void detail_draw(struct app *a);

#endif /* !UI_DETAIL_H */

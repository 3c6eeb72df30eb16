#ifndef UI_DIALOG_DRAW_H
#define UI_DIALOG_DRAW_H

struct dialog;

void dialog_draw(struct dialog *d);

#endif /* !UI_DIALOG_DRAW_H */

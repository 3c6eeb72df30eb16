#ifndef UI_PANE_SECRETS_H
#define UI_PANE_SECRETS_H

struct app;

/* The right pane: the secrets file's metadata and sealed entries. */
void pane_secrets_draw(struct app *a);

#endif /* !UI_PANE_SECRETS_H */

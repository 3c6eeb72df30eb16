#ifndef UI_ASK_H
#define UI_ASK_H

#include <stdbool.h>

struct app;
struct buf;

/*
 * Questions.  Texts are drawn as they are, control characters made visible.  All return false when
 * the user cancels, or when the program ends or locks meanwhile.
 */

/* Go on?  The focus is on Cancel. */
bool ask_confirm(struct app *a, const char *title, const char *text, const char *button);

/* Go on only when the word is typed. */
bool ask_word(struct app *a, const char *title, const char *text, const char *word);

/* A line of text; ${out} starts with what is there and gets the answer. */
bool ask_text(struct app *a, const char *title, const char *text, const char *label,
    struct buf *out);

/* A secret, appended to ${out} (secret); ${complaint} (may be NULL) says why
 * it is asked again. */
bool ask_secret(struct app *a, const char *title, const char *text, const char *label,
    const char *complaint, struct buf *out);

/* A new passphrase, typed twice until both are the same, not blank. */
bool ask_new_passphrase(struct app *a, const char *title, const char *text, struct buf *out);

#endif /* !UI_ASK_H */

#ifndef UI_SECRET_FILE_H
#define UI_SECRET_FILE_H

#include <stdbool.h>

struct app;
struct buf;

/**
 * secret_file_write(a, title, text, name, value):
 * Ask for a path, which begins as ${name} in the user's runtime folder (in memory only) or
 * here, and write ${value} to a new file of mode 0600 there.  Not into a git work tree, nor
 * over what is there: that is told, and asked again.  False: given up.
 */
bool secret_file_write(struct app *a, const char *title, const char *text, const char *name,
    const struct buf *value);

#endif /* !UI_SECRET_FILE_H */

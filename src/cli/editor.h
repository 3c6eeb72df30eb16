#ifndef EDITOR_H
#define EDITOR_H

struct error;

/**
 * editor_run(path, signal, err):
 * Have the user edit a file: $VISUAL, else $EDITOR, else vi, which may be a
 * command with arguments.  Vim and its kin are told to keep no swap, backup,
 * undo and register files of it.  ${*signal}: one that should end this
 * process came meanwhile and was passed on, or 0.  ERROR_REFUSED: the editor
 * failed, so what it left is not to be used; ERROR_MISSING, ERROR_IO.
 */
int editor_run(const char *path, int *signal, struct error *err);

#endif /* !EDITOR_H */

#ifndef UI_SECTION_H
#define UI_SECTION_H

#include <stddef.h>

struct app;
struct buf;
struct error;

/*
 * The section of an environment in a propseal.ini: what gives it another name than that of its
 * folder.
 */
struct section {
	const char *name;
	const char *secrets_file;	/* absolute, in a folder that exists */
	const char *remote_path;
	const char *folder;		/* absolute, with a slash: its files are below it; NULL:
					 * all files are its own */
};

/**
 * section_place(a, s, ini, err):
 * Append which propseal.ini it goes into: the one that counts for the secrets
 * file's folder already, else a new one in the folder that was asked for.
 * ERROR_FORMAT, ERROR_EXISTS: a name or a path that cannot stand there.
 */
int section_place(const struct app *a, const struct section *s, struct buf *ini,
    struct error *err);

/* Write it there, behind what is there, and have it read from now on; then the estate is to be
 * scanned anew.  Errors: those, and of replace_file_locked. */
int section_write(struct app *a, const struct section *s, struct error *err);

#endif /* !UI_SECTION_H */

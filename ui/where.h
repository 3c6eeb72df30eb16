#ifndef UI_WHERE_H
#define UI_WHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"
#include "ui/field.h"
#include "ui/outline.h"

struct about;
struct app;
struct buf;
struct error;
struct rect;

/* A step of the wizard: which files belong together, what the environment is called, where its
 * secrets file will lie, and under which path services will read it. */
struct where {
	struct vec groups;		/* of files without a secrets file, by folder */
	struct list list;		/* which of them */
	struct line_edit name, path, remote;	/* what is typed */
	bool name_typed, path_typed, remote_typed;	/* by the user: they do not follow the
							 * group any more */
	struct buf named, absolute;	/* the name that it has by its folder; its path */
	size_t focus;
};

/* With the folder chosen that the cursor of the files is in.  -1: no memory. */
int where_init(struct where *w, const struct app *a);
void where_release(struct where *w);

/* The paths of the chosen files (vec_string); NULL: there are none. */
const struct vec *where_files(const struct where *w);

/* What stands in the fields until the user types there. */
void where_suggest(struct where *w, const struct app *a);

void where_draw(struct where *w, const struct rect *r);

/* False: it is none of its keys. */
bool where_key(struct where *w, struct app *a, uint32_t k);
void where_paste(struct where *w, struct app *a, const struct buf *text, char *why, size_t size);

/* Its keys, for the help, and whether a field is open. */
void where_about(const struct where *w, struct about *out);

/* Can a secrets file be made there?  Else ${why} says why not, and the field has the focus. */
bool where_check(struct where *w, struct app *a, char *why, size_t size);

/* Write the name, if it is another one than the folder's, into a propseal.ini.  1: it was, so that
 * the files are to be scanned anew; 0: it need not. */
int where_name(struct where *w, struct app *a, struct error *err);

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

#endif /* !UI_WHERE_H */

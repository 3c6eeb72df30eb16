#ifndef UI_SELECTION_H
#define UI_SELECTION_H

#include <stdbool.h>
#include <stddef.h>

struct app;
struct estate_entry;
struct estate_file;

/* What the cursor of the active pane is on.  Pointers are valid until the
 * model changes. */
struct selection {
	enum selection_kind {
		SELECTION_NOTHING,
		SELECTION_FILE,		/* a file of the left pane */
		SELECTION_ENTRY,	/* an entry of the left pane */
		SELECTION_SEALED	/* a sealed entry of the right pane */
	} kind;
	const struct estate_file *file;
	const struct estate_entry *entry;
	size_t sealed;		/* in the secrets file's document */
	const char *name;	/* the sealed entry, also of a reference; NULL: none */
	size_t name_len;
};

struct selection selection_get(const struct app *a);

/* The file and entry ${nth} (from 0) that refers to a sealed entry; false when there
 * are not so many. */
bool selection_referrer(const struct app *a, const char *name, size_t len, size_t nth,
    const struct estate_file **file, const struct estate_entry **entry);

/* For actions: why they cannot work on it now, or NULL. */
const char *selection_needs_file(const struct app *a);
const char *selection_needs_plain(const struct app *a);
const char *selection_needs_value(const struct app *a);
const char *selection_needs_sealed(const struct app *a);
const char *selection_needs_name(const struct app *a);

#endif /* !UI_SELECTION_H */

#ifndef UI_OPTIONS_H
#define UI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "secrets/secrets_file.h"
#include "ui/canvas.h"

struct bindings;
struct environment_source;
struct error;
struct findings_source;
struct key_ring;
struct lessons;
struct registry_source;
struct rules;
struct scope;
struct trail;

/* How it was left, for when it is begun again. */
struct ui_leave {
	bool for_tutor;			/* and is to come back */
	bool locked;			/* by then, or before: no key at hand is used unasked */
};

/* What the command line tells the interface.  Strings are borrowed. */
struct ui_options {
	const char *const *paths;	/* files and folders; none: "." */
	size_t path_count;
	const char *secrets_file;	/* NULL: those among the paths, or where references say */
	const struct environment_source *environments;	/* [environment NAME]; NULL: none */
	const char *remote_path;	/* NULL: as in references there, else the local path */
	/* The keys that are at hand without asking (secrets/key_source.h), read anew at
	 * each call, as none are kept here; the caller frees them. */
	struct key_ring *(*keys)(void *cookie, struct error *err);
	void *keys_cookie;
	struct secrets_policy policy;	/* which entries may be opened */
	int reveal_ms;			/* how long a revealed value stays; 0: 10 s */
	int copy_ms;			/* how long a copied one stays in the clipboard; 0: 45 s */
	int lock_ms;			/* idle time until the keys are wiped; 0: 300 s */
	int lock_timeout_ms;		/* how long to wait for another process's lock,
				 * at most 30 s, -1: so long */
	bool read_only;		/* nothing is changed or written */
	bool read_aloud;	/* by a screen reader (canvas.h) */
	enum theme theme;
	bool theme_auto;	/* instead: as the terminal's ground is */
	const struct look *looks;	/* the user's, by style; NULL: none */
	const struct bindings *bindings;	/* keys; NULL: the built-in ones */
	const struct scope *scope;	/* which files are looked at; NULL: the built-in one */
	const struct registry_source *registry;	/* NULL: none is configured */
	const struct findings_source *findings;	/* reports and baseline; NULL: there are none */
	const char *provider_class;	/* of new provider lines; NULL: Confluent's */
	const struct trail *trail;	/* where changes are written down; NULL: nowhere */
	struct lessons *lessons;	/* a lesson of the tutor is on (lessons.h); NULL: none is */
	struct ui_leave *leave;		/* NULL: there is no tutor to leave for */
	const struct rules *rules;	/* which keys are secrets; NULL: the built-in ones */
};

/**
 * ui_run(o):
 * Run the interface on the terminal until the user quits.  Returns the
 * program's exit status: 0, 2 when there is no usable terminal (said on
 * standard error), 128 + signal when one ended it.
 */
int ui_run(const struct ui_options *o);

#endif /* !UI_OPTIONS_H */

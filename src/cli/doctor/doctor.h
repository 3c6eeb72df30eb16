#ifndef CLI_DOCTOR_DOCTOR_H
#define CLI_DOCTOR_DOCTOR_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "audit/audit.h"
#include "base/vec.h"
#include "cli/checks.h"

struct error;
struct estate;
struct key;
struct key_ring;
struct options;

/* One run of `propseal doctor`. */
struct doctor {
	const struct options *o;
	const char *root;		/* "", or the DIR of --root */
	struct checks checks;	/* what is checked besides */
	struct audit_options audited;
	struct audit *audit;
	struct vec key_names;		/* of const char *: variables of master keys */
	struct estate *estate;
	struct vec secrets;		/* of struct secrets_file *: of the estate's environments */
	struct key_ring *keys;		/* NULL: not looked for */
	const struct key *key_told;	/* whose source was told last */
	struct vec leftovers;		/* of char *: what runs that ended early left */
	struct vec fixes;		/* what can be mended, of fix.c */
};

/* Longer ones are cut, or not looked at. */
#define DOCTOR_PATH_MAX 65536

/* What a check found can be mended by taking ${bits} from a mode, or by removing what a run
 * left; ${command} does it by hand.  -1: no memory. */
void doctor_fixes_init(struct doctor *d);
int doctor_fix_mode(struct doctor *d, const char *path, mode_t bits, const char *command);
int doctor_fix_leftover(struct doctor *d, const char *path);
void doctor_fixes_release(struct doctor *d);

/**
 * doctor_fix(d, status, err):
 * Behind the checks: show what can be mended, ask, mend, and tell of each.  ${*status} is 0,
 * 1 where something failed or could not be read, or 3 where something is left.
 * ERROR_USAGE: nobody to ask.
 */
int doctor_fix(struct doctor *d, int *status, struct error *err);

/* Each check adds its findings.  ERROR_MEMORY. */
int doctor_units_check(struct doctor *d, struct error *err);
void doctor_processes_check(struct doctor *d);
void doctor_system_check(struct doctor *d);

/* --- shared by units and processes --- */

/* Is ${n} bytes at ${text} `NAME=something` of a variable that holds a master
 * key, by the secrets files or by default?  The name's length, or 0. */
size_t doctor_key_variable(const struct doctor *d, const char *text, size_t n);

/* Is it the name of one? */
bool doctor_is_key_name(const struct doctor *d, const char *name, size_t n);

/**
 * doctor_refers(d, folder, path, known):
 * Does the configuration file ${path} (relative to ${folder} unless absolute;
 * both below --root) have references to a secrets file?  ${*known} is false
 * when it cannot be read.
 */
bool doctor_refers(const struct doctor *d, const char *folder, const char *path, bool *known);

/* Is it the name of a configuration file, so far as that can be told? */
bool doctor_is_config_name(const char *word, size_t n);

#endif /* !CLI_DOCTOR_DOCTOR_H */

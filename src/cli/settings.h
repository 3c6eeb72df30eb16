#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/settings.h"
#include "base/vec.h"
#include "common/args.h"
#include "ui/keymap.h"
#include "ui/theme.h"

struct bindings;
struct buf;
struct config;
struct config_file;
struct environment_section;
struct environment_source;
struct error;
struct file_id;
struct options;
struct rules;
struct scope;
struct trail;

/*
 * Every setting that propseal.ini knows.  After the fixed ones comes one
 * `key.<action>` for each action of the interface.
 */
enum setting_id {
	SETTING_SECRETS_FILE,
	SETTING_REMOTE_PATH,
	SETTING_REPLACE,
	SETTING_PROVIDER_CLASS,
	SETTING_PATTERNS,
	SETTING_IGNORE,
	SETTING_SECRET_KEYS,
	SETTING_PUBLIC_KEYS,
	SETTING_KEY_COMMAND,
	SETTING_KEY_VARIABLES,
	SETTING_TAGS,
	SETTING_TRAIL,
	SETTING_TRAIL_REQUIRED,
	SETTING_TRAIL_SIZE,
	SETTING_UNDO_DAYS,
	SETTING_THEME,
	SETTING_SCREEN_READER,
	SETTING_REVEAL,
	SETTING_COPY,
	SETTING_LOCK,
	SETTING_LOCK_TIMEOUT,
	SETTING_REGISTRY_URL,
	SETTING_REGISTRY_USER,
	SETTING_REGISTRY_PASSWORD_FILE,
	SETTING_REGISTRY_TOKEN_FILE,
	SETTING_REGISTRY_CA,
	SETTING_REGISTRY_CERT,
	SETTING_REGISTRY_CERT_KEY,
	SETTING_FIRST_LOOK,	/* one for each style (ui/theme.h) */
	SETTING_ENVIRONMENT_SECRETS = SETTING_FIRST_LOOK + (int)STYLE_COUNT,
	SETTING_ENVIRONMENT_REMOTE,	/* of each [environment NAME], like its neighbours */
	SETTING_ENVIRONMENT_FILES,
	SETTING_FIRST_KEY,
	SETTING_COUNT = SETTING_FIRST_KEY + (int)ACTION_COUNT
};

/* What a value may be, besides the types of base/settings.h (SETTING_CHOICE). */
enum setting_kind {
	SETTING_IS_PATH = SETTING_OTHER, /* relative to the folder of the file that sets it */
	SETTING_IS_REMOTE,	/* a path on another host */
	SETTING_IS_CLASS,	/* of Java */
	SETTING_IS_URL,		/* of a registry */
	SETTING_IS_PATTERNS,	/* of file names; a list */
	SETTING_IS_IGNORED,	/* of file and folder names; a list */
	SETTING_IS_KEYS,	/* patterns of configuration keys; a list */
	SETTING_IS_COMMAND,	/* for a shell; of the user's own file only */
	SETTING_IS_VARIABLES,	/* names of environment variables; a list, likewise */
	SETTING_IS_SECONDS,	/* within the bounds of its flag */
	SETTING_IS_LOOK,	/* of a style */
	SETTING_IS_BINDING	/* keys of an action */
};

struct setting {
	const char *section;
	struct setting_field field;	/* the name, the type, the choices */
	enum flag_id flag;		/* that says the same, FLAG_COUNT: none */
	const char *built_in;		/* NULL: none */
	bool own;			/* counts in the user's own file only: it could do harm
					 * in somebody else's */
};

#define SETTING_NAME_MAX 48

/* A fixed setting, by ${id} below SETTING_FIRST_KEY. */
const struct setting *setting_get(enum setting_id id);

/* Of enum setting_type or enum setting_kind. */
unsigned setting_kind(enum setting_id id);
const char *setting_section(enum setting_id id);

/* Its name within the section; one of a key is made in ${name}. */
const char *setting_name(enum setting_id id, char name[SETTING_NAME_MAX]);

/* As struct setting's ->own. */
bool setting_is_own(enum setting_id id);

/* Does the value have several parts? */
bool setting_is_list(enum setting_id id);

/* The sections that are one for each environment: [environment NAME]. */
#define SETTING_ENVIRONMENTS "environment"

/* Where ${s} holds a setting of [environment NAME], NULL: it is none of these. */
const char **setting_part(enum setting_id id, struct environment_section *s);

/* The action of a `key.` setting. */
enum action_id setting_action(enum setting_id id);

/* SETTING_COUNT: there is none. */
enum setting_id setting_find(const char *section, const char *name);

/* What ${section} or ${name} in it may have been meant for, or NULL.  A name
 * may be made in ${near}. */
const char *setting_near_section(const char *section);
const char *setting_near_name(const char *section, const char *name, char near[SETTING_NAME_MAX]);

/* The section that has a setting of this name, or NULL. */
const char *setting_section_with(const char *name);

/* Is there a section of this name? */
bool setting_has_section(const char *section);

/* What the sections are, as a hint.  Returns -1. */
int setting_hint_sections(struct error *err);

/**
 * config_value_next(list, len):
 * The next part of a list's text: its start, with its length in ${*len};
 * NULL at the end.  Go on behind it.
 */
const char *config_value_next(const char *list, size_t *len);

#define CONFIG_VARIABLE "PROPSEAL_CONFIG"
#define CONFIG_PATH_MAX 65536

/* Append the path of the user's file, there or not; nothing without a home. */
void config_find_user(struct buf *out);

/* Append the path of the trail, where no setting names one; nothing without a home. */
void config_find_trail(struct buf *out);

/* Append the path of the project's file: in the current folder or the nearest
 * one above, up to one with .git, the home folder or the root.  Nothing when
 * there is none.  The name alone when it is in the current folder. */
void config_find_project(struct buf *out);

/* Does ${path} name the user's file, or the one that $PROPSEAL_CONFIG names?  A
 * link to one of them is another file, whose relative paths begin elsewhere. */
bool config_find_is_own(const char *path);

/* The same at or above ${folder}, which is absolute. */
void config_find_above(const char *folder, struct buf *out);

/* The folder of ${path} without symbolic links, or NULL; the caller frees. */
char *config_find_folder(const char *path);

/**
 * config_find_work_tree(path, real, err):
 * Does the file ${path} belong to a git work tree: is there a .git in its
 * folder, or in that of the file which it links to, or above one of them?
 * Then ${*real} is its own folder without symbolic links, else NULL; the
 * caller frees it.  -1: ERROR_IO, ERROR_MEMORY.
 */
int config_find_work_tree(const char *path, char **real, struct error *err);

/* Is ${path}, there or not, below ${folder} (of config_find_work_tree) when
 * all links are followed, and not in a .git? */
bool config_find_below(const char *folder, const char *path);

/**
 * config_find_trusted(path, id, err):
 * ERROR_REFUSED when somebody else than we or root could have written the
 * file (${id}: what was read), or made the symbolic link that it is.
 */
int config_find_trusted(const char *path, const struct file_id *id, struct error *err);

/* What one propseal.ini says. */
struct config_file {
	char *path;
	char *folder;		/* where it lies, absolute and without links */
	struct vec environments;	/* of struct environment_section; the texts are its own */
	bool foreign;		/* in a git work tree, and not the user's own choice */
	struct {
		char *text;	/* checked; NULL: not set */
		size_t line;
	} values[SETTING_COUNT];
};

/* Called with each thing that is wrong in a file, in the order of lines. */
typedef void config_file_problem(void *cookie, const struct error *what);

/**
 * config_file_read(path, foreign, problem, cookie, err):
 * Read a file and check all of it.  One that is ${foreign} (not the user's
 * own choice, as one that came with a repository) may name files below its
 * own folder only, when that is in a git work tree.  NULL: ERROR_MISSING, ERROR_IO,
 * ERROR_REFUSED (not ours alone, see config_find_trusted), ERROR_LIMIT,
 * ERROR_FORMAT: the first thing that is wrong in it; ${problem} (may be NULL)
 * has been told of all of them.
 */
struct config_file *config_file_read(const char *path, bool foreign,
    config_file_problem *problem, void *cookie, struct error *err);
void config_file_free(struct config_file *f);

/*
 * The settings in force: of the command line, else of the file that
 * $PROPSEAL_CONFIG names, else of the project's file, else of the user's,
 * else built in.  With $PROPSEAL_CONFIG set and empty no file is read.
 */

/* Where a value comes from; a later one wins. */
enum config_origin {
	CONFIG_BUILT_IN,
	CONFIG_USER,
	CONFIG_PROJECT,
	CONFIG_ENVIRONMENT,
	CONFIG_FLAG
};

struct config_value {
	const char *text;	/* NULL: none; a list's parts with one blank between */
	enum config_origin origin;
	const char *file;	/* NULL: none of the files */
	size_t line;
	bool foreign;		/* of a file that is */
	const char *variable;	/* the environment variable that says it, or NULL */
};

/* A file that was looked for. */
struct config_place {
	enum config_origin origin;
	char *path;			/* NULL: nowhere to look */
	struct config_file *file;	/* NULL: it is not there */
};

/* user, project, environment */
#define CONFIG_PLACES 3

/**
 * config_load(err):
 * Find and read the files, and check that they fit together.  NULL: as
 * config_file_read, with file and line.
 */
struct config *config_load(struct error *err);
void config_free(struct config *c);

/**
 * config_single(file):
 * As if ${file} (owned from now on, freed on failure) were the only one.
 */
struct config *config_single(struct config_file *file, struct error *err);

/* Without a path for what is not looked for. */
const struct config_place *config_place(const struct config *c, size_t i);

const struct config_value *config_get(const struct config *c, enum setting_id id);

/* Finds the [environment NAME] sections of the nearest propseal.ini; NULL for ${c} NULL. */
const struct environment_source *config_sections(const struct config *c);

/* Tell what of a foreign file is not used by a command that goes by rules:
 * with a repository come further rules for secrets, and none is taken away. */
void config_tell_unused(const struct config *c);

/* Fill in the flags that the command has and that were not given, and give it
 * to the command.  ${c} must outlive ${o}. */
void config_apply(struct config *c, struct options *o);

/* What the settings come to, for those who need it.  NULL: as built in; also
 * for ${c} NULL. */
const struct rules *config_rules(const struct config *c);
const struct scope *config_scope(const struct config *c);
const char *config_provider_class(const struct config *c);
const struct bindings *config_bindings(const struct config *c);
/* The looks that are given, by style. */
const struct look *config_looks(const struct config *c);

/* Where the command that ${c} was given to (config_apply) writes down what it
 * changes (trail/trail.h), as long as ${c} lives.  NULL: nowhere, as the user wants it. */
const struct trail *config_trail(const struct config *c);

/* The same for a command that takes nothing else of the settings, which are not applied.  NULL
 * settings are fine. */
const struct trail *config_trail_of(struct config *c, const struct command *command);

/* The file of the trail; NULL: there is no place for it, or none is wanted. */
const char *config_trail_path(const struct config *c);

#endif /* !CLI_SETTINGS_H */

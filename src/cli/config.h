#ifndef CONFIG_H
#define CONFIG_H

#include <stddef.h>

#include "cli/setting.h"
#include "ui/theme.h"

struct bindings;
struct config_file;
struct error;
struct options;
struct rules;
struct scope;

/*
 * The settings in force: of the command line, else of the file that
 * $PROPSEAL_CONFIG names, else of the project's file, else of the user's,
 * else built in.  With $PROPSEAL_CONFIG set and empty no file is read.
 */
struct config;

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

/* Fill in the flags that the command has and that were not given, and give it
 * to the command.  ${c} must outlive ${o}. */
void config_apply(const struct config *c, struct options *o);

/* What the settings come to, for those who need it.  NULL: as built in; also
 * for ${c} NULL. */
const struct rules *config_rules(const struct config *c);
const struct scope *config_scope(const struct config *c);
const struct bindings *config_bindings(const struct config *c);
enum theme config_theme(const struct config *c);

#endif /* !CONFIG_H */

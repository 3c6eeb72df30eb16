#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/setting.h"

struct error;

/* What one propseal.ini says. */
struct config_file {
	char *path;
	struct {
		char *text;	/* checked (config_value.h); NULL: not set */
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

#endif /* !CONFIG_FILE_H */

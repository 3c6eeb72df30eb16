#ifndef CONFIG_FIND_H
#define CONFIG_FIND_H

#include <stdbool.h>

struct buf;
struct error;
struct file_id;

#define CONFIG_FILE_NAME "propseal.ini"
#define CONFIG_VARIABLE "PROPSEAL_CONFIG"
#define CONFIG_PATH_MAX 65536

/* Append the path of the user's file, there or not; nothing without a home. */
void config_find_user(struct buf *out);

/* Append the path of the project's file: in the current folder or the nearest
 * one above, up to one with .git, the home folder or the root.  Nothing when
 * there is none.  The name alone when it is in the current folder. */
void config_find_project(struct buf *out);

/**
 * config_find_trusted(path, id, err):
 * ERROR_REFUSED when somebody else than we or root could have written the
 * file (${id}: what was read), or made the symbolic link that it is.
 */
int config_find_trusted(const char *path, const struct file_id *id,
    struct error *err);

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

#endif /* !CONFIG_FIND_H */

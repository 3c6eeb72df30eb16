#ifndef GIT_SETUP_H
#define GIT_SETUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct error;

/* What `git install` sets up and `git uninstall` takes away again. */

/* Behind the pattern of each secrets file in .gitattributes. */
#define GIT_SETUP_ATTRIBUTES " diff=propseal merge=propseal"

#define GIT_SETUP_COMMENT \
	"# Secrets files: shown masked and merged by entry (propseal git install)"

/* Where things are in one repository, and what we are called. */
struct git_setup {
	struct buf top;		/* of the work tree */
	struct buf attributes;	/* the path of .gitattributes */
	struct buf hook;	/* the path of the pre-commit hook */
	struct buf program;	/* for a shell: `propseal`, or a path in quotes */
};

void git_setup_init(struct git_setup *g);
void git_setup_release(struct git_setup *g);

/* Fill in the program, and with ${repository} the rest.  core.hooksPath counts. */
int git_setup_find(struct git_setup *g, bool repository, struct error *err);

/* The settings of git: name and value.  ${value} is appended to. */
#define GIT_SETUP_SETTINGS 3
const char *git_setup_setting(const struct git_setup *g, size_t i, struct buf *value);

/* The sections that hold them. */
#define GIT_SETUP_SECTIONS 2
const char *git_setup_section(size_t i);

enum git_hook { GIT_HOOK_NONE, GIT_HOOK_OURS, GIT_HOOK_CALLS_US, GIT_HOOK_FOREIGN };

/* What hook there is. */
int git_setup_hook(const struct git_setup *g, enum git_hook *out, struct error *err);

/* Append the text of ours, and the line that a foreign one needs. */
void git_setup_hook_text(const struct git_setup *g, struct buf *out);
void git_setup_hook_line(const struct git_setup *g, struct buf *out);

/* Append a file's content; none when it is not there. */
int git_setup_read(const struct buf *path, struct buf *out, bool *exists, struct error *err);

/* Write files through core/plan: all or none.  ${content} is moved. */
struct git_file {
	const char *path;
	struct buf *content;
	unsigned int mode;	/* of a new file */
};

int git_setup_write(const struct git_file *files, size_t n, int lock_timeout_ms,
    struct error *err);

#endif /* !GIT_SETUP_H */

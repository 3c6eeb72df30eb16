#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/git/git.h"

#define ARGUMENTS 9

/* One record of `git diff --raw -z`: ":100644 100644 <id> <id> M" NUL path NUL. */
struct record {
	const char *mode;	/* of the staged file */
	const char *id;
	size_t id_len;
	const char *path;
};

/* Take the record at ${*at} apart; false at the end. */
static bool
next_record(const struct buf *list, size_t *at, struct record *out)
{
	const char *p = (const char *)list->data + *at, *id;
	size_t n = list->len - *at, first, second;

	if (n == 0 || (first = strnlen(p, n)) == n ||
	    (second = strnlen(p + first + 1, n - first - 1)) == n - first - 1)
		return false;
	*at += first + second + 2;
	out->mode = memchr(p, ' ', first);
	id = out->mode != NULL ? strchr(out->mode + 1, ' ') : NULL;
	id = id != NULL ? strchr(id + 1, ' ') : NULL;
	if (id == NULL)
		return false;
	out->mode++;
	out->id = id + 1;
	out->id_len = strcspn(out->id, " ");
	out->path = p + first + 1;
	return true;
}

static int
staged_read(struct git_objects *g, const struct record *r, staged_fn *each, void *cookie,
    struct error *err)
{
	struct buf content;
	struct error why;
	char id[128];
	int rc;

	snprintf(id, sizeof(id), "%.*s", (int)r->id_len, r->id);
	buf_init_secret(&content, BUF_MAX_FILE);
	if ((rc = git_objects_read(g, id, &content, &why)) == 0) {
		rc = each(cookie, r->path, &content, err);
	} else {
		/* The next answer would be read out of step. */
		*err = why;
		error_place(err, r->path, 0);
	}
	buf_release(&content);
	return rc;
}

static int
staged_list(const char *const paths[], size_t n, struct buf *list, struct error *err)
{
	static const char *const fixed[ARGUMENTS] = { "diff", "--cached", "--raw", "-z",
		"--no-renames", "--no-abbrev", "--no-ext-diff", "--diff-filter=AMT", "--" };
	const char **argv = calloc(ARGUMENTS + n + 1, sizeof(*argv));
	int rc;

	if (argv == NULL)
		return error_memory(err);
	memcpy(argv, fixed, sizeof(fixed));
	memcpy(argv + ARGUMENTS, paths, n * sizeof(*argv));
	rc = git_run(argv, list, NULL, err);
	free(argv);
	return rc;
}

int
git_staged(const char *const paths[], size_t n, staged_takes *takes, staged_fn *each, void *cookie,
    struct error *err)
{
	struct git_objects g = GIT_OBJECTS_NONE;
	struct buf list, top;
	struct record r;
	size_t at = 0;
	int rc = 0;

	buf_init(&list, BUF_MAX_FILE);
	buf_init(&top, 65536);
	if (git_top(&top, err) != 0 || staged_list(paths, n, &list, err) != 0)
		rc = -1;
	while (rc == 0 && next_record(&list, &at, &r)) {
		/* Neither links nor other repositories. */
		if (strncmp(r.mode, "100", 3) != 0 || !takes(cookie, r.path))
			continue;
		if (g.pid == -1)
			rc = git_objects_open(&g, err);
		if (rc == 0)
			rc = staged_read(&g, &r, each, cookie, err);
	}
	git_objects_close(&g);
	buf_release(&top);
	buf_release(&list);
	return rc;
}

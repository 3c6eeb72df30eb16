#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "cli/git/git.h"

/* All that was ever committed of files: each content of each path once. */

#define ARGUMENTS 17
#define COMMIT_SHOWN 12		/* digits */

struct history {
	struct git_objects objects;
	struct buf list;	/* of `git log --raw -z`, oldest first */
	struct buf name;
	struct map *seen;	/* contents of paths */
	history_fn *each;
	void *cookie;
};

static int
history_list(const char *const paths[], size_t n, struct buf *list, struct error *err)
{
	static const char *const fixed[ARGUMENTS] = { "-c", "log.showRoot=true", "log", "--all",
		"--topo-order", "--reverse", "--raw", "-z", "-m", "--no-renames", "--no-abbrev",
		"--no-ext-diff", "--no-color", "--no-show-signature", "--diff-filter=AMT",
		"--format=commit %H", "--" };
	const char **argv = calloc(ARGUMENTS + n + 1, sizeof(*argv));
	int rc;

	if (argv == NULL)
		return error_memory(err);
	memcpy(argv, fixed, sizeof(fixed));
	for (size_t i = 0; i < n; i++)
		argv[ARGUMENTS + i] = paths[i];
	rc = git_run(argv, list, NULL, err);
	free(argv);
	return rc;
}

/* ":100644 100644 OLD NEW M" and a path behind it: one content of it. */
static int
history_record(struct history *h, const char *record, const char *path, const char *commit,
    struct error *err)
{
	const char *mode = strchr(record, ' '), *id = mode;
	struct buf content;
	size_t ignored, n;
	char hex[128];
	int rc;

	for (int i = 0; i < 2 && id != NULL; i++)
		id = strchr(id + 1, ' ');
	/* Neither links nor other repositories. */
	if (id == NULL || strncmp(mode + 1, "100", 3) != 0)
		return 0;
	n = strcspn(++id, " ");
	snprintf(hex, sizeof(hex), "%.*s", (int)n, id);
	/* Behind the id stand the kind of change, a NUL and the path. */
	n = (size_t)(path - id) + strlen(path);
	if (map_get(h->seen, id, n, &ignored))
		return 0;
	if (map_put(h->seen, id, n, 0) != 0)
		return error_memory(err);
	if (h->objects.pid == -1 && git_objects_open(&h->objects, err) != 0)
		return -1;
	buf_clear(&h->name);
	buf_append(&h->name, commit, strnlen(commit, COMMIT_SHOWN));
	buf_append_char(&h->name, ':');
	buf_append_str(&h->name, path);
	buf_init_secret(&content, BUF_MAX_FILE);
	rc = git_objects_read(&h->objects, hex, &content, err);
	if (rc == 0)
		rc = h->each(h->cookie, buf_cstr(&h->name), path, &content, err);
	else
		error_place(err, buf_cstr(&h->name), 0);
	buf_release(&content);
	return rc;
}

int
git_history(const char *const paths[], size_t n, staged_takes *takes, history_fn *each,
    void *cookie, struct error *err)
{
	static const char word[] = "commit ";
	struct history h = { .objects = GIT_OBJECTS_NONE, .seen = map_new(), .each = each,
		.cookie = cookie };
	const char *p, *end, *commit = "";
	struct buf top;
	int rc = 0;

	buf_init(&h.list, BUF_MAX_FILE);
	buf_init(&h.name, 65536);
	buf_init(&top, 65536);
	if (h.seen == NULL)
		rc = error_memory(err);
	else if (git_top(&top, err) != 0 || history_list(paths, n, &h.list, err) != 0)
		rc = -1;
	p = buf_cstr(&h.list);
	for (end = p + h.list.len; rc == 0 && p < end; p += strlen(p) + 1) {
		while (*p == '\n')
			p++;
		if (strncmp(p, word, sizeof(word) - 1) == 0) {
			commit = p + sizeof(word) - 1;
		} else if (*p == ':' && p + strlen(p) + 1 < end) {
			const char *record = p;

			p += strlen(p) + 1;
			if (takes(cookie, p))
				rc = history_record(&h, record, p, commit, err);
		}
	}
	git_objects_close(&h.objects);
	map_free(h.seen);
	buf_release(&top);
	buf_release(&h.name);
	buf_release(&h.list);
	return rc;
}

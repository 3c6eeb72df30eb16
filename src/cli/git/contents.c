#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "cli/git/git.h"

/* Contents of files that git has: those that are staged, and all that were ever committed. */

#define COMMIT_SHOWN 12		/* digits */

/* A record of --raw -z: ":100644 100644 <id> <id> M" NUL path NUL. */
struct record {
	const char *commit;	/* of a log: the last "commit <id>" NUL before it; else NULL */
	const char *mode;	/* of the new content */
	const char *id;
	size_t id_len;
	const char *path;
};

/* A list of them, and what is done about each. */
struct contents {
	struct git_objects objects;
	struct buf list;
	size_t at;
	struct record asked[GIT_OBJECTS_ASKED];	/* whose contents are to be read next */
	size_t asked_count;
	git_content_fn *each;
	void *cookie;
};

/* Take the next record apart; false at the end. */
static bool
next_record(struct contents *c, struct record *out)
{
	static const char word[] = "commit ";
	const char *begin = (const char *)c->list.data, *end = begin + c->list.len;

	for (const char *p = begin + c->at; p < end; p += strlen(p) + 1) {
		const char *path, *id;

		while (*p == '\n')
			p++;
		if (strncmp(p, word, sizeof(word) - 1) == 0)
			out->commit = p + sizeof(word) - 1;
		if (*p != ':' || (path = p + strlen(p) + 1) >= end)
			continue;
		out->mode = id = strchr(p, ' ');
		for (int i = 0; i < 2 && id != NULL; i++)
			id = strchr(id + 1, ' ');
		if (id == NULL) {
			p = path;
			continue;
		}
		out->mode++;
		out->id = id + 1;
		out->id_len = strcspn(out->id, " ");
		out->path = path;
		c->at = (size_t)(path - begin) + strlen(path) + 1;
		return true;
	}
	return false;
}

/* Hand the content of the record on: as its path, of a commit COMMIT:PATH. */
static int
contents_read_one(struct contents *c, const struct record *r, struct error *err)
{
	struct buf content, name;
	char id[128];
	int rc;

	snprintf(id, sizeof(id), "%.*s", (int)r->id_len, r->id);
	buf_init(&name, 65536);
	if (r->commit != NULL)
		buf_printf(&name, "%.*s:", COMMIT_SHOWN, r->commit);
	buf_append_str(&name, r->path);
	buf_init_secret(&content, BUF_MAX_FILE);
	rc = git_objects_read(&c->objects, id, &content, err);
	if (rc != 0)
		error_place(err, buf_cstr(&name), 0);
	else
		rc = c->each(c->cookie, buf_cstr(&name), r->path, &content, err);
	buf_release(&content);
	buf_release(&name);
	return rc;
}

/* Ask for the contents that are to be read, all at once, and hand them on.  After an error there
 * is nothing more to be had: an answer would be read out of step. */
static int
contents_read_asked(struct contents *c, struct error *err)
{
	struct buf ids;
	int rc = 0;

	if (c->asked_count == 0)
		return 0;
	if (c->objects.pid == -1 && git_objects_open(&c->objects, err) != 0)
		return -1;
	buf_init(&ids, 65536);
	for (size_t i = 0; i < c->asked_count; i++) {
		buf_append(&ids, c->asked[i].id, c->asked[i].id_len);
		buf_append_char(&ids, '\n');
	}
	if (buf_check(&ids, err) != 0 || git_objects_ask(&c->objects, &ids, err) != 0)
		rc = -1;
	buf_release(&ids);
	for (size_t i = 0; rc == 0 && i < c->asked_count; i++)
		rc = contents_read_one(c, &c->asked[i], err);
	c->asked_count = 0;
	return rc;
}

/* Read the content of the record, when there are enough of them, or by contents_read_asked. */
static int
contents_read(struct contents *c, const struct record *r, struct error *err)
{
	c->asked[c->asked_count++] = *r;
	return c->asked_count == GIT_OBJECTS_ASKED ? contents_read_asked(c, err) : 0;
}

/* List the records that git tells with the ${fixed} arguments (up to NULL) and the paths. */
static int
contents_list(struct contents *c, const char *const fixed[], const char *const paths[], size_t n,
    struct error *err)
{
	const char **argv;
	struct buf top;
	size_t k = 0;
	int rc, status = 0;

	while (fixed[k] != NULL)
		k++;
	if ((argv = calloc(k + n + 1, sizeof(*argv))) == NULL)
		return error_memory(err);
	memcpy(argv, fixed, k * sizeof(*argv));
	for (size_t i = 0; i < n; i++)
		argv[k + i] = paths[i];
	buf_init(&top, 65536);
	rc = git_run(argv, &c->list, &status, err);
	/* Why it failed is worth two more of its processes: where there is no work tree, it says
	 * how it is called. */
	if (rc == 0 && status != 0) {
		buf_clear(&c->list);
		rc = git_top(&top, err) != 0 || git_run(argv, &c->list, NULL, err) != 0 ? -1 : 0;
	}
	(void)buf_cstr(&c->list);
	buf_release(&top);
	free(argv);
	return rc;
}

static void
contents_init(struct contents *c, git_content_fn *each, void *cookie)
{
	*c = (struct contents){ .objects = GIT_OBJECTS_NONE, .each = each, .cookie = cookie };
	buf_init(&c->list, BUF_MAX_FILE);
}

static void
contents_release(struct contents *c)
{
	git_objects_close(&c->objects);
	buf_release(&c->list);
}

/* Is it a file, and neither a link nor another repository? */
static bool
record_is_file(const struct record *r)
{
	return strncmp(r->mode, "100", 3) == 0;
}

int
git_staged(const char *const paths[], size_t n, git_takes_fn *takes, git_content_fn *each,
    void *cookie, struct error *err)
{
	static const char *const fixed[] = { "diff", "--cached", "--raw", "-z", "--no-renames",
		"--no-abbrev", "--no-ext-diff", "--diff-filter=AMT", "--", NULL };
	struct record r = { .commit = NULL };
	struct contents c;
	int rc;

	contents_init(&c, each, cookie);
	rc = contents_list(&c, fixed, paths, n, err);
	while (rc == 0 && next_record(&c, &r))
		if (record_is_file(&r) && takes(cookie, r.path))
			rc = contents_read(&c, &r, err);
	if (rc == 0)
		rc = contents_read_asked(&c, err);
	contents_release(&c);
	return rc;
}

/* Keep that the content of the path was come across.  1: it was before. */
static int
history_is_seen(struct map *seen, const struct record *r, struct error *err)
{
	/* Behind the id stand the kind of change, a NUL and the path. */
	const size_t n = (size_t)(r->path - r->id) + strlen(r->path);
	size_t ignored;

	if (map_get(seen, r->id, n, &ignored))
		return 1;
	return map_put(seen, r->id, n, 0) == 0 ? 0 : error_memory(err);
}

int
git_history(const char *const paths[], size_t n, git_takes_fn *takes, git_content_fn *each,
    void *cookie, struct error *err)
{
	static const char *const fixed[] = { "-c", "log.showRoot=true", "log", "--all",
		"--topo-order", "--reverse", "--raw", "-z", "-m", "--no-renames", "--no-abbrev",
		"--no-ext-diff", "--no-color", "--no-show-signature", "--diff-filter=AMT",
		"--format=commit %H", "--", NULL };
	struct map *seen = map_new();
	struct record r = { .commit = "" };
	struct contents c;
	int rc, is;

	contents_init(&c, each, cookie);
	rc = seen != NULL ? contents_list(&c, fixed, paths, n, err) : error_memory(err);
	while (rc == 0 && next_record(&c, &r)) {
		if (!record_is_file(&r) || !takes(cookie, r.path))
			continue;
		if ((is = history_is_seen(seen, &r, err)) != 0) {
			rc = is == 1 ? 0 : -1;
			continue;
		}
		rc = contents_read(&c, &r, err);
	}
	if (rc == 0)
		rc = contents_read_asked(&c, err);
	contents_release(&c);
	map_free(seen);
	return rc;
}

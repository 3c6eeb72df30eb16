#include <sys/types.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "file/file.h"
#include "registry/audit/audit_anchor.h"
#include "registry/audit/audit_files.h"
#include "registry/audit/audit_internal.h"
#include "registry/audit/audit_sink_file.h"

#define AGAIN_MS 10000		/* after a rename that failed */

struct moved {
	char *name;
	uint64_t seq;
};

struct moved_list {
	struct moved *files;
	size_t count;
};

static int
audit_rotate_by_seq(const void *a, const void *b)
{
	const struct moved *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* The files that we moved away, oldest first. */
static void
list_moved(const char *folder, const char *base, struct moved_list *out)
{
	size_t n = strlen(base);
	struct moved *more;
	struct dirent *d;
	DIR *dir = opendir(folder);
	uint64_t seq;

	*out = (struct moved_list){ NULL, 0 };
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (strncmp(d->d_name, base, n) != 0 ||
		    (seq = audit_files_named(d->d_name + n)) == 0)
			continue;
		more = realloc(out->files, (out->count + 1) * sizeof(*more));
		if (more == NULL)
			break;
		out->files = more;
		more[out->count] = (struct moved){ strdup(d->d_name), seq };
		out->count += more[out->count].name != NULL;
	}
	if (dir != NULL)
		closedir(dir);
	if (out->count > 0)
		qsort(out->files, out->count, sizeof(*out->files), audit_rotate_by_seq);
}

/* Remove all but the newest.  The anchor says first where the log begins then. */
static void
audit_rotate_prune(struct audit *a)
{
	size_t n = (size_t)(file_basename(a->file) - a->file);
	char folder[PATH_MAX] = ".", path[PATH_MAX];
	struct moved_list list;
	size_t i, extra;

	if (a->keep == 0 || n >= sizeof(folder))
		return;
	if (n > 0)
		snprintf(folder, sizeof(folder), "%.*s", (int)n, a->file);
	list_moved(folder, file_basename(a->file), &list);
	extra = list.count > a->keep ? list.count - a->keep : 0;
	if (extra > 0) {
		a->first = list.files[extra - 1].seq + 1;
		if (audit_anchor_write(a->file, a->key, &a->chain, a->first, NULL) != 0)
			extra = 0;
		else
			a->anchored = a->chain.seq;
	}
	for (i = 0; i < extra; i++)
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, list.files[i].name) <
		    sizeof(path))
			(void)!unlink(path);
	for (i = 0; i < list.count; i++)
		free(list.files[i].name);
	free(list.files);
}

int
audit_rotate(struct audit *a, size_t coming)
{
	uint64_t size = audit_sink_file_size(a->sink_file);
	char name[PATH_MAX], stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	if (a->rotate_bytes == 0 || size == 0 || size + coming <= a->rotate_bytes ||
	    audit_sink_file_fd(a->sink_file) < 0 || a->chain.seq == 0 ||
	    audit_sink_file_torn(a->sink_file) > 0 || audit_now() < a->rotate_again_ms)
		return 0;
	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm) == 0 ||
	    (size_t)snprintf(name, sizeof(name), "%s.%s-%" PRIu64, a->file, stamp, a->chain.seq) >=
	    sizeof(name))
		return 0;
	if (audit_sink_file_move(a->sink_file, name, NULL) != 0) {
		/* The log goes on in the old file. */
		a->rotate_again_ms = audit_now() + AGAIN_MS;
		return 0;
	}
	audit_rotate_prune(a);
	return 1;
}

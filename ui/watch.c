#include "ui/watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/time.h"
#include "base/vec.h"
#include "document/scope.h"
#include "estate/estate.h"
#include "file/file.h"
#include "ui/term.h"

#define FOLDERS_MAX 8192	/* more are looked at by their times */
#define NAMES_MAX 4096		/* more at once: all is looked for again */
#define LINKS_MAX 100000
#define QUIET_MS 200		/* after the last event: programs write in several steps */
#define LONGEST_MS 1000		/* after the first */
#define POLL_MS 5000
#define CHECK_FILES 500		/* at once */
#define PATH_BYTES_MAX 65536
#define EVENTS (IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | \
	IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* File systems on which others may write without this host being told. */
static const unsigned int remote[] = { 0x6969 /* NFS */, 0x517b /* SMB */, 0xff534d42 /* CIFS */,
	0xfe534d42 /* SMB2 */, 0x01021997 /* 9P */, 0x65735546 /* FUSE */, 0x00c36400 /* Ceph */ };

struct watch_folder {
	char *path;		/* with a slash at its end, or "" */
	int wd;			/* -1: it is looked at by its time */
	int64_t changed;	/* then: when it was, as of the last look */
	bool used;
};

struct watch {
	int fd;			/* -1: there is no inotify */
	const struct estate *estate;
	const struct scope *scope;
	struct map *files;	/* path -> number in the estate; NULL: none */
	struct vec folders;	/* of struct watch_folder */
	struct map *by_path;	/* -> number in the folders */
	struct vec names;	/* of char *: paths that something was told of */
	struct vec links;	/* of char *: files that are links, also such as lead nowhere now */
	bool all;		/* something that only a new look can tell */
	bool check;		/* of new folders files may have changed before */
	size_t checked;		/* how many were looked at for that */
	bool polls;		/* some folders or files are looked at by their times */
	uint64_t first, last;	/* when something was told; 0: nothing was */
	uint64_t next_poll;
};

struct watch *
watch_new(bool may_ask, struct error *err)
{
	struct watch *w = error_alloc(sizeof(*w), err);

	if (w == NULL)
		return NULL;
	w->fd = may_ask ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
	vec_init(&w->folders, sizeof(struct watch_folder), (size_t)1 << 24);
	vec_init(&w->names, sizeof(char *), NAMES_MAX);
	vec_init(&w->links, sizeof(char *), LINKS_MAX);
	return w;
}

static struct watch_folder *
folder_at(const struct watch *w, size_t i)
{
	return vec_at(&w->folders, i);
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	if (w->fd != -1)
		close(w->fd);
	for (size_t i = 0; i < w->folders.len; i++)
		free(folder_at(w, i)->path);
	vec_release(&w->folders);
	vec_release_strings(&w->names);
	vec_release_strings(&w->links);
	map_free(w->files);
	map_free(w->by_path);
	free(w);
}

int
watch_fd(const struct watch *w)
{
	return w->fd;
}

/* --- which folders --- */

static const char *
folder_name(const struct watch_folder *f)
{
	return f->path[0] != '\0' ? f->path : ".";
}

static bool
folder_is_remote(const struct watch_folder *f)
{
	struct statfs st;

	if (statfs(folder_name(f), &st) != 0)
		return false;
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if ((unsigned int)st.f_type == remote[i])
			return true;
	return false;
}

static void
folder_start(struct watch *w, struct watch_folder *f)
{
	struct stat st;

	f->wd = w->fd != -1 && w->folders.len <= FOLDERS_MAX && !folder_is_remote(f) ?
	    inotify_add_watch(w->fd, folder_name(f), EVENTS) : -1;
	if (f->wd == -1)
		f->changed = stat(folder_name(f), &st) == 0 ? time_of(&st.st_mtim) : 0;
}

/* A watch is of a folder, whatever its name is now, and one folder has one.  It goes unless
 * another name has come to it. */
static void
folder_let_go(const struct watch *w, const struct watch_folder *f)
{
	for (size_t i = 0; i < w->folders.len; i++)
		if (folder_at(w, i) != f && folder_at(w, i)->used &&
		    folder_at(w, i)->wd == f->wd)
			return;
	(void)inotify_rm_watch(w->fd, f->wd);
}

/* Another folder may have its name since. */
static void
folder_renew(struct watch *w, struct watch_folder *f)
{
	int wd = f->wd != -1 ? inotify_add_watch(w->fd, folder_name(f), EVENTS) : -1;

	if (wd == f->wd)
		return;
	folder_let_go(w, f);
	folder_start(w, f);
	w->check = true;
	w->checked = 0;
}

/* Of a folder with files; ${empty}: of one that has none, which is only followed where the system
 * tells of it.  False: it is not. */
static bool
watch_add_folder(struct watch *w, const char *path, size_t len, bool empty)
{
	struct watch_folder *f;
	size_t i;

	if (w->by_path != NULL && map_get(w->by_path, path, len, &i)) {
		f = folder_at(w, i);
		if (!f->used) {
			f->used = true;
			folder_renew(w, f);
		}
		return true;
	}
	if ((f = vec_push(&w->folders)) == NULL)
		return false;
	f->path = strndup(path, len);
	if (f->path != NULL)
		folder_start(w, f);
	if (f->path == NULL || w->by_path == NULL || (empty && f->wd == -1) ||
	    map_put(w->by_path, f->path, len, w->folders.len - 1) != 0) {
		free(f->path);
		w->folders.len--;
		return false;
	}
	f->used = true;
	w->check = true;
	w->checked = 0;
	return true;
}

/* Those that have no file any more are let go; the others keep their watches. */
static void
watch_drop_unused(struct watch *w)
{
	struct map *by_path = map_new();
	size_t kept = 0;

	w->polls = false;
	for (size_t i = 0; i < w->folders.len; i++)
		if (!folder_at(w, i)->used && folder_at(w, i)->wd != -1)
			folder_let_go(w, folder_at(w, i));
	for (size_t i = 0; i < w->folders.len; i++) {
		struct watch_folder *f = folder_at(w, i);

		if (f->used && by_path != NULL &&
		    map_put(by_path, f->path, strlen(f->path), kept) == 0) {
			w->polls = w->polls || f->wd == -1;
			*folder_at(w, kept++) = *f;
			continue;
		}
		free(f->path);
	}
	w->folders.len = kept;
	map_free(w->by_path);
	w->by_path = by_path;
}

/* The folders in which no file was found: one may come. */
static void
watch_add_empty(struct watch *w, const struct estate *e)
{
	bool told = true;
	struct buf path;

	for (size_t i = 0; told && i < estate_folder_count(e) && w->folders.len < FOLDERS_MAX;
	    i++) {
		const char *folder = estate_folder(e, i);

		buf_init(&path, PATH_BYTES_MAX);
		if (strcmp(folder, ".") != 0)
			buf_append_str(&path, folder);
		if (path.len > 0 && path.data[path.len - 1] != '/')
			buf_append_char(&path, '/');
		told = !path.failed && watch_add_folder(w, buf_cstr(&path), path.len, true);
		buf_release(&path);
	}
}

static bool
watch_has(const struct watch *w, const char *path)
{
	size_t i;

	return w->files != NULL && map_get(w->files, path, strlen(path), &i);
}

/* Those of the estate, and those that were some and lead nowhere at the moment. */
static void
watch_add_links(struct watch *w, const struct estate *e)
{
	struct vec before = w->links;
	struct stat st;

	vec_init(&w->links, sizeof(char *), LINKS_MAX);
	for (size_t i = 0; i < estate_count(e); i++)
		if (estate_file(e, i)->is_link)
			(void)vec_push_string(&w->links, estate_file(e, i)->path,
			    strlen(estate_file(e, i)->path));
	for (size_t i = 0; i < before.len; i++) {
		const char *path = vec_string(&before, i);

		if (!watch_has(w, path) && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
			(void)vec_push_string(&w->links, path, strlen(path));
	}
	vec_release_strings(&before);
}

void
watch_follow(struct watch *w, const struct estate *e, const struct scope *scope)
{
	w->estate = e;
	w->scope = scope;
	map_free(w->files);
	w->files = map_new();
	if (w->by_path == NULL)
		w->by_path = map_new();
	for (size_t i = 0; i < w->folders.len; i++)
		folder_at(w, i)->used = false;
	for (size_t i = 0; w->files != NULL && i < estate_count(e); i++) {
		const char *path = estate_file(e, i)->path;

		if (map_put(w->files, path, strlen(path), i) != 0)
			break;
		watch_add_folder(w, path, (size_t)(file_basename(path) - path), false);
	}
	watch_add_empty(w, e);
	watch_add_links(w, e);
	watch_drop_unused(w);
	w->polls = w->polls || w->links.len > 0;
	if (w->check && w->first == 0)
		w->first = w->last = clock_ms();
	if (w->next_poll == 0)
		w->next_poll = clock_ms() + POLL_MS;
}

/* --- what is told --- */

static const struct watch_folder *
watch_find(const struct watch *w, int wd)
{
	for (size_t i = 0; i < w->folders.len; i++)
		if (folder_at(w, i)->wd == wd)
			return folder_at(w, i);
	return NULL;
}

static void
watch_note(struct watch *w, const struct inotify_event *e)
{
	const struct watch_folder *f = watch_find(w, e->wd);
	struct buf path;

	/* Kubernetes changes all files of a volume by this link. */
	if ((e->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF)) != 0 ||
	    (e->len > 0 && strcmp(e->name, "..data") == 0)) {
		w->all = true;
	} else if (f == NULL || e->len == 0 || e->name[0] == '.' || w->all) {
		return;
	} else if ((e->mask & IN_ISDIR) != 0) {
		w->all = w->all || (e->mask & (IN_ATTRIB | IN_MODIFY)) == 0;
		if (!w->all)
			return;
	} else {
		buf_init(&path, PATH_BYTES_MAX);
		buf_append_str(&path, f->path);
		buf_append_str(&path, e->name);
		if (path.failed || vec_push_string(&w->names, (const char *)path.data, path.len) ==
		    NULL)
			w->all = true;
		buf_release(&path);
	}
	w->last = clock_ms();
	if (w->first == 0)
		w->first = w->last;
}

void
watch_read(struct watch *w)
{
	_Alignas(struct inotify_event) char bytes[16384];
	const struct inotify_event *e;
	ssize_t n;

	while ((n = read(w->fd, bytes, sizeof(bytes))) > 0)
		for (char *p = bytes; p < bytes + n; p += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)(const void *)p;
			watch_note(w, e);
		}
}

uint64_t
watch_until(const struct watch *w)
{
	uint64_t until;

	if (w->check && w->checked > 0)
		return 1;
	if (w->first == 0)
		return w->polls ? w->next_poll : 0;
	until = w->last + QUIET_MS;
	return until < w->first + LONGEST_MS ? until : w->first + LONGEST_MS;
}

/* --- what it comes to --- */

/* Is this file of the estate another one now?  ${told}: something was told of it, and one that
 * could not be read is read again.  True: it is gone, or no file. */
static bool
watch_look(const struct watch *w, size_t i, bool told, struct vec *changed)
{
	const struct estate_file *f = estate_file(w->estate, i);
	struct stat st;
	bool is_there = stat(f->path, &st) == 0;

	if (f->problem != NULL && !told && (!is_there || !S_ISREG(st.st_mode) ||
	    time_of(&st.st_ctim) == f->changed))
		return false;
	if (!is_there)
		return f->problem == NULL || errno == ENOENT;
	if (!S_ISREG(st.st_mode))
		return true;
	return (time_of(&st.st_mtim) != f->changed || f->problem != NULL) &&
	    vec_push_string(changed, f->path, strlen(f->path)) == NULL;
}

/* A file that is none of the estate's: true if it may be one. */
static bool
watch_is_new(const struct watch *w, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && scope_takes_file(w->scope, path);
}

/* By their times: folders, and the files (but if ${looked}) in those that are not watched, and
 * what links lead to, by whatever way. */
static bool
watch_poll(struct watch *w, bool looked, struct vec *changed)
{
	bool all = false;
	struct stat st;
	int64_t now;
	size_t at;

	for (size_t i = 0; i < w->folders.len; i++) {
		struct watch_folder *f = folder_at(w, i);

		if (f->wd != -1)
			continue;
		now = stat(folder_name(f), &st) == 0 ? time_of(&st.st_mtim) : 0;
		all = all || now != f->changed;
		f->changed = now;
	}
	for (size_t i = 0; !all && !looked && i < estate_count(w->estate); i++) {
		const char *path = estate_file(w->estate, i)->path;

		if (estate_file(w->estate, i)->is_link || (map_get(w->by_path, path,
		    (size_t)(file_basename(path) - path), &at) && folder_at(w, at)->wd == -1))
			all = watch_look(w, i, false, changed);
	}
	for (size_t i = 0; !all && i < w->links.len; i++)
		all = !watch_has(w, vec_string(&w->links, i)) &&
		    watch_is_new(w, vec_string(&w->links, i));
	return all;
}

bool
watch_tick(struct watch *w, uint64_t now, struct vec *changed)
{
	uint64_t until = watch_until(w);
	bool all = w->all;
	size_t i;

	if (until == 0 || now < until || w->estate == NULL)
		return false;
	vec_sort_strings(&w->names);
	for (size_t k = 0; !all && k < w->names.len; k++) {
		const char *path = vec_string(&w->names, k);

		if (k > 0 && strcmp(path, vec_string(&w->names, k - 1)) == 0)
			continue;
		all = w->files != NULL && map_get(w->files, path, strlen(path), &i) ?
		    watch_look(w, i, true, changed) : watch_is_new(w, path);
	}
	/* In pieces: a key may come. */
	for (i = 0; w->check && !all && i < CHECK_FILES; i++, w->checked++)
		if (w->checked < estate_count(w->estate))
			all = watch_look(w, w->checked, false, changed);
	vec_release_strings(&w->names);
	w->all = false;
	w->first = w->last = 0;
	if (w->polls && now >= w->next_poll) {
		all = watch_poll(w, w->check, changed) || all;
		w->next_poll = now + POLL_MS;
	}
	w->check = w->check && !all && w->checked < estate_count(w->estate);
	return all;
}

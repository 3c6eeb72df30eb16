/*
 * Cut the power: sealing, and a rotation from its plan to its end or back, are run call by call,
 * and before each call the disk is made as a cut just then may leave it.  Names and contents
 * that were put there since the last fsync of their folder or file are there or not, each for
 * itself; of what was appended there may be a half.  Then the rotation is gone on with, and taken
 * back: nothing may be lost.  Each disk is one test.
 *
 * usage: power_cut PROGRAM
 *
 * (The program is not run: its core is, in a child.)
 */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "crypto/key.h"
#include "estate/estate.h"
#include "file/file.h"
#include "rotation/rotation.h"
#include "secrets/secrets_file.h"
#include "tests/torture/estate.h"
#include "tests/torture/gate.h"

#define ENVIRONMENTS 2
#define CONFIGURATIONS 2	/* of each */
#define HOME "state/rotations"	/* of sessions; nothing of it is there at first */
#define PASSPHRASE "the new Passphrase"
#define NAMES 64
#define INODES 512
#define ALL_OF 7		/* so many doubts are tried in all ways, more in some */
#define SHOWN 5

static const struct act {
	const char *name;
	enum rotation_kind kind;	/* 0: values are sealed */
	bool back;			/* rolled back, else finished */
} acts[] = {
	{ "seal", 0, false },
	{ "all keys, finish", ROTATION_BOTH, false },
	{ "all keys, rollback", ROTATION_BOTH, true },
	{ "data keys, finish", ROTATION_DATA_KEY, false },
	{ "data keys, rollback", ROTATION_DATA_KEY, true },
};

struct name {
	char path[128];
	ino_t ino;
	mode_t mode;
};

struct names {
	struct name all[NAMES];
	size_t n;
};

struct inode {
	ino_t ino;
	size_t now, disk;	/* numbers of texts */
};

/* What there is, and what of it is on disk. */
struct point {
	struct names now, disk;
	struct inode inodes[INODES];
	size_t n;
};

static char folder[PATH_MAX];
static char old_keys[ENVIRONMENTS][ESTATE_KEY], new_salt[128];
static struct key *new_key;
static struct saved first[ENVIRONMENTS];		/* the secrets files, sealed */
static struct vec texts;			/* of struct buf, each once; number 0 is empty */
static struct vec points;			/* of struct point */
static struct map *text_numbers, *seen;
static struct point state;
static unsigned long passed, failed, lost;

/* --- what there is --- */

static size_t
text_of(const char *path)
{
	struct buf text, *kept;
	size_t number = 0;

	buf_init(&text, BUF_MAX_FILE);
	if (file_read(path, &text, NULL, NULL) == 0 && text.len > 0 &&
	    !map_get(text_numbers, text.data, text.len, &number)) {
		number = texts.len;
		if ((kept = vec_push(&texts)) != NULL)
			*kept = text;
		if (kept == NULL || map_put(text_numbers, text.data, text.len, number) != 0)
			die("no memory");
		return number;
	}
	buf_release(&text);
	return number;
}

static struct inode *
inode_of(struct point *p, ino_t ino)
{
	size_t i = 0;

	while (i < p->n && p->inodes[i].ino != ino)
		i++;
	if (i == p->n) {
		if (++p->n > INODES)
			die("too many files");
		p->inodes[i] = (struct inode){ .ino = ino };
	}
	return &p->inodes[i];
}

/* Add what lies below ${path}, a folder before what is in it.  Locks are nothing after a cut. */
static void
look(const char *path)
{
	DIR *d = opendir(path[0] != '\0' ? path : ".");
	const struct dirent *e;
	struct name *n;
	struct stat st;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    strstr(e->d_name, PATH_LOCK) != NULL)
			continue;
		if (state.now.n == NAMES)
			die("too many names");
		n = &state.now.all[state.now.n];
		snprintf(n->path, sizeof(n->path), "%.60s%s%.60s", path, path[0] != '\0' ? "/" : "",
		    e->d_name);
		if (lstat(n->path, &st) != 0)
			continue;
		n->ino = st.st_ino;
		n->mode = st.st_mode;
		state.now.n++;
		if (S_ISDIR(st.st_mode))
			look(n->path);
		else
			inode_of(&state, st.st_ino)->now = text_of(n->path);
	}
	if (d != NULL)
		closedir(d);
}

static bool
is_in(const struct name *n, const char *dir)
{
	const char *slash = strrchr(n->path, '/');
	size_t len = slash != NULL ? (size_t)(slash - n->path) : 0;

	return strlen(dir) == len && strncmp(n->path, dir, len) == 0;
}

/* The folder's names are on disk as they are now. */
static void
sync_folder(const char *dir)
{
	struct names left = { .n = 0 };

	for (size_t i = 0; i < state.disk.n; i++)
		if (!is_in(&state.disk.all[i], dir))
			left.all[left.n++] = state.disk.all[i];
	for (size_t i = 0; i < state.now.n && left.n < NAMES; i++)
		if (is_in(&state.now.all[i], dir))
			left.all[left.n++] = state.now.all[i];
	state.disk = left;
}

static void
sync_all(void)
{
	state.disk = state.now;
	for (size_t i = 0; i < state.n; i++)
		state.inodes[i].disk = state.inodes[i].now;
}

/* gate_run's: keep what there is before the call; then what the call puts on disk. */
static int
watch(void *cookie, const struct gate_call *c)
{
	char link[64], path[PATH_MAX] = "";
	size_t below = strlen(folder);
	struct point *p;
	struct stat st;
	ssize_t n;

	(void)cookie;
	state.now.n = 0;
	look("");
	if ((p = vec_push(&points)) != NULL)
		*p = state;
	else
		die("no memory");
	if (c->nr == SYS_syncfs)
		sync_all();
	if (c->nr != SYS_fsync && c->nr != SYS_fdatasync)
		return 0;
	snprintf(link, sizeof(link), "/proc/%ld/fd/%d", (long)c->pid, (int)c->args[0]);
	if (stat(link, &st) != 0 || (n = readlink(link, path, sizeof(path) - 1)) < 0)
		die(link);
	if (S_ISREG(st.st_mode))
		inode_of(&state, st.st_ino)->now = inode_of(&state, st.st_ino)->disk = text_of(link);
	else if (strncmp(path, folder, below) == 0)
		sync_folder(path[below] == '/' ? path + below + 1 : "");
	return 0;
}

/* --- a disk after the cut --- */

static const struct name *
name_find(const struct names *in, const char *path)
{
	for (size_t i = 0; i < in->n; i++)
		if (strcmp(in->all[i].path, path) == 0)
			return &in->all[i];
	return NULL;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

/* What is not sure: paths first, then inodes. */
struct doubts {
	const char *paths[2 * NAMES];
	const struct inode *inodes[INODES];
	size_t path_count, count;
};

static void
doubts_find(const struct point *p, struct doubts *d)
{
	const struct name *n;

	d->path_count = d->count = 0;
	for (size_t i = 0; i < p->now.n; i++)
		if ((n = name_find(&p->disk, p->now.all[i].path)) == NULL ||
		    n->ino != p->now.all[i].ino)
			d->paths[d->path_count++] = p->now.all[i].path;
	for (size_t i = 0; i < p->disk.n; i++)
		if (name_find(&p->now, p->disk.all[i].path) == NULL)
			d->paths[d->path_count++] = p->disk.all[i].path;
	d->count = d->path_count;
	for (size_t i = 0; i < p->n; i++)
		if (p->inodes[i].now != p->inodes[i].disk)
			d->inodes[d->count++ - d->path_count] = &p->inodes[i];
}

/* Which doubts came out as if all had been done: a bit each of ${done}. */
static bool
is_done(uint64_t done, size_t i)
{
	return i < 64 && (done >> i & 1) != 0;
}

/* Write one name of the disk.  ${half}: of what was appended. */
static void
write_name(const struct point *p, const struct doubts *d, uint64_t done, bool half,
    const struct name *n)
{
	const struct inode *x = NULL;
	const struct buf *text, *disk;
	size_t i = 0, len;
	FILE *f;

	if (S_ISDIR(n->mode)) {
		(void)mkdir(n->path, n->mode & 07777);
		return;
	}
	while (i < p->n && p->inodes[i].ino != n->ino)
		i++;
	x = &p->inodes[i];
	for (i = d->path_count; i < d->count && d->inodes[i - d->path_count] != x; i++)
		;
	disk = vec_at(&texts, x->disk);
	text = i < d->count && is_done(done, i) ? vec_at(&texts, x->now) : disk;
	len = text->len;
	if (half && len > disk->len)
		len -= (len - disk->len) / 2;
	if ((f = fopen(n->path, "w")) == NULL)
		return;
	if (fwrite(text->data, 1, len, f) != len || fchmod(fileno(f), n->mode & 07777) != 0 ||
	    fclose(f) != 0)
		die(n->path);
}

static void
clear(void)
{
	if (system("rm -rf ./* ./.[!.]*") != 0)
		die("rm");
}

static void
write_disk(const struct point *p, const struct doubts *d, uint64_t done, bool half)
{
	const struct names *both[] = { &p->disk, &p->now };
	struct name all[2 * NAMES] = { { .ino = 0 } };
	size_t i, count = 0;

	for (size_t b = 0; b < 2; b++)
		for (size_t k = 0; k < both[b]->n; k++) {
			const struct name *n = &both[b]->all[k];

			for (i = 0; i < d->path_count && strcmp(d->paths[i], n->path) != 0; i++)
				;
			if (i == d->path_count ? b == 0 : is_done(done, i) == (b == 1))
				all[count++] = *n;
		}
	/* A folder comes before what is in it; what is in one that is not there is not, too. */
	qsort(all, count, sizeof(all[0]), by_path);
	clear();
	for (i = 0; i < count; i++)
		write_name(p, d, done, half, &all[i]);
}

/* --- what is done, and what has to be true after it --- */

static struct key *
find_key(void *cookie, const struct rotation_want *w, struct error *err)
{
	(void)cookie;
	if (w->is_new && w->salt != NULL) {
		if (new_key == NULL || strcmp(w->salt, new_salt) != 0) {
			key_free(new_key);
			snprintf(new_salt, sizeof(new_salt), "%s", w->salt);
			new_key = key_derive(PASSPHRASE, strlen(PASSPHRASE), w->salt,
			    strlen(w->salt), w->iterations, w->length, err);
		}
		return new_key != NULL ? key_copy(new_key, err) : NULL;
	}
	return estate_old_key(old_keys, ENVIRONMENTS, w, err);
}

static const struct rotation_callbacks callbacks = { .key = find_key };

static struct rotation *
make_session(enum rotation_kind kind, struct error *err)
{
	static const char *const paths[] = { "." };
	const struct rotation_request q = { .kind = kind, .home = HOME, .paths = paths,
		.path_count = 1, .passphrase = PASSPHRASE, .passphrase_len = strlen(PASSPHRASE),
		.common = kind == ROTATION_BOTH };
	struct estate *e = estate_new(paths, 1, err);
	struct rotation *r = NULL;
	int rc = e != NULL ? 1 : -1;

	while (rc > 0)
		rc = estate_step(e, 1000, err);
	if (rc == 0)
		r = rotation_plan(&q, e, &callbacks, NULL, err);
	estate_free(e);
	return r;
}

static int
verify(struct rotation *r, struct error *err)
{
	size_t differences;

	return rotation_verify(r, &callbacks, NULL, &differences, err) != 0 || differences > 0 ||
	    rotation_counts(r)->same != (size_t)ENVIRONMENTS * CONFIGURATIONS ? -1 : 0;
}

/* gate_run's: what the power is cut in. */
static int
run_act(const void *what)
{
	const struct act *act = what;
	struct rotation *r;
	struct error err;
	int rc = 0;

	if (act->kind == 0) {
		for (int e = 0; rc == 0 && e < ENVIRONMENTS; e++)
			rc = estate_seal(e, CONFIGURATIONS, old_keys[e]);
		return rc;
	}
	r = make_session(act->kind, &err);
	rc = r == NULL || rotation_apply(r, &callbacks, NULL, &err) != 0 ? 1 : 0;
	if (rc == 0 && act->back)
		rc = rotation_rollback(r, &callbacks, NULL, &err);
	else if (rc == 0)
		rc = verify(r, &err) != 0 || rotation_finish(r, &callbacks, NULL, &err) != 0;
	rotation_close(r);
	return rc;
}

/* Is the value of a configuration there, in clear or sealed under one of the keys? */
static const char *
check_value(int e, int c, struct secrets_file *s)
{
	char path[64], name[64], value[64], text[96];
	struct saved k;
	bool clear_text, reference;
	size_t entry;

	value_of(value, e, c);
	snprintf(path, sizeof(path), "e%d/c%d.properties", e, c);
	snprintf(name, sizeof(name), "c%d.properties/a.password", c);
	snprintf(text, sizeof(text), "a.password=%s\nlisteners=x\n", value);
	if (access(path, F_OK) != 0)
		return "a configuration is gone";
	k = get(path);
	clear_text = strstr(buf_cstr(&k.bytes), text) != NULL;
	reference = strstr(buf_cstr(&k.bytes), name) != NULL;
	buf_release(&k.bytes);
	if (clear_text)
		return NULL;
	entry = secrets_file_find(s, name, strlen(name));
	return reference && entry != SIZE_MAX && secrets_file_holds(s, entry, value, strlen(value)) ?
	    NULL : "a value is lost";
}

static const char *
check_values(void)
{
	const char *why = NULL;
	char path[64];

	for (int e = 0; e < ENVIRONMENTS && why == NULL; e++) {
		struct key *old = key_from_base64(old_keys[e], strlen(old_keys[e]), NULL);
		struct secrets_file *s;

		snprintf(path, sizeof(path), "e%d/secrets.properties", e);
		if ((s = secrets_file_load(path, NULL)) == NULL ||
		    (secrets_file_unlock(s, old, NULL) != 0 &&
		    (new_key == NULL || secrets_file_unlock(s, new_key, NULL) != 0)))
			why = "a secrets file does not open";
		for (int c = 0; c < CONFIGURATIONS && why == NULL; c++)
			why = check_value(e, c, s);
		secrets_file_free(s);
		key_free(old);
	}
	return why;
}

static const char *
check_first(void)
{
	const char *why = NULL;
	struct saved k;

	for (int e = 0; e < ENVIRONMENTS && why == NULL; e++) {
		if (access(first[e].path, F_OK) != 0)
			return "a secrets file is gone";
		k = get(first[e].path);
		if (!buf_equal(&k.bytes, &first[e].bytes))
			why = "an original is not as it was";
		buf_release(&k.bytes);
	}
	return why;
}

/* The folder of the session, if it came as far as a plan. */
static bool
find_session(char out[PATH_MAX])
{
	DIR *d = opendir(HOME);
	const struct dirent *e;
	bool found = false;

	while (d != NULL && !found && (e = readdir(d)) != NULL) {
		snprintf(out, PATH_MAX, HOME "/%s/plan", e->d_name);
		found = e->d_name[0] != '.' && access(out, F_OK) == 0;
	}
	if (d != NULL)
		closedir(d);
	if (found)
		*strrchr(out, '/') = '\0';
	return found;
}

/* Go on with the session, or back.  NULL: all came out right. */
static const char *
recover(bool back)
{
	struct error err = { .code = ERROR_NONE };
	struct rotation *r;
	char dir[PATH_MAX];
	const char *why = NULL;

	/* Without a session there is no way back: nothing may have gone forward. */
	if (!find_session(dir))
		return check_first();
	if ((r = rotation_open_locked(dir, NULL, 0, &err)) == NULL) {
		why = "the session does not open";
	} else if (rotation_is_finishing(r)) {
		why = rotation_finish(r, &callbacks, NULL, &err) != 0 ? "finish fails" : NULL;
	} else if (back || rotation_is_rolling_back(r)) {
		why = rotation_rollback(r, &callbacks, NULL, &err) != 0 ? "rollback fails" :
		    check_first();
	} else if (rotation_apply(r, &callbacks, NULL, &err) != 0) {
		why = "resume fails";
	} else if (verify(r, &err) != 0) {
		why = "not all values are the same";
	}
	rotation_close(r);
	if (why != NULL && getenv("GATE_VERBOSE") != NULL)
		fprintf(stderr, "%s: %s\n", err.file, err.text);
	return why;
}

/* --- all disks of all points --- */

static void
try_disk(const struct act *act, size_t number, const struct doubts *d, uint64_t done, bool half)
{
	const struct point *p = vec_at(&points, number);
	struct buf all;
	size_t ignored;
	bool known;

	/* What was tried need not be tried again. */
	write_disk(p, d, done, half);
	state.now.n = 0;
	state.n = 0;
	look("");
	buf_init(&all, BUF_MAX_FILE);
	for (size_t i = 0; i < state.now.n; i++)
		buf_printf(&all, "%s %zu\n", state.now.all[i].path,
		    inode_of(&state, state.now.all[i].ino)->now);
	known = map_get(seen, all.data, all.len, &ignored);
	if (!known && map_put(seen, all.data, all.len, 0) != 0)
		die("no memory");
	buf_release(&all);
	for (int back = 0; !known && back < (act->kind == 0 ? 1 : 2); back++) {
		const char *why;

		if (back != 0)
			write_disk(p, d, done, half);
		why = act->kind == 0 ? NULL : recover(back != 0);
		if (why == NULL)
			why = check_values();
		if (why == NULL) {
			passed++;
			continue;
		}
		lost++;
		if (failed++ < SHOWN)
			printf("FAIL %s, cut before call %zu of %zu, doubts %zu as %llx%s, then %s: "
			    "%s\n", act->name, number + 1, points.len, d->count,
			    (unsigned long long)done, half ? " by half" : "",
			    back != 0 ? "rollback" : "resume", why);
	}
}

static void
try_point(const struct act *act, size_t number)
{
	uint64_t all;
	struct doubts d;

	doubts_find(vec_at(&points, number), &d);
	if (d.count > 60)
		die("too many doubts");
	all = ((uint64_t)1 << d.count) - 1;
	for (uint64_t done = 0; d.count <= ALL_OF && done <= all; done++)
		try_disk(act, number, &d, done, false);
	try_disk(act, number, &d, all, true);
	for (size_t i = 0; d.count > ALL_OF && i < d.count; i++)
		for (size_t k = i; k < d.count; k++) {
			uint64_t two = (uint64_t)1 << i | (uint64_t)1 << k;

			try_disk(act, number, &d, two, false);
			try_disk(act, number, &d, all & ~two, false);
		}
	if (d.count > ALL_OF) {
		try_disk(act, number, &d, 0, false);
		try_disk(act, number, &d, all, false);
	}
}

static void
try_act(const struct act *act)
{
	struct gate_run run = { .call = run_act, .what = act, .folder = folder, .decide = watch };
	unsigned long before = passed + failed;
	char path[64];

	clear();
	for (int e = 0; e < ENVIRONMENTS; e++) {
		estate_make(e, CONFIGURATIONS, old_keys[e]);
		snprintf(path, sizeof(path), "e%d/secrets.properties", e);
		if (act->kind != 0 && estate_seal(e, CONFIGURATIONS, old_keys[e]) != 0)
			die("sealing");
		first[e] = get(path);
	}
	memset(&state, 0, sizeof(state));
	look("");
	sync_all();
	if (gate_run(&run) != 0)
		die(act->name);
	seen = map_new();
	for (size_t i = 0; i < points.len; i++)
		try_point(act, i);
	map_free(seen);
	for (int e = 0; e < ENVIRONMENTS; e++)
		buf_release(&first[e].bytes);
	printf("%-20s %4zu calls, %5lu points\n", act->name, points.len,
	    passed + failed - before);
	fflush(stdout);
	vec_release(&points);
}

int
main(int argc, char **argv)
{
	(void)argv;
	if (argc != 2) {
		fprintf(stderr, "usage: power_cut PROGRAM\n");
		return 2;
	}
	if (!gate_begin(folder))
		return 0;
	text_numbers = map_new();
	vec_init(&texts, sizeof(struct buf), 1U << 24);
	vec_init(&points, sizeof(struct point), 1U << 20);
	if (text_numbers == NULL || vec_push(&texts) == NULL)
		die("no memory");
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		try_act(&acts[i]);
	gate_folder_remove(folder);
	printf("%lu points, %lu lost\n%lu passed, %lu failed\n", passed + failed, lost, passed,
	    failed);
	return failed == 0 && passed > 100 ? 0 : 1;
}

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/map.h"
#include "base/text.h"
#include "base/time.h"
#include "file/lock.h"
#include "file/replace.h"
#include "registry/base/data_file.h"

#define PREFIX "User:"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

#define FOLDER_MODE 0700
#define LOCK_TIMEOUT_MS 10000
#define FORMAT 1

/* What a terminal or a log would not show as itself. */
static bool
is_unseen(uint32_t cp)
{
	/* Those of e0100 and above choose the form of a letter, also in names. */
	return (text_is_treacherous(cp) && cp < 0xe0080) ||
	    cp == 0x034f || cp == 0x115f || cp == 0x1160 || cp == 0x180e || cp == 0x2800 ||
	    cp == 0x3164 || cp == 0xffa0;
}

static bool
principal_has_prefix(const char *text, size_t n)
{
	return n >= PREFIX_LEN && memcmp(text, PREFIX, PREFIX_LEN) == 0;
}

bool
principal_normalise(const char *text, size_t n, char out[PRINCIPAL_MAX])
{
	const unsigned char *p;
	uint32_t cp;
	size_t i, len;

	out[0] = '\0';
	if (principal_has_prefix(text, n)) {
		text += PREFIX_LEN;
		n -= PREFIX_LEN;
	}
	/* A name that began so would be another one when it is read again. */
	if (n == 0 || n >= PRINCIPAL_MAX || principal_has_prefix(text, n))
		return false;
	p = (const unsigned char *)text;
	for (i = 0; i < n; i += len) {
		len = text_utf8_decode(p + i, n - i, &cp);
		if (len == 0 || is_unseen(cp))
			return false;
		if ((i == 0 || i + len == n) && text_is_blank(p + i, len))
			return false;
	}
	memcpy(out, text, n);
	out[n] = '\0';
	return true;
}

bool
principal_is_user(const char *name)
{
	return strchr(name, ':') == NULL;
}

struct data_items {
	char *items;
	size_t size, count;
	struct map *by_name;
};

static atomic_uint edits;

/* Counts the changes that this process has made to any of the files. */
static unsigned
data_file_edits(void)
{
	return atomic_load_explicit(&edits, memory_order_acquire);
}

void
data_file_changed(void)
{
	atomic_fetch_add_explicit(&edits, 1, memory_order_release);
}

static const struct data_source *source;

void
data_file_from(const struct data_source *s)
{
	source = s;
	data_file_changed();
}

static bool
data_file_is_elsewhere(const char *path, struct file_id *id)
{
	return source != NULL && source->have(path, id);
}

int
data_file_identify(const char *path, struct file_id *id, struct error *err)
{
	return data_file_is_elsewhere(path, id) ? 0 : file_identify(path, id, err);
}

char *
data_file_path(const char *data, const char *name, struct error *err)
{
	size_t n = strlen(data) + strlen(name) + 2;
	char *path = malloc(n);

	if (path == NULL) {
		error_memory(err);
		return NULL;
	}
	snprintf(path, n, "%s/%s", data, name);
	return path;
}

int
data_file_check_mark(const char *data, struct error *err)
{
	char *path = data_file_path(data, DATA_FILE_MARK, err);
	struct stat st;
	int rc;

	if (path == NULL)
		return -1;
	rc = stat(path, &st);
	if (rc == 0 && source != NULL) {
		error_set(err, ERROR_BUSY, "users, tokens, bindings and roles are being taken over "
		    "into the topic: try again");
	} else if (rc == 0) {
		error_set(err, ERROR_REFUSED, "the users, tokens, bindings and roles of this "
		    "registry are in its topic");
		error_place(err, path, 0);
		error_hint(err, "list and change them where the registry runs: --url URL instead "
		    "of --data; `propseal registry copy local` makes "
		    "them files again");
	}
	free(path);
	return rc == 0 ? -1 : 0;
}

/* jansson's text may quote the file, which may hold anything: only the place. */
static int
bad_json(const char *path, const json_error_t *why, struct error *err)
{
	if (json_error_code(why) == json_error_duplicate_key)
		error_set(err, ERROR_FORMAT, "a name stands twice in one JSON object");
	else
		error_set(err, ERROR_FORMAT, "not JSON");
	error_place(err, path, why->line > 0 ? (size_t)why->line : 0);
	return error_hint(err, "put a whole copy back, or correct the file");
}

int
data_file_read(const char *path, size_t max, json_t **root, struct file_id *id, struct error *err)
{
	struct error why;
	struct buf text;
	json_error_t bad;
	int rc = -1;

	*root = NULL;
	if (data_file_is_elsewhere(path, id))
		return source->read(path, root, err);
	*id = (struct file_id){ 0 };
	buf_init(&text, max);
	if (file_read(path, &text, id, &why) != 0) {
		if (why.code == ERROR_MISSING) {
			*id = (struct file_id){ 0 };
			rc = 0;
		} else if (err != NULL)
			*err = why;
		goto out;
	}
	/* Who may write it decides who may do what. */
	if (file_writers(id->mode, id->uid, id->gid) != 0) {
		error_set(err, ERROR_REFUSED, "others than its owner may write this file (mode "
		    "%04o)", (unsigned)id->mode & 07777);
		error_place(err, path, 0);
		error_hint(err, "look whether what it says is what it should, then chmod go-w it");
		goto out;
	}
	*root = json_loadb(text.len > 0 ? (const char *)text.data : "", text.len,
	    JSON_REJECT_DUPLICATES, &bad);
	if (*root == NULL) {
		bad_json(path, &bad, err);
		goto out;
	}
	if (!json_is_object(*root)) {
		json_decref(*root);
		*root = NULL;
		error_set(err, ERROR_FORMAT, "not a JSON object");
		error_place(err, path, 1);
		goto out;
	}
	rc = 0;
out:
	buf_release(&text);
	return rc;
}

int
data_file_check_format(const json_t *root, const char *path, struct error *err)
{
	const json_t *format = json_object_get(root, "format");

	if (format == NULL || (json_is_integer(format) && json_integer_value(format) == FORMAT))
		return 0;
	error_set(err, ERROR_FORMAT, "the format is not %d", FORMAT);
	error_place(err, path, 0);
	return error_hint(err, "the file was written by a newer propseal");
}

int
data_file_bad(const char *name, const char *what, struct error *err)
{
	error_set(err, ERROR_FORMAT, "%s", what);
	return error_key(err, name, strlen(name));
}

/* NULL in ${*table}: there is no file.  -1: there is one without it. */
static int
table_find(const struct data_table *t, const json_t *root, json_t **table, struct error *err)
{
	*table = json_object_get(root, t->member);
	if (root == NULL || json_is_object(*table))
		return 0;
	return error_set(err, ERROR_FORMAT, "there is no table \"%s\"", t->member);
}

json_t *
data_table_open(const struct data_table *t, json_t *root, bool for_one_more, struct error *err)
{
	json_t *table;

	if (json_object_get(root, t->member) == NULL &&
	    data_file_set(root, t->member, json_object(), err) != 0)
		return NULL;
	if (table_find(t, root, &table, err) != 0)
		return NULL;
	if (!for_one_more || json_object_size(table) < t->max)
		return table;
	error_set(err, ERROR_LIMIT, "there are %zu %s already", t->max, t->member);
	return NULL;
}

void
data_items_free(struct data_items *all)
{
	if (all == NULL)
		return;
	map_free(all->by_name);
	free(all->items);
	free(all);
}

/* Fill ${all} with the items of the table. */
static int
items_fill(struct data_items *all, const struct data_table *t, json_t *table, struct error *err)
{
	const char *name;
	json_t *value;
	char *item;

	if (json_object_size(table) > t->max)
		return error_set(err, ERROR_LIMIT, "more than %zu %s", t->max, t->member);
	all->items = calloc(json_object_size(table) + 1, t->size);
	all->by_name = map_new();
	if (all->items == NULL || all->by_name == NULL)
		return error_memory(err);
	json_object_foreach(table, name, value) {
		item = all->items + all->count * t->size;
		if (t->take(name, value, item, err) != 0)
			return -1;
		if (map_put(all->by_name, item, strlen(item), all->count) != 0)
			return error_memory(err);
		all->count++;
	}
	return 0;
}

/* ${root} gets what was parsed (the caller's to release), if it is not NULL. */
static struct data_items *
items_read(const struct data_table *t, const char *path, struct file_id *id, json_t **root,
    struct error *err)
{
	struct data_items *all = NULL;
	json_t *table;

	if (data_file_read(path, DATA_FILE_MAX, root, id, err) != 0 ||
	    (*root != NULL && data_file_check_format(*root, path, err) != 0))
		return NULL;
	if ((all = error_alloc(sizeof(*all), err)) == NULL)
		return NULL;
	all->size = t->size;
	if (table_find(t, *root, &table, err) == 0 && items_fill(all, t, table, err) == 0)
		return all;
	error_place(err, path, 0);
	data_items_free(all);
	return NULL;
}

struct data_items *
data_items_read(const struct data_table *t, const char *path, struct file_id *id,
    struct error *err)
{
	json_t *root = NULL;
	struct data_items *all = items_read(t, path, id, &root, err);

	json_decref(root);
	return all;
}

const void *
data_items_find(const struct data_items *all, const char *name, size_t n)
{
	size_t i;

	return map_get(all->by_name, name, n, &i) ? all->items + i * all->size : NULL;
}

int
data_table_list(const struct data_table *t, const char *data, data_table_visit_fn *visit,
    void *cookie, struct error *err)
{
	char *path = data_file_path(data, t->file, err);
	struct data_items *all = NULL;
	json_t *root = NULL, *table;
	const char *name;
	struct file_id id;
	size_t i;
	int rc = -1;

	if (path != NULL && (all = items_read(t, path, &id, &root, err)) != NULL) {
		table = json_object_get(root, t->member);
		for (i = 0; i < all->count; i++) {
			name = all->items + i * all->size;
			visit(cookie, name, json_object_get(table, name));
		}
		rc = 0;
	}
	data_items_free(all);
	json_decref(root);
	free(path);
	return rc;
}

int
data_file_set(json_t *o, const char *name, json_t *value, struct error *err)
{
	return json_object_set_new(o, name, value) == 0 ? 0 : error_memory(err);
}

/* So that a folder that was just made is there after a crash, too. */
static void
sync_parent(const char *folder)
{
	char *copy = strdup(folder);
	char *slash;
	int fd;

	if (copy == NULL)
		return;
	slash = copy + strlen(copy);
	while (slash > copy + 1 && slash[-1] == '/')
		*--slash = '\0';
	slash = strrchr(copy, '/');
	if (slash != NULL)
		slash[slash == copy ? 1 : 0] = '\0';
	fd = open(slash != NULL ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		(void)fsync(fd);
		close(fd);
	}
	free(copy);
}

static int
data_file_make_folder(const char *folder, struct error *err)
{
	struct stat st;

	if (stat(folder, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
		return error_io(err, folder, "cannot use as the data folder");
	}
	if (mkdir(folder, FOLDER_MODE) == 0) {
		sync_parent(folder);
		return 0;
	}
	return errno == EEXIST ? 0 : error_io(err, folder, "cannot make the data folder");
}

/* The service's own user must be able to read what root has made for it. */
static int
give_to_owner(const char *folder, const char *path, struct error *err)
{
	struct stat st;

	if (geteuid() != 0 || stat(folder, &st) != 0 || st.st_uid == 0)
		return 0;
	if (lchown(path, st.st_uid, st.st_gid) != 0)
		return error_io(err, path, "cannot give to the owner of its folder");
	return 0;
}

/* A number with a fraction, as the reader's library spells it. */
static void
write_real(struct json_out *o, const char *key, const json_t *value)
{
	char text[64];
	size_t n = json_dumpb(value, text, sizeof(text), JSON_ENCODE_ANY);

	json_out_raw_n(o, key, text, n <= sizeof(text) ? n : 0);
}

static void
write_scalar(struct json_out *o, const char *key, const json_t *value)
{
	if (json_is_integer(value))
		json_out_int(o, key, json_integer_value(value));
	else if (json_is_real(value))
		write_real(o, key, value);
	else if (json_is_boolean(value))
		json_out_bool(o, key, json_is_true(value));
	else
		json_out_null(o, key);
}

int
data_json_write(struct json_out *o, const char *key, const json_t *value, data_json_text_fn *text,
    void *cookie)
{
	json_t *member;
	const char *name;
	size_t i;

	if (json_is_string(value)) {
		const char *s = json_string_value(value);
		size_t n = json_string_length(value);

		if (text != NULL)
			return text(cookie, o, key, s, n);
		json_out_text_n(o, key, s, n);
	} else if (json_is_object(value)) {
		json_out_object(o, key);
		json_object_foreach((json_t *)(uintptr_t)value, name, member) {
			if (data_json_write(o, name, member, text, cookie) != 0)
				return -1;
		}
		json_out_end(o);
	} else if (json_is_array(value)) {
		json_out_array(o, key);
		json_array_foreach(value, i, member) {
			if (data_json_write(o, NULL, member, text, cookie) != 0)
				return -1;
		}
		json_out_end(o);
	} else {
		write_scalar(o, key, value);
	}
	return 0;
}

static int
data_file_write_file(const char *path, const struct file_id *id, const json_t *root,
    struct error *err)
{
	struct json_out o;
	struct buf content;
	int rc = -1;

	/* Hashes of passwords: not for swap and cores. */
	buf_init_secret(&content, DATA_FILE_MAX);
	json_out_init(&o, &content);
	json_out_pretty(&o);
	(void)data_json_write(&o, NULL, root, NULL, NULL);
	if (json_out_finish(&o, err) == 0)
		rc = replace_file(path, id, &content, err);
	else
		error_place(err, path, 0);
	buf_release(&content);
	return rc;
}

int
data_file_edit(const char *data, const char *name, data_file_change_fn *change, void *cookie,
    struct error *err)
{
	const char *paths[1];
	struct lock *lock = NULL;
	struct file_id id;
	json_t *root = NULL;
	char *path;
	int rc = -1;

	if (data_file_make_folder(data, err) != 0 || (path = data_file_path(data, name,
	    err)) == NULL)
		return -1;
	if (data_file_is_elsewhere(path, &id)) {
		rc = source->edit(path, change, cookie, err);
		goto out;
	}
	paths[0] = path;
	lock = lock_files(paths, 1, LOCK_TIMEOUT_MS, NULL, NULL, err);
	if (lock == NULL || data_file_check_mark(data, err) != 0 ||
	    (source != NULL && source->may_edit_files(err) != 0) ||
	    data_file_read(path, DATA_FILE_MAX, &root, &id, err) != 0)
		goto out;
	if (root == NULL && (root = json_pack("{s:i}", "format", FORMAT)) == NULL) {
		error_memory(err);
		goto out;
	}
	if (data_file_check_format(root, path, err) != 0)
		goto out;
	rc = change(cookie, root, err);
	if (rc < 0) {
		if (err != NULL && err->code == ERROR_FORMAT && err->file[0] == '\0')
			error_place(err, path, 0);
		goto out;
	}
	if (rc == 0)
		goto out;
	rc = data_file_write_file(path, &id, root, err);
	if (rc == 0 && !id.exists)
		rc = give_to_owner(data, path, err);
	if (rc == 0)
		data_file_changed();
out:
	json_decref(root);
	lock_release(lock);
	free(path);
	return rc;
}

void
data_file_date(int64_t seconds, char out[DATA_FILE_DATE])
{
	bool fits = seconds <= INT64_MAX / 1000 && seconds >= 0;

	(void)time_text(fits ? seconds * 1000 : INT64_MAX, TIME_SECONDS, out);
}

bool
data_file_parse_date(const char *text, int64_t *seconds)
{
	int64_t ms;

	if (!time_parse(text, TIME_SECONDS, &ms))
		return false;
	*seconds = ms / 1000;
	return true;
}

int64_t
watch_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
watch_init(struct watch *w)
{
	atomic_init(&w->next_ms, 0);
	atomic_init(&w->applied, data_file_edits());
	w->claimed = 0;
	pthread_mutex_init(&w->looking, NULL);
}

void
watch_destroy(struct watch *w)
{
	pthread_mutex_destroy(&w->looking);
}

static bool
is_applied(struct watch *w)
{
	return atomic_load_explicit(&w->applied, memory_order_acquire) == data_file_edits();
}

bool
watch_begin(struct watch *w)
{
	int64_t now, next;

	/* What this process has written is in force for all that comes later. */
	if (!is_applied(w)) {
		watch_begin_now(w);
		if (!is_applied(w))
			return true;
		pthread_mutex_unlock(&w->looking);
		return false;
	}
	now = watch_now_ms();
	next = atomic_load_explicit(&w->next_ms, memory_order_relaxed);
	if (now < next || !atomic_compare_exchange_strong(&w->next_ms, &next, now + WATCH_MS) ||
	    pthread_mutex_trylock(&w->looking) != 0)
		return false;
	w->claimed = data_file_edits();
	return true;
}

void
watch_begin_now(struct watch *w)
{
	pthread_mutex_lock(&w->looking);
	w->claimed = data_file_edits();
}

void
watch_end(struct watch *w)
{
	atomic_store_explicit(&w->applied, w->claimed, memory_order_release);
	pthread_mutex_unlock(&w->looking);
}

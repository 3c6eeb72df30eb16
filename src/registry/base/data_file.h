#ifndef REGISTRY_BASE_DATA_FILE_H
#define REGISTRY_BASE_DATA_FILE_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "file/file.h"

struct json_out;

#define PRINCIPAL_MAX 256	/* bytes, the NUL included */

/**
 * principal_normalise(text, n, out):
 * The name of a user or service as it is kept and compared: one leading
 * "User:" is dropped (two are refused).  False unless 1-255 bytes of UTF-8 are left that can
 * all be seen (no control characters, no bidirectional overrides) and have no
 * blank at either end.  A ':' is fine here, as in the URI of a certificate.
 */
bool principal_normalise(const char *text, size_t n, char out[PRINCIPAL_MAX]);

/* May it log in with a password?  HTTP Basic ends a name at the first ':'. */
bool principal_is_user(const char *name);

/*
 * The JSON files of the data folder that people administer: users.json,
 * tokens.json, bindings.json, roles.json; and the JWKS file, which is read
 * alike.  A name that stands twice in an object is an error.
 */
#define DATA_FILE_MAX ((size_t)64 << 20)	/* bytes */
#define DATA_FILE_DATE TIME_TEXT	/* 2026-01-31T23:59:59Z and NUL */

/* "DIR/NAME", freed by the caller.  NULL: no memory. */
char *data_file_path(const char *data, const char *name, struct error *err);

/**
 * data_file_read(path, max, root, id, err):
 * Parse the object in ${path}; ${id} is that of what was read.  A missing
 * file gives NULL in ${*root} and is no error.  ERROR_FORMAT: not a JSON
 * object (with the line); ERROR_IO, ERROR_LIMIT, ERROR_REFUSED (also: others may
 * write it).
 */
int data_file_read(const char *path, size_t max, json_t **root, struct file_id *id,
    struct error *err);

#define USERS_FILE "users.json"
#define TOKENS_FILE "tokens.json"
#define BINDINGS_FILE "bindings.json"
#define ROLES_FILE "roles.json"

/* What file_identify says of it, which changes when its content does. */
int data_file_identify(const char *path, struct file_id *id, struct error *err);

/* Something else has changed what the files say: see struct watch. */
void data_file_changed(void);

/* A table of names in one of them: {"format":1,"MEMBER":{NAME:{...}}}. */
struct data_table {
	const char *file;	/* in the data folder */
	const char *member;
	size_t max;		/* names */
	size_t size;		/* of an item in memory: its name first, NUL-terminated */

	/* Check what stands for ${name}, and fill the item (zeroed).  ERROR_FORMAT. */
	int (*take)(const char *name, const json_t *value, void *item, struct error *err);
};

/* The table as it is looked up. */
struct data_items;

/* None where there is no such file.  Errors are at the file and the name. */
struct data_items *data_items_read(const struct data_table *t, const char *path,
    struct file_id *id, struct error *err);
void data_items_free(struct data_items *items);

/* NULL: there is none of this name. */
const void *data_items_find(const struct data_items *items, const char *name, size_t n);

/* Call ${visit} with the item and the JSON of each name in DATA/FILE, in its order. */
typedef void data_table_visit_fn(void *cookie, const void *item, const json_t *value);
int data_table_list(const struct data_table *t, const char *data, data_table_visit_fn *visit,
    void *cookie, struct error *err);

/* The table, to be changed: made if it is not there, ERROR_LIMIT where it is full. */
json_t *data_table_open(const struct data_table *t, json_t *root, bool for_one_more,
    struct error *err);

/* ERROR_FORMAT about what stands for a name.  Returns -1. */
int data_file_bad(const char *name, const char *what, struct error *err);

/* json_object_set_new with ERROR_MEMORY. */
int data_file_set(json_t *o, const char *name, json_t *value, struct error *err);

/**
 * data_file_edit(data, name, change, cookie, err):
 * Change DATA/NAME as a whole, under its lock: ${change} gets its object (a
 * new one has "format": 1) and returns 1 (write it), 0 (nothing to write) or
 * -1.  Members that it does not touch stay.  The folder is made (0700) if
 * need be; a new file is 0600 and, when root makes it, belongs to the
 * folder's owner.
 */
typedef int data_file_change_fn(void *cookie, json_t *root, struct error *err);
int data_file_edit(const char *data, const char *name, data_file_change_fn *change,
    void *cookie, struct error *err);

/**
 * data_json_write(o, key, value, text, cookie):
 * Write what was parsed, its members in the order in which they stand there.
 * Each text in it goes through ${text}, which writes it with the key, and -1
 * from which ends the writing; NULL: it is written as it is.
 */
typedef int data_json_text_fn(void *cookie, struct json_out *o, const char *key,
    const char *text, size_t n);
int data_json_write(struct json_out *o, const char *key, const json_t *value,
    data_json_text_fn *text, void *cookie);

/* The time ${seconds} after 1970 in UTC, RFC 3339. */
void data_file_date(int64_t seconds, char out[DATA_FILE_DATE]);

/* The reverse; false: not exactly of that form. */
bool data_file_parse_date(const char *text, int64_t *seconds);

/* "format" must be 1 (or absent).  ERROR_FORMAT. */
int data_file_check_format(const json_t *root, const char *path, struct error *err);

/*
 * What stands in the place of users.json, tokens.json, bindings.json and roles.json of
 * one folder: see data_records.h.  With a topic, DATA/in-topic says to who comes without
 * it that these files are not in force.
 */
struct data_source {
	bool (*have)(const char *path, struct file_id *id);	/* as data_file_identify */
	int (*read)(const char *path, json_t **root, struct error *err);
	int (*edit)(const char *path, data_file_change_fn *change, void *cookie,
	    struct error *err);
	int (*may_edit_files)(struct error *err);	/* as long as there is no other place */
};

/* From here on, until NULL is given; both while nobody else asks. */
void data_file_from(const struct data_source *s);

#define DATA_FILE_MARK "in-topic"

/* ERROR_REFUSED: it is there; ERROR_BUSY: there is a source, but the files are only about
 * to be no more. */
int data_file_check_mark(const char *data, struct error *err);

/*
 * When to look whether files have changed: by one thread every few
 * milliseconds, and before anything else goes on when this process has
 * changed one itself.  The usual answer costs a few loads and the coarse
 * clock.
 */
struct watch {
	_Atomic int64_t next_ms;
	atomic_uint applied;	/* data_file_edits() as of the last look */
	unsigned claimed;
	pthread_mutex_t looking;
};

#define WATCH_MS 5

void watch_init(struct watch *w);
void watch_destroy(struct watch *w);

/* true: look now; nobody else does until watch_end. */
bool watch_begin(struct watch *w);

/* The same without a condition, for the start and SIGHUP. */
void watch_begin_now(struct watch *w);
void watch_end(struct watch *w);

/* The coarse monotonic clock (its step is 4 ms on most kernels). */
int64_t watch_now_ms(void);

#endif /* !REGISTRY_BASE_DATA_FILE_H */

#ifndef AUDIT_AUDIT_INTERNAL_H
#define AUDIT_AUDIT_INTERNAL_H

#include <pthread.h>

#include "audit/audit.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "file/file.h"

struct document;
struct environment;

/* What the parts of an audit share. */

struct audit {
	const struct audit_options *o;
	struct vec findings;	/* struct audit_finding */
	struct vec files;	/* char * */
	struct vec unread;	/* struct audit_unread */
	struct vec locked;	/* the same */
	struct vec sealed;	/* struct audit_place, with file and key of its own */
	struct vec suppressed;	/* of suppress.c */
	struct vec folders;	/* char *: those with a secrets file */
	struct vec named;	/* char *: files that units name, still to be read */
	struct vec uses;	/* of providers.c */
	struct vec workers;	/* char *: files of Connect workers */
	struct vec places;	/* char *: the keys of ->seen */
	struct map *seen;	/* device and inode of files (once), and the path that led there */
	size_t path_number;	/* which of the paths is at hand, from 1 */
	struct vec leaks;	/* char *: the keys of ->leaked */
	struct map *leaked;	/* what was told of a history; NULL: nothing yet */
	struct audit_counts counts;
	unsigned char *sum_key;	/* secret: SIPHASH_KEY bytes; apart: of the other audit */
	size_t sum_cap;
	bool finished;
	bool apart;		/* of one file at a time: another audit takes over what is found */
	bool folder_waits;	/* apart: the file's folder is to be looked at there */
	struct file_id id;	/* apart: the file, ->exists false: it was not read */
	const struct audit *of;	/* it is a part of that one, which knows environments; else NULL */
	struct vec open_folders;	/* char *: folders that were told */
	char *folder;		/* of the last file whose folder was looked at; NULL: none yet */
	const char *path;	/* of the file at hand; NULL: it is not from a disk */
	int64_t changed;	/* milliseconds, when it was; 0: not known */
	struct audit_estate *estate;
	struct audit_logs *logs;	/* what is looked for there; NULL: nothing */
	struct error text_why;	/* of the text at hand, and of a part of it: they are large */
	struct error why;
};

/* A text that is looked at, or one inside of another. */
struct audit_source {
	struct audit *a;
	const char *name;
	size_t file;		/* in a->files, AUDIT_NONE: it has no finding yet */
	size_t first;		/* its first finding */
	enum form form;
	enum audit_origin origin;
	bool backup;
	bool is_secrets;	/* it is a secrets file */
	bool ours;		/* it begins like what the audit writes */
	bool users;		/* all strings of its outermost object are passwords */
	bool unresolved;	/* of a program that resolves no references */
	bool conflict;		/* of two sides of a merge */
	bool manifest;		/* JSON that is read as YAML: of Kubernetes, of Docker */
	const char *text;
	size_t n;
	size_t read;		/* of JSON: behind the last value that was judged */
	/* Inside of another text: */
	enum form outer;	/* of the file; FORM_NONE: it is the file itself, or one value */
	size_t base_line;	/* lines before it there */
	size_t indent;		/* columns before each of its lines */
	const struct audit_finding *fixed;	/* all of it stands there, NULL: it does not */
	unsigned int depth;
	/* The last place that was told: its line, 0: none, and the columns before it there. */
	size_t at, line, columns;
};

/* What a thread needs to look at files one after another. */
struct audit_reader {
	struct buf small;	/* secret; of files of up to 1 MiB */
	struct buf large;	/* secret; of larger ones */
	pthread_mutex_t *lock;	/* held for a larger one, of several threads; NULL: there is one */
	struct error why;	/* a large thing itself */
};

void audit_reader_init(struct audit_reader *r);
void audit_reader_release(struct audit_reader *r);

/* A file that is to be looked at. */
struct audit_target {
	const char *path;
	const char *name;	/* as it is told: a part of ->path */
	bool claimed;		/* it has to be read, or told */
};

/* Read the file, and look at it.  What cannot be read is kept, or counted. */
int audit_look(struct audit *a, const struct audit_target *t, struct audit_reader *r,
    struct error *err);

/* Files that several threads look at: what they find is taken over into the audit in the order in
 * which the files were added, as if they had been looked at one after another. */
struct audit_pool;

/* How many threads look at files, the calling one among them. */
size_t audit_pool_threads(const struct audit_options *o);

/* ${r}: of the calling thread, which looks at files as well.  NULL: ERROR_MEMORY. */
struct audit_pool *audit_pool_new(struct audit *a, struct audit_reader *r, struct error *err);

/* What was not taken over is lost. */
void audit_pool_free(struct audit_pool *p);

/* Add a file.  Errors: of one that was added before, or of audit_goes_on. */
int audit_pool_add(struct audit_pool *p, const struct audit_target *t, struct error *err);

/* Wait until all that were added are taken over.  Errors: the same. */
int audit_pool_drain(struct audit_pool *p, struct error *err);

/* An audit for files that are looked at apart from ${a}, with its options. */
struct audit *audit_new_apart(const struct audit *a, struct error *err);

/* Move all elements; each has the number of a file at ${offset}, which rises by ${files}. */
int audit_take(struct vec *to, struct vec *from, size_t offset, size_t files, struct error *err);

/* Of an audit of one file: what these files keep, for ${a}. */
int audit_suppressed_take(struct audit *a, struct audit *part, size_t files, struct error *err);
int audit_providers_take(struct audit *a, struct audit *part, size_t files, struct error *err);
int audit_estate_take(struct audit *a, struct audit *part, size_t files, struct error *err);

/* Did an earlier one of several paths lead to the file?  1: yes. */
int audit_is_seen(struct audit *a, const struct file_id *id, struct error *err);

/* What a name claims, going by the patterns of propseal.ini as well. */
struct form_name audit_form_name(const struct audit *a, const char *path);

/* From ${*at} on to ${to}: the line that it is on, and the columns before it there. */
void audit_advance(const char *text, size_t *at, size_t to, size_t *line, size_t *columns);

/* Lines and columns of a place in the text. */
void audit_source_region(struct audit_source *s, size_t from, size_t to,
    struct audit_finding *out);

/* Does who asked for the audit want it to go on?  -1: no. */
int audit_goes_on(const struct audit *a, struct error *err);

/* What tells equal values: a sum under a random key of this audit alone, never 0. */
uint64_t audit_sum(const struct audit *a, const void *value, size_t n);

/* Keep in a->unread or a->locked that a file could not be looked at. */
int audit_keep_unread(struct vec *list, const char *name, const char *reason, struct error *err);

/* A secret that was not changed since ${when} (milliseconds, 0: not known) is told where that
 * is longer ago than it should be.  ${hint}: what to do, NULL: as the rule says. */
int audit_judge_age(struct audit_source *s, const char *key, size_t len,
    const struct audit_finding *region, int64_t when, const char *hint, struct error *err);

/* How much of a file's name is its folder's, without the slash behind it. */
size_t audit_folder_length(const char *file);

/* Keep a finding at ${f}'s region.  NULL: ERROR_MEMORY. */
struct audit_finding *audit_add(struct audit_source *s, enum audit_rule rule, const char *key,
    size_t len, const struct audit_finding *region, struct error *err);

/* Who else can write, or read: before the text at hand is read, of its folder; behind it, of the
 * file ${id} (NULL: it is not from a disk); when all is looked at, of the secrets file of ${x},
 * named by ->files[${file}], and of the file ${path} that refers to it. */
int audit_modes_folder(struct audit_source *s, struct error *err);
int audit_modes_file(struct audit_source *s, const struct file_id *id, struct error *err);
int audit_modes_secrets(struct audit *a, const struct environment *x, size_t file,
    struct error *err);
int audit_modes_readers(struct audit_source *s, const char *path, const struct environment *x,
    struct error *err);

/* Sort the findings of a text that is looked at, and tell them apart by ids. */
int audit_settle(struct audit_source *s, struct error *err);

/* Give the source a number in a->files, if it has none. */
int audit_source_name(struct audit_source *s, struct error *err);

/* Keep its references, for when all secrets files are known; and a secrets file. */
int audit_refer(struct audit_source *s, const struct form_item *i, struct error *err);
int audit_note_secrets(struct audit_source *s, struct error *err);

/* What the audit knows of environments. */
int audit_estate_init(struct audit *a, struct error *err);
void audit_estate_release(struct audit *a);
int audit_estate_finish(struct audit *a, struct error *err);

/* A file that was named itself: its secrets file may lie around it. */
int audit_estate_named(struct audit *a, const char *path, struct error *err);

/* What a key tells of a secrets file and its entries, or that there is none.  ${file}: the number
 * of its name in a->files, AUDIT_NONE: it is none of the files that are looked at. */
int audit_opened(struct audit *a, struct environment *x, size_t file, const struct vec *clear,
    struct error *err);

/* For that: findings of secrets in clear text, as sums of their values. */
int audit_opened_clear(const struct audit *a, struct vec *out, struct error *err);

/* JSON whose name says that users are in it: is it an object with no other one in it, of users and
 * their passwords, and not of the settings of a connector? */
bool audit_lists_users(const char *text, size_t n);

/* Is it a secret that examples and products come with? */
bool audit_is_default(const char *value, size_t n);

/* Call ${each} for the regular files below ${path}, in the order of their names, with path and
 * name.  What is passed over is counted, what cannot be read kept.  Errors: as audit_path. */
typedef int audit_walk_fn(struct audit *a, const char *path, const char *name, struct error *err);
int audit_walk(struct audit *a, const char *path, audit_walk_fn *each, struct error *err);

/* Keep an opened value, sealed at ${place} of a->sealed, to be looked for in logs. */
int audit_logs_keep(struct audit *a, const void *value, size_t n, size_t place,
    struct error *err);

/* Look for all that was kept.  ERROR_MEMORY; ERROR_IO, ERROR_MISSING: a path of logs. */
int audit_logs_search(struct audit *a, struct error *err);
void audit_logs_free(struct audit_logs *l);

/* Look through a text of a known form. */
int audit_source_read(struct audit_source *s, struct error *err);

/* The same of .properties and JSON.  ${*sealed}: it is a secrets file, of which all is told. */
int audit_source_document(struct audit_source *s, enum form form, const struct form_reader *r,
    bool *sealed, struct error *err);

/* References in a configuration that nothing resolves; some are kept until the end. */
void audit_providers_init(struct audit *a);
void audit_providers_release(struct audit *a);
int audit_providers(struct audit_source *s, const struct document *d, struct error *err);
int audit_providers_finish(struct audit *a, struct error *err);

/* Lines that say which findings on the line behind them do not count: those of the file
 * at hand, and the findings from ${first} on, which were made when all files were known. */
void audit_suppressed_init(struct audit *a);
int audit_suppress(struct audit_source *s, struct error *err);
void audit_suppress_late(struct audit *a, size_t first);

#endif /* !AUDIT_AUDIT_INTERNAL_H */

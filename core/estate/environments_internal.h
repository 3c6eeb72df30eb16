#ifndef ESTATE_ENVIRONMENTS_INTERNAL_H
#define ESTATE_ENVIRONMENTS_INTERNAL_H

#include "base/vec.h"
#include "estate/environments.h"
#include "file/file.h"

struct key_ring;
struct map;

/* What environments_files.c (secrets files, keys), environments_counts.c (names, counts) and
 * environments_find.c (which secrets file a path means) and environments_beside.c (those around a
 * file that was named) share. */

#define NAME_BYTES_MAX 65536
#define TEXTS_MAX ((size_t)1 << 26)

/* A path by which a secrets file was found. */
struct position {
	char *path;		/* in one block with ->real */
	const char *real;	/* its folder: absolute, without links */
	struct position *next;	/* NULL: there is no other */
};

struct folder;

struct counted {
	const char *name;	/* as the references have it */
	size_t n;
};

/* Which file it is, by device and inode. */
struct place {
	bool exists;
	dev_t dev;
	ino_t ino;
};

/* An environment, and what only this file knows of it. */
struct known {
	struct environment face;	/* its name is its own, unless it is its path */
	struct environments *all;
	size_t number;		/* 1 + that of ->came; 0: it is not there yet */
	struct place place;
	struct position first;	/* its path is face.path */
	struct counted *counts;	/* by entry of its secrets file, while that is held: how often
				 * it is referred to; NULL: none */
	struct map *references;	/* the same of other names; NULL: none */
	struct map *around;	/* folder that files which refer to it lie in -> 1 */
	const struct folder *last;	/* that was counted */
	const char *used;	/* interned: the path by which it is referred to */
	bool several;		/* there is more than one */
	bool rests;		/* its secrets file can be read, and is not held: */
	uint32_t iterations;	/* its */
	const char *noted;	/* interned: the paths that it notes, each behind a `+` and with its
				 * NUL; NULL: none */
};

/* Which secrets file a path means in a folder. */
struct answer {
	const char *remote;	/* interned */
	size_t len;
	struct known *found;	/* NULL: ->doubt says why not */
	enum environment_doubt doubt;
	const char *one, *other;
};

/* A folder that configuration files lie in. */
struct folder {
	char *given;
	char *real;
	bool in_work_tree;
	bool looked;		/* for sections */
	bool refused;
	bool by_name;		/* a section asks for names of files: answers hold for one */
	const struct environment_section *sections;
	size_t count;
	const char *ini_folder;
	struct vec answers;	/* of struct answer */
	struct map *answer_index;	/* by path; NULL: there are none */
	const char *answers_of;	/* interned: ->by_name, the file that they hold for */
};

/* A path that the estate's references have. */
struct referred {
	const char *remote;	/* interned */
	bool fits;		/* the only secrets file has all their entries */
};

/* An unknown reference. */
struct unknown {
	const char *path;	/* of the configuration file */
	size_t line;
};

/* A secrets file that lies in or below a folder. */
struct below {
	struct known *k;
	size_t next;		/* 1 + the next older one of that folder, 0: none */
	size_t count;		/* so many are they with this one */
};

struct environments {
	const char *const *roots;
	size_t root_count;
	const struct environment_source *source;
	struct secrets_policy policy;
	struct vec all;		/* of struct known * */
	struct vec came;	/* the same, in the order in which they came */
	struct map *by_path, *by_place;	/* -> 1 + the number in ->came */
	struct known *only;	/* NULL: any */
	struct map *near;	/* folder -> 1 + the newest of ->below that lies there or deeper */
	struct vec below;	/* of struct below */
	struct map *noted;	/* paths that a secrets file noted once -> 1 */
	bool destinations;	/* where references are is noted */
	bool lean;		/* of all secrets files one is held: */
	struct known *awake;	/* this one's; NULL: none's */
	struct key_ring *keys;	/* for those that are read later; NULL: none */
	struct vec folders;	/* of struct folder * */
	struct map *folder_index;
	struct folder *last_folder;	/* that was asked for; NULL: none */
	struct vec texts;	/* of char *: interned */
	struct map *text_index;
	struct vec referred;	/* of struct referred */
	struct map *referred_index;
	size_t fitting;		/* so many of them fit */
	struct vec unknown;	/* of struct unknown */
	struct map *unknown_index;	/* by the entry that it names; NULL: none */
	struct map *looked;	/* environments_beside.c's, by folder; NULL: nothing */
};

struct known *known_at(const struct environments *e, size_t i);

/* The one of this path: there already, or new and read (${c}: as environments_add). */
struct known *known_of_path(struct environments *e, const char *path, struct configuration *c,
    struct error *err);

/* Before byte ${n} of an absolute folder without links one of those above it ends, or itself. */
bool folder_ends(const char *folder, size_t n);

/* Have its secrets file, if it can be read.  ERROR_MEMORY. */
int known_wake(struct known *k, struct error *err);

/* Call it by the text.  A former name may still be shown, and stays; without memory it does. */
void known_call(struct known *k, const char *text);

bool known_is_at(const struct known *k, const struct file_id *id);

/* Can it be read, held or not, and does it note the path for itself? */
bool known_is_readable(const struct known *k);
bool known_notes(const struct known *k, const char *path, size_t len);

/* Answers may be others from now on. */
void environments_forget(struct environments *e);

/* The folder of a file.  NULL: no memory. */
struct folder *folder_for(struct environments *e, const char *config);
void folder_free(struct folder *f);
void folder_forget(struct folder *f);

/* One that is not kept: ${given} is taken.  NULL: no memory. */
struct folder *folder_new(char *given);

/* A folder without links where that can be told, else as it is written; the
 * caller frees. */
char *folder_real(const char *folder);

/* Find the sections that are in force in the folder. */
int folder_sections(struct environments *e, struct folder *f, struct error *err);

#endif /* !ESTATE_ENVIRONMENTS_INTERNAL_H */

#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "file/file.h"
#include "secrets/sealed.h"

struct apply;
struct buf;
struct cipher;
struct configuration;
struct edits;
struct error;
struct json_out;
struct key;
struct plan;
struct resolver;
struct secrets_file;

/*
 * A list of edits to files, computed and not yet applied.  Making a plan
 * reads and writes nothing on disk: the loaded secrets file and
 * configurations go in, edits come out.  It can be shown (below) any number
 * of times and applied once (apply.h).  What it is made from must outlive it.
 *
 * Files are applied in an order that makes an interruption harmless: what
 * adds ciphertext (the secrets file) before what removes plaintext
 * (configurations); when removing, the other way round.
 */

enum plan_role { PLAN_SECRETS, PLAN_CONFIG, PLAN_OUTPUT };

/* One file of a plan.  Pointers belong to the plan or to what it was made from. */
struct plan_file {
	enum plan_role role;
	const char *path;
	const struct file_id *id;	/* as read; exists false: a new file */
	struct edits *edits;		/* SECRETS, CONFIG */
	struct buf *content;		/* the whole new file (secret): OUTPUT, and a
					 * CONFIG that was rewritten; else NULL */
};

/* ${s} may be NULL for a plan that touches no secrets file. */
struct plan *plan_new(struct secrets_file *s, struct error *err);
void plan_free(struct plan *p);

/* How many files the plan changes. */
size_t plan_file_count(const struct plan *p);

/* Walk them in the order in which they are applied: the file after ${f}, or the
 * first for NULL; NULL after the last. */
const struct plan_file *plan_next(const struct plan *p, const struct plan_file *f);

/* Nothing to do: every file stays as it is. */
bool plan_is_empty(const struct plan *p);

/**
 * plan_set_order(p, removing):
 * Configurations first (true) or the secrets file first (false, the default).
 * A plan for which both were asked changes the secrets file twice: first what
 * is added, and after the configurations what is removed.
 */
void plan_set_order(struct plan *p, bool removing);

enum plan_order { PLAN_ADDING, PLAN_REMOVING, PLAN_BOTH };
enum plan_order plan_order(const struct plan *p);

/* Remarks for the user that came up, or "".  One a line, no secrets, control
 * characters made visible; one longer than a kilobyte is cut. */
const char *plan_notes(const struct plan *p);
void plan_note(struct plan *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same about a key: "PATH:LINE: KEY ${what}", where ${line} 0 is none.  A
 * long key is cut. */
void plan_note_key(struct plan *p, const char *path, size_t line, const char *key, size_t len,
    const char *what);

/* --- for what computes plans --- */

struct secrets_file *plan_secrets(const struct plan *p);

/* Who else resolves references (reference.h); it must outlive the plan. */
void plan_set_resolver(struct plan *p, const struct resolver *r);
const struct resolver *plan_resolver(const struct plan *p);

/* Knows who else needs a sealed entry; it must outlive the plan. */
struct plan_users {
	/* The place of an entry, of another configuration than ${c} (NULL: than those of the
	 * change), which refers to the sealed entry ${name}.  1: there is one, 0: none is
	 * known, -1: ERROR_MEMORY. */
	int (*find)(void *cookie, const struct configuration *c, const char *name, size_t len,
	    const char **path, size_t *line, struct error *err);
	void *cookie;
};
void plan_set_users(struct plan *p, const struct plan_users *u);

/* As ->find; 0 where there are no users. */
int plan_user(const struct plan *p, const struct configuration *c, const char *name, size_t len,
    const char **path, size_t *line, struct error *err);

/* The edits of the secrets file / of a configuration, made on first use.
 * NULL: ERROR_MEMORY, ERROR_REFUSED (two configurations with one base name). */
struct edits *plan_secrets_edits(struct plan *p, struct error *err);
struct edits *plan_config_edits(struct plan *p, struct configuration *c,
    struct error *err);

/**
 * plan_rewrite_config(p, c, shown, content, err):
 * Give a configuration a whole new text, for a change that is more than edits
 * of the old one: ${content} (secret, moved in) becomes the file.  ${shown}
 * (moved in), edits of c->doc that bring about the same entries, is what a
 * diff shows and what is checked when the file is read back.  Nothing else
 * may be planned for ${c}.  On failure the plan and both are as they were.
 */
int plan_rewrite_config(struct plan *p, struct configuration *c,
    struct edits *shown, struct buf *content, struct error *err);

/* A secret buffer, empty, to be used again and again while planning: one
 * mapping serves a thousand values.  Valid until the next call. */
struct buf *plan_scratch(struct plan *p);

/* The same of ordinary buffers, one for each of these. */
enum plan_buffer { PLAN_NAME, PLAN_REFERENCE, PLAN_SEALED };
struct buf *plan_buffer(struct plan *p, enum plan_buffer which);

/**
 * plan_first(p, kind, file, what, len, err):
 * 1 the first time that the plan is asked about these, 0 after that, -1:
 * ERROR_MEMORY.  For what must be planned once only.
 */
int plan_first(struct plan *p, const char *kind, const char *file, const char *what, size_t len,
    struct error *err);

/* The same, without remembering that it was asked. */
int plan_asked(struct plan *p, const char *kind, const char *file, const char *what, size_t len,
    struct error *err);

/* Is it the first call for this configuration, of which there are edits? */
bool plan_first_of(struct plan *p, const struct configuration *c);

/* Add a whole new file; ${content} (secret) is moved in.  ${expected}: what the file must still
 * be then, as it was read; NULL: what it is now.  On failure the plan is as it was.  ERROR_IO,
 * ERROR_MEMORY. */
int plan_add_output(struct plan *p, const char *path, const struct file_id *expected,
    struct buf *content, struct error *err);

/**
 * plan_use_key(p, data_key, err):
 * From now on the plan seals under ${data_key}, and apply opens every sealed
 * entry that it wrote with it.  Copies the key.
 */
int plan_use_key(struct plan *p, const struct key *data_key,
    struct error *err);

/* Nothing is planned for the secrets file any more, nor a key: what was asked of it before
 * stays remembered (plan_first). */
void plan_take_back_secrets(struct plan *p);

/* The key of plan_use_key, or NULL. */
const struct key *plan_data_key(const struct plan *p);

/* The cipher that the plan seals with: of plan_use_key, else the unlocked
 * secrets file's, else NULL. */
struct cipher *plan_cipher(const struct plan *p);

/**
 * plan_expect_master(p, master, err):
 * The secrets file as written must have a data key that opens under
 * ${master}; apply checks it by reading back.  Copies the key.
 */
int plan_expect_master(struct plan *p, const struct key *master,
    struct error *err);

/* The key of plan_expect_master, or NULL. */
const struct key *plan_expected_master(const struct plan *p);

/* Have the secrets file note the path of a reference that is planned (SECRETS_REMOTE),
 * once, so that it is known to mean this file. */
int plan_put_remote(struct plan *p, const char *remote, struct error *err);

/* A sealed entry and its tag (secrets/sealed.h) are planned together, here. */

/**
 * plan_put_sealed(p, i, name, len, text, n, err):
 * Plan the sealed entry ${name} of the secrets file to be the ENC[...] ${text}:
 * in its line, of the (winning) entry ${i}, or for DOCUMENT_NONE on a new one
 * at the end.
 */
int plan_put_sealed(struct plan *p, size_t i, const char *name, size_t len,
    const void *text, size_t n, struct error *err);

/* The same of what ${plain} is once it is sealed. */
int plan_seal(struct plan *p, size_t i, const char *name, size_t len, enum sealed_cipher cipher,
    const void *plain, size_t n, struct error *err);

/* Does the plan write this sealed entry?  1, 0, or -1: ERROR_MEMORY. */
int plan_writes_sealed(struct plan *p, const char *name, size_t len, struct error *err);

/* Plan the tag alone of an entry that stays as it is: ${text}, which stands (or will stand)
 * at ${entry}. */
int plan_put_tag(struct plan *p, size_t entry, const char *name, size_t len,
    const void *text, size_t n, struct error *err);

/* Plan the removal of every line of the entry; how many in ${*count}. */
int plan_remove_sealed(struct plan *p, const char *name, size_t len,
    size_t *count, struct error *err);

/**
 * diff_append(p, out, err):
 * Append the plan as a masked diff for people: `--- path`/`+++ path`, then for
 * each change `@@ line N @@` and `-key = ...`/`+key = ...` lines, for a part of
 * a value `-key/<label> = ...` or `-key[<from>-<to>] = ...`.  A value is
 * shown only when it is public: a reference, metadata, provider settings;
 * ciphertext is shortened, anything else is `********`.  ${out} is an ordinary buffer.
 */
int diff_append(const struct plan *p, struct buf *out, struct error *err);

/**
 * diff_write_json(p, a, n, o):
 * The same of ${n} plans as members of an object that is open in ${o}.  Plans that
 * are only shown (${a} NULL): "schema":"propseal.plan/1","files":[{"path","role","new","changes":
 * [...],"tags":n}],"notes":[...].  Those that were applied: "schema":
 * "propseal.change/1","changed":bool,"files":[{"file","role","new","entries":
 * [...],"tags":n}],"notes":[...], where a file that was not changed has no
 * entries and an "error".  A change, or entry, is {"op":
 * "set|insert|remove","key","line","from","to"}; of a part of a value it has
 * "part" (the label) or "span" ([from, to)) too.
 */
void diff_write_json(const struct plan *const p[], struct apply *const a[], size_t n,
    struct json_out *o);

/**
 * diff_append_files(a, out):
 * What was changed, in a few words: "a.properties (3 entries), new b.properties
 * (5 entries)", at most some of the names.
 */
void diff_append_files(const struct apply *a, struct buf *out);

#endif /* !PLAN_PLAN_H */

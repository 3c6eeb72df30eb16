#ifndef CLI_CHANGE_H
#define CLI_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/args.h"
#include "plan/change.h"

struct key;
struct options;

/*
 * What a secret flag's value stands for: @FILE a file, - standard input,
 * fd:N an open descriptor; anything else is the text itself.
 */
bool source_is_literal(const struct options *o, enum flag_id id);

/**
 * source_read(o, id, max, out, err):
 * Append the bytes that flag ${id} stands for to ${out} (secret).  A literal
 * text brings a warning.  ERROR_MISSING (no such file), ERROR_IO, ERROR_LIMIT.
 */
int source_read(const struct options *o, enum flag_id id, struct buf *out, struct error *err);

/* A passphrase may have so many bytes, its line end included. */
#define SOURCE_PASSPHRASE_MAX 65536

/**
 * source_passphrase(o, id, text, twice, out, err):
 * The passphrase of flag ${id}, normalised, into the empty ${out} (secret).
 * Without the flag it is asked for with ${text} on the terminal, twice if
 * ${twice}; ERROR_USAGE when there is none.  ERROR_KEY: empty or blank.
 */
int source_passphrase(const struct options *o, enum flag_id id,
    const char *text, bool twice, struct buf *out, struct error *err);

/**
 * source_passphrases(o, old, new, err):
 * --passphrase, if it was given, and --passphrase-new, which is asked for
 * otherwise.  When both name one stream, its first line is the old one and its
 * second line the new one.
 */
int source_passphrases(const struct options *o, struct buf *old,
    struct buf *new, struct error *err);

/*
 * What every command that changes files does around plan/change.h: its files,
 * key and locks are those of the flags; the plan is shown or applied.
 */

/* Load the secrets file that the flag names, and the configuration that is the
 * command's argument, if it has one.  Close ${c} also after a failure. */
int change_open(struct change *c, const struct options *o, bool may_create, struct error *err);

/* A change of the flags, with nothing loaded. */
void change_from_flags(struct change *c, const struct options *o);

/* ERROR_USAGE: --base-name could not be the name of a file. */
int change_check_base_name(const struct change *c, struct error *err);

/* Show the plans of several changes (--dry-run), or say what became of them.  ${left}: something
 * was to be changed that was not. */
int change_show_all(struct change *const c[], size_t n, bool json, struct error *err);
int change_tell_all(struct change *const c[], size_t n, bool left, bool json, struct error *err);

/* The same with another secrets file than the flag's, or none (NULL): for what
 * finds it by the references. */
int change_open_files(struct change *c, const struct options *o, const char *secrets,
    bool may_create, struct error *err);

/* The options of change_open. */
const struct options *change_options(const struct change *c);

/* Say the remarks of a plan on standard error. */
void change_say_notes(const struct plan *p);

/* Apply the plan, and tell of each file that could not be changed but the one
 * that ${err} is about, and what else there is to tell. */
int change_apply_told(struct change *c, struct error *err);

/**
 * change_finish(c, made, err):
 * Show the plan on standard output (--dry-run), or apply it and tell so.
 * ${made}: a master key that the change brings, which is a part of the result
 * as JSON, and otherwise the caller's to print; NULL: none.
 */
int change_finish(struct change *c, const struct key *made, struct error *err);

#define KEY_NOT_SEEN "the secrets file is written and the new master key is in force: the " \
	"passphrase still gives it, so keep the passphrase; on a terminal propseal asks for key " \
	"or passphrase, and `file rotate --master-key` makes and prints another key"

/* Note in the plan what a propseal.ini of the work tree decides about it, and
 * where the service would not find or could not read the secrets file. */
void change_note_settings(const struct change *c);

/* Tell what was changed: a line on standard error, and with -o json the
 * result on standard output. */
int change_tell(struct change *c, const struct key *made, struct error *err);

/* The end of a command: close, and report the error if ${rc} is not 0. */
int change_status(struct change *c, int rc, const struct error *err);

/**
 * change_write_output(c, path, text, err):
 * For what opens values and changes neither file: write ${text} (secret,
 * moved) to ${path}, which must not be one of the loaded files, or show that
 * (--dry-run).  Makes the plan unless there is one.  A stream (report.h) is
 * written to as it is.
 */
int change_write_output(struct change *c, const char *path, struct buf *text, struct error *err);

/* The same with several files and no streams. */
int change_write_outputs(struct change *c, const char *const paths[], struct buf texts[], size_t n,
    struct error *err);

/* A change that is one whole file (core/plan/change.h); what is to be told besides is told. */
int change_write_told(const struct options *o, int lock_timeout_ms, const char *path, bool is_new,
    const struct buf *content, struct error *err);

/* Tell notes that a change gave, a line each. */
void change_say_lines(const char *lines);

/* Called while another process holds a lock (lock_files' callback). */
bool change_waiting(void *cookie, const char *path, int waited_ms, int left_ms);

#endif /* !CLI_CHANGE_H */

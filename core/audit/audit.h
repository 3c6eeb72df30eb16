#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/form.h"
#include "secrets/secrets_file.h"

struct buf;
struct environment_source;
struct error;
struct file_id;
struct key_ring;
struct rules;
struct scope;

/* What an audit looks for. */
enum audit_rule {
	AUDIT_CLEAR_TEXT,
	AUDIT_PRIVATE_KEY,
	AUDIT_URL_CREDENTIALS,
	AUDIT_COMMAND_LINE,
	AUDIT_BACKUP,
	AUDIT_MASTER_KEY_IN_FILE,
	AUDIT_MASTER_KEY_BESIDE,
	AUDIT_KNOWN_PASSPHRASE,
	AUDIT_WEAK,
	AUDIT_DEFAULT,
	AUDIT_SEALED_AND_CLEAR,
	AUDIT_REUSED,
	AUDIT_COMMENT,
	AUDIT_PLACEHOLDER,
	AUDIT_CUT,
	AUDIT_JAAS,
	AUDIT_PROVIDER,
	AUDIT_MALFORMED_REFERENCE,
	AUDIT_DANGLING,
	AUDIT_MISSING_FILE,
	AUDIT_UNKNOWN_ENVIRONMENT,
	AUDIT_ORPHAN,
	AUDIT_COLLISION,
	AUDIT_UNSEALED,
	AUDIT_DAMAGED,
	AUDIT_EXCHANGED,
	AUDIT_UNTAGGED,
	AUDIT_STALE,
	AUDIT_LEGACY_CIPHER,
	AUDIT_WEAK_KDF,
	AUDIT_OLD,
	AUDIT_OPEN_MODE,
	AUDIT_DUPLICATE_KEY,
	AUDIT_UNRESOLVABLE,
	AUDIT_CONFLICT,
	AUDIT_RULES
};

enum audit_level {
	AUDIT_NOTE,
	AUDIT_WARNING,
	AUDIT_ERROR,
	AUDIT_LEVELS		/* as --fail-on: none */
};

struct audit_rule_text {
	const char *id;		/* also the anchor of its section in propseal-audit(1) */
	enum audit_level level;
	const char *name;	/* a few words */
	const char *message;	/* of a finding; what is wrong, never the value */
	const char *why;	/* a sentence or two */
	const char *hint;	/* what to do */
	unsigned int cwe;
	const char *severity;	/* CVSS-like, for SARIF's security-severity */
	bool needs_key;		/* it is not looked for in a secrets file that is locked */
};

const struct audit_rule_text *audit_rule_text(enum audit_rule r);

/* AUDIT_RULES: there is none of this id. */
enum audit_rule audit_rule_find(const char *id, size_t len);

/* "error", "warning", "note"; and back, also "none" (AUDIT_LEVELS).  False: no such level. */
const char *audit_level_name(enum audit_level l);
bool audit_level_find(const char *name, enum audit_level *out);

/*
 * An audit: files and texts are looked at one after another, and what is wrong
 * is kept as findings.  It never keeps a value, nor its length, nor a sum of
 * it that means anything outside of this process.
 */
struct audit;

/* Where a text comes from; what to do about what is in it differs. */
enum audit_origin {
	AUDIT_FROM_FILE,	/* or standard input */
	AUDIT_FROM_PROCESS,
	AUDIT_FROM_CONNECT,
	AUDIT_FROM_LOG,
	AUDIT_FROM_HISTORY
};

struct audit_finding {
	uint64_t id;		/* of rule, file, key, and which of them it is */
	enum audit_rule rule;
	enum audit_level level;
	enum form form;
	enum audit_origin origin;
	size_t file;		/* audit_file */
	const char *key;	/* NUL-terminated, though a NUL may be in it */
	size_t key_len;
	size_t line, column;	/* of the value, from 1; columns in characters */
	size_t end_line, end_column;	/* behind its last character */
	bool known;		/* the baseline has it */
	bool suppressed;	/* by a line before it */
	size_t related;		/* a finding of the same secret elsewhere, AUDIT_NONE: none */
	size_t sealed;		/* the same of where it is sealed (see audit_related) */
	const char *message;	/* what is wrong in particular; NULL: as the rule says */
	const char *hint;	/* what to do in particular; NULL: as the rule or the form says */
	const char *command;	/* that does it, before the file's name; NULL: there is none */
	uint64_t value;		/* tells equal secrets apart from others here; 0: not looked at */
};

#define AUDIT_NONE ((size_t)-1)

struct audit_options {
	const struct rules *rules;	/* NULL: the built-in ones */
	const struct scope *scope;	/* which folders are passed over; NULL: as built in */
	const struct environment_source *source;	/* sections of propseal.ini; NULL: none */
	const char *const *roots;	/* what environments are named after; NULL: here */
	size_t root_count;
	const char *secrets_file;	/* one that was named; NULL: none */
	bool secrets_only;		/* and no other one counts */
	const char *host;		/* the root of what units name; NULL: this host's */
	const char *const *key_names;	/* variables of master keys besides the usual one */
	size_t key_name_count;
	const char *const *logs;	/* where sealed values are looked for: files, folders */
	size_t log_count;
	bool gitignore;			/* pass over what .gitignore files leave out */
	bool no_suppressions;
	bool deep;			/* take the time for slow key derivations */
	bool keep_files;		/* names of all files that are read, not only of some */
	bool once;			/* of several paths: a file that an earlier one led to
					 * is not looked at again */
	size_t threads;			/* that look at files; 0: as many as there are processors */
	int64_t now;			/* milliseconds, for what expires */
	int64_t max_age;		/* milliseconds after which a secret is old; 0: none is */
	const struct key_ring *keys;	/* tried on each secrets file; NULL: all stay locked */
	struct secrets_policy policy;	/* which entries they open */
	const char *provider_class;	/* of securepass; NULL: Confluent's */
	/* Called behind each file of audit_path, and between the steps of audit_finish, in the
	 * thread that called them; -1 with ${err}: these end with it, and the audit is of no use
	 * but for audit_part.  NULL: nobody asks. */
	int (*goes_on)(void *cookie, const struct audit *a, struct error *err);
	void *cookie;
};

/* ${o}, and what it points to, must outlive the audit; while audit_path runs, other threads read
 * what is in it. */
struct audit *audit_new(const struct audit_options *o, struct error *err);
void audit_free(struct audit *a);

/**
 * audit_path(a, path, strip, err):
 * A file, or a folder and all below it.  Files are named without the first
 * ${strip} bytes of their paths.  What cannot be read is kept (audit_unread).
 * ERROR_MEMORY, ERROR_MISSING, ERROR_IO: ${path} itself cannot be looked at.
 */
int audit_path(struct audit *a, const char *path, size_t strip, struct error *err);

/**
 * audit_text(a, name, content, id, err):
 * A text (secret, left as it is) named ${name}; ${id} NULL: not from a disk.
 * A name without an ending, such as "-", lets the content tell its form.
 */
int audit_text(struct audit *a, const char *name, const struct buf *content,
    const struct file_id *id, struct error *err);

struct audit_text {
	const char *name;		/* as it is told */
	const char *path;		/* what its name claims; NULL: ${name} */
	enum form form;			/* FORM_NONE: by name and content */
	enum audit_origin origin;
	const struct buf *content;
};

/* The same of a text that is no file. */
int audit_text_from(struct audit *a, const struct audit_text *t, struct error *err);

/* Is a file of this name to be read, though not from a disk?  One that propseal.ini leaves out
 * is counted. */
bool audit_takes(struct audit *a, const char *name);

/* Keep that ${name} could not be read, and why. */
int audit_unreadable(struct audit *a, const char *name, const struct error *why,
    struct error *err);

/* When all has been looked at: what is told by several files together. */
int audit_finish(struct audit *a, struct error *err);

/**
 * audit_part(a, keep, cookie, err):
 * A copy of what was found so far, as an audit that is finished; ${keep} (NULL: all of it) says
 * which findings.  If ${a} is finished, it must outlive the copy.  NULL: ERROR_MEMORY.
 */
typedef bool audit_keep_fn(const void *cookie, const struct audit_finding *f);
struct audit *audit_part(const struct audit *a, audit_keep_fn *keep, const void *cookie,
    struct error *err);

struct audit_unread {
	const char *file;
	const char *reason;
};

/* Secrets files in which rules with needs_key were not looked for, and why. */
size_t audit_locked_count(const struct audit *a);
const struct audit_unread *audit_locked(const struct audit *a, size_t i);

/* Wipe the keys that opened something: one that is finished needs them no more. */
void audit_forget_keys(struct audit *a);

/* How many files it has come to. */
size_t audit_seen(const struct audit *a);

/* In the order of files, lines and columns. */
size_t audit_finding_count(const struct audit *a);
struct audit_finding *audit_finding(const struct audit *a, size_t i);

/* How many files have a name here: those with findings, or all (keep_files). */
size_t audit_file_count(const struct audit *a);

/* Their names, as they are told: percent-encoded where they are no UTF-8. */
const char *audit_file(const struct audit *a, size_t file);

/* What names are told relative to, of these paths: one whole path that is a folder, of
 * which ${*strip} bytes are left out of names, else the current folder. */
const char *audit_root(const char *const paths[], size_t n, size_t *strip);

/* What of a path is told as its name: without these ${strip} bytes, and a `./`. */
const char *audit_below_root(const char *path, size_t strip);

/* Append a file's name as it is told: bytes that are no UTF-8 as %XX. */
void audit_append_name(struct buf *out, const char *name);

/* The environment that a file refers to, NULL: none, or several. */
const char *audit_environment(const struct audit *a, size_t file);

size_t audit_unread_count(const struct audit *a);
const struct audit_unread *audit_unread(const struct audit *a, size_t i);

/* Why files were passed over. */
enum audit_skip {
	AUDIT_SKIP_OTHER,	/* no form that is read */
	AUDIT_SKIP_BINARY,
	AUDIT_SKIP_LARGE,
	AUDIT_SKIP_SPECIAL,	/* FIFO, device, socket */
	AUDIT_SKIP_LINK,
	AUDIT_SKIP_KEYSTORE,
	AUDIT_SKIP_IGNORED,	/* by propseal.ini */
	AUDIT_SKIP_GITIGNORE,	/* files and folders, by .gitignore */
	AUDIT_SKIPS
};

struct audit_counts {
	size_t seen;		/* files */
	size_t read;
	size_t by_form[FORMS];
	size_t skipped[AUDIT_SKIPS];
	size_t levels[AUDIT_LEVELS];	/* not suppressed, known or not */
	size_t suppressed;
	size_t fresh;		/* neither suppressed nor known */
	size_t failing[AUDIT_LEVELS];	/* of these, by level */
};

const char *audit_skip_name(enum audit_skip s);

/* After audit_finish, and after what sets known. */
struct audit_counts audit_counts(const struct audit *a);

/* Who can do more than its owner with a file, or with what lies in a folder? */
enum audit_open {
	AUDIT_OPEN_FILE,
	AUDIT_OPEN_FOLDER,
	AUDIT_OPEN_SECRETS	/* a secrets file, or the folder of one */
};

/* The bits of a mode that let others write what they should not; 0: none.  Of these and of
 * who can read what, findings of open-mode are made. */
mode_t audit_open_bits(enum audit_open what, mode_t mode, uid_t uid, gid_t gid);

/* What to do about a finding: its own text, the rule's, or that of its form. */
const char *audit_hint(const struct audit_finding *f);

/* Does a secret stand there to be read? */
bool audit_is_clear(const struct audit_finding *f);

/* What is wrong: its own text, or the rule's. */
const char *audit_message(const struct audit_finding *f);

/* Another place that a finding has to do with. */
struct audit_place {
	const char *file;
	size_t line;
	const char *key;
	size_t key_len;
	const char *why;
	const struct audit_finding *finding;	/* that is there, with its region; NULL: none */
};

/**
 * audit_related(a, f, next, out):
 * One after another, ${*next} beginning with 0; after audit_finish.  False: no more.
 */
bool audit_related(const struct audit *a, const struct audit_finding *f, size_t *next,
    struct audit_place *out);

/* "ps1:" and 16 digits. */
#define AUDIT_ID_TEXT 21
void audit_id_text(uint64_t id, char out[AUDIT_ID_TEXT]);

#endif /* !AUDIT_AUDIT_H */

#ifndef SEAL_SEAL_H
#define SEAL_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "secrets/sealed.h"

struct buf;
struct configuration;
struct document;
struct error;
struct kept;
struct key;
struct plan;
struct rules;
struct seal_options;
struct secrets_file;

/* What sealing needs to know beyond the plan. */
struct seal_options {
	const char *remote;	/* the secrets file's path where the service runs */
	bool replace;		/* overwrite a sealed entry that holds another value */
	enum sealed_cipher cipher;	/* SEALED_GCM unless asked otherwise */
	const struct rules *rules;	/* for seal_default; NULL: the built-in ones */
	const char *provider_class;	/* NULL: Confluent's */
	bool found;		/* nobody named what is sealed: a reference that is not closed is
				   refused, as it may be meant for one */
};

/**
 * seal_prepare(p, master, err):
 * Make the plan able to seal: unlock its secrets file, or, when the file has
 * no data key and no sealed entries, plan a new data key and its metadata.
 * ERROR_KEY; ERROR_DAMAGED (sealed entries without a data key).
 */
int seal_prepare(struct plan *p, const struct key *master, struct error *err);

/**
 * seal_entry(p, c, i, o, err):
 * Plan to seal the value of entry ${i} of ${c}: the sealed entry in the
 * secrets file, the reference in its place (in every duplicate of the key),
 * the provider named in the configuration.  A value that is a reference
 * already is left alone with a note.  A sealed entry of the same name and
 * value is used as it is.  ERROR_EXISTS: the secrets file has an entry of
 * this name with another value (another configuration file with the same base
 * name?) and o->replace is false.  ERROR_REFUSED: Kafka could not resolve the
 * reference, the value is no UTF-8, goes on in lines that are read as other
 * entries, or is a parameter of a config provider, or the plan has another
 * configuration of this base name.  A refusal plans nothing.
 */
int seal_entry(struct plan *p, struct configuration *c, size_t i,
    const struct seal_options *o, struct error *err);

/**
 * seal_default(p, c, o, count, err):
 * seal_entry for every entry that the rules take by default (rules.h), but for
 * placeholders, null and parameters of config providers, which are left with a note.
 * ${*count} (may be NULL): how many.  ERROR_REFUSED: as seal_entry, or a part
 * of a secret stands where it would stay (inspect.h).
 */
int seal_default(struct plan *p, struct configuration *c,
    const struct seal_options *o, size_t *count, struct error *err);

/* seal_entry for the entry of a key.  ERROR_MISSING. */
int seal_key(struct plan *p, struct configuration *c, const char *key,
    size_t len, const struct seal_options *o, struct error *err);

/**
 * seal_value(p, c, key, klen, value, n, must_exist, o, err):
 * Plan to seal a given value under ${key}: `add` (${must_exist} false: the
 * entry is made or replaced) and `update` (true: ERROR_MISSING without it).
 * ERROR_REFUSED: the value is a reference, the key is empty, or the plan seals
 * this key already: one of two values would be lost.
 */
int seal_value(struct plan *p, struct configuration *c, const char *key,
    size_t klen, const void *value, size_t n, bool must_exist,
    const struct seal_options *o, struct error *err);

/* The sealed entry ${i} is there, with another value, and must not be overwritten.  Returns -1:
 * ERROR_EXISTS, with what may be done. */
int seal_name_is_taken(const struct secrets_file *s, size_t i, struct error *err);

/* Can the decoded ${value} of entry ${i} of ${path} be sealed?  ERROR_REFUSED: it is no
 * UTF-8, which what opens it reads, or has half a surrogate pair, from a lone \uD800;
 * or it is a member that stands more than once, with different values. */
int seal_check_value(const char *path, const struct document *d, size_t i,
    const struct buf *value, struct error *err);

/**
 * seal_remove(p, c, key, len, orphan, err):
 * Plan to remove a sealed key: its entry (every duplicate) in the
 * configuration, and the sealed entry, unless another key of ${c} or one of the
 * plan's users refers to it, too; of a key with wildcards every one that is sealed.  Needs no key.
 * ERROR_MISSING: not in the configuration (unless
 * ${orphan}: then a sealed entry that neither refers to is removed
 * alone; ERROR_REFUSED when one does), or not sealed.
 */
int seal_remove(struct plan *p, struct configuration *c, const char *key, size_t len, bool orphan,
    struct error *err);

/**
 * undo_plan(p, configs, k, count, err):
 * Plan what takes a change back: the sealed entries and references that ${k} (trail/trail.h) has
 * of it, entry by entry, wherever the value is still the one that the change left; ${*count} of
 * them.  One that is as it was before stays.  ${configs}: the configurations among the files of
 * ${k}, in their order.  The plan's secrets file is unlocked, so that each sealed value is
 * opened, and proved by its tag, before it is put back; and the sealed text and tag are those of
 * before, byte for byte.
 *
 * ERROR_REFUSED: ${k} says why it cannot be undone, a value in CBC has no tag, or another entry
 * (plan_set_users) refers to one that would be gone; ERROR_STALE: an
 * entry was changed again since; ERROR_KEY: a value was sealed under another data key;
 * ERROR_DAMAGED: what is kept is not what was sealed for that entry; ERROR_MEMORY.
 */
int undo_plan(struct plan *p, struct configuration *const configs[], const struct kept *k,
    size_t *count, struct error *err);

/**
 * rewrite_plan(p, c, edited, master, o, err):
 * Plan that configuration ${c} becomes ${edited}: what render_document gave a
 * person for it (RENDER_PERSON) and that person then changed.  ${edited} must
 * have no problem (document_problem); the plan's secrets file is unlocked if
 * it has a data key.
 *
 * A value that was sealed and did not change keeps its reference and its
 * sealed entry; one that changed is sealed anew.  A new entry is sealed when
 * the rules take its key by default, or when its value is one that was sealed
 * until now.  Sealed entries of this file that nothing in it refers to any
 * more are removed.  All else is taken over as it was edited.
 *
 * ERROR_REFUSED: a value that was sealed would stand in clear text in a
 * comment or beside a reference, a value was cut, or what seal.h refuses.  ERROR_EXISTS: the
 * secrets file has an entry of a new key's name with another value and
 * o->replace is false.  Lines in errors are those of ${edited}.  After a
 * failure the plan is good for nothing but plan_free.
 */
int rewrite_plan(struct plan *p, struct configuration *c,
    const struct document *edited, const struct key *master,
    const struct seal_options *o, struct error *err);

#endif /* !SEAL_SEAL_H */

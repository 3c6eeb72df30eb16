#ifndef SECRETS_REFERENCE_H
#define SECRETS_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct document;
struct error;
struct secrets_file;

/*
 * A configuration value that stands for another one:
 * ${provider:path:name} or ${provider:name} (Kafka, KIP-297), the whole value
 * and nothing else.  Ours is ${securepass:<remote path>:<basename>/<key>}.
 */
struct reference {
	const char *provider;
	size_t provider_len;
	const char *path;	/* NULL when there is none */
	size_t path_len;
	const char *name;
	size_t name_len;
};

#define REFERENCE_PROVIDER "securepass"
#define REFERENCE_PROVIDER_CLASS \
    "io.confluent.kafka.security.config.provider.SecurePassConfigProvider"

/* Take a value apart (pointers into it).  False: it is no reference. */
bool reference_parse(const char *value, size_t n, struct reference *out);

/* Is it one of ours (the securepass provider)? */
bool reference_is_ours(const struct reference *r);

/**
 * reference_append(out, remote, name, name_len, err):
 * Append ${securepass:<remote>:<name>}.  ERROR_REFUSED when Kafka could not
 * take it apart again: a `}` in either part, a `:` in the path, a line end.
 */
int reference_append(struct buf *out, const char *remote, const char *name,
    size_t name_len, struct error *err);

/* Could the value of entry ${i} hold a reference?  Most hold no dollar, however
 * it is written, and need not be decoded. */
bool reference_may_be_in(const struct document *d, size_t i);

/*
 * References anywhere inside a value, found as Kafka's ConfigTransformer
 * finds them (KIP-297: \$\{([^}]*?):(([^}]*?):)?([^}]*?)\}), so a JAAS value
 * may hold several.  What a reference resolves to is not searched again.
 */

/**
 * resolve_next(value, n, from, out, start, end):
 * The first reference at or behind offset ${from}: its parts (pointers into
 * ${value}) and its span.  False: there is none.
 */
bool resolve_next(const char *value, size_t n, size_t from,
    struct reference *out, size_t *start, size_t *end);

/* Is any of ours in these bytes? */
bool resolve_finds_ours(const void *bytes, size_t n);

/* Append the name of a reference without its backslashes, by which its entry is found, too: in the
 * secrets file confluent secret leaves out those of a JSON path.  False: it has none. */
bool reference_bare(const char *name, size_t len, struct buf *out);

/* Does a reference to ${name} keep the sealed entry ${entry} from being an orphan?  It does under
 * either name. */
bool reference_names(const char *name, size_t len, const char *entry, size_t entry_len);

/* The document entry of the secrets file that one of our references names, or
 * DOCUMENT_NONE: that of the name, else the one of the name without backslashes. */
size_t resolve_entry(const struct secrets_file *s, const struct reference *r);

/* Who knows what references of one provider stand for, such as a Secret
 * Registry's ${secret:path:key}, or ours where there are several secrets files. */
struct resolver {
	const char *provider;

	/* Append the value to ${out} (secret). */
	int (*value)(void *cookie, const struct reference *r, struct buf *out,
	    struct error *err);
	void *cookie;
	const struct resolver *next;	/* for another provider; NULL: there is none */
};

/* The one of the resolvers that the reference is for; NULL: none. */
const struct resolver *resolver_for(const struct resolver *more, const struct reference *r);

/**
 * resolve_value(s, more, value, n, out, others, err):
 * Append ${value} to ${out} (secret) with every one of our references
 * replaced by what it stands for; ${s} must be unlocked, and may be NULL when
 * there are none (ERROR_MISSING).  So are those that ${more} (may be NULL)
 * knows.  References to other providers stay; ${*others} (may be NULL) counts
 * them.  ERROR_MISSING (dangling, the entry name as the key), ERROR_DAMAGED,
 * ${more}'s.
 */
int resolve_value(const struct secrets_file *s, const struct resolver *more,
    const char *value, size_t n, struct buf *out, size_t *others, struct error *err);

/*
 * What a configuration entry's value is.  A value with references of ours
 * inside it (JAAS, a URL) has the state of the worst of them.
 */
enum entry_state {
	STATE_PLAIN,	/* clear text (secret or not) */
	STATE_SEALED,	/* our reference, and the secrets file has the entry */
	STATE_DANGLING,	/* our reference to an entry that is not there */
	STATE_UNKNOWN,	/* our reference, and which secrets file it names cannot be told */
	STATE_OTHER,	/* a reference to another provider */
	STATE_DAMAGED	/* our reference to an entry that cannot be opened */
};

/* The word for machines and screen: plain, sealed, dangling, unknown, other-provider,
 * damaged. */
const char *state_name(enum entry_state s);

/**
 * state_of(d, i, s, name):
 * The state of entry ${i} of configuration ${d} against the secrets file
 * ${s} (NULL: not known, then our references count as sealed).  When ${s} is
 * unlocked a sealed entry is opened to tell damaged ones.  If ${name} is not
 * NULL and the value is our reference, the entry name in the secrets file is
 * appended to it.
 */
enum entry_state state_of(const struct document *d, size_t i,
    const struct secrets_file *s, struct buf *name);

/**
 * state_value(value, n, s, name):
 * The same for a value that is already decoded.
 */
enum entry_state state_value(const char *value, size_t n,
    const struct secrets_file *s, struct buf *name);

/* Of two references in one value, the state that needs attention first. */
enum entry_state state_worse(enum entry_state a, enum entry_state b);

/* Sealed or damaged: can document entry ${entry} of ${s} be opened, as far as
 * can be told?  While ${s} is locked it is only looked at. */
enum entry_state state_of_sealed(const struct secrets_file *s, size_t entry);

/* The state of a reference of ours to entry ${name}; ${s} as above. */
enum entry_state state_of_name(const char *name, size_t len,
    const struct secrets_file *s);

#endif /* !SECRETS_REFERENCE_H */

#ifndef SECRETS_STATE_H
#define SECRETS_STATE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct document;
struct secrets_file;

/*
 * What a configuration entry's value is.  A value with references of ours
 * inside it (JAAS, a URL) has the state of the worst of them.
 */
enum entry_state {
	STATE_PLAIN,	/* clear text (secret or not) */
	STATE_SEALED,	/* our reference, and the secrets file has the entry */
	STATE_DANGLING,	/* our reference to an entry that is not there */
	STATE_OTHER,	/* a reference to another provider */
	STATE_DAMAGED	/* our reference to an entry that cannot be opened */
};

/* The word for machines and screen: plain, sealed, dangling, other-provider, damaged. */
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

/* The state of a reference of ours to entry ${name}; ${s} as above. */
enum entry_state state_of_name(const char *name, size_t len,
    const struct secrets_file *s);

#endif /* !SECRETS_STATE_H */

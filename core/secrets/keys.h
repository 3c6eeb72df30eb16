#ifndef SECRETS_KEYS_H
#define SECRETS_KEYS_H

#include <stddef.h>

/*
 * The keys of Kafka, Confluent Platform, connectors and the programs around
 * them that hold secrets, and those that only sound like it: share/keys says
 * which, where each comes from, and how they are written; it is built in.
 */
enum key_class {
	KEY_OTHER,
	KEY_SECRET,	/* the value is a secret */
	KEY_MATERIAL,	/* the value is a secret, unless it is the name of a file */
	KEY_HEADERS,	/* the value is a secret if it holds an authorization */
	KEY_PAIR,	/* the value is a secret if it is user:password, or that in base64 */
	KEY_OPAQUE,	/* the value is a secret if it looks like one, as value_is_opaque says */
	KEY_PUBLIC	/* sounds like a secret, and is none */
};

/*
 * By the key's last words: of several rows the longest decides.  Case and what
 * stands between words (. - _ / \ and nothing before a capital) count for
 * nothing, and so do digits and such characters at the end.  "password"
 * anywhere is a secret, unless a longer row says otherwise.
 */
enum key_class key_class(const char *key, size_t len);

/* The same without the rule for "password": for a path through nested mappings, in
 * which `password` may be the name of what is only described below it. */
enum key_class key_class_of_end(const char *key, size_t len);

#endif /* !SECRETS_KEYS_H */

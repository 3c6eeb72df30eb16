#ifndef SECRETS_VALUE_H
#define SECRETS_VALUE_H

#include <stdbool.h>
#include <stddef.h>

/* What a (decoded) value looks like, whatever its key is. */
enum value_kind {
	VALUE_TEXT,		/* nothing in particular */
	VALUE_EMPTY,		/* nothing but blanks */
	VALUE_REFERENCE,	/* what another program puts in its place or opens: ${...},
				   $NAME, {{ ... }}, %(...)s, @...@, ENC(...) ...;
				   or a hash that it checks a password by */
	VALUE_PLACEHOLDER,	/* to be filled in: <...>, YOUR_..., CHANGE_ME, xxx, a mask */
	VALUE_PRIVATE_KEY,	/* a private key in PEM, or JSON of a service account; these or
				   DER in base64 */
	VALUE_CREDENTIALS,	/* user:password@ or password= in a URL, a connection string
				   or options of a command */
	VALUE_TOKEN,		/* a JWT, or the header of an authorization */
	VALUE_MEMBER		/* JSON that has a member with a secret */
};

enum value_kind value_kind(const char *value, size_t n);

/* Does a value of this kind hold a secret in clear text under any key? */
bool value_kind_is_secret(enum value_kind k);

/*
 * Could these bytes of a file, not decoded, be a value of such a kind?  Most
 * values hold none of the characters that it takes, and need not be decoded.
 */
bool value_may_be_secret(const unsigned char *raw, size_t n);

/* ${NAME:-default} and its kind, which shells and Spring read: the default, from ${*from} up to
 * the brace at the end, stands there in clear text. */
bool value_default(const char *value, size_t n, size_t *name_len, size_t *from);

/* Is an authorization in it, by its scheme or its name?  For headers of requests. */
bool value_has_authorization(const char *value, size_t n);

/* `user:password` of which the password is a reference or placeholder: which of the two. */
bool value_is_pair_of(const char *value, size_t n, enum value_kind *kind);

/* Is it `user:password`, or that in base64?  A hash in place of the password is none. */
bool value_is_pair(const char *value, size_t n);

/* A hash of a password, as crypt(3), Apache and others write it. */
bool value_is_hash(const char *value, size_t n);

/* Letters and digits at random, as services make the keys of their clients. */
bool value_is_opaque(const char *value, size_t n);

/* A sum of something, in hexadecimal digits: of MD5 or one of SHA. */
bool value_is_sum(const char *value, size_t n);

/* What is written NAME=VALUE in a value, where NAME is one of a secret, and VALUE
 * is in clear text.  Offsets are into the value. */
struct value_member {
	size_t name, name_len;	/* without -D and -- */
	size_t from, to;	/* of VALUE, without quotes */
	bool option;		/* of a command: -DNAME=VALUE, --NAME=VALUE */
};

/* The next one at or behind ${*at}, from 0 on; false: there is none. */
bool value_next_member(const char *value, size_t n, size_t *at, struct value_member *out);

/* What the key of a secret may say instead of one: the name of a file, the id of a
 * key, a plain true or false. */
bool value_is_pointer(const char *value, size_t n);

/* Has it the class of a login module, and something behind that? */
bool value_has_module(const void *value, size_t n);

/* Is it JAAS, whatever its key, with a secret in clear text? */
bool value_is_jaas(const void *value, size_t n);

#endif /* !SECRETS_VALUE_H */

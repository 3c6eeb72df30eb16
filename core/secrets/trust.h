#ifndef SECRETS_TRUST_H
#define SECRETS_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "secrets/sealed.h"

struct cipher;
struct document;
struct error;

/*
 * Whether an entry of an unlocked secrets file may be opened: who can write
 * the file, but has no key, must neither read nor forge a value through what
 * becomes of the opening.
 */

/* Which entries in AES-CBC open.  CBC notices no change, so one that was put
 * there by others tells who watches about any block of the file. */
enum secrets_cbc {
	SECRETS_CBC_TAGGED,	/* those whose tag fits */
	SECRETS_CBC_LEGACY,	/* in a file whose data key is wrapped in CBC too: all or none */
	SECRETS_CBC_ALL		/* every one: --legacy-cbc, and rotation */
};

struct secrets_policy {
	enum secrets_cbc cbc;
	bool tags_required;	/* no entry opens without a tag that fits */
};

/* What was met in a file while opening, and is to be told once. */
struct secrets_doubts {
	size_t stale;		/* entries that another program changed since they were tagged */
	size_t untagged;	/* entries without a tag, beside some with one */
	bool cbc;		/* in a file in CBC: nothing notices a change */
};

/* What is known about the entries of one unlocked file (for secrets_file.c). */
struct trust;

/* An unlocked file; all of it belongs to the caller, and stays as it is. */
struct trust_file {
	const char *path;
	const struct document *doc;
	struct cipher *cipher;	/* of the data key */
	struct tagger *tagger;	/* the same */
	bool legacy;		/* the data key is wrapped in CBC */
};

struct trust *trust_new(const struct trust_file *file, struct error *err);
void trust_free(struct trust *t);

/**
 * trust_check(t, policy, i, text, n, state, err):
 * May sealed entry ${i}, which is ${text}, be opened?  ERROR_DAMAGED: its value
 * or tag belongs to another entry.  ERROR_REFUSED: the policy, with a hint;
 * nothing is said about what it holds.  ERROR_KEY: in a file in CBC not all of
 * CBC opens; names the file only.  Else ERROR_MEMORY, ERROR_CRYPTO.  Its tag is
 * ${*state}, unless that could not be told.
 */
int trust_check(struct trust *t, struct secrets_policy policy, size_t i,
    const unsigned char *text, size_t n, enum tag_state *state, struct error *err);

/* The first entry that does not fit its tag has all entries looked at, in a
 * time that is linear in their number (see secrets_file_tag). */
int trust_tag(struct trust *t, size_t i, enum tag_state *state, size_t *owner,
    struct error *err);

/* For secrets_file_doubts. */
int trust_doubts(struct trust *t, struct secrets_doubts *out, struct error *err);

#endif /* !SECRETS_TRUST_H */

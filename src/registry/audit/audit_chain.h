#ifndef REGISTRY_AUDIT_AUDIT_CHAIN_H
#define REGISTRY_AUDIT_AUDIT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/mac.h"

struct audit_text;
struct error;

/*
 * The chain of lines.  A line is a JSON object that ends with
 *
 *	,"seq":N,"prevhash":"HEX","hash":"HEX"}
 *
 * seq counts from 1; prevhash is the hash of the line before, of the first
 * zeros; hash is the HMAC-SHA-256 under the key derived for AUDIT_CHAIN_PURPOSE
 * (mac.h) over prevhash's 32 bytes and the line up to `,"hash":`.  An outcome
 * has ,"intentseq":N before seq.
 */
#define AUDIT_CHAIN_PURPOSE "audit chain"
#define AUDIT_CHAIN_ID 16	/* hexadecimal digits of a start's id */

/* What a line has beside its body, at most. */
#define AUDIT_CHAIN_EXTRA 320

/* The longest line that is read; none that is written comes near it. */
#define AUDIT_LINE_MAX (128U << 10)

struct audit_chain {
	uint64_t seq;			/* of the last line, 0: none */
	unsigned char hash[MAC_BYTES];	/* of the last line */
};

/**
 * audit_chain_seal(c, m, id, body, n, intent, out, err):
 * Append the next line, with its line end, and go on to it.  ${id} of
 * AUDIT_CHAIN_ID digits makes the event's id with seq.  ${intent} 0: none.
 */
int audit_chain_seal(struct audit_chain *c, struct mac *m, const char *id, const char *body,
    size_t n, uint64_t intent, struct audit_text *out, struct error *err);

/* The end of a line, as read. */
struct audit_tail {
	uint64_t seq;
	uint64_t intent;		/* 0: none */
	unsigned char prev[MAC_BYTES];
	unsigned char hash[MAC_BYTES];
	size_t summed;			/* bytes that hash is over */
};

/* Read the end of a line (without line end).  False: it has not this form. */
bool audit_chain_tail(const char *line, size_t n, struct audit_tail *out);

/* Has the line the hash it should have?  ${t} is of audit_chain_tail. */
bool audit_chain_fits(struct mac *m, const char *line, const struct audit_tail *t);

/* Does the line follow on ${c}?  Goes on to it if so. */
bool audit_chain_follow(struct audit_chain *c, const struct audit_tail *t);

/* 64 hexadecimal digits; false: they are not. */
bool audit_chain_unhex(const char *text, unsigned char out[MAC_BYTES]);

#endif /* !REGISTRY_AUDIT_AUDIT_CHAIN_H */

#ifndef REGISTRY_AUTH_VERIFIED_H
#define REGISTRY_AUTH_VERIFIED_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/mac.h"
#include "registry/base/principal.h"

struct error;

/*
 * Credentials that were found right, by their HMAC.  One is remembered as
 * long as it is used at least every ${cache_ms}, but at most 60 times that;
 * who asks compares the stamp with that of the user's record (or the key set)
 * of now, so that a change ends it at once.  That it was right once is known for
 * longer, as long as there is room.
 */
struct verified;

#define VERIFIED_STAMP 16

struct verified_what {
	char principal[PRINCIPAL_MAX];
	unsigned char stamp[VERIFIED_STAMP];
	int64_t expires;	/* seconds after 1970, as the credentials say */
};

/* ${cache_ms} 0: nothing is remembered. */
struct verified *verified_new(unsigned cache_ms, struct error *err);
void verified_free(struct verified *v);

/* Times are of one clock that never goes back. */
bool verified_get(struct verified *v, const unsigned char key[MAC_BYTES], int64_t now_ms,
    struct verified_what *out);

/* Was it right once, however long ago?  Then it is no guess. */
bool verified_once(struct verified *v, const unsigned char key[MAC_BYTES]);

/* It is not right any more. */
void verified_forget(struct verified *v, const unsigned char key[MAC_BYTES]);

void verified_put(struct verified *v, const unsigned char key[MAC_BYTES], int64_t now_ms,
    const struct verified_what *what);

#endif /* !REGISTRY_AUTH_VERIFIED_H */

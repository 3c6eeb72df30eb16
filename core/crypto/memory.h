#ifndef CRYPTO_MEMORY_H
#define CRYPTO_MEMORY_H

#include <stdbool.h>

struct error;

/*
 * OpenSSL's contexts hold keys: as they are, expanded, or as the state of an
 * HMAC.  What OpenSSL allocates in a section lies in secret memory
 * (base/secmem.h), in which a forked child finds nothing, and is wiped when it
 * is freed, whoever frees it and when.  Everything else is the heap's.
 */

/**
 * openssl_memory_begin(wipe_all, err):
 * Call it before OpenSSL has allocated anything (else ERROR_REFUSED: sections
 * are without effect).  ${wipe_all}: what is the heap's is wiped when it is
 * freed, too; may be asked for later.
 */
int openssl_memory_begin(bool wipe_all, struct error *err);

/* A section of this thread; they nest. */
void openssl_memory_enter(void);
void openssl_memory_leave(void);

#endif /* !CRYPTO_MEMORY_H */

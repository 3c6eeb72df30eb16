#ifndef CLIENT_WIPE_H
#define CLIENT_WIPE_H

struct error;

/**
 * wipe_on_free(err):
 * From now on what OpenSSL, libevent and jansson free is wiped first, as
 * requests and answers with secrets pass through their memory.  Call it before
 * any of them has allocated (ERROR_REFUSED: too late for OpenSSL), with one
 * thread running.
 * OpenSSL is not torn down at exit any more either: a thread that hangs in the
 * kernel (see audit_close) may come back while the process ends.
 */
int wipe_on_free(struct error *err);

#endif /* !CLIENT_WIPE_H */

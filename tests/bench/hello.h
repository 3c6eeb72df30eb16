#ifndef HELLO_H
#define HELLO_H

#include <sys/types.h>

/*
 * The floor under the registry: a process of ours that answers every request
 * with a few fixed bytes through evhttp and TLS, and does nothing else.  It
 * has as many threads as ${threads}, each with its own socket (SO_REUSEPORT).
 */
pid_t hello_start(const char *certificate, const char *key, unsigned threads, int *port);

#endif /* !HELLO_H */

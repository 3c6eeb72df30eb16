#ifndef REGISTRY_CLIENT_REACH_H
#define REGISTRY_CLIENT_REACH_H

#include <stddef.h>
#include <stdint.h>

/**
 * reach_try(host, port, why, size):
 * Why a connection did not come about, which evhttp does not say: connect once
 * more, for at most a second.  -1 with the reason; 0: it can be reached now.
 */
int reach_try(const char *host, uint16_t port, char *why, size_t size);

#endif /* !REGISTRY_CLIENT_REACH_H */

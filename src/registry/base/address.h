#ifndef REGISTRY_BASE_ADDRESS_H
#define REGISTRY_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/*
 * Addresses of clients as texts: what counts as one, and whom a proxy that is
 * trusted says that it asks for.
 */

#define ADDRESS_KEY 16
#define ADDRESS_TEXT 46		/* bytes of an address as text, the NUL included */
#define ADDRESS_LIST_MAX 64

/* What counts as one address: one of IPv4, or a /64 of IPv6.  false: ${text} is none. */
bool address_key(const char *text, unsigned char key[ADDRESS_KEY]);

/* Addresses and networks. */
struct address_list {
	size_t count;
	struct {
		unsigned char bytes[ADDRESS_KEY];	/* IPv4 as ::ffff:a.b.c.d */
		unsigned bits;
	} all[ADDRESS_LIST_MAX];
};

/* ADDR or ADDR/BITS, separated by commas or blanks.  ERROR_FORMAT, ERROR_LIMIT. */
int address_list_parse(struct address_list *l, const char *text, struct error *err);

bool address_list_has(const struct address_list *l, const char *text);

/**
 * address_forwarded(l, client, header):
 * Follow the X-Forwarded-For ${header} from its end: as long as ${client} is
 * one of ${l}, the address before it takes its place.  What is no address ends
 * it, and false is returned; a port behind one does not count.  Several headers are
 * followed from the last to the first.
 */
bool address_forwarded(const struct address_list *l, char client[ADDRESS_TEXT],
    const char *header);

#endif /* !REGISTRY_BASE_ADDRESS_H */

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/http/internal.h"
#include "registry/http/token.h"

#define BACKLOG 1024
#define TEXT_MAX (INET6_ADDRSTRLEN + 16)

/* Cut ${text} into host and port, both in ${host} of TEXT_MAX bytes. */
static int
split(const char *text, char *host, const char **port)
{
	const char *colon = strrchr(text, ':');
	uint64_t number;
	size_t n;

	if (colon == NULL || http_token_number(colon + 1, &number) == -1 || number > 65535)
		return -1;
	n = (size_t)(colon - text);
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	} else if (memchr(text, ':', n) != NULL) {
		return -1;
	}
	if (n == 0 || n >= TEXT_MAX)
		return -1;
	memcpy(host, text, n);
	host[n] = '\0';
	*port = colon + 1;
	return 0;
}

int
http_address_parse(struct http_address *a, const char *text, struct error *err)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM
	};
	struct addrinfo *found;
	char host[TEXT_MAX];
	const char *port;

	if (text == NULL || split(text, host, &port) == -1 ||
	    getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints,
	    &found) != 0) {
		error_set(err, ERROR_USAGE, "\"%s\" is no address to listen on",
		    text != NULL ? text : "");
		return error_hint(err, "write ADDR:PORT or [ADDR]:PORT, such as 127.0.0.1:8443");
	}
	memset(a, 0, sizeof(*a));
	memcpy(&a->sa, found->ai_addr, found->ai_addrlen);
	a->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

bool
http_address_is_loopback(const struct http_address *a)
{
	const struct sockaddr_in *v4 = (const void *)&a->sa;
	const struct sockaddr_in6 *v6 = (const void *)&a->sa;

	if (a->sa.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	    (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

void
http_address_host(const struct sockaddr *sa, char *out)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;
	const void *bytes = &v4->sin_addr;
	int family = AF_INET;

	if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		bytes = &v6->sin6_addr.s6_addr[12];
	} else if (sa->sa_family == AF_INET6) {
		bytes = &v6->sin6_addr;
		family = AF_INET6;
	}
	if (inet_ntop(family, bytes, out, INET6_ADDRSTRLEN) == NULL)
		out[0] = '\0';
}

void
http_address_key(const struct sockaddr *sa, unsigned char *out)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;

	memset(out, 0, HTTP_ADDRESS_KEY);
	if (sa->sa_family == AF_INET) {
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + sizeof(mapped), &v4->sin_addr, sizeof(v4->sin_addr));
	} else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		memcpy(out, &v6->sin6_addr, HTTP_ADDRESS_KEY);
	} else {
		memcpy(out, &v6->sin6_addr, HTTP_ADDRESS_KEY / 2);
	}
}

char *
http_address_text(const struct http_address *a)
{
	const struct sockaddr_in *v4 = (const void *)&a->sa;
	const struct sockaddr_in6 *v6 = (const void *)&a->sa;
	char host[INET6_ADDRSTRLEN];
	char text[TEXT_MAX];

	http_address_host((const void *)&a->sa, host);
	(void)snprintf(text, sizeof(text), strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
	    (unsigned)ntohs(a->sa.ss_family == AF_INET ? v4->sin_port : v6->sin6_port));
	return strdup(text);
}

static int
set_option(int fd, int level, int name)
{
	int on = 1;

	return setsockopt(fd, level, name, &on, sizeof(on));
}

/*
 * The first socket is bound for itself, so that a server that is there already
 * is noticed, even one that would share; only then is its port shared.
 */
static int
bind_socket(int fd, const struct http_address *a, bool first)
{
	if (set_option(fd, SOL_SOCKET, SO_REUSEADDR) == -1)
		return -1;
	if (!first && set_option(fd, SOL_SOCKET, SO_REUSEPORT) == -1)
		return -1;
	if (bind(fd, (const void *)&a->sa, a->len) == -1)
		return -1;
	if (first && set_option(fd, SOL_SOCKET, SO_REUSEPORT) == -1)
		return -1;
	/* Accepted sockets inherit it: a TLS reply must not wait for the
	 * acknowledgement of the record before it. */
	return set_option(fd, IPPROTO_TCP, TCP_NODELAY);
}

int
http_address_listen(struct http_address *a, bool first, struct error *err)
{
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind_socket(fd, a, first) == -1 || listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (void *)&a->sa, &a->len) == -1) {
		char *text = http_address_text(a);

		error_io(err, NULL, "cannot listen");
		error_place(err, text != NULL ? text : "", 0);
		free(text);
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	return fd;
}

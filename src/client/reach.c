#include "client/reach.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 1000

/* 0, or the errno. */
static int
wait_for(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	socklen_t n = sizeof(int);
	int code = 0;

	if (poll(&ready, 1, WAIT_MS) != 1)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n) == 0 ? code : errno;
}

static int
try_address(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int code;

	if (fd == -1)
		return errno;
	code = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
	if (code == EINPROGRESS)
		code = wait_for(fd);
	close(fd);
	return code;
}

int
reach_try(const char *host, uint16_t port, char *why, size_t size)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *all, *a;
	char service[8];
	int code;

	snprintf(service, sizeof(service), "%u", (unsigned)port);
	code = getaddrinfo(host, service, &hints, &all);
	if (code != 0) {
		snprintf(why, size, "%s", gai_strerror(code));
		return -1;
	}
	code = EHOSTUNREACH;
	for (a = all; a != NULL && code != 0; a = a->ai_next)
		code = try_address(a);
	freeaddrinfo(all);
	if (code == 0)
		return 0;
	snprintf(why, size, "%s", strerror(code));
	return -1;
}

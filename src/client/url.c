#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

#include "base/error.h"
#include "client/url.h"

#define PORT_HTTP 80
#define PORT_HTTPS 443

static int
wrong(struct error *err, const char *what)
{
	error_set(err, ERROR_USAGE, "the registry's URL %s", what);
	return error_hint(err, "it looks like https://registry.example:8443");
}

static int
parse_port(struct url *u, const char *text, size_t n, struct error *err)
{
	unsigned long port = 0;
	size_t i;

	if (n == 0 || n > 5)
		return wrong(err, "has no port after the colon");
	for (i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return wrong(err, "has a port that is no number");
		port = port * 10 + (unsigned long)(text[i] - '0');
	}
	if (port == 0 || port > 65535)
		return wrong(err, "has a port outside 1 to 65535");
	u->port = (uint16_t)port;
	return 0;
}

static int
parse_host(struct url *u, const char *text, size_t n, struct error *err)
{
	const char *end = text + n;
	const char *host = text;
	const char *colon;
	size_t len;

	if (n > 0 && *text == '[') {
		if ((colon = memchr(text, ']', n)) == NULL)
			return wrong(err, "has no ] after the address");
		host = text + 1;
		len = (size_t)(colon - host);
		colon++;
	} else {
		colon = memchr(text, ':', n);
		if (colon == NULL)
			colon = end;
		len = (size_t)(colon - text);
	}
	if (len == 0 || len >= sizeof(u->host) || n >= sizeof(u->authority))
		return wrong(err, "has no host, or too long a one");
	memcpy(u->host, host, len);
	u->host[len] = '\0';
	memcpy(u->authority, text, n);
	u->authority[n] = '\0';
	if (colon == end)
		return 0;
	if (*colon != ':')
		return wrong(err, "has something odd behind the host");
	return parse_port(u, colon + 1, (size_t)(end - colon) - 1, err);
}

int
url_parse(struct url *u, const char *text, struct error *err)
{
	unsigned char address[16];
	const char *rest;
	size_t n, i;

	memset(u, 0, sizeof(*u));
	if (strncasecmp(text, "https://", 8) == 0) {
		u->tls = true;
		u->port = PORT_HTTPS;
		rest = text + 8;
	} else if (strncasecmp(text, "http://", 7) == 0) {
		u->port = PORT_HTTP;
		rest = text + 7;
	} else {
		return wrong(err, "begins neither with https:// nor with http://");
	}
	for (i = 0; rest[i] != '\0'; i++) {
		if ((unsigned char)rest[i] <= ' ' || (unsigned char)rest[i] >= 0x7f)
			return wrong(err, "has a character that no URL has");
	}
	n = strcspn(rest, "/?#");
	if (memchr(rest, '@', n) != NULL)
		return wrong(err, "has a user name in it: say it by --user");
	if (strpbrk(rest, "?#") != NULL)
		return wrong(err, "has a query or fragment");
	if (parse_host(u, rest, n, err) != 0)
		return -1;
	rest += n;
	n = strlen(rest);
	while (n > 0 && rest[n - 1] == '/')
		n--;
	if (n >= sizeof(u->base))
		return wrong(err, "has too long a path");
	memcpy(u->base, rest, n);
	u->numeric = inet_pton(AF_INET, u->host, address) == 1 ||
	    inet_pton(AF_INET6, u->host, address) == 1;
	if (u->authority[0] == '[' && !u->numeric)
		return wrong(err, "has no IPv6 address between the brackets");
	u->loopback = strcmp(u->host, "localhost") == 0 || strcmp(u->host, "::1") == 0 ||
	    (u->numeric && strncmp(u->host, "127.", 4) == 0);
	return 0;
}

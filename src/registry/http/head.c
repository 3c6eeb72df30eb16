#include <string.h>
#include <strings.h>

#include "registry/http/head.h"
#include "registry/http/token.h"

#define METHOD_MAX 32
/* The longest request line that can hold a target of HTTP_TARGET_MAX bytes. */
#define LINE_MAX_BYTES (METHOD_MAX + 1 + HTTP_TARGET_MAX + sizeof(" HTTP/1.1\r\n") - 1)

size_t
http_head_end(struct http_head_scan *s, const char *p, size_t n, int *status)
{
	*status = 0;
	while (s->seen < n) {
		const char *lf = memchr(p + s->seen, '\n', n - s->seen);
		size_t at;

		if (lf == NULL) {
			s->seen = n;
			break;
		}
		at = (size_t)(lf - p);
		if (at == 0 || p[at - 1] != '\r') {
			*status = 400;
			return 0;
		}
		s->seen = at + 1;
		/* One empty line before a request is let pass (RFC 9112, 2.2). */
		if (at == s->line + 1 && s->line > 0) {
			if (s->seen <= HTTP_HEADERS_MAX)
				return s->seen;
			break;
		}
		s->line = s->seen;
	}
	if (s->line <= 2 && n > LINE_MAX_BYTES + 2)
		*status = 414;
	else if (s->seen > HTTP_HEADERS_MAX)
		*status = 431;
	return 0;
}

static enum http_method
method_of(const char *name)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = {
		{ "GET", HTTP_GET }, { "POST", HTTP_POST }, { "PUT", HTTP_PUT },
		{ "DELETE", HTTP_DELETE }, { "HEAD", HTTP_HEAD }, { "PATCH", HTTP_PATCH },
		{ "OPTIONS", HTTP_OPTIONS }
	};
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(name, methods[i].name) == 0)
			return methods[i].method;
	}
	return HTTP_OTHER;
}

/*
 * Take scheme and authority off an absolute-form target; the authority goes
 * before any Host header (RFC 9112, 3.2.2).  Its place moves one byte down,
 * over the last '/' of "//", to make room for its NUL.
 */
static int
parse_absolute(struct http_head *h, char *target, const char **authority)
{
	size_t scheme = strncasecmp(target, "http://", 7) == 0 ? 7 :
	    strncasecmp(target, "https://", 8) == 0 ? 8 : 0;
	char *host = target + scheme;
	size_t n = strcspn(host, "/?");

	if (scheme == 0 || n == 0)
		return 400;
	h->path = host[n] == '/' ? host + n : "/";
	h->query = host[n] == '?' ? host + n + 1 : "";
	memmove(host - 1, host, n);
	host[n - 1] = '\0';
	*authority = host - 1;
	return http_token_is_host(*authority) ? 0 : 400;
}

static int
parse_target(struct http_head *h, char *target, size_t n, const char **authority)
{
	char *question;
	int status;
	size_t i;

	if (n == 0)
		return 400;
	if (n > HTTP_TARGET_MAX)
		return 414;
	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)target[i];

		if (c <= ' ' || c == 0x7f || c == '#')
			return 400;
	}
	h->path = target;
	h->query = "";
	if (target[0] != '/') {
		if (strcmp(target, "*") == 0)
			return h->method == HTTP_OPTIONS ? 0 : 400;
		status = parse_absolute(h, target, authority);
		if (status != 0)
			return status;
	}
	question = strchr(h->path, '?');
	if (question != NULL) {
		*question = '\0';
		h->query = question + 1;
	}
	return 0;
}

static int
parse_version(struct http_head *h, const char *version)
{
	if (strncmp(version, "HTTP/", 5) != 0 || strlen(version) != 8 || version[6] != '.' ||
	    version[5] < '0' || version[5] > '9' || version[7] < '0' || version[7] > '9')
		return 400;
	if (version[5] != '1' || version[7] > '1')
		return 505;
	h->minor = (unsigned)(version[7] - '0');
	return 0;
}

/* The request line of ${n} bytes, NUL behind it. */
static int
parse_line(struct http_head *h, char *line, size_t n, const char **authority)
{
	char *end = line + n;
	char *target = memchr(line, ' ', n);
	char *version;
	int status;

	if (target == NULL || target == line || target - line > METHOD_MAX)
		return 400;
	*target++ = '\0';
	version = memchr(target, ' ', (size_t)(end - target));
	if (version == NULL)
		return 400;
	*version++ = '\0';
	/* A NUL within shortens what the string functions see. */
	if (!http_token_is_token(line) || strlen(version) != (size_t)(end - version))
		return 400;
	h->method_name = line;
	h->method = method_of(line);
	status = parse_version(h, version);
	return status != 0 ? status :
	    parse_target(h, target, (size_t)(version - 1 - target), authority);
}

/* One header line of ${n} bytes, NUL behind it. */
static int
parse_field(struct http_head *h, char *line, size_t n)
{
	char *colon = memchr(line, ':', n);
	char *value, *end = line + n;

	if (h->count == HTTP_FIELDS_MAX)
		return 431;
	if (colon == NULL)
		return 400;
	*colon = '\0';
	value = colon + 1;
	/* Blanks at the start (a folded line) or before the colon are no token. */
	if (!http_token_is_token(line) || !http_token_is_value(value, (size_t)(end - value)))
		return 400;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	h->fields[h->count].name = line;
	h->fields[h->count].value = value;
	h->count++;
	return 0;
}

const struct http_field *
http_head_find(const struct http_head *h, const char *name, size_t *i)
{
	while (*i < h->count) {
		const struct http_field *f = &h->fields[(*i)++];

		/* 0x20 folds the case of letters; else the full comparison decides. */
		if ((f->name[0] | 0x20) == (name[0] | 0x20) && strcasecmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

/* The one value of ${name}: 0 (NULL: absent), or 400 where it stands twice. */
static int
single(const struct http_head *h, const char *name, const char **value)
{
	size_t i = 0;
	const struct http_field *f = http_head_find(h, name, &i);

	*value = f != NULL ? f->value : NULL;
	return f != NULL && http_head_find(h, name, &i) != NULL ? 400 : 0;
}

static int
check_host(struct http_head *h, const char *authority)
{
	const char *host;
	size_t i = 0;

	if (single(h, "Host", &host) != 0)
		return 400;
	if (host == NULL)
		return h->minor == 0 ? 0 : 400;
	if (!http_token_is_host(host))
		return 400;
	if (authority != NULL) {
		(void)http_head_find(h, "Host", &i);
		h->fields[i - 1].value = authority;
	}
	return 0;
}

static int
check_framing(struct http_head *h)
{
	const char *length, *coding;

	if (single(h, "Content-Length", &length) != 0 ||
	    single(h, "Transfer-Encoding", &coding) != 0)
		return 400;
	if (coding != NULL) {
		if (length != NULL || h->minor == 0 || strcasecmp(coding, "chunked") != 0)
			return 400;
		h->chunked = true;
	} else if (length != NULL && http_token_number(length, &h->length) == -1) {
		return 400;
	}
	return 0;
}

static int
check_connection(struct http_head *h)
{
	const struct http_field *f;
	const char *expect;
	size_t i = 0;

	h->keep = h->minor > 0;
	while ((f = http_head_find(h, "Connection", &i)) != NULL) {
		if (http_token_in_list(f->value, "close"))
			h->keep = false;
		else if (h->minor == 0 && http_token_in_list(f->value, "keep-alive"))
			h->keep = true;
	}
	if (single(h, "Expect", &expect) != 0)
		return 400;
	if (expect != NULL && h->minor > 0) {
		if (strcasecmp(expect, "100-continue") != 0)
			return 417;
		h->expect = true;
	}
	return 0;
}

int
http_head_parse(struct http_head *h, char *text, size_t n)
{
	const char *authority = NULL;
	char *line = text, *end = text + n;
	bool first = true;
	int status = 0;

	h->count = 0;
	h->length = 0;
	h->chunked = h->expect = h->keep = false;
	h->method_name = h->path = h->query = "";
	h->method = HTTP_OTHER;
	h->minor = 1;
	if (n >= 2 && line[0] == '\r')
		line += 2;
	while (line < end && status == 0) {
		char *cr = memchr(line, '\r', (size_t)(end - line));

		if (cr == NULL || cr + 1 == end || cr[1] != '\n')
			return 400;
		if (cr == line)
			break;
		*cr = '\0';
		status = first ? parse_line(h, line, (size_t)(cr - line), &authority) :
		    parse_field(h, line, (size_t)(cr - line));
		first = false;
		line = cr + 2;
	}
	if (first)
		return 400;
	if (status == 0)
		status = check_host(h, authority);
	if (status == 0)
		status = check_framing(h);
	return status != 0 ? status : check_connection(h);
}

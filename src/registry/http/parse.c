#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/number.h"
#include "base/text.h"
#include "registry/http/http.h"
#include "registry/http/http_internal.h"

#define HOST_MAX 255

#define METHOD_MAX 32
/* The longest request line that can hold a target of HTTP_TARGET_MAX bytes. */
#define LINE_MAX_BYTES (METHOD_MAX + 1 + HTTP_TARGET_MAX + sizeof(" HTTP/1.1\r\n") - 1)

/* Eight digits are 4 GiB, more than any body may have. */
#define DIGITS_MAX 8

enum state {
	SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LINE, TRAILER_LF, LAST_LF
};

static bool
is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_mark(char c)
{
	switch (c) {
	case '!': case '#': case '$': case '%': case '&': case '\'': case '*': case '+':
	case '-': case '.': case '^': case '_': case '`': case '|': case '~':
		return true;
	default:
		return false;
	}
}

bool
http_token_is_token(const char *s)
{
	const char *p;

	for (p = s; *p != '\0'; p++) {
		if (!is_alphanumeric(*p) && !is_mark(*p))
			return false;
	}
	return p > s;
}

bool
http_token_is_value(const char *s, size_t n)
{
	size_t i;

	for (i = text_plain_length(s, n); i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Behind the host: nothing, or a port of up to 65535. */
static bool
is_port(const char *s)
{
	uint64_t port;

	if (*s == '\0')
		return true;
	return *s == ':' && strlen(s) <= 6 && http_token_number(s + 1, &port) == 0 && port <= 65535;
}

/* HOST or HOST:PORT: a name, an IPv4 or a bracketed IPv6 address; not empty, no
 * user, no percent-escape. */
static bool
http_token_is_host(const char *s)
{
	const char *p = s;

	if (*p == '[') {
		p++;
		p += strspn(p, "0123456789abcdefABCDEF:.");
		return p - s >= 3 && p - s <= 46 && *p == ']' && is_port(p + 1);
	}
	while (is_alphanumeric(*p) || (*p != '\0' && strchr("-._~", *p) != NULL))
		p++;
	return p > s && p - s <= HOST_MAX && is_port(p);
}

int
http_token_number(const char *s, uint64_t *out)
{
	uint64_t n = 0;
	const char *p;

	for (p = s; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || p - s >= 18)
			return -1;
		n = 10 * n + (uint64_t)(*p - '0');
	}
	*out = n;
	return p > s ? 0 : -1;
}

/* Is ${word} (any case) an element of the comma-separated list ${s}? */
static bool
http_token_in_list(const char *s, const char *word)
{
	size_t len = strlen(word);

	for (;;) {
		size_t n;

		s += strspn(s, " \t,");
		if (*s == '\0')
			return false;
		n = strcspn(s, " \t,");
		if (n == len && strncasecmp(s, word, n) == 0)
			return true;
		s += n;
	}
}

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
http_head_method_of(const char *name)
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
	h->method = http_head_method_of(line);
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

void
http_chunked_init(struct http_chunked *c)
{
	c->state = SIZE;
	c->digits = 0;
	c->line = 0;
	c->left = 0;
}

static bool
is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

static int
size_byte(struct http_chunked *c, char byte)
{
	int value = hex_digit((unsigned char)byte);

	if (value >= 0) {
		c->left = c->left << 4 | (unsigned)value;
		return ++c->digits <= DIGITS_MAX ? 0 : 400;
	}
	if (c->digits == 0)
		return 400;
	if (byte == '\r')
		c->state = SIZE_LF;
	else if (byte == ';' || byte == ' ' || byte == '\t')
		c->state = EXTENSION;
	else
		return 400;
	return 0;
}

static int
extension_byte(struct http_chunked *c, char byte)
{
	if (byte == '\r')
		c->state = SIZE_LF;
	else if (is_control(byte))
		return 400;
	return ++c->line <= HTTP_CHUNKED_LINE_MAX ? 0 : 400;
}

static int
trailer_byte(struct http_chunked *c, char byte)
{
	if (byte == '\r')
		c->state = c->state == TRAILER ? LAST_LF : TRAILER_LF;
	else if (is_control(byte) || (c->state == TRAILER && (byte == ' ' || byte == '\t')))
		return 400;
	else
		c->state = TRAILER_LINE;
	return ++c->line <= HTTP_CHUNKED_TRAILER_MAX ? 0 : 400;
}

/* A byte that must be ${want}, and what comes behind it. */
static int
expect(struct http_chunked *c, char byte, char want, enum state next)
{
	c->state = (int)next;
	return byte == want ? 0 : 400;
}

static int
end_of_size(struct http_chunked *c, char byte, size_t have, size_t max)
{
	if (byte != '\n')
		return 400;
	if (c->left > max - have)
		return 413;
	c->state = c->left > 0 ? DATA : TRAILER;
	c->digits = 0;
	c->line = 0;
	return 0;
}

/* One byte that is no data. */
static int
frame_byte(struct http_chunked *c, char byte, size_t have, size_t max)
{
	switch ((enum state)c->state) {
	case SIZE:
		return size_byte(c, byte);
	case EXTENSION:
		return extension_byte(c, byte);
	case SIZE_LF:
		return end_of_size(c, byte, have, max);
	case DATA_CR:
		return expect(c, byte, '\r', DATA_LF);
	case DATA_LF:
		return expect(c, byte, '\n', SIZE);
	case TRAILER:
	case TRAILER_LINE:
		return trailer_byte(c, byte);
	case TRAILER_LF:
		return expect(c, byte, '\n', TRAILER);
	case LAST_LF:
		return byte == '\n' ? 200 : 400;
	case DATA:
		break;
	}
	return 400;
}

size_t
http_chunked_feed(struct http_chunked *c, const char *p, size_t n, struct buf *body, size_t max,
    int *status)
{
	size_t at = 0;

	*status = 0;
	while (at < n && *status == 0) {
		size_t take = n - at;

		if (c->state != DATA) {
			*status = frame_byte(c, p[at++], body->len, max);
			continue;
		}
		if (take > c->left)
			take = (size_t)c->left;
		buf_append(body, p + at, take);
		if (buf_check(body, NULL) == -1)
			*status = 503;
		at += take;
		c->left -= take;
		if (c->left == 0)
			c->state = DATA_CR;
	}
	return at;
}

/* The byte behind the '%' at ${p}, of which ${n} bytes are left; -1: bad escape. */
static int
target_unescape(const char *p, size_t n)
{
	int high, low;

	if (n < 3)
		return -1;
	high = hex_digit((unsigned char)p[1]);
	low = hex_digit((unsigned char)p[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Valid UTF-8, and where ${plain} is asked for no control character (C0, DEL, C1)? */
static bool
target_is_text(const char *text, size_t n, bool plain)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t cp;
	size_t len;

	for (; n > 0; p += len, n -= len) {
		len = text_plain_length(p, n);
		if (len > 0)
			continue;
		len = text_utf8_decode(p, n, &cp);
		if (len == 0)
			return false;
		if (plain && (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)))
			return false;
	}
	return true;
}

/* Decode one raw segment to ${to}; the length, or -1. */
static int
decode_segment(char *to, const char *raw, size_t n)
{
	size_t len = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		int c = (unsigned char)raw[i];

		if (c == '%') {
			c = target_unescape(raw + i, n - i);
			/* A slash that only shows once decoded is no separator. */
			if (c < 0 || c == '/')
				return -1;
			i += 2;
		}
		to[len++] = (char)c;
	}
	if (!target_is_text(to, len, true))
		return -1;
	if (to[0] == '.' && (len == 1 || (len == 2 && to[1] == '.')))
		return -1;
	to[len] = '\0';
	return (int)len;
}

enum target_result
target_parse(struct target *t, const char *raw, size_t n)
{
	const char *end = raw + n;
	const char *p = raw;
	char *to = t->bytes;
	bool empty = false;

	t->count = 0;
	t->trailing_slash = false;
	if (n > TARGET_BYTES_MAX)
		return TARGET_LONG;
	if (n == 0 || raw[0] != '/')
		return TARGET_BAD;
	/* All is decoded before anything is said: a bad escape goes before the rest. */
	while (p < end) {
		const char *start = p + 1;
		const char *slash = memchr(start, '/', (size_t)(end - start));
		int len;

		p = slash != NULL ? slash : end;
		if (p == start) {
			if (p < end)
				empty = true;
			else
				t->trailing_slash = n > 1;
			continue;
		}
		len = decode_segment(to, start, (size_t)(p - start));
		if (len < 0)
			return TARGET_BAD;
		if (t->count < TARGET_SEGMENTS_MAX) {
			t->segments[t->count].text = to;
			t->segments[t->count].len = (size_t)len;
			t->count++;
			to += len + 1;
		} else {
			empty = true;
		}
	}
	return empty ? TARGET_EMPTY : TARGET_OK;
}

bool
target_is(const struct target *t, size_t i, const char *text)
{
	return i < t->count && t->segments[i].len == strlen(text) &&
	    memcmp(t->segments[i].text, text, t->segments[i].len) == 0;
}

/* The next byte of a query part, plus- and percent-decoded; -1: bad escape. */
static int
query_byte(const char **p, const char *end)
{
	int c = (unsigned char)**p;

	if (c == '%') {
		c = target_unescape(*p, (size_t)(end - *p));
		if (c >= 0)
			*p += 2;
	} else if (c == '+') {
		c = ' ';
	}
	(*p)++;
	return c;
}

static bool
name_matches(const char *p, const char *end, const char *name)
{
	for (; p < end && *name != '\0'; name++) {
		if (query_byte(&p, end) != (unsigned char)*name)
			return false;
	}
	return p == end && *name == '\0';
}

static int
target_append_value(struct buf *out, const char *p, const char *end)
{
	size_t before = out->len;

	while (p < end) {
		int c = query_byte(&p, end);

		if (c < 0) {
			buf_truncate(out, before);
			return -1;
		}
		buf_append_char(out, (char)c);
	}
	if (out->len > before &&
	    !target_is_text((const char *)out->data + before, out->len - before, false)) {
		buf_truncate(out, before);
		return -1;
	}
	return 1;
}

int
target_query(const char *raw, const char *name, struct buf *out)
{
	while (*raw != '\0') {
		const char *end = raw + strcspn(raw, "&");
		const char *equals = memchr(raw, '=', (size_t)(end - raw));

		if (name_matches(raw, equals != NULL ? equals : end, name))
			return target_append_value(out, equals != NULL ? equals + 1 : end, end);
		raw = *end == '&' ? end + 1 : end;
	}
	return 0;
}

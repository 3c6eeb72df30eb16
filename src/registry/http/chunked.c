#include <stdbool.h>

#include "base/buf.h"
#include "registry/http/chunked.h"

/* Eight digits are 4 GiB, more than any body may have. */
#define DIGITS_MAX 8

enum state {
	SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LINE, TRAILER_LF, LAST_LF
};

void
http_chunked_init(struct http_chunked *c)
{
	c->state = SIZE;
	c->digits = 0;
	c->line = 0;
	c->left = 0;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

static int
size_byte(struct http_chunked *c, char byte)
{
	int value = digit(byte);

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
http_chunked_feed(struct http_chunked *c, const char *p, size_t n, struct buf *body,
    size_t max, int *status)
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

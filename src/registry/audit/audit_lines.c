#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/audit/audit_chain.h"
#include "registry/audit/audit_lines.h"

#define CHUNK ((size_t)AUDIT_LINE_MAX * 4)

struct audit_lines {
	int fd;
	const char *name;
	uint64_t offset;	/* in the file, of bytes + at */
	uint64_t number;
	size_t at, len;
	size_t scanned;		/* without a line end, from at on */
	bool end;
	bool inside;		/* the line's first piece was given out */
	char bytes[CHUNK];
};

struct audit_lines *
audit_lines_new(int fd, const char *name, uint64_t from, struct error *err)
{
	struct audit_lines *l = malloc(sizeof(*l));

	if (l == NULL) {
		error_memory(err);
		return NULL;
	}
	memset(l, 0, offsetof(struct audit_lines, bytes));
	l->fd = fd;
	l->name = name;
	l->offset = from;
	return l;
}

void
audit_lines_free(struct audit_lines *l)
{
	free(l);
}

static int
audit_lines_fill(struct audit_lines *l, struct error *err)
{
	ssize_t n;

	memmove(l->bytes, l->bytes + l->at, l->len - l->at);
	l->len -= l->at;
	l->at = 0;
	do
		n = pread(l->fd, l->bytes + l->len, CHUNK - l->len,
		    (off_t)(l->offset + l->len));
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return error_io(err, l->name, "cannot read");
	l->len += (size_t)n;
	l->end = n == 0;
	return 0;
}

static int
give(struct audit_lines *l, size_t n, bool whole, struct audit_lines_line *out)
{
	if (!l->inside)
		l->number++;
	*out = (struct audit_lines_line){ l->bytes + l->at, n, l->offset, l->number, whole };
	n += whole;
	l->at += n;
	l->offset += n;
	l->scanned = 0;
	l->inside = !whole;
	return 1;
}

int
audit_lines_next(struct audit_lines *l, struct audit_lines_line *out, struct error *err)
{
	const char *end;
	size_t n;

	for (;;) {
		n = l->len - l->at;
		end = memchr(l->bytes + l->at + l->scanned, '\n', n - l->scanned);
		if (end != NULL)
			return give(l, (size_t)(end - (l->bytes + l->at)), true, out);
		if (n >= AUDIT_LINE_MAX)
			return give(l, AUDIT_LINE_MAX, false, out);
		l->scanned = n;
		if (l->end)
			return n > 0 ? give(l, n, false, out) : 0;
		if (audit_lines_fill(l, err) != 0)
			return -1;
	}
}

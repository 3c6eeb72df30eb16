#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

/* A text that was cut may end inside a UTF-8 sequence: drop that piece. */
static void
drop_partial(char *s)
{
	size_t len = strlen(s);
	size_t start = len;
	uint32_t cp;

	while (start > 0 && len - start < 3 && ((unsigned char)s[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0 || (unsigned char)s[start - 1] < 0xc0)
		return;
	start--;
	if (text_utf8_decode((const unsigned char *)s + start, len - start, &cp) == 0)
		s[start] = '\0';
}

/* Format by way of a copy, as an argument may point into the error itself. */
static void __attribute__((format(printf, 3, 0)))
format(char *out, size_t size, const char *fmt, va_list ap)
{
	char text[1024];
	int n;

	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		text[0] = '\0';
	if (n >= (int)sizeof(text))
		drop_partial(text);
	memcpy(out, text, size < sizeof(text) ? size : sizeof(text));
	out[size - 1] = '\0';
}

int
error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	format(text, sizeof(text), fmt, ap);
	va_end(ap);
	err->code = code;
	err->line = 0;
	err->file[0] = '\0';
	err->key[0] = '\0';
	err->hint[0] = '\0';
	memcpy(err->text, text, sizeof(text));
	return -1;
}

static const char *
hint_for(int code)
{
	switch (code) {
	case ENOSPC:
		return "free space on the file system";
	case EMFILE:
	case ENFILE:
		return "raise the limit of open files (ulimit -n), or change fewer files at once";
	case EDQUOT:
		return "the disk quota is used up: free space or ask for more";
	case EROFS:
		return "the file system is mounted read-only";
	case EACCES:
	case EPERM:
		return "check owner and permissions, of the folder too, "
		    "or run as the file's owner";
	default:
		return NULL;
	}
}

int
error_io(struct error *err, const char *file, const char *what)
{
	int code = errno;
	const char *hint = hint_for(code);

	error_set(err, ERROR_IO, "%s: %s", what, strerror(code));
	if (file != NULL)
		error_place(err, file, 0);
	if (hint != NULL)
		error_hint(err, "%s", hint);
	errno = code;
	return -1;
}

int
error_memory(struct error *err)
{
	return error_set(err, ERROR_MEMORY, "not enough memory");
}

void *
error_alloc(size_t size, struct error *err)
{
	void *p = calloc(1, size);

	if (p == NULL)
		error_memory(err);
	return p;
}

int
error_place(struct error *err, const char *file, size_t line)
{
	if (err == NULL)
		return -1;
	err->line = line;
	if (file != err->file)
		snprintf(err->file, sizeof(err->file), "%s", file == NULL ? "" : file);
	drop_partial(err->file);
	return -1;
}

int
error_key(struct error *err, const char *key, size_t len)
{
	struct buf visible;
	size_t n;

	if (err == NULL)
		return -1;
	if (len >= sizeof(err->key))
		len = sizeof(err->key) - 1;
	/* No byte becomes longer than \u{10FFFF}. */
	buf_init(&visible, 10 * sizeof(err->key));
	text_append_visible(&visible, key, len);
	n = visible.failed ? 0 : visible.len;
	if (n >= sizeof(err->key))
		n = sizeof(err->key) - 1;
	if (n > 0)
		memcpy(err->key, visible.data, n);
	err->key[n] = '\0';
	drop_partial(err->key);
	buf_release(&visible);
	return -1;
}

int
error_hint(struct error *err, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	format(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	return -1;
}

const char *
error_code_name(enum error_code code)
{
	switch (code) {
	case ERROR_NONE:
		return "none";
	case ERROR_USAGE:
		return "usage";
	case ERROR_IO:
		return "io";
	case ERROR_FORMAT:
		return "format";
	case ERROR_MISSING:
		return "missing";
	case ERROR_EXISTS:
		return "exists";
	case ERROR_REFUSED:
		return "refused";
	case ERROR_STALE:
		return "stale";
	case ERROR_KEY:
		return "wrong-key";
	case ERROR_DAMAGED:
		return "damaged";
	case ERROR_BUSY:
		return "busy";
	case ERROR_LIMIT:
		return "limit";
	case ERROR_MEMORY:
		return "memory";
	case ERROR_UNKNOWN:
		return "not-known";
	case ERROR_CRYPTO:
		return "crypto";
	}
	return "unknown";
}

int
error_exit_status(enum error_code code)
{
	switch (code) {
	case ERROR_NONE:
		return 0;
	case ERROR_USAGE:
		return 2;
	case ERROR_KEY:
	case ERROR_DAMAGED:
		return 4;
	case ERROR_BUSY:
		return 5;
	default:
		return 1;
	}
}

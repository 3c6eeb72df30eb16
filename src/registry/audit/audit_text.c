#include <time.h>

#include "registry/audit/audit_text.h"

static const char hex_digits[] = "0123456789abcdef";

void
audit_text_number(struct audit_text *t, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	audit_text_put(t, digits + i, sizeof(digits) - i);
}

void
audit_text_signed(struct audit_text *t, int64_t n)
{
	if (n < 0)
		AUDIT_TEXT_PUT(t, "-");
	audit_text_number(t, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void
audit_text_hex(struct audit_text *t, const unsigned char *bytes, size_t n)
{
	char *to = t->at;	/* of its own: what is written might else be t->at */
	size_t i;

	if ((size_t)(t->end - to) < 2 * n)
		return;
	for (i = 0; i < n; i++) {
		*to++ = hex_digits[bytes[i] >> 4];
		*to++ = hex_digits[bytes[i] & 15];
	}
	t->at = to;
}

size_t
audit_text_cut(const char *s, size_t n, size_t max)
{
	size_t i;

	if (n <= max)
		return n;
	for (i = max; i > 0 && max - i < 3 && ((unsigned char)s[i] & 0xc0) == 0x80; i--)
		;
	return ((unsigned char)s[i] & 0xc0) == 0x80 ? max : i;
}

void
audit_text_percent(struct audit_text *t, const char *s, size_t n, size_t max)
{
	static const char upper[] = "0123456789ABCDEF";
	char *to = t->at;
	size_t i;
	unsigned char c;

	n = audit_text_cut(s, n, max);
	if ((size_t)(t->end - to) < 3 * n)
		return;
	for (i = 0; i < n; i++) {
		c = (unsigned char)s[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_' || c == '~') {
			*to++ = (char)c;
		} else {
			*to++ = '%';
			*to++ = upper[c >> 4];
			*to++ = upper[c & 15];
		}
	}
	t->at = to;
}

static void
put_two(char *at, int n)
{
	at[0] = (char)('0' + n / 10 % 10);
	at[1] = (char)('0' + n % 10);
}

void
audit_text_now(struct audit_text *t)
{
	/* The last second this thread made a text of. */
	static _Thread_local time_t second = -1;
	static _Thread_local char text[AUDIT_TEXT_TIME];
	struct timespec now;
	struct tm tm;
	int ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second && gmtime_r(&now.tv_sec, &tm) != NULL) {
		memcpy(text, "0000-00-00T00:00:00.000Z", sizeof(text));
		put_two(text, (tm.tm_year + 1900) / 100);
		put_two(text + 2, tm.tm_year + 1900);
		put_two(text + 5, tm.tm_mon + 1);
		put_two(text + 8, tm.tm_mday);
		put_two(text + 11, tm.tm_hour);
		put_two(text + 14, tm.tm_min);
		put_two(text + 17, tm.tm_sec);
		second = now.tv_sec;
	}
	ms = (int)(now.tv_nsec / 1000000);
	text[20] = (char)('0' + ms / 100);
	put_two(text + 21, ms % 100);
	audit_text_put(t, text, sizeof(text));
}

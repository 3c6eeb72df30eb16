#include <wchar.h>

#include "base/text.h"
#include "ui/columns.h"

bool
columns_can_show(uint32_t cp)
{
	return wcwidth((wchar_t)cp) >= 0;
}

int
columns_of(uint32_t cp)
{
	int w = wcwidth((wchar_t)cp);

	return w < 0 ? 1 : w;
}

/* One character: its bytes and columns.  Whatever is not UTF-8 is one byte. */
static size_t
step(const char *text, size_t n, int *columns)
{
	uint32_t cp;
	size_t len = text_utf8_decode((const unsigned char *)text, n, &cp);

	if (len == 0) {
		*columns = 1;
		return 1;
	}
	*columns = columns_of(cp);
	return len;
}

int
columns_text(const char *text, size_t n)
{
	int total = 0;
	size_t i = 0;
	int w;

	while (i < n) {
		i += step(text + i, n - i, &w);
		total += w;
	}
	return total;
}

size_t
columns_fit(const char *text, size_t n, int max, int *used)
{
	int total = 0;
	size_t i = 0;
	size_t len;
	int w;

	while (i < n) {
		len = step(text + i, n - i, &w);
		if (total + w > max)
			break;
		total += w;
		i += len;
	}
	if (used != NULL)
		*used = total;
	return i;
}

size_t
columns_fit_tail(const char *text, size_t n, int max)
{
	int over = columns_text(text, n) - max;
	size_t i = 0;
	int w;

	while (i < n && over > 0) {
		i += step(text + i, n - i, &w);
		over -= w;
	}
	return i;
}

size_t
columns_wrap(const char *text, size_t n, int width, size_t *next)
{
	size_t line = 0;
	size_t fit, i;

	while (line < n && text[line] != '\n')
		line++;
	fit = columns_fit(text, line, width, NULL);
	if (fit == line) {
		*next = line < n ? line + 1 : n;
		return line;
	}
	for (i = fit; i > 0 && text[i] != ' '; i--)
		;
	if (i == 0) {
		/* One long word; a character wider than the line must not stall. */
		if (fit == 0)
			fit = step(text, line, &(int){ 0 });
		*next = fit;
		return fit;
	}
	*next = i + 1;
	while (i > 0 && text[i - 1] == ' ')
		i--;
	return i;
}

#include "vt_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vt.h"

static size_t
put_utf8(char *p, uint32_t c)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	size_t i;

	for (i = n - 1; i > 0; i--) {
		p[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	p[0] = (char)(n == 1 ? c : lead[n] | c);
	return n;
}

size_t
vt_text_of(const VTermScreenCell *cells, int cols, char *buf, size_t size)
{
	size_t n = 0;
	int c, i;

	for (c = 0; c < cols && n + 4 * VTERM_MAX_CHARS_PER_CELL + 1 < size;
	    c += cells[c].width > 0 ? cells[c].width : 1) {
		if (cells[c].chars[0] == 0)
			buf[n++] = ' ';
		for (i = 0; i < VTERM_MAX_CHARS_PER_CELL && cells[c].chars[i] != 0; i++)
			n += put_utf8(buf + n, cells[c].chars[i]);
	}
	while (n > 0 && buf[n - 1] == ' ')
		n--;
	buf[n] = '\0';
	return n;
}

void
vt_row(struct vt *v, int row, char *buf, size_t size)
{
	int cols = vt_cols(v);
	VTermScreenCell *cells = calloc((size_t)cols, sizeof(*cells));
	int c;

	assert_non_null(cells);
	for (c = 0; c < cols; c++)
		cells[c] = vt_cell(v, row, c);
	vt_text_of(cells, cols, buf, size);
	free(cells);
}

/* The column of byte ${at} of a row's text. */
static int
column_of(struct vt *v, int row, size_t at)
{
	char line[4096];
	VTermScreenCell *cells = calloc((size_t)vt_cols(v), sizeof(*cells));
	int c;

	assert_non_null(cells);
	for (c = 0; c < vt_cols(v); c++) {
		cells[c] = vt_cell(v, row, c);
		/* A cell that is not blank, so that the end is not cut. */
		if (cells[c].chars[0] == 0 || cells[c].chars[0] == ' ')
			cells[c].chars[0] = '.';
		if (vt_text_of(cells, c + 1, line, sizeof(line)) > at)
			break;
	}
	free(cells);
	return c;
}

bool
vt_find(struct vt *v, const char *text, int *row, int *col)
{
	char line[4096];
	const char *p;
	int r;

	for (r = 0; r < vt_rows(v); r++) {
		vt_row(v, r, line, sizeof(line));
		p = strstr(line, text);
		if (p == NULL)
			continue;
		*row = r;
		*col = column_of(v, r, (size_t)(p - line));
		return true;
	}
	return false;
}

bool
vt_has(struct vt *v, const char *text)
{
	int row, col;

	return vt_find(v, text, &row, &col);
}

void
vt_assert_has(struct vt *v, const char *text)
{
	if (!vt_has(v, text))
		vt_fail(v, "not on the screen:", text);
}

void
vt_assert_lacks(struct vt *v, const char *text)
{
	if (vt_has(v, text))
		vt_fail(v, "on the screen:", text);
}

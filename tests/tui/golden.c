#include "golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vt.h"

#define FOLDER "tests/tui/golden"

static void
name_colour(const VTermColor *c, char *buf, size_t size)
{
	if (VTERM_COLOR_IS_DEFAULT_FG(c) || VTERM_COLOR_IS_DEFAULT_BG(c))
		snprintf(buf, size, "-");
	else if (VTERM_COLOR_IS_INDEXED(c))
		snprintf(buf, size, "%d", c->indexed.idx);
	else
		snprintf(buf, size, "#%02x%02x%02x", c->rgb.red, c->rgb.green, c->rgb.blue);
}

/* A blank shows no foreground, and libvterm's versions differ on its pen. */
static void
name_style(const VTermScreenCell *c, char *buf, size_t size)
{
	bool blank = (c->chars[0] == 0 || c->chars[0] == ' ') && !c->attrs.reverse &&
	    !c->attrs.underline;
	char fg[16], bg[16];

	name_colour(&c->fg, fg, sizeof(fg));
	name_colour(&c->bg, bg, sizeof(bg));
	snprintf(buf, size, "%s/%s%s%s%s", blank ? "-" : fg, bg,
	    c->attrs.bold && !blank ? " bold" : "", c->attrs.reverse ? " rev" : "",
	    c->attrs.underline ? " ul" : "");
}

static void
dump_styles(struct vt *v, int row, FILE *f)
{
	VTermScreenCell cell;
	char style[64], next[64];
	int c = 0;
	int start;

	while (c < vt_cols(v)) {
		cell = vt_cell(v, row, c);
		name_style(&cell, style, sizeof(style));
		for (start = c; c < vt_cols(v); c++) {
			cell = vt_cell(v, row, c);
			/* The right half of a wide character has no pen. */
			if (cell.chars[0] == (uint32_t)-1)
				continue;
			name_style(&cell, next, sizeof(next));
			if (strcmp(style, next) != 0)
				break;
		}
		if (strcmp(style, "-/-") != 0)
			fprintf(f, "%d,%d-%d %s\n", row, start, c - 1, style);
	}
}

/* Ciphertext differs each time. */
static void
mask(char *line)
{
	char *p = line;
	int i;

	while ((p = strstr(p, "data:")) != NULL)
		for (i = 0, p += 5; i < 8 && *p != '\0' && *p != ' '; i++)
			*p++ = '#';
}

/* Text first, then one line for each run of cells that is not plain. */
static void
dump(struct vt *v, FILE *f)
{
	char line[4096];
	int r, c;

	vt_cursor(v, &r, &c);
	fprintf(f, "size %dx%d cursor %d,%d%s\n", vt_cols(v), vt_rows(v), r, c,
	    vt_cursor_visible(v) ? "" : " hidden");
	for (r = 0; r < vt_rows(v); r++) {
		vt_row(v, r, line, sizeof(line));
		mask(line);
		fprintf(f, "|%s\n", line);
	}
	for (r = 0; r < vt_rows(v); r++)
		dump_styles(v, r, f);
}

static void
write_file(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static char *
read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (f == NULL)
		return NULL;
	if (getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(f);
	return text;
}

void
golden_assert(struct vt *v, const char *name)
{
	char path[256];
	char *got = NULL;
	char *want;
	size_t n = 0;
	FILE *f = open_memstream(&got, &n);
	int same;

	assert_non_null(f);
	vt_settle(v);
	dump(v, f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/%s.txt", FOLDER, name);
	if (getenv("UPDATE_GOLDEN") != NULL) {
		write_file(path, got, n);
		free(got);
		return;
	}
	want = read_file(path);
	same = want != NULL && strcmp(got, want) == 0;
	/* Not print_error, which stops at 1024 bytes. */
	if (!same)
		fprintf(stderr, "%s differs; UPDATE_GOLDEN=1 rewrites it.\n--- want\n%s--- got\n%s",
		    path, want != NULL ? want : "", got);
	free(want);
	free(got);
	assert_true(same);
}

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
#define AWAIT_TRIES 400	/* of 50 ms: nearly as long as vt.c waits for a text */
#define ELLIPSIS "\xe2\x80\xa6"

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

/* Over what stands at ${p} in this form: `9` a digit, `x` one of a key in hexadecimal or base64,
 * all else itself.  False: it does not. */
static bool
mask_form(char *p, const char *form)
{
	size_t n = strlen(form);

	for (size_t i = 0; i < n; i++)
		if (form[i] == '9' ? p[i] < '0' || p[i] > '9' : form[i] == 'x' ?
		    p[i] == '\0' || strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		    "0123456789+/=", p[i]) == NULL : p[i] != form[i])
			return false;
	for (size_t i = 0; i < n; i++)
		if (form[i] == '9' || form[i] == 'x')
			p[i] = '#';
	return true;
}

/* Who runs the tests, and for how many days there has been a date: to the end of the row. */
static void
mask_facts(char *line)
{
	static const char *const facts[] = { " owner       ", " data key    " };
	char *p;

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if ((p = strstr(line, facts[i])) != NULL)
			memcpy(p + strlen(facts[i]), "#", 2);
}

/* The folder of the test, which is as long as where the tests run: one sign for all of it, and one
 * blank for those behind it; of what is cut behind it, nothing. */
static void
mask_folder(char *line)
{
	static const char name[] = "propseal-tui.";
	char *from = strstr(line, name), *to;

	if (from == NULL || strncmp(from + sizeof(name) - 1 + 6, "/", 1) != 0)
		return;
	to = from + sizeof(name) - 1 + 6;
	while (from > line && from[-1] != ' ')
		from--;
	*from++ = '#';
	memmove(from, to, strlen(to) + 1);
	to = strstr(from, ELLIPSIS);
	if (to != NULL && to < from + strcspn(from, " "))
		memmove(from, to, strlen(to) + 1);
	from += strcspn(from, " ");
	memmove(from, from + strspn(from, " "), strlen(from + strspn(from, " ")) + 1);
}

/* What is left of a path beside a box, cut: it begins anywhere. */
static void
mask_rest(char *line)
{
	static const char edge[] = "\xe2\x94\x82";	/* a vertical line */
	size_t len = strlen(line);
	char *from = NULL;

	for (char *p = line; (p = strstr(p, edge)) != NULL; p += sizeof(edge) - 1)
		from = p + sizeof(edge) - 1;
	if (from == NULL || strchr(from, ' ') != NULL || strchr(from, '/') == NULL ||
	    strcmp(line + len - (sizeof(ELLIPSIS) - 1), ELLIPSIS) != 0)
		return;
	memmove(from, ELLIPSIS, sizeof(ELLIPSIS));
}

/* Dates and times, what is random, where the tests run, and the seconds that are left; each keeps
 * its width. */
static void
mask_more(char *line)
{
	static const char *const forms[] = { " = xxxxxxxxxxxxxxxxxxx", "2099-99-99-9", "2099-99-99", "99:99:99", "99:99",
		"20999999T999999Z-xxxxxxxx", "20999999T999999Z-",
		"127.0.0.1:99999", ELLIPSIS ":99999", "x/propseal-tui.xxxxxx.state",
		"propseal-tui.xxxxxx.state", " id xxxxxxxx", " 99 s",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=" };

	/* The end of an id that is broken to lines. */
	(void)mask_form(line, " xxxxxxxx, of the ");
	for (char *p = line; *p != '\0'; p++)
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
			if (mask_form(p, forms[i]))
				break;
	mask_facts(line);
	mask_folder(line);
	mask_rest(line);
}

/* Text first, then one line for each run of cells that is not plain. */
static void
dump(struct vt *v, FILE *f, bool more)
{
	char line[4096];
	int r, c;

	vt_cursor(v, &r, &c);
	fprintf(f, "size %dx%d cursor %d,%d%s\n", vt_cols(v), vt_rows(v), r, c,
	    vt_cursor_visible(v) ? "" : " hidden");
	for (r = 0; r < vt_rows(v); r++) {
		vt_row(v, r, line, sizeof(line));
		mask(line);
		if (more)
			mask_more(line);
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

/* Only the rows of a screen as it was written. */
static void
keep_text(char *text)
{
	char *to = text, *next;

	for (char *p = text; *p != '\0'; p = next) {
		next = p + strcspn(p, "\n") + 1;
		if (*p != '|')
			continue;
		memmove(to, p, (size_t)(next - p));
		to += next - p;
	}
	*to = '\0';
}

/* The screen as it is now (free it). */
static char *
golden_take(struct vt *v, bool more, bool text_only)
{
	char *got = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&got, &n);

	assert_non_null(f);
	vt_settle(v);
	dump(v, f, more);
	fclose(f);
	if (text_only)
		keep_text(got);
	return got;
}

static bool only_text;

void
golden_only_text(bool on)
{
	only_text = on;
}

/* ${tries}: an answer may come, and be drawn, at any time. */
static void
golden_compare(struct vt *v, const char *name, bool more, bool text_only, int tries)
{
	char path[256];
	char *got, *want;
	int same;

	text_only = text_only || only_text;
	snprintf(path, sizeof(path), "%s/%s.txt", FOLDER, name);
	if (getenv("UPDATE_GOLDEN") != NULL && !text_only) {
		if (tries > 1)
			vt_linger(v, 2000);
		got = golden_take(v, more, false);
		write_file(path, got, strlen(got));
		free(got);
		return;
	}
	want = read_file(path);
	if (text_only && want != NULL)
		keep_text(want);
	got = golden_take(v, more, text_only);
	while (!(same = want != NULL && strcmp(got, want) == 0) && --tries > 0) {
		vt_linger(v, 50);
		free(got);
		got = golden_take(v, more, text_only);
	}
	/* Not print_error, which stops at 1024 bytes. */
	if (!same)
		fprintf(stderr, "%s differs; UPDATE_GOLDEN=1 rewrites it.\n--- want\n%s--- got\n%s",
		    path, want != NULL ? want : "", got);
	free(want);
	free(got);
	assert_true(same);
}

void
golden_assert(struct vt *v, const char *name)
{
	golden_compare(v, name, false, false, 1);
}

void
golden_assert_masked(struct vt *v, const char *name)
{
	golden_compare(v, name, true, false, 1);
}

void
golden_assert_sizes(struct vt *v, const char *name)
{
	static const struct {
		int rows, cols;
		const char *size;
	} sizes[] = { { 24, 80, "80x24" }, { 40, 120, "120x40" }, { 5, 20, "20x5" } };
	char file[64];

	for (size_t i = 0; i < 3; i++) {
		if (i > 0)
			vt_resize(v, sizes[i].rows, sizes[i].cols);
		snprintf(file, sizeof(file), "%s-%s", name, sizes[i].size);
		golden_compare(v, file, true, false, AWAIT_TRIES);
	}
	vt_resize(v, 24, 80);
}

void
golden_assert_text(struct vt *v, const char *name)
{
	golden_compare(v, name, true, true, 1);
}

void
golden_await(struct vt *v, const char *name)
{
	golden_compare(v, name, true, false, AWAIT_TRIES);
}

void
golden_await_text(struct vt *v, const char *name)
{
	golden_compare(v, name, true, true, AWAIT_TRIES);
}

#include "cli/config_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "cli/source.h"
#include "common/options.h"
#include "common/report.h"

#define TEXT_MAX (256U << 20)

/* What the two characters \n in a literal text are. */
enum meaning { IS_TEXT, IS_LINE_END, IS_UNCLEAR };

static bool
is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("._-/$", c) != NULL);
}

static size_t
skip_blanks(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return i;
}

/*
 * `confluent secret` makes every \n a line end, and so cuts the password
 * C:\new in two.  Here it is one where `key=` follows: a key of the file, or
 * one with a dot.  A single word and `=` might be either.
 */
static enum meaning
meaning_of(const char *p, size_t n, const struct document *config, bool split_before)
{
	size_t start = skip_blanks(p, n);
	size_t end = start;
	size_t i;
	bool dot = false;

	if (start == n)
		return split_before ? IS_LINE_END : IS_UNCLEAR;
	for (; end < n && is_key_char(p[end]); end++)
		dot |= p[end] == '.';
	i = end + skip_blanks(p + end, n - end);
	if (end == start || i == n || (p[i] != '=' && p[i] != ':'))
		return IS_TEXT;
	if (document_find(config, p + start, end - start) != DOCUMENT_NONE)
		return IS_LINE_END;
	return dot && p[start] != '.' ? IS_LINE_END : IS_UNCLEAR;
}

static int
unclear(struct error *err)
{
	error_set(err, ERROR_USAGE, "--config holds the two characters \\n, and it is not clear "
	    "whether they separate entries or belong to a value");
	return error_hint(err, "write \\\\n for the two characters in a value; put entries on "
	    "lines of their own, or in a file for --config @FILE");
}

/* Copy the literal text with each \n made a line end or, escaped, text. */
static int
resolve_newlines(const struct buf *in, const struct document *config, struct buf *out,
    struct error *err)
{
	const char *p = (const char *)in->data;
	bool split = false;
	bool kept = false;
	size_t i;

	for (i = 0; i < in->len; i++) {
		if (p[i] != '\\' || i + 1 == in->len) {
			buf_append_char(out, p[i]);
			continue;
		}
		i++;
		if (p[i] != 'n') {
			buf_append(out, p + i - 1, 2);
			continue;
		}
		switch (meaning_of(p + i + 1, in->len - i - 1, config, split)) {
		case IS_LINE_END:
			buf_append_char(out, '\n');
			split = true;
			break;
		case IS_TEXT:
			buf_append_str(out, "\\\\n");
			kept = true;
			break;
		case IS_UNCLEAR:
			return unclear(err);
		}
	}
	if (kept)
		report_note("the two characters \\n in --config stay in the value: no KEY= "
		    "follows them");
	return buf_check(out, err);
}

/*
 * In the path to a JSON value `\\.` is a dot of a name.  As .properties the
 * backslash would be dropped, and with it the meaning: double it, in keys.
 */
static int
keep_paths(struct buf *text, struct error *err)
{
	const char *p = (const char *)text->data;
	bool in_key = true;
	struct buf out;
	int rc;

	buf_init_secret(&out, 2 * (size_t)TEXT_MAX);
	for (size_t i = 0; i < text->len; i++) {
		if (p[i] == '\\' && i + 1 < text->len) {
			buf_append_str(&out, in_key && p[i + 1] == '.' ? "\\\\" : "\\");
			buf_append_char(&out, p[++i]);
			continue;
		}
		if (p[i] == '\n' || p[i] == '\r')
			in_key = true;
		else if (p[i] == '=' || p[i] == ':')
			in_key = false;
		buf_append_char(&out, p[i]);
	}
	if ((rc = buf_check(&out, err)) == 0)
		buf_move(text, &out);
	buf_release(&out);
	return rc;
}

/* An odd number of backslashes at the end: a reader would drop the last. */
static int
check_end(const struct buf *text, struct error *err)
{
	size_t n = 0;

	while (n < text->len && text->data[text->len - 1 - n] == '\\')
		n++;
	if (n % 2 == 0)
		return 0;
	error_set(err, ERROR_USAGE, "--config ends with a lone backslash, which would be lost");
	return error_hint(err, "the text is read as .properties: write \\\\ for a backslash");
}

/* A backslash that a reader drops, or makes a control character. */
static void
warn_escapes(const struct document *d, size_t i)
{
	const unsigned char *raw;
	struct buf key;
	const char *k;
	size_t n, j, len;

	raw = document_raw_value(d, i, &n);
	for (j = 0; j + 1 < n; j++) {
		if (raw[j] == '\\' && strchr("\\:=#! u\r\n", raw[++j]) == NULL)
			break;
	}
	if (j + 1 >= n)
		return;
	k = document_key(d, i, &len);
	buf_init(&key, 4096);
	text_append_visible(&key, k, len);
	report_warning("write \\\\ for a backslash that belongs to the value",
	    "%s: a backslash in --config begins an escape, as in .properties", buf_cstr(&key));
	buf_release(&key);
}

/* A key without a separator: is it one whose value was forgotten? */
static bool
is_bare(const struct document *d, size_t i)
{
	const unsigned char *p = document_bytes(d)->data;
	size_t start, end, n;

	(void)document_raw_value(d, i, &n);
	document_span(d, i, &start, &end);
	return n == 0 && memchr(p + start, '=', end - start) == NULL &&
	    memchr(p + start, ':', end - start) == NULL;
}

static int
check_entries(const struct document *d, const struct document *config, bool literal,
    struct error *err)
{
	const char *key;
	size_t i, len;

	for (i = 0; i < document_count(d); i++) {
		key = document_key(d, i, &len);
		if (len == 0) {
			error_set(err, ERROR_USAGE, "there is no key before the separator");
			error_place(err, document_file(d), document_line(d, i));
			return error_hint(err, "an entry is KEY=VALUE");
		}
		if (is_bare(d, i) && document_find(config, key, len) != DOCUMENT_NONE) {
			error_set(err, ERROR_USAGE, "the key is there already, and no value is "
			    "given for it");
			error_place(err, document_file(d), document_line(d, i));
			error_key(err, key, len);
			return error_hint(err, "an entry is KEY=VALUE; write KEY= for an empty "
			    "value");
		}
		if (document_shadowed(d, i)) {
			error_set(err, ERROR_USAGE, "the key is given twice");
			error_place(err, document_file(d), document_line(d, i));
			return error_key(err, key, len);
		}
		if (literal)
			warn_escapes(d, i);
	}
	return 0;
}

static const char *
source_name(const struct options *o)
{
	const struct buf *spec = &o->secret[FLAG_CONFIG_TEXT];

	if (source_is_literal(o, FLAG_CONFIG_TEXT))
		return "--config";
	return spec->data[0] == '@' ? "--config @FILE" : "standard input";
}

struct document *
config_text_read(const struct options *o, const struct document *config, const char *empty,
    struct error *err)
{
	bool literal = source_is_literal(o, FLAG_CONFIG_TEXT);
	struct document *d = NULL;
	struct buf raw, text;

	buf_init_secret(&raw, TEXT_MAX);
	buf_init_secret(&text, TEXT_MAX);
	if (source_read(o, FLAG_CONFIG_TEXT, &raw, err) != 0)
		goto out;
	if (literal) {
		if (check_end(&raw, err) != 0 ||
		    resolve_newlines(&raw, config, &text, err) != 0)
			goto out;
	} else
		buf_move(&text, &raw);
	if (document_format(config) == DOCUMENT_JSON && keep_paths(&text, err) != 0)
		goto out;
	d = document_parse(&text, DOCUMENT_PROPERTIES, source_name(o), err);
	if (d == NULL)
		goto out;
	if (document_count(d) == 0 && document_problem(d, NULL) == 0) {
		error_set(err, ERROR_USAGE, "%s", empty);
		error_hint(err, "an entry is KEY=VALUE");
	} else if (document_problem(d, err) == 0 && check_entries(d, config, literal, err) == 0)
		goto out;
	document_free(d);
	d = NULL;
out:
	buf_release(&raw);
	buf_release(&text);
	return d;
}

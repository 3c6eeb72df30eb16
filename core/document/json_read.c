#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "document/document_internal.h"
#include "document/json_internal.h"
#include "document/json_path.h"

/*
 * The entries of a JSON text, RFC 8259 to the letter, but that any bytes from
 * 0x20 on may stand in a string, UTF-8 or not.  One walk over the bytes with
 * the open objects and arrays on a stack of its own, so that neither deep
 * nesting nor length costs more than its bytes.
 */
struct box {
	uint32_t number;	/* in s->boxes */
	uint32_t children;
	size_t path;		/* length of its path in s->path */
	bool array;
};

struct scan {
	struct document *d;
	const unsigned char *p;
	size_t n;
	size_t first;		/* behind the byte order mark */
	size_t at;
	size_t line;		/* of the place that the walk has reached */
	struct document_entry x;	/* the one that is being read */
	struct box *stack;	/* JSON_MAX_DEPTH: to zero it would take longer than most texts */
	size_t depth;
	struct buf path;	/* of what is being read */
	struct buf name;	/* scratch for decoding */
	size_t paths;		/* length of all so far */
	struct vec boxes;	/* struct document_entry: objects and arrays as they open */
};

enum step {
	STEP_VALUE,		/* a value begins here, s->x knows its name */
	STEP_AFTER,		/* a value ended */
	STEP_END,		/* the whole text is read */
	STEP_STOP,		/* the problem is set */
	STEP_FAIL		/* the error is set */
};

/* ${c} in each byte of a word. */
static uint64_t
eight(unsigned char c)
{
	return UINT64_C(0x0101010101010101) * c;
}

/* Is any byte of the word 0?  (Mycroft's test, exact for "any".) */
static bool
has_zero(uint64_t w)
{
	return ((w - eight(1)) & ~w & eight(0x80)) != 0;
}

/* May the word hold a quote, a backslash or a control character? */
static bool
has_special(uint64_t w)
{
	bool control = ((w - eight(0x20)) & ~w & eight(0x80)) != 0;

	return control || has_zero(w ^ eight('"')) || has_zero(w ^ eight('\\'));
}

/* The next quote, backslash or control character from ${at} on, or n. */
static size_t
next_special(const unsigned char *p, size_t n, size_t at)
{
	uint64_t w;

	while (at + sizeof(w) <= n) {
		memcpy(&w, p + at, sizeof(w));
		if (has_special(w))
			break;
		at += sizeof(w);
	}
	while (at < n && p[at] >= 0x20 && p[at] != '"' && p[at] != '\\')
		at++;
	return at;
}

static bool
json_token_is_digit(const unsigned char *p, size_t n, size_t at)
{
	return at < n && ascii_is_digit(p[at]);
}

/* Pass over the backslash at ${*at} and what it goes with. */
static enum json_token
pass_escape(const unsigned char *p, size_t n, size_t *at)
{
	size_t i = *at + 1;
	size_t end = i + 5;

	if (i == n)
		return JSON_TOKEN_OPEN;
	if (p[i] != 'u') {
		if (memchr("\"\\/bfnrt", p[i], 8) == NULL)
			return JSON_TOKEN_ESCAPE;
		*at = i + 1;
		return JSON_TOKEN;
	}
	while (++i < end) {
		if (i == n)
			return JSON_TOKEN_OPEN;
		if (hex_digit(p[i]) < 0)
			return JSON_TOKEN_UNIT;
	}
	*at = end;
	return JSON_TOKEN;
}

/**
 * json_token_string(p, n, at) and so on:
 * Pass over the string, number or word that begins at ${*at}; when it is
 * not a whole one, to the place of the fault.
 */
static enum json_token
json_token_string(const unsigned char *p, size_t n, size_t *at)
{
	enum json_token token = JSON_TOKEN;

	++*at;
	while (token == JSON_TOKEN) {
		*at = next_special(p, n, *at);
		if (*at == n)
			return JSON_TOKEN_OPEN;
		if (p[*at] == '"') {
			++*at;
			return JSON_TOKEN;
		}
		token = p[*at] == '\\' ? pass_escape(p, n, at) : JSON_TOKEN_CONTROL;
	}
	return token;
}

/* One digit at least. */
static bool
pass_digits(const unsigned char *p, size_t n, size_t *at)
{
	if (!json_token_is_digit(p, n, *at))
		return false;
	while (json_token_is_digit(p, n, *at))
		++*at;
	return true;
}

static enum json_token
json_token_number(const unsigned char *p, size_t n, size_t *at)
{
	if (p[*at] == '-')
		++*at;
	if (*at < n && p[*at] == '0') {
		++*at;
		if (json_token_is_digit(p, n, *at))
			return JSON_TOKEN_NUMBER;
	} else if (!pass_digits(p, n, at)) {
		return JSON_TOKEN_NUMBER;
	}
	if (*at < n && p[*at] == '.') {
		++*at;
		if (!pass_digits(p, n, at))
			return JSON_TOKEN_NUMBER;
	}
	if (*at < n && (p[*at] == 'e' || p[*at] == 'E')) {
		++*at;
		if (*at < n && (p[*at] == '+' || p[*at] == '-'))
			++*at;
		if (!pass_digits(p, n, at))
			return JSON_TOKEN_NUMBER;
	}
	return JSON_TOKEN;
}

static enum json_token
json_token_word(const unsigned char *p, size_t n, size_t *at)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t i, len;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		len = strlen(words[i]);
		if (n - *at >= len && memcmp(p + *at, words[i], len) == 0) {
			*at += len;
			return JSON_TOKEN;
		}
	}
	return JSON_TOKEN_WORD;
}

/* A \uXXXX, with the second half of a surrogate pair when that follows. */
static size_t
json_decode_read_code_point(struct cursor *c)
{
	uint32_t cp = (uint32_t)hex_four(c->p + c->at + 2);
	uint32_t low;

	c->at += 6;
	if (cp >= 0xd800 && cp <= 0xdbff && c->n - c->at >= 6 &&
	    memcmp(c->p + c->at, "\\u", 2) == 0) {
		low = (uint32_t)hex_four(c->p + c->at + 2);
		if (low >= 0xdc00 && low <= 0xdfff) {
			cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
			c->at += 6;
		}
	}
	return text_utf8_encode(cp, c->small);
}

/* The next piece of one byte or more; false at the end. */
static bool
json_decode_next_piece(struct cursor *c, const unsigned char **piece, size_t *len)
{
	const unsigned char *from = c->p + c->at;
	const unsigned char *backslash;

	if (c->at == c->n)
		return false;
	if (*from != '\\') {
		backslash = memchr(from, '\\', c->n - c->at);
		*piece = from;
		*len = backslash == NULL ? c->n - c->at : (size_t)(backslash - from);
		c->at += *len;
		return true;
	}
	*piece = c->small;
	if (from[1] == 'u') {
		*len = json_decode_read_code_point(c);
	} else {
		c->small[0] = text_unescape_letter(from[1]);
		*len = 1;
		c->at += 2;
	}
	return true;
}

/* Append what the well-formed text between a string's quotes stands for. */
static void
json_decode(const unsigned char *p, size_t n, struct buf *out)
{
	struct cursor c = { .p = p, .n = n };

	cursor_append(&c, json_decode_next_piece, out);
}

bool
json_decode_span(const struct document *d, const struct document_entry *x, size_t *from, size_t *to)
{
	unsigned char first = d->bytes.data[x->value];

	*from = x->value;
	*to = x->value_end;
	if (first == '"') {
		++*from;
		--*to;
	} else if (first == 'n') {
		*to = *from;
	}
	return first == '"';
}

void
json_decode_value(const struct document *d, const struct document_entry *x, struct buf *out)
{
	size_t from, to;
	bool string = json_decode_span(d, x, &from, &to);

	if (string)
		json_decode(d->bytes.data + from, to - from, out);
	else
		buf_append(out, d->bytes.data + from, to - from);
}

bool
json_decode_is(const struct document *d, const struct document_entry *x, const void *value,
    size_t n)
{
	struct cursor c = { .p = d->bytes.data };
	bool string = json_decode_span(d, x, &c.at, &c.n);

	if (!string)
		return c.n - c.at == n && (n == 0 || memcmp(c.p + c.at, value, n) == 0);
	return cursor_is(&c, json_decode_next_piece, value, n);
}

void
json_decode_seek(const struct document *d, const struct document_entry *x,
    struct document_place *at, size_t decoded)
{
	struct cursor c = { .p = d->bytes.data };
	size_t from;
	bool string = json_decode_span(d, x, &from, &c.n);
	const unsigned char *piece = NULL;
	size_t len, room;

	/* The first place is asked for by the value's, but lies behind the quote. */
	if (at->raw < from)
		at->raw = (uint32_t)from;
	c.at = at->raw;
	while (at->decoded < decoded && c.at < c.n) {
		room = decoded - at->decoded;
		len = c.n - c.at;
		if (!string)
			c.at = c.n;
		else if (!json_decode_next_piece(&c, &piece, &len) || (piece == c.small &&
		    len > room))
			break;
		/* What stands in the bytes as it is can end anywhere. */
		if (len > room) {
			c.at -= len - room;
			len = room;
		}
		at->raw = (uint32_t)c.at;
		at->decoded += (uint32_t)len;
	}
}

/* How far it stands behind a value on its line would tell the length of that: then the value's
 * name is told instead of the column. */
static enum step
problem(struct scan *s, const char *text, const char *hint)
{
	const struct vec *entries = &s->d->entries;
	const struct document_entry *last = entries->len > 0 ?
	    vec_at(entries, entries->len - 1) : NULL;
	size_t column = 1;
	size_t i;

	for (i = s->at; i > s->first && !json_is_line_end(s->p[i - 1]); i--) {
		if ((s->p[i - 1] & 0xc0) != 0x80)
			column++;
	}
	s->d->problem = text;
	s->d->problem_hint = hint;
	s->d->problem_line = s->line;
	s->d->problem_behind = last != NULL && last->value_end > i;
	s->d->problem_column = s->d->problem_behind ? 0 : column;
	return STEP_STOP;
}

static enum step
ends_early(struct scan *s)
{
	if (s->depth == 0)
		return problem(s, "there is no JSON value in the file",
		    "an empty configuration is written {}");
	if (s->stack[s->depth - 1].array)
		return problem(s, "the file ends inside an array", "is the end of the file lost? "
		    "an array ends with ]");
	return problem(s, "the file ends inside an object", "is the end of the file lost? "
	    "an object ends with }");
}

/* Line ends stand between tokens only: in strings they are escaped. */
static void
json_parse_pass_blanks(struct scan *s)
{
	const unsigned char *p = s->p;
	size_t n = s->n;
	size_t at = s->at;

	for (; at < n && json_is_blank(p[at]); at++) {
		if (p[at] == '\n' || (p[at] == '\r' && (at + 1 == n || p[at + 1] != '\n')))
			s->line++;
	}
	s->at = at;
}

/* The path of entry ${x} has been made; keep it unless it stands in the bytes. */
static enum step
keep_path(struct scan *s, struct document_entry *x, struct error *err)
{
	size_t len = s->path.len;
	size_t limit = JSON_MAX_PATHS + JSON_MAX_PATHS_RATIO * s->n;

	s->paths += len;
	if (s->paths > limit) {
		error_set(err, ERROR_LIMIT, "the paths to all values take more than %zu bytes",
		    limit);
		error_hint(err, "are there many values below long names?");
		return STEP_FAIL;
	}
	if (buf_check(&s->path, err) == -1)
		return STEP_FAIL;
	if (len == x->key_end - x->key && len > 0 && memcmp(s->path.data, s->p + x->key, len) == 0)
		return STEP_AFTER;
	if (document_add_key(s->d, x, s->path.data, len) == 0)
		return STEP_AFTER;
	(void)buf_check(&s->d->keys, err);
	return STEP_FAIL;
}

/* The path of the place that comes next in the innermost object or array. */
static void
json_parse_begin_path(struct scan *s)
{
	struct box *box = &s->stack[s->depth - 1];

	buf_truncate(&s->path, box->path);
	if (s->depth > 1)
		buf_append_char(&s->path, '.');
	s->x = (struct document_entry){ .start = (uint32_t)s->at, .key = (uint32_t)s->at,
	    .key_end = (uint32_t)s->at, .line = (uint32_t)s->line };
}

static enum step
begin_element(struct scan *s)
{
	json_parse_begin_path(s);
	number_append(&s->path, s->stack[s->depth - 1].children++);
	return STEP_VALUE;
}

static enum step
bad_string(struct scan *s, enum json_token fault, size_t start)
{
	switch (fault) {
	case JSON_TOKEN_CONTROL:
		return problem(s, "control character in a string", "write a line end as \\n, "
		    "a tab as \\t, another one as \\u00XX; is a closing quote missing?");
	case JSON_TOKEN_ESCAPE:
		return problem(s, "unknown escape in a string", "there are \\\" \\\\ \\/ \\b \\f "
		    "\\n \\r \\t and \\uXXXX; a backslash itself is written \\\\");
	case JSON_TOKEN_UNIT:
		return problem(s, "malformed \\uXXXX escape", "write four hexadecimal digits "
		    "after \\u, or \\\\u for a backslash and a u");
	default:
		s->at = start;
		return problem(s, "string without its closing quote", "is the end of the file "
		    "lost? a string ends with a double quote");
	}
}

/* From the first character of a member's name to that of its value. */
static enum step
pass_name(struct scan *s)
{
	enum json_token token;

	if (s->at == s->n)
		return ends_early(s);
	if (s->p[s->at] != '"')
		return problem(s, "a member must begin with its name in double quotes",
		    s->p[s->at] == '}' ? "is there a comma too many before the brace?" :
		    "JSON has neither comments nor names without quotes");
	json_parse_begin_path(s);
	s->stack[s->depth - 1].children++;
	token = json_token_string(s->p, s->n, &s->at);
	if (token != JSON_TOKEN)
		return bad_string(s, token, s->x.start);
	s->x.key++;
	s->x.key_end = (uint32_t)s->at - 1;
	buf_clear(&s->name);
	json_decode(s->p + s->x.key, s->x.key_end - s->x.key, &s->name);
	json_path_escape(&s->path, s->name.data, s->name.len);
	if (s->name.failed)
		(void)buf_fail(&s->path, s->name.why);
	json_parse_pass_blanks(s);
	if (s->at == s->n)
		return ends_early(s);
	if (s->p[s->at] != ':')
		return problem(s, "no colon behind the name",
		    "a member is written \"name\": value");
	s->at++;
	json_parse_pass_blanks(s);
	return STEP_VALUE;
}

/* The first member or element of the innermost object or array, or the next. */
static enum step
pass_to_child(struct scan *s)
{
	json_parse_pass_blanks(s);
	return s->stack[s->depth - 1].array ? begin_element(s) : pass_name(s);
}

static struct document_entry *
new_entry(struct scan *s, struct vec *entries, struct error *err)
{
	struct document_entry *x;

	if (s->d->entries.len + s->boxes.len == DOCUMENT_MAX_ENTRIES) {
		error_set(err, ERROR_LIMIT, "more than %zu entries", DOCUMENT_MAX_ENTRIES);
		return NULL;
	}
	x = vec_push(entries);
	if (x == NULL)
		error_memory(err);
	return x;
}

static enum step
close_box(struct scan *s)
{
	struct box *box = &s->stack[--s->depth];
	struct document_entry *x = vec_at(&s->boxes, box->number);

	x->value_end = (uint32_t)++s->at;
	return STEP_AFTER;
}

static enum step
open_box(struct scan *s, struct error *err)
{
	bool array = s->p[s->at] == '[';
	struct document_entry *x;
	struct box *box;

	if (s->depth == JSON_MAX_DEPTH)
		return problem(s, "nested deeper than 512 levels", "is this a configuration file?");
	x = new_entry(s, &s->boxes, err);
	if (x == NULL)
		return STEP_FAIL;
	*x = s->x;
	x->value = (uint32_t)s->at;
	if (keep_path(s, x, err) == STEP_FAIL)
		return STEP_FAIL;
	/* The path of the whole is not part of those inside. */
	box = &s->stack[s->depth];
	*box = (struct box){ .number = (uint32_t)s->boxes.len - 1, .array = array,
	    .path = s->depth == 0 ? 0 : s->path.len };
	s->depth++;
	s->at++;
	json_parse_pass_blanks(s);
	if (s->at < s->n && s->p[s->at] == (array ? ']' : '}'))
		return close_box(s);
	return pass_to_child(s);
}

static enum step
bad_scalar(struct scan *s, enum json_token token, size_t start)
{
	unsigned char c = s->p[start];

	/* Where it is wrong is inside of the value. */
	s->at = start;
	if (token == JSON_TOKEN_NUMBER)
		return problem(s, "malformed number", "a number has no sign but -, no needless "
		    "zero in front, and digits on both sides of its point");
	if (token != JSON_TOKEN_WORD)
		return bad_string(s, token, start);
	if (c == '}' || c == ']' || c == ',')
		return problem(s, "a value is missing", "is there a comma too many?");
	return problem(s, "this is no JSON value", "text stands in double quotes; true, false and "
	    "null in small letters; there are no comments");
}

static enum step
pass_scalar(struct scan *s, struct error *err)
{
	struct document_entry *x;
	enum json_token token;
	size_t start = s->at;
	unsigned char c = s->p[start];

	if (c == '"')
		token = json_token_string(s->p, s->n, &s->at);
	else if (c == '-' || ascii_is_digit(c))
		token = json_token_number(s->p, s->n, &s->at);
	else
		token = json_token_word(s->p, s->n, &s->at);
	if (token != JSON_TOKEN)
		return bad_scalar(s, token, start);
	x = new_entry(s, &s->d->entries, err);
	if (x == NULL)
		return STEP_FAIL;
	*x = s->x;
	x->value = (uint32_t)start;
	x->value_end = (uint32_t)s->at;
	return keep_path(s, x, err);
}

static enum step
json_parse_pass_value(struct scan *s, struct error *err)
{
	if (s->at == s->n)
		return ends_early(s);
	if (s->p[s->at] == '{' || s->p[s->at] == '[')
		return open_box(s, err);
	return pass_scalar(s, err);
}

/* What may follow a value: the next one, the end of what it stands in, or nothing. */
static enum step
pass_after(struct scan *s)
{
	bool array;

	json_parse_pass_blanks(s);
	if (s->at == s->n)
		return s->depth == 0 ? STEP_END : ends_early(s);
	if (s->depth == 0)
		return problem(s, "something follows the end of the JSON value",
		    "is there a brace too many, or a second document?");
	array = s->stack[s->depth - 1].array;
	if (s->p[s->at] == (array ? ']' : '}'))
		return close_box(s);
	if (s->p[s->at] != ',')
		return array ? problem(s, "neither comma nor ] behind an element",
		    "is a comma missing?") : problem(s, "neither comma nor } behind a member",
		    "is a comma missing?");
	s->at++;
	return pass_to_child(s);
}

/* A mark of the byte order may stand in front (RFC 8259, section 8.1). */
static enum step
pass_start(struct scan *s)
{
	if (s->n >= 2 && (memcmp(s->p, "\xff\xfe", 2) == 0 || memcmp(s->p, "\xfe\xff", 2) == 0))
		return problem(s, "this is UTF-16", "save the file as UTF-8");
	if (s->n >= 3 && memcmp(s->p, "\xef\xbb\xbf", 3) == 0)
		s->at = s->first = 3;
	json_parse_pass_blanks(s);
	buf_append_str(&s->path, JSON_PATH_WHOLE);
	s->x = (struct document_entry){ .start = (uint32_t)s->at, .key = (uint32_t)s->at,
	    .key_end = (uint32_t)s->at, .line = (uint32_t)s->line };
	return STEP_VALUE;
}

/* Put the objects and arrays behind the listed entries, but not those cut short. */
static enum step
keep_boxes(struct scan *s, struct error *err)
{
	struct document_entry *from, *x;
	size_t i;

	for (i = 0; i < s->boxes.len; i++) {
		from = vec_at(&s->boxes, i);
		if (from->value_end == 0)
			continue;
		x = vec_push(&s->d->entries);
		if (x == NULL) {
			error_memory(err);
			return STEP_FAIL;
		}
		*x = *from;
		s->d->unlisted++;
	}
	return STEP_END;
}

int
json_parse(struct document *d, struct error *err)
{
	struct scan s = { .d = d, .p = d->bytes.data, .n = d->bytes.len, .line = 1 };
	enum step step;

	if ((s.stack = malloc(JSON_MAX_DEPTH * sizeof(*s.stack))) == NULL)
		return error_memory(err);
	buf_init(&s.path, DOCUMENT_MAX_KEYS);
	buf_init(&s.name, BUF_MAX_FILE);
	vec_init(&s.boxes, sizeof(struct document_entry), DOCUMENT_MAX_ENTRIES);
	step = pass_start(&s);
	while (step == STEP_VALUE || step == STEP_AFTER)
		step = step == STEP_VALUE ? json_parse_pass_value(&s, err) : pass_after(&s);
	if (step != STEP_FAIL)
		step = keep_boxes(&s, err);
	vec_release(&s.boxes);
	buf_release(&s.name);
	buf_release(&s.path);
	free(s.stack);
	return step == STEP_FAIL ? -1 : 0;
}

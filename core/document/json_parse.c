#include <string.h>

#include "base/error.h"
#include "document/document_internal.h"
#include "document/json_path.h"
#include "document/json_syntax.h"

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
	struct box stack[JSON_MAX_DEPTH];
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

static enum step
problem(struct scan *s, const char *text, const char *hint)
{
	size_t column = 1;
	size_t i;

	for (i = s->at; i > s->first && !json_is_line_end(s->p[i - 1]); i--) {
		if ((s->p[i - 1] & 0xc0) != 0x80)
			column++;
	}
	s->d->problem = text;
	s->d->problem_hint = hint;
	s->d->problem_line = s->line;
	s->d->problem_column = column;
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
pass_blanks(struct scan *s)
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
	x->decoded = document_add_key(s->d, s->path.data, len);
	if (x->decoded != 0)
		return STEP_AFTER;
	(void)buf_check(&s->d->keys, err);
	return STEP_FAIL;
}

/* The path of the place that comes next in the innermost object or array. */
static void
begin_path(struct scan *s)
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
	char digits[16];
	size_t i = sizeof(digits);
	uint32_t number = s->stack[s->depth - 1].children++;

	begin_path(s);
	do {
		digits[--i] = (char)('0' + number % 10);
	} while ((number /= 10) > 0);
	buf_append(&s->path, digits + i, sizeof(digits) - i);
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
	begin_path(s);
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
	pass_blanks(s);
	if (s->at == s->n)
		return ends_early(s);
	if (s->p[s->at] != ':')
		return problem(s, "no colon behind the name",
		    "a member is written \"name\": value");
	s->at++;
	pass_blanks(s);
	return STEP_VALUE;
}

/* The first member or element of the innermost object or array, or the next. */
static enum step
pass_to_child(struct scan *s)
{
	pass_blanks(s);
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

	x->value_end = x->end = (uint32_t)++s->at;
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
	pass_blanks(s);
	if (s->at < s->n && s->p[s->at] == (array ? ']' : '}'))
		return close_box(s);
	return pass_to_child(s);
}

static enum step
bad_scalar(struct scan *s, enum json_token token, size_t start)
{
	unsigned char c = s->p[start];

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
	else if (c == '-' || (c >= '0' && c <= '9'))
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
	x->value_end = x->end = (uint32_t)s->at;
	return keep_path(s, x, err);
}

static enum step
pass_value(struct scan *s, struct error *err)
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

	pass_blanks(s);
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
	pass_blanks(s);
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

	buf_init(&s.path, DOCUMENT_MAX_KEYS);
	buf_init(&s.name, BUF_MAX_FILE);
	vec_init(&s.boxes, sizeof(struct document_entry), DOCUMENT_MAX_ENTRIES);
	step = pass_start(&s);
	while (step == STEP_VALUE || step == STEP_AFTER)
		step = step == STEP_VALUE ? pass_value(&s, err) : pass_after(&s);
	if (step != STEP_FAIL)
		step = keep_boxes(&s, err);
	vec_release(&s.boxes);
	buf_release(&s.name);
	buf_release(&s.path);
	return step == STEP_FAIL ? -1 : 0;
}

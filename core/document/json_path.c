#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "document/document_internal.h"
#include "document/json_internal.h"
#include "document/json_path.h"

/* Special in a path anywhere, and at the start of a part only. */
#define ANYWHERE 1
#define AT_START 2
#define UNWRITTEN 4	/* read as it is in the middle of a name, but not written so */

/* One character of a part, and whether it is special there. */
struct sign {
	unsigned char c;
	bool wild;
};

static const unsigned char special[256] = {
	['.'] = ANYWHERE, ['\\'] = ANYWHERE, ['*'] = ANYWHERE, ['?'] = ANYWHERE, ['|'] = ANYWHERE,
	['!'] = AT_START, ['{'] = AT_START, ['['] = AT_START, [':'] = AT_START,
	['#'] = UNWRITTEN, ['@'] = UNWRITTEN
};

static bool
is_whole(const char *path, size_t n)
{
	return n == strlen(JSON_PATH_WHOLE) && memcmp(path, JSON_PATH_WHOLE, n) == 0;
}

/* What the first character of a part says about it. */
static enum json_part_kind
json_path_kind_of(const char *text, size_t n)
{
	if (n == 0)
		return JSON_PART_NAME;
	if (text[0] == '#' && n == 1)
		return JSON_PART_EACH;
	if (text[0] == '#' && (text[1] == '(' || text[1] == '['))
		return JSON_PART_REFUSED;
	return memchr("@!{[", text[0], 4) != NULL ? JSON_PART_REFUSED : JSON_PART_NAME;
}

bool
json_path_next(const char *path, size_t n, size_t *at, struct json_part *part)
{
	bool pattern = false;
	bool refused = false;
	size_t i;

	if (*at > n)
		return false;
	for (i = *at; i < n && path[i] != '.'; i++) {
		if (path[i] == '\\')
			i++;
		else if (path[i] == '*' || path[i] == '?')
			pattern = true;
		else if (path[i] == '|')
			refused = true;
	}
	/* A backslash with nothing behind it. */
	if (i > n) {
		refused = true;
		i = n;
	}
	/* An empty path may be no pointer to count from. */
	part->text = *at > 0 ? path + *at : path;
	part->len = i - *at;
	part->kind = json_path_kind_of(part->text, part->len);
	if (refused)
		part->kind = JSON_PART_REFUSED;
	else if (pattern && part->kind == JSON_PART_NAME)
		part->kind = JSON_PART_PATTERN;
	*at = i + 1;
	return true;
}

bool
json_path_is_plain(const char *path, size_t n)
{
	struct json_part part;
	size_t at = 0;

	if (is_whole(path, n))
		return true;
	while (json_path_next(path, n, &at, &part)) {
		if (part.kind != JSON_PART_NAME)
			return false;
	}
	return true;
}

void
json_path_escape(struct buf *out, const void *name, size_t n)
{
	const unsigned char *p = name;
	size_t done = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (special[p[i]] == 0 || (special[p[i]] == AT_START && i > 0))
			continue;
		buf_append(out, p + done, i - done);
		buf_append_char(out, '\\');
		done = i;
	}
	if (n > 0)
		buf_append(out, p + done, n - done);
}

void
json_path_unescape(struct buf *out, const struct json_part *part)
{
	size_t done = 0;
	size_t i;

	for (i = 0; i + 1 < part->len; i++) {
		if (part->text[i] != '\\')
			continue;
		buf_append(out, part->text + done, i - done);
		done = ++i;
	}
	buf_append(out, part->text + done, part->len - done);
}

static struct sign
next_sign(const struct json_part *part, size_t *at)
{
	struct sign sign = { .c = (unsigned char)part->text[*at] };

	if (sign.c == '\\' && *at + 1 < part->len)
		sign.c = (unsigned char)part->text[++*at];
	else
		sign.wild = sign.c == '*' || sign.c == '?';
	++*at;
	return sign;
}

void
json_path_canonical(struct buf *out, const char *path, size_t n)
{
	struct json_part part;
	struct sign sign;
	size_t at = 0;
	size_t i;

	if (is_whole(path, n)) {
		buf_append(out, path, n);
		return;
	}
	while (json_path_next(path, n, &at, &part)) {
		if (part.text > path)
			buf_append_char(out, '.');
		for (i = 0; i < part.len; ) {
			bool first = i == 0;

			sign = next_sign(&part, &i);
			if (special[sign.c] != 0 && (special[sign.c] != AT_START || first))
				buf_append_char(out, '\\');
			buf_append_char(out, (char)sign.c);
		}
	}
}

/* Pass one character of a name: in UTF-8, all of its bytes. */
static void
pass_character(const struct json_part *name, size_t *i)
{
	(void)next_sign(name, i);
	while (*i < name->len && ((unsigned char)name->text[*i] & 0xc0) == 0x80)
		++*i;
}

/* Pass what fits in both: a `?` and a character, or the same byte. */
static bool
pass_fitting(const struct json_part *pattern, size_t *at, const struct json_part *name, size_t *i)
{
	struct sign want = next_sign(pattern, at);

	if (!want.wild)
		return next_sign(name, i).c == want.c;
	pass_character(name, i);
	return true;
}

/*
 * Every `*` takes as little as it can; when the rest does not fit, the last
 * one takes a byte more.  An earlier one never has to.
 */
bool
json_path_fits(const struct json_part *pattern, const struct json_part *name)
{
	bool starred = false;
	size_t star = 0;	/* behind the last `*` */
	size_t taken = 0;	/* what it took, up to here */
	size_t at = 0;
	size_t i = 0;

	while (i < name->len || (at < pattern->len && pattern->text[at] == '*')) {
		if (at < pattern->len && pattern->text[at] == '*') {
			starred = true;
			star = ++at;
			taken = i;
		} else if (at == pattern->len || !pass_fitting(pattern, &at, name, &i)) {
			if (!starred)
				return false;
			(void)next_sign(name, &taken);
			i = taken;
			at = star;
		}
	}
	return at == pattern->len;
}

enum json_type
json_type(const struct document *d, size_t i)
{
	switch (d->bytes.data[document_entry(d, i)->value]) {
	case '"':
		return JSON_STRING;
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case 't':
	case 'f':
		return JSON_BOOLEAN;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

/* Is what the path's first ${n} bytes name, 0 for the whole document, an array? */
static bool
is_array(const struct document *d, const char *path, size_t n)
{
	size_t i = n == 0 ? document_count(d) : document_index_last(d, path, n - 1);

	return i != DOCUMENT_NONE && json_type(d, i) == JSON_ARRAY;
}

/* Does the pattern stand for entry ${i}? */
static bool
fits(const struct document *d, const char *pattern, size_t n, size_t i)
{
	struct json_part want, have;
	size_t at = 0;
	size_t k = 0;
	size_t from, len;
	const char *path = document_key(d, i, &len);
	bool more;

	for (;;) {
		from = k;
		more = json_path_next(path, len, &k, &have);
		if (json_path_next(pattern, n, &at, &want) != more)
			return false;
		if (!more)
			return true;
		/* The whole document: no name fits it. */
		if (have.kind == JSON_PART_REFUSED)
			return false;
		if (want.kind == JSON_PART_EACH ? !is_array(d, path, from) :
		    !json_path_fits(&want, &have))
			return false;
	}
}

/* The parts that cannot be answered, if there are any. */
static int
json_path_check(const struct document *d, const char *path, size_t n, struct error *err)
{
	struct json_part part;
	size_t at = 0;

	while (json_path_next(path, n, &at, &part)) {
		if (part.kind != JSON_PART_REFUSED)
			continue;
		error_set(err, ERROR_USAGE, "queries, modifiers, pipes and multipaths are not "
		    "answered in a path");
		error_place(err, document_file(d), 0);
		error_key(err, path, n);
		return error_hint(err, "in a name, write \\ before each of . \\ * ? | # @ ! { [");
	}
	return 0;
}

static int
json_path_keep(struct vec *entries, size_t i, struct error *err)
{
	size_t *entry = vec_push(entries);

	if (entry == NULL)
		return error_memory(err);
	*entry = i;
	return 0;
}

int
json_expand(const struct document *d, const char *path, size_t n, struct vec *entries,
    struct error *err)
{
	struct document_walk walk = { 0, document_count(d) };
	size_t i;

	if (json_path_is_plain(path, n)) {
		i = document_find(d, path, n);
		return i == DOCUMENT_NONE ? 0 : json_path_keep(entries, i, err);
	}
	if (json_path_check(d, path, n, err) == -1)
		return -1;
	while (document_walk_next(d, &walk, &i)) {
		if (fits(d, path, n, i) && !document_shadowed(d, i) && json_path_keep(entries, i,
		    err) == -1)
			return -1;
	}
	return 0;
}

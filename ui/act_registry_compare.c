#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/equal.h"
#include "ui/act_registry.h"
#include "ui/app.h"
#include "ui/registry.h"
#include "ui/registry_rows.h"
#include "ui/registry_source.h"
#include "ui/registry_state.h"
#include "ui/tell.h"

#define NAME_MAX_BYTES 1024
#define LINES_SHOWN 8	/* numbers of lines that differ */

void
act_registry_mark(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (s.version == NULL)
		return;
	a->registry->marked = a->registry->marked == s.version->number ? 0 : s.version->number;
}

static const struct registry_version *
find(const struct registry_key *k, unsigned int number)
{
	const struct registry_version *v;
	size_t i;

	for (i = 0; i < k->versions.len; i++) {
		v = vec_at(&k->versions, i);
		if (v->number == number)
			return v;
	}
	return NULL;
}

/* Which two: the marked one or the one before, and the selected or newest one. */
static bool
choose(struct app *a, const struct registry_selection *s, struct registry_version *old,
    struct registry_version *new)
{
	const struct registry_version *b = s->version != NULL ? s->version :
	    registry_key_latest(s->key);
	const struct registry_version *v = a->registry->marked != 0 ?
	    find(s->key, a->registry->marked) : b != NULL ?
	    registry_key_live_before(s->key, b->number) : NULL;

	if (b == NULL || v == NULL || v->number == b->number || v->state != REGISTRY_LIVE) {
		app_complain(a, a->registry->marked != 0 ?
		    "select another live version than the marked one" :
		    "no live version before this one; mark another one first");
		return false;
	}
	*old = v->number < b->number ? *v : *b;
	*new = v->number < b->number ? *b : *v;
	return true;
}

static struct registry_answer *
fetch(struct app *a, struct buf *path, struct buf *key, unsigned int version)
{
	struct registry_request req = { .kind = REGISTRY_VALUE, .path = buf_cstr(path),
	    .key = buf_cstr(key), .version = version };

	return registry_ask_for(a, &req, "They cannot be compared");
}

static size_t
line_length(const struct buf *b, size_t from)
{
	const unsigned char *end = memchr(b->data + from, '\n', b->len - from);

	return end != NULL ? (size_t)(end - b->data) - from : b->len - from;
}

/* Which lines differ, by number only. */
static void
say_lines(struct buf *text, const struct buf *one, const struct buf *two)
{
	size_t i = 0, k = 0, line = 0, differ = 0;
	size_t n, m;

	while (i < one->len || k < two->len) {
		n = i < one->len ? line_length(one, i) : 0;
		m = k < two->len ? line_length(two, k) : 0;
		line++;
		if ((i < one->len) != (k < two->len) ||
		    !secret_equal(one->data + i, n, two->data + k, m)) {
			if (differ < LINES_SHOWN)
				buf_printf(text, "%s%zu", differ == 0 ? " Lines that differ: " :
				    ", ", line);
			differ++;
		}
		i += i < one->len ? n + 1 : 0;
		k += k < two->len ? m + 1 : 0;
	}
	if (differ > LINES_SHOWN)
		buf_printf(text, " and %zu more", differ - LINES_SHOWN);
	buf_append_str(text, ".");
}

/* Without blanks at both ends. */
static size_t
trim(const struct buf *b, size_t *from)
{
	size_t end = b->len;

	for (*from = 0; *from < end && strchr(" \t\r\n", b->data[*from]) != NULL; ++*from)
		;
	while (end > *from && strchr(" \t\r\n", b->data[end - 1]) != NULL)
		end--;
	return end - *from;
}

static void
say_difference(struct buf *text, const struct buf *one, const struct buf *two)
{
	size_t i, k, n, m;

	if (secret_equal(one->data, one->len, two->data, two->len)) {
		buf_append_str(text, "The values are the same.");
		return;
	}
	n = trim(one, &i);
	m = trim(two, &k);
	if (one->len == 0 || two->len == 0)
		buf_append_str(text, "The values differ: one is empty.");
	else if (secret_equal(one->data + i, n, two->data + k, m))
		buf_append_str(text, "The values differ only in blanks or line ends around them.");
	else if (line_length(one, 0) < one->len || line_length(two, 0) < two->len) {
		buf_append_str(text, "The values differ.");
		say_lines(text, one, two);
	} else {
		buf_append_str(text, "The values differ.");
	}
}

static void
say_version(struct buf *text, char sign, const struct registry_version *v)
{
	buf_printf(text, "%c version %-4u ********", sign, v->number);
	if (v->created[0] != '\0')
		buf_printf(text, "  %s  %s", v->created, v->created_by);
	buf_append_char(text, '\n');
}

static void
compare(struct app *a, struct buf *path, struct buf *key, const struct registry_version *old,
    const struct registry_version *new)
{
	struct registry_answer *one, *two;
	struct buf text;

	if ((one = fetch(a, path, key, old->number)) == NULL)
		return;
	if ((two = fetch(a, path, key, new->number)) != NULL) {
		buf_init(&text, 16384);
		buf_printf(&text, "%s / %s\n\n", buf_cstr(path), buf_cstr(key));
		say_version(&text, '-', old);
		say_version(&text, '+', new);
		buf_append_char(&text, '\n');
		say_difference(&text, &one->value, &two->value);
		registry_answer_free(one);
		registry_answer_free(two);
		tell_message(a, "Compare versions", buf_cstr(&text));
		buf_release(&text);
		return;
	}
	registry_answer_free(one);
}

void
act_registry_compare(struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);
	struct registry_version old, new;
	struct buf path, key;

	if (s.key == NULL || !choose(a, &s, &old, &new))
		return;
	buf_init(&path, NAME_MAX_BYTES);
	buf_init(&key, NAME_MAX_BYTES);
	buf_append_str(&path, s.path->name);
	buf_append_str(&key, s.key->name);
	compare(a, &path, &key, &old, &new);
	buf_release(&key);
	buf_release(&path);
}

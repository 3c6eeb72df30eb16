#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "document/jaas.h"
#include "document/scope.h"
#include "plan/configuration.h"
#include "secrets/reference.h"

int
configuration_read(const char *path, struct buf *content, struct file_id *id, struct error *err)
{
	size_t before = content->len;

	if (file_read(path, content, id, err) != 0)
		return -1;
	/* It says that it is empty: what the kernel makes up, such as an environment. */
	if (id->size > 0 || content->len == before)
		return 0;
	buf_truncate(content, before);
	error_set(err, ERROR_REFUSED, "not a file on a disk: the kernel makes it up");
	error_place(err, path, 0);
	return error_hint(err, "is it, or what leads to it, a link to /proc?");
}

struct configuration *
configuration_load(const char *path, const struct scope *scope, struct error *err)
{
	bool input = strcmp(path, CONFIGURATION_INPUT) == 0 || strcmp(path, "/dev/stdin") == 0;
	const struct document_format *format = scope_format(scope, path);
	struct configuration *c;
	struct buf content;

	if (input)
		path = "standard input";
	buf_init_secret(&content, BUF_MAX_FILE);
	if ((c = calloc(1, sizeof(*c))) == NULL || (c->path = strdup(path)) == NULL) {
		error_memory(err);
		goto fail;
	}
	c->base = file_basename(c->path);
	if ((input ? file_read_fd(STDIN_FILENO, path, &content, err) :
	    configuration_read(path, &content, &c->id, err)) != 0)
		goto fail;
	if (input && format == NULL)
		format = document_format_of_text(content.data, content.len);
	if (format == NULL) {
		error_set(err, ERROR_REFUSED, "unsupported file format");
		error_place(err, path, 0);
		error_hint(err, "the name of a configuration file ends in " DOCUMENT_ENDINGS
		    "; --config-format says what another one is");
		goto fail;
	}
	if ((c->doc = document_parse(&content, format, path, err)) == NULL)
		goto fail;
	if (document_check_encoding(c->doc, err) != 0 || document_problem(c->doc, err) != 0)
		goto fail;
	buf_release(&content);
	return c;
fail:
	buf_release(&content);
	configuration_free(c);
	return NULL;
}

void
configuration_free(struct configuration *c)
{
	if (c == NULL)
		return;
	vec_release(&c->borrowers);
	document_free(c->doc);
	free(c->path);
	free(c);
}

int
configuration_refuse(const char *path, const struct document *d, size_t i, const char *text,
    const char *hint, struct error *err)
{
	const char *key;
	size_t len;

	key = document_key(d, i, &len);
	error_set(err, ERROR_REFUSED, "%s", text);
	error_place(err, path, document_line(d, i));
	error_key(err, key, len);
	return error_hint(err, "%s", hint);
}

int
configuration_fail(const struct configuration *c, size_t i, const char *key, size_t len,
    enum error_code code, const char *text, struct error *err)
{
	error_set(err, code, "%s", text);
	error_place(err, c->path, i == DOCUMENT_NONE ? 0 : document_line(c->doc, i));
	return error_key(err, key, len);
}

int
configuration_fail_missing(const struct configuration *c, const char *key, size_t len,
    struct error *err)
{
	const char *value = len > 0 ? memchr(key, '=', len) : NULL;
	char path[TEXT_WORD_MAX];

	/* KEY=VALUE in the place of KEY: the value may be a secret. */
	configuration_fail(c, DOCUMENT_NONE, key, value != NULL ? (size_t)(value - key) : len,
	    ERROR_MISSING, "this configuration key is not present in the file", err);
	return value != NULL ?
	    error_hint(err, "is it KEY=VALUE? Give the key alone; `propseal file show %s` lists "
	    "the keys", text_word(c->path, path)) :
	    error_hint(err, "`propseal file show %s` lists the keys", text_word(c->path, path));
}

void
configuration_append_name(const char *base, const struct document_format *format, const char *key,
    size_t len, struct buf *out)
{
	const char escape = format != NULL ? format->escape : '\0', *stop;
	size_t n;

	buf_append_str(out, base);
	buf_append_char(out, '/');
	for (; len > 0; key += n, len -= n) {
		stop = escape != '\0' ? memchr(key, escape, len) : NULL;
		n = stop != NULL ? (size_t)(stop - key) : len;
		buf_append(out, key, n);
		n += stop != NULL;
	}
}

int
configuration_entry_name(const struct configuration *c, const char *key, size_t len,
    struct buf *out, struct error *err)
{
	configuration_append_name(c->base, document_format(c->doc), key, len, out);
	return buf_check(out, err);
}

/*
 * How much of ${name} is <base name>/<key>, or 0.  What escapes in keys
 * counts for nothing.
 */
static size_t
match_name(const struct configuration *c, const char *key, size_t len, const char *name,
    size_t name_len)
{
	const char escape = document_format(c->doc)->escape;
	size_t at = strlen(c->base), k = 0;

	if (name_len <= at || memcmp(name, c->base, at) != 0 || name[at++] != '/')
		return 0;
	for (;;) {
		while (escape != '\0' && k < len && key[k] == escape)
			k++;
		while (escape != '\0' && at < name_len && name[at] == escape)
			at++;
		if (k == len)
			return at;
		if (at == name_len || name[at++] != key[k++])
			return 0;
	}
}

bool
configuration_owns(const struct configuration *c, const char *key, size_t len, const char *name,
    size_t name_len)
{
	return match_name(c, key, len, name, name_len) == name_len;
}

/* Is the name <base name>/<another key than entry i's, or an option of its>? */
static bool
is_borrowed(const struct configuration *c, size_t i, const struct reference *r)
{
	size_t base = strlen(c->base), len, own;
	const char *key;

	key = document_key(c->doc, i, &len);
	if (r->name_len <= base || memcmp(r->name, c->base, base) != 0 || r->name[base] != '/')
		return false;
	own = match_name(c, key, len, r->name, r->name_len);
	return own == 0 || (own < r->name_len && r->name[own] != '/');
}

/* Does the value of entry ${i} borrow ${name}, or for NULL any name? */
static bool
borrows(const struct configuration *c, size_t i, struct buf *value, const char *name, size_t len)
{
	size_t at = 0, start;
	struct reference r;

	buf_clear(value);
	if (!reference_may_be_in(c->doc, i) || document_shadowed(c->doc, i) ||
	    document_value(c->doc, i, value, NULL) != 0)
		return false;
	while (resolve_next((const char *)value->data, value->len, at, &r, &start, &at))
		if (reference_is_ours(&r) && is_borrowed(c, i, &r) && (name == NULL ||
		    reference_names(r.name, r.name_len, name, len)))
			return true;
	return false;
}

/* Once a configuration, as there are next to none and removing asks for each key. */
static int
configuration_look(struct configuration *c, struct buf *value, struct error *err)
{
	size_t *slot;

	vec_init(&c->borrowers, sizeof(size_t), SIZE_MAX);
	for (size_t i = 0; i < document_count(c->doc); i++) {
		if (!borrows(c, i, value, NULL, 0))
			continue;
		if ((slot = vec_push(&c->borrowers)) == NULL) {
			vec_release(&c->borrowers);
			return error_memory(err);
		}
		*slot = i;
	}
	c->looked = true;
	return 0;
}

int
configuration_borrower(struct configuration *c, const char *name, size_t len, size_t *entry,
    struct error *err)
{
	struct buf value;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	*entry = DOCUMENT_NONE;
	if (!c->looked)
		rc = configuration_look(c, &value, err);
	for (size_t k = 0; rc == 0 && k < c->borrowers.len && *entry == DOCUMENT_NONE; k++) {
		size_t i = *(size_t *)vec_at(&c->borrowers, k);

		if (borrows(c, i, &value, name, len))
			*entry = i;
	}
	buf_release(&value);
	return rc;
}

void
target_init(struct target *t)
{
	memset(t, 0, sizeof(*t));
	buf_init_secret(&t->value, BUF_MAX_FILE);
}

void
target_release(struct target *t)
{
	jaas_free(t->jaas);
	buf_release(&t->value);
	target_init(t);
}

int
target_jaas(const struct document *d, size_t i, struct target *t, struct error *err)
{
	struct error why = { .code = ERROR_NONE };
	const char *key;
	size_t len;

	target_release(t);
	key = document_key(d, i, &len);
	if (!jaas_key(key, len))
		return 0;
	if (document_value(d, i, &t->value, err) != 0)
		return -1;
	t->jaas = jaas_parse(t->value.data, t->value.len, &why);
	t->kind = TARGET_ENTRY;
	t->entry = i;
	if (t->jaas != NULL)
		return 1;
	target_release(t);
	if (why.code == ERROR_FORMAT)
		return 0;
	error_set(err, why.code, "%s", why.text);
	error_place(err, document_file(d), document_line(d, i));
	error_key(err, key, len);
	return error_hint(err, "%s", why.hint);
}

/* The option or module that the rest of the key behind the entry's names. */
static void
target_find_option(struct target *t, const char *path, size_t len)
{
	const char *slash = memchr(path, '/', len);

	if ((t->option = jaas_find(t->jaas, path, len)) != JAAS_NONE) {
		t->kind = TARGET_OPTION;
	} else if (slash != NULL && slash + 1 < path + len &&
	    (t->module = jaas_find_module(t->jaas, path, len)) != JAAS_NONE) {
		t->kind = TARGET_NEW_OPTION;
		t->name = slash + 1;
		t->name_len = len - (size_t)(slash + 1 - path);
	} else {
		t->kind = TARGET_NONE;
	}
}

int
target_find(const struct document *d, const char *key, size_t len, struct target *t,
    struct error *err)
{
	const char *slash = key;
	size_t i;
	int rc;

	target_release(t);
	if ((i = document_find(d, key, len)) != DOCUMENT_NONE) {
		t->kind = TARGET_ENTRY;
		t->entry = i;
		return 0;
	}
	while ((slash = memchr(slash, '/', len - (size_t)(slash - key))) != NULL) {
		i = document_find(d, key, (size_t)(slash - key));
		slash++;
		if (i == DOCUMENT_NONE)
			continue;
		if ((rc = target_jaas(d, i, t, err)) != 1) {
			if (rc != 0)
				return -1;
			continue;
		}
		target_find_option(t, slash, len - (size_t)(slash - key));
		t->key = key;
		t->key_len = len;
		return 0;
	}
	return 0;
}

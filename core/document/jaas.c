#include "document/jaas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/jaas_syntax.h"

void
jaas_free(struct jaas *j)
{
	if (j == NULL)
		return;
	free(j->by_name);
	free(j->by_class);
	vec_release(&j->items);
	vec_release(&j->modules);
	free(j);
}

static const struct jaas_module *
module_at(const struct jaas *j, size_t i)
{
	return vec_at(&j->modules, i);
}

static const struct jaas_item *
item_at(const struct jaas *j, size_t i)
{
	return vec_at(&j->items, i);
}

size_t
jaas_modules(const struct jaas *j)
{
	return j->modules.len;
}

size_t
jaas_count(const struct jaas *j)
{
	return j->items.len;
}

/* Can a word end at ${at}? */
static bool
is_gap(const struct jaas *j, size_t at)
{
	return at == j->n || j->p[at] == ';' || jaas_is_blank(j->p[at]);
}

struct jaas_option
jaas_option(const struct jaas *j, size_t i)
{
	const struct jaas_item *x = item_at(j, i);
	const struct jaas_module *m = module_at(j, x->module);
	bool quoted = jaas_is_quote(j->p[x->from]);

	return (struct jaas_option){
		.class = (const char *)j->p + m->class,
		.class_len = m->class_len,
		.module = x->module,
		.ordinal = m->ordinal,
		.name = (const char *)j->p + x->name,
		.name_len = x->name_len,
		.start = x->start,
		.from = x->from,
		.to = x->to,
		.inner_from = x->from + (quoted ? 1 : 0),
		.inner_to = x->to - (quoted ? 1 : 0),
		.quoted = quoted,
		.tight = !is_gap(j, x->to),
		.shadowed = x->shadowed,
		.previous = x->previous == 0 ? JAAS_NONE : x->previous - 1
	};
}

/* The number of `#2` and so on, as it is written: no sign, no zeros, not 1. */
static size_t
ordinal_of(const char *p, size_t n)
{
	size_t ordinal = 0;
	size_t i;

	if (n == 0 || n > 9 || p[0] == '0')
		return 0;
	for (i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return 0;
		ordinal = 10 * ordinal + (size_t)(p[i] - '0');
	}
	return ordinal > 1 ? ordinal : 0;
}

size_t
jaas_find_module(const struct jaas *j, const char *path, size_t len)
{
	const char *slash = len > 0 ? memchr(path, '/', len) : NULL;
	const char *sharp;
	size_t ordinal = 1;
	size_t at;

	if (slash != NULL)
		len = (size_t)(slash - path);
	sharp = len > 0 ? memchr(path, '#', len) : NULL;
	if (sharp != NULL) {
		ordinal = ordinal_of(sharp + 1, len - (size_t)(sharp + 1 - path));
		len = (size_t)(sharp - path);
	}
	if (ordinal == 0 || ordinal > j->modules.len || len == 0)
		return JAAS_NONE;
	at = jaas_places_search(j->by_class, j->modules.len, 0, path, len, false) + ordinal - 1;
	if (at >= j->modules.len || !jaas_places_is_named(&j->by_class[at], 0, path, len))
		return JAAS_NONE;
	return j->by_class[at].index;
}

/* The last option of the name, which comes last among its equals. */
static size_t
find_option(const struct jaas *j, size_t module, const char *name, size_t len)
{
	size_t at;

	if (len == 0)
		return JAAS_NONE;
	at = jaas_places_search(j->by_name, j->items.len, module, name, len, true);
	if (at == 0 || !jaas_places_is_named(&j->by_name[at - 1], module, name, len))
		return JAAS_NONE;
	return j->by_name[at - 1].index;
}

size_t
jaas_find(const struct jaas *j, const char *path, size_t len)
{
	const char *slash = len > 0 ? memchr(path, '/', len) : NULL;
	size_t module;

	if (slash == NULL)
		return JAAS_NONE;
	module = jaas_find_module(j, path, len);
	if (module == JAAS_NONE)
		return JAAS_NONE;
	return find_option(j, module, slash + 1, len - (size_t)(slash + 1 - path));
}

void
jaas_address_append(const struct jaas *j, size_t i, const char *key, size_t len,
    struct buf *out)
{
	struct jaas_option x = jaas_option(j, i);
	char number[32];

	buf_append(out, key, len);
	buf_append_char(out, '/');
	buf_append(out, x.class, x.class_len);
	if (x.ordinal > 1) {
		/* Not buf_printf, so that the buffer may be a secret one. */
		snprintf(number, sizeof(number), "#%zu", x.ordinal);
		buf_append_str(out, number);
	}
	buf_append_char(out, '/');
	buf_append(out, x.name, x.name_len);
}

/* The quote that the name needs, '\0' for none, '\\' when none will do. */
static char
quote_for(const char *name, size_t len)
{
	bool plain = len > 0;
	char quote = '"';
	size_t i;

	for (i = 0; i < len; i++) {
		if (jaas_is_blank((unsigned char)name[i]) || strchr("=;/\"'", name[i]) != NULL)
			plain = false;
		if (name[i] == '"')
			quote = '\'';
	}
	if (plain)
		return '\0';
	for (i = 0; i < len; i++) {
		if (name[i] == quote || name[i] == '\\' ||
		    jaas_is_line_end((unsigned char)name[i]))
			return '\\';
	}
	return len > 0 ? quote : '\\';
}

int
jaas_insertion(const struct jaas *j, size_t module, const char *name, size_t len,
    const void *value, size_t n, size_t *at, struct buf *out, struct error *err)
{
	char quote = quote_for(name, len);
	size_t end = module_at(j, module)->end;

	if (find_option(j, module, name, len) != JAAS_NONE) {
		error_set(err, ERROR_EXISTS, "the login module has this option already");
		return error_key(err, name, len);
	}
	if (quote == '\\') {
		error_set(err, ERROR_REFUSED, "this cannot be the name of a JAAS option");
		return error_key(err, name, len);
	}
	buf_append_char(out, ' ');
	if (quote != '\0')
		buf_append_char(out, quote);
	buf_append(out, name, len);
	if (quote != '\0')
		buf_append_char(out, quote);
	buf_append_char(out, '=');
	buf_append(out, value, n);
	if (!is_gap(j, end))
		buf_append_char(out, ' ');
	*at = end;
	return buf_check(out, err);
}

void
jaas_removal(const struct jaas *j, size_t i, size_t *from, size_t *to)
{
	const struct jaas_item *x = item_at(j, i);
	size_t at = x->to;

	while (at < j->n && jaas_is_blank(j->p[at]))
		at++;
	*from = x->start;
	*to = at == j->n || j->p[at] == ';' ? x->to : at;
}

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/jaas_scan.h"
#include "document/jaas_syntax.h"

static const char *const flags[] = { "required", "requisite", "sufficient", "optional" };

#define FLAGS (sizeof(flags) / sizeof(flags[0]))

static int
full(const struct vec *v, const char *what, struct error *err)
{
	if (v->len == v->max)
		return error_set(err, ERROR_LIMIT, "more than %zu %s in one JAAS value", v->max,
		    what);
	return error_memory(err);
}

static int
pass_option(struct jaas *j, struct jaas_scan *s)
{
	struct jaas_item made = { .module = (uint32_t)j->modules.len - 1 };
	struct jaas_item *kept;

	made.start = (uint32_t)s->at;
	if (jaas_scan_name(s, &made.name, &made.name_len) == -1 || jaas_scan_gap(s) == -1)
		return -1;
	if (!jaas_scan_is_at(s, s->at, '='))
		return jaas_scan_refuse(s, s->at, "there should be a `=` here",
		    "a value that has blanks in it must be in double quotes, and a login "
		    "module ends with `;`");
	s->at++;
	if (jaas_scan_value(s, &made.from) == -1)
		return -1;
	made.to = (uint32_t)s->at;
	kept = vec_push(&j->items);
	if (kept == NULL)
		return full(&j->items, "options", s->err);
	*kept = made;
	return 0;
}

static bool
is_flag(const unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < FLAGS; i++) {
		if (n == strlen(flags[i]) && strncasecmp((const char *)p, flags[i], n) == 0)
			return true;
	}
	return false;
}

/* The class and the flag. */
static int
pass_head(struct jaas *j, struct jaas_scan *s)
{
	struct jaas_module made = { 0 };
	struct jaas_module *kept;
	uint32_t flag, len;

	if (jaas_scan_name(s, &made.class, &made.class_len) == -1)
		return -1;
	/* Either would make two readings of an address. */
	if (memchr(s->p + made.class, '/', made.class_len) != NULL ||
	    memchr(s->p + made.class, '#', made.class_len) != NULL)
		return jaas_scan_refuse(s, made.class, "a `/` or a `#` in the name of a class",
		    JAAS_HINT_FORM);
	if (jaas_scan_gap(s) == -1)
		return -1;
	flag = (uint32_t)s->at;
	if (s->at == s->n || jaas_scan_name(s, &flag, &len) == -1 || !is_flag(s->p + flag, len))
		return jaas_scan_refuse(s, flag, "there should be required, requisite, sufficient "
		    "or optional here", JAAS_HINT_FORM);
	s->certain = true;
	made.end = (uint32_t)s->at;
	kept = vec_push(&j->modules);
	if (kept == NULL)
		return full(&j->modules, "login modules", s->err);
	*kept = made;
	return 0;
}

/* A login module with its options and its `;`. */
static int
pass_module(struct jaas *j, struct jaas_scan *s)
{
	struct jaas_module *m;

	if (pass_head(j, s) == -1)
		return -1;
	for (;;) {
		if (jaas_scan_gap(s) == -1)
			return -1;
		if (s->at == s->n || s->p[s->at] == ';')
			break;
		if (pass_option(j, s) == -1)
			return -1;
		m = vec_at(&j->modules, j->modules.len - 1);
		m->end = (uint32_t)s->at;
	}
	if (s->at == s->n && s->cut)
		return jaas_scan_refuse(s, s->n, "the last comment goes on to the end, and there "
		    "is no `;`",
		    "write /* ... */: continuation lines are one line, which // ends for good");
	if (s->at < s->n)
		s->at++;
	return 0;
}

static int
pass_all(struct jaas *j, struct jaas_scan *s)
{
	do {
		if (jaas_scan_gap(s) == -1)
			return -1;
		if (s->at < s->n && pass_module(j, s) == -1)
			return -1;
	} while (s->at < s->n);
	if (j->modules.len == 0)
		return jaas_scan_refuse(s, s->at, "there is no login module", JAAS_HINT_FORM);
	return jaas_scan_end(s);
}

/*
 * Is it JAAS for sure, even if it cannot be read?  It is when Kafka could
 * accept it, and when it names a class of the usual kind.  (In a reference,
 * which is no JAAS, that is the name of a sealed entry.)
 */
static bool
is_certain(const void *value, size_t n)
{
	const unsigned char *p = value;
	size_t i;

	if (n < 2 || (memcmp(p, "${", 2) == 0 && memchr(p, '}', n) == p + n - 1))
		return false;
	if (text_contains_nocase(value, n, "loginmodule"))
		return true;
	for (i = 0; memchr(value, ';', n) != NULL && i < FLAGS; i++) {
		if (text_contains_nocase(value, n, flags[i]))
			return true;
	}
	return false;
}

struct jaas *
jaas_parse(const void *value, size_t n, struct error *err)
{
	struct jaas *j;
	struct jaas_scan s = { .p = value, .n = n, .err = err };

	if (n > BUF_MAX_FILE) {
		error_set(err, ERROR_LIMIT, "a JAAS value larger than %zu bytes", BUF_MAX_FILE);
		return NULL;
	}
	j = calloc(1, sizeof(*j));
	if (j == NULL) {
		error_memory(err);
		return NULL;
	}
	j->p = value;
	j->n = n;
	vec_init(&j->modules, sizeof(struct jaas_module), BUF_MAX_FILE);
	vec_init(&j->items, sizeof(struct jaas_item), BUF_MAX_FILE);
	s.certain = is_certain(value, n);
	if (pass_all(j, &s) == -1)
		goto fail;
	if (jaas_places_sort(j) == 0)
		return j;
	error_memory(err);
fail:
	jaas_free(j);
	return NULL;
}

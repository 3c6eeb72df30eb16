#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "document/jaas.h"

#define JAAS_HINT_QUOTES "write the option's value in double quotes"
#define JAAS_HINT_FORM "the form is: <LoginModule class> required <option>=\"<value>\" ...;"
#define FLAGS (sizeof(flags) / sizeof(flags[0]))

/*
 * What parsing finds, sorted by places, and what answers come from.
 * Offsets fit 32 bits.
 */

struct jaas_module {
	uint32_t class;
	uint32_t class_len;
	uint32_t ordinal;
	uint32_t end;		/* of its last token but the `;` */
};

struct jaas_item {
	uint32_t module;
	uint32_t name;
	uint32_t name_len;
	uint32_t start;
	uint32_t from;
	uint32_t to;
	uint32_t previous;	/* 1 + the option, 0: none */
	bool shadowed;
};

/* A module by its class, or an option by its module and name. */
struct jaas_place {
	const unsigned char *name;
	uint32_t len;
	uint32_t group;		/* the option's module, 0 for a module */
	uint32_t index;
};

struct jaas {
	const unsigned char *p;
	size_t n;
	struct vec modules;	/* struct jaas_module */
	struct vec items;	/* struct jaas_item */
	bool closed;		/* the last module has its `;` */
	struct jaas_place *by_class;	/* modules.len of them, sorted */
	struct jaas_place *by_name;	/* items.len */
};

/*
 * The tokens of a JAAS value.  Every byte is passed once, so time is linear.
 * Each function passes one token, or what is between two, and moves ${at}
 * behind it; -1: it is refused, and the error is set.
 */
struct jaas_scan {
	const unsigned char *p;
	size_t n;
	size_t at;
	size_t brace;		/* the next `}` from where it was last asked for; n: none */
	size_t slash;		/* 1 + the last unquoted value with a `/`, 0: none */
	bool led;		/* that, or another, starts with it */
	bool hiding;		/* a comment, or a line end in quotes, was passed */
	bool cut;		/* a `//` comment reached the end of the value */
	bool certain;		/* it is JAAS, good or bad */
	size_t option;		/* how many options' values began */
	size_t slash_option;	/* which of them ->slash is */
	bool inside;		/* the last one has not ended yet */
	struct error *err;
};

/* As Kafka sets up its tokenizer: all control characters are blanks. */
static inline bool
jaas_is_blank(unsigned char c)
{
	return c <= ' ';
}

static inline bool
jaas_is_quote(unsigned char c)
{
	return c == '"' || c == '\'';
}

static inline bool
jaas_is_line_end(unsigned char c)
{
	return c == '\n' || c == '\r';
}

/*
 * Fail with what is there, and a hint; no byte of the value.  A column would tell how long the
 * options' values before it are: then it is the number of the last one.
 */
static int
jaas_scan_refuse(const struct jaas_scan *s, size_t at, const char *what, const char *hint)
{
	size_t column = 1;
	size_t i;

	for (i = 0; i < at; i++) {
		if ((s->p[i] & 0xc0) != 0x80)
			column++;
	}
	error_set(s->err, s->certain ? ERROR_REFUSED : ERROR_FORMAT,
	    "%s %zu of the JAAS value: %s", s->option == 0 ? "column" : s->inside ? "option" :
	    "behind option", s->option == 0 ? column : s->option, what);
	return error_hint(s->err, "%s", hint);
}

static size_t
jaas_scan_find(const struct jaas_scan *s, size_t at, int c)
{
	const unsigned char *found = at < s->n ? memchr(s->p + at, c, s->n - at) : NULL;

	return found == NULL ? s->n : (size_t)(found - s->p);
}

/* Where a byte is, from ${at} on, or n. */
static bool
jaas_scan_is_at(const struct jaas_scan *s, size_t at, unsigned char c)
{
	return at < s->n && s->p[at] == c;
}

/* A comment that starts where a token could: `//` or an asterisk behind the `/`. */
static bool
jaas_scan_is_comment(const struct jaas_scan *s, size_t at)
{
	return at + 1 < s->n && s->p[at] == '/' && (s->p[at + 1] == '/' || s->p[at + 1] == '*');
}

static int
pass_comment(struct jaas_scan *s)
{
	size_t from = s->at;

	s->hiding = true;
	if (s->p[from + 1] == '/') {
		while (s->at < s->n && !jaas_is_line_end(s->p[s->at]))
			s->at++;
		s->cut = s->at == s->n;
		return 0;
	}
	for (s->at = from + 2; s->at < s->n; s->at++) {
		if (s->p[s->at] == '*' && jaas_scan_is_at(s, s->at + 1, '/')) {
			s->at += 2;
			return 0;
		}
	}
	return jaas_scan_refuse(s, from, "the comment is not closed", "close it with */");
}

static void
jaas_scan_pass_blanks(struct jaas_scan *s)
{
	while (s->at < s->n && jaas_is_blank(s->p[s->at]))
		s->at++;
}

/* Blanks and comments. */
static int
jaas_scan_gap(struct jaas_scan *s)
{
	for (;;) {
		jaas_scan_pass_blanks(s);
		if (!jaas_scan_is_comment(s, s->at))
			return 0;
		if (pass_comment(s) == -1)
			return -1;
	}
}

/*
 * From quote to quote.  A backslash takes the next character with it, a line
 * end too; a line end alone would end the text for Kafka, quote or no quote.
 */
static int
pass_quoted(struct jaas_scan *s)
{
	size_t from = s->at;
	unsigned char quote = s->p[from];
	unsigned char c;

	for (s->at++; s->at < s->n; s->at++) {
		c = s->p[s->at];
		if (c == quote) {
			s->at++;
			return 0;
		}
		if (jaas_is_line_end(c))
			break;
		if (c == '\\' && s->at + 1 < s->n) {
			s->at++;
			s->hiding = s->hiding || jaas_is_line_end(s->p[s->at]);
		}
	}
	return jaas_scan_refuse(s, from, "the quotes that open here are not closed on their line",
	    "close them; inside them write \\\" for a quote and \\n for a line end");
}

/* A class, a flag or a name: a word, or text in quotes that needs no decoding. */
static int
jaas_scan_name(struct jaas_scan *s, uint32_t *name, uint32_t *len)
{
	size_t from = s->at;
	unsigned char c;

	if (jaas_is_quote(s->p[from])) {
		if (pass_quoted(s) == -1)
			return -1;
		*name = (uint32_t)from + 1;
		*len = (uint32_t)(s->at - from - 2);
		if (*len > 0 && memchr(s->p + *name, '\\', *len) == NULL)
			return 0;
		return jaas_scan_refuse(s, from, "a name in quotes is empty, or has a backslash",
		    "write names without quotes");
	}
	for (; s->at < s->n; s->at++) {
		c = s->p[s->at];
		if (jaas_is_blank(c) || jaas_is_quote(c) || c == '=' || c == ';' || c == '/')
			break;
	}
	*name = (uint32_t)from;
	*len = (uint32_t)(s->at - from);
	if (*len > 0)
		return 0;
	return jaas_scan_refuse(s, from, "there should be a name here", s->certain ?
	    "a value that has blanks, `=` or `;` in it must be in double quotes" : JAAS_HINT_FORM);
}

/* What names of configuration providers are made of. */
static bool
is_provider(unsigned char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '-' || c == '.';
}

/*
 * Pass a ${provider:...}, if one starts here.  In one of ours anything may
 * be; what stands in another's must not be able to be anything else.
 */
static int
pass_reference(struct jaas_scan *s, bool *passed)
{
	static const char ours[] = "securepass:";
	size_t from = s->at + 2;
	size_t q = from;
	bool is_ours;

	*passed = false;
	while (q < s->n && is_provider(s->p[q]))
		q++;
	if (q == from || !jaas_scan_is_at(s, q, ':'))
		return 0;
	if (s->brace < q)
		s->brace = jaas_scan_find(s, q, '}');
	is_ours = q + 1 - from == sizeof(ours) - 1 && memcmp(s->p + from, ours, q + 1 - from) == 0;
	if (s->brace == s->n && is_ours)
		return jaas_scan_refuse(s, s->at, "the reference that starts here has no end",
		    JAAS_HINT_QUOTES);
	if (s->brace == s->n)
		return 0;
	for (; q < s->brace; q++) {
		if (jaas_is_line_end(s->p[q]) || (!is_ours && (jaas_is_blank(s->p[q]) ||
		    jaas_is_quote(s->p[q]) || s->p[q] == ';')))
			return jaas_scan_refuse(s, s->at, "this could be a reference or not",
			    JAAS_HINT_QUOTES);
	}
	s->at = s->brace + 1;
	*passed = true;
	return 0;
}

/* A value without quotes: up to a blank, a `;` or the end. */
static int
pass_word(struct jaas_scan *s)
{
	size_t from = s->at;
	unsigned char c;
	bool passed;

	while (s->at < s->n && !jaas_is_blank(s->p[s->at]) && s->p[s->at] != ';') {
		c = s->p[s->at];
		if (jaas_is_quote(c))
			return jaas_scan_refuse(s, s->at, "a quote inside a value without quotes",
			    JAAS_HINT_QUOTES);
		if (c == '=')
			return jaas_scan_refuse(s, s->at, "a `=` in a value without quotes",
			    JAAS_HINT_QUOTES);
		if (c == '$' && jaas_scan_is_at(s, s->at + 1, '{')) {
			if (pass_reference(s, &passed) == -1)
				return -1;
			if (passed)
				continue;
		}
		if (c == '/') {
			s->slash = from + 1;
			s->slash_option = s->option;
			s->led = s->led || s->at == from;
		}
		s->at++;
	}
	return 0;
}

/* An option's value, which starts behind blanks, at ${*from}. */
static int
jaas_scan_value(struct jaas_scan *s, uint32_t *from)
{
	jaas_scan_pass_blanks(s);
	*from = (uint32_t)s->at;
	if (s->at == s->n || s->p[s->at] == ';')
		return jaas_scan_refuse(s, s->at, "there should be a value here",
		    "an empty value is written \"\"");
	if (jaas_scan_is_comment(s, s->at))
		return jaas_scan_refuse(s, s->at, "this could be the value or a comment",
		    JAAS_HINT_QUOTES);
	return jaas_is_quote(s->p[s->at]) ? pass_quoted(s) : pass_word(s);
}

/*
 * For Kafka an unquoted `/` starts a comment, which goes to the end of the
 * line.  Where that could hide the start of another comment, or make the
 * value of what is on the next line, the two readings drift apart.
 */
static int
jaas_scan_end(struct jaas_scan *s)
{
	if (s->slash == 0 || (!s->hiding && (!s->led ||
	    (jaas_scan_find(s, 0, '\n') == s->n && jaas_scan_find(s, 0, '\r') == s->n))))
		return 0;
	s->option = s->slash_option;
	s->inside = true;
	return jaas_scan_refuse(s, s->slash - 1, "a `/` in a value without quotes, in a JAAS "
	    "value of several lines or with comments", JAAS_HINT_QUOTES);
}

/* By group, name, and place in the text. */
static int
compare_places(const void *a, const void *b)
{
	const struct jaas_place *x = a, *y = b;
	int order;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);
	if (order != 0)
		return order;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static bool
is_same_name(const struct jaas_place *x, const struct jaas_place *y)
{
	return x->group == y->group && x->len == y->len && memcmp(x->name, y->name, x->len) == 0;
}

static int
sort_modules(struct jaas *j)
{
	struct jaas_module *modules = j->modules.items;
	struct jaas_place *x = calloc(j->modules.len, sizeof(*x));
	size_t i;

	if (x == NULL)
		return -1;
	for (i = 0; i < j->modules.len; i++)
		x[i] = (struct jaas_place){ .name = j->p + modules[i].class,
		    .len = modules[i].class_len, .index = (uint32_t)i };
	qsort(x, j->modules.len, sizeof(*x), compare_places);
	for (i = 0; i < j->modules.len; i++)
		modules[x[i].index].ordinal = i > 0 && is_same_name(&x[i - 1], &x[i]) ?
		    modules[x[i - 1].index].ordinal + 1 : 1;
	j->by_class = x;
	return 0;
}

static int
sort_options(struct jaas *j)
{
	struct jaas_item *items = j->items.items;
	struct jaas_place *x = calloc(j->items.len + 1, sizeof(*x));
	size_t i;

	if (x == NULL)
		return -1;
	for (i = 0; i < j->items.len; i++)
		x[i] = (struct jaas_place){ .name = j->p + items[i].name,
		    .len = items[i].name_len, .group = items[i].module, .index = (uint32_t)i };
	qsort(x, j->items.len, sizeof(*x), compare_places);
	for (i = 1; i < j->items.len; i++) {
		if (!is_same_name(&x[i - 1], &x[i]))
			continue;
		items[x[i - 1].index].shadowed = true;
		items[x[i].index].previous = x[i - 1].index + 1;
	}
	j->by_name = x;
	return 0;
}

/* Fill by_class and by_name, and what follows from them.  -1: no memory. */
static int
jaas_places_sort(struct jaas *j)
{
	return sort_modules(j) == 0 ? sort_options(j) : -1;
}

/* Does it come before the name, in the same order? */
static bool
is_before(const struct jaas_place *x, size_t group, const char *name, size_t len)
{
	int order;

	if (x->group != group)
		return x->group < group;
	order = memcmp(x->name, name, x->len < len ? x->len : len);
	return order != 0 ? order < 0 : x->len < len;
}

static bool
jaas_places_is_named(const struct jaas_place *x, size_t group, const char *name, size_t len)
{
	return x->group == group && x->len == len && memcmp(x->name, name, len) == 0;
}

/* Of ${n} places, the first of the name, where it is or would be; with
 * ${behind}, the first behind it. */
static size_t
jaas_places_search(const struct jaas_place *x, size_t n, size_t group, const char *name, size_t len,
    bool behind)
{
	size_t low = 0;
	size_t middle;

	while (low < n) {
		middle = low + (n - low) / 2;
		if (is_before(&x[middle], group, name, len) ||
		    (behind && jaas_places_is_named(&x[middle], group, name, len)))
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

static const char *const flags[] = { "required", "requisite", "sufficient", "optional" };

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
	s->option++;
	s->inside = true;
	if (jaas_scan_value(s, &made.from) == -1)
		return -1;
	s->inside = false;
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
	j->closed = s->at < s->n;
	if (j->closed)
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
	j = error_alloc(sizeof(*j), err);
	if (j == NULL)
		return NULL;
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
jaas_item_at(const struct jaas *j, size_t i)
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
	const struct jaas_item *x = jaas_item_at(j, i);
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

bool
jaas_is_closed(const struct jaas *j)
{
	return j->closed;
}

/*
 * Is it one word for Kafka's StreamTokenizer?  That takes digits, dots and
 * dashes at the start for a number, and what is no letter for itself.
 */
static bool
jaas_is_word(const unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		bool letter = ascii_is_letter(p[i]) || p[i] == '_' || p[i] == '$' || p[i] >= 0x80;
		bool other = ascii_is_digit(p[i]) || p[i] == '.' || p[i] == '-';

		if (!letter && (i == 0 || !other))
			return false;
	}
	return true;
}

static bool
jaas_is_reference(const struct jaas *j, size_t at)
{
	return at + 1 < j->n && j->p[at] == '$' && j->p[at + 1] == '{';
}

const char *
jaas_fault(const struct jaas *j, const char **hint)
{
	struct jaas_option x;
	size_t i;

	for (i = 0; i < j->items.len; i++) {
		x = jaas_option(j, i);
		*hint = JAAS_HINT_QUOTES;
		if (!x.quoted && !jaas_is_reference(j, x.from) &&
		    !jaas_is_word(j->p + x.from, x.to - x.from))
			return "Kafka cannot read an unquoted value with - @ / # and the like in "
			    "it, or with a digit at its start";
		*hint = "write the option's name in double quotes";
		if (x.start == (size_t)(x.name - (const char *)j->p) &&
		    !jaas_is_word((const unsigned char *)x.name, x.name_len))
			return "Kafka cannot read the name of an option of this JAAS value";
	}
	*hint = "write a ; at the end of the value";
	return j->closed ? NULL : "Kafka cannot read this JAAS value: there is no ; at the end";
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
jaas_find_option(const struct jaas *j, size_t module, const char *name, size_t len)
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
	return jaas_find_option(j, module, slash + 1, len - (size_t)(slash + 1 - path));
}

void
jaas_address_append(const struct jaas *j, size_t i, const char *key, size_t len, struct buf *out)
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
jaas_insertion(const struct jaas *j, size_t module, const char *name, size_t len, const void *value,
    size_t n, size_t *at, struct buf *out, struct error *err)
{
	char quote = quote_for(name, len);
	size_t end = module_at(j, module)->end;

	if (jaas_find_option(j, module, name, len) != JAAS_NONE) {
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

bool
jaas_removal(const struct jaas *j, size_t i, size_t *from, size_t *to)
{
	const struct jaas_item *x = jaas_item_at(j, i);
	size_t at = x->to;
	bool last;

	while (at < j->n && jaas_is_blank(j->p[at]))
		at++;
	last = at == j->n || j->p[at] == ';';
	*from = x->start;
	*to = last ? x->to : at;
	return !last && x->start > 0 && !jaas_is_quote(j->p[at]) &&
	    !jaas_is_blank(j->p[x->start - 1]) && !jaas_is_quote(j->p[x->start - 1]);
}

#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "base/error.h"
#include "base/time.h"

/*
 * `propseal:ignore RULE,RULE until=2026-12-31 reason`: the findings of these
 * rules on the next line do not count.  The lines are kept, as some findings
 * are made when all files are known.
 */

#define SUPPRESSED_MAX ((size_t)1 << 26)

/* What is said of one line of a file. */
struct suppressed {
	size_t file;
	size_t line;		/* 0: the file as a whole */
	uint64_t rules;		/* a bit each */
};

_Static_assert(AUDIT_RULES < 64, "a bit for each rule");

void
audit_suppressed_init(struct audit *a)
{
	vec_init(&a->suppressed, sizeof(struct suppressed), SUPPRESSED_MAX);
}

int
audit_suppressed_take(struct audit *a, struct audit *part, size_t files, struct error *err)
{
	return audit_take(&a->suppressed, &part->suppressed, offsetof(struct suppressed, file),
	    files, err);
}

/* until=YYYY-MM-DD: is that day over? */
static bool
suppress_is_over(const struct audit_source *s, const char *p, size_t n)
{
	static const char word[] = "until=";
	const char *at = memmem(p, n, word, sizeof(word) - 1);
	char text[32];
	int64_t ms;

	if (at == NULL)
		return false;
	at += sizeof(word) - 1;
	if (p + n - at < 10)
		return true;
	snprintf(text, sizeof(text), "%.10sT23:59:59Z", at);
	return !time_parse(text, TIME_SECONDS, &ms) || ms < s->a->o->now;
}

/* The rules named from ${p} on. */
static uint64_t
suppress_rules(const char *p, const char *end)
{
	const char *id;
	enum audit_rule rule;
	uint64_t rules = 0;

	while (p < end && (*p == ' ' || *p == ':'))
		p++;
	for (; p < end && *p != ' ' && *p != '\r'; p += p < end && *p == ',') {
		for (id = p; p < end && *p != ',' && *p != ' ' && *p != '\r'; p++)
			;
		rule = audit_rule_find(id, (size_t)(p - id));
		if (p - id == 1 && *id == '*')
			rules = UINT64_MAX;
		else if (rule < AUDIT_RULES)
			rules |= UINT64_C(1) << rule;
	}
	return rules;
}

static int
suppress_keep(struct audit_source *s, size_t from, size_t line, uint64_t rules, struct error *err)
{
	struct vec *all = &s->a->suppressed;
	/* What is said of the file comes first. */
	struct suppressed *x = all->len > from ? vec_at(all, line == 0 ? from : all->len - 1) :
	    NULL;

	if (audit_source_name(s, err) != 0)
		return -1;
	if (x != NULL && x->line == line) {
		x->rules |= rules;
		return 0;
	}
	if ((x = vec_push(all)) == NULL)
		return error_memory(err);
	*x = (struct suppressed){ s->file, line, rules };
	return 0;
}

static int
suppress_by_place(const void *x, const void *y)
{
	const struct suppressed *a = x, *b = y;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->line > b->line) - (a->line < b->line);
}

static bool
suppress_has(const struct vec *all, size_t from, const struct audit_finding *f, size_t line)
{
	const struct suppressed want = { .file = f->file, .line = line };
	const struct suppressed *x = all->len > from ? bsearch(&want, vec_at(
	    (struct vec *)(uintptr_t)all, from), all->len - from, sizeof(want),
	    suppress_by_place) : NULL;

	return x != NULL && (x->rules >> f->rule & 1) != 0;
}

/* Those of ->suppressed from ${from} on; what is wrong with the file has no line before it. */
static void
suppress_apply(struct audit *a, size_t from, struct audit_finding *f)
{
	f->suppressed |= suppress_has(&a->suppressed, from, f, f->line) ||
	    (f->key_len == 0 && f->line == 1 && suppress_has(&a->suppressed, from, f, 0));
}

int
audit_suppress(struct audit_source *s, struct error *err)
{
	static const char word[] = "propseal:ignore";
	const char *p = s->text, *end, *stop = s->text + s->n;
	const char *last = s->text, *after;
	const size_t from = s->a->suppressed.len, first = s->n > 2 && p[0] == '#' && p[1] == '!' ?
	    2 : 1;
	struct audit_finding region;
	size_t target = 0;
	uint64_t rules;

	while ((p = memmem(p, (size_t)(stop - p), word, sizeof(word) - 1)) != NULL) {
		audit_source_region(s, (size_t)(p - s->text), (size_t)(p - s->text), &region);
		p += sizeof(word) - 1;
		end = memchr(p, '\n', (size_t)(stop - p));
		end = end != NULL ? end : stop;
		rules = suppress_is_over(s, p, (size_t)(end - p)) ? 0 : suppress_rules(p, end);
		p = end;
		if (rules == 0)
			continue;
		if (region.line <= first && suppress_keep(s, from, 0, rules, err) != 0)
			return -1;
		/* Several of them may stand above one line, which is looked for once. */
		if (end > last) {
			target = region.line + 1;
			for (last = end; last < stop; last = after, target++) {
				after = memchr(last + 1, '\n', (size_t)(stop - last - 1));
				after = after != NULL ? after : stop;
				if (memmem(last, (size_t)(after - last), word,
				    sizeof(word) - 1) == NULL)
					break;
			}
		}
		if (suppress_keep(s, from, target, rules, err) != 0)
			return -1;
	}
	for (size_t i = s->first; s->a->suppressed.len > from && i < s->a->findings.len; i++)
		suppress_apply(s->a, from, audit_finding(s->a, i));
	return 0;
}

void
audit_suppress_late(struct audit *a, size_t first)
{
	/* Files are numbered as they come, and lines too: mostly it is in order already. */
	if (a->suppressed.len > 1)
		qsort(a->suppressed.items, a->suppressed.len, sizeof(struct suppressed),
		    suppress_by_place);
	for (size_t i = first; i < a->findings.len; i++)
		suppress_apply(a, 0, audit_finding(a, i));
}

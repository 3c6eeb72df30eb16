#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/audit_internal.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/secmem.h"
#include "base/text.h"
#include "document/document.h"
#include "secrets/inspect.h"
#include "secrets/value.h"

#define FINDINGS_MAX ((size_t)1 << 26)
#define FILES_MAX ((size_t)1 << 24)

static struct audit *
audit_make(const struct audit_options *o, struct error *err)
{
	struct audit *a = error_alloc(sizeof(*a), err);

	if (a == NULL)
		return NULL;
	a->o = o;
	vec_init(&a->findings, sizeof(struct audit_finding), FINDINGS_MAX);
	vec_init(&a->files, sizeof(char *), FILES_MAX);
	vec_init(&a->unread, sizeof(struct audit_unread), FILES_MAX);
	vec_init(&a->locked, sizeof(struct audit_unread), FILES_MAX);
	vec_init(&a->sealed, sizeof(struct audit_place), FINDINGS_MAX);
	audit_suppressed_init(a);
	vec_init(&a->open_folders, sizeof(char *), FILES_MAX);
	vec_init(&a->folders, sizeof(char *), FILES_MAX);
	vec_init(&a->named, sizeof(char *), FILES_MAX);
	audit_providers_init(a);
	vec_init(&a->places, sizeof(char *), FILES_MAX);
	vec_init(&a->leaks, sizeof(char *), FINDINGS_MAX);
	return a;
}

/* The key of its sums, and what it knows of environments. */
static int
audit_begin(struct audit *a, struct error *err)
{
	if ((a->sum_key = secmem_map(SIPHASH_KEY, &a->sum_cap)) == NULL ||
	    getentropy(a->sum_key, SIPHASH_KEY) != 0)
		return error_memory(err);
	return audit_estate_init(a, err);
}

struct audit *
audit_new(const struct audit_options *o, struct error *err)
{
	struct audit *a = audit_make(o, err);

	if (a == NULL || audit_begin(a, err) == 0)
		return a;
	audit_free(a);
	return NULL;
}

struct audit *
audit_new_apart(const struct audit *a, struct error *err)
{
	struct audit *part = audit_make(a->o, err);

	if (part == NULL)
		return NULL;
	part->apart = true;
	part->sum_key = a->sum_key;
	if (audit_estate_init(part, err) == 0)
		return part;
	audit_free(part);
	return NULL;
}

static void
audit_release_unread(struct vec *list)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct audit_unread *u = vec_at(list, i);

		free((void *)(uintptr_t)u->file);
		free((void *)(uintptr_t)u->reason);
	}
	vec_release(list);
}

void
audit_free(struct audit *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->findings.len; i++)
		free((void *)(uintptr_t)audit_finding(a, i)->key);
	audit_release_unread(&a->unread);
	audit_release_unread(&a->locked);
	for (size_t i = 0; i < a->sealed.len; i++) {
		const struct audit_place *p = vec_at(&a->sealed, i);

		free((void *)(uintptr_t)p->file);
		free((void *)(uintptr_t)p->key);
	}
	vec_release(&a->findings);
	vec_release(&a->sealed);
	vec_release(&a->suppressed);
	vec_release_strings(&a->files);
	vec_release_strings(&a->open_folders);
	free(a->folder);
	vec_release_strings(&a->folders);
	vec_release_strings(&a->named);
	vec_release_strings(&a->leaks);
	map_free(a->leaked);
	audit_providers_release(a);
	vec_release_strings(&a->places);
	map_free(a->seen);
	audit_logs_free(a->logs);
	audit_estate_release(a);
	if (!a->apart)
		secmem_unmap(a->sum_key, a->sum_cap);
	free(a);
}

int
audit_goes_on(const struct audit *a, struct error *err)
{
	return a->o->goes_on != NULL ? a->o->goes_on(a->o->cookie, a, err) : 0;
}

size_t
audit_seen(const struct audit *a)
{
	return a->counts.seen;
}

size_t
audit_finding_count(const struct audit *a)
{
	return a->findings.len;
}

struct audit_finding *
audit_finding(const struct audit *a, size_t i)
{
	return vec_at(&a->findings, i);
}

const char *
audit_file(const struct audit *a, size_t file)
{
	return vec_string(&a->files, file);
}

size_t
audit_file_count(const struct audit *a)
{
	return a->files.len;
}

size_t
audit_unread_count(const struct audit *a)
{
	return a->unread.len;
}

const struct audit_unread *
audit_unread(const struct audit *a, size_t i)
{
	return vec_at(&a->unread, i);
}

size_t
audit_locked_count(const struct audit *a)
{
	return a->locked.len;
}

const struct audit_unread *
audit_locked(const struct audit *a, size_t i)
{
	return vec_at(&a->locked, i);
}

const char *
audit_skip_name(enum audit_skip s)
{
	static const char *const names[AUDIT_SKIPS] = { "other", "binary", "too-large", "special",
		"link", "keystore", "ignored", "gitignore" };

	return names[s];
}

void
audit_id_text(uint64_t id, char out[AUDIT_ID_TEXT])
{
	static const char digits[] = "0123456789abcdef";

	memcpy(out, "ps1:", 4);
	for (int i = 0; i < 16; i++)
		out[4 + i] = digits[id >> (60 - 4 * i) & 15];
	out[20] = '\0';
}

void
audit_append_name(struct buf *out, const char *name)
{
	const unsigned char *p = (const unsigned char *)name;
	size_t n = strlen(name), len;
	uint32_t cp;

	for (; n > 0; p += len, n -= len)
		if ((len = text_utf8_decode(p, n, &cp)) > 0) {
			buf_append(out, p, len);
		} else {
			len = 1;
			buf_printf(out, "%%%02X", *p);
		}
}

static size_t
audit_add_file(struct audit *a, const char *name, struct error *err)
{
	struct buf text;
	size_t file = AUDIT_NONE;

	buf_init(&text, 65536);
	audit_append_name(&text, name);
	if (buf_check(&text, err) == 0 && vec_push_string(&a->files,
	    (const char *)text.data, text.len) == NULL)
		error_memory(err);
	else if (!text.failed)
		file = a->files.len - 1;
	buf_release(&text);
	return file;
}

/* Stable sums: of names, never of values. */
static int
audit_id(const struct audit *a, struct audit_finding *f, size_t ordinal, struct error *err)
{
	static const unsigned char none[SIPHASH_KEY];
	const char *id = audit_rule_text(f->rule)->id, *file = audit_file(a, f->file);
	struct buf b;
	int rc;

	buf_init(&b, BUF_MAX_FILE);
	buf_append(&b, id, strlen(id) + 1);
	buf_append(&b, file, strlen(file) + 1);
	buf_append(&b, f->key, f->key_len);
	buf_append_char(&b, '\0');
	buf_printf(&b, "%zu", ordinal);
	if ((rc = buf_check(&b, err)) == 0)
		f->id = siphash_13(none, b.data, b.len);
	buf_release(&b);
	return rc;
}

int
audit_source_name(struct audit_source *s, struct error *err)
{
	if (s->file == AUDIT_NONE)
		s->file = audit_add_file(s->a, s->name, err);
	return s->file != AUDIT_NONE ? 0 : -1;
}

/* How to be rid of clear text in a file whose entries are not sealed; NULL: they can be. */
static const char *
audit_no_seal(const struct audit_source *s, const char *key, size_t len)
{
	const struct document_format *format = document_format_of(s->name);

	if (s->origin != AUDIT_FROM_FILE || (s->form != FORM_PROPERTIES && s->form != FORM_JSON))
		return NULL;
	if (s->manifest)
		return form_hint(FORM_YAML);
	if (s->outer == FORM_PROPERTIES || s->outer == FORM_JSON)
		return "seal the whole value that it is in: `propseal file encrypt --config KEY`";
	if (s->outer != FORM_NONE)
		return form_hint(s->outer);
	if (format == NULL)
		return s->form == FORM_JSON ?
		    "leave it out, and start the program by `propseal exec`; if Kafka reads the "
		    "file: `propseal file encrypt --config-format json --config KEY`" :
		    "leave it out, and start the program by `propseal exec`; if Kafka reads the "
		    "file: `propseal file encrypt --config-format properties --config KEY`";
	if (inspect_names_provider_parameter(format, key, len))
		return "no provider resolves a reference there: leave it in a file that only the "
		    "service reads, and accept it by `# propseal:ignore clear-text-secret` on the "
		    "line before, or in a baseline";
	if (s->unresolved)
		return "seal it (`propseal seal PATH`), and start the program with what `propseal "
		    "render` makes of the file: it resolves no reference itself";
	return NULL;
}

struct audit_finding *
audit_add(struct audit_source *s, enum audit_rule rule, const char *key, size_t len,
    const struct audit_finding *region, struct error *err)
{
	struct audit *a = s->a;
	struct audit_finding *f;
	char *copy;

	/* A URL with a password, a token: no name that could be told. */
	if (value_kind_is_secret(value_kind(key, len)))
		len = 0;
	if (audit_source_name(s, err) != 0)
		return NULL;
	if ((copy = text_copy(key, len)) == NULL || (f = vec_push(&a->findings)) == NULL) {
		free(copy);
		error_memory(err);
		return NULL;
	}
	*f = *region;
	f->rule = rule;
	f->level = audit_rule_text(rule)->level;
	f->form = s->form;
	f->origin = s->origin;
	f->file = s->file;
	f->key = copy;
	f->key_len = len;
	f->related = f->sealed = AUDIT_NONE;
	f->message = f->command = NULL;
	f->hint = rule == AUDIT_CLEAR_TEXT || rule == AUDIT_PRIVATE_KEY ?
	    audit_no_seal(s, key, len) : NULL;
	f->value = 0;
	return f;
}

void
audit_advance(const char *text, size_t *at, size_t to, size_t *line, size_t *columns)
{
	const char *end;

	while ((end = memchr(text + *at, '\n', to - *at)) != NULL) {
		*at = (size_t)(end - text) + 1;
		*columns = 0;
		++*line;
	}
	for (; *at < to; ++*at)
		*columns += ((unsigned char)text[*at] & 0xc0) != 0x80;
}

void
audit_source_region(struct audit_source *s, size_t from, size_t to, struct audit_finding *out)
{
	size_t at, line, columns;

	if (s->fixed != NULL) {
		*out = *s->fixed;
		return;
	}
	if (from < s->at || s->line == 0) {
		s->line = 1;
		s->at = s->columns = 0;
	}
	audit_advance(s->text, &s->at, from, &s->line, &s->columns);
	at = s->at;
	line = s->line;
	columns = s->columns;
	audit_advance(s->text, &at, to > from ? to : from, &line, &columns);
	*out = (struct audit_finding){ .line = s->line + s->base_line,
		.column = 1 + s->indent + s->columns, .end_line = line + s->base_line,
		.end_column = 1 + s->indent + columns };
}

static int
by_place(const void *x, const void *y)
{
	const struct audit_finding *a = x, *b = y;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	return strcmp(a->key, b->key);
}

static int
by_rule_and_key(const void *x, const void *y)
{
	const struct audit_finding *a = *(struct audit_finding *const *)x,
	    *b = *(struct audit_finding *const *)y;
	int rc;

	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	if (a->key_len != b->key_len)
		return a->key_len < b->key_len ? -1 : 1;
	rc = memcmp(a->key, b->key, a->key_len);
	return rc != 0 ? rc : a < b ? -1 : a > b;
}

static bool
audit_is_alike(const struct audit_finding *a, const struct audit_finding *b)
{
	return a->file == b->file && a->rule == b->rule && a->key_len == b->key_len &&
	    memcmp(a->key, b->key, a->key_len) == 0;
}

bool
audit_is_clear(const struct audit_finding *f)
{
	switch (f->rule) {
	case AUDIT_CLEAR_TEXT:
	case AUDIT_PRIVATE_KEY:
	case AUDIT_URL_CREDENTIALS:
	case AUDIT_COMMAND_LINE:
	case AUDIT_BACKUP:
	case AUDIT_MASTER_KEY_IN_FILE:
	case AUDIT_SEALED_AND_CLEAR:
	case AUDIT_COMMENT:
	case AUDIT_CUT:
	case AUDIT_UNSEALED:
		return f->end_line > f->line || f->end_column > f->column;
	default:
		return false;
	}
}

/*
 * How far one stands behind a secret on its line would tell the length of that
 * secret: it gets the column of the first one there, or 1 where the secret began
 * on a line before.  ${f}: by file, line and column.
 */
static void
audit_hide_distances(struct audit_finding *f, size_t n)
{
	size_t file = AUDIT_NONE, line = 0, column = 0, end, end_column;

	for (size_t i = 0; i < n; i++) {
		end = f[i].end_line;
		end_column = f[i].end_column;
		if (f[i].file == file && f[i].line == line && f[i].column > column) {
			f[i].column = column;
			/* Where it ends told the same. */
			if (end == line)
				f[i].end_column = column + (end_column > column);
		}
		if (!audit_is_clear(&f[i]) || (f[i].file == file && end <= line))
			continue;
		file = f[i].file;
		line = end;
		column = f[i].end_line > f[i].line ? 1 : f[i].column;
	}
}

int
audit_settle(struct audit_source *s, struct error *err)
{
	size_t count = s->a->findings.len - s->first, ordinal = 0;
	struct audit_finding *f, **all;
	int rc = 0;

	if (count == 0)
		return 0;
	f = audit_finding(s->a, s->first);
	if ((all = calloc(count, sizeof(*all))) == NULL)
		return error_memory(err);
	qsort(f, count, sizeof(*f), by_place);
	for (size_t i = 0; i < count; i++)
		all[i] = &f[i];
	qsort(all, count, sizeof(*all), by_rule_and_key);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		ordinal = i > 0 && audit_is_alike(all[i - 1], all[i]) ? ordinal + 1 : 0;
		rc = audit_id(s->a, all[i], ordinal, err);
	}
	free(all);
	audit_hide_distances(f, count);
	return rc;
}

int
audit_keep_unread(struct vec *list, const char *name, const char *reason, struct error *err)
{
	struct audit_unread *u = vec_push(list);
	struct buf text;

	if (u == NULL)
		return error_memory(err);
	buf_init(&text, 65536);
	audit_append_name(&text, name);
	u->file = strdup(buf_cstr(&text));
	u->reason = strdup(reason);
	buf_release(&text);
	return u->file != NULL && u->reason != NULL ? 0 : error_memory(err);
}

int
audit_unreadable(struct audit *a, const char *name, const struct error *why, struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, 65536);
	if (why->line > 0)
		buf_printf(&text, "line %zu: ", why->line);
	buf_append_str(&text, why->text);
	rc = buf_check(&text, err) == 0 ?
	    audit_keep_unread(&a->unread, name, buf_cstr(&text), err) : -1;
	buf_release(&text);
	return rc;
}

uint64_t
audit_sum(const struct audit *a, const void *value, size_t n)
{
	return siphash_13(a->sum_key, value, n) | 1;
}

int
audit_judge_age(struct audit_source *s, const char *key, size_t len,
    const struct audit_finding *region, int64_t when, const char *hint, struct error *err)
{
	struct audit_finding *f;

	if (s->a->o->max_age <= 0 || when == 0 || s->a->o->now - when <= s->a->o->max_age)
		return 0;
	if ((f = audit_add(s, AUDIT_OLD, key, len, region, err)) == NULL)
		return -1;
	f->hint = hint;
	return 0;
}

/* --- when all is looked at --- */

static int
by_value(const void *x, const void *y)
{
	const struct audit_finding *a = *(struct audit_finding *const *)x,
	    *b = *(struct audit_finding *const *)y;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* Findings of one secret in several places, each with the next one as related. */
static int
audit_find_reused(struct audit *a, struct error *err)
{
	struct audit_finding **all = calloc(a->findings.len + 1, sizeof(*all));
	size_t n = 0, count = a->findings.len;
	struct vec first;	/* of size_t: the first of each */
	int rc = 0;

	if (all == NULL)
		return error_memory(err);
	vec_init(&first, sizeof(size_t), FINDINGS_MAX);
	for (size_t i = 0; i < count; i++)
		/* A copy has the secret of its original, and so has a comment. */
		if (audit_finding(a, i)->value != 0 && !audit_finding(a, i)->suppressed &&
		    audit_finding(a, i)->rule != AUDIT_BACKUP &&
		    audit_finding(a, i)->rule != AUDIT_COMMENT &&
		    audit_finding(a, i)->origin == AUDIT_FROM_FILE)
			all[n++] = audit_finding(a, i);
	qsort(all, n, sizeof(*all), by_value);
	for (size_t i = 0; rc == 0 && i + 1 < n; i++) {
		size_t *slot;

		if (all[i]->value != all[i + 1]->value)
			continue;
		all[i]->related = (size_t)(all[i + 1] - audit_finding(a, 0));
		if (i > 0 && all[i - 1]->value == all[i]->value)
			continue;
		if ((slot = vec_push(&first)) == NULL)
			rc = error_memory(err);
		else
			*slot = (size_t)(all[i] - audit_finding(a, 0));
	}
	free(all);
	for (size_t i = 0; rc == 0 && i < first.len; i++) {
		const struct audit_finding f = *audit_finding(a, *(size_t *)vec_at(&first, i));
		struct audit_source s = { .a = a, .file = f.file, .form = f.form };
		struct audit_finding *added;

		if ((added = audit_add(&s, AUDIT_REUSED, f.key, f.key_len, &f, err)) == NULL) {
			rc = -1;
			break;
		}
		added->related = f.related;
	}
	vec_release(&first);
	return rc;
}

size_t
audit_folder_length(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash != NULL ? (size_t)(slash - file) : 0;
}

static int
audit_find_keys_beside(struct audit *a, struct error *err)
{
	size_t count = a->findings.len, len;
	struct audit_finding f;
	struct audit_source s;
	const char *file;

	for (size_t i = 0; i < count; i++) {
		f = *audit_finding(a, i);
		if (f.rule != AUDIT_MASTER_KEY_IN_FILE)
			continue;
		file = audit_file(a, f.file);
		len = audit_folder_length(file);
		for (size_t k = 0; k < a->folders.len; k++) {
			const char *folder = vec_string(&a->folders, k);

			if (strlen(folder) != len || memcmp(folder, file, len) != 0)
				continue;
			s = (struct audit_source){ .a = a, .file = f.file, .form = f.form };
			if (audit_add(&s, AUDIT_MASTER_KEY_BESIDE, f.key, f.key_len, &f,
			    err) == NULL)
				return -1;
			break;
		}
	}
	return 0;
}

static int
by_file(const void *x, const void *y)
{
	const struct audit_finding *a = x, *b = y;

	int rc = a->file != b->file ? (a->file < b->file ? -1 : 1) : by_place(x, y);

	return rc != 0 ? rc : a->id < b->id ? -1 : a->id > b->id;
}

static int
by_file_and_rule(const void *x, const void *y)
{
	const struct audit_finding *a = x, *b = y;
	int rc;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	if (a->key_len != b->key_len)
		return a->key_len < b->key_len ? -1 : 1;
	rc = memcmp(a->key, b->key, a->key_len);
	return rc != 0 ? rc : by_place(x, y);
}

/* Ids of the findings from ${first} on, which are of no file at hand; the order in
 * which they were come across says nothing.  Some are like earlier ones, as modes are. */
static int
audit_name_late(struct audit *a, size_t first, struct error *err)
{
	size_t ordinal = 0, count = a->findings.len - first, ignored;
	struct audit_finding *f = count > 0 ? audit_finding(a, first) : NULL;
	bool rules[AUDIT_RULES] = { false };
	struct map *ids = map_new();
	int rc = ids != NULL ? 0 : error_memory(err);

	for (size_t i = 0; i < count; i++)
		rules[f[i].rule] = true;
	for (size_t i = 0; rc == 0 && i < first; i++) {
		const struct audit_finding *early = audit_finding(a, i);

		if (rules[early->rule] && map_put(ids, &early->id, sizeof(early->id), i) != 0)
			rc = error_memory(err);
	}
	if (count > 1)
		qsort(f, count, sizeof(*f), by_file_and_rule);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		ordinal = i > 0 && audit_is_alike(&f[i - 1], &f[i]) ? ordinal + 1 : 0;
		do
			rc = audit_id(a, &f[i], ordinal, err);
		while (rc == 0 && map_get(ids, &f[i].id, sizeof(f[i].id), &ignored) &&
		    ordinal++ < first);
		f[i].suppressed = false;
	}
	map_free(ids);
	return rc;
}

int
audit_finish(struct audit *a, struct error *err)
{
	size_t *places, count;

	if (a->finished)
		return 0;
	count = a->findings.len;
	if (audit_find_reused(a, err) != 0 || audit_find_keys_beside(a, err) != 0 ||
	    audit_goes_on(a, err) != 0 || audit_estate_finish(a, err) != 0 ||
	    audit_goes_on(a, err) != 0 || audit_providers_finish(a, err) != 0 ||
	    audit_logs_search(a, err) != 0 || audit_name_late(a, count, err) != 0)
		return -1;
	audit_suppress_late(a, count);
	/* ->related are places, which sorting changes: ->value holds the old one meanwhile. */
	if ((places = calloc(a->findings.len + 1, sizeof(*places))) == NULL)
		return error_memory(err);
	if (a->findings.len > count) {
		for (size_t i = 0; i < a->findings.len; i++)
			audit_finding(a, i)->value = i;
		qsort(a->findings.items, a->findings.len, sizeof(struct audit_finding), by_file);
		for (size_t i = 0; i < a->findings.len; i++)
			places[audit_finding(a, i)->value] = i;
		for (size_t i = 0; i < a->findings.len; i++)
			if (audit_finding(a, i)->related != AUDIT_NONE)
				audit_finding(a, i)->related = places[audit_finding(a, i)->related];
	}
	for (size_t i = 0; i < a->findings.len; i++)
		audit_finding(a, i)->value = 0;
	if (a->findings.len > 0)
		audit_hide_distances(audit_finding(a, 0), a->findings.len);
	free(places);
	a->finished = true;
	return 0;
}

struct audit_counts
audit_counts(const struct audit *a)
{
	struct audit_counts c = a->counts;

	for (size_t i = 0; i < a->findings.len; i++) {
		const struct audit_finding *f = audit_finding(a, i);

		if (f->suppressed) {
			c.suppressed++;
			continue;
		}
		c.levels[f->level]++;
		if (!f->known) {
			c.fresh++;
			c.failing[f->level]++;
		}
	}
	return c;
}

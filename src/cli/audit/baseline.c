#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/map.h"
#include "base/text.h"
#include "base/time.h"
#include "base/vec.h"
#include "cli/audit/audit.h"
#include "document/document.h"
#include "file/file.h"
#include "plan/change.h"

/*
 * A baseline is JSON, an object a line: id, rule, file, key, reason, until.  It
 * is sorted and has no time stamp, so that two people's changes merge.
 */

#define ROWS_MAX ((size_t)1 << 24)
#define LOCK_MS 10000

struct baseline_row {
	char id[AUDIT_ID_TEXT];
	char *rule, *file, *key;
	char *reason;		/* NULL: none */
	char *until;		/* YYYY-MM-DD, NULL: for good */
	bool used;
};

struct baseline {
	struct vec rows;
	struct map *by_id;
};

static struct baseline_row *
baseline_row(const struct baseline *b, size_t i)
{
	return vec_at(&b->rows, i);
}

static void
baseline_release(struct baseline *b)
{
	for (size_t i = 0; i < b->rows.len; i++) {
		free(baseline_row(b, i)->rule);
		free(baseline_row(b, i)->file);
		free(baseline_row(b, i)->key);
		free(baseline_row(b, i)->reason);
		free(baseline_row(b, i)->until);
	}
	vec_release(&b->rows);
	map_free(b->by_id);
}

/* A member's text, NULL: it is not there, or null. */
static char *
baseline_member(const struct document *d, const char *name)
{
	size_t i = document_find(d, name, strlen(name)), n;
	struct buf value;
	char *text = NULL;

	if (i == DOCUMENT_NONE || document_raw_value(d, i, &n)[0] != '"')
		return NULL;
	buf_init(&value, 65536);
	if (document_value(d, i, &value, NULL) == 0)
		text = strdup(buf_cstr(&value));
	buf_release(&value);
	return text;
}

static int
baseline_add(struct baseline *b, const char *path, size_t line, const char *text, size_t n,
    struct error *err)
{
	struct baseline_row *row = vec_push(&b->rows);
	struct document *d;
	struct buf content;
	char *id;
	int rc = 0;

	if (row == NULL)
		return error_memory(err);
	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append(&content, text, n);
	if ((d = document_parse(&content, &document_json, path, err)) == NULL)
		return -1;
	id = baseline_member(d, "id");
	if (document_problem(d, NULL) != 0 || id == NULL || strlen(id) != AUDIT_ID_TEXT - 1) {
		error_set(err, ERROR_FORMAT, "not a line of a baseline");
		error_place(err, path, line);
		rc = error_hint(err, "`propseal audit --baseline FILE --update-baseline` "
		    "writes one");
	} else {
		memcpy(row->id, id, AUDIT_ID_TEXT);
		row->rule = baseline_member(d, "rule");
		row->file = baseline_member(d, "file");
		row->key = baseline_member(d, "key");
		row->reason = baseline_member(d, "reason");
		row->until = baseline_member(d, "until");
	}
	free(id);
	document_free(d);
	return rc;
}

static int
baseline_parse(struct baseline *b, const char *path, const struct buf *content, struct error *err)
{
	const char *p = (const char *)content->data, *end, *next;
	size_t line = 0;
	int rc;

	vec_init(&b->rows, sizeof(struct baseline_row), ROWS_MAX);
	b->by_id = map_new();
	rc = b->by_id == NULL ? error_memory(err) : 0;
	end = p + content->len;
	for (; rc == 0 && p < end; p = next + 1) {
		line++;
		next = memchr(p, '\n', (size_t)(end - p));
		next = next != NULL ? next : end;
		if (next > p && *p != '\r')
			rc = baseline_add(b, path, line, p, (size_t)(next - p), err);
	}
	for (size_t i = 0; rc == 0 && i < b->rows.len; i++)
		if (map_put(b->by_id, baseline_row(b, i)->id, AUDIT_ID_TEXT - 1, i) != 0)
			rc = error_memory(err);
	return rc;
}

static struct baseline_row *
baseline_find(const struct baseline *b, const struct audit_finding *f)
{
	char id[AUDIT_ID_TEXT];
	size_t i;

	audit_id_text(f->id, id);
	return b->by_id != NULL && map_get(b->by_id, id, AUDIT_ID_TEXT - 1, &i) ?
	    baseline_row(b, i) : NULL;
}

/* Is its day over? */
static bool
baseline_is_over(const struct baseline_row *row, int64_t now)
{
	char text[40];
	int64_t ms;

	if (row->until == NULL || strlen(row->until) != 10)
		return row->until != NULL;
	snprintf(text, sizeof(text), "%sT23:59:59Z", row->until);
	return !time_parse(text, TIME_SECONDS, &ms) || ms < now;
}

/* Was it looked for, and not found?  What could not be read may still hold it. */
static bool
baseline_is_gone(const struct baseline_row *row, const struct audit *a)
{
	enum audit_rule rule;

	if (row->used || audit_unread_count(a) > 0)
		return false;
	rule = audit_rule_find(row->rule, row->rule != NULL ? strlen(row->rule) : 0);
	return audit_locked_count(a) == 0 || rule == AUDIT_RULES ||
	    !audit_rule_text(rule)->needs_key;
}

int
audit_baseline_apply(struct audit *a, const char *path, int64_t now, size_t *unused,
    struct error *err)
{
	struct baseline b = { 0 };
	struct baseline_row *row;
	struct buf content;
	int rc;

	*unused = 0;
	buf_init(&content, BUF_MAX_FILE);
	rc = file_read(path, &content, NULL, err);
	if (rc == 0)
		rc = baseline_parse(&b, path, &content, err);
	buf_release(&content);
	for (size_t i = 0; rc == 0 && i < audit_finding_count(a); i++) {
		struct audit_finding *f = audit_finding(a, i);

		if ((row = baseline_find(&b, f)) == NULL)
			continue;
		row->used = true;
		f->known = !baseline_is_over(row, now);
	}
	for (size_t i = 0; rc == 0 && i < b.rows.len; i++)
		*unused += baseline_is_gone(baseline_row(&b, i), a);
	baseline_release(&b);
	return rc;
}

/* A row of a finding: with the reason and the day that it has already, if any. */
static int
baseline_push(struct baseline *b, const struct audit *a, const struct audit_finding *f,
    const struct baseline_row *old, struct error *err)
{
	struct baseline_row *row = vec_push(&b->rows);

	if (row == NULL)
		return error_memory(err);
	audit_id_text(f->id, row->id);
	row->rule = strdup(audit_rule_text(f->rule)->id);
	row->file = strdup(audit_file(a, f->file));
	row->key = text_copy(f->key, f->key_len);
	row->reason = old != NULL && old->reason != NULL ? strdup(old->reason) : NULL;
	row->until = old != NULL && old->until != NULL ? strdup(old->until) : NULL;
	return row->rule != NULL && row->file != NULL && row->key != NULL ? 0 : error_memory(err);
}

static int
baseline_compare(const char *x, const char *y)
{
	return strcmp(x != NULL ? x : "", y != NULL ? y : "");
}

static int
by_file_key_rule(const void *x, const void *y)
{
	const struct baseline_row *a = x, *b = y;
	int rc = baseline_compare(a->file, b->file);

	rc = rc != 0 ? rc : baseline_compare(a->key, b->key);
	rc = rc != 0 ? rc : baseline_compare(a->rule, b->rule);
	return rc != 0 ? rc : strcmp(a->id, b->id);
}

static int
baseline_print(struct baseline *b, struct buf *out, struct error *err)
{
	const struct baseline_row *row;
	struct json_out o;

	buf_clear(out);
	if (b->rows.len > 0)
		qsort(b->rows.items, b->rows.len, sizeof(*row), by_file_key_rule);
	for (size_t i = 0; i < b->rows.len; i++) {
		row = baseline_row(b, i);
		json_out_init(&o, out);
		json_out_object(&o, NULL);
		json_out_text(&o, "id", row->id);
		json_out_text(&o, "rule", row->rule);
		json_out_text(&o, "file", row->file);
		json_out_text(&o, "key", row->key);
		json_out_text(&o, "reason", row->reason);
		json_out_text(&o, "until", row->until);
		json_out_end(&o);
		json_out_finish(&o, NULL);
	}
	return buf_check(out, err);
}

/* What becomes of a baseline. */
struct baseline_edit {
	const struct audit *audit;
	const char *path;
	const struct audit_finding *finding;	/* that one alone is added, with ... */
	const char *reason;
};

/* Take over the rows of what could not be looked for.  ERROR_MEMORY. */
static int
baseline_keep(struct baseline *b, const struct audit *a, struct baseline *old, struct error *err)
{
	struct baseline_row *row, *kept;

	for (size_t i = 0; i < old->rows.len; i++) {
		row = baseline_row(old, i);
		if (row->used || baseline_is_gone(row, a))
			continue;
		if ((kept = vec_push(&b->rows)) == NULL)
			return error_memory(err);
		*kept = *row;
		*row = (struct baseline_row){ 0 };
	}
	return 0;
}

/* All that was found, with the reasons and days that are there. */
static int
baseline_renew(void *cookie, struct buf *content, struct error *err)
{
	const struct baseline_edit *e = cookie;
	struct baseline old = { 0 }, new = { 0 };
	struct baseline_row *row;
	int rc = baseline_parse(&old, e->path, content, err);

	vec_init(&new.rows, sizeof(struct baseline_row), ROWS_MAX);
	for (size_t i = 0; rc == 0 && i < audit_finding_count(e->audit); i++) {
		const struct audit_finding *f = audit_finding(e->audit, i);

		if ((row = baseline_find(&old, f)) != NULL)
			row->used = true;
		if (!f->suppressed)
			rc = baseline_push(&new, e->audit, f, row, err);
	}
	if (rc == 0)
		rc = baseline_keep(&new, e->audit, &old, err);
	if (rc == 0)
		rc = baseline_print(&new, content, err);
	baseline_release(&new);
	baseline_release(&old);
	return rc;
}

static int
baseline_ignore(void *cookie, struct buf *content, struct error *err)
{
	const struct baseline_edit *e = cookie;
	struct baseline b = { 0 };
	struct baseline_row *row;
	int rc = baseline_parse(&b, e->path, content, err);

	/* One that has expired is taken up again. */
	if (rc == 0 && (row = baseline_find(&b, e->finding)) == NULL) {
		rc = baseline_push(&b, e->audit, e->finding, NULL, err);
		row = rc == 0 ? baseline_row(&b, b.rows.len - 1) : NULL;
	}
	if (rc == 0) {
		free(row->reason);
		free(row->until);
		row->until = NULL;
		if ((row->reason = strdup(e->reason)) == NULL)
			rc = error_memory(err);
	}
	if (rc == 0)
		rc = baseline_print(&b, content, err);
	baseline_release(&b);
	return rc;
}

int
audit_baseline_update(const struct audit *a, const char *path, const struct trail *trail,
    struct buf *notes, struct error *err)
{
	struct baseline_edit e = { .audit = a, .path = path };

	return change_edit_file(trail, LOCK_MS, path, NULL, baseline_renew, &e, notes, err);
}

int
audit_baseline_ignore(const struct audit *a, const struct audit_finding *f, const char *path,
    const char *reason, const struct trail *trail, struct buf *notes, struct error *err)
{
	struct baseline_edit e = { .audit = a, .path = path, .finding = f, .reason = reason };
	struct buf what;
	int rc;

	buf_init(&what, BUF_MAX_FILE);
	/* So that `log show --key` finds it. */
	buf_printf(&what, "%s %s/", audit_rule_text(f->rule)->id, audit_file(a, f->file));
	buf_append(&what, f->key, f->key_len);
	rc = buf_check(&what, err) != 0 ? -1 :
	    change_edit_file(trail, LOCK_MS, path, buf_cstr(&what), baseline_ignore, &e, notes,
	    err);
	buf_release(&what);
	return rc;
}

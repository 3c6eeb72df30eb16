#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/map.h"
#include "base/time.h"
#include "base/vec.h"
#include "cli/audit/audit.h"
#include "document/document.h"
#include "file/file.h"
#include "file/replace.h"

/*
 * A baseline is JSON, an object a line: id, rule, file, key, reason, until.  It
 * is sorted and has no time stamp, so that two people's changes merge.
 */

#define ROWS_MAX ((size_t)1 << 24)
#define LOCK_MS 10000

struct baseline_row {
	char id[AUDIT_ID_TEXT];
	char *reason;		/* NULL: none */
	char *until;		/* YYYY-MM-DD, NULL: for good */
	bool used;
};

struct baseline {
	struct vec rows;
	struct map *by_id;
};

static void
baseline_release(struct baseline *b)
{
	for (size_t i = 0; i < b->rows.len; i++) {
		free(((struct baseline_row *)vec_at(&b->rows, i))->reason);
		free(((struct baseline_row *)vec_at(&b->rows, i))->until);
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
		row->reason = baseline_member(d, "reason");
		row->until = baseline_member(d, "until");
	}
	free(id);
	document_free(d);
	return rc;
}

static int
baseline_read(struct baseline *b, const char *path, struct error *err)
{
	struct buf content;
	const char *p, *end, *next;
	size_t line = 0;
	int rc;

	vec_init(&b->rows, sizeof(struct baseline_row), ROWS_MAX);
	b->by_id = map_new();
	buf_init(&content, BUF_MAX_FILE);
	rc = b->by_id == NULL ? error_memory(err) : file_read(path, &content, NULL, err);
	p = (const char *)content.data;
	end = p + content.len;
	for (; rc == 0 && p < end; p = next + 1) {
		line++;
		next = memchr(p, '\n', (size_t)(end - p));
		next = next != NULL ? next : end;
		if (next > p && *p != '\r')
			rc = baseline_add(b, path, line, p, (size_t)(next - p), err);
	}
	for (size_t i = 0; rc == 0 && i < b->rows.len; i++)
		if (map_put(b->by_id, ((struct baseline_row *)vec_at(&b->rows, i))->id,
		    AUDIT_ID_TEXT - 1, i) != 0)
			rc = error_memory(err);
	buf_release(&content);
	return rc;
}

static struct baseline_row *
baseline_find(const struct baseline *b, const struct audit_finding *f)
{
	char id[AUDIT_ID_TEXT];
	size_t i;

	audit_id_text(f->id, id);
	return map_get(b->by_id, id, AUDIT_ID_TEXT - 1, &i) ? vec_at(&b->rows, i) : NULL;
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

int
audit_baseline_apply(struct audit *a, const char *path, int64_t now, size_t *unused,
    struct error *err)
{
	struct baseline b = { 0 };
	struct baseline_row *row;
	int rc = baseline_read(&b, path, err);

	*unused = 0;
	for (size_t i = 0; rc == 0 && i < audit_finding_count(a); i++) {
		struct audit_finding *f = audit_finding(a, i);

		if ((row = baseline_find(&b, f)) == NULL)
			continue;
		row->used = true;
		f->known = !baseline_is_over(row, now);
	}
	for (size_t i = 0; rc == 0 && i < b.rows.len; i++)
		*unused += !((struct baseline_row *)vec_at(&b.rows, i))->used;
	baseline_release(&b);
	return rc;
}

static int
by_file_key_rule(const void *x, const void *y)
{
	const struct audit_finding *a = *(const struct audit_finding *const *)x,
	    *b = *(const struct audit_finding *const *)y;
	int rc;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	rc = strcmp(a->key, b->key);
	if (rc != 0 || a->rule != b->rule)
		return rc != 0 ? rc : a->rule < b->rule ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

int
audit_baseline_update(const struct audit *a, const char *path, struct error *err)
{
	const struct audit_finding **all = calloc(audit_finding_count(a) + 1, sizeof(*all));
	const struct baseline_row *row;
	struct baseline old = { 0 };
	char id[AUDIT_ID_TEXT];
	struct json_out o;
	struct error why;
	struct buf out;
	size_t n = 0;
	int rc = 0;

	if (all == NULL)
		return error_memory(err);
	buf_init(&out, BUF_MAX_FILE);
	if (baseline_read(&old, path, &why) != 0 && why.code != ERROR_MISSING) {
		*err = why;
		rc = -1;
	}
	for (size_t i = 0; i < audit_finding_count(a); i++)
		if (!audit_finding(a, i)->suppressed)
			all[n++] = audit_finding(a, i);
	qsort(all, n, sizeof(*all), by_file_key_rule);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		audit_id_text(all[i]->id, id);
		row = old.by_id != NULL ? baseline_find(&old, all[i]) : NULL;
		json_out_init(&o, &out);
		json_out_object(&o, NULL);
		json_out_text(&o, "id", id);
		json_out_text(&o, "rule", audit_rule_text(all[i]->rule)->id);
		json_out_text(&o, "file", audit_file(a, all[i]->file));
		json_out_text_n(&o, "key", all[i]->key, all[i]->key_len);
		json_out_text(&o, "reason", row != NULL ? row->reason : NULL);
		json_out_text(&o, "until", row != NULL ? row->until : NULL);
		json_out_end(&o);
		json_out_finish(&o, NULL);
	}
	if (rc == 0 && (rc = buf_check(&out, err)) == 0)
		rc = replace_file_locked(path, LOCK_MS, &out, err);
	free(all);
	baseline_release(&old);
	buf_release(&out);
	return rc;
}

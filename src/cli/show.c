#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "document/document.h"
#include "estate/environments.h"
#include "file/lock.h"
#include "plan/configuration.h"
#include "secrets/inspect.h"
#include "secrets/key_source.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

#define KEY_WIDTH_MAX 48	/* longer keys push their values to the right */
#define STATE_WIDTH 14
#define ROW_MORE 40	/* bytes of a row that are not in the file, about */

/* One line of `file show`. */
struct show_entry {
	const char *key;
	size_t key_len;
	size_t line;
	enum entry_state state;
	bool checked;		/* as resolution.checked */
	bool unlocked;		/* there is the key that it needs */
	bool sensitive;
	size_t clear;		/* secrets in clear text in it */
	bool masked;		/* the value is not to be shown */
};

/* People read where and what first; JSON has its members in the agreed order. */
enum { SHOW_LINE, SHOW_STATE, SHOW_KEY, SHOW_VALUE, SHOW_COLUMNS = SHOW_VALUE + 5 };

/* The output of `file show`: an aligned table, or JSON. */
struct show_table {
	bool json;
	struct table table;
	struct table_column columns[SHOW_COLUMNS];	/* as wide as they need be */
	size_t entries;
	size_t counts[STATE_DAMAGED + 1];
	size_t clear_secrets;
	size_t unchecked;	/* sealed, and not opened to see */
	bool keyed;		/* there is a key, which does not open those */
	struct buf out;		/* secret */
	struct json_out writer;
};

struct show {
	bool reveal;
	const struct rules *rules;
	struct configuration *config;
	struct environments *environments;
	struct scan_resolver ours;
	const struct environment *told;	/* there is no key for it */
	struct vec remarks;	/* of struct remark: what no key tells is hidden by them */
};

static void
show_table_init(struct show_table *t, bool json)
{
	memset(t, 0, sizeof(*t));
	t->json = json;
	buf_init_secret(&t->out, 2 * BUF_MAX_FILE);
}

static void
show_table_release(struct show_table *t)
{
	buf_release(&t->out);
}

static void
show_table_measure(struct show_table *t, const struct document *d)
{
	size_t count = document_count(d);
	size_t i, len, lines;

	for (i = 0; i < count; i++) {
		document_key(d, i, &len);
		len = len > KEY_WIDTH_MAX ? KEY_WIDTH_MAX : len;
		t->columns[SHOW_KEY].width = len > t->columns[SHOW_KEY].width ? len :
		    t->columns[SHOW_KEY].width;
	}
	lines = count > 0 ? document_line(d, count - 1) : 0;
	for (; lines > 9999; lines /= 10)
		t->columns[SHOW_LINE].width++;
}

static void
show_table_begin(struct show_table *t, const struct document *d)
{
	static const struct table_column columns[SHOW_COLUMNS] = {
		[SHOW_LINE] = { .heading = "LINE", .where = TABLE_PEOPLE, .width = 4,
		    .right = true },
		[SHOW_STATE] = { .heading = "STATE", .where = TABLE_PEOPLE, .width = STATE_WIDTH },
		[SHOW_KEY] = { .name = "key", .heading = "KEY" },
		[SHOW_VALUE] = { .name = "value", .heading = "VALUE" },
		{ .name = "state", .where = TABLE_JSON },
		{ .name = "sensitive", .where = TABLE_JSON },
		{ .name = "line", .where = TABLE_JSON },
		{ .name = "checked", .where = TABLE_JSON },
	};

	memcpy(t->columns, columns, sizeof(columns));
	/* About so much, at once rather than by doubling. */
	(void)buf_reserve(&t->out, document_bytes(d)->len + ROW_MORE * document_count(d));
	json_out_init(&t->writer, &t->out);
	if (t->json) {
		json_out_object(&t->writer, NULL);
		json_out_text(&t->writer, "schema", "propseal.show/1");
		json_out_text(&t->writer, "file", document_file(d));
		json_out_text(&t->writer, "format", document_format(d)->name);
		json_out_rows(&t->writer, "entries");
	} else
		show_table_measure(t, d);
	table_begin(&t->table, t->columns, SHOW_COLUMNS, &t->out, t->json ? &t->writer : NULL);
}

static void
show_table_add(struct show_table *t, const struct show_entry *e, const struct buf *value)
{
	struct table *table = &t->table;
	const char *name;

	table_number(table, e->line);
	table_text(table, e->state == STATE_PLAIN && e->clear > 0 ? "plain !" :
	    state_name(e->state));
	table_text_n(table, e->key, e->key_len);
	if (!e->masked)
		table_text_n(table, value->len > 0 ? (const char *)value->data : "", value->len);
	else if ((name = table_cell(table, MASK_TEXT, strlen(MASK_TEXT))) != NULL)
		json_out_null(&t->writer, name);
	table_text(table, state_name(e->state));
	table_bool(table, e->sensitive);
	table_number(table, e->line);
	table_bool(table, e->checked);
	table_row_end(table);
	t->entries++;
	t->counts[e->state]++;
	t->clear_secrets += e->clear;
	t->unchecked += e->state == STATE_SEALED && !e->checked;
}

static void
show_table_end(struct show_table *t)
{
	struct buf *out = &t->out;
	size_t i;

	if (t->json) {
		json_out_end(&t->writer);
		json_out_end(&t->writer);
		json_out_finish(&t->writer, NULL);
		return;
	}
	report_append_number(out, t->entries, 0);
	buf_append_str(out, t->entries == 1 ? " entry" : " entries");
	for (i = 0; i <= STATE_DAMAGED; i++) {
		if (t->counts[i] > 0) {
			buf_append_str(out, ", ");
			report_append_number(out, t->counts[i], 0);
			buf_append_char(out, ' ');
			buf_append_str(out, state_name((enum entry_state)i));
		}
		if (i == STATE_PLAIN && t->clear_secrets > 0) {
			buf_append_str(out, " (");
			report_append_number(out, t->clear_secrets, 0);
			buf_append_str(out, t->clear_secrets == 1 ? " secret" : " secrets");
			buf_append_str(out, " in clear text !)");
		}
		if (i == STATE_SEALED && t->unchecked > 0) {
			buf_append_str(out, " (");
			report_append_number(out, t->unchecked, 0);
			buf_append_str(out, t->keyed ? " not checked: no key that is there opens "
			    "the secrets file)" : " not checked: there is no key)");
		}
	}
	buf_append_char(out, '\n');
}

/* Keys are shown as they are read, so that one cannot see it there. */
static void
show_say_mark(const struct show *s)
{
	const struct remark *r;

	for (size_t i = 0; i < s->remarks.len; i++) {
		r = vec_at(&s->remarks, i);
		if (strcmp(r->kind, INSPECT_BYTE_ORDER_MARK) == 0)
			report_warning(r->hint, "%s:%zu: %s", s->config->path, r->line, r->text);
	}
}

static int
show_load(struct show *s, const struct options *o, struct error *err)
{
	size_t opened;

	s->reveal = o->on[FLAG_REVEAL];
	s->rules = config_rules(o->config);
	lock_sweep(o->args[0]);
	if ((s->config = configuration_load(o->args[0], config_scope(o->config), err)) == NULL ||
	    inspect_document(s->rules, s->config->doc, NULL, &s->remarks, err) != 0 ||
	    (s->environments = scan_files(o, &s->config, 1, err)) == NULL)
		return -1;
	show_say_mark(s);
	scan_resolver_init(&s->ours, o, s->environments, s->config->path, NULL);
	/* States are told better with a key, which is not asked for here. */
	return scan_unlock(o, s->environments, &opened, err);
}

/* Of a secrets file that is looked at: sealed entries and their tags are public. */
static bool
is_ciphertext(const struct document *d, size_t i)
{
	const unsigned char *raw;
	size_t n;

	raw = document_raw_value(d, i, &n);
	return sealed_claims(raw, n) || tag_is_key(d, i);
}

/* The value of entry ${i} with its references opened. */
static int
open_value(const struct show *s, size_t i, struct buf *value, struct error *err)
{
	struct buf text;
	int rc;

	buf_init_secret(&text, BUF_MAX_FILE);
	rc = document_value(s->config->doc, i, &text, err);
	if (rc == 0)
		rc = resolve_value(NULL, &s->ours.face, (const char *)text.data, text.len, value,
		    NULL, err);
	buf_release(&text);
	if (rc != 0 && err->file[0] == '\0')
		error_place(err, s->config->path, document_line(s->config->doc, i));
	return rc;
}

/* Open the environment of a value that is to be shown.  One that was found, and
 * not asked for, may stay as it is, which is told. */
static int
show_open(struct show *s, struct environment *x, struct error *err)
{
	if (scan_open(s->ours.o, s->environments, x, err) == 0)
		return 0;
	if (err->code != ERROR_MISSING || environments_only(s->environments) != NULL)
		return -1;
	if (x != s->told)
		report_note("%s: its values stay references: %s", x->path, err->text);
	s->told = x;
	return 0;
}

/* The state of entry ${i}; where a value is to be shown, its key is asked for. */
static int
show_state(struct show *s, size_t i, struct show_entry *e, struct buf *value,
    struct error *err)
{
	struct resolution x = { .state = STATE_PLAIN, .checked = true };

	if (reference_may_be_in(s->config->doc, i)) {
		if (document_value(s->config->doc, i, value, err) != 0 || environments_state(
		    s->environments, s->config->path, (const char *)value->data, value->len, &x,
		    err) != 0)
			return -1;
		if (s->reveal && !x.checked && x.environment != NULL &&
		    (show_open(s, x.environment, err) != 0 ||
		    environments_state(s->environments, s->config->path,
		    (const char *)value->data, value->len, &x, err) != 0))
			return -1;
		buf_clear(value);
	}
	e->state = x.state;
	e->checked = x.checked;
	e->unlocked = x.environment == NULL ? x.checked :
	    secrets_file_cipher(x.environment->secrets) != NULL;
	return 0;
}

/* Fill in what may be shown of entry ${i}, which a remark (or NULL) hides.  The value goes
 * to ${value}. */
static int
show_look(struct show *s, size_t i, const struct remark *hidden, struct show_entry *e,
    struct buf *value, struct error *err)
{
	const struct document *d = s->config->doc;
	struct clear_count found;

	e->key = document_key(d, i, &e->key_len);
	e->line = document_line(d, i);
	if (clear_in_entry(s->rules, d, i, value, &found, err) != 0)
		return -1;
	if (is_ciphertext(d, i))
		found = (struct clear_count){ 0 };
	/* What was cut off is a part of the one that is counted where it begins. */
	e->clear = hidden != NULL && hidden->level != REMARK_PART && found.clear == 0 ? 1 :
	    found.clear;
	e->sensitive = hidden != NULL || found.sensitive;
	if (hidden != NULL && hidden->hides_key && !s->reveal) {
		e->key = MASK_TEXT;
		e->key_len = strlen(MASK_TEXT);
	}
	if (show_state(s, i, e, value, err) != 0)
		return -1;
	if (e->clear > 0 && (e->state == STATE_SEALED || e->state == STATE_OTHER))
		e->state = STATE_PLAIN;
	e->masked = (e->state == STATE_PLAIN || e->clear > 0) && e->sensitive && !s->reveal;
	if (e->masked)
		return 0;
	if (s->reveal && e->unlocked && (e->state == STATE_SEALED ||
	    (e->clear > 0 && e->state == STATE_PLAIN)))
		return open_value(s, i, value, err);
	return document_value(d, i, value, err);
}

/* An entry that a later one of its key hides is not in the list, and its secrets are counted. */
static int
show_look_below(struct show *s, struct show_table *t, size_t i, struct buf *value, size_t *lines,
    struct error *err)
{
	const struct document *d = s->config->doc;
	struct clear_count found;

	if (clear_in_entry(s->rules, d, i, value, &found, err) != 0)
		return -1;
	if (is_ciphertext(d, i))
		return 0;
	t->clear_secrets += found.clear;
	if (found.clear > 0 && ++*lines == 1)
		report_warning("take it out: a later line of its key counts",
		    "%s:%zu: a secret in clear text in a line that no reader uses, and that is "
		    "not in the list", s->config->path, document_line(d, i));
	return 0;
}

static int
show_show(struct show *s, struct show_table *t, struct error *err)
{
	const struct document *d = s->config->doc;
	struct show_entry e;
	struct buf value;
	size_t i, at = 0, lines = 0;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	show_table_begin(t, d);
	for (i = 0; i < document_count(d) && rc == 0; i++) {
		if (document_shadowed(d, i)) {
			rc = show_look_below(s, t, i, &value, &lines, err);
			continue;
		}
		rc = show_look(s, i, inspect_hidden(&s->remarks, &at, i), &e, &value, err);
		if (rc == 0)
			show_table_add(t, &e, &value);
	}
	if (lines > 1)
		report_warning(NULL, "%s: %zu such lines", s->config->path, lines);
	if (rc == 0) {
		show_table_end(t);
		rc = output_write(&t->out, err);
	}
	buf_release(&value);
	return rc;
}

/* What was asked for could not all be shown. */
static int
check_revealed(const struct show *s, const struct show_table *t, struct error *err)
{
	size_t n = t->counts[STATE_DAMAGED];

	if (!s->reveal || n == 0)
		return 0;
	error_set(err, ERROR_DAMAGED, "%zu sealed %s not open", n,
	    n == 1 ? "value does" : "values do");
	error_place(err, s->config->path, 0);
	return error_hint(err, "`propseal file verify` tells which");
}

int
commands_show(const struct options *o)
{
	struct show s = { 0 };
	struct show_table t;
	struct error err;
	int rc;

	vec_init(&s.remarks, sizeof(struct remark), SIZE_MAX / sizeof(struct remark));
	show_table_init(&t, options_format(o) == OUTPUT_JSON);
	rc = show_load(&s, o, &err);
	if (rc == 0) {
		t.keyed = key_ring_count(environments_keys(s.environments)) > 0;
		rc = show_show(&s, &t, &err);
	}
	if (rc == 0)
		rc = check_revealed(&s, &t, &err);
	show_table_release(&t);
	vec_release(&s.remarks);
	configuration_free(s.config);
	environments_free(s.environments);
	return rc == 0 ? 0 : report_error(&err);
}

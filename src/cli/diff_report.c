#include "cli/diff_report.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "secrets/resolve.h"
#include "secrets/rules.h"
#include "secrets/state.h"

#define MASK "********"

void
diff_report_init(struct diff_report *r, bool json)
{
	memset(r, 0, sizeof(*r));
	r->json = json;
	buf_init_secret(&r->value, BUF_MAX_FILE);
	/* Values that no rule calls secret may be all the same. */
	buf_init_secret(&r->out, BUF_MAX_FILE);
	if (json)
		buf_append_str(&r->out, "{\"files\":[");
}

void
diff_report_release(struct diff_report *r)
{
	buf_release(&r->value);
	buf_release(&r->out);
}

static void
append_number(struct buf *out, size_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", n);
	buf_append_str(out, text);
}

static void
append_visible(struct buf *out, const char *text)
{
	text_append_visible(out, text, strlen(text));
}

static void
append_json(struct buf *out, const char *text)
{
	if (text == NULL)
		buf_append_str(out, "null");
	else
		text_append_json(out, text, strlen(text));
}

/* Does any reference stand in the value? */
static bool
refers(const struct buf *value)
{
	struct reference ref;
	size_t start, end;

	return resolve_next((const char *)value->data, value->len, 0, &ref, &start, &end);
}

static bool
load(struct diff_report *r, const struct document *d, size_t i)
{
	buf_clear(&r->value);
	return i != DOCUMENT_NONE && document_value(d, i, &r->value, NULL) == 0;
}

/* Must the values stay hidden?  What the other side seals is a secret here too. */
static bool
is_secret(struct diff_report *r, const struct compare_entry *e)
{
	if (rules_sensitive(r->rules, e->key, e->len))
		return true;
	return (load(r, r->a, e->a) && refers(&r->value)) ||
	    (load(r, r->b, e->b) && refers(&r->value));
}

/* May the value at hand be shown?  A reference alone may. */
static bool
may_show(const struct diff_report *r, bool secret)
{
	struct reference ref;

	return !secret || (reference_parse((const char *)r->value.data, r->value.len, &ref) &&
	    memchr(r->value.data, '}', r->value.len - 1) == NULL);
}

static void
add_side(struct diff_report *r, const struct document *d, size_t i, char sign,
    const struct compare_entry *e, bool secret)
{
	if (!load(r, d, i))
		return;
	buf_append_char(&r->out, sign);
	text_append_visible(&r->out, e->key, e->len);
	buf_append_str(&r->out, " = ");
	if (may_show(r, secret))
		text_append_visible(&r->out, r->value.data, r->value.len);
	else
		buf_append_str(&r->out, MASK);
	buf_append_char(&r->out, '\n');
}

static void
add_side_json(struct diff_report *r, const char *name, const struct document *d, size_t i,
    bool secret)
{
	struct buf *out = &r->out;

	buf_append_str(out, name);
	if (!load(r, d, i)) {
		buf_append_str(out, "null");
		return;
	}
	buf_append_str(out, "{\"line\":");
	append_number(out, document_line(d, i));
	buf_append_str(out, ",\"state\":\"");
	buf_append_str(out, state_name(state_of(d, i, r->s, NULL)));
	buf_append_str(out, "\",\"value\":");
	if (may_show(r, secret))
		text_append_json(out, r->value.data, r->value.len);
	else
		buf_append_str(out, "null");
	buf_append_char(out, '}');
}

static const char *
remark(enum compare_result result, bool secret)
{
	switch (result) {
	case COMPARE_FORM:
		return ": equal, but for how it is written";
	case COMPARE_UNKNOWN:
		return ": not compared, as a reference was not resolved";
	case COMPARE_DIFFERENT:
		return secret ? ": the secrets differ" : "";
	default:
		return "";
	}
}

static void
add_heading(struct diff_report *r, const struct compare_entry *e, bool secret)
{
	struct buf *out = &r->out;

	if (!r->begun) {
		buf_append_str(out, "--- ");
		append_visible(out, document_file(r->a));
		buf_append_str(out, "\n+++ ");
		append_visible(out, document_file(r->b));
		buf_append_char(out, '\n');
	}
	r->begun = true;
	buf_append_str(out, "@@ ");
	if (e->a != DOCUMENT_NONE) {
		buf_append_str(out, "-line ");
		append_number(out, document_line(r->a, e->a));
	}
	if (e->b != DOCUMENT_NONE) {
		buf_append_str(out, e->a != DOCUMENT_NONE ? " +line " : "+line ");
		append_number(out, document_line(r->b, e->b));
	}
	buf_append_str(out, remark(e->result, secret));
	buf_append_str(out, " @@\n");
}

int
diff_report_add(void *report, const struct compare_entry *e, struct error *err)
{
	struct diff_report *r = report;
	bool secret;

	r->counts[e->result]++;
	if (e->result == COMPARE_SAME)
		return 0;
	secret = is_secret(r, e);
	if (!r->json) {
		add_heading(r, e, secret);
		add_side(r, r->a, e->a, '-', e, secret);
		add_side(r, r->b, e->b, '+', e, secret);
		return buf_check(&r->out, err);
	}
	buf_append_str(&r->out, r->shown++ > 0 ? ",\n{\"key\":" : "\n{\"key\":");
	text_append_json(&r->out, e->key, e->len);
	buf_append_str(&r->out, ",\"result\":\"");
	buf_append_str(&r->out, compare_name(e->result));
	buf_append_str(&r->out, secret ? "\",\"secret\":true" : "\",\"secret\":false");
	add_side_json(r, ",\"a\":", r->a, e->a, secret);
	add_side_json(r, ",\"b\":", r->b, e->b, secret);
	buf_append_char(&r->out, '}');
	return buf_check(&r->out, err);
}

static void
begin_json(struct diff_report *r, const char *a, const char *b)
{
	buf_append_str(&r->out, r->pairs + r->missing > 0 ? ",\n{\"a\":" : "\n{\"a\":");
	append_json(&r->out, a);
	buf_append_str(&r->out, ",\"b\":");
	append_json(&r->out, b);
	buf_append_str(&r->out, ",\"entries\":[");
}

void
diff_report_begin(struct diff_report *r, const struct document *a, const struct document *b)
{
	r->a = a;
	r->b = b;
	r->begun = false;
	r->shown = 0;
	if (r->json)
		begin_json(r, document_file(a), document_file(b));
}

void
diff_report_end(struct diff_report *r)
{
	r->pairs++;
	if (r->json)
		buf_append_str(&r->out, "]}");
}

void
diff_report_missing(struct diff_report *r, const char *a, const char *b)
{
	if (r->json) {
		begin_json(r, a, b);
		buf_append_str(&r->out, "]}");
	} else {
		buf_append_str(&r->out, "--- ");
		append_visible(&r->out, a != NULL ? a : "(no such file)");
		buf_append_str(&r->out, "\n+++ ");
		append_visible(&r->out, b != NULL ? b : "(no such file)");
		buf_append_char(&r->out, '\n');
	}
	r->missing++;
}

bool
diff_report_differs(const struct diff_report *r)
{
	return r->missing + r->counts[COMPARE_DIFFERENT] + r->counts[COMPARE_UNKNOWN] +
	    r->counts[COMPARE_ONLY_A] + r->counts[COMPARE_ONLY_B] > 0;
}

static void
count(struct diff_report *r, size_t n, const char *one, const char *many, bool *first)
{
	if (n == 0)
		return;
	if (!*first)
		buf_append_str(&r->out, ", ");
	*first = false;
	append_number(&r->out, n);
	buf_append_str(&r->out, n == 1 ? one : many);
}

void
diff_report_finish(struct diff_report *r, bool folders)
{
	const size_t *n = r->counts;
	bool first = true;

	if (r->json) {
		buf_append_str(&r->out, "\n],\"equal\":");
		buf_append_str(&r->out, diff_report_differs(r) ? "false}\n" : "true}\n");
		return;
	}
	if (folders)
		count(r, r->pairs, " pair of files compared", " pairs of files compared", &first);
	count(r, r->missing, " file on one side only", " files on one side only", &first);
	count(r, n[COMPARE_SAME], " entry is the same", " entries are the same", &first);
	count(r, n[COMPARE_FORM], " equal in another form", " equal in another form", &first);
	count(r, n[COMPARE_DIFFERENT], " differs", " differ", &first);
	count(r, n[COMPARE_UNKNOWN], " not compared", " not compared", &first);
	count(r, n[COMPARE_ONLY_A], " only in the first", " only in the first", &first);
	count(r, n[COMPARE_ONLY_B], " only in the second", " only in the second", &first);
	buf_append_str(&r->out, first ? "no entries\n" : "\n");
}

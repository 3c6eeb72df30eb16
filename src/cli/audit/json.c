#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/audit/audit.h"

/* -o json and -o jsonl. */

/* A secret that is used again is told with this many of its places. */
#define RELATED_MAX 20

static void
json_related(struct json_out *o, const struct audit_report *r, const struct audit_finding *f)
{
	struct audit_place p;
	size_t next = 0;

	json_out_array(o, "related");
	for (size_t i = 0; i < RELATED_MAX && audit_related(r->audit, f, &next, &p); i++) {
		json_out_object(o, NULL);
		json_out_text(o, "file", p.file);
		json_out_uint(o, "line", p.line);
		json_out_text_n(o, "key", p.key, p.key_len);
		json_out_text(o, "why", p.why);
		json_out_end(o);
	}
	json_out_end(o);
}

static void
json_finding(struct json_out *o, const struct audit_report *r, const struct audit_finding *f)
{
	char id[AUDIT_ID_TEXT];

	audit_id_text(f->id, id);
	json_out_object(o, NULL);
	json_out_text(o, "id", id);
	json_out_text(o, "rule", audit_rule_text(f->rule)->id);
	json_out_text(o, "level", audit_level_name(f->level));
	json_out_text(o, "file", audit_file(r->audit, f->file));
	json_out_uint(o, "line", f->line);
	json_out_uint(o, "end_line", f->end_line);
	json_out_uint(o, "column", f->column);
	/* Where the value ends would tell its length. */
	json_out_uint(o, "end_column", f->end_line > f->line ? 1 : f->column);
	json_out_text_n(o, "key", f->key, f->key_len);
	json_out_text(o, "form", form_name(f->form));
	json_out_text(o, "message", audit_message(f));
	json_out_text(o, "hint", audit_hint(f));
	json_out_text(o, "environment", audit_environment(r->audit, f->file));
	json_related(o, r, f);
	json_out_text(o, "state", f->known ? "known" : "new");
	json_out_text(o, "suppressed_by", f->suppressed ? "inline" : NULL);
	json_out_end(o);
}

/* Rules that a key would be needed for, where there is none. */
static void
json_not_checked(struct json_out *o, const struct audit_report *r)
{
	const struct audit_rule_text *rule;

	if (audit_locked_count(r->audit) == 0)
		return;
	json_out_array(o, "not_checked");
	for (size_t i = 0; i < audit_locked_count(r->audit); i++) {
		json_out_object(o, NULL);
		json_out_text(o, "file", audit_locked(r->audit, i)->file);
		json_out_text(o, "reason", audit_locked(r->audit, i)->reason);
		json_out_array(o, "rules");
		for (int k = 0; k < AUDIT_RULES; k++) {
			rule = audit_rule_text((enum audit_rule)k);
			if (rule->needs_key)
				json_out_text(o, NULL, rule->id);
		}
		json_out_end(o);
		json_out_end(o);
	}
	json_out_end(o);
}

static void
json_head(struct json_out *o, const struct audit_report *r)
{
	const struct audit_counts *c = &r->counts;

	json_out_text(o, "schema", r->schema);
	json_out_text(o, "version", PROPSEAL_VERSION);
	json_out_text(o, "root", r->root);
	json_out_bool(o, "complete", audit_unread_count(r->audit) == 0);
	json_out_object(o, "files");
	json_out_uint(o, "seen", c->seen);
	json_out_uint(o, "read", c->read);
	json_out_object(o, "by_form");
	for (size_t i = 1; i < FORMS; i++)
		if (c->by_form[i] > 0)
			json_out_uint(o, form_name((enum form)i), c->by_form[i]);
	json_out_end(o);
	json_out_object(o, "skipped");
	for (size_t i = 0; i < AUDIT_SKIPS; i++)
		if (c->skipped[i] > 0)
			json_out_uint(o, audit_skip_name((enum audit_skip)i), c->skipped[i]);
	json_out_end(o);
	json_out_end(o);
	json_out_array(o, "unread");
	for (size_t i = 0; i < audit_unread_count(r->audit); i++) {
		json_out_object(o, NULL);
		json_out_text(o, "file", audit_unread(r->audit, i)->file);
		json_out_text(o, "reason", audit_unread(r->audit, i)->reason);
		json_out_end(o);
	}
	json_out_end(o);
	json_not_checked(o, r);
	json_out_object(o, "counts");
	for (size_t i = AUDIT_LEVELS; i-- > 0;)
		json_out_uint(o, audit_level_name((enum audit_level)i), c->levels[i]);
	json_out_uint(o, "suppressed", c->suppressed);
	json_out_uint(o, "new", c->fresh);
	json_out_end(o);
}

void
audit_report_json(struct audit_report *r, struct buf *out)
{
	struct json_out o;

	json_out_init(&o, out);
	json_out_hide(&o);
	json_out_object(&o, NULL);
	json_head(&o, r);
	if (r->checks != NULL)
		json_out_raw_n(&o, "checks", r->checks->data, r->checks->len);
	json_out_rows(&o, "findings");
	for (size_t i = 0; i < audit_finding_count(r->audit); i++) {
		json_finding(&o, r, audit_finding(r->audit, i));
		audit_report_flush(r, out);
	}
	json_out_end(&o);
	json_out_int(&o, "exit", r->status);
	json_out_end(&o);
	json_out_finish(&o, NULL);
}

void
audit_report_jsonl(struct audit_report *r, struct buf *out)
{
	struct json_out o;

	for (size_t i = 0; i < audit_finding_count(r->audit); i++) {
		json_out_init(&o, out);
		json_out_hide(&o);
		json_finding(&o, r, audit_finding(r->audit, i));
		json_out_finish(&o, NULL);
		audit_report_flush(r, out);
	}
	json_out_init(&o, out);
	json_out_hide(&o);
	json_out_object(&o, NULL);
	json_head(&o, r);
	json_out_int(&o, "exit", r->status);
	json_out_end(&o);
	json_out_finish(&o, NULL);
}

/* SARIF 2.1.0 (OASIS), for code scanning services. */

#define HELP_URI "https://propseal.org/propseal-audit.1.html"

static void
sarif_message(struct json_out *o, const char *key, const char *text)
{
	json_out_object(o, key);
	json_out_text(o, "text", text);
	json_out_end(o);
}

static void
sarif_rule(struct json_out *o, enum audit_rule rule)
{
	const struct audit_rule_text *t = audit_rule_text(rule);
	struct buf text;

	buf_init(&text, 4096);
	json_out_object(o, NULL);
	json_out_text(o, "id", t->id);
	json_out_text(o, "name", t->name);
	sarif_message(o, "shortDescription", t->name);
	sarif_message(o, "fullDescription", t->why);
	json_out_object(o, "help");
	buf_printf(&text, "%s What to do: %s.", t->why, t->hint);
	json_out_text(o, "text", buf_cstr(&text));
	buf_clear(&text);
	buf_printf(&text, "%s\n\n**What to do:** %s.", t->why, t->hint);
	json_out_text(o, "markdown", buf_cstr(&text));
	json_out_end(o);
	json_out_textf(o, "helpUri", HELP_URI "#%s", t->id);
	json_out_object(o, "defaultConfiguration");
	json_out_text(o, "level", audit_level_name(t->level));
	json_out_end(o);
	json_out_object(o, "properties");
	json_out_array(o, "tags");
	json_out_text(o, NULL, "security");
	if (t->cwe > 0)
		json_out_textf(o, NULL, "external/cwe/cwe-%u", t->cwe);
	json_out_end(o);
	json_out_text(o, "precision", "high");
	json_out_text(o, "security-severity", t->severity);
	json_out_end(o);
	json_out_end(o);
	buf_release(&text);
}

/* A path as a URI: each segment percent-encoded. */
static void
sarif_uri(struct json_out *o, const struct audit_report *r, const char *file)
{
	struct buf uri;
	const char *end;
	bool absolute;

	buf_init(&uri, 3 * 65536);
	/* What a worker answered has an address of its own. */
	absolute = strncmp(file, "http://", 7) == 0 || strncmp(file, "https://", 8) == 0;
	if (absolute)
		buf_append_str(&uri, file);
	for (; !absolute; file = end + 1) {
		end = strchr(file, '/');
		text_append_percent(&uri, file, end != NULL ? (size_t)(end - file) : strlen(file));
		if (end == NULL)
			break;
		buf_append_char(&uri, '/');
	}
	json_out_object(o, "artifactLocation");
	json_out_text_n(o, "uri", uri.data, uri.len);
	if (!absolute && uri.len > 0 && uri.data[0] != '/')
		json_out_text(o, "uriBaseId", "ROOT");
	json_out_end(o);
	buf_release(&uri);
	(void)r;
}

/* ${f}: the finding that is there; NULL: no more is known than the line. */
static void
sarif_location(struct json_out *o, const struct audit_report *r, const struct audit_place *p,
    const struct audit_finding *f)
{
	json_out_object(o, "physicalLocation");
	sarif_uri(o, r, p->file);
	json_out_object(o, "region");
	json_out_uint(o, "startLine", p->line);
	if (f != NULL) {
		json_out_uint(o, "startColumn", f->column);
		/* Up to the end of the line: a column there would tell the value's length. */
		json_out_uint(o, "endLine", f->end_line);
	}
	json_out_end(o);
	json_out_end(o);
	if (p->key_len == 0)
		return;
	json_out_array(o, "logicalLocations");
	json_out_object(o, NULL);
	json_out_text_n(o, "fullyQualifiedName", p->key, p->key_len);
	json_out_text(o, "kind", "member");
	json_out_end(o);
	json_out_end(o);
}

static void
sarif_related(struct json_out *o, const struct audit_report *r, const struct audit_finding *f)
{
	struct audit_place p;
	size_t next = 0;
	bool some = false;

	for (int i = 0; i < RELATED_MAX && audit_related(r->audit, f, &next, &p); i++) {
		if (!some)
			json_out_array(o, "relatedLocations");
		some = true;
		json_out_object(o, NULL);
		json_out_int(o, "id", i);
		sarif_location(o, r, &p, p.finding);
		sarif_message(o, "message", p.why);
		json_out_end(o);
	}
	if (some)
		json_out_end(o);
}

static void
sarif_result(struct json_out *o, const struct audit_report *r, const struct audit_finding *f,
    size_t rule_index)
{
	const struct audit_place here = { .file = audit_file(r->audit, f->file), .line = f->line,
		.key = f->key, .key_len = f->key_len };
	char id[AUDIT_ID_TEXT];

	audit_id_text(f->id, id);
	json_out_object(o, NULL);
	json_out_text(o, "ruleId", audit_rule_text(f->rule)->id);
	json_out_uint(o, "ruleIndex", rule_index);
	json_out_text(o, "level", audit_level_name(f->level));
	sarif_message(o, "message", audit_message(f));
	json_out_array(o, "locations");
	json_out_object(o, NULL);
	sarif_location(o, r, &here, f);
	json_out_end(o);
	json_out_end(o);
	sarif_related(o, r, f);
	json_out_object(o, "partialFingerprints");
	json_out_text(o, "propseal/v1", id);
	json_out_end(o);
	if (f->suppressed) {
		json_out_array(o, "suppressions");
		json_out_object(o, NULL);
		json_out_text(o, "kind", "inSource");
		json_out_end(o);
		json_out_end(o);
	}
	json_out_text(o, "baselineState", f->known ? "unchanged" : "new");
	json_out_end(o);
}

static void
sarif_invocation(struct json_out *o, const struct audit_report *r)
{
	json_out_array(o, "invocations");
	json_out_object(o, NULL);
	json_out_bool(o, "executionSuccessful", audit_unread_count(r->audit) == 0);
	json_out_int(o, "exitCode", r->status);
	json_out_array(o, "toolExecutionNotifications");
	for (size_t i = 0; i < audit_unread_count(r->audit); i++) {
		const struct audit_unread *u = audit_unread(r->audit, i);

		json_out_object(o, NULL);
		json_out_text(o, "level", "error");
		sarif_message(o, "message", u->reason);
		json_out_array(o, "locations");
		json_out_object(o, NULL);
		json_out_object(o, "physicalLocation");
		sarif_uri(o, r, u->file);
		json_out_end(o);
		json_out_end(o);
		json_out_end(o);
		json_out_end(o);
	}
	json_out_end(o);
	json_out_end(o);
	json_out_end(o);
}

static void
sarif_tool(struct json_out *o, const struct audit_report *r, size_t index[AUDIT_RULES])
{
	size_t n = 0;

	for (size_t i = 0; i < AUDIT_RULES; i++)
		index[i] = AUDIT_NONE;
	for (size_t i = 0; i < audit_finding_count(r->audit); i++)
		index[audit_finding(r->audit, i)->rule] = 0;
	json_out_object(o, "tool");
	json_out_object(o, "driver");
	json_out_text(o, "name", "propseal");
	json_out_text(o, "version", PROPSEAL_VERSION);
	json_out_text(o, "semanticVersion", PROPSEAL_VERSION);
	json_out_text(o, "informationUri", HELP_URI);
	json_out_array(o, "rules");
	for (size_t i = 0; i < AUDIT_RULES; i++)
		if (index[i] == 0) {
			index[i] = n++;
			sarif_rule(o, (enum audit_rule)i);
		}
	json_out_end(o);
	json_out_end(o);
	json_out_end(o);
}

void
audit_report_sarif(struct audit_report *r, struct buf *out)
{
	size_t index[AUDIT_RULES];
	struct json_out o;

	json_out_init(&o, out);
	json_out_hide(&o);
	json_out_object(&o, NULL);
	json_out_text(&o, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	json_out_text(&o, "version", "2.1.0");
	json_out_array(&o, "runs");
	json_out_object(&o, NULL);
	sarif_tool(&o, r, index);
	json_out_object(&o, "automationDetails");
	json_out_text(&o, "id", "propseal/audit/");
	json_out_end(&o);
	json_out_text(&o, "columnKind", "unicodeCodePoints");
	json_out_object(&o, "originalUriBaseIds");
	json_out_object(&o, "ROOT");
	json_out_object(&o, "description");
	json_out_text(&o, "text", "The folder that the audit began at.");
	json_out_end(&o);
	json_out_end(&o);
	json_out_end(&o);
	sarif_invocation(&o, r);
	json_out_rows(&o, "results");
	for (size_t i = 0; i < audit_finding_count(r->audit); i++) {
		const struct audit_finding *f = audit_finding(r->audit, i);

		sarif_result(&o, r, f, index[f->rule]);
		audit_report_flush(r, out);
	}
	json_out_end(&o);
	json_out_end(&o);
	json_out_end(&o);
	json_out_end(&o);
	json_out_finish(&o, NULL);
}

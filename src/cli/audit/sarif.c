#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/audit/audit.h"

/* SARIF 2.1.0 (OASIS), for code scanning services. */

/* A secret that stands in many places is told with so many of them. */
#define RELATED_MAX 20

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

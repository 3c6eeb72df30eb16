#include "base/buf.h"
#include "base/json_out.h"
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

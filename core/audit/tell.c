#include "audit/audit_internal.h"

/* What is told of a finding: what is wrong, what to do, and the places that it has to do with. */

const char *
audit_hint(const struct audit_finding *f)
{
	static const char *const hints[] = {
		[AUDIT_FROM_PROCESS] = "start it by `propseal exec`, or let it read a file of its "
		    "user alone",
		[AUDIT_FROM_CONNECT] = "seal it into a secrets file of the worker, and put a "
		    "reference in its place (PUT /connectors/NAME/config)",
		[AUDIT_FROM_LOG] = "change the secret, and keep it from being logged",
		[AUDIT_FROM_HISTORY] = "change the secret: who has a clone has it, whatever is "
		    "sealed since",
	};
	const char *other = f->origin != AUDIT_FROM_FILE ? hints[f->origin] : form_hint(f->form);

	if (f->hint != NULL)
		return f->hint;
	if (f->origin == AUDIT_FROM_LOG)
		return other;
	switch (f->rule) {
	case AUDIT_BACKUP:
	case AUDIT_COMMENT:
		if (f->origin != AUDIT_FROM_HISTORY)
			return audit_rule_text(f->rule)->hint;
		return other;
	case AUDIT_MASTER_KEY_IN_FILE:
	case AUDIT_COMMAND_LINE:
	case AUDIT_UNSEALED:
		/* Nobody hands a key over by what was there once. */
		return f->origin == AUDIT_FROM_HISTORY ? other : audit_rule_text(f->rule)->hint;
	case AUDIT_CLEAR_TEXT:
	case AUDIT_PRIVATE_KEY:
	case AUDIT_URL_CREDENTIALS:
		return other != NULL ? other : audit_rule_text(f->rule)->hint;
	default:
		return audit_rule_text(f->rule)->hint;
	}
}

const char *
audit_message(const struct audit_finding *f)
{
	return f->message != NULL ? f->message : audit_rule_text(f->rule)->message;
}

bool
audit_related(const struct audit *a, const struct audit_finding *f, size_t *next,
    struct audit_place *out)
{
	const struct audit_finding *other;
	size_t at = *next > 0 ? *next - 1 : f->related;

	if (f->rule == AUDIT_SEALED_AND_CLEAR) {
		if (*next > 0)
			return false;
		*next = 1;
		*out = *(const struct audit_place *)vec_at(&a->sealed, f->sealed);
		return true;
	}
	if (at == AUDIT_NONE || *next == AUDIT_NONE)
		return false;
	other = audit_finding(a, at);
	*out = (struct audit_place){ .file = audit_file(a, other->file), .line = other->line,
		.key = other->key, .key_len = other->key_len, .why = "the same secret",
		.finding = other };
	*next = other->related != AUDIT_NONE ? other->related + 1 : AUDIT_NONE;
	return true;
}

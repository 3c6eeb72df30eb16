#ifndef AUDIT_RULE_H
#define AUDIT_RULE_H

#include <stdbool.h>
#include <stddef.h>

/* What an audit looks for. */
enum audit_rule {
	AUDIT_CLEAR_TEXT,
	AUDIT_PRIVATE_KEY,
	AUDIT_URL_CREDENTIALS,
	AUDIT_COMMAND_LINE,
	AUDIT_BACKUP,
	AUDIT_MASTER_KEY_IN_FILE,
	AUDIT_MASTER_KEY_BESIDE,
	AUDIT_KNOWN_PASSPHRASE,
	AUDIT_WEAK,
	AUDIT_DEFAULT,
	AUDIT_SEALED_AND_CLEAR,
	AUDIT_REUSED,
	AUDIT_COMMENT,
	AUDIT_PLACEHOLDER,
	AUDIT_CUT,
	AUDIT_JAAS,
	AUDIT_PROVIDER,
	AUDIT_MALFORMED_REFERENCE,
	AUDIT_DANGLING,
	AUDIT_MISSING_FILE,
	AUDIT_UNKNOWN_ENVIRONMENT,
	AUDIT_ORPHAN,
	AUDIT_COLLISION,
	AUDIT_UNSEALED,
	AUDIT_DAMAGED,
	AUDIT_EXCHANGED,
	AUDIT_UNTAGGED,
	AUDIT_STALE,
	AUDIT_LEGACY_CIPHER,
	AUDIT_WEAK_KDF,
	AUDIT_OLD,
	AUDIT_OPEN_MODE,
	AUDIT_DUPLICATE_KEY,
	AUDIT_UNRESOLVABLE,
	AUDIT_CONFLICT,
	AUDIT_RULES
};

enum audit_level {
	AUDIT_NOTE,
	AUDIT_WARNING,
	AUDIT_ERROR,
	AUDIT_LEVELS		/* as --fail-on: none */
};

struct audit_rule_text {
	const char *id;		/* also the anchor of its section in propseal-audit(1) */
	enum audit_level level;
	const char *name;	/* a few words */
	const char *message;	/* of a finding; what is wrong, never the value */
	const char *why;	/* a sentence or two */
	const char *hint;	/* what to do */
	unsigned int cwe;
	const char *severity;	/* CVSS-like, for SARIF's security-severity */
	bool needs_key;		/* it is not looked for in a secrets file that is locked */
};

const struct audit_rule_text *audit_rule_text(enum audit_rule r);

/* AUDIT_RULES: there is none of this id. */
enum audit_rule audit_rule_find(const char *id, size_t len);

/* "error", "warning", "note"; and back, also "none" (AUDIT_LEVELS).  False: no such level. */
const char *audit_level_name(enum audit_level l);
bool audit_level_find(const char *name, enum audit_level *out);

#endif /* !AUDIT_RULE_H */

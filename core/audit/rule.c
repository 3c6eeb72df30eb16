#include <string.h>

#include "audit/audit.h"
#include "audit/audit_internal.h"

#define SEAL "seal it: `propseal seal PATH`, or `propseal file encrypt --config KEY`"

static const struct audit_rule_text texts[AUDIT_RULES] = {
	[AUDIT_CLEAR_TEXT] = { "clear-text-secret", AUDIT_ERROR, "Secret in clear text",
	    "a secret in clear text",
	    "Who can read the file, a backup of it or the repository that it is in has the secret.",
	    SEAL, 312, "8.0", false },
	[AUDIT_PRIVATE_KEY] = { "private-key", AUDIT_ERROR, "Private key in clear text",
	    "a private key in clear text",
	    "A private key in a configuration is as readable as the file, and goes wherever the "
	    "file is copied to.", SEAL, 321, "8.5", false },
	[AUDIT_URL_CREDENTIALS] = { "url-credentials", AUDIT_ERROR, "Credentials in a URL",
	    "credentials in a URL or connection string",
	    "URLs are logged, shown in consoles and passed on; credentials inside them go along.",
	    "put user and password under keys of their own and seal those, or seal the whole URL",
	    522, "7.5", false },
	[AUDIT_COMMAND_LINE] = { "command-line-secret", AUDIT_ERROR, "Secret on a command line",
	    "a secret on a command line",
	    "Every user of the host can read the arguments of running programs.",
	    "give it in a file or by `propseal exec`, which puts it where only the program looks",
	    214, "7.5", false },
	[AUDIT_BACKUP] = { "backup-secret", AUDIT_ERROR, "Secret in a forgotten copy",
	    "a secret in clear text in a copy that an editor, a package or a person left behind",
	    "Sealing the configuration does not touch its copies, which keep the old clear text.",
	    "delete the copy, and change the secret if others could read it", 530, "7.5", false },
	[AUDIT_MASTER_KEY_IN_FILE] = { "master-key-in-file", AUDIT_ERROR, "Master key in a file",
	    "a master key in clear text",
	    "The master key opens every sealed entry of its secrets file.",
	    "hand it over by LoadCredentialEncrypted= of systemd (propseal.master-key) or a file "
	    "of the service's user alone", 321, "9.0", false },
	[AUDIT_MASTER_KEY_BESIDE] = { "master-key-beside-secrets", AUDIT_ERROR,
	    "Master key beside its secrets file",
	    "a master key lies in the folder of a secrets file",
	    "Who copies the folder has the secrets and the key that opens them.",
	    "keep the key elsewhere, readable by the service's user alone", 320, "9.0", false },
	[AUDIT_KNOWN_PASSPHRASE] = { "known-passphrase", AUDIT_ERROR, "Known passphrase",
	    "the passphrase of this secrets file is a word that anybody would try",
	    "Master keys are derived from it and the salt in the file. Scripts that hand over "
	    "@FILE to a program that reads no file make that text the passphrase.",
	    "`propseal file rotate --master-key` with a new passphrase, and change the secrets",
	    521, "9.0", false },
	[AUDIT_WEAK] = { "weak-secret", AUDIT_WARNING, "Weak secret", "a weak secret",
	    "Short secrets and those in lists of passwords are guessed.",
	    "make a long random one, with `openssl rand -base64 24` for instance",
	    521, "6.0", false },
	[AUDIT_DEFAULT] = { "default-secret", AUDIT_WARNING, "Default secret",
	    "a secret that examples and products come with",
	    "Default passwords are the first that anybody tries.",
	    "change it, then seal the new one", 1392, "6.5", false },
	[AUDIT_SEALED_AND_CLEAR] = { "sealed-and-clear", AUDIT_ERROR,
	    "Sealed secret in clear text elsewhere",
	    "this clear text is the value of a sealed entry",
	    "Sealing protects nothing while the same secret stands somewhere else to be read.",
	    "seal it here as well, or take it out; change the secret if others could read it", 312,
	    "8.0", .needs_key = true },
	[AUDIT_REUSED] = { "reused-secret", AUDIT_NOTE, "Secret used in several places",
	    "the same secret stands in other places, too",
	    "One leak opens all of them, and a change has to be made everywhere at once.",
	    "give each place a secret of its own", 1391, "4.0", false },
	[AUDIT_COMMENT] = { "secret-in-comment", AUDIT_NOTE, "Secret in a comment",
	    "a secret in clear text in a line that is commented out",
	    "Commented out is not taken out: the secret is still there to be read.",
	    "if it is or was in use, take the line out and change the secret", 615, "5.0", false },
	[AUDIT_PLACEHOLDER] = { "placeholder", AUDIT_NOTE, "Placeholder",
	    "a placeholder stands where a secret goes",
	    "The file is a template, or somebody forgot to fill it in.",
	    "nothing, if the file is a template", 0, "0.0", false },
	[AUDIT_CUT] = { "cut-value", AUDIT_ERROR, "Value that ends too early",
	    "a value ends before it is complete: its other lines are read as keys",
	    "Part of a secret stands where nothing takes it for one: sealing does not cover it, "
	    "and the service does not read it.",
	    "end each line but the last of a value with one backslash and nothing behind it, and "
	    "those of a PEM value with \\n\\", 312, "8.0", false },
	[AUDIT_JAAS] = { "malformed-jaas", AUDIT_NOTE, "Login configuration not as it was meant",
	    "Kafka does not read this JAAS value as it was meant",
	    "An unquoted value has characters that need quotes, the final `;` is not there, or an "
	    "option stands twice: the login fails, or takes another value.",
	    "write values in double quotes, each option once, and `;` at the end",
	    0, "2.0", false },
	[AUDIT_PROVIDER] = { "provider-not-configured", AUDIT_ERROR,
	    "Reference that no provider resolves",
	    "config.providers does not name its provider",
	    "Kafka leaves a reference as the text that it is, and takes that for the value, where "
	    "its provider is not in config.providers or has no class, and in parameters of the "
	    "providers themselves.",
	    "name the provider in config.providers and its class in config.providers.NAME.class",
	    0, "4.0", false },
	[AUDIT_MALFORMED_REFERENCE] = { "malformed-reference", AUDIT_WARNING,
	    "Malformed reference", "a reference that Kafka does not take for one",
	    "It is passed on as it stands, as if it were the secret.",
	    "write it ${provider:path:key}; if it is text and no reference, seal it",
	    0, "3.0", false },
	[AUDIT_DANGLING] = { "dangling-reference", AUDIT_ERROR, "Dangling reference",
	    "a reference to an entry that its secrets file does not have",
	    "The service does not start, or takes the reference for the secret.",
	    "seal the value again with `propseal file add`, or restore the secrets file", 0,
	    "5.0", false },
	[AUDIT_MISSING_FILE] = { "missing-secrets-file", AUDIT_ERROR, "Missing secrets file",
	    "a reference to a secrets file that was not found",
	    "No file below the paths is the one that it names, nor is it at its place on this "
	    "host.", "put the secrets file there, or let the audit look where it is",
	    0, "4.0", false },
	[AUDIT_UNKNOWN_ENVIRONMENT] = { "unknown-environment", AUDIT_WARNING,
	    "Unknown environment", "a reference that may mean either of several secrets files",
	    "Which one it means cannot be told, so nothing about it is guessed.",
	    "add an [environment NAME] section to propseal.ini, or seal anew so that the "
	    "secrets file notes its path", 0, "3.0", false },
	[AUDIT_ORPHAN] = { "orphan-entry", AUDIT_NOTE, "Orphan",
	    "a sealed entry that no reference names",
	    "It is a secret that nobody uses here any more, or its reference was lost.",
	    "`propseal file remove --orphan` takes it out; where the file that it is named after "
	    "is gone, with --base-name and any other --config-file", 0, "2.0", false },
	[AUDIT_COLLISION] = { "base-name-collision", AUDIT_WARNING, "Two files of one name",
	    "another file of the same name refers to the same sealed entry",
	    "Sealed entries are named after files without their folders: a change of one is a "
	    "change of both.", "rename one of the files, or seal it with --base-name",
	    0, "4.0", false },
	[AUDIT_UNSEALED] = { "unsealed-entry", AUDIT_ERROR, "Clear text in a secrets file",
	    "a value in clear text in a secrets file",
	    "Only ENC[...] values are sealed; this one is readable by whoever reads the file.",
	    "set it anew with `propseal file update`, or restore it from a backup",
	    312, "8.0", false },
	[AUDIT_DAMAGED] = { "damaged-entry", AUDIT_ERROR, "Damaged sealed entry",
	    "a sealed value that is malformed, or that its key does not open",
	    "It cannot be opened, and what refers to it fails.",
	    "restore the line from a backup, or set the value anew with `propseal file update`",
	    0, "5.0", false },
	[AUDIT_EXCHANGED] = { "exchanged-entry", AUDIT_ERROR, "Exchanged sealed entry",
	    "a sealed value, or its tag, is that of another entry",
	    "Somebody or a merge put one entry's value in the place of another's: the service "
	    "would take the wrong secret.",
	    "restore the secrets file from a backup, and find out who wrote it", 345, "7.5",
	    .needs_key = true },
	[AUDIT_UNTAGGED] = { "untagged-entry", AUDIT_NOTE, "Sealed entry without a tag",
	    "a sealed entry without a tag beside others that have one",
	    "Without its tag an entry that somebody exchanged for another one is not noticed.",
	    "`propseal file rotate --data-key` seals everything anew, with tags",
	    345, "4.0", false },
	[AUDIT_STALE] = { "stale-tag", AUDIT_NOTE, "Tag of an older value",
	    "the sealed value was changed by another program since its tag was made",
	    "The tag says nothing about the value that is there now: it may be the right one, or "
	    "an older one that somebody put back.",
	    "if you know of the change, `propseal file rotate --data-key` makes the tags anew",
	    345, "4.0", .needs_key = true },
	[AUDIT_LEGACY_CIPHER] = { "legacy-cipher", AUDIT_WARNING, "Legacy cipher",
	    "sealed with AES-CBC, which does not protect against changes",
	    "Who can write the secrets file can change what the entry opens to.",
	    "`propseal file rotate --data-key` seals everything anew with AES-GCM",
	    327, "5.5", false },
	[AUDIT_WEAK_KDF] = { "weak-kdf", AUDIT_WARNING, "Weak key derivation",
	    "the master key is derived from its passphrase with few iterations",
	    "Each guess at the passphrase costs next to nothing.",
	    "`propseal file rotate --master-key` derives a new one with 220 000 iterations", 916,
	    "5.5", false },
	[AUDIT_OLD] = { "old-secret", AUDIT_NOTE, "Old secret",
	    "a secret that has not been changed for longer than --max-age",
	    "The longer a secret is in use, the more people, hosts and backups have it.",
	    "change it where it is made, then here with `propseal file update`",
	    262, "4.0", false },
	[AUDIT_OPEN_MODE] = { "open-mode", AUDIT_WARNING, "File that others can read or write",
	    "every user can read the secrets in this file, or write it",
	    "Modes are the last protection of what is not sealed.", "chmod o-rwx",
	    732, "6.0", false },
	[AUDIT_DUPLICATE_KEY] = { "duplicate-key", AUDIT_NOTE, "Key that stands twice",
	    "a secret's key stands twice: the later one counts, this one stays readable",
	    "Sealing or changing one of them leaves the other as it is.",
	    "take out the one that is not used", 0, "2.0", false },
	[AUDIT_UNRESOLVABLE] = { "unresolvable-here", AUDIT_WARNING,
	    "Reference in a file that nothing resolves",
	    "a reference in a file whose program resolves none",
	    "Log4j, librdkafka and ZooKeeper take it for the value itself.",
	    "resolve it when the program starts: `propseal render` or `propseal exec`",
	    0, "3.0", false },
	[AUDIT_CONFLICT] = { "conflict-markers", AUDIT_ERROR, "Markers of a merge conflict",
	    "the markers of a merge conflict are in it",
	    "Both sides of the merge stand in the file, and services read the markers as keys.",
	    "keep one of the two sides and remove the lines of markers", 0, "3.0", false },
};

static const char *const levels[] = { "note", "warning", "error", "none" };

const struct audit_rule_text *
audit_rule_text(enum audit_rule r)
{
	return &texts[r];
}

enum audit_rule
audit_rule_find(const char *id, size_t len)
{
	for (size_t i = 0; i < AUDIT_RULES; i++)
		if (strlen(texts[i].id) == len && memcmp(texts[i].id, id, len) == 0)
			return (enum audit_rule)i;
	return AUDIT_RULES;
}

const char *
audit_level_name(enum audit_level l)
{
	return levels[l];
}

bool
audit_level_find(const char *name, enum audit_level *out)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i], name) == 0) {
			*out = (enum audit_level)i;
			return true;
		}
	return false;
}

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

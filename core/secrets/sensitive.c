#include "secrets/sensitive.h"

#include <string.h>

#include "base/text.h"

/*
 * Endings of keys that Kafka, Confluent Platform and Connect declare as
 * passwords (ConfigDef type PASSWORD) or document as credentials, beyond
 * those with "password" in them.
 */
static const char *const endings[] = {
	"sasl.jaas.config",			/* SaslConfigs */
	"ssl.keystore.key",			/* SslConfigs: a PEM private key */
	"basic.auth.user.info",			/* Schema Registry clients */
	"basic.auth.credentials",
	"java.naming.security.credentials",	/* ldap. of Confluent Server */
	"password.encoder.secret",		/* KafkaConfig */
	"password.encoder.old.secret",
	"delegation.token.master.key",
	"delegation.token.secret.key",
	"master.encryption.key",		/* Connect Secret Registry */
	"confluent.license",
	"passphrase",
	".secret",
	".secret.key",
	"secret.access.key",
	".client.secret",
	"clientsecret",
	".api.secret",
	".auth.token",
	".access.token",
	".bearer.token",
	".private.key",
};

bool
sensitive_by_default_rule(const char *key, size_t len)
{
	return text_contains_nocase(key, len, "password");
}

/*
 * Does the key end so, in any ASCII case?  The backslashes of a path to a JSON
 * value (config.aws\.secret\.key) count for nothing.
 */
static bool
ends_with(const char *key, size_t len, const char *ending)
{
	size_t n = strlen(ending);

	while (n > 0) {
		while (len > 0 && key[len - 1] == '\\')
			len--;
		if (len == 0 || !text_contains_nocase(&key[len - 1], 1,
		    (const char []){ ending[n - 1], '\0' }))
			return false;
		len--;
		n--;
	}
	return true;
}

bool
sensitive_key(const char *key, size_t len)
{
	if (sensitive_by_default_rule(key, len))
		return true;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (ends_with(key, len, endings[i]))
			return true;
	return false;
}

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

bool
sensitive_key(const char *key, size_t len)
{
	size_t n;

	if (sensitive_by_default_rule(key, len))
		return true;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		n = strlen(endings[i]);
		if (n <= len && text_contains_nocase(key + len - n, n, endings[i]))
			return true;
	}
	return false;
}

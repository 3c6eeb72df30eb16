#include <string.h>

#include "base/text.h"
#include "document/jaas.h"

/*
 * Secrets by the name of the option, without dots, dashes and underscores:
 * the login modules of Kafka, Confluent Server, Strimzi, the JDK and the
 * cloud providers' SASL clients spell them in every way.
 */
static const char *const words[] = {
	"passwd", "passphrase", "secret", "credential", "privatekey", "apikey", "accesskey",
	"accountkey", "encryptionkey", "keystorekey", "masterkey", "sharedkey", "signingkey",
};

static const char *const endings[] = {
	"token", "assertion", "pem", "license",
};

/* What tells where a secret is, or how it is used, and is none itself. */
static const char *const harmless[] = {
	"file", "location", "path", "url", "uri", "endpoint", "alias", "id", "name", "type",
	"class", "provider", "algorithm", "enabled", "enable", "seconds", "ms",
};

/* Longer names, whose ends alone say what they are, are cut from the left. */
#define NAME_MAX_KEPT 256

static bool
ends_with(const char *name, size_t len, const char *end)
{
	size_t n = strlen(end);

	return n <= len && memcmp(name + len - n, end, n) == 0;
}

static size_t
squeeze(const char *name, size_t len, char out[NAME_MAX_KEPT])
{
	size_t n = 0;
	char c;
	size_t i;

	for (i = len > NAME_MAX_KEPT ? len - NAME_MAX_KEPT : 0; i < len; i++) {
		c = name[i];
		if (c == '.' || c == '-' || c == '_')
			continue;
		out[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return n;
}

bool
jaas_option_is_secret(const char *name, size_t len)
{
	char squeezed[NAME_MAX_KEPT];
	size_t i, n;

	if (text_contains_nocase(name, len, "password"))
		return true;
	/* PlainLoginModule and DigestLoginModule of a server: user_<name>="<password>". */
	if (len > 5 && memcmp(name, "user_", 5) == 0)
		return true;
	n = squeeze(name, len, squeezed);
	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (ends_with(squeezed, n, harmless[i]))
			return false;
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_contains_nocase(squeezed, n, words[i]))
			return true;
	}
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (ends_with(squeezed, n, endings[i]))
			return true;
	}
	return false;
}

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "document/jaas.h"

/* What the names of keys and options tell. */

/* Longer names, whose ends alone say what they are, are cut from the left. */
#define NAME_MAX_KEPT 256

bool
jaas_key(const char *key, size_t len)
{
	static const struct text_word jaas = { .word = "jaas", .len = 4, .rare = 'j' };

	/* As in confluent secret, whose pattern wants a character before it. */
	return len > 1 && text_find_word(key + 1, len - 1, &jaas) < len - 1;
}

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
	"token", "assertion", "pem", "license", "keystorepass", "truststorepass", "keypass",
	"bindpass", "bindpw", "userpass", "pwd", "dbpass", "passcode", "pswd", "saskey", "authkey",
};

/* As a whole word at the end: storePass and useFirstPass of the JDK are true or false. */
static const char *const last_words[] = { "pass", "pw" };

/* What tells where a secret is, or how it is used, and is none itself. */
static const char *const harmless[] = {
	"file", "location", "path", "url", "uri", "endpoint", "alias", "id", "name", "type",
	"class", "provider", "algorithm", "enabled", "enable", "seconds", "ms",
};

static bool
jaas_option_ends_with(const char *name, size_t len, const char *end)
{
	size_t n = strlen(end);

	return n <= len && memcmp(name + len - n, end, n) == 0;
}

static bool
jaas_parts_words(char c)
{
	return c == '.' || c == '-' || c == '_';
}

static size_t
squeeze(const char *name, size_t len, char out[NAME_MAX_KEPT])
{
	size_t n = 0;
	char c;
	size_t i;

	for (i = len > NAME_MAX_KEPT ? len - NAME_MAX_KEPT : 0; i < len; i++) {
		c = name[i];
		if (jaas_parts_words(c))
			continue;
		out[n++] = ascii_is_upper(c) ? (char)(c | 0x20) : c;
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
		if (jaas_option_ends_with(squeezed, n, harmless[i]))
			return false;
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_contains_nocase(squeezed, n, words[i]))
			return true;
	}
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (jaas_option_ends_with(squeezed, n, endings[i]))
			return true;
	}
	for (i = len; i > 0 && !jaas_parts_words(name[i - 1]); i--)
		;
	n = squeeze(name + i, len - i, squeezed);
	return text_is_one_of(squeezed, n, last_words, sizeof(last_words) / sizeof(last_words[0]));
}

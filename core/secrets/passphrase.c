#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "crypto/random.h"
#include "secrets/passphrase.h"

#define GROUPS 6
#define GROUP 4
#define WEIGHED_MAX 1024	/* bytes; a longer one is weighed by its beginning */

/* What is tried first, by people and by programs; in lower case. */
static const char *const words[] = {
	"password", "passwort", "passw0rd", "passphrase", "changeme", "changeit", "confluent",
	"connector", "connect", "keystore", "truststore", "zookeeper", "kafka", "broker",
	"cluster", "secret", "master", "admin", "administrator", "welcome", "letmein", "qwerty",
	"qwertz", "azerty", "asdfgh", "default", "example", "testing", "test", "demo",
	"production", "staging", "prod", "stage", "server", "client", "company", "spring",
	"summer", "autumn", "winter", "monday", "dragon", "monkey", "iloveyou", "hunter", "key",
};

/* The length of the longest word that the text starts with. */
static size_t
word_at(const char *text, size_t n)
{
	size_t longest = 0;
	size_t i, len;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		len = strlen(words[i]);
		if (len > longest && len <= n && strncasecmp(text, words[i], len) == 0)
			longest = len;
	}
	return longest;
}

/* Is what stands at ${at} the beginning once more, to the end or a part of it? */
static bool
repeats_beginning(const unsigned char *p, size_t n, size_t at)
{
	size_t i;

	for (i = at; i < n; i++)
		if (p[i] != p[i - at])
			return false;
	return n - at >= at || n - at >= GROUP;
}

enum passphrase_strength
passphrase_weigh(const void *text, size_t n, const char **why)
{
	const unsigned char *p = text;
	size_t characters = 0, counted = 0;
	uint32_t cp, before = 0;
	size_t i = 0;
	size_t len, word;

	if (n > WEIGHED_MAX)
		n = WEIGHED_MAX;
	while (i < n) {
		if (i > 0 && repeats_beginning(p, n, i)) {
			counted++;
			characters += n - i;
			break;
		}
		word = word_at((const char *)p + i, n - i);
		if (word > 0) {
			i += word;
			characters += word;
			counted++;
			before = 0;
			continue;
		}
		len = text_utf8_decode(p + i, n - i, &cp);
		if (len == 0) {
			cp = p[i];
			len = 1;
		}
		characters++;
		if (before == 0 || (cp != before && cp != before + 1 && cp + 1 != before))
			counted++;
		before = cp;
		i += len;
	}
	secmem_wipe(&cp, sizeof(cp));
	secmem_wipe(&before, sizeof(before));
	if (why != NULL)
		*why = characters < PASSPHRASE_FLOOR ? "it is shorter than 12 characters" :
		    "it is made of what is guessed first: known words, repetitions, rows of "
		    "letters";
	return counted < PASSPHRASE_FLOOR ? PASSPHRASE_WEAK :
	    counted < PASSPHRASE_PLENTY ? PASSPHRASE_FAIR : PASSPHRASE_GOOD;
}

int
passphrase_generate(struct buf *out, struct error *err)
{
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
	const size_t count = sizeof(letters) - 1;
	unsigned char byte;
	size_t i = 0;

	while (i < GROUPS * GROUP) {
		if (random_bytes(&byte, 1, err) == -1)
			return -1;
		if (byte >= 256 / count * count)
			continue;	/* the same chance for each */
		if (i > 0 && i % GROUP == 0)
			buf_append_char(out, '-');
		buf_append_char(out, letters[byte % count]);
		i++;
	}
	secmem_wipe(&byte, sizeof(byte));
	return buf_check(out, err);
}

#include "base/text.h"
#include "document/jaas.h"

bool
jaas_key(const char *key, size_t len)
{
	/* As in confluent secret, whose pattern wants a character before it. */
	return len > 1 && text_contains_nocase(key + 1, len - 1, "jaas");
}

#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>

#include "base/error.h"
#include "base/number.h"
#include "registry/base/address.h"

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool
address_parse(const char *text, unsigned char bytes[ADDRESS_KEY])
{
	if (inet_pton(AF_INET, text, bytes + sizeof(mapped)) == 1) {
		memcpy(bytes, mapped, sizeof(mapped));
		return true;
	}
	return inet_pton(AF_INET6, text, bytes) == 1;
}

bool
address_key(const char *text, unsigned char key[ADDRESS_KEY])
{
	if (!address_parse(text, key))
		return false;
	if (memcmp(key, mapped, sizeof(mapped)) != 0)
		memset(key + ADDRESS_KEY / 2, 0, ADDRESS_KEY / 2);
	return true;
}

static int
address_list_add(struct address_list *l, char *word, struct error *err)
{
	unsigned char *bytes = l->all[l->count].bytes;
	char *slash = strchr(word, '/');
	unsigned before;
	uint64_t bits = 128;

	if (slash != NULL)
		*slash = '\0';
	if (!address_parse(word, bytes))
		return error_set(err, ERROR_FORMAT, "it is a list of addresses and networks, such "
		    "as 10.0.0.7, 192.168.4.0/24 or 2001:db8::/32");
	if (slash != NULL) {
		before = strchr(word, ':') == NULL ? 96 : 0;
		slash++;
		if (strlen(slash) > 3 || !number_parse(slash, strlen(slash), 128 - before, &bits))
			return error_set(err, ERROR_FORMAT, "the number after the / of a network "
			    "is not from 0 to %u", 128 - before);
		bits += before;
	}
	l->all[l->count++].bits = (unsigned)bits;
	return 0;
}

int
address_list_parse(struct address_list *l, const char *text, struct error *err)
{
	char word[ADDRESS_TEXT + 4];
	size_t n;

	l->count = 0;
	for (text += strspn(text, ", \t"); *text != '\0'; text += n + strspn(text + n, ", \t")) {
		n = strcspn(text, ", \t");
		if (l->count == ADDRESS_LIST_MAX)
			return error_set(err, ERROR_LIMIT, "more than %d addresses",
			    ADDRESS_LIST_MAX);
		(void)snprintf(word, sizeof(word), "%.*s", (int)(n < sizeof(word) ? n : 0), text);
		if (address_list_add(l, word, err) != 0)
			return -1;
	}
	return 0;
}

bool
address_list_has(const struct address_list *l, const char *text)
{
	unsigned char bytes[ADDRESS_KEY];
	unsigned whole, rest;

	if (l->count == 0 || !address_parse(text, bytes))
		return false;
	for (size_t i = 0; i < l->count; i++) {
		whole = l->all[i].bits / 8;
		rest = l->all[i].bits % 8;
		if (memcmp(bytes, l->all[i].bytes, whole) == 0 && (rest == 0 ||
		    ((bytes[whole] ^ l->all[i].bytes[whole]) >> (8 - rest)) == 0))
			return true;
	}
	return false;
}

/* ADDR, ADDR:PORT of IPv4, or [ADDR] and [ADDR]:PORT; false: none of them. */
static bool
address_take(const char *text, size_t n, char out[ADDRESS_TEXT])
{
	unsigned char bytes[ADDRESS_KEY];
	const char *end = n > 0 && *text == '[' ? memchr(text, ']', n) : NULL;
	const char *colon = memchr(text, ':', n);

	if (end != NULL) {
		text++;
		n = (size_t)(end - text);
	} else if (colon != NULL &&
	    memchr(colon + 1, ':', n - (size_t)(colon + 1 - text)) == NULL) {
		n = (size_t)(colon - text);
	}
	if (n == 0 || n >= ADDRESS_TEXT)
		return false;
	memcpy(out, text, n);
	out[n] = '\0';
	return address_parse(out, bytes);
}

bool
address_forwarded(const struct address_list *l, char client[ADDRESS_TEXT], const char *header)
{
	size_t end = strlen(header), begin, stop;
	char next[ADDRESS_TEXT];

	while (end > 0 && address_list_has(l, client)) {
		stop = end;
		while (stop > 0 && (header[stop - 1] == ' ' || header[stop - 1] == '\t'))
			stop--;
		begin = stop;
		while (begin > 0 && header[begin - 1] != ',')
			begin--;
		end = begin > 0 ? begin - 1 : 0;
		while (begin < stop && (header[begin] == ' ' || header[begin] == '\t'))
			begin++;
		if (!address_take(header + begin, stop - begin, next))
			return false;
		memcpy(client, next, sizeof(next));
	}
	return true;
}

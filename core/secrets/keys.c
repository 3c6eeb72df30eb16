#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "secrets/keys.h"

/* A node of the trie of words, read from their ends. */
struct key_node {
	uint32_t next;		/* a bit for each letter that goes on */
	uint16_t first;		/* the child of the first of them; the others follow */
	uint8_t class;
	uint8_t word_begins;	/* the row counts only where a word begins */
};

#include "data/key_nodes.inc"

/* What may stand between two words, or be left out there. */
static bool
key_is_between(char c)
{
	return c == '.' || c == '-' || c == '_' || c == '/' || c == '\\' || c == ' ';
}

/* Does a word begin at ${at}?  After anything but a letter, and at a capital after a small one. */
static bool
key_word_begins(const char *key, size_t at)
{
	if (at == 0)
		return true;
	if (!ascii_is_letter(key[at - 1]))
		return true;
	return ascii_is_lower(key[at - 1]) && ascii_is_upper(key[at]);
}

static const struct text_word key_password = { .word = "password", .len = 8, .rare = 'w' };

/* Letters and digits from ${at} on: what rows and "password" are measured by. */
static size_t
key_measure(const char *key, size_t at, size_t len)
{
	size_t n = 0;

	for (; at < len; at++)
		n += !key_is_between(key[at]);
	return n;
}

/* The key without digits and such at its end. */
static size_t
key_cut(const char *key, size_t len)
{
	while (len > 0 && (key_is_between(key[len - 1]) || ascii_is_digit(key[len - 1])))
		len--;
	return len;
}

/* The longest row that fits, and how much of the key it takes. */
static enum key_class
key_walk(const char *key, size_t len, size_t *longest)
{
	const struct key_node *node = key_nodes;
	enum key_class class = KEY_OTHER;
	size_t at, n = 0;
	uint32_t bit, before;

	*longest = 0;
	for (at = len; at > 0; at--) {
		/* Letters only: digits and others end the walk. */
		if (!ascii_is_lower((char)(key[at - 1] | 0x20))) {
			if (key_is_between(key[at - 1]))
				continue;
			break;
		}
		bit = UINT32_C(1) << ((key[at - 1] & 31) - 1);
		if ((node->next & bit) == 0)
			break;
		/* Most have one child.  To count is a call where not every processor can. */
		before = node->next & (bit - 1);
		node = &key_nodes[node->first];
		if (before != 0)
			node += __builtin_popcount(before);
		n++;
		if (node->class != KEY_OTHER &&
		    (!node->word_begins || key_word_begins(key, at - 1))) {
			class = node->class;
			*longest = n;
		}
	}
	return class;
}

enum key_class
key_class_of_end(const char *key, size_t len)
{
	size_t longest;

	return key_walk(key, key_cut(key, len), &longest);
}

enum key_class
key_class(const char *key, size_t len)
{
	enum key_class class;
	size_t password, longest;

	len = key_cut(key, len);
	class = key_walk(key, len, &longest);
	if (class != KEY_OTHER && class != KEY_PUBLIC)
		return class;
	if ((password = text_find_word(key, len, &key_password)) < len &&
	    key_measure(key, password, len) > longest)
		return KEY_SECRET;
	return class;
}

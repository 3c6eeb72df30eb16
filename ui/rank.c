#include "ui/rank.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

static char
rank_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool
rank_is_letter(char c)
{
	c = rank_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80);
}

static bool
rank_starts_word(const char *text, size_t i)
{
	return i == 0 || !rank_is_letter(text[i - 1]);
}

/* Are the letters there in this order, the first one at ${from}? */
static bool
rank_has_letters(const char *text, size_t n, size_t from, const char *word, size_t len)
{
	size_t k = 0;

	for (size_t i = from; i < n && k < len; i++)
		k += rank_lower(text[i]) == rank_lower(word[k]);
	return k == len;
}

static enum rank
rank_of_word(const char *text, size_t n, const char *word, size_t len)
{
	enum rank best = RANK_COUNT;
	bool spread = true;	/* the letters may be there from some word on */

	if (n == len && strncasecmp(text, word, n) == 0)
		return RANK_EXACT;
	for (size_t i = 0; i + len <= n; i++) {
		if (rank_lower(text[i]) != rank_lower(word[0]))
			continue;
		if (strncasecmp(text + i, word, len) == 0) {
			if (rank_starts_word(text, i))
				return RANK_WORD;
			best = RANK_PART;
		} else if (best == RANK_COUNT && spread && rank_starts_word(text, i)) {
			/* What is not there from here on is not there from further on. */
			spread = rank_has_letters(text, n, i, word, len);
			if (spread)
				best = RANK_LETTERS;
		}
	}
	return best;
}

enum rank
rank_of(const char *text, size_t n, const char *typed)
{
	enum rank worst = RANK_EXACT, r;
	size_t len, words = 0;

	for (typed += strspn(typed, BLANKS); *typed != '\0'; typed += strspn(typed, BLANKS)) {
		len = strcspn(typed, BLANKS);
		r = rank_of_word(text, n, typed, len);
		if (r > worst)
			worst = r;
		typed += len;
		words++;
	}
	/* All of a text is one word here. */
	return words == 0 ? RANK_PART : words > 1 && worst == RANK_EXACT ? RANK_WORD : worst;
}

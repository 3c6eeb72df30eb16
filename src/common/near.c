#include "common/near.h"

#include <string.h>

#define WORD_MAX 40

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters to insert, delete, change, or swap with the next
 * (Levenshtein's distance with neighbours swapped). */
static size_t
distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *two = rows[0], *one = rows[1], *now = rows[2], *spare;
	size_t i, j;

	for (j = 0; j <= m; j++)
		two[j] = one[j] = j;
	for (i = 1; i <= n; i++) {
		now[0] = i;
		for (j = 1; j <= m; j++) {
			now[j] = least(one[j - 1] + (a[i - 1] != b[j - 1]),
			    least(one[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], two[j - 2] + 1);
		}
		spare = two;
		two = one;
		one = now;
		now = spare;
	}
	return one[m];
}

size_t
near_distance(const char *typed, size_t n, const char *word)
{
	size_t m = strlen(word);
	size_t d;

	if (n < 2 || n > WORD_MAX || m > WORD_MAX)
		return NEAR_NOT;
	d = distance(typed, n, word, m);
	if (n < m && memcmp(typed, word, n) == 0)
		return d;
	return d <= (m < 5 ? 1 : m < 10 ? 2 : 3) ? d : NEAR_NOT;
}

bool
near_word(const char *typed, size_t n, const char *word)
{
	return near_distance(typed, n, word) < NEAR_NOT;
}

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ui/filter.h"

#define BLANKS " \t"

static bool
rank_is_letter(char c)
{
	c = ascii_lower(c);
	return ascii_is_lower(c) || ascii_is_digit(c) || (c & 0x80);
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
		k += ascii_lower(text[i]) == ascii_lower(word[k]);
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
		if (ascii_lower(text[i]) != ascii_lower(word[0]))
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

/* The part behind ${prefix}, NULL: the word does not begin so. */
static const char *
filter_behind(const char *word, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(word, prefix, n) == 0 && word[n] != '\0' ? word + n : NULL;
}

static void
filter_word_set(struct filter_word *w, const char *text, size_t n, const char *states)
{
	static const struct {
		const char *prefix;
		enum filter_kind kind;
	} kinds[] = { { "env:", FILTER_ENVIRONMENT }, { "rule:", FILTER_RULE },
		{ "file:", FILTER_FILE } };
	const char *rest = NULL;

	memset(w, 0, sizeof(*w));
	w->is_not = n > 1 && text[0] == '-';
	text += w->is_not;
	n -= w->is_not;
	if (n == 1 && strchr(states, text[0]) != NULL) {
		w->kind = FILTER_STATE;
		w->state = text[0];
		return;
	}
	for (size_t i = 0; i < n; i++)
		w->text[i] = ascii_lower(text[i]);
	w->kind = FILTER_TEXT;
	for (size_t i = 0; rest == NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((rest = filter_behind(w->text, kinds[i].prefix)) != NULL)
			w->kind = kinds[i].kind;
	if (rest != NULL)
		memmove(w->text, rest, strlen(rest) + 1);
}

bool
filter_set(struct filter *f, const char *text, const char *states)
{
	struct filter next = { .count = 0 };
	size_t len = strlen(text), n;

	if (len >= sizeof(next.text))
		return false;
	memcpy(next.text, text, len + 1);
	for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS)) {
		if (next.count == FILTER_WORDS_MAX)
			return false;
		n = strcspn(text, BLANKS);
		filter_word_set(&next.words[next.count++], text, n, states);
		text += n;
	}
	*f = next;
	return true;
}

static bool
filter_is_in(const char *text, const char *part)
{
	return text != NULL && text_contains_nocase(text, strlen(text), part);
}

static bool
filter_holds(const struct filter_word *w, const struct filter_facts *x)
{
	switch (w->kind) {
	case FILTER_STATE:
		return w->state == x->state;
	case FILTER_ENVIRONMENT:
		return filter_is_in(x->environment, w->text);
	case FILTER_RULE:
		return filter_is_in(x->rule, w->text);
	case FILTER_FILE:
		return filter_is_in(x->file, w->text);
	default:
		return (x->key != NULL && text_contains_nocase(x->key, x->key_len, w->text)) ||
		    filter_is_in(x->file, w->text);
	}
}

bool
filter_passes(const struct filter *f, const struct filter_facts *x)
{
	bool wants_state = false, has_state = false;

	for (size_t i = 0; i < f->count; i++) {
		const struct filter_word *w = &f->words[i];
		bool holds = filter_holds(w, x);

		if (w->is_not && holds)
			return false;
		if (w->kind == FILTER_STATE && !w->is_not) {
			wants_state = true;
			has_state = has_state || holds;
		} else if (!w->is_not && !holds) {
			return false;
		}
	}
	return has_state || !wants_state;
}

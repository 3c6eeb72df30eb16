#include "ui/filter.h"

#include <string.h>

#include "base/text.h"

#define BLANKS " \t"

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
		w->text[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) :
		    text[i];
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

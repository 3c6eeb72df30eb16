#ifndef UI_FILTER_H
#define UI_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#define FILTER_TEXT_MAX 256
#define FILTER_WORDS_MAX 16

/*
 * Words that say what a list shows, such as `! D -password env:prod`.  A word of
 * one letter is a state if the list has it: one of those that are named must
 * hold.  env:, rule: and file: look at a part of these; what is none of this, at
 * the key and the file.  All of them must hold, and those with a `-` before them
 * must not.  Case is no matter but for states.
 */
struct filter_word {
	enum filter_kind { FILTER_STATE, FILTER_ENVIRONMENT, FILTER_RULE, FILTER_FILE,
	    FILTER_TEXT } kind;
	bool is_not;
	char state;
	char text[FILTER_TEXT_MAX];	/* in lower case */
};

struct filter {
	char text[FILTER_TEXT_MAX];	/* as it was typed */
	struct filter_word words[FILTER_WORDS_MAX];
	size_t count;			/* 0: everything passes */
};

/* What there is to look at; NULL, 0: there is no such thing. */
struct filter_facts {
	char state;
	const char *environment, *rule, *file;
	const char *key;
	size_t key_len;
};

/* Take ${text}; ${states}: the letters that are states here.  False: too long, or too many
 * words, and nothing is changed. */
bool filter_set(struct filter *f, const char *text, const char *states);

bool filter_passes(const struct filter *f, const struct filter_facts *x);

/* How well a text fits what was typed, for lists that are searched: the best first. */
enum rank {
	RANK_EXACT,	/* it is all of it, such as a key of the keyboard */
	RANK_WORD,	/* a word of it begins so */
	RANK_PART,
	RANK_LETTERS,	/* the letters are in it in this order, from the start of a word on */
	RANK_COUNT	/* it does not fit */
};

/**
 * rank_of(text, n, typed):
 * ASCII letters fit in either case.  Of several words in ${typed} (NUL-terminated) the worst
 * counts; of none RANK_PART.
 */
enum rank rank_of(const char *text, size_t n, const char *typed);

#endif /* !UI_FILTER_H */

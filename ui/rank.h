#ifndef UI_RANK_H
#define UI_RANK_H

#include <stddef.h>

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

#endif /* !UI_RANK_H */

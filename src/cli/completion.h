#ifndef COMPLETION_H
#define COMPLETION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/flag.h"

struct buf;
struct command;

/* What a shell offers for a value. */
enum completion_kind {
	COMPLETION_NONE,	/* nothing is known */
	COMPLETION_FILES,
	COMPLETION_FOLDERS,
	COMPLETION_WORDS,	/* one of a few */
	COMPLETION_KEYS,	/* keys of the configuration file, with commas; @FILE */
	COMPLETION_PAIRS,	/* key=; @FILE */
	COMPLETION_SOURCE,	/* @FILE */
	COMPLETION_COMMANDS	/* a command of the system and its arguments */
};

/* For the value of a flag (NONE for a switch), and for what stands behind a
 * command. */
enum completion_kind completion_of_flag(const struct flag *f);
enum completion_kind completion_of_arguments(const struct command *c);

/* The command's first word; and is it the first one in the table with it? */
const char *completion_first(const struct command *c);
bool completion_is_new(size_t i);

/* Append "a b c" for "a|b|c". */
void completion_append_words(struct buf *out, const char *choices);

/* Append the whole script for a shell, made from the command table. */
void completion_bash(struct buf *out);
void completion_zsh(struct buf *out);
void completion_fish(struct buf *out);

#endif /* !COMPLETION_H */

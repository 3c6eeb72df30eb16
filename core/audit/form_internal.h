#ifndef AUDIT_FORM_INTERNAL_H
#define AUDIT_FORM_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "audit/form.h"

/* What the readers of forms share. */

static inline bool
form_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Of the names of variables, keys and options. */
static inline bool
form_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '_' || c == '.' || c == '-';
}

/* May it be the name of a variable, or a key with dots? */
bool form_is_variable(const char *p, size_t n);

/* Hand an item on, if it is asked for. */
int form_give(const struct form_reader *r, struct form_item *i, struct error *err);

/* -pX: may it be an option of one letter with its value, and no name of one? */
bool form_is_glued(const char *p, size_t n);

/* Is the value of an option of this name a secret, and not the name of a file with one? */
bool form_option_is_secret(const char *name, size_t len);

/* A program with options of one letter for passwords, of its name or path; NULL: none that is
 * known. */
const char *form_command(const char *word, size_t n);

/* Where in ${p}, an option of it, the password begins: 0: it takes none; ${n}: in the next word.
 * ${*between} stands between user and password there, '\0': there is no user. */
size_t form_option_asks(const char *command, const char *p, size_t n, char *between);

/* <<WORD at ${at}: its lines are from ${*from} up to ${*to}; go on at ${*next}. */
bool form_heredoc(const struct form_reader *r, size_t at, size_t *from, size_t *to, size_t *next);

/* The words of commands between two places; ${name}: what their options' keys
 * begin with, NULL: each command's own name. */
int form_read_command(const struct form_reader *r, size_t from, size_t to, const char *name,
    size_t name_len, struct error *err);

/* In a template of YAML: blank what stands by itself on its lines, and let values begin with
 * `$(` instead of `{{`.  All other bytes stay where they are. */
void form_hide_actions(char *p, size_t n);

#endif /* !AUDIT_FORM_INTERNAL_H */

#ifndef SECRETS_SQL_H
#define SECRETS_SQL_H

#include <stdbool.h>
#include <stddef.h>

/* The next password of an account in statements of SQL or of MongoDB's shell, at or behind
 * ${*at}, from 0 on; variables and hashes are none.  False: there is none. */
bool sql_next_password(const char *text, size_t n, size_t *at, size_t *from, size_t *to);

/* Could there be one?  A quick look: most texts have none of the words. */
bool sql_may_have_password(const void *text, size_t n);

/* Does it begin like such a statement, and not like a command? */
bool sql_is_statement(const char *text, size_t n);

#endif /* !SECRETS_SQL_H */

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "secrets/sql.h"
#include "secrets/value.h"

/*
 * Passwords of accounts in statements of SQL (PostgreSQL, MySQL, MariaDB, Oracle, SQL Server,
 * Cassandra) and of MongoDB's shell, wherever in a text they stand.
 */

/* Longer passwords are none, and longer lines no comments: texts may have no lines at all. */
#define SQL_LONG 1024

/* What the statement at hand is about, as far as its words say. */
struct sql {
	const char *p;
	size_t at, n;
	size_t from, to;	/* of the word at hand */
	bool verb;		/* CREATE, ALTER or SET was there */
	bool account;		/* ... of one who logs in */
	bool hashed;		/* what comes next is no clear text */
	bool mongo;		/* createUser or the like was there */
};

static bool
sql_is_word(char c)
{
	return ascii_is_alnum(c) || c == '_';
}

static bool
sql_is(const struct sql *q, const char *word)
{
	const size_t n = strlen(word);

	return q->to - q->from == n && strncasecmp(q->p + q->from, word, n) == 0;
}

static bool
sql_is_any(const struct sql *q, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (sql_is(q, words[i]))
			return true;
	return false;
}

/* The next word of the statement.  False: it ends before. */
static bool
sql_next_word(struct sql *q)
{
	while (q->at < q->n && !sql_is_word(q->p[q->at])) {
		if (q->p[q->at] == ';')
			q->verb = q->account = q->hashed = false;
		q->at++;
	}
	q->from = q->at;
	while (q->at < q->n && sql_is_word(q->p[q->at]))
		q->at++;
	q->to = q->at;
	return q->from < q->to;
}

/* Pass over blanks, and one of ${signs} among them. */
static void
sql_skip(struct sql *q, const char *signs)
{
	bool passed = false;

	for (; q->at < q->n; q->at++) {
		const char c = q->p[q->at];

		if (!passed && c != '\0' && strchr(signs, c) != NULL)
			passed = true;
		else if (!ascii_is_blank(c) && c != '\n')
			return;
	}
}

/* Is it a variable of the shell, of psql or of a driver, or a hash? */
static bool
sql_is_elsewhere(const char *v, size_t n)
{
	if (n > 1 && (*v == '$' || *v == ':' || *v == '%' || *v == '@' || *v == '&') &&
	    (ascii_is_letter(v[1]) || strchr("_{(:'\"", v[1]) != NULL))
		return true;
	return *v == '`' || value_is_hash(v, n) || (n == 35 && memcmp(v, "md5", 3) == 0 &&
	    value_is_sum(v + 3, 32));
}

/* A text in quotes at hand, with those of a string around it: 'v', \"v\", ''v''. */
static bool
sql_quoted(struct sql *q, size_t *from, size_t *to)
{
	const char *end, *line;
	size_t at = q->at, most;
	char quote;

	/* N'v' of SQL Server, E'v' of PostgreSQL. */
	if (at + 1 < q->n && strchr("NnEe", q->p[at]) != NULL && q->p[at + 1] == '\'')
		at++;
	*from = at;
	while (at < q->n && strchr("'\"\\", q->p[at]) != NULL && q->p[at] != '\0')
		at++;
	if (at == *from || at == q->n || strchr(" \t\r\n;,)|+", q->p[at]) != NULL)
		return false;
	quote = q->p[at - 1];
	*from = at;
	most = q->n - at < SQL_LONG ? q->n - at : SQL_LONG;
	line = memchr(q->p + at, '\n', most);
	if (line != NULL)
		most = (size_t)(line - q->p) - at;
	if (quote == '\\' || (end = memchr(q->p + at, quote, most)) == NULL)
		return false;
	*to = q->at = (size_t)(end - q->p);
	while (*to > *from && q->p[*to - 1] == '\\')
		--*to;
	return *to > *from;
}

/* IDENTIFIED BY tiger, of Oracle: a name, and the statement ends or goes on in capitals. */
static bool
sql_bare(struct sql *q, size_t *from, size_t *to)
{
	static const char *const none[] = { "VALUES", "PASSWORD", "RANDOM", "GLOBALLY" };
	size_t at = q->at;

	while (at < q->n && (sql_is_word(q->p[at]) || q->p[at] == '#' || q->p[at] == '$'))
		at++;
	q->from = *from = q->at;
	q->to = *to = at;
	if (at == *from || !ascii_is_letter(q->p[*from]) ||
	    sql_is_any(q, none, sizeof(none) / sizeof(none[0])))
		return false;
	q->at = at;
	while (at < q->n && ascii_is_blank(q->p[at]))
		at++;
	return at == q->n || ascii_is_upper(q->p[at]) || strchr(";\"'\n", q->p[at]) != NULL;
}

/* Behind IDENTIFIED: [WITH plugin] BY, VIA plugin USING */
static bool
sql_identified(struct sql *q, size_t *from, size_t *to)
{
	for (unsigned int words = 0; words < 4 && sql_next_word(q); words++) {
		q->hashed |= q->to - q->from > 5 &&
		    strncasecmp(q->p + q->to - 5, "_hash", 5) == 0;
		if (!sql_is(q, "BY"))
			continue;
		sql_skip(q, "");
		if (q->hashed)
			return false;
		if (sql_quoted(q, from, to))
			return true;
		if (q->account && sql_bare(q, from, to))
			return true;
		/* IDENTIFIED BY PASSWORD 'hash', BY VALUES 'hash' */
		q->hashed = true;
		return false;
	}
	return false;
}

/* Behind PASSWORD of an account: 'v', = 'v', ('v') */
static bool
sql_password(struct sql *q, size_t *from, size_t *to)
{
	static const char *const more[] = { "FOR", "TO" };
	const size_t at = q->at;

	/* SET PASSWORD FOR 'x'@'%' = 'v', = PASSWORD('v') */
	if (sql_next_word(q) && sql_is_any(q, more, 2)) {
		while (q->at < q->n && q->p[q->at] != '=' && q->p[q->at] != ';' &&
		    q->p[q->at] != '\n')
			q->at++;
	} else {
		q->at = at;
	}
	sql_skip(q, "=");
	sql_skip(q, "(");
	return sql_quoted(q, from, to);
}

/* pwd: 'v' of createUser */
static bool
sql_mongo(struct sql *q, size_t *from, size_t *to)
{
	sql_skip(q, "'\"");
	if (q->at == q->n || q->p[q->at] != ':')
		return false;
	sql_skip(q, ":");
	return sql_quoted(q, from, to);
}

/* Is the line a comment? */
static bool
sql_is_comment(const struct sql *q)
{
	const size_t least = q->from > SQL_LONG ? q->from - SQL_LONG : 0;
	const char *line = memrchr(q->p + least, '\n', q->from - least);
	size_t at = line != NULL ? (size_t)(line - q->p) + 1 : least;

	while (at < q->n && ascii_is_blank(q->p[at]))
		at++;
	return (at < q->n && q->p[at] == '#') || (at + 1 < q->n &&
	    (memcmp(q->p + at, "--", 2) == 0 || memcmp(q->p + at, "//", 2) == 0));
}

/* Does the word at hand stand before a password? */
static bool
sql_word(struct sql *q, size_t *from, size_t *to)
{
	static const char *const verbs[] = { "CREATE", "ALTER" };
	static const char *const accounts[] = { "USER", "ROLE", "LOGIN", "GROUP", "LINK" };
	static const char *const mongo[] = { "createUser", "updateUser" };

	if (sql_is_any(q, verbs, 2)) {
		q->verb = true;
		q->account = q->hashed = false;
	} else if (q->verb && sql_is_any(q, accounts, sizeof(accounts) / sizeof(accounts[0]))) {
		q->account = true;
	} else if (sql_is(q, "GRANT") || sql_is(q, "SET")) {
		q->hashed = false;
		q->account |= sql_is(q, "SET") && q->at + 9 < q->n &&
		    strncasecmp(q->p + q->at, " PASSWORD", 9) == 0;
	} else if (sql_is(q, "HASHED")) {
		q->hashed = true;
	} else if (sql_is(q, "IDENTIFIED")) {
		q->hashed = false;
		return sql_identified(q, from, to);
	} else if (q->account && !q->hashed && sql_is(q, "PASSWORD")) {
		return sql_password(q, from, to);
	} else if (sql_is_any(q, mongo, 2)) {
		q->mongo = true;
	} else if (q->mongo && sql_is(q, "pwd")) {
		return sql_mongo(q, from, to);
	}
	return false;
}

bool
sql_next_password(const char *text, size_t n, size_t *at, size_t *from, size_t *to)
{
	struct sql q = { .p = text, .at = *at, .n = n };
	bool found = false;

	while (!found && sql_next_word(&q))
		found = sql_word(&q, from, to) && !sql_is_elsewhere(text + *from, *to - *from) &&
		    !sql_is_comment(&q);
	*at = q.at;
	return found;
}

bool
sql_may_have_password(const void *text, size_t n)
{
	static const struct text_word identified = { .word = "identified", .len = 10, .rare = 'f' };
	static const struct text_word password = { .word = "password", .len = 8, .rare = 'w' };

	return n > 20 && memchr(text, ' ', n) != NULL && (text_find_word(text, n, &password) < n ||
	    text_find_word(text, n, &identified) < n);
}

bool
sql_is_statement(const char *text, size_t n)
{
	static const char *const first[] = { "CREATE", "ALTER", "GRANT", "SET", "BEGIN", "DROP",
		"USE", "db" };
	struct sql q = { .p = text, .n = n };

	return memchr(text, ' ', n) != NULL && sql_next_word(&q) &&
	    sql_is_any(&q, first, sizeof(first) / sizeof(first[0]));
}

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "audit/form.h"
#include "base/error.h"
#include "base/text.h"
#include "secrets/keys.h"
#include "secrets/sql.h"
#include "secrets/value.h"

/*
 * Shell scripts, as far as secrets stand in them: assignments, arguments of
 * commands, here-documents.  Nothing is expanded or run.
 */

/* A word: its text without quotes, and where it stands. */
struct shell_word {
	struct buf text;	/* secret */
	size_t from, to;	/* inside of quotes that are around all of it */
};

struct shell {
	const struct form_reader *r;
	size_t at, end;
	struct shell_word word;
	struct buf key;
	const char *name;	/* what the keys of options begin with, NULL: the command's own */
	size_t name_len;
	char command[64];
	char array[64];		/* an assignment NAME=( ... ) is at hand, "": none is */
	char option[64];	/* the word before was an option of a secret, "": it was not */
	char between;		/* it takes user and password, with this between; '\0': no */
	bool script;		/* it was the -c of a shell */
	bool login;		/* one of its words was `login` */
	bool set;		/* the word before was `set`, and a name and a value follow */
	unsigned int left;	/* arguments up to one that is a password; 0: none is */
	size_t piped_from, piped_to;	/* the last word of the echo before it; 0: none */
};

static bool
shell_ends_command(char c)
{
	return c == '\n' || c == ';' || c == '|' || c == '&' || c == '(' || c == ')';
}

/* Append what $( ) or ` ` holds, as it stands. */
static size_t
shell_skip_substitution(const struct shell *s, size_t at, struct buf *out)
{
	const char *p = s->r->text;
	size_t from = at, depth = 0;

	if (p[at] == '`') {
		for (at++; at < s->end && p[at] != '`'; at++)
			;
		at++;
	} else {
		for (at++; at < s->end; at++) {
			depth += p[at] == '(' || p[at] == '{';
			if ((p[at] == ')' || p[at] == '}') && --depth == 0) {
				at++;
				break;
			}
		}
	}
	at = at > s->end ? s->end : at;
	buf_append(out, p + from, at - from);
	return at;
}

/* Read the word at s->at.  False: there is none before the command ends. */
static bool
shell_next_word(struct shell *s)
{
	const char *p = s->r->text;
	char quote = '\0';
	size_t at = s->at;

	buf_clear(&s->word.text);
	while (at < s->end && (ascii_is_blank(p[at]) ||
	    (p[at] == '\\' && at + 1 < s->end && (p[at + 1] == '\n' || p[at + 1] == '\r'))))
		at += p[at] == '\\' ? 2 : 1;
	s->word.from = at;
	if (at >= s->end || shell_ends_command(p[at]) || p[at] == '#') {
		s->at = at;
		return false;
	}
	for (; at < s->end; at++) {
		if (p[at] == '\\' && quote != '\'' && at + 1 < s->end) {
			at++;
			if (p[at] == '\n')
				continue;
			if (quote == '"' && strchr("\"\\$`", p[at]) == NULL)
				buf_append_char(&s->word.text, '\\');
			buf_append_char(&s->word.text, p[at]);
		} else if (quote != '\'' && (p[at] == '`' || (p[at] == '$' && at + 1 < s->end &&
		    (p[at + 1] == '(' || p[at + 1] == '{')))) {
			at = shell_skip_substitution(s, at, &s->word.text) - 1;
		} else if (quote != '\0' ? p[at] == quote : p[at] == '"' || p[at] == '\'') {
			quote = quote != '\0' ? '\0' : p[at];
		} else if (quote == '\0' && (ascii_is_blank(p[at]) || shell_ends_command(p[at]) ||
		    p[at] == '<' || p[at] == '>')) {
			break;
		} else {
			buf_append_char(&s->word.text, p[at]);
		}
	}
	s->word.to = s->at = at;
	if (at > s->word.from + 1 && (p[s->word.from] == '"' || p[s->word.from] == '\'') &&
	    p[at - 1] == p[s->word.from]) {
		s->word.from++;
		s->word.to--;
	}
	return true;
}

/* COMMAND#OPTION into s->key. */
static int
shell_key(struct shell *s, const char *option, size_t len, struct error *err)
{
	buf_clear(&s->key);
	if (s->name != NULL)
		buf_append(&s->key, s->name, s->name_len);
	else
		buf_append_str(&s->key, s->command);
	buf_append_char(&s->key, '#');
	buf_append(&s->key, option, len);
	return buf_check(&s->key, err);
}

/* The part of the word from ${skip} decoded bytes on, as an item. */
static int
shell_give(struct shell *s, enum form_role role, const char *key, size_t len, size_t skip,
    struct error *err)
{
	const struct shell_word *w = &s->word;
	struct form_item i = { .role = role, .key = key, .key_len = len, .start = w->from,
		.from = w->from, .to = w->to };
	/* The name of the command says nothing about its arguments. */
	const bool nameless = role == FORM_ENTRY && key == s->command;
	const char *equals = skip > 0 && w->text.data[skip - 1] == '=' ?
	    memchr(s->r->text + w->from, '=', w->to - w->from) : NULL;

	i.name = nameless ? "" : NULL;
	i.value = (const char *)w->text.data + skip;
	i.n = w->text.len - skip;
	if (equals != NULL) {
		i.from = (size_t)(equals - s->r->text) + 1;
		if (i.from + 1 < i.to &&
		    (s->r->text[i.from] == '"' || s->r->text[i.from] == '\'')) {
			i.from++;
			i.to -= s->r->text[i.to - 1] == s->r->text[i.from - 1];
		}
	} else if (w->to - w->from == w->text.len) {
		i.from += skip;
	}
	return i.n > 0 ? form_give(s->r, &i, err) : 0;
}

bool
form_option_is_secret(const char *name, size_t len)
{
	static const char *const files[] = { "file", "path", "location", "dir" };
	enum key_class class = key_class(name, len);

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const size_t n = strlen(files[i]);

		if (len > n + 1 && strncasecmp(name + len - n, files[i], n) == 0 &&
		    strchr("-._", name[len - n - 1]) != NULL)
			return false;
	}
	return class == KEY_SECRET || class == KEY_MATERIAL;
}

/* -sSu of curl, which is -s -S -u. */
static bool
shell_is_cluster(const char *command, const char *p, size_t n)
{
	if (strcmp(command, "curl") != 0 || n < 3 || n > 8 || p[1] == '-' || p[n - 1] != 'u')
		return false;
	for (size_t i = 1; i < n - 1; i++)
		if (strchr("fsSkLvigI", p[i]) == NULL)
			return false;
	return true;
}

/* Programs with an option of one letter for a password. */
static const struct shell_letter {
	const char *command;
	char letter;
	bool glued;	/* the password is in the same word, and in no other */
} letters[] = {
	{ "mysql", 'p', true }, { "mysqldump", 'p', true }, { "mysqladmin", 'p', true },
	{ "mysqlimport", 'p', true }, { "mysqlsh", 'p', true }, { "mariadb", 'p', true },
	{ "mariadb-dump", 'p', true }, { "mariadb-admin", 'p', true },
	{ "sshpass", 'p', false }, { "redis-cli", 'a', false }, { "mongo", 'p', false },
	{ "mongosh", 'p', false }, { "mongodump", 'p', false }, { "mongorestore", 'p', false },
	{ "mongoexport", 'p', false }, { "mongoimport", 'p', false }, { "mongostat", 'p', false },
	{ "ldapsearch", 'w', false }, { "ldapadd", 'w', false }, { "ldapmodify", 'w', false },
	{ "ldapdelete", 'w', false }, { "ldapwhoami", 'w', false }, { "sqlcmd", 'P', false },
	{ "http", 'a', false }, { "https", 'a', false }, { "cqlsh", 'p', false },
	{ "cypher-shell", 'p', false }, { "hdbsql", 'p', false }, { "bcp", 'P', false },
	{ "zip", 'P', false }, { "unzip", 'P', false }, { "7z", 'p', true },
	{ "7za", 'p', true }, { "mosquitto_pub", 'P', false }, { "mosquitto_sub", 'P', false },
	{ "ipmitool", 'P', false }, { "ldappasswd", 's', false }, { "openssl", 'k', false },
};

/* Commands that take a password as one of their arguments: behind the word, the so manyth. */
static const struct shell_position {
	const char *command, *word;
	unsigned char place;
} positions[] = {
	{ "rabbitmqctl", "add_user", 2 }, { "rabbitmqctl", "change_password", 2 },
	{ "vault", "login", 1 },
};

/* Programs with an option of one letter for a user with the password behind him. */
static const struct shell_user {
	const char *command;
	char letter, between;
} users[] = {
	{ "smbclient", 'U', '%' }, { "rpcclient", 'U', '%' }, { "smbget", 'U', '%' },
	{ "smbcacls", 'U', '%' }, { "smbcquotas", 'U', '%' }, { "smbtree", 'U', '%' },
	{ "net", 'U', '%' }, { "samba-tool", 'U', '%' }, { "wbinfo", 'a', '%' },
	{ "ntlm_auth", 'U', '%' }, { "lftp", 'u', ',' }, { "curl", 'u', ':' },
	{ "curl", 'U', ':' },
};

static const struct shell_letter *
shell_letter(const char *command)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (strcmp(command, letters[i].command) == 0)
			return &letters[i];
	return NULL;
}

/* What stands between user and password behind such an option, '\0': it is none. */
static char
shell_between(const char *command, char letter)
{
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		if (users[i].letter == letter && strcmp(command, users[i].command) == 0)
			return users[i].between;
	return '\0';
}

/* The same of an option ${p} whose argument is the next word, or stands behind `=`. */
static char
shell_takes_user(const char *command, const char *p, size_t n)
{
	const char smb = shell_between(command, 'U');
	const char between = n == 2 ? shell_between(command, p[1]) : '\0';

	if (between != '\0')
		return between;
	if (n == 6 && memcmp(p, "--user", 6) == 0)
		return smb != '\0' ? smb : ':';
	return (n == 2 && memcmp(p, "-u", 2) == 0) ||
	    (n == 12 && memcmp(p, "--proxy-user", 12) == 0) ? ':' : '\0';
}

const char *
form_command(const char *word, size_t n)
{
	const char *slash = memrchr(word, '/', n);

	if (slash != NULL) {
		n -= (size_t)(slash + 1 - word);
		word = slash + 1;
	}
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (strlen(letters[i].command) == n && memcmp(letters[i].command, word, n) == 0)
			return letters[i].command;
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		if (strlen(users[i].command) == n && memcmp(users[i].command, word, n) == 0)
			return users[i].command;
	return NULL;
}

/* Does the option's letter ask for a password, in the same word or the next? */
static bool
shell_letter_asks(const char *command, const char *p, size_t n)
{
	const struct shell_letter *l = shell_letter(command);

	return l != NULL && p[1] == l->letter &&
	    (l->glued ? n > 2 : n == 2 || strcmp(l->command, "sshpass") == 0);
}

size_t
form_option_asks(const char *command, const char *p, size_t n, char *between)
{
	*between = '\0';
	if (n > 1 && p[0] == '-' && shell_letter_asks(command, p, n))
		return 2;
	if (n > 1 && p[0] == '-' && p[1] != '-')
		*between = shell_between(command, p[1]);
	if (*between == '\0' || (n > 2 && memchr(p, *between, n) == NULL))
		return 0;
	return 2;
}

static bool
shell_asks(const struct shell *s, const char *p, size_t n)
{
	/* docker login -p, and its kind; elsewhere that is a port. */
	return shell_letter(s->command) != NULL ? shell_letter_asks(s->command, p, n) :
	    s->login && n == 2 && p[1] == 'p';
}

/* What passes for the name of an option is reported: a value must not. */
bool
form_is_glued(const char *p, size_t n)
{
	if (n < 3 || p[0] != '-' || p[1] < 'a' || p[1] > 'z')
		return false;
	if (p[1] == 'p')
		return (n < 5 || strncasecmp(p + 1, "pass", 4) != 0) &&
		    (n < 8 || strncasecmp(p + 1, "private", 7) != 0);
	return ascii_is_upper(p[2]);
}

/* The argument of an option, from ${skip} on; of one with a user before it the password. */
static int
shell_give_user(struct shell *s, char between, size_t skip, struct error *err)
{
	const char *p = (const char *)s->word.text.data;
	const char *at = between != '\0' && between != ':' ?
	    memchr(p + skip, between, s->word.text.len - skip) : NULL;

	return shell_give(s, FORM_OPTION, (const char *)s->key.data, s->key.len,
	    at != NULL ? (size_t)(at - p) + 1 : skip, err);
}

/* An option: with its value in it, or the next word is that. */
static int
shell_option(struct shell *s, const char *p, size_t n, struct error *err)
{
	/* Of a Secret of Kubernetes: --from-literal=KEY=VALUE */
	static const char from_literal[] = "--from-literal=";
	const size_t literal = sizeof(from_literal) - 1;
	const char *equals = memchr(p, '=', n);
	size_t dashes = n > 1 && p[1] == '-' ? 2 : 1, len;
	char between = n > 2 ? shell_between(s->command, p[1]) : '\0';

	if (n > 2 && (shell_asks(s, p, n) || (between != '\0' && memchr(p, between, n) != NULL)))
		return shell_key(s, p + 1, 1, err) != 0 ? -1 : shell_give_user(s, between, 2, err);
	if (n > literal && memcmp(p, from_literal, literal) == 0) {
		equals = memchr(p + literal, '=', n - literal);
		if (equals == NULL || equals + 1 == p + n ||
		    !form_option_is_secret(p + literal, (size_t)(equals - p) - literal))
			return 0;
		return shell_key(s, p + literal, (size_t)(equals - p) - literal, err) != 0 ? -1 :
		    shell_give(s, FORM_OPTION, (const char *)s->key.data, s->key.len,
		    (size_t)(equals - p) + 1, err);
	}
	/* htpasswd -bc FILE USER PASSWORD; with -n there is no file. */
	if (n > 1 && n < 6 && p[1] != '-' && strcmp(s->command, "htpasswd") == 0 &&
	    memchr(p, 'b', n) != NULL)
		s->left = memchr(p, 'n', n) != NULL ? 2 : 3;
	if (equals == NULL && shell_is_cluster(s->command, p, n)) {
		snprintf(s->option, sizeof(s->option), "u");
		s->between = ':';
		return 0;
	}
	if (form_is_glued(p, n))
		return shell_give(s, FORM_ENTRY, s->command, strlen(s->command), 0, err);
	if (n > 2 && p[1] == 'D' && equals != NULL)
		dashes = 2;
	len = (equals != NULL ? (size_t)(equals - p) : n) - dashes;
	if (equals == NULL) {
		/* Of one letter those only that are known; longer ones by their names. */
		s->between = shell_takes_user(s->command, p, n);
		if (s->between != '\0' || (len > 2 && form_option_is_secret(p + dashes, len)) ||
		    (n == 2 && (shell_asks(s, p, n) || p[1] == 'H')))
			snprintf(s->option, sizeof(s->option), "%.*s", (int)len, p + dashes);
		return 0;
	}
	between = shell_takes_user(s->command, p, len + dashes);
	if (between != '\0' && memchr(equals, between, (size_t)(p + n - equals)) == NULL)
		between = '\0';
	if (!(form_option_is_secret(p + dashes, len) || between != '\0') ||
	    shell_key(s, p + dashes, len, err) != 0)
		return shell_give(s, FORM_ENTRY, s->command, strlen(s->command), 0, err);
	return shell_give_user(s, between, (size_t)(equals - p) + 1, err);
}

/* The argument of the option before it. */
static int
shell_argument(struct shell *s, struct error *err)
{
	const char *p = (const char *)s->word.text.data;
	const char between = s->between;
	char option[sizeof(s->option)];

	memcpy(option, s->option, sizeof(option));
	s->option[0] = s->between = '\0';
	if (shell_key(s, option, strlen(option), err) != 0)
		return -1;
	/* In a file, or a descriptor. */
	if (s->word.text.len == 0 || *p == '@' || strcmp(buf_cstr(&s->word.text), "-") == 0 ||
	    strncmp(p, "fd:", 3) == 0 || strncmp(p, "file:", 5) == 0 ||
	    strncmp(p, "env:", 4) == 0)
		return 0;
	if (strcmp(option, "H") == 0) {
		if (!value_has_authorization(p, s->word.text.len))
			return 0;
	} else if (between != '\0') {
		const char *at = memchr(p, between, s->word.text.len);

		/* A user alone: the password is asked for. */
		if (at == NULL || at == p + s->word.text.len - 1)
			return 0;
	}
	return shell_give_user(s, between, 0, err);
}

/* What keys call the command: nothing that does not look like the name of a program. */
static void
shell_name(struct shell *s, const char *p, size_t n, bool first)
{
	const char *slash = memrchr(p, '/', n);
	const char *base = slash != NULL ? slash + 1 : p;
	size_t len = n - (size_t)(base - p);
	char word[sizeof(s->command)] = "";
	bool is_name = len < sizeof(word);

	for (size_t i = 0; is_name && i < n; i++)
		is_name = form_is_word(p[i]) || (p[i] != '\0' && strchr("/${}[", p[i]) != NULL);
	if (is_name && !value_kind_is_secret(value_kind(p, n)))
		memcpy(word, base, len);
	/* It may be started by another: sudo, docker exec. */
	if (first || form_command(word, strlen(word)) != NULL)
		memcpy(s->command, word, sizeof(word));
	s->login |= strcmp(word, "login") == 0;
}

/* A word that is no option.  True: it is a password, by its place, and s->key is its key. */
static bool
shell_is_placed(struct shell *s, const char *p, size_t n, struct error *err)
{
	const bool set = s->set;

	if (s->left > 0 && --s->left == 0)
		return memchr(p, '=', n) == NULL && *p != '/' && *p != '@' &&
		    shell_key(s, "password", 8, err) == 0;
	for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++)
		if (strcmp(s->command, positions[i].command) == 0 && n > 0 &&
		    strlen(positions[i].word) == n && memcmp(positions[i].word, p, n) == 0)
			s->left = positions[i].place;
	/* aws configure set NAME VALUE */
	s->set = n == 3 && memcmp(p, "set", 3) == 0;
	if (set && form_option_is_secret(p, n))
		snprintf(s->option, sizeof(s->option), "%.*s", (int)n, p);
	return false;
}

/* sqlplus USER/PASSWORD@DATABASE: where the password is. */
static bool
shell_is_logon(const struct shell *s, const char *p, size_t n, size_t *from, size_t *to)
{
	static const char *const names[] = { "sqlplus", "sqlldr", "expdp", "impdp", "rman" };
	const char *slash = memchr(p, '/', n), *at;

	if (slash == NULL || slash == p || *p == '.' || *p == '@' || *p == '$' ||
	    slash + 1 == p + n)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(s->command, names[i]) == 0) {
			*from = (size_t)(slash - p) + 1;
			at = memchr(p + *from, '@', n - *from);
			*to = at != NULL ? (size_t)(at - p) : n;
			return true;
		}
	return false;
}

/* Give what the word that is handed on by a pipe holds from ${from} on. */
static int
shell_give_piped(struct shell *s, size_t from, struct error *err)
{
	struct form_item i = { .role = FORM_OPTION, .start = s->piped_from, .from = from,
		.to = s->piped_to };

	s->piped_to = 0;
	i.value = s->r->text + i.from;
	i.n = i.to - i.from;
	if (i.n == 0 || shell_key(s, "password", 8, err) != 0)
		return i.n == 0 ? 0 : -1;
	i.key = (const char *)s->key.data;
	i.key_len = s->key.len;
	return form_give(s->r, &i, err);
}

/* echo USER:PASSWORD | chpasswd: with -e it is a hash. */
static int
shell_piped(struct shell *s, struct error *err)
{
	const char *p = s->r->text, *line = memchr(p + s->at, '\n', s->end - s->at), *colon;
	const size_t rest = line != NULL ? (size_t)(line - p) - s->at : s->end - s->at;

	colon = memchr(p + s->piped_from, ':', s->piped_to - s->piped_from);
	if (colon == NULL || memmem(p + s->at, rest, " -e", 3) != NULL ||
	    memmem(p + s->at, rest, " --encrypted", 12) != NULL) {
		s->piped_to = 0;
		return 0;
	}
	return shell_give_piped(s, (size_t)(colon - p) + 1, err);
}

/* echo PASSWORD | docker login --password-stdin, sudo -S, passwd --stdin */
static bool
shell_takes_piped(const struct shell *s, const char *p, size_t n)
{
	static const char *const options[] = { "--password-stdin", "--stdin", "--pass-stdin" };

	return text_is_one_of(p, n, options, sizeof(options) / sizeof(options[0])) ||
	    (n == 2 && memcmp(p, "-S", 2) == 0 && strcmp(s->command, "sudo") == 0);
}

/* NAME=( and NAME+=(: its words are arguments, or secrets by that name. */
static bool
shell_array(struct shell *s, const char *p, size_t n)
{
	if (n < 2 || p[n - 1] != '=')
		return false;
	n -= p[n - 2] == '+' ? 2 : 1;
	if (n >= sizeof(s->array) || !form_is_variable(p, n) || *p == '-')
		return false;
	snprintf(s->array, sizeof(s->array), "%.*s", (int)n, p);
	return true;
}

/* A word of an array that has a name of its own, which s->key becomes: [NAME]=value, from
 * ${*from} on, or that of the array, where that is one of secrets. */
static bool
shell_is_element(struct shell *s, const char *p, size_t n, size_t *from)
{
	const bool secret = form_option_is_secret(s->array, strlen(s->array));
	const char *close = *p == '[' ? memchr(p, ']', n) : NULL;

	*from = 0;
	buf_clear(&s->key);
	if (close != NULL && close + 1 < p + n && close[1] == '=' &&
	    (secret || form_is_variable(p + 1, (size_t)(close - p) - 1))) {
		*from = (size_t)(close - p) + 2;
		if (!secret)
			buf_append(&s->key, p + 1, (size_t)(close - p) - 1);
	} else if (*p == '-' || !secret) {
		return false;
	}
	if (secret)
		buf_append_str(&s->key, s->array);
	return s->key.len > 0 || s->key.failed;
}

static int
shell_word(struct shell *s, bool *first, struct error *err)
{
	const char *p = (const char *)s->word.text.data, *equals;
	size_t n = s->word.text.len, from, to;

	if (buf_check(&s->word.text, err) != 0)
		return -1;
	if (s->option[0] != '\0' && n > 0)
		return shell_argument(s, err);
	if (s->script && !sql_is_statement(p, n)) {
		s->script = false;
		return form_read_command(s->r, s->word.from, s->word.to, s->name, s->name_len, err);
	}
	s->script = n == 2 && memcmp(p, "-c", 2) == 0;
	if (n == 0)
		return 0;
	equals = memchr(p, '=', n);
	if (s->at < s->end && s->r->text[s->at] == '(' && shell_array(s, p, n))
		return 0;
	if (s->array[0] != '\0' && shell_is_element(s, p, n, &from))
		return buf_check(&s->key, err) != 0 ? -1 : shell_give(s, FORM_ENTRY,
		    (const char *)s->key.data, s->key.len, from, err);
	/* Of psql "host=x password=y" the word is one. */
	if (equals != NULL && form_is_variable(p, (size_t)(equals - p)) && p[0] != '-' &&
	    !(memmem(p, n, " password=", 10) != NULL && value_kind(p, n) == VALUE_CREDENTIALS)) {
		buf_clear(&s->key);
		buf_append(&s->key, p, (size_t)(equals - p));
		if (buf_check(&s->key, err) != 0)
			return -1;
		return shell_give(s, FORM_ENTRY, (const char *)s->key.data, s->key.len,
		    (size_t)(equals - p) + 1, err);
	}
	if (s->piped_to > 0 && shell_takes_piped(s, p, n))
		return shell_give_piped(s, s->piped_from, err);
	if (p[0] == '-' && n > 1)
		return shell_option(s, p, n, err);
	if (!*first) {
		if (shell_is_placed(s, p, n, err))
			return shell_give(s, FORM_OPTION, (const char *)s->key.data, s->key.len, 0,
			    err);
		if (shell_is_logon(s, p, n, &from, &to)) {
			buf_truncate(&s->word.text, to);
			return shell_key(s, "password", 8, err) != 0 ? -1 : shell_give(s,
			    FORM_OPTION, (const char *)s->key.data, s->key.len, from, err);
		}
	}
	shell_name(s, p, n, *first);
	*first = false;
	if (n >= 8 && memcmp(p + n - 8, "chpasswd", 8) == 0 && s->piped_to > 0)
		return shell_piped(s, err);
	if (n > 5 && memcmp(p, "pass:", 5) == 0 && shell_key(s, "pass", 4, err) == 0)
		return shell_give(s, FORM_OPTION, (const char *)s->key.data, s->key.len, 5, err);
	/* A text in quotes: of properties or JSON, or with a secret of its own. */
	if (memchr(p, '\n', n) != NULL || *p == '{')
		return shell_give(s, FORM_EMBEDDED, s->command, strlen(s->command), 0, err);
	return shell_give(s, FORM_ENTRY, s->command, strlen(s->command), 0, err);
}

static int
shell_read(struct shell *s, struct error *err)
{
	const char *p = s->r->text;
	size_t from, to, next, resume = 0, last_from = 0, last_to = 0;
	bool first = true;
	int rc = 0;

	while (rc == 0 && s->at < s->end) {
		if (shell_next_word(s)) {
			last_from = s->word.from;
			last_to = s->word.to;
			rc = shell_word(s, &first, err);
		} else if (s->at >= s->end) {
			break;
		} else if (p[s->at] == '#') {
			while (s->at < s->end && p[s->at] != '\n')
				s->at++;
		} else if (p[s->at] == '\n' && s->array[0] != '\0') {
			s->at++;
		} else {
			/* A here-document begins behind its line. */
			if (p[s->at] == '\n' && resume > s->at)
				s->at = resume - 1;
			if (p[s->at] == '|' && (strcmp(s->command, "echo") == 0 ||
			    strcmp(s->command, "printf") == 0)) {
				s->piped_from = last_from;
				s->piped_to = last_to;
			} else if (p[s->at] == '\n') {
				s->piped_to = 0;
			}
			/* The name of an array stands for that of a command. */
			first = p[s->at] != '(' || s->array[0] == '\0';
			if (first)
				s->array[0] = '\0';
			else
				memcpy(s->command, s->array, sizeof(s->command));
			s->login = s->set = false;
			s->left = 0;
			s->option[0] = s->between = '\0';
			s->at++;
		}
		while (s->at < s->end && (p[s->at] == '<' || p[s->at] == '>')) {
			/* <<< WORD is one, and no line behind it. */
			if (s->end - s->at > 3 && memcmp(p + s->at, "<<<", 3) == 0) {
				s->at += 3;
				break;
			}
			if (resume <= s->at && s->end == s->r->n &&
			    form_heredoc(s->r, s->at, &from, &to, &next)) {
				struct form_item i = { .role = FORM_EMBEDDED, .key = s->command,
					.key_len = strlen(s->command), .value = p + from,
					.n = to - from, .from = from, .to = to, .start = s->at };

				resume = next;
				if (rc == 0 && i.n > 0)
					rc = form_give(s->r, &i, err);
			}
			s->at++;
		}
	}
	return rc;
}

int
form_read_command(const struct form_reader *r, size_t from, size_t to, const char *name,
    size_t name_len, struct error *err)
{
	struct shell s = { .r = r, .at = from, .end = to, .name = name, .name_len = name_len };
	int rc;

	buf_init_secret(&s.word.text, BUF_MAX_FILE);
	buf_init(&s.key, BUF_MAX_FILE);
	rc = shell_read(&s, err);
	buf_release(&s.key);
	buf_release(&s.word.text);
	return rc;
}

int
form_read_shell(const struct form_reader *r, struct error *err)
{
	return form_read_command(r, 0, r->n, NULL, 0, err);
}

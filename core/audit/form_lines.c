#include <string.h>

#include "audit/form.h"
#include "base/error.h"
#include "base/text.h"
#include "document/jaas.h"
#include "file/file.h"
#include "secrets/keys.h"
#include "secrets/value.h"

/* Forms whose entries stand on lines: .env, systemd, JAAS, HCL, lists of users. */

/* A line without the blanks around it; begin with all zeroes. */
struct form_line {
	size_t start;		/* with the blanks */
	size_t at, end;
	size_t next;
};

static bool
form_next_line(const struct form_reader *r, struct form_line *line)
{
	const char *end;

	line->at = line->next;
	/* A byte order mark is no part of the first name. */
	if (line->at == 0 && r->n >= 3 && memcmp(r->text, "\xef\xbb\xbf", 3) == 0)
		line->at = 3;
	if (line->at >= r->n)
		return false;
	end = memchr(r->text + line->at, '\n', r->n - line->at);
	line->end = end != NULL ? (size_t)(end - r->text) : r->n;
	line->next = line->end + 1;
	line->start = line->at;
	while (line->end > line->at && ascii_is_blank(r->text[line->end - 1]))
		line->end--;
	while (line->at < line->end && ascii_is_blank(r->text[line->at]))
		line->at++;
	return true;
}

/* Of ${NAME:-default} and its kind the default is what there is to look at. */
static void
form_take_default(struct form_item *i)
{
	size_t len, at;

	if (!value_default(i->value, i->n, &len, &at))
		return;
	/* An argument has no name but this. */
	if (i->name != NULL && i->name_len == 0) {
		i->key = i->value + 2;
		i->key_len = len;
		i->name = NULL;
	}
	if (i->to - i->from == i->n) {
		i->from += at;
		i->to--;
	}
	i->value += at;
	i->n -= at + 1;
}

int
form_give(const struct form_reader *r, struct form_item *i, struct error *err)
{
	const char *name;
	size_t len;

	if (i->role != FORM_EMBEDDED && i->role != FORM_DECODED)
		form_take_default(i);
	name = i->name != NULL ? i->name : i->key;
	len = i->name != NULL ? i->name_len : i->key_len;
	if (i->role == FORM_ENTRY && !r->wants(r->cookie, name, len, i->value, i->n))
		return 0;
	return r->each(r->cookie, i, err);
}

bool
form_is_variable(const char *p, size_t n)
{
	if (n == 0 || ascii_is_digit(p[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!form_is_word(p[i]) || p[i] == '-')
			return false;
	return true;
}

/* NAME=VALUE at ${at}, up to ${end} or the quote that closes a quoted value. */
static int
form_give_variable(const struct form_reader *r, size_t at, size_t *end, struct buf *value,
    struct error *err)
{
	struct form_item i = { .start = at };
	const char *equals = memchr(r->text + at, '=', *end - at), *close, *name;
	char quote;

	if (equals == NULL)
		return 0;
	i.key = r->text + at;
	i.key_len = (size_t)(equals - i.key);
	while (i.key_len > 0 && ascii_is_blank(i.key[i.key_len - 1]))
		i.key_len--;
	i.from = (size_t)(equals - r->text) + 1;
	while (i.from < *end && ascii_is_blank(r->text[i.from]))
		i.from++;
	quote = i.from < *end ? r->text[i.from] : '\0';
	buf_clear(value);
	if (quote == '"' || quote == '\'') {
		i.from++;
		for (close = r->text + i.from; close < r->text + r->n && *close != quote; close++)
			if (*close == '\\' && quote == '"' && close + 1 < r->text + r->n)
				close++;
		if (close < r->text + r->n)
			*end = (size_t)(close - r->text) + 1;
		i.to = close < r->text + r->n ? (size_t)(close - r->text) : *end;
	} else {
		i.to = *end;
	}
	for (size_t k = i.from; k < i.to; k++) {
		/* Of a backslash and what it escapes, that. */
		if (r->text[k] == '\\' && quote == '"' && k + 1 < i.to &&
		    strchr("\"\\$`", r->text[k + 1]) != NULL)
			k++;
		buf_append_char(value, r->text[k]);
	}
	i.value = (const char *)value->data;
	i.n = value->len;
	if (buf_check(value, err) != 0)
		return -1;
	/* `//registry.example.com/:_authToken` of npm */
	if (i.key_len > 2 && memcmp(i.key, "//", 2) == 0 &&
	    (name = memrchr(i.key, ':', i.key_len)) != NULL) {
		i.name = name + 1;
		i.name_len = i.key_len - (size_t)(i.name - i.key);
	} else if (!form_is_variable(i.key, i.key_len)) {
		return 0;
	}
	return i.n > 0 ? form_give(r, &i, err) : 0;
}

int
form_read_env(const struct form_reader *r, struct error *err)
{
	struct form_line l = { 0 };
	struct buf value;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	while (rc == 0 && form_next_line(r, &l)) {
		if (l.at == l.end || r->text[l.at] == '#')
			continue;
		if (l.end - l.at > 7 && memcmp(r->text + l.at, "export ", 7) == 0)
			l.at += 7;
		rc = form_give_variable(r, l.at, &l.end, &value, err);
		/* A quoted value may go on for lines. */
		if (l.end > l.next)
			l.next = l.end;
	}
	buf_release(&value);
	return rc;
}

/* Environment="A=b" C=d */
static int
form_give_environment(const struct form_reader *r, size_t at, size_t end, struct buf *value,
    struct error *err)
{
	size_t to;
	char quote;
	int rc = 0;

	while (rc == 0 && at < end) {
		while (at < end && (ascii_is_blank(r->text[at]) || r->text[at] == '\\' ||
		    r->text[at] == '\n'))
			at++;
		quote = at < end && (r->text[at] == '"' || r->text[at] == '\'') ? r->text[at++] :
		    '\0';
		for (to = at; to < end && (quote != '\0' ? r->text[to] != quote :
		    !ascii_is_blank(r->text[to]) && r->text[to] != '\n'); to++)
			if (quote == '\0' && (r->text[to] == '"' || r->text[to] == '\'')) {
				char inner = r->text[to++];

				while (to < end && r->text[to] != inner)
					to++;
			} else if (r->text[to] == '\\' && quote == '"' && to + 1 < end) {
				to++;
			}
		to = to > end ? end : to;
		if (to > at) {
			size_t stop = to;

			rc = form_give_variable(r, at, &stop, value, err);
		}
		at = to + 1;
	}
	return rc;
}

/* EnvironmentFile=path */
static int
form_give_file(const struct form_reader *r, const struct form_line *l, size_t at,
    struct error *err)
{
	struct form_item i = { .role = FORM_FILE, .start = l->start, .from = at, .to = l->end };

	/* A dash says that it need not be there. */
	while (i.from < i.to && (ascii_is_blank(r->text[i.from]) || r->text[i.from] == '-'))
		i.from++;
	i.value = r->text + i.from;
	i.n = i.to - i.from;
	return i.n > 0 && *i.value == '/' ? form_give(r, &i, err) : 0;
}

/* SetCredential=name:value, whose value is a secret wherever it stands. */
static int
form_give_credential(const struct form_reader *r, const struct form_line *l, size_t at,
    struct error *err)
{
	const char *colon = memchr(r->text + at, ':', l->end - at);
	struct form_item i = { .role = FORM_PASSWORD, .key = r->text + at, .start = l->start };

	if (colon == NULL || colon + 1 == r->text + l->end)
		return 0;
	i.key_len = (size_t)(colon - i.key);
	i.from = (size_t)(colon - r->text) + 1;
	i.to = l->end;
	i.value = r->text + i.from;
	i.n = i.to - i.from;
	return form_give(r, &i, err);
}

int
form_read_systemd(const struct form_reader *r, struct error *err)
{
	struct form_line l = { 0 }, more;
	const char *equals, *key;
	struct buf value;
	size_t n, at;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	while (rc == 0 && form_next_line(r, &l)) {
		key = r->text + l.at;
		if (l.at == l.end || *key == '#' || *key == ';' || *key == '[')
			continue;
		/* A backslash at the end of a line goes on with the next. */
		for (more = l; more.end > more.at && r->text[more.end - 1] == '\\' &&
		    form_next_line(r, &more);)
			;
		l.end = more.end;
		l.next = more.next;
		if ((equals = memchr(key, '=', l.end - l.at)) == NULL)
			continue;
		n = (size_t)(equals - key);
		at = l.at + n + 1;
		if (n == 11 && memcmp(key, "Environment", n) == 0)
			rc = form_give_environment(r, at, l.end, &value, err);
		else if (n == 15 && memcmp(key, "EnvironmentFile", n) == 0)
			rc = form_give_file(r, &l, at, err);
		else if (n == 13 && memcmp(key, "SetCredential", n) == 0)
			rc = form_give_credential(r, &l, at, err);
		/* And of Podman's. */
		else if ((n >= 4 && memcmp(key, "Exec", 4) == 0) ||
		    (n > 6 && memcmp(key, "Health", 6) == 0 &&
		    memcmp(key + n - 3, "Cmd", 3) == 0) ||
		    (n == 10 && memcmp(key, "PodmanArgs", 10) == 0))
			rc = form_read_command(r, at, l.end, key, n, err);
	}
	buf_release(&value);
	return rc;
}

/* --- JAAS --- */

/* Comments of a login configuration become blanks: places stay what they are. */
static void
form_blank_comments(char *p, size_t n)
{
	char quote = '\0';

	for (size_t i = 0; i + 1 < n; i++) {
		if (quote != '\0') {
			if (p[i] == '\\')
				i++;
			else if (p[i] == quote)
				quote = '\0';
		} else if (p[i] == '"') {
			quote = p[i];
		} else if (p[i] == '/' && p[i + 1] == '/' && (i == 0 || p[i - 1] != ':')) {
			for (; i < n && p[i] != '\n'; i++)
				p[i] = ' ';
		} else if (p[i] == '/' && p[i + 1] == '*') {
			for (; i + 1 < n && !(p[i] == '*' && p[i + 1] == '/'); i++)
				p[i] = p[i] == '\n' ? '\n' : ' ';
			p[i] = ' ';
			if (i + 1 < n)
				p[i + 1] = ' ';
		} else if (p[i] == '#' && (i == 0 || p[i - 1] == '\n')) {
			for (; i < n && p[i] != '\n'; i++)
				p[i] = ' ';
		}
	}
}

/* What stands between the braces of a section. */
static int
form_give_section(const struct form_reader *r, const char *body, size_t n, size_t from,
    const char *name, size_t name_len, struct error *err)
{
	struct form_item i = { .start = from };
	struct jaas_option o;
	struct error why;
	struct jaas *j;
	struct buf key;
	bool secret;
	int rc = 0;

	if ((j = jaas_parse(body, n, &why)) == NULL) {
		*err = why;
		return error_place(err, r->file, 0);
	}
	buf_init(&key, BUF_MAX_FILE);
	for (size_t k = 0; rc == 0 && k < jaas_count(j); k++) {
		o = jaas_option(j, k);
		secret = jaas_option_is_secret(o.name, o.name_len) &&
		    key_class(o.name, o.name_len) != KEY_PUBLIC;
		if (!secret && !value_may_be_secret((const unsigned char *)body + o.inner_from,
		    o.inner_to - o.inner_from))
			continue;
		buf_clear(&key);
		buf_append(&key, name, name_len);
		buf_append_char(&key, '#');
		buf_append(&key, o.name, o.name_len);
		i = (struct form_item){ .role = secret ? FORM_PASSWORD : FORM_ENTRY,
			.key = (const char *)key.data, .key_len = key.len,
			.name = o.name, .name_len = o.name_len, .value = body + o.inner_from,
			.n = o.inner_to - o.inner_from, .from = from + o.inner_from,
			.to = from + o.inner_to, .start = from + o.start,
			.shadowed = o.shadowed };
		rc = buf_check(&key, err) == 0 ? form_give(r, &i, err) : -1;
	}
	buf_release(&key);
	jaas_free(j);
	return rc;
}

int
form_read_jaas(const struct form_reader *r, struct error *err)
{
	struct buf text;
	const char *p, *open, *close;
	size_t at = 0, name, len;
	char quote;
	int rc = 0;

	buf_init_secret(&text, BUF_MAX_FILE);
	buf_append(&text, r->text, r->n);
	if (buf_check(&text, err) != 0)
		return -1;
	form_blank_comments((char *)text.data, text.len);
	p = (const char *)text.data;
	while (rc == 0 && (open = memchr(p + at, '{', text.len - at)) != NULL) {
		len = (size_t)(open - p);
		while (len > at && (ascii_is_blank(p[len - 1]) || p[len - 1] == '\n'))
			len--;
		for (name = len; name > at && form_is_word(p[name - 1]); name--)
			;
		for (close = open + 1, quote = '\0'; close < p + text.len; close++)
			if (quote != '\0') {
				if (*close == '\\')
					close++;
				else if (*close == quote)
					quote = '\0';
			} else if (*close == '"') {
				quote = *close;
			} else if (*close == '}' && close[-1] != '$' &&
			    (close == p + text.len - 1 || close[1] != '"')) {
				break;
			}
		if (close >= p + text.len)
			close = p + text.len;
		rc = form_give_section(r, open + 1, (size_t)(close - open) - 1,
		    (size_t)(open - p) + 1, p + name, len - name, err);
		at = (size_t)(close - p);
	}
	buf_release(&text);
	return rc;
}

/* --- lists of users --- */

/* .netrc: machine HOST login USER password PASSWORD, on one line or several.  Where the last
 * word begins, which the password is. */
static bool
form_is_netrc(const char *p, size_t at, size_t end, size_t *from, size_t *to)
{
	static const char word[] = "password";
	const size_t n = sizeof(word) - 1;

	for (; at + n < end; at++)
		if (memcmp(p + at, word, n) == 0 && ascii_is_blank(p[at + n]))
			break;
	if (at + n >= end)
		return false;
	for (at += n; at < end && ascii_is_blank(p[at]); at++)
		;
	for (*from = at; at < end && !ascii_is_blank(p[at]); at++)
		;
	*to = at;
	return true;
}

/* jmxremote.password of Java: a role, blanks, its password. */
static bool
form_is_role(const struct form_reader *r, const struct form_line *l, struct form_item *i)
{
	size_t at = l->at, to;

	if (strstr(file_basename(r->file), "password") == NULL)
		return false;
	for (; at < l->end && !ascii_is_blank(r->text[at]); at++)
		if (r->text[at] == ':' || r->text[at] == '=')
			return false;
	i->key_len = at - l->at;
	for (; at < l->end && ascii_is_blank(r->text[at]); at++)
		;
	for (to = at; to < l->end && !ascii_is_blank(r->text[to]); to++)
		;
	i->from = at;
	i->to = to;
	return at < to && to == l->end;
}

/* userlist.txt of PgBouncer: "user" "password" */
static bool
form_is_quoted_pair(const struct form_reader *r, const struct form_line *l, struct form_item *i)
{
	static const char between[] = "\" \"";
	const size_t n = l->end - l->at;
	const char *p = r->text + l->at, *middle;

	/* Each quote counts once. */
	if (n < 6 || *p != '"' || p[n - 1] != '"' ||
	    (middle = memmem(p + 1, n - 2, between, 3)) == NULL)
		return false;
	i->key = p + 1;
	i->key_len = (size_t)(middle - i->key);
	i->from = (size_t)(middle - r->text) + 3;
	i->to = l->end - 1;
	/* What PostgreSQL keeps of a password. */
	if (i->to == i->from + 35 && memcmp(r->text + i->from, "md5", 3) == 0)
		i->to = i->from;
	return true;
}

/* One line: its key, and where the password stands. */
static void
form_take_credentials(const struct form_reader *r, const struct form_line *l, struct form_item *i)
{
	size_t at = l->at, colons = 0, last = 0;

	i->key = r->text + l->at;
	i->start = l->start;
	for (size_t k = l->at; k < l->end; k++)
		if (r->text[k] == ':' && (k == l->at || r->text[k - 1] != '\\')) {
			colons++;
			last = k;
		}
	if ((l->end - at > 8 && memcmp(i->key, "machine ", 8) == 0) ||
	    (l->end - at > 9 && memcmp(i->key, "password ", 9) == 0)) {
		for (; at < l->end && !ascii_is_blank(r->text[at]); at++)
			;
		i->key_len = at - l->at;
		if (form_is_netrc(r->text, l->at, l->end, &i->from, &i->to))
			return;
	}
	if (form_is_role(r, l, i) || form_is_quoted_pair(r, l, i))
		return;
	for (at = l->at; at < l->end && r->text[at] != ':' && r->text[at] != '='; at++)
		;
	i->key_len = at - l->at;
	while (i->key_len > 0 && ascii_is_blank(i->key[i->key_len - 1]))
		i->key_len--;
	for (at += at < l->end; at < l->end && ascii_is_blank(r->text[at]); at++)
		;
	i->from = at;
	/* https://user:password@host, of Git. */
	if (at + 2 < l->end && memcmp(r->text + at, "//", 2) == 0) {
		i->role = FORM_ENTRY;
		i->from = l->at;
		i->to = l->end;
		return;
	}
	/* .pgpass: host:port:database:user:password */
	if (colons == 4 && memchr(i->key, ' ', l->end - l->at) == NULL) {
		i->from = last + 1;
		i->to = l->end;
		return;
	}
	/* Roles follow. */
	for (; at < l->end && r->text[at] != ','; at++)
		;
	i->to = at;
}

int
form_read_credentials(const struct form_reader *r, struct error *err)
{
	struct form_line l = { 0 };
	struct form_item i;
	int rc = 0;

	while (rc == 0 && form_next_line(r, &l)) {
		if (l.at == l.end || r->text[l.at] == '#' || r->text[l.at] == '!')
			continue;
		i = (struct form_item){ .role = FORM_PASSWORD };
		form_take_credentials(r, &l, &i);
		i.value = r->text + i.from;
		i.n = i.to - i.from;
		if (i.key_len > 0 && i.n > 0 && !value_is_hash(i.value, i.n))
			rc = form_give(r, &i, err);
	}
	return rc;
}

/* --- HCL --- */

/* Where we are in a text of HCL. */
struct form_hcl {
	size_t at;
	const char *block;	/* the label of the last block that began: variable "NAME" { */
	size_t block_len;
	bool is_variable;
	const char *name;	/* of the last `name = "X"` */
	size_t name_len;
};

/* A quoted string at ${at}: where its inside is.  False: there is none. */
static bool
form_hcl_string(const struct form_reader *r, size_t at, size_t *from, size_t *to)
{
	unsigned int depth = 0;

	if (at >= r->n || r->text[at] != '"')
		return false;
	*from = ++at;
	for (; at < r->n && (depth > 0 || r->text[at] != '"'); at++) {
		if (r->text[at] == '\n')
			return false;
		if (r->text[at] == '\\')
			at++;
		else if (r->text[at] == '{' && r->text[at - 1] == '$')
			depth++;
		else if (r->text[at] == '}' && depth > 0)
			depth--;
	}
	*to = at < r->n ? at : r->n;
	return at < r->n;
}

/* <<EOF or <<-EOF at ${at}: where the lines are, and where to go on. */
bool
form_heredoc(const struct form_reader *r, size_t at, size_t *from, size_t *to, size_t *next)
{
	struct form_line l = { 0 };
	size_t word, len;

	if (at + 2 >= r->n || memcmp(r->text + at, "<<", 2) != 0)
		return false;
	at += 2;
	at += r->text[at] == '-' || r->text[at] == '~';
	while (at < r->n && r->text[at] == ' ')
		at++;
	at += at < r->n && (r->text[at] == '"' || r->text[at] == '\'' || r->text[at] == '\\');
	for (word = at; at < r->n && form_is_word(r->text[at]); at++)
		;
	if ((len = at - word) == 0)
		return false;
	l.next = at;
	/* The rest of its own line, which may go on with a redirection. */
	if (!form_next_line(r, &l))
		return false;
	*from = l.next < r->n ? l.next : r->n;
	*to = *next = r->n;
	while (form_next_line(r, &l))
		if (l.end - l.at == len && memcmp(r->text + l.at, r->text + word, len) == 0) {
			*to = l.start;
			*next = l.next < r->n ? l.next : r->n;
			break;
		}
	return true;
}

/* A string or a here-document, whose place is known. */
static int
form_hcl_give(const struct form_reader *r, struct form_hcl *h, struct form_item *i,
    struct buf *value, struct error *err)
{
	buf_clear(value);
	for (size_t k = i->from; k < i->to; k++) {
		if (i->role == FORM_ENTRY && r->text[k] == '\\' && k + 1 < i->to &&
		    (r->text[k + 1] == '"' || r->text[k + 1] == '\\'))
			k++;
		buf_append_char(value, r->text[k]);
	}
	if (buf_check(value, err) != 0)
		return -1;
	i->value = (const char *)value->data;
	i->n = value->len;
	if (i->key_len == 7 && memcmp(i->key, "default", 7) == 0 && h->is_variable) {
		i->key = h->block;
		i->key_len = h->block_len;
	} else if (i->key_len == 5 && memcmp(i->key, "value", 5) == 0 && h->name != NULL) {
		i->key = h->name;
		i->key_len = h->name_len;
		h->name = NULL;
	}
	return i->n > 0 ? form_give(r, i, err) : 0;
}

/* The strings of a list that begins at ${h->at}; other elements have names of their own. */
static int
form_hcl_list(const struct form_reader *r, struct form_hcl *h, const struct form_item *key,
    struct buf *value, struct error *err)
{
	struct form_item i;
	size_t next;
	int rc = 0;

	for (h->at++; rc == 0 && h->at < r->n;) {
		i = *key;
		if (ascii_is_blank(r->text[h->at]) || r->text[h->at] == '\n' ||
		    r->text[h->at] == ',') {
			h->at++;
		} else if (form_hcl_string(r, h->at, &i.from, &i.to)) {
			h->at = i.to + 1;
			rc = form_hcl_give(r, h, &i, value, err);
		} else if (form_heredoc(r, h->at, &i.from, &i.to, &next)) {
			i.role = FORM_EMBEDDED;
			h->at = next;
			rc = form_hcl_give(r, h, &i, value, err);
		} else {
			break;
		}
	}
	return rc;
}

/* What stands behind the `=` at ${h->at}. */
static int
form_hcl_value(const struct form_reader *r, struct form_hcl *h, const char *key, size_t len,
    struct buf *value, struct error *err)
{
	struct form_item i = { .key = key, .key_len = len };
	size_t next;

	i.start = (size_t)(key - r->text);
	h->at++;
	while (h->at < r->n && (ascii_is_blank(r->text[h->at])))
		h->at++;
	if (h->at < r->n && r->text[h->at] == '[')
		return form_hcl_list(r, h, &i, value, err);
	if (form_heredoc(r, h->at, &i.from, &i.to, &next)) {
		i.role = FORM_EMBEDDED;
	} else if (form_hcl_string(r, h->at, &i.from, &i.to)) {
		next = i.to + 1;
		if (len == 4 && memcmp(key, "name", 4) == 0) {
			h->name = r->text + i.from;
			h->name_len = i.to - i.from;
		}
	} else {
		return 0;
	}
	h->at = next;
	return form_hcl_give(r, h, &i, value, err);
}

int
form_read_terraform(const struct form_reader *r, struct error *err)
{
	struct form_hcl h = { 0 };
	size_t from, to, at;
	const char *key = NULL;
	struct buf value;
	size_t len = 0;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	while (rc == 0 && h.at < r->n) {
		const char c = r->text[h.at];

		if (c == '#' || (c == '/' && h.at + 1 < r->n && r->text[h.at + 1] == '/')) {
			while (h.at < r->n && r->text[h.at] != '\n')
				h.at++;
		} else if (form_hcl_string(r, h.at, &from, &to)) {
			/* The label of a block, or a quoted key. */
			if (key != NULL) {
				h.is_variable = len == 8 && memcmp(key, "variable", 8) == 0;
				h.block = r->text + from;
				h.block_len = to - from;
			}
			key = r->text + from;
			len = to - from;
			h.at = to + 1;
		} else if (form_is_word(c)) {
			for (at = h.at; at < r->n && form_is_word(r->text[at]); at++)
				;
			key = r->text + h.at;
			len = at - h.at;
			h.at = at;
		} else if ((c == '=' || c == ':') && key != NULL && h.at + 1 < r->n &&
		    r->text[h.at + 1] != '=' && r->text[h.at + 1] != '>') {
			rc = form_hcl_value(r, &h, key, len, &value, err);
			key = NULL;
		} else {
			if (c == '\n' || c == '{' || c == '}')
				key = NULL;
			h.at++;
		}
	}
	buf_release(&value);
	return rc;
}

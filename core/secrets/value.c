#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "crypto/base64.h"
#include "document/jaas.h"
#include "secrets/keys.h"
#include "secrets/sql.h"
#include "secrets/value.h"

/* A run of bytes in a value. */
struct piece {
	const char *p;
	size_t n;
};

static bool
value_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* Most values differ in the first character from all that is asked for. */
static bool
piece_begins(struct piece v, const char *with)
{
	size_t n;

	if (v.n == 0 || *v.p != *with)
		return false;
	n = strlen(with);
	return v.n >= n && memcmp(v.p, with, n) == 0;
}

static bool
piece_begins_as_one(struct piece v, const char *const begins[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (piece_begins(v, begins[i]))
			return true;
	return false;
}

static bool
piece_ends(struct piece v, const char *with)
{
	size_t n = strlen(with);

	return v.n >= n && memcmp(v.p + v.n - n, with, n) == 0;
}

static struct piece
piece_trim(const char *value, size_t n)
{
	while (n > 0 && value_is_blank(value[n - 1]))
		n--;
	while (n > 0 && value_is_blank(*value)) {
		value++;
		n--;
	}
	/* Quotes of another format around all of it say nothing. */
	if (n > 1 && (*value == '"' || *value == '\'') && value[n - 1] == *value) {
		value++;
		n -= 2;
	}
	return (struct piece){ value, n };
}

/* Does it go from an opening mark to the closing one at its end? */
static bool
piece_is_between(struct piece v, const char *open, const char *close)
{
	return piece_begins(v, open) && piece_ends(v, close) &&
	    v.n > strlen(open) + strlen(close);
}

/* Is it made of these kinds of characters alone, and not empty? */
static bool
piece_is_name(struct piece v, bool small, const char *others)
{
	for (size_t i = 0; i < v.n; i++)
		if (!ascii_is_upper(v.p[i]) && !ascii_is_digit(v.p[i]) &&
		    !(small && ascii_is_letter(v.p[i])) &&
		    (v.p[i] == '\0' || strchr(others, v.p[i]) == NULL))
			return false;
	return v.n > 0 && !ascii_is_digit(v.p[0]);
}

/* $NAME of a shell; in small letters only where the name is one of a secret: `$ecret` is none. */
static bool
piece_is_variable(struct piece v)
{
	const struct piece name = { v.p + 1, v.n - 1 };

	/* $1 of a script */
	if (v.n == 2 && v.p[0] == '$' && (ascii_is_digit(v.p[1]) || v.p[1] == '@'))
		return true;
	return v.n > 1 && v.p[0] == '$' && (piece_is_name(name, false, "_") ||
	    (piece_is_name(name, true, "_") && (memchr(name.p, '_', name.n) != NULL ||
	    key_class(name.p, name.n) != KEY_OTHER)));
}

/* One ${...} (Kafka, Spring, Maven, shells), or several with no text between them. */
static bool
piece_is_braces(struct piece v)
{
	size_t at = 0, depth;

	do {
		if (v.n - at < 3 || v.p[at] != '$' || v.p[at + 1] != '{')
			return false;
		for (depth = 1, at += 2; at < v.n && depth > 0; at++) {
			if (v.p[at] == '{')
				depth++;
			else if (v.p[at] == '}')
				depth--;
		}
		if (depth > 0)
			return false;
		at += at < v.n && strchr(":/-_.@, ", v.p[at]) != NULL;
	} while (at < v.n);
	return true;
}

/* {{ 'text' | password_hash }} of Ansible: the text stands there to be read. */
static bool
piece_is_literal(struct piece v)
{
	static const char *const filters[] = { "password_hash", "hash(", "b64encode" };
	size_t at = 2, end;

	if (!piece_begins(v, "{{"))
		return false;
	while (at < v.n && value_is_blank(v.p[at]))
		at++;
	if (at == v.n || (v.p[at] != '\'' && v.p[at] != '"'))
		return false;
	for (end = at + 1; end < v.n && v.p[end] != v.p[at]; end++)
		;
	if (end <= at + 1 || end == v.n)
		return false;
	for (end++; end < v.n && (value_is_blank(v.p[end]) || v.p[end] == '|'); end++)
		;
	return piece_begins_as_one((struct piece){ v.p + end, v.n - end }, filters,
	    sizeof(filters) / sizeof(filters[0]));
}

/* The hash of a password, long enough to be whole: crypt(3), Argon2, Django, LDAP, PostgreSQL. */
static bool
piece_is_crypt(struct piece v)
{
	static const char *const begins[] = { "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$", "$7$",
		"$apr1$", "$argon2", "$scrypt$", "$pbkdf2", "pbkdf2_sha", "{SSHA", "{SHA",
		"{bcrypt}", "{PBKDF2", "SCRAM-SHA-256$" };

	return v.n >= 30 && piece_begins_as_one(v, begins, sizeof(begins) / sizeof(begins[0]));
}

/* A name in marks that templates are written with. */
static bool
piece_is_marked(struct piece v)
{
	static const char *const marks[][2] = {
		{ "%{", "}" }, { "@{", "}" }, { "$[", "]" }, { "[[", "]]" }, { "@@", "@@" },
		{ "%%", "%%" }, { "%env(", ")%" },
	};
	size_t from;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		from = strlen(marks[i][0]);
		if (piece_is_between(v, marks[i][0], marks[i][1]) && piece_is_name(piece_trim(v.p +
		    from, v.n - from - strlen(marks[i][1])), true, "_.-:/"))
			return true;
	}
	return false;
}

/* What other programs replace, or have sealed or hashed themselves. */
static bool
piece_is_reference(struct piece v)
{
	static const char *const pairs[][2] = {
		{ "$(", ")" }, { "`", "`" },		/* shells */
		{ "{{", "}}" }, { "{%", "%}" }, { "<%", "%>" },	/* Jinja, Go, Ansible, ERB */
		{ "#{", "}" }, { "%(", ")s" },		/* Ruby, Spring; Python */
		{ "#{", "}#" },				/* Azure DevOps */
		{ "%{hiera(", ")}" }, { "%{lookup(", ")}" },	/* Puppet's Hiera */
		{ "$__file{", "}" }, { "$__env{", "}" },	/* Grafana */
		{ "ENC(", ")" }, { "ENC[", "]" },	/* Jasypt; confluent secret, SOPS */
		{ "![", "]" },				/* Mule */
	};
	static const char *const begins[] = {
		"$ANSIBLE_VAULT", "!vault", "{cipher}", "vault:", "secretref:", "secretRef:",
		"arn:aws:secretsmanager:", "arn:aws:ssm:", "op://", "sm://", "awssm://",
		"keyvault:",
		"@Microsoft.KeyVault(", "ref+",
	};

	const struct piece inner = { v.p + 1, v.n > 2 ? v.n - 2 : 0 };

	/* Twice for the program behind, as Compose wants it. */
	if (piece_begins(v, "$$") && piece_is_reference((struct piece){ v.p + 1, v.n - 1 }))
		return true;
	if (piece_is_braces(v))
		return true;
	/* Of letters there is but one that a pair begins with. */
	for (size_t i = 0; (!ascii_is_letter(v.p[0]) || v.p[0] == 'E') &&
	    i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (piece_is_between(v, pairs[i][0], pairs[i][1]))
			return !piece_is_literal(v);
	if (piece_is_crypt(v) ||
	    piece_begins_as_one(v, begins, sizeof(begins) / sizeof(begins[0])))
		return true;
	if (piece_begins(v, "projects/") && memmem(v.p, v.n, "/secrets/", 9) != NULL)
		return true;
	return piece_is_variable(v) || piece_is_marked(v) || (v.n > 2 && v.p[0] == v.p[v.n - 1] &&
	    ((v.p[0] == '%' && piece_is_name(inner, false, "_")) ||
	    (v.p[0] == '@' && piece_is_name(inner, true, "_.-"))));
}

/* Is it the word, or does it begin with it and go on as another word? */
static bool
piece_says(struct piece v, const char *word)
{
	size_t n;

	if (v.n == 0 || (v.p[0] | 0x20) != word[0])
		return false;
	n = strlen(word);
	return v.n >= n && text_contains_nocase(v.p, n, word) &&
	    (v.n == n || !(ascii_is_digit(v.p[n]) || ascii_is_lower(v.p[n])));
}

/* Nothing but * or several x, perhaps in groups, or bullets, or a row of dots. */
static bool
piece_is_mask(struct piece v)
{
	size_t i, stars = 0, marks = 0;

	for (i = 0; i < v.n && v.p[i] != '\0' && strchr("xX*.-_:/?#", v.p[i]) != NULL; i++) {
		stars += v.p[i] == '*';
		marks += strchr("xX.?#", v.p[i]) != NULL;
	}
	if (i == v.n)
		return stars > 0 || marks > 2;
	/* The bullet of screens, U+2022. */
	for (i = 0; i + 3 <= v.n && memcmp(v.p + i, "\342\200\242", 3) == 0; i += 3)
		;
	return i == v.n;
}

/* A word that stands for a value, between marks: `***REDACTED***`, `(hidden)`. */
static bool
piece_is_masking_word(struct piece v)
{
	static const char *const words[] = { "redacted", "hidden", "masked", "removed",
		"filtered", "sanitized", "sensitive", "sensitive value" };
	static const char marks[] = "*()[]<>-#_ ";
	const size_t all = v.n;

	for (; v.n > 0 && v.p[0] != '\0' && strchr(marks, v.p[0]) != NULL; v.n--)
		v.p++;
	while (v.n > 0 && v.p[v.n - 1] != '\0' && strchr(marks, v.p[v.n - 1]) != NULL)
		v.n--;
	for (size_t i = 0; v.n + 1 < all && i < sizeof(words) / sizeof(words[0]); i++)
		if (v.n == strlen(words[i]) && text_contains_nocase(v.p, v.n, words[i]))
			return true;
	return false;
}

static bool
piece_is_placeholder(struct piece v)
{
	/* Those with more behind them; CHANGE_ME is one, and changeme a default password. */
	static const char *const words[] = {
		"your", "change_me", "change-me", "change.me", "change me", "replace_me",
		"replace-me", "replaceme", "replace_with", "replace-with", "replace with",
		"insert_your", "insert-your", "insert your", "enter_your", "enter-your",
		"enter your", "put_your", "put-your", "put your", "fill_in", "fill-in", "fill in",
		"fill_me", "todo", "fixme", "tbd", "redacted", "masked", "placeholder",
	};
	static const char *const whole[] = { "null", "none", "undefined", "n/a", "nil", "empty" };
	static const char *const marks[][2] = {
		{ "<", ">" }, { "__", "__" }, { "[hidden", "]" }, { "[redacted", "]" },
		{ "[REDACTED", "]" }, { "[your", "]" }, { "[YOUR", "]" },
	};

	if (piece_is_mask(v) || piece_is_masking_word(v) || piece_begins(v, "[hidden]") ||
	    piece_begins(v, "[REDACTED]") || (v.n > 3 && piece_ends(v, "...")))
		return true;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (piece_is_between(v, marks[i][0], marks[i][1]))
			return true;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (v.n == strlen(whole[i]) && (v.p[0] | 0x20) == whole[i][0] &&
		    text_contains_nocase(v.p, v.n, whole[i]))
			return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (piece_says(v, words[i]))
			return true;
	return false;
}

static bool
piece_is_filled(struct piece v)
{
	v = piece_trim(v.p, v.n);
	return v.n > 0 && !piece_is_reference(v) && !piece_is_placeholder(v);
}

/* A private key in PEM with something in it, or what Google calls the key of a service account. */
static bool
piece_has_private_key(struct piece v)
{
	static const char begin[] = "PRIVATE KEY-----", member[] = "\"private_key\"";
	const char *p, *end = v.p + v.n;
	size_t n;

	if ((p = memmem(v.p, v.n, begin, sizeof(begin) - 1)) != NULL) {
		p += sizeof(begin) - 1;
		/* Line ends may be spelt \n here. */
		while (p < end && (value_is_blank(*p) ||
		    (*p == '\\' && p + 1 < end && p[1] == 'n')))
			p += *p == '\\' ? 2 : 1;
		for (n = 0; p + n < end && !value_is_blank(p[n]) && p[n] != '\\' &&
		    p[n] != '-'; n++)
			;
		return piece_is_filled((struct piece){ p, n });
	}
	if ((p = memmem(v.p, v.n, member, sizeof(member) - 1)) == NULL)
		return false;
	for (p += sizeof(member) - 1; p < end && (value_is_blank(*p) || *p == ':'); p++)
		;
	for (n = 1; p < end && p + n < end && p[n] != '"'; n++)
		;
	return p < end && *p == '"' && piece_is_filled((struct piece){ p + 1, n - 1 });
}

/* Does it begin as the settings of a connection of libpq: host=x user=y password=z? */
static bool
piece_is_libpq(struct piece v)
{
	static const char *const names[] = { "host=", "hostaddr=", "dbname=", "user=", "port=",
		"service=", "sslmode=" };

	return piece_begins_as_one(v, names, sizeof(names) / sizeof(names[0]));
}

/* scheme://user:password@host; ${from} is behind the slashes. */
static bool
piece_has_user(struct piece v, size_t from)
{
	size_t at = 0, colon = 0, i;

	for (i = from; i < v.n && v.p[i] != '\0' && strchr("/?#\"' \t\r\n", v.p[i]) == NULL; i++) {
		if (v.p[i] == '@')
			at = i;
		if (v.p[i] == ':' && colon == 0)
			colon = i;
		/* A reference may hold any of these. */
		if (v.p[i] == '$' && i + 1 < v.n && v.p[i + 1] == '{')
			while (i + 1 < v.n && v.p[i] != '}')
				i++;
	}
	return at > 0 && colon > 0 && colon + 1 < at &&
	    piece_is_filled((struct piece){ v.p + colon + 1, at - colon - 1 });
}

static bool
value_is_of_name(char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '.' || c == '-';
}

/* A connection of Redis begins with hosts and ports: a:6380,b:6380,password=x,ssl=True. */
static bool
piece_is_host(struct piece v, size_t end)
{
	const char *colon = memchr(v.p, ':', end);

	if (colon == NULL || colon + 1 == v.p + end || !ascii_is_digit(colon[1]))
		return false;
	for (const char *p = v.p; p < colon; p++)
		if (!value_is_of_name(*p))
			return false;
	return colon > v.p;
}

/* Does it begin as a list of settings, user=x,password=y, perhaps with a line for each? */
static bool
piece_is_list(struct piece v)
{
	size_t n = 0;

	while (n < v.n && value_is_of_name(v.p[n]))
		n++;
	return n > 0 && v.p[0] != '-' && n + 1 < v.n && v.p[n] == '=' && v.p[n + 1] != '=';
}

/* May a setting have its name behind this character, at ${start}?  ${commas}: a comma ends its
 * value. */
static bool
piece_may_name(struct piece v, size_t start, bool *commas)
{
	const char before = start > 0 ? v.p[start - 1] : '\0';

	*commas = before == ',' || before == '[' || before == '(';
	switch (before) {
	case '?':
	case '&':
	case ';':
	case '[':
		return true;
	case '\0':
		if (memchr(v.p, ';', v.n) != NULL)
			return true;
		return *commas = piece_is_list(v);
	case ',':
		return memchr(v.p, '[', start) != NULL || piece_is_host(v, start - 1) ||
		    piece_is_list(v) || piece_begins(v, "jdbc:");
	case '/':	/* Teradata */
	case '(':	/* MySQL */
		return piece_begins(v, "jdbc:");
	default:
		return value_is_blank(before) && ((start > 1 && v.p[start - 2] == ';') ||
		    piece_is_libpq(v) || piece_begins((struct piece){ v.p + start,
		    v.n - start }, "ansible_") || (before == '\n' && piece_is_list(v)));
	}
}

/* Is what stands before the `=` at ${at} the name of a secret, and has it a value? */
static bool
piece_has_member(struct piece v, size_t at, struct value_member *out)
{
	struct piece name, text;
	enum key_class class;
	size_t start = at, end = at + 1;
	char before, quote;
	bool commas = false;

	while (start > 0 && value_is_of_name(v.p[start - 1]))
		start--;
	name = (struct piece){ v.p + start, at - start };
	before = start > 0 ? v.p[start - 1] : '\0';
	out->option = (piece_begins(name, "-D") || piece_begins(name, "--")) &&
	    (before == '\0' || value_is_blank(before) || before == '"');
	if (name.n == 0 || !(out->option || piece_may_name(v, start, &commas)))
		return false;
	class = key_class(name.p, name.n);
	if (class != KEY_SECRET && class != KEY_MATERIAL)
		return false;
	quote = end < v.n && (v.p[end] == '"' || v.p[end] == '\'') ? v.p[end++] : '\0';
	for (start = end; end < v.n && (quote != '\0' ? v.p[end] != quote :
	    v.p[end] != '&' && v.p[end] != ';' && !value_is_blank(v.p[end]) &&
	    !(commas && strchr(",])", v.p[end]) != NULL)); end++)
		;
	text = (struct piece){ v.p + start, end - start };
	out->name = (size_t)(name.p - v.p) + (out->option ? 2 : 0);
	out->name_len = at - out->name;
	out->from = start;
	out->to = end;
	return piece_is_filled(text) &&
	    (class != KEY_MATERIAL || !value_is_pointer(text.p, text.n));
}

bool
value_next_member(const char *value, size_t n, size_t *at, struct value_member *out)
{
	const struct piece v = { value, n };
	const char *equals;

	while (*at < n && (equals = memchr(value + *at, '=', n - *at)) != NULL) {
		*at = (size_t)(equals - value) + 1;
		if (piece_has_member(v, *at - 1, out)) {
			*at = out->to;
			return true;
		}
	}
	return false;
}

/* Of Go's driver for MySQL: user:password@tcp(host:3306)/name, or @(host)/. */
static bool
piece_is_mysql(struct piece v)
{
	const char *at = memchr(v.p, '@', v.n), *colon, *end = v.p + v.n, *p;

	if (at == NULL || (colon = memchr(v.p, ':', (size_t)(at - v.p))) == NULL ||
	    piece_begins(v, "jdbc:"))
		return false;
	for (p = v.p; p < colon; p++)
		if (!value_is_of_name(*p))
			return false;
	for (p = at + 1; p < end && ascii_is_letter(*p); p++)
		;
	return colon > v.p && p < end && *p == '(' && memchr(p, ')', (size_t)(end - p)) != NULL &&
	    piece_is_filled((struct piece){ colon + 1, (size_t)(at - colon) - 1 });
}

static bool
piece_has_credentials(struct piece v)
{
	static const char oracle[] = "jdbc:oracle:";
	const char *p, *slash, *at, *end = v.p + v.n;
	struct value_member m;
	size_t from = 0;

	for (p = v.p; (p = memchr(p, ':', (size_t)(end - p))) != NULL; p++)
		if (piece_begins((struct piece){ p, (size_t)(end - p) }, "://") &&
		    piece_has_user(v, (size_t)(p - v.p) + 3))
			return true;
	if (value_next_member(v.p, v.n, &from, &m) || piece_is_mysql(v))
		return true;
	/* jdbc:oracle:thin:user/password@host, and oci */
	if (!piece_begins(v, oracle))
		return false;
	p = v.p + sizeof(oracle) - 1;
	at = memchr(p, '@', (size_t)(end - p));
	slash = at != NULL ? memchr(p, '/', (size_t)(at - p)) : NULL;
	return slash != NULL &&
	    piece_is_filled((struct piece){ slash + 1, (size_t)(at - slash) - 1 });
}

/* A member of JSON whose name is one of a secret, and what it has for a text; or of JSON that is
 * a text in it, with its quotes behind backslashes. */
static bool
piece_has_json_secret(struct piece v)
{
	const char *p = v.p, *end = v.p + v.n, *name, *name_end, *text, *q;
	enum key_class class;

	if (v.n < 8 || (*p != '{' && *p != '['))
		return false;
	for (; (p = memchr(p, ':', (size_t)(end - p))) != NULL; p++) {
		for (q = p; q > v.p && value_is_blank(q[-1]); q--)
			;
		if (q == v.p || (q[-1] != '"' && q[-1] != '\''))
			continue;
		for (name_end = --q; name_end > v.p && name_end[-1] == '\\'; name_end--)
			;
		for (name = name_end; name > v.p && name[-1] != *q; name--)
			;
		for (text = p + 1; text < end && (value_is_blank(*text) || *text == '\\'); text++)
			;
		if (name == name_end || text == end || *text++ != *q)
			continue;
		class = key_class(name, (size_t)(name_end - name));
		if (class != KEY_SECRET && class != KEY_MATERIAL)
			continue;
		for (q = text; q < end && *q != *name_end && *q != text[-1]; q++)
			;
		if (piece_is_filled((struct piece){ text, (size_t)(q - text) }) &&
		    (class != KEY_MATERIAL || !value_is_pointer(text, (size_t)(q - text))))
			return true;
	}
	return false;
}

/* The key of a private key in DER, not encrypted, in base64: PKCS#8, PKCS#1, SEC 1.  What comes
 * before the lengths and behind them is the same in all. */
static bool
piece_is_der_key(struct piece v)
{
	static const char *const short_begins[] = { "MHcCAQEE", "MHQCAQEE", "MC4CAQAwBQYDK2" };

	if (v.n < 60)
		return false;
	if (piece_begins(v, "MII"))
		return memcmp(v.p + 6, "IBADAN", 6) == 0 || memcmp(v.p + 6, "IBAAKC", 6) == 0;
	return piece_begins_as_one(v, short_begins,
	    sizeof(short_begins) / sizeof(short_begins[0])) ||
	    (piece_begins(v, "MI") && (memcmp(v.p + 4, "AgEAM", 5) == 0 ||
	    memcmp(v.p + 4, "AgEBB", 5) == 0));
}

/* The same, or PEM or the JSON of a service account in base64, perhaps as the URI of data. */
static bool
piece_is_encoded_key(struct piece v)
{
	static const char *const begins[] = { "LS0tLS1CRUdJTi", "eyJ", "ewog", "ew0K", "eyAi",
		"ewoJ" };
	static const char mark[] = "base64,";
	const char *p;
	struct buf text;
	bool found = false;

	if (piece_begins(v, "data:") && (p = memmem(v.p, v.n, mark, sizeof(mark) - 1)) != NULL)
		p += sizeof(mark) - 1;
	else
		p = v.p + (piece_begins(v, "base64:") ? sizeof(mark) - 1 : 0);
	v = (struct piece){ p, v.n - (size_t)(p - v.p) };
	if (piece_is_der_key(v))
		return true;
	if (v.n < 60 || !piece_begins_as_one(v, begins, sizeof(begins) / sizeof(begins[0])))
		return false;
	buf_init_secret(&text, BUF_MAX_FILE);
	if (base64_decode(&text, v.p, v.n) == 0)
		found = piece_has_private_key((struct piece){ (const char *)text.data, text.len });
	buf_release(&text);
	return found;
}

/* How many characters of base64url there are from ${p} on. */
static size_t
value_run(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && (ascii_is_alnum(*p) || *p == '-' || *p == '_'))
		p++;
	return (size_t)(p - from);
}

/* A JSON Web Token: {"... in base64, a dot, another one, a dot.  What begins later in the
 * same run ends where it does. */
static bool
piece_has_jwt(struct piece v)
{
	const char *p = v.p, *end = v.p + v.n;
	size_t head, body;

	for (; (p = memmem(p, (size_t)(end - p), "eyJ", 3)) != NULL; p += head) {
		head = value_run(p, end);
		if (head < 10 || p + head == end || p[head] != '.')
			continue;
		body = value_run(p + head + 1, end);
		if (body >= 10 && memcmp(p + head + 1, "eyJ", 3) == 0)
			return true;
	}
	return false;
}

bool
value_has_authorization(const char *value, size_t n)
{
	static const char *const schemes[] = { "basic ", "bearer ", "apikey ", "token ",
		"geniekey ", "splunk " };
	static const char *const names[] = { "authorization:", "api-key:", "apikey:", "token:",
		"authorization=", "api-key=", "auth-token=" };
	struct piece rest;

	for (size_t at = 0; at < n; at++) {
		rest = (struct piece){ value + at, n - at };
		if (at > 0 && ascii_is_alnum(value[at - 1]))
			continue;
		for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
			size_t len = strlen(schemes[i]), end = len;

			if (rest.n <= len || !text_contains_nocase(rest.p, len, schemes[i]))
				continue;
			while (end < rest.n && rest.p[end] != ',' && rest.p[end] != '|')
				end++;
			return piece_is_filled((struct piece){ rest.p + len, end - len });
		}
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			size_t len = strlen(names[i]);

			if (rest.n <= len || !text_contains_nocase(rest.p, len, names[i]))
				continue;
			rest = (struct piece){ rest.p + len, rest.n - len };
			if (text_contains_nocase(rest.p, rest.n, "basic ") ||
			    text_contains_nocase(rest.p, rest.n, "bearer "))
				break;
			return piece_is_filled(rest);
		}
	}
	return false;
}

/* A webhook of Slack, Discord, Teams or Zapier: who has the URL may post; so it is with those of
 * Mattermost and Rocket.Chat, whose last part is one at random.  What their documents show ends
 * with one letter again and again. */
static bool
piece_is_webhook(struct piece v)
{
	static const char *const hosts[] = { "://hooks.slack.com/services/",
		"://discord.com/api/webhooks/", ".webhook.office.com/webhookb2/",
		"://hooks.zapier.com/hooks/catch/" };
	const char *last = v.p + v.n;
	bool same = true;

	if (!piece_begins(v, "https:") || memmem(v.p, v.n, "hook", 4) == NULL ||
	    memchr(v.p, '<', v.n) != NULL || memchr(v.p, '{', v.n) != NULL ||
	    memchr(v.p, '$', v.n) != NULL)
		return false;
	while (last > v.p && last[-1] != '/')
		last--;
	for (const char *p = last; p < v.p + v.n; p++)
		same &= *p == *last;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (memmem(v.p, v.n, hosts[i], strlen(hosts[i])) != NULL)
			return !same && v.p + v.n - last >= 6;
	return memmem(v.p, v.n, "/hooks/", 7) != NULL &&
	    value_is_opaque(last, (size_t)(v.p + v.n - last));
}

/* IDENTIFIED BY 'v', PASSWORD 'v' and the like, of an account. */
static bool
piece_has_statement(struct piece v)
{
	size_t at = 0, from, to;

	if (!sql_may_have_password(v.p, v.n))
		return false;
	while (sql_next_password(v.p, v.n, &at, &from, &to))
		if (value_kind(v.p + from, to - from) == VALUE_TEXT)
			return true;
	return false;
}

enum value_kind
value_kind(const char *value, size_t n)
{
	const struct piece v = piece_trim(value, n);
	bool is_long;	/* most passwords are shorter than what is looked for in such a one */

	if (v.n == 0)
		return VALUE_EMPTY;
	if (piece_is_reference(v))
		return VALUE_REFERENCE;
	if (piece_is_placeholder(v))
		return VALUE_PLACEHOLDER;
	is_long = v.n >= sizeof("authorization:");
	if (is_long && (piece_has_private_key(v) || piece_is_encoded_key(v)))
		return VALUE_PRIVATE_KEY;
	if (piece_has_credentials(v) || (is_long && piece_is_webhook(v)))
		return VALUE_CREDENTIALS;
	if (is_long && (piece_has_jwt(v) || ((memmem(v.p, v.n, "uthorization", 12) != NULL ||
	    memmem(v.p, v.n, "UTHORIZATION", 12) != NULL) && value_has_authorization(v.p, v.n))))
		return VALUE_TOKEN;
	if (piece_has_json_secret(v))
		return VALUE_MEMBER;
	if (is_long && piece_has_statement(v))
		return VALUE_CREDENTIALS;
	/* A URL of which a template makes a part has no secret yet. */
	if (memmem(v.p, v.n, "{{", 2) != NULL && memmem(v.p, v.n, "}}", 2) != NULL &&
	    memmem(v.p, v.n, "://", 3) != NULL)
		return VALUE_REFERENCE;
	return VALUE_TEXT;
}

bool
value_kind_is_secret(enum value_kind k)
{
	return k == VALUE_PRIVATE_KEY || k == VALUE_CREDENTIALS || k == VALUE_TOKEN ||
	    k == VALUE_MEMBER;
}

bool
value_may_be_secret(const unsigned char *raw, size_t n)
{
	static const char *const signs[] = { "eyJ", "-----BEGIN", "uthorization", "UTHORIZATION",
		"hook" };
	static const char *const coded[] = { "LS0tLS1CRUdJTi", "MII", "AgEAM", "AgEBB", "CAQE",
		"CAQAwBQ", "ewog", "ew0K", "eyAi", "ewoJ" };

	if (n < 8)
		return false;
	if (memchr(raw, '=', n) != NULL || memchr(raw, '@', n) != NULL ||
	    (memchr(raw, '\\', n) != NULL && memmem(raw, n, "\\u", 2) != NULL))
		return true;
	/* Braces are those of JSON, or of a reference. */
	if (memchr(raw, '{', n) != NULL && memchr(raw, ':', n) != NULL &&
	    (memchr(raw, '"', n) != NULL || memchr(raw, '\'', n) != NULL))
		return true;
	/* None of these comes with less behind it. */
	if (n < 20)
		return false;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (memmem(raw, n, signs[i], strlen(signs[i])) != NULL)
			return true;
	/* Keys in base64 are long, and have no dots, which names and addresses have. */
	for (size_t i = 0; n >= 60 && memchr(raw, '.', n) == NULL &&
	    i < sizeof(coded) / sizeof(coded[0]); i++)
		if (memmem(raw, n, coded[i], strlen(coded[i])) != NULL)
			return true;
	return sql_may_have_password(raw, n);
}

/* https://host:port/ */
static bool
piece_is_origin(struct piece v)
{
	size_t at = piece_begins(v, "https://") ? 8 : piece_begins(v, "http://") ? 7 : 0;

	if (at == 0)
		return false;
	while (at < v.n && (value_is_of_name(v.p[at]) || v.p[at] == ':'))
		at++;
	return at + (at < v.n && v.p[at] == '/') == v.n;
}

bool
value_is_pointer(const char *value, size_t n)
{
	static const char *const endings[] = { ".pem", ".key", ".json", ".jks", ".p12", ".pfx",
		".txt", ".crt", ".keytab", ".properties", ".jwt" };
	const struct piece v = piece_trim(value, n);

	if ((v.n == 4 && text_contains_nocase(v.p, 4, "true")) ||
	    (v.n == 5 && text_contains_nocase(v.p, 5, "false")))
		return true;
	/* A URL of nothing but a host, as n8n has in WEBHOOK_URL. */
	if (piece_is_origin(v))
		return true;
	/* The id of a key of AWS, which names one. */
	if (v.n == 20 && (piece_begins(v, "AKIA") || piece_begins(v, "ASIA")))
		return true;
	if (v.n == 0 || memchr(v.p, '\n', v.n) != NULL || memchr(v.p, '{', v.n) != NULL)
		return false;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (piece_ends(v, endings[i]))
			return true;
	if (piece_begins(v, "file:") || piece_begins(v, "classpath:") || piece_begins(v, "~/") ||
	    piece_begins(v, "./") || piece_begins(v, "../"))
		return true;
	/* Base64 may begin with a slash and have others; it has capitals, too. */
	if (v.p[0] != '/' || memchr(v.p + 1, '/', v.n - 1) == NULL)
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (ascii_is_upper(v.p[i]) || v.p[i] == '+' || v.p[i] == '=')
			return false;
	return true;
}

bool
value_is_pair_of(const char *value, size_t n, enum value_kind *kind)
{
	const struct piece v = piece_trim(value, n);
	const char *colon = v.n > 0 ? memchr(v.p, ':', v.n) : NULL;
	enum value_kind k;

	if (colon == NULL)
		return false;
	k = value_kind(colon + 1, v.n - (size_t)(colon - v.p) - 1);
	if (k != VALUE_REFERENCE && k != VALUE_PLACEHOLDER)
		return false;
	*kind = k;
	return true;
}

bool
value_is_hash(const char *value, size_t n)
{
	static const char *const begins[] = { "$2", "$apr1$", "$1$", "$5$", "$6$", "$y$", "{SHA",
		"{SSHA", "{CRYPT}", "{bcrypt}", "{pbkdf2}", "MD5:", "CRYPT:",
		"SCRAM-SHA-256$", "*" };

	/* Twice in files of Compose. */
	if (n > 1 && value[0] == '$' && value[1] == '$') {
		value++;
		n--;
	}
	return piece_begins_as_one((struct piece){ value, n }, begins,
	    sizeof(begins) / sizeof(begins[0]));
}

bool
value_is_opaque(const char *value, size_t n)
{
	size_t digits = 0, letters = 0;

	for (size_t i = 0; i < n; i++) {
		digits += ascii_is_digit(value[i]);
		letters += ascii_is_letter(value[i]);
	}
	return n >= 20 && digits + letters == n && digits >= 4 && letters >= 4;
}

bool
value_is_sum(const char *value, size_t n)
{
	static const size_t lengths[] = { 32, 40, 56, 64, 96, 128 };

	for (size_t i = 0; i < n; i++)
		if (!ascii_is_digit(value[i]) && !((value[i] | 0x20) >= 'a' &&
		    (value[i] | 0x20) <= 'f'))
			return false;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if (n == lengths[i])
			return true;
	return false;
}

/* Spring writes ${NAME:default}, which looks like a provider's reference: of one colon, and no
 * other variable behind it. */
static bool
piece_is_spring_default(struct piece v)
{
	bool variable = true;

	for (size_t i = 0; i < v.n; i++)
		variable &= ascii_is_upper(v.p[i]) || ascii_is_digit(v.p[i]) || v.p[i] == '_';
	return !variable && memchr(v.p, ':', v.n) == NULL && *v.p != '?' && *v.p != '+';
}

bool
value_default(const char *value, size_t n, size_t *name_len, size_t *from)
{
	size_t at = 2;
	bool capitals = true;

	if (n < 6 || memcmp(value, "${", 2) != 0 || value[n - 1] != '}')
		return false;
	for (; value[at] != '-' && value[at] != '.' && value_is_of_name(value[at]); at++)
		capitals &= !ascii_is_lower(value[at]);
	*name_len = at - 2;
	if (value[at] == ':' && (value[at + 1] == '-' || value[at + 1] == '='))
		at += 2;
	/* Without the colon a name with a dash in it looks the same. */
	else if (capitals && (value[at] == '-' || value[at] == '=' || (value[at] == ':' &&
	    piece_is_spring_default((struct piece){ value + at + 1, n - at - 2 }))))
		at++;
	else
		return false;
	*from = at;
	return *name_len > 0 && at < n - 1 && memchr(value + at, '$', n - at) == NULL;
}

/* Is it user:password?  A host and a port look the same, but for its digits. */
static bool
piece_is_pair(struct piece v)
{
	/* The first user of Neo4j has a slash behind it. */
	const char *between = v.n == 0 ? NULL : piece_begins(v, "neo4j/") ? v.p + 5 :
	    memchr(v.p, ':', v.n);
	struct piece user, password;
	size_t digits = 0;

	if (between == NULL)
		return false;
	user = (struct piece){ v.p, (size_t)(between - v.p) };
	password = (struct piece){ between + 1, v.n - user.n - 1 };
	for (size_t i = 0; i < user.n; i++)
		if (!value_is_of_name(user.p[i]) && user.p[i] != '@' && user.p[i] != '+')
			return false;
	for (size_t i = 0; i < password.n; i++) {
		if (value_is_blank(password.p[i]))
			return false;
		digits += ascii_is_digit(password.p[i]);
	}
	return user.n > 0 && !piece_begins(password, "//") && piece_is_filled(password) &&
	    !(digits == password.n && digits < 6) && !value_is_hash(password.p, password.n);
}

bool
value_is_pair(const char *value, size_t n)
{
	const struct piece v = piece_trim(value, n);
	struct buf text;
	bool is_pair;

	if (piece_is_pair(v))
		return true;
	buf_init_secret(&text, BUF_MAX_FILE);
	is_pair = v.n > 4 && base64_decode(&text, v.p, v.n) == 0 && text.len > 2 &&
	    memchr(text.data, ':', text.len) != NULL && memchr(text.data, '\0', text.len) == NULL;
	buf_release(&text);
	return is_pair;
}

bool
value_has_module(const void *value, size_t n)
{
	static const char module[] = "LoginModule ";

	return n > sizeof(module) && memmem(value, n, module, sizeof(module) - 1) != NULL;
}

bool
value_is_jaas(const void *value, size_t n)
{
	struct jaas *j = value_has_module(value, n) ? jaas_parse(value, n, NULL) : NULL;
	struct jaas_option o;
	bool found = false;

	for (size_t k = 0; j != NULL && !found && k < jaas_count(j); k++) {
		o = jaas_option(j, k);
		found = jaas_option_is_secret(o.name, o.name_len) &&
		    value_kind((const char *)value + o.inner_from, o.inner_to - o.inner_from) ==
		    VALUE_TEXT;
	}
	jaas_free(j);
	return found;
}

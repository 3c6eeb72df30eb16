#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/jaas.h"
#include "secrets/keys.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/sql.h"
#include "secrets/value.h"

/* Texts in texts: a block of YAML with a here-document in it, and so on. */
#define DEPTH_MAX 4

#define WEAK_LENGTH 12

/* The values that examples, images and products come with, and people's favourites. */
static const char *const defaults[] = {
	"changeit", "changeme", "change-it", "password", "passw0rd", "p@ssw0rd", "pass", "secret",
	"admin", "administrator", "admin123", "admin-secret", "root", "toor", "test", "test123",
	"test1234", "confluent", "kafka", "kafka-secret", "broker", "connect", "client",
	"schemaregistry", "schema-registry", "ksql", "ksqldb", "c3", "mds", "mds-secret", "alice",
	"alice-secret", "bob", "bob-secret", "user", "user1", "guest", "postgres", "mysql",
	"mysqlpw", "dbz", "debezium", "debeziumdbz", "oracle", "tiger", "system", "manager",
	"sa", "example", "default", "demo", "foobar", "letmein", "welcome", "welcome1", "qwerty",
	"123456",
	"12345678", "123456789", "1234", "12345", "111111", "abc123", "minioadmin", "elastic",
	"keystore", "truststore", "storepass", "keypass", "serverpassword", "clientpass",
	"datahub", "zookeeper", "mypassword", "mysecret", "mysecretpassword", "password123",
	"password1", "producer", "consumer", "superuser", "superusersecret", "testpassword",
};

bool
audit_is_default(const char *value, size_t n)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (strlen(defaults[i]) == n && text_contains_nocase(value, n, defaults[i]))
			return true;
	return false;
}

/* Is it one of the variables that the caller knows to hold a master key? */
static bool
source_is_named(const struct audit *a, const char *key, size_t len)
{
	for (size_t i = 0; i < a->o->key_name_count; i++)
		if (strlen(a->o->key_names[i]) == len &&
		    memcmp(a->o->key_names[i], key, len) == 0)
			return true;
	return false;
}

/* Is it the key of a master key, and not of another one? */
static bool
source_is_master_key(const struct audit *a, const char *key, size_t len)
{
	static const char word[] = "securitymasterkey", credential[] = "propseal.master-key";
	size_t n = sizeof(word) - 1;

	if ((len == sizeof(credential) - 1 && memcmp(key, credential, len) == 0) ||
	    source_is_named(a, key, len))
		return true;
	while (len > 0 && n > 0) {
		char c = (char)(key[len - 1] | 0x20);

		if (ascii_is_lower(c) && c != word[--n])
			return false;
		len--;
	}
	return n == 0;
}

/* How good is a secret in clear text?  1: it is one that many have. */
static int
source_weigh(struct audit_source *s, const char *key, size_t len, const char *value, size_t n,
    const struct audit_finding *region, struct error *err)
{
	const char *colon = memchr(value, ':', n);

	/* Of user:password, the password. */
	if (colon != NULL && colon + 1 < value + n &&
	    memchr(colon, '/', (size_t)(value + n - colon)) == NULL) {
		n -= (size_t)(colon - value) + 1;
		value = colon + 1;
	}
	if (audit_is_default(value, n))
		return audit_add(s, AUDIT_DEFAULT, key, len, region, err) != NULL ? 1 : -1;
	if (n < WEAK_LENGTH)
		return audit_add(s, AUDIT_WEAK, key, len, region, err) != NULL ? 0 : -1;
	return 0;
}

/* A secret in clear text: under the rule that says most about it. */
static int
source_clear(struct audit_source *s, const struct form_item *i, const char *key, size_t len,
    const char *value, size_t n, struct audit_finding *region, struct error *err)
{
	enum value_kind kind = value_kind(value, n);
	enum audit_rule rule = AUDIT_CLEAR_TEXT;
	size_t index = s->a->findings.len;
	int common = 0;

	if (s->backup)
		rule = AUDIT_BACKUP;
	else if (source_is_master_key(s->a, key, len))
		rule = AUDIT_MASTER_KEY_IN_FILE;
	else if (i->role == FORM_OPTION || (s->origin == AUDIT_FROM_PROCESS &&
	    s->form == FORM_SHELL))
		rule = AUDIT_COMMAND_LINE;
	else if (kind == VALUE_PRIVATE_KEY)
		rule = AUDIT_PRIVATE_KEY;
	else if (kind == VALUE_CREDENTIALS)
		rule = AUDIT_URL_CREDENTIALS;
	if (audit_add(s, rule, key, len, region, err) == NULL)
		return -1;
	if (kind == VALUE_TEXT &&
	    (common = source_weigh(s, key, len, value, n, region, err)) == -1)
		return -1;
	if (common == 0)
		audit_finding(s->a, index)->value = audit_sum(s->a, value, n);
	if (audit_judge_age(s, key, len, region, s->a->changed, "change it where "
	    "it is made, and here; sealed it would not be here to be read", err) != 0)
		return -1;
	/* In INI each section has its own. */
	if (i->shadowed &&
	    !(s->form == FORM_PROPERTIES && memmem(s->text, s->n, "\n[", 2) != NULL) &&
	    audit_add(s, AUDIT_DUPLICATE_KEY, key, len, region, err) == NULL)
		return -1;
	return 0;
}

/* Part of an item's value, by decoded offsets; the whole where escapes come between. */
static void
source_part(struct audit_source *s, const struct form_item *i, size_t from, size_t to,
    struct audit_finding *region)
{
	if (i->to - i->from == i->n && to <= i->n)
		audit_source_region(s, i->from + from, i->from + to, region);
	else
		audit_source_region(s, i->from, i->to, region);
}

/* <key>#<option> */
static int
source_option(struct audit_source *s, const struct form_item *i, const char *name, size_t name_len,
    size_t from, size_t to, enum form_role role, struct error *err)
{
	struct form_item option = *i;
	struct audit_finding region;
	struct buf key;
	int rc;

	buf_init(&key, BUF_MAX_FILE);
	buf_append(&key, i->key, i->key_len);
	buf_append_char(&key, '#');
	buf_append(&key, name, name_len);
	option.role = role;
	source_part(s, i, from, to, &region);
	rc = buf_check(&key, err) != 0 ? -1 : source_clear(s, &option, (const char *)key.data,
	    key.len, i->value + from, to - from, &region, err);
	buf_release(&key);
	return rc;
}

/* The secret options of JAAS.  1: it was none. */
static int
source_jaas(struct audit_source *s, const struct form_item *i, struct error *err)
{
	const struct rules *rules = s->a->o->rules;
	struct jaas_option o;
	struct audit_finding region;
	enum secret secret;
	struct error why;
	struct jaas *j;
	int rc = 0;

	if ((j = jaas_parse(i->value, i->n, &why)) == NULL)
		return why.code == ERROR_MEMORY ? error_memory(err) : 1;
	for (size_t k = 0; rc == 0 && k < jaas_count(j); k++) {
		o = jaas_option(j, k);
		secret = rules_option_secret(rules, j, k, i->key, i->key_len, i->value);
		if (secret == SECRET_CLEAR)
			rc = source_option(s, i, o.name, o.name_len, o.inner_from, o.inner_to,
			    FORM_ENTRY, err);
		else if (secret == SECRET_PLACEHOLDER) {
			source_part(s, i, o.inner_from, o.inner_to, &region);
			rc = audit_add(s, AUDIT_PLACEHOLDER, i->key, i->key_len, &region,
			    err) != NULL ? 0 : -1;
		}
	}
	jaas_free(j);
	return rc;
}

/* Options of a command in a value: -Dname=secret, --name=secret.  ${*found}: some. */
static int
source_members(struct audit_source *s, const struct form_item *i, bool *found, struct error *err)
{
	struct value_member m;
	size_t at = 0;
	int rc = 0;

	*found = false;
	while (rc == 0 && value_next_member(i->value, i->n, &at, &m)) {
		if (!m.option)
			continue;
		*found = true;
		rc = source_option(s, i, i->value + m.name, m.name_len, m.from, m.to, FORM_OPTION,
		    err);
	}
	return rc;
}

/* Passwords in statements of SQL.  ${*found}: some. */
static int
source_statements(struct audit_source *s, const struct form_item *i, bool *found,
    struct error *err)
{
	/* An argument of a command has no name of its own. */
	const enum form_role role = i->name != NULL && i->name_len == 0 ? FORM_OPTION : FORM_ENTRY;
	size_t at = 0, from, to;
	int rc = 0;

	*found = false;
	while (rc == 0 && sql_next_password(i->value, i->n, &at, &from, &to)) {
		const enum value_kind kind = value_kind(i->value + from, to - from);

		if (kind != VALUE_TEXT && !value_kind_is_secret(kind))
			continue;
		*found = true;
		rc = source_option(s, i, "password", 8, from, to, role, err);
		/* Where escapes come between, all would stand at the same place; and what can be
		 * sealed is sealed as a whole, and counts as one. */
		if (i->to - i->from != i->n || s->form == FORM_PROPERTIES || s->form == FORM_JSON)
			break;
	}
	return rc;
}

static bool
source_has_statement(const char *text, size_t n)
{
	size_t at = 0, from, to;

	return n > 20 && memchr(text, ' ', n) != NULL &&
	    sql_next_password(text, n, &at, &from, &to);
}

/* A reference that nobody takes for one, or where nobody resolves it.  1: such a one. */
static int
source_reference(struct audit_source *s, const struct form_item *i, struct error *err)
{
	static const char ours[] = REFERENCE_PROVIDER ":";
	struct audit_finding region;
	enum audit_rule rule;

	if (memmem(i->value, i->n, ours, sizeof(ours) - 1) == NULL)
		return 0;
	if (!resolve_finds_ours(i->value, i->n))
		rule = AUDIT_MALFORMED_REFERENCE;
	else if (s->unresolved)
		rule = AUDIT_UNRESOLVABLE;
	else
		return audit_refer(s, i, err);
	audit_source_region(s, i->from, i->to, &region);
	if (audit_add(s, rule, i->key, i->key_len, &region, err) == NULL)
		return -1;
	/* What refers to an entry uses it, whoever resolves that. */
	return rule == AUDIT_UNRESOLVABLE && audit_refer(s, i, err) != 0 ? -1 : 1;
}

/* The folder that a shell is in; PWD may as well be somebody's word for a password. */
static bool
source_is_folder(const char *name, size_t len, const struct form_item *i)
{
	return ((len == 3 && memcmp(name, "PWD", 3) == 0) ||
	    (len == 6 && memcmp(name, "OLDPWD", 6) == 0)) && i->n > 0 && i->value[0] == '/';
}

/* AKHQ's users, in a list: their passwords are kept as SHA-256. */
static bool
source_is_known_sum(const struct form_item *i)
{
	return i->n == 64 && text_contains_nocase(i->key, i->key_len, "akhq.security.basic-auth") &&
	    value_is_sum(i->value, i->n);
}

static int
source_entry(struct audit_source *s, const struct form_item *i, struct error *err)
{
	/* What the user says is said of whole keys. */
	bool tells;
	const bool whole = i->name == NULL || (s->a->o->rules != NULL && s->form == FORM_JSON &&
	    (rules_public(s->a->o->rules, i->key, i->key_len) ||
	    rules_tell(s->a->o->rules, i->key, i->key_len, &tells)));
	const char *name = whole ? i->key : i->name;
	size_t len = whole ? i->key_len : i->name_len;
	struct audit_finding region;
	enum secret secret;
	bool options;
	int rc;

	if ((rc = source_reference(s, i, err)) != 0)
		return rc == 1 ? 0 : -1;
	if (jaas_key(name, len) || memmem(i->value, i->n, "LoginModule ", 12) != NULL) {
		if ((rc = source_jaas(s, i, err)) != 1)
			return rc;
	}
	if (i->role == FORM_ENTRY && i->n > 20 && memchr(i->value, ' ', i->n) != NULL) {
		if (source_statements(s, i, &options, err) != 0)
			return -1;
		if (options)
			return 0;
	}
	if (i->role == FORM_ENTRY && memchr(i->value, '=', i->n) != NULL) {
		if (source_members(s, i, &options, err) != 0)
			return -1;
		if (options)
			return 0;
	}
	if (i->role != FORM_OPTION && (source_is_folder(name, len, i) || source_is_known_sum(i)))
		return 0;
	if (i->role == FORM_PASSWORD || i->role == FORM_OPTION ||
	    source_is_named(s->a, i->key, i->key_len)) {
		enum value_kind kind = value_kind(i->value, i->n);

		secret = kind == VALUE_TEXT && value_is_pair_of(i->value, i->n, &kind) ?
		    SECRET_ELSEWHERE : kind == VALUE_TEXT || value_kind_is_secret(kind) ?
		    SECRET_CLEAR : kind == VALUE_PLACEHOLDER ? SECRET_PLACEHOLDER :
		    SECRET_ELSEWHERE;
	} else {
		secret = rules_secret(s->a->o->rules, name, len, i->value, i->n);
	}
	if (secret != SECRET_CLEAR && secret != SECRET_PLACEHOLDER)
		return 0;
	audit_source_region(s, i->from, i->to, &region);
	if (secret == SECRET_PLACEHOLDER)
		return audit_add(s, AUDIT_PLACEHOLDER, i->key, i->key_len, &region, err) != NULL ?
		    0 : -1;
	return source_clear(s, i, i->key, i->key_len, i->value, i->n, &region, err);
}

/* Are there sentences, other than in comments? */
static bool
source_is_prose(const char *text, size_t n)
{
	const char *end = text + n, *to;

	for (; text < end; text = to + 1) {
		if ((to = memchr(text, '\n', (size_t)(end - text))) == NULL)
			to = end;
		while (text < to && (*text == ' ' || *text == '\t'))
			text++;
		if (text < to && strchr("#!;", *text) == NULL &&
		    memmem(text, (size_t)(to - text), ". ", 2) != NULL)
			return true;
	}
	return false;
}

/* Is it the last name of the item's key? */
static bool
source_is_named_last(const struct form_item *i, const char *name)
{
	const size_t n = strlen(name);

	return i->key_len >= n && memcmp(i->key + i->key_len - n, name, n) == 0 &&
	    (i->key_len == n || i->key[i->key_len - n - 1] == '.');
}

/*
 * The form of a text inside of another.  Scripts write files of any kind; values
 * of YAML and JSON may as well be prose, of which only what is no prose is read.
 */
static enum form
source_form(const struct audit_source *s, const struct form_item *i)
{
	char name[64];
	enum form form = form_of_text(i->value, i->n);
	struct form_name claims;

	if (s->form != FORM_YAML && s->form != FORM_JSON)
		return form;
	snprintf(name, sizeof(name), "x.%.*s", (int)(i->key_len < 60 ? i->key_len : 60),
	    i->key + (i->key_len < 60 ? 0 : i->key_len - 60));
	claims = form_of_name(name);
	if (claims.form != FORM_NONE || claims.text)
		return form == FORM_NONE ? claims.form : form;
	switch (form) {
	case FORM_CREDENTIALS:
		return text_contains_nocase(name, strlen(name), "basic") ||
		    text_contains_nocase(name, strlen(name), "user") ? form : FORM_NONE;
	case FORM_YAML:
		/* Of a chart, in a manifest of Argo CD or Flux. */
		if (source_is_named_last(i, "values"))
			return form;
		return i->n > 8 && (memcmp(i->value, "---", 3) == 0 ||
		    memcmp(i->value, "- name: ", 8) == 0) ? form : FORM_NONE;
	case FORM_PROPERTIES:
		return source_is_prose(i->value, i->n) ? FORM_NONE : form;
	default:
		return form;
	}
}

/* Is it JAAS of one module, as a value of sasl.jaas.config on lines of its own? */
static bool
source_is_module(const struct form_item *i)
{
	static const char module[] = "LoginModule";
	size_t from = 0, to;

	while (from < i->n && strchr(" \t\r\n", i->value[from]) != NULL)
		from++;
	for (to = from; to < i->n && strchr(" \t\r\n", i->value[to]) == NULL; to++)
		;
	return to - from >= sizeof(module) - 1 && memcmp(i->value + to - (sizeof(module) - 1),
	    module, sizeof(module) - 1) == 0;
}

/* A text inside of the text. */
static int
source_embedded(struct audit_source *s, const struct form_item *i, struct error *err)
{
	struct audit_source inner = *s;
	struct audit_finding region;
	struct form_item whole = *i;
	struct error why;
	bool module, statements;
	size_t at;
	int rc;

	whole.role = FORM_ENTRY;
	if (value_kind(i->value, i->n) == VALUE_PRIVATE_KEY || s->depth == DEPTH_MAX)
		return source_entry(s, &whole, err);
	module = source_is_module(i);
	statements = source_has_statement(i->value, i->n);
	if (!module) {
		inner.form = source_form(s, i);
		/* Commands are read, and their arguments and here-documents by themselves. */
		statements &= inner.form != FORM_SHELL;
		if (inner.form == FORM_NONE && !statements)
			return source_entry(s, &whole, err);
		if (inner.form == FORM_NONE)
			inner.form = s->form;
		else if (s->outer == FORM_NONE)
			inner.outer = s->form;
	}
	inner.text = i->value;
	inner.n = i->n;
	inner.users = inner.form == FORM_JSON && source_is_named_last(i, "json") &&
	    memmem(i->key, i->key_len, "users.json", 10) != NULL &&
	    audit_lists_users(i->value, i->n);
	inner.depth++;
	inner.at = inner.line = inner.columns = 0;
	audit_source_region(s, i->from, i->to, &region);
	if (i->role == FORM_DECODED) {
		inner.fixed = &region;
	} else {
		inner.base_line = region.line - 1;
		/* The lines of a block of YAML are indented. */
		for (at = i->from; at > 0 && s->text[at - 1] != '\n'; at--)
			;
		for (; at < s->n && s->text[at] == ' '; at++)
			inner.indent += s->form == FORM_YAML || s->form == FORM_JSON;
	}
	if (module || statements) {
		whole.from = 0;
		whole.to = whole.n;
		whole.name = NULL;
		rc = source_entry(&inner, &whole, err);
		s->file = inner.file;
		return rc;
	}
	rc = audit_source_read(&inner, &why);
	s->file = inner.file;
	if (rc != 0 && why.code == ERROR_MEMORY) {
		*err = why;
		return -1;
	}
	return 0;
}

static bool
source_wants(void *cookie, const char *key, size_t len, const char *raw, size_t n)
{
	const struct audit_source *s = cookie;
	enum key_class class = key_class(key, len);

	return s->users || (class != KEY_OTHER && class != KEY_PUBLIC) ||
	    source_has_statement(raw, n) ||
	    source_is_named(s->a, key, len) ||
	    (s->a->o->rules != NULL && rules_sensitive(s->a->o->rules, key, len)) ||
	    (n > 8 && raw[0] == '{' && raw[1] == '"') ||
	    value_may_be_secret((const unsigned char *)raw, n) || (n > 14 &&
	    memchr(raw, '$', n) != NULL &&
	    memmem(raw, n, REFERENCE_PROVIDER, sizeof(REFERENCE_PROVIDER) - 1) != NULL);
}

static int
source_item(void *cookie, const struct form_item *i, struct error *err)
{
	static const char forms[] = "files.by_form.";
	struct audit_source *s = cookie;
	struct form_item item = *i;
	const char *equals;

	if (i->role == FORM_FILE)
		return s->a->path == NULL || vec_push_string(&s->a->named, i->value, i->n) != NULL ?
		    0 : error_memory(err);
	if (i->role == FORM_EMBEDDED || i->role == FORM_DECODED)
		return source_embedded(s, i, err);
	/* Comments of INI. */
	if (s->form == FORM_PROPERTIES && i->key_len > 0 && *i->key == ';')
		return 0;
	/* SPRING_APPLICATION_JSON, DOCKER_AUTH_CONFIG */
	if (i->role == FORM_ENTRY && s->form != FORM_JSON && i->n > 8 && i->value[0] == '{' &&
	    i->value[1] == '"' && key_class(i->key, i->key_len) == KEY_OTHER &&
	    /* There the value is sealed as a whole, and counts as one. */
	    !(s->form == FORM_PROPERTIES && value_kind(i->value, i->n) == VALUE_MEMBER)) {
		item.role = FORM_DECODED;
		return source_embedded(s, &item, err);
	}
	if (s->form != FORM_JSON)
		return source_entry(s, i, err);
	s->read = i->to;
	if (s->ours && i->key_len >= sizeof(forms) &&
	    memcmp(i->key, forms, sizeof(forms) - 1) == 0)
		return 0;
	/* An empty value is no pointer to look from. */
	if (item.n == 0)
		return 0;
	/* users.json: {"user": "password"}.  Elements that are NAME=value: docker inspect. */
	if (s->users && memchr(i->key, '.', i->key_len) == NULL)
		item.role = FORM_PASSWORD;
	equals = memchr(i->value, '=', i->n);
	if (equals != NULL && i->key_len > 0 && ascii_is_digit(i->key[i->key_len - 1])) {
		size_t len = (size_t)(equals - i->value);
		bool name = len > 0;

		for (size_t k = 0; k < len; k++)
			name &= ascii_is_upper(i->value[k]) || i->value[k] == '_' ||
			    ascii_is_digit(i->value[k]);
		if (name) {
			item.name = i->value;
			item.name_len = len;
			item.value += len + 1;
			item.n -= len + 1;
			item.from += i->to - i->from == i->n ? len + 1 : 0;
		}
	}
	return item.n > 0 ? source_entry(s, &item, err) : 0;
}

/* --- lines that the reader of the form passes over --- */

static int
source_add_loose(struct audit_source *s, size_t at, const struct loose *l, bool commented,
    struct error *err)
{
	struct audit_finding region, *f;

	audit_source_region(s, at + l->value, at + l->value + l->value_len, &region);
	f = audit_add(s, commented ? AUDIT_COMMENT : s->backup ? AUDIT_BACKUP : AUDIT_CLEAR_TEXT,
	    l->key, l->key_len, &region, err);
	if (f == NULL)
		return -1;
	f->value = audit_sum(s->a, s->text + at + l->value, l->value_len);
	return 0;
}

/* Is it to be told, of JSON that nobody could read: not judged yet, it or its value in
 * quotes, or at the beginning of its line, as others are prose?  Our own lines count forms
 * by their names. */
static bool
source_is_member(const struct audit_source *s, size_t from, const struct loose *l)
{
	const char *text = s->text + from, *at = l->key;

	if (from + l->value < s->read || (s->ours && ascii_is_digit(text[l->value])))
		return false;
	while (at > text && strchr(" \t{#!/", at[-1]) != NULL && at[-1] != '\0')
		at--;
	return at == text || at[-1] == '\n' || at[-1] == '\r' ||
	    l->key[l->key_len] == '"' || l->key[l->key_len] == '\\' ||
	    text[l->value] == '"' || (l->value > 0 && text[l->value - 1] == '"');
}

/* How many bytes at ${first} make the rest of the line a comment, as `//`; ${*inside}: it is one
 * that goes on over lines. */
static size_t
source_comment(const struct audit_source *s, size_t first, size_t end, bool *inside)
{
	const char *p = s->text + first;
	size_t n = 0;

	if (s->form == FORM_PROPERTIES)
		return first < end && *p == ';';
	if (s->form != FORM_JAAS && s->form != FORM_TERRAFORM)
		return 0;
	if (!*inside && end - first > 2 && *p == '/' && (p[1] == '/' || p[1] == '*'))
		n = 2;
	*inside = *inside || (n > 0 && p[1] == '*');
	if (!*inside)
		return n;
	*inside = memmem(p + n, end - first - n, "*/", 2) == NULL;
	return n == 0 && first < end && *p == '*' ? 1 : n;
}

/* Where the first comment of the line begins, in a login configuration, in which it may stand
 * behind something; else ${first}. */
static size_t
source_comment_at(const struct audit_source *s, size_t first, size_t end)
{
	const char *p = s->text;
	bool quoted = false;

	for (size_t i = first; s->form == FORM_JAAS && i + 1 < end; i++) {
		if (quoted && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			quoted = !quoted;
		else if (!quoted && p[i] == '/' && (p[i + 1] == '*' || (p[i + 1] == '/' &&
		    (i == first || p[i - 1] != ':'))))
			return i;
	}
	return first;
}

/* Comments from ${from} up to ${to}; with ${all} every line, for what nobody could read. */
static int
source_loose(struct audit_source *s, size_t from, size_t to, bool all, struct error *err)
{
	const char *signs = s->form == FORM_PROPERTIES ? "#!;" : "#!";
	struct loose_place place = { .line = 1, .unread = true };
	struct loose l;
	const char *end;
	size_t at, first, n, signed_n, stop;
	bool inside = false, comment;

	/* Its entries have no lines of their own. */
	if (all && s->form == FORM_JSON) {
		while (loose_next(s->a->o->rules, s->text + from, to - from, &place, &l))
			if (source_is_member(s, from, &l) &&
			    source_add_loose(s, from, &l, l.commented, err) != 0)
				return -1;
		return 0;
	}
	for (at = from; at < to; at += n + 1) {
		end = memchr(s->text + at, '\n', to - at);
		n = end != NULL ? (size_t)(end - s->text) - at : to - at;
		for (first = at; first < at + n && (s->text[first] == ' ' ||
		    s->text[first] == '\t'); first++)
			;
		comment = inside;
		if (!inside)
			first = source_comment_at(s, first, at + n);
		signed_n = source_comment(s, first, at + n, &inside);
		first += signed_n;
		stop = at + n;
		/* What stands behind one that ends is no comment. */
		if (s->form == FORM_JAAS && (comment || (signed_n == 2 &&
		    s->text[first - 1] == '*')) &&
		    (end = memmem(s->text + first, stop - first, "*/", 2)) != NULL)
			stop = (size_t)(end - s->text);
		comment = comment || signed_n > 0;
		if (first == stop || (!all && !comment && (s->text[first] == '\0' ||
		    strchr(signs, s->text[first]) == NULL)))
			continue;
		if (memchr(s->text + first, '=', stop - first) == NULL &&
		    memchr(s->text + first, ':', stop - first) == NULL)
			continue;
		place = (struct loose_place){ .line = 1 };
		if (loose_next(s->a->o->rules, s->text + first, stop - first, &place, &l) &&
		    source_add_loose(s, first, &l, l.commented || comment, err) != 0)
			return -1;
	}
	return 0;
}

/* Where a line begins. */
static size_t
source_line_at(const struct audit_source *s, size_t line)
{
	const char *end;
	size_t at = 0;

	while (--line > 0 && (end = memchr(s->text + at, '\n', s->n - at)) != NULL)
		at = (size_t)(end - s->text) + 1;
	return at;
}

/* Nothing is sealed in a file that cannot be read. */
static void
source_hint_unread(struct audit_source *s)
{
	struct audit_finding *f;

	for (size_t i = s->first; i < s->a->findings.len; i++) {
		f = audit_finding(s->a, i);
		if ((f->rule == AUDIT_CLEAR_TEXT || f->rule == AUDIT_PRIVATE_KEY) &&
		    f->hint == NULL && f->origin == AUDIT_FROM_FILE && form_hint(f->form) == NULL)
			f->hint = "mend what keeps the file from being read, then seal it: "
			    "`propseal seal PATH`";
	}
}

int
audit_source_read(struct audit_source *s, struct error *err)
{
	struct form_reader r = { .text = s->text, .n = s->n, .file = s->name,
		.wants = source_wants, .each = source_item, .cookie = s };
	struct error *why = &s->a->why;
	enum form form = s->form;
	size_t unread = s->n;
	bool sealed = false;
	int rc;

	/* Manifests of Kubernetes are the same in JSON; so are lists of arguments of Docker. */
	if (form == FORM_JSON && (memmem(s->text, s->n, "\"apiVersion\"", 12) != NULL ||
	    (memmem(s->text, s->n, "\"Entrypoint\"", 12) != NULL &&
	    memmem(s->text, s->n, "\"Cmd\"", 5) != NULL))) {
		form = FORM_YAML;
		s->manifest = true;
	}
	rc = form == FORM_PROPERTIES || form == FORM_JSON ?
	    audit_source_document(s, form, &r, &sealed, err) : form_read(form, &r, err);
	if (sealed || (rc != 0 && err->code == ERROR_MEMORY))
		return rc;
	if (rc != 0)
		unread = err->line > 1 ? source_line_at(s, err->line) : 0;
	if (s->form != FORM_JSON && s->fixed == NULL &&
	    source_loose(s, 0, unread, false, why) != 0) {
		*err = *why;
		return -1;
	}
	/* Behind the place where it could not be read any more somebody may still read. */
	if (rc != 0 && s->fixed == NULL && source_loose(s, unread, s->n, true, why) != 0)
		*err = *why;
	if (rc != 0 && s->depth == 0)
		source_hint_unread(s);
	return rc;
}

#include <string.h>
#include <strings.h>

#include "audit/form.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "file/file.h"
#include "secrets/keys.h"
#include "secrets/member.h"

/* How many bytes of a text are looked at to tell its form. */
#define SAMPLE 16384

struct form_ending {
	const char *ending;
	enum form form;
};

/* Endings that claim a form; the longest that fits counts. */
static const struct form_ending endings[] = {
	{ ".properties", FORM_PROPERTIES }, { ".props", FORM_PROPERTIES },
	{ ".json", FORM_JSON },
	{ ".yaml", FORM_YAML }, { ".yml", FORM_YAML },
	{ ".env", FORM_ENV }, { ".environment", FORM_ENV },
	{ ".service", FORM_SYSTEMD }, { ".container", FORM_SYSTEMD }, { ".socket", FORM_SYSTEMD },
	{ ".timer", FORM_SYSTEMD }, { ".kube", FORM_SYSTEMD },
	{ ".sh", FORM_SHELL }, { ".bash", FORM_SHELL }, { ".zsh", FORM_SHELL },
	{ ".ksh", FORM_SHELL },
	{ ".tf", FORM_TERRAFORM }, { ".tfvars", FORM_TERRAFORM }, { ".hcl", FORM_TERRAFORM },
	{ ".jaas", FORM_JAAS },
	{ ".htpasswd", FORM_CREDENTIALS }, { ".passwd", FORM_CREDENTIALS },
	{ ".creds", FORM_CREDENTIALS }, { ".auth", FORM_CREDENTIALS },
	{ ".users", FORM_CREDENTIALS }, { ".password", FORM_CREDENTIALS },
};

/* What says no more than that there is text in it. */
static const char *const texts[] = { ".conf", ".config", ".cfg", ".cnf", ".ini", ".toml",
	".txt", ".list", ".cf", ".credentials", ".defaults", ".sysconfig" };

static const char *const templates[] = { ".j2", ".jinja", ".jinja2", ".tmpl", ".template",
	".tpl", ".erb", ".mustache", ".ftl", ".in", ".example", ".sample", ".dist", ".gotmpl" };

/* How editors, packages, patch and people name what they leave behind. */
static const char *const backups[] = { "~", ".bak", ".backup", "-backup", "_backup", ".old",
	".orig", ".save", ".copy", ".rej", ".rpmsave", ".rpmnew", ".rpmorig", ".dpkg-old",
	".dpkg-new", ".dpkg-dist", ".dpkg-bak", ".ucf-old", ".ucf-dist", ".bkp", ".prev" };

const char *
form_name(enum form f)
{
	static const char *const names[FORMS] = { "none", "properties", "json", "jaas", "env",
		"systemd", "yaml", "shell", "terraform", "credentials" };

	return names[f];
}

const char *
form_hint(enum form f)
{
	static const char *const hints[FORMS] = {
		[FORM_JAAS] = "put it into sasl.jaas.config of a .properties file, and seal it",
		[FORM_ENV] = "leave it out, and start the program by `propseal exec --env`",
		[FORM_SYSTEMD] = "use LoadCredentialEncrypted=, or start it by `propseal exec`",
		[FORM_YAML] = "use secretKeyRef, a mounted secret, or a reference",
		[FORM_SHELL] = "read it from a file, or run the command by `propseal exec`",
		[FORM_TERRAFORM] = "use a sensitive variable that the environment or a vault gives",
		[FORM_CREDENTIALS] = "keep hashed passwords, and let the service alone read them",
	};

	return hints[f];
}

static bool
form_ends(const char *name, size_t len, const char *ending)
{
	size_t n = strlen(ending);

	return len > n && ((name[len - 1] ^ ending[n - 1]) & ~0x20) == 0 &&
	    strncasecmp(name + len - n, ending, n) == 0;
}

static bool
form_ends_any(const char *name, size_t *len, const char *const list[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (form_ends(name, *len, list[i])) {
			*len -= strlen(list[i]);
			return true;
		}
	return false;
}

/* server.properties.2026-01-31, server.properties.1, and of Ansible
 * server.properties.4711.2026-01-31@12:00:00~ */
static bool
form_cut_number(const char *name, size_t *len)
{
	size_t n = *len;

	while (n > 0 && (strchr("-_.T@:", name[n - 1]) != NULL ||
	    ascii_is_digit(name[n - 1])))
		n--;
	if (n == *len || n == 0 || (name[n] != '.' && name[n] != '-' && name[n] != '_'))
		return false;
	*len = n;
	return true;
}

/* Names that say it all. */
static enum form
form_of_whole(const char *name, size_t len)
{
	static const struct form_ending whole[] = {
		{ ".env", FORM_ENV }, { ".bashrc", FORM_SHELL }, { ".bash_profile", FORM_SHELL },
		{ ".profile", FORM_SHELL }, { ".bash_history", FORM_SHELL },
		{ ".htpasswd", FORM_CREDENTIALS }, { "basic.txt", FORM_CREDENTIALS },
		{ "users.txt", FORM_CREDENTIALS },
		{ "userlist.txt", FORM_CREDENTIALS }, { "credentials.txt", FORM_CREDENTIALS },
		{ ".pgpass", FORM_CREDENTIALS },
		{ "pgpass.conf", FORM_CREDENTIALS }, { ".netrc", FORM_CREDENTIALS },
		{ "_netrc", FORM_CREDENTIALS }, { ".git-credentials", FORM_CREDENTIALS },
		{ ".my.cnf", FORM_PROPERTIES }, { "my.cnf", FORM_PROPERTIES },
		{ ".npmrc", FORM_ENV }, { ".pypirc", FORM_PROPERTIES },
		{ ".s3cfg", FORM_PROPERTIES }, { ".boto", FORM_PROPERTIES },
		{ ".databrickscfg", FORM_PROPERTIES }, { ".smbcredentials", FORM_PROPERTIES },
		{ ".terraformrc", FORM_TERRAFORM }, { ".dockercfg", FORM_JSON },
		{ ".dockerconfigjson", FORM_JSON }, { ".envrc", FORM_SHELL },
		{ ".zshrc", FORM_SHELL }, { ".zshenv", FORM_SHELL }, { ".kshrc", FORM_SHELL },
	};

	/* Of Jetty and others: a user, a colon, a password, roles. */
	static const char *const lists[] = { "login.properties", "realm.properties",
		"password.properties", "users.properties" };
	size_t n;

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (strlen(whole[i].ending) == len &&
		    strncasecmp(name, whole[i].ending, len) == 0)
			return whole[i].form;
	/* ksql-users.properties */
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (len >= (n = strlen(lists[i])) &&
		    strncasecmp(name + len - n, lists[i], n) == 0 &&
		    (len == n || strchr("-_.", name[len - n - 1]) != NULL))
			return FORM_CREDENTIALS;
	/* .env.production */
	return len > 5 && strncmp(name, ".env.", 5) == 0 ? FORM_ENV : FORM_NONE;
}

/* Of other programs: names of packages for keys, or accounts of the system. */
static bool
form_is_foreign(const char *name)
{
	static const char *const names[] = { "package.json", "package-lock.json", "composer.json",
		"tsconfig.json", "pnpm-lock.yaml", "renovate.json", "passwd", "passwd-", "shadow",
		"shadow-", "group", "group-", "gshadow", "gshadow-", "nsswitch.conf" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* server-backup.properties, server-backup-2026-01-31.properties.  With a word behind it, as in
 * kafka-backup-connector.json, it is the name of something else; so it is of what makes backups, a
 * script, a unit or a manifest. */
static bool
form_is_named_backup(const char *name, enum form form)
{
	static const char word[] = "-backup";
	const char *at = name;

	if (form == FORM_SHELL || form == FORM_SYSTEMD || form == FORM_YAML ||
	    form == FORM_TERRAFORM)
		return false;
	while ((at = strstr(at, word)) != NULL) {
		at += sizeof(word) - 1;
		if (*at == '.' || *at == '\0' || ascii_is_digit(*at) ||
		    ((*at == '-' || *at == '_') && ascii_is_digit(at[1])))
			return true;
	}
	return false;
}

/* server.properties.delta, values.yaml.production */
static bool
form_is_variant(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(endings) / sizeof(endings[0]); i++)
		if (form_ends(name, (size_t)(dot - name), endings[i].ending))
			return true;
	return false;
}

struct form_name
form_of_name(const char *path)
{
	const char *name = file_basename(path);
	size_t len = strlen(name), before;
	struct form_name out = { FORM_NONE, false, false, false };

	if (form_is_foreign(name))
		return out;

	/* Of a copy of a template of a file, the file. */
	do {
		before = len;
		if (form_ends_any(name, &len, backups, sizeof(backups) / sizeof(backups[0])))
			out.backup = true;
		else if (form_ends_any(name, &len, templates,
		    sizeof(templates) / sizeof(templates[0])))
			out.is_template = true;
		if ((out.form = form_of_whole(name, len)) != FORM_NONE)
			return out;
		for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
			if (form_ends(name, len, endings[i].ending)) {
				out.form = endings[i].form;
				out.backup |= form_is_named_backup(name, out.form);
				return out;
			}
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			if (form_ends(name, len, texts[i])) {
				out.text = true;
				out.backup |= form_is_named_backup(name, FORM_NONE);
				return out;
			}
		if (len == before && form_cut_number(name, &len))
			out.backup = true;
	} while (len < before);
	/* No ending at all: the content has to tell. */
	out.text = memchr(name, '.', len) == NULL || out.is_template || out.backup;
	if (!out.is_template && out.backup && memchr(name, '.', len) != NULL)
		out.backup = out.text = false;
	out.text |= form_is_variant(name);
	return out;
}

/* --- by content --- */

/* What there is in the first lines of a text. */
struct form_sample {
	size_t lines;		/* neither empty nor comments */
	size_t assignments;	/* key=value, without blanks in the key */
	size_t dotted;		/* of these, with a dot in the key */
	size_t capitals;	/* of these, NAME=value */
	size_t exports;
	size_t mappings;	/* key: value, as in YAML */
	size_t pairs;		/* word:word and no blank: user:password */
	size_t sections;	/* [Unit] */
	size_t directives;	/* requirepass X */
	size_t unit;		/* [Unit], [Service] and the like */
	bool jaas;
	bool script;		/* #!/bin/sh */
	bool json;
	bool document;		/* --- */
	size_t structure;	/* what of YAML is no assignment: elements, quotes, brackets */
};

static bool
form_is_name(char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '.' || c == '-';
}

static void
form_look_at(struct form_sample *s, const char *p, size_t n)
{
	static const char *const units[] = { "[Unit]", "[Service]", "[Install]", "[Container]",
		"[Socket]", "[Timer]" };
	static const char *const directives[] = { "requirepass", "masterauth", "bindpw" };
	bool dot = false, capital = true;
	const char *module;
	size_t at = 0, key;

	for (; n > 0 && (*p == ' ' || *p == '\t'); n--)
		p++;
	if (n == 0 || *p == '#' || *p == '!' || *p == ';') {
		s->script |= s->lines == 0 && n > 2 && memcmp(p, "#!", 2) == 0 &&
		    memmem(p, n, "sh", 2) != NULL;
		return;
	}
	s->json |= s->lines == 0 && (*p == '{' || (*p == '[' && (n < 3 || p[1] == '{' ||
	    p[1] == '"' || p[1] == '\r')));
	s->document |= n >= 3 && memcmp(p, "---", 3) == 0;
	s->structure += strchr("-\"'{[%&*|>?", *p) != NULL;
	s->lines++;
	if (*p == '[' && p[n - 1] == ']') {
		s->sections++;
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			s->unit += n == strlen(units[i]) && memcmp(p, units[i], n) == 0;
		return;
	}
	if (n > 7 && memcmp(p, "export ", 7) == 0) {
		s->exports++;
		return;
	}
	if ((module = memmem(p, n, "LoginModule", 11)) != NULL)
		s->jaas |= memchr(p, '=', (size_t)(module - p)) == NULL;
	if (n > 2 && memcmp(p, "- ", 2) == 0) {
		p += 2;
		n -= 2;
	}
	for (; at < n && form_is_name(p[at]); at++) {
		dot |= p[at] == '.';
		capital &= ascii_is_upper(p[at]) || ascii_is_digit(p[at]) || p[at] == '_';
	}
	for (key = at; at < n && (p[at] == ' ' || p[at] == '\t'); at++)
		;
	if (key == 0 || at == n)
		return;
	/* Of Redis and OpenLDAP; an inventory of Ansible has more than one on a line. */
	s->directives += at > key && text_is_one_of(p, key, directives,
	    sizeof(directives) / sizeof(directives[0]));
	if (p[at] == '=' || (at > key && memmem(p, n, " ansible_", 9) != NULL)) {
		s->assignments++;
		s->dotted += dot;
		s->capitals += capital && at == key;
	} else if (p[at] == ':' && (at + 1 == n || p[at + 1] == ' ' || p[at + 1] == '\r')) {
		s->mappings++;
	} else if (p[at] == ':' && memchr(p, ' ', n) == NULL) {
		s->pairs++;
	}
}

static void
form_sample(struct form_sample *s, const char *text, size_t n)
{
	const char *end;
	size_t at = 0, len;

	*s = (struct form_sample){ 0 };
	n = n > SAMPLE ? SAMPLE : n;
	while (at < n) {
		end = memchr(text + at, '\n', n - at);
		len = end != NULL ? (size_t)(end - text) - at : n - at;
		form_look_at(s, text + at, len);
		at += len + 1;
	}
}

enum form
form_of_text(const char *text, size_t n)
{
	struct form_sample s;

	form_sample(&s, text, n);
	if (s.json)
		return FORM_JSON;
	if (s.unit > 0)
		return FORM_SYSTEMD;
	if (s.jaas && s.assignments * 4 < s.lines * 3 && s.mappings * 2 <= s.lines)
		return FORM_JAAS;
	if (s.script || (s.exports > 0 && s.exports * 2 >= s.lines))
		return FORM_SHELL;
	if (s.document || s.mappings * 2 > s.lines)
		return FORM_YAML;
	if (s.directives > 0)
		return FORM_PROPERTIES;
	/* INI, and TOML, which reads like it. */
	if (s.sections > 0 && s.dotted * 2 <= s.assignments)
		return s.assignments > 0 && (s.assignments + s.sections) * 3 >= s.lines * 2 ?
		    FORM_PROPERTIES : FORM_NONE;
	if (s.assignments > 0 && s.assignments * 2 >= s.lines)
		return s.capitals * 2 > s.assignments ? FORM_ENV : FORM_PROPERTIES;
	if (s.pairs > 0 && s.pairs * 4 >= s.lines * 3)
		return FORM_CREDENTIALS;
	return s.assignments * 3 > s.lines ? FORM_PROPERTIES : FORM_NONE;
}

enum form
form_of_content(enum form claimed, const char *text, size_t n)
{
	struct form_sample s;
	enum form told;
	size_t at = 0;

	if (claimed == FORM_JSON) {
		if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
			at = 3;
		while (at < n && memchr(" \t\r\n", text[at], 4) != NULL)
			at++;
		if (at == n || strchr("{[\"/", text[at]) != NULL)
			return claimed;
	} else if (claimed != FORM_YAML) {
		return claimed;
	}
	form_sample(&s, text, n);
	if (s.structure > 0 || s.mappings > (claimed == FORM_JSON ? s.lines : 0) ||
	    (s.assignments * 2 < s.lines && s.mappings * 2 < s.lines))
		return claimed;
	told = form_of_text(text, n);
	return told != FORM_NONE && told != FORM_SYSTEMD ? told : claimed;
}

/* Does a later entry have the key?  The index of a small document costs more than a search. */
static bool
form_is_shadowed(const struct document *d, size_t i, const char *key, size_t len)
{
	const char *other;
	size_t n;

	if (document_count(d) > 256)
		return document_shadowed(d, i);
	while (++i < document_count(d)) {
		other = document_key(d, i, &n);
		if (n == len && memcmp(other, key, n) == 0)
			return true;
	}
	return false;
}

static bool
form_is_number(const char *p, size_t n)
{
	while (n > 0 && ascii_is_digit(p[n - 1]))
		n--;
	return n == 0;
}

/*
 * By what the rules judge the value at a path of nested mappings: its last name (of an
 * element of a list that of the list), or the whole path where that ends as the key of a
 * secret does.
 */
static void
form_name_of_path(const char *key, size_t len, const char **name, size_t *name_len)
{
	size_t at = member_last_name(key, len);

	while (at > 1 && form_is_number(key + at, len - at)) {
		len = at - 1;
		at = member_last_name(key, len);
	}
	*name = key + at;
	*name_len = len - at;
	if (key_class(*name, *name_len) != KEY_OTHER)
		return;
	if (key_class_of_end(key, len) != KEY_OTHER) {
		*name = key;
		*name_len = len;
	}
}

int
form_read_document(const struct document *d, const struct form_reader *r, struct error *err)
{
	const bool json = document_format(d) == &document_json;
	struct form_item item = { .role = FORM_ENTRY };
	const char *base, *raw;
	struct buf value;
	size_t n, end;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		base = (const char *)document_bytes(d)->data;
		item.key = document_key(d, i, &item.key_len);
		raw = (const char *)document_raw_value(d, i, &n);
		item.name = NULL;
		if (json) {
			form_name_of_path(item.key, item.key_len, &item.name, &item.name_len);
			if (key_class(item.name, item.name_len) == KEY_OTHER)
				member_name(d, i, &item.name, &item.name_len);
		}
		if (n == 0 || !r->wants(r->cookie, item.name != NULL ? item.name : item.key,
		    item.name != NULL ? item.name_len : item.key_len, raw, n))
			continue;
		buf_clear(&value);
		if ((rc = document_value(d, i, &value, err)) != 0)
			break;
		item.value = (const char *)value.data;
		item.n = value.len;
		document_span(d, i, &item.start, &end);
		item.from = (size_t)(raw - base);
		item.to = item.from + n;
		/* The quotes of JSON are not the value's. */
		if (json && n > 1 && raw[0] == '"') {
			item.from++;
			item.to--;
		}
		item.shadowed = form_is_shadowed(d, i, item.key, item.key_len);
		rc = form_give(r, &item, err);
	}
	buf_release(&value);
	return rc;
}

int
form_read(enum form f, const struct form_reader *r, struct error *err)
{
	switch (f) {
	case FORM_JAAS:
		return form_read_jaas(r, err);
	case FORM_ENV:
		return form_read_env(r, err);
	case FORM_SYSTEMD:
		return form_read_systemd(r, err);
	case FORM_YAML:
		return form_read_yaml(r, err);
	case FORM_SHELL:
		return form_read_shell(r, err);
	case FORM_TERRAFORM:
		return form_read_terraform(r, err);
	case FORM_CREDENTIALS:
		return form_read_credentials(r, err);
	case FORM_NONE:
	case FORM_PROPERTIES:
	case FORM_JSON:
	case FORMS:
		break;
	}
	return 0;
}

/*
 * Templates of YAML, as Helm and Ansible have them.  What stands by itself on
 * its lines, as `{{- if .Values.tls }}`, is no YAML, and a value that begins
 * with `{{` is a mapping there: the lines around them would not be read.
 */

static const struct {
	const char *open, *close;
} marks[] = { { "{{", "}}" }, { "{%", "%}" }, { "{#", "#}" } };

/* Longer ones are none: the search for an end is bounded, whatever the text is. */
#define ACTION_MAX 1024

#define MARKS (sizeof(marks) / sizeof(marks[0]))

struct template {
	char *p;
	size_t n;
	/* Of each mark: from here to there nothing closes it.  No byte is searched twice. */
	struct {
		size_t from, to;
	} open[MARKS];
};

/* Behind the action of mark ${i} that begins at ${at}, by ${limit}; 0: it does not end there. */
static size_t
template_close(struct template *t, size_t i, size_t at, size_t limit)
{
	const char *close;
	size_t *to = &t->open[i].to;

	if (at < t->open[i].from || at > *to)
		t->open[i].from = *to = at;
	if (*to + 2 > limit)
		return 0;
	close = memmem(t->p + *to, limit - *to, marks[i].close, 2);
	*to = close != NULL ? (size_t)(close - t->p) : limit - 1;
	return close != NULL ? *to + 2 : 0;
}

/* Behind the action that begins at ${at}; 0: none does, or it does not end. */
static size_t
template_end(struct template *t, size_t at, size_t n)
{
	if (n - at < 4 || t->p[at] != '{')
		return 0;
	for (size_t i = 0; i < MARKS; i++)
		if (t->p[at + 1] == marks[i].open[1])
			return template_close(t, i, at + 2,
			    n - at < ACTION_MAX ? n : at + ACTION_MAX);
	return 0;
}

/* Behind the actions that are all that there is on the lines from ${at} on; 0: there is more, which
 * begins at ${*more}. */
static size_t
template_whole(struct template *t, size_t at, size_t *more)
{
	size_t end;

	while ((end = template_end(t, at, t->n)) > 0) {
		for (at = end; at < t->n && ascii_is_blank(t->p[at]); at++)
			;
		if (at == t->n || t->p[at] == '\n')
			return at;
	}
	*more = at;
	return 0;
}

/* A value that begins with an action becomes one that begins with what a shell would put there. */
static void
template_value(struct template *t, size_t at, size_t end)
{
	char *p = t->p;
	size_t close;

	for (size_t i = at + 2; i < end; i++) {
		if (p[i] != '{' || !ascii_is_blank(p[i - 1]) ||
		    (p[i - 2] != ':' && p[i - 2] != '-') ||
		    (close = template_end(t, i, end)) == 0)
			continue;
		memcpy(p + i, "$(", 2);
		memcpy(p + close - 2, " )", 2);
		return;
	}
}

void
form_hide_actions(char *p, size_t n)
{
	struct template t = { .p = p, .n = n };
	const char *end;
	size_t at = 0, first, whole, to, more = 0;

	while (at < n) {
		for (first = at; first < n && ascii_is_blank(p[first]); first++)
			;
		/* Lines inside of actions with more behind them lead to it again. */
		if (first >= more && (whole = template_whole(&t, first, &more)) > 0) {
			for (; first < whole; first++)
				p[first] = p[first] == '\n' ? '\n' : ' ';
			at = whole + 1;
			continue;
		}
		end = memchr(p + at, '\n', n - at);
		to = end != NULL ? (size_t)(end - p) : n;
		template_value(&t, at, to);
		at = to + 1;
	}
}

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "audit/form.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "crypto/base64.h"
#include "secrets/keys.h"
#include "secrets/member.h"
#include "secrets/sql.h"

/*
 * YAML, as a stream of events: nothing is built, aliases are not followed, so
 * that no text takes more than its own size.  A key is the dotted path to its
 * value, the elements of sequences by number.
 */

#define YAML_DEPTH 200

struct yaml_level {
	bool sequence;
	bool is_key;		/* it is itself the key of an entry of its parent */
	bool elsewhere;		/* below the key of a reference: secretKeyRef and the like */
	bool named;		/* below `secret` or the like: names of secrets, or secrets */
	bool commands;		/* of a sequence: each element is a command line */
	bool of_secret;		/* a `secretName` was one of its keys */
	const char *command;	/* of a sequence: the program of a command, NULL: none known */
	char between;		/* behind its last option: user and password, with this between */
	bool have_key;		/* of a mapping: the next event is its value */
	size_t path;		/* length of the path before this level's part */
	size_t index;
	struct buf name;	/* of { name: X, value: Y }, else empty */
	bool script;		/* of a sequence: behind a `-c` */
	bool arguments;		/* of a sequence: one may be a script for the shell before them */
	struct buf held;	/* secret: the value of such a pair that stands before its name */
	struct form_item item;	/* of that */
	size_t flag;		/* of a sequence: the path's length behind a `--password` */
};

struct yaml {
	const struct form_reader *r;
	yaml_parser_t parser;
	size_t depth;
	struct buf path;
	struct buf decoded;	/* secret */
	size_t key_at;		/* where the last key stands */
	size_t line, line_at;	/* of the last place that was asked for, from 0 */
	size_t column, at;	/* that place */
	bool ascii;		/* characters are bytes */
	bool kubernetes;
	bool has_secret;	/* a manifest of a Secret is somewhere in the text */
	bool external;		/* an ExternalSecret: its secretKey is a name */
	struct yaml_level levels[YAML_DEPTH];	/* each set when it begins */
};

static bool
yaml_ends(const char *p, size_t n, const char *with)
{
	size_t len = strlen(with);

	return n >= len && memcmp(p + n - len, with, len) == 0;
}

/* Mappings below these say where a secret is, and hold none. */
static bool
yaml_is_elsewhere(const char *key, size_t n)
{
	static const char *const endings[] = { "Ref", "_ref", "valueFrom", "value_from",
		"passwordSecret", "encryptedData", "imagePullSecrets", "accessTokenSecret",
		"trustedCertificates" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (yaml_ends(key, n, endings[i]))
			return true;
	return n == 4 && memcmp(key, "sops", 4) == 0;
}

/* Below these there are names of secrets in manifests and charts; elsewhere there may be
 * secrets as well. */
static bool
yaml_is_named(const char *key, size_t n)
{
	static const char *const names[] = { "secret", "clientSecret", "accessToken",
		"refreshToken", "certificateAndKey", "apiKey", "secrets", "configMap" };

	return text_is_one_of(key, n, names, sizeof(names) / sizeof(names[0]));
}

/* Is the value of the key a command line? */
static bool
yaml_is_command(const char *key, size_t n)
{
	static const char *const names[] = { "command", "cmd", "entrypoint", "test", "shell",
		"raw", "run", "script", "win_shell", "win_command" };
	const char *dot = memrchr(key, '.', n);

	/* ansible.builtin.shell */
	if (dot != NULL) {
		n -= (size_t)(dot + 1 - key);
		key = dot + 1;
	}
	return text_is_one_of(key, n, names, sizeof(names) / sizeof(names[0]));
}

/* Is each element of the sequence below the key one? */
static bool
yaml_are_commands(const char *key, size_t n)
{
	static const char *const names[] = { "script", "before_script", "after_script",
		"commands", "run" };

	return text_is_one_of(key, n, names, sizeof(names) / sizeof(names[0]));
}

static bool
yaml_has(const struct form_reader *r, const char *word)
{
	return memmem(r->text, r->n, word, strlen(word)) != NULL;
}

static int
yaml_fail(const struct yaml *y, struct error *err)
{
	if (y->parser.error == YAML_MEMORY_ERROR)
		return error_memory(err);
	error_set(err, ERROR_FORMAT, "not YAML: %s",
	    y->parser.problem != NULL ? y->parser.problem : "it cannot be read");
	return error_place(err, y->r->file, y->parser.problem_mark.line + 1);
}

/* Append the part of the path that the value at hand has in the level. */
static void
yaml_enter(struct yaml *y, const char *part, size_t n)
{
	if (y->path.len > 0)
		buf_append_char(&y->path, '.');
	buf_append(&y->path, part, n);
}

/* A value begins: its part of the path.  Returns the length before it. */
static size_t
yaml_begin_value(struct yaml *y)
{
	struct yaml_level *l = y->depth > 0 ? &y->levels[y->depth - 1] : NULL;
	char number[24];

	if (l == NULL || !l->sequence)
		return l != NULL ? l->path : 0;
	buf_truncate(&y->path, l->path);
	yaml_enter(y, number, (size_t)snprintf(number, sizeof(number), "%zu", l->index++));
	return l->path;
}

/* A key that is no scalar: it has no name that could be told, but what stands
 * under it must not be taken for the value of the key before. */
static void
yaml_unnamed_key(struct yaml *y, struct yaml_level *l)
{
	buf_truncate(&y->path, l->path);
	yaml_enter(y, "?", 1);
	l->have_key = true;
}

static int
yaml_push(struct yaml *y, bool sequence, struct error *err)
{
	struct yaml_level *parent = y->depth > 0 ? &y->levels[y->depth - 1] : NULL, *l;
	bool elsewhere = parent != NULL && parent->elsewhere;
	bool named = parent != NULL && parent->named, commands = false, arguments = false;
	const char *key;
	size_t len;
	bool is_key = parent != NULL && !parent->sequence && !parent->have_key;

	if (y->depth == YAML_DEPTH) {
		error_set(err, ERROR_FORMAT, "nested deeper than %d levels", YAML_DEPTH);
		return error_place(err, y->r->file, y->parser.mark.line + 1);
	}
	yaml_begin_value(y);
	if (is_key) {
		yaml_unnamed_key(y, parent);
		parent->have_key = false;
	} else if (parent != NULL && !parent->sequence) {
		key = (const char *)y->path.data + parent->path + (parent->path > 0);
		len = y->path.len - parent->path - (parent->path > 0);
		if (!sequence || y->kubernetes) {
			elsewhere |= yaml_is_elsewhere(key, len);
			named |= yaml_is_named(key, len);
		}
		commands = sequence && yaml_are_commands(key, len);
		arguments = sequence && len == 4 && memcmp(key, "args", 4) == 0;
		parent->have_key = false;
	}
	l = &y->levels[y->depth++];
	*l = (struct yaml_level){ .sequence = sequence, .elsewhere = elsewhere,
		.named = named, .commands = commands, .arguments = arguments, .is_key = is_key,
		.path = y->path.len };
	buf_init(&l->name, BUF_MAX_FILE);
	buf_init_secret(&l->held, BUF_MAX_FILE);
	return buf_check(&y->path, err);
}

static void
yaml_pop(struct yaml *y)
{
	struct yaml_level *l = &y->levels[--y->depth];
	bool is_key = l->is_key;

	buf_release(&l->name);
	buf_release(&l->held);
	l = y->depth > 0 ? &y->levels[y->depth - 1] : NULL;
	buf_truncate(&y->path, l != NULL ? l->path : 0);
	if (is_key)
		yaml_unnamed_key(y, l);
}

/* Is what base64 stands for a text?  Decoded into y->decoded. */
static bool
yaml_decode(struct yaml *y, const char *value, size_t n)
{
	buf_clear(&y->decoded);
	if (n < 4 || n % 4 != 0 ||
	    base64_decode(&y->decoded, value, n) != 0 || y->decoded.len == 0)
		return false;
	for (size_t i = 0; i < y->decoded.len; i++)
		if (y->decoded.data[i] < 0x20 && strchr("\n\r\t", y->decoded.data[i]) == NULL)
			return false;
		else if (y->decoded.data[i] == 0 || y->decoded.data[i] >= 0x7f)
			return false;
	return true;
}

/* A name in Kubernetes: small letters, digits and dashes. */
static bool
yaml_is_label(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(ascii_is_lower(p[i]) || ascii_is_digit(p[i]) || p[i] == '-' || p[i] == '.'))
			return false;
	return n > 0 && n < 254;
}

/* libyaml counts characters; the place in bytes.  Marks do not go back by more than a key. */
static size_t
yaml_offset(struct yaml *y, const yaml_mark_t *m)
{
	const char *text = y->r->text, *end;

	if (y->ascii)
		return m->index < y->r->n ? m->index : y->r->n;
	if (m->line < y->line)
		y->line = y->line_at = y->column = y->at = 0;
	while (y->line < m->line &&
	    (end = memchr(text + y->line_at, '\n', y->r->n - y->line_at)) != NULL) {
		y->at = y->line_at = (size_t)(end - text) + 1;
		y->column = 0;
		y->line++;
	}
	if (m->column < y->column) {
		y->column = 0;
		y->at = y->line_at;
	}
	for (; y->column < m->column && y->at < y->r->n; y->column++)
		do
			y->at++;
		while (y->at < y->r->n && ((unsigned char)text[y->at] & 0xc0) == 0x80);
	return y->at;
}

/* Where a scalar's text stands: behind its quotes, or on the lines of its block. */
static void
yaml_place(struct yaml *y, const yaml_event_t *e, struct form_item *i)
{
	const char *text = y->r->text;
	const char *end;

	i->from = yaml_offset(y, &e->start_mark);
	i->to = yaml_offset(y, &e->end_mark);
	switch (e->data.scalar.style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		if (i->to > i->from + 1) {
			i->from++;
			i->to--;
		}
		break;
	case YAML_LITERAL_SCALAR_STYLE:
	case YAML_FOLDED_SCALAR_STYLE:
		end = memchr(text + i->from, '\n', i->to - i->from);
		if (end != NULL && (size_t)(end - text) + 1 < i->to)
			i->from = (size_t)(end - text) + 1;
		while (i->to > i->from &&
		    (text[i->to - 1] == '\n' || ascii_is_blank(text[i->to - 1])))
			i->to--;
		break;
	default:
		break;
	}
}

/* The value of a key that is `name` or `value` of one element of a list. */
static void
yaml_pair(struct yaml_level *l, const char *key, size_t len, const char *value, size_t n,
    struct form_item *i)
{
	if ((len == 4 && memcmp(key, "name", 4) == 0) || (len == 3 && memcmp(key, "key", 3) == 0)) {
		buf_clear(&l->name);
		buf_append(&l->name, value, n);
	} else if (len == 5 && memcmp(key, "value", 5) == 0 && l->name.len > 0) {
		i->name = (const char *)l->name.data;
		i->name_len = l->name.len;
	}
}

/* Is the scalar one that is passed over, whatever its key is? */
static bool
yaml_is_name(const struct yaml *y, const char *key, size_t len, const char *value, size_t n,
    enum key_class around)
{
	static const char *const keys[] = { "secret", "credentials", "credential", "token" };
	/* Of these words with Secret behind them the value is one; of others a Secret's name. */
	static const char *const words[] = { "client", "Client", "api", "Api", "app", "App",
		"consumer", "Consumer", "shared", "Shared", "key", "Key", "token", "Token" };

	const bool is_label = yaml_is_label(value, n);

	if (len == 9 && memcmp(key, "secretKey", 9) == 0 && (y->external ||
	    (is_label && y->levels[y->depth - 1].of_secret)))
		return true;
	if (!is_label)
		return false;
	/* password: { secret: NAME, key: ... } */
	if (len == 6 && memcmp(key, "secret", 6) == 0 &&
	    (around == KEY_SECRET || around == KEY_MATERIAL))
		return true;
	if (yaml_ends(key, len, "-secret") && y->path.len > 0 && y->kubernetes &&
	    memmem(y->path.data, y->path.len, ".annotations.", 13) != NULL)
		return true;
	if (len > 6 && yaml_ends(key, len, "Secret")) {
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (yaml_ends(key, len - 6, words[i]))
				return false;
		return true;
	}
	return text_is_one_of(key, len, keys, sizeof(keys) / sizeof(keys[0])) &&
	    (y->kubernetes || memmem(value, n, "secret", 6) != NULL ||
	    memmem(value, n, "cred", 4) != NULL);
}

/* Is it a file of one line: JSON, or what its name says? */
static bool
yaml_is_file(const char *key, size_t len, const char *value, size_t n)
{
	static const char *const endings[] = { ".properties", ".env", ".conf", ".config", ".cfg" };

	if (n > 4 && value[0] == '{' && (value[1] == '"' || value[1] == ' '))
		return key_class(key, len) == KEY_OTHER;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (yaml_ends(key, len, endings[i]))
			return memchr(value, '=', n) != NULL;
	/* Ansible's lineinfile. */
	return yaml_ends(key, len, ".line") && memchr(value, '=', n) != NULL;
}

/* Are the value's lines those that it stands on?  Folded and escaped ones are others. */
static bool
yaml_has_lines(const struct yaml *y, const struct form_item *i)
{
	size_t n = i->n, there = 0, here = 0;

	while (n > 0 && i->value[n - 1] == '\n')
		n--;
	for (size_t k = 0; k < n; k++)
		there += i->value[k] == '\n';
	for (size_t k = i->from; k < i->to; k++)
		here += y->r->text[k] == '\n';
	return here == there;
}

static int
yaml_give(struct yaml *y, struct form_item *i, struct error *err)
{
	static const char data[] = ".data.";
	const char *path = (const char *)y->path.data;
	size_t key = y->path.len;

	/* A Secret's data. */
	while (key > 0 && path[key - 1] != '.')
		key--;
	if (y->has_secret && i->role == FORM_ENTRY &&
	    (memmem(path, y->path.len, data, sizeof(data) - 1) != NULL ||
	    (y->path.len > 5 && memcmp(path, "data.", 5) == 0)) && yaml_decode(y, i->value, i->n)) {
		i->value = (const char *)y->decoded.data;
		i->n = y->decoded.len;
		if (memchr(i->value, '\n', i->n) != NULL || *i->value == '{' ||
		    yaml_is_file(path, y->path.len, i->value, i->n))
			i->role = FORM_DECODED;
	} else if (i->role == FORM_ENTRY && memchr(i->value, '\n', i->n) != NULL) {
		i->role = yaml_has_lines(y, i) ? FORM_EMBEDDED : FORM_DECODED;
	} else if (i->role == FORM_ENTRY && yaml_is_file(path, y->path.len, i->value, i->n)) {
		/* It stands in quotes, with columns of its own: it is told as a whole. */
		i->role = FORM_DECODED;
	}
	return form_give(y->r, i, err);
}

/* Does it begin with a word that is no option, and go on with others? */
static bool
yaml_is_words(const char *p, size_t n)
{
	const char *blank = memchr(p, ' ', n);

	return blank != NULL && *p != '-' && memchr(p, '=', (size_t)(blank - p)) == NULL;
}

/* An element of a list: NAME=value, or an argument. */
static int
yaml_element(struct yaml *y, struct yaml_level *l, struct form_item *i, struct error *err)
{
	const char *equals = memchr(i->value, '=', i->n);
	size_t len = equals != NULL ? (size_t)(equals - i->value) : 0;
	bool after_flag = l->flag > 0;
	char between = l->between;
	size_t at;

	l->flag = 0;
	l->between = '\0';
	if (l->commands)
		return form_read_command(y->r, i->from, i->to, i->key, i->key_len, err);
	/* A user alone: the password is asked for. */
	if (after_flag && between != '\0' && (memchr(i->value, between, i->n) == NULL ||
	    i->value[i->n - 1] == between))
		return 0;
	if (!after_flag && l->command != NULL && i->n > 1 && i->value[0] == '-' &&
	    (at = form_option_asks(l->command, i->value, i->n, &l->between)) > 0) {
		if (at == i->n) {
			l->flag = 1;
			return 0;
		}
		l->between = '\0';
		i->role = FORM_OPTION;
		i->value += at;
		i->n -= at;
		i->from += at;
		return form_give(y->r, i, err);
	}
	if (l->command == NULL)
		l->command = form_command(i->value, i->n);
	if (len > 0 && form_is_variable(i->value, len)) {
		buf_truncate(&y->path, l->path);
		yaml_enter(y, i->value, len);
		i->key = (const char *)y->path.data;
		i->key_len = y->path.len;
		i->name = i->value;
		i->name_len = len;
		i->value += len + 1;
		i->n -= len + 1;
		i->from += i->to - i->from > len ? len + 1 : 0;
		return buf_check(&y->path, err) == 0 && i->n > 0 ? form_give(y->r, i, err) : 0;
	}
	if (key_class_of_end(i->key, i->key_len) == KEY_OTHER) {
		/* An element of what is only called after a password. */
		i->name = "";
		i->name_len = 0;
	}
	if (l->script && !sql_is_statement(i->value, i->n)) {
		l->script = false;
		return form_read_command(y->r, i->from, i->to, i->key, i->key_len, err);
	}
	if (l->arguments && yaml_is_words(i->value, i->n) && !sql_is_statement(i->value, i->n))
		return form_read_command(y->r, i->from, i->to, i->key, i->key_len, err);
	l->script = (i->n == 2 && memcmp(i->value, "-c", 2) == 0) ||
	    (i->n == 9 && memcmp(i->value, "CMD-SHELL", 9) == 0);
	if (after_flag) {
		i->role = FORM_OPTION;
		return form_give(y->r, i, err);
	}
	if (i->n > 3 && i->value[0] == '-' && equals == NULL && !form_is_glued(i->value, i->n)) {
		len = i->value[1] == '-' ? 2 : 1;
		l->flag = form_option_is_secret(i->value + len, i->n - len);
		return 0;
	}
	return yaml_give(y, i, err);
}

/* The value that stood before its name, or that has none. */
static int
yaml_give_held(struct yaml *y, struct yaml_level *l, struct error *err)
{
	struct form_item i = l->item;
	struct buf path;
	int rc;

	buf_init(&path, BUF_MAX_FILE);
	buf_append(&path, y->path.data, l->path);
	buf_append_str(&path, l->path > 0 ? ".value" : "value");
	i.key = (const char *)path.data;
	i.key_len = path.len;
	i.name = l->name.len > 0 ? (const char *)l->name.data : "value";
	i.name_len = l->name.len > 0 ? l->name.len : 5;
	i.value = (const char *)l->held.data;
	i.n = l->held.len;
	rc = buf_check(&path, err) == 0 ? yaml_give(y, &i, err) : -1;
	buf_release(&path);
	buf_clear(&l->held);
	return rc;
}

/* A boolean of YAML, which is no text, and so no password. */
static bool
yaml_is_boolean(const yaml_event_t *e)
{
	static const char *const words[] = { "true", "false", "yes", "no", "True", "False",
		"Yes", "No" };

	return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    text_is_one_of(e->data.scalar.value, e->data.scalar.length, words,
	    sizeof(words) / sizeof(words[0]));
}

/* Is it no more than commands, and no file of a form of its own? */
static bool
yaml_is_script(const char *value, size_t n)
{
	return memchr(value, '\n', n) == NULL || form_of_text(value, n) == FORM_NONE;
}

/* The key of the mapping at hand, ${*len} 0: it has none. */
static const char *
yaml_around(const struct yaml *y, size_t *len)
{
	size_t to = y->levels[y->depth - 1].path;
	size_t from = y->depth > 1 ? y->levels[y->depth - 2].path : to;

	from += from > 0 && from < to;
	*len = to - from;
	return (const char *)y->path.data + from;
}

static int
yaml_scalar(struct yaml *y, const yaml_event_t *e, struct error *err)
{
	struct yaml_level *l = y->depth > 0 ? &y->levels[y->depth - 1] : NULL;
	const char *value = (const char *)e->data.scalar.value, *tag, *key, *around;
	size_t n = e->data.scalar.length, len, around_len;
	bool borne;
	struct form_item i = { .value = value, .n = n };

	if (l != NULL && !l->sequence && !l->have_key) {
		l->have_key = true;
		y->key_at = yaml_offset(y, &e->start_mark);
		buf_truncate(&y->path, l->path);
		yaml_enter(y, value, n);
		return buf_check(&y->path, err);
	}
	yaml_begin_value(y);
	tag = (const char *)e->data.scalar.tag;
	if (l != NULL)
		l->have_key = false;
	/* Local tags stand for another value: !vault, !Ref, !Sub. */
	if (n == 0 || l == NULL || (tag != NULL && tag[0] == '!') || yaml_is_boolean(e))
		return 0;
	i.key = (const char *)y->path.data;
	i.key_len = y->path.len;
	key = i.key + l->path + (l->path > 0);
	len = i.key_len - l->path - (l->path > 0);
	around = yaml_around(y, &around_len);
	borne = !l->sequence && around_len > 0 && member_bears_value(key, len, around, around_len);
	if (l->elsewhere || (l->named && !(borne && !y->kubernetes) &&
	    (y->kubernetes || yaml_is_label(value, n) || *value == '.' || *value == '/')))
		return 0;
	yaml_place(y, e, &i);
	i.start = l->sequence ? i.from : y->key_at;
	if (l->sequence)
		return yaml_element(y, l, &i, err);
	l->of_secret |= yaml_ends(key, len, "ecretName");
	if (!borne && yaml_is_name(y, key, len, value, n, key_class(around, around_len)))
		return 0;
	if (yaml_is_command(key, len) && memchr(value, ' ', n) != NULL && yaml_is_script(value, n))
		return form_read_command(y->r, i.from, i.to, i.key, i.key_len, err);
	i.name = key;
	i.name_len = len;
	if (borne) {
		i.name = around;
		i.name_len = around_len;
	} else if (key_class(key, len) == KEY_OTHER &&
	    key_class_of_end(i.key, i.key_len) != KEY_OTHER) {
		i.name = NULL;
	}
	yaml_pair(l, key, len, value, n, &i);
	if (len == 5 && memcmp(key, "value", 5) == 0 && l->name.len == 0 && y->depth > 1 &&
	    y->levels[y->depth - 2].sequence && l->held.len == 0) {
		buf_append(&l->held, value, n);
		l->item = i;
		return buf_check(&l->held, err);
	}
	if (l->name.len > 0 && l->held.len > 0 && yaml_give_held(y, l, err) != 0)
		return -1;
	return yaml_give(y, &i, err);
}

static int
yaml_event(struct yaml *y, const yaml_event_t *e, struct error *err)
{
	switch (e->type) {
	case YAML_MAPPING_START_EVENT:
		return yaml_push(y, false, err);
	case YAML_SEQUENCE_START_EVENT:
		return yaml_push(y, true, err);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		if (y->depth > 0 && y->levels[y->depth - 1].held.len > 0 &&
		    yaml_give_held(y, &y->levels[y->depth - 1], err) != 0)
			return -1;
		yaml_pop(y);
		return 0;
	case YAML_SCALAR_EVENT:
		return yaml_scalar(y, e, err);
	case YAML_ALIAS_EVENT:
		if (y->depth > 0) {
			struct yaml_level *l = &y->levels[y->depth - 1];

			if (l->sequence)
				l->index++;
			else if (l->have_key)
				l->have_key = false;
			else
				yaml_unnamed_key(y, l);
		}
		return 0;
	default:
		return 0;
	}
}

/* Of a buffer of libyaml what ${n} bytes of UTF-8, and a NUL, can have come to. */
static void
yaml_wipe(unsigned char *start, const unsigned char *end, size_t n)
{
	const size_t size = (size_t)(end - start);

	secmem_wipe(start, n + 1 < size ? n + 1 : size);
}

static int
yaml_read(const struct form_reader *r, struct error *err)
{
	struct yaml *y = malloc(sizeof(*y));
	yaml_event_t e;
	bool end = false;
	int rc = 0;

	if (y == NULL)
		return error_memory(err);
	memset(y, 0, offsetof(struct yaml, levels));
	y->r = r;
	y->kubernetes = yaml_has(r, "apiVersion");
	y->has_secret = yaml_has(r, "Secret");
	y->external = yaml_has(r, "remoteRef") || yaml_has(r, "ExternalSecret");
	y->ascii = true;
	for (size_t i = 0; y->ascii && i < r->n; i++)
		y->ascii = (unsigned char)r->text[i] < 0x80;
	buf_init(&y->path, BUF_MAX_FILE);
	buf_init_secret(&y->decoded, BUF_MAX_FILE);
	/* There are pointers into an empty path, too. */
	if (buf_reserve(&y->path, 1) != 0 || !yaml_parser_initialize(&y->parser)) {
		rc = error_memory(err);
		goto done;
	}
	yaml_parser_set_encoding(&y->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y->parser, (const unsigned char *)r->text, r->n);
	while (rc == 0 && !end) {
		if (!yaml_parser_parse(&y->parser, &e)) {
			rc = yaml_fail(y, err);
			break;
		}
		end = e.type == YAML_STREAM_END_EVENT;
		rc = yaml_event(y, &e, err);
		if (e.type == YAML_SCALAR_EVENT)
			secmem_wipe(e.data.scalar.value, e.data.scalar.length);
		yaml_event_delete(&e);
	}
	while (y->depth > 0)
		yaml_pop(y);
	/* What libyaml read lies in ordinary memory. */
	yaml_wipe(y->parser.raw_buffer.start, y->parser.raw_buffer.end, r->n);
	yaml_wipe(y->parser.buffer.start, y->parser.buffer.end, r->n);
	yaml_parser_delete(&y->parser);
done:
	buf_release(&y->decoded);
	buf_release(&y->path);
	free(y);
	return rc;
}

int
form_read_yaml(const struct form_reader *r, struct error *err)
{
	struct form_reader hidden = *r;
	struct buf text;
	int rc;

	if (!yaml_has(r, "{{") && !yaml_has(r, "{%"))
		return yaml_read(r, err);
	buf_init_secret(&text, BUF_MAX_FILE);
	buf_append(&text, r->text, r->n);
	if ((rc = buf_check(&text, err)) == 0) {
		form_hide_actions((char *)text.data, text.len);
		hidden.text = (const char *)text.data;
		rc = yaml_read(&hidden, err);
	}
	buf_release(&text);
	return rc;
}

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/secmem.h"
#include "document/document.h"
#include "registry/settings.h"
#include "registry/settings_key.h"

#define NAME_MAX_BYTES 512
#define SECTIONS_MAX 64
#define PREFIX "config.providers.secret.param."
#define VARIABLE "CONNECT_CONFIG_PROVIDERS_SECRET_PARAM_"

extern char **environ;

/* A `[NAME]` line. */
struct section {
	size_t line;
	char name[64];
};

struct reading {
	struct settings *s;
	const char *file;
	struct section sections[SECTIONS_MAX];
	size_t count;
	bool worker;		/* a Connect worker's file: it has other keys too */
};

/* Note the sections, and make their lines and those that begin with ; comments. */
static int
find_sections(struct reading *r, struct buf *text, struct error *err)
{
	size_t line = 1;
	size_t at = 0;
	size_t end, len;
	struct section *sec;
	unsigned char *p;

	for (; at < text->len; at = end + 1, line++) {
		p = memchr(text->data + at, '\n', text->len - at);
		end = p != NULL ? (size_t)(p - text->data) : text->len;
		p = text->data + at;
		if (*p == ';') {
			*p = '#';
			continue;
		}
		len = end - at;
		while (len > 0 && strchr(" \t\r", p[len - 1]) != NULL)
			len--;
		if (len < 3 || p[0] != '[' || p[len - 1] != ']')
			continue;
		if (r->count == SECTIONS_MAX || len - 2 >= sizeof(sec->name)) {
			error_set(err, ERROR_LIMIT, "too many sections, or too long a name");
			return error_place(err, r->file, line);
		}
		sec = &r->sections[r->count++];
		sec->line = line;
		memcpy(sec->name, p + 1, len - 2);
		sec->name[len - 2] = '\0';
		*p = '#';
	}
	return 0;
}

/* The full name of entry ${i}, without Confluent's prefix. */
static int
entry_name(const struct reading *r, const struct document *d, size_t i,
    char out[NAME_MAX_BYTES], bool *prefixed, struct error *err)
{
	const char *section = NULL;
	const char *key;
	size_t line = document_line(d, i);
	size_t n, s;
	struct buf name;

	for (s = 0; s < r->count && r->sections[s].line < line; s++)
		section = r->sections[s].name;
	key = document_key(d, i, &n);
	buf_init(&name, NAME_MAX_BYTES - 1);
	if (section != NULL)
		buf_printf(&name, "%s.", section);
	buf_append(&name, key, n);
	if (buf_check(&name, err) != 0) {
		buf_release(&name);
		return -1;
	}
	key = buf_cstr(&name);
	*prefixed = strncmp(key, PREFIX, strlen(PREFIX)) == 0;
	if (*prefixed)
		key += strlen(PREFIX);
	memcpy(out, key, strlen(key) + 1);
	buf_release(&name);
	return 0;
}

/* ${file:PATH} or ${env:NAME} as a whole value stands for what is there. */
static int
substitute(struct buf *value, struct error *err)
{
	char name[4096];
	const char *text = buf_cstr(value);
	const char *found;
	bool is_file = strncmp(text, "${file:", 7) == 0;
	size_t skip = is_file ? 7 : 6;
	int rc;

	if ((!is_file && strncmp(text, "${env:", 6) != 0) || value->len < skip + 2 ||
	    text[value->len - 1] != '}' || value->len >= sizeof(name))
		return 0;
	memcpy(name, text + skip, value->len - skip - 1);
	name[value->len - skip - 1] = '\0';
	buf_clear(value);
	if (is_file) {
		rc = file_read(name, value, NULL, err);
		while (rc == 0 && value->len > 0 &&
		    (value->data[value->len - 1] == '\n' || value->data[value->len - 1] == '\r'))
			buf_truncate(value, value->len - 1);
		return rc;
	}
	if ((found = getenv(name)) == NULL)
		return error_set(err, ERROR_MISSING, "the environment has no %s", name);
	buf_append_str(value, found);
	return buf_check(value, err);
}

static int
read_entry(struct reading *r, const struct document *d, size_t i, struct error *err)
{
	char name[NAME_MAX_BYTES];
	struct buf value;
	bool prefixed;
	int rc = -1;

	buf_init_secret(&value, SETTINGS_FILE_MAX);
	if (entry_name(r, d, i, name, &prefixed, err) != 0)
		goto done;
	if (r->worker && !prefixed && settings_key_find(name) == NULL) {
		rc = 0;
		goto done;
	}
	if (document_value(d, i, &value, err) != 0 || substitute(&value, err) != 0)
		goto done;
	rc = settings_set(r->s, name, value.data, value.len, err);
done:
	if (rc != 0)
		error_place(err, r->file, document_line(d, i));
	buf_release(&value);
	return rc;
}

/* Has the file keys with Confluent's prefix? */
static bool
is_worker(const struct document *d)
{
	const char *key;
	size_t i, n;

	for (i = 0; i < document_count(d); i++) {
		key = document_key(d, i, &n);
		if (n > strlen(PREFIX) && memcmp(key, PREFIX, strlen(PREFIX)) == 0)
			return true;
	}
	return false;
}

int
settings_read(struct settings *s, const char *file, struct error *err)
{
	struct document *d = NULL;
	struct reading r = { .s = s, .file = file };
	struct buf text;
	size_t i;
	int rc = -1;

	buf_init_secret(&text, SETTINGS_FILE_MAX);
	if (file_read(file, &text, NULL, err) != 0 || find_sections(&r, &text, err) != 0 ||
	    (d = document_parse(&text, DOCUMENT_PROPERTIES, file, err)) == NULL ||
	    document_problem(d, err) != 0)
		goto done;
	r.worker = is_worker(d);
	rc = 0;
	for (i = 0; i < document_count(d) && rc == 0; i++) {
		if (!document_shadowed(d, i))
			rc = read_entry(&r, d, i, err);
	}
done:
	document_free(d);
	buf_release(&text);
	return rc;
}

int
settings_read_environment(struct settings *s, struct error *err)
{
	char name[NAME_MAX_BYTES];
	const struct settings_key *k;
	char **e;
	char *value;
	size_t n, i;

	for (e = environ; e != NULL && *e != NULL; e++) {
		if (strncmp(*e, VARIABLE, strlen(VARIABLE)) != 0 ||
		    (value = strchr(*e, '=')) == NULL)
			continue;
		n = (size_t)(value - *e) - strlen(VARIABLE);
		value++;
		if (n >= sizeof(name))
			continue;
		for (i = 0; i < n; i++) {
			name[i] = (*e)[strlen(VARIABLE) + i];
			if (name[i] >= 'A' && name[i] <= 'Z')
				name[i] = (char)(name[i] - 'A' + 'a');
			else if (name[i] == '_')
				name[i] = '.';
		}
		name[n] = '\0';
		if (settings_set(s, name, value, strlen(value), err) != 0)
			return error_hint(err, "the environment says it: %s...", VARIABLE);
		k = settings_key_find(name);
		if (k != NULL && (k->kind == SETTINGS_KEY || k->kind == SETTINGS_OLD_KEY))
			secmem_wipe(value, strlen(value));
	}
	return 0;
}

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "base/secmem.h"
#include "base/vec.h"
#include "document/document.h"
#include "registry/base/settings.h"
#include "registry/base/settings_kafka.h"
#include "registry/base/settings_key.h"
#include "registry/base/settings_sections.h"

#define NAME_MAX_BYTES 512
#define GIVEN_MAX 1024
#define PREFIX "config.providers.secret.param."
#define VARIABLE "CONNECT_CONFIG_PROVIDERS_SECRET_PARAM_"

extern char **environ;

/* A setting that the file has given. */
struct given {
	char *name;		/* without Confluent's prefix */
	bool prefixed;
	size_t entry;
};

struct reading {
	struct settings *s;
	const char *file;
	struct settings_sections sections;
	bool worker;		/* a Connect worker's file: it has other keys too */
	struct vec given;
};

/* The full name of entry ${i}, without Confluent's prefix. */
static int
entry_name(const struct reading *r, const struct document *d, size_t i,
    char out[NAME_MAX_BYTES], bool *prefixed, struct error *err)
{
	const char *section = settings_sections_at(&r->sections, document_line(d, i));
	const char *key;
	size_t n;
	struct buf name;

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

/* The value was to come from the file ${name}. */
static int
no_file(const char *name, const struct error *why, struct error *err)
{
	error_set(err, why->code, "the value cannot be taken from the file %.700s: %s", name,
	    why->text);
	return error_hint(err, "%s", why->hint[0] != '\0' ? why->hint :
	    "name a file that the service may read, or give the value itself");
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
	struct error why;

	if ((!is_file && strncmp(text, "${env:", 6) != 0) || value->len < skip + 2 ||
	    text[value->len - 1] != '}' || value->len >= sizeof(name))
		return 0;
	memcpy(name, text + skip, value->len - skip - 1);
	name[value->len - skip - 1] = '\0';
	buf_clear(value);
	if (is_file) {
		if (file_read(name, value, NULL, &why) != 0)
			return no_file(name, &why, err);
		while (value->len > 0 &&
		    (value->data[value->len - 1] == '\n' || value->data[value->len - 1] == '\r'))
			buf_truncate(value, value->len - 1);
		return 0;
	}
	if ((found = getenv(name)) == NULL) {
		error_set(err, ERROR_MISSING, "the value cannot be taken from the environment: "
		    "it has no %.700s", name);
		return error_hint(err, "export the variable, or give the value itself");
	}
	buf_append_str(value, found);
	return buf_check(value, err);
}

/* Is this for a Connect worker alone, in whose file it stands? */
static bool
is_workers(const struct reading *r, const struct document *d, const char *name)
{
	/* Both of us have them: with the prefix they are meant for us. */
	static const char *const shared[] = { PREFIX "listeners", PREFIX "ssl.client.auth" };
	size_t i;

	if (!r->worker)
		return false;
	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		if (strcmp(name, shared[i] + strlen(PREFIX)) == 0)
			return document_find(d, shared[i], strlen(shared[i])) != DOCUMENT_NONE;
	}
	return settings_key_find(name) == NULL && !settings_kafka_is_one(name);
}

/* The value ${value} is given to what has one already. */
static int
given_again(const struct given *g, const struct document *d, bool prefixed,
    const struct buf *value, struct error *err)
{
	size_t line = document_line(d, g->entry);

	if (g->prefixed == prefixed) {
		error_set(err, ERROR_FORMAT, "this is set on line %zu already", line);
		return error_hint(err, strcmp(g->name, "master.encryption.old.key") == 0 ?
		    "take one of the lines out; further old keys are set as %s.1, %s.2" :
		    "take one of the lines out", g->name, g->name);
	}
	if (document_value_is(d, g->entry, value->len > 0 ? (const char *)value->data : "",
	    value->len))
		return 0;
	error_set(err, ERROR_FORMAT, "%s%s on line %zu and %s%s here are the same setting, but "
	    "have different values", g->prefixed ? PREFIX : "", g->name, line,
	    prefixed ? PREFIX : "", g->name);
	return error_hint(err, "take one of the lines out");
}

/* Note that it is given.  1: it is not to be set again; -1: it may not. */
static int
note(struct reading *r, const struct document *d, size_t i, const char *name, bool prefixed,
    const struct buf *value, struct error *err)
{
	struct given *g;
	size_t k;

	for (k = 0; k < r->given.len; k++) {
		g = vec_at(&r->given, k);
		if (strcmp(g->name, name) == 0)
			return given_again(g, d, prefixed, value, err) == 0 ? 1 : -1;
	}
	if ((g = vec_push(&r->given)) == NULL || (g->name = strdup(name)) == NULL)
		return error_memory(err);
	g->prefixed = prefixed;
	g->entry = i;
	return 0;
}

static int
read_entry(struct reading *r, const struct document *d, size_t i, struct error *err)
{
	char name[NAME_MAX_BYTES] = "";
	struct buf value;
	bool prefixed;
	int rc;

	buf_init_secret(&value, SETTINGS_FILE_MAX);
	rc = entry_name(r, d, i, name, &prefixed, err);
	if (rc != 0 || (!prefixed && is_workers(r, d, name)))
		goto done;
	if ((rc = document_value(d, i, &value, err)) != 0 ||
	    (rc = note(r, d, i, name, prefixed, &value, err)) != 0 ||
	    (rc = substitute(&value, err)) != 0)
		goto done;
	rc = settings_set(r->s, name, value.data, value.len, err);
done:
	if (rc == -1) {
		error_place(err, r->file, document_line(d, i));
		error_key(err, name, strlen(name));
	}
	buf_release(&value);
	return rc == -1 ? -1 : 0;
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
	struct given *g;
	struct buf text;
	size_t i;
	int rc = -1;

	vec_init(&r.given, sizeof(*g), GIVEN_MAX);
	buf_init_secret(&text, SETTINGS_FILE_MAX);
	if (file_read(file, &text, NULL, err) != 0 ||
	    settings_sections_find(&r.sections, &text, file, err) != 0 ||
	    (d = document_parse(&text, DOCUMENT_PROPERTIES, file, err)) == NULL ||
	    document_problem(d, err) != 0)
		goto done;
	r.worker = is_worker(d);
	rc = 0;
	for (i = 0; i < document_count(d) && rc == 0; i++)
		rc = read_entry(&r, d, i, err);
done:
	for (i = 0; i < r.given.len; i++) {
		g = vec_at(&r.given, i);
		free(g->name);
	}
	vec_release(&r.given);
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
		if (k != NULL && (k->kind == SETTINGS_KEY || k->kind == SETTINGS_OLD_KEY ||
		    k->kind == SETTINGS_KAFKA))
			secmem_wipe(value, strlen(value));
	}
	return 0;
}

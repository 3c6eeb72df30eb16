#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "file/file.h"
#include "seal/provider.h"
#include "secrets/inspect.h"
#include "secrets/reference.h"

/*
 * Config providers of Kafka (KIP-297): whether the service that reads a
 * configuration resolves its references at all, and whether the files that
 * FileConfigProvider reads have what is asked of them.
 */

#define KEPT_MAX ((size_t)1 << 26)

/* An entry of a connector, or a reference to a file, until all files are known. */
struct provider_use {
	size_t file;
	enum form form;
	struct audit_finding region;
	char *path;	/* of the configuration file */
	char *key;
	size_t key_len;
	char *text;	/* the reference alone: what else is in the value is not kept */
	bool connector;	/* the worker has to resolve it */
};

void
audit_providers_init(struct audit *a)
{
	vec_init(&a->uses, sizeof(struct provider_use), KEPT_MAX);
	vec_init(&a->workers, sizeof(char *), KEPT_MAX);
}

void
audit_providers_release(struct audit *a)
{
	for (size_t i = 0; i < a->uses.len; i++) {
		struct provider_use *u = vec_at(&a->uses, i);

		free(u->path);
		free(u->key);
		free(u->text);
	}
	vec_release(&a->uses);
	vec_release_strings(&a->workers);
}

int
audit_providers_take(struct audit *a, struct audit *part, size_t files, struct error *err)
{
	return audit_take(&a->uses, &part->uses, offsetof(struct provider_use, file), files, err);
}

/* ${file:/path:key} */
static bool
provider_reads_file(const struct reference *r)
{
	return r->provider_len == 4 && memcmp(r->provider, "file", 4) == 0 && r->path != NULL &&
	    r->path_len > 1 && r->path[0] == '/' && r->name_len > 0;
}

static int
provider_tell(struct audit_source *s, const char *key, size_t len,
    const struct audit_finding *region, enum audit_rule rule, const char *message,
    const char *hint, struct error *err)
{
	struct audit_finding *f = audit_add(s, rule, key, len, region, err);

	if (f == NULL)
		return -1;
	f->message = message;
	f->hint = hint;
	return 0;
}

static int
provider_keep(struct audit_source *s, const char *key, size_t len,
    const struct audit_finding *region, const char *value, size_t n, bool connector,
    struct error *err)
{
	struct provider_use *u;

	if (audit_source_name(s, err) != 0)
		return -1;
	if ((u = vec_push(&s->a->uses)) == NULL)
		return error_memory(err);
	*u = (struct provider_use){ .file = s->file, .form = s->form, .region = *region,
		.path = strdup(s->a->path), .key = text_copy(key, len), .key_len = len,
		.text = text_copy(value, n), .connector = connector };
	return u->path != NULL && u->key != NULL && u->text != NULL ? 0 : error_memory(err);
}

static int
provider_entry(struct audit_source *s, const struct document *d, size_t i,
    const struct buf *value, bool connector, struct error *err)
{
	const char *base = (const char *)document_bytes(d)->data, *raw, *what, *key;
	struct audit_finding region;
	struct reference r;
	size_t n, len, start, end = 0;
	bool worker;
	int rc = 0;

	key = document_key(d, i, &len);
	raw = (const char *)document_raw_value(d, i, &n);
	audit_source_region(s, (size_t)(raw - base), (size_t)(raw - base) + n, &region);
	if (!connector && (what = workers_lack(d, d, value, s->a->o->provider_class, false,
	    &r)) != NULL)
		rc = provider_tell(s, key, len, &region, AUDIT_PROVIDER, what, NULL, err);
	if (s->a->path == NULL)
		return rc;
	while (rc == 0 && resolve_next((const char *)value->data, value->len, end, &r, &start,
	    &end))
		/* Of a connector's, what stands by itself, or is ours. */
		if ((worker = connector && ((start == 0 && end == value->len) ||
		    reference_is_ours(&r))) || provider_reads_file(&r))
			rc = provider_keep(s, key, len, &region, (const char *)value->data + start,
			    end - start, worker, err);
	return rc;
}

/* Could it be a worker's?  To look for keys takes an index of them, which costs more. */
static bool
provider_may_be_worker(const struct audit_source *s)
{
	static const char *const words[] = { "converter", "storage", "plugin" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (memmem(s->text, s->n, words[i], strlen(words[i])) != NULL)
			return true;
	return strncmp(file_basename(s->name), "connect-", 8) == 0;
}

int
audit_providers(struct audit_source *s, const struct document *d, struct error *err)
{
	struct buf value;
	bool connector;
	int rc = 0;

	if (s->unresolved || s->conflict || s->backup)
		return 0;
	if (s->a->path != NULL && s->depth == 0 && provider_may_be_worker(s) &&
	    provider_is_worker(d) &&
	    vec_push_string(&s->a->workers, s->a->path, strlen(s->a->path)) == NULL)
		return error_memory(err);
	if (memchr(s->text, '$', s->n) == NULL && memchr(s->text, '\\', s->n) == NULL)
		return 0;
	/* Lists and exports of connectors are those of a worker, too. */
	connector = provider_is_connector(d) || s->origin == AUDIT_FROM_CONNECT ||
	    (s->form == FORM_JSON && memmem(s->text, s->n, "\"connector.class\"", 17) != NULL);
	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		if (!reference_may_be_in(d, i) || document_shadowed(d, i) ||
		    inspect_is_provider_parameter(d, i))
			continue;
		buf_clear(&value);
		if (document_value(d, i, &value, NULL) == 0 && value.len > 3 &&
		    memmem(value.data, value.len, "${", 2) != NULL)
			rc = provider_entry(s, d, i, &value, connector, err);
	}
	buf_release(&value);
	return rc;
}

/* Does the file of a reference that can be read lack its key? */
static bool
provider_dangles(struct audit *a, const struct reference *r)
{
	struct document *d = NULL;
	struct buf path, content;
	bool dangles = false;

	buf_init(&path, 65536);
	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append_str(&path, a->o->host != NULL ? a->o->host : "");
	buf_append(&path, r->path, r->path_len);
	if (buf_check(&path, NULL) == 0 &&
	    file_read(buf_cstr(&path), &content, NULL, NULL) == 0)
		d = document_parse(&content, &document_properties, buf_cstr(&path), NULL);
	if (d != NULL)
		dangles = document_find(d, r->name, r->name_len) == DOCUMENT_NONE;
	document_free(d);
	buf_release(&content);
	buf_release(&path);
	return dangles;
}

static int
provider_judge(struct audit *a, const struct workers *w, const struct provider_use *u,
    struct error *err)
{
	struct audit_source s = { .a = a, .file = u->file, .form = u->form };
	const struct document *by = u->connector ? workers_nearest(w, u->path) : NULL;
	const char *what = NULL;
	struct reference r;
	struct buf value;
	int rc = 0;

	buf_init(&value, BUF_MAX_FILE);
	buf_append_str(&value, u->text);
	if ((rc = buf_check(&value, err)) == 0 && by != NULL)
		what = workers_lack(by, by, &value, a->o->provider_class, false, &r);
	if (what != NULL)
		rc = provider_tell(&s, u->key, u->key_len, &u->region, AUDIT_PROVIDER,
		    "its worker does not resolve the reference: config.providers does not name its "
		    "provider, or the class is not there or another one",
		    "name the provider in config.providers of the worker's file, and its class in "
		    "config.providers.NAME.class", err);
	if (rc == 0 && reference_parse(u->text, strlen(u->text), &r) &&
	    provider_reads_file(&r) && provider_dangles(a, &r))
		rc = provider_tell(&s, u->key, u->key_len, &u->region, AUDIT_DANGLING,
		    "a reference to a key that its file does not have", "put the key into that "
		    "file, or name the one that is meant in the reference", err);
	buf_release(&value);
	return rc;
}

int
audit_providers_finish(struct audit *a, struct error *err)
{
	struct workers workers;
	int rc = 0;

	workers_init(&workers);
	for (size_t i = 0; a->uses.len > 0 && rc == 0 && i < a->workers.len; i++)
		rc = workers_add(&workers, vec_string(&a->workers, i), a->o->scope, err);
	for (size_t i = 0; rc == 0 && i < a->uses.len; i++)
		rc = provider_judge(a, &workers, vec_at(&a->uses, i), err);
	workers_release(&workers);
	return rc;
}

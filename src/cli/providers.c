#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/checks.h"
#include "cli/providers.h"
#include "cli/settings.h"
#include "common/args.h"
#include "document/document.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "seal/provider.h"
#include "secrets/reference.h"

#define WORKERS_MAX 100000

/* The workers of the estate are read once. */
static int
providers_look(struct providers *p, struct error *err)
{
	struct configuration *c, **slot;
	const struct estate_file *f;
	bool may_be;

	for (size_t i = 0; i < estate_count(p->estate); i++) {
		f = estate_file(p->estate, i);
		may_be = strncmp(file_basename(f->path), "connect-", 8) == 0;
		for (size_t k = 0; k < f->count && !may_be; k++)
			may_be = strcmp(f->entries[k].key, "key.converter") == 0 ||
			    strncmp(f->entries[k].key, "offset.storage.", 15) == 0 ||
			    strcmp(f->entries[k].key, "plugin.path") == 0;
		if (!may_be || (c = configuration_load(f->path, config_scope(p->o->config),
		    NULL)) == NULL)
			continue;
		if (!provider_is_worker(c->doc)) {
			configuration_free(c);
		} else if ((slot = vec_push(&p->workers)) == NULL) {
			configuration_free(c);
			return error_memory(err);
		} else {
			*slot = c;
		}
	}
	p->looked = true;
	return 0;
}

void
providers_init(struct providers *p, const struct options *o, const struct estate *e)
{
	memset(p, 0, sizeof(*p));
	p->o = o;
	p->estate = e;
	vec_init(&p->workers, sizeof(struct configuration *), WORKERS_MAX);
}

void
providers_release(struct providers *p)
{
	for (size_t i = 0; i < p->workers.len; i++)
		configuration_free(*(struct configuration **)vec_at(&p->workers, i));
	vec_release(&p->workers);
}

/* The worker that is nearest to a connector, by the folders that they share. */
static const struct document *
worker_of(const struct providers *p, const char *path)
{
	const struct document *best = NULL;
	size_t longest = 0, n, slash;

	for (size_t i = 0; i < p->workers.len; i++) {
		const struct configuration *c = *(struct configuration **)vec_at(&p->workers, i);

		for (n = slash = 0; c->path[n] != '\0' && c->path[n] == path[n]; n++)
			slash = c->path[n] == '/' ? n + 1 : slash;
		if (best == NULL || slash > longest) {
			best = c->doc;
			longest = slash;
		}
	}
	return best;
}

/* The first reference of a value whose provider ${by} lacks: its text, and what. */
static const char *
lacks(const struct providers *p, const struct document *by, const struct document *d,
    const struct buf *value, struct buf *name)
{
	const char *class = config_provider_class(p->o->config), *what;
	bool others = document_format(d) == DOCUMENT_ENTRIES || provider_is_connector(d);
	struct reference r;
	size_t start, end = 0;

	if (class == NULL)
		class = REFERENCE_PROVIDER_CLASS;
	while (resolve_next((const char *)value->data, value->len, end, &r, &start, &end)) {
		/* What another program makes of ${a:b} within a text is not ours to say. */
		if (!reference_is_ours(&r) && (!others || start != 0 || end != value->len ||
		    strstr(document_file(d), "log4j") != NULL))
			continue;
		what = provider_lacks(by, r.provider, r.provider_len,
		    reference_is_ours(&r) ? class : NULL);
		if (what == NULL)
			continue;
		text_append_visible(name, r.provider, r.provider_len);
		return what;
	}
	return NULL;
}

int
providers_check(struct providers *p, struct checks *f, const struct configuration *c,
    struct error *err)
{
	const struct document *by = c->doc;
	struct buf value, name;
	struct error found;
	const char *key, *what;
	size_t len;
	int rc = 0;

	if (provider_is_connector(c->doc)) {
		if (!p->looked && providers_look(p, err) != 0)
			return -1;
		if ((by = worker_of(p, c->path)) == NULL)
			return 0;
	}
	buf_init_secret(&value, BUF_MAX_FILE);
	buf_init(&name, 4096);
	for (size_t i = 0; rc == 0 && i < document_count(c->doc); i++) {
		if (document_shadowed(c->doc, i) || !reference_may_be_in(c->doc, i))
			continue;
		buf_clear(&value);
		buf_clear(&name);
		key = document_key(c->doc, i, &len);
		rc = document_value(c->doc, i, &value, err);
		if (rc != 0 || (what = lacks(p, by, c->doc, &value, &name)) == NULL)
			continue;
		if (by == c->doc)
			error_set(&found, ERROR_NONE, "the service takes the reference for the "
			    "value: %s (%s)", what, buf_cstr(&name));
		else
			error_set(&found, ERROR_NONE, "the worker takes the reference for the "
			    "value: in %s %s (%s)", document_file(by), what, buf_cstr(&name));
		error_place(&found, c->path, document_line(c->doc, i));
		error_key(&found, key, len);
		error_hint(&found, "name %s in config.providers and its class in "
		    "config.providers.%s.class; of several lines of one key the last one counts",
		    buf_cstr(&name), buf_cstr(&name));
		checks_add(f, CHECK_PROBLEM, "provider", &found);
	}
	buf_release(&name);
	buf_release(&value);
	return rc;
}

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

/* The workers of the estate are read once. */
static int
providers_look(struct providers *p, struct error *err)
{
	const struct estate_file *f;
	bool may_be;

	for (size_t i = 0; i < estate_count(p->estate); i++) {
		f = estate_file(p->estate, i);
		may_be = strncmp(file_basename(f->path), "connect-", 8) == 0;
		for (size_t k = 0; k < f->count && !may_be; k++)
			may_be = strcmp(f->entries[k].key, "key.converter") == 0 ||
			    strncmp(f->entries[k].key, "offset.storage.", 15) == 0 ||
			    strcmp(f->entries[k].key, "plugin.path") == 0;
		if (may_be && workers_add(&p->workers, f->path, config_scope(p->o->config),
		    err) != 0)
			return -1;
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
	workers_init(&p->workers);
}

void
providers_release(struct providers *p)
{
	workers_release(&p->workers);
}

int
providers_reader(struct providers *p, const struct configuration *c, const struct document **by,
    struct error *err)
{
	*by = c->doc;
	if (!provider_is_connector(c->doc))
		return 0;
	if (!p->looked && providers_look(p, err) != 0)
		return -1;
	*by = workers_nearest(&p->workers, c->path);
	return 0;
}

int
providers_check(struct providers *p, struct checks *f, const struct configuration *c,
    struct error *err)
{
	const struct document *by;
	struct buf value, name;
	struct reference r;
	struct error found;
	const char *key, *what;
	size_t len;
	int rc = 0;

	if (providers_reader(p, c, &by, err) != 0)
		return -1;
	if (by == NULL)
		return 0;
	buf_init_secret(&value, BUF_MAX_FILE);
	buf_init(&name, 4096);
	for (size_t i = 0; rc == 0 && i < document_count(c->doc); i++) {
		if (document_shadowed(c->doc, i) || !reference_may_be_in(c->doc, i))
			continue;
		buf_clear(&value);
		buf_clear(&name);
		key = document_key(c->doc, i, &len);
		rc = document_value(c->doc, i, &value, err);
		if (rc != 0 || (what = workers_lack(by, c->doc, &value,
		    config_provider_class(p->o->config), true, &r)) == NULL)
			continue;
		text_append_visible(&name, r.provider, r.provider_len);
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

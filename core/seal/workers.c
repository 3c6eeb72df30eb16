#include "seal/workers.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "plan/configuration.h"
#include "seal/provider.h"

#define WORKERS_MAX 100000

void
workers_init(struct workers *w)
{
	vec_init(&w->list, sizeof(struct configuration *), WORKERS_MAX);
}

void
workers_release(struct workers *w)
{
	for (size_t i = 0; i < w->list.len; i++)
		configuration_free(*(struct configuration **)vec_at(&w->list, i));
	vec_release(&w->list);
}

int
workers_add(struct workers *w, const char *path, const struct scope *scope, struct error *err)
{
	struct configuration *c = configuration_load(path, scope, NULL), **slot;

	if (c == NULL)
		return 0;
	if (provider_is_worker(c->doc)) {
		if ((slot = vec_push(&w->list)) != NULL) {
			*slot = c;
			return 0;
		}
		configuration_free(c);
		return error_memory(err);
	}
	configuration_free(c);
	return 0;
}

const struct document *
workers_nearest(const struct workers *w, const char *path)
{
	const struct document *best = NULL;
	size_t longest = 0, n, slash;

	for (size_t i = 0; i < w->list.len; i++) {
		const struct configuration *c = *(struct configuration **)vec_at(&w->list, i);

		for (n = slash = 0; c->path[n] != '\0' && c->path[n] == path[n]; n++)
			slash = c->path[n] == '/' ? n + 1 : slash;
		if (best == NULL || slash > longest) {
			best = c->doc;
			longest = slash;
		}
	}
	return best;
}

/* Is it the whole configuration of a service or a client, and no part of one? */
static bool
workers_is_whole(const struct document *d)
{
	static const char *const keys[] = { "bootstrap.servers", "listeners", "process.roles",
		"group.id", "kafkastore.bootstrap.servers" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (document_find(d, keys[i], strlen(keys[i])) != DOCUMENT_NONE)
			return true;
	return false;
}

/* Has it config.providers, or would it have it where it took any? */
static bool
workers_tells(const struct document *d)
{
	static const char list[] = "config.providers";
	const char *own = document_format(d)->providers;

	return document_find(d, list, sizeof(list) - 1) != DOCUMENT_NONE ||
	    document_find(d, own, strlen(own)) != DOCUMENT_NONE || workers_is_whole(d);
}

/* One that was not closed goes on to the end of the next. */
static bool
workers_is_closed(const struct reference *r)
{
	const char *end = r->name + r->name_len;

	return memmem(r->provider, (size_t)(end - r->provider), "${", 2) == NULL;
}

const char *
workers_lack(const struct document *by, const struct document *d, const struct buf *value,
    const char *class, bool parts, struct reference *out)
{
	const bool others = (document_format(d) == DOCUMENT_ENTRIES || provider_is_connector(d)) &&
	    (parts || workers_tells(by));
	const char *what;
	size_t start, end = 0;
	bool ours;

	while (resolve_next((const char *)value->data, value->len, end, out, &start, &end)) {
		ours = reference_is_ours(out);
		/* What another program makes of one within a text is not ours to say. */
		if (!ours && (!others || start != 0 || end != value->len ||
		    !workers_is_closed(out) || strstr(document_file(d), "log4j") != NULL))
			continue;
		what = provider_lacks(by, out->provider, out->provider_len, !ours ? NULL :
		    class != NULL ? class : REFERENCE_PROVIDER_CLASS);
		if (what != NULL)
			return what;
	}
	return NULL;
}

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "document/edits.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/provider.h"
#include "secrets/reference.h"

#define LIST_MAX ((size_t)1 << 20)

/* The keys of the list, of the provider's class, and what all its settings begin with. */
struct keys {
	const char *list;
	char class[64];
	size_t prefix;		/* so much of the class's */
};

#define WORKERS_MAX 100000

static struct keys
provider_keys_of(const struct document *d)
{
	const struct document_format *f = document_format(d);
	struct keys k;

	snprintf(k.class, sizeof(k.class), "%s%s" REFERENCE_PROVIDER "%sclass", f->providers,
	    f->dot, f->dot);
	k.list = f->providers;
	k.prefix = strlen(k.class) - strlen("class");
	return k;
}

static size_t
provider_find(const struct document *d, const char *key)
{
	return document_find(d, key, strlen(key));
}

/*
 * A connector, in whatever it is sent or kept: a properties file, one object,
 * {"name":..., "config":{...}}, or many of those.  The worker resolves its
 * references, and takes a provider from its own configuration only.
 */
bool
provider_is_connector(const struct document *d)
{
	char key[32];
	const char *own;
	size_t len, n;

	snprintf(key, sizeof(key), "connector%sclass", document_format(d)->dot);
	n = strlen(key);
	for (size_t i = 0; i < document_count(d); i++) {
		own = document_key(d, i, &len);
		if (len >= n && memcmp(own + len - n, key, n) == 0 && (len == n ||
		    (document_format(d)->escape != '\0' && own[len - n - 1] == '.')))
			return true;
	}
	return false;
}

/* Is ${item} in the comma list, as a whole item? */
static bool
lists(const char *list, const char *item)
{
	size_t n = strlen(item), len;

	for (;;) {
		list += strspn(list, " \t\r\n\f");
		len = strcspn(list, ",");
		while (len > 0 && strchr(" \t\r\n\f", list[len - 1]) != NULL)
			len--;
		if (len == n && memcmp(list, item, n) == 0)
			return true;
		list += strcspn(list, ",");
		if (*list++ == '\0')
			return false;
	}
}

bool
provider_is_worker(const struct document *d)
{
	static const char *const keys[] = { "key.converter", "offset.storage.topic",
		"offset.storage.file.filename", "config.storage.topic", "plugin.path" };
	const char *base = file_basename(document_file(d));

	if (provider_is_connector(d))
		return false;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (provider_find(d, keys[i]) != DOCUMENT_NONE)
			return true;
	return strncmp(base, "connect-", 8) == 0 && (provider_find(d, "group.id") !=
	    DOCUMENT_NONE || provider_find(d, "bootstrap.servers") != DOCUMENT_NONE);
}

const char *
provider_lacks(const struct document *d, const char *name, size_t len, const char *class)
{
	const struct document_format *f = document_format(d);
	const char *lacks = NULL;
	struct buf list, key;
	size_t i;

	buf_init(&list, LIST_MAX);
	buf_init(&key, LIST_MAX);
	buf_append(&key, name, len);
	i = provider_find(d, f->providers);
	if (i == DOCUMENT_NONE)
		i = provider_find(d, "config.providers");
	if (i == DOCUMENT_NONE || document_value(d, i, &list, NULL) != 0 ||
	    buf_check(&list, NULL) != 0 || buf_check(&key, NULL) != 0 ||
	    !lists(buf_cstr(&list), buf_cstr(&key))) {
		lacks = "config.providers does not name its provider";
		goto out;
	}
	buf_clear(&key);
	buf_append_str(&key, f->providers);
	buf_append_str(&key, f->dot);
	buf_append(&key, name, len);
	buf_append_str(&key, f->dot);
	buf_append_str(&key, "class");
	if ((i = document_find(d, buf_cstr(&key), key.len)) == DOCUMENT_NONE)
		lacks = "its provider has no class";
	else if (class != NULL && !document_value_is(d, i, class, strlen(class)))
		lacks = "its provider has another class than the one that resolves it";
out:
	buf_release(&key);
	buf_release(&list);
	return lacks;
}

static int
add_to_list(struct edits *e, const struct document *d, const struct keys *keys, struct error *err)
{
	size_t i = provider_find(d, keys->list), old = i;
	struct buf list;
	int rc = 0;

	/* The reference reads a nested list, and writes this one. */
	if (i == DOCUMENT_NONE)
		old = provider_find(d, "config.providers");
	buf_init(&list, LIST_MAX);
	if (old != DOCUMENT_NONE && document_value(d, old, &list, err) != 0)
		rc = -1;
	else if (buf_check(&list, err) != 0)
		rc = -1;
	else if (i == DOCUMENT_NONE || !lists(buf_cstr(&list), REFERENCE_PROVIDER)) {
		if (strspn(buf_cstr(&list), " \t\r\n\f") < list.len)
			buf_append_char(&list, ',');
		else
			buf_clear(&list);
		buf_append_str(&list, REFERENCE_PROVIDER);
		rc = buf_check(&list, err);
		if (rc == 0)
			rc = i == DOCUMENT_NONE ? edits_insert(e, i, keys->list,
			    strlen(keys->list), list.data, list.len, err) :
			    edits_set(e, i, list.data, list.len, err);
	}
	buf_release(&list);
	return rc;
}

static void
note_class(struct plan *p, const struct configuration *c, const struct keys *keys,
    const char *class)
{
	size_t i = provider_find(c->doc, keys->class);

	if (i != DOCUMENT_NONE && !document_value_is(c->doc, i, class, strlen(class)))
		plan_note(p, "%s:%zu: the provider " REFERENCE_PROVIDER " has another class than "
		    "%s, which was left as it is", c->path, document_line(c->doc, i),
		    strcmp(class, REFERENCE_PROVIDER_CLASS) == 0 ? "Confluent's" : class);
}

/* To the configuration of anything but a connector. */
static int
provider_put(struct edits *e, const struct keys *keys, const char *class, struct error *err)
{
	const struct document *d = edits_document(e);

	if (add_to_list(e, d, keys, err) != 0)
		return -1;
	if (provider_find(d, keys->class) == DOCUMENT_NONE)
		return edits_insert(e, DOCUMENT_NONE, keys->class, strlen(keys->class), class,
		    strlen(class), err);
	/* A class that was chosen on purpose stays; provider_add tells. */
	return 0;
}

int
provider_add(struct plan *p, struct configuration *c, const char *class, struct error *err)
{
	struct edits *e = plan_config_edits(p, c, err);
	bool connector;
	struct keys keys;

	if (e == NULL)
		return -1;
	if (!plan_first_of(p, c))
		return 0;
	if (class == NULL)
		class = REFERENCE_PROVIDER_CLASS;
	if ((connector = provider_is_connector(c->doc)))
		plan_note(p, "%s: the Connect worker resolves the references: its own "
		    "configuration must name the provider " REFERENCE_PROVIDER, c->path);
	keys = provider_keys_of(c->doc);
	note_class(p, c, &keys, class);
	return connector ? 0 : provider_put(e, &keys, class, err);
}

int
provider_add_to(struct edits *e, const char *class, struct error *err)
{
	const struct document *d = edits_document(e);
	const struct keys keys = provider_keys_of(d);

	return provider_is_connector(d) ? 0 :
	    provider_put(e, &keys, class != NULL ? class : REFERENCE_PROVIDER_CLASS, err);
}

/* Is there an entry config.providers.securepass.* other than the class? */
static bool
has_settings(const struct document *d)
{
	const struct keys keys = provider_keys_of(d);
	size_t len, n = keys.prefix;

	for (size_t i = 0; i < document_count(d); i++) {
		const char *key = document_key(d, i, &len);

		if (len >= n && memcmp(key, keys.class, n) == 0 &&
		    (len != strlen(keys.class) || memcmp(key, keys.class, len) != 0))
			return true;
	}
	return false;
}

static bool
provider_is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* Copy the list without the item, each with the comma before it. */
static void
copy_others(const struct buf *list, struct buf *out)
{
	const size_t n = strlen(REFERENCE_PROVIDER);
	const unsigned char *p = list->data;
	size_t at = 0, end, from, to;
	bool first = true;

	while (at <= list->len) {
		for (end = at; end < list->len && p[end] != ','; end++)
			;
		for (from = at; from < end && provider_is_space(p[from]); from++)
			;
		for (to = end; to > from && provider_is_space(p[to - 1]); to--)
			;
		if (to - from != n || memcmp(p + from, REFERENCE_PROVIDER, n) != 0) {
			if (!first)
				buf_append_char(out, ',');
			/* Blanks before what becomes the first item served the comma. */
			from = first && at > 0 ? from : at;
			if (end > from)
				buf_append(out, p + from, end - from);
			first = false;
		}
		at = end + 1;
	}
}

/*
 * A list that was there and blank when the provider was put into it stays,
 * and so does one that hides an earlier line.  One that was made for it
 * stands beside the class.
 */
static bool
was_made(const struct document *d, size_t list, size_t class)
{
	return document_previous(d, list) == DOCUMENT_NONE &&
	    (class == list + 1 || list == class + 1);
}

static int
remove_from_list(struct edits *e, size_t class, struct error *err)
{
	const struct document *d = edits_document(e);
	size_t i = provider_find(d, provider_keys_of(d).list);
	struct buf list, others;
	int rc;

	if (i == DOCUMENT_NONE)
		return 0;
	buf_init(&list, LIST_MAX);
	buf_init(&others, LIST_MAX);
	rc = document_value(d, i, &list, err);
	if (rc == 0) {
		copy_others(&list, &others);
		rc = buf_check(&others, err);
	}
	if (rc == 0 && others.len == 0 && was_made(d, i, class))
		rc = edits_remove(e, i, err);
	else if (rc == 0 && others.len < list.len)
		rc = edits_set(e, i, others.data, others.len, err);
	buf_release(&others);
	buf_release(&list);
	return rc;
}

int
provider_remove_from(struct edits *e, struct error *err)
{
	const struct document *d = edits_document(e);
	size_t i = provider_find(d, provider_keys_of(d).class), class = i;

	if (i == DOCUMENT_NONE || has_settings(d) || !document_value_is(d, i,
	    REFERENCE_PROVIDER_CLASS, strlen(REFERENCE_PROVIDER_CLASS)))
		return 0;
	for (; i != DOCUMENT_NONE; i = document_previous(d, i))
		if (edits_remove(e, i, err) != 0)
			return -1;
	return remove_from_list(e, class, err);
}

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

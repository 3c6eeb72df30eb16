#include "registry/api/handlers.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/condition.h"
#include "registry/api/exchange.h"
#include "registry/api/page.h"
#include "registry/api/reply.h"
#include "registry/api/secret_json.h"
#include "registry/http/http.h"
#include "registry/base/settings.h"
#include "registry/store/names.h"
#include "registry/store/state.h"
#include "registry/store/store.h"

/* Reading one secret, the values of a key, and the values of a path. */

static void
name_from_url(const struct exchange *x, struct secret_name *name)
{
	name->path = request_param(x, PARAM_PATH, &name->path_len);
	name->key = request_param(x, PARAM_KEY, &name->key_len);
}

static const struct state_key *
find_key(const struct state *s, const struct secret_name *name)
{
	const struct state_path *path = state_path_find(s, name->path, name->path_len);

	return path != NULL ? state_key_find(path, name->key, name->key_len) : NULL;
}

static void
fail_unreadable(struct exchange *x, const struct secret_name *name, uint32_t version)
{
	answer_fail(x, 500, 50001, "Version %u of %.*s/%.*s cannot be opened: its record is "
	    "damaged or under a key that is not there", (unsigned)version,
	    (int)name->path_len, name->path, (int)name->key_len, name->key);
}

static void
fail_absent(struct exchange *x, const struct secret_name *name, bool known)
{
	if (x->version != 0 && known)
		answer_fail(x, 404, 40402, "Version %u of %.*s/%.*s does not exist, was deleted "
		    "or has expired", (unsigned)x->version, (int)name->path_len, name->path,
		    (int)name->key_len, name->key);
	else
		answer_fail(x, 404, 40401, "No secret is stored as %.*s/%.*s",
		    (int)name->path_len, name->path, (int)name->key_len, name->key);
}

/* Under the state's lock: what is asked for, live. */
static bool
find_version(const struct exchange *x, const struct state_key *key, struct version_view *v)
{
	int64_t now = store_now(request_store(x));

	if (x->version == 0)
		return state_version_latest(key, now, v);
	return state_version_find(key, x->version, now, v) && v->status == VERSION_LIVE;
}

void
reads_version(struct exchange *x)
{
	struct state *s = request_state(x);
	const char *have = http_header(x->r, "If-None-Match");
	const struct state_key *key;
	const struct buf *value;
	struct secret_name name;
	struct version_view v;
	bool found, same = false;

	name_from_url(x, &name);
	state_lock(s);
	key = find_key(s, &name);
	found = key != NULL && find_version(x, key, &v);
	if (!found) {
		bool known = key != NULL && state_key_live(key, store_now(request_store(x)));

		state_unlock(s);
		fail_absent(x, &name, known);
		return;
	}
	x->version = v.number;
	same = have != NULL && condition_names(have, v.number, true);
	value = same ? NULL : secret_json_open(x, &name, &v, NULL);
	if (value != NULL)
		secret_json_append(&name, &v, value->data != NULL ? value->data : (const void *)"",
		    value->len, request_flag(x, "metadata"), answer_json(x));
	state_unlock(s);

	if (!same && value == NULL) {
		fail_unreadable(x, &name, x->version);
		return;
	}
	x->etag = x->version;
	if (same)
		x->op = SECRET_METADATA;	/* all that it told */
	answer_send(x, same ? 304 : 200);
}

/* An empty list, or 404 where that was configured. */
static void
answer_list(struct exchange *x, bool known)
{
	if (!known && request_settings(x)->list_unknown_404) {
		answer_fail(x, 404, 40401, "Nothing is stored here");
		return;
	}
	json_out_end(&x->json);
	x->has_count = true;
	answer_send(x, 200);
}

/* ?after= of a list of versions: anything but a number begins with the first. */
static uint32_t
version_after(const struct page *p)
{
	uint32_t number = 0;

	if (p->after.len == 0 || !name_version_parse((const char *)p->after.data, p->after.len,
	    &number))
		return 0;
	return number;
}

/* What a list of a key's versions is made of. */
struct version_list {
	struct exchange *x;
	struct secret_name name;
	struct page page;
	bool values, metadata, partial;
	uint32_t unreadable;		/* the version that cannot be opened */
};

/* Append one version; false: it cannot be opened. */
static bool
add_version(struct version_list *l, const struct version_view *v)
{
	struct json_out *out = &l->x->json;
	const struct buf *value;

	if (!l->values) {
		json_out_uint(out, NULL, v->number);
		l->page.count++;
		return true;
	}
	value = secret_json_open(l->x, &l->name, v, NULL);
	if (value == NULL)
		return l->partial;
	secret_json_append(&l->name, v, value->data != NULL ? value->data : (const void *)"",
	    value->len, l->metadata, out);
	l->page.count++;
	return true;
}

/* Under the state's lock. */
static void
list_versions(struct version_list *l, const struct state_key *key)
{
	int64_t now = store_now(request_store(l->x));
	size_t count = state_version_count(key);
	uint32_t after = version_after(&l->page), last = 0;
	struct version_view v;

	for (size_t i = 0; i < count && !l->x->body.failed; i++) {
		state_version_at(key, i, now, &v);
		if (v.status != VERSION_LIVE || v.number <= after)
			continue;
		if (page_is_full(&l->page)) {
			struct buf text;

			buf_init(&text, 16);
			reply_number(&text, last);
			page_link(l->x, &l->page, (const char *)text.data, text.len, "metadata");
			buf_release(&text);
			return;
		}
		if (!add_version(l, &v)) {
			l->unreadable = v.number;
			return;
		}
		last = v.number;
	}
}

static void
answer_versions(struct exchange *x, bool values)
{
	struct state *s = request_state(x);
	struct version_list list = { .x = x, .values = values };
	const struct state_key *key;

	if (page_read(x, &list.page) == 0) {
		list.metadata = request_flag(x, "metadata");
		list.partial = request_flag(x, "partial");
		name_from_url(x, &list.name);
		json_out_array(answer_json(x), NULL);
		state_lock(s);
		key = find_key(s, &list.name);
		if (key != NULL)
			list_versions(&list, key);
		state_unlock(s);
		x->count = list.page.count;
		if (list.unreadable != 0)
			fail_unreadable(x, &list.name, list.unreadable);
		else
			answer_list(x, key != NULL);
	}
	page_release(&list.page);
}

void
reads_versions(struct exchange *x)
{
	answer_versions(x, false);
}

void
reads_key(struct exchange *x)
{
	answer_versions(x, true);
}

/* Under the state's lock: the latest value of each key.  Returns the name of
 * the key that cannot be opened, else NULL. */
static const char *
list_path(struct version_list *l, const struct state_path *path)
{
	int64_t now = store_now(request_store(l->x));
	const char *at = page_after(&l->page), *listed = NULL;
	size_t at_len = l->page.after.len, listed_len = 0;
	const struct state_key *key;
	struct version_view v;

	while ((key = state_key_after(path, at, at_len)) != NULL && !l->x->body.failed) {
		at = l->name.key = state_key_name(key, &at_len);
		l->name.key_len = at_len;
		if (!state_version_latest(key, now, &v))
			continue;
		if (page_is_full(&l->page)) {
			page_link(l->x, &l->page, listed, listed_len, "metadata partial");
			return NULL;
		}
		if (l->values && !add_version(l, &v)) {
			l->unreadable = v.number;
			return at;
		}
		if (!l->values) {
			json_out_text_n(&l->x->json, NULL, at, at_len);
			l->page.count++;
		}
		listed = at;
		listed_len = at_len;
	}
	return NULL;
}

static void
answer_path(struct exchange *x, bool values)
{
	struct state *s = request_state(x);
	struct version_list list = { .x = x, .values = values };
	const struct state_path *path;
	char unreadable[NAME_KEY_MAX + 1];

	if (page_read(x, &list.page) == 0) {
		list.metadata = request_flag(x, "metadata");
		list.partial = request_flag(x, "partial");
		name_from_url(x, &list.name);
		json_out_array(answer_json(x), NULL);
		state_lock(s);
		path = state_path_find(s, list.name.path, list.name.path_len);
		if (path != NULL && list_path(&list, path) != NULL)
			memcpy(unreadable, list.name.key, list.name.key_len);
		state_unlock(s);
		x->count = list.page.count;
		list.name.key = unreadable;
		if (list.unreadable != 0)
			fail_unreadable(x, &list.name, list.unreadable);
		else
			answer_list(x, path != NULL);
	}
	page_release(&list.page);
}

void
reads_path(struct exchange *x)
{
	answer_path(x, true);
}

void
reads_keys(struct exchange *x)
{
	answer_path(x, false);
}

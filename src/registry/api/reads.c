#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/text.h"
#include "registry/api/body.h"
#include "registry/api/exchange.h"
#include "registry/api/routes.h"
#include "registry/base/settings.h"
#include "registry/http/http.h"
#include "registry/store/names.h"
#include "registry/store/state.h"
#include "registry/store/store.h"

/* Paths that are looked at before a writer is let in between. */
#define CHUNK 512

/* Reading one secret, the values of a key, and the values of a path. */

/* What a list of a key's versions is made of. */
struct version_list {
	struct exchange *x;
	struct secret_name name;
	struct page page;
	bool values, metadata, partial;
	uint32_t unreadable;		/* the version that cannot be opened */
	char key[NAME_KEY_MAX];		/* ... and its key's name */
};

struct walk {
	struct exchange *x;
	struct page page;
	struct buf prefix;
	struct buf path_glob, key_glob;	/* search; empty: any */
	struct buf after_key;
	bool everything;		/* the caller may list every path */
	bool deleted;			/* ListPaths: those that can be brought back */
	int64_t now;
	char at[NAME_PATH_MAX + 1];	/* the last path looked at */
	size_t at_len;
	char listed[NAME_PATH_MAX + 1];	/* the last one in the answer */
	size_t listed_len;
	char listed_key[NAME_KEY_MAX + 1];
	size_t listed_key_len;
	bool full;
};

static void
name_from_url(const struct exchange *x, struct secret_name *name)
{
	name->path = request_param(x, PARAM_PATH, &name->path_len);
	name->key = request_param(x, PARAM_KEY, &name->key_len);
}

static const struct state_key *
reads_find_key(const struct state *s, const struct secret_name *name)
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
reads_find_version(const struct exchange *x, const struct state_key *key, struct version_view *v)
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
	key = reads_find_key(s, &name);
	found = key != NULL && reads_find_version(x, key, &v);
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

/* Append one version; false: it cannot be opened. */
static bool
reads_add_version(struct version_list *l, const struct version_view *v)
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

/* Under the state's lock: a key's live versions.  Is it known? */
static bool
list_versions(struct version_list *l)
{
	const struct state_key *key = reads_find_key(request_state(l->x), &l->name);
	int64_t now = store_now(request_store(l->x));
	size_t count = key != NULL ? state_version_count(key) : 0;
	uint32_t after = version_after(&l->page), last = 0;
	struct version_view v;

	for (size_t i = 0; i < count && !l->x->body.failed; i++) {
		state_version_at(key, i, now, &v);
		if (v.status != VERSION_LIVE || v.number <= after)
			continue;
		if (page_is_full(&l->page)) {
			struct buf text;

			buf_init(&text, 16);
			number_append(&text, last);
			page_link(l->x, &l->page, (const char *)text.data, text.len, "metadata");
			buf_release(&text);
			return true;
		}
		if (!reads_add_version(l, &v)) {
			l->unreadable = v.number;
			return true;
		}
		last = v.number;
	}
	return key != NULL;
}

/* Under the state's lock: the latest value of each key of a path.  Is it known? */
static bool
list_path(struct version_list *l)
{
	const struct state_path *path = state_path_find(request_state(l->x), l->name.path,
	    l->name.path_len);
	int64_t now = store_now(request_store(l->x));
	const char *at = page_after(&l->page), *listed = NULL;
	size_t at_len = l->page.after.len, listed_len = 0;
	const struct state_key *key;
	struct version_view v;

	while (path != NULL && (key = state_key_after(path, at, at_len)) != NULL &&
	    !l->x->body.failed) {
		at = l->name.key = state_key_name(key, &at_len);
		l->name.key_len = at_len;
		if (!state_version_latest(key, now, &v))
			continue;
		if (page_is_full(&l->page)) {
			page_link(l->x, &l->page, listed, listed_len, "metadata partial");
			return true;
		}
		if (l->values && !reads_add_version(l, &v)) {
			l->unreadable = v.number;
			l->name.key = memcpy(l->key, at, at_len);
			return true;
		}
		if (!l->values) {
			json_out_text_n(&l->x->json, NULL, at, at_len);
			l->page.count++;
		}
		listed = at;
		listed_len = at_len;
	}
	return path != NULL;
}

static void
answer_values(struct exchange *x, bool values, bool (*list)(struct version_list *l))
{
	struct version_list l = { .x = x, .values = values };
	bool known;

	if (page_read(x, &l.page) == 0) {
		l.metadata = request_flag(x, "metadata");
		l.partial = request_flag(x, "partial");
		name_from_url(x, &l.name);
		json_out_array(answer_json(x), NULL);
		state_lock(request_state(x));
		known = list(&l);
		state_unlock(request_state(x));
		x->count = l.page.count;
		if (l.unreadable != 0)
			fail_unreadable(x, &l.name, l.unreadable);
		else
			answer_list(x, known);
	}
	page_release(&l.page);
}

void
reads_versions(struct exchange *x)
{
	answer_values(x, false, list_versions);
}

void
reads_key(struct exchange *x)
{
	answer_values(x, true, list_versions);
}

void
reads_keys(struct exchange *x)
{
	answer_values(x, false, list_path);
}

void
reads_path(struct exchange *x)
{
	answer_values(x, true, list_path);
}

/* Lists over all paths: only what the caller may list is seen and counted. */

static void
walk_init(struct walk *w, struct exchange *x)
{
	memset(w, 0, sizeof(*w));
	w->x = x;
	w->now = store_now(request_store(x));
	buf_init(&w->prefix, TARGET_BYTES_MAX);
	buf_init(&w->path_glob, TARGET_BYTES_MAX);
	buf_init(&w->key_glob, TARGET_BYTES_MAX);
	buf_init(&w->after_key, TARGET_BYTES_MAX);
}

static void
lists_walk_release(struct walk *w)
{
	page_release(&w->page);
	buf_release(&w->prefix);
	buf_release(&w->path_glob);
	buf_release(&w->key_glob);
	buf_release(&w->after_key);
}

static bool
lists_has_prefix(const struct walk *w, const char *name, size_t n)
{
	return n >= w->prefix.len &&
	    (w->prefix.len == 0 || memcmp(name, w->prefix.data, w->prefix.len) == 0);
}

/* What is deleted is told, as by the metadata, to who may see those. */
static bool
may_list(struct walk *w, const char *name, size_t n)
{
	return w->everything || (request_allows(w->x, SECRET_LIST, name, n) &&
	    (!w->deleted || request_allows(w->x, SECRET_METADATA, name, n)));
}

static void
lists_add_path(struct walk *w, const char *name, size_t n)
{
	w->page.count++;
	json_out_text_n(&w->x->json, NULL, name, n);
	memcpy(w->listed, name, n);
	w->listed_len = n;
}

/* Has it a version that can be brought back? */
static bool
has_deleted(const struct state_path *p, int64_t now)
{
	const struct state_key *k;
	struct version_view v;
	const char *name = "";
	size_t n = 0;

	while ((k = state_key_after(p, name, n)) != NULL) {
		for (size_t i = state_version_count(k); i-- > 0;) {
			state_version_at(k, i, now, &v);
			if (v.status == VERSION_DELETED)
				return true;
		}
		name = state_key_name(k, &n);
	}
	return false;
}

static bool
is_wanted(const struct walk *w, const struct state_path *p)
{
	bool live = state_path_live(p, w->now);

	return w->deleted ? !live && has_deleted(p, w->now) : live;
}

/* One path of ListPaths; the end is told by w->full. */
static void
lists_visit_path(struct walk *w, const struct state_path *p, const char *name, size_t n)
{
	if (!is_wanted(w, p) || !may_list(w, name, n))
		return;
	if (page_is_full(&w->page))
		w->full = true;
	else
		lists_add_path(w, name, n);
}

/* A pattern must fit the whole name, a text without wildcards a part of it. */
static bool
glob_fits(struct buf *pattern, const char *name, size_t n)
{
	if (pattern->len == 0)
		return true;
	if (glob_is_pattern(buf_cstr(pattern)))
		return glob_match(buf_cstr(pattern), name, n, 0);
	return memmem(name, n, pattern->data, pattern->len) != NULL;
}

static void
lists_add_found(struct walk *w, const char *path, size_t path_len, const char *key, size_t key_len,
    uint32_t version)
{
	struct json_out *out = &w->x->json;

	w->page.count++;
	json_out_object(out, NULL);
	json_out_text_n(out, "path", path, path_len);
	json_out_text_n(out, "key", key, key_len);
	json_out_uint(out, "version", version);
	json_out_end(out);
	memcpy(w->listed, path, path_len);
	w->listed_len = path_len;
	memcpy(w->listed_key, key, key_len);
	w->listed_key_len = key_len;
}

/* The keys of one path that a search finds. */
static void
visit_keys(struct walk *w, const struct state_path *p, const char *name, size_t n)
{
	const struct state_key *k;
	struct version_view v;
	const char *key = "";
	size_t key_len = 0;

	if (!glob_fits(&w->path_glob, name, n) || !may_list(w, name, n))
		return;
	/* A page that ended within this path goes on within it. */
	if (w->after_key.len > 0 && w->page.after.len == n &&
	    memcmp(name, w->page.after.data, n) == 0) {
		key = (const char *)w->after_key.data;
		key_len = w->after_key.len;
	}
	while (!w->full && (k = state_key_after(p, key, key_len)) != NULL) {
		key = state_key_name(k, &key_len);
		if (!glob_fits(&w->key_glob, key, key_len) || !state_version_latest(k, w->now, &v))
			continue;
		if (page_is_full(&w->page))
			w->full = true;
		else
			lists_add_found(w, name, n, key, key_len, v.number);
	}
}

/* Where to begin: at ${after} itself if ${inclusive}. */
static const struct state_path *
first(const struct walk *w, const struct state *s, bool inclusive)
{
	const char *after = page_after(&w->page);
	const char *prefix = (const char *)w->prefix.data;
	size_t n = w->page.after.len < w->prefix.len ? w->page.after.len : w->prefix.len;
	const struct state_path *p;

	/* ${after} before the prefix (or none): from the prefix on. */
	if (w->prefix.len > 0 && (n == 0 || memcmp(after, prefix, n) < 0 ||
	    (memcmp(after, prefix, n) == 0 && w->page.after.len < w->prefix.len))) {
		p = state_path_find(s, prefix, w->prefix.len);
		return p != NULL ? p : state_path_after(s, prefix, w->prefix.len);
	}
	p = inclusive && w->page.after.len > 0 ?
	    state_path_find(s, after, w->page.after.len) : NULL;
	return p != NULL ? p : state_path_after(s, after, w->page.after.len);
}

/* Visit the paths in order, a chunk at a time under the lock. */
static void
lists_run(struct walk *w, bool inclusive,
    void (*visit)(struct walk *w, const struct state_path *p, const char *name, size_t n))
{
	struct state *s = request_state(w->x);
	const struct state_path *p;
	bool begun = false, more = true;

	while (more && !w->full && !w->x->body.failed) {
		state_lock(s);
		p = begun ? state_path_after(s, w->at, w->at_len) : first(w, s, inclusive);
		begun = true;
		for (int i = 0; i < CHUNK && p != NULL && !w->full; i++) {
			size_t n;
			const char *name = state_path_name(p, &n);

			if (!lists_has_prefix(w, name, n)) {
				p = NULL;
				break;
			}
			visit(w, p, name, n);
			memcpy(w->at, name, n);
			w->at_len = n;
			p = state_path_after(s, name, n);
		}
		more = p != NULL;
		state_unlock(s);
	}
}

static void
lists_answer(struct walk *w)
{
	struct exchange *x = w->x;

	json_out_end(&x->json);
	x->has_count = true;
	x->count = w->page.count;
	answer_send(x, 200);
}

void
lists_paths(struct exchange *x)
{
	struct walk w;

	if (request_flag_odd(x, "deleted")) {
		answer_fail(x, 422, 42201, "deleted is true or false");
		return;
	}
	walk_init(&w, x);
	if (page_read(x, &w.page) == 0 && request_query(x, "prefix", &w.prefix) != -1) {
		w.deleted = request_flag(x, "deleted");
		w.everything = request_allows(x, SECRET_LIST, NULL, 0) &&
		    (!w.deleted || request_allows(x, SECRET_METADATA, NULL, 0));
		json_out_array(answer_json(x), NULL);
		lists_run(&w, false, lists_visit_path);
		if (w.full)
			page_link(x, &w.page, w.listed, w.listed_len, "prefix deleted");
		lists_answer(&w);
	}
	lists_walk_release(&w);
}

void
lists_search(struct exchange *x)
{
	struct walk w;

	walk_init(&w, x);
	if (page_read(x, &w.page) == 0 && request_query(x, "path", &w.path_glob) != -1 &&
	    request_query(x, "key", &w.key_glob) != -1 &&
	    request_query(x, "after_key", &w.after_key) != -1) {
		w.everything = request_allows(x, SECRET_LIST, NULL, 0);
		json_out_array(answer_json(x), NULL);
		lists_run(&w, w.after_key.len > 0, visit_keys);
		if (w.full) {
			page_link(x, &w.page, w.listed, w.listed_len, "path key");
			page_link_add(x, "after_key", w.listed_key, w.listed_key_len);
		}
		lists_answer(&w);
	}
	lists_walk_release(&w);
}

#include "registry/api/handlers.h"

#include <string.h>

#include "base/buf.h"
#include "base/glob.h"
#include "base/json_out.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/exchange.h"
#include "registry/api/page.h"
#include "registry/api/reply.h"
#include "registry/http/target.h"
#include "registry/store/names.h"
#include "registry/store/state.h"
#include "registry/store/store.h"

/* Lists over all paths: only what the caller may list is seen and counted. */

/* Paths that are looked at before a writer is let in between. */
#define CHUNK 512

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
walk_release(struct walk *w)
{
	page_release(&w->page);
	buf_release(&w->prefix);
	buf_release(&w->path_glob);
	buf_release(&w->key_glob);
	buf_release(&w->after_key);
}

static bool
has_prefix(const struct walk *w, const char *name, size_t n)
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
add_path(struct walk *w, const char *name, size_t n)
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
visit_path(struct walk *w, const struct state_path *p, const char *name, size_t n)
{
	if (!is_wanted(w, p) || !may_list(w, name, n))
		return;
	if (page_is_full(&w->page))
		w->full = true;
	else
		add_path(w, name, n);
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
add_found(struct walk *w, const char *path, size_t path_len, const char *key, size_t key_len,
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
			add_found(w, name, n, key, key_len, v.number);
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
run(struct walk *w, bool inclusive,
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

			if (!has_prefix(w, name, n)) {
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
answer(struct walk *w)
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
		run(&w, false, visit_path);
		if (w.full)
			page_link(x, &w.page, w.listed, w.listed_len, "prefix deleted");
		answer(&w);
	}
	walk_release(&w);
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
		run(&w, w.after_key.len > 0, visit_keys);
		if (w.full) {
			page_link(x, &w.page, w.listed, w.listed_len, "path key");
			page_link_add(x, "after_key", w.listed_key, w.listed_key_len);
		}
		answer(&w);
	}
	walk_release(&w);
}

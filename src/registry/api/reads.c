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
#include "registry/store/reader.h"

/* Reading one secret, the values of a key, and the values of a path. */

/* What a list of a key's versions is made of. */
struct version_list {
	struct exchange *x;
	struct reader *r;
	struct error err;		/* the database could not be read */
	struct secret_name name;
	struct page page;
	bool values, metadata, partial;
	uint32_t unreadable;		/* the version that cannot be opened */
	char key[NAME_KEY_MAX + 1];	/* the key that is looked at, of a path */
	char listed[NAME_KEY_MAX + 1];	/* the last one in the answer */
	size_t listed_len;
};

struct walk {
	struct exchange *x;
	struct reader *r;
	struct error err;		/* the database could not be read */
	bool failed;
	struct page page;
	struct buf prefix;
	struct buf path_glob, key_glob;	/* search; empty: any */
	struct buf after_key;
	bool everything;		/* the caller may list every path */
	bool deleted;			/* ListPaths: those that can be brought back */
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

void
reads_version(struct exchange *x)
{
	struct reader *r = request_reader(x);
	const char *have = http_header(x->r, "If-None-Match");
	const struct buf *value = NULL;
	struct secret_name name;
	struct version_view v;
	struct error err;
	bool same = false, known = false;
	int found;

	if (r == NULL)
		return;
	name_from_url(x, &name);
	found = x->version == 0 ? reader_latest(r, &name, true, &v, &err) :
	    reader_version(r, &name, x->version, true, &v, &err);
	if (found == 1 && v.status != VERSION_LIVE)
		found = 0;
	if (found == 1) {
		x->version = v.number;
		same = have != NULL && condition_names(have, v.number, true);
		value = same ? NULL : secret_json_open(x, &name, &v, NULL);
		if (value != NULL)
			secret_json_append(&name, &v, value->data != NULL ? value->data :
			    (const void *)"", value->len, request_flag(x, "metadata"),
			    answer_json(x));
	} else if (found == 0 && x->version != 0) {
		known = reader_latest(r, &name, false, &v, NULL) == 1;
	}
	reader_end(r);

	if (found == -1) {
		answer_error(x, &err);
	} else if (found == 0) {
		fail_absent(x, &name, known);
	} else if (!same && value == NULL) {
		fail_unreadable(x, &name, x->version);
	} else {
		x->etag = x->version;
		if (same)
			x->op = SECRET_METADATA;	/* all that it told */
		answer_send(x, same ? 304 : 200);
	}
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
	answer_gives(l->x, &l->name, v->number);
	l->page.count++;
	return true;
}

/* A key's live versions.  1: the key is known; 0: it is not. */
static int
list_versions(struct version_list *l)
{
	uint32_t after = version_after(&l->page), last = 0;
	struct key_settings settings;
	struct version_view v;
	int found;

	while ((found = reader_next(l->r, &l->name, after, l->values, &v, &l->err)) == 1 &&
	    !l->x->body.failed) {
		after = v.number;
		if (v.status != VERSION_LIVE)
			continue;
		if (page_is_full(&l->page)) {
			struct buf text;

			buf_init(&text, 16);
			number_append(&text, last);
			page_link(l->x, &l->page, (const char *)text.data, text.len, "metadata");
			buf_release(&text);
			return 1;
		}
		if (!reads_add_version(l, &v)) {
			l->unreadable = v.number;
			return 1;
		}
		last = v.number;
	}
	if (found == -1)
		return -1;
	found = reader_settings(l->r, &l->name, &settings, &l->err);
	return found == 1 ? settings.high > 0 : found;
}

/* The latest value of each key of a path.  1: the path is known; 0: it is not. */
static int
list_path(struct version_list *l)
{
	const char *at = page_after(&l->page);
	size_t at_len = l->page.after.len;
	struct path_view path;
	struct version_view v;
	int found, live;

	while ((found = reader_key_after(l->r, l->name.path, l->name.path_len, at, at_len, l->key,
	    &at_len, &l->err)) == 1 && !l->x->body.failed) {
		at = l->name.key = l->key;
		l->name.key_len = at_len;
		live = reader_latest(l->r, &l->name, l->values, &v, &l->err);
		if (live == -1)
			return -1;
		if (live == 0)
			continue;
		if (page_is_full(&l->page)) {
			page_link(l->x, &l->page, l->listed, l->listed_len, "metadata partial");
			return 1;
		}
		if (l->values && !reads_add_version(l, &v)) {
			l->unreadable = v.number;
			return 1;
		}
		if (!l->values) {
			json_out_text_n(&l->x->json, NULL, at, at_len);
			l->page.count++;
		}
		memcpy(l->listed, at, at_len);
		l->listed_len = at_len;
	}
	return found == -1 ? -1 : reader_path(l->r, l->name.path, l->name.path_len, &path,
	    &l->err);
}

static void
answer_values(struct exchange *x, bool values, int (*list)(struct version_list *l))
{
	struct version_list l = { .x = x, .values = values };
	int known;

	if (page_read(x, &l.page) == 0 && (l.r = request_reader(x)) != NULL) {
		l.metadata = request_flag(x, "metadata");
		l.partial = request_flag(x, "partial");
		name_from_url(x, &l.name);
		json_out_array(answer_json(x), NULL);
		known = list(&l);
		reader_end(l.r);
		x->count = l.page.count;
		if (known == -1)
			answer_error(x, &l.err);
		else if (l.unreadable != 0)
			fail_unreadable(x, &l.name, l.unreadable);
		else
			answer_list(x, known == 1);
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

/* One path of ListPaths; the end is told by w->full. */
static void
lists_visit_path(struct walk *w, const struct path_view *p)
{
	if ((w->deleted ? p->live || !p->deleted : !p->live) || !may_list(w, p->name, p->len))
		return;
	if (page_is_full(&w->page))
		w->full = true;
	else
		lists_add_path(w, p->name, p->len);
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
visit_keys(struct walk *w, const struct path_view *p)
{
	struct secret_name name = { .path = p->name, .path_len = p->len };
	char key[NAME_KEY_MAX + 1];
	const char *after = "";
	size_t after_len = 0;
	struct version_view v;
	int found = 1;

	if (!p->live || !glob_fits(&w->path_glob, p->name, p->len) ||
	    !may_list(w, p->name, p->len))
		return;
	/* A page that ended within this path goes on within it. */
	if (w->after_key.len > 0 && w->page.after.len == p->len &&
	    memcmp(p->name, w->page.after.data, p->len) == 0) {
		after = (const char *)w->after_key.data;
		after_len = w->after_key.len;
	}
	while (!w->full && (found = reader_key_after(w->r, p->name, p->len, after, after_len, key,
	    &name.key_len, &w->err)) == 1) {
		after = name.key = key;
		after_len = name.key_len;
		if (!glob_fits(&w->key_glob, key, name.key_len))
			continue;
		if ((found = reader_latest(w->r, &name, false, &v, &w->err)) == -1)
			break;
		if (found == 0)
			continue;
		if (page_is_full(&w->page))
			w->full = true;
		else
			lists_add_found(w, p->name, p->len, key, name.key_len, v.number);
	}
	w->failed |= found == -1;
}

struct visit {
	struct walk *w;
	void (*visit)(struct walk *w, const struct path_view *p);
};

static bool
lists_visit(void *cookie, const struct path_view *p)
{
	struct visit *v = cookie;
	struct walk *w = v->w;

	if (!lists_has_prefix(w, p->name, p->len))
		return false;
	v->visit(w, p);
	return !w->full && !w->failed && !w->x->body.failed;
}

/* Visit the paths in order; from ${after} itself on if ${inclusive}.  false: the
 * database could not be read, and that was answered. */
static bool
lists_run(struct walk *w, bool inclusive,
    void (*visit)(struct walk *w, const struct path_view *p))
{
	struct visit v = { w, visit };
	const char *from = page_after(&w->page);
	const char *prefix = (const char *)w->prefix.data;
	size_t from_len = w->page.after.len;
	size_t n = from_len < w->prefix.len ? from_len : w->prefix.len;
	int order = n > 0 ? memcmp(from, prefix, n) : 0;

	/* ${after} before the prefix (or none): from the prefix on. */
	if (w->prefix.len > 0 && (order < 0 || (order == 0 && from_len < w->prefix.len))) {
		from = prefix;
		from_len = w->prefix.len;
		inclusive = true;
	}
	if (reader_paths(w->r, from, from_len, inclusive && from_len > 0, lists_visit, &v,
	    &w->err) == -1)
		w->failed = true;
	reader_end(w->r);
	if (w->failed)
		answer_error(w->x, &w->err);
	return !w->failed;
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

	walk_init(&w, x);
	if (page_read(x, &w.page) == 0 && request_query(x, "prefix", &w.prefix) != -1) {
		w.deleted = request_flag(x, "deleted");
		w.everything = request_allows(x, SECRET_LIST, NULL, 0) &&
		    (!w.deleted || request_allows(x, SECRET_METADATA, NULL, 0));
		json_out_array(answer_json(x), NULL);
		if ((w.r = request_reader(x)) != NULL && lists_run(&w, false, lists_visit_path)) {
			if (w.full)
				page_link(x, &w.page, w.listed, w.listed_len, "prefix deleted");
			lists_answer(&w);
		}
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
		if ((w.r = request_reader(x)) != NULL && lists_run(&w, w.after_key.len > 0,
		    visit_keys)) {
			if (w.full) {
				page_link(x, &w.page, w.listed, w.listed_len, "path key");
				page_link_add(x, "after_key", w.listed_key, w.listed_key_len);
			}
			lists_answer(&w);
		}
	}
	lists_walk_release(&w);
}

#include <sys/stat.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/environments_internal.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "secrets/secrets_file.h"

char *
folder_real(const char *folder)
{
	char *real = realpath(folder, NULL);

	return real != NULL ? real : strdup(folder);
}

void
folder_forget(struct folder *f)
{
	f->answers.len = 0;
	map_free(f->answer_index);
	f->answer_index = NULL;
}

void
folder_free(struct folder *f)
{
	if (f == NULL)
		return;
	vec_release(&f->answers);
	map_free(f->answer_index);
	free(f->given);
	free(f->real);
	free(f);
}

struct folder *
folder_new(char *given)
{
	struct folder *f = given != NULL ? calloc(1, sizeof(*f)) : NULL;

	if (f == NULL) {
		free(given);
		return NULL;
	}
	vec_init(&f->answers, sizeof(struct answer), TEXTS_MAX);
	f->given = given;
	if ((f->real = folder_real(given)) == NULL) {
		folder_free(f);
		return NULL;
	}
	f->in_work_tree = file_in_work_tree(f->real);
	return f;
}

struct folder *
folder_for(struct environments *e, const char *config)
{
	size_t n = (size_t)(file_basename(config) - config), at;
	struct folder *f = e->last_folder, **slot;
	char *given;

	/* References come file by file. */
	if (f != NULL && n > 1 && strlen(f->given) == n - 1 &&
	    memcmp(f->given, config, n - 1) == 0)
		return f;
	given = file_folder(config);
	if (given != NULL && map_get(e->folder_index, given, strlen(given), &at)) {
		free(given);
		return e->last_folder = *(struct folder **)vec_at(&e->folders, at);
	}
	if ((f = folder_new(given)) == NULL || (slot = vec_push(&e->folders)) == NULL) {
		folder_free(f);
		return NULL;
	}
	*slot = f;
	return map_put(e->folder_index, given, strlen(given), e->folders.len - 1) == 0 ? f : NULL;
}

int
folder_sections(struct environments *e, struct folder *f, struct error *err)
{
	struct error why;

	if (f->looked || e->source == NULL)
		return 0;
	if (e->source->sections(e->source->cookie, f->real, &f->sections, &f->count,
	    &f->ini_folder, &why) != 0) {
		if (why.code == ERROR_MEMORY)
			return error_memory(err);
		f->count = 0;
		f->refused = true;
		if ((f->ini_folder = environments_intern(e, why.file, strlen(why.file))) == NULL)
			return error_memory(err);
	}
	for (size_t i = 0; i < f->count; i++)
		f->by_name = f->by_name || f->sections[i].files != NULL;
	f->looked = true;
	return 0;
}

/* Does the section take configuration file ${config} of the folder? */
static bool
section_takes(const struct folder *f, const struct environment_section *s, const char *config)
{
	const char *rest, *p = s->files;
	char pattern[NAME_MAX + 1];
	struct buf path;
	size_t len;
	bool takes = p == NULL;

	buf_init(&path, NAME_BYTES_MAX);
	buf_append_str(&path, f->real);
	buf_append_char(&path, '/');
	buf_append_str(&path, file_basename(config));
	rest = buf_cstr(&path);
	len = strlen(f->ini_folder);
	if (strncmp(rest, f->ini_folder, len) == 0)
		rest += len;
	rest += *rest == '/';
	while (!takes && p != NULL && *(p += strspn(p, " ")) != '\0') {
		len = strcspn(p, " ");
		if (len < sizeof(pattern)) {
			memcpy(pattern, p, len);
			pattern[len] = '\0';
			/* A folder stands for all below it, a name for every file of it. */
			takes = glob_match(pattern, rest, strlen(rest), 0) ||
			    (strncmp(rest, pattern, len) == 0 && (rest[len] == '/' ||
			    pattern[len - 1] == '/')) || (strchr(pattern, '/') == NULL &&
			    glob_match(pattern, file_basename(config),
			    strlen(file_basename(config)), 0));
		}
		p += len;
	}
	buf_release(&path);
	return takes;
}

/* --- which secrets file --- */

/* How much two folders have in common: bytes, up to the end of a name. */
static size_t
common_folder(const char *a, const char *b)
{
	size_t common = 0;

	for (size_t i = 0;; i++) {
		if (folder_ends(a, i) && folder_ends(b, i))
			common = i;
		if (a[i] != b[i] || a[i] == '\0')
			return common;
	}
}

static bool
has_base_name(const char *path, const struct reference *r)
{
	const char *base = file_basename(path);
	size_t n = r->path_len;

	while (n > 0 && r->path[n - 1] != '/')
		n--;
	n = r->path_len - n;
	return n > 0 && strlen(base) == n && memcmp(base, r->path + r->path_len - n, n) == 0;
}

enum fit { FIT_NOTED, FIT_BASE_NAME, FIT_ANY };

/* Has one of the secrets file's paths the fit?  ${*common}: of the nearest of them. */
static bool
known_fits(const struct known *k, const struct folder *f, enum fit fit, const struct reference *r,
    size_t *common)
{
	bool fits = false;

	if (!k->face.found || (fit == FIT_NOTED && !known_notes(k, r->path, r->path_len)))
		return false;
	for (const struct position *p = &k->first; p != NULL; p = p->next) {
		size_t n;

		if (fit == FIT_BASE_NAME && !has_base_name(p->path, r))
			continue;
		n = common_folder(p->real, f->real);
		*common = fits && *common > n ? *common : n;
		fits = true;
	}
	return fits;
}

int
named_add(struct named *n, const char *path, struct error *err)
{
	size_t *seen;

	if ((n->seen == NULL && (n->seen = map_new()) == NULL) ||
	    (seen = map_value(n->seen, path, strlen(path))) == NULL)
		return error_memory(err);
	if (*seen == 0) {
		*seen = 1;
		if (n->count < NAMED_MAX)
			n->paths[n->count] = path;
		n->count++;
	}
	return 0;
}

int
named_end(struct named *n, struct environments *e, int rc, const char **one, const char **other,
    struct error *err)
{
	size_t all = n->count > NAMED_MAX ? NAMED_MAX : n->count;
	struct buf text;
	char more[32];

	map_free(n->seen);
	n->seen = NULL;
	*one = *other = NULL;
	if (rc != 0 || all == 0)
		return rc;
	buf_init(&text, NAME_BYTES_MAX);
	if (n->count > NAMED_MAX) {
		snprintf(more, sizeof(more), "%zu more", n->count - NAMED_MAX);
		*other = environments_intern(e, more, strlen(more));
	} else {
		*other = n->paths[--all];
	}
	for (size_t i = 0; i < all; i++)
		buf_printf(&text, "%s%s", i > 0 ? ", " : "", n->paths[i]);
	*one = text.failed ? NULL : environments_intern(e, buf_cstr(&text), text.len);
	buf_release(&text);
	return *one != NULL && *other != NULL ? 0 : error_memory(err);
}

/* Name those that are as near as ${best}. */
static int
tie_tell(struct environments *e, const struct folder *f, enum fit fit, const struct reference *r,
    size_t best, struct answer *a, struct error *err)
{
	struct named n = { .count = 0 };
	size_t common;
	int rc = 0;

	a->doubt = DOUBT_TIE;
	a->found = NULL;
	for (size_t i = 0; rc == 0 && i < e->all.len; i++) {
		const struct known *k = known_at(e, i);

		if (known_fits(k, f, fit, r, &common) && common == best)
			rc = named_add(&n, k->face.path, err);
	}
	return named_end(&n, e, rc, &a->one, &a->other, err);
}

/* The one that fits and has the folder's first ${n} bytes in common, into ${a}, of those that lie
 * there or deeper.  Returns how many do; ${*all}: no other is there to be looked at. */
static size_t
nearest_below(const struct environments *e, const struct folder *f, size_t n, enum fit fit,
    const struct reference *r, struct answer *a, bool *all)
{
	size_t count = 0, common, at;
	const struct below *b;

	if (!map_get(e->near, f->real, n, &at))
		return 0;
	b = vec_at(&e->below, at - 1);
	*all = b->count >= e->all.len;
	for (; !*all && at != 0; at = b->next) {
		b = vec_at(&e->below, at - 1);
		/* It may be there by two paths. */
		if (b->k == a->found || !known_fits(b->k, f, fit, r, &common) || common != n)
			continue;
		a->found = b->k;
		count++;
	}
	return count;
}

/* The nearest of those that fit, into ${a}: found, or those of a tie. */
static int
nearest(struct environments *e, const struct folder *f, enum fit fit, const struct reference *r,
    struct answer *a, struct error *err)
{
	size_t best = 0, count = 0, common, at;
	bool all = false;

	a->found = NULL;
	if (fit == FIT_NOTED && !map_get(e->noted, r->path, r->path_len, &at))
		return 0;
	/* Mostly it lies in the same folder, or in one above: the others are not looked at. */
	for (at = strlen(f->real); at > 0 && count == 0 && !all; at--)
		if (folder_ends(f->real, at))
			count = nearest_below(e, f, best = at, fit, r, a, &all);
	for (size_t i = count == 0 ? 0 : e->all.len; i < e->all.len; i++) {
		struct known *k = known_at(e, i);

		if (!known_fits(k, f, fit, r, &common) || (count > 0 && common < best))
			continue;
		count = count > 0 && common == best ? count + 1 : 1;
		best = common;
		a->found = k;
	}
	return count > 1 ? tie_tell(e, f, fit, r, best, a, err) : 0;
}

/* The secrets file that takes the references of one path, whatever that is. */
static struct known *
sole(const struct environments *e)
{
	struct known *k = e->only;

	for (size_t i = 0; e->only == NULL && i < e->all.len; i++) {
		if (!known_at(e, i)->face.found)
			continue;
		if (k != NULL)
			return NULL;
		k = known_at(e, i);
	}
	return k != NULL && known_is_readable(k) && environment_noted(&k->face, 0) == NULL ? k :
	    NULL;
}

/* Is this the one path whose references all fit? */
static bool
fits_alone(const struct environments *e, const char *remote, size_t len)
{
	size_t at;

	return e->fitting == 1 && map_get(e->referred_index, remote, len, &at) &&
	    ((const struct referred *)vec_at(&e->referred, at))->fits;
}

int
environments_refer(struct environments *e, const struct reference *r, struct error *err)
{
	struct known *k = sole(e);
	struct referred *x;
	const char *path;
	size_t at;

	if (k == NULL || !reference_is_ours(r))
		return 0;
	if ((path = environments_intern(e, r->path, r->path_len)) == NULL)
		return error_memory(err);
	if (map_get(e->referred_index, path, r->path_len, &at)) {
		x = vec_at(&e->referred, at);
	} else {
		x = vec_push(&e->referred);
		if (x == NULL || map_put(e->referred_index, path, r->path_len,
		    e->referred.len - 1) != 0)
			return error_memory(err);
		x->remote = path;
		x->fits = true;
		e->fitting++;
	}
	if (known_wake(k, err) != 0)
		return -1;
	if (x->fits && (k->face.secrets == NULL ||
	    resolve_entry(k->face.secrets, r) == DOCUMENT_NONE)) {
		x->fits = false;
		e->fitting--;
	}
	return 0;
}

/* Does it take the file and, with ${r}, the reference? */
static bool
section_asked(const struct folder *f, const struct environment_section *s, const char *config,
    const struct reference *r)
{
	return (r == NULL || s->remote_path == NULL || (strlen(s->remote_path) == r->path_len &&
	    memcmp(s->remote_path, r->path, r->path_len) == 0)) && section_takes(f, s, config);
}

/* A section that takes the file and, with ${r}, the reference: 1 and ${a}. */
static int
ask_sections(struct environments *e, struct folder *f, const char *config,
    const struct reference *r, struct answer *a, const struct environment_section **by,
    struct error *err)
{
	struct named n = { .count = 0 };
	struct known *k;
	int rc = 0;

	if (folder_sections(e, f, err) != 0)
		return -1;
	if (f->refused) {
		a->doubt = DOUBT_INI;
		a->one = f->ini_folder;
		return 1;
	}
	for (size_t i = 0; rc == 0 && i < f->count; i++) {
		const struct environment_section *s = &f->sections[i];

		if (!section_asked(f, s, config, r))
			continue;
		if ((k = known_of_path(e, s->secrets_file, NULL, err)) == NULL)
			rc = -1;
		else if (a->found == NULL)
			a->found = k;
		else if (a->found != k && (rc = named_add(&n, a->found->face.path, err)) == 0)
			rc = named_add(&n, k->face.path, err);
		/* The others have got their names. */
		if (rc == 0 && n.count == 0 && !k->face.found)
			known_call(k, s->name);
		if (by != NULL && n.count == 0)
			*by = s;
	}
	if (rc == 0 && n.count == 0)
		return a->found != NULL;
	a->found = NULL;
	a->doubt = DOUBT_SECTIONS;
	return named_end(&n, e, rc, &a->one, &a->other, err) != 0 ? -1 : 1;
}

/* With ${only} it is that one or none. */
static void
ask_only(const struct environments *e, const struct reference *r, const char *remote,
    struct answer *a)
{
	struct known *k = e->only;
	struct file_id id;
	bool fits = !known_is_readable(k) || known_notes(k, r->path, r->path_len) ||
	    has_base_name(k->face.path, r) ||
	    (environment_noted(&k->face, 0) == NULL && fits_alone(e, remote, r->path_len));

	if (!fits && r->path_len > 0)
		fits = file_identify(remote, &id, NULL) == 0 && known_is_at(k, &id);
	if (fits) {
		a->found = k;
	} else {
		a->doubt = DOUBT_NOT_NAMED;
		a->one = k->face.path;
	}
}

/* The file of the absolute path itself, against what was found. */
static int
ask_path(struct environments *e, const struct folder *f, const struct reference *r,
    const char *remote, struct answer *a, struct error *err)
{
	struct file_id id;

	if (f->in_work_tree || r->path_len == 0 || remote[0] != '/' ||
	    strlen(remote) != r->path_len || file_identify(remote, &id, NULL) != 0 ||
	    !id.exists || !S_ISREG(id.mode))
		return 0;
	if (a->found == NULL) {
		a->found = known_of_path(e, remote, NULL, err);
		return a->found == NULL ? -1 : 0;
	}
	if (known_is_at(a->found, &id))
		return 0;
	a->doubt = DOUBT_ELSEWHERE;
	a->one = remote;
	a->other = a->found->face.path;
	a->found = NULL;
	return 0;
}

/* Find out which secrets file a path means for a configuration file. */
static int
ask(struct environments *e, struct folder *f, const char *config, const struct reference *r,
    const char *remote, struct answer *a, struct error *err)
{
	struct known *k;
	int rc;

	memset(a, 0, sizeof(*a));
	a->remote = remote;
	a->len = r->path_len;
	if (e->only != NULL) {
		ask_only(e, r, remote, a);
		return 0;
	}
	if ((rc = ask_sections(e, f, config, r, a, NULL, err)) != 0)
		return rc == -1 ? -1 : 0;
	if (nearest(e, f, FIT_NOTED, r, a, err) != 0 || (a->found == NULL &&
	    a->doubt == DOUBT_NONE && nearest(e, f, FIT_BASE_NAME, r, a, err) != 0))
		return -1;
	if (a->found == NULL && a->doubt == DOUBT_NONE && (k = sole(e)) != NULL &&
	    fits_alone(e, remote, r->path_len))
		a->found = k;
	if (a->doubt == DOUBT_NONE && ask_path(e, f, r, remote, a, err) != 0)
		return -1;
	if (a->found == NULL && a->doubt == DOUBT_NONE)
		a->doubt = DOUBT_NO_FILE;
	return 0;
}

/* The same, remembered for the other references of the folder, or where names of files count of
 * the file.  NULL: no memory. */
static const struct answer *
answer_for(struct environments *e, const char *config, const struct reference *r,
    struct error *err)
{
	struct folder *f = folder_for(e, config);
	struct answer fresh, *a = NULL;
	const char *remote;
	size_t at;

	if (f != NULL && f->by_name && (f->answers_of == NULL ||
	    strcmp(f->answers_of, config) != 0))
		folder_forget(f);
	if (f != NULL && f->answer_index != NULL &&
	    map_get(f->answer_index, r->path, r->path_len, &at))
		return vec_at(&f->answers, at);
	if (f == NULL || (remote = environments_intern(e, r->path, r->path_len)) == NULL) {
		error_memory(err);
		return NULL;
	}
	if (ask(e, f, config, r, remote, &fresh, err) != 0)
		return NULL;
	if (!f->by_name || (f->answers_of = environments_intern(e, config,
	    strlen(config))) != NULL)
		a = vec_push(&f->answers);
	if (a == NULL || (f->answer_index == NULL && (f->answer_index = map_new()) == NULL) ||
	    map_put(f->answer_index, remote, r->path_len, f->answers.len - 1) != 0) {
		error_memory(err);
		return NULL;
	}
	*a = fresh;
	return a;
}

int
environments_locate(struct environments *e, const char *config, const struct reference *r,
    struct resolution *out, struct error *err)
{
	struct reference whole = *r;
	const struct answer *a;
	struct known *k;

	memset(out, 0, sizeof(*out));
	out->entry = DOCUMENT_NONE;
	if (!reference_is_ours(r)) {
		out->state = STATE_OTHER;
		out->checked = true;
		return 0;
	}
	if (r->path == NULL)
		whole.path = "";
	if ((a = answer_for(e, config, &whole, err)) == NULL)
		return -1;
	out->state = STATE_UNKNOWN;
	out->doubt = a->doubt;
	out->one = a->one;
	out->other = a->other;
	if ((k = a->found) == NULL)
		return 0;
	if (known_wake(k, err) != 0)
		return -1;
	if (k->face.secrets == NULL) {
		out->doubt = DOUBT_UNREADABLE;
		out->one = k->face.path;
		return 0;
	}
	out->environment = &k->face;
	out->entry = resolve_entry(out->environment->secrets, r);
	out->state = out->entry == DOCUMENT_NONE ? STATE_DANGLING : STATE_SEALED;
	out->checked = out->state == STATE_DANGLING;
	return 0;
}

int
environments_resolve(struct environments *e, const char *config, const struct reference *r,
    struct resolution *out, struct error *err)
{
	if (environments_locate(e, config, r, out, err) != 0)
		return -1;
	if (out->state != STATE_SEALED)
		return 0;
	out->state = state_of_sealed(out->environment->secrets, out->entry);
	out->checked = out->state != STATE_SEALED ||
	    secrets_file_probe(out->environment->secrets, out->entry) == SECRETS_OPENS;
	return 0;
}

void
resolution_explain(const struct resolution *x, const struct reference *r, struct error *err)
{
	static const char by_section[] = "say in an [environment NAME] section of propseal.ini "
	    "which secrets file belongs to the path, or give --local-secrets-file";
	struct buf path;

	buf_init(&path, NAME_BYTES_MAX);
	text_append_visible(&path, r->path != NULL ? r->path : "", r->path_len);
	switch (x->doubt) {
	case DOUBT_NONE:
		error_set(err, x->state == STATE_DANGLING ? ERROR_MISSING : ERROR_DAMAGED,
		    x->state == STATE_DANGLING ? "dangling reference: %s has no such entry" :
		    "the sealed entry in %s does not open", x->environment != NULL ?
		    x->environment->path : buf_cstr(&path));
		error_hint(err, "restore the entry %.*s in %s from a backup, or set the value "
		    "anew with `propseal file update`", (int)r->name_len, r->name,
		    x->environment != NULL ? x->environment->path : "the secrets file");
		break;
	case DOUBT_NO_FILE:
		error_set(err, ERROR_MISSING, "no secrets file is known that lies at %s for its "
		    "readers", buf_cstr(&path));
		error_hint(err, "%s", by_section);
		break;
	case DOUBT_TIE:
		error_set(err, ERROR_REFUSED, "these secrets files are equally near and fit %s: %s "
		    "and %s", buf_cstr(&path), x->one, x->other);
		error_hint(err, "%s", by_section);
		break;
	case DOUBT_ELSEWHERE:
		error_set(err, ERROR_REFUSED, "it names the file %s, but of the files here %s fits",
		    x->one, x->other);
		error_hint(err, "%s", by_section);
		break;
	case DOUBT_SECTIONS:
		error_set(err, ERROR_REFUSED, "several sections of propseal.ini take it: for "
		    "%s and %s", x->one, x->other);
		error_hint(err, "set remote-path or files in the sections, so that one takes it");
		break;
	case DOUBT_NOT_NAMED:
		error_set(err, ERROR_MISSING, "it names %s, which is not the path of the secrets "
		    "file that was given, %s", buf_cstr(&path), x->one);
		error_hint(err, "give the secrets file of this path, or leave "
		    "--local-secrets-file out to have it found");
		break;
	case DOUBT_INI:
		error_set(err, ERROR_REFUSED, "the nearest propseal.ini must not be used: %s",
		    x->one);
		error_hint(err, "`propseal config check` in its folder tells why");
		break;
	case DOUBT_UNREADABLE:
		error_set(err, ERROR_MISSING, "its secrets file is not there or cannot be read: "
		    "%s", x->one);
		error_hint(err, "restore it from a backup, or see to its mode and owner");
		break;
	}
	buf_release(&path);
}

int
environments_section(struct environments *e, const char *config, struct destination *out,
    struct error *err)
{
	struct folder *f = folder_for(e, config);
	struct answer a = { .found = NULL };
	int rc;

	if (f == NULL)
		return error_memory(err);
	if ((rc = ask_sections(e, f, config, NULL, &a, &out->section, err)) != 1)
		return rc;
	out->environment = a.found != NULL ? &a.found->face : NULL;
	out->remote = out->section != NULL ? out->section->remote_path : NULL;
	out->ini = a.doubt == DOUBT_INI ? a.one : NULL;
	out->one = a.doubt == DOUBT_INI ? NULL : a.one;
	out->other = a.other;
	return 1;
}

int
environments_nearest(struct environments *e, const char *config, struct destination *out,
    struct error *err)
{
	struct folder *f = folder_for(e, config);
	struct answer a = { .found = NULL };

	if (f == NULL)
		return error_memory(err);
	if (nearest(e, f, FIT_ANY, NULL, &a, err) != 0)
		return -1;
	out->environment = a.found != NULL ? &a.found->face : NULL;
	out->one = a.one;
	out->other = a.other;
	return 0;
}

/* The references of the whole file, for the rule of the one path that fits. */
static int
refer_all(struct environments *e, const struct document *d, struct error *err)
{
	struct buf value;
	struct reference r;
	size_t start, end;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		if (!reference_may_be_in(d, i))
			continue;
		buf_clear(&value);
		if (document_value(d, i, &value, err) != 0)
			rc = -1;
		for (end = 0; rc == 0 && resolve_next((const char *)value.data, value.len, end,
		    &r, &start, &end);)
			rc = environments_refer(e, &r, err);
	}
	buf_release(&value);
	return rc;
}

int
environments_settle_for(struct environments *e, struct configuration *const configs[], size_t n,
    const struct scope *scope, struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (environments_look_beside(e, configs[i]->path, scope, NULL, err) != 0)
			return -1;
	if (environments_settle(e, err) != 0)
		return -1;
	for (size_t i = 0; i < n && sole(e) != NULL; i++)
		if (refer_all(e, configs[i]->doc, err) != 0)
			return -1;
	return 0;
}

int
environments_state(struct environments *e, const char *config, const char *value, size_t n,
    struct resolution *out, struct error *err)
{
	struct resolution x;
	struct reference r;
	size_t at = 0, start, end;
	bool found = false;

	memset(out, 0, sizeof(*out));
	out->state = STATE_PLAIN;
	out->checked = true;
	out->entry = DOCUMENT_NONE;
	for (; resolve_next(value, n, at, &r, &start, &end); at = end) {
		if (!reference_is_ours(&r)) {
			if (start == 0 && end == n)
				out->state = STATE_OTHER;
			continue;
		}
		if (environments_resolve(e, config, &r, &x, err) != 0)
			return -1;
		x.checked = x.checked && out->checked;
		if (!found || state_worse(out->state, x.state) != out->state)
			*out = x;
		out->checked = x.checked;
		found = true;
	}
	return 0;
}

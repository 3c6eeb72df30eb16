#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "cli/keys.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/change.h"
#include "plan/configuration.h"
#include "secrets/key_source.h"
#include "secrets/secrets_file.h"

/* Whoever removes one entry does not wait long. */
#define USERS_MS 2000

/* How long one step of the search may take; nobody looks on here. */
#define STEP_MS 1000

/* What flags and settings say about the secrets files. */
static int
scan_name(const struct options *o, struct environments *e, struct error *err)
{
	const char *path = o->text[FLAG_LOCAL_SECRETS_FILE];
	bool flag = path != NULL && o->from[FLAG_LOCAL_SECRETS_FILE].file == NULL;

	environments_set_source(e, config_sections(o->config));
	environments_set_policy(e, keys_policy(o));
	if (path == NULL)
		return 0;
	/* One in propseal.ini may not have been made yet, and was not asked for. */
	if (!flag && access(path, F_OK) != 0) {
		report_note("%s is not there", path);
		return 0;
	}
	return environments_name(e, path, flag, err) == NULL ? -1 : 0;
}

int
scan_check(const struct options *o, const struct environments *e, struct error *err)
{
	const struct environment *only = environments_only(e);

	if (only == NULL || only->problem == NULL)
		return 0;
	*err = *only->problem;
	if (err->code == ERROR_MISSING)
		options_hint(o, FLAG_LOCAL_SECRETS_FILE, err);
	return -1;
}

/* What is not kept of an estate. */
enum scan_keeps { KEEPS_ALL, KEEPS_FILES, KEEPS_LITTLE };

/* An estate of which nothing is read yet. */
static struct estate *
scan_begin(const struct options *o, const char *const paths[], size_t n, enum scan_keeps keeps,
    struct error *err)
{
	struct estate *e = estate_new(paths, n, err);

	if (e == NULL)
		return NULL;
	estate_set_scope(e, config_scope(o->config));
	estate_set_rules(e, config_rules(o->config));
	if (keeps == KEEPS_LITTLE)
		estate_set_lean(e);
	else if (keeps == KEEPS_FILES)
		environments_set_lean(estate_environments(e), true);
	if (scan_name(o, estate_environments(e), err) == 0)
		return e;
	estate_free(e);
	return NULL;
}

int
scan_step(struct estate *e, struct error *err)
{
	int rc;

	while ((rc = estate_step(e, STEP_MS, err)) > 0)
		;
	return rc;
}

struct estate *
scan_paths(const struct options *o, const char *const paths[], size_t n, struct error *err)
{
	return scan_untouched(o, paths, n, NULL, err);
}

/* Find the files of ${e}, or free it. */
static struct estate *
scan_find(struct estate *e, struct error *err)
{
	if (e == NULL)
		return NULL;
	estate_set_references(e, true);
	if (estate_find(e, err) == 0)
		return e;
	estate_free(e);
	return NULL;
}

struct estate *
scan_references(const struct options *o, const char *const paths[], size_t n, struct error *err)
{
	return scan_find(scan_begin(o, paths, n, KEEPS_ALL, err), err);
}

struct estate *
scan_lean(const struct options *o, const char *const paths[], size_t n, bool all,
    struct error *err)
{
	return scan_find(scan_begin(o, paths, n, all ? KEEPS_FILES : KEEPS_LITTLE, err), err);
}

struct estate *
scan_untouched(const struct options *o, const char *const paths[], size_t n, struct vec *leftovers,
    struct error *err)
{
	struct estate *e = scan_begin(o, paths, n, KEEPS_ALL, err);

	if (e == NULL)
		return NULL;
	estate_list_leftovers(e, leftovers);
	if (scan_step(e, err) == 0)
		return e;
	estate_free(e);
	return NULL;
}

int
scan_explain(const struct estate *e, const struct estate_file *f, const struct estate_entry *x,
    struct error *what, struct error *err)
{
	const struct reference r = { .provider = REFERENCE_PROVIDER,
		.provider_len = strlen(REFERENCE_PROVIDER), .path = x->remote,
		.path_len = x->remote_len, .name = x->name, .name_len = x->name_len };
	struct resolution to;

	if (environments_resolve(estate_environments(e), f->path, &r, &to, err) != 0)
		return -1;
	/* Of several references in a value it is the worst that is told. */
	if (to.state != x->state) {
		to.state = x->state;
		to.environment = x->environment;
	}
	resolution_explain(&to, &r, what);
	error_place(what, f->path, x->line);
	error_key(what, x->key, x->key_len);
	return 0;
}

int
scan_explain_destination(const char *path, const struct destination *to, struct error *err)
{
	if (to->ini != NULL) {
		error_set(err, ERROR_USAGE, "where its secrets go cannot be told: the nearest "
		    "propseal.ini must not be used: %s", to->ini);
		error_place(err, path, 0);
		return error_hint(err, "`propseal config check` in its folder tells why");
	}
	if (to->other != NULL)
		error_set(err, ERROR_USAGE, "where its secrets go cannot be told: %s or %s",
		    to->one, to->other);
	else if (to->environment != NULL)
		error_set(err, ERROR_USAGE, "its secrets go to %s, but under which path its "
		    "readers find that cannot be told", to->environment->path);
	else
		error_set(err, ERROR_USAGE, "where its secrets go cannot be told");
	error_place(err, path, 0);
	return error_hint(err, "say it in an [environment NAME] section of propseal.ini, or by "
	    "--local-secrets-file and --remote-secrets-file");
}

int
scan_destination(const struct options *o, const char *path, char **secrets, char **remote,
    struct error *err)
{
	const char *file = o->text[FLAG_LOCAL_SECRETS_FILE];
	const char *named = o->text[FLAG_REMOTE_SECRETS_FILE];
	struct destination to = { .kind = DESTINATION_ASK };
	struct estate *e = NULL;
	int rc = -1;

	if (file == NULL || named == NULL || o->from[FLAG_LOCAL_SECRETS_FILE].file != NULL) {
		if ((e = scan_references(o, &path, 1, err)) == NULL)
			return -1;
		if (scan_step(e, err) != 0)
			goto out;
		if (estate_count(e) > 0 && estate_destination(e, estate_file(e, 0), &to, err) != 0)
			goto out;
	}
	if (to.kind == DESTINATION_KNOWN || (to.kind == DESTINATION_PROPOSED && file == NULL &&
	    !o->on[FLAG_YES] && askpass_available())) {
		file = to.environment->path;
		named = named != NULL && o->from[FLAG_REMOTE_SECRETS_FILE].file == NULL ? named :
		    to.remote;
	}
	if (file == NULL || named == NULL) {
		scan_explain_destination(path, &to, err);
		goto out;
	}
	*secrets = strdup(file);
	*remote = strdup(named);
	if (*secrets != NULL && *remote != NULL)
		rc = 0;
	else
		error_memory(err);
out:
	estate_free(e);
	return rc;
}

/* Add the folder of a file, if it is new. */
static int
scan_users_add(struct scan_users *u, struct map *seen, const char *path, struct error *err)
{
	size_t n = (size_t)(file_basename(path) - path), ignored;
	const char *folder = n > 0 ? path : ".";

	n = n > 0 ? n : 1;
	if (map_get(seen, folder, n, &ignored))
		return 0;
	return map_put(seen, folder, n, 0) != 0 ||
	    vec_push_string(&u->folders, folder, n) == NULL ? error_memory(err) : 0;
}

/* Search.  What is unknown in the time that there is counts as referring to us. */
static int
scan_users_search(struct scan_users *u, struct error *err)
{
	const struct change *c = u->change;
	const char *own = secrets_file_path(c->secrets);
	struct map *seen = map_new();
	struct environments *e;
	int rc = seen == NULL ? error_memory(err) : scan_users_add(u, seen, own, err);

	for (size_t i = 0; rc == 0 && i < c->configs.len; i++)
		rc = scan_users_add(u, seen,
		    (*(struct configuration **)vec_at(&c->configs, i))->path, err);
	map_free(seen);
	if (rc != 0 || (u->estate = estate_new((const char *const *)u->folders.items,
	    u->folders.len, err)) == NULL)
		return -1;
	estate_set_scope(u->estate, config_scope(u->o->config));
	estate_set_references(u->estate, true);
	e = estate_environments(u->estate);
	environments_set_source(e, config_sections(u->o->config));
	if ((u->own = environments_name(e, own, false, err)) == NULL ||
	    (rc = estate_step(u->estate, USERS_MS, err)) == -1)
		return -1;
	if (rc == 1)
		report_note("too many files are below %s to see whether others refer to the "
		    "same sealed entries: `propseal file verify` tells", vec_string(&u->folders,
		    u->folders.len - 1));
	return 0;
}

/* plan_users.find */
static int
scan_users_find(void *cookie, const struct configuration *c, const char *name, size_t len,
    const char **path, size_t *line, struct error *err)
{
	struct scan_users *u = cookie;
	struct configuration *const *all = u->change->configs.items, *own[] = {
		(struct configuration *)(uintptr_t)c };

	if (u->estate == NULL && scan_users_search(u, err) != 0)
		return -1;
	return estate_refers(u->estate, u->own, name, len, c != NULL ? own : all, c != NULL ? 1 :
	    u->change->configs.len, path, line);
}

void
scan_users_init(struct scan_users *u, const struct options *o, const struct change *c)
{
	*u = (struct scan_users){ .face = { .find = scan_users_find, .cookie = u },
		.o = o, .change = c };
	vec_init(&u->folders, sizeof(char *), SIZE_MAX / sizeof(char *));
}

void
scan_users_release(struct scan_users *u)
{
	estate_free(u->estate);
	vec_release_strings(&u->folders);
}

struct environments *
scan_files(const struct options *o, struct configuration *const configs[], size_t n,
    struct error *err)
{
	static const char *const here[] = { "." };
	struct environments *e = environments_new(here, 1, err);

	if (e != NULL && scan_name(o, e, err) == 0 && scan_check(o, e, err) == 0 &&
	    environments_settle_for(e, configs, n, config_scope(o->config), err) == 0)
		return e;
	environments_free(e);
	return NULL;
}

int
scan_unlock(const struct options *o, struct environments *e, size_t *opened, struct error *err)
{
	const struct key_ring *keys = environments_keys(e);
	size_t n;

	/* The sources are read once: a variable or standard input has its key once. */
	if (keys == NULL) {
		environments_keep_keys(e, keys_ring(o, false, err));
		if ((keys = environments_keys(e)) == NULL)
			return -1;
	}
	*opened = 0;
	for (size_t i = 0; i < key_ring_count(keys); i++) {
		if (environments_unlock(e, key_ring_key(keys, i), &n, err) != 0)
			return -1;
		if (n > 0)
			report_detail("the master key comes from %s", key_ring_where(keys, i));
		*opened += n;
	}
	return 0;
}

int
scan_open(const struct options *o, struct environments *e, struct environment *x,
    struct error *err)
{
	const struct key *found;
	struct key *asked = NULL;
	size_t opened;
	int rc = -1;

	if (secrets_file_cipher(x->secrets) != NULL)
		return 0;
	if (scan_unlock(o, e, &opened, err) != 0)
		goto out;
	if (secrets_file_cipher(x->secrets) != NULL)
		rc = 0;
	else if ((found = key_ring_for(environments_keys(e), x->secrets, NULL)) != NULL)
		rc = environment_unlock(x, found, err);
	else if ((asked = master_find(o, x->secrets, err)) != NULL)
		rc = environment_unlock(x, asked, err);
out:
	if (rc != 0 && err->file[0] == '\0')
		error_place(err, x->path, 0);
	key_free(asked);
	return rc;
}

void
scan_drill(const struct environment *x, size_t *sealed, size_t *opened)
{
	const struct document *d = secrets_file_document(x->secrets);
	struct error why;
	struct buf plain;

	buf_init_secret(&plain, BUF_MAX_FILE);
	*sealed = *opened = 0;
	for (size_t i = 0; i < document_count(d); i++) {
		if (!secrets_file_is_sealed(x->secrets, i))
			continue;
		buf_clear(&plain);
		++*sealed;
		if (secrets_file_open(x->secrets, i, &plain, &why) == 0)
			++*opened;
		else
			report_error(&why);
	}
	buf_release(&plain);
}

void
scan_say_doubts(const struct environments *e)
{
	for (size_t i = 0; i < environments_count(e); i++)
		if (environments_at(e, i)->secrets != NULL)
			keys_say_doubts(environments_at(e, i)->secrets);
}

size_t
scan_tell_unread(const struct estate *e)
{
	const struct environments *all = estate_environments(e);
	size_t n = 0;

	for (size_t i = 0; i < estate_count(e); i++) {
		const struct estate_file *f = estate_file(e, i);

		if (f->problem != NULL && ++n > 0)
			report_error(f->problem);
	}
	for (size_t i = 0; i < environments_count(all); i++) {
		const struct environment *x = environments_at(all, i);
		bool told = x->problem == NULL || x->aside ||
		    (environments_only(all) != NULL && x != environments_only(all));

		/* It may be in the paths, too. */
		for (size_t k = 0; !told && k < estate_count(e); k++)
			told = estate_file(e, k)->problem != NULL &&
			    strcmp(estate_file(e, k)->path, x->path) == 0;
		if (!told && ++n > 0)
			report_error(x->problem);
	}
	return n;
}

/* resolver.value */
static int
scan_value(void *cookie, const struct reference *r, struct buf *out, struct error *err)
{
	struct scan_resolver *s = cookie;
	struct resolution x;

	if (environments_locate(s->environments, s->config, r, &x, err) != 0)
		return -1;
	if (x.entry == DOCUMENT_NONE) {
		resolution_explain(&x, r, err);
		return -1;
	}
	if (scan_open(s->o, s->environments, x.environment, err) != 0)
		return -1;
	return secrets_file_open(x.environment->secrets, x.entry, out, err);
}

void
scan_resolver_init(struct scan_resolver *r, const struct options *o, struct environments *e,
    const char *config, const struct resolver *next)
{
	*r = (struct scan_resolver){
		.face = { .provider = REFERENCE_PROVIDER, .value = scan_value, .cookie = r,
		    .next = next },
		.o = o, .environments = e, .config = config,
	};
}

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/change.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "secrets/key_source.h"
#include "secrets/secrets_file.h"

/* How long one step of the search may take; nobody looks on here. */
#define STEP_MS 1000

/* What flags and settings say about the secrets files. */
static int
scan_name(const struct options *o, struct environments *e, struct error *err)
{
	const char *path = o->text[FLAG_LOCAL_SECRETS_FILE];
	bool flag = path != NULL && o->from[FLAG_LOCAL_SECRETS_FILE].file == NULL;

	environments_set_source(e, config_sections(o->config));
	if (path == NULL)
		return 0;
	/* One in propseal.ini may not have been made yet, and was not asked for. */
	if (!flag && access(path, F_OK) != 0) {
		report_note("%s is not there", path);
		return 0;
	}
	return environments_name(e, path, flag, err) == NULL ? -1 : 0;
}

static int
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

struct estate *
scan_paths(const struct options *o, const char *const paths[], size_t n, struct error *err)
{
	struct estate *e = estate_new(paths, n, err);
	int rc;

	if (e == NULL)
		return NULL;
	estate_set_scope(e, config_scope(o->config));
	estate_set_rules(e, config_rules(o->config));
	rc = scan_name(o, estate_environments(e), err);
	while (rc == 0 && (rc = estate_step(e, STEP_MS, err)) > 0)
		rc = 0;
	if (rc == 0)
		return e;
	estate_free(e);
	return NULL;
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
	struct environment *x;
	struct error why;
	struct key *k;
	size_t n;
	int rc = 0;

	*opened = 0;
	for (size_t i = 0; rc == 0 && i < environments_count(e); i++) {
		x = environments_at(e, i);
		if (x->master != NULL || x->secrets == NULL)
			continue;
		k = key_source_find(o->text[FLAG_MASTER_KEY_FILE],
		    secrets_file_metadata(x->secrets)->envvar, NULL, &why);
		if (k == NULL && why.code != ERROR_MISSING) {
			*err = why;
			return -1;
		}
		if (k != NULL && (rc = environments_unlock(e, k, &n, err)) == 0)
			*opened += n;
		key_free(k);
	}
	return rc;
}

int
scan_open(const struct options *o, struct environments *e, struct environment *x,
    struct error *err)
{
	struct error why;
	struct key *k;
	int rc;

	if (secrets_file_cipher(x->secrets) != NULL)
		return 0;
	/* A key that opens another one may open this one, too. */
	for (size_t i = 0; i < environments_count(e); i++) {
		const struct environment *other = environments_at(e, i);

		if (other->master != NULL && other != x &&
		    environment_unlock(x, other->master, &why) == 0)
			return 0;
	}
	if ((k = master_find(o, x->secrets, err)) == NULL)
		return -1;
	rc = environment_unlock(x, k, err);
	key_free(k);
	return rc;
}

/* resolver.value */
static int
scan_value(void *cookie, const struct reference *r, struct buf *out, struct error *err)
{
	struct scan_resolver *s = cookie;
	struct resolution x;

	if (environments_resolve(s->environments, s->config, r, &x, err) != 0)
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

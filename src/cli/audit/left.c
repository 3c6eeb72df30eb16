#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/time.h"
#include "cli/audit/audit.h"
#include "cli/keys.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "estate/estate.h"
#include "plan/plan.h"
#include "secrets/rules.h"

/* What `propseal seal` leaves in files that it does not take. */

#define LEFT_MAX 20	/* secrets are named up to here */
#define NAME_BYTES_MAX 65536

/* Say of each of the audit's files whether it is a configuration file, whose secrets are told
 * here: ${taken}[i]. */
static int
left_mark_taken(const struct estate *e, const struct audit *a, bool taken[],
    struct error *err)
{
	const struct estate_file *f;
	struct map *files = map_new();
	struct buf name;
	size_t at;
	int rc = files == NULL ? error_memory(err) : 0;

	buf_init(&name, NAME_BYTES_MAX);
	for (size_t i = 0; rc == 0 && i < audit_file_count(a); i++)
		if (map_put(files, audit_file(a, i), strlen(audit_file(a, i)), i) != 0)
			rc = error_memory(err);
	for (size_t i = 0; rc == 0 && i < estate_count(e); i++) {
		f = estate_file(e, i);
		if (f->is_secrets_file)
			continue;
		buf_clear(&name);
		audit_append_name(&name, audit_below_root(f->path, 0));
		rc = buf_check(&name, err);
		if (rc == 0 && map_get(files, name.data, name.len, &at))
			taken[at] = true;
	}
	buf_release(&name);
	map_free(files);
	return rc;
}

/* A list of users, whose keys are names that tell of no secret, so that none is taken? */
static bool
left_is_user(const struct audit_finding *f, const struct rules *r)
{
	return f->form == FORM_CREDENTIALS && !rules_sensitive(r, f->key, f->key_len);
}

/* Note what the audit calls clear text in files that are not ${taken}, and stay as they are. */
static int
left_note(struct plan *p, const struct audit *a, const struct rules *r, const bool taken[],
    struct error *err)
{
	const struct audit_finding *f;
	bool in_secrets;
	size_t left = 0;
	struct buf what;
	int rc;

	buf_init(&what, BUF_MAX_FILE);
	for (size_t i = 0; i < audit_finding_count(a); i++) {
		f = audit_finding(a, i);
		if ((taken[f->file] && !left_is_user(f, r)) || f->suppressed ||
		    f->level == AUDIT_NOTE || !audit_is_clear(f) || left++ >= LEFT_MAX)
			continue;
		in_secrets = f->rule == AUDIT_UNSEALED;
		buf_clear(&what);
		buf_printf(&what, "stays in clear text, as %s: %s", in_secrets ?
		    "this is a secrets file" : taken[f->file] ?
		    "this is a list of users, in which nothing resolves references" :
		    "seal takes only .properties, .json, and patterns "
		    "of " OPTIONS_FILE_NAME, audit_hint(f));
		/* Its line is another where something is sealed above it. */
		plan_note_key(p, audit_file(a, f->file), in_secrets ? 0 : f->line,
		    f->key, f->key_len, buf_cstr(&what));
	}
	if (left > LEFT_MAX)
		plan_note(p, "%zu more secrets stay in clear text in files that seal "
		    "does not take: `propseal audit` lists them", left - LEFT_MAX);
	rc = buf_check(&what, err);
	buf_release(&what);
	return rc;
}

int
scan_note_left(const struct options *o, const struct estate *e, struct plan *p,
    struct error *err)
{
	const struct audit_options options = { .rules = config_rules(o->config),
		.scope = config_scope(o->config), .source = config_sections(o->config),
		.roots = o->args, .root_count = o->arg_count, .once = true,
		.policy = keys_policy(o), .now = time_now() };
	struct audit *a = audit_new(&options, err);
	bool *taken = NULL;
	int rc = a != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < o->arg_count; i++)
		/* That a path cannot be read was told. */
		if (audit_path(a, o->args[i], 0, err) != 0 && err->code == ERROR_MEMORY)
			rc = -1;
	if (rc == 0)
		rc = audit_finish(a, err);
	if (rc == 0 && (taken = calloc(audit_file_count(a) + 1, sizeof(*taken))) == NULL)
		rc = error_memory(err);
	if (rc == 0 && (rc = left_mark_taken(e, a, taken, err)) == 0)
		rc = left_note(p, a, options.rules, taken, err);
	free(taken);
	audit_free(a);
	return rc;
}

#include "cli/doctor/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/estate.h"
#include "common/options.h"
#include "common/output.h"
#include "plan/configuration.h"
#include "common/report.h"
#include "secrets/reference.h"
#include "secrets/resolve.h"
#include "secrets/secrets_file.h"

#define STEP_MS 1000
#define SECRETS_FILES_MAX 10000

static int
add_secrets_file(struct doctor *d, const char *path, struct error *err)
{
	struct secrets_file *s, **slot;
	struct error why;

	if ((s = secrets_file_load(path, &why)) == NULL) {
		if (why.code == ERROR_MEMORY)
			return error_memory(err);
		findings_add(&d->findings, FINDING_PROBLEM, "secrets-file", &why);
		return 0;
	}
	if ((slot = vec_push(&d->secrets)) == NULL) {
		secrets_file_free(s);
		return error_memory(err);
	}
	*slot = s;
	return 0;
}

/* The files below the paths, and which of them are secrets files. */
static int
look_around(struct doctor *d, struct error *err)
{
	static const char *const here[] = { "." };
	const char *named = d->o->text[FLAG_LOCAL_SECRETS_FILE];
	bool all = d->o->arg_count == 0;
	int rc;

	d->estate = estate_new(all ? here : d->o->args, all ? 1 : d->o->arg_count, err);
	if (d->estate == NULL)
		return -1;
	estate_set_scope(d->estate, config_scope(d->o->config));
	estate_set_rules(d->estate, config_rules(d->o->config));
	while ((rc = estate_step(d->estate, STEP_MS, err)) > 0)
		;
	if (rc == 0 && named != NULL)
		return add_secrets_file(d, named, err);
	for (size_t i = 0; rc == 0 && i < estate_count(d->estate); i++) {
		const struct estate_file *f = estate_file(d->estate, i);

		if (f->is_secrets_file)
			rc = add_secrets_file(d, f->path, err);
	}
	return rc;
}

bool
doctor_is_key_name(const struct doctor *d, const char *name, size_t n)
{
	const char *known;

	if (n == strlen(SECRETS_ENVVAR_DEFAULT) && memcmp(name, SECRETS_ENVVAR_DEFAULT, n) == 0)
		return true;
	for (size_t i = 0; i < d->secrets.len; i++) {
		known = secrets_file_metadata(*(struct secrets_file **)
		    vec_at(&d->secrets, i))->envvar;
		if (strlen(known) == n && memcmp(known, name, n) == 0)
			return true;
	}
	return false;
}

size_t
doctor_key_variable(const struct doctor *d, const char *text, size_t n)
{
	const char *equals = memchr(text, '=', n);
	size_t len = equals != NULL ? (size_t)(equals - text) : 0;

	return len > 0 && len + 1 < n && doctor_is_key_name(d, text, len) ? len : 0;
}

bool
doctor_is_config_name(const char *word, size_t n)
{
	static const char end[] = ".properties";

	return n > sizeof(end) - 1 &&
	    memcmp(word + n - (sizeof(end) - 1), end, sizeof(end) - 1) == 0;
}

static bool
has_reference(const struct document *doc, size_t i, struct buf *value)
{
	struct reference r;
	size_t at = 0, start;

	buf_clear(value);
	if (document_value(doc, i, value, NULL) != 0 || value->len == 0)
		return false;
	while (resolve_next((const char *)value->data, value->len, at, &r, &start, &at))
		if (reference_is_ours(&r))
			return true;
	return false;
}

bool
doctor_refers(const struct doctor *d, const char *folder, const char *path, bool *known)
{
	struct configuration *c;
	struct buf full, value;
	bool refers = false;

	buf_init(&full, DOCTOR_PATH_MAX);
	buf_init_secret(&value, BUF_MAX_FILE);
	if (path[0] == '/')
		buf_printf(&full, "%s%s", d->root, path);
	else
		buf_printf(&full, "%s/%s", folder, path);
	c = buf_check(&full, NULL) == 0 ? configuration_load(buf_cstr(&full), NULL) : NULL;
	*known = c != NULL;
	for (size_t i = 0; c != NULL && !refers && i < document_count(c->doc); i++)
		refers = has_reference(c->doc, i, &value);
	configuration_free(c);
	buf_release(&value);
	buf_release(&full);
	return refers;
}

static int
check(struct doctor *d, struct error *err)
{
	if (look_around(d, err) != 0 || doctor_keys_check(d, err) != 0 ||
	    doctor_files_check(d, err) != 0 || doctor_units_check(d, err) != 0)
		return -1;
	doctor_processes_check(d);
	doctor_system_check(d);
	return 0;
}

static void
release(struct doctor *d)
{
	for (size_t i = 0; i < d->secrets.len; i++)
		secrets_file_free(*(struct secrets_file **)vec_at(&d->secrets, i));
	vec_release(&d->secrets);
	estate_free(d->estate);
	key_free(d->master);
	free(d->master_variable);
	findings_release(&d->findings);
}

int
commands_doctor(const struct options *o)
{
	struct doctor d = { .o = o };
	const size_t *n = d.findings.counts;
	char summary[128];
	struct error err;
	int rc, status;

	d.root = o->text[FLAG_ROOT] != NULL ? o->text[FLAG_ROOT] : "";
	vec_init(&d.secrets, sizeof(struct secrets_file *), SECRETS_FILES_MAX);
	findings_init(&d.findings, options_format(o) == OUTPUT_JSON, false);
	rc = check(&d, &err);
	status = findings_status(&d.findings);
	if (rc == 0) {
		snprintf(summary, sizeof(summary), "%zu %s, %zu %s, %zu %s", n[FINDING_PROBLEM],
		    n[FINDING_PROBLEM] == 1 ? "problem" : "problems", n[FINDING_WARNING],
		    n[FINDING_WARNING] == 1 ? "warning" : "warnings", n[FINDING_REMARK],
		    n[FINDING_REMARK] == 1 ? "remark" : "remarks");
		rc = findings_write(&d.findings, "", summary, status, &err);
	}
	release(&d);
	return rc == 0 ? status : report_error(&err);
}

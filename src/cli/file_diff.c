#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "crypto/key.h"
#include "cli/diff_report.h"
#include "estate/estate.h"
#include "cli/master.h"
#include "common/options.h"
#include "common/output.h"
#include "plan/configuration.h"
#include "common/report.h"
#include "secrets/secrets_file.h"

#define STATUS_DIFFERENT 3
#define STEP_MS 1000	/* of a search; nobody looks on */

struct comparison {
	const struct options *o;
	struct secrets_file *s;		/* NULL: not named */
	bool asked;			/* for the key */
	struct diff_report report;
};

static int
stop_at_unknown(void *found, const struct compare_entry *e, struct error *err)
{
	(void)err;
	*(bool *)found |= e->result == COMPARE_UNKNOWN;
	return 0;
}

/* Unlock the secrets file if this pair cannot be compared without. */
static int
unlock(struct comparison *x, const struct document *a, const struct document *b,
    struct error *err)
{
	bool needed = false;
	struct key *master;
	struct error why;
	int rc;

	if (x->s == NULL || x->asked)
		return 0;
	if (compare_documents(a, b, x->s, stop_at_unknown, &needed, err) != 0)
		return -1;
	if (!needed)
		return 0;
	x->asked = true;
	if ((master = master_find(x->o, x->s, &why)) == NULL) {
		if (why.code == ERROR_MISSING && x->o->text[FLAG_MASTER_KEY_FILE] == NULL) {
			report_note("there is no master key: values of references are not "
			    "compared");
			return 0;
		}
		*err = why;
		return -1;
	}
	rc = secrets_file_unlock(x->s, master, err);
	key_free(master);
	return rc;
}

static struct configuration *
load(const char *path, struct error *err)
{
	struct configuration *c = configuration_load(path, err);

	if (c == NULL || !secrets_file_recognise(c->doc))
		return c;
	error_set(err, ERROR_REFUSED, "this is a secrets file, not a configuration file");
	error_place(err, path, 0);
	error_hint(err, "`propseal file verify` checks it");
	configuration_free(c);
	return NULL;
}

static int
compare_files(struct comparison *x, const char *a, const char *b, struct error *err)
{
	struct configuration *left = load(a, err);
	struct configuration *right = left != NULL ? load(b, err) : NULL;
	int rc = -1;

	if (right != NULL && unlock(x, left->doc, right->doc, err) == 0) {
		diff_report_begin(&x->report, left->doc, right->doc);
		rc = compare_documents(left->doc, right->doc, x->s, diff_report_add, &x->report,
		    err);
		diff_report_end(&x->report);
	}
	configuration_free(right);
	configuration_free(left);
	return rc;
}

/* The configuration files below a folder. */
static struct estate *
search(const struct options *o, const char *folder, struct error *err)
{
	struct estate *e = estate_new(&folder, 1, err);
	int rc = -1;

	if (e == NULL)
		return NULL;
	estate_set_scope(e, config_scope(o->config));
	while ((rc = estate_step(e, STEP_MS, err)) > 0)
		;
	if (rc == 0)
		return e;
	estate_free(e);
	return NULL;
}

/* The next file of an estate that is a configuration, from ${*i} on; NULL: none. */
static const struct estate_file *
next(const struct estate *e, size_t *i, struct error *err)
{
	const struct estate_file *f;

	for (; *i < estate_count(e); ++*i) {
		f = estate_file(e, *i);
		if (f->problem != NULL) {
			*err = *f->problem;
			return f;
		}
		if (!f->is_secrets_file)
			return f;
	}
	return NULL;
}

/* The part of a path below the folder. */
static const char *
below(const char *path, const char *folder)
{
	path += strlen(folder);
	return path + strspn(path, "/");
}

static int
compare_folders(struct comparison *x, const char *a, const char *b, struct error *err)
{
	struct estate *left = search(x->o, a, err);
	struct estate *right = left != NULL ? search(x->o, b, err) : NULL;
	const struct estate_file *l, *r;
	size_t i = 0, j = 0;
	int order, rc = right == NULL ? -1 : 0;

	while (rc == 0) {
		l = next(left, &i, err);
		r = next(right, &j, err);
		if ((l != NULL && l->problem != NULL) || (r != NULL && r->problem != NULL))
			rc = -1;
		if (rc != 0 || (l == NULL && r == NULL))
			break;
		order = l == NULL ? 1 : r == NULL ? -1 :
		    strcmp(below(l->path, a), below(r->path, b));
		if (order == 0)
			rc = compare_files(x, l->path, r->path, err);
		else
			diff_report_missing(&x->report, order < 0 ? l->path : NULL,
			    order < 0 ? NULL : r->path);
		i += order <= 0;
		j += order >= 0;
	}
	estate_free(right);
	estate_free(left);
	return rc;
}

/* 1: a folder, 0: another thing, -1: ERROR_MISSING, ERROR_IO. */
static int
is_folder(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode);
	if (errno != ENOENT)
		return error_io(err, path, "cannot open");
	error_set(err, ERROR_MISSING, "no such file or folder");
	return error_place(err, path, 0);
}

static int
run(struct comparison *x, struct error *err)
{
	const char *path = x->o->text[FLAG_LOCAL_SECRETS_FILE];
	const char *a = x->o->args[0], *b = x->o->args[1];
	int folder_a = is_folder(a, err), folder_b, rc;

	if (folder_a == -1 || (folder_b = is_folder(b, err)) == -1)
		return -1;
	if (folder_a != folder_b) {
		error_set(err, ERROR_USAGE, "a file and a folder cannot be compared");
		return error_hint(err, "name two files, or two folders");
	}
	if (path != NULL && (x->s = secrets_file_load(path, err)) == NULL)
		return -1;
	x->report.s = x->s;
	x->report.rules = config_rules(x->o->config);
	rc = folder_a == 1 ? compare_folders(x, a, b, err) : compare_files(x, a, b, err);
	if (rc != 0)
		return rc;
	diff_report_finish(&x->report, folder_a == 1);
	return output_write(&x->report.out, err);
}

int
commands_file_diff(const struct options *o)
{
	struct comparison x = { .o = o };
	struct error err;
	int status;

	diff_report_init(&x.report, options_format(o) == OUTPUT_JSON);
	if (run(&x, &err) != 0)
		status = report_error(&err);
	else
		status = diff_report_differs(&x.report) ? STATUS_DIFFERENT : 0;
	diff_report_release(&x.report);
	secrets_file_free(x.s);
	return status;
}

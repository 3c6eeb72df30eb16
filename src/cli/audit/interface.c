#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/time.h"
#include "cli/audit/audit.h"
#include "cli/interface.h"
#include "common/args.h"
#include "file/replace.h"
#include "ui/findings.h"

/* What the view of the findings takes from `propseal audit`: its outputs and its baseline. */

#define LOCK_MS 10000

static int
interface_know(void *cookie, struct audit *a, struct error *err)
{
	const struct options *o = cookie;
	size_t unused;

	for (size_t i = 0; i < audit_finding_count(a); i++)
		audit_finding(a, i)->known = false;
	return audit_baseline_apply(a, o->text[FLAG_BASELINE], time_now(), &unused,
	    err) == 0 || err->code == ERROR_MISSING ? 0 : -1;
}

static int
interface_ignore(void *cookie, const struct audit *a, const struct audit_finding *f,
    const char *reason, struct error *err)
{
	const struct options *o = cookie;

	return audit_baseline_ignore(a, f, o->text[FLAG_BASELINE], reason, err);
}

/* The form that the ending of a name says; NULL: none. */
static const char *
interface_form(const char *path)
{
	static const struct {
		const char *ending, *form;
	} forms[] = {
		{ ".sarif", "sarif" }, { ".json", "json" }, { ".jsonl", "jsonl" },
		{ ".html", "html" }, { ".xml", "junit" }, { ".txt", "human" },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcasecmp(dot, forms[i].ending) == 0)
			return forms[i].form;
	return NULL;
}

static int
interface_write(void *cookie, const struct audit *a, const char *path, struct error *err)
{
	const struct options *o = cookie;
	const char *form = interface_form(path);
	struct audit_report r;
	struct buf out;
	size_t strip;
	int rc;

	if (form == NULL) {
		error_set(err, ERROR_USAGE, "the ending of the name says no form of a report");
		error_place(err, path, 0);
		return error_hint(err, "take one of " FINDINGS_ENDINGS);
	}
	audit_report_init(&r, a, audit_root(o->args, o->arg_count, &strip), AUDIT_ERROR);
	r.whole = true;
	r.err = err;
	buf_init(&out, BUF_MAX_FILE);
	audit_report_append(&r, form, &out);
	rc = buf_check(&out, err);
	if (rc == 0)
		rc = replace_file_new(path, LOCK_MS, &out, err);
	buf_release(&out);
	return rc;
}

void
interface_findings(const struct options *o, struct findings_source *out)
{
	*out = (struct findings_source){
		.cookie = (void *)(uintptr_t)o,
		.baseline = o->text[FLAG_BASELINE],
		.know = interface_know,
		.ignore = interface_ignore,
		.write = interface_write,
	};
}

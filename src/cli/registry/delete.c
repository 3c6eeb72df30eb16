#include <stdbool.h>
#include <string.h>

#include "common/askpass.h"
#include "base/text.h"
#include "common/confirm.h"
#include "common/options.h"
#include "cli/cli.h"
#include "cli/registry/remote.h"
#include "common/report.h"

#define QUESTION_MAX 8192

static void
append_name(struct buf *out, const char *name)
{
	text_append_visible(out, name, strlen(name));
}

static int
confirmed(const struct options *o, struct error *err)
{
	static const char *const kinds[] = { "every key of ", "every version of ", "version " };
	struct buf question;
	bool yes = false;
	int rc;

	if (o->on[FLAG_YES])
		return 0;
	buf_init(&question, QUESTION_MAX);
	buf_printf(&question, "%s %s", o->on[FLAG_DESTROY] ? "Destroy for good" : "Delete",
	    kinds[o->arg_count - 1]);
	if (o->arg_count == 3) {
		append_name(&question, o->args[2]);
		buf_append_str(&question, " of ");
	}
	append_name(&question, o->args[0]);
	if (o->arg_count > 1) {
		buf_append_char(&question, ' ');
		append_name(&question, o->args[1]);
	}
	buf_append_str(&question, "? [y/N] ");
	rc = buf_check(&question, err);
	if (rc == 0)
		rc = confirm(NULL, buf_cstr(&question), &yes, err);
	buf_release(&question);
	if (rc == 0 && !yes)
		rc = error_set(err, ERROR_REFUSED, "nothing was deleted");
	return rc;
}

static int
check_usage(const struct options *o, struct error *err)
{
	if (o->on[FLAG_DESTROY] && o->arg_count < 3) {
		error_set(err, ERROR_USAGE, "--destroy takes one version at a time");
		return error_hint(err, "propseal registry delete PATH KEY VERSION --destroy");
	}
	if (!o->on[FLAG_YES] && !askpass_available()) {
		error_set(err, ERROR_USAGE, "there is no terminal to ask on");
		return error_hint(err, "--yes deletes without a question");
	}
	return 0;
}

int
commands_registry_delete(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = check_usage(o, &err);

	if (rc != 0)
		return report_usage(o->command, &err);
	rc = remote_open(&r, o, &err);
	if (o->arg_count == 1)
		remote_target(&r, "secret", "paths", o->args[0], (const char *)NULL);
	else if (o->arg_count == 2)
		remote_target(&r, "secret", "paths", o->args[0], "keys", o->args[1],
		    (const char *)NULL);
	else
		remote_target(&r, "secret", "paths", o->args[0], "keys", o->args[1], "versions",
		    o->args[2], (const char *)NULL);
	if (o->on[FLAG_DESTROY])
		remote_query(&r, "destroy", "true");
	if (rc == 0)
		rc = confirmed(o, &err);
	if (rc == 0)
		rc = remote_call(&r, "DELETE", NULL, &err);
	if (rc == 0)
		report_note(o->on[FLAG_DESTROY] ? "destroyed" :
		    "deleted; `registry undelete PATH KEY VERSION` takes it back for a while");
	return remote_status(&r, rc, &err);
}

int
commands_registry_undelete(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	remote_target(&r, "secret", "paths", o->args[0], "keys", o->args[1], "versions", o->args[2],
	    "undelete", (const char *)NULL);
	if (rc == 0)
		rc = remote_call(&r, "POST", NULL, &err);
	if (rc == 0)
		report_note("version %s is back", o->args[2]);
	return remote_status(&r, rc, &err);
}

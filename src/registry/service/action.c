#include "registry/service/action.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "common/command.h"
#include "common/options.h"
#include "common/report.h"

#define NAMES_MAX 512

static int
unknown(const struct options *o, const struct action *actions)
{
	const struct action *a;
	struct error err;
	struct buf names;

	buf_init(&names, NAMES_MAX);
	for (a = actions; a->name != NULL; a++)
		buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", a->name);
	error_set(&err, ERROR_USAGE, "unknown action of registry %s: %s", o->command->name,
	    o->args[0]);
	error_hint(&err, "one of %s", buf_cstr(&names));
	buf_release(&names);
	return report_usage(o->command, &err);
}

int
action_run(const struct options *o, const struct action *actions)
{
	const struct action *a;
	struct options rest = *o;
	struct error err;

	for (a = actions; a->name != NULL && strcmp(a->name, o->args[0]) != 0; a++)
		;
	if (a->name == NULL)
		return unknown(o, actions);
	rest.args++;
	rest.arg_count--;
	if (rest.arg_count < a->min_args || rest.arg_count > a->max_args) {
		error_set(&err, ERROR_USAGE, "registry %s %s takes %s argument", o->command->name,
		    a->name, a->max_args == 0 ? "no further" : a->min_args == a->max_args ?
		    "one further" : "at most one further");
		return report_usage(o->command, &err);
	}
	return a->run(&rest);
}

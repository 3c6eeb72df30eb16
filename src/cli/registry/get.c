#include <unistd.h>

#include "common/options.h"
#include "common/output.h"
#include "cli/cli.h"
#include "cli/registry/remote.h"

/* Only the value, and a line end for a person who looks at it. */
static int
print_value(const struct remote *r, struct error *err)
{
	struct buf out;
	int rc;

	buf_init_secret(&out, CLIENT_BODY_MAX);
	rc = remote_secret(r, &out, err);
	if (rc == 0 && isatty(STDOUT_FILENO))
		buf_append_char(&out, '\n');
	if (rc == 0)
		rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

int
commands_registry_get(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	if (rc == 0) {
		remote_target(&r, "secret", "paths", o->args[0], "keys", o->args[1], "versions",
		    o->arg_count > 2 ? o->args[2] : "latest", (const char *)NULL);
		rc = remote_call(&r, "GET", NULL, &err);
	}
	if (rc == 0 && options_format(o) == OUTPUT_JSON)
		rc = remote_print(&r, &err);
	else if (rc == 0)
		rc = print_value(&r, &err);
	return remote_status(&r, rc, &err);
}

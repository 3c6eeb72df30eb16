#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "output.h"
#include "registry/cli/cli.h"
#include "registry/cli/remote.h"

/* Only the value, and a line end for a person who looks at it. */
static int
print_value(const struct buf *answer, struct error *err)
{
	json_t *root = json_loadb((const char *)answer->data, answer->len, JSON_ALLOW_NUL, NULL);
	json_t *secret = json_object_get(root, "secret");
	struct buf out;
	int rc;

	buf_init_secret(&out, CLIENT_BODY_MAX);
	if (json_is_string(secret)) {
		buf_append(&out, json_string_value(secret), json_string_length(secret));
		if (isatty(STDOUT_FILENO))
			buf_append_char(&out, '\n');
		rc = output_write(&out, err);
	} else {
		rc = error_set(err, ERROR_FORMAT, "the answer holds no secret");
		error_hint(err, "is the URL that of a Secret Registry?");
	}
	buf_release(&out);
	json_decref(root);
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
	if (rc == 0 && options_format(o) == OUTPUT_JSON) {
		buf_append_char(&r.answer, '\n');
		rc = output_write(&r.answer, &err);
	} else if (rc == 0) {
		rc = print_value(&r.answer, &err);
	}
	return remote_status(&r, rc, &err);
}

#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "common/options.h"
#include "common/output.h"
#include "cli/cli.h"
#include "cli/registry/remote.h"

#define OUT_MAX (64U << 20)

static void
append_text(struct buf *out, const json_t *object, const char *name, const char *before)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value) || json_string_length(value) == 0)
		return;
	buf_append_str(out, before);
	text_append_visible(out, json_string_value(value), json_string_length(value));
}

/* VERSION  STATE  created TIME by WHO[, deleted TIME by WHO][, expires TIME] */
static void
append_version(struct buf *out, const json_t *v)
{
	const char *state = json_string_value(json_object_get(v, "state"));

	buf_printf(out, "%6lld  %-9s",
	    (long long)json_integer_value(json_object_get(v, "version")),
	    state != NULL ? state : "");
	append_text(out, v, "createdAt", "  created ");
	append_text(out, v, "createdBy", " by ");
	append_text(out, v, "deletedAt", ", deleted ");
	append_text(out, v, "deletedBy", " by ");
	append_text(out, v, "expiresAt", ", expires ");
	buf_append_char(out, '\n');
}

static int
print_history(const struct buf *answer, struct error *err)
{
	json_t *root = json_loadb((const char *)answer->data, answer->len, 0, NULL);
	json_t *versions = json_object_get(root, "versions");
	struct buf out;
	json_t *v;
	size_t i;
	int rc;

	buf_init(&out, OUT_MAX);
	if (!json_is_array(versions)) {
		rc = error_set(err, ERROR_FORMAT, "the answer tells no versions");
		error_hint(err, "only propseal's own registry keeps a history");
	} else {
		json_array_foreach(versions, i, v)
			append_version(&out, v);
		rc = output_write(&out, err);
	}
	buf_release(&out);
	json_decref(root);
	return rc;
}

int
commands_registry_history(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	remote_target(&r, "secret", "paths", o->args[0], "keys", o->args[1], "metadata",
	    (const char *)NULL);
	if (rc == 0)
		rc = remote_call(&r, "GET", NULL, &err);
	if (rc == 0 && options_format(o) == OUTPUT_JSON)
		rc = remote_print(&r, &err);
	else if (rc == 0)
		rc = print_history(&r.answer, &err);
	return remote_status(&r, rc, &err);
}

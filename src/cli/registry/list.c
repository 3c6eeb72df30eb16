#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "common/options.h"
#include "common/output.h"
#include "cli/cli.h"
#include "cli/registry/remote.h"
#include "common/report.h"

#define OUT_MAX (256U << 20)

/* A line for each element of an array of strings or numbers. */
static int
print_lines(const struct buf *answer, struct error *err)
{
	json_t *root = json_loadb((const char *)answer->data, answer->len, 0, NULL);
	struct buf out;
	json_t *item;
	size_t i;
	int rc;

	buf_init(&out, OUT_MAX);
	if (!json_is_array(root)) {
		rc = error_set(err, ERROR_FORMAT, "the answer is no list");
		error_hint(err, "is the URL that of a Secret Registry?");
	} else {
		json_array_foreach(root, i, item) {
			if (json_is_integer(item))
				buf_printf(&out, "%lld", (long long)json_integer_value(item));
			else if (json_is_string(item))
				text_append_visible(&out, json_string_value(item),
				    json_string_length(item));
			buf_append_char(&out, '\n');
		}
		rc = output_write(&out, err);
	}
	buf_release(&out);
	json_decref(root);
	return rc;
}

static int
check_usage(const struct options *o, struct error *err)
{
	if (o->text[FLAG_PREFIX] == NULL || o->arg_count == 0)
		return 0;
	error_set(err, ERROR_USAGE, "--prefix is for the list of paths");
	return error_hint(err, "leave out PATH or --prefix");
}

int
commands_registry_list(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = check_usage(o, &err);

	if (rc != 0)
		return report_usage(o->command, &err);
	rc = remote_open(&r, o, &err);
	if (o->arg_count == 0)
		remote_target(&r, "secret", "paths", (const char *)NULL);
	else if (o->arg_count == 1)
		remote_target(&r, "secret", "paths", o->args[0], "keys", (const char *)NULL);
	else
		remote_target(&r, "secret", "paths", o->args[0], "keys", o->args[1], "versions",
		    (const char *)NULL);
	if (o->text[FLAG_PREFIX] != NULL)
		remote_query(&r, "prefix", o->text[FLAG_PREFIX]);
	if (rc == 0)
		rc = remote_call(&r, "GET", NULL, &err);
	if (rc == 0 && options_format(o) == OUTPUT_JSON)
		rc = remote_print(&r, &err);
	else if (rc == 0)
		rc = print_lines(&r.answer, &err);
	return remote_status(&r, rc, &err);
}

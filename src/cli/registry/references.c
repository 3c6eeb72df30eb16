#include <jansson.h>
#include <string.h>

#include "file/file.h"
#include "base/text.h"
#include "common/options.h"
#include "common/output.h"
#include "cli/cli.h"
#include "cli/registry/remote.h"
#include "common/report.h"

#define NAME_BYTES_MAX 512

/* The name that the file says, "name" beside "config" or within it; NULL: none. */
static const char *
own_name(const json_t *root)
{
	const char *name = json_string_value(json_object_get(root, "name"));

	return name != NULL ? name :
	    json_string_value(json_object_get(json_object_get(root, "config"), "name"));
}

/* Put the connector's name in front of the members of a file that says none. */
static int
add_name(struct buf *file, const char *name, bool empty, struct error *err)
{
	const char *brace = memchr(file->data, '{', file->len);
	struct buf out;
	int rc;

	buf_init_secret(&out, file->max);
	buf_append_str(&out, "{\"name\":");
	text_append_json(&out, name, strlen(name));
	if (!empty)
		buf_append_char(&out, ',');
	brace++;
	buf_append(&out, brace, file->len - (size_t)(brace - (const char *)file->data));
	if ((rc = buf_check(&out, err)) == 0)
		buf_move(file, &out);
	buf_release(&out);
	return rc;
}

/* The connector's name: --connector, else the file's own.  What the file does
 * not say is put into it, as the registry wants both to be the same. */
static int
find_name(const struct options *o, struct buf *file, char *out, size_t size, struct error *err)
{
	const char *name = o->text[FLAG_CONNECTOR];
	json_error_t why;
	json_t *root = json_loadb((const char *)file->data, file->len, 0, &why);
	const char *own = own_name(root);
	int rc = 0;

	if (!json_is_object(root)) {
		rc = error_set(err, ERROR_FORMAT, "this is no JSON object");
		error_place(err, o->args[0], root == NULL && why.line > 0 ? (size_t)why.line : 0);
	} else if ((name == NULL && own == NULL) || strlen(name != NULL ? name : own) >= size) {
		rc = error_set(err, ERROR_FORMAT, "it says no name of a connector");
		error_place(err, o->args[0], 0);
		error_hint(err, "give --connector NAME");
	} else {
		if (name == NULL)
			name = own;
		memcpy(out, name, strlen(name) + 1);
		if (own == NULL)
			rc = add_name(file, name, json_object_size(root) == 0, err);
	}
	json_decref(root);
	return rc;
}

/* Send the file to the registry's ${verb} for its connector. */
static int
ask(const struct options *o, struct remote *r, const char *verb, struct error *err)
{
	char name[NAME_BYTES_MAX];
	int rc;

	if (file_read_stream(o->args[0], &r->body, err) != 0)
		return -1;
	rc = find_name(o, &r->body, name, sizeof(name), err);
	if (rc == 0) {
		remote_target(r, "secret", "connectors", name, verb, (const char *)NULL);
		rc = remote_call(r, "POST", NULL, err);
		if (rc != 0 && r->got.status == 400)
			error_place(err, o->args[0], 0);
	}
	return rc;
}

int
commands_registry_validate(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	if (rc == 0)
		rc = ask(o, &r, "validate", &err);
	if (rc == 0 && options_format(o) == OUTPUT_JSON)
		rc = remote_print(&r, &err);
	else if (rc == 0)
		report_note("every reference is good");
	return remote_status(&r, rc, &err);
}

int
commands_registry_resolve(const struct options *o)
{
	struct remote r;
	struct error err;
	int rc = remote_open(&r, o, &err);

	if (rc == 0)
		rc = ask(o, &r, "resolve", &err);
	if (rc == 0)
		rc = remote_print(&r, &err);
	return remote_status(&r, rc, &err);
}

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/rotation/session.h"
#include "cli/scan.h"
#include "common/args.h"
#include "common/report.h"
#include "common/table.h"
#include "crypto/key.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"

/* What the commands of `propseal rotation` say, and what they look at besides
 * the secrets files. */

#define REPORT_MAX ((size_t)64 << 20)

static const struct table_column columns[] = {
	{ "file", "FILE", TABLE_BOTH, 36, false },
	{ "role", NULL, TABLE_JSON, 0, false },
	{ "environment", "ENVIRONMENT", TABLE_BOTH, 16, false },
	{ "state", "STATE", TABLE_BOTH, 11, false },
	{ "entries", "ENTRIES", TABLE_BOTH, 8, true },
	{ "error", NULL, TABLE_JSON, 0, false },
};

static void
tell_files(const struct rotation *r, struct table *t)
{
	for (size_t i = 0; i < rotation_count(r); i++) {
		const struct rotation_file *f = rotation_file(r, i);

		table_text(t, f->file);
		table_text(t, "secrets");
		table_text(t, f->environment);
		table_text(t, rotation_file_state_name(f->state));
		table_number(t, f->entries);
		table_text(t, f->error != NULL ? f->error->text : NULL);
		table_row_end(t);
	}
}

static void
tell_json(const struct rotation *r, struct buf *out)
{
	const struct rotation_counts *n = rotation_counts(r);
	struct json_out o;
	struct table t;

	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_text(&o, "schema", "propseal.rotation/1");
	json_out_text(&o, "session", rotation_id(r));
	json_out_text(&o, "dir", rotation_dir(r));
	json_out_text(&o, "kind", rotation_kind_name(rotation_kind(r)));
	json_out_text(&o, "state", rotation_state_name(rotation_state(r)));
	json_out_text(&o, "root", rotation_root(r));
	json_out_array(&o, "files");
	table_begin(&t, columns, sizeof(columns) / sizeof(columns[0]), out, &o);
	tell_files(r, &t);
	json_out_end(&o);
	json_out_object(&o, "entries");
	json_out_uint(&o, "total", n->total);
	json_out_uint(&o, "opened", n->opened);
	json_out_uint(&o, "same", n->same);
	json_out_end(&o);
	json_out_array(&o, "warnings");
	for (size_t i = 0; i < rotation_warnings(r)->len; i++)
		json_out_text(&o, NULL, vec_string(rotation_warnings(r), i));
	json_out_end(&o);
	json_out_end(&o);
	json_out_finish(&o, NULL);
}

static void
tell_people(const struct rotation *r, struct buf *out)
{
	struct table t;

	buf_printf(out, "rotation %s: %s (%s), %zu entries\n", rotation_id(r),
	    rotation_state_name(rotation_state(r)), rotation_kind_name(rotation_kind(r)),
	    rotation_counts(r)->total);
	buf_append_str(out, "  session  ");
	text_append_visible(out, rotation_dir(r), strlen(rotation_dir(r)));
	buf_append_str(out, "\n  root     ");
	text_append_visible(out, rotation_root(r), strlen(rotation_root(r)));
	buf_append_str(out, "\n\n");
	table_begin(&t, columns, sizeof(columns) / sizeof(columns[0]), out, NULL);
	tell_files(r, &t);
}

int
rotation_tell(const struct options *o, const struct rotation *r, struct error *err)
{
	struct buf out;
	int rc;

	buf_init(&out, REPORT_MAX);
	if (options_format(o) == OUTPUT_JSON)
		tell_json(r, &out);
	else
		tell_people(r, &out);
	rc = buf_check(&out, err);
	if (rc == 0)
		rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

/* --- references --- */

struct estate *
rotation_scan(const struct options *o, const struct rotation *r, struct vec *whole,
    struct error *err)
{
	const struct vec *paths = rotation_paths(r);
	char *path;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < paths->len; i++) {
		if ((path = rotation_path(r, vec_string(paths, i))) == NULL ||
		    vec_push_string(whole, path, strlen(path)) == NULL)
			rc = error_memory(err);
		free(path);
	}
	return rc != 0 ? NULL : scan_lean(o, (const char *const *)whole->items, whole->len, err);
}

static int
reference_broken(void *cookie, const struct estate_file *f, const struct estate_entry *x,
    struct error *err)
{
	struct error what;

	if (scan_explain(cookie, f, x, &what, err) != 0)
		return -1;
	(void)report_error(&what);
	return 0;
}

int
rotation_follow(struct estate *e, const struct rotation *r, struct rotation_references *out,
    struct error *err)
{
	estate_restate(e, NULL);
	return scan_step(e, err) != 0 ? -1 :
	    rotation_references(e, r, reference_broken, e, out, err);
}

void
rotation_say_references(const struct rotation_references *n, struct buf *out)
{
	buf_printf(out, "%zu of %zu references open", n->opened, n->total);
	if (n->dangling > 0)
		buf_printf(out, ", %zu dangling", n->dangling);
}

/* --- on a host --- */

static int
host_unlock(struct finder *f, struct environment *x, struct error *err)
{
	const struct secrets_metadata *m = secrets_file_metadata(x->secrets);
	const struct rotation_want want = { .path = x->path, .file = x->path, .salt = m->salt,
		.iterations = m->iterations, .length = m->length, .secrets = x->secrets };
	struct key *k;
	int rc;

	if ((k = finder_key(f, &want, err)) == NULL)
		return -1;
	rc = environment_unlock(x, k, err);
	key_free(k);
	return rc;
}

static int
host_run(const struct options *o, struct finder *f, struct estate *e, int *status,
    struct error *err)
{
	struct environments *all = estate_environments(e);
	struct rotation_references n;
	size_t entries = 0, opened = 0;
	struct error why;
	struct json_out j;
	struct buf out;
	int rc = 0;

	*status = 0;
	for (size_t i = 0; i < environments_count(all); i++) {
		struct environment *x = environments_at(all, i);
		size_t sealed, open = 0;

		if (x->secrets == NULL) {
			*status = report_error(x->problem);
			continue;
		}
		if ((sealed = secrets_file_sealed_count(x->secrets)) == 0)
			continue;
		if (host_unlock(f, x, &why) != 0)
			(void)report_error(&why);
		else
			scan_drill(x, &sealed, &open);
		entries += sealed;
		opened += open;
	}
	if (rotation_follow(e, NULL, &n, err) != 0)
		return -1;
	if (opened < entries || n.opened + n.dangling < n.total)
		*status = 4;
	else if (entries == 0 && *status == 0) {
		error_set(err, ERROR_MISSING, "there is no sealed entry");
		return error_hint(err, "name the folder that holds this host's files");
	}
	buf_init(&out, REPORT_MAX);
	if (options_format(o) == OUTPUT_JSON) {
		json_out_init(&j, &out);
		json_out_object(&j, NULL);
		json_out_text(&j, "schema", "propseal.rotation-host/1");
		json_out_object(&j, "entries");
		json_out_uint(&j, "total", entries);
		json_out_uint(&j, "opened", opened);
		json_out_end(&j);
		json_out_object(&j, "references");
		json_out_uint(&j, "total", n.total);
		json_out_uint(&j, "opened", n.opened);
		json_out_uint(&j, "dangling", n.dangling);
		json_out_end(&j);
		json_out_end(&j);
		json_out_finish(&j, NULL);
	} else {
		buf_printf(&out, "opens %zu of %zu; ", opened, entries);
		rotation_say_references(&n, &out);
		buf_append_char(&out, '\n');
	}
	rc = buf_check(&out, err);
	if (rc == 0)
		rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

int
rotation_host(const struct options *o)
{
	static const char *const here[] = { "." };
	struct estate *e = NULL;
	struct finder f;
	struct error err;
	int rc = finder_open(&f, o, false, &err), status = 1;

	if (rc == 0)
		e = o->arg_count > 0 ? scan_paths(o, o->args, o->arg_count, &err) :
		    scan_paths(o, here, 1, &err);
	rc = rc != 0 || e == NULL ? -1 : host_run(o, &f, e, &status, &err);
	estate_free(e);
	finder_close(&f);
	return rc == 0 ? status : report_error(&err);
}

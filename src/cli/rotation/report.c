#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/rotation/session.h"
#include "cli/scan.h"
#include "common/args.h"
#include "common/report.h"
#include "crypto/key.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "rotation/rotation.h"
#include "secrets/secrets_file.h"

/* What the commands of `propseal rotation` say, and what they look at besides
 * the secrets files. */

#define REPORT_MAX ((size_t)64 << 20)
#define PART 65536		/* bytes that are written at once */

static const struct table_column columns[] = {
	{ "file", "FILE", TABLE_BOTH, 36, false },
	{ "role", NULL, TABLE_JSON, 0, false },
	{ "environment", "ENVIRONMENT", TABLE_BOTH, 16, false },
	{ "state", "STATE", TABLE_BOTH, 11, false },
	{ "entries", "ENTRIES", TABLE_BOTH, 8, true },
	{ "error", NULL, TABLE_JSON, 0, false },
};

/* Write what there is, if that is much: a session may have any number of files. */
static int
tell_part(struct buf *out, size_t much, struct error *err)
{
	int rc = out->len >= much ? output_write(out, err) : 0;

	if (out->len >= much)
		buf_clear(out);
	return rc;
}

static int
tell_files(const struct rotation *r, struct table *t, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < rotation_count(r); i++) {
		const struct rotation_file *f = rotation_file(r, i);

		table_text(t, f->file);
		table_text(t, "secrets");
		table_text(t, f->environment);
		table_text(t, rotation_file_state_name(f->state));
		table_number(t, f->entries);
		table_text(t, f->error != NULL ? f->error->text : NULL);
		table_row_end(t);
		rc = tell_part(t->out, PART, err);
	}
	return rc;
}

static int
json_warning(void *cookie, const char *text, struct error *err)
{
	struct json_out *o = cookie;

	json_out_text(o, NULL, text);
	return tell_part(o->out, PART, err);
}

static int
tell_json(const struct rotation *r, struct buf *out, struct error *err)
{
	const struct rotation_counts *n = rotation_counts(r);
	struct json_out o;
	struct table t;
	int rc;

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
	rc = tell_files(r, &t, err);
	json_out_end(&o);
	json_out_object(&o, "entries");
	json_out_uint(&o, "total", n->total);
	json_out_uint(&o, "opened", n->opened);
	json_out_uint(&o, "same", n->same);
	json_out_end(&o);
	json_out_array(&o, "warnings");
	if (rc == 0)
		rc = rotation_each_warning(r, json_warning, &o, err);
	json_out_end(&o);
	json_out_end(&o);
	return rc == 0 ? json_out_finish(&o, err) : rc;
}

/* For people: one that is on the way back, or at its end, is told as that. */
static const char *
state_told(const struct rotation *r)
{
	if (rotation_is_rolling_back(r) && rotation_state(r) != ROTATION_ROLLED_BACK)
		return "being rolled back";
	if (rotation_is_finishing(r) && rotation_state(r) != ROTATION_FINISHED)
		return "being finished";
	return rotation_state_name(rotation_state(r));
}

static int
tell_people(const struct rotation *r, struct buf *out, struct error *err)
{
	struct table t;

	buf_printf(out, "rotation %s: %s (%s), %zu entries\n", rotation_id(r), state_told(r),
	    rotation_kind_name(rotation_kind(r)), rotation_counts(r)->total);
	buf_append_str(out, "  session  ");
	text_append_visible(out, rotation_dir(r), strlen(rotation_dir(r)));
	buf_append_str(out, "\n  root     ");
	text_append_visible(out, rotation_root(r), strlen(rotation_root(r)));
	buf_append_str(out, "\n\n");
	table_begin(&t, columns, sizeof(columns) / sizeof(columns[0]), out, NULL);
	return tell_files(r, &t, err);
}

int
rotation_tell(const struct options *o, const struct rotation *r, struct error *err)
{
	struct buf out;
	int rc;

	buf_init(&out, REPORT_MAX);
	rc = options_format(o) == OUTPUT_JSON ? tell_json(r, &out, err) :
	    tell_people(r, &out, err);
	if (rc == 0)
		rc = tell_part(&out, 0, err);
	buf_release(&out);
	return rc;
}

/* --- references --- */

struct estate *
rotation_scan(const struct options *o, const struct rotation *r, struct vec *whole,
    bool services, struct error *err)
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
	return rc != 0 ? NULL :
	    scan_lean(o, (const char *const *)whole->items, whole->len, services, err);
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

		if (x->aside)
			continue;
		if (x->secrets == NULL) {
			*status = report_error(x->problem);
			continue;
		}
		if ((sealed = secrets_file_sealed_count(x->secrets)) == 0)
			continue;
		if (host_unlock(f, x, &why) != 0) {
			if (why.code == ERROR_KEY)
				error_hint(&why, "the file and the key of a host belong together: "
				    "is one of them from before the rotation, or of another "
				    "environment?");
			(void)report_error(&why);
		}
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

/* `propseal rotation checklist`: what is to be done on the hosts of each environment. */

#define CHECKLIST_MAX ((size_t)64 << 20)

/* How a host gets the new key. */
static const char *const key_ways[][2] = {
	{ "systemd credential", "systemd-creds encrypt --name=propseal.master-key KEYFILE "
	    "/etc/credstore.encrypted/propseal.master-key, with "
	    "LoadCredentialEncrypted=propseal.master-key in the unit" },
	{ "EnvironmentFile", "the line CONFLUENT_SECURITY_MASTER_KEY=... of the unit's "
	    "EnvironmentFile= (mode 0600, root)" },
	{ "Ansible", "ansible-vault edit: secrets_protection_masterkey; then the rolling play with "
	    "--limit for this group" },
	{ "Kubernetes", "kubectl create secret generic propseal-master-key --from-file=key=KEYFILE "
	    "--dry-run=client -o yaml | kubectl apply -f -; the secrets file likewise; then "
	    "kubectl rollout restart and status" },
};
#define KEY_WAYS (sizeof(key_ways) / sizeof(key_ways[0]))

struct checklist {
	const struct rotation *r;
	struct estate *estate;
	enum rotation_service *services;	/* of each of its files that is a configuration */
	struct buf *out;
	bool markdown;
};

static int
find_services(struct checklist *c, struct error *err)
{
	if ((c->services = calloc(estate_count(c->estate) + 1, sizeof(*c->services))) == NULL)
		return error_memory(err);
	for (size_t i = 0; i < estate_count(c->estate); i++)
		if (rotation_service_reads(estate_file(c->estate, i), NULL))
			c->services[i] = rotation_service_of(estate_file(c->estate, i)->path);
	return 0;
}

/* The environment of a file of the session; NULL: it is not there. */
static struct environment *
environment_of(const struct checklist *c, const struct rotation_file *f)
{
	char *path = rotation_path(c->r, f->file);
	struct environment *found = NULL;

	if (path != NULL)
		(void)environments_of_file(estate_environments(c->estate), path, &found, NULL);
	free(path);
	return found;
}

/* Call ${each} for the configurations of an environment that belong to a service. */
static void
each_configuration(const struct checklist *c, const struct environment *x, enum rotation_service s,
    void (*each)(void *cookie, const char *path), void *cookie)
{
	for (size_t i = 0; x != NULL && i < estate_count(c->estate); i++) {
		const struct estate_file *f = estate_file(c->estate, i);

		if (rotation_service_reads(f, x) && c->services[i] == s)
			each(cookie, f->path);
	}
}

static bool
changes_master(const struct rotation *r)
{
	return rotation_kind(r) & ROTATION_MASTER_KEY;
}

/* --- JSON --- */

static void
json_path(void *cookie, const char *path)
{
	json_out_text(cookie, NULL, path);
}

static void
checklist_json_group(const struct checklist *c, const struct rotation_file *f, struct json_out *o)
{
	const struct environment *x = environment_of(c, f);
	const char *path;

	json_out_object(o, NULL);
	json_out_text(o, "environment", f->environment);
	json_out_text(o, "file", f->file);
	json_out_text(o, "state", rotation_file_state_name(f->state));
	json_out_uint(o, "entries", f->entries);
	json_out_array(o, "copy_to");
	for (size_t i = 0; x != NULL && (path = environment_noted(x, i)) != NULL; i++)
		json_out_text(o, NULL, path);
	json_out_end(o);
	json_out_bool(o, "new_master_key", changes_master(c->r));
	json_out_array(o, "restart");
	for (enum rotation_service v = 0; v < SERVICES; v++) {
		json_out_object(o, NULL);
		json_out_text(o, "service", rotation_service_name(v));
		json_out_array(o, "configurations");
		each_configuration(c, x, v, json_path, o);
		json_out_end(o);
		json_out_end(o);
	}
	json_out_end(o);
	json_out_end(o);
}

static void
checklist_write_json(const struct checklist *c)
{
	struct json_out o;

	json_out_init(&o, c->out);
	json_out_object(&o, NULL);
	json_out_text(&o, "schema", "propseal.rotation-checklist/1");
	json_out_text(&o, "session", rotation_id(c->r));
	json_out_text(&o, "kind", rotation_kind_name(rotation_kind(c->r)));
	json_out_text(&o, "state", rotation_state_name(rotation_state(c->r)));
	json_out_text(&o, "root", rotation_root(c->r));
	json_out_array(&o, "groups");
	for (size_t i = 0; i < rotation_count(c->r); i++)
		if (rotation_file(c->r, i)->state != ROTATION_FILE_SKIPPED)
			checklist_json_group(c, rotation_file(c->r, i), &o);
	json_out_end(&o);
	json_out_text(&o, "prove", "propseal rotation verify --host PATH");
	json_out_text(&o, "back", "propseal rotation rollback");
	json_out_end(&o);
	json_out_finish(&o, NULL);
}

/* --- text and Markdown --- */

static void
checklist_put(const struct checklist *c, const char *text)
{
	text_append_visible(c->out, text, strlen(text));
}

/* A line to tick off. */
static void
checklist_put_item(const struct checklist *c, const char *text)
{
	buf_append_str(c->out, c->markdown ? "- [ ] " : "  [ ] ");
	checklist_put(c, text);
}

static void
checklist_put_code(const struct checklist *c, const char *text)
{
	if (c->markdown)
		buf_append_char(c->out, '`');
	checklist_put(c, text);
	if (c->markdown)
		buf_append_char(c->out, '`');
}

static void
text_path(void *cookie, const char *path)
{
	const struct checklist *c = cookie;

	buf_append_str(c->out, " ");
	checklist_put_code(c, path);
}

static void
has_path(void *cookie, const char *path)
{
	(void)path;
	*(bool *)cookie = true;
}

static void
checklist_text_group(struct checklist *c, const struct rotation_file *f)
{
	const struct environment *x = environment_of(c, f);
	const char *to;
	bool any;

	buf_append_str(c->out, c->markdown ? "\n## " : "\n");
	checklist_put(c, f->environment);
	buf_printf(c->out, " (%zu entries, %s)\n", f->entries, rotation_file_state_name(f->state));
	if (c->markdown)
		buf_append_char(c->out, '\n');
	for (size_t i = 0; (to = x != NULL ? environment_noted(x, i) : NULL) != NULL || i == 0;
	    i++) {
		checklist_put_item(c, "copy ");
		checklist_put_code(c, f->file);
		buf_append_str(c->out, " to ");
		checklist_put_code(c, to != NULL ? to : "the path that its references name");
		buf_append_str(c->out, ", owner and mode as before\n");
	}
	if (changes_master(c->r)) {
		checklist_put_item(c, "set its new master key: the line of ");
		checklist_put_code(c, f->file);
		buf_append_str(c->out, rotation_is_common(c->r) ?
		    " is the one key of --new-master-key-file\n" :
		    " in the file of --new-master-key-file\n");
	} else {
		checklist_put_item(c, "the master key stays as it is");
		buf_append_char(c->out, '\n');
	}
	checklist_put_item(c, "prove it on the host: ");
	checklist_put_code(c, "propseal rotation verify --host PATH");
	buf_append_char(c->out, '\n');
	for (enum rotation_service v = 0; v < SERVICES; v++) {
		any = false;
		each_configuration(c, x, v, has_path, &any);
		if (!any)
			continue;
		checklist_put_item(c, "restart ");
		checklist_put(c, rotation_service_name(v));
		buf_append_char(c->out, ':');
		each_configuration(c, x, v, text_path, c);
		buf_append_char(c->out, '\n');
	}
	checklist_put_item(c, "to go back: the former secrets file and the former key on this "
	    "host, or ");
	checklist_put_code(c, "propseal rotation rollback");
	buf_append_str(c->out, " and all again\n");
}

static void
checklist_write_text(struct checklist *c)
{
	buf_append_str(c->out, c->markdown ? "# " : "");
	buf_append_str(c->out, "Rotation ");
	checklist_put(c, rotation_id(c->r));
	buf_printf(c->out, ": %s, %s\n\n", rotation_kind_name(rotation_kind(c->r)),
	    rotation_state_name(rotation_state(c->r)));
	buf_append_str(c->out, "One group of hosts after the other: controllers, brokers, then "
	    "Schema Registry, Connect,\nksqlDB, REST Proxy, Control Center.  Secrets file and key "
	    "belong together.  Files lie below\n");
	checklist_put_code(c, rotation_root(c->r));
	buf_append_str(c->out, ".\n");
	for (size_t i = 0; i < rotation_count(c->r); i++)
		if (rotation_file(c->r, i)->state != ROTATION_FILE_SKIPPED)
			checklist_text_group(c, rotation_file(c->r, i));
	if (!changes_master(c->r))
		return;
	buf_append_str(c->out, c->markdown ? "\n## How a host gets its key\n\n" :
	    "\nHow a host gets its key\n");
	for (size_t i = 0; i < KEY_WAYS; i++) {
		buf_append_str(c->out, c->markdown ? "- **" : "  ");
		buf_append_str(c->out, key_ways[i][0]);
		buf_append_str(c->out, c->markdown ? "**: " : ": ");
		buf_append_str(c->out, key_ways[i][1]);
		buf_append_char(c->out, '\n');
	}
}

int
commands_rotation_checklist(const struct options *o)
{
	const char *format = o->text[FLAG_FORMAT_CHECKLIST];
	struct checklist c = { .markdown = format != NULL && strcmp(format, "markdown") == 0 };
	char *dir;
	struct rotation *r = NULL;
	struct vec paths;
	struct error err;
	struct buf out;
	int rc = -1;

	buf_init(&out, CHECKLIST_MAX);
	vec_init(&paths, sizeof(char *), 1U << 24);
	if ((dir = rotation_find_session(o, &err)) != NULL)
		c.r = r = rotation_open(dir, o->text[FLAG_ROOT], &err);
	if (r != NULL && (c.estate = rotation_scan(o, r, &paths, true, &err)) != NULL &&
	    scan_step(c.estate, &err) == 0 && find_services(&c, &err) == 0) {
		c.out = &out;
		if (format != NULL && strcmp(format, "json") == 0)
			checklist_write_json(&c);
		else
			checklist_write_text(&c);
		if ((rc = buf_check(&out, &err)) == 0)
			rc = output_write(&out, &err);
	}
	free(c.services);
	estate_free(c.estate);
	rotation_close(r);
	vec_release_strings(&paths);
	buf_release(&out);
	free(dir);
	return rc == 0 ? 0 : report_error(&err);
}

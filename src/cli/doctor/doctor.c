#include <sys/stat.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/time.h"
#include "base/vec.h"
#include "cli/audit/audit.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/doctor/doctor.h"
#include "cli/keys.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "secrets/key_source.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

#define STEP_MS 1000
#define SECRETS_FILES_MAX 10000
#define LEFTOVERS_MAX 1000000

#define FOLDERS_MAX ((size_t)1 << 24)

/* Folders that were looked at, each once. */
struct folders {
	struct vec list;	/* of char * */
	struct map *seen;
};

/* Without a question: what is in reach of a service is what counts. */
static const struct key *
doctor_keys_find_master(struct doctor *d, const struct secrets_file *s)
{
	const struct key *k = NULL;
	struct error why;
	const char *where;

	if (d->keys == NULL && (d->keys = keys_ring(d->o, false, &why)) == NULL) {
		checks_add(&d->checks, CHECK_PROBLEM, "key", &why);
		return NULL;
	}
	if ((k = key_ring_for(d->keys, s, &where)) == NULL) {
		key_ring_missing(s, &why);
		checks_add(&d->checks, CHECK_PROBLEM, "key", &why);
	} else if (d->key_told != k) {
		d->key_told = k;
		checks_say(&d->checks, CHECK_OK, "key", NULL, 0, NULL,
		    "the master key comes from %s", where);
	}
	return k;
}

static int
check_key_file(struct doctor *d)
{
	const char *path = d->o->text[FLAG_MASTER_KEY_FILE];
	struct stat st;

	if (path == NULL || stat(path, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode &
	    (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) == 0)
		return 0;
	if (st.st_mode & (S_IROTH | S_IWOTH))
		checks_say(&d->checks, CHECK_PROBLEM, "key-file", path, 0, "chmod 600",
		    "every user can read or write the file of the master key");
	else
		checks_say(&d->checks, CHECK_WARNING, "key-file", path, 0, "chmod 600",
		    "its group can read or write the file of the master key");
	return doctor_fix_mode(d, path, S_IRWXG | S_IRWXO, "chmod 600");
}

/* Does a finding of the audit tell it already?  ${key} NULL: any of the file. */
static bool
doctor_audit_tells(const struct doctor *d, enum audit_rule rule, const char *path,
    const char *key, size_t len)
{
	struct buf name;
	bool tells = false;

	while (path[0] == '.' && path[1] == '/')
		path += 2;
	buf_init(&name, DOCTOR_PATH_MAX);
	audit_append_name(&name, path);
	for (size_t i = 0; !tells && i < audit_finding_count(d->audit); i++) {
		const struct audit_finding *f = audit_finding(d->audit, i);

		tells = f->rule == rule && (key == NULL || (f->key_len == len &&
		    memcmp(f->key, key, len) == 0)) &&
		    strcmp(audit_file(d->audit, f->file), buf_cstr(&name)) == 0;
	}
	buf_release(&name);
	return tells;
}

/* Open every sealed entry: of files that are in none of the paths the audit tells nothing. */
static int
doctor_keys_check_entries(struct doctor *d, const struct secrets_file *s, struct error *err)
{
	const struct document *doc = secrets_file_document(s);
	size_t open = 0, refused = 0, sealed = 0;
	struct secrets_doubts doubts = { .stale = 0 };
	struct error why;
	struct buf plain;
	const char *key;
	size_t len;
	int rc = 0;

	buf_init_secret(&plain, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(doc); i++) {
		if (!secrets_file_is_sealed(s, i))
			continue;
		sealed++;
		key = document_key(doc, i, &len);
		buf_clear(&plain);
		if (secrets_file_open(s, i, &plain, &why) == 0) {
			open++;
		} else if (why.code == ERROR_DAMAGED) {
			if (!doctor_audit_tells(d, AUDIT_DAMAGED, secrets_file_path(s), key, len) &&
			    !doctor_audit_tells(d, AUDIT_EXCHANGED, secrets_file_path(s), key, len))
				checks_add(&d->checks, CHECK_PROBLEM, "damaged-entry", &why);
		} else if (why.code == ERROR_REFUSED) {
			refused++;
		} else {
			*err = why;
			rc = -1;
		}
	}
	buf_release(&plain);
	if (rc == 0)
		rc = secrets_file_doubts(s, &doubts, err);
	if (rc == 0 && open == sealed)
		checks_say(&d->checks, CHECK_OK, "entries", secrets_file_path(s), 0, NULL,
		    "all %zu sealed entries open", sealed);
	if (rc == 0 && refused > 0)
		checks_say(&d->checks, CHECK_WARNING, "unchecked", secrets_file_path(s), 0,
		    "`propseal file rotate --data-key` seals all entries anew, with tags",
		    "%zu sealed %s not opened: in the old CBC mode without a tag that fits, or "
		    "without a tag where tags are required", refused,
		    refused == 1 ? "entry was" : "entries were");
	if (rc == 0 && doubts.stale > 0 &&
	    !doctor_audit_tells(d, AUDIT_STALE, secrets_file_path(s), NULL, 0))
		checks_say(&d->checks, CHECK_WARNING, "stale-tag", secrets_file_path(s), 0,
		    "`propseal file verify` lists them; if that was meant, `propseal file rotate "
		    "--data-key` tags them anew",
		    "another program changed %zu sealed %s since propseal sealed them",
		    doubts.stale, doubts.stale == 1 ? "entry" : "entries");
	return rc;
}

static void
doctor_keys_check_secrets_file(struct doctor *d, struct secrets_file *s)
{
	const char *path = secrets_file_path(s);
	const struct key *master;
	struct error why;

	if (secrets_file_metadata(s)->data_key == NULL) {
		if (secrets_file_sealed_count(s) == 0)
			checks_say(&d->checks, CHECK_REMARK, "data-key", path, 0, NULL,
			    "nothing is sealed yet, and there is no data key");
		else
			checks_say(&d->checks, CHECK_PROBLEM, "data-key", path, 0,
			    "restore the line " SECRETS_DATA_KEY " from a backup",
			    "there are sealed entries, but no data key to open them");
		return;
	}
	if ((master = doctor_keys_find_master(d, s)) == NULL)
		return;
	if (secrets_file_unlock(s, master, &why) != 0) {
		checks_add(&d->checks, CHECK_PROBLEM, "key", &why);
		return;
	}
	checks_say(&d->checks, CHECK_OK, "data-key", path, 0, NULL,
	    "the master key opens the data key");
}

/* Those that do not resolve are findings of the audit. */
static int
check_references(struct doctor *d, struct error *err)
{
	size_t references = 0, sealed = 0;
	int rc;

	/* With the keys that were found more can be told. */
	estate_restate(d->estate, NULL);
	while ((rc = estate_step(d->estate, STEP_MS, err)) > 0)
		;
	for (size_t i = 0; rc == 0 && i < estate_count(d->estate); i++) {
		const struct estate_file *f = estate_file(d->estate, i);

		for (size_t k = 0; k < f->count; k++) {
			if (f->entries[k].shadowed || f->entries[k].name == NULL)
				continue;
			references++;
			sealed += f->entries[k].state == STATE_SEALED;
		}
	}
	if (rc == 0 && references == sealed)
		checks_say(&d->checks, CHECK_OK, "references", NULL, 0, NULL,
		    "all %zu references resolve", references);
	return rc;
}

static int
doctor_keys_check(struct doctor *d, struct error *err)
{
	if (check_key_file(d) != 0)
		return error_memory(err);
	if (d->secrets.len == 0 && d->o->text[FLAG_LOCAL_SECRETS_FILE] == NULL)
		checks_say(&d->checks, CHECK_REMARK, "secrets-file", NULL, 0,
		    "give --local-secrets-file, or make one with `propseal master-key generate`",
		    "there is no secrets file in the paths");
	for (size_t i = 0; i < d->secrets.len; i++)
		doctor_keys_check_secrets_file(d, *(struct secrets_file **)vec_at(&d->secrets, i));
	return check_references(d, err);
}

/* The files below the paths, and their secrets files. */
static int
doctor_look_around(struct doctor *d, struct error *err)
{
	static const char *const here[] = { "." };
	bool all = d->o->arg_count == 0;
	const struct environment *x;
	struct secrets_file **slot;
	struct environments *e;

	d->estate = scan_untouched(d->o, all ? here : d->o->args, all ? 1 : d->o->arg_count,
	    &d->leftovers, err);
	if (d->estate == NULL)
		return -1;
	e = estate_environments(d->estate);
	for (size_t i = 0; i < environments_count(e); i++) {
		x = environments_at(e, i);
		if ((environments_only(e) != NULL && x != environments_only(e)) ||
		    x->aside)
			continue;
		if (x->problem != NULL)
			checks_add(&d->checks, CHECK_PROBLEM, "secrets-file", x->problem);
		else if ((slot = vec_push(&d->secrets)) == NULL)
			return error_memory(err);
		else
			*slot = x->secrets;
	}
	return 0;
}

/* What an audit of the paths finds; units and processes add to it. */
static int
doctor_audit(struct doctor *d, struct error *err)
{
	const char *named = d->o->text[FLAG_LOCAL_SECRETS_FILE], **slot;
	struct stat st;
	int rc = 0;

	for (size_t i = 0; i < d->secrets.len; i++) {
		if ((slot = vec_push(&d->key_names)) == NULL)
			return error_memory(err);
		*slot = secrets_file_metadata(*(struct secrets_file **)vec_at(&d->secrets,
		    i))->envvar;
	}
	d->audited = (struct audit_options){ .rules = config_rules(d->o->config),
		.scope = config_scope(d->o->config), .source = config_sections(d->o->config),
		.host = d->root, .key_names = d->key_names.items,
		.key_name_count = d->key_names.len, .policy = keys_policy(d->o),
		.provider_class = config_provider_class(d->o->config), .once = true,
		.now = time_now() };
	if (d->o->arg_count > 0) {
		d->audited.roots = d->o->args;
		d->audited.root_count = d->o->arg_count;
	}
	if (named != NULL && stat(named, &st) == 0) {
		d->audited.secrets_file = named;
		d->audited.secrets_only = d->o->from[FLAG_LOCAL_SECRETS_FILE].file == NULL;
	}
	if ((d->audit = audit_new(&d->audited, err)) == NULL)
		return -1;
	if (d->o->arg_count == 0)
		rc = audit_path(d->audit, ".", 0, err);
	for (size_t i = 0; rc == 0 && i < d->o->arg_count; i++)
		rc = audit_path(d->audit, d->o->args[i], 0, err);
	if (rc == 0 && d->audited.secrets_file != NULL)
		rc = audit_path(d->audit, named, 0, err);
	return rc;
}

bool
doctor_is_key_name(const struct doctor *d, const char *name, size_t n)
{
	const char *known;

	if (n == strlen(SECRETS_ENVVAR_DEFAULT) && memcmp(name, SECRETS_ENVVAR_DEFAULT, n) == 0)
		return true;
	for (size_t i = 0; i < d->secrets.len; i++) {
		known = secrets_file_metadata(*(struct secrets_file **)
		    vec_at(&d->secrets, i))->envvar;
		if (strlen(known) == n && memcmp(known, name, n) == 0)
			return true;
	}
	return false;
}

size_t
doctor_key_variable(const struct doctor *d, const char *text, size_t n)
{
	const char *equals = memchr(text, '=', n);
	size_t len = equals != NULL ? (size_t)(equals - text) : 0;

	return len > 0 && len + 1 < n && doctor_is_key_name(d, text, len) ? len : 0;
}

bool
doctor_is_config_name(const char *word, size_t n)
{
	const char *end = DOCUMENT_ENTRIES->ending;
	size_t m = strlen(end);

	return n > m && memcmp(word + n - m, end, m) == 0;
}

static bool
has_reference(const struct document *doc, size_t i, struct buf *value)
{
	struct reference r;
	size_t at = 0, start;

	buf_clear(value);
	if (document_value(doc, i, value, NULL) != 0 || value->len == 0)
		return false;
	while (resolve_next((const char *)value->data, value->len, at, &r, &start, &at))
		if (reference_is_ours(&r))
			return true;
	return false;
}

bool
doctor_refers(const struct doctor *d, const char *folder, const char *path, bool *known)
{
	struct configuration *c;
	struct buf full, value;
	bool refers = false;

	buf_init(&full, DOCTOR_PATH_MAX);
	buf_init_secret(&value, BUF_MAX_FILE);
	if (path[0] == '/')
		buf_printf(&full, "%s%s", d->root, path);
	else
		buf_printf(&full, "%s/%s", folder, path);
	c = buf_check(&full, NULL) == 0 ? configuration_load(buf_cstr(&full),
	    config_scope(d->o->config), NULL) : NULL;
	*known = c != NULL;
	for (size_t i = 0; c != NULL && !refers && i < document_count(c->doc); i++)
		refers = has_reference(c->doc, i, &value);
	configuration_free(c);
	buf_release(&value);
	buf_release(&full);
	return refers;
}

/* What others may do with it that they should not is told by the audit. */
static int
doctor_files_check_mode(struct doctor *d, const char *path, enum audit_open what)
{
	mode_t bits;
	struct stat st;

	if (stat(path, &st) != 0)
		return 0;
	if ((bits = audit_open_bits(what, st.st_mode, st.st_uid, st.st_gid)) != 0)
		return doctor_fix_mode(d, path, bits, (bits & S_IWGRP) == 0 ? "chmod o-w" :
		    (bits & S_IWOTH) == 0 ? "chmod g-w" : "chmod go-w");
	if (what != AUDIT_OPEN_SECRETS || S_ISDIR(st.st_mode))
		return 0;
	if (geteuid() != 0 && st.st_uid != geteuid() && st.st_uid != 0)
		checks_say(&d->checks, CHECK_REMARK, "owner", path, 0, NULL,
		    "the secrets file belongs to another user (%lu)", (unsigned long)st.st_uid);
	else
		checks_say(&d->checks, CHECK_OK, "mode", path, 0, NULL,
		    "only its owner can write the secrets file");
	return 0;
}

/* The folder of a file, once. */
static int
add_folder(struct doctor *d, struct folders *f, const char *path, enum audit_open what,
    struct error *err)
{
	char *folder = file_folder(path);
	const char *kept;
	size_t ignored;
	int rc = 0;

	if (folder == NULL)
		return error_memory(err);
	if (!map_get(f->seen, folder, strlen(folder), &ignored)) {
		rc = vec_push_string(&f->list, folder, strlen(folder)) != NULL ? 0 : -1;
		kept = rc == 0 ? vec_string(&f->list, f->list.len - 1) : NULL;
		if (rc != 0 || map_put(f->seen, kept, strlen(kept), 0) != 0)
			rc = error_memory(err);
		else if (doctor_files_check_mode(d, folder, what) != 0)
			rc = error_memory(err);
	}
	free(folder);
	return rc;
}

static bool
doctor_ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && strcmp(name + n - m, end) == 0;
}

/* What a run of ours that was killed left, which the next change removes. */
static int
check_leftover(struct doctor *d, const char *path)
{
	const char *fix = "`propseal doctor --fix` removes it";

	if (doctor_ends_with(path, PATH_LOCK))
		checks_say(&d->checks, CHECK_REMARK, "leftover", path, 0, fix,
		    "a lock that nobody holds");
	else
		checks_say(&d->checks, CHECK_WARNING, "leftover", path, 0, fix,
		    "a run that ended early left it; there may be secrets in clear text in it");
	return doctor_fix_leftover(d, path);
}

/* How editors, packages, patch and people name what they leave behind. */
static const char *const endings[] = {
	"~", ".bak", ".backup", "-backup", ".old", ".orig", ".save", ".copy", ".rej",
	".rpmsave", ".rpmnew", ".rpmorig",
	".dpkg-old", ".dpkg-new", ".dpkg-dist", ".dpkg-bak", ".ucf-old", ".ucf-dist",
};

static const struct document_format *
copy_format(const char *name)
{
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (doctor_ends_with(name, endings[i]))
			return document_format_within(name);
	return NULL;
}

/* Of vi: .server.properties.swp, .swo and so on. */
static bool
is_swap_file(const char *name)
{
	size_t n = strlen(name);

	return name[0] == '.' && n > 4 && memcmp(name + n - 4, ".sw", 3) == 0 &&
	    name[n - 1] >= 'a' && name[n - 1] <= 'p' && document_format_within(name) != NULL;
}

/* Of a configuration it is a finding of the audit. */
static void
check_copy(struct doctor *d, const char *path, const struct document_format *format)
{
	struct document *doc;
	struct buf content;

	buf_init_secret(&content, BUF_MAX_FILE);
	if (file_read(path, &content, NULL, NULL) == 0 &&
	    (doc = document_parse(&content, format, path, NULL)) != NULL) {
		if (secrets_file_recognise(doc))
			checks_say(&d->checks, CHECK_REMARK, "copy", path, 0,
			    "remove it once it is not needed: an old master key opens it",
			    "a copy of a secrets file");
		document_free(doc);
	}
	buf_release(&content);
}

static void
doctor_copies_check(struct doctor *d, const char *folder)
{
	const struct document_format *format;
	struct dirent *ent;
	struct buf path;
	DIR *dir;

	/* What cannot be read is told by the audit. */
	if ((dir = opendir(folder)) == NULL)
		return;
	buf_init(&path, DOCTOR_PATH_MAX);
	while ((ent = readdir(dir)) != NULL) {
		buf_clear(&path);
		if (strcmp(folder, ".") != 0)
			buf_printf(&path, "%s/", folder);
		buf_append_str(&path, ent->d_name);
		if (is_swap_file(ent->d_name))
			checks_say(&d->checks, CHECK_WARNING, "copy", buf_cstr(&path), 0,
			    "finish that editor, or remove the file",
			    "a swap file of an editor, which may hold secrets in clear text");
		else if ((format = copy_format(ent->d_name)) != NULL)
			check_copy(d, buf_cstr(&path), format);
	}
	buf_release(&path);
	closedir(dir);
}

static int
doctor_files_check_all(struct doctor *d, struct folders *folders, struct error *err)
{
	const struct estate_file *f;
	const char *path;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < d->secrets.len; i++) {
		path = secrets_file_path(*(struct secrets_file **)vec_at(&d->secrets, i));
		rc = doctor_files_check_mode(d, path, AUDIT_OPEN_SECRETS) != 0 ?
		    error_memory(err) : add_folder(d, folders, path, AUDIT_OPEN_SECRETS, err);
	}
	for (i = 0; rc == 0 && i < estate_count(d->estate); i++) {
		f = estate_file(d->estate, i);
		/* What cannot be read is told by the audit. */
		if (!f->is_secrets_file && f->problem == NULL &&
		    doctor_files_check_mode(d, f->path, AUDIT_OPEN_FILE) != 0)
			return error_memory(err);
		rc = add_folder(d, folders, f->path, AUDIT_OPEN_FOLDER, err);
	}
	for (i = 0; rc == 0 && i < d->leftovers.len; i++)
		if (check_leftover(d, vec_string(&d->leftovers, i)) != 0)
			rc = error_memory(err);
	for (i = 0; rc == 0 && i < folders->list.len; i++)
		doctor_copies_check(d, vec_string(&folders->list, i));
	return rc;
}

/* Each check adds its findings.  ERROR_MEMORY. */
static int
doctor_files_check(struct doctor *d, struct error *err)
{
	struct folders folders = { .seen = map_new() };
	int rc;

	vec_init(&folders.list, sizeof(char *), FOLDERS_MAX);
	rc = folders.seen != NULL ? doctor_files_check_all(d, &folders, err) : error_memory(err);
	map_free(folders.seen);
	vec_release_strings(&folders.list);
	return rc;
}

static int
doctor_check(struct doctor *d, struct error *err)
{
	const struct secrets_file *s;
	struct error why;

	if (doctor_look_around(d, err) != 0 || doctor_keys_check(d, err) != 0 ||
	    doctor_files_check(d, err) != 0 || doctor_audit(d, err) != 0 ||
	    doctor_units_check(d, err) != 0)
		return -1;
	doctor_processes_check(d);
	doctor_system_check(d);
	if (audit_processes(d->audit, d->root, err) != 0 && err->code != ERROR_IO)
		return -1;
	/* Secrets files that nothing refers to here were not asked a key for. */
	if (d->keys == NULL)
		d->keys = keys_ring(d->o, false, &why);
	d->audited.keys = d->keys;
	if (audit_finish(d->audit, err) != 0)
		return -1;
	for (size_t i = 0; i < d->secrets.len; i++) {
		s = *(struct secrets_file **)vec_at(&d->secrets, i);
		if (secrets_file_cipher(s) != NULL && doctor_keys_check_entries(d, s, err) != 0)
			return -1;
	}
	return 0;
}

/* The checks, then the audit's findings in its own form. */
static int
doctor_report(struct doctor *d, int *status, struct error *err)
{
	const bool json = options_format(d->o) == OUTPUT_JSON;
	const size_t *n = d->checks.counts;
	const struct buf *checks = checks_list(&d->checks, err);
	struct audit_report r;
	struct buf out;
	int rc;

	if (checks == NULL)
		return -1;
	audit_report_init(&r, d->audit, ".", AUDIT_ERROR);
	r.schema = "propseal.doctor/2";
	r.checks = checks;
	if (checks_status(&d->checks) != 0)
		r.status = checks_status(&d->checks);
	*status = r.status;
	if (json)
		return audit_report_write(&r, "json", err);
	buf_init(&out, 512);
	buf_printf(&out, "checks: %zu error%s, %zu warning%s, %zu note%s\n", n[CHECK_PROBLEM],
	    n[CHECK_PROBLEM] == 1 ? "" : "s", n[CHECK_WARNING],
	    n[CHECK_WARNING] == 1 ? "" : "s", n[CHECK_REMARK],
	    n[CHECK_REMARK] == 1 ? "" : "s");
	if (d->fixes.len > 0)
		buf_printf(&out, "for %zu of them there is `propseal doctor --fix`\n",
		    d->fixes.len);
	rc = output_write(checks, err) != 0 || output_write(&out, err) != 0 ? -1 :
	    audit_report_write(&r, NULL, err);
	buf_release(&out);
	return rc;
}

static void
doctor_release(struct doctor *d)
{
	audit_free(d->audit);
	doctor_fixes_release(d);
	vec_release_strings(&d->leftovers);
	vec_release(&d->key_names);
	vec_release(&d->secrets);
	estate_free(d->estate);
	key_ring_free(d->keys);
	checks_release(&d->checks);
}

/* Keys, entries and processes are not needed to find what can be mended. */
static int
doctor_mend(struct doctor *d, int *status, struct error *err)
{
	if (doctor_look_around(d, err) != 0)
		return -1;
	if (check_key_file(d) != 0)
		return error_memory(err);
	return doctor_files_check(d, err) != 0 ? -1 : doctor_fix(d, status, err);
}

int
commands_doctor(const struct options *o)
{
	struct doctor d = { .o = o };
	struct error err;
	int rc, status = 0;

	d.root = o->text[FLAG_ROOT] != NULL ? o->text[FLAG_ROOT] : "";
	vec_init(&d.secrets, sizeof(struct secrets_file *), SECRETS_FILES_MAX);
	vec_init(&d.key_names, sizeof(char *), SECRETS_FILES_MAX);
	vec_init(&d.leftovers, sizeof(char *), LEFTOVERS_MAX);
	doctor_fixes_init(&d);
	checks_init(&d.checks, NULL, options_format(o) == OUTPUT_JSON, CHECKS_BY_LEVEL);
	if (!o->on[FLAG_FIX] && (o->on[FLAG_YES] || o->on[FLAG_DRY_RUN])) {
		error_set(&err, ERROR_USAGE, "--yes and --dry-run are for --fix");
		rc = -1;
	} else if (o->on[FLAG_FIX])
		rc = doctor_mend(&d, &status, &err);
	else if ((rc = doctor_check(&d, &err)) == 0)
		rc = doctor_report(&d, &status, &err);
	doctor_release(&d);
	return rc == 0 ? status : report_error(&err);
}

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/remote.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "document/document.h"
#include "estate/environments.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/render.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

static enum render_form
form_of(const struct options *o)
{
	const char *text = o->text[FLAG_FORMAT];

	if (text == NULL || strcmp(text, "properties") == 0)
		return RENDER_PROPERTIES;
	return strcmp(text, "json") == 0 ? RENDER_JSON : RENDER_ENV;
}

/* The file itself, or entries of it. */
static int
render(struct change *c, const struct options *o, const struct key_list *keys, struct buf *text,
    struct error *err)
{
	enum render_form form = form_of(o);

	if (keys->count == 0 && form == RENDER_PROPERTIES && (o->text[FLAG_FORMAT] == NULL ||
	    strcmp(document_format(c->config->doc)->name, o->text[FLAG_FORMAT]) == 0))
		return render_document(c->plan, c->config, RENDER_PROGRAM, text, err);
	return render_entries(c->plan, c->config, form, o->text[FLAG_PREFIX] != NULL ?
	    o->text[FLAG_PREFIX] : "", keys->keys, keys->lens, keys->count, text, err);
}

/* The output must not take the place of what it was made from. */
static int
check_output(const struct environments *e, const char *path, struct error *err)
{
	const struct environment *x;
	struct file_id id;

	for (size_t i = 0; i < environments_count(e); i++) {
		x = environments_at(e, i);
		if (x->secrets == NULL || file_identify(path, &id, NULL) != 0 || !id.exists ||
		    id.dev != secrets_file_id(x->secrets)->dev ||
		    id.ino != secrets_file_id(x->secrets)->ino)
			continue;
		error_set(err, ERROR_REFUSED, "the output would overwrite the secrets file");
		error_place(err, path, 0);
		return error_hint(err, "give another --output-file");
	}
	return 0;
}

static int
write_out(struct change *c, const struct environments *e, const struct options *o,
    struct buf *text, struct error *err)
{
	const char *path = o->text[FLAG_OUTPUT_FILE];

	if (path == NULL)
		path = "-";
	if (output_is_stream(path)) {
		change_say_notes(c->plan);
		if (strcmp(path, "-") == 0 && isatty(STDOUT_FILENO))
			report_note("this is clear text on a terminal, which may keep it: "
			    "--output-file makes a file that only you can read");
	}
	return check_output(e, path, err) != 0 ? -1 : change_write_output(c, path, text, err);
}

/* What --dir writes: a file for each value. */
struct folder {
	const char *path;
	struct buf *values;	/* secret */
	char **files;
	size_t count;
};

static void
folder_release(struct folder *f)
{
	for (size_t i = 0; i < f->count; i++) {
		buf_release(&f->values[i]);
		free(f->files[i]);
	}
	free(f->values);
	free(f->files);
}

/* A key that DirectoryConfigProvider would find as a file of that folder. */
static bool
folder_takes(const char *key, size_t len)
{
	return len > 0 && len <= NAME_MAX && key[0] != '.' && memchr(key, '/', len) == NULL &&
	    memchr(key, '\0', len) == NULL;
}

/* Put entry ${i} in, if it was ${asked} for or if there is something to resolve in it. */
static int
folder_add(struct folder *f, struct change *c, size_t i, bool asked, struct error *err)
{
	const struct document *d = c->config->doc;
	struct buf *value = &f->values[f->count], *before;
	const char *key;
	size_t len;
	int rc;

	key = document_key(d, i, &len);
	buf_init_secret(value, BUF_MAX_FILE);
	if (render_value(c->plan, c->config, i, value, err) != 0 || buf_check(value, err) != 0 ||
	    document_value(d, i, (before = plan_scratch(c->plan)), err) != 0)
		rc = -1;
	else if (!asked && buf_equal(value, before))
		rc = 0;
	else if (!folder_takes(key, len))
		rc = configuration_refuse(c->config->path, d, i, "its key is no name of a file",
		    "choose others with --config", err);
	else if (asprintf(&f->files[f->count], "%s/%.*s", f->path, (int)len, key) == -1)
		rc = error_memory(err);
	else {
		f->count++;
		return 0;
	}
	buf_release(value);
	return rc;
}

static int
folder_fill(struct folder *f, struct change *c, const struct key_list *keys, struct error *err)
{
	const struct document *d = c->config->doc;
	size_t max = keys->count > 0 ? keys->count : document_count(d), i;
	int rc = 0;

	f->values = calloc(max + 1, sizeof(*f->values));
	f->files = calloc(max + 1, sizeof(*f->files));
	if (f->values == NULL || f->files == NULL)
		return error_memory(err);
	for (size_t k = 0; k < keys->count && rc == 0; k++) {
		i = document_find(d, keys->keys[k], keys->lens[k]);
		rc = i == DOCUMENT_NONE ? configuration_fail_missing(c->config, keys->keys[k],
		    keys->lens[k], err) : folder_add(f, c, i, true, err);
	}
	for (i = 0; keys->count == 0 && i < document_count(d) && rc == 0; i++)
		if (!document_shadowed(d, i) && reference_may_be_in(d, i))
			rc = folder_add(f, c, i, false, err);
	return rc;
}

/* All values are resolved before one is written. */
static int
folder_write(struct change *c, const struct environments *e, const struct options *o,
    const struct key_list *keys, struct error *err)
{
	struct folder f = { .path = o->text[FLAG_DIR] };
	int rc = folder_fill(&f, c, keys, err);

	for (size_t i = 0; rc == 0 && i < f.count; i++)
		rc = check_output(e, f.files[i], err);
	if (rc == 0 && f.count == 0)
		report_note("%s: no value refers to a secret that could be resolved",
		    c->config->path);
	if (rc == 0) {
		scan_say_doubts(e);
		rc = change_write_outputs(c, (const char *const *)f.files, f.values, f.count, err);
	}
	folder_release(&f);
	return rc;
}

static int
render_check_usage(const struct options *o, struct error *err)
{
	const char *prefix = o->text[FLAG_PREFIX];
	bool good = prefix == NULL || prefix[0] < '0' || prefix[0] > '9';

	if (o->text[FLAG_DIR] != NULL && (o->text[FLAG_OUTPUT_FILE] != NULL ||
	    o->text[FLAG_FORMAT] != NULL || prefix != NULL)) {
		error_set(err, ERROR_USAGE, "--dir is for no --output-file, --format or --prefix");
		return error_hint(err, "each file holds one value, as it is");
	}
	if (prefix == NULL)
		return 0;
	for (const char *p = prefix; *p != '\0' && good; p++)
		good = ascii_is_alnum(*p) || *p == '_';
	if (!good) {
		error_set(err, ERROR_USAGE, "bad value for --prefix");
		return error_hint(err, "letters, digits and _, such as KAFKA_ or CONNECT_");
	}
	if (form_of(o) == RENDER_ENV)
		return 0;
	error_set(err, ERROR_USAGE, "--prefix is for the names of variables");
	return error_hint(err, "add --format env");
}

static int
render_run(struct change *c, const struct options *o, const struct key_list *keys,
    struct registry_resolver *registry, struct buf *text, struct error *err)
{
	struct environments *e = NULL;
	struct scan_resolver ours;
	int rc = -1;

	if (render_check_usage(o, err) != 0 || change_open_files(c, o, NULL, false, err) != 0 ||
	    (e = scan_files(o, &c->config, 1, err)) == NULL ||
	    (c->plan = plan_new(NULL, err)) == NULL)
		goto out;
	/* A file without references can be had without a key. */
	scan_resolver_init(&ours, o, e, c->config->path, registry_resolver(registry));
	plan_set_resolver(c->plan, &ours.face);
	if (o->text[FLAG_DIR] != NULL) {
		rc = folder_write(c, e, o, keys, err);
		goto out;
	}
	if (render(c, o, keys, text, err) != 0)
		goto out;
	scan_say_doubts(e);
	rc = write_out(c, e, o, text, err);
out:
	environments_free(e);
	return rc;
}

int
commands_render(const struct options *o)
{
	struct registry_resolver *registry = NULL;
	struct change c = { 0 };
	struct error err;
	struct key_list keys;
	struct buf text;
	int rc;

	buf_init_secret(&text, BUF_MAX_FILE);
	rc = registry_resolver_open(o, &registry, &err);
	if (key_list_read(o, true, &keys, rc == 0 ? &err : NULL) != 0)
		rc = -1;
	if (rc == 0)
		rc = render_run(&c, o, &keys, registry, &text, &err);
	key_list_release(&keys);
	buf_release(&text);
	rc = change_status(&c, rc, &err);
	registry_resolver_close(registry);
	return rc;
}

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "common/options.h"
#include "common/output.h"
#include "file/replace_file.h"
#include "cli/cli.h"
#include "cli/registry/remote.h"
#include "cli/registry/secrets_of.h"
#include "common/report.h"

#define LOCK_MS 10000

static void
append_text(struct buf *out, const char *before, const char *text, size_t n)
{
	buf_append_str(out, before);
	text_append_json(out, text, n);
}

/* A line of an export. */
static int
add_line(void *cookie, const struct secret_read *s, struct error *err)
{
	struct buf *out = cookie;
	char version[32];

	snprintf(version, sizeof(version), "%lld", s->version);
	append_text(out, "{\"path\":", s->path, strlen(s->path));
	append_text(out, ",\"key\":", s->key, strlen(s->key));
	buf_append_str(out, ",\"version\":");
	buf_append_str(out, version);
	append_text(out, ",\"secret\":", s->value, s->value_len);
	buf_append_str(out, "}\n");
	return buf_check(out, err);
}

static void
warn_of_denied(size_t n)
{
	if (n > 0)
		report_warning("log in as somebody who may read them",
		    "%zu keys are left out: their values may not be read", n);
}

int
commands_registry_export(const struct options *o)
{
	const char *file = o->text[FLAG_OUTPUT_FILE];
	struct remote r;
	struct error err;
	struct buf out;
	size_t denied = 0;
	int rc = remote_open(&r, o, &err);

	buf_init_secret(&out, BUF_MAX_FILE);
	if (rc == 0)
		rc = secrets_of_registry(&r, add_line, &out, &denied, &err);
	if (rc == 0)
		rc = output_is_stdout(file) ? output_write(&out, &err) :
		    replace_file_new(file, LOCK_MS, &out, &err);
	if (rc == 0)
		warn_of_denied(denied);
	if (rc == 0)
		report_warning("keep it like the secrets themselves, and remove it when it has "
		    "done its work", "the export holds every value in clear text");
	buf_release(&out);
	return remote_status(&r, rc, &err);
}

struct import {
	struct remote *to;
	unsigned long count;
};

/*
 * One version.  Its number there is a part of the Idempotency-Key, so that an
 * import that was interrupted can be run again and adds only what is missing.
 */
static int
put_one(void *cookie, const struct secret_read *s, struct error *err)
{
	struct import *im = cookie;
	char once[64];
	const char *headers[] = { "Idempotency-Key", once, NULL };

	snprintf(once, sizeof(once), "import-%lld", s->version);
	remote_target(im->to, "secret", "paths", s->path, "keys", s->key, "versions",
	    (const char *)NULL);
	append_text(&im->to->body, "{\"secret\":", s->value, s->value_len);
	buf_append_char(&im->to->body, '}');
	if (remote_call(im->to, "POST", headers, err) != 0) {
		error_key(err, s->key, strlen(s->key));
		if (im->to->got.status == 422)
			error_hint(err, "%s: if another import brought another value as its "
			    "version %lld, put this one by hand", s->path, s->version);
		return -1;
	}
	im->count++;
	return 0;
}

int
commands_registry_import(const struct options *o)
{
	const char *from = o->text[FLAG_FROM];
	struct import im = { 0 };
	size_t denied = 0;
	struct remote to, source;
	struct error err;
	int rc = remote_open(&to, o, &err);

	im.to = &to;
	if (rc == 0 && strncmp(from, "http://", 7) != 0 && strncmp(from, "https://", 8) != 0) {
		rc = secrets_of_file(from, put_one, &im, &err);
	} else if (rc == 0) {
		rc = remote_open_source(&source, o, from, &err);
		if (rc == 0)
			rc = secrets_of_registry(&source, put_one, &im, &denied, &err);
		remote_close(&source);
		warn_of_denied(denied);
	}
	if (im.count > 0 || rc == 0)
		report_note("%lu versions are imported, now or by an earlier run%s", im.count,
		    rc == 0 ? "" : "; run it again to go on");
	return remote_status(&to, rc, &err);
}

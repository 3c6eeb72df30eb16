#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/text.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "file/file.h"
#include "registry/audit/audit.h"
#include "registry/database/database.h"
#include "registry/keys/keyring.h"
#include "registry/service/service.h"

#define KEYRING_MAX (1U << 20)
#define MASTER_MAX 65536U
#define OUT_MAX ((size_t)1 << 20)
#define OUT_FLUSH ((size_t)64 << 10)

/* The lines that were found, on their way out. */
struct finds {
	bool json;
	struct buf out;
	struct error *err;
};

int
audit_command_path(const struct options *o, const char *name, char out[PATH_MAX], struct error *err)
{
	if ((size_t)snprintf(out, PATH_MAX, "%s/%s", o->text[FLAG_DATA], name) < PATH_MAX)
		return 0;
	return error_set(err, ERROR_LIMIT, "the folder's name is too long");
}

int
audit_command_file(const struct options *o, char out[PATH_MAX], struct error *err)
{
	if (o->text[FLAG_FILE_NAME] == NULL)
		return audit_command_path(o, "audit.log", out, err);
	if ((size_t)snprintf(out, PATH_MAX, "%s", o->text[FLAG_FILE_NAME]) < PATH_MAX)
		return 0;
	return error_set(err, ERROR_LIMIT, "the file's name is too long");
}

struct master *
audit_command_master(const struct options *o, struct error *err)
{
	const char *file = o->text[FLAG_MASTER_KEY_FILE], *where;
	struct master *m = NULL;
	struct buf text;

	if (file != NULL || registry_master_given() || !askpass_available())
		return registry_master_find(file, true, &where, err);
	buf_init_secret(&text, MASTER_MAX);
	if (askpass_line("Master key or passphrase of the registry: ", &text, err) == 0)
		m = master_from_text(&text, true, err);
	buf_release(&text);
	return m;
}

/* The keys as a running registry left them beside its store. */
static struct keyring *
open_keyring(const struct options *o, struct error *err)
{
	struct master *m = NULL;
	struct keyring *ring = NULL;
	char path[PATH_MAX];
	struct buf text;
	bool used_old;

	buf_init(&text, KEYRING_MAX);
	if (audit_command_path(o, "keyring.json", path, err) != 0)
		return NULL;
	if (file_read(path, &text, NULL, err) != 0) {
		if (err->code == ERROR_MISSING)
			error_hint(err, "`propseal registry serve` makes it when it starts");
	} else if ((m = audit_command_master(o, err)) != NULL) {
		if (text.len > 0 && text.data[text.len - 1] == '\n')
			buf_truncate(&text, text.len - 1);
		ring = keyring_open((const char *)text.data, text.len, m, NULL, 0, &used_old, err);
	}
	master_free(m);
	buf_release(&text);
	return ring;
}

static int
report_whole(const struct options *o, const char *file, uint64_t lines, struct error *err)
{
	struct json_out json;
	struct buf out;
	int rc;

	buf_init(&out, OUT_MAX);
	if (options_format(o) == OUTPUT_JSON) {
		json_out_init(&json, &out);
		json_out_object(&json, NULL);
		json_out_text(&json, "file", file);
		json_out_uint(&json, "lines", lines);
		json_out_bool(&json, "whole", true);
		json_out_end(&json);
		(void)json_out_finish(&json, NULL);
	} else {
		text_append_visible(&out, file, strlen(file));
		buf_printf(&out, ": the chain of %llu lines is whole\n", (unsigned long long)lines);
	}
	rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

/* What the database has of the log.  A registry that is served has it to itself, and
 * checks it when it is asked to (/secret/admin/audit/verify). */
static int
verify_database(const struct options *o, const struct key *k, struct error *err)
{
	struct error failed = { 0 };
	struct database *db;
	char path[PATH_MAX];
	uint64_t lines;
	int rc;

	if (audit_command_path(o, "registry.db", path, err) == -1)
		return -1;
	if (database_look(path, NULL) != DATABASE_VERSION)
		return 0;
	if ((db = database_open(path, &failed)) == NULL) {
		if (failed.code == ERROR_BUSY)
			return 0;
		*err = failed;
		return -1;
	}
	rc = audit_verify_table(db, k, &lines, err);
	database_close(db);
	return rc;
}

int
audit_command_verify(const struct options *o, struct error *err)
{
	struct keyring *ring = NULL;
	char file[PATH_MAX];
	uint64_t lines = 0;
	int rc = -1;

	if (audit_command_file(o, file, err) == 0 && (ring = open_keyring(o, err)) != NULL &&
	    verify_database(o, keyring_audit_key(ring), err) == 0 &&
	    (rc = audit_verify(file, keyring_audit_key(ring), &lines, err)) == 0)
		rc = report_whole(o, file, lines, err);
	keyring_free(ring);
	return rc;
}

static int
flush(struct finds *f)
{
	int rc = output_write(&f->out, f->err);

	buf_clear(&f->out);
	return rc;
}

static void
audit_command_append(struct buf *out, const char *text, size_t n)
{
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_append_char(out, ' ');
	if (text == NULL || n == 0)
		buf_append_char(out, '-');
	else
		text_append_visible(out, text, n);
}

static void
append_string(struct buf *out, const char *text)
{
	audit_command_append(out, text, text != NULL ? strlen(text) : 0);
}

/* TIME PRINCIPAL METHOD PATH KEY VERSION PHASE WHAT CLIENT REQUEST */
static void
append_record(struct buf *out, const struct audit_record *r)
{
	char number[32] = "";

	append_string(out, r->time);
	append_string(out, r->principal);
	append_string(out, r->method);
	audit_command_append(out, r->path, r->path_len);
	audit_command_append(out, r->key, r->key_len);
	if (r->version > 0)
		snprintf(number, sizeof(number), "%lld", r->version);
	append_string(out, number);
	append_string(out, r->phase);
	number[0] = '\0';
	if (r->status != 0)
		snprintf(number, sizeof(number), "%lld", r->status);
	else if (r->has_granted)
		snprintf(number, sizeof(number), "%s", r->granted ? "granted" : "denied");
	append_string(out, number);
	append_string(out, r->client);
	append_string(out, r->request_id);
	buf_append_char(out, '\n');
}

static int
found(void *cookie, const char *text, size_t n)
{
	struct finds *f = cookie;
	struct audit_record r;

	if (f->json) {
		buf_append(&f->out, text, n);
		buf_append_char(&f->out, '\n');
	} else {
		if (audit_record_read(text, n, &r))
			append_record(&f->out, &r);
		audit_record_release(&r);
	}
	return f->out.len < OUT_FLUSH ? 0 : flush(f);
}

int
audit_command_search(const struct options *o, struct error *err)
{
	const struct audit_filter filter = {
		.principal = o->text[FLAG_PRINCIPAL],
		.path = o->text[FLAG_PATH_NAME],
		.key = o->text[FLAG_KEY_NAME],
		.method = o->text[FLAG_METHOD],
		.since = o->text[FLAG_SINCE],
		.until = o->text[FLAG_UNTIL],
		.denied = o->on[FLAG_DENIED],
	};
	struct finds f = { .json = options_format(o) == OUTPUT_JSON, .err = err };
	char file[PATH_MAX];
	int rc = -1;

	buf_init(&f.out, OUT_MAX);
	if (audit_command_file(o, file, err) == 0 &&
	    (rc = audit_search(file, &filter, found, &f, err)) == 0)
		rc = flush(&f);
	buf_release(&f.out);
	return rc;
}

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/scan.h"
#include "common/args.h"
#include "common/report.h"
#include "crypto/key.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"

/*
 * `propseal key sheet`: a page to print for each secrets file, for the day on
 * which its key is lost, and the proof that the passphrase or key at hand opens
 * all of it.
 */

#define SHEET_MAX ((size_t)64 << 20)
#define EXIT_NOT_OPEN 4
#define GROUP 4			/* characters of a key that are read at a time */
#define LINE_TO_WRITE "____________________________________________________________"

struct sheet {
	const struct options *o;
	const struct buf *passphrase;	/* NULL: the keys that are at hand */
	bool json;
	struct json_out writer;
	struct buf out;			/* secret: with --reveal a key is in it */
	size_t sealed, opened;		/* of all files */
	size_t files, closed;		/* closed: not a single entry could be tried */
};

/* Open the file by the passphrase, or by what scan_open finds. */
static int
sheet_unlock(const struct sheet *s, struct environments *all, struct environment *x,
    struct error *err)
{
	struct key *master = NULL;
	size_t opened;
	int rc = -1;

	if (s->passphrase != NULL) {
		if (secrets_file_check_passphrase(x->secrets, s->passphrase->data,
		    s->passphrase->len, NULL, &master, err) == 0)
			rc = environment_unlock(x, master, err);
		key_free(master);
		return rc;
	}
	if (environments_only(all) == x)
		return scan_open(s->o, all, x, err);
	if (scan_unlock(s->o, all, &opened, err) != 0)
		return -1;
	if (x->master != NULL)
		return 0;
	error_set(err, ERROR_KEY, "none of the keys at hand opens it");
	error_place(err, x->path, 0);
	return error_hint(err, "give its passphrase by --passphrase, or its master key by "
	    "--master-key-file; where both are lost, `propseal recover plan`");
}

static void
sheet_append_key(struct buf *out, const struct key *k)
{
	struct buf text;

	buf_init_secret(&text, 256);
	key_append_base64(k, &text);
	for (size_t i = 0; i < text.len; i += GROUP) {
		buf_append_str(out, i > 0 ? " " : "");
		buf_append(out, text.data + i, text.len - i < GROUP ? text.len - i : GROUP);
	}
	buf_release(&text);
}

/* A line: what it is, and the text as it may be shown. */
static void
sheet_line(struct buf *out, const char *what, const char *text)
{
	size_t start = out->len;

	buf_append_str(out, what);
	report_pad(out, start, 16);
	text_append_visible(out, text, strlen(text));
	buf_append_char(out, '\n');
}

static void
sheet_append(struct sheet *s, const struct environment *x, size_t sealed, size_t opened)
{
	const struct secrets_metadata *m = secrets_file_metadata(x->secrets);
	char date[TIME_TEXT], host[256], text[512];
	struct buf *out = &s->out;

	time_text(time_now(), TIME_SPACED, date);
	if (gethostname(host, sizeof(host)) != 0)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	if (s->files > 1)
		buf_append_str(out, "\f");
	buf_append_str(out, "RECOVERY SHEET of a propseal secrets file\n\n");
	sheet_line(out, "Secrets file", x->path);
	sheet_line(out, "Environment", x->name);
	sheet_line(out, "Host", host);
	for (size_t i = 0; i < secrets_file_remote_count(x->secrets); i++)
		sheet_line(out, "Remote path", secrets_file_remote(x->secrets, i));
	snprintf(text, sizeof(text), "%s UTC", date);
	sheet_line(out, "Made", text);
	snprintf(text, sizeof(text), "opens %zu of %zu, by the %s", opened, sealed,
	    s->passphrase != NULL ? "passphrase" : "master key");
	sheet_line(out, "Drill", text);
	sheet_line(out, "Key's number", x->fingerprint);
	if (m->salt != NULL) {
		sheet_line(out, "Salt", m->salt);
		snprintf(text, sizeof(text), "PBKDF2-HMAC-SHA512, %zu iterations, %zu bytes",
		    (size_t)m->iterations, (size_t)m->length);
		sheet_line(out, "Derivation", text);
	}
	buf_append_str(out, "\nPassphrase      " LINE_TO_WRITE "\n\nMaster key      ");
	if (s->o->on[FLAG_REVEAL])
		sheet_append_key(out, x->master);
	else
		buf_append_str(out, LINE_TO_WRITE);
	buf_append_str(out, "\n\nChecked by      ____________________________  on  "
	    "____________________________\n\n"
	    "Write the passphrase or the master key on the line by hand, and keep the sheet\n"
	    "where a safe is.  Who has it and the secrets file can read every secret.\n"
	    "To open the file with it:\n"
	    "  propseal key sheet --local-secrets-file FILE --passphrase -   (the drill)\n"
	    "  propseal file rotate --master-key --local-secrets-file FILE   (a new key)\n"
	    "With neither: propseal recover plan --local-secrets-file FILE\n");
}

static void
sheet_json(struct sheet *s, const struct environment *x, size_t sealed, size_t opened,
    const struct error *why)
{
	const struct secrets_metadata *m = x->secrets != NULL ?
	    secrets_file_metadata(x->secrets) : NULL;
	struct json_out *o = &s->writer;

	json_out_object(o, NULL);
	json_out_text(o, "file", x->path);
	json_out_text(o, "environment", x->name);
	json_out_text(o, "fingerprint", x->fingerprint[0] != '\0' ? x->fingerprint : NULL);
	json_out_text(o, "salt", m != NULL ? m->salt : NULL);
	json_out_uint(o, "iterations", m != NULL ? m->iterations : 0);
	json_out_text(o, "by", s->passphrase != NULL ? "passphrase" : "master-key");
	json_out_uint(o, "sealed", sealed);
	json_out_uint(o, "opened", opened);
	json_out_text(o, "error", why != NULL ? why->text : NULL);
	json_out_end(o);
}

static void
sheet_of(struct sheet *s, struct environments *all, struct environment *x)
{
	size_t sealed = 0, opened = 0;
	struct error err;
	int rc = 0;

	s->files++;
	if (x->secrets == NULL) {
		err = *x->problem;
		rc = -1;
	} else if ((rc = sheet_unlock(s, all, x, &err)) == 0) {
		scan_drill(x, &sealed, &opened);
	} else {
		sealed = secrets_file_sealed_count(x->secrets);
	}
	s->sealed += sealed;
	s->opened += opened;
	s->closed += rc != 0;
	if (rc != 0) {
		if (err.file[0] == '\0')
			error_place(&err, x->path, 0);
		report_error(&err);
	}
	if (s->json)
		sheet_json(s, x, sealed, opened, rc != 0 ? &err : NULL);
	else if (rc == 0)
		sheet_append(s, x, sealed, opened);
}

static int
sheet_all(struct sheet *s, struct environments *all, struct error *err)
{
	struct environment *only = environments_only(all);
	char text[128];

	if (scan_check(s->o, all, err) != 0)
		return -1;
	if (s->json) {
		json_out_init(&s->writer, &s->out);
		json_out_object(&s->writer, NULL);
		json_out_text(&s->writer, "schema", "propseal.key-sheet/1");
		json_out_rows(&s->writer, "files");
	}
	for (size_t i = 0; i < environments_count(all); i++) {
		struct environment *x = environments_at(all, i);

		if (only != NULL ? x == only : x->found && !x->aside)
			sheet_of(s, all, x);
	}
	if (s->files == 0) {
		error_set(err, ERROR_MISSING, "no secrets file is here");
		return error_hint(err, "name one by --local-secrets-file, or the folder");
	}
	if (s->json) {
		json_out_end(&s->writer);
		json_out_uint(&s->writer, "sealed", s->sealed);
		json_out_uint(&s->writer, "opened", s->opened);
		json_out_end(&s->writer);
		return json_out_finish(&s->writer, err);
	}
	snprintf(text, sizeof(text), "%sopens %zu of %zu\n", s->closed < s->files ? "\n" : "",
	    s->opened, s->sealed);
	buf_append_str(&s->out, text);
	return 0;
}

/* Say which paths were not looked at, and may be or hold secrets files.  How many. */
static size_t
sheet_tell_unread(const struct estate *e)
{
	size_t n = 0;

	for (size_t i = 0; i < estate_count(e); i++) {
		const struct error *why = estate_file(e, i)->problem;

		if (why != NULL && (why->code == ERROR_MISSING || why->code == ERROR_IO) && ++n > 0)
			report_error(why);
	}
	return n;
}

int
commands_key_sheet(const struct options *o)
{
	static const char *const here[] = { "." };
	struct sheet s = { .o = o, .json = options_format(o) == OUTPUT_JSON };
	struct estate *e = NULL;
	struct buf passphrase;
	struct error err;
	size_t unread = 0;
	int rc = 0;

	buf_init_secret(&passphrase, SOURCE_PASSPHRASE_MAX);
	buf_init_secret(&s.out, SHEET_MAX);
	if (o->given[FLAG_PASSPHRASE]) {
		s.passphrase = &passphrase;
		rc = source_passphrase(o, FLAG_PASSPHRASE, NULL, false, &passphrase, &err);
	}
	if (rc == 0 && (e = scan_paths(o, o->arg_count > 0 ? o->args : here,
	    o->arg_count > 0 ? o->arg_count : 1, &err)) == NULL)
		rc = -1;
	if (rc == 0 && (o->arg_count > 0 || environments_only(estate_environments(e)) == NULL))
		unread = sheet_tell_unread(e);
	if (rc == 0)
		rc = sheet_all(&s, estate_environments(e), &err);
	if (rc == 0)
		rc = output_write(&s.out, &err);
	estate_free(e);
	buf_release(&s.out);
	buf_release(&passphrase);
	if (rc != 0)
		return report_error(&err);
	return s.opened != s.sealed || s.closed > 0 ? EXIT_NOT_OPEN : unread > 0;
}

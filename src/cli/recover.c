#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "estate/lost_key.h"
#include "file/file.h"
#include "plan/change.h"
#include "secrets/secrets_file.h"

/*
 * `propseal recover`: the master key of a secrets file is lost.  What was
 * sealed cannot be opened any more; what can be done is to say which values
 * that are, to take new ones, and to seal those under a new master key, at the
 * names that the configurations refer to already.
 */

#define TEXT_MAX BUF_MAX_FILE

/* The estate, and the secrets file whose key is lost. */
struct recover {
	const struct options *o;
	struct estate *e;
	struct environment *x;
	size_t unread;		/* files that may use its entries, too: told */
};

static int
recover_begin(struct recover *r, const struct options *o, struct error *err)
{
	static const char *const here[] = { "." };
	struct environments *all;
	size_t opened;

	*r = (struct recover){ .o = o };
	r->e = scan_paths(o, o->arg_count > 0 ? o->args : here, o->arg_count > 0 ?
	    o->arg_count : 1, err);
	if (r->e == NULL)
		return -1;
	all = estate_environments(r->e);
	if (scan_check(o, all, err) != 0)
		return -1;
	if ((r->x = environments_name(all, o->text[FLAG_LOCAL_SECRETS_FILE], true, err)) == NULL)
		return -1;
	if (r->x->secrets == NULL) {
		*err = *r->x->problem;
		return -1;
	}
	r->unread = scan_tell_unread(r->e);
	return scan_unlock(o, all, &opened, err);
}

/* Nothing is lost as long as a key opens the file. */
static bool
recover_opens(const struct recover *r)
{
	return secrets_file_cipher(r->x->secrets) != NULL;
}

static void
put_entry(void *cookie, const struct estate_file *f, const struct estate_entry *x)
{
	struct json_out *o = cookie;

	json_out_object(o, NULL);
	json_out_text(o, "file", f->path);
	json_out_uint(o, "line", x->line);
	json_out_text_n(o, "key", x->key, x->key_len);
	json_out_end(o);
}

static void
recover_json(const struct recover *r, struct buf *out)
{
	bool opens = recover_opens(r), used;
	struct json_out o;
	const char *name;
	size_t at = 0, len;

	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_text(&o, "schema", "propseal.recover/1");
	json_out_text(&o, "file", r->x->path);
	json_out_bool(&o, "opens", opens);
	json_out_rows(&o, "lost");
	while (!opens && (name = lost_next(r->x, &at, &len, &used)) != NULL) {
		json_out_object(&o, NULL);
		json_out_text_n(&o, "name", name, len);
		json_out_bool(&o, "used", used);
		json_out_array(&o, "uses");
		lost_each_use(r->e, r->x, name, len, put_entry, &o);
		json_out_end(&o);
		json_out_array(&o, "clear");
		lost_each_clear(r->e, name, len, put_entry, &o);
		json_out_end(&o);
		json_out_end(&o);
	}
	json_out_end(&o);
	json_out_end(&o);
	(void)json_out_finish(&o, NULL);
}

static void
recover_text(const struct recover *r, struct buf *out)
{
	size_t at = 0, len, count = secrets_file_sealed_count(r->x->secrets);
	const char *name;
	bool used;

	text_append_visible(out, r->x->path, strlen(r->x->path));
	if (recover_opens(r)) {
		buf_append_str(out, ": every value opens: nothing to recover\n");
		return;
	}
	buf_printf(out, ": %zu sealed value%s cannot be opened any more\n", count,
	    count == 1 ? "" : "s");
	while ((name = lost_next(r->x, &at, &len, &used)) != NULL) {
		buf_append_str(out, "  ");
		text_append_visible(out, name, len);
		buf_append_str(out, ": ");
		lost_append_places(r->e, r->x, name, len, out);
		buf_append_char(out, '\n');
	}
}

static int
recover_write_template(const struct recover *r, const char *path, struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, TEXT_MAX);
	lost_append_template(r->e, r->x, &text);
	if ((rc = buf_check(&text, err)) == 0)
		rc = output_is_stream(path) ? output_write_stream(path, &text, err) :
		    change_write_told(r->o, options_lock_timeout(r->o), path, true, &text, err);
	if (rc == 0 && !output_is_stream(path))
		report_change("new %s", path);
	buf_release(&text);
	return rc;
}

int
commands_recover_plan(const struct options *o)
{
	const char *template = o->text[FLAG_OUTPUT_FILE];
	struct recover r;
	struct error err;
	struct buf out;
	int rc;

	buf_init(&out, TEXT_MAX);
	if ((rc = recover_begin(&r, o, &err)) == 0) {
		if (options_format(o) == OUTPUT_JSON)
			recover_json(&r, &out);
		else
			recover_text(&r, &out);
		if (template != NULL && !recover_opens(&r))
			rc = recover_write_template(&r, template, &err);
		if (rc == 0 && (template == NULL || strcmp(template, "-") != 0))
			rc = output_write(&out, &err);
	}
	estate_free(r.e);
	buf_release(&out);
	return rc == 0 ? r.unread > 0 : report_error(&err);
}

/* --- the new values --- */

/* Every entry that is in use has a line, unless some may be left out. */
static int
check_values(const struct recover *r, const struct document *values, struct error *err)
{
	size_t missing;

	if (lost_check(r->x, values, &missing, err) != 0)
		return -1;
	if (missing == 0 || r->o->on[FLAG_PARTIAL])
		return 0;
	return error_hint(err, "%zu of those that are in use have none: give them, or leave them "
	    "out by --partial, which leaves their references dangling", missing);
}

static int
recover_change(struct change *c, const struct recover *r, const struct document *values,
    struct buf *passphrase, struct error *err)
{
	struct key *master = NULL;
	char *kept = NULL;
	int rc = -1;

	change_from_flags(c, r->o);
	c->environment = r->x->name;
	if (source_passphrase(r->o, FLAG_PASSPHRASE, "Passphrase of the new master key: ", true,
	    passphrase, err) != 0 ||
	    change_files(c, NULL, r->x->path, false, err) != 0 || change_start(c, err) != 0)
		return -1;
	/* What nothing opened when it was looked at may have been recovered since. */
	if (!file_id_equal(secrets_file_id(c->secrets), secrets_file_id(r->x->secrets))) {
		error_set(err, ERROR_STALE, "it was changed while this began, perhaps by another "
		    "`propseal recover`");
		error_place(err, r->x->path, 0);
		return error_hint(err, "`propseal recover plan` says what is lost now");
	}
	if (lost_plan(c, values, passphrase->data, passphrase->len, &kept, &master, err) == 0)
		rc = file_finish_with_key(c, master, err);
	free(kept);
	key_free(master);
	return rc;
}

int
commands_recover_apply(const struct options *o)
{
	struct document *values = NULL;
	struct buf text, passphrase;
	struct change c = { 0 };
	struct recover r;
	struct error err;
	int rc;

	buf_init_secret(&text, TEXT_MAX);
	buf_init_secret(&passphrase, SOURCE_PASSPHRASE_MAX);
	if ((rc = recover_begin(&r, o, &err)) == 0 && recover_opens(&r)) {
		error_set(&err, ERROR_REFUSED, "every value opens: nothing to recover");
		error_place(&err, r.x->path, 0);
		rc = error_hint(&err, "`propseal file rotate --master-key` makes a new master key");
	}
	if (rc == 0 && (rc = source_read(o, FLAG_CONFIG_TEXT, &text, &err)) == 0 &&
	    (values = document_parse(&text, DOCUMENT_ENTRIES, "--config", &err)) == NULL)
		rc = -1;
	if (rc == 0 && (rc = check_values(&r, values, &err)) == 0)
		rc = recover_change(&c, &r, values, &passphrase, &err);
	buf_release(&passphrase);
	buf_release(&text);
	rc = c.callbacks != NULL ? change_status(&c, rc, &err) : rc == 0 ? 0 : report_error(&err);
	document_free(values);
	estate_free(r.e);
	return rc == 0 ? r.unread > 0 : rc;
}

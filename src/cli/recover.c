#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/properties.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/replace.h"
#include "plan/plan.h"
#include "seal/keying.h"
#include "seal/seal.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/* Seal the new value of entry ${i}, from ${values}, or remove it. */
static int
lost_replace(struct plan *p, size_t i, const struct document *values, struct buf *text,
    struct error *err)
{
	const struct secrets_file *s = plan_secrets(p);
	const struct document *d = secrets_file_document(s);
	struct buf *plain = plan_scratch(p);
	size_t len, v, count;
	const char *name = document_key(d, i, &len);

	v = document_find(values, name, len);
	if (v != DOCUMENT_NONE && document_value(values, v, plain, err) != 0)
		return -1;
	if (v == DOCUMENT_NONE || plain->len == 0) {
		plan_note_key(p, secrets_file_path(s), document_line(d, i), name, len,
		    "has no new value, and goes");
		return plan_remove_sealed(p, name, len, &count, err);
	}
	if (seal_check_value(document_file(values), values, v, plain, err) != 0)
		return -1;
	buf_clear(text);
	if (sealed_seal(plan_cipher(p), SEALED_GCM, plain->data, plain->len, text, err) != 0)
		return -1;
	return plan_put_sealed(p, name, len, text->data, text->len, err);
}

/**
 * rotate_lost(p, passphrase, n, values, master, err):
 * The master key is lost: plan a new one as rotate_generate, whatever is in
 * the file, and the entries of ${values} (names of sealed entries, and their new
 * values) sealed under it.  Sealed entries without a value there, or an empty
 * one, are removed, with a note.  ERROR_REFUSED: a value cannot be sealed.
 */
static int
rotate_lost(struct plan *p, const void *passphrase, size_t n, const struct document *values,
    struct key **master, struct error *err)
{
	const struct document *d = secrets_file_document(plan_secrets(p));
	struct buf text;
	int rc = keying_new_master(p, passphrase, n, master, err);

	buf_init(&text, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++)
		if (secrets_file_is_sealed(plan_secrets(p), i))
			rc = lost_replace(p, i, values, &text, err);
	buf_release(&text);
	return rc;
}

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
	return scan_unlock(o, all, &opened, err);
}

/* Nothing is lost as long as a key opens the file. */
static bool
recover_opens(const struct recover *r)
{
	return secrets_file_cipher(r->x->secrets) != NULL;
}

static bool
entry_is_of(const struct estate_entry *x, const struct recover *r, const char *name, size_t len)
{
	return x->name != NULL && !x->shadowed && x->environment == r->x && x->name_len == len &&
	    memcmp(x->name, name, len) == 0;
}

typedef void recover_entry_fn(void *cookie, const struct estate_file *f,
    const struct estate_entry *x);

/* Calls ${fn} for each entry that refers to ${name}. */
static void
each_use(const struct recover *r, const char *name, size_t len, recover_entry_fn *fn, void *cookie)
{
	for (size_t i = 0; i < estate_count(r->e); i++) {
		const struct estate_file *f = estate_file(r->e, i);

		for (size_t k = 0; k < f->count; k++)
			if (entry_is_of(&f->entries[k], r, name, len))
				fn(cookie, f, &f->entries[k]);
	}
}

/* Calls ${fn} for each entry that has in clear text what ${name} may have had: the value of
 * the same key in another file.  A sealed entry is called after its file and its key. */
static void
each_clear(const struct recover *r, const char *name, size_t len, recover_entry_fn *fn,
    void *cookie)
{
	const char *slash = memchr(name, '/', len);
	size_t n = slash != NULL ? len - (size_t)(slash + 1 - name) : 0;

	for (size_t i = 0; n > 0 && i < estate_count(r->e); i++) {
		const struct estate_file *f = estate_file(r->e, i);

		for (size_t k = 0; k < f->count; k++) {
			const struct estate_entry *x = &f->entries[k];

			if (x->clear && !x->shadowed && x->key_len == n &&
			    memcmp(x->key, slash + 1, n) == 0)
				fn(cookie, f, x);
		}
	}
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

struct places {
	struct buf *out;
	const char *before;
	size_t count;
};

static void
append_place(void *cookie, const struct estate_file *f, const struct estate_entry *x)
{
	struct places *p = cookie;

	buf_append_str(p->out, p->count++ == 0 ? p->before : ", ");
	text_append_visible(p->out, f->path, strlen(f->path));
	buf_printf(p->out, ":%zu", x->line);
}

/* `, used by FILE:LINE, clear in FILE:LINE`. */
static void
append_places(const struct recover *r, const char *name, size_t len, struct buf *out)
{
	struct places p = { out, "used by ", 0 };

	each_use(r, name, len, append_place, &p);
	if (p.count == 0)
		buf_append_str(out, "nothing refers to it");
	p = (struct places){ out, "; the key is in clear text in ", 0 };
	each_clear(r, name, len, append_place, &p);
}

/* Each sealed entry's name and whether something refers to it, in order; NULL at the end. */
static const char *
lost_next(const struct recover *r, size_t *at, size_t *len, bool *used)
{
	const struct document *d = secrets_file_document(r->x->secrets);
	const char *name;

	while (*at < document_count(d)) {
		size_t i = (*at)++;

		if (!secrets_file_is_sealed(r->x->secrets, i))
			continue;
		name = document_key(d, i, len);
		*used = environment_references(r->x, name, *len) > 0;
		return name;
	}
	return NULL;
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
	while (!opens && (name = lost_next(r, &at, &len, &used)) != NULL) {
		json_out_object(&o, NULL);
		json_out_text_n(&o, "name", name, len);
		json_out_bool(&o, "used", used);
		json_out_array(&o, "uses");
		each_use(r, name, len, put_entry, &o);
		json_out_end(&o);
		json_out_array(&o, "clear");
		each_clear(r, name, len, put_entry, &o);
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
	while ((name = lost_next(r, &at, &len, &used)) != NULL) {
		buf_append_str(out, "  ");
		text_append_visible(out, name, len);
		buf_append_str(out, ": ");
		append_places(r, name, len, out);
		buf_append_char(out, '\n');
	}
}

/* The lines to fill in. */
static void
append_template(const struct recover *r, struct buf *out)
{
	const char *name;
	size_t at = 0, len;
	bool used;

	buf_append_str(out, "# New values for what is lost in ");
	text_append_visible(out, r->x->path, strlen(r->x->path));
	buf_append_str(out, ".\n# Change each where it is made (the database, the keystore), "
	    "then write it behind its `=`.\n# A backslash is written twice.  Then:\n"
	    "#   propseal recover apply --local-secrets-file FILE --config @THIS\n"
	    "# and remove this file: it has the values in clear text.\n");
	while ((name = lost_next(r, &at, &len, &used)) != NULL) {
		buf_append_str(out, "\n# ");
		append_places(r, name, len, out);
		buf_append_str(out, used ? "\n" : "\n#");
		properties_append_key(out, name, len);
		buf_append_str(out, "=\n");
	}
}

static int
recover_write_template(const struct recover *r, const char *path, struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, TEXT_MAX);
	append_template(r, &text);
	if ((rc = buf_check(&text, err)) == 0)
		rc = output_is_stream(path) ? output_write_stream(path, &text, err) :
		    replace_file_new(path, options_lock_timeout(r->o), &text, err);
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
	return rc == 0 ? 0 : report_error(&err);
}

/* --- the new values --- */

/* Every line of ${values} is a sealed entry of the file, and every entry that is in use has
 * a line, unless some may be left out. */
static int
check_values(const struct recover *r, const struct document *values, struct error *err)
{
	const char *name;
	size_t at = 0, len, n, missing = 0, i;
	bool used;

	if (document_problem(values, err) != 0)
		return -1;
	for (i = 0; i < document_count(values); i++) {
		name = document_key(values, i, &len);
		if (secrets_file_find(r->x->secrets, name, len) != DOCUMENT_NONE)
			continue;
		error_set(err, ERROR_MISSING, "the secrets file has no such sealed entry");
		error_place(err, document_file(values), document_line(values, i));
		error_key(err, name, len);
		return error_hint(err, "`propseal recover plan` lists them; new ones are for "
		    "`propseal file add`, later");
	}
	while ((name = lost_next(r, &at, &len, &used)) != NULL) {
		i = document_find(values, name, len);
		if (!used || (i != DOCUMENT_NONE && (document_raw_value(values, i, &n), n > 0)))
			continue;
		if (missing++ == 0) {
			error_set(err, ERROR_REFUSED, "no new value is given");
			error_place(err, r->x->path, 0);
			error_key(err, name, len);
		}
	}
	if (missing == 0 || r->o->on[FLAG_PARTIAL])
		return 0;
	return error_hint(err, "%zu of those that are in use have none: give them, or leave them "
	    "out by --partial, which leaves their references dangling", missing);
}

/* The old file as it was: somebody may find the key. */
static int
keep_old(const struct change *c, const char *kept, struct error *err)
{
	return replace_file_new(kept, c->lock_timeout_ms,
	    document_bytes(secrets_file_document(c->secrets)), err);
}

static int
recover_change(struct change *c, const struct recover *r, const struct document *values,
    struct buf *passphrase, struct error *err)
{
	char date[TIME_TEXT], kept[4096];
	struct key *master = NULL;
	int rc = -1;

	change_from_flags(c, r->o);
	c->environment = r->x->name;
	if (source_passphrase(r->o, FLAG_PASSPHRASE, "Passphrase of the new master key: ", true,
	    passphrase, err) != 0 ||
	    change_files(c, NULL, r->x->path, false, err) != 0 || change_start(c, err) != 0)
		return -1;
	time_text(time_now(), TIME_NAME, date);
	if ((size_t)snprintf(kept, sizeof(kept), "%s.lost-%s", r->x->path, date) >= sizeof(kept))
		return error_set(err, ERROR_LIMIT, "the path is too long");
	if (rotate_lost(c->plan, passphrase->data, passphrase->len, values, &master, err) == 0) {
		plan_note(c->plan, "the file as it was %s %s, in case the lost key is found",
		    c->dry ? "will stay as" : "stays as", kept);
		if (c->dry || keep_old(c, kept, err) == 0)
			rc = file_finish_with_key(c, master, err);
	}
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
	return rc;
}

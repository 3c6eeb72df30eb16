#include "estate/lost_key.h"

#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/time.h"
#include "document/document.h"
#include "document/properties.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/change.h"
#include "plan/plan.h"
#include "seal/keying.h"
#include "seal/seal.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

const char *
lost_next(const struct environment *x, size_t *at, size_t *len, bool *used)
{
	const struct document *d = secrets_file_document(x->secrets);
	const char *name;

	while (*at < document_count(d)) {
		size_t i = (*at)++;

		if (!secrets_file_is_sealed(x->secrets, i))
			continue;
		name = document_key(d, i, len);
		*used = environment_use(x, name, *len, NULL, NULL) != USE_NONE;
		return name;
	}
	return NULL;
}

void
lost_each_use(const struct estate *e, const struct environment *x, const char *name, size_t len,
    lost_entry_fn *fn, void *cookie)
{
	for (size_t i = 0; i < estate_count(e); i++) {
		const struct estate_file *f = estate_file(e, i);

		for (size_t k = 0; (k = estate_next_user(f, k, f->count, x, name, len)) < f->count;
		    k++)
			fn(cookie, f, &f->entries[k]);
	}
}

void
lost_each_clear(const struct estate *e, const char *name, size_t len, lost_entry_fn *fn,
    void *cookie)
{
	const char *slash = memchr(name, '/', len);
	size_t n = slash != NULL ? len - (size_t)(slash + 1 - name) : 0;

	for (size_t i = 0; n > 0 && i < estate_count(e); i++) {
		const struct estate_file *f = estate_file(e, i);

		for (size_t k = 0; k < f->count; k++) {
			const struct estate_entry *at = &f->entries[k];

			if (at->clear && !at->shadowed && at->key_len == n &&
			    memcmp(at->key, slash + 1, n) == 0)
				fn(cookie, f, at);
		}
	}
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

void
lost_append_places(const struct estate *e, const struct environment *x, const char *name,
    size_t len, struct buf *out)
{
	struct places p = { out, "used by ", 0 };
	const char *path;
	size_t line;

	lost_each_use(e, x, name, len, append_place, &p);
	if (p.count == 0 && environment_use(x, name, len, &path, &line) == USE_PERHAPS) {
		text_append_visible(out, path, strlen(path));
		buf_printf(out, ":%zu may mean it", line);
	} else if (p.count == 0) {
		buf_append_str(out, "nothing refers to it");
	}
	p = (struct places){ out, "; the key is in clear text in ", 0 };
	lost_each_clear(e, name, len, append_place, &p);
}

void
lost_append_template(const struct estate *e, const struct environment *x, struct buf *out)
{
	const char *name;
	size_t at = 0, len;
	bool used;

	buf_append_str(out, "# New values for what is lost in ");
	text_append_visible(out, x->path, strlen(x->path));
	buf_append_str(out, ".\n# Change each where it is made (the database, the keystore), "
	    "then write it behind its `=`.\n# A backslash is written twice.  Then:\n"
	    "#   propseal recover apply --local-secrets-file FILE --config @THIS\n"
	    "# or, in the interface, E takes it.  And remove this file: it has the values in "
	    "clear text.\n");
	while ((name = lost_next(x, &at, &len, &used)) != NULL) {
		buf_append_str(out, "\n# ");
		lost_append_places(e, x, name, len, out);
		buf_append_str(out, used ? "\n" : "\n#");
		properties_append_key(out, name, len);
		buf_append_str(out, "=\n");
	}
}

int
lost_check(const struct environment *x, const struct document *values, size_t *missing,
    struct error *err)
{
	const char *name;
	size_t at = 0, len, n, i;
	bool used;

	*missing = 0;
	if (document_problem(values, err) != 0)
		return -1;
	for (i = 0; i < document_count(values); i++) {
		name = document_key(values, i, &len);
		if (secrets_file_find(x->secrets, name, len) != DOCUMENT_NONE)
			continue;
		error_set(err, ERROR_MISSING, "the secrets file has no such sealed entry");
		error_place(err, document_file(values), document_line(values, i));
		error_key(err, name, len);
		return error_hint(err, "`propseal recover plan` lists them; new ones are for "
		    "`propseal file add`, later");
	}
	while ((name = lost_next(x, &at, &len, &used)) != NULL) {
		i = document_find(values, name, len);
		if (!used || (i != DOCUMENT_NONE && (document_raw_value(values, i, &n), n > 0)))
			continue;
		if ((*missing)++ == 0) {
			error_set(err, ERROR_REFUSED, "no new value is given");
			error_place(err, x->path, 0);
			error_key(err, name, len);
		}
	}
	return 0;
}

/* Seal the new value of entry ${i}, from ${values}, or remove it. */
static int
lost_replace(struct plan *p, size_t i, const struct document *values, struct error *err)
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
	return seal_check_value(document_file(values), values, v, plain, err) != 0 ? -1 :
	    plan_seal(p, i, name, len, SEALED_GCM, plain->data, plain->len, err);
}

static int
rotate_lost(struct plan *p, const void *passphrase, size_t n, const struct document *values,
    struct key **master, struct error *err)
{
	const struct document *d = secrets_file_document(plan_secrets(p));
	int rc = keying_new_master(p, passphrase, n, master, err);

	for (size_t i = 0; rc == 0 && i < document_count(d); i++)
		if (secrets_file_is_sealed(plan_secrets(p), i))
			rc = lost_replace(p, i, values, err);
	return rc;
}

/* A name beside the secrets file that nothing has, not even a link that leads nowhere, as the copy
 * would be made where it leads: a second loss in one second gets another. */
static char *
lost_name(const char *path, struct error *err)
{
	char date[TIME_TEXT], number[24] = "", *name;
	struct stat st;

	time_text(time_now(), TIME_NAME, date);
	for (size_t i = 2;; i++) {
		if (asprintf(&name, "%s.lost-%s%s", path, date, number) < 0) {
			error_memory(err);
			return NULL;
		}
		if (lstat(name, &st) != 0) {
			if (errno == ENOENT)
				return name;
			error_io(err, name, "cannot examine");
			free(name);
			return NULL;
		}
		free(name);
		snprintf(number, sizeof(number), "-%zu", i);
	}
}

int
lost_plan(struct change *c, const struct document *values, const void *passphrase, size_t n,
    char **kept, struct key **master, struct error *err)
{
	const struct buf *bytes = document_bytes(secrets_file_document(c->secrets));
	const struct file_id none = { .exists = false };
	struct buf copy;
	int rc;

	*kept = NULL;
	if (rotate_lost(c->plan, passphrase, n, values, master, err) != 0 ||
	    (*kept = lost_name(secrets_file_path(c->secrets), err)) == NULL)
		return -1;
	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, bytes->data, bytes->len);
	if ((rc = buf_check(&copy, err)) == 0)
		rc = plan_add_output(c->plan, *kept, &none, &copy, err);
	buf_release(&copy);
	/* The copy first; it goes again if the secrets file cannot be changed. */
	plan_set_order(c->plan, true);
	plan_note(c->plan, "the file as it was %s %s, in case the lost key is found",
	    c->dry ? "will stay as" : "stays as", *kept);
	return rc;
}

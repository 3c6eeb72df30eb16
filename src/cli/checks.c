#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/checks.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "document/document.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "seal/provider.h"
#include "secrets/inspect.h"
#include "secrets/reference.h"

static const char *const levels[CHECK_LEVELS] = { "ok", "note", "warning", "error" };
/* green, none, yellow, red: as compilers have them */
static const char *const colors[CHECK_LEVELS] = { "\033[32m", "", "\033[33m", "\033[31m" };

void
checks_init(struct checks *f, const char *schema, bool json, enum checks_form form)
{
	memset(f, 0, sizeof(*f));
	f->schema = schema;
	f->json = json;
	f->form = form;
	buf_init(&f->list, BUF_MAX_FILE);
	json_out_init(&f->rows, &f->list);
	if (json)
		json_out_rows(&f->rows, NULL);
}

void
checks_release(struct checks *f)
{
	buf_release(&f->list);
}

static void
checks_add_json(struct checks *f, enum check_level level, const char *kind,
    const struct error *what)
{
	struct json_out *o = &f->rows;

	json_out_object(o, NULL);
	if (f->form == CHECKS_BY_LEVEL) {
		json_out_text(o, "level", levels[level]);
		json_out_text(o, "check", kind);
	} else {
		json_out_text(o, "kind", kind);
	}
	report_json(o, what);
	if (f->form == CHECKS_BY_LEVEL)
		json_out_text(o, "hint", what->hint[0] != '\0' ? what->hint : NULL);
	json_out_end(o);
}

static void
checks_add_line(struct checks *f, enum check_level level, const char *kind,
    const struct error *what)
{
	struct buf *out = &f->list;

	report_append_place(out, what);
	if (report_has_color())
		buf_append_str(out, colors[level]);
	buf_append_str(out, f->form == CHECKS_BY_LEVEL ? levels[level] : kind);
	buf_append_str(out, report_has_color() ? "\033[m: " : ": ");
	report_append_text(out, what);
	/* Ten findings of a kind in a row are told once what to do. */
	if (f->form != CHECKS_PLAIN && what->hint[0] != '\0' &&
	    strcmp(what->hint, f->hint) != 0) {
		buf_append_str(out, "  hint: ");
		text_append_visible(out, what->hint, strlen(what->hint));
		buf_append_char(out, '\n');
	}
	memcpy(f->hint, what->hint, sizeof(f->hint));
}

void
checks_add(struct checks *f, enum check_level level, const char *kind,
    const struct error *what)
{
	f->counts[level]++;
	f->told++;
	if (f->json)
		checks_add_json(f, level, kind, what);
	else
		checks_add_line(f, level, kind, what);
}

void
checks_say(struct checks *f, enum check_level level, const char *kind, const char *file,
    size_t line, const char *hint, const char *fmt, ...)
{
	struct error what;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_set(&what, ERROR_NONE, "%s", text);
	if (file != NULL)
		error_place(&what, file, line);
	if (hint != NULL)
		error_hint(&what, "%s", hint);
	checks_add(f, level, kind, &what);
}

int
checks_inspect(struct checks *f, const struct rules *r, const struct document *d,
    const struct secrets_file *s, struct error *err)
{
	const struct remark *x;
	enum check_level level;
	struct vec remarks;
	struct error what;
	const char *key;
	size_t len;
	int rc;

	vec_init(&remarks, sizeof(struct remark), SIZE_MAX / sizeof(struct remark));
	rc = inspect_document(r, d, s, &remarks, err);
	for (size_t i = 0; rc == 0 && i < remarks.len; i++) {
		x = vec_at(&remarks, i);
		if (x->level == REMARK_PART)
			continue;
		level = x->level == REMARK_NOTE ? CHECK_REMARK : CHECK_PROBLEM;
		error_set(&what, ERROR_NONE, "%s", x->text);
		error_place(&what, document_file(d), x->line);
		if (x->entry != DOCUMENT_NONE && !x->hides_key) {
			key = document_key(d, x->entry, &len);
			error_key(&what, key, len);
		}
		error_hint(&what, "%s", x->hint);
		checks_add(f, level, x->kind, &what);
	}
	vec_release(&remarks);
	return rc;
}

int
checks_status(const struct checks *f)
{
	return f->counts[CHECK_PROBLEM] > 0 ? 3 : 0;
}

const struct buf *
checks_list(struct checks *f, struct error *err)
{
	if (f->json)
		json_out_end(&f->rows);
	return buf_check(&f->list, err) == 0 ? &f->list : NULL;
}

static void
checks_write_json(struct checks *f, const char *file, const struct checks_count *counts,
    size_t n, int status, struct buf *out)
{
	struct json_out o;
	size_t i;

	json_out_end(&f->rows);
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_text(&o, "schema", f->schema);
	if (file != NULL)
		json_out_text(&o, "file", file);
	for (i = 0; i < n; i++)
		json_out_uint(&o, counts[i].name, counts[i].n);
	json_out_raw_n(&o, "findings", f->list.data, f->list.len);
	json_out_int(&o, "exit", status);
	json_out_end(&o);
	json_out_finish(&o, NULL);
}

int
checks_write(struct checks *f, const char *file, const struct checks_count *counts,
    size_t n, const char *summary, int status, struct error *err)
{
	struct buf out;
	int rc;

	if (buf_check(&f->list, err) != 0)
		return -1;
	buf_init(&out, 2 * BUF_MAX_FILE);
	if (f->json) {
		checks_write_json(f, file, counts, n, status, &out);
	} else {
		buf_append(&out, f->list.data, f->list.len);
		buf_printf(&out, "%s\n", summary);
	}
	rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

/* The workers of the estate are read once. */
static int
providers_look(struct providers *p, struct error *err)
{
	const struct estate_file *f;
	bool may_be;

	for (size_t i = 0; i < estate_count(p->estate); i++) {
		f = estate_file(p->estate, i);
		may_be = strncmp(file_basename(f->path), "connect-", 8) == 0;
		for (size_t k = 0; k < f->count && !may_be; k++)
			may_be = strcmp(f->entries[k].key, "key.converter") == 0 ||
			    strncmp(f->entries[k].key, "offset.storage.", 15) == 0 ||
			    strcmp(f->entries[k].key, "plugin.path") == 0;
		if (may_be && workers_add(&p->workers, f->path, config_scope(p->o->config),
		    err) != 0)
			return -1;
	}
	p->looked = true;
	return 0;
}

void
providers_init(struct providers *p, const struct options *o, const struct estate *e)
{
	memset(p, 0, sizeof(*p));
	p->o = o;
	p->estate = e;
	workers_init(&p->workers);
}

void
providers_release(struct providers *p)
{
	workers_release(&p->workers);
}

int
providers_reader(struct providers *p, const struct configuration *c, const struct document **by,
    struct error *err)
{
	*by = c->doc;
	if (!provider_is_connector(c->doc))
		return 0;
	if (!p->looked && providers_look(p, err) != 0)
		return -1;
	*by = workers_nearest(&p->workers, c->path);
	return 0;
}

int
providers_check(struct providers *p, struct checks *f, const struct configuration *c,
    struct error *err)
{
	const char *class = config_provider_class(p->o->config);
	const struct document *by;
	struct buf value, name;
	struct reference r;
	bool named;
	struct error found;
	const char *key, *what;
	size_t len;
	int rc = 0;

	if (providers_reader(p, c, &by, err) != 0)
		return -1;
	if (by == NULL)
		return 0;
	named = provider_lacks(by, REFERENCE_PROVIDER, strlen(REFERENCE_PROVIDER),
	    class != NULL ? class : REFERENCE_PROVIDER_CLASS) == NULL;
	buf_init_secret(&value, BUF_MAX_FILE);
	buf_init(&name, 4096);
	for (size_t i = 0; rc == 0 && i < document_count(c->doc); i++) {
		if (document_shadowed(c->doc, i) || !reference_may_be_in(c->doc, i))
			continue;
		buf_clear(&value);
		buf_clear(&name);
		key = document_key(c->doc, i, &len);
		rc = document_value(c->doc, i, &value, err);
		/* Most values are one reference of ours, for which it was asked already. */
		if (rc != 0 || (named && reference_parse((const char *)value.data, value.len, &r) &&
		    reference_is_ours(&r)) ||
		    (what = workers_lack(by, c->doc, &value, class, true, &r)) == NULL)
			continue;
		text_append_visible(&name, r.provider, r.provider_len);
		if (by == c->doc)
			error_set(&found, ERROR_NONE, "the service takes the reference for the "
			    "value: %s (%s)", what, buf_cstr(&name));
		else
			error_set(&found, ERROR_NONE, "the worker takes the reference for the "
			    "value: in %s %s (%s)", document_file(by), what, buf_cstr(&name));
		error_place(&found, c->path, document_line(c->doc, i));
		error_key(&found, key, len);
		error_hint(&found, "name %s in config.providers and its class in "
		    "config.providers.%s.class; of several lines of one key the last one counts",
		    buf_cstr(&name), buf_cstr(&name));
		checks_add(f, CHECK_PROBLEM, "provider", &found);
	}
	buf_release(&name);
	buf_release(&value);
	return rc;
}

#include <sys/stat.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "cli/keys.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "secrets/inspect.h"
#include "secrets/key_source.h"
#include "secrets/mask.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/secrets_file.h"

#define STATUS_DIFFERENT 3
#define STEP_MS 1000	/* of a search; nobody looks on */

/* The output of `file diff`: a masked diff a file pair, or JSON. */
struct diff_report {
	const struct rules *rules;	/* which keys are secrets; may be NULL */
	const struct secrets_file *s;	/* may be NULL */
	const struct document *a;	/* the pair at hand */
	const struct document *b;
	struct vec remarks_a;		/* of struct remark: what no key tells */
	struct vec remarks_b;
	bool begun;			/* the pair has something to show already */
	size_t pairs;
	size_t missing;			/* files that one side does not have */
	size_t counts[COMPARE_ONLY_B + 1];
	struct buf value;		/* secret, as the next two */
	struct buf other;
	struct buf out;
	struct json_out writer, *json;	/* the second NULL: for people */
};

/* One side of a pair: its references, each in its own environment. */
struct diff_side {
	struct resolver face;
	struct environments *environments;	/* both sides' */
	const char *path;
};

struct comparison {
	const struct options *o;
	struct secrets_file *s;		/* NULL: not named, and the environments tell */
	struct estate *estate;		/* of two folders, whose environments they are */
	struct environments *environments;	/* of two files */
	bool asked;			/* for the key */
	struct diff_report report;
};

static void
diff_report_init(struct diff_report *r, bool json)
{
	memset(r, 0, sizeof(*r));
	r->json = json ? &r->writer : NULL;
	vec_init(&r->remarks_a, sizeof(struct remark), SIZE_MAX / sizeof(struct remark));
	r->remarks_b = r->remarks_a;
	buf_init_secret(&r->value, BUF_MAX_FILE);
	buf_init_secret(&r->other, BUF_MAX_FILE);
	/* Values that no rule calls secret may be all the same. */
	buf_init_secret(&r->out, BUF_MAX_FILE);
	json_out_init(&r->writer, &r->out);
	if (json) {
		json_out_object(&r->writer, NULL);
		json_out_text(&r->writer, "schema", "propseal.diff/1");
		json_out_rows(&r->writer, "files");
	}
}

static void
diff_report_release(struct diff_report *r)
{
	vec_release(&r->remarks_b);
	vec_release(&r->remarks_a);
	buf_release(&r->value);
	buf_release(&r->other);
	buf_release(&r->out);
}

/* Does any reference stand in the value? */
static bool
diff_report_refers(const struct buf *value)
{
	struct reference ref;
	size_t start, end;

	return resolve_next((const char *)value->data, value->len, 0, &ref, &start, &end);
}

static bool
diff_report_load(const struct document *d, size_t i, struct buf *value)
{
	buf_clear(value);
	return i != DOCUMENT_NONE && document_value(d, i, value, NULL) == 0;
}

/* Is the entry of one side one of a secret, by its key, its value or a remark?  ${*key}: the
 * key is hidden, too. */
static int
diff_report_hides(struct diff_report *r, const struct document *d, size_t i,
    const struct vec *remarks, bool *secret, bool *key, struct error *err)
{
	const struct remark *hidden;
	struct clear_count found;
	size_t at = 0;

	if (i == DOCUMENT_NONE)
		return 0;
	if (clear_in_entry(r->rules, d, i, &r->value, &found, err) != 0)
		return -1;
	hidden = inspect_hidden(remarks, &at, i);
	*secret = *secret || found.sensitive || hidden != NULL;
	*key = *key || (hidden != NULL && hidden->hides_key);
	return 0;
}

/* What the other side seals is a secret here too. */
static bool
diff_report_is_sealed(struct diff_report *r, const struct compare_entry *e)
{
	return (diff_report_load(r->a, e->a, &r->value) && diff_report_refers(&r->value)) ||
	    (diff_report_load(r->b, e->b, &r->value) && diff_report_refers(&r->value));
}

/* May the value be shown?  A reference alone may. */
static bool
may_show(const struct buf *value, bool secret)
{
	struct reference ref;

	return !secret || (reference_parse((const char *)value->data, value->len, &ref) &&
	    memchr(value->data, '}', value->len - 1) == NULL);
}

/* One side of an entry; ${value} holds what is shown of it. */
static struct report_side
side_of(const struct diff_report *r, const struct document *d, size_t i, bool secret,
    struct buf *value)
{
	struct report_side s = { .there = diff_report_load(d, i, value) };

	if (!s.there)
		return s;
	s.line = document_line(d, i);
	s.state = state_name(state_of(d, i, r->s, NULL));
	s.masked = !may_show(value, secret);
	s.value = s.masked ? (const void *)MASK_TEXT : value->data;
	s.len = s.masked ? strlen(MASK_TEXT) : value->len;
	return s;
}

static const char *
remark(enum compare_result result, bool secret)
{
	switch (result) {
	case COMPARE_FORM:
		return ": equal, but for how it is written";
	case COMPARE_UNKNOWN:
		return ": not compared, as a reference was not resolved";
	case COMPARE_DIFFERENT:
		return secret ? ": the secrets differ" : "";
	default:
		return "";
	}
}

/* The two files, once; NULL: there is none. */
static void
add_files(struct diff_report *r, const char *a, const char *b)
{
	if (!r->begun)
		report_diff_begin(&r->out, r->json, a, b);
	r->begun = true;
}

static int
diff_report_add(void *report, const struct compare_entry *e, struct error *err)
{
	struct diff_report *r = report;
	bool secret = rules_sensitive(r->rules, e->key, e->len), hides_key = false;

	r->counts[e->result]++;
	if (e->result == COMPARE_SAME)
		return 0;
	if (diff_report_hides(r, r->a, e->a, &r->remarks_a, &secret, &hides_key, err) != 0 ||
	    diff_report_hides(r, r->b, e->b, &r->remarks_b, &secret, &hides_key, err) != 0)
		return -1;
	secret = secret || diff_report_is_sealed(r, e);
	add_files(r, document_file(r->a), document_file(r->b));
	report_diff_entry(&r->out, r->json, &(struct report_difference){
		.key = hides_key ? MASK_TEXT : e->key,
		.len = hides_key ? strlen(MASK_TEXT) : e->len,
		.result = compare_name(e->result), .remark = remark(e->result, secret),
		.secret = secret, .a = side_of(r, r->a, e->a, secret, &r->value),
		.b = side_of(r, r->b, e->b, secret, &r->other) });
	return buf_check(&r->out, err);
}

static int
diff_report_begin(struct diff_report *r, const struct document *a, const struct document *b,
    struct error *err)
{
	r->a = a;
	r->b = b;
	r->begun = false;
	/* People see the files that differ. */
	if (r->json != NULL)
		add_files(r, document_file(a), document_file(b));
	vec_release(&r->remarks_a);
	vec_release(&r->remarks_b);
	return inspect_document(r->rules, a, NULL, &r->remarks_a, err) != 0 ||
	    inspect_document(r->rules, b, NULL, &r->remarks_b, err) != 0 ? -1 : 0;
}

/* For compare_documents. */
static void
diff_report_end(struct diff_report *r)
{
	r->pairs++;
	report_diff_end(r->json);
}

/* A file that only one side has; the other path is NULL. */
static void
diff_report_missing(struct diff_report *r, const char *a, const char *b)
{
	r->missing++;
	r->begun = false;
	add_files(r, a, b);
	report_diff_end(r->json);
}

/* Is there a difference, or what might be one? */
static bool
diff_report_differs(const struct diff_report *r)
{
	return r->missing + r->counts[COMPARE_DIFFERENT] + r->counts[COMPARE_UNKNOWN] +
	    r->counts[COMPARE_ONLY_A] + r->counts[COMPARE_ONLY_B] > 0;
}

static void
diff_report_count(struct diff_report *r, size_t n, const char *one, const char *many, bool *first)
{
	if (n == 0)
		return;
	if (!*first)
		buf_append_str(&r->out, ", ");
	*first = false;
	number_append(&r->out, n);
	buf_append_str(&r->out, n == 1 ? one : many);
}

/* The summary.  ${folders}: the pairs were found below folders. */
static void
diff_report_finish(struct diff_report *r, bool folders)
{
	const size_t *n = r->counts;
	bool first = true;

	if (r->json != NULL) {
		json_out_end(&r->writer);
		json_out_bool(&r->writer, "equal", !diff_report_differs(r));
		json_out_end(&r->writer);
		json_out_finish(&r->writer, NULL);
		return;
	}
	if (folders)
		diff_report_count(r, r->pairs, " pair of files compared",
		    " pairs of files compared", &first);
	diff_report_count(r, r->missing, " file on one side only", " files on one side only",
	    &first);
	diff_report_count(r, n[COMPARE_SAME], " entry is the same", " entries are the same",
	    &first);
	diff_report_count(r, n[COMPARE_FORM], " equal in another form", " equal in another form",
	    &first);
	diff_report_count(r, n[COMPARE_DIFFERENT], " differs", " differ", &first);
	diff_report_count(r, n[COMPARE_UNKNOWN], " not compared", " not compared", &first);
	diff_report_count(r, n[COMPARE_ONLY_A], " only in the first", " only in the first", &first);
	diff_report_count(r, n[COMPARE_ONLY_B], " only in the second", " only in the second",
	    &first);
	buf_append_str(&r->out, first ? "no entries\n" : "\n");
}

static int
stop_at_unknown(void *found, const struct compare_entry *e, struct error *err)
{
	(void)err;
	*(bool *)found |= e->result == COMPARE_UNKNOWN;
	return 0;
}

/* resolver.value: what is locked, or cannot be told, is not resolved. */
static int
diff_side_value(void *cookie, const struct reference *r, struct buf *out, struct error *err)
{
	const struct diff_side *side = cookie;
	struct resolution x;

	if (environments_locate(side->environments, side->path, r, &x, err) != 0)
		return -1;
	if (x.entry == DOCUMENT_NONE || secrets_file_cipher(x.environment->secrets) == NULL)
		return error_set(err, ERROR_MISSING, "it cannot be resolved");
	return secrets_file_open(x.environment->secrets, x.entry, out, err);
}

static struct diff_side
diff_side(const struct comparison *x, const char *path)
{
	return (struct diff_side){
		.face = { .provider = REFERENCE_PROVIDER, .value = diff_side_value },
		.environments = x->estate != NULL ? estate_environments(x->estate) :
		    x->environments, .path = path };
}

/* compare_sides.alike: of two sides. */
static int
diff_alike(void *cookie, const char *value, size_t n, struct error *err)
{
	const struct diff_side *side = cookie;
	struct resolution a, b;
	struct reference r;
	size_t start, end = 0;

	while (resolve_next(value, n, end, &r, &start, &end)) {
		if (!reference_is_ours(&r))
			continue;
		if (environments_locate(side[0].environments, side[0].path, &r, &a, err) != 0 ||
		    environments_locate(side[1].environments, side[1].path, &r, &b, err) != 0)
			return -1;
		if (a.environment != b.environment)
			return 0;
	}
	return 1;
}

/* The same for each in its own environment. */
static int
file_diff_unlock_all(struct comparison *x, struct environments *e, struct error *err)
{
	size_t opened;

	if (scan_unlock(x->o, e, &opened, err) != 0)
		return -1;
	if (opened == 0)
		report_note(key_ring_count(environments_keys(e)) == 0 ?
		    "there is no master key: values of references are not compared" :
		    "no key that is there opens a secrets file of these: values of references "
		    "are not compared");
	return 0;
}

/* Unlock what this pair cannot be compared without. */
static int
file_diff_unlock(struct comparison *x, const struct document *a, const struct document *b,
    const struct compare_sides *sides, struct error *err)
{
	bool needed = false;
	struct key *master;
	struct error why;
	int rc;

	if (x->asked)
		return 0;
	if (compare_documents(a, b, sides, stop_at_unknown, &needed, err) != 0)
		return -1;
	if (!needed)
		return 0;
	x->asked = true;
	if (x->s == NULL)
		return file_diff_unlock_all(x, ((struct diff_side *)sides->cookie)->environments,
		    err);
	secrets_file_set_policy(x->s, keys_policy(x->o));
	if ((master = master_find(x->o, x->s, &why)) == NULL) {
		if (why.code == ERROR_MISSING && x->o->text[FLAG_MASTER_KEY_FILE] == NULL) {
			report_note("there is no master key: values of references are not "
			    "compared");
			return 0;
		}
		*err = why;
		return -1;
	}
	rc = secrets_file_unlock(x->s, master, err);
	key_free(master);
	return rc;
}

static struct configuration *
file_diff_load(const char *path, const struct scope *scope, struct error *err)
{
	struct configuration *c = configuration_load(path, scope, err);

	if (c == NULL || !secrets_file_recognise(c->doc))
		return c;
	error_set(err, ERROR_REFUSED, "this is a secrets file, not a configuration file");
	error_place(err, path, 0);
	error_hint(err, "`propseal file verify` checks it");
	configuration_free(c);
	return NULL;
}

static int
compare_files(struct comparison *x, const char *a, const char *b, struct error *err)
{
	struct configuration *left = file_diff_load(a, config_scope(x->o->config), err);
	struct configuration *right = left == NULL ? NULL :
	    file_diff_load(b, config_scope(x->o->config), err), *both[] = { left, right };
	struct compare_sides sides = { .s = x->s };
	struct diff_side side[2];
	int rc = right == NULL || (x->s == NULL && x->estate == NULL && (x->environments =
	    scan_files(x->o, both, 2, err)) == NULL) ? -1 : 0;

	if (rc == 0 && x->s == NULL) {
		side[0] = diff_side(x, a);
		side[1] = diff_side(x, b);
		side[0].face.cookie = &side[0];
		side[1].face.cookie = &side[1];
		sides = (struct compare_sides){ .a = &side[0].face, .b = &side[1].face,
			.alike = diff_alike, .cookie = side };
	}
	if (rc == 0 && (rc = file_diff_unlock(x, left->doc, right->doc, &sides, err)) == 0) {
		rc = diff_report_begin(&x->report, left->doc, right->doc, err);
		if (rc == 0)
			rc = compare_documents(left->doc, right->doc, &sides, diff_report_add,
			    &x->report, err);
		diff_report_end(&x->report);
	}
	configuration_free(right);
	configuration_free(left);
	return rc;
}

/* The configuration files below a folder. */
static struct estate *
file_diff_search(const struct options *o, const char *folder, struct error *err)
{
	struct estate *e = estate_new(&folder, 1, err);
	int rc = -1;

	if (e == NULL)
		return NULL;
	estate_set_scope(e, config_scope(o->config));
	while ((rc = estate_step(e, STEP_MS, err)) > 0)
		;
	if (rc == 0)
		return e;
	estate_free(e);
	return NULL;
}

/* The next file of an estate that is a configuration, from ${*i} on; NULL: none. */
static const struct estate_file *
file_diff_next(const struct estate *e, size_t *i, struct error *err)
{
	const struct estate_file *f;

	for (; *i < estate_count(e); ++*i) {
		f = estate_file(e, *i);
		if (f->problem != NULL) {
			*err = *f->problem;
			return f;
		}
		if (!f->is_secrets_file)
			return f;
	}
	return NULL;
}

/* The part of a path below the folder. */
static const char *
below(const char *path, const char *folder)
{
	path += strlen(folder);
	return path + strspn(path, "/");
}

static int
compare_folders(struct comparison *x, const char *a, const char *b, struct error *err)
{
	struct estate *left = file_diff_search(x->o, a, err);
	struct estate *right = left != NULL ? file_diff_search(x->o, b, err) : NULL;
	const struct estate_file *l, *r;
	size_t i = 0, j = 0;
	int order, rc = right == NULL ? -1 : 0;

	while (rc == 0) {
		l = file_diff_next(left, &i, err);
		r = file_diff_next(right, &j, err);
		if ((l != NULL && l->problem != NULL) || (r != NULL && r->problem != NULL))
			rc = -1;
		if (rc != 0 || (l == NULL && r == NULL))
			break;
		order = l == NULL ? 1 : r == NULL ? -1 :
		    strcmp(below(l->path, a), below(r->path, b));
		if (order == 0)
			rc = compare_files(x, l->path, r->path, err);
		else
			diff_report_missing(&x->report, order < 0 ? l->path : NULL,
			    order < 0 ? NULL : r->path);
		i += order <= 0;
		j += order >= 0;
	}
	estate_free(right);
	estate_free(left);
	return rc;
}

/* 1: a folder, 0: another thing, -1: ERROR_MISSING, ERROR_IO. */
static int
is_folder(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode);
	if (errno != ENOENT)
		return error_io(err, path, "cannot open");
	error_set(err, ERROR_MISSING, "no such file or folder");
	return error_place(err, path, 0);
}

static int
file_diff_run(struct comparison *x, struct error *err)
{
	const char *path = x->o->text[FLAG_LOCAL_SECRETS_FILE];
	const char *a = x->o->args[0], *b = x->o->args[1];
	int folder_a = is_folder(a, err), folder_b, rc;

	if (folder_a == -1 || (folder_b = is_folder(b, err)) == -1)
		return -1;
	if (folder_a != folder_b) {
		error_set(err, ERROR_USAGE, "a file and a folder cannot be compared");
		return error_hint(err, "name two files, or two folders");
	}
	/* One that propseal.ini names is one of those that are found. */
	if (path != NULL && x->o->from[FLAG_LOCAL_SECRETS_FILE].file == NULL) {
		if ((x->s = secrets_file_load(path, err)) == NULL)
			return -1;
	} else if (folder_a == 1 &&
	    (x->estate = scan_paths(x->o, x->o->args, 2, err)) == NULL)
		return -1;
	x->report.s = x->s;
	x->report.rules = config_rules(x->o->config);
	rc = folder_a == 1 ? compare_folders(x, a, b, err) : compare_files(x, a, b, err);
	if (rc != 0)
		return rc;
	diff_report_finish(&x->report, folder_a == 1);
	return x->report.json != NULL ? output_write(&x->report.out, err) :
	    output_write_diff(&x->report.out, err);
}

int
commands_file_diff(const struct options *o)
{
	struct comparison x = { .o = o };
	struct error err;
	int status;

	diff_report_init(&x.report, options_format(o) == OUTPUT_JSON);
	if (file_diff_run(&x, &err) != 0)
		status = report_error(&err);
	else
		status = diff_report_differs(&x.report) ? STATUS_DIFFERENT : 0;
	diff_report_release(&x.report);
	secrets_file_free(x.s);
	environments_free(x.environments);
	estate_free(x.estate);
	return status;
}

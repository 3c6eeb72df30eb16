#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "document/document.h"
#include "document/scope.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "secrets/key_source.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

#define SUMMARY_MAX 4096

/* So many changed entries are told one by one. */
#define CHANGED_LISTED 20

/* What `file verify` finds. */
enum verify_kind {
	VERIFY_DAMAGED,		/* a sealed entry that does not open */
	VERIFY_DAMAGED_USE,	/* a reference to one */
	VERIFY_CHANGED,		/* a sealed entry that no longer fits its tag */
	VERIFY_UNCHECKED,	/* one that may not be opened (secrets/secrets_file.h) */
	VERIFY_DANGLING,
	VERIFY_UNKNOWN,		/* a reference whose secrets file cannot be told */
	VERIFY_UNREADABLE,	/* a configuration or secrets file, or a folder */
	VERIFY_ORPHAN,		/* a remark, as is */
	VERIFY_PERHAPS,		/* an entry that an unknown reference names */
	VERIFY_KINDS
};

/* What is reported, and counted for the summary. */
struct verify_report {
	bool has_paths;
	const char *file;	/* the secrets file that is looked at, or that was named */
	size_t before;		/* findings of VERIFY_CHANGED in others */
	size_t locked;		/* secrets files that were not opened: no key opens them */
	bool keyed;		/* there was a key */
	bool misfit;		/* and none of the keys opens any file */
	size_t sealed;		/* in those that were */
	size_t tagged;
	size_t files;
	size_t references;
	size_t wrong;		/* what inspect_document says, beside remarks */
	size_t counts[VERIFY_KINDS];
	const struct estate_entry *told;	/* the last of which check_path said something */
	struct checks checks;
};

static const char *
verify_report_kind_name(enum verify_kind kind)
{
	switch (kind) {
	case VERIFY_DAMAGED:
	case VERIFY_DAMAGED_USE:
		return "damaged";
	case VERIFY_CHANGED:
		return "changed";
	case VERIFY_UNCHECKED:
		return "unchecked";
	case VERIFY_DANGLING:
		return "dangling";
	case VERIFY_UNKNOWN:
		return "unknown";
	case VERIFY_UNREADABLE:
		return "unreadable";
	case VERIFY_ORPHAN:
		return "orphan";
	case VERIFY_PERHAPS:
		return "perhaps-used";
	case VERIFY_KINDS:
		break;
	}
	return "";
}

/* A finding at the place that ${what} names. */
static void
verify_report_add(struct verify_report *r, enum verify_kind kind, const struct error *what)
{
	r->counts[kind]++;
	checks_add(&r->checks, kind == VERIFY_ORPHAN || kind == VERIFY_PERHAPS ? CHECK_REMARK :
	    CHECK_PROBLEM, verify_report_kind_name(kind), what);
}

static const char *
plural(size_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

static size_t
verify_report_open(const struct verify_report *r)
{
	return r->sealed - r->counts[VERIFY_DAMAGED] - r->counts[VERIFY_UNCHECKED];
}

/* The summary for people. */
static void
verify_report_summary(const struct verify_report *r, struct buf *out)
{
	size_t open = verify_report_open(r);

	if (r->sealed > 0 || r->locked == 0)
		buf_printf(out, "%zu sealed %s", open, plural(open, "entry opens",
		    "entries open"));
	else
		buf_append_str(out, r->keyed ? "nothing was opened, as no key that is there "
		    "opens it" : "nothing was opened, as there is no key");
	if (r->counts[VERIFY_DAMAGED] > 0)
		buf_printf(out, ", %zu %s not", r->counts[VERIFY_DAMAGED],
		    plural(r->counts[VERIFY_DAMAGED], "does", "do"));
	if (r->counts[VERIFY_UNCHECKED] > 0)
		buf_printf(out, ", %zu not opened", r->counts[VERIFY_UNCHECKED]);
	if (r->counts[VERIFY_CHANGED] > 0)
		buf_printf(out, ", %zu changed by another program", r->counts[VERIFY_CHANGED]);
	if (r->tagged > 0 && r->tagged < r->sealed)
		buf_printf(out, ", %zu without an integrity tag", r->sealed - r->tagged);
	if (r->has_paths) {
		if (r->sealed > 0 && r->locked > 0)
			buf_printf(out, ", %zu secrets %s not opened, as no key that is there "
			    "opens %s", r->locked, plural(r->locked, "file was", "files were"),
			    plural(r->locked, "it", "them"));
		buf_printf(out, "; %zu %s in %zu %s, %zu dangling, %zu %s", r->references,
		    plural(r->references, "reference", "references"), r->files,
		    plural(r->files, "file", "files"), r->counts[VERIFY_DANGLING],
		    r->counts[VERIFY_ORPHAN],
		    plural(r->counts[VERIFY_ORPHAN], "orphan", "orphans"));
		if (r->counts[VERIFY_PERHAPS] > 0)
			buf_printf(out, ", %zu perhaps used", r->counts[VERIFY_PERHAPS]);
		if (r->counts[VERIFY_UNKNOWN] > 0)
			buf_printf(out, ", %zu unknown", r->counts[VERIFY_UNKNOWN]);
		if (r->counts[VERIFY_UNREADABLE] > 0)
			buf_printf(out, ", %zu unreadable", r->counts[VERIFY_UNREADABLE]);
		if (r->wrong > 0)
			buf_printf(out, ", %zu not as meant", r->wrong);
	}
}

/* The exit status: 4 damage, or no key that was given opens anything; 1 something
 * unreadable; 3 dangling, changed or not opened; 0. */
static int
verify_report_status(const struct verify_report *r)
{
	if (r->counts[VERIFY_DAMAGED] > 0 || r->counts[VERIFY_DAMAGED_USE] > 0 || r->misfit)
		return 4;
	if (r->counts[VERIFY_UNREADABLE] > 0)
		return 1;
	return r->counts[VERIFY_DANGLING] > 0 || r->counts[VERIFY_UNKNOWN] > 0 ||
	    r->counts[VERIFY_CHANGED] > 0 || r->counts[VERIFY_UNCHECKED] > 0 ||
	    r->wrong > 0 ? 3 : 0;
}

static int
verify_report_write(struct verify_report *r, struct error *err)
{
	const size_t *n = r->counts;
	const struct checks_count counts[] = {
		{ "sealed", r->sealed },
		{ "open", verify_report_open(r) },
		{ "damaged", n[VERIFY_DAMAGED] },
		{ "tagged", r->tagged },
		{ "changed", n[VERIFY_CHANGED] },
		{ "unchecked", n[VERIFY_UNCHECKED] },
		/* With paths to look through. */
		{ "files", r->files },
		{ "references", r->references },
		{ "dangling", n[VERIFY_DANGLING] },
		{ "unreadable", n[VERIFY_UNREADABLE] },
		{ "orphans", n[VERIFY_ORPHAN] },
		{ "wrong", r->wrong },
		{ "unknown", n[VERIFY_UNKNOWN] },
		{ "locked", r->locked },
		{ "perhaps_used", n[VERIFY_PERHAPS] },
	};
	struct buf summary;
	int rc;

	buf_init(&summary, SUMMARY_MAX);
	verify_report_summary(r, &summary);
	rc = checks_write(&r->checks, r->file, counts,
	    r->has_paths ? sizeof(counts) / sizeof(counts[0]) : 6, buf_cstr(&summary),
	    verify_report_status(r), err);
	buf_release(&summary);
	return rc;
}

/* Entry or tag ${i} is not as propseal left it; ${line} is where that is seen. */
static void
verify_changed(const struct secrets_file *s, struct verify_report *r, size_t i, size_t line,
    const char *text)
{
	const struct document *d = secrets_file_document(s);
	struct error what;
	const char *name;
	size_t len;

	/* Another program's rotation changes all: the rest is told as one. */
	if (r->counts[VERIFY_CHANGED] - r->before >= CHANGED_LISTED) {
		r->counts[VERIFY_CHANGED]++;
		return;
	}
	name = document_key(d, i, &len);
	if (tag_names(name, len)) {
		name += strlen(TAG_PREFIX);
		len -= strlen(TAG_PREFIX);
	}
	error_set(&what, ERROR_DAMAGED, "%s", text);
	error_place(&what, secrets_file_path(s), document_line(d, line));
	error_key(&what, name, len);
	verify_report_add(r, VERIFY_CHANGED, &what);
}

/* A tag whose entry another program removed, or replaced by something else. */
static void
check_owner(const struct secrets_file *s, size_t i, struct verify_report *r)
{
	const struct document *d = secrets_file_document(s);
	size_t len, n = strlen(TAG_PREFIX), entry;
	const char *key;

	key = document_key(d, i, &len);
	entry = secrets_file_find(s, key + n, len - n);
	if (document_shadowed(d, i) || (entry != DOCUMENT_NONE && secrets_file_is_sealed(s, entry)))
		return;
	verify_changed(s, r, i, entry == DOCUMENT_NONE ? i : entry, entry == DOCUMENT_NONE ?
	    "another program removed this entry; its integrity tag is still there" :
	    "this entry was sealed, and is text now");
}

/* Open entry ${i}.  -1: not even that it is damaged can be told. */
static int
check_opens(const struct secrets_file *s, size_t i, struct buf *plain, struct verify_report *r,
    struct error *err)
{
	enum tag_state state = TAG_NONE;
	struct error why;
	int rc = 0;

	/* A reference to it may have had it opened. */
	if (!secrets_file_was_opened(s, i, &state))
		rc = secrets_file_open_tagged(s, i, plain, &state, &why);
	r->sealed++;
	r->tagged += state != TAG_NONE;
	if (rc == 0 && state == TAG_STALE) {
		verify_changed(s, r, i, i, "another program changed the value since propseal "
		    "sealed it; if that was meant, `propseal file rotate --data-key` tags it anew");
	} else if (rc != 0 && (why.code == ERROR_DAMAGED || why.code == ERROR_REFUSED)) {
		verify_report_add(r, why.code == ERROR_DAMAGED ? VERIFY_DAMAGED :
		    VERIFY_UNCHECKED, &why);
	} else if (rc != 0) {
		*err = why;
		return -1;
	}
	return 0;
}

/* What is told of the file as a whole. */
static int
check_doubts(const struct secrets_file *s, struct verify_report *r, struct error *err)
{
	struct secrets_doubts doubts;
	struct error what;

	if (secrets_file_doubts(s, &doubts, err) != 0)
		return -1;
	if (r->counts[VERIFY_CHANGED] - r->before > CHANGED_LISTED)
		checks_say(&r->checks, CHECK_PROBLEM,
		    verify_report_kind_name(VERIFY_CHANGED), r->file, 0, "`propseal file rotate "
		    "--data-key` tags all entries anew, if that was meant",
		    "and so are %zu more entries: another program changed them",
		    r->counts[VERIFY_CHANGED] - r->before - CHANGED_LISTED);
	if (!doubts.cbc)
		return 0;
	error_set(&what, ERROR_NONE, "values in the old AES-CBC form were opened, which notices "
	    "no change");
	error_place(&what, r->file, 0);
	error_hint(&what, "`propseal file rotate --data-key` seals them anew");
	checks_add(&r->checks, CHECK_REMARK, "cbc", &what);
	return 0;
}

/* Open every sealed entry. */
static int
check_sealed(const struct secrets_file *s, struct verify_report *r, struct error *err)
{
	const struct document *d = secrets_file_document(s);
	struct buf plain;
	int rc = 0;

	r->before = r->counts[VERIFY_CHANGED];
	buf_init_secret(&plain, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(d) && rc == 0; i++) {
		buf_clear(&plain);
		if (tag_is_key(d, i))
			check_owner(s, i, r);
		else if (secrets_file_is_sealed(s, i))
			rc = check_opens(s, i, &plain, r, err);
	}
	buf_release(&plain);
	return rc == 0 ? check_doubts(s, r, err) : -1;
}

/* A secrets file that notes other paths for itself, and has the base name of the reference's:
 * it may be another environment's, whose own is not here. */
static void
check_path(const struct estate_file *f, const struct estate_entry *x, struct verify_report *r)
{
	const struct environment *env = x->environment;
	const char *noted = env != NULL && x->remote != NULL ? environment_noted(env, 0) : NULL;
	const struct estate_entry *told = r->told;

	if (noted == NULL || (told != NULL && told->environment == env &&
	    told->remote_len == x->remote_len &&
	    memcmp(told->remote, x->remote, x->remote_len) == 0))
		return;
	for (size_t i = 0; noted != NULL; noted = environment_noted(env, ++i))
		if (strlen(noted) == x->remote_len && memcmp(noted, x->remote, x->remote_len) == 0)
			return;
	r->told = x;
	checks_say(&r->checks, CHECK_REMARK, "other-path", f->path, x->line,
	    "say in an [environment NAME] section of propseal.ini which secrets file is meant",
	    "refers to %.*s, which is not the path that %s notes for itself: is that file meant?",
	    (int)x->remote_len, x->remote, env->path);
}

static int
check_entry(const struct estate *e, const struct estate_file *f, const struct estate_entry *x,
    struct verify_report *r, struct error *err)
{
	struct error what;

	if (x->shadowed || x->name == NULL)
		return 0;
	r->references++;
	check_path(f, x, r);
	if (x->state == STATE_SEALED)
		return 0;
	if (scan_explain(e, f, x, &what, err) != 0)
		return -1;
	verify_report_add(r, x->state == STATE_DANGLING ? VERIFY_DANGLING :
	    x->state == STATE_UNKNOWN ? VERIFY_UNKNOWN : VERIFY_DAMAGED_USE, &what);
	return 0;
}

/* What the file says other than it was meant. */
static int
verify_inspect(const struct secrets_file *s, const char *path, const struct options *o,
    struct providers *p, struct verify_report *r, struct error *err)
{
	size_t before = r->checks.counts[CHECK_PROBLEM];
	struct configuration *c = configuration_load(path, config_scope(o->config), NULL);
	int rc = c == NULL ? 0 : checks_inspect(&r->checks,
	    config_rules(o->config), c->doc, s, err);

	if (rc == 0 && c != NULL)
		rc = providers_check(p, &r->checks, c, err);
	r->wrong += r->checks.counts[CHECK_PROBLEM] - before;
	configuration_free(c);
	return rc;
}

/* Is the entry one of a file of a name that is passed over below folders? */
static bool
verify_passes_over(const struct scope *scope, const char *name, size_t len)
{
	const char *slash = memchr(name, '/', len);
	char base[NAME_MAX + 1];
	size_t n = slash != NULL ? (size_t)(slash - name) : 0;

	if (n == 0 || n >= sizeof(base))
		return false;
	memcpy(base, name, n);
	base[n] = '\0';
	return scope_format(scope, base) == NULL;
}

/* Sealed entries that no configuration refers to, or none of which that is known. */
static void
find_orphans(const struct environment *x, const struct scope *scope, struct verify_report *r)
{
	const struct document *d = secrets_file_document(x->secrets);
	enum environment_use use;
	const char *name, *path;
	struct error err;
	size_t len, line;

	for (size_t i = 0; i < document_count(d); i++) {
		if (!secrets_file_is_sealed(x->secrets, i))
			continue;
		name = document_key(d, i, &len);
		if ((use = environment_use(x, name, len, &path, &line)) == USE_KNOWN)
			continue;
		if (use == USE_PERHAPS)
			error_set(&err, ERROR_NONE, "not known to be unused: %s:%zu may mean it",
			    path, line);
		else if (verify_passes_over(scope, name, len)) {
			use = USE_PERHAPS;
			error_set(&err, ERROR_NONE, "not known to be unused: files of this name "
			    "are not looked at, unless patterns in propseal.ini names them");
		} else
			error_set(&err, ERROR_NONE, "no configuration file given here refers to "
			    "it");
		error_place(&err, x->path, document_line(d, i));
		error_key(&err, name, len);
		verify_report_add(r, use == USE_PERHAPS ? VERIFY_PERHAPS : VERIFY_ORPHAN, &err);
	}
}

static int
check_estate(const struct options *o, const struct estate *e, struct verify_report *r,
    struct error *err)
{
	const struct estate_file *f;
	struct providers p;
	int rc = 0;

	providers_init(&p, o, e);
	for (size_t i = 0; rc == 0 && i < estate_count(e); i++) {
		f = estate_file(e, i);
		r->files += !f->is_secrets_file;
		if (f->problem != NULL)
			verify_report_add(r, VERIFY_UNREADABLE, f->problem);
		else if (!f->is_secrets_file)
			rc = verify_inspect(f->environment != NULL ? f->environment->secrets :
			    NULL, f->path, o, &p, r, err);
		for (size_t k = 0; rc == 0 && k < f->count; k++)
			rc = check_entry(e, f, &f->entries[k], r, err);
	}
	providers_release(&p);
	return rc;
}

/* Each secrets file: what can be opened, and what nothing refers to. */
static int
check_environments(const struct environments *all, const struct scope *scope,
    struct verify_report *r, struct error *err)
{
	const char *named = r->file;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < environments_count(all); i++) {
		const struct environment *x = environments_at(all, i);

		if ((environments_only(all) != NULL && x != environments_only(all)) ||
		    x->aside)
			continue;
		r->file = x->path;
		if (x->secrets == NULL) {
			verify_report_add(r, VERIFY_UNREADABLE, x->problem);
			continue;
		}
		if (secrets_file_cipher(x->secrets) != NULL)
			rc = check_sealed(x->secrets, r, err);
		else
			r->locked += secrets_file_sealed_count(x->secrets) > 0;
		if (r->has_paths && x->found)
			find_orphans(x, scope, r);
	}
	r->file = named;
	return rc;
}

/* A key was given, or found, and opens none of the files: told as what it is. */
static void
verify_misfit(struct environments *all, struct verify_report *r)
{
	const struct key_ring *keys = environments_keys(all);
	struct error what;

	r->keyed = keys != NULL && key_ring_count(keys) > 0;
	if (!r->keyed)
		return;
	for (size_t i = 0; i < environments_count(all); i++) {
		const struct environment *x = environments_at(all, i);

		if (x->aside || x->secrets == NULL ||
		    secrets_file_sealed_count(x->secrets) == 0)
			continue;
		if (secrets_file_cipher(x->secrets) != NULL) {
			r->misfit = false;
			return;
		}
		r->misfit = true;
	}
	if (!r->misfit)
		return;
	error_set(&what, ERROR_KEY, "%s opens none of the secrets files",
	    key_ring_where(keys, 0));
	error_hint(&what, "give the key of one of them, or none to look at references only");
	checks_add(&r->checks, CHECK_PROBLEM, "key", &what);
}

/* A secrets file that was named must open; of those that were found the ones
 * whose keys are there are opened. */
static int
verify_open(const struct options *o, struct estate *e, struct verify_report *r,
    struct error *err)
{
	struct environments *all = estate_environments(e);
	struct environment *only = environments_only(all);
	const char *named = o->text[FLAG_LOCAL_SECRETS_FILE];
	size_t opened;
	int rc;

	/* Without paths there is nothing but the one that propseal.ini names. */
	if (named != NULL && o->arg_count == 0 && (only =
	    environments_name(all, named, true, err)) == NULL)
		return -1;
	if (scan_check(o, all, err) != 0)
		return -1;
	rc = only != NULL ? scan_open(o, all, only, err) : scan_unlock(o, all, &opened, err);
	if (rc != 0)
		return -1;
	/* A reference may lead to one more. */
	rc = scan_step(e, err);
	verify_misfit(all, r);
	return rc;
}

int
commands_verify(const struct options *o)
{
	static const char *const here[] = { "." };
	const char *named = o->text[FLAG_LOCAL_SECRETS_FILE];
	bool all = o->arg_count == 0 && named == NULL;
	struct verify_report r = { .file = named, .has_paths = all || o->arg_count > 0 };
	struct estate *e;
	struct error err;
	int rc = -1;

	checks_init(&r.checks, "propseal.verify/1", options_format(o) == OUTPUT_JSON,
	    CHECKS_PLAIN);
	e = scan_references(o, all ? here : o->args, all ? 1 : o->arg_count, &err);
	if (e != NULL && verify_open(o, e, &r, &err) == 0 &&
	    check_environments(estate_environments(e), config_scope(o->config), &r, &err) == 0 &&
	    check_estate(o, e, &r, &err) == 0)
		rc = verify_report_write(&r, &err);
	rc = rc == 0 ? verify_report_status(&r) : report_error(&err);
	checks_release(&r.checks);
	estate_free(e);
	return rc;
}

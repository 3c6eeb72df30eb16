#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/time.h"
#include "cli/audit/audit.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/git/git.h"
#include "cli/interface.h"
#include "cli/keys.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "file/file.h"
#include "plan/change.h"
#include "secrets/key_source.h"
#include "ui/findings.h"

#define STANDARD_INPUT "-"
#define FLUSH_BYTES 65536
#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* A line on a terminal of how far an audit is.  What ends before anyone reads it has none. */
#define PROGRESS_FIRST 256	/* files */
#define PROGRESS_EVERY_MS 100

struct audit_progress {
	bool shows;		/* standard error is a terminal */
	bool drawn;
	size_t calls;
	struct timespec last;	/* when it was drawn */
};

static void
progress_write(const struct buf *line)
{
	/* A terminal that is gone is no reason to end. */
	(void)output_write_fd(STDERR_FILENO, "the terminal", line->data, line->len, NULL);
}

/* audit_options' goes_on; ${cookie} is one of these. */
static int
audit_progress_draw(void *cookie, const struct audit *a, struct error *err)
{
	struct audit_progress *p = cookie;
	struct audit_counts counts;
	struct timespec now;
	struct buf line;

	(void)err;
	if (!p->shows || ++p->calls < PROGRESS_FIRST)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (p->drawn && (now.tv_sec - p->last.tv_sec) * 1000 +
	    (now.tv_nsec - p->last.tv_nsec) / 1000000 < PROGRESS_EVERY_MS)
		return 0;
	p->drawn = true;
	p->last = now;
	counts = audit_counts(a);
	buf_init(&line, 256);
	buf_printf(&line, "\r\033[K%zu files, %zu errors, %zu warnings", counts.seen,
	    counts.levels[AUDIT_ERROR], counts.levels[AUDIT_WARNING]);
	if (audit_unread_count(a) > 0)
		buf_printf(&line, ", %zu not read", audit_unread_count(a));
	progress_write(&line);
	buf_release(&line);
	return 0;
}

/* Take the line away, for what is told next. */
static void
audit_progress_end(struct audit_progress *p)
{
	struct buf line;

	if (!p->drawn)
		return;
	p->drawn = p->shows = false;
	buf_init(&line, 16);
	buf_append_str(&line, "\r\033[K");
	progress_write(&line);
	buf_release(&line);
}

static int
audit_look(struct audit *a, const struct options *o, size_t strip, struct error *err)
{
	struct buf content;
	int rc = 0;

	/* Who asks for processes or connectors need not be in a folder of configurations. */
	if (o->arg_count == 0 && (o->on[FLAG_PROCESSES] || o->text[FLAG_CONNECT_URL] != NULL))
		return 0;
	if (o->arg_count == 0)
		return audit_path(a, ".", 0, err);
	for (size_t i = 0; rc == 0 && i < o->arg_count; i++) {
		if (strcmp(o->args[i], STANDARD_INPUT) != 0) {
			rc = audit_path(a, o->args[i], strip, err);
			continue;
		}
		buf_init_secret(&content, BUF_MAX_FILE);
		rc = file_read_fd(0, "standard input", &content, err);
		if (rc == 0)
			rc = audit_text(a, STANDARD_INPUT, &content, NULL, err);
		buf_release(&content);
	}
	return rc;
}

static bool
audit_takes_path(void *cookie, const char *path)
{
	return audit_takes(cookie, path);
}

static int
audit_one_staged(void *cookie, const char *name, const char *path, struct buf *content,
    struct error *err)
{
	(void)name;
	return audit_text(cookie, path, content, NULL, err);
}

static int
audit_one_of_history(void *cookie, const char *name, const char *path, struct buf *content,
    struct error *err)
{
	return audit_text_from(cookie, &(struct audit_text){ .name = name, .path = path,
		.origin = AUDIT_FROM_HISTORY, .content = content }, err);
}

/* What is no file. */
static int
audit_look_beyond(struct audit *a, const struct options *o, struct error *err)
{
	int rc = 0;

	if (o->on[FLAG_PROCESSES])
		rc = audit_processes(a, "", err);
	if (rc == 0 && o->text[FLAG_CONNECT_URL] != NULL)
		rc = audit_connect(a, o, err);
	if (rc == 0 && o->on[FLAG_HISTORY])
		rc = git_history(o->args, o->arg_count, audit_takes_path, audit_one_of_history,
		    a, err);
	return rc;
}

/* Who can write propseal.ini must not take a file out of a commit's check without a word. */
static void
audit_tell_ignored(const struct audit_report *r)
{
	const size_t n = r->counts.skipped[AUDIT_SKIP_IGNORED];

	if (r->quiet && n > 0)
		report_note("%zu staged %s not looked at: ignore in " OPTIONS_FILE_NAME
		    " leaves %s out", n, n == 1 ? "file is" : "files are", n == 1 ? "it" : "them");
}

void
audit_report_init(struct audit_report *r, const struct audit *a, const char *root,
    enum audit_level fail_on)
{
	*r = (struct audit_report){ .audit = a, .counts = audit_counts(a), .root = root,
		.fail_on = fail_on, .schema = "propseal.audit/1" };
	r->status = audit_unread_count(a) > 0 ? 1 : 0;
	for (size_t i = fail_on; i < AUDIT_LEVELS; i++)
		if (r->counts.failing[i] > 0)
			r->status = 3;
}

void
audit_report_flush(struct audit_report *r, struct buf *out)
{
	if (out->len < FLUSH_BYTES || r->whole)
		return;
	if (!r->failed)
		r->failed = output_write(out, r->err) != 0;
	buf_clear(out);
}

/* Append a report in the form of this name (NULL: for people). */
static void
audit_report_append(struct audit_report *r, const char *name, struct buf *out)
{
	static const struct {
		const char *name;
		void (*write)(struct audit_report *, struct buf *);
	} outputs[] = {
		{ "human", audit_report_human }, { "json", audit_report_json },
		{ "jsonl", audit_report_jsonl }, { "sarif", audit_report_sarif },
		{ "html", audit_report_html }, { "junit", audit_report_junit },
	};
	size_t i = 0;

	while (name != NULL && strcmp(outputs[i].name, name) != 0)
		i++;
	outputs[i].write(r, out);
}

/* What the view of the findings takes from `propseal audit`: its outputs and its baseline. */

#define LOCK_MS 10000

static int
interface_know(void *cookie, struct audit *a, struct error *err)
{
	const struct options *o = cookie;
	size_t unused;

	for (size_t i = 0; i < audit_finding_count(a); i++)
		audit_finding(a, i)->known = false;
	return audit_baseline_apply(a, o->text[FLAG_BASELINE], time_now(), &unused,
	    err) == 0 || err->code == ERROR_MISSING ? 0 : -1;
}

static int
interface_ignore(void *cookie, const struct audit *a, const struct audit_finding *f,
    const char *reason, struct buf *notes, struct error *err)
{
	const struct options *o = cookie;

	return audit_baseline_ignore(a, f, o->text[FLAG_BASELINE], reason,
	    config_trail(o->config), notes, err);
}

/* The form that the ending of a name says; NULL: none. */
static const char *
interface_form(const char *path)
{
	static const struct {
		const char *ending, *form;
	} forms[] = {
		{ ".sarif", "sarif" }, { ".json", "json" }, { ".jsonl", "jsonl" },
		{ ".html", "html" }, { ".xml", "junit" }, { ".txt", "human" },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcasecmp(dot, forms[i].ending) == 0)
			return forms[i].form;
	return NULL;
}

static int
interface_write(void *cookie, const struct audit *a, const char *path, struct buf *notes,
    struct error *err)
{
	const struct options *o = cookie;
	const char *form = interface_form(path);
	struct audit_report r;
	struct buf out;
	size_t strip;
	int rc;

	if (form == NULL) {
		error_set(err, ERROR_USAGE, "the ending of the name says no form of a report");
		error_place(err, path, 0);
		return error_hint(err, "take one of " FINDINGS_ENDINGS);
	}
	audit_report_init(&r, a, audit_root(o->args, o->arg_count, &strip), AUDIT_ERROR);
	r.whole = true;
	r.err = err;
	buf_init(&out, BUF_MAX_FILE);
	audit_report_append(&r, form, &out);
	rc = buf_check(&out, err);
	if (rc == 0)
		rc = change_write_file(config_trail(o->config), LOCK_MS, path, true, &out, notes,
		    err);
	buf_release(&out);
	return rc;
}

void
interface_findings(const struct options *o, struct findings_source *out)
{
	*out = (struct findings_source){
		.cookie = (void *)(uintptr_t)o,
		.baseline = o->text[FLAG_BASELINE],
		.know = interface_know,
		.ignore = interface_ignore,
		.write = interface_write,
	};
}

int
audit_report_write(struct audit_report *r, const char *name, struct error *err)
{
	struct buf out;
	int rc;

	buf_init(&out, BUF_MAX_FILE);
	r->err = err;
	audit_report_append(r, name, &out);
	rc = r->failed ? -1 : output_write(&out, err);
	buf_release(&out);
	return rc;
}

static int
audit_baseline(struct audit *a, const struct options *o, int64_t now, struct error *err)
{
	const char *path = o->text[FLAG_BASELINE];
	size_t unused = 0;
	struct buf notes;
	int rc;

	if (path == NULL) {
		if (!o->on[FLAG_UPDATE_BASELINE])
			return 0;
		error_set(err, ERROR_USAGE, "--update-baseline needs --baseline FILE");
		return error_hint(err, "name the file that the findings are written to");
	}
	if (audit_baseline_apply(a, path, now, &unused, err) != 0) {
		if (err->code == ERROR_MISSING && !o->on[FLAG_UPDATE_BASELINE])
			return error_hint(err, "--update-baseline makes it, of what is found now");
		if (err->code != ERROR_MISSING)
			return -1;
	} else if (unused > 0 && !o->on[FLAG_UPDATE_BASELINE]) {
		report_note("%s: %zu finding%s there no more; --update-baseline takes %s out", path,
		    unused, unused == 1 ? " is" : "s are", unused == 1 ? "it" : "them");
	}
	if (!o->on[FLAG_UPDATE_BASELINE])
		return 0;
	buf_init(&notes, BUF_MAX_FILE);
	rc = audit_baseline_update(a, path, config_trail(o->config), &notes, err);
	change_say_lines(buf_cstr(&notes));
	buf_release(&notes);
	if (rc != 0)
		return -1;
	return audit_baseline_apply(a, path, now, &unused, err);
}

/* --max-age: days, or 90d, 12w, 2y. */
static int
audit_age(const char *text, int64_t *ms, struct error *err)
{
	static const char units[] = "dwy";
	static const int64_t days[] = { 1, 7, 365 };
	size_t n = strlen(text);
	const char *unit = n > 0 ? strchr(units, text[n - 1]) : NULL;
	uint64_t count;

	if (!number_parse(text, n - (unit != NULL), 36500, &count) || count == 0) {
		error_set(err, ERROR_USAGE, "bad value for --max-age");
		return error_hint(err, "it takes days, or a number with d, w or y behind it: "
		    "90d, 12w, 1y");
	}
	*ms = (int64_t)count * (unit != NULL ? days[unit - units] : 1) * DAY_MS;
	return 0;
}

/* The keys that are there without a question; one that was asked for has to be. */
static int
audit_keys(const struct options *o, struct key_ring **keys, struct error *err)
{
	/* A hook must not run commands for keys, and secrets files are not opened there. */
	if (o->on[FLAG_STAGED])
		return 0;
	if ((*keys = keys_ring(o, false, err)) != NULL)
		return 0;
	if (o->text[FLAG_MASTER_KEY_FILE] != NULL || o->text[FLAG_MASTER_KEY_COMMAND] != NULL ||
	    err->code == ERROR_MEMORY)
		return -1;
	report_note("there is no key: %s", err->text);
	return 0;
}

int
commands_audit(const struct options *o)
{
	struct audit_options options = { .rules = config_rules(o->config),
		.scope = config_scope(o->config), .source = config_sections(o->config),
		.gitignore = o->on[FLAG_GITIGNORE],
		.logs = &o->text[FLAG_LOGS], .log_count = o->text[FLAG_LOGS] != NULL,
		.no_suppressions = o->on[FLAG_NO_SUPPRESSIONS], .deep = o->on[FLAG_DEEP],
		.secrets_file = o->text[FLAG_LOCAL_SECRETS_FILE],
		.secrets_only = o->from[FLAG_LOCAL_SECRETS_FILE].file == NULL,
		.policy = keys_policy(o), .provider_class = config_provider_class(o->config),
		.now = time_now() };
	struct audit_progress progress = { .shows = isatty(STDERR_FILENO) };
	enum audit_level fail_on = AUDIT_ERROR;
	const char *root;
	struct audit_report r = { .status = 1 };
	struct key_ring *keys = NULL;
	struct audit *a = NULL;
	struct error err;
	size_t strip;
	int rc = 0;

	options.goes_on = audit_progress_draw;
	options.cookie = &progress;
	options.keep_files = o->text[FLAG_OUTPUT_AUDIT] != NULL &&
	    strcmp(o->text[FLAG_OUTPUT_AUDIT], "junit") == 0;
	if (o->text[FLAG_FAIL_ON] != NULL)
		audit_level_find(o->text[FLAG_FAIL_ON], &fail_on);
	if (o->arg_count > 0) {
		options.roots = o->args;
		options.root_count = o->arg_count;
		options.once = o->arg_count > 1;
	}
	root = audit_root(o->args, o->arg_count, &strip);
	if (o->text[FLAG_MAX_AGE] != NULL)
		rc = audit_age(o->text[FLAG_MAX_AGE], &options.max_age, &err);
	if (rc == 0 && (rc = audit_keys(o, &keys, &err)) == 0) {
		options.keys = keys;
		rc = (a = audit_new(&options, &err)) != NULL ? 0 : -1;
	}
	if (rc == 0)
		rc = o->on[FLAG_STAGED] ? git_staged(o->args, o->arg_count,
		    audit_takes_path, audit_one_staged, a, &err) :
		    audit_look(a, o, strip, &err);
	if (rc == 0)
		rc = audit_look_beyond(a, o, &err);
	if (rc == 0)
		rc = audit_finish(a, &err);
	audit_progress_end(&progress);
	if (rc == 0)
		rc = audit_baseline(a, o, options.now, &err);
	if (rc == 0) {
		audit_report_init(&r, a, root, fail_on);
		r.quiet = o->on[FLAG_STAGED];
		audit_tell_ignored(&r);
		rc = audit_report_write(&r, o->text[FLAG_OUTPUT_AUDIT], &err);
	}
	audit_free(a);
	key_ring_free(keys);
	return rc == 0 ? r.status : report_error(&err);
}

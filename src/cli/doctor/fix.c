#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/change.h"
#include "cli/checks.h"
#include "cli/doctor/doctor.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "document/document.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "file/lock.h"
#include "file/temporary.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/provider.h"
#include "trail/trail.h"

/*
 * `propseal doctor --fix`: what the checks find and can be mended without a
 * doubt, as a plan that is shown before it is carried out.  Only what belongs
 * to the user who runs it is touched, and no link is followed; all else is told
 * with the way out.
 */

#define FIXES_MAX 1000000

enum fix_kind { FIX_MODE, FIX_LEFTOVER, FIX_PROVIDER, FIX_KINDS };
enum fix_state { FIX_PLANNED, FIX_DONE, FIX_LEFT, FIX_FAILED, FIX_STATES };

static const char *const kinds[FIX_KINDS] = { "mode", "leftover", "provider" };
static const char *const states[FIX_STATES] = { "planned", "done", "left", "failed" };

struct fix {
	enum fix_kind kind;
	enum fix_state state;
	char *path;
	mode_t bits;		/* MODE: to be taken */
	mode_t mode;		/* before it */
	const char *command;	/* does it by hand */
	struct error *why;	/* LEFT, FAILED */
};

struct fixing {
	struct doctor *d;
	struct change c;	/* the provider's lines */
};

static struct fix *
fix_at(const struct doctor *d, size_t i)
{
	return vec_at(&d->fixes, i);
}

/* NULL: there is none yet. */
static struct fix *
fix_find(const struct doctor *d, enum fix_kind kind, const char *path)
{
	for (size_t i = 0; i < d->fixes.len; i++)
		if (fix_at(d, i)->kind == kind && strcmp(fix_at(d, i)->path, path) == 0)
			return fix_at(d, i);
	return NULL;
}

static int
fix_add(struct doctor *d, enum fix_kind kind, const char *path, mode_t bits, const char *command)
{
	struct fix *f;

	if (fix_find(d, kind, path) != NULL)
		return 0;
	if ((f = vec_push(&d->fixes)) == NULL)
		return -1;
	*f = (struct fix){ .kind = kind, .bits = bits, .command = command,
		.path = strdup(path) };
	if (f->path != NULL)
		return 0;
	d->fixes.len--;
	return -1;
}

int
doctor_fix_mode(struct doctor *d, const char *path, mode_t bits, const char *command)
{
	return fix_add(d, FIX_MODE, path, bits, command);
}

int
doctor_fix_leftover(struct doctor *d, const char *path)
{
	return fix_add(d, FIX_LEFTOVER, path, 0, "rm");
}

void
doctor_fixes_init(struct doctor *d)
{
	vec_init(&d->fixes, sizeof(struct fix), FIXES_MAX);
}

void
doctor_fixes_release(struct doctor *d)
{
	for (size_t i = 0; i < d->fixes.len; i++) {
		free(fix_at(d, i)->path);
		free(fix_at(d, i)->why);
	}
	vec_release(&d->fixes);
}

/* It stays, or failed, because of ${why}. */
static int
fix_stop(struct fix *f, enum fix_state state, const struct error *why, struct error *err)
{
	char word[TEXT_WORD_MAX];

	if (f->why == NULL && (f->why = error_alloc(sizeof(*f->why), err)) == NULL)
		return -1;
	f->state = state;
	*f->why = *why;
	error_place(f->why, f->path, 0);
	if (f->why->hint[0] == '\0' && f->command != NULL)
		error_hint(f->why, "whoever may do it: %s %s", f->command,
		    text_word(f->path, word));
	return 0;
}

/* NULL: it is a file of our own, of this name. */
static const char *
fix_refuses(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? "it is gone" : "it cannot be looked at";
	if (S_ISLNK(st.st_mode))
		return "it is a symbolic link";
	if (!S_ISREG(st.st_mode))
		return "it is no regular file";
	return st.st_uid == geteuid() ? NULL : "it belongs to another user";
}

/* The sweep takes the lock and the temporary file of a run together: each of them must
 * be ours, or both stay. */
static int
fix_check_leftover(const char *path, struct error *err)
{
	static const char *const endings[] = { PATH_TEMPORARY, PATH_LOCK };
	const char *refuses = fix_refuses(path), *name;
	size_t n = strlen(path), m;
	struct stat st;
	struct buf other;
	int rc = refuses != NULL ? error_set(err, ERROR_REFUSED, "%s", refuses) : 0;

	buf_init(&other, DOCTOR_PATH_MAX);
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		m = strlen(endings[i]);
		if (n <= m || strcmp(path + n - m, endings[i]) != 0)
			continue;
		buf_append(&other, path, n - m);
		buf_append_str(&other, endings[1 - i]);
		if ((rc = buf_check(&other, err)) != 0)
			break;
		name = buf_cstr(&other);
		if (lstat(name, &st) == -1 && errno == ENOENT)
			break;
		if ((refuses = fix_refuses(name)) != NULL)
			rc = error_set(err, ERROR_REFUSED, "it goes with %s only, which stays: %s",
			    file_basename(name), refuses);
	}
	buf_release(&other);
	return rc;
}

/* Leave what is not safe. */
static int
fix_judge(struct doctor *d, struct error *err)
{
	struct error why = { .code = ERROR_NONE };
	const char *refuses;
	struct fix *f;

	for (size_t i = 0; i < d->fixes.len; i++) {
		f = fix_at(d, i);
		if (f->state != FIX_PLANNED)
			continue;
		if (f->kind == FIX_MODE) {
			if (attributes_narrow(f->path, f->bits, true, &f->mode, &why) == 0)
				continue;
		} else if (f->kind == FIX_LEFTOVER) {
			if (fix_check_leftover(f->path, &why) == 0)
				continue;
		} else {
			if ((refuses = fix_refuses(f->path)) == NULL)
				continue;
			error_set(&why, ERROR_REFUSED, "%s", refuses);
		}
		if (fix_stop(f, FIX_LEFT, &why, err) != 0)
			return -1;
	}
	return 0;
}

/* --- the lines of our provider --- */

/* The file that lacks them for ${path}, which is the worker's for a connector. */
static int
fix_find_provider(struct doctor *d, struct providers *p, const char *path, struct error *err)
{
	struct configuration *c = configuration_load(path, config_scope(d->o->config), NULL);
	struct error why = { .code = ERROR_NONE };
	const struct document *by = NULL;
	const char *lacks = NULL, *class;
	int rc = 0;

	if (c != NULL)
		rc = providers_reader(p, c, &by, err);
	if (rc == 0 && by != NULL) {
		class = config_provider_class(d->o->config);
		lacks = provider_lacks(by, REFERENCE_PROVIDER, strlen(REFERENCE_PROVIDER),
		    class != NULL ? class : REFERENCE_PROVIDER_CLASS);
	}
	if (lacks != NULL) {
		rc = fix_add(d, FIX_PROVIDER, document_file(by), 0, NULL);
		if (rc != 0)
			error_memory(err);
		/* Another class was chosen by somebody. */
		else if (provider_lacks(by, REFERENCE_PROVIDER, strlen(REFERENCE_PROVIDER),
		    NULL) == NULL) {
			error_set(&why, ERROR_REFUSED, "%s", lacks);
			error_hint(&why, "change the class if it was not meant, or name it as "
			    "provider-class in propseal.ini");
			rc = fix_stop(fix_find(d, FIX_PROVIDER, document_file(by)), FIX_LEFT, &why,
			    err);
		}
	}
	configuration_free(c);
	return rc;
}

static int
fix_find_providers(struct doctor *d, struct error *err)
{
	struct providers p;
	int rc = 0;

	providers_init(&p, d->o, d->estate);
	for (size_t i = 0; rc == 0 && i < estate_count(d->estate); i++) {
		const struct estate_file *f = estate_file(d->estate, i);
		bool refers = false;

		for (size_t k = 0; !f->is_secrets_file && k < f->count && !refers; k++)
			refers = f->entries[k].name != NULL && !f->entries[k].shadowed;
		if (refers)
			rc = fix_find_provider(d, &p, f->path, err);
	}
	providers_release(&p);
	return rc;
}

/* Plan the lines of all files; ${locked}: to be applied, on what is there then. */
static int
fix_plan(struct fixing *x, bool locked, struct error *err)
{
	const char *class = config_provider_class(x->d->o->config);

	change_stop(&x->c);
	if ((locked ? change_start(&x->c, err) : change_plan(&x->c, err)) != 0)
		return -1;
	for (size_t i = 0; i < x->c.configs.len; i++)
		if (provider_add(x->c.plan, *(struct configuration **)vec_at(&x->c.configs, i),
		    class, err) != 0)
			return -1;
	change_note_settings(&x->c);
	return 0;
}

static int
fix_load(struct fixing *x, struct error *err)
{
	struct doctor *d = x->d;
	struct error why;

	for (size_t i = 0; i < d->fixes.len; i++) {
		struct fix *f = fix_at(d, i);

		if (f->kind == FIX_PROVIDER && f->state == FIX_PLANNED &&
		    change_config(&x->c, f->path, &why) == NULL &&
		    fix_stop(f, FIX_LEFT, &why, err) != 0)
			return -1;
	}
	return fix_plan(x, false, err);
}

/* --- telling --- */

static size_t
fix_count(const struct doctor *d, enum fix_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < d->fixes.len; i++)
		n += fix_at(d, i)->state == state;
	return n;
}

static void
fix_describe(const struct fix *f, struct error *what)
{
	if (f->why != NULL) {
		*what = *f->why;
		return;
	}
	if (f->kind == FIX_MODE)
		error_set(what, ERROR_NONE, "mode %03o becomes %03o", (unsigned)f->mode,
		    (unsigned)(f->mode & ~f->bits));
	else if (f->kind == FIX_LEFTOVER)
		error_set(what, ERROR_NONE, "is removed: a run that ended early left it");
	else
		error_set(what, ERROR_NONE, "gets the lines of the provider "
		    REFERENCE_PROVIDER);
	error_place(what, f->path, 0);
}

static void
fix_append(const struct fix *f, struct buf *out)
{
	struct error what;

	fix_describe(f, &what);
	report_append_place(out, &what);
	buf_printf(out, "%s: ", f->state == FIX_LEFT ? states[FIX_LEFT] : "fix");
	report_append_text(out, &what);
	if (what.hint[0] == '\0')
		return;
	buf_append_str(out, "  hint: ");
	text_append_visible(out, what.hint, strlen(what.hint));
	buf_append_char(out, '\n');
}

/* The plan for people. */
static int
fix_append_plan(const struct fixing *x, struct buf *out, struct error *err)
{
	for (size_t i = 0; i < x->d->fixes.len; i++)
		fix_append(fix_at(x->d, i), out);
	return plan_is_empty(x->c.plan) ? 0 : diff_append(x->c.plan, out, err);
}

static int
fix_write_json(struct fixing *x, bool applied, int status, struct error *err)
{
	const struct plan *p = x->c.plan;
	struct apply *a = &x->c.applied;
	struct json_out o;
	struct error what;
	struct buf out;
	int rc;

	buf_init(&out, BUF_MAX_FILE);
	json_out_init(&o, &out);
	json_out_object(&o, NULL);
	json_out_text(&o, "schema", "propseal.fix/1");
	json_out_bool(&o, "applied", applied);
	json_out_array(&o, "fixes");
	for (size_t i = 0; i < x->d->fixes.len; i++) {
		const struct fix *f = fix_at(x->d, i);

		fix_describe(f, &what);
		json_out_object(&o, NULL);
		json_out_text(&o, "fix", kinds[f->kind]);
		json_out_text(&o, "state", states[f->state]);
		json_out_text(&o, "file", what.file);
		json_out_text(&o, "text", what.text);
		json_out_text(&o, "hint", what.hint[0] != '\0' ? what.hint : NULL);
		json_out_end(&o);
	}
	json_out_end(&o);
	/* None where the files could not be locked. */
	if (p != NULL) {
		json_out_object(&o, "change");
		diff_write_json(&p, applied ? &a : NULL, 1, &o);
		json_out_end(&o);
	}
	json_out_int(&o, "exit", status);
	json_out_end(&o);
	rc = output_write_json(&o, err);
	buf_release(&out);
	return rc;
}

/* --- carrying it out --- */

static int
fix_remove(const struct fix *f, struct error *err)
{
	char *folder;
	struct stat st;
	int fd;

	/* With its other half it is gone already; what came meanwhile is looked at again. */
	if (lstat(f->path, &st) == -1 && errno == ENOENT)
		return 0;
	if (fix_check_leftover(f->path, err) != 0)
		return error_place(err, f->path, 0);
	folder = file_folder(f->path);
	fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd != -1) {
		lock_sweep_name(fd, file_basename(f->path));
		close(fd);
	}
	free(folder);
	if (lstat(f->path, &st) == -1 && errno == ENOENT)
		return 0;
	error_set(err, ERROR_IO, "it could not be removed: it is in use, or its folder cannot be "
	    "written");
	return error_place(err, f->path, 0);
}

/* Under the file's lock: a run that is about to replace the file would put the mode that
 * it had back, or fail over the change of it. */
static int
fix_narrow(const struct doctor *d, const struct fix *f, struct error *err)
{
	const char *path = f->path;
	struct lock *lock = NULL;
	struct stat st;
	mode_t ignored;
	int rc;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (lock = lock_files(&path, 1,
	    options_lock_timeout(d->o), change_waiting, NULL, err)) == NULL &&
	    err->code == ERROR_BUSY)
		return -1;
	/* Where no lock can be made, nobody like us can replace it either. */
	rc = attributes_narrow(path, f->bits, false, &ignored, err);
	lock_release(lock);
	return rc;
}

/* What is none of the plan's is written down as one change. */
static bool
fix_is_apart(const struct fix *f)
{
	return f->state == FIX_PLANNED && f->kind != FIX_PROVIDER;
}

static int
fix_apply_one(const struct doctor *d, struct fix *f, struct error *err)
{
	struct error why;
	int rc = f->kind == FIX_MODE ? fix_narrow(d, f, &why) : fix_remove(f, &why);

	if (rc != 0)
		return fix_stop(f, FIX_FAILED, &why, err);
	f->state = FIX_DONE;
	if (f->kind == FIX_MODE)
		report_change("%s: mode %03o", f->path, (unsigned)(f->mode & ~f->bits));
	else
		report_change("%s: removed", f->path);
	return 0;
}

/* What became of the file in the change. */
static int
fix_conclude(struct fixing *x, struct fix *f, const struct error *failed, struct error *err)
{
	const struct apply *a = &x->c.applied;
	const struct error *why = failed;
	bool done = failed == NULL;

	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->results[i].file->path, f->path) != 0)
			continue;
		done = a->results[i].done;
		if (a->results[i].why != NULL)
			why = a->results[i].why;
	}
	if (!done)
		return fix_stop(f, FIX_FAILED, why, err);
	f->state = FIX_DONE;
	report_change("%s: lines of the provider " REFERENCE_PROVIDER, f->path);
	return 0;
}

/* Between the question and the lock there is time to put a link in a file's place. */
static int
fix_check_providers(const struct doctor *d, struct error *err)
{
	const char *refuses;

	for (size_t i = 0; i < d->fixes.len; i++) {
		const struct fix *f = fix_at(d, i);

		if (f->kind != FIX_PROVIDER || f->state != FIX_PLANNED ||
		    (refuses = fix_refuses(f->path)) == NULL)
			continue;
		error_set(err, ERROR_STALE, "nothing got its lines: in the meantime %s", refuses);
		return error_place(err, f->path, 0);
	}
	return 0;
}

static int
fix_apply_providers(struct fixing *x, struct error *err)
{
	struct error why;
	int rc;

	x->c.dry = false;
	rc = fix_plan(x, true, &why);
	if (rc == 0)
		rc = fix_check_providers(x->d, &why);
	if (rc == 0) {
		change_say_notes(x->c.plan);
		rc = change_apply(&x->c, &why);
	}
	for (size_t i = 0; i < x->d->fixes.len; i++) {
		struct fix *f = fix_at(x->d, i);

		if (f->kind == FIX_PROVIDER && f->state == FIX_PLANNED &&
		    fix_conclude(x, f, rc != 0 ? &why : NULL, err) != 0)
			return -1;
	}
	return 0;
}

/* Modes first, of folders before the files in them can be put elsewhere. */
static int
fix_apply_apart(struct doctor *d, struct error *err)
{
	const struct trail *trail = config_trail(d->o->config);
	struct trail_part *parts = calloc(d->fixes.len + 1, sizeof(*parts));
	struct fix **all = calloc(d->fixes.len + 1, sizeof(struct fix *));
	struct buf notes;
	uint64_t change;
	size_t n = 0;
	int rc = parts == NULL || all == NULL ? error_memory(err) : 0;

	buf_init(&notes, BUF_MAX_FILE);
	for (size_t i = d->fixes.len; rc == 0 && i-- > 0;)
		if (fix_is_apart(fix_at(d, i))) {
			all[n] = fix_at(d, i);
			parts[n++] = (struct trail_part){ .path = fix_at(d, i)->path,
				.role = kinds[fix_at(d, i)->kind] };
		}
	if (rc == 0 && n > 0 && (rc = trail_intend_parts(trail, parts, n, &change, &notes,
	    err)) == 0) {
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = fix_apply_one(d, all[i], err);
		for (size_t i = 0; i < n; i++) {
			parts[i].done = all[i]->state == FIX_DONE;
			parts[i].why = all[i]->why != NULL ? all[i]->why->text : NULL;
		}
		trail_conclude_parts(trail, change, parts, n, &notes);
	}
	change_say_lines(buf_cstr(&notes));
	buf_release(&notes);
	free(all);
	free(parts);
	return rc;
}

static int
fix_apply(struct fixing *x, struct error *err)
{
	struct doctor *d = x->d;

	if (fix_apply_apart(d, err) != 0)
		return -1;
	if (!plan_is_empty(x->c.plan) && fix_apply_providers(x, err) != 0)
		return -1;
	for (size_t i = 0; i < d->fixes.len; i++)
		if (fix_at(d, i)->state == FIX_FAILED)
			report_error(fix_at(d, i)->why);
	return 0;
}

/* Nobody to ask must have been said. */
static int
fix_check_usage(const struct options *o, struct error *err)
{
	if (o->on[FLAG_YES] || o->on[FLAG_DRY_RUN] || askpass_available())
		return 0;
	error_set(err, ERROR_USAGE, "no terminal to ask whether to mend what is found");
	return error_hint(err, "give --yes, or --dry-run to see what would be done");
}

/* Show it, where somebody looks, and ask.  1: go on. */
static int
fix_show(struct fixing *x, struct error *err)
{
	const struct options *o = x->d->o;
	bool asks = !o->on[FLAG_YES] && !o->on[FLAG_DRY_RUN] &&
	    fix_count(x->d, FIX_PLANNED) > 0, yes = false;
	struct buf text;
	int rc;

	buf_init(&text, BUF_MAX_FILE);
	rc = fix_append_plan(x, &text, err);
	if (rc == 0 && asks)
		rc = confirm(&text, "Mend? [y/N] ", &yes, err);
	else if (rc == 0 && options_format(o) != OUTPUT_JSON)
		rc = output_write(&text, err);
	buf_release(&text);
	if (rc == 0 && asks && !yes)
		report_note("nothing was changed");
	return rc != 0 ? -1 : asks ? yes : !o->on[FLAG_DRY_RUN];
}

int
doctor_fix(struct doctor *d, int *status, struct error *err)
{
	const bool json = options_format(d->o) == OUTPUT_JSON;
	struct fixing x = { .d = d };
	size_t unread;
	int rc, goes_on = 0;

	if (fix_check_usage(d->o, err) != 0 || fix_find_providers(d, err) != 0 ||
	    fix_judge(d, err) != 0)
		return -1;
	unread = scan_tell_unread(d->estate);
	change_from_flags(&x.c, d->o);
	/* Until it is agreed to. */
	x.c.dry = true;
	rc = fix_load(&x, err);
	if (rc == 0)
		rc = goes_on = fix_show(&x, err);
	if (rc > 0)
		rc = fix_apply(&x, err);
	if (rc == 0 && d->fixes.len == 0)
		report_note("nothing that could be mended was found");
	if (rc == 0) {
		*status = fix_count(d, FIX_FAILED) + unread > 0 ? 1 :
		    fix_count(d, FIX_LEFT) > 0 ? STATUS_FINDINGS : 0;
		if (json)
			rc = fix_write_json(&x, goes_on > 0, *status, err);
	}
	change_close(&x.c);
	return rc;
}

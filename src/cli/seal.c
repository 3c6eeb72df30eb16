#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/scan.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "crypto/key.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "plan/plan.h"
#include "seal/seal.h"

/*
 * `propseal seal`: the secrets in clear text of a whole estate, each in its own
 * environment.  A job is what goes into one secrets file under one remote path:
 * a plan of its own.  All are shown, and asked about, together.
 */

#define JOBS_MAX 100000
#define FILES_MAX 1000000

struct seal_job {
	struct change c;
	struct environment *environment;
	const char *remote;
	const struct environment_section *section;	/* that says so; NULL */
	struct vec files;	/* of const struct estate_file * */
};

struct sealing_all {
	const struct options *o;
	struct estate *estate;
	struct vec jobs;	/* of struct seal_job * */
	struct change others;	/* of no file: its notes name what stays in those not taken */
	bool unknown;		/* where the secrets of a file go cannot be told */
	bool proposed;		/* nothing but nearness names one of the destinations */
	size_t left;		/* files and values that are left in clear text */
};

static struct seal_job *
job_at(const struct sealing_all *s, size_t i)
{
	return *(struct seal_job **)vec_at(&s->jobs, i);
}

static struct seal_job *
job_for(struct sealing_all *s, const struct destination *to, struct error *err)
{
	struct seal_job *j, **slot;

	for (size_t i = 0; i < s->jobs.len; i++) {
		j = job_at(s, i);
		if (j->environment == to->environment && strcmp(j->remote, to->remote) == 0)
			return j;
	}
	j = error_alloc(sizeof(*j), err);
	if (j == NULL || (slot = vec_push(&s->jobs)) == NULL) {
		free(j);
		error_memory(err);
		return NULL;
	}
	*slot = j;
	j->environment = to->environment;
	j->remote = to->remote;
	j->section = to->section;
	vec_init(&j->files, sizeof(const struct estate_file *), FILES_MAX);
	change_from_flags(&j->c, s->o);
	j->c.environment = to->environment->name;
	return j;
}

static void
job_free(struct seal_job *j)
{
	change_close(&j->c);
	vec_release(&j->files);
	free(j);
}

static void
drop_job(struct sealing_all *s, size_t i)
{
	struct seal_job **jobs = s->jobs.items;

	job_free(jobs[i]);
	memmove(jobs + i, jobs + i + 1, (s->jobs.len - i - 1) * sizeof(*jobs));
	s->jobs.len--;
}

static size_t
clear_count(const struct estate_file *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		n += f->entries[i].clear && !f->entries[i].shadowed;
	return n;
}

/* Why the file's secrets stay. */
static void
seal_tell_left(const char *path, const struct destination *to)
{
	char word[TEXT_WORD_MAX];
	struct error err;

	if (to->kind == DESTINATION_ASK)
		scan_explain_destination(path, to, &err);
	else {
		error_set(&err, ERROR_MISSING, "its secrets go to %s, which is not there or cannot "
		    "be read", to->environment->path);
		error_place(&err, path, 0);
		error_hint(&err, "`propseal file verify --local-secrets-file %s` says why",
		    text_word(to->environment->path, word));
	}
	report_error(&err);
}

/* The secrets file that flags or settings name; NULL: none. */
static int
seal_named(const struct sealing_all *s, struct environment **out, struct error *err)
{
	struct environments *all = estate_environments(s->estate);
	const char *path = s->o->text[FLAG_LOCAL_SECRETS_FILE];

	*out = environments_only(all);
	return *out != NULL || path == NULL ? 0 : environments_of_file(all, path, out, err);
}

/* Does the path for references that flags or settings give go with ${named} for this file?  What
 * references, sections and secrets files nearer say, settings do not overrule. */
static bool
seal_takes_remote(const struct sealing_all *s, const struct environment *named,
    const struct destination *to)
{
	if (named == NULL || s->o->text[FLAG_REMOTE_SECRETS_FILE] == NULL)
		return false;
	if (environments_only(estate_environments(s->estate)) == named)
		return true;
	return to->kind != DESTINATION_KNOWN && to->section == NULL && to->ini == NULL &&
	    !to->refers && to->one == NULL && (to->environment == named || to->environment == NULL);
}

/* A secret that a later line of its key hides, and that stays: sealing gives such lines the
 * reference of the one that counts, where that is sealed. */
static void
seal_tell_hidden(struct sealing_all *s, const char *path, const struct estate_entry *e)
{
	struct error err;

	error_set(&err, ERROR_REFUSED, "a secret in clear text in a line that no reader uses, as a "
	    "later one of its key counts");
	error_place(&err, path, e->line);
	error_key(&err, e->key, e->key_len);
	error_hint(&err, "take the line out, and change the secret where it is in use");
	report_error(&err);
	s->left++;
}

/* The keys of which something is sealed: an option of JAAS has the key before its own. */
static int
seal_list_keys(const struct estate_file *f, struct map *keys, struct error *err)
{
	const struct estate_entry *e;

	for (size_t i = 0; i < f->count; i++) {
		e = &f->entries[i];
		for (size_t n = 1; e->clear && !e->shadowed && n <= e->key_len; n++)
			if ((n == e->key_len || e->key[n] == '/') &&
			    map_put(keys, e->key, n, 0) != 0)
				return error_memory(err);
	}
	return 0;
}

static int
seal_tell_all_hidden(struct sealing_all *s, const struct estate_file *f, struct error *err)
{
	const struct estate_entry *e;
	struct map *keys = NULL;
	size_t ignored;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < f->count; i++) {
		e = &f->entries[i];
		if (!e->clear || !e->shadowed)
			continue;
		if (keys == NULL)
			rc = (keys = map_new()) == NULL ? error_memory(err) :
			    seal_list_keys(f, keys, err);
		if (rc == 0 && !map_get(keys, e->key, e->key_len, &ignored))
			seal_tell_hidden(s, f->path, e);
	}
	map_free(keys);
	return rc;
}

/* Give each file with secrets in clear text to its job. */
static int
seal_collect(struct sealing_all *s, struct error *err)
{
	const struct estate_file *f, **slot;
	struct environment *named;
	struct destination to;
	struct seal_job *j;

	if (seal_named(s, &named, err) != 0)
		return -1;
	for (size_t i = 0; i < estate_count(s->estate); i++) {
		f = estate_file(s->estate, i);
		if (f->problem != NULL) {
			report_error(f->problem);
			s->left++;
		}
		if (f->is_secrets_file)
			continue;
		if (seal_tell_all_hidden(s, f, err) != 0)
			return -1;
		if (clear_count(f) == 0)
			continue;
		if (estate_destination(s->estate, f, &to, err) != 0)
			return -1;
		if (seal_takes_remote(s, named, &to)) {
			to.environment = named;
			to.remote = s->o->text[FLAG_REMOTE_SECRETS_FILE];
			to.kind = DESTINATION_KNOWN;
		}
		if (to.kind == DESTINATION_ASK || to.environment->secrets == NULL) {
			s->unknown = s->unknown || to.kind == DESTINATION_ASK;
			seal_tell_left(f->path, &to);
			s->left++;
			continue;
		}
		s->proposed = s->proposed || to.kind == DESTINATION_PROPOSED;
		if ((j = job_for(s, &to, err)) == NULL)
			return -1;
		if ((slot = vec_push(&j->files)) == NULL)
			return error_memory(err);
		*slot = f;
	}
	return 0;
}

/* Plan to seal what is clear in one file.  What is refused stays, and is told if ${aloud}. */
static int
seal_file(struct sealing_all *s, struct seal_job *j, size_t i, bool aloud, struct error *err)
{
	const struct estate_file *f = *(const struct estate_file **)vec_at(&j->files, i);
	struct configuration *c = *(struct configuration **)vec_at(&j->c.configs, i);
	struct seal_options so = sealing_options(s->o);
	const struct estate_entry *e;
	struct error why;

	so.remote = j->remote;
	so.found = true;
	for (size_t k = 0; k < f->count; k++) {
		e = &f->entries[k];
		if (!e->clear || e->shadowed ||
		    seal_key(j->c.plan, c, e->key, e->key_len, &so, &why) == 0)
			continue;
		if (why.code == ERROR_MEMORY || why.code == ERROR_CRYPTO || why.code == ERROR_KEY) {
			*err = why;
			return -1;
		}
		if (!aloud)
			continue;
		if (why.file[0] == '\0') {
			error_place(&why, f->path, e->line);
			error_key(&why, e->key, e->key_len);
		}
		report_error(&why);
		s->left++;
	}
	return 0;
}

/* Plan the job; ${locked}: to be applied, so that it holds for the files as they are. */
static int
seal_plan(struct sealing_all *s, struct seal_job *j, bool locked, struct error *err)
{
	struct scan_users users;
	int rc = 0;

	change_stop(&j->c);
	if ((locked ? change_start(&j->c, err) : change_plan(&j->c, err)) != 0 ||
	    seal_prepare(j->c.plan, j->c.master, err) != 0)
		return -1;
	if (j->section != NULL && j->section->foreign)
		plan_note(j->c.plan, "%s:%zu, which is in the work tree, says that secrets of "
		    "[environment %s] go to %s", j->section->ini, j->section->line,
		    j->section->name, j->environment->path);
	/* Who else gets a value that overwrites another's is told. */
	scan_users_init(&users, s->o, &j->c);
	plan_set_users(j->c.plan, &users.face);
	for (size_t i = 0; rc == 0 && i < j->files.len; i++)
		rc = seal_file(s, j, i, !locked, err);
	plan_set_users(j->c.plan, NULL);
	scan_users_release(&users);
	if (rc == 0)
		change_note_settings(&j->c);
	return rc;
}

/* Load a job's files, find its key, and plan. */
static int
seal_begin(struct sealing_all *s, struct seal_job *j, struct error *err)
{
	struct environment *x = j->environment;

	if (scan_open(s->o, estate_environments(s->estate), x, err) != 0 ||
	    (j->c.master = key_copy(x->master, err)) == NULL ||
	    change_files(&j->c, NULL, x->path, false, err) != 0)
		return -1;
	for (size_t i = 0; i < j->files.len; i++)
		if (change_config(&j->c, (*(const struct estate_file **)vec_at(&j->files,
		    i))->path, err) == NULL)
			return -1;
	return seal_plan(s, j, false, err);
}

/* Show all plans and ask.  1: yes. */
static int
seal_ask(struct sealing_all *s, struct error *err)
{
	struct buf text;
	bool yes = false;
	int rc = 0;

	buf_init(&text, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < s->jobs.len; i++)
		rc = diff_append(job_at(s, i)->c.plan, &text, err);
	if (rc == 0)
		rc = diff_append(s->others.plan, &text, err);
	for (size_t i = 0; i < s->jobs.len; i++)
		buf_printf(&text, "%zu %s: into %s, referred to as %s\n", job_at(s, i)->files.len,
		    job_at(s, i)->files.len == 1 ? "file" : "files",
		    job_at(s, i)->environment->path, job_at(s, i)->remote);
	if (rc == 0)
		rc = confirm(&text, "Apply? [y/N] ", &yes, err);
	buf_release(&text);
	return rc != 0 ? -1 : yes;
}

/* What nobody is there to agree to must have been named. */
static int
seal_check_usage(const struct sealing_all *s, struct error *err)
{
	const struct options *o = s->o;

	if (o->on[FLAG_DRY_RUN] || askpass_available())
		return 0;
	if (s->unknown || s->proposed) {
		for (size_t i = 0; i < s->jobs.len; i++)
			report_note("%s would be referred to as %s",
			    job_at(s, i)->environment->path, job_at(s, i)->remote);
		error_set(err, ERROR_USAGE, "not every destination is named by references that are "
		    "there, propseal.ini or flags, and there is no terminal to ask");
		return error_hint(err, "give --local-secrets-file and --remote-secrets-file, or "
		    "write an [environment NAME] section in propseal.ini");
	}
	if (o->on[FLAG_YES])
		return 0;
	error_set(err, ERROR_USAGE, "no terminal to ask whether to apply the change");
	return error_hint(err, "give --yes, or --dry-run to see the change");
}

/* Apply each job; one that fails leaves the others to be done. */
static int
seal_apply(struct sealing_all *s)
{
	struct error err;
	int status = 0;

	for (size_t i = 0; i < s->jobs.len; i++) {
		struct seal_job *j = job_at(s, i);

		if (seal_plan(s, j, true, &err) == 0) {
			change_say_notes(j->c.plan);
			if (plan_is_empty(j->c.plan) || change_apply_told(&j->c, &err) == 0)
				continue;
		}
		status = report_error(&err);
	}
	return status;
}

static int
seal_run(struct sealing_all *s, int *status, struct error *err)
{
	bool json = options_format(s->o) == OUTPUT_JSON;
	struct change **all = NULL;
	int rc = -1, failed = 0, yes;

	if (scan_check(s->o, estate_environments(s->estate), err) != 0 ||
	    seal_collect(s, err) != 0 || seal_check_usage(s, err) != 0 ||
	    change_plan(&s->others, err) != 0 ||
	    scan_note_left(s->o, s->estate, s->others.plan, err) != 0)
		return -1;
	if ((all = calloc(s->jobs.len + 1, sizeof(struct change *))) == NULL)
		return error_memory(err);
	for (size_t i = 0; i < s->jobs.len;) {
		all[i] = &job_at(s, i)->c;
		if (seal_begin(s, job_at(s, i), err) == 0) {
			i++;
			continue;
		}
		if (err->code == ERROR_MEMORY || err->code == ERROR_CRYPTO)
			goto out;
		/* One without a key, say, leaves the others to be done. */
		failed = report_error(err);
		s->left += job_at(s, i)->files.len;
		drop_job(s, i);
	}
	/* Where none is left to be done, its status says why. */
	if (s->jobs.len == 0)
		*status = failed;
	all[s->jobs.len] = &s->others;
	if (s->o->on[FLAG_DRY_RUN]) {
		rc = change_show_all(all, s->jobs.len + 1, json, err);
		goto out;
	}
	if (s->jobs.len > 0 && (!s->o->on[FLAG_YES] || s->proposed)) {
		if ((yes = seal_ask(s, err)) != 1) {
			if (yes == 0)
				report_note("nothing was changed");
			rc = yes;
			goto out;
		}
	}
	if (s->jobs.len > 0)
		*status = seal_apply(s);
	change_say_notes(s->others.plan);
	rc = change_tell_all(all, s->jobs.len + 1, s->left > 0 || *status != 0 ||
	    plan_notes(s->others.plan)[0] != '\0', json, err);
out:
	free(all);
	return rc;
}

int
commands_seal(const struct options *o)
{
	struct sealing_all s = { .o = o };
	struct error err;
	int status = 0, rc = -1;

	vec_init(&s.jobs, sizeof(struct seal_job *), JOBS_MAX);
	change_from_flags(&s.others, o);
	if ((s.estate = scan_paths(o, o->args, o->arg_count, &err)) != NULL)
		rc = seal_run(&s, &status, &err);
	if (rc != 0)
		status = report_error(&err);
	else if (status == 0 && s.left > 0)
		status = 1;
	for (size_t i = 0; i < s.jobs.len; i++)
		job_free(job_at(&s, i));
	vec_release(&s.jobs);
	change_close(&s.others);
	estate_free(s.estate);
	return status;
}
